//! RDS: instances of a cluster.

use super::dropped;
use crate::account::ACCOUNT;
use crate::cloudformation::work::{Outcome, Query, Step, Work};
use crate::wire::Fault;

/// Members of CreateDBInstance and ModifyDBInstance, called as the properties are, and whether a change takes them.
const INSTANCE: &[(&str, bool)] = &[
    ("AutoMinorVersionUpgrade", true),
    ("AvailabilityZone", false),
    ("CACertificateIdentifier", true),
    ("CopyTagsToSnapshot", true),
    ("DBClusterIdentifier", false),
    ("DBInstanceClass", true),
    ("DBParameterGroupName", true),
    ("DBSubnetGroupName", false),
    ("EnablePerformanceInsights", true),
    ("Engine", false),
    ("EngineVersion", false),
    ("MonitoringInterval", true),
    ("MonitoringRoleArn", true),
    ("PerformanceInsightsKMSKeyId", true),
    ("PerformanceInsightsRetentionPeriod", true),
    ("PreferredMaintenanceWindow", true),
    ("PromotionTier", true),
    ("PubliclyAccessible", true),
];

fn instance(work: &Work<'_>, is_new: bool) -> Query {
    let mut query = Query::default();
    for (name, changes) in INSTANCE {
        if is_new || *changes && work.is_changed(name) {
            query = query.maybe(name, work.property(name));
        }
    }
    query
}

pub(super) fn create(work: &mut Work<'_>) -> Outcome {
    if work.stage > 0 {
        return wait(work);
    }
    let name = work.property("DBInstanceIdentifier").unwrap_or_else(|| work.name.to_lowercase());
    let query = instance(work, true).and("DBInstanceIdentifier", name.clone()).tags("Tags.Tag", &work.tags());
    work.query("rds", "CreateDBInstance", query.0)?;
    work.resource.physical = name;
    Ok(Step::Next)
}

fn wait(work: &mut Work<'_>) -> Outcome {
    let id = work.resource.physical.clone();
    let found = work.query("rds", "DescribeDBInstances", Query::new(&[("DBInstanceIdentifier", &id)]).0)?;
    let get = |name: &str| found.text(&format!("DBInstances/DBInstance/{name}"));
    let status = get("DBInstanceStatus");
    if matches!(
        status.as_str(),
        "failed" | "incompatible-network" | "incompatible-parameters" | "storage-full"
    ) {
        return Err(Fault::bad("NotStabilized", format!("DB Instance is in state: {status}")));
    }
    if status != "available" || !get("PendingModifiedValues/DBInstanceClass").is_empty() {
        return Ok(Step::Later);
    }
    for (attribute, path) in [
        ("Endpoint.Address", "Endpoint/Address"),
        ("Endpoint.Port", "Endpoint/Port"),
        ("DBInstanceArn", "DBInstanceArn"),
        ("DbiResourceId", "DbiResourceId"),
    ] {
        let value = get(path);
        work.set(attribute, value);
    }
    Ok(Step::Done)
}

/// "DBInstance handler: reboots when member status is pending-reboot and ApplyImmediately, then waits instance available
/// and in-sync": each instance by itself, so that all that are changed by one update restart at once.
pub(super) fn update(work: &mut Work<'_>) -> Outcome {
    let id = work.resource.physical.clone();
    match work.stage {
        1 => {
            let query = instance(work, false);
            if !query.0.is_empty() {
                let query = query.and("DBInstanceIdentifier", id).and("ApplyImmediately", "true");
                work.query("rds", "ModifyDBInstance", query.0)?;
            }
            Ok(Step::Pause)
        }
        2 => match wait(work)? {
            Step::Done => Ok(Step::Next),
            other => Ok(other),
        },
        3 => {
            if is_pending(work, &id)? {
                work.query("rds", "RebootDBInstance", Query::new(&[("DBInstanceIdentifier", &id)]).0)?;
            }
            Ok(Step::Pause)
        }
        _ => match wait(work)? {
            Step::Done if is_pending(work, &id)? => Ok(Step::Later),
            other => Ok(other),
        },
    }
}

fn is_pending(work: &mut Work<'_>, id: &str) -> Result<bool, Fault> {
    let cluster = work.need("DBClusterIdentifier");
    let found =
        work.query("rds", "DescribeDBClusters", Query::new(&[("DBClusterIdentifier", &cluster)]).0)?;
    let members = found.children("DBClusters/DBCluster/DBClusterMembers");
    let own = members.iter().find(|member| member.text("DBInstanceIdentifier").eq_ignore_ascii_case(id));
    let own_group =
        work.query("rds", "DescribeDBInstances", Query::new(&[("DBInstanceIdentifier", id)]).0)?;
    let group =
        own_group.text("DBInstances/DBInstance/DBParameterGroups/DBParameterGroup/ParameterApplyStatus");
    Ok(own.is_some_and(|member| member.text("DBClusterParameterGroupStatus") == "pending-reboot")
        || group == "pending-reboot")
}

pub(super) fn delete(work: &mut Work<'_>) -> Outcome {
    let id = work.resource.physical.clone();
    if work.stage == 0 {
        let query = Query::new(&[("DBInstanceIdentifier", &id), ("SkipFinalSnapshot", "true")]);
        work.query("rds", "DeleteDBInstance", query.0)?;
        return Ok(Step::Next);
    }
    work.query("rds", "DescribeDBInstances", Query::new(&[("DBInstanceIdentifier", &id)]).0)?;
    Ok(Step::Later)
}

pub(super) fn retag(work: &mut Work<'_>, kind: &str) -> Result<(), Fault> {
    let arn =
        format!("arn:aws:rds:{}:{ACCOUNT}:{kind}:{}", work.region, work.resource.physical.to_lowercase());
    let (wanted, gone) = (work.tags(), dropped(work));
    if !wanted.is_empty() {
        work.query(
            "rds",
            "AddTagsToResource",
            Query::new(&[("ResourceName", &arn)]).tags("Tags.Tag", &wanted).0,
        )?;
    }
    if !gone.is_empty() {
        let query = Query::new(&[("ResourceName", &arn)]).list("TagKeys.member", gone);
        work.query("rds", "RemoveTagsFromResource", query.0)?;
    }
    Ok(())
}
