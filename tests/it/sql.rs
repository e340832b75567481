//! What is in the database: tables, functions, grants and moves of data, on the sandbox's own database.

pub mod changes;
mod commands;
mod data;
mod functions;
mod grants;
mod queries;
mod slow;
mod tables;

use crate::harness::{Account, spec};
use crate::lifecycle::make_foreign_cluster;
use auroraml::aws::{Rows, Sent, simulated_config};
use auroraml_core::model::{Intent, Order};
use auroraml_core::plan::Plan;
use auroraml_core::resource::Action;
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;

/// The bucket that the spec loads from, and the file in it.
pub const BUCKET: &str = "churn-data-of-others";
pub const ROWS: usize = 50;

/// A stack of its own cluster with everything that is made with SQL; users are made by people.
pub fn whole() -> String {
    std::fs::read_to_string("tests/data/sql.yaml").unwrap()
}

/// The same without the users, who are not there at the first apply.
pub fn without_grants() -> String {
    let text = whole();
    let at = text.find("grants:").unwrap();
    text[..at].to_string()
}

/// The same on a cluster of others.
pub fn on_existing() -> String {
    let text = whole();
    let (head, rest) = text.split_once("network:").unwrap();
    let (_, rest) = rest.split_once("bucket:").unwrap();
    let (bucket, rest) = rest.split_once("aurora:").unwrap();
    let (_, rest) = rest.split_once("machine_learning:").unwrap();
    format!("{head}bucket:{bucket}aurora: {{ existing: shop, database: telecom }}\nmachine_learning:{rest}")
}

/// An account with the file that is loaded.
pub async fn account(seed: u64, mood: Mood) -> Account {
    let account = Account::new(seed, mood);
    let s3 = s3(&account);
    s3.create_bucket().bucket(BUCKET).send().await.unwrap();
    let mut csv = String::from("state,acc_length,int_plan,Churn\n");
    for n in 0..ROWS {
        let (plan, churn) = if n % 3 == 0 { ("yes", "True.") } else { ("no", "False.") };
        csv += &format!("\"O{n}, H\",{n},{plan},{churn}\n");
    }
    s3.put_object().bucket(BUCKET).key("churn.csv").body(csv.into_bytes().into()).send().await.unwrap();
    account
}

pub fn s3(account: &Account) -> aws_sdk_s3::Client {
    let clock = account.sandbox.clock();
    aws_sdk_s3::Client::new(&simulated_config("us-east-1", account.sandbox.http_client(), &clock))
}

/// A cluster of others with the Data API.
pub async fn with_foreign_cluster(account: &Account) {
    make_foreign_cluster(account, "us-east-1", "shop", 1).await;
    let clock = account.sandbox.clock();
    let config = simulated_config("us-east-1", account.sandbox.http_client(), &clock);
    let arn = "arn:aws:rds:us-east-1:111122223333:cluster:shop";
    aws_sdk_rds::Client::new(&config).enable_http_endpoint().resource_arn(arn).send().await.unwrap();
}

/// What a person sends with a client of their own, as the master user.
pub async fn send(account: &Account, spec: &Spec, statement: &str) -> Rows {
    let stack = account.connect(spec).await;
    let sql = auroraml::kinds::sql::open(&stack.aws, spec).await.unwrap().within(spec.database());
    match sql.change(&stack.aws, statement).await {
        Ok(Sent::Done(rows)) => rows,
        other => panic!("{statement}: {other:?}"),
    }
}

/// The one value that a query gives.
pub async fn value(account: &Account, spec: &Spec, query: &str) -> String {
    send(account, spec, query).await.value().unwrap_or("NULL").to_string()
}

/// What is done with what.
pub fn steps(plan: &Plan) -> Vec<(Action, String)> {
    plan.work().map(|step| (step.action, step.id.to_string())).collect()
}

/// A plan that wakes nobody.
pub fn asleep(intent: Intent) -> Order {
    Order { wake: false, ..intent.into() }
}

/// Requests to the Data API so far.
pub fn statements(account: &Account) -> usize {
    account
        .sandbox
        .with(|world| world.log.iter().filter(|entry| entry.operation == "ExecuteStatement").count())
}

/// The whole road: nothing, everything, a change of everything that can change, nothing.
#[tokio::test(start_paused = true)]
async fn everything_that_is_sql_comes_and_goes() {
    for mood in [Mood::Calm, Mood::Real] {
        let account = account(3, mood).await;
        let first = spec(&without_grants());
        account.apply(&first).await;
        send(&account, &first, "CREATE USER 'analyst'@'%' IDENTIFIED BY 'a-Long-0ne-for-tests'").await;
        let all = spec(&whole());
        account.apply(&all).await;
        assert_eq!(value(&account, &all, "SELECT COUNT(*) FROM churn").await, ROWS.to_string());
        account.destroy(&all).await;
        let left = account.traces(&all);
        assert!(left.iter().all(|path| crate::lifecycle::stays(&all, path)), "{left:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn on_a_cluster_of_others_data_stays() {
    let account = account(4, Mood::Real).await;
    with_foreign_cluster(&account).await;
    let all = spec(&on_existing());
    let admin = spec("stack: other\nregion: us-east-1\naurora: { existing: shop }\n");
    send(&account, &admin, "CREATE USER 'analyst'@'%' IDENTIFIED BY 'a-Long-0ne-for-tests'").await;
    account.apply(&all).await;
    assert_eq!(value(&account, &all, "SELECT COUNT(*) FROM churn").await, ROWS.to_string());
    account.destroy(&all).await;
    assert_eq!(value(&account, &all, "SELECT COUNT(*) FROM churn").await, ROWS.to_string());
    let functions = "SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'telecom'";
    assert_eq!(value(&account, &all, functions).await, "0");
    let grants = send(&account, &all, "SHOW GRANTS FOR 'analyst'@'%'").await;
    let grants: Vec<&str> = grants.texts().map(|[row]| row).collect();
    assert!(!grants.iter().any(|row| row.contains("AWS_") || row.contains("EXECUTE")), "{grants:?}");
    assert_eq!(account.traces(&all), Vec::<String>::new());
}

/// A spec without these sections asks the database nothing.
#[tokio::test(start_paused = true)]
async fn without_the_sections_nobody_asks() {
    let text = without_grants();
    let plain = spec(&text[..text.find("tables:").unwrap()]);
    let account = account(5, Mood::Calm).await;
    account.apply(&plain).await;
    account.destroy(&plain).await;
    assert_eq!(statements(&account), 0);
}

/// A plan neither wakes a cluster that pauses nor keeps one awake; an apply does both.
#[tokio::test(start_paused = true)]
async fn a_plan_wakes_nobody() {
    let text =
        without_grants().replace("instances: [{ class: db.r6g.large }]", "serverless: { min: 0, max: 4 }");
    let pauses = spec(&text);
    let account = account(6, Mood::Real).await;
    account.apply(&pauses).await;
    let clock = account.sandbox.clock();
    clock.sleep(std::time::Duration::from_secs(3_600)).await;
    let before = statements(&account);
    let plan = account.prepare(&pauses, asleep(Intent::Apply)).await.unwrap().plan;
    assert!(plan.is_empty(), "{:?}", steps(&plan));
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("was not checked") && note.contains("--wake does it anyway")),
        "{:?}",
        plan.notes
    );
    assert_eq!(statements(&account), before, "nobody asked");
    // What is not in the database is still seen.
    let changed = spec(
        &text
            .replace("float, max_batch_size: 100", "double")
            .replace("comprehend: true", "comprehend: false"),
    );
    let plan = account.prepare(&changed, asleep(Intent::Apply)).await.unwrap().plan;
    assert!(
        !plan.is_empty() && !plan.work().any(|step| step.id.kind.starts_with("sql_")),
        "{:?}",
        steps(&plan)
    );
    let plan = account.prepare(&changed, Intent::Apply).await.unwrap().plan;
    assert!(plan.work().any(|step| step.id.to_string() == "sql_function.will_churn"), "{:?}", steps(&plan));
    clock.sleep(std::time::Duration::from_secs(3_600)).await;
    account.apply(&changed).await;
}
