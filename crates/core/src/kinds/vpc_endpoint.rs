//! Gateway or interface endpoint of an AWS service in the VPC.

use super::Kind;
use crate::base::Input;
use crate::resource::permission::{EVERYTHING, Permission, When};
use crate::resource::{PLAIN, Rules};
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
    /// Whether the service's own host name leads to the endpoint; null for a gateway endpoint.
    pub private_dns: Option<bool>,
    /// Ids of route tables of a gateway endpoint, sorted.
    pub route_tables: Vec<Input>,
    /// Ids of subnets of an interface endpoint, sorted.
    pub subnets: Vec<Input>,
    /// Ids of security groups of an interface endpoint, sorted.
    pub security_groups: Vec<Input>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for VpcEndpoint {
    const NAME: &'static str = "vpc_endpoint";
    const RULES: Rules = Rules {
        after: &["vpc", "subnet", "security_group", "route_table"],
        immutable: &[
            ("vpc", "an endpoint belongs to one VPC for life"),
            ("service", "an endpoint belongs to one service for life"),
            ("gateway", "AWS cannot turn a gateway endpoint into an interface endpoint or back"),
        ],
        poll_seconds: 5,
        // One in ten takes 400 s to go (fact book, table 8.2).
        limit_minutes: 20,
        permissions: &[
            Permission::look(&["ec2:DescribeVpcEndpoints"], EVERYTHING),
            // An interface endpoint brings host names of its own.
            Permission::create(
                &["route53:AssociateVPCWithHostedZone"],
                &["arn:{partition}:route53:::hostedzone/{hosted_zone}"],
            ),
            Permission::create(&["ec2:CreateVpcEndpoint"], &["ec2:vpc-endpoint/*"]).when(&[When::RequestTag]),
            Permission::create(
                &["ec2:CreateVpcEndpoint"],
                &["ec2:vpc/*", "ec2:subnet/*", "ec2:route-table/*", "ec2:security-group/*"],
            )
            .when(&[When::OwnTag]),
            Permission::create(&["ec2:CreateTags"], &["ec2:vpc-endpoint/*"])
                .when(&[When::RequestTag, When::Ec2Makes(&["CreateVpcEndpoint"])]),
            Permission::change(&["ec2:CreateTags"], &["ec2:vpc-endpoint/*"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::change(&["ec2:DeleteTags"], &["ec2:vpc-endpoint/*"])
                .when(&[When::OwnTag, When::KeepsTags]),
            Permission::change(
                &["ec2:ModifyVpcEndpoint"],
                &["ec2:vpc-endpoint/*", "ec2:subnet/*", "ec2:route-table/*", "ec2:security-group/*"],
            )
            .when(&[When::OwnTag]),
            Permission::delete(&["ec2:DeleteVpcEndpoints"], &["ec2:vpc-endpoint/*"]).when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
