//! Killed before and after the effect of every mutating request: the next run must finish the job.
//!
//! The world before and after a request is what a run that dies there leaves behind, so one clean run gives
//! every kill point; each is then taken up by a new run in a world of its own.

use crate::bench::{KillPoint, KillPoints, kill_points};
use crate::harness::{Account, Recorder, spec, spec_file};
use crate::lifecycle::{make_foreign_cluster, stays};
use auroraml_core::model::Intent;
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::{Snapshot, World};
use std::sync::Arc;

/// Runs once without a fault and returns the world at every mutating request.
pub async fn record(world: World, spec: &Spec, intent: Intent) -> (Vec<Snapshot>, World) {
    let account = Account::over(world);
    account.sandbox.record();
    let listener = Arc::new(Recorder::default());
    let outcome = account.run(spec, intent, listener.clone()).await;
    assert!(outcome.is_complete(), "{:#?}\n{}", outcome.reports, listener.text());
    (account.sandbox.recorded(), account.sandbox.world())
}

/// Takes up the work at every kill point; returns how many there were.
pub async fn sweep(what: &str, world: World, spec: &Spec, intent: Intent) -> (usize, World) {
    let (snapshots, end) = record(world, spec, intent).await;
    // A request that AWS refuses changes nothing: whoever dies there leaves the same world as before it.
    let all = snapshots.len();
    let is_refused =
        |snapshot: &Snapshot| snapshot.after.log.last().is_some_and(|entry| entry.code.is_some());
    let snapshots: Vec<Snapshot> = snapshots.into_iter().filter(|snapshot| !is_refused(snapshot)).collect();
    let refused = all - snapshots.len();
    let KillPoints { count, kept } = kill_points(snapshots);
    let worlds = kept.len();
    for KillPoint { what: killed, mut world } in kept {
        // A person or a pipeline needs a moment to notice.
        world.now += 1_000;
        let account = Account::over(world);
        let listener = Arc::new(Recorder::default());
        println!("{what}: {killed}");
        let outcome = account.run(spec, intent, listener.clone()).await;
        assert!(outcome.is_complete(), "{what}: {killed}: {:#?}\n{}", outcome.reports, listener.text());
        account.assert_settled(spec, intent).await;
        if intent.destroys() {
            let left: Vec<String> =
                account.traces(spec).into_iter().filter(|path| !stays(spec, path)).collect();
            assert_eq!(left, Vec::<String>::new(), "{what}: {killed}");
        }
        account.assert_single(spec);
    }
    println!("{what}: {count} kill points, {worlds} worlds ({refused} refused requests left out)");
    (count, end)
}

pub const DESTROY: Intent = Intent::Destroy { unprotect: true };

/// A destroy that is killed at every mutating request and then taken back: the next command is an apply. What is on
/// its way out is waited for and made anew. Returns how many kill points there were.
async fn taken_back(what: &str, world: World, spec: &Spec) -> usize {
    let (snapshots, _) = record(world, spec, DESTROY).await;
    let (mut points, mut failed) = (0, Vec::new());
    for (n, snapshot) in snapshots.into_iter().enumerate() {
        if snapshot.after.log.last().is_some_and(|entry| entry.code.is_some()) {
            continue;
        }
        // Soon after, when everything is still on its way, and later.
        for (when, mut world, wait) in
            [("before", snapshot.before, 1_000 + 23_000 * (n as u64 % 7)), ("after", snapshot.after, 1_000)]
        {
            world.now += wait;
            let account = Account::over(world);
            let listener = Arc::new(Recorder::default());
            println!("{what}: killed {when} request {n} ({}), then applied", snapshot.operation);
            let outcome = account.run(spec, Intent::Apply, listener.clone()).await;
            points += 1;
            if !outcome.is_complete() || outcome.reports.len() > 1 {
                let text = format!("{when} request {n} ({}): {:#?}", snapshot.operation, outcome.reports);
                failed.push(format!("{text}\n{}", listener.text()));
                continue;
            }
            account.assert_settled(spec, Intent::Apply).await;
            account.assert_single(spec);
        }
    }
    assert!(failed.is_empty(), "{what}: {} of {points} not in one round: {}", failed.len(), failed[0]);
    println!("{what}: {points} kill points of a destroy that is taken back");
    points
}

#[tokio::test(start_paused = true)]
async fn a_destroy_of_churn_is_taken_back() {
    let spec = spec(&spec_file("churn.yaml"));
    let account = Account::new(5, Mood::Real);
    account.apply(&spec).await;
    let points = taken_back("churn.yaml", account.sandbox.world(), &spec).await;
    assert!(points >= 60, "{points}");
}

#[tokio::test(start_paused = true)]
async fn a_destroy_of_an_existing_cluster_is_taken_back() {
    let spec = spec(&spec_file("existing-cluster.yaml"));
    let account = Account::new(11, Mood::Real);
    make_foreign_cluster(&account, &spec.region, "database-aurora-ml", 2).await;
    account.apply(&spec).await;
    let points = taken_back("existing-cluster.yaml", account.sandbox.world(), &spec).await;
    assert!(points >= 10, "{points}");
}

#[tokio::test(start_paused = true)]
async fn existing_cluster_of_four() {
    let spec = spec(&spec_file("existing-cluster.yaml"));
    let account = Account::new(11, Mood::Real);
    make_foreign_cluster(&account, &spec.region, "database-aurora-ml", 4).await;
    let (created, world) = sweep("apply", account.sandbox.world(), &spec, Intent::Apply).await;
    let (destroyed, _) = sweep("destroy", world, &spec, DESTROY).await;
    assert!(created >= 15 && destroyed >= 15, "{created} and {destroyed} kill points");
}

/// A change that touches most of the stack: a parameter (and so a restart), the endpoint, the notebook, tags.
fn changed(text: &str) -> Spec {
    let pairs = [
        ("comprehend: true", "comprehend: false"),
        ("instance: ml.m5.large", "instance: ml.m5.xlarge"),
        ("instance: ml.t3.medium", "instance: ml.t3.large"),
        ("project: churn", "project: other"),
        ("versioning: true", "versioning: false"),
    ];
    let changed = pairs.iter().fold(text.to_string(), |text, (old, new)| text.replace(old, new));
    assert_ne!(changed, text);
    spec(&changed)
}

async fn whole_life(name: &str) -> usize {
    let text = spec_file(name);
    let account = Account::new(5, Mood::Real);
    let (created, world) =
        sweep(&format!("{name} create"), account.sandbox.world(), &spec(&text), Intent::Apply).await;
    let changed = changed(&text);
    let (updated, world) = sweep(&format!("{name} change"), world, &changed, Intent::Apply).await;
    let (destroyed, _) = sweep(&format!("{name} destroy"), world, &changed, DESTROY).await;
    created + updated + destroyed
}

#[tokio::test(start_paused = true)]
async fn churn() {
    let points = whole_life("churn.yaml").await;
    println!("churn.yaml: {points} kill points");
    assert!(points >= 250, "{points}");
}

#[tokio::test(start_paused = true)]
async fn production() {
    let points = whole_life("production.yaml").await;
    println!("production.yaml: {points} kill points");
    assert!(points >= 250, "{points}");
}
