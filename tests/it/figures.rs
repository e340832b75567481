//! The figures that the design promises: how many requests a look costs, how close an apply is to the
//! critical path. Both are exact on the simulated clock, so both are tests.

use crate::harness::{Account, Recorder, spec, spec_file};
use auroraml_core::base::Id;
use auroraml_core::events::Event;
use auroraml_core::model::Intent;
use auroraml_core::plan::Plan;
use auroraml_core::resource::Action;
use auroraml_sandbox::random::Mood;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Milliseconds that one read takes in a calm sandbox: elapsed time divided by it is the number of reads
/// that had to wait for each other.
const READ_MS: u64 = 80;

#[tokio::test(start_paused = true)]
async fn a_look_at_the_production_stack_is_cheap() {
    let spec = spec(&spec_file("production.yaml"));
    let account = Account::new(1, Mood::Calm);
    account.apply(&spec).await;
    let (calls, clock) = (|| account.sandbox.with(|world| world.log.len()), account.sandbox.clock());
    let (calls_before, began) = (calls(), clock.now_ms());
    let plan = account.plan(&spec).await;
    assert!(plan.is_empty());
    let (made, rounds) = (calls() - calls_before, (clock.now_ms() - began).div_ceil(READ_MS));
    println!("no-op plan of production.yaml: {made} API calls, {rounds} sequential round trips");
    account.sandbox.with(|world| {
        for entry in &world.log[calls_before..] {
            println!("  {}:{}", entry.service, entry.operation);
        }
    });
    assert!(made <= 40 && rounds <= 3, "{made} API calls in {rounds} rounds");
}

/// Seconds that AWS takes at the median: fact book, section 8.2.
fn aws_seconds(id: &Id, plan_creates_members: bool) -> f64 {
    match id.kind {
        "cluster" => 45.0,
        "instance" => 420.0,
        "nat_gateway" => 106.0,
        "vpc_endpoint" if id.name != "s3" => 90.0,
        // Until RDS can assume the role, then until the association is active.
        "cluster_role" => 12.0 + 30.0,
        "notebook" => 210.0,
        "endpoint" => 300.0,
        "training_job" => 210.0,
        "parameter_sync" if plan_creates_members => 0.0,
        _ => 0.6,
    }
}

/// The longest chain of steps that wait for each other.
fn critical_path(plan: &Plan) -> (f64, Vec<Id>) {
    let mut ends: BTreeMap<Id, (f64, Vec<Id>)> = BTreeMap::new();
    for step in plan.work() {
        let before =
            step.needs.iter().filter_map(|id| ends.get(id)).max_by(|a, b| a.0.total_cmp(&b.0)).cloned();
        let (start, mut path) = before.unwrap_or_default();
        path.push(step.id.clone());
        ends.insert(step.id.clone(), (start + aws_seconds(&step.id, step.action == Action::Create), path));
    }
    ends.into_values().max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn an_apply_is_as_fast_as_its_critical_path() {
    let spec = spec(&spec_file("churn.yaml"));
    let account = Account::new(1, Mood::Calm);
    let plan = account.plan(&spec).await;
    let (path_seconds, path) = critical_path(&plan);
    let listener = Arc::new(Recorder::default());
    let outcome = account.run(&spec, Intent::Apply, listener.clone()).await;
    assert!(outcome.is_complete(), "{:#?}", outcome.reports);
    let events = listener.0.lock().unwrap();
    let began = events.first().map_or(0, |(at, _)| *at);
    let ended =
        events.iter().rev().find(|(_, e)| matches!(e, Event::Finished { .. })).map_or(0, |(at, _)| *at);
    let makespan = (ended - began) as f64 / 1000.0;
    let names: Vec<String> = path.iter().map(ToString::to_string).collect();
    println!(
        "churn.yaml: makespan {makespan:.0} s, critical path {path_seconds:.0} s ({})",
        names.join(" → ")
    );
    println!("ratio {:.3}", makespan / path_seconds);
    assert!(makespan <= 1.05 * path_seconds, "{makespan} s against {path_seconds} s\n{}", {
        drop(events);
        listener.text()
    });
}
