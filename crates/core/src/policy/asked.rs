//! What a plan's steps will ask IAM for, so that it can be asked beforehand (`iam:SimulatePrincipalPolicy`).

use super::names::Names;
use super::statement::conditions;
use crate::kinds::catalog;
use crate::plan::Plan;
use crate::resource::Action;
use crate::resource::permission::{Permission, Verb};
use std::collections::{BTreeMap, BTreeSet};

/// Actions on resources, with what the request will say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub actions: BTreeSet<&'static str>,
    /// ARNs, in which `*` may stand for what is not known before; `*` alone where the action takes no resource.
    pub resources: BTreeSet<String>,
    /// Keys of the context with their values, as the simulator wants them: without these it denies what AWS allows.
    pub context: BTreeMap<String, Vec<String>>,
    /// Kinds of the steps that need it.
    pub kinds: BTreeSet<&'static str>,
}

/// What the steps of the plan that change something will ask for. Alike ones are asked for once.
pub fn of_plan(plan: &Plan, names: &Names) -> Vec<Asked> {
    let catalog = catalog();
    let mut needed: BTreeSet<(&'static str, Verb)> = BTreeSet::new();
    for step in plan.work() {
        let verbs: &[Verb] = match step.action {
            Action::NoOp | Action::Recheck | Action::Vanish => &[],
            Action::Create | Action::Run => &[Verb::Create],
            Action::Update => &[Verb::Change],
            Action::Recreate => &[Verb::Delete, Verb::Create],
            Action::Delete | Action::Stop => &[Verb::Delete],
        };
        needed.extend(verbs.iter().map(|verb| (step.id.kind, *verb)));
    }
    // By resources and context: what is asked with the same ones is one question.
    let mut found = BTreeMap::<_, Asked>::new();
    for (kind, rules) in catalog.iter() {
        let of_verbs = rules.permissions.iter().filter(|one| needed.contains(&(kind, one.verb)));
        for permission in of_verbs.filter(|one| one.when.iter().all(|when| names.can(*when))) {
            let resources: BTreeSet<String> =
                permission.on.iter().flat_map(|pattern| names.arns(pattern)).map(|name| name.text).collect();
            if resources.is_empty() {
                continue;
            }
            let context = context(permission, names);
            let asked = found.entry((resources.clone(), context.clone())).or_insert_with(|| Asked {
                actions: BTreeSet::new(),
                resources,
                context,
                kinds: BTreeSet::new(),
            });
            asked.actions.extend(permission.actions);
            asked.kinds.insert(kind);
        }
    }
    found.into_values().collect()
}

/// The keys that the request will have, of which the conditions speak.
fn context(permission: &Permission, names: &Names) -> BTreeMap<String, Vec<String>> {
    let said = conditions(permission.when, names).into_iter();
    // What is to be missing, or kept, is said by saying nothing.
    said.filter(|((operator, _), _)| matches!(*operator, "StringEquals" | "ArnEquals"))
        .map(|((_, key), values)| (key, values.into_iter().map(|name| name.text).collect()))
        .collect()
}
