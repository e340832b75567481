//! Regular expressions of `AllowedPattern`. CloudFormation's are Java's; what `regex-lite` does not have of these (looking
//! around, references back) is not understood. A pattern must match the whole value (CloudFormation User Guide,
//! "Parameters").

use regex_lite::RegexBuilder;

/// Bytes of a compiled pattern.
const SIZE_MAX: usize = 1 << 20;

/// Whether the whole text matches; nothing for a pattern that is not understood.
pub(super) fn matches(pattern: &str, text: &str) -> Option<bool> {
    let whole = RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(SIZE_MAX).build().ok()?;
    Some(whole.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_of_templates() {
        for (pattern, good, bad) in [
            ("[a-zA-Z][a-zA-Z0-9]*", "admin1", "1admin"),
            ("^[a-z]{2,4}$", "abc", "abcde"),
            (r"(\d{1,3})\.(\d{1,3})/(\d{1,2})", "10.0/16", "10-0/16"),
            ("(?:dev|prod)-.+", "dev-x", "test-x"),
            (r"[\w.-]+@[^@\s]+", "a.b@c", "a b@c"),
            ("", "", "x"),
        ] {
            assert_eq!(matches(pattern, good), Some(true), "{pattern}");
            assert_eq!(matches(pattern, bad), Some(false), "{pattern}");
        }
        assert_eq!(matches("(?=x)", "x"), None, "not understood is said");
    }
}
