//! A cluster of others, its parameter group and its roles.

use super::fixtures::{DESTROY, Situation, judged, pair};
use crate::lifecycle::make_foreign_cluster;
use auroraml_core::base::names::Place;
use auroraml_core::model::facts::{ExistingFacts, Facts};
use auroraml_core::model::{Code, Intent, build};
use aws_sdk_rds::Client;
use aws_sdk_rds::types::{ApplyMethod, Parameter};

const ORDERS: &str = "
stack: shop
region: us-east-1
aurora: { existing: orders }
machine_learning: { comprehend: true }
";
const OTHER: &str = "arn:aws:iam::111122223333:role/of-somebody-else";

/// An account with the cluster `orders`.
async fn orders() -> (Situation, Client) {
    let situation = Situation::new(ORDERS);
    make_foreign_cluster(&situation.account, "us-east-1", "orders", 1).await;
    let rds = Client::new(&situation.config());
    (situation, rds)
}

#[tokio::test(start_paused = true)]
async fn the_cluster() {
    pair(Code::ClusterMissing, Situation::new(ORDERS), orders().await.0).await;
    let (stopped, rds) = orders().await;
    rds.stop_db_cluster().db_cluster_identifier("orders").send().await.unwrap();
    stopped.wait(3600).await;
    pair(Code::ClusterStopped, stopped, orders().await.0).await;
    let locked = orders().await.0.region(|region| {
        region.rds.impose_on_cluster("orders", "inaccessible-encryption-credentials", 0, u64::MAX);
    });
    pair(Code::ClusterUnusable, locked, orders().await.0).await;
    let made_by = async |status: &str| {
        orders().await.0.region(|region| {
            region.cloudformation.stacks.insert("platform".into(), status.into());
            region.rds.set_system_tag("orders", "aws:cloudformation:stack-name", "platform");
        })
    };
    let (busy, done) = (made_by("UPDATE_IN_PROGRESS").await, made_by("UPDATE_COMPLETE").await);
    pair(Code::CloudformationBusy, busy, done).await;
    let with_roles = async |count: usize| {
        let (situation, rds) = orders().await;
        let situation = situation.region(|region| region.rds.lenient = true);
        for n in 0..count {
            let role = format!("{OTHER}-{n}");
            rds.add_role_to_db_cluster().db_cluster_identifier("orders").role_arn(role).send().await.unwrap();
            situation.wait(120).await;
        }
        situation.region(|region| region.rds.lenient = false)
    };
    pair(Code::ClusterRoleQuota, with_roles(5).await, with_roles(4).await).await;
    let moved = async |name: &str| {
        let (situation, _) = orders().await;
        make_foreign_cluster(&situation.account, "us-east-1", "billing", 1).await;
        situation.account.apply(&situation.spec).await;
        situation.planning(&ORDERS.replace("orders", name))
    };
    pair(Code::ClusterChanged, moved("billing").await, moved("orders").await).await;
}

/// What the sandbox does not play: another engine, and a version that is not given to new clusters any more.
#[test]
fn engine_and_version() {
    let found = |text: &str, engine: &str, version: &str| {
        let spec = crate::harness::spec(text);
        let place = Place::new("shop", "us-east-1", "111122223333");
        let existing = ExistingFacts {
            engine: engine.into(),
            status: "available".into(),
            parameter_group: "theirs".into(),
            role_quota: 5,
            ..ExistingFacts::default()
        };
        let live_engine_version = Some(version.to_string());
        let facts = Facts { existing: Some(existing), live_engine_version, ..Facts::default() };
        build(&spec, &place, &facts, Intent::Apply).map(drop)
    };
    const NEW: &str = "8.0.mysql_aurora.3.10.2";
    judged(
        Code::ClusterEngine,
        found(ORDERS, "aurora-postgresql", "16.4"),
        found(ORDERS, "aurora-mysql", NEW),
    );
    let bedrock = ORDERS.replace("comprehend: true", "bedrock: { models: [amazon.nova-lite-v1:0] }");
    judged(
        Code::ClusterVersion,
        found(&bedrock, "aurora-mysql", "8.0.mysql_aurora.3.04.2"),
        found(&bedrock, "aurora-mysql", NEW),
    );
}

/// A destroy without the spec.
#[test]
fn a_cluster_that_only_tags_speak_for() {
    use auroraml_core::model::FromTags;
    let spec = crate::harness::spec("stack: shop\nregion: us-east-1\n");
    let place = Place::new("shop", "us-east-1", "111122223333");
    let found = |proven| {
        let told = FromTags { cluster: Some(None), proven, ..FromTags::default() };
        let facts = Facts { from_tags: Some(told), ..Facts::default() };
        build(&spec, &place, &facts, DESTROY).map(drop)
    };
    judged(Code::ClusterUnproven, found(false), found(true));
}

async fn make_group(rds: &Client, name: &str) {
    let make = rds.create_db_cluster_parameter_group().db_cluster_parameter_group_name(name);
    make.db_parameter_group_family("aurora-mysql8.0").description("theirs").send().await.unwrap();
}

async fn attach(situation: &Situation, rds: &Client, cluster: &str, group: &str) {
    let modify = rds.modify_db_cluster().db_cluster_identifier(cluster).apply_immediately(true);
    modify.db_cluster_parameter_group_name(group).send().await.unwrap();
    situation.wait(600).await;
    let members = rds.describe_db_instances().send().await.unwrap();
    let of_it = members.db_instances().iter().filter(|m| m.db_cluster_identifier() == Some(cluster));
    for member in of_it {
        let name = member.db_instance_identifier().unwrap();
        rds.reboot_db_instance().db_instance_identifier(name).send().await.unwrap();
    }
    situation.wait(3600).await;
}

/// `orders` in the group `production`, which it has alone or shares with `billing`.
async fn in_a_group(shared: bool) -> (Situation, Client) {
    let (situation, rds) = orders().await;
    make_group(&rds, "production").await;
    attach(&situation, &rds, "orders", "production").await;
    if shared {
        make_foreign_cluster(&situation.account, "us-east-1", "billing", 1).await;
        attach(&situation, &rds, "billing", "production").await;
    }
    (situation, rds)
}

#[tokio::test(start_paused = true)]
async fn its_parameter_group() {
    // Somebody takes over a parameter while another of ours is set in the same group.
    let text = ORDERS.replace("comprehend: true", "comprehend: true, sagemaker: { endpoints: [churn] }");
    let text = format!("{text}endpoints: {{ churn: {{ managed_by: notebook }} }}\n");
    let taken_over = async |takes: bool| {
        let (situation, rds) = in_a_group(false).await;
        let situation = situation.planning(&text);
        situation.account.apply(&situation.spec).await;
        if takes {
            let parameter = Parameter::builder().parameter_name("aws_default_comprehend_role");
            let parameter = parameter.parameter_value(OTHER).apply_method(ApplyMethod::PendingReboot);
            let modify =
                rds.modify_db_cluster_parameter_group().db_cluster_parameter_group_name("production");
            modify.parameters(parameter.build()).send().await.unwrap();
            situation.wait(120).await;
        }
        situation
    };
    pair(Code::GroupRoles, taken_over(true).await, taken_over(false).await).await;
    // The stack's copy of `production` is not attached any more, and what the cluster has now is another's.
    let attached = async |group: &str| {
        let (situation, rds) = in_a_group(true).await;
        situation.account.apply(&situation.spec).await;
        attach(&situation, &rds, "orders", group).await;
        situation
    };
    pair(Code::GroupOutdated, attached("default.aurora-mysql8.0").await, attached("production").await).await;
}

#[tokio::test(start_paused = true)]
async fn the_group_to_give_back() {
    let given = async |there: bool, tagged: bool| {
        let (situation, rds) = in_a_group(true).await;
        situation.account.apply(&situation.spec).await;
        attach(&situation, &rds, "billing", "default.aurora-mysql8.0").await;
        if !there {
            let delete =
                rds.delete_db_cluster_parameter_group().db_cluster_parameter_group_name("production");
            delete.send().await.unwrap();
        }
        if !tagged {
            let remove = rds.remove_tags_from_resource();
            let remove = remove.resource_name("arn:aws:rds:us-east-1:111122223333:cluster-pg:shop");
            remove.tag_keys("auroraml:original-group").send().await.unwrap();
        }
        Situation { intent: DESTROY, ..situation }
    };
    pair(Code::OriginalGroupMissing, given(false, true).await, given(true, true).await).await;
    pair(Code::GroupUntagged, given(true, false).await, given(true, true).await).await;
}
