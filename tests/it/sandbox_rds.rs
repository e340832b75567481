//! The simulated RDS, asked by the real SDK: one test per behaviour of AWS that bites.

use crate::support::{config, sandbox};
use auroraml::sandbox::Sandbox;
use auroraml::sandbox::random::Mood;
use aws_sdk_rds::Client;
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_rds::types::{
    ApplyMethod, DbCluster, DbInstance, Filter, Parameter, ServerlessV2ScalingConfiguration, SourceType, Tag,
};
use std::fmt::Debug;
use std::time::Duration;

const ROLE: &str = "arn:aws:iam::111122223333:role/aurora";

struct Fixture {
    sandbox: Sandbox,
    rds: Client,
}

/// A fixture that does not ask EC2 and IAM.
fn lenient(seed: u64, mood: Mood) -> Fixture {
    let fixture = strict(seed, mood);
    fixture.sandbox.with(|world| {
        world.regions.entry("us-east-1".into()).or_default().rds.lenient = true;
    });
    fixture
}

fn strict(seed: u64, mood: Mood) -> Fixture {
    let sandbox = sandbox(seed, mood);
    let rds = Client::new(&config(&sandbox));
    Fixture { sandbox, rds }
}

/// The wire code of an answer that must be an error.
fn code<T: Debug, E: ProvideErrorMetadata>(answer: Result<T, SdkError<E>>) -> String {
    let error = answer.map(|_| ()).err().expect("refused");
    error.code().expect("a wire code").to_string()
}

fn parameter(name: &str, value: &str, method: ApplyMethod) -> Parameter {
    Parameter::builder().parameter_name(name).parameter_value(value).apply_method(method).build()
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

impl Fixture {
    async fn wait(&self, seconds: u64) {
        self.sandbox.clock().sleep(Duration::from_secs(seconds)).await;
    }

    async fn group(&self, name: &str) {
        let make = self.rds.create_db_cluster_parameter_group().db_cluster_parameter_group_name(name);
        make.db_parameter_group_family("aurora-mysql8.0").description("test").send().await.unwrap();
    }

    async fn set(&self, group: &str, name: &str, value: &str, method: ApplyMethod) {
        let modify = self.rds.modify_db_cluster_parameter_group().db_cluster_parameter_group_name(group);
        modify.parameters(parameter(name, value, method)).send().await.unwrap();
    }

    fn new_cluster(
        &self,
        id: &str,
    ) -> aws_sdk_rds::operation::create_db_cluster::builders::CreateDBClusterFluentBuilder {
        let make = self.rds.create_db_cluster().db_cluster_identifier(id).engine("aurora-mysql");
        make.master_username("admin").master_user_password("correct horse")
    }

    fn new_instance(
        &self,
        cluster: &str,
        id: &str,
    ) -> aws_sdk_rds::operation::create_db_instance::builders::CreateDBInstanceFluentBuilder {
        let make = self.rds.create_db_instance().db_instance_identifier(id).engine("aurora-mysql");
        make.db_cluster_identifier(cluster).db_instance_class("db.r6g.large")
    }

    /// Cluster `c` with group `g` and the members `c-0`, `c-1`, …; the first one is the writer.
    async fn cluster(&self, members: usize) {
        self.group("g").await;
        self.new_cluster("c").db_cluster_parameter_group_name("g").send().await.unwrap();
        self.wait(100).await;
        for member in 0..members {
            self.new_instance("c", &format!("c-{member}")).send().await.unwrap();
            self.wait(1).await;
        }
        self.wait(1_000).await;
    }

    async fn describe(&self) -> DbCluster {
        let answer = self.rds.describe_db_clusters().db_cluster_identifier("c").send().await.unwrap();
        answer.db_clusters()[0].clone()
    }

    async fn instance(&self, id: &str) -> DbInstance {
        let answer = self.rds.describe_db_instances().db_instance_identifier(id).send().await.unwrap();
        answer.db_instances()[0].clone()
    }

    async fn instance_status(&self, id: &str) -> String {
        self.instance(id).await.db_instance_status().unwrap().to_string()
    }

    async fn status(&self) -> String {
        self.describe().await.status().unwrap().to_string()
    }

    /// `member status` for each member of `c`, and a star at the writer.
    async fn members(&self) -> Vec<String> {
        let cluster = self.describe().await;
        let line = |m: &aws_sdk_rds::types::DbClusterMember| {
            let star = if m.is_cluster_writer() == Some(true) { "*" } else { "" };
            let status = m.db_cluster_parameter_group_status().unwrap();
            format!("{}{star} {status}", m.db_instance_identifier().unwrap())
        };
        cluster.db_cluster_members().iter().map(line).collect()
    }

    /// Polls every five seconds until the cluster says `status`; seconds that it took.
    async fn until(&self, status: &str) -> u64 {
        for seconds in (0..3_600).step_by(5) {
            if self.status().await == status {
                return seconds;
            }
            self.wait(5).await;
        }
        panic!("never {status}");
    }

    async fn read(&self, group: &str, name: &str) -> Parameter {
        let filter = Filter::builder().name("parameter-name").values(name).build();
        let ask = self.rds.describe_db_cluster_parameters().db_cluster_parameter_group_name(group);
        ask.filters(filter).send().await.unwrap().parameters()[0].clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_born_in_two_steps_with_all_its_attributes() {
    let f = lenient(1, Mood::Calm);
    f.group("G").await;
    let made =
        f.new_cluster("C").db_cluster_parameter_group_name("G").tags(tag("k", "v")).send().await.unwrap();
    assert_eq!(made.db_cluster().unwrap().status(), Some("creating"));
    let refused = f.new_instance("c", "c-0").send().await;
    assert_eq!(code(refused), "InvalidDBClusterStateFault", "the shell comes first");
    f.wait(50).await;
    let cluster = f.describe().await;
    assert_eq!(cluster.status(), Some("available"));
    assert_eq!(cluster.db_cluster_identifier(), Some("c"), "identifiers are lower-cased");
    assert_eq!(cluster.db_cluster_parameter_group(), Some("g"));
    assert_eq!(cluster.db_cluster_arn(), Some("arn:aws:rds:us-east-1:111122223333:cluster:c"));
    assert_eq!(cluster.allocated_storage(), Some(1));
    assert_eq!(cluster.availability_zones().len(), 3);
    assert_eq!(cluster.engine_version(), Some("8.0.mysql_aurora.3.10.3"));
    assert!(cluster.endpoint().unwrap().starts_with("c.cluster-c"));
    assert!(cluster.reader_endpoint().unwrap().starts_with("c.cluster-ro-c"));
    assert_eq!(cluster.tag_list(), [tag("k", "v")]);
    assert!(cluster.cluster_create_time().is_some());

    f.new_instance("C", "C-0").send().await.unwrap();
    assert_eq!(f.members().await, ["c-0 in-sync"], "no writer yet");
    assert_eq!(f.instance_status("c-0").await, "creating");
    f.wait(425).await;
    assert_eq!(f.members().await, ["c-0* in-sync"]);
    let instance = f.instance("C-0").await;
    assert_eq!(instance.db_instance_status(), Some("available"));
    assert_eq!(instance.engine_version(), cluster.engine_version());
    assert!(instance.endpoint().unwrap().address().unwrap().starts_with("c-0.c"));
    assert_eq!(instance.db_parameter_groups()[0].parameter_apply_status(), Some("in-sync"));
    assert_eq!(instance.db_parameter_groups()[0].db_parameter_group_name(), Some("default.aurora-mysql8.0"));
}

#[tokio::test(start_paused = true)]
async fn whoever_is_available_first_becomes_the_writer() {
    let mut writers = std::collections::BTreeSet::new();
    for seed in 1..=8 {
        let f = lenient(seed, Mood::Real);
        f.cluster(3).await;
        let members = f.members().await;
        let star: Vec<&String> = members.iter().filter(|m| m.contains('*')).collect();
        assert_eq!(star.len(), 1, "{members:?}");
        writers.insert(star[0].split('*').next().unwrap().to_string());
    }
    assert!(writers.len() > 1, "parallel creation leaves the choice to AWS: {writers:?}");
    let f = lenient(1, Mood::Calm);
    f.cluster(3).await;
    assert_eq!(f.members().await, ["c-0* in-sync", "c-1 in-sync", "c-2 in-sync"]);
}

#[tokio::test(start_paused = true)]
async fn creation_is_validated() {
    let f = lenient(1, Mood::Calm);
    let version = |v: &str| f.new_cluster("c").engine_version(v).send();
    assert_eq!(code(version("8.0.mysql_aurora.3.99.0").await), "InvalidParameterCombination");
    assert_eq!(code(version("8.0.mysql_aurora.3.06.1").await), "InvalidParameterCombination", "deprecated");
    let old = f.new_cluster("c").engine_version("8.0.mysql_aurora.3.08.2");
    let old = old.engine_lifecycle_support("open-source-rds-extended-support-disabled");
    assert_eq!(code(old.send().await), "InvalidParameterCombination", "past standard support");
    for password in ["short", "with/slash/in/it", "with\"quote\"", "with@at@at"] {
        let refused = f.new_cluster("c").master_user_password(password).send().await;
        assert_eq!(code(refused), "InvalidParameterValue", "{password}");
    }
    let both = f.new_cluster("c").manage_master_user_password(true).send().await;
    assert_eq!(code(both), "InvalidParameterCombination");
    assert_eq!(code(f.new_cluster("c").allocated_storage(10).send().await), "InvalidParameterCombination");
    assert_eq!(code(f.new_cluster("c--d").send().await), "InvalidParameterValue");
    let group = f.new_cluster("c").db_cluster_parameter_group_name("nope").send().await;
    assert_eq!(code(group), "DBClusterParameterGroupNotFound", "cluster operations have their own code");
    let family = f.new_cluster("c").db_cluster_parameter_group_name("default.aurora-mysql8.4").send().await;
    assert_eq!(code(family), "InvalidParameterCombination");
    let subnets = f.new_cluster("c").db_subnet_group_name("nope").send().await;
    assert_eq!(code(subnets), "DBSubnetGroupNotFoundFault");
    f.new_cluster("c").send().await.unwrap();
    assert_eq!(code(f.new_cluster("C").send().await), "DBClusterAlreadyExistsFault");

    f.wait(50).await;
    let class = f.new_instance("c", "i").db_instance_class("db.r4.large").send().await;
    assert_eq!(code(class), "InvalidParameterCombination");
    let serverless = f.new_instance("c", "i").db_instance_class("db.serverless").send().await;
    assert_eq!(code(serverless), "InvalidParameterCombination", "the cluster has no capacity range");
    assert_eq!(code(f.new_instance("x", "i").send().await), "DBClusterNotFoundFault");
    assert_eq!(
        code(f.new_instance("c", "i").master_username("u").send().await),
        "InvalidParameterCombination"
    );
    f.new_instance("c", "i").send().await.unwrap();
    assert_eq!(code(f.new_instance("c", "i").send().await), "DBInstanceAlreadyExists");
}

#[tokio::test(start_paused = true)]
async fn not_found_has_a_different_code_for_each() {
    let f = lenient(1, Mood::Calm);
    let r = &f.rds;
    let cluster = r.describe_db_clusters().db_cluster_identifier("x").send().await.unwrap_err();
    assert_eq!(cluster.raw_response().unwrap().status().as_u16(), 404);
    assert!(cluster.into_service_error().is_db_cluster_not_found_fault(), "modelled, not unhandled");
    let instance = r.describe_db_instances().db_instance_identifier("x").send().await;
    assert_eq!(code(instance), "DBInstanceNotFound");
    let group = r.describe_db_cluster_parameters().db_cluster_parameter_group_name("x").send().await;
    assert_eq!(code(group), "DBParameterGroupNotFound");
    let subnets = r.describe_db_subnet_groups().db_subnet_group_name("x").send().await;
    assert_eq!(code(subnets), "DBSubnetGroupNotFoundFault");
    let snapshot = r.describe_db_cluster_snapshots().db_cluster_snapshot_identifier("x").send().await;
    assert_eq!(code(snapshot), "DBClusterSnapshotNotFoundFault");
    let filter = Filter::builder().name("db-cluster-id").values("x").build();
    let filtered = r.describe_db_clusters().filters(filter).send().await.unwrap();
    assert!(filtered.db_clusters().is_empty(), "a filter finds nothing, it does not fail");
}

#[tokio::test(start_paused = true)]
async fn other_services_are_asked() {
    let f = strict(1, Mood::Calm);
    let subnets = f.rds.create_db_subnet_group().db_subnet_group_name("s").db_subnet_group_description("d");
    let refused = subnets.subnet_ids("subnet-nowhere").subnet_ids("subnet-never").send().await;
    assert_eq!(code(refused), "InvalidSubnet");
    assert_eq!(code(f.new_cluster("c").send().await), "InvalidSubnet", "no default subnets");
    f.sandbox.with(|world| world.regions.get_mut("us-east-1").unwrap().rds.lenient = true);
    f.cluster(1).await;
    f.sandbox.with(|world| world.regions.get_mut("us-east-1").unwrap().rds.lenient = false);
    let add = f.rds.add_role_to_db_cluster().db_cluster_identifier("c").role_arn(ROLE).send().await;
    assert_eq!(code(add), "InvalidParameterValue", "no such role");
    let modify = f.rds.modify_db_cluster().db_cluster_identifier("c").vpc_security_group_ids("sg-nowhere");
    assert_eq!(code(modify.send().await), "InvalidParameterValue");
}

#[tokio::test(start_paused = true)]
async fn subnet_groups_cover_two_zones_and_stay_while_used() {
    let f = lenient(1, Mood::Calm);
    let new =
        || f.rds.create_db_subnet_group().db_subnet_group_name("Subnets").db_subnet_group_description("d");
    assert_eq!(code(new().subnet_ids("subnet-1").send().await), "DBSubnetGroupDoesNotCoverEnoughAZs");
    new().subnet_ids("subnet-1").subnet_ids("subnet-2").send().await.unwrap();
    let again = new().subnet_ids("subnet-1").subnet_ids("subnet-2").send().await;
    assert_eq!(code(again), "DBSubnetGroupAlreadyExists");
    let found = f.rds.describe_db_subnet_groups().db_subnet_group_name("SUBNETS").send().await.unwrap();
    assert_eq!(found.db_subnet_groups()[0].db_subnet_group_name(), Some("subnets"));
    assert_eq!(found.db_subnet_groups()[0].subnets().len(), 2);
    f.new_cluster("c").db_subnet_group_name("subnets").send().await.unwrap();
    f.wait(50).await;
    let delete = || f.rds.delete_db_subnet_group().db_subnet_group_name("subnets").send();
    assert_eq!(code(delete().await), "InvalidDBSubnetGroupStateFault");
    f.rds.delete_db_cluster().db_cluster_identifier("c").skip_final_snapshot(true).send().await.unwrap();
    assert_eq!(code(delete().await), "InvalidDBSubnetGroupStateFault", "still deleting");
    f.wait(200).await;
    delete().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn parameters_are_validated() {
    let f = lenient(1, Mood::Calm);
    f.group("g").await;
    let modify = |p: Vec<Parameter>| {
        f.rds
            .modify_db_cluster_parameter_group()
            .db_cluster_parameter_group_name("g")
            .set_parameters(Some(p))
            .send()
    };
    let now = ApplyMethod::Immediate;
    let later = ApplyMethod::PendingReboot;
    let unknown = modify(vec![parameter("aurora_load_from_s3_role", ROLE, later.clone())]).await;
    assert_eq!(code(unknown), "InvalidParameterValue", "gone since version 3");
    let fixed = modify(vec![parameter("binlog_format", "ROW", now.clone())]).await;
    assert_eq!(code(fixed), "InvalidParameterCombination");
    let value = modify(vec![parameter("require_secure_transport", "maybe", now.clone())]).await;
    assert_eq!(code(value), "InvalidParameterValue");
    let locked = modify(vec![parameter("innodb_page_size", "4096", later.clone())]).await;
    assert_eq!(code(locked), "InvalidParameterValue");
    let many: Vec<Parameter> =
        (0..21).map(|_| parameter("aws_default_s3_role", ROLE, later.clone())).collect();
    assert_eq!(code(modify(many).await), "InvalidParameterValue", "20 at most");
    modify(vec![parameter("binlog_format", "ROW", later), parameter("aws_default_s3_role", ROLE, now)])
        .await
        .unwrap();
    let role = f.read("g", "aws_default_s3_role").await;
    assert_eq!((role.parameter_value(), role.source()), (Some(ROLE), Some("user")));
    assert_eq!(role.apply_type(), Some("dynamic"));
    assert_eq!(role.apply_method(), Some(&ApplyMethod::PendingReboot), "whatever was sent");
    assert_eq!(f.read("g", "binlog_format").await.apply_type(), Some("static"));

    f.set("g", "wait_timeout", "28800", ApplyMethod::Immediate).await;
    let same = f.read("g", "wait_timeout").await;
    assert_eq!(same.source(), Some("engine-default"), "set to its default: not listed under user");
    let user = f.rds.describe_db_cluster_parameters().db_cluster_parameter_group_name("g").source("user");
    let user = user.send().await.unwrap();
    let names: Vec<_> = user.parameters().iter().filter_map(|p| p.parameter_name()).collect();
    assert_eq!(names, ["aws_default_s3_role", "binlog_format"]);

    let default = f.rds.modify_db_cluster_parameter_group();
    let default = default.db_cluster_parameter_group_name("default.aurora-mysql8.0");
    let default = default.parameters(parameter("time_zone", "UTC", ApplyMethod::Immediate)).send().await;
    assert_eq!(code(default), "InvalidParameterValue", "default groups are immutable");
}

#[tokio::test(start_paused = true)]
async fn the_source_of_a_set_value_is_not_always_user() {
    let f = lenient(5, Mood::Real);
    f.group("g").await;
    let mut sources = std::collections::BTreeSet::new();
    for seconds in 1..60 {
        f.wait(30).await;
        f.set("g", "max_execution_time", &seconds.to_string(), ApplyMethod::Immediate).await;
        sources.insert(f.read("g", "max_execution_time").await.source().unwrap().to_string());
    }
    assert_eq!(sources.into_iter().collect::<Vec<_>>(), ["system", "user"]);
}

#[tokio::test(start_paused = true)]
async fn parameters_come_in_pages() {
    let f = lenient(1, Mood::Calm);
    let ask = || {
        let ask = f.rds.describe_db_cluster_parameters();
        ask.db_cluster_parameter_group_name("default.aurora-mysql8.0")
    };
    assert_eq!(code(ask().max_records(10).send().await), "InvalidParameterValue");
    assert_eq!(code(ask().max_records(101).send().await), "InvalidParameterValue");
    let mut all = std::collections::BTreeSet::new();
    let mut pages = ask().max_records(40).into_paginator().send();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        count += 1;
        all.extend(page.unwrap().parameters().iter().map(|p| p.parameter_name().unwrap().to_string()));
    }
    assert!(count > 2 && all.len() > 100, "{count} pages, {} names", all.len());
    assert!(all.contains("aws_default_bedrock_role") && all.contains("activate_all_roles_on_login"));
    let defaults = f.rds.describe_engine_default_cluster_parameters();
    let defaults = defaults.db_parameter_group_family("aurora-mysql8.4").send().await.unwrap();
    let defaults = defaults.engine_defaults().unwrap();
    let of = |name: &str| defaults.parameters().iter().find(|p| p.parameter_name() == Some(name));
    assert!(of("activate_all_roles_on_login").is_none(), "the engine's defaults omit valid names");
    assert_eq!(defaults.parameters().len(), 100);
    assert!(defaults.marker().is_some());
}

#[tokio::test(start_paused = true)]
async fn groups_are_copied_deleted_and_counted() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    f.set("g", "time_zone", "UTC", ApplyMethod::PendingReboot).await;
    let copy = f.rds.copy_db_cluster_parameter_group().source_db_cluster_parameter_group_identifier("g");
    let copy = copy.target_db_cluster_parameter_group_identifier("h");
    copy.target_db_cluster_parameter_group_description("copy").send().await.unwrap();
    assert_eq!(f.read("h", "time_zone").await.parameter_value(), Some("UTC"));
    let delete =
        |name: &str| f.rds.delete_db_cluster_parameter_group().db_cluster_parameter_group_name(name).send();
    assert_eq!(code(delete("g").await), "InvalidDBParameterGroupState", "attached");
    delete("h").await.unwrap();
    assert_eq!(code(delete("h").await), "DBParameterGroupNotFound");
    for n in 1..50 {
        f.group(&format!("n{n}")).await;
    }
    let more = f.rds.create_db_cluster_parameter_group().db_cluster_parameter_group_name("more");
    let more = more.db_parameter_group_family("aurora-mysql8.0").description("d").send().await;
    assert_eq!(code(more), "DBParameterGroupQuotaExceeded");
}

#[tokio::test(start_paused = true)]
async fn values_in_the_group_at_creation_need_no_restart() {
    let f = lenient(1, Mood::Calm);
    f.group("g").await;
    f.set("g", "binlog_format", "ROW", ApplyMethod::PendingReboot).await;
    f.new_cluster("c").db_cluster_parameter_group_name("g").send().await.unwrap();
    f.wait(50).await;
    f.new_instance("c", "c-0").send().await.unwrap();
    f.wait(425).await;
    assert_eq!(f.members().await, ["c-0* in-sync"]);
}

#[tokio::test(start_paused = true)]
async fn a_dynamic_change_applies_in_seconds_and_others_wait_for_a_restart() {
    let f = lenient(1, Mood::Calm);
    f.cluster(2).await;
    f.set("g", "aws_default_sagemaker_role", ROLE, ApplyMethod::Immediate).await;
    assert_eq!(f.members().await, ["c-0* applying", "c-1 applying"]);
    f.wait(10).await;
    assert_eq!(f.members().await, ["c-0* in-sync", "c-1 in-sync"]);
    f.set("g", "aws_default_sagemaker_role", ROLE, ApplyMethod::PendingReboot).await;
    assert_eq!(f.members().await, ["c-0* in-sync", "c-1 in-sync"], "nothing changed");
    f.set("g", "aws_default_s3_role", ROLE, ApplyMethod::PendingReboot).await;
    assert_eq!(f.members().await, ["c-0* pending-reboot", "c-1 pending-reboot"]);
    f.wait(14 * 24 * 3_600).await;
    let still = f.members().await;
    assert_eq!(still, ["c-0* pending-reboot", "c-1 pending-reboot"], "a maintenance window changes nothing");
}

#[tokio::test(start_paused = true)]
async fn a_reset_counts_as_a_change() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    f.set("g", "time_zone", "UTC", ApplyMethod::Immediate).await;
    f.wait(20).await;
    let reset = || f.rds.reset_db_cluster_parameter_group().db_cluster_parameter_group_name("g");
    let one =
        Parameter::builder().parameter_name("time_zone").apply_method(ApplyMethod::PendingReboot).build();
    let both = reset().reset_all_parameters(true).parameters(one.clone()).send().await;
    assert_eq!(code(both), "InvalidParameterCombination");
    reset().parameters(one).send().await.unwrap();
    assert_eq!(f.members().await, ["c-0* pending-reboot"]);
    assert_eq!(f.read("g", "time_zone").await.parameter_value(), None);
}

#[tokio::test(start_paused = true)]
async fn a_group_in_use_refuses_a_second_change_now_and_then() {
    let f = lenient(2, Mood::Real);
    f.group("g").await;
    let mut refused = 0;
    for n in 1..60 {
        let modify = f.rds.modify_db_cluster_parameter_group().db_cluster_parameter_group_name("g");
        let change = parameter("max_execution_time", &n.to_string(), ApplyMethod::Immediate);
        if let Err(error) = modify.parameters(change).send().await {
            assert_eq!(error.code(), Some("InvalidDBParameterGroupState"));
            refused += 1;
        }
    }
    assert!((1..50).contains(&refused), "{refused} of 59");
}

#[tokio::test(start_paused = true)]
async fn attaching_a_group_shows_at_once_and_the_status_late() {
    let f = lenient(1, Mood::Calm);
    f.cluster(2).await;
    f.group("h").await;
    let attach = f.rds.modify_db_cluster().db_cluster_identifier("c").db_cluster_parameter_group_name("H");
    attach.send().await.unwrap();
    let cluster = f.describe().await;
    assert_eq!(cluster.db_cluster_parameter_group(), Some("h"));
    assert_eq!(cluster.status(), Some("available"), "not visible yet");
    assert_eq!(f.members().await, ["c-0* pending-reboot", "c-1 pending-reboot"]);
    f.wait(6).await;
    assert_eq!(f.status().await, "modifying");
    let refused = f.rds.modify_db_cluster().db_cluster_identifier("c").deletion_protection(true).send().await;
    assert_eq!(code(refused), "InvalidDBClusterStateFault");
    f.wait(45).await;
    assert_eq!(f.status().await, "available");
    assert_eq!(f.members().await, ["c-0* pending-reboot", "c-1 pending-reboot"]);
}

#[tokio::test(start_paused = true)]
async fn a_reboot_restarts_one_member_only() {
    let f = lenient(1, Mood::Calm);
    f.cluster(2).await;
    f.set("g", "binlog_format", "ROW", ApplyMethod::PendingReboot).await;
    let reboot = |id: &str| f.rds.reboot_db_instance().db_instance_identifier(id).send();
    reboot("c-0").await.unwrap();
    assert_eq!(f.instance_status("c-0").await, "available", "the first look proves nothing");
    assert_eq!(code(reboot("c-0").await), "InvalidDBInstanceState", "one is under way");
    f.wait(6).await;
    assert_eq!(f.instance_status("c-0").await, "rebooting");
    assert_eq!(code(reboot("c-0").await), "InvalidDBInstanceState");
    f.wait(60).await;
    assert_eq!(f.instance_status("c-0").await, "available");
    assert_eq!(f.members().await, ["c-0* pending-reboot", "c-1 pending-reboot"], "noticed later");
    f.wait(10).await;
    assert_eq!(f.members().await, ["c-0* in-sync", "c-1 pending-reboot"]);
    let whole = f.rds.reboot_db_cluster().db_cluster_identifier("c").send().await;
    assert_eq!(code(whole), "InvalidDBClusterStateFault", "not for Aurora");
    let forced = f.rds.reboot_db_instance().db_instance_identifier("c-1").force_failover(true).send().await;
    assert_eq!(code(forced), "InvalidParameterCombination");
}

#[tokio::test(start_paused = true)]
async fn a_change_during_a_restart_waits_for_the_next() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    f.set("g", "binlog_format", "ROW", ApplyMethod::PendingReboot).await;
    f.rds.reboot_db_instance().db_instance_identifier("c-0").send().await.unwrap();
    f.wait(30).await;
    f.set("g", "binlog_format", "MIXED", ApplyMethod::PendingReboot).await;
    f.wait(120).await;
    assert_eq!(f.members().await, ["c-0* pending-reboot"]);
}

#[tokio::test(start_paused = true)]
async fn management_work_can_refuse_a_reboot_of_an_available_member() {
    let f = lenient(3, Mood::Real);
    f.cluster(1).await;
    f.group("h").await;
    let mut refused = 0;
    for round in 0..40 {
        f.until("available").await;
        let group = if round % 2 == 0 { "h" } else { "g" };
        let attach =
            f.rds.modify_db_cluster().db_cluster_identifier("c").db_cluster_parameter_group_name(group);
        attach.send().await.unwrap();
        f.wait(10).await;
        if f.instance_status("c-0").await == "available" {
            let reboot = f.rds.reboot_db_instance().db_instance_identifier("c-0").send().await;
            refused +=
                usize::from(reboot.is_err_and(|e| e.message().unwrap().contains("in-progress management")));
        }
        f.wait(900).await;
    }
    assert!((1..30).contains(&refused), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_failover_restarts_exactly_two_members() {
    let f = lenient(1, Mood::Calm);
    f.cluster(3).await;
    f.set("g", "binlog_format", "ROW", ApplyMethod::PendingReboot).await;
    let failover = |target: &str| {
        f.rds.failover_db_cluster().db_cluster_identifier("c").target_db_instance_identifier(target).send()
    };
    assert_eq!(code(failover("nobody").await), "InvalidParameterValue");
    assert_eq!(code(failover("c-0").await), "InvalidDBInstanceState", "the writer");
    failover("c-2").await.unwrap();
    assert_eq!(f.status().await, "available", "not visible yet");
    assert_eq!(code(failover("c-1").await), "InvalidDBClusterStateFault", "one is under way");
    f.wait(6).await;
    assert_eq!(f.status().await, "failing-over");
    let statuses =
        [f.instance_status("c-0").await, f.instance_status("c-1").await, f.instance_status("c-2").await];
    assert_eq!(statuses, ["rebooting", "available", "rebooting"]);
    f.wait(30).await;
    assert_eq!(f.status().await, "available");
    assert!(f.members().await[0].starts_with("c-0*"), "the roles are refreshed late");
    f.wait(12).await;
    assert_eq!(f.members().await, ["c-0 in-sync", "c-1 pending-reboot", "c-2* in-sync"]);
    let events = f.rds.describe_events().source_type(SourceType::DbCluster).source_identifier("c");
    let events = events.event_categories("failover").send().await.unwrap();
    let messages: Vec<_> = events.events().iter().filter_map(|e| e.message()).collect();
    assert_eq!(messages, ["Started failover to DB instance: c-2", "Completed failover to DB instance: c-2"]);
}

#[tokio::test(start_paused = true)]
async fn a_failover_without_a_target_goes_by_promotion_tier() {
    let f = lenient(1, Mood::Calm);
    f.cluster(3).await;
    let tier = f.rds.modify_db_instance().db_instance_identifier("c-2").promotion_tier(0);
    tier.apply_immediately(true).send().await.unwrap();
    f.rds.failover_db_cluster().db_cluster_identifier("c").send().await.unwrap();
    f.wait(60).await;
    assert!(f.members().await[2].starts_with("c-2*"));
}

#[tokio::test(start_paused = true)]
async fn a_failover_needs_two_available_members() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    let failover = || f.rds.failover_db_cluster().db_cluster_identifier("c").send();
    assert_eq!(code(failover().await), "InvalidDBClusterStateFault", "one member");
    f.new_instance("c", "c-1").send().await.unwrap();
    assert_eq!(code(failover().await), "InvalidDBClusterStateFault", "the reader is creating");
    let target = f.rds.failover_db_cluster().db_cluster_identifier("c").target_db_instance_identifier("c-1");
    assert_eq!(code(target.send().await), "InvalidDBInstanceState");
}

#[tokio::test(start_paused = true)]
async fn roles_are_pending_first_and_five_at_most() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    let role = |n: usize| format!("arn:aws:iam::111122223333:role/r{n}");
    let add = |n: usize| f.rds.add_role_to_db_cluster().db_cluster_identifier("c").role_arn(role(n)).send();
    let statuses = async || {
        let cluster = f.describe().await;
        let statuses = cluster.associated_roles().iter().map(|r| r.status().unwrap().to_string());
        statuses.collect::<Vec<_>>()
    };
    add(1).await.unwrap();
    assert_eq!(statuses().await, ["PENDING"]);
    assert_eq!(code(add(1).await), "DBClusterRoleAlreadyExists");
    f.wait(31).await;
    assert_eq!(statuses().await, ["ACTIVE"]);
    for n in 2..=5 {
        add(n).await.unwrap();
    }
    assert_eq!(code(add(6).await), "DBClusterRoleQuotaExceeded");
    let named =
        f.rds.add_role_to_db_cluster().db_cluster_identifier("c").role_arn(role(6)).feature_name("Lambda");
    assert_eq!(code(named.send().await), "InvalidParameterValue", "feature names are for PostgreSQL");
    let remove =
        |n: usize| f.rds.remove_role_from_db_cluster().db_cluster_identifier("c").role_arn(role(n)).send();
    assert_eq!(code(remove(9).await), "DBClusterRoleNotFound");
    remove(1).await.unwrap();
    assert_eq!(statuses().await.len(), 5, "it goes in the background");
    f.wait(11).await;
    assert_eq!(statuses().await.len(), 4);
    f.sandbox.with(|world| world.regions.get_mut("us-east-1").unwrap().rds.lenient = false);
    f.wait(60).await;
    assert_eq!(statuses().await, ["INVALID"; 4], "the roles do not exist in IAM");
}

#[tokio::test(start_paused = true)]
async fn a_role_that_vanishes_while_pending_leaves_an_event() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    f.rds.add_role_to_db_cluster().db_cluster_identifier("c").role_arn(ROLE).send().await.unwrap();
    f.sandbox.with(|world| world.regions.get_mut("us-east-1").unwrap().rds.lenient = false);
    f.wait(40).await;
    let events = f.rds.describe_events().source_type(SourceType::DbCluster).send().await.unwrap();
    assert!(
        events.events().iter().any(|e| e.message().unwrap().contains("isn't able to associate the IAM role"))
    );
}

#[tokio::test(start_paused = true)]
async fn roles_need_an_available_cluster() {
    let f = lenient(1, Mood::Calm);
    f.new_cluster("c").send().await.unwrap();
    let add = f.rds.add_role_to_db_cluster().db_cluster_identifier("c").role_arn(ROLE).send().await;
    assert_eq!(code(add), "InvalidDBClusterStateFault");
}

#[tokio::test(start_paused = true)]
async fn some_changes_wait_for_the_window_and_some_do_not() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    let modify = || f.rds.modify_db_cluster().db_cluster_identifier("c");
    modify().backup_retention_period(7).deletion_protection(true).send().await.unwrap();
    let cluster = f.describe().await;
    assert_eq!(cluster.deletion_protection(), Some(true));
    assert_eq!(cluster.backup_retention_period(), Some(1));
    assert_eq!(cluster.pending_modified_values().unwrap().backup_retention_period(), Some(7));
    f.wait(60).await;
    modify().backup_retention_period(5).apply_immediately(true).send().await.unwrap();
    assert_eq!(f.describe().await.backup_retention_period(), Some(1), "the first look shows the old value");
    f.wait(6).await;
    let cluster = f.describe().await;
    assert_eq!(cluster.backup_retention_period(), Some(5));
    assert!(cluster.pending_modified_values().is_none());
    f.wait(60).await;
    modify().backup_retention_period(9).send().await.unwrap();
    f.wait(8 * 24 * 3_600).await;
    assert_eq!(f.describe().await.backup_retention_period(), Some(9), "a window has passed");
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_restarts_everyone_and_there_is_no_way_back() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    f.set("g", "binlog_format", "ROW", ApplyMethod::PendingReboot).await;
    let to = |version: &str| {
        f.rds.modify_db_cluster().db_cluster_identifier("c").engine_version(version).apply_immediately(true)
    };
    assert_eq!(
        code(to("8.0.mysql_aurora.3.08.2").send().await),
        "InvalidParameterCombination",
        "a downgrade"
    );
    let major = to("8.4.mysql_aurora.8.4.8");
    assert_eq!(code(major.clone().send().await), "InvalidParameterCombination", "needs a flag");
    let custom = major.allow_major_version_upgrade(true).send().await;
    assert_eq!(code(custom), "InvalidParameterCombination", "needs a group of the new family");
    to("8.0.mysql_aurora.3.12.0").send().await.unwrap();
    f.wait(6).await;
    assert_eq!(f.status().await, "upgrading");
    f.wait(700).await;
    assert_eq!(f.describe().await.engine_version(), Some("8.0.mysql_aurora.3.12.0"));
    assert_eq!(f.members().await, ["c-0* in-sync"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_capacity_range_leaves_serverless_members_pending() {
    let f = lenient(1, Mood::Calm);
    let range =
        |min, max| ServerlessV2ScalingConfiguration::builder().min_capacity(min).max_capacity(max).build();
    for (min, max) in [(0.3, 4.0), (4.0, 2.0), (0.0, 0.0), (1.0, 300.0)] {
        let refused = f.new_cluster("c").serverless_v2_scaling_configuration(range(min, max)).send().await;
        assert_eq!(code(refused), "InvalidParameterValue", "{min} to {max}");
    }
    let old = f.new_cluster("c").engine_version("8.0.mysql_aurora.3.04.2");
    let old = old.serverless_v2_scaling_configuration(range(0.0, 4.0)).send().await;
    assert_eq!(code(old), "InvalidParameterValue", "cannot pause");
    f.new_cluster("c").serverless_v2_scaling_configuration(range(0.0, 4.0)).send().await.unwrap();
    f.wait(50).await;
    let pause = |cluster: &DbCluster| {
        cluster.serverless_v2_scaling_configuration().unwrap().seconds_until_auto_pause()
    };
    assert_eq!(pause(&f.describe().await), Some(300));
    f.new_instance("c", "c-0").db_instance_class("db.serverless").send().await.unwrap();
    f.new_instance("c", "c-1").send().await.unwrap();
    f.wait(430).await;
    let modify = f.rds.modify_db_cluster().db_cluster_identifier("c");
    modify.serverless_v2_scaling_configuration(range(1.0, 8.0)).send().await.unwrap();
    assert_eq!(f.members().await, ["c-0* pending-reboot", "c-1 in-sync"]);
    f.wait(50).await;
    assert_eq!(pause(&f.describe().await), None, "not returned above zero");
}

#[tokio::test(start_paused = true)]
async fn the_managed_secret_becomes_active_late() {
    let f = lenient(1, Mood::Calm);
    let make =
        f.rds.create_db_cluster().db_cluster_identifier("c").engine("aurora-mysql").master_username("admin");
    make.manage_master_user_password(true).send().await.unwrap();
    f.wait(50).await;
    let secret = f.describe().await.master_user_secret().unwrap().clone();
    assert!(
        secret
            .secret_arn()
            .unwrap()
            .starts_with("arn:aws:secretsmanager:us-east-1:111122223333:secret:rds!cluster-")
    );
    assert_eq!(secret.secret_status(), Some("creating"));
    f.wait(20).await;
    assert_eq!(f.describe().await.master_user_secret().unwrap().secret_status(), Some("active"));
    let password = f.rds.modify_db_cluster().db_cluster_identifier("c").master_user_password("new password");
    assert_eq!(code(password.send().await), "InvalidParameterCombination");
}

#[tokio::test(start_paused = true)]
async fn the_data_api_is_switched_by_its_own_operations() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    let arn = f.describe().await.db_cluster_arn().unwrap().to_string();
    f.rds.modify_db_cluster().db_cluster_identifier("c").enable_http_endpoint(true).send().await.unwrap();
    assert_eq!(f.describe().await.http_endpoint_enabled(), Some(false), "ModifyDBCluster is silent about it");
    f.rds.enable_http_endpoint().resource_arn(&arn).send().await.unwrap();
    assert_eq!(f.describe().await.http_endpoint_enabled(), Some(true));
    f.rds.disable_http_endpoint().resource_arn(&arn).send().await.unwrap();
    let unknown = f.rds.enable_http_endpoint().resource_arn(format!("{arn}x")).send().await;
    assert_eq!(code(unknown), "ResourceNotFoundFault");
    f.new_instance("c", "c-1").db_instance_class("db.t4g.medium").send().await.unwrap();
    let small = f.rds.enable_http_endpoint().resource_arn(&arn).send().await;
    assert_eq!(code(small), "InvalidResourceStateFault", "not on T classes");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_cluster_refuses_everything_and_starts_with_new_parameters() {
    let f = lenient(1, Mood::Calm);
    f.cluster(2).await;
    f.rds.stop_db_cluster().db_cluster_identifier("c").send().await.unwrap();
    assert_eq!(f.status().await, "available", "not visible yet");
    f.wait(6).await;
    assert_eq!(f.status().await, "stopping");
    f.wait(400).await;
    assert_eq!((f.status().await.as_str(), f.instance_status("c-0").await.as_str()), ("stopped", "stopped"));
    assert!(f.describe().await.automatic_restart_time().is_some());
    f.set("g", "binlog_format", "ROW", ApplyMethod::PendingReboot).await;
    assert_eq!(f.members().await, ["c-0* pending-reboot", "c-1 pending-reboot"]);
    let modify = f.rds.modify_db_cluster().db_cluster_identifier("c").deletion_protection(true).send().await;
    assert_eq!(code(modify), "InvalidDBClusterStateFault");
    assert_eq!(code(f.new_instance("c", "c-2").send().await), "InvalidDBClusterStateFault");
    let delete = f.rds.delete_db_instance().db_instance_identifier("c-0").send().await;
    assert_eq!(code(delete), "InvalidDBInstanceState");
    let delete = f.rds.delete_db_cluster().db_cluster_identifier("c").skip_final_snapshot(true).send().await;
    assert_eq!(code(delete), "InvalidDBClusterStateFault");
    f.rds.start_db_cluster().db_cluster_identifier("c").send().await.unwrap();
    assert_eq!(f.status().await, "starting");
    f.wait(620).await;
    assert_eq!(f.status().await, "available");
    assert_eq!(f.members().await, ["c-0* in-sync", "c-1 in-sync"]);
    assert_eq!(
        code(f.rds.start_db_cluster().db_cluster_identifier("c").send().await),
        "InvalidDBClusterStateFault"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stopped_cluster_starts_by_itself_after_a_week() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    f.rds.stop_db_cluster().db_cluster_identifier("c").send().await.unwrap();
    f.wait(500).await;
    assert_eq!(f.status().await, "stopped");
    f.wait(7 * 24 * 3_600).await;
    assert_eq!(f.status().await, "starting");
}

#[tokio::test(start_paused = true)]
async fn deletion_has_an_order() {
    let f = lenient(1, Mood::Calm);
    f.cluster(2).await;
    f.rds.modify_db_cluster().db_cluster_identifier("c").deletion_protection(true).send().await.unwrap();
    f.wait(60).await;
    let delete = || f.rds.delete_db_cluster().db_cluster_identifier("c");
    let skip = || delete().skip_final_snapshot(true).send();
    assert_eq!(code(skip().await), "InvalidParameterCombination", "protected");
    f.rds.modify_db_cluster().db_cluster_identifier("c").deletion_protection(false).send().await.unwrap();
    f.wait(60).await;
    assert_eq!(code(delete().send().await), "InvalidParameterCombination", "no decision on the snapshot");
    let both = delete().skip_final_snapshot(true).final_db_snapshot_identifier("last").send().await;
    assert_eq!(code(both), "InvalidParameterCombination");
    assert_eq!(code(skip().await), "InvalidDBClusterStateFault", "it has instances");
    let instance = |id: &str| f.rds.delete_db_instance().db_instance_identifier(id).send();
    instance("c-1").await.unwrap();
    assert_eq!(code(instance("c-1").await), "InvalidDBInstanceState", "already being deleted");
    instance("c-0").await.unwrap();
    delete().final_db_snapshot_identifier("last").send().await.unwrap();
    assert_eq!(f.status().await, "deleting");
    assert_eq!(f.instance_status("c-0").await, "deleting");
    let group = f.rds.delete_db_cluster_parameter_group().db_cluster_parameter_group_name("g").send();
    assert_eq!(code(group.await), "InvalidDBParameterGroupState", "until the cluster is gone");
    f.wait(405).await;
    let gone = f.rds.describe_db_instances().db_instance_identifier("c-0").send().await;
    assert_eq!(code(gone), "DBInstanceNotFound");
    assert_eq!(f.status().await, "deleting", "the cluster goes after its instances");
    f.wait(95).await;
    assert_eq!(
        code(f.rds.describe_db_clusters().db_cluster_identifier("c").send().await),
        "DBClusterNotFoundFault"
    );
    f.rds.delete_db_cluster_parameter_group().db_cluster_parameter_group_name("g").send().await.unwrap();

    let snapshots = f.rds.describe_db_cluster_snapshots().db_cluster_identifier("c").send().await.unwrap();
    assert_eq!(snapshots.db_cluster_snapshots()[0].status(), Some("available"));
    f.new_cluster("c").send().await.unwrap();
    f.wait(50).await;
    let reused = delete().final_db_snapshot_identifier("Last").send().await;
    assert_eq!(code(reused), "DBClusterSnapshotAlreadyExistsFault");
    f.rds.delete_db_cluster_snapshot().db_cluster_snapshot_identifier("last").send().await.unwrap();
    assert!(f.rds.describe_db_cluster_snapshots().send().await.unwrap().db_cluster_snapshots().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reader_inherits_from_a_deleted_writer() {
    let f = lenient(1, Mood::Calm);
    f.cluster(2).await;
    f.rds.delete_db_instance().db_instance_identifier("c-0").send().await.unwrap();
    f.wait(60).await;
    assert_eq!(f.members().await, ["c-0 in-sync", "c-1* in-sync"]);
    f.wait(400).await;
    assert_eq!(f.members().await, ["c-1* in-sync"]);
}

#[tokio::test(start_paused = true)]
async fn instances_change_class_now_or_in_the_window() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    let modify =
        |class: &str| f.rds.modify_db_instance().db_instance_identifier("c-0").db_instance_class(class);
    assert_eq!(code(modify("db.m5.large").send().await), "InvalidParameterCombination");
    modify("db.r7g.large").send().await.unwrap();
    let instance = f.instance("c-0").await;
    assert_eq!(instance.db_instance_class(), Some("db.r6g.large"));
    assert_eq!(instance.pending_modified_values().unwrap().db_instance_class(), Some("db.r7g.large"));
    modify("db.r7g.xlarge").apply_immediately(true).send().await.unwrap();
    f.wait(6).await;
    assert_eq!(f.instance_status("c-0").await, "modifying");
    assert_eq!(code(modify("db.r7g.large").send().await), "InvalidDBInstanceState");
    f.wait(310).await;
    assert_eq!(f.instance("c-0").await.db_instance_class(), Some("db.r7g.xlarge"));
}

#[tokio::test(start_paused = true)]
async fn tags_live_on_arns() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    for arn in ["cluster:c", "db:c-0", "cluster-pg:g"] {
        let arn = format!("arn:aws:rds:us-east-1:111122223333:{arn}");
        let add = || f.rds.add_tags_to_resource().resource_name(&arn);
        add().tags(tag("a", "1")).tags(tag("b", "2")).send().await.unwrap();
        f.rds.remove_tags_from_resource().resource_name(&arn).tag_keys("b").send().await.unwrap();
        let list = f.rds.list_tags_for_resource().resource_name(&arn).send().await.unwrap();
        assert_eq!(list.tag_list(), [tag("a", "1")], "{arn}");
        assert_eq!(code(add().tags(tag("aws:x", "1")).send().await), "InvalidParameterValue");
    }
    assert_eq!(f.describe().await.tag_list(), [tag("a", "1")]);
    let unknown =
        f.rds.list_tags_for_resource().resource_name("arn:aws:rds:us-east-1:111122223333:db:x").send();
    assert_eq!(code(unknown.await), "DBInstanceNotFound");
}

#[tokio::test(start_paused = true)]
async fn versions_and_classes_are_listed() {
    let f = lenient(1, Mood::Calm);
    let ask = || f.rds.describe_db_engine_versions().engine("aurora-mysql");
    let names = async |ask: aws_sdk_rds::operation::describe_db_engine_versions::builders::DescribeDBEngineVersionsFluentBuilder| {
        let found = ask.send().await.unwrap();
        let names = found.db_engine_versions().iter().map(|v| v.engine_version().unwrap().to_string());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(ask().default_only(true)).await, ["8.0.mysql_aurora.3.10.3"]);
    assert_eq!(
        names(ask().engine_version("8.4")).await,
        ["8.4.mysql_aurora.8.4.7", "8.4.mysql_aurora.8.4.8"]
    );
    let minor = names(ask().engine_version("8.0.mysql_aurora.3.1")).await;
    assert!(minor.is_empty(), "a prefix ends at a dot: {minor:?}");
    let all = names(ask().include_all(true)).await;
    assert!(all.len() > names(ask()).await.len(), "IncludeAll adds deprecated versions");
    let eight = ask().engine_version("8.0.mysql_aurora.3.10.3").send().await.unwrap();
    let eight = &eight.db_engine_versions()[0];
    assert_eq!(eight.db_parameter_group_family(), Some("aurora-mysql8.0"));
    assert_eq!(eight.status(), Some("available"));
    assert!(eight.valid_upgrade_target().iter().any(|t| t.is_major_version_upgrade() == Some(true)));

    let options = f.rds.describe_orderable_db_instance_options().engine("aurora-mysql");
    let options = options.engine_version("8.0.mysql_aurora.3.10.3").send().await.unwrap();
    let class = |name: &str| {
        options.orderable_db_instance_options().iter().find(|o| o.db_instance_class() == Some(name)).cloned()
    };
    assert!(class("db.serverless").is_some() && class("db.r8g.48xlarge").is_some());
    assert_eq!(class("db.r6g.large").unwrap().supports_http_endpoint(), Some(true));
    assert_eq!(class("db.t3.medium").unwrap().supports_http_endpoint(), Some(false));
    assert_eq!(class("db.r6g.large").unwrap().availability_zones().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn listings_that_are_empty_or_fixed() {
    let f = lenient(1, Mood::Calm);
    let maintenance = f.rds.describe_pending_maintenance_actions().send().await.unwrap();
    assert!(maintenance.pending_maintenance_actions().is_empty());
    assert!(f.rds.describe_global_clusters().send().await.unwrap().global_clusters().is_empty());
    let groups = f.rds.describe_db_parameter_groups().send().await.unwrap();
    let names: Vec<_> =
        groups.db_parameter_groups().iter().filter_map(|g| g.db_parameter_group_name()).collect();
    assert_eq!(names, ["default.aurora-mysql5.7", "default.aurora-mysql8.0", "default.aurora-mysql8.4"]);
    let instances = f.rds.describe_db_instances().send().await.unwrap();
    assert!(instances.db_instances().is_empty());
}

#[tokio::test(start_paused = true)]
async fn clusters_and_instances_are_filtered_and_paged() {
    let f = lenient(1, Mood::Calm);
    for n in 0..25 {
        f.new_cluster(&format!("c{n:02}")).send().await.unwrap();
    }
    f.wait(50).await;
    f.new_instance("c03", "i").send().await.unwrap();
    let first = f.rds.describe_db_clusters().max_records(20).send().await.unwrap();
    assert_eq!(first.db_clusters().len(), 20);
    let rest =
        f.rds.describe_db_clusters().max_records(20).marker(first.marker().unwrap()).send().await.unwrap();
    assert_eq!((rest.db_clusters().len(), rest.marker()), (5, None));
    let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let two = filter("db-cluster-id", "arn:aws:rds:us-east-1:111122223333:cluster:c03");
    let found = f.rds.describe_db_clusters().filters(two.clone()).send().await.unwrap();
    assert_eq!(found.db_clusters()[0].db_cluster_identifier(), Some("c03"));
    let found = f.rds.describe_db_instances().filters(two).send().await.unwrap();
    assert_eq!(found.db_instances()[0].db_instance_identifier(), Some("i"));
    let wrong = f.rds.describe_db_clusters().filters(filter("colour", "red")).send().await;
    assert_eq!(code(wrong), "InvalidParameterValue");
    let all = (25..40).map(|n| f.new_cluster(&format!("c{n:02}")).send());
    for one in all {
        one.await.unwrap();
    }
    let many = f.new_cluster("c41").send().await;
    assert_eq!(code(many), "DBClusterQuotaExceededFault");
}

#[tokio::test(start_paused = true)]
async fn the_cluster_backs_itself_up_now_and_then() {
    let mut seen = 0;
    for seed in 1..=30 {
        let f = lenient(seed, Mood::Real);
        f.new_cluster("c").send().await.unwrap();
        f.until("available").await;
        f.new_instance("c", "c-0").send().await.unwrap();
        for _ in 0..80 {
            f.wait(20).await;
            if f.status().await == "backing-up" {
                let modify = f.rds.modify_db_cluster().db_cluster_identifier("c").deletion_protection(true);
                assert_eq!(code(modify.send().await), "InvalidDBClusterStateFault");
                seen += 1;
                break;
            }
        }
    }
    assert!((1..20).contains(&seen), "{seen} of 30");
}

#[tokio::test(start_paused = true)]
async fn a_saved_world_goes_on_where_it_was() {
    let f = lenient(1, Mood::Real);
    f.cluster(2).await;
    f.until("available").await;
    f.set("g", "binlog_format", "ROW", ApplyMethod::PendingReboot).await;
    f.rds.failover_db_cluster().db_cluster_identifier("c").send().await.unwrap();
    let saved = serde_json::to_string(&f.sandbox.world()).unwrap();
    let restored = Sandbox::new(serde_json::from_str(&saved).unwrap(), 1.0);
    let rds = Client::new(&config(&restored));
    let g = Fixture { sandbox: restored, rds };
    for _ in 0..30 {
        assert_eq!(f.status().await, g.status().await);
        assert_eq!(f.members().await, g.members().await);
        f.wait(7).await;
        g.sandbox.with(|world| world.now += 0);
    }
}
