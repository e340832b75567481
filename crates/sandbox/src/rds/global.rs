//! Aurora global databases: one primary cluster, and secondary clusters in other regions.
//!
//! Here for what they do to restarts: below Aurora MySQL 3.06 the members of the secondary clusters restart with
//! the primary's writer, and a member cluster cannot be stopped (fact book, sections 1.6 and 1.13). Their codes
//! are those of the API model; that a region has one member cluster at most, and the wording, are believed.
//! There is no switchover between regions.

use super::context::{Context, page};
use super::global_databases::{GlobalDatabase, Inherited, Member};
use super::refusals::{check_name, cluster_state, combination, invalid, no_cluster};
use super::versions::{self, Version};
use crate::account::ACCOUNT;
use crate::wire::{Fault, Reply, Xml};

/// A cluster that is about to become a member.
pub(super) struct Joining {
    database: String,
    /// What it takes over as a secondary cluster; `None` when it is the first, and so the primary.
    pub primary: Option<Inherited>,
}

fn wrong_state(message: impl Into<String>) -> Fault {
    Fault::bad("InvalidGlobalClusterStateFault", message)
}

fn not_found(id: &str) -> Fault {
    Fault::new(404, "GlobalClusterNotFoundFault", format!("Global cluster {id} not found"))
}

/// The global database that a CreateDBCluster request names, checked.
pub(super) fn joining(c: &Context<'_>, version: &Version) -> Result<Option<Joining>, Fault> {
    let Some(id) = c.name("GlobalClusterIdentifier") else { return Ok(None) };
    let database = c.globals.databases.get(&id).ok_or_else(|| not_found(&id))?;
    if database.engine_version != version.name {
        return Err(combination(format!(
            "The engine version {} doesn't match the one of the global cluster, {}.",
            version.name, database.engine_version
        )));
    }
    if database.members.iter().any(|member| member.region == c.call.region) {
        return Err(wrong_state(format!(
            "Global cluster {id} already has a DB cluster in {}.",
            c.call.region
        )));
    }
    let primary = (!database.members.is_empty()).then(|| database.inherited.clone());
    Ok(Some(Joining { database: id, primary }))
}

/// Makes a cluster a member.
pub(super) fn join(c: &mut Context<'_>, joining: Joining, cluster: &str) {
    let arn = c.arn("cluster", cluster);
    let Some(cluster) = c.rds.clusters.get(cluster) else { return };
    let Some(database) = c.globals.databases.get_mut(&joining.database) else { return };
    if database.members.is_empty() {
        database.encrypted = cluster.encrypted;
        database.inherited = Inherited {
            master_username: cluster.master_username.clone(),
            database: cluster.database.clone(),
        };
    }
    let member = Member { arn, region: c.call.region.clone(), resource: cluster.resource.clone() };
    database.members.push(member);
}

fn show(x: &mut Xml, id: &str, database: &GlobalDatabase) {
    x.text("GlobalClusterIdentifier", id);
    x.text("GlobalClusterResourceId", &database.resource);
    x.text("GlobalClusterArn", format!("arn:aws:rds::{ACCOUNT}:global-cluster:{id}"));
    x.text("Status", "available");
    x.text("Engine", "aurora-mysql");
    x.text("EngineVersion", &database.engine_version);
    x.optional("DatabaseName", database.inherited.database.as_ref());
    x.text("StorageEncrypted", database.encrypted);
    x.text("DeletionProtection", database.deletion_protection);
    let members = database.members.iter().enumerate();
    x.list("GlobalClusterMembers", "GlobalClusterMember", members, |x, (n, member)| {
        x.text("DBClusterArn", &member.arn);
        let readers = database.members.iter().skip(1).map(|reader| &reader.arn);
        x.texts("Readers", "member", readers.filter(|_| n == 0));
        x.text("IsWriter", n == 0);
        x.text("GlobalWriteForwardingStatus", "disabled");
    });
}

fn answer(c: &Context<'_>, id: &str) -> Reply {
    let mut xml = Xml::new();
    if let Some(database) = c.globals.databases.get(id) {
        xml.element("GlobalCluster", |x| show(x, id, database));
    }
    Ok(xml.into())
}

pub(super) fn create(c: &mut Context<'_>) -> Reply {
    let p = c.params();
    let id = c.required_name("GlobalClusterIdentifier")?;
    check_name("GlobalClusterIdentifier", &id, 63)?;
    if c.globals.databases.contains_key(&id) {
        return Err(Fault::bad(
            "GlobalClusterAlreadyExistsFault",
            format!("Global cluster {id} already exists"),
        ));
    }
    let source = c.name("SourceDBClusterIdentifier");
    let engine_version = match &source {
        Some(source) => {
            let cluster = c.rds.clusters.get(source).ok_or_else(|| no_cluster(source))?;
            let status = cluster.timeline.status(c.now);
            if status != "available" || c.globals.of(&c.arn("cluster", source)).is_some() {
                return Err(cluster_state(format!(
                    "Source cluster {source} is {status}, or is in a global cluster already: it can't be the \
                     primary cluster of another one."
                )));
            }
            if p.get("Engine").is_some() || p.get("EngineVersion").is_some() {
                return Err(combination(
                    "When creating global cluster from existing db cluster, value for engineName and engineVersion \
                     should not be specified since it will be inherited from source cluster",
                ));
            }
            cluster.settings.engine_version.clone()
        }
        None => {
            if p.required("Engine")? != "aurora-mysql" {
                return Err(invalid("Invalid DB engine"));
            }
            let wanted = p.get("EngineVersion").unwrap_or_default();
            let version = versions::creatable(wanted, c.rds.lenient)
                .ok_or_else(|| combination(format!("Cannot find version {wanted} for aurora-mysql")))?;
            version.name.clone()
        }
    };
    let database = GlobalDatabase {
        resource: format!("cluster-{}", c.random.hex(16)),
        engine_version,
        deletion_protection: p.flag("DeletionProtection").unwrap_or(false),
        encrypted: p.flag("StorageEncrypted").unwrap_or(false),
        inherited: Inherited::default(),
        members: Vec::new(),
    };
    c.globals.databases.insert(id.clone(), database);
    if let Some(source) = source {
        join(c, Joining { database: id.clone(), primary: None }, &source);
    }
    answer(c, &id)
}

pub(super) fn describe(c: &mut Context<'_>) -> Reply {
    let wanted = c.name("GlobalClusterIdentifier");
    if let Some(id) = &wanted
        && !c.globals.databases.contains_key(id)
    {
        return Err(not_found(id));
    }
    let filters = c.filters(&["db-cluster-id"])?;
    let has = |database: &GlobalDatabase, cluster: &String| {
        database.members.iter().any(|member| member.arn.ends_with(&format!(":{cluster}")))
    };
    let matching = c.globals.databases.iter().filter(|(id, database)| {
        wanted.as_ref().is_none_or(|wanted| wanted == *id)
            && filters.values().all(|clusters| clusters.iter().any(|cluster| has(database, cluster)))
    });
    let all = matching.map(|found| (found.0.clone(), found)).collect();
    let (found, marker) = page(c.params(), all)?;
    let mut xml = Xml::new();
    xml.list("GlobalClusters", "GlobalClusterMember", found, |x, (id, database)| show(x, id, database));
    xml.optional("Marker", marker);
    Ok(xml.into())
}

pub(super) fn remove(c: &mut Context<'_>) -> Reply {
    let now = c.now;
    let id = c.required_name("GlobalClusterIdentifier")?;
    let given = c.params().required("DbClusterIdentifier")?.to_string();
    let arn = if given.starts_with("arn:") { given } else { c.arn("cluster", &given.to_ascii_lowercase()) };
    let lag = c.lag();
    let length = c.random.duration(20.0, 60.0, 180.0);
    let database = c.globals.databases.get_mut(&id).ok_or_else(|| not_found(&id))?;
    let Some(position) = database.members.iter().position(|member| member.arn == arn) else {
        return Err(no_cluster(&arn));
    };
    if position == 0 && database.members.len() > 1 {
        return Err(wrong_state(format!(
            "The primary cluster can't be removed from global cluster {id} while it has secondary clusters."
        )));
    }
    let member = &database.members[position];
    let cluster = c.rds.clusters.values_mut().find(|cluster| cluster.resource == member.resource);
    if let Some(cluster) = cluster {
        let status = cluster.timeline.status(now);
        if status != "available" {
            return Err(cluster_state(format!("DB cluster {} is {status}.", cluster.id)));
        }
        if position > 0 {
            // It becomes a cluster of its own, with a writer.
            cluster.timeline.schedule(now, now + lag, length, "promoting");
        }
    }
    database.members.remove(position);
    answer(c, &id)
}

pub(super) fn delete(c: &mut Context<'_>) -> Reply {
    let id = c.required_name("GlobalClusterIdentifier")?;
    let database = c.globals.databases.get(&id).ok_or_else(|| not_found(&id))?;
    if database.deletion_protection {
        return Err(combination("Cannot delete protected global cluster."));
    }
    if !database.members.is_empty() {
        return Err(wrong_state(format!("Global cluster {id} is not empty")));
    }
    let reply = answer(c, &id);
    c.globals.databases.remove(&id);
    reply
}
