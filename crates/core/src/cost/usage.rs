//! A guess of use: what a stack will be asked to do, which no spec says.

use super::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;

/// What can be guessed, each for one month and one stack unless it says otherwise.
pub const GUESSES: &[(&str, &str)] = &[
    ("hours_a_day", "hours per day that database, notebook and endpoints run"),
    ("acu", "average Aurora capacity units of a serverless member"),
    ("storage_gib", "GiB in the cluster; a final snapshot is as large"),
    ("io_million", "million I/O requests of the cluster"),
    ("backup_gib", "GiB of backups beyond the size of the cluster, which are free"),
    ("data_api_requests", "requests to the Data API"),
    ("nat_gb", "GB through each NAT gateway"),
    ("endpoint_gb", "GB through each interface endpoint"),
    ("bucket_gb", "GB in the bucket"),
    ("secret_calls", "reads of each secret"),
    ("predictions", "requests to each serverless endpoint"),
    ("prediction_ms", "milliseconds per request (default 100)"),
    ("sentiment_units", "units of 100 characters sent to Comprehend"),
];

/// Numbers by the names of [`GUESSES`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Usage(BTreeMap<String, Decimal>);

impl Usage {
    /// Adds one guess.
    ///
    /// # Errors
    /// When there is no such guess, or it is no number.
    pub fn set(&mut self, name: &str, number: &str) -> Result<(), String> {
        if !GUESSES.iter().any(|(known, _)| *known == name) {
            let known: Vec<&str> = GUESSES.iter().map(|(name, _)| *name).collect();
            return Err(format!("unknown estimate `{name}`; known: {}", known.join(", ")));
        }
        let number = Decimal::parse(number).ok_or_else(|| format!("`{name}`: {number} is not a number"))?;
        if name == "hours_a_day" && number > Decimal::whole(24) {
            return Err("`hours_a_day` must be at most 24".into());
        }
        self.0.insert(name.into(), number);
        Ok(())
    }

    /// Reads guesses from YAML or JSON: a mapping of names to numbers.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(&mut self, text: &str) -> Result<(), String> {
        let value: serde_json::Value =
            serde_saphyr::from_str(text).map_err(|error| format!("not valid YAML or JSON: {error}"))?;
        let Some(map) = value.as_object() else { return Err("not a mapping of estimates".into()) };
        map.iter().try_for_each(|(name, number)| match number {
            serde_json::Value::String(text) => self.set(name, text),
            number => self.set(name, &number.to_string()),
        })
    }

    pub fn get(&self, name: &str) -> Option<Decimal> {
        self.0.get(name).copied()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, Decimal)> {
        self.0.iter().map(|(name, number)| (name.as_str(), *number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_are_read() {
        let mut usage = Usage::default();
        usage.read("storage_gib: 20\nnat_gb: '1.5'\n").unwrap();
        usage.set("nat_gb", "2").unwrap();
        assert_eq!(usage.get("storage_gib"), Some(Decimal::whole(20)));
        assert_eq!(usage.get("nat_gb"), Some(Decimal::whole(2)));
        assert_eq!(usage.get("acu"), None);
        for (text, why) in [
            ("5", "not a mapping"),
            ("nat: 1", "unknown estimate `nat`"),
            ("nat_gb: -1", "not a number"),
            ("hours_a_day: 25", "at most 24"),
        ] {
            let error = usage.read(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
