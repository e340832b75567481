//! What an account may have of RDS in a region.

use super::context::Context;
use super::state::Rds;
use crate::wire::{Reply, Xml};
use serde::{Deserialize, Serialize};

/// How many of each the account may have: what simulated Service Quotas says, and estimates there as well. The codes
/// beyond them: fact book, section 1.17.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Quotas {
    pub clusters: usize,
    pub instances: usize,
    /// Of either kind of parameter groups.
    pub parameter_groups: usize,
    pub subnet_groups: usize,
    pub cluster_snapshots: usize,
}

impl Default for Quotas {
    fn default() -> Quotas {
        Quotas {
            clusters: 40,
            instances: 40,
            parameter_groups: 50,
            subnet_groups: 50,
            cluster_snapshots: 100,
        }
    }
}

/// What the account may have, and has: Amazon RDS API Reference, DescribeAccountAttributes and AccountQuota ("This count
/// excludes default" groups). Those that are of no interest here are left out.
pub(super) fn describe(c: &mut Context<'_>) -> Reply {
    let subnet_groups = c.rds.subnet_groups.keys().filter(|name| *name != "default").count();
    let Rds { quotas, clusters, instances, groups, instance_groups, snapshots, .. } = &*c.rds;
    let all = [
        ("DBInstances", instances.len(), quotas.instances),
        ("ManualClusterSnapshots", snapshots.len(), quotas.cluster_snapshots),
        ("DBParameterGroups", instance_groups.len(), quotas.parameter_groups),
        ("DBSubnetGroups", subnet_groups, quotas.subnet_groups),
        ("DBClusters", clusters.len(), quotas.clusters),
        ("DBClusterParameterGroups", groups.len(), quotas.parameter_groups),
    ];
    let mut xml = Xml::new();
    xml.list("AccountQuotas", "AccountQuota", all, |x, (name, used, most)| {
        x.text("AccountQuotaName", name).text("Used", used).text("Max", most);
    });
    Ok(xml.into())
}
