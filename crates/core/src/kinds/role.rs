//! IAM role with one inline policy. Found by its path.

use super::Kind;
use crate::base::policy;
use crate::resource::permission::{EVERYTHING, Permission, When};
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub struct Role;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Trust policy document, normalised.
    pub trust: Value,
    /// Permissions, normalised; null when there are none.
    pub policy: Value,
    /// ARN of the permissions boundary; null in what is wanted means whatever it is.
    pub boundary: Option<String>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for Role {
    const NAME: &'static str = "role";
    const RULES: Rules = Rules {
        // Documents are compared by meaning and written as the model wrote them.
        accept: |want, _| {
            want["trust"] = policy::normal(&want["trust"]);
            want["policy"] = policy::normal(&want["policy"]);
        },
        permissions: &[
            Permission::look(&["iam:ListRoles"], EVERYTHING),
            Permission::look(
                &["iam:GetRole", "iam:GetRolePolicy"],
                &[
                    "iam:role/auroraml/{stack}/{region}/*",
                    // One that is not there has no path: IAM is asked by name.
                    "iam:role/{stack}-{region}-*",
                ],
            ),
            // Who makes roles is an administrator unless they are bounded (docs/decisions/0010).
            Permission::create(&["iam:CreateRole"], &["iam:role/auroraml/{stack}/{region}/*"])
                .when(&[When::Bounded]),
            Permission::create(&["iam:TagRole"], &["iam:role/auroraml/{stack}/{region}/*"]),
            Permission::change(
                &[
                    "iam:PutRolePermissionsBoundary",
                    "iam:UpdateAssumeRolePolicy",
                    "iam:PutRolePolicy",
                    "iam:DeleteRolePolicy",
                ],
                &["iam:role/auroraml/{stack}/{region}/*"],
            )
            .when(&[When::Bounded]),
            Permission::change(&["iam:TagRole", "iam:UntagRole"], &["iam:role/auroraml/{stack}/{region}/*"]),
            Permission::delete(
                &["iam:ListRolePolicies", "iam:ListAttachedRolePolicies"],
                &["iam:role/auroraml/{stack}/{region}/*"],
            ),
            Permission::delete(
                &["iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:DeleteRole"],
                &["iam:role/auroraml/{stack}/{region}/*"],
            )
            .when(&[When::Bounded]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
