//! Runs on one stack exclude each other, by an object in a bucket that all of them know.
//!
//! The object is made where there is none (`If-None-Match: *`) and changed where it is still the one that was read
//! (`If-Match`), so that of any number of runs one is first. Whether a lease has lapsed is judged by S3's clock alone: the
//! time that S3 says it is, less the time at which S3 says the object was written. A holder judges its own by its own clock,
//! from before the request was sent. No two machines' clocks are compared.

use crate::aws::ledger::{Entry, Only, Written};
use crate::aws::{Aws, Class, Failure};
use auroraml_clock::Clock;
use auroraml_core::lease::{HOLDS_SECONDS, LAPSES_SECONDS, Owner, RENEWS_SECONDS, Record, Standing, name};
use auroraml_core::spec::Address;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Tries to be first, where others try at the same time.
const TRIES_MAX: u32 = 20;
/// Milliseconds between two of them: more with each, and not the same for all.
const TRY_MS: u64 = 150;
/// Between two looks at a lease that somebody holds.
const WAIT_POLL: Duration = Duration::from_secs(5);
/// After a renewal that failed.
const RENEW_AGAIN: Duration = Duration::from_secs(3);
/// How long giving a lease back is tried.
const RELEASE_TRIES: u32 = 3;

/// Why there is no lease.
#[derive(Debug)]
pub enum NoLease {
    /// A run has it, and it lapses after so many seconds unless that run renews it.
    Held(Box<Record>, u64),
    /// The bucket cannot be used.
    Aws(Failure),
    /// What is there is no lease.
    Unusable(String),
    /// It was no longer wanted.
    Stopped,
}

/// A lease that this run holds. It is renewed in the background; given up without [`Lease::release`] it lapses by itself, and
/// nothing is changed any more.
#[derive(Debug)]
pub struct Lease {
    shelf: Arc<Shelf>,
    held: watch::Receiver<Held>,
    renewing: JoinHandle<()>,
    was_clean: bool,
}

/// The object, and who writes it.
struct Shelf {
    aws: Arc<Aws>,
    address: Address,
    key: String,
    owner: Owner,
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf")
            .field("address", &self.address)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What is known of a lease that this run holds.
#[derive(Clone, Debug)]
struct Held {
    record: Record,
    etag: String,
    /// Why it is lost, if so.
    lost: Option<String>,
}

impl Lease {
    /// Takes the lease of the stack, and from then on lets requests that change something pass only while it is held. Waits up
    /// to `patience` for another run, unless `stopped` completes. A request that may take the lease is always waited for: what
    /// was taken has to be given back.
    ///
    /// # Errors
    /// When another run has it, the bucket cannot be used, or waiting was stopped.
    pub async fn hold(
        aws: &Arc<Aws>,
        address: &Address,
        owner: Owner,
        patience: Duration,
        waiting: impl Fn(&Record),
        stopped: impl Future<Output = ()>,
    ) -> Result<Lease, NoLease> {
        if let Some(why) = aws.gate().shut() {
            return Err(NoLease::Unusable(format!("this run can no longer change anything: {why}")));
        }
        let key = address.key(&name(&aws.place));
        let shelf = Arc::new(Shelf { aws: aws.clone(), address: address.clone(), key, owner });
        let began = aws.clock.now_ms();
        let mut seen = Unchanged::default();
        let mut told = None;
        let mut stopped = pin!(stopped);
        loop {
            let (record, left) = match shelf.take(&mut seen).await? {
                Taken::Done(held, since) => return Ok(Lease::begin(shelf, *held, since)),
                Taken::Held(record, left) => (record, left),
            };
            let waited = Duration::from_millis(aws.clock.now_ms().saturating_sub(began));
            if waited >= patience {
                return Err(NoLease::Held(record, left));
            }
            if told.replace(record.run.clone()).as_ref() != Some(&record.run) {
                waiting(&record);
            }
            tokio::select! {
                () = aws.clock.sleep(WAIT_POLL.min(patience.saturating_sub(waited))) => {}
                () = &mut stopped => return Err(NoLease::Stopped),
            }
        }
    }

    fn begin(shelf: Arc<Shelf>, held: Held, since: u64) -> Lease {
        let was_clean = held.record.clean;
        shelf.aws.gate().open_for(&shelf.aws.clock, since, Duration::from_secs(HOLDS_SECONDS));
        let (sender, held) = watch::channel(held);
        let renewing = tokio::spawn({
            let shelf = shelf.clone();
            async move { shelf.renew(sender).await }
        });
        Lease { shelf, held, renewing, was_clean }
    }

    /// Whether the run before is known to have done all of what it was to do, so that nothing of it is still on its way.
    pub fn was_clean(&self) -> bool {
        self.was_clean
    }

    /// How often the lease was taken, this time included.
    pub fn fencing(&self) -> u64 {
        self.held.borrow().record.fencing
    }

    /// Completes when the lease is lost, with the reason; never otherwise.
    pub fn lost(&self) -> impl Future<Output = String> + Send + use<> {
        let mut held = self.held.clone();
        async move {
            let lost =
                held.wait_for(|held| held.lost.is_some()).await.ok().and_then(|held| held.lost.clone());
            match lost {
                Some(why) => why,
                None => std::future::pending().await,
            }
        }
    }

    /// Why it is lost, if it is.
    pub fn is_lost(&self) -> Option<String> {
        self.held.borrow().lost.clone().or_else(|| self.shelf.aws.gate().shut())
    }

    /// Gives it back. `clean` says how the run ended; of one that changed nothing that is nothing.
    ///
    /// # Errors
    /// When S3 cannot be asked: the lease lapses by itself then.
    pub async fn release(self, clean: Option<bool>) -> Result<(), Failure> {
        self.renewing.abort();
        if self.is_lost().is_some() {
            return Ok(());
        }
        let Held { record, mut etag, .. } = self.held.borrow().clone();
        // From here on nothing is changed, whatever comes of it.
        self.shelf.aws.gate().close("this run has given its lease back");
        let free = record.freed(&self.shelf.now(0), clean).to_text();
        let mut last = None;
        for attempt in 1..=RELEASE_TRIES {
            match self.shelf.write(&free, Only::IfUnchanged(&etag)).await {
                Ok(Written::Done(_)) => return Ok(()),
                // A renewal that was under way has been made, or another run has taken it over.
                Ok(Written::Lost) => match self.shelf.read().await {
                    Ok(Some(entry)) if self.shelf.is_ours(&entry) => etag = entry.etag,
                    Ok(_) => return Ok(()),
                    Err(failure) => last = Some(failure),
                },
                Ok(Written::Contended) => {}
                Err(failure) => last = Some(failure),
            }
            self.shelf.aws.clock.sleep(Duration::from_millis(TRY_MS * u64::from(attempt))).await;
        }
        last.map_or(Ok(()), Err)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewing.abort();
        self.shelf.aws.gate().close("this run has given its lease up");
    }
}

enum Taken {
    /// With the time at which the request was sent.
    Done(Box<Held>, u64),
    Held(Box<Record>, u64),
}

/// A lease of which S3 does not say how old it is: since when it was seen unchanged.
#[derive(Default)]
struct Unchanged(Option<(String, u64)>);

impl Unchanged {
    /// The age in seconds of what was read, by S3's clock or else as long as it has been the same on ours.
    fn age(&mut self, entry: &Entry, now: u64) -> u64 {
        let since = match &self.0 {
            Some((etag, since)) if *etag == entry.etag => *since,
            _ => now,
        };
        self.0 = Some((entry.etag.clone(), since));
        entry.age.map_or(now.saturating_sub(since) / 1000, |age| age.as_secs())
    }
}

impl Shelf {
    fn clock(&self) -> &Clock {
        &self.aws.clock
    }

    /// The time so many seconds from now.
    fn now(&self, seconds: u64) -> String {
        let at = i64::try_from(self.clock().now_ms() / 1000 + seconds).unwrap_or(i64::MAX);
        jiff::Timestamp::from_second(at).unwrap_or(jiff::Timestamp::MAX).to_string()
    }

    async fn write(&self, text: &str, only: Only<'_>) -> Result<Written, Failure> {
        self.aws.ledger.write(&self.address.bucket, &self.key, text, only).await
    }

    async fn read(&self) -> Result<Option<Entry>, Failure> {
        self.aws.ledger.read(&self.address.bucket, &self.key).await
    }

    /// Is first, or says who is.
    async fn take(&self, seen: &mut Unchanged) -> Result<Taken, NoLease> {
        let mut first_sent = None;
        for attempt in 1..=TRIES_MAX {
            let (entry, denied) = match self.read().await {
                Ok(entry) => (entry, None),
                // Without `s3:ListBucket` S3 does not say that there is none: then this run is the first, or may not read.
                Err(failure) if failure.is(Class::Denied) => (None, Some(failure)),
                Err(failure) => return Err(NoLease::Aws(failure)),
            };
            let last = match &entry {
                Some(entry) => Some(Record::parse(&entry.text).map_err(|why| self.unusable(&why))?),
                None => None,
            };
            if let (Some(last), Some(entry)) = (&last, &entry) {
                match last.standing(seen.age(entry, self.clock().now_ms())) {
                    // The answer to the request that took it was lost.
                    Standing::Held(_) if last.is_of(&self.owner) => {
                        let (record, etag, since) =
                            (last.clone(), entry.etag.clone(), first_sent.unwrap_or_default());
                        return Ok(Taken::Done(Box::new(Held { record, etag, lost: None }), since));
                    }
                    Standing::Held(left) => return Ok(Taken::Held(Box::new(last.clone()), left)),
                    Standing::Free | Standing::Lapsed => {}
                }
            }
            let sent = self.clock().now_ms();
            first_sent = first_sent.or(Some(sent));
            let (now, expires) = (self.now(0), self.now(LAPSES_SECONDS));
            let record = Record::taken(&self.aws.place, &self.owner, last.as_ref(), &now, &expires);
            let only = entry.as_ref().map_or(Only::IfAbsent, |entry| Only::IfUnchanged(&entry.etag));
            match (self.write(&record.to_text(), only).await, denied) {
                (Ok(Written::Done(etag)), _) => {
                    return Ok(Taken::Done(Box::new(Held { record, etag, lost: None }), sent));
                }
                // There is one, and it may not be read.
                (Ok(Written::Lost), Some(denied)) => return Err(NoLease::Aws(denied)),
                (Ok(Written::Lost | Written::Contended), _) => {}
                (Err(failure), _) if failure.is(Class::Ambiguous) && attempt < TRIES_MAX => {}
                (Err(failure), _) => return Err(NoLease::Aws(failure)),
            }
            // Who is called otherwise waits for another time.
            let own = self.owner.run.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
            let pause = TRY_MS * u64::from(attempt) / 2 + own % (TRY_MS * u64::from(attempt));
            self.clock().sleep(Duration::from_millis(pause)).await;
        }
        let why = format!("other runs changed the lease at the same moment, {TRIES_MAX} times in a row");
        Err(NoLease::Aws(Failure::busy("PutObject", why)))
    }

    fn is_ours(&self, entry: &Entry) -> bool {
        Record::parse(&entry.text).is_ok_and(|record| record.is_of(&self.owner))
    }

    fn unusable(&self, why: &str) -> NoLease {
        NoLease::Unusable(format!("s3://{}/{}: {why}", self.address.bucket, self.key))
    }

    /// Renews the lease until it is lost, or until nobody wants it any more.
    async fn renew(&self, held: watch::Sender<Held>) {
        let mut pause = Duration::from_secs(RENEWS_SECONDS);
        let mut unsure: Option<u64> = None;
        loop {
            self.clock().sleep(pause).await;
            // A process that was stopped wakes up here, and must not go on as if nothing had happened.
            if let Some(why) = self.aws.gate().shut() {
                held.send_modify(|held| held.lost = Some(why));
                return;
            }
            let (record, etag) = {
                let held = held.borrow();
                (held.record.renewed(&self.now(0), &self.now(LAPSES_SECONDS)), held.etag.clone())
            };
            let sent = self.clock().now_ms();
            let renewed = match self.write(&record.to_text(), Only::IfUnchanged(&etag)).await {
                Ok(Written::Done(etag)) => Some((etag, sent)),
                Ok(Written::Contended) => None,
                // Somebody has written it since: another run, or this one, whose answer was lost.
                Ok(Written::Lost) => match self.read().await {
                    Ok(Some(entry)) => match Record::parse(&entry.text) {
                        Ok(now) if now.is_of(&self.owner) => Some((entry.etag, unsure.unwrap_or(sent))),
                        now => {
                            let who = now.map(|now| format!(": {} took it at {}", now.owner, now.since));
                            let why =
                                format!("another run took over this run's lease{}", who.unwrap_or_default());
                            return self.lose(&held, why);
                        }
                    },
                    Ok(None) => return self.lose(&held, "this run's lease was deleted".into()),
                    Err(_) => None,
                },
                // Whatever it is may pass while there is time.
                Err(_) => {
                    unsure = unsure.or(Some(sent));
                    None
                }
            };
            pause = match renewed {
                Some((etag, since)) => {
                    unsure = None;
                    let time = Duration::from_secs(HOLDS_SECONDS);
                    self.aws.gate().open_for(self.clock(), since, time);
                    held.send_modify(|held| (held.record, held.etag) = (record, etag));
                    Duration::from_secs(RENEWS_SECONDS)
                }
                None => RENEW_AGAIN,
            };
        }
    }

    fn lose(&self, held: &watch::Sender<Held>, why: String) {
        self.aws.gate().close(why.clone());
        held.send_modify(|held| held.lost = Some(why));
    }
}
