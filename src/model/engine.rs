//! Aurora MySQL versions: prefixes, families, and which are in standard support. Pure.

/// A version as AWS offers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// `8.0.mysql_aurora.3.10.2`
    pub version: String,
    /// `aurora-mysql8.0`
    pub family: String,
}

/// End of standard support by Aurora version, as of 2026-10 (fact book, section 1.1). Versions that are not
/// listed count as supported: new ones appear more often than this table does.
const STANDARD_SUPPORT_ENDS: &[(&str, &str)] = &[
    ("3.04", "2026-10-31"),
    ("3.08", "2026-08-31"),
    ("3.09", "2026-08-31"),
    ("3.10", "2028-04-30"),
    ("3.11", "2026-11-13"),
    ("3.12", "2027-02-17"),
    ("3.13", "2027-08-27"),
    ("8.4.7", "2027-11-30"),
    ("8.4.8", "2028-03-31"),
];

/// The Aurora part of a version: `3.10.2` of `8.0.mysql_aurora.3.10.2`.
fn aurora_version(version: &str) -> &str {
    version.split_once(".mysql_aurora.").map_or(version, |(_, aurora)| aurora)
}

/// Whether `version` begins with `prefix`, at a point: `3.1` does not match `3.10.2`. The prefix may be that
/// of the whole version or of its Aurora part.
pub fn matches(prefix: &str, version: &str) -> bool {
    let begins = |text: &str| {
        text.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || prefix.ends_with('.'))
    };
    begins(version) || begins(aurora_version(version))
}

/// Whether the version is in standard support on a day given as `YYYY-MM-DD`.
pub fn supported(version: &str, today: &str) -> bool {
    STANDARD_SUPPORT_ENDS
        .iter()
        .find(|(aurora, _)| matches(aurora, aurora_version(version)))
        .is_none_or(|(_, ends)| today <= *ends)
}

fn sort_key(version: &str) -> Vec<u32> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

/// The newest offered version that begins with `prefix` and is in standard support; where none is, the
/// newest that begins with it.
pub fn resolve<'o>(prefix: &str, offered: &'o [Offered], today: &str) -> Option<&'o Offered> {
    let candidates = || offered.iter().filter(|o| matches(prefix, &o.version));
    candidates()
        .filter(|o| supported(&o.version, today))
        .max_by_key(|o| sort_key(&o.version))
        .or_else(|| candidates().max_by_key(|o| sort_key(&o.version)))
}

/// The parameter group family of a version.
pub fn family(version: &str) -> String {
    let major: Vec<&str> = version.split('.').take(2).collect();
    format!("aurora-mysql{}", major.join("."))
}

/// Whether this is Aurora MySQL 3 from a minor version on, or 8.4.
fn at_least_three(minor: u32, version: &str) -> bool {
    match sort_key(aurora_version(version))[..] {
        [3, live, ..] => live >= minor,
        [major, ..] => major >= 8,
        [] => false,
    }
}

/// The first minor versions in which SQL has the functions of an ability (fact book, section 1.1): of Aurora MySQL
/// 2, if any, and of 3. Every 8.4 has them all.
pub fn first_with(ability: &str) -> (Option<u32>, u32) {
    match ability {
        "bedrock" => (None, 6),
        "s3" => (Some(0), 0),
        _ => (Some(7), 1),
    }
}

/// Whether SQL has the functions of an ability (`sagemaker`, `comprehend`, `s3`, `bedrock`) in this version.
pub fn has(ability: &str, version: &str) -> bool {
    let (two, three) = first_with(ability);
    match sort_key(aurora_version(version))[..] {
        // The first versions of Aurora MySQL 2 are written as MySQL's: `5.7.12`.
        [5, 7, ..] => two == Some(0),
        [2, minor, ..] => two.is_some_and(|first| minor >= first),
        _ => at_least_three(three, version),
    }
}

/// Whether a restart of the writer of a global database's primary cluster leaves the members of the others
/// alone: Aurora MySQL 3.06 and later (fact book, section 1.6).
pub fn restarts_alone(version: &str) -> bool {
    at_least_three(6, version)
}

/// Whether readers restart with the writer: before Aurora MySQL 2.10 (fact book, section 1.6). The first
/// versions of 2 and 1 are written as MySQL's: `5.7.12`, `5.6.10a`.
pub fn restarts_together(version: &str) -> bool {
    match sort_key(aurora_version(version))[..] {
        [1, ..] | [5, 6 | 7, ..] => true,
        [2, minor, ..] => minor < 10,
        _ => false,
    }
}

/// Whether `b` is a later version than `a`.
pub fn newer(b: &str, a: &str) -> bool {
    sort_key(b) > sort_key(a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered() -> Vec<Offered> {
        [
            "8.0.mysql_aurora.3.04.4",
            "8.0.mysql_aurora.3.10.2",
            "8.0.mysql_aurora.3.11.1",
            "8.0.mysql_aurora.3.9.9",
            "8.4.mysql_aurora.8.4.7",
        ]
        .map(|v| Offered { version: v.into(), family: family(v) })
        .to_vec()
    }

    #[test]
    fn a_prefix_gives_the_newest_in_standard_support() {
        let offered = offered();
        let pick = |prefix, today| resolve(prefix, &offered, today).map(|o| o.version.as_str());
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
        for (version, machine_learning, bedrock) in cases {
            assert_eq!(has("sagemaker", version), machine_learning, "{version}");
            assert_eq!(has("bedrock", version), bedrock, "{version}");
        }
    }

    #[test]
    fn families() {
        assert_eq!(family("8.0.mysql_aurora.3.10.2"), "aurora-mysql8.0");
        assert!(newer("8.0.mysql_aurora.3.10.2", "8.0.mysql_aurora.3.9.9"));
    }
}
