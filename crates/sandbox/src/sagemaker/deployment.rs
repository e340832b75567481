//! The state of an endpoint over time: fact book, section 4.4.

use super::{Reach, SageMaker, arn, invalid, not_found};
use crate::call::Call;
use crate::ec2::Ec2;
use crate::iam::Iam;
use crate::random::Random;
use crate::s3::S3;
use crate::wire::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    pub name: String,
    /// The name of the configuration in force: that of the last deployment that succeeded.
    pub config: String,
    pub variants: Vec<Variant>,
    pub health: Health,
    pub failure: Option<String>,
    /// What is going on, if anything.
    pub deployment: Option<Deployment>,
    /// When AWS works on the endpoint by itself (`SystemUpdating`): start and end.
    pub maintenance: Option<(u64, u64)>,
    /// When the deletion under way ends.
    pub deleting_until: Option<u64>,
    /// Network interfaces in the customer's subnets.
    pub interfaces: Vec<String>,
    /// The DeploymentConfig of the last update that had one.
    pub deployment_config: Option<Value>,
    pub created: u64,
    pub modified: u64,
}

/// How the last deployment left the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Health {
    InService,
    Failed,
}

/// A deployment under way. Its outcome is decided when it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// False for the first one.
    pub is_update: bool,
    pub config: String,
    pub variants: Vec<Variant>,
    pub interfaces: Vec<String>,
    pub started: u64,
    /// When an update that fails begins to roll back.
    pub rolls_back_at: Option<u64>,
    pub until: u64,
    pub failure: Option<String>,
}

/// One production variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    pub name: String,
    pub model: String,
    /// None for serverless variants.
    pub instance_type: Option<String>,
    pub count: u64,
    pub weight: f64,
    pub serverless: Option<Value>,
    /// The images of the model at the time of the deployment.
    pub images: Vec<String>,
}

impl Variant {
    /// From a configuration's variant; images are found out at deployment.
    pub(super) fn of(definition: &Value) -> Variant {
        let text = |name: &str| definition[name].as_str().map(str::to_string);
        Variant {
            name: text("VariantName").unwrap_or_default(),
            model: text("ModelName").unwrap_or_default(),
            instance_type: text("InstanceType"),
            count: definition["InitialInstanceCount"].as_u64().unwrap_or(0),
            weight: definition["InitialVariantWeight"].as_f64().unwrap_or(1.0),
            serverless: definition.get("ServerlessConfig").filter(|value| !value.is_null()).cloned(),
            images: Vec::new(),
        }
    }

    /// As DescribeEndpoint shows it; `desired` is what a deployment under way leads to.
    pub(super) fn summary(&self, desired: &Variant, is_live: bool) -> Value {
        let deployed: Vec<Value> = if is_live {
            let image = |image: &String| json!({ "SpecifiedImage": image, "ResolvedImage": image });
            self.images.iter().map(image).collect()
        } else {
            Vec::new()
        };
        let mut summary = json!({
            "VariantName": self.name,
            "DeployedImages": deployed,
            "CurrentWeight": self.weight,
            "DesiredWeight": desired.weight,
        });
        match (&self.serverless, &desired.serverless) {
            (Some(current), Some(desired)) => {
                summary["CurrentServerlessConfig"] = current.clone();
                summary["DesiredServerlessConfig"] = desired.clone();
            }
            _ => {
                summary["CurrentInstanceCount"] = json!(if is_live { self.count } else { 0 });
                summary["DesiredInstanceCount"] = json!(desired.count);
            }
        }
        summary
    }
}

impl Endpoint {
    /// Brings the endpoint to the time `now`; false when it is gone.
    pub(super) fn settle(&mut self, now: u64) -> bool {
        if let Some(done) = self.deployment.take_if(|deployment| now >= deployment.until) {
            self.modified = done.until;
            match (done.failure, done.is_update) {
                (None, _) => {
                    self.config = done.config;
                    self.variants = done.variants;
                    self.interfaces = done.interfaces;
                    self.health = Health::InService;
                    self.failure = None;
                }
                // Back to InService with the old configuration: fact book, trap 49.
                (Some(reason), true) => self.failure = Some(reason),
                (Some(reason), false) => {
                    self.failure = Some(reason);
                    self.health = Health::Failed;
                }
            }
        }
        self.deleting_until.is_none_or(|until| now < until)
    }

    pub(super) fn status(&self, now: u64) -> &'static str {
        if self.deleting_until.is_some() {
            return "Deleting";
        }
        match &self.deployment {
            Some(Deployment { is_update: false, .. }) => "Creating",
            Some(Deployment { rolls_back_at: Some(at), .. }) if now >= *at => "RollingBack",
            Some(_) => "Updating",
            None => match (self.health, self.maintenance) {
                (Health::Failed, _) => "Failed",
                (_, Some((start, end))) if (start..end).contains(&now) => "SystemUpdating",
                (Health::InService, _) => "InService",
            },
        }
    }

    /// Whether the endpoint runs, or is about to run, the configuration of this name.
    pub(super) fn uses(&self, config: &str) -> bool {
        self.config.eq_ignore_ascii_case(config)
            || self.deployment.as_ref().is_some_and(|d| d.config.eq_ignore_ascii_case(config))
    }

    pub(super) fn is_serverless(&self) -> bool {
        self.variants.iter().any(|variant| variant.serverless.is_some())
    }

    /// Everything that runs now, the new fleet of an update under way included.
    fn running(&self) -> impl Iterator<Item = &Variant> {
        // A first deployment is already among the endpoint's own variants, and a change of capacity under
        // the same configuration makes no second fleet.
        let new = self.deployment.iter().filter(|new| new.is_update && new.config != self.config);
        self.variants.iter().chain(new.flat_map(|deployment| &deployment.variants))
    }
}

/// The variants of a configuration, with the images that their models have now.
///
/// # Errors
/// If the configuration or one of its models does not exist, or the configuration is not yet visible.
pub(super) fn variants(call: &Call, sagemaker: &SageMaker, config: &str) -> Result<Vec<Variant>, Fault> {
    let found = sagemaker.endpoint_configs.get(&config.to_ascii_lowercase());
    // The store behind CreateEndpoint is eventually consistent: fact book, section 4.3 and trap 52.
    let Some(found) = found.filter(|config| call.now >= config.visible_at) else {
        return Err(not_found(call, "endpoint-config", config));
    };
    let mut variants = found.variants();
    for variant in &mut variants {
        let Some(model) = sagemaker.models.get(&variant.model.to_ascii_lowercase()) else {
            return Err(not_found(call, "model", &variant.model));
        };
        variant.images = model.images().map(str::to_string).collect();
    }
    Ok(variants)
}

/// Why a deployment of these variants will fail, if it will.
pub(super) fn failure(
    call: &Call,
    sagemaker: &SageMaker,
    iam: &Iam,
    s3: &S3,
    variants: &[Variant],
) -> Option<String> {
    for variant in variants {
        let model = sagemaker.models.get(&variant.model.to_ascii_lowercase())?;
        if let Some(role) = model.role()
            && !iam.assumable(role, super::PRINCIPAL, call.now)
        {
            return Some(format!("Could not assume role {role}. Please ensure that the role exists."));
        }
        for (at, container) in model.containers().enumerate() {
            if let Some(url) = missing_artifact(s3, container.0) {
                return Some(format!(
                    "Failed to download model data for container \"container_{}\" from URL: \"{url}\". \
                     Please ensure that there is an object located at the URL and that the role passed to \
                     CreateModel has permissions to download the model.",
                    at + 1
                ));
            }
        }
        if variant.images.iter().any(|image| sagemaker.failing_images.contains(image)) {
            return Some(format!(
                "The primary container for production variant {} did not pass the ping health check. \
                 Please check CloudWatch logs for this endpoint.",
                variant.name
            ));
        }
    }
    None
}

/// The artifact of a container that should be in a bucket of this account and is not. Buckets that the
/// sandbox does not know are taken to be right.
fn missing_artifact<'a>(s3: &S3, container: &'a Value) -> Option<&'a str> {
    let source = &container["ModelDataSource"]["S3DataSource"];
    let (url, is_prefix) = match container["ModelDataUrl"].as_str() {
        Some(url) => (url, false),
        None => (source["S3Uri"].as_str()?, source["S3DataType"] == "S3Prefix"),
    };
    let (bucket, key) = url.strip_prefix("s3://")?.split_once('/')?;
    let found = if is_prefix { s3.has_prefix(bucket, key) } else { s3.has_object(bucket, key) };
    (s3.owns(bucket) && !found).then_some(url)
}

/// Checks the instance quotas for a new fleet. Blue/green runs both fleets at once, so that all of the
/// new one comes on top.
pub(super) fn check_limits(sagemaker: &SageMaker, fleet: &[Variant]) -> Result<(), Fault> {
    let count = |variants: &mut dyn Iterator<Item = &Variant>| {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for variant in variants {
            if let Some(instance_type) = &variant.instance_type {
                *counts.entry(instance_type.clone()).or_default() += variant.count;
            }
        }
        counts
    };
    let used = count(&mut sagemaker.endpoints.values().flat_map(Endpoint::running));
    for (instance_type, delta) in count(&mut fleet.iter()) {
        let quota = format!("{instance_type} for endpoint usage");
        sagemaker.check_limit(&quota, used.get(&instance_type).copied().unwrap_or(0), delta)?;
    }
    Ok(())
}

/// Network interfaces for the variants whose models are attached to a VPC: one in each subnet.
///
/// # Errors
/// If there are not two subnets in different zones: fact book, section 4.3.
pub(super) fn interfaces(
    call: &Call,
    reach: &mut Reach<'_>,
    endpoint: &str,
    variants: &[Variant],
) -> Result<Vec<String>, Fault> {
    let networks: Vec<_> = variants
        .iter()
        .filter_map(|variant| reach.sagemaker.models.get(&variant.model.to_ascii_lowercase())?.network())
        .collect();
    for (subnets, groups) in &networks {
        super::check_network(reach.ec2, subnets, groups)?;
        let mut zones: Vec<_> = subnets.iter().filter_map(|subnet| reach.ec2.subnet_zone(subnet)).collect();
        zones.sort();
        zones.dedup();
        if zones.len() < 2 {
            return Err(invalid(format!(
                "The VpcConfig of a model behind endpoint \"{}\" must have subnets in at least two \
                 different Availability Zones.",
                arn(call, "endpoint", endpoint)
            )));
        }
    }
    let mut made = Vec::new();
    for (subnets, groups) in &networks {
        for subnet in subnets {
            let id = format!("eni-{}", reach.random.hex(17));
            let description = format!("[Do not delete] ENI managed by SageMaker for endpoint {endpoint}");
            reach.ec2.add_interface(&id, subnet, groups, &description, "amazon-sagemaker");
            made.push(id);
        }
    }
    Ok(made)
}

/// Lets interfaces go some time after `at`: fact book, section 8.2, "ENI release".
pub(super) fn release(ec2: &mut Ec2, random: &mut Random, interfaces: &[String], at: u64) {
    for interface in interfaces {
        let lag = random.duration(60.0, 600.0, 2400.0);
        ec2.release_interface(interface, at + lag);
    }
}
