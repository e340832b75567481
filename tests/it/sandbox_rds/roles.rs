//! IAM roles of a cluster.

use super::*;

#[tokio::test(start_paused = true)]
async fn roles_are_pending_first_and_five_at_most() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    let role = |n: usize| format!("arn:aws:iam::111122223333:role/r{n}");
    let add = |n: usize| f.rds.add_role_to_db_cluster().db_cluster_identifier("c").role_arn(role(n)).send();
    let statuses = async || {
        let cluster = f.describe().await;
        let statuses = cluster.associated_roles().iter().map(|r| r.status().unwrap().to_string());
        statuses.collect::<Vec<_>>()
    };
    add(1).await.unwrap();
    assert_eq!(statuses().await, ["PENDING"]);
    assert_eq!(code(add(1).await), "DBClusterRoleAlreadyExists");
    f.wait(31).await;
    assert_eq!(statuses().await, ["ACTIVE"]);
    for n in 2..=5 {
        add(n).await.unwrap();
    }
    assert_eq!(code(add(6).await), "DBClusterRoleQuotaExceeded");
    let named =
        f.rds.add_role_to_db_cluster().db_cluster_identifier("c").role_arn(role(6)).feature_name("Lambda");
    assert_eq!(code(named.send().await), "InvalidParameterValue", "feature names are for PostgreSQL");
    let remove =
        |n: usize| f.rds.remove_role_from_db_cluster().db_cluster_identifier("c").role_arn(role(n)).send();
    assert_eq!(code(remove(9).await), "DBClusterRoleNotFound");
    remove(1).await.unwrap();
    assert_eq!(statuses().await.len(), 5, "it goes in the background");
    f.wait(11).await;
    assert_eq!(statuses().await.len(), 4);
    f.sandbox.with(|world| world.regions.get_mut("us-east-1").unwrap().rds.lenient = false);
    f.wait(60).await;
    assert_eq!(statuses().await, ["INVALID"; 4], "the roles do not exist in IAM");
}

#[tokio::test(start_paused = true)]
async fn a_role_that_vanishes_while_pending_leaves_an_event() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    f.rds.add_role_to_db_cluster().db_cluster_identifier("c").role_arn(ROLE).send().await.unwrap();
    f.sandbox.with(|world| world.regions.get_mut("us-east-1").unwrap().rds.lenient = false);
    f.wait(40).await;
    let events = f.rds.describe_events().source_type(SourceType::DbCluster).send().await.unwrap();
    assert!(
        events.events().iter().any(|e| e.message().unwrap().contains("isn't able to associate the IAM role"))
    );
}

#[tokio::test(start_paused = true)]
async fn roles_need_an_available_cluster() {
    let f = lenient(1, Mood::Calm);
    f.new_cluster("c").send().await.unwrap();
    let add = f.rds.add_role_to_db_cluster().db_cluster_identifier("c").role_arn(ROLE).send().await;
    assert_eq!(code(add), "InvalidDBClusterStateFault");
}
