//! Subnets.

use super::listing::Listing;
use super::record::{self, Record, done, invalid, network, new_id, unsupported, write_tags};
use super::state::{Ec2, Subnet};
use super::zones::zones;
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Fault, Reply, Xml};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// Addresses of each subnet that AWS keeps: the first four and the last.
const RESERVED: u32 = 5;

impl Subnet {
    fn state(&self, now: u64) -> &'static str {
        if now < self.available_at { "pending" } else { "available" }
    }

    fn arn(&self, region: &str) -> String {
        format!("arn:aws:ec2:{region}:{ACCOUNT}:subnet/{}", self.id)
    }

    fn write(&self, x: &mut Xml, call: &Call, free: u32) {
        x.text("subnetId", &self.id).text("subnetArn", self.arn(&call.region));
        x.text("state", self.state(call.now)).text("vpcId", &self.vpc).text("ownerId", ACCOUNT);
        x.text("cidrBlock", self.cidr).text("availableIpAddressCount", free);
        x.text("availabilityZone", &self.zone).text("availabilityZoneId", &self.zone_id);
        x.text("defaultForAz", self.default_for_zone).text("mapPublicIpOnLaunch", self.map_public_ip);
        x.text("assignIpv6AddressOnCreation", false).text("enableDns64", false).text("ipv6Native", false);
        x.text("mapCustomerOwnedIpOnLaunch", false);
        x.element("ipv6CidrBlockAssociationSet", |_| {});
        x.element("privateDnsNameOptionsOnLaunch", |x| {
            x.text("hostnameType", "ip-name");
            x.text("enableResourceNameDnsARecord", false).text("enableResourceNameDnsAAAARecord", false);
        });
        write_tags(x, &self.record.tags);
    }
}

const LISTING: Listing = Listing {
    ids: "SubnetId",
    set: "subnetSet",
    filters: &[
        "availability-zone",
        "availabilityZone",
        "availability-zone-id",
        "available-ip-address-count",
        "cidr-block",
        "cidr",
        "default-for-az",
        "map-public-ip-on-launch",
        "owner-id",
        "state",
        "subnet-arn",
        "subnet-id",
        "vpc-id",
    ],
    pages: 5..=1000,
};

impl Ec2 {
    pub(super) fn create_subnet(&mut self, call: &Call, random: &mut Random) -> Reply {
        let params = &call.params;
        unsupported(params, &["Ipv6CidrBlock", "Ipv6Native", "OutpostArn", "Ipv4IpamPoolId"])?;
        let record = Record::of(call, random, "subnet")?;
        let vpc = self.find(&self.vpcs, params.required("VpcId")?)?;
        let cidr = network(params.required("CidrBlock")?, "cidrBlock")?;
        if !(16..=28).contains(&cidr.prefix_len()) || !vpc.cidr.contains(&cidr) {
            return Err(Fault::bad("InvalidSubnet.Range", format!("The CIDR '{cidr}' is invalid.")));
        }
        let vpc = vpc.id.clone();
        let siblings: Vec<&Subnet> = self.subnets.values().filter(|subnet| subnet.vpc == vpc).collect();
        if siblings.iter().any(|other| other.cidr.contains(&cidr) || cidr.contains(&other.cidr)) {
            let text = format!("The CIDR '{cidr}' conflicts with another subnet");
            return Err(Fault::bad("InvalidSubnet.Conflict", text));
        }
        if siblings.len() >= self.quotas.subnets_per_vpc {
            return Err(Fault::bad("SubnetLimitExceeded", "The maximum number of subnets has been reached."));
        }
        let mut all = zones(&call.region);
        let chosen = match (params.get("AvailabilityZone"), params.get("AvailabilityZoneId")) {
            (Some(name), _) => all.iter().position(|zone| zone.name == name),
            (None, Some(id)) => all.iter().position(|zone| zone.id == id),
            (None, None) => Some((random.unit() * all.len() as f64) as usize),
        };
        let Some(chosen) = chosen else {
            let names: Vec<String> = all.into_iter().map(|zone| zone.name).collect();
            return Err(invalid(format!(
                "Value ({}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: {}.",
                params.get("AvailabilityZone").or(params.get("AvailabilityZoneId")).unwrap_or_default(),
                names.join(", ")
            )));
        };
        let zone = all.swap_remove(chosen);
        let subnet = Subnet {
            id: new_id("subnet", random),
            zone: zone.name,
            zone_id: zone.id,
            map_public_ip: false,
            default_for_zone: false,
            access_list_association: new_id("aclassoc", random),
            available_at: call.now + random.duration(0.3, 0.7, 2.0),
            record,
            vpc,
            cidr,
        };
        let (id, vpc, mut x) = (subnet.id.clone(), subnet.vpc.clone(), Xml::new());
        x.element("subnet", |x| subnet.write(x, call, size(subnet.cidr)));
        self.subnets.insert(id.clone(), subnet);
        self.extend_guardduty(random, &vpc, &id);
        Ok(x.into())
    }

    pub(super) fn describe_subnets(&self, call: &Call) -> Reply {
        let facts = |subnet: &Subnet| {
            vec![
                ("availability-zone", subnet.zone.clone()),
                ("availabilityZone", subnet.zone.clone()),
                ("availability-zone-id", subnet.zone_id.clone()),
                ("available-ip-address-count", self.free_addresses(subnet).to_string()),
                ("cidr-block", subnet.cidr.to_string()),
                ("cidr", subnet.cidr.to_string()),
                ("default-for-az", subnet.default_for_zone.to_string()),
                ("map-public-ip-on-launch", subnet.map_public_ip.to_string()),
                ("owner-id", ACCOUNT.to_string()),
                ("state", subnet.state(call.now).to_string()),
                ("subnet-arn", subnet.arn(&call.region)),
                ("subnet-id", subnet.id.clone()),
                ("vpc-id", subnet.vpc.clone()),
            ]
        };
        self.list(call, &LISTING, self.subnets.values(), facts, |x, subnet| {
            subnet.write(x, call, self.free_addresses(subnet));
        })
    }

    pub(super) fn modify_subnet_attribute(&mut self, call: &Call) -> Reply {
        let params = &call.params;
        let id = params.required("SubnetId")?;
        self.find(&self.subnets, id)?;
        let names = params.glance().map(|(name, _)| name);
        let given: Vec<&str> = names.filter(|name| name.ends_with(".Value")).collect();
        if given.len() > 1 {
            return Err(Fault::bad(
                "InvalidParameterCombination",
                "Fields for multiple attribute types specified: only one attribute can be modified at a time",
            ));
        }
        let Some(value) = params.flag("MapPublicIpOnLaunch.Value") else {
            return Err(match given.first() {
                Some(name) => Fault::bad(
                    "UnsupportedOperation",
                    format!("The sandbox does not simulate the attribute {name}."),
                ),
                None => Fault::bad("MissingParameter", "No attribute was specified"),
            });
        };
        if let Some(subnet) = self.subnets.get_mut(id) {
            subnet.map_public_ip = value;
        }
        done()
    }

    /// Fact book, section 5.5: an endpoint that is still `deleting` blocks as well as any interface.
    pub(super) fn delete_subnet(&mut self, call: &Call) -> Reply {
        let id = call.params.required("SubnetId")?;
        self.find(&self.subnets, id)?;
        let blocked = self.interfaces.values().any(|interface| interface.subnet == id)
            || self.endpoints.values().any(|endpoint| endpoint.subnets.iter().any(|subnet| subnet == id))
            || self.nat_gateways.values().any(|gateway| gateway.subnet == id && gateway.exists(self.now));
        if blocked {
            return Err(record::dependency("subnet", id));
        }
        self.subnets.remove(id);
        for table in self.route_tables.values_mut() {
            table.associations.retain(|_, subnet| subnet != id);
        }
        done()
    }

    fn free_addresses(&self, subnet: &Subnet) -> u32 {
        let used = u32::try_from(self.used_addresses(&subnet.id).len()).unwrap_or(u32::MAX);
        size(subnet.cidr).saturating_sub(used)
    }

    /// The lowest address of the subnet that nobody has.
    pub(super) fn free_address(&self, subnet: &str) -> Option<Ipv4Addr> {
        let cidr = self.subnets.get(subnet)?.cidr;
        let used = self.used_addresses(subnet);
        let first = u32::from(cidr.network()) + 4;
        (first..u32::from(cidr.broadcast())).map(Ipv4Addr::from).find(|address| !used.contains(address))
    }
}

/// How many addresses a subnet has for its users.
fn size(cidr: Ipv4Net) -> u32 {
    (1 << (32 - u32::from(cidr.prefix_len()))) - RESERVED
}
