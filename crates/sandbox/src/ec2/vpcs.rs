//! VPCs, and what comes and goes with them.

use super::listing::Listing;
use super::record::{self, Record, done, invalid, network, new_id, unsupported, write_tags};
use super::state::{Ec2, Vpc};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Fault, Reply, Xml};
use ipnet::Ipv4Net;

/// The region's own options, which a VPC has until it is given others.
const DHCP_OPTIONS: &str = "dopt-0d1f5c2a7b3e49860";

impl Vpc {
    /// The network that AWS makes in each region of an account (fact book, appendix F, item 10).
    pub(super) fn default_of_account(record: Record, cidr: Ipv4Net, random: &mut Random) -> Vpc {
        Vpc {
            id: new_id("vpc", random),
            available_at: record.visible_at,
            record,
            cidr,
            association: new_id("vpc-cidr-assoc", random),
            dhcp_options: DHCP_OPTIONS.to_string(),
            is_default: true,
            dns_support: true,
            // Unlike a VPC that its owner makes.
            dns_hostnames: true,
            usage_metrics: false,
            tenancy: "default".to_string(),
            guardduty_endpoint: None,
        }
    }

    fn state(&self, now: u64) -> &'static str {
        if now < self.available_at { "pending" } else { "available" }
    }

    pub(super) fn write(&self, x: &mut Xml, now: u64) {
        x.text("vpcId", &self.id).text("ownerId", ACCOUNT).text("state", self.state(now));
        x.text("cidrBlock", self.cidr).text("dhcpOptionsId", &self.dhcp_options);
        x.text("instanceTenancy", &self.tenancy).text("isDefault", self.is_default);
        x.list("cidrBlockAssociationSet", "item", [self], |x, vpc| {
            x.text("associationId", &vpc.association).text("cidrBlock", vpc.cidr);
            x.element("cidrBlockState", |x| {
                x.text("state", "associated");
            });
        });
        write_tags(x, &self.record.tags);
    }
}

const LISTING: Listing = Listing {
    ids: "VpcId",
    set: "vpcSet",
    filters: &[
        "cidr",
        "cidr-block",
        "cidrBlock",
        "cidr-block-association.cidr-block",
        "cidr-block-association.association-id",
        "cidr-block-association.state",
        "dhcp-options-id",
        "is-default",
        "isDefault",
        "owner-id",
        "state",
        "vpc-id",
    ],
    pages: 5..=1000,
};

impl Ec2 {
    pub(super) fn create_vpc(&mut self, call: &Call, random: &mut Random) -> Reply {
        unsupported(&call.params, &["AmazonProvidedIpv6CidrBlock", "Ipv6CidrBlock", "Ipv4IpamPoolId"])?;
        let record = Record::of(call, random, "vpc")?;
        let cidr = network(call.params.required("CidrBlock")?, "cidrBlock")?;
        if !(16..=28).contains(&cidr.prefix_len()) {
            return Err(Fault::bad("InvalidVpc.Range", format!("The CIDR '{cidr}' is invalid.")));
        }
        if self.vpcs.len() >= self.quotas.vpcs {
            return Err(Fault::bad("VpcLimitExceeded", "The maximum number of VPCs has been reached."));
        }
        let vpc = Vpc {
            id: new_id("vpc", random),
            association: new_id("vpc-cidr-assoc", random),
            dhcp_options: DHCP_OPTIONS.to_string(),
            available_at: call.now + random.duration(0.3, 0.7, 2.0),
            dns_support: true,
            dns_hostnames: false,
            usage_metrics: false,
            tenancy: call.params.get("InstanceTenancy").unwrap_or("default").to_string(),
            guardduty_endpoint: None,
            is_default: false,
            record,
            cidr,
        };
        self.put_main_route_table(&vpc, random);
        self.put_default_security_group(&vpc, random);
        self.put_default_access_list(&vpc, random);
        let (id, mut x) = (vpc.id.clone(), Xml::new());
        x.element("vpc", |x| vpc.write(x, call.now));
        self.vpcs.insert(id.clone(), vpc);
        if self.guardduty {
            self.put_guardduty(call, random, &id);
        }
        Ok(x.into())
    }

    pub(super) fn describe_vpcs(&self, call: &Call) -> Reply {
        let now = self.now;
        let facts = |vpc: &Vpc| {
            vec![
                ("cidr", vpc.cidr.to_string()),
                ("cidr-block", vpc.cidr.to_string()),
                ("cidrBlock", vpc.cidr.to_string()),
                ("cidr-block-association.cidr-block", vpc.cidr.to_string()),
                ("cidr-block-association.association-id", vpc.association.clone()),
                ("cidr-block-association.state", "associated".to_string()),
                ("dhcp-options-id", vpc.dhcp_options.clone()),
                ("is-default", vpc.is_default.to_string()),
                ("isDefault", vpc.is_default.to_string()),
                ("owner-id", ACCOUNT.to_string()),
                ("state", vpc.state(now).to_string()),
                ("vpc-id", vpc.id.clone()),
            ]
        };
        self.list(call, &LISTING, self.vpcs.values(), facts, |x, vpc| vpc.write(x, now))
    }

    /// Fact book, section 5.5: what blocks it.
    pub(super) fn delete_vpc(&mut self, call: &Call) -> Reply {
        let id = call.params.required("VpcId")?;
        self.find(&self.vpcs, id)?;
        let blocked = self.subnets.values().any(|subnet| subnet.vpc == id)
            || self.security_groups.values().any(|group| group.vpc == id && !group.is_default())
            || self.route_tables.values().any(|table| table.vpc == id && table.main.is_none())
            || self.internet_gateways.values().any(|gateway| gateway.vpc.as_deref() == Some(id))
            || self.endpoints.values().any(|endpoint| endpoint.vpc == id)
            || self.interfaces.values().any(|interface| interface.vpc == id);
        if blocked {
            return Err(record::dependency("vpc", id));
        }
        self.security_groups.retain(|_, group| group.vpc != id);
        self.route_tables.retain(|_, table| table.vpc != id);
        self.access_lists.retain(|_, list| list.vpc != id);
        self.vpcs.remove(id);
        done()
    }

    /// One attribute per call (fact book, section 5.1).
    pub(super) fn modify_vpc_attribute(&mut self, call: &Call) -> Reply {
        let id = call.params.required("VpcId")?;
        self.find(&self.vpcs, id)?;
        let names = ["EnableDnsSupport", "EnableDnsHostnames", "EnableNetworkAddressUsageMetrics"];
        let given: Vec<(&str, bool)> = names
            .into_iter()
            .filter_map(|name| Some((name, call.params.flag(&format!("{name}.Value"))?)))
            .collect();
        let (name, value) = match given.as_slice() {
            [] => return Err(Fault::bad("MissingParameter", "No attribute was specified")),
            [one] => *one,
            _ => {
                return Err(Fault::bad(
                    "InvalidParameterCombination",
                    "Fields for multiple attribute types specified: only one attribute can be modified at a time",
                ));
            }
        };
        if let Some(vpc) = self.vpcs.get_mut(id) {
            match name {
                "EnableDnsSupport" => vpc.dns_support = value,
                "EnableDnsHostnames" => vpc.dns_hostnames = value,
                _ => vpc.usage_metrics = value,
            }
        }
        done()
    }

    pub(super) fn describe_vpc_attribute(&self, call: &Call) -> Reply {
        let vpc = self.find(&self.vpcs, call.params.required("VpcId")?)?;
        let attribute = call.params.required("Attribute")?;
        let value = match attribute {
            "enableDnsSupport" => vpc.dns_support,
            "enableDnsHostnames" => vpc.dns_hostnames,
            "enableNetworkAddressUsageMetrics" => vpc.usage_metrics,
            _ => return Err(invalid(format!("Value ({attribute}) for parameter attribute is invalid."))),
        };
        let mut x = Xml::new();
        x.text("vpcId", &vpc.id);
        x.element(attribute, |x| {
            x.text("value", value);
        });
        Ok(x.into())
    }
}
