//! Public NAT gateway.

use super::Kind;
use crate::base::Input;
use crate::resource::permission::{EVERYTHING, Permission, When};
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
        permissions: &[
            Permission::look(&["ec2:DescribeNatGateways"], EVERYTHING),
            Permission::create(&["ec2:CreateNatGateway"], &["ec2:natgateway/*"]).when(&[When::RequestTag]),
            Permission::create(&["ec2:CreateNatGateway"], &["ec2:elastic-ip/*", "ec2:subnet/*"])
                .when(&[When::OwnTag]),
            Permission::create(&["ec2:CreateTags"], &["ec2:natgateway/*"])
                .when(&[When::RequestTag, When::Ec2Makes(&["CreateNatGateway"])]),
            Permission::change(&["ec2:CreateTags"], &["ec2:natgateway/*"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::change(&["ec2:DeleteTags"], &["ec2:natgateway/*"])
                .when(&[When::OwnTag, When::KeepsTags]),
            Permission::delete(&["ec2:DeleteNatGateway"], &["ec2:natgateway/*"]).when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
