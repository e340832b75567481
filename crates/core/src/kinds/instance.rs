//! Aurora DB instance: a member of the cluster.

use super::Kind;
use crate::base::Input;
use crate::members::{Effect, Seconds};
use crate::resource::permission::{EVERYTHING, Permission, When};
use crate::resource::{Action, PLAIN, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct Instance;

/// An estimate: the fact book has no figure for a change of class.
const CLASS_CHANGE: Seconds = Seconds { usually: 300, at_worst: 600 };

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Identifier of the cluster.
    pub cluster: Input,
    /// `db.r6g.large`, `db.serverless`, …
    pub class: String,
    pub promotion_tier: i32,
    pub auto_minor_version_upgrade: Option<bool>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for Instance {
    const NAME: &'static str = "instance";
    const RULES: Rules = Rules {
        after: &["cluster"],
        immutable: &[("cluster", "an instance belongs to one cluster for life")],
        effect: |action, changes, _| match action {
            Action::Create | Action::Recreate => Effect::MemberComes,
            Action::Delete => Effect::MemberGoes,
            Action::Update if changes.iter().any(|change| change.concerns("class")) => {
                Effect::RestartsMember(CLASS_CHANGE)
            }
            _ => Effect::None,
        },
        poll_seconds: 10,
        // Between botocore's half hour and Terraform's hour and a half (fact book, section 1.17).
        limit_minutes: 60,
        // As of a cluster, and no sooner (section 1.6).
        effect_lag_seconds: 90,
        stable_looks: 2,
        permissions: &[
            Permission::look(&["rds:DescribeDBInstances"], &["rds:db:*"]),
            Permission::look(&["rds:DescribeEvents"], EVERYTHING),
            Permission::create(&["rds:CreateDBInstance"], &["rds:db:{own_member}"]).when(&[When::RequestTag]),
            Permission::create(&["rds:CreateDBInstance"], &["rds:cluster:{own_cluster}"])
                .when(&[When::OwnTag]),
            // The groups that AWS takes where none is named, and has no tags on.
            Permission::create(&["rds:CreateDBInstance"], &["rds:og:default:*", "rds:pg:default.*"]),
            // RDS does not say whether it is asked to tag what it is making; what is another's has its tag already.
            Permission::create(&["rds:AddTagsToResource"], &["rds:db:{own_member}"])
                .when(&[When::RequestTag, When::NoTag]),
            Permission::change(&["rds:AddTagsToResource"], &["rds:db:{own_member}"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::change(&["rds:RemoveTagsFromResource"], &["rds:db:{own_member}"])
                .when(&[When::OwnTag, When::KeepsTags]),
            Permission::change(&["rds:ModifyDBInstance"], &["rds:db:{own_member}"]).when(&[When::OwnTag]),
            Permission::delete(&["rds:DeleteDBInstance"], &["rds:db:{own_member}"]).when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
