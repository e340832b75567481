//! `verify`: proves the machine learning wiring live, and changes nothing.
//!
//! It follows the chain from the cluster, whoever made its links: engine, parameter group, role, trust,
//! policy, association, members, endpoint, network, and on demand the database itself. [`gather`] and its
//! neighbours ask AWS, with one describe for each object; [`judge`] turns the answers into checks and is
//! pure.
//!
//! **Invariant.** A refused question makes the checks that need its answer `not checked`; it never stops the
//! others.

mod database;
mod endpoints;
pub mod facts;
mod gather;
pub mod judge;
mod network;
pub mod paths;
pub mod permissions;
mod reach;
mod wiring;

use crate::aws::{Aws, Failure};
use crate::spec::Spec;
use serde::Serialize;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked, such as `sagemaker role`.
    pub check: String,
    /// The object that it was checked on.
    pub object: String,
    pub outcome: Outcome,
    /// What was found.
    pub found: String,
    /// What puts it right, or makes it possible to check it.
    pub fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Ok,
    Failed,
    /// AWS did not say.
    NotChecked,
    /// Nothing is wrong with it, and one should know.
    Note,
}

/// Whether any check failed.
pub fn failed(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.outcome == Outcome::Failed)
}

/// Looks at the live wiring of the spec's cluster. With `deep` the database is asked as well, through the RDS
/// Data API; that wakes a paused cluster. Without a cluster of that name the one check says so.
///
/// # Errors
/// When the cluster cannot be looked at: then there is nothing to follow.
pub async fn verify(aws: &Aws, spec: &Spec, deep: bool) -> Result<Vec<Check>, Failure> {
    Ok(match gather::gather(aws, spec, deep).await? {
        Some(facts) => judge::judge(&facts),
        None => {
            vec![judge::no_cluster(&aws.cluster(), &aws.place.region, aws.scope.existing_cluster.is_some())]
        }
    })
}
