//! Public NAT gateway.

use super::Kind;
use crate::base::Input;
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;
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

impl Kind for NatGateway {
    const NAME: &'static str = "nat_gateway";
    const RULES: Rules = Rules {
        after: &["subnet", "elastic_ip", "internet_gateway"],
        immutable: &[
            (
                "subnet",
                "a NAT gateway stays in its subnet, and a new one would cut every connection through it",
            ),
            ("address", "a NAT gateway keeps its first address, and a new one would cut every connection"),
        ],
        accept: |want, live| {
            // Not told while it is being made.
            if live["address"] == "" {
                want["address"] = Value::Null;
            }
        },
        poll_seconds: 5,
        // Creating takes two minutes; deleting has taken half an hour (fact book, section 5.4).
        limit_minutes: 30,
        ..PLAIN
    };
    type Props = Props;
}
