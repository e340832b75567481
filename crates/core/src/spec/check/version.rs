//! Engine versions as a spec may write them.

/// An Aurora MySQL version, or a prefix of one (fact book, section 1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Aurora MySQL 3, compatible with MySQL 8.0; the minor version if it is given.
    Three { minor: Option<u32> },
    /// Aurora MySQL 8.4.
    EightFour,
}

impl Version {
    /// # Errors
    /// Why it is refused, and what to write instead.
    pub fn parse(text: &str) -> Result<Version, (String, &'static str)> {
        const HINT: &str = "write `8.0`, `8.4`, or an Aurora version such as `3.10`";
        let unknown = || (format!("`{text}` is not an Aurora MySQL version"), HINT);
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
            ("8.0", None | Some(3)) => Ok(Version::Three { minor: numbers.get(1).copied() }),
            ("8.4", None | Some(8)) if numbers.get(1).is_none_or(|minor| *minor == 4) => {
                Ok(Version::EightFour)
            }
            ("8", None) => Err((
                "`8` could mean 8.0 or 8.4".to_owned(),
                "write `8.0` or `8.4`: their parameter groups are not compatible",
            )),
            ("5.6" | "5.7", _) => Err((
                format!(
                    "`{text}`: Aurora MySQL 2 is only in paid extended support, and auroraml does not know its parameters"
                ),
                HINT,
            )),
            _ => Err(unknown()),
        }
    }

    /// Whether the spec names a minor version of Aurora MySQL 3 that is older than 3.`minor`.
    pub fn before(self, minor: u32) -> bool {
        matches!(self, Version::Three { minor: Some(given) } if given < minor)
    }

    /// The DB cluster parameter group family.
    pub fn family(self) -> &'static str {
        match self {
            Version::Three { .. } => "aurora-mysql8.0",
            Version::EightFour => "aurora-mysql8.4",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_and_full_versions() {
        let three = |minor| Ok(Version::Three { minor });
        for (text, version) in [
            ("8.0", three(None)),
            ("3", three(None)),
            ("3.10", three(Some(10))),
            ("3.10.2", three(Some(10))),
            ("8.0.mysql_aurora", three(None)),
            ("8.0.mysql_aurora.3", three(None)),
            ("8.0.mysql_aurora.3.10", three(Some(10))),
            ("8.0.mysql_aurora.3.08.1", three(Some(8))),
            ("8.4", Ok(Version::EightFour)),
            ("8.4.7", Ok(Version::EightFour)),
            ("8.4.mysql_aurora.8.4.7", Ok(Version::EightFour)),
        ] {
            assert_eq!(Version::parse(text), version, "{text}");
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
            assert!(Version::parse(text).is_err(), "{text}");
        }
    }
}
