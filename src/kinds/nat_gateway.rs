//! Public NAT gateway.

use crate::model::graph::Input;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct NatGateway;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Id of the (public) subnet.
    pub subnet: Input,
    /// Allocation id of the Elastic IP address.
    pub address: Input,
    pub tags: BTreeMap<String, String>,
}
