//! A training job over time. What becomes of it is decided when it starts; what it leaves is written when it ends.

use super::answers::{arn, present, seconds};
use super::data;
use super::learned::Learned;
use super::xgboost::{self, Trained};
use crate::call::Call;
use crate::iam::Iam;
use crate::random::Random;
use crate::s3::S3;
use crate::wire::Body;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingJob {
    pub name: String,
    /// The members of the request that describe the job.
    pub definition: Value,
    /// The tuning job that started it.
    pub tuning_job: Option<String>,
    pub created: u64,
    /// Secondary statuses, each with when it begins.
    pub course: Vec<(String, u64)>,
    pub ends: u64,
    pub ending: Ending,
    /// What it learns, until it has been uploaded.
    pub learned: Option<Learned>,
    pub metrics: Vec<(String, f64)>,
    /// Whether its end has been carried out.
    pub settled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    Completed,
    Failed(String),
    /// "MaxRuntimeInSeconds … SageMaker ends the training job" (StoppingCondition).
    MaxRuntime,
    /// The same of a spot job's `MaxWaitTimeInSeconds`.
    MaxWait,
    Stopped,
}

/// What a job needs of its surroundings to be planned.
pub(super) struct Setting<'a> {
    pub(super) region: &'a str,
    pub(super) iam: &'a Iam,
    pub(super) s3: &'a S3,
    /// Why jobs of this name fail, where a test says so.
    pub(super) injected: Option<String>,
}

pub(super) fn texts(value: &Value) -> BTreeMap<String, String> {
    let given = value.as_object().into_iter().flatten();
    given.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_string()))).collect()
}

/// Why the channel's data cannot be had, or its files.
fn channel<'a>(
    setting: &Setting<'a>,
    definition: &Value,
    name: &str,
) -> Option<Result<Vec<(&'a str, String)>, String>> {
    let channels = definition["InputDataConfig"].as_array()?;
    let channel = channels.iter().find(|channel| channel["ChannelName"] == name)?;
    let uri = channel["DataSource"]["S3DataSource"]["S3Uri"].as_str().unwrap_or_default();
    let role = definition["RoleArn"].as_str().unwrap_or_default();
    Some(data::download((setting.iam, setting.s3), role, uri, setting.region).and_then(|files| {
        // "ContentType: text/libsvm (default) or text/csv" (XGBoost's input interface).
        let kind = channel["ContentType"].as_str().unwrap_or("text/libsvm");
        match kind.split(';').next().unwrap_or_default().trim() {
            "csv" | "text/csv" => Ok(files),
            kind => Err(format!("AlgorithmError: framework error: UserError: the data of channel {name} is no {kind}, exit code: 1")),
        }
    }))
}

/// Downloads and trains.
fn trained(setting: &Setting<'_>, definition: &Value) -> Result<Trained, String> {
    if let Some(why) = &setting.injected {
        return Err(why.clone());
    }
    let training = channel(setting, definition, "train")
        .unwrap_or_else(|| Err("ClientError: Required channel not found: train".into()))?;
    let validation = channel(setting, definition, "validation").transpose()?;
    let hyperparameters = texts(&definition["HyperParameters"]);
    xgboost::train(&hyperparameters, &training, validation.as_deref())
}

impl TrainingJob {
    /// Plans a job that begins at `created`.
    pub(super) fn start(
        setting: &Setting<'_>,
        random: &mut Random,
        name: &str,
        definition: Value,
        created: u64,
    ) -> TrainingJob {
        let limit =
            |member: &str| definition["StoppingCondition"][member].as_u64().map(|seconds| seconds * 1000);
        let is_spot = definition["EnableManagedSpotTraining"] == true;
        let outcome = trained(setting, &definition);
        let rows = outcome.as_ref().map_or(0, |trained| trained.rows) as f64;
        // Fact book, section 8.2, "XGBoost training job, churn-size data": 150, 210, 300 seconds in all.
        let mut at = created;
        let mut course = Vec::new();
        let mut step = |status: &str, lasts: u64, at: &mut u64| {
            course.push((status.to_string(), *at));
            *at += lasts;
        };
        step("Starting", random.duration(70.0, 110.0, 160.0), &mut at);
        step("Downloading", random.duration(15.0, 25.0, 40.0), &mut at);
        let began = at;
        let training = random.duration(40.0, 60.0, 90.0) + (rows / 1000.0) as u64 * 1000;
        // "Managed spot training … can be interrupted"; without checkpoints it begins anew.
        let interrupted = random.chance(0.1);
        let (before, pause) = (random.duration(10.0, 20.0, 40.0), random.duration(60.0, 120.0, 600.0));
        if is_spot && interrupted {
            step("Training", before, &mut at);
            step("Interrupted", pause, &mut at);
            step("Starting", 60_000, &mut at);
        }
        let mut ending = match &outcome {
            Ok(_) => Ending::Completed,
            Err(why) => Ending::Failed(why.clone()),
        };
        match &ending {
            Ending::Failed(why) if why.starts_with("ClientError: Data download") => {}
            Ending::Failed(_) => step("Training", training / 4, &mut at),
            _ => {
                step("Training", training, &mut at);
                step("Uploading", random.duration(5.0, 12.0, 20.0), &mut at);
            }
        }
        let late = [
            (limit("MaxRuntimeInSeconds").map(|limit| began + limit), Ending::MaxRuntime),
            (limit("MaxWaitTimeInSeconds").map(|limit| created + limit).filter(|_| is_spot), Ending::MaxWait),
        ];
        for (limit, why) in late {
            if let Some(limit) = limit.filter(|limit| *limit < at) {
                course.retain(|(_, begins)| *begins < limit);
                // "SageMaker sends the algorithm the SIGTERM signal, which delays job termination for 120 seconds"; the
                // container ends at once.
                course.push(("Stopping".into(), limit));
                at = limit + 20_000;
                ending = why;
            }
        }
        let (learned, metrics) = match outcome {
            Ok(trained) => (Some(trained.learned), trained.metrics),
            Err(_) => (None, Vec::new()),
        };
        let name = name.to_string();
        TrainingJob {
            name,
            definition,
            tuning_job: None,
            created,
            course,
            ends: at,
            ending,
            learned,
            metrics,
            settled: false,
        }
    }

    fn text(&self, member: &str) -> &str {
        self.definition[member].as_str().unwrap_or_default()
    }

    /// Where its model is put.
    pub(super) fn artifact(&self) -> String {
        let output = self.definition["OutputDataConfig"]["S3OutputPath"].as_str().unwrap_or_default();
        format!("{}/{}/output/model.tar.gz", output.trim_end_matches('/'), self.name)
    }

    /// Brings the job to the time `now`.
    pub(super) fn settle(&mut self, iam: &Iam, s3: &mut S3, now: u64) {
        if self.settled || now < self.ends {
            return;
        }
        self.settled = true;
        let (role, artifact) = (self.text("RoleArn").to_string(), self.artifact());
        let learned = self.learned.take();
        if let (Ending::Completed, Some(learned)) = (&self.ending, learned)
            && let Err(why) = data::upload((iam, s3), &role, &artifact, &learned, self.ends)
        {
            self.ending = Ending::Failed(why);
        }
    }

    /// Ends it before its time.
    pub(super) fn stop(&mut self, now: u64) {
        self.course.retain(|(_, begins)| *begins < now);
        self.course.push(("Stopping".into(), now));
        self.ends = now + 30_000;
        self.ending = Ending::Stopped;
        self.learned = None;
    }

    pub(super) fn secondary(&self, now: u64) -> &str {
        if now < self.ends {
            let begun = self.course.iter().rev().find(|(_, begins)| *begins <= now);
            return begun.map_or("Starting", |(status, _)| status);
        }
        match &self.ending {
            Ending::Completed => "Completed",
            Ending::Failed(_) => "Failed",
            Ending::MaxRuntime => "MaxRuntimeExceeded",
            Ending::MaxWait => "MaxWaitTimeExceeded",
            Ending::Stopped => "Stopped",
        }
    }

    pub(super) fn status(&self, now: u64) -> &'static str {
        if now < self.ends {
            return if self.secondary(now) == "Stopping" { "Stopping" } else { "InProgress" };
        }
        match &self.ending {
            Ending::Completed => "Completed",
            Ending::Failed(_) => "Failed",
            Ending::MaxRuntime | Ending::MaxWait | Ending::Stopped => "Stopped",
        }
    }

    pub(super) fn instances(&self) -> (String, u64) {
        let resources = &self.definition["ResourceConfig"];
        let kind = resources["InstanceType"].as_str().unwrap_or_default().to_string();
        (kind, resources["InstanceCount"].as_u64().unwrap_or(1))
    }

    pub(super) fn is_spot(&self) -> bool {
        self.definition["EnableManagedSpotTraining"] == true
    }

    fn began(&self, now: u64) -> Option<u64> {
        let training = self.course.iter().find(|(status, _)| status == "Downloading")?.1;
        Some(training).filter(|began| *began <= now)
    }

    pub(super) fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.iter().find(|(metric, _)| metric == name).map(|(_, value)| *value)
    }

    pub(super) fn summary(&self, call: &Call) -> Value {
        let ended = call.now >= self.ends;
        json!({
            "TrainingJobName": self.name,
            "TrainingJobArn": arn(call, "training-job", &self.name),
            "CreationTime": seconds(self.created),
            "TrainingEndTime": ended.then(|| seconds(self.ends)),
            "LastModifiedTime": seconds(self.modified(call.now)),
            "TrainingJobStatus": self.status(call.now),
            "SecondaryStatus": self.secondary(call.now),
        })
    }

    pub(super) fn modified(&self, now: u64) -> u64 {
        if now >= self.ends {
            return self.ends;
        }
        self.course
            .iter()
            .rev()
            .map(|(_, begins)| *begins)
            .find(|begins| *begins <= now)
            .unwrap_or(self.created)
    }

    pub(super) fn show(&self, call: &Call) -> Body {
        let now = call.now;
        let ended = now >= self.ends;
        let mut transitions = Vec::new();
        for (at, (status, begins)) in self.course.iter().enumerate().filter(|(_, (_, begins))| *begins <= now)
        {
            let next = self.course.get(at + 1).map_or(self.ends, |(_, begins)| *begins);
            transitions.push(json!({
                "Status": status,
                "StartTime": seconds(*begins),
                "EndTime": (next <= now).then(|| seconds(next)),
            }));
        }
        if ended {
            transitions.push(json!({
                "Status": self.secondary(now), "StartTime": seconds(self.ends), "EndTime": seconds(self.ends),
            }));
        }
        for transition in &mut transitions {
            transition
                .as_object_mut()
                .into_iter()
                .for_each(|members| members.retain(|_, value| !value.is_null()));
        }
        let completed = ended && self.ending == Ending::Completed;
        let metrics = completed.then(|| {
            let metric = |(name, value): &(String, f64)| json!({"MetricName": name, "Value": value, "Timestamp": seconds(self.ends)});
            self.metrics.iter().map(metric).collect::<Vec<_>>()
        });
        let lasted = self.began(now).map(|began| now.min(self.ends).saturating_sub(began) / 1000);
        // "You can calculate the savings from using managed spot training using the formula (1 -
        // BillableTimeInSeconds / TrainingTimeInSeconds) * 100"; 70 percent are believed to be common.
        let billed = lasted.map(|lasted| if self.is_spot() { (lasted * 3 / 10).max(1) } else { lasted });
        let mut answer = self.definition.clone();
        let shown = json!({
            "TrainingJobName": self.name,
            "TrainingJobArn": arn(call, "training-job", &self.name),
            "TuningJobArn": self.tuning_job.as_ref().map(|name| arn(call, "hyper-parameter-tuning-job", name)),
            // Required in botocore's model, whatever became of the job: "the Amazon S3 location that is configured".
            "ModelArtifacts": {"S3ModelArtifacts": self.artifact()},
            "TrainingJobStatus": self.status(now),
            "SecondaryStatus": self.secondary(now),
            "FailureReason": match &self.ending {
                Ending::Failed(why) if ended => Some(why),
                _ => None,
            },
            "CreationTime": seconds(self.created),
            "TrainingStartTime": self.began(now).map(seconds),
            "TrainingEndTime": ended.then(|| seconds(self.ends)),
            "LastModifiedTime": seconds(self.modified(now)),
            "SecondaryStatusTransitions": transitions,
            "FinalMetricDataList": metrics,
            "TrainingTimeInSeconds": lasted.filter(|_| ended),
            "BillableTimeInSeconds": billed.filter(|_| ended),
        });
        if let (Some(answer), Some(shown)) = (answer.as_object_mut(), shown.as_object()) {
            answer.extend(shown.clone());
        }
        for member in
            ["EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"]
        {
            answer[member] = json!(answer[member] == true);
        }
        present(answer)
    }
}
