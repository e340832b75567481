//! What the requests about clusters and instances carry, checked.

use super::context::Context;
use super::refusals::{combination, invalid};
use super::state::{Scaling, SubnetGroup};
use super::versions;
use crate::wire::{Fault, Params};
use std::collections::BTreeSet;

/// 8 to 41 printable ASCII characters without `/`, `"` and `@` (fact book, section 1.7).
pub(super) fn check_password(password: &str) -> Result<(), Fault> {
    if !(8..=41).contains(&password.len()) {
        return Err(invalid(
            "The parameter MasterUserPassword is not a valid password because it is not between 8 and 41 \
             characters long.",
        ));
    }
    if password.chars().any(|l| !(' '..='~').contains(&l) || "/\"@".contains(l)) {
        return Err(invalid(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters \
             besides '/', '@', '\"', ' ' may be used.",
        ));
    }
    Ok(())
}

/// A whole number within `range`, if it is given.
pub(super) fn number(
    p: &Params,
    name: &str,
    range: std::ops::RangeInclusive<u64>,
) -> Result<Option<u64>, Fault> {
    let Some(text) = p.get(name) else { return Ok(None) };
    match text.parse::<u64>() {
        Ok(number) if range.contains(&number) => Ok(Some(number)),
        _ => Err(invalid(format!(
            "Invalid value {text} for {name}: must be between {} and {}.",
            range.start(),
            range.end()
        ))),
    }
}

/// The security groups that the request names; each must exist, in the VPC of the DB subnet group. AWS's
/// answer to another VPC is not in the fact book; it is quoted in terraform-aws-modules/terraform-aws-rds#451.
pub(super) fn security_groups(
    c: &Context<'_>,
    network: Option<&SubnetGroup>,
) -> Result<Option<Vec<String>>, Fault> {
    let given = c.params().list("VpcSecurityGroupIds");
    let here = network.and_then(|network| network.vpc.as_deref());
    for group in given.iter().filter(|_| !c.rds.lenient) {
        let Some(vpc) = c.ec2.security_group_vpc(group) else {
            return Err(invalid(format!("Invalid security group , groupId= {group}, groupName=.")));
        };
        if let Some(here) = here.filter(|here| *here != vpc) {
            return Err(combination(format!(
                "The DB instance and EC2 security group are in different VPCs. The DB instance is in {here} and \
                 the EC2 security group is in {vpc}"
            )));
        }
    }
    Ok((!given.is_empty()).then_some(given))
}

pub(super) fn storage_type(p: &Params) -> Result<Option<String>, Fault> {
    match p.get("StorageType") {
        None | Some("" | "aurora") => Ok(None),
        Some("aurora-iopt1") => Ok(Some("aurora-iopt1".into())),
        Some(other) => Err(invalid(format!("Invalid storage type: {other}"))),
    }
}

pub(super) fn log_exports(given: Vec<String>) -> Result<BTreeSet<String>, Fault> {
    let known = ["audit", "error", "general", "iam-db-auth-error", "instance", "slowquery"];
    match given.iter().find(|log| !known.contains(&log.as_str())) {
        Some(log) => Err(combination(format!(
            "You cannot use the log types '{log}' with engine version aurora-mysql. For supported log types, \
             see the documentation."
        ))),
        None => Ok(given.into_iter().collect()),
    }
}

fn is_time(text: &str) -> bool {
    text.split_once(':').is_some_and(|(hour, minute)| {
        hour.len() == 2
            && minute.len() == 2
            && hour.parse::<u8>().is_ok_and(|h| h < 24)
            && minute.parse::<u8>().is_ok_and(|m| m < 60)
    })
}

pub(super) fn backup_window(p: &Params) -> Result<Option<String>, Fault> {
    let Some(window) = p.get("PreferredBackupWindow") else { return Ok(None) };
    match window.split_once('-') {
        Some((from, to)) if is_time(from) && is_time(to) => Ok(Some(window.to_string())),
        _ => Err(invalid(format!("Invalid backup window format: {window}"))),
    }
}

pub(super) fn maintenance_window(p: &Params) -> Result<Option<String>, Fault> {
    let Some(window) = p.get("PreferredMaintenanceWindow") else { return Ok(None) };
    let window = window.to_ascii_lowercase();
    let is_moment = |text: &str| {
        text.split_once(':').is_some_and(|(day, time)| {
            ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].contains(&day) && is_time(time)
        })
    };
    match window.split_once('-') {
        Some((from, to)) if is_moment(from) && is_moment(to) => Ok(Some(window)),
        _ => Err(invalid(format!("Invalid maintenance window format: {window}"))),
    }
}

/// The Serverless v2 capacity that the request asks for, over what there was (fact book, section 1.10).
pub(super) fn scaling(p: &Params, version: &str, before: Option<&Scaling>) -> Result<Option<Scaling>, Fault> {
    let given = p.nested("ServerlessV2ScalingConfiguration");
    if given.is_empty() {
        return Ok(before.cloned());
    }
    let min = given.number("MinCapacity").or(before.map(|b| b.min));
    let max = given.number("MaxCapacity").or(before.map(|b| b.max));
    let (Some(min), Some(max)) = (min, max) else {
        return Err(invalid("Serverless v2 capacity needs both MinCapacity and MaxCapacity."));
    };
    let in_steps = |capacity: f64| (0.0..=256.0).contains(&capacity) && (capacity * 2.0).fract() == 0.0;
    if !in_steps(min) || !in_steps(max) {
        return Err(invalid("Serverless v2 capacity must be between 0 and 256 in steps of 0.5."));
    }
    if max < 1.0 || min > max {
        return Err(invalid(format!(
            "Serverless v2 maximum capacity {max} isn't valid. It must be at least 1 and at least the minimum \
             capacity {min}."
        )));
    }
    let can_pause = versions::find(version).is_some_and(|v| v.can_pause());
    if min == 0.0 && !can_pause {
        return Err(invalid(format!(
            "Serverless v2 capacity 0.0 isn't valid. The minimum capacity must be at least 0.5 for \
             aurora-mysql {version}."
        )));
    }
    let pause = number(&given, "SecondsUntilAutoPause", 300..=86_400)?;
    if pause.is_some() && min > 0.0 {
        return Err(combination("SecondsUntilAutoPause needs a minimum capacity of 0."));
    }
    let pause_after_seconds = pause.or(before.map(|b| b.pause_after_seconds)).unwrap_or(300);
    Ok(Some(Scaling { min, max, pause_after_seconds }))
}
