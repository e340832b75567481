//! Another model behind the same endpoint: another job, another model and configuration, and the old ones afterwards.

use crate::bench::{KillPoint, KillPoints, kill_points};
use crate::crash::record;
use crate::harness::{Account, Recorder};
use crate::training::{REGION, invoke, jobs, one, run, scores, with_rows};
use auroraml_core::model::Intent;
use auroraml_sandbox::World;
use auroraml_sandbox::random::Mood;
use std::sync::Arc;
use std::time::Duration;

/// Names of the models and configurations that there are.
fn deployed(world: &World) -> (Vec<String>, Vec<String>) {
    let sagemaker = &world.regions[REGION].sagemaker;
    (sagemaker.models.keys().cloned().collect(), sagemaker.endpoint_configs.keys().cloned().collect())
}

#[tokio::test(start_paused = true)]
async fn the_endpoint_answers_all_the_while() {
    let account = with_rows(1, Mood::Real).await;
    account.apply(&one("")).await;
    let (models, configs) = deployed(&account.sandbox.world());
    let before = scores(&account, "churn", "100,9\n").await;
    let changed = one(", eta: 0.9");
    // Whoever asks meanwhile is answered, by one model or the other.
    let asking = async {
        loop {
            account.sandbox.clock().sleep(Duration::from_secs(20)).await;
            scores(&account, "churn", "100,9\n").await;
        }
    };
    tokio::select! {
        _ = account.apply(&changed) => {}
        () = asking => {}
    }
    let after = scores(&account, "churn", "100,9\n").await;
    assert_ne!(before, after, "the new model answers");
    let world = account.sandbox.world();
    let (new_models, new_configs) = deployed(&world);
    assert_eq!((new_models.len(), new_configs.len()), (1, 1), "the old ones are gone");
    assert!(new_models != models && new_configs != configs);
    assert_eq!(jobs(&world), [2, 0, 0]);
    // Back again: what was trained before is not trained anew.
    account.apply(&one("")).await;
    assert_eq!(scores(&account, "churn", "100,9\n").await, before);
    let world = account.sandbox.world();
    assert_eq!(jobs(&world), [2, 0, 0]);
    assert_eq!(deployed(&world), (models, configs));
}

/// A new model that does not come up: the endpoint serves the old one, the run says why, and the old one stays until
/// an update succeeds.
#[tokio::test(start_paused = true)]
async fn a_swap_that_is_rolled_back() {
    let account = with_rows(1, Mood::Calm).await;
    account.apply(&one("")).await;
    let before = scores(&account, "churn", "100,9\n").await;
    let mut changed = one("");
    let model = changed.endpoints.get_mut("churn").unwrap().model.as_mut().unwrap();
    model.training.as_mut().unwrap().image = "xgboost:1.5-1".into();
    let image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.5-1";
    let failing = |fails: bool| {
        account.sandbox.with(|world| {
            let images = &mut world.regions.get_mut(REGION).unwrap().sagemaker.failing_images;
            if fails { images.insert(image.into()) } else { images.remove(image) }
        })
    };
    failing(true);
    let (outcome, _) = run(&account, &changed).await;
    let failed = &outcome.reports.last().unwrap().failed;
    assert_eq!(failed.len(), 1, "{failed:?}");
    let text = failed[0].1.to_string();
    assert!(
        text.contains(
            "AWS rolled the endpoint's last update back: The primary container for production variant \
                       AllTraffic did not pass the ping health check."
        ),
        "{text}"
    );
    assert_eq!(scores(&account, "churn", "100,9\n").await, before, "the old model serves");
    let (models, configs) = deployed(&account.sandbox.world());
    assert_eq!((models.len(), configs.len()), (2, 2), "what serves is not deleted");
    // Once the cause is gone the next run needs no other job.
    failing(false);
    account.apply(&changed).await;
    assert_eq!(jobs(&account.sandbox.world()), [2, 0, 0]);
    let (models, configs) = deployed(&account.sandbox.world());
    assert_eq!((models.len(), configs.len()), (1, 1));
}

/// Killed before and after every mutating request of a create, a swap and a destroy.
#[tokio::test(start_paused = true)]
async fn killed_anywhere_it_resumes_and_no_job_runs_twice() {
    let account = with_rows(5, Mood::Real).await;
    let (first, second) = (one(""), one(", eta: 0.9"));
    let mut world = account.sandbox.world();
    let mut points = 0;
    let destroy = Intent::Destroy { unprotect: true };
    for (what, spec, intent, most) in [
        ("create", &first, Intent::Apply, 1),
        ("swap", &second, Intent::Apply, 2),
        ("destroy", &second, destroy, 2),
    ] {
        let (mut snapshots, end) = record(world, spec, intent).await;
        snapshots.retain(|snapshot| snapshot.after.log.last().is_none_or(|entry| entry.code.is_none()));
        let KillPoints { count, kept } = kill_points(snapshots);
        points += count;
        for KillPoint { what: killed, mut world } in kept {
            world.now += 1_000;
            let account = Account::over(world);
            let listener = Arc::new(Recorder::default());
            let outcome = account.run(spec, intent, listener.clone()).await;
            assert!(outcome.is_complete(), "{what}: {killed}: {:#?}\n{}", outcome.reports, listener.text());
            account.assert_settled(spec, intent).await;
            account.assert_single(spec);
            let started = jobs(&account.sandbox.world())[0];
            assert_eq!(started, most, "{what}: {killed}: jobs started\n{}", listener.text());
            if intent == Intent::Apply {
                assert_eq!(invoke(&account, "churn", "100,9\n").await.0, 200, "{what}: {killed}");
            }
        }
        world = end;
    }
    println!("{points} kill points");
    assert!(points >= 50, "{points}");
}

/// The same for the other jobs, around the requests that start them.
#[tokio::test(start_paused = true)]
async fn no_tuning_and_no_autopilot_job_runs_twice() {
    let spec = crate::harness::spec(&std::fs::read_to_string("tests/data/trained.yaml").unwrap());
    let account = with_rows(6, Mood::Real).await;
    let (mut snapshots, _) = record(account.sandbox.world(), &spec, Intent::Apply).await;
    snapshots.retain(|snapshot| {
        ["CreateTrainingJob", "CreateHyperParameterTuningJob", "CreateAutoMLJobV2", "CreateModel"]
            .iter()
            .any(|operation| snapshot.operation.ends_with(operation))
            && snapshot.after.log.last().is_none_or(|entry| entry.code.is_none())
    });
    assert!(snapshots.len() >= 7, "{}", snapshots.len());
    for snapshot in snapshots {
        for (when, mut world) in [("before", snapshot.before), ("after", snapshot.after)] {
            world.now += 1_000;
            let account = Account::over(world);
            let (outcome, listener) = run(&account, &spec).await;
            let what = format!("killed {when} {}\n{}", snapshot.operation, listener.text());
            assert!(outcome.is_complete(), "{:#?} {what}", outcome.reports);
            account.assert_settled(&spec, Intent::Apply).await;
            assert_eq!(jobs(&account.sandbox.world()), [1, 1, 1], "{what}");
        }
    }
}

/// Half of all answers to changes are lost: nobody knows whether the job was started, and it is started once.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_starts_no_second_job() {
    for seed in 1..=8 {
        let account = with_rows(seed, Mood::Calm).await;
        let mut faults = auroraml_sandbox::faults::Faults::seeded(seed);
        faults.reset_after = 0.5;
        account.sandbox.set_faults(faults);
        let (outcome, listener) = run(&account, &one("")).await;
        assert!(outcome.is_complete(), "seed {seed}: {:#?}\n{}", outcome.reports, listener.text());
        assert_eq!(jobs(&account.sandbox.world()), [1, 0, 0], "seed {seed}");
    }
}
