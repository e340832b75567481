//! SageMaker endpoints.

use super::fields::fields;
use super::form::choices;
use super::training::{Autopilot, Training};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

fields! {
    pub struct Endpoint in "endpoints" (
        hint: "write `model:` and `instance:` under it, or `{ managed_by: notebook }`"
    ) {
        /// Who creates the endpoint and changes what it serves.
        managed_by: EndpointManager {
            changed: "to `notebook`: the stack's endpoint is deleted; to `stack`: blocked while there is one",
            meaning: "`notebook`: you create it, for example in a notebook, and the cluster may call it; no other keys are allowed then",
        }
        /// Needed with `managed_by: stack`.
        model: Option<Model> {
            default_is: "required with `stack`",
            changed: "new model and configuration; the endpoint switches without downtime",
            meaning: "",
        }
        /// `ml.m5.large`, …; or `serverless` below instead.
        instance: Option<String> {
            default_is: "this or `serverless`",
            changed: "as above",
            meaning: "instance type: `ml.m5.large`, …",
        }
        /// Number of instances.
        count: u32 {
            default: 1,
            type: "number from 1",
            changed: "as above",
            meaning: "instances",
        }
        /// No instances: you pay per request.
        serverless: Option<ServerlessEndpoint> {
            default_is: "this or `instance`",
            changed: "to `instance`: as above; from `instance`: blocked",
            meaning: "no instances: you pay per request",
        }
    }
}

choices!(EndpointManager);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndpointManager {
    /// The stack.
    #[default]
    Stack,
    /// A notebook or pipeline: auroraml only lets the cluster call it.
    Notebook,
}

fields! {
    pub struct Model in "endpoints.model" (
        hint: "write `model: { image: \"xgboost:1.7-1\", artifact: \"s3://BUCKET/KEY\" }`, or `training:` or `autopilot:` under it"
    ) {
        /// `xgboost:VERSION` for the built-in algorithm, or a full image URI.
        image: Option<String> {
            default_is: "this, `containers`, `training` or `autopilot`",
            meaning: "`xgboost:VERSION` (1.2-1, 1.2-2, 1.3-1, 1.5-1, 1.7-1, 3.0-5, 3.2-0) or a full image URI",
        }
        /// `s3://bucket/key` of the model archive.
        artifact: Option<String> {
            meaning: "`s3://bucket/key` of the trained model; `xgboost:…` does not work without one",
        }
        /// Environment variables of the model's container.
        environment: BTreeMap<String, String> {
            meaning: "environment variables of the container; plans show only a hash of each value. Also allowed with `training`",
        }
        /// A pipeline of containers: each gets the output of the one before it.
        containers: Vec<Container> {
            type: "list, at most 15",
            meaning: "a pipeline: each container gets the output of the one before it, and the last one answers the caller",
        }
        /// A training or tuning job creates the model.
        training: Option<Training> {
            meaning: "a training job creates the model; when its inputs change, another job creates another model",
        }
        /// SageMaker Autopilot creates the model.
        autopilot: Option<Autopilot> {
            meaning: "SageMaker Autopilot creates the model, likewise",
        }
    }
}

fields! {
    pub struct Container in "endpoints.model.containers" (
        hint: "write `- { image: \"IMAGE\", artifact: \"s3://BUCKET/KEY\" }`"
    ) {
        /// `xgboost:VERSION` for the built-in algorithm, or a full image URI.
        image: String {
            required: "write `image: \"xgboost:1.7-1\"` or an image URI",
            meaning: "as `image` above",
        }
        /// `s3://bucket/key` of the model archive.
        artifact: Option<String> {
            meaning: "as `artifact` above",
        }
        /// Environment variables of the container.
        environment: BTreeMap<String, String> {
            meaning: "as `environment` above",
        }
    }
}

fields! {
    pub struct ServerlessEndpoint in "endpoints.serverless" (
        hint: "write `serverless: {}` for 2048 MB, or `serverless: { memory: 4096, max_concurrency: 10 }`"
    ) {
        /// MB: 1024, 2048, 3072, 4096, 5120 or 6144.
        memory: u32 {
            default: 2048,
            type: "MB: 1024, 2048, 3072, 4096, 5120 or 6144",
            meaning: "",
        }
        /// 1 to 200.
        max_concurrency: u32 {
            default: 5,
            type: "1–200",
            meaning: "maximum number of concurrent requests",
        }
    }
}
