//! A plan as a person reads it before saying yes.

use super::paint::{self, BOLD, CYAN, DIM, RED, YELLOW, paint};
use super::plain;
use super::section::sections;
use super::{Subject, consequence, cost, disturbance, fold, refusal, sign, summary, verb};
use crate::plan::{Blocked, LeftAlone, Plan, Step};
use crate::resource::Action;

/// The whole plan, styled. Ends with a line break; no line ends with a space.
pub fn plan(subject: &Subject, plan: &Plan) -> String {
    with(subject, plan, "Nothing to do: everything is as the spec says.\n")
}

/// As [`plan`], of a plan to pause.
pub fn pause(subject: &Subject, plan: &Plan) -> String {
    with(subject, plan, "Nothing to do: the stack is paused.\n")
}

/// `nothing` is said where there is nothing to do and the stack stays.
fn with(subject: &Subject, plan: &Plan, nothing: &str) -> String {
    let plan = &plain::plan(plan);
    let mut out = String::new();
    if plan.work().next().is_some() {
        out.push_str(&heading(subject));
        for (title, steps) in sections(plan.work()) {
            out.push_str(&format!("\n{}\n", paint(BOLD, title)));
            for step in steps {
                for line in step_lines(step) {
                    out.push_str(&format!("  {line}\n"));
                }
            }
        }
        out.push('\n');
    }
    out.push_str(&interruptions(subject, plan));
    out.push_str(&held(plan));
    out.push_str(&remarks(plan));
    if plan.is_empty() && plan.held().next().is_some() {
        out.push_str("Nothing to do now: what differs is held.\n");
    } else if plan.is_empty() {
        out.push_str(match (subject.destroy, plan.left_alone.is_empty()) {
            (true, true) => "Nothing to do: nothing of this stack is left to delete.\n",
            (true, false) => "Nothing to do: what is left is not deleted.\n",
            (false, _) => nothing,
        });
    } else if plan.work().next().is_some() {
        out.push_str(&format!("{}\n", paint(BOLD, summary(plan))));
    }
    if let Some(bill) = cost::shown(plan) {
        out.push_str(&format!("Cost: {}\n", cost::line(bill)));
    }
    out
}

fn heading(subject: &Subject) -> String {
    let Subject { stack, account, region, destroy, .. } = subject;
    let what = if *destroy { "Destroying stack" } else { "Stack" };
    format!("{what} {} in account {account}, region {region}\n", paint(BOLD, stack))
}

/// One step: sign, name, why, what it interrupts, what becomes of it.
pub(super) fn step_lines(step: &Step) -> Vec<String> {
    let style = paint::of(step.action);
    let mut head =
        format!("{} {} {}", paint(style, sign(step.action)), verb(step.action), paint(BOLD, &step.id));
    if let Some(reason) = &step.reason {
        head.push_str(&format!(" ({reason})"));
    }
    if step.action == Action::Vanish {
        head.push_str(" (goes with what it belongs to)");
    }
    let mut lines = vec![head];
    if let Some(text) = consequence(step.impact) {
        lines.push(format!("    {}", paint(YELLOW, format!("! {text}"))));
    }
    lines.extend(details(step).into_iter().map(|line| format!("    {line}")));
    lines
}

/// Properties, known names and options of a step.
pub(super) fn details(step: &Step) -> Vec<String> {
    let mut lines = Vec::new();
    if matches!(step.action, Action::Create | Action::Recreate) {
        let said = |name: &String| step.changes.iter().any(|change| change.path == *name);
        let predicted = step.predicted.iter().filter(|(name, _)| !said(name));
        lines.extend(predicted.map(|(name, value)| format!("{name}: {value}")));
    }
    lines.extend(match step.action {
        Action::Create | Action::Run => fold::created(&step.changes),
        _ => fold::changed(&step.changes),
    });
    lines.extend(step.options.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.iter().map(|line| plain::line(line)).collect()
}

/// What those who use the database will notice, in order.
fn interruptions(subject: &Subject, plan: &Plan) -> String {
    if plan.interruptions().next().is_none() {
        return String::new();
    }
    let mut out = format!("{}\n", paint(YELLOW, "Interruptions, one after the other:"));
    for (n, interruption) in plan.interruptions().enumerate() {
        out.push_str(&format!("  {}. {}\n", n + 1, paint(BOLD, &interruption.what)));
        out.push_str(&format!("     {}\n", disturbance(interruption)));
    }
    if let Some(text) = refusal(subject, plan) {
        out.push_str(&format!("  {} {text}\n", paint(RED, "Not allowed:")));
    }
    out.push('\n');
    out
}

/// What ought to be done, and is not done now.
fn held(plan: &Plan) -> String {
    if plan.held().next().is_none() {
        return String::new();
    }
    let mut out = format!("{}\n", paint(YELLOW, "Held, not done now:"));
    for step in plan.held() {
        let why = step.held.as_deref().unwrap_or_default();
        out.push_str(&format!("  {} {}: {why}\n", verb(step.action), paint(BOLD, &step.id)));
        for interruption in &step.interruptions {
            out.push_str(&format!("    {}\n", interruption.what));
        }
    }
    out.push('\n');
    out
}

/// Notes, and what is in the way.
fn remarks(plan: &Plan) -> String {
    let mut out = String::new();
    for note in &plan.notes {
        out.push_str(&format!("{} {note}\n", paint(CYAN, "note:")));
    }
    if !plan.notes.is_empty() {
        out.push('\n');
    }
    if !plan.left_alone.is_empty() {
        out.push_str(&format!("{}\n", paint(YELLOW, "Left alone:")));
        for LeftAlone { id, why, hint } in &plan.left_alone {
            out.push_str(&format!("  {}: {why}\n", paint(BOLD, id)));
            out.push_str(&format!("    {} {hint}\n", paint(DIM, "help:")));
        }
        out.push('\n');
    }
    if !plan.blocked.is_empty() {
        out.push_str(&format!("{}\n", paint(RED, "Blocked: none of this plan is carried out.")));
        for Blocked { id, why, hint } in &plan.blocked {
            out.push_str(&format!("  {} {}: {why}\n", paint(RED, "!"), paint(BOLD, id)));
            out.push_str(&format!("    {} {hint}\n", paint(DIM, "help:")));
        }
        out.push('\n');
    }
    out
}
