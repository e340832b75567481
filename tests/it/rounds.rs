//! Rounds of look, plan and execution: when another follows, when the last look waits, and when nothing is done at all.

use crate::harness::{Account, Recorder, spec, spec_file};
use auroraml::run::reconcile::{Outcome, prepare, reconcile};
use auroraml_core::model::Intent;
use auroraml_core::resource::Action;
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::{Snapshot, World};
use std::sync::Arc;
use std::time::Duration;

/// Plans and carries out, whatever the plan is; the order to stop comes after so many seconds. With the seconds that it
/// took from the plan on.
async fn run(account: &Account, spec: &Spec, stops: u64) -> (Outcome, f64, String) {
    let stack = account.connect(spec).await;
    let prepared = prepare(&stack, Intent::Apply).await.unwrap();
    let (clock, recorder) = (account.sandbox.clock(), Arc::new(Recorder::default()));
    let (began, (order, stop)) = (clock.now_ms(), tokio::sync::watch::channel(false));
    let person = async {
        clock.sleep(Duration::from_secs(stops)).await;
        order.send(true).unwrap();
        std::future::pending::<()>().await;
    };
    let outcome = tokio::select! {
        outcome = reconcile(&stack, Intent::Apply, prepared, stop, recorder.clone()) => outcome.unwrap(),
        () = person => unreachable!(),
    };
    let seconds = (clock.now_ms() - began) as f64 / 1000.0;
    let text = recorder.text();
    (outcome, seconds, text)
}

const NEVER: u64 = 1_000_000;

#[tokio::test(start_paused = true)]
async fn a_blocked_plan_is_not_carried_out_in_part() {
    let text = spec_file("minimal.yaml");
    let account = Account::new(1, Mood::Instant);
    account.apply(&spec(&text)).await;
    // A tag could be changed, and a network's addresses cannot.
    let blocked = text.replace("cidr: 10.0.0.0/24", "cidr: 10.0.0.0/23");
    let blocked = blocked.replace("\naurora:", "\ntags: { team: data }\naurora:");
    let before = account.mutations();
    let (outcome, _, told) = run(&account, &spec(&blocked), NEVER).await;
    assert!(
        !outcome.remaining.blocked.is_empty() && !outcome.remaining.is_empty(),
        "{:?}",
        outcome.remaining
    );
    assert!(outcome.reports.is_empty(), "{told}");
    assert_eq!(account.mutations(), before);
}

/// A run was killed: what it made may show only after a minute, so the next one's last look waits for that. A run that
/// nothing came before does not wait, nor does one that is told to stop.
#[tokio::test(start_paused = true)]
async fn the_last_look_waits_for_what_a_killed_run_may_have_made() {
    const WAITS: &str = "waiting a moment for AWS's listings";
    let spec = spec(&spec_file("minimal.yaml"));
    let account = Account::new(1, Mood::Instant);
    account.sandbox.record();
    let (outcome, seconds, told) = run(&account, &spec, NEVER).await;
    assert!(outcome.is_complete() && seconds < 20.0 && !told.contains(WAITS), "{seconds} s\n{told}");
    assert!(!told.contains("going on"), "there is no other round\n{told}");
    let points = account.sandbox.recorded();
    let killed = points.into_iter().find(|point| point.operation.ends_with("CreateVpc")).unwrap();
    let Snapshot { before, .. } = killed;
    let (outcome, seconds, told) = run(&Account::over(before.clone()), &spec, NEVER).await;
    assert!(outcome.is_complete() && told.contains(WAITS), "{told}");
    assert!((65.0..66.0).contains(&seconds), "{seconds} s\n{told}");
    // Somebody does not want to wait, and is told what is left.
    let (outcome, seconds, told) = run(&Account::over(before), &spec, 30).await;
    assert!(outcome.is_complete() && seconds < 31.0, "{seconds} s\n{told}");
    // Nothing is left to do: nothing is waited for.
    let (outcome, seconds, told) = run(&account, &spec, NEVER).await;
    assert!(outcome.is_complete() && outcome.reports.is_empty() && seconds < 1.0, "{seconds} s\n{told}");
}

/// The same world, in which the subnet of this range has another id and shows only after so many seconds.
fn hidden(world: &World, range: &str, id: &str, seconds: u64) -> World {
    let mut value = serde_json::to_value(world).unwrap();
    let subnets = value["regions"]["us-east-1"]["ec2"]["subnets"].as_object_mut().unwrap();
    let (old, subnet) = subnets.iter_mut().find(|(_, subnet)| subnet["cidr"] == range).unwrap();
    let old = old.clone();
    assert!(subnet["record"]["visible_at"].is_u64(), "{subnet}");
    subnet["record"]["visible_at"] = (world.now + seconds * 1_000).into();
    serde_json::from_str(&value.to_string().replace(&old, id)).unwrap()
}

/// A run was killed when it had just made a subnet, which shows late. Whatever is commanded next, nothing is made twice,
/// and what the spec no longer has goes with the next plan.
#[tokio::test(start_paused = true)]
async fn a_subnet_that_a_killed_run_has_made() {
    let text = spec_file("minimal.yaml");
    let with = |range: &str| text.replace("10.0.0.64/26]", &format!("10.0.0.64/26, {range}]"));
    let (larger, other) = (with("10.0.0.128/26"), with("10.0.0.192/26"));
    let account = Account::new(1, Mood::Calm);
    account.apply(&spec(&text)).await;
    account.sandbox.record();
    account.apply(&spec(&larger)).await;
    let points = account.sandbox.recorded();
    let killed = points.into_iter().find(|point| point.operation.ends_with("CreateSubnet")).unwrap().after;
    // Before and behind every other one.
    for (id, seconds) in [("subnet-00000000000000000", 5), ("subnet-fffffffffffffffff", 45)] {
        let world = || hidden(&killed, "10.0.0.128/26", id, seconds);
        for (next, gone) in [(&larger, 0), (&other, 1), (&text, 1)] {
            let (account, next) = (Account::over(world()), spec(next));
            let recorder = Arc::new(Recorder::default());
            let outcome = account.run(&next, Intent::Apply, recorder.clone()).await;
            assert!(outcome.is_complete(), "{:#?}\n{}", outcome.reports, recorder.text());
            account.sandbox.clock().sleep(Duration::from_secs(60)).await;
            let plan = account.plan(&next).await;
            let deletes: Vec<_> = plan.work().map(|step| (step.id.kind, step.action)).collect();
            assert_eq!(deletes, vec![("subnet", Action::Delete); gone], "{id}: {:?}", plan.blocked);
            assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
            account.apply(&next).await;
            account.assert_single(&next);
        }
        // Nor does a destroy wait for an hour for what it could not know of.
        for next in [&larger, &text] {
            let (account, next) = (Account::over(world()), spec(next));
            let began = account.sandbox.clock().now_ms();
            account.destroy(&next).await;
            assert_eq!(account.traces(&next), Vec::<String>::new());
            let minutes = (account.sandbox.clock().now_ms() - began) / 60_000;
            assert!(minutes < 30, "{minutes} minutes");
        }
    }
}
