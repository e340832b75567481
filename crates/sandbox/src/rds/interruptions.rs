//! Who was interrupted, when and by whom: nothing that AWS tells, but what tests compare a plan with.

use super::state::{Instance, Interruption, Origin, Rds};

/// As long as events.
const KEPT_MS: u64 = 14 * 24 * 3_600_000;

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
