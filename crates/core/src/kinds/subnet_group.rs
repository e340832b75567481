//! DB subnet group: the subnets in which the cluster's instances live.

use super::Kind;
use crate::base::Input;
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct SubnetGroup;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Subnet ids, sorted.
    pub subnets: Vec<Input>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for SubnetGroup {
    const NAME: &'static str = "subnet_group";
    const RULES: Rules = Rules { after: &["subnet"], ..PLAIN };
    type Props = Props;
}
