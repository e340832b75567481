//! The one clock of a run: tokio's clock, mapped to the time of day, optionally scaled.
//!
//! Everything that waits or asks the time uses a [`Clock`], so that a test can run on tokio's paused
//! clock and `--sandbox-speed` can let a simulated hour pass in seconds. Against real AWS the scale is 1.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Maps tokio's clock to milliseconds since the Unix epoch.
#[derive(Clone, Debug)]
pub struct Clock {
    origin: Instant,
    epoch_ms: u64,
    speed: f64,
}

impl Clock {
    /// A clock that shows `epoch_ms` (milliseconds since the Unix epoch) now and runs at `speed` times
    /// tokio's clock. Must be called inside a tokio runtime.
    pub fn starting_at(epoch_ms: u64, speed: f64) -> Clock {
        assert!(speed.is_finite() && speed > 0.0, "a clock runs forwards");
        Clock { origin: Instant::now(), epoch_ms, speed }
    }

    /// The real time of day at normal speed.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
    pub fn real() -> Clock {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock::starting_at(u64::try_from(now.as_millis()).unwrap_or(u64::MAX), 1.0)
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        let elapsed = self.origin.elapsed().as_secs_f64() * self.speed * 1000.0;
        self.epoch_ms + elapsed as u64
    }

    /// How many of its seconds pass in a second.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    pub fn system_time(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.now_ms())
    }

    /// Sleeps for `duration` of this clock's time.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that sleeps")]
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration.div_f64(self.speed)).await;
    }
}
