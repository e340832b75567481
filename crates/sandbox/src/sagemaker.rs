//! Simulated SageMaker: notebook instances, their lifecycle configurations, models, endpoint
//! configurations, endpoints and tags.
//!
//! The awkward parts are those of the fact book, sections 4.1 to 4.6 and appendix E item 8: "not found" is
//! a `ValidationException`, an endpoint whose update failed is `InService` with the old configuration, a
//! new endpoint configuration is not at once visible to CreateEndpoint, and a start may have no effect.
//! Resource names are one per account and region whatever their case, because ARNs are lower-case.

mod configs;
mod deployment;
mod endpoints;
mod input;
mod lifecycle;
mod listing;
mod models;
mod notebooks;
mod tags;

use crate::account::ACCOUNT;
use crate::call::Call;
use crate::ec2::Ec2;
use crate::iam::Iam;
use crate::random::Random;
use crate::s3::S3;
use crate::wire::{Body, Fault, Reply};
pub use configs::EndpointConfig;
pub use deployment::{Deployment, Endpoint, Health, Variant};
pub use lifecycle::LifecycleConfig;
pub use models::Model;
pub use notebooks::{Notebook, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The service principal that roles must trust.
const PRINCIPAL: &str = "sagemaker.amazonaws.com";

/// Resources are kept by their names in lower case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SageMaker {
    pub notebooks: BTreeMap<String, Notebook>,
    pub lifecycle_configs: BTreeMap<String, LifecycleConfig>,
    pub models: BTreeMap<String, Model>,
    pub endpoint_configs: BTreeMap<String, EndpointConfig>,
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Tags by ARN.
    pub tags: BTreeMap<String, BTreeMap<String, String>>,
    /// Quotas by their name, such as `ml.m5.large for endpoint usage` or
    /// `ml.t3.medium for notebook instance usage`; what is not here is not limited.
    pub instance_limits: BTreeMap<String, u64>,
    /// Images whose containers do not pass the ping health check.
    pub failing_images: BTreeSet<String>,
    /// Lifecycle configurations (names) whose scripts take longer than five minutes.
    pub failing_lifecycle_configs: BTreeSet<String>,
}

/// What a request to SageMaker may touch: the service itself, and those that it asks or changes.
pub(crate) struct Reach<'a> {
    pub sagemaker: &'a mut SageMaker,
    pub ec2: &'a mut Ec2,
    pub iam: &'a Iam,
    pub s3: &'a S3,
    pub random: &'a mut Random,
}

pub(crate) fn handle(call: &Call, mut reach: Reach<'_>) -> Reply {
    let reach = &mut reach;
    reach.sagemaker.settle(call);
    match call.operation.as_str() {
        "CreateNotebookInstance" => notebooks::create(call, reach),
        "DescribeNotebookInstance" => notebooks::describe(call, reach.sagemaker),
        "UpdateNotebookInstance" => notebooks::update(call, reach),
        "StartNotebookInstance" => notebooks::start(call, reach),
        "StopNotebookInstance" => notebooks::stop(call, reach),
        "DeleteNotebookInstance" => notebooks::delete(call, reach),
        "ListNotebookInstances" => notebooks::list(call, reach.sagemaker),
        "CreatePresignedNotebookInstanceUrl" => notebooks::presigned_url(call, reach),
        "CreateNotebookInstanceLifecycleConfig" => lifecycle::create(call, reach.sagemaker),
        "DescribeNotebookInstanceLifecycleConfig" => lifecycle::describe(call, reach.sagemaker),
        "UpdateNotebookInstanceLifecycleConfig" => lifecycle::update(call, reach.sagemaker),
        "DeleteNotebookInstanceLifecycleConfig" => lifecycle::delete(call, reach.sagemaker),
        "ListNotebookInstanceLifecycleConfigs" => lifecycle::list(call, reach.sagemaker),
        "CreateModel" => models::create(call, reach),
        "DescribeModel" => models::describe(call, reach.sagemaker),
        "DeleteModel" => models::delete(call, reach.sagemaker),
        "ListModels" => models::list(call, reach.sagemaker),
        "CreateEndpointConfig" => configs::create(call, reach),
        "DescribeEndpointConfig" => configs::describe(call, reach.sagemaker),
        "DeleteEndpointConfig" => configs::delete(call, reach.sagemaker),
        "ListEndpointConfigs" => configs::list(call, reach.sagemaker),
        "CreateEndpoint" => endpoints::create(call, reach),
        "DescribeEndpoint" => endpoints::describe(call, reach.sagemaker),
        "UpdateEndpoint" => endpoints::update(call, reach),
        "UpdateEndpointWeightsAndCapacities" => endpoints::update_weights(call, reach),
        "DeleteEndpoint" => endpoints::delete(call, reach),
        "ListEndpoints" => endpoints::list(call, reach.sagemaker),
        "AddTags" => tags::add(call, reach.sagemaker),
        "ListTags" => tags::list(call, reach.sagemaker),
        "DeleteTags" => tags::delete(call, reach.sagemaker),
        // The sandbox runs no jobs yet; an account without jobs is what these answer for.
        "ListTrainingJobs" => listing::page(call, "TrainingJobSummaries", &listing::BY_TIME, Vec::new()),
        "ListAutoMLJobs" => listing::page(call, "AutoMLJobSummaries", &listing::BY_TIME, Vec::new()),
        _ => Err(call.unknown()),
    }
}

impl SageMaker {
    /// Brings every status to the time of the call.
    fn settle(&mut self, call: &Call) {
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

    /// Whether `delta` more instances fit under the quota of this name, given how many are in use.
    fn check_limit(&self, quota: &str, used: u64, delta: u64) -> Result<(), Fault> {
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

/// SageMaker's ARNs have the resource's name in lower case.
fn arn(call: &Call, kind: &str, name: &str) -> String {
    format!("arn:aws:sagemaker:{}:{ACCOUNT}:{kind}/{}", call.region, name.to_ascii_lowercase())
}

fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("ValidationException", text)
}

/// The answer to a request for something that does not exist: fact book, section 4.6.
fn not_found(call: &Call, kind: &str, name: &str) -> Fault {
    let arn = arn(call, kind, name);
    match kind {
        "notebook-instance" => invalid("RecordNotFound"),
        "notebook-instance-lifecycle-config" => invalid(format!(
            "Unable to describe Notebook Instance Lifecycle Config '{arn}'. (Details: Notebook Instance \
             Lifecycle Config does not exist.)"
        )),
        "endpoint-config" => invalid(format!("Could not find endpoint configuration \"{arn}\".")),
        _ => invalid(format!("Could not find {} \"{arn}\".", kind.replace('-', " "))),
    }
}

/// The answer to a creation under a name that is taken: fact book, section 4.6.
fn already_exists(call: &Call, kind: &str, name: &str) -> Fault {
    let what = match kind {
        "endpoint-config" => "endpoint configuration".to_string(),
        _ => kind.replace('-', " "),
    };
    invalid(format!("Cannot create already existing {what} \"{}\".", arn(call, kind, name)))
}

/// Refuses a role that SageMaker cannot assume (yet): fact book, trap 35.
fn check_role(call: &Call, iam: &Iam, role: &str) -> Result<(), Fault> {
    if iam.assumable(role, PRINCIPAL, call.now) {
        return Ok(());
    }
    Err(invalid(format!(
        "Could not assume role {role}. Please ensure that the role exists and allows principal \
         '{PRINCIPAL}' to assume the role."
    )))
}

/// Refuses subnets and security groups that do not exist.
fn check_network(ec2: &Ec2, subnets: &[String], groups: &[String]) -> Result<(), Fault> {
    if let Some(missing) = subnets.iter().find(|subnet| ec2.subnet_zone(subnet).is_none()) {
        return Err(invalid(format!("The subnet ID '{missing}' does not exist")));
    }
    if let Some(missing) = groups.iter().find(|group| !ec2.security_group_exists(group)) {
        return Err(invalid(format!("The security group '{missing}' does not exist")));
    }
    Ok(())
}

/// A time on the wire: seconds since the Unix epoch.
fn seconds(ms: u64) -> Value {
    json!(ms as f64 / 1000.0)
}

/// An answer without the members that have no value.
fn present(mut value: Value) -> Body {
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, member| !member.is_null());
    }
    Body::Json(value)
}
