//! The bucket and its policy.

use super::super::context::{Context, Written};
use super::super::node::Node;
use super::props;
use crate::kinds::bucket::Props;
use crate::resource::Resource;
use crate::spec::BucketOnDestroy;

pub fn write(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let Props { name, versioning, public_access_blocked, policy, kms_key, tags } = props(resource);
    let blocked = || Some(Node::Bool(public_access_blocked));
    let bucket_key = kms_key.as_ref().map(|_| Node::Bool(true));
    let algorithm = if kms_key.is_some() { "aws:kms" } else { "AES256" };
    let encryption = Node::map([
        ("SSEAlgorithm", Some(Node::text(algorithm))),
        ("KMSMasterKeyID", kms_key.map(|key| context.text(&key))),
    ]);
    let rule =
        Node::map([("ServerSideEncryptionByDefault", Some(encryption)), ("BucketKeyEnabled", bucket_key)]);
    let on_destroy = context.spec.bucket.as_ref().map(|bucket| bucket.on_destroy).unwrap_or_default();
    let deletion = match on_destroy {
        BucketOnDestroy::Keep => "Retain",
        BucketOnDestroy::Empty => "Delete",
    };
    let bucket = context
        .written(resource, "AWS::S3::Bucket")
        .policies(deletion, "Retain")
        .with([
            ("BucketName", context.has_named_bucket().then(|| context.text(&name))),
            (
                "BucketEncryption",
                Some(Node::map([("ServerSideEncryptionConfiguration", Some(Node::List(vec![rule])))])),
            ),
            (
                "PublicAccessBlockConfiguration",
                Some(Node::map([
                    ("BlockPublicAcls", blocked()),
                    ("BlockPublicPolicy", blocked()),
                    ("IgnorePublicAcls", blocked()),
                    ("RestrictPublicBuckets", blocked()),
                ])),
            ),
            (
                "VersioningConfiguration",
                versioning.then(|| Node::map([("Status", Some(Node::text("Enabled")))])),
            ),
            ("Tags", context.tags(&tags)),
        ])
        .skip("CKV_AWS_18", "the spec has no access log; CloudTrail's data events show who read what");
    let bucket = match versioning {
        true => bucket,
        false => bucket.skip("CKV_AWS_21", "the spec has no versions: its contents can be created again"),
    };
    let rules =
        Written { id: format!("{}Policy", bucket.id), kind: "AWS::S3::BucketPolicy", ..Written::default() };
    let rules = rules.with([
        ("Bucket", Some(Node::reference(&bucket.id))),
        ("PolicyDocument", Some(context.data(&policy))),
    ]);
    vec![bucket, rules]
}
