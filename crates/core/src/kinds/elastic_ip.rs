//! Elastic IP address, for a NAT gateway.

use super::Kind;
use crate::resource::permission::{EVERYTHING, Permission, When};
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
        permissions: &[
            Permission::look(&["ec2:DescribeAddresses"], EVERYTHING),
            Permission::create(&["ec2:AllocateAddress"], &["ec2:elastic-ip/*"]).when(&[When::RequestTag]),
            Permission::create(&["ec2:CreateTags"], &["ec2:elastic-ip/*"])
                .when(&[When::RequestTag, When::Ec2Makes(&["AllocateAddress"])]),
            Permission::change(&["ec2:CreateTags"], &["ec2:elastic-ip/*"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::change(&["ec2:DeleteTags"], &["ec2:elastic-ip/*"])
                .when(&[When::OwnTag, When::KeepsTags]),
            Permission::delete(&["ec2:ReleaseAddress"], &["ec2:elastic-ip/*"]).when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
