//! Models and endpoints. Models and configurations cannot change: CloudFormation replaces them, which it can because it
//! has chosen their names.

use super::super::context::{Context, Written, pascal};
use super::super::model_data;
use super::super::node::Node;
use super::props;
use crate::base::Input;
use crate::kinds::model::Container;
use crate::kinds::{endpoint, endpoint_config, model};
use crate::resource::Resource;
use std::collections::BTreeMap;

pub fn model(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let model::Props { endpoint, image, artifact, environment, containers, role, tags } = props(resource);
    let data = artifact.map(|artifact| match artifact {
        Input::Known(text) => context.text(&text),
        // Where the job left it, only a person knows.
        Input::Output { .. } | Input::Joined { .. } => Node::reference(&model_data(&endpoint)),
    });
    let many = match containers {
        Some(Input::Known(many)) => Some(many),
        _ => None,
    };
    let container = |image: &str, data: Option<Node>, environment: &BTreeMap<String, String>| {
        let environment =
            environment.iter().map(|(name, value)| (name.clone(), context.text(value))).collect();
        Node::map([
            ("Image", Some(context.text(image))),
            ("ModelDataUrl", data),
            ("Environment", Some(Node::Map(environment)).filter(|map| !map.is_empty())),
        ])
    };
    let primary = image.map(|image| container(&image, data, &environment));
    let one = |one: &Container| {
        container(&one.image, one.artifact.as_deref().map(|text| context.text(text)), &one.environment)
    };
    let many = many.map(|many| Node::List(many.iter().map(one).collect()));
    let model = context.written(resource, "AWS::SageMaker::Model").with([
        ("PrimaryContainer", primary),
        ("Containers", many),
        ("ExecutionRoleArn", Some(context.input(&role))),
        ("Tags", context.tags(&tags)),
    ]);
    let model = model.skip("CKV_AWS_370", "the spec has no isolation: the container may call other services");
    vec![model]
}

pub fn endpoint_config(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let endpoint_config::Props { endpoint: _, model, instance, count, memory, max_concurrency, tags } =
        props(resource);
    let is_serverless = instance.is_none();
    let serverless = Node::map([
        ("MemorySizeInMB", memory.map(Node::number)),
        ("MaxConcurrency", max_concurrency.map(Node::number)),
    ]);
    let variant = Node::map([
        ("VariantName", Some(Node::text("AllTraffic"))),
        ("ModelName", Some(context.input(&model))),
        ("InitialVariantWeight", Some(Node::number(1))),
        ("InstanceType", instance.map(Node::text)),
        ("InitialInstanceCount", count.map(Node::number)),
        ("ServerlessConfig", is_serverless.then_some(serverless)),
    ]);
    let config = context
        .written(resource, "AWS::SageMaker::EndpointConfig")
        .with([("ProductionVariants", Some(Node::List(vec![variant]))), ("Tags", context.tags(&tags))])
        .skip(
            "CKV_AWS_98",
            "the instances' disks are encrypted with SageMaker's own key: the spec has no other",
        );
    vec![config]
}

pub fn endpoint(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let endpoint::Props { config, serverless: _, tags } = props(resource);
    let endpoint = context
        .written(resource, "AWS::SageMaker::Endpoint")
        .with([
            ("EndpointName", Some(Node::text(&resource.id.name))),
            ("EndpointConfigName", Some(context.input(&config))),
            ("Tags", context.tags(&tags)),
        ])
        .comment("SQL functions and the cluster's role refer to this name.");
    vec![endpoint]
}

/// The name of the condition that the endpoint has a trained model.
pub fn has_model(endpoint: &str) -> String {
    format!("Has{}Model", pascal(endpoint))
}
