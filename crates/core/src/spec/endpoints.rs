//! SageMaker endpoints.

use super::fields::fields;
use super::form::choices;
use super::later;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

fields! {
    pub struct Endpoint in "endpoints" (
        hint: "write `model:` and `instance:` under it, or `{ managed_by: notebook }`",
        unknown: later
    ) {
        /// Who creates the endpoint and changes what it serves.
        managed_by: EndpointManager {
            changed: "to `notebook`: the stack's endpoint is deleted; to `stack`: blocked while there is one",
            meaning: "`notebook`: something else creates it, the cluster may call it; then there are no other keys",
        }
        /// Needed with `managed_by: stack`.
        model: Option<Model> {
            default_is: "required with `stack`",
            changed: "new model and configuration, the endpoint switches without a gap",
            meaning: "",
        }
        /// `ml.m5.large`, …; or `serverless` below instead.
        instance: Option<String> {
            default_is: "this or `serverless`",
            changed: "as above",
            meaning: "`ml.m5.large`, …",
        }
        /// Number of instances.
        count: u32 {
            default: 1,
            type: "number from 1",
            changed: "as above",
            meaning: "instances",
        }
        /// Instead of instances: paid per request.
        serverless: Option<ServerlessEndpoint> {
            default_is: "this or `instance`",
            changed: "to `instance`: as above; from `instance`: blocked",
            meaning: "paid per request",
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
        hint: "write `model: { image: \"xgboost:1.7-1\", artifact: \"s3://BUCKET/KEY\" }`",
        unknown: later
    ) {
        /// `xgboost:VERSION` for the built-in algorithm, or a full image URI.
        image: String {
            required: "write `image: \"xgboost:1.7-1\"` or an image URI",
            meaning: "`xgboost:VERSION` (1.2-1, 1.2-2, 1.3-1, 1.5-1, 1.7-1, 3.0-5, 3.2-0) or a full image URI",
        }
        /// `s3://bucket/key` of the model archive.
        artifact: Option<String> {
            meaning: "`s3://bucket/key` of the trained model; `xgboost:…` answers nothing without one",
        }
        /// Environment variables of the model's container.
        environment: BTreeMap<String, String> {
            meaning: "variables of the container; plans show a hash of each value",
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
            meaning: "requests at once",
        }
    }
}
