//! Subnet in one availability zone.

use crate::model::graph::Input;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct Subnet;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Id of the VPC.
    pub vpc: Input,
    pub cidr: String,
    /// Name of the availability zone.
    pub zone: String,
    /// Whether instances get a public address.
    pub public: bool,
    pub tags: BTreeMap<String, String>,
}
