//! NAT gateways.

use super::listing::Listing;
use super::record::{Record, new_id, timestamp, unsupported, write_tags};
use super::state::{Association, Attached, Ec2, NatGateway, New};
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Fault, Reply, Xml};

/// A deleted or failed gateway stays listed for an hour (fact book, section 5.4).
const LISTED_MS: u64 = 3_600_000;

impl NatGateway {
    pub(super) fn state(&self, now: u64) -> &'static str {
        match (self.deleting_at, self.deleted_at) {
            (_, Some(at)) if at <= now => "deleted",
            (Some(_), _) => "deleting",
            _ if now < self.ready_at => "pending",
            _ if self.failure.is_some() => "failed",
            _ => "available",
        }
    }

    /// Whether there is anything behind the listing.
    pub(super) fn exists(&self, now: u64) -> bool {
        !matches!(self.state(now), "failed" | "deleted")
    }

    /// When it is listed no longer.
    pub(super) fn forgotten_at(&self) -> Option<u64> {
        let over = self.deleted_at.or(self.failure.as_ref().map(|_| self.ready_at));
        over.map(|at| at + LISTED_MS)
    }

    fn write(&self, x: &mut Xml, now: u64) {
        let state = self.state(now);
        x.text("natGatewayId", &self.id).text("vpcId", &self.vpc).text("subnetId", &self.subnet);
        x.text("state", state).text("createTime", timestamp(self.created_at));
        x.text("connectivityType", if self.public { "public" } else { "private" });
        x.text("availabilityMode", "zonal");
        x.optional("deleteTime", self.deleting_at.map(timestamp));
        if let Some((code, message)) = self.failure.as_ref().filter(|_| now >= self.ready_at) {
            x.text("failureCode", code).text("failureMessage", message);
        }
        x.list("natGatewayAddressSet", "item", [self], |x, gateway| {
            x.optional("allocationId", gateway.allocation.as_ref()).text("isPrimary", true);
            match &gateway.interface {
                Some(attached) if state != "pending" => {
                    x.text("networkInterfaceId", &attached.interface).text("privateIp", &attached.private_ip);
                    x.optional("associationId", attached.association.as_ref());
                    x.optional("publicIp", attached.public_ip.as_ref()).text("status", "succeeded");
                }
                _ if state == "failed" => {
                    x.text("status", "failed");
                }
                _ => {
                    x.text("status", "associating");
                }
            }
        });
        write_tags(x, &self.record.tags);
    }

    fn created(&self, call: &Call) -> Xml {
        let mut x = Xml::new();
        x.optional("clientToken", call.params.get("ClientToken"));
        x.element("natGateway", |x| self.write(x, call.now));
        x
    }
}

const LISTING: Listing = Listing {
    ids: "NatGatewayId",
    set: "natGatewaySet",
    filters: &["nat-gateway-id", "state", "subnet-id", "vpc-id"],
    pages: 5..=1000,
};

impl Ec2 {
    pub(super) fn create_nat_gateway(&mut self, call: &Call, random: &mut Random) -> Reply {
        if let Some(earlier) = self.replayed(call)? {
            let same = self.nat_gateways.get(&earlier.object);
            return Ok(same.map_or_else(|| earlier.answer(), |gateway| gateway.created(call)).into());
        }
        let params = &call.params;
        unsupported(params, &["VpcId", "PrivateIpAddress", "SecondaryAllocationId.1"])?;
        if params.get("AvailabilityMode") == Some("regional") {
            let text = "The sandbox does not simulate regional NAT gateways.";
            return Err(Fault::bad("UnsupportedOperation", text));
        }
        let record = Record::of(call, random, "natgateway")?;
        let subnet = self.find(&self.subnets, params.required("SubnetId")?)?;
        let (subnet, vpc, zone) = (subnet.id.clone(), subnet.vpc.clone(), subnet.zone.clone());
        let public = params.get("ConnectivityType") != Some("private");
        let allocation = match (public, params.get("AllocationId")) {
            (true, Some(id)) => Some(self.address(id)?.id.clone()),
            (true, None) => params.required("AllocationId").map(|_| None)?,
            (false, None) => None,
            (false, Some(_)) => {
                let text = "AllocationId cannot be specified for a private NAT gateway";
                return Err(Fault::bad("InvalidParameterCombination", text));
            }
        };
        let now = self.now;
        let there =
            self.nat_gateways.values().filter(|other| other.zone == zone && other.exists(now)).count();
        if there >= self.quotas.nat_gateways_per_zone {
            let text = format!("Performing this operation would exceed the limit of {there} NAT gateways");
            return Err(Fault::bad("NatGatewayLimitExceeded", text));
        }
        let failure = self.nat_failure(&vpc, &subnet, allocation.as_deref());
        let ready_at = call.now
            + match &failure {
                // What cannot work is found out early.
                Some(_) => random.duration(5.0, 10.0, 20.0),
                None => random.duration(95.0, 106.0, 125.0),
            };
        let id = new_id("nat", random);
        let interface = match &failure {
            Some(_) => None,
            None => self.attach_nat_gateway(random, &id, &subnet, allocation.as_deref()),
        };
        let gateway = NatGateway {
            id,
            record,
            vpc,
            subnet,
            zone,
            public,
            allocation,
            interface,
            created_at: call.now,
            ready_at,
            failure,
            deleting_at: None,
            deleted_at: None,
        };
        let x = gateway.created(call);
        self.remember(call, &gateway.id, &x);
        self.nat_gateways.insert(gateway.id.clone(), gateway);
        Ok(x.into())
    }

    /// Why a gateway here is going to fail (codes: fact book, section 5.4).
    fn nat_failure(&self, vpc: &str, subnet: &str, allocation: Option<&str>) -> Option<(String, String)> {
        let failed = |code: &str, message: String| Some((code.to_string(), message));
        if let Some(allocation) = allocation {
            if self.internet_gateway_of(vpc).is_none() {
                let text = format!("Network {vpc} has no Internet gateway attached");
                return failed("Gateway.NotAttached", text);
            }
            if self.addresses.get(allocation).is_some_and(|address| address.association.is_some()) {
                let text = format!("Elastic IP address [{allocation}] is already associated");
                return failed("Resource.AlreadyAssociated", text);
            }
        }
        if self.free_address(subnet).is_none() {
            let text = format!("Subnet {subnet} has insufficient free addresses to create this NAT gateway");
            return failed("InsufficientFreeAddressesInSubnet", text);
        }
        None
    }

    fn attach_nat_gateway(
        &mut self,
        random: &mut Random,
        id: &str,
        subnet: &str,
        allocation: Option<&str>,
    ) -> Option<Attached> {
        let interface = new_id("eni", random);
        let new = New {
            id: interface.clone(),
            kind: "nat_gateway",
            groups: Vec::new(),
            description: format!("Interface for NAT Gateway {id}"),
            requester: "amazon-aws".to_string(),
            owner: Some(id.to_string()),
        };
        self.put_interface(new, subnet);
        let private_ip = self.interfaces.get(&interface)?.address?.to_string();
        let mut attached = Attached { interface, private_ip, association: None, public_ip: None };
        if let Some(address) = allocation.and_then(|allocation| self.addresses.get_mut(allocation)) {
            let association = new_id("eipassoc", random);
            attached.association = Some(association.clone());
            attached.public_ip = Some(address.public_ip.clone());
            address.association =
                Some(Association { id: association, interface: attached.interface.clone() });
        }
        Some(attached)
    }

    pub(super) fn describe_nat_gateways(&self, call: &Call) -> Reply {
        let now = self.now;
        let facts = |gateway: &NatGateway| {
            vec![
                ("nat-gateway-id", gateway.id.clone()),
                ("state", gateway.state(now).to_string()),
                ("subnet-id", gateway.subnet.clone()),
                ("vpc-id", gateway.vpc.clone()),
            ]
        };
        self.list(call, &LISTING, self.nat_gateways.values(), facts, |x, gateway| gateway.write(x, now))
    }

    /// The address is let go of when the gateway is `deleted`, and stays allocated.
    pub(super) fn delete_nat_gateway(&mut self, call: &Call, random: &mut Random) -> Reply {
        let id = call.params.required("NatGatewayId")?;
        let state = self.find(&self.nat_gateways, id)?.state(call.now);
        if state == "deleted" {
            let text = format!("The Nat Gateway {id} was not found");
            return Err(Fault::bad("NatGatewayNotFound", text));
        }
        let lasts = match state {
            // There is nothing to take down.
            "failed" => 0,
            _ => random.duration(40.0, 60.0, 120.0),
        };
        if let Some(gateway) = self.nat_gateways.get_mut(id).filter(|gateway| gateway.deleting_at.is_none()) {
            let deleted_at = call.now + lasts;
            gateway.deleting_at = Some(call.now);
            gateway.deleted_at = Some(deleted_at);
            for interface in self.interfaces.values_mut() {
                if interface.owner.as_deref() == Some(id) {
                    interface.gone_at = Some(deleted_at);
                }
            }
        }
        let mut x = Xml::new();
        x.text("natGatewayId", id);
        Ok(x.into())
    }
}
