//! Text of a template, YAML or JSON, to a value in which every function has its long form.

use super::problem::{Problem, Problems};
use super::short_form;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Spanned, Tagged};
use std::collections::BTreeMap;

/// Bytes of a template that CloudFormation takes through S3 (CloudFormation quotas: "Template body size in an S3
/// object", 1 MB).
pub const LARGEST: usize = 1_048_576;
/// Levels of nesting. IAM policies inside of functions inside of resources come to some fifteen.
const DEPTH: usize = 64;
/// Values in a template: 500 resources of 200 values.
const NODES: usize = 100_000;

/// Where the values stand, by path: line from 1.
pub type Lines = BTreeMap<String, usize>;

/// The value, and where its parts stand.
///
/// # Errors
/// Everything that is wrong with the text; of what is not YAML only the first can be known.
pub fn read(text: &str) -> Result<(Value, Lines), Problems> {
    if text.len() > LARGEST {
        let message = format!("larger than {LARGEST} bytes, which CloudFormation does not allow");
        return Err(Problems::one(0, "", message));
    }
    let raw: Part = match serde_saphyr::from_str_with_options(text, options()) {
        Ok(raw) => raw,
        Err(error) => return json(text).ok_or_else(|| syntax(text, &error)),
    };
    let mut reader = Reader { text, lines: Lines::new(), problems: Vec::new() };
    let value = reader.value(raw, &mut Path::default());
    match Problems::of(reader.problems) {
        Some(problems) => Err(problems),
        None => Ok((value, reader.lines)),
    }
}

/// JSON that is no YAML, because of tabs or of escapes such as `\/`.
fn json(text: &str) -> Option<(Value, Lines)> {
    let value: Value = serde_json::from_str(text).ok()?;
    let mut reader = Reader { text, lines: Lines::new(), problems: Vec::new() };
    let value = reader.plain(value, &mut Path::default());
    reader.problems.is_empty().then_some((value, reader.lines))
}

/// Aliases are none of CloudFormation's YAML (its user guide, "CloudFormation template formats"), so none are
/// followed.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        // Found later, with their lines.
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        ignore_binary_tag_for_string: true,
        budget: serde_saphyr::budget! {
            max_depth: DEPTH,
            flow_nesting_limit: DEPTH,
            max_documents: 1,
            max_nodes: NODES,
            max_events: 4 * NODES,
            max_aliases: 0,
            max_anchors: 1_000,
        },
    }
}

fn syntax(text: &str, error: &serde_saphyr::Error) -> Problems {
    // Of a text that begins like JSON, the reader of JSON knows better what is wrong.
    if text.trim_start().starts_with('{')
        && let Err(error) = serde_json::from_str::<Value>(text)
        && !error.to_string().contains("recursion limit")
    {
        let said = error.to_string();
        let said = said.split(" at line ").next().unwrap_or(&said).to_owned();
        return Problems::one(error.line(), "", format!("not JSON: {said}"));
    }
    let error = error.without_snippet();
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or(&said);
    let has = |part: &str| said.to_lowercase().contains(part);
    let message = if has("depth {") || has("recursion limit") || has("nesting") {
        format!("nested deeper than {DEPTH} levels")
    } else if has("aliases {") || has("alias") {
        "CloudFormation does not support aliases (`*name`): write the value out".to_owned()
    } else if has("documents {") || has("multiple documents") {
        "more than one YAML document in the file".to_owned()
    } else if has("budget breached") {
        format!("more than {NODES} values")
    } else {
        format!("not YAML: {said}")
    };
    let line = error.location().and_then(|at| usize::try_from(at.line()).ok()).unwrap_or(0);
    Problems::one(line, "", message)
}

/// A value, its tag and where it stands.
type Part = Spanned<Tagged<Raw>>;

enum Raw {
    Null,
    Bool(bool),
    Number,
    Text(String),
    List(Vec<Part>),
    Map(Vec<(Part, Part)>),
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
    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Number)
    }
    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
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

/// The way to a value: `Resources.Bucket.Properties.Tags[0].Key`.
#[derive(Default)]
struct Path(String);

impl Path {
    /// What is done with the path of a part.
    fn part<T>(&mut self, part: &str, work: impl FnOnce(&mut Path) -> T) -> T {
        let length = self.0.len();
        if !self.0.is_empty() && !part.starts_with('[') {
            self.0.push('.');
        }
        self.0.push_str(part);
        let done = work(self);
        self.0.truncate(length);
        done
    }
}

struct Reader<'a> {
    text: &'a str,
    lines: Lines,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn wrong(&mut self, line: usize, path: &Path, message: String) {
        self.problems.push(Problem { line, path: path.0.clone(), message });
    }

    /// The text of a scalar as it is written.
    fn written(&self, value: &Part) -> &str {
        let span = value.defined.span();
        let range = span.byte_offset().zip(span.byte_len()).and_then(|(offset, length)| {
            let start = usize::try_from(offset).ok()?;
            Some(start..start.checked_add(usize::try_from(length).ok()?)?)
        });
        range.and_then(|range| self.text.get(range)).unwrap_or("").trim()
    }

    fn value(&mut self, raw: Part, path: &mut Path) -> Value {
        let line = usize::try_from(raw.referenced.line()).unwrap_or(0);
        self.lines.entry(path.0.clone()).or_insert(line);
        let written = match &raw.value.0 {
            Raw::Number => self.written(&raw).to_owned(),
            _ => String::new(),
        };
        let Tagged(inner, tag) = raw.value;
        let function = match tag.as_deref().map(short_form::meaning) {
            None | Some(short_form::Tag::Core) => None,
            Some(short_form::Tag::Text) => {
                // `!!str 1` is text, whatever it looks like.
                return match inner {
                    Raw::Text(text) => Value::String(text),
                    Raw::Bool(value) => Value::String(value.to_string()),
                    _ => Value::String(written),
                };
            }
            Some(short_form::Tag::Function(name)) => Some(name),
            Some(short_form::Tag::Unknown) => {
                let tag = tag.unwrap_or_default();
                self.wrong(line, path, format!("`{tag}` is not a CloudFormation function"));
                None
            }
        };
        let plain = match inner {
            // `!GetAZs` without anything means the region of the stack.
            Raw::Null if function.is_some() => Value::String(String::new()),
            Raw::Null => {
                self.wrong(
                    line,
                    path,
                    "the value is missing, and CloudFormation does not allow null".to_owned(),
                );
                Value::Null
            }
            Raw::Bool(value) => Value::Bool(value),
            Raw::Number => number(&written),
            Raw::Text(text) => Value::String(text),
            Raw::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (n, item) in items.into_iter().enumerate() {
                    list.push(path.part(&format!("[{n}]"), |path| self.value(item, path)));
                }
                Value::Array(list)
            }
            Raw::Map(entries) => self.map(entries, path),
        };
        match function {
            Some(name) => short_form::long(&name, plain),
            None => short_form::normal(plain),
        }
    }

    fn map(&mut self, entries: Vec<(Part, Part)>, path: &mut Path) -> Value {
        let mut map = Map::new();
        for (key, value) in entries {
            let line = usize::try_from(key.referenced.line()).unwrap_or(0);
            let name = match &key.value.0 {
                Raw::Text(text) => text.clone(),
                // The keys of mappings may be account numbers: `012345678901`.
                Raw::Number => self.written(&key).to_owned(),
                Raw::Bool(value) => value.to_string(),
                Raw::Null | Raw::List(_) | Raw::Map(_) => {
                    self.wrong(line, path, "a key must be plain text".to_owned());
                    continue;
                }
            };
            if name == "<<" {
                self.wrong(line, path, "CloudFormation does not support `<<`, which merges maps".to_owned());
                continue;
            }
            if map.contains_key(&name) {
                path.part(&name, |path| self.wrong(line, path, format!("duplicate key `{name}`")));
                continue;
            }
            let value = path.part(&name, |path| {
                self.lines.insert(path.0.clone(), line);
                self.value(value, path)
            });
            map.insert(name, value);
        }
        Value::Object(map)
    }

    /// What the reader of JSON made: the same rules, without lines.
    fn plain(&mut self, value: Value, path: &mut Path) -> Value {
        let value = match value {
            Value::Null => {
                self.wrong(0, path, "CloudFormation does not allow null".to_owned());
                Value::Null
            }
            Value::Array(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (n, item) in items.into_iter().enumerate() {
                    list.push(path.part(&format!("[{n}]"), |path| self.plain(item, path)));
                }
                Value::Array(list)
            }
            Value::Object(map) => {
                let mut long = Map::new();
                for (name, value) in map {
                    let value = path.part(&name, |path| self.plain(value, path));
                    long.insert(name, value);
                }
                Value::Object(long)
            }
            scalar => scalar,
        };
        short_form::normal(value)
    }
}

/// A number that is written as JSON would write it; anything else as the text that it is: `3.10` is a version
/// and `012345678901` an account. To CloudFormation both are text.
fn number(written: &str) -> Value {
    let number = serde_json::from_str::<Value>(written).ok().filter(Value::is_number);
    match number.map(|value| (value.to_string(), value)) {
        Some((text, value)) if text == written => value,
        _ => Value::String(written.to_owned()),
    }
}
