//! Deletion and its order.

use super::*;

#[tokio::test(start_paused = true)]
async fn deletion_has_an_order() {
    let f = lenient(1, Mood::Calm);
    f.cluster(2).await;
    f.rds.modify_db_cluster().db_cluster_identifier("c").deletion_protection(true).send().await.unwrap();
    f.wait(60).await;
    let delete = || f.rds.delete_db_cluster().db_cluster_identifier("c");
    let skip = || delete().skip_final_snapshot(true).send();
    assert_eq!(code(skip().await), "InvalidParameterCombination", "protected");
    f.rds.modify_db_cluster().db_cluster_identifier("c").deletion_protection(false).send().await.unwrap();
    f.wait(60).await;
    assert_eq!(code(delete().send().await), "InvalidParameterCombination", "no decision on the snapshot");
    let both = delete().skip_final_snapshot(true).final_db_snapshot_identifier("last").send().await;
    assert_eq!(code(both), "InvalidParameterCombination");
    assert_eq!(code(skip().await), "InvalidDBClusterStateFault", "it has instances");
    let instance = |id: &str| f.rds.delete_db_instance().db_instance_identifier(id).send();
    instance("c-1").await.unwrap();
    assert_eq!(code(instance("c-1").await), "InvalidDBInstanceState", "already being deleted");
    instance("c-0").await.unwrap();
    delete().final_db_snapshot_identifier("last").send().await.unwrap();
    assert_eq!(f.status().await, "deleting");
    assert_eq!(f.instance_status("c-0").await, "deleting");
    let group = f.rds.delete_db_cluster_parameter_group().db_cluster_parameter_group_name("g").send();
    assert_eq!(code(group.await), "InvalidDBParameterGroupState", "until the cluster is gone");
    f.wait(405).await;
    let gone = f.rds.describe_db_instances().db_instance_identifier("c-0").send().await;
    assert_eq!(code(gone), "DBInstanceNotFound");
    assert_eq!(f.status().await, "deleting", "the cluster goes after its instances");
    f.wait(95).await;
    assert_eq!(
        code(f.rds.describe_db_clusters().db_cluster_identifier("c").send().await),
        "DBClusterNotFoundFault"
    );
    f.rds.delete_db_cluster_parameter_group().db_cluster_parameter_group_name("g").send().await.unwrap();

    let snapshots = f.rds.describe_db_cluster_snapshots().db_cluster_identifier("c").send().await.unwrap();
    assert_eq!(snapshots.db_cluster_snapshots()[0].status(), Some("available"));
    f.new_cluster("c").send().await.unwrap();
    f.wait(50).await;
    let reused = delete().final_db_snapshot_identifier("Last").send().await;
    assert_eq!(code(reused), "DBClusterSnapshotAlreadyExistsFault");
    f.rds.delete_db_cluster_snapshot().db_cluster_snapshot_identifier("last").send().await.unwrap();
    assert!(f.rds.describe_db_cluster_snapshots().send().await.unwrap().db_cluster_snapshots().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reader_inherits_from_a_deleted_writer() {
    let f = lenient(1, Mood::Calm);
    f.cluster(2).await;
    f.rds.delete_db_instance().db_instance_identifier("c-0").send().await.unwrap();
    f.wait(60).await;
    assert_eq!(f.members().await, ["c-0 in-sync", "c-1* in-sync"]);
    f.wait(400).await;
    assert_eq!(f.members().await, ["c-1* in-sync"]);
}
