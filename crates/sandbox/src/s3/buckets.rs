//! Buckets as such: creation, deletion, where they are, whose they are.

use super::answers::{document, empty, iso};
use super::route::Route;
use super::state::{Bucket, Encryption, Foreign, PublicAccess, S3, Versioning};
use super::tree::{Tree, malformed};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Body, Fault, Reply};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Bucket names that S3 keeps to itself: fact book, section 6.1.
const RESERVED_PREFIXES: &[&str] = &["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: &[&str] = &["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-an"];
const CANNED_ACLS: &[&str] = &["private", "public-read", "public-read-write", "authenticated-read"];
/// Who can own the objects of a bucket.
pub(super) const OWNERSHIPS: &[&str] = &["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"];

pub(super) fn create(call: &Call, route: &Route, s3: &mut S3, random: &Random) -> Reply {
    let name = &route.bucket;
    if !is_valid_name(name) {
        return Err(Fault::bad("InvalidBucketName", "The specified bucket is not valid."));
    }
    let body = &call.request.body;
    let configuration = if body.iter().all(u8::is_ascii_whitespace) {
        None
    } else {
        Some(Tree::parse(body, "CreateBucketConfiguration")?)
    };
    let constraint = configuration.as_ref().and_then(|c| c.text("LocationConstraint"));
    let region = region(&call.region, constraint)?;
    let tags = configuration.as_ref().map_or(Ok(BTreeMap::new()), |c| c.tags("Tags", 50))?;
    let acl = call.request.header("x-amz-acl").unwrap_or("private");
    let ownership = call.request.header("x-amz-object-ownership").unwrap_or("BucketOwnerEnforced");
    if !CANNED_ACLS.contains(&acl) {
        return Err(Fault::bad("InvalidArgument", "Invalid canned ACL"));
    }
    if !OWNERSHIPS.contains(&ownership) {
        return Err(Fault::bad("InvalidArgument", "Invalid x-amz-object-ownership header"));
    }
    if acl != "private" && ownership == "BucketOwnerEnforced" {
        return Err(Fault::bad(
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        ));
    }
    if s3.foreign.contains_key(name) {
        return Err(Fault::new(
            409,
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all users of \
             the system. Please select a different name and try again.",
        ));
    }
    if let Some(own) = s3.buckets.get_mut(name) {
        // The old behaviour of us-east-1: fact book, section 6.1 and trap 61.
        if region == "us-east-1" && own.region == region {
            own.acl = acl.to_string();
            return Ok(created(name));
        }
        return Err(Fault::new(
            409,
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
        ));
    }
    if s3.settling.get(name).is_some_and(|until| call.now < *until) {
        return Err(Fault::new(
            409,
            "OperationAborted",
            "A conflicting conditional operation is currently in progress against this resource. Please \
             try again.",
        ));
    }
    s3.settling.retain(|_, until| call.now < *until);
    let locked = call.request.header("x-amz-bucket-object-lock-enabled") == Some("true");
    let bucket = Bucket {
        region,
        created: call.now,
        found: call.now + late(random),
        acl: acl.to_string(),
        versioning: if locked { Versioning::Enabled } else { Versioning::Never },
        tags,
        public_access: Some(PublicAccess {
            block_public_acls: true,
            ignore_public_acls: true,
            block_public_policy: true,
            restrict_public_buckets: true,
        }),
        encryption: Encryption::default(),
        policy: None,
        ownership: Some(ownership.to_string()),
        object_lock: locked,
        objects: BTreeMap::new(),
        uploads: BTreeMap::new(),
    };
    s3.buckets.insert(name.clone(), bucket);
    Ok(created(name))
}

fn created(name: &str) -> Body {
    empty(200, [("location", format!("/{name}")), ("x-amz-bucket-arn", format!("arn:aws:s3:::{name}"))])
}

/// For how long calls on a new bucket may be answered with `NoSuchBucket`: buckets and their settings are eventually
/// consistent (S3 User Guide, "Amazon S3 data consistency model"; Terraform's provider repeats on it for two minutes).
/// Drawn beside the sequence, which stays what it was.
fn late(random: &Random) -> u64 {
    let mut beside = random.clone();
    if beside.chance(0.25) { beside.duration(0.5, 2.0, 6.0) } else { 0 }
}

/// The region that a new bucket is to have, given that of the endpoint and the location constraint.
fn region(endpoint: &str, constraint: Option<&str>) -> Result<String, Fault> {
    let constraint = if constraint == Some("EU") { Some("eu-west-1") } else { constraint };
    match constraint {
        None if endpoint == "us-east-1" => Ok(endpoint.to_string()),
        None => Err(Fault::bad(
            "IllegalLocationConstraintException",
            "The unspecified location constraint is incompatible for the region specific endpoint this \
             request was sent to.",
        )),
        Some(region) if region == "us-east-1" || !is_region(region) => {
            Err(Fault::bad("InvalidLocationConstraint", "The specified location-constraint is not valid"))
        }
        // The endpoint of us-east-1 is the old global one and creates buckets anywhere.
        Some(region) if region == endpoint || endpoint == "us-east-1" => Ok(region.to_string()),
        Some(region) => Err(Fault::bad(
            "IllegalLocationConstraintException",
            format!(
                "The {region} location constraint is incompatible for the region specific endpoint this \
                 request was sent to."
            ),
        )),
    }
}

/// Whether a text looks like `eu-west-1` or `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    (2..=3).contains(&words.len())
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
        && matches!(number.as_bytes(), [b'1'..=b'9'])
}

fn is_valid_name(name: &str) -> bool {
    let edges = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    (3..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-')
        && edges(name.bytes().next())
        && edges(name.bytes().last())
        && !name.contains("..")
        && name.parse::<Ipv4Addr>().is_err()
        && !RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

pub(super) fn list(route: &Route, s3: &S3) -> Reply {
    let prefix = route.query.get("prefix").unwrap_or_default();
    let region = route.query.get("bucket-region");
    let after = route.query.get("continuation-token").unwrap_or_default();
    let max = match route.query.get("max-buckets").map(str::parse::<usize>) {
        None => usize::MAX,
        Some(Ok(max @ 1..=10_000)) => max,
        Some(_) => return Err(Fault::bad("InvalidArgument", "Argument max-buckets is not valid")),
    };
    let mut found = s3
        .buckets
        .iter()
        .filter(|(name, bucket)| {
            name.starts_with(prefix)
                && name.as_str() > after
                && region.is_none_or(|region| bucket.region == region)
        })
        .peekable();
    let page: Vec<_> = found.by_ref().take(max).collect();
    let next = found.peek().and(page.last()).map(|(name, _)| name);
    Ok(document("ListAllMyBucketsResult", |x| {
        x.element("Owner", |x| {
            x.text("ID", owner_id());
        });
        x.list("Buckets", "Bucket", &page, |x, (name, bucket)| {
            x.text("Name", name).text("CreationDate", iso(bucket.created));
            x.text("BucketRegion", &bucket.region).text("BucketArn", format!("arn:aws:s3:::{name}"));
        });
        x.optional("ContinuationToken", next);
        x.optional("Prefix", route.query.get("prefix"));
    }))
}

/// The canonical user id of the account: 64 hexadecimal digits.
pub(super) fn owner_id() -> String {
    format!("{ACCOUNT:0>64}")
}

/// Null for us-east-1: fact book, section 6.1.
pub(super) fn location(bucket: &Bucket) -> Body {
    document("LocationConstraint", |x| {
        if bucket.region != "us-east-1" {
            x.0.push_str(&bucket.region);
        }
    })
}

pub(super) fn delete(call: &Call, route: &Route, s3: &mut S3, random: &mut Random) -> Reply {
    let Some(bucket) = s3.buckets.get(&route.bucket) else { return Err(malformed()) };
    if !bucket.objects.is_empty() || !bucket.uploads.is_empty() {
        let text = if bucket.versioning == Versioning::Never {
            "The bucket you tried to delete is not empty"
        } else {
            "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
        };
        return Err(Fault::new(409, "BucketNotEmpty", text));
    }
    s3.buckets.remove(&route.bucket);
    // Fact book, section 6.1: the name may not be free at once.
    let lag = random.duration(2.0, 5.0, 15.0);
    if random.chance(0.3) {
        s3.settling.insert(route.bucket.clone(), call.now + lag);
    }
    Ok(empty::<String>(204, []))
}

/// What a request for another account's bucket gets.
pub(super) fn of_another_account(route: &Route, foreign: &Foreign) -> Reply {
    match route.operation {
        _ if !foreign.readable => Err(denied()),
        "HeadBucket" => Ok(empty(200, [("x-amz-bucket-region", foreign.region.clone())])),
        "GetObject" | "HeadObject" if foreign.keys.contains(&route.key) => {
            Ok(empty(200, [("etag", "\"sample\"".to_string()), ("content-length", "0".to_string())]))
        }
        "GetObject" | "HeadObject" => Err(super::objects::no_such_key()),
        "ListObjects" | "ListObjectsV2" => Ok(document("ListBucketResult", |x| {
            x.text("Name", &route.bucket);
            x.text("Prefix", route.query.get("prefix").unwrap_or_default());
            x.text("KeyCount", 0).text("MaxKeys", 1000).text("IsTruncated", false);
        })),
        _ => Err(denied()),
    }
}

pub(super) fn denied() -> Fault {
    Fault::new(403, "AccessDenied", "Access Denied")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["abc", "a-b.c", "churn-111122223333-us-east-1", "1bucket"] {
            assert!(is_valid_name(good), "{good}");
        }
        for bad in
            ["ab", "Abc", "a_b", "-ab", "ab-", "a..b", "10.0.0.1", "xn--a", "sthree-a", "x-s3alias", "a-an"]
        {
            assert!(!is_valid_name(bad), "{bad}");
        }
    }

    #[test]
    fn regions_of_new_buckets() {
        let code = |endpoint, constraint| region(endpoint, constraint).map_err(|fault| fault.code);
        assert_eq!(code("us-east-1", None).unwrap(), "us-east-1");
        assert_eq!(code("us-east-1", Some("EU")).unwrap(), "eu-west-1");
        assert_eq!(code("us-west-2", Some("us-west-2")).unwrap(), "us-west-2");
        assert_eq!(code("us-east-1", Some("us-east-1")).unwrap_err(), "InvalidLocationConstraint");
        assert_eq!(code("us-east-1", Some("mars")).unwrap_err(), "InvalidLocationConstraint");
        assert_eq!(code("us-west-2", None).unwrap_err(), "IllegalLocationConstraintException");
        assert_eq!(code("us-west-2", Some("eu-west-1")).unwrap_err(), "IllegalLocationConstraintException");
    }
}
