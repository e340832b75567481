//! What a run leaves because it may not be done now.

use super::exit::{Error, Exit, Trouble};
use auroraml_core::base::counted;
use auroraml_core::model::{Intent, Order};
use auroraml_core::plan::{Plan, Step};

/// What is on hold is not done: an error unless that is accepted.
pub fn pending(plan: &Plan, order: Order) -> Result<Exit, Error> {
    if order.accept_pending || plan.held().next().is_none() {
        return Ok(Exit::Done);
    }
    // What only waits for a step on hold is counted there.
    let (waiting, held): (Vec<&Step>, Vec<&Step>) = plan.held().partition(|step| step.waits());
    let waits = match waiting.len() {
        0 => String::new(),
        more => format!("; {} can be deleted only after that", counted(more, "more resource")),
    };
    let troubles = held.iter().map(|step| {
        let why = step.held.as_deref().unwrap_or_default();
        Trouble {
            object: Some(step.id.to_string()),
            why: format!("on hold: {why}{waits}"),
            help: Some(after_hold(why, order)),
        }
    });
    Err(Error { exit: Exit::Incomplete, troubles: troubles.collect() })
}

/// What ends a hold. That `--accept-pending` lets a destroy delete what waits is no hint to copy: its help says so.
fn after_hold(why: &str, order: Order) -> String {
    let ends = match why.starts_with("the window") {
        true => "run again when it opens, or add --now to restart members now",
        false => "change `restart` in the spec, or restart these members yourself",
    };
    match order.intent {
        Intent::Apply => format!("{ends}; --accept-pending makes this exit with 0"),
        _ => ends.into(),
    }
}
