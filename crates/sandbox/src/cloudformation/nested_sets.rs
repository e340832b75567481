//! Change sets of stacks within stacks: made, executed and deleted with that of the outermost one.
//!
//! CloudFormation User Guide, "Change sets for nested stacks", and "Delete a change set": stacks that were made for a
//! change set, still in REVIEW_IN_PROGRESS, go with it.

use super::kinds::STACK;
use super::plan;
use super::source::source;
use super::state::{Above, CloudFormation, Phase, Resource, Stack};
use super::template::refused;
use super::types::nested_parameters;
use super::work::{Services, text};
use crate::call::Call;
use crate::wire::{Fault, Params};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the change sets of the stacks within come to.
#[derive(Default)]
pub(super) struct Within {
    /// Their ids by logical id.
    pub sets: BTreeMap<String, String>,
    /// Why there is none for one of them.
    pub failure: Option<String>,
    /// When all of them can be looked at.
    pub ready: u64,
}

/// What a change set of a stack within is told of what is above it.
#[derive(Clone)]
pub(super) struct Family {
    pub set: Above,
    pub stack: Above,
}

impl CloudFormation {
    /// Makes one for each stack within that is wanted, and notes it with its change.
    pub(super) fn sets_within(
        &mut self,
        call: &Call,
        above: &Above,
        stack: &Stack,
        wanted: &BTreeMap<String, Resource>,
        changes: &mut Vec<Value>,
        services: &mut dyn Services,
    ) -> Result<Within, Fault> {
        let mut within = Within::default();
        for (logical, resource) in wanted.iter().filter(|(_, resource)| resource.kind == STACK) {
            let old = stack.resources.get(logical).map(|old| old.physical.clone());
            let old = old.filter(|id| self.made.get(id).is_some_and(|child| child.deleted.is_none()));
            let letters = services.random().letters(12);
            let name = match &old {
                Some(id) => id.clone(),
                None => super::jobs::physical_name(&stack.name, logical, &letters),
            };
            let set_name = format!("{}-{letters}", set_name(call));
            let kind = if old.is_some() { "UPDATE" } else { "CREATE" };
            let mut asked = nested_parameters(&resource.properties)?;
            for (name, value) in [
                ("StackName", name.as_str()),
                ("ChangeSetName", set_name.as_str()),
                ("ChangeSetType", kind),
                ("IncludeNestedStacks", "true"),
            ] {
                asked.push((name.into(), value.into()));
            }
            let own = super::work::pairs(&resource.properties["Tags"]);
            let tags = call.params.tags("Tags");
            let stacks = tags.into_iter().filter(|(key, _)| !own.iter().any(|(other, _)| other == key));
            let tags: Vec<(String, String)> = own.iter().cloned().chain(stacks).collect();
            for (at, (key, value)) in tags.into_iter().enumerate() {
                asked.push((format!("Tags.member.{}.Key", at + 1), key));
                asked.push((format!("Tags.member.{}.Value", at + 1), value));
            }
            for (at, capability) in call.params.list("Capabilities").into_iter().enumerate() {
                asked.push((format!("Capabilities.member.{}", at + 1), capability));
            }
            let request = Call { params: Params::of(asked), ..call.clone() };
            let family = Family {
                set: above.clone(),
                stack: Above {
                    parent: stack.id.clone(),
                    root: stack.parent.as_ref().map_or(&stack.id, |above| &above.root).clone(),
                },
            };
            if let Err(fault) = self.make_change_set(&request, Some(family), services) {
                within.failure = Some(format!(
                    "Nested change set of {logical} was not successfully created: {}",
                    fault.message
                ));
                continue;
            }
            let child = self.find(&name)?;
            let Some(child) = self.made.get_mut(&child) else { continue };
            let Some(set) = child.change_sets.get_mut(&set_name) else { continue };
            let entry = changes.iter().position(|change| change["LogicalResourceId"] == logical.as_str());
            match &set.failure {
                // Nothing changes in it, whatever it is given.
                Some(why) if is_empty(why) => {
                    child.change_sets.remove(&set_name);
                }
                Some(_) => {
                    within.failure = Some(format!(
                        "Nested change set {} was not successfully created: Currently in FAILED.",
                        set.id
                    ));
                    within.sets.insert(logical.clone(), set.id.clone());
                }
                None => {
                    within.ready = within.ready.max(set.ready);
                    let at = entry.unwrap_or_else(|| {
                        changes.push(plan::line("Modify", logical, STACK, Some(&child.id)));
                        changes.len() - 1
                    });
                    let change = &mut changes[at];
                    change["ChangeSetId"] = json!(set.id);
                    change["PhysicalResourceId"] = json!(child.id);
                    if change["Action"] == "Modify" {
                        change["Replacement"] = json!("False");
                    }
                    within.sets.insert(logical.clone(), set.id.clone());
                }
            }
        }
        changes.sort_by_key(|change| text(&change["LogicalResourceId"]));
        Ok(within)
    }

    /// Carries out the change set of a stack within, with what it is given by now. Gives the stack's id.
    pub(super) fn execute_within(
        &mut self,
        call: &Call,
        id: &str,
        services: &mut dyn Services,
    ) -> Result<String, Fault> {
        let found = self.made.values().find_map(|stack| {
            let set = stack.change_sets.values().find(|set| set.id == id)?;
            Some((stack.id.clone(), set.name.clone(), (set.kind != "CREATE").then(|| stack.source.clone())))
        });
        let (stack, name, before) =
            found.ok_or_else(|| refused(format!("ChangeSet [{id}] does not exist")))?;
        let source = source(call, before.as_ref(), services)?;
        if let Some(set) = self.made.get_mut(&stack).and_then(|stack| stack.change_sets.get_mut(&name)) {
            set.source = source;
        }
        self.execute(call, (&stack, &name), None, false, services)?;
        Ok(stack)
    }

    /// Takes away the change sets of stacks within, and the stacks that were made for nothing else.
    pub(super) fn forget_sets(&mut self, ids: Vec<String>, now: u64) {
        for id in ids {
            let found =
                self.made.values_mut().find(|stack| stack.change_sets.values().any(|set| set.id == id));
            let Some(stack) = found else { continue };
            let name = stack.change_sets.values().find(|set| set.id == id).map(|set| set.name.clone());
            let set = name.and_then(|name| stack.change_sets.remove(&name));
            if stack.status == "REVIEW_IN_PROGRESS" && stack.parent.is_some() {
                stack.deleted = Some(now);
                stack.become_(now, "DELETE_COMPLETE", None);
            }
            self.forget_sets(set.into_iter().flat_map(|set| set.nested.into_values()).collect(), now);
        }
    }
}

impl Stack {
    /// Change sets of stacks within that nobody will carry out any more.
    pub(super) fn unused_sets(&mut self) -> Vec<String> {
        match &mut self.operation {
            Some(operation) if operation.phase != Phase::Apply => {
                std::mem::take(&mut operation.nested).into_values().collect()
            }
            _ => Vec::new(),
        }
    }
}

fn set_name(call: &Call) -> String {
    call.params.get("ChangeSetName").unwrap_or_default().chars().take(80).collect()
}

fn is_empty(why: &str) -> bool {
    why.contains("didn't contain changes") || why.contains("No updates are to be performed")
}
