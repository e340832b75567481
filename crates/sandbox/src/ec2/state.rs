//! What exists in simulated EC2. Times are milliseconds since the Unix epoch.

use super::record::{Record, object};
use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// One region's EC2.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ec2 {
    /// GuardDuty Runtime Monitoring is on: it puts an endpoint and a security group of its own into each
    /// VPC made from now on (fact book, section 5.5).
    pub guardduty: bool,
    pub quotas: Quotas,
    /// AWS has put in what every account has ([`Ec2::furnish`]).
    pub(super) furnished: bool,
    /// The time of [`Ec2::settle`], milliseconds since the Unix epoch.
    pub(super) now: u64,
    pub(super) vpcs: BTreeMap<String, Vpc>,
    pub(super) subnets: BTreeMap<String, Subnet>,
    pub(super) internet_gateways: BTreeMap<String, InternetGateway>,
    pub(super) addresses: BTreeMap<String, Address>,
    pub(super) nat_gateways: BTreeMap<String, NatGateway>,
    pub(super) route_tables: BTreeMap<String, RouteTable>,
    pub(super) security_groups: BTreeMap<String, SecurityGroup>,
    pub(super) endpoints: BTreeMap<String, Endpoint>,
    pub(super) interfaces: BTreeMap<String, Interface>,
    pub(super) access_lists: BTreeMap<String, AccessList>,
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) buckets: BTreeMap<String, Bucket>,
}

impl Ec2 {
    /// Lets time pass: what is over by `now` (milliseconds since the Unix epoch) is gone afterwards.
    /// The dispatcher calls it before every request of any service, so that the lookups, which are
    /// not told the time, answer for the present.
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
                Target::Endpoint(id) => self.endpoints.contains_key(id),
                _ => true,
            });
        }
    }
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

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Vpc {
    pub(super) id: String,
    pub(super) record: Record,
    pub(super) cidr: Ipv4Net,
    pub(super) association: String,
    pub(super) dhcp_options: String,
    #[serde(default)]
    pub(super) is_default: bool,
    /// Milliseconds since the Unix epoch.
    pub(super) available_at: u64,
    pub(super) dns_support: bool,
    pub(super) dns_hostnames: bool,
    pub(super) usage_metrics: bool,
    pub(super) tenancy: String,
    /// The endpoint that GuardDuty made here.
    pub(super) guardduty_endpoint: Option<String>,
}

object!(Vpc, "InvalidVpcID.NotFound", "vpc ID");

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subnet {
    pub(super) id: String,
    pub(super) record: Record,
    pub(super) vpc: String,
    pub(super) cidr: Ipv4Net,
    pub(super) zone: String,
    pub(super) zone_id: String,
    pub(super) map_public_ip: bool,
    /// It is the default VPC's subnet in its zone.
    #[serde(default)]
    pub(super) default_for_zone: bool,
    pub(super) access_list_association: String,
    /// Milliseconds since the Unix epoch.
    pub(super) available_at: u64,
}

object!(Subnet, "InvalidSubnetID.NotFound", "subnet ID");

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InternetGateway {
    pub(super) id: String,
    pub(super) record: Record,
    /// The VPC that it is attached to.
    pub(super) vpc: Option<String>,
}

object!(InternetGateway, "InvalidInternetGatewayID.NotFound", "internetGateway ID");

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Address {
    pub(super) id: String,
    pub(super) record: Record,
    pub(super) public_ip: String,
    pub(super) association: Option<Association>,
}

/// What the address is mapped to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Association {
    pub(super) id: String,
    pub(super) interface: String,
}

object!(Address, "InvalidAllocationID.NotFound", "allocation ID");

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NatGateway {
    pub(super) id: String,
    pub(super) record: Record,
    pub(super) vpc: String,
    pub(super) subnet: String,
    pub(super) zone: String,
    pub(super) public: bool,
    pub(super) allocation: Option<String>,
    /// Its interface and address association, which it has unless it fails.
    pub(super) interface: Option<Attached>,
    pub(super) created_at: u64,
    /// When it is available, or has failed; milliseconds since the Unix epoch, as all times here.
    pub(super) ready_at: u64,
    /// Code and message, if it is not going to work.
    pub(super) failure: Option<(String, String)>,
    pub(super) deleting_at: Option<u64>,
    pub(super) deleted_at: Option<u64>,
}

/// Kept after the deletion: a deleted gateway still shows its addresses.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attached {
    pub(super) interface: String,
    pub(super) private_ip: String,
    pub(super) association: Option<String>,
    pub(super) public_ip: Option<String>,
}

object!(NatGateway, "NatGatewayNotFound", "Nat Gateway");

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RouteTable {
    pub(super) id: String,
    pub(super) record: Record,
    pub(super) vpc: String,
    /// The association as the VPC's main table, if it is that.
    pub(super) main: Option<String>,
    /// Association id to subnet.
    pub(super) associations: BTreeMap<String, String>,
    pub(super) routes: Vec<Route>,
}

object!(RouteTable, "InvalidRouteTableID.NotFound", "routeTable ID");

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Route {
    pub(super) destination: Destination,
    pub(super) target: Target,
    pub(super) origin: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination {
    Network(Ipv4Net),
    PrefixList(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    Local,
    InternetGateway(String),
    NatGateway(String),
    /// A gateway endpoint; the route comes and goes with it.
    Endpoint(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SecurityGroup {
    pub(super) id: String,
    pub(super) record: Record,
    pub(super) vpc: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) rules: Vec<Rule>,
}

object!(SecurityGroup, "InvalidGroup.NotFound", "security group");

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rule {
    pub(super) id: String,
    pub(super) record: Record,
    pub(super) group: String,
    pub(super) permission: Permission,
    pub(super) description: Option<String>,
}

/// What makes one rule different from another; its description does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    pub(super) egress: bool,
    /// `-1` for all protocols, which have no ports.
    pub(super) protocol: String,
    /// From and to; type and code for ICMP.
    pub(super) ports: Option<(i32, i32)>,
    pub(super) peer: Peer,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Peer {
    Ipv4(Ipv4Net),
    Ipv6(Ipv6Net),
    PrefixList(String),
    Group(String),
}

object!(Rule, "InvalidSecurityGroupRuleId.NotFound", "security group rule ID");

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Endpoint {
    pub(super) id: String,
    pub(super) record: Record,
    pub(super) vpc: String,
    pub(super) service: String,
    pub(super) gateway: bool,
    pub(super) created_at: u64,
    /// Milliseconds since the Unix epoch, as all times here.
    pub(super) available_at: u64,
    /// When it is gone; until then it is `deleting` and blocks what it is in.
    pub(super) deleted_at: Option<u64>,
    pub(super) route_tables: Vec<String>,
    pub(super) subnets: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) policy: String,
    /// The host name that resolves to the endpoint within the VPC.
    pub(super) private_dns: Option<String>,
}

object!(Endpoint, "InvalidVpcEndpointId.NotFound", "Vpc Endpoint Id");

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Interface {
    pub(super) id: String,
    pub(super) record: Record,
    /// `interface`, `nat_gateway`, `vpc_endpoint`.
    pub(super) kind: String,
    pub(super) vpc: String,
    pub(super) subnet: String,
    pub(super) zone: String,
    pub(super) zone_id: String,
    pub(super) groups: Vec<String>,
    pub(super) description: String,
    pub(super) requester: String,
    /// The endpoint or gateway that it belongs to.
    pub(super) owner: Option<String>,
    /// None only when the subnet had no address left.
    pub(super) address: Option<Ipv4Addr>,
    pub(super) attached_at: u64,
    /// From when on the service has let go of it, milliseconds since the Unix epoch.
    pub(super) available_at: Option<u64>,
    /// When it disappears, milliseconds since the Unix epoch.
    pub(super) gone_at: Option<u64>,
}

object!(Interface, "InvalidNetworkInterfaceID.NotFound", "networkInterface ID");

/// What there is to say about a new interface.
pub(super) struct New {
    pub id: String,
    pub kind: &'static str,
    pub groups: Vec<String>,
    pub description: String,
    pub requester: String,
    pub owner: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessList {
    pub(super) id: String,
    pub(super) record: Record,
    pub(super) vpc: String,
}

object!(AccessList, "InvalidNetworkAclID.NotFound", "networkAcl ID");

/// What was made for a token. It outlives the object: a token used again gives the old object, deleted
/// or not, never a new one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    /// The request, without the token.
    pub(super) parameters: String,
    pub(super) object: String,
    /// Content of the answer then.
    pub(super) answer: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bucket {
    pub(super) tokens: f64,
    /// When `tokens` was right, milliseconds since the Unix epoch.
    pub(super) at: u64,
}
