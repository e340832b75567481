//! What a bucket can have and none here has: each is told as AWS tells that it was never set (API reference of each
//! operation). Terraform's provider asks for all of it whenever it looks at a bucket.

use super::answers::{document, empty};
use super::route::Route;
use super::state::Bucket;
use crate::wire::{Fault, Reply};

/// None for other operations, among them those that would set something.
pub(super) fn answer(route: &Route, bucket: &Bucket) -> Option<Reply> {
    let none = |code: &str, text: &str| Some(Err(Fault::new(404, code, text)));
    match route.operation {
        "GetBucketCors" => none("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
        "GetBucketWebsite" => {
            none("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration")
        }
        "GetBucketLifecycleConfiguration" => {
            none("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
        }
        "GetBucketReplication" => {
            none("ReplicationConfigurationNotFoundError", "The replication configuration was not found")
        }
        "GetObjectLockConfiguration" if bucket.object_lock => {
            Some(Ok(document("ObjectLockConfiguration", |x| {
                x.text("ObjectLockEnabled", "Enabled");
            })))
        }
        "GetObjectLockConfiguration" => none(
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
        ),
        "GetBucketPolicyStatus" if bucket.policy.is_none() => {
            none("NoSuchBucketPolicy", "The bucket policy does not exist")
        }
        "GetBucketLogging" => Some(Ok(document("BucketLoggingStatus", |_| {}))),
        "GetBucketNotificationConfiguration" => Some(Ok(document("NotificationConfiguration", |_| {}))),
        "GetBucketAccelerateConfiguration" => Some(Ok(document("AccelerateConfiguration", |_| {}))),
        "GetBucketRequestPayment" => Some(Ok(document("RequestPaymentConfiguration", |x| {
            x.text("Payer", "BucketOwner");
        }))),
        // To delete what is not there is no error.
        "DeleteBucketCors" | "DeleteBucketWebsite" | "DeleteBucketLifecycle" | "DeleteBucketReplication" => {
            Some(Ok(empty::<String>(204, [])))
        }
        _ => None,
    }
}
