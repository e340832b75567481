//! A database in the cluster. It is made if it is not there, and stays: what is in it is not ours alone.

use super::Kind;
use super::unseen::accept_unseen;
use crate::resource::permission::{Permission, When};
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};

pub struct SqlDatabase;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Props {
    /// Why nobody looked, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<String>,
    pub name: String,
}

// SQL is sent through the Data API, which has one action for all statements and reads the secret in the caller's name: so
// planning does not have it (docs/decisions/0012).

/// The name of a secret is turned into its ARN.
pub const FIND_SECRET: Permission =
    Permission::look(&["secretsmanager:DescribeSecret"], &["secretsmanager:secret:{given_secret}"]);
pub const SEND: Permission = Permission::create(&["rds-data:ExecuteStatement"], &["rds:cluster:{cluster}"]);
pub const READ_SECRET: Permission = Permission::create(
    &["secretsmanager:GetSecretValue"],
    &["secretsmanager:secret:{own_secret}", "secretsmanager:secret:{given_secret}"],
);
/// RDS chooses the name of a secret that it manages, and tags it with the cluster that it is for.
pub const READ_MANAGED_SECRET: Permission =
    Permission::create(&["secretsmanager:GetSecretValue"], &["secretsmanager:secret:{cluster_secret}"])
        .when(&[When::SecretOfCluster]);
/// What every statement needs.
pub const SQL: &[Permission] = &[FIND_SECRET, SEND, READ_SECRET, READ_MANAGED_SECRET];

impl Kind for SqlDatabase {
    const NAME: &'static str = "sql_database";
    const RULES: Rules = Rules {
        after: &["cluster", "instance", "parameter_sync", "secret_attachment", "cluster_role"],
        dies_with: Some("cluster"),
        holds_data: true,
        accept: accept_unseen,
        permissions: SQL,
        ..PLAIN
    };
    type Props = Props;
}
