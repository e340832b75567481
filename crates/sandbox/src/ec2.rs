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
mod guardduty;
mod interfaces;
mod internet_gateways;
mod limits;
mod listing;
mod nat_gateways;
mod record;
mod route_tables;
mod routes;
mod rules;
mod security_groups;
mod subnets;
mod tags;
mod targets;
mod tokens;
mod vpcs;
mod zones;

use crate::call::Call;
use crate::random::{Mood, Random};
use crate::wire::{Fault, Reply, Xml};
use record::Object;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

type Tags = BTreeMap<String, String>;

/// One region's EC2.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ec2 {
    /// GuardDuty Runtime Monitoring is on: it puts an endpoint and a security group of its own into each
    /// VPC made from now on (fact book, section 5.5).
    pub guardduty: bool,
    pub quotas: Quotas,
    /// The time of [`Ec2::settle`], milliseconds since the Unix epoch.
    now: u64,
    vpcs: BTreeMap<String, vpcs::Vpc>,
    subnets: BTreeMap<String, subnets::Subnet>,
    internet_gateways: BTreeMap<String, internet_gateways::InternetGateway>,
    addresses: BTreeMap<String, addresses::Address>,
    nat_gateways: BTreeMap<String, nat_gateways::NatGateway>,
    route_tables: BTreeMap<String, route_tables::RouteTable>,
    security_groups: BTreeMap<String, security_groups::SecurityGroup>,
    endpoints: BTreeMap<String, endpoints::Endpoint>,
    interfaces: BTreeMap<String, interfaces::Interface>,
    access_lists: BTreeMap<String, access_lists::AccessList>,
    tokens: BTreeMap<String, tokens::Token>,
    buckets: BTreeMap<String, limits::Bucket>,
}

/// How many of each the account may have in the region (defaults: fact book, section 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quotas {
    pub vpcs: usize,
    pub addresses: usize,
    pub internet_gateways: usize,
    pub nat_gateways_per_zone: usize,
    pub subnets_per_vpc: usize,
    pub rules_per_direction: usize,
    pub interface_endpoints_per_vpc: usize,
    pub gateway_endpoints: usize,
}

impl Default for Quotas {
    fn default() -> Quotas {
        Quotas {
            vpcs: 5,
            addresses: 5,
            internet_gateways: 5,
            nat_gateways_per_zone: 5,
            subnets_per_vpc: 200,
            rules_per_direction: 60,
            interface_endpoints_per_vpc: 50,
            gateway_endpoints: 20,
        }
    }
}

pub(crate) fn handle(call: &Call, ec2: &mut Ec2, random: &mut Random) -> Reply {
    // Deterministic, but no part of a calm day: the buckets only empty under a burst.
    if random.mood == Mood::Real {
        ec2.take_token(call)?;
    }
    if call.params.flag("DryRun") == Some(true) {
        ec2.clone().dispatch(call, &mut random.clone())?;
        let text = "Request would have succeeded, but DryRun flag is set.";
        return Err(Fault::new(412, "DryRunOperation", text));
    }
    ec2.dispatch(call, random)
}

impl Ec2 {
    fn dispatch(&mut self, call: &Call, random: &mut Random) -> Reply {
        match call.operation.as_str() {
            "DescribeAvailabilityZones" => zones::describe(call),
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

    /// Lets time pass: what is over by `now` (milliseconds since the Unix epoch) is gone afterwards.
    /// The dispatcher calls it before every request of any service, so that the lookups below, which
    /// are not told the time, answer for the present.
    pub fn settle(&mut self, now: u64) {
        self.now = now;
        self.interfaces.retain(|_, interface| interface.gone_at.is_none_or(|at| at > now));
        for address in self.addresses.values_mut() {
            address.association.take_if(|association| !self.interfaces.contains_key(&association.interface));
        }
        self.nat_gateways.retain(|_, gateway| gateway.forgotten_at().is_none_or(|at| at > now));
        self.endpoints.retain(|_, endpoint| endpoint.deleted_at.is_none_or(|at| at > now));
        for table in self.route_tables.values_mut() {
            table.routes.retain(|route| match &route.target {
                targets::Target::Endpoint(id) => self.endpoints.contains_key(id),
                _ => true,
            });
        }
    }
}

/// The answer of most operations that only do something.
fn done() -> Reply {
    let mut x = Xml::new();
    x.text("return", true);
    Ok(x.into())
}

/// What other services need of EC2.
impl Ec2 {
    /// The availability zone of a subnet, if it exists and is visible.
    pub fn subnet_zone(&self, subnet: &str) -> Option<String> {
        self.visible(&self.subnets, subnet).map(|subnet| subnet.zone.clone())
    }

    /// The VPC of a subnet, if the subnet exists and is visible.
    pub fn subnet_vpc(&self, subnet: &str) -> Option<String> {
        self.visible(&self.subnets, subnet).map(|subnet| subnet.vpc.clone())
    }

    /// Whether the group exists and is visible.
    pub fn security_group_exists(&self, group: &str) -> bool {
        self.visible(&self.security_groups, group).is_some()
    }

    /// The VPC of a security group, if the group exists and is visible.
    pub fn security_group_vpc(&self, group: &str) -> Option<String> {
        self.visible(&self.security_groups, group).map(|group| group.vpc.clone())
    }

    /// The default security group of a VPC: what RDS and SageMaker use when they are given none.
    pub fn default_security_group(&self, vpc: &str) -> Option<String> {
        let mut groups = self.security_groups.values();
        groups.find(|group| group.vpc == vpc && group.is_default()).map(|group| group.id.clone())
    }

    /// A requester-managed network interface, made by another service in the customer's subnet.
    /// It blocks deletion of the subnet and of the groups until released. Without such a subnet there is
    /// no interface.
    pub fn add_interface(
        &mut self,
        id: &str,
        subnet: &str,
        groups: &[String],
        description: &str,
        requester: &str,
    ) {
        let made = interfaces::New {
            id: id.to_string(),
            kind: "interface",
            groups: groups.to_vec(),
            description: description.to_string(),
            requester: requester.to_string(),
            owner: None,
        };
        self.put_interface(made, subnet);
    }

    /// Changes the security groups of an interface that another service made.
    pub fn set_interface_groups(&mut self, id: &str, groups: &[String]) {
        if let Some(interface) = self.interfaces.get_mut(id) {
            interface.groups = groups.to_vec();
        }
    }

    /// The interface disappears at `at` (milliseconds since the Unix epoch), not before.
    pub fn release_interface(&mut self, id: &str, at: u64) {
        if let Some(interface) = self.interfaces.get_mut(id) {
            interface.gone_at = Some(at);
        }
    }

    /// The service lets go of the interface at `at` (milliseconds since the Unix epoch) and leaves it
    /// behind: it is then `available` and stays until the customer deletes it (fact book, section 5.5).
    pub fn abandon_interface(&mut self, id: &str, at: u64) {
        if let Some(interface) = self.interfaces.get_mut(id) {
            interface.available_at = Some(at);
        }
    }

    fn visible<'a, T: Object>(&self, all: &'a BTreeMap<String, T>, id: &str) -> Option<&'a T> {
        all.get(id).filter(|object| object.record().visible_at <= self.now)
    }

    /// The object, or the answer for an id that does not exist or is not visible yet.
    fn find<'a, T: Object>(&self, all: &'a BTreeMap<String, T>, id: &str) -> Result<&'a T, Fault> {
        self.visible(all, id).ok_or_else(|| record::missing::<T>(id))
    }

    /// Checks that every id is known.
    fn find_all<T: Object>(&self, all: &BTreeMap<String, T>, ids: &[String]) -> Result<(), Fault> {
        ids.iter().try_for_each(|id| self.find(all, id).map(|_| ()))
    }

    fn used_addresses(&self, subnet: &str) -> BTreeSet<std::net::Ipv4Addr> {
        let inside = self.interfaces.values().filter(|interface| interface.subnet == subnet);
        inside.filter_map(|interface| interface.address).collect()
    }
}
