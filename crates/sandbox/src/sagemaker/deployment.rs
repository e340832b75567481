//! What a deployment needs before it starts: artifacts, quotas, network interfaces.

use super::answers::{arn, invalid, not_found};
use super::container;
use super::endpoint::{Endpoint, Variant};
use super::reach::{PRINCIPAL, Reach, check_network};
use super::state::SageMaker;
use crate::call::Call;
use crate::ec2::Ec2;
use crate::iam::Iam;
use crate::random::Random;
use crate::s3::S3;
use crate::wire::Fault;
use serde_json::Value;
use std::collections::BTreeMap;

/// The variants of a configuration, with the images that their models have now.
///
/// # Errors
/// If the configuration or one of its models does not exist, or the configuration is not yet visible.
pub(super) fn variants(
    call: &Call,
    sagemaker: &SageMaker,
    s3: &S3,
    config: &str,
) -> Result<Vec<Variant>, Fault> {
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
        variant.containers = model.containers().map(|container| container.0.clone()).collect();
        if variant.serverless.is_none() {
            variant.started = container::start(s3, &variant.containers);
        }
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
            && !iam.assumable(role, PRINCIPAL, call.now)
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

/// The artifact of a container that is not where it should be. Buckets of others that the sandbox does not know are
/// taken to be right.
pub(super) fn missing_artifact<'a>(s3: &S3, container: &'a Value) -> Option<&'a str> {
    let source = &container["ModelDataSource"]["S3DataSource"];
    let (url, is_prefix) = match container["ModelDataUrl"].as_str() {
        Some(url) => (url, false),
        None => (source["S3Uri"].as_str()?, source["S3DataType"] == "S3Prefix"),
    };
    let (bucket, key) = url.strip_prefix("s3://")?.split_once('/')?;
    let found = if is_prefix { s3.has_prefix(bucket, key) } else { s3.has_object(bucket, key) };
    let known_elsewhere = s3.foreign.get(bucket);
    let missing_elsewhere = known_elsewhere.is_some_and(|foreign| {
        !foreign.readable
            || !foreign.keys.iter().any(|known| known == key || is_prefix && known.starts_with(key))
    });
    (s3.owns(bucket) && !found || missing_elsewhere).then_some(url)
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
        check_network(reach.ec2, subnets, groups)?;
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
