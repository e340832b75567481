//! The cluster.

use super::fields::{Part, fields};
use super::form::{Form, choices};
use super::node::Node;
use super::reader::Reader;
use super::restart::Restart;
use super::{ENGINE, INDENTED, Secret};
use crate::engine::Defaults;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a cluster has by default because its engine has.
const DEFAULTS: &Defaults = &ENGINE.defaults;

/// The Aurora MySQL cluster: an existing one, or one that the stack owns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Aurora {
    Existing(ExistingCluster),
    Owned(Box<Cluster>),
}

impl Form for Aurora {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Aurora> {
        if reader.given(&format!("{path}.existing")) {
            return ExistingCluster::read(node, path, reader).map(Aurora::Existing);
        }
        Cluster::read(node, path, reader).map(|cluster| Aurora::Owned(Box::new(cluster)))
    }
    fn in_words() -> String {
        "mapping".to_owned()
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Aurora>()
    }
    fn given(&self, path: &str, found: &mut Vec<String>) {
        match self {
            Aurora::Existing(cluster) => cluster.given(path, found),
            Aurora::Owned(cluster) => cluster.given(path, found),
        }
    }
}

fields! {
    /// An existing cluster: only its machine learning wiring is changed.
    pub struct ExistingCluster in "aurora.existing" (hint: INDENTED, unknown: of_an_owned_one) {
        /// Identifier of the cluster.
        existing: String {
            required: "write `existing: CLUSTER-IDENTIFIER`",
            changed: "blocked",
            meaning: "identifier of an existing cluster; only its machine learning wiring is changed",
        }
        /// Database of `tables` and `functions`, created if it does not exist.
        database: Option<String> {
            changed: "switches to another one; the old one stays, with its contents",
            meaning: "database of `tables` and `functions`; created if it does not exist",
        }
        /// Secret with name and password of the database user that runs SQL.
        secret: Option<String> {
            default_is: "the secret that RDS manages",
            changed: "in place",
            meaning: "ARN or name of the secret of the database user that creates `tables`, `functions` and so on",
        }
        /// How members that wait for a reboot get it.
        restart: Restart {
            default_is: "`rolling`",
            changed: "in place",
            meaning: "see [`restart`](#restart)",
        }
    }
}

/// Keys that only a cluster has that the stack owns.
fn of_an_owned_one(key: &str) -> Option<(String, String)> {
    Cluster::fields().iter().any(|field| field.key == key).then(|| {
        (
            format!(
                "`{key}` cannot be combined with `existing`: only the machine learning wiring of that cluster is changed"
            ),
            format!("remove `{key}`, or remove `existing` to create a new cluster"),
        )
    })
}

fields! {
    pub struct Cluster in "aurora" (
        hint: "write `instances: [{ class: db.r6g.large }]` under it, or `existing: CLUSTER-IDENTIFIER`",
        unknown: by_habit
    ) {
        /// A prefix, resolved to the newest version in standard support: `8.0`, `8.0.mysql_aurora.3.10`,
        /// `3.10` (the Aurora version alone) and `8.4` are all accepted.
        engine_version: String {
            default: DEFAULTS.version.to_owned(),
            schema_type: ["string", "number"],
            changed: "newer minor: in place; older or another family: blocked",
            meaning: "version or the beginning of one, for the newest match in standard support: `8.0`, `8.4`, `3.10`, `8.0.mysql_aurora.3.10`",
        }
        /// The members; the first one is created first and so becomes the writer.
        instances: Vec<Instance> {
            type: "list, at most 16",
            default_is: "one `db.serverless` if `serverless` is given",
            changed: "in place",
            meaning: "members of the cluster; the first is the writer",
        }
        /// Identifier of the cluster, instead of the stack's name.
        identifier: Option<String> {
            default_is: "`<stack>`",
            changed: "blocked",
            meaning: "identifier of the cluster; AWS stores it in lower case",
        }
        /// Name of the DB subnet group.
        subnet_group: Option<String> {
            default_is: "`<stack>`",
            changed: "blocked",
            meaning: "name of the DB subnet group; AWS stores it in lower case",
        }
        /// Name of the DB cluster parameter group.
        parameter_group: Option<String> {
            default_is: "`<stack>`",
            changed: "blocked",
            meaning: "name of the DB cluster parameter group; AWS stores it in lower case",
        }
        /// Capacity range of members of class `db.serverless`; without `instances`, one such member.
        serverless: Option<Serverless> {
            changed: "in place",
            meaning: "capacity range of members of class `db.serverless`",
        }
        /// Database created with the cluster.
        database: Option<String> {
            changed: "blocked",
            meaning: "name of the first database, created with the cluster; 1–64 letters, digits, underscores",
        }
        /// Name of the master user.
        username: String {
            default: DEFAULTS.username.to_owned(),
            changed: "blocked",
            meaning: "master user; 1–16 letters and digits",
        }
        /// Where the master user's password is.
        secret: Secret {
            default_is: "RDS makes one",
            changed: "see below",
            meaning: "the master user's password",
        }
        /// SQL over HTTPS; not with T classes.
        data_api: bool {
            changed: "in place",
            meaning: "SQL over HTTPS; not with T classes; Aurora MySQL 3.07 or newer",
        }
        /// IPv4 ranges and IDs of security groups that may connect to the cluster, besides the notebook.
        allow_from: Vec<String> {
            type: "list of IPv4 ranges and security group ids",
            changed: "in place",
            meaning: "who may connect to the cluster, besides the notebook",
        }
        /// Parameters of the DB cluster parameter group, besides those of `machine_learning`.
        parameters: BTreeMap<String, String> {
            changed: "in place",
            meaning: "DB cluster parameters; static ones take effect after a restart (see `restart`). An unknown name is a warning, and `plan` asks AWS about it. Role parameters belong to `machine_learning`",
        }
        /// How members that wait for a reboot get it.
        restart: Restart {
            default_is: "`rolling`",
            changed: "in place",
            meaning: "see [`restart`](#restart)",
        }
        /// What happens to the cluster when the stack is destroyed.
        on_destroy: ClusterOnDestroy {
            changed: "in place",
            meaning: "whether `destroy` takes a final snapshot; `protect` takes one too, and refuses without `--unprotect`",
        }
        /// AWS refuses to delete the cluster while this is on. By default on for `on_destroy: protect`.
        deletion_protection: Option<bool> {
            default_is: "on with `on_destroy: protect`",
            changed: "in place",
            meaning: "whether AWS refuses to delete the cluster",
        }
        /// How many days automated backups are kept, 1 to 35.
        backup_retention_days: u16 {
            default: 1,
            type: "days, 1–35",
            changed: "in place",
            meaning: "how long AWS keeps automated backups",
        }
        /// Whether AWS may upgrade the minor version in the maintenance window; by default AWS decides.
        auto_minor_version_upgrade: Option<bool> {
            default_is: "left to AWS",
            changed: "in place",
            meaning: "whether AWS upgrades minor versions in the maintenance window",
        }
        /// TCP port, 1150 to 65535. A change restarts all members at once.
        port: u16 {
            default: DEFAULTS.port,
            type: "1150–65535",
            changed: "in place; restarts all members at once",
            meaning: "TCP port",
        }
        /// How storage is billed.
        storage: Storage {
            changed: "in place",
            meaning: "how storage is billed",
        }
    }
}

/// Keys that a cluster has in other tools.
fn by_habit(key: &str) -> Option<(String, String)> {
    let (message, hint) = match key {
        "password" => (
            "do not put passwords in a spec",
            "leave it out: RDS makes and keeps one; or write `secret: { managed_by: stack, \
             password_environment_variable: NAME }`",
        ),
        "engine" => (
            "unknown key `engine` in `aurora`",
            "remove it: the engine is always Aurora MySQL (`engine_version` chooses the version)",
        ),
        _ => return None,
    };
    Some((message.to_owned(), hint.to_owned()))
}

fields! {
    pub struct Instance in "aurora.instances" (hint: "write `{ class: db.r6g.large }`") {
        /// `db.r6g.large`, …, or `db.serverless`.
        class: String {
            required: "write `class: db.r6g.large`",
            changed: "in place; the member restarts",
            meaning: "instance class: `db.r6g.large`, …, or `db.serverless`",
        }
        /// Promotion tier, 0 (first) to 15.
        promotion_tier: u8 {
            default: 1,
            type: "0–15",
            changed: "in place",
            meaning: "order in which readers become writer after a failure; 0 comes first",
        }
        /// Identifier of the member, instead of the stack's name with a number.
        identifier: Option<String> {
            default_is: "`<stack>-<n>`",
            changed: "blocked",
            meaning: "identifier of the member; AWS stores it in lower case",
        }
    }
}

fields! {
    pub struct Serverless in "aurora.serverless" (hint: "write `serverless: { min: 0, max: 4 }`") {
        /// Aurora capacity units, 0 to 256 in steps of 0.5; 0 lets the cluster pause.
        min: f64 {
            required: "write `serverless: { min: 0, max: 4 }`",
            type: "capacity units, 0–256 in steps of 0.5",
            changed: "in place; members wait for a reboot",
            meaning: "least capacity; 0 lets the cluster pause (3.08 or newer)",
        }
        /// Aurora capacity units, 1 to 256 in steps of 0.5.
        max: f64 {
            required: "write `serverless: { min: 0, max: 4 }`",
            type: "capacity units, 1–256 in steps of 0.5",
            changed: "as above",
            meaning: "",
        }
        /// Seconds without connections before pausing, 300 to 86400; only with `min: 0`.
        seconds_until_auto_pause: Option<u32> {
            type: "seconds, 300–86400",
            default_is: "300, by AWS",
            changed: "in place",
            meaning: "idle time before the cluster pauses; only with `min: 0`",
        }
    }
}

choices!(ClusterOnDestroy, Storage);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClusterOnDestroy {
    /// Without a final snapshot.
    Delete,
    /// With a final snapshot under a unique name.
    #[default]
    Snapshot,
    /// Refuse without `--unprotect`; with it, take a final snapshot.
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
