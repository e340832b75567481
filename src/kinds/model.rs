//! SageMaker model. It cannot change: its name holds the hash of what it is.

use crate::model::graph::Input;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct Model;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Name of the endpoint it is for.
    pub endpoint: String,
    /// Image URI.
    pub image: String,
    /// `s3://bucket/key`
    pub artifact: Option<String>,
    pub environment: BTreeMap<String, String>,
    /// ARN of the execution role.
    pub role: Input,
    pub tags: BTreeMap<String, String>,
}
