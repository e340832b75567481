//! Operations on Autopilot jobs, version 2 of the API: tables alone.

use super::answers::{arn, invalid};
use super::automl_data::Problem;
use super::automl_job::AutoMLJob;
use super::input::{Input, constraint, missing};
use super::listing::{self, Row};
use super::reach::{Reach, check_role};
use super::state::SageMaker;
use super::training_job::Setting;
use super::training_jobs::{injected, taken};
use super::tuning_jobs::short_name;
use crate::call::Call;
use crate::wire::{Body, Fault, Reply};
use serde_json::json;

const KIND: &str = "automl-job";
const NAME: &str = "AutoMLJobName";
/// What a job is made of, as it is given and given back.
const MEMBERS: &[&str] = &[
    "AutoMLJobInputDataConfig",
    "OutputDataConfig",
    "AutoMLProblemTypeConfig",
    "RoleArn",
    "SecurityConfig",
    "AutoMLJobObjective",
    "DataSplitConfig",
];
/// Objectives of a problem: "Metrics for … " of the developer guide's "Autopilot metrics".
const CLASSIFICATION: &[&str] = &["Accuracy", "BalancedAccuracy"];
const BINARY: &[&str] = &["F1", "AUC", "Precision", "Recall"];
const MULTICLASS: &[&str] = &["F1macro", "PrecisionMacro", "RecallMacro"];
const REGRESSION: &[&str] = &["MSE", "RMSE", "MAE", "R2"];

fn find<'a>(call: &Call, sagemaker: &'a mut SageMaker) -> Result<&'a mut AutoMLJob, Fault> {
    let name = short_name(Input::of(call), NAME)?;
    let found = sagemaker.automl_jobs.get_mut(&name.to_ascii_lowercase());
    found.ok_or_else(|| {
        let text = format!("Could not find AutoML job with name {name}.");
        Fault::bad("ResourceNotFound", text)
    })
}

fn check_tabular(tabular: Input<'_>, objective: Option<&str>) -> Result<(), Fault> {
    tabular.required("TargetAttributeName")?;
    tabular.choice("Mode", &["AUTO", "ENSEMBLING", "HYPERPARAMETER_TUNING"])?;
    let problems = ["BinaryClassification", "MulticlassClassification", "Regression"];
    let problem = tabular.choice("ProblemType", &problems)?;
    if problem.is_some() != objective.is_some() {
        // "You must either specify both or leave both undefined" (TabularJobConfig, ProblemType).
        return Err(invalid("ProblemType and AutoMLJobObjective must both be specified, or neither of them"));
    }
    let (Some(problem), Some(objective)) = (problem, objective) else { return Ok(()) };
    let good: &[&[&str]] = match Problem::of(problem) {
        Problem::Binary => &[CLASSIFICATION, BINARY],
        Problem::Multiclass => &[CLASSIFICATION, MULTICLASS],
        Problem::Regression => &[REGRESSION],
    };
    if !good.iter().any(|names| names.contains(&objective)) {
        return Err(invalid(format!(
            "The objective metric {objective} is not valid for the problem type {problem}"
        )));
    }
    Ok(())
}

pub(super) fn create(call: &Call, reach: &mut Reach<'_>) -> Reply {
    let input = Input::of(call);
    let name = short_name(input, NAME)?;
    let tags = input.tags()?;
    let role = input.required("RoleArn")?;
    let channels = input.structures("AutoMLJobInputDataConfig")?;
    if channels.is_empty() {
        return Err(missing("AutoMLJobInputDataConfig"));
    }
    let address = |name: &str, uri: &str| match uri.starts_with("s3://") || uri.starts_with("https://") {
        true => Ok(()),
        false => Err(constraint(name, uri, "satisfy regular expression pattern: (https|s3)://([^/]+)/?(.*)")),
    };
    for channel in channels {
        channel.choice("ChannelType", &["training", "validation"])?;
        let source = channel.structure("DataSource")?.ok_or_else(|| missing("DataSource"))?;
        let source = source.structure("S3DataSource")?.ok_or_else(|| missing("S3DataSource"))?;
        if source.required("S3DataType")? != "S3Prefix" {
            return Err(invalid("The sandbox reads S3Prefix alone"));
        }
        address("S3Uri", source.required("S3Uri")?)?;
        let kind = channel.text("ContentType")?.unwrap_or("text/csv;header=present");
        if kind != "text/csv;header=present" {
            return Err(invalid(format!("The sandbox reads text/csv;header=present alone, not {kind}")));
        }
    }
    let output = input.structure("OutputDataConfig")?.ok_or_else(|| missing("OutputDataConfig"))?;
    address("S3OutputPath", output.required("S3OutputPath")?)?;
    let problem =
        input.structure("AutoMLProblemTypeConfig")?.ok_or_else(|| missing("AutoMLProblemTypeConfig"))?;
    let tabular = problem.structure("TabularJobConfig")?;
    let tabular = tabular.ok_or_else(|| invalid("The sandbox has TabularJobConfig alone"))?;
    let objective = input.structure("AutoMLJobObjective")?.map(|objective| objective.required("MetricName"));
    check_tabular(tabular, objective.transpose()?)?;
    if let Some(limits) = tabular.structure("CompletionCriteria")? {
        limits.integer("MaxCandidates", 1..=750)?;
        limits.integer("MaxRuntimePerTrainingJobInSeconds", 1..=2_592_000)?;
        limits.integer("MaxAutoMLJobRuntimeInSeconds", 1..=2_592_000)?;
    }
    check_role(call, reach.iam, role)?;
    let key = name.to_ascii_lowercase();
    if reach.sagemaker.automl_jobs.contains_key(&key) {
        return Err(taken(call, KIND, "AutoML job", name));
    }
    let injected = injected(reach.sagemaker, name);
    let setting = Setting { region: &call.region, iam: reach.iam, s3: reach.s3, injected };
    let job = AutoMLJob::start(&setting, reach.random, name, call.json.keep(MEMBERS), call.now);
    let arn = arn(call, KIND, name);
    reach.sagemaker.automl_jobs.insert(key, job);
    reach.sagemaker.tags.insert(arn.clone(), tags);
    Ok(Body::Json(json!({ "AutoMLJobArn": arn })))
}

pub(super) fn describe(call: &Call, sagemaker: &mut SageMaker) -> Reply {
    Ok(find(call, sagemaker)?.show(call))
}

pub(super) fn stop(call: &Call, sagemaker: &mut SageMaker) -> Reply {
    let job = find(call, sagemaker)?;
    if job.status(call.now) != "InProgress" {
        let status = job.status(call.now);
        return Err(invalid(format!(
            "The request was rejected because the AutoML job is in status {status}."
        )));
    }
    job.stop(call.now);
    Ok(Body::Json(json!({})))
}

pub(super) fn list(call: &Call, sagemaker: &SageMaker) -> Reply {
    let row = |job: &'_ AutoMLJob| {
        let mut summary = job.summary(call);
        summary.as_object_mut().into_iter().for_each(|members| members.retain(|_, value| !value.is_null()));
        summary
    };
    let rows = sagemaker.automl_jobs.values().map(|job| Row {
        name: &job.name,
        created: job.created,
        modified: job.modified(call.now),
        status: job.status(call.now),
        summary: row(job),
    });
    listing::page(call, "AutoMLJobSummaries", &listing::BY_TIME, rows.collect())
}

pub(super) fn list_candidates(call: &Call, sagemaker: &mut SageMaker) -> Reply {
    let wanted = Input::of(call).text("CandidateNameEquals")?;
    let job = find(call, sagemaker)?;
    let begun = job.candidates.iter().filter(|candidate| candidate.created <= call.now);
    let named = begun.filter(|candidate| wanted.is_none_or(|wanted| candidate.name == wanted));
    let rows = named.map(|candidate| Row {
        name: &candidate.name,
        created: candidate.created,
        modified: candidate.ends.min(call.now),
        status: if candidate.ends <= call.now { "Completed" } else { "InProgress" },
        summary: job.candidate(call, candidate),
    });
    listing::page(call, "Candidates", &listing::BY_TIME, rows.collect())
}
