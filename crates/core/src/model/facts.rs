//! What the model must know of the world beside the spec. Plain values, gathered by `run`.

use super::from_tags::FromTags;
use crate::base::Id;
use crate::engine::Offered;
use crate::takeover::{Order, Origin, SecondOwner};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Names of the region's availability zones, sorted; asked for only when a subnet is to be made.
    pub zones: Vec<String>,
    /// Zones of the live subnets, which cannot move, by name within the stack.
    pub live_zones: BTreeMap<String, String>,
    /// Where AWS offers what the spec needs; asked for only when something of it is to be made.
    pub offers: Vec<Offer>,
    /// The VPC of others that the spec names.
    pub network: Option<NetworkFacts>,
    /// What is there under another name than the spec now has.
    pub renamed: Vec<Renamed>,
    /// What could not be asked, for the reader of the plan.
    pub notes: Vec<String>,
    /// Versions on offer; empty when the live cluster makes asking unnecessary.
    pub engine_versions: Vec<Offered>,
    /// Version of the live cluster, the stack's own or the existing one.
    pub live_engine_version: Option<String>,
    /// The existing cluster, where the spec names one and it is there.
    pub existing: Option<ExistingFacts>,
    /// The region's clusters of the engine; asked for only where the existing cluster that the spec names is not there.
    pub clusters: Vec<String>,
    /// The database, where the spec says something of what is in it and there is a cluster.
    pub sql: Option<SqlFacts>,
    /// SHA-256 of each local file that the spec names, in hexadecimal; or why it cannot be read.
    pub files: BTreeMap<String, Result<String, String>>,
    /// The text of each template that the spec names; or why it cannot be read.
    pub templates: BTreeMap<String, Result<String, String>>,
    /// `YYYY-MM-DD`
    pub today: String,
    /// `YYYYMMDD-HHMMSS`, for names that must be unique.
    pub timestamp: String,
    /// What live objects say in the place of the spec, where a destroy does without it.
    pub from_tags: Option<FromTags>,
    /// What of the stack is there; asked for by a pause only.
    pub standing: Standing,
    /// Name of the final snapshot in the plan that was reviewed, if one was.
    pub final_snapshot: Option<String>,
    /// The CloudFormation stack from which the spec takes objects over; none where that is not asked, or it is gone.
    pub origin: Option<Origin>,
    /// Stacks of CloudFormation that still have what is the stack's, although the spec takes nothing over from them.
    pub second_owners: Vec<SecondOwner>,
    /// What a person says of it, where it is to hand over now.
    pub release: Option<Order>,
}

/// A VPC of others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkFacts {
    /// Its ranges; none where there is no such VPC.
    pub ranges: Vec<String>,
    /// VPC and zone of each subnet that the spec names, and that is there.
    pub subnets: BTreeMap<String, (String, String)>,
}

/// An object of the stack whose name in the spec is another now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    pub id: Id,
    /// Where the spec says it: `aurora.identifier`.
    pub field: String,
    pub live: String,
    pub wanted: String,
}

/// What of a stack is there that a pause stops, or has to know of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    pub cluster: bool,
    pub notebook: bool,
    /// The route tables that lead to a NAT gateway, by name within the stack, with their other routes.
    pub routes: BTreeMap<String, BTreeMap<String, Value>>,
    /// Public addresses of NAT gateways.
    pub addresses: Vec<String>,
    /// Jobs that still run.
    pub jobs: Vec<Id>,
    /// The global database that the stack's own cluster is a member of.
    pub global_cluster: Option<String>,
}

/// What is known of the database in the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqlFacts {
    /// Whether the cluster takes SQL over HTTPS.
    pub data_api: bool,
    /// Whether there is a secret with a user of the database.
    pub secret: bool,
    /// What a reader of the plan should know: that nobody looked and why, which file was not loaded, which user there is
    /// not.
    pub notes: Vec<String>,
}

/// The zones in which AWS offers something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub what: Zonal,
    pub zones: BTreeSet<String>,
}

/// What is not offered in every zone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Zonal {
    /// Interface endpoints of a service: `com.amazonaws.us-east-1.sagemaker.runtime`.
    Endpoint(String),
    /// A class of DB instances: `db.r6g.large`.
    Class(String),
}

/// A cluster that others own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExistingFacts {
    /// `aurora-mysql`, or what else runs there.
    pub engine: String,
    /// AWS's own word: `available`, `stopped`, …
    pub status: String,
    /// The parameter group that it has now.
    pub parameter_group: String,
    /// Where there is a group of ours, attached or not: the group that the cluster had before, as our group's
    /// tag says.
    pub original_group: Option<String>,
    /// Whether that one is gone, asked for only when the cluster is to have it back.
    pub original_group_gone: bool,
    /// Roles that are set in the attached group, by parameter; none of a default group or of ours.
    pub role_parameters: BTreeMap<String, String>,
    /// `static` or `dynamic`, by parameter, likewise.
    pub apply_types: BTreeMap<String, String>,
    /// The other clusters that use the attached group, sorted, likewise.
    pub sharers: Vec<String>,
    /// ARNs of all associated roles.
    pub roles: Vec<String>,
    /// How many of them a cluster can have in this account.
    pub role_quota: usize,
    /// The global database that the cluster is a member of.
    pub global_cluster: Option<String>,
    /// ARN of the cluster for which the stack's roles were made, where that is another one.
    pub wired_before: Option<String>,
    /// The CloudFormation stack that made the cluster, and its status.
    pub cloudformation: Option<(String, String)>,
    /// How clients reach it; no plan rests on that.
    pub reached: Reached,
}

/// Where clients find a cluster of others, and as whom they may come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    pub arn: String,
    pub host: String,
    pub reader_host: String,
    pub port: i32,
    pub user: String,
    pub database: Option<String>,
    /// ARN of the secret that RDS keeps for its master user.
    pub secret: Option<String>,
    /// Whether it takes SQL over HTTPS.
    pub data_api: bool,
    pub security_groups: Vec<String>,
    /// Whether none of its members has a public address; `None` without members.
    pub private: Option<bool>,
}
