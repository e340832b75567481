//! What collects the problems of a spec, and the keys of a mapping.

use super::belongs;
use super::fields::Otherwise;
use super::form::{Form, mismatch};
use super::node::{Entry, Node, Place, Value};
use super::problem::{Problem, Problems, meant, nearest};
use std::collections::{BTreeSet, HashMap};

/// Collects what is wrong, and knows where each value stands. Checks see of it what is `given` and what is `sound`,
/// and `report`: they need no file.
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

    /// Of a spec that was not read from a file: these paths are given, nothing has a place, and all is sound.
    pub fn without_file(given: Vec<String>) -> Reader {
        let places: HashMap<String, Place> =
            given.into_iter().chain([String::new()]).map(|path| (path, Place::NONE)).collect();
        Reader { problems: Vec::new(), keys: HashMap::new(), places, broken: BTreeSet::new() }
    }

    /// Whether the file has a value at `path`; without a file, whether the spec has one that is not just the default.
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

    /// Like `report_key`, of what AWS may accept: the spec is good all the same.
    pub fn warn_key(&mut self, path: &str, message: impl Into<String>, hint: impl Into<String>) {
        let before = self.problems.len();
        self.report_key(path, message, hint);
        self.problems.iter_mut().skip(before).for_each(|problem| problem.is_warning = true);
    }

    /// Like `report`, of what AWS may accept.
    pub fn warn(&mut self, path: &str, message: impl Into<String>, hint: impl Into<String>) {
        let before = self.problems.len();
        self.report(path, message, hint);
        self.problems.iter_mut().skip(before).for_each(|problem| problem.is_warning = true);
    }

    /// Whether everything so far can be carried out.
    pub fn is_good(&self) -> bool {
        self.problems.iter().all(|problem| problem.is_warning)
    }

    fn push(&mut self, place: Place, path: &str, message: String, hint: Option<String>) {
        let Place { line, column, width } = place;
        let path = path.to_owned();
        self.problems.push(Problem { line, column, width, path, message, hint, is_warning: false });
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

    /// All problems in the order of the file; without one, in that of the checks.
    pub fn finish(mut self) -> Problems {
        if self.places.get("") == Some(&Place::NONE) {
            return Problems(self.problems);
        }
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

/// The keys of a mapping, each asked for once; what was not asked for is unknown.
pub struct Keys<'n> {
    entries: &'n [Entry],
    path: &'n str,
    asked: Vec<&'static str>,
}

impl<'n> Keys<'n> {
    pub fn new(node: &'n Node, path: &'n str, reader: &mut Reader, hint: &str) -> Option<Keys<'n>> {
        match &node.value {
            Value::Map(entries) => Some(Keys { entries, path, asked: Vec::new() }),
            _ => mismatch(node, path, reader, "a mapping", hint),
        }
    }

    /// The value of a key; a stand-in where it cannot be read, only so that reading can go on.
    pub fn field<T: Form + Default>(
        &mut self,
        key: &'static str,
        otherwise: Otherwise<T>,
        reader: &mut Reader,
    ) -> T {
        let path = join(self.path, key);
        let value = self.optional(key, &path, reader);
        match otherwise {
            Otherwise::Default(default) => value.unwrap_or(default),
            Otherwise::Required(hint) => {
                if value.is_none() && !reader.given(&path) {
                    let message = format!("`{key}` is missing{}", self.inside());
                    reader.refuse(&path, message, Some(hint.to_owned()));
                }
                value.unwrap_or_default()
            }
        }
    }

    fn optional<T: Form>(&mut self, key: &'static str, path: &str, reader: &mut Reader) -> Option<T> {
        self.asked.push(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        if matches!(entry.value.value, Value::Null) {
            // A default here could be the opposite of what is meant, as with `bucket:`.
            let hint = "add a value (`{}` for all defaults), or remove the line".to_owned();
            reader.refuse_key(entry, path, format!("`{path}` has no value"), Some(hint));
            return None;
        }
        let value = T::read(&entry.value, path, reader);
        if value.is_none() {
            reader.broken.insert(path.to_owned());
        }
        value
    }

    /// Where a key without a value stands above one that belongs in it, the lines below it are not indented.
    fn not_indented(&self, reader: &mut Reader) {
        for (empty, next) in self.entries.iter().zip(self.entries.iter().skip(1)) {
            if !matches!(empty.value.value, Value::Null) || self.asked.contains(&next.key.as_str()) {
                continue;
            }
            let path = join(self.path, &empty.key);
            if !belongs::under(&next.key).iter().any(|place| place.trim_end_matches("[]") == path) {
                continue;
            }
            for problem in reader.problems.iter_mut().filter(|problem| problem.path == path) {
                problem.hint = Some(format!(
                    "indent `{}` and the other lines that belong to it by two spaces more",
                    next.key
                ));
            }
        }
    }

    /// The mapping in words, for the end of a message.
    fn inside(&self) -> String {
        if self.path.is_empty() { String::new() } else { format!(" in `{}`", self.path) }
    }

    /// Refuses the keys that nobody asked for. `special` may know better what to say of one.
    pub fn finish(self, reader: &mut Reader, special: impl Fn(&str) -> Option<(String, String)>) {
        self.not_indented(reader);
        for entry in self.entries.iter().filter(|entry| !self.asked.contains(&entry.key.as_str())) {
            let (message, hint) = special(&entry.key).unwrap_or_else(|| {
                let message = format!("unknown key `{}`{}", entry.key, self.inside());
                let hint = match nearest(&entry.key, self.asked.iter().copied()) {
                    Some(_) => None,
                    None => belongs::hint(&entry.key, self.path),
                };
                (message, hint.unwrap_or_else(|| meant(&entry.key, "keys", &self.asked)))
            });
            reader.refuse_key(entry, &join(self.path, &entry.key), message, Some(hint));
        }
    }
}
