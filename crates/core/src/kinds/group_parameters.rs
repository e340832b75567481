//! The stack's role parameters in a parameter group that others made: for an existing cluster that alone uses
//! a custom group. Nothing else in that group is changed.

use super::Kind;
use super::parameters::effect;
use crate::base::Input;
use crate::resource::permission::Permission;
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub struct GroupParameters;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Name of the parameter group.
    pub group: Input,
    /// ARNs of the stack's roles, by parameter.
    pub parameters: BTreeMap<String, Input>,
    /// `static` or `dynamic`, by parameter, as AWS says. In desired properties it is what is known before the
    /// first value is set, and is never compared.
    pub apply_types: Option<BTreeMap<String, String>>,
}

impl Kind for GroupParameters {
    const NAME: &'static str = "group_parameters";
    const RULES: Rules = Rules {
        after: &["role"],
        immutable: &[("group", "the values stay in the group where they were set")],
        accept: |want, _| want["apply_types"] = Value::Null,
        effect,
        poll_seconds: 3,
        permissions: &[
            Permission::look(&["rds:DescribeDBClusterParameters"], &["rds:cluster-pg:*"]),
            Permission::create(
                &["rds:ModifyDBClusterParameterGroup", "rds:ResetDBClusterParameterGroup"],
                &["rds:cluster-pg:{group}"],
            ),
            Permission::change(
                &["rds:ModifyDBClusterParameterGroup", "rds:ResetDBClusterParameterGroup"],
                &["rds:cluster-pg:{group}"],
            ),
            Permission::delete(
                &["rds:ModifyDBClusterParameterGroup", "rds:ResetDBClusterParameterGroup"],
                &["rds:cluster-pg:{group}"],
            ),
        ],
        ..PLAIN
    };
    type Props = Props;
}
