//! What is ours to delete: tags others can set prove nothing, and what is left is named.

use crate::harness::{Account, Recorder, spec, spec_file};
use auroraml::run::reconcile::{Outcome, prepare, reconcile, survey};
use auroraml_core::base::Id;
use auroraml_core::model::Intent;
use auroraml_core::plan::Plan;
use auroraml_core::render::Subject;
use auroraml_core::render::status::Stack as Status;
use auroraml_core::resource::Action;
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use aws_sdk_sagemaker::types::{ContainerDefinition, ProductionVariant};
use std::sync::Arc;
use std::time::Duration;

const DESTROY: Intent = Intent::Destroy { unprotect: true };

const NETWORK: &str = "
stack: net
region: us-east-1
tags: { project: churn }
network:
  cidr: 10.0.0.0/16
  public_subnets: [10.0.0.0/24]
  private_subnets: [10.0.16.0/20]
  nat: single
";

/// Carries out what a person lets go by name.
async fn run(account: &Account, spec: &Spec, intent: Intent, let_go: &[&str]) -> (Plan, Outcome) {
    let mut stack = account.connect(spec).await;
    stack.let_go = let_go.iter().map(|id| (*id).to_string()).collect();
    let prepared = prepare(&stack, intent).await.unwrap();
    let plan = prepared.plan.clone();
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let outcome = reconcile(&stack, intent, prepared, stop, Arc::new(Recorder::default())).await.unwrap();
    assert!(outcome.is_complete(), "{:#?}", outcome.reports);
    (plan, outcome)
}

fn tagged(kind: ResourceType, name: &str) -> TagSpecification {
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    let tags = TagSpecification::builder().resource_type(kind).tags(tag("auroraml:stack", "net"));
    tags.tags(tag("auroraml:resource", name)).build()
}

/// Why each of these is left alone.
fn left(plan: &Plan) -> Vec<String> {
    plan.left_alone.iter().map(|left| format!("{}: {}", left.id, left.why)).collect()
}

/// Somebody's VPC, with this stack's tags on what is in it; an idle address, a gateway and an empty VPC likewise.
#[tokio::test(start_paused = true)]
async fn a_hostile_tag_deletes_nothing_of_others() {
    let (account, spec) = (Account::new(1, Mood::Calm), spec(NETWORK));
    account.apply(&spec).await;
    let ec2 = account.administrator(&spec).await.aws.ec2.clone();
    let vpc = ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let wait = async || account.sandbox.clock().sleep(Duration::from_secs(90)).await;
    wait().await;
    let subnet = ec2.create_subnet().vpc_id(&vpc).cidr_block("10.0.0.0/24");
    // Under a name that the spec has, and under one that it has not.
    subnet.tag_specifications(tagged(ResourceType::Subnet, "subnet.private-1")).send().await.unwrap();
    let group = ec2.create_security_group().vpc_id(&vpc).group_name("theirs").description("theirs");
    let tags = tagged(ResourceType::SecurityGroup, "security_group.spare");
    group.tag_specifications(tags).send().await.unwrap();
    let table = ec2.create_route_table().vpc_id(&vpc);
    table.tag_specifications(tagged(ResourceType::RouteTable, "route_table.spare")).send().await.unwrap();
    let gateway = ec2.create_internet_gateway();
    let tags = tagged(ResourceType::InternetGateway, "internet_gateway.main");
    gateway.tag_specifications(tags).send().await.unwrap();
    let address = ec2.allocate_address().domain("vpc".into());
    let tags = tagged(ResourceType::ElasticIp, "elastic_ip.spare");
    let address = address.tag_specifications(tags).send().await.unwrap().allocation_id.unwrap();
    let empty = ec2.create_vpc().cidr_block("10.9.0.0/16");
    empty.tag_specifications(tagged(ResourceType::Vpc, "vpc.main")).send().await.unwrap();
    wait().await;
    let theirs = |account: &Account| -> Vec<String> {
        let region =
            account.sandbox.with(|world| serde_json::to_value(&world.regions["us-east-1"].ec2).unwrap());
        let all = ["subnets", "security_groups", "route_tables", "internet_gateways", "addresses", "vpcs"];
        all.iter()
            .flat_map(|kind| region[*kind].as_object().into_iter().flatten().map(|(id, _)| id.clone()))
            .collect()
    };
    let before = theirs(&account);

    let plan = account.plan(&spec).await;
    assert!(plan.is_empty() && plan.blocked.is_empty(), "{plan:#?}");
    let told = left(&plan);
    for (kind, why) in [
        ("subnet.private-1#", "which does not belong to the stack"),
        ("security_group.spare#", "which does not belong to the stack"),
        ("route_table.spare#", "which does not belong to the stack"),
        ("internet_gateway.main#", "only its tags say"),
        ("elastic_ip.spare: ", "only its tags say"),
        ("vpc.main#", "only its tags say"),
    ] {
        assert!(told.iter().any(|line| line.starts_with(kind) && line.contains(why)), "{kind} {told:#?}");
    }
    account.apply(&spec).await;
    assert_eq!(theirs(&account), before);

    let (plan, outcome) = run(&account, &spec, DESTROY, &[]).await;
    assert!(plan.work().all(|step| !step.id.name.contains('#')), "{plan:#?}");
    assert_eq!(left(&outcome.remaining).len(), 6, "{:?}", left(&outcome.remaining));
    let after = theirs(&account);
    assert!(after.len() < before.len());
    account.sandbox.with(|world| {
        let ec2 = serde_json::to_value(&world.regions["us-east-1"].ec2).unwrap().to_string();
        assert!(ec2.contains(&vpc) && ec2.contains(&address));
    });

    // A person knows better than a tag.
    let (plan, outcome) = run(&account, &spec, DESTROY, &["elastic_ip.spare", "subnet.private-1"]).await;
    assert_eq!(plan.work().map(|step| step.id.to_string()).collect::<Vec<_>>(), ["elastic_ip.spare"]);
    assert_eq!(left(&outcome.remaining).len(), 5);
}

/// What is deleted beside the objects themselves stands in the plan.
#[tokio::test(start_paused = true)]
async fn interfaces_that_go_are_in_the_plan() {
    let (account, spec) = (Account::new(1, Mood::Calm), spec(NETWORK));
    account.apply(&spec).await;
    let plan = account.prepare(&spec, DESTROY).await.unwrap().plan;
    for kind in ["subnet", "security_group"] {
        let mut steps = plan.work().filter(|step| step.id.kind == kind).peekable();
        assert!(steps.peek().is_some() || kind == "security_group");
        assert!(
            steps.all(|step| step.reason.as_deref().is_some_and(|why| why.contains("network interfaces")))
        );
    }
}

/// Without its tags nobody can tell the VPC from somebody else's: the way back is told, and nothing is called nothing.
#[tokio::test(start_paused = true)]
async fn a_vpc_that_lost_its_tags_is_not_made_twice() {
    let (account, spec) = (Account::new(1, Mood::Calm), spec(NETWORK));
    account.apply(&spec).await;
    let observed = account.prepare(&spec, Intent::Apply).await.unwrap().observed;
    let vpc = observed[&Id::new("vpc", "main")].output("id").unwrap().to_string();
    let ec2 = account.administrator(&spec).await.aws.ec2.clone();
    let stack = || Tag::builder().key("auroraml:stack");
    ec2.delete_tags().resources(&vpc).tags(stack().build()).send().await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(90)).await;
    let plan = account.plan(&spec).await;
    assert_eq!(plan.blocked.len(), 1, "{:?}", plan.blocked);
    let remedy =
        format!("tag {vpc} with auroraml:stack = net and auroraml:resource = vpc.main, then run again");
    assert!(plan.blocked[0].hint.contains(&remedy), "{:?}", plan.blocked);
    let plan = account.prepare(&spec, DESTROY).await.unwrap().plan;
    assert!(left(&plan).iter().any(|line| line.starts_with("vpc.main: ")), "{:?}", left(&plan));
    ec2.create_tags().resources(&vpc).tags(stack().value("net").build()).send().await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(90)).await;
    account.assert_settled(&spec, Intent::Apply).await;
    account.destroy(&spec).await;
}

/// An endpoint that a notebook makes: shown, kept and named by a destroy, and deleted when a person says so.
#[tokio::test(start_paused = true)]
async fn what_a_notebook_made_is_offered() {
    let (account, spec) = (Account::new(1, Mood::Calm), spec(&spec_file("minimal.yaml")));
    account.apply(&spec).await;
    let aws = account.administrator(&spec).await.aws.clone();
    let image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1";
    let container = ContainerDefinition::builder().image(image).build();
    let role = "arn:aws:iam::111122223333:role/theirs";
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    aws.iam.create_role().role_name("theirs").assume_role_policy_document(trust).send().await.unwrap();
    let policy =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:*","Resource":"*"}]}"#;
    let put = aws.iam.put_role_policy().role_name("theirs").policy_name("all").policy_document(policy);
    put.send().await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(60)).await;
    let mut config = aws.sagemaker.create_endpoint_config().endpoint_config_name("churn");
    // The first has the name that the stack's notebook gives its models; the other may be anybody's.
    for name in ["minimal-notebook-2026", "sagemaker-xgboost-2026"] {
        let model = aws.sagemaker.create_model().model_name(name).primary_container(container.clone());
        model.execution_role_arn(role).send().await.unwrap();
        let variant = ProductionVariant::builder().variant_name(name).model_name(name);
        let variant = variant.instance_type("ml.m5.large".into()).initial_instance_count(1);
        config = config.production_variants(variant.build());
    }
    config.send().await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(60)).await;
    let endpoint = aws.sagemaker.create_endpoint().endpoint_name("churn").endpoint_config_name("churn");
    endpoint.send().await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(900)).await;

    account.assert_settled(&spec, Intent::Apply).await;
    // The stack does not take it over.
    let model =
        "{ image: \"xgboost:1.7-1\", artifact: \"s3://sagemaker-sample-files/models/churn/model.tar.gz\" }";
    let managed = format!("churn: {{ model: {model}, instance: ml.m5.large }}");
    let text = spec_file("minimal.yaml");
    let at = text.find("churn: {").unwrap_or_else(|| panic!("{text}"));
    let end = at + text[at..].find('}').unwrap() + 1;
    let taken = crate::harness::spec(&text.replace(&text[at..end], &managed));
    let blocked = account.plan(&taken).await.blocked;
    assert!(blocked.iter().any(|blocked| blocked.id == Id::new("endpoint", "churn")), "{blocked:?}");
    let status = status(&account, &spec).await;
    assert!(status.contains("endpoint.churn") && status.contains("(not this stack's)"), "{status}");
    let (plan, outcome) = run(&account, &spec, DESTROY, &[]).await;
    assert!(plan.work().all(|step| step.id.kind != "endpoint"));
    let note = "endpoint.churn is kept, because the stack did not create it, and costs money";
    assert!(outcome.remaining.notes[0].starts_with(note), "{:?}", outcome.remaining.notes);
    assert!(
        outcome.remaining.notes[0].ends_with("add --delete endpoint.churn"),
        "{:?}",
        outcome.remaining.notes
    );
    let (plan, _) = run(&account, &spec, DESTROY, &["endpoint.churn"]).await;
    assert_eq!(plan.count(Action::Delete), 1);
    account.sandbox.with(|world| {
        let sagemaker = &world.regions[&spec.region].sagemaker;
        assert!(sagemaker.endpoints.is_empty() && sagemaker.endpoint_configs.is_empty());
        let models: Vec<&str> = sagemaker.models.values().map(|model| model.name.as_str()).collect();
        assert_eq!(models, ["sagemaker-xgboost-2026"]);
    });
}

/// What `status` says.
async fn status(account: &Account, spec: &Spec) -> String {
    let survey = survey(&account.connect(spec).await, Intent::Apply).await.unwrap();
    let subject = Subject {
        stack: spec.stack.clone(),
        account: "111122223333".into(),
        region: spec.region.clone(),
        destroy: false,
        allow: Default::default(),
        allow_is_final: false,
        has_window: false,
    };
    let topology = survey.observed.values().find_map(auroraml_core::members::Topology::told_by);
    let mut status = Status::new(&subject, &survey.observed, topology.as_ref(), Default::default());
    status.compare(&survey.planned.unwrap().1);
    status.to_text().replace("\u{1b}[0m", "")
}

/// Missing, different, waiting for a restart: each is said of the object itself.
#[tokio::test(start_paused = true)]
async fn status_tells_what_is_missing_and_what_differs() {
    let text = spec_file("churn.yaml");
    let (account, spec) = (Account::new(1, Mood::Calm), spec(&text));
    assert!(status(&account, &spec).await.contains("Nothing of this stack exists."));
    account.apply(&spec).await;
    let healthy = status(&account, &spec).await;
    for word in ["missing", "differs", "pending-reboot", "not in the spec"] {
        assert!(!healthy.contains(word), "{healthy}");
    }
    let aws = account.administrator(&spec).await.aws.clone();
    let endpoint = spec.endpoints.keys().next().unwrap();
    aws.sagemaker.delete_endpoint().endpoint_name(endpoint).send().await.unwrap();
    let parameter = aws_sdk_rds::types::Parameter::builder().parameter_name("binlog_format");
    let parameter = parameter.parameter_value("ROW").apply_method("pending-reboot".into()).build();
    let group = aws.rds.modify_db_cluster_parameter_group().db_cluster_parameter_group_name(&spec.stack);
    group.parameters(parameter).send().await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(600)).await;
    let told = status(&account, &spec).await;
    let line = |id: &str| {
        let found = told.lines().find(|line| line.trim_start().starts_with(&format!("{id} ")));
        found.unwrap_or_else(|| panic!("{id} in\n{told}")).to_string()
    };
    assert!(line(&format!("endpoint.{endpoint}")).contains("missing"), "{told}");
    assert!(line("parameter_group.main").contains("differs"), "{told}");
    assert!(line("parameter_group.main").contains("(parameters.binlog_format)"), "{told}");
    assert!(line("cluster.main").contains("pending-reboot"), "{told}");
    assert!(
        told.lines().any(|l| l.trim_start().starts_with("instance.") && l.contains("pending-reboot")),
        "{told}"
    );
}

/// A role that others make between the plan and the apply, under the name of one of the stack's: it is not written to.
#[tokio::test(start_paused = true)]
async fn a_role_of_others_under_our_name_is_not_written_to() {
    let (account, spec) = (Account::new(1, Mood::Calm), spec(&spec_file("minimal.yaml")));
    let stack = account.connect(&spec).await;
    let prepared = prepare(&stack, Intent::Apply).await.unwrap();
    let iam = account.administrator(&spec).await.aws.iam.clone();
    let role = stack.aws.place.role("sagemaker");
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    iam.create_role().role_name(&role).assume_role_policy_document(trust).send().await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(60)).await;
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let recorder = Arc::new(Recorder::default());
    // The look afterwards finds the role as well.
    let ended = reconcile(&stack, Intent::Apply, prepared, stop, recorder.clone()).await;
    assert!(format!("{ended:?}").contains("RoleNameTaken"), "{ended:?}");
    let text = recorder.text();
    assert!(text.contains("exists under the path /, which does not belong to the stack"), "{text}");
    let policies = iam.list_role_policies().role_name(&role).send().await.unwrap();
    assert!(policies.policy_names().is_empty(), "{policies:?}");
}
