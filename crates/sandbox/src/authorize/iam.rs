//! What requests to IAM come to.

use super::Demand;
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::iam::Iam;

/// Service Authorization Reference, "Actions defined by AWS Identity and Access Management". `None` for what is not here.
pub(super) fn demands(call: &Call, iam: &Iam) -> Option<Vec<Demand>> {
    let action = format!("iam:{}", call.operation);
    let get = |name: &str| call.params.get(name).unwrap_or_default();
    let name = get("RoleName");
    let bounded = |demand: Demand, boundary: Option<&str>| match boundary {
        // "Filters access if the specified policy is set as the permissions boundary on the IAM entity"; in the two
        // requests that set one, it is that of the request.
        Some(boundary) => demand.with("iam:permissionsboundary", boundary),
        None => demand,
    };
    Some(vec![match call.operation.as_str() {
        "CreateRole" => {
            let path = call.params.get("Path").unwrap_or("/");
            let demand = Demand::new(action, format!("arn:aws:iam::{ACCOUNT}:role{path}{name}"));
            // "If tags are specified, the caller needs iam:TagRole" (CreateRole, "Authorize tagging on creation").
            let tagging = Demand {
                action: "iam:TagRole".into(),
                resource: demand.resource.clone(),
                ..Demand::new("", "")
            };
            return Some(vec![bounded(demand, call.params.get("PermissionsBoundary")), tagging]);
        }
        "CreateServiceLinkedRole" => {
            let service = get("AWSServiceName");
            let role = format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/{service}/AWSServiceRole");
            Demand::new(action, role).with("iam:awsservicename", service)
        }
        "DeleteRole"
        | "UpdateRole"
        | "UpdateAssumeRolePolicy"
        | "PutRolePolicy"
        | "DeleteRolePolicy"
        | "AttachRolePolicy"
        | "DetachRolePolicy"
        | "PutRolePermissionsBoundary"
        | "DeleteRolePermissionsBoundary"
        | "TagRole"
        | "UntagRole"
        | "GetRole"
        | "GetRolePolicy"
        | "ListRolePolicies"
        | "ListAttachedRolePolicies"
        | "ListRoleTags" => {
            let unknown = || (format!("arn:aws:iam::{ACCOUNT}:role/{name}"), Default::default(), None);
            let (resource, tags, own) = iam.described(name).unwrap_or_else(unknown);
            let asked = call.params.get("PermissionsBoundary");
            bounded(Demand::new(action, resource).tagged(Some(tags)), asked.or(own))
        }
        "SimulatePrincipalPolicy" => Demand::new(action, get("PolicySourceArn")),
        "GetPolicy" | "GetPolicyVersion" => Demand::new(action, get("PolicyArn")),
        _ => return None,
    }])
}
