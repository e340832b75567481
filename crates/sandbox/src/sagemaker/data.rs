//! What jobs read from S3 and write there, as their role.

use super::learned::Learned;
use crate::iam::Iam;
use crate::s3::{Content, S3, Version, Versioning, sha256};
use std::collections::BTreeMap;

/// Bytes that a job reads at most; the sandbox keeps no larger objects either.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// Where in S3: bucket and key.
pub(super) fn place(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("s3://")?;
    Some(rest.split_once('/').unwrap_or((rest, ""))).filter(|(bucket, _)| !bucket.is_empty())
}

/// The texts of all objects under a prefix, by their keys.
///
/// # Errors
/// The FailureReason of a job that cannot download them: "Troubleshooting" of the developer guide, and texts that people
/// have met ("No S3 objects found under S3 URL", "Data download failed").
pub(super) fn download<'a>(
    (iam, s3): (&Iam, &'a S3),
    role: &str,
    uri: &str,
    region: &str,
) -> Result<Vec<(&'a str, String)>, String> {
    let failed = |why: &str| Err(format!("ClientError: Data download failed:{why}"));
    let Some((bucket, prefix)) = place(uri) else { return failed(&format!("{uri} is no S3 address")) };
    let nothing = || {
        failed(&format!(
            "No S3 objects found under S3 URL \"{uri}\" given in input data source. Please ensure that the bucket \
             exists in the selected region ({region}), that objects exist under that S3 prefix, and that the role \
             \"{role}\" has \"s3:ListBucket\" permissions on bucket \"{bucket}\"."
        ))
    };
    if !iam.allows(role, "s3:ListBucket", &format!("arn:aws:s3:::{bucket}")) {
        return nothing();
    }
    let Some(found) = s3.buckets.get(bucket).filter(|found| found.region == region) else { return nothing() };
    let keys = found.objects.range(prefix.to_string()..).take_while(|(key, _)| key.starts_with(prefix));
    let mut objects = Vec::new();
    let mut bytes = 0;
    for (key, _) in keys {
        let Some(version) = found.current(key) else { continue };
        // A "folder" that a console made is no data.
        if key.ends_with('/') {
            continue;
        }
        if !iam.allows(role, "s3:GetObject", &format!("arn:aws:s3:::{bucket}/{key}")) {
            return failed(&format!(
                "Access denied to s3://{bucket}/{key}. Please ensure that the role \"{role}\" has \"s3:GetObject\" \
                 permissions."
            ));
        }
        if version.key().is_some_and(|key| !iam.allows(role, "kms:Decrypt", key)) {
            return failed(&format!(
                "Access denied to s3://{bucket}/{key}. Please ensure that the role \"{role}\" has \"kms:Decrypt\" \
                 permissions on its key."
            ));
        }
        bytes += version.content.bytes().len();
        if bytes > BYTES_MAX {
            return failed("the sandbox reads at most 64 MB");
        }
        objects.push((key.as_str(), String::from_utf8_lossy(version.content.bytes()).into_owned()));
    }
    if objects.is_empty() { nothing() } else { Ok(objects) }
}

/// Puts an archive where a job has to leave it.
///
/// # Errors
/// The FailureReason of a job that cannot upload it.
pub(super) fn upload(
    (iam, s3): (&Iam, &mut S3),
    role: &str,
    uri: &str,
    learned: &Learned,
    at: u64,
) -> Result<(), String> {
    let refused = |why: &str| Err(format!("ClientError: Artifact upload failed:{why}"));
    let Some((bucket, key)) = place(uri) else { return refused(&format!("{uri} is no S3 address")) };
    if !iam.allows(role, "s3:PutObject", &format!("arn:aws:s3:::{bucket}/{key}")) {
        return refused(&format!(
            "Error 7: The credentials received had insufficient privileges to {uri} (role {role}, s3:PutObject)"
        ));
    }
    let Some(found) = s3.buckets.get_mut(bucket) else {
        return refused(&format!("The specified bucket does not exist: {bucket}"));
    };
    let archive = learned.archive();
    let hash = sha256(format!("{uri} {at}").as_bytes());
    let id = match found.versioning {
        Versioning::Enabled => hash[..32].to_string(),
        Versioning::Never | Versioning::Suspended => "null".into(),
    };
    let mut headers = BTreeMap::from([("content-type".into(), "application/x-tar".into())]);
    if let Some(key) = &found.encryption.kms_key {
        if !iam.allows(role, "kms:GenerateDataKey", key) {
            return refused(&format!(
                "Error 7: The credentials received had insufficient privileges to {uri} (role {role}, kms:GenerateDataKey)"
            ));
        }
        headers.insert("x-amz-server-side-encryption-aws-kms-key-id".into(), key.clone());
    }
    let content = Content::new(archive);
    let version = Version {
        modified: at,
        delete_marker: false,
        etag: content.etag(),
        content,
        headers,
        tags: BTreeMap::new(),
        id,
    };
    let versions = found.objects.entry(key.to_string()).or_default();
    versions.retain(|old| old.id != version.id);
    versions.push(version);
    Ok(())
}
