//! When the next restart is made, when one is believed to be over, and what is waited for: the judgement of
//! `parameter_sync`, look by look.

use auroraml_core::base::{Change, Id, Live, Outputs, State, To};
use auroraml_core::kinds::catalog;
use auroraml_core::members::restart::FailedOver;
use auroraml_core::members::{Impact, Interruption, Member, Seconds, Topology};
use auroraml_core::resource::{Past, Sight, Verdict};
use serde_json::{Value, json};

const NOW: u64 = 1_000_000_000;
/// Milliseconds during which AWS may still show what was.
const LAG: u64 = 90_000;
/// When the step asked for a restart.
const ASKED: u64 = NOW - 8_000;

const BEGIN: &str = "waiting for AWS to begin";
const SHOW: &str = "waiting for the change to show";
const QUIET: &str = "checking that no restart of an earlier run is still in progress";
const RESUMES: &str = "a paused member uses the parameters when it resumes, without a restart";

/// A writer `a` and a reader `b`, those named pending.
fn cluster(pending: &[&str]) -> Topology {
    let member = |name: &str, writer| Member {
        name: name.into(),
        writer,
        status: "available".into(),
        parameter_status: if pending.contains(&name) { "pending-reboot" } else { "in-sync" }.into(),
        own_parameter_status: "in-sync".into(),
        class: "db.r6g.large".into(),
        ..Member::default()
    };
    let members = vec![member("a", true), member("b", false)];
    Topology { status: "available".into(), members, ..Topology::default() }
}

/// After a failover to `b`, of which AWS reports that it was completed at that time.
fn failed_over(pending: &[&str], at: u64) -> Topology {
    let mut topology = cluster(pending);
    (topology.members[0].writer, topology.members[1].writer) = (false, true);
    Topology { failed_over: Some(FailedOver { to: "b".into(), at }), ..topology }
}

fn live(topology: &Topology) -> Live {
    Live {
        id: Id::new("parameter_sync", "main"),
        props: json!({"topology": topology}),
        outputs: Outputs::new(),
        state: State::Ready,
        owned: true,
    }
}

fn judged(topology: &Topology, differs: &[&str], want: &Value, past: Past) -> Verdict {
    let changes: Vec<Change> = differs
        .iter()
        .map(|path| Change { path: (*path).into(), from: json!(1), to: To::Value(json!(2)) })
        .collect();
    let live = live(topology);
    let sight = Sight { lag: LAG, want, live: &live, changes: &changes, past: &past, now: NOW };
    (catalog()["parameter_sync"].judge)(&sight)
}

fn waits(why: &str) -> Verdict {
    Verdict::Wait(why.into())
}

fn want(writer: Value) -> Value {
    json!({"strategy": "rolling", "writer": writer})
}

/// A step that asked for this a while ago, when the cluster looked so.
fn asked(impact: Impact, members: &[&str], before: &Topology, at: u64) -> Past {
    Past {
        began: NOW - 3_600_000,
        acted: Some((at, Some(live(before)))),
        acts: 1,
        interrupted: Some(Interruption {
            impact,
            what: String::new(),
            why: String::new(),
            members: members.iter().map(|name| (*name).into()).collect(),
            seconds: Seconds { usually: 30, at_worst: 60 },
        }),
        ..Past::default()
    }
}

#[test]
fn a_restart_is_over_when_what_it_was_for_is_so() {
    let readers = |before: &[&str]| asked(Impact::Readers, &["b"], &cluster(before), ASKED);
    let none = want(Value::Null);
    assert_eq!(judged(&cluster(&[]), &[], &none, readers(&["b"])), Verdict::Certain);
    // Nobody was pending before, so that nobody is now says nothing.
    assert_eq!(judged(&cluster(&[]), &[], &none, readers(&[])), waits(BEGIN));
    // Somebody else was at work before it: that long ago, it is no restart that ends now.
    let earlier = |busy_at| Past { busy_at, ..readers(&["b"]) };
    assert_eq!(judged(&cluster(&[]), &[], &none, earlier(ASKED - LAG)), Verdict::Certain);
    assert_eq!(judged(&cluster(&[]), &[], &none, earlier(ASKED - LAG + 1)), waits(BEGIN));
}

#[test]
fn a_failover_is_over_when_aws_reports_it() {
    let past = || asked(Impact::Failover, &["a", "b"], &cluster(&["a"]), ASKED);
    let place = want("b".into());
    // AWS's times are of whole seconds.
    let reported = |at| judged(&failed_over(&[], at), &[], &place, past());
    assert_eq!(reported(ASKED + 3_000), Verdict::Certain);
    assert_eq!(reported(ASKED - 999), Verdict::Certain);
    assert_eq!(reported(ASKED - 1_000), waits(BEGIN), "that was an earlier one");
    let half = Topology { failed_over: failed_over(&[], ASKED).failed_over, ..cluster(&[]) };
    assert_eq!(judged(&half, &[], &place, past()), waits(BEGIN), "another is the writer still");
    // Where the writer has a place of its own, that the parameters are applied is not enough.
    assert_eq!(judged(&cluster(&[]), &[], &place, past()), waits(BEGIN));
    assert_eq!(judged(&cluster(&[]), &[], &want(Value::Null), past()), Verdict::Certain);
    // Made, while AWS still calls the old writer pending.
    let made = judged(&failed_over(&["a"], ASKED), &["pending"], &want(Value::Null), past());
    assert_eq!(made, waits("waiting for AWS to notice the restart"));
}

#[test]
fn what_was_never_seen_is_given_up_after_the_lag() {
    let past = |at| asked(Impact::Failover, &["a", "b"], &cluster(&[]), at);
    let place = want("b".into());
    assert_eq!(judged(&cluster(&[]), &[], &place, past(NOW - LAG + 1)), waits(BEGIN));
    assert_eq!(judged(&cluster(&[]), &[], &place, past(NOW - LAG)), Verdict::Done);
    // Seen at work: a look just after our failover may still call the old writer the writer.
    let seen = Past { busy_at: NOW - 5_000, ..past(NOW - 20_000) };
    assert_eq!(judged(&cluster(&[]), &[], &place, seen.clone()), waits(SHOW));
    assert_eq!(judged(&failed_over(&[], NOW - 10_000), &[], &place, seen.clone()), Verdict::Certain);
    assert_eq!(judged(&cluster(&[]), &[], &want(Value::Null), seen), Verdict::Done);
}

#[test]
fn what_the_plan_foresees_is_waited_for() {
    let judged = |past| judged(&cluster(&[]), &[], &want(Value::Null), past);
    let young = || Past { began: NOW - LAG + 1, foreseen: true, ..Past::default() };
    assert_eq!(judged(young()), waits(SHOW));
    assert_eq!(judged(Past { began: NOW - LAG, ..young() }), Verdict::Done);
    assert_eq!(judged(Past { foreseen: false, ..young() }), Verdict::Done);
    // It differed, or was finished by an act that interrupts nobody: it has changed.
    assert_eq!(judged(Past { differed: true, ..young() }), Verdict::Certain);
    assert_eq!(judged(Past { acts: 1, acted: Some((ASKED, None)), ..young() }), Verdict::Certain);
}

/// A cluster whose members have never all run the parameters is finished by a request that interrupts nobody.
#[test]
fn an_unfinished_cluster_is_finished() {
    let judged = |past| judged(&cluster(&[]), &["finished"], &want(Value::Null), past);
    assert_eq!(judged(Past::default()), Verdict::Act(None));
    let asked = |before| Past { acted: Some((ASKED, Some(before))), acts: 1, ..Past::default() };
    assert_eq!(judged(asked(live(&cluster(&[])))), waits(BEGIN));
    assert_eq!(judged(asked(live(&cluster(&["b"])))), Verdict::Act(None));
    // Of what it is not about, the request says nothing.
    let pending = cluster(&["b"]);
    let restart = self::judged(&pending, &["pending"], &want(Value::Null), asked(live(&pending)));
    assert!(matches!(restart, Verdict::Act(Some(_))), "{restart:?}");
}

#[test]
fn restarts_of_earlier_runs_and_resumptions_are_waited_for() {
    let due = |topology: &Topology, past: Past| match judged(topology, &["pending"], &want(Value::Null), past)
    {
        Verdict::Act(Some(interruption)) => interruption.members.join(", "),
        Verdict::Wait(why) => why,
        other => panic!("{other:?}"),
    };
    let pending = cluster(&["b"]);
    let run_began = |ago| Past { run_began: NOW - ago, found: Some(live(&pending)), ..Past::default() };
    assert_eq!(due(&pending, run_began(59_999)), QUIET);
    assert_eq!(due(&pending, run_began(60_000)), "b");
    let began = |ago| Past { began: NOW - ago, found: Some(live(&cluster(&[]))), ..Past::default() };
    let mut pauses = Topology { pauses: true, ..pending.clone() };
    assert_eq!(due(&pauses, began(10_000)), "b", "only Serverless v2 members pause");
    pauses.members[1].class = "db.serverless".into();
    assert_eq!(due(&pauses, began(89_999)), RESUMES);
    assert_eq!(due(&pauses, began(90_000)), "b");
    assert_eq!(due(&pauses, Past { busy_at: NOW - 80_000, ..began(90_000) }), RESUMES);
    assert_eq!(due(&Topology { pauses: false, ..pauses }, began(10_000)), "b");
}

/// The strategy and the writer of the spec reach the choice of the next restart.
#[test]
fn the_spec_decides_who_restarts() {
    let chosen = |topology: &Topology, differs, want: &Value| match judged(
        topology,
        &[differs],
        want,
        Past::default(),
    ) {
        Verdict::Act(Some(interruption)) => (interruption.impact, interruption.members),
        other => panic!("{other:?}"),
    };
    let both = cluster(&["a", "b"]);
    assert_eq!(chosen(&both, "pending", &want(Value::Null)), (Impact::Readers, vec!["b".to_string()]));
    let only = json!({"strategy": "writer_only", "writer": null});
    assert!(chosen(&both, "pending", &only).1.contains(&"a".to_string()));
    let moved = chosen(&cluster(&[]), "writer", &want("b".into()));
    assert_eq!(moved, (Impact::Failover, vec!["a".to_string(), "b".to_string()]));
}

#[test]
fn what_a_strategy_leaves_pending_and_a_writer_that_is_no_member_are_accepted() {
    let accepted = |strategy: &str, writer: &str, live: Value| {
        let mut want = json!({"strategy": strategy, "writer": writer, "pending": []});
        (catalog()["parameter_sync"].accept)(&mut want, &live);
        assert_eq!(want["strategy"], Value::Null);
        (want["pending"].clone(), want["writer"].clone())
    };
    let live = json!({"pending": ["a", "b"], "writer": "a", "topology": cluster(&["a", "b"])});
    assert_eq!(accepted("rolling", "b", live.clone()), (json!([]), json!("b")));
    assert_eq!(accepted("writer_only", "b", live.clone()), (json!(["b"]), json!("b")));
    assert_eq!(accepted("rolling", "gone", live), (json!([]), Value::Null));
    assert_eq!(accepted("rolling", "a", json!({"pending": []})), (json!([]), Value::Null));
}
