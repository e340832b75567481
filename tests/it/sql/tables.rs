//! Tables: made if they are not there, and never altered or dropped.

use super::*;

#[tokio::test(start_paused = true)]
async fn other_columns_block_the_plan() {
    let account = account(12, Mood::Calm).await;
    let text = without_grants();
    let without: Vec<&str> = text.lines().filter(|line| !line.contains("message")).collect();
    let without = spec(&without.join("\n"));
    account.apply(&without).await;
    // Nothing but names and types is compared, and more columns are welcome.
    let by_hand =
        "CREATE TABLE messages (more INT, ID BIGINT(20) PRIMARY KEY AUTO_INCREMENT, message VARCHAR(5000))";
    send(&account, &without, by_hand).await;
    account.assert_settled(&spec(&text), Intent::Apply).await;
    send(&account, &spec(&text), "INSERT INTO messages (message) VALUES ('hello')").await;
    let other = text.replace("message varchar(5000) not null]", "message text, sent datetime]");
    let plan = account.plan(&spec(&other)).await;
    let blocked: Vec<&str> = plan.blocked.iter().map(|blocked| blocked.why.as_str()).collect();
    assert_eq!(
        blocked,
        [
            "columns.message cannot change from \"varchar(5000)\" to \"text\": auroraml never alters a table, because of its rows",
            "columns.sent cannot change from null to \"datetime\": auroraml never alters a table, because of its rows",
        ]
    );
    assert!(plan.blocked[0].hint.contains("ALTER TABLE"), "{}", plan.blocked[0].hint);
    // What the spec no longer names stays.
    account.assert_settled(&without, Intent::Apply).await;
    assert_eq!(value(&account, &without, "SELECT message FROM messages").await, "hello");
}
