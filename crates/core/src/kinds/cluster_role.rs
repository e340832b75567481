//! Association of an IAM role with the cluster. For Aurora MySQL it carries no feature name.

use super::Kind;
use crate::base::Input;
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
}

impl Kind for ClusterRole {
    const NAME: &'static str = "cluster_role";
    const RULES: Rules = Rules {
        after: &["cluster", "role"],
        dies_with: Some("cluster"),
        immutable: &[
            ("cluster", "an association belongs to one cluster"),
            ("role", "an association is of one role"),
        ],
        poll_seconds: 5,
        // Up to a minute and a half, and Terraform waits for ten (fact book, sections 8.2 and 1.17).
        limit_minutes: 20,
        permissions: &[
            Permission::create(&["rds:AddRoleToDBCluster"], &["rds:cluster:{stack}"]).when(&[When::OwnTag]),
            Permission::create(&["rds:AddRoleToDBCluster"], &["rds:cluster:{existing}"]),
            Permission::create(&["iam:PassRole"], &["iam:role/auroraml/{stack}/{region}/*"])
                .when(&[When::PassedTo("rds.amazonaws.com")]),
            Permission::delete(&["rds:RemoveRoleFromDBCluster"], &["rds:cluster:{stack}"])
                .when(&[When::OwnTag]),
            Permission::delete(&["rds:RemoveRoleFromDBCluster"], &["rds:cluster:{existing}"]),
            Permission::delete(&["iam:PassRole"], &["iam:role/auroraml/{stack}/{region}/*"])
                .when(&[When::PassedTo("rds.amazonaws.com")]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
