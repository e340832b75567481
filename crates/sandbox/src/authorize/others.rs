//! What requests to smaller services come to.

use super::{Demand, arn};
use crate::call::Call;

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
pub(super) fn cloudformation(call: &Call) -> Option<Vec<Demand>> {
    let name = call.params.get("StackName").filter(|_| call.operation == "DescribeStacks")?;
    let stack = match name.strip_prefix("arn:") {
        Some(_) => name.to_string(),
        None => arn(call, "cloudformation", &format!("stack/{name}/*")),
    };
    Some(vec![Demand::new("cloudformation:DescribeStacks", stack)])
}
