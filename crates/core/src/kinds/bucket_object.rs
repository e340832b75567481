//! File of the stack in its bucket. Its key holds the hash of its content.

use super::Kind;
use crate::base::Input;
use crate::resource::permission::Permission;
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
        permissions: &[
            Permission::look(&["s3:ListBucket"], &["s3:{bucket}"]),
            Permission::create(&["s3:PutObject"], &["s3:{bucket}/auroraml/*"]),
            // Into a bucket that is encrypted with a key of one's own (Amazon S3 User Guide, "Using server-side encryption with
            // AWS KMS keys": writing asks for a data key, and of a part for what is there as well).
            Permission::create(
                &["kms:Decrypt", "kms:GenerateDataKey"],
                &["arn:{partition}:kms:{region}:{key_account}:{key}"],
            ),
            Permission::change(&["s3:DeleteObject"], &["s3:{bucket}/auroraml/*"]),
            Permission::delete(&["s3:DeleteObject"], &["s3:{bucket}/auroraml/*"]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
