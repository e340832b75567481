//! What exists in simulated SageMaker.

use super::answers::arn;
use super::automl_job::AutoMLJob;
use super::endpoint::{Endpoint, Variant};
use super::input::Input;
use super::notebook::Notebook;
use super::training_job::TrainingJob;
use super::tuning_job::TuningJob;
use crate::call::Call;
use crate::iam::Iam;
use crate::s3::S3;
use crate::wire::Fault;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Resources are kept by their names in lower case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SageMaker {
    pub notebooks: BTreeMap<String, Notebook>,
    pub lifecycle_configs: BTreeMap<String, LifecycleConfig>,
    pub models: BTreeMap<String, Model>,
    pub endpoint_configs: BTreeMap<String, EndpointConfig>,
    pub endpoints: BTreeMap<String, Endpoint>,
    #[serde(default)]
    pub training_jobs: BTreeMap<String, TrainingJob>,
    #[serde(default)]
    pub tuning_jobs: BTreeMap<String, TuningJob>,
    #[serde(default)]
    pub automl_jobs: BTreeMap<String, AutoMLJob>,
    /// Tags by ARN.
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
    /// Quotas by their name, such as `ml.m5.large for endpoint usage` or
    /// `ml.t3.medium for notebook instance usage`; what is not here is not limited.
    pub instance_limits: BTreeMap<String, u64>,
    /// Images that are not in their registry; all others are taken to be there.
    #[serde(default)]
    pub missing_images: BTreeSet<String>,
    /// Images whose containers do not pass the ping health check.
    pub failing_images: BTreeSet<String>,
    /// Jobs that fail: a part of their names, and the reason that they give.
    #[serde(default)]
    pub failing_jobs: BTreeMap<String, String>,
    /// Lifecycle configurations (names) whose scripts take longer than five minutes.
    pub failing_lifecycle_configs: BTreeSet<String>,
}

impl SageMaker {
    /// Brings every status to the time of the call.
    pub(super) fn settle(&mut self, call: &Call) {
        let SageMaker { notebooks, endpoints, tags, .. } = self;
        notebooks.retain(|name, notebook| {
            let stays = notebook.settle(call.now);
            if !stays {
                tags.remove(&arn(call, "notebook-instance", name));
            }
            stays
        });
        endpoints.retain(|name, endpoint| {
            let stays = endpoint.settle(call.now);
            if !stays {
                tags.remove(&arn(call, "endpoint", name));
            }
            stays
        });
    }

    /// Lets jobs do what they have come to by then.
    pub(super) fn settle_jobs(&mut self, iam: &Iam, s3: &mut S3, now: u64) {
        for job in self.training_jobs.values_mut() {
            job.settle(iam, s3, now);
        }
        for job in self.automl_jobs.values_mut() {
            job.settle(iam, s3, now);
        }
    }

    /// Whether `delta` more instances fit under the quota of this name, given how many are in use.
    pub(super) fn check_limit(&self, quota: &str, used: u64, delta: u64) -> Result<(), Fault> {
        match self.instance_limits.get(quota) {
            Some(limit) if delta > 0 && used + delta > *limit => Err(Fault::bad(
                "ResourceLimitExceeded",
                format!(
                    "The account-level service limit '{quota}' is {limit} Instances, with current \
                     utilization of {used} Instances and a request delta of {delta} Instances. Please use \
                     AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is \
                     not available, contact AWS support to request an increase for this quota."
                ),
            )),
            _ => Ok(()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleConfig {
    pub name: String,
    /// The script run when the notebook is created, in base64.
    pub on_create: Option<String>,
    /// The script run at every start, in base64.
    pub on_start: Option<String>,
    /// Milliseconds since the Unix epoch.
    pub created: u64,
    /// Milliseconds since the Unix epoch.
    pub modified: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    pub name: String,
    /// The members of the request that describe the model.
    pub definition: Value,
    /// Milliseconds since the Unix epoch.
    pub created: u64,
}

impl Model {
    /// The containers, primary or not.
    pub(super) fn containers(&self) -> impl Iterator<Item = Input<'_>> {
        let listed = self.definition["Containers"].as_array().into_iter().flatten();
        Input::within(&self.definition).value("PrimaryContainer").into_iter().chain(listed).map(Input::within)
    }

    pub(super) fn images(&self) -> impl Iterator<Item = &str> {
        self.containers().filter_map(|container| container.0["Image"].as_str())
    }

    pub(super) fn role(&self) -> Option<&str> {
        self.definition["ExecutionRoleArn"].as_str()
    }

    /// Subnets and security groups, if the model is attached to a VPC.
    pub(super) fn network(&self) -> Option<(Vec<String>, Vec<String>)> {
        let vpc = Input::within(&self.definition).structure("VpcConfig").ok()??;
        Some((vpc.texts("Subnets").ok()?, vpc.texts("SecurityGroupIds").ok()?))
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndpointConfig {
    pub name: String,
    /// The members of the request that describe the configuration.
    pub definition: Value,
    /// Milliseconds since the Unix epoch.
    pub created: u64,
    /// When CreateEndpoint and UpdateEndpoint begin to see it, milliseconds since the Unix epoch.
    pub visible_at: u64,
}

impl EndpointConfig {
    /// The variants as they are to be deployed.
    pub(super) fn variants(&self) -> Vec<Variant> {
        let variants = self.definition["ProductionVariants"].as_array().into_iter().flatten();
        variants.map(Variant::of).collect()
    }
}
