//! The spec as plain values, defaults filled in: what the model works from.
//!
//! Field names are the keys of the YAML file. Terms are AWS's own.

use super::restart::{Restart, RestartForms};
use crate::engine::{AURORA_MYSQL, Engine};
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One stack in one region of one account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Name of the stack: part of the name or tags of everything it owns.
    pub stack: String,
    /// AWS region, such as `us-east-1`.
    pub region: String,
    /// Tags put on everything that the stack owns.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Age after which the stack is forgotten rather than used, such as `8h`; written as a tag.
    #[serde(default)]
    pub expires_after: Option<String>,
    /// The VPC; needed by a cluster that the stack owns and by a notebook.
    #[serde(default)]
    pub network: Option<Network>,
    /// The stack's own S3 bucket.
    #[serde(default)]
    pub bucket: Option<Bucket>,
    /// The Aurora MySQL cluster.
    #[serde(default)]
    pub aurora: Option<Aurora>,
    /// What SQL in the cluster may call.
    #[serde(default)]
    pub machine_learning: MachineLearning,
    /// A SageMaker notebook instance beside the cluster.
    #[serde(default)]
    pub notebook: Option<Notebook>,
    /// SageMaker endpoints by name; the name is the endpoint's own name, as SQL functions use it.
    #[serde(default)]
    pub endpoints: BTreeMap<String, Endpoint>,
}

/// The VPC with its subnets and ways out.
impl Spec {
    /// The engine of the stack's cluster.
    pub fn engine(&self) -> &'static Engine {
        &AURORA_MYSQL
    }

    /// How members of the cluster get their restart; `None` without a cluster.
    pub fn restart(&self) -> Option<&Restart> {
        match self.aurora.as_ref()? {
            Aurora::Owned(cluster) => Some(&cluster.restart),
            Aurora::Existing(cluster) => Some(&cluster.restart),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Address range of the VPC, /16 to /28.
    #[schemars(with = "String")]
    pub cidr: Ipv4Net,
    /// Subnets with a route to the internet gateway; the n-th lies in the region's n-th zone.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub public_subnets: Vec<Ipv4Net>,
    /// Subnets without; the n-th lies in the region's n-th zone.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub private_subnets: Vec<Ipv4Net>,
    /// How the private subnets reach the internet.
    #[serde(default)]
    pub nat: Nat,
    /// Services reached without NAT: `s3` is a gateway endpoint, the others are interface endpoints.
    #[serde(default)]
    pub endpoints: Vec<ServiceEndpoint>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nat {
    /// Not at all.
    #[default]
    None,
    /// One NAT gateway, in the first public subnet.
    Single,
    /// One in each public subnet; each private subnet uses the one in its zone.
    PerZone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceEndpoint {
    S3,
    SagemakerRuntime,
    SagemakerApi,
    Comprehend,
    BedrockRuntime,
    Secretsmanager,
    RdsData,
    Kms,
    Logs,
    Sts,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Name of the bucket; by default `<stack>-sagemaker-<account>-<region>`.
    #[serde(default)]
    pub name: Option<String>,
    /// Keep every version of each object.
    #[serde(default)]
    pub versioning: bool,
    /// What becomes of the bucket when the stack is destroyed.
    #[serde(default)]
    pub on_destroy: BucketOnDestroy,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BucketOnDestroy {
    /// The bucket and what is in it stay.
    #[default]
    Keep,
    /// Everything in the bucket is deleted, all versions too, then the bucket.
    Empty,
}

/// The Aurora MySQL cluster: an existing one, or one that the stack owns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Aurora {
    Existing(ExistingCluster),
    Owned(Box<Cluster>),
}

/// A cluster that others own: nothing of it is changed but the machine learning wiring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExistingCluster {
    /// Identifier of the cluster.
    pub existing: String,
    /// How members that wait for a reboot get it.
    #[serde(default)]
    #[schemars(with = "RestartForms")]
    pub restart: Restart,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// A prefix, resolved to the newest version in standard support: `8.0`, `8.0.mysql_aurora.3.10`,
    /// `3.10` (the Aurora version alone) and `8.4` are all accepted.
    #[serde(default = "default_engine_version")]
    pub engine_version: String,
    /// The members; the first one is created first and so becomes the writer.
    #[serde(default)]
    pub instances: Vec<Instance>,
    /// Capacity range of members of class `db.serverless`; without `instances`, one such member.
    #[serde(default)]
    pub serverless: Option<Serverless>,
    /// Database created with the cluster.
    #[serde(default)]
    pub database: Option<String>,
    /// Name of the master user.
    #[serde(default = "default_username")]
    pub username: String,
    /// Where the master user's password is.
    #[serde(default)]
    pub secret: Secret,
    /// SQL over HTTPS; not with T classes.
    #[serde(default)]
    pub data_api: bool,
    /// IPv4 ranges and ids of security groups that may connect to the cluster, beside the notebook.
    #[serde(default)]
    pub allow_from: Vec<String>,
    /// Parameters of the DB cluster parameter group, beside those of `machine_learning`.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// How members that wait for a reboot get it.
    #[serde(default)]
    #[schemars(with = "RestartForms")]
    pub restart: Restart,
    /// What becomes of the cluster when the stack is destroyed.
    #[serde(default)]
    pub on_destroy: ClusterOnDestroy,
    /// AWS refuses to delete the cluster while this is on. By default on for `on_destroy: protect`.
    #[serde(default)]
    pub deletion_protection: Option<bool>,
    /// Days that automated backups are kept, 1 to 35.
    #[serde(default = "default_backup_retention_days")]
    pub backup_retention_days: u16,
    /// Whether AWS may upgrade the minor version in the maintenance window; by default AWS decides.
    #[serde(default)]
    pub auto_minor_version_upgrade: Option<bool>,
    /// TCP port, 1150 to 65535. A change restarts all members at once.
    #[serde(default = "default_port")]
    pub port: u16,
    /// How storage is billed.
    #[serde(default)]
    pub storage: Storage,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// `db.r6g.large`, …, or `db.serverless`.
    pub class: String,
    /// Promotion tier, 0 (first) to 15.
    #[serde(default = "default_promotion_tier")]
    pub promotion_tier: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Serverless {
    /// Aurora capacity units, 0 to 256 in steps of 0.5; 0 lets the cluster pause.
    pub min: f64,
    /// Aurora capacity units, 1 to 256 in steps of 0.5.
    pub max: f64,
    /// Seconds without connections before pausing, 300 to 86400; only with `min: 0`.
    #[serde(default)]
    pub seconds_until_auto_pause: Option<u32>,
}

/// The secret with the master user's password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// Who makes the secret.
    #[serde(default)]
    pub managed_by: SecretManager,
    /// Environment variable that holds the password; without it a password is generated. Only with
    /// `managed_by: stack`.
    #[serde(default)]
    pub password_environment_variable: Option<String>,
    /// Days for which a deleted secret can be restored, 7 to 30, or 0 to delete it for good at once.
    /// Only with `managed_by: stack`.
    #[serde(default = "default_recovery_window_days")]
    pub recovery_window_days: u8,
}

impl Default for Secret {
    fn default() -> Secret {
        Secret {
            managed_by: SecretManager::default(),
            password_environment_variable: None,
            recovery_window_days: default_recovery_window_days(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretManager {
    /// RDS makes, rotates and deletes the secret; it holds user name and password only.
    #[default]
    Rds,
    /// The stack owns it; it also holds host, port, database and engine, as the article's notebook expects.
    Stack,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClusterOnDestroy {
    /// Without a final snapshot.
    Delete,
    /// With a final snapshot under a unique name.
    #[default]
    Snapshot,
    /// Refused unless `--unprotect`; then with a final snapshot.
    Protect,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Storage {
    /// By size and by requests.
    #[default]
    Standard,
    /// By size alone, at a higher price.
    IoOptimized,
}

/// Each entry means an IAM role, its association with the cluster, and the cluster parameter, as one unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineLearning {
    /// Calls of SageMaker endpoints.
    #[serde(default)]
    pub sagemaker: Option<SagemakerAccess>,
    /// Calls of Amazon Comprehend: sentiment of text.
    #[serde(default)]
    pub comprehend: bool,
    /// LOAD DATA FROM S3 and SELECT INTO OUTFILE S3: `true` means the stack's own bucket.
    #[serde(default)]
    pub s3: S3Access,
    /// Calls of foundation models in Amazon Bedrock; Aurora MySQL 3.06 or newer.
    #[serde(default)]
    pub bedrock: Option<BedrockAccess>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SagemakerAccess {
    /// Names of endpoints in `endpoints` that SQL may call.
    pub endpoints: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum S3Access {
    Own(bool),
    Buckets(S3Buckets),
}

impl Default for S3Access {
    fn default() -> S3Access {
        S3Access::Own(false)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct S3Buckets {
    /// Names of existing buckets, beside the stack's own if it has one.
    pub buckets: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BedrockAccess {
    /// Foundation model ids, such as `amazon.titan-text-lite-v1`.
    pub models: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notebook {
    /// `ml.t3.medium`, …
    pub instance: String,
    /// GiB, 5 to 16384; can grow, never shrink.
    #[serde(default = "default_volume")]
    pub volume: u32,
    /// Local files, relative to the spec, copied into the notebook once; they pass through the bucket.
    #[serde(default)]
    pub files: Vec<String>,
    /// Where the notebook stands; cannot be changed later.
    #[serde(default)]
    pub subnet: NotebookSubnet,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotebookSubnet {
    /// The first private subnet, without direct internet access.
    #[default]
    Private,
    /// The first public subnet, with direct internet access, as in the article.
    Public,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Who creates the endpoint and changes what it serves.
    #[serde(default)]
    pub managed_by: EndpointManager,
    /// Needed with `managed_by: stack`.
    #[serde(default)]
    pub model: Option<Model>,
    /// `ml.m5.large`, …; or `serverless` below instead.
    #[serde(default)]
    pub instance: Option<String>,
    /// Number of instances.
    #[serde(default = "default_count")]
    pub count: u32,
    /// Instead of instances: paid per request.
    #[serde(default)]
    pub serverless: Option<ServerlessEndpoint>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndpointManager {
    /// The stack.
    #[default]
    Stack,
    /// A notebook or pipeline: auroraml only lets the cluster call it.
    Notebook,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// `xgboost:VERSION` for the built-in algorithm, or a full image URI.
    pub image: String,
    /// `s3://bucket/key` of the model archive.
    #[serde(default)]
    pub artifact: Option<String>,
    /// Environment variables of the model's container.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerlessEndpoint {
    /// MB: 1024, 2048, 3072, 4096, 5120 or 6144.
    #[serde(default = "default_memory")]
    pub memory: u32,
    /// 1 to 200.
    #[serde(default = "default_max_concurrency")]
    pub max_concurrency: u32,
}

pub(super) fn default_engine_version() -> String {
    "8.0".into()
}
pub(super) fn default_username() -> String {
    "admin".into()
}
pub(super) fn default_backup_retention_days() -> u16 {
    1
}
pub(super) fn default_port() -> u16 {
    3306
}
pub(super) fn default_promotion_tier() -> u8 {
    1
}
pub(super) fn default_recovery_window_days() -> u8 {
    7
}
pub(super) fn default_volume() -> u32 {
    5
}
pub(super) fn default_count() -> u32 {
    1
}
pub(super) fn default_memory() -> u32 {
    2048
}
pub(super) fn default_max_concurrency() -> u32 {
    5
}
