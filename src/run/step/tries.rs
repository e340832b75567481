//! What was asked of AWS and how often: what AWS accepts and then reports otherwise is not asked for ever.

use auroraml_core::base::{Change, To};

/// How often the same change is asked for.
const TRIES_MAX: usize = 2;
/// How long AWS may show the state from before a change that it has accepted, in milliseconds.
const SHOWS_MS: u64 = 90_000;

/// Changes that AWS has accepted, in order, each with the time (milliseconds since the Unix epoch).
#[derive(Debug, Default)]
pub(super) struct Tries(Vec<(Vec<Change>, u64)>);

/// Whether a change is asked for once more.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Again {
    Ask,
    /// It may still show.
    Look,
    /// The text says what differs.
    Never(String),
}

/// The changes that AWS is not known to accept and not to make at times.
pub(super) fn lasting(changes: &[Change], ignored: &[&str]) -> Vec<Change> {
    let others = changes.iter().filter(|change| !ignored.iter().any(|path| change.concerns(path)));
    others.cloned().collect()
}

impl Tries {
    pub fn took(&mut self, changes: Vec<Change>, now: u64) {
        self.0.push((changes, now));
    }

    /// Whether the last request was for these changes.
    pub fn were_last(&self, changes: &[Change]) -> bool {
        self.0.last().is_some_and(|(last, _)| last == changes)
    }

    /// `ignored` are the properties whose change AWS is known to accept and not to make at times.
    pub fn again(&self, changes: &[Change], ignored: &[&str], now: u64) -> Again {
        let same: Vec<u64> = self.0.iter().filter(|(tried, _)| tried == changes).map(|(_, at)| *at).collect();
        if same.len() < TRIES_MAX || lasting(changes, ignored).is_empty() {
            return Again::Ask;
        }
        if same.last().is_some_and(|at| now.saturating_sub(*at) < SHOWS_MS) {
            return Again::Look;
        }
        let differs = changes.iter().map(|change| {
            let asked = match &change.to {
                To::Value(value) | To::KnownAfterApply(value) => value,
            };
            format!("{}: asked for {asked}, AWS says {}", change.path, change.from)
        });
        let differs: Vec<String> = differs.collect();
        Again::Never(format!(
            "AWS accepted the change {TRIES_MAX} times without effect ({}); put AWS's value in the spec, or ask AWS support",
            differs.join("; ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str) -> Vec<Change> {
        vec![Change { path: path.into(), from: "a".into(), to: To::Value("b".into()) }]
    }

    #[test]
    fn the_same_is_asked_for_twice_and_then_told() {
        let mut tries = Tries::default();
        assert_eq!(tries.again(&change("size"), &[], 0), Again::Ask);
        tries.took(change("size"), 0);
        assert_eq!(tries.again(&change("size"), &[], 1_000), Again::Ask);
        tries.took(change("size"), 1_000);
        assert_eq!(tries.again(&change("size"), &[], 90_999), Again::Look, "it may still show");
        let Again::Never(why) = tries.again(&change("size"), &[], 91_000) else { panic!("asked again") };
        assert!(why.contains("size: asked for \"b\", AWS says \"a\""), "{why}");
        assert_eq!(tries.again(&change("other"), &[], 91_000), Again::Ask, "another change");
        assert_eq!(
            tries.again(&change("size"), &["size"], 91_000),
            Again::Ask,
            "known to be ignored at times"
        );
    }
}
