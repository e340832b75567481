//! Plans, progress and stacks as text. Pure: values in, text out.
//!
//! Colour is decoration: the text says everything without it. Styled texts hold ANSI escapes; whoever prints
//! them takes them out again where they are not wanted.

pub mod basis;
mod comment;
pub mod cost;
pub mod drift;
pub mod fleet;
mod fold;
pub mod graph;
pub mod html;
pub mod json;
pub mod markdown;
mod markup;
mod paint;
pub mod plain;
pub mod progress;
mod section;
pub mod status;
pub mod text;
pub mod verify;

pub use section::section;

use crate::members::{Impact, Interruption};
use crate::plan::Plan;
use crate::resource::Action;

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
        Action::Recheck => "wait",
        Action::Update => "update",
        Action::Create => "create",
        Action::Recreate => "recreate",
        Action::Delete | Action::Vanish => "delete",
        Action::Run => "run",
        Action::Stop => "stop",
    }
}

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
    let whose = match members.as_slice() {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        members => members.join(", "),
    };
    let writes = if *impact > Impact::Readers { "writes wait and " } else { "" };
    if seconds.at_worst == 0 {
        return format!("connections to {whose} drop, and nobody can connect: {why}");
    }
    let (usually, at_worst) = (duration(seconds.usually), duration(seconds.at_worst));
    format!(
        "{writes}connections to {whose} drop for about {usually}, one time in ten {at_worst} or more: {why}"
    )
}

/// What permits a plan that goes beyond a limit, if it does.
pub fn refusal(subject: &Subject, plan: &Plan) -> Option<String> {
    let worst = plan.beyond(subject.allow).map(|interruption| interruption.impact).max()?;
    let (worst, allow) = (impact(worst), impact(subject.allow));
    Some(match subject.allow_is_final {
        true => format!("the spec's `allow: {allow}` forbids {worst}"),
        false => format!("it needs --allow {worst}; as it stands, {allow} is the most that is allowed"),
    })
}

/// One sentence with the numbers of a plan.
pub fn summary(plan: &Plan) -> String {
    let create = plan.count(Action::Create);
    let change = plan.count(Action::Update) + plan.count(Action::Recreate);
    let delete = plan.count(Action::Delete) + plan.count(Action::Vanish);
    let mut text = format!("Plan: {create} to create, {change} to change, {delete} to delete");
    // Few plans have these.
    for (action, what) in [(Action::Run, "run"), (Action::Stop, "stop"), (Action::Recheck, "wait for")] {
        match plan.count(action) {
            0 => {}
            count => text.push_str(&format!(", {count} to {what}")),
        }
    }
    let interrupts = plan.interruptions().map(|interruption| interruption.impact).max();
    if let Some(worst) = interrupts.and_then(consequence) {
        text.push_str(&format!("; {worst}"));
    }
    match plan.held().count() {
        0 => {}
        held => text.push_str(&format!("; {held} held")),
    }
    text.push('.');
    text
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
