//! A table in the stack's database. It is made if it is not there, and never altered or dropped: rows are the user's.

use super::Kind;
use super::sql_database::SQL;
use super::unseen::accept_unseen;
use crate::resource::{Asked, PLAIN, Refusal, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub struct SqlTable;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Props {
    /// Why nobody looked, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<String>,
    pub database: String,
    /// Type of each column, in the form in which types are compared, by its name in lower case.
    pub columns: BTreeMap<String, String>,
    /// What stands between the parentheses of the statement, column by column; of a live table nobody asks for it.
    pub declared: Option<Vec<String>>,
}

const ALTER: Refusal = Refusal {
    why: "auroraml never alters a table, because of its rows",
    hint: Some(
        "change the table yourself (ALTER TABLE), change the spec to match it, or use another name; then run again",
    ),
};

impl Kind for SqlTable {
    const NAME: &'static str = "sql_table";
    const RULES: Rules = Rules {
        after: &[
            "sql_database",
            "cluster",
            "instance",
            "parameter_sync",
            "secret_attachment",
            "cluster_role",
        ],
        dies_with: Some("cluster"),
        holds_data: true,
        refuses: |asked| match asked {
            Asked::Change { change, .. } => change.concerns("columns").then_some(ALTER),
            Asked::Delete { .. } => None,
        },
        accept,
        permissions: SQL,
        ..PLAIN
    };
    type Props = Props;
}

/// Columns beside those of the spec are nobody's fault.
fn accept(want: &mut Value, live: &Value) {
    accept_unseen(want, live);
    want["declared"] = Value::Null;
    if let (Some(wanted), Some(there)) = (want["columns"].as_object_mut(), live["columns"].as_object()) {
        for (name, of) in there {
            wanted.entry(name.clone()).or_insert_with(|| of.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::diff;
    use serde_json::json;

    #[test]
    fn only_what_the_spec_names_is_compared() {
        let rules = SqlTable::RULES;
        let changed = |live: Value| {
            let mut want =
                json!({"database": "d", "columns": {"a": "int", "b": "text"}, "declared": ["`a` int"]});
            (rules.accept)(&mut want, &live);
            let changes = diff(&want, &live);
            assert!(changes.iter().all(|change| rules.forbids(change, &live).is_some()), "{changes:?}");
            changes.into_iter().map(|change| change.path).collect::<Vec<_>>()
        };
        let live = |columns: Value| json!({"database": "d", "columns": columns, "declared": null});
        assert!(changed(live(json!({"a": "int", "b": "text", "c": "json"}))).is_empty(), "one more");
        assert_eq!(changed(live(json!({"a": "int"}))), ["columns.b"]);
        assert_eq!(changed(live(json!({"a": "bigint", "b": "text"}))), ["columns.a"]);
        assert!(changed(json!({"unseen": "it may be paused", "database": "d"})).is_empty());
    }
}
