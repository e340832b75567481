//! One request, decoded: what every service is handed.

use crate::wire::{Fault, Params, Protocol, Request};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

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
    pub json: Json,
    pub request: Request,
}

/// The members of a JSON request. Each remembers whether anybody has read it.
#[derive(Clone, Default)]
pub struct Json {
    value: Value,
    read: Arc<Mutex<BTreeSet<String>>>,
}

impl Json {
    pub fn parse(body: &[u8]) -> Json {
        Json { value: serde_json::from_slice(body).unwrap_or_default(), read: Arc::default() }
    }

    pub fn get(&self, member: &str) -> Option<&Value> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(member.to_string());
        self.value.get(member)
    }

    /// All of it, for those who say themselves what they read of it.
    pub(crate) fn whole(&self) -> &Value {
        &self.value
    }

    /// The members of these names, as they came.
    pub fn keep(&self, members: &[&str]) -> Value {
        let kept = members.iter().filter_map(|name| Some(((*name).to_string(), self.get(name)?.clone())));
        Value::Object(kept.filter(|(_, value)| !value.is_null()).collect())
    }

    /// The first member with a value that nobody has read.
    fn unread(&self) -> Option<&str> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let given = self.value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        given.map(|(name, _)| name.as_str()).find(|name| !read.contains(*name))
    }
}

impl std::ops::Index<&str> for Json {
    type Output = Value;
    fn index(&self, member: &str) -> &Value {
        self.get(member).unwrap_or(&Value::Null)
    }
}

impl Call {
    /// The same request, of which nobody has read anything.
    pub(crate) fn unread_copy(&self) -> Call {
        let json = Json { value: self.json.value.clone(), read: Arc::default() };
        Call { params: self.params.unread_copy(), json, ..self.clone() }
    }

    /// The first member of the request that the operation did not look at. What is accepted must be kept or
    /// judged: a member that nobody reads is refused by its name, and nothing comes of the request.
    pub(crate) fn unread(&self) -> Option<&str> {
        // A presigned address carries its signature among the parameters.
        self.params.unread().or_else(|| self.json.unread())
    }

    /// The answer to a member that AWS may know and the sandbox does not.
    pub(crate) fn unmodelled(&self, member: &str) -> Fault {
        let text = format!("The sandbox does not model {member} of {}.", self.operation);
        match self.service.as_str() {
            "ec2" => Fault::bad("UnsupportedOperation", text),
            "cloudformation" | "iam" | "monitoring" | "sts" => Fault::bad("ValidationError", text),
            "rds" => Fault::bad("InvalidParameterValue", text),
            "rds-data" => Fault::bad("BadRequestException", text),
            _ => Fault::bad("ValidationException", text),
        }
    }

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
        "cloudtrail" | "comprehend" | "sagemaker" | "secretsmanager" | "kms" | "servicequotas" | "logs"
        | "tagging" | "pricing" | "monitoring" => Protocol::Json,
        "rds-data" => Protocol::RestJson,
        "rds" | "iam" | "sts" | "cloudformation" => Protocol::Query,
        _ if call.request.header("x-amz-target").is_some() => Protocol::Json,
        _ if call.request.method == "POST" && call.request.path == "/" => Protocol::Query,
        _ if call.request.query.contains("Action=") => Protocol::Query,
        // Of what is neither, a few services speak XML; all others are of the JSON kind (botocore's models).
        "" | "route53" | "cloudfront" | "s3-outposts" | "s3express" => Protocol::RestXml,
        _ => Protocol::RestJson,
    }
}

/// Whether the operation can change something.
pub(crate) fn is_mutating(call: &Call) -> bool {
    if call.service == "s3" {
        return !matches!(call.request.method.as_str(), "GET" | "HEAD");
    }
    if call.service == "rds-data" {
        return crate::rds::data_changes(call);
    }
    !matches!(call.service.as_str(), "sts" | "comprehend" | "sagemaker-runtime")
        && !["Describe", "List", "Lookup", "Get", "Simulate"]
            .iter()
            .any(|prefix| call.operation.starts_with(prefix))
}
