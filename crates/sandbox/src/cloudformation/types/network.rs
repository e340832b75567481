//! EC2: what makes a VPC.

use super::{document, dropped, rules};
use crate::cloudformation::work::{Outcome, Query, Step, Work};
use crate::wire::Fault;

/// The operation that makes each, its id in the answer, and the type in tag specifications.
fn made_by(kind: &str) -> Option<(&'static str, &'static str, &'static str)> {
    Some(match kind {
        "AWS::EC2::VPC" => ("CreateVpc", "vpc/vpcId", "vpc"),
        "AWS::EC2::Subnet" => ("CreateSubnet", "subnet/subnetId", "subnet"),
        "AWS::EC2::InternetGateway" => {
            ("CreateInternetGateway", "internetGateway/internetGatewayId", "internet-gateway")
        }
        "AWS::EC2::EIP" => ("AllocateAddress", "publicIp", "elastic-ip"),
        "AWS::EC2::NatGateway" => ("CreateNatGateway", "natGateway/natGatewayId", "natgateway"),
        "AWS::EC2::RouteTable" => ("CreateRouteTable", "routeTable/routeTableId", "route-table"),
        "AWS::EC2::SecurityGroup" => ("CreateSecurityGroup", "groupId", "security-group"),
        "AWS::EC2::VPCEndpoint" => ("CreateVpcEndpoint", "vpcEndpoint/vpcEndpointId", "vpc-endpoint"),
        _ => return None,
    })
}

/// The attribute that has the same text as Ref.
fn id_attribute(kind: &str) -> &'static str {
    match kind {
        "AWS::EC2::VPC" => "VpcId",
        "AWS::EC2::Subnet" => "SubnetId",
        "AWS::EC2::InternetGateway" => "InternetGatewayId",
        "AWS::EC2::EIP" => "PublicIp",
        "AWS::EC2::NatGateway" => "NatGatewayId",
        "AWS::EC2::RouteTable" => "RouteTableId",
        "AWS::EC2::SecurityGroup" => "GroupId",
        _ => "Id",
    }
}

fn first(work: &Work<'_>) -> Query {
    let w = work;
    match w.resource.kind.as_str() {
        "AWS::EC2::VPC" => Query::default()
            .and("CidrBlock", w.need("CidrBlock"))
            .maybe("InstanceTenancy", w.property("InstanceTenancy")),
        "AWS::EC2::Subnet" => Query::default()
            .and("VpcId", w.need("VpcId"))
            .and("CidrBlock", w.need("CidrBlock"))
            .maybe("AvailabilityZone", w.property("AvailabilityZone")),
        "AWS::EC2::EIP" => Query::default().and("Domain", w.property("Domain").unwrap_or("vpc".into())),
        "AWS::EC2::NatGateway" => Query::default()
            .and("SubnetId", w.need("SubnetId"))
            .maybe("AllocationId", w.property("AllocationId"))
            .maybe("ConnectivityType", w.property("ConnectivityType")),
        "AWS::EC2::RouteTable" => Query::default().and("VpcId", w.need("VpcId")),
        "AWS::EC2::SecurityGroup" => Query::default()
            .and("GroupName", w.property("GroupName").unwrap_or_else(|| w.name.clone()))
            .and("GroupDescription", w.need("GroupDescription"))
            .maybe("VpcId", w.property("VpcId")),
        "AWS::EC2::VPCEndpoint" => Query::default()
            .and("ServiceName", w.need("ServiceName"))
            .and("VpcId", w.need("VpcId"))
            .maybe("VpcEndpointType", w.property("VpcEndpointType"))
            .maybe("PrivateDnsEnabled", w.property("PrivateDnsEnabled"))
            .maybe("PolicyDocument", document(w, "PolicyDocument"))
            .list("RouteTableId", w.list("RouteTableIds"))
            .list("SubnetId", w.list("SubnetIds"))
            .list("SecurityGroupId", w.list("SecurityGroupIds")),
        _ => Query::default(),
    }
}

pub(super) fn create(work: &mut Work<'_>) -> Outcome {
    let kind = work.resource.kind.clone();
    match (made_by(&kind), work.stage) {
        (Some((operation, id, resource_type)), 0) => {
            let query = first(work).specified(resource_type, &work.tags());
            let answer = work.query("ec2", operation, query.0)?;
            work.resource.physical = answer.text(id);
            work.set(id_attribute(&kind), answer.text(id));
            match kind.as_str() {
                "AWS::EC2::EIP" => work.set("AllocationId", answer.text("allocationId")),
                "AWS::EC2::SecurityGroup" => work.set("Id", answer.text("groupId")),
                _ => {}
            }
            Ok(Step::Next)
        }
        (Some(_), stage) => finish(work, &kind, stage),
        (None, _) => match kind.as_str() {
            "AWS::EC2::SecurityGroupIngress" | "AWS::EC2::SecurityGroupEgress" => rules::create(work),
            _ => join(work, &kind),
        },
    }
}

/// What comes after the object is there.
fn finish(work: &mut Work<'_>, kind: &str, stage: u32) -> Outcome {
    let id = work.resource.physical.clone();
    match (kind, stage) {
        ("AWS::EC2::VPC", 1) => dns(work, "EnableDnsSupport"),
        ("AWS::EC2::VPC", 2) => dns(work, "EnableDnsHostnames"),
        ("AWS::EC2::VPC", _) => {
            let group = Query::new(&[
                ("Filter.1.Name", "vpc-id"),
                ("Filter.1.Value.1", &id),
                ("Filter.2.Name", "group-name"),
                ("Filter.2.Value.1", "default"),
            ]);
            let found = work.query("ec2", "DescribeSecurityGroups", group.0)?;
            let lists = Query::new(&[("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", &id)]);
            let lists = work.query("ec2", "DescribeNetworkAcls", lists.0)?;
            work.set("DefaultSecurityGroup", found.text("securityGroupInfo/item/groupId"));
            work.set("DefaultNetworkAcl", lists.text("networkAclSet/item/networkAclId"));
            let cidr = work.need("CidrBlock");
            work.set("CidrBlock", cidr);
            Ok(Step::Done)
        }
        ("AWS::EC2::Subnet", 1) => {
            if work.property("MapPublicIpOnLaunch").as_deref() == Some("true") {
                map_public(work)?;
            }
            Ok(Step::Next)
        }
        ("AWS::EC2::Subnet", _) => {
            let found = work.query("ec2", "DescribeSubnets", Query::new(&[("SubnetId.1", &id)]).0)?;
            for (attribute, path) in
                [("AvailabilityZone", "availabilityZone"), ("CidrBlock", "cidrBlock"), ("VpcId", "vpcId")]
            {
                work.set(attribute, found.text(&format!("subnetSet/item/{path}")));
            }
            Ok(Step::Done)
        }
        ("AWS::EC2::NatGateway", _) => {
            let found = work.query("ec2", "DescribeNatGateways", Query::new(&[("NatGatewayId.1", &id)]).0)?;
            match found.text("natGatewaySet/item/state").as_str() {
                "available" => Ok(Step::Done),
                "failed" => Err(Fault::bad("NotStabilized", found.text("natGatewaySet/item/failureMessage"))),
                _ => Ok(Step::Later),
            }
        }
        ("AWS::EC2::SecurityGroup", _) => {
            let vpc = work.need("VpcId");
            work.set("VpcId", vpc);
            rules::inline(work, stage - 1)
        }
        ("AWS::EC2::VPCEndpoint", _) => {
            let found =
                work.query("ec2", "DescribeVpcEndpoints", Query::new(&[("VpcEndpointId.1", &id)]).0)?;
            let state = found.text("vpcEndpointSet/item/state");
            Ok(if state == "available" { Step::Done } else { Step::Later })
        }
        _ => Ok(Step::Done),
    }
}

fn dns(work: &mut Work<'_>, attribute: &str) -> Outcome {
    if let Some(value) = work.property(attribute).filter(|_| work.is_changed(attribute)) {
        let id = work.resource.physical.clone();
        let query = Query::new(&[("VpcId", &id)]).and(&format!("{attribute}.Value"), value);
        work.query("ec2", "ModifyVpcAttribute", query.0)?;
    }
    Ok(Step::Next)
}

fn map_public(work: &mut Work<'_>) -> Result<(), Fault> {
    let id = work.resource.physical.clone();
    let value = work.property("MapPublicIpOnLaunch").unwrap_or("false".into());
    let query = Query::new(&[("SubnetId", &id)]).and("MapPublicIpOnLaunch.Value", value);
    work.query("ec2", "ModifySubnetAttribute", query.0).map(|_| ())
}

/// Kinds that join others, and have no tags.
fn join(work: &mut Work<'_>, kind: &str) -> Outcome {
    match kind {
        "AWS::EC2::VPCGatewayAttachment" => {
            let (gateway, vpc) = (work.need("InternetGatewayId"), work.need("VpcId"));
            let query = Query::new(&[("InternetGatewayId", &gateway), ("VpcId", &vpc)]);
            work.query("ec2", "AttachInternetGateway", query.0)?;
            work.resource.physical = format!("IGW|{vpc}");
            work.set("AttachmentType", "IGW");
        }
        "AWS::EC2::Route" => {
            let (table, cidr) = (work.need("RouteTableId"), work.need("DestinationCidrBlock"));
            work.query("ec2", "CreateRoute", route(work))?;
            work.resource.physical = format!("{table}|{cidr}");
            work.set("CidrBlock", cidr);
        }
        _ => {
            let query = Query::default()
                .and("RouteTableId", work.need("RouteTableId"))
                .and("SubnetId", work.need("SubnetId"));
            let answer = work.query("ec2", "AssociateRouteTable", query.0)?;
            work.resource.physical = answer.text("associationId");
            work.set("Id", answer.text("associationId"));
        }
    }
    Ok(Step::Done)
}

fn route(work: &Work<'_>) -> Vec<(String, String)> {
    Query::default()
        .and("RouteTableId", work.need("RouteTableId"))
        .and("DestinationCidrBlock", work.need("DestinationCidrBlock"))
        .maybe("GatewayId", work.property("GatewayId"))
        .maybe("NatGatewayId", work.property("NatGatewayId"))
        .0
}

pub(super) fn update(work: &mut Work<'_>) -> Outcome {
    let kind = work.resource.kind.clone();
    if work.stage == 0 {
        if made_by(&kind).is_some() {
            retag(work)?;
        }
        return Ok(Step::Next);
    }
    match (kind.as_str(), work.stage) {
        ("AWS::EC2::VPC", 1) => dns(work, "EnableDnsSupport"),
        ("AWS::EC2::VPC", 2) => dns(work, "EnableDnsHostnames"),
        ("AWS::EC2::Subnet", 1) if work.is_changed("MapPublicIpOnLaunch") => {
            map_public(work)?;
            Ok(Step::Done)
        }
        ("AWS::EC2::Route", 1) => {
            work.query("ec2", "ReplaceRoute", route(work))?;
            Ok(Step::Done)
        }
        ("AWS::EC2::VPCGatewayAttachment", 1) => {
            let vpc = work.need("VpcId");
            let old = work.before["InternetGatewayId"].as_str().unwrap_or_default().to_string();
            let query = Query::new(&[("InternetGatewayId", &old), ("VpcId", &vpc)]);
            work.query("ec2", "DetachInternetGateway", query.0)?;
            Ok(Step::Next)
        }
        ("AWS::EC2::VPCGatewayAttachment", _) => join(work, &kind),
        ("AWS::EC2::SecurityGroup", 1) => rules::replace_inline(work),
        ("AWS::EC2::SecurityGroup", stage) => rules::inline(work, stage - 2),
        ("AWS::EC2::SecurityGroupIngress" | "AWS::EC2::SecurityGroupEgress", _) => rules::describe(work),
        ("AWS::EC2::VPCEndpoint", 1) => {
            let query = endpoint_change(work);
            if query.0.len() > 1 {
                work.query("ec2", "ModifyVpcEndpoint", query.0)?;
            }
            Ok(Step::Done)
        }
        _ => Ok(Step::Done),
    }
}

fn endpoint_change(work: &Work<'_>) -> Query {
    let mut query = Query::new(&[("VpcEndpointId", &work.resource.physical)]);
    if work.is_changed("PolicyDocument") {
        query = query.maybe("PolicyDocument", document(work, "PolicyDocument"));
    }
    if work.is_changed("PrivateDnsEnabled") {
        query = query.maybe("PrivateDnsEnabled", work.property("PrivateDnsEnabled"));
    }
    for (property, name) in [
        ("RouteTableIds", "RouteTableId"),
        ("SubnetIds", "SubnetId"),
        ("SecurityGroupIds", "SecurityGroupId"),
    ] {
        let old: Vec<String> = work.before[property]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one.as_str().map(String::from))
            .collect();
        let new = work.list(property);
        let added = new.iter().filter(|one| !old.contains(one)).cloned();
        query = query.list(&format!("Add{name}"), added.collect::<Vec<_>>());
        let gone = old.iter().filter(|one| !new.contains(one)).cloned();
        query = query.list(&format!("Remove{name}"), gone.collect::<Vec<_>>());
    }
    query
}

fn retag(work: &mut Work<'_>) -> Result<(), Fault> {
    let id = match work.resource.kind.as_str() {
        "AWS::EC2::EIP" => work.attribute("AllocationId"),
        _ => work.resource.physical.clone(),
    };
    let (wanted, gone) = (work.tags(), dropped(work));
    if !wanted.is_empty() {
        work.query("ec2", "CreateTags", Query::new(&[("ResourceId.1", &id)]).tags("Tag", &wanted).0)?;
    }
    if !gone.is_empty() {
        let mut query = Query::new(&[("ResourceId.1", &id)]);
        for (at, key) in gone.into_iter().enumerate() {
            query = query.and(&format!("Tag.{}.Key", at + 1), key);
        }
        work.query("ec2", "DeleteTags", query.0)?;
    }
    Ok(())
}

pub(super) fn delete(work: &mut Work<'_>) -> Outcome {
    let id = work.resource.physical.clone();
    let one = |name: &str| Query::new(&[(name, &id)]).0;
    let text = |name: &str| work.resource.properties[name].as_str().unwrap_or_default().to_string();
    let (operation, query) = match (work.resource.kind.as_str(), work.stage) {
        ("AWS::EC2::VPC", _) => ("DeleteVpc", one("VpcId")),
        ("AWS::EC2::Subnet", _) => ("DeleteSubnet", one("SubnetId")),
        ("AWS::EC2::InternetGateway", _) => ("DeleteInternetGateway", one("InternetGatewayId")),
        ("AWS::EC2::VPCGatewayAttachment", _) => (
            "DetachInternetGateway",
            Query::default()
                .and("InternetGatewayId", text("InternetGatewayId"))
                .and("VpcId", text("VpcId"))
                .0,
        ),
        ("AWS::EC2::EIP", _) => {
            ("ReleaseAddress", Query::default().and("AllocationId", work.attribute("AllocationId")).0)
        }
        ("AWS::EC2::NatGateway", 0) => {
            work.query("ec2", "DeleteNatGateway", one("NatGatewayId"))?;
            return Ok(Step::Next);
        }
        ("AWS::EC2::NatGateway", _) => {
            let found = work.query("ec2", "DescribeNatGateways", one("NatGatewayId.1"))?;
            let state = found.text("natGatewaySet/item/state");
            return Ok(if matches!(state.as_str(), "deleted" | "") { Step::Done } else { Step::Later });
        }
        ("AWS::EC2::RouteTable", _) => ("DeleteRouteTable", one("RouteTableId")),
        ("AWS::EC2::Route", _) => (
            "DeleteRoute",
            Query::default()
                .and("RouteTableId", text("RouteTableId"))
                .and("DestinationCidrBlock", text("DestinationCidrBlock"))
                .0,
        ),
        ("AWS::EC2::SubnetRouteTableAssociation", _) => ("DisassociateRouteTable", one("AssociationId")),
        ("AWS::EC2::SecurityGroup", _) => ("DeleteSecurityGroup", one("GroupId")),
        ("AWS::EC2::VPCEndpoint", 0) => {
            let answer = work.query("ec2", "DeleteVpcEndpoints", one("VpcEndpointId.1"))?;
            // The request as a whole succeeds, whatever becomes of each id.
            let code = answer.text("unsuccessful/item/error/code");
            return match code.is_empty() {
                true => Ok(Step::Next),
                false => Err(Fault::bad(&code, answer.text("unsuccessful/item/error/message"))),
            };
        }
        ("AWS::EC2::VPCEndpoint", _) => {
            // Gone when it is not found, which the engine takes for done.
            work.query("ec2", "DescribeVpcEndpoints", one("VpcEndpointId.1"))?;
            return Ok(Step::Later);
        }
        _ => return rules::delete(work),
    };
    work.query("ec2", operation, query)?;
    Ok(Step::Done)
}
