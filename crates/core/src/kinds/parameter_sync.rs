//! "Every member runs the current parameters": not an AWS object, but the purpose of the whole.
//!
//! Its live state is the members' statuses; its update is the next reboot or failover, chosen by
//! [`crate::members::restart`] from a fresh look.

use super::Kind;
use crate::base::Input;
use crate::members::Impact;
use crate::members::restart::{Member, Next, Policy, Strategy, Topology, next};
use crate::resource::permission::{EVERYTHING, Permission, When};
use crate::resource::{Nature, PLAIN, Past, Rules, Sight, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub struct ParameterSync;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Identifier of the cluster.
    pub cluster: Input,
    /// A wish, not a live property.
    pub strategy: Option<Strategy>,
    pub writer: Option<String>,
    /// Members that do not run the current parameters.
    pub pending: Vec<String>,
    /// Whether all members have run the parameters once: before that nobody uses the cluster.
    pub finished: bool,
    /// What the cluster looks like: a live property, never a wish.
    pub topology: Option<Topology>,
}

/// Seconds after a change of parameters within which a paused member has resumed and runs them (fact book,
/// section 1.10: a resumption takes 15 s, 30 s and more after a day; table 8.2: up to 45 s until it shows).
const RESUMES_SECONDS: u64 = 90;

/// Seconds within which a restart that was asked for shows, and within which its end does (fact book, table 8.2:
/// up to 20 and 45 s): a run that was killed may have asked for one just before this run began.
const BEGINS_SECONDS: u64 = 60;

/// The cluster in live properties.
fn topology(live: &Value) -> Option<Topology> {
    serde_json::from_value(live["topology"].clone()).ok()
}

/// Whether AWS shows what the last restart was for: a member that was pending-reboot runs the parameters, or the
/// failover is reported and its target is the writer. Then it is over, however quick it was and whether or not
/// anybody saw it at work.
fn is_over(sight: &Sight<'_>, topology: &Topology) -> bool {
    let past = sight.past;
    let (Some((at, Some(before))), Some(made)) = (&past.acted, &past.interrupted) else { return false };
    let Some(before) = self::topology(&before.props) else { return false };
    let now = |name: &String| topology.members.iter().find(|member| member.name == *name);
    let was_pending = |member: &&Member| member.is_pending() && made.members.contains(&member.name);
    let mut pending = before.members.iter().filter(was_pending).peekable();
    let applied =
        pending.peek().is_some() && pending.all(|member| now(&member.name).is_some_and(Member::is_in_sync));
    // A failover that is made for the writer's place alone leaves no other trace.
    let moved = topology.failed_over.as_ref().is_some_and(|failover| {
        // AWS's times are of whole seconds.
        failover.at + 1_000 > *at && topology.writer().is_some_and(|writer| writer.name == failover.to)
    });
    // Where somebody was at work just before, what shows now may be the end of that restart, which AWS notices late
    // (fact book, table 8.2), and the one that was asked for is still to come.
    let earlier = (1..=*at).contains(&past.busy_at) && at.saturating_sub(past.busy_at) < sight.lag;
    let applied = applied && !earlier;
    let moves = made.impact == Impact::Failover;
    let stays = sight.want["writer"].is_null();
    match moves {
        true => moved || stays && applied,
        false => applied,
    }
}

/// Whether the plan was made while a restart may have been on its way: one that a run asked for that was killed,
/// say. Where all members were in-sync then, nobody had a reason for one.
fn found_pending(past: &Past) -> bool {
    let found = past.found.as_ref().and_then(|found| topology(&found.props));
    found.is_none_or(|found| found.members.iter().any(|member| !member.is_in_sync()))
}

/// The next restart, if one is due and it is certain that none is on its way already.
fn judge(sight: &Sight<'_>) -> Verdict {
    let past = sight.past;
    let topology = topology(&sight.live.props);
    let over = topology.as_ref().is_some_and(|topology| is_over(sight, topology));
    // A restart is seen, or its time is over: that something else has changed says nothing about it.
    let restarted = past.acted.as_ref().filter(|_| past.interrupted.is_some());
    let unseen =
        restarted.is_some_and(|(at, _)| !over && sight.since(*at) < sight.lag && past.busy_at <= *at);
    if let Some(verdict) = sight.unsettled(unseen) {
        return verdict;
    }
    let wait = |why: &str| Verdict::Wait(why.into());
    let just_acted = restarted.is_some_and(|(at, _)| sight.since(past.busy_at.max(*at)) < sight.lag);
    if sight.changes.is_empty() {
        // The change before this step is that young.
        let early = past.foreseen && past.acts == 0 && !past.differed && sight.since(past.began) < sight.lag;
        // A look just after our failover may still call the old writer the writer.
        let unsure = just_acted && !over && !sight.want["writer"].is_null();
        // What was seen to differ and does so no more has changed.
        let certain = match (past.acts, &past.interrupted) {
            (0, _) => past.differed,
            (_, None) => true,
            (_, Some(_)) => over,
        };
        return match (early || unsure, certain) {
            (true, _) => wait("waiting for the change to show"),
            (false, true) => Verdict::Certain,
            (false, false) => Verdict::Done,
        };
    }
    let unfinished = sight.changes.iter().any(|change| change.path == "finished");
    if unfinished && past.interrupted.is_none() && sight.may_be_old() {
        return wait("waiting for AWS to begin");
    }
    if unfinished && sight.changes.len() == 1 {
        return Verdict::Act(None);
    }
    let strategy: Option<Strategy> =
        serde_json::from_value(sight.want["strategy"].clone()).unwrap_or_default();
    let strategy = strategy.unwrap_or_default();
    // What was `applying` when the plan was made has turned out to need a restart: the next plan shows it as held.
    let nobody_uses_it = topology.as_ref().is_some_and(|topology| topology.unfinished);
    if let Some(hold) = past.hold.as_ref().filter(|_| !nobody_uses_it) {
        return Verdict::Held(hold.clone());
    }
    if strategy == Strategy::Never {
        if unfinished {
            return Verdict::Act(None);
        }
        return Verdict::Held("`restart: never` leaves members pending-reboot".into());
    }
    let Some(topology) = topology else { return wait("waiting for the members to show") };
    let mut pending = topology.members.iter().filter(|member| member.is_pending());
    // AWS notices late that a member runs with new parameters (fact book, table 8.2): asking again at once would
    // restart it again.
    let restarted = past.interrupted.iter().flat_map(|last| &last.members).collect::<Vec<_>>();
    if just_acted && pending.clone().any(|member| restarted.contains(&&member.name)) {
        return wait("waiting for AWS to notice the restart");
    }
    // A start restarts every member, and AWS notices that late (fact book, section 1.13 and table 8.2).
    let was_asleep = past.found.as_ref().and_then(|found| self::topology(&found.props));
    let was_asleep = was_asleep.is_some_and(|found| found.status == "stopped");
    if was_asleep && past.acts == 0 && sight.since(past.began.max(past.busy_at)) < sight.lag {
        return wait("waiting for AWS to notice the start");
    }
    // A paused member that a change of parameters wakes runs them without a restart.
    let wakes = topology.pauses && pending.any(|member| member.class == "db.serverless");
    // Where a lease tells that the last run came to its end, it has left no restart on its way.
    let quiet =
        if found_pending(past) && !past.is_quiet { past.run_began.max(past.busy_at) } else { past.busy_at };
    if past.acts == 0 && sight.since(quiet) < BEGINS_SECONDS * 1000 {
        return wait("checking that no restart of an earlier run is still in progress");
    }
    if wakes && past.acts == 0 && sight.since(past.began.max(past.busy_at)) < RESUMES_SECONDS * 1000 {
        return wait("a paused member uses the parameters when it resumes, without a restart");
    }
    let writer = sight.want["writer"].as_str().map(String::from);
    match next(&topology, &Policy { strategy, writer, ..Policy::default() }) {
        Next::Act(_, interruption) => Verdict::Act(Some(interruption)),
        Next::Wait(why) | Next::Stuck(why) => Verdict::Wait(why),
        // Something differs that no restart changes: what it is may show with the next look.
        Next::Done => wait("waiting for the members to report their parameters"),
    }
}

impl Kind for ParameterSync {
    const NAME: &'static str = "parameter_sync";
    const RULES: Rules = Rules {
        after: &[
            "cluster",
            "parameter_group",
            "group_parameters",
            "cluster_role",
            "instance",
            "group_attachment",
        ],
        nature: Nature::Condition,
        // Who is the writer, who has failed over and who was added by autoscaling: what a restart comes to by that is
        // told as interruptions, which are compared.
        passing: &[
            "outputs.members",
            "writer",
            "topology.status",
            "topology.failed_over",
            "topology.unfinished",
            "topology.members",
        ],
        accept: |want, live| {
            let strategy = std::mem::take(&mut want["strategy"]);
            // What `writer_only` leaves pending is no reason to go on.
            if strategy == "writer_only" {
                let readers = live["pending"].as_array().into_iter().flatten();
                want["pending"] = readers.filter(|member| **member != live["writer"]).cloned().collect();
            }
            // Only a member can become the writer; and of one that is gone nothing can be said.
            let known =
                topology(live).is_some_and(|t| t.members.iter().any(|member| want["writer"] == *member.name));
            if !known {
                want["writer"] = Value::Null;
            }
        },
        judge,
        poll_seconds: 10,
        // Sixteen members, one after the other, in up to three minutes each (fact book, table 8.2), and twice that.
        limit_minutes: 120,
        // The longer end of both (section 1.6): what is taken for the end here is the end of a restart.
        effect_lag_seconds: 90,
        stable_looks: 3,
        permissions: &[
            Permission::look(&["rds:DescribeDBClusters"], &["rds:cluster:*"]),
            Permission::look(&["rds:DescribeDBInstances"], &["rds:db:*"]),
            Permission::look(&["rds:DescribeEvents"], EVERYTHING),
            Permission::change(&["rds:RebootDBInstance"], &["rds:db:{own_member}"]).when(&[When::OwnTag]),
            Permission::change(&["rds:FailoverDBCluster"], &["rds:cluster:{own_cluster}"])
                .when(&[When::OwnTag]),
            Permission::change(&["rds:RebootDBInstance"], &["rds:db:{member}"]),
            Permission::change(&["rds:FailoverDBCluster"], &["rds:cluster:{existing}"]),
            Permission::change(&["rds:RemoveTagsFromResource"], &["rds:cluster:{own_cluster}"])
                .when(&[When::OwnTag, When::KeepsTags]),
        ],
        ..PLAIN
    };
    type Props = Props;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Change, Id, Live, Outputs, State, To};
    use crate::members::{Impact, Interruption, Member, Seconds};
    use crate::resource::Past;
    use serde_json::json;

    const NOW: u64 = 1_000_000_000;

    fn member(name: &str, writer: bool, pending: bool) -> Member {
        Member {
            name: name.into(),
            writer,
            status: "available".into(),
            parameter_status: if pending { "pending-reboot" } else { "in-sync" }.into(),
            own_parameter_status: "in-sync".into(),
            ..Member::default()
        }
    }

    /// The judgement of a writer and a reader that are both pending, for a step that began an hour ago.
    fn judged(past: Past, want: &Value) -> Verdict {
        let topology = Topology {
            status: "available".into(),
            members: vec![member("a", true, true), member("b", false, true)],
            ..Topology::default()
        };
        let live = Live {
            id: Id::new("parameter_sync", "main"),
            props: json!({"topology": topology}),
            outputs: Outputs::new(),
            state: State::Ready,
            owned: true,
        };
        let change = Change { path: "pending".into(), from: json!(["a", "b"]), to: To::Value(json!([])) };
        let past = Past { began: NOW - 3_600_000, ..past };
        judge(&Sight { lag: 90_000, want, live: &live, changes: &[change], past: &past, now: NOW })
    }

    fn want() -> Value {
        json!({"strategy": "rolling", "writer": null})
    }

    #[test]
    fn the_next_restart_is_due() {
        let Verdict::Act(Some(interruption)) = judged(Past::default(), &want()) else { panic!("not due") };
        assert_eq!((interruption.impact, interruption.members), (Impact::Readers, vec!["b".to_string()]));
    }

    #[test]
    fn what_is_held_says_why() {
        let hold = Some("the window is closed".to_string());
        let held = judged(Past { hold, ..Past::default() }, &want());
        assert_eq!(held, Verdict::Held("the window is closed".into()));
        let never = judged(Past::default(), &json!({"strategy": "never", "writer": null}));
        assert!(matches!(never, Verdict::Held(why) if why.contains("`restart: never`")));
    }

    #[test]
    fn nothing_is_restarted_before_it_is_certain_what_is_on_its_way() {
        let wait = |past: Past| match judged(past, &want()) {
            Verdict::Wait(why) => why,
            other => panic!("{other:?}"),
        };
        let busy = Past { busy_at: NOW - 30_000, ..Past::default() };
        assert_eq!(wait(busy), "checking that no restart of an earlier run is still in progress");
        let interrupted = Some(Interruption {
            impact: Impact::Readers,
            what: String::new(),
            why: String::new(),
            members: vec!["b".into()],
            seconds: Seconds { usually: 60, at_worst: 180 },
        });
        // Asked for a while ago, and never seen to begin.
        let unseen = Past {
            acted: Some((NOW - 60_000, None)),
            acts: 1,
            interrupted: interrupted.clone(),
            ..Past::default()
        };
        assert_eq!(wait(unseen), "waiting for AWS to begin");
        // Seen to begin and to end, and AWS still calls the member pending.
        let late = Past {
            acted: Some((NOW - 80_000, None)),
            acts: 1,
            busy_at: NOW - 20_000,
            interrupted,
            ..Past::default()
        };
        assert_eq!(wait(late), "waiting for AWS to notice the restart");
    }

    /// A member that reports in-sync right after the request: its restart was quick, unless somebody else's has
    /// just ended and this is what comes of that.
    #[test]
    fn the_end_of_somebody_elses_restart_is_not_taken_for_ours() {
        let live = |pending| Live {
            id: Id::new("parameter_sync", "main"),
            props: json!({"topology": Topology {
                status: "available".into(),
                members: vec![member("a", true, true), member("b", false, pending)],
                ..Topology::default()
            }}),
            outputs: Outputs::new(),
            state: State::Ready,
            owned: true,
        };
        let judged = |busy_at| {
            let past = Past {
                began: NOW - 3_600_000,
                acted: Some((NOW - 8_000, Some(live(true)))),
                acts: 1,
                busy_at,
                interrupted: Some(Interruption {
                    impact: Impact::Readers,
                    what: String::new(),
                    why: String::new(),
                    members: vec!["b".into()],
                    seconds: Seconds { usually: 60, at_worst: 180 },
                }),
                ..Past::default()
            };
            let change = Change { path: "pending".into(), from: json!(["a"]), to: To::Value(json!([])) };
            let (want, live, lag) = (want(), live(false), 90_000);
            judge(&Sight { lag, want: &want, live: &live, changes: &[change], past: &past, now: NOW })
        };
        assert!(matches!(judged(0), Verdict::Act(Some(_))), "{:?}", judged(0));
        assert_eq!(judged(NOW - 11_000), Verdict::Wait("waiting for AWS to begin".into()));
    }

    /// Where all members were in-sync when the plan was made, no earlier run had a reason to restart one.
    #[test]
    fn quiet_only_where_a_restart_may_be_on_its_way() {
        let found = |pending| Live {
            id: Id::new("parameter_sync", "main"),
            props: json!({"topology": Topology { members: vec![member("a", true, pending)], ..Topology::default() }}),
            outputs: Outputs::new(),
            state: State::Ready,
            owned: true,
        };
        let past = |pending| Past { run_began: NOW - 10_000, found: Some(found(pending)), ..Past::default() };
        let verdict = judged(past(true), &want());
        assert_eq!(
            verdict,
            Verdict::Wait("checking that no restart of an earlier run is still in progress".into())
        );
        assert!(matches!(judged(past(false), &want()), Verdict::Act(Some(_))));
        // A lease tells that the last run came to its end.
        let known = Past { is_quiet: true, ..past(true) };
        assert!(matches!(judged(known, &want()), Verdict::Act(Some(_))));
    }
}
