//! Desired resources and the references between them. Pure.

use crate::base::{Id, Live, Predicted, references};
use crate::members::Policy;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One desired resource.
#[derive(Clone, Debug)]
pub struct Resource {
    pub id: Id,
    pub props: Value,
    /// Outputs that follow from the name, known before the object exists.
    pub predicted: Predicted,
    /// Waits for these although no property refers to them.
    pub after: BTreeSet<Id>,
    /// Waits for these, and is looked at again whenever one of them changes.
    pub recheck_after: BTreeSet<Id>,
    /// What its properties do not say stays as it is.
    pub partial: bool,
    /// What others made and the stack takes over: tags that it does not set stay, and so do the properties at these paths.
    pub found: Option<BTreeSet<String>>,
}

impl Resource {
    /// The desired properties, with those of the live object where the resource says nothing of them.
    pub fn over(&self, live: Option<&Live>) -> Value {
        self.keeping(&self.props, live)
    }

    /// The same of desired properties in which references may be filled in already.
    pub fn keeping(&self, props: &Value, live: Option<&Live>) -> Value {
        let mut want = match (self.partial, props, live.map(|live| &live.props)) {
            (true, Value::Object(said), Some(Value::Object(live))) => {
                let all = live.iter().chain(said).map(|(key, value)| (key.clone(), value.clone()));
                Value::Object(all.collect())
            }
            _ => props.clone(),
        };
        if let (Some(kept), Some(live)) = (&self.found, live) {
            for path in kept {
                let pointer = format!("/{}", path.replace('.', "/"));
                let found = live.props.pointer(&pointer).cloned().unwrap_or(Value::Null);
                if let Some(place) = want.pointer_mut(&pointer) {
                    *place = found;
                }
            }
            if let Some(tags) = want.get_mut("tags") {
                keep_tags(tags, &live.props["tags"]);
            }
        }
        want
    }
}

/// Tags that others set stay, and so does the name that the console shows.
fn keep_tags(want: &mut Value, live: &Value) {
    let (Some(want), Some(live)) = (want.as_object_mut(), live.as_object()) else { return };
    for (key, value) in live {
        // Ours are what they are to be.
        if !key.starts_with("auroraml:") && !want.contains_key(key) || key == "Name" {
            want.insert(key.clone(), value.clone());
        }
    }
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
    /// What the properties do not say stays as it is.
    pub fn partial(self) -> Self {
        self.0.partial = true;
        self
    }
    pub fn id(self) -> Id {
        self.0.id.clone()
    }
}

/// What happens to an object that goes away: options of its kind's `delete`.
pub type Deletions = BTreeMap<Id, Deletion>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Deletion {
    /// It stays, and stops being ours.
    Keep,
    /// It goes, with these options, which the kind understands.
    Delete(BTreeMap<String, String>),
    /// Others made it and the spec names it: it stays, unless a person lets it go by name.
    Offer,
}

/// How members of the cluster are restarted, and by which resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Restarts {
    /// The condition that all members run the current parameters. Its live property `topology` tells what the
    /// cluster looks like.
    pub by: Id,
    pub policy: Policy,
}

/// What ought to be.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub resources: BTreeMap<Id, Resource>,
    /// How to delete what must go, where the kind's default is not what the spec says.
    pub deletions: Deletions,
    /// The ids of what a person lets go by name, beyond what the spec lets go: `--delete`.
    pub let_go: BTreeSet<String>,
    /// The tags that a create of this stack sets on everything, but for the one that says which resource it is.
    pub tags: BTreeMap<String, String>,
    /// The kinds of which what the graph lacks goes; `None`: all. What is of no such kind is not touched.
    pub goes: Option<BTreeSet<&'static str>>,
    /// Whether the stack is taken down: then what is left under its names is told.
    pub destroys: bool,
    /// How members of the cluster are restarted; `None` where there are none, or all go.
    pub restarts: Option<Restarts>,
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
            predicted: Predicted::new(),
            after: BTreeSet::new(),
            recheck_after: BTreeSet::new(),
            partial: false,
            found: None,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Input;
    use serde_json::json;

    fn id(name: &str) -> Id {
        Id::new("thing", name)
    }

    #[test]
    fn references_order_the_graph() {
        let mut graph = Graph::default();
        graph.add(id("a"), json!({"uses": [Input::<String>::of(&id("b"), "id")]}));
        graph.add(id("b"), json!({"deep": {"er": Input::<String>::of(&id("c"), "id")}}));
        graph.add(id("c"), json!({})).predict("id", "c-1");
        assert_eq!(graph.order(), [id("c"), id("b"), id("a")]);
        assert_eq!(graph.needs(&id("a")), BTreeSet::from([id("b")]));
    }

    #[test]
    #[should_panic(expected = "two resources are called thing.a")]
    fn names_are_unique() {
        let mut graph = Graph::default();
        graph.add(id("a"), json!({}));
        graph.add(id("a"), json!({}));
    }
}
