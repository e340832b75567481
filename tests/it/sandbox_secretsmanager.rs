//! Simulated Secrets Manager and Service Quotas as the real SDK sees them: fact book, sections 6.2 and 4.6.

use crate::support;
use auroraml_sandbox::Sandbox;
use auroraml_sandbox::random::Mood;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use aws_sdk_secretsmanager::primitives::Blob;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, Tag};
use std::time::Duration;

const VALUE: &str = r#"{"username":"admin","password":"correct horse"}"#;
const TOKEN: &str = "11111111-2222-3333-4444-555555555555";

fn start() -> (Sandbox, Client) {
    let sandbox = support::sandbox(1, Mood::Calm);
    let client = Client::new(&support::config(&sandbox));
    (sandbox, client)
}

fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata>(result: Result<T, E>) -> String {
    match result {
        Ok(answer) => panic!("must be refused, got {answer:?}"),
        Err(error) => {
            format!("{}: {}", error.code().unwrap_or_default(), error.message().unwrap_or_default())
        }
    }
}

async fn create(client: &Client, name: &str) -> String {
    let made = client.create_secret().name(name).secret_string(VALUE).send().await.unwrap();
    made.arn().unwrap().to_string()
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_found_by_name_and_by_arn() {
    let (_sandbox, client) = start();
    let arn = create(&client, "stack/master").await;
    let partial = arn.rsplit_once('-').unwrap().0;
    assert_eq!(arn.len() - partial.len(), 7, "a suffix of six characters");
    for id in ["stack/master", &arn, partial] {
        let value = client.get_secret_value().secret_id(id).send().await.unwrap();
        assert_eq!(value.secret_string(), Some(VALUE));
        assert_eq!(value.version_stages(), ["AWSCURRENT"]);
    }
    let gone = client.get_secret_value().secret_id("other").send().await;
    assert!(refusal(gone).starts_with("ResourceNotFoundException"));
}

#[tokio::test(start_paused = true)]
async fn a_token_makes_creation_idempotent() {
    let (_sandbox, client) = start();
    let create = |value: &str| {
        client.create_secret().name("s").client_request_token(TOKEN).secret_string(value).send()
    };
    let first = create(VALUE).await.unwrap();
    assert_eq!(first.version_id(), Some(TOKEN));
    assert_eq!(create(VALUE).await.unwrap().arn(), first.arn());
    assert!(refusal(create("other").await).starts_with("ResourceExistsException"));
    let stranger = client.create_secret().name("s").secret_string(VALUE).send().await;
    assert!(refusal(stranger).starts_with("ResourceExistsException"));
}

#[tokio::test(start_paused = true)]
async fn a_new_value_keeps_the_previous_one() {
    let (_sandbox, client) = start();
    create(&client, "s").await;
    client.put_secret_value().secret_id("s").secret_string("two").send().await.unwrap();
    let stage = async |stage: &str| {
        let value = client.get_secret_value().secret_id("s").version_stage(stage).send().await.unwrap();
        value.secret_string().map(str::to_string)
    };
    assert_eq!(stage("AWSCURRENT").await.as_deref(), Some("two"));
    assert_eq!(stage("AWSPREVIOUS").await.as_deref(), Some(VALUE));
    client
        .update_secret()
        .secret_id("s")
        .description("d")
        .secret_binary(Blob::new("three"))
        .send()
        .await
        .unwrap();
    assert_eq!(stage("AWSPREVIOUS").await.as_deref(), Some("two"));
    let current = client.get_secret_value().secret_id("s").send().await.unwrap();
    assert_eq!(current.secret_binary(), Some(&Blob::new("three")));
    let labelled = client.list_secret_version_ids().secret_id("s").send().await.unwrap();
    assert_eq!(labelled.versions().len(), 2);
    let all = client.list_secret_version_ids().secret_id("s").include_deprecated(true).send().await.unwrap();
    assert_eq!(all.versions().len(), 3);
    assert_eq!(client.describe_secret().secret_id("s").send().await.unwrap().description(), Some("d"));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_name_stays_reserved() {
    let (sandbox, client) = start();
    let arn = create(&client, "s").await;
    let short = client.delete_secret().secret_id("s").recovery_window_in_days(6).send().await;
    assert!(refusal(short).starts_with("InvalidParameterException"));
    client.delete_secret().secret_id("s").recovery_window_in_days(7).send().await.unwrap();
    let described = client.describe_secret().secret_id("s").send().await.unwrap();
    assert!(described.deleted_date().is_some());
    for refused in [
        refusal(client.create_secret().name("s").send().await),
        refusal(client.get_secret_value().secret_id("s").send().await),
        refusal(client.put_secret_value().secret_id("s").secret_string("x").send().await),
        refusal(client.delete_secret().secret_id("s").send().await),
    ] {
        assert!(refused.starts_with("InvalidRequestException"), "{refused}");
    }
    let refused = refusal(client.create_secret().name("s").send().await);
    assert!(refused.contains("scheduled for deletion"), "{refused}");

    client.restore_secret().secret_id("s").send().await.unwrap();
    assert_eq!(client.get_secret_value().secret_id("s").send().await.unwrap().arn(), Some(arn.as_str()));

    client.delete_secret().secret_id("s").recovery_window_in_days(7).send().await.unwrap();
    sandbox.clock().sleep(Duration::from_secs(7 * 86_400 + 1)).await;
    assert_ne!(create(&client, "s").await, arn, "another secret of the same name");
    let old = client.describe_secret().secret_id(&arn).send().await;
    assert!(refusal(old).starts_with("ResourceNotFoundException"));
}

#[tokio::test(start_paused = true)]
async fn a_forced_deletion_takes_a_moment() {
    let (sandbox, client) = start();
    create(&client, "s").await;
    let force = || client.delete_secret().secret_id("s").force_delete_without_recovery(true).send();
    force().await.unwrap();
    let described = client.describe_secret().secret_id("s").send().await;
    assert!(refusal(described).starts_with("ResourceNotFoundException"));
    let again = client.create_secret().name("s").send().await;
    assert!(refusal(again).contains("scheduled for deletion"));
    force().await.unwrap();
    sandbox.clock().sleep(Duration::from_secs(6)).await;
    create(&client, "s").await;
}

#[tokio::test(start_paused = true)]
async fn the_list_lags_and_filters() {
    let (sandbox, client) = start();
    for name in ["stack/a", "stack/b", "other"] {
        let tag = Tag::builder().key("stack").value(name).build();
        client.create_secret().name(name).tags(tag).secret_string(VALUE).send().await.unwrap();
    }
    assert!(client.list_secrets().send().await.unwrap().secret_list().is_empty(), "too early");
    sandbox.clock().sleep(Duration::from_secs(20)).await;
    let filter = Filter::builder().key(FilterNameStringType::Name).values("stack/").build();
    let mut pages = client.list_secrets().filters(filter).max_results(1).into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        names.extend(page.unwrap().secret_list().iter().map(|secret| secret.name().unwrap().to_string()));
    }
    assert_eq!(names, ["stack/b", "stack/a"], "the newest first");
    client.delete_secret().secret_id("stack/a").send().await.unwrap();
    assert_eq!(client.list_secrets().send().await.unwrap().secret_list().len(), 2);
    let all = client.list_secrets().include_planned_deletion(true).send().await.unwrap();
    assert_eq!(all.secret_list().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn tags_come_and_go() {
    let (_sandbox, client) = start();
    create(&client, "s").await;
    let tag = |key: &str| Tag::builder().key(key).value("v").build();
    client.tag_resource().secret_id("s").tags(tag("a")).tags(tag("b")).send().await.unwrap();
    client.untag_resource().secret_id("s").tag_keys("a").send().await.unwrap();
    let described = client.describe_secret().secret_id("s").send().await.unwrap();
    assert_eq!(described.tags(), [tag("b")]);
    let reserved = client.tag_resource().secret_id("s").tags(tag("aws:x")).send().await;
    assert!(refusal(reserved).starts_with("InvalidParameterException"));
}

#[tokio::test(start_paused = true)]
async fn passwords_are_as_asked() {
    let (_sandbox, client) = start();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let made = client
            .get_random_password()
            .password_length(12)
            .exclude_characters("/@\"'\\")
            .send()
            .await
            .unwrap();
        let password = made.random_password().unwrap().to_string();
        assert_eq!(password.chars().count(), 12);
        assert!(!password.contains(['/', '@', '"', '\'', '\\', ' ']), "{password}");
        for kind in [
            |c: char| c.is_ascii_lowercase(),
            |c: char| c.is_ascii_uppercase(),
            |c: char| c.is_ascii_digit(),
            |c: char| c.is_ascii_punctuation(),
        ] {
            assert!(password.contains(kind), "{password}");
        }
        seen.insert(password);
    }
    assert_eq!(seen.len(), 50);
    let digits = client
        .get_random_password()
        .exclude_lowercase(true)
        .exclude_uppercase(true)
        .exclude_punctuation(true);
    let digits = digits.send().await.unwrap();
    assert!(digits.random_password().unwrap().chars().all(|c| c.is_ascii_digit()));
    assert!(
        refusal(client.get_random_password().password_length(3).send().await).starts_with("InvalidParameter")
    );
}

#[tokio::test(start_paused = true)]
async fn a_managed_secret_is_read_only() {
    let (sandbox, client) = start();
    let now = sandbox.clock().now_ms();
    let arn = sandbox.with(|world| {
        let region = world.regions.entry("us-east-1".into()).or_default();
        let random = &mut world.global.random;
        region.secretsmanager.put_managed("rds", "rds!cluster-1", VALUE.into(), "us-east-1", random, now)
    });
    let described = client.describe_secret().secret_id(&arn).send().await.unwrap();
    assert_eq!(described.owning_service(), Some("rds"));
    assert_eq!(client.get_secret_value().secret_id(&arn).send().await.unwrap().secret_string(), Some(VALUE));
    for refused in [
        refusal(client.put_secret_value().secret_id(&arn).secret_string("x").send().await),
        refusal(client.delete_secret().secret_id(&arn).force_delete_without_recovery(true).send().await),
    ] {
        assert!(refused.starts_with("InvalidRequestException"), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn values_are_saved_and_not_shown() {
    let (sandbox, client) = start();
    create(&client, "s").await;
    let world = sandbox.world();
    assert!(!format!("{world:?}").contains("correct horse"));
    assert!(!format!("{:?}", world.log).contains("correct horse"));
    assert!(serde_json::to_string(&world).unwrap().contains("correct horse"));
}

#[tokio::test(start_paused = true)]
async fn quotas_can_be_found_by_code_and_by_name() {
    let (sandbox, _) = start();
    let client = aws_sdk_servicequotas::Client::new(&support::config(&sandbox));
    let quota = client.get_service_quota().service_code("vpc").quota_code("L-F678F1CE").send().await.unwrap();
    assert_eq!(quota.quota().unwrap().value(), Some(5.0));
    let name = "ml.m5.large for endpoint usage";
    sandbox.with(|world| {
        let quotas = &mut world.regions.entry("us-east-1".into()).or_default().servicequotas;
        quotas.overrides.insert(format!("sagemaker/{name}"), 7.0);
        assert_eq!(quotas.value("sagemaker", name), Some(7.0));
    });
    let mut pages =
        client.list_service_quotas().service_code("sagemaker").max_results(10).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        found.extend(page.unwrap().quotas().to_vec());
    }
    let quota = found.iter().find(|quota| quota.quota_name() == Some(name)).unwrap();
    assert_eq!(quota.value(), Some(7.0));
    let code = quota.quota_code().unwrap();
    let default = client.get_aws_default_service_quota().service_code("sagemaker").quota_code(code);
    assert_eq!(default.send().await.unwrap().quota().unwrap().value(), Some(0.0));
    let none = client.get_service_quota().service_code("sagemaker").quota_code("L-0").send().await;
    assert!(refusal(none).starts_with("NoSuchResourceException"));
}
