//! S3 bucket: private, encrypted, TLS only.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub struct Bucket;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    pub name: String,
    pub versioning: bool,
    pub public_access_blocked: bool,
    /// `AES256` or `aws:kms`.
    pub encryption: String,
    /// Bucket policy, normalised.
    pub policy: Value,
    pub tags: BTreeMap<String, String>,
}
