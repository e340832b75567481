//! A statement of an IAM policy, as IAM writes it.

use super::form::{Form, list_of, mismatch};
use super::node::{Node, Value};
use super::reader::{Reader, join};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

/// The keys of a statement in the policy of a role: a principal is for the policies of resources.
pub const KEYS: [&str; 7] = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// What one looks like.
const SHAPE: &str = "{ Effect: Allow, Action: [ACTION], Resource: [ARN] }";

/// A statement of an IAM policy; its values are as IAM takes them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Statement(pub Map<String, Json>);

impl Form for Statement {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Statement> {
        let Value::Map(entries) = &node.value else {
            return mismatch(node, path, reader, "a mapping", &format!("write `{SHAPE}`"));
        };
        let mut read = Map::new();
        for entry in entries {
            let path = join(path, &entry.key);
            if let Some(value) = plain(&entry.value, &path, reader) {
                read.insert(entry.key.clone(), value);
            }
        }
        Some(Statement(read))
    }
    fn in_words() -> String {
        "IAM statement".to_owned()
    }
    fn many_in_words() -> String {
        "IAM statements".to_owned()
    }
    fn list_hint() -> String {
        list_of(SHAPE)
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        let texts = json!({ "type": ["string", "array"], "items": { "type": "string" } });
        json_schema!({
            "type": "object",
            "additionalProperties": false,
            "required": ["Effect"],
            "properties": {
                "Sid": { "type": "string", "description": "Identifier of the statement." },
                "Effect": { "enum": ["Allow", "Deny"], "description": "`Allow` or `Deny`." },
                "Action": texts, "NotAction": texts, "Resource": texts, "NotResource": texts,
                "Condition": { "type": "object", "description": "Operators with their keys and values." },
            },
        })
    }
}

/// What IAM would read; numbers as the text that they are.
fn plain(node: &Node, path: &str, reader: &mut Reader) -> Option<Json> {
    match &node.value {
        Value::Null => mismatch(node, path, reader, "a value", "write a value, or remove the line"),
        Value::Bool(value) => Some(Json::Bool(*value)),
        Value::Number(text) | Value::Text(text) => Some(Json::String(text.clone())),
        Value::List(items) => {
            let found: Vec<Option<Json>> = items
                .iter()
                .enumerate()
                .map(|(n, item)| plain(item, &format!("{path}[{n}]"), reader))
                .collect();
            found.into_iter().collect::<Option<Vec<Json>>>().map(Json::Array)
        }
        Value::Map(entries) => {
            let mut map = Map::new();
            for entry in entries {
                map.insert(entry.key.clone(), plain(&entry.value, &join(path, &entry.key), reader)?);
            }
            Some(Json::Object(map))
        }
    }
}
