//! The stack's own secret with the master user's name and password.
//!
//! **Invariant.** What the secret holds is in no property, and so in no plan.

use super::Kind;
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub struct Secret;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Name in Secrets Manager.
    pub name: String,
    pub username: Option<String>,
    /// Environment variable that holds the password; looked at when the secret is made only.
    pub password_variable: Option<String>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for Secret {
    const NAME: &'static str = "secret";
    const RULES: Rules = Rules {
        accept: |want, _| {
            want["username"] = Value::Null;
            want["password_variable"] = Value::Null;
        },
        ..PLAIN
    };
    type Props = Props;
}
