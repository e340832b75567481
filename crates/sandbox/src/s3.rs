//! Simulated S3: buckets, their settings, objects with versions, multipart uploads.
//!
//! The awkward parts are the ones of the fact book, section 6.1: names are global, us-east-1 answers a
//! re-creation with 200, a versioned bucket is not empty until its versions are gone, HEAD has no body,
//! and a name that was just deleted may not be free yet.

mod buckets;
mod chunked;
mod content;
mod lists;
mod objects;
mod route;
mod settings;
mod tree;
mod uploads;

use crate::call::Call;
use crate::random::Random;
use crate::wire::{self, Body, Fault, Protocol, Reply, Request, Response, Xml};
pub use content::Content;
use route::Route;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The largest object that the sandbox keeps, in bytes. AWS allows more; a world is held in memory.
pub const OBJECT_BYTES_MAX: usize = 64 * 1024 * 1024;
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

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
        let samples = Foreign { region: "us-east-1".into(), readable: true, keys };
        S3 {
            buckets: BTreeMap::new(),
            foreign: BTreeMap::from([("sagemaker-sample-files".into(), samples)]),
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
    /// The canned ACL, such as `private`.
    pub acl: String,
    pub versioning: Versioning,
    pub tags: BTreeMap<String, String>,
    pub public_access: Option<PublicAccess>,
    pub encryption: Encryption,
    pub policy: Option<String>,
    /// `BucketOwnerEnforced`, `BucketOwnerPreferred` or `ObjectWriter`.
    pub ownership: Option<String>,
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

/// The name of the S3 operation that a request asks for.
pub(super) fn operation(request: &Request) -> &'static str {
    Route::of(request).operation
}

pub(crate) fn handle(call: &Call, s3: &mut S3, random: &mut Random) -> Reply {
    let route = Route::of(&call.request);
    match route.operation {
        "Unknown" => return Err(call.unknown()),
        "ListBuckets" => return buckets::list(&route, s3),
        "CreateBucket" => return buckets::create(call, &route, s3),
        _ => {}
    }
    let is_other = |owner: &str| match owner == crate::account::ACCOUNT {
        true => s3.foreign.contains_key(&route.bucket),
        false => s3.owns(&route.bucket),
    };
    if call.request.header("x-amz-expected-bucket-owner").is_some_and(is_other) {
        return Err(buckets::denied());
    }
    if let Some(foreign) = s3.foreign.get(&route.bucket) {
        return buckets::of_another_account(&route, foreign);
    }
    let Some(bucket) = s3.buckets.get_mut(&route.bucket) else {
        return Err(Fault::new(404, "NoSuchBucket", "The specified bucket does not exist"));
    };
    if bucket.region != call.region && route.operation != "GetBucketLocation" {
        let text = "The bucket you are attempting to access must be addressed using the specified endpoint. \
                    Please send all future requests to this endpoint.";
        let headers = [("x-amz-bucket-region", bucket.region.clone())];
        return Ok(refusal(Fault::new(301, "PermanentRedirect", text), headers));
    }
    match route.operation {
        "HeadBucket" => Ok(empty(200, [("x-amz-bucket-region", bucket.region.clone())])),
        "GetBucketLocation" => Ok(buckets::location(bucket)),
        "DeleteBucket" => buckets::delete(call, &route, s3, random),
        "GetBucketVersioning" => Ok(settings::get_versioning(bucket)),
        "PutBucketVersioning" => settings::put_versioning(call, bucket),
        "GetBucketTagging" => settings::get_tagging(bucket),
        "PutBucketTagging" => settings::put_tagging(call, bucket),
        "DeleteBucketTagging" => settings::delete_tagging(bucket),
        "GetPublicAccessBlock" => settings::get_public_access(bucket),
        "PutPublicAccessBlock" => settings::put_public_access(call, bucket),
        "DeletePublicAccessBlock" => settings::delete_public_access(bucket),
        "GetBucketEncryption" => Ok(settings::get_encryption(bucket)),
        "PutBucketEncryption" => settings::put_encryption(call, bucket),
        "DeleteBucketEncryption" => settings::delete_encryption(bucket),
        "GetBucketPolicy" => settings::get_policy(bucket),
        "PutBucketPolicy" => settings::put_policy(call, bucket),
        "DeleteBucketPolicy" => settings::delete_policy(bucket),
        "GetBucketOwnershipControls" => settings::get_ownership(bucket),
        "PutBucketOwnershipControls" => settings::put_ownership(call, bucket),
        "DeleteBucketOwnershipControls" => settings::delete_ownership(bucket),
        "GetBucketAcl" => Ok(settings::get_acl(bucket)),
        "PutBucketAcl" => settings::put_acl(call, bucket),
        "ListObjects" | "ListObjectsV2" => lists::objects(&route, bucket),
        "ListObjectVersions" => lists::versions(&route, bucket),
        "ListMultipartUploads" => lists::uploads(&route, bucket),
        "ListParts" => lists::parts(&route, bucket),
        "PutObject" => objects::put(call, &route, bucket, random),
        "GetObject" | "HeadObject" => objects::get(call, &route, bucket),
        "DeleteObject" => objects::delete(call, &route, bucket, random),
        "DeleteObjects" => objects::delete_many(call, bucket, random),
        "GetObjectTagging" => objects::get_tagging(&route, bucket),
        "PutObjectTagging" => objects::put_tagging(call, &route, bucket),
        "DeleteObjectTagging" => objects::delete_tagging(&route, bucket),
        "CreateMultipartUpload" => uploads::create(call, &route, bucket, random),
        "UploadPart" => uploads::put_part(call, &route, bucket),
        "CompleteMultipartUpload" => uploads::complete(call, &route, bucket, random),
        "AbortMultipartUpload" => uploads::abort(&route, bucket),
        _ => Err(call.unknown()),
    }
}

/// An answer without a body.
fn empty<V: Into<String>>(status: u16, headers: impl IntoIterator<Item = (&'static str, V)>) -> Body {
    let headers = headers.into_iter().map(|(name, value)| (name.to_string(), value.into())).collect();
    Body::Whole(Response { status, headers, body: Vec::new() })
}

/// An answer of status 200 whose document has this root element.
fn document(root: &str, content: impl FnOnce(&mut Xml)) -> Body {
    let mut xml = Xml::new();
    content(&mut xml);
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{NAMESPACE}\">{}</{root}>",
        xml.0
    );
    Body::Whole(Response::new(200, "application/xml", text))
}

/// An error that carries headers besides the usual document.
fn refusal<V: Into<String>>(fault: Fault, headers: impl IntoIterator<Item = (&'static str, V)>) -> Body {
    let mut response = wire::respond(Protocol::RestXml, "", "sandbox", Err(fault));
    response.headers.extend(headers.into_iter().map(|(name, value)| (name.to_string(), value.into())));
    Body::Whole(response)
}

fn timestamp(ms: u64) -> jiff::Timestamp {
    i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).unwrap_or_default()
}

/// As in S3's documents: `2026-11-20T00:00:00.000Z`.
fn iso(ms: u64) -> String {
    timestamp(ms).strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// As in HTTP headers: `Fri, 20 Nov 2026 00:00:00 GMT`.
fn http_date(ms: u64) -> String {
    timestamp(ms).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
