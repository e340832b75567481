//! Clusters: the shell around the shared storage. Members come separately.

use super::context::{Context, page};
use super::groups::{self, Level};
use super::input::{
    backup_window, check_password, log_exports, maintenance_window, number, scaling, security_groups,
    storage_type,
};
use super::refusals::{check_name, cluster_state, combination, invalid, no_cluster};
use super::state::{Cluster, Deferred, Effect, Insights, Monitoring, Settings, Snapshot, SubnetGroup};
use super::timeline::Timeline;
use super::watching::{check_forwarding, check_kind, insights, insights_mode, monitoring};
use super::windows::next_window;
use super::{credentials, global, show, snapshots, subnets, versions};
use crate::wire::{Fault, Params, Reply, Xml};

pub(super) fn create(c: &mut Context<'_>) -> Reply {
    let (p, now) = (c.params(), c.now);
    let id = c.required_name("DBClusterIdentifier")?;
    check_name("DBClusterIdentifier", &id, 63)?;
    if c.rds.clusters.contains_key(&id) {
        return Err(Fault::bad("DBClusterAlreadyExistsFault", "DB Cluster already exists"));
    }
    if c.rds.clusters.len() >= c.rds.quotas.clusters {
        return Err(Fault::new(403, "DBClusterQuotaExceededFault", "The quota of DB clusters is reached."));
    }
    let version = version(c)?;
    let joining = global::joining(c, version)?;
    if joining.as_ref().is_some_and(|joining| joining.primary.is_some()) {
        for inherited in ["MasterUsername", "MasterUserPassword", "ManageMasterUserPassword", "DatabaseName"]
        {
            if p.get(inherited).is_some() {
                return Err(combination(format!(
                    "Cannot specify {inherited} for a secondary cluster of a global database: it comes from the \
                     primary cluster."
                )));
            }
        }
    }
    let primary = joining.as_ref().and_then(|joining| joining.primary.clone());
    let master_username = match &primary {
        Some(primary) => primary.master_username.clone(),
        None => p.required("MasterUsername")?.to_string(),
    };
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
        (None, false) if primary.is_none() => {
            return Err(invalid("The parameter MasterUserPassword must be provided and must not be blank."));
        }
        (Some(password), false) => check_password(password)?,
        (None, _) => {}
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
    groups::check_attachable(c, Level::Cluster, &group, version.family())?;
    let subnet_group = match c.name("DBSubnetGroupName") {
        Some(name) if c.rds.subnet_groups.contains_key(&name) => name,
        Some(name) => {
            let text = format!("DB subnet group '{name}' does not exist.");
            return Err(Fault::new(404, "DBSubnetGroupNotFoundFault", text));
        }
        None if c.rds.lenient => "default".into(),
        None => subnets::default_group(c)?,
    };
    check_kind(p)?;
    let insights = insights(c, &Insights::default())?;
    let network = c.rds.subnet_groups.get(&subnet_group);
    let settings = Settings {
        engine_version: version.name.clone(),
        port: number(p, "Port", 1150..=65535)?.unwrap_or(3306),
        security_groups: match security_groups(c, network)? {
            Some(groups) => groups,
            None => default_groups(c, network),
        },
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
        monitoring: monitoring(c, &Monitoring::default())?,
        insights_mode: insights_mode(p, "standard", &insights)?,
        insights,
        local_write_forwarding: p.flag("EnableLocalWriteForwarding").unwrap_or(false),
    };
    let http_endpoint = p.flag("EnableHttpEndpoint").unwrap_or(false);
    check_forwarding(&settings)?;
    if http_endpoint && !version.has_data_api() {
        return Err(invalid(format!("Data API isn't supported by aurora-mysql {}.", version.name)));
    }
    let tags = c.given_tags("cluster")?;
    let available = now + c.random.duration(35.0, 45.0, 90.0);
    let resource = format!("cluster-{}", c.random.letters(26).to_ascii_uppercase());
    let encrypted = p.flag("StorageEncrypted").unwrap_or(false) || p.get("KmsKeyId").is_some();
    let kms_key = encrypted.then(|| credentials::key(c, "KmsKeyId", "rds")).transpose()?;
    let secret =
        managed.then(|| credentials::create(c, available, (&id, &resource), &master_username)).transpose()?;
    let cluster = Cluster {
        id: id.clone(),
        resource: resource.clone(),
        created: now,
        timeline: Timeline::creating(now, available),
        group,
        subnet_group,
        master_username,
        database: primary.map_or(database.map(str::to_string), |primary| primary.database),
        encrypted,
        kms_key,
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
        upgrade_due: false,
        password: p.get("MasterUserPassword").map(crate::database::hashed),
        server: crate::database::Server::default(),
    };
    let window = next_window(&cluster.settings.maintenance_window, available);
    c.at(window, &resource, Effect::Window);
    c.event(available, "db-cluster", &id, "creation", "DB cluster created");
    c.rds.clusters.insert(id.clone(), cluster);
    c.iam.make_service_role("rds.amazonaws.com", now);
    if let Some(joining) = joining {
        global::join(c, joining, &id);
    }
    show::cluster_answer(c, &id)
}

/// Without security groups a cluster gets the default one of its VPC.
fn default_groups(c: &Context<'_>, network: Option<&SubnetGroup>) -> Vec<String> {
    let vpc = network.and_then(|network| network.vpc.as_ref());
    vpc.and_then(|vpc| c.ec2.default_security_group(vpc)).into_iter().collect()
}

/// The engine version that the request asks for, checked.
fn version(c: &Context<'_>) -> Result<&'static versions::Version, Fault> {
    let p = c.params();
    let engine = p.required("Engine")?;
    if engine != "aurora-mysql" {
        return Err(invalid(format!("Invalid DB engine: {engine}")));
    }
    let wanted = p.get("EngineVersion").unwrap_or_default();
    let version = versions::creatable(wanted, c.rds.lenient)
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

pub(super) fn describe(c: &mut Context<'_>) -> Reply {
    // Nobody shares a cluster with this account.
    c.params().flag("IncludeShared");
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
    if c.globals.of(&c.arn("cluster", &id)).is_some() {
        return Err(cluster_state(
            "This cluster is a part of a global cluster, please remove it from globalcluster first",
        ));
    }
    keeps_no_backups(p)?;
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
            snapshots::check_new(c, name)?;
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
    show::cluster_answer(c, &id)
}

/// Automated backups go with what they are of, unless somebody wants them to outlive it.
pub(super) fn keeps_no_backups(p: &Params) -> Result<(), Fault> {
    match p.flag("DeleteAutomatedBackups") {
        Some(false) => Err(invalid("The sandbox does not model automated backups that are retained.")),
        _ => Ok(()),
    }
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
