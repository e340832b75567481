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

use crate::aws::Failure;
use crate::stack::Stack;
use auroraml_core::verify::no_cluster;
pub use auroraml_core::verify::{Check, Outcome, facts, failed, judge, paths, permissions};

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
