//! Every example spec: from nothing to an empty plan, and back to nothing.

use crate::harness::{Account, spec, spec_file};
use auroraml_core::model::Intent;
use auroraml_core::resource::Action;
use auroraml_sandbox::random::Mood;
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

/// Names of all example specs.
pub fn spec_files() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir("specs")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    names.sort();
    assert!(names.len() >= 6, "{names:?}");
    names
}

/// In a calm and in a lively world: from nothing to an empty plan, and back to nothing.
#[tokio::test(start_paused = true)]
async fn every_example_comes_and_goes() {
    for name in spec_files() {
        let spec = spec(&spec_file(&name));
        for mood in [Mood::Calm, Mood::Real] {
            let account = Account::new(7, mood);
            if let Some(auroraml_core::spec::Aurora::Existing(existing)) = &spec.aurora {
                make_foreign_cluster(&account, &spec.region, &existing.existing, 2).await;
            }
            account.apply(&spec).await;
            let applied = account.mutations();
            account.destroy(&spec).await;
            println!(
                "{name} ({mood:?}): {applied} mutating calls up, {} down",
                account.mutations() - applied
            );
            let kept: Vec<String> =
                account.traces(&spec).into_iter().filter(|path| !stays(&spec, path)).collect();
            assert_eq!(kept, Vec::<String>::new(), "{name}");
        }
    }
}

/// What a destroy leaves on purpose: a bucket to be kept, a final snapshot, a secret that can still be
/// restored, records of jobs that have ended, and what AWS itself still lists for a while.
pub fn stays(spec: &auroraml_core::spec::Spec, path: &str) -> bool {
    let bucket_kept =
        spec.bucket.as_ref().is_some_and(|b| b.on_destroy == auroraml_core::spec::BucketOnDestroy::Keep);
    (bucket_kept && path.starts_with("global/s3/"))
        || path.contains("/rds/snapshots/")
        || path.contains("/secretsmanager/")
        || path.contains("/nat_gateways/")
        || path.contains("/sagemaker/tags/") && path.contains("-job~1")
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

/// Hundreds of files need a longer script than AWS takes: found before anything is called.
#[test]
fn a_lifecycle_script_that_is_too_long_is_found_beforehand() {
    use auroraml_core::base::names::Place;
    use auroraml_core::engine::Offered;
    use auroraml_core::model::{build, facts::Facts};
    let mut spec = spec(&spec_file("churn.yaml"));
    let place = Place::new(spec.stack.clone(), spec.region.clone(), "111122223333")
        .with(auroraml_core::model::names(&spec));
    let version = "8.0.mysql_aurora.3.10.2".to_string();
    let facts = Facts {
        zones: vec!["us-east-1a".into(), "us-east-1b".into()],
        engine_versions: vec![Offered { version, family: "aurora-mysql8.0".into() }],
        ..Facts::default()
    };
    assert!(build(&spec, &place, &facts, Intent::Apply).is_ok());
    spec.notebook.as_mut().unwrap().files = (0..200).map(|n| format!("notebooks/file-{n}.ipynb")).collect();
    let problems = build(&spec, &place, &facts, Intent::Apply).unwrap_err();
    assert!(problems[0].why.contains("AWS allows 16384"), "{problems:?}");
}
