//! The plan as JSON: what `plan --format json` prints, `plan --out` keeps and `apply --plan` compares.

use super::{Subject, plain};
use crate::plan::Plan;
use crate::resource::Action;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// The format that this version writes and reads.
pub const FORMAT: u64 = 1;

/// A plan with what it was made from. No secret can be in it: of what may hold one, a plan has a hash.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Document {
    /// Version of this format.
    pub format: u64,
    pub stack: String,
    pub account: String,
    pub region: String,
    /// SHA-256 of the spec file, in hexadecimal digits.
    pub spec_sha256: String,
    /// Whether it takes the stack down.
    pub destroy: bool,
    /// What is to be done; resources that stay as they are have no step here.
    pub plan: Plan,
}

impl Document {
    pub fn new(subject: &Subject, spec_sha256: &str, plan: &Plan) -> Document {
        Document {
            format: FORMAT,
            stack: subject.stack.clone(),
            account: subject.account.clone(),
            region: subject.region.clone(),
            spec_sha256: spec_sha256.into(),
            destroy: subject.destroy,
            plan: Plan {
                steps: plan.steps.iter().filter(|step| step.action != Action::NoOp).cloned().collect(),
                blocked: plan.blocked.clone(),
                left_alone: plan.left_alone.clone(),
                notes: plan.notes.clone(),
                cost: plan.cost.clone(),
                ..Plan::default()
            },
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

/// What a saved plan calls the final snapshot. The name holds the time at which the plan was made: a new one would
/// never be the same plan.
pub fn final_snapshot(saved: &Value) -> Option<String> {
    let mut steps = saved["plan"]["steps"].as_array()?.iter();
    steps.find_map(|step| step["options"]["final_snapshot"].as_str()).map(String::from)
}

/// How the plan made now differs from a saved one, if it does: the first difference, in words.
pub fn difference(saved: &Value, now: &Value) -> Option<String> {
    for (key, what) in [
        ("format", "the format of the saved plan"),
        ("stack", "the stack"),
        ("account", "the account"),
        ("region", "the region"),
    ] {
        if saved[key] != now[key] {
            return Some(format!("{what} is {} there and {} now", saved[key], now[key]));
        }
    }
    if saved["spec_sha256"] != now["spec_sha256"] {
        return Some("the spec file has changed since the plan was saved".into());
    }
    steps_difference(&saved["plan"], &now["plan"])
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
            None => return Some(format!("there is a new step: {}", name(step))),
            Some(before) if before["action"] != step["action"] => {
                return Some(format!("{} was {}", name(step), name(&before)));
            }
            Some(before) if before != *step => {
                let keys = step.as_object().into_iter().flatten().map(|(key, _)| key);
                let keys = keys.chain(before.as_object().into_iter().flatten().map(|(key, _)| key));
                let differs = keys.into_iter().find(|key| before.get(key) != step.get(key));
                let differs = differs.map_or("", String::as_str);
                return Some(format!("the step {} has other {differs}", name(step)));
            }
            Some(_) => {}
        }
    }
    if let Some(gone) = old.iter().find(|step| find(&new, step).is_none()) {
        return Some(format!("this step is no longer needed: {}", name(gone)));
    }
    let rest = ["steps", "blocked", "left_alone"].into_iter().find(|key| saved[*key] != now[*key]);
    Some(format!("its {} are not the same", rest.unwrap_or("steps")))
}
