//! Parameter groups, and when a value takes effect.

use super::*;

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
    assert_eq!(
        role.apply_method(),
        Some(&ApplyMethod::Immediate),
        "as it was sent (fact book, appendix F, item 1)"
    );
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
