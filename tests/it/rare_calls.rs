//! Calls that no example makes on its way up and down; tests/clients/models.py asks that every call of the tool is seen.

use crate::harness::{Account, hosting, spec, spec_file};
use auroraml::verify::{Outcome, verify};
use auroraml_core::policy::Purpose;
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::{ACCOUNT, World};

fn called(world: &World, operation: &str) -> bool {
    world.log.iter().any(|entry| entry.operation == operation && entry.code.is_none())
}

async fn failed(account: &Account, spec: &Spec) -> Vec<String> {
    let checks = verify(&account.connect(spec).await, false).await.unwrap();
    checks
        .into_iter()
        .filter(|check| check.outcome == Outcome::Failed)
        .map(|check| format!("{}: {}", check.check, check.found))
        .collect()
}

/// A provisioned cluster is switched by EnableHttpEndpoint: the flag of ModifyDBCluster is Serverless v1's.
#[tokio::test(start_paused = true)]
async fn the_data_api_is_switched_on_in_place() {
    let text = hosting();
    let (off, on) = (spec(&text.replace("data_api: true", "data_api: false")), spec(&text));
    let account = Account::new(3, Mood::Real);
    account.apply(&off).await;
    assert!(!account.sandbox.with(|world| called(world, "EnableHttpEndpoint")));
    account.apply(&on).await;
    assert!(account.sandbox.with(|world| called(world, "EnableHttpEndpoint")));
    account.destroy(&on).await;
}

/// A managed policy on our role grants what it says, and goes with the role, which AWS would not delete otherwise.
#[tokio::test(start_paused = true)]
async fn a_policy_that_somebody_attached_counts_and_goes_with_the_role() {
    let spec = spec(&spec_file("minimal.yaml"));
    let account = Account::new(3, Mood::Calm);
    account.apply(&spec).await;
    let before = failed(&account, &spec).await;
    let (http, clock) = (account.sandbox.http_client(), account.sandbox.clock());
    let iam =
        aws_sdk_iam::Client::new(&auroraml::aws::simulated_config_as("AKID", "us-east-1", http, &clock));
    let document = r#"{"Version": "2012-10-17", "Statement":
        [{"Effect": "Deny", "Action": "sagemaker:InvokeEndpoint", "Resource": "*"}]}"#;
    iam.create_policy().policy_name("deny").policy_document(document).send().await.unwrap();
    let role = "minimal-us-east-1-sagemaker";
    let policy = format!("arn:aws:iam::{ACCOUNT}:policy/deny");
    iam.attach_role_policy().role_name(role).policy_arn(&policy).send().await.unwrap();
    // IAM is seen everywhere only after a while.
    clock.sleep(std::time::Duration::from_secs(120)).await;
    let after = failed(&account, &spec).await;
    assert!(after.len() > before.len(), "{before:?}\n{after:?}");
    account.destroy(&spec).await;
    assert!(account.sandbox.with(|world| called(world, "DetachRolePolicy")));
}

/// Somebody opens a role to others and a bucket to the world, and begins an upload: the next apply takes back the one,
/// the destroy the other.
#[tokio::test(start_paused = true)]
async fn what_a_person_did_to_a_role_and_a_bucket_is_mended() {
    let spec = spec(&hosting());
    let account = Account::new(3, Mood::Real);
    account.apply(&spec).await;
    let aws = account.administrator(&spec).await.aws;
    let trust = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": ["rds.amazonaws.com", "ec2.amazonaws.com"]}, "Action": "sts:AssumeRole"}]}"#;
    let role = aws.place.role("s3");
    aws.iam.update_assume_role_policy().role_name(role).policy_document(trust).send().await.unwrap();
    let bucket = aws.bucket();
    aws.s3.delete_public_access_block().bucket(&bucket).send().await.unwrap();
    account.sandbox.clock().sleep(std::time::Duration::from_secs(120)).await;
    account.apply(&spec).await;
    aws.s3.create_multipart_upload().bucket(&bucket).key("half").send().await.unwrap();
    account.destroy(&spec).await;
    for operation in ["UpdateAssumeRolePolicy", "PutPublicAccessBlock", "AbortMultipartUpload"] {
        assert!(account.sandbox.with(|world| called(world, operation)), "{operation}");
    }
}

/// The name of a secret that was deleted stays taken for its days: the next stack takes the secret back.
#[tokio::test(start_paused = true)]
async fn a_stack_that_comes_again_restores_its_secret() {
    let text = hosting().replace("recovery_window_days: 0", "recovery_window_days: 7");
    assert!(text.contains("recovery_window_days: 7"), "{text}");
    let spec = spec(&text);
    let account = Account::new(3, Mood::Calm);
    account.apply(&spec).await;
    account.destroy(&spec).await;
    account.apply(&spec).await;
    assert!(account.sandbox.with(|world| called(world, "RestoreSecret")));
}

/// The Tagging API does not show yet what has just been made: who looks for stacks asks the roles for their tags.
#[tokio::test(start_paused = true)]
async fn a_stack_that_only_its_roles_show() {
    let spec = spec(&spec_file("minimal.yaml"));
    let account = Account::new(3, Mood::Calm);
    let aws = account.connect_for(&spec, &[Purpose::Destroy]).await.unwrap().aws;
    assert!(auroraml::run::found::stacks(&aws, &[]).await.unwrap().is_empty());
    let listener = std::sync::Arc::new(crate::harness::Recorder::default());
    let run = account.run(&spec, auroraml_core::model::Intent::Apply, listener);
    assert!(
        tokio::time::timeout(std::time::Duration::from_secs(20), run).await.is_err(),
        "it ended too early"
    );
    let found = auroraml::run::found::stacks(&aws, &[]).await.unwrap();
    assert_eq!(found.iter().map(|found| found.stack.as_str()).collect::<Vec<_>>(), ["minimal"]);
    assert!(account.sandbox.with(|world| called(world, "ListRoleTags")));
}
