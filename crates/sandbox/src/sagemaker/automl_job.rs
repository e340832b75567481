//! An Autopilot job over time: phases, candidates, the best of them. Decided when it starts, written as it goes on.

use super::answers::{arn, present, seconds};
use super::automl_data::{Analysed, Problem, analyse};
use super::data;
use super::learned::Learned;
use super::training_job::Setting;
use crate::call::Call;
use crate::iam::Iam;
use crate::random::Random;
use crate::s3::{S3, sha256};
use crate::wire::Body;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Candidates without MaxCandidates: "The default is 250" for tuning; ensembles come from about ten trials ("Autopilot
/// training modes").
const CANDIDATES_TUNING: u64 = 250;
const CANDIDATES_ENSEMBLING: u64 = 10;
/// Candidates that the sandbox computes at most.
const CANDIDATES_MAX: u64 = 100;
/// Candidates that are trained at the same time.
const AT_ONCE: u64 = 5;
/// Objectives of which less is better.
const MINIMIZED: [&str; 3] = ["MSE", "RMSE", "MAE"];

/// Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AutoMLJob {
    pub name: String,
    /// The members of the request that describe the job.
    pub definition: Value,
    pub created: u64,
    /// Secondary statuses, each with when it begins.
    pub course: Vec<(String, u64)>,
    pub ends: u64,
    pub ending: Finish,
    pub candidates: Vec<Candidate>,
    /// Problem and objective, as given or found out.
    pub problem: String,
    pub objective: String,
    pub settled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Finish {
    Completed,
    /// With what there is by then.
    MaxRuntime,
    Failed(String),
    Stopped,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    pub name: String,
    pub created: u64,
    pub ends: u64,
    pub value: f64,
    pub containers: Vec<Value>,
    /// What is to be written when it ends, by address.
    pub models: Vec<(String, Learned)>,
}

/// Variables of the containers, as Autopilot generates them: developer guide, "Configure inference output in generated
/// containers", and DescribeAutoMLJob's answers in AWS's samples (`autopilot_customer_churn`).
fn environment(pairs: &[(&str, &str)]) -> Value {
    Value::Object(pairs.iter().map(|(key, value)| ((*key).to_string(), json!(value))).collect())
}

const CODE: [(&str, &str); 2] =
    [("SAGEMAKER_PROGRAM", "sagemaker_serve"), ("SAGEMAKER_SUBMIT_DIRECTORY", "/opt/ml/model/code")];

/// The containers of a candidate, and what their archives hold.
fn containers(
    analysed: &Analysed,
    job: &Plan<'_>,
    candidate: &str,
    n: u64,
) -> (Vec<Value>, Vec<(String, Learned)>) {
    let image = |name: &str| format!("683313688378.dkr.ecr.{}.amazonaws.com/{name}", job.region);
    let at = |folder: &str| format!("{}/{}/{folder}/{candidate}/output/model.tar.gz", job.output, job.name);
    let scores = analysed.scores(n);
    let keys = "predicted_label,probability,probabilities,labels";
    if job.ensembling {
        let mut variables = vec![("MAX_CONTENT_LENGTH", "20971520")];
        variables.extend(CODE);
        if analysed.problem != Problem::Regression {
            variables.extend([
                ("SAGEMAKER_INFERENCE_OUTPUT", "predicted_label"),
                ("SAGEMAKER_INFERENCE_SUPPORTED", keys),
            ]);
        }
        let archive = at("sagemaker-automl-training-jobs");
        let container = json!({
            "Image": image("sagemaker-autogluon-automl:0.4-1-cpu-py3"), "ModelDataUrl": archive,
            "Environment": environment(&variables),
        });
        return (vec![container], vec![(archive, analysed.ensemble(scores))]);
    }
    let (processor, model) = (at("data-processor-models"), at("tuning"));
    let sklearn = image("sagemaker-sklearn-automl:2.5-1-cpu-py3");
    let mut before = vec![
        ("AUTOML_SPARSE_ENCODE_RECORDIO_PROTOBUF", "1"),
        ("AUTOML_TRANSFORM_MODE", "feature-transform"),
        ("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/x-recordio-protobuf"),
    ];
    before.extend(CODE);
    let mut within =
        vec![("MAX_CONTENT_LENGTH", "20971520"), ("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/csv")];
    if analysed.problem != Problem::Regression {
        within.push(("SAGEMAKER_INFERENCE_OUTPUT", "predicted_label"));
        within.push(("SAGEMAKER_INFERENCE_SUPPORTED", "predicted_label,probability,probabilities"));
    }
    let container = |image: &str, archive: &str, variables: &[(&str, &str)]| json!({ "Image": image, "ModelDataUrl": archive, "Environment": environment(variables) });
    let mut found = vec![
        container(&sklearn, &processor, &before),
        container(&image("sagemaker-xgboost:1.3-1-cpu-py3"), &model, &within),
    ];
    if analysed.problem != Problem::Regression {
        let mut after = vec![
            ("AUTOML_TRANSFORM_MODE", "inverse-label-transform"),
            ("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/csv"),
            ("SAGEMAKER_INFERENCE_INPUT", "predicted_label"),
            ("SAGEMAKER_INFERENCE_OUTPUT", "predicted_label"),
            ("SAGEMAKER_INFERENCE_SUPPORTED", keys),
        ];
        after.extend(CODE);
        found.push(container(&sklearn, &processor, &after));
    }
    (found, vec![(processor, analysed.processor()), (model, Learned::Scores(scores))])
}

/// What the request says of the course of a job.
struct Plan<'a> {
    name: &'a str,
    region: &'a str,
    output: &'a str,
    ensembling: bool,
    candidates: u64,
    limit: Option<u64>,
}

fn analysed(setting: &Setting<'_>, definition: &Value) -> Result<Analysed, String> {
    if let Some(why) = &setting.injected {
        return Err(why.clone());
    }
    let tabular = &definition["AutoMLProblemTypeConfig"]["TabularJobConfig"];
    let channels = definition["AutoMLJobInputDataConfig"].as_array();
    let channel = channels.into_iter().flatten().find(|channel| channel["ChannelType"] != "validation");
    let uri = channel
        .and_then(|channel| channel["DataSource"]["S3DataSource"]["S3Uri"].as_str())
        .unwrap_or_default();
    let role = definition["RoleArn"].as_str().unwrap_or_default();
    let files = data::download((setting.iam, setting.s3), role, uri, setting.region)?;
    let problem = tabular["ProblemType"].as_str().map(Problem::of);
    analyse(&files, tabular["TargetAttributeName"].as_str().unwrap_or_default(), problem)
}

impl AutoMLJob {
    /// Plans a job that begins at `now`.
    pub(super) fn start(
        setting: &Setting<'_>,
        random: &mut Random,
        name: &str,
        definition: Value,
        now: u64,
    ) -> AutoMLJob {
        let tabular = &definition["AutoMLProblemTypeConfig"]["TabularJobConfig"];
        let limits = &tabular["CompletionCriteria"];
        // "AUTO: chooses ensembling mode for datasets smaller than 100 MB", and all of the sandbox's are.
        let ensembling = tabular["Mode"] != "HYPERPARAMETER_TUNING";
        let usual = if ensembling { CANDIDATES_ENSEMBLING } else { CANDIDATES_TUNING };
        let output = definition["OutputDataConfig"]["S3OutputPath"].as_str().unwrap_or_default();
        let plan = Plan {
            name,
            region: setting.region,
            output: output.trim_end_matches('/'),
            ensembling,
            candidates: limits["MaxCandidates"].as_u64().unwrap_or(usual).min(CANDIDATES_MAX),
            limit: limits["MaxAutoMLJobRuntimeInSeconds"].as_u64().map(|seconds| now + seconds * 1000),
        };
        let outcome = analysed(setting, &definition);
        let mut at = now;
        let mut course = Vec::new();
        let mut step = |status: &str, lasts: u64, at: &mut u64| {
            course.push((status.to_string(), *at));
            *at += lasts;
        };
        // Fact book, section 8.2, "Autopilot job": half an hour to three hours.
        step("Starting", random.duration(30.0, 60.0, 120.0), &mut at);
        let (mut candidates, mut ending) = (Vec::new(), Finish::Completed);
        let (mut problem, mut objective) = (String::new(), String::new());
        match outcome {
            Err(why) => {
                step(
                    if ensembling { "PreTraining" } else { "AnalyzingData" },
                    random.duration(120.0, 240.0, 420.0),
                    &mut at,
                );
                ending = Finish::Failed(why);
            }
            Ok(analysed) => {
                let (first, second, third) = match ensembling {
                    true => ("PreTraining", None, "TrainingModels"),
                    false => ("AnalyzingData", Some("FeatureEngineering"), "ModelTuning"),
                };
                step(first, random.duration(240.0, 420.0, 700.0), &mut at);
                if let Some(second) = second {
                    step(second, random.duration(300.0, 500.0, 900.0), &mut at);
                }
                problem = analysed.problem.name().into();
                let given = definition["AutoMLJobObjective"]["MetricName"].as_str();
                objective = given.unwrap_or(analysed.problem.objective()).to_string();
                let mut free_at = vec![at; AT_ONCE as usize];
                for n in 0..plan.candidates {
                    let slot = (n % AT_ONCE) as usize;
                    let begins = free_at[slot];
                    free_at[slot] = begins + random.duration(120.0, 180.0, 300.0);
                    let hash = sha256(format!("{name}/{n}").as_bytes());
                    let candidate = format!("{name}{}-{:03}-{}", &hash[..4], n + 1, &hash[4..12]);
                    let value = analysed.metric(&objective, &analysed.scores(n));
                    let (containers, models) = containers(&analysed, &plan, &candidate, n);
                    let ends = free_at[slot];
                    candidates.push(Candidate {
                        name: candidate,
                        created: begins,
                        ends,
                        value,
                        containers,
                        models,
                    });
                }
                let trained = free_at.into_iter().max().unwrap_or(at);
                step(third, trained - at, &mut at);
                step("GeneratingExplainabilityReport", random.duration(120.0, 240.0, 420.0), &mut at);
                step("GeneratingModelInsightsReport", random.duration(60.0, 120.0, 240.0), &mut at);
            }
        }
        if let Some(limit) = plan.limit.filter(|limit| *limit < at) {
            course.retain(|(_, begins)| *begins < limit);
            candidates.retain(|candidate| candidate.ends <= limit);
            at = limit + 20_000;
            ending = match candidates.is_empty() {
                false => Finish::MaxRuntime,
                // What AWS says then is believed.
                true => Finish::Failed(
                    "The AutoML job reached MaxAutoMLJobRuntimeInSeconds before any candidate was trained."
                        .into(),
                ),
            };
        }
        let name = name.to_string();
        AutoMLJob {
            name,
            definition,
            created: now,
            course,
            ends: at,
            ending,
            candidates,
            problem,
            objective,
            settled: false,
        }
    }

    /// Brings the job to the time `now`: candidates that have ended are in S3.
    pub(super) fn settle(&mut self, iam: &Iam, s3: &mut S3, now: u64) {
        if self.settled {
            return;
        }
        self.settled = now >= self.ends;
        let role = self.definition["RoleArn"].as_str().unwrap_or_default().to_string();
        let done = self.candidates.iter_mut().filter(|candidate| candidate.ends <= now);
        for candidate in done {
            for (uri, learned) in std::mem::take(&mut candidate.models) {
                if let Err(why) = data::upload((iam, s3), &role, &uri, &learned, candidate.ends) {
                    self.ending = Finish::Failed(why);
                    self.ends = self.ends.min(now);
                }
            }
        }
    }

    pub(super) fn stop(&mut self, now: u64) {
        self.course.retain(|(_, begins)| *begins < now);
        self.course.push(("Stopping".into(), now));
        self.candidates.retain(|candidate| candidate.ends <= now);
        self.ends = now + 60_000;
        self.ending = Finish::Stopped;
    }

    pub(super) fn secondary(&self, now: u64) -> &str {
        if now < self.ends {
            let begun = self.course.iter().rev().find(|(_, begins)| *begins <= now);
            return begun.map_or("Starting", |(status, _)| status);
        }
        match &self.ending {
            Finish::Completed => "Completed",
            Finish::MaxRuntime => "MaxAutoMLJobRuntimeReached",
            Finish::Failed(_) => "Failed",
            Finish::Stopped => "Stopped",
        }
    }

    pub(super) fn status(&self, now: u64) -> &'static str {
        match &self.ending {
            _ if now < self.ends => match self.secondary(now) {
                "Stopping" => "Stopping",
                _ => "InProgress",
            },
            Finish::Completed | Finish::MaxRuntime => "Completed",
            Finish::Failed(_) => "Failed",
            Finish::Stopped => "Stopped",
        }
    }

    pub(super) fn failure(&self, now: u64) -> Option<&str> {
        match &self.ending {
            Finish::Failed(why) if now >= self.ends => Some(why),
            _ => None,
        }
    }

    /// A candidate as it is shown.
    pub(super) fn candidate(&self, call: &Call, candidate: &Candidate) -> Value {
        let ended = candidate.ends <= call.now;
        let direction = if MINIMIZED.contains(&self.objective.as_str()) { "Minimize" } else { "Maximize" };
        let step = json!({
            "CandidateStepType": "AWS::SageMaker::TrainingJob",
            "CandidateStepArn": arn(call, "training-job", &candidate.name),
            "CandidateStepName": candidate.name,
        });
        let mut shown = json!({
            "CandidateName": candidate.name,
            "ObjectiveStatus": if ended { "Succeeded" } else { "Pending" },
            "CandidateSteps": [step],
            "CandidateStatus": if ended { "Completed" } else { "InProgress" },
            "CreationTime": seconds(candidate.created),
            "LastModifiedTime": seconds(if ended { candidate.ends } else { candidate.created }),
        });
        if ended {
            shown["FinalAutoMLJobObjectiveMetric"] = json!({
                "Type": direction,
                "MetricName": self.objective,
                "Value": candidate.value,
                "StandardMetricName": self.objective,
            });
            shown["EndTime"] = seconds(candidate.ends);
            shown["InferenceContainers"] = json!(candidate.containers);
        }
        shown
    }

    fn best(&self, now: u64) -> Option<&Candidate> {
        let is_less = MINIMIZED.contains(&self.objective.as_str());
        self.candidates.iter().filter(|candidate| candidate.ends <= now).reduce(|best, other| {
            let better = if is_less { other.value < best.value } else { other.value > best.value };
            if better { other } else { best }
        })
    }

    pub(super) fn summary(&self, call: &Call) -> Value {
        let ended = call.now >= self.ends;
        json!({
            "AutoMLJobName": self.name,
            "AutoMLJobArn": arn(call, "automl-job", &self.name),
            "AutoMLJobStatus": self.status(call.now),
            "AutoMLJobSecondaryStatus": self.secondary(call.now),
            "CreationTime": seconds(self.created),
            "EndTime": ended.then(|| seconds(self.ends)),
            "LastModifiedTime": seconds(self.modified(call.now)),
            "FailureReason": self.failure(call.now),
        })
    }

    pub(super) fn modified(&self, now: u64) -> u64 {
        let begun = self.course.iter().rev().map(|(_, begins)| *begins).find(|begins| *begins <= now);
        if now >= self.ends { self.ends } else { begun.unwrap_or(self.created) }
    }

    pub(super) fn show(&self, call: &Call) -> Body {
        let mut answer = self.definition.clone();
        let mut shown = self.summary(call);
        shown["AutoMLProblemTypeConfigName"] = json!("Tabular");
        shown["BestCandidate"] = json!(self.best(call.now).map(|candidate| self.candidate(call, candidate)));
        if !self.problem.is_empty() {
            shown["ResolvedAttributes"] = json!({
                "AutoMLJobObjective": { "MetricName": self.objective },
                "CompletionCriteria": self.definition["AutoMLProblemTypeConfig"]["TabularJobConfig"]
                    .get("CompletionCriteria")
                    .unwrap_or(&json!({})),
                "AutoMLProblemTypeResolvedAttributes": {
                    "TabularResolvedAttributes": { "ProblemType": self.problem },
                },
            });
        }
        if let (Some(answer), Some(shown)) = (answer.as_object_mut(), shown.as_object()) {
            answer.extend(shown.clone());
        }
        present(answer)
    }
}
