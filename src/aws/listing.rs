//! Listings shared by all who need the same one at the same time.
//!
//! Many resources wait on one cluster; a describe for each of them would be throttled and would tell
//! nothing more (fact book, section 7.1).

use super::{Class, Failure};
use auroraml_clock::Clock;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

type Cell<T> = tokio::sync::Mutex<Option<(u64, Arc<T>)>>;

/// The latest answer to each listing request, with the time when it was asked (milliseconds since the Unix
/// epoch, on the run's clock).
#[derive(Default)]
pub struct Listings {
    cells: Mutex<HashMap<(String, TypeId), Arc<dyn Any + Send + Sync>>>,
}

impl Listings {
    /// The latest answer, if it was asked for at or after `as_of`; otherwise asks once for all callers.
    ///
    /// # Errors
    /// Those of `fetch`; an error is not kept.
    pub async fn get<T, F>(&self, name: &str, as_of: u64, clock: &Clock, fetch: F) -> Result<Arc<T>, Failure>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T, Failure>>,
    {
        let cell = {
            let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            let cell = cells
                .entry((name.to_string(), TypeId::of::<T>()))
                .or_insert_with(|| Arc::new(Cell::<T>::new(None)))
                .clone();
            cell.downcast::<Cell<T>>().unwrap_or_else(|_| unreachable!("the key holds the type"))
        };
        // Held while fetching: whoever comes meanwhile gets the answer that is on its way.
        let mut slot = cell.lock().await;
        if let Some((asked, answer)) = slot.as_ref()
            && *asked >= as_of
        {
            return Ok(answer.clone());
        }
        let asked = clock.now_ms();
        let answer = Arc::new(fetch.await?);
        *slot = Some((asked, answer.clone()));
        Ok(answer)
    }
}

/// Listings of everything of an account and region, for all stacks that one process looks at: they grow with pages,
/// and not with stacks. A stack that is being changed asks for its own.
#[derive(Default)]
pub struct Together(Listings);

/// How old, in milliseconds, a listing for all may be when a stack is looked at: about as long as EC2's own listings
/// lag (fact book, section 5.3), and long enough to look at a few dozen stacks.
const TOGETHER_MS: u64 = 60_000;

impl Together {
    pub(super) async fn get<T, F>(
        &self,
        name: &str,
        as_of: u64,
        clock: &Clock,
        fetch: F,
    ) -> Result<Option<Arc<T>>, Failure>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T, Failure>>,
    {
        let fetch = async {
            match fetch.await {
                Ok(all) => Ok(Some(Arc::new(all))),
                // Who may see one stack's objects only is asked for them.
                Err(failure) if failure.is(Class::Denied) => Ok(None),
                Err(failure) => Err(failure),
            }
        };
        let answer = self.0.get(name, as_of.saturating_sub(TOGETHER_MS), clock, fetch).await?;
        Ok((*answer).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn one_request_serves_all_and_old_answers_do_not() {
        let listings = Listings::default();
        let clock = Clock::starting_at(1_000, 1.0);
        let asked = AtomicUsize::new(0);
        let fetch = || async {
            clock.sleep(Duration::from_secs(1)).await;
            Ok(asked.fetch_add(1, Ordering::Relaxed))
        };
        let (a, b) = tokio::join!(
            listings.get("x", 1_000, &clock, fetch()),
            listings.get("x", 1_000, &clock, fetch())
        );
        assert_eq!((*a.unwrap(), *b.unwrap()), (0, 0));
        assert_eq!(*listings.get("x", clock.now_ms(), &clock, fetch()).await.unwrap(), 1);
        assert_eq!(*listings.get("y", 1_000, &clock, fetch()).await.unwrap(), 2, "another listing");
    }
}
