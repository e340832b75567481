//! The RDS Data API (service `rds-data`): SQL without a connection, here for one statement,
//! `SHOW GLOBAL VARIABLES LIKE '…'`, which tells what the writer really runs with.
//!
//! Facts: fact book, sections 1.10 and 1.11; which code stands for which case, where the book only lists them, and
//! all wording are believed. No statement is repeated in an answer: there could be a secret in it.

use super::context::{Context, Reach};
use super::hooks::serves;
use super::parameters::{self, Parameter};
use super::state::Instance;
use super::{pause, settle, versions};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::wire::{Fault, Reply};
use serde_json::{Value, json};

/// The operation that a path stands for; empty for none.
pub(crate) fn operation(path: &str) -> &'static str {
    match path {
        "/Execute" => "ExecuteStatement",
        "/BatchExecute" => "BatchExecuteStatement",
        "/BeginTransaction" => "BeginTransaction",
        "/CommitTransaction" => "CommitTransaction",
        "/RollbackTransaction" => "RollbackTransaction",
        _ => "",
    }
}

pub(crate) fn handle(call: &Call, reach: Reach<'_>) -> Reply {
    let c = &mut Context::new(call, reach);
    settle::settle(c);
    match call.operation.as_str() {
        "ExecuteStatement" => execute(c),
        _ => Err(call.unknown()),
    }
}

fn bad(message: impl Into<String>) -> Fault {
    Fault::bad("BadRequestException", message)
}

fn text<'a>(c: &Context<'a>, member: &str) -> Result<&'a str, Fault> {
    let given = c.call.json.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
    given.ok_or_else(|| bad(format!("{member} is missing")))
}

fn execute(c: &mut Context<'_>) -> Reply {
    let (arn, secret, sql) = (text(c, "resourceArn")?, text(c, "secretArn")?, text(c, "sql")?);
    let prefix = format!("arn:aws:rds:{}:{ACCOUNT}:cluster:", c.call.region);
    let id = arn.strip_prefix(&prefix).unwrap_or_default().to_string();
    check_cluster(c, arn, &id)?;
    check_secret(c, secret)?;
    let writer = awake_writer(c, &id)?;
    check_database(c, &id)?;
    let pattern = pattern(sql).ok_or_else(|| {
        bad("Database error code: 1064. The sandbox answers SHOW GLOBAL VARIABLES LIKE '<pattern>' alone.")
    })?;
    let family = c.rds.clusters.get(&id).and_then(|cluster| versions::find(&cluster.settings.engine_version));
    let family = family.map_or("aurora-mysql8.0", |version| version.family());
    if let Some(writer) = c.rds.instances.get_mut(&writer) {
        // The time to the next pause begins anew.
        writer.active_at = c.now;
    }
    let records: Vec<Value> = match c.rds.instances.get(&writer) {
        Some(writer) => variables(writer, family)
            .filter(|(name, _)| like(name.as_bytes(), pattern.to_ascii_lowercase().as_bytes()))
            .map(|(name, value)| json!([{"stringValue": name}, {"stringValue": value}]))
            .collect(),
        None => Vec::new(),
    };
    // Nothing here takes so long.
    c.call.json.get("continueAfterTimeout");
    let mut answer = json!({"numberOfRecordsUpdated": 0, "records": records});
    if c.call.json.get("includeResultMetadata").and_then(Value::as_bool) == Some(true) {
        let column = |name: &str| json!({"name": name, "label": name, "typeName": "VARCHAR", "nullable": 1});
        answer["columnMetadata"] = json!([column("Variable_name"), column("Value")]);
    }
    Ok(answer.into())
}

/// Whether the Data API serves the cluster at all.
fn check_cluster(c: &Context<'_>, arn: &str, id: &str) -> Result<(), Fault> {
    let cluster =
        c.rds.clusters.get(id).ok_or_else(|| bad(format!("Cluster {arn} is not found in this region.")))?;
    if !cluster.http_endpoint {
        let text =
            format!("HttpEndpoint is not enabled for cluster {id}. Please refer to the documentation.");
        return Err(Fault::bad("HttpEndpointNotEnabledException", text));
    }
    let status = cluster.timeline.status(c.now);
    if matches!(status, "stopped" | "stopping" | "starting" | "deleting" | "creating") {
        let text = format!("Cluster {id} is in an invalid state for the Data API: {status}.");
        return Err(Fault::bad("InvalidResourceStateException", text));
    }
    Ok(())
}

/// The secret must have a user and a password; whether they are those of the database, nobody knows here.
fn check_secret(c: &Context<'_>, secret: &str) -> Result<(), Fault> {
    let found =
        c.secrets.current_text(secret).ok_or_else(|| bad(format!("Secret {secret} is not found.")))?;
    let value: Value = serde_json::from_str(found).unwrap_or_default();
    if value["username"].is_string() && value["password"].is_string() {
        return Ok(());
    }
    Err(Fault::bad("InvalidSecretException", format!("Secret {secret} has no username and password.")))
}

/// The statement is about the server, and needs no database and no transaction; what is named must exist.
fn check_database(c: &Context<'_>, cluster: &str) -> Result<(), Fault> {
    let own = c.rds.clusters.get(cluster).and_then(|cluster| cluster.database.as_deref());
    let system = ["mysql", "information_schema", "performance_schema", "sys"];
    if let Some(name) = c.call.json.get("database").and_then(Value::as_str)
        && own != Some(name)
        && !system.contains(&name)
    {
        return Err(Fault::new(404, "DatabaseNotFoundException", format!("Database {name} is not found.")));
    }
    if c.call.json.get("transactionId").is_some_and(|id| !id.is_null()) {
        return Err(Fault::new(404, "TransactionNotFoundException", "Transaction is not found."));
    }
    Ok(())
}

/// The writer, if it can answer now. A paused one begins to resume.
fn awake_writer(c: &mut Context<'_>, cluster: &str) -> Result<String, Fault> {
    let unavailable = |why: &str| {
        let text = format!("The database of cluster {cluster} is unavailable: {why}.");
        Fault::new(504, "DatabaseUnavailableException", text)
    };
    let now = c.now;
    let writer = c.rds.clusters.get(cluster).and_then(|cluster| cluster.writer.clone());
    let Some(writer) = writer.and_then(|writer| c.rds.instances.get(&writer)) else {
        return Err(unavailable("it has no writer"));
    };
    let status = writer.timeline.status(now);
    if !serves(status) {
        return Err(unavailable(&format!("its writer is {status}")));
    }
    if writer.class.starts_with("db.t") {
        return Err(bad("The Data API doesn't support T DB instance classes."));
    }
    let (id, resuming) = (writer.id.clone(), writer.class == "db.serverless" && now < writer.active_at);
    let paused = c.rds.is_paused(&id, now);
    if paused {
        pause::connect(c, now, cluster);
    }
    if paused || resuming {
        return Err(Fault::bad(
            "DatabaseResumingException",
            format!(
                "The Aurora DB instance {id} is resuming after being auto-paused. Please wait a few seconds and \
                 try again."
            ),
        ));
    }
    Ok(id)
}

/// The variables of an instance, by name. Those whose default depends on the class or the host are left out.
fn variables(instance: &Instance, family: &str) -> impl Iterator<Item = (String, String)> {
    parameters::of(family).filter_map(|parameter| {
        let value = instance.loaded.get(parameter.name).map_or(parameter.default, String::as_str);
        // Some parameters are written with hyphens, and no variable is.
        (!value.contains('{')).then(|| (parameter.name.replace('-', "_"), as_mysql_says(parameter, value)))
    })
}

fn as_mysql_says(parameter: &Parameter, value: &str) -> String {
    match (parameter.data_type, value) {
        ("boolean", "1") => "ON".into(),
        ("boolean", "0" | "") => "OFF".into(),
        _ => value.into(),
    }
}

/// The pattern of `SHOW GLOBAL VARIABLES LIKE '…'`; `%` when there is no LIKE. `None` for any other statement.
fn pattern(sql: &str) -> Option<&str> {
    let mut rest = sql.trim().trim_end_matches(';').trim_end();
    for word in ["show", "global", "variables"] {
        rest = keyword(rest, word)?;
    }
    if rest.is_empty() {
        return Some("%");
    }
    let quoted = keyword(rest, "like")?;
    let inner = ['\'', '"'].into_iter().find_map(|quote| quoted.strip_prefix(quote)?.strip_suffix(quote))?;
    (!inner.contains(['\'', '"'])).then_some(inner)
}

/// What follows a word and the space after it.
fn keyword<'s>(text: &'s str, word: &str) -> Option<&'s str> {
    let (first, rest) = (text.get(..word.len())?, text.get(word.len()..)?);
    let ends = rest.is_empty() || rest.starts_with(char::is_whitespace) || word == "like";
    (first.eq_ignore_ascii_case(word) && ends).then(|| rest.trim_start())
}

/// MySQL's LIKE: `%` any text, `_` any character, `\` takes the next one as it is.
fn like(text: &[u8], pattern: &[u8]) -> bool {
    // Which beginnings of the text the pattern so far stands for, by their length.
    let mut matched = vec![false; text.len() + 1];
    matched[0] = true;
    let mut letters = pattern.iter();
    while let Some(&letter) = letters.next() {
        if letter == b'%' {
            let first = matched.iter().position(|matches| *matches).unwrap_or(matched.len());
            matched[first..].fill(true);
            continue;
        }
        let exact = if letter == b'\\' { letters.next().copied().unwrap_or(letter) } else { letter };
        for length in (0..matched.len()).rev() {
            let fits = |before: usize| letter == b'_' || text[before] == exact;
            matched[length] = length > 0 && matched[length - 1] && fits(length - 1);
        }
    }
    matched[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_mysql() {
        let matches = |text: &str, pattern: &str| like(text.as_bytes(), pattern.as_bytes());
        assert!(matches("aws_default_s3_role", "aws_default%"));
        assert!(matches("aws-default-s3-role", "aws_default%"), "_ is any character");
        assert!(!matches("aws-default-s3-role", r"aws\_default%"));
        assert!(matches("a", "%") && matches("", "%") && !matches("", "_") && matches("abc", "%b_"));
        assert!(!matches("abc", "ab") && !matches("ab", "abc"));
    }

    #[test]
    fn one_statement_is_understood() {
        assert_eq!(pattern("SHOW GLOBAL VARIABLES LIKE 'aws_default%'"), Some("aws_default%"));
        assert_eq!(pattern(" show  global\nvariables like\"x\" ; "), Some("x"));
        assert_eq!(pattern("SHOW GLOBAL VARIABLES;"), Some("%"));
        for other in
            ["", "SELECT 1", "SHOW TABLES", "SHOW GLOBAL VARIABLES LIKE x", "SHOW GLOBAL VARIABLESLIKE 'x'"]
        {
            assert_eq!(pattern(other), None, "{other}");
        }
        assert_eq!(pattern("SHOW GLOBAL VARIABLES LIKE 'a'; DROP TABLE 'b'"), None);
    }
}
