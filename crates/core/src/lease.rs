//! Who may change a stack now, as a small document that all runs on it read and write. Pure.
//!
//! A holder may change things for [`HOLDS_SECONDS`] after it sent the request that gave it the lease or renewed it; another may take
//! the lease over when it has been unchanged for [`LAPSES_SECONDS`]. Neither trusts the other's clock: the first reads its own from
//! before the request, and the second the age of the object by the clock of whoever keeps it.

use crate::base::names::Place;
use serde::{Deserialize, Serialize};

/// Seconds for which a holder may change things after it asked for the lease, by its own clock.
pub const HOLDS_SECONDS: u64 = 75;
/// Age in seconds at which another may take a lease over. The difference is for clocks that do not run alike and times that are
/// told in whole seconds.
pub const LAPSES_SECONDS: u64 = 90;
/// Seconds between two renewals.
pub const RENEWS_SECONDS: u64 = 30;

/// The version of the document that this program writes.
pub const FORMAT: u32 = 1;

/// The document. Times are RFC 3339, for people: none of them is relied on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub format: u32,
    pub stack: String,
    pub account: String,
    pub region: String,
    pub state: State,
    /// How often the lease was taken: each holder has a higher count than all before it.
    pub fencing: u64,
    /// `user@host, process 123`
    pub owner: String,
    /// Tells two runs of one owner apart.
    pub run: String,
    /// `apply`, `destroy`, …
    pub command: String,
    pub since: String,
    /// When it was last written.
    pub renewed: String,
    /// When it lapses by itself, unless it is renewed.
    pub expires: String,
    /// Whether the last run that has changed something did all of what it was to do. While the lease is held that is the
    /// run before.
    pub clean: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Held,
    Free,
}

/// Who asks for a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub name: String,
    pub run: String,
    pub command: String,
}

/// What there is in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Free,
    /// A run whose lease has lapsed: it is dead, or will find out that it has lost it.
    Lapsed,
    /// A run; its lease lapses after so many seconds unless it is renewed.
    Held(u64),
}

impl Record {
    /// The document of a run that takes the lease after `last`, at these times.
    pub fn taken(place: &Place, owner: &Owner, last: Option<&Record>, now: &str, expires: &str) -> Record {
        // Of a holder that did not give it back nobody knows what it has left.
        let clean = last.is_some_and(|last| last.state == State::Free && last.clean);
        Record {
            format: FORMAT,
            stack: place.stack.clone(),
            account: place.account.clone(),
            region: place.region.clone(),
            state: State::Held,
            fencing: last.map_or(0, |last| last.fencing) + 1,
            owner: owner.name.clone(),
            run: owner.run.clone(),
            command: owner.command.clone(),
            since: now.into(),
            renewed: now.into(),
            expires: expires.into(),
            clean,
        }
    }

    #[must_use]
    pub fn renewed(&self, now: &str, expires: &str) -> Record {
        Record { renewed: now.into(), expires: expires.into(), ..self.clone() }
    }

    /// Given back. `clean` is how the run ended; none of one that changed nothing.
    #[must_use]
    pub fn freed(&self, now: &str, clean: Option<bool>) -> Record {
        let clean = clean.unwrap_or(self.clean);
        Record { state: State::Free, renewed: now.into(), expires: now.into(), clean, ..self.clone() }
    }

    /// What this document of this age in seconds comes to.
    pub fn standing(&self, age: u64) -> Standing {
        match self.state {
            State::Free => Standing::Free,
            State::Held if age >= LAPSES_SECONDS => Standing::Lapsed,
            State::Held => Standing::Held(LAPSES_SECONDS - age),
        }
    }

    /// Whether `owner` wrote it.
    pub fn is_of(&self, owner: &Owner) -> bool {
        self.run == owner.run
    }

    /// # Errors
    /// Why it cannot be used, in words.
    pub fn parse(text: &str) -> Result<Record, String> {
        let record: Record = serde_json::from_str(text).map_err(|error| format!("not a lease: {error}"))?;
        match record.format {
            FORMAT => Ok(record),
            other => Err(format!("it is a lease in format {other}, but this auroraml knows {FORMAT}")),
        }
    }

    pub fn to_text(&self) -> String {
        // Plain data: writing it cannot fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// The name of a stack's lease, below a prefix.
pub fn name(place: &Place) -> String {
    let Place { stack, region, account, .. } = place;
    format!("{account}/{region}/{stack}.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place::new("churn", "us-east-1", "111122223333")
    }

    fn owner(run: &str) -> Owner {
        Owner { name: "ci@runner".into(), run: run.into(), command: "apply".into() }
    }

    #[test]
    fn counts_rise_and_a_clean_end_is_remembered() {
        let first = Record::taken(&place(), &owner("1"), None, "t0", "t1");
        assert_eq!((first.fencing, first.clean, first.state), (1, false, State::Held));
        // It made everything; the next one finds nothing to do; the third dies; the fourth takes over.
        let second = Record::taken(&place(), &owner("2"), Some(&first.freed("t2", Some(true))), "t3", "t4");
        assert_eq!((second.fencing, second.clean), (2, true));
        let third = Record::taken(&place(), &owner("3"), Some(&second.freed("t5", None)), "t6", "t7");
        assert_eq!((third.fencing, third.clean), (3, true));
        let fourth = Record::taken(&place(), &owner("4"), Some(&third), "t8", "t9");
        assert_eq!((fourth.fencing, fourth.clean), (4, false));
        let fifth = Record::taken(&place(), &owner("5"), Some(&fourth.freed("t10", None)), "t11", "t12");
        assert!(!fifth.clean, "nobody has been clean since the third died");
        assert!(fifth.is_of(&owner("5")) && !fifth.is_of(&owner("4")));
    }

    #[test]
    fn a_lease_lapses_by_itself() {
        let held = Record::taken(&place(), &owner("1"), None, "t0", "t1");
        assert_eq!(held.standing(0), Standing::Held(LAPSES_SECONDS));
        assert_eq!(held.standing(89), Standing::Held(1));
        assert_eq!(held.standing(90), Standing::Lapsed);
        assert_eq!(held.freed("t2", None).standing(0), Standing::Free);
        // Two renewals may fail, and whoever waits never changes anything beside the holder.
        const { assert!(RENEWS_SECONDS * 2 < HOLDS_SECONDS && HOLDS_SECONDS < LAPSES_SECONDS) };
    }

    #[test]
    fn what_is_no_lease_is_told() {
        let held = Record::taken(&place(), &owner("1"), None, "t0", "t1");
        assert_eq!(Record::parse(&held.to_text()), Ok(held.clone()));
        let newer = Record { format: 2, ..held };
        assert!(Record::parse(&newer.to_text()).unwrap_err().contains("format 2"));
        assert!(Record::parse("{}").unwrap_err().contains("not a lease"));
        assert_eq!(name(&place()), "111122223333/us-east-1/churn.json");
    }
}
