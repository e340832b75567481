//! Multipart uploads: they count as content of the bucket until completed or aborted.

use super::answers::{document, empty};
use super::chunked::payload;
use super::content::Content;
use super::objects::{add, check_hash, check_key, check_write_conditions, describe};
use super::route::Route;
use super::state::{Bucket, OBJECT_BYTES_MAX, Part, Upload, Version};
use super::tree::{Tree, malformed};
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Body, Fault, Reply, Response};
use md5::{Digest, Md5};
use std::collections::BTreeMap;

/// Every part but the last must have this many bytes.
const PART_BYTES_MIN: usize = 5 * 1024 * 1024;

/// The upload that a request names, with its id.
pub(super) fn find<'a>(route: &'a Route, bucket: &'a mut Bucket) -> Result<(&'a str, &'a mut Upload), Fault> {
    let id = route.query.get("uploadId").unwrap_or_default();
    match bucket.uploads.get_mut(id) {
        Some(upload) if upload.key == route.key => Ok((id, upload)),
        _ => Err(Fault::new(
            404,
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have \
             been aborted or completed.",
        )),
    }
}

pub(super) fn create(call: &Call, route: &Route, bucket: &mut Bucket, random: &mut Random) -> Reply {
    check_key(&route.key)?;
    let (headers, tags) = describe(&call.request, &BTreeMap::new(), bucket)?;
    let id = random.letters(64);
    let upload =
        Upload { key: route.key.clone(), initiated: call.now, headers, tags, parts: BTreeMap::new() };
    bucket.uploads.insert(id.clone(), upload);
    Ok(document("InitiateMultipartUploadResult", |x| {
        x.text("Bucket", &route.bucket).text("Key", &route.key).text("UploadId", id);
    }))
}

pub(super) fn put_part(call: &Call, route: &Route, bucket: &mut Bucket) -> Reply {
    let (_, upload) = find(route, bucket)?;
    let number = route.query.get("partNumber").and_then(|text| text.parse().ok());
    let Some(number @ 1..=10_000) = number else {
        let text = "Part number must be an integer between 1 and 10000, inclusive";
        return Err(Fault::bad("InvalidArgument", text));
    };
    let content = Content::new(payload(&call.request)?.bytes);
    check_hash(&call.request, &content)?;
    let etag = content.etag();
    upload.parts.insert(number, Part { etag: etag.clone(), modified: call.now, content });
    Ok(empty(200, [("etag", etag)]))
}

pub(super) fn complete(call: &Call, route: &Route, bucket: &mut Bucket, random: &mut Random) -> Reply {
    let (id, upload) = find(route, bucket)?;
    let tree = Tree::parse(&call.request.body, "CompleteMultipartUpload")?;
    let parts = wanted(&tree, upload)?;
    if parts.iter().rev().skip(1).any(|part| part.content.bytes().len() < PART_BYTES_MIN) {
        let text = "Your proposed upload is smaller than the minimum allowed size";
        return Err(Fault::bad("EntityTooSmall", text));
    }
    let count = parts.len();
    // The MD5 of the parts' MD5s, with their number (S3 User Guide, "Checking object integrity").
    let hashes: Vec<u8> = parts.iter().flat_map(|part| Md5::digest(part.content.bytes())).collect();
    let bytes: Vec<u8> = parts.iter().flat_map(|part| part.content.bytes()).copied().collect();
    if bytes.len() > OBJECT_BYTES_MAX {
        let text = "Your proposed upload exceeds the maximum allowed size";
        return Err(Fault::bad("EntityTooLarge", text));
    }
    let (id, upload) = (id.to_string(), upload.clone());
    check_write_conditions(&call.request, bucket, &route.key)?;
    bucket.uploads.remove(&id);
    let content = Content::new(bytes);
    let etag = format!("\"{}-{count}\"", Content::new(hashes).etag().trim_matches('"'));
    let version = Version {
        id: String::new(),
        modified: call.now,
        delete_marker: false,
        etag: etag.clone(),
        content,
        headers: upload.headers,
        tags: upload.tags,
    };
    let version_id = add(bucket, &route.key, version, random);
    let mut answer = document("CompleteMultipartUploadResult", |x| {
        x.text("Location", format!("https://{}.s3.amazonaws.com/{}", route.bucket, route.key));
        x.text("Bucket", &route.bucket).text("Key", &route.key).text("ETag", &etag);
    });
    if let (Body::Whole(Response { headers, .. }), Some(version_id)) = (&mut answer, version_id) {
        headers.push(("x-amz-version-id".into(), version_id));
    }
    Ok(answer)
}

/// The parts that a completion names, at least one.
fn wanted<'a>(tree: &Tree, upload: &'a Upload) -> Result<Vec<&'a Part>, Fault> {
    let mut wishes = Vec::new();
    for part in tree.all("Part") {
        let number = part.text("PartNumber").and_then(|text| text.parse::<u32>().ok());
        wishes.push((number.ok_or_else(malformed)?, part.text("ETag").unwrap_or_default()));
    }
    if wishes.is_empty() {
        return Err(malformed());
    }
    if !wishes.is_sorted_by(|(one, _), (next, _)| one < next) {
        let text = "The list of parts was not in ascending order. Parts must be ordered by part number.";
        return Err(Fault::bad("InvalidPartOrder", text));
    }
    let find = |(number, etag): (u32, &str)| {
        let found = upload.parts.get(&number);
        found.filter(|part| part.etag.trim_matches('"') == etag.trim_matches('"')).ok_or_else(|| {
            Fault::bad(
                "InvalidPart",
                "One or more of the specified parts could not be found. The part may not have been \
                 uploaded, or the specified entity tag may not match the part's entity tag.",
            )
        })
    };
    wishes.into_iter().map(find).collect()
}

pub(super) fn abort(route: &Route, bucket: &mut Bucket) -> Reply {
    let id = find(route, bucket)?.0.to_string();
    bucket.uploads.remove(&id);
    Ok(empty::<String>(204, []))
}
