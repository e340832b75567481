//! Serverless v2 instances that pause by themselves.

use super::*;

const DAY: u64 = 24 * 3_600;

impl Fixture {
    /// Cluster `c` with group `g`, this range, and a serverless member per promotion tier.
    async fn serverless(&self, min: f64, tiers: &[i32]) {
        self.group("g").await;
        let make = self.new_cluster("c").db_cluster_parameter_group_name("g");
        make.serverless_v2_scaling_configuration(range(min)).send().await.unwrap();
        self.wait(50).await;
        for (number, tier) in tiers.iter().enumerate() {
            let make = self.new_instance("c", &format!("c-{number}")).db_instance_class("db.serverless");
            make.promotion_tier(*tier).send().await.unwrap();
            self.wait(1).await;
        }
        self.wait(410).await;
    }

    async fn paused(&self, id: &str) -> bool {
        // Time passes when a request comes, and a look resumes nothing.
        self.instance_status(id).await;
        self.sandbox.world().regions["us-east-1"].rds.is_paused(id, self.sandbox.clock().now_ms())
    }

    async fn pending(&self, name: &str, value: &str) {
        self.set("g", name, value, ApplyMethod::PendingReboot).await;
    }
}

fn range(min: f64) -> ServerlessV2ScalingConfiguration {
    ServerlessV2ScalingConfiguration::builder().min_capacity(min).max_capacity(4.0).build()
}

#[tokio::test(start_paused = true)]
async fn an_idle_instance_pauses_and_what_is_pending_is_applied_when_it_resumes() {
    let f = lenient(1, Mood::Calm);
    f.serverless(0.0, &[1]).await;
    assert!(!f.paused("c-0").await, "it was just made");
    f.pending("binlog_format", "ROW").await;
    assert_eq!(f.members().await, ["c-0* pending-reboot"], "an awake instance needs a restart");
    f.wait(310).await;
    assert!(f.paused("c-0").await);
    assert_eq!(f.instance_status("c-0").await, "available", "nothing shows");
    f.wait(DAY / 2).await;
    assert_eq!(f.members().await, ["c-0* pending-reboot"], "to look does not resume it");

    f.pending("character_set_server", "utf8mb4").await;
    assert!(!f.paused("c-0").await, "a new value does");
    assert_eq!(f.members().await, ["c-0* pending-reboot"]);
    f.wait(26).await;
    assert_eq!(f.members().await, ["c-0* in-sync"], "with both values, and without a restart");
    assert_eq!(f.instance_status("c-0").await, "available");
    f.wait(1_100).await;
    assert!(!f.paused("c-0").await, "kept up for 20 minutes");
    f.wait(100).await;
    assert!(f.paused("c-0").await);
}

#[tokio::test(start_paused = true)]
async fn it_takes_longer_to_resume_after_a_day() {
    let f = lenient(1, Mood::Calm);
    f.serverless(0.0, &[1]).await;
    f.wait(2 * DAY).await;
    f.pending("binlog_format", "ROW").await;
    f.wait(30).await;
    assert_eq!(f.members().await, ["c-0* pending-reboot"]);
    f.wait(20).await;
    assert_eq!(f.members().await, ["c-0* in-sync"]);
}

#[tokio::test(start_paused = true)]
async fn above_zero_nothing_pauses() {
    let f = lenient(1, Mood::Calm);
    f.serverless(0.5, &[1]).await;
    f.wait(2 * DAY).await;
    assert!(!f.paused("c-0").await);
    f.pending("binlog_format", "ROW").await;
    f.wait(DAY).await;
    assert_eq!(f.members().await, ["c-0* pending-reboot"]);

    let modify = f.rds.modify_db_cluster().db_cluster_identifier("c");
    modify.serverless_v2_scaling_configuration(range(0.0)).send().await.unwrap();
    f.wait(200).await;
    assert!(!f.paused("c-0").await, "the time begins with the new range");
    f.wait(110).await;
    assert!(f.paused("c-0").await);
    // A new range resumes as well, and so does another group.
    f.rds
        .modify_db_cluster()
        .db_cluster_identifier("c")
        .serverless_v2_scaling_configuration(range(0.5))
        .send()
        .await
        .unwrap();
    f.wait(26).await;
    assert_eq!(f.members().await, ["c-0* in-sync"]);
}

#[tokio::test(start_paused = true)]
async fn another_group_resumes_it() {
    let f = lenient(1, Mood::Calm);
    f.serverless(0.0, &[1]).await;
    f.wait(400).await;
    assert!(f.paused("c-0").await);
    f.group("h").await;
    let modify = f.rds.modify_db_cluster().db_cluster_identifier("c").db_cluster_parameter_group_name("h");
    modify.send().await.unwrap();
    assert_eq!(f.members().await, ["c-0* pending-reboot"]);
    f.wait(26).await;
    assert_eq!(f.members().await, ["c-0* in-sync"]);
}

#[tokio::test(start_paused = true)]
async fn readers_of_low_tiers_pause_with_the_writer_and_the_others_alone() {
    let f = lenient(1, Mood::Calm);
    f.serverless(0.0, &[1, 1, 5]).await;
    let all = async || [f.paused("c-0").await, f.paused("c-1").await, f.paused("c-2").await];
    f.wait(310).await;
    assert_eq!(all().await, [true; 3]);
    f.rds.reboot_db_instance().db_instance_identifier("c-1").send().await.unwrap();
    f.wait(100).await;
    assert_eq!(all().await, [false, false, true], "the writer is up with its reader");
    f.wait(310).await;
    assert_eq!(all().await, [true; 3]);

    f.new_instance("c", "c-3").promotion_tier(1).send().await.unwrap();
    f.wait(500).await;
    assert_eq!(all().await, [false, false, true], "a provisioned one among them never pauses");
}
