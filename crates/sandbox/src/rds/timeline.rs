//! Times: the statuses that something goes through, and a moment as RDS writes it.

use serde::{Deserialize, Serialize};

/// A status that holds from one time to another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Phase {
    pub from: u64,
    pub to: u64,
    pub status: String,
    /// It came over the object: no work waits for its end.
    #[serde(default)]
    pub imposed: bool,
}

/// The statuses that a cluster or an instance is known to go through.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timeline {
    /// What it is outside all phases: `available` or `stopped`.
    pub base: String,
    pub phases: Vec<Phase>,
}

impl Timeline {
    /// `creating` between two times, `available` from then on.
    pub fn creating(from: u64, to: u64) -> Timeline {
        let phases = vec![Phase { from, to, status: "creating".into(), imposed: false }];
        Timeline { base: "available".into(), phases }
    }

    /// The status that holds at `now`.
    pub fn status(&self, now: u64) -> &str {
        // A later decision overrides an earlier one.
        let current = self.phases.iter().rev().find(|phase| phase.from <= now && now < phase.to);
        current.map_or(&self.base, |phase| &phase.status)
    }

    /// Whether the status at `now` is `available`.
    pub fn is_available(&self, now: u64) -> bool {
        self.status(now) == "available"
    }

    /// Whether `status` is going on, or was accepted and does not show yet.
    pub fn expects(&self, status: &str, now: u64) -> bool {
        self.phases.iter().any(|phase| phase.status == status && phase.to > now)
    }

    /// When the `status` that holds at `now` ends; `None` when another one holds.
    pub fn end_of(&self, status: &str, now: u64) -> Option<u64> {
        let current = self.phases.iter().rev().find(|phase| phase.from <= now && now < phase.to);
        current.filter(|phase| phase.status == status).map(|phase| phase.to)
    }

    /// Adds a phase that begins at `from` at the earliest, and not before the work already accepted is
    /// done. Answers its beginning and its end.
    pub fn schedule(&mut self, now: u64, from: u64, duration: u64, status: &str) -> (u64, u64) {
        self.phases.retain(|phase| phase.to > now);
        let accepted = self.phases.iter().filter(|phase| !phase.imposed).map(|phase| phase.to);
        let from = accepted.max().unwrap_or(0).max(from);
        let to = from.saturating_add(duration);
        self.phases.push(Phase { from, to, status: status.into(), imposed: false });
        (from, to)
    }

    /// Adds a phase that comes from elsewhere, at a time of its own.
    pub fn impose(&mut self, from: u64, to: u64, status: &str) {
        self.phases.push(Phase { from, to, status: status.into(), imposed: true });
    }

    /// From `now` on, until further notice.
    pub fn replace(&mut self, now: u64, to: u64, status: &str) {
        self.phases = vec![Phase { from: now, to, status: status.into(), imposed: false }];
    }
}

/// A time as RDS writes it.
pub(super) fn time(ms: u64) -> String {
    let moment = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    moment.map(|moment| format!("{moment:.3}")).unwrap_or_default()
}
