//! The plan as JSON: what `plan --format json` prints, `plan --out` keeps and `apply --plan` compares.

use super::basis::{Basis, Fields, moved_in_aws, moved_in_spec};
use super::{Subject, plain};
use crate::members::Seconds;
use crate::plan::{Plan, estimate};
use crate::resource::Action;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The format that this version writes and reads. 1 had no live state; a plan in it is made anew.
pub const FORMAT: u64 = 2;

/// A plan with what it was made from. No secret can be in it: of what may hold one, a plan has a hash.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Document {
    /// Version of this format.
    pub format: u64,
    /// Version of the auroraml that made it.
    pub version: String,
    pub stack: String,
    pub account: String,
    pub region: String,
    /// SHA-256 of the spec file, in hexadecimal digits.
    pub spec_sha256: String,
    /// SHA-256 of `live`, in hexadecimal digits.
    pub live_sha256: String,
    /// Whether it takes the stack down.
    pub destroy: bool,
    /// What is to be done; resources that stay as they are have no step here.
    pub plan: Plan,
    /// Seconds that it takes: usually, and in one case of ten more than. Nothing where there is nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub takes: Option<Seconds>,
    /// A short hash of each field of the spec, by its path: what has changed since can be named.
    pub spec: Fields,
    /// The same of each object that the plan rests on, by its id. What changes by itself is not in it.
    pub live: BTreeMap<String, Fields>,
    /// ARNs of the change sets that carrying it out executes, by the ids of the CloudFormation stacks.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub change_sets: BTreeMap<String, String>,
}

impl Document {
    pub fn new(subject: &Subject, basis: &Basis, plan: &Plan) -> Document {
        Document {
            format: FORMAT,
            version: basis.version.clone(),
            stack: subject.stack.clone(),
            account: subject.account.clone(),
            region: subject.region.clone(),
            spec_sha256: basis.spec_sha256.clone(),
            live_sha256: basis.live_sha256(),
            destroy: subject.destroy,
            plan: Plan {
                steps: plan.steps.iter().filter(|step| step.action != Action::NoOp).cloned().collect(),
                blocked: plan.blocked.clone(),
                left_alone: plan.left_alone.clone(),
                notes: plan.notes.clone(),
                cost: plan.cost.clone(),
                ..Plan::default()
            },
            takes: estimate(plan).filter(|_| plan.blocked.is_empty()),
            spec: basis.spec.clone(),
            live: basis.live.clone(),
            change_sets: BTreeMap::new(),
        }
    }

    pub fn to_text(&self) -> String {
        // A plan is plain data: writing it cannot fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        plain::json(&text)
    }

    pub fn to_yaml(&self) -> String {
        super::yaml(self)
    }

    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// The JSON Schema of a [`Document`].
pub fn schema() -> String {
    // As it is written: what is left out when empty is not required.
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Document>().to_value();
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// The change sets of a saved plan.
pub fn change_sets(saved: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(saved["change_sets"].clone()).unwrap_or_default()
}

/// What a saved plan calls the final snapshot. The name holds the time at which the plan was made: a new one would
/// never be the same plan.
pub fn final_snapshot(saved: &Value) -> Option<String> {
    let mut steps = saved["plan"]["steps"].as_array()?.iter();
    steps.find_map(|step| step["options"]["final_snapshot"].as_str()).map(String::from)
}

/// How the plan made now differs from a saved one, if it does: which field has moved, or else the first step that is
/// another one, in words.
pub fn difference(saved: &Value, now: &Value) -> Option<String> {
    moved(saved, now).or_else(|| versions(saved, now, steps_difference(&saved["plan"], &now["plan"])?))
}

/// The same without the steps: whether what the plan rests on has moved.
pub fn moved(saved: &Value, now: &Value) -> Option<String> {
    moved_before_a_look(saved, now).or_else(|| {
        let fields = moved_in_aws(&saved["live"], &now["live"])?;
        versions(saved, now, format!("{fields} changed since the plan was saved"))
    })
}

/// The same of what is known before anybody has looked at AWS.
pub fn moved_before_a_look(saved: &Value, now: &Value) -> Option<String> {
    if saved["format"] != now["format"] {
        return Some(format!(
            "it was saved by auroraml {} in format {}, but this is {} with format {}",
            version(saved),
            saved["format"],
            version(now),
            now["format"]
        ));
    }
    for (key, what) in [("stack", "the stack"), ("account", "the account"), ("region", "the region")] {
        if saved[key] != now[key] {
            return Some(format!("{what} is {} there and {} now", saved[key], now[key]));
        }
    }
    if saved["spec_sha256"] == now["spec_sha256"] {
        return None;
    }
    let said = match moved_in_spec(&saved["spec"], &now["spec"]) {
        Some(fields) => format!("{fields} changed since the plan was saved"),
        None => "the spec file changed since the plan was saved, but none of its fields".into(),
    };
    versions(saved, now, said)
}

fn version(plan: &Value) -> &str {
    plan["version"].as_str().unwrap_or("of an older version")
}

/// Another version may see the same things otherwise, and that is said.
fn versions(saved: &Value, now: &Value, said: String) -> Option<String> {
    Some(match version(saved) == version(now) {
        true => said,
        false => format!("{said} (saved by auroraml {}, this is {})", version(saved), version(now)),
    })
}

/// That a step is held, or no longer, is no difference: what was reviewed is what is done when its time comes. Nor are
/// the notes and the cost: they do nothing, and some tell how things are outside of the stack.
fn steps_difference(saved: &Value, now: &Value) -> Option<String> {
    let (mut saved, mut now) = (saved.clone(), now.clone());
    for plan in [&mut saved, &mut now].into_iter().filter_map(Value::as_object_mut) {
        plan.remove("notes");
        plan.remove("cost");
    }
    for step in
        [&mut saved, &mut now].into_iter().flat_map(|plan| plan["steps"].as_array_mut().into_iter().flatten())
    {
        if let Some(step) = step.as_object_mut() {
            step.remove("held");
            step.remove("needs");
        }
    }
    if saved == now {
        return None;
    }
    let empty = Vec::new();
    let list = |plan: &Value, key: &str| plan[key].as_array().unwrap_or(&empty).clone();
    let (old, new) = (list(&saved, "steps"), list(&now, "steps"));
    let find = |all: &[Value], step: &Value| all.iter().find(|other| other["id"] == step["id"]).cloned();
    let name = |step: &Value| {
        let text = |key: &str| step[key].as_str().unwrap_or("?").to_string();
        format!("{} {}", text("action").replace('_', " "), text("id"))
    };
    for step in &new {
        match find(&old, step) {
            None => return Some(format!("new step: {}", name(step))),
            Some(before) if before["action"] != step["action"] => {
                return Some(format!("{} was {}", name(step), name(&before)));
            }
            Some(before) if before != *step => {
                let keys = step.as_object().into_iter().flatten().map(|(key, _)| key);
                let keys = keys.chain(before.as_object().into_iter().flatten().map(|(key, _)| key));
                let differs = keys.into_iter().find(|key| before.get(key) != step.get(key));
                let differs = differs.map_or("", String::as_str);
                return Some(format!("the step {} has different {differs}", name(step)));
            }
            Some(_) => {}
        }
    }
    if let Some(gone) = old.iter().find(|step| find(&new, step).is_none()) {
        return Some(format!("this step is no longer needed: {}", name(gone)));
    }
    let rest = ["steps", "blocked", "left_alone"].into_iter().find(|key| saved[*key] != now[*key]);
    Some(format!("its {} differ", rest.unwrap_or("steps")))
}
