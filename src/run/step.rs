//! One step: look, compare, act, wait, look again, until live is as wanted.

mod act;
mod tries;
mod wait;

use self::act::{Refused, since_when};
use super::again::stopped;
use super::shared::Run;
use crate::aws::Failure;
use crate::kinds::AnyKind;
use auroraml_core::base::{Change, Live, Outputs, State, diff, has_reference, outputs, resolve};
use auroraml_core::members::Interruption;
use auroraml_core::plan::{Step, repeats};
use auroraml_core::resource::{Action, Nature, Past, Rules, Sight, Verdict};
use serde_json::Value;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tries::{Again, Tries, lasting};
use wait::CERTAINTY_PAUSE;

/// Output in which a kind says why AWS undid the last change of an object that is itself in order.
const FAILURE: &str = "failure";
/// How long a new object may be invisible to listings, in milliseconds (fact book, section 5.3).
const VISIBILITY_MS: u64 = 90_000;

pub(super) enum StepError {
    Interrupted,
    Failed(Failure),
}

impl From<Failure> for StepError {
    fn from(failure: Failure) -> StepError {
        StepError::Failed(failure)
    }
}

pub(super) struct Converge<'r> {
    run: &'r Run,
    step: &'r Step,
    kind: &'static dyn AnyKind,
    rules: Rules,
    /// The step's place among those at work.
    place: Option<OwnedSemaphorePermit>,
    /// Times are milliseconds since the Unix epoch, here and in what follows.
    past: Past,
    /// Whether the next look must be newer than anything that is known.
    afresh: bool,
    /// How long the last look took, in seconds.
    looked_for: u64,
    /// Since when looks, and since when changes, have been refused for a passing reason.
    refused_looks: Refused,
    refused_acts: Refused,
    /// Requests refused since the last that was not.
    refusals: u32,
    /// What the updates that AWS accepted were to change.
    tries: Tries,
    /// Whether nothing was changed but what AWS changes at once.
    only_at_once: bool,
    /// Pauses since the last change, or since the beginning.
    pauses: u32,
    told: String,
}

impl<'r> Converge<'r> {
    pub fn new(
        run: &'r Run,
        step: &'r Step,
        began: u64,
        place: Option<OwnedSemaphorePermit>,
    ) -> Converge<'r> {
        let kind = run.kinds.get(step.id.kind);
        let past = Past {
            began,
            foreseen: step.action == Action::Recheck && !step.interruptions.is_empty(),
            hold: run.graph.restarts.as_ref().and_then(|restarts| restarts.policy.hold.clone()),
            found: run.observed.get(&step.id).cloned(),
            run_began: run.began,
            is_quiet: run.is_quiet,
            ..Past::default()
        };
        Converge {
            run,
            step,
            kind,
            rules: kind.rules(),
            place,
            past,
            afresh: false,
            looked_for: 0,
            refused_looks: None,
            refused_acts: None,
            refusals: 0,
            tries: Tries::default(),
            only_at_once: true,
            pauses: 0,
            told: String::new(),
        }
    }

    /// Brings the resource to its desired properties; returns its outputs.
    pub async fn settle(&mut self) -> Result<Outputs, StepError> {
        let resource = &self.run.graph.resources[&self.step.id];
        let want = {
            let known = self.run.known.lock().unwrap_or_else(PoisonError::into_inner);
            resolve(&resource.props, &known)
        };
        if has_reference(&want) {
            let mut missing = std::collections::BTreeSet::new();
            auroraml_core::base::references(&want, &mut missing);
            let missing: Vec<String> = missing.into_iter().collect();
            return Err(self.refuse(&format!(
                "it uses a value that {} does not have, such as an output whose condition is not met",
                missing.join(", ")
            )));
        }
        let mut good_looks = 0;
        let mut may_create = matches!(self.step.action, Action::Create | Action::Recreate | Action::Run);
        // What is broken is made again once; what breaks again is told.
        let mut may_replace = matches!(self.step.action, Action::Recreate | Action::Run);
        loop {
            let Some(live) = self.look().await? else { continue };
            let Some(live) = live else {
                good_looks = 0;
                if self.past.acted.as_ref().is_some_and(|(at, _)| self.since(*at) < VISIBILITY_MS) {
                    self.wait("not visible yet").await?;
                } else if may_create || self.since(self.past.began) >= VISIBILITY_MS {
                    // What was on its way when the plan was made may have been on its way out, and is made anew.
                    let was_leaving = self.past.busy_at > 0 && !self.rules.holds_data;
                    if !may_create && self.past.acts == 0 && !was_leaving {
                        return Err(self.refuse("it was deleted after the plan was made"));
                    }
                    may_create = true;
                    self.create(&want, None).await?;
                } else {
                    self.wait("not visible").await?;
                }
                continue;
            };
            if matches!(live.state, State::Busy(_)) {
                self.past.busy_at = self.now();
            }
            let changes = self.changes(&want, &live);
            self.past.differed |= !changes.is_empty();
            let sight = Sight {
                lag: self.lag(),
                want: &want,
                live: &live,
                changes: &changes,
                past: &self.past,
                now: self.now(),
            };
            let verdict = match &live.state {
                State::Failed(_) | State::Broken(_) if self.past.may_be_old(&live, sight.now, sight.lag) => {
                    Verdict::Wait("waiting for AWS to begin".into())
                }
                State::Failed(_) | State::Broken(_) => {
                    good_looks = 0;
                    self.mend(&want, &live, &mut may_replace).await?;
                    continue;
                }
                State::Ready | State::Busy(_) => (self.rules.judge)(&sight),
            };
            match verdict {
                Verdict::Wait(why) => {
                    good_looks = 0;
                    self.wait(&why).await?;
                }
                Verdict::Done => {
                    // One pace after a change it may not have begun yet.
                    good_looks += u32::from(!self.may_not_have_begun());
                    if good_looks >= self.looks_needed() {
                        return self.outputs(live);
                    }
                    self.tell("checking once more");
                    let pace = Duration::from_secs(self.rules.poll_seconds);
                    self.pause(pace.min(CERTAINTY_PAUSE)).await?;
                }
                Verdict::Certain | Verdict::Held(_) => return self.outputs(live),
                Verdict::Act(interruption) => {
                    good_looks = 0;
                    self.update(&want, live, changes, interruption).await?;
                }
            }
        }
    }

    /// Makes anew what AWS will not mend, where nothing is lost by that.
    async fn mend(&mut self, want: &Value, live: &Live, may_replace: &mut bool) -> Result<(), StepError> {
        let is_task = self.rules.nature == Nature::Task;
        match &live.state {
            // Until AWS accepts it once: a role that was made seconds ago is refused for a while.
            State::Broken(_) | State::Failed(_) if is_task && *may_replace && self.past.acts == 0 => {
                self.create(want, Some(live)).await
            }
            State::Broken(why) | State::Failed(why) if is_task => {
                let why = why.trim_end_matches('.');
                Err(self.refuse(&format!("it failed: {why}; {}", repeats(&self.rules))))
            }
            State::Broken(_) if *may_replace && self.may_lose(live) => {
                *may_replace = false;
                self.delete(live).await
            }
            State::Broken(why) => Err(self.refuse(&format!("it failed: {why}"))),
            State::Failed(why) => Err(self.refuse(why)),
            State::Ready | State::Busy(_) => Ok(()),
        }
    }

    async fn create(&mut self, want: &Value, failed: Option<&Live>) -> Result<(), StepError> {
        let interruption = match self.caused(Action::Create, &diff(want, &Value::Null), None).await {
            Ok(interruption) => interruption,
            Err(failure) => return self.refused(failure).await,
        };
        let (run, step, kind) = (self.run, self.step, self.kind);
        let request = kind.create(&run.aws, &step.id.name, want.clone(), failed);
        self.act(failed.cloned(), "create", interruption, request).await
    }

    /// Changes what differs, if it can be changed and whom it interrupts may be interrupted.
    async fn update(
        &mut self,
        want: &Value,
        live: Live,
        changes: Vec<Change>,
        interruption: Option<Interruption>,
    ) -> Result<(), StepError> {
        self.check_changeable(&live, &changes)?;
        // Who is interrupted may have changed since that look (fact book, trap 70).
        if interruption.is_some() && !std::mem::replace(&mut self.afresh, true) {
            return Ok(());
        }
        // AWS took the very same change in this run and undid it: asking again would go on for ever. A new
        // run asks once more, because the cause may be gone.
        if let Some(why) = live.output(FAILURE).filter(|_| self.tries.were_last(&changes)) {
            return Err(self.refuse(why));
        }
        // A condition has a limit of its own: what may be interrupted.
        if self.rules.nature == Nature::Object {
            match self.tries.again(&changes, self.rules.may_be_ignored, self.now()) {
                Again::Ask => {}
                Again::Look => return self.wait("waiting for AWS to show the change").await,
                Again::Never(why) => return Err(self.refuse(&why)),
            }
        }
        let interruption = match interruption {
            Some(interruption) => Some(interruption),
            None => match self.caused(Action::Update, &changes, Some(&live)).await {
                Ok(interruption) => interruption,
                Err(failure) => return self.refused(failure).await,
            },
        };
        let (run, kind) = (self.run, self.kind);
        self.past.asked = lasting(&changes, self.rules.may_be_ignored);
        let at_once = |change: &Change| self.rules.at_once.iter().any(|path| change.concerns(path));
        self.only_at_once &= changes.iter().all(at_once);
        let request = kind.update(&run.aws, &live, self.whole(want, &live), &changes);
        self.act(Some(live.clone()), "update", interruption, request).await?;
        self.tries.took(if self.refused_acts.is_none() { changes } else { Vec::new() }, self.now());
        Ok(())
    }

    /// Deletes it, or waits for AWS to (`ask` is false), until it is gone. A task is gone when it has ended.
    pub async fn remove(&mut self, ask: bool) -> Result<(), StepError> {
        let is_task = self.rules.nature == Nature::Task;
        loop {
            match self.look().await? {
                None => {}
                Some(None) => return Ok(()),
                Some(Some(live)) if self.run.is_another(&live) => return Ok(()),
                Some(Some(live)) if ask && self.has_failed_to_go(&live) => {
                    let why = live.output(FAILURE).unwrap_or_default();
                    return Err(self.refuse(why));
                }
                Some(Some(live)) => match &live.state {
                    State::Busy(_) if is_task && self.may_ask_again() => self.delete(&live).await?,
                    State::Busy(status) => {
                        let status = status.clone();
                        self.wait(&status).await?;
                    }
                    _ if is_task => return Ok(()),
                    _ if !ask => self.wait("deleted with its parent").await?,
                    _ if self.past.may_be_old(&live, self.now(), self.lag()) => {
                        self.wait("waiting for AWS to begin").await?
                    }
                    _ => self.delete(&live).await?,
                },
            }
        }
    }

    /// Whether AWS was asked to delete it, and has given up.
    fn has_failed_to_go(&self, live: &Live) -> bool {
        let has_ended = matches!(live.state, State::Broken(_)) && live.output(FAILURE).is_some();
        has_ended && self.past.acts > 0 && !self.past.may_be_old(live, self.now(), self.lag())
    }

    /// Whether nothing was asked of AWS yet, or it has had the time to show.
    fn may_ask_again(&self) -> bool {
        self.past.acted.as_ref().is_none_or(|(at, _)| self.since(*at) >= self.lag())
    }

    async fn delete(&mut self, live: &Live) -> Result<(), StepError> {
        let interruption = match self.caused(Action::Delete, &[], Some(live)).await {
            Ok(interruption) => interruption,
            Err(failure) => return self.refused(failure).await,
        };
        let (run, step, kind) = (self.run, self.step, self.kind);
        let what = if self.rules.nature == Nature::Task { "stop" } else { "delete" };
        let deletion = kind.delete(&run.aws, live, &step.options);
        self.act(Some(live.clone()), what, interruption, deletion).await
    }

    /// A look; `None` when it failed for a passing reason and another is due.
    async fn look(&mut self) -> Result<Option<Option<Live>>, StepError> {
        // Old enough to be shared by all who poll together, never from before our own act.
        let shared = self.now().saturating_sub(self.rules.poll_seconds * 500).max(self.past.began);
        let shared = self.past.acted.as_ref().map_or(shared, |(at, _)| shared.max(*at));
        let as_of = if self.afresh { self.now() } else { shared };
        let began = self.now();
        // Minutes pass where AWS throttles.
        let looked = tokio::select! {
            looked = self.run.kinds.observe_one(&self.run.aws, &self.step.id, as_of) => looked,
            () = stopped(&self.run.stop) => return Err(StepError::Interrupted),
        };
        self.looked_for = self.since(began) / 1000;
        match looked {
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

    /// The desired properties of the live object, where the resource says only some of them.
    fn whole(&self, want: &Value, live: &Live) -> Value {
        match self.run.graph.resources.get(&self.step.id) {
            Some(resource) => resource.keeping(want, Some(live)),
            None => want.clone(),
        }
    }

    fn changes(&self, want: &Value, live: &Live) -> Vec<Change> {
        // A task is known by its inputs: one of this name is as wanted.
        if self.rules.nature == Nature::Task {
            return Vec::new();
        }
        let mut want = self.whole(want, live);
        (self.rules.accept)(&mut want, &live.props);
        diff(&want, &live.props)
    }

    /// Whether the object may go with what is in it.
    fn may_lose(&self, live: &Live) -> bool {
        !self.rules.holds_data && (!(self.rules.holds)(live) || self.is_let_go())
    }

    fn is_let_go(&self) -> bool {
        self.run.graph.let_go.contains(&self.step.id.to_string())
    }

    fn check_changeable(&self, live: &Live, changes: &[Change]) -> Result<(), StepError> {
        if !live.owned {
            return Err(self.refuse("an object with this name exists but does not have this stack's tags"));
        }
        if let Some(resource) = self.run.graph.resources.get(&self.step.id).filter(|_| !self.is_let_go()) {
            let losses = (self.rules.loses)(&resource.props, changes, live);
            if !losses.is_empty() {
                return Err(self.refuse(&format!("unplanned: {}; run again", losses.join("; "))));
            }
        }
        match changes.iter().find_map(|change| Some((change, self.rules.forbids(change, &live.props)?))) {
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
            Action::Create | Action::Recreate | Action::Run if self.past.acts <= 1 => 1,
            _ if self.past.acts > 0 && self.only_at_once => 1,
            _ => self.rules.stable_looks,
        }
    }

    /// Whether the last change is so young that looking as wanted says little: `available` proves nothing right after
    /// a modify (fact book, section 1.6). What was seen at work has begun.
    fn may_not_have_begun(&self) -> bool {
        let at = self.past.acted.as_ref().map(|(at, _)| *at).filter(|at| self.past.busy_at <= *at);
        self.looks_needed() > 1 && at.is_some_and(|at| self.since(at) < self.rules.poll_seconds * 1000)
    }

    fn lag(&self) -> u64 {
        self.rules.effect_lag_seconds * 1000
    }

    fn now(&self) -> u64 {
        self.run.aws.clock.now_ms()
    }

    fn since(&self, earlier: u64) -> u64 {
        self.now().saturating_sub(earlier)
    }

    fn outputs(&self, live: Live) -> Result<Outputs, StepError> {
        for (name, predicted) in &self.run.graph.resources[&self.step.id].predicted {
            if let Some(actual) = live.outputs.get(name)
                && actual != predicted.as_str()
            {
                return Err(
                    self.refuse(&format!("its {name} is {actual}, but the plan said {predicted} (a bug)"))
                );
            }
        }
        Ok(outputs(&self.run.graph.resources[&self.step.id].predicted, Some(&live.outputs)))
    }

    fn refuse(&self, why: &str) -> StepError {
        StepError::Failed(Failure::refused("converge", why))
    }
}
