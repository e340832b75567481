//! What services of AWS write, rather than clients: objects without a request of their own.

use super::content::Content;
use super::objects::{add, describe, remove};
use super::state::{S3, Version};
use crate::random::Random;
use crate::wire::Request;
use std::collections::BTreeMap;

impl S3 {
    /// Writes an object into one of the account's own buckets; whether there is such a bucket.
    pub(crate) fn put_object(
        &mut self,
        bucket: &str,
        key: &str,
        bytes: Vec<u8>,
        now: u64,
        random: &mut Random,
    ) -> bool {
        let Some(bucket) = self.buckets.get_mut(bucket) else { return false };
        let content = Content::new(bytes);
        let (headers, _) = describe(&Request::default(), &BTreeMap::new(), bucket).unwrap_or_default();
        let version = Version {
            id: String::new(),
            modified: now,
            delete_marker: false,
            etag: content.etag(),
            content,
            headers,
            tags: BTreeMap::new(),
        };
        add(bucket, key, version, random);
        true
    }

    /// Deletes an object, as a client would who names no version.
    pub(crate) fn delete_object(&mut self, bucket: &str, key: &str, now: u64, random: &mut Random) {
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            remove(bucket, key, None, now, random);
        }
    }
}
