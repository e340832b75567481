//! Operations on training jobs.

use super::answers::{arn, invalid};
use super::input::{Input, constraint, missing};
use super::listing::{self, Row};
use super::reach::{Reach, check_role};
use super::state::SageMaker;
use super::training_job::{Setting, TrainingJob};
use crate::call::Call;
use crate::wire::{Body, Fault, Reply};
use serde_json::{Value, json};

const KIND: &str = "training-job";
const NAME: &str = "TrainingJobName";
/// What a job is made of, as it is given and given back.
const MEMBERS: &[&str] = &[
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "VpcConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "DebugHookConfig",
    "ProfilerConfig",
    "Environment",
    "RetryStrategy",
];

/// "ValidationException: Requested resource not found." is what the wire has; botocore models `ResourceNotFound`
/// (aws-controllers-k8s/sagemaker-controller, generator.yaml).
fn find<'a>(call: &Call, sagemaker: &'a mut SageMaker) -> Result<&'a mut TrainingJob, Fault> {
    let name = Input::of(call).name(NAME)?;
    let found = sagemaker.training_jobs.get_mut(&name.to_ascii_lowercase());
    found.filter(|job| job.created <= call.now).ok_or_else(|| invalid("Requested resource not found."))
}

/// "The name must be unique within an AWS Region in an AWS account": jobs are never deleted here.
pub(super) fn taken(call: &Call, kind: &str, what: &str, name: &str) -> Fault {
    let arn = arn(call, kind, name);
    Fault::bad(
        "ResourceInUse",
        format!(
            "{what} names must be unique within an AWS account and region, and a {} with this name already exists ({arn})",
            what.to_lowercase()
        ),
    )
}

fn hours(seconds: u64) -> Value {
    json!({ "MaxRuntimeInSeconds": seconds })
}

/// Checks the parts that training jobs and the definitions within tuning jobs have in common, and makes a whole of them.
///
/// # Errors
/// `ValidationException`.
pub(super) fn definition(
    call: &Call,
    reach: &Reach<'_>,
    given: Input<'_>,
    members: &[&str],
) -> Result<Value, Fault> {
    let role = given.required("RoleArn")?;
    let algorithm =
        given.structure("AlgorithmSpecification")?.ok_or_else(|| missing("AlgorithmSpecification"))?;
    algorithm
        .choice("TrainingInputMode", &["Pipe", "File", "FastFile"])?
        .ok_or_else(|| missing("TrainingInputMode"))?;
    let image = algorithm.text("TrainingImage")?.ok_or_else(|| {
        invalid("You must specify the algorithm (TrainingImage); the sandbox has no algorithms by name")
    })?;
    let region = image.split_once(".dkr.ecr.").and_then(|(_, rest)| rest.split('.').next());
    if region != Some(call.region.as_str()) || reach.sagemaker.missing_images.contains(image) {
        return Err(invalid(format!(
            "Cannot find repository for image {image} in registry of {}.",
            call.region
        )));
    }
    let output = given.structure("OutputDataConfig")?.ok_or_else(|| missing("OutputDataConfig"))?;
    let address = |name: &str, uri: &str| match uri.starts_with("s3://") || uri.starts_with("https://") {
        true => Ok(()),
        false => Err(constraint(name, uri, "satisfy regular expression pattern: (https|s3)://([^/]+)/?(.*)")),
    };
    address("OutputDataConfig.S3OutputPath", output.required("S3OutputPath")?)?;
    let resources = given.structure("ResourceConfig")?.ok_or_else(|| missing("ResourceConfig"))?;
    resources.instance_type("InstanceType")?.ok_or_else(|| missing("InstanceType"))?;
    resources.integer("InstanceCount", 1..=10_000)?.ok_or_else(|| missing("InstanceCount"))?;
    resources.integer("VolumeSizeInGB", 1..=16_384)?.ok_or_else(|| missing("VolumeSizeInGB"))?;
    for channel in given.structures("InputDataConfig")? {
        channel.required("ChannelName")?;
        let source = channel.structure("DataSource")?.ok_or_else(|| missing("DataSource"))?;
        let source = source
            .structure("S3DataSource")?
            .ok_or_else(|| invalid("The sandbox reads data from S3 alone"))?;
        let kind = source.choice("S3DataType", &["S3Prefix", "ManifestFile", "AugmentedManifestFile"])?;
        if kind.ok_or_else(|| missing("S3DataType"))? != "S3Prefix" {
            return Err(invalid("The sandbox reads S3Prefix alone"));
        }
        address("S3Uri", source.required("S3Uri")?)?;
    }
    let stopping = given.structure("StoppingCondition")?;
    let limit = |name: &str| stopping.map_or(Ok(None), |stopping| stopping.integer(name, 1..=2_419_200));
    let (runtime, wait) = (limit("MaxRuntimeInSeconds")?, limit("MaxWaitTimeInSeconds")?);
    match (given.flag("EnableManagedSpotTraining")?, wait) {
        (true, None) => {
            return Err(invalid(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds",
            ));
        }
        (true, Some(wait)) if wait < runtime.unwrap_or(86_400) => {
            return Err(invalid(format!(
                "Invalid MaxWaitTimeInSeconds {wait}. It must be greater than or equal to MaxRuntimeInSeconds"
            )));
        }
        (false, Some(_)) => {
            return Err(invalid("MaxWaitTimeInSeconds can only be specified with EnableManagedSpotTraining"));
        }
        _ => {}
    }
    check_role(call, reach.iam, role)?;
    let kept = members.iter().filter_map(|name| Some(((*name).to_string(), given.value(name)?.clone())));
    let mut definition = Value::Object(kept.collect());
    if runtime.is_none() {
        // "The default value is 1 day" (StoppingCondition).
        definition["StoppingCondition"] = hours(86_400);
    }
    Ok(definition)
}

/// Refuses more instances than the account may have.
pub(super) fn check_limit(sagemaker: &SageMaker, now: u64, new: &[TrainingJob]) -> Result<(), Fault> {
    let Some((kind, spot)) = new.first().map(|job| (job.instances().0, job.is_spot())) else { return Ok(()) };
    let alike = |job: &&TrainingJob| job.instances().0 == kind && job.is_spot() == spot;
    let running = sagemaker.training_jobs.values().filter(|job| job.created <= now && now < job.ends);
    let used = running.filter(alike).map(|job| job.instances().1).sum();
    let delta = new.iter().map(|job| job.instances().1).sum();
    let quota = if spot { "spot training job usage" } else { "training job usage" };
    sagemaker.check_limit(&format!("{kind} for {quota}"), used, delta)
}

/// What a test says of the jobs of this name.
pub(super) fn injected(sagemaker: &SageMaker, name: &str) -> Option<String> {
    sagemaker.failing_jobs.iter().find(|(part, _)| name.contains(part.as_str())).map(|(_, why)| why.clone())
}

pub(super) fn create(call: &Call, reach: &mut Reach<'_>) -> Reply {
    let input = Input::of(call);
    let name = input.name(NAME)?;
    let tags = input.tags()?;
    let definition = definition(call, reach, input, MEMBERS)?;
    let key = name.to_ascii_lowercase();
    if reach.sagemaker.training_jobs.contains_key(&key) {
        return Err(taken(call, KIND, "Training job", name));
    }
    let injected = injected(reach.sagemaker, name);
    let setting = Setting { region: &call.region, iam: reach.iam, s3: reach.s3, injected };
    let job = TrainingJob::start(&setting, reach.random, name, definition, call.now);
    check_limit(reach.sagemaker, call.now, std::slice::from_ref(&job))?;
    let arn = arn(call, KIND, name);
    reach.sagemaker.training_jobs.insert(key, job);
    reach.sagemaker.tags.insert(arn.clone(), tags);
    Ok(Body::Json(json!({ "TrainingJobArn": arn })))
}

pub(super) fn describe(call: &Call, sagemaker: &mut SageMaker) -> Reply {
    Ok(find(call, sagemaker)?.show(call))
}

pub(super) fn stop(call: &Call, sagemaker: &mut SageMaker) -> Reply {
    let job = find(call, sagemaker)?;
    if job.status(call.now) != "InProgress" {
        let status = job.status(call.now);
        return Err(invalid(format!(
            "The request was rejected because the training job is in status {status}."
        )));
    }
    job.stop(call.now);
    Ok(Body::Json(json!({})))
}

fn rows<'a>(
    call: &'a Call,
    jobs: impl Iterator<Item = &'a TrainingJob>,
    tuned: Option<&str>,
) -> Vec<Row<'a>> {
    let row = |job: &'a TrainingJob| {
        let mut summary = job.summary(call);
        if let Some(metric) = tuned {
            super::tuning_job::add_objective(&mut summary, job, metric, call.now);
        }
        summary.as_object_mut().into_iter().for_each(|members| members.retain(|_, value| !value.is_null()));
        Row {
            name: &job.name,
            created: job.created,
            modified: job.modified(call.now),
            status: job.status(call.now),
            summary,
        }
    };
    jobs.filter(|job| job.created <= call.now).map(row).collect()
}

pub(super) fn list(call: &Call, sagemaker: &SageMaker) -> Reply {
    let rows = rows(call, sagemaker.training_jobs.values(), None);
    listing::page(call, "TrainingJobSummaries", &listing::BY_TIME, rows)
}

/// The jobs of a tuning job, with their objective.
pub(super) fn list_tuned(call: &Call, sagemaker: &SageMaker, tuning: &str, metric: &str) -> Reply {
    let jobs = sagemaker.training_jobs.values().filter(|job| job.tuning_job.as_deref() == Some(tuning));
    listing::page(call, "TrainingJobSummaries", &listing::BY_TIME, rows(call, jobs, Some(metric)))
}
