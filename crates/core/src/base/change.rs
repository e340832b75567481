//! Desired against live, property by property. Pure.

use super::has_reference;
use super::names::short_hash;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// One property that differs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Change {
    /// Path of the property, its parts joined by dots.
    pub path: String,
    /// The live value; null where there is none. Of what may hold a secret, here and below, a hash.
    pub from: Value,
    pub to: To,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// Null means that the property goes.
    Value(Value),
    /// Depends on outputs that AWS has not yet given: the value, in which they are references
    /// (`{"$ref": "subnet.private-1", "output": "id"}`).
    KnownAfterApply(Value),
}

impl Change {
    /// Whether it is of this property, or of something in it.
    pub fn concerns(&self, path: &str) -> bool {
        self.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// The same, with a hash in the place of each value. `salt` keeps equal values of different objects apart.
    pub fn hidden(&self, salt: &str) -> Change {
        let hash = |value: &Value| match value {
            Value::Null => Value::Null,
            value => {
                let content = format!("{salt}\0{}\0{value}", self.path);
                format!("(sensitive, hash {})", short_hash(content.as_bytes())).into()
            }
        };
        let to = match &self.to {
            To::Value(value) => To::Value(hash(value)),
            To::KnownAfterApply(value) => To::KnownAfterApply(value.clone()),
        };
        Change { path: self.path.clone(), from: hash(&self.from), to }
    }
}

/// What must change for `live` to become `want`.
///
/// A null in `want` means "whatever it is"; a key that an object in `want` lacks must go; lists are sets.
pub fn diff(want: &Value, live: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    walk("", want, live, &mut changes);
    changes
}

fn walk(path: &str, want: &Value, live: &Value, out: &mut Vec<Change>) {
    let join = |key: &str| if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
    match want {
        Value::Null => {}
        Value::Object(map) if !map.contains_key("$ref") && !map.contains_key("$text") => {
            for (key, value) in map {
                walk(&join(key), value, live.get(key).unwrap_or(&Value::Null), out);
            }
            for (key, value) in live.as_object().into_iter().flatten() {
                if !map.contains_key(key) && !value.is_null() {
                    out.push(Change { path: join(key), from: value.clone(), to: To::Value(Value::Null) });
                }
            }
        }
        _ if want == live => {}
        // Lists are sets: AWS returns them in any order.
        Value::Array(items) if sorted(items) == live.as_array().map(|l| sorted(l)).unwrap_or_default() => {}
        _ => {
            let to = match has_reference(want) {
                true => To::KnownAfterApply(want.clone()),
                false => To::Value(want.clone()),
            };
            out.push(Change { path: path.into(), from: live.clone(), to });
        }
    }
}

fn sorted(items: &[Value]) -> Vec<String> {
    let mut texts: Vec<String> = items.iter().map(Value::to_string).collect();
    texts.sort();
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn null_is_whatever_and_missing_keys_go() {
        let want = json!({"a": null, "b": {"x": "1"}});
        let live = json!({"a": 7, "b": {"x": "1", "y": "2"}});
        let changes = diff(&want, &live);
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].path, "b.y");
        assert_eq!(changes[0].to, To::Value(Value::Null));
    }

    #[test]
    fn an_unknown_reference_is_a_change() {
        let want =
            json!({"vpc": {"$ref": "vpc.main", "output": "id"}, "list": [{"$ref": "a.b", "output": "c"}]});
        let changes = diff(&want, &json!({"vpc": "vpc-1", "list": []}));
        assert_eq!(changes.len(), 2);
        assert!(changes.iter().all(|c| matches!(c.to, To::KnownAfterApply(_))));
    }

    #[test]
    fn equal_is_empty() {
        let value = json!({"a": [1, 2], "b": "c"});
        assert!(diff(&value, &value).is_empty());
        assert!(diff(&json!([1, 2]), &json!([2, 1])).is_empty());
        assert!(diff(&json!([]), &Value::Null).is_empty());
        assert_eq!(diff(&json!([1, 1]), &json!([1])).len(), 1);
    }
}
