//! What requests to EC2 come to.

use super::{Demand, arn, request_tags};
use crate::call::Call;
use crate::ec2::Ec2;

enum Of {
    /// A resource that the request makes.
    New(&'static str),
    /// The resources of a type whose ids this parameter has.
    Is(&'static str, &'static str),
    /// What the route table association of `AssociationId` joins.
    Association,
    /// Whatever `ResourceId` names.
    Any,
}
use Of::{Any, Association, Is, New};

const VPC: Of = Is("vpc", "VpcId");
const TABLE: Of = Is("route-table", "RouteTableId");
const GROUP: Of = Is("security-group", "GroupId");

/// Service Authorization Reference, "Actions defined by Amazon EC2": the required resource types, and of the others
/// those that the request names.
const ACTIONS: &[(&str, &[Of])] = &[
    ("CreateVpc", &[New("vpc")]),
    ("ModifyVpcAttribute", &[VPC]),
    ("DescribeVpcAttribute", &[VPC]),
    ("DeleteVpc", &[VPC]),
    ("CreateSubnet", &[New("subnet"), VPC]),
    ("ModifySubnetAttribute", &[Is("subnet", "SubnetId")]),
    ("DeleteSubnet", &[Is("subnet", "SubnetId")]),
    ("CreateInternetGateway", &[New("internet-gateway")]),
    ("AttachInternetGateway", &[Is("internet-gateway", "InternetGatewayId"), VPC]),
    ("DetachInternetGateway", &[Is("internet-gateway", "InternetGatewayId"), VPC]),
    ("DeleteInternetGateway", &[Is("internet-gateway", "InternetGatewayId")]),
    ("AllocateAddress", &[New("elastic-ip")]),
    ("ReleaseAddress", &[Is("elastic-ip", "AllocationId")]),
    ("CreateNatGateway", &[New("natgateway"), Is("elastic-ip", "AllocationId"), Is("subnet", "SubnetId")]),
    ("DeleteNatGateway", &[Is("natgateway", "NatGatewayId")]),
    ("CreateRouteTable", &[New("route-table"), VPC]),
    ("DeleteRouteTable", &[TABLE]),
    ("CreateRoute", &[TABLE]),
    ("ReplaceRoute", &[TABLE]),
    ("DeleteRoute", &[TABLE]),
    ("AssociateRouteTable", &[TABLE, Is("subnet", "SubnetId")]),
    ("DisassociateRouteTable", &[Association]),
    ("ReplaceRouteTableAssociation", &[TABLE, Association]),
    ("CreateSecurityGroup", &[New("security-group"), VPC]),
    ("DeleteSecurityGroup", &[GROUP]),
    ("AuthorizeSecurityGroupIngress", &[GROUP]),
    ("AuthorizeSecurityGroupEgress", &[GROUP]),
    ("RevokeSecurityGroupIngress", &[GROUP]),
    ("RevokeSecurityGroupEgress", &[GROUP]),
    (
        "CreateVpcEndpoint",
        &[New("vpc-endpoint"), VPC, TABLE, Is("subnet", "SubnetId"), Is("security-group", "SecurityGroupId")],
    ),
    (
        "ModifyVpcEndpoint",
        &[
            Is("vpc-endpoint", "VpcEndpointId"),
            Is("route-table", "AddRouteTableId"),
            Is("route-table", "RemoveRouteTableId"),
            Is("subnet", "AddSubnetId"),
            Is("subnet", "RemoveSubnetId"),
            Is("security-group", "AddSecurityGroupId"),
            Is("security-group", "RemoveSecurityGroupId"),
        ],
    ),
    ("DeleteVpcEndpoints", &[Is("vpc-endpoint", "VpcEndpointId")]),
    ("DeleteNetworkInterface", &[Is("network-interface", "NetworkInterfaceId")]),
    ("CreateTags", &[Any]),
    ("DeleteTags", &[Any]),
];

/// `None` for what is not in the table.
pub(super) fn demands(call: &Call, ec2: &mut Ec2) -> Option<Vec<Demand>> {
    let (_, wanted) = ACTIONS.iter().find(|(operation, _)| *operation == call.operation)?;
    let action = format!("ec2:{}", call.operation);
    let mut demands = Vec::new();
    // "Dependent actions" of CreateVpcEndpoint: a private host name is a hosted zone of the VPC.
    if call.operation == "CreateVpcEndpoint" && call.params.flag("PrivateDnsEnabled") == Some(true) {
        demands.push(Demand::new("route53:AssociateVPCWithHostedZone", "arn:aws:route53:::hostedzone/*"));
    }
    for of in *wanted {
        let ids = match of {
            New(kind) => {
                let resource = arn(call, "ec2", &format!("{kind}/*"));
                // EC2 User Guide, "Grant permission to tag Amazon EC2 resources during creation".
                if !request_tags(call).is_empty() {
                    let tagging = Demand::new("ec2:CreateTags", &resource);
                    demands.push(tagging.with("ec2:createaction", &call.operation));
                }
                demands.push(Demand::new(&action, resource));
                continue;
            }
            Is(_, parameter) => {
                let one = call.params.get(parameter).map(String::from);
                one.into_iter().chain(call.params.list(parameter)).collect()
            }
            Association => ec2.associated(call.params.get("AssociationId").unwrap_or_default()),
            Any => call.params.list("ResourceId"),
        };
        for id in ids {
            // Judging needs the object's tags: what is not there is the service's to answer, as "not found". That AWS
            // has this order is not documented.
            let Some((kind, tags)) = ec2.tags_of(&id) else { continue };
            if matches!(of, Is(wanted, _) if *wanted != kind) {
                continue;
            }
            let mut demand =
                Demand::new(&action, arn(call, "ec2", &format!("{kind}/{id}"))).tagged(Some(tags));
            if let Some(vpc) = ec2.vpc_of_interface(&id) {
                demand = demand.with("ec2:vpc", arn(call, "ec2", &format!("vpc/{vpc}")));
            }
            demands.push(demand);
        }
    }
    Some(demands)
}
