//! What a value of the spec looks like: how it is read, and what it is called in a table and in the JSON Schema.

use super::node::{Node, Value};
use super::problem::{list, meant};
use super::reader::{Reader, join};
use ipnet::Ipv4Net;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde::de::value::StrDeserializer;
use serde_json::json;
use std::collections::BTreeMap;
use std::str::FromStr;

/// A type that a field can have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a field of the spec",
    note = "an enum of names needs a line in `choices!`, a mapping is written with `fields!`"
)]
pub trait Form: Sized {
    /// Reads one; problems are reported, and then there is no value.
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Self>;

    /// What a table calls it: `text`.
    fn in_words() -> String;

    /// What a table calls many of it, in a list or mapping.
    fn many_in_words() -> String {
        Self::in_words()
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema;

    /// How a list of it is written, for the hint where something else than a list stands.
    fn list_hint() -> String {
        list_of("A, B")
    }

    /// Adds the path of everything in it that is not just a default. `path` is its own.
    fn given(&self, _path: &str, _found: &mut Vec<String>) {}
}

/// How a list of such items is written.
pub fn list_of(items: &str) -> String {
    format!("write `[{items}]`, or one item per line, each after `- `")
}

/// `wrong type` in words: what is wanted, and what is there.
pub fn mismatch<T>(node: &Node, path: &str, reader: &mut Reader, wanted: &str, hint: &str) -> Option<T> {
    let found = match &node.value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::Text(_) => "text",
        Value::List(_) => "a list",
        Value::Map(_) => "a mapping",
    };
    let name = if path.is_empty() { "the spec".to_owned() } else { format!("`{path}`") };
    reader.refuse(path, format!("{name} must be {wanted}, not {found}"), Some(hint.to_owned()));
    None
}

/// The text of a scalar as it is written.
pub fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) | Value::Number(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

impl Form for String {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<String> {
        match scalar(node) {
            Some(text) => Some(text),
            None => mismatch(
                node,
                path,
                reader,
                "text",
                "write the text on the same line; add quotes if it has special characters",
            ),
        }
    }
    fn in_words() -> String {
        "text".to_owned()
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl Form for bool {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<bool> {
        match &node.value {
            Value::Bool(value) => Some(*value),
            Value::Text(text) => {
                // The first two are text only in quotes; the others may have none.
                let hint = match text.to_lowercase().as_str() {
                    _ if text == "true" => "write `true`, without quotes",
                    _ if text == "false" => "write `false`, without quotes",
                    "true" | "yes" | "on" | "y" => "write `true`",
                    "false" | "no" | "off" | "n" => "write `false`",
                    _ => "write `true` or `false`",
                };
                mismatch(node, path, reader, "a boolean", hint)
            }
            _ => mismatch(node, path, reader, "a boolean", "write `true` or `false`"),
        }
    }
    fn in_words() -> String {
        "boolean".to_owned()
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

/// A whole number from 0.
fn whole<T: FromStr>(node: &Node, path: &str, reader: &mut Reader, most: u64) -> Option<T> {
    let Value::Number(text) = &node.value else {
        return mismatch(node, path, reader, "a whole number", "write digits only, without quotes");
    };
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    let (message, hint) = if text.chars().all(|c| c.is_ascii_digit()) {
        (format!("`{path}` must be at most {most}, not {text}"), "write a smaller number")
    } else {
        (format!("`{path}` must be a whole number from 0, not {text}"), "write digits only")
    };
    reader.refuse(path, message, Some(hint.to_owned()));
    None
}

macro_rules! whole_numbers {
    ($($name:ident),*) => {
        $(impl Form for $name {
            fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<$name> {
                whole(node, path, reader, $name::MAX.into())
            }
            fn in_words() -> String {
                "number".to_owned()
            }
            fn schema(generator: &mut SchemaGenerator) -> Schema {
                generator.subschema_for::<$name>()
            }
        })*
    };
}

whole_numbers!(u8, u16, u32);

impl Form for f64 {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<f64> {
        let value = match &node.value {
            Value::Number(text) => text.parse::<f64>().ok().filter(|value| value.is_finite()),
            _ => None,
        };
        if value.is_some() {
            return value;
        }
        if let Value::Number(text) = &node.value {
            let hint = "write a decimal number such as `0.5`".to_owned();
            reader.refuse(path, format!("invalid number {text} for `{path}`"), Some(hint));
            return None;
        }
        mismatch(node, path, reader, "a number", "write a number such as `0.5`, without quotes")
    }
    fn in_words() -> String {
        "number".to_owned()
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Self>()
    }
}

impl Form for Ipv4Net {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Ipv4Net> {
        let text = String::read(node, path, reader)?;
        if let Ok(cidr) = text.parse() {
            return Some(cidr);
        }
        let hint = "write an IPv4 network and its prefix length, such as `10.0.0.0/16`";
        reader.refuse(path, format!("`{text}` is not a CIDR block"), Some(hint.to_owned()));
        None
    }
    fn in_words() -> String {
        "CIDR block".to_owned()
    }
    fn many_in_words() -> String {
        "CIDR blocks".to_owned()
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<String>()
    }
}

impl<T: Form> Form for Option<T> {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Option<T>> {
        T::read(node, path, reader).map(Some)
    }
    fn in_words() -> String {
        T::in_words()
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        // Not `null`: a key without a value is refused.
        T::schema(generator)
    }
    fn given(&self, path: &str, found: &mut Vec<String>) {
        if let Some(value) = self {
            value.given(path, found);
        }
    }
}

impl<T: Form> Form for Vec<T> {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Vec<T>> {
        let Value::List(items) = &node.value else {
            return mismatch(node, path, reader, "a list", &T::list_hint());
        };
        let mut read = Vec::new();
        for (n, item) in items.iter().enumerate() {
            read.extend(T::read(item, &format!("{path}[{n}]"), reader));
        }
        // Without one item the others would no longer stand at their own numbers.
        (read.len() == items.len()).then_some(read)
    }
    fn in_words() -> String {
        format!("list of {}", T::many_in_words())
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": T::schema(generator) })
    }
    fn given(&self, path: &str, found: &mut Vec<String>) {
        for (n, item) in self.iter().enumerate() {
            let path = format!("{path}[{n}]");
            item.given(&path, found);
            found.push(path);
        }
    }
}

impl<T: Form> Form for BTreeMap<String, T> {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<BTreeMap<String, T>> {
        let Value::Map(entries) = &node.value else {
            return mismatch(node, path, reader, "a mapping", "write `name: value` lines below it, indented");
        };
        let mut map = BTreeMap::new();
        for entry in entries {
            if let Some(value) = T::read(&entry.value, &join(path, &entry.key), reader) {
                map.insert(entry.key.clone(), value);
            }
        }
        Some(map)
    }
    fn in_words() -> String {
        format!("mapping of {}", T::many_in_words())
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let mut values = T::schema(generator);
        if values.get("type") == Some(&json!("string")) {
            // Numbers and booleans keep their text.
            values.insert("type".to_owned(), json!(["string", "number", "boolean"]));
        }
        json_schema!({ "type": "object", "additionalProperties": values })
    }
    fn given(&self, path: &str, found: &mut Vec<String>) {
        for (key, value) in self {
            let path = join(path, key);
            value.given(&path, found);
            found.push(path);
        }
    }
}

/// Enums whose names are the values.
macro_rules! choices {
    ($($name:ty),*) => {
        $(impl $crate::spec::form::Form for $name {
            fn read(
                node: &$crate::spec::node::Node, path: &str, reader: &mut $crate::spec::reader::Reader,
            ) -> Option<$name> {
                $crate::spec::form::choice(node, path, reader)
            }
            fn in_words() -> String {
                let names = $crate::spec::form::names::<$name>();
                names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            }
            fn many_in_words() -> String {
                "names".to_owned()
            }
            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<$name>()
            }
        })*
    };
}
pub(super) use choices;

/// One of the names of an enum; which names there are, serde knows.
pub fn choice<T: DeserializeOwned>(node: &Node, path: &str, reader: &mut Reader) -> Option<T> {
    let Some(text) = scalar(node) else {
        let hint = format!("write one of {}", list(names::<T>()));
        return mismatch(node, path, reader, "a name", &hint);
    };
    match named(&text) {
        Ok(value) => Some(value),
        Err(Names(names)) => {
            reader.refuse(
                path,
                format!("invalid value `{text}` for `{path}`"),
                Some(meant(&text, "possible values", names)),
            );
            None
        }
    }
}

fn named<T: DeserializeOwned>(text: &str) -> Result<T, Names> {
    T::deserialize(StrDeserializer::<Names>::new(text))
}

/// The names of an enum, none of which is empty.
pub fn names<T: DeserializeOwned>() -> &'static [&'static str] {
    named::<T>("").map_or_else(|Names(names)| names, |_| &[])
}

/// Serde's "unknown variant" with the names that it knows.
#[derive(Debug)]
struct Names(&'static [&'static str]);

impl std::fmt::Display for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&list(self.0))
    }
}

impl std::error::Error for Names {}

impl serde::de::Error for Names {
    fn custom<T: std::fmt::Display>(_: T) -> Names {
        Names(&[])
    }
    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Names {
        Names(expected)
    }
}
