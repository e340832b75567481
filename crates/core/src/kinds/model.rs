//! SageMaker model. It cannot change: its name holds the hash of what it is.

use super::Kind;
use crate::base::Input;
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct Model;

/// What the hash in the name stands for. AWS changes none of it, so an object of the name *is* as wanted and
/// a look need not ask for more than its tags.
const IN_THE_NAME: [&str; 5] = ["endpoint", "image", "artifact", "environment", "role"];

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

impl Kind for Model {
    const NAME: &'static str = "model";
    const RULES: Rules = Rules {
        after: &["role", "bucket"],
        sensitive: &["environment"],
        accept: |want, live| {
            for property in IN_THE_NAME {
                want[property] = live[property].clone();
            }
        },
        ..PLAIN
    };
    type Props = Props;
}
