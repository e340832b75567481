//! What is there, as parts of a page.

use super::super::markup::Markup;
use super::super::section;
use super::super::status::{Resource, Stack, database_commands, database_rows};
use super::ROWS_MAX;

/// Outputs that say most about a resource, best first.
const TELLING: &[&str] = &["metrics", "endpoint", "arn", "name", "id"];

/// What a person or a program needs to use the stack.
pub(super) fn connect(stack: &Stack) -> Markup {
    let mut facts: Vec<(&str, String)> = Vec::new();
    if let Some(database) = &stack.access.database {
        facts.extend(database_rows(database));
        facts.extend(database_commands(database).map(|(what, command)| (what, command.to_string())));
    }
    facts.extend(stack.access.pages.iter().map(|page| (page.what.as_str(), page.address.clone())));
    // Most of what `status` lists is above already, with the name that a reader looks for.
    for value in &stack.values {
        if facts.iter().all(|(_, fact)| *fact != value.value) {
            facts.push((&value.name, value.value.clone()));
        }
    }
    facts.extend(stack.next.iter().map(|next| (next.what.as_str(), next.command.clone())));
    let mut out = Markup::default();
    if facts.is_empty() {
        return out;
    }
    if let Some(note) = &stack.note {
        out.leaf("p", &[("class", &"notice")], note);
    }
    out.with("dl", &[("class", &"facts")], |out| {
        for (name, fact) in facts.iter().take(ROWS_MAX) {
            out.with("div", &[], |out| {
                out.leaf("dt", &[], name);
                out.with("dd", &[], |out| out.leaf("code", &[], fact));
            });
        }
    });
    out
}

/// Every resource with its state, and the members of the cluster.
pub(super) fn resources(stack: &Stack) -> Markup {
    let mut out = Markup::default();
    if stack.paused {
        out.leaf("p", &[("class", &"notice")], "The stack is paused: auroraml resume brings it back.");
    }
    if stack.resources.is_empty() {
        out.leaf("p", &[], "Nothing of this stack exists.");
        return out;
    }
    let mut rest = &stack.resources[..stack.resources.len().min(ROWS_MAX)];
    while let Some(first) = rest.first() {
        let title = section(kind(first));
        let count = rest.iter().take_while(|resource| section(kind(resource)) == title).count();
        let (now, later) = rest.split_at(count);
        rest = later;
        out.leaf("h3", &[], title);
        out.with("ul", &[("class", &"rows")], |out| now.iter().for_each(|one| resource(one, out)));
    }
    if let Some(more) = stack.resources.len().checked_sub(ROWS_MAX).filter(|more| *more > 0) {
        out.leaf("p", &[], format!("… and {more} more"));
    }
    if !stack.members.is_empty() {
        out.leaf("h3", &[], "Members of the cluster");
        out.with("ul", &[("class", &"rows")], |out| {
            for member in stack.members.iter().take(ROWS_MAX) {
                let tone = if member.parameter_status == "in-sync" { "good" } else { "attention" };
                out.with("li", &[], |out| {
                    out.leaf("b", &[], &member.name);
                    out.leaf("span", &[("class", &format!("state {tone}"))], &member.parameter_status);
                    out.leaf("span", &[("class", &"told")], format!("{}, {}", member.role, member.status));
                });
            }
        });
    }
    if !stack.left_pending.is_empty() {
        let text = format!("Left pending, as the spec's restart says: {}", stack.left_pending.join(", "));
        out.leaf("p", &[], text);
    }
    out
}

fn kind(resource: &Resource) -> &str {
    resource.id.split('.').next().unwrap_or_default()
}

fn resource(resource: &Resource, out: &mut Markup) {
    let tone = if resource.state == "ready" { "good" } else { "attention" };
    let text = |key: &&str| resource.outputs.get(*key).and_then(|value| value.as_str());
    let told = TELLING.iter().find_map(text).unwrap_or_default();
    let remark = match (resource.owned, resource.goes) {
        (false, _) => "not this stack's".to_string(),
        (_, true) => "not in the spec".into(),
        _ => resource.differs.join(", "),
    };
    out.with("li", &[], |out| {
        out.leaf("b", &[], &resource.id);
        out.leaf("span", &[("class", &format!("state {tone}"))], &resource.state);
        out.with("span", &[("class", &"told")], |out| {
            out.text(told);
            if !remark.is_empty() {
                out.leaf("i", &[], format!(" ({remark})"));
            }
        });
    });
}
