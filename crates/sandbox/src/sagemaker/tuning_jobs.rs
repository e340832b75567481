//! Operations on tuning jobs.

use super::answers::{arn, invalid};
use super::input::{Input, constraint, missing};
use super::listing::{self, Row};
use super::reach::Reach;
use super::state::SageMaker;
use super::training_job::{Setting, TrainingJob};
use super::training_jobs::{self, check_limit, injected, taken};
use super::tuning_job::{self, TuningJob};
use crate::call::Call;
use crate::wire::{Body, Fault, Reply};
use serde_json::{Value, json};

const KIND: &str = "hyper-parameter-tuning-job";
const NAME: &str = "HyperParameterTuningJobName";
/// Characters of a name: "HyperParameterTuningJobName", max 32.
const NAME_MAX: usize = 32;
/// Training jobs of one tuning job: "Automatic model tuning limits" of the developer guide.
const JOBS_MAX: u64 = 750;
const PARALLEL_MAX: u64 = 10;
/// What a definition within a tuning job has of a training job.
const MEMBERS: &[&str] = &[
    "StaticHyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "RetryStrategy",
    "Environment",
];
const RANGES: [&str; 3] =
    ["IntegerParameterRanges", "ContinuousParameterRanges", "CategoricalParameterRanges"];

fn find<'a>(call: &Call, sagemaker: &'a SageMaker) -> Result<&'a TuningJob, Fault> {
    let name = Input::of(call).name(NAME)?;
    let found = sagemaker.tuning_jobs.get(&name.to_ascii_lowercase());
    found.ok_or_else(|| {
        let text = format!("Amazon SageMaker can't find a tuning job with the name {name}.");
        Fault::bad("ResourceNotFound", text)
    })
}

fn jobs<'a>(sagemaker: &'a SageMaker, job: &TuningJob) -> Vec<&'a TrainingJob> {
    job.jobs.iter().filter_map(|key| sagemaker.training_jobs.get(key)).collect()
}

/// A name of at most 32 characters.
pub(super) fn short_name<'a>(input: Input<'a>, member: &str) -> Result<&'a str, Fault> {
    let name = input.name(member)?;
    match name.len() > NAME_MAX {
        true => Err(constraint(member, name, "have length less than or equal to 32")),
        false => Ok(name),
    }
}

fn check_ranges(ranges: Input<'_>) -> Result<(), Fault> {
    let mut count = 0;
    for kind in RANGES {
        for range in ranges.structures(kind)? {
            count += 1;
            let name = range.required("Name")?;
            if kind == RANGES[2] {
                if range.texts("Values")?.is_empty() {
                    return Err(missing("Values"));
                }
                continue;
            }
            let number = |member: &str| -> Result<f64, Fault> {
                let text = range.required(member)?;
                let whole = kind == RANGES[0];
                let number =
                    text.parse::<f64>().ok().filter(|n| n.is_finite() && (!whole || n.fract() == 0.0));
                number.ok_or_else(|| {
                    invalid(format!("The {member} {text} of hyperparameter {name} is not a valid number"))
                })
            };
            if number("MinValue")? > number("MaxValue")? {
                return Err(invalid(format!(
                    "The MinValue of hyperparameter {name} is greater than its MaxValue"
                )));
            }
        }
    }
    match count {
        0 => Err(invalid("You must specify at least one hyperparameter range")),
        1..=30 => Ok(()),
        _ => Err(invalid("At most 30 hyperparameters can be tuned")),
    }
}

pub(super) fn create(call: &Call, reach: &mut Reach<'_>) -> Reply {
    let input = Input::of(call);
    let name = short_name(input, NAME)?;
    let tags = input.tags()?;
    let config = input.structure("HyperParameterTuningJobConfig")?;
    let config = config.ok_or_else(|| missing("HyperParameterTuningJobConfig"))?;
    let strategy = config.choice("Strategy", &["Bayesian", "Random", "Hyperband", "Grid"])?;
    if !matches!(strategy.ok_or_else(|| missing("Strategy"))?, "Bayesian" | "Random") {
        return Err(invalid("The sandbox tunes with Bayesian and Random alone"));
    }
    let objective = config.structure("HyperParameterTuningJobObjective")?;
    let objective = objective.ok_or_else(|| missing("HyperParameterTuningJobObjective"))?;
    objective.choice("Type", &["Maximize", "Minimize"])?.ok_or_else(|| missing("Type"))?;
    objective.required("MetricName")?;
    let limits = config.structure("ResourceLimits")?.ok_or_else(|| missing("ResourceLimits"))?;
    limits
        .integer("MaxNumberOfTrainingJobs", 1..=JOBS_MAX)?
        .ok_or_else(|| missing("MaxNumberOfTrainingJobs"))?;
    limits
        .integer("MaxParallelTrainingJobs", 1..=PARALLEL_MAX)?
        .ok_or_else(|| missing("MaxParallelTrainingJobs"))?;
    check_ranges(config.structure("ParameterRanges")?.ok_or_else(|| missing("ParameterRanges"))?)?;
    let training =
        input.structure("TrainingJobDefinition")?.ok_or_else(|| missing("TrainingJobDefinition"))?;
    let training = training_jobs::definition(call, reach, training, MEMBERS)?;
    let key = name.to_ascii_lowercase();
    if reach.sagemaker.tuning_jobs.contains_key(&key) {
        return Err(taken(call, KIND, "Hyperparameter tuning job", name));
    }
    let definition = json!({ "HyperParameterTuningJobConfig": config.0, "TrainingJobDefinition": training });
    let injected = injected(reach.sagemaker, name);
    let setting = Setting { region: &call.region, iam: reach.iam, s3: reach.s3, injected };
    let jobs = tuning_job::training_jobs(&setting, reach.random, name, &definition, call.now);
    let parallel = limits.integer("MaxParallelTrainingJobs", 1..=PARALLEL_MAX)?.unwrap_or(1) as usize;
    check_limit(reach.sagemaker, call.now, &jobs[..parallel.min(jobs.len())])?;
    let ends =
        jobs.iter().map(|job| job.ends).max().unwrap_or(call.now) + reach.random.duration(5.0, 15.0, 60.0);
    let keys: Vec<String> = jobs.iter().map(|job| job.name.to_ascii_lowercase()).collect();
    for (key, job) in keys.iter().zip(jobs) {
        reach.sagemaker.training_jobs.insert(key.clone(), job);
    }
    let name = name.to_string();
    let arn = arn(call, KIND, &name);
    let job = TuningJob { name, definition, created: call.now, ends, stopped_at: None, jobs: keys };
    reach.sagemaker.tuning_jobs.insert(key, job);
    reach.sagemaker.tags.insert(arn.clone(), tags);
    Ok(Body::Json(json!({ "HyperParameterTuningJobArn": arn })))
}

pub(super) fn describe(call: &Call, sagemaker: &SageMaker) -> Reply {
    let job = find(call, sagemaker)?;
    Ok(job.show(call, &jobs(sagemaker, job)))
}

pub(super) fn stop(call: &Call, sagemaker: &mut SageMaker) -> Reply {
    let job = find(call, sagemaker)?.clone();
    let status = job.status(call.now, &jobs(sagemaker, &job));
    if status != "InProgress" {
        return Err(invalid(format!(
            "The request was rejected because the tuning job is in status {status}."
        )));
    }
    let mut begun = Vec::new();
    for key in &job.jobs {
        match sagemaker.training_jobs.get_mut(key) {
            Some(job) if job.created > call.now => {
                sagemaker.training_jobs.remove(key);
            }
            Some(job) => {
                if call.now < job.ends {
                    job.stop(call.now);
                }
                begun.push(key.clone());
            }
            None => {}
        }
    }
    if let Some(job) = sagemaker.tuning_jobs.get_mut(&job.name.to_ascii_lowercase()) {
        job.jobs = begun;
        job.stopped_at = Some(call.now);
        job.ends = call.now + 40_000;
    }
    Ok(Body::Json(json!({})))
}

pub(super) fn list(call: &Call, sagemaker: &SageMaker) -> Reply {
    let row = |job: &'_ TuningJob| {
        let jobs = jobs(sagemaker, job);
        let mut summary = job.summary(call, &jobs);
        summary.as_object_mut().into_iter().for_each(|members: &mut serde_json::Map<String, Value>| {
            members.retain(|_, value| !value.is_null());
        });
        (job.status(call.now, &jobs), summary)
    };
    let rows = sagemaker.tuning_jobs.values().map(|job| {
        let (status, summary) = row(job);
        Row { name: &job.name, created: job.created, modified: job.created, status, summary }
    });
    listing::page(call, "HyperParameterTuningJobSummaries", &listing::BY_NAME, rows.collect())
}

pub(super) fn list_training_jobs(call: &Call, sagemaker: &SageMaker) -> Reply {
    let job = find(call, sagemaker)?;
    training_jobs::list_tuned(call, sagemaker, &job.name, job.metric())
}
