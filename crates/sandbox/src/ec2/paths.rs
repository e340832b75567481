//! Whether something in a subnet reaches an AWS service.
//!
//! Facts: Aurora User Guide, "Enabling network communication from Amazon Aurora to other AWS services"; VPC User Guide,
//! "Access an AWS service using an interface VPC endpoint" (with private DNS its name leads to the endpoint alone),
//! "Gateway endpoints", "Route tables" (a subnet without one of its own has the main one).

use super::endpoint_services::prefix_lists;
use super::state::{Destination, Ec2, Endpoint, Peer, Permission, RouteTable, Subnet, Target};
use ipnet::Ipv4Net;

/// HTTPS
const PORT: i32 = 443;

impl Ec2 {
    /// Whether an interface sends requests to a service (such as `s3` or `sagemaker.runtime`) and gets answers. What has
    /// no interface here is not judged: it reaches everything.
    pub(crate) fn reaches(&self, interface: &str, region: &str, service: &str, public: bool) -> bool {
        let Some(interface) = self.interfaces.get(interface) else { return true };
        let Some(subnet) = self.subnets.get(&interface.subnet) else { return true };
        let name = format!("com.amazonaws.{region}.{service}");
        let private = self.endpoints.values().find(|endpoint| {
            let resolves = !endpoint.gateway && endpoint.private_dns.is_some();
            resolves && endpoint.vpc == interface.vpc && endpoint.service == name && self.is_there(endpoint)
        });
        if let Some(endpoint) = private {
            return self.goes_out(&interface.groups, |peer| self.is_endpoint(peer, endpoint))
                && self.comes_in(endpoint, subnet, &interface.groups);
        }
        let table = self.table_of(subnet);
        let gateway = self.endpoints.values().find(|endpoint| {
            let routed = table.is_some_and(|table| endpoint.route_tables.contains(&table.id));
            endpoint.gateway && endpoint.service == name && self.is_there(endpoint) && routed
        });
        if gateway.is_some() {
            let list = prefix_lists(region).into_iter().find(|list| list.name == name).map(|list| list.id);
            return self.goes_out(&interface.groups, |peer| match peer {
                Peer::PrefixList(id) => Some(id) == list.as_ref(),
                other => is_world(other),
            });
        }
        self.goes_out(&interface.groups, is_world) && self.leaves(table, public)
    }

    fn is_there(&self, endpoint: &Endpoint) -> bool {
        endpoint.deleted_at.is_none() && self.now >= endpoint.available_at
    }

    fn table_of(&self, subnet: &Subnet) -> Option<&RouteTable> {
        let own =
            self.route_tables.values().find(|table| table.associations.values().any(|id| *id == subnet.id));
        own.or_else(|| {
            self.route_tables.values().find(|table| table.vpc == subnet.vpc && table.main.is_some())
        })
    }

    /// Whether the default route of a table leads to the internet and back.
    fn leaves(&self, table: Option<&RouteTable>, public: bool) -> bool {
        let default = table.and_then(|table| {
            table.routes.iter().find(|route| {
                matches!(route.destination, Destination::Network(network) if network.prefix_len() == 0)
            })
        });
        match default.map(|route| &route.target) {
            Some(Target::InternetGateway(id)) => public && self.is_attached(id),
            Some(Target::NatGateway(id)) => self.nat_gateways.get(id).is_some_and(|gateway| {
                let through = self.subnets.get(&gateway.subnet).and_then(|subnet| self.table_of(subnet));
                gateway.public && gateway.state(self.now) == "available" && self.leads_to_internet(through)
            }),
            _ => false,
        }
    }

    fn leads_to_internet(&self, table: Option<&RouteTable>) -> bool {
        table.is_some_and(|table| {
            table.routes.iter().any(|route| match &route.target {
                Target::InternetGateway(id) => self.is_attached(id),
                _ => false,
            })
        })
    }

    fn is_attached(&self, gateway: &str) -> bool {
        self.internet_gateways.get(gateway).is_some_and(|gateway| gateway.vpc.is_some())
    }

    fn goes_out(&self, groups: &[String], to: impl Fn(&Peer) -> bool) -> bool {
        self.rules(groups, true).any(|permission| covers(permission) && to(&permission.peer))
    }

    fn comes_in(&self, endpoint: &Endpoint, from: &Subnet, groups: &[String]) -> bool {
        self.rules(&endpoint.groups, false).any(|permission| {
            covers(permission)
                && match &permission.peer {
                    Peer::Group(group) => groups.contains(group),
                    Peer::Ipv4(network) => network.contains(&from.cidr),
                    _ => false,
                }
        })
    }

    fn is_endpoint(&self, peer: &Peer, endpoint: &Endpoint) -> bool {
        match peer {
            Peer::Group(group) => endpoint.groups.contains(group),
            Peer::Ipv4(network) => endpoint
                .subnets
                .iter()
                .filter_map(|subnet| self.subnets.get(subnet))
                .all(|subnet| network.contains(&subnet.cidr)),
            _ => false,
        }
    }

    fn rules<'a>(&'a self, groups: &'a [String], egress: bool) -> impl Iterator<Item = &'a Permission> {
        groups
            .iter()
            .filter_map(|group| self.security_groups.get(group))
            .flat_map(|group| &group.rules)
            .map(|rule| &rule.permission)
            .filter(move |permission| permission.egress == egress)
    }
}

fn covers(permission: &Permission) -> bool {
    match (permission.protocol.as_str(), permission.ports) {
        ("-1", _) => true,
        ("tcp" | "6", Some((from, to))) => (from..=to).contains(&PORT),
        ("tcp" | "6", None) => true,
        _ => false,
    }
}

fn is_world(peer: &Peer) -> bool {
    matches!(peer, Peer::Ipv4(network) if *network == Ipv4Net::default())
}
