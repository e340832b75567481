//! Plans, progress and stacks as text. Pure: values in, text out.
//!
//! Colour is decoration: the text says everything without it. Styled texts hold ANSI escapes; whoever prints
//! them takes them out again where they are not wanted.

mod fold;
pub mod json;
pub mod markdown;
mod paint;
pub mod progress;
mod section;
pub mod status;
pub mod text;
pub mod verify;

pub use section::section;

use crate::plan::{Action, Impact, Plan};

/// Which stack a plan is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub stack: String,
    pub account: String,
    pub region: String,
    /// Whether the plan takes the stack down.
    pub destroy: bool,
}

/// The sign of an action, as it stands before a resource.
pub fn sign(action: Action) -> char {
    match action {
        Action::NoOp => ' ',
        Action::Recheck => '?',
        Action::Update => '~',
        Action::Create => '+',
        Action::Recreate => '±',
        Action::Delete | Action::Vanish => '-',
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
    }
}

/// What an impact means to those who use the database; nothing for none.
pub fn consequence(impact: Impact) -> Option<&'static str> {
    match impact {
        Impact::None => None,
        Impact::Readers => Some("interrupts: readers restart, one at a time"),
        Impact::Failover => Some(
            "interrupts: failover or restart of members; connections to the writer drop for about a minute",
        ),
        Impact::Restart => Some("interrupts: the database restarts in place"),
        Impact::DataLoss => Some("deletes data"),
    }
}

/// One sentence with the numbers of a plan.
pub fn summary(plan: &Plan) -> String {
    let create = plan.count(Action::Create);
    let change = plan.count(Action::Update) + plan.count(Action::Recreate);
    let delete = plan.count(Action::Delete) + plan.count(Action::Vanish);
    let mut text = format!("Plan: {create} to create, {change} to change, {delete} to delete");
    match plan.count(Action::Recheck) {
        0 => {}
        waits => text.push_str(&format!(", {waits} to wait for")),
    }
    text.push('.');
    text
}

/// Seconds as a person says them: `45s`, `2m 05s`, `1h 02m`.
pub fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m {s:02}s"),
        (h, m, _) => format!("{h}h {m:02}m"),
    }
}
