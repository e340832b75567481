//! What it takes to create a cluster.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_cluster_is_born_in_two_steps_with_all_its_attributes() {
    let f = lenient(1, Mood::Calm);
    f.group("G").await;
    let made =
        f.new_cluster("C").db_cluster_parameter_group_name("G").tags(tag("k", "v")).send().await.unwrap();
    assert_eq!(made.db_cluster().unwrap().status(), Some("creating"));
    f.wait(50).await;
    let cluster = f.describe().await;
    assert_eq!(cluster.status(), Some("available"));
    assert_eq!(cluster.db_cluster_identifier(), Some("c"), "identifiers are lower-cased");
    assert_eq!(cluster.db_cluster_parameter_group(), Some("g"));
    assert_eq!(cluster.db_cluster_arn(), Some("arn:aws:rds:us-east-1:111122223333:cluster:c"));
    assert_eq!(cluster.allocated_storage(), Some(1));
    assert_eq!(cluster.availability_zones().len(), 3);
    assert_eq!(cluster.engine_version(), Some("8.0.mysql_aurora.3.10.3"));
    assert!(cluster.endpoint().unwrap().starts_with("c.cluster-c"));
    assert!(cluster.reader_endpoint().unwrap().starts_with("c.cluster-ro-c"));
    assert_eq!(cluster.tag_list(), [tag("k", "v")]);
    assert!(cluster.cluster_create_time().is_some());

    f.new_instance("C", "C-0").send().await.unwrap();
    assert_eq!(f.members().await, ["c-0 in-sync"], "no writer yet");
    assert_eq!(f.instance_status("c-0").await, "creating");
    f.wait(425).await;
    assert_eq!(f.members().await, ["c-0* in-sync"]);
    let instance = f.instance("C-0").await;
    assert_eq!(instance.db_instance_status(), Some("available"));
    assert_eq!(instance.engine_version(), cluster.engine_version());
    assert!(instance.endpoint().unwrap().address().unwrap().starts_with("c-0.c"));
    assert_eq!(instance.db_parameter_groups()[0].parameter_apply_status(), Some("in-sync"));
    assert_eq!(instance.db_parameter_groups()[0].db_parameter_group_name(), Some("default.aurora-mysql8.0"));
}

#[tokio::test(start_paused = true)]
async fn whoever_is_available_first_becomes_the_writer() {
    let mut writers = std::collections::BTreeSet::new();
    for seed in 1..=8 {
        let f = lenient(seed, Mood::Real);
        f.cluster(3).await;
        let members = f.members().await;
        let star: Vec<&String> = members.iter().filter(|m| m.contains('*')).collect();
        assert_eq!(star.len(), 1, "{members:?}");
        writers.insert(star[0].split('*').next().unwrap().to_string());
    }
    assert!(writers.len() > 1, "parallel creation leaves the choice to AWS: {writers:?}");
    let f = lenient(1, Mood::Calm);
    f.cluster(3).await;
    assert_eq!(f.members().await, ["c-0* in-sync", "c-1 in-sync", "c-2 in-sync"]);
}

#[tokio::test(start_paused = true)]
async fn creation_is_validated() {
    let f = lenient(1, Mood::Calm);
    let version = |v: &str| f.new_cluster("c").engine_version(v).send();
    assert_eq!(code(version("8.0.mysql_aurora.3.99.0").await), "InvalidParameterCombination");
    let deprecated = strict(1, Mood::Calm).new_cluster("c").engine_version("8.0.mysql_aurora.3.06.1");
    assert_eq!(code(deprecated.send().await), "InvalidParameterCombination", "unless lenient");
    let old = f.new_cluster("c").engine_version("8.0.mysql_aurora.3.08.2");
    let old = old.engine_lifecycle_support("open-source-rds-extended-support-disabled");
    assert_eq!(code(old.send().await), "InvalidParameterCombination", "past standard support");
    for password in ["short", "with/slash/in/it", "with\"quote\"", "with@at@at"] {
        let refused = f.new_cluster("c").master_user_password(password).send().await;
        assert_eq!(code(refused), "InvalidParameterValue", "{password}");
    }
    let both = f.new_cluster("c").manage_master_user_password(true).send().await;
    assert_eq!(code(both), "InvalidParameterCombination");
    assert_eq!(code(f.new_cluster("c").allocated_storage(10).send().await), "InvalidParameterCombination");
    assert_eq!(code(f.new_cluster("c--d").send().await), "InvalidParameterValue");
    let group = f.new_cluster("c").db_cluster_parameter_group_name("nope").send().await;
    assert_eq!(code(group), "DBClusterParameterGroupNotFound", "cluster operations have their own code");
    let family = f.new_cluster("c").db_cluster_parameter_group_name("default.aurora-mysql8.4").send().await;
    assert_eq!(code(family), "InvalidParameterCombination");
    let subnets = f.new_cluster("c").db_subnet_group_name("nope").send().await;
    assert_eq!(code(subnets), "DBSubnetGroupNotFoundFault");
    f.new_cluster("c").send().await.unwrap();
    assert_eq!(code(f.new_cluster("C").send().await), "DBClusterAlreadyExistsFault");

    f.wait(50).await;
    let class = f.new_instance("c", "i").db_instance_class("db.r4.large").send().await;
    assert_eq!(code(class), "InvalidParameterCombination");
    let serverless = f.new_instance("c", "i").db_instance_class("db.serverless").send().await;
    assert_eq!(code(serverless), "InvalidParameterCombination", "the cluster has no capacity range");
    assert_eq!(code(f.new_instance("x", "i").send().await), "DBClusterNotFoundFault");
    assert_eq!(
        code(f.new_instance("c", "i").master_username("u").send().await),
        "InvalidParameterCombination"
    );
    f.new_instance("c", "i").send().await.unwrap();
    assert_eq!(code(f.new_instance("c", "i").send().await), "DBInstanceAlreadyExists");
}

#[tokio::test(start_paused = true)]
async fn other_services_are_asked() {
    let f = strict(1, Mood::Calm);
    let subnets = f.rds.create_db_subnet_group().db_subnet_group_name("s").db_subnet_group_description("d");
    let refused = subnets.subnet_ids("subnet-nowhere").subnet_ids("subnet-never").send().await;
    assert_eq!(code(refused), "InvalidSubnet");
    assert_eq!(code(f.new_cluster("c").send().await), "InvalidSubnet", "no default subnets");
    f.sandbox.with(|world| world.regions.get_mut("us-east-1").unwrap().rds.lenient = true);
    f.cluster(1).await;
    f.sandbox.with(|world| world.regions.get_mut("us-east-1").unwrap().rds.lenient = false);
    let add = f.rds.add_role_to_db_cluster().db_cluster_identifier("c").role_arn(ROLE).send().await;
    assert_eq!(code(add), "InvalidParameterValue", "no such role");
    let modify = f.rds.modify_db_cluster().db_cluster_identifier("c").vpc_security_group_ids("sg-nowhere");
    assert_eq!(code(modify.send().await), "InvalidParameterValue");
}

#[tokio::test(start_paused = true)]
async fn subnet_groups_cover_two_zones_and_stay_while_used() {
    let f = lenient(1, Mood::Calm);
    let new =
        || f.rds.create_db_subnet_group().db_subnet_group_name("Subnets").db_subnet_group_description("d");
    assert_eq!(code(new().subnet_ids("subnet-1").send().await), "DBSubnetGroupDoesNotCoverEnoughAZs");
    new().subnet_ids("subnet-1").subnet_ids("subnet-2").send().await.unwrap();
    for number in 1..50 {
        let other = new().db_subnet_group_name(format!("other-{number}"));
        other.subnet_ids("subnet-1").subnet_ids("subnet-2").send().await.unwrap();
    }
    let more = new().db_subnet_group_name("more").subnet_ids("subnet-1").subnet_ids("subnet-2").send().await;
    assert_eq!(code(more), "DBSubnetGroupQuotaExceeded");
    let again = new().subnet_ids("subnet-1").subnet_ids("subnet-2").send().await;
    assert_eq!(code(again), "DBSubnetGroupAlreadyExists");
    let found = f.rds.describe_db_subnet_groups().db_subnet_group_name("SUBNETS").send().await.unwrap();
    assert_eq!(found.db_subnet_groups()[0].db_subnet_group_name(), Some("subnets"));
    assert_eq!(found.db_subnet_groups()[0].subnets().len(), 2);
    f.new_cluster("c").db_subnet_group_name("subnets").send().await.unwrap();
    f.wait(50).await;
    let delete = || f.rds.delete_db_subnet_group().db_subnet_group_name("subnets").send();
    assert_eq!(code(delete().await), "InvalidDBSubnetGroupStateFault");
    f.rds.delete_db_cluster().db_cluster_identifier("c").skip_final_snapshot(true).send().await.unwrap();
    assert_eq!(code(delete().await), "InvalidDBSubnetGroupStateFault", "still deleting");
    f.wait(200).await;
    delete().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_managed_secret_becomes_active_late() {
    let f = lenient(1, Mood::Calm);
    let make =
        f.rds.create_db_cluster().db_cluster_identifier("c").engine("aurora-mysql").master_username("admin");
    make.manage_master_user_password(true).send().await.unwrap();
    f.wait(50).await;
    let secret = f.describe().await.master_user_secret().unwrap().clone();
    assert!(
        secret
            .secret_arn()
            .unwrap()
            .starts_with("arn:aws:secretsmanager:us-east-1:111122223333:secret:rds!cluster-")
    );
    assert_eq!(secret.secret_status(), Some("creating"));
    f.wait(20).await;
    assert_eq!(f.describe().await.master_user_secret().unwrap().secret_status(), Some("active"));
    let password = f.rds.modify_db_cluster().db_cluster_identifier("c").master_user_password("new password");
    assert_eq!(code(password.send().await), "InvalidParameterCombination");
}

#[tokio::test(start_paused = true)]
async fn the_data_api_is_switched_by_its_own_operations() {
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    let arn = f.describe().await.db_cluster_arn().unwrap().to_string();
    f.rds.modify_db_cluster().db_cluster_identifier("c").enable_http_endpoint(true).send().await.unwrap();
    assert_eq!(f.describe().await.http_endpoint_enabled(), Some(false), "ModifyDBCluster is silent about it");
    f.rds.enable_http_endpoint().resource_arn(&arn).send().await.unwrap();
    assert_eq!(f.describe().await.http_endpoint_enabled(), Some(true));
    f.rds.disable_http_endpoint().resource_arn(&arn).send().await.unwrap();
    let unknown = f.rds.enable_http_endpoint().resource_arn(format!("{arn}x")).send().await;
    assert_eq!(code(unknown), "ResourceNotFoundFault");
    f.new_instance("c", "c-1").db_instance_class("db.t4g.medium").send().await.unwrap();
    let small = f.rds.enable_http_endpoint().resource_arn(&arn).send().await;
    assert_eq!(code(small), "InvalidResourceStateFault", "not on T classes");
}
