//! Connection fields (host, port, …) in the stack's secret, as clients expect them.

use crate::model::graph::Input;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct SecretAttachment;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// ARN of the secret.
    pub secret: Input,
    /// Fields beside user name and password: `engine`, `host`, `port`, `dbname`, `dbClusterIdentifier`.
    pub fields: BTreeMap<String, Input>,
}
