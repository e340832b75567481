//! Subnet in one availability zone.

use super::Kind;
use crate::base::Input;
use crate::resource::permission::{EVERYTHING, Permission, When};
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
        takes_along: Some("with network interfaces left in it"),
        immutable: &[
            ("vpc", "a subnet belongs to one VPC for life"),
            ("cidr", "a subnet keeps its range, and everything in it has addresses of that range"),
            ("zone", "a subnet stays in its availability zone"),
        ],
        // A deletion waits for the network interfaces of others, up to the patience for what is in use.
        limit_minutes: 65,
        permissions: &[
            Permission::look(&["ec2:DescribeSubnets"], EVERYTHING),
            // A create is judged on what it makes, and on what that is made in.
            Permission::create(&["ec2:CreateSubnet"], &["ec2:subnet/*"]).when(&[When::RequestTag]),
            Permission::create(&["ec2:CreateSubnet"], &["ec2:vpc/*"]).when(&[When::OwnTag]),
            Permission::create(&["ec2:CreateTags"], &["ec2:subnet/*"])
                .when(&[When::RequestTag, When::Ec2Makes(&["CreateSubnet"])]),
            Permission::change(&["ec2:CreateTags"], &["ec2:subnet/*"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::change(&["ec2:DeleteTags"], &["ec2:subnet/*"]).when(&[When::OwnTag, When::KeepsTags]),
            Permission::change(&["ec2:ModifySubnetAttribute"], &["ec2:subnet/*"]).when(&[When::OwnTag]),
            Permission::delete(&["ec2:DeleteSubnet"], &["ec2:subnet/*"]).when(&[When::OwnTag]),
            // What RDS and SageMaker left behind in it.
            Permission::delete(&["ec2:DeleteNetworkInterface"], &["ec2:network-interface/{interface}"])
                .when(&[When::InVpc]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
