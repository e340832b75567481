//! What RDS lets an account have in a region.

use super::{Check, Findings, raise};
use crate::aws::During;
use auroraml_core::model::Code;

/// Name of a quota in DescribeAccountAttributes, the kind that it counts, what that is called, and the code under which
/// Service Quotas raises it: Amazon RDS API Reference, AccountQuota; Aurora User Guide, "Quotas in Amazon Aurora".
const QUOTAS: &[(&str, &str, &str, Code, &str)] = &[
    ("DBClusters", "cluster", "DB clusters", Code::ClusterQuota, "L-952B80B8"),
    ("DBInstances", "instance", "DB instances", Code::InstanceQuota, "L-7B6409FD"),
    (
        "DBClusterParameterGroups",
        "parameter_group",
        "DB cluster parameter groups",
        Code::ParameterGroupQuota,
        "L-E4C808A8",
    ),
    ("DBSubnetGroups", "subnet_group", "DB subnet groups", Code::SubnetGroupQuota, "L-48C6BF61"),
    ("ManualClusterSnapshots", SNAPSHOT, "manual DB cluster snapshots", Code::SnapshotQuota, "L-9B510759"),
];
/// Not a kind: what a cluster leaves that goes.
const SNAPSHOT: &str = "final_snapshot";

/// One request has them all, with what is used of them.
pub(super) async fn quotas(of: Check<'_>) -> Findings {
    let mut findings = Findings::default();
    let wanted = |kind: &'static str| match kind {
        SNAPSHOT => of.final_snapshot().iter().count(),
        kind => of.creates(kind).count(),
    };
    if QUOTAS.iter().all(|(_, kind, ..)| wanted(kind) == 0) {
        return findings;
    }
    let answer = of.aws.rds.describe_account_attributes().send().await.during("DescribeAccountAttributes");
    let Some(answer) = findings.take("the quotas of RDS", answer) else { return findings };
    for (name, kind, what, code, quota_code) in QUOTAS {
        let wanted = wanted(kind);
        let found = answer.account_quotas().iter().find(|quota| quota.account_quota_name() == Some(name));
        let Some(quota) = found.filter(|_| wanted > 0) else { continue };
        let (Some(there), Some(most)) = (quota.used(), quota.max()) else { continue };
        if there.saturating_add(wanted as i64) > most {
            let why = match *kind {
                SNAPSHOT => format!(
                    "{there} in use in {}, the final snapshot needs one more, and the quota is {most}",
                    of.region()
                ),
                _ => format!(
                    "{there} in use in {}, {wanted} more needed, and the quota is {most}",
                    of.region()
                ),
            };
            findings.problem(*code, *what, why, raise(quota_code));
        }
    }
    findings
}
