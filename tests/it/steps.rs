//! How one step goes, told by an imagined service that shows and answers what a test says: when it is looked at, what
//! is asked of it and when, and how the step ends. Simulated time; every row takes milliseconds.

use crate::bench::{Bench, nothing};
use auroraml::aws::{Aws, Class, Failure, Look};
use auroraml::kinds::AnyKind;
use auroraml::run::execute::execute;
use auroraml_core::base::{Change, Id, Live, Observed, Outputs, State};
use auroraml_core::model::Scope;
use auroraml_core::plan::plan;
use auroraml_core::resource::{Graph, PLAIN, Rules};
use auroraml_sandbox::random::Mood;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What has happened so far. Times are milliseconds since the step's run began.
#[derive(Clone, Debug, Default, PartialEq)]
struct Story {
    now: u64,
    looks: Vec<u64>,
    asked: Vec<(u64, &'static str)>,
}

impl Story {
    /// Seconds since the service was last asked for this.
    fn since(&self, what: &str) -> Option<u64> {
        let at = self.asked.iter().rev().find(|(_, asked)| *asked == what).map(|(at, _)| *at);
        at.map(|at| (self.now - at) / 1000)
    }
    fn times(&self, what: &str) -> usize {
        self.asked.iter().filter(|(_, asked)| *asked == what).count()
    }
    /// What was asked, each with the second.
    fn acts(&self) -> Vec<(u64, &'static str)> {
        self.asked.iter().map(|(at, what)| (at / 1000, *what)).collect()
    }
}

type Shows = fn(&Story) -> Option<Live>;
type Answers = fn(&Story, &'static str) -> Result<(), Failure>;

struct Imagined {
    rules: Rules,
    shows: Shows,
    answers: Answers,
    began: u64,
    story: Mutex<Story>,
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

impl Imagined {
    fn ask<'a>(&'a self, aws: &'a Aws, what: &'static str) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut story = self.story.lock().unwrap();
            story.now = aws.clock.now_ms() - self.began;
            let now = story.now;
            story.asked.push((now, what));
            (self.answers)(&story, what)
        })
    }
}

impl AnyKind for Imagined {
    fn name(&self) -> &'static str {
        "thing"
    }
    fn rules(&self) -> Rules {
        self.rules.clone()
    }
    fn observe<'a>(&'a self, look: Look<'a>) -> Answer<'a, Vec<Live>> {
        let mut story = self.story.lock().unwrap();
        story.now = look.aws.clock.now_ms() - self.began;
        let now = story.now;
        story.looks.push(now);
        Box::pin(std::future::ready(Ok((self.shows)(&story).into_iter().collect())))
    }
    fn create<'a>(&'a self, aws: &'a Aws, _: &'a str, _: Value, _: Option<&'a Live>) -> Answer<'a, ()> {
        self.ask(aws, "create")
    }
    fn update<'a>(&'a self, aws: &'a Aws, _: &'a Live, _: Value, _: &'a [Change]) -> Answer<'a, ()> {
        self.ask(aws, "update")
    }
    fn delete<'a>(&'a self, aws: &'a Aws, _: &'a Live, _: &'a BTreeMap<String, String>) -> Answer<'a, ()> {
        self.ask(aws, "delete")
    }
    fn reported<'a>(&'a self, _: &'a Aws, _: u64) -> Pin<Box<dyn Future<Output = Vec<String>> + Send + 'a>> {
        Box::pin(std::future::ready(Vec::new()))
    }
}

/// Looks every ten seconds, shows old states for thirty, and is given up after two hours.
const RULES: Rules = Rules { poll_seconds: 10, effect_lag_seconds: 30, limit_minutes: 120, ..PLAIN };

fn accepts(_: &Story, _: &'static str) -> Result<(), Failure> {
    Ok(())
}

fn refuses(class: Class) -> Result<(), Failure> {
    Err(Failure { class, ..Failure::refused("ChangeThing", "not now") })
}

fn thing(size: u64) -> Live {
    in_state(size, State::Ready)
}

fn in_state(size: u64, state: State) -> Live {
    let outputs = Outputs::from([("id".into(), "thing-1".into())]);
    Live { id: Id::new("thing", "x"), props: json!({"size": size}), outputs, state, owned: true }
}

fn busy(size: u64, status: &str) -> Live {
    in_state(size, State::Busy(status.into()))
}

/// How it went: "done", or why it failed or was not finished.
struct Ended {
    story: Story,
    how: String,
}

/// A thing of size 1 is wanted.
fn wanted() -> Graph {
    let mut graph = Graph::default();
    graph.add(Id::new("thing", "x"), json!({"size": 1}));
    graph
}

/// Plans with `found`, then carries the plan out until it ends, or until it is told to stop after `stop` seconds.
async fn carried_out(
    rules: Rules,
    graph: Graph,
    found: Option<Live>,
    (shows, answers): (Shows, Answers),
    stop: Option<u64>,
) -> Ended {
    let mut bench = Bench::new(1, Mood::Calm, "us-east-1", Scope::default()).await;
    let began = bench.aws.clock.now_ms();
    let imagined = Imagined { rules, shows, answers, began, story: Mutex::default() };
    let imagined: &'static Imagined = Box::leak(Box::new(imagined));
    bench.stack.kinds = bench.stack.kinds.with(imagined);
    let observed: Observed = found.into_iter().map(|live| (live.id.clone(), live)).collect();
    let catalog = bench.stack.kinds.catalog();
    let plan = plan(&graph, &observed, &catalog);
    assert_eq!(plan.work().count(), 1, "{:?}", plan.blocked);
    let permit = Arc::new(plan.permit(&graph, &catalog, None));
    let (order, stop_order) = tokio::sync::watch::channel(false);
    let recorder = bench.recorder.clone();
    let run = execute(&bench.stack, graph, &plan, observed, stop_order, recorder, permit);
    let stopping = async {
        match stop {
            Some(seconds) => bench.aws.clock.sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
        order.send(true).unwrap();
        std::future::pending::<()>().await;
    };
    let report = tokio::select! { report = run => report, () = stopping => unreachable!() };
    let how = match (&report.failed[..], &report.interrupted[..], &report.not_started[..]) {
        ([], [], []) => "done".to_string(),
        ([(_, failure)], [], []) => failure.to_string(),
        ([], [_], []) => "interrupted".to_string(),
        other => panic!("{other:?}"),
    };
    let story = imagined.story.lock().unwrap().clone();
    Ended { story, how }
}

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
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("it vanished after the plan was made", vec![]));
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
    assert_eq!((ended.how.as_str(), ended.story.acts()), ("it vanished after the plan was made", vec![]));
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
    assert_eq!(ended.how, "not ready after 5 minutes; last seen: modifying");
    assert_eq!(ended.story.looks.last(), Some(&310_000));
    // Every change is another one, so nothing but the number of them ends this.
    let other: Shows = |story| Some(thing(100 + story.now));
    let ended = changed(Rules { effect_lag_seconds: 0, limit_minutes: 600, ..RULES }, other, accepts).await;
    assert_eq!(ended.story.times("update"), 64);
    assert!(ended.how.starts_with("it still differs after 64 changes; last told: "), "{}", ended.how);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ours_or_cannot_change_is_left_alone() {
    // The plan saw nothing, or something else: what is there now decides.
    let ended = made(|_| Some(Live { owned: false, ..thing(2) }), accepts).await;
    let whose = "an object of this name exists and is not tagged as this stack's";
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
    // It breaks again.
    let again: Shows = |story| match story.times("delete") == 1 && story.times("create") == 0 {
        true => None,
        false => Some(in_state(1, State::Broken("it never started".into()))),
    };
    let ended = carried_out(RULES, wanted(), found.clone(), (again, accepts), None).await;
    assert_eq!(ended.how, "it has failed: it never started");
    assert_eq!(ended.story.acts().iter().map(|(_, what)| *what).collect::<Vec<_>>(), ["delete", "create"]);
    // Nothing that holds data is deleted for that, and nothing that the plan did not say is made anew.
    let keeps = Rules { holds_data: true, ..RULES };
    for (rules, found) in [(keeps, found), (RULES, Some(thing(2)))] {
        let ended = carried_out(rules, wanted(), found, (broken, accepts), None).await;
        assert_eq!((ended.how.as_str(), ended.story.acts()), ("it has failed: it never started", vec![]));
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
}

#[tokio::test(start_paused = true)]
async fn what_was_predicted_must_come_true() {
    let mut graph = Graph::default();
    graph.add(Id::new("thing", "x"), json!({"size": 1})).predict("id", "thing-0");
    let ended =
        carried_out(RULES, graph, None, (|story| story.since("create").map(|_| thing(1)), accepts), None)
            .await;
    assert_eq!(ended.how, "its id is \"thing-1\", not thing-0 as planned (a bug)");
}

impl std::fmt::Debug for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:?}, looks {:?}", self.how, self.story.acts(), self.story.looks)
    }
}
