//! Simulated RDS: Aurora MySQL clusters, their members, and the DB cluster parameter groups that they run
//! with.
//!
//! **How time works.** Nothing runs in the background. A request first carries out every [`Effect`] whose
//! time has come, in order of time ([`settle`]); statuses are read off [`Timeline`]s. A change is accepted
//! first, becomes visible some seconds later, and ends later still (fact book, appendix E, item 1).
//!
//! **What runs where.** A member is `pending-reboot` from the moment that something changed which only a
//! restart picks up, until some time after a restart that began *after* that change.
//!
//! **Figures.** Durations are those of the fact book's table 8.2. What is not there is our estimate: upgrades,
//! changes of class, removal of a role, promotion after the writer's deletion, rotation of a password, work
//! behind an `available` status; and so are all probabilities.
//!
//! **Others.** RDS asks EC2 for subnets and security groups and puts network interfaces there, asks IAM
//! whether it can assume a role, keeps managed master passwords in Secrets Manager, and uses keys of KMS.
//!
//! Rooms: [`state`] (what exists), [`settle`] (what time does to it), [`clusters`], [`input`] (what cluster
//! operations are asked), [`modify`], [`credentials`] (managed master passwords), [`restarts`] (reboot,
//! failover, stop, start), [`interruptions`] (who was hit by them), [`global`] (global databases), [`pause`] (Serverless v2), [`instances`], [`groups`], their [`values`] and the [`parameters`] there are,
//! [`roles`], [`subnets`], [`versions`], [`snapshots`], [`tags`], [`show`] (XML), [`data`] (the Data API), and
//! [`hooks`] for tests.

mod clusters;
mod credentials;
mod data;
mod global;
mod groups;
mod hooks;
mod input;
mod instances;
mod interruptions;
mod modify;
mod parameters;
mod pause;
mod restarts;
mod roles;
mod settle;
mod show;
mod snapshots;
mod state;
mod subnets;
mod tags;
mod values;
mod versions;

use super::ec2::Ec2;
use super::iam::Iam;
use super::kms::Kms;
use super::random::Random;
use super::secretsmanager::SecretsManager;
use super::wire::{Fault, Params, Reply};
use super::{ACCOUNT, Call, Global, Region};
pub(super) use data::{handle as handle_data, operation as data_operation};
pub use global::GlobalDatabases;
pub(super) use global::tell_other_regions;
use groups::Level;
pub use interruptions::Interruption;
use interruptions::Origin;
use serde::{Deserialize, Serialize};
use state::{Cluster, Effect, Event, Group, Instance, Snapshot, SubnetGroup, Timed};
use std::collections::BTreeMap;

/// Everything of RDS in one region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Rds {
    /// Skips the questions to EC2 and IAM (do the subnet, the security group and the role exist?), for
    /// tests of RDS alone.
    #[serde(default)]
    pub lenient: bool,
    /// `static` or `dynamic` by the name of a parameter, where this region differs from the sandbox's table
    /// (fact book, section 1.3: the role parameters are static for some), for tests.
    #[serde(default)]
    pub apply_types: BTreeMap<String, String>,
    /// For how long Describe tells the old parameter status after a change, in milliseconds, for tests.
    #[serde(default)]
    pub late_ms: u64,
    /// Readers restart with the writer although the version lets them go on, as they can under heavy load (fact
    /// book, section 1.6), for tests. That counts as an interruption by AWS.
    #[serde(default)]
    pub heavy_load: bool,
    /// That many failovers are accepted, end, and leave the writer where it was, for tests.
    #[serde(default)]
    pub failing_failovers: u64,
    groups: BTreeMap<String, Group>,
    /// DB parameter groups, those of single instances.
    #[serde(default)]
    instance_groups: BTreeMap<String, Group>,
    subnet_groups: BTreeMap<String, SubnetGroup>,
    clusters: BTreeMap<String, Cluster>,
    instances: BTreeMap<String, Instance>,
    snapshots: BTreeMap<String, Snapshot>,
    /// What happened, and what is already known to happen: only the past is shown.
    events: Vec<Event>,
    effects: Vec<Timed>,
    /// Who was interrupted, when and by whom, in the last 14 days.
    #[serde(default)]
    pub interruptions: Vec<Interruption>,
    /// The part of every endpoint's host name that belongs to account and region.
    suffix: String,
}

/// One request together with all that it may touch.
struct Context<'a> {
    call: &'a Call,
    now: u64,
    rds: &'a mut Rds,
    ec2: &'a mut Ec2,
    iam: &'a Iam,
    secrets: &'a mut SecretsManager,
    kms: &'a mut Kms,
    random: &'a mut Random,
    globals: &'a mut GlobalDatabases,
    /// Why things happen now.
    origin: Origin,
}

/// Lets time pass until the call, for services that show what RDS does by itself.
pub(super) fn settle(call: &Call, region: &mut Region, global: &mut Global) {
    settle::settle(&mut Context::new(call, region, global));
}

impl Rds {
    /// Sets a tag that only AWS may set (`aws:…`), as when CloudFormation made the cluster.
    pub fn set_system_tag(&mut self, cluster: &str, key: &str, value: &str) {
        if let Some(cluster) = self.clusters.get_mut(cluster) {
            cluster.tags.insert(key.into(), value.into());
        }
    }
}

pub(super) fn handle(call: &Call, region: &mut Region, global: &mut Global) -> Reply {
    let c = &mut Context::new(call, region, global);
    if c.rds.suffix.is_empty() {
        c.rds.suffix = format!("c{}", c.random.letters(11).to_ascii_lowercase());
    }
    settle::settle(c);
    match call.operation.as_str() {
        "CreateDBCluster" => clusters::create(c),
        "DescribeDBClusters" => clusters::describe(c),
        "DeleteDBCluster" => clusters::delete(c),
        "EnableHttpEndpoint" => clusters::http_endpoint(c, true),
        "DisableHttpEndpoint" => clusters::http_endpoint(c, false),
        "ModifyDBCluster" => modify::cluster(c),
        "ModifyDBInstance" => modify::instance(c),
        "CreateDBInstance" => instances::create(c),
        "DescribeDBInstances" => instances::describe(c),
        "DeleteDBInstance" => instances::delete(c),
        "RebootDBInstance" => restarts::reboot(c),
        "RebootDBCluster" => restarts::reboot_cluster(c),
        "FailoverDBCluster" => restarts::failover(c),
        "StopDBCluster" => restarts::stop(c),
        "StartDBCluster" => restarts::start(c),
        "AddRoleToDBCluster" => roles::add(c),
        "RemoveRoleFromDBCluster" => roles::remove(c),
        "CreateDBClusterParameterGroup" => groups::create(c, Level::Cluster),
        "CopyDBClusterParameterGroup" => groups::copy(c, Level::Cluster),
        "DescribeDBClusterParameterGroups" => groups::describe(c, Level::Cluster),
        "ModifyDBClusterParameterGroup" => values::modify(c, Level::Cluster),
        "ResetDBClusterParameterGroup" => values::reset(c, Level::Cluster),
        "DeleteDBClusterParameterGroup" => groups::delete(c, Level::Cluster),
        "DescribeDBClusterParameters" => values::describe_parameters(c, Level::Cluster),
        "DescribeEngineDefaultClusterParameters" => values::describe_defaults(c),
        "CreateDBParameterGroup" => groups::create(c, Level::Instance),
        "CopyDBParameterGroup" => groups::copy(c, Level::Instance),
        "DescribeDBParameterGroups" => groups::describe(c, Level::Instance),
        "ModifyDBParameterGroup" => values::modify(c, Level::Instance),
        "ResetDBParameterGroup" => values::reset(c, Level::Instance),
        "DeleteDBParameterGroup" => groups::delete(c, Level::Instance),
        "DescribeDBParameters" => values::describe_parameters(c, Level::Instance),
        "CreateDBSubnetGroup" => subnets::create(c),
        "DescribeDBSubnetGroups" => subnets::describe(c),
        "ModifyDBSubnetGroup" => subnets::modify(c),
        "DeleteDBSubnetGroup" => subnets::delete(c),
        "AddTagsToResource" => tags::add(c),
        "RemoveTagsFromResource" => tags::remove(c),
        "ListTagsForResource" => tags::list(c),
        "DescribeDBEngineVersions" => versions::describe(c),
        "DescribeOrderableDBInstanceOptions" => versions::describe_orderable(c),
        "DescribeEvents" => snapshots::describe_events(c),
        "DescribeDBClusterSnapshots" => snapshots::describe(c),
        "DeleteDBClusterSnapshot" => snapshots::delete(c),
        "DescribePendingMaintenanceActions" => snapshots::describe_maintenance(c),
        "CreateGlobalCluster" => global::create(c),
        "DescribeGlobalClusters" => global::describe(c),
        "RemoveFromGlobalCluster" => global::remove(c),
        "DeleteGlobalCluster" => global::delete(c),
        _ => Err(call.unknown()),
    }
}

impl<'a> Context<'a> {
    fn new(call: &'a Call, region: &'a mut Region, global: &'a mut Global) -> Context<'a> {
        let Region { rds, ec2, secretsmanager: secrets, kms, .. } = region;
        let Global { iam, random, global_databases: globals, .. } = global;
        let origin = Origin { cause: call.operation.clone(), caller: call.caller.clone() };
        Context { call, now: call.now, rds, ec2, iam, secrets, kms, random, globals, origin }
    }

    /// The request's parameters; they outlive any borrow of the context itself.
    fn params(&self) -> &'a Params {
        &self.call.params
    }

    fn arn(&self, kind: &str, name: &str) -> String {
        format!("arn:aws:rds:{}:{ACCOUNT}:{kind}:{name}", self.call.region)
    }

    /// The name that a parameter gives, in lower case, and freed of an ARN around it: RDS lower-cases all
    /// identifiers (fact book, section 1.7), and takes the ARN in most places (not in the book).
    fn name(&self, parameter: &str) -> Option<String> {
        let given = self.params().get(parameter).filter(|given| !given.is_empty())?;
        Some(given.rsplit(':').next().unwrap_or(given).to_ascii_lowercase())
    }

    fn required_name(&self, parameter: &str) -> Result<String, Fault> {
        self.params().required(parameter)?;
        Ok(self.name(parameter).unwrap_or_default())
    }

    /// Availability zones of the region, as the sandbox has them.
    fn zones(&self) -> Vec<String> {
        ["a", "b", "c"].iter().map(|letter| format!("{}{letter}", self.call.region)).collect()
    }

    /// Draws how long it takes until a change that was accepted shows: 1 to 20 s (fact book, table 8.2).
    fn lag(&mut self) -> u64 {
        self.random.duration(1.0, 5.0, 20.0).clamp(1_000, 20_000)
    }

    fn at(&mut self, at: u64, subject: &str, effect: Effect) {
        self.rds.effects.push(Timed { at, subject: subject.to_string(), effect });
    }

    /// Notes something for DescribeEvents. A time in the future is allowed.
    fn event(&mut self, at: u64, kind: &str, id: &str, category: &str, message: &str) {
        let arn_kind = if kind == "db-instance" { "db" } else { "cluster" };
        let arn = self.arn(arn_kind, id);
        self.rds.events.push(Event {
            at,
            kind: kind.into(),
            id: id.into(),
            arn,
            category: category.into(),
            message: message.into(),
        });
    }

    /// The tags that a create call carries: `Tags`, and `TagSpecifications` for this kind of resource.
    fn given_tags(&self, resource_type: &str) -> Result<BTreeMap<String, String>, Fault> {
        let mut tags = self.params().tags("Tags");
        for specification in self.params().items("TagSpecifications") {
            if specification.get("ResourceType") == Some(resource_type) {
                tags.extend(specification.tags("Tags"));
            }
        }
        tags::check(&tags)?;
        Ok(tags)
    }

    /// The values of one filter, in lower case and freed of ARNs; every filter must be among `known`.
    fn filters(&self, known: &[&str]) -> Result<BTreeMap<String, Vec<String>>, Fault> {
        let mut filters = self.params().filters();
        for (name, values) in &mut filters {
            if !known.contains(&name.as_str()) {
                return Err(invalid(format!("Unrecognized filter name: {name}")));
            }
            for value in values {
                *value = value.rsplit(':').next().unwrap_or(value).to_ascii_lowercase();
            }
        }
        Ok(filters)
    }
}

/// One page of `all`, which is sorted by its keys, and the marker of the next page.
///
/// # Errors
/// `InvalidParameterValue` when MaxRecords is not 20 to 100.
fn page<T>(params: &Params, all: Vec<(String, T)>) -> Result<(Vec<T>, Option<String>), Fault> {
    let size = match params.get("MaxRecords") {
        None => 100,
        Some(text) => {
            text.parse::<usize>().ok().filter(|size| (20..=100).contains(size)).ok_or_else(|| {
                invalid(format!("Invalid value {text} for MaxRecords. Must be between 20 and 100"))
            })?
        }
    };
    let after = params.get("Marker").filter(|marker| !marker.is_empty());
    let mut rest =
        all.into_iter().filter(|(key, _)| after.is_none_or(|after| key.as_str() > after)).peekable();
    let mut taken = Vec::new();
    let mut last = None;
    while let Some((key, value)) = rest.next_if(|_| taken.len() < size) {
        taken.push(value);
        last = Some(key);
    }
    Ok((taken, rest.peek().and(last)))
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::bad("InvalidParameterValue", message)
}

fn combination(message: impl Into<String>) -> Fault {
    Fault::bad("InvalidParameterCombination", message)
}

fn cluster_state(message: impl Into<String>) -> Fault {
    Fault::bad("InvalidDBClusterStateFault", message)
}

fn instance_state(message: impl Into<String>) -> Fault {
    Fault::bad("InvalidDBInstanceState", message)
}

fn no_cluster(id: &str) -> Fault {
    Fault::new(404, "DBClusterNotFoundFault", format!("DBCluster {id} not found."))
}

fn no_instance(id: &str) -> Fault {
    Fault::new(404, "DBInstanceNotFound", format!("DBInstance {id} not found."))
}

/// The rule for names: letters, digits and hyphens, a letter first, no hyphen last, no two in a row.
fn check_name(parameter: &str, name: &str, longest: usize) -> Result<(), Fault> {
    let fine = name.len() <= longest
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
        && !name.ends_with('-')
        && !name.contains("--");
    if fine {
        return Ok(());
    }
    Err(invalid(format!(
        "The parameter {parameter} is not a valid identifier. Identifiers must begin with a letter; must \
         contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two \
         consecutive hyphens."
    )))
}
