//! Network access lists: the default one of each VPC, which nobody here can change.

use super::listing::Listing;
use super::record::{Record, new_id, write_tags};
use super::state::{AccessList, Ec2, Subnet, Vpc};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Reply, Xml};

const LISTING: Listing = Listing {
    ids: "NetworkAclId",
    set: "networkAclSet",
    filters: &[
        "association.association-id",
        "association.network-acl-id",
        "association.subnet-id",
        "default",
        "network-acl-id",
        "owner-id",
        "vpc-id",
    ],
    pages: 5..=1000,
};

impl Ec2 {
    pub(super) fn put_default_access_list(&mut self, vpc: &Vpc, random: &mut Random) {
        let id = new_id("acl", random);
        let list = AccessList { id: id.clone(), record: Record::alongside(&vpc.record), vpc: vpc.id.clone() };
        self.access_lists.insert(id, list);
    }

    pub(super) fn describe_network_acls(&self, call: &Call) -> Reply {
        let subnets = |list: &AccessList| -> Vec<&Subnet> {
            self.subnets.values().filter(|subnet| subnet.vpc == list.vpc).collect()
        };
        let facts = |list: &AccessList| {
            let mut facts = vec![
                ("default", "true".to_string()),
                ("network-acl-id", list.id.clone()),
                ("owner-id", ACCOUNT.to_string()),
                ("vpc-id", list.vpc.clone()),
            ];
            for subnet in subnets(list) {
                facts.push(("association.association-id", subnet.access_list_association.clone()));
                facts.push(("association.network-acl-id", list.id.clone()));
                facts.push(("association.subnet-id", subnet.id.clone()));
            }
            facts
        };
        self.list(call, &LISTING, self.access_lists.values(), facts, |x, list| {
            x.text("networkAclId", &list.id).text("vpcId", &list.vpc).text("default", true);
            x.text("ownerId", ACCOUNT);
            x.list("associationSet", "item", subnets(list), |x, subnet| {
                x.text("networkAclAssociationId", &subnet.access_list_association);
                x.text("networkAclId", &list.id).text("subnetId", &subnet.id);
            });
            let entries = [true, false].into_iter().flat_map(|egress| {
                [(100, "allow"), (32767, "deny")].map(|(number, action)| (egress, number, action))
            });
            x.list("entrySet", "item", entries, write_entry);
            write_tags(x, &list.record.tags);
        })
    }
}

fn write_entry(x: &mut Xml, (egress, number, action): (bool, u32, &str)) {
    x.text("ruleNumber", number).text("protocol", "-1").text("ruleAction", action);
    x.text("egress", egress).text("cidrBlock", "0.0.0.0/0");
}
