//! Route table with its routes and the subnets that use it.

use crate::model::graph::Input;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct RouteTable;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Id of the VPC.
    pub vpc: Input,
    /// Destination range to gateway id (`igw-…`, `nat-…`). Local and gateway endpoint routes are not listed;
    /// a blackhole counts as missing.
    pub routes: BTreeMap<String, Input>,
    /// Ids of associated subnets, sorted.
    pub subnets: Vec<Input>,
    pub tags: BTreeMap<String, String>,
}
