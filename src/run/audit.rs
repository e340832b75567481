//! What was changed, by whom and on whose plan: one line of JSON for each request that changes something.

use crate::aws::ledger::{Only, Written};
use crate::aws::{Aws, Call, Failure};
use auroraml_core::spec::Address;
use serde::Serialize;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Between two writings to the bucket.
const WRITES: Duration = Duration::from_secs(30);
/// Bytes of one object in the bucket: after more, another is begun.
const PART_MAX: usize = 4 << 20;
/// Tries to write the last of it.
const TRIES: u32 = 3;

/// What all lines of a run say.
#[derive(Clone, Debug)]
pub struct Heading {
    /// Tells runs apart.
    pub run: String,
    /// `apply`, `destroy`, …
    pub command: String,
    /// SHA-256 of the plan as it is saved, where there is one.
    pub plan_sha256: Option<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    run: &'a str,
    command: &'a str,
    caller: &'a str,
    account: &'a str,
    region: &'a str,
    stack: &'a str,
    plan_sha256: Option<&'a str>,
    #[serde(flatten)]
    call: &'a Call,
}

/// Where lines go at once, such as a file.
pub type Sink = Box<dyn FnMut(&str) + Send>;

/// The audit of one run.
#[derive(Debug)]
pub struct Audit {
    shelf: Option<(Arc<Shelf>, JoinHandle<()>)>,
}

/// The objects of a run in the bucket.
struct Shelf {
    aws: Arc<Aws>,
    address: Address,
    /// What their names begin with.
    name: String,
    parts: Mutex<Parts>,
    writing: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf")
            .field("address", &self.address)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Parts {
    /// What is not written as it is now: number and text of each object, the one that grows last.
    open: VecDeque<(usize, String)>,
    is_written: bool,
}

impl Parts {
    fn add(&mut self, line: &str) {
        match self.open.back_mut() {
            Some((_, text)) if text.len() + line.len() <= PART_MAX => text.push_str(line),
            last => {
                let number = last.map_or(1, |(number, _)| *number + 1);
                self.open.push_back((number, line.to_string()));
            }
        }
        self.is_written = false;
    }
}

impl Audit {
    /// Begins to write down what is changed, to `sink` and below `address`. Before anything is changed it tries whether the
    /// bucket can be written: a run that was to be audited and is not has not begun.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn begin(
        aws: &Arc<Aws>,
        heading: Heading,
        sink: Option<Sink>,
        address: Option<&Address>,
    ) -> Result<Audit, Failure> {
        if sink.is_none() && address.is_none() {
            return Ok(Audit { shelf: None });
        }
        let shelf = match address {
            Some(address) => Some(Shelf::begin(aws, &heading, address).await?),
            None => None,
        };
        let (place, caller) = (aws.place.clone(), aws.caller.clone());
        let (sink, parts) = (Mutex::new(sink), shelf.clone());
        aws.write_changes_to(Arc::new(move |call: Call| {
            let line = Line {
                time: time(call.at),
                run: &heading.run,
                command: &heading.command,
                caller: &caller,
                account: &place.account,
                region: &place.region,
                stack: &place.stack,
                plan_sha256: heading.plan_sha256.as_deref(),
                call: &call,
            };
            // Plain data: writing it cannot fail.
            let mut text = serde_json::to_string(&line).unwrap_or_default();
            text.push('\n');
            if let Some(sink) = sink.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
                sink(&text);
            }
            if let Some(shelf) = &parts {
                shelf.parts.lock().unwrap_or_else(PoisonError::into_inner).add(&text);
            }
        }));
        let shelf = shelf.map(|shelf| {
            let writing = tokio::spawn({
                let shelf = shelf.clone();
                async move {
                    loop {
                        shelf.aws.clock.sleep(WRITES).await;
                        // What fails now is tried again, and told at the end if it fails then.
                        let _ = shelf.write().await;
                    }
                }
            });
            (shelf, writing)
        });
        Ok(Audit { shelf })
    }

    /// Where it is in the bucket.
    pub fn place(&self) -> Option<String> {
        let (shelf, _) = self.shelf.as_ref()?;
        Some(format!("s3://{}/{}.jsonl", shelf.address.bucket, shelf.address.key(&shelf.name)))
    }

    /// Writes the last of it.
    ///
    /// # Errors
    /// When the bucket does not have all of it.
    pub async fn end(self) -> Result<(), Failure> {
        let Some((shelf, writing)) = &self.shelf else { return Ok(()) };
        let mut last = Ok(());
        for attempt in 1..=TRIES {
            last = shelf.write().await;
            if last.is_ok() || attempt == TRIES {
                break;
            }
            shelf.aws.clock.sleep(Duration::from_secs(u64::from(attempt))).await;
        }
        writing.abort();
        last
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        if let Some((_, writing)) = &self.shelf {
            writing.abort();
        }
    }
}

impl Shelf {
    async fn begin(aws: &Arc<Aws>, heading: &Heading, address: &Address) -> Result<Arc<Shelf>, Failure> {
        let now = time(aws.clock.now_ms());
        let compact: String = now.chars().filter(char::is_ascii_alphanumeric).collect();
        let place = &aws.place;
        let name = format!(
            "{}/{}/{}/{compact}-{}-{}",
            place.account,
            place.region,
            place.stack,
            heading.command.replace(' ', "-"),
            heading.run
        );
        let shelf = Shelf {
            aws: aws.clone(),
            address: address.clone(),
            name,
            parts: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        };
        shelf.put(1, "").await?;
        Ok(Arc::new(shelf))
    }

    async fn put(&self, number: usize, text: &str) -> Result<(), Failure> {
        let part = if number == 1 { String::new() } else { format!("-{number}") };
        let key = self.address.key(&format!("{}{part}.jsonl", self.name));
        match self.aws.ledger.write(&self.address.bucket, &key, text, Only::Always).await? {
            Written::Done(_) => Ok(()),
            Written::Lost | Written::Contended => {
                Err(Failure::busy("PutObject", "another run writes the same object"))
            }
        }
    }

    /// Writes what has changed since the last time. An object is written as a whole: S3 appends nothing.
    async fn write(&self) -> Result<(), Failure> {
        let _one_at_a_time = self.writing.lock().await;
        loop {
            let (number, text, is_last) = {
                let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
                let Some((number, text)) = parts.open.front().filter(|_| !parts.is_written) else {
                    return Ok(());
                };
                (*number, text.clone(), parts.open.len() == 1)
            };
            self.put(number, &text).await?;
            let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
            let grew = parts.open.front().is_some_and(|(_, now)| now.len() > text.len());
            match (is_last && parts.open.len() == 1, grew) {
                // Another line has come meanwhile: the next time writes it.
                (true, grew) => {
                    parts.is_written = !grew;
                    return Ok(());
                }
                (false, true) => {}
                (false, false) => drop(parts.open.pop_front()),
            }
        }
    }
}

/// RFC 3339, to the millisecond.
fn time(at: u64) -> String {
    let at = i64::try_from(at).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    at.unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
