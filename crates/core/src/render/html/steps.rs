//! A plan, as parts of a page.

use super::super::markup::Markup;
use super::super::section::sections;
use super::super::{consequence, disturbance, does, plain, refusal, text};
use super::{ROWS_MAX, Subject};
use crate::plan::{Plan, Step};
use crate::resource::Action;

/// Lines of one step.
const LINES_MAX: usize = 200;

/// What those who use the database will notice.
pub(super) fn interruptions(subject: &Subject, plan: &Plan) -> Markup {
    let mut out = Markup::default();
    if plan.interruptions().next().is_none() {
        return out;
    }
    if let Some(text) = refusal(subject, plan) {
        out.leaf("p", &[("class", &"notice")], format!("Not allowed: {text}"));
    }
    out.leaf("p", &[], "One after the other:");
    out.with("ol", &[], |out| {
        for interruption in plan.interruptions().take(ROWS_MAX) {
            out.with("li", &[], |out| {
                out.leaf("b", &[], &interruption.what);
                out.leaf("div", &[("class", &"help")], disturbance(interruption));
            });
        }
        super::more(plan.interruptions().count(), out);
    });
    out
}

/// Every step, to be opened.
pub(super) fn steps(plan: &Plan) -> Markup {
    let mut out = Markup::default();
    let mut left = ROWS_MAX;
    for (title, steps) in sections(plan.work()) {
        if left == 0 {
            break;
        }
        out.leaf("h3", &[], title);
        for step in steps.iter().take(left) {
            one(step, &mut out);
        }
        left = left.saturating_sub(steps.len());
    }
    if let Some(more) = plan.work().count().checked_sub(ROWS_MAX).filter(|more| *more > 0) {
        out.leaf("p", &[], format!("… and {more} more"));
    }
    if plan.held().next().is_some() {
        out.leaf("h3", &[], "Held, not done now");
        out.with("ul", &[("class", &"plain")], |out| {
            for step in plan.held().take(ROWS_MAX) {
                let why = step.held.as_deref().unwrap_or_default();
                out.with("li", &[], |out| {
                    out.text(format!("{} ", does(step).1));
                    out.leaf("b", &[], &step.id);
                    out.text(format!(": {why}"));
                });
            }
            super::more(plan.held().count(), out);
        });
    }
    out
}

/// The class of a step, for its colour.
fn class(action: Action) -> &'static str {
    match action {
        Action::NoOp | Action::Recheck => "wait",
        Action::Update => "change",
        Action::Create | Action::Run => "create",
        Action::Recreate | Action::Delete | Action::Vanish | Action::Stop => "delete",
    }
}

fn one(step: &Step, out: &mut Markup) {
    let lines = text::details(step, true);
    let head = |out: &mut Markup| {
        let (sign, does) = does(step);
        out.leaf("span", &[("class", &format!("sign {}", class(step.action)))], sign);
        out.text(format!(" {does} "));
        out.leaf("b", &[], &step.id);
        if let Some(reason) = &step.reason {
            out.text(format!(" ({reason})"));
        }
        if let Some(told) = consequence(step.impact) {
            out.leaf("span", &[("class", &"warns")], format!("! {told}"));
        }
    };
    if lines.is_empty() {
        return out.with("div", &[("class", &"step")], head);
    }
    out.with("details", &[("class", &"step")], |out| {
        out.with("summary", &[], head);
        out.with("ul", &[("class", &"details")], |out| {
            for line in lines.iter().take(LINES_MAX) {
                let depth = if line.starts_with(' ') { "inner" } else { "outer" };
                out.leaf("li", &[("class", &depth)], plain::line(line.trim_start()));
            }
            if let Some(more) = lines.len().checked_sub(LINES_MAX).filter(|more| *more > 0) {
                out.leaf("li", &[], format!("… and {more} more"));
            }
        });
    });
}

/// What is in the way, what is left alone, and what else should be known.
pub(super) fn remarks(plan: &Plan) -> Markup {
    let mut out = Markup::default();
    let blocked = plan.blocked.iter().map(|one| ("Blocked", &one.id, &one.why, &one.hint));
    let left = plan.left_alone.iter().map(|one| ("Left alone", &one.id, &one.why, &one.hint));
    let all: Vec<_> = blocked.chain(left).collect();
    if !all.is_empty() {
        out.with("ul", &[("class", &"plain")], |out| {
            for (what, id, why, hint) in all.iter().take(ROWS_MAX) {
                out.with("li", &[], |out| {
                    out.text(format!("{what}: "));
                    out.leaf("b", &[], id);
                    out.text(format!(": {why}"));
                    out.leaf("div", &[("class", &"help")], hint);
                });
            }
            super::more(all.len(), out);
        });
    }
    if !plan.notes.is_empty() {
        out.with("ul", &[], |out| {
            plan.notes.iter().take(ROWS_MAX).for_each(|note| out.leaf("li", &[], note));
            super::more(plan.notes.len(), out);
        });
    }
    out
}
