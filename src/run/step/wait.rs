//! How a step waits: soon after a change it looks often, later at its kind's pace.

use super::{Converge, StepError};
use crate::run::again;
use auroraml_core::base::counted;
use auroraml_core::events::Event;
use auroraml_core::resource::Nature;
use std::time::Duration;

/// The pause before the first look after a change; each later one is twice as long, up to the kind's own pace.
/// Much of AWS is done when it answers, and the rest takes minutes.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The pause between two looks that are to tell the same. AWS's own handlers for CloudFormation are content with
/// less (fact book, section 1.6).
pub(super) const CERTAINTY_PAUSE: Duration = Duration::from_secs(5);

/// A pause that is longer than it was meant by more than this was a sleep of the machine.
const ASLEEP_MIN: Duration = Duration::from_secs(60);

impl Converge<'_> {
    /// Waits until the next look, saying why, unless the run is stopped or the time is up.
    pub(super) async fn wait(&mut self, why: &str) -> Result<(), StepError> {
        self.tell(why);
        self.pause_a_while().await
    }

    /// A short pause at first, then longer ones up to the kind's own pace, which is kept however long looks take.
    pub(super) async fn pause_a_while(&mut self) -> Result<(), StepError> {
        let pace = self.rules.poll_seconds * 1000;
        let from = self.past.acted.as_ref().map_or(self.past.began, |(at, _)| *at);
        let left = pace - self.since(from) % pace;
        let growing = u64::try_from(FIRST_PAUSE.as_millis()).unwrap_or(pace) << self.pauses.min(16);
        self.pauses += 1;
        // Just missed: the next beat is as good.
        let left = if left < pace / 10 { left + pace } else { left };
        self.pause(Duration::from_millis(growing.min(left))).await
    }

    pub(super) fn tell(&mut self, why: &str) {
        if why != self.told {
            self.told = why.to_string();
            self.run.tell(Event::Waiting { id: self.step.id.clone(), why: why.to_string() });
        }
    }

    pub(super) async fn pause(&mut self, pause: Duration) -> Result<(), StepError> {
        self.afresh = false;
        if self.since(self.past.began) > self.rules.limit_minutes * 60_000 {
            let minutes = self.rules.limit_minutes;
            return Err(self.refuse(&format!(
                "not ready after {}; last status: {}",
                counted(minutes, "minute"),
                self.told
            )));
        }
        // A task takes hours: while it is waited for, others work in its place.
        let gives_way = self.rules.nature == Nature::Task;
        if gives_way {
            self.place = None;
        }
        let (pause, began) = (pause.max(again::rest(self.looked_for)), self.now());
        tokio::select! {
            () = self.run.aws.clock.sleep(pause) => {}
            () = again::stopped(&self.run.stop) => return Err(StepError::Interrupted),
        }
        // A machine that slept has not waited for AWS.
        let asleep = Duration::from_millis(self.since(began)).saturating_sub(pause);
        if asleep > ASLEEP_MIN {
            self.past.began += u64::try_from(asleep.as_millis()).unwrap_or(0);
            (self.refused_looks, self.refused_acts) = (None, None);
        }
        if gives_way {
            self.place = self.run.places.clone().acquire_owned().await.ok();
        }
        Ok(())
    }
}
