//! The secret with the master user's password.

use super::fields::fields;
use super::form::choices;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fields! {
    /// The secret with the master user's password.
    pub struct Secret in "aurora.secret" (hint: "write `secret: { managed_by: stack }`, or leave it out") {
        /// Who creates the secret.
        managed_by: SecretManager {
            changed: "in place",
            meaning: "`rds`: RDS creates, rotates and deletes it, with user name and password only; `stack`: it also holds host, port, database and engine",
        }
        /// Name of the secret. Only with `managed_by: stack`.
        name: Option<String> {
            default_is: "`auroraml/<stack>/master`",
            changed: "blocked",
            meaning: "only with `stack`: name of the secret",
        }
        /// Environment variable that holds the password; without it a password is generated. Only with
        /// `managed_by: stack`.
        password_environment_variable: Option<String> {
            default_is: "generates a password",
            changed: "in place",
            meaning: "only with `stack`: environment variable that holds the password; never put the password itself in a spec",
        }
        /// Days for which a deleted secret can be restored, 7 to 30, or 0 to delete it for good at once.
        /// Only with `managed_by: stack`.
        recovery_window_days: u8 {
            default: 7,
            type: "days, 7–30, or 0",
            changed: "in place",
            meaning: "only with `stack`: how long a deleted secret can be restored; 0 deletes it immediately",
        }
    }
}

choices!(SecretManager);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretManager {
    /// RDS creates, rotates and deletes the secret; it holds user name and password only.
    #[default]
    Rds,
    /// The stack owns it; it also holds host, port, database and engine, as the article's notebook expects.
    Stack,
}
