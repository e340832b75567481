//! What a database server knows beside its rows: databases, tables, functions, accounts.

use super::types::Type;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Roles that every Aurora MySQL 3 server has. Aurora User Guide, "Role-based privilege model" and the pages of the
/// features.
pub(crate) const AWS_ROLES: [&str; 6] = [
    "AWS_BEDROCK_ACCESS",
    "AWS_COMPREHEND_ACCESS",
    "AWS_LAMBDA_ACCESS",
    "AWS_LOAD_S3_ACCESS",
    "AWS_SAGEMAKER_ACCESS",
    "AWS_SELECT_S3_ACCESS",
];
pub(crate) const SUPERUSER_ROLE: &str = "rds_superuser_role";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Catalog {
    pub databases: BTreeMap<String, Schema>,
    /// Users and roles, by [`account`].
    pub accounts: BTreeMap<String, Account>,
    pub loads: Vec<Load>,
    /// The number of the next table in SQLite.
    pub next: u64,
    /// Requests to machine learning services since the last FLUSH STATUS.
    #[serde(default)]
    pub requests: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Schema {
    pub tables: BTreeMap<String, Table>,
    /// By their names in lower case.
    pub routines: BTreeMap<String, Routine>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Table {
    /// Its name in SQLite.
    pub physical: String,
    pub columns: Vec<Column>,
    pub primary: Vec<String>,
    pub indexes: Vec<Index>,
    /// Milliseconds since the Unix epoch.
    pub created: u64,
    /// The next number of the column that numbers its rows.
    pub next_number: i64,
    #[serde(default)]
    pub comment: String,
}

impl Table {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Index {
    pub name: String,
    pub unique: bool,
    pub columns: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Column {
    pub name: String,
    pub kind: Type,
    pub nullable: bool,
    pub default: Option<Preset>,
    pub numbered: bool,
    #[serde(default)]
    pub touched: bool,
    #[serde(default)]
    pub comment: String,
}

/// What a column is when nobody says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Preset {
    Null,
    Text(String),
    Number(String),
    Now,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Routine {
    pub name: String,
    /// [`account`] of who made it.
    pub definer: String,
    pub arguments: Vec<(String, Type)>,
    /// The arguments as they were written.
    pub written: String,
    pub returns: Type,
    pub deterministic: bool,
    pub invoker: bool,
    /// `CONTAINS SQL`, …
    pub access: String,
    pub comment: String,
    pub created: u64,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Body {
    Sql(String),
    SageMaker { endpoint: String, batch: Option<u64> },
    Bedrock { model: String, content_type: Option<String>, accept: Option<String>, timeout_ms: Option<u64> },
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Account {
    /// SHA-256; a role has none and cannot log in. The master user's is the cluster's.
    pub password: Option<String>,
    pub is_role: bool,
    pub grants: Vec<Grant>,
    /// Roles that were granted, and whether they may be passed on.
    pub roles: BTreeMap<String, bool>,
    pub default_roles: BTreeSet<String>,
}

/// Privileges on one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub on: Scope,
    pub privileges: BTreeSet<String>,
    pub grantable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Scope {
    Everything,
    Database(String),
    Table(String, String),
    Function(String, String),
}

/// One row of `mysql.aurora_s3_load_history`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Load {
    pub prefix: String,
    pub file: String,
    pub version: String,
    pub bytes: u64,
    /// Milliseconds since the Unix epoch.
    pub at: u64,
}

/// The key of an account.
pub(crate) fn account(user: &str, host: &str) -> String {
    format!("{user}@{}", if host.is_empty() { "%" } else { host })
}

/// User and host of a key.
pub(crate) fn parts(key: &str) -> (&str, &str) {
    key.rsplit_once('@').unwrap_or((key, "%"))
}

/// With MySQL's quotes around both.
pub(crate) fn quoted(key: &str) -> String {
    let (user, host) = parts(key);
    format!("`{user}`@`{host}`")
}

impl Catalog {
    /// A new server: the master user, the database that CreateDBCluster named, and what AWS puts in.
    pub fn new(master: &str, database: Option<&str>) -> Catalog {
        let mut accounts = BTreeMap::new();
        for role in AWS_ROLES.into_iter().chain([SUPERUSER_ROLE]) {
            accounts.insert(account(role, "%"), Account { is_role: true, ..Account::default() });
        }
        // Aurora User Guide, "Loading data … from text files in an Amazon S3 bucket" and "Saving data …": "The
        // administrative user in a DB cluster is granted" the two S3 roles "by default"; nothing is said of the others.
        let granted = [SUPERUSER_ROLE, "AWS_LOAD_S3_ACCESS", "AWS_SELECT_S3_ACCESS"];
        let everything = Grant {
            on: Scope::Everything,
            privileges: super::privileges::MASTER.iter().map(|name| (*name).to_string()).collect(),
            grantable: true,
        };
        accounts.insert(
            account(master, "%"),
            Account {
                grants: vec![everything],
                roles: granted.map(|role| (account(role, "%"), true)).into(),
                default_roles: [account(SUPERUSER_ROLE, "%")].into(),
                ..Account::default()
            },
        );
        let databases = database.map(|name| (name.to_string(), Schema::default())).into_iter().collect();
        Catalog { databases, accounts, loads: Vec::new(), next: 1, requests: 0 }
    }

    pub fn routine(&self, database: &str, name: &str) -> Option<&Routine> {
        self.databases.get(database)?.routines.get(&name.to_ascii_lowercase())
    }
}
