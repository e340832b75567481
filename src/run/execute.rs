//! Carries out a plan: what is independent at once, each step after those that it needs.
//!
//! **Invariant.** This is the only place from which anything in AWS is changed.

use super::shared::Run;
use super::step::{Converge, StepError};
use crate::aws::{Failure, Stop};
use crate::stack::Stack;
use auroraml_core::base::{Id, Observed, outputs};
use auroraml_core::events::{Event, Listener, PlannedStep};
use auroraml_core::members::Permit;
use auroraml_core::plan::{Plan, Step};
use auroraml_core::resource::{Action, Graph};
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
    let run = Arc::new(Run {
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
    let began = run.aws.clock.now_ms();
    let mut report = Report::default();
    let mut finished: BTreeSet<Id> = BTreeSet::new();
    let mut waiting: Vec<&Step> = plan.work().collect();
    let mut running: JoinSet<(Id, Result<(), StepError>)> = JoinSet::new();
    let mut spawned: BTreeMap<TaskId, Id> = BTreeMap::new();
    loop {
        let stopped = *run.stop.borrow();
        if !stopped {
            waiting.retain(|step| {
                if !step.needs.is_subset(&finished) {
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

/// What a panic said.
pub(super) fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked without a word").to_string()
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
    let seconds = (run.aws.clock.now_ms() - began) / 1000;
    run.tell(Event::Finished { id: step.id.clone(), seconds });
    Ok(())
}
