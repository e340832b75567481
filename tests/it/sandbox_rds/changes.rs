//! What modifications do, and what AWS does by itself.

use super::*;

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
    g.until("failing-over").await;
    g.until("available").await;
    g.wait(120).await;
    let members = g.members().await;
    assert_eq!(members, f.members().await);
    assert!(members.iter().all(|member| member.ends_with("in-sync")), "{members:?}");
}
