//! Whether a request that changes something may leave now.
//!
//! A run that holds a lease may change things until its lease is over, and not a moment longer. So the time is read for
//! each request, just before it is sent: a process that was stopped for an hour, or a machine that slept, does not know
//! it until it asks.

use auroraml_clock::Clock;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Clones are the same gate. Without a lease it is open.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Mutex<State>>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Open,
    Until(Limit),
    /// For good: why.
    Closed(String),
}

/// The end of a lease on two clocks: the time of day can be put back, and the other stands still while a machine sleeps.
#[derive(Debug)]
struct Limit {
    clock: Clock,
    at: u64,
    instant: Instant,
}

impl Limit {
    fn is_over(&self) -> bool {
        self.clock.now_ms() >= self.at || Instant::now() >= self.instant
    }
}

/// A request that was not sent, because the lease is over.
#[derive(Debug)]
pub(super) struct Shut(String);

impl fmt::Display for Shut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl Error for Shut {}

impl Gate {
    /// Changes may be sent for so long after `since` (milliseconds since the Unix epoch) on this clock, which is now past
    /// that or at it. A gate that has closed stays closed.
    pub fn open_for(&self, clock: &Clock, since: u64, time: Duration) {
        let mut state = self.lock();
        if matches!(*state, State::Closed(_)) {
            return;
        }
        let at = since + u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let left = Duration::from_millis(at.saturating_sub(clock.now_ms())).div_f64(clock.speed());
        *state = State::Until(Limit { clock: clock.clone(), at, instant: Instant::now() + left });
    }

    /// Nothing is changed any more.
    pub fn close(&self, why: impl Into<String>) {
        let mut state = self.lock();
        if !matches!(*state, State::Closed(_)) {
            *state = State::Closed(why.into());
        }
    }

    /// Why nothing may be changed any more, if so. Once it is so it stays so.
    pub fn shut(&self) -> Option<String> {
        let mut state = self.lock();
        if let State::Until(limit) = &*state
            && limit.is_over()
        {
            let late = limit.clock.now_ms().saturating_sub(limit.at) / 1000;
            *state = State::Closed(format!(
                "this run's lease expired {late} s ago, so another run may have started"
            ));
        }
        match &*state {
            State::Closed(why) => Some(why.clone()),
            State::Open | State::Until(_) => None,
        }
    }

    pub(super) fn check(&self) -> Result<(), Shut> {
        self.shut().map_or(Ok(()), |why| Err(Shut(format!("not sent: {why}"))))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(75);

    #[tokio::test(start_paused = true)]
    async fn a_gate_closes_by_itself_and_for_good() {
        let clock = Clock::starting_at(1_000_000, 10.0);
        let gate = Gate::default();
        assert!(gate.check().is_ok(), "nobody holds a lease");
        gate.open_for(&clock, clock.now_ms(), TIME);
        clock.sleep(Duration::from_secs(74)).await;
        assert!(gate.check().is_ok());
        // Renewed by a request that was sent ten seconds ago.
        gate.open_for(&clock, clock.now_ms() - 10_000, TIME);
        clock.sleep(Duration::from_secs(64)).await;
        assert!(gate.check().is_ok());
        clock.sleep(Duration::from_secs(3)).await;
        assert!(gate.check().unwrap_err().to_string().contains("expired 2 s ago"));
        gate.open_for(&clock, clock.now_ms(), TIME);
        assert!(gate.check().is_err(), "what is over does not begin again");
    }

    /// A laptop that was shut: no sleep has become shorter, and it is an hour later.
    #[tokio::test(start_paused = true)]
    async fn a_machine_that_slept_is_late() {
        let clock = Clock::starting_at(1_000_000, 1.0);
        let gate = Gate::default();
        gate.open_for(&clock, clock.now_ms(), TIME);
        clock.suspend(Duration::from_secs(3_600));
        assert!(gate.check().is_err());
    }

    /// The time of day was put back: the real clock's hour is ours to read, and the other has gone on.
    #[tokio::test(start_paused = true)]
    async fn a_clock_that_was_put_back_does_not_lengthen_it() {
        let gate = Gate::default();
        let clock = Clock::real();
        gate.open_for(&clock, clock.now_ms(), TIME);
        tokio::time::advance(TIME).await;
        assert!(gate.check().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_taken_over_is_said() {
        let gate = Gate::default();
        gate.close("another run has taken over the lease");
        gate.close("and another");
        assert_eq!(gate.check().unwrap_err().to_string(), "not sent: another run has taken over the lease");
    }
}
