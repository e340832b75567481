//! Elastic IP addresses.

use super::listing::Listing;
use super::record::{Record, done, invalid, missing, new_id, unsupported, write_tags};
use super::state::{Address, Association, Ec2};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Fault, Reply, Xml};

const LISTING: Listing = Listing {
    ids: "AllocationId",
    set: "addressesSet",
    filters: &[
        "allocation-id",
        "association-id",
        "domain",
        "network-border-group",
        "network-interface-id",
        "network-interface-owner-id",
        "private-ip-address",
        "public-ip",
    ],
    pages: 1..=1000,
};

const ATTRIBUTES: Listing = Listing { ids: "AllocationId", set: "addressSet", filters: &[], pages: 1..=1000 };

impl Ec2 {
    pub(super) fn allocate_address(&mut self, call: &Call, random: &mut Random) -> Reply {
        unsupported(&call.params, &["Address", "PublicIpv4Pool", "CustomerOwnedIpv4Pool", "IpamPoolId"])?;
        // EC2-Classic is gone (EC2 User Guide): there is one domain.
        if let Some(other) = call.params.get("Domain").filter(|domain| *domain != "vpc") {
            return Err(invalid(format!("Value ({other}) for parameter domain is invalid.")));
        }
        let record = Record::of(call, random, "elastic-ip")?;
        if self.addresses.len() >= self.quotas.addresses {
            let text = "The maximum number of addresses has been reached.";
            return Err(Fault::bad("AddressLimitExceeded", text));
        }
        let public_ip = loop {
            let bits = random.draw();
            let candidate = format!("3.{}.{}.{}", bits >> 56, (bits >> 48) & 255, 1 + (bits >> 40) % 254);
            if self.addresses.values().all(|address| address.public_ip != candidate) {
                break candidate;
            }
        };
        let address = Address { id: new_id("eipalloc", random), record, public_ip, association: None };
        let mut x = Xml::new();
        x.text("allocationId", &address.id).text("publicIp", &address.public_ip).text("domain", "vpc");
        x.text("publicIpv4Pool", "amazon").text("networkBorderGroup", &call.region);
        self.addresses.insert(address.id.clone(), address);
        Ok(x.into())
    }

    pub(super) fn describe_addresses(&self, call: &Call) -> Reply {
        let asked = call.params.list("PublicIp");
        let all: Vec<&Address> = self.addresses.values().collect();
        if let Some(unknown) = asked.iter().find(|ip| !all.iter().any(|address| address.public_ip == **ip)) {
            return Err(Fault::bad("InvalidAddress.NotFound", format!("Address '{unknown}' not found.")));
        }
        let all = all.into_iter().filter(|address| asked.is_empty() || asked.contains(&address.public_ip));
        let facts = |address: &Address| {
            let mut facts = vec![
                ("allocation-id", address.id.clone()),
                ("domain", "vpc".to_string()),
                ("network-border-group", call.region.clone()),
                ("public-ip", address.public_ip.clone()),
            ];
            if let Some(association) = &address.association {
                facts.push(("association-id", association.id.clone()));
                facts.push(("network-interface-id", association.interface.clone()));
                facts.push(("network-interface-owner-id", ACCOUNT.to_string()));
                facts.extend(self.private_address(association).map(|ip| ("private-ip-address", ip)));
            }
            facts
        };
        self.list(call, &LISTING, all, facts, |x, address| {
            x.text("allocationId", &address.id).text("publicIp", &address.public_ip).text("domain", "vpc");
            x.text("publicIpv4Pool", "amazon").text("networkBorderGroup", &call.region);
            if let Some(association) = &address.association {
                x.text("associationId", &association.id);
                x.text("networkInterfaceId", &association.interface).text("networkInterfaceOwnerId", ACCOUNT);
                x.optional("privateIpAddress", self.private_address(association));
            }
            write_tags(x, &address.record.tags);
        })
    }

    /// The reverse DNS name of each address: nobody can set one here, and an address without one is listed without
    /// it. Terraform's provider asks at every refresh.
    pub(super) fn describe_addresses_attribute(&self, call: &Call) -> Reply {
        if let Some(other) = call.params.get("Attribute").filter(|name| *name != "domain-name") {
            return Err(invalid(format!("Value ({other}) for parameter attribute is invalid.")));
        }
        self.list(
            call,
            &ATTRIBUTES,
            self.addresses.values(),
            |_| Vec::new(),
            |x, address| {
                x.text("publicIp", &address.public_ip).text("allocationId", &address.id);
            },
        )
    }

    /// Fact book, section 5.4: refused while in use, and the codes for what is not there.
    pub(super) fn release_address(&mut self, call: &Call) -> Reply {
        let address = match call.params.get("AllocationId") {
            Some(id) => self.find(&self.addresses, id)?,
            None => self.by_public_ip(call.params.required("PublicIp").map_err(|_| {
                Fault::bad("MissingParameter", "Either 'publicIp' or 'allocationId' is required")
            })?)?,
        };
        // API reference of ReleaseAddress: the code for a group that is not the address's.
        if call.params.get("NetworkBorderGroup").is_some_and(|group| group != call.region) {
            return Err(Fault::bad(
                "InvalidAddress.NotFound",
                format!("Address '{}' not found.", address.public_ip),
            ));
        }
        if address.association.is_some() {
            let text = format!("Address {} is in use.", address.public_ip);
            return Err(Fault::bad("InvalidIPAddress.InUse", text));
        }
        let id = address.id.clone();
        self.addresses.remove(&id);
        done()
    }

    /// Everything that has an address here belongs to a service, and only the service can let go of it.
    pub(super) fn disassociate_address(&mut self, call: &Call) -> Reply {
        let address = match call.params.get("AssociationId") {
            Some(id) => {
                let mut all = self.addresses.values();
                let with =
                    all.find(|address| address.association.as_ref().is_some_and(|found| found.id == id));
                with.ok_or_else(|| {
                    let text = format!("The association ID '{id}' does not exist");
                    Fault::bad("InvalidAssociationID.NotFound", text)
                })?
            }
            None => self.by_public_ip(call.params.required("PublicIp")?)?,
        };
        match &address.association {
            Some(_) => {
                Err(Fault::bad("AuthFailure", "You do not have permission to access the specified resource."))
            }
            None => done(),
        }
    }

    fn by_public_ip(&self, ip: &str) -> Result<&Address, Fault> {
        let found = self.addresses.values().find(|address| address.public_ip == ip);
        let found = found.filter(|address| address.record.visible_at <= self.now);
        found.ok_or_else(|| Fault::bad("AuthFailure", format!("The address '{ip}' does not belong to you.")))
    }

    fn private_address(&self, association: &Association) -> Option<String> {
        Some(self.interfaces.get(&association.interface)?.address?.to_string())
    }

    /// The allocation, also for those who name it in a request of their own.
    pub(super) fn address(&self, id: &str) -> Result<&Address, Fault> {
        self.visible(&self.addresses, id).ok_or_else(|| missing::<Address>(id))
    }
}
