//! How AWS is asked for Autopilot jobs.

use super::kind::{Seen, Task, absent_ok, just_made};
use super::sagemaker::jobs::{
    Described, Listed, PAGES_MAX, adopted, minutes_since, part_of_name, seen, stopped,
};
use super::sagemaker::tags;
use crate::aws::{Aws, During, Failure, Look};
use auroraml_core::base::names::SHORT_JOB_NAME_MAX;
use auroraml_core::base::{Outputs, State};
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::autopilot_job::{AutopilotJob, Props};
use auroraml_core::kinds::model::Container;
use aws_sdk_sagemaker::operation::describe_auto_ml_job_v2::DescribeAutoMlJobV2Output;
use aws_sdk_sagemaker::types::{
    AutoMlCandidate, AutoMlChannelType, AutoMlDataSource, AutoMlJobChannel, AutoMlJobCompletionCriteria,
    AutoMlJobObjective, AutoMlJobStatus, AutoMlMode, AutoMlOutputDataConfig, AutoMlProblemTypeConfig,
    AutoMls3DataSource, AutoMls3DataType, CandidateStatus, ProblemType, TabularJobConfig,
};
use std::collections::BTreeMap;

/// What the endpoint is to answer: one column, as a SQL function takes it.
const ANSWER: &str = "predicted_label";
/// Variables by which Autopilot's containers are told what they get and what they answer (developer guide, "Configure
/// inference output in generated containers"; sagemaker-python-sdk, `AutoML.update_inference_…`).
const INPUT: &str = "SAGEMAKER_INFERENCE_INPUT";
const OUTPUT: &str = "SAGEMAKER_INFERENCE_OUTPUT";
const SUPPORTED: &str = "SAGEMAKER_INFERENCE_SUPPORTED";

impl Task for AutopilotJob {
    async fn find(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let aws = look.aws;
        if !aws.scope.jobs {
            return Ok(Vec::new());
        }
        let part = part_of_name(look, SHORT_JOB_NAME_MAX);
        let request = aws.sagemaker.list_auto_ml_jobs().name_contains(&part).max_results(100);
        let sorted = request
            .sort_by(aws_sdk_sagemaker::types::AutoMlSortBy::CreationTime)
            .sort_order(aws_sdk_sagemaker::types::AutoMlSortOrder::Descending);
        let mut pages = sorted.into_paginator().send();
        let mut listed = Vec::new();
        for _ in 0..PAGES_MAX {
            let Some(page) = pages.next().await else { break };
            let jobs = page.during("ListAutoMLJobs")?.auto_ml_job_summaries.unwrap_or_default();
            listed.extend(jobs.into_iter().filter_map(|job| {
                let running = job.auto_ml_job_status.is_some_and(|status| is_running(&status));
                Some(Listed { physical: job.auto_ml_job_name?, running })
            }));
        }
        seen(look, (AutopilotJob::NAME, "automl-job", SHORT_JOB_NAME_MAX), &listed, |physical| async move {
            let Some(found) = describe(aws, &physical).await? else { return Ok(None) };
            let outputs = outputs(&found);
            let state = match found.auto_ml_job_status.as_ref().is_some_and(is_running) {
                true => State::Busy(running(aws, &found, &physical).await?),
                false => ended(&found, &outputs),
            };
            let artifacts = artifacts(&outputs);
            Ok(Some(Described { state, artifacts, outputs, props: props(&found) }))
        })
        .await
    }

    async fn start(&self, aws: &Aws, name: &str, want: &Props, attempt: u64) -> Result<(), Failure> {
        let limits = AutoMlJobCompletionCriteria::builder()
            .set_max_candidates(want.max_candidates)
            .max_auto_ml_job_runtime_in_seconds(want.max_runtime_seconds)
            .build();
        let table = TabularJobConfig::builder()
            .target_attribute_name(&want.target)
            .set_problem_type(want.problem.as_deref().map(ProblemType::from))
            .mode(AutoMlMode::from(want.mode.as_str()))
            .completion_criteria(limits)
            .build();
        let objective = want
            .objective
            .as_deref()
            .map(|metric| AutoMlJobObjective::builder().metric_name(metric.into()).build());
        let request = aws
            .sagemaker
            .create_auto_ml_job_v2()
            .auto_ml_job_name(aws.place.job_name(name, attempt, SHORT_JOB_NAME_MAX))
            .set_auto_ml_job_input_data_config(Some(channels(want)))
            .output_data_config(AutoMlOutputDataConfig::builder().s3_output_path(&want.output).build())
            .auto_ml_problem_type_config(AutoMlProblemTypeConfig::TabularJobConfig(table))
            .set_auto_ml_job_objective(objective)
            .role_arn(want.role.get())
            .set_tags(tags(&want.tags));
        adopted(just_made(request.send().await.during("CreateAutoMLJobV2")))
    }

    async fn stop(&self, aws: &Aws, name: &str, attempt: u64) -> Result<(), Failure> {
        let physical = aws.place.job_name(name, attempt, SHORT_JOB_NAME_MAX);
        stopped(
            aws.sagemaker.stop_auto_ml_job().auto_ml_job_name(physical).send().await.during("StopAutoMLJob"),
        )
    }
}

fn channels(want: &Props) -> Vec<AutoMlJobChannel> {
    let channel = |kind: AutoMlChannelType, uri: &str| {
        let source =
            AutoMls3DataSource::builder().s3_data_type(AutoMls3DataType::S3Prefix).s3_uri(uri).build();
        AutoMlJobChannel::builder()
            .channel_type(kind)
            .content_type("text/csv;header=present")
            .data_source(AutoMlDataSource::builder().s3_data_source(source).build())
            .build()
    };
    let validation = want.validation.as_ref().map(|uri| channel(AutoMlChannelType::Validation, uri.get()));
    [channel(AutoMlChannelType::Training, want.data.get())].into_iter().chain(validation).collect()
}

async fn describe(aws: &Aws, physical: &str) -> Result<Option<DescribeAutoMlJobV2Output>, Failure> {
    let request = aws.sagemaker.describe_auto_ml_job_v2().auto_ml_job_name(physical);
    absent_ok(request.send().await.during("DescribeAutoMLJobV2"))
}

fn is_running(status: &AutoMlJobStatus) -> bool {
    matches!(status, AutoMlJobStatus::InProgress | AutoMlJobStatus::Stopping)
}

/// A candidate's objective, in words: `F1 0.93`.
fn objective(candidate: &AutoMlCandidate) -> Option<String> {
    let metric = candidate.final_auto_ml_job_objective_metric()?;
    let value = (f64::from(metric.value()?) * 1e4).round() / 1e4;
    Some(format!("{} {value}", metric.metric_name()?.as_str()))
}

/// What a job is at, with its candidates so far.
async fn running(aws: &Aws, found: &DescribeAutoMlJobV2Output, physical: &str) -> Result<String, Failure> {
    let secondary = found.auto_ml_job_secondary_status.as_ref().map_or("", |status| status.as_str());
    let done = match secondary {
        "ModelTuning" | "TrainingModels" => {
            let request = aws.sagemaker.list_candidates_for_auto_ml_job().auto_ml_job_name(physical);
            let request = request.status_equals(CandidateStatus::Completed).max_results(100);
            let request = request.sort_order(aws_sdk_sagemaker::types::AutoMlSortOrder::Descending);
            let page = request.send().await.during("ListCandidatesForAutoMLJob")?;
            Some((page.candidates().len(), page.next_token().is_some()))
        }
        _ => None,
    };
    let limit = limit(found);
    let left = limit.saturating_sub(minutes_since(aws, found.creation_time.as_ref()));
    Ok(progress(secondary, done, found.best_candidate.as_ref().and_then(objective), left))
}

/// Minutes that the job may take.
fn limit(found: &DescribeAutoMlJobV2Output) -> u64 {
    let Some(AutoMlProblemTypeConfig::TabularJobConfig(table)) = &found.auto_ml_problem_type_config else {
        return 0;
    };
    let seconds =
        table.completion_criteria.as_ref().and_then(|limits| limits.max_auto_ml_job_runtime_in_seconds);
    seconds.and_then(|seconds| u64::try_from(seconds / 60).ok()).unwrap_or_default()
}

/// `done`: candidates, and whether there are more than these. `left`: minutes.
fn progress(secondary: &str, done: Option<(usize, bool)>, best: Option<String>, left: u64) -> String {
    let what = match secondary {
        "Starting" | "PreTraining" | "" => "starting",
        "AnalyzingData" => "analyzing the data",
        "FeatureEngineering" => "preparing features",
        "ModelTuning" | "TrainingModels" => "training candidates",
        "GeneratingExplainabilityReport" | "GeneratingModelInsightsReport" => "writing reports",
        "Stopping" => "stopping",
        other => other,
    };
    let done = match done {
        Some((count, more)) => format!(", {count}{} done", if more { " or more" } else { "" }),
        None => String::new(),
    };
    let best = best.map_or(String::new(), |best| format!(", best so far {best}"));
    format!("{what}{done}{best}, at most {left} min more")
}

/// What a job that has ended comes to.
fn ended(found: &DescribeAutoMlJobV2Output, outputs: &Outputs) -> State {
    let reason = || found.failure_reason.clone().unwrap_or_else(|| "AWS gives no reason".into());
    let secondary = found.auto_ml_job_secondary_status.as_ref().map_or("", |status| status.as_str());
    match found.auto_ml_job_status.as_ref().map_or("", |status| status.as_str()) {
        "Completed" if outputs.contains_key("containers") => State::Ready,
        "Completed" if secondary == "MaxAutoMLJobRuntimeReached" => State::Broken(format!(
            "no candidate was ready within its `max_runtime` of {} min: increase it",
            limit(found)
        )),
        "Completed" => State::Broken("it found no candidate".into()),
        "Failed" => State::Broken(reason()),
        "Stopped" => State::Broken("it was stopped".into()),
        other => State::Failed(format!("unknown status {other}")),
    }
}

/// What others take from it: the containers of the best candidate, which answer one column.
fn outputs(found: &DescribeAutoMlJobV2Output) -> Outputs {
    let mut outputs = Outputs::new();
    if found.auto_ml_job_status != Some(AutoMlJobStatus::Completed) {
        return outputs;
    }
    let Some(best) = &found.best_candidate else { return outputs };
    let containers = best.inference_containers().iter().filter_map(|container| {
        let environment = container.environment().cloned().unwrap_or_default();
        Some(Container {
            image: container.image()?.to_string(),
            artifact: container.model_data_url().map(String::from),
            environment: environment.into_iter().collect(),
        })
    });
    let containers = answering(containers.collect());
    if containers.is_empty() {
        return outputs;
    }
    // Containers are plain data: writing them as JSON cannot fail.
    outputs.insert("containers".into(), serde_json::to_value(containers).unwrap_or_default());
    if let Some(objective) = objective(best) {
        outputs.insert("metrics".into(), objective.into());
    }
    outputs
}

/// Where the models are that a job has left.
fn artifacts(outputs: &Outputs) -> Vec<String> {
    let containers = outputs.get("containers").and_then(|containers| containers.as_array());
    let uri = |container: &serde_json::Value| Some(container["artifact"].as_str()?.to_string());
    containers.into_iter().flatten().filter_map(uri).collect()
}

/// The containers, told to answer the predicted label alone: each that can choose is told to, and the next one that it
/// gets just that.
fn answering(mut containers: Vec<Container>) -> Vec<Container> {
    let mut before = false;
    for container in &mut containers {
        let supported = container.environment.get(SUPPORTED).map_or("", String::as_str);
        let chooses = supported.split(',').any(|key| key.trim() == ANSWER);
        if chooses && before {
            container.environment.insert(INPUT.into(), ANSWER.into());
        }
        if chooses {
            container.environment.insert(OUTPUT.into(), ANSWER.into());
        }
        before = chooses;
    }
    containers
}

/// What the job was started with, as far as people ask for it: nothing is compared with it.
fn props(found: &DescribeAutoMlJobV2Output) -> Props {
    let table = match &found.auto_ml_problem_type_config {
        Some(AutoMlProblemTypeConfig::TabularJobConfig(table)) => Some(table),
        _ => None,
    };
    let limits = table.and_then(|table| table.completion_criteria.as_ref());
    let channels = found.auto_ml_job_input_data_config();
    let uri =
        |channel: &AutoMlJobChannel| Some(channel.data_source()?.s3_data_source()?.s3_uri()?.to_string());
    let output = found.output_data_config.as_ref();
    Props {
        endpoint: String::new(),
        data: channels.first().and_then(uri).unwrap_or_default().into(),
        validation: channels.get(1).and_then(uri).map(Into::into),
        target: table.and_then(|table| table.target_attribute_name.clone()).unwrap_or_default(),
        problem: table.and_then(|table| table.problem_type.as_ref()).map(|p| p.as_str().to_string()),
        objective: found
            .auto_ml_job_objective()
            .and_then(|o| o.metric_name())
            .map(|m| m.as_str().to_string()),
        mode: table
            .and_then(|table| table.mode.as_ref())
            .map_or(String::new(), |mode| mode.as_str().to_string()),
        max_candidates: limits.and_then(|limits| limits.max_candidates),
        max_runtime_seconds: limits.and_then(|l| l.max_auto_ml_job_runtime_in_seconds).unwrap_or_default(),
        output: output.and_then(|output| output.s3_output_path.clone()).unwrap_or_default(),
        role: found.role_arn.clone().unwrap_or_default().into(),
        tags: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(supported: Option<&str>) -> Container {
        let environment =
            supported.map(|keys| (SUPPORTED.to_string(), keys.to_string())).into_iter().collect();
        Container { image: "i".into(), artifact: None, environment }
    }

    #[test]
    fn the_last_container_answers_the_label_alone() {
        let keys = "predicted_label, probability, probabilities";
        let told = answering(vec![container(None), container(Some(keys)), container(Some(keys))]);
        let of = |at: usize, name: &str| told[at].environment.get(name).map(String::as_str);
        assert_eq!((of(0, OUTPUT), of(0, INPUT)), (None, None));
        assert_eq!((of(1, OUTPUT), of(1, INPUT)), (Some(ANSWER), None));
        assert_eq!((of(2, OUTPUT), of(2, INPUT)), (Some(ANSWER), Some(ANSWER)));
        // A regression has nothing to choose.
        assert_eq!(answering(vec![container(None), container(None)]), [container(None), container(None)]);
    }

    #[test]
    fn how_far_it_is() {
        let best = Some("F1 0.93".to_string());
        assert_eq!(
            progress("ModelTuning", Some((7, false)), best, 40),
            "training candidates, 7 done, best so far F1 0.93, at most 40 min more"
        );
        assert_eq!(progress("AnalyzingData", None, None, 100), "analyzing the data, at most 100 min more");
    }
}
