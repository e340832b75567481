//! What clusters, instances and snapshots look like in XML: the element names are those of the API model.

use super::context::Context;
use super::state::{Cluster, Deferred, Insights, Instance, Monitoring, Snapshot, SubnetGroup};
use super::timeline::time;
use super::{credentials, roles, tags, versions};
use crate::wire::{Reply, Xml};

fn endpoint(c: &Context<'_>, name: &str, part: &str) -> String {
    format!("{name}.{part}{}.{}.rds.amazonaws.com", c.rds.suffix, c.call.region)
}

fn family(version: &str) -> &'static str {
    versions::find(version).map_or("aurora-mysql8.0", |version| version.family())
}

pub(super) fn cluster(c: &Context<'_>, x: &mut Xml, cluster: &Cluster) {
    let now = c.now;
    let shown = cluster.shown(now);
    let members = c.rds.members(&cluster.id);
    x.text("AllocatedStorage", 1);
    // Padded to three, whatever was asked (fact book, section 1.7).
    // Three of them, whatever was asked (fact book, section 1.9).
    x.texts("AvailabilityZones", "AvailabilityZone", c.zones().into_iter().take(3));
    x.text("BackupRetentionPeriod", shown.backup_retention);
    x.optional("DatabaseName", cluster.database.as_ref());
    x.text("DBClusterIdentifier", &cluster.id);
    x.text("DBClusterParameterGroup", &cluster.group);
    x.text("DBSubnetGroup", &cluster.subnet_group);
    x.text("Status", cluster.timeline.status(now));
    x.text("EarliestRestorableTime", time(cluster.created));
    x.text("LatestRestorableTime", time(now));
    x.text("Endpoint", endpoint(c, &cluster.id, "cluster-"));
    x.text("ReaderEndpoint", endpoint(c, &cluster.id, "cluster-ro-"));
    let zones: std::collections::BTreeSet<&String> = members.iter().map(|member| &member.zone).collect();
    x.text("MultiAZ", zones.len() > 1);
    x.text("Engine", "aurora-mysql");
    x.text("EngineVersion", &shown.engine_version);
    x.text("Port", shown.port);
    x.text("MasterUsername", &cluster.master_username);
    x.text("PreferredBackupWindow", &shown.backup_window);
    x.text("PreferredMaintenanceWindow", &shown.maintenance_window);
    x.element("ReadReplicaIdentifiers", |_| {});
    x.list("DBClusterMembers", "DBClusterMember", &members, |x, member| {
        x.text("DBInstanceIdentifier", &member.id);
        x.text("IsClusterWriter", cluster.shown_writer.as_ref() == Some(&member.id));
        x.text("DBClusterParameterGroupStatus", member.cluster_sync.status(now));
        x.text("PromotionTier", member.promotion_tier);
    });
    security_groups(x, &shown.security_groups);
    x.text("HostedZoneId", "Z2R2ITUGPM61AM");
    x.text("StorageEncrypted", cluster.encrypted);
    x.optional("KmsKeyId", cluster.kms_key.as_ref());
    x.text("DbClusterResourceId", &cluster.resource);
    x.text("DBClusterArn", c.arn("cluster", &cluster.id));
    x.list("AssociatedRoles", "DBClusterRole", &cluster.roles, |x, role| {
        x.text("RoleArn", &role.arn);
        x.text("Status", roles::status(c, role));
        x.optional("FeatureName", Some(&role.feature).filter(|feature| !feature.is_empty()));
    });
    if let Some(global) = c.globals.of(&c.arn("cluster", &cluster.id)) {
        x.text("GlobalClusterIdentifier", global);
        x.text("GlobalWriteForwardingRequested", false);
    }
    x.text("IAMDatabaseAuthenticationEnabled", shown.iam_authentication);
    x.text("ClusterCreateTime", time(cluster.created));
    if !shown.log_exports.is_empty() {
        x.texts("EnabledCloudwatchLogsExports", "member", &shown.log_exports);
    }
    pending(x, &cluster.deferred);
    x.text("EngineMode", "provisioned");
    x.text("DeletionProtection", shown.deletion_protection);
    x.text("HttpEndpointEnabled", cluster.http_endpoint);
    x.text("ActivityStreamStatus", "stopped");
    x.text("CopyTagsToSnapshot", shown.copy_tags);
    x.text("CrossAccountClone", false);
    x.element("DomainMemberships", |_| {});
    tags::show(x, &cluster.tags);
    x.text("AutoMinorVersionUpgrade", shown.auto_minor_upgrade);
    watching(x, &shown.monitoring, &shown.insights);
    x.text("DatabaseInsightsMode", &shown.insights_mode);
    x.text("NetworkType", "IPV4");
    x.optional("StorageType", shown.storage_type.as_ref());
    x.optional("AutomaticRestartTime", cluster.restart_at.map(time));
    if let Some(scaling) = &shown.scaling {
        x.element("ServerlessV2ScalingConfiguration", |x| {
            x.text("MinCapacity", format!("{:?}", scaling.min));
            x.text("MaxCapacity", format!("{:?}", scaling.max));
            // Not returned when the cluster cannot pause (fact book, section 1.10).
            x.optional(
                "SecondsUntilAutoPause",
                Some(scaling.pause_after_seconds).filter(|_| scaling.min == 0.0),
            );
        });
    }
    if let Some(secret) = &cluster.secret {
        x.element("MasterUserSecret", |x| {
            x.text("SecretArn", &secret.arn);
            x.text("SecretStatus", credentials::status(secret, now));
            x.text("KmsKeyId", &secret.kms_key);
        });
    }
    x.text("LocalWriteForwardingStatus", if shown.local_write_forwarding { "enabled" } else { "disabled" });
    x.text("EngineLifecycleSupport", &cluster.lifecycle_support);
}

fn watching(x: &mut Xml, monitoring: &Monitoring, insights: &Insights) {
    x.text("MonitoringInterval", monitoring.interval);
    x.optional("MonitoringRoleArn", monitoring.role.as_ref());
    x.text("PerformanceInsightsEnabled", insights.enabled);
    x.optional("PerformanceInsightsKMSKeyId", insights.key.as_ref());
    x.optional("PerformanceInsightsRetentionPeriod", Some(insights.retention).filter(|_| insights.enabled));
}

fn pending(x: &mut Xml, deferred: &Deferred) {
    if *deferred == Deferred::default() {
        return;
    }
    x.element("PendingModifiedValues", |x| {
        x.optional("IAMDatabaseAuthenticationEnabled", deferred.iam_authentication);
        x.optional("EngineVersion", deferred.engine_version.as_ref());
        x.optional("BackupRetentionPeriod", deferred.backup_retention);
        x.optional("StorageType", deferred.storage_type.as_ref());
    });
}

fn security_groups(x: &mut Xml, groups: &[String]) {
    x.list("VpcSecurityGroups", "VpcSecurityGroupMembership", groups, |x, group| {
        x.text("VpcSecurityGroupId", group).text("Status", "active");
    });
}

/// The answer to an operation on a cluster: it, as the content of `<DBCluster>`.
pub(super) fn cluster_answer(c: &Context<'_>, id: &str) -> Reply {
    let mut xml = Xml::new();
    if let Some(found) = c.rds.clusters.get(id) {
        xml.element("DBCluster", |x| cluster(c, x, found));
    }
    Ok(xml.into())
}

pub(super) fn instance(c: &Context<'_>, x: &mut Xml, instance: &Instance) {
    let now = c.now;
    x.text("DBInstanceIdentifier", &instance.id);
    x.text("DBInstanceClass", &instance.class);
    x.text("Engine", "aurora-mysql");
    x.text("DBInstanceStatus", instance.timeline.status(now));
    let cluster = c.rds.clusters.get(&instance.cluster);
    if let Some(cluster) = cluster {
        let shown = cluster.shown(now);
        x.text("MasterUsername", &cluster.master_username);
        x.optional("DBName", cluster.database.as_ref());
        if instance.up {
            x.element("Endpoint", |x| {
                x.text("Address", endpoint(c, &instance.id, ""));
                x.text("Port", shown.port);
                x.text("HostedZoneId", "Z2R2ITUGPM61AM");
            });
        }
        x.text("PreferredBackupWindow", &shown.backup_window);
        x.text("BackupRetentionPeriod", shown.backup_retention);
        security_groups(x, &shown.security_groups);
        let default = || format!("default.{}", family(&shown.engine_version));
        let group = Some(instance.group.clone()).filter(|group| !group.is_empty()).unwrap_or_else(default);
        x.list("DBParameterGroups", "DBParameterGroup", [group], |x, group| {
            x.text("DBParameterGroupName", group);
            x.text("ParameterApplyStatus", instance.instance_sync.status(now));
        });
        if let Some(group) = c.rds.subnet_groups.get(&cluster.subnet_group) {
            x.element("DBSubnetGroup", |x| subnet_group(c, x, &cluster.subnet_group, group));
        }
        x.list("OptionGroupMemberships", "OptionGroupMembership", [()], |x, ()| {
            x.text("OptionGroupName", versions::option_group(family(&shown.engine_version)));
            x.text("Status", "in-sync");
        });
        x.text("EngineVersion", &shown.engine_version);
        x.text("StorageType", shown.storage_type.as_deref().unwrap_or("aurora"));
        x.text("StorageEncrypted", cluster.encrypted);
        x.optional("KmsKeyId", cluster.kms_key.as_ref());
        x.text("IAMDatabaseAuthenticationEnabled", shown.iam_authentication);
        x.text("DeletionProtection", false);
    }
    x.text("AllocatedStorage", 1);
    if instance.up {
        x.text("InstanceCreateTime", time(instance.created));
    }
    x.element("DBSecurityGroups", |_| {});
    x.text("AvailabilityZone", &instance.zone);
    x.text("PreferredMaintenanceWindow", &instance.maintenance_window);
    x.element("PendingModifiedValues", |x| {
        x.optional("DBInstanceClass", instance.pending_class.as_ref());
        x.optional("CACertificateIdentifier", instance.pending_certificate.as_ref());
    });
    x.text("MultiAZ", false);
    x.text("AutoMinorVersionUpgrade", instance.auto_minor_upgrade);
    x.element("ReadReplicaDBInstanceIdentifiers", |_| {});
    x.text("LicenseModel", "general-public-license");
    x.text("PubliclyAccessible", instance.publicly_accessible);
    x.element("StatusInfos", |_| {});
    x.text("DbInstancePort", 0);
    x.text("DBClusterIdentifier", &instance.cluster);
    x.text("DbiResourceId", &instance.resource);
    let certificate = Some(instance.certificate.as_str()).filter(|name| !name.is_empty());
    let certificate = certificate.unwrap_or(versions::CERTIFICATES[0]);
    x.text("CACertificateIdentifier", certificate);
    x.element("CertificateDetails", |x| {
        x.text("CAIdentifier", certificate).text("ValidTill", versions::CERTIFICATES_UNTIL);
    });
    x.element("DomainMemberships", |_| {});
    x.text("CopyTagsToSnapshot", instance.copy_tags);
    x.text("PromotionTier", instance.promotion_tier);
    x.text("DBInstanceArn", c.arn("db", &instance.id));
    watching(x, &instance.monitoring, &instance.insights);
    x.element("AssociatedRoles", |_| {});
    tags::show(x, &instance.tags);
    x.text("NetworkType", "IPV4");
    x.text("BackupTarget", "region");
}

/// The answer to an operation on an instance: it, as the content of `<DBInstance>`.
pub(super) fn instance_answer(c: &Context<'_>, id: &str) -> Reply {
    let mut xml = Xml::new();
    if let Some(found) = c.rds.instances.get(id) {
        xml.element("DBInstance", |x| instance(c, x, found));
    }
    Ok(xml.into())
}

pub(super) fn subnet_group(c: &Context<'_>, x: &mut Xml, name: &str, group: &SubnetGroup) {
    x.text("DBSubnetGroupName", name);
    x.text("DBSubnetGroupDescription", &group.description);
    x.optional("VpcId", group.vpc.as_ref());
    x.text("SubnetGroupStatus", "Complete");
    x.list("Subnets", "Subnet", &group.subnets, |x, (subnet, zone)| {
        x.text("SubnetIdentifier", subnet);
        x.element("SubnetAvailabilityZone", |x| {
            x.text("Name", zone);
        });
        x.element("SubnetOutpost", |_| {});
        x.text("SubnetStatus", "Active");
    });
    x.text("DBSubnetGroupArn", c.arn("subgrp", name));
    x.texts("SupportedNetworkTypes", "member", ["IPV4"]);
}

pub(super) fn snapshot(c: &Context<'_>, x: &mut Xml, snapshot: &Snapshot) {
    let cluster = &snapshot.cluster;
    let done = c.now >= snapshot.available_at;
    // Three of them, whatever was asked (fact book, section 1.9).
    x.texts("AvailabilityZones", "AvailabilityZone", c.zones().into_iter().take(3));
    x.text("DBClusterSnapshotIdentifier", &snapshot.id);
    x.text("DBClusterIdentifier", &cluster.id);
    x.text("SnapshotCreateTime", time(snapshot.created));
    x.text("Engine", "aurora-mysql");
    x.text("EngineMode", "provisioned");
    x.text("AllocatedStorage", 1);
    x.text("Status", if done { "available" } else { "creating" });
    x.text("Port", cluster.settings.port);
    x.text("ClusterCreateTime", time(cluster.created));
    x.text("MasterUsername", &cluster.master_username);
    x.text("EngineVersion", &cluster.settings.engine_version);
    x.text("LicenseModel", "aurora-mysql");
    x.text("SnapshotType", "manual");
    x.text("PercentProgress", if done { 100 } else { 0 });
    x.text("StorageEncrypted", cluster.encrypted);
    x.optional("KmsKeyId", cluster.kms_key.as_ref());
    x.text("DBClusterSnapshotArn", c.arn("cluster-snapshot", &snapshot.id));
    x.text("IAMDatabaseAuthenticationEnabled", cluster.settings.iam_authentication);
    tags::show(x, &snapshot.tags);
    x.text("DbClusterResourceId", &cluster.resource);
}
