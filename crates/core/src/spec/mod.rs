//! The spec: what a YAML file says, with defaults filled in and everything checked that needs no AWS.
//!
//! Pure: no files, no environment, no clock.

mod check;
mod images;
mod node;
mod problem;
mod read;
mod reader;
mod restart;
mod types;
mod window;

pub use check::WITHOUT_MACHINE_LEARNING;
pub use images::{XGBOOST_VERSIONS, xgboost_image};
pub use problem::{Problem, Problems};
pub use restart::{Allow, Restart, Strategy};
pub use types::*;
pub use window::Window;

use serde_json::{Value, json};

/// The spec that `auroraml init` writes.
pub const STARTER: &str = include_str!("starter.yaml");

/// Bytes that a spec may have. A caller should not read a larger file at all.
pub const MAX_SIZE: usize = 1024 * 1024;

/// Reads and checks a spec.
///
/// # Errors
/// All problems of the file at once; of what is not YAML at all, the first.
pub fn parse(source: &[u8]) -> Result<Spec, Problems> {
    let source = text(source)?;
    let (root, found) = node::tree(source)?;
    let mut reader = reader::Reader::new(&root, found);
    let spec = read::spec(&root, &mut reader);
    if let Some(spec) = &spec {
        check::check(spec, &mut reader);
    }
    let problems = reader.finish();
    match spec {
        Some(spec) if problems.0.is_empty() => Ok(spec),
        _ => Err(problems),
    }
}

/// DB cluster parameter group family of an engine version as the spec writes it, such as
/// `aurora-mysql8.0`; `None` for one that `parse` refuses.
pub fn family(engine_version: &str) -> Option<&'static str> {
    check::Version::parse(engine_version).ok().map(check::Version::family)
}

/// The JSON Schema of a spec, for editors: draft 2020-12.
pub fn json_schema() -> String {
    let mut schema = schemars::schema_for!(Spec).to_value();
    as_read(&mut schema);
    // A schema is a JSON value: writing it cannot fail.
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// Where serde and the reader differ: a key without a value is refused, and numbers and booleans are
/// accepted as text in mappings of text and for the engine version.
fn as_read(schema: &mut Value) {
    let scalar = || json!(["string", "number", "boolean"]);
    match schema {
        Value::Object(map) => {
            if map.get("default") == Some(&Value::Null) {
                map.remove("default");
            }
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type") != Some(&json!("null")));
                if let [only] = choices.as_slice()
                    && let Some(reference) = only.get("$ref").cloned()
                {
                    map.remove("anyOf");
                    map.insert("$ref".to_owned(), reference);
                }
            }
            map.values_mut().for_each(as_read);
            if let Some(values) = map.get_mut("additionalProperties").filter(|values| values.is_object())
                && values.get("type") == Some(&json!("string"))
            {
                values["type"] = scalar();
            }
            if let Some(version) = map.get_mut("engine_version").filter(|version| version.is_object()) {
                version["type"] = json!(["string", "number"]);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(as_read),
        _ => {}
    }
}

/// The file as text, unless its size or its bytes already show that it is no spec.
fn text(source: &[u8]) -> Result<&str, Problems> {
    if source.len() > MAX_SIZE {
        let message = format!("{} bytes: a spec has at most {MAX_SIZE}", source.len());
        return Err(Problems::of_file(1, 1, &message, Some("is this the right file?")));
    }
    let place = |before: &[u8]| {
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1)
    };
    let text = std::str::from_utf8(source).map_err(|error| {
        let (line, column) = place(&source[..error.valid_up_to()]);
        Problems::of_file(line, column, "the file is not UTF-8 text", Some("save it as UTF-8"))
    })?;
    if let Some(at) = source.iter().position(|byte| *byte == 0) {
        let (line, column) = place(&source[..at]);
        let hint = "is this the right file? Save it as UTF-8";
        return Err(Problems::of_file(
            line,
            column,
            "the file contains a NUL byte: it is not text",
            Some(hint),
        ));
    }
    Ok(text)
}
