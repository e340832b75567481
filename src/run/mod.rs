//! Looking at AWS, and carrying plans out.

mod again;
pub mod audit;
pub mod bills;
pub mod data;
pub mod drift;
pub mod execute;
mod facts;
pub mod found;
pub mod known;
pub mod lease;
pub mod preflight;
pub mod prices;
pub mod reconcile;
mod renamed;
mod shared;
mod step;
pub mod takeover;

pub use crate::aws::Stop;
