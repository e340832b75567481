//! Snapshots of clusters, the events that DescribeEvents tells, and the maintenance that is due.

use super::context::{Context, page};
use super::refusals::{check_name, cluster_state, invalid, no_cluster};
use super::state::{Cluster, Event, Rds, Snapshot};
use super::timeline::time;
use super::windows::next_window;
use super::{show, versions};
use crate::s3::Content;
use crate::wire::{Fault, Reply, Xml};

fn no_snapshot(id: &str) -> Fault {
    Fault::new(404, "DBClusterSnapshotNotFoundFault", format!("DBClusterSnapshot {id} not found."))
}

pub(super) fn describe(c: &mut Context<'_>) -> Reply {
    let p = c.params();
    let wanted = c.name("DBClusterSnapshotIdentifier");
    let cluster = c.name("DBClusterIdentifier");
    if let Some(id) = &wanted
        && !c.rds.snapshots.contains_key(id)
    {
        return Err(no_snapshot(id));
    }
    let filters = c.filters(&["db-cluster-id", "db-cluster-snapshot-id", "snapshot-type", "engine"])?;
    let of_type = p.get("SnapshotType").is_none_or(|kind| kind == "manual");
    let matches = |snapshot: &&Snapshot| {
        of_type
            && wanted.as_ref().is_none_or(|id| *id == snapshot.id)
            && cluster.as_ref().is_none_or(|id| *id == snapshot.cluster.id)
            && filters.iter().all(|(name, values)| {
                let actual = match name.as_str() {
                    "db-cluster-id" => snapshot.cluster.id.as_str(),
                    "db-cluster-snapshot-id" => &snapshot.id,
                    "snapshot-type" => "manual",
                    _ => "aurora-mysql",
                };
                values.iter().any(|value| value == actual)
            })
    };
    let all = c.rds.snapshots.values().filter(matches).map(|s| (s.id.clone(), s)).collect();
    let (snapshots, marker) = page(p, all)?;
    let mut xml = Xml::new();
    xml.list("DBClusterSnapshots", "DBClusterSnapshot", snapshots, |x, s| show::snapshot(c, x, s));
    xml.optional("Marker", marker);
    Ok(xml.into())
}

/// A snapshot that somebody takes of a cluster that lives on.
pub(super) fn create(c: &mut Context<'_>) -> Reply {
    let name = c.required_name("DBClusterSnapshotIdentifier")?;
    let id = c.required_name("DBClusterIdentifier")?;
    check_name("DBClusterSnapshotIdentifier", &name, 255)?;
    let cluster = c.rds.clusters.get(&id).ok_or_else(|| no_cluster(&id))?.clone();
    let status = cluster.timeline.status(c.now);
    if status != "available" {
        return Err(cluster_state(format!(
            "DB cluster {id} is {status}: no snapshot can be taken of it now."
        )));
    }
    check_new(c, &name)?;
    let mut tags = c.given_tags("cluster-snapshot")?;
    if cluster.settings.copy_tags {
        tags = cluster.tags.clone().into_iter().chain(tags).collect();
    }
    let (created, available_at) = (c.now, c.now + c.random.duration(60.0, 90.0, 180.0));
    let snapshot = Snapshot { id: name.clone(), created, available_at, tags, cluster };
    let mut xml = Xml::new();
    xml.element("DBClusterSnapshot", |x| show::snapshot(c, x, &snapshot));
    c.rds.snapshots.insert(name, snapshot);
    Ok(xml.into())
}

/// Whether the name is free, and the quota not reached.
pub(super) fn check_new(c: &Context<'_>, name: &str) -> Result<(), Fault> {
    if c.rds.snapshots.contains_key(name) {
        return Err(Fault::bad(
            "DBClusterSnapshotAlreadyExistsFault",
            format!(
                "Cannot create the cluster snapshot because one with the identifier {name} already exists."
            ),
        ));
    }
    if c.rds.snapshots.len() >= c.rds.quotas.cluster_snapshots {
        let text = format!("Cannot create more than {} manual snapshots.", c.rds.quotas.cluster_snapshots);
        return Err(Fault::bad("SnapshotQuotaExceeded", text));
    }
    Ok(())
}

pub(super) fn delete(c: &mut Context<'_>) -> Reply {
    let id = c.required_name("DBClusterSnapshotIdentifier")?;
    let snapshot = c.rds.snapshots.get(&id).ok_or_else(|| no_snapshot(&id))?;
    if c.now < snapshot.available_at {
        return Err(Fault::bad(
            "InvalidDBClusterSnapshotStateFault",
            format!("DB cluster snapshot {id} is being created and can't be deleted yet."),
        ));
    }
    let mut xml = Xml::new();
    xml.element("DBClusterSnapshot", |x| show::snapshot(c, x, snapshot));
    c.rds.snapshots.remove(&id);
    Ok(xml.into())
}

/// DescribePendingMaintenanceActions: patches that the next maintenance windows bring.
pub(super) fn describe_maintenance(c: &mut Context<'_>) -> Reply {
    let resource = c.name("ResourceIdentifier");
    let filters = c.filters(&["db-cluster-id", "db-instance-id"])?;
    let due = |cluster: &&Cluster| {
        cluster.upgrade_due
            && resource.as_ref().is_none_or(|id| *id == cluster.id)
            && filters.iter().all(|(name, ids)| name == "db-cluster-id" && ids.contains(&cluster.id))
    };
    let due = c.rds.clusters.values().filter(due).filter_map(|cluster| {
        let version = versions::newest_patch(&cluster.settings.engine_version)?;
        Some((cluster.id.clone(), (cluster, version)))
    });
    let (due, marker) = page(c.params(), due.collect())?;
    let mut xml = Xml::new();
    xml.list(
        "PendingMaintenanceActions",
        "ResourcePendingMaintenanceActions",
        due,
        |x, (cluster, version)| {
            let when = time(next_window(&cluster.settings.maintenance_window, c.now));
            x.text("ResourceIdentifier", c.arn("cluster", &cluster.id));
            x.list("PendingMaintenanceActionDetails", "PendingMaintenanceAction", [version], |x, version| {
                // The word for it is not in the fact book.
                x.text("Action", "system-update");
                x.text("AutoAppliedAfterDate", &when);
                x.text("CurrentApplyDate", &when);
                x.text("Description", format!("Upgrade to {version}"));
            });
        },
    );
    xml.optional("Marker", marker);
    Ok(xml.into())
}

/// A time in ISO 8601, as milliseconds since the Unix epoch.
fn moment(c: &Context<'_>, name: &str) -> Result<Option<u64>, Fault> {
    let Some(text) = c.params().get(name) else { return Ok(None) };
    let parsed = text.parse::<jiff::Timestamp>().ok().and_then(|t| u64::try_from(t.as_millisecond()).ok());
    parsed.map(Some).ok_or_else(|| invalid(format!("Invalid value {text} for {name}.")))
}

pub(super) fn describe_events(c: &mut Context<'_>) -> Reply {
    let p = c.params();
    let kind = p.get("SourceType");
    let id = c.name("SourceIdentifier");
    if id.is_some() && kind.is_none() {
        return Err(Fault::bad("InvalidParameterCombination", "SourceIdentifier needs a SourceType."));
    }
    let minutes = p.number("Duration").unwrap_or(60.0).clamp(0.0, 20_160.0);
    let to = moment(c, "EndTime")?.unwrap_or(c.now).min(c.now);
    let from = moment(c, "StartTime")?.unwrap_or_else(|| to.saturating_sub((minutes * 60_000.0) as u64));
    let categories = p.list("EventCategories");
    let mut past: Vec<&Event> = c
        .rds
        .events
        .iter()
        .filter(|event| (from..=to).contains(&event.at))
        .filter(|event| kind.is_none_or(|kind| kind == event.kind))
        .filter(|event| id.as_ref().is_none_or(|id| *id == event.id))
        .filter(|event| categories.is_empty() || categories.contains(&event.category))
        .collect();
    past.sort_by_key(|event| event.at);
    let all = past.into_iter().enumerate().map(|(n, event)| (format!("{n:08}"), event)).collect();
    let (events, marker) = page(p, all)?;
    let mut xml = Xml::new();
    xml.list("Events", "Event", events, |x, event| {
        x.text("SourceIdentifier", &event.id);
        x.text("SourceType", &event.kind);
        x.text("Message", &event.message);
        x.texts("EventCategories", "EventCategory", [&event.category]);
        x.text("Date", time(event.at));
        x.text("SourceArn", &event.arn);
    });
    xml.optional("Marker", marker);
    Ok(xml.into())
}

impl Rds {
    /// The rows of all databases, those in snapshots too, for whoever keeps large contents elsewhere.
    pub(crate) fn contents_mut(&mut self) -> impl Iterator<Item = &mut Content> {
        let saved = self.snapshots.values_mut().map(|snapshot| &mut snapshot.cluster);
        self.clusters.values_mut().chain(saved).flat_map(|cluster| cluster.server.images_mut())
    }
}
