//! Aurora MySQL DB cluster that the stack owns.

use super::Kind;
use crate::base::{Change, Input, To};
use crate::engine::{Engine, newer};
use crate::members::{Effect, Seconds};
use crate::resource::permission::{EVERYTHING, Permission, When};
use crate::resource::{Action, Asked, PLAIN, Refusal, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub struct Cluster;

/// A change of port or version, with which all members restart. An estimate: the fact book has no figure.
const RESTART: Seconds = Seconds { usually: 180, at_worst: 600 };

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// `aurora-mysql`: a live property and never a wish.
    pub engine: Option<String>,
    /// A full version such as `8.0.mysql_aurora.3.10.2`.
    pub engine_version: String,
    /// What the spec says: a live version that begins with it is as good as `engine_version`.
    pub engine_prefix: Option<String>,
    pub database: Option<String>,
    pub username: String,
    /// RDS makes and rotates the master user's secret.
    pub managed_secret: bool,
    /// ARN of the stack's own secret; read when the cluster is created only.
    pub secret: Option<Input>,
    pub parameter_group: Input,
    pub subnet_group: Input,
    /// Security group ids, sorted.
    pub security_groups: Vec<Input>,
    pub port: i32,
    pub backup_retention_days: i32,
    pub deletion_protection: bool,
    pub data_api: bool,
    /// `aurora` or `aurora-iopt1`.
    pub storage: String,
    pub serverless: Option<Serverless>,
    /// ARN of the key that encrypts its storage, where the spec or a tag tells of one: of AWS's own nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// The same of the secret that RDS manages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<String>,
    /// Whether it is started. A wish only where it is to be stopped: what is wanted otherwise runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
    pub tags: BTreeMap<String, String>,
}

/// Capacity range of Serverless v2 members, in Aurora capacity units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Serverless {
    pub min: f64,
    pub max: f64,
    pub seconds_until_auto_pause: Option<i32>,
}

/// The engine in live properties.
fn engine(live: &Value) -> Option<&'static Engine> {
    Engine::named(live["engine"].as_str()?)
}

/// Minor versions can be raised in place, and that is all.
fn version_change(change: &Change, live: &Value) -> Option<Refusal> {
    let engine = engine(live)?;
    let (Some(live), To::Value(Value::String(want))) = (change.from.as_str(), &change.to) else {
        return None;
    };
    if (engine.family)(live) != (engine.family)(want) {
        return Some(Refusal::because(
            "auroraml does not do major upgrades, which need a new parameter group and a rehearsal",
        ));
    }
    newer(live, want).then(|| Refusal::because("AWS cannot downgrade a cluster"))
}

/// A version prefix is satisfied by every version that begins with it; what AWS fills in is accepted.
fn accept(want: &mut Value, live: &Value) {
    let live_version = live["engine_version"].as_str().unwrap_or_default();
    let prefix = want["engine_prefix"].as_str().unwrap_or_default();
    if !prefix.is_empty() && engine(live).is_some_and(|engine| engine.matches(prefix, live_version)) {
        want["engine_version"] = live["engine_version"].clone();
    }
    if want["running"].is_null() && live["running"].is_boolean() {
        want["running"] = true.into();
    }
    want["engine_prefix"] = Value::Null;
    want["secret"] = Value::Null;
    // Not returned while the minimum is above zero, and AWS's default when not asked for.
    if want["serverless"]["seconds_until_auto_pause"].is_null() && want["serverless"].is_object() {
        want["serverless"]["seconds_until_auto_pause"] =
            live["serverless"]["seconds_until_auto_pause"].clone();
    }
}

impl Kind for Cluster {
    const NAME: &'static str = "cluster";
    const RULES: Rules = Rules {
        passing: &["outputs.status"],
        after: &["subnet_group", "parameter_group", "security_group", "secret"],
        immutable: &[
            ("username", "the master user is chosen when the cluster is created"),
            ("database", "a database is created with the cluster; later ones are created with SQL"),
            ("managed_secret", "auroraml does not move a password between secrets"),
            ("kms_key", "AWS cannot change the key of a cluster's storage"),
            ("secret_key", "AWS cannot change the key of a secret that RDS manages"),
            ("subnet_group", "AWS cannot move a cluster to another subnet group"),
        ],
        refuses: |asked| match asked {
            Asked::Change { change, live } if change.path == "engine_version" => version_change(change, live),
            Asked::Change { .. } => None,
            Asked::Delete { live, options } => {
                // Named alone, it would go without the snapshot that the spec asks for.
                if options.contains_key("allowed_by") {
                    return Some(Refusal {
                        why: "a cluster is deleted only with its stack",
                        hint: Some(
                            "restore it in the spec, then delete the whole stack with `auroraml destroy`",
                        ),
                    });
                }
                let refuse = |why| Refusal {
                    why,
                    hint: Some("to delete the cluster and everything in it, add --unprotect"),
                };
                if live["deletion_protection"] == true && !options.contains_key("unprotect") {
                    return Some(refuse("the cluster has deletion protection"));
                }
                // Also where somebody switched it off at AWS, or the spec was not applied yet.
                options.contains_key("protect").then(|| refuse("the spec says `on_destroy: protect`"))
            }
        },
        holds_data: true,
        accept,
        effect: |action, changes, _| {
            let stops = |change: &Change| change.path == "running" && change.to == To::Value(false.into());
            let stops = changes.iter().any(stops);
            let changes = |path: &str| changes.iter().any(|change| change.concerns(path));
            if action != Action::Update {
                Effect::None
            } else if stops {
                Effect::StopsAll
            } else if changes("port") || changes("engine_version") {
                Effect::RestartsAll(RESTART)
            } else if changes("parameter_group") {
                Effect::Pending
            } else if changes("serverless") {
                Effect::ServerlessPending
            } else {
                Effect::None
            }
        },
        poll_seconds: 5,
        // Between botocore's half hour and Terraform's two (fact book, section 1.17).
        limit_minutes: 60,
        // A first look may show what was for 60 to 90 s, and an end is believed after 2 or 3 looks (section 1.6).
        effect_lag_seconds: 60,
        stable_looks: 2,
        permissions: &[
            Permission::look(&["rds:DescribeDBClusters"], &["rds:cluster:*"]),
            Permission::look(&["rds:DescribeEvents"], EVERYTHING),
            Permission::create(&["rds:CreateDBCluster"], &["rds:cluster:{own_cluster}"])
                .when(&[When::RequestTag]),
            Permission::create(
                &["rds:CreateDBCluster"],
                &["rds:cluster-pg:{own_group}", "rds:subgrp:{subnet_group}"],
            )
            .when(&[When::OwnTag]),
            // The group that AWS takes where none is named, and has no tags on.
            Permission::create(&["rds:CreateDBCluster"], &["rds:og:default:*"]),
            // RDS does not say whether it is asked to tag what it is making; what is another's has its tag already.
            Permission::create(&["rds:AddTagsToResource"], &["rds:cluster:{own_cluster}"])
                .when(&[When::RequestTag, When::NoTag]),
            Permission::change(&["rds:AddTagsToResource"], &["rds:cluster:{own_cluster}"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::change(&["rds:RemoveTagsFromResource"], &["rds:cluster:{own_cluster}"])
                .when(&[When::OwnTag, When::KeepsTags]),
            Permission::create(&["secretsmanager:GetSecretValue"], &["secretsmanager:secret:{own_secret}"]),
            // AWS makes its own role with the first cluster, in the caller's name.
            Permission::create(
                &["iam:CreateServiceLinkedRole"],
                &["iam:role/aws-service-role/rds.amazonaws.com/*"],
            )
            .when(&[When::ServiceLinked(&["rds.amazonaws.com"])]),
            // A password that RDS manages (RDS User Guide, "Password management with Secrets Manager").
            Permission::create(
                &["secretsmanager:CreateSecret", "secretsmanager:TagResource"],
                &["secretsmanager:secret:{managed_secret}"],
            ),
            Permission::create(&["kms:DescribeKey"], &["kms:key/{managed_secret_key}"]),
            // Storage and secret with a key of one's own (Aurora User Guide, "Encrypting Amazon Aurora resources" and
            // "Password management with Amazon Aurora and AWS Secrets Manager").
            Permission::create(
                &["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                &["arn:{partition}:kms:{region}:{key_account}:{key}"],
            ),
            Permission::change(
                &["rds:ModifyDBCluster"],
                &["rds:cluster:{own_cluster}", "rds:cluster-pg:{own_group}"],
            )
            .when(&[When::OwnTag]),
            // Pause and resume.
            Permission::change(&["rds:StartDBCluster", "rds:StopDBCluster"], &["rds:cluster:{own_cluster}"])
                .when(&[When::OwnTag]),
            Permission::change(
                &["rds:EnableHttpEndpoint", "rds:DisableHttpEndpoint"],
                &["rds:cluster:{own_cluster}"],
            )
            .when(&[When::OwnTag]),
            Permission::delete(
                &["rds:DeleteDBCluster", "rds:ModifyDBCluster", "rds:StartDBCluster"],
                &["rds:cluster:{own_cluster}"],
            )
            .when(&[When::OwnTag]),
            // The final snapshot, which takes the tags of the cluster over.
            Permission::delete(&["rds:CreateDBClusterSnapshot"], &["rds:cluster:{snapshot_of}"])
                .when(&[When::OwnTag]),
            Permission::delete(
                &["rds:DeleteDBCluster", "rds:CreateDBClusterSnapshot"],
                &["rds:cluster-snapshot:{snapshot}"],
            ),
            Permission::delete(&["rds:AddTagsToResource"], &["rds:cluster-snapshot:{snapshot}"])
                .when(&[When::NoTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_newer_version_of_the_prefix_is_accepted() {
        let live = json!({"engine": "aurora-mysql", "engine_version": "8.0.mysql_aurora.3.10.2"});
        let mut want = json!({"engine_version": "8.0.mysql_aurora.3.13.0", "engine_prefix": "8.0"});
        accept(&mut want, &live);
        assert_eq!(want["engine_version"], live["engine_version"]);
        let mut want = json!({"engine_version": "8.0.mysql_aurora.3.13.0", "engine_prefix": "3.13"});
        accept(&mut want, &live);
        assert_eq!(want["engine_version"], "8.0.mysql_aurora.3.13.0");
    }
}
