//! The members of a cluster: what they look like, what interrupts them, and which restarts next. Pure.

mod interruption;
pub mod restart;

pub use interruption::{Effect, Impact, Interruption, Permit, Seconds};
pub use restart::{Member, Policy, Topology};
