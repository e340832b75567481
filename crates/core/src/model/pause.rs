//! A stack that is paused: what bills by the hour stops or goes, as far as it comes back without loss. Pure.

use super::facts::Standing;
use super::{Builder, Code};
use crate::base::{Id, Live, Observed, State};
use crate::members::{Policy, Topology};
use crate::resource::{Deletion, Restarts};
use crate::spec::{Aurora, EndpointManager};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Whether the stack's own cluster is stopped: what a paused stack is known by.
pub fn is_paused(observed: &Observed) -> bool {
    observed.get(&cluster()).is_some_and(|live| live.props["running"] == false)
}

fn cluster() -> Id {
    Id::new("cluster", "main")
}

fn notebook() -> Id {
    Id::new("notebook", "main")
}

impl Standing {
    /// What of a stack is there that a pause stops, or has to know of.
    pub fn of(observed: &Observed) -> Standing {
        let of_kind = |kind: &'static str| observed.values().filter(move |live| live.id.kind == kind);
        let nat = |to: &Value| to.as_str().is_some_and(|to| to.starts_with("nat-"));
        let routes = of_kind("route_table").filter_map(|live| {
            let routes = live.props["routes"].as_object()?;
            let rest: BTreeMap<String, Value> =
                routes.iter().filter(|(_, to)| !nat(to)).map(|(to, by)| (to.clone(), by.clone())).collect();
            (rest.len() < routes.len()).then(|| (live.id.name.clone(), rest))
        });
        let is_job = |live: &&Live| {
            matches!(live.id.kind, "training_job" | "tuning_job" | "autopilot_job")
                && matches!(live.state, State::Busy(_))
        };
        let topology = observed.values().find_map(Topology::told_by);
        Standing {
            cluster: observed.get(&cluster()).is_some_and(|live| !live.state.is_leaving()),
            notebook: observed.get(&notebook()).is_some_and(|live| {
                !live.state.is_leaving() && !matches!(live.state, State::Failed(_) | State::Broken(_))
            }),
            routes: routes.collect(),
            addresses: of_kind("elastic_ip").filter_map(|live| live.output("ip").map(String::from)).collect(),
            jobs: observed.values().filter(is_job).map(|live| live.id.clone()).collect(),
            global_cluster: topology.and_then(|topology| topology.global_cluster),
        }
    }
}

impl Builder<'_> {
    /// The cluster and the notebook stop, the endpoints go, and with `nat` the gateways and their addresses. Nothing
    /// else is looked at: a pause carries out no change of the spec.
    pub(super) fn pause(&mut self, nat: bool) {
        let standing = self.facts.standing.clone();
        let kinds: &[&'static str] =
            if nat { &["endpoint", "nat_gateway", "elastic_ip"] } else { &["endpoint"] };
        self.graph.goes = Some(kinds.iter().copied().collect());
        self.pause_cluster(&standing);
        if standing.notebook {
            self.graph.add(notebook(), json!({"running": false})).partial();
        }
        if nat {
            for (name, routes) in &standing.routes {
                self.graph.add(Id::new("route_table", name.clone()), json!({"routes": routes})).partial();
            }
            if !standing.addresses.is_empty() {
                let addresses = standing.addresses.join(", ");
                self.graph.notes.push(format!(
                    "the public address {addresses} is deleted with the NAT gateway: after resume the stack has another one, so update firewalls that allow it"
                ));
            }
        }
        for (name, endpoint) in &self.spec.endpoints {
            if endpoint.managed_by == EndpointManager::Notebook {
                self.graph.deletions.insert(Id::new("endpoint", name.clone()), Deletion::Offer);
            }
        }
        for job in &standing.jobs {
            self.graph.notes.push(format!(
                "{job} is still running and costs money until it ends: pause does not stop it"
            ));
        }
    }

    fn pause_cluster(&mut self, standing: &Standing) {
        match &self.spec.aurora {
            Some(Aurora::Existing(existing)) => self.graph.notes.push(format!(
                "the cluster {} does not belong to the stack: it is not stopped and keeps costing money",
                existing.existing
            )),
            Some(Aurora::Owned(_)) if standing.cluster => {
                if let Some(global) = &standing.global_cluster {
                    // AWS refuses it (fact book, section 1.13).
                    return self.problem(
                        Code::GlobalDatabase,
                        "cluster.main",
                        format!("it is a member of the global database {global}, which AWS does not stop"),
                        "remove it from the global database first (aws rds remove-from-global-cluster), or leave it running",
                    );
                }
                self.graph.add(cluster(), json!({"running": false})).partial();
                let by = Id::new("parameter_sync", "main");
                self.graph.restarts = Some(Restarts { by, policy: Policy::default() });
                self.graph.notes.push(
                    "AWS starts a stopped cluster by itself after 7 days: run pause again, on a schedule, to stop it again"
                        .into(),
                );
            }
            _ => {}
        }
    }
}
