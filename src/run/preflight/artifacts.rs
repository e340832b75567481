//! What models and jobs are made from: archives, images, rows.

use super::{Check, Findings};
use crate::aws::{Aws, Class, During, Failure};
use auroraml_core::base::Input;
use auroraml_core::kinds::{autopilot_job, model, training_job, tuning_job};
use auroraml_core::model::Code;
use auroraml_core::verify::permissions::{Verdict, verdict};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// An endpoint whose model archive is missing, or may not be read, fails after minutes.
pub(super) async fn artifacts(of: Check<'_>) -> Findings {
    let mut findings = Findings::default();
    let named = of.created::<model::Props>("model").into_iter().filter_map(|(id, model)| {
        let Some(Input::Known(uri)) = model.artifact else { return None }; // Else what a job will leave.
        let (bucket, key) = uri.strip_prefix("s3://")?.split_once('/')?;
        Some((id, bucket.to_string(), key.to_string()))
    });
    let answers = named.map(|(id, bucket, key)| async move {
        let head = of.aws.s3.head_object().bucket(&bucket).key(&key).send();
        let (head, policy) = tokio::join!(head, bucket_policy(of.aws, &bucket));
        (id, bucket, key, head.map(drop).during("HeadObject"), policy)
    });
    let role = of.aws.place.role_arn("model");
    for (id, bucket, key, head, policy) in join_all(answers).await {
        match head {
            Err(failure) if failure.is(Class::NotFound) => findings.problem(
                Code::ArtifactMissing,
                id,
                format!("there is no s3://{bucket}/{key}"),
                "upload the model archive, or correct `artifact`",
            ),
            // "The model artifacts must be in an S3 bucket that is in the same Region as the model": SageMaker API
            // Reference, ContainerDefinition.
            Err(failure) if is_elsewhere(&failure) => findings.problem(
                Code::ArtifactRegion,
                id,
                format!(
                    "the bucket {bucket} of its archive is not in {}, and a model can read only from its own region",
                    of.region()
                ),
                format!(
                    "copy s3://{bucket}/{key} to a bucket in {}, and name that one in `artifact`",
                    of.region()
                ),
            ),
            Ok(()) => {
                let denied =
                    policy.and_then(|policy| denies(&policy, &of.aws.place.account, &role, &bucket, &key));
                if let Some(action) = denied {
                    findings.problem(
                        Code::ArtifactDenied,
                        id,
                        format!("the policy of the bucket {bucket} denies {action} on s3://{bucket}/{key} to the model's role {role}"),
                        "exempt the role from that Deny, or copy the archive to another bucket",
                    );
                }
            }
            answer => drop(findings.take(&format!("the artifact of {id}"), answer)),
        }
    }
    findings
}

/// The bucket's policy, where there is one and it may be read: of another account's it seldom may.
async fn bucket_policy(aws: &Aws, bucket: &str) -> Option<Value> {
    let answer = aws.s3.get_bucket_policy().bucket(bucket).expected_bucket_owner(&aws.place.account);
    serde_json::from_str(answer.send().await.ok()?.policy()?).ok()
}

/// What a bucket's policy denies to a role of what a model needs. An explicit Deny wins whatever else allows it (IAM User
/// Guide, "Policy evaluation logic"); one under conditions is not judged.
fn denies(policy: &Value, account: &str, role: &str, bucket: &str, key: &str) -> Option<&'static str> {
    let list = |value: &Value| match value {
        Value::Array(many) => many.clone(),
        one => vec![one.clone()],
    };
    let concerns = |statement: &Value| {
        let principal = &statement["Principal"];
        let named = if principal.is_object() { &principal["AWS"] } else { principal };
        let root = format!(":iam::{account}:root");
        list(named)
            .iter()
            .filter_map(Value::as_str)
            .any(|who| who == "*" || who == role || who == account || who.ends_with(&root))
    };
    let statements: Vec<Value> = list(&policy["Statement"]).into_iter().filter(concerns).collect();
    let policies = [("bucket".to_string(), json!({ "Statement": statements }))];
    // In whatever partition.
    let prefix = role.split(":iam:").next().unwrap_or("arn:aws");
    let arn = format!("{prefix}:s3:::{bucket}/{key}");
    let is_denied = |action: &&str| matches!(verdict(&policies, action, &arn), Verdict::Denied(_));
    ["s3:GetObject"].into_iter().find(is_denied)
}

/// Images are pulled from the registry of the endpoint's own region: SageMaker Developer Guide, "Use your own inference
/// code with hosting services".
pub(super) async fn images(of: Check<'_>) -> Findings {
    let mut findings = Findings::default();
    let models = of.created::<model::Props>("model").into_iter().filter_map(|(id, m)| Some((id, m.image?)));
    let jobs = of.created::<training_job::Props>("training_job").into_iter().map(|(id, job)| (id, job.image));
    let tuned = of.created::<tuning_job::Props>("tuning_job").into_iter();
    let tuned = tuned.map(|(id, job)| (id, job.training.image));
    for (id, image) in models.chain(jobs).chain(tuned) {
        let region = image.split_once(".dkr.ecr.").and_then(|(_, rest)| rest.split('.').next());
        if let Some(other) = region.filter(|other| *other != of.region()) {
            findings.problem(
                Code::ImageRegion,
                id,
                format!(
                    "its image {image} is in {other}, and SageMaker pulls images only from its own region, {}",
                    of.region()
                ),
                format!("push the image to a registry in {}, and use that one in `image`", of.region()),
            );
        }
    }
    findings
}

/// The answer of S3 where a bucket is in another region; to HEAD it has no body, and so no code (fact book, section 6.1).
fn is_elsewhere(failure: &Failure) -> bool {
    matches!(failure.code.as_str(), "PermanentRedirect" | "AuthorizationHeaderMalformed" | "HTTP 301")
}

fn bucket_of(uri: &str) -> &str {
    uri.trim_start_matches("s3://").split('/').next().unwrap_or_default()
}

/// A job without rows fails after minutes, which are paid.
pub(super) async fn rows(of: Check<'_>) -> Findings {
    let aws = of.aws;
    let mut findings = Findings::default();
    let mut wanted: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |id: &str, data: &Input, validation: Option<&Input>| {
        for rows in [Some(data), validation].into_iter().flatten() {
            if let Input::Known(uri) = rows {
                wanted.entry(uri.clone()).or_insert_with(|| id.to_string());
            }
        }
    };
    for (id, job) in of.created::<training_job::Props>("training_job") {
        add(&id, &job.data, job.validation.as_ref());
    }
    for (id, job) in of.created::<tuning_job::Props>("tuning_job") {
        add(&id, &job.training.data, job.training.validation.as_ref());
    }
    for (id, job) in of.created::<autopilot_job::Props>("autopilot_job") {
        add(&id, &job.data, job.validation.as_ref());
    }
    let answers = wanted.into_iter().map(|(uri, id)| async move {
        let path = uri.trim_start_matches("s3://");
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        let request = aws.s3.list_objects_v2().bucket(bucket).prefix(prefix).max_keys(1);
        let answer = request.send().await.during("ListObjectsV2");
        (id, answer.map(|page| page.contents().is_empty()), uri)
    });
    for (id, is_empty, uri) in join_all(answers).await {
        let none = match is_empty {
            Ok(none) => none,
            Err(failure) if failure.is(Class::NotFound) => true,
            Err(failure) if is_elsewhere(&failure) => {
                let bucket = bucket_of(&uri);
                findings.problem(
                    Code::RowsRegion,
                    id,
                    format!("the bucket {bucket} of {uri} is not in {}, and a job can read only from its own region", of.region()),
                    format!("copy the rows to a bucket in {}, and use that one in `data` and `validation`", of.region()),
                );
                continue;
            }
            Err(failure) => {
                findings.take::<()>(&format!("the rows of {id}"), Err(failure));
                continue;
            }
        };
        if none {
            let hint = "upload the rows, or correct `data` and `validation`";
            findings.problem(Code::RowsMissing, id, format!("there is nothing under {uri}"), hint);
        }
    }
    findings
}
