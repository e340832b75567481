//! Simulated Rds.
use super::wire::Reply;
use super::{Call, Global, Region};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Rds {}

pub(super) fn handle(call: &Call, _region: &mut Region, _global: &mut Global) -> Reply {
    Err(call.unknown())
}
