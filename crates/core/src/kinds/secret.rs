//! The stack's own secret with the master user's name and password.
//!
//! **Invariant.** What the secret holds is in no property, and so in no plan.

use super::Kind;
use crate::resource::permission::{EVERYTHING, Permission};
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
    /// ARN of the key that encrypts it, where the spec or a tag tells of one: of AWS's own nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for Secret {
    const NAME: &'static str = "secret";
    const RULES: Rules = Rules {
        accept: |want, _| {
            want["username"] = Value::Null;
            want["password_variable"] = Value::Null;
        },
        permissions: &[
            Permission::look(&["secretsmanager:DescribeSecret"], &["secretsmanager:secret:{secret}"]),
            Permission::create(&["secretsmanager:GetRandomPassword"], EVERYTHING),
            Permission::create(
                &[
                    "secretsmanager:CreateSecret",
                    "secretsmanager:TagResource",
                    "secretsmanager:RestoreSecret",
                    "secretsmanager:PutSecretValue",
                    "secretsmanager:UntagResource",
                ],
                &["secretsmanager:secret:{secret}"],
            ),
            Permission::change(
                &["secretsmanager:TagResource", "secretsmanager:UntagResource"],
                &["secretsmanager:secret:{secret}"],
            ),
            // With a key of one's own (Secrets Manager User Guide, "Secret encryption and decryption").
            Permission::create(
                &["kms:Decrypt", "kms:GenerateDataKey"],
                &["arn:{partition}:kms:{region}:{key_account}:{key}"],
            ),
            Permission::change(
                &["kms:Decrypt", "kms:GenerateDataKey"],
                &["arn:{partition}:kms:{region}:{key_account}:{key}"],
            ),
            Permission::change(
                &["secretsmanager:UpdateSecret"],
                &["secretsmanager:secret:{encrypted_secret}"],
            ),
            Permission::delete(&["secretsmanager:DeleteSecret"], &["secretsmanager:secret:{secret}"]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
