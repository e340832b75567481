//! SageMaker model. It cannot change: its name holds the hash of what it is.

use super::Kind;
use crate::base::Input;
use crate::resource::permission::{EVERYTHING, Permission, When};
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct Model;

/// What the hash in the name stands for. AWS changes none of it, so an object of the name *is* as wanted and
/// a look need not ask for more than its tags.
const IN_THE_NAME: [&str; 6] = ["endpoint", "image", "artifact", "environment", "containers", "role"];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Name of the endpoint it is for.
    pub endpoint: String,
    /// Image URI, of a model of one container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// `s3://bucket/key`
    pub artifact: Option<Input>,
    pub environment: BTreeMap<String, String>,
    /// The containers of a model that has several, or of which a job decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub containers: Option<Input<Vec<Container>>>,
    /// ARN of the execution role.
    pub role: Input,
    pub tags: BTreeMap<String, String>,
}

/// One container of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Image URI.
    pub image: String,
    /// `s3://bucket/key`
    pub artifact: Option<String>,
    pub environment: BTreeMap<String, String>,
}

impl Kind for Model {
    const NAME: &'static str = "model";
    const RULES: Rules = Rules {
        after: &["role", "bucket", "training_job", "tuning_job", "autopilot_job"],
        sensitive: &["environment", "containers"],
        accept: |want, live| {
            for property in IN_THE_NAME {
                match live.get(property) {
                    Some(value) => want[property] = value.clone(),
                    None => drop(want.as_object_mut().and_then(|want| want.remove(property))),
                }
            }
        },
        permissions: &[
            Permission::look(&["sagemaker:ListModels"], EVERYTHING),
            Permission::look(&["sagemaker:DescribeModel"], &["sagemaker:model/{stack}-*"]),
            Permission::create(&["sagemaker:CreateModel"], &["sagemaker:model/{stack}-*"])
                .when(&[When::RequestTag]),
            Permission::look(&["sagemaker:ListTags"], &["sagemaker:model/{stack}-*"]),
            Permission::create(&["sagemaker:AddTags"], &["sagemaker:model/{stack}-*"])
                .when(&[When::RequestTag, When::SageMakerMakes(&["CreateModel"])]),
            Permission::change(&["sagemaker:AddTags"], &["sagemaker:model/{stack}-*"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::change(&["sagemaker:DeleteTags"], &["sagemaker:model/{stack}-*"])
                .when(&[When::OwnTag, When::KeepsTags]),
            Permission::create(&["iam:PassRole"], &["iam:role/auroraml/{stack}/{region}/*"])
                .when(&[When::PassedTo("sagemaker.amazonaws.com")]),
            Permission::create(&["iam:PassRole"], &["iam:role/{used_by_models}"])
                .when(&[When::PassedTo("sagemaker.amazonaws.com")]),
            Permission::delete(&["sagemaker:DeleteModel"], &["sagemaker:model/{stack}-*"])
                .when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
