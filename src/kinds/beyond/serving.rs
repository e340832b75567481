//! What serves predictions, and the notebook: their content, which a plan takes from the hash in a name.

use super::{Add, Part, ours};
use crate::aws::{Aws, During, Failure, Look};
use crate::kinds::endpoint_config::VARIANT;
use auroraml_core::base::{Id, Live, Observed};
use auroraml_core::drift::Beyond;
use aws_sdk_sagemaker::operation::describe_endpoint_config::DescribeEndpointConfigOutput;
use aws_sdk_sagemaker::types::{ContainerDefinition, EndpointStatus};
use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) async fn gather(look: Look<'_>, observed: &Observed) -> Vec<Part> {
    let aws = look.aws;
    let models = join_all(
        ours(observed, "model", "name")
            .map(async |(live, name)| Part::new(format!("the model {name}"), model(aws, live, name).await)),
    );
    let configs = join_all(ours(observed, "endpoint_config", "name").map(async |(live, name)| {
        let request = aws.sagemaker.describe_endpoint_config().endpoint_config_name(name);
        (live, name, request.send().await.during("DescribeEndpointConfig"))
    }));
    let notebook = join_all(
        ours(observed, "notebook", "name")
            .map(async |(live, name)| Part::new("the notebook", notebook(aws, &live.id, name).await)),
    );
    let (mut parts, configs, notebook) = tokio::join!(models, configs, notebook);
    parts.extend(notebook);
    // Instances of each configuration, for the endpoints that serve them.
    let mut counts = BTreeMap::new();
    for (live, name, answer) in configs {
        let answer = answer.map(|found| {
            counts.insert(name.to_string(), count(&found));
            config(live, &found)
        });
        parts.push(Part::new(format!("the endpoint configuration {name}"), answer));
    }
    let endpoints = ours(observed, "endpoint", "name").filter_map(|(live, name)| {
        // One that others made serves a configuration of theirs.
        Some((live, name, *counts.get(live.props["config"].as_str()?)?))
    });
    let endpoints = endpoints.map(async |(live, name, count)| {
        Part::new(format!("the endpoint {name}"), endpoint(aws, &live.id, name, count).await)
    });
    parts.extend(join_all(endpoints).await);
    parts
}

async fn model(aws: &Aws, live: &Live, name: &str) -> Result<Beyond, Failure> {
    let found = aws.sagemaker.describe_model().model_name(name).send().await.during("DescribeModel")?;
    let container = |one: &ContainerDefinition| {
        let environment: BTreeMap<&String, &String> = one.environment().into_iter().flatten().collect();
        json!({ "image": one.image(), "artifact": one.model_data_url(), "environment": environment })
    };
    let mut props = match found.primary_container() {
        Some(one) => container(one),
        None => json!({ "containers": found.containers().iter().map(container).collect::<Vec<_>>() }),
    };
    props["endpoint"] = live.props["endpoint"].clone();
    props["role"] = json!(found.execution_role_arn());
    let mut beyond = Beyond::default();
    beyond.set(&live.id, "network_isolation", found.enable_network_isolation().unwrap_or_default());
    let subnets = found.vpc_config().map(|vpc| vpc.subnets().to_vec()).unwrap_or_default();
    beyond.set(&live.id, "vpc", subnets);
    beyond.whole.insert(live.id.clone(), props);
    Ok(beyond)
}

/// Instances that the configuration asks for; none of a serverless one.
fn count(found: &DescribeEndpointConfigOutput) -> Option<i32> {
    found
        .production_variants()
        .iter()
        .find(|one| one.variant_name() == Some(VARIANT))?
        .initial_instance_count()
}

fn config(live: &Live, found: &DescribeEndpointConfigOutput) -> Beyond {
    let mut beyond = Beyond::default();
    let variants = found.production_variants();
    let ours = variants.iter().find(|one| one.variant_name() == Some(VARIANT));
    let serverless = ours.and_then(|one| one.serverless_config());
    let props = json!({
        "endpoint": live.props["endpoint"],
        "model": ours.and_then(|one| one.model_name()),
        "instance": ours.and_then(|one| one.instance_type()).map(|kind| kind.as_str()),
        "count": ours.and_then(|one| one.initial_instance_count()),
        "memory": serverless.and_then(|set| set.memory_size_in_mb()),
        "max_concurrency": serverless.and_then(|set| set.max_concurrency()),
    });
    beyond.whole.insert(live.id.clone(), props);
    let others = variants.iter().chain(found.shadow_production_variants());
    let others = others.filter_map(|one| one.variant_name()).filter(|name| *name != VARIANT);
    beyond.set(&live.id, "other_variants", others.collect::<Vec<_>>());
    let capture = found.data_capture_config().and_then(|set| set.enable_capture()).unwrap_or_default();
    beyond.set(&live.id, "data_capture", capture);
    beyond
}

async fn endpoint(aws: &Aws, id: &Id, name: &str, count: Option<i32>) -> Result<Beyond, Failure> {
    let found =
        aws.sagemaker.describe_endpoint().endpoint_name(name).send().await.during("DescribeEndpoint")?;
    let mut beyond = Beyond::default();
    // While it changes, its variants are those of before or after.
    if found.endpoint_status() != Some(&EndpointStatus::InService) {
        return Ok(beyond);
    }
    let mut weights = Map::new();
    for variant in found.production_variants() {
        let Some(name) = variant.variant_name() else { continue };
        if let Some(weight) = variant.desired_weight().or(variant.current_weight()) {
            weights.insert(name.into(), Value::from(f64::from(weight)));
        }
        if let (VARIANT, Some(count), Some(desired)) = (name, count, variant.desired_instance_count()) {
            beyond.set(id, "instances_beyond_configuration", desired - count);
        }
    }
    // A serverless variant may have none.
    if !weights.is_empty() {
        beyond.set(id, "weights", weights);
    }
    Ok(beyond)
}

async fn notebook(aws: &Aws, id: &Id, name: &str) -> Result<Beyond, Failure> {
    let request = aws.sagemaker.describe_notebook_instance().notebook_instance_name(name);
    let found = request.send().await.during("DescribeNotebookInstance")?;
    let mut beyond = Beyond::default();
    if let Some(root) = found.root_access() {
        beyond.set(id, "root_access", root.as_str());
    }
    let repositories = found.default_code_repository().into_iter().map(String::from);
    let repositories = repositories.chain(found.additional_code_repositories().iter().cloned());
    beyond.set(id, "repositories", repositories.collect::<Vec<_>>());
    Ok(beyond)
}
