//! What other services need of EC2, and how an id is looked up.

use super::record::{Object, missing};
use super::state::{Ec2, New};
use crate::wire::Fault;
use std::collections::{BTreeMap, BTreeSet};

impl Ec2 {
    /// The availability zone of a subnet, if it exists and is visible.
    pub fn subnet_zone(&self, subnet: &str) -> Option<String> {
        self.visible(&self.subnets, subnet).map(|subnet| subnet.zone.clone())
    }

    /// The VPC of a subnet, if the subnet exists and is visible.
    pub fn subnet_vpc(&self, subnet: &str) -> Option<String> {
        self.visible(&self.subnets, subnet).map(|subnet| subnet.vpc.clone())
    }

    /// Whether the group exists and is visible.
    pub fn security_group_exists(&self, group: &str) -> bool {
        self.visible(&self.security_groups, group).is_some()
    }

    /// The VPC of a security group, if the group exists and is visible.
    pub fn security_group_vpc(&self, group: &str) -> Option<String> {
        self.visible(&self.security_groups, group).map(|group| group.vpc.clone())
    }

    /// The default security group of a VPC: what RDS and SageMaker use when they are given none.
    pub fn default_security_group(&self, vpc: &str) -> Option<String> {
        let mut groups = self.security_groups.values();
        groups.find(|group| group.vpc == vpc && group.is_default()).map(|group| group.id.clone())
    }

    /// A requester-managed network interface, made by another service in the customer's subnet.
    /// It blocks deletion of the subnet and of the groups until released. Without such a subnet there is
    /// no interface.
    pub fn add_interface(
        &mut self,
        id: &str,
        subnet: &str,
        groups: &[String],
        description: &str,
        requester: &str,
    ) {
        let made = New {
            id: id.to_string(),
            kind: "interface",
            groups: groups.to_vec(),
            description: description.to_string(),
            requester: requester.to_string(),
            owner: None,
        };
        self.put_interface(made, subnet);
    }

    /// Changes the security groups of an interface that another service made.
    pub fn set_interface_groups(&mut self, id: &str, groups: &[String]) {
        if let Some(interface) = self.interfaces.get_mut(id) {
            interface.groups = groups.to_vec();
        }
    }

    /// The interface disappears at `at` (milliseconds since the Unix epoch), not before.
    pub fn release_interface(&mut self, id: &str, at: u64) {
        if let Some(interface) = self.interfaces.get_mut(id) {
            interface.gone_at = Some(at);
        }
    }

    /// The service lets go of the interface at `at` (milliseconds since the Unix epoch) and leaves it
    /// behind: it is then `available` and stays until the customer deletes it (fact book, section 5.5).
    pub fn abandon_interface(&mut self, id: &str, at: u64) {
        if let Some(interface) = self.interfaces.get_mut(id) {
            interface.available_at = Some(at);
        }
    }

    pub(super) fn visible<'a, T: Object>(&self, all: &'a BTreeMap<String, T>, id: &str) -> Option<&'a T> {
        all.get(id).filter(|object| object.record().visible_at <= self.now)
    }

    /// The object, or the answer for an id that does not exist or is not visible yet.
    pub(super) fn find<'a, T: Object>(&self, all: &'a BTreeMap<String, T>, id: &str) -> Result<&'a T, Fault> {
        self.visible(all, id).ok_or_else(|| missing::<T>(id))
    }

    /// Checks that every id is known.
    pub(super) fn find_all<T: Object>(&self, all: &BTreeMap<String, T>, ids: &[String]) -> Result<(), Fault> {
        ids.iter().try_for_each(|id| self.find(all, id).map(|_| ()))
    }

    pub(super) fn used_addresses(&self, subnet: &str) -> BTreeSet<std::net::Ipv4Addr> {
        let inside = self.interfaces.values().filter(|interface| interface.subnet == subnet);
        inside.filter_map(|interface| interface.address).collect()
    }
}
