//! File of the stack in its bucket. Its key holds the hash of its content.

use crate::model::graph::Input;
use serde::{Deserialize, Serialize};

pub struct BucketObject;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Name of the bucket.
    pub bucket: Input,
    pub key: String,
    /// Local file, relative to the spec; looked at when the object is written only.
    pub path: Option<String>,
}
