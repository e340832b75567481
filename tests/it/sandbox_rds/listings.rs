//! Describe operations: codes, filters, pages, tags.

use super::*;

#[tokio::test(start_paused = true)]
async fn not_found_has_a_different_code_for_each() {
    let f = lenient(1, Mood::Calm);
    let r = &f.rds;
    let cluster = r.describe_db_clusters().db_cluster_identifier("x").send().await.unwrap_err();
    assert_eq!(cluster.raw_response().unwrap().status().as_u16(), 404);
    assert!(cluster.into_service_error().is_db_cluster_not_found_fault(), "modelled, not unhandled");
    let instance = r.describe_db_instances().db_instance_identifier("x").send().await;
    assert_eq!(code(instance), "DBInstanceNotFound");
    let group = r.describe_db_cluster_parameters().db_cluster_parameter_group_name("x").send().await;
    assert_eq!(code(group), "DBParameterGroupNotFound");
    let subnets = r.describe_db_subnet_groups().db_subnet_group_name("x").send().await;
    assert_eq!(code(subnets), "DBSubnetGroupNotFoundFault");
    let snapshot = r.describe_db_cluster_snapshots().db_cluster_snapshot_identifier("x").send().await;
    assert_eq!(code(snapshot), "DBClusterSnapshotNotFoundFault");
    let filter = Filter::builder().name("db-cluster-id").values("x").build();
    let filtered = r.describe_db_clusters().filters(filter).send().await.unwrap();
    assert!(filtered.db_clusters().is_empty(), "a filter finds nothing, it does not fail");
}

#[tokio::test(start_paused = true)]
async fn tags_live_on_arns() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    for arn in ["cluster:c", "db:c-0", "cluster-pg:g"] {
        let arn = format!("arn:aws:rds:us-east-1:111122223333:{arn}");
        let add = || f.rds.add_tags_to_resource().resource_name(&arn);
        add().tags(tag("a", "1")).tags(tag("b", "2")).send().await.unwrap();
        f.rds.remove_tags_from_resource().resource_name(&arn).tag_keys("b").send().await.unwrap();
        let list = f.rds.list_tags_for_resource().resource_name(&arn).send().await.unwrap();
        assert_eq!(list.tag_list(), [tag("a", "1")], "{arn}");
        assert_eq!(code(add().tags(tag("aws:x", "1")).send().await), "InvalidParameterValue");
    }
    assert_eq!(f.describe().await.tag_list(), [tag("a", "1")]);
    let unknown =
        f.rds.list_tags_for_resource().resource_name("arn:aws:rds:us-east-1:111122223333:db:x").send();
    assert_eq!(code(unknown.await), "DBInstanceNotFound");
}

#[tokio::test(start_paused = true)]
async fn versions_and_classes_are_listed() {
    let f = lenient(1, Mood::Calm);
    let ask = || f.rds.describe_db_engine_versions().engine("aurora-mysql");
    let names = async |ask: aws_sdk_rds::operation::describe_db_engine_versions::builders::DescribeDBEngineVersionsFluentBuilder| {
        let found = ask.send().await.unwrap();
        let names = found.db_engine_versions().iter().map(|v| v.engine_version().unwrap().to_string());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(ask().default_only(true)).await, ["8.0.mysql_aurora.3.10.3"]);
    assert_eq!(
        names(ask().engine_version("8.4")).await,
        ["8.4.mysql_aurora.8.4.7", "8.4.mysql_aurora.8.4.8"]
    );
    let minor = names(ask().engine_version("8.0.mysql_aurora.3.1")).await;
    assert!(minor.is_empty(), "a prefix ends at a dot: {minor:?}");
    let all = names(ask().include_all(true)).await;
    assert!(all.len() > names(ask()).await.len(), "IncludeAll adds deprecated versions");
    let eight = ask().engine_version("8.0.mysql_aurora.3.10.3").send().await.unwrap();
    let eight = &eight.db_engine_versions()[0];
    assert_eq!(eight.db_parameter_group_family(), Some("aurora-mysql8.0"));
    assert_eq!(eight.status(), Some("available"));
    assert!(eight.valid_upgrade_target().iter().any(|t| t.is_major_version_upgrade() == Some(true)));

    let options = f.rds.describe_orderable_db_instance_options().engine("aurora-mysql");
    let options = options.engine_version("8.0.mysql_aurora.3.10.3").send().await.unwrap();
    let class = |name: &str| {
        options.orderable_db_instance_options().iter().find(|o| o.db_instance_class() == Some(name)).cloned()
    };
    assert!(class("db.serverless").is_some() && class("db.r8g.48xlarge").is_some());
    assert_eq!(class("db.r6g.large").unwrap().supports_http_endpoint(), Some(true));
    assert_eq!(class("db.t3.medium").unwrap().supports_http_endpoint(), Some(false));
    let zones = |name: &str| -> Vec<String> {
        let option = class(name).unwrap();
        option.availability_zones().iter().filter_map(|zone| zone.name().map(String::from)).collect()
    };
    assert_eq!(zones("db.r6g.large").len(), 6);
    // One zone lacks some classes, and it is not the last by name.
    assert_eq!(zones("db.t4g.medium").len(), 5);
    assert!(!zones("db.t4g.medium").contains(&"us-east-1b".to_string()));
}

#[tokio::test(start_paused = true)]
async fn listings_that_are_empty_or_fixed() {
    let f = lenient(1, Mood::Calm);
    let maintenance = f.rds.describe_pending_maintenance_actions().send().await.unwrap();
    assert!(maintenance.pending_maintenance_actions().is_empty());
    assert!(f.rds.describe_global_clusters().send().await.unwrap().global_clusters().is_empty());
    let groups = f.rds.describe_db_parameter_groups().send().await.unwrap();
    let names: Vec<_> =
        groups.db_parameter_groups().iter().filter_map(|g| g.db_parameter_group_name()).collect();
    assert_eq!(names, ["default.aurora-mysql5.7", "default.aurora-mysql8.0", "default.aurora-mysql8.4"]);
    let instances = f.rds.describe_db_instances().send().await.unwrap();
    assert!(instances.db_instances().is_empty());
}

#[tokio::test(start_paused = true)]
async fn clusters_and_instances_are_filtered_and_paged() {
    let f = lenient(1, Mood::Calm);
    for n in 0..25 {
        f.new_cluster(&format!("c{n:02}")).send().await.unwrap();
    }
    f.wait(50).await;
    f.new_instance("c03", "i").send().await.unwrap();
    let first = f.rds.describe_db_clusters().max_records(20).send().await.unwrap();
    assert_eq!(first.db_clusters().len(), 20);
    let rest =
        f.rds.describe_db_clusters().max_records(20).marker(first.marker().unwrap()).send().await.unwrap();
    assert_eq!((rest.db_clusters().len(), rest.marker()), (5, None));
    let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let two = filter("db-cluster-id", "arn:aws:rds:us-east-1:111122223333:cluster:c03");
    let found = f.rds.describe_db_clusters().filters(two.clone()).send().await.unwrap();
    assert_eq!(found.db_clusters()[0].db_cluster_identifier(), Some("c03"));
    let found = f.rds.describe_db_instances().filters(two).send().await.unwrap();
    assert_eq!(found.db_instances()[0].db_instance_identifier(), Some("i"));
    let wrong = f.rds.describe_db_clusters().filters(filter("colour", "red")).send().await;
    assert_eq!(code(wrong), "InvalidParameterValue");
    let all = (25..40).map(|n| f.new_cluster(&format!("c{n:02}")).send());
    for one in all {
        one.await.unwrap();
    }
    let many = f.new_cluster("c41").send().await;
    assert_eq!(code(many), "DBClusterQuotaExceededFault");
}
