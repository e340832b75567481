//! What an endpoint answers: the containers of its model, one after the other, on rows of text.

use super::container::{model_error, start};
use super::csv;
use super::endpoint::{Endpoint, Variant};
use super::state::SageMaker;
use crate::account::ACCOUNT;
use crate::s3::S3;
use crate::wire::Fault;

/// Rows that one request may have here.
const ROWS_MAX: usize = 100_000;

/// The endpoint as it is at `now`, if it serves.
///
/// # Errors
/// `ValidationError` if it does not exist or has never been in service. AWS has one text for both (seen: "Endpoint … of
/// account … not found." while Creating).
fn serving(sagemaker: &SageMaker, now: u64, name: &str) -> Result<Endpoint, Fault> {
    let found = sagemaker.endpoints.get(&name.to_ascii_lowercase()).cloned();
    let serves = found.filter(|endpoint| endpoint.name == name).and_then(|mut endpoint| {
        let there = endpoint.settle(now);
        // The old fleet serves during an update and while it is rolled back.
        let serves =
            ["InService", "Updating", "RollingBack", "SystemUpdating"].contains(&endpoint.status(now));
        (there && serves).then_some(endpoint)
    });
    serves.ok_or_else(|| {
        Fault::bad("ValidationError", format!("Endpoint {name} of account {ACCOUNT} not found."))
    })
}

/// What the endpoint answers to rows of text with commas, without a header: one line for each row.
///
/// # Errors
/// As InvokeEndpoint has them: `ValidationError` if the endpoint does not serve, `ModelError` if the model is not there
/// or does not understand a row.
pub(crate) fn predict(
    sagemaker: &SageMaker,
    s3: &S3,
    now: u64,
    endpoint: &str,
    csv: &str,
) -> Result<String, Fault> {
    answer(s3, &answering(sagemaker, now, endpoint, None)?, csv)
}

/// The variant that answers a request: the one that it asks for, else the one with the most weight.
///
/// # Errors
/// `ValidationError` if the endpoint does not serve or has no such variant.
pub(super) fn answering(
    sagemaker: &SageMaker,
    now: u64,
    endpoint: &str,
    target: Option<&str>,
) -> Result<Variant, Fault> {
    let variants = serving(sagemaker, now, endpoint)?.variants;
    let found = match target {
        Some(target) => variants.into_iter().find(|variant| variant.name == target),
        None => variants.into_iter().rev().max_by(|a, b| a.weight.total_cmp(&b.weight)),
    };
    let text = || format!("Variant {} not found for the endpoint {endpoint}", target.unwrap_or_default());
    found.ok_or_else(|| Fault::bad("ValidationError", text()))
}

/// What a variant answers.
pub(super) fn answer(s3: &S3, variant: &Variant, csv: &str) -> Result<String, Fault> {
    // A serverless variant starts when it is asked, and reads its archive then.
    let started = match variant.serverless {
        Some(_) => start(s3, &variant.containers),
        None => variant.started.clone(),
    };
    let mut lines = String::new();
    for (at, row) in csv::rows(csv).enumerate() {
        if at >= ROWS_MAX {
            return Err(model_error("client error (413)", true, "too many rows for the sandbox"));
        }
        let mut row = row;
        for (at, container) in started.iter().enumerate() {
            row = container.answer(row, at + 1 == started.len())?;
        }
        lines.push_str(&csv::line(&row));
        lines.push('\n');
    }
    if lines.is_empty() {
        let why = "Unable to evaluate payload provided: no rows";
        return Err(model_error("client error (400)", true, why));
    }
    Ok(lines)
}
