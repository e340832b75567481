//! ModifyDBCluster and ModifyDBInstance: what changes at once, what waits for the maintenance window, and
//! what only a restart picks up (fact book, sections 1.4 and 1.7).

use super::context::Context;
use super::credentials;
use super::groups::{self, Level};
use super::input::{
    backup_window, log_exports, maintenance_window, number, scaling, security_groups, storage_type,
};
use super::refusals::{cluster_state, combination, instance_state, invalid, no_cluster, no_instance};
use super::state::{Cluster, Deferred, Effect};
use super::watching::{certificate, check_forwarding, check_kind, insights, insights_mode, monitoring};
use super::{instances, pause, restarts, show, versions};
use crate::wire::{Fault, Reply};

pub(super) fn cluster(c: &mut Context<'_>) -> Reply {
    let (p, now) = (c.params(), c.now);
    let id = c.required_name("DBClusterIdentifier")?;
    let before = c.rds.clusters.get(&id).ok_or_else(|| no_cluster(&id))?.clone();
    let status = before.timeline.status(now);
    if status != "available" {
        return Err(cluster_state(format!(
            "DB cluster {id} is not currently in the available state: it is {status}."
        )));
    }
    if p.get("NewDBClusterIdentifier").is_some() {
        return Err(invalid("The sandbox does not rename DB clusters."));
    }
    let immediately = p.flag("ApplyImmediately").unwrap_or(false);
    let mut after = before.clone();

    let version = p.get("EngineVersion").filter(|wanted| *wanted != before.settings.engine_version);
    let version = version.map(|wanted| upgrade_target(c, &before, wanted)).transpose()?;
    let family = version
        .filter(|_| immediately)
        .or_else(|| versions::find(&before.settings.engine_version))
        .map_or("aurora-mysql8.0", |version| version.family());
    if let Some(group) = c.name("DBClusterParameterGroupName") {
        groups::check_attachable(c, Level::Cluster, &group, family)?;
        after.group = group;
    } else if before.group.starts_with("default.") {
        after.group = format!("default.{family}");
    }

    // These ignore ApplyImmediately.
    if let Some(protection) = p.flag("DeletionProtection") {
        after.settings.deletion_protection = protection;
    }
    if let Some(groups) = security_groups(c, c.rds.subnet_groups.get(&before.subnet_group))? {
        after.settings.security_groups = groups;
    }
    if let Some(window) = backup_window(p)? {
        after.settings.backup_window = window;
    }
    if let Some(window) = maintenance_window(p)? {
        after.settings.maintenance_window = window;
    }
    if let Some(copy) = p.flag("CopyTagsToSnapshot") {
        after.settings.copy_tags = copy;
    }
    if let Some(upgrade) = p.flag("AutoMinorVersionUpgrade") {
        after.settings.auto_minor_upgrade = upgrade;
    }
    after.settings.monitoring = monitoring(c, &before.settings.monitoring)?;
    after.settings.insights = insights(c, &before.settings.insights)?;
    after.settings.insights_mode =
        insights_mode(p, &before.settings.insights_mode, &after.settings.insights)?;
    if let Some(forwarding) = p.flag("EnableLocalWriteForwarding") {
        after.settings.local_write_forwarding = forwarding;
    }
    check_forwarding(&after.settings)?;
    check_kind(p)?;
    // ModifyDBCluster is silent about the Data API of a provisioned cluster, which has operations of its own (fact book,
    // section 1.11).
    p.flag("EnableHttpEndpoint");
    let exports = p.nested("CloudwatchLogsExportConfiguration");
    after.settings.log_exports.extend(log_exports(exports.list("EnableLogTypes"))?);
    for log in log_exports(exports.list("DisableLogTypes"))? {
        after.settings.log_exports.remove(&log);
    }
    after.settings.scaling = scaling(p, &before.settings.engine_version, before.settings.scaling.as_ref())?;
    let credentials = credentials::asked(c, &before, immediately)?;

    // These wait for the maintenance window, unless told otherwise.
    let wanted = Deferred {
        engine_version: version.map(|version| version.name.clone()),
        backup_retention: number(p, "BackupRetentionPeriod", 1..=35)?,
        storage_type: p
            .get("StorageType")
            .map(|name| storage_type(p).map(|_| name.to_string()))
            .transpose()?,
        iam_authentication: p.flag("EnableIAMDatabaseAuthentication"),
        port: number(p, "Port", 1150..=65535)?,
        instance_group: version.and_then(|_| c.name("DBInstanceParameterGroupName")),
    };
    if !immediately {
        postpone(&mut after, wanted.clone());
    }

    let credentials = credentials::change(c, &mut after, credentials)?;
    if before.group != after.group || before.settings.scaling != after.settings.scaling {
        pause::resume(c, now, &id);
    }
    c.rds.clusters.insert(id.clone(), after.clone());
    settle_modification(c, now, &before, &after, credentials);
    if immediately {
        carry_out_deferred(c, now, &id, wanted);
    }
    show::cluster_answer(c, &id)
}

/// The version to upgrade to, if RDS would do it.
fn upgrade_target(
    c: &Context<'_>,
    before: &Cluster,
    wanted: &str,
) -> Result<&'static versions::Version, Fault> {
    let now_at = &before.settings.engine_version;
    let version = versions::creatable(wanted, c.rds.lenient)
        .ok_or_else(|| combination(format!("Cannot find version {wanted} for aurora-mysql")))?;
    let current = versions::find(now_at);
    if current.is_some_and(|current| version.order() <= current.order()) {
        return Err(combination(format!("Cannot upgrade aurora-mysql from {now_at} to {}", version.name)));
    }
    if current.is_some_and(|current| current.family() != version.family()) {
        if !c.params().flag("AllowMajorVersionUpgrade").unwrap_or(false) {
            return Err(combination(
                "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
            ));
        }
        if !before.group.starts_with("default.") && c.name("DBClusterParameterGroupName").is_none() {
            return Err(combination(
                "The current DB cluster parameter group is custom: a major version upgrade must name one of \
                 the new family.",
            ));
        }
        match c.name("DBInstanceParameterGroupName") {
            Some(name) => groups::check_attachable(c, Level::Instance, &name, version.family())?,
            None if c.rds.members(&before.id).iter().any(|member| !member.group.is_empty()) => {
                return Err(combination(
                    "The DB parameter group of a DB instance is custom: a major version upgrade must name one of \
                     the new family for all instances, DBInstanceParameterGroupName.",
                ));
            }
            None => {}
        }
    }
    Ok(version)
}

fn postpone(after: &mut Cluster, wanted: Deferred) {
    let settings = &after.settings;
    let deferred = &mut after.deferred;
    if let Some(version) = wanted.engine_version {
        deferred.engine_version = Some(version);
        deferred.instance_group = wanted.instance_group;
    }
    if let Some(retention) = wanted.backup_retention {
        deferred.backup_retention = Some(retention).filter(|r| *r != settings.backup_retention);
    }
    if let Some(storage) = wanted.storage_type {
        let current = settings.storage_type.as_deref().unwrap_or("aurora");
        deferred.storage_type = Some(storage).filter(|s| s != current);
    }
    if let Some(iam) = wanted.iam_authentication {
        deferred.iam_authentication = Some(iam).filter(|i| *i != settings.iam_authentication);
    }
    if let Some(port) = wanted.port {
        deferred.port = Some(port).filter(|p| *p != settings.port);
    }
}

/// Gives a modification its course in time: nothing to see at first, then `modifying`; and marks the members
/// that need a restart.
fn settle_modification(c: &mut Context<'_>, at: u64, before: &Cluster, after: &Cluster, credentials: bool) {
    let regrouped = before.group != after.group;
    if before.settings == after.settings && !regrouped && !credentials {
        return;
    }
    let lag = c.lag();
    let length = c.random.duration(10.0, 40.0, 90.0);
    let tail = c.random.duration(5.0, 20.0, 90.0);
    let status = if credentials { "resetting-master-credentials" } else { "modifying" };
    let late = c.rds.late_ms;
    let rescaled = before.settings.scaling != after.settings.scaling;
    let Some(cluster) = c.rds.clusters.get_mut(&after.id) else { return };
    let (from, to) = cluster.timeline.schedule(at, at + lag, length, status);
    let mut shown = before.shown(at).clone();
    shown.deletion_protection = after.settings.deletion_protection;
    cluster.previous = Some((from, shown));
    for member in c.rds.members_mut(&after.id).filter(|member| member.up) {
        // Work goes on behind an `available` status for a while (fact book, sections 1.6 and 1.10).
        member.busy_until = to + tail;
        if rescaled {
            // The time to the next pause begins anew.
            member.active_at = member.active_at.max(at);
        }
        if regrouped || rescaled && member.class == "db.serverless" {
            member.cluster_sync.wait_for_restart(at, late);
        }
    }
    if before.settings.security_groups != after.settings.security_groups {
        let members: Vec<String> = c.rds.members(&after.id).iter().map(|member| member.id.clone()).collect();
        for member in members {
            instances::place_interface(c, &member);
        }
    }
}

/// Makes the changes that had to wait, or that were asked for with ApplyImmediately.
pub(super) fn carry_out_deferred(c: &mut Context<'_>, at: u64, id: &str, wanted: Deferred) {
    let Some(cluster) = c.rds.clusters.get_mut(id) else { return };
    cluster.deferred = Deferred::default();
    let before = cluster.clone();
    let settings = &mut cluster.settings;
    settings.backup_retention = wanted.backup_retention.unwrap_or(settings.backup_retention);
    settings.iam_authentication = wanted.iam_authentication.unwrap_or(settings.iam_authentication);
    settings.port = wanted.port.unwrap_or(settings.port);
    if let Some(storage) = wanted.storage_type {
        settings.storage_type = Some(storage).filter(|name| name != "aurora");
    }
    let after = cluster.clone();
    settle_modification(c, at, &before, &after, false);
    if before.settings.port != after.settings.port {
        // Changing the port restarts all members at once (fact book, section 1.7).
        let members: Vec<String> = c.rds.members(id).iter().map(|member| member.id.clone()).collect();
        let lag = c.lag();
        for member in &members {
            let length = c.random.duration(20.0, 60.0, 180.0);
            let restarted = restarts::restart_member(c, at, member, at + lag, length, "modifying");
            if let Some((from, to)) = restarted.filter(|_| restarts::is_writer(c, member)) {
                restarts::restart_secondaries(c, id, from, to - from);
            }
        }
    }
    if let Some(version) = wanted.engine_version {
        upgrade(c, at, id, version, wanted.instance_group);
    }
}

fn upgrade(c: &mut Context<'_>, at: u64, id: &str, version: String, instance_group: Option<String>) {
    let lag = c.lag();
    let length = c.random.duration(300.0, 600.0, 1200.0);
    let Some(cluster) = c.rds.clusters.get_mut(id) else { return };
    let (from, to) = cluster.timeline.schedule(at, at + lag, length, "upgrading");
    if let (true, Some(version)) = (cluster.group.starts_with("default."), versions::find(&version)) {
        cluster.group = format!("default.{}", version.family());
    }
    let resource = cluster.resource.clone();
    if let Some(group) = instance_group {
        let group = if group.starts_with("default.") { String::new() } else { group };
        c.rds.members_mut(id).for_each(|member| member.group.clone_from(&group));
    }
    c.at(to, &resource, Effect::Upgraded(version));
    c.event(from, "db-cluster", id, "maintenance", "Database cluster engine version upgrade started");
    restarts::restart_all(c, at, id, &[], from, to - from, "upgrading");
    restarts::restart_secondaries(c, id, from, to - from);
}

pub(super) fn instance(c: &mut Context<'_>) -> Reply {
    let (p, now) = (c.params(), c.now);
    let id = c.required_name("DBInstanceIdentifier")?;
    let instance = c.rds.instances.get(&id).ok_or_else(|| no_instance(&id))?;
    let status = instance.timeline.status(now);
    if status != "available" {
        return Err(instance_state(format!(
            "Database instance {id} is not in available state: it is {status}."
        )));
    }
    for cluster_level in ["MasterUserPassword", "BackupRetentionPeriod", "EngineVersion", "DBPortNumber"] {
        if p.get(cluster_level).is_some() {
            return Err(combination(format!(
                "The specified DB instance is a member of a cluster. Modify {cluster_level} for the DB cluster."
            )));
        }
    }
    if p.get("NewDBInstanceIdentifier").is_some() {
        return Err(invalid("The sandbox does not rename DB instances."));
    }
    let cluster = c.rds.clusters.get(&instance.cluster);
    let class = p.get("DBInstanceClass").filter(|class| *class != instance.class);
    if let Some(class) = class {
        instances::check_class(class, cluster)?;
    }
    let (tier, window) = (number(p, "PromotionTier", 0..=15)?, maintenance_window(p)?);
    let certificate = certificate(p)?;
    let version = cluster.map_or("", |cluster| cluster.settings.engine_version.as_str());
    let group = instances::parameter_group(c, version)?;
    let (monitoring, before) = (monitoring(c, &instance.monitoring)?, instance.insights.clone());
    let insights = insights(c, &before)?;
    let late = c.rds.late_ms;
    let immediately = p.flag("ApplyImmediately").unwrap_or(false);
    let mut regrouped = false;
    let Some(instance) = c.rds.instances.get_mut(&id) else { return Err(no_instance(&id)) };
    let cluster_id = instance.cluster.clone();
    instance.promotion_tier = tier.unwrap_or(instance.promotion_tier);
    instance.maintenance_window = window.unwrap_or_else(|| instance.maintenance_window.clone());
    instance.publicly_accessible = p.flag("PubliclyAccessible").unwrap_or(instance.publicly_accessible);
    instance.auto_minor_upgrade = p.flag("AutoMinorVersionUpgrade").unwrap_or(instance.auto_minor_upgrade);
    instance.copy_tags = p.flag("CopyTagsToSnapshot").unwrap_or(instance.copy_tags);
    (instance.monitoring, instance.insights) = (monitoring, insights);
    // Aurora changes the certificate without a restart: at once, or in the window.
    match certificate {
        Some(name) if immediately => (instance.certificate, instance.pending_certificate) = (name, None),
        Some(name) => instance.pending_certificate = Some(name).filter(|name| *name != instance.certificate),
        None => {}
    }
    if let Some(group) = group.filter(|group| *group != instance.group) {
        // The name changes at once, the values with the next restart (fact book, section 1.4).
        instance.group = group;
        instance.instance_sync.wait_for_restart(now, late);
        regrouped = true;
    }
    if let Some(class) = class {
        instance.pending_class = Some(class.to_string());
        if immediately {
            change_class(c, now, &id, class);
        }
    }
    if regrouped {
        pause::resume(c, now, &cluster_id);
    }
    show::instance_answer(c, &id)
}

/// A change of class takes the instance down and brings it up again, with the parameters of that moment.
pub(super) fn change_class(c: &mut Context<'_>, at: u64, id: &str, class: &str) {
    let lag = c.lag();
    let length = c.random.duration(180.0, 300.0, 600.0);
    let Some((from, to)) = restarts::restart_member(c, at, id, at + lag, length, "modifying") else { return };
    let Some(instance) = c.rds.instances.get(id) else { return };
    let (resource, cluster) = (instance.resource.clone(), instance.cluster.clone());
    if restarts::is_writer(c, id) {
        // The others restart with it once, which takes no longer than a reboot.
        restarts::restart_with_writer(c, at, &cluster, &[id], from, from + length.min(60_000));
    }
    c.at(to, &resource, Effect::Class(class.to_string()));
}
