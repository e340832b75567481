//! Global databases, and what they do to restarts.

use super::*;
use auroraml::aws::simulated_config_as;

const VERSION: &str = "8.0.mysql_aurora.3.05.2";

/// A global database `all` with the primary cluster `c` here and the secondary cluster `d` in Oregon, two members
/// each.
async fn spread(f: &Fixture, version: &str) -> Client {
    let there =
        Client::new(&simulated_config_as("AKID", "us-west-2", f.sandbox.http_client(), &f.sandbox.clock()));
    f.sandbox.with(|world| world.regions.entry("us-west-2".into()).or_default().rds.lenient = true);
    f.new_cluster("c").engine_version(version).database_name("shop").send().await.unwrap();
    f.wait(100).await;
    let make = f.rds.create_global_cluster().global_cluster_identifier("All");
    make.source_db_cluster_identifier("arn:aws:rds:us-east-1:111122223333:cluster:c").send().await.unwrap();
    let second = there.create_db_cluster().db_cluster_identifier("d").engine("aurora-mysql");
    let second = second.engine_version(version).global_cluster_identifier("all");
    assert_eq!(
        code(second.clone().master_username("admin").send().await),
        "InvalidParameterCombination",
        "it comes from the primary"
    );
    let made = second.send().await.unwrap();
    assert_eq!(made.db_cluster().unwrap().master_username(), Some("admin"));
    assert_eq!(made.db_cluster().unwrap().database_name(), Some("shop"));
    f.wait(100).await;
    for member in 0..2 {
        f.new_instance("c", &format!("c-{member}")).send().await.unwrap();
        let make =
            there.create_db_instance().db_instance_identifier(format!("d-{member}")).engine("aurora-mysql");
        make.db_cluster_identifier("d").db_instance_class("db.r6g.large").send().await.unwrap();
        f.wait(1).await;
    }
    f.wait(1_000).await;
    there
}

async fn status(client: &Client, id: &str) -> String {
    let answer = client.describe_db_instances().db_instance_identifier(id).send().await.unwrap();
    answer.db_instances()[0].db_instance_status().unwrap().to_string()
}

#[tokio::test(start_paused = true)]
async fn below_3_06_secondary_clusters_restart_with_the_primary_writer() {
    for (version, together) in [(VERSION, true), ("8.0.mysql_aurora.3.06.1", false)] {
        let f = lenient(1, Mood::Calm);
        let there = spread(&f, version).await;
        f.rds.reboot_db_instance().db_instance_identifier("c-1").send().await.unwrap();
        f.wait(10).await;
        assert_eq!(status(&there, "d-0").await, "available", "{version}: only with the writer");
        f.wait(200).await;
        f.rds.reboot_db_instance().db_instance_identifier("c-0").send().await.unwrap();
        assert_eq!(status(&there, "d-0").await, "available", "{version}: some seconds later");
        f.wait(10).await;
        let expected = if together { "rebooting" } else { "available" };
        assert_eq!([status(&there, "d-0").await, status(&there, "d-1").await], [expected; 2], "{version}");
        assert_eq!(status(&f.rds, "c-1").await, "available", "{version}: readers of the primary go on");
        let causes = f.sandbox.with(|world| {
            let interruptions = world.regions["us-west-2"].rds.interruptions().iter();
            interruptions.map(|i| format!("{} {} {}", i.member, i.cause, i.caller)).collect::<Vec<_>>()
        });
        let both = ["d-0 RebootDBInstance AKIDSANDBOX", "d-1 RebootDBInstance AKIDSANDBOX"];
        assert_eq!(causes, if together { both.to_vec() } else { Vec::new() }, "{version}");
    }
}

#[tokio::test(start_paused = true)]
async fn members_of_a_global_database_are_neither_stopped_nor_deleted() {
    let f = lenient(1, Mood::Calm);
    let there = spread(&f, VERSION).await;
    assert_eq!(f.describe().await.global_cluster_identifier(), Some("all"));
    let all = f.rds.describe_global_clusters().global_cluster_identifier("all").send().await.unwrap();
    let members = all.global_clusters()[0].global_cluster_members();
    let arns: Vec<_> = members.iter().map(|m| (m.db_cluster_arn().unwrap(), m.is_writer())).collect();
    let (here, away) =
        ("arn:aws:rds:us-east-1:111122223333:cluster:c", "arn:aws:rds:us-west-2:111122223333:cluster:d");
    assert_eq!(arns, [(here, Some(true)), (away, Some(false))]);
    assert_eq!(members[0].readers(), [away]);
    assert_eq!(
        code(f.rds.stop_db_cluster().db_cluster_identifier("c").send().await),
        "InvalidDBClusterStateFault"
    );
    for member in ["c-0", "c-1"] {
        f.rds.delete_db_instance().db_instance_identifier(member).send().await.unwrap();
    }
    let delete = || f.rds.delete_db_cluster().db_cluster_identifier("c").skip_final_snapshot(true).send();
    assert_eq!(code(delete().await), "InvalidDBClusterStateFault");
    let remove = |client: &Client, arn: &str| {
        client.remove_from_global_cluster().global_cluster_identifier("all").db_cluster_identifier(arn).send()
    };
    assert_eq!(code(remove(&f.rds, here).await), "InvalidGlobalClusterStateFault", "the primary goes last");
    remove(&there, away).await.unwrap();
    assert_eq!(code(remove(&there, away).await), "DBClusterNotFoundFault");
    remove(&f.rds, here).await.unwrap();
    delete().await.unwrap();
    let again = |id: &str| f.rds.delete_global_cluster().global_cluster_identifier(id).send();
    again("all").await.unwrap();
    assert_eq!(code(again("all").await), "GlobalClusterNotFoundFault");
    assert!(f.rds.describe_global_clusters().send().await.unwrap().global_clusters().is_empty());
}
