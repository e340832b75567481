//! What requests to SageMaker, Secrets Manager, S3 and the Data API come to.

use super::{Demand, arn, request_tags};
use crate::call::Call;
use crate::world::Region;
use crate::{s3, sagemaker};

const SAGEMAKER: &str = "sagemaker.amazonaws.com";

/// Service Authorization Reference, "Actions defined by Amazon SageMaker". `None` for what is not here.
pub(super) fn sagemaker(call: &Call, region: &Region) -> Option<Vec<Demand>> {
    let text = |name: &str| call.json[name].as_str().unwrap_or_default();
    let action = format!("sagemaker:{}", call.operation);
    let of = |resource: String| {
        let tags = region.sagemaker.tags.get(&resource).cloned();
        Demand::new(&action, resource).tagged(tags)
    };
    let is = |kind: &str, field: &str| {
        of(arn(call, "sagemaker", &format!("{kind}/{}", text(field).to_ascii_lowercase())))
    };
    let (verb, kind) = ["Create", "Describe", "Update", "Delete", "Start", "Stop"]
        .iter()
        .find_map(|verb| Some((*verb, call.operation.strip_prefix(verb)?)))
        .unwrap_or_default();
    let mut demands = vec![match kind {
        "NotebookInstance" => is("notebook-instance", "NotebookInstanceName"),
        "NotebookInstanceLifecycleConfig" => {
            is("notebook-instance-lifecycle-config", "NotebookInstanceLifecycleConfigName")
        }
        "Model" => is("model", "ModelName"),
        "EndpointConfig" => is("endpoint-config", "EndpointConfigName"),
        "Endpoint" => is("endpoint", "EndpointName"),
        "TrainingJob" => is("training-job", "TrainingJobName"),
        "HyperParameterTuningJob" => is("hyper-parameter-tuning-job", "HyperParameterTuningJobName"),
        "AutoMLJobV2" | "AutoMLJob" => is("automl-job", "AutoMLJobName"),
        _ if call.operation == "ListTrainingJobsForHyperParameterTuningJob" => {
            is("hyper-parameter-tuning-job", "HyperParameterTuningJobName")
        }
        _ if matches!(call.operation.as_str(), "AddTags" | "DeleteTags" | "ListTags") => {
            of(text("ResourceArn").to_ascii_lowercase())
        }
        _ => return None,
    }];
    if kind == "Endpoint" && matches!(verb, "Create" | "Update") {
        demands.push(is("endpoint-config", "EndpointConfigName"));
    }
    if verb == "Create" && !request_tags(call).is_empty() {
        let tagging = Demand::new("sagemaker:AddTags", demands[0].resource.clone());
        demands.push(tagging.with("sagemaker:taggingaction", &call.operation));
    }
    let role = match kind {
        "NotebookInstance" | "TrainingJob" | "AutoMLJobV2" => text("RoleArn"),
        "HyperParameterTuningJob" => {
            call.json["TrainingJobDefinition"]["RoleArn"].as_str().unwrap_or_default()
        }
        _ => text("ExecutionRoleArn"),
    };
    if !role.is_empty() {
        demands.push(Demand::pass_role(role, SAGEMAKER));
    }
    Some(demands)
}

/// The same reference: `InvokeEndpoint` is an action of SageMaker on the endpoint.
pub(super) fn sagemaker_runtime(call: &Call, region: &Region) -> Option<Vec<Demand>> {
    let name = sagemaker::invoked(&call.request)?.to_ascii_lowercase();
    let endpoint = arn(call, "sagemaker", &format!("endpoint/{name}"));
    let tags = region.sagemaker.tags.get(&endpoint).cloned();
    Some(vec![Demand::new("sagemaker:InvokeEndpoint", endpoint).tagged(tags)])
}

/// Service Authorization Reference, "Actions defined by AWS Secrets Manager".
pub(super) fn secretsmanager(call: &Call, region: &Region) -> Option<Vec<Demand>> {
    let text = |name: &str| call.json[name].as_str().unwrap_or_default();
    let action = format!("secretsmanager:{}", call.operation);
    if call.operation == "CreateSecret" {
        let secret = arn(call, "secretsmanager", &format!("secret:{}-000000", text("Name")));
        // "To add tags, you must have secretsmanager:TagResource" (CreateSecret).
        let tagging =
            (!request_tags(call).is_empty()).then(|| Demand::new("secretsmanager:TagResource", &secret));
        return Some([Demand::new(action, &secret)].into_iter().chain(tagging).collect());
    }
    let id = call.json["SecretId"].as_str()?;
    Some(vec![match region.secretsmanager.described(id) {
        Some((secret, tags)) => Demand::new(action, secret).tagged(Some(tags)),
        None if id.starts_with("arn:") => Demand::new(action, id),
        None => Demand::new(action, arn(call, "secretsmanager", &format!("secret:{id}-000000"))),
    }])
}

/// Service Authorization Reference, "Actions defined by Amazon CloudWatch Logs".
pub(super) fn logs(call: &Call) -> Option<Vec<Demand>> {
    let name = match call.operation.as_str() {
        "DescribeLogGroups" => "*",
        "DeleteLogGroup" => call.json["logGroupName"].as_str().unwrap_or_default(),
        _ => return None,
    };
    let group = arn(call, "logs", &format!("log-group:{name}"));
    Some(vec![Demand::new(format!("logs:{}", call.operation), group)])
}

/// Service Authorization Reference, "Actions defined by RDS Data API"; the caller reads the secret as well.
pub(super) fn data_api(call: &Call, region: &Region) -> Option<Vec<Demand>> {
    let text = |name: &str| call.json[name].as_str().unwrap_or_default();
    let (cluster, secret) = (text("resourceArn"), text("secretArn"));
    let name = cluster.rsplit(':').next().unwrap_or_default();
    let tags = region.rds.tags_of("cluster", name);
    let secret_tags = region.secretsmanager.described(secret).map(|(_, tags)| tags);
    Some(vec![
        Demand::new(format!("rds-data:{}", call.operation), cluster).tagged(tags),
        Demand::new("secretsmanager:GetSecretValue", secret).tagged(secret_tags),
    ])
}

/// Service Authorization Reference, "Actions defined by Amazon S3", and "Required permissions for Amazon S3 API
/// operations": several operations have an action of another name.
pub(super) fn s3(call: &Call) -> Option<Vec<Demand>> {
    let (bucket, key) = s3::named(&call.request);
    let (bucket, object) = (format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/{key}"));
    let of = |action: &str, resource: &str| Demand::new(format!("s3:{action}"), resource);
    Some(match call.operation.as_str() {
        "CreateBucket" => {
            let tags = String::from_utf8_lossy(&call.request.body).contains("<Tag>");
            // "If you include tags, you need s3:TagResource" (CreateBucket, permissions).
            let tagging = tags.then(|| of("TagResource", &bucket));
            [of("CreateBucket", &bucket)].into_iter().chain(tagging).collect()
        }
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => vec![of("ListBucket", &bucket)],
        "ListObjectVersions" => vec![of("ListBucketVersions", &bucket)],
        "ListMultipartUploads" => vec![of("ListBucketMultipartUploads", &bucket)],
        "GetPublicAccessBlock" => vec![of("GetBucketPublicAccessBlock", &bucket)],
        "PutPublicAccessBlock" => vec![of("PutBucketPublicAccessBlock", &bucket)],
        "PutBucketEncryption" | "DeleteBucketEncryption" => {
            vec![of("PutEncryptionConfiguration", &bucket)]
        }
        "GetBucketEncryption" => vec![of("GetEncryptionConfiguration", &bucket)],
        "GetBucketLifecycleConfiguration" => vec![of("GetLifecycleConfiguration", &bucket)],
        "GetBucketNotificationConfiguration" => vec![of("GetBucketNotification", &bucket)],
        "GetBucketReplication" => vec![of("GetReplicationConfiguration", &bucket)],
        "HeadObject" | "GetObject" => vec![of("GetObject", &object)],
        "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => {
            vec![of("PutObject", &object)]
        }
        "AbortMultipartUpload" => vec![of("AbortMultipartUpload", &object)],
        "DeleteObject" => vec![of("DeleteObject", &object)],
        // One permission for each key, and another for each version.
        "DeleteObjects" => vec![
            of("DeleteObject", &format!("{bucket}/*")),
            of("DeleteObjectVersion", &format!("{bucket}/*")),
        ],
        "DeleteBucket"
        | "GetBucketOwnershipControls"
        | "GetBucketTagging"
        | "PutBucketTagging"
        | "GetBucketVersioning"
        | "PutBucketVersioning"
        | "GetBucketPolicy"
        | "PutBucketPolicy"
        | "DeleteBucketPolicy"
        | "GetBucketLocation" => {
            vec![of(&call.operation, &bucket)]
        }
        _ => return None,
    })
}
