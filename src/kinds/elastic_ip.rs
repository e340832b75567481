//! Elastic IP address, for a NAT gateway.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct ElasticIp;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    pub tags: BTreeMap<String, String>,
}
