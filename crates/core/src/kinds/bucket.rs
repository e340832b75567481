//! S3 bucket: private, TLS only. S3 encrypts every object of every bucket by itself.
//!
//! A bucket is found by its name alone. When the spec gives another name, the next apply makes another bucket;
//! the old one stays as it is and is found no more.

use super::Kind;
use crate::base::policy;
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub struct Bucket;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    pub name: String,
    pub versioning: bool,
    pub public_access_blocked: bool,
    /// Bucket policy, normalised.
    pub policy: Value,
    pub tags: BTreeMap<String, String>,
}

impl Kind for Bucket {
    const NAME: &'static str = "bucket";
    const RULES: Rules = Rules {
        accept: |want, _| want["policy"] = policy::normal(&want["policy"]),
        holds_data: true,
        // A large bucket takes long to empty, and a deleted name long to become free (fact book, section 6.1).
        limit_minutes: 90,
        ..PLAIN
    };
    type Props = Props;
}
