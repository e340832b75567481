//! An imagined service: it shows and answers what a test says, and keeps when it was looked at and what was asked of
//! it.

use crate::bench::Bench;
use auroraml::aws::{Aws, Class, Failure, Look};
use auroraml::kinds::AnyKind;
use auroraml::run::execute::{Report, execute};
use auroraml_core::base::{Change, Id, Live, Observed, Outputs, State};
use auroraml_core::model::Scope;
use auroraml_core::plan::plan;
use auroraml_core::resource::{Graph, PLAIN, Rules};
use auroraml_sandbox::random::Mood;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What has happened so far. Times are milliseconds since the step's run began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Story {
    pub now: u64,
    pub looks: Vec<u64>,
    /// How old the answer to each look may be, in milliseconds.
    pub ages: Vec<u64>,
    pub asked: Vec<(u64, &'static str)>,
}

impl Story {
    /// Seconds since the service was last asked for this.
    pub fn since(&self, what: &str) -> Option<u64> {
        let at = self.asked.iter().rev().find(|(_, asked)| *asked == what).map(|(at, _)| *at);
        at.map(|at| (self.now - at) / 1000)
    }
    pub fn times(&self, what: &str) -> usize {
        self.asked.iter().filter(|(_, asked)| *asked == what).count()
    }
    /// What was asked, each with the second.
    pub fn acts(&self) -> Vec<(u64, &'static str)> {
        self.asked.iter().map(|(at, what)| (at / 1000, *what)).collect()
    }
}

pub type Shows = fn(&Story) -> Option<Live>;
pub type Answers = fn(&Story, &'static str) -> Result<(), Failure>;

pub struct Imagined {
    name: &'static str,
    rules: Rules,
    shows: Shows,
    answers: Answers,
    began: u64,
    /// How long a look takes, in seconds.
    pub slowness: AtomicU64,
    pub story: Mutex<Story>,
}

pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

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
        self.name
    }
    fn rules(&self) -> Rules {
        self.rules
    }
    fn observe<'a>(&'a self, look: Look<'a>) -> Answer<'a, Vec<Live>> {
        let mut story = self.story.lock().unwrap();
        story.now = look.aws.clock.now_ms() - self.began;
        let now = story.now;
        story.looks.push(now);
        story.ages.push(now + self.began - look.as_of);
        let seen = Ok((self.shows)(&story).into_iter().collect());
        match self.slowness.load(Ordering::Relaxed) {
            0 => Box::pin(std::future::ready(seen)),
            seconds => Box::pin(async move {
                look.aws.clock.sleep(Duration::from_secs(seconds)).await;
                seen
            }),
        }
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
pub const RULES: Rules = Rules { poll_seconds: 10, effect_lag_seconds: 30, limit_minutes: 120, ..PLAIN };

pub fn accepts(_: &Story, _: &'static str) -> Result<(), Failure> {
    Ok(())
}

pub fn refuses(class: Class) -> Result<(), Failure> {
    Err(Failure { class, ..Failure::refused("ChangeThing", "not now") })
}

pub fn thing(size: u64) -> Live {
    in_state(size, State::Ready)
}

pub fn in_state(size: u64, state: State) -> Live {
    let outputs = Outputs::from([("id".into(), "thing-1".into())]);
    Live { id: Id::new("thing", "x"), props: json!({"size": size}), outputs, state, owned: true }
}

pub fn busy(size: u64, status: &str) -> Live {
    in_state(size, State::Busy(status.into()))
}

/// How it went: "done", or why it failed or was not finished.
pub struct Ended {
    pub story: Story,
    pub how: String,
}

/// A thing of size 1 is wanted.
pub fn wanted() -> Graph {
    let mut graph = Graph::default();
    graph.add(Id::new("thing", "x"), json!({"size": 1}));
    graph
}

/// A kind of this name among those of the bench.
pub fn imagine(
    bench: &mut Bench,
    name: &'static str,
    rules: Rules,
    (shows, answers): (Shows, Answers),
) -> &'static Imagined {
    let began = bench.aws.clock.now_ms();
    let (slowness, story) = (AtomicU64::new(0), Mutex::default());
    let imagined = Imagined { name, rules, shows, answers, began, slowness, story };
    let imagined: &'static Imagined = Box::leak(Box::new(imagined));
    bench.stack.kinds = bench.stack.kinds.clone().with(imagined);
    imagined
}

/// Plans with what was `found`, then carries the plan out until it ends, or until it is told to stop after `stop`
/// seconds.
pub async fn carry_out(bench: &Bench, graph: Graph, found: &[Live], stop: Option<u64>) -> Report {
    let observed: Observed = found.iter().map(|live| (live.id.clone(), live.clone())).collect();
    let catalog = bench.stack.kinds.catalog();
    let plan = plan(&graph, &observed, &catalog);
    // Whoever asks for what a plan would block is refused by the executor as well.
    assert!(!plan.is_empty(), "{:?}", plan.blocked);
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
    tokio::select! { report = run => report, () = stopping => unreachable!() }
}

/// The same for one thing of these rules.
pub async fn carried_out(
    rules: Rules,
    graph: Graph,
    found: Option<Live>,
    ways: (Shows, Answers),
    stop: Option<u64>,
) -> Ended {
    let mut bench = Bench::new(1, Mood::Calm, "us-east-1", Scope::default()).await;
    let imagined = imagine(&mut bench, "thing", rules, ways);
    let found: Vec<Live> = found.into_iter().collect();
    let report = carry_out(&bench, graph, &found, stop).await;
    let how = match (&report.failed[..], &report.interrupted[..], &report.not_started[..]) {
        ([], [], []) => "done".to_string(),
        ([(_, failure)], [], []) => failure.to_string(),
        ([], [_], []) => "interrupted".to_string(),
        other => panic!("{other:?}"),
    };
    let story = imagined.story.lock().unwrap().clone();
    Ended { story, how }
}

impl std::fmt::Debug for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:?}, looks {:?}", self.how, self.story.acts(), self.story.looks)
    }
}
