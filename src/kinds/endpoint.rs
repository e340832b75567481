//! SageMaker endpoint. Its name is the one that SQL functions use, and stays.

use crate::model::graph::Input;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct Endpoint;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Name of the endpoint configuration that it serves.
    pub config: Input,
    pub tags: BTreeMap<String, String>,
}
