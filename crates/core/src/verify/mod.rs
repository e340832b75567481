//! Judges the live machine learning wiring of a cluster. Pure: the same facts give the same checks.
//!
//! It follows the chain from the cluster, whoever made its links: engine, parameter group, role, trust,
//! policy, association, members, endpoint, network, and on demand the database itself. What AWS says of them is
//! in [`facts`]; the `verify` of the crate above asks for it.
//!
//! **Invariant.** A refused question makes the checks that need its answer `not checked`; it never stops the
//! others.

mod checks;
pub mod facts;
mod judge;
pub mod paths;
pub mod permissions;
mod queries;
mod reach;
mod wiring;

pub use checks::{Check, Outcome, failed};
pub use judge::{judge, no_cluster, surroundings};
pub use queries::{Answered, Query, judge_query, judge_roles, queries};
