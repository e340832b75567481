//! SageMaker Autopilot job, version 2 of the API, for a table.

use super::Kind;
use crate::base::Input;
use crate::resource::permission::{EVERYTHING, Permission, When};
use crate::resource::{Nature, PLAIN, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct AutopilotJob;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Name of the endpoint it is for.
    pub endpoint: String,
    /// `s3://bucket/prefix` of the rows.
    pub data: Input,
    pub validation: Option<Input>,
    /// The column to predict.
    pub target: String,
    /// `BinaryClassification`, `MulticlassClassification` or `Regression`.
    pub problem: Option<String>,
    pub objective: Option<String>,
    /// `AUTO`, `ENSEMBLING` or `HYPERPARAMETER_TUNING`.
    pub mode: String,
    pub max_candidates: Option<i32>,
    pub max_runtime_seconds: i32,
    /// `s3://bucket/prefix` under which models are left.
    pub output: String,
    /// ARN of the execution role.
    pub role: Input,
    pub tags: BTreeMap<String, String>,
}

impl Kind for AutopilotJob {
    const NAME: &'static str = "autopilot_job";
    const RULES: Rules = Rules {
        nature: Nature::Task,
        after: &["role", "bucket", "data_unload"],
        poll_seconds: 30,
        limit_minutes: 29 * 24 * 60,
        // Fact book, section 8.2: half an hour to three hours.
        typical_seconds: 5400,
        permissions: &[
            Permission::look(
                &["sagemaker:ListAutoMLJobs", "sagemaker:ListCandidatesForAutoMLJob"],
                EVERYTHING,
            ),
            Permission::look(
                &["sagemaker:DescribeAutoMLJobV2", "sagemaker:ListTags"],
                &["sagemaker:automl-job/{stack}-*"],
            ),
            // Whether the model that it left is still there.
            Permission::look(&["s3:ListBucket"], &["s3:{output_bucket}"]),
            Permission::create(&["sagemaker:CreateAutoMLJobV2"], &["sagemaker:automl-job/{stack}-*"])
                .when(&[When::RequestTag]),
            Permission::create(&["sagemaker:AddTags"], &["sagemaker:automl-job/{stack}-*"])
                .when(&[When::RequestTag, When::SageMakerMakes(&["CreateAutoMLJobV2"])]),
            Permission::create(&["iam:PassRole"], &["iam:role/auroraml/{stack}/{region}/*"])
                .when(&[When::PassedTo("sagemaker.amazonaws.com")]),
            Permission::create(&["iam:PassRole"], &["iam:role/{used_by_jobs}"])
                .when(&[When::PassedTo("sagemaker.amazonaws.com")]),
            Permission::delete(&["sagemaker:StopAutoMLJob"], &["sagemaker:automl-job/{stack}-*"])
                .when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
