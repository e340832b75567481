//! How AWS is asked for the S3 bucket.

use super::kind::{Calls, Deletion, Seen, Update, absent_ok, already_ok, just_made};
use crate::aws::{Aws, Class, During, Failure, Look, key_of, owns_or, tag_map};
use auroraml_core::base::names::KEY_TAG;
use auroraml_core::base::{Outputs, State, counted, policy};
use auroraml_core::kinds::bucket::{Bucket, Props};
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, Delete, ObjectIdentifier,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging, VersioningConfiguration,
};
use aws_smithy_types::error::operation::BuildError;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Calls for Bucket {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let aws = look.aws;
        let name = aws.bucket();
        let whose = whose(look).await?;
        if *whose == Whose::Nobodys {
            return Ok(Vec::new());
        }
        let mut seen = Seen {
            name: "main".into(),
            owned: false,
            props: Props {
                name: name.clone(),
                versioning: false,
                public_access_blocked: false,
                policy: Value::Null,
                kms_key: None,
                tags: BTreeMap::new(),
            },
            outputs: Outputs::from([
                ("arn".into(), aws.place.bucket_arn(&name).into()),
                ("name".into(), name.clone().into()),
            ]),
            state: State::Ready,
        };
        if let Whose::Ours(tags) = whose.as_ref() {
            let (access, versioning, policy, key) = tokio::join!(
                public_access_blocked(aws, &name),
                versioning(aws, &name),
                live_policy(aws, &name),
                key(aws, &name, tags),
            );
            seen.owned = is_ours(aws, tags);
            seen.props = Props {
                name,
                versioning: versioning?,
                public_access_blocked: access?,
                policy: policy?,
                kms_key: key?,
                tags: tags.clone(),
            };
        }
        Ok(vec![seen])
    }

    /// Only what a new bucket does not have by itself is set (fact book, section 6.1); the executor looks again
    /// and mends what is otherwise. For some seconds what is set on a new bucket may be refused, as if there were none
    /// (fact book, appendix F).
    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        let mut configuration = CreateBucketConfiguration::builder().set_tags(Some(built(&want.tags)?));
        // Neither needed nor allowed in us-east-1 (fact book, trap 60).
        if aws.place.region != "us-east-1" {
            let region = BucketLocationConstraint::from(aws.place.region.as_str());
            configuration = configuration.location_constraint(region);
        }
        let request =
            aws.s3.create_bucket().bucket(&want.name).create_bucket_configuration(configuration.build());
        match request.send().await.during("CreateBucket") {
            // Made by this very call. Where its tags were not taken, a bucket whose name the spec gives would never be
            // known again (moto 5.2 ignores them).
            Ok(_) if aws.scope.bucket.is_some() => put_tags(aws, want).await?,
            Err(failure) if !failure.is(Class::Exists) => return Err(failure),
            _ => {}
        }
        if want.kms_key.is_some() {
            put_key(aws, want).await?;
        }
        if want.versioning {
            put_versioning(aws, want).await?;
        }
        put_policy(aws, want).await
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let (want, owner) = (&update.want, &aws.place.account);
        if update.changed("tags") {
            put_tags(aws, want).await?;
        }
        if update.changed("public_access_blocked") {
            let blocked = want.public_access_blocked;
            let configuration = PublicAccessBlockConfiguration::builder()
                .block_public_acls(blocked)
                .ignore_public_acls(blocked)
                .block_public_policy(blocked)
                .restrict_public_buckets(blocked)
                .build();
            let request = aws
                .s3
                .put_public_access_block()
                .bucket(&want.name)
                .expected_bucket_owner(owner)
                .public_access_block_configuration(configuration);
            just_made(request.send().await.during("PutPublicAccessBlock"))?;
        }
        if update.changed("kms_key") {
            put_key(aws, want).await?;
        }
        if update.changed("versioning") {
            put_versioning(aws, want).await?;
        }
        if update.changed("policy") {
            put_policy(aws, want).await?;
        }
        Ok(())
    }

    /// Option: `empty` = `true`, which deletes everything in the bucket, all versions, first.
    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let bucket = &deletion.live.name;
        let may_empty = deletion.options.get("empty").is_some_and(|empty| empty == "true");
        if may_empty {
            empty(aws, bucket).await?;
        }
        let request = aws.s3.delete_bucket().bucket(bucket).expected_bucket_owner(&aws.place.account);
        match request.send().await.during("DeleteBucket") {
            Err(failure) if failure.is(Class::InUse) && !may_empty => {
                Err(Failure::refused("DeleteBucket", what_is_in(aws, bucket).await?))
            }
            result => already_ok(result, Class::NotFound),
        }
    }
}

/// Pages of up to 1,000 versions deleted between two looks, so that a run can be stopped meanwhile.
const PAGES_MAX: usize = 50;

/// Whose the bucket of the stack's name is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Nobodys,
    /// Another account's, or in another region.
    Others,
    /// This account's, with these tags, which tell whether it is this stack's.
    Ours(BTreeMap<String, String>),
}

/// Whether this account's bucket of the stack's name is the stack's. The name that auroraml chooses holds stack, account
/// and region, so it proves that by itself; tags in CreateBucket are new, and not everything that speaks S3 takes them.
/// A name that the spec gives proves nothing.
pub(super) fn is_ours(aws: &Aws, tags: &BTreeMap<String, String>) -> bool {
    owns_or(&aws.place, tags, aws.scope.bucket.is_none())
}

/// Asks for the tags, and with HEAD where that is denied.
pub(super) async fn whose(look: Look<'_>) -> Result<Arc<Whose>, Failure> {
    let aws = look.aws;
    look.shared("GetBucketTagging", async {
        let owner = &aws.place.account;
        let request = aws.s3.get_bucket_tagging().bucket(aws.bucket()).expected_bucket_owner(owner);
        let failure = match request.send().await.during("GetBucketTagging") {
            Ok(found) => {
                let tags = found.tag_set.iter().map(|tag| (Some(tag.key()), Some(tag.value())));
                return Ok(Whose::Ours(tag_map(tags)));
            }
            Err(failure) => failure,
        };
        match failure.code.as_str() {
            "NoSuchTagSet" => Ok(Whose::Ours(BTreeMap::new())),
            "NoSuchBucket" => Ok(Whose::Nobodys),
            // In another region (fact book, section 6.1).
            "PermanentRedirect" | "AuthorizationHeaderMalformed" => Ok(Whose::Others),
            // Another account's, or an action that we are not allowed: of those, HEAD needs the least.
            "AccessDenied" => {
                let request = aws.s3.head_bucket().bucket(aws.bucket()).expected_bucket_owner(owner);
                match request.send().await.during("HeadBucket") {
                    Err(head) if head.is(Class::Denied) => Ok(Whose::Others),
                    _ => Err(failure),
                }
            }
            _ => Err(failure),
        }
    })
    .await
}

async fn public_access_blocked(aws: &Aws, bucket: &str) -> Result<bool, Failure> {
    let request = aws.s3.get_public_access_block().bucket(bucket).expected_bucket_owner(&aws.place.account);
    let found = absent_ok(request.send().await.during("GetPublicAccessBlock"))?;
    Ok(found.and_then(|found| found.public_access_block_configuration).is_some_and(|set| {
        [set.block_public_acls, set.ignore_public_acls, set.block_public_policy, set.restrict_public_buckets]
            .iter()
            .all(|switch| *switch == Some(true))
    }))
}

/// The key that encrypts new objects; asked for only where the spec or a tag tells of one.
async fn key(aws: &Aws, bucket: &str, tags: &BTreeMap<String, String>) -> Result<Option<String>, Failure> {
    if aws.scope.kms_key.is_none() && !tags.contains_key(KEY_TAG) {
        return Ok(None);
    }
    let request = aws.s3.get_bucket_encryption().bucket(bucket).expected_bucket_owner(&aws.place.account);
    let found = absent_ok(request.send().await.during("GetBucketEncryption"))?;
    let rules = found.and_then(|found| found.server_side_encryption_configuration).map(|set| set.rules);
    let rules = rules.unwrap_or_default();
    let default = rules.first().and_then(|rule| rule.apply_server_side_encryption_by_default());
    let encrypted = default.filter(|default| *default.sse_algorithm() == ServerSideEncryption::AwsKms);
    Ok(key_of(aws, tags, encrypted.and_then(|default| default.kms_master_key_id())))
}

/// With a bucket key: fewer requests to KMS, which cost (Amazon S3 User Guide, "Reducing the cost of SSE-KMS with Amazon S3
/// Bucket Keys").
async fn put_key(aws: &Aws, want: &Props) -> Result<(), Failure> {
    let default = match &want.kms_key {
        Some(key) => ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::AwsKms)
            .kms_master_key_id(key),
        None => ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256),
    };
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default.build().map_err(unbuilt)?)
        .bucket_key_enabled(want.kms_key.is_some());
    let set = ServerSideEncryptionConfiguration::builder().rules(rule.build());
    let request = aws
        .s3
        .put_bucket_encryption()
        .bucket(&want.name)
        .expected_bucket_owner(&aws.place.account)
        .server_side_encryption_configuration(set.build().map_err(unbuilt)?);
    just_made(request.send().await.during("PutBucketEncryption")).map(|_| ())
}

async fn versioning(aws: &Aws, bucket: &str) -> Result<bool, Failure> {
    let request = aws.s3.get_bucket_versioning().bucket(bucket).expected_bucket_owner(&aws.place.account);
    let found = absent_ok(request.send().await.during("GetBucketVersioning"))?;
    Ok(found.and_then(|found| found.status).is_some_and(|status| status == BucketVersioningStatus::Enabled))
}

/// The policy, normalised; null where there is none.
async fn live_policy(aws: &Aws, bucket: &str) -> Result<Value, Failure> {
    let request = aws.s3.get_bucket_policy().bucket(bucket).expected_bucket_owner(&aws.place.account);
    let found = absent_ok(request.send().await.during("GetBucketPolicy"))?;
    let Some(text) = found.and_then(|found| found.policy) else { return Ok(Value::Null) };
    Ok(serde_json::from_str(&text).map_or(Value::String(text), |value| policy::normal(&value)))
}

/// Replaces all tags.
async fn put_tags(aws: &Aws, want: &Props) -> Result<(), Failure> {
    let mut tags = system_tags(aws, &want.name).await?;
    tags.extend(want.tags.clone());
    let tagging = Tagging::builder().set_tag_set(Some(built(&tags)?)).build().map_err(unbuilt)?;
    let owner = &aws.place.account;
    let request =
        aws.s3.put_bucket_tagging().bucket(&want.name).expected_bucket_owner(owner).tagging(tagging);
    just_made(request.send().await.during("PutBucketTagging")).map(|_| ())
}

/// The tags that CloudFormation set on a bucket that is taken over: a request that replaces all tags must send them along
/// as they are (terraform-provider-aws #7323, cloud-custodian #2861).
async fn system_tags(aws: &Aws, bucket: &str) -> Result<BTreeMap<String, String>, Failure> {
    if aws.scope.taken_over.is_none() {
        return Ok(BTreeMap::new());
    }
    let request = aws.s3.get_bucket_tagging().bucket(bucket).expected_bucket_owner(&aws.place.account);
    let found = match request.send().await.during("GetBucketTagging") {
        Err(failure) if failure.code == "NoSuchTagSet" => return Ok(BTreeMap::new()),
        found => found?,
    };
    let tags = found.tag_set.iter().filter(|tag| tag.key().starts_with("aws:"));
    Ok(tags.map(|tag| (tag.key().to_string(), tag.value().to_string())).collect())
}

async fn put_versioning(aws: &Aws, want: &Props) -> Result<(), Failure> {
    // Versioning once switched on can only be suspended.
    let status =
        if want.versioning { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
    let request = aws
        .s3
        .put_bucket_versioning()
        .bucket(&want.name)
        .expected_bucket_owner(&aws.place.account)
        .versioning_configuration(VersioningConfiguration::builder().status(status).build());
    just_made(request.send().await.during("PutBucketVersioning")).map(|_| ())
}

async fn put_policy(aws: &Aws, want: &Props) -> Result<(), Failure> {
    let request = aws
        .s3
        .put_bucket_policy()
        .bucket(&want.name)
        .expected_bucket_owner(&aws.place.account)
        .policy(want.policy.to_string());
    just_made(request.send().await.during("PutBucketPolicy")).map(|_| ())
}

/// Deletes every version, delete marker and unfinished upload, or as many as one turn allows.
async fn empty(aws: &Aws, bucket: &str) -> Result<(), Failure> {
    let owner = &aws.place.account;
    let mut deleted = 0;
    for _ in 0..PAGES_MAX {
        // From the start each time: what was listed before is gone.
        let request = aws.s3.list_object_versions().bucket(bucket).expected_bucket_owner(owner);
        let Some(page) = absent_ok(request.send().await.during("ListObjectVersions"))? else {
            return Ok(());
        };
        let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
        let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
        let objects: Result<Vec<_>, _> = versions
            .chain(markers)
            .map(|(key, version)| {
                let object = ObjectIdentifier::builder().key(key.unwrap_or_default());
                object.set_version_id(version.map(String::from)).build()
            })
            .collect();
        let objects = objects.map_err(unbuilt)?;
        if objects.is_empty() {
            return abort_uploads(aws, bucket).await;
        }
        deleted += objects.len();
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(unbuilt)?;
        let request = aws.s3.delete_objects().bucket(bucket).expected_bucket_owner(owner).delete(delete);
        let done = request.send().await.during("DeleteObjects")?;
        if let Some(error) = done.errors().first() {
            let (key, message) = (error.key().unwrap_or_default(), error.message().unwrap_or_default());
            return Err(Failure {
                class: Class::Refused,
                operation: "DeleteObjects",
                code: error.code().unwrap_or("Unknown").into(),
                message: format!("{message} (object {key} of the bucket {bucket})"),
            });
        }
    }
    Err(Failure {
        class: Class::InUse,
        operation: "DeleteObjects",
        code: "auroraml".into(),
        message: format!("emptying the bucket: deleted {} more", counted(deleted, "version")),
    })
}

async fn abort_uploads(aws: &Aws, bucket: &str) -> Result<(), Failure> {
    let owner = &aws.place.account;
    loop {
        let request = aws.s3.list_multipart_uploads().bucket(bucket).expected_bucket_owner(owner);
        let page = request.send().await.during("ListMultipartUploads")?;
        for upload in page.uploads() {
            let request = aws
                .s3
                .abort_multipart_upload()
                .bucket(bucket)
                .expected_bucket_owner(owner)
                .key(upload.key().unwrap_or_default())
                .upload_id(upload.upload_id().unwrap_or_default());
            already_ok(request.send().await.during("AbortMultipartUpload"), Class::NotFound)?;
        }
        if page.is_truncated() != Some(true) {
            return Ok(());
        }
    }
}

/// A sentence on what keeps the bucket from being deleted.
async fn what_is_in(aws: &Aws, bucket: &str) -> Result<String, Failure> {
    let request =
        aws.s3.list_object_versions().bucket(bucket).expected_bucket_owner(&aws.place.account).send();
    let page = request.await.during("ListObjectVersions")?;
    let count = page.versions().len() + page.delete_markers().len();
    let what = match (count, page.is_truncated()) {
        (0, _) => "unfinished uploads".to_string(),
        (count, Some(true)) => format!("more than {}", counted(count, "object version")),
        (count, _) => counted(count, "object version"),
    };
    Ok(format!(
        "the bucket {bucket} contains {what} and is kept; to delete them too, write `bucket: {{ on_destroy: empty }}`"
    ))
}

fn built(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, Failure> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build().map_err(unbuilt)).collect()
}

fn unbuilt(error: BuildError) -> Failure {
    Failure::refused("S3", format!("could not build a request: {error} (a bug)"))
}
