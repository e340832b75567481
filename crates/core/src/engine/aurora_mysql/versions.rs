//! Versions of Aurora MySQL as a spec may write them.

use crate::engine::{Asked, Refusal};

const HINT: &str = "write `8.0`, `8.4`, or an Aurora version such as `3.10`";

/// Reads an Aurora MySQL version, or a prefix of one (fact book, section 1.1).
pub fn asked(text: &str) -> Result<Asked, Refusal> {
    let unknown = || Refusal { message: format!("`{text}` is not an Aurora MySQL version"), hint: HINT };
    let (mysql, aurora) = match text.split_once(".mysql_aurora") {
        Some((mysql, "")) => (mysql, None),
        Some((mysql, rest)) => (mysql, Some(rest.strip_prefix('.').ok_or_else(unknown)?)),
        None => match text.split('.').next() {
            Some("3") => ("8.0", Some(text)),
            Some("2") => ("5.7", Some(text)),
            Some("8") if text.starts_with("8.4.") => ("8.4", Some(text)),
            _ => (text, None),
        },
    };
    let numbers: Option<Vec<u32>> = match aurora {
        Some(aurora) => aurora.split('.').map(|part| part.parse().ok()).collect(),
        None => Some(Vec::new()),
    };
    let numbers = numbers.filter(|numbers| numbers.len() <= 3).ok_or_else(unknown)?;
    match (mysql, numbers.first()) {
        ("8.0", None | Some(3)) => Ok(Asked { family: "aurora-mysql8.0", numbers }),
        ("8.4", None | Some(8)) if numbers.get(1).is_none_or(|minor| *minor == 4) => {
            Ok(Asked { family: "aurora-mysql8.4", numbers })
        }
        ("8", None) => Err(Refusal {
            message: "`8` could mean 8.0 or 8.4".to_owned(),
            hint: "write `8.0` or `8.4`: they need different parameter groups",
        }),
        ("5.6" | "5.7", _) => Err(Refusal {
            message: format!(
                "`{text}`: Aurora MySQL 2 is not supported: it is in paid extended support only"
            ),
            hint: HINT,
        }),
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_and_full_versions() {
        for (text, family, numbers) in [
            ("8.0", "aurora-mysql8.0", &[][..]),
            ("3", "aurora-mysql8.0", &[3]),
            ("3.10", "aurora-mysql8.0", &[3, 10]),
            ("3.10.2", "aurora-mysql8.0", &[3, 10, 2]),
            ("8.0.mysql_aurora", "aurora-mysql8.0", &[]),
            ("8.0.mysql_aurora.3", "aurora-mysql8.0", &[3]),
            ("8.0.mysql_aurora.3.10", "aurora-mysql8.0", &[3, 10]),
            ("8.0.mysql_aurora.3.08.1", "aurora-mysql8.0", &[3, 8, 1]),
            ("8.4", "aurora-mysql8.4", &[]),
            ("8.4.7", "aurora-mysql8.4", &[8, 4, 7]),
            ("8.4.mysql_aurora.8.4.7", "aurora-mysql8.4", &[8, 4, 7]),
        ] {
            let version = asked(text).unwrap_or_else(|refusal| panic!("{text}: {}", refusal.message));
            assert_eq!((version.family, version.numbers.as_slice()), (family, numbers), "{text}");
        }
        for text in [
            "",
            "8",
            "5.7",
            "2.12",
            "5.7.mysql_aurora.2.11.3",
            "8.1",
            "9.0",
            "8.0.mysql_aurorax",
            "8.0.35",
            "8.0.mysql_aurora.4.1",
            "3.x",
            "3.1.2.3",
            "8.4.mysql_aurora.3.10",
            "latest",
            "8.0.mysql_aurora.",
        ] {
            assert!(asked(text).is_err(), "{text}");
        }
    }
    #[test]
    fn only_a_version_that_is_known_to_be_older_is_older() {
        for (text, older) in [
            ("3.06", true),
            ("3.06.1", true),
            ("8.0.mysql_aurora.3.05.2", true),
            ("3.07", false),
            ("3.10", false),
            ("3", false),
            ("8.0", false),
            ("8.4", false),
            ("8.4.7", false),
        ] {
            assert_eq!(asked(text).unwrap().older_than("3.07"), older, "{text}");
        }
    }
}
