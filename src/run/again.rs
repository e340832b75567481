//! How looks are repeated: more slowly where AWS is slow to answer, and until what refuses them has passed.

use super::reconcile::PrepareError;
use crate::aws::{Class, Failure, Stop};
use auroraml_clock::Clock;
use auroraml_core::events::{Event, Listener};
use std::time::Duration;

/// The longest pause because looks take long, in seconds.
const REST_MAX_SECONDS: u64 = 60;
/// Seconds between two looks at everything.
const REPEAT_SECONDS: u64 = 10;

/// The least pause after a look that took so many seconds. A look that is throttled takes long, and many looks at a time
/// are what is throttled: whoever looks rests as long as the look took.
pub(super) fn rest(looked_for_seconds: u64) -> Duration {
    Duration::from_secs(looked_for_seconds.min(REST_MAX_SECONDS))
}

/// Completes when the run is to stop; never, when nobody can say so any more.
pub(super) async fn stopped(stop: &Stop) {
    if stop.clone().wait_for(|stop| *stop).await.is_err() {
        std::future::pending().await
    }
}

/// Looks until a look succeeds or something else than a passing failure is in its way. Without it a run that has done
/// everything would end in an error because its last look was throttled.
pub(super) async fn until_seen<T, F>(
    clock: &Clock,
    stop: &Stop,
    listener: &dyn Listener,
    mut look: impl FnMut() -> F,
) -> Result<T, PrepareError>
where
    F: Future<Output = Result<T, PrepareError>>,
{
    let began = clock.now_ms();
    loop {
        let failure = match look().await {
            Err(PrepareError::Aws(failure)) if passes(&failure) => failure,
            other => return other,
        };
        let waited = Duration::from_millis(clock.now_ms().saturating_sub(began));
        if waited >= failure.class.patience() || *stop.borrow() {
            return Err(PrepareError::Aws(failure));
        }
        let text = format!("{failure}; looking again in {REPEAT_SECONDS} s");
        listener.tell(clock.now_ms(), &Event::Note { text });
        tokio::select! {
            () = clock.sleep(Duration::from_secs(REPEAT_SECONDS)) => {}
            () = stopped(stop) => {}
        }
    }
}

fn passes(failure: &Failure) -> bool {
    matches!(failure.class, Class::Throttled | Class::Ambiguous)
}

#[cfg(test)]
mod tests {
    use super::*;
    use auroraml_core::events::Silent;

    #[test]
    fn whoever_looks_rests_and_not_for_ever() {
        assert_eq!(rest(0), Duration::ZERO);
        assert_eq!(rest(17), Duration::from_secs(17));
        assert_eq!(rest(900), Duration::from_secs(REST_MAX_SECONDS));
    }

    /// After how many seconds the looks end, and whether they ended well, when each is refused for this reason until
    /// `passes`, and the order to stop comes at `stops`.
    async fn looked(class: Class, passes: u64, stops: u64) -> (u64, bool) {
        let clock = Clock::starting_at(1_000, 1.0);
        let (order, stop) = tokio::sync::watch::channel(false);
        let seconds = || clock.now_ms() / 1000 - 1;
        let look = || async {
            match seconds() < passes {
                true => Err(Failure { class, ..Failure::refused("DescribeThings", "not now") }.into()),
                false => Ok(()),
            }
        };
        let person = async {
            clock.sleep(Duration::from_secs(stops)).await;
            order.send(true).unwrap();
            std::future::pending::<()>().await;
        };
        let ended = tokio::select! {
            ended = until_seen(&clock, &stop, &Silent, look) => ended,
            () = person => unreachable!(),
        };
        (seconds(), ended.is_ok())
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_is_repeated_while_what_refuses_it_may_pass() {
        const NEVER: u64 = 1_000_000;
        assert_eq!(looked(Class::Throttled, 0, NEVER).await, (0, true));
        assert_eq!(looked(Class::Throttled, 95, NEVER).await, (100, true));
        assert_eq!(looked(Class::Ambiguous, 595, NEVER).await, (600, true));
        assert_eq!(looked(Class::Ambiguous, 605, NEVER).await, (600, false), "ten minutes of patience");
        assert_eq!(looked(Class::Denied, 5, NEVER).await, (0, false), "it will not pass");
        assert_eq!(looked(Class::Busy, 5, NEVER).await, (0, false), "a look waits for nothing else");
        assert_eq!(looked(Class::Throttled, NEVER, 34).await, (34, false), "somebody wants to go");
    }
}
