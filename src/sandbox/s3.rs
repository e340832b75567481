//! Simulated S3.
use super::wire::Reply;
use super::{Call, Global, Region};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct S3 {}

pub(super) fn handle(call: &Call, _region: &mut Region, _global: &mut Global) -> Reply {
    Err(call.unknown())
}

/// The name of the S3 operation that a request asks for.
pub(super) fn operation(_request: &super::wire::Request) -> &'static str {
    "Unknown"
}
