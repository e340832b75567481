//! Route table with its routes and the subnets that use it.

use super::Kind;
use crate::base::Input;
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
        ..PLAIN
    };
    type Props = Props;
}
