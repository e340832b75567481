//! Every field of what is made with SQL, changed.

use super::*;
use crate::changes::Expected::{self, Applied, Blocked, Nothing};
use crate::changes::try_all;

/// Field, text in `sql.yaml`, text in its place, what is to happen.
pub const CHANGES: &[(&str, &str, &str, Expected)] = &[
    ("tables.columns", "message varchar(5000)", "message varchar(500)", Blocked("sql_table.messages")),
    ("tables.columns attribute", " not null]", "]", Nothing),
    // What was written for the old file is not for the new one.
    ("tables.load.from", "churn.csv", "other.csv", Applied),
    // The table has rows, and Aurora has loaded the file.
    ("tables.load.header", "churn.csv\", header: true", "churn.csv\"", Nothing),
    ("tables.load.separator", "churn.csv\",", "churn.csv\", separator: \";\",", Nothing),
    ("tables.load.quote", "churn.csv\",", "churn.csv\", quote: \"\",", Nothing),
    ("tables.load.line_end", "churn.csv\",", "churn.csv\", line_end: crlf,", Nothing),
    ("tables.load.append", "churn.csv\",", "churn.csv\", append: true,", Nothing),
    ("unloads.query", "GROUP BY state ORDER BY state", "GROUP BY state", Applied),
    ("unloads.table", "table: churn, header", "table: messages, header", Applied),
    (
        "unloads.to",
        "table: churn, header",
        "table: churn, to: \"s3://churn-data-of-others/out\", header",
        Applied,
    ),
    ("unloads.header", "table: churn, header: true", "table: churn", Applied),
    ("functions.endpoint", "endpoint: churn, arguments", "endpoint: other, arguments", Applied),
    (
        "functions.bedrock",
        "bedrock: amazon.titan-text-lite-v1",
        "bedrock: amazon.titan-text-express-v1",
        Applied,
    ),
    ("functions.sql", "'no', 1, 0", "'no', 0, 1", Applied),
    ("functions.sql in other words", "IF(int_plan = 'no', 1, 0)", "if(int_plan='no',1,0)", Nothing),
    ("functions.arguments", "acc_length bigint], returns", "acc_length int], returns", Applied),
    ("functions.returns", "returns: float", "returns: double", Applied),
    ("functions.max_batch_size", "max_batch_size: 100", "max_batch_size: 10", Applied),
    ("functions.content_type", "returns: text }", "returns: text, content_type: text/plain }", Applied),
    ("functions.accept", "returns: text }", "returns: text, accept: text/plain }", Applied),
    ("functions.timeout_ms", "returns: text }", "returns: text, timeout_ms: 5000 }", Applied),
    ("grants.host", "analyst: { roles", "analyst: { host: \"10.%\", roles", Applied),
    ("grants.roles", "[sagemaker, comprehend, load_s3]", "[comprehend, select_s3]", Applied),
    ("grants.execute", "execute: [will_churn, int_plan_no]", "execute: [int_plan_no]", Applied),
];

#[tokio::test(start_paused = true)]
async fn every_field_of_what_is_sql_is_changed() {
    let account = account(26, Mood::Calm).await;
    let first = spec(&without_grants());
    account.apply(&first).await;
    for host in ["%", "10.%"] {
        send(
            &account,
            &first,
            &format!("CREATE USER 'analyst'@'{host}' IDENTIFIED BY 'a-Long-0ne-for-tests'"),
        )
        .await;
    }
    send(&account, &first, "INSERT INTO messages (message) VALUES ('hello')").await;
    account.apply(&spec(&whole())).await;
    try_all(&whole(), account.sandbox.world(), CHANGES).await;
}
