//! Internet gateways.

use super::listing::Listing;
use super::record::{self, Record, done, invalid, new_id, write_tags};
use super::state::{Ec2, InternetGateway};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Fault, Reply, Xml};

impl InternetGateway {
    fn write(&self, x: &mut Xml) {
        x.text("internetGatewayId", &self.id).text("ownerId", ACCOUNT);
        x.list("attachmentSet", "item", &self.vpc, |x, vpc| {
            // The documented enum says `attached`; the service says `available`.
            x.text("vpcId", vpc).text("state", "available");
        });
        write_tags(x, &self.record.tags);
    }
}

const LISTING: Listing = Listing {
    ids: "InternetGatewayId",
    set: "internetGatewaySet",
    filters: &["attachment.state", "attachment.vpc-id", "internet-gateway-id", "owner-id"],
    pages: 5..=1000,
};

impl Ec2 {
    pub(super) fn create_internet_gateway(&mut self, call: &Call, random: &mut Random) -> Reply {
        let record = Record::of(call, random, "internet-gateway")?;
        if self.internet_gateways.len() >= self.quotas.internet_gateways {
            return Err(Fault::bad(
                "InternetGatewayLimitExceeded",
                "The maximum number of internet gateways has been reached.",
            ));
        }
        let gateway = InternetGateway { id: new_id("igw", random), record, vpc: None };
        let mut x = Xml::new();
        x.element("internetGateway", |x| gateway.write(x));
        self.internet_gateways.insert(gateway.id.clone(), gateway);
        Ok(x.into())
    }

    pub(super) fn describe_internet_gateways(&self, call: &Call) -> Reply {
        let facts = |gateway: &InternetGateway| {
            let mut facts =
                vec![("internet-gateway-id", gateway.id.clone()), ("owner-id", ACCOUNT.to_string())];
            if let Some(vpc) = &gateway.vpc {
                facts.push(("attachment.state", "available".to_string()));
                facts.push(("attachment.vpc-id", vpc.clone()));
            }
            facts
        };
        let all = self.internet_gateways.values();
        self.list(call, &LISTING, all, facts, |x, gateway| gateway.write(x))
    }

    pub(super) fn attach_internet_gateway(&mut self, call: &Call) -> Reply {
        let id = call.params.required("InternetGatewayId")?;
        let vpc = call.params.required("VpcId")?;
        let gateway = self.find(&self.internet_gateways, id)?;
        self.find(&self.vpcs, vpc)?;
        if let Some(holder) = &gateway.vpc {
            return Err(Fault::bad(
                "Resource.AlreadyAssociated",
                format!("resource {id} is already attached to network {holder}"),
            ));
        }
        if self.internet_gateway_of(vpc).is_some() {
            return Err(invalid(format!("Network {vpc} already has an internet gateway attached")));
        }
        if let Some(gateway) = self.internet_gateways.get_mut(id) {
            gateway.vpc = Some(vpc.to_string());
        }
        done()
    }

    pub(super) fn detach_internet_gateway(&mut self, call: &Call) -> Reply {
        let id = call.params.required("InternetGatewayId")?;
        let vpc = call.params.required("VpcId")?;
        let gateway = self.find(&self.internet_gateways, id)?;
        self.find(&self.vpcs, vpc)?;
        if gateway.vpc.as_deref() != Some(vpc) {
            let text = format!("resource {id} is not attached to network {vpc}");
            return Err(Fault::bad("Gateway.NotAttached", text));
        }
        let mapped = self
            .addresses
            .values()
            .filter_map(|address| self.interfaces.get(&address.association.as_ref()?.interface))
            .any(|interface| interface.vpc == vpc);
        if mapped {
            return Err(Fault::bad(
                "DependencyViolation",
                format!(
                    "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
                ),
            ));
        }
        if let Some(gateway) = self.internet_gateways.get_mut(id) {
            gateway.vpc = None;
        }
        done()
    }

    pub(super) fn delete_internet_gateway(&mut self, call: &Call) -> Reply {
        let id = call.params.required("InternetGatewayId")?;
        if self.find(&self.internet_gateways, id)?.vpc.is_some() {
            return Err(record::dependency("internetGateway", id));
        }
        self.internet_gateways.remove(id);
        done()
    }

    /// The gateway that is attached to the VPC.
    pub(super) fn internet_gateway_of(&self, vpc: &str) -> Option<&InternetGateway> {
        self.internet_gateways.values().find(|gateway| gateway.vpc.as_deref() == Some(vpc))
    }
}
