//! Desired resources, the references between them, and what was seen of them. Pure.

use crate::plan::restart::Policy;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A resource's identity within a stack: what kind it is, and its name there (`subnet.private-1`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    pub kind: &'static str,
    pub name: String,
}

impl Id {
    pub fn new(kind: &'static str, name: impl Into<String>) -> Id {
        Id { kind, name: name.into() }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.name)
    }
}

impl Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A property's text: known, or an output of another resource.
///
/// References are the edges of the graph: a resource waits for those that it refers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Input {
    Known(String),
    Output {
        #[serde(rename = "$ref")]
        id: String,
        output: String,
    },
}

impl Input {
    pub fn of(id: &Id, output: &str) -> Input {
        Input::Output { id: id.to_string(), output: output.into() }
    }

    /// The text. Kinds see properties only after [`resolve`]; an unresolved one is a bug of the executor.
    pub fn get(&self) -> &str {
        match self {
            Input::Known(text) => text,
            Input::Output { id, output } => panic!("{id}.{output} was used before it was known"),
        }
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

/// What AWS says about an object beside its properties: ids, ARNs, host names.
pub type Outputs = BTreeMap<String, String>;

/// One desired resource.
#[derive(Clone, Debug)]
pub struct Resource {
    pub id: Id,
    pub props: Value,
    /// Outputs that follow from the name, known before the object exists.
    pub predicted: Outputs,
    /// Waits for these although no property refers to them.
    pub after: BTreeSet<Id>,
    /// Waits for these, and is looked at again whenever one of them changes.
    pub recheck_after: BTreeSet<Id>,
}

/// Handle on a resource just added, for what its properties do not say.
pub struct Added<'a>(&'a mut Resource);

impl Added<'_> {
    pub fn predict(self, output: &str, value: impl Into<String>) -> Self {
        self.0.predicted.insert(output.into(), value.into());
        self
    }
    pub fn after<'i>(self, ids: impl IntoIterator<Item = &'i Id>) -> Self {
        self.0.after.extend(ids.into_iter().cloned());
        self
    }
    pub fn recheck_after<'i>(self, ids: impl IntoIterator<Item = &'i Id>) -> Self {
        self.0.recheck_after.extend(ids.into_iter().cloned());
        self
    }
    pub fn id(self) -> Id {
        self.0.id.clone()
    }
}

/// One live object, in the same property shape as the desired one.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    pub id: Id,
    pub props: Value,
    pub outputs: Outputs,
    pub state: State,
    /// Whether the object carries this stack's tag (or is by nature a part of one that does).
    pub owned: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum State {
    Ready,
    /// On its way; AWS will get there by itself. The text is AWS's own status.
    Busy(String),
    /// AWS will not get there by itself. The text says what AWS says.
    Failed(String),
    /// Failed in a way that only deleting and creating again mends, and nothing is lost by that.
    Broken(String),
}

pub type Observed = BTreeMap<Id, Live>;

/// What happens to an object that goes away: options of its kind's `delete`.
pub type Deletions = BTreeMap<Id, Deletion>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Deletion {
    /// It stays, and stops being ours.
    Keep,
    /// It goes, with these options, which the kind understands.
    Delete(BTreeMap<String, String>),
}

/// What ought to be.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub resources: BTreeMap<Id, Resource>,
    /// How to delete what must go, where the kind's default is not what the spec says.
    pub deletions: Deletions,
    /// How members of the cluster are restarted.
    pub policy: Policy,
    /// What a reader of the plan should know.
    pub notes: Vec<String>,
}

impl Graph {
    /// Adds a resource.
    ///
    /// # Panics
    /// When the id is taken: the model made two resources with one name.
    pub fn add<P: Serialize>(&mut self, id: Id, props: P) -> Added<'_> {
        let props = serde_json::to_value(props).expect("properties are plain data");
        let resource = Resource {
            id: id.clone(),
            props,
            predicted: Outputs::new(),
            after: BTreeSet::new(),
            recheck_after: BTreeSet::new(),
        };
        assert!(self.resources.insert(id.clone(), resource).is_none(), "two resources are called {id}");
        Added(self.resources.get_mut(&id).expect("just added"))
    }

    /// The resources that must be there before this one.
    pub fn needs(&self, id: &Id) -> BTreeSet<Id> {
        let resource = &self.resources[id];
        let mut names = BTreeSet::new();
        references(&resource.props, &mut names);
        self.resources
            .keys()
            .filter(|other| names.contains(&other.to_string()))
            .chain(resource.after.iter())
            .chain(resource.recheck_after.iter())
            .cloned()
            .collect()
    }

    /// All ids, dependencies first; ties by name, so that the order is always the same.
    ///
    /// # Panics
    /// On a cycle or a reference to nothing: a bug of the model.
    pub fn order(&self) -> Vec<Id> {
        let mut needs: BTreeMap<Id, BTreeSet<Id>> = self
            .resources
            .keys()
            .map(|id| {
                let needed = self.needs(id);
                (id.clone(), needed.into_iter().filter(|n| self.resources.contains_key(n)).collect())
            })
            .collect();
        let mut order = Vec::with_capacity(needs.len());
        while !needs.is_empty() {
            let next = needs
                .iter()
                .find(|(_, needed)| needed.is_empty())
                .map(|(id, _)| id.clone())
                .unwrap_or_else(|| panic!("the model made a cycle among {:?}", needs.keys()));
            needs.remove(&next);
            for needed in needs.values_mut() {
                needed.remove(&next);
            }
            order.push(next);
        }
        order
    }
}

fn references(value: &Value, out: &mut BTreeSet<String>) {
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
                return match outputs.and_then(|outputs| outputs.get(output)) {
                    Some(text) => Value::String(text.clone()),
                    None => value.clone(),
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
    use serde_json::json;

    fn id(name: &str) -> Id {
        Id::new("thing", name)
    }

    #[test]
    fn references_order_the_graph() {
        let mut graph = Graph::default();
        graph.add(id("a"), json!({"uses": [Input::of(&id("b"), "id")]}));
        graph.add(id("b"), json!({"deep": {"er": Input::of(&id("c"), "id")}}));
        graph.add(id("c"), json!({})).predict("id", "c-1");
        assert_eq!(graph.order(), [id("c"), id("b"), id("a")]);
        assert_eq!(graph.needs(&id("a")), BTreeSet::from([id("b")]));
    }

    #[test]
    fn what_is_known_is_resolved_and_the_rest_stays() {
        let known = BTreeMap::from([(id("a"), Outputs::from([("id".into(), "a-1".into())]))]);
        let value = json!([Input::of(&id("a"), "id"), Input::of(&id("b"), "id"), "text"]);
        let resolved = resolve(&value, &known);
        assert_eq!(resolved[0], "a-1");
        assert!(has_reference(&resolved));
        assert_eq!(resolved[2], "text");
    }

    #[test]
    #[should_panic(expected = "two resources are called thing.a")]
    fn names_are_unique() {
        let mut graph = Graph::default();
        graph.add(id("a"), json!({}));
        graph.add(id("a"), json!({}));
    }
}
