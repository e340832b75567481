//! Clusters that others made, with plain SDK calls: wired up, changed in nothing else, and given back as they
//! were.

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

/// A dynamic parameter set at once in the attached group needs no restart of anybody.
#[tokio::test(start_paused = true)]
async fn nothing_restarts_for_a_dynamic_parameter_in_place() {
    let theirs = Theirs::new(2, Mood::Real, Group::Exclusive, 2).await;
    theirs.apply().await;
    theirs.destroy().await;
    assert_eq!(theirs.restarts(), 0);
}

/// A static one is set to wait for a restart, and every member gets it.
#[tokio::test(start_paused = true)]
async fn every_member_restarts_for_a_static_parameter_in_place() {
    let theirs = Theirs::new(2, Mood::Real, Group::Exclusive, 2).await;
    theirs.apply_types("static");
    let plan = theirs.account.prepare(&theirs.spec, Intent::Apply).await.unwrap();
    let props = &plan.graph.resources[&Id::new("group_parameters", "main")].props;
    assert_eq!(props["apply_types"]["aws_default_sagemaker_role"], "static");
    theirs.apply().await;
    let observed = theirs.account.prepare(&theirs.spec, Intent::Apply).await.unwrap().observed;
    let live = &observed[&Id::new("group_parameters", "main")].props;
    assert_eq!(live["apply_types"]["aws_default_sagemaker_role"], "static");
    assert_eq!(live["parameters"]["aws_default_sagemaker_role"], role_arn("sagemaker").as_str());
    assert!(theirs.restarts() >= 1, "{} restarts", theirs.restarts());
    assert_eq!(theirs.statuses(CLUSTER).await, ["in-sync", "in-sync"]);
}

#[tokio::test(start_paused = true)]
async fn in_place_stays_in_place() {
    let theirs = Theirs::new(3, Mood::Calm, Group::Exclusive, 1).await;
    theirs.apply().await;
    theirs.lenient(true);
    theirs.make_cluster("orders-db", Group::Shared, 1).await;
    theirs.lenient(false);
    let plan = theirs.plan().await;
    assert!(plan.is_empty(), "{:#?}", plan.work().collect::<Vec<_>>());
    says(&plan, &["production", "now also used by orders-db"]);
    let destroy = theirs.account.prepare(&theirs.spec, DESTROY).await.unwrap().plan;
    says(&destroy, &["production", "orders-db"]);
    theirs.destroy().await;
    assert_eq!(theirs.value(GROUP, "aws_default_sagemaker_role").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_copy_stays_attached() {
    let theirs = Theirs::new(4, Mood::Calm, Group::Shared, 1).await;
    theirs.apply().await;
    for name in ["billing-db", "orders-db"] {
        theirs.attach(name, "default.aurora-mysql8.0").await;
    }
    let plan = theirs.plan().await;
    assert!(plan.is_empty(), "{:#?}", plan.work().collect::<Vec<_>>());
    // What AWS says of each parameter that is set or wanted is among the live properties.
    let prepared = theirs.account.prepare(&theirs.spec, Intent::Apply).await.unwrap();
    let types = &prepared.observed[&Id::new("parameter_group", "main")].props["apply_types"];
    assert_eq!(types["aws_default_sagemaker_role"], "dynamic");
    assert_eq!(types["binlog_format"], "static");
    // Somebody attached a third group: whose values the copy is to have is for a person to say.
    theirs.attach(CLUSTER, "default.aurora-mysql8.0").await;
    let problem = theirs.problem(Intent::Apply).await;
    let expected = format!("it was copied from {GROUP}, but the cluster {CLUSTER} now uses default.");
    assert!(problem.contains(&expected), "{problem}");
}

#[tokio::test(start_paused = true)]
async fn abilities_come_and_go_in_place() {
    let mut theirs = Theirs::new(5, Mood::Real, Group::Exclusive, 2).await;
    let before = theirs.parameters(GROUP).await;
    theirs.apply().await;
    theirs.spec = wanting("sagemaker: { endpoints: [churn-autopilot] }, comprehend: true");
    theirs.apply().await;
    assert_eq!(theirs.value(GROUP, "aws_default_comprehend_role").await, Some(role_arn("comprehend")));
    theirs.spec = wanting("comprehend: true");
    theirs.apply().await;
    assert_eq!(theirs.value(GROUP, "aws_default_sagemaker_role").await, None);
    theirs.spec = wanting("comprehend: false");
    theirs.apply().await;
    assert_eq!(theirs.parameters(GROUP).await, before);
    assert_eq!(theirs.cluster(CLUSTER).await.associated_roles().len(), 0);
}

/// With nothing wanted any more the cluster has its own group back, also without a destroy.
#[tokio::test(start_paused = true)]
async fn abilities_come_and_go_in_a_copy() {
    let mut theirs = Theirs::new(6, Mood::Real, Group::Shared, 2).await;
    let before = theirs.described(CLUSTER).await;
    theirs.spec = wanting("sagemaker: { endpoints: [churn-autopilot] }, comprehend: true");
    theirs.apply().await;
    theirs.spec = wanting("comprehend: true");
    theirs.apply().await;
    assert_eq!(theirs.value(OURS, "aws_default_sagemaker_role").await, None);
    assert_eq!(theirs.value(OURS, "aws_default_lambda_role").await.as_deref(), Some(LAMBDA));
    theirs.spec = wanting("comprehend: false");
    theirs.apply().await;
    assert_eq!(theirs.described(CLUSTER).await, before);
}

/// A role that others set stays theirs; in the copy that the cluster gets, ours takes its place.
#[tokio::test(start_paused = true)]
async fn a_role_of_others_is_left_as_it_is() {
    let theirs = Theirs::new(7, Mood::Real, Group::Exclusive, 2).await;
    theirs.set(GROUP, "aws_default_sagemaker_role", OTHER).await;
    theirs.set(GROUP, "aws_default_s3_role", OTHER).await;
    theirs.lenient(true);
    theirs.associate(OTHER).await;
    theirs.associate(LAMBDA).await;
    let before = (theirs.described(CLUSTER).await, theirs.parameters(GROUP).await);
    let plan = theirs.plan().await;
    says(
        &plan,
        &["production, which is not modified", "its aws_default_sagemaker_role is", OTHER, "set by others"],
    );
    theirs.apply().await;
    assert_eq!(theirs.value(OURS, "aws_default_sagemaker_role").await, Some(role_arn("sagemaker")));
    assert_eq!(theirs.value(OURS, "aws_default_s3_role").await.as_deref(), Some(OTHER));
    assert_eq!(theirs.value(OURS, "aws_default_lambda_role").await.as_deref(), Some(LAMBDA));
    assert_eq!(theirs.cluster(CLUSTER).await.associated_roles().len(), 3);
    theirs.destroy().await;
    let after = theirs.described(CLUSTER).await;
    assert_eq!(after.associated_roles(), before.0.associated_roles());
    assert_eq!(after.db_cluster_parameter_group(), before.0.db_cluster_parameter_group());
    assert_eq!(theirs.parameters(GROUP).await, before.1);
}

/// Somebody takes over a parameter while another of ours is set in the same group.
#[tokio::test(start_paused = true)]
async fn a_parameter_taken_over_is_a_problem_and_not_overwritten() {
    let mut theirs = Theirs::new(8, Mood::Calm, Group::Exclusive, 1).await;
    theirs.spec = wanting("sagemaker: { endpoints: [churn-autopilot] }, comprehend: true");
    theirs.apply().await;
    theirs.set(GROUP, "aws_default_comprehend_role", OTHER).await;
    let problem = theirs.problem(Intent::Apply).await;
    assert!(problem.contains("parameter group production"), "{problem}");
    assert!(problem.contains(&format!("aws_default_comprehend_role is {OTHER}, set by others")), "{problem}");
    theirs.destroy().await;
    assert_eq!(theirs.value(GROUP, "aws_default_comprehend_role").await.as_deref(), Some(OTHER));
    assert_eq!(theirs.value(GROUP, "aws_default_sagemaker_role").await, None);
    theirs.apply().await;
    assert_eq!(theirs.cluster(CLUSTER).await.db_cluster_parameter_group(), Some(OURS));
}

/// Somebody is quicker than the apply: what they set between plan and write is not overwritten.
#[tokio::test(start_paused = true)]
async fn a_parameter_set_after_the_plan_is_not_overwritten() {
    let theirs = Theirs::new(20, Mood::Calm, Group::Exclusive, 1).await;
    let stack = theirs.account.connect(&theirs.spec).await;
    let prepared = prepare(&stack, Intent::Apply).await.unwrap();
    theirs.set(GROUP, "aws_default_sagemaker_role", OTHER).await;
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let listener = Arc::new(Recorder::default());
    let outcome = reconcile(&stack, Intent::Apply, prepared, stop, listener).await.unwrap();
    let (id, failure) = &outcome.reports[0].failed[0];
    assert_eq!(id.to_string(), "group_parameters.main");
    assert!(failure.to_string().contains("of the parameter group production is now"), "{failure}");
    assert_eq!(theirs.value(GROUP, "aws_default_sagemaker_role").await.as_deref(), Some(OTHER));
    theirs.apply().await;
    assert_eq!(theirs.cluster(CLUSTER).await.db_cluster_parameter_group(), Some(OURS));
}

/// The published mistakes, as far as a plan can name them.
#[tokio::test(start_paused = true)]
async fn half_a_wiring_of_others_is_named() {
    let theirs = Theirs::new(9, Mood::Calm, Group::Exclusive, 1).await;
    // A role set as a parameter and never associated.
    theirs.set(GROUP, "aws_default_comprehend_role", OTHER).await;
    // A script whose three `--parameters` options send the last only: roles associated, and no parameter.
    theirs.lenient(true);
    theirs.associate("arn:aws:iam::111122223333:role/forgotten").await;
    let plan = theirs.plan().await;
    says(
        &plan,
        &["aws_default_comprehend_role in production is", OTHER, "did not associate with database-aurora-ml"],
    );
    says(&plan, &["others associated", "role/forgotten", "no role parameter of production is set to it"]);
    says(&plan, &["aws_default_lambda_role in production is", LAMBDA, "did not associate"]);
}

/// Our role was deleted by hand: the association is INVALID, and the plan says so and makes both anew.
#[tokio::test(start_paused = true)]
async fn an_invalid_association_is_named_and_made_anew() {
    let theirs = Theirs::new(10, Mood::Real, Group::Exclusive, 1).await;
    theirs.apply().await;
    let sandbox = &theirs.account.sandbox;
    let config = auroraml::aws::simulated_config("us-west-2", sandbox.http_client(), &sandbox.clock());
    let iam = aws_sdk_iam::Client::new(&config);
    let role = "aurora-ml-us-west-2-sagemaker";
    for policy in iam.list_role_policies().role_name(role).send().await.unwrap().policy_names() {
        iam.delete_role_policy().role_name(role).policy_name(policy).send().await.unwrap();
    }
    iam.delete_role().role_name(role).send().await.unwrap();
    theirs.wait(120).await;
    let plan = theirs.plan().await;
    let step = plan.steps.iter().find(|step| step.id.kind == "cluster_role").unwrap();
    assert_eq!(step.action, Action::Recreate);
    assert!(step.reason.as_ref().unwrap().contains("INVALID"), "{step:?}");
    theirs.apply().await;
    assert_eq!(theirs.cluster(CLUSTER).await.associated_roles()[0].status(), Some("ACTIVE"));
}

#[tokio::test(start_paused = true)]
async fn roles_are_counted_before_anything_is_called() {
    let mut theirs = Theirs::new(11, Mood::Calm, Group::Exclusive, 1).await;
    theirs.lenient(true);
    for n in 1..=3 {
        theirs.associate(&format!("arn:aws:iam::111122223333:role/other-{n}")).await;
    }
    theirs.lenient(false);
    theirs.spec = wanting(
        "sagemaker: { endpoints: [churn-autopilot] }, comprehend: true, s3: { buckets: [orders-exports] }",
    );
    let problem = theirs.problem(Intent::Apply).await;
    assert!(
        problem.contains("it has 3 IAM roles (3 from others), needs 3 more, and AWS allows 5"),
        "{problem}"
    );
    // Whoever had the quota raised is not held up.
    let quota = |value: Option<f64>| {
        theirs.account.sandbox.with(|world| {
            let overrides = &mut world.regions.get_mut("us-west-2").unwrap().servicequotas.overrides;
            overrides.clear();
            overrides.extend(value.map(|value| ("rds/L-E094F43D".to_string(), value)));
        });
    };
    quota(Some(6.0));
    assert!(theirs.plan().await.blocked.is_empty());
    quota(None);
    theirs.spec = wanting("sagemaker: { endpoints: [churn-autopilot] }, comprehend: true");
    theirs.apply().await;
    // Those of ours that are associated do not count as new.
    assert!(theirs.plan().await.is_empty());
    theirs.spec = wanting("sagemaker: { endpoints: [churn-autopilot] }, s3: { buckets: [orders-exports] }");
    let problem = theirs.problem(Intent::Apply).await;
    assert!(problem.contains("first apply without the new entries"), "{problem}");
}

/// Five of others and one of ours are more than AWS allows of itself: the quota is asked for, and is enough.
#[tokio::test(start_paused = true)]
async fn one_role_beside_all_that_others_may_have() {
    let mut theirs = Theirs::new(11, Mood::Calm, Group::Exclusive, 1).await;
    theirs.lenient(true);
    for n in 1..=5 {
        theirs.associate(&format!("arn:aws:iam::111122223333:role/other-{n}")).await;
    }
    theirs.account.sandbox.with(|world| {
        let overrides = &mut world.regions.get_mut("us-west-2").unwrap().servicequotas.overrides;
        overrides.insert("rds/L-E094F43D".to_string(), 6.0);
    });
    theirs.spec = wanting("sagemaker: { endpoints: [churn-autopilot] }");
    assert!(theirs.plan().await.blocked.is_empty());
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

/// What the model says of clusters that the sandbox cannot have.
#[test]
fn engines_and_global_databases() {
    use auroraml_core::base::names::Place;
    use auroraml_core::model::build;
    use auroraml_core::model::facts::{ExistingFacts, Facts};
    let bedrock = wanting("bedrock: { models: [amazon.titan-text-lite-v1] }");
    let article = wanting(SAGEMAKER);
    let place = Place::new(article.stack.clone(), article.region.clone(), "111122223333");
    let facts = |engine: &str, version: &str| Facts {
        live_engine_version: Some(version.into()),
        existing: Some(ExistingFacts {
            engine: engine.into(),
            status: "available".into(),
            parameter_group: "default.aurora-mysql8.0".into(),
            role_quota: 5,
            global_cluster: Some("world".into()),
            ..ExistingFacts::default()
        }),
        ..Facts::default()
    };
    let told = |spec: &Spec, engine: &str, version: &str| match build(
        spec,
        &place,
        &facts(engine, version),
        Intent::Apply,
    ) {
        Ok(graph) => graph.notes.join("\n"),
        Err(problems) => {
            assert_eq!(problems.len(), 1, "{problems:?}");
            problems[0].why.clone()
        }
    };
    let mysql = |spec: &Spec, version: &str| told(spec, "aurora-mysql", version);
    assert!(told(&article, "aurora-postgresql", "16.4").contains("its engine is aurora-postgresql"));
    assert!(mysql(&article, "8.0.mysql_aurora.3.00.0").contains("no SQL functions for sagemaker"));
    assert!(mysql(&article, "5.7.mysql_aurora.2.06.0").contains("no SQL functions for sagemaker"));
    assert!(mysql(&bedrock, "8.0.mysql_aurora.3.05.2").contains("no SQL functions for bedrock"));
    let old = mysql(&article, "8.0.mysql_aurora.3.05.2");
    assert!(old.contains("global database world") && old.contains("restarts the members"), "{old}");
    let new = mysql(&article, "8.0.mysql_aurora.3.10.3");
    assert!(new.contains("its other clusters are not changed"), "{new}");
}

#[tokio::test(start_paused = true)]
async fn a_member_of_a_global_database_is_wired_with_a_note() {
    let theirs = Theirs::new(17, Mood::Calm, Group::Exclusive, 1).await;
    let arn = theirs.cluster(CLUSTER).await.db_cluster_arn.unwrap();
    let make = theirs.rds.create_global_cluster().global_cluster_identifier("world");
    make.source_db_cluster_identifier(arn).send().await.unwrap();
    theirs.wait(600).await;
    says(
        &theirs.plan().await,
        &["a member of the global database world", "its other clusters are not changed"],
    );
    theirs.apply().await;
    theirs.destroy().await;
}

/// Aurora MySQL 2 has a family of its own, and restarts as a whole.
#[tokio::test(start_paused = true)]
async fn a_cluster_of_version_two_comes_back_as_it_was() {
    let theirs = Theirs::over(Account::new(18, Mood::Real), wanting(SAGEMAKER));
    theirs.lenient(true);
    let make = theirs.rds.create_db_cluster().db_cluster_identifier(CLUSTER).engine("aurora-mysql");
    let make = make.engine_version("5.7.mysql_aurora.2.09.3").master_username("admin");
    make.manage_master_user_password(true).send().await.unwrap();
    theirs.wait(600).await;
    theirs.make_members(CLUSTER, 2).await;
    theirs.lenient(false);
    let before = theirs.described(CLUSTER).await;
    assert_eq!(before.db_cluster_parameter_group(), Some("default.aurora-mysql5.7"));
    theirs.apply().await;
    assert_eq!(theirs.statuses(CLUSTER).await, ["in-sync", "in-sync"]);
    theirs.destroy().await;
    assert_eq!(theirs.described(CLUSTER).await, before);
}

/// Killed at any request, in place: the next run comes to the same end.
async fn survives_in_place(members: usize, apply_type: &str) {
    let theirs = Theirs::new(14, Mood::Real, Group::Exclusive, members).await;
    theirs.apply_types(apply_type);
    let (before, values) = (theirs.described(CLUSTER).await, theirs.parameters(GROUP).await);
    let spec = wanting("sagemaker: { endpoints: [churn-autopilot] }, comprehend: true");
    let (created, world) = sweep("in place", theirs.account.sandbox.world(), &spec, Intent::Apply).await;
    let (destroyed, world) = sweep("in place, destroy", world, &spec, DESTROY).await;
    assert!(created >= 8 && destroyed >= 8, "{created} and {destroyed} kill points");
    let end = Theirs::over(Account::over(world), spec);
    assert_eq!((end.described(CLUSTER).await, end.parameters(GROUP).await), (before, values));
}

#[tokio::test(start_paused = true)]
async fn a_dynamic_parameter_in_place_survives_being_killed() {
    Box::pin(survives_in_place(1, "dynamic")).await;
}

#[tokio::test(start_paused = true)]
async fn a_static_parameter_in_place_survives_being_killed() {
    Box::pin(survives_in_place(2, "static")).await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_survives_being_killed() {
    let theirs = Theirs::new(15, Mood::Real, Group::Shared, 1).await;
    let (before, values) = (theirs.described(CLUSTER).await, theirs.parameters(GROUP).await);
    let spec = theirs.spec.clone();
    let (created, world) = sweep("copy", theirs.account.sandbox.world(), &spec, Intent::Apply).await;
    let (destroyed, world) = sweep("copy, destroy", world, &spec, DESTROY).await;
    assert!(created >= 10 && destroyed >= 10, "{created} and {destroyed} kill points");
    let end = Theirs::over(Account::over(world), spec);
    assert_eq!((end.described(CLUSTER).await, end.parameters(GROUP).await), (before, values));
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

/// Another stack on the same cluster: whoever loses the role is named before anything is done.
#[tokio::test(start_paused = true)]
async fn the_stack_that_loses_the_role_is_named() {
    for group in [Group::Default, Group::Exclusive] {
        let first = Theirs::new(20, Mood::Calm, group, 2).await;
        first.apply().await;
        let text = spec_file("existing-cluster.yaml").replace("stack: aurora-ml", "stack: other-ml");
        let second = Theirs::over(first.account.clone(), spec(&text));
        let lost = "the stack aurora-ml loses aws_default_sagemaker_role on database-aurora-ml";
        says(&second.plan().await, &[lost, "SQL then calls SageMaker with this stack's"]);
        // The other ability is nobody's yet.
        let plan = second.plan().await;
        assert!(
            !plan.notes.iter().any(|note| note.contains("loses aws_default_s3_role")),
            "{:?}",
            plan.notes
        );
        assert!(!first.plan().await.notes.iter().any(|note| note.contains("loses")));
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
