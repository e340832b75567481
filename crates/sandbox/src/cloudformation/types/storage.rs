//! S3: buckets and their policies.

use super::document;
use crate::cloudformation::work::{Outcome, Step, Work, text};
use crate::wire::{Fault, Xml};
use serde_json::Value;

pub(super) fn create(work: &mut Work<'_>) -> Outcome {
    if work.resource.kind == "AWS::S3::BucketPolicy" {
        let bucket = work.need("Bucket");
        put_policy(work, &bucket)?;
        work.resource.physical = bucket;
        return Ok(Step::Done);
    }
    if work.stage > 0 {
        return set(work, work.stage - 1);
    }
    let name = work.property("BucketName").unwrap_or_else(|| work.name.to_lowercase());
    // "bucket-owner-full-control" and "private" say what is so anyway, since buckets are without ACLs (S3 User Guide,
    // "Controlling ownership of objects and disabling ACLs").
    if let Some(other) = work
        .property("AccessControl")
        .filter(|acl| !matches!(acl.as_str(), "Private" | "BucketOwnerFullControl"))
    {
        return Err(Fault::bad(
            "InvalidBucketAclWithObjectOwnership",
            format!(
                "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting ({other})"
            ),
        ));
    }
    let mut body = Xml::new();
    if work.region != "us-east-1" {
        body.element("CreateBucketConfiguration", |x| {
            x.text("LocationConstraint", work.region);
        });
    }
    let ownership = ownership(work.wanted);
    let headers: Vec<(&str, &str)> =
        ownership.as_deref().map(|ownership| ("x-amz-object-ownership", ownership)).into_iter().collect();
    // An existing one is not taken over, as us-east-1's old answer would have it.
    let there = work.s3(("HEAD", &name, ""), &[], String::new());
    if there.is_ok() {
        return Err(Fault::new(409, "AlreadyExists", format!("{name} already exists")));
    }
    work.s3(("PUT", &name, ""), &headers, body.0)?;
    work.resource.physical.clone_from(&name);
    work.set("Arn", format!("arn:aws:s3:::{name}"));
    work.set("DomainName", format!("{name}.s3.amazonaws.com"));
    let regional = format!("{name}.s3.{}.amazonaws.com", work.region);
    work.set("RegionalDomainName", regional);
    Ok(Step::Next)
}

fn ownership(wanted: &Value) -> Option<String> {
    text(&wanted["OwnershipControls"]["Rules"][0]["ObjectOwnership"])
}

/// The settings of a bucket, one after the other.
fn set(work: &mut Work<'_>, at: u32) -> Outcome {
    let bucket = work.resource.physical.clone();
    match at {
        0 if !work.wanted["PublicAccessBlockConfiguration"].is_null() => {
            let mut body = Xml::new();
            body.element("PublicAccessBlockConfiguration", |x| {
                for name in
                    ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]
                {
                    let value = text(&work.wanted["PublicAccessBlockConfiguration"][name]);
                    x.text(name, value.unwrap_or("false".into()));
                }
            });
            work.s3(("PUT", &bucket, "publicAccessBlock"), &[], body.0)?;
        }
        1 if !work.wanted["BucketEncryption"].is_null() => {
            let rule = &work.wanted["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
            let default = &rule["ServerSideEncryptionByDefault"];
            let mut body = Xml::new();
            body.element("ServerSideEncryptionConfiguration", |x| {
                x.element("Rule", |x| {
                    x.element("ApplyServerSideEncryptionByDefault", |x| {
                        x.text("SSEAlgorithm", text(&default["SSEAlgorithm"]).unwrap_or_default());
                        x.optional("KMSMasterKeyID", text(&default["KMSMasterKeyID"]));
                    });
                    x.optional("BucketKeyEnabled", text(&rule["BucketKeyEnabled"]));
                });
            });
            work.s3(("PUT", &bucket, "encryption"), &[], body.0)?;
        }
        2 if !work.wanted["VersioningConfiguration"].is_null() => {
            let status = text(&work.wanted["VersioningConfiguration"]["Status"]).unwrap_or_default();
            let mut body = Xml::new();
            body.element("VersioningConfiguration", |x| {
                x.text("Status", status);
            });
            work.s3(("PUT", &bucket, "versioning"), &[], body.0)?;
        }
        3 if !work.tags().is_empty() => {
            // The request replaces all tags, and S3 does not let go of those that are the system's.
            let system = work.system_tags.to_vec();
            let mut body = Xml::new();
            body.element("Tagging", |x| {
                x.list("TagSet", "Tag", work.tags().into_iter().chain(system), |x, (key, value)| {
                    x.text("Key", key).text("Value", value);
                });
            });
            work.s3(("PUT", &bucket, "tagging"), &[], body.0)?;
        }
        4 if work.is_changed("OwnershipControls") && work.before.is_object() => {
            let mut body = Xml::new();
            body.element("OwnershipControls", |x| {
                x.element("Rule", |x| {
                    x.text("ObjectOwnership", ownership(work.wanted).unwrap_or("BucketOwnerEnforced".into()));
                });
            });
            work.s3(("PUT", &bucket, "ownershipControls"), &[], body.0)?;
        }
        0..=4 => {}
        _ => return Ok(Step::Done),
    }
    Ok(Step::Next)
}

fn put_policy(work: &mut Work<'_>, bucket: &str) -> Result<(), Fault> {
    let policy = document(work, "PolicyDocument").unwrap_or_default();
    work.s3(("PUT", bucket, "policy"), &[], policy)
}

pub(super) fn update(work: &mut Work<'_>) -> Outcome {
    if work.resource.kind == "AWS::S3::BucketPolicy" {
        let bucket = work.resource.physical.clone();
        put_policy(work, &bucket)?;
        return Ok(Step::Done);
    }
    if work.stage == 0 {
        let bucket = work.resource.physical.clone();
        for (property, sub) in [
            ("PublicAccessBlockConfiguration", "publicAccessBlock"),
            ("BucketEncryption", "encryption"),
            ("Tags", "tagging"),
        ] {
            let is_gone = match property {
                "Tags" => work.tags().is_empty(),
                _ => work.wanted[property].is_null(),
            };
            if is_gone && !work.before[property].is_null() {
                work.s3(("DELETE", &bucket, sub), &[], String::new())?;
            }
        }
        return Ok(Step::Next);
    }
    set(work, work.stage - 1)
}

pub(super) fn delete(work: &mut Work<'_>) -> Outcome {
    let bucket = work.resource.physical.clone();
    let sub = if work.resource.kind == "AWS::S3::BucketPolicy" { "policy" } else { "" };
    work.s3(("DELETE", &bucket, sub), &[], String::new())?;
    Ok(Step::Done)
}
