//! Listings: objects (both versions of the call), object versions, multipart uploads, parts.

use super::answers::{document, iso};
use super::route::Route;
use super::state::{Bucket, Version};
use super::uploads::find;
use crate::wire::{Fault, Reply, Xml};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Rows in one page, at most.
const PAGE_MAX: usize = 1000;
/// What `encoding-type=url` leaves alone.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// One row of a listing: something under a key, or all keys with a common prefix.
enum Row<T> {
    One(T),
    Prefix(String),
}

struct Page<T> {
    rows: Vec<Row<T>>,
    truncated: bool,
}

impl<T> Page<T> {
    fn ones(&self) -> impl Iterator<Item = &T> {
        self.rows.iter().filter_map(|row| match row {
            Row::One(one) => Some(one),
            Row::Prefix(_) => None,
        })
    }

    fn prefixes(&self, x: &mut Xml, names: &Names) {
        for row in &self.rows {
            if let Row::Prefix(prefix) = row {
                x.element("CommonPrefixes", |x| {
                    x.text("Prefix", names.show(prefix));
                });
            }
        }
    }
}

/// How a listing wants and writes names.
struct Names<'a> {
    prefix: &'a str,
    delimiter: Option<&'a str>,
    encoded: bool,
    max: usize,
}

impl<'a> Names<'a> {
    fn of(route: &'a Route, max_name: &str) -> Result<Names<'a>, Fault> {
        let max = match route.query.get(max_name).map(str::parse::<usize>) {
            None => PAGE_MAX,
            Some(Ok(max)) => max.min(PAGE_MAX),
            Some(Err(_)) => {
                let text = format!("Provided {max_name} not an integer or within integer range");
                return Err(Fault::bad("InvalidArgument", text));
            }
        };
        Ok(Names {
            prefix: route.query.get("prefix").unwrap_or_default(),
            delimiter: route.query.get("delimiter").filter(|delimiter| !delimiter.is_empty()),
            encoded: route.query.get("encoding-type") == Some("url"),
            max,
        })
    }

    fn show(&self, name: &str) -> String {
        if self.encoded { utf8_percent_encode(name, ENCODED).to_string() } else { name.to_string() }
    }

    fn head(&self, x: &mut Xml) {
        x.text("Prefix", self.show(self.prefix));
        x.optional("Delimiter", self.delimiter.map(|delimiter| self.show(delimiter)));
        x.optional("EncodingType", self.encoded.then_some("url"));
    }

    /// One page of `items`, which come in the order of their keys, those after the marker only.
    fn page<T>(&self, after: &str, items: impl Iterator<Item = T>, key: impl Fn(&T) -> &str) -> Page<T> {
        let mut page = Page { rows: Vec::new(), truncated: false };
        for item in items {
            let name = key(&item);
            let Some(rest) = name.strip_prefix(self.prefix) else { continue };
            let common = self.delimiter.and_then(|delimiter| {
                let end = rest.find(delimiter)? + delimiter.len();
                Some(format!("{}{}", self.prefix, &rest[..end]))
            });
            // A page that ended with a common prefix is followed by what is not under it.
            let is_passed = |common: &String| !after.is_empty() && common.as_str() == after;
            if common.as_ref().is_some_and(is_passed) {
                continue;
            }
            if let (Some(common), Some(Row::Prefix(last))) = (&common, page.rows.last())
                && common == last
            {
                continue;
            }
            if page.rows.len() == self.max {
                page.truncated = self.max > 0;
                break;
            }
            page.rows.push(match common {
                Some(common) => Row::Prefix(common),
                None => Row::One(item),
            });
        }
        page
    }
}

pub(super) fn objects(route: &Route, bucket: &Bucket) -> Reply {
    let is_second = route.operation == "ListObjectsV2";
    let names = Names::of(route, "max-keys")?;
    let token = route.query.get("continuation-token");
    let after = match (is_second, token) {
        (true, Some(token)) => {
            URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(
                || Fault::bad("InvalidArgument", "The continuation token provided is incorrect"),
            )?
        }
        (true, None) => route.query.get("start-after").unwrap_or_default().to_string(),
        (false, _) => route.query.get("marker").unwrap_or_default().to_string(),
    };
    let current = bucket
        .objects
        .iter()
        .filter_map(|(key, versions)| Some((key, versions.last().filter(|v| !v.delete_marker)?)))
        .filter(|(key, _)| **key > after);
    let page = names.page(&after, current, |(key, _)| key.as_str());
    let last = page.rows.last().map(|row| match row {
        Row::One((key, _)) => (*key).clone(),
        Row::Prefix(prefix) => prefix.clone(),
    });
    let next = last.filter(|_| page.truncated);
    Ok(document("ListBucketResult", |x| {
        x.text("Name", &route.bucket);
        names.head(x);
        x.text("MaxKeys", names.max).text("IsTruncated", page.truncated);
        if is_second {
            x.text("KeyCount", page.rows.len());
            x.optional("StartAfter", route.query.get("start-after").map(|name| names.show(name)));
            x.optional("ContinuationToken", token);
            x.optional("NextContinuationToken", next.map(|key| URL_SAFE_NO_PAD.encode(key)));
        } else {
            x.text("Marker", names.show(&after));
            // Only with a delimiter; without one the client goes on from the last key.
            x.optional("NextMarker", next.filter(|_| names.delimiter.is_some()).map(|key| names.show(&key)));
        }
        for (key, version) in page.ones() {
            x.element("Contents", |x| entry(x, &names.show(key), version));
        }
        page.prefixes(x, &names);
    }))
}

fn entry(x: &mut Xml, key: &str, version: &Version) {
    x.text("Key", key).text("LastModified", iso(version.modified)).text("ETag", &version.etag);
    x.text("Size", version.content.bytes().len());
    x.text("StorageClass", version.headers.get("x-amz-storage-class").map_or("STANDARD", String::as_str));
}

pub(super) fn versions(route: &Route, bucket: &Bucket) -> Reply {
    let names = Names::of(route, "max-keys")?;
    let key_marker = route.query.get("key-marker").unwrap_or_default();
    let version_marker = route.query.get("version-id-marker").filter(|id| !id.is_empty());
    if version_marker.is_some() && key_marker.is_empty() {
        let text = "A version-id marker cannot be specified without a key marker.";
        return Err(Fault::bad("InvalidArgument", text));
    }
    let mut rows = Vec::new();
    for (key, versions) in &bucket.objects {
        let newest_first = versions.iter().rev().enumerate();
        match version_marker {
            _ if key.as_str() < key_marker => {}
            Some(id) if key == key_marker => {
                let rest = newest_first.skip_while(|(_, version)| version.id != id).skip(1);
                rows.extend(rest.map(|(age, version)| (key, age == 0, version)));
            }
            None if key == key_marker => {}
            _ => rows.extend(newest_first.map(|(age, version)| (key, age == 0, version))),
        }
    }
    let page = names.page(key_marker, rows.into_iter(), |(key, ..)| key.as_str());
    Ok(document("ListVersionsResult", |x| {
        x.text("Name", &route.bucket);
        names.head(x);
        x.text("KeyMarker", names.show(key_marker))
            .text("VersionIdMarker", version_marker.unwrap_or_default());
        x.text("MaxKeys", names.max).text("IsTruncated", page.truncated);
        match page.rows.last().filter(|_| page.truncated) {
            Some(Row::One((key, _, version))) => {
                x.text("NextKeyMarker", names.show(key)).text("NextVersionIdMarker", &version.id);
            }
            Some(Row::Prefix(prefix)) => {
                x.text("NextKeyMarker", names.show(prefix));
            }
            None => {}
        }
        for (key, latest, version) in page.ones() {
            let name = if version.delete_marker { "DeleteMarker" } else { "Version" };
            x.element(name, |x| {
                x.text("VersionId", &version.id).text("IsLatest", latest);
                if version.delete_marker {
                    x.text("Key", names.show(key)).text("LastModified", iso(version.modified));
                } else {
                    entry(x, &names.show(key), version);
                }
            });
        }
        page.prefixes(x, &names);
    }))
}

pub(super) fn uploads(route: &Route, bucket: &Bucket) -> Reply {
    let names = Names::of(route, "max-uploads")?;
    let key_marker = route.query.get("key-marker").unwrap_or_default();
    let id_marker = route.query.get("upload-id-marker").filter(|id| !id.is_empty());
    let mut rows: Vec<_> = bucket.uploads.iter().collect();
    rows.sort_by_key(|(id, upload)| (&upload.key, upload.initiated, *id));
    let passed = match id_marker {
        Some(id) => rows.iter().position(|(found, _)| found.as_str() == id).map_or(0, |at| at + 1),
        None => rows.iter().take_while(|(_, upload)| upload.key.as_str() <= key_marker).count(),
    };
    let rows = rows.into_iter().skip(if key_marker.is_empty() { 0 } else { passed });
    let page = names.page(key_marker, rows, |(_, upload)| upload.key.as_str());
    Ok(document("ListMultipartUploadsResult", |x| {
        x.text("Bucket", &route.bucket);
        names.head(x);
        x.text("KeyMarker", names.show(key_marker)).text("UploadIdMarker", id_marker.unwrap_or_default());
        x.text("MaxUploads", names.max).text("IsTruncated", page.truncated);
        match page.rows.last().filter(|_| page.truncated) {
            Some(Row::One((id, upload))) => {
                x.text("NextKeyMarker", names.show(&upload.key)).text("NextUploadIdMarker", id);
            }
            Some(Row::Prefix(prefix)) => {
                x.text("NextKeyMarker", names.show(prefix));
            }
            None => {}
        }
        for (id, upload) in page.ones() {
            x.element("Upload", |x| {
                x.text("Key", names.show(&upload.key)).text("UploadId", id);
                x.text("StorageClass", "STANDARD").text("Initiated", iso(upload.initiated));
            });
        }
        page.prefixes(x, &names);
    }))
}

pub(super) fn parts(route: &Route, bucket: &mut Bucket) -> Reply {
    let (id, upload) = find(route, bucket)?;
    let number = |name: &str| route.query.get(name).and_then(|text| text.parse::<u32>().ok());
    let after = number("part-number-marker").unwrap_or(0);
    let max = number("max-parts").unwrap_or(1000).min(1000) as usize;
    let mut rest = upload.parts.range(after.saturating_add(1)..).peekable();
    let page: Vec<_> = rest.by_ref().take(max).collect();
    let truncated = rest.peek().is_some();
    Ok(document("ListPartsResult", |x| {
        x.text("Bucket", &route.bucket).text("Key", &route.key).text("UploadId", id);
        x.text("PartNumberMarker", after).text("MaxParts", max).text("IsTruncated", truncated);
        x.optional("NextPartNumberMarker", page.last().map(|(number, _)| number));
        for (number, part) in page {
            x.element("Part", |x| {
                x.text("PartNumber", number).text("ETag", &part.etag);
                x.text("Size", part.content.bytes().len()).text("LastModified", iso(part.modified));
            });
        }
    }))
}
