//! DB parameter groups of single instances, and what an instance really runs with.

use super::*;

impl Fixture {
    async fn instance_group(&self, name: &str, family: &str) {
        let make = self.rds.create_db_parameter_group().db_parameter_group_name(name);
        make.db_parameter_group_family(family).description("test").send().await.unwrap();
    }

    async fn set_own(&self, group: &str, name: &str, value: &str, method: ApplyMethod) {
        let modify = self.rds.modify_db_parameter_group().db_parameter_group_name(group);
        modify.parameters(parameter(name, value, method)).send().await.unwrap();
    }

    async fn attach_own(&self, instance: &str, group: &str) {
        let modify = self.rds.modify_db_instance().db_instance_identifier(instance);
        modify.db_parameter_group_name(group).send().await.unwrap();
    }

    /// Group and status of an instance, and its status with the cluster's group.
    async fn own(&self, id: &str) -> String {
        let instance = self.instance(id).await;
        let group = &instance.db_parameter_groups()[0];
        let members = self.members().await;
        let member = members.iter().find(|member| member.starts_with(id)).unwrap();
        format!(
            "{} {}, {}",
            group.db_parameter_group_name().unwrap(),
            group.parameter_apply_status().unwrap(),
            member.split(' ').nth(1).unwrap()
        )
    }

    /// `name=value` of what the instance really runs with.
    async fn running(&self, id: &str) -> Vec<String> {
        // Time passes when a request comes.
        self.instance_status(id).await;
        let all = self.sandbox.with(|world| world.regions["us-east-1"].rds.running_with(id));
        all.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    async fn reboot(&self, id: &str) {
        self.rds.reboot_db_instance().db_instance_identifier(id).send().await.unwrap();
        self.wait(120).await;
    }
}

#[tokio::test(start_paused = true)]
async fn both_levels_are_pending_each_for_itself_and_a_restart_clears_both() {
    let f = lenient(1, Mood::Calm);
    f.cluster(2).await;
    assert_eq!(f.own("c-0").await, "default.aurora-mysql8.0 in-sync, in-sync");
    f.instance_group("Own", "aurora-mysql8.0").await;
    f.set_own("own", "max_connections", "500", ApplyMethod::Immediate).await;
    f.attach_own("c-0", "own").await;
    assert_eq!(f.own("c-0").await, "own pending-reboot, in-sync");
    assert_eq!(f.own("c-1").await, "default.aurora-mysql8.0 in-sync, in-sync");
    f.set("g", "binlog_format", "ROW", ApplyMethod::PendingReboot).await;
    assert_eq!(f.own("c-0").await, "own pending-reboot, pending-reboot");
    assert_eq!(f.running("c-0").await, [""; 0]);
    f.reboot("c-0").await;
    assert_eq!(f.own("c-0").await, "own in-sync, in-sync");
    assert_eq!(f.own("c-1").await, "default.aurora-mysql8.0 in-sync, pending-reboot");
    assert_eq!(f.running("c-0").await, ["binlog_format=ROW", "max_connections=500"]);
    assert_eq!(f.running("c-1").await, [""; 0]);
    f.set_own("own", "max_connections", "600", ApplyMethod::Immediate).await;
    assert_eq!(f.own("c-0").await, "own applying, in-sync");
    f.wait(10).await;
    assert_eq!(f.own("c-0").await, "own in-sync, in-sync");
    assert_eq!(f.running("c-0").await, ["binlog_format=ROW", "max_connections=600"]);
    f.set_own("own", "innodb_buffer_pool_size", "8589934592", ApplyMethod::PendingReboot).await;
    assert_eq!(f.own("c-0").await, "own pending-reboot, in-sync");
    let reset = f.rds.reset_db_parameter_group().db_parameter_group_name("own").reset_all_parameters(true);
    reset.send().await.unwrap();
    f.reboot("c-0").await;
    assert_eq!(f.own("c-0").await, "own in-sync, in-sync");
    assert_eq!(f.running("c-0").await, ["binlog_format=ROW"]);
    f.attach_own("c-0", "default.aurora-mysql8.0").await;
    assert_eq!(f.own("c-0").await, "default.aurora-mysql8.0 pending-reboot, in-sync");
}

#[tokio::test(start_paused = true)]
async fn a_value_in_the_own_group_wins() {
    let f = lenient(1, Mood::Calm);
    f.group("g").await;
    f.instance_group("own", "aurora-mysql8.0").await;
    f.set_own("own", "activate_all_roles_on_login", "0", ApplyMethod::Immediate).await;
    f.new_cluster("c").db_cluster_parameter_group_name("g").send().await.unwrap();
    f.wait(60).await;
    f.new_instance("c", "c-0").db_parameter_group_name("own").send().await.unwrap();
    f.new_instance("c", "c-1").send().await.unwrap();
    f.wait(500).await;
    assert_eq!(f.own("c-0").await, "own in-sync, in-sync", "there from the start");
    f.set("g", "activate_all_roles_on_login", "1", ApplyMethod::Immediate).await;
    f.wait(10).await;
    assert_eq!(f.running("c-0").await, ["activate_all_roles_on_login=0"]);
    assert_eq!(f.running("c-1").await, ["activate_all_roles_on_login=1"]);
    let one = parameter("activate_all_roles_on_login", "", ApplyMethod::Immediate);
    f.rds.reset_db_parameter_group().db_parameter_group_name("own").parameters(one).send().await.unwrap();
    f.wait(10).await;
    assert_eq!(f.running("c-0").await, ["activate_all_roles_on_login=1"], "the cluster's shows again");
}

#[tokio::test(start_paused = true)]
async fn groups_of_instances_have_rules_of_their_own() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    f.instance_group("own", "aurora-mysql8.0").await;
    f.instance_group("old", "aurora-mysql5.7").await;
    let modify = f.rds.modify_db_parameter_group().db_parameter_group_name("own");
    let role = modify.parameters(parameter("aws_default_s3_role", ROLE, ApplyMethod::Immediate)).send().await;
    assert_eq!(code(role), "InvalidParameterValue", "a cluster-level name");
    let attach = |group: &str| {
        let modify = f.rds.modify_db_instance().db_instance_identifier("c-0");
        modify.db_parameter_group_name(group).send()
    };
    assert_eq!(code(attach("nope").await), "DBParameterGroupNotFound");
    assert_eq!(code(attach("old").await), "InvalidParameterCombination");
    assert_eq!(code(attach("g").await), "DBParameterGroupNotFound", "the other level");
    attach("own").await.unwrap();
    let delete = |group: &str| f.rds.delete_db_parameter_group().db_parameter_group_name(group).send();
    assert_eq!(code(delete("own").await), "InvalidDBParameterGroupState");
    delete("old").await.unwrap();
    assert_eq!(code(delete("old").await), "DBParameterGroupNotFound");
    let all = f.rds.describe_db_parameter_groups().send().await.unwrap();
    let names: Vec<_> =
        all.db_parameter_groups().iter().filter_map(|g| g.db_parameter_group_name()).collect();
    assert_eq!(
        names,
        ["default.aurora-mysql5.7", "default.aurora-mysql8.0", "default.aurora-mysql8.4", "own"]
    );
    let arn = all.db_parameter_groups()[3].db_parameter_group_arn();
    assert_eq!(arn, Some("arn:aws:rds:us-east-1:111122223333:pg:own"));
    let mut pages = f.rds.describe_db_parameters().db_parameter_group_name("own").into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        found
            .extend(page.unwrap().parameters().iter().filter_map(|p| p.parameter_name().map(str::to_string)));
    }
    assert!(found.contains(&"activate_all_roles_on_login".to_string()));
    assert!(!found.contains(&"aws_default_s3_role".to_string()));

    let up = f.rds.modify_db_cluster().db_cluster_identifier("c").engine_version("8.4.mysql_aurora.8.4.8");
    let up = up.allow_major_version_upgrade(true).apply_immediately(true);
    let up = up.db_cluster_parameter_group_name("default.aurora-mysql8.4");
    assert_eq!(
        code(up.clone().send().await),
        "InvalidParameterCombination",
        "needs a group for the instances"
    );
    up.db_instance_parameter_group_name("default.aurora-mysql8.4").send().await.unwrap();
    f.wait(900).await;
    assert_eq!(f.own("c-0").await, "default.aurora-mysql8.4 in-sync, in-sync");
}

#[tokio::test(start_paused = true)]
async fn a_region_can_call_a_parameter_static() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    f.sandbox.with(|world| {
        let types = &mut world.regions.get_mut("us-east-1").unwrap().rds.apply_types;
        types.insert("aws_default_s3_role".into(), "static".into());
    });
    assert_eq!(f.read("g", "aws_default_s3_role").await.apply_type(), Some("static"));
    let modify = f.rds.modify_db_cluster_parameter_group().db_cluster_parameter_group_name("g");
    let now = modify.parameters(parameter("aws_default_s3_role", ROLE, ApplyMethod::Immediate)).send().await;
    assert_eq!(code(now), "InvalidParameterCombination");
    f.set("g", "aws_default_s3_role", ROLE, ApplyMethod::PendingReboot).await;
    assert_eq!(f.members().await, ["c-0* pending-reboot"]);
    assert_eq!(f.running("c-0").await, [""; 0]);
    f.reboot("c-0").await;
    assert_eq!(f.running("c-0").await, [format!("aws_default_s3_role={ROLE}")]);
    let reset = f.rds.reset_db_cluster_parameter_group().db_cluster_parameter_group_name("g");
    reset.reset_all_parameters(true).send().await.unwrap();
    assert_eq!(f.members().await, ["c-0* pending-reboot"], "static: not at once");
}

#[tokio::test(start_paused = true)]
async fn a_paused_instance_runs_with_everything_when_it_resumes() {
    let f = lenient(1, Mood::Calm);
    f.group("g").await;
    let range = ServerlessV2ScalingConfiguration::builder().min_capacity(0.0).max_capacity(4.0).build();
    let make = f.new_cluster("c").db_cluster_parameter_group_name("g");
    make.serverless_v2_scaling_configuration(range).send().await.unwrap();
    f.wait(60).await;
    f.new_instance("c", "c-0").db_instance_class("db.serverless").send().await.unwrap();
    f.wait(420).await;
    f.set("g", "binlog_format", "ROW", ApplyMethod::PendingReboot).await;
    f.wait(400).await;
    assert_eq!(f.running("c-0").await, [""; 0]);
    f.instance_group("own", "aurora-mysql8.0").await;
    f.set_own("own", "max_connections", "500", ApplyMethod::Immediate).await;
    f.attach_own("c-0", "own").await;
    assert_eq!(f.running("c-0").await, ["binlog_format=ROW", "max_connections=500"]);
    f.wait(26).await;
    assert_eq!(f.own("c-0").await, "own in-sync, in-sync");
}

#[tokio::test(start_paused = true)]
async fn a_status_can_be_shown_late() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    f.sandbox.with(|world| world.regions.get_mut("us-east-1").unwrap().rds.late_ms = 8_000);
    f.set("g", "binlog_format", "ROW", ApplyMethod::PendingReboot).await;
    assert_eq!(f.members().await, ["c-0* in-sync"], "not visible yet");
    f.wait(5).await;
    f.set("g", "binlog_format", "MIXED", ApplyMethod::PendingReboot).await;
    f.wait(4).await;
    assert_eq!(f.members().await, ["c-0* pending-reboot"], "a second change hides nothing");
    f.set("g", "binlog_format", "ROW", ApplyMethod::PendingReboot).await;
    assert_eq!(f.members().await, ["c-0* pending-reboot"]);
}
