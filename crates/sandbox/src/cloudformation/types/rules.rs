//! Rules of security groups: those within a group's properties, and those that are resources of their own.

use crate::cloudformation::work::{Outcome, Query, Step, Work, text};
use crate::wire::Fault;
use serde_json::Value;

/// The members of one rule, as `IpPermissions.1.…`.
fn permission(rule: &Value, prefix: &str, is_egress: bool) -> Vec<(String, String)> {
    let get = |name: &str| text(&rule[name]);
    let mut query = Query::default()
        .and(&format!("{prefix}.IpProtocol"), get("IpProtocol").unwrap_or_default())
        .maybe(&format!("{prefix}.FromPort"), get("FromPort"))
        .maybe(&format!("{prefix}.ToPort"), get("ToPort"));
    let end = if is_egress { "Destination" } else { "Source" };
    let peers = [
        ("IpRanges", "CidrIp", get("CidrIp")),
        ("Groups", "GroupId", get(&format!("{end}SecurityGroupId"))),
        ("PrefixListIds", "PrefixListId", get(&format!("{end}PrefixListId"))),
    ];
    for (list, member, value) in peers {
        if let Some(value) = value {
            query = query
                .and(&format!("{prefix}.{list}.1.{member}"), value)
                .maybe(&format!("{prefix}.{list}.1.Description"), get("Description"));
        }
    }
    query.0
}

fn authorize(work: &mut Work<'_>, group: &str, rule: &Value, is_egress: bool) -> Result<String, Fault> {
    let mut query = Query::new(&[("GroupId", group)]).0;
    query.extend(permission(rule, "IpPermissions.1", is_egress));
    let operation = if is_egress { "AuthorizeSecurityGroupEgress" } else { "AuthorizeSecurityGroupIngress" };
    let answer = work.query("ec2", operation, query)?;
    Ok(answer.text("securityGroupRuleSet/item/securityGroupRuleId"))
}

fn direction(work: &Work<'_>) -> bool {
    work.resource.kind.ends_with("Egress")
}

pub(super) fn create(work: &mut Work<'_>) -> Outcome {
    let (group, is_egress) = (work.need("GroupId"), direction(work));
    let rule = work.wanted.clone();
    let id = authorize(work, &group, &rule, is_egress)?;
    work.resource.physical.clone_from(&id);
    work.set("Id", id);
    Ok(Step::Done)
}

pub(super) fn delete(work: &mut Work<'_>) -> Outcome {
    let group = work.resource.properties["GroupId"].as_str().unwrap_or_default().to_string();
    let id = work.resource.physical.clone();
    let operation = if direction(work) { "RevokeSecurityGroupEgress" } else { "RevokeSecurityGroupIngress" };
    let query = Query::new(&[("GroupId", &group), ("SecurityGroupRuleId.1", &id)]);
    work.query("ec2", operation, query.0)?;
    Ok(Step::Done)
}

/// A new description, which is all that a rule takes.
pub(super) fn describe(work: &mut Work<'_>) -> Outcome {
    let is_egress = direction(work);
    let mut query = Query::default()
        .and("GroupId", work.need("GroupId"))
        .and("SecurityGroupRule.1.SecurityGroupRuleId", work.resource.physical.clone());
    let end = if is_egress { "Destination" } else { "Source" };
    let rule = "SecurityGroupRule.1.SecurityGroupRule";
    query = query
        .and(&format!("{rule}.IpProtocol"), work.need("IpProtocol"))
        .maybe(&format!("{rule}.FromPort"), work.property("FromPort"))
        .maybe(&format!("{rule}.ToPort"), work.property("ToPort"))
        .maybe(&format!("{rule}.CidrIpv4"), work.property("CidrIp"))
        .maybe(&format!("{rule}.ReferencedGroupId"), work.property(&format!("{end}SecurityGroupId")))
        .maybe(&format!("{rule}.PrefixListId"), work.property(&format!("{end}PrefixListId")))
        .maybe(&format!("{rule}.Description"), work.property("Description"));
    work.query("ec2", "ModifySecurityGroupRules", query.0)?;
    Ok(Step::Done)
}

fn of_group(properties: &Value) -> Vec<(bool, Value)> {
    let all = |name: &str, is_egress: bool| -> Vec<(bool, Value)> {
        properties[name].as_array().into_iter().flatten().map(|rule| (is_egress, rule.clone())).collect()
    };
    let mut rules = all("SecurityGroupIngress", false);
    rules.extend(all("SecurityGroupEgress", true));
    rules
}

fn all_egress() -> Value {
    serde_json::json!({"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"})
}

fn revoke(work: &mut Work<'_>, rule: &Value, is_egress: bool) -> Result<(), Fault> {
    let mut query = Query::default().and("GroupId", work.attribute("GroupId")).0;
    query.extend(permission(rule, "IpPermissions.1", is_egress));
    let operation = if is_egress { "RevokeSecurityGroupEgress" } else { "RevokeSecurityGroupIngress" };
    match work.query("ec2", operation, query) {
        Err(fault) if fault.code == "InvalidPermission.NotFound" => Ok(()),
        other => other.map(|_| ()),
    }
}

/// One rule at a time; with rules for what goes out, the one that allows everything goes first
/// (AWS::EC2::SecurityGroup, "SecurityGroupEgress").
pub(super) fn inline(work: &mut Work<'_>, at: u32) -> Outcome {
    let wanted = of_group(work.wanted);
    let before = of_group(work.before);
    if at == 0 {
        let has = |rules: &[(bool, Value)]| rules.iter().any(|(is_egress, _)| *is_egress);
        if has(&wanted) && !has(&before) {
            revoke(work, &all_egress(), true)?;
        }
        return Ok(Step::Next);
    }
    let new: Vec<&(bool, Value)> = wanted.iter().filter(|rule| !before.contains(rule)).collect();
    let Some((is_egress, rule)) = new.get(at as usize - 1) else {
        if work.list("SecurityGroupEgress").is_empty()
            && !wanted.iter().any(|(is_egress, _)| *is_egress)
            && before.iter().any(|(is_egress, _)| *is_egress)
        {
            let group = work.attribute("GroupId");
            authorize(work, &group, &all_egress(), true)?;
        }
        return Ok(Step::Done);
    };
    let group = work.attribute("GroupId");
    authorize(work, &group, rule, *is_egress)?;
    Ok(Step::Next)
}

/// What is not wanted any more goes before anything new comes.
pub(super) fn replace_inline(work: &mut Work<'_>) -> Outcome {
    let wanted = of_group(work.wanted);
    for (is_egress, rule) in of_group(work.before) {
        if !wanted.contains(&(is_egress, rule.clone())) {
            revoke(work, &rule, is_egress)?;
        }
    }
    Ok(Step::Next)
}
