//! What the SQL kinds share: whether anybody may look into the database, by whom SQL is sent, and one look for all who
//! look at the same time.

mod functions;
mod grants;
pub mod moves;
mod tables;

pub(super) use functions::{Shown, functions, shown};
pub(super) use grants::users;
pub use tables::{PROCESSES, Tables, statements};
pub(super) use tables::{histories, running, tables};

use super::kind::absent_ok;
use super::rds;
use crate::aws::{Aws, Class, During, Failure, Look, Sql};
use auroraml_core::model::facts::SqlFacts;
use auroraml_core::model::{SqlScope, sql_scope};
use auroraml_core::spec::Spec;
use aws_sdk_rds::types::DbCluster;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whether the database can be looked into.
#[derive(Clone, Debug)]
pub enum Gate {
    /// Nobody asks, or there is no cluster yet that could be asked.
    Nothing,
    /// There is one, and nobody looks into it: why.
    Unseen(String),
    Open(Sql),
}

impl Gate {
    pub fn open(&self) -> Option<&Sql> {
        match self {
            Gate::Open(sql) => Some(sql),
            _ => None,
        }
    }
    pub fn unseen(&self) -> Option<&str> {
        match self {
            Gate::Unseen(why) => Some(why),
            _ => None,
        }
    }
}

/// What the spec says of what is in the database.
pub(super) fn scope(aws: &Aws) -> Result<&SqlScope, Failure> {
    let scope = aws.scope.sql.as_ref();
    scope.ok_or_else(|| Failure::refused("SQL", "the spec says nothing of what is in the database (a bug)"))
}

/// Whether, and how, the database can be looked into now. Whoever changes something looks in any case.
pub async fn gate(look: Look<'_>) -> Result<Arc<Gate>, Failure> {
    // On the heap: the SDK's futures are large.
    look.shared("SQL gate", Box::pin(find_gate(look))).await
}

async fn find_gate(look: Look<'_>) -> Result<Gate, Failure> {
    let aws = look.aws;
    let Some(scope) = aws.scope.sql.as_ref().filter(|_| look.inside.looks) else { return Ok(Gate::Nothing) };
    let found = rds::cluster(look).await?;
    let Some(cluster) = found.as_ref() else { return Ok(Gate::Nothing) };
    match cluster.status().unwrap_or_default() {
        "creating" | "deleting" | "migrating" => return Ok(Gate::Nothing),
        status @ ("stopped" | "stopping" | "starting") => {
            return Ok(Gate::Unseen(format!("the cluster is {status}")));
        }
        _ => {}
    }
    if cluster.http_endpoint_enabled() != Some(true) {
        return Ok(Gate::Nothing);
    }
    let instances = rds::instances(look).await?;
    let writer = cluster.db_cluster_members().iter().find(|member| member.is_cluster_writer() == Some(true));
    let writer = writer.and_then(|writer| {
        instances.iter().find(|instance| instance.db_instance_identifier() == writer.db_instance_identifier())
    });
    let stands = |status: Option<&str>| !matches!(status, Some("creating" | "deleting"));
    let Some(writer) = writer.filter(|writer| stands(writer.db_instance_status())) else {
        return Ok(Gate::Nothing);
    };
    // RDS does not say whether a cluster is paused (fact book, section 1.10): one that pauses is taken for paused.
    let least = cluster.serverless_v2_scaling_configuration().and_then(|range| range.min_capacity());
    let pauses = writer.db_instance_class() == Some("db.serverless") && least == Some(0.0);
    if pauses && !look.inside.wakes {
        return Ok(Gate::Unseen("looking into it could wake the paused cluster".into()));
    }
    Ok(match secret(aws, scope, cluster).await? {
        Some(secret_arn) => {
            let cluster_arn = cluster.db_cluster_arn().unwrap_or_default().to_string();
            Gate::Open(Sql { cluster_arn, secret_arn, database: None })
        }
        None => Gate::Nothing,
    })
}

/// ARN of the secret with the user that runs SQL.
async fn secret(aws: &Aws, scope: &SqlScope, cluster: &DbCluster) -> Result<Option<String>, Failure> {
    let named = match (&scope.secret, scope.own_secret) {
        (Some(arn), _) if arn.starts_with("arn:") => return Ok(Some(arn.clone())),
        (Some(name), _) => name.clone(),
        (None, true) => aws.place.secret(),
        (None, false) => {
            let managed =
                cluster.master_user_secret().filter(|secret| secret.secret_status() != Some("creating"));
            return Ok(managed.and_then(|secret| secret.secret_arn()).map(String::from));
        }
    };
    let request = aws.secretsmanager.describe_secret().secret_id(&named);
    let found = absent_ok(request.send().await.during("DescribeSecret"))?;
    // One in its recovery window holds the user of another cluster.
    Ok(found.filter(|found| found.deleted_date().is_none()).and_then(|found| found.arn))
}

/// A way to the database for whoever changes something in it.
pub(super) async fn connect(aws: &Aws) -> Result<Sql, Failure> {
    let look = Look::for_a_change(aws);
    match gate(look).await?.as_ref() {
        Gate::Open(sql) => Ok(sql.clone()),
        Gate::Unseen(why) => {
            Err(Failure::busy("ExecuteStatement", format!("cannot reach the database: {why}")))
        }
        Gate::Nothing => Err(Failure::busy(
            "ExecuteStatement",
            "cannot reach the database yet: it needs cluster, writer, Data API and secret",
        )),
    }
}

/// A way to the database for what a person asks of it now, whether the spec says anything of what is in it or not.
///
/// # Errors
/// When there is none: what is missing, and what to do.
pub async fn open(aws: &Aws, spec: &Spec) -> Result<Sql, Failure> {
    let look = Look::for_a_change(aws);
    let refused = |why: String| Failure::refused("ExecuteStatement", why);
    let identifier = aws.cluster();
    let scope = sql_scope(spec).ok_or_else(|| refused("the spec has no cluster: add `aurora`".into()))?;
    let found = rds::cluster(look).await?;
    let Some(cluster) = found.as_ref() else {
        return Err(refused(format!("DB cluster {identifier} does not exist: apply the spec first")));
    };
    if cluster.http_endpoint_enabled() != Some(true) {
        return Err(refused(format!(
            "the Data API of {identifier} is off: aws rds enable-http-endpoint --resource-arn {} (not with T classes)",
            cluster.db_cluster_arn().unwrap_or_default()
        )));
    }
    match secret(aws, &scope, cluster).await? {
        Some(secret_arn) => {
            let cluster_arn = cluster.db_cluster_arn().unwrap_or_default().to_string();
            Ok(Sql { cluster_arn, secret_arn, database: None })
        }
        None => Err(refused(format!(
            "no secret with a user of {identifier} is known: add `secret: ARN` to `aurora`, or let RDS manage the master user's password"
        ))),
    }
}

/// What is asked of the open database, or nothing; why nobody looked where that is so. Where a plan only wants to know,
/// a database that does not answer is one that was not looked at.
pub(super) async fn looked<T: Default, F: Future<Output = Result<T, Failure>>>(
    look: Look<'_>,
    ask: impl FnOnce(Sql) -> F,
) -> Result<Result<T, String>, Failure> {
    match gate(look).await?.as_ref() {
        Gate::Nothing => Ok(Ok(T::default())),
        Gate::Unseen(why) => Ok(Err(why.clone())),
        Gate::Open(sql) => match ask(sql.clone()).await {
            Ok(answer) => Ok(Ok(answer)),
            // "The DB cluster doesn't have a DB instance" (API reference of the Data API), whatever RDS still lists: the
            // steps look again when there is one.
            Err(failure) if failure.code == "DatabaseNotFoundException" && look.only.is_none() => {
                Ok(Ok(T::default()))
            }
            Err(failure) if look.inside.wakes || look.only.is_some() => Err(failure),
            Err(failure) => Ok(Err(not_seen(&failure))),
        },
    }
}

fn not_seen(failure: &Failure) -> String {
    match failure.class {
        Class::Denied => {
            "this principal is not allowed to run SQL (rds-data:ExecuteStatement, secretsmanager:GetSecretValue)"
                .into()
        }
        _ => failure.to_string(),
    }
}

/// What the model must know of the database; none where the spec says nothing of it or there is no cluster.
///
/// # Errors
/// When AWS cannot be asked.
pub async fn facts(look: Look<'_>) -> Result<Option<SqlFacts>, Failure> {
    let Some(scope) = look.aws.scope.sql.as_ref().filter(|_| look.inside.looks) else { return Ok(None) };
    let found = rds::cluster(look).await?;
    let Some(cluster) = found.as_ref() else { return Ok(None) };
    let (gate, secret) = tokio::join!(gate(look), secret(look.aws, scope, cluster));
    let (gate, mut notes) = (gate?, Vec::new());
    let unseen = match gate.as_ref() {
        Gate::Unseen(why) => Some(why.clone()),
        Gate::Open(_) => look_for_notes(look, scope, &mut notes).await?,
        Gate::Nothing => None,
    };
    if let Some(why) = unseen {
        let how = if why.contains("could wake") { "; --wake does it anyway" } else { "" };
        notes.push(format!("the database {} was not checked: {why}{how}", scope.database));
    }
    Ok(Some(SqlFacts {
        data_api: cluster.http_endpoint_enabled() == Some(true),
        secret: secret?.is_some(),
        notes,
    }))
}

/// Files that are not loaded, users that are not there, functions that nobody can read. Why nobody looked, if so.
async fn look_for_notes(
    look: Look<'_>,
    scope: &SqlScope,
    notes: &mut Vec<String>,
) -> Result<Option<String>, Failure> {
    if look.inside.leaves {
        return Ok(match functions(look).await?.as_ref() {
            Ok(_) => None,
            Err(why) => Some(why.clone()),
        });
    }
    let (tables, users) = tokio::join!(tables(look), users(look));
    let (tables, users) = match (tables?, users?) {
        (Ok(tables), Ok(users)) => (tables, users),
        (Err(why), _) | (_, Err(why)) => return Ok(Some(why)),
    };
    let histories = match histories(look).await? {
        Ok(histories) => histories,
        Err(why) => return Ok(Some(why)),
    };
    for (_, load) in &scope.loads {
        let table = tables.by_name.get(&load.table);
        if table.is_some_and(|table| table.has_rows) && !histories.has(load, table) && !load.append {
            notes.push(format!(
                "{} is not loaded: the table {} already has other rows; to add to them, write `append: true`",
                load.from, load.table
            ));
        }
    }
    for (user, host) in &scope.users {
        if !users.there.contains(&(user.clone(), host.clone())) {
            notes.push(format!(
                "the database has no user '{user}'@'{host}', and auroraml does not create users: create it first (CREATE USER)"
            ));
        }
    }
    Ok(None)
}

/// By name, in the order of the spec.
pub(super) type ByName<T> = BTreeMap<String, T>;
