//! Tasks in plan and executor, proven by one that only the tests know: work that takes hours, ends once, cannot be
//! deleted, and gives values to others.

use crate::bench::{Bench, STACK};
use auroraml::aws::{Aws, Class, Failure, Look};
use auroraml::kinds::{ATTEMPT, AnyKind, Calls, Deletion, Seen, Task, Update, Work};
use auroraml_core::base::{Id, Input, Outputs, State};
use auroraml_core::events::Event;
use auroraml_core::kinds::Kind;
use auroraml_core::model::Scope;
use auroraml_core::resource::{Action, Graph, Nature, PLAIN, Rules};
use auroraml_sandbox::random::Mood;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const HOUR: u64 = 3600;

/// What the imagined service keeps: it outlives every run, as AWS does.
#[derive(Default)]
struct Service {
    /// By name and attempt, as a job's name in AWS would say it.
    jobs: BTreeMap<(String, u64), Job>,
    /// Containers of each deployment.
    deployments: BTreeMap<String, Vec<Container>>,
}

struct Job {
    props: Training,
    /// Milliseconds since the Unix epoch.
    ends: u64,
    stopped: bool,
    fails: bool,
}

type Shared = Arc<Mutex<Service>>;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Container {
    image: String,
    artifact: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Training {
    data: String,
    hours: u64,
    /// Attempts that fail before one succeeds.
    failures: u64,
}

struct TrainingJob(Shared);

impl Kind for TrainingJob {
    const NAME: &'static str = "training";
    const RULES: Rules = Rules {
        nature: Nature::Task,
        poll_seconds: 60,
        limit_minutes: 24 * 60,
        typical_seconds: 2 * HOUR,
        ..PLAIN
    };
    type Props = Training;
}

impl Task for TrainingJob {
    async fn find(&self, look: Look<'_>) -> Result<Vec<Seen<Training>>, Failure> {
        let now = look.aws.clock.now_ms();
        let mut latest: BTreeMap<String, Seen<Training>> = BTreeMap::new();
        // Attempts ascend, so the last one stays.
        for ((name, attempt), job) in &self.0.lock().unwrap().jobs {
            let state = match (job.stopped, now < job.ends, job.fails) {
                (true, ..) => State::Broken("Stopped".into()),
                (_, true, _) => State::Busy("InProgress".into()),
                (_, _, true) => State::Broken("AlgorithmError: the data has no label".into()),
                (_, _, false) => State::Ready,
            };
            let artifact = format!("s3://{}/{attempt}", job.props.data);
            let containers = json!([{"image": "scaler", "artifact": artifact}, {"image": "xgboost", "artifact": artifact}]);
            let mut outputs = Outputs::from([(ATTEMPT.into(), (*attempt).into())]);
            if state == State::Ready {
                outputs.insert("containers".into(), containers);
            }
            let seen = Seen { name: name.clone(), props: job.props.clone(), outputs, state, owned: true };
            latest.insert(name.clone(), seen);
        }
        Ok(latest.into_values().filter(|seen| look.wants(&seen.name)).collect())
    }

    async fn start(&self, aws: &Aws, name: &str, want: &Training, attempt: u64) -> Result<(), Failure> {
        let job = Job {
            props: want.clone(),
            ends: aws.clock.now_ms() + want.hours * HOUR * 1000,
            stopped: false,
            fails: attempt <= want.failures,
        };
        let before = self.0.lock().unwrap().jobs.insert((name.into(), attempt), job);
        // AWS never takes a job's name twice.
        match before {
            None => Ok(()),
            Some(_) => {
                Err(Failure { class: Class::Exists, ..Failure::refused("Start", "the name is taken") })
            }
        }
    }

    async fn stop(&self, _: &Aws, name: &str, attempt: u64) -> Result<(), Failure> {
        self.0.lock().unwrap().jobs.get_mut(&(name.into(), attempt)).unwrap().stopped = true;
        Ok(())
    }
}

/// An ordinary kind that uses what the task gives: a list of mappings, not text.
struct Deployment(Shared);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Deployed {
    containers: Input<Vec<Container>>,
}

impl Kind for Deployment {
    const NAME: &'static str = "deployment";
    const RULES: Rules = Rules { after: &["training"], ..PLAIN };
    type Props = Deployed;
}

impl Calls for Deployment {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Deployed>>, Failure> {
        let service = self.0.lock().unwrap();
        let wanted = service.deployments.iter().filter(|(name, _)| look.wants(name));
        let seen = wanted.map(|(name, containers)| Seen {
            name: name.clone(),
            props: Deployed { containers: Input::Known(containers.clone()) },
            outputs: Outputs::new(),
            state: State::Ready,
            owned: true,
        });
        Ok(seen.collect())
    }
    async fn create(&self, _: &Aws, name: &str, want: &Deployed) -> Result<(), Failure> {
        self.0.lock().unwrap().deployments.insert(name.into(), want.containers.known().clone());
        Ok(())
    }
    async fn update(&self, aws: &Aws, name: &str, update: Update<'_, Deployed>) -> Result<(), Failure> {
        Calls::create(self, aws, name, &update.want).await
    }
    async fn delete(&self, _: &Aws, name: &str, _: Deletion<'_, Deployed>) -> Result<(), Failure> {
        self.0.lock().unwrap().deployments.remove(name);
        Ok(())
    }
}

struct Lab {
    bench: Bench,
    service: Shared,
}

impl Lab {
    async fn new() -> Lab {
        let service = Shared::default();
        let mut bench = Bench::new(1, Mood::Calm, "us-east-1", Scope::default()).await;
        let training: &'static dyn AnyKind = Box::leak(Box::new(Work(TrainingJob(service.clone()))));
        let deployment: &'static dyn AnyKind = Box::leak(Box::new(Deployment(service.clone())));
        bench.stack.kinds = bench.stack.kinds.with(training).with(deployment);
        Lab { bench, service }
    }

    /// Attempts that were ever started.
    fn started(&self) -> usize {
        self.service.lock().unwrap().jobs.len()
    }

    async fn steps(&self, graph: &Graph) -> Vec<(Action, String)> {
        let plan = self.bench.plan(graph).await;
        assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
        plan.work().map(|step| (step.action, step.reason.clone().unwrap_or_default())).collect()
    }

    fn hours(&self, since: u64) -> f64 {
        (self.bench.aws.clock.now_ms() - since) as f64 / 3_600_000.0
    }
}

fn training(name: &str, data: &str, failures: u64) -> (Id, Training) {
    let props = Training { data: data.into(), hours: 2, failures };
    (Id::hashed("training", name, &json!(props)), props)
}

/// One task, and a deployment of what it gives.
fn wanted(data: &str, failures: u64) -> (Graph, Id) {
    let mut graph = Graph::default();
    let (id, props) = training("churn", data, failures);
    graph.add(id.clone(), props);
    graph.add(Id::new("deployment", "churn"), Deployed { containers: Input::of(&id, "containers") });
    (graph, id)
}

#[tokio::test(start_paused = true)]
async fn runs_once_and_gives_values() {
    let lab = Lab::new().await;
    let (graph, _) = wanted("a", 0);
    let began = lab.bench.aws.clock.now_ms();
    assert_eq!(lab.steps(&graph).await, [(Action::Run, String::new()), (Action::Create, String::new())]);
    let report = lab.bench.run(&graph).await;
    assert!(report.is_complete(), "{report:?}");
    assert!((2.0..2.1).contains(&lab.hours(began)), "{} h", lab.hours(began));
    assert!(lab.steps(&graph).await.is_empty());
    let deployed = lab.service.lock().unwrap().deployments["churn"].clone();
    assert_eq!(deployed.iter().map(|one| one.image.as_str()).collect::<Vec<_>>(), ["scaler", "xgboost"]);
    assert_eq!(deployed[0].artifact, "s3://a/1");
    // Other inputs are another task; what the old one gave is replaced, and the old one stays as a record.
    let (other, _) = wanted("b", 0);
    assert_eq!(lab.steps(&other).await, [(Action::Run, String::new()), (Action::Update, String::new())]);
    assert!(lab.bench.run(&other).await.is_complete());
    assert!(lab.steps(&other).await.is_empty(), "a finished task is no orphan");
    assert_eq!(lab.started(), 2);
    // Back again: it has been run already.
    assert_eq!(lab.steps(&graph).await, [(Action::Update, String::new())]);
    assert!(lab.bench.run(&graph).await.is_complete());
    assert_eq!(lab.started(), 2);
    // Nothing is wanted any more: the deployment goes, the records stay.
    assert_eq!(lab.steps(&Graph::default()).await, [(Action::Delete, String::new())]);
    assert!(lab.bench.run(&Graph::default()).await.is_complete());
    assert!(lab.steps(&Graph::default()).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failed_one_says_what_would_be_repeated() {
    let lab = Lab::new().await;
    let (graph, id) = wanted("a", 1);
    let why = "it failed: AlgorithmError: the data has no label; running it again starts from the beginning, usually 120 minutes";
    let report = lab.bench.run(&graph).await;
    assert_eq!(
        report.failed.iter().map(|(id, why)| (id.clone(), why.to_string())).collect::<Vec<_>>(),
        [(id, why.to_string())]
    );
    assert_eq!(report.not_started, [Id::new("deployment", "churn")]);
    assert_eq!(lab.started(), 1, "it is not repeated by itself");
    let steps = lab.steps(&graph).await;
    let again = "it failed (AlgorithmError: the data has no label); running it again starts from the beginning, usually 120 minutes";
    assert_eq!(steps[0], (Action::Run, again.to_string()));
    // The next apply was told so, and repeats it: under another name, because AWS takes none twice.
    assert!(lab.bench.run(&graph).await.is_complete());
    assert!(lab.steps(&graph).await.is_empty());
    assert_eq!(lab.started(), 2);
    assert_eq!(lab.service.lock().unwrap().deployments["churn"][0].artifact, "s3://a/2");
}

#[tokio::test(start_paused = true)]
async fn what_still_runs_is_waited_for_or_stopped() {
    let lab = Lab::new().await;
    let (graph, id) = wanted("a", 0);
    // A run that is dropped in the midst of it, as by a kill.
    let killed = tokio::time::timeout(Duration::from_secs(HOUR), lab.bench.run(&graph)).await;
    assert!(killed.is_err());
    let began = lab.bench.aws.clock.now_ms();
    assert_eq!(lab.steps(&graph).await[0], (Action::Recheck, "InProgress".into()));
    // It is no longer wanted: what runs costs, so it is ended, and its end awaited.
    let steps = lab.steps(&Graph::default()).await;
    assert_eq!(steps, [(Action::Stop, "it still runs, and the spec does not have it".into())]);
    // But it is wanted: the next run takes it up where it is.
    assert!(lab.bench.run(&graph).await.is_complete());
    assert!((0.9..1.1).contains(&lab.hours(began)), "{} h", lab.hours(began));
    assert_eq!(lab.started(), 1);
    let (other, _) = wanted("b", 0);
    let killed = tokio::time::timeout(Duration::from_secs(HOUR), lab.bench.run(&other)).await;
    assert!(killed.is_err());
    assert!(lab.bench.run(&graph).await.is_complete());
    assert!(lab.service.lock().unwrap().jobs.values().any(|job| job.props.data == "b" && job.stopped));
    assert!(lab.steps(&graph).await.is_empty());
    let told = lab.bench.recorder.0.lock().unwrap();
    let stops = told.iter().filter(|(_, event)| matches!(event, Event::Acted { what: "stop", .. }));
    assert_eq!(stops.count(), 1);
    assert!(
        told.iter()
            .all(|(_, event)| !matches!(event, Event::Acted { what: "stop", id: other } if *other == id))
    );
}

/// Hours of waiting hold no place among those at work: more tasks than there are places, and an ordinary resource
/// that would come last.
#[tokio::test(start_paused = true)]
async fn waiting_holds_no_place() {
    let lab = Lab::new().await;
    let mut graph = Graph::default();
    for n in 0..60 {
        let (id, props) = training("churn", &format!("data-{n}"), 0);
        graph.add(id, props);
    }
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let tags = json!({"auroraml:stack": STACK, "auroraml:resource": "role.x"});
    let role = graph.add(Id::new("role", "x"), json!({"trust": trust, "policy": null, "tags": tags})).id();
    let began = lab.bench.aws.clock.now_ms();
    let report = lab.bench.run(&graph).await;
    assert!(report.is_complete(), "{report:?}");
    assert!(lab.hours(began) < 2.2, "{} h for sixty tasks of two hours", lab.hours(began));
    let told = lab.bench.recorder.0.lock().unwrap();
    let done =
        told.iter().find(|(_, event)| matches!(event, Event::Finished { id, .. } if *id == role)).unwrap();
    assert!(done.0 - began < 10 * 60 * 1000, "the role waited {} s", (done.0 - began) / 1000);
}
