//! Which operation, bucket and key a request is about.

use crate::wire::{Params, Request};
use percent_encoding::percent_decode_str;

/// What a request asks for.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) operation: &'static str,
    /// Empty for operations of the account.
    pub(super) bucket: String,
    /// Decoded; empty for operations of a bucket.
    pub(super) key: String,
    pub(super) query: Params,
}

/// Sub-resources of a bucket, with the operations behind GET, PUT and DELETE. Those that the sandbox does
/// not have are here all the same: a `GET ?lifecycle` must not be taken for a listing.
const OF_BUCKET: &[(&str, &str, &str, &str)] = &[
    ("versioning", "GetBucketVersioning", "PutBucketVersioning", "Unknown"),
    ("tagging", "GetBucketTagging", "PutBucketTagging", "DeleteBucketTagging"),
    ("publicAccessBlock", "GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock"),
    ("encryption", "GetBucketEncryption", "PutBucketEncryption", "DeleteBucketEncryption"),
    ("policy", "GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"),
    ("policyStatus", "GetBucketPolicyStatus", "Unknown", "Unknown"),
    (
        "ownershipControls",
        "GetBucketOwnershipControls",
        "PutBucketOwnershipControls",
        "DeleteBucketOwnershipControls",
    ),
    ("location", "GetBucketLocation", "Unknown", "Unknown"),
    ("acl", "GetBucketAcl", "PutBucketAcl", "Unknown"),
    ("versions", "ListObjectVersions", "Unknown", "Unknown"),
    ("uploads", "ListMultipartUploads", "Unknown", "Unknown"),
    (
        "lifecycle",
        "GetBucketLifecycleConfiguration",
        "PutBucketLifecycleConfiguration",
        "DeleteBucketLifecycle",
    ),
    ("cors", "GetBucketCors", "PutBucketCors", "DeleteBucketCors"),
    ("logging", "GetBucketLogging", "PutBucketLogging", "Unknown"),
    ("notification", "GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration", "Unknown"),
    ("replication", "GetBucketReplication", "PutBucketReplication", "DeleteBucketReplication"),
    ("website", "GetBucketWebsite", "PutBucketWebsite", "DeleteBucketWebsite"),
    ("requestPayment", "GetBucketRequestPayment", "PutBucketRequestPayment", "Unknown"),
    ("accelerate", "GetBucketAccelerateConfiguration", "PutBucketAccelerateConfiguration", "Unknown"),
    ("object-lock", "GetObjectLockConfiguration", "PutObjectLockConfiguration", "Unknown"),
    (
        "analytics",
        "ListBucketAnalyticsConfigurations",
        "PutBucketAnalyticsConfiguration",
        "DeleteBucketAnalyticsConfiguration",
    ),
    (
        "inventory",
        "ListBucketInventoryConfigurations",
        "PutBucketInventoryConfiguration",
        "DeleteBucketInventoryConfiguration",
    ),
    (
        "metrics",
        "ListBucketMetricsConfigurations",
        "PutBucketMetricsConfiguration",
        "DeleteBucketMetricsConfiguration",
    ),
    (
        "intelligent-tiering",
        "ListBucketIntelligentTieringConfigurations",
        "PutBucketIntelligentTieringConfiguration",
        "DeleteBucketIntelligentTieringConfiguration",
    ),
];

/// The same for an object.
const OF_OBJECT: &[(&str, &str, &str, &str)] = &[
    ("tagging", "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging"),
    ("uploadId", "ListParts", "UploadPart", "AbortMultipartUpload"),
    ("acl", "GetObjectAcl", "PutObjectAcl", "Unknown"),
    ("attributes", "GetObjectAttributes", "Unknown", "Unknown"),
    ("legal-hold", "GetObjectLegalHold", "PutObjectLegalHold", "Unknown"),
    ("retention", "GetObjectRetention", "PutObjectRetention", "Unknown"),
    ("torrent", "GetObjectTorrent", "Unknown", "Unknown"),
];

impl Route {
    pub(super) fn of(request: &Request) -> Route {
        let (bucket, key) = bucket_and_key(request);
        let query = Params::parse(&request.query);
        let has = |name: &str| query.get(name).is_some();
        let method = request.method.as_str();
        let sub_resource = |table: &[(&str, &'static str, &'static str, &'static str)]| {
            let (_, get, put, delete) = table.iter().copied().find(|(name, ..)| has(name))?;
            Some(match method {
                "GET" => get,
                "PUT" => put,
                "DELETE" => delete,
                _ => "Unknown",
            })
        };
        let operation = match (bucket.is_empty(), key.is_empty(), method) {
            (true, _, "GET") => "ListBuckets",
            (true, ..) => "Unknown",
            (_, true, "POST") if has("delete") => "DeleteObjects",
            (_, true, _) => sub_resource(OF_BUCKET).unwrap_or(match method {
                "GET" if query.get("list-type") == Some("2") => "ListObjectsV2",
                "GET" => "ListObjects",
                "HEAD" => "HeadBucket",
                "PUT" => "CreateBucket",
                "DELETE" => "DeleteBucket",
                _ => "Unknown",
            }),
            (_, _, "POST") if has("uploads") => "CreateMultipartUpload",
            (_, _, "POST") if has("uploadId") => "CompleteMultipartUpload",
            (_, _, "PUT") if request.header("x-amz-copy-source").is_some() => {
                if has("uploadId") {
                    "UploadPartCopy"
                } else {
                    "CopyObject"
                }
            }
            _ => sub_resource(OF_OBJECT).unwrap_or(match method {
                "GET" => "GetObject",
                "HEAD" => "HeadObject",
                "PUT" => "PutObject",
                "DELETE" => "DeleteObject",
                _ => "Unknown",
            }),
        };
        Route { operation, bucket, key, query }
    }

    /// The version that the request is about, if it names one.
    pub(super) fn version(&self) -> Option<&str> {
        self.query.get("versionId").filter(|id| !id.is_empty())
    }
}

fn bucket_and_key(request: &Request) -> (String, String) {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let path = request.path.strip_prefix('/').unwrap_or(&request.path);
    match bucket_of_host(request.header("host").unwrap_or_default()) {
        Some(bucket) => (bucket.to_string(), decode(path)),
        None => {
            let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
            (decode(bucket), decode(key))
        }
    }
}

/// The bucket in a virtual-host style address, `bucket.s3.region.amazonaws.com`; a bucket's name may
/// itself have dots. `bucket.localhost` works in the same way for clients of a listener.
fn bucket_of_host(host: &str) -> Option<&str> {
    let host = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(h, _)| h);
    let end = host.rfind(".s3.").or_else(|| host.rfind(".s3-"));
    let bucket = match end {
        Some(end) => &host[..end],
        None => host.strip_suffix(".localhost").filter(|rest| *rest != "s3")?,
    };
    (!bucket.is_empty()).then_some(bucket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, host: &str, path: &str, query: &str) -> (String, String, String) {
        let request = Request {
            method: method.into(),
            path: path.into(),
            query: query.into(),
            headers: [("host".to_string(), host.to_string())].into(),
            body: Vec::new(),
        };
        let route = Route::of(&request);
        (route.operation.to_string(), route.bucket, route.key)
    }

    #[test]
    fn both_address_styles() {
        for (host, path) in [
            ("b.s3.us-east-1.amazonaws.com", "/a%20b/c"),
            ("s3.us-east-1.amazonaws.com", "/b/a%20b/c"),
            ("s3.amazonaws.com", "/b/a%20b/c"),
            ("127.0.0.1:4566", "/b/a%20b/c"),
            ("localhost:4566", "/b/a%20b/c"),
            ("b.localhost:4566", "/a%20b/c"),
            ("[::1]:4566", "/b/a%20b/c"),
        ] {
            let (operation, bucket, key) = route("GET", host, path, "x-id=GetObject");
            assert_eq!(
                (operation.as_str(), bucket.as_str(), key.as_str()),
                ("GetObject", "b", "a b/c"),
                "{host}"
            );
        }
        assert_eq!(route("PUT", "a.s3.b.s3.us-east-1.amazonaws.com", "/", "").1, "a.s3.b");
    }

    #[test]
    fn a_sub_resource_that_is_missing_is_no_listing() {
        let host = "b.s3.us-east-1.amazonaws.com";
        assert_eq!(route("GET", host, "/", "lifecycle").0, "GetBucketLifecycleConfiguration");
        assert_eq!(route("GET", host, "/", "list-type=2&prefix=tagging").0, "ListObjectsV2");
        assert_eq!(route("GET", host, "/", "versions").0, "ListObjectVersions");
        assert_eq!(route("POST", host, "/k", "uploads").0, "CreateMultipartUpload");
        assert_eq!(route("DELETE", host, "/k", "uploadId=u").0, "AbortMultipartUpload");
        assert_eq!(route("GET", "s3.us-east-1.amazonaws.com", "/", "").0, "ListBuckets");
    }
}
