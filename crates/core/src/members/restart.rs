//! Which member restarts next so that all of them run the current parameters. Pure.
//!
//! A failover restarts the old writer and the target only; a reboot restarts one member; nothing else
//! applies a pending parameter (fact book, sections 1.4 and 1.6). So the answer follows from the live
//! statuses alone, and is worked out anew after each step. Two exceptions, both of old versions: below 2.10
//! a restart of the writer restarts every member, and below 3.06 also those of a global database's
//! secondary clusters.

use super::{Effect, Impact, Interruption, Seconds};
use crate::base::Live;
use crate::engine::Engine;
pub use crate::spec::Strategy;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// What a cluster looks like now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// The cluster's own status.
    pub status: String,
    /// `aurora-mysql`
    #[serde(default)]
    pub engine: String,
    /// `8.0.mysql_aurora.3.10.2`
    pub engine_version: String,
    /// Name of the global database that it belongs to.
    pub global_cluster: Option<String>,
    /// Whether its Serverless v2 members pause when nobody uses them.
    pub pauses: bool,
    /// Whether it is being made, or was never finished: nobody uses it yet.
    #[serde(default)]
    pub unfinished: bool,
    /// The latest failover that AWS reports as completed.
    #[serde(default)]
    pub failed_over: Option<FailedOver>,
    pub members: Vec<Member>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedOver {
    /// The member that has become the writer.
    pub to: String,
    /// Milliseconds since the Unix epoch.
    pub at: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub name: String,
    pub writer: bool,
    /// Status of the DB instance.
    pub status: String,
    /// Of the DB cluster parameter group: `in-sync`, `pending-reboot`, `applying`, `failed-to-apply`, …
    pub parameter_status: String,
    /// Of the instance's own DB parameter group.
    pub own_parameter_status: String,
    pub promotion_tier: i32,
    pub class: String,
    pub zone: String,
}

/// What the spec says about restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub strategy: Strategy,
    /// The member that is to be the writer.
    pub writer: Option<String>,
    /// Why nothing may be interrupted now, if so.
    pub hold: Option<String>,
    /// Whether members may stay pending: then nothing waits for their restart.
    pub accept_pending: bool,
}

/// The next single step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Done,
    /// AWS is busy; the text says with what.
    Wait(String),
    Act(Act, Interruption),
    /// No restart will help; the text says why.
    Stuck(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Reboot(String),
    Failover(String),
}

const PENDING: &str = "pending-reboot";
const IN_SYNC: &str = "in-sync";

/// Fact book, section 8.2.
const REBOOT: Seconds = Seconds { usually: 60, at_worst: 180 };
const FAILOVER: Seconds = Seconds { usually: 30, at_worst: 60 };

/// More steps than any cluster needs: 16 members, two failovers.
const STEPS_MAX: usize = 40;

/// Whether AWS will not leave this status by itself (fact book, section 1.5).
pub fn needs_person(status: &str) -> bool {
    matches!(
        status,
        "failed"
            | "inaccessible-encryption-credentials"
            | "inaccessible-encryption-credentials-recoverable"
            | "incompatible-network"
            | "incompatible-restore"
            | "incompatible-parameters"
            | "incompatible-option-group"
            | "insufficient-capacity"
            | "restore-error"
            | "restore-failed"
            | "migration-failed"
            | "cloning-failed"
            | "storage-full"
    )
}

impl Member {
    /// Takes requests: storage-optimization and the like go on for hours (fact book, section 1.5).
    fn is_steady(&self) -> bool {
        matches!(self.status.as_str(), "available" | "storage-optimization" | "storage-config-upgrade")
    }
    /// The cluster's group and the instance's own are told apart by AWS; a restart serves both.
    fn statuses(&self) -> [&str; 2] {
        [&self.parameter_status, &self.own_parameter_status]
    }
    pub fn is_pending(&self) -> bool {
        self.statuses().contains(&PENDING)
    }
    pub fn is_in_sync(&self) -> bool {
        self.statuses() == [IN_SYNC; 2]
    }
    /// What it reports instead of `in-sync`.
    pub fn reports(&self) -> &str {
        self.statuses().into_iter().find(|status| *status != IN_SYNC).unwrap_or(IN_SYNC)
    }
    /// Relative size: within a promotion tier AWS prefers the larger reader (fact book, section 1.6).
    fn size(&self) -> u64 {
        match self.class.rsplit('.').next().unwrap_or_default() {
            "small" => 1,
            "medium" => 2,
            "large" => 4,
            "xlarge" => 8,
            // Grows with its load.
            "serverless" => 6,
            other => {
                other.trim_end_matches("xlarge").parse::<u64>().map_or(4, |times| times.saturating_mul(8))
            }
        }
    }
    fn described(&self) -> String {
        let facts = [format!("tier {}", self.promotion_tier), self.class.clone(), self.zone.clone()];
        let facts: Vec<String> = facts.into_iter().filter(|fact| !fact.is_empty()).collect();
        format!("{} ({})", self.name, facts.join(", "))
    }
    fn set(&mut self, status: &str) {
        self.parameter_status = status.into();
        self.own_parameter_status = IN_SYNC.into();
    }
}

impl Topology {
    /// What the condition that all members are in-sync tells of the cluster, if it is one.
    pub fn told_by(condition: &Live) -> Option<Topology> {
        serde_json::from_value(condition.props.get("topology")?.clone()).ok()
    }

    pub fn writer(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.writer)
    }
    fn readers(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| !member.writer)
    }
    fn names(&self) -> Vec<String> {
        self.members.iter().map(|member| member.name.clone()).collect()
    }
    /// Why readers restart with the writer, if they do.
    fn restarts_together(&self) -> Option<&'static str> {
        (Engine::named(&self.engine)?.restarts_together)(&self.engine_version)
    }
    /// The global database whose secondary clusters restart with this writer, and why.
    fn drags_along(&self) -> Option<(&str, &'static str)> {
        let global = self.global_cluster.as_deref()?;
        Some((global, (Engine::named(&self.engine)?.restarts_others)(&self.engine_version)?))
    }

    /// What an interruption comes to: nothing, where nobody uses the cluster.
    fn weighed(&self, mut interruption: Interruption) -> Interruption {
        if self.unfinished {
            interruption.impact = Impact::None;
            interruption.why += "; the cluster was never finished and is not in use yet";
        }
        interruption
    }

    /// What an interruption of the writer comes to with this engine.
    fn of_writer(&self, mut interruption: Interruption) -> Interruption {
        if let Some(why) = self.restarts_together() {
            interruption.impact = Impact::Restart;
            let others = self.names().into_iter().filter(|name| !interruption.members.contains(name));
            let others: Vec<String> = others.collect();
            interruption.members.extend(others);
            interruption.why += &format!("; {why}");
        }
        if let Some((global, why)) = self.drags_along() {
            interruption.impact = Impact::Restart;
            interruption.why += &format!(
                "; {why} the instances of all secondary clusters of the global database {global} restart with it"
            );
        }
        interruption
    }

    fn reboot(&self, member: &Member, why: &str) -> Next {
        let role = if member.writer { "writer" } else { "reader" };
        let interruption = Interruption {
            impact: if member.writer { Impact::Restart } else { Impact::Readers },
            what: format!("restart {role} {}", member.described()),
            why: why.into(),
            members: vec![member.name.clone()],
            seconds: REBOOT,
        };
        let interruption = if member.writer { self.of_writer(interruption) } else { interruption };
        Next::Act(Act::Reboot(member.name.clone()), self.weighed(interruption))
    }

    fn failover(&self, writer: &Member, target: &Member, why: &str) -> Next {
        let smaller = match target.size() < writer.size() {
            true => format!("; it is smaller than the writer's {}", writer.class),
            false => String::new(),
        };
        let interruption = self.of_writer(Interruption {
            impact: Impact::Failover,
            what: format!("fail over from {} to {}", writer.name, target.described()),
            why: format!("{why}{smaller}"),
            members: vec![writer.name.clone(), target.name.clone()],
            seconds: FAILOVER,
        });
        Next::Act(Act::Failover(target.name.clone()), self.weighed(interruption))
    }

    /// What a change with this effect interrupts at once; `None` where it interrupts nobody. `member` is the
    /// object's own name, where it is one.
    pub fn suffers(&self, effect: Effect, member: Option<&str>, why: &str) -> Option<Interruption> {
        match effect {
            Effect::RestartsAll(seconds) => Some(self.weighed(self.everyone(why, seconds))),
            Effect::RestartsMember(seconds) => self.one(member?, why, seconds),
            Effect::MemberGoes => self.without(member?).map(|interruption| self.weighed(interruption)),
            Effect::StopsAll if self.status == "stopped" => None,
            Effect::StopsAll => Some(self.weighed(self.stops())),
            Effect::None | Effect::MemberComes | Effect::Pending | Effect::ServerlessPending => None,
        }
    }

    /// AWS restarts all members at once, for a change that it makes so.
    fn everyone(&self, why: &str, seconds: Seconds) -> Interruption {
        self.of_writer(Interruption {
            impact: Impact::Restart,
            what: match self.members.len() {
                1 => "restart the only member".into(),
                count => format!("restart all {count} members at once"),
            },
            why: why.into(),
            members: self.names(),
            seconds,
        })
    }

    /// All members stop with the cluster.
    fn stops(&self) -> Interruption {
        Interruption {
            impact: Impact::Restart,
            what: match self.members.len() {
                1 => "stop the only member".into(),
                count => format!("stop all {count} members"),
            },
            why: "the stack is paused, until it is resumed".into(),
            members: self.names(),
            seconds: Seconds { usually: 0, at_worst: 0 },
        }
    }

    /// AWS restarts one member, for a change that it makes so; `None` when there is no such member.
    fn one(&self, member: &str, why: &str, seconds: Seconds) -> Option<Interruption> {
        let member = self.members.iter().find(|known| known.name == member)?;
        match self.reboot(member, why) {
            Next::Act(_, interruption) => Some(Interruption { seconds, ..interruption }),
            _ => None,
        }
    }

    /// A member goes; of the writer that is a failover. `None` when there is no such member.
    fn without(&self, member: &str) -> Option<Interruption> {
        let member = self.members.iter().find(|known| known.name == member)?;
        let gone = Interruption {
            impact: if member.writer { Impact::Failover } else { Impact::Readers },
            what: format!(
                "delete {} {}",
                if member.writer { "writer" } else { "reader" },
                member.described()
            ),
            why: "the spec no longer has it".into(),
            members: vec![member.name.clone()],
            seconds: FAILOVER,
        };
        Some(if member.writer { self.of_writer(gone) } else { gone })
    }
}

/// The next step of bringing every member to the current parameters.
pub fn next(topology: &Topology, policy: &Policy) -> Next {
    step(topology, policy, &[])
}

/// The same, where these members are in-sync now and will not be once a plan's changes are made.
fn step(topology: &Topology, policy: &Policy, later: &[String]) -> Next {
    let members = &topology.members;
    for member in members {
        if member.statuses().contains(&"failed-to-apply") {
            return Next::Stuck(format!(
                "{} reports failed-to-apply: the engine rejected a parameter value, and a reboot would not change that",
                member.name
            ));
        }
        if member.statuses().contains(&"pending-database-upgrade") {
            return Next::Stuck(format!(
                "{} reports pending-database-upgrade: its parameters need an engine upgrade, not a reboot",
                member.name
            ));
        }
    }
    if policy.strategy == Strategy::Never {
        return Next::Done;
    }
    match topology.status.as_str() {
        "available" => {}
        "stopped" => {
            return Next::Stuck(
                "the cluster is stopped; its members use the current parameters when it starts".into(),
            );
        }
        status if needs_person(status) => {
            return Next::Stuck(format!("the cluster is {status}: repair it"));
        }
        status => return Next::Wait(format!("cluster is {status}")),
    }
    // One restart at a time, and only from a state in which every member serves: so no reader is taken down
    // while another one is.
    if let Some(member) = members.iter().find(|member| needs_person(&member.status)) {
        return Next::Stuck(format!("{} is {}: repair it", member.name, member.status));
    }
    if let Some(member) = members.iter().find(|member| !member.is_steady()) {
        return Next::Wait(format!("{} is {}", member.name, member.status));
    }
    let concerned = |member: &&Member| policy.strategy != Strategy::WriterOnly || member.writer;
    if let Some(member) = members.iter().filter(concerned).find(|m| !m.is_in_sync() && !m.is_pending()) {
        return Next::Wait(format!("{} reports {}", member.name, member.reports()));
    }
    let writer = topology.writer();
    let pending_writer = writer.filter(|writer| writer.is_pending());
    let mut readers: Vec<&Member> = topology.readers().collect();
    // AWS's own order (fact book, section 1.6); where that leaves a choice, the zone that clients are used to.
    readers.sort_by_key(|reader| {
        let other_zone = writer.is_some_and(|writer| writer.zone != reader.zone);
        (reader.promotion_tier, Reverse(reader.size()), other_zone, reader.name.clone())
    });
    let waits = |member: &Member| match later.contains(&member.name) {
        true => "parameters will be pending-reboot",
        false => "parameters are pending-reboot",
    };
    // Whatever has to restart restarts with the writer, once.
    if let Some(writer) = pending_writer.filter(|_| topology.restarts_together().is_some()) {
        return match (policy.strategy, readers.first()) {
            (Strategy::Failover, Some(best)) => {
                topology.failover(writer, best, &format!("the writer's {}", waits(writer)))
            }
            _ => topology.reboot(writer, &format!("its {}", waits(writer))),
        };
    }
    match policy.strategy {
        Strategy::Never | Strategy::WriterOnly => {}
        Strategy::Failover => {
            // The target restarts with the failover, so a pending reader will do.
            if let (Some(writer), Some(best)) = (pending_writer, readers.first()) {
                let why = format!("the writer's {}; the reader restarts with it", waits(writer));
                return topology.failover(writer, best, &why);
            }
        }
        Strategy::Rolling => {}
    }
    if policy.strategy != Strategy::WriterOnly {
        // The least likely failover target first: the best one restarts last and is fresh.
        if let Some(reader) = readers.iter().rev().find(|reader| reader.is_pending()) {
            return topology.reboot(reader, &format!("its {}", waits(reader)));
        }
        if let (Some(writer), Some(best)) = (pending_writer, readers.first()) {
            let then = if later.contains(&writer.name) { " by then" } else { "" };
            let why = format!("the writer's {}, and this reader is in-sync{then}", waits(writer));
            return topology.failover(writer, best, &why);
        }
    }
    if let Some(writer) = pending_writer {
        // A cluster of one cannot fail over (fact book, section 1.6).
        let alone = if readers.is_empty() { ", and no reader can take over" } else { "" };
        return topology.reboot(writer, &format!("its {}{alone}", waits(writer)));
    }
    let back = policy.writer.as_ref().and_then(|name| readers.iter().find(|reader| reader.name == *name));
    match (writer, back) {
        (Some(writer), Some(back)) if policy.strategy != Strategy::WriterOnly => {
            topology.failover(writer, back, "the spec wants it to be the writer")
        }
        _ => Next::Done,
    }
}

/// Members that the strategy leaves pending.
pub fn left_pending(topology: &Topology, strategy: Strategy) -> Vec<String> {
    let left = topology.members.iter().filter(|member| member.is_pending());
    let left = left.filter(|member| match strategy {
        Strategy::Rolling | Strategy::Failover => false,
        Strategy::WriterOnly => !member.writer,
        Strategy::Never => true,
    });
    left.map(|member| member.name.clone()).collect()
}

/// Who will wait for a restart once the planned changes are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    AsTheyAre,
    Serverless,
    Everyone,
}

/// All steps from here to in-sync, if nothing else happens, and what the cluster looks like then.
pub fn forecast(topology: &Topology, policy: &Policy, expected: Expected) -> (Vec<Interruption>, Topology) {
    let mut topology = topology.clone();
    // A start restarts every member: what was pending is not afterwards (fact book, section 1.13).
    let sleeps = topology.status == "stopped";
    topology.status = "available".into();
    topology.members.retain(|member| member.status != "deleting");
    let mut later = Vec::new();
    for member in &mut topology.members {
        member.status = "available".into();
        let will = match expected {
            Expected::AsTheyAre => !sleeps && member.is_pending(),
            Expected::Serverless => !sleeps && member.is_pending() || member.class == "db.serverless",
            Expected::Everyone => true,
        };
        if will && (sleeps || !member.is_pending()) {
            later.push(member.name.clone());
        }
        member.set(if will { PENDING } else { IN_SYNC });
    }
    let mut interruptions = Vec::new();
    for _ in 0..STEPS_MAX {
        let Next::Act(act, interruption) = step(&topology, policy, &later) else { break };
        carry_out(&mut topology, &act);
        interruptions.push(interruption);
    }
    (interruptions, topology)
}

/// What a restart changes, if it goes well.
fn carry_out(topology: &mut Topology, act: &Act) {
    let together = topology.restarts_together().is_some();
    let of_writer = match act {
        Act::Failover(_) => true,
        Act::Reboot(name) => topology.writer().is_some_and(|writer| writer.name == *name),
    };
    for member in &mut topology.members {
        let restarts = match act {
            Act::Reboot(name) => member.name == *name,
            Act::Failover(to) => member.writer || member.name == *to,
        };
        if restarts || together && of_writer {
            member.set(IN_SYNC);
        }
        if let Act::Failover(to) = act {
            member.writer = member.name == *to;
        }
    }
}
