//! The stack's VPC: DNS, endpoints' policies, routes that a plan takes no notice of, and what others put into it.

use super::{Add, Part, known, ours};
use crate::aws::{During, Failure, Look};
use crate::kinds::ec2::{self, filter};
use auroraml_core::base::{Id, Observed, policy};
use auroraml_core::drift::{Beyond, Foreign, Severity};
use aws_sdk_ec2::types::{NatGatewayState, Route, RouteOrigin, RouteState, Tag, VpcAttributeName};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The tag by which GuardDuty marks what it puts into VPCs: an echo of AWS, and no drift (fact book, section 5.5).
const GUARDDUTY_TAG: &str = "GuardDutyManaged";

pub(super) async fn gather(look: Look<'_>, observed: &Observed) -> Vec<Part> {
    let id = Id::new("vpc", "main");
    let Some(vpc) = observed.get(&id).filter(|live| live.owned).and_then(|live| live.output("id")) else {
        return Vec::new();
    };
    let (dns, routes, policies, inside) = tokio::join!(
        Box::pin(dns(look, &id, vpc)),
        Box::pin(routes(look, observed)),
        Box::pin(policies(look, observed)),
        Box::pin(inside(look, &id, vpc, observed)),
    );
    let mut parts = vec![
        Part::new("DNS in the VPC", dns),
        Part::new("routes", routes),
        Part::new("policies of VPC endpoints", policies),
    ];
    parts.extend(inside);
    parts
}

async fn dns(look: Look<'_>, id: &Id, vpc: &str) -> Result<Beyond, Failure> {
    let request =
        look.aws.ec2.describe_vpc_attribute().vpc_id(vpc).attribute(VpcAttributeName::EnableDnsSupport);
    let answer = request.send().await.during("DescribeVpcAttribute")?;
    let mut beyond = Beyond::default();
    if let Some(on) = answer.enable_dns_support().and_then(|attribute| attribute.value()) {
        beyond.set(id, "dns_support", on);
    }
    Ok(beyond)
}

/// Routes that are no property of a route table: those to prefix lists, those that a VPN put there, and dead ones.
async fn routes(look: Look<'_>, observed: &Observed) -> Result<Beyond, Failure> {
    let tables = ec2::route_tables(look).await?;
    let mut beyond = Beyond::default();
    for (live, table) in ours(observed, "route_table", "id") {
        let found = tables.iter().filter(|one| one.route_table_id() == Some(table));
        for (what, why) in found.flat_map(|table| table.routes()).filter_map(unnoticed) {
            beyond.foreign.push(Foreign {
                on: live.id.clone(),
                what,
                severity: Severity::Wiring,
                why: why.into(),
            });
        }
    }
    Ok(beyond)
}

fn unnoticed(route: &Route) -> Option<(String, &'static str)> {
    let to = route.destination_cidr_block().or(route.destination_ipv6_cidr_block());
    let to = to.or(route.destination_prefix_list_id())?;
    let leads = route.gateway_id().unwrap_or("another target");
    let what = format!("route {to} to {leads}");
    if route.origin() == Some(&RouteOrigin::EnableVgwRoutePropagation) {
        return Some((what, "a virtual private gateway propagates it"));
    }
    if route.state() == Some(&RouteState::Blackhole) {
        return Some((what, "its target no longer exists: traffic sent there is lost"));
    }
    // Those of gateway endpoints lead to prefix lists, and come and go with them.
    let to_list = route.destination_prefix_list_id().is_some() && !leads.starts_with("vpce-");
    to_list.then_some((what, "the spec does not have it"))
}

/// Policies of endpoints: AWS's own lets everything through.
async fn policies(look: Look<'_>, observed: &Observed) -> Result<Beyond, Failure> {
    let endpoints = ec2::endpoints(look).await?;
    let statement = json!({ "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*" });
    let statements = |document: &Value| policy::normal(document)["Statement"].clone();
    let full = statements(&policy::document(vec![statement]));
    let mut beyond = Beyond::default();
    for (live, endpoint) in ours(observed, "vpc_endpoint", "id") {
        let found = endpoints.iter().find(|one| one.vpc_endpoint_id() == Some(endpoint));
        let Some(text) = found.and_then(|endpoint| endpoint.policy_document()) else { continue };
        let document: Value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
        let shown = if statements(&document) == full { "full access".into() } else { document };
        beyond.set(&live.id, "policy", shown);
    }
    Ok(beyond)
}

/// What is in the VPC and was not seen as the stack's.
async fn inside(look: Look<'_>, id: &Id, vpc: &str, observed: &Observed) -> Vec<Part> {
    let (ec2, within) = (&look.aws.ec2, || filter("vpc-id", vpc));
    let known = known(observed);
    macro_rules! list {
        ($request:ident, $filter:ident, $operation:literal) => {
            Box::pin(async {
                let pages = ec2.$request().$filter(within()).into_paginator().items().send();
                pages.collect::<Result<Vec<_>, _>>().await.during($operation)
            })
        };
    }
    let (subnets, groups, tables, endpoints, gateways) = tokio::join!(
        list!(describe_subnets, filters, "DescribeSubnets"),
        list!(describe_security_groups, filters, "DescribeSecurityGroups"),
        list!(describe_route_tables, filters, "DescribeRouteTables"),
        list!(describe_vpc_endpoints, filters, "DescribeVpcEndpoints"),
        list!(describe_nat_gateways, filter, "DescribeNatGateways"),
    );
    let subnets = subnets.map(|all| {
        let others = all.iter().filter_map(|one| one.subnet_id().map(|id| (id, one.tags())));
        foreign(id, &known, others, "subnet", Severity::Settings)
    });
    let groups = groups.map(|all| {
        // Every VPC has a default one.
        let all = all.iter().filter(|one| one.group_name() != Some("default"));
        let others = all.filter_map(|one| one.group_id().map(|id| (id, one.tags())));
        foreign(id, &known, others, "security group", Severity::Settings)
    });
    let tables = tables.map(|all| {
        let is_main = |one: &&aws_sdk_ec2::types::RouteTable| {
            one.associations().iter().any(|association| association.main() == Some(true))
        };
        let others = all.iter().filter(|one| !is_main(one));
        let others = others.filter_map(|one| one.route_table_id().map(|id| (id, one.tags())));
        foreign(id, &known, others, "route table", Severity::Settings)
    });
    let endpoints = endpoints.map(|all| {
        let alive = all.iter().filter(|one| !ec2::is_dead(one));
        let others = alive.filter_map(|one| one.vpc_endpoint_id().map(|id| (id, one.tags())));
        foreign(id, &known, others, "VPC endpoint", Severity::Cost)
    });
    let gateways = gateways.map(|all| {
        let alive = all
            .iter()
            .filter(|one| matches!(one.state(), Some(NatGatewayState::Pending | NatGatewayState::Available)));
        let others = alive.filter_map(|one| one.nat_gateway_id().map(|id| (id, one.tags())));
        foreign(id, &known, others, "NAT gateway", Severity::Cost)
    });
    vec![
        Part::new("subnets of the VPC", subnets),
        Part::new("security groups of the VPC", groups),
        Part::new("route tables of the VPC", tables),
        Part::new("endpoints of the VPC", endpoints),
        Part::new("NAT gateways of the VPC", gateways),
    ]
}

fn foreign<'a>(
    vpc: &Id,
    known: &BTreeMap<&str, &Id>,
    all: impl Iterator<Item = (&'a str, &'a [Tag])>,
    what: &str,
    severity: Severity,
) -> Beyond {
    let is_aws_s = |tags: &[Tag]| tags.iter().any(|tag| tag.key() == Some(GUARDDUTY_TAG));
    let others = all.filter(|(id, tags)| !known.contains_key(id) && !is_aws_s(tags));
    let foreign = others.map(|(id, _)| Foreign {
        on: vpc.clone(),
        what: format!("{what} {id}"),
        severity,
        why: "others created it in the stack's VPC, and destroy cannot delete the VPC while it exists".into(),
    });
    Beyond { foreign: foreign.collect(), ..Beyond::default() }
}
