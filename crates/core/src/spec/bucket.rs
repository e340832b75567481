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
            changed: "another bucket is made; the old one stays, and auroraml no longer finds it",
            meaning: "bucket names are global",
        }
        /// Keep every version of each object.
        versioning: bool {
            changed: "in place",
            meaning: "keep every version of each object",
        }
        /// What becomes of the bucket when the stack is destroyed.
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
    /// The bucket and what is in it stay.
    #[default]
    Keep,
    /// Everything in the bucket is deleted, all versions too, then the bucket.
    Empty,
}
