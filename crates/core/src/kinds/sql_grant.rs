//! What a user of the database may call: Aurora's roles for other services, active at each login, and functions.

use super::Kind;
use super::sql_database::SQL;
use super::unseen::accept_unseen;
use crate::resource::{PLAIN, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

pub struct SqlGrant;

/// The name of the grant to the user that runs SQL. A user of the spec cannot be called so.
pub const MASTER: &str = "@master";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Props {
    /// Why nobody looked, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<String>,
    /// None for the user that runs SQL.
    pub user: Option<String>,
    pub host: Option<String>,
    /// Aurora's roles for other services that the user has.
    pub roles: BTreeSet<String>,
    /// Those of them that are active at each login.
    pub active: BTreeSet<String>,
    /// Functions of the stack's database that the user may call.
    pub execute: BTreeSet<String>,
    /// Whether the user may call every function there, by a grant on all of them.
    pub anywhere: Option<bool>,
    pub database: String,
}

impl Kind for SqlGrant {
    const NAME: &'static str = "sql_grant";
    const RULES: Rules = Rules {
        after: &[
            "sql_database",
            "cluster",
            "instance",
            "parameter_sync",
            "secret_attachment",
            "cluster_role",
            "sql_function",
        ],
        dies_with: Some("cluster"),
        accept,
        permissions: SQL,
        ..PLAIN
    };
    type Props = Props;
}

/// The user by whom SQL is sent may have more than the spec wants.
fn accept(want: &mut Value, live: &Value) {
    accept_unseen(want, live);
    if live["anywhere"] == true {
        want["execute"] = live["execute"].clone();
    }
    if want["user"].is_null() {
        for key in ["roles", "active", "execute"] {
            let there = live[key].as_array().cloned().unwrap_or_default();
            if let Some(wanted) = want[key].as_array_mut() {
                let more: Vec<Value> = there.into_iter().filter(|one| !wanted.contains(one)).collect();
                wanted.extend(more);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::diff;
    use serde_json::json;

    #[test]
    fn the_master_user_may_have_more() {
        let changed = |user: Value, live: Value| {
            let mut want = json!({"user": user, "roles": ["A"], "active": ["A"], "execute": []});
            (SqlGrant::RULES.accept)(&mut want, &live);
            diff(&want, &live).into_iter().map(|change| change.path).collect::<Vec<_>>()
        };
        let live = |user: Value, roles: Value, active: Value| json!({"user": user, "roles": roles, "active": active, "execute": []});
        assert!(changed(Value::Null, live(Value::Null, json!(["A", "B"]), json!(["A", "B"]))).is_empty());
        assert_eq!(changed(Value::Null, live(Value::Null, json!(["A", "B"]), json!(["B"]))), ["active"]);
        assert_eq!(changed("u".into(), live("u".into(), json!(["A", "B"]), json!(["A"]))), ["roles"]);
        assert!(changed("u".into(), live("u".into(), json!(["A"]), json!(["A"]))).is_empty());
    }
}
