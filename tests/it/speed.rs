//! Waiting that is not AWS's: what auroraml takes where AWS takes no time at all, and where members restart, beside
//! what AWS itself takes.

use crate::harness::{Account, Recorder, hosting, spec, spec_file};
use auroraml_clock::Clock;
use auroraml_core::model::Intent;
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use std::sync::Arc;
use std::time::Duration;

/// The seconds of the clock that a whole run takes, from the first look until the last.
async fn seconds(account: &Account, what: &str, spec: &Spec, intent: Intent) -> f64 {
    let (clock, listener) = (account.sandbox.clock(), Arc::new(Recorder::default()));
    let began = clock.now_ms();
    let outcome = account.run(spec, intent, listener.clone()).await;
    let seconds = (clock.now_ms() - began) as f64 / 1000.0;
    assert!(outcome.is_complete(), "{what}: {:#?}\n{}", outcome.reports, listener.text());
    if std::env::var_os("EVENTS").is_some() {
        println!("{}", listener.text());
    }
    println!("{what}: {seconds:.1} s");
    account.assert_settled(spec, intent).await;
    seconds
}

const DESTROY: Intent = Intent::Destroy { unprotect: true };

/// An emulator that answers at once: nothing is late, so there is next to nothing to wait for.
#[tokio::test(start_paused = true)]
async fn where_everything_is_instant() {
    let account = Account::new(1, Mood::Instant);
    let whole = seconds(&account, "create churn.yaml", &spec(&spec_file("churn.yaml")), Intent::Apply).await;
    assert!(whole <= 30.0, "with rows, a training job and functions {whole} s");
    let (account, text) = (Account::new(1, Mood::Instant), hosting());
    let create =
        seconds(&account, "create churn.yaml with a model that is there", &spec(&text), Intent::Apply).await;
    let tagged = text.replace("tags: { project: churn }", "tags: { project: churn, team: data }");
    let tag = seconds(&account, "one tag", &spec(&tagged), Intent::Apply).await;
    let tuned = tagged.replace("utf8mb4 }", "utf8mb4, max_connections: 400 }");
    let dynamic = seconds(&account, "a dynamic parameter", &spec(&tuned), Intent::Apply).await;
    let larger = tuned.replace("10.192.21.0/24]", "10.192.21.0/24, 10.192.22.0/24]");
    assert_ne!(larger, tuned);
    let subnet = seconds(&account, "one subnet", &spec(&larger), Intent::Apply).await;
    let destroy = seconds(&account, "destroy", &spec(&larger), DESTROY).await;
    // The Data API of a cluster that is there: what else the request begins may show later.
    let account = Account::new(1, Mood::Instant);
    let silent = text.replace("data_api: true", "data_api: false");
    assert_ne!(silent, text);
    seconds(&account, "create without the Data API", &spec(&silent), Intent::Apply).await;
    let switched = seconds(&account, "the Data API", &spec(&text), Intent::Apply).await;

    let text = spec_file("production.yaml");
    let two = text.replace("    - { class: db.r6g.large, promotion_tier: 15 }   # for reports\n", "");
    assert_ne!(two, text);
    let account = Account::new(1, Mood::Instant);
    seconds(&account, "create production.yaml with two members", &spec(&two), Intent::Apply).await;
    let changed = two.replace("server_audit_logging: 1", "server_audit_logging: 1\n    binlog_format: ROW");
    let fixed = seconds(&account, "a static parameter on two members", &spec(&changed), Intent::Apply).await;
    seconds(&account, "destroy", &spec(&changed), DESTROY).await;
    assert!(create <= 15.0 && destroy <= 15.0, "create {create} s, destroy {destroy} s");
    assert!(tag <= 8.0, "one tag {tag} s");
    // Whether all members are in-sync is looked at again, as after a dynamic parameter.
    assert!(subnet <= 8.0 && switched <= 30.0, "one subnet {subnet} s, the Data API {switched} s");
    assert!(dynamic <= 15.0, "a dynamic parameter {dynamic} s");
    assert!(fixed <= 20.0, "a static parameter on two members {fixed} s");
}

/// What AWS takes in a calm world for what has to happen one after the other: a static value that is set (1 s), two
/// readers that restart and a failover, each with the time until it shows and until it is told that the parameters
/// are in-sync (fact book, table 8.2, medians).
const AWS_SECONDS: f64 = 1.0 + 2.0 * (5.0 + 60.0 + 10.0) + (5.0 + 30.0 + 10.0);

#[tokio::test(start_paused = true)]
async fn a_writer_and_two_readers_restart() {
    let text = spec_file("production.yaml");
    let changed = text.replace("server_audit_logging: 1", "server_audit_logging: 1\n    binlog_format: ROW");
    let account = Account::new(1, Mood::Calm);
    account.apply(&spec(&text)).await;
    let calm = seconds(&account, "a static parameter on three members", &spec(&changed), Intent::Apply).await;
    println!("AWS's own: {AWS_SECONDS} s; {:.2} times", calm / AWS_SECONDS);
    for seed in 2..6 {
        let account = Account::new(seed, Mood::Real);
        account.apply(&spec(&text)).await;
        seconds(&account, &format!("seed {seed}"), &spec(&changed), Intent::Apply).await;
    }
    assert!(calm <= 1.2 * AWS_SECONDS, "{calm} s where AWS takes {AWS_SECONDS} s");
}

/// Tokio's clock can stand still or run ahead: the time of day is the machine's.
#[tokio::test(start_paused = true)]
async fn the_time_of_day_is_read_and_not_extrapolated() {
    let clock = Clock::real();
    let before = clock.now_ms();
    clock.sleep(Duration::from_secs(3600)).await;
    let passed = clock.now_ms().saturating_sub(before);
    assert!(passed < 600_000, "{passed} ms");
}

#[tokio::test(start_paused = true)]
async fn a_sleep_of_the_machine_is_no_sleep_of_ours() {
    let clock = Clock::starting_at(1_000, 2.0);
    let same = clock.clone();
    clock.suspend(Duration::from_secs(60));
    assert_eq!(same.now_ms(), 61_000);
    clock.sleep(Duration::from_secs(10)).await;
    assert_eq!(same.now_ms(), 71_000);
}
