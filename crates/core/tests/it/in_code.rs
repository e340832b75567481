//! From a spec that was made in code to a plan: no YAML, no SDK, no account.

use auroraml_core::base::names::Place;
use auroraml_core::base::{Id, Live, Observed, Outputs, State, outputs, resolve};
use auroraml_core::engine::{AURORA_MYSQL, Offered};
use auroraml_core::kinds;
use auroraml_core::members::restart::{Member, Topology};
use auroraml_core::model::facts::Facts;
use auroraml_core::model::{self, Intent};
use auroraml_core::plan::{Plan, plan};
use auroraml_core::resource::{Action, Graph};
use auroraml_core::spec::{
    Aurora, Bucket, Cluster, ClusterOnDestroy, Instance, MachineLearning, OwnNetwork, S3Access, Spec,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn made() -> Spec {
    Spec {
        network: Some(
            OwnNetwork {
                private_subnets: ["10.0.1.0/24", "10.0.2.0/24"].map(|range| range.parse().unwrap()).into(),
                endpoints: vec![auroraml_core::spec::ServiceEndpoint::S3],
                ..OwnNetwork::new("10.0.0.0/16".parse::<ipnet::Ipv4Net>().unwrap())
            }
            .into(),
        ),
        bucket: Some(Bucket::default()),
        aurora: Some(Aurora::Owned(Box::new(Cluster {
            instances: vec![Instance::new("db.r6g.large"), Instance::new("db.r6g.large")],
            ..Cluster::default()
        }))),
        machine_learning: MachineLearning { s3: S3Access::Own(true), ..MachineLearning::default() },
        ..Spec::new("shop", "eu-west-1")
    }
}

fn graph(spec: &Spec) -> Graph {
    graph_for(spec, Intent::Apply)
}

fn graph_for(spec: &Spec, intent: Intent) -> Graph {
    spec.check().unwrap();
    let place = Place::new(spec.stack.clone(), spec.region.clone(), "111122223333")
        .with(auroraml_core::model::names(spec));
    let version = "8.0.mysql_aurora.3.10.2";
    let facts = Facts {
        zones: vec!["eu-west-1a".into(), "eu-west-1b".into()],
        engine_versions: vec![Offered { version: version.into(), family: (AURORA_MYSQL.family)(version) }],
        today: "2026-11-20".into(),
        timestamp: "20261120-000000".into(),
        ..Facts::default()
    };
    model::build(spec, &place, &facts, intent).unwrap()
}

/// Everything that the graph wants, just as it wants it.
fn everything(graph: &Graph) -> Observed {
    let (mut observed, mut known) = (Observed::new(), BTreeMap::<Id, Outputs>::new());
    for id in graph.order() {
        let resource = &graph.resources[&id];
        let mut props = resolve(&resource.props, &known);
        // What the kind accepts in another form is what AWS shows.
        (kinds::catalog()[id.kind].accept)(&mut props, &Value::Null);
        let mut seen = outputs(&resource.predicted, None);
        for output in ["id", "arn", "name", "ip", "endpoint"] {
            seen.entry(output.into()).or_insert_with(|| format!("{output} of {id}").into());
        }
        known.insert(id.clone(), seen.clone());
        observed.insert(id.clone(), Live { id, props, outputs: seen, state: State::Ready, owned: true });
    }
    let member = |n: u8| Member {
        name: format!("shop-{n}"),
        writer: n == 1,
        status: "available".into(),
        parameter_status: "in-sync".into(),
        own_parameter_status: "in-sync".into(),
        ..Member::default()
    };
    let topology = Topology {
        engine: "aurora-mysql".into(),
        engine_version: "8.0.mysql_aurora.3.10.2".into(),
        status: "available".into(),
        members: vec![member(1), member(2)],
        ..Topology::default()
    };
    // A property that AWS alone says.
    observed.get_mut(&Id::new("cluster", "main")).unwrap().props["engine"] = "aurora-mysql".into();
    let sync = observed.get_mut(&Id::new("parameter_sync", "main")).unwrap();
    sync.props["topology"] = json!(topology);
    observed
}

fn work(plan: &Plan) -> Vec<(Action, String)> {
    plan.work().map(|step| (step.action, step.id.to_string())).collect()
}

#[test]
fn nothing_is_there_and_everything_is_made() {
    let graph = graph(&made());
    let plan = plan(&graph, &Observed::new(), &kinds::catalog());
    assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
    assert_eq!(plan.count(Action::Create), graph.resources.len());
    let place = |id: &str| plan.steps.iter().position(|step| step.id.to_string() == id).unwrap();
    assert!(place("role.s3") < place("cluster.main") && place("cluster.main") < place("instance.2"));
}

#[test]
fn what_is_as_wanted_needs_nothing() {
    let graph = graph(&made());
    let plan = plan(&graph, &everything(&graph), &kinds::catalog());
    assert_eq!(work(&plan), []);
    assert!(plan.is_empty(), "{:?}", plan.blocked);
}

/// A change of class is announced as what it is, and only what was announced is permitted.
#[test]
fn a_change_says_whom_it_interrupts() {
    let before = everything(&graph(&made()));
    let mut spec = made();
    let Some(Aurora::Owned(cluster)) = &mut spec.aurora else { unreachable!() };
    cluster.instances[1].class = "db.r6g.xlarge".into();
    let graph = graph(&spec);
    let plan = plan(&graph, &before, &kinds::catalog());
    let steps: Vec<_> = work(&plan).into_iter().filter(|(action, _)| *action == Action::Update).collect();
    assert_eq!(steps, [(Action::Update, "instance.2".to_string())]);
    let interrupted: Vec<_> = plan.interruptions().collect();
    assert_eq!(interrupted.len(), 1);
    assert_eq!(interrupted[0].members, ["shop-2"]);
    let permit = plan.permit(&graph, &kinds::catalog(), None);
    assert!(permit.check(0, interrupted[0]).is_ok());
    let mut other = interrupted[0].clone();
    other.members = vec!["shop-1".into()];
    assert!(permit.check(0, &other).unwrap_err().contains("a restart of shop-1 is not in the plan"));
}

/// A cluster that AWS has broken holds data: it is never made anew.
#[test]
fn a_broken_cluster_is_not_replaced() {
    let graph = graph(&made());
    let mut observed = everything(&graph);
    let id = Id::new("cluster", "main");
    observed.get_mut(&id).unwrap().state = State::Broken("inaccessible-encryption-credentials".into());
    let plan = plan(&graph, &observed, &kinds::catalog());
    let blocked = plan.blocked.iter().find(|blocked| blocked.id == id);
    assert!(blocked.is_some_and(|blocked| blocked.why.contains("would lose data")), "{:?}", plan.blocked);
}

/// What is protected, by AWS or by the spec, goes with `--unprotect` only, and what the spec does not let go without a
/// copy leaves a final snapshot.
#[test]
fn a_protected_cluster_goes_only_when_told() {
    use ClusterOnDestroy::{Delete, Protect, Snapshot};
    let id = Id::new("cluster", "main");
    let before = everything(&graph(&made()));
    for on_destroy in [Delete, Snapshot, Protect] {
        let mut spec = made();
        let Some(Aurora::Owned(cluster)) = &mut spec.aurora else { unreachable!() };
        cluster.on_destroy = on_destroy;
        for live in [false, true] {
            let mut observed = before.clone();
            observed.get_mut(&id).unwrap().props["deletion_protection"] = live.into();
            for unprotect in [false, true] {
                let graph = graph_for(&spec, Intent::Destroy { unprotect });
                let plan = plan(&graph, &observed, &kinds::catalog());
                let case = format!("{on_destroy:?}, live {live}, unprotect {unprotect}");
                let refused = (live || on_destroy == Protect) && !unprotect;
                let blocked: Vec<&Id> = plan.blocked.iter().map(|blocked| &blocked.id).collect();
                assert_eq!(blocked, if refused { vec![&id] } else { vec![] }, "{case}");
                assert!(plan.blocked.iter().all(|blocked| blocked.hint.contains("--unprotect")), "{case}");
                let step = plan.steps.iter().find(|step| step.id == id).unwrap();
                // What the spec keeps by default, its bucket, is no step, and is said.
                assert_eq!(plan.kept, [Id::new("bucket", "main")], "{case}");
                assert!(plan.steps.iter().all(|step| step.id.kind != "bucket"), "{case}");
                assert!(plan.notes.contains(&"bucket.main is kept, as the spec says".into()), "{case}");
                let snapshot = step.options.contains_key("final_snapshot");
                assert_eq!(snapshot, on_destroy != Delete, "{case}: {:?}", step.options);
            }
        }
    }
}
