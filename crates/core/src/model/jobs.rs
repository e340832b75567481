//! Jobs that make models: training, tuning and Autopilot, and what a model takes from them.

use super::{Builder, Code};
use crate::base::{Id, Input};
use crate::kinds::model::Container;
use crate::kinds::{autopilot_job, data_unload, training_job, tuning_job};
use crate::spec::{
    Autopilot, AutopilotMode, AutopilotProblem, Endpoint, EndpointManager, Goal, Model, Range, Spec,
    Training, Tuning, metric_goal, seconds, whole_hyperparameter,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Where in the stack's bucket jobs leave their models.
const OUTPUT: &str = "auroraml/jobs";

/// What a model is made of.
pub(super) struct Made {
    pub(super) image: Option<String>,
    pub(super) artifact: Option<Input>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) containers: Option<Input<Vec<Container>>>,
    /// What stands for all of that in the model's name: of a job its identity, because what it gives is not known
    /// before it has run.
    pub(super) content: Vec<Value>,
}

/// What the execution roles need to read and pull.
#[derive(Default)]
pub(super) struct Needs {
    pub(super) images: Vec<String>,
    /// `bucket/key`, and `bucket/prefix/*`.
    pub(super) objects: Vec<String>,
    /// Whether a job decides which of AWS's images is used.
    pub(super) any_image: bool,
}

/// Rows in S3.
struct Rows {
    uri: Input,
    /// What stands for them in the job's name.
    identity: String,
    /// `bucket/prefix*`
    pattern: String,
}

/// The endpoints of the stack's own, each with its model.
pub(super) fn managed(spec: &Spec) -> impl Iterator<Item = (&String, &Endpoint, &Model)> {
    let stack = spec.endpoints.iter().filter(|(_, endpoint)| endpoint.managed_by == EndpointManager::Stack);
    stack.filter_map(|(name, endpoint)| Some((name, endpoint, endpoint.model.as_ref()?)))
}

/// Whether the spec has jobs.
pub fn has_jobs(spec: &Spec) -> bool {
    managed(spec).any(|(_, _, model)| model.training.is_some() || model.autopilot.is_some())
}

fn number(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn without_scheme(address: &str) -> &str {
    address.trim_start_matches("s3://").trim_end_matches('/')
}

impl Builder<'_> {
    /// What the models that the spec has can only be made of with these.
    pub(super) fn needs(&mut self, name: &str, model: &Model) -> Option<Needs> {
        let path = format!("endpoints.{name}.model");
        let mut needs = Needs::default();
        let mut one = |builder: &mut Self, image: &str, artifact: Option<&String>, path: &str| {
            needs.images.push(builder.image(path, image)?);
            needs.objects.extend(artifact.map(|uri| uri.trim_start_matches("s3://").to_string()));
            Some(())
        };
        if let Some(image) = &model.image {
            one(self, image, model.artifact.as_ref(), &path)?;
        }
        for (n, container) in model.containers.iter().enumerate() {
            one(self, &container.image, container.artifact.as_ref(), &format!("{path}.containers[{n}]"))?;
        }
        let mut outputs = Vec::new();
        if let Some(training) = &model.training {
            one(self, &training.image, None, &format!("{path}.training"))?;
            outputs.push(self.output(training.output.as_deref()));
        }
        if let Some(autopilot) = &model.autopilot {
            needs.any_image = true;
            outputs.push(self.output(autopilot.output.as_deref()));
        }
        needs.objects.extend(outputs.iter().map(|output| format!("{}/*", without_scheme(output))));
        Some(needs)
    }

    /// Adds the job, if a job makes the model, and says what the model is made of.
    pub(super) fn made(&mut self, name: &str, model: &Model) -> Option<Made> {
        let path = format!("endpoints.{name}.model");
        let nothing = Made {
            image: None,
            artifact: None,
            environment: model.environment.clone(),
            containers: None,
            content: Vec::new(),
        };
        if let Some(image) = &model.image {
            let image = self.image(&path, image)?;
            let content = vec![json!(image), json!(model.artifact), json!(model.environment)];
            let artifact = model.artifact.clone().map(Input::Known);
            return Some(Made { image: Some(image), artifact, content, ..nothing });
        }
        if let Some(training) = &model.training {
            let image = self.image(&format!("{path}.training"), &training.image)?;
            let job = self.training(name, training, &image)?;
            let content = vec![json!(image), json!(job), json!(model.environment)];
            let artifact = Some(Input::of(&job, "artifact"));
            return Some(Made { image: Some(image), artifact, content, ..nothing });
        }
        if let Some(autopilot) = &model.autopilot {
            let job = self.autopilot(name, autopilot)?;
            let containers = Some(Input::of(&job, "containers"));
            return Some(Made { containers, content: vec![json!(job)], ..nothing });
        }
        let mut containers = Vec::new();
        for (n, container) in model.containers.iter().enumerate() {
            containers.push(Container {
                image: self.image(&format!("{path}.containers[{n}]"), &container.image)?,
                artifact: container.artifact.clone(),
                environment: container.environment.clone(),
            });
        }
        let content = vec![json!(containers)];
        Some(Made { containers: Some(Input::Known(containers)), content, ..nothing })
    }

    /// Where a job leaves its model.
    fn output(&self, given: Option<&str>) -> String {
        match given {
            Some(address) => address.trim_end_matches('/').to_string(),
            None => format!("s3://{}/{OUTPUT}", self.bucket_name()),
        }
    }

    /// Rows that the spec names: an unload, or an address.
    fn rows(&mut self, path: &str, given: &str) -> Option<Rows> {
        if given.starts_with("s3://") {
            let pattern = format!("{}*", given.trim_start_matches("s3://"));
            // A whole bucket.
            let pattern = if pattern.contains('/') { pattern } else { pattern.replace('*', "/*") };
            return Some(Rows { uri: given.into(), identity: given.into(), pattern });
        }
        let Some((unload, begins)) = self.unload(given) else {
            self.problem(
                Code::RowsMissing,
                path,
                format!("the spec has no unload {given}"),
                "write `s3://BUCKET/PREFIX`",
            );
            return None;
        };
        let pattern = format!("{}*", begins.trim_start_matches("s3://"));
        Some(Rows { uri: Input::of(&unload, data_unload::URI), identity: unload.to_string(), pattern })
    }

    fn training(&mut self, name: &str, spec: &Training, image: &str) -> Option<Id> {
        let path = format!("endpoints.{name}.model.training");
        let data = self.rows(&format!("{path}.data"), &spec.data)?;
        let validation = match &spec.validation {
            Some(given) => Some(self.rows(&format!("{path}.validation"), given)?),
            None => None,
        };
        let output = self.output(spec.output.as_deref());
        let identity = validation.as_ref().map(|rows| rows.identity.clone());
        // What a job runs on and for how long is no part of what it learns.
        let mut content = vec![
            json!(name),
            json!(image),
            json!(data.identity),
            json!(identity),
            json!(spec.hyperparameters),
            json!(output),
        ];
        if let Some(tuning) = &spec.tuning {
            let Tuning { objective, goal, ranges, jobs, parallel: _ } = tuning;
            content.push(json!([objective, goal, ranges, jobs]));
        }
        let kind = if spec.tuning.is_some() { "tuning_job" } else { "training_job" };
        let id = Id::hashed(kind, name, &Value::Array(content));
        let training = training_job::Props {
            endpoint: name.into(),
            image: image.into(),
            data: data.uri,
            validation: validation.map(|rows| rows.uri),
            hyperparameters: spec.hyperparameters.clone(),
            output,
            instance: spec.instance.clone(),
            volume: number(spec.volume),
            spot: spec.spot,
            max_runtime_seconds: number(seconds(&spec.max_runtime).unwrap_or(3600)),
            role: self.job_role_arn(),
            tags: self.tags(&id),
        };
        match &spec.tuning {
            None => drop(self.graph.add(id.clone(), training)),
            Some(tuning) => {
                let goal = tuning.goal.or_else(|| metric_goal(&tuning.objective)).unwrap_or(Goal::Maximize);
                let ranges = tuning.ranges.iter().map(|(name, range)| (name.clone(), tried(name, range)));
                let props = tuning_job::Props {
                    training,
                    objective: tuning.objective.clone(),
                    maximize: goal == Goal::Maximize,
                    jobs: number(tuning.jobs),
                    parallel: number(tuning.parallel),
                    ranges: ranges.collect(),
                };
                self.graph.add(id.clone(), props);
            }
        }
        self.after_bucket(&id);
        Some(id)
    }

    fn autopilot(&mut self, name: &str, spec: &Autopilot) -> Option<Id> {
        let path = format!("endpoints.{name}.model.autopilot");
        let data = self.rows(&format!("{path}.data"), &spec.data)?;
        let validation = match &spec.validation {
            Some(given) => Some(self.rows(&format!("{path}.validation"), given)?),
            None => None,
        };
        let output = self.output(spec.output.as_deref());
        let identity = validation.as_ref().map(|rows| rows.identity.clone());
        let content = json!([
            name,
            data.identity,
            identity,
            spec.target,
            spec.problem,
            spec.objective,
            spec.mode,
            spec.max_candidates,
            spec.max_runtime,
            output,
        ]);
        let id = Id::hashed("autopilot_job", name, &content);
        let problem = spec.problem.map(|problem| match problem {
            AutopilotProblem::BinaryClassification => "BinaryClassification",
            AutopilotProblem::MulticlassClassification => "MulticlassClassification",
            AutopilotProblem::Regression => "Regression",
        });
        let mode = match spec.mode {
            AutopilotMode::Auto => "AUTO",
            AutopilotMode::Ensembling => "ENSEMBLING",
            AutopilotMode::HyperparameterTuning => "HYPERPARAMETER_TUNING",
        };
        let props = autopilot_job::Props {
            endpoint: name.into(),
            data: data.uri,
            validation: validation.map(|rows| rows.uri),
            target: spec.target.clone(),
            problem: problem.map(String::from),
            objective: spec.objective.clone(),
            mode: mode.into(),
            max_candidates: spec.max_candidates.map(number),
            max_runtime_seconds: number(seconds(&spec.max_runtime).unwrap_or(7200)),
            output,
            role: self.job_role_arn(),
            tags: self.tags(&id),
        };
        self.graph.add(id.clone(), props);
        self.after_bucket(&id);
        Some(id)
    }

    /// The model of a job is left in the stack's bucket, if there is one.
    fn after_bucket(&mut self, id: &Id) {
        let bucket = Id::new("bucket", "main");
        if self.graph.resources.contains_key(&bucket)
            && let Some(job) = self.graph.resources.get_mut(id)
        {
            job.after.insert(bucket);
        }
    }

    /// Which role jobs have.
    fn job_role_arn(&self) -> Input {
        match self.place.names.roles.get("training") {
            Some(arn) => self.input(arn),
            None => Input::of(&Id::new("role", "training"), "arn"),
        }
    }

    /// The execution role of jobs, if there are any.
    pub(super) fn job_role(&mut self) {
        let spec = self.spec;
        let (mut inputs, mut outputs) = (BTreeSet::new(), BTreeSet::new());
        let (mut images, mut autopilot) = (Vec::new(), false);
        for (name, _, model) in managed(spec) {
            let path = format!("endpoints.{name}.model");
            let given = match (&model.training, &model.autopilot) {
                (Some(training), _) => {
                    images.extend(self.image(&format!("{path}.training"), &training.image));
                    (&training.data, &training.validation, &training.output)
                }
                (None, Some(found)) => {
                    autopilot = true;
                    (&found.data, &found.validation, &found.output)
                }
                (None, None) => continue,
            };
            let (data, validation, output) = given;
            for rows in [Some(data), validation.as_ref()].into_iter().flatten() {
                inputs.extend(self.rows(&path, rows).map(|rows| rows.pattern));
            }
            outputs.insert(format!("{}/*", without_scheme(&self.output(output.as_deref()))));
        }
        if !outputs.is_empty() {
            self.training_role(&images, &inputs, &outputs, autopilot);
        }
    }
}

/// The form in which AWS wants what is tried: whole numbers apart from others.
fn tried(name: &str, range: &Range) -> tuning_job::Range {
    match (range.bounds(), range.0.as_slice()) {
        (Some((low, high)), [from, to]) => {
            let whole = whole_hyperparameter(name).unwrap_or(low.fract() == 0.0 && high.fract() == 0.0);
            let (from, to) = (from.clone(), to.clone());
            match whole {
                true => tuning_job::Range::Integer { from, to },
                false => tuning_job::Range::Continuous { from, to },
            }
        }
        _ => tuning_job::Range::Words(range.0.clone()),
    }
}
