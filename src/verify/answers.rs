//! Answers of AWS as `verify` keeps them.

use crate::aws::Failure;
use auroraml_core::verify::facts::Answer;

/// The answer, or AWS's reason for not giving one.
pub(super) fn said<T>(result: Result<T, Failure>) -> Answer<T> {
    result.map_err(|failure| failure.to_string())
}

pub(super) fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_string()
}
