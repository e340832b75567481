//! The network: what is one resource to auroraml, and several to CloudFormation, is unfolded.

use super::super::context::{Context, Written};
use super::super::node::Node;
use super::props;
use crate::kinds::{elastic_ip, internet_gateway, nat_gateway, route_table, subnet, vpc, vpc_endpoint};
use crate::resource::Resource;
use serde_json::Value;

pub fn vpc(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let vpc::Props { cidr, dns_hostnames, tags } = props(resource);
    let vpc = context.written(resource, "AWS::EC2::VPC").with([
        ("CidrBlock", Some(Node::text(cidr))),
        ("EnableDnsSupport", Some(Node::Bool(true))),
        ("EnableDnsHostnames", Some(Node::Bool(dns_hostnames))),
        ("Tags", context.tags(&tags)),
    ]);
    vec![vpc]
}

pub fn internet_gateway(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let internet_gateway::Props { vpc, tags } = props(resource);
    let gateway =
        context.written(resource, "AWS::EC2::InternetGateway").with([("Tags", context.tags(&tags))]);
    let attachment = Written {
        id: format!("{}Attachment", gateway.id),
        kind: "AWS::EC2::VPCGatewayAttachment",
        ..Written::default()
    };
    let attachment = attachment.with([
        ("VpcId", Some(context.input(&vpc))),
        ("InternetGatewayId", Some(Node::reference(&gateway.id))),
    ]);
    vec![gateway, attachment]
}

pub fn subnet(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let subnet::Props { vpc, cidr, zone, public, tags } = props(resource);
    let mut subnet = context.written(resource, "AWS::EC2::Subnet").with([
        ("VpcId", Some(context.input(&vpc))),
        ("CidrBlock", Some(Node::text(cidr))),
        ("AvailabilityZone", Some(context.text(&zone))),
        ("MapPublicIpOnLaunch", Some(Node::Bool(public))),
        ("Tags", context.tags(&tags)),
    ]);
    if public {
        subnet = subnet.skip("CKV_AWS_130", "the public subnet is for the NAT gateway and public services");
    }
    vec![subnet]
}

pub fn elastic_ip(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let elastic_ip::Props { tags } = props(resource);
    let mut address = context
        .written(resource, "AWS::EC2::EIP")
        .with([("Domain", Some(Node::text("vpc"))), ("Tags", context.tags(&tags))]);
    // "If you define an Elastic IP address and associate it with a VPC that is defined in the same template, you must
    // declare a dependency on the VPC-gateway attachment" (template reference, AWS::EC2::EIP).
    address.depends.extend(attachments(context));
    vec![address]
}

pub fn nat_gateway(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let nat_gateway::Props { subnet, address, tags } = props(resource);
    let gateway = context.written(resource, "AWS::EC2::NatGateway").with([
        ("SubnetId", Some(context.input(&subnet))),
        ("AllocationId", Some(context.input(&address))),
        ("Tags", context.tags(&tags)),
    ]);
    vec![gateway]
}

pub fn route_table(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let route_table::Props { vpc, routes, subnets, tags } = props(resource);
    let table = context
        .written(resource, "AWS::EC2::RouteTable")
        .with([("VpcId", Some(context.input(&vpc))), ("Tags", context.tags(&tags))]);
    let id = table.id.clone();
    let reference = || Some(Node::reference(&id));
    let mut all = vec![table];
    for (n, (destination, gateway)) in routes.iter().enumerate() {
        let route =
            Written { id: format!("{id}Route{}", n + 1), kind: "AWS::EC2::Route", ..Written::default() };
        let target = context.input(gateway);
        let is_internet =
            matches!(gateway, crate::base::Input::Output { id, .. } if id.starts_with("internet_gateway."));
        let mut route = route.with([
            ("RouteTableId", reference()),
            ("DestinationCidrBlock", Some(Node::text(destination))),
            (if is_internet { "GatewayId" } else { "NatGatewayId" }, Some(target)),
        ]);
        if is_internet {
            // A gateway takes a route only once it is attached, and nothing else tells CloudFormation so.
            route.depends.extend(attachments(context));
        }
        all.push(route);
    }
    for (n, subnet) in subnets.iter().enumerate() {
        let association = Written {
            id: format!("{id}Association{}", n + 1),
            kind: "AWS::EC2::SubnetRouteTableAssociation",
            ..Written::default()
        };
        all.push(
            association.with([("RouteTableId", reference()), ("SubnetId", Some(context.input(subnet)))]),
        );
    }
    all
}

fn attachments(context: &Context<'_>) -> Vec<String> {
    context
        .ids
        .keys()
        .filter(|id| id.kind == "internet_gateway")
        .flat_map(|id| context.complete(id))
        .collect()
}

pub fn vpc_endpoint(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let vpc_endpoint::Props {
        vpc,
        service,
        gateway,
        private_dns,
        route_tables,
        subnets,
        security_groups,
        tags,
    } = props(resource);
    let list = |inputs: &[crate::base::Input]| (!inputs.is_empty()).then(|| context.inputs(inputs));
    let endpoint = context.written(resource, "AWS::EC2::VPCEndpoint").with([
        ("VpcId", Some(context.input(&vpc))),
        ("VpcEndpointType", Some(Node::text(if gateway { "Gateway" } else { "Interface" }))),
        ("ServiceName", Some(context.data(&Value::String(service)))),
        ("PrivateDnsEnabled", private_dns.map(Node::Bool)),
        ("RouteTableIds", list(&route_tables)),
        ("SubnetIds", list(&subnets)),
        ("SecurityGroupIds", list(&security_groups)),
        ("Tags", context.tags(&tags)),
    ]);
    vec![endpoint]
}
