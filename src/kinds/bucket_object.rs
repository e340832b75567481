//! How AWS is asked for the stack's files in its bucket.

use super::bucket::{Whose, is_ours, whose};
use super::kind::{Calls, Deletion, Seen, Update, already_ok, just_made};
use crate::aws::{Aws, Class, During, Failure, Look};
use auroraml_core::base::names::short_hash;
use auroraml_core::base::{Outputs, State};
use auroraml_core::kinds::bucket_object::{BucketObject, Props};
use std::collections::BTreeMap;

impl Calls for BucketObject {
    /// The newest object of each file name. Older ones, which a killed run may have left, are seen as objects of
    /// their own that nobody wants.
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let aws = look.aws;
        let whose = whose(look).await?;
        let Whose::Ours(tags) = whose.as_ref() else { return Ok(Vec::new()) };
        // An object belongs to whoever the bucket belongs to.
        let owned = is_ours(aws, tags);
        let bucket = aws.bucket();
        let list = look.shared("ListObjectsV2", async {
            let request = aws
                .s3
                .list_objects_v2()
                .bucket(&bucket)
                .prefix(PREFIX)
                .expected_bucket_owner(&aws.place.account);
            let mut found = Vec::new();
            let mut pages = request.into_paginator().send();
            while let Some(page) = pages.next().await {
                match page.during("ListObjectsV2") {
                    Ok(page) => found.extend(page.contents.unwrap_or_default()),
                    Err(failure) if failure.is(Class::NotFound) => break,
                    Err(failure) => return Err(failure),
                }
            }
            Ok(found)
        });
        let list = list.await?;
        let mut by_name: BTreeMap<&str, Vec<(i64, &str)>> = BTreeMap::new();
        for object in list.iter() {
            let Some((key, name)) = object.key().and_then(|key| Some((key, file_name(key)?))) else {
                continue;
            };
            let modified = object.last_modified().map(|time| time.secs()).unwrap_or_default();
            by_name.entry(name).or_default().push((modified, key));
        }
        let mut seen = Vec::new();
        for (name, mut keys) in by_name {
            keys.sort();
            for (age, (_, key)) in keys.iter().rev().enumerate() {
                let name = if age == 0 { name.to_string() } else { format!("{name}#{key}") };
                let props = Props { bucket: bucket.as_str().into(), key: (*key).into(), path: None };
                let outputs = Outputs::from([("key".into(), (*key).into())]);
                seen.push(Seen { name, props, outputs, state: State::Ready, owned });
            }
        }
        Ok(seen)
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        put(aws, want).await
    }

    /// The new object is there before the old one goes.
    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        put(aws, &update.want).await?;
        if update.live.key == update.want.key {
            return Ok(());
        }
        remove(aws, &update.live).await
    }

    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        remove(aws, &deletion.live).await
    }
}

/// Under which the stack's files are, as `auroraml/<hash>/<name>`.
const PREFIX: &str = "auroraml/";

/// The file name in a key of the form `auroraml/<eight hexadecimal digits>/<name>`.
fn file_name(key: &str) -> Option<&str> {
    let (hash, name) = key.strip_prefix(PREFIX)?.split_once('/')?;
    let is_hash = hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hash && !name.is_empty() && !name.contains('/')).then_some(name)
}

async fn put(aws: &Aws, want: &Props) -> Result<(), Failure> {
    let path = want.path.as_deref().unwrap_or_default();
    let refuse = |why: String| Failure::refused("PutObject", why);
    let content = (aws.files)(path).map_err(|error| refuse(format!("cannot read {path}: {error}")))?;
    // The key was made when the plan was.
    if !want.key.starts_with(&format!("{PREFIX}{}/", short_hash(&content))) {
        return Err(refuse(format!("{path} was changed after the plan was made; run again")));
    }
    let request = aws
        .s3
        .put_object()
        .bucket(want.bucket.get())
        .expected_bucket_owner(&aws.place.account)
        .key(&want.key)
        .body(content.into());
    just_made(request.send().await.during("PutObject")).map(|_| ())
}

async fn remove(aws: &Aws, live: &Props) -> Result<(), Failure> {
    let request = aws
        .s3
        .delete_object()
        .bucket(live.bucket.get())
        .expected_bucket_owner(&aws.place.account)
        .key(&live.key);
    already_ok(request.send().await.during("DeleteObject"), Class::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_files() {
        assert_eq!(file_name("auroraml/0123abcd/part_1.ipynb"), Some("part_1.ipynb"));
        for other in ["auroraml/0123abcd/", "auroraml/x/part_1.ipynb", "auroraml/0123abcd/a/b", "churn/x"] {
            assert_eq!(file_name(other), None, "{other}");
        }
    }
}
