//! CopyObject: an object of one of the account's buckets under another key, or with other metadata.

use super::answers::{document, iso};
use super::buckets::denied;
use super::objects::{add, check_key, describe, no_such_key, written};
use super::route::Route;
use super::state::{S3, Version};
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Body, Fault, Reply, Response};
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;

fn invalid(text: &str) -> Fault {
    Fault::bad("InvalidRequest", text)
}

/// Bucket, key and version of `x-amz-copy-source`.
fn source(header: &str) -> Option<(String, String, Option<String>)> {
    let (path, version) = match header.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version.to_string())),
        None => (header, None),
    };
    let path = percent_decode_str(path).decode_utf8().ok()?;
    let (bucket, key) = path.strip_prefix('/').unwrap_or(&path).split_once('/')?;
    (!key.is_empty()).then(|| (bucket.to_string(), key.to_string(), version))
}

pub(super) fn copy(call: &Call, route: &Route, s3: &mut S3, random: &mut Random) -> Reply {
    check_key(&route.key)?;
    let request = &call.request;
    let header = request.header("x-amz-copy-source").unwrap_or_default();
    let (bucket, key, version) =
        source(header).ok_or_else(|| Fault::bad("InvalidArgument", "Invalid copy source object key"))?;
    let replaces = |header: &str| match request.header(header) {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(_) => Err(Fault::bad("InvalidArgument", "Unknown metadata directive.")),
    };
    let (new_metadata, new_tags) =
        (replaces("x-amz-metadata-directive")?, replaces("x-amz-tagging-directive")?);
    if s3.foreign.contains_key(&bucket) {
        return Err(denied());
    }
    let no_bucket = || Fault::new(404, "NoSuchBucket", "The specified bucket does not exist");
    let from = s3.buckets.get(&bucket).ok_or_else(no_bucket)?;
    let found = match &version {
        None => from.current(&key).ok_or_else(no_such_key)?,
        Some(id) => {
            let mut versions = from.objects.get(&key).into_iter().flatten();
            versions
                .find(|found| found.id == *id && !found.delete_marker)
                .ok_or_else(|| Fault::new(404, "NoSuchVersion", "The specified version does not exist."))?
        }
    }
    .clone();
    if (&bucket, &key) == (&route.bucket, &route.key) && version.is_none() && !new_metadata && !new_tags {
        return Err(invalid(
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    let to = s3.buckets.get_mut(&route.bucket).ok_or_else(no_bucket)?;
    if to.region != call.region {
        return Ok(super::elsewhere(&route.bucket, &to.region));
    }
    let (given, tags) = describe(request, &BTreeMap::new(), to)?;
    let is_encryption = |name: &str| name.starts_with("x-amz-server-side-encryption");
    let headers = match new_metadata {
        true => given,
        false => {
            // What belongs to the content comes along; how it is encrypted is the new place's.
            let kept = found.headers.into_iter().filter(|(name, _)| !is_encryption(name));
            kept.chain(given.into_iter().filter(|(name, _)| is_encryption(name))).collect()
        }
    };
    let tags = if new_tags { tags } else { found.tags };
    let etag = written(&found.content, &headers);
    let copy = Version {
        id: String::new(),
        modified: call.now,
        delete_marker: false,
        etag: etag.clone(),
        content: found.content,
        headers,
        tags,
    };
    let id = add(to, &route.key, copy, random);
    let mut answer = document("CopyObjectResult", |x| {
        x.text("ETag", &etag).text("LastModified", iso(call.now));
    });
    if let Body::Whole(Response { headers, .. }) = &mut answer {
        headers.extend(id.map(|id| ("x-amz-version-id".to_string(), id)));
        headers.extend(version.map(|id| ("x-amz-copy-source-version-id".to_string(), id)));
    }
    Ok(answer)
}
