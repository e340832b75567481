//! `verify`: proves the machine learning wiring live, and changes nothing.
//!
//! [`gather`] and its neighbours ask AWS, with one describe for each object; the answers are judged by
//! [`auroraml_core::verify`].
//!
//! **Invariant.** A refused question makes the checks that need its answer `not checked`; it never stops the
//! others.

mod answers;
mod database;
mod endpoints;
mod gather;
mod network;
mod queries;

use crate::aws::Failure;
use crate::kinds::sql;
use crate::stack::Stack;
pub use auroraml_core::verify::{Check, Outcome, facts, failed, judge, paths, permissions};
use auroraml_core::verify::{no_cluster, surroundings};

/// What would keep new wiring from working, as notes for a plan: an endpoint that is not there or does not serve, and,
/// where others own the cluster, a service to which there is no network path. Changes nothing, and a refused question
/// gives no note.
pub async fn outlook(stack: &Stack) -> Vec<String> {
    let Ok(facts) = gather::surroundings(stack).await else { return Vec::new() };
    let failed = surroundings(&facts).into_iter().filter(|check| check.outcome == Outcome::Failed);
    failed
        .map(|check| {
            // Whoever makes an endpoint knows how.
            let fix = check.fix.filter(|_| check.check != "endpoint");
            let fix = fix.map(|fix| format!(" ({fix})")).unwrap_or_default();
            format!("SQL cannot use the wiring yet: {}: {}{fix}", check.object, check.found)
        })
        .collect()
}

/// As [`verify`] with `deep`, and then sends queries: the articles' own, or the given one.
///
/// # Errors
/// When the cluster cannot be looked at.
pub async fn query(stack: &Stack, given: Option<&str>) -> Result<Vec<Check>, Failure> {
    let Some(facts) = gather::gather(stack, true).await? else { return verify(stack, false).await };
    let mut checks = judge(&facts);
    let more = queries::ask(&stack.aws, &stack.spec, &facts.cluster, given, &checks).await;
    checks.extend(more);
    Ok(checks)
}

/// Whether the database answers SQL: asked through the RDS Data API, which has to be on.
///
/// # Errors
/// Why it does not.
pub async fn answers(stack: &Stack) -> Result<(), Failure> {
    let sql = sql::open(&stack.aws, &stack.spec).await?;
    sql.ask(&stack.aws, "SELECT 1").await.map(|_| ())
}

/// Looks at the live wiring of the stack's cluster. With `deep` the database is asked as well, through the RDS
/// Data API; that wakes a paused cluster. Without a cluster of that name the one check says so.
///
/// # Errors
/// When the cluster cannot be looked at: then there is nothing to follow.
pub async fn verify(stack: &Stack, deep: bool) -> Result<Vec<Check>, Failure> {
    let aws = &stack.aws;
    Ok(match gather::gather(stack, deep).await? {
        Some(facts) => judge(&facts),
        None => vec![no_cluster(&aws.cluster(), &aws.place.region, aws.scope.existing_cluster.is_some())],
    })
}
