//! Auto-pause of Serverless v2 instances (fact book, sections 1.4 and 1.10).
//!
//! Only the Data API connects to a simulated instance: with a minimum of 0 ACU it is idle from the moment it is
//! up, and pauses when its time has passed. Its status stays `available`. What shows is that a change of parameter
//! values, of the group or of the capacity range resumes it, and that it runs with what was pending then.

use super::context::Context;
use super::restarts;
use super::state::{Cluster, Effect, Instance, Rds};

const DAY_MS: u64 = 24 * 3_600_000;
/// An administrative resumption keeps an instance up for at least 20 minutes (fact book, section 1.10).
const KEPT_UP_MS: u64 = 20 * 60_000;

impl Rds {
    /// Whether the instance is paused at `now` (milliseconds since the Unix epoch), by what requests have
    /// settled so far. RDS itself does not say.
    pub fn is_paused(&self, instance: &str, now: u64) -> bool {
        let member = self.instances.get(instance);
        let cluster = member.and_then(|member| self.clusters.get(&member.cluster));
        cluster.zip(member).and_then(|(cluster, member)| self.paused_since(cluster, member, now)).is_some()
    }

    /// Since when the member is paused at `now`.
    fn paused_since(&self, cluster: &Cluster, member: &Instance, now: u64) -> Option<u64> {
        let scaling = cluster.settings.scaling.as_ref().filter(|scaling| scaling.min == 0.0)?;
        let since = |member: &Instance| {
            let able = member.class == "db.serverless" && member.timeline.is_available(now);
            let idle = (member.active_at + scaling.pause_after_seconds * 1_000).max(member.kept_up_until);
            (able && idle <= now).then_some(idle)
        };
        if !member.up || member.deleting {
            return None;
        }
        if !with_writer(cluster, member) {
            return since(member);
        }
        let group = self.members(&cluster.id).into_iter().filter(|other| other.up && !other.deleting);
        let all: Option<Vec<u64>> = group.filter(|other| with_writer(cluster, other)).map(since).collect();
        all?.into_iter().max()
    }
}

/// Resumes the cluster's paused members, which then run with all parameters as they are at `at`, because of a
/// change.
pub(super) fn resume(c: &mut Context<'_>, at: u64, cluster: &str) {
    wake(c, at, cluster, KEPT_UP_MS, |_, _| true);
}

/// Resumes the writer, and the members that pause with it, because somebody connects.
pub(super) fn connect(c: &mut Context<'_>, at: u64, cluster: &str) {
    wake(c, at, cluster, 0, with_writer);
}

/// The writer and the readers of tier 0 and 1 pause together, the others each for itself.
fn with_writer(cluster: &Cluster, member: &Instance) -> bool {
    member.promotion_tier <= 1 || cluster.writer.as_deref() == Some(member.id.as_str())
}

fn wake(
    c: &mut Context<'_>,
    at: u64,
    cluster: &str,
    kept_up: u64,
    who: impl Fn(&Cluster, &Instance) -> bool,
) {
    let Some(found) = c.rds.clusters.get(cluster) else { return };
    let paused: Vec<(String, u64)> = c
        .rds
        .members(cluster)
        .into_iter()
        .filter(|member| who(found, member))
        .filter_map(|member| Some((member.id.clone(), c.rds.paused_since(found, member, at)?)))
        .collect();
    for (id, since) in paused {
        // About 15 s, and 30 s or more after a day (fact book, section 1.10); the spread is an estimate.
        let length = if at - since > DAY_MS {
            c.random.duration_within(30.0, 35.0, 60.0, (30.0, f64::MAX))
        } else {
            c.random.duration(12.0, 15.0, 20.0)
        };
        let noticed = restarts::noticed(c);
        let Some(member) = c.rds.instances.get_mut(&id) else { continue };
        member.active_at = at + length;
        member.kept_up_until = at + kept_up;
        let resource = member.resource.clone();
        // The request that resumes it is carried out by the time this is.
        c.at(at, &resource, Effect::Loaded);
        c.at(at + length + noticed, &resource, Effect::Restarted(at));
    }
}
