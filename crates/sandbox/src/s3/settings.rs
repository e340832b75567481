//! What is set on a bucket: versioning, tags, public access, encryption, policy, ownership, ACL.

use super::answers::{document, empty};
use super::buckets::{OWNERSHIPS, denied, owner_id};
use super::state::{Bucket, Encryption, PublicAccess, Versioning};
use super::tree::{Tree, malformed};
use crate::call::Call;
use crate::wire::{Body, Fault, Reply, Response};
use serde_json::Value;
use std::collections::BTreeMap;

fn done(status: u16) -> Reply {
    Ok(empty::<String>(status, []))
}

pub(super) fn get_versioning(bucket: &Bucket) -> Body {
    document("VersioningConfiguration", |x| {
        match bucket.versioning {
            Versioning::Never => {}
            Versioning::Enabled => {
                x.text("Status", "Enabled");
            }
            Versioning::Suspended => {
                x.text("Status", "Suspended");
            }
        };
    })
}

pub(super) fn put_versioning(call: &Call, bucket: &mut Bucket) -> Reply {
    let tree = Tree::parse(&call.request.body, "VersioningConfiguration")?;
    bucket.versioning = match tree.text("Status") {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => {
            let text = "The Versioning element must be specified";
            return Err(Fault::bad("IllegalVersioningConfigurationException", text));
        }
    };
    done(200)
}

pub(super) fn get_tagging(bucket: &Bucket) -> Reply {
    if bucket.tags.is_empty() {
        return Err(Fault::new(404, "NoSuchTagSet", "The TagSet does not exist"));
    }
    Ok(document("Tagging", |x| {
        x.list("TagSet", "Tag", &bucket.tags, |x, (key, value)| {
            x.text("Key", key).text("Value", value);
        });
    }))
}

pub(super) fn put_tagging(call: &Call, bucket: &mut Bucket) -> Reply {
    let tree = Tree::parse(&call.request.body, "Tagging")?;
    // Those of the system can be sent again as they are, and must be: this request replaces all tags (Terraform's provider
    // does so, internal/service/s3/tags.go, `bucketUpdateTags`).
    let is_system = |key: &str| key.starts_with("aws:");
    let system: BTreeMap<String, String> =
        bucket.tags.iter().filter(|(key, _)| is_system(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
    let tags = tree.tags_beside("TagSet", 50, &system)?;
    if system.keys().any(|key| !tags.contains_key(key)) {
        return Err(Fault::bad("InvalidTag", "System tags cannot be removed by requester"));
    }
    bucket.tags = tags;
    done(204)
}

pub(super) fn delete_tagging(bucket: &mut Bucket) -> Reply {
    bucket.tags.retain(|key, _| key.starts_with("aws:"));
    done(204)
}

pub(super) fn get_public_access(bucket: &Bucket) -> Reply {
    let Some(set) = bucket.public_access else {
        return Err(Fault::new(
            404,
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
        ));
    };
    Ok(document("PublicAccessBlockConfiguration", |x| {
        x.text("BlockPublicAcls", set.block_public_acls).text("IgnorePublicAcls", set.ignore_public_acls);
        x.text("BlockPublicPolicy", set.block_public_policy);
        x.text("RestrictPublicBuckets", set.restrict_public_buckets);
    }))
}

pub(super) fn put_public_access(call: &Call, bucket: &mut Bucket) -> Reply {
    let tree = Tree::parse(&call.request.body, "PublicAccessBlockConfiguration")?;
    bucket.public_access = Some(PublicAccess {
        block_public_acls: tree.flag("BlockPublicAcls"),
        ignore_public_acls: tree.flag("IgnorePublicAcls"),
        block_public_policy: tree.flag("BlockPublicPolicy"),
        restrict_public_buckets: tree.flag("RestrictPublicBuckets"),
    });
    done(200)
}

pub(super) fn delete_public_access(bucket: &mut Bucket) -> Reply {
    bucket.public_access = None;
    done(204)
}

pub(super) fn get_encryption(bucket: &Bucket) -> Body {
    document("ServerSideEncryptionConfiguration", |x| {
        x.element("Rule", |x| {
            x.element("ApplyServerSideEncryptionByDefault", |x| {
                x.text("SSEAlgorithm", &bucket.encryption.algorithm);
                x.optional("KMSMasterKeyID", bucket.encryption.kms_key.as_ref());
            });
            x.text("BucketKeyEnabled", bucket.encryption.bucket_key);
        });
    })
}

pub(super) fn put_encryption(call: &Call, bucket: &mut Bucket) -> Reply {
    let tree = Tree::parse(&call.request.body, "ServerSideEncryptionConfiguration")?;
    let rule = tree.child("Rule").ok_or_else(malformed)?;
    let default = rule.child("ApplyServerSideEncryptionByDefault").ok_or_else(malformed)?;
    let algorithm = default.text("SSEAlgorithm").ok_or_else(malformed)?;
    if !["AES256", "aws:kms", "aws:kms:dsse"].contains(&algorithm) {
        return Err(malformed());
    }
    let kms_key = default.text("KMSMasterKeyID").map(str::to_string);
    if algorithm == "AES256" && kms_key.is_some() {
        let text = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms";
        return Err(Fault::bad("InvalidArgument", text));
    }
    bucket.encryption =
        Encryption { algorithm: algorithm.to_string(), kms_key, bucket_key: rule.flag("BucketKeyEnabled") };
    done(200)
}

/// There is no bucket without default encryption; it goes back to `AES256`.
pub(super) fn delete_encryption(bucket: &mut Bucket) -> Reply {
    bucket.encryption = Encryption::default();
    done(204)
}

pub(super) fn get_policy(bucket: &Bucket) -> Reply {
    let Some(policy) = &bucket.policy else {
        return Err(Fault::new(404, "NoSuchBucketPolicy", "The bucket policy does not exist"));
    };
    let response = Response::new(200, "application/json", policy.clone());
    Ok(Body::Whole(response))
}

pub(super) fn put_policy(call: &Call, bucket: &mut Bucket) -> Reply {
    let malformed = |text: &str| Fault::bad("MalformedPolicy", text);
    let text = std::str::from_utf8(&call.request.body)
        .map_err(|_| malformed("Policies must be valid JSON and the first byte must be '{'"))?;
    let policy: Value = serde_json::from_str(text)
        .map_err(|_| malformed("Policies must be valid JSON and the first byte must be '{'"))?;
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => return Err(malformed("Missing required field Statement")),
    };
    if statements.iter().any(|statement| statement.get("Principal").is_none()) {
        return Err(malformed("Missing required field Principal"));
    }
    if bucket.public_access.is_some_and(|set| set.block_public_policy) && statements.iter().any(is_public) {
        return Err(denied());
    }
    bucket.policy = Some(text.to_string());
    done(204)
}

/// Whether a statement opens the bucket to everyone: everybody allowed, on no condition.
fn is_public(statement: &Value) -> bool {
    let everybody = |value: &Value| match value {
        Value::String(text) => text == "*",
        Value::Array(list) => list.iter().any(|one| one == "*"),
        _ => false,
    };
    let principal = &statement["Principal"];
    statement["Effect"] == "Allow"
        && statement.get("Condition").is_none()
        && (everybody(principal) || everybody(&principal["AWS"]))
}

pub(super) fn delete_policy(bucket: &mut Bucket) -> Reply {
    bucket.policy = None;
    done(204)
}

pub(super) fn get_ownership(bucket: &Bucket) -> Reply {
    let Some(ownership) = &bucket.ownership else {
        let text = "The bucket ownership controls were not found";
        return Err(Fault::new(404, "OwnershipControlsNotFoundError", text));
    };
    Ok(document("OwnershipControls", |x| {
        x.element("Rule", |x| {
            x.text("ObjectOwnership", ownership);
        });
    }))
}

pub(super) fn put_ownership(call: &Call, bucket: &mut Bucket) -> Reply {
    let tree = Tree::parse(&call.request.body, "OwnershipControls")?;
    let ownership = tree.child("Rule").and_then(|rule| rule.text("ObjectOwnership")).ok_or_else(malformed)?;
    if !OWNERSHIPS.contains(&ownership) {
        return Err(malformed());
    }
    if ownership == "BucketOwnerEnforced" && bucket.acl != "private" {
        return Err(Fault::bad(
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        ));
    }
    bucket.ownership = Some(ownership.to_string());
    done(200)
}

pub(super) fn delete_ownership(bucket: &mut Bucket) -> Reply {
    bucket.ownership = None;
    done(204)
}

pub(super) fn get_acl(bucket: &Bucket) -> Body {
    let everybody = "http://acs.amazonaws.com/groups/global/AllUsers";
    let authenticated = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
    let groups: &[(&str, &str)] = match bucket.acl.as_str() {
        "public-read" => &[(everybody, "READ")],
        "public-read-write" => &[(everybody, "READ"), (everybody, "WRITE")],
        "authenticated-read" => &[(authenticated, "READ")],
        _ => &[],
    };
    let instance = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
    document("AccessControlPolicy", |x| {
        x.element("Owner", |x| {
            x.text("ID", owner_id());
        });
        x.element("AccessControlList", |x| {
            x.element("Grant", |x| {
                // The grantee's kind is an attribute.
                x.0.push_str(&format!("<Grantee {instance} xsi:type=\"CanonicalUser\">"));
                x.text("ID", owner_id());
                x.0.push_str("</Grantee>");
                x.text("Permission", "FULL_CONTROL");
            });
            for (group, permission) in groups {
                x.element("Grant", |x| {
                    x.0.push_str(&format!("<Grantee {instance} xsi:type=\"Group\">"));
                    x.text("URI", group);
                    x.0.push_str("</Grantee>");
                    x.text("Permission", permission);
                });
            }
        });
    })
}

/// Canned ACLs only.
pub(super) fn put_acl(call: &Call, bucket: &mut Bucket) -> Reply {
    if bucket.ownership.as_deref() == Some("BucketOwnerEnforced") {
        let text = "The bucket does not allow ACLs";
        return Err(Fault::bad("AccessControlListNotSupported", text));
    }
    let Some(acl) = call.request.header("x-amz-acl") else { return Err(call.unknown()) };
    if acl.starts_with("public") && bucket.public_access.is_some_and(|set| set.block_public_acls) {
        return Err(denied());
    }
    bucket.acl = acl.to_string();
    done(200)
}
