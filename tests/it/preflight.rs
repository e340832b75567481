//! What is found before anything is created: quotas, instance classes, model archives.

use crate::harness::{Account, spec, spec_file};
use auroraml::run::reconcile::PrepareError;
use auroraml_core::model::Intent;
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
        ("vpc/L-F678F1CE", "VPCs: 0 exist in us-east-1, 1 more are needed, and the quota is 0"),
        (
            "ec2/L-0263D0A3",
            "Elastic IP addresses: 0 exist in us-east-1, 1 more are needed, and the quota is 0",
        ),
        (
            "sagemaker/ml.m5.large for endpoint usage",
            "SageMaker quota \"ml.m5.large for endpoint usage\": it is 0 in us-east-1, and 1 are needed",
        ),
        (
            "sagemaker/ml.t3.medium for notebook instance usage",
            "SageMaker quota \"ml.t3.medium for notebook instance usage\": it is 0 in us-east-1, and 1 are needed",
        ),
    ] {
        assert_eq!(problem(&churn, &[(quota, 0.0)]).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_region_or_the_bucket_does_not_have() {
    let churn = spec_file("churn.yaml");
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
    // A VPC, an address, an endpoint's instance and a notebook's.
    assert_eq!(asked, ["GetServiceQuota"; 4]);
}

/// AWS has no quota for a type that no endpoint can have, and a region may lack one that others have: that is said,
/// and stops nobody.
#[tokio::test(start_paused = true)]
async fn a_quota_that_is_not_there_is_a_note() {
    let churn = spec_file("churn.yaml");
    for (instance, why) in
        [("ml.m9.large", "its code is not known to auroraml"), ("ml.c4.large", "NoSuchResourceException")]
    {
        let text = churn.replace("ml.m5.large", instance);
        let account = Account::new(1, Mood::Calm);
        let plan = account.plan(&spec(&text)).await;
        let note = format!(
            "the SageMaker quota \"{instance} for endpoint usage\" could not be checked beforehand: "
        );
        let found = plan.notes.iter().find(|found| found.starts_with(&note));
        assert!(found.is_some_and(|found| found.contains(why)), "{instance}: {:?}", plan.notes);
    }
}
