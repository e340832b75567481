//! Who is interrupted, when, and by whom.

use super::*;
use auroraml::aws::simulated_config_as;
use auroraml_sandbox::rds::Interruption;

impl Fixture {
    /// A client of somebody else.
    fn someone_else(&self) -> Client {
        let http = self.sandbox.http_client();
        Client::new(&simulated_config_as("AKIDOTHER", "us-east-1", http, &self.sandbox.clock()))
    }

    fn interruptions(&self) -> Vec<Interruption> {
        self.sandbox.with(|world| world.regions["us-east-1"].rds.interruptions().to_vec())
    }

    /// `member[*] cause caller seconds` of each.
    fn interrupted(&self) -> Vec<String> {
        let line = |i: &Interruption| {
            let star = if i.was_writer { "*" } else { "" };
            let seconds = match i.until {
                u64::MAX => "-".to_string(),
                until => ((until - i.at) / 1000).to_string(),
            };
            format!("{}{star} {} {} {seconds}", i.member, i.cause, i.caller)
        };
        self.interruptions().iter().map(line).collect()
    }

    /// Cluster `c` as [`Fixture::cluster`] makes it, of a version that may be an old one.
    async fn old_cluster(&self, version: &str, members: usize) {
        self.new_cluster("c").engine_version(version).send().await.unwrap();
        self.wait(100).await;
        for member in 0..members {
            self.new_instance("c", &format!("c-{member}")).send().await.unwrap();
            self.wait(1).await;
        }
        self.wait(1_000).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_knows_the_caller() {
    let f = lenient(1, Mood::Calm);
    f.rds.describe_db_clusters().send().await.unwrap();
    f.someone_else().describe_db_clusters().send().await.unwrap();
    let callers = f.sandbox.with(|world| world.log.iter().map(|e| e.caller.clone()).collect::<Vec<_>>());
    assert_eq!(callers, ["AKIDSANDBOX", "AKIDOTHER"]);
}

#[tokio::test(start_paused = true)]
async fn creating_interrupts_nobody_and_restarts_do() {
    let f = lenient(1, Mood::Calm);
    f.cluster(3).await;
    assert_eq!(f.interrupted(), [""; 0]);
    let before = f.sandbox.clock().now_ms();
    f.rds.reboot_db_instance().db_instance_identifier("c-1").send().await.unwrap();
    assert_eq!(f.interrupted(), ["c-1 RebootDBInstance AKIDSANDBOX 60"]);
    let reboot = &f.interruptions()[0];
    assert!(reboot.at > before && reboot.at < before + 21_000 && reboot.cluster == "c");
    f.wait(200).await;
    f.someone_else().failover_db_cluster().db_cluster_identifier("c").send().await.unwrap();
    f.wait(100).await;
    let failover = &f.interrupted()[1..];
    assert_eq!(failover, ["c-0* FailoverDBCluster AKIDOTHER 30", "c-1 FailoverDBCluster AKIDOTHER 30"]);
    let class = f.rds.modify_db_instance().db_instance_identifier("c-2").db_instance_class("db.r6g.xlarge");
    class.apply_immediately(true).send().await.unwrap();
    f.wait(400).await;
    assert_eq!(f.interrupted()[3..], ["c-2 ModifyDBInstance AKIDSANDBOX 300"]);
    f.rds
        .modify_db_cluster()
        .db_cluster_identifier("c")
        .port(4406)
        .apply_immediately(true)
        .send()
        .await
        .unwrap();
    f.wait(400).await;
    let port = ["c-0", "c-1*", "c-2"].map(|member| format!("{member} ModifyDBCluster AKIDSANDBOX 60"));
    assert_eq!(f.interrupted()[4..], port);
    f.wait(15 * 24 * 3_600).await;
    f.status().await;
    assert_eq!(f.interrupted(), [""; 0], "forgotten like events");
}

#[tokio::test(start_paused = true)]
async fn stopping_lasts_until_the_start_and_deleting_for_ever() {
    let f = lenient(1, Mood::Calm);
    f.cluster(2).await;
    f.rds.stop_db_cluster().db_cluster_identifier("c").send().await.unwrap();
    f.wait(500).await;
    assert_eq!(f.interrupted(), ["c-0* StopDBCluster AKIDSANDBOX -", "c-1 StopDBCluster AKIDSANDBOX -"]);
    f.rds.start_db_cluster().db_cluster_identifier("c").send().await.unwrap();
    let up = f.sandbox.clock().now_ms() + 600_000;
    assert!(f.interruptions().iter().all(|i| i.until.abs_diff(up) < 2_000), "{:?}", f.interruptions());
    f.wait(700).await;
    f.rds.delete_db_instance().db_instance_identifier("c-0").send().await.unwrap();
    assert_eq!(
        f.interrupted()[2..],
        ["c-0* DeleteDBInstance AKIDSANDBOX -", "c-1 DeleteDBInstance AKIDSANDBOX 15"]
    );
}

#[tokio::test(start_paused = true)]
async fn below_2_10_everybody_restarts_with_the_writer() {
    for (version, together) in [
        ("5.7.12", true),
        ("5.7.mysql_aurora.2.09.3", true),
        ("5.7.mysql_aurora.2.10.3", false),
        ("5.7.mysql_aurora.2.12.5", false),
    ] {
        let f = lenient(1, Mood::Calm);
        f.old_cluster(version, 3).await;
        let members = async |n: usize| {
            f.wait(200).await;
            f.interruptions()[n..].iter().map(|i| i.member.clone()).collect::<Vec<_>>()
        };
        f.rds.reboot_db_instance().db_instance_identifier("c-1").send().await.unwrap();
        assert_eq!(members(0).await, ["c-1"], "{version}: a reader restarts alone");
        f.rds.reboot_db_instance().db_instance_identifier("c-0").send().await.unwrap();
        let writer = members(1).await;
        assert_eq!(writer, if together { vec!["c-0", "c-1", "c-2"] } else { vec!["c-0"] }, "{version}");
        let to = f.rds.failover_db_cluster().db_cluster_identifier("c").target_db_instance_identifier("c-2");
        to.send().await.unwrap();
        let failover = members(1 + writer.len()).await;
        assert_eq!(
            failover,
            if together { vec!["c-0", "c-2", "c-1"] } else { vec!["c-0", "c-2"] },
            "{version}"
        );
        let last = &f.interruptions()[1 + writer.len()..];
        assert!(last.iter().all(|i| i.at == last[0].at && i.until == last[0].until), "at the same time");
    }
    let f = strict(1, Mood::Calm);
    let old = f.new_cluster("c").engine_version("5.7.mysql_aurora.2.09.3").send().await;
    assert_eq!(code(old), "InvalidParameterCombination", "only when lenient");
}
