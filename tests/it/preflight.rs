//! What is found before anything is created: quotas, instance classes, model archives.

mod database;
mod existing;
mod fixtures;
mod models;
mod network;
mod permissions;
mod quotas;
mod roles;
mod taken_over;
mod templates;

use crate::harness::{Account, hosting, spec, spec_file};
use auroraml::run::reconcile::PrepareError;
use auroraml_core::base::{Change, To};
use auroraml_core::model::Intent;
use auroraml_core::plan::Plan;
use auroraml_sandbox::random::Mood;

/// The one problem that planning `text` finds in an account whose quotas are changed; nothing may be called.
async fn problem(text: &str, quotas: &[(&str, f64)]) -> String {
    let spec = spec(text);
    let account = Account::new(1, Mood::Calm);
    account.sandbox.with(|world| {
        let region = world.regions.entry(spec.region.clone()).or_default();
        region.servicequotas.overrides =
            quotas.iter().map(|(name, value)| ((*name).into(), *value)).collect();
    });
    let prepared = account.prepare(&spec, Intent::Apply).await;
    assert_eq!(account.mutations(), 0);
    match prepared {
        Err(PrepareError::Preflight(problems)) => {
            assert_eq!(problems.len(), 1, "{problems:?}");
            format!("{}: {}", problems[0].what, problems[0].why)
        }
        Err(PrepareError::Bug(why)) => panic!("{why}"),
        Err(PrepareError::Aws(failure)) => panic!("{failure}"),
        Ok(_) => "none".into(),
    }
}

#[tokio::test(start_paused = true)]
async fn quotas_that_are_too_small() {
    let churn = spec_file("churn.yaml");
    assert_eq!(problem(&churn, &[]).await, "none");
    for (quota, expected) in [
        ("vpc/L-F678F1CE", "VPCs: 1 in use in us-east-1, 1 more needed, and the quota is 0"),
        ("ec2/L-0263D0A3", "Elastic IP addresses: 0 in use in us-east-1, 1 more needed, and the quota is 0"),
        (
            "sagemaker/ml.m5.large for endpoint usage",
            "SageMaker quota \"ml.m5.large for endpoint usage\": it is 0 in us-east-1, and this stack needs 1",
        ),
        (
            "sagemaker/ml.t3.medium for notebook instance usage",
            "SageMaker quota \"ml.t3.medium for notebook instance usage\": it is 0 in us-east-1, and this stack needs 1",
        ),
    ] {
        assert_eq!(problem(&churn, &[(quota, 0.0)]).await, expected);
        // Exactly enough; an account has a VPC of its own.
        let enough = if quota.starts_with("vpc/") { 2.0 } else { 1.0 };
        assert_eq!(problem(&churn, &[(quota, enough)]).await, "none");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_region_or_the_bucket_does_not_have() {
    let churn = hosting();
    let class = problem(&churn.replace("db.r6g.large", "db.r99.large"), &[]).await;
    assert!(class.contains("us-east-1 does not offer db.r99.large"), "{class}");
    let artifact = problem(&churn.replace("model.tar.gz", "other.tar.gz"), &[]).await;
    assert!(
        artifact.contains("there is no s3://sagemaker-sample-files/models/churn/other.tar.gz"),
        "{artifact}"
    );
    let version = problem(&churn.replace("engine_version: \"8.0\"", "engine_version: \"3.99\""), &[]).await;
    assert!(version.contains("begins with 3.99"), "{version}");
}

/// SageMaker has at least 1,600 quotas: those that are needed are asked for, and no list.
#[tokio::test(start_paused = true)]
async fn only_the_quotas_that_are_needed_are_asked_for() {
    let spec = spec(&spec_file("churn.yaml"));
    let account = Account::new(1, Mood::Calm);
    let plan = account.plan(&spec).await;
    assert!(plan.notes.iter().all(|note| !note.contains("quota")), "{:?}", plan.notes);
    let asked: Vec<String> = account.sandbox.with(|world| {
        let quotas = world.log.iter().filter(|entry| entry.service == "servicequotas");
        quotas.map(|entry| entry.operation.clone()).collect()
    });
    // A VPC, its internet gateway, a NAT gateway, an address and a gateway endpoint; the instances of an endpoint, a
    // notebook and a training job, and those of all endpoints and of all notebooks.
    assert_eq!(asked, ["GetServiceQuota"; 10]);
}

/// AWS has no quota for a type that no endpoint can have, and a region may lack one that others have: that is said,
/// and stops nobody.
#[tokio::test(start_paused = true)]
async fn a_quota_that_is_not_there_is_a_note() {
    let churn = spec_file("churn.yaml");
    for (instance, why) in
        [("ml.m9.large", "auroraml does not know its code"), ("ml.c4.large", "NoSuchResourceException")]
    {
        let text = churn.replace("ml.m5.large", instance);
        let account = Account::new(1, Mood::Calm);
        let plan = account.plan(&spec(&text)).await;
        let note = format!("the SageMaker quota \"{instance} for endpoint usage\" could not be checked: ");
        let found = plan.notes.iter().find(|found| found.starts_with(&note));
        assert!(found.is_some_and(|found| found.contains(why)), "{instance}: {:?}", plan.notes);
    }
}

/// Which parameters there are is AWS's to say: one that auroraml does not know is set, and one that AWS does not know is
/// found before anything is called.
#[tokio::test(start_paused = true)]
async fn aws_says_which_parameters_there_are() {
    let churn = spec_file("churn.yaml");
    let with = |parameter: &str| {
        let old = "parameters: { character_set_database: utf8mb4 }";
        assert!(churn.contains(old));
        churn.replace(old, &format!("parameters: {{ {parameter} }}"))
    };
    // Of the instance level, which DescribeEngineDefaultClusterParameters leaves out.
    assert_eq!(problem(&with("aurora_pq_force: 1"), &[]).await, "none");
    // On the second page of the list.
    assert_eq!(problem(&with("thread_cache_size: 100"), &[]).await, "none");
    let account = Account::new(1, Mood::Calm);
    account.apply(&spec(&with("aurora_pq_force: 1"))).await;
    let unknown = problem(&with("max_conections: 100"), &[]).await;
    assert_eq!(unknown, "aurora.parameters.max_conections: aurora-mysql8.0 has no such parameter");
    let fixed = problem(&with("innodb_page_size: 16384"), &[]).await;
    assert_eq!(fixed, "aurora.parameters.innodb_page_size: it cannot be changed in aurora-mysql8.0");
}

/// Names that auroraml knows cost no question.
#[tokio::test(start_paused = true)]
async fn known_parameters_are_not_asked_about() {
    let account = Account::new(1, Mood::Calm);
    assert!(!account.plan(&spec(&spec_file("churn.yaml"))).await.is_empty());
    let asked = account.sandbox.world().log.iter().any(|call| call.operation.contains("EngineDefault"));
    assert!(!asked);
}

/// Zones are chosen from what AWS offers: us-east-1b has no endpoints of SageMaker and no db.t4g in the sandbox.
#[tokio::test(start_paused = true)]
async fn zones_are_those_that_have_what_the_spec_needs() {
    let minimal = spec_file("minimal.yaml");
    assert!(minimal.contains("db.t4g.medium") && minimal.contains("endpoints: [sagemaker_runtime]"));
    let zones = |plan: &Plan| -> Vec<String> {
        let subnets = plan.steps.iter().filter(|step| step.id.kind == "subnet");
        let zone = |change: &Change| {
            (change.path == "zone").then(|| match &change.to {
                To::Value(zone) => zone.as_str().unwrap().to_string(),
                To::KnownAfterApply(_) => panic!("a zone that nobody knows"),
            })
        };
        subnets.flat_map(|step| step.changes.iter().filter_map(zone)).collect()
    };
    let account = Account::new(1, Mood::Calm);
    let plan = account.plan(&spec(&minimal)).await;
    assert_eq!(zones(&plan), ["us-east-1a", "us-east-1c"]);
    // Built, stable, and not asked about again (both in `apply`).
    account.apply(&spec(&minimal)).await;
    let before = account.sandbox.world().log.len();
    assert!(account.plan(&spec(&minimal)).await.is_empty());
    let asked = account.sandbox.world().log;
    let asked = asked[before..].iter().any(|call| {
        ["DescribeVpcEndpointServices", "DescribeOrderableDBInstanceOptions", "DescribeAvailabilityZones"]
            .contains(&call.operation.as_str())
    });
    assert!(!asked, "a plan that makes nothing asks for no zones");
    // Without a need for it the zone is as good as any.
    let free = minimal.replace("db.t4g.medium", "db.r6g.large").replace(
        "endpoints: [sagemaker_runtime]      # the cluster's way to the endpoint, without NAT",
        "public_subnets: [10.0.0.192/26]\n  nat: single",
    );
    let plan = Account::new(1, Mood::Calm).plan(&spec(&free)).await;
    assert_eq!(zones(&plan), ["us-east-1a", "us-east-1b", "us-east-1a"]);
}

/// What cannot stand where it has to is found before anything is made.
#[tokio::test(start_paused = true)]
async fn zones_that_lack_what_the_spec_needs() {
    let ranges = (0..6).map(|n| format!("10.0.{n}.0/24")).collect::<Vec<_>>().join(", ");
    let six = spec_file("minimal.yaml")
        .replace("cidr: 10.0.0.0/24", "cidr: 10.0.0.0/16")
        .replace("private_subnets: [10.0.0.0/26, 10.0.0.64/26]", &format!("private_subnets: [{ranges}]"));
    let why = problem(&six, &[]).await;
    assert_eq!(
        why,
        "network.endpoints: com.amazonaws.us-east-1.sagemaker.runtime has no interface endpoints in us-east-1b, \
         where private subnets are: AWS offers them in us-east-1a, us-east-1c, us-east-1d, us-east-1e, us-east-1f"
    );
}

/// The newest version that is in standard support on the day: fact book, table of versions.
#[tokio::test(start_paused = true)]
async fn a_version_is_chosen_by_the_day() {
    let text = spec_file("minimal.yaml").replace("aurora:\n", "aurora:\n  engine_version: \"8.0\"\n");
    for (date, version) in
        [("2026-12-01", "8.0.mysql_aurora.3.13.0"), ("2028-01-01", "8.0.mysql_aurora.3.10.3")]
    {
        let account = Account::new(1, Mood::Calm);
        let day: jiff::Timestamp = format!("{date}T00:00:00Z").parse().unwrap();
        let account = Account::over({
            let mut world = account.sandbox.world();
            world.now = u64::try_from(day.as_millisecond()).unwrap();
            world
        });
        let plan = account.plan(&spec(&text)).await;
        let cluster = plan.work().find(|step| step.id.kind == "cluster").unwrap();
        let chosen = cluster.changes.iter().find(|change| change.path == "engine_version").unwrap();
        assert_eq!(chosen.to, To::Value(version.into()), "{date}");
    }
}
