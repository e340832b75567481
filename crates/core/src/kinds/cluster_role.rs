//! Association of an IAM role with the cluster. For Aurora MySQL it carries no feature name.

use super::Kind;
use crate::base::Input;
use crate::base::names::short_hash;
use crate::resource::permission::{Permission, When};
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};

pub struct ClusterRole;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Identifier of the cluster.
    pub cluster: Input,
    /// ARN of the role.
    pub role: Input,
    /// What the role is for, where the engine wants to know: Aurora MySQL has no such name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// Whether the cluster's tags say that the stack uses this role of others; nothing of a role of the stack's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marked: Option<bool>,
}

/// What begins the key of the tag on the stack's cluster that says so; behind it is a hash of the role's ARN. Without it
/// nobody would know, once the spec names the role no more, that its association is the stack's to take away.
pub const MARK: &str = "auroraml:role-";

/// The tag of a role of others.
pub fn mark(arn: &str) -> String {
    format!("{MARK}{}", short_hash(arn.as_bytes()))
}

/// The association's name within the stack: known from the ARN alone, and never that of one of the stack's own roles, so
/// that both are there while one takes the other's place.
pub fn name_of_others(arn: &str) -> String {
    format!("other-{}", short_hash(arn.as_bytes()))
}

impl Kind for ClusterRole {
    const NAME: &'static str = "cluster_role";
    const RULES: Rules = Rules {
        after: &["cluster", "role"],
        dies_with: Some("cluster"),
        immutable: &[
            ("cluster", "an association belongs to one cluster"),
            ("role", "an association belongs to one role"),
        ],
        poll_seconds: 5,
        // Up to a minute and a half, and Terraform waits for ten (fact book, sections 8.2 and 1.17).
        limit_minutes: 20,
        permissions: &[
            Permission::create(&["rds:AddRoleToDBCluster"], &["rds:cluster:{own_cluster}"])
                .when(&[When::OwnTag]),
            Permission::create(&["rds:AddRoleToDBCluster"], &["rds:cluster:{existing}"]),
            Permission::create(&["iam:PassRole"], &["iam:role/auroraml/{stack}/{region}/*"])
                .when(&[When::PassedTo("rds.amazonaws.com")]),
            Permission::create(&["iam:PassRole"], &["iam:role/{used_by_aurora}"])
                .when(&[When::PassedTo("rds.amazonaws.com")]),
            Permission::create(&["rds:AddTagsToResource"], &["rds:cluster:{marked_cluster}"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::delete(&["rds:RemoveTagsFromResource"], &["rds:cluster:{marked_cluster}"])
                .when(&[When::OwnTag, When::KeepsTags]),
            Permission::delete(&["rds:RemoveRoleFromDBCluster"], &["rds:cluster:{own_cluster}"])
                .when(&[When::OwnTag]),
            Permission::delete(&["rds:RemoveRoleFromDBCluster"], &["rds:cluster:{existing}"]),
            Permission::delete(&["iam:PassRole"], &["iam:role/auroraml/{stack}/{region}/*"])
                .when(&[When::PassedTo("rds.amazonaws.com")]),
            Permission::delete(&["iam:PassRole"], &["iam:role/{used_by_aurora}"])
                .when(&[When::PassedTo("rds.amazonaws.com")]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
