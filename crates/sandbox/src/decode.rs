//! What a request asks: its caller, service, region, protocol and operation.

use super::wire::{Params, Protocol, Request};
use super::{Call, rds, s3};

/// The protocol of the call's service. Of a service that the sandbox does not have, or that is not known
/// because the request has no signature, the form of the request tells.
pub(super) fn protocol(call: &Call) -> Protocol {
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

/// Finds out which service, region and operation a request is for.
///
/// The credential scope of the signature names service and region, whatever the host is; that is what
/// lets one address serve every service.
pub(super) fn decode(request: Request, now: u64) -> Call {
    let scope = scope(&request);
    let (caller, region, service) = match scope.split('/').collect::<Vec<_>>().as_slice() {
        [key, .., region, service, _] => (key.to_string(), region.to_string(), service.to_string()),
        _ => (String::new(), "us-east-1".into(), String::new()),
    };
    let mut call = Call {
        service,
        operation: String::new(),
        region,
        caller,
        now,
        params: Params::default(),
        json: serde_json::Value::Null,
        request,
    };
    match protocol(&call) {
        Protocol::Json => {
            let target = call.request.header("x-amz-target").unwrap_or_default();
            call.operation = target.rsplit('.').next().unwrap_or_default().to_string();
            call.json = serde_json::from_slice(&call.request.body).unwrap_or_default();
        }
        Protocol::RestJson => {
            call.operation = rds::data_operation(&call.request.path).to_string();
            call.json = serde_json::from_slice(&call.request.body).unwrap_or_default();
        }
        Protocol::RestXml => call.operation = s3::operation(&call.request).to_string(),
        Protocol::Query | Protocol::Ec2 => {
            let body = String::from_utf8_lossy(&call.request.body);
            let form = if body.is_empty() { call.request.query.as_str() } else { &body };
            call.params = Params::parse(form);
            call.operation = call.params.get("Action").unwrap_or_default().to_string();
        }
    }
    call
}

/// The credential scope, from the signature or from a presigned address: `key/date/region/service/aws4_request`.
fn scope(request: &Request) -> String {
    match request.header("authorization") {
        Some(signature) => signature
            .split("Credential=")
            .nth(1)
            .and_then(|credential| credential.split(',').next())
            .unwrap_or_default()
            .to_string(),
        None => Params::parse(&request.query).get("X-Amz-Credential").unwrap_or_default().to_string(),
    }
}
