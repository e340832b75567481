//! What every operation reads and answers.

use crate::call::Call;
use crate::wire::Fault;
use serde_json::Value;

pub(super) type Answer = Result<Value, Fault>;

/// The text of a member of the request.
pub(super) fn text<'a>(call: &'a Call, member: &str) -> Option<&'a str> {
    call.json.get(member).and_then(Value::as_str)
}

pub(super) fn invalid_parameter(message: &str) -> Fault {
    Fault::bad("InvalidParameterException", message)
}
