//! SageMaker endpoint configuration. It cannot change: its name holds the hash of what it is.

use crate::model::graph::Input;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct EndpointConfig;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Name of the endpoint it is for.
    pub endpoint: String,
    /// Name of the model.
    pub model: Input,
    /// `ml.m5.large`; none for serverless.
    pub instance: Option<String>,
    pub count: Option<i32>,
    /// MB, of a serverless variant.
    pub memory: Option<i32>,
    pub max_concurrency: Option<i32>,
    pub tags: BTreeMap<String, String>,
}
