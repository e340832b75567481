//! Which headers of S3 mean something here. One that nobody reads is refused as AWS refuses what it does not
//! implement: nothing that was asked for is silently left out.

use crate::wire::{Fault, Request};

/// Of the request itself, its signature and its integrity.
const OF_REQUEST: &[&str] = &[
    "x-amz-api-version",
    "x-amz-checksum-algorithm",
    "x-amz-checksum-mode",
    "x-amz-checksum-type",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-expected-bucket-owner",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-source-expected-bucket-owner",
    "x-amz-te",
    "x-amz-trailer",
    "x-amz-user-agent",
    // Nobody pays for anything here.
    "x-amz-request-payer",
    // Which optional fields of a listing are wanted: all that there are come anyway.
    "x-amz-optional-object-attributes",
];

/// Of buckets and objects.
const OF_OPERATIONS: &[&str] = &[
    "x-amz-acl",
    "x-amz-bucket-object-lock-enabled",
    "x-amz-copy-source",
    "x-amz-metadata-directive",
    "x-amz-object-ownership",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
    "x-amz-tagging",
    "x-amz-tagging-directive",
    "x-amz-website-redirect-location",
];

/// Refuses a request that asks for something by a header that the sandbox does not know.
pub(super) fn check(request: &Request) -> Result<(), Fault> {
    let known = |name: &str| {
        !name.starts_with("x-amz-")
            || OF_REQUEST.contains(&name)
            || OF_OPERATIONS.contains(&name)
            || name.starts_with("x-amz-meta-")
            || name.starts_with("x-amz-checksum-")
    };
    match request.headers.keys().find(|name| !known(name)) {
        Some(name) => Err(Fault::new(
            501,
            "NotImplemented",
            format!("A header you provided implies functionality that is not implemented: {name}"),
        )),
        None => Ok(()),
    }
}
