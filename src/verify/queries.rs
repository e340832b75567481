//! Sends the queries by which a person sees that all of it works together.

use super::database;
use crate::aws::{Aws, Rows, Sql};
use auroraml_core::model::wired_roles;
use auroraml_core::spec::Spec;
use auroraml_core::sql::grants::Granted;
use auroraml_core::sql::roles::ROLES;
use auroraml_core::sql::{function, quote};
use auroraml_core::verify::facts::Cluster;
use auroraml_core::verify::{Answered, Check, Outcome, Query, judge_query, judge_roles, queries};

/// Checks of the session, of the functions, and of each query. `given` is the query of a person, in the place of ours;
/// `checks` is what is known of the wiring.
pub(super) async fn ask(
    aws: &Aws,
    spec: &Spec,
    cluster: &Cluster,
    given: Option<&str>,
    checks: &[Check],
) -> Vec<Check> {
    let sql = match database::open(aws, spec, cluster).await {
        Ok(sql) => sql,
        Err((why, fix)) => {
            let object = format!("cluster {}", cluster.id);
            return vec![Check {
                check: "query".into(),
                object,
                outcome: Outcome::Failed,
                found: why,
                fix: Some(fix),
            }];
        }
    };
    let mut all = roles(aws, spec, &sql).await;
    all.extend(functions(aws, spec, &sql).await);
    let asked = match given {
        Some(sql) => {
            vec![Query { name: "query".into(), sql: sql.to_string(), uses: Vec::new(), endpoint: None }]
        }
        None => queries(spec, &filled(aws, spec, &sql).await),
    };
    if asked.is_empty() {
        let found =
            "the spec has neither Comprehend nor a function that calls an endpoint: write --query 'SELECT …'";
        let object = format!("cluster {}", cluster.id);
        all.push(Check {
            check: "query".into(),
            object,
            outcome: Outcome::Note,
            found: found.into(),
            fix: None,
        });
    }
    let known: Vec<Check> = checks.iter().chain(&all).cloned().collect();
    for query in asked {
        let answered = one(aws, &sql.within(spec.database()), &query.sql).await;
        all.push(judge_query(&query, &answered, &known));
    }
    all
}

async fn one(aws: &Aws, sql: &Sql, statement: &str) -> Answered {
    // The first answer may be that of a cluster that wakes up.
    let began = aws.clock.now_ms();
    match sql.ask(aws, statement).await {
        Ok(Rows { columns, rows, .. }) => {
            Answered::Rows { columns, rows, milliseconds: aws.clock.now_ms().saturating_sub(began) }
        }
        Err(failure) => Answered::Failed { error: failure.to_string() },
    }
}

/// Whether the user that runs SQL may call what the spec lets SQL call.
async fn roles(aws: &Aws, spec: &Spec, sql: &Sql) -> Vec<Check> {
    let wired = wired_roles(spec);
    let wanted: Vec<(String, &str)> = ROLES
        .iter()
        .filter(|role| wired.contains(role.name))
        .map(|role| (role.name.to_string(), role.ability))
        .collect();
    let asked = async {
        let session = sql.ask(aws, "SELECT CURRENT_USER(), CURRENT_ROLE()").await?;
        let grants = sql.ask(aws, "SHOW GRANTS").await?;
        Ok::<_, crate::aws::Failure>((session, grants))
    };
    match asked.await {
        Ok((session, grants)) => {
            let [user, active] = session.texts().next().unwrap_or_default();
            let (name, host) = user.rsplit_once('@').unwrap_or((user, "%"));
            // `` `AWS_SAGEMAKER_ACCESS`@`%`,… ``, or NONE.
            let active: Vec<String> = active
                .split(',')
                .map(|role| role.split('@').next().unwrap_or(role).trim_matches('`').to_string())
                .collect();
            let granted = Granted::parse(grants.texts().map(|[row]| row)).unwrap_or_default();
            let granted: Vec<String> = granted.roles.into_iter().collect();
            judge_roles(&quote::account(name, host), &wanted, &granted, &active)
        }
        Err(failure) => vec![Check {
            check: "grants".into(),
            object: "the user that runs SQL".into(),
            outcome: Outcome::NotChecked,
            found: failure.to_string(),
            fix: None,
        }],
    }
}

/// Whether the functions of the spec are there.
async fn functions(aws: &Aws, spec: &Spec, sql: &Sql) -> Vec<Check> {
    let Some(database) = spec.database() else { return Vec::new() };
    let mut all = Vec::new();
    for name in spec.functions.keys() {
        let answer = sql.ask(aws, &function::show(database, name)).await;
        let (outcome, found, fix) = match answer {
            Ok(_) => (Outcome::Ok, "it is there".to_string(), None),
            Err(failure) => (Outcome::Failed, failure.to_string(), Some("auroraml apply".to_string())),
        };
        all.push(Check {
            check: "function".into(),
            object: format!("{database}.{name}"),
            outcome,
            found,
            fix,
        });
    }
    all
}

/// Tables of the spec that have rows.
async fn filled(aws: &Aws, spec: &Spec, sql: &Sql) -> Vec<String> {
    let Some(database) = spec.database() else { return Vec::new() };
    let mut filled = Vec::new();
    for table in spec.tables.keys() {
        let ask = format!("SELECT EXISTS(SELECT 1 FROM {})", quote::of(database, table));
        if sql.ask(aws, &ask).await.is_ok_and(|answer| answer.value() == Some("1")) {
            filled.push(table.clone());
        }
    }
    filled
}
