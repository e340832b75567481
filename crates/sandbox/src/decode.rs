//! What a request asks: its caller, service, region, protocol and operation.

use crate::call::{Call, Json, protocol};
use crate::wire::{Params, Protocol, Request};
use crate::{rds, s3, sagemaker};

/// Finds out which service, region and operation a request is for.
///
/// The credential scope of the signature names service and region, whatever the host is; that is what
/// lets one address serve every service.
pub(crate) fn decode(request: Request, now: u64) -> Call {
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
        json: Json::default(),
        request,
    };
    if call.service == "sagemaker" && sagemaker::invoked(&call.request).is_some() {
        // Both sign as `sagemaker`; the address tells them apart.
        call.service = "sagemaker-runtime".into();
    }
    match protocol(&call) {
        Protocol::Json => {
            let target = call.request.header("x-amz-target").unwrap_or_default();
            call.operation = target.rsplit('.').next().unwrap_or_default().to_string();
            call.json = Json::parse(&call.request.body);
        }
        Protocol::RestJson if call.service == "sagemaker-runtime" => call.operation = "InvokeEndpoint".into(),
        Protocol::RestJson | Protocol::RestXml
            if !matches!(call.service.as_str(), "rds-data" | "s3" | "") =>
        {
            // The operation of a service that is not here: its address says all that is known.
            call.operation = format!("{} {}", call.request.method, call.request.path);
        }
        Protocol::RestJson => {
            call.operation = rds::data_operation(&call.request.path).to_string();
            call.json = Json::parse(&call.request.body);
        }
        Protocol::RestXml => call.operation = s3::operation(&call.request).to_string(),
        Protocol::Query | Protocol::Ec2 => {
            let body = String::from_utf8_lossy(&call.request.body);
            let form = if body.is_empty() { call.request.query.as_str() } else { &body };
            call.params = Params::parse(form);
            // What belongs to the request itself is no member of the operation. A presigned address carries its
            // signature among the parameters.
            let own: Vec<String> = call.params.glance().map(|(name, _)| name.to_string()).collect();
            for name in own.iter().filter(|name| *name == "Version" || name.starts_with("X-Amz-")) {
                call.params.get(name);
            }
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
