//! The global databases that there are, and what their regions do to each other.

use super::state::{Effect, Origin, Rds, Timed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The account's global databases.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct GlobalDatabases {
    pub(super) databases: BTreeMap<String, GlobalDatabase>,
    /// What other regions are still to be told.
    pub(super) orders: Vec<Order>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct GlobalDatabase {
    /// `cluster-…`; never reused.
    pub(super) resource: String,
    pub(super) engine_version: String,
    pub(super) deletion_protection: bool,
    pub(super) encrypted: bool,
    /// What secondary clusters take over from the primary.
    pub(super) inherited: Inherited,
    /// The primary cluster is the first.
    pub(super) members: Vec<Member>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Inherited {
    pub master_username: String,
    pub database: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) arn: String,
    pub(super) region: String,
    /// The cluster's `cluster-…`.
    pub(super) resource: String,
}

/// Something that one region does to another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) region: String,
    pub(super) timed: Timed,
}

impl GlobalDatabases {
    /// Identifier of the global database that the cluster is a member of.
    pub(super) fn of(&self, arn: &str) -> Option<&str> {
        let found = self.databases.iter().find(|(_, database)| database.members.iter().any(|m| m.arn == arn));
        found.map(|(id, _)| id.as_str())
    }

    /// Restarts the members of all secondary clusters, if the cluster with this ARN is a primary one.
    pub(super) fn restart_secondaries(&mut self, arn: &str, from: u64, length: u64, origin: &Origin) {
        let primary = |database: &&GlobalDatabase| database.members.first().is_some_and(|m| m.arn == arn);
        let Some(database) = self.databases.values().find(primary) else { return };
        self.orders.extend(database.members.iter().skip(1).map(|member| {
            let effect = Effect::WithPrimary { length, origin: origin.clone() };
            let timed = Timed { at: from, subject: member.resource.clone(), effect };
            Order { region: member.region.clone(), timed }
        }));
    }

    /// What other regions are to be told now; [`Rds::obey`] tells them.
    pub(crate) fn take_orders(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.orders)
    }
}

impl Rds {
    /// Takes what a request in another region does here.
    pub(crate) fn obey(&mut self, order: Order) {
        self.effects.push(order.timed);
    }
}
