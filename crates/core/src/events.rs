//! What happens while a plan is carried out, told to whoever listens.

use crate::base::Id;
use crate::members::Interruption;
use crate::resource::Action;
use serde::Serialize;
use std::collections::BTreeSet;

/// One thing that happened. Serialised, it is one line of `--events`; no secret can be in it, because no
/// property value is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The steps that will be carried out, in the plan's order.
    Planned {
        steps: Vec<PlannedStep>,
    },
    Started {
        id: Id,
        action: Action,
    },
    /// AWS was asked to change something.
    Acted {
        id: Id,
        what: &'static str,
    },
    /// AWS has accepted a request that interrupts those who use the database.
    Interrupted {
        id: Id,
        #[serde(flatten)]
        interruption: Interruption,
    },
    /// The step waits; told whenever the reason changes.
    Waiting {
        id: Id,
        why: String,
    },
    Finished {
        id: Id,
        seconds: u64,
    },
    Failed {
        id: Id,
        why: String,
    },
    /// The run was asked to stop.
    Stopping,
    /// Something outside of a single step, such as the look after the last one.
    Note {
        text: String,
    },
}

/// A step that will be carried out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannedStep {
    pub id: Id,
    pub action: Action,
    /// Steps that must be finished first.
    pub needs: BTreeSet<Id>,
}

/// Receives events as they happen; must not block.
pub trait Listener: Send + Sync {
    /// `at` is in milliseconds since the Unix epoch, on the run's clock.
    fn tell(&self, at: u64, event: &Event);
}

/// Nobody listens.
pub struct Silent;
impl Listener for Silent {
    fn tell(&self, _: u64, _: &Event) {}
}
