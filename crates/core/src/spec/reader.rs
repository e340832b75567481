//! From the positioned tree to plain values: the machinery. What the keys are is in `read`.

use super::node::{Entry, Node, Place, Value};
use super::problem::{Problem, Problems, list, meant};
use ipnet::Ipv4Net;
use serde::de::DeserializeOwned;
use serde::de::value::StrDeserializer;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;

/// Collects what is wrong, and knows where each value stands.
pub struct Reader {
    problems: Vec<Problem>,
    places: HashMap<String, Place>,
    /// Where the key of each value stands.
    keys: HashMap<String, Place>,
    /// Paths that could not be read: what stands there in the spec is a stand-in.
    broken: BTreeSet<String>,
}

impl Reader {
    pub fn new(root: &Node, found: Vec<Problem>) -> Reader {
        let (mut places, mut keys) = (HashMap::new(), HashMap::new());
        let first = match &root.value {
            Value::Map(entries) => entries.first().map_or(root.place, |entry| entry.place),
            _ => root.place,
        };
        places.insert(String::new(), first);
        index(root, "", None, &mut places, &mut keys);
        let broken = found.iter().map(|problem| problem.path.clone()).collect();
        Reader { problems: found, places, keys, broken }
    }

    /// Whether the file has a value at `path`.
    pub fn given(&self, path: &str) -> bool {
        self.places.contains_key(path)
    }

    /// Whether what the spec has at `path`, and all in it, is what the file says.
    pub fn sound(&self, path: &str) -> bool {
        !self.broken.iter().any(|broken| within(broken, path) || within(path, broken))
    }

    /// A value that cannot be read. Nothing else is reported about it.
    pub fn refuse(&mut self, path: &str, message: String, hint: Option<String>) {
        let place = self.place(path);
        self.push(place, path, message, hint);
        self.broken.insert(path.to_owned());
    }

    /// A value that can be read but is not possible, unless it is a stand-in.
    pub fn report(&mut self, path: &str, message: impl Into<String>, hint: impl Into<String>) {
        let place = self.place(path);
        self.report_at(place, path, message.into(), hint.into());
    }

    /// Like `report`, where it is the key that is not possible.
    pub fn report_key(&mut self, path: &str, message: impl Into<String>, hint: impl Into<String>) {
        let place = self.keys.get(path).copied().unwrap_or_else(|| self.place(path));
        self.report_at(place, path, message.into(), hint.into());
    }

    fn report_at(&mut self, place: Place, path: &str, message: String, hint: String) {
        // What is not there may only be misspelt, and that is then reported beside it.
        let misspelt = !self.given(path) && {
            let (parent, _) = path.rsplit_once('.').unwrap_or(("", path));
            self.broken.iter().any(|broken| broken.rsplit_once('.').map_or("", |(of, _)| of) == parent)
        };
        if self.sound(path) && !misspelt {
            self.push(place, path, message, Some(hint));
        }
    }

    /// Like `refuse`, pointing at the key.
    fn refuse_key(&mut self, entry: &Entry, path: &str, message: String, hint: Option<String>) {
        self.push(entry.place, path, message, hint);
        self.broken.insert(path.to_owned());
    }

    fn push(&mut self, place: Place, path: &str, message: String, hint: Option<String>) {
        let Place { line, column, width } = place;
        self.problems.push(Problem { line, column, width, path: path.to_owned(), message, hint });
    }

    /// Where `path` stands, or else what it would stand in.
    fn place(&self, path: &str) -> Place {
        let mut path = path;
        loop {
            if let Some(place) = self.places.get(path) {
                return *place;
            }
            path = path.rfind(['.', '[']).map_or("", |end| &path[..end]);
            if path.is_empty() {
                return self.places.get("").copied().unwrap_or(Place { line: 1, column: 1, width: 1 });
            }
        }
    }

    /// All problems in the order of the file.
    pub fn finish(mut self) -> Problems {
        self.problems.sort_by(|a, b| (a.line, a.column, &a.message).cmp(&(b.line, b.column, &b.message)));
        self.problems.dedup();
        Problems(self.problems)
    }
}

/// Whether `inner` is `outer` or lies in it.
fn within(inner: &str, outer: &str) -> bool {
    outer.is_empty()
        || inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

type Places = HashMap<String, Place>;

fn index(node: &Node, path: &str, key: Option<Place>, places: &mut Places, keys: &mut Places) {
    let place = match &node.value {
        // What stands on several lines is shown at its key; a value that is not there as well.
        Value::Map(_) | Value::List(_) | Value::Null => key.unwrap_or(node.place),
        Value::Bool(_) | Value::Number(_) | Value::Text(_) => node.place,
    };
    if !path.is_empty() {
        places.insert(path.to_owned(), place);
        keys.insert(path.to_owned(), key.unwrap_or(node.place));
    }
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                index(&entry.value, &join(path, &entry.key), Some(entry.place), places, keys);
            }
        }
        Value::List(items) => {
            for (n, item) in items.iter().enumerate() {
                index(item, &format!("{path}[{n}]"), None, places, keys);
            }
        }
        _ => {}
    }
}

pub fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// What can be read from a node; problems are reported, and then there is no value.
pub trait Read: Sized {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Self>;
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

impl Read for String {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<String> {
        match scalar(node) {
            Some(text) => Some(text),
            None => {
                mismatch(node, path, reader, "text", "write the text on the same line, in quotes if need be")
            }
        }
    }
}

impl Read for bool {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<bool> {
        match &node.value {
            Value::Bool(value) => Some(*value),
            _ => mismatch(node, path, reader, "a boolean", "write `true` or `false`"),
        }
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
        (format!("`{path}` is at most {most}, not {text}"), "write a smaller number")
    } else {
        (format!("`{path}` must be a whole number from 0, not {text}"), "write digits only")
    };
    reader.refuse(path, message, Some(hint.to_owned()));
    None
}

impl Read for u8 {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<u8> {
        whole(node, path, reader, u8::MAX.into())
    }
}

impl Read for u16 {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<u16> {
        whole(node, path, reader, u16::MAX.into())
    }
}

impl Read for u32 {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<u32> {
        whole(node, path, reader, u32::MAX.into())
    }
}

impl Read for f64 {
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
            reader.refuse(path, format!("`{path}` cannot be {text}"), Some(hint));
            return None;
        }
        mismatch(node, path, reader, "a number", "write a number such as `0.5`, without quotes")
    }
}

impl Read for Ipv4Net {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Ipv4Net> {
        let text = String::read(node, path, reader)?;
        if let Ok(cidr) = text.parse() {
            return Some(cidr);
        }
        let hint = "write an IPv4 network and its prefix length, such as `10.0.0.0/16`";
        reader.refuse(path, format!("`{text}` is not a CIDR block"), Some(hint.to_owned()));
        None
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Vec<T>> {
        let Value::List(items) = &node.value else {
            return mismatch(
                node,
                path,
                reader,
                "a list",
                "write `[…]`, or one item a line, each after `- `",
            );
        };
        let mut read = Vec::new();
        for (n, item) in items.iter().enumerate() {
            read.extend(T::read(item, &format!("{path}[{n}]"), reader));
        }
        // Without one item the others would no longer stand at their own numbers.
        (read.len() == items.len()).then_some(read)
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<BTreeMap<String, T>> {
        let Value::Map(entries) = &node.value else {
            return mismatch(node, path, reader, "a mapping", "write `name: value`, one a line, indented");
        };
        let mut map = BTreeMap::new();
        for entry in entries {
            if let Some(value) = T::read(&entry.value, &join(path, &entry.key), reader) {
                map.insert(entry.key.clone(), value);
            }
        }
        Some(map)
    }
}

impl<T: Read> Read for Box<T> {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Box<T>> {
        T::read(node, path, reader).map(Box::new)
    }
}

/// One of the names of an enum; which names there are, serde knows.
pub fn choice<T: DeserializeOwned>(node: &Node, path: &str, reader: &mut Reader) -> Option<T> {
    let read = |text: &str| T::deserialize(StrDeserializer::<Names>::new(text));
    let Some(text) = scalar(node) else {
        let names = read("").map_or_else(|Names(names)| list(names), |_: T| String::new());
        return mismatch(node, path, reader, "a name", &format!("write one of {names}"));
    };
    match read(&text) {
        Ok(value) => Some(value),
        Err(Names(names)) => {
            reader.refuse(
                path,
                format!("`{text}` is not possible for `{path}`"),
                Some(meant(&text, "possible values", names)),
            );
            None
        }
    }
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

/// The keys of a mapping, each asked for once; what was not asked for is unknown.
pub struct Fields<'n> {
    entries: &'n [Entry],
    path: &'n str,
    asked: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    pub fn new(node: &'n Node, path: &'n str, reader: &mut Reader, hint: &str) -> Option<Fields<'n>> {
        match &node.value {
            Value::Map(entries) => Some(Fields { entries, path, asked: Vec::new() }),
            _ => mismatch(node, path, reader, "a mapping", hint),
        }
    }

    pub fn optional<T: Read>(&mut self, key: &'static str, reader: &mut Reader) -> Option<T> {
        self.asked.push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        let path = join(self.path, key);
        if matches!(entry.value.value, Value::Null) {
            // A default here could be the opposite of what is meant, as with `bucket:`.
            let hint =
                "give it a value (`{}` for a mapping with all defaults), or remove the line".to_owned();
            reader.refuse_key(entry, &path, format!("`{path}` has no value"), Some(hint));
            return None;
        }
        let value = T::read(&entry.value, &path, reader);
        if value.is_none() {
            reader.broken.insert(path);
        }
        value
    }

    pub fn or<T: Read>(&mut self, key: &'static str, default: T, reader: &mut Reader) -> T {
        self.optional(key, reader).unwrap_or(default)
    }

    /// `standin` is only there so that reading can go on.
    pub fn required<T: Read>(&mut self, key: &'static str, standin: T, hint: &str, reader: &mut Reader) -> T {
        let value = self.optional(key, reader);
        let path = join(self.path, key);
        if value.is_none() && !reader.given(&path) {
            let inside = if self.path.is_empty() { String::new() } else { format!(" in `{}`", self.path) };
            reader.refuse(&path, format!("`{key}` is missing{inside}"), Some(hint.to_owned()));
        }
        value.unwrap_or(standin)
    }

    /// Refuses the keys that nobody asked for. `special` may know better what to say of one.
    pub fn finish(self, reader: &mut Reader, special: impl Fn(&str) -> Option<(String, String)>) {
        for entry in self.entries.iter().filter(|entry| !self.asked.contains(&entry.key.as_str())) {
            let (message, hint) = special(&entry.key).unwrap_or_else(|| {
                let inside =
                    if self.path.is_empty() { String::new() } else { format!(" in `{}`", self.path) };
                (format!("unknown key `{}`{inside}", entry.key), meant(&entry.key, "keys", &self.asked))
            });
            reader.refuse_key(entry, &join(self.path, &entry.key), message, Some(hint));
        }
    }
}
