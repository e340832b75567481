//! What exists in simulated S3.

use super::content::Content;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The largest object that the sandbox keeps, in bytes. AWS allows more; a world is held in memory.
pub const OBJECT_BYTES_MAX: usize = 64 * 1024 * 1024;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct S3 {
    /// The account's own buckets, by name.
    pub buckets: BTreeMap<String, Bucket>,
    /// Buckets of other accounts: bucket names are global.
    pub foreign: BTreeMap<String, Foreign>,
    /// Names of deleted buckets, and until when (milliseconds since the Unix epoch) they stay taken.
    pub settling: BTreeMap<String, u64>,
}

impl Default for S3 {
    fn default() -> S3 {
        let keys = BTreeSet::from(["models/churn/model.tar.gz".into()]);
        let samples = |region: &str| Foreign { region: region.into(), readable: true, keys: keys.clone() };
        // The second is the sandbox's own, for whoever tries things out in Europe.
        let samples = [
            ("sagemaker-sample-files", samples("us-east-1")),
            ("sagemaker-sample-files-eu-central-1", samples("eu-central-1")),
        ];
        S3 {
            buckets: BTreeMap::new(),
            foreign: samples.map(|(name, foreign)| (name.to_string(), foreign)).into(),
            settling: BTreeMap::new(),
        }
    }
}

/// What other services need of S3.
impl S3 {
    /// Whether the account owns a bucket of this name.
    pub fn owns(&self, bucket: &str) -> bool {
        self.buckets.contains_key(bucket)
    }

    /// Whether one of the account's own buckets has a current object under `key`.
    pub fn has_object(&self, bucket: &str, key: &str) -> bool {
        self.object(bucket, key).is_some()
    }

    /// The content of a current object in one of the account's own buckets.
    pub fn object(&self, bucket: &str, key: &str) -> Option<&[u8]> {
        self.buckets.get(bucket)?.current(key).map(|version| version.content.bytes())
    }

    /// Everything that was uploaded: the objects in all their versions, and the parts of unfinished uploads.
    pub fn contents_mut(&mut self) -> impl Iterator<Item = &mut Content> {
        self.buckets.values_mut().flat_map(|bucket| {
            let versions = bucket.objects.values_mut().flatten().map(|version| &mut version.content);
            let parts = bucket.uploads.values_mut().flat_map(|upload| upload.parts.values_mut());
            versions.chain(parts.map(|part| &mut part.content))
        })
    }

    /// Whether any current object of one of the account's own buckets has a key that starts with `prefix`.
    pub fn has_prefix(&self, bucket: &str, prefix: &str) -> bool {
        self.buckets.get(bucket).is_some_and(|found| {
            found
                .objects
                .range(prefix.to_string()..)
                .take_while(|(key, _)| key.starts_with(prefix))
                .any(|(key, _)| found.current(key).is_some())
        })
    }
}

/// A bucket of another account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign {
    pub region: String,
    /// Whether its policy lets everyone list and read it.
    pub readable: bool,
    /// Keys under which something can be read: the sandbox has no content of theirs, and answers with none.
    #[serde(default)]
    pub keys: BTreeSet<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bucket {
    pub region: String,
    /// Milliseconds since the Unix epoch.
    pub created: u64,
    /// When everything that concerns it finds it, as `created`.
    #[serde(default)]
    pub found: u64,
    /// The canned ACL, such as `private`.
    pub acl: String,
    pub versioning: Versioning,
    pub tags: BTreeMap<String, String>,
    pub public_access: Option<PublicAccess>,
    pub encryption: Encryption,
    pub policy: Option<String>,
    /// `BucketOwnerEnforced`, `BucketOwnerPreferred` or `ObjectWriter`.
    pub ownership: Option<String>,
    /// Its objects can be locked; none is.
    #[serde(default)]
    pub object_lock: bool,
    /// The versions of each key, oldest first; never an empty list.
    pub objects: BTreeMap<String, Vec<Version>>,
    /// Multipart uploads in progress, by upload id.
    pub uploads: BTreeMap<String, Upload>,
}

impl Bucket {
    /// The newest version of an object, unless that is a delete marker.
    pub fn current(&self, key: &str) -> Option<&Version> {
        self.objects.get(key)?.last().filter(|version| !version.delete_marker)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    Never,
    Enabled,
    Suspended,
}

/// Block Public Access: fact book, section 6.1, "defaults for new buckets since Apr 2023".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicAccess {
    pub block_public_acls: bool,
    pub ignore_public_acls: bool,
    pub block_public_policy: bool,
    pub restrict_public_buckets: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: String,
    pub kms_key: Option<String>,
    pub bucket_key: bool,
}

impl Default for Encryption {
    fn default() -> Encryption {
        Encryption { algorithm: "AES256".into(), kms_key: None, bucket_key: false }
    }
}

/// One version of one object, or a delete marker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// `null` for what was written while versioning was not enabled.
    pub id: String,
    /// Milliseconds since the Unix epoch.
    pub modified: u64,
    pub delete_marker: bool,
    /// With its quotes.
    pub etag: String,
    pub content: Content,
    /// Headers that a GET gives back: content type, user metadata, checksums, …
    pub headers: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
}

impl Version {
    /// The key of KMS that it is encrypted with.
    pub fn key(&self) -> Option<&str> {
        self.headers.get("x-amz-server-side-encryption-aws-kms-key-id").map(String::as_str)
    }
}

/// A multipart upload in progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    pub key: String,
    /// Milliseconds since the Unix epoch.
    pub initiated: u64,
    pub headers: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub parts: BTreeMap<u32, Part>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub etag: String,
    /// Milliseconds since the Unix epoch.
    pub modified: u64,
    pub content: Content,
}
