//! Looking at AWS, and carrying plans out.

pub mod events;
pub mod execute;
mod facts;
pub mod preflight;
pub mod reconcile;
mod step;
pub mod verify;
