//! What services refuse: what time may mend, for how long it is put up with, and how the events tell the rest.

use super::state::{Action, Job, Stack};
use crate::wire::Fault;

/// How long a refusal that time may mend is put up with: what is new and not seen everywhere yet.
const FRESH_MS: u64 = 180_000;
/// The same for deletions that something stands in the way of, such as an interface in use. Minutes, says whoever has
/// waited; assumed.
const DEPENDENCY_MS: u64 = 1_200_000;
/// The same for what is busy with something else. "36 h" (A3) is the longest that the handlers wait.
const BUSY_MS: u64 = 3 * 3_600_000;

/// A deletion finds nothing: that is what it was for.
pub(super) fn is_gone(fault: &Fault) -> bool {
    fault.code.contains("NotFound")
        || fault.code.contains("NoSuch")
        || fault.code == "Gateway.NotAttached"
        || ["RecordNotFound", "does not exist", "Could not find", "not find the specified"]
            .iter()
            .any(|text| fault.message.contains(text))
}

/// How long a refusal is put up with.
pub(super) fn patience(job: &Job, fault: &Fault) -> u64 {
    let code = fault.code.as_str();
    let is_busy = code.starts_with("Invalid") && (code.ends_with("State") || code.ends_with("StateFault"))
        || ["in-progress endpoint", "is not in available state", "currently in the available state"]
            .iter()
            .any(|text| fault.message.contains(text));
    match job.action {
        Action::Delete if fault.message.contains("deletion protection") => 0,
        Action::Delete if matches!(code, "DependencyViolation" | "InvalidIPAddress.InUse") => DEPENDENCY_MS,
        // Whatever lies on the way is not seen to by waiting.
        Action::Delete if is_busy && !fault.message.contains("still") => BUSY_MS,
        Action::Delete if is_busy => DEPENDENCY_MS,
        Action::Delete => 0,
        _ if is_busy => BUSY_MS,
        _ if code == "NotStabilized" => 0,
        _ if is_gone(fault) || is_unpropagated(fault) => FRESH_MS,
        _ => 0,
    }
}

/// What a service says of a role that it cannot assume yet, or of a principal that it does not see yet.
fn is_unpropagated(fault: &Fault) -> bool {
    let texts = [
        "assume",
        "required permissions for",
        "Invalid principal",
        "trust relationship",
        "execution role ARN",
    ];
    texts.iter().any(|text| fault.message.contains(text)) || fault.code == "EncryptionFailure"
}

/// A refusal as the events tell it.
pub(super) fn told(fault: &Fault, kind: &str, stack: &Stack) -> String {
    let code = match fault.code.as_str() {
        code if code.contains("AlreadyExist")
            || code.contains("ResourceExists")
            || code.contains("AlreadyOwned") =>
        {
            "AlreadyExists"
        }
        code if code.contains("NotFound") || code.contains("NoSuch") => "NotFound",
        code if code.contains("AccessDenied") || code == "UnauthorizedOperation" => "AccessDenied",
        code if code.contains("Limit") || code.contains("Quota") => "ServiceLimitExceeded",
        "NotStabilized" => "NotStabilized",
        _ if fault.status >= 500 => "ServiceInternalError",
        _ => "InvalidRequest",
    };
    let service = kind.split("::").nth(1).unwrap_or_default();
    let token =
        stack.token.clone().unwrap_or_else(|| stack.id.rsplit('/').next().unwrap_or_default().to_string());
    if fault.code == super::types::EMBEDDED {
        return fault.message.clone();
    }
    if code == "NotStabilized" {
        return format!("Resource of type '{kind}' did not stabilize. {}", fault.message);
    }
    format!(
        "Resource handler returned message: \"{} (Service: {service}, Status Code: {}, Request ID: sandbox)\" \
         (RequestToken: {token}, HandlerErrorCode: {code})",
        fault.message, fault.status
    )
}
