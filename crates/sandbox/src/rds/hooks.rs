//! What others and AWS do, as tests want it: certain, and at a given time. All times are milliseconds since the
//! Unix epoch. What does not exist is ignored, and what no request has noticed yet is not there: ask for
//! something first. [`Rds::apply_types`], [`Rds::late_ms`], [`Rds::heavy_load`], [`Rds::failing_failovers`] and
//! [`Rds::failovers_refused_until`] are set directly.

use super::state::{Origin, Rds};

/// Whether an instance of this status answers its clients.
pub(super) fn serves(status: &str) -> bool {
    matches!(status, "available" | "backing-up" | "storage-optimization")
        || status.starts_with("configuring-")
}

impl Rds {
    /// Lets a cluster have a status (`backing-up`, `maintenance`, `inaccessible-encryption-credentials`, …) from
    /// one time until another. What was accepted before goes on behind it.
    pub fn impose_on_cluster(&mut self, cluster: &str, status: &str, from: u64, until: u64) {
        if let Some(cluster) = self.clusters.get_mut(cluster) {
            cluster.timeline.impose(from, until, status);
        }
    }

    /// Lets an instance have a status (`backing-up`, `incompatible-network`, `storage-full`, …) from one time
    /// until another. With most of them it does not serve, which counts as an interruption by AWS.
    pub fn impose_on_instance(&mut self, instance: &str, status: &str, from: u64, until: u64) {
        if let Some(found) = self.instances.get_mut(instance) {
            found.timeline.impose(from, until, status);
            if !serves(status) {
                self.interrupt(instance, from, until, &Origin::aws(status));
            }
        }
    }

    /// The engine does not take a value of the cluster's parameter group: the member is `failed-to-apply` until
    /// something in the group changes, whether it restarts or not.
    pub fn fail_to_apply(&mut self, instance: &str) {
        if let Some(instance) = self.instances.get_mut(instance) {
            instance.cluster_sync.failed = true;
        }
    }

    /// Management work refuses reboots of the instance until then, although its status is `available` (fact book,
    /// section 1.6).
    pub fn refuse_reboots(&mut self, instance: &str, until: u64) {
        if let Some(instance) = self.instances.get_mut(instance) {
            instance.refuses_reboot_until = until;
        }
    }

    /// Lets the cluster's next maintenance window bring the newest patch of its minor version, if
    /// AutoMinorVersionUpgrade is on for the cluster and all its members then.
    pub fn offer_patch(&mut self, cluster: &str) {
        if let Some(cluster) = self.clusters.get_mut(cluster) {
            cluster.upgrade_due = true;
        }
    }
}
