//! The database: versions, classes, parameters, names, and what keeps a cluster from going.

use super::fixtures::{Situation, pair};
use super::quotas::SHOP;
use crate::harness::{hosting, spec_file};
use crate::sql;
use auroraml_core::model::Code;
use auroraml_sandbox::random::Mood;
use aws_sdk_rds::Client;

#[tokio::test(start_paused = true)]
async fn versions_classes_and_parameters() {
    let churn = hosting();
    let with = |old: &str, new: &str| {
        assert!(churn.contains(old), "{old}");
        Situation::new(&churn.replace(old, new))
    };
    let good = || Situation::new(&churn);
    let version = "engine_version: \"8.0\"";
    pair(Code::EngineVersionUnavailable, with(version, "engine_version: \"3.99\""), good()).await;
    pair(Code::ClassRegion, with("db.r6g.large", "db.r99.large"), good()).await;
    let parameters = |set: &str| {
        with("parameters: { character_set_database: utf8mb4 }", &format!("parameters: {{ {set} }}"))
    };
    pair(Code::ParameterUnknown, parameters("max_conections: 100"), parameters("thread_cache_size: 100"))
        .await;
    pair(Code::ParameterFixed, parameters("innodb_page_size: 16384"), parameters("aurora_pq_force: 1")).await;
    pair(Code::ParameterValue, parameters("aurora_pq_force: 7"), parameters("aurora_pq_force: 1")).await;
}

/// In the sandbox us-east-1b has no db.t4g: a stack whose only other zone is gone has none for it.
#[tokio::test(start_paused = true)]
async fn a_class_in_the_zones_that_the_subnets_have() {
    use auroraml_core::base::names::Place;
    use auroraml_core::engine::Offered;
    use auroraml_core::model::facts::{Facts, Offer, Zonal};
    use auroraml_core::model::{Intent, build};
    let spec = crate::harness::spec(SHOP);
    let place = Place::new("shop", "us-east-1", "111122223333");
    let zone = |name: &str, zone: &str| (name.to_string(), format!("us-east-1{zone}"));
    let found = |zones: &[&str]| {
        let facts = Facts {
            zones: ["a", "b", "c"].map(|letter| format!("us-east-1{letter}")).into(),
            live_zones: [zone("private-1", "a"), zone("private-2", "b")].into(),
            engine_versions: vec![Offered {
                version: "8.0.mysql_aurora.3.10.2".into(),
                family: "aurora-mysql8.0".into(),
            }],
            offers: vec![Offer {
                what: Zonal::Class("db.r6g.large".into()),
                zones: zones.iter().map(|letter| format!("us-east-1{letter}")).collect(),
            }],
            today: "2026-12-01".into(),
            ..Facts::default()
        };
        build(&spec, &place, &facts, Intent::Apply).map(drop)
    };
    super::fixtures::judged(Code::ClassZone, found(&["c"]), found(&["b", "c"]));
    // Of an interface endpoint that the whole region lacks.
    let text = SHOP.replace("10.0.2.0/24] }", "10.0.2.0/24], endpoints: [comprehend] }");
    let spec = crate::harness::spec(&text);
    let found = |zones: &[&str]| {
        let facts = Facts {
            zones: ["a", "b"].map(|letter| format!("us-east-1{letter}")).into(),
            engine_versions: vec![Offered {
                version: "8.0.mysql_aurora.3.10.2".into(),
                family: "aurora-mysql8.0".into(),
            }],
            offers: vec![Offer {
                what: Zonal::Endpoint("com.amazonaws.us-east-1.comprehend".into()),
                zones: zones.iter().map(|letter| format!("us-east-1{letter}")).collect(),
            }],
            today: "2026-12-01".into(),
            ..Facts::default()
        };
        build(&spec, &place, &facts, Intent::Apply).map(drop)
    };
    super::fixtures::judged(Code::EndpointServiceRegion, found(&[]), found(&["a", "b"]));
}

/// A cluster of somebody else has a member of the name that the stack's is to have.
#[tokio::test(start_paused = true)]
async fn the_name_of_a_member() {
    let with = async |name: &str| {
        let situation = Situation::new(SHOP).region(|region| region.rds.lenient = true);
        let rds = Client::new(&situation.config());
        let make = rds.create_db_cluster().db_cluster_identifier("orders").engine("aurora-mysql");
        make.master_username("admin").manage_master_user_password(true).send().await.unwrap();
        situation.wait(600).await;
        let make = rds.create_db_instance().db_instance_identifier(name).db_cluster_identifier("orders");
        make.engine("aurora-mysql").db_instance_class("db.r6g.large").send().await.unwrap();
        situation.wait(3600).await;
        situation.region(|region| region.rds.lenient = false)
    };
    pair(Code::InstanceNameTaken, with("shop-1").await, with("orders-1").await).await;
}

/// The spec calls the cluster otherwise than AWS does.
#[tokio::test(start_paused = true)]
async fn another_name() {
    let named = SHOP.replace("aurora: {", "aurora: { identifier: orders,");
    assert_ne!(named, SHOP);
    let (changed, same) = (Situation::applied(SHOP).await.planning(&named), Situation::applied(&named).await);
    pair(Code::NameChanged, changed, same).await;
}

#[tokio::test(start_paused = true)]
async fn what_keeps_a_cluster_from_going() {
    let joined = async |joins: bool| {
        let situation = Situation::applied(SHOP).await;
        if joins {
            let arn = "arn:aws:rds:us-east-1:111122223333:cluster:shop";
            let make = Client::new(&situation.config()).create_global_cluster();
            make.global_cluster_identifier("world").source_db_cluster_identifier(arn).send().await.unwrap();
            situation.wait(600).await;
        }
        situation.destroying()
    };
    pair(Code::GlobalDatabase, joined(true).await, joined(false).await).await;
    let reviewed = async |name: &str| {
        let situation = Situation::applied(SHOP).await;
        let make = Client::new(&situation.config()).create_db_cluster_snapshot();
        let make = make.db_cluster_identifier("shop").db_cluster_snapshot_identifier(name);
        make.send().await.unwrap();
        situation.wait(600).await;
        Situation { snapshot: Some("shop-final-20261201-120000".into()), ..situation.destroying() }
    };
    let (taken, free) = (reviewed("shop-final-20261201-120000").await, reviewed("shop-before").await);
    pair(Code::SnapshotNameTaken, taken, free).await;
}

/// An existing cluster to which SQL is to be sent.
#[tokio::test(start_paused = true)]
async fn the_way_into_the_database() {
    let cluster = async |version: &str, managed: bool, data_api: bool| {
        let account = sql::account(1, Mood::Calm).await;
        let situation = Situation { account, ..Situation::new(&sql::on_existing()) };
        let situation = situation.region(|region| region.rds.lenient = true);
        let rds = Client::new(&situation.config());
        let make = rds.create_db_cluster().db_cluster_identifier("shop").engine("aurora-mysql");
        let make = make.engine_version(version).master_username("admin");
        let make = match managed {
            true => make.manage_master_user_password(true),
            false => make.master_user_password("not-a-word-that-anybody-guesses"),
        };
        make.send().await.unwrap();
        situation.wait(600).await;
        let make =
            rds.create_db_instance().db_instance_identifier("shop-member").db_cluster_identifier("shop");
        make.engine("aurora-mysql").db_instance_class("db.r6g.large").send().await.unwrap();
        situation.wait(3600).await;
        if data_api {
            let arn = "arn:aws:rds:us-east-1:111122223333:cluster:shop";
            rds.enable_http_endpoint().resource_arn(arn).send().await.unwrap();
        }
        situation.region(|region| region.rds.lenient = false)
    };
    const NEW: &str = "8.0.mysql_aurora.3.10.2";
    let good = async || cluster(NEW, true, true).await;
    pair(Code::DataApiOff, cluster(NEW, true, false).await, good().await).await;
    pair(Code::DatabaseSecretMissing, cluster(NEW, false, true).await, good().await).await;
    pair(Code::DataApiVersion, cluster("8.0.mysql_aurora.3.06.1", true, false).await, good().await).await;
}

/// No file of the stack's is missing in the specs folder.
#[tokio::test(start_paused = true)]
async fn files() {
    let churn = spec_file("churn.yaml");
    let missing = churn.replace("notebooks/aurora.py", "notebooks/nothing.py");
    assert_ne!(missing, churn);
    pair(Code::FileUnreadable, Situation::new(&missing), Situation::new(&churn)).await;
    let many = |count: usize| {
        let head = &hosting();
        let (before, rest) = head.split_once("  files:\n").unwrap();
        let after = &rest[rest.find("\nendpoints:").unwrap()..];
        let files: String = (0..count).map(|n| format!("    - notebooks/{n}.ipynb\n")).collect();
        let situation = Situation::new(&format!("{before}  files:\n{files}{after}"));
        Situation { files: Some(vec![b'{', b'}']), ..situation }
    };
    pair(Code::NotebookScriptSize, many(200), many(20)).await;
}
