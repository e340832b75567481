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

use super::wire::{Body, Fault, Reply};
use super::{ACCOUNT, Call, Global, Region};
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

pub(super) fn handle(call: &Call, region: &mut Region, global: &mut Global) -> Reply {
    region.sagemaker.settle(call);
    match call.operation.as_str() {
        "CreateNotebookInstance" => notebooks::create(call, region, global),
        "DescribeNotebookInstance" => notebooks::describe(call, region),
        "UpdateNotebookInstance" => notebooks::update(call, region, global),
        "StartNotebookInstance" => notebooks::start(call, region, global),
        "StopNotebookInstance" => notebooks::stop(call, region, global),
        "DeleteNotebookInstance" => notebooks::delete(call, region, global),
        "ListNotebookInstances" => notebooks::list(call, region),
        "CreatePresignedNotebookInstanceUrl" => notebooks::presigned_url(call, region, global),
        "CreateNotebookInstanceLifecycleConfig" => lifecycle::create(call, region),
        "DescribeNotebookInstanceLifecycleConfig" => lifecycle::describe(call, region),
        "UpdateNotebookInstanceLifecycleConfig" => lifecycle::update(call, region),
        "DeleteNotebookInstanceLifecycleConfig" => lifecycle::delete(call, region),
        "ListNotebookInstanceLifecycleConfigs" => lifecycle::list(call, region),
        "CreateModel" => models::create(call, region, global),
        "DescribeModel" => models::describe(call, region),
        "DeleteModel" => models::delete(call, region),
        "ListModels" => models::list(call, region),
        "CreateEndpointConfig" => configs::create(call, region, global),
        "DescribeEndpointConfig" => configs::describe(call, region),
        "DeleteEndpointConfig" => configs::delete(call, region),
        "ListEndpointConfigs" => configs::list(call, region),
        "CreateEndpoint" => endpoints::create(call, region, global),
        "DescribeEndpoint" => endpoints::describe(call, region),
        "UpdateEndpoint" => endpoints::update(call, region, global),
        "UpdateEndpointWeightsAndCapacities" => endpoints::update_weights(call, region, global),
        "DeleteEndpoint" => endpoints::delete(call, region, global),
        "ListEndpoints" => endpoints::list(call, region),
        "AddTags" => tags::add(call, region),
        "ListTags" => tags::list(call, region),
        "DeleteTags" => tags::delete(call, region),
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
fn check_role(call: &Call, global: &Global, role: &str) -> Result<(), Fault> {
    if global.iam.assumable(role, PRINCIPAL, call.now) {
        return Ok(());
    }
    Err(invalid(format!(
        "Could not assume role {role}. Please ensure that the role exists and allows principal \
         '{PRINCIPAL}' to assume the role."
    )))
}

/// Refuses subnets and security groups that do not exist.
fn check_network(region: &Region, subnets: &[String], groups: &[String]) -> Result<(), Fault> {
    if let Some(missing) = subnets.iter().find(|subnet| region.ec2.subnet_zone(subnet).is_none()) {
        return Err(invalid(format!("The subnet ID '{missing}' does not exist")));
    }
    if let Some(missing) = groups.iter().find(|group| !region.ec2.security_group_exists(group)) {
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
