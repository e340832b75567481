//! DB cluster parameter group and the parameters set in it.

use super::Kind;
use super::parameters::effect;
use crate::base::Input;
use crate::base::names::STACK_TAG;
use crate::members::Effect;
use crate::resource::permission::{Permission, When};
use crate::resource::{Action, PLAIN, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub struct ParameterGroup;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// `aurora-mysql8.0`, `aurora-mysql8.4`.
    pub family: String,
    pub parameters: BTreeMap<String, Input>,
    /// Group whose values the new one starts with; looked at when it is created only.
    pub copy_of: Option<String>,
    /// `static` or `dynamic`, for each parameter that is set or that the spec names: AWS says it, so it is a
    /// live property only and never a wish.
    pub apply_types: Option<BTreeMap<String, String>>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for ParameterGroup {
    const NAME: &'static str = "parameter_group";
    const RULES: Rules = Rules {
        after: &["role"],
        immutable: &[("family", "the family of a parameter group is fixed when it is created")],
        accept: |want, live| {
            // Values that came with a copy are as wanted as those that the spec names, the roles of others
            // among them; roles of ours that the spec no longer names are not.
            let path = format!(":role/auroraml/{}/", want["tags"][STACK_TAG].as_str().unwrap_or_default());
            if !want["copy_of"].is_null()
                && let (Some(want), Some(live)) =
                    (want["parameters"].as_object_mut(), live["parameters"].as_object())
            {
                for (name, value) in live {
                    if !value.as_str().is_some_and(|value| value.contains(&path)) {
                        want.entry(name.clone()).or_insert_with(|| value.clone());
                    }
                }
            }
            want["copy_of"] = Value::Null;
        },
        effect: |action, changes, live| match action {
            Action::Update => effect(action, changes, live),
            // Nothing is attached yet, or any more.
            _ => Effect::None,
        },
        poll_seconds: 3,
        permissions: &[
            Permission::look(&["rds:DescribeDBClusterParameterGroups"], &["rds:cluster-pg:{own_group}"]),
            // Of the group that the cluster has, whichever that is.
            Permission::look(&["rds:DescribeDBClusterParameters"], &["rds:cluster-pg:*"]),
            Permission::create(&["rds:CreateDBClusterParameterGroup"], &["rds:cluster-pg:{own_group}"])
                .when(&[When::RequestTag]),
            // A copy of the group that an existing cluster has.
            Permission::create(
                &["rds:CopyDBClusterParameterGroup"],
                &["rds:cluster-pg:{copy}", "rds:cluster-pg:{source_group}"],
            )
            .when(&[When::RequestTag]),
            Permission::look(&["rds:ListTagsForResource"], &["rds:cluster-pg:{own_group}"]),
            // RDS does not say whether it is asked to tag what it is making; what is another's has its tag already.
            Permission::create(&["rds:AddTagsToResource"], &["rds:cluster-pg:{own_group}"])
                .when(&[When::RequestTag, When::NoTag]),
            Permission::change(&["rds:AddTagsToResource"], &["rds:cluster-pg:{own_group}"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::change(&["rds:RemoveTagsFromResource"], &["rds:cluster-pg:{own_group}"])
                .when(&[When::OwnTag, When::KeepsTags]),
            Permission::create(&["rds:ModifyDBClusterParameterGroup"], &["rds:cluster-pg:{own_group}"])
                .when(&[When::OwnTag]),
            Permission::change(
                &["rds:ModifyDBClusterParameterGroup", "rds:ResetDBClusterParameterGroup"],
                &["rds:cluster-pg:{own_group}"],
            )
            .when(&[When::OwnTag]),
            Permission::delete(&["rds:DeleteDBClusterParameterGroup"], &["rds:cluster-pg:{own_group}"])
                .when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
