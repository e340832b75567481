//! Simulated Iam.
use super::wire::Reply;
use super::{Call, Global, Region};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Iam {}

pub(super) fn handle(call: &Call, _region: &mut Region, _global: &mut Global) -> Reply {
    Err(call.unknown())
}

/// What other services need of IAM.
impl Iam {
    /// Whether `service` (such as `rds.amazonaws.com`) can assume the role at `now`: it exists, trusts the
    /// service, and its creation has propagated.
    pub fn assumable(&self, _arn: &str, _service: &str, _now: u64) -> bool {
        false
    }
    /// Whether the role exists at all.
    pub fn role_exists(&self, _arn: &str) -> bool {
        false
    }
}
