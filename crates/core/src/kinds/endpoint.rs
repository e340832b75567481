//! SageMaker endpoint. Its name is the one that SQL functions use, and stays.

use super::Kind;
use crate::base::{Input, To};
use crate::resource::permission::{Permission, When};
use crate::resource::{Asked, PLAIN, Refusal, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct Endpoint;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Name of the endpoint configuration that it serves.
    pub config: Input,
    /// Whether inference is paid by request; follows from the configuration.
    pub serverless: Option<bool>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for Endpoint {
    const NAME: &'static str = "endpoint";
    const RULES: Rules = Rules {
        // AWS cleans up with the execution role after the endpoint has gone (fact book, section 4.3).
        after: &["endpoint_config", "model", "role"],
        refuses: |asked| {
            let Asked::Change { change, .. } = asked else { return None };
            let to_serverless = change.path == "serverless" && change.to == To::Value(true.into());
            to_serverless.then(|| {
                Refusal::because("AWS cannot turn an endpoint on instances into a serverless one, only back")
            })
        },
        poll_seconds: 10,
        // AWS's own maintenance comes on top of an update (fact book, section 4.4); botocore waits as long.
        limit_minutes: 60,
        effect_lag_seconds: 30,
        stable_looks: 2,
        permissions: &[
            // Those of an earlier spec too, whose names are found in configurations.
            Permission::look(
                &["sagemaker:DescribeEndpoint", "sagemaker:ListTags"],
                &["sagemaker:endpoint/*"],
            ),
            Permission::create(&["sagemaker:CreateEndpoint"], &["sagemaker:endpoint/{endpoint}"])
                .when(&[When::RequestTag]),
            Permission::create(&["sagemaker:CreateEndpoint"], &["sagemaker:endpoint-config/{stack}-*"])
                .when(&[When::OwnTag]),
            Permission::create(&["sagemaker:AddTags"], &["sagemaker:endpoint/{endpoint}"])
                .when(&[When::RequestTag, When::SageMakerMakes(&["CreateEndpoint"])]),
            Permission::change(&["sagemaker:AddTags"], &["sagemaker:endpoint/{endpoint}"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::change(&["sagemaker:DeleteTags"], &["sagemaker:endpoint/{endpoint}"])
                .when(&[When::OwnTag, When::KeepsTags]),
            Permission::change(
                &["sagemaker:UpdateEndpoint"],
                &["sagemaker:endpoint/{endpoint}", "sagemaker:endpoint-config/{stack}-*"],
            )
            .when(&[When::OwnTag]),
            Permission::delete(&["sagemaker:DeleteEndpoint"], &["sagemaker:endpoint/*"])
                .when(&[When::OwnTag]),
            // What a notebook made goes when a person names it, with its configuration and models.
            Permission::delete(&["sagemaker:DeleteEndpoint"], &["sagemaker:endpoint/{notebook_endpoint}"]),
            Permission::delete(
                &["sagemaker:DescribeEndpointConfig", "sagemaker:DeleteEndpointConfig"],
                &["sagemaker:endpoint-config/{notebook_endpoint}*"],
            ),
            Permission::delete(&["sagemaker:DeleteModel"], &["sagemaker:model/{notebook_model}"]),
        ],
        ..PLAIN
    };
    type Props = Props;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Change;
    use serde_json::Value;

    #[test]
    fn only_the_way_to_serverless_is_blocked() {
        let change = |from: bool, to: bool| Change {
            path: "serverless".into(),
            from: from.into(),
            to: To::Value(to.into()),
        };
        assert!(Endpoint::RULES.forbids(&change(false, true), &Value::Null).is_some());
        assert!(Endpoint::RULES.forbids(&change(true, false), &Value::Null).is_none());
    }
}
