//! Elastic IP address, for a NAT gateway.

use super::Kind;
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct ElasticIp;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    pub tags: BTreeMap<String, String>,
}

impl Kind for ElasticIp {
    const NAME: &'static str = "elastic_ip";
    const RULES: Rules = Rules {
        appears_late: true,
        // It refers to none, but none can be detached while an address is mapped.
        after: &["internet_gateway"],
        // Longer than the patience for what is in use.
        limit_minutes: 65,
        ..PLAIN
    };
    type Props = Props;
}
