//! Endpoint configurations: which models on which instances. They cannot be changed.

use super::answers::{already_exists, arn, invalid, not_found, present, seconds};
use super::input::{Input, constraint, missing};
use super::listing::{self, Row};
use super::reach::Reach;
use super::state::{EndpointConfig, SageMaker};
use crate::call::Call;
use crate::wire::{Body, Fault, Reply};
use serde_json::json;

const KIND: &str = "endpoint-config";
const NAME: &str = "EndpointConfigName";
/// What a configuration is made of, as it is given and given back.
const MEMBERS: &[&str] = &[
    "ProductionVariants",
    "ShadowProductionVariants",
    "DataCaptureConfig",
    "KmsKeyId",
    "AsyncInferenceConfig",
    "ExplainerConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
    "MetricsConfig",
];

fn find<'a>(call: &Call, sagemaker: &'a SageMaker) -> Result<&'a EndpointConfig, Fault> {
    let name = Input::of(call).name(NAME)?;
    let found = sagemaker.endpoint_configs.get(&name.to_ascii_lowercase());
    found.ok_or_else(|| not_found(call, KIND, name))
}

/// The limits of serverless inference: fact book, section 4.3.
fn check_serverless(serverless: Input<'_>) -> Result<(), Fault> {
    let memory = serverless.integer("MemorySizeInMB", 1024..=6144)?;
    let memory = memory.ok_or_else(|| missing("MemorySizeInMB"))?;
    if memory % 1024 != 0 {
        return Err(constraint("MemorySizeInMB", memory, "be a multiple of 1024"));
    }
    serverless.integer("MaxConcurrency", 1..=200)?.ok_or_else(|| missing("MaxConcurrency"))?;
    Ok(())
}

fn check_variant(call: &Call, sagemaker: &SageMaker, variant: Input<'_>) -> Result<(), Fault> {
    variant.name("VariantName")?;
    variant.number("InitialVariantWeight")?;
    let model = variant.name("ModelName")?;
    let Some(model) = sagemaker.models.get(&model.to_ascii_lowercase()) else {
        return Err(not_found(call, "model", model));
    };
    let instance_type = variant.instance_type("InstanceType")?;
    let count = variant.integer("InitialInstanceCount", 1..=10_000)?;
    match (variant.structure("ServerlessConfig")?, instance_type, count) {
        (Some(serverless), None, None) => {
            check_serverless(serverless)?;
            if model.network().is_some() {
                return Err(invalid("Serverless Inference does not support models with a VpcConfig"));
            }
            Ok(())
        }
        (Some(_), ..) => {
            Err(invalid("A variant with ServerlessConfig cannot have InstanceType or InitialInstanceCount"))
        }
        (None, Some(_), Some(_)) => Ok(()),
        (None, None, _) => Err(missing("InstanceType")),
        (None, _, None) => Err(missing("InitialInstanceCount")),
    }
}

pub(super) fn create(call: &Call, reach: &mut Reach<'_>) -> Reply {
    let input = Input::of(call);
    let name = input.name(NAME)?;
    let tags = input.tags()?;
    let variants = input.structures("ProductionVariants")?;
    if variants.is_empty() || variants.len() > 10 {
        let text = "have length between 1 and 10";
        return Err(constraint("ProductionVariants", format!("{} variants", variants.len()), text));
    }
    let key = name.to_ascii_lowercase();
    if reach.sagemaker.endpoint_configs.contains_key(&key) {
        return Err(already_exists(call, KIND, name));
    }
    for (at, variant) in variants.iter().enumerate() {
        check_variant(call, reach.sagemaker, *variant)?;
        let name = &variant.0["VariantName"];
        if variants[..at].iter().any(|other| other.0["VariantName"] == *name) {
            return Err(invalid(format!("Duplicate variant name {name}")));
        }
    }
    if variants.iter().any(|variant| variant.value("ServerlessConfig").is_some()) {
        if variants.len() > 1 {
            return Err(invalid("Serverless Inference supports only one production variant"));
        }
        if input.value("DataCaptureConfig").is_some() {
            return Err(invalid("Serverless Inference does not support data capture"));
        }
    }
    let mut definition = call.json.keep(MEMBERS);
    for variant in definition["ProductionVariants"].as_array_mut().into_iter().flatten() {
        if Input::within(variant).value("InitialVariantWeight").is_none() {
            variant["InitialVariantWeight"] = json!(1.0);
        }
    }
    let visible_at = call.now + reach.random.duration(1.0, 2.0, 3.0);
    let config = EndpointConfig { name: name.to_string(), definition, created: call.now, visible_at };
    let arn = arn(call, KIND, name);
    reach.sagemaker.endpoint_configs.insert(key, config);
    reach.sagemaker.tags.insert(arn.clone(), tags);
    Ok(Body::Json(json!({ "EndpointConfigArn": arn })))
}

pub(super) fn describe(call: &Call, sagemaker: &SageMaker) -> Reply {
    let config = find(call, sagemaker)?;
    let mut answer = config.definition.clone();
    answer[NAME] = json!(config.name);
    answer["EndpointConfigArn"] = json!(arn(call, KIND, &config.name));
    answer["CreationTime"] = seconds(config.created);
    Ok(present(answer))
}

/// Accepted while an endpoint uses the configuration, whatever the documentation says one must not do: SageMaker's
/// Python SDK and Terraform delete it first (fact book, appendix F, item 2).
pub(super) fn delete(call: &Call, sagemaker: &mut SageMaker) -> Reply {
    let name = find(call, sagemaker)?.name.clone();
    let arn = arn(call, KIND, &name);
    sagemaker.endpoint_configs.remove(&name.to_ascii_lowercase());
    sagemaker.tags.remove(&arn);
    Ok(Body::Json(json!({})))
}

pub(super) fn list(call: &Call, sagemaker: &SageMaker) -> Reply {
    let rows = sagemaker
        .endpoint_configs
        .values()
        .map(|config| Row {
            name: &config.name,
            created: config.created,
            modified: config.created,
            status: "",
            summary: json!({
                NAME: config.name,
                "EndpointConfigArn": arn(call, KIND, &config.name),
                "CreationTime": seconds(config.created),
            }),
        })
        .collect();
    listing::page(call, "EndpointConfigs", &listing::BY_TIME, rows)
}
