//! Moves of data: once by `apply`, at once by hand, and never twice by accident.

use super::*;
use crate::crash::sweep;
use auroraml::run::data;
use auroraml_core::kinds::data_load::Props;

fn told(_: String) {}

async fn files(account: &Account, prefix: &str, bucket: &str) -> Vec<(String, String)> {
    let s3 = s3(account);
    let listed = s3.list_objects_v2().bucket(bucket).prefix(prefix).send().await.unwrap();
    let mut found = Vec::new();
    for object in listed.contents() {
        let key = object.key().unwrap().to_string();
        let body =
            s3.get_object().bucket(bucket).key(&key).send().await.unwrap().body.collect().await.unwrap();
        found.push((key, String::from_utf8(body.to_vec()).unwrap()));
    }
    found
}

fn own_bucket() -> &'static str {
    "sql-sagemaker-111122223333-us-east-1"
}

#[tokio::test(start_paused = true)]
async fn moved_once() {
    let account = account(15, Mood::Calm).await;
    let text = without_grants();
    account.apply(&spec(&text)).await;
    assert_eq!(value(&account, &spec(&text), "SELECT COUNT(*) FROM churn WHERE Churn = 'True.'").await, "17");
    let written = files(&account, "unloads/training-", own_bucket()).await;
    let parts: Vec<&(String, String)> =
        written.iter().filter(|(key, _)| key.contains("/data.part_")).collect();
    assert_eq!((parts.len(), written.len()), (1, 2), "{written:?}");
    assert_eq!(parts[0].1.lines().count(), ROWS + 1, "with the header");
    assert!(parts[0].1.lines().next().unwrap().contains("acc_length"), "{}", parts[0].1);
    // Another query is another unload, and the first stays.
    let other = text.replace("training: { table: churn, header: true }", "training: { table: churn }");
    let plan = account.plan(&spec(&other)).await;
    assert_eq!(plan.work().map(|step| step.id.kind).collect::<Vec<_>>(), ["data_unload"]);
    account.apply(&spec(&other)).await;
    assert_eq!(files(&account, "unloads/training-", own_bucket()).await.len(), 4);
}

/// Another file goes into a table with rows only if the spec says so.
#[tokio::test(start_paused = true)]
async fn a_table_with_rows() {
    let account = account(16, Mood::Calm).await;
    let text = without_grants();
    account.apply(&spec(&text)).await;
    let body = b"state,acc_length,int_plan,Churn\nKS,1,no,False.\n".to_vec();
    s3(&account).put_object().bucket(BUCKET).key("more.csv").body(body.into()).send().await.unwrap();
    let more = text.replace("churn.csv", "more.csv");
    let plan = account.plan(&spec(&more)).await;
    assert!(!plan.work().any(|step| step.id.kind == "data_load"), "{:?}", steps(&plan));
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("more.csv is not loaded: the table churn already has other rows")),
        "{:?}",
        plan.notes
    );
    let append = more.replace("header: true }\n  messages", "header: true, append: true }\n  messages");
    assert_ne!(append, more);
    account.apply(&spec(&append)).await;
    assert_eq!(value(&account, &spec(&append), "SELECT COUNT(*) FROM churn").await, (ROWS + 1).to_string());
    // A table that a person has made anew gets its rows again.
    let clock = account.sandbox.clock();
    clock.sleep(std::time::Duration::from_secs(60)).await;
    send(&account, &spec(&text), "DROP TABLE churn").await;
    account.apply(&spec(&text)).await;
    assert_eq!(value(&account, &spec(&text), "SELECT COUNT(*) FROM churn").await, ROWS.to_string());
}

/// Killed at every request on the way, rows are there once and files are whole.
#[tokio::test(start_paused = true)]
async fn a_killed_move_is_finished() {
    let account = account(17, Mood::Calm).await;
    with_foreign_cluster(&account).await;
    let text = on_existing();
    let text = text[..text.find("functions:").unwrap()].to_string();
    let wired = spec(&text[..text.find("tables:").unwrap()]);
    account.apply(&wired).await;
    let all = spec(&text);
    let (points, world) = sweep("data", account.sandbox.world(), &all, Intent::Apply).await;
    assert!(points >= 8, "{points}");
    let end = Account::over(world);
    assert_eq!(value(&end, &all, "SELECT COUNT(*) FROM churn").await, ROWS.to_string());
    assert_eq!(files(&end, "unloads/training-", own_bucket()).await.len(), 2);
}

/// Files without a manifest, of a statement that has ended too early, are cleared away.
#[tokio::test(start_paused = true)]
async fn half_an_unload_is_made_anew() {
    let account = account(18, Mood::Calm).await;
    let text = without_grants();
    account.apply(&spec(&text)).await;
    let written = files(&account, "unloads/training-", own_bucket()).await;
    let manifest = written.iter().find(|(key, _)| key.ends_with(".manifest")).unwrap().0.clone();
    let stale = format!("{}.part_00007", manifest.strip_suffix(".manifest").unwrap());
    let s3 = s3(&account);
    s3.delete_object().bucket(own_bucket()).key(&manifest).send().await.unwrap();
    s3.put_object().bucket(own_bucket()).key(&stale).body(b"1\n".to_vec().into()).send().await.unwrap();
    let plan = account.plan(&spec(&text)).await;
    let step = plan.work().next().unwrap();
    assert_eq!((step.action, step.id.kind), (Action::Run, "data_unload"));
    assert!(step.reason.as_ref().unwrap().contains("files without a manifest"), "{:?}", step.reason);
    account.apply(&spec(&text)).await;
    let keys: Vec<String> =
        files(&account, "unloads/training-", own_bucket()).await.into_iter().map(|(key, _)| key).collect();
    assert!(keys.contains(&manifest) && !keys.contains(&stale) && keys.len() == 2, "{keys:?}");
}

#[tokio::test(start_paused = true)]
async fn by_hand_nothing_is_loaded_twice_or_written_over() {
    let account = account(19, Mood::Calm).await;
    let spec = spec(&without_grants());
    account.apply(&spec).await;
    let stack = account.connect(&spec).await;
    let load = |from: &str, header: bool| Props {
        database: "telecom".into(),
        table: "churn".into(),
        from: format!("s3://{BUCKET}/{from}"),
        header,
        separator: ",".into(),
        quote: "\"".into(),
        line_end: "\n".into(),
        append: true,
        columns: ["state", "acc_length", "int_plan", "Churn"].map(String::from).to_vec(),
    };
    let twice = data::load(&stack, &load("churn.csv", true), false, &told).await.unwrap_err().to_string();
    assert!(twice.contains("already loaded") && twice.contains("would duplicate its rows"), "{twice}");
    let again = data::load(&stack, &load("churn.csv", true), true, &told).await.unwrap();
    assert_eq!((again.rows, again.records), (Some(ROWS as u64), Some(ROWS as u64)));
    assert_eq!(value(&account, &spec, "SELECT COUNT(*) FROM churn").await, (2 * ROWS).to_string());
    let missing = data::load(&stack, &load("none.csv", true), false, &told).await.unwrap_err().to_string();
    assert!(missing.contains("ExecuteStatement failed:"), "{missing}");
    let to = format!("s3://{BUCKET}/out/churn");
    let query = "SELECT state, acc_length FROM churn";
    let first = data::unload(&stack, query, &to, true, false, &told).await.unwrap();
    let rows = 2 * ROWS as u64;
    assert_eq!((first.rows, first.records, first.files), (Some(rows), Some(rows), 1));
    let over = data::unload(&stack, query, &to, true, false, &told).await.unwrap_err().to_string();
    assert!(over.contains("the prefix already has 1 file: choose another one"), "{over}");
    data::unload(&stack, "SELECT 1", &to, false, true, &told).await.unwrap();
    let written = files(&account, "out/", BUCKET).await;
    assert!(
        written.iter().any(|(key, text)| key.ends_with("part_00000") && text.trim() == "1"),
        "{written:?}"
    );
}
