//! Faults drawn from seeds: throttling, lost answers, broken connections, server errors. However often a run
//! fails, running it again gets there, and nothing is made twice.

use crate::harness::{Account, Recorder, spec, spec_file};
use crate::lifecycle::{make_foreign_cluster, stays};
use auroraml_core::model::Intent;
use auroraml_core::spec::Spec;
use auroraml_sandbox::World;
use auroraml_sandbox::faults::Faults;
use auroraml_sandbox::random::Mood;
use std::sync::Arc;

/// Runs that may fail before one must succeed.
const RUNS_MAX: usize = 12;

fn faults(seed: u64) -> Faults {
    let mut faults = Faults::seeded(seed);
    (faults.throttle, faults.server_error) = (0.05, 0.02);
    (faults.reset_before, faults.reset_after) = (0.02, 0.03);
    faults
}

/// Brings the world to what `spec` says under `intent` in spite of faults, which are made from the seed of each run.
pub async fn struggle(
    world: World,
    spec: &Spec,
    intent: Intent,
    seed: u64,
    faults: impl Fn(u64) -> Faults,
) -> World {
    let account = Account::over(world);
    for run in 0..RUNS_MAX {
        account.sandbox.set_faults(faults(seed * 100 + run as u64));
        let aws = account.try_connect(spec).await;
        let listener = Arc::new(Recorder::default());
        let (_keep, stop) = tokio::sync::watch::channel(false);
        let complete = match aws {
            Err(_) => false,
            Ok(stack) => match auroraml::run::reconcile::prepare(&stack, intent).await {
                Err(_) => false,
                Ok(prepared) => {
                    let outcome =
                        auroraml::run::reconcile::reconcile(&stack, intent, prepared, stop, listener).await;
                    outcome.is_ok_and(|outcome| outcome.is_complete())
                }
            },
        };
        if complete {
            account.sandbox.set_faults(Faults::default());
            account.assert_settled(spec, intent).await;
            return account.sandbox.world();
        }
    }
    panic!("seed {seed}: not there after {RUNS_MAX} runs");
}

#[tokio::test(start_paused = true)]
async fn an_existing_cluster_in_spite_of_faults() {
    let spec = spec(&spec_file("existing-cluster.yaml"));
    for seed in 0..20 {
        let account = Account::new(seed, Mood::Real);
        make_foreign_cluster(&account, &spec.region, "database-aurora-ml", 2).await;
        let world = struggle(account.sandbox.world(), &spec, Intent::Apply, seed, faults).await;
        let world = struggle(world, &spec, Intent::Destroy { unprotect: false }, seed, faults).await;
        assert_eq!(Account::over(world).traces(&spec), Vec::<String>::new(), "seed {seed}");
    }
}

/// The smallest whole stack: what EC2 creates without a token is there once, however often an answer is lost.
#[tokio::test(start_paused = true)]
async fn a_whole_stack_in_spite_of_faults() {
    let spec = spec(&spec_file("minimal.yaml"));
    for seed in 0..12 {
        let world = World::new(seed, Mood::Real);
        let world = struggle(world, &spec, Intent::Apply, seed, faults).await;
        Account::over(world.clone()).assert_single(&spec);
        let world = struggle(world, &spec, Intent::Destroy { unprotect: true }, seed, faults).await;
        let left: Vec<String> =
            Account::over(world).traces(&spec).into_iter().filter(|path| !stays(&spec, path)).collect();
        assert_eq!(left, Vec::<String>::new(), "seed {seed}");
    }
}

/// The same seeds give the same requests, at the same times, with the same answers.
#[tokio::test(start_paused = true)]
async fn a_seed_replays() {
    let spec = spec(&spec_file("minimal.yaml"));
    let mut logs = Vec::new();
    for _ in 0..2 {
        let account = Account::new(3, Mood::Real);
        account.sandbox.set_faults(faults(3));
        let stack = account.connect(&spec).await;
        let prepared = auroraml::run::reconcile::prepare(&stack, Intent::Apply).await;
        if let Ok(prepared) = prepared {
            let (_keep, stop) = tokio::sync::watch::channel(false);
            let listener = Arc::new(Recorder::default());
            let outcome =
                auroraml::run::reconcile::reconcile(&stack, Intent::Apply, prepared, stop, listener).await;
            drop(outcome);
        }
        logs.push(account.sandbox.world().log);
    }
    assert!(logs[0].len() > 100, "{} requests", logs[0].len());
    assert_eq!(logs[0], logs[1]);
}
