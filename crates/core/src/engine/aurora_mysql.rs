//! Aurora MySQL.

mod classes;
mod parameters;
mod versions;

use super::{Ability, Defaults, Engine, Names, Wiring, numbers};

pub static AURORA_MYSQL: Engine = Engine {
    name: "aurora-mysql",
    title: "Aurora MySQL",
    compatible_with: "MySQL",
    in_secret: "mysql",
    defaults: Defaults { version: "8.0", port: 3306, username: "admin" },
    classes: classes::CLASSES,
    names: Names {
        longest_username: 16,
        reserved_usernames: &["rdsadmin", "rdsrepladmin", "rdsproxyadmin", "rdstopmgr"],
        longest_database: 64,
        reserved_databases: &["mysql", "sys", "information_schema", "performance_schema", "innodb"],
    },
    asked: versions::asked,
    parameters: parameters::PARAMETERS,
    // First versions and regions: fact book, sections 1.10 and 1.11.
    first_that_pauses: "3.08",
    first_with_data_api: "3.07",
    data_api_offered_in: |region| {
        let outside = region.starts_with("cn-") || region.starts_with("us-gov-");
        !outside && !WITHOUT_DATA_API.contains(&region)
    },
    // Parameters: fact book, section 1.3. Versions: section 1.1; every 8.4 has them all.
    abilities: &[
        Ability {
            name: "bedrock",
            title: "Bedrock",
            wiring: Wiring::Parameter("aws_default_bedrock_role"),
            available: |version| since(None, 6, version),
            first: "3.06",
            first_of_older: "",
        },
        Ability {
            name: "comprehend",
            title: "Comprehend",
            wiring: Wiring::Parameter("aws_default_comprehend_role"),
            available: |version| since(Some(7), 1, version),
            first: "3.01",
            first_of_older: " (of version 2: 2.07 or later)",
        },
        Ability {
            name: "s3",
            title: "S3",
            wiring: Wiring::Parameter("aws_default_s3_role"),
            available: |version| since(Some(0), 0, version),
            first: "3.00",
            first_of_older: " (of version 2: 2.00 or later)",
        },
        Ability {
            name: "sagemaker",
            title: "SageMaker",
            wiring: Wiring::Parameter("aws_default_sagemaker_role"),
            available: |version| since(Some(7), 1, version),
            first: "3.01",
            first_of_older: " (of version 2: 2.07 or later)",
        },
    ],
    // Not every family has each of them (fact book, section 1.3).
    other_role_parameters: &[
        "aurora_load_from_s3_role",
        "aurora_select_into_s3_role",
        "aws_default_lambda_role",
        "aws_default_logs_role",
    ],
    // As of 2026-10 (fact book, section 1.1).
    standard_support_ends: &[
        ("3.04", "2026-10-31"),
        ("3.08", "2026-08-31"),
        ("3.09", "2026-08-31"),
        ("3.10", "2028-04-30"),
        ("3.11", "2026-11-13"),
        ("3.12", "2027-02-17"),
        ("3.13", "2027-08-27"),
        ("8.4.7", "2027-11-30"),
        ("8.4.8", "2028-03-31"),
    ],
    version_infix: ".mysql_aurora.",
    family: |version| {
        let major: Vec<&str> = version.split('.').take(2).collect();
        format!("aurora-mysql{}", major.join("."))
    },
    // Fact book, section 1.6. The first versions of 2 and 1 are written as MySQL's: `5.7.12`, `5.6.10a`.
    restarts_together: |version| {
        let together = match own_numbers(version)[..] {
            [1, ..] | [5, 6 | 7, ..] => true,
            [2, minor, ..] => minor < 10,
            _ => false,
        };
        together.then_some("below Aurora MySQL 2.10 every member restarts with the writer")
    },
    // Fact book, section 1.6.
    restarts_others: |version| (!at_least_three(6, version)).then_some("below Aurora MySQL 3.06"),
};

/// Regions without the Data API, beside China and GovCloud.
const WITHOUT_DATA_API: [&str; 8] = [
    "ap-south-2",
    "ap-southeast-4",
    "ap-southeast-6",
    "ap-east-2",
    "ca-west-1",
    "eu-central-2",
    "il-central-1",
    "mx-central-1",
];

fn own_numbers(version: &str) -> Vec<u32> {
    numbers(AURORA_MYSQL.own_version(version))
}

/// Whether this is Aurora MySQL 3 from a minor version on, or 8.4.
fn at_least_three(minor: u32, version: &str) -> bool {
    match own_numbers(version)[..] {
        [3, live, ..] => live >= minor,
        [major, ..] => major >= 8,
        [] => false,
    }
}

/// Whether this is version 2 from a minor version on, if any, or version 3 from one on, or later.
fn since(two: Option<u32>, three: u32, version: &str) -> bool {
    match own_numbers(version)[..] {
        // The first versions of Aurora MySQL 2 are written as MySQL's: `5.7.12`.
        [5, 7, ..] => two == Some(0),
        [2, minor, ..] => two.is_some_and(|first| minor >= first),
        _ => at_least_three(three, version),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Offered, newer};
    use super::*;

    fn family(version: &str) -> String {
        (AURORA_MYSQL.family)(version)
    }

    #[test]
    fn a_prefix_gives_the_newest_in_standard_support() {
        let offered = [
            "8.0.mysql_aurora.3.04.4",
            "8.0.mysql_aurora.3.10.2",
            "8.0.mysql_aurora.3.11.1",
            "8.0.mysql_aurora.3.9.9",
            "8.4.mysql_aurora.8.4.7",
        ]
        .map(|v| Offered { version: v.into(), family: family(v) });
        let pick = |prefix, today| AURORA_MYSQL.resolve(prefix, &offered, today).map(|o| o.version.as_str());
        assert_eq!(
            pick("8.0", "2026-11-20"),
            Some("8.0.mysql_aurora.3.10.2"),
            "3.11 left support a week ago"
        );
        assert_eq!(pick("8.0", "2026-11-13"), Some("8.0.mysql_aurora.3.11.1"));
        assert_eq!(
            pick("8.0.mysql_aurora.3.11", "2026-11-20"),
            Some("8.0.mysql_aurora.3.11.1"),
            "if one insists"
        );
        assert_eq!(pick("8.4", "2026-11-20"), Some("8.4.mysql_aurora.8.4.7"));
        assert_eq!(pick("3.1", "2026-11-20"), None, "a prefix ends at a point");
        assert_eq!(pick("3.10", "2026-11-20"), Some("8.0.mysql_aurora.3.10.2"));
    }

    #[test]
    fn abilities_came_with_versions() {
        let cases = [
            ("5.6.10a", false, false),
            ("5.7.12", false, false),
            ("5.7.mysql_aurora.2.06.0", false, false),
            ("5.7.mysql_aurora.2.07.1", true, false),
            ("5.7.mysql_aurora.2.12.5", true, false),
            ("8.0.mysql_aurora.3.00.0", false, false),
            ("8.0.mysql_aurora.3.01.0", true, false),
            ("8.0.mysql_aurora.3.05.2", true, false),
            ("8.0.mysql_aurora.3.06.1", true, true),
            ("8.0.mysql_aurora.3.10.2", true, true),
            ("8.4.mysql_aurora.8.4.7", true, true),
        ];
        let has = |ability: &str, version| (AURORA_MYSQL.ability(ability).unwrap().available)(version);
        for (version, machine_learning, bedrock) in cases {
            assert_eq!(has("sagemaker", version), machine_learning, "{version}");
            assert_eq!(has("bedrock", version), bedrock, "{version}");
        }
        assert!(has("s3", "5.7.12"), "S3 came first");
    }

    #[test]
    fn families() {
        assert_eq!(family("8.0.mysql_aurora.3.10.2"), "aurora-mysql8.0");
        assert!(newer("8.0.mysql_aurora.3.10.2", "8.0.mysql_aurora.3.9.9"));
    }
}
