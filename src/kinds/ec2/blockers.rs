//! What keeps AWS from deleting an object, told so that a person can do something about it.
//!
//! AWS says "has dependencies" and no more. Network interfaces of RDS and SageMaker outlive their owner by
//! up to 45 minutes, and GuardDuty puts an endpoint and a security group of its own into a VPC (fact book,
//! section 5.5).

use super::{filter, tags_of};
use crate::aws::{Aws, Class, During, Failure, owns};
use crate::kinds::already_ok;
use auroraml_core::base::names::RESOURCE_TAG;
use aws_sdk_ec2::types::{Filter, NetworkInterface, NetworkInterfaceStatus, Tag};

/// Blocking objects that a message names; there can be hundreds.
const NAMED_MAX: usize = 6;

/// What is said of an object of this stack.
const OURS: &str = ", tagged as ";

/// What is to be deleted, and could not be.
#[derive(Clone, Copy)]
pub(in crate::kinds) enum Held<'a> {
    Vpc(&'a str),
    Subnet {
        id: &'a str,
        vpc: &'a str,
    },
    SecurityGroup(&'a str),
    /// By its allocation id.
    Address(&'a str),
    /// The internet gateway of this VPC.
    Gateway(&'a str),
}

/// A deletion's answer. Where the object is still in use, the failure says by what; interfaces that their
/// service has left behind in a subnet or security group are deleted with it, as the plan says.
pub(in crate::kinds) async fn explained<T>(
    aws: &Aws,
    result: Result<T, Failure>,
    held: Held<'_>,
) -> Result<T, Failure> {
    match result {
        Err(failure) if failure.is(Class::InUse) => Err(explain(aws, failure, held).await),
        other => other,
    }
}

async fn explain(aws: &Aws, mut failure: Failure, held: Held<'_>) -> Failure {
    // Whoever may delete a subnet may not be allowed to look at interfaces: the refusal itself matters more.
    let Ok(mut blockers) = blockers(aws, held).await else { return failure };
    if blockers.is_empty() {
        return failure;
    }
    // Whatever the plan knew of has gone before the VPC: what is there and ours was made by a run that was killed, and
    // showed only afterwards. The next look finds it; nobody waits an hour for it to go by itself.
    if matches!(held, Held::Vpc(_)) && blockers.iter().all(|blocker| blocker.contains(OURS)) {
        failure.class = Class::Propagating;
    }
    let more = blockers.len().saturating_sub(NAMED_MAX);
    blockers.truncate(NAMED_MAX);
    if more > 0 {
        blockers.push(format!("and {more} more"));
    }
    failure.message =
        format!("{}; in the way: {}", failure.message.trim_end_matches('.'), blockers.join("; "));
    failure
}

async fn blockers(aws: &Aws, held: Held<'_>) -> Result<Vec<String>, Failure> {
    let by = match held {
        Held::Vpc(id) | Held::Gateway(id) => filter("vpc-id", id),
        Held::Subnet { id, .. } => filter("subnet-id", id),
        Held::SecurityGroup(id) => filter("group-id", id),
        Held::Address(id) => filter("association.allocation-id", id),
    };
    let mut blockers = interfaces(aws, by, held).await?;
    match held {
        Held::Vpc(id) => {
            blockers.extend(endpoints(aws, id).await?);
            blockers.extend(groups(aws, id).await?);
            blockers.extend(subnets(aws, id).await?);
        }
        Held::Subnet { vpc, .. } => {
            let endpoints = endpoints(aws, vpc).await?;
            blockers.extend(endpoints.into_iter().filter(|text| text.contains("GuardDuty")));
        }
        Held::SecurityGroup(id) => blockers.extend(referring(aws, id).await?),
        Held::Address(_) | Held::Gateway(_) => {}
    }
    Ok(blockers)
}

async fn interfaces(aws: &Aws, by: Filter, held: Held<'_>) -> Result<Vec<String>, Failure> {
    let with_address = matches!(held, Held::Gateway(_));
    // Of these kinds the plan says that it goes with them.
    let may_delete = matches!(held, Held::Subnet { .. } | Held::SecurityGroup(_));
    let items = aws.ec2.describe_network_interfaces().filters(by).into_paginator().items().send();
    let found = items.collect::<Result<Vec<_>, _>>().await.during("DescribeNetworkInterfaces")?;
    let mut blockers = Vec::new();
    for interface in found.iter().filter(|interface| !with_address || interface.association().is_some()) {
        let id = interface.network_interface_id().unwrap_or_default();
        let text = |value: Option<&str>| value.filter(|text| !text.is_empty()).map(String::from);
        let what = text(interface.description()).unwrap_or_else(|| "no description".into());
        let whose = match text(interface.requester_id()) {
            Some(requester) => format!(", created by {requester}"),
            None => String::new(),
        };
        let status = interface.status().map_or("in an unknown state", NetworkInterfaceStatus::as_str);
        let mut fate = "";
        if may_delete && left_behind(interface) {
            let request = aws.ec2.delete_network_interface().network_interface_id(id);
            let deleted = already_ok(request.send().await.during("DeleteNetworkInterface"), Class::NotFound);
            fate = if deleted.is_ok() { ": left behind, now deleted" } else { ": could not be deleted" };
        }
        blockers.push(format!("network interface {id} ({what}{whose}, {status}){fate}"));
    }
    Ok(blockers)
}

/// Whether RDS or SageMaker made it and has let go of it. What is in use, or a person's, is not ours to
/// delete.
fn left_behind(interface: &NetworkInterface) -> bool {
    let made_for_us = |text: &str| text == "RDSNetworkInterface" || text.contains("SageMaker");
    interface.status() == Some(&NetworkInterfaceStatus::Available)
        && interface.attachment().is_none()
        && interface.description().is_some_and(made_for_us)
}

async fn endpoints(aws: &Aws, vpc: &str) -> Result<Vec<String>, Failure> {
    let items =
        aws.ec2.describe_vpc_endpoints().filters(filter("vpc-id", vpc)).into_paginator().items().send();
    let found = items.collect::<Result<Vec<_>, _>>().await.during("DescribeVpcEndpoints")?;
    let told = found.iter().map(|endpoint| {
        let id = endpoint.vpc_endpoint_id().unwrap_or_default();
        let service = endpoint.service_name().unwrap_or_default();
        if service.ends_with(".guardduty-data") || is_guardduty(endpoint.tags()) {
            let remove = format!("aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {id}");
            return format!(
                "GuardDuty's endpoint {id}: switch off its Runtime Monitoring for this VPC, or `{remove}`"
            );
        }
        format!("endpoint {id} of {service}{}", ours(aws, endpoint.tags()))
    });
    Ok(told.collect())
}

async fn groups(aws: &Aws, vpc: &str) -> Result<Vec<String>, Failure> {
    let items =
        aws.ec2.describe_security_groups().filters(filter("vpc-id", vpc)).into_paginator().items().send();
    let found = items.collect::<Result<Vec<_>, _>>().await.during("DescribeSecurityGroups")?;
    let told = found.iter().filter(|group| group.group_name() != Some("default")).map(|group| {
        let (id, name) = (group.group_id().unwrap_or_default(), group.group_name().unwrap_or_default());
        if name.starts_with("GuardDutyManagedSecurityGroup") || is_guardduty(group.tags()) {
            let remove = format!("aws ec2 delete-security-group --group-id {id}");
            return format!("GuardDuty's security group {id}: once its endpoint is gone, `{remove}`");
        }
        format!("security group {id} ({name}){}", ours(aws, group.tags()))
    });
    Ok(told.collect())
}

async fn subnets(aws: &Aws, vpc: &str) -> Result<Vec<String>, Failure> {
    let items = aws.ec2.describe_subnets().filters(filter("vpc-id", vpc)).into_paginator().items().send();
    let found = items.collect::<Result<Vec<_>, _>>().await.during("DescribeSubnets")?;
    let told = found.iter().map(|subnet| {
        let id = subnet.subnet_id().unwrap_or_default();
        format!("subnet {id} ({}){}", subnet.cidr_block().unwrap_or_default(), ours(aws, subnet.tags()))
    });
    Ok(told.collect())
}

/// Groups whose rules refer to this one.
async fn referring(aws: &Aws, group: &str) -> Result<Vec<String>, Failure> {
    let mut told = Vec::new();
    for direction in ["ip-permission.group-id", "egress.ip-permission.group-id"] {
        let request = aws.ec2.describe_security_groups().filters(filter(direction, group));
        let items = request.into_paginator().items().send();
        let found = items.collect::<Result<Vec<_>, _>>().await.during("DescribeSecurityGroups")?;
        for other in found.iter().filter(|other| other.group_id() != Some(group)) {
            let (id, name) = (other.group_id().unwrap_or_default(), other.group_name().unwrap_or_default());
            told.push(format!(
                "a rule of security group {id} ({name}) refers to it{}",
                ours(aws, other.tags())
            ));
        }
    }
    Ok(told)
}

fn is_guardduty(tags: &[Tag]) -> bool {
    tags_of(tags).get("GuardDutyManaged").is_some_and(|value| value == "true")
}

/// Which resource of this stack or of another it is, if it is one.
fn ours(aws: &Aws, tags: &[Tag]) -> String {
    let tags = tags_of(tags);
    let Some(name) = tags.get(RESOURCE_TAG) else { return String::new() };
    match owns(&aws.place, &tags) {
        true => format!("{OURS}{name}"),
        false => format!(", {name} of another stack"),
    }
}
