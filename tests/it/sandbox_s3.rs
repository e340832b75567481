//! The simulated S3 against the real SDK: fact book, section 6.1.

use crate::support::{config, sandbox};
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::s3::Foreign;
use auroraml_sandbox::{Sandbox, World};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Region;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketCannedAcl, BucketLocationConstraint, BucketVersioningStatus, CompletedMultipartUpload,
    CompletedPart, CreateBucketConfiguration, Delete, ObjectIdentifier, ObjectOwnership, OwnershipControls,
    OwnershipControlsRule, PublicAccessBlockConfiguration, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging,
    VersioningConfiguration,
};
use std::fmt::Debug;
use std::time::Duration;

const BUCKET: &str = "churn-sagemaker-111122223333";

/// The error code of a call that must fail.
fn code<T: Debug, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>) -> String {
    result.expect_err("this call must be refused").code().unwrap_or("none").to_string()
}

/// The HTTP status of a call that must fail.
fn status<T: Debug, E>(
    result: Result<T, SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>>,
) -> u16 {
    let error = result.expect_err("this call must be refused");
    error.raw_response().expect("an answer").status().as_u16()
}

fn client(sandbox: &Sandbox) -> Client {
    Client::new(&config(sandbox))
}

fn client_in(sandbox: &Sandbox, region: &'static str) -> Client {
    Client::new(&config(sandbox).into_builder().region(Region::new(region)).build())
}

/// A client of a new calm sandbox, with one bucket.
async fn with_bucket() -> (Sandbox, Client) {
    let sandbox = sandbox(1, Mood::Calm);
    let s3 = client(&sandbox);
    s3.create_bucket().bucket(BUCKET).send().await.unwrap();
    (sandbox, s3)
}

async fn put(s3: &Client, key: &str, text: &str) -> Option<String> {
    let body = ByteStream::from(text.as_bytes().to_vec());
    s3.put_object().bucket(BUCKET).key(key).body(body).send().await.unwrap().version_id
}

async fn read(s3: &Client, key: &str) -> String {
    let object = s3.get_object().bucket(BUCKET).key(key).send().await.unwrap();
    String::from_utf8(object.body.collect().await.unwrap().to_vec()).unwrap()
}

async fn set_versioning(s3: &Client, status: BucketVersioningStatus) {
    let set = VersioningConfiguration::builder().status(status).build();
    s3.put_bucket_versioning().bucket(BUCKET).versioning_configuration(set).send().await.unwrap();
}

fn located(region: &str) -> CreateBucketConfiguration {
    CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region)).build()
}

#[tokio::test(start_paused = true)]
async fn us_east_1_answers_a_re_creation_with_200_and_resets_the_acl() {
    let (_sandbox, s3) = with_bucket().await;
    let acl = BucketCannedAcl::PublicRead;
    let refused = s3.put_bucket_acl().bucket(BUCKET).acl(acl.clone()).send().await;
    assert_eq!(code(refused), "AccessControlListNotSupported", "ACLs are off for new buckets");

    let rule =
        OwnershipControlsRule::builder().object_ownership(ObjectOwnership::ObjectWriter).build().unwrap();
    let controls = OwnershipControls::builder().rules(rule).build().unwrap();
    s3.put_bucket_ownership_controls().bucket(BUCKET).ownership_controls(controls).send().await.unwrap();
    let refused = s3.put_bucket_acl().bucket(BUCKET).acl(acl.clone()).send().await;
    assert_eq!(code(refused), "AccessDenied", "public ACLs are blocked");
    s3.delete_public_access_block().bucket(BUCKET).send().await.unwrap();
    s3.put_bucket_acl().bucket(BUCKET).acl(acl).send().await.unwrap();
    assert_eq!(s3.get_bucket_acl().bucket(BUCKET).send().await.unwrap().grants().len(), 2);

    s3.create_bucket().bucket(BUCKET).send().await.unwrap();
    assert_eq!(s3.get_bucket_acl().bucket(BUCKET).send().await.unwrap().grants().len(), 1, "ACL reset");
}

#[tokio::test(start_paused = true)]
async fn names_are_global_and_taken_elsewhere() {
    let sandbox = sandbox(1, Mood::Calm);
    let west = client_in(&sandbox, "us-west-2");
    let create = || west.create_bucket().bucket(BUCKET).create_bucket_configuration(located("us-west-2"));
    create().send().await.unwrap();
    assert_eq!(code(create().send().await), "BucketAlreadyOwnedByYou");
    let east = client(&sandbox);
    assert_eq!(code(east.create_bucket().bucket(BUCKET).send().await), "BucketAlreadyOwnedByYou");
    let foreign = east.create_bucket().bucket("sagemaker-sample-files").send().await;
    assert_eq!(code(foreign), "BucketAlreadyExists");
    assert_eq!(code(east.create_bucket().bucket("xn--churn").send().await), "InvalidBucketName");
}

#[tokio::test(start_paused = true)]
async fn the_location_constraint_is_absent_in_us_east_1_and_required_elsewhere() {
    let sandbox = sandbox(1, Mood::Calm);
    let (east, west) = (client(&sandbox), client_in(&sandbox, "us-west-2"));
    let create = |s3: &Client, region: Option<&str>| {
        s3.create_bucket().bucket(BUCKET).set_create_bucket_configuration(region.map(located))
    };
    assert_eq!(code(create(&east, Some("us-east-1")).send().await), "InvalidLocationConstraint");
    assert_eq!(code(create(&west, None).send().await), "IllegalLocationConstraintException");
    assert_eq!(code(create(&west, Some("eu-west-1")).send().await), "IllegalLocationConstraintException");
    create(&west, Some("us-west-2")).send().await.unwrap();
    let location = west.get_bucket_location().bucket(BUCKET).send().await.unwrap();
    assert_eq!(location.location_constraint(), Some(&BucketLocationConstraint::UsWest2));

    east.create_bucket().bucket("churn-east").send().await.unwrap();
    let location = east.get_bucket_location().bucket("churn-east").send().await.unwrap();
    assert!(location.location_constraint().is_none_or(|region| region.as_str().is_empty()), "null");
    let names: Vec<String> = east
        .list_buckets()
        .send()
        .await
        .unwrap()
        .buckets()
        .iter()
        .map(|bucket| format!("{}:{}", bucket.name().unwrap(), bucket.bucket_region().unwrap()))
        .collect();
    assert_eq!(names, ["churn-east:us-east-1", "churn-sagemaker-111122223333:us-west-2"]);
}

#[tokio::test(start_paused = true)]
async fn head_bucket_tells_by_status_alone() {
    let (sandbox, s3) = with_bucket().await;
    let mine = s3.head_bucket().bucket(BUCKET).send().await.unwrap();
    assert_eq!(mine.bucket_region(), Some("us-east-1"));
    assert_eq!(status(s3.head_bucket().bucket("churn-nowhere").send().await), 404);
    sandbox.with(|world| {
        let foreign = Foreign { region: "us-east-1".into(), readable: false, keys: Default::default() };
        world.global.s3.foreign.insert("churn-of-others".into(), foreign);
    });
    let theirs = s3.head_bucket().bucket("churn-of-others").send().await.unwrap_err();
    let answer = theirs.raw_response().unwrap();
    assert_eq!(answer.status().as_u16(), 403);
    assert_eq!(answer.body().bytes(), Some(&[][..]), "no body, hence no code");
    let elsewhere = client_in(&sandbox, "eu-west-1").head_bucket().bucket(BUCKET).send().await.unwrap_err();
    let answer = elsewhere.raw_response().unwrap();
    assert_eq!(answer.status().as_u16(), 301);
    assert_eq!(answer.headers().get("x-amz-bucket-region"), Some("us-east-1"));
}

#[tokio::test(start_paused = true)]
async fn the_sample_bucket_can_be_read_by_everyone_and_written_by_no_one() {
    let s3 = client(&sandbox(1, Mood::Calm));
    let samples = "sagemaker-sample-files";
    s3.head_bucket().bucket(samples).send().await.unwrap();
    assert_eq!(code(s3.get_object().bucket(samples).key("x").send().await), "NoSuchKey");
    assert_eq!(s3.list_objects_v2().bucket(samples).send().await.unwrap().contents().len(), 0);
    let refused = s3.put_object().bucket(samples).key("x").body(ByteStream::from_static(b"1")).send().await;
    assert_eq!(code(refused), "AccessDenied");
    assert_eq!(code(s3.delete_bucket().bucket(samples).send().await), "AccessDenied");
}

#[tokio::test(start_paused = true)]
async fn a_bucket_is_empty_only_without_versions_markers_and_uploads() {
    let (_sandbox, s3) = with_bucket().await;
    set_versioning(&s3, BucketVersioningStatus::Enabled).await;
    let version = put(&s3, "k", "1").await.unwrap();
    assert_eq!(code(s3.delete_bucket().bucket(BUCKET).send().await), "BucketNotEmpty");
    let marker = s3.delete_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(s3.list_objects_v2().bucket(BUCKET).send().await.unwrap().contents().len(), 0);
    assert_eq!(code(s3.delete_bucket().bucket(BUCKET).send().await), "BucketNotEmpty", "a version is left");
    s3.delete_object().bucket(BUCKET).key("k").version_id(version).send().await.unwrap();
    assert_eq!(code(s3.delete_bucket().bucket(BUCKET).send().await), "BucketNotEmpty", "a marker is left");
    let marker = marker.version_id().unwrap();
    s3.delete_object().bucket(BUCKET).key("k").version_id(marker).send().await.unwrap();

    let upload = s3.create_multipart_upload().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(code(s3.delete_bucket().bucket(BUCKET).send().await), "BucketNotEmpty", "an upload is left");
    let id = upload.upload_id().unwrap();
    s3.abort_multipart_upload().bucket(BUCKET).key("k").upload_id(id).send().await.unwrap();
    s3.delete_bucket().bucket(BUCKET).send().await.unwrap();
    assert_eq!(code(s3.list_objects_v2().bucket(BUCKET).send().await), "NoSuchBucket");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_name_is_sometimes_not_free_at_once() {
    let sandbox = sandbox(5, Mood::Real);
    let s3 = client(&sandbox);
    let mut aborted = 0;
    for _ in 0..40 {
        s3.create_bucket().bucket(BUCKET).send().await.unwrap();
        // Until then further calls may not find it.
        sandbox.clock().sleep(Duration::from_secs(30)).await;
        s3.delete_bucket().bucket(BUCKET).send().await.unwrap();
        if let Err(refused) = s3.create_bucket().bucket(BUCKET).send().await {
            assert_eq!(refused.code(), Some("OperationAborted"));
            aborted += 1;
        } else {
            sandbox.clock().sleep(Duration::from_secs(30)).await;
            s3.delete_bucket().bucket(BUCKET).send().await.unwrap();
        }
        sandbox.clock().sleep(Duration::from_secs(120)).await;
    }
    assert!((3..30).contains(&aborted), "{aborted} of 40");
}

#[tokio::test(start_paused = true)]
async fn new_buckets_have_todays_defaults() {
    let (_sandbox, s3) = with_bucket().await;
    let versioning = s3.get_bucket_versioning().bucket(BUCKET).send().await.unwrap();
    assert_eq!(versioning.status(), None, "never set");
    assert_eq!(code(s3.get_bucket_tagging().bucket(BUCKET).send().await), "NoSuchTagSet");
    assert_eq!(code(s3.get_bucket_policy().bucket(BUCKET).send().await), "NoSuchBucketPolicy");
    let access = s3.get_public_access_block().bucket(BUCKET).send().await.unwrap();
    let access = access.public_access_block_configuration().unwrap();
    assert_eq!(access.block_public_acls(), Some(true));
    assert_eq!(access.restrict_public_buckets(), Some(true));
    let encryption = s3.get_bucket_encryption().bucket(BUCKET).send().await.unwrap();
    let rule = &encryption.server_side_encryption_configuration().unwrap().rules()[0];
    let default = rule.apply_server_side_encryption_by_default().unwrap();
    assert_eq!(default.sse_algorithm(), &ServerSideEncryption::Aes256);
    let ownership = s3.get_bucket_ownership_controls().bucket(BUCKET).send().await.unwrap();
    let rule = &ownership.ownership_controls().unwrap().rules()[0];
    assert_eq!(rule.object_ownership(), &ObjectOwnership::BucketOwnerEnforced);
}

#[tokio::test(start_paused = true)]
async fn settings_are_read_back_as_they_were_put() {
    let (_sandbox, s3) = with_bucket().await;
    set_versioning(&s3, BucketVersioningStatus::Suspended).await;
    let versioning = s3.get_bucket_versioning().bucket(BUCKET).send().await.unwrap();
    assert_eq!(versioning.status(), Some(&BucketVersioningStatus::Suspended));

    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let set = Tagging::builder().tag_set(tag("auroraml:stack", "a <b> & \"c\"")).build().unwrap();
    s3.put_bucket_tagging().bucket(BUCKET).tagging(set).send().await.unwrap();
    let tags = s3.get_bucket_tagging().bucket(BUCKET).send().await.unwrap();
    assert_eq!(tags.tag_set()[0], tag("auroraml:stack", "a <b> & \"c\""));
    let system = Tagging::builder().tag_set(tag("aws:x", "y")).build().unwrap();
    assert_eq!(code(s3.put_bucket_tagging().bucket(BUCKET).tagging(system).send().await), "InvalidTag");
    s3.delete_bucket_tagging().bucket(BUCKET).send().await.unwrap();
    assert_eq!(code(s3.get_bucket_tagging().bucket(BUCKET).send().await), "NoSuchTagSet");

    let default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::AwsKms)
        .kms_master_key_id("alias/churn")
        .build()
        .unwrap();
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default.clone())
        .bucket_key_enabled(true)
        .build();
    let set = ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
    s3.put_bucket_encryption()
        .bucket(BUCKET)
        .server_side_encryption_configuration(set.clone())
        .send()
        .await
        .unwrap();
    let encryption = s3.get_bucket_encryption().bucket(BUCKET).send().await.unwrap();
    let rule = &encryption.server_side_encryption_configuration().unwrap().rules()[0];
    assert_eq!(rule.apply_server_side_encryption_by_default(), Some(&default));
    put(&s3, "k", "1").await;
    let head = s3.head_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(head.ssekms_key_id(), Some("alias/churn"), "objects take the bucket's default");
}

#[tokio::test(start_paused = true)]
async fn a_public_policy_is_blocked_until_public_access_is_not() {
    let (_sandbox, s3) = with_bucket().await;
    let policy = |principal: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},
            "Action":"s3:GetObject","Resource":"arn:aws:s3:::{BUCKET}/*"}}]}}"#
        )
    };
    let put_policy = |text: String| s3.put_bucket_policy().bucket(BUCKET).policy(text).send();
    assert_eq!(code(put_policy("{".into()).await), "MalformedPolicy");
    assert_eq!(code(put_policy(policy("\"*\"")).await), "AccessDenied");
    let private = policy(r#"{"AWS":"arn:aws:iam::111122223333:root"}"#);
    put_policy(private.clone()).await.unwrap();
    let read = s3.get_bucket_policy().bucket(BUCKET).send().await.unwrap();
    assert_eq!(read.policy(), Some(private.as_str()));
    let open = PublicAccessBlockConfiguration::builder().block_public_policy(false).build();
    s3.put_public_access_block().bucket(BUCKET).public_access_block_configuration(open).send().await.unwrap();
    put_policy(policy("\"*\"")).await.unwrap();
    s3.delete_bucket_policy().bucket(BUCKET).send().await.unwrap();
    assert_eq!(code(s3.get_bucket_policy().bucket(BUCKET).send().await), "NoSuchBucketPolicy");
}

#[tokio::test(start_paused = true)]
async fn conditional_writes() {
    let (_sandbox, s3) = with_bucket().await;
    let body = |text: &'static str| ByteStream::from_static(text.as_bytes());
    let create =
        |text| s3.put_object().bucket(BUCKET).key("lease").if_none_match("*").body(body(text)).send();
    let etag = create("1").await.unwrap().e_tag.unwrap();
    assert_eq!(code(create("2").await), "PreconditionFailed");
    assert_eq!(read(&s3, "lease").await, "1", "the refused write had no effect");

    let swap =
        |etag: &str, text| s3.put_object().bucket(BUCKET).key("lease").if_match(etag).body(body(text)).send();
    let newer = swap(&etag, "3").await.unwrap().e_tag.unwrap();
    assert_ne!(etag, newer);
    assert_eq!(code(swap(&etag, "4").await), "PreconditionFailed");
    let stale = s3.delete_object().bucket(BUCKET).key("lease").if_match(&etag).send().await;
    assert_eq!(code(stale), "PreconditionFailed");
    s3.delete_object().bucket(BUCKET).key("lease").if_match(&newer).send().await.unwrap();
    assert_eq!(code(swap(&newer, "5").await), "NoSuchKey");
    create("6").await.unwrap();
    let unchanged = s3.get_object().bucket(BUCKET).key("lease");
    let etag = s3.head_object().bucket(BUCKET).key("lease").send().await.unwrap().e_tag.unwrap();
    assert_eq!(status(unchanged.if_none_match(etag).send().await), 304);
}

#[tokio::test(start_paused = true)]
async fn an_object_comes_back_with_all_that_it_was_put_with() {
    let (sandbox, s3) = with_bucket().await;
    let key = "models/a b+c?d=ü&/model.tar.gz";
    let put_at = sandbox.clock().now_ms() / 1000;
    s3.put_object()
        .bucket(BUCKET)
        .key(key)
        .content_type("application/gzip")
        .content_encoding("gzip")
        .cache_control("no-store")
        .metadata("hash", "abc")
        .tagging("team=ml&cost=a%20b")
        .body(ByteStream::from_static(b"0123456789"))
        .send()
        .await
        .unwrap();
    let head = s3.head_object().bucket(BUCKET).key(key).send().await.unwrap();
    assert_eq!(head.content_length(), Some(10));
    let object = s3.get_object().bucket(BUCKET).key(key).send().await.unwrap();
    assert_eq!(object.content_type(), Some("application/gzip"));
    assert_eq!(object.content_encoding(), Some("gzip"));
    assert_eq!(object.cache_control(), Some("no-store"));
    assert_eq!(object.metadata().unwrap()["hash"], "abc");
    assert_eq!(object.last_modified().unwrap().secs(), put_at as i64);
    let part = s3.get_object().bucket(BUCKET).key(key).range("bytes=2-4").send().await.unwrap();
    assert_eq!(part.content_range(), Some("bytes 2-4/10"));
    assert_eq!(&part.body.collect().await.unwrap().to_vec(), b"234");
    let tags = s3.get_object_tagging().bucket(BUCKET).key(key).send().await.unwrap();
    assert_eq!(tags.tag_set()[0].value(), "a b");
    s3.delete_object_tagging().bucket(BUCKET).key(key).send().await.unwrap();
    assert_eq!(s3.get_object_tagging().bucket(BUCKET).key(key).send().await.unwrap().tag_set().len(), 0);

    let listed = s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    assert_eq!(listed.contents()[0].key(), Some(key));
    assert_eq!(code(s3.get_object().bucket(BUCKET).key("none").send().await), "NoSuchKey");
    assert_eq!(status(s3.head_object().bucket(BUCKET).key("none").send().await), 404);
    let beyond = s3.get_object().bucket(BUCKET).key(key).range("bytes=10-").send().await;
    assert_eq!(code(beyond), "InvalidRange");
}

#[tokio::test(start_paused = true)]
async fn a_streamed_body_arrives_whole_and_keeps_its_checksum() {
    let (_sandbox, s3) = with_bucket().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let text: String = (0..20_000).map(|n| format!("row {n}\r\n")).collect();
    std::fs::write(file.path(), &text).unwrap();
    let body = ByteStream::from_path(file.path()).await.unwrap();
    let put = s3.put_object().bucket(BUCKET).key("k").body(body).send().await.unwrap();
    assert!(put.checksum_crc32().is_some() || put.checksum_crc64_nvme().is_some(), "{put:?}");
    // The SDK compares the checksum with what it reads.
    assert_eq!(read(&s3, "k").await, text);
    let head = s3.head_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(head.content_encoding(), None, "aws-chunked is no property of the object");
}

#[tokio::test(start_paused = true)]
async fn versions_lie_under_delete_markers() {
    let (_sandbox, s3) = with_bucket().await;
    assert_eq!(put(&s3, "k", "0").await, None, "no versions yet");
    set_versioning(&s3, BucketVersioningStatus::Enabled).await;
    let first = put(&s3, "k", "1").await.unwrap();
    let second = put(&s3, "k", "2").await.unwrap();
    let get = |id: &str| s3.get_object().bucket(BUCKET).key("k").version_id(id).send();
    assert_eq!(get(&first).await.unwrap().body.collect().await.unwrap().to_vec(), b"1");
    assert_eq!(get("null").await.unwrap().body.collect().await.unwrap().to_vec(), b"0");
    assert_eq!(code(get("nonsense").await), "NoSuchVersion");

    let deleted = s3.delete_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(deleted.delete_marker(), Some(true));
    let marker = deleted.version_id().unwrap();
    assert_eq!(code(s3.get_object().bucket(BUCKET).key("k").send().await), "NoSuchKey");
    assert_eq!(code(get(marker).await), "MethodNotAllowed");

    let listed = s3.list_object_versions().bucket(BUCKET).send().await.unwrap();
    let ids: Vec<_> = listed.versions().iter().map(|version| version.version_id().unwrap()).collect();
    assert_eq!(ids, [second.as_str(), first.as_str(), "null"], "newest first");
    assert_eq!(listed.delete_markers()[0].is_latest(), Some(true));

    s3.delete_object().bucket(BUCKET).key("k").version_id(marker).send().await.unwrap();
    assert_eq!(read(&s3, "k").await, "2", "without the marker the object is back");

    set_versioning(&s3, BucketVersioningStatus::Suspended).await;
    put(&s3, "k", "3").await;
    let listed = s3.list_object_versions().bucket(BUCKET).send().await.unwrap();
    let ids: Vec<_> = listed.versions().iter().map(|version| version.version_id().unwrap()).collect();
    assert_eq!(ids, ["null", second.as_str(), first.as_str()], "the null version was replaced");
}

#[tokio::test(start_paused = true)]
async fn many_are_deleted_at_once_but_not_more_than_a_thousand() {
    let (_sandbox, s3) = with_bucket().await;
    for n in 0..3 {
        put(&s3, &format!("a&b {n}"), "x").await;
    }
    let delete = |keys: Vec<String>, quiet| {
        let objects = keys.into_iter().map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
        let delete = Delete::builder().set_objects(Some(objects.collect())).quiet(quiet).build().unwrap();
        s3.delete_objects().bucket(BUCKET).delete(delete).send()
    };
    let too_many = (0..1001).map(|n| n.to_string()).collect();
    assert_eq!(code(delete(too_many, true).await), "MalformedXML");
    let deleted = delete(vec!["a&b 0".into(), "never was".into()], false).await.unwrap();
    assert_eq!(deleted.deleted().len(), 2);
    assert_eq!(delete(vec!["a&b 1".into()], true).await.unwrap().deleted().len(), 0);
    let left = s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    assert_eq!(left.contents().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn listings_come_in_pages_with_common_prefixes() {
    let (_sandbox, s3) = with_bucket().await;
    for key in ["a", "b/1", "b/2", "b/c/3", "d", "e/4"] {
        put(&s3, key, "x").await;
    }
    let mut rows = Vec::new();
    let mut token = None;
    loop {
        let page = s3
            .list_objects_v2()
            .bucket(BUCKET)
            .delimiter("/")
            .max_keys(1)
            .set_continuation_token(token)
            .send()
            .await
            .unwrap();
        assert_eq!(page.key_count(), Some(1));
        rows.extend(page.contents().iter().map(|object| object.key().unwrap().to_string()));
        rows.extend(page.common_prefixes().iter().map(|common| common.prefix().unwrap().to_string()));
        token = page.next_continuation_token().map(str::to_string);
        assert_eq!(page.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            break;
        }
    }
    assert_eq!(rows, ["a", "b/", "d", "e/"]);

    let keys = |objects: &[aws_sdk_s3::types::Object]| -> Vec<String> {
        objects.iter().map(|object| object.key().unwrap().to_string()).collect()
    };
    let page = s3.list_objects_v2().bucket(BUCKET).prefix("b/").start_after("b/1").send().await.unwrap();
    assert_eq!(keys(page.contents()), ["b/2", "b/c/3"]);
    let page = s3.list_objects().bucket(BUCKET).marker("b/c/3").max_keys(1).send().await.unwrap();
    assert_eq!(keys(page.contents()), ["d"]);
    assert_eq!(page.is_truncated(), Some(true));
    let wrong = s3.list_objects_v2().bucket(BUCKET).continuation_token("%").send().await;
    assert_eq!(code(wrong), "InvalidArgument");
}

#[tokio::test(start_paused = true)]
async fn versions_come_in_pages() {
    let (_sandbox, s3) = with_bucket().await;
    set_versioning(&s3, BucketVersioningStatus::Enabled).await;
    for n in 0..5 {
        put(&s3, if n < 3 { "a" } else { "b" }, &n.to_string()).await;
    }
    s3.delete_object().bucket(BUCKET).key("a").send().await.unwrap();
    let (mut key, mut version, mut rows) = (None, None, Vec::new());
    loop {
        let page = s3
            .list_object_versions()
            .bucket(BUCKET)
            .max_keys(2)
            .set_key_marker(key)
            .set_version_id_marker(version)
            .send()
            .await
            .unwrap();
        rows.extend(
            page.versions().iter().map(|row| format!("{} {}", row.key().unwrap(), row.size().unwrap())),
        );
        rows.extend(page.delete_markers().iter().map(|row| format!("{} marker", row.key().unwrap())));
        key = page.next_key_marker().map(str::to_string);
        version = page.next_version_id_marker().map(str::to_string);
        if page.is_truncated() != Some(true) {
            break;
        }
    }
    assert_eq!(rows, ["a 1", "a marker", "a 1", "a 1", "b 1", "b 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_multipart_upload_becomes_an_object_when_completed() {
    let (_sandbox, s3) = with_bucket().await;
    let upload =
        s3.create_multipart_upload().bucket(BUCKET).key("big").metadata("m", "1").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let part = async |number: i32, bytes: Vec<u8>| {
        let sent = s3.upload_part().bucket(BUCKET).key("big").upload_id(id).part_number(number);
        let etag = sent.body(ByteStream::from(bytes)).send().await.unwrap().e_tag.unwrap();
        CompletedPart::builder().part_number(number).e_tag(etag).build()
    };
    let complete = |parts: Vec<CompletedPart>| {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        s3.complete_multipart_upload().bucket(BUCKET).key("big").upload_id(id).multipart_upload(parts).send()
    };
    let small = part(1, vec![1; 10]).await;
    let last = part(2, vec![2; 10]).await;
    assert_eq!(code(complete(vec![small.clone(), last.clone()]).await), "EntityTooSmall");
    assert_eq!(code(complete(vec![last.clone(), small.clone()]).await), "InvalidPartOrder");
    let first = part(1, vec![1; 5 * 1024 * 1024]).await;
    assert_eq!(code(complete(vec![small, last.clone()]).await), "InvalidPart", "the part was replaced");
    assert_eq!(code(s3.get_object().bucket(BUCKET).key("big").send().await), "NoSuchKey", "not before");

    let uploads = s3.list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
    assert_eq!(uploads.uploads()[0].upload_id(), Some(id));
    let parts = s3.list_parts().bucket(BUCKET).key("big").upload_id(id).send().await.unwrap();
    assert_eq!(parts.parts().iter().map(|part| part.size().unwrap()).collect::<Vec<_>>(), [5_242_880, 10]);
    complete(vec![first, last]).await.unwrap();
    let head = s3.head_object().bucket(BUCKET).key("big").send().await.unwrap();
    assert_eq!(head.content_length(), Some(5_242_890));
    assert!(head.e_tag().unwrap().ends_with("-2\""));
    assert_eq!(head.metadata().unwrap()["m"], "1");
    let abort = s3.abort_multipart_upload().bucket(BUCKET).key("big").upload_id(id).send().await;
    assert_eq!(code(abort), "NoSuchUpload");
}

#[tokio::test(start_paused = true)]
async fn path_style_addresses_work_too() {
    let (sandbox, _) = with_bucket().await;
    let set = aws_sdk_s3::config::Builder::from(&config(&sandbox)).force_path_style(true).build();
    let s3 = Client::from_conf(set);
    put(&s3, "a/b c", "text").await;
    assert_eq!(read(&s3, "a/b c").await, "text");
    assert!(sandbox.with(|world| world.global.s3.has_object(BUCKET, "a/b c")));
    assert!(sandbox.with(|world| world.global.s3.has_prefix(BUCKET, "a/")));
    assert!(!sandbox.with(|world| world.global.s3.has_prefix(BUCKET, "b/")));
}

#[tokio::test(start_paused = true)]
async fn what_the_sandbox_lacks_is_refused_and_counted() {
    let (sandbox, s3) = with_bucket().await;
    let missing = s3.list_bucket_metrics_configurations().bucket(BUCKET).send().await;
    assert_eq!(code(missing), "NotImplemented");
    let counted = sandbox.with(|world| world.unknown.clone());
    assert_eq!(counted.keys().collect::<Vec<_>>(), ["s3:ListBucketMetricsConfigurations"]);
}

#[tokio::test(start_paused = true)]
async fn objects_survive_saving_the_world() {
    let (sandbox, s3) = with_bucket().await;
    let bytes: Vec<u8> = (0..=255).collect();
    s3.put_object().bucket(BUCKET).key("k").body(ByteStream::from(bytes.clone())).send().await.unwrap();
    let saved = serde_json::to_string(&sandbox.world()).unwrap();
    let restored: World = serde_json::from_str(&saved).unwrap();
    assert_eq!(restored.global.s3.object(BUCKET, "k"), Some(bytes.as_slice()));
}
