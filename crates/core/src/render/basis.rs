//! What a plan was made from, as hashes of single fields: enough to say which one has moved since, and not what is in it.

use crate::base::names::short_hash;
use crate::base::{Live, Observed, State, counted};
use crate::model::facts::Facts;
use crate::resource::Catalog;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A hash of each field, by its path.
pub type Fields = BTreeMap<String, String>;

/// What stands for what the machine and AWS tell beside the stack's objects.
const EXISTING: &str = "aurora.existing";
const FILES: &str = "files";
/// The field of what is in a database that nobody looked into.
const UNSEEN: &str = "unseen";
/// Fields that are named where several have moved.
const NAMED_MAX: usize = 3;

/// The spec and the live state that a plan rests on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Basis {
    /// Version of the program that made it.
    pub version: String,
    /// SHA-256 of the spec file, in hexadecimal digits.
    pub spec_sha256: String,
    /// The fields of the spec.
    pub spec: Fields,
    /// The fields of each object that was seen, and of what else the plan rests on.
    pub live: BTreeMap<String, Fields>,
}

impl Basis {
    /// With what was seen: of what changes by itself there is nothing in it (`passing` in a kind's rules).
    #[must_use]
    pub fn resting_on(self, observed: &Observed, facts: &Facts, catalog: &Catalog) -> Basis {
        let mut live: BTreeMap<String, Fields> = BTreeMap::new();
        for object in observed.values() {
            let fields = object_fields(object, catalog[object.id.kind].passing);
            live.insert(object.id.to_string(), fields);
        }
        if let Some(existing) = &facts.existing {
            // Its status changes by itself.
            let told = serde_json::json!({
                "engine": existing.engine,
                "engine_version": facts.live_engine_version,
                "parameter_group": existing.parameter_group,
                "original_group": existing.original_group,
                "original_group_gone": existing.original_group_gone,
                "role_parameters": existing.role_parameters,
                "apply_types": existing.apply_types,
                "sharers": existing.sharers,
                "roles": existing.roles,
                "global_cluster": existing.global_cluster,
                "wired_before": existing.wired_before,
                "cloudformation": existing.cloudformation.as_ref().map(|(stack, _)| stack),
            });
            live.insert(EXISTING.into(), hashed(EXISTING, &told, &[]));
        }
        if !facts.files.is_empty() {
            let told: Value = facts
                .files
                .iter()
                .map(|(path, hash)| (path.clone(), Value::from(hash.clone().ok())))
                .collect();
            live.insert(FILES.into(), hashed(FILES, &told, &[]));
        }
        Basis { live, ..self }
    }

    /// SHA-256 of the live fields, in hexadecimal digits.
    pub fn live_sha256(&self) -> String {
        // Plain data: writing it cannot fail.
        let text = serde_json::to_string(&self.live).unwrap_or_default();
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A hash of each field of a spec, in the form in which it was written.
pub fn spec_fields(fields: &BTreeMap<String, String>) -> Fields {
    fields
        .iter()
        .map(|(path, text)| (path.clone(), short_hash(format!("spec\0{path}\0{text}").as_bytes())))
        .collect()
}

fn object_fields(live: &Live, passing: &[&str]) -> Fields {
    let id = live.id.to_string();
    if live.props[UNSEEN].is_string() {
        return Fields::from([(UNSEEN.to_string(), String::new())]);
    }
    let mut told = live.props.clone();
    let state = match &live.state {
        State::Ready => "ready".to_string(),
        State::Busy(status) => format!("busy: {status}"),
        State::Failed(why) | State::Broken(why) => format!("failed: {why}"),
    };
    if let Some(told) = told.as_object_mut() {
        told.insert("outputs".into(), live.outputs.clone().into_iter().collect());
        told.insert("state".into(), state.into());
        told.insert("owned".into(), live.owned.into());
    }
    hashed(&id, &told, passing)
}

/// A hash of each leaf. The salt keeps equal values of different fields apart.
fn hashed(salt: &str, value: &Value, passing: &[&str]) -> Fields {
    let mut leaves = BTreeMap::new();
    collect("", value, passing, &mut leaves);
    let hash = |path: &str, text: &str| short_hash(format!("{salt}\0{path}\0{text}").as_bytes());
    leaves
        .into_iter()
        .map(|(path, text)| {
            let hash = hash(&path, &text);
            (path, hash)
        })
        .collect()
}

/// As a comparison with what is wanted sees it: lists are sets, and what is empty is not there.
fn collect(path: &str, value: &Value, passing: &[&str], leaves: &mut BTreeMap<String, String>) {
    if passing.contains(&path) {
        return;
    }
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (key, value) in map {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(&path, value, passing, leaves);
            }
        }
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) => {
            let mut texts: Vec<String> = items.iter().map(Value::to_string).collect();
            texts.sort();
            leaves.insert(path.into(), texts.join("\n"));
        }
        scalar => {
            leaves.insert(path.into(), scalar.to_string());
        }
    }
}

/// The fields of the spec that have changed, in words.
pub(super) fn moved_in_spec(saved: &Value, now: &Value) -> Option<String> {
    let moved = differing(&fields(saved), &fields(now));
    let moved: Vec<String> = moved.into_iter().map(|path| format!("`{path}`")).collect();
    named(&moved).map(|what| format!("{what} in the spec"))
}

/// The fields of the live state that have changed, in words.
pub(super) fn moved_in_aws(saved: &Value, now: &Value) -> Option<String> {
    let (saved, now) = (objects(saved), objects(now));
    // A plan does not wake a database to look into it, and an apply does.
    let is_unseen = |objects: &BTreeMap<String, Fields>, id: &str| {
        objects.get(id).is_some_and(|fields| fields.contains_key(UNSEEN))
    };
    let any_unseen =
        [&saved, &now].into_iter().any(|objects| objects.keys().any(|id| is_unseen(objects, id)));
    let is_inside = |id: &str| id.starts_with("sql_") || id.starts_with("data_");
    let ids: BTreeSet<&String> = saved.keys().chain(now.keys()).collect();
    let mut moved = Vec::new();
    for id in ids {
        if is_unseen(&saved, id) || is_unseen(&now, id) {
            continue;
        }
        match (saved.get(id), now.get(id)) {
            (Some(before), Some(after)) => {
                moved.extend(differing(before, after).into_iter().map(|path| format!("`{path}` of {id}")));
            }
            _ if any_unseen && is_inside(id) => {}
            (Some(_), None) => moved.push(format!("{id}, which is gone,")),
            (None, _) => moved.push(format!("{id}, which was not there,")),
        }
    }
    named(&moved)
}

fn named(moved: &[String]) -> Option<String> {
    let rest = moved.len().saturating_sub(NAMED_MAX);
    let more = match rest {
        0 => String::new(),
        rest => format!(" and {}", counted(rest, "more field")),
    };
    let named = moved.get(..NAMED_MAX.min(moved.len())).unwrap_or_default().join(", ");
    (!moved.is_empty()).then(|| format!("{named}{more}"))
}

fn differing(before: &Fields, after: &Fields) -> Vec<String> {
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    paths.into_iter().filter(|path| before.get(*path) != after.get(*path)).cloned().collect()
}

fn fields(value: &Value) -> Fields {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(path, hash)| (path.clone(), hash.as_str().unwrap_or_default().to_string())).collect()
}

fn objects(value: &Value) -> BTreeMap<String, Fields> {
    value.as_object().into_iter().flatten().map(|(id, value)| (id.clone(), fields(value))).collect()
}
