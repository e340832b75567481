//! What requests to smaller services come to.

use super::{Demand, arn};
use crate::call::Call;
use crate::cloudformation::CloudFormation;
use crate::cloudwatch::{self, CloudWatch};

/// Service Authorization Reference, "Actions defined by Service Quotas". `None` for what is not here.
pub(super) fn service_quotas(call: &Call) -> Option<Vec<Demand>> {
    if call.operation != "GetServiceQuota" {
        return None;
    }
    let text = |name: &str| call.json[name].as_str().unwrap_or_default();
    let quota = format!("{}/{}", text("ServiceCode"), text("QuotaCode"));
    Some(vec![Demand::new("servicequotas:GetServiceQuota", arn(call, "servicequotas", &quota))])
}

/// Service Authorization Reference, "Actions defined by AWS CloudFormation". `None` for what is not here.
pub(super) fn cloudformation(call: &Call, stacks: &CloudFormation) -> Option<Vec<Demand>> {
    let get = |name: &str| call.params.get(name).filter(|value| !value.is_empty());
    let action = format!("cloudformation:{}", call.operation);
    match call.operation.as_str() {
        "ListStacks" | "ListExports" | "ListImports" | "ValidateTemplate" => {
            return Some(vec![Demand::new(action, "*")]);
        }
        "CreateStack"
        | "UpdateStack"
        | "DeleteStack"
        | "ContinueUpdateRollback"
        | "CancelUpdateStack"
        | "UpdateTerminationProtection"
        | "SetStackPolicy"
        | "GetStackPolicy"
        | "DescribeStacks"
        | "DescribeStackEvents"
        | "DescribeStackResources"
        | "DescribeStackResource"
        | "ListStackResources"
        | "GetTemplate"
        | "GetTemplateSummary"
        | "CreateChangeSet"
        | "DescribeChangeSet"
        | "ListChangeSets"
        | "DeleteChangeSet"
        | "ExecuteChangeSet" => {}
        _ => return None,
    }
    let set = get("ChangeSetName");
    let by_set = set.filter(|name| name.starts_with("arn:")).and_then(|name| stacks.of_change_set(name));
    let Some(name) = get("StackName").map(str::to_string).or(by_set) else {
        return Some(vec![Demand::new(action, "*")]);
    };
    let known = stacks.known(&name);
    let stack = match (&known, name.strip_prefix("arn:")) {
        (Some((id, _)), _) => id.clone(),
        (None, Some(_)) => name,
        (None, None) => arn(call, "cloudformation", &format!("stack/{name}/*")),
    };
    let mut demand = Demand::new(action, stack).tagged(known.map(|(_, tags)| tags));
    for (key, value) in [
        ("cloudformation:templateurl", get("TemplateURL")),
        ("cloudformation:rolearn", get("RoleARN")),
        ("cloudformation:changesetname", set),
    ] {
        if let Some(value) = value {
            demand = demand.with(key, value);
        }
    }
    let mut demands = vec![demand];
    // "TagResource: Grants permission to tag cloudformation resources", asked for where a stack is made with tags.
    let is_made = call.operation == "CreateStack" || get("ChangeSetType") == Some("CREATE");
    if is_made && call.params.glance().any(|(name, _)| name.starts_with("Tags.")) {
        let stack = demands[0].resource.clone();
        demands.push(Demand::new("cloudformation:TagResource", stack));
    }
    if let Some(role) = get("RoleARN") {
        demands.push(Demand::pass_role(role, "cloudformation.amazonaws.com"));
    }
    Some(demands)
}

/// Service Authorization Reference, "Actions defined by Amazon CloudWatch": its prefix is `cloudwatch`, that of its requests
/// `monitoring`. `None` for what is not here.
pub(super) fn cloudwatch(call: &Call, own: &CloudWatch) -> Option<Vec<Demand>> {
    let action = format!("cloudwatch:{}", call.operation);
    let of = |name: &str| Demand::new(&action, cloudwatch::arn(&call.region, name)).tagged(own.tags_of(name));
    let text = |member: &str| call.json[member].as_str().unwrap_or_default();
    match call.operation.as_str() {
        "DescribeAlarms" => Some(vec![of("*")]),
        "PutMetricAlarm" => Some(vec![of(text("AlarmName"))]),
        "DeleteAlarms" => {
            let names = call.json["AlarmNames"].as_array().into_iter().flatten();
            Some(names.filter_map(|name| name.as_str()).map(of).collect())
        }
        "ListTagsForResource" | "TagResource" | "UntagResource" => {
            let name = text("ResourceARN").rsplit(":alarm:").next().unwrap_or_default();
            Some(vec![of(name)])
        }
        _ => None,
    }
}
