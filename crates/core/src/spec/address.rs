//! A place in S3 for what outlives a stack.

use super::check::bucket_name;
use std::fmt;

/// Bytes of a prefix; a key has 1,024, and what stands after the prefix needs some of them.
const PREFIX_MAX: usize = 512;

/// `s3://bucket/prefix`; the prefix may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub bucket: String,
    /// Without slashes at its ends.
    pub prefix: String,
}

impl Address {
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Address, String> {
        let rest = text.strip_prefix("s3://").ok_or("it does not begin with s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if let Some(wrong) = bucket_name(bucket) {
            return Err(format!("invalid bucket name `{bucket}`: {wrong}"));
        }
        let prefix = prefix.trim_matches('/');
        // What needs no encoding anywhere (S3 User Guide, "Naming Amazon S3 objects", safe characters).
        let is_safe = |c: char| c.is_ascii_alphanumeric() || "/!-_.'()=".contains(c);
        if prefix.len() > PREFIX_MAX
            || !prefix.chars().all(is_safe)
            || prefix.split('/').any(|part| part == "..")
        {
            return Err(format!(
                "its prefix may have at most {PREFIX_MAX} letters, digits and / ! - _ . ' ( ) ="
            ));
        }
        Ok(Address { bucket: bucket.into(), prefix: prefix.into() })
    }

    /// The key of an object below it.
    pub fn key(&self, name: &str) -> String {
        match self.prefix.is_empty() {
            true => name.to_string(),
            false => format!("{}/{name}", self.prefix),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Address { bucket, prefix } = self;
        match prefix.is_empty() {
            true => write!(f, "s3://{bucket}"),
            false => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let parsed =
            |text: &str| Address::parse(text).map(|address| (address.to_string(), address.key("a/b.json")));
        assert_eq!(parsed("s3://ops-1").unwrap(), ("s3://ops-1".into(), "a/b.json".into()));
        assert_eq!(parsed("s3://ops-1/x/y/").unwrap(), ("s3://ops-1/x/y".into(), "x/y/a/b.json".into()));
        for wrong in ["ops", "s3://", "s3://A", "s3://ops-1/a b", "s3://ops-1/../x", "https://ops-1/x"] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }
}
