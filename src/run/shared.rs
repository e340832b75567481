//! What all steps of one run share.

use crate::aws::{Aws, Stop};
use crate::kinds::Kinds;
use auroraml_core::base::{Id, Live, Observed, Outputs};
use auroraml_core::events::{Event, Listener};
use auroraml_core::members::Permit;
use auroraml_core::resource::Graph;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

pub(super) struct Run {
    pub aws: Arc<Aws>,
    pub kinds: Kinds,
    pub graph: Graph,
    pub observed: Observed,
    /// When the run began, in milliseconds since the Unix epoch.
    pub began: u64,
    /// Whether nothing of an earlier run can be on its way.
    pub is_quiet: bool,
    /// Outputs of everything that is settled.
    pub known: Mutex<BTreeMap<Id, Outputs>>,
    pub stop: Stop,
    pub listener: Arc<dyn Listener>,
    /// What may be interrupted.
    pub permit: Arc<Permit>,
    /// Places among the steps at work.
    pub places: Arc<Semaphore>,
}

impl Run {
    pub fn tell(&self, event: Event) {
        self.listener.tell(self.aws.clock.now_ms(), &event);
    }
    /// Whether it is not the object that the plan saw, by AWS's own id, but one that bears the name now that the other has
    /// gone: nobody agreed to its deletion.
    pub fn is_another(&self, live: &Live) -> bool {
        let planned = self.observed.get(&live.id).and_then(|planned| planned.output("id"));
        planned.is_some_and(|planned| live.output("id").is_some_and(|id| id != planned))
    }
    pub fn learn(&self, id: &Id, outputs: Outputs) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), outputs);
    }
}
