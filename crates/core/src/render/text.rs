//! A plan as a person reads it before saying yes.

use super::paint::{self, BOLD, CYAN, DIM, RED, YELLOW, paint};
use super::section::sections;
use super::wrap::{Form, cut, visible};
use super::{
    SYNC, Subject, confirmation, consequence, cost, disturbance, does, fold, held_verb, needs_later, plain,
    refusal, short, some, summary, takes, ways_out,
};
use crate::plan::{Blocked, LeftAlone, Plan, Step, estimate};
use crate::resource::Action;

/// Columns that names may take before what is said of them is no longer aligned.
const NAME_MAX: usize = 44;

/// The whole plan, styled, for a file or a pipe. Ends with a line break; no line ends with a space.
pub fn plan(subject: &Subject, plan: &Plan) -> String {
    plan_in(Form::default(), subject, plan)
}

/// As [`plan`], laid out for this reader.
pub fn plan_in(form: Form, subject: &Subject, plan: &Plan) -> String {
    with(form, subject, plan, AS_WANTED, false)
}

/// As [`plan_in`], for somebody who is asked next, and allows with a yes what goes further than is allowed.
pub fn plan_asked(form: Form, subject: &Subject, plan: &Plan) -> String {
    with(form, subject, plan, AS_WANTED, true)
}

const AS_WANTED: &str = "Nothing to do: everything is as the spec says.\n";

/// As [`plan_in`], of a plan to pause.
pub fn pause(form: Form, subject: &Subject, plan: &Plan) -> String {
    with(form, subject, plan, "Nothing to do: the stack is paused.\n", false)
}

/// `nothing` is said where there is nothing to do and the stack stays.
fn with(form: Form, subject: &Subject, plan: &Plan, nothing: &str, asks: bool) -> String {
    let plan = &plain::plan(plan);
    let is_blocked = !plan.blocked.is_empty();
    let mut out = String::new();
    if plan.work().next().is_some() {
        out.push_str(&heading(subject));
        if is_blocked {
            out.push_str("None of this is carried out: see the end.\n");
        }
        for (title, steps) in sections(plan.work()) {
            out.push_str(&format!("\n{}\n", paint(BOLD, title)));
            let name = steps.iter().map(|step| visible(&head(step))).max().unwrap_or(0).min(NAME_MAX);
            for step in steps {
                for line in step_lines(form, step, name) {
                    out.push_str(&format!("  {line}\n"));
                }
            }
        }
        if !form.verbose && plan.work().any(is_folded) {
            out.push_str(&format!(
                "\n{}\n",
                paint(DIM, "--verbose shows tags, policies and all other properties")
            ));
        }
        out.push('\n');
    }
    // Who is interrupted is what a reader decides about: it stands last, where the eye is, and on a screen of 24 lines.
    out.push_str(&remarks(form, plan));
    out.push_str(&held(form, subject, plan));
    out.push_str(&interruptions(form, subject, plan, asks));
    if is_blocked {
        // What is in the way is what a reader must not miss.
        out.push_str(&blocked(form, plan));
        return out;
    }
    if plan.is_empty() && plan.held().next().is_some() {
        out.push_str("Nothing to do now: the rest is on hold.\n");
    } else if plan.is_empty() {
        out.push_str(match (subject.destroy, plan.left_alone.is_empty()) {
            (true, true) => "Nothing to do: nothing of this stack is left to delete.\n",
            (true, false) => "Nothing to do: what is left is not deleted.\n",
            (false, _) => nothing,
        });
    } else if plan.work().next().is_some() {
        out.push_str(&format!("{}\n", form.wrap(&paint(BOLD, summary(plan)), 6)));
        if let Some(seconds) = estimate(plan) {
            out.push_str(&format!("{}\n", form.wrap(&format!("Time: {}", takes(seconds)), 6)));
        }
    }
    if let Some(bill) = cost::shown(plan) {
        out.push_str(&format!("{}\n", form.wrap(&format!("Cost: {}", cost::line(bill)), 6)));
    }
    out
}

fn heading(subject: &Subject) -> String {
    let Subject { stack, account, region, destroy, .. } = subject;
    let what = if *destroy { "Destroying stack" } else { "Stack" };
    format!("{what} {} in account {account}, region {region}\n", paint(BOLD, stack))
}

/// Whether more could be said of a step than its line says.
fn is_folded(step: &Step) -> bool {
    matches!(step.action, Action::Create | Action::Run | Action::Recreate)
}

/// Sign and name.
fn head(step: &Step) -> String {
    let (sign, verb) = does(step);
    let style = if step.interruptions.is_empty() { paint::of(step.action) } else { YELLOW };
    let members: Vec<String> = step.interruptions.iter().flat_map(|i| i.members.iter().cloned()).collect();
    match sign {
        // Who restarts is what a reader looks for; the step's own name is for the other commands.
        '!' => {
            let mut known = Vec::new();
            for member in members {
                if !known.contains(&member) {
                    known.push(member);
                }
            }
            format!("{} {verb} {} ({})", paint(style, sign), paint(BOLD, some(&known)), step.id)
        }
        sign => format!("{} {verb} {}", paint(paint::of(step.action), sign), paint(BOLD, &step.id)),
    }
}

/// One step: sign, name, why, what it interrupts, what becomes of it. `name`: columns of the names beside it.
fn step_lines(form: Form, step: &Step, name: usize) -> Vec<String> {
    let mut line = head(step);
    if let Some(reason) = &step.reason {
        line.push_str(&format!(" ({reason})"));
    }
    if step.action == Action::Vanish {
        line.push_str(" (deleted with its parent)");
    }
    let is_short = !form.verbose && is_folded(step);
    let summary = if is_short { plain::line(&short::summary(step)) } else { String::new() };
    if !summary.is_empty() {
        let at = visible(&line).max(name);
        let room = form.columns().saturating_sub(at + 4);
        let gap = " ".repeat(at - visible(&line) + 2);
        line.push_str(&format!("{gap}{}", paint(DIM, cut(&summary, room))));
    }
    // A reason of AWS's own may be long.
    // Each line is indented by two more.
    let mut lines: Vec<String> = form.narrower(2).wrap(&line, 6).split('\n').map(String::from).collect();
    if let Some(text) = consequence(step.impact) {
        lines.push(format!("    {}", paint(YELLOW, format!("! {text}"))));
    }
    // Who restarts has been said, and what for is said under the interruptions.
    if !is_short && (form.verbose || step.interruptions.is_empty() || step.id.kind != SYNC) {
        lines.extend(details(step, form.verbose).into_iter().map(|line| format!("    {line}")));
    }
    lines
}

/// Properties, known names and options of a step.
pub(super) fn details(step: &Step, verbose: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if matches!(step.action, Action::Create | Action::Recreate) {
        let said = |name: &String| step.changes.iter().any(|change| change.path == *name);
        let predicted = step.predicted.iter().filter(|(name, _)| !said(name));
        lines.extend(predicted.map(|(name, value)| format!("{name}: {value}")));
    }
    lines.extend(match step.action {
        Action::Create | Action::Run => fold::created(&step.changes),
        _ => fold::changed(&step.changes, verbose),
    });
    lines.extend(step.options.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.iter().map(|line| plain::line(line)).collect()
}

/// What those who use the database will notice, in order.
fn interruptions(form: Form, subject: &Subject, plan: &Plan, asks: bool) -> String {
    if plan.interruptions().next().is_none() {
        return String::new();
    }
    let mut out = format!("{}\n", paint(YELLOW, "Interruptions, one after the other:"));
    for (n, interruption) in plan.interruptions().enumerate() {
        let what = format!("  {}. {}", n + 1, paint(BOLD, &interruption.what));
        out.push_str(&format!("{}\n", form.wrap(&what, 5)));
        out.push_str(&format!("{}\n", form.wrap(&format!("     {}", disturbance(interruption)), 5)));
    }
    let refused = refusal(subject, plan).map(|text| format!("{} {text}", paint(RED, "Not allowed:")));
    let asked = confirmation(subject, plan).filter(|_| asks);
    let asked = asked.map(|text| format!("{} {text}", paint(YELLOW, "Needs your confirmation,")));
    if let Some(text) = asked.or(refused) {
        out.push_str(&format!("{}\n", form.wrap(&format!("  {text}"), 4)));
        if let Some(ways) = ways_out(subject, plan) {
            out.push_str(&format!("{}\n", form.wrap(&format!("    {ways}"), 4)));
        }
    }
    out.push('\n');
    out
}

/// What ought to be done, and is not done now.
fn held(form: Form, subject: &Subject, plan: &Plan) -> String {
    if plan.held().next().is_none() {
        return String::new();
    }
    let mut out = format!("{}\n", paint(YELLOW, "On hold, not done now:"));
    for step in plan.held() {
        let why = step.held.as_deref().unwrap_or_default();
        let what = match step.id.kind == SYNC {
            true => format!("  restart members ({}): {why}", step.id),
            false => format!("  {} {}: {why}", held_verb(step), paint(BOLD, &step.id)),
        };
        out.push_str(&format!("{}\n", form.wrap(&what, 4)));
        for interruption in &step.interruptions {
            out.push_str(&format!("{}\n", form.wrap(&format!("    {}", interruption.what), 6)));
        }
        if let Some(needs) = needs_later(subject, step) {
            out.push_str(&format!(
                "{}\n",
                form.wrap(&format!("    {} {needs}", paint(RED, "Not allowed yet:")), 6)
            ));
        }
    }
    out.push('\n');
    out
}

/// Notes, and what is left alone.
fn remarks(form: Form, plan: &Plan) -> String {
    let mut out = String::new();
    for note in &plan.notes {
        out.push_str(&format!("{}\n", form.wrap(&format!("{} {note}", paint(CYAN, "note:")), 6)));
    }
    if !plan.notes.is_empty() {
        out.push('\n');
    }
    if !plan.left_alone.is_empty() {
        out.push_str(&format!("{}\n", paint(YELLOW, "Left alone:")));
        for LeftAlone { id, why, hint } in &plan.left_alone {
            out.push_str(&remark(form, &format!("  {}: {why}", paint(BOLD, id)), hint));
        }
        out.push('\n');
    }
    out
}

/// What is in the way: the last that is said of a blocked plan.
fn blocked(form: Form, plan: &Plan) -> String {
    let mut out = format!("{}\n", paint(RED, "Blocked:"));
    for Blocked { id, why, hint } in &plan.blocked {
        let what = format!("  {} {}: {why}", paint(RED, "!"), paint(BOLD, id));
        out.push_str(&remark(form, &what, hint));
    }
    out.push_str(&format!("\n{}\n", form.wrap(&paint(BOLD, summary(plan)), 4)));
    out
}

fn remark(form: Form, what: &str, hint: &str) -> String {
    let help = format!("    {} {hint}", paint(DIM, "help:"));
    format!("{}\n{}\n", form.wrap(what, 4), form.wrap(&help, 6))
}
