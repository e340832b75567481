//! YAML text as a tree that knows where each value stands. The only place that knows the YAML crate.
//!
//! The crate's own errors would do for one problem at a time; the tree lets all problems of a file be
//! reported at once, and lets later checks point at valid values.

use super::indentation;
use super::problem::{Problem, Problems};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Spanned};

/// A place in the file: line and column from 1, width in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub line: usize,
    pub column: usize,
    pub width: usize,
}

impl Place {
    /// That of what does not stand in a file.
    pub const NONE: Place = Place { line: 0, column: 0, width: 0 };
}

pub struct Node {
    pub place: Place,
    pub value: Value,
}

pub enum Value {
    Null,
    Bool(bool),
    /// As it is written: `8.0` and `3.10` are versions, not numbers.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

pub struct Entry {
    pub key: String,
    pub place: Place,
    pub value: Node,
}

/// Levels of nesting; a spec needs six.
const DEPTH: usize = 32;
/// Values in a file; a spec of 200 endpoints needs about 2,000.
const NODES: usize = 20_000;
/// Values that aliases may add.
const ALIASED: usize = 5_000;

/// The tree of a file with exactly one document, and the keys in it that are given twice or cannot be keys.
///
/// # Errors
/// What is not YAML: only the first such problem can be known.
pub fn tree(source: &str) -> Result<(Node, Vec<Problem>), Problems> {
    let raw: Spanned<Raw> =
        serde_saphyr::from_str_with_options(source, options(DuplicateKeyPolicy::LastWins))
            .map_err(|error| syntax(&error, source))?;
    let mut problems = Vec::new();
    let node = convert(raw, source, "", &mut problems);
    // Where a key is a number the crate itself drops earlier ones, so that they are not in the tree.
    let strict: Result<Spanned<Raw>, Error> =
        serde_saphyr::from_str_with_options(source, options(DuplicateKeyPolicy::Error));
    if let Err(error) = strict
        && problems.is_empty()
    {
        problems.extend(syntax(&error, source).0);
    }
    Ok((node, problems))
}

fn options(duplicate_keys: DuplicateKeyPolicy) -> serde_saphyr::Options {
    serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        duplicate_keys: duplicate_keys,
        // `.inf` and `1e999` are refused later like any other wrong number, with the others.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        ignore_binary_tag_for_string: true,
        budget: serde_saphyr::budget! {
            max_depth: DEPTH,
            flow_nesting_limit: DEPTH,
            max_documents: 1,
            max_nodes: NODES,
            max_events: 4 * NODES,
            max_aliases: 1_000,
            max_anchors: 1_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: ALIASED,
            max_replay_stack_depth: 16,
        },
    }
}

/// The crate's error in plain words.
fn syntax(error: &Error, source: &str) -> Problems {
    let error = error.without_snippet();
    let (line, column) = error.location().map_or((1, 1), |at| (number(at.line()), number(at.column())));
    let text = error.to_string();
    // Our own output names the place.
    let said = text.split(" at line ").next().unwrap_or(&text);
    let has = |part: &str| said.to_lowercase().contains(part);
    let (message, hint) = match error {
        Error::MultipleDocuments { .. } => documents(),
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("?");
            (format!("duplicate key `{key}`"), Some("keep one of them"))
        }
        _ if has("documents {") => documents(),
        _ if has("depth {") || has("recursion limit") || has("nesting") => {
            (format!("nested deeper than {DEPTH} levels"), Some("a spec needs no more than six"))
        }
        _ if has("recursive reference") => {
            ("this anchor contains itself".to_owned(), Some("write the value out"))
        }
        _ if has("alias replay") || has("alias expansion") || has("aliases {") || has("aliasanchorratio") => {
            (format!("aliases expand to more than {ALIASED} values"), Some("write the values out"))
        }
        _ if has("budget breached") => (format!("more than {NODES} values: this is not a spec"), None),
        _ if has("unknown anchor") => (
            "`*` refers to an anchor that is not defined above".to_owned(),
            Some("put text that begins with `*` or `&` in quotes"),
        ),
        _ => {
            // Of the parser's own complaints most come from a line that is out of place above.
            if let Some(found) = indentation::explain(source, line) {
                return Problems::at(found.place, found.message, found.hint);
            }
            let found = match () {
                () if has("mapping values are not allowed") => indentation::no_colon(source, line),
                () if has("simple key expected") || has("comment intercepting") => {
                    indentation::no_colon_here(source, line)
                }
                () if has("quote") || has("flow") || has("placement of ':'") => {
                    indentation::unclosed(source, line)
                }
                () => None,
            };
            if let Some(found) = found {
                return Problems::at(found.place, found.message, found.hint);
            }
            let (message, hint) = unreadable(said);
            (message.to_owned(), Some(hint))
        }
    };
    Problems::of_file(line, column, &message, hint)
}

/// What the parser complains of, where the layout is fine.
fn unreadable(said: &str) -> (&'static str, &'static str) {
    let has = |part: &str| said.to_lowercase().contains(part);
    match () {
        () if has("tabs disallowed") => ("there is a tab here", "use spaces: YAML takes no tabs there"),
        () if has("mapping values are not allowed") => (
            "there is a second `: ` on this line",
            "put the value in quotes if it contains `: `, or begin a new line",
        ),
        () if has("simple key expected ':'") => ("this line has no `:`", "write `key: value`"),
        () if has("flow mapping") || has("placement of ':'") => (
            "a `{` or `[` above is not closed",
            "add the `}` or `]` where it ends, and a comma between the items",
        ),
        () if has("flow sequence") => {
            ("a `[` above is not closed", "add the `]` where the list ends, and a comma between the items")
        }
        () if has("quoted scalar") => {
            ("a quote above is not closed", "add the closing quote on the line where it opens")
        }
        () if has("unexpected character") => {
            ("a value cannot begin with this character", "put the value in quotes")
        }
        () => (
            "this line cannot be read as YAML",
            "write `key: value`, or `- item` in a list; put text with special characters in quotes",
        ),
    }
}

fn documents() -> (String, Option<&'static str>) {
    ("more than one YAML document in the file".to_owned(), Some("one file holds one stack: remove `---`"))
}

fn number(value: u64) -> usize {
    usize::try_from(value).unwrap_or(1).max(1)
}

enum Raw {
    Null,
    Bool(bool),
    Number,
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }
    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }
    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key()? {
            map.push((key, entries.next_value()?));
        }
        Ok(Raw::Map(map))
    }
}

/// Where the value stands; of an alias, where it is used.
fn place<T>(value: &Spanned<T>, source: &str) -> Place {
    let at = value.referenced;
    let text = slice(at.span(), source).lines().next().unwrap_or("");
    Place {
        line: number(at.line()),
        column: number(at.column()),
        width: text.trim_end().chars().count().max(1),
    }
}

/// The text of a scalar as it is written.
fn slice(span: serde_saphyr::Span, source: &str) -> &str {
    let range = span.byte_offset().zip(span.byte_len()).and_then(|(offset, length)| {
        let start = usize::try_from(offset).ok()?;
        Some(start..start.checked_add(usize::try_from(length).ok()?)?)
    });
    range.and_then(|range| source.get(range)).unwrap_or("")
}

fn convert(raw: Spanned<Raw>, source: &str, path: &str, problems: &mut Vec<Problem>) -> Node {
    let place = place(&raw, source);
    let written = slice(raw.defined.span(), source).trim().to_owned();
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool(value) => Value::Bool(value),
        Raw::Number => Value::Number(written),
        Raw::Text(text) => Value::Text(text),
        Raw::List(items) => {
            let item = |(n, item)| convert(item, source, &format!("{path}[{n}]"), problems);
            Value::List(items.into_iter().enumerate().map(item).collect())
        }
        Raw::Map(entries) => Value::Map(map(entries, source, path, problems)),
    };
    Node { place, value }
}

fn map(
    entries: Vec<(Spanned<Raw>, Spanned<Raw>)>,
    source: &str,
    path: &str,
    problems: &mut Vec<Problem>,
) -> Vec<Entry> {
    let mut map: Vec<Entry> = Vec::new();
    for (key, value) in entries {
        let at = place(&key, source);
        let mut problem = |path: String, message: String, hint: String| {
            let Place { line, column, width } = at;
            problems.push(Problem {
                line,
                column,
                width,
                path,
                message,
                hint: Some(hint),
                is_warning: false,
            });
        };
        let name = match &key.value {
            Raw::Text(text) => text.clone(),
            Raw::Number => slice(key.defined.span(), source).trim().to_owned(),
            Raw::Bool(value) => value.to_string(),
            Raw::Null | Raw::List(_) | Raw::Map(_) => {
                problem(
                    path.to_owned(),
                    "a key must be plain text".to_owned(),
                    "write `key: value`".to_owned(),
                );
                continue;
            }
        };
        let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if let Some(first) = map.iter().find(|entry| entry.key == name) {
            let hint = format!("it is also on line {}; keep one of them", first.place.line);
            problem(inner, format!("duplicate key `{name}`"), hint);
            continue;
        }
        map.push(Entry { key: name, place: at, value: convert(value, source, &inner, problems) });
    }
    map
}
