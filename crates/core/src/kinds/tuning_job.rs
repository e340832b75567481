//! SageMaker tuning job: training jobs with other settings each, of which the best is taken.

use super::{Kind, training_job};
use crate::resource::permission::{EVERYTHING, Permission, When};
use crate::resource::{Nature, PLAIN, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct TuningJob;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// What each training job is.
    pub training: training_job::Props,
    /// The metric that decides.
    pub objective: String,
    pub maximize: bool,
    pub jobs: i32,
    pub parallel: i32,
    /// What is tried of each setting.
    pub ranges: BTreeMap<String, Range>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    Integer { from: String, to: String },
    Continuous { from: String, to: String },
    Words(Vec<String>),
}

impl Kind for TuningJob {
    const NAME: &'static str = "tuning_job";
    const RULES: Rules = Rules {
        nature: Nature::Task,
        after: &["role", "bucket", "data_unload"],
        poll_seconds: 20,
        limit_minutes: 2 * 28 * 24 * 60,
        // Ten jobs of four minutes, two at a time.
        typical_seconds: 1500,
        permissions: &[
            Permission::look(&["sagemaker:ListHyperParameterTuningJobs"], EVERYTHING),
            Permission::look(
                &[
                    "sagemaker:DescribeHyperParameterTuningJob",
                    "sagemaker:ListTags",
                    "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
                ],
                &["sagemaker:hyper-parameter-tuning-job/{stack}-*"],
            ),
            // Whether the model that it left is still there.
            Permission::look(&["s3:ListBucket"], &["s3:{output_bucket}"]),
            Permission::create(
                &["sagemaker:CreateHyperParameterTuningJob"],
                &["sagemaker:hyper-parameter-tuning-job/{stack}-*"],
            )
            .when(&[When::RequestTag]),
            Permission::create(&["sagemaker:AddTags"], &["sagemaker:hyper-parameter-tuning-job/{stack}-*"])
                .when(&[When::RequestTag, When::SageMakerMakes(&["CreateHyperParameterTuningJob"])]),
            Permission::create(&["iam:PassRole"], &["iam:role/auroraml/{stack}/{region}/*"])
                .when(&[When::PassedTo("sagemaker.amazonaws.com")]),
            Permission::create(&["iam:PassRole"], &["iam:role/{used_by_jobs}"])
                .when(&[When::PassedTo("sagemaker.amazonaws.com")]),
            Permission::delete(
                &["sagemaker:StopHyperParameterTuningJob"],
                &["sagemaker:hyper-parameter-tuning-job/{stack}-*"],
            )
            .when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
