//! The one place of each field of the spec.
//!
//! A part of the spec, such as `bucket`, is written once, with [`fields!`]: its fields with their types, defaults,
//! descriptions, and their rows in docs/spec.md. From that come the struct, how it is read from YAML and with
//! serde, its JSON Schema, its table, and how one is made in code. A new field is one more entry there.

use super::form::{Form, list_of};
use super::node::Node;
use super::reader::{Keys, Reader, join};
use schemars::{Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::{DeserializeOwned, Error};
use serde_json::{Map, Value as Json};

/// Writes a part of the spec. Of an entry everything may be left out but the description and the meaning:
///
/// ```text
/// /// Days that automated backups are kept, 1 to 35.  <- what editors show, from the JSON Schema
/// backup_retention_days: u16 {
///     required: "write `…`",              // what to write if it is missing; without this there is a default:
///     default: 1,                         // without this `Default::default()`
///     schema_type: ["string", "number"],  // what editors accept, if that is more than the type's own
///     type: "days, 1–35",                 // in the table; without this the type in words
///     default_is: "left to AWS",          // in the table; without this the value
///     changed: "in place",                // in the table: what a change after the first apply does
///     meaning: "how long AWS keeps automated backups",       // in the table
/// }
/// ```
///
/// The head has the name of the table, and what to write where something else than a mapping stands (`hint`). It
/// may name a function that knows better what to say of some unknown keys (`unknown`), and say that `Form` is
/// implemented beside it (`form: by_hand`), where there is more than one way to write the part.
macro_rules! fields {
    (
        $(#[doc = $about:literal])*
        pub struct $name:ident in $table:literal (
            hint: $hint:expr $(, unknown: $unknown:path)? $(, form: $by_hand:ident)?
        ) {$(
            $(#[doc = $doc:literal])+
            $field:ident: $type:ty {
                $(required: $required:literal,)?
                $(default: $default:expr,)?
                $(schema_type: $schema_type:expr,)?
                $(type: $in_words:literal,)?
                $(default_is: $default_is:literal,)?
                $(changed: $changed:literal,)?
                meaning: $meaning:literal $(,)?
            }
        )*}
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        pub struct $name {$(
            $(#[doc = $doc])+
            pub $field: $type,
        )*}

        impl $crate::spec::fields::Part for $name {
            const TABLE: &'static str = $table;
            const ABOUT: &'static [&'static str] = &[$($about),*];
            const HINT: &'static str = $hint;

            fn fields() -> Vec<$crate::spec::fields::Field> {
                vec![$({
                    let otherwise = fields!(@otherwise [$($required)?] [$($default)?]);
                    let field = $crate::spec::fields::Field::new::<$type>(stringify!($field), otherwise, $meaning);
                    $crate::spec::fields::Field {
                        doc: $crate::spec::fields::text(&[$($doc),+]),
                        $(schema_type: Some(serde_json::json!($schema_type)),)?
                        $(in_words: $in_words.to_owned(),)?
                        $(default_in_words: $default_is.to_owned(),)?
                        $(changed: Some($changed),)?
                        ..field
                    }
                }),*]
            }

            fn from_keys(keys: &mut $crate::spec::reader::Keys, reader: &mut $crate::spec::reader::Reader) -> $name {
                $name {$(
                    $field: keys.field(
                        stringify!($field), fields!(@otherwise [$($required)?] [$($default)?]), reader,
                    ),
                )*}
            }

            fn given_fields(&self, path: &str, found: &mut Vec<String>) {
                $($crate::spec::fields::given(
                    path, stringify!($field), &self.$field, fields!(@otherwise [$($required)?] [$($default)?]), found,
                );)*
            }

            $(fn unknown(key: &str) -> Option<(String, String)> {
                $unknown(key)
            })?
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let mut map = serde_json::Map::deserialize(deserializer)?;
                let part = $name {$(
                    $field: $crate::spec::fields::take(
                        &mut map, stringify!($field), fields!(@otherwise [$($required)?] [$($default)?]),
                    )?,
                )*};
                $crate::spec::fields::nothing_left(&map)?;
                Ok(part)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::spec::schema::mapping::<$name>(generator)
            }
        }

        fields!(@form $name $($by_hand)?);
        fields!(@new $name {$( $field: ($type) [$($required)?] [$($default)?] )*});
    };

    (@otherwise [] []) => { $crate::spec::fields::Otherwise::Default(Default::default()) };
    (@otherwise [] [$default:expr]) => { $crate::spec::fields::Otherwise::Default($default) };
    (@otherwise [$hint:literal] []) => { $crate::spec::fields::Otherwise::Required($hint) };

    (@form $name:ident by_hand) => {};
    (@form $name:ident) => {
        impl $crate::spec::form::Form for $name {
            fn read(
                node: &$crate::spec::node::Node, path: &str, reader: &mut $crate::spec::reader::Reader,
            ) -> Option<$name> {
                $crate::spec::fields::read(node, path, reader)
            }
            fn in_words() -> String {
                "mapping".to_owned()
            }
            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<$name>()
            }
            fn list_hint() -> String {
                $crate::spec::fields::list_hint::<$name>()
            }
            fn given(&self, path: &str, found: &mut Vec<String>) {
                $crate::spec::fields::Part::given_fields(self, path, found);
            }
        }
    };

    // Made in code: by default, or from what is required.
    (@new $name:ident {$( $field:ident: ($type:ty) [] [$($default:expr)?] )*}) => {
        impl Default for $name {
            fn default() -> $name {
                $name {$( $field: fields!(@value $field [] [$($default)?]), )*}
            }
        }
    };
    (@new $name:ident {$( $field:ident: ($type:ty) [$($required:literal)?] [$($default:expr)?] )*}) => {
        impl $name {
            /// One with all defaults.
            pub fn new($($( $field: fields!(@into $type, $required), )?)*) -> $name {
                $name {$( $field: fields!(@value $field [$($required)?] [$($default)?]), )*}
            }
        }
    };
    (@into $type:ty, $required:literal) => { impl Into<$type> };
    (@value $field:ident [] []) => { Default::default() };
    (@value $field:ident [] [$default:expr]) => { $default };
    (@value $field:ident [$required:literal] []) => { $field.into() };
}
pub(super) use fields;

/// A mapping of the spec whose fields are known; written by [`fields!`].
pub trait Part: Sized {
    /// The name of its table in docs/spec.md.
    const TABLE: &'static str;
    /// Its documentation, line by line.
    const ABOUT: &'static [&'static str];
    /// What to write if something else than a mapping is there.
    const HINT: &'static str;

    /// Its fields, in order.
    fn fields() -> Vec<Field>;

    /// Reads each field; what cannot be read is reported, and a stand-in takes its place.
    fn from_keys(keys: &mut Keys, reader: &mut Reader) -> Self;

    /// Adds the path of everything in it that is not just a default. `path` is its own.
    fn given_fields(&self, path: &str, found: &mut Vec<String>);

    /// Message and hint for an unknown key, if there is more to say of it than that.
    fn unknown(_: &str) -> Option<(String, String)> {
        None
    }
}

/// What holds if a field is not given.
pub enum Otherwise<T> {
    Default(T),
    /// It must be; here is what to write.
    Required(&'static str),
}

/// A field, for its schema and its row in docs/spec.md.
pub struct Field {
    pub key: &'static str,
    pub doc: String,
    pub required: bool,
    /// Null if there is none.
    pub default: Json,
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// JSON's types, if editors should accept more than the type's own.
    pub schema_type: Option<Json>,
    pub in_words: String,
    pub default_in_words: String,
    pub changed: Option<&'static str>,
    pub meaning: &'static str,
}

impl Field {
    pub fn new<T: Form + Serialize>(
        key: &'static str,
        otherwise: Otherwise<T>,
        meaning: &'static str,
    ) -> Field {
        let (required, default) = match otherwise {
            Otherwise::Required(_) => (true, Json::Null),
            // Values of a spec are plain: writing one as JSON cannot fail.
            Otherwise::Default(value) => (false, serde_json::to_value(value).unwrap_or_default()),
        };
        let default_in_words = match &default {
            _ if required => "required".to_owned(),
            Json::Null => "none".to_owned(),
            Json::Array(items) if items.is_empty() => "none".to_owned(),
            Json::Object(map) if map.is_empty() => "none".to_owned(),
            Json::String(text) => format!("`{text}`"),
            value => format!("`{value}`"),
        };
        Field {
            key,
            doc: String::new(),
            required,
            default,
            schema: T::schema,
            schema_type: None,
            in_words: T::in_words(),
            default_in_words,
            changed: None,
            meaning,
        }
    }
}

/// The text of a documentation comment.
pub fn text(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.join("\n")
}

/// Reads a part from a mapping.
pub fn read<P: Part>(node: &Node, path: &str, reader: &mut Reader) -> Option<P> {
    let mut keys = Keys::new(node, path, reader, P::HINT)?;
    let part = P::from_keys(&mut keys, reader);
    keys.finish(reader, P::unknown);
    Some(part)
}

/// How a list of such mappings is written: with the one that the part's own hint shows.
pub fn list_hint<P: Part>() -> String {
    let shown =
        P::HINT.split('`').map(|part| part.trim_start_matches("- ")).find(|part| part.starts_with('{'));
    list_of(shown.unwrap_or("{ key: value }"))
}

/// Adds the path of a field and of what is in it, unless it is just the default.
pub fn given<T: Form + PartialEq>(
    path: &str,
    key: &str,
    value: &T,
    otherwise: Otherwise<T>,
    found: &mut Vec<String>,
) {
    let path = join(path, key);
    if !matches!(otherwise, Otherwise::Default(default) if default == *value) {
        value.given(&path, found);
        found.push(path);
    }
}

/// Takes a field out of a map, for serde.
///
/// # Errors
/// It is required and not there, or of another type.
pub fn take<T: DeserializeOwned, E: Error>(
    map: &mut Map<String, Json>,
    key: &'static str,
    otherwise: Otherwise<T>,
) -> Result<T, E> {
    match (map.remove(key), otherwise) {
        (Some(value), _) => {
            serde_json::from_value(value).map_err(|error| E::custom(format_args!("`{key}`: {error}")))
        }
        (None, Otherwise::Default(value)) => Ok(value),
        (None, Otherwise::Required(_)) => Err(E::missing_field(key)),
    }
}

/// # Errors
/// There is a key that is no field.
pub fn nothing_left<E: Error>(map: &Map<String, Json>) -> Result<(), E> {
    match map.keys().next() {
        Some(key) => Err(E::custom(format_args!("unknown field `{key}`"))),
        None => Ok(()),
    }
}
