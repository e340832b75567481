//! The network: what lies where, and what leads out of it.

use super::Drafting;
use crate::spec::ServiceEndpoint;
use crate::takeover::findings::{Group, Subnet};
use crate::takeover::text::{Lines, quoted};
use std::collections::{BTreeMap, BTreeSet};

impl<'f> Drafting<'f> {
    pub(super) fn network(&mut self) {
        let found = self.found;
        let Some((vpc, range)) = found.vpcs.first() else { return };
        let table_of =
            |subnet: &str| found.tables.iter().find(|table| table.subnets.iter().any(|id| id == subnet));
        let is_public = |subnet: &&Subnet| {
            table_of(&subnet.id)
                .and_then(|table| table.default.as_deref())
                .is_some_and(|to| to.starts_with("igw-"))
        };
        let (mut public, mut private): (Vec<&Subnet>, Vec<&Subnet>) =
            found.subnets.iter().partition(is_public);
        // The gateway of a single one stands in the first.
        let has_gateway = |subnet: &Subnet| found.nat_gateways.iter().any(|nat| nat.subnet == subnet.id);
        public.sort_by_key(|subnet| (!has_gateway(subnet), subnet.zone.clone(), subnet.cidr.clone()));
        let place =
            |subnet: &Subnet| public.iter().position(|other| other.zone == subnet.zone).unwrap_or(usize::MAX);
        private.sort_by_key(|subnet| (place(subnet), subnet.zone.clone(), subnet.cidr.clone()));
        let zones: BTreeSet<&str> = private.iter().map(|subnet| subnet.zone.as_str()).collect();
        let beside = public.iter().zip(&private).all(|(public, private)| public.zone == private.zone);
        if zones.len() < private.len() || !beside {
            self.problems.push(format!(
                "the subnets of {vpc} do not fit: a spec has one private subnet in a zone, and the n-th public one in the zone of the n-th private one"
            ));
            return;
        }
        let nat = match found.nat_gateways.len() {
            0 => "none",
            1 => "single",
            many if many == private.len() => "per_zone",
            many => {
                self.problems.push(format!(
                    "{vpc} has {many} NAT gateways for {} private subnets: a spec has none, one, or one for each",
                    private.len()
                ));
                return;
            }
        };
        let mut lines = Lines::default();
        lines.add(0, "network:");
        lines.add(1, &format!("cidr: {}", quoted(range)));
        let ranges = |subnets: &[&Subnet]| {
            let all: Vec<String> = subnets.iter().map(|subnet| quoted(&subnet.cidr)).collect();
            format!("[{}]", all.join(", "))
        };
        if !public.is_empty() {
            lines.add(1, &format!("public_subnets: {}", ranges(&public)));
        }
        if !private.is_empty() {
            lines.add(1, &format!("private_subnets: {}", ranges(&private)));
        }
        lines.add(1, &format!("nat: {nat}"));
        let services = self.service_endpoints();
        if !services.is_empty() {
            lines.add(1, &format!("endpoints: [{}]", services.join(", ")));
        }
        let groups: Vec<&Group> = self.groups();
        if !groups.is_empty() && groups.iter().all(|group| group.all_egress) {
            lines.add(
                1,
                "egress: [0.0.0.0/0]   # everything may leave; without this line: what the services need",
            );
        }
        self.draft.parts.push(lines);
        self.take("vpc.main", vpc);
        for (side, subnets) in [("public", &public), ("private", &private)] {
            for (n, subnet) in subnets.iter().enumerate() {
                self.take(format!("subnet.{side}-{}", n + 1), &subnet.id);
            }
        }
        if let Some(gateway) = found.gateways.first() {
            self.take("internet_gateway.main", gateway);
        }
        for (n, subnet) in public.iter().enumerate() {
            for nat in found.nat_gateways.iter().filter(|nat| nat.subnet == subnet.id) {
                self.take(format!("nat_gateway.nat-{}", n + 1), &nat.id);
                if found.addresses.iter().any(|(id, _)| *id == nat.address) {
                    self.take(format!("elastic_ip.nat-{}", n + 1), &nat.address);
                }
            }
        }
        if let Some(table) = public.first().and_then(|subnet| table_of(&subnet.id)) {
            self.take("route_table.public", &table.id);
        }
        let tables: BTreeSet<&str> =
            private.iter().filter_map(|subnet| table_of(&subnet.id)).map(|table| table.id.as_str()).collect();
        if let (1, Some(table), true) = (tables.len(), tables.first(), nat != "per_zone") {
            self.take("route_table.private", table);
        } else {
            for (n, subnet) in private.iter().enumerate() {
                if let Some(table) = table_of(&subnet.id) {
                    self.take(format!("route_table.private-{}", n + 1), &table.id);
                }
            }
            if nat != "per_zone" && tables.len() > 1 {
                self.draft.notes.push(
                    "each private subnet has a route table of its own: both stay, as `taken_over` names them"
                        .into(),
                );
            }
        }
    }

    /// The VPC endpoints as a spec has them: one for a service, and one group for all that have interfaces. The services, in
    /// the spec's words.
    fn service_endpoints(&mut self) -> Vec<String> {
        let found = self.found;
        let interfaces = found.vpc_endpoints.iter().filter(|endpoint| !endpoint.gateway);
        let groups: BTreeSet<&String> = interfaces.flat_map(|one| &one.security_groups).collect();
        let others = self.groups();
        let alone = |id: &String| {
            found.groups.iter().any(|group| group.id == *id) && others.iter().all(|group| group.id != *id)
        };
        let group = groups.first().filter(|id| groups.len() == 1 && alone(id)).map(ToString::to_string);
        let mut services: BTreeMap<String, ServiceEndpoint> = BTreeMap::new();
        for endpoint in &found.vpc_endpoints {
            let known = service(&endpoint.service, &found.region);
            let Some((word, name, service)) =
                known.filter(|(.., service)| (*service == ServiceEndpoint::S3) == endpoint.gateway)
            else {
                continue;
            };
            if !endpoint.gateway && group.is_none() {
                self.draft.notes.push(format!(
                    "the endpoint {} ({}) is not taken over: a spec has one security group for all interface endpoints, which nothing else uses",
                    endpoint.id, endpoint.service
                ));
            } else if services.insert(word, service).is_none() {
                self.take(format!("vpc_endpoint.{name}"), &endpoint.id);
            }
        }
        if let Some(group) = group.filter(|_| services.values().any(|one| *one != ServiceEndpoint::S3)) {
            self.take("security_group.endpoints", &group);
        }
        services.into_keys().collect()
    }

    /// The groups of cluster and notebook.
    pub(super) fn groups(&self) -> Vec<&'f Group> {
        let named = self.found.clusters.iter().flat_map(|cluster| &cluster.security_groups);
        let named: Vec<&String> =
            named.chain(self.found.notebooks.iter().flat_map(|notebook| &notebook.security_groups)).collect();
        self.found.groups.iter().filter(|group| named.contains(&&group.id)).collect()
    }
}

/// The service of an endpoint, if a spec can have it: the spec's word for it, its name within the stack, itself.
fn service(name: &str, region: &str) -> Option<(String, String, ServiceEndpoint)> {
    let name = name.strip_prefix("com.amazonaws.")?.strip_prefix(region)?.strip_prefix('.')?;
    let word = name.replace(['.', '-'], "_");
    let service = serde_json::from_value(word.as_str().into()).ok()?;
    Some((word, name.replace('.', "-"), service))
}
