//! VPC with DNS host names on. DNS support is on in every new VPC.

use super::Kind;
use crate::resource::permission::{EVERYTHING, Permission, When};
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
        permissions: &[
            Permission::look(&["ec2:DescribeVpcs", "ec2:DescribeNetworkInterfaces"], EVERYTHING),
            Permission::look(&["ec2:DescribeVpcAttribute"], &["ec2:vpc/*"]),
            Permission::create(&["ec2:CreateVpc"], &["ec2:vpc/*"]).when(&[When::RequestTag]),
            Permission::create(&["ec2:CreateTags"], &["ec2:vpc/*"])
                .when(&[When::RequestTag, When::Ec2Makes(&["CreateVpc"])]),
            Permission::change(&["ec2:CreateTags"], &["ec2:vpc/*"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::change(&["ec2:DeleteTags"], &["ec2:vpc/*"]).when(&[When::OwnTag, When::KeepsTags]),
            Permission::change(&["ec2:ModifyVpcAttribute"], &["ec2:vpc/*"]).when(&[When::OwnTag]),
            Permission::delete(&["ec2:DeleteVpc"], &["ec2:vpc/*"]).when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
