//! `pause` and `resume`: what bills by the hour stops, stays stopped, and comes back.

use crate::crash::sweep;
use crate::harness::{Account, Recorder, spec, spec_file};
use auroraml::run::reconcile::PrepareError;
use auroraml_core::base::Id;
use auroraml_core::members::Impact;
use auroraml_core::model::Intent;
use auroraml_core::resource::Action;
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use serde_json::Value;
use std::sync::Arc;

const PAUSE: Intent = Intent::Pause { nat: false };
const WITH_NAT: Intent = Intent::Pause { nat: true };

/// What the sandbox keeps of a service in the spec's region.
fn world(account: &Account, spec: &Spec, service: &str) -> Value {
    let world = account.sandbox.world().without_contents();
    serde_json::to_value(world.regions.get(&spec.region)).unwrap()[service].take()
}

/// What the sandbox says of a stack that bills by the hour: cluster, members, notebook, endpoints, gateways.
fn running(account: &Account, spec: &Spec) -> Vec<String> {
    let now = account.sandbox.with(|world| world.now);
    let mut found = Vec::new();
    let rds = world(account, spec, "rds");
    for kind in ["clusters", "instances"] {
        for (id, object) in rds[kind].as_object().into_iter().flatten() {
            if object["timeline"]["base"] != "stopped" {
                found.push(format!("{kind} {id}"));
            }
        }
    }
    let sagemaker = world(account, spec, "sagemaker");
    for (name, _) in sagemaker["endpoints"].as_object().into_iter().flatten() {
        found.push(format!("endpoint {name}"));
    }
    let ec2 = world(account, spec, "ec2");
    for (id, gateway) in ec2["nat_gateways"].as_object().into_iter().flatten() {
        if !gateway.to_string().contains("deleted_at") && gateway["state"] != "deleted" {
            found.push(format!("nat {id} at {now}"));
        }
    }
    found
}

async fn carry_out(account: &Account, spec: &Spec, intent: Intent) -> Arc<Recorder> {
    let listener = Arc::new(Recorder::default());
    let outcome = account.run(spec, intent, listener.clone()).await;
    assert!(outcome.is_complete(), "{:#?}\n{}", outcome.reports, listener.text());
    account.assert_settled(spec, intent).await;
    listener
}

#[tokio::test(start_paused = true)]
async fn a_stack_is_paused_and_comes_back_as_it_was() {
    for (name, intent) in [("churn.yaml", PAUSE), ("churn.yaml", WITH_NAT), ("production.yaml", WITH_NAT)] {
        for mood in [Mood::Calm, Mood::Real] {
            let spec = spec(&spec_file(name));
            let account = Account::new(3, mood);
            account.apply(&spec).await;
            let before = account.prepare(&spec, Intent::Apply).await.unwrap().observed;
            let plan = account.prepare(&spec, intent).await.unwrap().plan;
            assert_eq!(plan.count(Action::Create), 0, "{:?}", plan.steps);
            let worst = plan.interruptions().map(|interruption| interruption.impact).max();
            assert_eq!(worst, Some(Impact::Restart), "everybody is interrupted, and the plan says so");
            carry_out(&account, &spec, intent).await;
            let prepared = account.prepare(&spec, Intent::Apply).await.unwrap();
            let cluster = &prepared.observed[&Id::new("cluster", "main")];
            assert_eq!(cluster.props["running"], false, "{name}");
            assert!(cluster.output("starts_at").is_some(), "when AWS starts it is told");
            assert!(prepared.observed.keys().all(|id| id.kind != "endpoint"), "endpoints bill by the hour");
            let gateways = prepared.observed.keys().filter(|id| id.kind == "nat_gateway").count();
            assert_eq!(gateways == 0, intent == WITH_NAT, "{name}");
            let notes = prepared.plan.notes.join("\n");
            assert!(notes.contains("the stack is paused"), "{notes}");
            // Tasks and rows are not made again.
            assert_eq!(prepared.plan.count(Action::Run), 0, "{:?}", prepared.plan.steps);
            let jobs = |account: &Account| {
                account.sandbox.with(|world| {
                    let starts = |operation: &str| {
                        operation.starts_with("CreateTrainingJob")
                            || operation.starts_with("CreateHyperParameterTuningJob")
                            || operation.starts_with("CreateAutoMLJob")
                    };
                    world.log.iter().filter(|entry| starts(&entry.operation)).count()
                })
            };
            let ran = jobs(&account);
            account.apply(&spec).await;
            assert_eq!(jobs(&account), ran, "{name}: a job was run again");
            let after = account.prepare(&spec, Intent::Apply).await.unwrap().observed;
            assert_eq!(
                before.keys().collect::<Vec<_>>(),
                after.keys().collect::<Vec<_>>(),
                "{name}: something is missing, or new"
            );
            account.destroy(&spec).await;
        }
    }
}

/// A cluster that AWS has started by itself is stopped by the next pause; between, a pause has nothing to do.
#[tokio::test(start_paused = true)]
async fn what_aws_starts_after_seven_days_is_stopped_again() {
    let spec = spec(&spec_file("churn.yaml"));
    let account = Account::new(1, Mood::Real);
    account.apply(&spec).await;
    carry_out(&account, &spec, PAUSE).await;
    let stops = |account: &Account| {
        account.sandbox.with(|world| world.log.iter().filter(|e| e.operation == "StopDBCluster").count())
    };
    let before = stops(&account);
    for _ in 0..2 {
        account.sandbox.clock().sleep(std::time::Duration::from_secs(6 * 86_400)).await;
        let mutations = account.mutations();
        carry_out(&account, &spec, PAUSE).await;
        assert_eq!(account.mutations(), mutations, "six days: nothing to do");
        account.sandbox.clock().sleep(std::time::Duration::from_secs(86_400 + 7_200)).await;
        let observed = account.prepare(&spec, PAUSE).await.unwrap().observed;
        assert_eq!(observed[&Id::new("cluster", "main")].props["running"], true, "AWS has started it");
        carry_out(&account, &spec, PAUSE).await;
    }
    assert_eq!(stops(&account), before + 2);
    account.apply(&spec).await;
    account.destroy(&spec).await;
}

/// A stopped cluster cannot be changed: apply starts it first, and what changes then is announced.
#[tokio::test(start_paused = true)]
async fn a_changed_spec_starts_the_cluster_first() {
    let text = spec_file("churn.yaml");
    let account = Account::new(2, Mood::Real);
    account.apply(&spec(&text)).await;
    carry_out(&account, &spec(&text), PAUSE).await;
    let changed = spec(&text.replace("comprehend: true", "comprehend: false"));
    account.apply(&changed).await;
    let log = account.sandbox.with(|world| world.log.clone());
    let refused: Vec<_> = log
        .iter()
        .filter(|entry| entry.code.as_deref() == Some("InvalidDBClusterStateFault"))
        .map(|entry| &entry.operation)
        .collect();
    assert!(refused.is_empty(), "asked of a stopped cluster: {refused:?}");
    account.destroy(&changed).await;
}

/// A stopped cluster is destroyed, too: it is started, because AWS deletes no stopped one.
#[tokio::test(start_paused = true)]
async fn a_paused_stack_is_destroyed() {
    for intent in [PAUSE, WITH_NAT] {
        let spec = spec(&spec_file("churn.yaml"));
        let account = Account::new(6, Mood::Real);
        account.apply(&spec).await;
        carry_out(&account, &spec, intent).await;
        account.destroy(&spec).await;
        assert_eq!(running(&account, &spec), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_of_others_is_left_running() {
    let spec = spec(&spec_file("existing-cluster.yaml"));
    let account = Account::new(1, Mood::Calm);
    crate::lifecycle::make_foreign_cluster(&account, &spec.region, "database-aurora-ml", 2).await;
    account.apply(&spec).await;
    let plan = account.prepare(&spec, PAUSE).await.unwrap().plan;
    assert!(plan.is_empty(), "{:?}", plan.steps);
    assert!(plan.notes.iter().any(|note| note.contains("is not stopped")), "{:?}", plan.notes);
}

#[tokio::test(start_paused = true)]
async fn a_member_of_a_global_database_cannot_be_stopped() {
    let spec = spec(&spec_file("production.yaml"));
    let account = Account::new(1, Mood::Calm);
    account.apply(&spec).await;
    let config = auroraml::aws::simulated_config(
        &spec.region,
        account.sandbox.http_client(),
        &account.sandbox.clock(),
    );
    let rds = aws_sdk_rds::Client::new(&config);
    let arn = format!("arn:aws:rds:{}:{}:cluster:{}", spec.region, "111122223333", spec.stack);
    let made = rds.create_global_cluster().global_cluster_identifier("worldwide");
    made.source_db_cluster_identifier(arn).send().await.unwrap();
    account.sandbox.clock().sleep(std::time::Duration::from_secs(3600)).await;
    let before = account.mutations();
    let Err(PrepareError::Preflight(problems)) = account.prepare(&spec, PAUSE).await else {
        panic!("a plan for what AWS refuses");
    };
    assert!(problems[0].why.contains("worldwide"), "{problems:?}");
    assert_eq!(account.mutations(), before);
}

/// Killed before and after every mutating request of a pause, and of the apply that brings the stack back.
#[tokio::test(start_paused = true)]
async fn a_pause_and_a_resume_are_killed_everywhere() {
    let spec = spec(&spec_file("churn.yaml"));
    let account = Account::new(5, Mood::Real);
    account.apply(&spec).await;
    let (paused, world) = sweep("pause", account.sandbox.world(), &spec, WITH_NAT).await;
    let (resumed, _) = sweep("resume", world, &spec, Intent::Apply).await;
    println!("churn.yaml: {paused} kill points of a pause, {resumed} of a resume");
    assert!(paused >= 10 && resumed >= 8, "{paused} and {resumed} kill points");
}
