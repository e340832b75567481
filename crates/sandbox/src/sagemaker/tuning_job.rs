//! A tuning job: training jobs one after the other, of which one is the best.

use super::answers::{arn, present, seconds};
use super::training_job::{Ending, Setting, TrainingJob, texts};
use crate::call::Call;
use crate::random::Random;
use crate::s3::sha256;
use crate::wire::Body;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuningJob {
    pub name: String,
    /// The members of the request that describe the job.
    pub definition: Value,
    pub created: u64,
    pub ends: u64,
    pub stopped_at: Option<u64>,
    /// Its training jobs, by their keys, in the order in which they start.
    pub jobs: Vec<String>,
}

/// A number of `[0, 1)` that only names decide.
fn unit(name: &str) -> f64 {
    f64::from(u32::from_str_radix(&sha256(name.as_bytes())[..8], 16).unwrap_or_default()) / 4_294_967_296.0
}

fn bound(range: &Value, member: &str) -> f64 {
    range[member].as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The values that the `n`-th training job tries: drawn within the ranges.
fn values(config: &Value, name: &str, n: u64) -> Vec<(String, String)> {
    let ranges = |kind: &str| config["ParameterRanges"][kind].as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    let draw = |range: &Value| {
        let parameter = range["Name"].as_str().unwrap_or_default().to_string();
        let drawn = unit(&format!("{name}/{n}/{parameter}"));
        (parameter, drawn)
    };
    for (kind, whole) in [("IntegerParameterRanges", true), ("ContinuousParameterRanges", false)] {
        for range in ranges(kind) {
            let (parameter, drawn) = draw(&range);
            let (least, most) = (bound(&range, "MinValue"), bound(&range, "MaxValue"));
            let value = match whole {
                true => format!("{}", (least + drawn * (most - least + 1.0)).floor().min(most)),
                false => format!("{}", ((least + drawn * (most - least)) * 1e6).round() / 1e6),
            };
            found.push((parameter, value));
        }
    }
    for range in ranges("CategoricalParameterRanges") {
        let (parameter, drawn) = draw(&range);
        let values = range["Values"].as_array().cloned().unwrap_or_default();
        let value = values.get((drawn * values.len() as f64) as usize).and_then(Value::as_str);
        found.push((parameter, value.unwrap_or_default().to_string()));
    }
    found
}

/// The training jobs of a tuning job that begins at `now`: as many at once as it may have.
pub(super) fn training_jobs(
    setting: &Setting<'_>,
    random: &mut Random,
    name: &str,
    definition: &Value,
    now: u64,
) -> Vec<TrainingJob> {
    let config = &definition["HyperParameterTuningJobConfig"];
    let limits = &config["ResourceLimits"];
    let count = limits["MaxNumberOfTrainingJobs"].as_u64().unwrap_or(1);
    let parallel = limits["MaxParallelTrainingJobs"].as_u64().unwrap_or(1).max(1) as usize;
    let metric = config["HyperParameterTuningJobObjective"]["MetricName"].as_str().unwrap_or_default();
    let mut free_at = vec![now + random.duration(5.0, 10.0, 30.0); parallel];
    let mut jobs = Vec::new();
    for n in 1..=count {
        let mut training = definition["TrainingJobDefinition"].clone();
        let mut hyperparameters = texts(&training["StaticHyperParameters"]);
        hyperparameters.extend(values(config, name, n));
        hyperparameters.insert("_tuning_objective_metric".into(), metric.into());
        if let Some(training) = training.as_object_mut() {
            training.remove("StaticHyperParameters");
            training.insert("HyperParameters".into(), json!(hyperparameters));
        }
        let slot = (0..parallel).min_by_key(|slot| free_at[*slot]).unwrap_or_default();
        let job_name = format!("{name}-{n:03}-{}", &sha256(format!("{name}/{n}").as_bytes())[..8]);
        let mut job = TrainingJob::start(setting, random, &job_name, training, free_at[slot]);
        job.tuning_job = Some(name.to_string());
        free_at[slot] = job.ends + 5_000;
        jobs.push(job);
    }
    jobs
}

/// What a list of a tuning job's training jobs has beyond their own.
pub(super) fn add_objective(summary: &mut Value, job: &TrainingJob, metric: &str, now: u64) {
    let ended = now >= job.ends;
    let hyperparameters = texts(&job.definition["HyperParameters"]);
    summary["TunedHyperParameters"] = json!(hyperparameters);
    summary["ObjectiveStatus"] = json!(match (ended, &job.ending) {
        (false, _) => "Pending",
        (true, Ending::Completed) => "Succeeded",
        _ => "Failed",
    });
    if let (true, Ending::Completed, Some(value)) = (ended, &job.ending, job.metric(metric)) {
        summary["FinalHyperParameterTuningJobObjectiveMetric"] =
            json!({ "MetricName": metric, "Value": value });
    }
    if let (true, Ending::Failed(why)) = (ended, &job.ending) {
        summary["FailureReason"] = json!(why);
    }
    if let Some(members) = summary.as_object_mut() {
        members.remove("SecondaryStatus");
        members.remove("LastModifiedTime");
    }
}

impl TuningJob {
    fn config(&self) -> &Value {
        &self.definition["HyperParameterTuningJobConfig"]
    }

    pub(super) fn metric(&self) -> &str {
        self.config()["HyperParameterTuningJobObjective"]["MetricName"].as_str().unwrap_or_default()
    }

    pub(super) fn status(&self, now: u64, jobs: &[&TrainingJob]) -> &'static str {
        match self.stopped_at {
            _ if now < self.ends => {
                if self.stopped_at.is_some() {
                    "Stopping"
                } else {
                    "InProgress"
                }
            }
            Some(_) => "Stopped",
            None if jobs.iter().all(|job| job.ending != Ending::Completed) => "Failed",
            None => "Completed",
        }
    }

    /// The best of the jobs that have ended well.
    pub(super) fn best<'a>(&self, now: u64, jobs: &[&'a TrainingJob]) -> Option<&'a TrainingJob> {
        let is_less = self.config()["HyperParameterTuningJobObjective"]["Type"] == "Minimize";
        let ended = jobs.iter().filter(|job| now >= job.ends && job.ending == Ending::Completed);
        let measured = ended.filter_map(|job| Some((*job, job.metric(self.metric())?)));
        let best = measured.reduce(|best, other| {
            let better = if is_less { other.1 < best.1 } else { other.1 > best.1 };
            if better { other } else { best }
        });
        best.map(|(job, _)| job)
    }

    pub(super) fn summary(&self, call: &Call, jobs: &[&TrainingJob]) -> Value {
        let ended = call.now >= self.ends;
        json!({
            "HyperParameterTuningJobName": self.name,
            "HyperParameterTuningJobArn": arn(call, "hyper-parameter-tuning-job", &self.name),
            "HyperParameterTuningJobStatus": self.status(call.now, jobs),
            "Strategy": self.config()["Strategy"],
            "CreationTime": seconds(self.created),
            "HyperParameterTuningEndTime": ended.then(|| seconds(self.ends)),
            "LastModifiedTime": seconds(if ended { self.ends } else { self.created }),
            "TrainingJobStatusCounters": counters(call.now, jobs),
            "ObjectiveStatusCounters": objectives(call.now, jobs),
            "ResourceLimits": self.config()["ResourceLimits"],
        })
    }

    pub(super) fn show(&self, call: &Call, jobs: &[&TrainingJob]) -> Body {
        let mut answer = self.definition.clone();
        let mut summary = self.summary(call, jobs);
        let best = self.best(call.now, jobs).map(|job| {
            let mut summary = job.summary(call);
            add_objective(&mut summary, job, self.metric(), call.now);
            summary
                .as_object_mut()
                .into_iter()
                .for_each(|members| members.retain(|_, value| !value.is_null()));
            summary
        });
        summary["BestTrainingJob"] = json!(best);
        if self.status(call.now, jobs) == "Failed" {
            let why = "All training jobs failed. Please take a look at the training jobs failures to get more details.";
            summary["FailureReason"] = json!(why);
        }
        if let (Some(answer), Some(summary)) = (answer.as_object_mut(), summary.as_object_mut()) {
            for member in ["Strategy", "ResourceLimits"] {
                summary.remove(member);
            }
            answer.extend(summary.clone());
        }
        present(answer)
    }
}

fn counters(now: u64, jobs: &[&TrainingJob]) -> Value {
    let count = |status: &str| {
        jobs.iter().filter(|job| job.created <= now && job.status(now).starts_with(status)).count()
    };
    let stopped = jobs.iter().filter(|job| job.created <= now && job.status(now) == "Stopped").count();
    json!({
        "Completed": count("Completed"),
        "InProgress": count("InProgress") + count("Stopping"),
        "RetryableError": 0,
        "NonRetryableError": count("Failed"),
        "Stopped": stopped,
    })
}

fn objectives(now: u64, jobs: &[&TrainingJob]) -> Value {
    let begun = jobs.iter().filter(|job| job.created <= now);
    let (mut succeeded, mut pending, mut failed) = (0, 0, 0);
    for job in begun {
        match (now < job.ends, &job.ending) {
            (true, _) => pending += 1,
            (false, Ending::Completed) => succeeded += 1,
            _ => failed += 1,
        }
    }
    json!({ "Succeeded": succeeded, "Pending": pending, "Failed": failed })
}
