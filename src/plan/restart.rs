//! Which member restarts next so that all of them run the current parameters. Pure.
//!
//! A failover restarts the old writer and the target only; a reboot restarts one member; nothing else
//! applies a pending parameter (fact book, sections 1.4 and 1.6). So the answer follows from the live
//! statuses alone, and is worked out anew after each step.

use serde::Serialize;

/// What a cluster looks like now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// The cluster's own status.
    pub status: String,
    pub members: Vec<Member>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    pub writer: bool,
    /// Status of the DB instance.
    pub status: String,
    /// `in-sync`, `pending-reboot`, `applying`, `failed-to-apply`, …
    pub parameter_status: String,
    pub promotion_tier: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Strategy {
    Rolling,
    Failover,
    WriterOnly,
    Never,
}

impl Strategy {
    pub fn named(name: &str) -> Strategy {
        match name {
            "failover" => Strategy::Failover,
            "writer_only" => Strategy::WriterOnly,
            "never" => Strategy::Never,
            _ => Strategy::Rolling,
        }
    }
}

/// The next single step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Done,
    /// AWS is busy; the text says with what.
    Wait(String),
    Reboot {
        member: String,
        why: String,
    },
    Failover {
        to: String,
        why: String,
    },
    /// No restart will help; the text says why.
    Stuck(String),
}

const PENDING: &str = "pending-reboot";
const IN_SYNC: &str = "in-sync";

fn steady(member: &Member) -> bool {
    // storage-optimization goes on for hours and takes requests (fact book, section 1.5).
    matches!(member.status.as_str(), "available" | "storage-optimization")
}

/// The next step of bringing every member to the current parameters.
pub fn next(topology: &Topology, strategy: Strategy) -> Next {
    if let Some(member) = topology.members.iter().find(|m| m.parameter_status == "failed-to-apply") {
        return Next::Stuck(format!(
            "{} reports failed-to-apply: a parameter value is not accepted by the engine, and a reboot would not change that",
            member.name
        ));
    }
    let pending = |m: &&Member| m.parameter_status == PENDING;
    if strategy == Strategy::Never {
        return Next::Done;
    }
    let writer = topology.members.iter().find(|m| m.writer);
    let concerned: Vec<&Member> = match strategy {
        Strategy::WriterOnly => writer.into_iter().collect(),
        _ => topology.members.iter().collect(),
    };
    if concerned.iter().all(|m| m.parameter_status == IN_SYNC && steady(m)) && topology.status == "available"
    {
        return Next::Done;
    }
    if topology.status != "available" {
        return Next::Wait(format!("cluster is {}", topology.status));
    }
    // One restart at a time, and only from a state in which every member serves.
    if let Some(member) = topology.members.iter().find(|m| !steady(m)) {
        return Next::Wait(format!("{} is {}", member.name, member.status));
    }
    if let Some(member) =
        concerned.iter().find(|m| m.parameter_status != IN_SYNC && m.parameter_status != PENDING)
    {
        return Next::Wait(format!("{} reports {}", member.name, member.parameter_status));
    }
    let writer_pending = writer.as_ref().is_some_and(pending);
    let mut readers: Vec<&Member> = topology.members.iter().filter(|m| !m.writer).collect();
    readers.sort_by_key(|m| (m.promotion_tier, m.name.clone()));
    match strategy {
        Strategy::WriterOnly | Strategy::Never => {}
        Strategy::Failover => {
            // The target restarts with the failover, so a pending reader will do.
            if writer_pending && let Some(best) = readers.first() {
                return Next::Failover {
                    to: best.name.clone(),
                    why: format!("moves the writer and restarts {} with it", best.name),
                };
            }
            if let Some(reader) = readers.iter().find(|m| pending(m)) {
                return reboot(reader, "reader is pending-reboot");
            }
        }
        Strategy::Rolling => {
            // The least likely failover target first: the best one then restarts last and is fresh.
            if let Some(reader) = readers.iter().rev().find(|m| pending(m)) {
                return reboot(reader, "reader is pending-reboot");
            }
            if writer_pending && let Some(best) = readers.iter().find(|m| m.parameter_status == IN_SYNC) {
                return Next::Failover {
                    to: best.name.clone(),
                    why: "the writer is pending-reboot and this reader is in-sync".into(),
                };
            }
        }
    }
    match writer {
        // A cluster of one cannot fail over (fact book, section 1.6).
        Some(writer) if writer_pending => {
            reboot(writer, "the writer is pending-reboot and nothing can take over")
        }
        _ => Next::Wait("members are settling".into()),
    }
}

fn reboot(member: &Member, why: &str) -> Next {
    Next::Reboot { member: member.name.clone(), why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(members: &[(&str, &str, i32)]) -> Topology {
        let member = |(n, (name, status, tier)): (usize, &(&str, &str, i32))| Member {
            name: (*name).into(),
            writer: n == 0,
            status: "available".into(),
            parameter_status: (*status).into(),
            promotion_tier: *tier,
        };
        Topology { status: "available".into(), members: members.iter().enumerate().map(member).collect() }
    }

    #[test]
    fn one_member_is_rebooted() {
        let next = next(&cluster(&[("w", PENDING, 1)]), Strategy::Rolling);
        assert!(matches!(next, Next::Reboot { member, .. } if member == "w"));
    }

    #[test]
    fn readers_first_then_a_failover_to_one_in_sync() {
        let mut topology = cluster(&[("w", PENDING, 1), ("a", PENDING, 0), ("b", PENDING, 2)]);
        for expected in ["b", "a"] {
            let Next::Reboot { member, .. } = next(&topology, Strategy::Rolling) else { panic!() };
            assert_eq!(member, expected);
            topology.members.iter_mut().find(|m| m.name == member).unwrap().parameter_status = IN_SYNC.into();
        }
        assert!(matches!(next(&topology, Strategy::Rolling), Next::Failover { to, .. } if to == "a"));
    }

    #[test]
    fn only_readers_pending_leaves_the_writer_alone() {
        let topology = cluster(&[("w", IN_SYNC, 1), ("a", PENDING, 1)]);
        assert!(matches!(next(&topology, Strategy::Rolling), Next::Reboot { member, .. } if member == "a"));
        assert_eq!(next(&topology, Strategy::WriterOnly), Next::Done);
        assert_eq!(next(&topology, Strategy::Never), Next::Done);
    }

    #[test]
    fn nothing_is_done_while_anything_moves() {
        let mut topology = cluster(&[("w", PENDING, 1), ("a", IN_SYNC, 1)]);
        topology.members[1].status = "backing-up".into();
        assert!(matches!(next(&topology, Strategy::Rolling), Next::Wait(_)));
        topology.members[1].status = "available".into();
        topology.status = "modifying".into();
        assert!(matches!(next(&topology, Strategy::Rolling), Next::Wait(_)));
    }

    #[test]
    fn failed_to_apply_is_never_rebooted() {
        let topology = cluster(&[("w", "failed-to-apply", 1), ("a", PENDING, 1)]);
        assert!(matches!(next(&topology, Strategy::Rolling), Next::Stuck(_)));
    }
}
