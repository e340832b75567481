//! Asks EC2 about the cluster's VPC.

use super::answers::text;
use crate::aws::{Aws, During, Failure};
use auroraml_core::verify::facts::{
    NatGateway, Network, Route, RouteTable, Rule, SecurityGroup, VpcEndpoint,
};
use aws_sdk_ec2::types::{ConnectivityType, Filter, IpPermission, RouteState, VpcEndpointType};
use serde_json::Value;

/// The VPC of a DB subnet group.
///
/// # Errors
/// The first question that was refused.
pub(super) async fn network(aws: &Aws, subnet_group: &str) -> Result<Network, Failure> {
    let request = aws.rds.describe_db_subnet_groups().db_subnet_group_name(subnet_group);
    let found = request.send().await.during("DescribeDBSubnetGroups")?;
    let group = found.db_subnet_groups().first();
    let vpc = text(group.and_then(|group| group.vpc_id()));
    if vpc.is_empty() {
        let why = format!("DB subnet group {subnet_group} has no VPC");
        return Err(Failure::refused("DescribeDBSubnetGroups", why));
    }
    let subnets = group.map(|group| group.subnets()).unwrap_or_default();
    let inside = || Filter::builder().name("vpc-id").values(&vpc).build();
    let (ranges, route_tables, nat_gateways, endpoints, security_groups) = tokio::try_join!(
        async {
            let pages = aws.ec2.describe_subnets().filters(inside()).into_paginator().items().send();
            pages.collect::<Result<Vec<_>, _>>().await.during("DescribeSubnets")
        },
        async {
            let pages = aws.ec2.describe_route_tables().filters(inside()).into_paginator().items().send();
            pages.collect::<Result<Vec<_>, _>>().await.during("DescribeRouteTables")
        },
        async {
            let pages = aws.ec2.describe_nat_gateways().filter(inside()).into_paginator().items().send();
            pages.collect::<Result<Vec<_>, _>>().await.during("DescribeNatGateways")
        },
        async {
            let pages = aws.ec2.describe_vpc_endpoints().filters(inside()).into_paginator().items().send();
            pages.collect::<Result<Vec<_>, _>>().await.during("DescribeVpcEndpoints")
        },
        async {
            let pages = aws.ec2.describe_security_groups().filters(inside()).into_paginator().items().send();
            pages.collect::<Result<Vec<_>, _>>().await.during("DescribeSecurityGroups")
        },
    )?;
    Ok(Network {
        subnets: subnets.iter().filter_map(|s| s.subnet_identifier().map(String::from)).collect(),
        ranges: ranges.iter().map(|subnet| (text(subnet.subnet_id()), text(subnet.cidr_block()))).collect(),
        route_tables: route_tables.iter().map(route_table).collect(),
        nat_gateways: nat_gateways
            .iter()
            .map(|gateway| NatGateway {
                id: text(gateway.nat_gateway_id()),
                state: gateway.state().map_or_else(String::new, |state| state.as_str().to_string()),
                subnet: text(gateway.subnet_id()),
                public: gateway.connectivity_type() != Some(&ConnectivityType::Private),
            })
            .collect(),
        endpoints: endpoints.iter().map(endpoint).collect(),
        security_groups: security_groups
            .iter()
            .map(|group| {
                let rules = |permissions: &[IpPermission]| permissions.iter().map(rule).collect();
                let ingress = rules(group.ip_permissions());
                let egress = rules(group.ip_permissions_egress());
                (text(group.group_id()), SecurityGroup { ingress, egress })
            })
            .collect(),
        vpc,
    })
}

fn route_table(table: &aws_sdk_ec2::types::RouteTable) -> RouteTable {
    let routes = table.routes().iter().filter_map(|route| {
        // IPv6 routes lead nowhere that an IPv4 cluster goes.
        let destination = route.destination_cidr_block().or(route.destination_prefix_list_id())?;
        let target = [
            route.nat_gateway_id(),
            route.transit_gateway_id(),
            route.vpc_peering_connection_id(),
            // A NAT instance is shown with both of its ids.
            route.instance_id(),
            route.network_interface_id(),
            route.local_gateway_id(),
            route.carrier_gateway_id(),
            route.core_network_arn(),
            route.gateway_id(),
        ];
        Some(Route {
            destination: destination.to_string(),
            target: text(target.into_iter().flatten().next()),
            active: route.state() != Some(&RouteState::Blackhole),
        })
    });
    let associations = table.associations();
    RouteTable {
        id: text(table.route_table_id()),
        main: associations.iter().any(|association| association.main() == Some(true)),
        subnets: associations.iter().filter_map(|a| a.subnet_id().map(String::from)).collect(),
        routes: routes.collect(),
    }
}

fn endpoint(endpoint: &aws_sdk_ec2::types::VpcEndpoint) -> VpcEndpoint {
    VpcEndpoint {
        id: text(endpoint.vpc_endpoint_id()),
        service: text(endpoint.service_name()),
        // The service answers `Available` as well as `available`.
        state: endpoint.state().map_or_else(String::new, |state| state.as_str().to_ascii_lowercase()),
        gateway: endpoint.vpc_endpoint_type() == Some(&VpcEndpointType::Gateway),
        private_dns: endpoint.private_dns_enabled() == Some(true),
        route_tables: endpoint.route_table_ids().to_vec(),
        subnets: endpoint.subnet_ids().to_vec(),
        security_groups: endpoint
            .groups()
            .iter()
            .filter_map(|group| group.group_id().map(String::from))
            .collect(),
        open: endpoint.policy_document().is_none_or(is_open),
    }
}

/// Whether an endpoint's policy is the one that AWS puts there by itself: everything for everybody.
fn is_open(policy: &str) -> bool {
    let policy: Value = serde_json::from_str(policy).unwrap_or(Value::Null);
    let statement = match &policy["Statement"] {
        Value::Array(statements) if statements.len() == 1 => &statements[0],
        other => other,
    };
    statement["Effect"] == "Allow"
        && ["Action", "Resource"].iter().all(|key| statement[*key] == "*")
        && statement["Condition"].is_null()
}

fn rule(permission: &IpPermission) -> Rule {
    let ranges = permission.ip_ranges().iter().filter_map(|range| range.cidr_ip());
    let groups = permission.user_id_group_pairs().iter().filter_map(|pair| pair.group_id());
    let lists = permission.prefix_list_ids().iter().filter_map(|list| list.prefix_list_id());
    Rule {
        protocol: text(permission.ip_protocol()),
        from_port: permission.from_port(),
        to_port: permission.to_port(),
        peers: ranges.chain(groups).chain(lists).map(String::from).collect(),
    }
}
