//! The one clock of a run: the time of day, and sleep.
//!
//! Everything that waits or asks the time uses a [`Clock`], so that a test can run on tokio's paused
//! clock and `--sandbox-speed` can let a simulated hour pass in seconds. Against real AWS the scale is 1, and the time
//! of day is read each time: tokio's clock stands still while a laptop sleeps, and a restart window does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Tells the time in milliseconds since the Unix epoch, and sleeps. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct Clock(Time);

#[derive(Clone, Debug)]
enum Time {
    /// That of the machine.
    Real,
    /// Tokio's, from an origin on.
    Simulated {
        origin: Instant,
        epoch_ms: u64,
        speed: f64,
        /// How long the machine has slept.
        slept_ms: Arc<AtomicU64>,
    },
}

impl Clock {
    /// A clock that shows `epoch_ms` (milliseconds since the Unix epoch) now and runs at `speed` times
    /// tokio's clock. Must be called inside a tokio runtime.
    pub fn starting_at(epoch_ms: u64, speed: f64) -> Clock {
        assert!(speed.is_finite() && speed > 0.0, "a clock runs forwards");
        Clock(Time::Simulated { origin: Instant::now(), epoch_ms, speed, slept_ms: Arc::default() })
    }

    /// The real time of day at normal speed.
    pub fn real() -> Clock {
        Clock(Time::Real)
    }

    /// Milliseconds since the Unix epoch.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
    pub fn now_ms(&self) -> u64 {
        match &self.0 {
            Time::Real => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
            }
            Time::Simulated { origin, epoch_ms, speed, slept_ms } => {
                let elapsed = origin.elapsed().as_secs_f64() * speed * 1000.0;
                epoch_ms + elapsed as u64 + slept_ms.load(Ordering::Relaxed)
            }
        }
    }

    /// How many of its seconds pass in a second.
    pub fn speed(&self) -> f64 {
        match &self.0 {
            Time::Real => 1.0,
            Time::Simulated { speed, .. } => *speed,
        }
    }

    pub fn system_time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.now_ms())
    }

    /// As if the machine had slept: it is later, and no sleep has become shorter. A real clock does that by itself.
    pub fn suspend(&self, duration: Duration) {
        if let Time::Simulated { slept_ms, .. } = &self.0 {
            slept_ms.fetch_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// Sleeps for `duration` of this clock's time.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that sleeps")]
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration.div_f64(self.speed())).await;
    }
}
