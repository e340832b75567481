//! The fields of a spec as they are written, to say which of them differ between two files.

use super::node::{Node, Value, tree};
use std::collections::BTreeMap;

/// The text of each field, by its path; none of what is no YAML. Defaults are not filled in.
pub fn written(source: &[u8]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let root = super::text(source).and_then(tree);
    if let Ok((root, _)) = &root {
        collect("", root, &mut fields);
    }
    fields
}

fn collect(path: &str, node: &Node, fields: &mut BTreeMap<String, String>) {
    let mut leaf = |text: &str| fields.insert(path.to_string(), text.to_string());
    match &node.value {
        Value::Null => drop(leaf("")),
        Value::Bool(value) => drop(leaf(&value.to_string())),
        Value::Number(text) | Value::Text(text) => drop(leaf(text)),
        // `bucket: {}` says something.
        Value::List(items) if items.is_empty() => drop(leaf("[]")),
        Value::Map(entries) if entries.is_empty() => drop(leaf("{}")),
        Value::List(items) => {
            for (n, item) in items.iter().enumerate() {
                collect(&format!("{path}[{n}]"), item, fields);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                let path = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
                collect(&path, &entry.value, fields);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_path() {
        let text = "stack: a\nbucket: {}\naurora: { instances: [{ class: x }, { class: y }] }\n";
        let fields = written(text.as_bytes());
        let paths: Vec<(&str, &str)> =
            fields.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let expected = [
            ("aurora.instances[0].class", "x"),
            ("aurora.instances[1].class", "y"),
            ("bucket", "{}"),
            ("stack", "a"),
        ];
        assert_eq!(paths, expected);
        assert!(written(b"a: [").is_empty());
    }
}
