//! Quotas of the network, and what rules of security groups need.

use super::{Check, Findings, PAGES_MAX, quota, raise};
use crate::aws::{Aws, During, Failure};
use auroraml_core::base::{Id, Input, counted};
use auroraml_core::kinds::{nat_gateway, security_group, subnet, vpc_endpoint};
use auroraml_core::model::Code;
use aws_sdk_ec2::types::Filter;
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

/// What a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    Vpcs,
    Addresses,
    InternetGateways,
    GatewayEndpoints,
}
use Counted::{Addresses, GatewayEndpoints, InternetGateways, Vpcs};

/// Kind, what it is called, and the quota: Amazon VPC User Guide, "Amazon VPC quotas", has the values (fact book, section
/// 5.4); the codes are those that ListServiceQuotas gives to others who keep them in public.
const QUOTAS: &[(Counted, &str, &str, Code, &str, &str)] = &[
    (Vpcs, "vpc", "VPCs", Code::VpcQuota, "vpc", "L-F678F1CE"),
    (Addresses, "elastic_ip", "Elastic IP addresses", Code::AddressQuota, "ec2", "L-0263D0A3"),
    (
        InternetGateways,
        "internet_gateway",
        "internet gateways",
        Code::InternetGatewayQuota,
        "vpc",
        "L-A4707A72",
    ),
    (GatewayEndpoints, "vpc_endpoint", "gateway endpoints", Code::GatewayEndpointQuota, "vpc", "L-1B52E74A"),
];
const NAT_GATEWAYS_PER_ZONE: &str = "L-FE5A380F";
const RULES_PER_DIRECTION: &str = "L-0EA8095F";
/// Rules that every security group may have in each direction: asked about only where more are wanted.
const RULES_ALWAYS: usize = 60;

/// New accounts have five of most (fact book, section 5.4).
pub(super) async fn quotas(of: Check<'_>) -> Findings {
    let mut findings = Findings::default();
    let asked = QUOTAS.iter().filter_map(|(counted, kind, what, code, service, quota_code)| {
        let is_gateway = |endpoint: &vpc_endpoint::Props| endpoint.gateway;
        let wanted = match counted {
            GatewayEndpoints => of.creates(kind).filter_map(|s| of.wanted(s)).filter(is_gateway).count(),
            _ => of.creates(kind).count(),
        };
        (wanted > 0).then_some(async move {
            let both = tokio::try_join!(count(of.aws, *counted), quota(of.aws, service, quota_code));
            (*what, *code, *quota_code, wanted, both)
        })
    });
    let (answers, nat) = tokio::join!(join_all(asked), nat_gateways(of));
    for (what, code, quota_code, wanted, both) in answers {
        let Some((there, quota)) = findings.take(&format!("the quota of {what}"), both) else { continue };
        if (there + wanted) as f64 > quota {
            let why =
                format!("{there} in use in {}, {wanted} more needed, and the quota is {quota}", of.region());
            findings.problem(code, what, why, raise(quota_code));
        }
    }
    let Some(full) = findings.take("the quota of NAT gateways", nat) else { return findings };
    for (zone, there, wanted, quota) in full {
        let why =
            format!("{there} in use in {zone}, {wanted} more needed, and the quota is {quota} per zone");
        findings.problem(Code::NatGatewayQuota, "NAT gateways", why, raise(NAT_GATEWAYS_PER_ZONE));
    }
    findings
}

async fn count(aws: &Aws, counted: Counted) -> Result<usize, Failure> {
    Ok(match counted {
        Vpcs => {
            let mut pages = aws.ec2.describe_vpcs().into_paginator().send();
            let mut count = 0;
            for _ in 0..PAGES_MAX {
                let Some(page) = pages.next().await else { break };
                count += page.during("DescribeVpcs")?.vpcs().len();
            }
            count
        }
        Addresses => aws.ec2.describe_addresses().send().await.during("DescribeAddresses")?.addresses().len(),
        InternetGateways => {
            let mut pages = aws.ec2.describe_internet_gateways().into_paginator().send();
            let mut count = 0;
            for _ in 0..PAGES_MAX {
                let Some(page) = pages.next().await else { break };
                count += page.during("DescribeInternetGateways")?.internet_gateways().len();
            }
            count
        }
        GatewayEndpoints => {
            let gateways = Filter::builder().name("vpc-endpoint-type").values("Gateway").build();
            let mut pages = aws.ec2.describe_vpc_endpoints().filters(gateways).into_paginator().send();
            let mut count = 0;
            for _ in 0..PAGES_MAX {
                let Some(page) = pages.next().await else { break };
                count += page.during("DescribeVpcEndpoints")?.vpc_endpoints().len();
            }
            count
        }
    })
}

/// Zones that cannot take the NAT gateways that they should: those that exist, those that are wanted, the quota.
/// "NAT gateways only count toward your quota in the pending, active, and deleting states" (Amazon VPC quotas).
async fn nat_gateways(of: Check<'_>) -> Result<Vec<(String, usize, usize, f64)>, Failure> {
    let zone_of = |subnet: &Input| match subnet {
        Input::Output { id, .. } => {
            let (_, resource) = of.graph.resources.iter().find(|(known, _)| known.to_string() == *id)?;
            serde_json::from_value::<subnet::Props>(resource.props.clone()).ok().map(|subnet| subnet.zone)
        }
        Input::Known(_) | Input::Joined { .. } => None,
    };
    let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
    for (_, nat) in of.created::<nat_gateway::Props>("nat_gateway") {
        if let Some(zone) = zone_of(&nat.subnet) {
            *wanted.entry(zone).or_default() += 1;
        }
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let counting = Filter::builder().name("state");
    let counting = counting.values("pending").values("available").values("deleting").build();
    let there = async {
        let mut pages = of.aws.ec2.describe_nat_gateways().filter(counting).into_paginator().send();
        let mut subnets = Vec::new();
        for _ in 0..PAGES_MAX {
            let Some(page) = pages.next().await else { break };
            let page = page.during("DescribeNatGateways")?;
            subnets.extend(page.nat_gateways().iter().filter_map(|nat| nat.subnet_id().map(String::from)));
        }
        Ok::<_, Failure>(subnets)
    };
    let (there, quota) = tokio::try_join!(there, quota(of.aws, "vpc", NAT_GATEWAYS_PER_ZONE))?;
    // In which zones they are matters only where they could be too many.
    if wanted.values().all(|wanted| (there.len() + wanted) as f64 <= quota) {
        return Ok(Vec::new());
    }
    let ids: BTreeSet<String> = there.iter().cloned().collect();
    let by_id = Filter::builder().name("subnet-id").set_values(Some(ids.into_iter().collect())).build();
    let mut zones: BTreeMap<String, String> = BTreeMap::new();
    if !there.is_empty() {
        let answer = of.aws.ec2.describe_subnets().filters(by_id).send().await;
        for subnet in answer.during("DescribeSubnets")?.subnets() {
            if let (Some(id), Some(zone)) = (subnet.subnet_id(), subnet.availability_zone()) {
                zones.insert(id.to_string(), zone.to_string());
            }
        }
    }
    let full = wanted.into_iter().filter_map(|(zone, wanted)| {
        let there = there.iter().filter(|subnet| zones.get(*subnet) == Some(&zone)).count();
        ((there + wanted) as f64 > quota).then_some((zone, there, wanted, quota))
    });
    Ok(full.collect())
}

/// Whether a security group may have its rules, and whether the groups are there that they name.
pub(super) async fn rules(of: Check<'_>) -> Findings {
    let mut findings = Findings::default();
    let written = of.writes("security_group", &["ingress", "egress"]);
    let groups: Vec<(String, security_group::Props)> =
        written.filter_map(|step| Some((step.id.to_string(), of.wanted(step)?))).collect();
    let many = groups.iter().any(|(_, group)| group.ingress.len().max(group.egress.len()) > RULES_ALWAYS);
    let quota = async {
        match many {
            true => quota(of.aws, "vpc", RULES_PER_DIRECTION).await.map(Some),
            false => Ok(None),
        }
    };
    let peers: BTreeSet<String> = groups
        .iter()
        .flat_map(|(_, group)| group.ingress.iter().chain(&group.egress))
        .filter_map(|rule| match &rule.peer {
            Input::Known(peer) if peer.starts_with("sg-") => Some(peer.clone()),
            _ => None,
        })
        .collect();
    let (quota, found) = tokio::join!(quota, vpcs_of(of.aws, &peers));
    if let Some(Some(quota)) = findings.take("the quota of rules in a security group", quota) {
        for (id, group) in &groups {
            for (side, count) in [("inbound", group.ingress.len()), ("outbound", group.egress.len())] {
                if count as f64 > quota {
                    let why = format!(
                        "it needs {}, and the quota is {quota}",
                        counted(count, &format!("{side} rule"))
                    );
                    let hint = format!(
                        "list fewer in `aurora.allow_from`, for example larger ranges, or raise the quota {RULES_PER_DIRECTION} in Service Quotas"
                    );
                    findings.problem(Code::RuleQuota, id, why, hint);
                }
            }
        }
    }
    let Some(found) = findings.take("the security groups in `aurora.allow_from`", found) else {
        return findings;
    };
    // A VPC that is still to be made is peered with none.
    let is_new = of.live_id(&Id::new("vpc", "main")).is_none();
    for peer in peers {
        match found.get(&peer) {
            None => findings.problem(
                Code::PeerGroupMissing,
                "aurora.allow_from",
                format!("security group {peer} does not exist in {}", of.region()),
                "correct its id, or remove it",
            ),
            // Rules name groups of the same VPC or of a peered one: EC2 API Reference, UserIdGroupPair.
            Some(vpc) if is_new => findings.problem(
                Code::PeerGroupElsewhere,
                "aurora.allow_from",
                format!("{peer} is in {vpc}, and the stack creates its own VPC: a rule can use only groups of the same VPC or of a peered one"),
                "use a range of addresses instead; or apply without it, peer the two VPCs, then add it",
            ),
            Some(_) => {}
        }
    }
    findings
}

/// The VPC of each of these security groups that is there.
async fn vpcs_of(aws: &Aws, groups: &BTreeSet<String>) -> Result<BTreeMap<String, String>, Failure> {
    if groups.is_empty() {
        return Ok(BTreeMap::new());
    }
    // By a filter: an id that is not there is refused where it is asked for by id.
    let by_id = Filter::builder().name("group-id").set_values(Some(groups.iter().cloned().collect())).build();
    let answer = aws.ec2.describe_security_groups().filters(by_id).send().await;
    let answer = answer.during("DescribeSecurityGroups")?;
    let text = |text: Option<&str>| text.unwrap_or_default().to_string();
    Ok(answer.security_groups().iter().map(|group| (text(group.group_id()), text(group.vpc_id()))).collect())
}
