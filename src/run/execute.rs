//! Carries out a plan: what is independent at once, each step after those that it needs.
//!
//! **Invariant.** This is the only place from which anything in AWS is changed.

use super::shared::Run;
use super::step::{Converge, StepError};
use crate::aws::{Failure, Stop};
use crate::kinds::Kinds;
use crate::stack::Stack;
use auroraml_core::base::{Id, Live, Observed, outputs};
use auroraml_core::events::{Event, Listener, PlannedStep};
use auroraml_core::members::Permit;
use auroraml_core::plan::{Plan, Step};
use auroraml_core::resource::{Action, Graph, Nature};
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;
use tokio::task::{Id as TaskId, JoinSet};

/// Steps under way at once. Their waits share listings, so this bounds bursts of changes, not of polls.
const CONCURRENCY_MAX: usize = 24;

/// How a plan went.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "an unread report hides failures"]
pub struct Report {
    pub done: Vec<Id>,
    pub failed: Vec<(Id, Failure)>,
    /// Under way when the run was stopped.
    pub interrupted: Vec<Id>,
    /// Never begun, because something before them failed or the run was stopped.
    pub not_started: Vec<Id>,
}

impl Report {
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.interrupted.is_empty() && self.not_started.is_empty()
    }
}

/// Carries out every step of the plan, as far as it gets.
pub async fn execute(
    stack: &Stack,
    graph: Graph,
    plan: &Plan,
    observed: Observed,
    stop: Stop,
    listener: Arc<dyn Listener>,
    permit: Arc<Permit>,
) -> Report {
    let began = stack.aws.clock.now_ms();
    let run = Arc::new(Run {
        began,
        is_quiet: stack.is_quiet,
        aws: stack.aws.clone(),
        kinds: stack.kinds.clone(),
        graph,
        observed,
        known: Mutex::default(),
        stop,
        listener,
        permit,
        places: Arc::new(Semaphore::new(CONCURRENCY_MAX)),
    });
    let steps = plan.work().map(|step| PlannedStep {
        id: step.id.clone(),
        action: step.action,
        needs: step.needs.clone(),
    });
    run.tell(Event::Planned { steps: steps.collect() });
    // What is held is used as it is.
    for step in plan.steps.iter().filter(|step| step.action == Action::NoOp || step.held.is_some()) {
        let Some(resource) = run.graph.resources.get(&step.id) else { continue };
        let seen = run.observed.get(&step.id).map(|live| &live.outputs);
        run.learn(&step.id, outputs(&resource.predicted, seen));
    }
    let traces = leaves_traces(&stack.kinds, &run.observed);
    let mut report = Report::default();
    let mut finished: BTreeSet<Id> = BTreeSet::new();
    let mut waiting: Vec<&Step> = plan.work().collect();
    let mut running: JoinSet<(Id, Result<(), StepError>)> = JoinSet::new();
    let mut spawned: BTreeMap<TaskId, Id> = BTreeMap::new();
    loop {
        let stopped = *run.stop.borrow();
        if !stopped {
            let is_ready = |step: &Step| step.needs.is_subset(&finished);
            // Of a run that dies here something must show to the next one, or it would not know that there may be more.
            let first = !traces && report.done.is_empty();
            let awaits_first = first
                && (!running.is_empty()
                    || waiting.iter().any(|step| is_ready(step) && !is_made_unseen(&stack.kinds, step)));
            waiting.retain(|step| {
                if !is_ready(step) || awaits_first && is_made_unseen(&stack.kinds, step) {
                    return true;
                }
                let (run, id, step) = (run.clone(), step.id.clone(), (*step).clone());
                let handle = running.spawn(async move {
                    let outcome = one(&run, &step).await;
                    (step.id, outcome)
                });
                spawned.insert(handle.id(), id);
                false
            });
        }
        let Some(joined) = running.join_next().await else { break };
        match joined {
            Ok((id, Ok(()))) => {
                finished.insert(id.clone());
                report.done.push(id);
            }
            Ok((id, Err(StepError::Interrupted))) => report.interrupted.push(id),
            Ok((id, Err(StepError::Failed(mut failure)))) => {
                let events = run.kinds.get(id.kind).reported(&run.aws, began).await;
                if !events.is_empty() {
                    failure.message += &format!("; AWS reported: {}", events.join(" · "));
                }
                run.tell(Event::Failed { id: id.clone(), why: failure.to_string() });
                report.failed.push((id, failure));
            }
            // A panic in a step is a bug; it must not pass for success, nor end the other steps and stacks.
            Err(error) => {
                let Some(id) = spawned.remove(&error.id()) else { continue };
                let why =
                    error.try_into_panic().map_or_else(|error| error.to_string(), |panic| said(&*panic));
                let failure = Failure::refused("step", format!("a bug in auroraml: {why}"));
                run.tell(Event::Failed { id: id.clone(), why: failure.to_string() });
                report.failed.push((id, failure));
            }
        }
    }
    report.not_started = waiting.into_iter().map(|step| step.id.clone()).collect();
    report
}

/// Whether the step makes something that may show late, and twice.
fn is_made_unseen(kinds: &Kinds, step: &Step) -> bool {
    step.action == Action::Create && kinds.get(step.id.kind).rules().appears_late
}

/// Whether anything of the stack was seen.
fn leaves_traces(kinds: &Kinds, observed: &Observed) -> bool {
    let is_object = |live: &Live| kinds.get(live.id.kind).rules().nature == Nature::Object;
    observed.values().any(|live| live.owned && is_object(live))
}

/// Whether an earlier run that was killed may have made something that no listing shows yet: then the last look has
/// to wait for it. `wanted` is what an apply would make, where that is known.
pub(super) fn may_hide(kinds: &Kinds, observed: &Observed, plan: &Plan, wanted: Option<&Graph>) -> bool {
    if !leaves_traces(kinds, observed) {
        // What can be seen at once is made before the rest, if there is such a thing.
        return !plan.work().any(|step| step.needs.is_empty() && !is_made_unseen(kinds, step));
    }
    let appears_late = |id: &Id| kinds.get(id.kind).rules().appears_late;
    let is_second = |id: &Id| appears_late(id) && id.name.contains('#');
    let Some(wanted) = wanted else { return true };
    let comes = |id: &Id| plan.work().any(|step| step.id == *id && step.action == Action::Create);
    let is_met = |id: &Id| kinds.get(id.kind).rules().made_once && comes(id);
    wanted.resources.keys().any(|id| appears_late(id) && !observed.contains_key(id) && !is_met(id))
        || observed.keys().any(is_second)
}

/// What a panic said.
pub(super) fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("panicked without a message").to_string()
}

async fn one(run: &Arc<Run>, step: &Step) -> Result<(), StepError> {
    let place = run.places.clone().acquire_owned().await.ok();
    if *run.stop.borrow() {
        return Err(StepError::Interrupted);
    }
    let began = run.aws.clock.now_ms();
    run.tell(Event::Started { id: step.id.clone(), action: step.action });
    let mut converge = Converge::new(run, step, began, place);
    match step.action {
        Action::NoOp => {}
        Action::Create | Action::Update | Action::Recheck | Action::Recreate | Action::Run => {
            let outputs = converge.settle().await?;
            run.learn(&step.id, outputs);
        }
        Action::Delete | Action::Stop => converge.remove(true).await?,
        Action::Vanish => converge.remove(false).await?,
    }
    let seconds = run.aws.clock.now_ms().saturating_sub(began) / 1000;
    run.tell(Event::Finished { id: step.id.clone(), seconds });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use auroraml_core::base::{Outputs, State};
    use serde_json::json;

    fn seen(id: Id, owned: bool) -> (Id, Live) {
        let live =
            Live { id: id.clone(), props: json!({}), outputs: Outputs::new(), state: State::Ready, owned };
        (id, live)
    }

    fn observed(ids: &[&Id]) -> Observed {
        ids.iter().map(|id| seen((*id).clone(), true)).collect()
    }

    fn wanted(ids: &[Id]) -> Graph {
        let mut graph = Graph::default();
        for id in ids {
            graph.add(id.clone(), json!({}));
        }
        graph
    }

    /// What would be done where nothing is there yet; the second of each is what a step needs.
    fn making(steps: &[(Id, &[Id])]) -> Plan {
        let step = |(id, needs): &(Id, &[Id])| {
            let needs = needs.iter().cloned().collect();
            Step { needs, ..Step::new(id.clone(), Action::Create) }
        };
        Plan { steps: steps.iter().map(step).collect(), ..Plan::default() }
    }

    #[test]
    fn what_an_earlier_run_may_have_made_is_waited_for() {
        let kinds = Kinds::default();
        let (vpc, role) = (Id::new("vpc", "main"), Id::new("role", "comprehend"));
        let second = |id: &Id| Id::new(id.kind, format!("{}#2", id.name));
        let hides = |observed: &Observed, wanted: Option<&Graph>| {
            may_hide(&kinds, observed, &Plan::default(), wanted)
        };
        let both = wanted(&[vpc.clone(), role.clone()]);
        assert!(hides(&observed(&[&role]), Some(&both)), "the VPC may be there and not show");
        assert!(!hides(&observed(&[&vpc]), Some(&both)), "a role shows by its name");
        assert!(!hides(&observed(&[&vpc, &role]), Some(&both)));
        assert!(hides(&observed(&[&vpc, &second(&vpc)]), Some(&both)), "where there are two may be three");
        assert!(!hides(&observed(&[&vpc, &second(&role)]), Some(&both)));
        assert!(hides(&observed(&[&role]), None), "nobody knows what was wanted");
    }

    #[test]
    fn where_no_run_has_been_nothing_is_waited_for() {
        let kinds = Kinds::default();
        let (vpc, role) = (Id::new("vpc", "main"), Id::new("role", "comprehend"));
        let both = wanted(&[vpc.clone(), role.clone()]);
        let hides = |observed: &Observed, plan: &Plan| may_hide(&kinds, observed, plan, Some(&both));
        let nothing = Observed::new();
        // A run makes first what shows at once, so that it would have left something to see.
        assert!(!hides(&nothing, &making(&[(vpc.clone(), &[]), (role.clone(), &[])])));
        assert!(hides(&nothing, &making(&[(vpc.clone(), &[])])));
        assert!(hides(&nothing, &making(&[(vpc.clone(), &[]), (role.clone(), std::slice::from_ref(&vpc))])));
        // Another's object is no trace of ours, and what is said of our objects is no object.
        let roles_first = making(&[(vpc.clone(), &[]), (role.clone(), &[])]);
        assert!(!hides(&[seen(role.clone(), false)].into(), &roles_first));
        assert!(!hides(&observed(&[&Id::new("parameter_sync", "main")]), &roles_first));
        assert!(hides(&observed(&[&role]), &roles_first));
    }

    #[test]
    fn a_report_is_complete_when_nothing_is_left() {
        let id = Id::new("role", "comprehend");
        let done = Report { done: vec![id.clone()], ..Report::default() };
        assert!(done.is_complete());
        let failed = vec![(id.clone(), Failure::refused("CreateRole", "no"))];
        assert!(!Report { failed, ..done.clone() }.is_complete());
        assert!(!Report { interrupted: vec![id.clone()], ..done.clone() }.is_complete());
        assert!(!Report { not_started: vec![id], ..done }.is_complete());
    }
}
