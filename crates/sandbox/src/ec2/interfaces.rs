//! Network interfaces. None of them is the customer's own: services make them in the customer's subnets.

use super::listing::Listing;
use super::record::{Record, Tags, done, invalid, timestamp, write_tags};
use super::state::{Ec2, Interface, New};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::wire::{Reply, Xml};

impl Interface {
    fn in_use(&self, now: u64) -> bool {
        self.available_at.is_none_or(|at| at > now)
    }

    fn status(&self, now: u64) -> &'static str {
        if self.in_use(now) { "in-use" } else { "available" }
    }

    /// `ela-attach-…`, as AWS names the attachments that it makes itself.
    fn attachment(&self) -> String {
        format!("ela-attach-{}", self.id.trim_start_matches("eni-"))
    }

    fn mac(&self) -> Option<String> {
        let [a, b, c, d] = self.address?.octets();
        Some(format!("02:1f:{a:02x}:{b:02x}:{c:02x}:{d:02x}"))
    }
}

const LISTING: Listing = Listing {
    ids: "NetworkInterfaceId",
    set: "networkInterfaceSet",
    filters: &[
        "addresses.private-ip-address",
        "association.allocation-id",
        "association.association-id",
        "association.public-ip",
        "attachment.attachment-id",
        "attachment.instance-owner-id",
        "attachment.status",
        "availability-zone",
        "availability-zone-id",
        "description",
        "group-id",
        "interface-type",
        "mac-address",
        "network-interface-id",
        "owner-id",
        "private-ip-address",
        "requester-id",
        "requester-managed",
        "status",
        "subnet-id",
        "vpc-id",
    ],
    pages: 5..=1000,
};

impl Ec2 {
    /// Puts a new interface into a subnet, visible or not. Nothing happens without the subnet.
    pub(super) fn put_interface(&mut self, new: New, subnet: &str) {
        let Some(subnet) = self.subnets.get(subnet) else { return };
        let interface = Interface {
            record: Record { visible_at: self.now, tags: Tags::new() },
            kind: new.kind.to_string(),
            vpc: subnet.vpc.clone(),
            subnet: subnet.id.clone(),
            zone: subnet.zone.clone(),
            zone_id: subnet.zone_id.clone(),
            groups: new.groups,
            description: new.description,
            requester: new.requester,
            owner: new.owner,
            address: self.free_address(&subnet.id),
            attached_at: self.now,
            available_at: None,
            gone_at: None,
            id: new.id,
        };
        self.interfaces.insert(interface.id.clone(), interface);
    }

    /// The interfaces of an endpoint or a gateway.
    pub(super) fn interfaces_of<'a>(&'a self, owner: &'a str) -> impl Iterator<Item = &'a Interface> {
        self.interfaces.values().filter(move |interface| interface.owner.as_deref() == Some(owner))
    }

    pub(super) fn describe_network_interfaces(&self, call: &Call) -> Reply {
        let now = self.now;
        let address_of = |interface: &Interface| {
            self.addresses.values().find_map(|address| {
                let association = address.association.as_ref()?;
                (association.interface == interface.id).then_some((address, association))
            })
        };
        let facts = |interface: &Interface| {
            let mut facts = vec![
                ("availability-zone", interface.zone.clone()),
                ("availability-zone-id", interface.zone_id.clone()),
                ("description", interface.description.clone()),
                ("interface-type", interface.kind.clone()),
                ("network-interface-id", interface.id.clone()),
                ("owner-id", ACCOUNT.to_string()),
                ("requester-id", interface.requester.clone()),
                ("requester-managed", "true".to_string()),
                ("status", interface.status(now).to_string()),
                ("subnet-id", interface.subnet.clone()),
                ("vpc-id", interface.vpc.clone()),
            ];
            facts.extend(interface.groups.iter().map(|group| ("group-id", group.clone())));
            facts.extend(interface.mac().map(|mac| ("mac-address", mac)));
            if let Some(ip) = interface.address {
                facts.push(("private-ip-address", ip.to_string()));
                facts.push(("addresses.private-ip-address", ip.to_string()));
            }
            if interface.in_use(now) {
                facts.push(("attachment.status", "attached".to_string()));
                facts.push(("attachment.attachment-id", interface.attachment()));
                facts.push(("attachment.instance-owner-id", interface.requester.clone()));
            }
            if let Some((address, association)) = address_of(interface) {
                facts.push(("association.allocation-id", address.id.clone()));
                facts.push(("association.association-id", association.id.clone()));
                facts.push(("association.public-ip", address.public_ip.clone()));
            }
            facts
        };
        self.list(call, &LISTING, self.interfaces.values(), facts, |x, interface| {
            x.text("networkInterfaceId", &interface.id).text("interfaceType", &interface.kind);
            x.text("subnetId", &interface.subnet).text("vpcId", &interface.vpc);
            x.text("availabilityZone", &interface.zone).text("availabilityZoneId", &interface.zone_id);
            x.text("description", &interface.description).text("ownerId", ACCOUNT);
            x.text("requesterId", &interface.requester).text("requesterManaged", true);
            x.text("status", interface.status(now)).text("sourceDestCheck", interface.kind != "nat_gateway");
            x.optional("macAddress", interface.mac());
            x.list("groupSet", "item", &interface.groups, |x, group| {
                let name = self.security_groups.get(group).map(|group| group.name.as_str());
                x.text("groupId", group).optional("groupName", name);
            });
            if interface.in_use(now) {
                x.element("attachment", |x| {
                    x.text("attachmentId", interface.attachment()).text("deviceIndex", 1);
                    x.text("instanceOwnerId", &interface.requester).text("status", "attached");
                    x.text("attachTime", timestamp(interface.attached_at)).text("deleteOnTermination", false);
                });
            }
            let association = |x: &mut Xml| {
                if let Some((address, association)) = address_of(interface) {
                    x.element("association", |x| {
                        x.text("publicIp", &address.public_ip).text("ipOwnerId", ACCOUNT);
                        x.text("allocationId", &address.id).text("associationId", &association.id);
                    });
                }
            };
            association(x);
            x.optional("privateIpAddress", interface.address);
            x.list("privateIpAddressesSet", "item", interface.address, |x, ip| {
                x.text("privateIpAddress", ip).text("primary", true);
                association(x);
            });
            write_tags(x, &interface.record.tags);
        })
    }

    /// Only what its service has left behind can be deleted (fact book, section 5.5).
    pub(super) fn delete_network_interface(&mut self, call: &Call) -> Reply {
        let id = call.params.required("NetworkInterfaceId")?;
        if self.find(&self.interfaces, id)?.in_use(self.now) {
            return Err(invalid(format!("Network interface '{id}' is currently in use.")));
        }
        self.interfaces.remove(id);
        done()
    }
}
