//! Whether a plan says of the time what runs take in the sandbox, whose durations are those of the fact book.

use crate::harness::{Account, Recorder, spec, spec_file};
use crate::lifecycle::make_foreign_cluster;
use auroraml_core::model::Intent;
use auroraml_core::plan::estimate;
use auroraml_sandbox::random::Mood;
use std::sync::Arc;
use std::time::Duration;

/// Runs of each spec, each with other durations.
const SEEDS: u64 = 7;
/// How far what is told as usual may be from the median of the runs.
const USUALLY: f64 = 1.6;
/// How far the worst of ten may be from the longest of the runs: few draws from a long tail.
const AT_WORST: f64 = 2.2;

const DESTROY: Intent = Intent::Destroy { unprotect: true };

/// Every spec of the `specs` folder.
fn examples() -> Vec<String> {
    let files = std::fs::read_dir("specs").unwrap().map(|file| file.unwrap().path());
    let specs = files.filter(|path| path.extension().is_some_and(|end| end == "yaml"));
    let mut names: Vec<String> =
        specs.map(|path| path.file_stem().unwrap().to_str().unwrap().to_string()).collect();
    names.sort();
    assert!(names.len() > 8, "{names:?}");
    names
}

/// For each example: what its plan says of apply and destroy beside what runs take.
#[tokio::test(start_paused = true)]
async fn the_time_of_a_plan_is_what_runs_take() {
    let (mut wrong, mut runs, mut longer) = (Vec::new(), 0, 0);
    for name in examples() {
        if std::env::var_os("EVENTS").is_some_and(|of| of != *name) {
            continue;
        }
        let spec = spec(&spec_file(&format!("{name}.yaml")));
        let (mut told, mut took) = ([None, None], [Vec::new(), Vec::new()]);
        for seed in 1..=SEEDS {
            let account = Account::new(seed, Mood::Real);
            if name == "existing-cluster" {
                make_foreign_cluster(&account, &spec.region, "database-aurora-ml", 2).await;
            }
            for (n, intent) in [Intent::Apply, DESTROY].into_iter().enumerate() {
                let plan = account.prepare(&spec, intent).await.unwrap().plan;
                told[n] = estimate(&plan);
                let clock = account.sandbox.clock();
                let began = clock.now_ms();
                let listener = Arc::new(Recorder::default());
                let outcome = account.run(&spec, intent, listener.clone()).await;
                assert!(outcome.is_complete(), "{name}: {:#?}", outcome.reports);
                // To see where the time goes.
                if std::env::var_os("EVENTS").is_some_and(|of| of == *name) {
                    println!("{name}, {intent:?}, seed {seed}:\n{}", listener.text());
                }
                took[n].push((clock.now_ms() - began) / 1_000);
                // Nobody destroys within seconds what a failover has just been made for: that would wait for it first.
                clock.sleep(Duration::from_secs(3_600)).await;
            }
        }
        for ((what, told), mut took) in ["apply", "destroy"].into_iter().zip(told).zip(took) {
            let told = told.unwrap();
            took.sort_unstable();
            let (middle, longest) = (took[took.len() / 2], took[took.len() - 1]);
            println!(
                "{name} {what}: told usually {} s, 1 in 10 over {} s; took {middle} s, at most {longest} s: {took:?}",
                told.usually, told.at_worst
            );
            for (told, took, within) in [(told.usually, middle, USUALLY), (told.at_worst, longest, AT_WORST)]
            {
                let factor = told as f64 / took as f64;
                if !(1.0 / within..=within).contains(&factor) {
                    wrong.push(format!("{name} {what}: told {told} s, took {took} s"));
                }
            }
            runs += took.len();
            longer += took.iter().filter(|took| **took > told.at_worst).count();
        }
    }
    println!("{longer} of {runs} runs took longer than what is told of one in ten");
    assert!(wrong.is_empty(), "{wrong:#?}");
    let is_whole = std::env::var_os("EVENTS").is_none();
    assert!(!is_whole || longer > 0 && longer * 5 <= runs, "{longer} of {runs}: one in ten was told");
}
