//! One step: look, compare, act, wait, look again, until live is as wanted.

use super::events::Event;
use super::execute::Run;
use crate::aws::{Class, Failure};
use crate::kinds;
use crate::model::graph::{Live, Outputs, State, resolve};
use crate::plan::restart::Strategy;
use crate::plan::{Action, Change, Rules, Step, diff, immutable_reason};
use serde_json::Value;
use std::sync::PoisonError;
use std::time::Duration;

/// Changes asked of AWS for one step; more than this means that AWS and we disagree about what was asked.
const ACTS_MAX: u32 = 64;
/// Output in which a kind says why AWS undid the last change of an object that is itself in order.
const FAILURE: &str = "failure";
/// How long a new object may be invisible to listings, in milliseconds (fact book, section 5.3).
const VISIBILITY_MS: u64 = 90_000;
/// Refusals in a row after which one asks more slowly whether an object is still in use.
const QUICK_REFUSALS_MAX: u32 = 8;
/// Seconds between two tries then.
const IN_USE_POLL_SECONDS: u64 = 15;

pub(super) enum StepError {
    Interrupted,
    Failed(Failure),
}
impl From<Failure> for StepError {
    fn from(failure: Failure) -> StepError {
        StepError::Failed(failure)
    }
}

/// A class of failure, and since when it has been the answer.
type Refused = Option<(Class, u64)>;

/// The same since then, or another since now.
fn since_when(refused: Refused, failure: &Failure, now: u64) -> Refused {
    match refused {
        Some((class, since)) if class == failure.class => Some((class, since)),
        _ => Some((failure.class, now)),
    }
}

pub(super) struct Converge<'r> {
    run: &'r Run,
    step: &'r Step,
    rules: Rules,
    /// Milliseconds since the Unix epoch, as are all times here.
    began: u64,
    acts: u32,
    /// When AWS was last asked to change something, and what it looked like before.
    acted: Option<(u64, Option<Live>)>,
    /// Since when looks, and since when changes, have been refused for a passing reason.
    refused_looks: Refused,
    refused_acts: Refused,
    /// Requests refused since the last that was not.
    refusals: u32,
    /// What the last update that AWS accepted was to change.
    tried: Vec<Change>,
    told: String,
    /// When AWS was last seen at work.
    busy_at: u64,
}

impl<'r> Converge<'r> {
    pub fn new(run: &'r Run, step: &'r Step, began: u64) -> Converge<'r> {
        let rules = kinds::get(step.id.kind).rules();
        Converge {
            run,
            step,
            rules,
            began,
            acts: 0,
            acted: None,
            refused_looks: None,
            refused_acts: None,
            refusals: 0,
            tried: Vec::new(),
            told: String::new(),
            busy_at: 0,
        }
    }

    /// Brings the resource to its desired properties; returns its outputs.
    pub async fn settle(&mut self) -> Result<Outputs, StepError> {
        let resource = &self.run.graph.resources[&self.step.id];
        let want = {
            let known = self.run.known.lock().unwrap_or_else(PoisonError::into_inner);
            resolve(&resource.props, &known)
        };
        let kind = kinds::get(self.step.id.kind);
        let mut good_looks = 0;
        let mut may_create = matches!(self.step.action, Action::Create | Action::Recreate);
        let mut may_delete = self.step.action == Action::Recreate;
        loop {
            let Some(live) = self.look().await? else { continue };
            let Some(live) = live else {
                good_looks = 0;
                if self.acted.as_ref().is_some_and(|(at, _)| self.since(*at) < VISIBILITY_MS) {
                    self.wait("not visible yet").await?;
                } else if may_create || self.acts > 0 || self.since(self.began) >= VISIBILITY_MS {
                    if !may_create && self.acts == 0 {
                        return Err(self.refuse("it vanished after the plan was made"));
                    }
                    may_create = true;
                    self.act(None, "create", kind.create(&self.run.aws, &self.step.id.name, want.clone()))
                        .await?;
                } else {
                    self.wait("not visible").await?;
                }
                continue;
            };
            if matches!(live.state, State::Busy(_)) {
                self.busy_at = self.now();
            }
            if self.lags(&live) {
                good_looks = 0;
                self.wait("waiting for AWS to begin").await?;
                continue;
            }
            match &live.state {
                State::Busy(status) => {
                    good_looks = 0;
                    self.wait(status).await?;
                    continue;
                }
                State::Broken(why) => {
                    if !may_delete || self.rules.holds_data {
                        return Err(self.refuse(&format!("it has failed: {why}")));
                    }
                    may_delete = false;
                    self.delete(&live).await?;
                    continue;
                }
                State::Failed(why) => return Err(self.refuse(why)),
                State::Ready => {}
            }
            let changes = self.changes(&want, &live);
            if changes.is_empty() && (self.is_early() || self.is_writer_unsure(&want)) {
                self.wait("waiting for the change to show").await?;
                continue;
            }
            if changes.is_empty() {
                good_looks += 1;
                if good_looks >= self.looks_needed() {
                    return self.outputs(live);
                }
                self.wait("looking again to be sure").await?;
                continue;
            }
            good_looks = 0;
            self.check_changeable(&live, &changes)?;
            if self.is_held() {
                return self.outputs(live);
            }
            if self.shows_what_was(&live) {
                self.wait("waiting for AWS to notice the restart").await?;
                continue;
            }
            let patience = (self.rules.patience_seconds)(&live.props) * 1000;
            if self.acts == 0 && self.since(self.began.max(self.busy_at)) < patience {
                self.wait("making sure that nothing is on its way already").await?;
                continue;
            }
            // AWS took the very same change in this run and undid it: asking again would go on for ever. A new
            // run asks once more, because the cause may be gone.
            if let Some(why) = live.outputs.get(FAILURE).filter(|_| self.tried == changes) {
                return Err(self.refuse(why));
            }
            let update = kind.update(&self.run.aws, &live, want.clone(), &changes, &self.run.permit);
            self.act(Some(live.clone()), "update", update).await?;
            self.tried = if self.refused_acts.is_none() { changes } else { Vec::new() };
        }
    }

    /// Deletes it, or waits for AWS to (`ask` is false), until it is gone.
    pub async fn remove(&mut self, ask: bool) -> Result<(), StepError> {
        loop {
            match self.look().await? {
                None => {}
                Some(None) => return Ok(()),
                Some(Some(live)) => match &live.state {
                    State::Busy(status) => {
                        let status = status.clone();
                        self.wait(&status).await?;
                    }
                    _ if !ask => self.wait("goes with what it belongs to").await?,
                    _ if self.lags(&live) => self.wait("waiting for AWS to begin").await?,
                    _ => self.delete(&live).await?,
                },
            }
        }
    }

    async fn delete(&mut self, live: &Live) -> Result<(), StepError> {
        let (run, step) = (self.run, self.step);
        let deletion = kinds::get(step.id.kind).delete(&run.aws, live, &step.options, &run.permit);
        self.act(Some(live.clone()), "delete", deletion).await
    }

    /// A look; `None` when it failed for a passing reason and another is due.
    async fn look(&mut self) -> Result<Option<Option<Live>>, StepError> {
        // Old enough to be shared by all who poll together, never from before our own act.
        let shared = self.now().saturating_sub(self.rules.poll_seconds * 500).max(self.began);
        let as_of = self.acted.as_ref().map_or(shared, |(at, _)| shared.max(*at));
        match kinds::observe_one(&self.run.aws, &self.step.id, as_of).await {
            Ok(live) => {
                self.refused_looks = None;
                Ok(Some(live))
            }
            Err(failure) => {
                self.refused_looks = since_when(self.refused_looks, &failure, self.now());
                self.bear(failure, self.refused_looks).await?;
                Ok(None)
            }
        }
    }

    fn changes(&self, want: &Value, live: &Live) -> Vec<Change> {
        let mut want = want.clone();
        (self.rules.accept)(&mut want, &live.props);
        diff(&want, &live.props)
    }

    fn check_changeable(&self, live: &Live, changes: &[Change]) -> Result<(), StepError> {
        if !live.owned {
            return Err(self.refuse("an object of this name exists and is not tagged as this stack's"));
        }
        match changes.iter().find_map(|change| Some((change, immutable_reason(&self.rules, change)?))) {
            Some((change, reason)) => {
                Err(self.refuse(&format!("{} differs and cannot change in place: {reason}", change.path)))
            }
            None => Ok(()),
        }
    }

    /// How many good looks in a row count as success.
    fn looks_needed(&self) -> u32 {
        match self.step.action {
            // What was just created had no earlier state that a late look could still show.
            Action::Create | Action::Recreate if self.acts <= 1 => 1,
            _ => self.rules.stable_looks,
        }
    }

    /// Whether this may be a look at the state from before our last change: `available` proves nothing
    /// right after a modify or a reboot (fact book, section 1.6).
    fn lags(&self, live: &Live) -> bool {
        let lag = self.rules.effect_lag_seconds * 1000;
        self.acted.as_ref().is_some_and(|(at, before)| {
            // A restart is seen, or its time is over: that something else has changed says nothing about it.
            let unseen =
                if self.rules.restarts_members { self.busy_at <= *at } else { before.as_ref() == Some(live) };
            self.since(*at) < lag && unseen
        })
    }

    /// Whether this would restart members, and the spec holds that: what was `applying` when the plan was made has
    /// turned out to need a restart. The next plan shows it as held.
    fn is_held(&self) -> bool {
        let policy = &self.run.graph.policy;
        self.rules.restarts_members && (policy.hold.is_some() || policy.strategy == Strategy::Never)
    }

    /// Whether what is still pending may be what the last interruption has already mended.
    fn shows_what_was(&self, live: &Live) -> bool {
        let made = self.run.permit.made();
        let last = made.iter().rev().find(|(id, _)| *id == self.step.id);
        let Some(((acted, _), (_, last))) = self.acted.as_ref().zip(last) else { return false };
        let recent = self.since(self.busy_at.max(*acted)) < self.rules.effect_lag_seconds * 1000;
        recent && (self.rules.still_shows)(&live.props, &last.members)
    }

    /// Whether what the plan foresees may not show yet: the change before this step is that young.
    fn is_early(&self) -> bool {
        let foreseen = self.step.action == Action::Recheck && !self.step.interruptions.is_empty();
        foreseen && self.acts == 0 && self.since(self.began) < self.rules.effect_lag_seconds * 1000
    }

    /// Whether a look just after our failover may still call the old writer the writer, where the spec names one.
    fn is_writer_unsure(&self, want: &Value) -> bool {
        let recent = |acted: u64| self.since(self.busy_at.max(acted)) < self.rules.effect_lag_seconds * 1000;
        self.rules.restarts_members
            && !want["writer"].is_null()
            && self.acted.as_ref().is_some_and(|(acted, _)| recent(*acted))
    }

    fn now(&self) -> u64 {
        self.run.aws.clock.now_ms()
    }

    fn since(&self, earlier: u64) -> u64 {
        self.now().saturating_sub(earlier)
    }

    async fn act(
        &mut self,
        before: Option<Live>,
        what: &'static str,
        request: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), StepError> {
        if *self.run.stop.borrow() {
            return Err(StepError::Interrupted);
        }
        self.acts += 1;
        if self.acts > ACTS_MAX {
            return Err(
                self.refuse(&format!("it still differs after {ACTS_MAX} changes; last told: {}", self.told))
            );
        }
        self.run.tell(Event::Acted { id: self.step.id.clone(), what });
        let interrupted = self.run.permit.made().len();
        let answer = request.await;
        let made = self.run.permit.made();
        for (_, interruption) in made.into_iter().skip(interrupted).filter(|(id, _)| *id == self.step.id) {
            self.run.tell(Event::Interrupted { id: self.step.id.clone(), interruption });
        }
        match answer {
            Ok(()) => {
                self.acted = Some((self.now(), before));
                self.refused_acts = None;
                self.refusals = 0;
                self.pause(self.rules.poll_seconds).await
            }
            // Nobody knows whether it took effect: give it the time to show, then look.
            Err(failure) if failure.is(Class::Ambiguous) => {
                self.acted = Some((self.now(), before));
                self.refused_acts = since_when(self.refused_acts, &failure, self.now());
                self.bear(failure, self.refused_acts).await
            }
            Err(failure) => {
                // Refused, and limited by its patience: an hour of refusals is no disagreement.
                self.acts -= 1;
                self.refusals += 1;
                self.acted = None;
                self.refused_acts = since_when(self.refused_acts, &failure, self.now());
                self.bear(failure, self.refused_acts).await
            }
        }
    }

    /// Waits after a passing failure; gives up when its patience is over, at once when it has none.
    async fn bear(&mut self, failure: Failure, refused: Refused) -> Result<(), StepError> {
        let patience = failure.class.patience();
        let since = refused.map_or_else(|| self.now(), |(_, since)| since);
        if patience.is_zero() || u128::from(self.since(since)) >= patience.as_millis() {
            return Err(StepError::Failed(failure));
        }
        let why = failure.to_string();
        self.tell(&why);
        let poll = self.rules.poll_seconds;
        // What others still use can take most of an hour, and the object is asked for at each try.
        let slow = failure.is(Class::InUse) && self.refusals > QUICK_REFUSALS_MAX;
        self.pause(if slow { poll.max(IN_USE_POLL_SECONDS) } else { poll }).await
    }

    /// Waits one poll interval, saying why, unless the run is stopped or the time is up.
    async fn wait(&mut self, why: &str) -> Result<(), StepError> {
        self.tell(why);
        self.pause(self.rules.poll_seconds).await
    }

    fn tell(&mut self, why: &str) {
        if why != self.told {
            self.told = why.to_string();
            self.run.tell(Event::Waiting { id: self.step.id.clone(), why: why.to_string() });
        }
    }

    async fn pause(&mut self, seconds: u64) -> Result<(), StepError> {
        if self.since(self.began) > self.rules.limit_minutes * 60_000 {
            let minutes = self.rules.limit_minutes;
            return Err(self.refuse(&format!("not ready after {minutes} minutes; last seen: {}", self.told)));
        }
        let mut stop = self.run.stop.clone();
        tokio::select! {
            () = self.run.aws.clock.sleep(Duration::from_secs(seconds)) => Ok(()),
            // An error means that nobody can ask to stop any more: then only the sleep ends the wait.
            Ok(_) = stop.wait_for(|stop| *stop) => Err(StepError::Interrupted),
        }
    }

    fn outputs(&self, live: Live) -> Result<Outputs, StepError> {
        for (name, predicted) in &self.run.graph.resources[&self.step.id].predicted {
            if let Some(actual) = live.outputs.get(name)
                && actual != predicted
            {
                return Err(
                    self.refuse(&format!("its {name} is {actual}, not {predicted} as planned (a bug)"))
                );
            }
        }
        let mut outputs = self.run.graph.resources[&self.step.id].predicted.clone();
        outputs.extend(live.outputs);
        Ok(outputs)
    }

    fn refuse(&self, why: &str) -> StepError {
        StepError::Failed(Failure::refused("converge", why))
    }
}
