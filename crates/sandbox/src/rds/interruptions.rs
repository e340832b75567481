//! Who was interrupted, when and by whom: nothing that AWS tells, but what tests compare a plan with.

use super::state::Instance;
use super::{Context, Rds};
use serde::{Deserialize, Serialize};

/// As long as events.
const KEPT_MS: u64 = 14 * 24 * 3_600_000;

/// A member that did not serve for a while, or that became the writer. A paused Serverless v2 member counts as
/// one that serves: the next connection would have found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interruption {
    /// When it begins, milliseconds since the Unix epoch: some seconds after the call that causes it.
    pub at: u64,
    /// When the member serves again. `u64::MAX` while nobody knows: it is deleted, or stopped. Equal to `at`
    /// when it merely became the writer.
    pub until: u64,
    /// Identifier of the cluster.
    pub cluster: String,
    /// Identifier of the instance.
    pub member: String,
    /// It was the writer when this was decided.
    pub was_writer: bool,
    /// The operation that was called, or what AWS did by itself: `maintenance`, `promotion`, `heavy load`,
    /// or the status that a test imposed, such as `storage-full`.
    pub cause: String,
    /// Access key id of who called; empty when AWS did it by itself.
    pub caller: String,
}

/// Why something happens: a request of somebody, or AWS itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    pub cause: String,
    pub caller: String,
}

impl Origin {
    pub(super) fn aws(cause: &str) -> Origin {
        Origin { cause: cause.into(), caller: String::new() }
    }
}

impl Rds {
    /// The interruptions of the last 14 days, in the order in which they were decided. One that AWS causes when
    /// its time has come is known after the first request from then on.
    pub fn interruptions(&self) -> &[Interruption] {
        &self.interruptions
    }

    /// Forgets what is too old.
    pub(super) fn forget_interruptions(&mut self, now: u64) {
        self.interruptions.retain(|interruption| interruption.at.saturating_add(KEPT_MS) > now);
    }

    /// Notes that a member does not serve between two times, if it was there to serve at all.
    pub(super) fn interrupt(&mut self, member: &str, at: u64, until: u64, origin: &Origin) {
        let was_there = |instance: &&Instance| !instance.timeline.expects("creating", at);
        let Some(instance) = self.instances.get(member).filter(was_there) else { return };
        let cluster = instance.cluster.clone();
        let writer = self.clusters.get(&cluster).and_then(|cluster| cluster.writer.as_deref());
        self.interruptions.push(Interruption {
            at,
            until,
            member: member.to_string(),
            was_writer: writer == Some(member),
            cluster,
            cause: origin.cause.clone(),
            caller: origin.caller.clone(),
        });
    }

    /// A member that was stopped serves again at `until`.
    pub(super) fn interruption_ends(&mut self, member: &str, until: u64) {
        let mut open = self.interruptions.iter_mut().rev().filter(|found| found.member == member);
        if let Some(interruption) = open.next().filter(|found| found.until == u64::MAX) {
            interruption.until = until;
        }
    }
}

impl Context<'_> {
    /// Notes that a member does not serve between two times.
    pub(super) fn interrupt(&mut self, member: &str, at: u64, until: u64) {
        self.rds.interrupt(member, at, until, &self.origin);
    }
}
