//! What goes: which objects, in which order, and what is in the way.

use super::sync::Members;
use super::{Blocked, Plan, Step};
use crate::base::{Id, Observed, State};
use crate::members::Impact;
use crate::resource::{Action, Asked, Catalog, Deletion, Graph, Nature};
use std::collections::{BTreeMap, BTreeSet};

/// Whether something that the spec does not have is there to go. Conditions are no objects, and a task that has
/// ended is a record, not an orphan.
pub(super) fn goes(catalog: &Catalog, observed: &Observed, id: &Id) -> bool {
    match catalog[id.kind].nature {
        Nature::Object => true,
        Nature::Condition => false,
        Nature::Task => matches!(observed[id].state, State::Busy(_)),
    }
}

/// Adds a step for each object that goes.
pub(super) fn deletions(
    plan: &mut Plan,
    graph: &Graph,
    observed: &Observed,
    catalog: &Catalog,
    going: &BTreeSet<&Id>,
    members: Option<&Members<'_>>,
) {
    let mut deletions: Vec<Step> = Vec::new();
    let mut kept: BTreeSet<&'static str> = BTreeSet::new();
    for id in going {
        let rules = &catalog[id.kind];
        let live = &observed[*id];
        if !goes(catalog, observed, id) || !live.owned {
            continue;
        }
        if rules.nature == Nature::Task {
            let reason = Some("it still runs, and the spec does not have it".into());
            deletions.push(Step { reason, ..Step::new((*id).clone(), Action::Stop) });
            continue;
        }
        let options = match graph.deletions.get(*id) {
            Some(Deletion::Keep) => {
                plan.notes.push(format!("{id} is kept, as the spec says"));
                plan.kept.push((*id).clone());
                kept.insert(id.kind);
                continue;
            }
            Some(Deletion::Delete(options)) => options.clone(),
            None if rules.holds_data => {
                plan.blocked.push(Blocked {
                    id: (*id).clone(),
                    why: "the spec no longer has it, and deleting it would lose data".into(),
                    hint: "put it back in the spec, or delete the whole stack with `auroraml destroy`".into(),
                });
                continue;
            }
            None => BTreeMap::new(),
        };
        if let Some(refusal) = (rules.refuses)(Asked::Delete { live: &live.props, options: &options }) {
            let hint = refusal.hint.unwrap_or("put it back in the spec");
            plan.blocked.push(Blocked { id: (*id).clone(), why: refusal.why.into(), hint: hint.into() });
        }
        let mut step = Step { options, ..Step::new((*id).clone(), Action::Delete) };
        if rules.holds_data {
            step.impact = Impact::DataLoss;
        }
        if let Some(members) = members {
            let effect = (rules.effect)(Action::Delete, &[], &live.props);
            members.suffer(&mut step, effect, live.output("id"));
        }
        deletions.push(step);
    }
    // What lives inside a thing that is kept is kept with it.
    deletions.retain(|step| catalog[step.id.kind].dies_with.is_none_or(|parent| !kept.contains(parent)));
    let deleted_kinds: BTreeSet<&str> = deletions.iter().map(|step| step.id.kind).collect();
    for step in &mut deletions {
        if let Some(parent) = catalog[step.id.kind].dies_with
            && deleted_kinds.contains(parent)
        {
            step.action = Action::Vanish;
        }
    }
    let all: Vec<(Id, Action, BTreeSet<Id>)> = plan
        .steps
        .iter()
        .filter(|step| step.action != Action::NoOp)
        .map(|step| {
            let mut waits =
                graph.resources.get(&step.id).map(|r| r.recheck_after.clone()).unwrap_or_default();
            if graph.restarts.as_ref().is_some_and(|restarts| restarts.by == step.id) {
                // Members go first: what is left is then brought to the current parameters.
                waits.extend(step.needs.iter().cloned());
            }
            (step.id.clone(), step.action, waits)
        })
        .chain(deletions.iter().map(|step| (step.id.clone(), step.action, BTreeSet::new())))
        .collect();
    for step in &mut deletions {
        let parent = catalog[step.id.kind].dies_with;
        step.needs = all
            .iter()
            .filter(|(other, action, waits)| {
                if *other == step.id || waits.contains(&step.id) {
                    return false;
                }
                if step.action == Action::Vanish && Some(other.kind) == parent {
                    return *action == Action::Delete;
                }
                // A dependent kind's step comes first, unless it merely vanishes with this one.
                let dependent = catalog[other.kind].after.contains(&step.id.kind);
                dependent
                    && !(*action == Action::Vanish && catalog[other.kind].dies_with == Some(step.id.kind))
            })
            .map(|(other, _, _)| other.clone())
            .collect();
    }
    deletions.sort_by_key(|step| step.id.clone());
    // Listed so that they could be carried out one by one; also where one waits for another by way of a step that
    // deletes nothing.
    let between: BTreeMap<Id, BTreeSet<Id>> = all.into_iter().map(|(id, _, waits)| (id, waits)).collect();
    let mut listed: BTreeSet<Id> = BTreeSet::new();
    while !deletions.is_empty() {
        let waiting: BTreeSet<Id> = deletions.iter().map(|step| step.id.clone()).collect();
        let position = deletions
            .iter()
            .position(|step| {
                let needs = step.needs.iter().flat_map(|id| between[id].iter().chain([id]));
                needs.into_iter().all(|id| !waiting.contains(id) || listed.contains(id))
            })
            .unwrap_or_else(|| panic!("deletions wait for each other: {waiting:?}"));
        let step = deletions.remove(position);
        listed.insert(step.id.clone());
        plan.steps.push(step);
    }
}
