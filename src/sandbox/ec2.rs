//! Simulated Ec2.
use super::wire::Reply;
use super::{Call, Global, Region};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Ec2 {}

pub(super) fn handle(call: &Call, _region: &mut Region, _global: &mut Global) -> Reply {
    Err(call.unknown())
}

/// What other services need of EC2.
impl Ec2 {
    /// The availability zone of a subnet, if it exists and is visible.
    pub fn subnet_zone(&self, _subnet: &str) -> Option<String> {
        None
    }
    pub fn security_group_exists(&self, _group: &str) -> bool {
        false
    }
    /// A requester-managed network interface, made by another service in the customer's subnet.
    /// It blocks deletion of the subnet and of the groups until released.
    pub fn add_interface(
        &mut self,
        _id: &str,
        _subnet: &str,
        _groups: &[String],
        _description: &str,
        _requester: &str,
    ) {
    }
    /// The interface disappears at `at` (milliseconds since the Unix epoch), not before.
    pub fn release_interface(&mut self, _id: &str, _at: u64) {}
}
