//! S3 bucket: private, TLS only. S3 encrypts every object of every bucket by itself.
//!
//! A bucket is found by its name alone. When the spec gives another name, the next apply makes another bucket;
//! the old one stays as it is and is found no more.

use super::Kind;
use crate::base::policy;
use crate::resource::permission::Permission;
use crate::resource::{Asked, PLAIN, Refusal, Rules};
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
    /// ARN of the key that encrypts new objects, where the spec or a tag tells of one: of AWS's own nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for Bucket {
    const NAME: &'static str = "bucket";
    const RULES: Rules = Rules {
        accept: |want, _| want["policy"] = policy::normal(&want["policy"]),
        refuses: |asked| {
            let Asked::Change { change, .. } = asked else { return None };
            let is_another = change.path == "kms_key" && !change.from.is_null();
            is_another.then(|| Refusal::because("the bucket's objects stay encrypted with the old key, which the stack's roles could no longer use"))
        },
        holds_data: true,
        // A large bucket takes long to empty, and a deleted name long to become free (fact book, section 6.1).
        limit_minutes: 90,
        permissions: &[
            Permission::look(
                &[
                    "s3:ListBucket",
                    "s3:ListBucketVersions",
                    "s3:GetBucketPolicy",
                    "s3:GetBucketPublicAccessBlock",
                    "s3:GetBucketTagging",
                    "s3:GetBucketVersioning",
                ],
                &["s3:{bucket}"],
            ),
            Permission::look(&["s3:GetEncryptionConfiguration"], &["s3:{encrypted_bucket}"]),
            Permission::create(&["s3:PutEncryptionConfiguration"], &["s3:{encrypted_bucket}"]),
            Permission::change(&["s3:PutEncryptionConfiguration"], &["s3:{encrypted_bucket}"]),
            Permission::create(&["s3:CreateBucket", "s3:TagResource"], &["s3:{bucket}"]),
            Permission::change(
                &[
                    "s3:PutBucketPolicy",
                    "s3:PutBucketPublicAccessBlock",
                    "s3:PutBucketTagging",
                    "s3:PutBucketVersioning",
                ],
                &["s3:{bucket}"],
            ),
            // Only a bucket that the spec lets go.
            Permission::delete(
                &["s3:DeleteBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"],
                &["s3:{bucket_that_goes}"],
            ),
            Permission::delete(
                &["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"],
                &["s3:{bucket_that_goes}/*"],
            ),
        ],
        ..PLAIN
    };
    type Props = Props;
}
