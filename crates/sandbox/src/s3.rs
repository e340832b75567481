//! Simulated S3: buckets, their settings, objects with versions, multipart uploads.
//!
//! The awkward parts are the ones of the fact book, section 6.1: names are global, us-east-1 answers a
//! re-creation with 200, a versioned bucket is not empty until its versions are gone, HEAD has no body,
//! and a name that was just deleted may not be free yet.

mod answers;
mod buckets;
mod chunked;
mod content;
mod copy;
mod headers;
mod lists;
mod objects;
mod route;
mod services;
mod settings;
mod state;
mod tree;
mod unset;
mod uploads;

use crate::account::ACCOUNT;
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Body, Fault, Reply, Request, Response, Xml};
use answers::empty;
pub(crate) use answers::http_date;
pub use content::{Content, sha256};
use route::Route;
pub use state::{
    Bucket, Encryption, Foreign, OBJECT_BYTES_MAX, Part, PublicAccess, S3, Upload, Version, Versioning,
};

/// Bucket and key that a request names; empty where it names none.
pub(super) fn named(request: &Request) -> (String, String) {
    let Route { bucket, key, .. } = Route::of(request);
    (bucket, key)
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
        "CreateBucket" => return buckets::create(call, &route, s3, random),
        _ => {}
    }
    headers::check(&call.request)?;
    let is_other = |owner: &str| match owner == ACCOUNT {
        true => s3.foreign.contains_key(&route.bucket),
        false => s3.owns(&route.bucket),
    };
    if call.request.header("x-amz-expected-bucket-owner").is_some_and(is_other) {
        return Err(buckets::denied());
    }
    if let Some(foreign) = s3.foreign.get(&route.bucket) {
        return match foreign.region == call.region {
            true => buckets::of_another_account(&route, foreign),
            false => Ok(elsewhere(&route.bucket, &foreign.region)),
        };
    }
    if route.operation == "CopyObject" {
        return copy::copy(call, &route, s3, random);
    }
    let Some(bucket) = s3.buckets.get_mut(&route.bucket).filter(|bucket| call.now >= bucket.found) else {
        return Err(Fault::new(404, "NoSuchBucket", "The specified bucket does not exist"));
    };
    if bucket.region != call.region && route.operation != "GetBucketLocation" {
        return Ok(elsewhere(&route.bucket, &bucket.region));
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
        _ => unset::answer(&route, bucket).unwrap_or_else(|| Err(call.unknown())),
    }
}

/// The answer to a request for a bucket of another region (fact book, appendix F, item 11).
fn elsewhere(bucket: &str, region: &str) -> Body {
    let mut body = Xml::new();
    body.element("Error", |x| {
        x.text("Code", "PermanentRedirect");
        x.text(
            "Message",
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all \
             future requests to this endpoint.",
        );
        x.text("Endpoint", format!("{bucket}.s3.{region}.amazonaws.com")).text("Bucket", bucket);
    });
    let mut response = Response::new(301, "application/xml", body.0);
    response.headers.push(("x-amz-bucket-region".into(), region.into()));
    Body::Whole(response)
}
