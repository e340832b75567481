//! How AWS is asked for training jobs.

use super::kind::{Seen, Task, absent_ok, just_made};
use super::sagemaker::jobs::{
    Described, Listed, PAGES_MAX, adopted, minutes_since, part_of_name, seen, stopped,
};
use super::sagemaker::tags;
use crate::aws::{Aws, During, Failure, Look};
use auroraml_core::base::names::SAGEMAKER_NAME_MAX;
use auroraml_core::base::{Outputs, State};
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::training_job::{Props, TrainingJob};
use aws_sdk_sagemaker::operation::describe_training_job::DescribeTrainingJobOutput;
use aws_sdk_sagemaker::types::{
    AlgorithmSpecification, Channel, DataSource, OutputDataConfig, ResourceConfig, S3DataSource, S3DataType,
    SortOrder, StoppingCondition, TrainingInputMode, TrainingJobStatus,
};

/// Built-in XGBoost reads CSV if it is told to (developer guide, "Input/Output interface").
const CONTENT_TYPE: &str = "text/csv";

impl Task for TrainingJob {
    async fn find(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let aws = look.aws;
        if !aws.scope.jobs {
            return Ok(Vec::new());
        }
        let part = part_of_name(look, SAGEMAKER_NAME_MAX);
        let request = aws.sagemaker.list_training_jobs().name_contains(&part).max_results(100);
        let mut pages = request.sort_order(SortOrder::Descending).into_paginator().send();
        let mut listed = Vec::new();
        for _ in 0..PAGES_MAX {
            let Some(page) = pages.next().await else { break };
            let jobs = page.during("ListTrainingJobs")?.training_job_summaries.unwrap_or_default();
            listed.extend(jobs.into_iter().filter_map(|job| {
                let running = job.training_job_status.is_some_and(|status| is_running(&status));
                Some(Listed { physical: job.training_job_name?, running })
            }));
        }
        seen(look, (TrainingJob::NAME, "training-job", SAGEMAKER_NAME_MAX), &listed, |physical| async move {
            Ok(describe(aws, &physical).await?.map(|found| {
                let outputs = outputs(&found);
                Described {
                    state: state(aws, &found),
                    artifacts: artifact(&outputs),
                    outputs,
                    props: props(&found),
                }
            }))
        })
        .await
    }

    async fn start(&self, aws: &Aws, name: &str, want: &Props, attempt: u64) -> Result<(), Failure> {
        let request = aws
            .sagemaker
            .create_training_job()
            .training_job_name(aws.place.job_name(name, attempt, SAGEMAKER_NAME_MAX))
            .set_hyper_parameters(Some(want.hyperparameters.clone().into_iter().collect()))
            .algorithm_specification(
                AlgorithmSpecification::builder()
                    .training_image(&want.image)
                    .training_input_mode(TrainingInputMode::File)
                    .build(),
            )
            .role_arn(want.role.get())
            .set_input_data_config(Some(channels(want)))
            .output_data_config(OutputDataConfig::builder().s3_output_path(&want.output).build())
            .resource_config(resources(want))
            .stopping_condition(limits(want))
            .enable_managed_spot_training(want.spot)
            .set_tags(tags(&want.tags));
        adopted(just_made(request.send().await.during("CreateTrainingJob")))
    }

    async fn stop(&self, aws: &Aws, name: &str, attempt: u64) -> Result<(), Failure> {
        let physical = aws.place.job_name(name, attempt, SAGEMAKER_NAME_MAX);
        let request = aws.sagemaker.stop_training_job().training_job_name(physical);
        stopped(request.send().await.during("StopTrainingJob"))
    }
}

/// The channels of a job.
pub(super) fn channels(want: &Props) -> Vec<Channel> {
    let channel = |name: &str, uri: &str| {
        let source = S3DataSource::builder().s3_data_type(S3DataType::S3Prefix).s3_uri(uri).build();
        Channel::builder()
            .channel_name(name)
            .data_source(DataSource::builder().s3_data_source(source).build())
            .content_type(CONTENT_TYPE)
            .build()
    };
    let validation = want.validation.as_ref().map(|uri| channel("validation", uri.get()));
    [channel("train", want.data.get())].into_iter().chain(validation).collect()
}

pub(super) fn resources(want: &Props) -> ResourceConfig {
    ResourceConfig::builder()
        .instance_type(want.instance.as_str().into())
        .instance_count(1)
        .volume_size_in_gb(want.volume)
        .build()
}

/// A spot job waits for capacity as long as it may run, at most.
pub(super) fn limits(want: &Props) -> StoppingCondition {
    let runtime = want.max_runtime_seconds;
    StoppingCondition::builder()
        .max_runtime_in_seconds(runtime)
        .set_max_wait_time_in_seconds(want.spot.then_some(runtime.saturating_mul(2)))
        .build()
}

pub(super) async fn describe(
    aws: &Aws,
    physical: &str,
) -> Result<Option<DescribeTrainingJobOutput>, Failure> {
    let request = aws.sagemaker.describe_training_job().training_job_name(physical);
    absent_ok(request.send().await.during("DescribeTrainingJob"))
}

fn is_running(status: &TrainingJobStatus) -> bool {
    matches!(status, TrainingJobStatus::InProgress | TrainingJobStatus::Stopping)
}

fn state(aws: &Aws, found: &DescribeTrainingJobOutput) -> State {
    let secondary = found.secondary_status.as_ref().map_or("", |status| status.as_str());
    let limit = found.stopping_condition.as_ref().and_then(|limits| limits.max_runtime_in_seconds);
    let limit = limit.and_then(|seconds| u64::try_from(seconds / 60).ok()).unwrap_or_default();
    match found.training_job_status.as_ref().map_or("", |status| status.as_str()) {
        "Completed" => State::Ready,
        "Failed" => {
            State::Broken(found.failure_reason.clone().unwrap_or_else(|| "AWS gives no reason".into()))
        }
        "Stopped" => State::Broken(ended(secondary, limit)),
        "Stopping" => State::Busy("stopping".into()),
        _ => {
            let minutes = minutes_since(aws, found.training_start_time.as_ref());
            State::Busy(progress(secondary, minutes, limit))
        }
    }
}

/// Why a job was stopped.
fn ended(secondary: &str, limit: u64) -> String {
    match secondary {
        "MaxRuntimeExceeded" => {
            format!(
                "AWS stopped it after {limit} min, its `max_runtime`: increase that, or use a larger `instance`"
            )
        }
        "MaxWaitTimeExceeded" => "AWS had no spare capacity in time: remove `spot`, or try later".into(),
        _ => "it was stopped".into(),
    }
}

/// What a job is at, in words; `minutes` since it got its instance, of `limit`.
fn progress(secondary: &str, minutes: u64, limit: u64) -> String {
    let left = limit.saturating_sub(minutes);
    match secondary {
        "Starting" | "Pending" | "LaunchingMLInstances" | "PreparingTrainingStack" | "" => {
            "starting an instance".into()
        }
        "Downloading" | "DownloadingTrainingImage" => "downloading data and image".into(),
        "Training" => format!("training for {minutes} min, at most {left} min more"),
        "Interrupted" => "AWS took the spot instance back: waiting for another".into(),
        "Uploading" => "uploading the model".into(),
        other => other.to_string(),
    }
}

/// Where the model is that a job has left.
pub(super) fn artifact(outputs: &Outputs) -> Vec<String> {
    outputs.get("artifact").and_then(|uri| uri.as_str()).map(String::from).into_iter().collect()
}

/// What others take from a job that has ended well.
fn outputs(found: &DescribeTrainingJobOutput) -> Outputs {
    let mut outputs = Outputs::new();
    if found.training_job_status == Some(TrainingJobStatus::Completed)
        && let Some(uri) =
            found.model_artifacts.as_ref().and_then(|artifacts| artifacts.s3_model_artifacts.clone())
    {
        outputs.insert("artifact".into(), uri.into());
    }
    let metrics = found.final_metric_data_list().iter().filter_map(|metric| {
        let value = metric.value().map(|value| (f64::from(value) * 1e5).round() / 1e5);
        Some(format!("{} {}", metric.metric_name()?, value?))
    });
    let metrics: Vec<String> = metrics.collect();
    if !metrics.is_empty() {
        outputs.insert("metrics".into(), metrics.join(", ").into());
    }
    outputs
}

/// What the job was started with: for people, because nothing is compared with it.
fn props(found: &DescribeTrainingJobOutput) -> Props {
    let algorithm = found.algorithm_specification.as_ref();
    let resources = found.resource_config.as_ref();
    let channel = |name: &str| {
        let channel =
            found.input_data_config().iter().find(|channel| channel.channel_name() == Some(name))?;
        let uri = channel.data_source()?.s3_data_source()?.s3_uri()?;
        Some(uri.into())
    };
    Props {
        endpoint: String::new(),
        image: algorithm.and_then(|algorithm| algorithm.training_image.clone()).unwrap_or_default(),
        data: channel("train").unwrap_or_else(|| "".into()),
        validation: channel("validation"),
        hyperparameters: found.hyper_parameters.clone().unwrap_or_default().into_iter().collect(),
        output: found
            .output_data_config
            .as_ref()
            .and_then(|output| output.s3_output_path.clone())
            .unwrap_or_default(),
        instance: resources
            .and_then(|resources| resources.instance_type.as_ref())
            .map_or(String::new(), |instance| instance.as_str().to_string()),
        volume: resources.and_then(|resources| resources.volume_size_in_gb).unwrap_or_default(),
        spot: found.enable_managed_spot_training.unwrap_or_default(),
        max_runtime_seconds: found
            .stopping_condition
            .as_ref()
            .and_then(|limits| limits.max_runtime_in_seconds)
            .unwrap_or_default(),
        role: found.role_arn.clone().unwrap_or_default().into(),
        tags: std::collections::BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_job_is_at_is_told_in_words() {
        assert_eq!(progress("Training", 3, 60), "training for 3 min, at most 57 min more");
        assert_eq!(progress("Starting", 0, 60), "starting an instance");
        assert_eq!(progress("Restarting", 0, 60), "Restarting", "what is new is told as it is");
        assert!(ended("MaxRuntimeExceeded", 30).contains("after 30 min, its `max_runtime`"));
    }
}
