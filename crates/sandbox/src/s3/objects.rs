//! Objects: put, get, delete, tags, with and without versions.

use super::answers::{document, empty, http_date, refusal};
use super::chunked::{Payload, payload};
use super::content::Content;
use super::route::Route;
use super::state::{Bucket, Version, Versioning};
use super::tree::{Tree, check_tag, malformed};
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Body, Fault, Params, Reply, Request, Response};
use std::collections::BTreeMap;

/// Keys in one DeleteObjects: fact book, section 6.1.
const DELETES_MAX: usize = 1000;
const KEY_BYTES_MAX: usize = 1024;
const TAGS_MAX: usize = 10;
/// Request headers that belong to the object and come back with it.
const KEPT_HEADERS: &[&str] = &[
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
];

pub(super) fn no_such_key() -> Fault {
    Fault::new(404, "NoSuchKey", "The specified key does not exist.")
}

fn precondition_failed() -> Fault {
    let text = "At least one of the pre-conditions you specified did not hold";
    Fault::new(412, "PreconditionFailed", text)
}

/// Checks `If-None-Match: *` and `If-Match` of a request that writes `key`.
pub(super) fn check_write_conditions(request: &Request, bucket: &Bucket, key: &str) -> Result<(), Fault> {
    let current = bucket.current(key);
    match request.header("if-none-match") {
        Some("*") if current.is_some() => return Err(precondition_failed()),
        Some("*") | None => {}
        Some(_) => {
            let text = "A header you provided implies functionality that is not implemented";
            return Err(Fault::new(501, "NotImplemented", text));
        }
    }
    match (request.header("if-match"), current) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(no_such_key()),
        (Some(wanted), Some(version)) if matches_tag(wanted, &version.etag) => Ok(()),
        (Some(_), Some(_)) => Err(precondition_failed()),
    }
}

fn matches_tag(wanted: &str, etag: &str) -> bool {
    wanted.split(',').any(|one| one.trim() == "*" || one.trim().trim_matches('"') == etag.trim_matches('"'))
}

/// Texts by their names.
type Texts = BTreeMap<String, String>;

/// Headers and tags that a request gives an object, its encryption included.
pub(super) fn describe(
    request: &Request,
    trailers: &BTreeMap<String, String>,
    bucket: &Bucket,
) -> Result<(Texts, Texts), Fault> {
    let is_kept = |name: &str| KEPT_HEADERS.contains(&name) || name.starts_with("x-amz-meta-");
    let mut headers: BTreeMap<String, String> = request
        .headers
        .iter()
        .chain(trailers)
        .filter(|(name, _)| is_kept(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if let Some(encodings) = headers.remove("content-encoding") {
        let left: Vec<&str> =
            encodings.split(',').map(str::trim).filter(|one| *one != "aws-chunked").collect();
        if !left.is_empty() {
            headers.insert("content-encoding".into(), left.join(","));
        }
    }
    headers.entry("content-type".into()).or_insert_with(|| "binary/octet-stream".into());
    let algorithm = request.header("x-amz-server-side-encryption").unwrap_or(&bucket.encryption.algorithm);
    headers.insert("x-amz-server-side-encryption".into(), algorithm.to_string());
    let key = request
        .header("x-amz-server-side-encryption-aws-kms-key-id")
        .or(bucket.encryption.kms_key.as_deref())
        .filter(|_| algorithm.starts_with("aws:kms"));
    if let Some(key) = key {
        headers.insert("x-amz-server-side-encryption-aws-kms-key-id".into(), key.to_string());
    }
    let tags = Params::parse(request.header("x-amz-tagging").unwrap_or_default()).texts();
    for (key, value) in &tags {
        check_tag(key, value)?;
    }
    if tags.len() > TAGS_MAX {
        return Err(Fault::bad("BadRequest", "Object tags cannot be greater than 10"));
    }
    Ok((headers, tags))
}

pub(super) fn check_key(key: &str) -> Result<(), Fault> {
    if key.len() > KEY_BYTES_MAX {
        return Err(Fault::bad("KeyTooLongError", "Your key is too long"));
    }
    Ok(())
}

/// Puts a version on top of a key, in the way that the bucket's versioning demands; its id, if versions
/// have ids here.
pub(super) fn add(
    bucket: &mut Bucket,
    key: &str,
    mut version: Version,
    random: &mut Random,
) -> Option<String> {
    let versions = bucket.objects.entry(key.to_string()).or_default();
    match bucket.versioning {
        Versioning::Enabled => version.id = random.letters(32),
        Versioning::Never | Versioning::Suspended => {
            version.id = "null".into();
            versions.retain(|old| old.id != "null");
        }
    }
    let id = version.id.clone();
    versions.push(version);
    (bucket.versioning != Versioning::Never).then_some(id)
}

pub(super) fn put(call: &Call, route: &Route, bucket: &mut Bucket, random: &mut Random) -> Reply {
    check_key(&route.key)?;
    let request = &call.request;
    let Payload { bytes, trailers } = payload(request)?;
    check_write_conditions(request, bucket, &route.key)?;
    let content = Content::new(bytes);
    check_hash(request, &content)?;
    let (headers, tags) = describe(request, &trailers, bucket)?;
    check_acl(request, bucket)?;
    let etag = written(&content, &headers);
    let version = Version {
        id: String::new(),
        modified: call.now,
        delete_marker: false,
        etag: etag.clone(),
        content,
        headers: headers.clone(),
        tags,
    };
    let id = add(bucket, &route.key, version, random);
    let mut answer = vec![("etag".to_string(), etag)];
    answer.extend(id.map(|id| ("x-amz-version-id".to_string(), id)));
    answer.extend(headers.into_iter().filter(|(name, _)| {
        name.starts_with("x-amz-checksum-") || name.starts_with("x-amz-server-side-encryption")
    }));
    Ok(Body::Whole(Response { status: 200, headers: answer, body: Vec::new() }))
}

/// The tag of a content that is written in one piece. Of what KMS encrypts it is no MD5 (API reference, "Object").
pub(super) fn written(content: &Content, headers: &Texts) -> String {
    let algorithm = headers.get("x-amz-server-side-encryption");
    match algorithm.is_some_and(|algorithm| algorithm.starts_with("aws:kms")) {
        true => format!("\"{}\"", &content.sha256()[..32]),
        false => content.etag(),
    }
}

/// Where ACLs are off, only those that give nothing away are taken (S3 User Guide, "Controlling ownership").
fn check_acl(request: &Request, bucket: &Bucket) -> Result<(), Fault> {
    match request.header("x-amz-acl") {
        None | Some("private" | "bucket-owner-full-control") => Ok(()),
        Some(_) if bucket.ownership.as_deref() == Some("BucketOwnerEnforced") => {
            Err(Fault::bad("AccessControlListNotSupported", "The bucket does not allow ACLs"))
        }
        Some(acl) => {
            Err(Fault::new(501, "NotImplemented", format!("The sandbox keeps no object ACLs: {acl}")))
        }
    }
}

/// The signed hash of the payload, where the client signed it.
pub(super) fn check_hash(request: &Request, content: &Content) -> Result<(), Fault> {
    let promised = request
        .header("x-amz-content-sha256")
        .filter(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
    if promised.is_some_and(|hash| !hash.eq_ignore_ascii_case(content.sha256())) {
        let text = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        return Err(Fault::bad("XAmzContentSHA256Mismatch", text));
    }
    Ok(())
}

/// The version that a request reads, or the answer that there is none.
fn find<'a>(route: &Route, bucket: &'a Bucket) -> Result<&'a Version, Reply> {
    let versions = bucket.objects.get(&route.key).map(Vec::as_slice).unwrap_or_default();
    let found = match route.version() {
        None => versions.last().ok_or_else(|| Err(no_such_key()))?,
        Some(id) => versions
            .iter()
            .find(|version| version.id == id)
            .ok_or_else(|| Err(Fault::new(404, "NoSuchVersion", "The specified version does not exist.")))?,
    };
    if !found.delete_marker {
        return Ok(found);
    }
    let headers = [("x-amz-delete-marker", "true".to_string()), ("x-amz-version-id", found.id.clone())];
    let fault = if route.version().is_some() {
        Fault::new(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
    } else {
        no_such_key()
    };
    Err(Ok(refusal(fault, headers)))
}

/// GetObject and HeadObject; the dispatcher drops the body of the latter.
pub(super) fn get(call: &Call, route: &Route, bucket: &Bucket) -> Reply {
    let version = match find(route, bucket) {
        Ok(version) => version,
        Err(reply) => return reply,
    };
    let request = &call.request;
    if request.header("if-match").is_some_and(|wanted| !matches_tag(wanted, &version.etag)) {
        return Err(precondition_failed());
    }
    if request.header("if-none-match").is_some_and(|wanted| matches_tag(wanted, &version.etag)) {
        return Ok(empty(304, [("etag", version.etag.clone())]));
    }
    let bytes = version.content.bytes();
    let mut headers = vec![
        ("etag".to_string(), version.etag.clone()),
        ("last-modified".to_string(), http_date(version.modified)),
        ("accept-ranges".to_string(), "bytes".to_string()),
    ];
    if bucket.versioning != Versioning::Never {
        headers.push(("x-amz-version-id".into(), version.id.clone()));
    }
    if !version.tags.is_empty() {
        headers.push(("x-amz-tagging-count".into(), version.tags.len().to_string()));
    }
    let range = match request.header("range").and_then(|range| range.strip_prefix("bytes=")) {
        None => None,
        Some(range) => match bounds(range, bytes.len()) {
            Some(bounds) => Some(bounds),
            None => {
                let text = "The requested range is not satisfiable";
                return Err(Fault::new(416, "InvalidRange", text));
            }
        },
    };
    // A checksum of the whole says nothing of a part.
    let wants_checksums = request.header("x-amz-checksum-mode") == Some("ENABLED") && range.is_none();
    headers.extend(
        version
            .headers
            .iter()
            .filter(|(name, _)| wants_checksums || !name.starts_with("x-amz-checksum-"))
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    let (status, part) = match range {
        None => (200, bytes),
        Some((first, last)) => {
            headers.push(("content-range".into(), format!("bytes {first}-{last}/{}", bytes.len())));
            (206, &bytes[first..=last])
        }
    };
    headers.push(("content-length".into(), part.len().to_string()));
    Ok(Body::Whole(Response { status, headers, body: part.to_vec() }))
}

/// First and last byte of one range of `length` bytes: `1-2`, `1-` or `-2`.
fn bounds(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.trim().split_once('-')?;
    let end = length.checked_sub(1)?;
    let (first, last) = match (first, last) {
        ("", suffix) => (length.saturating_sub(suffix.parse::<usize>().ok().filter(|n| *n > 0)?), end),
        (first, "") => (first.parse().ok()?, end),
        (first, last) => (first.parse().ok()?, last.parse::<usize>().ok()?.min(end)),
    };
    (first <= last).then_some((first, last))
}

/// What became of one key.
#[derive(Default)]
pub(super) struct Deleted {
    /// The version that is gone, or that of the delete marker that was put on top.
    version: Option<String>,
    marker: bool,
}

pub(super) fn remove(
    bucket: &mut Bucket,
    key: &str,
    version: Option<&str>,
    now: u64,
    random: &mut Random,
) -> Deleted {
    match (version, bucket.versioning) {
        (Some(id), _) => {
            let Some(versions) = bucket.objects.get_mut(key) else {
                return Deleted { version: Some(id.to_string()), marker: false };
            };
            let marker = versions.iter().any(|version| version.id == id && version.delete_marker);
            versions.retain(|version| version.id != id);
            if versions.is_empty() {
                bucket.objects.remove(key);
            }
            Deleted { version: Some(id.to_string()), marker }
        }
        (None, Versioning::Never) => {
            bucket.objects.remove(key);
            Deleted::default()
        }
        (None, _) => {
            let marker = Version {
                id: String::new(),
                modified: now,
                delete_marker: true,
                etag: String::new(),
                content: Content::default(),
                headers: BTreeMap::new(),
                tags: BTreeMap::new(),
            };
            Deleted { version: add(bucket, key, marker, random), marker: true }
        }
    }
}

pub(super) fn delete(call: &Call, route: &Route, bucket: &mut Bucket, random: &mut Random) -> Reply {
    if let Some(wanted) = call.request.header("if-match")
        && !bucket.current(&route.key).is_some_and(|version| matches_tag(wanted, &version.etag))
    {
        return Err(if bucket.current(&route.key).is_some() { precondition_failed() } else { no_such_key() });
    }
    let deleted = remove(bucket, &route.key, route.version(), call.now, random);
    let mut headers = Vec::new();
    if deleted.marker {
        headers.push(("x-amz-delete-marker", "true".to_string()));
    }
    headers.extend(deleted.version.map(|id| ("x-amz-version-id", id)));
    Ok(empty(204, headers))
}

pub(super) fn delete_many(call: &Call, bucket: &mut Bucket, random: &mut Random) -> Reply {
    let tree = Tree::parse(&payload(&call.request)?.bytes, "Delete")?;
    let wanted: Vec<(&str, Option<&str>)> = tree
        .all("Object")
        .map(|object| Ok((object.raw("Key").ok_or_else(malformed)?, object.text("VersionId"))))
        .collect::<Result<_, Fault>>()?;
    if wanted.is_empty() || wanted.len() > DELETES_MAX {
        return Err(malformed());
    }
    let quiet = tree.flag("Quiet");
    let now = call.now;
    let done: Vec<_> = wanted
        .into_iter()
        .map(|(key, version)| (key, version, remove(bucket, key, version, now, random)))
        .filter(|_| !quiet)
        .collect();
    Ok(document("DeleteResult", |x| {
        for (key, version, deleted) in done {
            x.element("Deleted", |x| {
                x.text("Key", key).optional("VersionId", version);
                if deleted.marker {
                    x.text("DeleteMarker", true).optional("DeleteMarkerVersionId", deleted.version);
                }
            });
        }
    }))
}

pub(super) fn get_tagging(route: &Route, bucket: &Bucket) -> Reply {
    let version = match find(route, bucket) {
        Ok(version) => version,
        Err(reply) => return reply,
    };
    Ok(document("Tagging", |x| {
        x.list("TagSet", "Tag", &version.tags, |x, (key, value)| {
            x.text("Key", key).text("Value", value);
        });
    }))
}

pub(super) fn put_tagging(call: &Call, route: &Route, bucket: &mut Bucket) -> Reply {
    let tags = Tree::parse(&payload(&call.request)?.bytes, "Tagging")?.tags("TagSet", TAGS_MAX)?;
    set_tags(route, bucket, tags, 200)
}

pub(super) fn delete_tagging(route: &Route, bucket: &mut Bucket) -> Reply {
    set_tags(route, bucket, BTreeMap::new(), 204)
}

fn set_tags(route: &Route, bucket: &mut Bucket, tags: BTreeMap<String, String>, status: u16) -> Reply {
    let id = match find(route, bucket) {
        Ok(version) => version.id.clone(),
        Err(reply) => return reply,
    };
    let versions = bucket.objects.get_mut(&route.key).into_iter().flatten();
    for version in versions.filter(|version| version.id == id) {
        version.tags.clone_from(&tags);
    }
    Ok(empty::<String>(status, []))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(bounds("0-3", 10), Some((0, 3)));
        assert_eq!(bounds("5-99", 10), Some((5, 9)));
        assert_eq!(bounds("5-", 10), Some((5, 9)));
        assert_eq!(bounds("-3", 10), Some((7, 9)));
        assert_eq!(bounds("-30", 10), Some((0, 9)));
        for bad in ["10-", "4-3", "-0", "x-1", ""] {
            assert_eq!(bounds(bad, 10), None, "{bad}");
        }
        assert_eq!(bounds("0-", 0), None);
    }
}
