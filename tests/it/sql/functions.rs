//! Functions: made, replaced, dropped, and whose they are.

use super::*;
use crate::crash::{DESTROY, sweep};

const SHOW: &str = "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'telecom' ORDER BY ROUTINE_NAME";

async fn names(account: &Account, spec: &Spec) -> Vec<String> {
    send(account, spec, SHOW).await.texts().map(|[name]| name.to_string()).collect()
}

/// Each field of a function is replaced where it changes, and nothing else is touched.
#[tokio::test(start_paused = true)]
async fn what_differs_is_made_anew() {
    let account = account(7, Mood::Calm).await;
    let text = without_grants();
    account.apply(&spec(&text)).await;
    assert_eq!(names(&account, &spec(&text)).await, ["int_plan_no", "summary", "will_churn"]);
    let mut text = text;
    for (old, new, which) in [
        ("returns: float, max_batch_size: 100", "returns: double, max_batch_size: 100", "will_churn"),
        ("max_batch_size: 100", "max_batch_size: 50", "will_churn"),
        (", max_batch_size: 50", "", "will_churn"),
        (
            "[state varchar(2048), acc_length bigint]",
            "[acc_length bigint, state varchar(2048)]",
            "will_churn",
        ),
        ("returns: text }", "returns: text, timeout_ms: 5000 }", "summary"),
        ("IF(int_plan = 'no', 1, 0)", "IF(int_plan = 'no', 0, 1)", "int_plan_no"),
    ] {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
        let changed = spec(&text);
        let plan = account.plan(&changed).await;
        assert_eq!(steps(&plan), [(Action::Update, format!("sql_function.{which}"))], "{new}");
        account.apply(&changed).await;
    }
    // The same in other words is the same.
    for (old, new) in [
        ("bigint, state", "BIGINT(20), state"),
        ("'no', 0, 1)", "'no',0,  1)"),
        ("returns: tinyint", "returns: boolean"),
    ] {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    account.assert_settled(&spec(&text), Intent::Apply).await;
}

/// A function that the spec no longer has goes if nothing but the stack can have made it; else it is named.
#[tokio::test(start_paused = true)]
async fn what_the_spec_no_longer_has() {
    let account = account(8, Mood::Calm).await;
    let text = without_grants();
    account.apply(&spec(&text)).await;
    let gone = |name: &str| {
        let lines: Vec<&str> =
            text.lines().filter(|line| !line.trim_start().starts_with(&format!("{name}:"))).collect();
        spec(&lines.join("\n"))
    };
    let plan = account.plan(&gone("int_plan_no")).await;
    assert_eq!(steps(&plan), [(Action::Delete, "sql_function.int_plan_no".into())]);
    account.apply(&gone("int_plan_no")).await;
    let plan = account.plan(&gone("will_churn")).await;
    assert!(!steps(&plan).iter().any(|(_, id)| id == "sql_function.will_churn"), "{:?}", steps(&plan));
    let left =
        plan.left_alone.iter().find(|left| left.id.to_string() == "sql_function.will_churn").expect("named");
    assert_eq!(left.why, "it calls an endpoint of this stack, but the spec does not have it");
    assert!(left.hint.contains("--delete sql_function.will_churn"), "{}", left.hint);
    // One by hand that calls nothing of the stack's is nobody's business.
    let by_hand = "CREATE FUNCTION telecom.by_hand() RETURNS INT DETERMINISTIC NO SQL RETURN 1";
    send(&account, &spec(&text), by_hand).await;
    let plan = account.plan(&spec(&text)).await;
    assert!(!plan.work().any(|step| step.id.name == "by_hand") && plan.left_alone.is_empty());
}

/// On a cluster of others a function of the name that does something else is theirs.
#[tokio::test(start_paused = true)]
async fn a_function_of_others_is_not_replaced() {
    let account = account(9, Mood::Calm).await;
    with_foreign_cluster(&account).await;
    let text = on_existing();
    let text = &text[..text.find("grants:").unwrap()];
    let spec = spec(text);
    let admin = super::spec("stack: other\nregion: us-east-1\naurora: { existing: shop }\n");
    send(&account, &admin, "CREATE DATABASE telecom").await;
    let theirs = "CREATE FUNCTION telecom.int_plan_no(a INT) RETURNS INT DETERMINISTIC NO SQL RETURN a";
    send(&account, &admin, theirs).await;
    let plan = account.plan(&spec).await;
    let blocked: Vec<_> =
        plan.blocked.iter().map(|blocked| (blocked.id.to_string(), blocked.why.clone())).collect();
    let why = "a function with this name exists, and nothing says that this stack created it".to_string();
    assert_eq!(blocked, [("sql_function.int_plan_no".to_string(), why)]);
    send(&account, &admin, "DROP FUNCTION telecom.int_plan_no").await;
    account.apply(&spec).await;
    // A function of another name, which calls the stack's endpoint, goes with it.
    let other = "CREATE FUNCTION telecom.mine(a INT) RETURNS FLOAT ALIAS AWS_SAGEMAKER_INVOKE_ENDPOINT ENDPOINT NAME 'churn'";
    send(&account, &admin, other).await;
    account.destroy(&spec).await;
    assert_eq!(names(&account, &spec).await, Vec::<String>::new());
}

/// Killed at every request of a change of all functions, and of their end.
#[tokio::test(start_paused = true)]
async fn a_killed_change_is_finished() {
    let account = account(10, Mood::Calm).await;
    with_foreign_cluster(&account).await;
    let text = on_existing();
    let text = text[..text.find("grants:").unwrap()].to_string();
    account.apply(&spec(&text)).await;
    let changed = text
        .replace("returns: float", "returns: double")
        .replace("returns: text }", "returns: text, timeout_ms: 5000 }")
        .replace("'no', 1, 0", "'no', 0, 1");
    let (changes, world) =
        sweep("functions change", account.sandbox.world(), &spec(&changed), Intent::Apply).await;
    let (ends, _) = sweep("functions go", world, &spec(&changed), DESTROY).await;
    // Dropped and made, each of three.
    assert!(changes >= 12 && ends >= 6, "{changes} and {ends} kill points");
}

/// An existing cluster that cannot be sent SQL: what is missing, and what to do.
#[tokio::test(start_paused = true)]
async fn a_cluster_without_the_data_api() {
    let account = account(11, Mood::Calm).await;
    make_foreign_cluster(&account, "us-east-1", "shop", 1).await;
    let spec = spec(&on_existing());
    let Err(auroraml::run::reconcile::PrepareError::Preflight(problems)) =
        account.prepare(&spec, Intent::Apply).await
    else {
        panic!("planned")
    };
    let problem = problems.iter().find(|problem| problem.what == "cluster shop").unwrap();
    assert_eq!(problem.why, "its Data API is off, which SQL needs");
    assert!(
        problem.hint.contains("aws rds enable-http-endpoint --region us-east-1 --resource-arn"),
        "{}",
        problem.hint
    );
}
