//! Operations on endpoints.

use super::answers::{already_exists, arn, invalid, not_found, present, seconds};
use super::deployment::{self, check_limits, release};
use super::endpoint::{Deployment, Endpoint, Health, Variant};
use super::input::{Input, missing};
use super::listing::{self, Row};
use super::reach::Reach;
use super::state::SageMaker;
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Body, Fault, Reply};
use serde_json::{Value, json};

const KIND: &str = "endpoint";
const NAME: &str = "EndpointName";
/// Serverless endpoints in one region: fact book, section 4.3.
const SERVERLESS_MAX: usize = 50;

fn find<'a>(call: &Call, sagemaker: &'a mut SageMaker) -> Result<&'a mut Endpoint, Fault> {
    let name = Input::of(call).name(NAME)?;
    let found = sagemaker.endpoints.get_mut(&name.to_ascii_lowercase());
    found.ok_or_else(|| not_found(call, KIND, name))
}

/// Refuses a change or a deletion while something is going on: fact book, section 4.4.
fn check_idle(call: &Call, endpoint: &Endpoint) -> Result<(), Fault> {
    let arn = arn(call, KIND, &endpoint.name);
    match endpoint.status(call.now) {
        "InService" | "Failed" => Ok(()),
        "SystemUpdating" => {
            let text = "is undergoing maintenance and cannot be updated or deleted until it has completed.";
            Err(invalid(format!("Endpoint \"{arn}\" {text}")))
        }
        _ => Err(invalid(format!("Cannot update in-progress endpoint \"{arn}\"."))),
    }
}

/// "DeleteEndpoint is the only operation that can be performed on a failed endpoint": fact book, trap 50.
fn check_not_failed(call: &Call, endpoint: &Endpoint) -> Result<(), Fault> {
    if endpoint.health == Health::Failed {
        return Err(invalid(format!(
            "Cannot update endpoint \"{}\" in status Failed. DeleteEndpoint is the only operation that can \
             be performed on a failed endpoint.",
            arn(call, KIND, &endpoint.name)
        )));
    }
    Ok(())
}

/// AWS's own maintenance, rarely, some time after a deployment: appendix E item 11.
fn maintenance(random: &mut Random, after: u64) -> Option<(u64, u64)> {
    let start = after + random.duration(600.0, 7200.0, 86_400.0);
    let end = start + random.duration(120.0, 600.0, 1800.0);
    random.chance(0.02).then_some((start, end))
}

fn answer(call: &Call, name: &str) -> Reply {
    Ok(Body::Json(json!({ "EndpointArn": arn(call, KIND, name) })))
}

pub(super) fn create(call: &Call, reach: &mut Reach<'_>) -> Reply {
    let input = Input::of(call);
    let name = input.name(NAME)?;
    let config = input.name("EndpointConfigName")?;
    let tags = input.tags()?;
    let key = name.to_ascii_lowercase();
    if reach.sagemaker.endpoints.contains_key(&key) {
        return Err(already_exists(call, KIND, name));
    }
    let variants = deployment::variants(call, reach.sagemaker, reach.s3, config)?;
    let is_serverless = variants.iter().any(|variant| variant.serverless.is_some());
    let serverless = reach.sagemaker.endpoints.values().filter(|other| other.is_serverless()).count();
    if is_serverless && serverless >= SERVERLESS_MAX {
        return Err(Fault::bad(
            "ResourceLimitExceeded",
            format!(
                "The account-level service limit 'Maximum number of serverless endpoints' is {SERVERLESS_MAX}"
            ),
        ));
    }
    check_limits(reach.sagemaker, &variants)?;
    let failure = deployment::failure(call, reach.sagemaker, reach.iam, reach.s3, &variants);
    let interfaces = deployment::interfaces(call, reach, name, &variants)?;
    let until = call.now
        + if is_serverless {
            reach.random.duration(60.0, 150.0, 240.0)
        } else {
            reach.random.duration(180.0, 300.0, 600.0)
        };
    let endpoint = Endpoint {
        name: name.to_string(),
        config: config.to_string(),
        variants: variants.clone(),
        health: Health::InService,
        failure: None,
        deployment: Some(Deployment {
            is_update: false,
            config: config.to_string(),
            variants,
            interfaces: interfaces.clone(),
            started: call.now,
            rolls_back_at: None,
            until,
            failure,
        }),
        maintenance: maintenance(reach.random, until),
        deleting_until: None,
        interfaces,
        deployment_config: input.value("DeploymentConfig").cloned(),
        created: call.now,
        modified: call.now,
    };
    reach.sagemaker.endpoints.insert(key, endpoint);
    reach.sagemaker.tags.insert(arn(call, KIND, name), tags);
    answer(call, name)
}

pub(super) fn describe(call: &Call, sagemaker: &mut SageMaker) -> Reply {
    let endpoint = find(call, sagemaker)?;
    let deployment = endpoint.deployment.as_ref();
    let update = deployment.filter(|deployment| deployment.is_update);
    let desired = |variant: &Variant| {
        // Only a change of weights and capacities keeps the configuration and moves the variants.
        let moved = update.filter(|update| update.config == endpoint.config);
        let moved = moved.and_then(|update| update.variants.iter().find(|new| new.name == variant.name));
        moved.unwrap_or(variant).clone()
    };
    let is_live = deployment.is_none_or(|deployment| deployment.is_update);
    let variants: Vec<Value> =
        endpoint.variants.iter().map(|variant| variant.summary(&desired(variant), is_live)).collect();
    let pending = update.filter(|update| update.config != endpoint.config).map(|update| {
        let variants: Vec<Value> =
            update.variants.iter().map(|variant| variant.summary(variant, false)).collect();
        json!({
            "EndpointConfigName": update.config,
            "ProductionVariants": variants,
            "StartTime": seconds(update.started),
        })
    });
    Ok(present(json!({
        NAME: endpoint.name,
        "EndpointArn": arn(call, KIND, &endpoint.name),
        "EndpointConfigName": endpoint.config,
        "ProductionVariants": variants,
        "EndpointStatus": endpoint.status(call.now),
        "FailureReason": endpoint.failure,
        "CreationTime": seconds(endpoint.created),
        "LastModifiedTime": seconds(endpoint.modified),
        "LastDeploymentConfig": endpoint.deployment_config,
        "PendingDeploymentSummary": pending,
    })))
}

/// The new fleet, with what the request says to keep of the old one: fact book, section 4.4,
/// `RetainAllVariantProperties`.
fn retain(input: Input<'_>, old: &[Variant], new: &mut [Variant]) -> Result<(), Fault> {
    if !input.flag("RetainAllVariantProperties")? {
        return Ok(());
    }
    let excluded: Vec<&str> = input
        .structures("ExcludeRetainedVariantProperties")?
        .into_iter()
        .map(|property| property.required("VariantPropertyType"))
        .collect::<Result<_, _>>()?;
    for variant in new {
        let Some(kept) = old.iter().find(|old| old.name == variant.name) else { continue };
        if !excluded.contains(&"DesiredWeight") {
            variant.weight = kept.weight;
        }
        if !excluded.contains(&"DesiredInstanceCount")
            && kept.serverless.is_none()
            && variant.serverless.is_none()
        {
            variant.count = kept.count;
        }
    }
    Ok(())
}

pub(super) fn update(call: &Call, reach: &mut Reach<'_>) -> Reply {
    let input = Input::of(call);
    let config = input.name("EndpointConfigName")?;
    let old = find(call, reach.sagemaker)?.clone();
    check_idle(call, &old)?;
    check_not_failed(call, &old)?;
    let mut variants = deployment::variants(call, reach.sagemaker, reach.s3, config)?;
    retain(input, &old.variants, &mut variants)?;
    if !old.is_serverless() && variants.iter().any(|variant| variant.serverless.is_some()) {
        return Err(invalid(format!(
            "Cannot update endpoint \"{}\" from a real-time to a serverless configuration.",
            arn(call, KIND, &old.name)
        )));
    }
    check_limits(reach.sagemaker, &variants)?;
    let failure = deployment::failure(call, reach.sagemaker, reach.iam, reach.s3, &variants);
    let interfaces = deployment::interfaces(call, reach, &old.name, &variants)?;
    let ready = call.now + reach.random.duration(240.0, 420.0, 720.0);
    // A rollback is the new fleet being taken down, the old one having served all the while.
    let rollback = reach.random.duration(30.0, 60.0, 180.0);
    let (rolls_back_at, until) =
        if failure.is_some() { (Some(ready), ready + rollback) } else { (None, ready) };
    let leaving = if failure.is_some() { &interfaces } else { &old.interfaces };
    release(reach.ec2, reach.random, leaving, until);
    let maintenance = maintenance(reach.random, until);
    let endpoint = find(call, reach.sagemaker)?;
    endpoint.deployment = Some(Deployment {
        is_update: true,
        config: config.to_string(),
        variants,
        interfaces,
        started: call.now,
        rolls_back_at,
        until,
        failure,
    });
    endpoint.maintenance = maintenance;
    endpoint.failure = None;
    endpoint.modified = call.now;
    match input.value("DeploymentConfig") {
        Some(deployment_config) => endpoint.deployment_config = Some(deployment_config.clone()),
        None if !input.flag("RetainDeploymentConfig")? => endpoint.deployment_config = None,
        None => {}
    }
    answer(call, &old.name)
}

pub(super) fn update_weights(call: &Call, reach: &mut Reach<'_>) -> Reply {
    let input = Input::of(call);
    let old = find(call, reach.sagemaker)?.clone();
    check_idle(call, &old)?;
    check_not_failed(call, &old)?;
    let mut variants = old.variants.clone();
    let mut more = Vec::new();
    let wishes = input.structures("DesiredWeightsAndCapacities")?;
    if wishes.is_empty() {
        return Err(missing("DesiredWeightsAndCapacities"));
    }
    for wish in wishes {
        let name = wish.name("VariantName")?;
        let Some(variant) = variants.iter_mut().find(|variant| variant.name == name) else {
            return Err(invalid(format!(
                "The variant name(s) \"{name}\" is/are not present within endpoint configuration \"{}\".",
                arn(call, "endpoint-config", &old.config)
            )));
        };
        if let Some(weight) = wish.number("DesiredWeight")? {
            variant.weight = weight;
        }
        if let Some(count) = wish.integer("DesiredInstanceCount", 0..=10_000)? {
            if variant.serverless.is_some() {
                return Err(invalid("DesiredInstanceCount cannot be set for a serverless variant"));
            }
            let added = count.saturating_sub(variant.count);
            variant.count = count;
            more.push(Variant { count: added, ..variant.clone() });
        }
        if let Some(serverless) = wish.value("ServerlessUpdateConfig")
            && let Some(old) = variant.serverless.as_mut().and_then(Value::as_object_mut)
        {
            let new = serverless.as_object().into_iter().flatten();
            old.extend(new.map(|(member, value)| (member.clone(), value.clone())));
        }
    }
    check_limits(reach.sagemaker, &more)?;
    // No row in the fact book, section 8.2: believed to be quicker than a new fleet.
    let until = call.now + reach.random.duration(60.0, 120.0, 300.0);
    let endpoint = find(call, reach.sagemaker)?;
    endpoint.deployment = Some(Deployment {
        is_update: true,
        config: old.config.clone(),
        variants,
        interfaces: old.interfaces.clone(),
        started: call.now,
        rolls_back_at: None,
        until,
        failure: None,
    });
    endpoint.modified = call.now;
    answer(call, &old.name)
}

pub(super) fn delete(call: &Call, reach: &mut Reach<'_>) -> Reply {
    let endpoint = find(call, reach.sagemaker)?;
    check_idle(call, endpoint)?;
    let until = call.now + reach.random.duration(5.0, 20.0, 90.0);
    endpoint.deleting_until = Some(until);
    endpoint.modified = call.now;
    let interfaces = std::mem::take(&mut endpoint.interfaces);
    release(reach.ec2, reach.random, &interfaces, until);
    Ok(Body::Json(json!({})))
}

pub(super) fn list(call: &Call, sagemaker: &SageMaker) -> Reply {
    let rows = sagemaker
        .endpoints
        .values()
        .map(|endpoint| {
            let status = endpoint.status(call.now);
            Row {
                name: &endpoint.name,
                created: endpoint.created,
                modified: endpoint.modified,
                status,
                summary: json!({
                    NAME: endpoint.name,
                    "EndpointArn": arn(call, KIND, &endpoint.name),
                    "EndpointStatus": status,
                    "CreationTime": seconds(endpoint.created),
                    "LastModifiedTime": seconds(endpoint.modified),
                }),
            }
        })
        .collect();
    listing::page(call, "Endpoints", &listing::BY_TIME, rows)
}
