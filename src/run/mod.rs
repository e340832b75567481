//! Looking at AWS, and carrying plans out.

pub mod execute;
mod facts;
pub mod preflight;
pub mod reconcile;
mod shared;
mod step;

pub use shared::Stop;
