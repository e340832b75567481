//! Outputs of templates in the midst of text: a key, a role or a bucket of a template's, in properties and policies whose
//! writers know texts alone. Private characters stand for each, as for all else that only CloudFormation knows.

use crate::base::Input;
use crate::base::names::unknown;
use crate::kinds::stack::OUTPUT;
use serde_json::Value;
use std::collections::BTreeSet;

/// Properties that are text or plain data to their writers. All others may be outputs as they are.
const TEXTS: &[&str] = &["kms_key", "secret_key", "policy", "trust", "tags", "on_create", "on_start"];

/// What stands for this output of this stack in a text.
pub fn mark(id: &str, output: &str) -> String {
    let by = unknown::OUTPUT;
    format!("{by}{id}{by}{output}{by}")
}

/// The properties, with marks where a text or a policy has an output.
pub fn marked(props: &Value) -> Value {
    let mut props = props.clone();
    for name in TEXTS {
        if let Some(value) = props.get_mut(*name) {
            mark_all(value);
        }
    }
    props
}

fn mark_all(value: &mut Value) {
    if let Some(text) = text(value) {
        *value = text.into();
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(mark_all),
        Value::Object(map) => map.values_mut().for_each(mark_all),
        _ => {}
    }
}

/// The text with marks of what refers to an output.
fn text(value: &Value) -> Option<String> {
    let is_reference = value.get("$ref").is_some() || value.get("$text").is_some();
    let input: Input = is_reference.then(|| serde_json::from_value(value.clone()).ok())??;
    Some(said(&input))
}

fn said(input: &Input) -> String {
    match input {
        Input::Known(text) => text.clone(),
        Input::Output { id, output } => mark(id, output),
        Input::Joined { parts } => parts.iter().map(said).collect(),
    }
}

/// The outputs of templates that properties refer to: stack, and output.
pub fn outputs(value: &Value, found: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Object(map) => match (map.get("$ref"), map.get("output")) {
            (Some(Value::String(id)), Some(Value::String(output))) if output.starts_with(OUTPUT) => {
                found.insert((id.clone(), output.clone()));
            }
            _ => map.values().for_each(|value| outputs(value, found)),
        },
        Value::Array(items) => items.iter().for_each(|value| outputs(value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_marked_and_other_properties_are_not() {
        let key = json!({ "$ref": "stack.base", "output": "Outputs.Key" });
        let objects = json!({ "$text": ["arn:aws:s3:::", key, "/*"] });
        let props =
            json!({ "kms_key": key, "vpc": key, "policy": { "Statement": [{ "Resource": [objects] }] } });
        let marked = marked(&props);
        let mark = mark("stack.base", "Outputs.Key");
        assert_eq!(marked["kms_key"], mark);
        assert_eq!(marked["vpc"], key);
        assert_eq!(marked["policy"]["Statement"][0]["Resource"][0], format!("arn:aws:s3:::{mark}/*"));
        let mut found = BTreeSet::new();
        outputs(&props, &mut found);
        assert_eq!(found, [("stack.base".to_owned(), "Outputs.Key".to_owned())].into());
    }
}
