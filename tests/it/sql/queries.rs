//! `verify --query`: answers, and of a broken chain the link that is broken.

use super::*;
use auroraml::verify::{Check, Outcome, query};

/// Without the endpoint that a notebook has yet to make.
fn text() -> String {
    without_grants().replace("[churn, other]", "[churn]").replace("  other: { managed_by: notebook }\n", "")
}

async fn asked(account: &Account, spec: &Spec, given: Option<&str>) -> Vec<Check> {
    query(&account.connect(spec).await, given).await.unwrap()
}

fn failed(checks: &[Check]) -> Vec<String> {
    let failed = checks.iter().filter(|check| check.outcome == Outcome::Failed);
    failed.map(|check| format!("{}: {}", check.check, check.found)).collect()
}

#[tokio::test(start_paused = true)]
async fn the_articles_queries_are_answered() {
    let account = account(20, Mood::Calm).await;
    let spec = spec(&text());
    account.apply(&spec).await;
    let checks = asked(&account, &spec, None).await;
    assert_eq!(failed(&checks), Vec::<String>::new());
    let found = |name: &str| {
        checks
            .iter()
            .find(|check| check.check == name)
            .unwrap_or_else(|| panic!("{name}: {checks:?}"))
            .found
            .clone()
    };
    assert!(
        found("sentiment query").starts_with("sentiment = POSITIVE, confidence = 0."),
        "{}",
        found("sentiment query")
    );
    assert!(found("will_churn query").starts_with("prediction = "), "{}", found("will_churn query"));
    assert!(
        found("query with both").contains("sentiment = ")
            && found("query with both").contains("prediction = ")
    );
    let checks = asked(&account, &spec, Some("SELECT COUNT(*) AS customers FROM churn")).await;
    let own = checks.iter().find(|check| check.check == "query").unwrap();
    assert!(own.found.starts_with(&format!("customers = {ROWS} (")), "{}", own.found);
    let checks = asked(&account, &spec, Some("SELECT nonsense FROM churn")).await;
    assert_eq!(failed(&checks).len(), 1);
    assert!(failed(&checks)[0].contains("nonsense"), "{:?}", failed(&checks));
}

#[tokio::test(start_paused = true)]
async fn the_broken_link_is_named() {
    // Another endpoint is missing all the time, and is not the reason.
    let spec = spec(&without_grants());
    let account = account(21, Mood::Calm).await;
    account.apply(&spec).await;
    let whole = account.sandbox.world();
    let config = |account: &Account| {
        simulated_config("us-east-1", account.sandbox.http_client(), &account.sandbox.clock())
    };
    let named = |checks: &[Check], link: &str| {
        let query = checks.iter().find(|check| check.check == "will_churn query").unwrap();
        assert_eq!(query.outcome, Outcome::Failed, "{query:?}");
        assert!(query.found.contains("rror code: "), "quotes the database: {}", query.found);
        assert!(query.found.contains(&format!("the broken link: {link}")), "{link}: {}", query.found);
        assert!(query.fix.is_some());
    };
    // The grant.
    let broken = Account::over(whole.clone());
    send(&broken, &spec, "REVOKE AWS_SAGEMAKER_ACCESS FROM 'admin'@'%'").await;
    named(&asked(&broken, &spec, None).await, "sagemaker grant");
    // The function.
    let broken = Account::over(whole.clone());
    send(&broken, &spec, "DROP FUNCTION telecom.will_churn").await;
    named(&asked(&broken, &spec, None).await, "function");
    // The endpoint.
    let broken = Account::over(whole.clone());
    aws_sdk_sagemaker::Client::new(&config(&broken))
        .delete_endpoint()
        .endpoint_name("churn")
        .send()
        .await
        .unwrap();
    broken.sandbox.clock().sleep(std::time::Duration::from_secs(600)).await;
    named(&asked(&broken, &spec, None).await, "endpoint");
    // The association.
    let broken = Account::over(whole.clone());
    let role = "arn:aws:iam::111122223333:role/auroraml/sql/us-east-1/sql-us-east-1-sagemaker";
    let remove = aws_sdk_rds::Client::new(&config(&broken)).remove_role_from_db_cluster();
    remove.db_cluster_identifier("sql").role_arn(role).send().await.unwrap();
    broken.sandbox.clock().sleep(std::time::Duration::from_secs(600)).await;
    named(&asked(&broken, &spec, None).await, "sagemaker association");
    // What the role allows.
    let broken = Account::over(whole);
    let iam = aws_sdk_iam::Client::new(&config(&broken));
    iam.delete_role_policy().role_name("sql-us-east-1-sagemaker").policy_name("access").send().await.unwrap();
    broken.sandbox.clock().sleep(std::time::Duration::from_secs(60)).await;
    named(&asked(&broken, &spec, None).await, "sagemaker policy");
}
