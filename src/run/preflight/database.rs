//! Names that a cluster and its members need, and what keeps a cluster from going.

use super::{Check, Findings};
use crate::aws::{During, Inside, Look};
use crate::kinds::{absent_ok, rds};
use auroraml_core::model::Code;
use auroraml_core::resource::Action;
use futures_util::future::join_all;

impl<'a> Check<'a> {
    /// Whether the plan deletes the stack's cluster.
    fn cluster_goes(self) -> bool {
        self.plan.work().any(|step| step.id.kind == "cluster" && step.action == Action::Delete)
    }

    /// Name of the snapshot that the plan takes before it deletes the cluster.
    pub(super) fn final_snapshot(self) -> Option<&'a str> {
        let going =
            |step: &&auroraml_core::plan::Step| step.id.kind == "cluster" && step.action == Action::Delete;
        self.plan.work().find(going)?.options.get("final_snapshot").map(String::as_str)
    }
}

/// Identifiers of DB instances are an account's and a region's, whatever cluster the instance is in; a look at the
/// stack's own cluster does not see the others. (That the cluster's own name is taken is seen there.)
pub(super) async fn names(of: Check<'_>) -> Findings {
    let mut findings = Findings::default();
    let cluster = of.aws.cluster();
    let asked = of.creates("instance").filter_map(|step| Some((step, step.predicted.get("id")?)));
    let answers = asked.map(|(step, identifier)| async move {
        let request = of.aws.rds.describe_db_instances().db_instance_identifier(identifier);
        (step, identifier, absent_ok(request.send().await.during("DescribeDBInstances")))
    });
    for (step, identifier, answer) in join_all(answers).await {
        let Some(Some(found)) = findings.take(&format!("the name of {}", step.id), answer) else { continue };
        let foreign = |other: &&aws_sdk_rds::types::DbInstance| {
            other.db_cluster_identifier().is_none_or(|other| other != cluster)
        };
        if let Some(other) = found.db_instances().iter().find(foreign) {
            let of_what = match other.db_cluster_identifier() {
                Some(other) => format!("a member of the cluster {other}"),
                None => "a DB instance without a cluster".to_string(),
            };
            findings.problem(
                Code::InstanceNameTaken,
                step.id.to_string(),
                format!("its name {identifier} is already used in {} by {of_what}", of.region()),
                format!("rename or delete {identifier}, or choose another stack name"),
            );
        }
    }
    findings
}

/// What would stop the deletion of a cluster when its members are gone already.
pub(super) async fn goes(of: Check<'_>) -> Findings {
    let mut findings = Findings::default();
    if !of.cluster_goes() {
        return findings;
    }
    let snapshot = async {
        let Some(name) = of.final_snapshot() else { return Ok(None) };
        let request = of.aws.rds.describe_db_cluster_snapshots().db_cluster_snapshot_identifier(name);
        let found = absent_ok(request.send().await.during("DescribeDBClusterSnapshots"))?;
        Ok(found.filter(|found| !found.db_cluster_snapshots().is_empty()).map(|_| name))
    };
    // What the plan was made from: nothing is asked anew.
    let look = Look { aws: of.aws, as_of: 0, only: None, inside: Inside::default() };
    let (snapshot, cluster) = tokio::join!(snapshot, Box::pin(rds::cluster_facts(look)));
    if let Some(Some(name)) = findings.take("the name of the final snapshot", snapshot) {
        findings.problem(
            Code::SnapshotNameTaken,
            "cluster.main",
            format!("the final snapshot {name} already exists"),
            "plan again: the name contains the time of the plan",
        );
    }
    // "This cluster is a part of a global cluster, please remove it from globalcluster first": Aurora User Guide,
    // "Deleting an Amazon Aurora global database".
    let global = findings.take("the global database of the cluster", cluster).flatten();
    if let Some(global) = global.and_then(|cluster| cluster.global_cluster) {
        let arn = of.aws.place.cluster_arn(&of.aws.cluster());
        findings.problem(
            Code::GlobalDatabase,
            "cluster.main",
            format!("it is a member of the global database {global}, and AWS does not delete such clusters"),
            format!(
                "remove it (aws rds remove-from-global-cluster --region {} --global-cluster-identifier {global} --db-cluster-identifier {arn}), then run again",
                of.region()
            ),
        );
    }
    findings
}
