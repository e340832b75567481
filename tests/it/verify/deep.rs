//! `--deep`: what the database itself says.

use super::{PARAMETERS, Wired, assert_all_right, golden, look, text};
use crate::harness::{Account, spec, spec_file};
use auroraml::verify::{Check, Outcome};
use auroraml_sandbox::random::Mood;
use aws_sdk_rds::types::ApplyMethod;
use std::time::Duration;

fn database(checks: &[Check]) -> Vec<&Check> {
    checks.iter().filter(|check| check.check.ends_with("database")).collect()
}

/// The group is right, and the writer does not know it yet.
#[tokio::test(start_paused = true)]
async fn the_writer_runs_with_something_else() {
    let wired = Wired::new().await;
    let account = &wired.hand.account;
    assert_all_right(&look(account, &wired.spec, true).await);
    wired.hand.group("fresh").await;
    let other = wired.role.replace("orders-ml", "other");
    for parameter in PARAMETERS {
        wired.hand.set("fresh", parameter, &other, ApplyMethod::PendingReboot).await;
    }
    let modify = wired.hand.rds.modify_db_cluster().db_cluster_identifier("orders");
    modify.db_cluster_parameter_group_name("fresh").send().await.unwrap();
    wired.hand.wait(300).await;
    let mut checks = look(account, &wired.spec, true).await;
    for check in database(&checks) {
        assert_eq!(check.outcome, Outcome::Failed, "{check:?}");
        assert!(check.found.contains("role/orders-ml, but fresh has arn:"), "{check:?}");
    }
    checks.retain(|check| check.check.ends_with("database"));
    golden("deep.txt", &text(&wired.spec, &checks));
    for member in ["orders-1", "orders-2"] {
        wired.hand.rds.reboot_db_instance().db_instance_identifier(member).send().await.unwrap();
        wired.hand.wait(300).await;
    }
    let checks = look(account, &wired.spec, true).await;
    assert!(database(&checks).iter().all(|check| check.outcome == Outcome::Ok), "{checks:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_lets_it_be_asked() {
    let wired = Wired::new().await;
    let arn = "arn:aws:rds:us-west-2:111122223333:cluster:orders";
    wired.hand.rds.disable_http_endpoint().resource_arn(arn).send().await.unwrap();
    wired.hand.wait(60).await;
    let checks = look(&wired.hand.account, &wired.spec, true).await;
    let found = database(&checks);
    assert!(found.len() == 1 && found[0].outcome == Outcome::NotChecked, "{found:?}");
    assert_eq!(found[0].found, "the Data API of cluster orders is off");
    let fix = found[0].fix.as_ref().unwrap();
    assert!(fix.contains(&format!("aws rds enable-http-endpoint --resource-arn {arn}")), "{fix}");
}

/// A paused cluster is woken, waited for, and answers.
#[tokio::test(start_paused = true)]
async fn a_paused_cluster_resumes() {
    let text = spec_file("lean.yaml");
    let spec = spec(&text);
    let account = Account::new(5, Mood::Calm);
    account.apply(&spec).await;
    let clock = account.sandbox.clock();
    clock.sleep(Duration::from_secs(4 * 3600)).await;
    let began = clock.now_ms();
    let checks = look(&account, &spec, true).await;
    let waited = (clock.now_ms() - began) / 1000;
    assert!((5..120).contains(&waited), "it took {waited} s: was it paused?");
    assert_all_right(&checks);
    assert_eq!(database(&checks).len(), 2);
}
