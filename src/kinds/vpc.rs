//! VPC with DNS support and host names on.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct Vpc;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// IPv4 range.
    pub cidr: String,
    pub dns_support: bool,
    pub dns_hostnames: bool,
    pub tags: BTreeMap<String, String>,
}
