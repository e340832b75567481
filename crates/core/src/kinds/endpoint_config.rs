//! SageMaker endpoint configuration. It cannot change: its name holds the hash of what it is.

use super::Kind;
use crate::base::Input;
use crate::resource::permission::{EVERYTHING, Permission, When};
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct EndpointConfig;

/// What the hash in the name stands for. AWS changes none of it, so an object of the name *is* as wanted and
/// a look need not ask for more than its tags.
const IN_THE_NAME: [&str; 6] = ["endpoint", "model", "instance", "count", "memory", "max_concurrency"];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Name of the endpoint it is for.
    pub endpoint: String,
    /// Name of the model.
    pub model: Input,
    /// `ml.m5.large`; none for serverless.
    pub instance: Option<String>,
    pub count: Option<i32>,
    /// MB, of a serverless variant.
    pub memory: Option<i32>,
    pub max_concurrency: Option<i32>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for EndpointConfig {
    const NAME: &'static str = "endpoint_config";
    const RULES: Rules = Rules {
        after: &["model"],
        accept: |want, live| {
            for property in IN_THE_NAME {
                want[property] = live[property].clone();
            }
        },
        // An endpoint that still uses it may take that long to go.
        limit_minutes: 60,
        permissions: &[
            Permission::look(&["sagemaker:ListEndpointConfigs"], EVERYTHING),
            // An endpoint may serve a configuration of others, and the bill wants to know what it runs on.
            Permission::look(&["sagemaker:DescribeEndpointConfig"], &["sagemaker:endpoint-config/*"]),
            Permission::create(&["sagemaker:CreateEndpointConfig"], &["sagemaker:endpoint-config/{stack}-*"])
                .when(&[When::RequestTag]),
            Permission::look(&["sagemaker:ListTags"], &["sagemaker:endpoint-config/{stack}-*"]),
            Permission::create(&["sagemaker:AddTags"], &["sagemaker:endpoint-config/{stack}-*"])
                .when(&[When::RequestTag, When::SageMakerMakes(&["CreateEndpointConfig"])]),
            Permission::change(&["sagemaker:AddTags"], &["sagemaker:endpoint-config/{stack}-*"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::change(&["sagemaker:DeleteTags"], &["sagemaker:endpoint-config/{stack}-*"])
                .when(&[When::OwnTag, When::KeepsTags]),
            Permission::delete(&["sagemaker:DeleteEndpointConfig"], &["sagemaker:endpoint-config/{stack}-*"])
                .when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
