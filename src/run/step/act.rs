//! How a step asks AWS for a change: who is interrupted, whether that may be, and how long a refusal is borne.

use super::{Converge, StepError};
use crate::aws::{Class, Failure};
use auroraml_core::base::{Change, Live};
use auroraml_core::events::Event;
use auroraml_core::members::{Interruption, Topology};
use auroraml_core::resource::Action;
use serde_json::Value;
use std::time::Duration;

/// Changes asked of AWS for one step; after more, AWS and we disagree about what was asked.
const ACTS_MAX: u32 = 64;
/// Refusals in a row after which one asks more slowly whether an object is still in use.
const QUICK_REFUSALS_MAX: u32 = 8;
/// Seconds between two tries then.
const IN_USE_POLL_SECONDS: u64 = 15;

/// A class of failure, and since when it has been the answer.
pub(super) type Refused = Option<(Class, u64)>;

/// The same since then, or another since now.
pub(super) fn since_when(refused: Refused, failure: &Failure, now: u64) -> Refused {
    match refused {
        Some((class, since)) if class == failure.class => Some((class, since)),
        _ => Some((failure.class, now)),
    }
}

/// What is waited for after a passing failure, in a few words.
fn waits_for(failure: &Failure) -> &'static str {
    match failure.class {
        Class::Propagating if failure.message.to_ascii_lowercase().contains("role") => {
            "waiting for the new IAM role"
        }
        Class::Propagating => "waiting until AWS sees what was just made",
        Class::InUse => "waiting until nothing uses it",
        Class::Throttled => "waiting: too many requests",
        Class::Ambiguous => "no answer from AWS: trying again",
        _ => "waiting until AWS accepts it",
    }
}

impl Converge<'_> {
    /// Whom a change interrupts at once, as its kind says of it and as the cluster is now.
    pub(super) async fn caused(
        &self,
        action: Action,
        changes: &[Change],
        live: Option<&Live>,
    ) -> Result<Option<Interruption>, Failure> {
        let effect = (self.rules.effect)(action, changes, live.map_or(&Value::Null, |live| &live.props));
        // With the whole cluster goes whoever used it.
        let Some(restarts) = self.run.graph.restarts.as_ref().filter(|_| effect.is_at_once()) else {
            return Ok(None);
        };
        let told = self.run.kinds.observe_one(&self.run.aws, &restarts.by, self.now()).await?;
        let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        let why = format!("{} changes", paths.join(", "));
        let topology = told.as_ref().and_then(Topology::told_by);
        Ok(topology
            .and_then(|topology| topology.suffers(effect, live.and_then(|live| live.output("id")), &why)))
    }

    /// The only way to change AWS: refuses what interrupts somebody whom the plan did not name.
    pub(super) async fn act(
        &mut self,
        before: Option<Live>,
        what: &'static str,
        interruption: Option<Interruption>,
        request: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), StepError> {
        if *self.run.stop.borrow() {
            return Err(StepError::Interrupted);
        }
        if let Some(interruption) = &interruption {
            let permit = self.run.permit.check(self.now(), interruption);
            permit.map_err(|why| StepError::Failed(Failure::refused("auroraml", why)))?;
        }
        self.past.acts += 1;
        if self.past.acts > ACTS_MAX {
            return Err(self
                .refuse(&format!("it still differs after {ACTS_MAX} changes; last status: {}", self.told)));
        }
        self.run.tell(Event::Acted { id: self.step.id.clone(), what });
        let answer = request.await;
        self.afresh = false;
        self.pauses = 0;
        // Of an answer that was lost nobody knows whether it was made.
        if answer.as_ref().err().is_none_or(|failure| failure.is(Class::Ambiguous)) {
            self.past.interrupted.clone_from(&interruption);
            if let Some(interruption) = interruption {
                let id = self.step.id.clone();
                self.run.permit.made_one(&id, interruption.clone());
                self.run.tell(Event::Interrupted { id, interruption });
            }
        }
        match answer {
            Ok(()) => {
                self.past.acted = Some((self.now(), before));
                self.refused_acts = None;
                self.refusals = 0;
                self.pause_a_while().await
            }
            // Nobody knows whether it took effect: give it the time to show, then look.
            Err(failure) if failure.is(Class::Ambiguous) => {
                self.past.acted = Some((self.now(), before));
                self.refused_acts = since_when(self.refused_acts, &failure, self.now());
                self.bear(failure, self.refused_acts).await
            }
            Err(failure) => {
                // Refused, and limited by its patience: an hour of refusals is no disagreement.
                self.past.acts -= 1;
                self.past.acted = None;
                self.refused(failure).await
            }
        }
    }

    pub(super) async fn refused(&mut self, failure: Failure) -> Result<(), StepError> {
        self.refusals += 1;
        self.refused_acts = since_when(self.refused_acts, &failure, self.now());
        self.bear(failure, self.refused_acts).await
    }

    /// Waits after a passing failure; gives up when its patience is over, at once when it has none.
    pub(super) async fn bear(&mut self, failure: Failure, refused: Refused) -> Result<(), StepError> {
        let patience = failure.class.patience();
        let since = refused.map_or_else(|| self.now(), |(_, since)| since);
        if patience.is_zero() || u128::from(self.since(since)) >= patience.as_millis() {
            return Err(StepError::Failed(failure));
        }
        // What it comes to first: a terminal has no room for all of it.
        self.tell(&format!("{}: {failure}", waits_for(&failure)));
        let poll = self.rules.poll_seconds;
        // What others still use can take most of an hour, and the object is asked for at each try.
        let slow = failure.is(Class::InUse) && self.refusals > QUICK_REFUSALS_MAX;
        self.pause(Duration::from_secs(if slow { poll.max(IN_USE_POLL_SECONDS) } else { poll })).await
    }
}
