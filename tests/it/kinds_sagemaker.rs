//! Models, endpoint configurations, endpoints, notebooks: each property changed in place or blocked, killed
//! everywhere, and the ways in which SageMaker says yes and means no.

use crate::bench::{Bench, STACK, nothing, sweep, tags, with};
use crate::harness::{Account, spec};
use auroraml_core::base::names::{Place, short_hash};
use auroraml_core::base::policy::{document, trust};
use auroraml_core::base::{Id, Input};
use auroraml_core::kinds::{endpoint, endpoint_config, model, notebook, notebook_config, role};
use auroraml_core::model::Scope;
use auroraml_core::resource::Action;
use auroraml_core::resource::Graph;
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::sagemaker::Status;
use serde_json::json;
use std::collections::BTreeMap;

const REGION: &str = "us-east-1";
const GOOD: &str = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1";
const OTHER: &str = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.5-1";

fn place() -> Place {
    Place::new(STACK, REGION, "111122223333")
}

fn scope(endpoint: &str) -> Scope {
    Scope { endpoints: vec![endpoint.into()], ..Scope::default() }
}

fn add_role(graph: &mut Graph, name: &str) -> Input {
    let id = Id::new("role", name);
    let props = role::Props {
        trust: trust("sagemaker.amazonaws.com", "111122223333", None),
        boundary: None,
        policy: document(vec![
            json!({"Effect": "Allow", "Action": ["ecr:GetAuthorizationToken"], "Resource": ["*"]}),
        ]),
        tags: tags(&id),
    };
    Input::of(&graph.add(id, props).predict("arn", place().role_arn(name)).id(), "arn")
}

/// As the model makes it: names with hashes of what the things are.
fn add_endpoint(graph: &mut Graph, name: &str, image: &str, instance: Option<&str>, count: i32) {
    let role = add_role(graph, "model");
    let id = Id::new("model", format!("{name}-{}", short_hash(format!("{name} {image}").as_bytes())));
    let physical = place().hashed_name(&id.name);
    let props = model::Props {
        endpoint: name.into(),
        image: Some(image.into()),
        containers: None,
        artifact: Some("s3://elsewhere/model.tar.gz".into()),
        environment: BTreeMap::from([("LEVEL".into(), "info".into())]),
        role,
        tags: tags(&id),
    };
    let model = graph.add(id, props).predict("name", &physical).id();
    let content = format!("{physical} {instance:?} {count}");
    let id = Id::new("endpoint_config", format!("{name}-{}", short_hash(content.as_bytes())));
    let physical = place().hashed_name(&id.name);
    let serverless = instance.is_none();
    let props = endpoint_config::Props {
        endpoint: name.into(),
        model: Input::of(&model, "name"),
        instance: instance.map(String::from),
        count: instance.map(|_| count),
        memory: serverless.then_some(2048),
        max_concurrency: serverless.then_some(5),
        tags: tags(&id),
    };
    let config = graph.add(id, props).predict("name", physical).id();
    let id = Id::new("endpoint", name);
    let props =
        endpoint::Props { config: Input::of(&config, "name"), serverless: Some(serverless), tags: tags(&id) };
    graph.add(id, props).predict("arn", place().endpoint_arn(name));
}

fn hosted(name: &str, image: &str, instance: Option<&str>, count: i32) -> Graph {
    let mut graph = Graph::default();
    add_endpoint(&mut graph, name, image, instance, count);
    graph
}

fn churn(image: &str) -> Graph {
    hosted("churn", image, Some("ml.m5.large"), 1)
}

/// One of each, and nothing else; with tags.
fn assert_one_endpoint(bench: &Bench) {
    bench.region(|region| {
        let sagemaker = &region.sagemaker;
        let counts = (sagemaker.models.len(), sagemaker.endpoint_configs.len(), sagemaker.endpoints.len());
        assert_eq!(counts, (1, 1, 1));
        assert_eq!(sagemaker.tags.len(), 3);
    });
}

fn assert_nothing(bench: &Bench) {
    bench.region(|region| {
        let sagemaker = &region.sagemaker;
        assert!(sagemaker.models.is_empty() && sagemaker.endpoint_configs.is_empty());
        assert!(sagemaker.endpoints.is_empty() && sagemaker.notebooks.is_empty());
        assert!(sagemaker.lifecycle_configs.is_empty() && sagemaker.tags.is_empty());
    });
    let iam = bench.account.sandbox.with(|world| json!(world.global.iam));
    assert_eq!(iam["roles"], json!({}));
}

/// A role made seconds ago is refused in several ways, which pass; one that SageMaker may never use is an error after
/// some minutes, with AWS's words.
#[tokio::test(start_paused = true)]
async fn a_role_that_sagemaker_may_never_use_is_an_error() {
    for seed in 0..4 {
        let bench = Bench::new(seed, Mood::Real, REGION, scope("churn")).await;
        let stranger = json!(trust("lambda.amazonaws.com", "111122223333", None));
        let graph = with(&churn(GOOD), &Id::new("role", "model"), "trust", stranger);
        let began = bench.aws.clock.now_ms();
        let failure = bench.failure(&graph).await;
        assert!(failure.starts_with("CreateModel failed: ValidationException: "), "{failure}");
        assert!(failure.to_lowercase().contains("role"), "{failure}");
        let seconds = (bench.aws.clock.now_ms() - began) / 1000;
        assert!((240..300).contains(&seconds), "after {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_moves_to_each_new_configuration_and_the_old_ones_go() {
    let bench = Bench::new(1, Mood::Calm, REGION, scope("churn")).await;
    assert_eq!(bench.apply(&churn(GOOD)).await, 1);
    for graph in [churn(OTHER), hosted("churn", OTHER, Some("ml.m5.large"), 2)] {
        let plan = bench.plan(&graph).await;
        assert_eq!(plan.count(Action::Update), 1, "only the endpoint changes in place");
        assert_eq!(plan.count(Action::Create), plan.count(Action::Delete));
        assert_eq!(bench.apply(&graph).await, 1);
        assert_one_endpoint(&bench);
    }
    assert_eq!((bench.count("CreateEndpoint"), bench.count("UpdateEndpoint")), (1, 2));
}

/// What ListTags answers for something that is not there says nothing (fact book, appendix F, item 6).
#[tokio::test(start_paused = true)]
async fn whether_it_is_there_is_describes_to_say() {
    let bench = Bench::new(1, Mood::Calm, REGION, scope("churn")).await;
    let graph = churn(GOOD);
    let ids = || graph.resources.keys().cloned().chain([main_notebook()]).filter(|id| id.kind != "role");
    let seen = async |id: &Id| bench.stack.kinds.observe_one(&bench.aws, id, bench.aws.clock.now_ms()).await;
    for id in ids() {
        assert_eq!(seen(&id).await, Ok(None), "{id}");
    }
    // The endpoint's tags are asked for side by side with the endpoint.
    let answers = bench.account.sandbox.with(|world| {
        let asked = world.log.iter().filter(|entry| entry.operation == "ListTags");
        asked.map(|entry| entry.code.clone()).collect::<Vec<_>>()
    });
    assert_eq!(answers, [Some("ValidationException".to_string())]);
    bench.apply(&graph).await;
    for id in ids().filter(|id| id.kind != "notebook") {
        assert!(seen(&id).await.unwrap().is_some_and(|live| live.owned), "{id}");
    }
    bench.apply(&nothing(&[])).await;
    assert_nothing(&bench);
}

#[tokio::test(start_paused = true)]
async fn tags_of_everything_change_in_place() {
    let bench = Bench::new(1, Mood::Calm, REGION, scope("churn")).await;
    let graph = churn(GOOD);
    bench.apply(&graph).await;
    let mut changed = graph.clone();
    for id in graph.resources.keys() {
        let mut tags = tags(id);
        tags.remove("project");
        tags.insert("team".into(), "data".into());
        changed = with(&changed, id, "tags", json!(tags));
    }
    assert_eq!(bench.apply(&changed).await, 1);
    assert_eq!((bench.count("UpdateEndpoint"), bench.count("CreateModel")), (0, 1));
    bench.region(|region| {
        for tags in region.sagemaker.tags.values() {
            assert!(tags.contains_key("team") && !tags.contains_key("project"), "{tags:?}");
        }
    });
}

#[tokio::test(start_paused = true)]
async fn serverless_is_a_way_out_only() {
    let bench = Bench::new(1, Mood::Calm, REGION, scope("churn")).await;
    bench.apply(&hosted("churn", GOOD, None, 0)).await;
    assert_eq!(bench.apply(&churn(GOOD)).await, 1);
    let blocked = bench.blocked(&hosted("churn", GOOD, None, 0)).await;
    assert!(blocked.starts_with("endpoint.churn: serverless cannot change from false to true"), "{blocked}");
}

#[tokio::test(start_paused = true)]
async fn a_rolled_back_update_is_no_success_and_no_loop() {
    let mut bench = Bench::new(1, Mood::Calm, REGION, scope("churn")).await;
    bench.apply(&churn(GOOD)).await;
    bench.region(|region| region.sagemaker.failing_images.insert(OTHER.into()));
    for run in 1..=3 {
        bench = bench.again(scope("churn")).await;
        let why = bench.failure(&churn(OTHER)).await;
        assert!(why.contains("rolled the endpoint's last update back: ") && why.contains("ping"), "{why}");
        assert_eq!(bench.count("UpdateEndpoint"), run, "each run asks once");
        assert_eq!(bench.count("DeleteEndpointConfig"), 0, "the configuration in service stays");
        // The plan still says what is missing.
        assert_eq!(bench.plan(&churn(OTHER)).await.count(Action::Update), 1);
    }
    // Not wanting it any more is enough, though the reason still stands on the endpoint.
    let back = bench.again(scope("churn")).await;
    back.apply(&churn(GOOD)).await;
    assert_one_endpoint(&back);
    assert_eq!(back.count("UpdateEndpoint"), 3);
    // Once the cause has gone, a new run needs nothing else.
    bench.region(|region| region.sagemaker.failing_images.clear());
    assert_eq!(bench.apply(&churn(OTHER)).await, 1);
    assert_one_endpoint(&bench);
}

#[tokio::test(start_paused = true)]
async fn a_failed_endpoint_is_made_again() {
    let bench = Bench::new(1, Mood::Calm, REGION, scope("churn")).await;
    bench.region(|region| region.sagemaker.failing_images.insert(GOOD.into()));
    let why = bench.failure(&churn(GOOD)).await;
    assert!(why.contains("ping health check"), "{why}");
    bench.region(|region| region.sagemaker.failing_images.clear());
    let next = bench.again(scope("churn")).await;
    assert_eq!(next.plan(&churn(GOOD)).await.count(Action::Recreate), 1);
    assert_eq!(next.apply(&churn(GOOD)).await, 1);
    assert_one_endpoint(&next);
}

/// An endpoint that the spec no longer names is found by its configuration, also where names are cut.
#[tokio::test(start_paused = true)]
async fn what_the_spec_no_longer_has_is_found() {
    let long = format!("{}-Z", "Churn-1234".repeat(6));
    let similar = format!("{}-Y", "Churn-1234".repeat(6));
    for name in ["churn", &long, "a-0123abcd"] {
        let bench = Bench::new(1, Mood::Calm, REGION, scope(name)).await;
        let mut both = hosted(name, GOOD, Some("ml.m5.large"), 1);
        bench.apply(&both).await;
        if name == long {
            // The same thing under a name that is cut to the same text.
            both.resources.retain(|id, _| id.kind != "role");
            add_endpoint(&mut both, &similar, GOOD, Some("ml.m5.large"), 1);
            let scope = Scope { endpoints: vec![long.clone(), similar.clone()], ..Scope::default() };
            let two = bench.again(scope).await;
            two.apply(&both).await;
            two.region(|region| assert_eq!(region.sagemaker.endpoint_configs.len(), 2));
            let none = two.again(Scope::default()).await;
            none.apply(&nothing(&[])).await;
            assert_nothing(&none);
        }
        let bench = bench.again(Scope::default()).await;
        assert_eq!(bench.apply(&nothing(&[])).await, 1);
        assert_nothing(&bench);
        // The role outlives the endpoint (fact book, section 4.3).
        let text = bench.recorder.text();
        let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what} in\n{text}"));
        let gone = at(&format!("Finished {{ id: Id {{ kind: \"endpoint\", name: \"{name}\""));
        assert!(gone < at("Started { id: Id { kind: \"role\""), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_own_is_left_alone() {
    let bench = Bench::new(1, Mood::Calm, REGION, scope("churn")).await;
    bench.apply(&churn(GOOD)).await;
    let other = BTreeMap::from([("auroraml:stack".to_string(), "other".to_string())]);
    bench.region(|region| region.sagemaker.tags.values_mut().for_each(|tags| tags.clone_from(&other)));
    let blocked = bench.blocked(&churn(GOOD)).await;
    for kind in ["model.churn-", "endpoint_config.churn-", "endpoint.churn: "] {
        assert!(blocked.contains(kind), "{blocked}");
    }
    let plan = bench.plan(&nothing(&[])).await;
    assert!(plan.work().all(|step| step.id.kind == "role"), "{plan:?}");
}

/// The names of models and configurations hold the hash of what they are, and the endpoint serves one of them.
#[tokio::test(start_paused = true)]
async fn what_lost_its_tags_is_taken_back() {
    let bench = Bench::new(1, Mood::Calm, REGION, scope("churn")).await;
    bench.apply(&churn(GOOD)).await;
    let clear = || bench.region(|region| region.sagemaker.tags.values_mut().for_each(|tags| tags.clear()));
    clear();
    let plan = bench.plan(&churn(GOOD)).await;
    assert_eq!((plan.count(Action::Update), plan.blocked.len()), (3, 0));
    bench.apply(&churn(GOOD)).await;
    assert_one_endpoint(&bench);
    bench
        .region(|region| assert!(region.sagemaker.tags.values().all(|tags| tags["auroraml:stack"] == STACK)));
    clear();
    bench.again(Scope::default()).await.apply(&nothing(&[])).await;
    let none = bench.again(scope("churn")).await;
    none.apply(&nothing(&[])).await;
    assert_nothing(&none);
}

/// What the spec no longer has goes with its data when a person names it, and not before.
#[tokio::test(start_paused = true)]
async fn a_notebook_is_taken_out_of_a_spec_by_name() {
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    let network = network(&bench).await;
    bench.apply(&with_notebook(&network)).await;
    bench.region(|region| region.sagemaker.tags.values_mut().for_each(|tags| tags.clear()));
    assert_eq!(bench.apply(&with_notebook(&network)).await, 1, "its role proves whose it is");
    let mut without = with_notebook(&network);
    without.resources.retain(|id, _| !id.kind.starts_with("notebook"));
    let blocked = bench.blocked(&without).await;
    assert!(
        blocked.contains("notebook.main: the spec no longer has it, but deleting it would lose data"),
        "{blocked}"
    );
    assert!(blocked.contains("add --delete notebook.main to delete it with its data"), "{blocked}");
    without.let_go.insert("notebook.main".into());
    let plan = bench.plan(&without).await;
    let step = plan.work().find(|step| step.id == main_notebook()).unwrap();
    assert_eq!((step.action, step.impact), (Action::Delete, auroraml_core::members::Impact::DataLoss));
    bench.apply(&without).await;
    bench.region(|region| assert!(region.sagemaker.notebooks.is_empty()));
    assert_eq!(bench.count("DeleteRole"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_killed_anywhere() {
    let bench = Bench::new(3, Mood::Real, REGION, scope("churn")).await;
    let (made, bench) = sweep(&bench, &scope("churn"), &churn(GOOD), assert_one_endpoint).await;
    let (changed, bench) = sweep(&bench, &scope("churn"), &churn(OTHER), assert_one_endpoint).await;
    let (gone, _) = sweep(&bench, &Scope::default(), &nothing(&[]), assert_nothing).await;
    assert!(made >= 10 && changed >= 10 && gone >= 8, "{made}, {changed}, {gone} kill points");
}

#[tokio::test(start_paused = true)]
async fn endpoints_under_forty_seeds() {
    for seed in 0..40 {
        let bench = Bench::new(seed, Mood::Real, REGION, scope("churn")).await;
        bench.apply(&churn(GOOD)).await;
        bench.apply(&churn(OTHER)).await;
        assert_one_endpoint(&bench);
        bench.apply(&nothing(&[])).await;
        assert_nothing(&bench);
    }
}

/// A VPC of others for the notebook: one subnet, one security group.
async fn network(bench: &Bench) -> (String, String) {
    let ec2 = &bench.aws.ec2;
    let vpc = ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap().vpc.unwrap();
    let vpc = vpc.vpc_id.unwrap();
    bench.wait(70).await;
    let subnet = ec2.create_subnet().vpc_id(&vpc).cidr_block("10.0.1.0/24").send().await.unwrap();
    let group = ec2.create_security_group().vpc_id(&vpc).group_name("notebook").description("notebook");
    let group = group.send().await.unwrap().group_id.unwrap();
    bench.wait(70).await;
    (subnet.subnet.unwrap().subnet_id.unwrap(), group)
}

fn main_notebook() -> Id {
    Id::new("notebook", "main")
}

fn with_notebook((subnet, group): &(String, String)) -> Graph {
    let mut graph = Graph::default();
    let role = add_role(&mut graph, "notebook");
    let props = notebook_config::Props {
        on_create: "#!/bin/bash\necho create".into(),
        on_start: "#!/bin/bash\necho start\n\n".into(),
    };
    let name = place().name("notebook");
    let config = graph.add(Id::new("notebook_config", "main"), props).predict("name", &name).id();
    let props = notebook::Props {
        instance: "ml.t3.medium".into(),
        volume: 10,
        subnet: subnet.as_str().into(),
        security_groups: vec![group.as_str().into()],
        direct_internet_access: true,
        role,
        lifecycle_config: Input::of(&config, "name"),
        platform: "notebook-al2023-v1".into(),
        metadata_version: Some("2".into()),
        running: Some(true),
        kms_key: None,
        tags: tags(&main_notebook()),
    };
    graph.add(main_notebook(), props).predict("name", name);
    graph
}

fn without_notebook() -> Graph {
    nothing(&[("notebook", "main", &[])])
}

fn assert_runs(bench: &Bench) {
    bench.region(|region| {
        let notebook = &region.sagemaker.notebooks["churn-notebook"];
        assert_eq!(notebook.status, Status::InService);
        assert_eq!(region.sagemaker.lifecycle_configs.len(), 1);
    });
}

#[tokio::test(start_paused = true)]
async fn a_notebook_is_stopped_changed_and_started() {
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    let graph = with_notebook(&network(&bench).await);
    assert_eq!(bench.apply(&graph).await, 1);
    assert_runs(&bench);
    let id = main_notebook();
    let (_, observed) = bench.look(&graph).await;
    let url = observed[&id].outputs["url"].as_str().unwrap();
    assert!(url.starts_with("https://churn-notebook.notebook."), "what status shows a person: {url}");
    for (path, value) in [("instance", json!("ml.t3.large")), ("volume", json!(20))] {
        let stops = bench.count("StopNotebookInstance");
        assert_eq!(bench.apply(&with(&graph, &id, path, value)).await, 1, "{path}");
        assert_runs(&bench);
        assert_eq!(bench.count("StopNotebookInstance") - stops, 1, "{path}");
    }
    let changed = with(&with(&graph, &id, "volume", 20), &id, "tags.team", "data");
    let stops = bench.count("StopNotebookInstance");
    bench.apply(&with(&changed, &id, "instance", "ml.t3.large")).await;
    let scripts = Id::new("notebook_config", "main");
    let changed = with(&changed, &scripts, "on_start", "#!/bin/bash\necho other\n");
    bench.apply(&with(&changed, &id, "instance", "ml.t3.large")).await;
    // `volume` changed back in the loop above only in the first step.
    assert!(bench.count("StopNotebookInstance") - stops <= 1, "tags and scripts need no stop");
    assert_eq!(bench.count("UpdateNotebookInstanceLifecycleConfig"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_notebook_cannot_change_is_blocked() {
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    let graph = with_notebook(&network(&bench).await);
    bench.apply(&graph).await;
    for (path, value, why) in [
        ("volume", json!(5), "can grow, never shrink"),
        ("subnet", json!("subnet-other"), "another subnet"),
        ("security_groups", json!(["sg-other"]), "when it is created"),
        ("direct_internet_access", json!(false), "when it is created"),
    ] {
        let blocked = bench.blocked(&with(&graph, &main_notebook(), path, value)).await;
        assert!(
            blocked.starts_with(&format!("notebook.main: {path} ")) && blocked.contains(why),
            "{blocked}"
        );
    }
    let blocked = bench.blocked(&Graph::default()).await;
    assert!(blocked.contains("notebook.main: the spec no longer has it"), "{blocked}");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_notebook_is_started_and_an_older_platform_moved_on() {
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    let graph = with_notebook(&network(&bench).await);
    bench.apply(&graph).await;
    bench
        .aws
        .sagemaker
        .stop_notebook_instance()
        .notebook_instance_name("churn-notebook")
        .send()
        .await
        .unwrap();
    assert_eq!(bench.apply(&graph).await, 1);
    assert_runs(&bench);
    bench.region(|region| {
        let notebook = region.sagemaker.notebooks.get_mut("churn-notebook").unwrap();
        notebook.platform = "notebook-al2-v3".into();
    });
    bench.apply(&graph).await;
    bench.region(|region| {
        assert_eq!(region.sagemaker.notebooks["churn-notebook"].platform, "notebook-al2023-v1");
    });
    // What AWS moved on by itself is as good.
    let older = with(&graph, &main_notebook(), "platform", "notebook-al2-v2");
    assert!(bench.plan(&older).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_notebook_whose_script_failed_says_where_its_log_is() {
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    let graph = with_notebook(&network(&bench).await);
    bench.region(|region| region.sagemaker.failing_lifecycle_configs.insert("churn-notebook".into()));
    let why = bench.failure(&graph).await;
    assert!(why.contains("took longer than 5 minutes"), "{why}");
    assert!(why.contains("/aws/sagemaker/NotebookInstances, streams churn-notebook/Lifecycle"), "{why}");
    // Nothing is replaced by itself, and a destroy still works.
    let plan = bench.plan(&graph).await;
    assert_eq!((plan.count(Action::Recreate), plan.count(Action::Recheck)), (0, 1));
    bench.apply(&without_notebook()).await;
    assert_nothing(&bench);
}

#[tokio::test(start_paused = true)]
async fn a_notebook_killed_anywhere() {
    let bench = Bench::new(2, Mood::Real, REGION, Scope::default()).await;
    let graph = with_notebook(&network(&bench).await);
    let (made, bench) = sweep(&bench, &Scope::default(), &graph, assert_runs).await;
    let larger = with(&graph, &main_notebook(), "instance", "ml.t3.large");
    let (changed, bench) = sweep(&bench, &Scope::default(), &larger, assert_runs).await;
    let (gone, _) = sweep(&bench, &Scope::default(), &without_notebook(), assert_nothing).await;
    assert!(made >= 8 && changed >= 6 && gone >= 8, "{made}, {changed}, {gone} kill points");
}

#[tokio::test(start_paused = true)]
async fn notebooks_under_forty_seeds() {
    for seed in 0..40 {
        let bench = Bench::new(seed, Mood::Real, REGION, Scope::default()).await;
        let graph = with_notebook(&network(&bench).await);
        bench.apply(&graph).await;
        bench.apply(&with(&graph, &main_notebook(), "volume", 30)).await;
        assert_runs(&bench);
        bench.apply(&without_notebook()).await;
        assert_nothing(&bench);
    }
}

/// The whole way from a spec: names, hashes and references are the model's.
#[tokio::test(start_paused = true)]
async fn a_spec_with_endpoints_and_nothing_else() {
    let text = std::fs::read_to_string("tests/data/hosting.yaml").unwrap();
    let first = spec(&text);
    let account = Account::new(1, Mood::Real);
    account.apply(&first).await;
    let calls = || account.sandbox.with(|world| world.log.len());
    let before = calls();
    assert!(account.plan(&first).await.is_empty());
    println!("{} calls", calls() - before);
    account.sandbox.with(|world| {
        for entry in &world.log[before..] {
            println!("  {}:{}", entry.service, entry.operation);
        }
    });
    account.apply(&spec(&text.replace("ml.m5.large", "ml.m5.xlarge"))).await;
    account.destroy(&first).await;
    assert_eq!(account.traces(&first), Vec::<String>::new());
}
