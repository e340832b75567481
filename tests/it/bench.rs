//! Hand-built graphs against the simulated AWS: for the tests of single kinds.

use crate::harness::{Account, CANARY, Recorder};
use auroraml::aws::{Aws, Connection, Look, SecretText, simulated_config};
use auroraml::kinds::Kinds;
use auroraml::run::execute::{Report, execute};
use auroraml::stack::Stack;
use auroraml_core::base::names::{RESOURCE_TAG, STACK_TAG};
use auroraml_core::base::{Id, Observed};
use auroraml_core::model::Scope;
use auroraml_core::plan::{Plan, plan};
use auroraml_core::resource::{Deletion, Graph};
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::{Snapshot, World};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const STACK: &str = "churn";
/// Environment variable that holds a password on the bench; no other does.
pub const VARIABLE: &str = "DB_PASSWORD";

/// Local files, by path.
pub type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// One stack's view of a simulated account, whose spec is the graph that a test gives.
pub struct Bench {
    pub account: Account,
    pub stack: Stack,
    pub aws: Arc<Aws>,
    pub files: Files,
    pub recorder: Arc<Recorder>,
}

impl Bench {
    pub async fn new(seed: u64, mood: Mood, region: &str, scope: Scope) -> Bench {
        Bench::over(World::new(seed, mood), region, scope, Files::default()).await
    }

    pub async fn over(world: World, region: &str, scope: Scope, files: Files) -> Bench {
        let account = Account::over(world);
        let clock = account.sandbox.clock();
        let source = files.clone();
        let connection = Connection {
            config: simulated_config(region, account.sandbox.http_client(), &clock),
            plain_http: None,
            clock,
            files: Arc::new(move |path| {
                let found = source.lock().unwrap().get(path).cloned();
                found.ok_or_else(|| std::io::ErrorKind::NotFound.into())
            }),
            passwords: Arc::new(|name| (name == VARIABLE).then(|| SecretText::new(CANARY.into()))),
        };
        let aws = Arc::new(Aws::connect(connection, STACK, scope).await.unwrap());
        let text = format!("stack: {STACK}\nregion: {region}\n");
        let spec = Arc::new(crate::harness::spec(&text));
        let (kinds, let_go) = (Kinds::default(), BTreeSet::new());
        let stack = Stack {
            spec,
            aws: aws.clone(),
            kinds,
            let_go,
            final_snapshot: None,
            is_quiet: false,
            from_tags: false,
            origin: Default::default(),
        };
        Bench { account, stack, aws, files, recorder: Arc::default() }
    }

    /// A new run over the same world: what was asked and met before is forgotten.
    pub async fn again(&self, scope: Scope) -> Bench {
        let region = self.aws.place.region.clone();
        Bench::over(self.account.sandbox.world(), &region, scope, self.files.clone()).await
    }

    pub async fn look(&self, graph: &Graph) -> (Plan, Observed) {
        let look =
            Look { aws: &self.aws, as_of: self.aws.clock.now_ms(), only: None, inside: Default::default() };
        let observed = self.stack.kinds.observe_all(look).await.unwrap();
        (plan(graph, &observed, &self.stack.kinds.catalog()), observed)
    }

    /// Looks, and makes sure that looking changes nothing.
    pub async fn plan(&self, graph: &Graph) -> Plan {
        let before = self.account.mutations();
        let plan = self.look(graph).await.0;
        assert_eq!(self.account.mutations(), before, "looking changed something");
        plan
    }

    /// Plans once and carries it out.
    pub async fn run(&self, graph: &Graph) -> Report {
        let (plan, observed) = self.look(graph).await;
        assert!(plan.blocked.is_empty(), "blocked: {:?}", plan.blocked);
        let (_keep, stop) = tokio::sync::watch::channel(false);
        let permit = Arc::new(plan.permit(graph, &self.stack.kinds.catalog(), None));
        let recorder = self.recorder.clone();
        execute(&self.stack, graph.clone(), &plan, observed, stop, recorder, permit).await
    }

    /// Plans and carries out until nothing is left to do; returns how many rounds that took.
    pub async fn apply(&self, graph: &Graph) -> usize {
        for round in 0..4 {
            if self.plan(graph).await.is_empty() {
                return round;
            }
            let report = self.run(graph).await;
            assert!(report.is_complete(), "{:#?}\n{}", report.failed, self.recorder.text());
            self.wait(65).await;
        }
        let plan = self.plan(graph).await;
        panic!("never settled: {:#?}\n{}", plan.work().collect::<Vec<_>>(), self.recorder.text());
    }

    /// What the plan says about why it cannot be carried out.
    pub async fn blocked(&self, graph: &Graph) -> String {
        let plan = self.plan(graph).await;
        plan.blocked.iter().map(|b| format!("{}: {}; {}\n", b.id, b.why, b.hint)).collect()
    }

    /// What the one step that fails says.
    pub async fn failure(&self, graph: &Graph) -> String {
        let report = self.run(graph).await;
        let text = self.recorder.text();
        assert_eq!(report.failed.len(), 1, "{:#?}\n{text}", report.failed);
        report.failed[0].1.to_string()
    }

    pub async fn wait(&self, seconds: u64) {
        self.aws.clock.sleep(Duration::from_secs(seconds)).await;
    }

    /// Reads or changes the region's part of the world.
    pub fn region<T>(&self, look: impl FnOnce(&mut auroraml_sandbox::Region) -> T) -> T {
        let region = self.aws.place.region.clone();
        self.account.sandbox.with(|world| look(world.regions.entry(region).or_default()))
    }

    /// How often AWS accepted this operation.
    pub fn count(&self, operation: &str) -> usize {
        self.account.sandbox.with(|world| {
            let accepted = world.log.iter().filter(|entry| entry.code.is_none());
            accepted.filter(|entry| entry.operation == operation).count()
        })
    }
}

/// Applies the graph once without a fault, then takes up the work after a kill before and after each mutating
/// request; `check` judges every end. Returns the world after the run that was not killed.
pub async fn sweep(bench: &Bench, scope: &Scope, graph: &Graph, check: impl Fn(&Bench)) -> (usize, Bench) {
    let clean = bench.again(scope.clone()).await;
    clean.account.sandbox.record();
    clean.apply(graph).await;
    check(&clean);
    let region = &bench.aws.place.region;
    let points = kill_points(clean.account.sandbox.recorded());
    for KillPoint { mut world, what } in points.kept {
        world.now += 1_000;
        let next = Bench::over(world, region, scope.clone(), bench.files.clone()).await;
        println!("{what}");
        next.apply(graph).await;
        check(&next);
    }
    (points.count, clean)
}

/// What a run leaves behind that is killed at a request.
pub struct KillPoint {
    pub what: String,
    pub world: World,
}

pub struct KillPoints {
    /// Before and after each request.
    pub count: usize,
    /// Without those that leave the same behind as the one before.
    pub kept: Vec<KillPoint>,
}

/// How far apart the same world may be looked at, in milliseconds.
const SAME_MS: u64 = 150;

/// The worlds before and after each mutating request. Who dies right before one leaves mostly what the request before it
/// has left: that is taken up once.
pub fn kill_points(snapshots: Vec<Snapshot>) -> KillPoints {
    let mut points = KillPoints { count: 0, kept: Vec::new() };
    let mut last: Option<(u64, serde_json::Value)> = None;
    for (n, Snapshot { operation, before, after }) in snapshots.into_iter().enumerate() {
        for (when, world) in [("before", before), ("after", after)] {
            points.count += 1;
            let this = (world.now, content(&world));
            let is_same = |last: &(u64, serde_json::Value)| {
                when == "before" && this.0.abs_diff(last.0) <= SAME_MS && this.1 == last.1
            };
            if !last.as_ref().is_some_and(is_same) {
                let what = format!("killed {when} request {n} ({operation})");
                points.kept.push(KillPoint { what, world });
            }
            last = Some(this);
        }
    }
    points
}

/// What is in a world: neither when nor what was asked of it.
fn content(world: &World) -> serde_json::Value {
    let mut content = serde_json::json!([world.global, world.regions]);
    fn strip(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(map) => {
                map.retain(|key, _| key != "now" && key != "random");
                map.values_mut().for_each(strip);
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut content);
    content
}

/// The tags that the model gives to a resource.
pub fn tags(id: &Id) -> BTreeMap<String, String> {
    [(STACK_TAG, STACK.to_string()), (RESOURCE_TAG, id.to_string()), ("project", "churn".into())]
        .map(|(key, value)| (key.to_string(), value))
        .into()
}

/// Kind, name and options of something that goes.
type Going<'a> = (&'static str, &'a str, &'a [(&'a str, &'a str)]);

/// Nothing is wanted, and these things go with these options.
pub fn nothing(deletions: &[Going<'_>]) -> Graph {
    let mut graph = Graph::default();
    for (kind, name, options) in deletions {
        let options = options.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string()));
        graph.deletions.insert(Id::new(kind, *name), Deletion::Delete(options.collect()));
    }
    graph
}

/// The graph with one property of one resource changed.
pub fn with(graph: &Graph, id: &Id, path: &str, value: impl Into<serde_json::Value>) -> Graph {
    let mut graph = graph.clone();
    let mut place = &mut graph.resources.get_mut(id).unwrap().props;
    for part in path.split('.') {
        place = &mut place[part];
    }
    *place = value.into();
    graph
}
