//! The JSON Schema of a spec, for editors: as the reader takes it, which is not quite as serde does.

use super::Spec;
use super::fields::{Field, Part, text};
use super::variables::PATTERN;
use schemars::{Schema, SchemaGenerator, json_schema, schema_for};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The JSON Schema of a spec: draft 2020-12.
pub fn json_schema() -> String {
    // A schema is a JSON value: writing it cannot fail.
    let mut schema = schema_for!(Spec).to_value();
    let choices = schema["$defs"].as_object().into_iter().flatten().filter(|(_, schema)| is_choice(schema));
    let choices: BTreeSet<String> = choices.map(|(name, _)| format!("#/$defs/{name}")).collect();
    variables_too(&mut schema, &choices);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// Whether it is of the names of an enum.
fn is_choice(schema: &Value) -> bool {
    let names = |schema: &Value| schema.get("enum").is_some() || schema.get("const").is_some();
    names(schema) || schema["oneOf"].as_array().is_some_and(|all| all.iter().all(names))
}

/// Lets `${name}` stand wherever a number, a boolean or one of some names is wanted: an editor does not know what it
/// stands for, the reader does.
fn variables_too(schema: &mut Value, choices: &BTreeSet<String>) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| variables_too(item, choices)),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                // Those of its own are numbers and booleans, and no schemas.
                if key != "default" && key != "const" && key != "enum" {
                    variables_too(value, choices);
                }
            }
            let scalar = |name: &Value| matches!(name.as_str(), Some("number" | "integer" | "boolean"));
            let is_text = |name: &Value| name == "string";
            let wants_other = match map.get("type") {
                Some(Value::Array(names)) => names.iter().any(scalar) && !names.iter().any(is_text),
                Some(name) => scalar(name),
                None => map.get("$ref").and_then(Value::as_str).is_some_and(|name| choices.contains(name)),
            };
            if wants_other {
                let about: Vec<(String, Value)> = ["description", "default"]
                    .into_iter()
                    .filter_map(|key| Some((key.to_owned(), map.remove(key)?)))
                    .collect();
                let own = Value::Object(std::mem::take(map));
                map.insert("anyOf".to_owned(), json!([own, { "type": "string", "pattern": PATTERN }]));
                map.extend(about);
            }
        }
        _ => {}
    }
}

/// That of a mapping.
pub fn mapping<P: Part>(generator: &mut SchemaGenerator) -> Schema {
    let fields = P::fields();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.key).collect();
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.key.to_owned(), property(field, generator).to_value())).collect();
    let mut schema =
        json_schema!({ "type": "object", "additionalProperties": false, "properties": properties });
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    if !P::ABOUT.is_empty() {
        schema.insert("description".to_owned(), text(P::ABOUT).into());
    }
    schema
}

fn property(field: &Field, generator: &mut SchemaGenerator) -> Schema {
    let mut schema = (field.schema)(generator);
    if let Some(types) = &field.schema_type {
        schema.insert("type".to_owned(), types.clone());
    }
    let optional = !field.required && field.default.is_null();
    // The order of the published schema: what may be left out refers to its type after the description.
    let reference = if optional { schema.remove("$ref") } else { None };
    schema.insert("description".to_owned(), field.doc.clone().into());
    if let Some(reference) = reference {
        schema.insert("$ref".to_owned(), reference);
    }
    if !field.default.is_null() {
        schema.insert("default".to_owned(), field.default.clone());
    }
    schema
}
