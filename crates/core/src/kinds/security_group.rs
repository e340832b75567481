//! Security group with all its rules; AWS's default egress rule is among them.

use super::Kind;
use crate::base::Input;
use crate::resource::permission::{EVERYTHING, Permission, When};
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct SecurityGroup;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Id of the VPC.
    pub vpc: Input,
    pub description: String,
    /// Sorted.
    pub ingress: Vec<Rule>,
    /// Sorted.
    pub egress: Vec<Rule>,
    pub tags: BTreeMap<String, String>,
}

/// One rule. Protocol `-1` means all, and has no ports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rule {
    pub protocol: String,
    pub from_port: Option<i32>,
    pub to_port: Option<i32>,
    /// An IPv4 range or the id of a security group.
    pub peer: Input,
}

impl Kind for SecurityGroup {
    const NAME: &'static str = "security_group";
    const RULES: Rules = Rules {
        appears_late: true,
        // "You can't have two security groups for the same VPC with the same name" (Amazon EC2 API Reference,
        // CreateSecurityGroup); it is answered with InvalidGroup.Duplicate.
        made_once: true,
        after: &["vpc"],
        takes_along: Some("with network interfaces left in it"),
        immutable: &[
            ("vpc", "a security group belongs to one VPC for life"),
            ("description", "AWS cannot change the description of a security group"),
        ],
        // A deletion waits for the network interfaces of RDS and SageMaker, up to the patience for what is
        // in use.
        limit_minutes: 65,
        permissions: &[
            Permission::look(&["ec2:DescribeSecurityGroups"], EVERYTHING),
            Permission::create(&["ec2:CreateSecurityGroup"], &["ec2:security-group/*"])
                .when(&[When::RequestTag]),
            Permission::create(&["ec2:CreateSecurityGroup"], &["ec2:vpc/*"]).when(&[When::OwnTag]),
            // In a VPC of others, which has no tag of the stack.
            Permission::create(&["ec2:CreateSecurityGroup"], &["ec2:vpc/{vpc_of_others}"]),
            Permission::create(&["ec2:CreateTags"], &["ec2:security-group/*"])
                .when(&[When::RequestTag, When::Ec2Makes(&["CreateSecurityGroup"])]),
            Permission::change(&["ec2:CreateTags"], &["ec2:security-group/*"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::change(&["ec2:DeleteTags"], &["ec2:security-group/*"])
                .when(&[When::OwnTag, When::KeepsTags]),
            Permission::change(
                &[
                    "ec2:AuthorizeSecurityGroupIngress",
                    "ec2:AuthorizeSecurityGroupEgress",
                    "ec2:RevokeSecurityGroupIngress",
                    "ec2:RevokeSecurityGroupEgress",
                ],
                &["ec2:security-group/*"],
            )
            .when(&[When::OwnTag]),
            // Its rules go first: groups may refer to each other.
            Permission::delete(
                &["ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress"],
                &["ec2:security-group/*"],
            )
            .when(&[When::OwnTag]),
            Permission::delete(&["ec2:DeleteSecurityGroup"], &["ec2:security-group/*"]).when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
