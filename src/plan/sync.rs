//! What a plan's changes mean for the members of the cluster: who restarts, who waits, what is held. Pure.

use super::restart::{Expected, Policy, Topology, forecast, left_pending};
use super::{Action, Blocked, Catalog, Effect, Impact, Interruption, Plan, Step};
use crate::model::graph::{Graph, Id, Live, Observed};
use crate::spec::Strategy;
use std::collections::{BTreeMap, BTreeSet};

/// The cluster, if it stays: what a destroy deletes as a whole is interrupted no more than what is made anew.
pub(super) fn cluster(graph: &Graph, observed: &Observed, catalog: &Catalog) -> Option<Topology> {
    let sync = observed.values().find(|live| catalog[live.id.kind].restarts_members)?;
    graph.resources.get(&sync.id)?;
    serde_json::from_value(sync.props.get("topology")?.clone()).ok()
}

/// A writer that the spec names and that is no member, nor will be.
pub(super) fn check_writer(plan: &mut Plan, id: &Id, topology: &Topology, policy: &Policy) {
    let Some(writer) = &policy.writer else { return };
    let is_made = plan.steps.iter().any(|step| step.predicted.get("id") == Some(writer));
    if is_made || topology.members.is_empty() || topology.members.iter().any(|member| member.name == *writer)
    {
        return;
    }
    let members: Vec<&str> = topology.members.iter().map(|member| member.name.as_str()).collect();
    plan.blocked.push(Blocked {
        id: id.clone(),
        why: format!("the spec wants {writer} to be the writer, and the cluster has no such member"),
        hint: format!("name one of {} under `restart`, or remove `writer`", members.join(", ")),
    });
}

/// The members that go, by id.
pub(super) fn leaving<'i>(
    going: &BTreeSet<&'i Id>,
    observed: &Observed,
    catalog: &Catalog,
) -> BTreeMap<&'i Id, Option<String>> {
    let members = going.iter().filter(|id| catalog[id.kind].is_member && observed[**id].owned);
    members.map(|id| (*id, observed[*id].outputs.get("id").cloned())).collect()
}

/// Steps that interrupt something, chained: never two members down at once, readers before the writer, and
/// what changes the whole cluster first.
pub(super) fn one_at_a_time(plan: &mut Plan, catalog: &Catalog) {
    let mut steps: Vec<(bool, Impact, usize)> = plan
        .steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.held.is_none() && !step.interruptions.is_empty())
        .filter(|(_, step)| !catalog[step.id.kind].restarts_members)
        .map(|(n, step)| (catalog[step.id.kind].is_member, step.impact, n))
        .collect();
    steps.sort();
    // The order in which members are made says nothing about one in which they change.
    let chained: BTreeSet<Id> = steps.iter().map(|(_, _, n)| plan.steps[*n].id.clone()).collect();
    for (_, _, n) in &steps {
        plan.steps[*n].needs.retain(|id| !chained.contains(id));
    }
    for pair in steps.windows(2) {
        let before = plan.steps[pair[0].2].id.clone();
        plan.steps[pair[1].2].needs.insert(before);
    }
}

/// The step that restarts members: what it will have to do after the changes of what it waits for.
pub(super) fn restarts(
    step: &mut Step,
    topology: &Topology,
    policy: &Policy,
    waits_for: &BTreeSet<Id>,
    effects: &BTreeMap<Id, Effect>,
) {
    let meets = |wanted: Effect| waits_for.iter().any(|id| effects.get(id) == Some(&wanted));
    let expected = match (meets(Effect::Pending), meets(Effect::ServerlessPending)) {
        (true, _) => Expected::Everyone,
        (false, true) => Expected::Serverless,
        (false, false) => Expected::AsTheyAre,
    };
    let (interruptions, after) = forecast(topology, policy, expected);
    if step.action == Action::Recheck {
        let outlook = if interruptions.is_empty() {
            "no member has to restart"
        } else {
            "members then wait for a restart"
        };
        step.reason = step.reason.take().map(|why| format!("{why}; {outlook}"));
    }
    let left = left_pending(&after, policy.strategy);
    if interruptions.is_empty() && !left.is_empty() {
        let strategy = if policy.strategy == Strategy::Never { "never" } else { "writer_only" };
        step.held = Some(format!("`restart: {strategy}` leaves {} pending-reboot", left.join(", ")));
        if step.action == Action::NoOp {
            step.action = Action::Recheck;
        }
    } else if !interruptions.is_empty() {
        step.held.clone_from(&policy.hold);
    }
    step.interrupts(interruptions);
}

/// A step whose change makes AWS restart members.
pub(super) fn disturbs(step: &mut Step, topology: &Topology, policy: &Policy, effect: Effect) {
    let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
    let why = format!("{} changes", paths.join(", "));
    let interruption = match effect {
        Effect::RestartsAll(seconds) => Some(topology.everyone(&why, seconds)),
        Effect::RestartsMember(seconds) => {
            step.predicted.get("id").and_then(|member| topology.one(member, &why, seconds))
        }
        Effect::None | Effect::Pending | Effect::ServerlessPending => None,
    };
    hold(step, interruption.into_iter().collect(), policy);
}

/// A member that goes while the cluster stays.
pub(super) fn goes(step: &mut Step, topology: &Topology, policy: &Policy, live: &Live) {
    let interruption = live.outputs.get("id").and_then(|member| topology.without(member));
    hold(step, interruption.into_iter().collect(), policy);
}

fn hold(step: &mut Step, interruptions: Vec<Interruption>, policy: &Policy) {
    if !interruptions.is_empty() {
        step.held.clone_from(&policy.hold);
    }
    step.interrupts(interruptions);
}

/// What goes only after a step that is held waits with it: a role, say, that members still use. Everything
/// else finds its object as it is.
pub(super) fn hold_back(plan: &mut Plan, policy: &Policy, catalog: &Catalog) {
    loop {
        let held: BTreeMap<Id, bool> =
            plan.held().map(|step| (step.id.clone(), catalog[step.id.kind].restarts_members)).collect();
        let mut found = false;
        for step in &mut plan.steps {
            if step.held.is_some() || !matches!(step.action, Action::Delete | Action::Vanish) {
                continue;
            }
            let waits = step
                .needs
                .iter()
                .find(|id| held.get(*id).is_some_and(|restarts| !(*restarts && policy.accept_pending)));
            if let Some(id) = waits {
                step.held = Some(format!("waits for {id}"));
                found = true;
            }
        }
        if !found {
            return;
        }
    }
}
