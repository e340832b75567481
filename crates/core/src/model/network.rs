//! VPC, subnets, ways out, security groups.

use super::facts::NetworkFacts;
use super::{Builder, Code};
use crate::base::{Id, Input};
use crate::kinds::{
    elastic_ip, internet_gateway, nat_gateway, route_table, security_group, security_group::Rule, subnet,
    vpc, vpc_endpoint,
};
use crate::spec::{self, Aurora, ExistingNetwork, Nat, OwnNetwork, ServiceEndpoint};
use std::collections::{BTreeMap, BTreeSet};

const EVERYWHERE: &str = "0.0.0.0/0";

/// What the other parts need of the network; empty without one.
#[derive(Default)]
pub(super) struct Network {
    pub public: Vec<Input>,
    pub private: Vec<Input>,
    pub aurora_group: Option<Id>,
    pub notebook_group: Option<Id>,
    /// Everything that a notebook needs before it starts, so that its script can reach AWS.
    pub ways_out: Vec<Id>,
}

impl Builder<'_> {
    pub(super) fn network(&mut self) -> Network {
        match &self.spec.network {
            Some(spec::Network::Owned(spec)) => self.own_network(spec),
            Some(spec::Network::Existing(spec)) => self.network_of_others(spec),
            None => Network::default(),
        }
    }

    /// A VPC of others: security groups are put into it, and nothing else.
    fn network_of_others(&mut self, spec: &ExistingNetwork) -> Network {
        let given = |ids: &[String]| ids.iter().map(|id| self.input(id)).collect();
        let mut network = Network {
            public: given(&spec.public_subnets),
            private: given(&spec.private_subnets),
            ..Network::default()
        };
        let ranges = match &self.facts.network {
            Some(facts) => {
                self.check_network(spec, facts);
                facts.ranges.clone()
            }
            // Nobody asked AWS, as for a bill of what is not there yet.
            None => Vec::new(),
        };
        let vpc = self.input(&spec.existing);
        self.security_groups(&vpc, &ranges, &mut network);
        network
    }

    /// Whether what others own is there, and does for a cluster.
    fn check_network(&mut self, spec: &ExistingNetwork, facts: &NetworkFacts) {
        let all = [&spec.existing].into_iter().chain(&spec.private_subnets).chain(&spec.public_subnets);
        if all.into_iter().any(|id| spec::is_reference(id)) {
            // Its template makes it, and CloudFormation says whether that can be.
            return;
        }
        let (vpc, region) = (&spec.existing, &self.place.region);
        if facts.ranges.is_empty() {
            return self.problem(
                Code::NetworkMissing,
                "network.existing",
                format!("VPC {vpc} does not exist in {region}"),
                "correct its id or the region (aws ec2 describe-vpcs)",
            );
        }
        let mut zones = BTreeSet::new();
        let private = spec.private_subnets.iter().map(|id| (id, "network.private_subnets"));
        let public = spec.public_subnets.iter().map(|id| (id, "network.public_subnets"));
        let mut missing = false;
        for (id, field) in private.chain(public) {
            match facts.subnets.get(id) {
                Some((of, zone)) if of == vpc => {
                    zones.extend((field == "network.private_subnets").then(|| zone.clone()));
                }
                found => {
                    missing = true;
                    let why = match found {
                        Some((of, _)) => format!("subnet {id} is in {of}, not in {vpc}"),
                        None => format!("subnet {id} does not exist in {}", self.place.region),
                    };
                    let hint = format!("use subnets of {vpc} (aws ec2 describe-subnets)");
                    self.problem(Code::NetworkMissing, field, why, hint);
                }
            }
        }
        // A DB subnet group needs two (fact book, section 1.7).
        let is_own = matches!(self.spec.aurora, Some(Aurora::Owned(_)));
        if is_own && !missing && zones.len() < 2 {
            let zones: Vec<String> = zones.into_iter().collect();
            self.problem(
                Code::ZonesTooFew,
                "network.private_subnets",
                format!("all are in {}, but a cluster needs two zones", zones.join(", ")),
                "add a subnet in another zone",
            );
        }
    }

    fn own_network(&mut self, spec: &OwnNetwork) -> Network {
        let Some(zones) = self.zones(spec) else { return Network::default() };
        let id = Id::new("vpc", "main");
        let mut tags = self.tags(&id);
        tags.insert("Name".into(), self.place.stack.clone());
        let props = vpc::Props { cidr: spec.cidr.to_string(), dns_hostnames: true, tags };
        let vpc = self.graph.add(id, props).id();
        let public = self.subnets(&vpc, "public", &spec.public_subnets, &zones);
        let private = self.subnets(&vpc, "private", &spec.private_subnets, &zones);
        let refer = |ids: &[Id]| ids.iter().map(|id| Input::of(id, "id")).collect();
        let mut network = Network { public: refer(&public), private: refer(&private), ..Network::default() };
        let gateway = self.public_side(&vpc, &public, &mut network);
        let tables = self.private_side(&vpc, spec.nat, (&public, &private), gateway.as_ref(), &mut network);
        self.security_groups(&Input::of(&vpc, "id"), &[spec.cidr.to_string()], &mut network);
        self.service_endpoints(&vpc, spec, &mut network, &tables);
        network
    }

    fn subnets(&mut self, vpc: &Id, side: &str, ranges: &[ipnet::Ipv4Net], zones: &[String]) -> Vec<Id> {
        let mut ids = Vec::new();
        for (n, range) in ranges.iter().enumerate() {
            let id = Id::new("subnet", format!("{side}-{}", n + 1));
            let props = subnet::Props {
                vpc: Input::of(vpc, "id"),
                cidr: range.to_string(),
                zone: zones[n].clone(),
                public: side == "public",
                tags: self.named(&id),
            };
            ids.push(self.graph.add(id, props).id());
        }
        ids
    }

    /// Internet gateway and the route to it.
    fn public_side(&mut self, vpc: &Id, public: &[Id], network: &mut Network) -> Option<Id> {
        if public.is_empty() {
            return None;
        }
        let id = Id::new("internet_gateway", "main");
        let props = internet_gateway::Props { vpc: Input::of(vpc, "id"), tags: self.named(&id) };
        let gateway = self.graph.add(id, props).id();
        let table = self.route_table(vpc, "public", Some(&gateway), public);
        network.ways_out.push(table);
        Some(gateway)
    }

    /// NAT gateways and the routes to them; returns the private route tables.
    fn private_side(
        &mut self,
        vpc: &Id,
        nat: Nat,
        (public, private): (&[Id], &[Id]),
        gateway: Option<&Id>,
        network: &mut Network,
    ) -> Vec<Id> {
        let count = match nat {
            Nat::None => 0,
            Nat::Single => 1,
            Nat::PerZone => private.len(),
        };
        let mut gateways = Vec::new();
        for n in 0..count {
            let Some(subnet) = public.get(n) else { break };
            let id = Id::new("elastic_ip", format!("nat-{}", n + 1));
            let props = elastic_ip::Props { tags: self.named(&id) };
            let address = self.graph.add(id, props).id();
            let id = Id::new("nat_gateway", format!("nat-{}", n + 1));
            let props = nat_gateway::Props {
                subnet: Input::of(subnet, "id"),
                address: Input::of(&address, "id"),
                tags: self.named(&id),
            };
            // A NAT gateway fails for good when no internet gateway is attached yet (fact book, 5.4).
            gateways.push(self.graph.add(id, props).after(gateway).id());
        }
        // Also where others gave each subnet a table of its own.
        let taken = self.spec.taken_over.as_ref();
        let apart = taken.is_some_and(|taken| taken.objects.contains_key("route_table.private-1"));
        let tables = match nat {
            _ if private.is_empty() => Vec::new(),
            Nat::None | Nat::Single if !apart => {
                vec![self.route_table(vpc, "private", gateways.first(), private)]
            }
            _ => private
                .iter()
                .enumerate()
                .map(|(n, subnet)| {
                    let name = format!("private-{}", n + 1);
                    let gateway = if nat == Nat::PerZone { gateways.get(n) } else { gateways.first() };
                    self.route_table(vpc, &name, gateway, std::slice::from_ref(subnet))
                })
                .collect(),
        };
        if !gateways.is_empty() {
            network.ways_out.extend(tables.iter().cloned());
        }
        tables
    }

    fn route_table(&mut self, vpc: &Id, name: &str, gateway: Option<&Id>, subnets: &[Id]) -> Id {
        let id = Id::new("route_table", name);
        let props = route_table::Props {
            vpc: Input::of(vpc, "id"),
            routes: gateway
                .map(|gateway| (EVERYWHERE.into(), Input::of(gateway, "id")))
                .into_iter()
                .collect(),
            subnets: subnets.iter().map(|subnet| Input::of(subnet, "id")).collect(),
            tags: self.named(&id),
        };
        self.graph.add(id, props).id()
    }

    /// Those of notebook and cluster; `ranges` are the VPC's.
    fn security_groups(&mut self, vpc: &Input, ranges: &[String], network: &mut Network) {
        let port = match &self.spec.aurora {
            Some(Aurora::Owned(cluster)) => i32::from(cluster.port),
            _ => 3306,
        };
        if self.spec.notebook.is_some() {
            // Aurora by its range, not its group: the groups would refer to each other.
            let to_aurora = ranges.iter().map(|range| tcp(port, range.as_str()));
            let default = [tcp(443, EVERYWHERE), tcp(80, EVERYWHERE)].into_iter().chain(to_aurora).collect();
            let egress = self.egress(default);
            network.notebook_group =
                Some(self.security_group(vpc, "notebook", "SageMaker notebook", Vec::new(), egress));
        }
        if let Some(Aurora::Owned(cluster)) = &self.spec.aurora {
            let from_notebook = network.notebook_group.iter().map(|group| tcp(port, Input::of(group, "id")));
            let from_others = cluster.allow_from.iter().map(|peer| tcp(port, self.input(peer)));
            let ingress = from_notebook.chain(from_others).collect();
            // Aurora calls SageMaker, Comprehend, Bedrock and S3 over HTTPS, and nothing else.
            let egress = self.egress(vec![tcp(443, EVERYWHERE)]);
            network.aurora_group =
                Some(self.security_group(vpc, "aurora", "Aurora cluster", ingress, egress));
        }
    }

    /// What the spec lets out, or else this.
    fn egress(&self, default: Vec<Rule>) -> Vec<Rule> {
        match self.spec.network.as_ref().map(spec::Network::egress) {
            None | Some([]) => default,
            Some(ranges) => ranges.iter().map(|range| everything(&range.to_string())).collect(),
        }
    }

    fn security_group(
        &mut self,
        vpc: &Input,
        name: &str,
        what: &str,
        ingress: Vec<Rule>,
        egress: Vec<Rule>,
    ) -> Id {
        let id = Id::new("security_group", name);
        let mut props = security_group::Props {
            vpc: vpc.clone(),
            description: format!("{what} of the auroraml stack {}", self.place.stack),
            ingress,
            egress,
            tags: self.named(&id).into_iter().chain(self.place.names.tags()).collect(),
        };
        props.ingress.sort();
        props.egress.sort();
        self.graph.add(id, props).id()
    }

    fn service_endpoints(&mut self, vpc: &Id, spec: &OwnNetwork, network: &mut Network, tables: &[Id]) {
        let mut services = spec.endpoints.clone();
        services.sort();
        services.dedup();
        let group = services.iter().any(|service| *service != ServiceEndpoint::S3).then(|| {
            let ingress = vec![tcp(443, spec.cidr.to_string().as_str())];
            self.security_group(
                &Input::of(vpc, "id"),
                "endpoints",
                "Interface endpoints",
                ingress,
                Vec::new(),
            )
        });
        for service in services {
            let gateway = service == ServiceEndpoint::S3;
            let id = endpoint_id(service);
            let refer = |ids: &[Id]| ids.iter().map(|id| Input::of(id, "id")).collect::<Vec<_>>();
            let props = vpc_endpoint::Props {
                vpc: Input::of(vpc, "id"),
                service: service_in(service, &self.place.region),
                gateway,
                private_dns: (!gateway).then_some(true),
                route_tables: if gateway { refer(tables) } else { Vec::new() },
                subnets: if gateway { Vec::new() } else { network.private.clone() },
                security_groups: if gateway { Vec::new() } else { refer(group.as_slice()) },
                tags: self.named(&id),
            };
            network.ways_out.push(self.graph.add(id, props).id());
        }
    }

    /// Tags with the `Name` that the console shows.
    fn named(&self, id: &Id) -> BTreeMap<String, String> {
        let mut tags = self.tags(id);
        tags.insert("Name".into(), self.place.name(&id.name));
        tags
    }
}

/// Every protocol and port (EC2's `-1`), to a range.
fn everything(range: &str) -> Rule {
    Rule { protocol: "-1".into(), from_port: None, to_port: None, peer: range.into() }
}

fn tcp(port: i32, peer: impl Into<Input>) -> Rule {
    Rule { protocol: "tcp".into(), from_port: Some(port), to_port: Some(port), peer: peer.into() }
}

pub(super) fn endpoint_id(service: ServiceEndpoint) -> Id {
    Id::new("vpc_endpoint", service_name(service).replace('.', "-"))
}

/// What AWS calls the endpoint service in a region.
pub(super) fn service_in(service: ServiceEndpoint, region: &str) -> String {
    format!("com.amazonaws.{region}.{}", service_name(service))
}

fn service_name(service: ServiceEndpoint) -> &'static str {
    match service {
        ServiceEndpoint::S3 => "s3",
        ServiceEndpoint::SagemakerRuntime => "sagemaker.runtime",
        ServiceEndpoint::SagemakerApi => "sagemaker.api",
        ServiceEndpoint::Comprehend => "comprehend",
        ServiceEndpoint::BedrockRuntime => "bedrock-runtime",
        ServiceEndpoint::Secretsmanager => "secretsmanager",
        ServiceEndpoint::RdsData => "rds-data",
        ServiceEndpoint::Kms => "kms",
        ServiceEndpoint::Logs => "logs",
        ServiceEndpoint::Sts => "sts",
    }
}
