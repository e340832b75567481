//! RDS: subnet groups, parameter groups and clusters; instances are in [`super::instances`].
//!
//! Habits of the handlers: fact book on the original stacks, section A3, "CFN RDS provider".

use super::instances;
use crate::cloudformation::work::{Outcome, Query, Step, Work, text};
use crate::wire::Fault;
use serde_json::Value;

/// "Modify at most 20 parameters per call."
const PARAMETERS_AT_ONCE: usize = 20;
/// Statuses out of which a cluster does not come by itself.
const TERMINAL: &[&str] = &[
    "inaccessible-encryption-credentials",
    "inaccessible-encryption-credentials-recoverable",
    "incompatible-network",
    "incompatible-parameters",
    "incompatible-restore",
    "migration-failed",
    "restore-failed",
];

/// What the two kinds of parameter groups are called.
struct Level {
    object: &'static str,
    name: &'static str,
}

fn level(kind: &str) -> Option<Level> {
    match kind {
        "AWS::RDS::DBClusterParameterGroup" => {
            Some(Level { object: "DBClusterParameterGroup", name: "DBClusterParameterGroupName" })
        }
        "AWS::RDS::DBParameterGroup" => {
            Some(Level { object: "DBParameterGroup", name: "DBParameterGroupName" })
        }
        _ => None,
    }
}

pub(super) fn create(work: &mut Work<'_>) -> Outcome {
    let kind = work.resource.kind.clone();
    let lower = work.name.to_lowercase();
    match (kind.as_str(), work.stage) {
        ("AWS::RDS::DBSubnetGroup", _) => {
            let name = work.property("DBSubnetGroupName").unwrap_or(lower);
            let query = subnet_group(work, &name).tags("Tags.Tag", &work.tags());
            work.query("rds", "CreateDBSubnetGroup", query.0)?;
            // RDS keeps it in lower case, and so does CloudFormation what Ref gives (AWS::RDS::DBSubnetGroup).
            work.resource.physical = name.to_lowercase();
            Ok(Step::Done)
        }
        ("AWS::RDS::DBCluster", 0) => {
            let name = work.property("DBClusterIdentifier").unwrap_or(lower);
            let query =
                cluster(work, true).and("DBClusterIdentifier", name.clone()).tags("Tags.Tag", &work.tags());
            work.query("rds", "CreateDBCluster", query.0)?;
            work.resource.physical = name;
            Ok(Step::Next)
        }
        ("AWS::RDS::DBCluster", 1) => wait_for_cluster(work),
        ("AWS::RDS::DBCluster", stage) => roles(work, stage - 2),
        ("AWS::RDS::DBInstance", _) => instances::create(work),
        (kind, 0) => {
            let Some(level) = level(kind) else { return Err(super::unknown(work)) };
            let name = work.property(level.name).unwrap_or(lower).to_lowercase();
            let query = Query::new(&[(level.name, &name)])
                .and("DBParameterGroupFamily", work.need("Family"))
                .and("Description", work.need("Description"))
                .tags("Tags.Tag", &work.tags());
            work.query("rds", &format!("Create{}", level.object), query.0)?;
            work.resource.physical.clone_from(&name);
            if level.name == "DBParameterGroupName" {
                work.set("DBParameterGroupName", name);
            }
            Ok(Step::Next)
        }
        (kind, stage) => match level(kind) {
            Some(level) => parameters(work, &level, stage - 1),
            None => Err(super::unknown(work)),
        },
    }
}

fn subnet_group(work: &Work<'_>, name: &str) -> Query {
    Query::new(&[("DBSubnetGroupName", name)])
        .and("DBSubnetGroupDescription", work.need("DBSubnetGroupDescription"))
        .list("SubnetIds.SubnetIdentifier", work.list("SubnetIds"))
}

fn set_parameters(properties: &Value) -> Vec<(String, String)> {
    let all = properties["Parameters"].as_object().into_iter().flatten();
    all.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
}

/// Parameters of one request, with values where it sets them.
type Entries = Vec<(String, Option<String>)>;

/// First what is not set any more, then what is, twenty at a time. A value takes effect at once where RDS lets it:
/// the handler asks for each parameter's kind.
fn parameters(work: &mut Work<'_>, level: &Level, at: u32) -> Outcome {
    let (wanted, before) = (set_parameters(work.wanted), set_parameters(work.before));
    let gone: Vec<String> = before
        .iter()
        .map(|(name, _)| name.clone())
        .filter(|name| !wanted.iter().any(|(other, _)| other == name))
        .collect();
    let new: Vec<&(String, String)> = wanted.iter().filter(|one| !before.contains(one)).collect();
    let mut requests: Vec<(String, Entries)> = Vec::new();
    for some in gone.chunks(PARAMETERS_AT_ONCE) {
        requests
            .push((format!("Reset{}", level.object), some.iter().map(|name| (name.clone(), None)).collect()));
    }
    for some in new.chunks(PARAMETERS_AT_ONCE) {
        let some = some.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
        requests.push((format!("Modify{}", level.object), some));
    }
    let Some((operation, some)) = requests.into_iter().nth(at as usize) else { return Ok(Step::Done) };
    let fixed = statics(work, level)?;
    let mut query = Query::default().and(level.name, work.resource.physical.clone());
    for (index, (name, value)) in some.into_iter().enumerate() {
        let entry = format!("Parameters.Parameter.{}", index + 1);
        let method = if fixed.contains(&name) { "pending-reboot" } else { "immediate" };
        query = query
            .and(&format!("{entry}.ParameterName"), name)
            .maybe(&format!("{entry}.ParameterValue"), value)
            .and(&format!("{entry}.ApplyMethod"), method);
    }
    work.query("rds", &operation, query.0)?;
    Ok(Step::Next)
}

/// The parameters of the group that only a restart picks up.
fn statics(work: &mut Work<'_>, level: &Level) -> Result<Vec<String>, Fault> {
    let operation = format!("Describe{}s", level.object.trim_end_matches("Group"));
    let (mut found, mut marker) = (Vec::new(), None);
    // A family has some hundreds of parameters, at a hundred a page.
    for _ in 0..50 {
        let query = Query::default().and(level.name, work.resource.physical.clone()).maybe("Marker", marker);
        let page = work.query("rds", &operation, query.0)?;
        for parameter in page.children("Parameters") {
            if parameter.text("ApplyType") == "static" {
                found.push(parameter.text("ParameterName"));
            }
        }
        marker = Some(page.text("Marker")).filter(|marker| !marker.is_empty());
        if marker.is_none() {
            break;
        }
    }
    Ok(found)
}

/// Members of CreateDBCluster and ModifyDBCluster that are called as the properties are, and whether a change takes
/// them.
const CLUSTER: &[(&str, &str, bool)] = &[
    ("AutoMinorVersionUpgrade", "AutoMinorVersionUpgrade", true),
    ("BackupRetentionPeriod", "BackupRetentionPeriod", true),
    ("CopyTagsToSnapshot", "CopyTagsToSnapshot", true),
    ("DBClusterParameterGroupName", "DBClusterParameterGroupName", true),
    ("DBSubnetGroupName", "DBSubnetGroupName", false),
    ("DatabaseInsightsMode", "DatabaseInsightsMode", true),
    ("DatabaseName", "DatabaseName", false),
    ("DeletionProtection", "DeletionProtection", true),
    ("EnableHttpEndpoint", "EnableHttpEndpoint", false),
    ("EnableIAMDatabaseAuthentication", "EnableIAMDatabaseAuthentication", true),
    ("EnableLocalWriteForwarding", "EnableLocalWriteForwarding", true),
    ("Engine", "Engine", false),
    ("EngineLifecycleSupport", "EngineLifecycleSupport", false),
    ("EngineMode", "EngineMode", false),
    ("EngineVersion", "EngineVersion", true),
    ("KmsKeyId", "KmsKeyId", false),
    ("ManageMasterUserPassword", "ManageMasterUserPassword", true),
    ("MasterUserPassword", "MasterUserPassword", true),
    ("MasterUsername", "MasterUsername", false),
    ("MonitoringInterval", "MonitoringInterval", true),
    ("MonitoringRoleArn", "MonitoringRoleArn", true),
    ("PerformanceInsightsEnabled", "EnablePerformanceInsights", true),
    ("PerformanceInsightsKmsKeyId", "PerformanceInsightsKMSKeyId", true),
    ("PerformanceInsightsRetentionPeriod", "PerformanceInsightsRetentionPeriod", true),
    ("Port", "Port", true),
    ("PreferredBackupWindow", "PreferredBackupWindow", true),
    ("PreferredMaintenanceWindow", "PreferredMaintenanceWindow", true),
    ("StorageEncrypted", "StorageEncrypted", false),
    ("StorageType", "StorageType", true),
];

fn cluster(work: &Work<'_>, is_new: bool) -> Query {
    let mut query = Query::default();
    for (property, member, changes) in CLUSTER {
        if is_new || *changes && work.is_changed(property) {
            query = query.maybe(member, work.property(property));
        }
    }
    if is_new || work.is_changed("VpcSecurityGroupIds") {
        query = query.list("VpcSecurityGroupIds.VpcSecurityGroupId", work.list("VpcSecurityGroupIds"));
    }
    if is_new || work.is_changed("ServerlessV2ScalingConfiguration") {
        for name in ["MinCapacity", "MaxCapacity", "SecondsUntilAutoPause"] {
            let value = text(&work.wanted["ServerlessV2ScalingConfiguration"][name]);
            query = query.maybe(&format!("ServerlessV2ScalingConfiguration.{name}"), value);
        }
    }
    if is_new || work.is_changed("MasterUserSecret") {
        query = query.maybe("MasterUserSecretKmsKeyId", text(&work.wanted["MasterUserSecret"]["KmsKeyId"]));
    }
    let logs = work.list("EnableCloudwatchLogsExports");
    if is_new {
        return query.list("EnableCloudwatchLogsExports.member", logs);
    }
    if work.is_changed("EnableCloudwatchLogsExports") {
        let old = work.before["EnableCloudwatchLogsExports"].as_array().cloned().unwrap_or_default();
        let gone = old.iter().filter_map(text).filter(|log| !logs.contains(log)).collect::<Vec<_>>();
        query = query
            .list("CloudwatchLogsExportConfiguration.EnableLogTypes.member", logs)
            .list("CloudwatchLogsExportConfiguration.DisableLogTypes.member", gone);
    }
    query
}

fn wait_for_cluster(work: &mut Work<'_>) -> Outcome {
    let id = work.resource.physical.clone();
    let found = work.query("rds", "DescribeDBClusters", Query::new(&[("DBClusterIdentifier", &id)]).0)?;
    let get = |name: &str| found.text(&format!("DBClusters/DBCluster/{name}"));
    let status = get("Status");
    if TERMINAL.contains(&status.as_str()) {
        let text = format!("DB Cluster is in state: {status}");
        return Err(Fault::bad("NotStabilized", text));
    }
    if status != "available" || !found.children("DBClusters/DBCluster/PendingModifiedValues").is_empty() {
        return Ok(Step::Later);
    }
    for (attribute, path) in [
        ("Endpoint.Address", "Endpoint"),
        ("Endpoint.Port", "Port"),
        ("ReadEndpoint.Address", "ReaderEndpoint"),
        ("DBClusterArn", "DBClusterArn"),
        ("DBClusterResourceId", "DbClusterResourceId"),
        ("MasterUserSecret.SecretArn", "MasterUserSecret/SecretArn"),
    ] {
        let value = get(path);
        work.set(attribute, value);
    }
    Ok(Step::Next)
}

fn associated(properties: &Value) -> Vec<(String, Option<String>)> {
    let one = |role: &Value| {
        // An empty name of a feature is none.
        let feature = text(&role["FeatureName"]).filter(|feature| !feature.trim().is_empty());
        Some((text(&role["RoleArn"])?, feature))
    };
    properties["AssociatedRoles"].as_array().into_iter().flatten().filter_map(one).collect()
}

/// "Roles are added one at a time"; that they are there is enough, whether they work or not.
fn roles(work: &mut Work<'_>, at: u32) -> Outcome {
    let id = work.resource.physical.clone();
    let (wanted, before) = (associated(work.wanted), associated(work.before));
    let gone =
        before.iter().filter(|role| !wanted.contains(role)).map(|role| ("RemoveRoleFromDBCluster", role));
    let new = wanted.iter().filter(|role| !before.contains(role)).map(|role| ("AddRoleToDBCluster", role));
    let Some((operation, (arn, feature))) = gone.chain(new).nth(at as usize) else { return Ok(Step::Done) };
    let query =
        Query::new(&[("DBClusterIdentifier", &id), ("RoleArn", arn)]).maybe("FeatureName", feature.clone());
    match work.query("rds", operation, query.0) {
        Err(fault)
            if matches!(fault.code.as_str(), "DBClusterRoleAlreadyExists" | "DBClusterRoleNotFound") => {}
        other => drop(other?),
    }
    Ok(Step::Next)
}

pub(super) fn update(work: &mut Work<'_>) -> Outcome {
    let (kind, id) = (work.resource.kind.clone(), work.resource.physical.clone());
    if work.stage == 0 {
        let arn = match kind.as_str() {
            "AWS::RDS::DBSubnetGroup" => "subgrp",
            "AWS::RDS::DBClusterParameterGroup" => "cluster-pg",
            "AWS::RDS::DBParameterGroup" => "pg",
            "AWS::RDS::DBCluster" => "cluster",
            _ => "db",
        };
        instances::retag(work, arn)?;
        return Ok(Step::Next);
    }
    match (kind.as_str(), work.stage) {
        ("AWS::RDS::DBSubnetGroup", _) => {
            work.query("rds", "ModifyDBSubnetGroup", subnet_group(work, &id).0)?;
            Ok(Step::Done)
        }
        ("AWS::RDS::DBCluster", 1) => {
            let query = cluster(work, false);
            if !query.0.is_empty() {
                let query = query.and("DBClusterIdentifier", id).and("ApplyImmediately", "true");
                let query = query.and("AllowMajorVersionUpgrade", "true");
                work.query("rds", "ModifyDBCluster", query.0)?;
            }
            Ok(Step::Next)
        }
        ("AWS::RDS::DBCluster", 2) => {
            if work.is_changed("EnableHttpEndpoint") {
                let on = work.property("EnableHttpEndpoint").as_deref() == Some("true");
                let operation = if on { "EnableHttpEndpoint" } else { "DisableHttpEndpoint" };
                let query = Query::default().and("ResourceArn", work.attribute("DBClusterArn"));
                work.query("rds", operation, query.0)?;
            }
            Ok(Step::Next)
        }
        // Modifications show some seconds after they were accepted: the handler wants to see the status three times.
        ("AWS::RDS::DBCluster", 3..=5) => match wait_for_cluster(work)? {
            Step::Next if work.stage < 5 => Ok(Step::Pause),
            other => Ok(other),
        },
        ("AWS::RDS::DBCluster", stage) => roles(work, stage - 6),
        ("AWS::RDS::DBInstance", _) => instances::update(work),
        (kind, stage) => match level(kind) {
            Some(level) => parameters(work, &level, stage - 1),
            None => Err(super::unknown(work)),
        },
    }
}

pub(super) fn delete(work: &mut Work<'_>) -> Outcome {
    let (kind, id) = (work.resource.kind.clone(), work.resource.physical.clone());
    match (kind.as_str(), work.stage) {
        ("AWS::RDS::DBSubnetGroup", _) => {
            work.query("rds", "DeleteDBSubnetGroup", Query::new(&[("DBSubnetGroupName", &id)]).0)?;
            Ok(Step::Done)
        }
        ("AWS::RDS::DBCluster", 0) => {
            let query = Query::new(&[("DBClusterIdentifier", &id)]);
            let query = match work.snapshot.clone() {
                Some(name) => query.and("FinalDBSnapshotIdentifier", name),
                None => query.and("SkipFinalSnapshot", "true"),
            };
            work.query("rds", "DeleteDBCluster", query.0)?;
            Ok(Step::Next)
        }
        ("AWS::RDS::DBCluster", _) => {
            work.query("rds", "DescribeDBClusters", Query::new(&[("DBClusterIdentifier", &id)]).0)?;
            Ok(Step::Later)
        }
        ("AWS::RDS::DBInstance", _) => instances::delete(work),
        (kind, _) => match level(kind) {
            Some(level) => {
                let operation = format!("Delete{}", level.object);
                work.query("rds", &operation, Query::new(&[(level.name, &id)]).0)?;
                Ok(Step::Done)
            }
            None => Err(super::unknown(work)),
        },
    }
}
