//! Reboot, failover, stop and start: everything that restarts a member (fact book, sections 1.6 and 1.13).

use super::context::Context;
use super::refusals::{cluster_state, combination, instance_state, invalid, no_cluster, no_instance};
use super::state::{Deferred, Effect, Origin};
use super::{show, versions};
use crate::wire::Reply;

/// RDS-EVENT-0069.
const FAILOVER_FAILED: &str =
    "Cluster failover failed, check the health of your database instances and try again.";
const WEEK_MS: u64 = 7 * 24 * 3_600_000;

/// Lets a member be `status` for `length` from `from` on and start anew with the parameters as they are when
/// that begins. Answers beginning and end.
pub(super) fn restart_member(
    c: &mut Context<'_>,
    at: u64,
    id: &str,
    from: u64,
    length: u64,
    status: &str,
) -> Option<(u64, u64)> {
    let noticed = noticed(c);
    let instance = c.rds.instances.get_mut(id).filter(|instance| instance.up && !instance.deleting)?;
    let (from, to) = instance.timeline.schedule(at, from, length, status);
    instance.active_at = to;
    let resource = instance.resource.clone();
    c.at(from, &resource, Effect::Loaded);
    c.at(to.saturating_add(noticed), &resource, Effect::Restarted(from));
    match status {
        // It was down already.
        "starting" => c.rds.interruption_ends(id, to),
        _ => c.interrupt(id, from, to),
    }
    Some((from, to))
}

/// Restarts all members of a cluster except those that do so already.
pub(super) fn restart_all(
    c: &mut Context<'_>,
    at: u64,
    cluster: &str,
    except: &[&str],
    from: u64,
    length: u64,
    status: &str,
) {
    let members: Vec<String> = c.rds.members(cluster).iter().map(|member| member.id.clone()).collect();
    for member in members.iter().filter(|member| !except.contains(&member.as_str())) {
        restart_member(c, at, member, from, length, status);
    }
}

/// What restarts because the writer does, or because another member becomes the writer: below Aurora MySQL 2.10
/// the other members of the cluster (fact book, section 1.6), and secondary clusters. `except` restart already.
pub(super) fn restart_with_writer(
    c: &mut Context<'_>,
    at: u64,
    cluster: &str,
    except: &[&str],
    from: u64,
    to: u64,
) {
    let length = to.saturating_sub(from);
    if version(c, cluster).is_some_and(|version| !version.readers_survive()) {
        restart_all(c, at, cluster, except, from, length, "rebooting");
    } else if c.rds.heavy_load {
        let asked = std::mem::replace(&mut c.origin, Origin::aws("heavy load"));
        restart_all(c, at, cluster, except, from, length, "rebooting");
        c.origin = asked;
    }
    restart_secondaries(c, cluster, from, length);
}

/// Below Aurora MySQL 3.06 the members of a global database's secondary clusters restart with the primary
/// cluster's writer (fact book, section 1.6).
pub(super) fn restart_secondaries(c: &mut Context<'_>, cluster: &str, from: u64, length: u64) {
    if version(c, cluster).is_some_and(|version| !version.secondaries_survive()) {
        let arn = c.arn("cluster", cluster);
        c.globals.restart_secondaries(&arn, from, length, &c.origin);
    }
}

fn version(c: &Context<'_>, cluster: &str) -> Option<&'static versions::Version> {
    versions::find(&c.rds.clusters.get(cluster)?.settings.engine_version)
}

/// Whether the instance is the writer of its cluster, whatever Describe says.
pub(super) fn is_writer(c: &Context<'_>, id: &str) -> bool {
    c.rds
        .instances
        .get(id)
        .and_then(|instance| c.rds.clusters.get(&instance.cluster))
        .is_some_and(|cluster| cluster.writer.as_deref() == Some(id))
}

/// Draws how long Describe needs to notice that an instance runs with its parameters (fact book, table 8.2:
/// "in-sync visible after instance available").
pub(super) fn noticed(c: &mut Context<'_>) -> u64 {
    c.random.duration(0.0, 10.0, 45.0).min(45_000)
}

pub(super) fn reboot(c: &mut Context<'_>) -> Reply {
    let now = c.now;
    let id = c.required_name("DBInstanceIdentifier")?;
    let in_the_way = c.random.chance(0.3);
    let instance = c.rds.instances.get(&id).ok_or_else(|| no_instance(&id))?;
    if c.params().flag("ForceFailover").unwrap_or(false) {
        return Err(combination("Cannot force failover: the DB instance isn't a Multi-AZ deployment."));
    }
    let status = instance.timeline.status(now);
    if status != "available" {
        return Err(instance_state(format!("DB Instance {id} is not in available state: it is {status}.")));
    }
    let cluster = instance.cluster.clone();
    let failing_over =
        c.rds.clusters.get(&cluster).is_some_and(|cluster| cluster.timeline.expects("failing-over", now));
    let busy = in_the_way && now < instance.busy_until || now < instance.refuses_reboot_until;
    if instance.timeline.expects("rebooting", now) || failing_over || busy {
        return Err(instance_state(
            "Instance cannot currently reboot due to an in-progress management operation.",
        ));
    }
    let lag = c.lag();
    let length = c.random.duration(20.0, 60.0, 180.0);
    if let Some((from, to)) = restart_member(c, now, &id, now + lag, length, "rebooting") {
        if is_writer(c, &id) {
            restart_with_writer(c, now, &cluster, &[&id], from, to);
        }
        c.event(from, "db-instance", &id, "availability", "DB instance shutdown");
        c.event(to, "db-instance", &id, "availability", "DB instance restarted");
    }
    show::instance_answer(c, &id)
}

/// RebootDBCluster is for Multi-AZ DB clusters that are not Aurora.
pub(super) fn reboot_cluster(c: &mut Context<'_>) -> Reply {
    let id = c.required_name("DBClusterIdentifier")?;
    match c.rds.clusters.get(&id) {
        None => Err(no_cluster(&id)),
        Some(_) => Err(cluster_state(format!(
            "DB cluster {id} can't be rebooted: the operation applies only to Multi-AZ DB clusters."
        ))),
    }
}

pub(super) fn failover(c: &mut Context<'_>) -> Reply {
    let now = c.now;
    let id = c.required_name("DBClusterIdentifier")?;
    let target = c.name("TargetDBInstanceIdentifier");
    let cluster = c.rds.clusters.get(&id).ok_or_else(|| no_cluster(&id))?;
    let status = cluster.timeline.status(now);
    if status != "available" {
        return Err(cluster_state(format!(
            "DB cluster {id} is not currently in the available state: it is {status}."
        )));
    }
    if cluster.timeline.expects("failing-over", now) {
        return Err(cluster_state(format!("DB cluster {id} has a failover in progress.")));
    }
    // InvalidDBClusterStateFault: "The requested operation can't be performed while the cluster is in this state."
    if now < c.rds.failovers_refused_until {
        return Err(cluster_state(format!("DB cluster {id} cannot fail over in its current state.")));
    }
    let members = c.rds.members(&id);
    if let Some(target) = &target {
        let Some(member) = members.iter().find(|member| member.id == *target) else {
            return Err(invalid(format!("Cannot find target instance: {target}")));
        };
        // The code for the second case is not documented (fact book, appendix D, item 2).
        if !member.timeline.is_available(now) || cluster.writer.as_deref() == Some(target) {
            return Err(instance_state(format!("Instance {target} should be in valid state for failover.")));
        }
    }
    if members.len() < 2 {
        return Err(cluster_state(format!(
            "Database cluster: {id} should have at least two database instances for failover"
        )));
    }
    let Some(target) = target.or_else(|| c.rds.candidate(&id, now, true)) else {
        return Err(cluster_state(format!(
            "Database cluster: {id} should have at least two database instances in valid states or a valid \
             target instance for failover."
        )));
    };
    let old = cluster.writer.clone().unwrap_or_default();
    let resource = cluster.resource.clone();
    let lag = c.lag();
    let length = c.random.duration(15.0, 30.0, 60.0);
    let seen = c.random.duration(0.0, 10.0, 40.0).min(40_000);
    let fails = c.random.chance(0.02) || c.rds.failing_failovers > 0;
    c.rds.failing_failovers = c.rds.failing_failovers.saturating_sub(1);
    let Some(cluster) = c.rds.clusters.get_mut(&id) else { return Err(no_cluster(&id)) };
    let (from, to) = cluster.timeline.schedule(now, now + lag, length, "failing-over");
    // RDS-EVENT-0072 and RDS-EVENT-0073, as Aurora's list of events has them.
    let zone = |id: &String| c.rds.instances.get(id).map(|member| member.zone.clone());
    let reach = if zone(&old) == zone(&target) { "same" } else { "cross" };
    let started = format!("Started {reach} AZ failover to DB instance: {target}");
    c.event(from, "db-cluster", &id, "failover", &started);
    if fails {
        // The call succeeded; only the events tell (fact book, section 1.6).
        c.event(to, "db-cluster", &id, "failover", FAILOVER_FAILED);
        return show::cluster_answer(c, &id);
    }
    // Exactly the old writer and the target restart; other readers keep what they run with.
    for member in [&old, &target] {
        restart_member(c, now, member, from, to - from, "rebooting");
    }
    restart_with_writer(c, now, &id, &[&old, &target], from, to);
    c.at(from + (to - from) / 2, &resource, Effect::Writer(target.clone()));
    c.at(to + seen, &resource, Effect::ShownWriter);
    let completed = format!("Completed failover to DB instance: {target}");
    c.event(to, "db-cluster", &id, "failover", &completed);
    show::cluster_answer(c, &id)
}

pub(super) fn stop(c: &mut Context<'_>) -> Reply {
    let now = c.now;
    let id = c.required_name("DBClusterIdentifier")?;
    let cluster = c.rds.clusters.get(&id).ok_or_else(|| no_cluster(&id))?;
    let status = cluster.timeline.status(now);
    if status != "available" {
        return Err(cluster_state(format!(
            "DbCluster {id} is in {status} state but expected it to be available."
        )));
    }
    if let Some(member) = c.rds.members(&id).iter().find(|member| !member.timeline.is_available(now)) {
        let status = member.timeline.status(now);
        return Err(cluster_state(format!(
            "Cannot stop DbCluster {id}: instance {} is {status}.",
            member.id
        )));
    }
    if c.globals.of(&c.arn("cluster", &id)).is_some() {
        return Err(cluster_state(format!(
            "DbCluster {id} can't be stopped: it is a member of a global database."
        )));
    }
    let lag = c.lag();
    let length = c.random.duration(180.0, 400.0, 900.0);
    let Some(cluster) = c.rds.clusters.get_mut(&id) else { return Err(no_cluster(&id)) };
    let (from, to) = cluster.timeline.schedule(now, now + lag, length, "stopping");
    // Stopping drops what waits for the window, but not pending parameters.
    cluster.deferred = Deferred::default();
    cluster.restart_at = Some(to + WEEK_MS);
    let resource = cluster.resource.clone();
    for member in c.rds.members_mut(&id) {
        member.pending_class = None;
        member.timeline.schedule(now, from, to - from, "stopping");
    }
    let members: Vec<String> = c.rds.members(&id).iter().map(|member| member.id.clone()).collect();
    for member in members {
        c.interrupt(&member, from, u64::MAX);
    }
    c.at(to, &resource, Effect::Stopped);
    c.at(to + WEEK_MS, &resource, Effect::AutoStart);
    c.event(to, "db-cluster", &id, "notification", "DB cluster stopped");
    show::cluster_answer(c, &id)
}

pub(super) fn start(c: &mut Context<'_>) -> Reply {
    let now = c.now;
    let id = c.required_name("DBClusterIdentifier")?;
    let cluster = c.rds.clusters.get(&id).ok_or_else(|| no_cluster(&id))?;
    let status = cluster.timeline.status(now);
    if status != "stopped" {
        return Err(cluster_state(format!(
            "DbCluster {id} is in {status} state but expected it to be stopped."
        )));
    }
    begin_start(c, now, &id);
    show::cluster_answer(c, &id)
}

/// Starts a stopped cluster; each of its instances restarts with that.
pub(super) fn begin_start(c: &mut Context<'_>, at: u64, id: &str) {
    let length = c.random.duration(300.0, 600.0, 1500.0);
    let Some(cluster) = c.rds.clusters.get_mut(id) else { return };
    cluster.restart_at = None;
    cluster.timeline.base = "available".into();
    cluster.timeline.schedule(at, at, length, "starting");
    let members: Vec<String> = c.rds.members(id).iter().map(|member| member.id.clone()).collect();
    for member in members {
        if let Some(member) = c.rds.instances.get_mut(&member) {
            member.timeline.base = "available".into();
        }
        restart_member(c, at, &member, at, length, "starting");
    }
    c.event(at + length, "db-cluster", id, "notification", "DB cluster started");
}
