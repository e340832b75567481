//! The limits that docs/spec.md tells, each from both sides: the last value that is good and the first that is not.

use auroraml_core::spec::{self, Problem};

/// Has every field.
const EVERYTHING: &str = include_str!("../../../../tests/data/everything.yaml");

/// One field and its limits.
struct Limits {
    /// Table and row of docs/spec.md, and the words of that row in which the limits are told.
    told: (&'static str, &'static str, &'static str),
    /// Where a problem is reported; with a `*` at the end, there or below.
    path: &'static str,
    /// What is replaced in the spec; `{}` in the replacement is the value.
    old: &'static str,
    new: &'static str,
    good: &'static [&'static str],
    bad: &'static [&'static str],
}

const fn limits(
    told: (&'static str, &'static str, &'static str),
    path: &'static str,
    (old, new): (&'static str, &'static str),
    (good, bad): (&'static [&'static str], &'static [&'static str]),
) -> Limits {
    Limits { told, path, old, new, good, bad }
}

const LETTERS_24: &str = "abcdefghijklmnopqrstuvwx";
const LETTERS_25: &str = "abcdefghijklmnopqrstuvwxy";
const LETTERS_63: &str = "a23456789012345678901234567890123456789012345678901234567890123";
const LETTERS_64: &str = "a234567890123456789012345678901234567890123456789012345678901234";
const LETTERS_65: &str = "a2345678901234567890123456789012345678901234567890123456789012345";

const ALL: &[Limits] = &[
    limits(
        ("stack", "stack", "1–24 lower-case letters, digits and single hyphens"),
        "stack",
        ("stack: everything", "stack: {}"),
        (&["a", "a-1", LETTERS_24], &[LETTERS_25, "A", "1a", "-a", "a-", "a--b", "a_b", "\"\""]),
    ),
    limits(
        ("stack", "tags", "not `aws:…` or `auroraml:…`"),
        "tags*",
        ("tags: { project: churn }", "tags: { \"{}\": churn }"),
        (&["aws", "auroraml", "my:aws:tag"], &["aws:x", "AWS:x", "auroraml:x", "Auroraml:stack"]),
    ),
    limits(
        ("stack", "expires_after", "`30m`, `8h`, `2d`"),
        "expires_after",
        ("expires_after: 8h", "expires_after: \"{}\""),
        (&["1m", "30m", "8h", "2d"], &["0m", "h", "8", "8w", "+8h", "1.5h", "-1h", ""]),
    ),
    limits(
        ("network", "cidr", "/16 to /28, without host bits"),
        "network.cidr",
        (EVERYTHING, "stack: net\nregion: us-east-1\nnetwork: { cidr: {} }\n"),
        (&["10.0.0.0/16", "10.0.0.0/28"], &["10.0.0.0/15", "10.0.0.0/29", "10.0.0.1/16"]),
    ),
    limits(
        ("network", "private_subnets", "a cluster needs at least two"),
        "network.private_subnets",
        ("private_subnets: [10.192.20.0/24, 10.192.21.0/24]", "private_subnets: [{}]"),
        (&["10.192.20.0/24, 10.192.21.0/24"], &["10.192.20.0/24", ""]),
    ),
    limits(
        ("network", "nat", "`single` needs a public subnet, `per_zone` one for each private subnet"),
        "network.nat",
        (
            "  public_subnets: [10.192.10.0/24, 10.192.11.0/24]\n  \
             private_subnets: [10.192.20.0/24, 10.192.21.0/24]\n  nat: single",
            "  private_subnets: [10.192.20.0/24, 10.192.21.0/24]\n  {}",
        ),
        (
            &[
                "nat: single\n  public_subnets: [10.192.10.0/24]",
                "nat: per_zone\n  public_subnets: [10.192.10.0/24, 10.192.11.0/24]",
            ],
            &["nat: single", "nat: per_zone", "nat: per_zone\n  public_subnets: [10.192.10.0/24]"],
        ),
    ),
    limits(
        ("aurora", "engine_version", "`8.0`, `8.4`, `3.10`, `8.0.mysql_aurora.3.10`"),
        "aurora.engine_version",
        ("engine_version: \"3.10\"", "engine_version: \"{}\""),
        (&["8.0", "8.4", "3.10", "8.0.mysql_aurora.3.10"], &["8", "5.7", "3.x", "latest"]),
    ),
    limits(
        ("aurora", "database", "1–64 letters, digits, underscores"),
        "aurora.database",
        ("database: telecom", "database: {}"),
        (&["a", "a_1", LETTERS_64], &[LETTERS_65, "1a", "a-b", "\"\""]),
    ),
    limits(
        ("aurora", "username", "1–16 letters and digits"),
        "aurora.username",
        ("username: admin", "username: {}"),
        (&["a", "a1", "abcdefghijklmnop"], &["abcdefghijklmnopq", "1a", "a_b", "\"\""]),
    ),
    limits(
        ("aurora", "data_api", "not with T classes"),
        "aurora.instances[0].class",
        ("class: db.r6g.large", "class: {}"),
        (&["db.r6g.large"], &["db.t4g.medium"]),
    ),
    limits(
        ("aurora", "data_api", "Aurora MySQL 3.07 or newer"),
        "aurora.data_api",
        ("engine_version: \"3.10\"", "engine_version: \"{}\""),
        (&["3.07", "8.4"], &["3.06"]),
    ),
    limits(
        ("machine_learning", "bedrock", "Aurora MySQL 3.06 or newer"),
        "machine_learning.bedrock",
        ("engine_version: \"3.10\"", "engine_version: \"{}\""),
        (&["3.06", "8.4"], &["3.05"]),
    ),
    limits(
        ("aurora.serverless", "min", "0 lets the cluster pause (3.08 or newer)"),
        "aurora.serverless.min",
        ("engine_version: \"3.10\"", "engine_version: \"{}\""),
        (&["3.08", "8.4"], &["3.07"]),
    ),
    limits(
        ("aurora", "parameters", "Role parameters belong to `machine_learning`"),
        "aurora.parameters*",
        ("{ character_set_database: utf8mb4 }", "{ {}: x }"),
        (&["character_set_database"], &["aws_default_s3_role", "aws_default_bedrock_role"]),
    ),
    limits(
        ("aurora", "backup_retention_days", "days, 1–35"),
        "aurora.backup_retention_days",
        ("backup_retention_days: 1", "backup_retention_days: {}"),
        (&["1", "35"], &["0", "36"]),
    ),
    limits(
        ("aurora", "port", "1150–65535"),
        "aurora.port",
        ("port: 3306", "port: {}"),
        (&["1150", "65535"], &["0", "1149", "65536"]),
    ),
    limits(
        ("aurora.instances", "promotion_tier", "0–15"),
        "aurora.instances[0].promotion_tier",
        ("promotion_tier: 1 }", "promotion_tier: {} }"),
        (&["0", "15"], &["16", "-1"]),
    ),
    limits(
        ("aurora.serverless", "min", "capacity units, 0–256 in steps of 0.5"),
        "aurora.serverless.min",
        ("{ min: 0, max: 4, seconds_until_auto_pause: 600 }", "{ min: {}, max: 256 }"),
        (&["0", "0.5", "256"], &["0.3", "256.5", "-0.5"]),
    ),
    limits(
        ("aurora.serverless", "max", "capacity units, 1–256 in steps of 0.5"),
        "aurora.serverless.max",
        ("max: 4", "max: {}"),
        (&["1", "1.5", "256"], &["0.5", "1.3", "256.5"]),
    ),
    limits(
        ("aurora.serverless", "seconds_until_auto_pause", "seconds, 300–86400"),
        "aurora.serverless.seconds_until_auto_pause",
        ("seconds_until_auto_pause: 600", "seconds_until_auto_pause: {}"),
        (&["300", "86400"], &["299", "86401"]),
    ),
    limits(
        ("aurora.serverless", "seconds_until_auto_pause", "only with `min: 0`"),
        "aurora.serverless.seconds_until_auto_pause",
        ("min: 0,", "min: {},"),
        (&["0"], &["0.5"]),
    ),
    limits(
        ("aurora.secret", "recovery_window_days", "days, 7–30, or 0"),
        "aurora.secret.recovery_window_days",
        ("recovery_window_days: 7", "recovery_window_days: {}"),
        (&["0", "7", "30"], &["1", "6", "31"]),
    ),
    limits(
        ("aurora.secret", "password_environment_variable", "only with `stack`"),
        "aurora.secret*",
        ("managed_by: stack, recovery_window_days: 7", "{}, password_environment_variable: PASSWORD"),
        (&["managed_by: stack"], &["managed_by: rds"]),
    ),
    limits(
        ("aurora.secret", "recovery_window_days", "only with `stack`"),
        "aurora.secret*",
        ("managed_by: stack", "managed_by: {}"),
        (&["stack"], &["rds"]),
    ),
    limits(
        ("aurora.restart", "window", "at least 30 minutes"),
        "aurora.restart.window",
        ("restart: rolling", "restart: { window: \"{}\" }"),
        (&["03:00-03:30", "sun:23:45-mon:00:15"], &["03:00-03:29", "sun:23:45-mon:00:14", "03:00-03:00"]),
    ),
    limits(
        ("notebook", "instance", "not `ml.p2`, `ml.p3`, `ml.inf1`, `ml.g3`"),
        "notebook.instance",
        ("instance: ml.t3.medium", "instance: {}"),
        (
            &["ml.t3.medium", "ml.g4dn.xlarge", "ml.m4.xlarge"],
            &["ml.p2.xlarge", "ml.p3.2xlarge", "ml.inf1.xlarge", "ml.g3.4xlarge", "db.r6g.large"],
        ),
    ),
    limits(
        ("notebook", "volume", "GiB, 5–16384"),
        "notebook.volume",
        ("volume: 10", "volume: {}"),
        (&["5", "16384"], &["4", "16385"]),
    ),
    limits(
        ("notebook", "files", "files in the spec's folder or below it"),
        "notebook.files*",
        ("[notebooks/part_1.ipynb]", "[{}]"),
        (&["notebooks/part_1.ipynb", "./a"], &["/etc/passwd", "../a", "notebooks/../../a", "\"~/a\""]),
    ),
    limits(
        ("endpoints", "instance", "this or `serverless`"),
        "endpoints.churn*",
        ("    instance: ml.m5.large\n    count: 1\n", "{}"),
        (
            &["    instance: ml.m5.large\n", "    serverless: {}\n"],
            &["", "    instance: ml.m5.large\n    serverless: {}\n"],
        ),
    ),
    limits(
        ("endpoints", "managed_by", "no other keys are allowed then"),
        "endpoints.churn*",
        ("    instance: ml.m5.large\n    count: 1\n", "    instance: ml.m5.large\n    {}\n"),
        (&["managed_by: stack"], &["managed_by: notebook"]),
    ),
    limits(
        ("endpoints", "count", "number from 1"),
        "endpoints.churn.count",
        ("count: 1", "count: {}"),
        (&["1", "2"], &["0", "-1"]),
    ),
    limits(
        ("endpoints.serverless", "memory", "1024, 2048, 3072, 4096, 5120 or 6144"),
        "endpoints.small.serverless.memory",
        ("memory: 2048", "memory: {}"),
        (&["1024", "2048", "3072", "4096", "5120", "6144"], &["0", "1023", "1536", "7168"]),
    ),
    limits(
        ("endpoints.serverless", "max_concurrency", "1–200"),
        "endpoints.small.serverless.max_concurrency",
        ("max_concurrency: 5", "max_concurrency: {}"),
        (&["1", "200"], &["0", "201"]),
    ),
    limits(
        ("endpoints.model", "image", "1.2-1, 1.2-2, 1.3-1, 1.5-1, 1.7-1, 3.0-5, 3.2-0"),
        "endpoints.churn.model.image",
        ("\"xgboost:1.7-1\"", "\"xgboost:{}\""),
        (&["1.2-1", "1.2-2", "1.3-1", "1.5-1", "1.7-1", "3.0-5", "3.2-0"], &["latest", "1", "1.7", "1.7-2"]),
    ),
    limits(
        ("endpoints.model", "artifact", "`s3://bucket/key`"),
        "endpoints.churn.model.artifact",
        ("s3://sagemaker-sample-files/models/churn/model.tar.gz", "{}"),
        (&["s3://models/a"], &["s3://models", "s3://models/", "models/a", "https://models/a"]),
    ),
];

/// What is reported at `path` or, with a `*`, below.
fn reported<'p>(problems: &'p [Problem], path: &str) -> Vec<&'p Problem> {
    let is_there = |problem: &&Problem| match path.strip_suffix('*') {
        Some(start) => problem.path.starts_with(start),
        None => problem.path == path,
    };
    problems.iter().filter(is_there).collect()
}

fn problems(source: &str) -> Vec<Problem> {
    spec::parse(source.as_bytes()).err().map(|problems| problems.0).unwrap_or_default()
}

/// Of the good values only that place is judged: another place may depend on the same line.
#[test]
fn values_are_good_up_to_the_limit_and_no_further() {
    assert!(problems(EVERYTHING).is_empty());
    for Limits { told: (table, key, _), path, old, new, good, bad } in ALL {
        assert!(EVERYTHING.contains(old), "{table}.{key}: {old} is not in everything.yaml");
        let with = |value: &str| EVERYTHING.replacen(old, &new.replacen("{}", value, 1), 1);
        for value in *good {
            let source = with(value);
            let found = problems(&source);
            assert!(reported(&found, path).is_empty(), "{table}.{key}: {value} is refused: {found:?}");
        }
        for value in *bad {
            let source = with(value);
            let found = problems(&source);
            assert!(!reported(&found, path).is_empty(), "{table}.{key}: {value} is taken: {found:?}");
        }
    }
}

/// And these limits are the ones that people read.
#[test]
fn limits_are_told_in_the_documents() {
    let tables = spec::tables();
    for Limits { told: (name, key, words), .. } in ALL {
        let table = tables.iter().find(|table| table.name == *name).unwrap_or_else(|| panic!("{name}"));
        let start = format!("| `{key}` |");
        let row = table.text.lines().find(|row| row.starts_with(&start)).unwrap_or_else(|| panic!("{key}"));
        assert!(row.contains(words), "{name}.{key}: {row}");
    }
}

#[test]
fn names_and_lists_are_as_long_as_is_told() {
    let tags = |count: usize| {
        let tags: Vec<String> = (0..count).map(|n| format!("t{n}: x")).collect();
        EVERYTHING.replace("project: churn", &tags.join(", "))
    };
    assert!(problems(&tags(40)).is_empty());
    assert_eq!(reported(&problems(&tags(41)), "tags").len(), 1);
    let members = |count: usize| {
        let more = vec!["{ class: db.r6g.large }"; count - 1].join(", ");
        EVERYTHING.replace("{ class: db.r6g.large, promotion_tier: 1 }", &more)
    };
    assert!(problems(&members(16)).is_empty());
    assert_eq!(reported(&problems(&members(17)), "aurora.instances").len(), 1);
    for (name, is_good) in
        [("a", true), (LETTERS_63, true), (LETTERS_64, false), ("-a", false), ("a-", false), ("a_b", false)]
    {
        let source = EVERYTHING.replace("  small:", &format!("  {name}:"));
        assert_eq!(problems(&source).is_empty(), is_good, "{name}");
    }
}

/// Tables and functions have names that SQL takes without backticks.
#[test]
fn names_of_tables_and_functions_are_plain() {
    let head = "stack: a\nregion: us-east-1\naurora: { existing: x, database: mltest }\n";
    for (section, what) in [
        ("tables", "{ columns: { state: varchar(10) } }"),
        ("functions", "{ arguments: [a varchar(10)], returns: tinyint, sql: \"1\" }"),
    ] {
        for (name, is_good) in [
            ("a", true),
            ("a_1", true),
            (LETTERS_64, true),
            (LETTERS_65, false),
            ("1a", false),
            ("a-b", false),
            ("\"a b\"", false),
        ] {
            let found = problems(&format!("{head}{section}:\n  {name}: {what}\n"));
            let path = format!("{section}.{}", name.trim_matches('"'));
            assert_eq!(reported(&found, &path).is_empty(), is_good, "{path}: {found:?}");
        }
    }
}

/// "A file has one document, at most 1 MiB, 20,000 values, 32 levels and 5,000 values by aliases."
#[test]
fn a_file_is_as_large_as_is_told() {
    let told = include_str!("../../../../docs/spec.md");
    let told = told.lines().find(|line| line.contains("A file has one document")).unwrap();
    for limit in ["1 MiB", "20,000 values", "32 levels", "5,000 values by aliases"] {
        assert!(told.contains(limit), "{told}");
    }
    let says =
        |source: &str, words: &str| problems(source).iter().any(|problem| problem.message.contains(words));
    let long = |bytes: usize| {
        let text = format!("{EVERYTHING}#");
        format!("{text}{}", "x".repeat(bytes - text.len()))
    };
    assert!(problems(&long(1 << 20)).is_empty());
    assert!(says(&long((1 << 20) + 1), "a spec has at most"));
    let deep = |levels: usize| format!("a: {}{}", "[".repeat(levels), "]".repeat(levels));
    // The mapping around it is the first level.
    assert!(!says(&deep(31), "nested deeper") && says(&deep(32), "nested deeper"));
    // The list, its key and the mapping around them count as well.
    let many = |values: usize| format!("a: [{}]", vec!["1"; values - 3].join(","));
    assert!(!says(&many(20_000), "more than 20000 values") && says(&many(20_001), "more than 20000 values"));
    let aliased = |times: usize| {
        let text = format!("a: &a [{}]\nb: [{}]\n", vec!["1"; 99].join(","), vec!["*a"; times].join(","));
        says(&text, "aliases expand to more than")
    };
    assert!(!aliased(49) && aliased(51));
}
