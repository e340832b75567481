//! Settings of the bucket. What was never set is told by an error, whose code names it.

use super::{Add, Part};
use crate::aws::{During, Failure, Look};
use auroraml_core::base::{Id, Observed};
use auroraml_core::drift::Beyond;
use serde_json::Value;

/// The value, or that of a bucket on which it was never set.
fn or_unset<T>(answer: Result<T, Failure>, code: &str, unset: T) -> Result<T, Failure> {
    match answer {
        Err(failure) if failure.code == code => Ok(unset),
        other => other,
    }
}

pub(super) async fn gather(look: Look<'_>, observed: &Observed) -> Vec<Part> {
    let id = Id::new("bucket", "main");
    if !observed.get(&id).is_some_and(|live| live.owned) {
        return Vec::new();
    }
    let (s3, name, owner) = (&look.aws.s3, look.aws.bucket(), &look.aws.place.account);
    macro_rules! ask {
        ($operation:ident) => {
            s3.$operation().bucket(&name).expected_bucket_owner(owner).send()
        };
    }
    let (encryption, ownership, lifecycle, notifications, replication) = tokio::join!(
        Box::pin(ask!(get_bucket_encryption)),
        Box::pin(ask!(get_bucket_ownership_controls)),
        Box::pin(ask!(get_bucket_lifecycle_configuration)),
        Box::pin(ask!(get_bucket_notification_configuration)),
        Box::pin(ask!(get_bucket_replication)),
    );
    let encryption = encryption.during("GetBucketEncryption").map(|found| {
        let rules = found.server_side_encryption_configuration.map(|set| set.rules).unwrap_or_default();
        let default = rules.first().and_then(|rule| rule.apply_server_side_encryption_by_default());
        default.map_or(Value::Null, |default| default.sse_algorithm().as_str().into())
    });
    let ownership = ownership.during("GetBucketOwnershipControls").map(|found| {
        let rules = found.ownership_controls.map(|set| set.rules).unwrap_or_default();
        rules.first().map_or(Value::Null, |rule| rule.object_ownership().as_str().into())
    });
    let lifecycle =
        lifecycle.during("GetBucketLifecycleConfiguration").map(|found| Value::from(found.rules().len()));
    let notifications = notifications.during("GetBucketNotificationConfiguration").map(|found| {
        let bridge = usize::from(found.event_bridge_configuration().is_some());
        let others = found.topic_configurations().len()
            + found.queue_configurations().len()
            + found.lambda_function_configurations().len();
        Value::from(bridge + others)
    });
    let replication = replication.during("GetBucketReplication").map(|found| {
        Value::from(found.replication_configuration().map_or(0, |configuration| configuration.rules().len()))
    });
    // S3 encrypts every object with its own key where nothing else is set (fact book, section 6.1).
    let encryption =
        or_unset(encryption, "ServerSideEncryptionConfigurationNotFoundError", Value::from("AES256"));
    // Without controls access lists count ("Controlling ownership of objects").
    let ownership = or_unset(ownership, "OwnershipControlsNotFoundError", Value::from("ObjectWriter"));
    let lifecycle = or_unset(lifecycle, "NoSuchLifecycleConfiguration", Value::from(0));
    let replication = or_unset(replication, "ReplicationConfigurationNotFoundError", Value::from(0));
    [
        ("encryption", encryption),
        ("object_ownership", ownership),
        ("lifecycle_rules", lifecycle),
        ("notifications", notifications),
        ("replication_rules", replication),
    ]
    .into_iter()
    // A key that the spec names is a property of the bucket.
    .filter(|(path, _)| *path != "encryption" || look.aws.scope.kms_key.is_none())
    .map(|(path, answer)| {
        let answer = answer.map(|value| {
            let mut beyond = Beyond::default();
            beyond.set(&id, path, value);
            beyond
        });
        Part::new(format!("{} of the bucket", path.replace('_', " ")), answer)
    })
    .collect()
}
