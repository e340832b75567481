//! Clusters: the shell around the shared storage. Members come separately.

use super::state::{Cluster, Deferred, Effect, ManagedSecret, Scaling, Settings, Snapshot, Timeline};
use super::{Context, check_name, cluster_state, combination, invalid, no_cluster, page, show, versions};
use super::{groups, settle};
use crate::sandbox::ACCOUNT;
use crate::sandbox::wire::{Fault, Params, Reply, Xml};
use std::collections::BTreeSet;

/// Clusters per region (fact book, section 1.17: `DBClusterQuotaExceededFault`).
const CLUSTERS_MAX: usize = 40;

pub(super) fn create(c: &mut Context<'_>) -> Reply {
    let (p, now) = (c.params(), c.now);
    let id = c.required_name("DBClusterIdentifier")?;
    check_name("DBClusterIdentifier", &id, 63)?;
    if c.rds.clusters.contains_key(&id) {
        return Err(Fault::bad("DBClusterAlreadyExistsFault", "DB Cluster already exists"));
    }
    if c.rds.clusters.len() >= CLUSTERS_MAX {
        return Err(Fault::new(403, "DBClusterQuotaExceededFault", "The quota of DB clusters is reached."));
    }
    let version = version(c)?;
    let master_username = p.required("MasterUsername")?.to_string();
    if master_username.len() > 32 || !master_username.starts_with(|l: char| l.is_ascii_alphabetic()) {
        return Err(invalid(format!("Invalid master user name: {master_username}")));
    }
    let managed = p.flag("ManageMasterUserPassword").unwrap_or(false);
    match (p.get("MasterUserPassword"), managed) {
        (Some(_), true) => {
            return Err(combination(
                "You can't specify MasterUserPassword when ManageMasterUserPassword is enabled.",
            ));
        }
        (None, false) => {
            return Err(invalid("The parameter MasterUserPassword must be provided and must not be blank."));
        }
        (Some(password), false) => check_password(password)?,
        (None, true) => {}
    }
    if p.get("AllocatedStorage").is_some() {
        return Err(combination("AllocatedStorage isn't supported for the aurora-mysql engine."));
    }
    let database = p.get("DatabaseName").filter(|name| !name.is_empty());
    if let Some(name) = database
        && (name.len() > 64
            || !name.starts_with(|l: char| l.is_ascii_alphabetic())
            || !name.chars().all(|l| l.is_ascii_alphanumeric() || l == '_'))
    {
        return Err(invalid(format!("Invalid database name: {name}")));
    }
    let group =
        c.name("DBClusterParameterGroupName").unwrap_or_else(|| format!("default.{}", version.family()));
    groups::check_attachable(c, &group, version.family())?;
    let subnet_group = match c.name("DBSubnetGroupName") {
        Some(name) if c.rds.subnet_groups.contains_key(&name) => name,
        Some(name) => {
            let text = format!("DB subnet group '{name}' does not exist.");
            return Err(Fault::new(404, "DBSubnetGroupNotFoundFault", text));
        }
        None if c.rds.lenient => "default".into(),
        None => return Err(Fault::bad("InvalidSubnet", "No default subnet detected in VPC.")),
    };
    let settings = Settings {
        engine_version: version.name.clone(),
        port: number(p, "Port", 1150..=65535)?.unwrap_or(3306),
        security_groups: security_groups(c)?.unwrap_or_default(),
        backup_retention: number(p, "BackupRetentionPeriod", 1..=35)?.unwrap_or(1),
        backup_window: backup_window(p)?.unwrap_or_else(|| "07:10-07:40".into()),
        maintenance_window: maintenance_window(p)?.unwrap_or_else(|| "sun:04:12-sun:04:42".into()),
        iam_authentication: p.flag("EnableIAMDatabaseAuthentication").unwrap_or(false),
        deletion_protection: p.flag("DeletionProtection").unwrap_or(false),
        copy_tags: p.flag("CopyTagsToSnapshot").unwrap_or(false),
        auto_minor_upgrade: p.flag("AutoMinorVersionUpgrade").unwrap_or(true),
        storage_type: storage_type(p)?,
        log_exports: log_exports(p.list("EnableCloudwatchLogsExports"))?,
        scaling: scaling(p, &version.name, None)?,
        monitoring_interval: p.number("MonitoringInterval").unwrap_or(0.0) as u64,
        performance_insights: p.flag("EnablePerformanceInsights").unwrap_or(false),
        insights_mode: p.get("DatabaseInsightsMode").unwrap_or("standard").to_string(),
    };
    let http_endpoint = p.flag("EnableHttpEndpoint").unwrap_or(false);
    if http_endpoint && !version.has_data_api() {
        return Err(invalid(format!("Data API isn't supported by aurora-mysql {}.", version.name)));
    }
    let tags = c.given_tags("cluster")?;
    let available = now + c.random.duration(35.0, 45.0, 90.0);
    let resource = format!("cluster-{}", c.random.letters(26).to_ascii_uppercase());
    let secret = managed.then(|| new_secret(c, available));
    let encrypted = p.flag("StorageEncrypted").unwrap_or(false) || p.get("KmsKeyId").is_some();
    let cluster = Cluster {
        id: id.clone(),
        resource: resource.clone(),
        created: now,
        timeline: Timeline::creating(now, available),
        group,
        subnet_group,
        master_username,
        database: database.map(str::to_string),
        encrypted,
        kms_key: encrypted.then(|| kms_key(c, p.get("KmsKeyId"), "rds")),
        lifecycle_support: p
            .get("EngineLifecycleSupport")
            .unwrap_or("open-source-rds-extended-support")
            .to_string(),
        http_endpoint,
        settings,
        previous: None,
        deferred: Deferred::default(),
        secret,
        roles: Vec::new(),
        tags,
        writer: None,
        shown_writer: None,
        restart_at: None,
    };
    let window = settle::next_window(&cluster.settings.maintenance_window, available);
    c.at(window, &resource, Effect::Window);
    c.event(available, "db-cluster", &id, "creation", "DB cluster created");
    c.rds.clusters.insert(id.clone(), cluster);
    answer(c, &id)
}

/// The engine version that the request asks for, checked.
fn version(c: &Context<'_>) -> Result<&'static versions::Version, Fault> {
    let p = c.params();
    let engine = p.required("Engine")?;
    if engine != "aurora-mysql" {
        return Err(invalid(format!("Invalid DB engine: {engine}")));
    }
    let wanted = p.get("EngineVersion").unwrap_or_default();
    let version = versions::creatable(wanted)
        .ok_or_else(|| combination(format!("Cannot find version {wanted} for aurora-mysql")))?;
    let disabled = p.get("EngineLifecycleSupport") == Some("open-source-rds-extended-support-disabled");
    if disabled && !version.in_standard_support(c.now) {
        return Err(combination(format!(
            "You can't create a DB cluster with aurora-mysql {wanted}: it is past the end of standard support, \
             and EngineLifecycleSupport is open-source-rds-extended-support-disabled."
        )));
    }
    Ok(version)
}

/// The cluster as the content of `<DBCluster>`.
pub(super) fn answer(c: &Context<'_>, id: &str) -> Reply {
    let mut xml = Xml::new();
    if let Some(cluster) = c.rds.clusters.get(id) {
        xml.element("DBCluster", |x| show::cluster(c, x, cluster));
    }
    Ok(xml.into())
}

pub(super) fn describe(c: &mut Context<'_>) -> Reply {
    let filters =
        c.filters(&["db-cluster-id", "db-cluster-resource-id", "engine", "domain", "clone-group-id"])?;
    let wanted = c.name("DBClusterIdentifier");
    if let Some(id) = &wanted
        && !c.rds.clusters.contains_key(id)
    {
        return Err(no_cluster(id));
    }
    let matching = c.rds.clusters.values().filter(|cluster| {
        wanted.as_ref().is_none_or(|id| *id == cluster.id)
            && filters.iter().all(|(name, values)| {
                let actual = match name.as_str() {
                    "db-cluster-id" => cluster.id.as_str(),
                    "db-cluster-resource-id" => &cluster.resource.to_ascii_lowercase(),
                    "engine" => "aurora-mysql",
                    _ => "",
                };
                values.iter().any(|value| value == actual)
            })
    });
    let all = matching.map(|cluster| (cluster.id.clone(), cluster)).collect();
    let (clusters, marker) = page(c.params(), all)?;
    let mut xml = Xml::new();
    xml.list("DBClusters", "DBCluster", clusters, |x, cluster| show::cluster(c, x, cluster));
    xml.optional("Marker", marker);
    Ok(xml.into())
}

pub(super) fn delete(c: &mut Context<'_>) -> Reply {
    let (p, now) = (c.params(), c.now);
    let id = c.required_name("DBClusterIdentifier")?;
    let cluster = c.rds.clusters.get(&id).ok_or_else(|| no_cluster(&id))?.clone();
    if cluster.settings.deletion_protection {
        return Err(combination(
            "Cannot delete protected Cluster, please disable deletion protection and try again.",
        ));
    }
    let skip = p.flag("SkipFinalSnapshot").unwrap_or(false);
    let snapshot = c.name("FinalDBSnapshotIdentifier");
    match (&snapshot, skip) {
        (None, false) => {
            return Err(combination(
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
            ));
        }
        (Some(_), true) => {
            return Err(combination(
                "FinalDBSnapshotIdentifier can not be specified when deleting with SkipFinalSnapshot.",
            ));
        }
        (Some(name), false) => {
            check_name("FinalDBSnapshotIdentifier", name, 255)?;
            if c.rds.snapshots.contains_key(name) {
                return Err(Fault::bad(
                    "DBClusterSnapshotAlreadyExistsFault",
                    format!(
                        "Cannot create the cluster snapshot because one with the identifier {name} already exists."
                    ),
                ));
            }
        }
        (None, true) => {}
    }
    let status = cluster.timeline.status(now);
    if status != "available" {
        return Err(cluster_state(format!(
            "DbCluster {id} is not in available state: it is currently {status}."
        )));
    }
    let members = c.rds.members(&id);
    if members.iter().any(|member| !member.deleting) {
        return Err(cluster_state(
            "Cluster cannot be deleted, it still contains DB instances in non-deleting state.",
        ));
    }
    let members_gone = members
        .iter()
        .flat_map(|member| &member.timeline.phases)
        .filter(|phase| phase.status == "deleting")
        .map(|phase| phase.to)
        .max();
    let gone = members_gone.unwrap_or(now).max(now) + c.random.duration(30.0, 90.0, 240.0);
    if let Some(name) = snapshot {
        let tags = if cluster.settings.copy_tags { cluster.tags.clone() } else { Default::default() };
        c.rds.snapshots.insert(
            name.clone(),
            Snapshot { id: name, created: now, available_at: gone, tags, cluster: cluster.clone() },
        );
    }
    if let Some(cluster) = c.rds.clusters.get_mut(&id) {
        cluster.timeline.replace(now, u64::MAX, "deleting");
    }
    c.at(gone, &cluster.resource, Effect::ClusterGone);
    answer(c, &id)
}

/// EnableHttpEndpoint and DisableHttpEndpoint: the Data API of an existing cluster (fact book, section 1.11).
pub(super) fn http_endpoint(c: &mut Context<'_>, enabled: bool) -> Reply {
    let arn = c.params().required("ResourceArn")?.to_string();
    let id = c.required_name("ResourceArn")?;
    let now = c.now;
    let on_t_class = c.rds.members(&id).iter().any(|member| member.class.starts_with("db.t"));
    let cluster = c.rds.clusters.get_mut(&id).filter(|_| arn.contains(":cluster:")).ok_or_else(|| {
        Fault::new(404, "ResourceNotFoundFault", format!("The specified resource {arn} was not found."))
    })?;
    let supported = versions::find(&cluster.settings.engine_version).is_some_and(|v| v.has_data_api());
    let problem = match cluster.timeline.status(now) {
        "available" if enabled && on_t_class => {
            Some("Data API doesn't support T DB instance classes".to_string())
        }
        "available" if enabled && !supported => {
            Some("the engine version doesn't support Data API".to_string())
        }
        "available" => None,
        status => Some(format!("the DB cluster is {status}")),
    };
    if let Some(problem) = problem {
        return Err(Fault::bad("InvalidResourceStateFault", format!("HTTP endpoint of {id}: {problem}.")));
    }
    cluster.http_endpoint = enabled;
    let mut xml = Xml::new();
    xml.text("ResourceArn", arn).text("HttpEndpointEnabled", enabled);
    Ok(xml.into())
}

/// A master secret that RDS makes and owns; it becomes active a little after `from`.
pub(super) fn new_secret(c: &mut Context<'_>, from: u64) -> ManagedSecret {
    let (id, suffix) = (uuid(c), c.random.letters(6));
    let name = format!("rds!cluster-{id}-{suffix}");
    ManagedSecret {
        arn: format!("arn:aws:secretsmanager:{}:{ACCOUNT}:secret:{name}", c.call.region),
        kms_key: kms_key(c, c.params().get("MasterUserSecretKmsKeyId"), "secretsmanager"),
        active_at: from + c.random.duration(5.0, 20.0, 60.0),
    }
}

/// The ARN of a key that was given by ARN, id or alias; without one, the service's own key in this region.
fn kms_key(c: &mut Context<'_>, given: Option<&str>, service: &str) -> String {
    let start = format!("arn:aws:kms:{}:{ACCOUNT}:", c.call.region);
    match given {
        Some(arn) if arn.starts_with("arn:") => arn.to_string(),
        Some(alias) if alias.starts_with("alias/") => format!("{start}{alias}"),
        Some(id) => format!("{start}key/{id}"),
        None => {
            if let Some(id) = c.rds.service_keys.get(service) {
                return format!("{start}key/{id}");
            }
            let id = uuid(c);
            c.rds.service_keys.insert(service.to_string(), id.clone());
            format!("{start}key/{id}")
        }
    }
}

fn uuid(c: &mut Context<'_>) -> String {
    [8, 4, 4, 4, 12].map(|length| c.random.hex(length)).join("-")
}

/// 8 to 41 printable ASCII characters without `/`, `"` and `@` (fact book, section 1.7).
pub(super) fn check_password(password: &str) -> Result<(), Fault> {
    if !(8..=41).contains(&password.len()) {
        return Err(invalid(
            "The parameter MasterUserPassword is not a valid password because it is not between 8 and 41 \
             characters long.",
        ));
    }
    if password.chars().any(|l| !(' '..='~').contains(&l) || "/\"@".contains(l)) {
        return Err(invalid(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters \
             besides '/', '@', '\"', ' ' may be used.",
        ));
    }
    Ok(())
}

/// A whole number within `range`, if it is given.
pub(super) fn number(
    p: &Params,
    name: &str,
    range: std::ops::RangeInclusive<u64>,
) -> Result<Option<u64>, Fault> {
    let Some(text) = p.get(name) else { return Ok(None) };
    match text.parse::<u64>() {
        Ok(number) if range.contains(&number) => Ok(Some(number)),
        _ => Err(invalid(format!(
            "Invalid value {text} for {name}: must be between {} and {}.",
            range.start(),
            range.end()
        ))),
    }
}

/// The security groups that the request names; each must exist.
pub(super) fn security_groups(c: &Context<'_>) -> Result<Option<Vec<String>>, Fault> {
    let given = c.params().list("VpcSecurityGroupIds");
    for group in &given {
        if !c.rds.lenient && !c.ec2.security_group_exists(group) {
            return Err(invalid(format!("Invalid security group , groupId= {group}, groupName=.")));
        }
    }
    Ok((!given.is_empty()).then_some(given))
}

pub(super) fn storage_type(p: &Params) -> Result<Option<String>, Fault> {
    match p.get("StorageType") {
        None | Some("" | "aurora") => Ok(None),
        Some("aurora-iopt1") => Ok(Some("aurora-iopt1".into())),
        Some(other) => Err(invalid(format!("Invalid storage type: {other}"))),
    }
}

pub(super) fn log_exports(given: Vec<String>) -> Result<BTreeSet<String>, Fault> {
    let known = ["audit", "error", "general", "iam-db-auth-error", "instance", "slowquery"];
    match given.iter().find(|log| !known.contains(&log.as_str())) {
        Some(log) => Err(combination(format!(
            "You cannot use the log types '{log}' with engine version aurora-mysql. For supported log types, \
             see the documentation."
        ))),
        None => Ok(given.into_iter().collect()),
    }
}

fn is_time(text: &str) -> bool {
    text.split_once(':').is_some_and(|(hour, minute)| {
        hour.len() == 2
            && minute.len() == 2
            && hour.parse::<u8>().is_ok_and(|h| h < 24)
            && minute.parse::<u8>().is_ok_and(|m| m < 60)
    })
}

pub(super) fn backup_window(p: &Params) -> Result<Option<String>, Fault> {
    let Some(window) = p.get("PreferredBackupWindow") else { return Ok(None) };
    match window.split_once('-') {
        Some((from, to)) if is_time(from) && is_time(to) => Ok(Some(window.to_string())),
        _ => Err(invalid(format!("Invalid backup window format: {window}"))),
    }
}

pub(super) fn maintenance_window(p: &Params) -> Result<Option<String>, Fault> {
    let Some(window) = p.get("PreferredMaintenanceWindow") else { return Ok(None) };
    let window = window.to_ascii_lowercase();
    let is_moment = |text: &str| {
        text.split_once(':').is_some_and(|(day, time)| {
            ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].contains(&day) && is_time(time)
        })
    };
    match window.split_once('-') {
        Some((from, to)) if is_moment(from) && is_moment(to) => Ok(Some(window)),
        _ => Err(invalid(format!("Invalid maintenance window format: {window}"))),
    }
}

/// The Serverless v2 capacity that the request asks for, over what there was (fact book, section 1.10).
pub(super) fn scaling(p: &Params, version: &str, before: Option<&Scaling>) -> Result<Option<Scaling>, Fault> {
    let given = p.nested("ServerlessV2ScalingConfiguration");
    if given.0.is_empty() {
        return Ok(before.cloned());
    }
    let min = given.number("MinCapacity").or(before.map(|b| b.min));
    let max = given.number("MaxCapacity").or(before.map(|b| b.max));
    let (Some(min), Some(max)) = (min, max) else {
        return Err(invalid("Serverless v2 capacity needs both MinCapacity and MaxCapacity."));
    };
    let in_steps = |capacity: f64| (0.0..=256.0).contains(&capacity) && (capacity * 2.0).fract() == 0.0;
    if !in_steps(min) || !in_steps(max) {
        return Err(invalid("Serverless v2 capacity must be between 0 and 256 in steps of 0.5."));
    }
    if max < 1.0 || min > max {
        return Err(invalid(format!(
            "Serverless v2 maximum capacity {max} isn't valid. It must be at least 1 and at least the minimum \
             capacity {min}."
        )));
    }
    let can_pause = versions::find(version).is_some_and(|v| v.can_pause());
    if min == 0.0 && !can_pause {
        return Err(invalid(format!(
            "Serverless v2 capacity 0.0 isn't valid. The minimum capacity must be at least 0.5 for \
             aurora-mysql {version}."
        )));
    }
    let pause = number(&given, "SecondsUntilAutoPause", 300..=86_400)?;
    if pause.is_some() && min > 0.0 {
        return Err(combination("SecondsUntilAutoPause needs a minimum capacity of 0."));
    }
    let pause_after_seconds = pause.or(before.map(|b| b.pause_after_seconds)).unwrap_or(300);
    Ok(Some(Scaling { min, max, pause_after_seconds }))
}
