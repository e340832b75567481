//! Looking at AWS, and carrying plans out.

pub mod events;
pub mod execute;
pub mod reconcile;
mod step;
