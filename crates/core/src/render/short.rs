//! What is about to be made, in a few words: what a reader of a plan wants to know of it before asking for everything.

use super::fold::{inline, is_empty, statements_of};
use crate::base::{Change, To, counted};
use crate::plan::Step;
use serde_json::Value;

/// Properties that say most about a resource of a kind, by path, each with the words in which they are said.
const TELLING: &[(&str, &[(&str, &str)])] = &[
    ("autopilot_job", &[("target", "predicts {}"), ("mode", "{}")]),
    ("bucket", &[("name", "{}")]),
    ("bucket_object", &[("path", "{}")]),
    (
        "cluster",
        &[("engine_version", "{}"), ("serverless", "serverless"), ("port", "port {}"), ("database", "{}")],
    ),
    ("cluster_role", &[("cluster", "to {}")]),
    ("data_load", &[("table", "into {}"), ("from", "from {}")]),
    ("data_unload", &[("query", "{}")]),
    ("endpoint_config", &[("instance", "{}"), ("count", "count {}"), ("memory", "serverless, {} MB")]),
    ("group_attachment", &[("parameter_group", "{}"), ("cluster", "to {}")]),
    ("group_parameters", &[("group", "{}")]),
    ("instance", &[("class", "{}")]),
    ("model", &[("image", "{}")]),
    ("nat_gateway", &[]),
    ("notebook", &[("instance", "{}"), ("volume", "{} GB")]),
    ("parameter_group", &[("family", "{}")]),
    ("secret", &[("name", "{}")]),
    ("sql_database", &[("name", "{}")]),
    ("sql_function", &[("returns", "returns {}"), ("calls", "calls {}"), ("endpoint", "{}")]),
    ("sql_grant", &[("roles", "{}")]),
    ("stack", &[("name", "{}")]),
    ("subnet", &[("cidr", "{}"), ("zone", "{}")]),
    ("training_job", &[("instance", "{}"), ("image", "{}")]),
    ("tuning_job", &[("jobs", "jobs: {}"), ("parallel", "{} at a time")]),
    ("vpc", &[("cidr", "{}")]),
    ("vpc_endpoint", &[("service", "{}")]),
];
/// Actions of a policy that are named; of more there is a number.
const ACTIONS_NAMED: usize = 2;
/// Rules of a security group that are named, likewise.
const RULES_NAMED: usize = 3;

/// What is said of a resource that is to be made, on one line; nothing where its name says it all.
pub(super) fn summary(step: &Step) -> String {
    let parts = match step.id.kind {
        "role" => role(step),
        "security_group" => ingress(step),
        "sql_table" => columns(step),
        kind => telling(step, kind),
    };
    parts.join(", ")
}

fn value<'s>(step: &'s Step, path: &str) -> Option<&'s Value> {
    let change = step.changes.iter().find(|change| change.path == path)?;
    let (To::Value(value) | To::KnownAfterApply(value)) = &change.to;
    (!is_empty(value)).then_some(value)
}

/// Whether it refers to what AWS has not yet named: that says nothing that the reader could compare.
fn is_reference(value: &Value) -> bool {
    value.get("$ref").is_some() || value.get("$text").is_some()
}

fn telling(step: &Step, kind: &str) -> Vec<String> {
    let Some((_, paths)) = TELLING.iter().find(|(name, _)| *name == kind) else { return Vec::new() };
    let said = paths.iter().filter_map(|(path, words)| {
        let within = |change: &&Change| change.concerns(path);
        let value = match value(step, path) {
            Some(value) if is_reference(value) => return None,
            Some(value) => short(&inline(value)),
            // A property with parts of its own: that it is there is what is said.
            None => {
                return step
                    .changes
                    .iter()
                    .find(within)
                    .map(|_| (*words).to_string())
                    .filter(|w| !w.contains("{}"));
            }
        };
        Some(words.replace("{}", &value))
    });
    said.collect()
}

/// Of an address of an image or of an object what is behind the last slash.
fn short(text: &str) -> String {
    let is_address = text.contains(".dkr.ecr.") || text.starts_with("arn:");
    match text.rsplit_once('/') {
        Some((_, name)) if is_address => name.to_string(),
        _ => text.to_string(),
    }
}

/// Who may do what with a role.
fn role(step: &Step) -> Vec<String> {
    let statements = |path: &str| value(step, path).map(statements_of).unwrap_or_default();
    let list = |value: &Value| match value {
        Value::Array(items) => items.iter().map(inline).collect(),
        Value::Null => Vec::new(),
        other => vec![inline(other)],
    };
    let trust = statements("trust.Statement");
    let who: Vec<String> = trust
        .iter()
        .flat_map(|statement| match &statement["Principal"] {
            Value::Object(kinds) => kinds.values().flat_map(list).collect(),
            other => list(other),
        })
        .collect();
    let policy = statements("policy.Statement");
    let allows = policy.iter().filter(|statement| statement["Effect"] == "Allow");
    let actions: Vec<String> = allows.flat_map(|statement| list(&statement["Action"])).collect();
    let may = match actions.as_slice() {
        [] => None,
        few if few.len() <= ACTIONS_NAMED => Some(few.join(", ")),
        many => Some(format!("{} actions", many.len())),
    };
    let services: Vec<&str> = who.iter().map(|who| who.split('.').next().unwrap_or(who)).collect();
    // What is denied is not what it may do.
    let denies =
        if policy.iter().all(|statement| statement["Effect"] == "Allow") { "" } else { ", with denials" };
    match (services.is_empty(), may) {
        (false, Some(may)) => vec![format!("{} may {may}{denies}", services.join(", "))],
        (false, None) => vec![format!("for {}", services.join(", "))],
        (true, Some(may)) => vec![format!("{may}{denies}")],
        (true, None) => Vec::new(),
    }
}

/// Who gets in.
fn ingress(step: &Step) -> Vec<String> {
    let rules = value(step, "ingress").and_then(Value::as_array).cloned().unwrap_or_default();
    let named = rules.iter().take(RULES_NAMED).map(|rule| {
        let peer = match rule["peer"]["$ref"].as_str() {
            Some(other) => other.to_string(),
            None => inline(&rule["peer"]),
        };
        match (rule["from_port"].as_i64(), rule["to_port"].as_i64()) {
            (Some(from), Some(to)) if from != to => format!("ports {from}-{to} from {peer}"),
            (Some(port), _) => format!("port {port} from {peer}"),
            _ => format!("all from {peer}"),
        }
    });
    let mut parts: Vec<String> = named.collect();
    match rules.len() {
        0 => parts.push("lets nobody in".into()),
        count if count > RULES_NAMED => parts.push(format!("{} more", count - RULES_NAMED)),
        _ => {}
    }
    parts
}

fn columns(step: &Step) -> Vec<String> {
    let count = step.changes.iter().filter(|change| change.path.starts_with("columns.")).count();
    (count > 0).then(|| counted(count, "column")).into_iter().collect()
}
