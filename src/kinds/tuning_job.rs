//! How AWS is asked for tuning jobs.

use super::kind::{Seen, Task, absent_ok, just_made};
use super::sagemaker::jobs::{
    Described, Listed, PAGES_MAX, adopted, minutes_since, part_of_name, seen, stopped,
};
use super::sagemaker::tags;
use super::training_job::{artifact, channels, describe as describe_training, limits, resources};
use crate::aws::{Aws, During, Failure, Look};
use auroraml_core::base::names::SHORT_JOB_NAME_MAX;
use auroraml_core::base::{Outputs, State, counted};
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::training_job;
use auroraml_core::kinds::tuning_job::{Props, Range, TuningJob};
use aws_sdk_sagemaker::operation::describe_hyper_parameter_tuning_job::DescribeHyperParameterTuningJobOutput;
use aws_sdk_sagemaker::types::{
    CategoricalParameterRange, ContinuousParameterRange, HyperParameterAlgorithmSpecification,
    HyperParameterTrainingJobDefinition, HyperParameterTrainingJobSummary, HyperParameterTuningJobConfig,
    HyperParameterTuningJobObjective, HyperParameterTuningJobObjectiveType, HyperParameterTuningJobStatus,
    HyperParameterTuningJobStrategyType, IntegerParameterRange, OutputDataConfig, ParameterRanges,
    ResourceLimits, SortOrder, TrainingInputMode,
};
use std::collections::BTreeMap;

impl Task for TuningJob {
    async fn find(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let aws = look.aws;
        if !aws.scope.jobs {
            return Ok(Vec::new());
        }
        let part = part_of_name(look, SHORT_JOB_NAME_MAX);
        let request = aws.sagemaker.list_hyper_parameter_tuning_jobs().name_contains(&part).max_results(100);
        let sorted = request
            .sort_by(aws_sdk_sagemaker::types::HyperParameterTuningJobSortByOptions::CreationTime)
            .sort_order(SortOrder::Descending);
        let mut pages = sorted.into_paginator().send();
        let mut listed = Vec::new();
        for _ in 0..PAGES_MAX {
            let Some(page) = pages.next().await else { break };
            let jobs = page.during("ListHyperParameterTuningJobs")?.hyper_parameter_tuning_job_summaries;
            listed.extend(jobs.unwrap_or_default().into_iter().filter_map(|job| {
                let running = job.hyper_parameter_tuning_job_status.is_some_and(|status| is_running(&status));
                Some(Listed { physical: job.hyper_parameter_tuning_job_name?, running })
            }));
        }
        let what = (TuningJob::NAME, "hyper-parameter-tuning-job", SHORT_JOB_NAME_MAX);
        seen(look, what, &listed, |physical| async move {
            let Some(found) = describe(aws, &physical).await? else { return Ok(None) };
            let outputs = outputs(aws, &found).await?;
            let (state, artifacts) = (state(aws, &found, &outputs), artifact(&outputs));
            Ok(Some(Described { state, artifacts, outputs, props: props(&found) }))
        })
        .await
    }

    async fn start(&self, aws: &Aws, name: &str, want: &Props, attempt: u64) -> Result<(), Failure> {
        let goal = match want.maximize {
            true => HyperParameterTuningJobObjectiveType::Maximize,
            false => HyperParameterTuningJobObjectiveType::Minimize,
        };
        let objective = HyperParameterTuningJobObjective::builder().r#type(goal).metric_name(&want.objective);
        let config = HyperParameterTuningJobConfig::builder()
            .strategy(HyperParameterTuningJobStrategyType::Bayesian)
            .hyper_parameter_tuning_job_objective(objective.build())
            .resource_limits(
                ResourceLimits::builder()
                    .max_number_of_training_jobs(want.jobs)
                    .max_parallel_training_jobs(want.parallel)
                    .build(),
            )
            .parameter_ranges(ranges(&want.ranges))
            .build();
        let training = &want.training;
        let definition = HyperParameterTrainingJobDefinition::builder()
            .set_static_hyper_parameters(Some(training.hyperparameters.clone().into_iter().collect()))
            .algorithm_specification(
                HyperParameterAlgorithmSpecification::builder()
                    .training_image(&training.image)
                    .training_input_mode(TrainingInputMode::File)
                    .build(),
            )
            .role_arn(training.role.get())
            .set_input_data_config(Some(channels(training)))
            .output_data_config(OutputDataConfig::builder().s3_output_path(&training.output).build())
            .resource_config(resources(training))
            .stopping_condition(limits(training))
            .enable_managed_spot_training(training.spot)
            .build();
        let request = aws
            .sagemaker
            .create_hyper_parameter_tuning_job()
            .hyper_parameter_tuning_job_name(aws.place.job_name(name, attempt, SHORT_JOB_NAME_MAX))
            .hyper_parameter_tuning_job_config(config)
            .training_job_definition(definition)
            .set_tags(tags(&training.tags));
        adopted(just_made(request.send().await.during("CreateHyperParameterTuningJob")))
    }

    async fn stop(&self, aws: &Aws, name: &str, attempt: u64) -> Result<(), Failure> {
        let physical = aws.place.job_name(name, attempt, SHORT_JOB_NAME_MAX);
        let request =
            aws.sagemaker.stop_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name(physical);
        stopped(request.send().await.during("StopHyperParameterTuningJob"))
    }
}

fn ranges(tried: &BTreeMap<String, Range>) -> ParameterRanges {
    let mut all = ParameterRanges::builder();
    for (name, range) in tried {
        all = match range {
            Range::Integer { from, to } => all.integer_parameter_ranges(
                IntegerParameterRange::builder().name(name).min_value(from).max_value(to).build(),
            ),
            Range::Continuous { from, to } => all.continuous_parameter_ranges(
                ContinuousParameterRange::builder().name(name).min_value(from).max_value(to).build(),
            ),
            Range::Words(words) => all.categorical_parameter_ranges(
                CategoricalParameterRange::builder().name(name).set_values(Some(words.clone())).build(),
            ),
        };
    }
    all.build()
}

async fn describe(
    aws: &Aws,
    physical: &str,
) -> Result<Option<DescribeHyperParameterTuningJobOutput>, Failure> {
    let request =
        aws.sagemaker.describe_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name(physical);
    absent_ok(request.send().await.during("DescribeHyperParameterTuningJob"))
}

fn is_running(status: &HyperParameterTuningJobStatus) -> bool {
    matches!(status, HyperParameterTuningJobStatus::InProgress | HyperParameterTuningJobStatus::Stopping)
}

/// The best so far, in words: `validation:auc 0.91`.
fn best(summary: Option<&HyperParameterTrainingJobSummary>) -> Option<String> {
    let metric = summary?.final_hyper_parameter_tuning_job_objective_metric()?;
    let value = (f64::from(metric.value()?) * 1e4).round() / 1e4;
    Some(format!("{} {value}", metric.metric_name()?))
}

fn state(aws: &Aws, found: &DescribeHyperParameterTuningJobOutput, outputs: &Outputs) -> State {
    let status = found.hyper_parameter_tuning_job_status.as_ref().map_or("", |status| status.as_str());
    match status {
        "Completed" if outputs.contains_key("artifact") => State::Ready,
        "Completed" => State::Broken("none of its training jobs produced a model".into()),
        "Failed" => {
            let why = found.failure_reason.clone().unwrap_or_else(|| "AWS gives no reason".into());
            let first = outputs.get("failure").and_then(|first| first.as_str());
            State::Broken(first.map_or(why.clone(), |first| format!("{why} The first of them: {first}")))
        }
        "Stopped" => State::Broken("it was stopped".into()),
        "Stopping" => State::Busy("stopping".into()),
        _ => {
            let limits = found
                .hyper_parameter_tuning_job_config
                .as_ref()
                .and_then(|config| config.resource_limits.as_ref());
            let all = limits.and_then(|limits| limits.max_number_of_training_jobs).unwrap_or_default();
            let counters = found.training_job_status_counters.as_ref();
            let count = |n: Option<i32>| n.unwrap_or_default();
            let done = counters
                .map_or(0, |c| count(c.completed()) + count(c.non_retryable_error()) + count(c.stopped()));
            let minutes = minutes_since(aws, found.creation_time.as_ref());
            State::Busy(progress(done, all, best(found.best_training_job.as_ref()), minutes))
        }
    }
}

/// How far it is: `done` of `all` training jobs in `minutes`.
fn progress(done: i32, all: i32, best: Option<String>, minutes: u64) -> String {
    let best = best.map_or(String::new(), |best| format!(", best so far {best}"));
    let (Ok(ended), Ok(left)) = (u64::try_from(done), u64::try_from(all - done)) else {
        return "tuning".into();
    };
    let rest = match (minutes * left).checked_div(ended) {
        Some(rest) => format!(", about {} min left", rest.max(1)),
        None => String::new(),
    };
    format!("{done} of {} done{best}{rest}", counted(all, "training job"))
}

/// What others take from it: the model of the best training job.
async fn outputs(aws: &Aws, found: &DescribeHyperParameterTuningJobOutput) -> Result<Outputs, Failure> {
    let mut outputs = Outputs::new();
    let status = found.hyper_parameter_tuning_job_status.as_ref();
    if status == Some(&HyperParameterTuningJobStatus::Failed)
        && let Some(name) = found.hyper_parameter_tuning_job_name()
    {
        // AWS says no more than that all have failed: the first one says why.
        let request = aws.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job();
        let request = request.hyper_parameter_tuning_job_name(name).max_results(1);
        let jobs = request.send().await.during("ListTrainingJobsForHyperParameterTuningJob")?;
        let first = jobs.training_job_summaries().first();
        if let Some(why) = first.and_then(|job| job.failure_reason()) {
            outputs.insert("failure".into(), why.into());
        }
    }
    let best_job = found.best_training_job.as_ref();
    if status == Some(&HyperParameterTuningJobStatus::Completed)
        && let Some(name) = best_job.and_then(|job| job.training_job_name())
        && let Some(job) = describe_training(aws, name).await?
        && let Some(uri) = job.model_artifacts.and_then(|artifacts| artifacts.s3_model_artifacts)
    {
        outputs.insert("artifact".into(), uri.into());
        outputs.insert("job".into(), name.into());
        if let Some(metric) = best(best_job) {
            outputs.insert("metrics".into(), metric.into());
        }
    }
    Ok(outputs)
}

/// What the job was started with, as far as people ask for it: nothing is compared with it.
fn props(found: &DescribeHyperParameterTuningJobOutput) -> Props {
    let definition = found.training_job_definition.as_ref();
    let config = found.hyper_parameter_tuning_job_config.as_ref();
    let objective = config.and_then(|config| config.hyper_parameter_tuning_job_objective.as_ref());
    let limits = config.and_then(|config| config.resource_limits.as_ref());
    let algorithm = definition.and_then(|definition| definition.algorithm_specification.as_ref());
    let output = definition.and_then(|definition| definition.output_data_config.as_ref());
    Props {
        training: training_job::Props {
            endpoint: String::new(),
            image: algorithm.and_then(|algorithm| algorithm.training_image.clone()).unwrap_or_default(),
            data: "".into(),
            validation: None,
            hyperparameters: BTreeMap::new(),
            output: output.and_then(|output| output.s3_output_path.clone()).unwrap_or_default(),
            instance: String::new(),
            volume: 0,
            spot: definition.and_then(|d| d.enable_managed_spot_training).unwrap_or_default(),
            max_runtime_seconds: 0,
            role: definition.and_then(|d| d.role_arn.clone()).unwrap_or_default().into(),
            tags: BTreeMap::new(),
        },
        objective: objective.and_then(|objective| objective.metric_name.clone()).unwrap_or_default(),
        maximize: objective.and_then(|o| o.r#type.clone())
            == Some(HyperParameterTuningJobObjectiveType::Maximize),
        jobs: limits.and_then(|limits| limits.max_number_of_training_jobs).unwrap_or_default(),
        parallel: limits.and_then(|limits| limits.max_parallel_training_jobs).unwrap_or_default(),
        ranges: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is() {
        assert_eq!(progress(0, 10, None, 3), "0 of 10 training jobs done");
        let best = Some("validation:auc 0.91".to_string());
        assert_eq!(
            progress(4, 10, best, 10),
            "4 of 10 training jobs done, best so far validation:auc 0.91, about 15 min left"
        );
    }
}
