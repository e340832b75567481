//! Reboot, failover, stop and start.

use super::*;

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
    assert_eq!(
        messages,
        ["Started cross AZ failover to DB instance: c-2", "Completed failover to DB instance: c-2"]
    );
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
