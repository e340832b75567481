//! How one step goes, told by an imagined service that shows and answers what a test says: when it is looked at, what
//! is asked of it and when, and how the step ends. Simulated time; every row takes milliseconds.

use crate::bench::{Bench, nothing};
use crate::imagined::{
    Answers, Ended, RULES, Shows, accepts, busy, carried_out, carry_out, imagine, in_state, refuses, thing,
    wanted,
};
use auroraml::aws::Class;
use auroraml_core::base::{Id, Live, Outputs, State};
use auroraml_core::events::Event;
use auroraml_core::members::{Impact, Interruption, Seconds};
use auroraml_core::model::Scope;
use auroraml_core::resource::{Graph, Nature, Rules, Sight, Verdict};
use auroraml_sandbox::random::Mood;
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;

async fn made(shows: Shows, answers: Answers) -> Ended {
    carried_out(RULES, wanted(), None, (shows, answers), None).await
}

/// A thing of size 2 is there, and is to become one of size 1.
async fn changed(rules: Rules, shows: Shows, answers: Answers) -> Ended {
    carried_out(rules, wanted(), Some(thing(2)), (shows, answers), None).await
}

async fn removed(rules: Rules, shows: Shows, answers: Answers) -> Ended {
    let graph = nothing(&[("thing", "x", &[])]);
    carried_out(rules, graph, Some(thing(1)), (shows, answers), None).await
}

#[tokio::test(start_paused = true)]
async fn looks_come_quickly_at_first_and_then_at_the_kinds_pace() {
    let ended =
        made(|story| story.since("create").filter(|since| *since >= 45).map(|_| thing(1)), accepts).await;
    assert_eq!(ended.how, "done");
    assert_eq!(ended.story.acts(), [(0, "create")]);
    assert_eq!(ended.story.looks, [0, 500, 1_500, 3_500, 7_500, 10_000, 20_000, 30_000, 40_000, 50_000]);
    // A beat that comes right after a look, within a tenth of the pace, is left out.
    let shows: Shows = |story| story.since("create").filter(|since| *since >= 35).map(|_| thing(1));
    for (poll_seconds, looks) in [
        (8, &[0, 500, 1_500, 3_500, 7_500, 15_500, 24_000, 32_000, 40_000][..]),
        (35, &[0, 500, 1_500, 3_500, 7_500, 15_500, 31_500, 35_000]),
    ] {
        let rules = Rules { poll_seconds, ..RULES };
        let ended = carried_out(rules, wanted(), None, (shows, accepts), None).await;
        assert_eq!(ended.story.looks, looks);
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_appear_is_made_again_after_a_minute_and_a_half() {
    let ended = made(|story| (story.times("create") == 2).then(|| thing(1)), accepts).await;
    assert_eq!(ended.story.acts(), [(0, "create"), (90, "create")]);
    assert_eq!(ended.how, "done");
    // Nobody knows whether the first was made: it has the same time to appear.
    let lost: Answers =
        |story, _| if story.times("create") == 1 { refuses(Class::Ambiguous) } else { Ok(()) };
    let ended = made(|story| (story.times("create") == 2).then(|| thing(1)), lost).await;
    assert_eq!(ended.story.acts(), [(0, "create"), (90, "create")]);
    // What was refused has not been made, and needs no such time.
    let busy: Answers = |story, _| if story.times("create") == 1 { refuses(Class::Busy) } else { Ok(()) };
    let ended = made(|story| (story.times("create") == 2).then(|| thing(1)), busy).await;
    assert_eq!(ended.story.acts(), [(0, "create"), (10, "create")]);
}

#[tokio::test(start_paused = true)]
async fn what_vanishes_after_the_plan_was_made_is_not_made_in_silence() {
    let ended = changed(RULES, |_| None, accepts).await;
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("it was deleted after the plan was made", vec![]));
    assert_eq!(ended.story.looks.last(), Some(&90_000));
    // It was on its way out when the plan was made, and has gone: it is made anew, unless that loses data.
    let leaves: Shows = |story| match (story.now, story.times("create")) {
        (..20_000, 0) => Some(busy(2, "deleting")),
        (_, 0) => None,
        _ => Some(thing(1)),
    };
    let ended = changed(RULES, leaves, accepts).await;
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("done", vec![(90, "create")]));
    let ended = changed(Rules { holds_data: true, ..RULES }, leaves, accepts).await;
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("it was deleted after the plan was made", vec![]));
    // What this step has changed already is its own, and is made.
    let ended = changed(
        RULES,
        |story| match (story.times("update"), story.times("create")) {
            (0, _) => Some(thing(2)),
            (_, 0) => None,
            _ => Some(thing(1)),
        },
        accepts,
    )
    .await;
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("done", vec![(0, "update"), (90, "create")]));
}

#[tokio::test(start_paused = true)]
async fn one_good_look_is_not_enough_where_late_ones_may_follow() {
    // AWS shows what was asked for, and begins with it only then.
    let flickers: Shows = |story| match story.since("update") {
        None => Some(thing(2)),
        Some(12..60) => Some(busy(2, "modifying")),
        Some(_) => Some(thing(1)),
    };
    let (once, twice, thrice) =
        (RULES, Rules { stable_looks: 2, ..RULES }, Rules { stable_looks: 3, ..RULES });
    let ended = changed(once, flickers, accepts).await;
    assert_eq!((ended.how.as_str(), ended.story.looks.last()), ("done", Some(&500)));
    for (rules, last) in [(twice, 65_000), (thrice, 70_000)] {
        let ended = changed(rules, flickers, accepts).await;
        assert_eq!((ended.how.as_str(), ended.story.looks.last()), ("done", Some(&last)), "{ended:?}");
        assert_eq!(ended.story.acts(), [(0, "update")]);
    }
    // A look as late as the kind's pace counts.
    let late: Shows =
        |story| Some(if story.since("update").is_some_and(|since| since >= 9) { thing(1) } else { thing(2) });
    let ended = changed(twice, late, accepts).await;
    assert_eq!(ended.story.looks[4..], [7_500, 10_000, 15_000]);
    // Tags are what they are as soon as they show.
    let tagged = |tag: &str| Live { props: json!({"size": 1, "tags": {"team": tag}}), ..thing(1) };
    let mut graph = Graph::default();
    graph.add(Id::new("thing", "x"), tagged("data").props);
    let shows: Shows = |story| {
        let tag = if story.times("update") == 0 { "none" } else { "data" };
        Some(Live { props: json!({"size": 1, "tags": {"team": tag}}), ..thing(1) })
    };
    let ended = carried_out(twice, graph, Some(tagged("none")), (shows, accepts), None).await;
    assert_eq!((ended.how.as_str(), ended.story.looks), ("done", vec![0, 500]));
    // What was at work when it was found is looked at twice, though nothing was asked of it.
    let works: Shows = |story| Some(if story.now < 15_000 { busy(1, "modifying") } else { thing(1) });
    let ended = carried_out(twice, wanted(), Some(busy(1, "modifying")), (works, accepts), None).await;
    assert_eq!((ended.how.as_str(), ended.story.looks.last()), ("done", Some(&25_000)));
    // What was just made has no earlier state that could show.
    let ended = carried_out(
        Rules { stable_looks: 2, ..RULES },
        wanted(),
        None,
        (|story| story.since("create").map(|_| thing(1)), accepts),
        None,
    )
    .await;
    assert_eq!(ended.story.looks, [0, 500]);
    // It is there by now, as wanted: another run made it.
    let ended = carried_out(twice, wanted(), None, (|_| Some(thing(1)), accepts), None).await;
    assert_eq!((ended.how.as_str(), ended.story.acts(), ended.story.looks), ("done", vec![], vec![0]));
    // It was made as something else and changed then: that is a change.
    let other: Shows = |story| match (story.times("create"), story.since("update")) {
        (0, _) => None,
        (_, None) => Some(thing(2)),
        (_, Some(12..60)) => Some(busy(1, "modifying")),
        _ => Some(thing(1)),
    };
    let ended = carried_out(twice, wanted(), None, (other, accepts), None).await;
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("done", vec![(0, "create"), (0, "update")]));
    assert_eq!(ended.story.looks.last(), Some(&65_500));
}

/// Those who poll together share answers, none from before what they asked for themselves.
#[tokio::test(start_paused = true)]
async fn an_answer_may_be_half_a_pace_old_and_never_older_than_the_change() {
    let shows: Shows = |story| match (story.now, story.since("update")) {
        (..25_000, _) => Some(busy(2, "modifying")),
        (_, None) => Some(thing(2)),
        (_, Some(..15)) => Some(busy(2, "modifying")),
        _ => Some(thing(1)),
    };
    let ended = changed(RULES, shows, accepts).await;
    assert_eq!(ended.how, "done");
    assert_eq!(
        ended.story.looks[5..],
        [10_000, 20_000, 30_000, 30_500, 31_500, 33_500, 37_500, 40_000, 50_000]
    );
    assert_eq!(ended.story.ages[5..], [5_000, 5_000, 5_000, 500, 1_500, 3_500, 5_000, 5_000, 5_000]);
}

#[tokio::test(start_paused = true)]
async fn what_is_still_in_use_is_asked_for_more_and_more_slowly_and_not_for_ever() {
    let ended = removed(RULES, |_| Some(thing(1)), |_, _| refuses(Class::InUse)).await;
    let acts: Vec<u64> = ended.story.acts().iter().map(|(at, _)| *at).collect();
    assert_eq!(acts[..11], [0, 10, 20, 30, 40, 50, 60, 70, 80, 95, 110]);
    assert_eq!((acts.len(), acts.last()), (244, Some(&3605)), "an hour of patience");
    assert_eq!(ended.how, "not now");
    // A kind that is looked at more rarely keeps its own pace.
    let rare = Rules { poll_seconds: 30, ..RULES };
    let ended = removed(rare, |_| Some(thing(1)), |_, _| refuses(Class::InUse)).await;
    assert_eq!(ended.story.acts().len(), 121);
    // Neither does another refusal, which passes sooner, slow anything down.
    let ended = removed(RULES, |_| Some(thing(1)), |_, _| refuses(Class::Busy)).await;
    assert_eq!(ended.story.acts().len(), 361);
}

#[tokio::test(start_paused = true)]
async fn each_reason_has_its_own_patience() {
    for (class, seconds) in [
        (Class::Busy, 3600),
        (Class::Propagating, 240),
        (Class::Throttled, 600),
        (Class::Denied, 0),
        (Class::Quota, 0),
        (Class::Refused, 0),
    ] {
        let refused: Answers = match class {
            Class::Busy => |_, _| refuses(Class::Busy),
            Class::Propagating => |_, _| refuses(Class::Propagating),
            Class::Throttled => |_, _| refuses(Class::Throttled),
            Class::Denied => |_, _| refuses(Class::Denied),
            Class::Quota => |_, _| refuses(Class::Quota),
            _ => |_, _| refuses(Class::Refused),
        };
        let ended = changed(RULES, |_| Some(thing(2)), refused).await;
        assert_eq!(ended.how, "not now", "{class:?}");
        assert_eq!(ended.story.asked.last().map(|(at, _)| at / 1000), Some(seconds), "{class:?}");
    }
    // Another reason begins anew.
    let ended = changed(
        RULES,
        |_| Some(thing(2)),
        |story, _| refuses(if story.now < 200_000 { Class::Propagating } else { Class::Throttled }),
    )
    .await;
    assert_eq!(ended.story.asked.last().map(|(at, _)| at / 1000), Some(800));
    // So does the same reason after a request that was accepted.
    let ended = changed(
        RULES,
        |_| Some(thing(2)),
        |story, _| {
            if (200..205).contains(&(story.now / 1000)) { Ok(()) } else { refuses(Class::Propagating) }
        },
    )
    .await;
    assert_eq!(ended.story.asked.last().map(|(at, _)| at / 1000), Some(470), "{:?}", ended.story.acts());
}

#[tokio::test(start_paused = true)]
async fn a_step_has_a_limit() {
    let limited = Rules { limit_minutes: 5, ..RULES };
    let ended = changed(limited, |_| Some(busy(2, "modifying")), accepts).await;
    assert_eq!(ended.how, "not ready after 5 minutes; last status: modifying");
    assert_eq!(ended.story.looks.last(), Some(&310_000));
    // Every change is another one, so nothing but the number of them ends this.
    let other: Shows = |story| Some(thing(100 + story.now));
    let ended = changed(Rules { effect_lag_seconds: 0, limit_minutes: 600, ..RULES }, other, accepts).await;
    assert_eq!(ended.story.times("update"), 64);
    assert!(ended.how.starts_with("it still differs after 64 changes; last status: "), "{}", ended.how);
}

/// A machine that slept has not waited for AWS: neither the step's limit nor its patience is over.
#[tokio::test(start_paused = true)]
async fn the_machine_may_sleep_while_a_step_waits() {
    const HOURS: u64 = 3 * 3600;
    let limited = Rules { limit_minutes: 5, ..RULES };
    for (asleep, last) in [(60, 310_000), (61, 371_000), (HOURS, HOURS * 1000 + 310_000)] {
        let mut bench = Bench::new(1, Mood::Calm, "us-east-1", Scope::default()).await;
        let imagined = imagine(&mut bench, "thing", limited, (|_| Some(busy(2, "modifying")), accepts));
        let sleep = async {
            bench.wait(65).await;
            bench.account.sandbox.clock().suspend(Duration::from_secs(asleep));
        };
        let found = [thing(2)];
        let (report, ()) = tokio::join!(carry_out(&bench, wanted(), &found, None), sleep);
        assert_eq!(report.failed.len(), 1);
        assert_eq!(imagined.story.lock().unwrap().looks.last(), Some(&last), "{asleep} s asleep");
    }
    let mut bench = Bench::new(1, Mood::Calm, "us-east-1", Scope::default()).await;
    let refused: Answers = |_, _| refuses(Class::Propagating);
    let imagined = imagine(&mut bench, "thing", RULES, (|_| Some(thing(2)), refused));
    let sleep = async {
        bench.wait(65).await;
        bench.account.sandbox.clock().suspend(Duration::from_secs(HOURS));
    };
    let found = [thing(2)];
    let (report, ()) = tokio::join!(carry_out(&bench, wanted(), &found, None), sleep);
    assert_eq!(report.failed.len(), 1);
    let asked = imagined.story.lock().unwrap().asked.last().map(|(at, _)| at / 1000 - HOURS);
    assert_eq!(asked, Some(310), "four minutes from when it woke");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ours_or_cannot_change_is_left_alone() {
    // The plan saw nothing, or something else: what is there now decides.
    let ended = made(|_| Some(Live { owned: false, ..thing(2) }), accepts).await;
    let whose = "an object with this name exists but does not have this stack's tags";
    assert_eq!((ended.how.as_str(), ended.story.acts()), (whose, vec![]));
    let fixed = Rules { immutable: &[("size", "AWS never changes it")], ..RULES };
    let ended = carried_out(fixed, wanted(), None, (|_| Some(thing(2)), accepts), None).await;
    let why = "size differs and cannot change in place: AWS never changes it";
    assert_eq!((ended.how.as_str(), ended.story.acts()), (why, vec![]));
}

#[tokio::test(start_paused = true)]
async fn what_has_failed_is_told_or_made_anew_once() {
    let broken: Shows = |story| match (story.times("delete"), story.times("create")) {
        (0, _) => Some(in_state(1, State::Broken("it never started".into()))),
        (_, 0) => None,
        _ => Some(thing(1)),
    };
    let found = Some(in_state(1, State::Broken("it never started".into())));
    let ended = carried_out(RULES, wanted(), found.clone(), (broken, accepts), None).await;
    assert_eq!(ended.how, "done");
    assert_eq!(ended.story.acts().iter().map(|(_, what)| *what).collect::<Vec<_>>(), ["delete", "create"]);
    // AWS may show it for a while after it was deleted.
    let lingers: Shows = |story| match (story.since("delete"), story.times("create")) {
        (None | Some(..20), 0) => Some(in_state(1, State::Broken("it never started".into()))),
        (_, 0) => None,
        _ => Some(thing(1)),
    };
    let ended = carried_out(RULES, wanted(), found.clone(), (lingers, accepts), None).await;
    assert_eq!(ended.how, "done");
    assert_eq!(ended.story.acts().iter().map(|(_, what)| *what).collect::<Vec<_>>(), ["delete", "create"]);
    // It breaks again.
    let again: Shows = |story| match story.times("delete") == 1 && story.times("create") == 0 {
        true => None,
        false => Some(in_state(1, State::Broken("it never started".into()))),
    };
    let ended = carried_out(RULES, wanted(), found.clone(), (again, accepts), None).await;
    assert_eq!(ended.how, "it failed: it never started");
    assert_eq!(ended.story.acts().iter().map(|(_, what)| *what).collect::<Vec<_>>(), ["delete", "create"]);
    // Nothing that holds data is deleted for that, and nothing that the plan did not say is made anew.
    let keeps = Rules { holds_data: true, ..RULES };
    for (rules, found) in [(keeps, found), (RULES, Some(thing(2)))] {
        let ended = carried_out(rules, wanted(), found, (broken, accepts), None).await;
        assert_eq!((ended.how.as_str(), ended.story.acts()), ("it failed: it never started", vec![]));
    }
    // What AWS says has failed right after a change may be from before it.
    let late: Shows = |story| match story.since("update") {
        None | Some(..20) => Some(in_state(2, State::Ready)),
        Some(20..) => Some(in_state(2, State::Failed("no room".into()))),
    };
    let ended = changed(Rules { effect_lag_seconds: 60, ..RULES }, late, accepts).await;
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("no room", vec![(0, "update")]));
}

#[tokio::test(start_paused = true)]
async fn a_failure_from_before_the_change_is_not_believed() {
    let before = Some(in_state(2, State::Failed("no room".into())));
    let shows: Shows = |story| match story.since("update") {
        None => Some(thing(2)),
        Some(..25) => Some(thing(2)),
        Some(_) => Some(thing(1)),
    };
    let ended = carried_out(RULES, wanted(), before, (shows, accepts), None).await;
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("done", vec![(0, "update")]));
}

#[tokio::test(start_paused = true)]
async fn a_change_that_aws_undoes_is_asked_for_once_in_a_run() {
    let undone: Shows = |story| {
        let mut live = thing(2);
        if story.since("update").is_some_and(|since| since >= 40) {
            live.outputs.insert("failure".into(), "the image is gone".into());
        }
        Some(live)
    };
    let ended = changed(RULES, undone, accepts).await;
    assert_eq!(ended.how, "the image is gone");
    assert_eq!(ended.story.times("update"), 2, "{:?}", ended.story.acts());
}

#[tokio::test(start_paused = true)]
async fn an_update_that_has_not_begun_is_not_asked_for_again() {
    let slow: Shows = |story| match story.since("update") {
        None | Some(..25) => Some(thing(2)),
        Some(25..80) => Some(busy(2, "modifying")),
        Some(_) => Some(thing(1)),
    };
    let ended = changed(RULES, slow, accepts).await;
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("done", vec![(0, "update")]));
    // The answer was lost, and the change was made.
    let lost: Answers = |_, _| refuses(Class::Ambiguous);
    let ended = changed(RULES, slow, lost).await;
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("done", vec![(0, "update")]));
    // It was lost on its way there: after the time in which it would show it is asked for again.
    let never: Shows = |story| Some(if story.times("update") < 2 { thing(2) } else { thing(1) });
    let ended = changed(RULES, never, |story, _| match story.times("update") {
        1 => refuses(Class::Ambiguous),
        _ => Ok(()),
    })
    .await;
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("done", vec![(0, "update"), (30, "update")]));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_asked_for_once_and_followed_to_its_end() {
    let goes: Shows = |story| match story.since("delete") {
        None | Some(..15) => Some(thing(1)),
        Some(15..100) => Some(busy(1, "deleting")),
        Some(_) => None,
    };
    let ended = removed(RULES, goes, accepts).await;
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("done", vec![(0, "delete")]));
    // It was not begun within the time that AWS may show old states: it is asked for again.
    let ended = removed(RULES, |story| (story.times("delete") < 2).then(|| thing(1)), accepts).await;
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("done", vec![(0, "delete"), (30, "delete")]));
    // While AWS is at work on it, it is waited for.
    let busy_first: Shows = |story| match (story.now, story.times("delete")) {
        (..60_000, _) => Some(busy(1, "modifying")),
        (_, 0) => Some(thing(1)),
        _ => None,
    };
    let ended = removed(RULES, busy_first, accepts).await;
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("done", vec![(60, "delete")]));
    // Another object bears the name by now.
    let other: Shows = |_| {
        let outputs = Outputs::from([("id".into(), "thing-2".into())]);
        Some(Live { outputs, ..thing(1) })
    };
    let ended = removed(RULES, other, accepts).await;
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("done", vec![]));
}

#[tokio::test(start_paused = true)]
async fn what_goes_with_what_it_belongs_to_is_only_waited_for() {
    let mut bench = Bench::new(1, Mood::Calm, "us-east-1", Scope::default()).await;
    let parent: Shows = |story| {
        let live = Live { id: Id::new("parent", "p"), ..thing(1) };
        (story.now < 25_000).then_some(live)
    };
    let child: Shows = |story| (story.now < 60_000).then(|| thing(1));
    let parent = imagine(&mut bench, "parent", RULES, (parent, accepts));
    let child = imagine(&mut bench, "thing", Rules { dies_with: Some("parent"), ..RULES }, (child, accepts));
    let found = [thing(1), Live { id: Id::new("parent", "p"), ..thing(1) }];
    let graph = nothing(&[("parent", "p", &[]), ("thing", "x", &[])]);
    let report = carry_out(&bench, graph, &found, None).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(parent.story.lock().unwrap().acts(), [(0, "delete")]);
    let told = bench.recorder.0.lock().unwrap().clone();
    let took = told.iter().filter_map(|(_, event)| match event {
        Event::Finished { seconds, .. } => Some(*seconds),
        _ => None,
    });
    assert_eq!(took.collect::<Vec<_>>(), [30, 30], "the child's step begins when its parent has gone");
    let child = child.story.lock().unwrap();
    assert_eq!((child.acts(), child.looks.last()), (vec![], Some(&60_000)));
}

#[tokio::test(start_paused = true)]
async fn work_that_is_to_end_is_told_so_until_it_does() {
    let work = Rules { nature: Nature::Task, ..RULES };
    let shows: Shows = |story| match story.now {
        ..70_000 => Some(busy(1, "InProgress")),
        _ => Some(in_state(1, State::Broken("Stopped".into()))),
    };
    let graph = nothing(&[("thing", "x", &[])]);
    let ended = carried_out(work, graph, Some(busy(1, "InProgress")), (shows, accepts), None).await;
    assert_eq!(ended.how, "done");
    assert_eq!(ended.story.acts(), [(0, "delete"), (30, "delete"), (60, "delete")]);
}

/// Of a run that is killed something must show to the next: what shows late is made after what shows at once.
#[tokio::test(start_paused = true)]
async fn what_shows_late_is_not_made_first() {
    let late = |size: u64| Live { id: Id::new("late", "x"), ..thing(size) };
    let kept = Live { id: Id::new("thing", "kept"), ..thing(1) };
    for (found, both, second) in [(vec![], true, 40), (vec![kept.clone()], true, 0), (vec![], false, 0)] {
        let mut bench = Bench::new(1, Mood::Calm, "us-east-1", Scope::default()).await;
        let at_once: Shows = |story| match story.since("create") {
            Some(40..) => Some(thing(1)),
            Some(_) => Some(busy(1, "creating")),
            None => None,
        };
        let shows: Shows =
            |story| story.since("create").map(|_| Live { id: Id::new("late", "x"), ..thing(1) });
        let first = imagine(&mut bench, "thing", RULES, (at_once, accepts));
        let rules = Rules { appears_late: true, ..RULES };
        let last = imagine(&mut bench, "late", rules, (shows, accepts));
        let mut graph = Graph::default();
        graph.add(late(1).id, json!({"size": 1}));
        for live in &found {
            graph.add(live.id.clone(), json!({"size": 1}));
        }
        if both {
            graph.add(Id::new("thing", "x"), json!({"size": 1}));
        }
        let report = carry_out(&bench, graph, &found, None).await;
        assert!(report.is_complete(), "{report:?}");
        assert_eq!(first.story.lock().unwrap().acts().len(), usize::from(both));
        assert_eq!(last.story.lock().unwrap().acts(), [(second, "create")], "{found:?}, {both}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_ends_where_it_is_told_to_stop() {
    let never: Shows = |story| story.since("create").map(|_| busy(1, "creating"));
    let ended = carried_out(RULES, wanted(), None, (never, accepts), Some(17)).await;
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("interrupted", vec![(0, "create")]));
    assert_eq!(ended.story.looks.last(), Some(&10_000));
    // Nothing more is asked of AWS.
    let ended = carried_out(RULES, wanted(), None, (|_| None, |_, _| refuses(Class::Busy)), Some(15)).await;
    assert_eq!(
        (ended.how.as_str(), ended.story.acts()),
        ("interrupted", vec![(0, "create"), (10, "create")])
    );
    // Nor is what a look shows that was under way when the order came.
    let mut bench = Bench::new(1, Mood::Calm, "us-east-1", Scope::default()).await;
    let imagined = imagine(&mut bench, "thing", RULES, (|_| Some(thing(2)), accepts));
    imagined.slowness.store(3, Ordering::Relaxed);
    let report = carry_out(&bench, wanted(), &[thing(2)], Some(1)).await;
    assert_eq!((report.interrupted.len(), report.failed.len()), (1, 0), "{report:?}");
    assert_eq!(imagined.story.lock().unwrap().acts(), []);
}

/// What a kind's judgement is told of the looks before, and what is looked at once more before somebody is interrupted.
#[tokio::test(start_paused = true)]
async fn a_judgement_knows_the_looks_before_and_an_interruption_has_a_fresh_one() {
    let judge: fn(&Sight<'_>) -> Verdict = |sight| match (sight.changes.is_empty(), sight.past.differed) {
        (true, true) => Verdict::Certain,
        (true, false) => Verdict::Wait("it has not differed".into()),
        (false, _) => Verdict::Wait("it differs".into()),
    };
    let rules = Rules { judge, limit_minutes: 1, ..RULES };
    let comes: Shows = |story| Some(if story.now < 15_000 { thing(2) } else { thing(1) });
    let ended = changed(rules, comes, accepts).await;
    assert_eq!((ended.how.as_str(), ended.story.looks.last()), ("done", Some(&20_000)));
    let ended = changed(rules, |_| Some(thing(1)), accepts).await;
    assert_eq!(ended.how, "not ready after 1 minute; last status: it has not differed");

    let judge: fn(&Sight<'_>) -> Verdict = |sight| match sight.now - sight.past.began {
        ..20_000 => Verdict::Wait("it is early".into()),
        _ => Verdict::Act(Some(Interruption {
            impact: Impact::Restart,
            what: "restart writer orders-1".into(),
            why: "the size changes".into(),
            members: vec!["orders-1".into()],
            seconds: Seconds { usually: 10, at_worst: 20 },
        })),
    };
    let ended = changed(Rules { judge, ..RULES }, |_| Some(thing(2)), accepts).await;
    assert_eq!(ended.story.acts()[0], (20, "update"), "{ended:?}");
    assert_eq!(ended.story.looks[5..9], [10_000, 20_000, 20_000, 20_500]);
    assert_eq!(ended.story.ages[5..9], [5_000, 5_000, 0, 500]);
}

#[tokio::test(start_paused = true)]
async fn what_was_predicted_must_come_true() {
    let mut graph = Graph::default();
    graph.add(Id::new("thing", "x"), json!({"size": 1})).predict("id", "thing-0");
    let ended =
        carried_out(RULES, graph, None, (|story| story.since("create").map(|_| thing(1)), accepts), None)
            .await;
    assert_eq!(ended.how, "its id is \"thing-1\", but the plan said thing-0 (a bug)");
}
