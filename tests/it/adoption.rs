//! Clusters that others made, with plain SDK calls: wired up, changed in nothing else, and given back as they
//! were.

mod engines;
mod parameters;

mod killed;
mod roles;

use crate::crash::{DESTROY, sweep};
use crate::harness::{Account, Recorder, spec, spec_file};
use auroraml::run::reconcile::{PrepareError, prepare, reconcile};
use auroraml_core::base::Id;
use auroraml_core::engine::AURORA_MYSQL;
use auroraml_core::model::Intent;
use auroraml_core::plan::Plan;
use auroraml_core::resource::Action;
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use aws_sdk_rds::Client as Rds;
use aws_sdk_rds::types::{ApplyMethod, DbCluster, Filter, Parameter};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const CLUSTER: &str = "database-aurora-ml";
const GROUP: &str = "production";
/// The stack's name, which its parameter group has too.
const OURS: &str = "aurora-ml";
const LAMBDA: &str = "arn:aws:iam::111122223333:role/calls-lambda";
const OTHER: &str = "arn:aws:iam::111122223333:role/of-somebody-else";

/// An account with a cluster of others, and the means to act as those others.
struct Theirs {
    account: Account,
    rds: Rds,
    spec: Spec,
}

/// The group that the cluster has.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Group {
    Default,
    Exclusive,
    /// With `billing-db` and `orders-db`.
    Shared,
}

fn role_arn(ability: &str) -> String {
    format!("arn:aws:iam::111122223333:role/auroraml/aurora-ml/us-west-2/aurora-ml-us-west-2-{ability}")
}

/// The ability that the article is about: one is enough where it does not matter how many there are.
const SAGEMAKER: &str = "sagemaker: { endpoints: [churn-autopilot] }";

/// The first article's spec, with another list of abilities.
fn wanting(abilities: &str) -> Spec {
    let text = spec_file("existing-cluster.yaml");
    let (before, rest) = text.split_once("machine_learning:").unwrap();
    let (_, after) = rest.split_once("\nendpoints:").unwrap();
    spec(&format!("{before}machine_learning: {{ {abilities} }}\nendpoints:{after}"))
}

impl Theirs {
    async fn new(seed: u64, mood: Mood, group: Group, members: usize) -> Theirs {
        let spec = wanting(SAGEMAKER);
        let account = Account::new(seed, mood);
        let theirs = Theirs::over(account, spec);
        theirs.lenient(true);
        if group != Group::Default {
            theirs.make_group(GROUP).await;
        }
        theirs.make_cluster(CLUSTER, group, members).await;
        if group == Group::Shared {
            for name in ["billing-db", "orders-db"] {
                theirs.make_cluster(name, group, 1).await;
            }
        }
        theirs.lenient(false);
        theirs
    }

    fn over(account: Account, spec: Spec) -> Theirs {
        let (http, clock) = (account.sandbox.http_client(), account.sandbox.clock());
        let rds = Rds::new(&auroraml::aws::simulated_config(&spec.region, http, &clock));
        Theirs { account, rds, spec }
    }

    /// How the network of a cluster that was there before was made is not the question here; nor are its roles.
    fn lenient(&self, lenient: bool) {
        let region = self.spec.region.clone();
        self.account.sandbox.with(|world| world.regions.entry(region).or_default().rds.lenient = lenient);
    }

    /// Whether AWS calls the role parameters static: it does for some accounts (fact book, section 1.3).
    fn apply_types(&self, apply_type: &str) {
        let types =
            AURORA_MYSQL.abilities.iter().map(|ability| (ability.wiring.parameter().unwrap(), apply_type));
        let types = types.map(|(name, apply_type)| (name.to_string(), apply_type.to_string())).collect();
        let region = self.spec.region.clone();
        self.account.sandbox.with(|world| world.regions.entry(region).or_default().rds.apply_types = types);
    }

    async fn wait(&self, seconds: u64) {
        self.account.sandbox.clock().sleep(Duration::from_secs(seconds)).await;
    }

    /// A custom group with values that matter to its owners; AWS lists the last as its own default.
    async fn make_group(&self, name: &str) {
        let make = self.rds.create_db_cluster_parameter_group().db_cluster_parameter_group_name(name);
        make.db_parameter_group_family("aurora-mysql8.0").description("theirs").send().await.unwrap();
        let values = [
            ("aws_default_lambda_role", LAMBDA),
            ("binlog_format", "ROW"),
            ("max_allowed_packet", "33554432"),
            ("aurora_replica_read_consistency", "EVENTUAL"),
            ("binlog_checksum", "CRC32"),
        ];
        for (parameter, value) in values {
            self.set(name, parameter, value).await;
        }
    }

    async fn set(&self, group: &str, parameter: &str, value: &str) {
        let parameter = Parameter::builder().parameter_name(parameter).parameter_value(value);
        let parameter = parameter.apply_method(ApplyMethod::PendingReboot).build();
        let modify = self.rds.modify_db_cluster_parameter_group().db_cluster_parameter_group_name(group);
        modify.parameters(parameter).send().await.unwrap();
        self.wait(60).await;
    }

    async fn make_cluster(&self, name: &str, group: Group, members: usize) {
        let make = self.rds.create_db_cluster().db_cluster_identifier(name).engine("aurora-mysql");
        let make = make.master_username("admin").manage_master_user_password(true);
        let group = (group != Group::Default).then(|| GROUP.to_string());
        let tag = aws_sdk_rds::types::Tag::builder().key("owner").value("data platform").build();
        make.set_db_cluster_parameter_group_name(group).tags(tag).send().await.unwrap();
        self.wait(600).await;
        self.make_members(name, members).await;
    }

    async fn make_members(&self, name: &str, members: usize) {
        for n in 1..=members {
            let make = self.rds.create_db_instance().db_instance_identifier(format!("{name}-{n}"));
            let make = make.db_cluster_identifier(name).engine("aurora-mysql");
            make.db_instance_class("db.r6g.large").send().await.unwrap();
        }
        self.wait(3600).await;
        // A member that joins can come up pending-reboot: their owners see to that.
        for member in self.cluster(name).await.db_cluster_members() {
            if member.db_cluster_parameter_group_status() != Some("in-sync") {
                let instance = member.db_instance_identifier().unwrap();
                self.rds.reboot_db_instance().db_instance_identifier(instance).send().await.unwrap();
                self.wait(600).await;
            }
        }
    }

    async fn cluster(&self, name: &str) -> DbCluster {
        let found = self.rds.describe_db_clusters().db_cluster_identifier(name).send().await.unwrap();
        found.db_clusters()[0].clone()
    }

    /// What must be the same before and after: all that DescribeDBClusters says but the running clock and who
    /// is the writer.
    async fn described(&self, name: &str) -> DbCluster {
        let mut cluster = self.cluster(name).await;
        (cluster.latest_restorable_time, cluster.earliest_restorable_time) = (None, None);
        for member in cluster.db_cluster_members.iter_mut().flatten() {
            member.is_cluster_writer = None;
        }
        cluster
    }

    async fn statuses(&self, name: &str) -> Vec<String> {
        let cluster = self.cluster(name).await;
        let members = cluster.db_cluster_members().iter();
        members.map(|m| m.db_cluster_parameter_group_status().unwrap_or_default().to_string()).collect()
    }

    /// Every parameter of a group: value and source.
    async fn parameters(&self, group: &str) -> BTreeMap<String, (Option<String>, Option<String>)> {
        let list = self.rds.describe_db_cluster_parameters().db_cluster_parameter_group_name(group);
        let all = list.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.unwrap();
        all.into_iter().map(|p| (p.parameter_name.unwrap(), (p.parameter_value, p.source))).collect()
    }

    async fn value(&self, group: &str, parameter: &str) -> Option<String> {
        let filter = Filter::builder().name("parameter-name").values(parameter).build();
        let list = self.rds.describe_db_cluster_parameters().db_cluster_parameter_group_name(group);
        let found = list.filters(filter).send().await.unwrap();
        found.parameters()[0].parameter_value().map(String::from)
    }

    async fn attach(&self, cluster: &str, group: &str) {
        let modify = self.rds.modify_db_cluster().db_cluster_identifier(cluster);
        modify.db_cluster_parameter_group_name(group).apply_immediately(true).send().await.unwrap();
        self.wait(120).await;
    }

    async fn associate(&self, role: &str) {
        let add = self.rds.add_role_to_db_cluster().db_cluster_identifier(CLUSTER).role_arn(role);
        add.send().await.unwrap();
        self.wait(120).await;
    }

    /// Reboots and failovers since the stack's first role was made.
    fn restarts(&self) -> usize {
        self.account.sandbox.with(|world| {
            let restart = |operation: &str| ["RebootDBInstance", "FailoverDBCluster"].contains(&operation);
            let began = world.log.iter().position(|entry| entry.operation == "CreateRole").unwrap();
            world.log[began..].iter().filter(|entry| restart(&entry.operation)).count()
        })
    }

    async fn apply(&self) -> Arc<Recorder> {
        self.account.apply(&self.spec).await
    }

    async fn destroy(&self) {
        self.account.destroy(&self.spec).await;
        assert_eq!(self.account.traces(&self.spec), Vec::<String>::new());
    }

    async fn plan(&self) -> Plan {
        self.account.plan(&self.spec).await
    }

    /// The one problem that stands in the way; nothing may be called.
    async fn problem(&self, intent: Intent) -> String {
        let before = self.account.mutations();
        let Err(PrepareError::Preflight(problems)) = self.account.prepare(&self.spec, intent).await else {
            panic!("there is a plan");
        };
        assert_eq!(self.account.mutations(), before);
        assert_eq!(problems.len(), 1, "{problems:?}");
        format!("{}: {}; {}", problems[0].what, problems[0].why, problems[0].hint)
    }
}

fn ids(plan: &Plan, action: Action) -> Vec<String> {
    let mut ids: Vec<String> =
        plan.steps.iter().filter(|step| step.action == action).map(|step| step.id.to_string()).collect();
    ids.sort();
    ids
}

fn says(plan: &Plan, parts: &[&str]) {
    let found = plan.notes.iter().any(|note| parts.iter().all(|part| note.contains(part)));
    assert!(found, "no note has {parts:?}: {:#?}", plan.notes);
}

/// Wired up, in-sync on every member, and given back byte for byte, whatever group the cluster has.
async fn comes_back(group: Group, members: usize, apply_type: &str) {
    let seed = 100 + members as u64;
    let theirs = Theirs::new(seed, Mood::Real, group, members).await;
    theirs.apply_types(apply_type);
    let names = match group {
        Group::Shared => vec![CLUSTER, "billing-db", "orders-db"],
        _ => vec![CLUSTER],
    };
    let mut before = Vec::new();
    for name in &names {
        before.push(theirs.described(name).await);
    }
    let theirs_before = match group {
        Group::Default => BTreeMap::new(),
        _ => theirs.parameters(GROUP).await,
    };
    theirs.apply().await;
    let (used, attached) = match group {
        Group::Exclusive => (GROUP, GROUP),
        _ => (OURS, OURS),
    };
    let wired = theirs.cluster(CLUSTER).await;
    assert_eq!(wired.db_cluster_parameter_group(), Some(attached), "{group:?} {members}");
    assert_eq!(theirs.statuses(CLUSTER).await, vec!["in-sync"; members], "{group:?} {members}");
    assert_eq!(wired.associated_roles()[0].status(), Some("ACTIVE"));
    assert_eq!(theirs.value(used, "aws_default_sagemaker_role").await, Some(role_arn("sagemaker")));
    // Everything else has the values that its owners gave it.
    if group != Group::Default {
        let mut now = theirs.parameters(used).await;
        now.insert("aws_default_sagemaker_role".into(), theirs_before["aws_default_sagemaker_role"].clone());
        assert_eq!(now, theirs_before, "{group:?} {members}");
    }
    for (name, before) in names.iter().zip(&before).skip(1) {
        assert_eq!(theirs.described(name).await, *before, "{name} was to be spared");
    }
    theirs.destroy().await;
    for (name, before) in names.iter().zip(&before) {
        assert_eq!(theirs.described(name).await, *before, "{group:?} {members}");
    }
    if group != Group::Default {
        assert_eq!(theirs.parameters(GROUP).await, theirs_before, "{group:?} {members}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_with_a_default_group_comes_back_as_it_was() {
    for members in [1, 2, 4] {
        comes_back(Group::Default, members, "dynamic").await;
        comes_back(Group::Default, members, "static").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_with_a_group_of_its_own_comes_back_as_it_was() {
    for members in [1, 2, 4] {
        comes_back(Group::Exclusive, members, "dynamic").await;
        comes_back(Group::Exclusive, members, "static").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_with_a_shared_group_comes_back_as_it_was() {
    for members in [1, 2, 4] {
        comes_back(Group::Shared, members, "dynamic").await;
        comes_back(Group::Shared, members, "static").await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_plan_says_which_group_and_who_is_spared() {
    let theirs = Theirs::new(1, Mood::Calm, Group::Default, 1).await;
    let plan = theirs.plan().await;
    says(&plan, &["default.aurora-mysql8.0", "cannot be changed", "its own parameter group aurora-ml"]);
    let creates =
        ["cluster_role.sagemaker", "group_attachment.main", "parameter_group.main", "role.sagemaker"];
    assert_eq!(ids(&plan, Action::Create), creates);

    let theirs = Theirs::new(1, Mood::Calm, Group::Shared, 1).await;
    let plan = theirs.plan().await;
    says(
        &plan,
        &["production, which is not modified", "shared with billing-db, orders-db, which must not change"],
    );
    assert_eq!(ids(&plan, Action::Create), creates);

    let theirs = Theirs::new(1, Mood::Calm, Group::Exclusive, 1).await;
    let plan = theirs.plan().await;
    says(&plan, &["set in production itself", "that only database-aurora-ml uses"]);
    let creates = ["cluster_role.sagemaker", "group_parameters.main", "role.sagemaker"];
    assert_eq!(ids(&plan, Action::Create), creates);
    // What AWS says of the parameter is known before the first value is set.
    let prepared = theirs.account.prepare(&theirs.spec, Intent::Apply).await.unwrap();
    let props = &prepared.graph.resources[&Id::new("group_parameters", "main")].props;
    assert_eq!(props["apply_types"]["aws_default_sagemaker_role"], "dynamic");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_cluster_is_not_touched() {
    let theirs = Theirs::new(12, Mood::Calm, Group::Exclusive, 1).await;
    let stop = async || {
        theirs.rds.stop_db_cluster().db_cluster_identifier(CLUSTER).send().await.unwrap();
        theirs.wait(1800).await;
    };
    stop().await;
    let problem = theirs.problem(Intent::Apply).await;
    assert!(problem.contains("cluster database-aurora-ml: it is stopped"), "{problem}");
    assert!(problem.contains("aws rds start-db-cluster --region us-west-2"), "{problem}");
    // Nothing of ours is there: a destroy has nothing to ask of it.
    theirs.account.assert_settled(&theirs.spec, DESTROY).await;
    theirs.rds.start_db_cluster().db_cluster_identifier(CLUSTER).send().await.unwrap();
    theirs.wait(3600).await;
    theirs.apply().await;
    stop().await;
    assert!(theirs.problem(DESTROY).await.contains("it is stopped"));
}

/// A restart that others have yet to make is none of ours when there is nothing to give back.
#[tokio::test(start_paused = true)]
async fn destroying_nothing_restarts_nobody() {
    let theirs = Theirs::new(19, Mood::Calm, Group::Exclusive, 2).await;
    theirs.apply().await;
    theirs.destroy().await;
    theirs.set(GROUP, "binlog_format", "MIXED").await;
    assert_eq!(theirs.statuses(CLUSTER).await, ["pending-reboot", "pending-reboot"]);
    theirs.account.assert_settled(&theirs.spec, DESTROY).await;
}

#[tokio::test(start_paused = true)]
async fn the_group_to_give_back_must_be_there() {
    let theirs = Theirs::new(13, Mood::Calm, Group::Shared, 1).await;
    theirs.apply().await;
    for name in ["billing-db", "orders-db"] {
        theirs.attach(name, "default.aurora-mysql8.0").await;
    }
    let delete = theirs.rds.delete_db_cluster_parameter_group().db_cluster_parameter_group_name(GROUP);
    delete.send().await.unwrap();
    let problem = theirs.problem(DESTROY).await;
    assert!(problem.contains("its parameter group production back"), "{problem}");
    assert!(
        problem.contains("that group does not exist; create production again, or set the tag"),
        "{problem}"
    );
    let arn = format!("arn:aws:rds:us-west-2:111122223333:cluster-pg:{OURS}");
    let remove = theirs.rds.remove_tags_from_resource().resource_name(&arn);
    remove.tag_keys("auroraml:original-group").send().await.unwrap();
    for intent in [Intent::Apply, DESTROY] {
        let problem = theirs.problem(intent).await;
        assert!(problem.contains("no tag auroraml:original-group"), "{problem}");
    }
    let tag = aws_sdk_rds::types::Tag::builder().key("auroraml:original-group");
    let tag = tag.value("default.aurora-mysql8.0").build();
    theirs.rds.add_tags_to_resource().resource_name(&arn).tags(tag).send().await.unwrap();
    theirs.destroy().await;
    let group = theirs.cluster(CLUSTER).await.db_cluster_parameter_group.unwrap();
    assert_eq!(group, "default.aurora-mysql8.0");
}

/// Requests that an empty plan costs; those of the attached group's values and of its other users included.
#[tokio::test(start_paused = true)]
async fn a_look_at_an_existing_cluster_is_cheap() {
    for (group, limit) in [(Group::Default, 26), (Group::Exclusive, 28), (Group::Shared, 26)] {
        let theirs = Theirs::new(16, Mood::Calm, group, 2).await;
        theirs.apply().await;
        let calls = || theirs.account.sandbox.with(|world| world.log.len());
        let before = calls();
        assert!(theirs.plan().await.is_empty());
        let made = calls() - before;
        println!("no-op plan of existing-cluster.yaml, {group:?} group: {made} API calls");
        theirs.account.sandbox.with(|world| {
            for entry in &world.log[before..] {
                println!("  {}:{}", entry.service, entry.operation);
            }
        });
        assert!(made <= limit, "{group:?}: {made} API calls");
    }
}

/// Who undoes the wiring reads beforehand which group comes back and that members restart for it; so does who makes it.
#[tokio::test(start_paused = true)]
async fn what_undoing_it_does_is_said_beforehand() {
    let theirs = Theirs::new(21, Mood::Calm, Group::Shared, 2).await;
    says(&theirs.plan().await, &["`auroraml destroy` gives production back, and the members restart again"]);
    theirs.apply().await;
    let plan = theirs.account.prepare(&theirs.spec, DESTROY).await.unwrap().plan;
    assert!(plan.interruptions().next().is_some());
    says(&plan, &["gets its parameter group production back", "members must restart once more"]);
    let theirs = Theirs::new(22, Mood::Calm, Group::Exclusive, 2).await;
    theirs.apply().await;
    let plan = theirs.account.prepare(&theirs.spec, DESTROY).await.unwrap().plan;
    says(&plan, &["this stack's roles are removed from production, which database-aurora-ml keeps"]);
}
