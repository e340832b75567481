//! File of the stack in its bucket. Its key holds the hash of its content.

use super::Kind;
use crate::base::Input;
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub struct BucketObject;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Name of the bucket.
    pub bucket: Input,
    pub key: String,
    /// Local file, relative to the spec; looked at when the object is written only.
    pub path: Option<String>,
}

impl Kind for BucketObject {
    const NAME: &'static str = "bucket_object";
    const RULES: Rules = Rules {
        after: &["bucket"],
        dies_with: Some("bucket"),
        accept: |want, _| want["path"] = Value::Null,
        // A bucket takes that long to empty.
        limit_minutes: 90,
        ..PLAIN
    };
    type Props = Props;
}
