//! Instances: the members of a cluster.

use super::clusters::keeps_no_backups;
use super::context::{Context, page};
use super::groups::{self, Level};
use super::input::{maintenance_window, number};
use super::refusals::{
    check_name, cluster_state, combination, instance_state, invalid, no_cluster, no_instance,
};
use super::state::{Cluster, Effect, Instance, Sync};
use super::timeline::Timeline;
use super::watching::{certificate, check_kind, insights, monitoring};
use super::{restarts, show, versions};
use crate::ec2::zones::has_class;
use crate::wire::{Fault, Reply, Xml};
use std::collections::BTreeMap;

/// A writer and 15 readers: promotion tiers go to 15 (fact book, section 1.6), the limit itself is not there.
const MEMBERS_MAX: usize = 16;

pub(super) fn create(c: &mut Context<'_>) -> Reply {
    let (p, now) = (c.params(), c.now);
    let id = c.required_name("DBInstanceIdentifier")?;
    check_name("DBInstanceIdentifier", &id, 63)?;
    let engine = p.required("Engine")?;
    let class = p.required("DBInstanceClass")?;
    if c.rds.instances.contains_key(&id) {
        return Err(Fault::bad("DBInstanceAlreadyExists", "DB instance already exists"));
    }
    if c.rds.instances.len() >= c.rds.quotas.instances {
        return Err(Fault::bad("InstanceQuotaExceeded", "The quota of DB instances is reached."));
    }
    let Some(cluster_id) = c.name("DBClusterIdentifier") else {
        return Err(combination("Aurora DB instances must be members of a DB cluster: DBClusterIdentifier."));
    };
    for cluster_level in
        ["MasterUsername", "MasterUserPassword", "DBName", "AllocatedStorage", "BackupRetentionPeriod"]
    {
        if p.get(cluster_level).is_some() {
            return Err(combination(format!(
                "The requested DB Instance will be a member of a DB Cluster. Set {cluster_level} for the DB \
                 Cluster."
            )));
        }
    }
    if !p.list("VpcSecurityGroupIds").is_empty() {
        return Err(combination(
            "The requested DB Instance will be a member of a DB Cluster and its vpc security group should be \
             set through the cluster.",
        ));
    }
    let cluster = c.rds.clusters.get(&cluster_id).ok_or_else(|| no_cluster(&cluster_id))?;
    if engine != "aurora-mysql" {
        return Err(combination(format!(
            "The engine name requested for your DB instance ({engine}) doesn't match the engine name of your \
             DB cluster (aurora-mysql)."
        )));
    }
    let version = &cluster.settings.engine_version;
    if let Some(wanted) = p.get("EngineVersion")
        && !versions::is_prefix(wanted, version)
    {
        return Err(combination(format!(
            "The engine version that you requested for your DB instance ({wanted}) does not match the engine \
             version of your DB cluster ({version})."
        )));
    }
    // A cluster that is being created takes instances, which then wait for it: CloudFormation and Terraform
    // often ask that early. The fact book does not say so.
    let status = cluster.timeline.status(now);
    if status != "available" && status != "creating" {
        return Err(cluster_state(format!(
            "DB cluster {cluster_id} is not currently in the available state: it is {status}."
        )));
    }
    let cluster_up = cluster.timeline.end_of("creating", now);
    if c.rds.members(&cluster_id).len() >= MEMBERS_MAX {
        return Err(cluster_state(format!(
            "DB cluster {cluster_id} has its maximum of {MEMBERS_MAX} instances."
        )));
    }
    check_class(class, Some(cluster))?;
    let group = parameter_group(c, version)?.unwrap_or_default();
    let tier = number(p, "PromotionTier", 0..=15)?.unwrap_or(1);
    let window = maintenance_window(p)?.unwrap_or_else(|| cluster.settings.maintenance_window.clone());
    if let Some(name) = c.name("DBSubnetGroupName").filter(|name| *name != cluster.subnet_group) {
        return Err(combination(format!(
            "The DB instance and the DB cluster must have the same DB subnet group: {name} is not {}.",
            cluster.subnet_group
        )));
    }
    check_kind(p)?;
    let (of_cluster, group_name) = (cluster.settings.clone(), cluster.subnet_group.clone());
    let (monitoring, insights) = (monitoring(c, &of_cluster.monitoring)?, insights(c, &of_cluster.insights)?);
    let certificate = certificate(p)?.unwrap_or_default();
    let all = group_zones(c, &group_name);
    let zones: Vec<String> = all.iter().filter(|zone| has_class(zone, class)).cloned().collect();
    if zones.is_empty() {
        // The words: hashicorp/terraform-provider-aws, issue 20712; the code is the one that stands for a subnet group
        // without a zone that serves (fact book, appendix F).
        return Err(Fault::bad(
            "InvalidVPCNetworkStateFault",
            format!(
                "Cannot create a database instance because there is not a subnet in an availability zone that offers {class}; the subnets are in {}.",
                all.join(", ")
            ),
        ));
    }
    let zone = match p.get("AvailabilityZone") {
        Some(zone) if zones.iter().any(|known| known == zone) => zone.to_string(),
        Some(zone) => {
            return Err(Fault::bad(
                "InvalidVPCNetworkStateFault",
                format!("The DB subnet group has no subnet in {zone}."),
            ));
        }
        None => {
            let taken = c.rds.members(&cluster_id).len();
            zones.get(taken % zones.len().max(1)).cloned().unwrap_or_default()
        }
    };
    let tags = c.given_tags("db")?;
    let length = match class {
        "db.serverless" => c.random.duration(300.0, 400.0, 700.0),
        _ => c.random.duration(330.0, 420.0, 720.0),
    };
    let up = (now + length).max(cluster_up.unwrap_or(0));
    let resource = format!("db-{}", c.random.letters(26).to_ascii_uppercase());
    let instance = Instance {
        id: id.clone(),
        resource: resource.clone(),
        cluster: cluster_id,
        created: now,
        timeline: Timeline::creating(now, up),
        up: false,
        deleting: false,
        class: class.to_string(),
        pending_class: None,
        zone,
        interface: None,
        promotion_tier: tier,
        publicly_accessible: p.flag("PubliclyAccessible").unwrap_or(false),
        auto_minor_upgrade: p.flag("AutoMinorVersionUpgrade").unwrap_or(true),
        copy_tags: p.flag("CopyTagsToSnapshot").unwrap_or(false),
        monitoring,
        insights,
        certificate,
        pending_certificate: None,
        maintenance_window: window,
        tags,
        group,
        cluster_sync: Sync::default(),
        instance_sync: Sync::default(),
        loaded: BTreeMap::new(),
        busy_until: 0,
        refuses_reboot_until: 0,
        active_at: up,
        kept_up_until: 0,
    };
    c.rds.instances.insert(id.clone(), instance);
    c.iam.make_service_role("rds.amazonaws.com", now);
    c.at(up, &resource, Effect::InstanceUp);
    place_interface(c, &id);
    show::instance_answer(c, &id)
}

/// The zones of a DB subnet group, or of the region for the default one.
fn group_zones(c: &Context<'_>, group: &str) -> Vec<String> {
    let Some(group) = c.rds.subnet_groups.get(group) else { return c.zones() };
    let mut zones: Vec<String> = group.subnets.iter().map(|(_, zone)| zone.clone()).collect();
    zones.sort();
    zones.dedup();
    zones
}

/// RDS puts one network interface per instance into the customer's subnet; doing it again changes its
/// security groups.
pub(super) fn place_interface(c: &mut Context<'_>, id: &str) {
    let Some(instance) = c.rds.instances.get(id) else { return };
    let Some(cluster) = c.rds.clusters.get(&instance.cluster) else { return };
    let Some(group) = c.rds.subnet_groups.get(&cluster.subnet_group) else { return };
    let Some((subnet, _)) = group.subnets.iter().find(|(_, zone)| *zone == instance.zone).cloned() else {
        return;
    };
    if c.ec2.subnet_zone(&subnet).is_none() {
        return;
    }
    let groups = cluster.settings.security_groups.clone();
    if let Some(interface) = &instance.interface {
        c.ec2.set_interface_groups(interface, &groups);
        return;
    }
    let interface = format!("eni-{}", c.random.hex(17));
    c.ec2.add_interface(&interface, &subnet, &groups, "RDSNetworkInterface", "amazon-rds");
    if let Some(instance) = c.rds.instances.get_mut(id) {
        instance.interface = Some(interface);
    }
}

/// How long the interface stays after its instance: 1 to 40 minutes (fact book, appendix E, item 7). Where
/// most cases lie in between is an estimate.
fn interface_release(c: &mut Context<'_>) -> u64 {
    c.random.duration_within(60.0, 180.0, 1_200.0, (60.0, 2_400.0))
}

/// Whether an instance of this class can be a member of the cluster.
pub(super) fn check_class(class: &str, cluster: Option<&Cluster>) -> Result<(), Fault> {
    let version = cluster.map_or("", |cluster| cluster.settings.engine_version.as_str());
    let orderable =
        versions::find(version).is_some_and(|version| version.classes().any(|known| known == class));
    if !orderable {
        return Err(combination(format!(
            "RDS does not support creating a DB instance with the following combination: \
             DBInstanceClass={class}, Engine=aurora-mysql, EngineVersion={version}, \
             LicenseModel=general-public-license. For supported combinations of instance class and database \
             engine version, see the documentation."
        )));
    }
    if class == "db.serverless" && cluster.is_some_and(|cluster| cluster.settings.scaling.is_none()) {
        return Err(combination(
            "Set the Serverless v2 scaling configuration on the parent DB cluster before creating a Serverless \
             v2 DB instance.",
        ));
    }
    Ok(())
}

/// The DB parameter group that the request names, for an instance of this engine version: empty for the default
/// one, and `None` when it names none.
pub(super) fn parameter_group(c: &Context<'_>, version: &str) -> Result<Option<String>, Fault> {
    let Some(name) = c.name(Level::Instance.name()) else { return Ok(None) };
    let family = versions::find(version).map_or("aurora-mysql8.0", |version| version.family());
    groups::check_attachable(c, Level::Instance, &name, family)?;
    Ok(Some(if name.starts_with("default.") { String::new() } else { name }))
}

pub(super) fn describe(c: &mut Context<'_>) -> Reply {
    let filters = c.filters(&["db-cluster-id", "db-instance-id", "dbi-resource-id", "engine", "domain"])?;
    let wanted = c.name("DBInstanceIdentifier");
    if let Some(id) = &wanted
        && !c.rds.instances.contains_key(id)
    {
        return Err(no_instance(id));
    }
    let matching = c.rds.instances.values().filter(|instance| {
        wanted.as_ref().is_none_or(|id| *id == instance.id)
            && filters.iter().all(|(name, values)| {
                let actual = match name.as_str() {
                    "db-cluster-id" => instance.cluster.as_str(),
                    "db-instance-id" => &instance.id,
                    "dbi-resource-id" => &instance.resource.to_ascii_lowercase(),
                    "engine" => "aurora-mysql",
                    _ => "",
                };
                values.iter().any(|value| value == actual)
            })
    });
    let all = matching.map(|instance| (instance.id.clone(), instance)).collect();
    let (instances, marker) = page(c.params(), all)?;
    let mut xml = Xml::new();
    xml.list("DBInstances", "DBInstance", instances, |x, instance| show::instance(c, x, instance));
    xml.optional("Marker", marker);
    Ok(xml.into())
}

pub(super) fn delete(c: &mut Context<'_>) -> Reply {
    let now = c.now;
    let id = c.required_name("DBInstanceIdentifier")?;
    let instance = c.rds.instances.get(&id).ok_or_else(|| no_instance(&id))?;
    if c.params().get("FinalDBSnapshotIdentifier").is_some() {
        return Err(invalid(
            "A final snapshot of a member of an Aurora DB cluster is taken with the cluster.",
        ));
    }
    if instance.deleting {
        return Err(instance_state(format!("Instance {id} is already being deleted.")));
    }
    let status = instance.timeline.status(now);
    let siblings = c.rds.members(&instance.cluster);
    // A reader that takes over from a writer that is being deleted can go as well: Terraform and CloudFormation
    // delete all members of a cluster side by side.
    let taking_over = status == "rebooting" && siblings.iter().any(|sibling| sibling.deleting);
    if status != "available" && !taking_over {
        return Err(instance_state(format!("Instance {id} is currently {status}: it can't be deleted now.")));
    }
    // A member has neither backups nor a snapshot of its own to keep.
    c.params().flag("SkipFinalSnapshot");
    keeps_no_backups(c.params())?;
    let (cluster_id, interface) = (instance.cluster.clone(), instance.interface.clone());
    let resource = instance.resource.clone();
    let gone = now + c.random.duration(180.0, 400.0, 600.0);
    let released = gone + interface_release(c);
    if let Some(instance) = c.rds.instances.get_mut(&id) {
        instance.deleting = true;
        // DeleteDBCluster reads off here when the last member will be gone.
        instance.timeline.replace(now, gone + 1, "deleting");
    }
    c.interrupt(&id, now, u64::MAX);
    c.at(gone, &resource, Effect::InstanceGone);
    if let Some(interface) = interface {
        c.ec2.release_interface(&interface, released);
    }
    let heir = c.rds.candidate(&cluster_id, now, false);
    let promoted = now + c.random.duration(5.0, 15.0, 40.0);
    if let (Some(cluster), Some(heir)) = (c.rds.clusters.get(&cluster_id), heir)
        && cluster.writer.as_deref() == Some(&id)
    {
        let cluster_resource = cluster.resource.clone();
        let from = now + 2_000;
        restarts::restart_member(c, now, &heir, from, promoted - now, "rebooting");
        restarts::restart_with_writer(c, now, &cluster_id, &[&heir], from, promoted + 2_000);
        c.at(promoted, &cluster_resource, Effect::Writer(heir));
        // Describe refreshes the roles late, as after a failover (fact book, table 8.2).
        let seen = c.random.duration(0.0, 10.0, 40.0).min(40_000);
        c.at(promoted + seen, &cluster_resource, Effect::ShownWriter);
    }
    show::instance_answer(c, &id)
}
