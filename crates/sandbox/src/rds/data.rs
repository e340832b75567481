//! The RDS Data API (service `rds-data`): SQL without a connection.
//!
//! Facts: fact book, sections 1.10 and 1.11; Aurora User Guide, "Using RDS Data API" with its pages on limitations,
//! calls and troubleshooting; botocore's model of rds-data, which also says what each exception stands for
//! (BadRequestException is that of Aurora Serverless v1 for statements; the others have DatabaseErrorException). That
//! MySQL's errors end with `; Error code: 1146; SQLState: 42S02` is what aurora-data-api reads from them. Which code
//! stands for which case, where those only list them, and all other wording are believed.

mod chain;
mod outside;
mod parameters;
mod records;
#[cfg(test)]
mod tests;

use super::context::{Context, Reach};
use super::hooks::serves;
use super::parameters::{self as catalogue, Parameter};
use super::state::Instance;
use super::{pause, settle, versions};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::database::{Answer, Asked, Entry, Oversize, Parameters, Server, SqlError, login};
use crate::s3::S3;
use crate::sagemaker::SageMaker;
use crate::wire::{Fault, Reply};
use outside::Surroundings;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a call waits for a statement, milliseconds (Aurora User Guide, "Calling RDS Data API").
const STATEMENT_MS: u64 = 45_000;
/// Characters of a statement, and parameter sets in a batch (botocore's model; Aurora User Guide, "Data API
/// limitations").
const STATEMENT_MAX: usize = 65_536;
const SETS_MAX: usize = 10_000;
const REQUEST_MAX: usize = 4 << 20;

/// What a statement asks beside RDS.
pub(crate) struct Beyond<'a> {
    pub s3: &'a mut S3,
    pub sagemaker: &'a SageMaker,
}

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

/// Whether a call can change something: statements that only look do not.
pub(crate) fn changes(call: &Call) -> bool {
    match call.operation.as_str() {
        "BeginTransaction" | "RollbackTransaction" => false,
        "ExecuteStatement" | "BatchExecuteStatement" => {
            !crate::database::only_looks(call.json.whole()["sql"].as_str().unwrap_or_default())
        }
        _ => true,
    }
}

pub(crate) fn handle(call: &Call, reach: Reach<'_>, beyond: Beyond<'_>) -> Reply {
    let c = &mut Context::new(call, reach);
    settle::settle(c);
    c.rds.took_ms = 0;
    // Before anything is carried out: what it does cannot be taken back.
    check_members(c)?;
    let opened = open(c)?;
    let mut outside = Surroundings::new(c, beyond, &opened.cluster, &opened.writer);
    let variables = Arc::new(outside.variables());
    let interrupted = outside.interrupted();
    let cluster = &opened.cluster;
    let Some(found) = outside.c.rds.clusters.get_mut(cluster) else { return Err(call.unknown()) };
    let (master, initial) = (found.master_username.clone(), found.database.clone());
    let mut server = std::mem::take(&mut found.server);
    if let Some(at) = interrupted {
        server.interrupted(at);
    }
    server.settle(call.now, &mut outside);
    let known = outside.known_password();
    let host = server.login(&master, &opened.user, &opened.password, known.as_deref());
    let reply = match host {
        None => Err(failed(&login(&opened.user))),
        Some(host) => {
            let entry =
                Entry { user: &opened.user, host, master: &master, initial: initial.as_deref(), variables };
            answer(call, &mut server, &entry, &mut outside)
        }
    };
    let waited = outside.waited();
    if let Some(found) = outside.c.rds.clusters.get_mut(cluster) {
        found.server = server;
    }
    let took = (outside.c.rds.took_ms + waited).min(STATEMENT_MS);
    outside.c.rds.took_ms = took;
    if let Some(writer) = outside.c.rds.instances.get_mut(&opened.writer) {
        // The time to the next pause begins anew.
        writer.active_at = call.now + took;
    }
    reply
}

fn answer(call: &Call, server: &mut Server, entry: &Entry<'_>, outside: &mut Surroundings<'_, '_>) -> Reply {
    match call.operation.as_str() {
        "ExecuteStatement" => execute(call, server, entry, outside),
        "BatchExecuteStatement" => batch(call, server, entry, outside),
        "BeginTransaction" => {
            // A token as long as AWS's; nobody reads it.
            let id = outside.c.random.letters(88);
            let database = call.json.get("database").and_then(Value::as_str);
            server.begin(entry, id.clone(), database, call.now).map_err(|error| failed(&error))?;
            Ok(json!({"transactionId": id}).into())
        }
        "CommitTransaction" | "RollbackTransaction" => {
            let commit = call.operation == "CommitTransaction";
            let id = call.json.get("transactionId").and_then(Value::as_str).unwrap_or_default();
            match server.end(id, commit, outside) {
                None => Err(no_transaction(id)),
                Some(Err(error)) => Err(failed(&error)),
                Some(Ok(())) => {
                    let status = if commit { "Transaction Committed" } else { "Rollback Complete" };
                    Ok(json!({"transactionStatus": status}).into())
                }
            }
        }
        _ => Err(call.unknown()),
    }
}

/// A statement's failure on the wire.
fn failed(error: &SqlError) -> Fault {
    Fault::bad("DatabaseErrorException", error.to_string())
}

fn no_transaction(id: &str) -> Fault {
    Fault::new(404, "TransactionNotFoundException", format!("Transaction {id} is not found."))
}

fn bad(message: impl Into<String>) -> Fault {
    Fault::bad("BadRequestException", message)
}

fn text<'a>(c: &Context<'a>, member: &str) -> Result<&'a str, Fault> {
    let given = c.call.json.get(member).and_then(Value::as_str).filter(|text| !text.is_empty());
    given.ok_or_else(|| bad(format!("{member} is missing")))
}

/// Refuses members that the operation does not have.
fn check_members(c: &Context<'_>) -> Result<(), Fault> {
    let mut known = vec!["resourceArn", "secretArn"];
    known.extend(match c.call.operation.as_str() {
        "ExecuteStatement" => &[
            "sql",
            "database",
            "schema",
            "parameters",
            "transactionId",
            "includeResultMetadata",
            "continueAfterTimeout",
            "resultSetOptions",
            "formatRecordsAs",
        ][..],
        "BatchExecuteStatement" => &["sql", "database", "schema", "parameterSets", "transactionId"][..],
        "BeginTransaction" => &["database", "schema"][..],
        _ => &["transactionId"][..],
    });
    for member in &known {
        c.call.json.get(member);
    }
    if let Some(member) = c.call.unread() {
        return Err(c.call.unmodelled(member));
    }
    // "Currently, the schema parameter isn't supported" (API reference).
    if c.call.json.get("schema").is_some_and(|schema| !schema.is_null()) {
        return Err(bad("Database schema is not supported for this engine"));
    }
    if c.call.request.body.len() > REQUEST_MAX {
        return Err(bad("The request is larger than 4 MiB"));
    }
    if known.contains(&"sql") {
        let sql = text(c, "sql")?;
        if sql.chars().count() > STATEMENT_MAX {
            return Err(bad(format!("Member sql must have length less than or equal to {STATEMENT_MAX}")));
        }
    }
    Ok(())
}

/// A database that can be asked, and who asks.
struct Opened {
    cluster: String,
    writer: String,
    user: String,
    password: String,
}

fn open(c: &mut Context<'_>) -> Result<Opened, Fault> {
    let (arn, secret) = (text(c, "resourceArn")?, text(c, "secretArn")?);
    let prefix = format!("arn:aws:rds:{}:{ACCOUNT}:cluster:", c.call.region);
    let id = arn.strip_prefix(&prefix).unwrap_or_default().to_string();
    check_cluster(c, arn, &id)?;
    let (user, password) = credentials(c, secret)?;
    let writer = awake_writer(c, &id)?;
    Ok(Opened { cluster: id, writer, user, password })
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

/// The user and password in a secret.
fn credentials(c: &Context<'_>, secret: &str) -> Result<(String, String), Fault> {
    let found =
        c.secrets.current_text(secret).ok_or_else(|| bad(format!("Secret {secret} is not found.")))?;
    let value: Value = serde_json::from_str(found).unwrap_or_default();
    match (value["username"].as_str(), value["password"].as_str()) {
        (Some(user), Some(password)) => Ok((user.into(), password.into())),
        _ => Err(Fault::bad(
            "InvalidSecretException",
            format!("Secret {secret} has no username and password."),
        )),
    }
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
        // "The DB cluster doesn't have a DB instance" (botocore's model).
        let text = format!("DB instance of cluster {cluster} is not found.");
        return Err(Fault::new(404, "DatabaseNotFoundException", text));
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

fn execute(call: &Call, server: &mut Server, entry: &Entry<'_>, outside: &mut Surroundings<'_, '_>) -> Reply {
    let parameters = parameters::read(call.json.get("parameters"))?;
    let asked = asked(call, &parameters, outside);
    let outcome = match server.execute(entry, &asked, outside) {
        Answer::Done(outcome) => outcome,
        Answer::Failed(error) => return Err(failed(&error)),
        Answer::NoTransaction => return Err(no_transaction(asked.transaction.unwrap_or_default())),
        Answer::TooLong => {
            outside.c.rds.took_ms = STATEMENT_MS;
            return Err(Fault::bad("StatementTimeoutException", "Request timed out"));
        }
    };
    outside.c.rds.took_ms += (outcome.seconds * 1_000.0) as u64;
    // Aurora User Guide, "Troubleshooting RDS Data API": the headings are the messages.
    match outcome.oversize {
        Some(Oversize::Row) => {
            return Err(Fault::bad("UnsupportedResultException", "Packet for query is too large"));
        }
        Some(Oversize::Result) => {
            let text = "Database response exceeded size limit";
            return Err(Fault::bad("UnsupportedResultException", text));
        }
        None => {}
    }
    let json = call.json.get("formatRecordsAs").and_then(Value::as_str) == Some("JSON");
    let metadata = call.json.get("includeResultMetadata").and_then(Value::as_bool) == Some(true);
    let options = call.json.get("resultSetOptions").cloned().unwrap_or_default();
    Ok(records::answer(&outcome, json, metadata, &options).into())
}

fn asked<'a>(call: &'a Call, parameters: &'a Parameters, outside: &mut Surroundings<'_, '_>) -> Asked<'a> {
    let text = |member: &str| call.json.get(member).and_then(Value::as_str);
    Asked {
        sql: text("sql").unwrap_or_default(),
        parameters,
        database: text("database").filter(|name| !name.is_empty()),
        transaction: text("transactionId"),
        continues: call.json.get("continueAfterTimeout").and_then(Value::as_bool) == Some(true),
        now: call.now,
        seed: outside.seed(),
    }
}

/// The statement once for each set of parameters. Without a transaction each that succeeds is committed.
fn batch(call: &Call, server: &mut Server, entry: &Entry<'_>, outside: &mut Surroundings<'_, '_>) -> Reply {
    let sets = call.json.get("parameterSets").and_then(Value::as_array).cloned().unwrap_or_default();
    if sets.len() > SETS_MAX {
        return Err(bad(format!("A batch has at most {SETS_MAX} parameter sets")));
    }
    let sets = if sets.is_empty() { vec![json!([])] } else { sets };
    let mut results = Vec::with_capacity(sets.len());
    let mut took = 0.0;
    for set in &sets {
        let parameters = parameters::read(Some(set))?;
        let asked = asked(call, &parameters, outside);
        match server.execute(entry, &asked, outside) {
            Answer::Done(outcome) if outcome.columns.is_empty() => {
                took += outcome.seconds;
                results.push(json!({"generatedFields": records::generated(&outcome)}));
            }
            Answer::Done(_) => return Err(bad("A batch cannot run statements that return records")),
            Answer::Failed(error) => return Err(failed(&error)),
            Answer::NoTransaction => return Err(no_transaction(asked.transaction.unwrap_or_default())),
            Answer::TooLong => return Err(Fault::bad("StatementTimeoutException", "Request timed out")),
        }
    }
    outside.c.rds.took_ms += (took * 1_000.0) as u64;
    Ok(json!({"updateResults": results}).into())
}

/// The variables of an instance, by name. Those whose default depends on the class or the host are left out.
fn variables(instance: &Instance, version: &str) -> BTreeMap<String, String> {
    let family = versions::find(version).map_or("aurora-mysql8.0", |version| version.family());
    let own = catalogue::of(family).filter_map(|parameter| {
        let value = instance.loaded.get(parameter.name).map_or(parameter.default, String::as_str);
        // Some parameters are written with hyphens, and no variable is.
        (!value.contains('{')).then(|| (parameter.name.replace('-', "_"), as_mysql_says(parameter, value)))
    });
    let mut all: BTreeMap<String, String> = own.collect();
    // `8.0.mysql_aurora.3.08.2`
    let aurora = version.split("mysql_aurora.").nth(1).unwrap_or(version);
    all.insert("aurora_version".into(), aurora.into());
    all
}

fn as_mysql_says(parameter: &Parameter, value: &str) -> String {
    match (parameter.data_type, value) {
        ("boolean", "1") => "ON".into(),
        ("boolean", "0" | "") => "OFF".into(),
        _ => value.into(),
    }
}
