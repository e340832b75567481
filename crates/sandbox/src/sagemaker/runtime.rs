//! SageMaker Runtime: `InvokeEndpoint`. It signs as `sagemaker`, has addresses of its own, and errors of its own names
//! (botocore's model `sagemaker-runtime`).

use super::{Reach, predict};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::wire::{Body, Fault, Reply, Request, Response};

/// "Body": at most 6291456 bytes.
const BODY_BYTES_MAX: usize = 6_291_456;
/// Headers that ask for more than the sandbox can do.
const BEYOND: [&str; 5] = [
    "x-amzn-sagemaker-target-model",
    "x-amzn-sagemaker-target-container-hostname",
    "x-amzn-sagemaker-inference-component",
    "x-amzn-sagemaker-enable-explanations",
    "x-amzn-sagemaker-session-id",
];

/// The endpoint that a request invokes, if it invokes one.
pub(crate) fn invoked(request: &Request) -> Option<&str> {
    let name = request.path.strip_prefix("/endpoints/")?.strip_suffix("/invocations")?;
    (request.method == "POST" && !name.is_empty() && !name.contains('/')).then_some(name)
}

/// Carries out a request to the service.
pub(crate) fn handle(call: &Call, reach: Reach<'_>) -> Reply {
    let Some(endpoint) = invoked(&call.request) else { return Err(call.unknown()) };
    reach.sagemaker.settle(call);
    let is_name = endpoint.len() <= 63 && endpoint.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !is_name {
        let text = format!(
            "Value '{endpoint}' at 'endpointName' failed to satisfy constraint: Member must satisfy \
                            regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9])*"
        );
        return Err(Fault::bad("ValidationError", format!("1 validation error detected: {text}")));
    }
    if call.request.body.len() > BODY_BYTES_MAX {
        let text =
            "Value at 'body' failed to satisfy constraint: Member must have length less than or equal to";
        return Err(Fault::bad(
            "ValidationError",
            format!("1 validation error detected: {text} {BODY_BYTES_MAX}"),
        ));
    }
    if let Some(header) = BEYOND.iter().find(|header| call.request.header(header).is_some()) {
        return Err(Fault::bad(
            "ValidationError",
            format!("The sandbox does not model {header} of InvokeEndpoint."),
        ));
    }
    let region = &call.region;
    let see = format!(
        "See https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group=/aws/sagemaker/Endpoints/{endpoint} \
         in account {ACCOUNT} for more information."
    );
    let more = |fault: Fault| match fault.code.as_str() {
        "ModelError" => Fault { message: format!("{}. {see}", fault.message), ..fault },
        _ => fault,
    };
    let content_type = call.request.header("content-type").unwrap_or_default();
    let text = String::from_utf8_lossy(&call.request.body);
    let target = call.request.header("x-amzn-sagemaker-target-variant");
    let variant = predict::answering(reach.sagemaker, call.now, endpoint, target);
    let answered = match (&variant, target) {
        (Ok(variant), Some(_)) => predict::answer(reach.s3, variant, &text),
        _ => predict(reach.sagemaker, reach.s3, call.now, endpoint, &text),
    };
    // Whether there is an endpoint comes before whether its container reads the content.
    let is_there = answered.as_ref().err().is_none_or(|fault| fault.code == "ModelError");
    if is_there && !content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/csv")
    {
        let text = format!(
            "Received client error (415) from primary with message \"Content type {content_type} is not supported.\""
        );
        return Err(more(Fault::new(424, "ModelError", text)));
    }
    let (lines, variant) = (answered.map_err(more)?, variant?.name);
    let mut response = Response::new(200, "text/csv; charset=utf-8", lines);
    response.headers.push(("x-Amzn-Invoked-Production-Variant".into(), variant));
    if let Some(attributes) = call.request.header("x-amzn-sagemaker-custom-attributes") {
        response.headers.push(("X-Amzn-SageMaker-Custom-Attributes".into(), attributes.to_string()));
    }
    Ok(Body::Whole(response))
}
