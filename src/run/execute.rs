//! Carries out a plan: what is independent at once, each step after those that it needs.
//!
//! **Invariant.** This is the only place from which anything in AWS is changed.

use super::events::{Event, Listener, PlannedStep};
use super::step::{Converge, StepError};
use crate::aws::{Aws, Failure};
use crate::kinds;
use crate::model::graph::{Graph, Id, Observed, Outputs};
use crate::plan::{Action, Permit, Plan, Step};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Steps under way at once. Their waits share listings, so this bounds bursts of changes, not of polls.
const CONCURRENCY_MAX: usize = 24;

/// Tells a run to start nothing more and to end its waits.
pub type Stop = watch::Receiver<bool>;

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

/// What all steps of one run share.
pub(super) struct Run {
    pub aws: Arc<Aws>,
    pub graph: Graph,
    pub observed: Observed,
    /// Outputs of everything that is settled.
    pub known: Mutex<BTreeMap<Id, Outputs>>,
    pub stop: Stop,
    pub listener: Arc<dyn Listener>,
    /// What may be interrupted.
    pub permit: Arc<Permit>,
}

impl Run {
    pub fn tell(&self, event: Event) {
        self.listener.tell(self.aws.clock.now_ms(), &event);
    }
    pub fn learn(&self, id: &Id, outputs: Outputs) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), outputs);
    }
}

/// Carries out every step of the plan, as far as it gets.
pub async fn execute(
    aws: Arc<Aws>,
    graph: Graph,
    plan: &Plan,
    observed: Observed,
    stop: Stop,
    listener: Arc<dyn Listener>,
    permit: Arc<Permit>,
) -> Report {
    let run = Arc::new(Run { aws, graph, observed, known: Mutex::default(), stop, listener, permit });
    let steps = plan.work().map(|step| PlannedStep {
        id: step.id.clone(),
        action: step.action,
        needs: step.needs.clone(),
    });
    run.tell(Event::Planned { steps: steps.collect() });
    // What is held is used as it is.
    for step in plan.steps.iter().filter(|step| step.action == Action::NoOp || step.held.is_some()) {
        let Some(resource) = run.graph.resources.get(&step.id) else { continue };
        let mut outputs = resource.predicted.clone();
        outputs.extend(run.observed.get(&step.id).map(|live| live.outputs.clone()).unwrap_or_default());
        run.learn(&step.id, outputs);
    }
    let began = run.aws.clock.now_ms();
    let mut report = Report::default();
    let mut finished: BTreeSet<Id> = BTreeSet::new();
    let mut waiting: Vec<&Step> = plan.work().collect();
    let mut running: JoinSet<(Id, Result<(), StepError>)> = JoinSet::new();
    let places = Arc::new(Semaphore::new(CONCURRENCY_MAX));
    loop {
        let stopped = *run.stop.borrow();
        if !stopped {
            waiting.retain(|step| {
                if !step.needs.is_subset(&finished) {
                    return true;
                }
                let (run, step, places) = (run.clone(), (*step).clone(), places.clone());
                running.spawn(async move {
                    let _place = places.acquire_owned().await;
                    let outcome = one(&run, &step).await;
                    (step.id, outcome)
                });
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
                let events = kinds::get(id.kind).reported(&run.aws, began).await;
                if !events.is_empty() {
                    failure.message += &format!("; AWS reported: {}", events.join(" · "));
                }
                run.tell(Event::Failed { id: id.clone(), why: failure.to_string() });
                report.failed.push((id, failure));
            }
            // A panic in a step is a bug; it must not pass for success.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    report.not_started = waiting.into_iter().map(|step| step.id.clone()).collect();
    report
}

async fn one(run: &Arc<Run>, step: &Step) -> Result<(), StepError> {
    if *run.stop.borrow() {
        return Err(StepError::Interrupted);
    }
    let began = run.aws.clock.now_ms();
    run.tell(Event::Started { id: step.id.clone(), action: step.action });
    let mut converge = Converge::new(run, step, began);
    match step.action {
        Action::NoOp => {}
        Action::Create | Action::Update | Action::Recheck | Action::Recreate => {
            let outputs = converge.settle().await?;
            run.learn(&step.id, outputs);
        }
        Action::Delete => converge.remove(true).await?,
        Action::Vanish => converge.remove(false).await?,
    }
    let seconds = (run.aws.clock.now_ms() - began) / 1000;
    run.tell(Event::Finished { id: step.id.clone(), seconds });
    Ok(())
}
