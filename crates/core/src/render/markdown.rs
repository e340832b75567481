//! A plan for a pull request: the numbers at once, what is interrupted next, each resource to be opened.

use super::comment::{Comment, clipped, clipped_lines};
use super::plain::{self, code};
use super::section::sections;
use super::{Subject, disturbance, does, held_verb, needs_later, refusal, summary, takes, text, ways_out};
use crate::base::Id;
use crate::members::Impact;
use crate::plan::{Blocked, LeftAlone, Plan, Step, estimate};

/// The plan as GitHub's Markdown, never longer than a comment may be.
pub fn plan(subject: &Subject, plan: &Plan) -> String {
    let plan = &plain::plan(plan);
    let Subject { stack, account, region, destroy, .. } = subject;
    let what = if *destroy { "Destroy" } else { "Plan for" };
    let mut out = Comment::default();
    // Nobody sees the first line; a pipeline finds its own comment by it.
    let mark = format!("<!-- auroraml plan: {stack} -->\n");
    let head = format!("### {what} stack {} in {} (account {account})\n\n", code(stack), code(region));
    out.add("heading", &format!("{mark}{head}"));
    if plan.is_empty() && plan.held().next().is_none() && plan.left_alone.is_empty() {
        out.add("summary", "Nothing to do.\n");
        out.add("cost", &cost(plan));
        return out.finish();
    }
    out.add("summary", &format!("**{}**\n", summary(plan)));
    if let Some(seconds) = estimate(plan).filter(|_| plan.blocked.is_empty()) {
        out.add("time", &format!("\nTime: {}\n", takes(seconds)));
    }
    out.add("cost", &cost(plan));
    if let Some(text) = refusal(subject, plan) {
        let ways = ways_out(subject, plan).map(|ways| format!(", {ways}")).unwrap_or_default();
        out.add("refusal", &format!("\n**Not allowed:** {}\n", escape(&format!("{text}{ways}"))));
    }
    out.heading("\n#### Blocked\n\nNone of this plan is carried out.\n\n");
    for Blocked { id, why, hint } in &plan.blocked {
        out.add("blocked step", &remark(id, why, hint));
    }
    out.heading("\n#### Loss of data\n\n");
    for step in plan.work().filter(|step| step.impact == Impact::DataLoss) {
        out.add("data loss", &format!("- {} deletes data\n", code(&step.id)));
    }
    interruptions(&mut out, subject, plan);
    out.heading("\n#### Left alone\n\n");
    for LeftAlone { id, why, hint } in &plan.left_alone {
        out.add("object that is left alone", &remark(id, why, hint));
    }
    for (title, steps) in sections(plan.work()) {
        out.heading(&format!("\n#### {title}\n"));
        steps.into_iter().for_each(|step| out.add("step", &folded(step)));
    }
    out.heading("\n#### Notes\n\n");
    for note in &plan.notes {
        out.add("note", &format!("- {}\n", escape(note)));
    }
    out.finish()
}

fn escape(text: &str) -> String {
    plain::markdown(&clipped(text))
}

fn remark(id: &Id, why: &str, hint: &str) -> String {
    format!("- {}: {}\n  - help: {}\n", code(id), escape(why), escape(hint))
}

/// What those who use the database will notice, and when.
fn interruptions(out: &mut Comment, subject: &Subject, plan: &Plan) {
    out.heading("\n#### Interruptions, one after the other\n\n");
    for interruption in plan.interruptions() {
        let what = format!("1. **{}**\n", escape(&interruption.what));
        out.add("interruption", &format!("{what}   {}\n", escape(&disturbance(interruption))));
    }
    out.heading("\n#### On hold, not done now\n\n");
    for step in plan.held() {
        let why = step.held.as_deref().unwrap_or_default();
        let interrupts = step.interruptions.iter().map(|i| format!("  - {}\n", escape(&i.what)));
        let what = format!("- {} {}: {}\n", held_verb(step), code(&step.id), escape(why));
        let needs =
            needs_later(subject, step).map(|needs| format!("  - **Not allowed yet:** {}\n", escape(&needs)));
        let more: String = interrupts.chain(needs).collect();
        out.add("held step", &format!("{what}{more}"));
    }
}

/// One line, and the details behind it.
fn folded(step: &Step) -> String {
    let reason = step.reason.as_ref().map(|why| format!(" ({})", escape(why))).unwrap_or_default();
    let ((sign, verb), id) = (does(step), escape(&step.id.to_string()));
    let head = format!("{sign} {verb} <code>{id}</code>{reason}");
    let details = text::details(step, true);
    if details.is_empty() {
        return format!("\n{head}\n");
    }
    let body = clipped_lines(&details);
    let fence = plain::fence(&body, "```");
    format!("\n<details><summary>{head}</summary>\n\n{fence}text\n{body}\n{fence}\n\n</details>\n")
}

/// What the plan does to the bill, as a paragraph.
fn cost(plan: &Plan) -> String {
    super::cost::shown(plan)
        .map(|bill| format!("\nCost: {}\n", escape(&super::cost::line(bill))))
        .unwrap_or_default()
}
