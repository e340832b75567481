//! Whether the cluster's subnets have a way to a service (fact book, section 1.15). Pure.
//!
//! The way of the packets, in the order in which AWS decides it: the name resolves to an interface endpoint
//! where one with private DNS is in the VPC; otherwise the subnet's route table says where the packets go. On
//! each way the cluster's security groups must let 443 out. Not looked at: network ACLs, IPv6, and what is
//! behind a transit gateway, a peering or an appliance.

use super::facts::{Network, Route, RouteTable, Rule, VpcEndpoint};
use super::reach::{Reach, inside, open_only, reach};
use std::collections::BTreeMap;

/// Where all traffic goes that has no better route.
const EVERYWHERE: &str = "0.0.0.0/0";

/// The way from one subnet to one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// By what.
    Open(String),
    /// Why it cannot be said.
    Unknown(String),
    Blocked {
        why: String,
        fix: String,
    },
}

/// What stands at the beginning of the way.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The cluster's security groups.
    pub security_groups: &'a [String],
    /// Members without a public address; nothing where that is not known.
    pub private: Option<&'a [String]>,
    pub region: &'a str,
}

/// The way from a subnet to a service, such as `sagemaker.runtime`.
pub fn path(network: &Network, origin: Origin<'_>, subnet: &str, service: &str) -> Path {
    let Some(table) = table_of(network, subnet) else {
        let why = format!("{subnet} has no visible route table");
        return Path::Unknown(why);
    };
    let ending = format!(".{}.{service}", origin.region);
    let endpoints: Vec<&VpcEndpoint> =
        network.endpoints.iter().filter(|endpoint| endpoint.service.ends_with(&ending)).collect();
    let gateway =
        endpoints.iter().find(|endpoint| endpoint.gateway && endpoint.route_tables.contains(&table.id));
    if let Some(endpoint) = gateway {
        return by_gateway_endpoint(network, origin, table, endpoint);
    }
    // Its host name stands in for the service's in the whole VPC, also where there is a NAT gateway.
    if let Some(endpoint) = endpoints.iter().find(|endpoint| !endpoint.gateway && endpoint.private_dns) {
        return by_interface_endpoint(network, origin, subnet, endpoint);
    }
    let mut beside = String::new();
    for endpoint in endpoints {
        beside.push_str(&match endpoint.gateway {
            true => format!("; {} is not in {}", endpoint.id, table.id),
            false => {
                format!("; {} has no private DNS, so the service's name does not resolve to it", endpoint.id)
            }
        });
    }
    by_route(network, origin, table, service, &beside)
}

/// A subnet without an association of its own has the VPC's main route table.
fn table_of<'n>(network: &'n Network, subnet: &str) -> Option<&'n RouteTable> {
    let own = network.route_tables.iter().find(|table| table.subnets.iter().any(|one| one == subnet));
    own.or_else(|| network.route_tables.iter().find(|table| table.main))
}

fn default_route(table: &RouteTable) -> Option<&Route> {
    table.routes.iter().find(|route| route.destination == EVERYWHERE)
}

fn by_gateway_endpoint(
    network: &Network,
    origin: Origin<'_>,
    table: &RouteTable,
    endpoint: &VpcEndpoint,
) -> Path {
    if endpoint.state != "available" {
        return not_available(endpoint);
    }
    let route = table.routes.iter().find(|route| route.target == endpoint.id);
    let list = route.map(|route| route.destination.as_str()).unwrap_or_default();
    let out = egress(network, origin, |peer| match peer == list {
        true => Reach::Yes,
        false => open_only(peer),
    });
    through(endpoint, out, origin)
}

fn by_interface_endpoint(
    network: &Network,
    origin: Origin<'_>,
    subnet: &str,
    endpoint: &VpcEndpoint,
) -> Path {
    if endpoint.state != "available" {
        return not_available(endpoint);
    }
    let range = network.ranges.get(subnet).map(String::as_str).unwrap_or_default();
    let into =
        reach(rules(network, &endpoint.security_groups, |group| &group.ingress), |peer| {
            match origin.security_groups.iter().any(|group| group == peer) {
                true => Reach::Yes,
                false => inside(range, peer),
            }
        });
    let groups = endpoint.security_groups.join(", ");
    match into {
        Reach::Yes => {}
        Reach::Perhaps(lists) => {
            let why =
                format!("{groups} of {} allows port 443 from {lists}, which was not checked", endpoint.id);
            return Path::Unknown(why);
        }
        Reach::No => {
            let from = origin.security_groups.first().map_or(range, String::as_str);
            return Path::Blocked {
                why: format!(
                    "the name resolves to {}, but its {groups} does not allow port 443 from {from}",
                    endpoint.id
                ),
                fix: format!(
                    "aws ec2 authorize-security-group-ingress --group-id {} --protocol tcp --port 443 --source-group {from} --region {}",
                    endpoint.security_groups.first().map_or("GROUP", String::as_str),
                    origin.region
                ),
            };
        }
    }
    let out = egress(network, origin, |peer| {
        if endpoint.security_groups.iter().any(|group| group == peer) {
            return Reach::Yes;
        }
        let ranges = endpoint.subnets.iter().map(|subnet| network.ranges.get(subnet));
        let all = ranges.map(|range| inside(range.map_or("", String::as_str), peer));
        all.reduce(Reach::worse).unwrap_or(Reach::No)
    });
    through(endpoint, out, origin)
}

fn not_available(endpoint: &VpcEndpoint) -> Path {
    Path::Blocked {
        why: format!("{} is {}", endpoint.id, endpoint.state),
        fix: format!("wait until {} is available, or delete it", endpoint.id),
    }
}

/// An endpoint that can be reached if `out` says so.
fn through(endpoint: &VpcEndpoint, out: Reach, origin: Origin<'_>) -> Path {
    match out {
        Reach::Yes if endpoint.open => Path::Open(endpoint.id.clone()),
        Reach::Yes => Path::Open(format!("{} (its policy was not checked)", endpoint.id)),
        other => closed(other, origin, &endpoint.id),
    }
}

/// The cluster's security groups do not, or do not surely, let 443 out to `target`.
fn closed(out: Reach, origin: Origin<'_>, target: &str) -> Path {
    let groups = origin.security_groups.join(", ");
    match out {
        Reach::Perhaps(peers) => Path::Unknown(format!(
            "{groups} allows port 443 only to {peers}; whether that includes {target} was not checked"
        )),
        _ => Path::Blocked {
            why: format!("{groups} does not allow port 443 to {target}"),
            fix: format!(
                "aws ec2 authorize-security-group-egress --group-id {} --protocol tcp --port 443 --cidr {EVERYWHERE} --region {}",
                origin.security_groups.first().map_or("GROUP", String::as_str),
                origin.region
            ),
        },
    }
}

fn by_route(network: &Network, origin: Origin<'_>, table: &RouteTable, service: &str, beside: &str) -> Path {
    let region = origin.region;
    let endpoint = format!("an endpoint of com.amazonaws.{region}.{service}");
    let endpoint = if service == "s3" { endpoint } else { format!("{endpoint} with private DNS") };
    let fix =
        format!("in {}, give {} {endpoint}, or a route {EVERYWHERE} to a NAT gateway", network.vpc, table.id);
    let blocked = |why: String| Path::Blocked { why: format!("{why}{beside}"), fix: fix.clone() };
    let Some(route) = default_route(table) else {
        return blocked(format!("{} has no route {EVERYWHERE}", table.id));
    };
    if !route.active {
        let why = format!(
            "the route {EVERYWHERE} of {} points to {}, which no longer exists (blackhole)",
            table.id, route.target
        );
        return blocked(why);
    }
    let target = route.target.as_str();
    let how = if target.starts_with("nat-") {
        match nat(network, target) {
            Ok(how) => how,
            Err(why) => return blocked(why),
        }
    } else if target.starts_with("igw-") {
        match origin.private {
            Some([]) => target.to_string(),
            Some(members) => {
                let (has, members) = (if members.len() == 1 { "has" } else { "have" }, members.join(", "));
                return blocked(format!(
                    "{} points to {target}, but {members} {has} no public address",
                    table.id
                ));
            }
            None => {
                let why =
                    format!("{} points to {target}; whether the members are public is unknown", table.id);
                return Path::Unknown(why);
            }
        }
    } else {
        format!("{target} (outside the VPC, not checked further)")
    };
    match egress(network, origin, open_only) {
        Reach::Yes => Path::Open(how),
        other => closed(other, origin, service),
    }
}

/// What a route to a NAT gateway leads to.
///
/// # Errors
/// Why it leads nowhere.
fn nat(network: &Network, id: &str) -> Result<String, String> {
    let Some(gateway) = network.nat_gateways.iter().find(|gateway| gateway.id == id) else {
        return Err(format!("{id} does not exist"));
    };
    if gateway.state != "available" {
        return Err(format!("{id} is {}", gateway.state));
    }
    if !gateway.public {
        return Ok(format!("{id} (a private NAT gateway, not checked further)"));
    }
    let out = table_of(network, &gateway.subnet).and_then(default_route);
    match out {
        Some(route) if route.active && !route.target.starts_with("nat-") => Ok(id.to_string()),
        _ => Err(format!(
            "{id} is in {}, which has no route {EVERYWHERE} to an internet gateway",
            gateway.subnet
        )),
    }
}

fn egress(network: &Network, origin: Origin<'_>, test: impl Fn(&str) -> Reach) -> Reach {
    reach(rules(network, origin.security_groups, |group| &group.egress), test)
}

/// The rules of several groups: one that allows is enough.
fn rules<'n>(
    network: &'n Network,
    groups: &'n [String],
    side: impl Fn(&'n super::facts::SecurityGroup) -> &'n Vec<Rule> + 'n,
) -> impl Iterator<Item = &'n Rule> {
    groups.iter().filter_map(|id| network.security_groups.get(id)).flat_map(side)
}

/// The ways of all subnets as one text: those that are alike are said once. `between` a subnet and its way
/// stands a word.
pub fn summary(paths: &[(String, String)], between: &str) -> String {
    let mut by_text: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (subnet, text) in paths {
        by_text.entry(text).or_default().push(subnet);
    }
    let parts = by_text.into_iter().map(|(text, subnets)| format!("{}{between}{text}", subnets.join(", ")));
    parts.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::facts::{NatGateway, SecurityGroup};
    use super::*;

    fn rule(peer: &str) -> Rule {
        Rule { protocol: "tcp".into(), from_port: Some(443), to_port: Some(443), peers: vec![peer.into()] }
    }

    fn table(id: &str, main: bool, subnets: &[&str], target: &str) -> RouteTable {
        RouteTable {
            id: id.into(),
            main,
            subnets: subnets.iter().map(|subnet| (*subnet).into()).collect(),
            routes: vec![Route { destination: EVERYWHERE.into(), target: target.into(), active: true }],
        }
    }

    /// `subnet-a` has a table of its own that leads to a NAT gateway in `subnet-p`; `subnet-b` has the main
    /// one, which leads to the internet gateway.
    fn network() -> Network {
        let group = |ingress: &[&str], egress: &[&str]| SecurityGroup {
            ingress: ingress.iter().map(|peer| rule(peer)).collect(),
            egress: egress.iter().map(|peer| rule(peer)).collect(),
        };
        Network {
            vpc: "vpc-1".into(),
            subnets: vec!["subnet-a".into(), "subnet-b".into()],
            ranges: [("subnet-a", "10.0.1.0/24"), ("subnet-b", "10.0.2.0/24"), ("subnet-p", "10.0.9.0/24")]
                .map(|(id, range)| (id.to_string(), range.to_string()))
                .into(),
            route_tables: vec![
                table("rtb-own", false, &["subnet-a"], "nat-1"),
                table("rtb-main", true, &[], "igw-1"),
            ],
            nat_gateways: vec![NatGateway {
                id: "nat-1".into(),
                state: "available".into(),
                subnet: "subnet-p".into(),
                public: true,
            }],
            endpoints: Vec::new(),
            security_groups: [
                ("sg-db".to_string(), group(&[], &["0.0.0.0/0"])),
                ("sg-end".to_string(), group(&["10.0.0.0/16"], &[])),
            ]
            .into(),
        }
    }

    fn interface(private_dns: bool) -> VpcEndpoint {
        VpcEndpoint {
            id: "vpce-1".into(),
            service: "com.amazonaws.us-east-1.comprehend".into(),
            state: "available".into(),
            private_dns,
            subnets: vec!["subnet-b".into()],
            security_groups: vec!["sg-end".into()],
            open: true,
            ..VpcEndpoint::default()
        }
    }

    fn way(network: &Network, subnet: &str, service: &str) -> Path {
        let (groups, private) = (["sg-db".to_string()], ["orders-1".to_string()]);
        let origin = Origin { security_groups: &groups, private: Some(&private), region: "us-east-1" };
        path(network, origin, subnet, service)
    }

    fn blocked(path: Path) -> String {
        match path {
            Path::Blocked { why, .. } => why,
            other => panic!("{other:?}"),
        }
    }

    fn egress_to(network: &mut Network, peers: &[&str]) {
        let group = network.security_groups.get_mut("sg-db").unwrap();
        group.egress = peers.iter().map(|peer| rule(peer)).collect();
    }

    #[test]
    fn by_nat_gateway() {
        let mut network = network();
        assert_eq!(way(&network, "subnet-a", "comprehend"), Path::Open("nat-1".into()));
        network.nat_gateways[0].state = "deleting".into();
        assert_eq!(blocked(way(&network, "subnet-a", "comprehend")), "nat-1 is deleting");
        network.route_tables[0].routes[0].active = false;
        assert!(blocked(way(&network, "subnet-a", "comprehend")).contains("blackhole"));
        network.route_tables[0].routes.clear();
        assert_eq!(blocked(way(&network, "subnet-a", "comprehend")), "rtb-own has no route 0.0.0.0/0");
    }

    #[test]
    fn a_nat_gateway_needs_a_way_out_itself() {
        let mut network = network();
        network.route_tables[1].routes.clear();
        assert!(blocked(way(&network, "subnet-a", "s3")).contains("nat-1 is in subnet-p"));
        network.nat_gateways[0].public = false;
        assert!(
            matches!(way(&network, "subnet-a", "s3"), Path::Open(how) if how.contains("not checked further"))
        );
    }

    #[test]
    fn by_internet_gateway_only_with_public_addresses() {
        let network = network();
        let why = blocked(way(&network, "subnet-b", "comprehend"));
        assert_eq!(why, "rtb-main points to igw-1, but orders-1 has no public address");
        let groups = ["sg-db".to_string()];
        let origin = |private| Origin { security_groups: &groups, private, region: "us-east-1" };
        let two = ["orders-1".to_string(), "orders-2".to_string()];
        let why = blocked(path(&network, origin(Some(&two)), "subnet-b", "comprehend"));
        assert_eq!(why, "rtb-main points to igw-1, but orders-1, orders-2 have no public address");
        assert_eq!(path(&network, origin(Some(&[])), "subnet-b", "s3"), Path::Open("igw-1".into()));
        assert!(matches!(path(&network, origin(None), "subnet-b", "s3"), Path::Unknown(_)));
    }

    #[test]
    fn by_what_is_not_followed() {
        let mut network = network();
        network.route_tables[0].routes[0].target = "tgw-1".into();
        let how = "tgw-1 (outside the VPC, not checked further)";
        assert_eq!(way(&network, "subnet-a", "s3"), Path::Open(how.into()));
    }

    #[test]
    fn by_interface_endpoint_also_from_subnets_that_it_is_not_in() {
        let mut network = network();
        network.endpoints.push(interface(true));
        assert_eq!(way(&network, "subnet-a", "comprehend"), Path::Open("vpce-1".into()));
        assert_eq!(way(&network, "subnet-a", "s3"), Path::Open("nat-1".into()), "another service");
        // The name leads there and nowhere else, NAT gateway or not.
        network.security_groups.get_mut("sg-end").unwrap().ingress = vec![rule("10.0.2.0/24")];
        assert!(
            blocked(way(&network, "subnet-a", "comprehend")).contains("does not allow port 443 from sg-db")
        );
        assert_eq!(way(&network, "subnet-b", "comprehend"), Path::Open("vpce-1".into()));
        network.security_groups.get_mut("sg-end").unwrap().ingress = vec![rule("sg-db")];
        assert_eq!(way(&network, "subnet-a", "comprehend"), Path::Open("vpce-1".into()));
        network.endpoints[0].state = "pending".into();
        assert_eq!(blocked(way(&network, "subnet-a", "comprehend")), "vpce-1 is pending");
    }

    #[test]
    fn an_interface_endpoint_without_private_dns_is_no_way() {
        let mut network = network();
        network.endpoints.push(interface(false));
        assert_eq!(way(&network, "subnet-a", "comprehend"), Path::Open("nat-1".into()));
        network.route_tables[0].routes.clear();
        assert!(blocked(way(&network, "subnet-a", "comprehend")).contains("vpce-1 has no private DNS"));
    }

    #[test]
    fn by_gateway_endpoint_on_the_subnets_own_table() {
        let mut network = network();
        network.nat_gateways.clear();
        network.endpoints.push(VpcEndpoint {
            id: "vpce-s3".into(),
            service: "com.amazonaws.us-east-1.s3".into(),
            state: "available".into(),
            gateway: true,
            route_tables: vec!["rtb-own".into()],
            ..VpcEndpoint::default()
        });
        let route = Route { destination: "pl-s3".into(), target: "vpce-s3".into(), active: true };
        network.route_tables[0].routes.push(route);
        let how = "vpce-s3 (its policy was not checked)";
        assert_eq!(way(&network, "subnet-a", "s3"), Path::Open(how.into()));
        assert!(blocked(way(&network, "subnet-b", "s3")).contains("vpce-s3 is not in rtb-main"));
        egress_to(&mut network, &["pl-s3"]);
        assert_eq!(way(&network, "subnet-a", "s3"), Path::Open(how.into()));
        egress_to(&mut network, &["pl-other"]);
        assert!(matches!(way(&network, "subnet-a", "s3"), Path::Unknown(_)));
    }

    #[test]
    fn egress() {
        let mut network = network();
        for closed in [&["10.0.0.0/16"][..], &["sg-end"], &[]] {
            egress_to(&mut network, closed);
            let why = blocked(way(&network, "subnet-a", "comprehend"));
            assert_eq!(why, "sg-db does not allow port 443 to comprehend", "{closed:?}");
        }
        egress_to(&mut network, &["52.0.0.0/8"]);
        assert!(matches!(way(&network, "subnet-a", "comprehend"), Path::Unknown(_)));
        network.endpoints.push(interface(true));
        egress_to(&mut network, &["sg-end"]);
        assert_eq!(way(&network, "subnet-a", "comprehend"), Path::Open("vpce-1".into()));
        egress_to(&mut network, &["10.0.2.0/24"]);
        assert_eq!(way(&network, "subnet-a", "comprehend"), Path::Open("vpce-1".into()));
        egress_to(&mut network, &["10.0.1.0/24"]);
        assert!(blocked(way(&network, "subnet-a", "comprehend")).contains("to vpce-1"));
    }
}
