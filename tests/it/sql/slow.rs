//! Statements that outlive the Data API's 45 seconds.

use super::*;
use crate::crash::sweep;
use crate::harness::Recorder;
use auroraml::run::data;
use auroraml_core::events::Event;
use std::sync::{Arc, Mutex};

/// From now on a load or unload takes a minute, and everything else a second.
fn slowly(account: &Account) {
    account.sandbox.with(|world| world.regions.get_mut("us-east-1").unwrap().rds.slow_statements = 200);
}

/// A wired cluster of others, and what is still to be done there.
async fn wired(seed: u64) -> (Account, Spec) {
    let account = account(seed, Mood::Calm).await;
    with_foreign_cluster(&account).await;
    let text = on_existing();
    let text = text[..text.find("functions:").unwrap()].to_string();
    account.apply(&spec(&text[..text.find("tables:").unwrap()])).await;
    slowly(&account);
    (account, spec(&text))
}

fn timed_out(account: &Account) -> usize {
    let late = |code: &Option<String>| code.as_deref() == Some("StatementTimeoutException");
    account.sandbox.with(|world| world.log.iter().filter(|entry| late(&entry.code)).count())
}

/// It is sent once, waited for, and neither lost nor repeated.
#[tokio::test(start_paused = true)]
async fn a_long_load_is_waited_for() {
    let (account, spec) = wired(22).await;
    let listener: Arc<Recorder> = account.apply(&spec).await;
    assert_eq!(timed_out(&account), 3, "a load and two unloads");
    assert_eq!(value(&account, &spec, "SELECT COUNT(*) FROM churn").await, ROWS.to_string());
    let waits = |event: &Event| matches!(event, Event::Waiting { id, why } if id.kind == "data_load" && why == "loading");
    assert!(listener.0.lock().unwrap().iter().any(|(_, event)| waits(event)), "{}", listener.text());
}

/// Whoever takes up the work of a killed run finds the statement at work.
#[tokio::test(start_paused = true)]
async fn a_killed_long_load_is_taken_up() {
    let (account, spec) = wired(23).await;
    let (points, world) = sweep("slow data", account.sandbox.world(), &spec, Intent::Apply).await;
    assert!(points >= 8, "{points}");
    let end = Account::over(world);
    assert_eq!(value(&end, &spec, "SELECT COUNT(*) FROM churn").await, ROWS.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_long_load_by_hand_says_so() {
    let (account, spec) = wired(24).await;
    account.apply(&spec).await;
    let stack = account.connect(&spec).await;
    let (_, props) = stack.aws.scope.sql.as_ref().unwrap().loads[0].clone();
    let said = Mutex::new(Vec::new());
    let tell = |text: String| said.lock().unwrap().push(text);
    let moved = data::load(&stack, &props, true, &tell).await.unwrap();
    assert!(!moved.is_running && moved.rows.is_none(), "{moved:?}");
    assert!(moved.uncounted.as_ref().unwrap().contains("longer than the Data API waits"), "{moved:?}");
    let said = said.into_inner().unwrap();
    assert!(
        said[0].starts_with("loading s3://")
            && said.iter().any(|text| text.starts_with("still running after ")),
        "{said:?}"
    );
    assert_eq!(value(&account, &spec, "SELECT COUNT(*) FROM churn").await, (2 * ROWS).to_string());
}
