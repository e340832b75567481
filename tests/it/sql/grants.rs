//! Grants: to users that exist, active at each login.

use super::*;
use crate::harness::Recorder;
use std::sync::Arc;

async fn grants(account: &Account, spec: &Spec) -> Vec<String> {
    send(account, spec, "SHOW GRANTS FOR 'analyst'@'%'").await.texts().map(|[row]| row.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_user_that_is_not_there() {
    let account = account(13, Mood::Calm).await;
    let spec = spec(&whole());
    let listener = Arc::new(Recorder::default());
    let outcome = account.run(&spec, Intent::Apply, listener).await;
    let failed = &outcome.reports[0].failed;
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].0.to_string(), "sql_grant.analyst");
    assert_eq!(
        failed[0].1.to_string(),
        "the database has no user 'analyst'@'%', and auroraml does not create users: create it (CREATE USER 'analyst'@'%' IDENTIFIED BY '…'), then run again"
    );
    // Everything else is there, and the next plan says it beforehand.
    let plan = account.plan(&spec).await;
    assert_eq!(steps(&plan), [(Action::Create, "sql_grant.analyst".into())]);
    assert!(plan.notes.iter().any(|note| note.contains("no user 'analyst'@'%'")), "{:?}", plan.notes);
    send(&account, &spec, "CREATE USER 'analyst'@'%' IDENTIFIED BY 'a-Long-0ne-for-tests'").await;
    account.apply(&spec).await;
}

#[tokio::test(start_paused = true)]
async fn roles_and_functions_come_and_go() {
    let account = account(14, Mood::Calm).await;
    let text = whole();
    let first = spec(&without_grants());
    account.apply(&first).await;
    send(&account, &first, "CREATE USER 'analyst'@'%' IDENTIFIED BY 'a-Long-0ne-for-tests'").await;
    account.apply(&spec(&text)).await;
    let all = grants(&account, &spec(&text)).await.join("\n");
    for wanted in [
        "AWS_SAGEMAKER_ACCESS",
        "AWS_COMPREHEND_ACCESS",
        "AWS_LOAD_S3_ACCESS",
        "`will_churn`",
        "`int_plan_no`",
    ] {
        assert!(all.contains(wanted), "{wanted}: {all}");
    }
    let active = "SELECT COUNT(*) FROM mysql.default_roles WHERE USER = 'analyst'";
    assert_eq!(value(&account, &spec(&text), active).await, "3");
    // With a function that is made anew goes what was granted on it, and comes back.
    let anew = text.replace("returns: float", "returns: double");
    let plan = account.plan(&spec(&anew)).await;
    let wanted = [
        (Action::Update, "sql_function.will_churn".into()),
        (Action::Recheck, "sql_grant.analyst".to_string()),
    ];
    assert_eq!(steps(&plan), wanted);
    account.apply(&spec(&anew)).await;
    assert!(grants(&account, &spec(&anew)).await.iter().any(|row| row.contains("`will_churn`")));
    // The spec is the whole truth of what it is about.
    let fewer = anew.replace(
        "[sagemaker, comprehend, load_s3], execute: [will_churn, int_plan_no]",
        "[comprehend], execute: [will_churn]",
    );
    account.apply(&spec(&fewer)).await;
    let all = grants(&account, &spec(&fewer)).await.join("\n");
    assert!(
        all.contains("AWS_COMPREHEND_ACCESS")
            && !all.contains("AWS_SAGEMAKER_ACCESS")
            && !all.contains("int_plan_no"),
        "{all}"
    );
    // Taken away by hand, it is given again; what others gave beside it stays.
    send(&account, &spec(&fewer), "REVOKE AWS_COMPREHEND_ACCESS FROM 'analyst'@'%'").await;
    send(&account, &spec(&fewer), "GRANT SELECT ON telecom.churn TO 'analyst'@'%'").await;
    account.apply(&spec(&fewer)).await;
    let all = grants(&account, &spec(&fewer)).await.join("\n");
    assert!(all.contains("AWS_COMPREHEND_ACCESS") && all.contains("SELECT ON"), "{all}");
}

/// On a cluster of others SQL is sent by the user of the secret that the spec names.
#[tokio::test(start_paused = true)]
async fn a_user_of_another_secret() {
    let account = account(25, Mood::Calm).await;
    with_foreign_cluster(&account).await;
    let admin = spec("stack: other\nregion: us-east-1\naurora: { existing: shop }\n");
    for statement in [
        "CREATE DATABASE telecom",
        "CREATE USER 'loader'@'%' IDENTIFIED BY 'a-Long-0ne-for-tests'",
        "GRANT ALL ON telecom.* TO 'loader'@'%'",
    ] {
        send(&account, &admin, statement).await;
    }
    let clock = account.sandbox.clock();
    let config = simulated_config("us-east-1", account.sandbox.http_client(), &clock);
    let text = r#"{"username":"loader","password":"a-Long-0ne-for-tests"}"#;
    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    secrets.create_secret().name("loaders").secret_string(text).send().await.unwrap();
    let spec = spec(
        "stack: small\nregion: us-east-1\naurora: { existing: shop, database: telecom, secret: loaders }\ntables: { numbers: { columns: { n: int } } }\n",
    );
    account.apply(&spec).await;
    assert_eq!(value(&account, &spec, "SELECT CURRENT_USER()").await, "loader@%");
    assert_eq!(value(&account, &spec, "SELECT COUNT(*) FROM numbers").await, "0");
    account.destroy(&spec).await;
}
