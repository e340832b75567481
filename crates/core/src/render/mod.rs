//! Plans, progress and stacks as text. Pure: values in, text out.
//!
//! Colour is decoration: the text says everything without it. Styled texts hold ANSI escapes; whoever prints
//! them takes them out again where they are not wanted.

pub mod access;
pub mod basis;
pub mod canvas;
mod columns;
mod comment;
pub mod cost;
pub mod drift;
pub mod fleet;
mod fold;
pub mod graph;
pub mod html;
mod interrupted;
pub mod json;
pub mod markdown;
mod markup;
mod paint;
pub mod plain;
pub mod progress;
mod section;
mod short;
pub mod status;
pub mod text;
pub mod verify;
mod wrap;

pub use interrupted::interrupted;
pub use section::section;
pub use wrap::{Form, ascii};

use crate::base::counted;
use crate::members::{Impact, Interruption, Seconds};
use crate::plan::{Plan, Step};
use crate::resource::Action;
use std::collections::BTreeSet;

/// Which stack a plan is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub stack: String,
    pub account: String,
    pub region: String,
    /// Whether the plan takes the stack down.
    pub destroy: bool,
    /// The worst interruption that may be made.
    pub allow: Impact,
    /// Whether that is the spec's last word.
    pub allow_is_final: bool,
    /// Whether the spec has a window in which members restart.
    pub has_window: bool,
}

/// The sign of an action, as it stands before a resource.
pub fn sign(action: Action) -> char {
    match action {
        Action::NoOp => ' ',
        Action::Recheck => '?',
        Action::Update => '~',
        Action::Create => '+',
        Action::Run => '>',
        Action::Recreate => '±',
        Action::Delete | Action::Vanish | Action::Stop => '-',
    }
}

/// What an action does, as an imperative.
pub fn verb(action: Action) -> &'static str {
    match action {
        Action::NoOp => "leave",
        Action::Recheck => "wait for",
        Action::Update => "update",
        Action::Create => "create",
        Action::Recreate => "recreate",
        Action::Delete | Action::Vanish => "delete",
        Action::Run => "run",
        Action::Stop => "stop",
    }
}

/// Sign and imperative of a step. One that restarts members says so, whatever else it is.
pub fn does(step: &Step) -> (char, &'static str) {
    match (step.id.kind, step.action) {
        (SYNC, _) if !step.interruptions.is_empty() => ('!', "restart members"),
        (SYNC, Action::Recheck) => ('?', "check"),
        (_, action) => (sign(action), verb(action)),
    }
}

/// The imperative of what is on hold: whoever waits for a restart does not wait for a check.
fn held_verb(step: &Step) -> &'static str {
    match step.id.kind {
        SYNC => "restart members",
        _ => does(step).1,
    }
}

/// The kind whose step restarts members.
const SYNC: &str = "parameter_sync";

/// The word of an impact, as `--allow` takes it.
pub fn impact(impact: Impact) -> &'static str {
    match impact {
        Impact::None => "none",
        Impact::Readers => "readers",
        Impact::Failover => "failover",
        Impact::Restart => "restart",
        Impact::DataLoss => "data loss",
    }
}

/// What an impact means to those who use the database; nothing for none.
pub fn consequence(impact: Impact) -> Option<&'static str> {
    match impact {
        Impact::None => None,
        Impact::Readers => Some("interrupts readers"),
        Impact::Failover => Some("interrupts the writer: failover"),
        Impact::Restart => Some("interrupts the writer: restart"),
        Impact::DataLoss => Some("deletes data"),
    }
}

/// Whose connections drop, for how long, and why.
pub fn disturbance(interruption: &Interruption) -> String {
    let Interruption { impact, members, seconds, why, .. } = interruption;
    let whose = some(members);
    let writes = if *impact > Impact::Readers { "writes wait; " } else { "" };
    if seconds.at_worst == 0 {
        return format!("connections to {whose} drop, and nobody can connect ({why})");
    }
    let long = takes(*seconds).replacen("usually", "usually for", 1);
    format!("{writes}connections to {whose} drop, {long} ({why})")
}

/// Which interruption the plan needs and the limit forbids, if there is one.
pub fn refusal(subject: &Subject, plan: &Plan) -> Option<String> {
    let worst = plan.beyond(subject.allow).map(|interruption| interruption.impact).max()?;
    Some(match subject.allow_is_final {
        true => format!("the spec's `allow: {}` forbids {}", impact(subject.allow), impact(worst)),
        false => format!("this needs --allow {}; currently {}", impact(worst), allowed(subject.allow)),
    })
}

/// What there is besides a person's yes where the plan goes further than is allowed; nothing where a yes does not help.
pub fn confirmation(subject: &Subject, plan: &Plan) -> Option<String> {
    let worst = plan.beyond(subject.allow).map(|interruption| interruption.impact).max()?;
    (!subject.allow_is_final)
        .then(|| format!("or --allow {}; currently {}", impact(worst), allowed(subject.allow)))
}

/// What a limit lets a run do.
fn allowed(limit: Impact) -> &'static str {
    match limit {
        Impact::None => "no restarts are allowed",
        Impact::Readers => "only reader restarts are allowed",
        Impact::Failover => "only reader restarts and failovers are allowed",
        Impact::Restart | Impact::DataLoss => "all restarts are allowed",
    }
}

/// What else there is to do about a plan that goes too far, beside allowing it: nothing where there is no other way.
pub fn ways_out(subject: &Subject, plan: &Plan) -> Option<&'static str> {
    let restarts = |step: &Step| step.id.kind == SYNC && !step.interruptions.is_empty();
    let ways = match subject.has_window {
        true => "or leave them pending (`restart: never`; --accept-pending then exits with 0)",
        false => {
            "or restart members at a set time (`window` and `allow` under `restart` in the spec), or leave them pending \
             (`restart: never`; --accept-pending then exits with 0)"
        }
    };
    plan.work().any(restarts).then_some(ways)
}

/// What a step on hold will need beside the time: a window allows nothing.
pub fn needs_later(subject: &Subject, step: &Step) -> Option<String> {
    let worst = step.interruptions.iter().map(|interruption| interruption.impact).max()?;
    (worst > subject.allow).then(|| match subject.allow_is_final {
        true => {
            format!("the spec's `allow: {}` forbids {}, then as well", impact(subject.allow), impact(worst))
        }
        false => format!("this will also need --allow {}, or `allow` in the spec", impact(worst)),
    })
}

/// One sentence with the numbers of a plan, or with what is in its way.
pub fn summary(plan: &Plan) -> String {
    if !plan.blocked.is_empty() {
        let ids: Vec<String> = plan.blocked.iter().map(|blocked| blocked.id.to_string()).collect();
        return format!("Blocked by {}: nothing will be changed.", some(&ids));
    }
    let create = plan.count(Action::Create);
    // Whether the members' step shows as a change or as a check depends on how far the run before came: what counts is how many
    // restart.
    let changed = plan.work().filter(|step| step.id.kind != SYNC || step.interruptions.is_empty());
    let change = changed.filter(|step| matches!(step.action, Action::Update | Action::Recreate)).count();
    let delete = plan.count(Action::Delete) + plan.count(Action::Vanish);
    let mut text = format!("Plan: {create} to create, {change} to change, {delete} to delete");
    // Few plans have these. A check of the members is none of them: what it comes to is said in its own words.
    let waits = plan.work().filter(|step| step.action == Action::Recheck && step.id.kind != SYNC).count();
    let others = [(plan.count(Action::Run), "run"), (plan.count(Action::Stop), "stop"), (waits, "wait for")];
    for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!(", {count} to {what}"));
    }
    let restarts = plan.work().filter(|step| step.id.kind == SYNC).flat_map(|step| &step.interruptions);
    let members: BTreeSet<&String> = restarts.flat_map(|interruption| &interruption.members).collect();
    if !members.is_empty() {
        text.push_str(&format!(", {} to restart", counted(members.len(), "member")));
    }
    let interrupts = plan.interruptions().map(|interruption| interruption.impact).max();
    if let Some(worst) = interrupts.and_then(consequence) {
        text.push_str(&format!("; {worst}"));
    }
    match plan.held().count() {
        0 => {}
        held => text.push_str(&format!("; {held} on hold")),
    }
    text.push('.');
    text
}

/// The first few of a list, and how many more there are.
fn some(list: &[String]) -> String {
    match list {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        list => list.join(", "),
    }
}

/// The same document as the JSON, in YAML that every reader takes. By way of JSON, because serde would write
/// Rust's enums with tags such as `!value`, which only this program could read; and not by serde_yaml, which
/// leaves `2012-10-17` bare: to PyYAML, and every reader of YAML 1.1, that is a date and no string.
fn yaml<T: serde::Serialize + ?Sized>(document: &T) -> String {
    // Plain data: writing it cannot fail.
    let value = serde_json::to_value(document).unwrap_or_default();
    serde_saphyr::to_string(&value).unwrap_or_default()
}

/// Seconds as a person says them: `45s`, `2m 05s`, `1h 02m`.
pub fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m {s:02}s"),
        (h, m, _) => format!("{h}h {m:02}m"),
    }
}

/// How long something takes, as a person says it: `usually 5 min; 1 in 10 takes over 10 min`.
pub fn takes(seconds: Seconds) -> String {
    let (usually, at_worst) = (about(seconds.usually), about(seconds.at_worst));
    match usually == at_worst {
        true => format!("usually {usually}"),
        false => format!("usually {usually}; 1 in 10 takes over {at_worst}"),
    }
}

/// Seconds, rounded as far as an estimate deserves: `30 s`, `5 min`, `1 h 30 min`.
fn about(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    match seconds {
        0..=50 => format!("{} s", seconds.max(1).next_multiple_of(5)),
        51..5_400 => format!("{} min", (seconds + MINUTE / 2) / MINUTE),
        _ => {
            // To ten minutes.
            let minutes = (seconds + 5 * MINUTE) / (10 * MINUTE) * 10;
            match (minutes * MINUTE / HOUR, minutes % 60) {
                (hours, 0) => format!("{hours} h"),
                (hours, minutes) => format!("{hours} h {minutes} min"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_rounded() {
        let told: Vec<String> =
            [0, 7, 30, 50, 51, 89, 90, 3_540, 5_390, 5_400, 9_100, 10_800].map(about).into();
        let expected = [
            "5 s",
            "10 s",
            "30 s",
            "50 s",
            "1 min",
            "1 min",
            "2 min",
            "59 min",
            "90 min",
            "1 h 30 min",
            "2 h 30 min",
            "3 h",
        ];
        assert_eq!(told, expected);
        assert_eq!(
            takes(Seconds { usually: 300, at_worst: 600 }),
            "usually 5 min; 1 in 10 takes over 10 min"
        );
        assert_eq!(takes(Seconds { usually: 301, at_worst: 310 }), "usually 5 min");
    }
}
