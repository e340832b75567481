//! The functions in the stack's database.

use super::{ByName, looked, scope};
use crate::aws::sql::error_number;
use crate::aws::{Aws, Failure, Look, Sql};
use auroraml_core::kinds::sql_function::mark;
use auroraml_core::sql::function::{Calls, Function, show};
use auroraml_core::sql::quote;
use futures_util::StreamExt;
use futures_util::stream;
use std::sync::Arc;

/// Functions that the spec does not name and that are read all the same, to see whether they call the stack's endpoints.
const OTHERS_MAX: usize = 50;
/// Statements at once.
const AT_ONCE: usize = 8;
/// `PROCEDURE or FUNCTION … does not exist` (MySQL 8.0 Error Reference, 1305).
const NO_SUCH_FUNCTION: u32 = 1305;

/// What the database shows of a function.
#[derive(Clone, Debug)]
pub struct Shown {
    pub name: String,
    /// What it is, or why that cannot be said.
    pub function: Result<Function, String>,
    /// Whether it is of this stack's making, as far as what it is tells.
    pub ours: bool,
    /// Whether the spec names it.
    pub named: bool,
}

/// Those that the spec names, and those that are of the stack's making, by name.
pub async fn functions(look: Look<'_>) -> Result<Arc<Result<ByName<Shown>, String>>, Failure> {
    look.shared("SQL functions", Box::pin(looked(look, |sql| async move { all(look.aws, &sql).await }))).await
}

/// The same, or nothing where nobody could look; why that is so.
pub async fn shown(look: Look<'_>) -> Result<(Vec<Shown>, Option<String>), Failure> {
    Ok(match functions(look).await?.as_ref() {
        Ok(all) => (all.values().cloned().collect(), None),
        Err(why) => (Vec::new(), Some(why.clone())),
    })
}

async fn all(aws: &Aws, sql: &Sql) -> Result<ByName<Shown>, Failure> {
    let scope = scope(aws)?;
    let listed = format!(
        "SELECT ROUTINE_NAME, ROUTINE_COMMENT FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {} AND ROUTINE_TYPE = 'FUNCTION'",
        quote::text(&scope.database)
    );
    let listed = sql.ask(aws, &listed).await?;
    let named = |name: &str| scope.functions.iter().any(|own| own.eq_ignore_ascii_case(name));
    let own = mark(&aws.place.stack);
    let (mut wanted, mut others) = (Vec::new(), 0);
    for [name, comment] in listed.texts() {
        others += usize::from(!named(name) && comment != own);
        if named(name) || comment == own || others <= OTHERS_MAX {
            wanted.push(name.to_string());
        }
    }
    let read = stream::iter(wanted).map(async |name| {
        let function = one(aws, sql, &scope.database, &name).await?;
        Ok::<_, Failure>(function.map(|function| (name, function)))
    });
    let read: Vec<Result<_, Failure>> = read.buffered(AT_ONCE).collect().await;
    let mut found = ByName::new();
    for one in read {
        let Some((name, function)) = one? else { continue };
        let named = named(&name);
        let ours = function.as_ref().is_ok_and(|function| is_ours(aws, function));
        if named || ours {
            // The spec's letters: MySQL takes a name in any.
            let key = scope.functions.iter().find(|own| own.eq_ignore_ascii_case(&name)).cloned();
            found.insert(key.unwrap_or_else(|| name.clone()), Shown { name, function, ours, named });
        }
    }
    Ok(found)
}

async fn one(
    aws: &Aws,
    sql: &Sql,
    database: &str,
    name: &str,
) -> Result<Option<Result<Function, String>>, Failure> {
    let answer = match sql.ask(aws, &show(database, name)).await {
        Ok(answer) => answer,
        // Dropped in between.
        Err(failure) if error_number(&failure) == Some(NO_SUCH_FUNCTION) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    // Function, sql_mode, Create Function, …; NULL for whoever may not see it (MySQL 8.0 Reference Manual, 13.7.7.8).
    let statement = answer.rows.first().and_then(|row| row.get(2)).and_then(|text| text.as_deref());
    Ok(Some(match statement {
        Some(statement) => Function::parse(statement),
        None => Err("the user that runs SQL cannot see its definition".into()),
    }))
}

/// Whether a function is this stack's by what it is: it carries the mark, calls an endpoint of the spec, or a model that
/// the spec lets SQL call.
fn is_ours(aws: &Aws, function: &Function) -> bool {
    match &function.calls {
        Calls::Sagemaker { endpoint, .. } => {
            let all = aws.scope.endpoints.iter().chain(&aws.scope.notebook_endpoints);
            all.into_iter().any(|own| own.eq_ignore_ascii_case(endpoint))
        }
        Calls::Bedrock { model, .. } => aws.scope.sql.as_ref().is_some_and(|sql| sql.models.contains(model)),
        Calls::Expression { comment, .. } => *comment == mark(&aws.place.stack),
        Calls::Other { .. } => false,
    }
}
