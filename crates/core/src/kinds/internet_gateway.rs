//! Internet gateway, attached to the VPC.

use super::Kind;
use crate::base::Input;
use crate::resource::permission::{EVERYTHING, Permission, When};
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct InternetGateway;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Id of the VPC it is attached to; empty while it is attached to none.
    pub vpc: Input,
    pub tags: BTreeMap<String, String>,
}

impl Kind for InternetGateway {
    const NAME: &'static str = "internet_gateway";
    // A deletion waits for addresses that are mapped, up to the patience for what is in use.
    const RULES: Rules = Rules {
        appears_late: true,
        after: &["vpc"],
        limit_minutes: 65,
        permissions: &[
            Permission::look(&["ec2:DescribeInternetGateways"], EVERYTHING),
            Permission::create(&["ec2:CreateInternetGateway"], &["ec2:internet-gateway/*"])
                .when(&[When::RequestTag]),
            Permission::create(&["ec2:CreateTags"], &["ec2:internet-gateway/*"])
                .when(&[When::RequestTag, When::Ec2Makes(&["CreateInternetGateway"])]),
            Permission::change(&["ec2:CreateTags"], &["ec2:internet-gateway/*"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::change(&["ec2:DeleteTags"], &["ec2:internet-gateway/*"])
                .when(&[When::OwnTag, When::KeepsTags]),
            Permission::change(&["ec2:AttachInternetGateway"], &["ec2:internet-gateway/*", "ec2:vpc/*"])
                .when(&[When::OwnTag]),
            Permission::delete(&["ec2:DetachInternetGateway"], &["ec2:internet-gateway/*", "ec2:vpc/*"])
                .when(&[When::OwnTag]),
            Permission::delete(&["ec2:DeleteInternetGateway"], &["ec2:internet-gateway/*"])
                .when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
