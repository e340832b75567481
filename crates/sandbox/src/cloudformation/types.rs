//! How each resource type is created, changed and deleted: the requests that its handler sends, step by step.

mod alarms;
mod data;
mod instances;
mod keys;
mod nested;
mod network;
mod roles;
mod rules;
mod sagemaker;
mod storage;

use super::kinds::STACK;
use super::work::{Outcome, Step, Work};
use crate::wire::Fault;
pub(super) use nested::{EMBEDDED, parameters as nested_parameters};

pub(super) fn create(work: &mut Work<'_>) -> Outcome {
    match family(&work.resource.kind) {
        _ if work.resource.kind == STACK => nested::create(work),
        "CloudWatch" => alarms::create(work),
        "EC2" => network::create(work),
        "S3" => storage::create(work),
        "KMS" | "SecretsManager" | "Logs" => keys::create(work),
        "IAM" => roles::create(work),
        "RDS" => data::create(work),
        "SageMaker" => sagemaker::create(work),
        // A handle is an address and nothing else.
        "CloudFormation" => {
            work.resource.physical = format!(
                "https://cloudformation-waitcondition-{}.s3.amazonaws.com/{}",
                work.region, work.name
            );
            Ok(Step::Done)
        }
        _ => Err(unknown(work)),
    }
}

pub(super) fn update(work: &mut Work<'_>) -> Outcome {
    match family(&work.resource.kind) {
        _ if work.resource.kind == STACK => nested::update(work),
        "CloudWatch" => alarms::update(work),
        "EC2" => network::update(work),
        "S3" => storage::update(work),
        "KMS" | "SecretsManager" | "Logs" => keys::update(work),
        "IAM" => roles::update(work),
        "RDS" => data::update(work),
        "SageMaker" => sagemaker::update(work),
        "CloudFormation" => Ok(Step::Done),
        _ => Err(unknown(work)),
    }
}

pub(super) fn delete(work: &mut Work<'_>) -> Outcome {
    match family(&work.resource.kind) {
        _ if work.resource.kind == STACK => nested::delete(work),
        "CloudWatch" => alarms::delete(work),
        "EC2" => network::delete(work),
        "S3" => storage::delete(work),
        "KMS" | "SecretsManager" | "Logs" => keys::delete(work),
        "IAM" => roles::delete(work),
        "RDS" => data::delete(work),
        "SageMaker" => sagemaker::delete(work),
        "CloudFormation" => Ok(Step::Done),
        _ => Err(unknown(work)),
    }
}

fn family(kind: &str) -> &str {
    kind.split("::").nth(1).unwrap_or_default()
}

fn unknown(work: &Work<'_>) -> Fault {
    Fault::bad(
        "ValidationError",
        format!("The sandbox does not model the resource type {}.", work.resource.kind),
    )
}

/// A JSON document of a property, as text.
fn document(work: &Work<'_>, property: &str) -> Option<String> {
    match &work.wanted[property] {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        value => Some(value.to_string()),
    }
}

/// Tags that are no longer wanted, by key.
fn dropped(work: &Work<'_>) -> Vec<String> {
    let wanted = work.tags();
    let before = super::work::pairs(&work.before["Tags"]);
    before
        .into_iter()
        .map(|(key, _)| key)
        .filter(|key| !wanted.iter().any(|(other, _)| other == key))
        .collect()
}
