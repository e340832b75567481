//! Simulated IAM as the real SDK sees it: fact book, section 3 and traps 35 to 38.

use crate::support;
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::{ACCOUNT, Sandbox};
use aws_sdk_iam::Client;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::types::Tag;
use std::time::Duration;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rds.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const INVOKE: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Invoke","Effect":"Allow","Action":"sagemaker:InvokeEndpoint","Resource":"arn:aws:sagemaker:us-east-1:111122223333:endpoint/churn"}]}"#;

fn start() -> (Sandbox, Client) {
    let sandbox = support::sandbox(1, Mood::Calm);
    let client = Client::new(&support::config(&sandbox));
    (sandbox, client)
}

/// Status and code of a refusal.
fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E>>,
) -> (u16, String) {
    let error = result.expect_err("must be refused");
    let status = error.raw_response().map(|response| response.status().as_u16()).unwrap_or_default();
    (status, error.code().unwrap_or_default().to_string())
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_string())
}

async fn role(client: &Client, name: &str) -> String {
    let made = client.create_role().role_name(name).assume_role_policy_document(TRUST).send().await.unwrap();
    made.role().unwrap().arn().to_string()
}

#[tokio::test(start_paused = true)]
async fn a_role_lives_and_dies_in_the_order_that_aws_asks_for() {
    let (sandbox, client) = start();
    let arn = role(&client, "aurora-ml").await;
    assert_eq!(arn, format!("arn:aws:iam::{ACCOUNT}:role/aurora-ml"));

    let shown = client.get_role().role_name("aurora-ml").send().await.unwrap();
    let document = shown.role().unwrap().assume_role_policy_document().unwrap();
    assert!(document.starts_with("%7B%22Version%22%3A%222012-10-17%22"), "URL-encoded: {document}");
    assert_eq!(percent_encoding::percent_decode_str(document).decode_utf8().unwrap(), TRUST);

    client
        .put_role_policy()
        .role_name("aurora-ml")
        .policy_name("invoke")
        .policy_document(INVOKE)
        .send()
        .await
        .unwrap();
    client
        .attach_role_policy()
        .role_name("aurora-ml")
        .policy_arn("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
        .send()
        .await
        .unwrap();
    client.create_instance_profile().instance_profile_name("p").send().await.unwrap();
    client
        .add_role_to_instance_profile()
        .instance_profile_name("p")
        .role_name("aurora-ml")
        .send()
        .await
        .unwrap();
    let profiles = client.list_instance_profiles_for_role().role_name("aurora-ml").send().await.unwrap();
    assert_eq!(profiles.instance_profiles()[0].roles()[0].arn(), arn);

    let delete = || client.delete_role().role_name("aurora-ml").send();
    let conflict = refused(409, "DeleteConflict");
    assert_eq!(refusal(delete().await), conflict);
    assert_eq!(refusal(client.delete_instance_profile().instance_profile_name("p").send().await), conflict);
    client
        .remove_role_from_instance_profile()
        .instance_profile_name("p")
        .role_name("aurora-ml")
        .send()
        .await
        .unwrap();
    assert_eq!(refusal(delete().await), conflict);
    client
        .detach_role_policy()
        .role_name("aurora-ml")
        .policy_arn("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
        .send()
        .await
        .unwrap();
    assert_eq!(refusal(delete().await), conflict);
    client.delete_role_policy().role_name("aurora-ml").policy_name("invoke").send().await.unwrap();
    delete().await.unwrap();
    assert_eq!(refusal(delete().await), refused(404, "NoSuchEntity"));
    assert!(!sandbox.with(|world| world.global.iam.role_exists(&arn)));
}

#[tokio::test(start_paused = true)]
async fn names_are_unique_ignoring_case() {
    let (_sandbox, client) = start();
    role(&client, "Aurora-ML").await;
    let again = client.create_role().role_name("aurora-ml").assume_role_policy_document(TRUST).send().await;
    assert_eq!(refusal(again), refused(409, "EntityAlreadyExists"));
    let long = client.create_role().role_name("x".repeat(65)).assume_role_policy_document(TRUST).send().await;
    assert_eq!(refusal(long), refused(400, "ValidationError"));
}

#[tokio::test(start_paused = true)]
async fn other_services_see_a_role_only_later() {
    let (sandbox, client) = start();
    let arn = role(&client, "aurora-ml").await;
    let assumable = |service: &str| {
        let now = sandbox.clock().now_ms();
        sandbox.with(|world| world.global.iam.assumable(&arn, service, now))
    };
    assert!(sandbox.with(|world| world.global.iam.role_exists(&arn)));
    assert!(!assumable("rds.amazonaws.com"), "created a moment ago");
    sandbox.clock().sleep(Duration::from_secs(13)).await;
    assert!(assumable("rds.amazonaws.com"));
    assert!(!assumable("sagemaker.amazonaws.com"), "does not trust it");

    let trust = TRUST.replace("rds.", "sagemaker.");
    client.update_assume_role_policy().role_name("aurora-ml").policy_document(trust).send().await.unwrap();
    assert!(assumable("rds.amazonaws.com"), "the old trust still holds");
    assert!(!assumable("sagemaker.amazonaws.com"), "the new one not yet");
    sandbox.clock().sleep(Duration::from_secs(13)).await;
    assert!(assumable("sagemaker.amazonaws.com") && !assumable("rds.amazonaws.com"));
}

#[tokio::test(start_paused = true)]
async fn bad_documents_are_malformed() {
    let (_sandbox, client) = start();
    role(&client, "r").await;
    let malformed = refused(400, "MalformedPolicyDocument");
    for trust in [
        "not json",
        "{}",
        &TRUST.replace("Statement", "Statements"),
        &TRUST.replace("rds.amazonaws.com", ""),
        &TRUST.replace("sts:AssumeRole", "s3:GetObject"),
        &TRUST.replace(
            "{\"Service\":\"rds.amazonaws.com\"}",
            "{\"AWS\":\"arn:aws:iam::111122223333:role/none\"}",
        ),
    ] {
        let made = client.create_role().role_name("s").assume_role_policy_document(trust).send().await;
        assert_eq!(refusal(made), malformed, "{trust}");
    }
    for policy in [
        &INVOKE.replace("\"Allow\"", "\"Permit\""),
        &INVOKE.replace("sagemaker:InvokeEndpoint", "InvokeEndpoint"),
        &INVOKE.replace("arn:aws:sagemaker", "sagemaker"),
        &INVOKE.replace("\"Sid\":\"Invoke\"", "\"Sid\":\"in-voke\""),
        TRUST,
    ] {
        let put =
            client.put_role_policy().role_name("r").policy_name("p").policy_document(policy).send().await;
        assert_eq!(refusal(put), malformed, "{policy}");
    }
}

#[tokio::test(start_paused = true)]
async fn quotas_of_a_role() {
    let (_sandbox, client) = start();
    role(&client, "r").await;
    let full = refused(409, "LimitExceeded");
    let document = |actions: usize| {
        let actions: Vec<String> = (0..actions).map(|n| format!("s3:Action{n:04}")).collect();
        serde_json::json!({"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})
            .to_string()
    };
    let put = |name: &'static str, document: String| {
        client.put_role_policy().role_name("r").policy_name(name).policy_document(document).send()
    };
    put("a", document(300)).await.unwrap();
    put("b", document(250)).await.unwrap();
    assert_eq!(refusal(put("c", document(100)).await), full, "10,240 characters together");
    put("b", document(260)).await.unwrap();
    // White space is free.
    put("b", document(260).replace(',', &format!(",{}", " ".repeat(20)))).await.unwrap();

    for n in 0..11 {
        let made =
            client.create_policy().policy_name(format!("m{n}")).policy_document(INVOKE).send().await.unwrap();
        let arn = made.policy().unwrap().arn().unwrap();
        let attached = client.attach_role_policy().role_name("r").policy_arn(arn).send().await;
        if n < 10 {
            attached.unwrap();
        } else {
            assert_eq!(refusal(attached), full, "10 managed policies");
        }
    }
    let tags = (0..51).map(|n| Tag::builder().key(format!("k{n}")).value("v").build().unwrap());
    assert_eq!(refusal(client.tag_role().role_name("r").set_tags(Some(tags.collect())).send().await), full);
    let trust = TRUST
        .replace("\"sts:AssumeRole\"", &format!("[{}\"sts:AssumeRole\"]", "\"sts:TagSession\",".repeat(120)));
    let made = client.create_role().role_name("s").assume_role_policy_document(trust).send().await;
    assert_eq!(refusal(made), full, "2,048 characters of trust");
}

#[tokio::test(start_paused = true)]
async fn lists_have_pages_and_no_tags() {
    let (_sandbox, client) = start();
    for n in 0..5 {
        let tag = Tag::builder().key("stack").value("a").build().unwrap();
        client
            .create_role()
            .role_name(format!("r{n}"))
            .path("/auroraml/")
            .assume_role_policy_document(TRUST)
            .tags(tag)
            .send()
            .await
            .unwrap();
    }
    role(&client, "elsewhere").await;
    let mut pages = client.list_roles().path_prefix("/auroraml/").max_items(2).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        for role in page.unwrap().roles() {
            assert!(role.tags().is_empty());
            names.push(role.role_name().to_string());
        }
    }
    assert_eq!(names, ["r0", "r1", "r2", "r3", "r4"]);

    let tag = Tag::builder().key("STACK").value("b").build().unwrap();
    client.tag_role().role_name("r0").tags(tag).send().await.unwrap();
    let tags = client.list_role_tags().role_name("R0").send().await.unwrap();
    assert_eq!(tags.tags().len(), 1, "keys are compared ignoring case");
    assert_eq!((tags.tags()[0].key(), tags.tags()[0].value()), ("STACK", "b"));
    client.untag_role().role_name("r0").tag_keys("Stack").send().await.unwrap();
    assert!(client.get_role().role_name("r0").send().await.unwrap().role().unwrap().tags().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_principal_made_again_is_shown_by_its_old_id() {
    let (sandbox, client) = start();
    let arn = role(&client, "caller").await;
    let id =
        client.get_role().role_name("caller").send().await.unwrap().role().unwrap().role_id().to_string();
    let trust = TRUST.replace("{\"Service\":\"rds.amazonaws.com\"}", &format!("{{\"AWS\":\"{arn}\"}}"));
    let create = || client.create_role().role_name("callee").assume_role_policy_document(&trust).send();
    assert_eq!(refusal(create().await), refused(400, "MalformedPolicyDocument"), "the principal is too new");
    sandbox.clock().sleep(Duration::from_secs(13)).await;
    create().await.unwrap();
    client.delete_role().role_name("caller").send().await.unwrap();
    role(&client, "caller").await;
    let shown = client.get_role().role_name("callee").send().await.unwrap();
    let document = shown.role().unwrap().assume_role_policy_document().unwrap();
    assert!(document.contains(&id) && !document.contains("role%2Fcaller"), "{document}");
}

#[tokio::test(start_paused = true)]
async fn managed_policies_have_versions() {
    let (_sandbox, client) = start();
    let made = client.create_policy().policy_name("invoke").policy_document(INVOKE).send().await.unwrap();
    let arn = made.policy().unwrap().arn().unwrap().to_string();
    for n in 2..=5 {
        let version =
            client.create_policy_version().policy_arn(&arn).policy_document(INVOKE).set_as_default(true);
        let version = version.send().await.unwrap();
        assert_eq!(version.policy_version().unwrap().version_id(), Some(format!("v{n}").as_str()));
    }
    let sixth = client.create_policy_version().policy_arn(&arn).policy_document(INVOKE).send().await;
    assert_eq!(refusal(sixth), refused(409, "LimitExceeded"));
    let conflict = refused(409, "DeleteConflict");
    assert_eq!(refusal(client.delete_policy().policy_arn(&arn).send().await), conflict);
    let default = client.delete_policy_version().policy_arn(&arn).version_id("v5").send().await;
    assert_eq!(refusal(default), conflict);
    for n in 1..=4 {
        client.delete_policy_version().policy_arn(&arn).version_id(format!("v{n}")).send().await.unwrap();
    }
    role(&client, "r").await;
    client.attach_role_policy().role_name("r").policy_arn(&arn).send().await.unwrap();
    assert_eq!(refusal(client.delete_policy().policy_arn(&arn).send().await), conflict);
    client.detach_role_policy().role_name("r").policy_arn(&arn).send().await.unwrap();
    client.delete_policy().policy_arn(&arn).send().await.unwrap();
    assert_eq!(refusal(client.get_policy().policy_arn(&arn).send().await), refused(404, "NoSuchEntity"));
}

#[tokio::test(start_paused = true)]
async fn simulation_follows_the_policies_of_a_role() {
    let (_sandbox, client) = start();
    let arn = role(&client, "r").await;
    client.put_role_policy().role_name("r").policy_name("p").policy_document(INVOKE).send().await.unwrap();
    let mut decisions = Vec::new();
    for endpoint in ["churn", "other"] {
        let answer = client
            .simulate_principal_policy()
            .policy_source_arn(&arn)
            .action_names("sagemaker:InvokeEndpoint")
            .resource_arns(format!("arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/{endpoint}"))
            .send()
            .await
            .unwrap();
        decisions.push(answer.evaluation_results()[0].eval_decision().as_str().to_string());
    }
    assert_eq!(decisions, ["allowed", "implicitDeny"]);
    let user = client.get_user().send().await.unwrap().user().unwrap().arn().to_string();
    let answer =
        client.simulate_principal_policy().policy_source_arn(user).action_names("rds:CreateDBCluster");
    assert_eq!(answer.send().await.unwrap().evaluation_results()[0].eval_decision().as_str(), "allowed");
}

#[tokio::test(start_paused = true)]
async fn a_service_linked_role_is_not_the_customers() {
    let (_sandbox, client) = start();
    let create = || client.create_service_linked_role().aws_service_name("rds.amazonaws.com").send();
    create().await.unwrap();
    assert_eq!(refusal(create().await), refused(400, "InvalidInput"));
    let delete = client.delete_role().role_name("AWSServiceRoleForRDS").send().await;
    assert_eq!(refusal(delete), refused(400, "UnmodifiableEntity"));
}
