//! What operations answer: names, refusals, times.

use crate::account::ACCOUNT;
use crate::call::Call;
use crate::wire::{Body, Fault};
use serde_json::{Value, json};

/// SageMaker's ARNs have the resource's name in lower case.
pub(super) fn arn(call: &Call, kind: &str, name: &str) -> String {
    format!("arn:aws:sagemaker:{}:{ACCOUNT}:{kind}/{}", call.region, name.to_ascii_lowercase())
}

pub(super) fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("ValidationException", text)
}

/// The answer to a request for something that does not exist: fact book, section 4.6.
pub(super) fn not_found(call: &Call, kind: &str, name: &str) -> Fault {
    let arn = arn(call, kind, name);
    match kind {
        "notebook-instance" => invalid("RecordNotFound"),
        "notebook-instance-lifecycle-config" => invalid(format!(
            "Unable to describe Notebook Instance Lifecycle Config '{arn}'. (Details: Notebook Instance \
             Lifecycle Config does not exist.)"
        )),
        "endpoint-config" => invalid(format!("Could not find endpoint configuration \"{arn}\".")),
        _ => invalid(format!("Could not find {} \"{arn}\".", kind.replace('-', " "))),
    }
}

/// The answer to a creation under a name that is taken: fact book, section 4.6.
pub(super) fn already_exists(call: &Call, kind: &str, name: &str) -> Fault {
    let what = match kind {
        "endpoint-config" => "endpoint configuration".to_string(),
        _ => kind.replace('-', " "),
    };
    invalid(format!("Cannot create already existing {what} \"{}\".", arn(call, kind, name)))
}

/// A time on the wire: seconds since the Unix epoch.
pub(super) fn seconds(ms: u64) -> Value {
    json!(ms as f64 / 1000.0)
}

/// An answer without the members that have no value.
pub(super) fn present(mut value: Value) -> Body {
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, member| !member.is_null());
    }
    Body::Json(value)
}
