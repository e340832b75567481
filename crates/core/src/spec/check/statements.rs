//! Statements of IAM policies, as far as IAM refuses them without knowing what they mean.

use crate::spec::problem::meant;
use crate::spec::reader::{Reader, join};
use crate::spec::statement::{KEYS, Statement};
use serde_json::Value;

/// Characters that an inline policy of a role may have are counted where the policy is whole; more statements than this
/// never fit.
const MOST: usize = 100;

pub fn statements(statements: &[Statement], path: &str, reader: &mut Reader) {
    if statements.len() > MOST {
        let message = format!("{} statements are too many for a role's policies", statements.len());
        reader.report(path, message, "merge statements that allow the same resources");
    }
    let mut named: Vec<&str> = Vec::new();
    for (n, statement) in statements.iter().enumerate() {
        let path = format!("{path}[{n}]");
        one(statement, &path, reader);
        if let Some(sid) = statement.0.get("Sid") {
            let at = join(&path, "Sid");
            match sid.as_str() {
                Some(sid) if sid.is_empty() || !sid.chars().all(|c| c.is_ascii_alphanumeric()) => {
                    reader.report(&at, format!("invalid `Sid` `{sid}`"), "use letters and digits only");
                }
                Some(sid) if named.contains(&sid) => {
                    reader.report(&at, format!("duplicate statement `{sid}`"), "give each its own `Sid`");
                }
                Some(sid) => named.push(sid),
                None => reader.report(&at, "`Sid` must be text", "use letters and digits only"),
            }
        }
    }
}

fn one(statement: &Statement, path: &str, reader: &mut Reader) {
    let map = &statement.0;
    let at = |key: &str| join(path, key);
    for key in map.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        let message = format!("unknown key `{key}` in a statement");
        reader.report_key(&at(key), message, meant(key, "keys", &KEYS));
    }
    match map.get("Effect").and_then(Value::as_str) {
        Some("Allow" | "Deny") => {}
        None if !map.contains_key("Effect") && !reader.given(&at("Effect")) => {
            reader.report(path, "the statement has no `Effect`", "write `Effect: Allow` or `Effect: Deny`");
        }
        _ => reader.report(
            &at("Effect"),
            "`Effect` must be `Allow` or `Deny`",
            "write it with a capital letter",
        ),
    }
    for (key, not) in [("Action", "NotAction"), ("Resource", "NotResource")] {
        match (map.get(key), map.get(not)) {
            (Some(_), Some(_)) => {
                let message = format!("`{not}` cannot be combined with `{key}`");
                reader.report_key(&at(not), message, "remove one of the two");
            }
            (None, None) if !reader.given(&at(key)) && !reader.given(&at(not)) => {
                let message = format!("the statement has no `{key}`");
                let hint = match key {
                    "Action" => "write `Action: [SERVICE:ACTION]`, such as `s3:GetObject`",
                    _ => "write `Resource: [ARN]`, or `Resource: \"*\"`",
                };
                reader.report(path, message, hint);
            }
            (None, None) => {}
            (Some(value), None) => texts(value, key, &at(key), reader),
            (None, Some(value)) => texts(value, key, &at(not), reader),
        }
    }
    if let Some(condition) = map.get("Condition") {
        let operators = condition.as_object();
        let sound = operators.is_some_and(|operators| {
            let values =
                operators.values().all(|of| of.as_object().is_some_and(|of| of.values().all(is_plain)));
            !operators.is_empty() && values
        });
        if !sound {
            let hint = "write `Condition: { StringEquals: { KEY: VALUE } }`";
            reader.report(&at("Condition"), "`Condition` must have operators with keys and values", hint);
        }
    }
}

/// One text, or a list of texts.
fn texts(value: &Value, key: &str, path: &str, reader: &mut Reader) {
    let items: Vec<(String, &Value)> = match value {
        Value::Array(items) => {
            items.iter().enumerate().map(|(n, item)| (format!("{path}[{n}]"), item)).collect()
        }
        other => vec![(path.to_owned(), other)],
    };
    if items.is_empty() {
        reader.report(path, "the list is empty", "add at least one item, or remove the statement");
    }
    for (path, item) in items {
        let is_action = |text: &str| {
            text == "*"
                || text.split_once(':').is_some_and(|(service, action)| {
                    let word = |text: &str, more: &str| {
                        !text.is_empty()
                            && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
                    };
                    word(service, "-") && word(action, "*?")
                })
        };
        // IAM takes an ARN, or one with wildcards; what it names is not known here.
        let is_resource =
            |text: &str| text == "*" || text.starts_with("arn:") && text.split(':').count() >= 6;
        match (item.as_str(), key) {
            (Some(text), "Action") if is_action(text) => {}
            (Some(text), "Resource") if is_resource(text) => {}
            (Some(text), "Action") => {
                let message = format!("`{text}` is not an IAM action");
                reader.report(&path, message, "write `SERVICE:ACTION`, such as `s3:GetObject`, or `*`");
            }
            (Some(text), _) => {
                let message = format!("`{text}` is not a resource ARN");
                reader.report(&path, message, "write an ARN, which may contain `*`");
            }
            (None, _) => reader.report(&path, "this must be text", "write text or a list of texts"),
        }
    }
}

/// A text, a number, a boolean, or a list of them.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Array(items) => {
            !items.is_empty() && items.iter().all(|item| item.is_string() || item.is_boolean())
        }
        Value::String(_) | Value::Bool(_) => true,
        _ => false,
    }
}
