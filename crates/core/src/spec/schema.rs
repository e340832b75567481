//! The JSON Schema of a spec, for editors: as the reader takes it, which is not quite as serde does.

use super::Spec;
use super::fields::{Field, Part, text};
use schemars::{Schema, SchemaGenerator, json_schema, schema_for};
use serde_json::{Map, Value};

/// The JSON Schema of a spec: draft 2020-12.
pub fn json_schema() -> String {
    // A schema is a JSON value: writing it cannot fail.
    let mut text = serde_json::to_string_pretty(&schema_for!(Spec).to_value()).unwrap_or_default();
    text.push('\n');
    text
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
