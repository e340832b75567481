//! Change sets of a plan: what CloudFormation says that it would do, where a person asks for it.
//!
//! A plan makes them, shows them and takes them away again; an apply executes the very ones that it has shown.

use crate::aws::Failure;
use crate::kinds::change_set::{Answer, Asked, answer, ask, remove};
use crate::stack::Stack;
use auroraml_core::base::{Live, Observed, To, counted, has_reference, outputs, resolve};
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::stack::{self, ChangeSet, Props, Status};
use auroraml_core::plan::{Plan, Step, plan as planned};
use auroraml_core::resource::{Action, Graph};
use std::time::Duration;

/// Looks at a change set before it is given up, and the pause between two.
const LOOKS_MAX: u32 = 120;
const PAUSE: Duration = Duration::from_secs(5);

/// What a step does to a template's stack, if it does something to what is in it.
fn is_update(step: &Step) -> bool {
    let inside = |path: &str| path.starts_with("template.") || path.starts_with("parameters.");
    step.id.kind == stack::Stack::NAME
        && matches!(step.action, Action::Create | Action::Update)
        && step.changes.iter().any(|change| inside(&change.path))
}

/// What a plan without change sets does not tell.
pub(super) fn notes(stack: &Stack, plan: &mut Plan) {
    if stack.change_sets.is_some() {
        return;
    }
    let updated = plan.work().filter(|step| is_update(step) && step.action == Action::Update);
    let told = updated.map(|step| {
        format!("{}: to see which resources CloudFormation replaces, add --change-sets", step.id)
    });
    let told: Vec<String> = told.collect();
    plan.notes.extend(told);
}

/// The graph and the plan with what change sets say, where a person asks for them.
///
/// # Errors
/// When CloudFormation cannot be asked.
pub(super) async fn with(
    stack: &Stack,
    graph: &mut Graph,
    plan: &mut Plan,
    observed: &Observed,
) -> Result<(), Failure> {
    let Some(sets) = &stack.change_sets else { return Ok(()) };
    let steps: Vec<Step> = plan.work().filter(|step| is_update(step)).cloned().collect();
    let mut told = Vec::new();
    for step in steps {
        let id = step.id.to_string();
        let reviewed = sets.reviewed().map(|reviewed| reviewed.get(&id));
        if matches!(reviewed, Some(None)) {
            continue;
        }
        let Some((want, live)) = asked_of(graph, &step, observed) else {
            told.push(format!(
                "{}: no change set yet, because its values are known only after other steps of this plan",
                step.id
            ));
            continue;
        };
        let asked = match reviewed.flatten() {
            Some(arn) => Asked { arn: arn.clone(), stack: want.name.clone(), is_new: false },
            None => {
                let name = format!("auroraml-{}", stack.aws.clock.now_ms());
                let asked = ask(&stack.aws, &name, &want, live.as_ref()).await?;
                sets.add(asked.clone());
                asked
            }
        };
        match wait(stack, &asked, &want, live.as_ref()).await? {
            (Some(set), words) => {
                sets.is_ready(&id, &asked);
                told.push(format!("{}, says its change set, {words}", step.id));
                let resource = graph.resources.get_mut(&step.id);
                if let (Some(resource), Ok(set)) = (resource, serde_json::to_value(set)) {
                    resource.props["request"]["change_set"] = set;
                }
            }
            (None, words) => told.push(format!("{}: {words}", step.id)),
        }
    }
    if told.is_empty() {
        return Ok(());
    }
    let mut again = planned(graph, observed, &stack.kinds.catalog());
    again.cost = plan.cost.take();
    again.notes.extend(told);
    *plan = again;
    Ok(())
}

/// What is wanted of a stack and what it is, where all of that is known.
fn asked_of(graph: &Graph, step: &Step, observed: &Observed) -> Option<(Props, Option<Props>)> {
    if step.changes.iter().any(|change| matches!(change.to, To::KnownAfterApply(_))) {
        return None;
    }
    let known = graph.resources.values().map(|resource| {
        (
            resource.id.clone(),
            outputs(&resource.predicted, observed.get(&resource.id).map(|live| &live.outputs)),
        )
    });
    let want = resolve(&graph.resources.get(&step.id)?.props, &known.collect());
    if has_reference(&want) {
        return None;
    }
    // A stack that a change set made and nobody executed is none yet.
    let is_empty = |live: &&Live| live.output(stack::STATUS) == Some(Status::ReviewInProgress.word());
    let live = observed.get(&step.id).filter(|live| !is_empty(live));
    let live = live.and_then(|live| serde_json::from_value(live.props.clone()).ok());
    Some((serde_json::from_value(want).ok()?, live))
}

/// The change set once CloudFormation has made it, with what it does; or why there is none.
async fn wait(
    stack: &Stack,
    asked: &Asked,
    want: &Props,
    live: Option<&Props>,
) -> Result<(Option<ChangeSet>, String), Failure> {
    for _ in 0..LOOKS_MAX {
        match answer(&stack.aws, asked, want, live).await? {
            Answer::Pending => stack.aws.clock.sleep(PAUSE).await,
            Answer::Empty => return Ok((None, "CloudFormation found nothing to change".into())),
            Answer::Failed(why) => {
                return Ok((None, format!("CloudFormation could not create a change set: {why}")));
            }
            Answer::Ready(set, words) => return Ok((Some(set), words)),
        }
    }
    let minutes = u64::from(LOOKS_MAX) * PAUSE.as_secs() / 60;
    let why = format!(
        "the change set of {} is not ready after {}; run the command again",
        asked.stack,
        counted(minutes, "minute")
    );
    Err(Failure::refused("DescribeChangeSet", why))
}

/// Takes away every change set that was asked for: what was executed is gone already.
///
/// # Errors
/// The first failure; the others are taken away all the same.
pub async fn clear(stack: &Stack) -> Result<(), Failure> {
    let Some(sets) = &stack.change_sets else { return Ok(()) };
    let asked = sets.take();
    let mut result = Ok(());
    for one in &asked {
        result = result.and(remove(&stack.aws, one).await);
    }
    result
}
