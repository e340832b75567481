//! The loop of one step, proven by a kind that only the tests know: AWS says what it likes, and when.

use crate::bench::Bench;
use auroraml::aws::{Aws, Class, Failure, Look};
use auroraml::kinds::{Calls, Deletion, Seen, Update};
use auroraml_core::base::{Id, Outputs, State};
use auroraml_core::kinds::Kind;
use auroraml_core::model::Scope;
use auroraml_core::resource::{Graph, PLAIN, Rules};
use auroraml_sandbox::random::Mood;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};

/// What the imagined service keeps. Times are milliseconds since the Unix epoch.
#[derive(Default)]
struct Service {
    size: u64,
    updated: Option<u64>,
    /// When it is seen at work, in seconds after the update: from the first to the second of each.
    busy: Vec<(u64, u64)>,
    /// When it was asked to delete the thing, which is still in use.
    deletions: Vec<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Size {
    size: u64,
}

struct Thing(Arc<Mutex<Service>>);

impl Kind for Thing {
    const NAME: &'static str = "thing";
    const RULES: Rules =
        Rules { poll_seconds: 5, stable_looks: 2, effect_lag_seconds: 0, limit_minutes: 90, ..PLAIN };
    type Props = Size;
}

impl Calls for Thing {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Size>>, Failure> {
        let (service, now) = (self.0.lock().unwrap(), look.aws.clock.now_ms());
        let since = service.updated.map(|at| now - at);
        let is_busy = since
            .is_some_and(|at| service.busy.iter().any(|(from, to)| (from * 1000..to * 1000).contains(&at)));
        let state = if is_busy { State::Busy("changing".into()) } else { State::Ready };
        let props = Size { size: service.size };
        Ok(vec![Seen { name: "main".into(), props, outputs: Outputs::new(), state, owned: true }])
    }
    async fn create(&self, _: &Aws, _: &str, _: &Size) -> Result<(), Failure> {
        unreachable!("it is there")
    }
    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Size>) -> Result<(), Failure> {
        let mut service = self.0.lock().unwrap();
        (service.size, service.updated) = (update.want.size, Some(aws.clock.now_ms()));
        Ok(())
    }
    async fn delete(&self, aws: &Aws, _: &str, _: Deletion<'_, Size>) -> Result<(), Failure> {
        let mut service = self.0.lock().unwrap();
        service.deletions.push(aws.clock.now_ms());
        // Who does not wait in between would go on for ever.
        assert!(service.deletions.len() < 1_000, "asked a thousand times");
        Err(Failure { class: Class::InUse, ..Failure::refused("DeleteThing", "another thing uses it") })
    }
}

/// A bench with the thing, and what it is about.
async fn bench(busy: &[(u64, u64)]) -> (Bench, Arc<Mutex<Service>>) {
    let service = Arc::new(Mutex::new(Service { size: 1, busy: busy.to_vec(), ..Service::default() }));
    let mut bench = Bench::new(1, Mood::Calm, "us-east-1", Scope::default()).await;
    bench.stack.kinds = bench.stack.kinds.with(Box::leak(Box::new(Thing(service.clone()))));
    (bench, service)
}

/// AWS shows what was asked for before it begins with it, and once more in between.
#[tokio::test(start_paused = true)]
async fn one_good_look_is_not_believed() {
    let (bench, service) = bench(&[(7, 62), (66, 90)]).await;
    let mut graph = Graph::default();
    graph.add(Id::new("thing", "main"), Size { size: 2 });
    let report = bench.run(&graph).await;
    assert!(report.is_complete(), "{report:?}");
    let seconds = (bench.aws.clock.now_ms() - service.lock().unwrap().updated.unwrap()) / 1000;
    assert!((90..110).contains(&seconds), "believed after {seconds} s\n{}", bench.recorder.text());
}

/// What is still in use is asked for quickly at first and slowly then, and given up after an hour.
#[tokio::test(start_paused = true)]
async fn what_is_in_use_is_not_asked_for_quickly_for_ever() {
    let (bench, service) = bench(&[]).await;
    let failure = bench.failure(&Graph::default()).await;
    assert_eq!(failure, "another thing uses it");
    let asked = service.lock().unwrap().deletions.clone();
    let seconds: Vec<u64> = asked.windows(2).map(|two| (two[1] - two[0]) / 1000).collect();
    let (quick, slow) = seconds.split_at(8);
    assert!(quick.iter().all(|pause| *pause <= 5), "{quick:?}");
    assert!(slow.iter().all(|pause| (14..=16).contains(pause)), "{slow:?}");
    assert_eq!((asked[asked.len() - 1] - asked[0]) / 60_000, 60, "given up after an hour");
}
