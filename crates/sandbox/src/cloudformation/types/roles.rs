//! IAM: roles and managed policies.

use super::{document, dropped};
use crate::cloudformation::work::{Outcome, Query, Step, Work, text};
use crate::wire::Fault;
use serde_json::Value;

pub(super) fn create(work: &mut Work<'_>) -> Outcome {
    match (work.resource.kind.as_str(), work.stage) {
        ("AWS::IAM::Role", 0) => {
            let name = work.property("RoleName").unwrap_or_else(|| work.name.clone());
            let query = Query::default()
                .and("RoleName", name.clone())
                .and(
                    "AssumeRolePolicyDocument",
                    document(work, "AssumeRolePolicyDocument").unwrap_or_default(),
                )
                .maybe("Path", work.property("Path"))
                .maybe("Description", work.property("Description"))
                .maybe("MaxSessionDuration", work.property("MaxSessionDuration"))
                .maybe("PermissionsBoundary", work.property("PermissionsBoundary"))
                .tags("Tags.member", &work.tags());
            let answer = work.query("iam", "CreateRole", query.0)?;
            work.resource.physical = name;
            work.set("Arn", answer.text("Role/Arn"));
            work.set("RoleId", answer.text("Role/RoleId"));
            Ok(Step::Next)
        }
        ("AWS::IAM::Role", stage) => policies(work, stage - 1),
        ("AWS::IAM::Policy", stage) => {
            if stage == 0 {
                work.resource.physical = work.name.clone();
                let id = work.name.clone();
                work.set("Id", id);
                return Ok(Step::Next);
            }
            beside(work)
        }
        (_, 0) => {
            let name = work.property("ManagedPolicyName").unwrap_or_else(|| work.name.clone());
            let query = Query::default()
                .and("PolicyName", name)
                .and("PolicyDocument", document(work, "PolicyDocument").unwrap_or_default())
                .maybe("Path", work.property("Path"))
                .maybe("Description", work.property("Description"));
            let answer = work.query("iam", "CreatePolicy", query.0)?;
            work.resource.physical = answer.text("Policy/Arn");
            work.set("PolicyArn", answer.text("Policy/Arn"));
            Ok(Step::Next)
        }
        (_, _) => {
            let (arn, roles) = (work.resource.physical.clone(), work.list("Roles"));
            for role in roles {
                let query = Query::new(&[("RoleName", &role), ("PolicyArn", &arn)]);
                work.query("iam", "AttachRolePolicy", query.0)?;
            }
            Ok(Step::Done)
        }
    }
}

/// A policy that is a resource of its own is put into its roles.
fn beside(work: &mut Work<'_>) -> Outcome {
    let (name, roles) = (work.need("PolicyName"), work.list("Roles"));
    let policy = document(work, "PolicyDocument").unwrap_or_default();
    for role in &roles {
        let query = Query::new(&[("RoleName", role), ("PolicyName", &name), ("PolicyDocument", &policy)]);
        work.query("iam", "PutRolePolicy", query.0)?;
    }
    let old = work.before["Roles"].as_array().cloned().unwrap_or_default();
    for role in old.iter().filter_map(text).filter(|role| !roles.contains(role)) {
        take_out(work, &role, &name)?;
    }
    Ok(Step::Done)
}

/// A role that is gone has no policies.
fn take_out(work: &mut Work<'_>, role: &str, name: &str) -> Result<(), Fault> {
    let query = Query::new(&[("RoleName", role), ("PolicyName", name)]);
    match work.query("iam", "DeleteRolePolicy", query.0) {
        Err(fault) if fault.code == "NoSuchEntity" => Ok(()),
        other => other.map(|_| ()),
    }
}

fn inline(properties: &Value) -> Vec<(String, String)> {
    let one = |policy: &Value| {
        let document = match &policy["PolicyDocument"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some((text(&policy["PolicyName"])?, document))
    };
    properties["Policies"].as_array().into_iter().flatten().filter_map(one).collect()
}

fn managed(properties: &Value) -> Vec<String> {
    properties["ManagedPolicyArns"].as_array().into_iter().flatten().filter_map(text).collect()
}

/// What the role is to have and has not, and what it has and is not to have: one request at a time.
fn policies(work: &mut Work<'_>, at: u32) -> Outcome {
    let role = work.resource.physical.clone();
    let (wanted, before) = (inline(work.wanted), inline(work.before));
    let mut requests: Vec<(&str, Query)> = Vec::new();
    for arn in managed(work.before).iter().filter(|arn| !managed(work.wanted).contains(arn)) {
        requests.push(("DetachRolePolicy", Query::new(&[("RoleName", &role), ("PolicyArn", arn)])));
    }
    for arn in managed(work.wanted).iter().filter(|arn| !managed(work.before).contains(arn)) {
        requests.push(("AttachRolePolicy", Query::new(&[("RoleName", &role), ("PolicyArn", arn)])));
    }
    for (name, _) in before.iter().filter(|(name, _)| !wanted.iter().any(|(other, _)| other == name)) {
        requests.push(("DeleteRolePolicy", Query::new(&[("RoleName", &role), ("PolicyName", name)])));
    }
    for (name, text) in wanted.iter().filter(|policy| !before.contains(policy)) {
        let query = Query::new(&[("RoleName", &role), ("PolicyName", name), ("PolicyDocument", text)]);
        requests.push(("PutRolePolicy", query));
    }
    let Some((operation, query)) = requests.into_iter().nth(at as usize) else { return Ok(Step::Done) };
    work.query("iam", operation, query.0)?;
    Ok(Step::Next)
}

pub(super) fn update(work: &mut Work<'_>) -> Outcome {
    let id = work.resource.physical.clone();
    match (work.resource.kind.as_str(), work.stage) {
        ("AWS::IAM::Role", 0) => {
            if work.is_changed("AssumeRolePolicyDocument") {
                let trust = document(work, "AssumeRolePolicyDocument").unwrap_or_default();
                let query = Query::new(&[("RoleName", &id), ("PolicyDocument", &trust)]);
                work.query("iam", "UpdateAssumeRolePolicy", query.0)?;
            }
            if work.is_changed("Description") || work.is_changed("MaxSessionDuration") {
                let query = Query::new(&[("RoleName", &id)])
                    .maybe("Description", work.property("Description"))
                    .maybe("MaxSessionDuration", work.property("MaxSessionDuration"));
                work.query("iam", "UpdateRole", query.0)?;
            }
            if work.is_changed("PermissionsBoundary") {
                let (operation, query) = match work.property("PermissionsBoundary") {
                    Some(arn) => (
                        "PutRolePermissionsBoundary",
                        Query::new(&[("RoleName", &id), ("PermissionsBoundary", &arn)]),
                    ),
                    None => ("DeleteRolePermissionsBoundary", Query::new(&[("RoleName", &id)])),
                };
                work.query("iam", operation, query.0)?;
            }
            if !work.tags().is_empty() {
                let query = Query::new(&[("RoleName", &id)]).tags("Tags.member", &work.tags());
                work.query("iam", "TagRole", query.0)?;
            }
            let gone = dropped(work);
            if !gone.is_empty() {
                let query = Query::new(&[("RoleName", &id)]).list("TagKeys.member", gone);
                work.query("iam", "UntagRole", query.0)?;
            }
            Ok(Step::Next)
        }
        ("AWS::IAM::Role", stage) => policies(work, stage - 1),
        ("AWS::IAM::Policy", _) => beside(work),
        _ => update_managed(work, &id),
    }
}

fn update_managed(work: &mut Work<'_>, arn: &str) -> Outcome {
    if work.is_changed("PolicyDocument") {
        let query = Query::new(&[("PolicyArn", arn), ("SetAsDefault", "true")])
            .and("PolicyDocument", document(work, "PolicyDocument").unwrap_or_default());
        let answer = work.query("iam", "CreatePolicyVersion", query.0)?;
        // The version before goes: there is room for five.
        let new = answer.text("PolicyVersion/VersionId");
        let all = work.query("iam", "ListPolicyVersions", Query::new(&[("PolicyArn", arn)]).0)?;
        for version in all.children("Versions") {
            let id = version.text("VersionId");
            if id != new {
                let query = Query::new(&[("PolicyArn", arn), ("VersionId", &id)]);
                work.query("iam", "DeletePolicyVersion", query.0)?;
            }
        }
    }
    let old: Vec<String> = work.before["Roles"].as_array().into_iter().flatten().filter_map(text).collect();
    let new = work.list("Roles");
    for role in new.iter().filter(|role| !old.contains(role)) {
        let query = Query::new(&[("RoleName", role), ("PolicyArn", arn)]);
        work.query("iam", "AttachRolePolicy", query.0)?;
    }
    for role in old.iter().filter(|role| !new.contains(role)) {
        detach(work, role, arn)?;
    }
    Ok(Step::Done)
}

/// A role that is gone has nothing attached.
fn detach(work: &mut Work<'_>, role: &str, arn: &str) -> Result<(), Fault> {
    let query = Query::new(&[("RoleName", role), ("PolicyArn", arn)]);
    match work.query("iam", "DetachRolePolicy", query.0) {
        Err(fault) if fault.code == "NoSuchEntity" => Ok(()),
        other => other.map(|_| ()),
    }
}

pub(super) fn delete(work: &mut Work<'_>) -> Outcome {
    let id = work.resource.physical.clone();
    if work.resource.kind == "AWS::IAM::ManagedPolicy" {
        for role in work.resource.properties["Roles"].as_array().cloned().unwrap_or_default() {
            detach(work, &text(&role).unwrap_or_default(), &id)?;
        }
        work.query("iam", "DeletePolicy", Query::new(&[("PolicyArn", &id)]).0)?;
        return Ok(Step::Done);
    }
    if work.resource.kind == "AWS::IAM::Policy" {
        let name = text(&work.resource.properties["PolicyName"]).unwrap_or_default();
        for role in work.resource.properties["Roles"].as_array().cloned().unwrap_or_default() {
            take_out(work, &text(&role).unwrap_or_default(), &name)?;
        }
        return Ok(Step::Done);
    }
    // What the template put there, and no more: a policy that somebody else attached makes the deletion fail.
    let properties = work.resource.properties.clone();
    for arn in managed(&properties) {
        detach(work, &id, &arn)?;
    }
    for (name, _) in inline(&properties) {
        take_out(work, &id, &name)?;
    }
    work.query("iam", "DeleteRole", Query::new(&[("RoleName", &id)]).0)?;
    Ok(Step::Done)
}
