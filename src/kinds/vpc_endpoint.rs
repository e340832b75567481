//! Gateway or interface endpoint of an AWS service in the VPC.

use crate::model::graph::Input;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct VpcEndpoint;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Id of the VPC.
    pub vpc: Input,
    /// `com.amazonaws.us-east-1.s3`
    pub service: String,
    /// Gateway endpoint (routes) or interface endpoint (network interfaces, private DNS).
    pub gateway: bool,
    /// Ids of route tables of a gateway endpoint, sorted.
    pub route_tables: Vec<Input>,
    /// Ids of subnets of an interface endpoint, sorted.
    pub subnets: Vec<Input>,
    /// Ids of security groups of an interface endpoint, sorted.
    pub security_groups: Vec<Input>,
    pub tags: BTreeMap<String, String>,
}
