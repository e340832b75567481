//! The whole of an apply or a destroy: look, plan, carry out, look again.

use super::events::{Event, Listener};
use super::execute::{Report, Stop, execute};
use super::{facts, preflight};
use crate::aws::{Aws, Failure, Look};
use crate::kinds;
use crate::model::facts::Facts;
use crate::model::graph::{Graph, Observed};
use crate::model::{self, Intent, Preflight};
use crate::plan::{Action, Plan, plan};
use crate::spec::Spec;
use std::sync::Arc;
use std::time::Duration;

/// Rounds of plan and execution before giving up on an empty plan.
const ROUNDS_MAX: usize = 4;
/// Milliseconds after which an object made by an earlier, killed run is certainly visible (fact book,
/// section 5.3): a run that makes or deletes such things takes its last look no earlier.
const SETTLED_MS: u64 = 65_000;

/// What a plan is made from, and the plan.
pub struct Prepared {
    pub graph: Graph,
    pub observed: Observed,
    pub plan: Plan,
    pub facts: Facts,
}

/// Why there is no plan.
#[derive(Debug)]
pub enum PrepareError {
    /// AWS could not be asked.
    Aws(Failure),
    /// The spec cannot be carried out in this account and region; nothing was changed.
    Preflight(Vec<Preflight>),
}
impl From<Failure> for PrepareError {
    fn from(failure: Failure) -> PrepareError {
        PrepareError::Aws(failure)
    }
}

/// Looks at AWS and plans. Changes nothing.
///
/// # Errors
/// When AWS cannot be asked, or the spec cannot be carried out here.
pub async fn prepare(aws: &Aws, spec: &Spec, intent: Intent) -> Result<Prepared, PrepareError> {
    let look = Look { aws, as_of: aws.clock.now_ms(), only: None };
    let (observed, facts) = tokio::join!(kinds::observe_all(look), facts::gather(look, spec));
    let (observed, mut facts) = (observed?, facts?);
    facts::complete(aws, &mut facts, &observed, intent).await?;
    let graph = model::build(spec, &aws.place, &facts, intent).map_err(PrepareError::Preflight)?;
    let mut plan = plan(&graph, &observed, &kinds::catalog());
    if plan.blocked.is_empty() {
        let findings = preflight::check(aws, &graph, &plan).await;
        if !findings.problems.is_empty() {
            return Err(PrepareError::Preflight(findings.problems));
        }
        plan.notes.extend(findings.notes);
    }
    Ok(Prepared { graph, observed, plan, facts })
}

/// How an apply or destroy ended.
#[derive(Debug)]
#[must_use = "an unread outcome hides failures"]
pub struct Outcome {
    /// One report for each round.
    pub reports: Vec<Report>,
    /// The plan after the last round; empty when everything is as wanted.
    pub remaining: Plan,
    pub observed: Observed,
}

impl Outcome {
    pub fn is_complete(&self) -> bool {
        self.remaining.is_empty() && self.reports.last().is_none_or(Report::is_complete)
    }
}

/// Carries a prepared plan out, then looks and plans again until nothing is left to do.
///
/// # Errors
/// When AWS cannot be asked for the next plan. What steps met is in the outcome.
pub async fn reconcile(
    aws: &Arc<Aws>,
    spec: &Spec,
    intent: Intent,
    prepared: Prepared,
    stop: Stop,
    listener: Arc<dyn Listener>,
) -> Result<Outcome, PrepareError> {
    let began = aws.clock.now_ms();
    let (mut reports, mut prepared) = (Vec::new(), prepared);
    for _ in 0..ROUNDS_MAX {
        if prepared.plan.is_empty() || !prepared.plan.blocked.is_empty() {
            break;
        }
        let catalog = kinds::catalog();
        // A destroy may follow a create that was killed before its VPC could be seen.
        let unseen = intent != Intent::Apply && spec.network.is_some();
        let late = unseen
            || prepared.plan.work().any(|step| {
                catalog[step.id.kind].appears_late && matches!(step.action, Action::Create | Action::Delete)
            });
        let report = execute(
            aws.clone(),
            prepared.graph,
            &prepared.plan,
            prepared.observed,
            stop.clone(),
            listener.clone(),
        )
        .await;
        let complete = report.is_complete();
        reports.push(report);
        if complete && late && !*stop.borrow() {
            settle(aws, began, &stop, &listener).await;
        }
        prepared = prepare(aws, spec, intent).await?;
        if !complete || *stop.borrow() {
            break;
        }
        if !prepared.plan.is_empty() {
            let text = "not everything is as wanted yet: going on".to_string();
            listener.tell(aws.clock.now_ms(), &Event::Note { text });
        }
    }
    Ok(Outcome { reports, remaining: prepared.plan, observed: prepared.observed })
}

/// Waits until whatever an earlier run made is visible, so that the last look misses nothing.
async fn settle(aws: &Aws, began: u64, stop: &Stop, listener: &Arc<dyn Listener>) {
    let left = (began + SETTLED_MS).saturating_sub(aws.clock.now_ms());
    if left == 0 {
        return;
    }
    let text = "waiting a moment before the last look, until listings show everything".to_string();
    listener.tell(aws.clock.now_ms(), &Event::Note { text });
    let mut stop = stop.clone();
    tokio::select! {
        () = aws.clock.sleep(Duration::from_millis(left)) => {}
        Ok(_) = stop.wait_for(|stop| *stop) => {}
    }
}
