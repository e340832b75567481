//! VPC with DNS host names on. DNS support is on in every new VPC.

use super::Kind;
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct Vpc;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// IPv4 range.
    pub cidr: String,
    pub dns_hostnames: bool,
    pub tags: BTreeMap<String, String>,
}

impl Kind for Vpc {
    const NAME: &'static str = "vpc";
    const RULES: Rules = Rules {
        appears_late: true,
        immutable: &[("cidr", "a VPC keeps its range, and everything in it has addresses of that range")],
        // A deletion waits for the network interfaces of others, up to the patience for what is in use.
        limit_minutes: 65,
        ..PLAIN
    };
    type Props = Props;
}
