//! Internet gateway, attached to the VPC.

use crate::model::graph::Input;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct InternetGateway;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Id of the VPC it is attached to; empty while it is attached to none.
    pub vpc: Input,
    pub tags: BTreeMap<String, String>,
}
