//! Applies and destroys specs in a simulated account, and checks what must always hold.

use crate::recording::{Who, granted, recorded};
use auroraml::aws::{Connection, Failure, SecretText, simulated_config_as};
use auroraml::run::reconcile::{Outcome, PrepareError, Prepared, prepare, reconcile};
use auroraml::stack::Stack;
use auroraml_core::base::names::Place;
use auroraml_core::events::{Event, Listener};
use auroraml_core::members::Impact;
use auroraml_core::model::{Intent, Order};
use auroraml_core::plan::Plan;
use auroraml_core::policy::{Known, Names, Purpose, document, needed};
use auroraml_core::resource::Action;
use auroraml_core::spec::{Aurora, Spec, parse};
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::rds::Interruption;
use auroraml_sandbox::{Sandbox, World};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

pub const CANARY: &str = "C4naryPassw0rdNobodyMaySee";

/// A spec of the `specs` folder.
pub fn spec_file(name: &str) -> String {
    std::fs::read_to_string(Path::new("specs").join(name)).unwrap()
}

/// A file that a spec of the folder `specs` names, or one of the tests' own specs.
pub fn beside(path: &str) -> std::io::Result<Vec<u8>> {
    std::fs::read(Path::new("specs").join(path))
        .or_else(|_| std::fs::read(Path::new("tests/data").join(path)))
}

/// `churn.yaml` without what is in the database, and with a model that is there already.
pub fn hosting() -> String {
    let text = spec_file("churn.yaml");
    let head = &text[..text.find("\ntables:").unwrap()];
    let model =
        "{ image: \"xgboost:1.7-1\", artifact: \"s3://sagemaker-sample-files/models/churn/model.tar.gz\" }";
    format!("{head}\nendpoints:\n  churn:\n    model: {model}\n    instance: ml.m5.large\n")
}

/// Puts the local files that an example spec names into a folder, where they have the same paths.
pub fn copy_files(spec: &Spec, folder: &Path) {
    for file in spec.files().into_iter().chain(spec.templates()) {
        let to = folder.join(file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(Path::new("specs").join(file), to).unwrap();
    }
}

pub fn spec(text: &str) -> Spec {
    parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{}", problems.render("spec", text)))
}

/// A simulated account.
#[derive(Clone)]
pub struct Account {
    pub sandbox: Sandbox,
    /// Access key with which auroraml comes. With [`OURS`] it is held to the policies that it prints for what it comes for.
    pub caller: String,
}

impl Account {
    pub fn new(seed: u64, mood: Mood) -> Account {
        Account::over(World::new(seed, mood))
    }
    pub fn over(world: World) -> Account {
        Account::of(recorded(Sandbox::new(world, 1.0), Who::Tool))
    }
    pub fn of(sandbox: Sandbox) -> Account {
        Account { sandbox, caller: OURS.into() }
    }

    pub async fn connect(&self, spec: &Spec) -> Stack {
        self.try_connect(spec).await.unwrap()
    }

    pub async fn try_connect(&self, spec: &Spec) -> Result<Stack, Failure> {
        // A sweep may delete what is anybody's: whoever sweeps says so.
        let purposes: Vec<Purpose> = Purpose::ALL.into_iter().filter(|one| *one != Purpose::Sweep).collect();
        self.connect_for(spec, &purposes).await
    }

    /// The account's administrator, who may do anything: a person, and not auroraml.
    pub async fn administrator(&self, spec: &Spec) -> Stack {
        self.connect_as(spec, OURS).await.unwrap()
    }

    /// The same for whoever comes for no more than this.
    pub async fn connect_for(&self, spec: &Spec, purposes: &[Purpose]) -> Result<Stack, Failure> {
        self.connect_as(spec, &self.held(spec, purposes)).await
    }

    async fn connect_as(&self, spec: &Spec, caller: &str) -> Result<Stack, Failure> {
        let clock = self.sandbox.clock();
        let connection = Connection {
            config: simulated_config_as(caller, &spec.region, self.sandbox.http_client(), &clock),
            plain_http: None,
            clock,
            files: Arc::new(beside),
            passwords: Arc::new(|_| Some(SecretText::new(CANARY.into()))),
        };
        Stack::connect(spec.clone(), connection).await
    }

    pub async fn prepare(&self, spec: &Spec, order: impl Into<Order>) -> Result<Prepared, PrepareError> {
        // What is in the database is no part of a look (docs/decisions/0012); tests want to know it all the same.
        let database: &[Purpose] = if spec.has_sql() { &[Purpose::Plan, Purpose::Query] } else { &[] };
        let purposes = if database.is_empty() { &[Purpose::Plan] } else { database };
        prepare(&self.connect_for(spec, purposes).await.unwrap(), order).await
    }

    /// The access key of whoever comes for this, held to the policy that says so.
    pub fn held(&self, spec: &Spec, purposes: &[Purpose]) -> String {
        if self.caller != OURS {
            return self.caller.clone();
        }
        let place = Place::new(spec.stack.clone(), spec.region.clone(), ACCOUNT)
            .with(auroraml_core::model::names(spec));
        let statements = needed(spec, &Names::of(spec, &place, &self.known(spec)), purposes);
        granted(&statements);
        let words: Vec<String> = purposes.iter().map(|purpose| format!("{purpose:?}")).collect();
        let key = format!("{OURS}.{}.{}.{}", spec.stack, spec.region, words.concat());
        let documents = vec![document(&statements)];
        self.sandbox.with(|world| world.enforced.caller(&key, documents)).unwrap();
        key
    }

    /// What `auroraml policy` asks of AWS.
    fn known(&self, spec: &Spec) -> Known {
        let part = |name: &str| {
            self.sandbox.with(|world| {
                let region = world.regions.get(&spec.region);
                match name {
                    "ec2" => serde_json::to_value(region.map(|region| &region.ec2)).unwrap(),
                    _ => serde_json::to_value(region.map(|region| &region.rds)).unwrap(),
                }
            })
        };
        let mut known = Known::default();
        if spec.network.is_some() {
            let vpcs = part("ec2")["vpcs"].take();
            let own = vpcs.as_object().into_iter().flatten();
            let mut own =
                own.filter(|(_, vpc)| vpc["record"]["tags"]["auroraml:stack"] == spec.stack.as_str());
            known.vpc = own.next().map(|(id, _)| id.clone());
        }
        if let Some(Aurora::Existing(existing)) = &spec.aurora {
            let rds = part("rds");
            let identifier = existing.existing.to_ascii_lowercase();
            let group = rds["clusters"][&identifier]["group"].as_str();
            let original = rds["groups"][&spec.stack]["tags"]["auroraml:original-group"].as_str();
            known.groups = [group, original].into_iter().flatten().map(String::from).collect();
            let members = rds["instances"].as_object().into_iter().flatten();
            let members = members.filter(|(_, member)| member["cluster"] == identifier.as_str());
            known.members = members.map(|(id, _)| id.clone()).collect();
        }
        if matches!(spec.aurora, Some(Aurora::Owned(_))) {
            let rds = part("rds");
            let names = auroraml_core::model::names(spec);
            let cluster = &rds["clusters"][names.cluster.as_deref().unwrap_or(&spec.stack)];
            let roles = cluster["roles"].as_array().cloned().unwrap_or_default();
            let others = roles.iter().filter_map(|role| role["arn"].as_str());
            known.roles = others.filter(|arn| !arn.contains(":role/auroraml/")).map(String::from).collect();
            let marks = cluster["tags"].as_object().into_iter().flatten();
            let is_marked = marks.into_iter().any(|(key, _)| key.starts_with("auroraml:role-"));
            known.roles.extend(is_marked.then(String::new));
            let members = rds["instances"].as_object().into_iter().flatten();
            let of_stack =
                members.filter(|(_, member)| member["tags"]["auroraml:stack"] == spec.stack.as_str());
            known.members = of_stack.map(|(id, _)| id.clone()).collect();
        }
        known
    }

    pub async fn plan(&self, spec: &Spec) -> Plan {
        self.prepare(spec, Intent::Apply).await.unwrap().plan
    }

    /// Prepares and carries out; whatever happens is in the outcome. Nobody is interrupted whom the plan did not
    /// name.
    pub async fn run(&self, spec: &Spec, order: impl Into<Order>, listener: Arc<dyn Listener>) -> Outcome {
        self.try_run(spec, order, listener).await.unwrap()
    }

    pub async fn try_run(
        &self,
        spec: &Spec,
        order: impl Into<Order>,
        listener: Arc<dyn Listener>,
    ) -> Result<Outcome, PrepareError> {
        let order = order.into();
        let purpose = match order.intent {
            Intent::Apply => Purpose::Apply,
            Intent::Destroy { .. } => Purpose::Destroy,
            Intent::Pause { .. } => Purpose::Pause,
        };
        let stack = self.connect_for(spec, &[purpose]).await.unwrap();
        let caller = self.held(spec, &[purpose]);
        let prepared = prepare(&stack, order).await?;
        assert!(prepared.plan.blocked.is_empty(), "blocked: {:?}", prepared.plan.blocked);
        let mut announced = Announced::of(&prepared.plan);
        announced.made.extend(self.unfinished(spec));
        assert_in_order(&prepared.plan);
        let before = self.interruptions(spec).len();
        let (_keep, stop) = tokio::sync::watch::channel(false);
        let outcome = reconcile(&stack, order, prepared, stop, listener).await;
        announced.check(&caller, &self.interruptions(spec)[before..]);
        outcome
    }

    /// Members of clusters that bear the mark of what was never finished, and not for long.
    fn unfinished(&self, spec: &Spec) -> Vec<String> {
        let world = self.sandbox.world();
        let rds = serde_json::to_value(world.regions.get(&spec.region)).unwrap()["rds"].take();
        let of = |kind: &str| rds[kind].as_object().cloned().unwrap_or_default();
        let marked = of("clusters").into_iter().filter(|(_, cluster)| {
            let young = cluster["created"].as_u64().unwrap() + 24 * 3_600_000 > world.now;
            young && !cluster["tags"]["auroraml:unfinished"].is_null()
        });
        let marked: BTreeSet<String> = marked.map(|(id, _)| id).collect();
        let members = of("instances")
            .into_iter()
            .filter(|(_, member)| marked.contains(member["cluster"].as_str().unwrap()));
        members.map(|(id, _)| id).collect()
    }

    /// Everything that interrupted members of clusters in the spec's region.
    pub fn interruptions(&self, spec: &Spec) -> Vec<Interruption> {
        self.sandbox.with(|world| {
            let region = world.regions.get(&spec.region);
            region.map(|region| region.rds.interruptions().to_vec()).unwrap_or_default()
        })
    }

    /// Applies, and checks that the next plan is empty and that nothing more is changed.
    pub async fn apply(&self, spec: &Spec) -> Arc<Recorder> {
        let listener = Arc::new(Recorder::default());
        let outcome = self.run(spec, Intent::Apply, listener.clone()).await;
        assert!(outcome.is_complete(), "{:#?}\n{}", outcome.reports, listener.text());
        self.assert_settled(spec, Intent::Apply).await;
        listener
    }

    /// Destroys, and checks that nothing of the stack is left.
    pub async fn destroy(&self, spec: &Spec) -> Arc<Recorder> {
        let intent = Intent::Destroy { unprotect: true };
        let listener = Arc::new(Recorder::default());
        let outcome = self.run(spec, intent, listener.clone()).await;
        assert!(outcome.is_complete(), "{:#?}\n{}", outcome.reports, listener.text());
        self.assert_settled(spec, intent).await;
        listener
    }

    /// The plan is empty, and looking changed nothing.
    pub async fn assert_settled(&self, spec: &Spec, intent: Intent) {
        let before = self.mutations();
        let prepared = self.prepare(spec, intent).await.unwrap();
        assert!(
            prepared.plan.is_empty(),
            "the next plan is not empty: {:#?}",
            prepared.plan.work().collect::<Vec<_>>()
        );
        assert!(prepared.plan.blocked.is_empty(), "{:?}", prepared.plan.blocked);
        assert_eq!(self.mutations(), before, "looking changed something");
    }

    /// Requests that changed or tried to change something.
    pub fn mutations(&self) -> usize {
        self.sandbox.with(|world| world.mutations().count())
    }

    /// Nothing exists twice: no two live objects carry the tags of the same resource.
    pub fn assert_single(&self, spec: &Spec) {
        let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (path, resource) in self.tagged(spec) {
            // AWS lists deleted NAT gateways for an hour; a snapshot copies the cluster's tags; jobs stay as records, and
            // one whose model has gone with the bucket is run again.
            let is_record = path.contains("-job~1");
            if !path.contains("/nat_gateways/") && !path.contains("/snapshots/") && !is_record {
                seen.entry(resource).or_default().push(path);
            }
        }
        seen.retain(|_, paths| paths.len() > 1);
        assert!(seen.is_empty(), "made twice: {seen:#?}");
    }

    /// Everything in the world that carries the stack's tag, in whatever service.
    pub fn traces(&self, spec: &Spec) -> Vec<String> {
        self.tagged(spec).into_iter().map(|(path, _)| path).collect()
    }

    /// Path in the world and resource of everything that carries the stack's tag.
    fn tagged(&self, spec: &Spec) -> Vec<(String, String)> {
        let world = serde_json::to_value(self.sandbox.world().without_contents()).unwrap();
        let mut found = Vec::new();
        trace(&world["regions"], &spec.stack, "regions", &mut found);
        trace(&world["global"], &spec.stack, "global", &mut found);
        found
    }
}

/// A plan lists its steps so that they could be carried out one by one.
pub fn assert_in_order(plan: &Plan) {
    let mut before = BTreeSet::new();
    for step in plan.work() {
        let missing: Vec<_> = step.needs.iter().filter(|id| !before.contains(*id)).collect();
        assert!(missing.is_empty(), "{} is listed before {missing:?}, which it needs", step.id);
        before.insert(step.id.clone());
    }
}

const ACCOUNT: &str = "111122223333";

/// What the access keys of auroraml's own requests in the sandbox begin with.
pub const OURS: &str = "AKIDSANDBOX";

/// Whom a plan lets a run interrupt, and how badly. A judgement of its own: the sandbox says what happened.
struct Announced {
    members: BTreeSet<String>,
    worst: Impact,
    /// Members that the plan makes.
    made: BTreeSet<String>,
    /// The plan deletes the whole cluster.
    whole: bool,
}

impl Announced {
    fn of(plan: &Plan) -> Announced {
        let made = plan.work().filter(|step| step.id.kind == "instance" && step.action == Action::Create);
        Announced {
            members: plan.interruptions().flat_map(|known| known.members.clone()).collect(),
            worst: plan.interruptions().map(|known| known.impact).max().unwrap_or_default(),
            made: made.filter_map(|step| step.predicted.get("id").cloned()).collect(),
            whole: plan.work().any(|step| step.id.kind == "cluster" && step.action == Action::Delete),
        }
    }

    fn check(&self, caller: &str, interruptions: &[Interruption]) {
        let ours: Vec<&Interruption> =
            interruptions.iter().filter(|met| met.caller == caller && met.until > met.at).collect();
        for met in &ours {
            if self.whole || self.made.contains(&met.member) {
                continue;
            }
            assert!(self.members.contains(&met.member), "not announced: {met:?}; {:?}", self.members);
            let impact = match (met.was_writer, met.cause.as_str()) {
                (false, _) => Impact::Readers,
                (true, "FailoverDBCluster" | "DeleteDBInstance") => Impact::Failover,
                (true, _) => Impact::Restart,
            };
            assert!(impact <= self.worst, "more than announced: {met:?}; {:?}", self.worst);
        }
        // Never two at once, unless one request takes both.
        for (n, one) in ours.iter().enumerate() {
            let overlaps = ours[n + 1..].iter().find(|other| {
                !self.whole
                    && one.cluster == other.cluster
                    && (one.at, &one.cause) != (other.at, &other.cause)
                    && one.at < other.until
                    && other.at < one.until
                    && ![one, *other]
                        .iter()
                        .any(|met| self.made.contains(&met.member) || met.until == u64::MAX)
            });
            assert!(overlaps.is_none(), "two at once: {one:?} and {overlaps:?}");
        }
    }
}

/// Paths of all values that hold the stack's own tag.
fn trace(value: &serde_json::Value, stack: &str, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(map) => {
            if map.get("auroraml:stack").and_then(|v| v.as_str()) == Some(stack) {
                let resource = map.get("auroraml:resource").and_then(|v| v.as_str()).unwrap_or_default();
                found.push((path.to_string(), resource.to_string()));
            }
            for (key, value) in map {
                // As a JSON pointer has it: names and ARNs have slashes of their own.
                let key = key.replace('~', "~0").replace('/', "~1");
                trace(value, stack, &format!("{path}/{key}"), found);
            }
        }
        serde_json::Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                trace(value, stack, &format!("{path}/{n}"), found);
            }
        }
        _ => {}
    }
}

/// Keeps every event, to print when a test fails.
#[derive(Default)]
pub struct Recorder(pub Mutex<Vec<(u64, Event)>>);

impl Listener for Recorder {
    fn tell(&self, at: u64, event: &Event) {
        self.0.lock().unwrap().push((at, event.clone()));
    }
}

/// A test that fails says what happened until then.
impl Drop for Recorder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.text());
        }
    }
}

impl Recorder {
    pub fn text(&self) -> String {
        let events = self.0.lock().unwrap();
        let start = events.first().map_or(0, |(at, _)| *at);
        events.iter().map(|(at, event)| format!("{:>6} s  {event:?}\n", (at - start) / 1000)).collect()
    }
}
