//! Where in a spec a key belongs: a key in the wrong place is more often a line that is not indented as meant than a key that
//! nobody knows.

use super::Spec;
use schemars::schema_for;
use serde_json::Value;

/// Levels of the schema that are looked at.
const DEPTH: usize = 8;

/// The paths of the mappings that have such a key, such as `aurora.instances[]`: the nearest to the top first.
pub fn under(key: &str) -> Vec<String> {
    let schema = schema_for!(Spec).to_value();
    let mut found = Vec::new();
    walk(&schema, &schema, "", key, DEPTH, &mut found);
    found.sort_by_key(|path| path.matches(['.', '[']).count());
    found.dedup();
    found
}

fn walk(root: &Value, part: &Value, path: &str, key: &str, depth: usize, found: &mut Vec<String>) {
    if depth == 0 {
        return;
    }
    let inner =
        |part: &Value, path: &str, found: &mut Vec<String>| walk(root, part, path, key, depth - 1, found);
    if let Some(name) = part["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
        inner(&root["$defs"][name], path, found);
    }
    for name in ["anyOf", "oneOf", "allOf"] {
        part[name].as_array().into_iter().flatten().for_each(|part| inner(part, path, found));
    }
    if part["items"].is_object() {
        inner(&part["items"], &format!("{path}[]"), found);
    }
    if part["additionalProperties"].is_object() {
        inner(&part["additionalProperties"], &super::reader::join(path, "NAME"), found);
    }
    for (name, field) in part["properties"].as_object().into_iter().flatten() {
        if name == key {
            found.push(path.to_owned());
        }
        inner(field, &super::reader::join(path, name), found);
    }
}

/// Where the key belongs, if there is but one such place: ``it belongs under `network` ``.
pub fn hint(key: &str, here: &str) -> Option<String> {
    if here.is_empty() && matches!(key, "version" | "apiVersion" | "format") {
        return Some("specs have no version: remove this line".to_owned());
    }
    let paths = under(key);
    let [path] = paths.as_slice() else { return None };
    let list = path.ends_with("[]");
    let place = path.trim_end_matches("[]");
    if place == here {
        return None;
    }
    Some(match (place, list) {
        ("", _) => format!("`{key}` belongs at the top of the file: do not indent it"),
        (_, true) => format!("`{key}` belongs to an item of `{place}`: indent it below the item's `- `"),
        (_, false) => format!("`{key}` belongs under `{place}`: indent it below that line"),
    })
}
