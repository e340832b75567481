//! What exists in simulated RDS. Times are milliseconds since the Unix epoch.

use super::timeline::Timeline;
use crate::database::Server;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
    #[serde(default)]
    pub quotas: super::quotas::Quotas, // What the account may have in this region.
    /// That many failovers are accepted, end, and leave the writer where it was, for tests.
    #[serde(default)]
    pub failing_failovers: u64,
    /// How many times as long as usual statements take, for tests; 0 is 1.
    #[serde(default)]
    pub slow_statements: u64,
    /// How long the last statement took beyond a request's own time, milliseconds.
    #[serde(skip)]
    pub(crate) took_ms: u64,
    /// Until when failovers are refused although cluster and members are `available`, in milliseconds since the Unix
    /// epoch.
    #[serde(default)]
    pub failovers_refused_until: u64,
    /// Every instance that joins comes up pending-reboot, as rarely happens (fact book, section 1.4), for tests.
    #[serde(default)]
    pub joins_pending: bool,
    pub(super) groups: BTreeMap<String, Group>,
    /// DB parameter groups, those of single instances.
    #[serde(default)]
    pub(super) instance_groups: BTreeMap<String, Group>,
    pub(super) subnet_groups: BTreeMap<String, SubnetGroup>,
    pub(super) clusters: BTreeMap<String, Cluster>,
    pub(super) instances: BTreeMap<String, Instance>,
    pub(super) snapshots: BTreeMap<String, Snapshot>,
    /// What happened, and what is already known to happen: only the past is shown.
    pub(super) events: Vec<Event>,
    pub(super) effects: Vec<Timed>,
    /// Who was interrupted, when and by whom, in the last 14 days.
    #[serde(default)]
    pub interruptions: Vec<Interruption>,
    /// The part of every endpoint's host name that belongs to account and region.
    pub(super) suffix: String,
}

/// What ModifyDBCluster can change, apart from the parameter group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub engine_version: String,
    pub port: u64,
    pub security_groups: Vec<String>,
    pub backup_retention: u64,
    pub backup_window: String,
    pub maintenance_window: String,
    pub iam_authentication: bool,
    pub deletion_protection: bool,
    pub copy_tags: bool,
    pub auto_minor_upgrade: bool,
    pub storage_type: Option<String>,
    pub log_exports: BTreeSet<String>,
    pub scaling: Option<Scaling>,
    #[serde(flatten)]
    pub monitoring: Monitoring,
    #[serde(flatten)]
    pub insights: Insights,
    pub insights_mode: String,
    #[serde(default)]
    pub local_write_forwarding: bool,
}

/// Enhanced Monitoring.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Monitoring {
    /// Seconds; zero is off.
    #[serde(rename = "monitoring_interval")]
    pub interval: u64,
    #[serde(default, rename = "monitoring_role")]
    pub role: Option<String>,
}

/// Performance Insights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Insights {
    #[serde(rename = "performance_insights")]
    pub enabled: bool,
    /// Days; of no meaning while it is off.
    #[serde(default, rename = "insights_retention")]
    pub retention: u64,
    #[serde(default, rename = "insights_key")]
    pub key: Option<String>,
}

/// Aurora Serverless v2 capacity, in ACU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    pub min: f64,
    pub max: f64,
    pub pause_after_seconds: u64,
}

/// Changes that wait for the maintenance window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Deferred {
    pub engine_version: Option<String>,
    pub backup_retention: Option<u64>,
    pub storage_type: Option<String>,
    pub iam_authentication: Option<bool>,
    pub port: Option<u64>,
    /// DB parameter group for all members, together with a major version.
    #[serde(default)]
    pub instance_group: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ManagedSecret {
    /// Its name in Secrets Manager.
    pub name: String,
    pub arn: String,
    pub kms_key: String,
    pub active_at: u64,
    /// Until when its value is being rotated.
    pub rotating_until: u64,
}

/// An IAM role that is associated with a cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Role {
    pub arn: String,
    pub feature: String,
    pub active_at: u64,
    /// RDS tried to assume it and could not.
    pub invalid: bool,
    /// When the association disappears, once its removal was asked for.
    pub gone_at: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cluster {
    pub id: String,
    /// `cluster-…`; never reused, unlike the id.
    pub resource: String,
    pub created: u64,
    pub timeline: Timeline,
    pub group: String,
    pub subnet_group: String,
    pub master_username: String,
    pub database: Option<String>,
    pub encrypted: bool,
    pub kms_key: Option<String>,
    pub lifecycle_support: String,
    pub http_endpoint: bool,
    pub settings: Settings,
    /// What Describe still says until that time, after a modification.
    pub previous: Option<(u64, Settings)>,
    pub deferred: Deferred,
    pub secret: Option<ManagedSecret>,
    pub roles: Vec<Role>,
    pub tags: BTreeMap<String, String>,
    /// The instance that is the writer.
    pub writer: Option<String>,
    /// The instance that Describe calls the writer.
    pub shown_writer: Option<String>,
    /// When AWS starts the stopped cluster by itself.
    pub restart_at: Option<u64>,
    /// The next maintenance window brings the newest patch.
    #[serde(default)]
    pub upgrade_due: bool,
    /// The master user's password, hashed; nobody knows it in files that do not say.
    #[serde(default)]
    pub password: Option<String>,
    /// What is in the database.
    #[serde(default, skip_serializing_if = "Server::is_new")]
    pub server: Server,
}

impl Cluster {
    /// The settings as Describe tells them.
    pub fn shown(&self, now: u64) -> &Settings {
        match &self.previous {
            Some((until, settings)) if now < *until => settings,
            _ => &self.settings,
        }
    }
}

/// Whether an instance runs with a parameter group as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sync {
    /// The latest change that only a restart picks up.
    pub pending_since: Option<u64>,
    /// Until when a dynamic change is being applied.
    pub applying_until: u64,
    /// From when on Describe tells of a change.
    #[serde(default)]
    pub shown_from: u64,
    /// The engine did not take the values: a restart does not help, another change may.
    #[serde(default)]
    pub failed: bool,
}

impl Sync {
    /// `DBClusterParameterGroupStatus` or `ParameterApplyStatus` (fact book, section 1.5).
    pub fn status(&self, now: u64) -> &'static str {
        if self.failed {
            "failed-to-apply"
        } else if now < self.shown_from {
            "in-sync"
        } else if now < self.applying_until {
            "applying"
        } else if self.pending_since.is_some() {
            "pending-reboot"
        } else {
            "in-sync"
        }
    }

    /// Something changed at `at` that only a restart picks up; Describe tells so `late` milliseconds later.
    pub fn wait_for_restart(&mut self, at: u64, late: u64) {
        self.change(at, late);
        self.pending_since = Some(at);
    }

    /// A change is being applied from `at` until `until`.
    pub fn apply(&mut self, at: u64, until: u64, late: u64) {
        self.change(at, late);
        self.applying_until = until;
    }

    fn change(&mut self, at: u64, late: u64) {
        self.failed = false;
        // What is shown already stays shown.
        if self.shown_from <= at && self.status(at) == "in-sync" {
            self.shown_from = at + late;
        }
    }

    /// The instance restarted with the parameters as they were at `loaded`: what changed after that waits for the
    /// next restart.
    pub fn restarted(&mut self, loaded: u64) {
        self.pending_since.take_if(|since| *since <= loaded);
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Instance {
    pub id: String,
    /// `db-…`; never reused, unlike the id.
    pub resource: String,
    pub cluster: String,
    pub created: u64,
    pub timeline: Timeline,
    /// It was available once.
    pub up: bool,
    pub deleting: bool,
    pub class: String,
    pub pending_class: Option<String>,
    pub zone: String,
    pub interface: Option<String>,
    pub promotion_tier: u64,
    pub publicly_accessible: bool,
    pub auto_minor_upgrade: bool,
    pub copy_tags: bool,
    #[serde(flatten)]
    pub monitoring: Monitoring,
    #[serde(flatten)]
    pub insights: Insights,
    /// The certificate authority of its server certificate; empty for the region's default.
    #[serde(default)]
    pub certificate: String,
    /// The one that it gets in the next maintenance window.
    #[serde(default)]
    pub pending_certificate: Option<String>,
    pub maintenance_window: String,
    pub tags: BTreeMap<String, String>,
    /// Its DB parameter group; empty for the default one.
    #[serde(default)]
    pub group: String,
    /// How it runs with the group of its cluster.
    #[serde(flatten)]
    pub cluster_sync: Sync,
    /// How it runs with its own group.
    #[serde(default)]
    pub instance_sync: Sync,
    /// The values set by somebody that it really runs with.
    #[serde(default)]
    pub loaded: BTreeMap<String, String>,
    /// Until when management work may refuse a reboot although the status is available.
    pub busy_until: u64,
    /// Until when it does refuse a reboot.
    #[serde(default)]
    pub refuses_reboot_until: u64,
    /// When it last came up, restarted or resumed; Serverless v2 pauses some time after that.
    pub active_at: u64,
    /// Until when it does not pause, because something administrative resumed it.
    pub kept_up_until: u64,
}

impl Instance {
    /// Relative size, for the choice of a failover target: a larger class wins within a promotion tier.
    pub fn size(&self) -> u64 {
        let size = self.class.rsplit('.').next().unwrap_or_default();
        match size {
            "medium" => 1,
            "large" => 2,
            "xlarge" => 4,
            "serverless" => 3,
            _ => size.trim_end_matches("xlarge").parse::<u64>().map_or(2, |times| times * 4),
        }
    }
}

/// A value that somebody set in a parameter group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Value {
    pub value: String,
    /// What Describe calls its source; not always `user` (fact book, section 1.2).
    pub source: String,
    /// `immediate` or `pending-reboot`, as it was set.
    #[serde(default = "pending_reboot")]
    pub method: String,
}

fn pending_reboot() -> String {
    "pending-reboot".into()
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    pub family: String,
    pub description: String,
    pub values: BTreeMap<String, Value>,
    pub tags: BTreeMap<String, String>,
    pub applying_until: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SubnetGroup {
    pub description: String,
    /// Subnet and its availability zone.
    pub subnets: Vec<(String, String)>,
    /// The VPC that all of them are in; unknown when nobody asks EC2.
    pub vpc: Option<String>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    pub id: String,
    pub created: u64,
    pub available_at: u64,
    pub tags: BTreeMap<String, String>,
    /// The cluster as it was.
    pub cluster: Cluster,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    pub at: u64,
    /// `db-cluster` or `db-instance`.
    pub kind: String,
    pub id: String,
    pub arn: String,
    pub category: String,
    pub message: String,
}

/// Something that happens to `subject`, the `resource` of a cluster or an instance, when `at` has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timed {
    pub at: u64,
    pub subject: String,
    pub effect: Effect,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Effect {
    /// An instance is available for the first time.
    InstanceUp,
    InstanceGone,
    ClusterGone,
    /// The cluster has another writer.
    Writer(String),
    /// Describe has noticed who the writer is.
    ShownWriter,
    /// The instance reads its parameters.
    Loaded,
    /// It takes these values over while it runs; `None` is the default.
    Applied(BTreeMap<String, Option<String>>),
    /// The instance restarted, with the parameters as they were at this time.
    Restarted(u64),
    Class(String),
    Stopped,
    /// AWS starts a stopped cluster after seven days.
    AutoStart,
    /// The cluster's maintenance window opens.
    Window,
    Upgraded(String),
    /// RDS has tried to assume the role with this ARN.
    RoleTried(String),
    /// The managed master password in the secret with this ARN is due for a new value.
    Rotation(String),
    /// The writer of the global database's primary cluster restarts, for that many milliseconds; the members
    /// of this secondary cluster restart with it.
    WithPrimary {
        length: u64,
        origin: Origin,
    },
}

/// A member that did not serve for a while, or that became the writer. A paused Serverless v2 member counts as
/// one that serves: the next connection would have found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interruption {
    /// When it begins, milliseconds since the Unix epoch: some seconds after the call that causes it.
    pub at: u64,
    /// When the member serves again. `u64::MAX` while nobody knows: it is deleted, or stopped. Equal to `at`
    /// when it merely became the writer.
    pub until: u64,
    /// Identifier of the cluster.
    pub cluster: String,
    /// Identifier of the instance.
    pub member: String,
    /// It was the writer when this was decided.
    pub was_writer: bool,
    /// The operation that was called, or what AWS did by itself: `maintenance`, `promotion`, `heavy load`,
    /// or the status that a test imposed, such as `storage-full`.
    pub cause: String,
    /// Access key id of who called; empty when AWS did it by itself.
    pub caller: String,
}

/// Why something happens: a request of somebody, or AWS itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    pub cause: String,
    pub caller: String,
}

impl Origin {
    pub(super) fn aws(cause: &str) -> Origin {
        Origin { cause: cause.into(), caller: String::new() }
    }
}

impl Rds {
    /// Sets a tag that only AWS may set (`aws:…`), as when CloudFormation made the cluster.
    pub fn set_system_tag(&mut self, cluster: &str, key: &str, value: &str) {
        if let Some(cluster) = self.clusters.get_mut(cluster) {
            cluster.tags.insert(key.into(), value.into());
        }
    }

    pub(super) fn cluster_of(&mut self, resource: &str) -> Option<&mut Cluster> {
        self.clusters.values_mut().find(|cluster| cluster.resource == resource)
    }

    pub(super) fn instance_of(&mut self, resource: &str) -> Option<&mut Instance> {
        self.instances.values_mut().find(|instance| instance.resource == resource)
    }

    /// The cluster's instances, oldest first.
    pub(super) fn members(&self, cluster: &str) -> Vec<&Instance> {
        let mut members: Vec<&Instance> =
            self.instances.values().filter(|instance| instance.cluster == cluster).collect();
        members.sort_by_key(|instance| instance.created);
        members
    }

    pub(super) fn members_mut(&mut self, cluster: &str) -> impl Iterator<Item = &mut Instance> {
        self.instances.values_mut().filter(move |instance| instance.cluster == cluster)
    }

    /// Who would become the writer: lowest promotion tier first, then the larger class
    /// (fact book, section 1.6).
    pub(super) fn candidate(&self, cluster: &str, now: u64, only_available: bool) -> Option<String> {
        let writer = self.clusters.get(cluster).and_then(|cluster| cluster.writer.as_deref());
        self.members(cluster)
            .into_iter()
            .filter(|member| member.up && !member.deleting && Some(member.id.as_str()) != writer)
            .filter(|member| !only_available || member.timeline.is_available(now))
            .min_by_key(|member| (member.promotion_tier, std::cmp::Reverse(member.size())))
            .map(|member| member.id.clone())
    }
}
