//! Subnet in one availability zone.

use super::Kind;
use crate::base::Input;
use crate::resource::{PLAIN, Rules};
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

impl Kind for Subnet {
    const NAME: &'static str = "subnet";
    const RULES: Rules = Rules {
        appears_late: true,
        // "The CIDR block must not overlap with the CIDR block of an existing subnet in the VPC" (Amazon EC2 API
        // Reference, CreateSubnet); it is answered with InvalidSubnet.Conflict.
        made_once: true,
        after: &["vpc"],
        takes_along: Some("with network interfaces in it that RDS or SageMaker has left behind"),
        immutable: &[
            ("vpc", "a subnet belongs to one VPC for life"),
            ("cidr", "a subnet keeps its range, and everything in it has addresses of that range"),
            ("zone", "a subnet stays in its availability zone"),
        ],
        // A deletion waits for the network interfaces of others, up to the patience for what is in use.
        limit_minutes: 65,
        ..PLAIN
    };
    type Props = Props;
}
