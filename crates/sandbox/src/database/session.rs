//! Who asks, and what holds for all that they ask.

use super::catalog::{Catalog, account, parts};
use super::errors::SqlError;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One connection. What is no part of the journal of a transaction is set anew for each statement.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Session {
    pub user: String,
    /// The host of the account that let the user in.
    pub host: String,
    pub database: Option<String>,
    /// Active roles, by account.
    pub roles: BTreeSet<String>,
    /// Milliseconds since the Unix epoch.
    #[serde(skip)]
    pub now: u64,
    #[serde(skip)]
    pub variables: Arc<BTreeMap<String, String>>,
    /// What unseeded random numbers begin with.
    #[serde(skip)]
    pub seed: u64,
    /// Statements that are carried out now, for longer than a call waits: since when, and what.
    #[serde(skip)]
    pub processes: Arc<Vec<(u64, String)>>,
}

impl Session {
    /// A user who has just logged in, with the roles that are active then.
    pub fn login(
        catalog: &Catalog,
        user: &str,
        host: &str,
        variables: Arc<BTreeMap<String, String>>,
    ) -> Session {
        let key = account(user, host);
        let mut session = Session { user: user.into(), host: host.into(), variables, ..Session::default() };
        if let Some(found) = catalog.accounts.get(&key) {
            // MySQL 8.0 Reference, "activate_all_roles_on_login".
            session.roles = match session.flag("activate_all_roles_on_login") {
                true => found.roles.keys().cloned().collect(),
                false => found.default_roles.clone(),
            };
        }
        session
    }

    pub fn account(&self) -> String {
        account(&self.user, &self.host)
    }

    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    pub fn flag(&self, name: &str) -> bool {
        self.variable(name).is_some_and(|value| value == "ON" || value == "1")
    }

    /// Whether what does not fit is refused (`sql_mode`).
    pub fn strict(&self) -> bool {
        let mode = self.variable("sql_mode").unwrap_or_default().to_ascii_uppercase();
        mode.contains("STRICT_") || mode.contains("TRADITIONAL")
    }

    /// Whether the role is active, directly or within another that is.
    pub fn has_role(&self, catalog: &Catalog, role: &str) -> bool {
        let mut open: Vec<&str> = self.roles.iter().map(String::as_str).collect();
        let mut seen = BTreeSet::new();
        while let Some(key) = open.pop() {
            if parts(key).0.eq_ignore_ascii_case(role) {
                return true;
            }
            if seen.insert(key)
                && let Some(account) = catalog.accounts.get(key)
            {
                open.extend(account.roles.keys().map(String::as_str));
            }
        }
        false
    }
}

/// A named parameter of a statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parameter {
    #[serde(with = "super::cells")]
    pub value: Value,
    pub kind: super::types::Type,
}

pub(crate) type Parameters = BTreeMap<String, Parameter>;

/// What a machine learning service answers to the arguments of one row.
pub(crate) type Model = Arc<dyn Fn(&[Value]) -> Result<Value, SqlError> + Send + Sync>;

/// What a function asks outside the database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ask {
    Endpoint(String),
    Bedrock { model: String },
    Sentiment,
    Confidence,
}

/// An object in S3 that a statement reads.
pub(crate) struct Source {
    pub key: String,
    pub version: String,
    pub content: crate::s3::Content,
}

/// Where it is, as statements write it: `s3[-region]://bucket/key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub text: String,
    pub region: Option<String>,
    pub bucket: String,
    pub key: String,
}

impl Address {
    /// # Errors
    /// The text is no such address.
    pub fn read(text: &str) -> Result<Address, SqlError> {
        let wrong = || super::errors::s3(format!("Invalid S3 URI: '{text}'"));
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let region = match scheme.strip_prefix("s3").ok_or_else(wrong)? {
            "" => None,
            region => Some(region.strip_prefix('-').ok_or_else(wrong)?.to_string()),
        };
        let (bucket, key) = rest.split_once('/').ok_or_else(wrong)?;
        if bucket.is_empty() || key.is_empty() {
            return Err(wrong());
        }
        Ok(Address { text: text.into(), region, bucket: bucket.into(), key: key.into() })
    }
}

/// What is outside the database, and the way there.
pub(crate) trait Outside {
    /// How many times as long as elsewhere statements take.
    fn slowness(&self) -> f64;
    /// A function that asks a service, or why none can be asked.
    fn model(&self, ask: &Ask) -> Result<Model, SqlError>;
    /// The object; with `prefix`, all objects whose keys begin so, in their order.
    fn read(&self, address: &Address, prefix: bool) -> Result<Vec<Source>, SqlError>;
    /// Whether objects with keys that begin so are there.
    fn exists(&self, address: &Address) -> Result<bool, SqlError>;
    /// Removes them.
    fn clear(&mut self, address: &Address) -> Result<(), SqlError>;
    /// Writes an object under `key` in the bucket of `address`.
    fn write(&mut self, address: &Address, key: &str, content: Vec<u8>) -> Result<(), SqlError>;
}
