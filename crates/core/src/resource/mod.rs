//! Desired resources, and what is known of each kind of them. Pure.

mod graph;
mod judge;
pub mod permission;
mod rules;

pub use graph::{Added, Deletion, Deletions, Graph, Resource, Restarts};
pub use judge::{Past, Sight, Verdict, by_difference};
pub use rules::{Action, Asked, Catalog, Nature, PLAIN, Refusal, Rules};
