//! What a plan's changes mean for the members of the cluster: who restarts, who waits, what is held. Pure.

use super::{Blocked, Plan, Step};
use crate::base::{Id, Observed};
use crate::members::restart::{Expected, forecast, left_pending};
use crate::members::{Effect, Impact, Interruption, Topology};
use crate::resource::{Action, Graph, Restarts};
use crate::spec::Strategy;
use std::collections::{BTreeMap, BTreeSet};

/// The cluster that stays, and how its members restart.
#[derive(Clone)]
pub(super) struct Members<'g> {
    pub restarts: &'g Restarts,
    topology: Topology,
}

/// The members that go, by id.
pub(super) fn leaving<'o>(
    effects: &BTreeMap<Id, Effect>,
    observed: &'o Observed,
) -> BTreeMap<&'o Id, Option<String>> {
    let going = effects.iter().filter(|(_, effect)| **effect == Effect::MemberGoes);
    let live = going.filter_map(|(id, _)| observed.get_key_value(id));
    live.map(|(id, live)| (id, live.output("id").map(String::from))).collect()
}

impl<'g> Members<'g> {
    /// `None` where there is no such cluster: what a destroy deletes as a whole is interrupted no more than what
    /// is made anew.
    pub fn of(graph: &'g Graph, observed: &Observed) -> Option<Members<'g>> {
        let restarts = graph.restarts.as_ref()?;
        let topology = Topology::told_by(observed.get(&restarts.by)?)?;
        // What is being deleted is made anew, and nobody uses it.
        (topology.status != "deleting").then_some(Members { restarts, topology })
    }

    /// Those that stay when these are gone.
    pub fn without<'n>(&self, gone: impl Iterator<Item = &'n String>) -> Members<'g> {
        let (mut left, gone) = (self.clone(), gone.collect::<BTreeSet<_>>());
        left.topology.members.retain(|member| !gone.contains(&member.name));
        left
    }

    /// A writer that the spec names and that is no member, nor will be.
    pub fn check_writer(&self, plan: &mut Plan, id: &Id) {
        let Some(writer) = &self.restarts.policy.writer else { return };
        let is_made = plan.steps.iter().any(|step| step.predicted.get("id") == Some(writer));
        let members: Vec<&str> = self.topology.members.iter().map(|member| member.name.as_str()).collect();
        if is_made || members.is_empty() || members.contains(&writer.as_str()) {
            return;
        }
        plan.blocked.push(Blocked {
            id: id.clone(),
            why: format!("the spec names {writer} as the writer, but the cluster has no such member"),
            hint: format!("use one of {} under `restart`, or remove `writer`", members.join(", ")),
        });
    }

    /// The step that restarts members: what it will have to do after the changes of what it waits for.
    pub fn restart(&self, step: &mut Step, waits_for: &BTreeSet<Id>, effects: &BTreeMap<Id, Effect>) {
        let policy = &self.restarts.policy;
        let meets = |wanted: Effect| waits_for.iter().any(|id| effects.get(id) == Some(&wanted));
        let expected = match (meets(Effect::Pending), meets(Effect::ServerlessPending)) {
            (true, _) => Expected::Everyone,
            (false, true) => Expected::Serverless,
            (false, false) => Expected::AsTheyAre,
        };
        let (interruptions, after) = forecast(&self.topology, policy, expected);
        let left = left_pending(&after, policy.strategy);
        if step.action == Action::Recheck {
            let outlook = match interruptions.is_empty() && left.is_empty() {
                true => "no member needs a restart",
                false => "members then wait for a restart",
            };
            step.reason = step.reason.take().map(|why| format!("{why}; {outlook}"));
        }
        if interruptions.is_empty() && !left.is_empty() {
            let strategy = if policy.strategy == Strategy::Never { "never" } else { "writer_only" };
            step.held = Some(format!("{SPEC_LEAVES}{strategy}` leaves {} pending-reboot", left.join(", ")));
            if step.action == Action::NoOp {
                step.action = Action::Recheck;
            }
        }
        self.interrupts(step, interruptions);
    }

    /// A step that has this effect at once. `member` is the name of a live object, where it differs from the
    /// predicted one.
    pub fn suffer(&self, step: &mut Step, effect: Effect, member: Option<&str>) {
        let paths: Vec<&str> = step.changes.iter().map(|change| change.path.as_str()).collect();
        let why = format!("{} changes", paths.join(", "));
        let member = member.or(step.predicted.get("id").map(String::as_str));
        let interruption = self.topology.suffers(effect, member, &why);
        self.interrupts(step, interruption.into_iter().collect());
    }

    fn interrupts(&self, step: &mut Step, interruptions: Vec<Interruption>) {
        if interruptions.iter().any(|interruption| interruption.impact > Impact::None) {
            step.held.clone_from(&self.restarts.policy.hold);
        }
        step.interrupts(interruptions);
    }
}

/// Steps that interrupt something, chained: never two members down at once, readers before the writer, and
/// what changes the whole cluster first.
pub(super) fn one_at_a_time(plan: &mut Plan, restarts: &Restarts, effects: &BTreeMap<Id, Effect>) {
    let of_all = |id: &Id| matches!(effects.get(id), Some(Effect::RestartsAll(_)));
    let mut steps: Vec<(bool, Impact, usize)> = plan
        .steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.held.is_none() && !step.interruptions.is_empty())
        .filter(|(_, step)| step.id != restarts.by)
        .map(|(n, step)| (!of_all(&step.id), step.impact, n))
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

/// What the reason begins with for which a step waits that another one holds.
pub(super) const WAITS_FOR: &str = "waits for ";
/// The same of members that the spec leaves as they are.
pub(super) const SPEC_LEAVES: &str = "`restart: ";

/// What goes only after a step that is held waits with it: a role, say, that members still use. Everything
/// else finds its object as it is.
pub(super) fn hold_back(plan: &mut Plan, restarts: &Restarts) {
    loop {
        let held: BTreeMap<Id, bool> =
            plan.held().map(|step| (step.id.clone(), step.id == restarts.by)).collect();
        let mut found = false;
        for step in &mut plan.steps {
            if step.held.is_some() || !matches!(step.action, Action::Delete | Action::Vanish) {
                continue;
            }
            let waits = step.needs.iter().find(|id| {
                held.get(*id).is_some_and(|is_restart| !(*is_restart && restarts.policy.accept_pending))
            });
            if let Some(id) = waits {
                step.held = Some(format!("{WAITS_FOR}{id}"));
                found = true;
            }
        }
        if !found {
            return;
        }
    }
}
