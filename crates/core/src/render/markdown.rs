//! A plan for a pull request: the numbers at once, each resource to be opened.

use super::plain::{self, code, markdown as escape};
use super::section::sections;
use super::{Subject, disturbance, refusal, sign, summary, text, verb};
use crate::members::Impact;
use crate::plan::{Blocked, LeftAlone, Plan};

/// The plan as GitHub's Markdown.
pub fn plan(subject: &Subject, plan: &Plan) -> String {
    let plan = &plain::plan(plan);
    let Subject { stack, account, region, destroy, .. } = subject;
    let what = if *destroy { "Destroy" } else { "Plan for" };
    let mut out = format!("### {what} stack {} in {} (account {account})\n\n", code(stack), code(region));
    if plan.is_empty() && plan.held().next().is_none() && plan.left_alone.is_empty() {
        out.push_str("Nothing to do.\n");
        out.push_str(&cost(plan));
        return out;
    }
    out.push_str(&format!("**{}**\n", summary(plan)));
    out.push_str(&cost(plan));
    if !plan.blocked.is_empty() {
        out.push_str("\n#### Blocked\n\nNone of this plan is carried out.\n\n");
        for Blocked { id, why, hint } in &plan.blocked {
            out.push_str(&format!("- {}: {}\n  - help: {}\n", code(id), escape(why), escape(hint)));
        }
    }
    if !plan.left_alone.is_empty() {
        out.push_str("\n#### Left alone\n\n");
        for LeftAlone { id, why, hint } in &plan.left_alone {
            out.push_str(&format!("- {}: {}\n  - help: {}\n", code(id), escape(why), escape(hint)));
        }
    }
    let losses: Vec<String> = plan
        .work()
        .filter(|s| s.impact == Impact::DataLoss)
        .map(|s| format!("- {} deletes data\n", code(&s.id)))
        .collect();
    if !losses.is_empty() {
        out.push_str("\n#### Loss of data\n\n");
        out.extend(losses);
    }
    if plan.interruptions().next().is_some() {
        out.push_str("\n#### Interruptions, one after the other\n\n");
        for interruption in plan.interruptions() {
            out.push_str(&format!("1. **{}**\n", escape(&interruption.what)));
            out.push_str(&format!("   {}\n", escape(&disturbance(interruption))));
        }
        if let Some(text) = refusal(subject, plan) {
            out.push_str(&format!("\n**Not allowed:** {}\n", escape(&text)));
        }
    }
    if plan.held().next().is_some() {
        out.push_str("\n#### Held, not done now\n\n");
        for step in plan.held() {
            let why = step.held.as_deref().unwrap_or_default();
            out.push_str(&format!("- {} {}: {}\n", verb(step.action), code(&step.id), escape(why)));
            out.extend(step.interruptions.iter().map(|i| format!("  - {}\n", escape(&i.what))));
        }
    }
    for (title, steps) in sections(plan.work()) {
        out.push_str(&format!("\n#### {title}\n"));
        for step in steps {
            let reason = step.reason.as_ref().map(|why| format!(" ({})", escape(why))).unwrap_or_default();
            let head = format!(
                "{} {} <code>{}</code>{reason}",
                sign(step.action),
                verb(step.action),
                escape(&step.id.to_string())
            );
            let details = text::details(step);
            if details.is_empty() {
                out.push_str(&format!("\n{head}\n"));
                continue;
            }
            let body = details.join("\n");
            let fence = plain::fence(&body, "```");
            out.push_str(&format!(
                "\n<details><summary>{head}</summary>\n\n{fence}text\n{body}\n{fence}\n\n</details>\n"
            ));
        }
    }
    if !plan.notes.is_empty() {
        out.push_str("\n#### Notes\n\n");
        out.extend(plan.notes.iter().map(|note| format!("- {}\n", escape(note))));
    }
    out
}

/// What the plan does to the bill, as a paragraph.
fn cost(plan: &Plan) -> String {
    super::cost::shown(plan)
        .map(|bill| format!("\nCost: {}\n", escape(&super::cost::line(bill))))
        .unwrap_or_default()
}
