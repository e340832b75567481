//! The stack's own secret with the master user's name and password.

use serde::{Deserialize, Serialize};
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
