//! SageMaker notebook instance.

use crate::model::graph::Input;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct Notebook;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// `ml.t3.medium`
    pub instance: String,
    /// GiB
    pub volume: i32,
    /// Id of the subnet.
    pub subnet: Input,
    /// Ids of security groups, sorted.
    pub security_groups: Vec<Input>,
    pub direct_internet_access: bool,
    /// ARN of the execution role.
    pub role: Input,
    /// Name of the lifecycle configuration.
    pub lifecycle_config: Input,
    /// `notebook-al2023-v1`
    pub platform: String,
    pub tags: BTreeMap<String, String>,
}
