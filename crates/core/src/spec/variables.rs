//! `${name}` and `${env:NAME}` in the values of a spec, so that several stages share one file.
//!
//! What they become is part of the tree before anything of it is read: no field knows of them, and a problem is
//! reported where the value stands. The environment is handed in: this crate reads none.

use super::form::{Form, mismatch, scalar};
use super::node::{Entry, Node, Place, Value};
use super::problem::{Problem, meant};
use super::reader::{Reader, join};
use super::references::{OUTPUT_PLACES, Reference, is_meant, is_taken};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Characters of one value.
const VALUE_MAX: usize = 4096;
/// Characters of a text with all values filled in.
const TEXT_MAX: usize = 256 * 1024;
/// Characters of all texts together: a short file could become as long as memory otherwise.
const ALL_MAX: usize = 4 * 1024 * 1024;
/// Characters of a name.
const NAME_MAX: usize = 64;
/// What begins the name of an environment variable.
const ENVIRONMENT: &str = "env:";
/// Parts of the names of environment variables that hold secrets: values of a spec are shown in plans.
const SECRETS: [&str; 7] = ["PASSW", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE_KEY", "ACCESS_KEY", "API_KEY"];

/// Gives the value of an environment variable.
pub type Environment<'g> = &'g dyn Fn(&str) -> Option<String>;

/// Values that are given beside the file.
#[derive(Clone, Default)]
pub struct Given<'g> {
    /// Values of declared variables, by name.
    pub set: BTreeMap<String, String>,
    /// Where `${env:NAME}` is looked up; without it, nowhere.
    pub environment: Option<Environment<'g>>,
}

/// The value of a variable in a spec: the one in force, once the spec has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Variable(pub Option<String>);

impl Form for Variable {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Variable> {
        match &node.value {
            Value::Null => Some(Variable(None)),
            _ => match scalar(node) {
                Some(text) => Some(Variable(Some(text))),
                None => mismatch(node, path, reader, "one value", "write text, a number or a boolean"),
            },
        }
    }
    fn in_words() -> String {
        "value".to_owned()
    }
    fn many_in_words() -> String {
        "values".to_owned()
    }
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean", "null"] })
    }
}

/// What `${…}` may stand for in an editor, where a number, a boolean or a name is wanted.
pub const PATTERN: &str = r"^\$\{[^}]+\}$";

/// A value without children.
#[derive(Clone)]
enum Scalar {
    Bool(bool),
    Number(String),
    Text(String),
}

impl Scalar {
    fn of(value: &Value) -> Option<Scalar> {
        match value {
            Value::Bool(value) => Some(Scalar::Bool(*value)),
            Value::Number(text) => Some(Scalar::Number(text.clone())),
            Value::Text(text) => Some(Scalar::Text(text.clone())),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// As YAML reads a plain scalar.
    fn inferred(text: String) -> Scalar {
        let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
            && text.parse::<f64>().is_ok_and(f64::is_finite);
        match text.as_str() {
            "true" => Scalar::Bool(true),
            "false" => Scalar::Bool(false),
            _ if is_number => Scalar::Number(text),
            _ => Scalar::Text(text),
        }
    }

    fn text(&self) -> String {
        match self {
            Scalar::Bool(value) => value.to_string(),
            Scalar::Number(text) | Scalar::Text(text) => text.clone(),
        }
    }

    fn value(self) -> Value {
        match self {
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Number(text) => Value::Number(text),
            Scalar::Text(text) => Value::Text(text),
        }
    }
}

/// Fills in all values, and says which are in force: those of the declared variables, and what was read of the
/// environment under `env:NAME`.
pub fn resolve(root: &mut Node, given: &Given<'_>, found: &mut Vec<Problem>) -> BTreeMap<String, Variable> {
    let Value::Map(entries) = &mut root.value else { return BTreeMap::new() };
    let mut filler = Filler { given, known: BTreeMap::new(), used: BTreeMap::new(), room: ALL_MAX, found };
    let declared = entries.iter_mut().find(|entry| entry.key == "variables");
    let place = declared.as_ref().map_or(Place { line: 1, column: 1, width: 1 }, |entry| entry.place);
    if let Some(entry) = declared
        && let Value::Map(variables) = &mut entry.value.value
    {
        variables.iter_mut().for_each(|variable| filler.declare(variable));
    }
    filler.undeclared(place);
    for entry in entries.iter_mut().filter(|entry| entry.key != "variables") {
        filler.key(entry, &entry.key.clone());
        filler.fill(&mut entry.value, &entry.key.clone());
    }
    let known = filler.known.into_iter().filter_map(|(name, value)| Some((name, value?.text())));
    known.chain(filler.used).map(|(name, text)| (name, Variable(Some(text)))).collect()
}

struct Filler<'f, 'g> {
    given: &'f Given<'g>,
    /// Declared variables; `None` where one has no good value, which has been reported.
    known: BTreeMap<String, Option<Scalar>>,
    /// What was read of the environment.
    used: BTreeMap<String, String>,
    /// Characters that texts may still become longer by.
    room: usize,
    found: &'f mut Vec<Problem>,
}

impl Filler<'_, '_> {
    fn problem(&mut self, place: Place, path: &str, message: String, hint: impl Into<String>) {
        let Place { line, column, width } = place;
        let (path, hint) = (path.to_owned(), Some(hint.into()));
        self.found.push(Problem { line, column, width, path, message, hint, is_warning: false });
    }

    /// Takes note of a variable and its value: what was given, else the default.
    fn declare(&mut self, entry: &mut Entry) {
        let (name, path) = (entry.key.clone(), join("variables", &entry.key));
        if !is_name(&name) {
            let message = format!("invalid variable name `{name}`");
            let hint = "begin with a letter; use letters, digits, `_` and `-`";
            return self.problem(entry.place, &path, message, hint);
        }
        // A default may come from the environment, and from nowhere else.
        self.fill(&mut entry.value, &path);
        let default = Scalar::of(&entry.value.value);
        let value = match (self.given.set.get(&name), &default) {
            (Some(text), _) if text.chars().count() > VALUE_MAX => {
                let message = format!("the value of `{name}` has more than {VALUE_MAX} characters");
                self.problem(entry.place, &path, message, "write it into the spec where it is used");
                None
            }
            // A default in quotes says that it is text.
            (Some(text), Some(Scalar::Text(_))) => Some(Scalar::Text(text.clone())),
            (Some(text), _) => Some(Scalar::inferred(text.clone())),
            (None, Some(default)) => Some(default.clone()),
            (None, None) => {
                // What is no single value is reported by whoever reads the field.
                if matches!(entry.value.value, Value::Null) {
                    let hint = format!("give it with --set {name}=VALUE, or write a default");
                    self.problem(entry.place, &path, format!("the variable `{name}` has no value"), hint);
                }
                None
            }
        };
        self.known.insert(name, value);
    }

    /// Values that were given for names that are not declared.
    fn undeclared(&mut self, place: Place) {
        let names: Vec<String> = self.known.keys().cloned().collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for name in self.given.set.keys().filter(|name| !names.contains(&name.as_str())) {
            let message = format!("`--set {name}=…`: the spec has no variable `{name}`");
            let hint = match names.is_empty() {
                true => format!("declare it: `variables: {{ {name}: DEFAULT }}`"),
                false => meant(name, "variables", &names),
            };
            self.problem(place, "variables", message, hint);
        }
    }

    fn key(&mut self, entry: &Entry, path: &str) {
        if pieces(&entry.key).is_ok_and(|pieces| pieces.iter().any(|piece| matches!(piece, Piece::Name(_)))) {
            let message = format!("`{}`: variables cannot be used in keys", entry.key);
            self.problem(entry.place, path, message, "use them in values");
        }
    }

    fn fill(&mut self, node: &mut Node, path: &str) {
        match &mut node.value {
            Value::Text(text) if text.contains("${") => {
                let text = std::mem::take(text);
                node.value = self.filled(&text, node.place, path).unwrap_or(Value::Text(text));
            }
            Value::List(items) => {
                for (n, item) in items.iter_mut().enumerate() {
                    self.fill(item, &format!("{path}[{n}]"));
                }
            }
            Value::Map(entries) => {
                for entry in entries {
                    let inner = join(path, &entry.key);
                    self.key(entry, &inner);
                    self.fill(&mut entry.value, &inner);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
        }
    }

    /// The value of a text; `None` where something in it is wrong, which is reported.
    fn filled(&mut self, text: &str, place: Place, path: &str) -> Option<Value> {
        let pieces = match pieces(text) {
            Ok(pieces) => pieces,
            Err(at) => {
                let message = format!("`{}` is not a variable", short(&text[at..]));
                self.problem(
                    place,
                    path,
                    message,
                    "write `${NAME}` or `${env:NAME}`; `$${` stands for `${` itself",
                );
                return None;
            }
        };
        if let [Piece::Name(name)] = pieces.as_slice()
            && !is_meant(name)
        {
            let value = self.look_up(name, place, path)?.value();
            self.room = self.room.saturating_sub(text.len());
            return Some(value);
        }
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Name(name) if is_meant(name) => {
                    self.refer(name, place, path)?;
                    out.push_str(&format!("${{{name}}}"));
                }
                Piece::Name(name) => out.push_str(&self.look_up(name, place, path)?.text()),
            }
            if out.len() > TEXT_MAX || out.len() > self.room {
                let message = "the text is too long with all variables filled in".to_owned();
                self.problem(place, path, message, "use shorter values");
                return None;
            }
        }
        self.room -= out.len();
        Some(Value::Text(out))
    }

    /// A reference stays in the text, where the field takes it.
    fn refer(&mut self, name: &str, place: Place, path: &str) -> Option<()> {
        let (message, hint) = match Reference::parse(name) {
            None => (
                format!("`${{{name}}}`: there is nothing with this name to refer to"),
                "write `${stacks.NAME.OUTPUT}` for an output of a template; docs/cloudformation.md has the other names".to_owned(),
            ),
            Some(reference) if !is_taken(path, &reference) => (
                format!("`${{{name}}}` cannot be used here"),
                match reference {
                    Reference::Own(_) => "the stack's own objects can be used in `parameters` of `stacks`".to_owned(),
                    Reference::Output { .. } => format!(
                        "outputs of templates can be used in `parameters` of `stacks`, and in {}",
                        OUTPUT_PLACES.join(", ")
                    ),
                },
            ),
            Some(_) => return Some(()),
        };
        self.problem(place, path, message, hint);
        None
    }

    fn look_up(&mut self, name: &str, place: Place, path: &str) -> Option<Scalar> {
        if let Some(name) = name.strip_prefix(ENVIRONMENT) {
            return self.environment(name, place, path);
        }
        match self.known.get(name) {
            // A default is no place for other variables: their order would matter.
            Some(_) if path.starts_with("variables.") => {
                let message = format!("`${{{name}}}`: a default cannot use another variable");
                self.problem(place, path, message, "write the value out, or use `${env:NAME}`");
                None
            }
            Some(value) => value.clone(),
            None => {
                let names: Vec<String> = self.known.keys().cloned().collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let hint = match names.is_empty() {
                    true => format!(
                        "declare it: `variables: {{ {name}: DEFAULT }}`; `$${{` stands for `${{` itself"
                    ),
                    false => format!("{}; `$${{` stands for `${{` itself", meant(name, "variables", &names)),
                };
                self.problem(place, path, format!("`${{{name}}}`: there is no variable `{name}`"), hint);
                None
            }
        }
    }

    fn environment(&mut self, name: &str, place: Place, path: &str) -> Option<Scalar> {
        let upper = name.to_uppercase();
        let container = path.starts_with("endpoints.") && path.contains(".environment.");
        let password = path.contains("password");
        if container || password || SECRETS.iter().any(|part| upper.contains(part)) {
            let message = format!("`${{env:{name}}}` cannot be used here: it may be a secret");
            let hint = "plans show the values of a spec; use `password_environment_variable` for the master user's password";
            self.problem(place, path, message, hint);
            return None;
        }
        let value = self.given.environment.and_then(|environment| environment(name));
        match value {
            Some(text) if text.chars().count() > VALUE_MAX || text.contains('\0') => {
                let message = format!("the environment variable {name} has more than {VALUE_MAX} characters");
                self.problem(place, path, message, "use a shorter value");
                None
            }
            Some(text) => {
                self.used.insert(format!("{ENVIRONMENT}{name}"), text.clone());
                Some(Scalar::inferred(text))
            }
            None => {
                let message = format!("the environment variable {name} is not set");
                self.problem(place, path, message, "set it, or use a variable with a default");
                None
            }
        }
    }
}

enum Piece<'t> {
    Text(&'t str),
    Name(&'t str),
}

/// The parts of a text, or where something begins as a variable and is none.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, usize> {
    let (mut pieces, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some(next) = text[at..].find("${").map(|found| at + found) {
        // `$${`: the first sign goes, and what follows is text.
        if next > start && text[..next].ends_with('$') {
            pieces.push(Piece::Text(&text[start..next - 1]));
            (start, at) = (next, next + 2);
            continue;
        }
        let inner = &text[next + 2..];
        let end = inner.find('}').ok_or(next)?;
        let name = &inner[..end];
        if !is_name(name.strip_prefix(ENVIRONMENT).unwrap_or(name)) && !is_meant(name) {
            return Err(next);
        }
        if next > start {
            pieces.push(Piece::Text(&text[start..next]));
        }
        pieces.push(Piece::Name(name));
        at = next + 2 + end + 1;
        start = at;
    }
    if start < text.len() {
        pieces.push(Piece::Text(&text[start..]));
    }
    Ok(pieces)
}

fn is_name(name: &str) -> bool {
    name.len() <= NAME_MAX
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// The beginning of a text, for a message.
fn short(text: &str) -> String {
    text.chars().take(20).collect()
}
