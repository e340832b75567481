//! One request, decoded: what every service is handed.

use crate::wire::{Fault, Params, Protocol, Request};

/// One decoded request, as a service sees it.
#[derive(Clone)]
pub struct Call {
    pub service: String,
    pub operation: String,
    pub region: String,
    /// Access key id of the signature; empty without one.
    pub caller: String,
    /// Milliseconds since the Unix epoch.
    pub now: u64,
    /// Parameters of a query request; empty for the other protocols.
    pub params: Params,
    /// Body of a JSON request; null for the other protocols.
    pub json: serde_json::Value,
    pub request: Request,
}

impl Call {
    /// The protocol's answer to an operation that the sandbox does not have.
    pub fn unknown(&self) -> Fault {
        let text = format!("the sandbox has no operation {}:{}", self.service, self.operation);
        match protocol(self) {
            Protocol::Json | Protocol::RestJson => Fault::bad("UnknownOperationException", text),
            Protocol::RestXml => Fault::new(501, "NotImplemented", text),
            _ => Fault::bad("InvalidAction", text),
        }
    }
}

/// The protocol of the call's service. Of a service that the sandbox does not have, or that is not known
/// because the request has no signature, the form of the request tells.
pub(crate) fn protocol(call: &Call) -> Protocol {
    match call.service.as_str() {
        "ec2" => Protocol::Ec2,
        "s3" => Protocol::RestXml,
        "sagemaker" | "secretsmanager" | "kms" | "servicequotas" => Protocol::Json,
        "rds-data" => Protocol::RestJson,
        "rds" | "iam" | "sts" | "cloudformation" => Protocol::Query,
        _ if call.request.header("x-amz-target").is_some() => Protocol::Json,
        _ if call.request.method == "POST" && call.request.path == "/" => Protocol::Query,
        _ if call.request.query.contains("Action=") => Protocol::Query,
        _ => Protocol::RestXml,
    }
}

/// Whether the operation can change something.
pub(crate) fn is_mutating(call: &Call) -> bool {
    if call.service == "s3" {
        return !matches!(call.request.method.as_str(), "GET" | "HEAD");
    }
    // The Data API answers `SHOW` alone here.
    !matches!(call.service.as_str(), "sts" | "rds-data")
        && !["Describe", "List", "Get", "Simulate"].iter().any(|prefix| call.operation.starts_with(prefix))
}
