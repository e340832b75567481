//! What goes: which objects, in which order, and what is in the way.

use super::sync::Members;
use super::{Blocked, LeftAlone, Plan, Step};
use crate::base::names::{NAME_TAGS, RESOURCE_TAG, STACK_TAG};
use crate::base::{ELSEWHERE, Id, Live, ONLY_TAGGED, Observed, State, WHY};
use crate::members::Impact;
use crate::resource::{Action, Asked, Catalog, Deletion, Graph, Nature, Rules};
use serde_json::Value;
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

/// Whether it is this stack's to delete: a tag alone gives no right to that, for others can set it too.
pub(super) fn may_go(graph: &Graph, live: &Live) -> bool {
    let let_go = graph.let_go.contains(&live.id.to_string());
    if graph.deletions.get(&live.id) == Some(&Deletion::Offer) {
        return let_go || live.owned;
    }
    live.owned && (let_go || !live.outputs.contains_key(ONLY_TAGGED) || as_made(graph, live))
}

/// Whether it goes only when a person names it.
pub(super) fn awaits_word(graph: &Graph, catalog: &Catalog, live: &Live) -> bool {
    match graph.deletions.get(&live.id) {
        Some(Deletion::Offer) => !live.owned,
        Some(Deletion::Keep | Deletion::Delete(_)) => false,
        None if !live.owned => false,
        None => {
            may_be_let_go(&catalog[live.id.kind], live)
                || live.outputs.contains_key(ONLY_TAGGED) && !as_made(graph, live)
        }
    }
}

/// How it is deleted that goes because a person names it.
fn by_name() -> BTreeMap<String, String> {
    [("allowed_by".into(), "--delete".into())].into()
}

/// Whether anything may stand on it, so that it goes after everything else.
fn goes_last(graph: &Graph, catalog: &Catalog, id: &Id) -> bool {
    catalog[id.kind].outlives_all && !graph.goes_first.contains(id)
}

/// Whether it holds data and may go all the same when a person names it.
fn may_be_let_go(rules: &Rules, live: &Live) -> bool {
    let asked = Asked::Delete { live: &live.props, options: &by_name() };
    rules.holds_data_of(live) && (rules.refuses)(asked).is_none()
}

/// Whether it carries exactly the tags that the stack's own create sets, no more and no less: what a killed run left
/// behind does. What somebody else made and a third one tagged hardly ever does.
fn as_made(graph: &Graph, live: &Live) -> bool {
    let Some(tags) = live.props["tags"].as_object() else { return false };
    let name = live.id.name.split('#').next().unwrap_or_default();
    let own = |(key, value): &(&String, &Value)| match key.as_str() {
        RESOURCE_TAG => **value == format!("{}.{name}", live.id.kind),
        "Name" => true,
        // Names that the spec chose, on security groups.
        key if NAME_TAGS.contains(&key) => true,
        key => graph.tags.get(key).is_some_and(|tag| **value == tag.as_str()),
    };
    let has = |key: &str| tags.contains_key(key);
    !graph.tags.is_empty() && tags.iter().all(|tag| own(&tag)) && graph.tags.keys().all(|key| has(key))
}

/// Says of what may not go that it stays, where somebody should know.
fn leave(plan: &mut Plan, graph: &Graph, live: &Live) {
    let id = &live.id;
    match graph.deletions.get(id) {
        Some(Deletion::Offer) => {
            plan.kept.push(id.clone());
            return plan.notes.push(format!(
                "{id} is kept, because the stack did not create it, and costs money until it is deleted; to delete it too, add --delete {id}"
            ));
        }
        Some(Deletion::Keep) => return plan.notes.push(format!("{id} is kept, as the spec says")),
        _ => {}
    }
    let (why, hint) = match live.output(ELSEWHERE) {
        _ if live.owned && live.output(ONLY_TAGGED).is_some_and(|why| !why.is_empty()) => (
            live.output(ONLY_TAGGED).unwrap_or_default().to_string(),
            format!("to delete it, add --delete {id}"),
        ),
        _ if live.owned => (
            "only its tags say that it belongs to this stack, and the spec does not have it".to_string(),
            format!("to delete it, add --delete {id}; if it does not belong to this stack, remove the tags"),
        ),
        Some(place) => (
            format!("it has this stack's tags, but is in {place}, which does not belong to the stack"),
            "remove the tags, or delete it yourself".into(),
        ),
        None if graph.destroys => (
            "it has this stack's name but not its tags, and may cost money until it is deleted".into(),
            format!("if it belongs to this stack, {}; if not, leave it to its owner", tagging(live, None)),
        ),
        None => return,
    };
    plan.left_alone.push(LeftAlone { id: id.clone(), why, hint });
}

/// How an object that has lost its tags is taken back.
pub(super) fn tagging(live: &Live, stack: Option<&str>) -> String {
    let which = live.output("id").or(live.output("name")).map(|id| format!(" {id}")).unwrap_or_default();
    let stack = stack.unwrap_or("the stack's name");
    format!("tag{which} with {STACK_TAG} = {stack} and {RESOURCE_TAG} = {}, then run again", live.id)
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
        if !goes(catalog, observed, id) {
            continue;
        }
        if !may_go(graph, live) {
            leave(plan, graph, live);
            continue;
        }
        if rules.nature == Nature::Task {
            let reason = Some("it still runs, and the spec does not have it".into());
            deletions.push(Step { reason, ..Step::new((*id).clone(), Action::Stop) });
            continue;
        }
        let is_let_go = graph.let_go.contains(&id.to_string());
        let why = live.output(WHY).filter(|why| !why.is_empty());
        let mut reason = why.or(rules.takes_along).map(String::from);
        let options = match graph.deletions.get(*id) {
            Some(Deletion::Keep) => {
                plan.notes.push(format!("{id} is kept, as the spec says"));
                plan.kept.push((*id).clone());
                kept.insert(id.kind);
                continue;
            }
            Some(Deletion::Delete(options)) => options.clone(),
            Some(Deletion::Offer) => {
                reason = Some(
                    "the stack did not create it; what was created only for it is deleted with it"
                        .to_string(),
                );
                by_name()
            }
            None if rules.holds_data_of(live) && !is_let_go => {
                plan.blocked.push(Blocked {
                    id: (*id).clone(),
                    why: "the spec no longer has it, but deleting it would lose data".into(),
                    hint: match may_be_let_go(rules, live) {
                        true => {
                            format!("restore it in the spec, or add --delete {id} to delete it with its data")
                        }
                        false => {
                            "restore it in the spec, or delete the whole stack with `auroraml destroy`".into()
                        }
                    },
                });
                continue;
            }
            None if is_let_go => by_name(),
            None => BTreeMap::new(),
        };
        if let Some(refusal) = (rules.refuses)(Asked::Delete { live: &live.props, options: &options }) {
            let hint = refusal.hint.unwrap_or("restore it in the spec");
            plan.blocked.push(Blocked { id: (*id).clone(), why: refusal.why.into(), hint: hint.into() });
        }
        let mut step = Step { options, reason, ..Step::new((*id).clone(), Action::Delete) };
        if rules.holds_data_of(live) {
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
                if waits.contains(&step.id) {
                    return false;
                }
                if step.action == Action::Vanish && Some(other.kind) == parent {
                    return *action == Action::Delete;
                }
                if goes_last(graph, catalog, &step.id) || goes_last(graph, catalog, other) {
                    let before = graph.goes_before.get(&step.id).is_some_and(|ids| ids.contains(other));
                    return before || *other != step.id && !goes_last(graph, catalog, other);
                }
                if graph.goes_first.contains(other) && !graph.goes_first.contains(&step.id) {
                    return true;
                }
                // A dependent kind's step comes first, unless it merely vanishes with this one.
                let dependent = catalog[other.kind].after.contains(&step.id.kind);
                dependent
                    && !(*action == Action::Vanish && catalog[other.kind].dies_with == Some(step.id.kind))
            })
            .map(|(other, _, _)| other.clone())
            .collect();
    }
    plan.steps.extend(deletions);
}
