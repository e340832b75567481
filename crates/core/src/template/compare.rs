//! Whether two values say the same to CloudFormation, and where they do not.

use serde_json::Value;

/// Where two values differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `Resources.Bucket.Properties.Tags[0].Value`; empty for the whole.
    pub path: String,
    /// What stands on the left; none where only the right has it, or where it is secret.
    pub before: Option<Value>,
    /// What stands on the right; none where only the left has it, or where it is secret.
    pub after: Option<Value>,
    /// Whether the values are left out because they are nobody's business.
    pub is_secret: bool,
}

impl Difference {
    pub(super) fn hide(&mut self) {
        *self =
            Difference { path: std::mem::take(&mut self.path), before: None, after: None, is_secret: true };
    }
}

/// Whether both say the same. The order of keys does not count, that of lists does, as it does in `UserData` or in a
/// `Join`; a number or a truth value is its text.
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Null, Value::Null) => true,
        _ => text(left).is_some_and(|left| text(right) == Some(left)),
    }
}

/// A scalar as CloudFormation takes it.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// All places in which the two differ, each as deep as it goes, in the order of their paths. Lists of different
/// lengths differ as a whole: which item is which, nobody knows.
pub fn differences(left: &Value, right: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(left, right, "", &mut found);
    found
}

fn compare(left: &Value, right: &Value, path: &str, found: &mut Vec<Difference>) {
    if same(left, right) {
        return;
    }
    let inner = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (left, right) {
        (Value::Object(left), Value::Object(right)) if !(is_function(left) || is_function(right)) => {
            for (key, value) in left {
                match right.get(key) {
                    Some(other) => compare(value, other, &inner(key), found),
                    None => found.push(only(inner(key), Some(value), None)),
                }
            }
            for (key, value) in right.iter().filter(|(key, _)| !left.contains_key(*key)) {
                found.push(only(inner(key), None, Some(value)));
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (n, (left, right)) in left.iter().zip(right).enumerate() {
                compare(left, right, &format!("{path}[{n}]"), found);
            }
        }
        _ => found.push(only(path.to_owned(), Some(left), Some(right))),
    }
}

/// A function is one value to whoever reads the difference.
fn is_function(map: &serde_json::Map<String, Value>) -> bool {
    map.len() == 1 && map.keys().all(|key| key == "Ref" || key.starts_with("Fn::"))
}

fn only(path: String, before: Option<&Value>, after: Option<&Value>) -> Difference {
    Difference { path, before: before.cloned(), after: after.cloned(), is_secret: false }
}
