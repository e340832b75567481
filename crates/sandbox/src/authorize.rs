//! Whether the caller may: requests of a role's session are held against the role's policies before any service sees
//! them, those of others against the policies that they are held to, if any. Whoever else calls is the account's
//! administrator.
//!
//! Which resources and condition keys an action is judged by: Service Authorization Reference, the page of each service
//! ("Actions", "Resource types"). What is not in these tables is refused when it changes something, so that a test meets
//! it, and judged on all resources (`*`) when it only reads.

mod ec2;
mod iam;
mod keys;
mod objects;
mod others;
mod rds;

use crate::account::ACCOUNT;
use crate::call::{Call, is_mutating, protocol};
use crate::enforced::{self, Enforced};
use crate::iam::Context;
use crate::sts;
use crate::wire::{Fault, Params, Protocol};
use crate::world::{Global, Region};
use std::collections::BTreeMap;

type Tags = BTreeMap<String, String>;

/// One action on one resource that a request comes to.
struct Demand {
    action: String,
    resource: String,
    /// Tags of the resource, as it is before the request.
    tags: Tags,
    /// Keys of this action alone.
    keys: Vec<(&'static str, String)>,
}

impl Demand {
    fn new(action: impl Into<String>, resource: impl Into<String>) -> Demand {
        Demand { action: action.into(), resource: resource.into(), tags: Tags::new(), keys: Vec::new() }
    }
    fn tagged(self, tags: Option<Tags>) -> Demand {
        Demand { tags: tags.unwrap_or_default(), ..self }
    }
    fn with(mut self, key: &'static str, value: impl Into<String>) -> Demand {
        self.keys.push((key, value.into()));
        self
    }
    /// A role that is handed to a service.
    fn pass_role(role: &str, service: &str) -> Demand {
        Demand::new("iam:PassRole", role).with("iam:passedtoservice", service)
    }
}

/// Refuses a request that its caller is not allowed; gives the actions that it comes to, where anybody was to allow them.
pub(crate) fn check(
    call: &Call,
    enforced: &Enforced,
    global: &Global,
    region: &mut Region,
) -> Result<Vec<String>, Fault> {
    let session = global.iam.session_arn(&call.caller);
    let held = if session.is_none() { enforced.of(&call.caller) } else { None };
    let who = match (session, held) {
        (Some(session), _) => session,
        (None, Some(_)) => sts::user_arn(),
        (None, None) => return Ok(Vec::new()),
    };
    let demands = match call.service.as_str() {
        // Needs no permission (GetCallerIdentity's page of the API reference).
        "sts" if call.operation != "AssumeRole" => return Ok(Vec::new()),
        "sts" => call.params.get("RoleArn").map(|role| vec![Demand::new("sts:AssumeRole", role)]),
        "ec2" => ec2::demands(call, &mut region.ec2),
        "rds" => rds::demands(call, &region.rds, &global.iam).or_else(|| rds::looks(call)),
        "iam" => iam::demands(call, &global.iam),
        "s3" => objects::s3(call),
        "sagemaker" => objects::sagemaker(call, region),
        "sagemaker-runtime" => objects::sagemaker_runtime(call, region),
        "secretsmanager" => objects::secretsmanager(call, region),
        "rds-data" => objects::data_api(call, region),
        "servicequotas" => others::service_quotas(call),
        "cloudformation" => others::cloudformation(call, &region.cloudformation),
        "logs" => objects::logs(call),
        "monitoring" => others::cloudwatch(call, &region.cloudwatch),
        // "Actions defined by Amazon Resource Group Tagging API": its prefix is `tag`, and it has no resources.
        "tagging" => Some(vec![Demand::new(format!("tag:{}", call.operation), "*")]),
        _ => None,
    };
    let action = format!("{}:{}", call.service, call.operation);
    let demands = match demands {
        Some(demands) => demands.into_iter().chain(keys::demands(call, global, region)).collect(),
        None if is_mutating(call) => {
            return Err(refused(call, &who, &action, "*", "(not in the sandbox's tables)"));
        }
        None => vec![Demand::new(action, "*")],
    };
    let request = request_context(call);
    let mut allowed = Vec::with_capacity(demands.len());
    for demand in demands {
        let mut context = request.clone();
        for (key, value) in &demand.tags {
            let key = key.to_lowercase();
            context.insert(format!("aws:resourcetag/{key}"), vec![value.clone()]);
            context.insert(format!("{}:resourcetag/{key}", call.service), vec![value.clone()]);
        }
        context.extend(demand.keys.iter().map(|(key, value)| (key.to_string(), vec![value.clone()])));
        let Demand { action, resource, .. } = demand;
        let why = match held {
            Some(documents) => enforced::refusal(documents, &action, &resource, &context),
            None => global.iam.refusal(&call.caller, &action, &resource, &context),
        };
        if let Some(why) = why {
            return Err(refused(call, &who, &action, &resource, &why));
        }
        allowed.push(action);
    }
    Ok(allowed)
}

/// What the request says of tags, and where it is sent.
fn request_context(call: &Call) -> Context {
    let mut context = Context::from([("aws:requestedregion".to_string(), vec![call.region.clone()])]);
    let (tags, mut keys) = (request_tags(call), call.params.list("TagKeys"));
    keys.extend(
        call.json["TagKeys"].as_array().into_iter().flatten().filter_map(|k| k.as_str()).map(String::from),
    );
    keys.extend(tags.keys().cloned());
    if call.operation != "DeleteTags" {
        for (key, value) in tags {
            context.insert(format!("aws:requesttag/{}", key.to_lowercase()), vec![value]);
        }
    }
    if !keys.is_empty() {
        context.insert("aws:tagkeys".into(), keys);
    }
    context
}

/// The tags in a request, whatever its protocol.
fn request_tags(call: &Call) -> Tags {
    let specified = |name: &str, tags: &str| {
        call.params.items(name).iter().flat_map(|item: &Params| item.tags(tags)).collect::<Vec<_>>()
    };
    let mut found: Tags = call.params.tags("Tag");
    found.extend(call.params.tags("Tags"));
    found.extend(specified("TagSpecification", "Tag"));
    found.extend(specified("TagSpecifications", "Tags"));
    for tag in call.json["Tags"].as_array().into_iter().flatten() {
        if let (Some(key), Some(value)) = (tag["Key"].as_str(), tag["Value"].as_str()) {
            found.insert(key.into(), value.into());
        }
    }
    found
}

/// The refusal in the words and with the code of the service: IAM User Guide, "Troubleshoot access denied error
/// messages"; EC2 API Reference, "Common client errors"; "Common errors" of the JSON services.
fn refused(call: &Call, who: &str, action: &str, resource: &str, why: &str) -> Fault {
    let message = format!("User: {who} is not authorized to perform: {action} on resource: {resource} {why}");
    match protocol(call) {
        Protocol::Ec2 => Fault::new(
            403,
            "UnauthorizedOperation",
            format!("You are not authorized to perform this operation. {message}"),
        ),
        Protocol::Query | Protocol::RestXml => Fault::new(403, "AccessDenied", message),
        Protocol::Json => Fault::bad("AccessDeniedException", message),
        Protocol::RestJson => Fault::new(403, "AccessDeniedException", message),
    }
}

/// An ARN in the account and the call's region.
fn arn(call: &Call, service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{}:{ACCOUNT}:{resource}", call.region)
}
