//! The whole of an apply or a destroy: look, plan, carry out, look again.

use super::execute::{Report, execute, may_hide, said};
use super::prices::behind_endpoints;
use super::{again, change_sets, facts, preflight, takeover};
use crate::aws::{Aws, Failure, Inside, Look, Stop};
use crate::kinds::swept::Leftover;
use crate::stack::{Origin, Stack};
use crate::verify::outlook;
use auroraml_core::base::{Id, Observed};
use auroraml_core::cost::{Terms, Variants, bill};
use auroraml_core::events::{Event, Listener};
use auroraml_core::kinds::Kind;
use auroraml_core::members::Permit;
use auroraml_core::model::facts::{Facts, Reached};
use auroraml_core::model::{self, FromTags, Intent, Order, Preflight};
use auroraml_core::plan::{self, Plan, Step, plan};
use auroraml_core::resource::{Action, Deletion, Graph};
use auroraml_core::spec::{Aurora, Spec};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Rounds of plan and execution before giving up on an empty plan.
const ROUNDS_MAX: usize = 4;
/// Milliseconds after which an object made by an earlier, killed run is certainly visible (fact book,
/// section 5.3): where there may be such things the last look is taken no earlier.
const SETTLED_MS: u64 = 65_000;

/// What the reader of an apply's plan is told first.
const PAUSED: &str = "the stack is paused: this plan starts its stopped cluster, as resume does";

/// What the reader of a destroy's plan is told then (fact book, section 1.13 and table 8.2).
const STARTS_FIRST: &str =
    "AWS cannot delete a stopped cluster: it is started first, which usually takes ten minutes";

/// What a plan is made from, and the plan.
pub struct Prepared {
    pub graph: Graph,
    pub observed: Observed,
    pub plan: Plan,
    pub facts: Facts,
    /// What live endpoints run on, where the spec does not say it.
    pub variants: Variants,
    /// Whether an earlier run may have left something that no listing shows yet.
    pub may_hide: bool,
}

/// Why there is no plan.
#[derive(Debug)]
pub enum PrepareError {
    /// AWS could not be asked.
    Aws(Failure),
    /// The spec cannot be carried out in this account and region; nothing was changed.
    Preflight(Vec<Preflight>),
    /// auroraml has a bug: this is what it panicked with.
    Bug(String),
}
impl From<Failure> for PrepareError {
    fn from(failure: Failure) -> PrepareError {
        PrepareError::Aws(failure)
    }
}

/// What is there, and what has to be done, or why that cannot be said.
pub struct Survey {
    pub observed: Observed,
    pub facts: Facts,
    /// What live endpoints run on, where the spec does not say it.
    pub variants: Variants,
    /// Why that is not known of some.
    pub unread: Vec<String>,
    /// With whether an earlier run may have left something that no listing shows yet.
    pub planned: Result<(Graph, Plan, bool), Vec<Preflight>>,
}

/// Looks at AWS and plans. Changes nothing.
///
/// # Errors
/// When AWS cannot be asked, or the spec cannot be carried out here.
pub async fn prepare(stack: &Stack, order: impl Into<Order>) -> Result<Prepared, PrepareError> {
    let order: Order = order.into();
    let Survey { observed, facts, variants, planned, .. } = survey(stack, order).await?;
    let (mut graph, mut plan, may_hide) = planned.map_err(PrepareError::Preflight)?;
    if order.intent == Intent::Apply {
        Box::pin(change_sets::with(stack, &mut graph, &mut plan, &observed)).await?;
        change_sets::notes(stack, &mut plan);
    }
    if plan.blocked.is_empty() {
        let outlook = async {
            match order.intent == Intent::Apply && wires(&plan) {
                true => outlook(stack).await,
                false => Vec::new(),
            }
        };
        let check = Box::pin(preflight::check(stack, &graph, &plan, &observed));
        let (findings, outlook) = tokio::join!(check, Box::pin(outlook));
        if !findings.problems.is_empty() {
            return Err(PrepareError::Preflight(findings.problems));
        }
        plan.notes.extend(findings.notes.into_iter().chain(outlook));
    }
    Ok(Prepared { graph, observed, plan, facts, variants, may_hide })
}

/// Looks at AWS and compares, whatever comes of it.
///
/// # Errors
/// When AWS cannot be asked.
pub async fn survey(stack: &Stack, order: impl Into<Order>) -> Result<Survey, PrepareError> {
    let (order, aws, spec): (Order, &Aws, &Spec) = (order.into(), &stack.aws, &stack.spec);
    // With the stack's own cluster goes what is in it.
    let pauses = matches!(order.intent, Intent::Pause { .. });
    let (leaves, owned) = (order.intent != Intent::Apply, matches!(spec.aurora, Some(Aurora::Owned(_))));
    let inside = Inside { looks: !(leaves && owned || pauses), wakes: order.wake, leaves };
    let look = Look { aws, as_of: aws.clock.now_ms(), only: None, inside };
    let (observed, facts) =
        tokio::join!(Box::pin(stack.kinds.observe_all(look)), Box::pin(facts::gather(look, spec)));
    let (observed, mut facts) = (observed?, facts?);
    facts::complete(aws, spec, &mut facts, &observed, order.intent).await?;
    facts.final_snapshot.clone_from(&stack.final_snapshot);
    match &stack.origin {
        Origin::Heeded => facts.origin = Box::pin(takeover::origin(aws, spec, None)).await?,
        Origin::Releases(release) => {
            facts.origin = Box::pin(takeover::origin(aws, spec, Some(release))).await?;
            facts.release = Some(release.clone());
        }
        Origin::Ignored => {}
    }
    if stack.origin != Origin::Ignored {
        Box::pin(takeover::second_owners(aws, spec, &observed, &mut facts)).await?;
    }
    if order.intent == Intent::Apply && model::is_paused(&observed) {
        facts.notes.push(PAUSED.into());
    }
    if stack.from_tags {
        facts.from_tags = Some(FromTags::of(&observed, &aws.place));
    }
    let hold = hold(aws, spec, order);
    let planned = catch_unwind(AssertUnwindSafe(|| {
        let mut graph = model::build(spec, &aws.place, &facts, order.intent)?;
        if let Some(restarts) = &mut graph.restarts {
            restarts.policy.accept_pending = order.accept_pending;
            restarts.policy.hold = hold;
        }
        graph.let_go.clone_from(&stack.let_go);
        if order.intent.destroys() && stack.kinds.knows(Leftover::NAME) {
            // What others made for the spec's endpoints goes with a sweep.
            let offered = graph.deletions.iter().filter(|(_, deletion)| **deletion == Deletion::Offer);
            graph.let_go.extend(offered.map(|(id, _)| id.to_string()).collect::<Vec<_>>());
        }
        if order.intent.destroys() && model::is_paused(&observed) {
            graph.notes.push(STARTS_FIRST.into());
        }
        if facts.origin.is_some() {
            model::without_missing(&mut graph, &observed);
        }
        let mut plan = plan(&graph, &observed, &stack.kinds.catalog());
        if facts.origin.is_some() && graph.goes.is_some() {
            // What comes when CloudFormation has let go.
            let later = Facts { origin: None, release: None, ..facts.clone() };
            let later = model::build(spec, &aws.place, &later, Intent::Apply)?;
            plan.notes.extend(model::afterwards(&plan::plan(&later, &observed, &stack.kinds.catalog())));
        }
        let whole = match order.intent {
            Intent::Apply => None,
            _ => model::build(spec, &aws.place, &facts, Intent::Apply).ok(),
        };
        let may_hide = match order.intent {
            Intent::Apply => may_hide(&stack.kinds, &observed, &plan, Some(&graph)),
            Intent::Pause { .. } => false,
            Intent::Destroy { .. } => {
                if stack.from_tags {
                    // Nobody knows what was wanted.
                    let may_hide = may_hide(&stack.kinds, &observed, &plan, None);
                    return Ok((graph, whole, plan, may_hide));
                }
                spec.network.is_some() && may_hide(&stack.kinds, &observed, &plan, whole.as_ref())
            }
        };
        Ok((graph, whole, plan, may_hide))
    }));
    // A bug that one stack's spec brings to light must not end the others of the process.
    let bug = |panic: Box<dyn Any + Send>| PrepareError::Bug(said(&*panic));
    let (graph, whole, mut plan, may_hide) = match planned.map_err(bug)? {
        Ok(planned) => planned,
        Err(problems) => {
            let (variants, unread) = (Variants::new(), Vec::new());
            return Ok(Survey { observed, facts, variants, unread, planned: Err(problems) });
        }
    };
    // What an endpoint runs on costs as much before the plan as `cost` says, whatever the spec wants instead.
    let known = whole.as_ref().unwrap_or(&graph);
    let (variants, unread) = Box::pin(behind_endpoints(aws, &observed, known)).await;
    if graph.goes.as_ref().is_none_or(|goes| !goes.is_empty()) {
        let terms = Terms { variants: variants.clone(), ..Terms::built_in(&aws.place.region) };
        let cost = || bill(&graph, whole.as_ref(), &observed, &plan.leaving(), &terms);
        plan.cost = catch_unwind(AssertUnwindSafe(cost)).map_err(bug)?;
    }
    Ok(Survey { observed, facts, variants, unread, planned: Ok((graph, plan, may_hide)) })
}

/// Whether the plan makes or changes what lets SQL call other services: who agrees to a restart for it should know
/// whether it will work.
fn wires(plan: &Plan) -> bool {
    plan.work().any(|step| {
        matches!(step.id.kind, "cluster_role" | "group_attachment" | "group_parameters")
            && matches!(step.action, Action::Create | Action::Update)
    })
}

/// Why nothing may be interrupted now, if so.
fn hold(aws: &Aws, spec: &Spec, order: Order) -> Option<String> {
    let window = spec.restart()?.window().filter(|_| !order.now)?;
    let now = aws.clock.now_ms() / 1000;
    if window.open_for(now).is_some() {
        return None;
    }
    let opens = i64::try_from(window.opens_at(now)).unwrap_or(i64::MAX);
    let opens = jiff::Timestamp::from_second(opens).unwrap_or(jiff::Timestamp::MAX);
    Some(format!("the window {window} is closed; it opens at {opens}"))
}

/// When the window closes that is open now, in milliseconds since the Unix epoch.
fn closes(aws: &Aws, spec: &Spec, order: Order) -> Option<u64> {
    let window = spec.restart()?.window().filter(|_| !order.now)?;
    let now = aws.clock.now_ms();
    window.open_for(now / 1000).map(|seconds| now + seconds * 1000)
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
    /// What is left because the plan that was reviewed does not have it.
    pub unreviewed: Vec<Id>,
    /// What was announced, and what was interrupted.
    pub permit: Arc<Permit>,
    /// How clients reach the cluster of others that the spec names.
    pub reached: Option<Reached>,
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
    stack: &Stack,
    order: impl Into<Order>,
    prepared: Prepared,
    stop: Stop,
    listener: Arc<dyn Listener>,
) -> Result<Outcome, PrepareError> {
    let (aws, spec) = (&stack.aws, &stack.spec);
    let (began, order, catalog) = (aws.clock.now_ms(), order.into(), stack.kinds.catalog());
    aws.heed(stop.clone());
    // Later rounds are held to what the first plan announced: nobody agreed to more.
    let permit = Arc::new(prepared.plan.permit(&prepared.graph, &catalog, closes(aws, spec, order)));
    // What was shown is executed; what comes after it is planned as it is.
    let later = Stack { change_sets: None, ..stack.clone() };
    let (mut reports, mut prepared) = (Vec::new(), prepared);
    let reviewed = order.reviewed.then(|| prepared.plan.clone());
    let mut unreviewed = Vec::new();
    for _ in 0..ROUNDS_MAX {
        if prepared.plan.is_empty() || !prepared.plan.blocked.is_empty() {
            break;
        }
        let may_hide = prepared.may_hide;
        let report = execute(
            stack,
            prepared.graph,
            &prepared.plan,
            prepared.observed,
            stop.clone(),
            listener.clone(),
            permit.clone(),
        )
        .await;
        let complete = report.is_complete();
        reports.push(report);
        // What an earlier run made and nobody sees yet is no question where that run came to its end.
        if complete && may_hide && !stack.is_quiet && !*stop.borrow() {
            settle(aws, began, &stop, &listener).await;
        }
        let before = prepared.plan;
        prepared = again::until_seen(&aws.clock, &stop, &*listener, || prepare(&later, order)).await?;
        // What has come to light meanwhile may be what was in the way of a destroy.
        let goes_on =
            complete || order.intent != Intent::Apply && has_more_to_delete(&before, &prepared.plan);
        if !goes_on || *stop.borrow() {
            break;
        }
        // A window that has opened meanwhile, say, or a parameter that was said to be dynamic.
        let now = aws.clock.now_ms();
        if prepared.plan.interruptions().any(|interruption| permit.check(now, interruption).is_err()) {
            break;
        }
        if let Some(reviewed) = &reviewed {
            unreviewed = prepared.plan.unreviewed(reviewed).map(|step| step.id.clone()).collect();
            if !unreviewed.is_empty() {
                break;
            }
        }
        if !prepared.plan.is_empty() {
            let text = "not converged yet: planning again".to_string();
            listener.tell(aws.clock.now_ms(), &Event::Note { text });
        }
    }
    let reached = prepared.facts.existing.map(|existing| existing.reached);
    Ok(Outcome {
        reports,
        remaining: prepared.plan,
        observed: prepared.observed,
        unreviewed,
        permit,
        reached,
    })
}

/// Whether the next plan deletes something of which the one before knew nothing.
fn has_more_to_delete(before: &Plan, next: &Plan) -> bool {
    let is_known = |step: &Step| before.steps.iter().any(|known| known.id == step.id);
    next.work().any(|step| step.action == Action::Delete && !is_known(step))
}

/// Waits until whatever an earlier run made is visible, so that the last look misses nothing.
async fn settle(aws: &Aws, began: u64, stop: &Stop, listener: &Arc<dyn Listener>) {
    let left = (began + SETTLED_MS).saturating_sub(aws.clock.now_ms());
    if left == 0 {
        return;
    }
    let text = "waiting a moment for AWS's listings before the last check".to_string();
    listener.tell(aws.clock.now_ms(), &Event::Note { text });
    tokio::select! {
        () = aws.clock.sleep(Duration::from_millis(left)) => {}
        () = again::stopped(stop) => {}
    }
}
