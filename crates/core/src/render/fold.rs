//! Property values in a short form that a person can read.

use crate::base::{Change, To, counted};
use serde_json::{Map, Value};

/// Characters of a list that is written on one line; a longer one has a line for each element.
const LINE: usize = 100;

/// What a change sets or removes, as lines without indentation: `path: value`, or `path:` and one indented
/// line for each element of what is too long for one line.
pub(super) fn created(changes: &[Change]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut tags: Vec<String> = Vec::new();
    lines.extend(made_by_template(changes));
    // How a template is sent is no property of anything.
    for change in changes.iter().filter(|change| !change.concerns("template") && !change.concerns("request"))
    {
        let value = match &change.to {
            To::Value(value) | To::KnownAfterApply(value) => value,
        };
        if is_empty(value) || change.path.ends_with(".Version") && policy_of(&change.path).is_some() {
            continue;
        }
        let tag = change.path.strip_prefix("tags.").or(change.path.strip_prefix("stack_tags."));
        if let Some(key) = tag {
            // Those by which auroraml finds its objects are on every object, and say what its name says.
            if key.starts_with("auroraml:") || key == "Name" {
                continue;
            }
            tags.push(format!("{key}={}", inline(value)));
            continue;
        }
        let path = policy_of(&change.path).unwrap_or(&change.path);
        lines.extend(listed(path, elements(&change.path, value)));
    }
    if !tags.is_empty() {
        lines.push(format!("tags: {}", tags.join(", ")));
    }
    lines
}

/// What a template makes, by type: its text is beside the spec for whoever wants to read it.
fn made_by_template(changes: &[Change]) -> Option<String> {
    let types = changes.iter().filter_map(|change| {
        let id = change.path.strip_prefix("template.Resources.")?.strip_suffix(".Type")?;
        match &change.to {
            To::Value(Value::String(kind)) if !id.contains('.') => Some(kind.as_str()),
            _ => None,
        }
    });
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    types.for_each(|kind| *counts.entry(kind).or_default() += 1);
    let total: usize = counts.values().sum();
    let each = counts.iter().map(|(kind, count)| match count {
        1 => (*kind).to_string(),
        count => format!("{kind} ×{count}"),
    });
    let each: Vec<String> = each.collect();
    (total > 0).then(|| format!("template: {}: {}", counted(total, "resource"), each.join(", ")))
}

/// What a change does to something that is there: `path: old -> new`, or what a list loses and gains. Of tags there is a
/// number, unless everything is asked for.
pub(super) fn changed(changes: &[Change], verbose: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let is_tag = |change: &&Change| change.concerns("tags") || change.concerns("stack_tags");
    let tags = changes.iter().filter(is_tag).count();
    // The version of a policy's language comes with its statements.
    let is_version = |change: &Change| {
        change.path.strip_suffix(".Version").is_some_and(|policy| {
            changes.iter().any(|other| other.path.strip_suffix(".Statement") == Some(policy))
        })
    };
    for change in changes.iter().filter(|change| (verbose || !is_tag(change)) && !is_version(change)) {
        let to = match &change.to {
            To::Value(value) | To::KnownAfterApply(value) => value,
        };
        let path = policy_of(&change.path).unwrap_or(&change.path);
        if is_policy(&change.path, &change.from) || is_policy(&change.path, to) {
            lines.push(format!("{path}:"));
            let (old, new) = (statements_of(&change.from), statements_of(to));
            lines.extend(statements(&old, &new).into_iter().map(|line| format!("  {line}")));
            continue;
        }
        let long = |value: &Value| value.as_array().is_some_and(|all| all.iter().any(Value::is_object));
        if long(&change.from) || long(to) {
            let (old, new) = (elements(&change.path, &change.from), elements(&change.path, to));
            lines.push(format!("{path}:"));
            lines.extend(old.iter().filter(|line| !new.contains(line)).map(|line| format!("  - {line}")));
            lines.extend(new.iter().filter(|line| !old.contains(line)).map(|line| format!("  + {line}")));
            continue;
        }
        let shown = |value: &Value| match value {
            Value::Null => "(none)".to_string(),
            value if is_empty(value) => "(empty)".to_string(),
            value => inline(value),
        };
        let removed = if to.is_null() { "(removed)".to_string() } else { shown(to) };
        lines.push(format!("{path}: {} -> {removed}", shown(&change.from)));
    }
    if tags > 0 && !verbose {
        lines.push(format!("{} (--verbose shows them)", counted(tags, "tag")));
    }
    lines
}

/// Whether it is a policy document, or the statements of one.
fn is_policy(path: &str, value: &Value) -> bool {
    let in_list = |items: &Vec<Value>| items.iter().any(|item| item.get("Effect").is_some());
    value.get("Statement").is_some() || path.ends_with(".Statement") && value.as_array().is_some_and(in_list)
}

/// The statements of a document, or of a list of them. One alone may stand without a list.
pub(super) fn statements_of(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Object(map) => match map.get("Statement") {
            Some(inner) => statements_of(inner),
            None if map.contains_key("Effect") => vec![value.clone()],
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// What becomes of the statements of a policy: those that go, those that come, and of those that stay with other actions
/// or resources which.
fn statements(old: &[Value], new: &[Value]) -> Vec<String> {
    let mut gone: Vec<&Value> = old.iter().filter(|statement| !new.contains(statement)).collect();
    let mut come: Vec<&Value> = new.iter().filter(|statement| !old.contains(statement)).collect();
    let mut lines = Vec::new();
    for before in std::mem::take(&mut gone) {
        let same = come.iter().position(|after| differs_in(before, after).is_some());
        match same.map(|at| come.remove(at)) {
            Some(after) => lines.extend(changed_statement(before, after)),
            None => lines.push(format!("- {}", statement(before))),
        }
    }
    lines.extend(come.into_iter().map(|after| format!("+ {}", statement(after))));
    lines
}

/// The one part of a statement that is another, where all others are the same.
fn differs_in(before: &Value, after: &Value) -> Option<&'static str> {
    const PARTS: [&str; 2] = ["Action", "Resource"];
    let keys = |value: &Value| value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
    let others = |part: &str| {
        keys(before)
            .into_iter()
            .flatten()
            .all(|key| key == part || key == "Sid" || before[&key] == after[&key])
    };
    (keys(before) == keys(after)).then(|| PARTS.into_iter().find(|part| others(part)))?
}

fn changed_statement(before: &Value, after: &Value) -> Vec<String> {
    let part = differs_in(before, after).unwrap_or("Action");
    let list = |value: &Value| match value {
        Value::Array(items) => items.iter().map(inline).collect::<Vec<_>>(),
        other => vec![inline(other)],
    };
    let (old, new) = (list(&before[part]), list(&after[part]));
    let stays = |value: &Value, only: Vec<String>| {
        let mut value = value.clone();
        value[part] = only.into();
        statement(&value)
    };
    let kept: Vec<String> = new.iter().filter(|one| old.contains(one)).cloned().collect();
    // Of a statement nothing of which stays there is nothing to compare.
    if kept.is_empty() {
        return vec![format!("- {}", statement(before)), format!("+ {}", statement(after))];
    }
    let mut lines = vec![format!("~ {}", stays(after, kept))];
    lines.extend(old.iter().filter(|one| !new.contains(one)).map(|one| format!("    - {one}")));
    lines.extend(new.iter().filter(|one| !old.contains(one)).map(|one| format!("    + {one}")));
    lines
}

fn listed(path: &str, elements: Vec<String>) -> Vec<String> {
    let one = elements.join(", ");
    if elements.len() <= 1 || one.chars().count() <= LINE {
        return vec![format!("{path}: {one}")];
    }
    let mut lines = vec![format!("{path}:")];
    lines.extend(elements.into_iter().map(|element| format!("  {element}")));
    lines
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// `trust` for `trust.Statement`: the name of a policy document whose part this is.
fn policy_of(path: &str) -> Option<&str> {
    path.strip_suffix(".Statement").or_else(|| path.strip_suffix(".Version"))
}

/// The elements of a list, or the value alone.
fn elements(path: &str, value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) if path.ends_with(".Statement") => items.iter().map(statement).collect(),
        Value::Array(items) => items.iter().map(inline).collect(),
        _ if is_empty(value) => Vec::new(),
        _ => vec![inline(value)],
    }
}

/// A value on one line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        Value::Array(items) => items.iter().map(inline).collect::<Vec<_>>().join(", "),
        Value::Object(map) => match reference(map) {
            Some(output) => format!("(known after apply: {output})"),
            None => {
                let parts = map.iter().filter(|(_, value)| !is_empty(value));
                parts.map(|(key, value)| format!("{key}={}", inline(value))).collect::<Vec<_>>().join(" ")
            }
        },
        other => other.to_string(),
    }
}

/// `subnet.private-1.id`, if this is a reference to it, or a text with such parts.
fn reference(map: &Map<String, Value>) -> Option<String> {
    if let Some(parts) = map.get("$text").and_then(Value::as_array) {
        let part = |part: &Value| match part.as_object().and_then(reference) {
            Some(output) => format!("${{{output}}}"),
            None => inline(part),
        };
        return Some(parts.iter().map(part).collect());
    }
    let (id, output) = (map.get("$ref")?.as_str()?, map.get("output")?.as_str()?);
    Some(format!("{id}.{output}"))
}

/// Scripts and documents are named by their size; what is in them cannot be read on one line.
fn string(text: &str) -> String {
    let lines = text.trim_end().lines().count();
    if lines > 1 {
        return format!("({lines} lines, {} bytes)", text.len());
    }
    text.trim_end().to_string()
}

/// `Allow sagemaker:InvokeEndpoint on arn:… if aws:SourceAccount = 1`.
fn statement(value: &Value) -> String {
    let Some(map) = value.as_object() else { return inline(value) };
    let mut parts = vec![map.get("Effect").map_or_else(|| "?".to_string(), inline)];
    if let Some(principal) = map.get("Principal") {
        parts.push(match principal {
            Value::Object(kinds) => kinds.values().map(inline).collect::<Vec<_>>().join(", "),
            other => inline(other),
        });
        parts.push("to".into());
    }
    for (key, word) in
        [("Action", ""), ("NotAction", "all but"), ("Resource", "on"), ("NotResource", "on all but")]
    {
        if let Some(value) = map.get(key) {
            parts.push(if word.is_empty() { inline(value) } else { format!("{word} {}", inline(value)) });
        }
    }
    if let Some(conditions) = map.get("Condition").and_then(Value::as_object) {
        let conditions = conditions.iter().flat_map(|(operator, keys)| {
            let sign = match operator.as_str() {
                "StringEquals" | "ArnEquals" | "Bool" => "=".to_string(),
                "StringLike" | "ArnLike" => "~".to_string(),
                other => other.to_string(),
            };
            let keys = keys.as_object().into_iter().flatten();
            keys.map(move |(key, value)| format!("{key} {sign} {}", inline(value))).collect::<Vec<_>>()
        });
        parts.push(format!("if {}", conditions.collect::<Vec<_>>().join(" and ")));
    }
    parts.join(" ")
}
