//! VPC endpoints: gateways that are routes, and interfaces that are interfaces.

use super::endpoint_services::{Service, no_service, prefix_lists, services};
use super::listing::Listing;
use super::record::{Record, done, invalid, missing, new_id, timestamp, unsupported, write_tags};
use super::state::{Destination, Ec2, Endpoint, New, Route, Target};
use super::zones::has_endpoint;
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Fault, Reply, Xml};
use std::collections::BTreeSet;

pub(super) const FULL_ACCESS: &str = r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

impl Endpoint {
    /// In lower case, as the service answers; the documented enum has capitals.
    fn state(&self, now: u64) -> &'static str {
        match self.deleted_at {
            Some(_) => "deleting",
            None if now < self.available_at => "pending",
            None => "available",
        }
    }

    fn kind(&self) -> &'static str {
        if self.gateway { "Gateway" } else { "Interface" }
    }
}

const LISTING: Listing = Listing {
    ids: "VpcEndpointId",
    set: "vpcEndpointSet",
    filters: &[
        "ip-address-type",
        "service-name",
        "service-region",
        "vpc-endpoint-id",
        "vpc-endpoint-state",
        "vpc-endpoint-type",
        "vpc-id",
    ],
    pages: 1..=1000,
};

impl Ec2 {
    pub(super) fn create_vpc_endpoint(&mut self, call: &Call, random: &mut Random) -> Reply {
        if let Some(earlier) = self.replayed(call)? {
            let same = self.endpoints.get(&earlier.object);
            return Ok(same
                .map_or_else(|| earlier.answer(), |endpoint| self.endpoint_created(call, endpoint))
                .into());
        }
        let params = &call.params;
        unsupported(
            params,
            &["ServiceNetworkArn", "ResourceConfigurationArn", "SubnetConfiguration.1.SubnetId"],
        )?;
        let record = Record::of(call, random, "vpc-endpoint")?;
        let vpc = params.required("VpcId")?;
        self.find(&self.vpcs, vpc)?;
        let service = endpoint_service(call)?;
        let (tables, subnets) = (params.list("RouteTableId"), params.list("SubnetId"));
        let mut groups = params.list("SecurityGroupId");
        let mut endpoint = Endpoint {
            id: new_id("vpce", random),
            record,
            vpc: vpc.to_string(),
            service: service.name.clone(),
            gateway: service.gateway,
            created_at: call.now,
            available_at: call.now,
            deleted_at: None,
            route_tables: Vec::new(),
            subnets: Vec::new(),
            groups: Vec::new(),
            policy: params.get("PolicyDocument").unwrap_or(FULL_ACCESS).to_string(),
            private_dns: None,
        };
        if service.gateway {
            if !subnets.is_empty() || !groups.is_empty() || params.flag("PrivateDnsEnabled") == Some(true) {
                let text =
                    "Subnets, security groups and private DNS are only supported for Interface endpoints";
                return Err(Fault::bad("InvalidParameter", text));
            }
            if self.endpoints.values().filter(|other| other.gateway).count() >= self.quotas.gateway_endpoints
            {
                return Err(limit_exceeded());
            }
            self.check_route_tables(call, &endpoint, &tables)?;
        } else {
            if !tables.is_empty() {
                let text = "Route table IDs are only supported for Gateway type VPC Endpoint";
                return Err(Fault::bad("InvalidParameter", text));
            }
            let there = self.endpoints.values().filter(|other| !other.gateway && other.vpc == vpc).count();
            if there >= self.quotas.interface_endpoints_per_vpc {
                return Err(limit_exceeded());
            }
            self.check_groups(vpc, &groups)?;
            if groups.is_empty() {
                groups.extend(self.default_security_group(vpc));
            }
            if params.flag("PrivateDnsEnabled") != Some(false) {
                endpoint.private_dns = self.private_dns(vpc, &service, None)?;
            }
            self.check_subnets(&endpoint, &subnets)?;
            endpoint.available_at = call.now + random.duration(40.0, 90.0, 180.0);
            endpoint.groups = groups;
        }
        let id = endpoint.id.clone();
        self.endpoints.insert(id.clone(), endpoint);
        self.add_route_tables(call, &id, &tables);
        self.add_subnets(random, &id, &subnets);
        let x = self.endpoint_created(call, self.find_endpoint(&id)?);
        self.remember(call, &id, &x);
        Ok(x.into())
    }

    fn find_endpoint(&self, id: &str) -> Result<&Endpoint, Fault> {
        self.endpoints.get(id).ok_or_else(|| missing::<Endpoint>(id))
    }

    fn endpoint_created(&self, call: &Call, endpoint: &Endpoint) -> Xml {
        let mut x = Xml::new();
        x.element("vpcEndpoint", |x| self.write_endpoint(x, call, endpoint));
        x.optional("clientToken", call.params.get("ClientToken"));
        x
    }

    fn write_endpoint(&self, x: &mut Xml, call: &Call, endpoint: &Endpoint) {
        x.text("vpcEndpointId", &endpoint.id).text("vpcEndpointType", endpoint.kind());
        x.text("vpcId", &endpoint.vpc).text("serviceName", &endpoint.service);
        x.text("serviceRegion", &call.region).text("ownerId", ACCOUNT);
        x.text("state", endpoint.state(call.now)).text("policyDocument", &endpoint.policy);
        x.text("ipAddressType", "ipv4").text("requesterManaged", false);
        x.text("creationTimestamp", timestamp(endpoint.created_at));
        x.text("privateDnsEnabled", endpoint.private_dns.is_some());
        x.texts("routeTableIdSet", "item", &endpoint.route_tables);
        x.texts("subnetIdSet", "item", &endpoint.subnets);
        x.list("groupSet", "item", &endpoint.groups, |x, id| {
            let name = self.security_groups.get(id).map(|group| group.name.as_str());
            x.text("groupId", id).optional("groupName", name);
        });
        let interfaces = self.interfaces_of(&endpoint.id).map(|interface| &interface.id);
        x.texts("networkInterfaceIdSet", "item", interfaces);
        let own = (!endpoint.gateway).then(|| {
            let service = endpoint.service.rsplit('.').next().unwrap_or_default();
            format!("{}.{service}.{}.vpce.amazonaws.com", endpoint.id, call.region)
        });
        x.list("dnsEntrySet", "item", own.iter().chain(&endpoint.private_dns), |x, name| {
            x.text("dnsName", name);
        });
        write_tags(x, &endpoint.record.tags);
    }

    pub(super) fn describe_vpc_endpoints(&self, call: &Call) -> Reply {
        let facts = |endpoint: &Endpoint| {
            vec![
                ("ip-address-type", "ipv4".to_string()),
                ("service-name", endpoint.service.clone()),
                ("service-region", call.region.clone()),
                ("vpc-endpoint-id", endpoint.id.clone()),
                ("vpc-endpoint-state", endpoint.state(call.now).to_string()),
                ("vpc-endpoint-type", endpoint.kind().to_string()),
                ("vpc-id", endpoint.vpc.clone()),
            ]
        };
        let all = self.endpoints.values();
        self.list(call, &LISTING, all, facts, |x, endpoint| self.write_endpoint(x, call, endpoint))
    }

    pub(super) fn modify_vpc_endpoint(&mut self, call: &Call, random: &mut Random) -> Reply {
        let params = &call.params;
        let id = params.required("VpcEndpointId")?;
        let endpoint = self.find(&self.endpoints, id)?;
        let state = endpoint.state(call.now);
        if state != "available" {
            let text = format!("The VPC endpoint {id} is {state} and cannot be modified");
            return Err(Fault::bad("IncorrectState", text));
        }
        let lists = |word: &str| {
            let list = |what: &str| params.list(&format!("{word}{what}"));
            (list("RouteTableId"), list("SubnetId"), list("SecurityGroupId"))
        };
        let (add, remove) = (lists("Add"), lists("Remove"));
        let wrong =
            |(tables, subnets, groups): &(Vec<String>, Vec<String>, Vec<String>)| match endpoint.gateway {
                true => !subnets.is_empty() || !groups.is_empty(),
                false => !tables.is_empty(),
            };
        if wrong(&add) || wrong(&remove) {
            let text = format!("Not supported for {} endpoints", endpoint.kind());
            return Err(Fault::bad("InvalidParameter", text));
        }
        self.check_route_tables(call, endpoint, &add.0)?;
        self.check_subnets(endpoint, &add.1)?;
        self.check_groups(&endpoint.vpc, &add.2)?;
        let groups: Vec<String> =
            endpoint.groups.iter().filter(|group| !remove.2.contains(group)).cloned().collect();
        if !endpoint.gateway && groups.is_empty() && add.2.is_empty() {
            return Err(invalid("An interface endpoint needs at least one security group"));
        }
        let private_dns = match params.flag("PrivateDnsEnabled") {
            None => endpoint.private_dns.clone(),
            Some(false) => None,
            Some(true) => {
                let mut all = services(&call.region).into_iter();
                let service = all.find(|service| service.name == endpoint.service && !service.gateway);
                let service = service.ok_or_else(|| no_service(&endpoint.service))?;
                self.private_dns(&endpoint.vpc, &service, Some(id))?
            }
        };
        // An interface goes the way of a whole endpoint's.
        let gone_at = call.now + random.duration(60.0, 150.0, 400.0);
        for table in self.route_tables.values_mut().filter(|table| remove.0.contains(&table.id)) {
            table.routes.retain(|route| !matches!(&route.target, Target::Endpoint(target) if target == id));
        }
        for interface in self.interfaces.values_mut() {
            if interface.owner.as_deref() == Some(id) && remove.1.contains(&interface.subnet) {
                interface.gone_at = Some(gone_at);
            }
        }
        if let Some(endpoint) = self.endpoints.get_mut(id) {
            endpoint.route_tables.retain(|table| !remove.0.contains(table));
            endpoint.subnets.retain(|subnet| !remove.1.contains(subnet));
            endpoint.groups = groups;
            for group in add.2 {
                if !endpoint.groups.contains(&group) {
                    endpoint.groups.push(group);
                }
            }
            endpoint.private_dns = private_dns;
            if let Some(policy) = params.get("PolicyDocument") {
                endpoint.policy = policy.to_string();
            }
            if params.flag("ResetPolicy") == Some(true) {
                endpoint.policy = FULL_ACCESS.to_string();
            }
            for interface in self.interfaces.values_mut() {
                if interface.owner.as_deref() == Some(id) {
                    interface.groups.clone_from(&endpoint.groups);
                }
            }
        }
        self.add_route_tables(call, id, &add.0);
        self.add_subnets(random, id, &add.1);
        done()
    }

    /// Answers for each id; the request as a whole succeeds.
    pub(super) fn delete_vpc_endpoints(&mut self, call: &Call, random: &mut Random) -> Reply {
        call.params.required("VpcEndpointId.1")?;
        let mut unknown = Vec::new();
        for id in call.params.list("VpcEndpointId") {
            let Ok(endpoint) = self.find(&self.endpoints, &id) else {
                unknown.push(id);
                continue;
            };
            if endpoint.deleted_at.is_some() {
                continue;
            }
            let deleted_at = call.now
                + match endpoint.gateway {
                    true => random.duration(0.3, 0.7, 2.0),
                    false => random.duration(60.0, 150.0, 400.0),
                };
            if let Some(endpoint) = self.endpoints.get_mut(&id) {
                endpoint.deleted_at = Some(deleted_at);
            }
            for interface in self.interfaces.values_mut() {
                if interface.owner.as_ref() == Some(&id) {
                    interface.gone_at = Some(deleted_at);
                }
            }
        }
        let mut x = Xml::new();
        x.list("unsuccessful", "item", unknown, |x, id| {
            x.element("error", |x| {
                x.text("code", "InvalidVpcEndpoint.NotFound");
                x.text("message", format!("The Vpc Endpoint Id '{id}' does not exist"));
            });
            x.text("resourceId", id);
        });
        Ok(x.into())
    }

    /// A gateway endpoint's tables: of its VPC, and without a route to the service yet.
    fn check_route_tables(&self, call: &Call, endpoint: &Endpoint, tables: &[String]) -> Result<(), Fault> {
        let destination = gateway_destination(call, &endpoint.service);
        for id in tables {
            let table = self.find(&self.route_tables, id)?;
            if table.vpc != endpoint.vpc {
                let text = format!("Route table {id} does not belong to VPC {}", endpoint.vpc);
                return Err(Fault::bad("InvalidParameter", text));
            }
            if let Some(taken) =
                table.routes.iter().find(|route| Some(&route.destination) == destination.as_ref())
            {
                let text = format!(
                    "route table {id} already has a route with destination-prefix-list-id {}",
                    taken.destination
                );
                return Err(Fault::bad("RouteAlreadyExists", text));
            }
        }
        Ok(())
    }

    fn add_route_tables(&mut self, call: &Call, id: &str, tables: &[String]) {
        let Some(endpoint) = self.endpoints.get_mut(id) else { return };
        let Some(destination) = gateway_destination(call, &endpoint.service) else { return };
        for table in tables {
            if endpoint.route_tables.contains(table) {
                continue;
            }
            endpoint.route_tables.push(table.clone());
            if let Some(table) = self.route_tables.get_mut(table) {
                let (destination, target) = (destination.clone(), Target::Endpoint(id.to_string()));
                table.routes.push(Route { destination, target, origin: "CreateRoute".to_string() });
            }
        }
    }

    fn check_groups(&self, vpc: &str, groups: &[String]) -> Result<(), Fault> {
        self.find_all(&self.security_groups, groups)?;
        match groups.iter().find(|id| self.security_groups.get(*id).is_some_and(|group| group.vpc != vpc)) {
            Some(id) => {
                let text = format!("The security group {id} does not belong to VPC {vpc}");
                Err(Fault::bad("InvalidParameter", text))
            }
            None => Ok(()),
        }
    }

    /// An interface endpoint's subnets: of its VPC, one for each zone, with room for an interface.
    fn check_subnets(&self, endpoint: &Endpoint, subnets: &[String]) -> Result<(), Fault> {
        let zone = |id: &String| self.subnets.get(id).map(|subnet| subnet.zone.as_str());
        let mut zones: BTreeSet<&str> = endpoint.subnets.iter().filter_map(zone).collect();
        for id in subnets {
            let subnet = self.find(&self.subnets, id)?;
            if subnet.vpc != endpoint.vpc {
                let text = format!("The subnet ID '{id}' does not belong to VPC {}", endpoint.vpc);
                return Err(Fault::bad("InvalidParameter", text));
            }
            if !has_endpoint(&subnet.zone, endpoint.service.splitn(4, '.').nth(3).unwrap_or_default()) {
                // The words of hashicorp's and CDK's users (aws-cdk, issue 4912).
                let text = format!(
                    "The VPC endpoint service {} does not support the availability zone of the subnet: {id}.",
                    endpoint.service
                );
                return Err(Fault::bad("InvalidParameter", text));
            }
            if !zones.insert(&subnet.zone) {
                let text = format!("Found another VPC endpoint subnet in the availability zone of {id}");
                return Err(Fault::bad("DuplicateSubnetsInSameZone", text));
            }
            if self.free_address(id).is_none() {
                let text = format!("The subnet '{id}' has no free addresses");
                return Err(Fault::bad("InsufficientFreeAddressesInSubnet", text));
            }
        }
        Ok(())
    }

    pub(super) fn add_subnets(&mut self, random: &mut Random, id: &str, subnets: &[String]) {
        for subnet in subnets {
            let Some(endpoint) = self.endpoints.get_mut(id) else { return };
            endpoint.subnets.push(subnet.clone());
            let new = New {
                id: new_id("eni", random),
                kind: "vpc_endpoint",
                groups: endpoint.groups.clone(),
                description: format!("VPC Endpoint Interface {id}"),
                requester: "727180483921".to_string(),
                owner: Some(id.to_string()),
            };
            self.put_interface(new, subnet);
        }
    }

    /// The host name for private DNS, if the VPC allows it and no endpoint has it, not even one that is
    /// being deleted.
    fn private_dns(&self, vpc: &str, service: &Service, own: Option<&str>) -> Result<Option<String>, Fault> {
        if !self.vpcs.get(vpc).is_some_and(|vpc| vpc.dns_support && vpc.dns_hostnames) {
            let text = format!(
                "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for {vpc}"
            );
            return Err(Fault::bad("InvalidParameter", text));
        }
        let taken = service.private_dns.is_some()
            && self.endpoints.values().any(|other| {
                other.vpc == vpc && Some(other.id.as_str()) != own && other.private_dns == service.private_dns
            });
        if taken {
            let text = format!(
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for {} in the VPC {vpc}",
                service.private_dns.as_deref().unwrap_or_default()
            );
            return Err(Fault::bad("InvalidParameter", text));
        }
        Ok(service.private_dns.clone())
    }
}

/// The destination of a gateway endpoint's routes.
fn gateway_destination(call: &Call, service: &str) -> Option<Destination> {
    let list = prefix_lists(&call.region).into_iter().find(|list| list.name == service)?;
    Some(Destination::PrefixList(list.id))
}

/// The service that the request names, in the type that it wants (`Gateway` unless it says otherwise).
fn endpoint_service(call: &Call) -> Result<Service, Fault> {
    let name = call.params.required("ServiceName")?;
    let kind = call.params.get("VpcEndpointType").unwrap_or("Gateway");
    let mut named: Vec<Service> =
        services(&call.region).into_iter().filter(|service| service.name == name).collect();
    if named.is_empty() {
        return Err(no_service(name));
    }
    match named.iter().position(|service| service.gateway == (kind == "Gateway")) {
        Some(index) if matches!(kind, "Gateway" | "Interface") => Ok(named.swap_remove(index)),
        _ => {
            let offered = if named[0].gateway { "Gateway" } else { "Interface" };
            let text =
                format!("Endpoint type ({kind}) does not match available service types ([{offered}]).");
            Err(Fault::bad("InvalidParameter", text))
        }
    }
}

fn limit_exceeded() -> Fault {
    Fault::bad("VpcEndpointLimitExceeded", "The maximum number of VPC endpoints has been reached.")
}
