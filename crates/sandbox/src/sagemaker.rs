//! Simulated SageMaker: notebook instances, their lifecycle configurations, models, endpoint
//! configurations, endpoints, jobs and tags.
//!
//! The awkward parts are those of the fact book, sections 4.1 to 4.6 and appendix E item 8: "not found" is
//! a `ValidationException`, an endpoint whose update failed is `InService` with the old configuration, a
//! new endpoint configuration is not at once visible to CreateEndpoint, and a start may have no effect.
//! A job reads its rows from S3 when it starts, as its role, and learns a small linear model of them; what becomes of it
//! is decided then. It goes through its statuses as time passes, and its archive is in S3 when it has ended. An endpoint
//! loads the archive when it is deployed and answers from it.
//! Resource names are one per account and region whatever their case, because ARNs are lower-case.

mod answers;
mod automl_data;
mod automl_job;
mod automl_jobs;
mod configs;
mod container;
mod csv;
mod data;
mod deployment;
mod endpoint;
mod endpoints;
mod fit;
mod input;
mod learned;
mod lifecycle;
mod listing;
mod models;
mod notebook;
mod notebooks;
mod predict;
mod reach;
mod runtime;
mod state;
mod tags;
mod training_job;
mod training_jobs;
mod tuning_job;
mod tuning_jobs;
mod xgboost;

use crate::call::Call;
use crate::iam::Iam;
use crate::s3::S3;
use crate::wire::Reply;
pub use automl_job::{AutoMLJob, Candidate, Finish};
pub use container::Container;
pub use endpoint::{Deployment, Endpoint, Health, Variant};
pub use learned::{Answer, Column, Learned, Scores};
pub use notebook::{Notebook, Status};
pub(crate) use predict::predict;
pub(crate) use reach::Reach;
pub(crate) use runtime::{handle as handle_runtime, invoked};
pub use state::{EndpointConfig, LifecycleConfig, Model, SageMaker};
pub use training_job::{Ending, TrainingJob};
pub use tuning_job::TuningJob;

/// Carries jobs on to the time of the call: what they have ended with is in S3, whoever asks.
pub(crate) fn settle_jobs(call: &Call, sagemaker: &mut SageMaker, iam: &Iam, s3: &mut S3) {
    sagemaker.settle_jobs(iam, s3, call.now);
}

pub(crate) fn handle(call: &Call, mut reach: Reach<'_>) -> Reply {
    let reach = &mut reach;
    reach.sagemaker.settle(call);
    match call.operation.as_str() {
        "CreateNotebookInstance" => notebooks::create(call, reach),
        "DescribeNotebookInstance" => notebooks::describe(call, reach.sagemaker),
        "UpdateNotebookInstance" => notebooks::update(call, reach),
        "StartNotebookInstance" => notebooks::start(call, reach),
        "StopNotebookInstance" => notebooks::stop(call, reach),
        "DeleteNotebookInstance" => notebooks::delete(call, reach),
        "ListNotebookInstances" => notebooks::list(call, reach.sagemaker),
        "CreatePresignedNotebookInstanceUrl" => notebooks::presigned_url(call, reach),
        "CreateNotebookInstanceLifecycleConfig" => lifecycle::create(call, reach.sagemaker),
        "DescribeNotebookInstanceLifecycleConfig" => lifecycle::describe(call, reach.sagemaker),
        "UpdateNotebookInstanceLifecycleConfig" => lifecycle::update(call, reach.sagemaker),
        "DeleteNotebookInstanceLifecycleConfig" => lifecycle::delete(call, reach.sagemaker),
        "ListNotebookInstanceLifecycleConfigs" => lifecycle::list(call, reach.sagemaker),
        "CreateModel" => models::create(call, reach),
        "DescribeModel" => models::describe(call, reach.sagemaker),
        "DeleteModel" => models::delete(call, reach.sagemaker),
        "ListModels" => models::list(call, reach.sagemaker),
        "CreateEndpointConfig" => configs::create(call, reach),
        "DescribeEndpointConfig" => configs::describe(call, reach.sagemaker),
        "DeleteEndpointConfig" => configs::delete(call, reach.sagemaker),
        "ListEndpointConfigs" => configs::list(call, reach.sagemaker),
        "CreateEndpoint" => endpoints::create(call, reach),
        "DescribeEndpoint" => endpoints::describe(call, reach.sagemaker),
        "UpdateEndpoint" => endpoints::update(call, reach),
        "UpdateEndpointWeightsAndCapacities" => endpoints::update_weights(call, reach),
        "DeleteEndpoint" => endpoints::delete(call, reach),
        "ListEndpoints" => endpoints::list(call, reach.sagemaker),
        "AddTags" => tags::add(call, reach.sagemaker),
        "ListTags" => tags::list(call, reach.sagemaker),
        "DeleteTags" => tags::delete(call, reach.sagemaker),
        "CreateTrainingJob" => training_jobs::create(call, reach),
        "DescribeTrainingJob" => training_jobs::describe(call, reach.sagemaker),
        "StopTrainingJob" => training_jobs::stop(call, reach.sagemaker),
        "ListTrainingJobs" => training_jobs::list(call, reach.sagemaker),
        "CreateHyperParameterTuningJob" => tuning_jobs::create(call, reach),
        "DescribeHyperParameterTuningJob" => tuning_jobs::describe(call, reach.sagemaker),
        "StopHyperParameterTuningJob" => tuning_jobs::stop(call, reach.sagemaker),
        "ListHyperParameterTuningJobs" => tuning_jobs::list(call, reach.sagemaker),
        "ListTrainingJobsForHyperParameterTuningJob" => {
            tuning_jobs::list_training_jobs(call, reach.sagemaker)
        }
        "CreateAutoMLJobV2" => automl_jobs::create(call, reach),
        "DescribeAutoMLJobV2" => automl_jobs::describe(call, reach.sagemaker),
        "StopAutoMLJob" => automl_jobs::stop(call, reach.sagemaker),
        "ListAutoMLJobs" => automl_jobs::list(call, reach.sagemaker),
        "ListCandidatesForAutoMLJob" => automl_jobs::list_candidates(call, reach.sagemaker),
        _ => Err(call.unknown()),
    }
}
