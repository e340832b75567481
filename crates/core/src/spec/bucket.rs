//! The stack's own S3 bucket.

use super::fields::fields;
use super::form::choices;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fields! {
    pub struct Bucket in "bucket" (hint: "write `bucket: {}` for one with all defaults") {
        /// Name of the bucket; by default `<stack>-sagemaker-<account>-<region>`.
        name: Option<String> {
            default_is: "`<stack>-sagemaker-<account>-<region>`",
            changed: "creates another bucket; the old one stays, and auroraml no longer finds it",
            meaning: "name of the bucket; no other AWS account may use it",
        }
        /// Keep every version of each object.
        versioning: bool {
            changed: "in place",
            meaning: "whether to keep every version of each object",
        }
        /// What happens to the bucket when the stack is destroyed.
        on_destroy: BucketOnDestroy {
            changed: "in place",
            meaning: "`empty` deletes all objects and versions, then the bucket",
        }
    }
}

choices!(BucketOnDestroy);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BucketOnDestroy {
    /// Keep the bucket and its contents.
    #[default]
    Keep,
    /// Delete everything in the bucket, including all versions, then the bucket.
    Empty,
}
