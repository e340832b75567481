//! Which clusters can be wired: their engines, versions and global databases.

use super::*;

/// What the model says of clusters that the sandbox cannot have.
#[test]
fn engines_and_global_databases() {
    use auroraml_core::base::names::Place;
    use auroraml_core::model::build;
    use auroraml_core::model::facts::{ExistingFacts, Facts};
    let bedrock = wanting("bedrock: { models: [amazon.titan-text-lite-v1] }");
    let article = wanting(SAGEMAKER);
    let place = Place::new(article.stack.clone(), article.region.clone(), "111122223333");
    let facts = |engine: &str, version: &str| Facts {
        live_engine_version: Some(version.into()),
        existing: Some(ExistingFacts {
            engine: engine.into(),
            status: "available".into(),
            parameter_group: "default.aurora-mysql8.0".into(),
            role_quota: 5,
            global_cluster: Some("world".into()),
            ..ExistingFacts::default()
        }),
        ..Facts::default()
    };
    let told = |spec: &Spec, engine: &str, version: &str| match build(
        spec,
        &place,
        &facts(engine, version),
        Intent::Apply,
    ) {
        Ok(graph) => graph.notes.join("\n"),
        Err(problems) => {
            assert_eq!(problems.len(), 1, "{problems:?}");
            problems[0].why.clone()
        }
    };
    let mysql = |spec: &Spec, version: &str| told(spec, "aurora-mysql", version);
    assert!(told(&article, "aurora-postgresql", "16.4").contains("its engine is aurora-postgresql"));
    assert!(mysql(&article, "8.0.mysql_aurora.3.00.0").contains("no SQL functions for sagemaker"));
    assert!(mysql(&article, "5.7.mysql_aurora.2.06.0").contains("no SQL functions for sagemaker"));
    assert!(mysql(&bedrock, "8.0.mysql_aurora.3.05.2").contains("no SQL functions for bedrock"));
    let old = mysql(&article, "8.0.mysql_aurora.3.05.2");
    assert!(old.contains("global database world") && old.contains("restarts the members"), "{old}");
    let new = mysql(&article, "8.0.mysql_aurora.3.10.3");
    assert!(new.contains("its other clusters are not changed"), "{new}");
}

#[tokio::test(start_paused = true)]
async fn a_member_of_a_global_database_is_wired_with_a_note() {
    let theirs = Theirs::new(17, Mood::Calm, Group::Exclusive, 1).await;
    let arn = theirs.cluster(CLUSTER).await.db_cluster_arn.unwrap();
    let make = theirs.rds.create_global_cluster().global_cluster_identifier("world");
    make.source_db_cluster_identifier(arn).send().await.unwrap();
    theirs.wait(600).await;
    says(
        &theirs.plan().await,
        &["a member of the global database world", "its other clusters are not changed"],
    );
    theirs.apply().await;
    theirs.destroy().await;
}

/// Aurora MySQL 2 has a family of its own, and restarts as a whole.
#[tokio::test(start_paused = true)]
async fn a_cluster_of_version_two_comes_back_as_it_was() {
    let theirs = Theirs::over(Account::new(18, Mood::Real), wanting(SAGEMAKER));
    theirs.lenient(true);
    let make = theirs.rds.create_db_cluster().db_cluster_identifier(CLUSTER).engine("aurora-mysql");
    let make = make.engine_version("5.7.mysql_aurora.2.09.3").master_username("admin");
    make.manage_master_user_password(true).send().await.unwrap();
    theirs.wait(600).await;
    theirs.make_members(CLUSTER, 2).await;
    theirs.lenient(false);
    let before = theirs.described(CLUSTER).await;
    assert_eq!(before.db_cluster_parameter_group(), Some("default.aurora-mysql5.7"));
    theirs.apply().await;
    assert_eq!(theirs.statuses(CLUSTER).await, ["in-sync", "in-sync"]);
    theirs.destroy().await;
    assert_eq!(theirs.described(CLUSTER).await, before);
}
