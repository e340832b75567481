//! Every example spec: from nothing to an empty plan, and back to nothing.

use crate::harness::{Account, spec, spec_file};
use auroraml::model::Intent;
use auroraml::plan::Action;
use auroraml::sandbox::random::Mood;
use aws_sdk_rds::Client as Rds;

/// Makes, with plain SDK calls, a cluster that belongs to somebody else.
pub async fn make_foreign_cluster(account: &Account, region: &str, name: &str, members: usize) {
    account.sandbox.with(|world| world.regions.entry(region.into()).or_default().rds.lenient = true);
    let config =
        auroraml::aws::simulated_config(region, account.sandbox.http_client(), &account.sandbox.clock());
    let rds = Rds::new(&config);
    let clock = account.sandbox.clock();
    rds.create_db_cluster()
        .db_cluster_identifier(name)
        .engine("aurora-mysql")
        .master_username("admin")
        .manage_master_user_password(true)
        .send()
        .await
        .unwrap();
    clock.sleep(std::time::Duration::from_secs(600)).await;
    for n in 1..=members {
        rds.create_db_instance()
            .db_instance_identifier(format!("{name}-member-{n}"))
            .db_cluster_identifier(name)
            .engine("aurora-mysql")
            .db_instance_class("db.r6g.large")
            .send()
            .await
            .unwrap();
    }
    clock.sleep(std::time::Duration::from_secs(3600)).await;
    account.sandbox.with(|world| world.regions.entry(region.into()).or_default().rds.lenient = false);
}

#[tokio::test(start_paused = true)]
async fn the_first_article_on_clusters_of_every_size() {
    for members in [1, 2, 4] {
        let spec = spec(&spec_file("existing-cluster.yaml"));
        let account = Account::new(members as u64, Mood::Real);
        make_foreign_cluster(&account, &spec.region, "database-aurora-ml", members).await;
        let plan = account.plan(&spec).await;
        assert_eq!(plan.count(Action::Delete), 0);
        account.apply(&spec).await;
        account.destroy(&spec).await;
        assert_eq!(account.traces(&spec), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_not_there_is_a_preflight_problem() {
    let spec = spec(&spec_file("existing-cluster.yaml"));
    let account = Account::new(1, Mood::Calm);
    let Err(auroraml::run::reconcile::PrepareError::Preflight(problems)) =
        account.prepare(&spec, Intent::Apply).await
    else {
        panic!("a plan for a cluster that is not there");
    };
    assert!(problems[0].why.contains("database-aurora-ml"), "{problems:?}");
    assert_eq!(account.mutations(), 0);
}

/// A cluster that CloudFormation made: a note in the plan, or no plan while CloudFormation is at work.
#[tokio::test(start_paused = true)]
async fn a_cluster_of_a_cloudformation_stack() {
    let spec = spec(&spec_file("existing-cluster.yaml"));
    let account = Account::new(1, Mood::Calm);
    make_foreign_cluster(&account, &spec.region, "database-aurora-ml", 1).await;
    account.sandbox.with(|world| {
        let region = world.regions.get_mut(&spec.region).unwrap();
        region.cloudformation.stacks.insert("platform".into(), "UPDATE_IN_PROGRESS".into());
        region.rds.set_system_tag("database-aurora-ml", "aws:cloudformation:stack-name", "platform");
    });
    let refused = account.prepare(&spec, Intent::Apply).await;
    assert!(matches!(refused, Err(auroraml::run::reconcile::PrepareError::Preflight(_))));
    account.sandbox.with(|world| {
        let region = world.regions.get_mut(&spec.region).unwrap();
        region.cloudformation.stacks.insert("platform".into(), "UPDATE_COMPLETE".into());
    });
    let plan = account.plan(&spec).await;
    assert!(plan.notes[0].contains("platform (UPDATE_COMPLETE)"), "{:?}", plan.notes);
}
