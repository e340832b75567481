//! Simulated EC2: the parts of it that make a VPC.
//!
//! It has what makes these calls awkward (fact book, sections 5 and 10, and Appendix E item 7): ids that
//! other calls do not know yet, creates without a client token, gateways that take minutes and stay
//! listed when they are gone, addresses that outlive their gateway, and interfaces of other services
//! that block a teardown. Only IPv4 is simulated; a request for anything else is refused, not ignored.
//!
//! **Invariant.** Every object stores absolute times; its state is a function of those and of
//! [`Ec2::settle`]'s time. Describe operations change nothing and draw no random number.

mod access_lists;
mod addresses;
mod endpoint_services;
mod endpoints;
mod fresh;
mod guardduty;
mod interfaces;
mod internet_gateways;
mod limits;
mod listing;
mod lookups;
mod nat_gateways;
mod paths;
mod record;
mod route_tables;
mod routes;
mod rules;
mod security_groups;
mod state;
mod subnets;
mod tags;
mod targets;
mod tokens;
mod vpcs;
pub(crate) mod zones;

use crate::call::Call;
use crate::random::{Mood, Random};
use crate::wire::{Fault, Reply};
pub use state::{Ec2, Quotas};

pub(crate) fn handle(call: &Call, ec2: &mut Ec2, random: &mut Random) -> Reply {
    // Deterministic, but no part of a calm day: the buckets only empty under a burst.
    if random.mood == Mood::Real {
        ec2.take_token(call)?;
    }
    if call.params.flag("DryRun") == Some(true) {
        ec2.clone().dispatch(call, &mut random.clone())?;
        if let Some(member) = call.unread() {
            return Err(call.unmodelled(member));
        }
        let text = "Request would have succeeded, but DryRun flag is set.";
        return Err(Fault::new(412, "DryRunOperation", text));
    }
    ec2.dispatch(call, random)
}

impl Ec2 {
    fn dispatch(&mut self, call: &Call, random: &mut Random) -> Reply {
        match call.operation.as_str() {
            "DescribeAvailabilityZones" => zones::describe(call),
            "DescribeRegions" => zones::describe_regions(call),
            "CreateDefaultVpc" => self.create_default_vpc(call, random),
            "CreateVpc" => self.create_vpc(call, random),
            "DescribeVpcs" => self.describe_vpcs(call),
            "DeleteVpc" => self.delete_vpc(call),
            "ModifyVpcAttribute" => self.modify_vpc_attribute(call),
            "DescribeVpcAttribute" => self.describe_vpc_attribute(call),
            "CreateSubnet" => self.create_subnet(call, random),
            "DescribeSubnets" => self.describe_subnets(call),
            "ModifySubnetAttribute" => self.modify_subnet_attribute(call),
            "DeleteSubnet" => self.delete_subnet(call),
            "CreateInternetGateway" => self.create_internet_gateway(call, random),
            "AttachInternetGateway" => self.attach_internet_gateway(call),
            "DetachInternetGateway" => self.detach_internet_gateway(call),
            "DescribeInternetGateways" => self.describe_internet_gateways(call),
            "DeleteInternetGateway" => self.delete_internet_gateway(call),
            "AllocateAddress" => self.allocate_address(call, random),
            "DescribeAddresses" => self.describe_addresses(call),
            "DescribeAddressesAttribute" => self.describe_addresses_attribute(call),
            "ReleaseAddress" => self.release_address(call),
            "DisassociateAddress" => self.disassociate_address(call),
            "CreateNatGateway" => self.create_nat_gateway(call, random),
            "DescribeNatGateways" => self.describe_nat_gateways(call),
            "DeleteNatGateway" => self.delete_nat_gateway(call, random),
            "CreateRouteTable" => self.create_route_table(call, random),
            "DescribeRouteTables" => self.describe_route_tables(call),
            "DeleteRouteTable" => self.delete_route_table(call),
            "AssociateRouteTable" => self.associate_route_table(call, random),
            "DisassociateRouteTable" => self.disassociate_route_table(call),
            "ReplaceRouteTableAssociation" => self.replace_route_table_association(call, random),
            "CreateRoute" => self.create_route(call),
            "ReplaceRoute" => self.replace_route(call),
            "DeleteRoute" => self.delete_route(call),
            "CreateSecurityGroup" => self.create_security_group(call, random),
            "DescribeSecurityGroups" => self.describe_security_groups(call),
            "DescribeSecurityGroupRules" => self.describe_security_group_rules(call),
            "AuthorizeSecurityGroupIngress" => self.authorize(call, random, false),
            "AuthorizeSecurityGroupEgress" => self.authorize(call, random, true),
            "RevokeSecurityGroupIngress" => self.revoke(call, false),
            "RevokeSecurityGroupEgress" => self.revoke(call, true),
            "ModifySecurityGroupRules" => self.modify_rules(call),
            "DeleteSecurityGroup" => self.delete_security_group(call),
            "CreateVpcEndpoint" => self.create_vpc_endpoint(call, random),
            "DescribeVpcEndpoints" => self.describe_vpc_endpoints(call),
            "ModifyVpcEndpoint" => self.modify_vpc_endpoint(call, random),
            "DeleteVpcEndpoints" => self.delete_vpc_endpoints(call, random),
            "DescribeVpcEndpointServices" => endpoint_services::describe(call),
            "DescribePrefixLists" => endpoint_services::describe_prefix_lists(call),
            "DescribeManagedPrefixLists" => endpoint_services::describe_managed_prefix_lists(call),
            "DescribeNetworkInterfaces" => self.describe_network_interfaces(call),
            "DeleteNetworkInterface" => self.delete_network_interface(call),
            "DescribeNetworkAcls" => self.describe_network_acls(call),
            "CreateTags" => self.create_tags(call),
            "DeleteTags" => self.delete_tags(call),
            "DescribeTags" => self.describe_tags(call),
            _ => Err(call.unknown()),
        }
    }
}
