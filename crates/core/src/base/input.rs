//! Properties that depend on other resources, and what those give. Pure.

use super::Id;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A property: known, or an output of another resource. Text, unless the output is more than that.
///
/// References are the edges of the graph: a resource waits for those that it refers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Input<T = String> {
    // First: a value that is a mapping would take a reference for itself.
    Output {
        #[serde(rename = "$ref")]
        id: String,
        output: String,
    },
    /// A text of which some parts are outputs.
    Joined {
        #[serde(rename = "$text")]
        parts: Vec<Input>,
    },
    Known(T),
}

impl<T> Input<T> {
    pub fn of(id: &Id, output: &str) -> Input<T> {
        Input::Output { id: id.to_string(), output: output.into() }
    }

    /// The value. Kinds see properties only after [`resolve`], and the executor calls none while
    /// [`has_reference`] finds one.
    ///
    /// # Panics
    /// When it is not known yet: a bug of the executor.
    pub fn known(&self) -> &T {
        match self {
            Input::Known(value) => value,
            Input::Output { id, output } => panic!("{id}.{output} was used before it was known"),
            Input::Joined { .. } => panic!("a text was used before all of it was known"),
        }
    }
}

impl Input {
    /// The text, as [`Input::known`].
    pub fn get(&self) -> &str {
        self.known()
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Input {
        Input::Known(text.into())
    }
}
impl From<String> for Input {
    fn from(text: String) -> Input {
        Input::Known(text)
    }
}

/// What AWS says about an object beside its properties: ids, ARNs and host names, and whatever else others refer
/// to, each in the shape that the property has which refers to it.
pub type Outputs = BTreeMap<String, Value>;

/// Outputs that follow from names and are known before the object exists: always text.
pub type Predicted = BTreeMap<String, String>;

/// Predicted outputs with what was seen over them.
pub fn outputs(predicted: &Predicted, seen: Option<&Outputs>) -> Outputs {
    let mut all: Outputs =
        predicted.iter().map(|(name, text)| (name.clone(), text.as_str().into())).collect();
    all.extend(seen.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
    all
}

/// Adds the ids of all resources that are referred to.
pub fn references(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => match map.get("$ref").and_then(Value::as_str) {
            Some(name) => {
                out.insert(name.to_string());
            }
            None => map.values().for_each(|v| references(v, out)),
        },
        Value::Array(items) => items.iter().for_each(|v| references(v, out)),
        _ => {}
    }
}

/// Whether any reference is left in it.
pub fn has_reference(value: &Value) -> bool {
    let mut names = BTreeSet::new();
    references(value, &mut names);
    !names.is_empty()
}

/// Replaces every reference whose output is known; leaves the others.
pub fn resolve(value: &Value, known: &BTreeMap<Id, Outputs>) -> Value {
    match value {
        Value::Object(map) => {
            if let (Some(name), Some(output)) =
                (map.get("$ref").and_then(Value::as_str), map.get("output").and_then(Value::as_str))
            {
                let outputs = known.iter().find(|(id, _)| id.to_string() == name).map(|(_, outputs)| outputs);
                return outputs.and_then(|outputs| outputs.get(output)).unwrap_or(value).clone();
            }
            if let Some(parts) = map.get("$text").and_then(Value::as_array) {
                let parts: Vec<Value> = parts.iter().map(|part| resolve(part, known)).collect();
                let texts: Option<Vec<&str>> = parts.iter().map(Value::as_str).collect();
                return match texts {
                    Some(texts) => texts.concat().into(),
                    None => json!({ "$text": parts }),
                };
            }
            Value::Object(map.iter().map(|(k, v)| (k.clone(), resolve(v, known))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|v| resolve(v, known)).collect()),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> Id {
        Id::new("thing", name)
    }

    #[test]
    fn what_is_known_is_resolved_and_the_rest_stays() {
        let known = BTreeMap::from([(id("a"), Outputs::from([("id".into(), "a-1".into())]))]);
        let value = json!([Input::<String>::of(&id("a"), "id"), Input::<String>::of(&id("b"), "id"), "text"]);
        let resolved = resolve(&value, &known);
        assert_eq!(resolved[0], "a-1");
        assert!(has_reference(&resolved));
        assert_eq!(resolved[2], "text");
    }

    #[test]
    fn a_text_is_joined_when_all_of_it_is_known() {
        let parts = vec![Input::from("arn:"), Input::of(&id("a"), "id"), Input::of(&id("b"), "id")];
        let text: Input = Input::Joined { parts };
        let one = |name: &str, value: &str| (id(name), Outputs::from([("id".into(), value.into())]));
        let value = serde_json::to_value(&text).unwrap();
        let some = resolve(&value, &BTreeMap::from([one("a", "1")]));
        assert!(has_reference(&some));
        assert!(matches!(serde_json::from_value::<Input>(some).unwrap(), Input::Joined { .. }));
        assert_eq!(resolve(&value, &BTreeMap::from([one("a", "1"), one("b", "2")])), "arn:12");
    }

    #[test]
    fn an_output_may_be_more_than_text() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Container {
            image: String,
        }
        let reference: Input<Vec<Container>> = Input::of(&id("job"), "containers");
        let given = json!([{"image": "a"}, {"image": "b"}]);
        let known = BTreeMap::from([(id("job"), Outputs::from([("containers".into(), given.clone())]))]);
        let value = json!({ "containers": reference });
        let read =
            |value: &Value| serde_json::from_value::<Input<Vec<Container>>>(value["containers"].clone());
        assert!(matches!(read(&value).unwrap(), Input::Output { .. }));
        let resolved = resolve(&value, &known);
        assert_eq!(resolved["containers"], given);
        assert_eq!(read(&resolved).unwrap().known()[1].image, "b");
    }
}
