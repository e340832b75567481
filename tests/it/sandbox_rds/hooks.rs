//! What others and AWS do, on demand.

use super::*;
use auroraml_sandbox::rds::Rds;

impl Fixture {
    fn hook(&self, set: impl FnOnce(&mut Rds, u64)) {
        let now = self.sandbox.clock().now_ms();
        self.sandbox.with(|world| set(&mut world.regions.get_mut("us-east-1").unwrap().rds, now));
    }

    async fn events(&self, kind: SourceType, id: &str) -> Vec<String> {
        let events = self.rds.describe_events().source_type(kind).source_identifier(id).duration(20_000);
        let events = events.send().await.unwrap();
        events.events().iter().map(|event| event.message().unwrap().to_string()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn failovers_fail_as_often_as_asked() {
    let f = lenient(1, Mood::Calm);
    f.cluster(2).await;
    f.set("g", "binlog_format", "ROW", ApplyMethod::PendingReboot).await;
    f.hook(|rds, _| rds.failing_failovers = 1);
    let failover = || f.rds.failover_db_cluster().db_cluster_identifier("c").send();
    failover().await.unwrap();
    f.wait(6).await;
    assert_eq!(f.status().await, "failing-over");
    f.wait(60).await;
    assert_eq!(f.status().await, "available");
    assert_eq!(f.members().await, ["c-0* pending-reboot", "c-1 pending-reboot"]);
    let events = f.events(SourceType::DbCluster, "c").await;
    assert_eq!(events[events.len() - 2], "Started cross AZ failover to DB instance: c-1");
    assert!(events[events.len() - 1].starts_with("Cluster failover failed"), "{events:?}");
    failover().await.unwrap();
    f.wait(100).await;
    assert_eq!(f.members().await, ["c-0 in-sync", "c-1* in-sync"]);
}

#[tokio::test(start_paused = true)]
async fn under_heavy_load_readers_restart_with_the_writer() {
    let f = lenient(1, Mood::Calm);
    f.cluster(3).await;
    f.set("g", "binlog_format", "ROW", ApplyMethod::PendingReboot).await;
    f.hook(|rds, _| rds.heavy_load = true);
    f.rds.reboot_db_instance().db_instance_identifier("c-1").send().await.unwrap();
    f.wait(200).await;
    assert_eq!(f.members().await, ["c-0* pending-reboot", "c-1 in-sync", "c-2 pending-reboot"]);
    f.rds.reboot_db_instance().db_instance_identifier("c-0").send().await.unwrap();
    f.wait(200).await;
    assert_eq!(f.members().await, ["c-0* in-sync", "c-1 in-sync", "c-2 in-sync"]);
    let causes = f.sandbox.with(|world| {
        let all = world.regions["us-east-1"].rds.interruptions()[1..].iter();
        all.map(|i| format!("{} {} {}", i.member, i.cause, i.caller)).collect::<Vec<_>>()
    });
    assert_eq!(causes, ["c-0 RebootDBInstance AKIDSANDBOX", "c-1 heavy load ", "c-2 heavy load "]);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_the_engine_does_not_take_stays_until_it_changes() {
    let f = lenient(1, Mood::Calm);
    f.cluster(2).await;
    f.set("g", "binlog_format", "ROW", ApplyMethod::PendingReboot).await;
    f.hook(|rds, _| rds.fail_to_apply("c-1"));
    assert_eq!(f.members().await, ["c-0* pending-reboot", "c-1 failed-to-apply"]);
    f.rds.reboot_db_instance().db_instance_identifier("c-1").send().await.unwrap();
    f.wait(200).await;
    assert_eq!(f.members().await, ["c-0* pending-reboot", "c-1 failed-to-apply"], "a restart does not help");
    f.set("g", "binlog_format", "MIXED", ApplyMethod::PendingReboot).await;
    assert_eq!(f.members().await, ["c-0* pending-reboot", "c-1 pending-reboot"]);
}

#[tokio::test(start_paused = true)]
async fn backups_and_breakdowns_come_when_they_want() {
    let f = lenient(1, Mood::Calm);
    f.cluster(2).await;
    f.hook(|rds, now| {
        rds.impose_on_cluster("c", "backing-up", now + 60_000, now + 120_000);
        rds.impose_on_instance("c-1", "backing-up", now + 60_000, now + 120_000);
        rds.impose_on_instance("c-1", "storage-full", now + 600_000, u64::MAX);
    });
    f.rds.modify_db_cluster().db_cluster_identifier("c").copy_tags_to_snapshot(true).send().await.unwrap();
    f.wait(10).await;
    assert_eq!(f.status().await, "modifying", "work does not wait for what comes later");
    f.wait(60).await;
    assert_eq!(
        (f.status().await.as_str(), f.instance_status("c-1").await.as_str()),
        ("backing-up", "backing-up")
    );
    let reboot = f.rds.reboot_db_instance().db_instance_identifier("c-1").send().await;
    assert_eq!(code(reboot), "InvalidDBInstanceState");
    let failover = f.rds.failover_db_cluster().db_cluster_identifier("c").send().await;
    assert_eq!(code(failover), "InvalidDBClusterStateFault");
    f.wait(60).await;
    assert_eq!(
        (f.status().await.as_str(), f.instance_status("c-1").await.as_str()),
        ("available", "available")
    );
    f.wait(500).await;
    assert_eq!(f.instance_status("c-1").await, "storage-full");
    let causes = f.sandbox.with(|world| {
        let all = world.regions["us-east-1"].rds.interruptions().iter();
        all.map(|i| format!("{} {}{}", i.member, i.cause, i.caller)).collect::<Vec<_>>()
    });
    assert_eq!(causes, ["c-1 storage-full"], "a backup interrupts nobody");
    f.wait(24 * 3_600).await;
    assert_eq!(f.instance_status("c-1").await, "storage-full");
    let failover = f.rds.failover_db_cluster().db_cluster_identifier("c").send().await;
    assert_eq!(code(failover), "InvalidDBClusterStateFault", "no reader is available");
}

#[tokio::test(start_paused = true)]
async fn a_reboot_is_refused_for_as_long_as_asked() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    f.hook(|rds, now| rds.refuse_reboots("c-0", now + 240_000));
    let reboot = || f.rds.reboot_db_instance().db_instance_identifier("c-0").send();
    for _ in 0..3 {
        assert_eq!(f.instance_status("c-0").await, "available");
        let refused = reboot().await.expect_err("refused");
        assert_eq!(refused.code(), Some("InvalidDBInstanceState"));
        assert!(refused.message().unwrap().contains("in-progress management operation"));
        f.wait(60).await;
    }
    f.wait(60).await;
    reboot().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_patch_comes_with_the_window_unless_a_member_refuses() {
    for allowed in [true, false] {
        let f = lenient(1, Mood::Calm);
        f.new_cluster("c").engine_version("8.0.mysql_aurora.3.10.1").send().await.unwrap();
        f.wait(60).await;
        f.new_instance("c", "c-0").send().await.unwrap();
        f.new_instance("c", "c-1").auto_minor_version_upgrade(allowed).send().await.unwrap();
        f.wait(500).await;
        f.hook(|rds, _| rds.offer_patch("c"));
        let due = f.rds.describe_pending_maintenance_actions().send().await.unwrap();
        let due = &due.pending_maintenance_actions()[0];
        assert_eq!(due.resource_identifier(), Some("arn:aws:rds:us-east-1:111122223333:cluster:c"));
        let action = &due.pending_maintenance_action_details()[0];
        assert_eq!(action.description(), Some("Upgrade to 8.0.mysql_aurora.3.10.3"));
        f.wait(8 * 24 * 3_600).await;
        f.status().await;
        let causes = f.sandbox.with(|world| {
            let all = world.regions["us-east-1"].rds.interruptions().iter();
            all.map(|i| format!("{} {}{}", i.member, i.cause, i.caller)).collect::<Vec<_>>()
        });
        let version = f.describe().await.engine_version().unwrap().to_string();
        if allowed {
            assert_eq!(
                (causes, version.as_str()),
                (vec!["c-0 maintenance".into(), "c-1 maintenance".into()], "8.0.mysql_aurora.3.10.3")
            );
        } else {
            assert_eq!((causes, version.as_str()), (Vec::new(), "8.0.mysql_aurora.3.10.1"));
        }
        let due = f.rds.describe_pending_maintenance_actions().send().await.unwrap();
        assert!(due.pending_maintenance_actions().is_empty());
    }
}
