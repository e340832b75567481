//! Teardown to zero: each hard case ends with nothing that bears the stack's tags and nothing that bills, or with the one
//! thing that AWS keeps, named.

use crate::from_tags::destroyer;
use crate::harness::{Account, Recorder, hosting, spec};
use auroraml::run::bills::left;
use auroraml::run::found::tagged;
use auroraml::run::reconcile::{prepare, reconcile};
use auroraml_core::model::Intent;
use auroraml_core::policy::Purpose;
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use aws_sdk_sagemaker::types::{ContainerDefinition, ProductionVariant};
use std::sync::Arc;
use std::time::Duration;

const DESTROY: Intent = Intent::Destroy { unprotect: false };

/// Destroys, with what others made where `sweeps`.
async fn destroy(account: &Account, spec: &Spec, intent: Intent, sweeps: bool) {
    let purpose = if sweeps { Purpose::Sweep } else { Purpose::Destroy };
    let mut stack = account.connect_for(spec, &[purpose]).await.unwrap();
    if sweeps {
        stack.sweep();
    }
    let prepared = prepare(&stack, intent).await.unwrap();
    assert!(prepared.plan.blocked.is_empty(), "{:?}", prepared.plan.blocked);
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let recorder = Arc::new(Recorder::default());
    let outcome = reconcile(&stack, intent, prepared, stop, recorder.clone()).await.unwrap();
    assert!(outcome.is_complete(), "{:#?}\n{}", outcome.reports, recorder.text());
}

/// What still bills, as the last look says; and nothing else bears the stack's tags, but for records of jobs and what
/// `left` names.
async fn bills(account: &Account, spec: &Spec) -> Vec<String> {
    let aws = destroyer(account, spec).await;
    // The list of tags is asked for, so that it is kept, and is late.
    let _ = tagged(&aws, Some(&spec.stack)).await.unwrap();
    let at_once = left(&aws).await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(4_000)).await;
    let bills = left(&aws).await.unwrap();
    assert_eq!(bills, at_once, "what is gone was named, because the list of tags is late");
    let stays = |arn: &str| {
        let is_named = bills.iter().any(|left| arn.ends_with(left.what.rsplit(' ').next().unwrap()));
        is_named || arn.contains("-job/") || arn.contains(":secret:")
    };
    account.sandbox.clock().sleep(Duration::from_secs(400)).await;
    let all = tagged(&aws, Some(&spec.stack)).await.unwrap();
    let unexplained: Vec<String> = all.into_iter().map(|it| it.arn).filter(|arn| !stays(arn)).collect();
    assert_eq!(unexplained, Vec::<String>::new());
    bills.into_iter().map(|left| format!("{}: {}", left.what, left.command)).collect()
}

const NOTHING: [String; 0] = [];

#[tokio::test(start_paused = true)]
async fn the_list_of_tags_is_late_and_the_last_look_is_not() {
    let (account, spec) = (Account::new(3, Mood::Real), spec(&hosting()));
    account.apply(&spec).await;
    let aws = destroyer(&account, &spec).await;
    let all = left(&aws).await.unwrap();
    for kind in ["cluster", "instance", "nat_gateway", "elastic_ip", "endpoint", "notebook", "bucket"] {
        assert!(all.iter().any(|left| left.kind == kind), "{kind} {all:?}");
    }
    destroy(&account, &spec, DESTROY, false).await;
    let stale = tagged(&aws, Some(&spec.stack)).await.unwrap();
    assert!(!stale.is_empty(), "it shows what is gone for a while");
    assert_eq!(bills(&account, &spec).await, NOTHING);
}

#[tokio::test(start_paused = true)]
async fn interfaces_that_linger() {
    let (account, spec) = (Account::new(3, Mood::Real), spec(&hosting()));
    account.apply(&spec).await;
    let observed = account.prepare(&spec, Intent::Apply).await.unwrap().observed;
    let of = |kind: &str| observed.values().find(|live| live.id.kind == kind).unwrap().output("id").unwrap();
    let now = account.sandbox.clock().now_ms();
    let (subnet, group) = (of("subnet").to_string(), of("security_group").to_string());
    account.sandbox.with(|world| {
        let ec2 = &mut world.regions.get_mut("us-east-1").unwrap().ec2;
        let what = "[Do not delete] ENI managed by SageMaker";
        ec2.add_interface("eni-busy", &subnet, std::slice::from_ref(&group), what, "amazon-sagemaker");
        ec2.release_interface("eni-busy", now + 2_400_000);
        ec2.add_interface("eni-left", &subnet, &[group], "RDSNetworkInterface", "amazon-rds");
        ec2.abandon_interface("eni-left", now);
    });
    destroy(&account, &spec, DESTROY, false).await;
    assert_eq!(bills(&account, &spec).await, NOTHING);
}

/// GuardDuty's endpoint and group go with a destroy that sweeps, which names them in its plan.
#[tokio::test(start_paused = true)]
async fn what_guardduty_put_there() {
    let (account, spec) = (Account::new(10, Mood::Real), spec(&hosting()));
    account.sandbox.with(|world| {
        world.regions.entry("us-east-1".into()).or_default().ec2.guardduty = true;
    });
    account.apply(&spec).await;
    let mut stack = account.connect_for(&spec, &[Purpose::Sweep]).await.unwrap();
    stack.sweep();
    let plan = prepare(&stack, DESTROY).await.unwrap().plan;
    let swept: Vec<&str> = plan
        .work()
        .filter(|step| step.id.name.starts_with("guardduty-"))
        .filter_map(|step| step.reason.as_deref())
        .collect();
    assert_eq!(swept.len(), 2, "{:?}", plan.steps);
    assert!(swept.iter().all(|why| why.contains("GuardDuty created it in vpc-")), "{swept:?}");
    destroy(&account, &spec, DESTROY, true).await;
    assert_eq!(bills(&account, &spec).await, NOTHING);
    let ec2 = account.sandbox.with(|world| serde_json::to_value(&world.regions["us-east-1"].ec2).unwrap());
    assert!(!ec2.to_string().contains("guardduty-data."), "{ec2}");
}

#[tokio::test(start_paused = true)]
async fn a_bucket_with_versions_markers_and_unfinished_uploads() {
    let text =
        hosting().replace("bucket: { on_destroy: empty }", "bucket: { versioning: true, on_destroy: empty }");
    assert!(text.contains("versioning: true"), "{text}");
    let (account, spec) = (Account::new(3, Mood::Real), spec(&text));
    account.apply(&spec).await;
    let aws = account.administrator(&spec).await.aws;
    let (s3, bucket) = (&aws.s3, aws.bucket());
    for _ in 0..3 {
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"x");
        s3.put_object().bucket(&bucket).key("a/b c").body(body).send().await.unwrap();
    }
    s3.delete_object().bucket(&bucket).key("a/b c").send().await.unwrap();
    s3.create_multipart_upload().bucket(&bucket).key("half").send().await.unwrap();
    destroy(&account, &spec, DESTROY, false).await;
    assert_eq!(bills(&account, &spec).await, NOTHING);
}

/// A bucket that is kept is the one thing that bills.
#[tokio::test(start_paused = true)]
async fn what_is_kept_is_named_with_the_command_that_deletes_it() {
    let text = hosting().replace("on_destroy: empty", "on_destroy: keep");
    let text = text.replace("on_destroy: delete", "on_destroy: snapshot");
    let (account, spec) = (Account::new(3, Mood::Calm), spec(&text));
    account.apply(&spec).await;
    destroy(&account, &spec, DESTROY, false).await;
    let named = bills(&account, &spec).await;
    assert_eq!(named.len(), 2, "{named:?}");
    let bucket = "churn-sagemaker-111122223333-us-east-1";
    assert_eq!(named[0], format!("bucket {bucket}: aws s3 rb s3://{bucket} --force --region us-east-1"));
    let command = "aws rds delete-db-cluster-snapshot --db-cluster-snapshot-identifier churn-final-";
    assert!(named[1].starts_with("cluster snapshot churn-final-") && named[1].contains(command), "{named:?}");
}

/// A secret in its recovery window costs nothing; when its name is free again the plan says.
#[tokio::test(start_paused = true)]
async fn a_secret_that_can_be_restored() {
    let text = hosting().replace("recovery_window_days: 0", "recovery_window_days: 7");
    assert!(text.contains("recovery_window_days: 7"), "{text}");
    let (account, spec) = (Account::new(3, Mood::Calm), spec(&text));
    account.apply(&spec).await;
    let plan = account.prepare(&spec, DESTROY).await.unwrap().plan;
    let days = plan.work().find_map(|step| step.options.get("recovery_window_days").cloned());
    assert_eq!(days.as_deref(), Some("7"), "{:?}", plan.steps);
    destroy(&account, &spec, DESTROY, false).await;
    assert_eq!(bills(&account, &spec).await, NOTHING);
}

/// A cluster that lost its tags is not the stack's to delete: it is named, and goes when it has them again.
#[tokio::test(start_paused = true)]
async fn a_cluster_that_lost_its_tags() {
    let (account, spec) = (Account::new(3, Mood::Calm), spec(&hosting()));
    account.apply(&spec).await;
    let rds = &account.administrator(&spec).await.aws.rds;
    let arn = "arn:aws:rds:us-east-1:111122223333:cluster:churn";
    let remove = rds.remove_tags_from_resource().resource_name(arn).tag_keys("auroraml:stack");
    remove.send().await.unwrap();
    let plan = account.prepare(&spec, DESTROY).await.unwrap().plan;
    let named: Vec<String> = plan.left_alone.iter().map(|left| left.id.to_string()).collect();
    assert!(named.contains(&"cluster.main".to_string()), "{:?}", plan.left_alone);
    let tag = aws_sdk_rds::types::Tag::builder().key("auroraml:stack").value("churn").build();
    rds.add_tags_to_resource().resource_name(arn).tags(tag).send().await.unwrap();
    destroy(&account, &spec, DESTROY, false).await;
    assert_eq!(bills(&account, &spec).await, NOTHING);
}

/// A model, a configuration and an endpoint that somebody made with the stack's role, and log groups: they stay and bill
/// without a sweep, and go with one. What is others' stays in any case.
#[tokio::test(start_paused = true)]
async fn what_hangs_on_the_stack_is_swept() {
    let (account, spec) = (Account::new(3, Mood::Real), spec(&hosting()));
    account.apply(&spec).await;
    let aws = account.administrator(&spec).await.aws;
    let container = ContainerDefinition::builder()
        .image("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1")
        .model_data_url("s3://sagemaker-sample-files/models/churn/model.tar.gz")
        .build();
    let role = aws.place.role_arn("model");
    let model = aws.sagemaker.create_model().model_name("by-hand").primary_container(container);
    model.execution_role_arn(&role).send().await.unwrap();
    let variant = ProductionVariant::builder().variant_name("one").model_name("by-hand");
    let variant = variant.instance_type("ml.m5.large".into()).initial_instance_count(1).build();
    let config = aws.sagemaker.create_endpoint_config().endpoint_config_name("by-hand-config");
    config.production_variants(variant).send().await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(60)).await;
    let endpoint = aws.sagemaker.create_endpoint().endpoint_name("by-hand-endpoint");
    endpoint.endpoint_config_name("by-hand-config").send().await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(1_200)).await;
    account.sandbox.with(|world| {
        let logs = &mut world.regions.get_mut("us-east-1").unwrap().logs;
        logs.written("/aws/rds/cluster/churn/error", 1);
        logs.written("/aws/rds/cluster/churn-of-others/error", 1);
        logs.written("/aws/sagemaker/Endpoints/churn-of-others", 1);
    });
    let mut stack = account.connect_for(&spec, &[Purpose::Sweep]).await.unwrap();
    stack.sweep();
    let plan = prepare(&stack, DESTROY).await.unwrap().plan;
    let swept: Vec<&str> =
        plan.work().filter(|step| step.id.kind == "leftover").map(|step| step.id.name.as_str()).collect();
    let mut names = swept.clone();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "endpoint-config/by-hand-config",
            "endpoint/by-hand-endpoint",
            "log-group//aws/rds/cluster/churn/error",
            "log-group//aws/sagemaker/Endpoints/by-hand-endpoint",
            "log-group//aws/sagemaker/Endpoints/churn",
            "model/by-hand",
        ],
        "{swept:?}"
    );
    destroy(&account, &spec, DESTROY, true).await;
    account.sandbox.clock().sleep(Duration::from_secs(600)).await;
    account.sandbox.with(|world| {
        let region = &world.regions["us-east-1"];
        let names: Vec<&String> = region.logs.groups.keys().collect();
        assert_eq!(
            names,
            [
                "/aws/rds/cluster/churn-of-others/error",
                "/aws/sagemaker/Endpoints/churn-of-others",
                "/aws/sagemaker/NotebookInstances"
            ]
        );
        let left = serde_json::to_value(&region.sagemaker).unwrap();
        for kind in ["models", "endpoint_configs", "endpoints"] {
            assert_eq!(left[kind].as_object().map_or(0, |all| all.len()), 0, "{kind}: {left}");
        }
    });
    assert_eq!(bills(&account, &spec).await, NOTHING);
}
