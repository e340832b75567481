//! Route table with its routes and the subnets that use it.

use super::Kind;
use crate::base::Input;
use crate::resource::permission::{EVERYTHING, Permission, When};
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct RouteTable;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Id of the VPC.
    pub vpc: Input,
    /// Destination range to gateway id (`igw-…`, `nat-…`). Local and gateway endpoint routes are not listed;
    /// a blackhole counts as missing.
    pub routes: BTreeMap<String, Input>,
    /// Ids of associated subnets, sorted.
    pub subnets: Vec<Input>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for RouteTable {
    const NAME: &'static str = "route_table";
    const RULES: Rules = Rules {
        // A gateway goes after the routes to it have gone elsewhere.
        after: &["vpc", "subnet", "internet_gateway", "nat_gateway"],
        immutable: &[("vpc", "a route table belongs to one VPC for life")],
        permissions: &[
            Permission::look(&["ec2:DescribeRouteTables"], EVERYTHING),
            Permission::create(&["ec2:CreateRouteTable"], &["ec2:route-table/*"]).when(&[When::RequestTag]),
            Permission::create(&["ec2:CreateRouteTable"], &["ec2:vpc/*"]).when(&[When::OwnTag]),
            Permission::create(&["ec2:CreateTags"], &["ec2:route-table/*"])
                .when(&[When::RequestTag, When::Ec2Makes(&["CreateRouteTable"])]),
            Permission::change(&["ec2:CreateTags"], &["ec2:route-table/*"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::change(&["ec2:DeleteTags"], &["ec2:route-table/*"])
                .when(&[When::OwnTag, When::KeepsTags]),
            Permission::change(
                &["ec2:CreateRoute", "ec2:ReplaceRoute", "ec2:DeleteRoute"],
                &["ec2:route-table/*"],
            )
            .when(&[When::OwnTag]),
            Permission::change(
                &[
                    "ec2:AssociateRouteTable",
                    "ec2:ReplaceRouteTableAssociation",
                    "ec2:DisassociateRouteTable",
                ],
                &["ec2:route-table/*", "ec2:subnet/*"],
            )
            .when(&[When::OwnTag]),
            Permission::delete(&["ec2:DisassociateRouteTable"], &["ec2:route-table/*", "ec2:subnet/*"])
                .when(&[When::OwnTag]),
            Permission::delete(&["ec2:DeleteRouteTable"], &["ec2:route-table/*"]).when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
