//! SageMaker training job. Its name holds the hash of what it learns from; AWS keeps its record for ever.

use super::Kind;
use crate::base::Input;
use crate::resource::permission::{EVERYTHING, Permission, When};
use crate::resource::{Nature, PLAIN, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct TrainingJob;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Name of the endpoint it is for.
    pub endpoint: String,
    /// Image URI.
    pub image: String,
    /// `s3://bucket/prefix` of the rows.
    pub data: Input,
    pub validation: Option<Input>,
    pub hyperparameters: BTreeMap<String, String>,
    /// `s3://bucket/prefix` under which the model is left.
    pub output: String,
    pub instance: String,
    /// GiB
    pub volume: i32,
    pub spot: bool,
    pub max_runtime_seconds: i32,
    /// ARN of the execution role.
    pub role: Input,
    pub tags: BTreeMap<String, String>,
}

impl Kind for TrainingJob {
    const NAME: &'static str = "training_job";
    const RULES: Rules = Rules {
        nature: Nature::Task,
        after: &["role", "bucket", "data_unload"],
        poll_seconds: 10,
        // As long as a spec may let one run, and as long again for spot capacity.
        limit_minutes: 2 * 28 * 24 * 60,
        // Fact book, section 8.2: three and a half minutes for data of the articles' size.
        typical_seconds: 240,
        permissions: &[
            Permission::look(&["sagemaker:ListTrainingJobs"], EVERYTHING),
            Permission::look(
                &["sagemaker:DescribeTrainingJob", "sagemaker:ListTags"],
                &["sagemaker:training-job/{stack}-*"],
            ),
            // Whether the model that it left is still there.
            Permission::look(&["s3:ListBucket"], &["s3:{output_bucket}"]),
            Permission::create(&["sagemaker:CreateTrainingJob"], &["sagemaker:training-job/{stack}-*"])
                .when(&[When::RequestTag]),
            Permission::create(&["sagemaker:AddTags"], &["sagemaker:training-job/{stack}-*"])
                .when(&[When::RequestTag, When::SageMakerMakes(&["CreateTrainingJob"])]),
            Permission::create(&["iam:PassRole"], &["iam:role/auroraml/{stack}/{region}/*"])
                .when(&[When::PassedTo("sagemaker.amazonaws.com")]),
            Permission::create(&["iam:PassRole"], &["iam:role/{used_by_jobs}"])
                .when(&[When::PassedTo("sagemaker.amazonaws.com")]),
            Permission::delete(&["sagemaker:StopTrainingJob"], &["sagemaker:training-job/{stack}-*"])
                .when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
