//! The lease of a run that changes something, and what is written down of it.

use super::args::{Global, SandboxAt};
use super::audit;
use super::exit::{Error, Exit, Trouble};
use super::lock::{Attempt, Lock};
use super::printer::Printer;
use super::session::Session;
use super::signals::Interrupts;
use auroraml::run::lease::{Lease, NoLease};
use auroraml_clock::Clock;
use auroraml_core::base::names::short_hash;
use auroraml_core::lease::{Owner, Record, name};
use auroraml_core::render::plain;
use auroraml_core::spec::Address;
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Between two looks at a lock that another process has.
const WAIT_POLL: Duration = Duration::from_secs(1);

/// The end of a run that was interrupted before it had changed anything.
pub const INTERRUPTED: &str = "nothing was changed: interrupted";

/// Characters of the name of whoever has a lease.
const NAME_MAX: usize = 200;

/// Who else may work on the stack, and what is written down.
#[derive(Clone, Debug, Default, Args)]
pub struct Together {
    /// Where to keep the lease that keeps other runs out: s3://BUCKET/PREFIX, a file, or none [default: `lease` in the spec,
    /// else a file in your home folder].
    #[arg(long, value_name = "s3://…|FILE|none", help_heading = "Other runs")]
    pub lease: Option<LeaseAt>,
    /// How long to wait for another run of this stack, such as 90s or 10m [default: do not wait].
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = "Other runs")]
    pub wait_for_lease: Option<Duration>,
    /// Append each request that changes something to FILE, one line each.
    #[arg(long, value_name = "FILE", help_heading = "Other runs")]
    pub audit: Option<PathBuf>,
}

/// Where a lease is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseAt {
    Nowhere,
    Bucket(Address),
    File(PathBuf),
}

impl FromStr for LeaseAt {
    type Err = String;
    fn from_str(text: &str) -> Result<LeaseAt, String> {
        match text {
            "none" => Ok(LeaseAt::Nowhere),
            text if text.starts_with("s3:") => Address::parse(text).map(LeaseAt::Bucket),
            text if text.contains("://") || text.is_empty() => {
                Err("write s3://BUCKET/PREFIX or a file".into())
            }
            text => Ok(LeaseAt::File(text.into())),
        }
    }
}

impl Together {
    /// The flags that were given.
    pub fn words(&self) -> Vec<String> {
        let Together { lease, wait_for_lease, audit } = self;
        let mut words = Vec::new();
        match lease {
            None => {}
            Some(LeaseAt::Nowhere) => words.extend(["--lease".into(), "none".into()]),
            Some(LeaseAt::Bucket(address)) => words.extend(["--lease".into(), address.to_string()]),
            Some(LeaseAt::File(file)) => words.extend(["--lease".into(), file.display().to_string()]),
        }
        let wait = wait_for_lease.map(|time| format!("{}s", time.as_secs()));
        words.extend(wait.into_iter().flat_map(|time| ["--wait-for-lease".into(), time]));
        words.extend(super::hint::path("--audit", audit.as_deref()));
        words
    }
}

/// `90s`, `10m`, `2h`
fn parse_time(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        _ => (text, 0),
    };
    match number.parse::<u32>() {
        Ok(number) if unit > 0 => Ok(Duration::from_secs(u64::from(number) * unit)),
        _ => Err("write a time such as 90s, 10m or 2h".into()),
    }
}

/// What a run holds while it changes something, and what tells of it.
#[derive(Debug)]
pub struct Held {
    lease: Which,
    /// Since before the lease was asked for: a run that is ended at any moment gives it back. Of a lease that ends with the
    /// process there is none, and the process ends as any other does.
    interrupts: Option<Interrupts>,
    audit: Option<auroraml::run::audit::Audit>,
    /// Whether the run has begun to change something: from then on it ends in its own way.
    has_begun: Arc<AtomicBool>,
    owner: Owner,
    clock: Clock,
}

#[derive(Debug)]
enum Which {
    None,
    Bucket(Box<Lease>),
    File { lock: Box<Lock>, is_told: bool },
}

/// Takes the lease of the session's stack for a command that changes something. Given back with [`Held::end`].
///
/// # Errors
/// When another run has it (exit code 4), or where it is kept cannot be used. Nothing was changed then.
pub async fn hold(
    session: &mut Session,
    global: &Global,
    together: &Together,
    command: &str,
    printer: &Printer,
) -> Result<Held, Error> {
    if session.is_one_of_many() {
        // A lease is one stack's.
        session.stack.aws = Arc::new(session.stack.aws.of_its_own());
    }
    let owner = owner(session, command);
    let mut interrupts = None;
    let lease = match place(session, global, together)? {
        None => Which::None,
        Some(Kept { at: LeaseAt::Bucket(address), .. }) => {
            let listening = interrupts.insert(Interrupts::listen()).clone();
            let lease = in_bucket(session, &address, &owner, together, listening, printer).await?;
            Which::Bucket(Box::new(lease))
        }
        Some(Kept { at: LeaseAt::File(file), is_told }) => {
            in_file(session, &file, is_told, &owner, together, printer).await?
        }
        Some(Kept { at: LeaseAt::Nowhere, .. }) => Which::None,
    };
    let clock = session.stack.aws.clock.clone();
    let held = Held { lease, interrupts, audit: None, has_begun: Arc::default(), owner, clock };
    session.stack.is_quiet = held.is_quiet();
    Ok(held)
}

/// The same for a command that has no plan: what it changes is written down from the beginning.
///
/// # Errors
/// As of [`hold`], and when nothing can be written down.
pub async fn begin(
    session: &mut Session,
    global: &Global,
    together: &Together,
    command: &str,
    printer: &Printer,
) -> Result<Held, Error> {
    let mut held = hold(session, global, together, command, printer).await?;
    match held.write_down(session, together, None).await {
        Ok(()) => Ok(held),
        Err(error) => {
            held.end(session, Err(error), printer).await.and_then(|_| Err(Error::said(Exit::Error)))
        }
    }
}

/// Where a lease is kept, and whether somebody has said so.
struct Kept {
    at: LeaseAt,
    is_told: bool,
}

fn place(session: &Session, global: &Global, together: &Together) -> Result<Option<Kept>, Error> {
    let spec = &session.stack.spec;
    let told = match (&together.lease, &spec.lease) {
        (Some(at), _) => Some(at.clone()),
        // The spec was checked when it was read.
        (None, Some(text)) => Some(LeaseAt::Bucket(Address::parse(text).map_err(|wrong| {
            Error::new("lease", format!("invalid S3 address `{text}`: {wrong}"), "write s3://BUCKET/PREFIX")
        })?)),
        (None, None) => None,
    };
    if let Some(LeaseAt::Bucket(address)) = &told {
        not_our_own(session, "lease", address)?;
    }
    // Of several stacks each has its own.
    let told = told.map(|at| match at {
        LeaseAt::File(file) if session.is_one_of_many() => {
            let place = &session.stack.aws.place;
            LeaseAt::File(format!("{}.{}.{}", file.display(), place.stack, place.region).into())
        }
        at => at,
    });
    if let Some(at) = told {
        return Ok(Some(Kept { at, is_told: true }));
    }
    // A sandbox file is locked as a whole while it is used.
    if let Some(SandboxAt::File(_)) = global.sandbox {
        return Ok(None);
    }
    let file = state_folder().map(|folder| {
        // Simulators all have the same account.
        let host: String = session
            .stack
            .aws
            .endpoint
            .iter()
            .flat_map(|endpoint| endpoint.chars())
            .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
            .collect();
        let folder = folder.join("leases");
        let folder = if host.is_empty() { folder } else { folder.join(host) };
        folder.join(name(&session.stack.aws.place))
    });
    Ok(file.map(|file| Kept { at: LeaseAt::File(file), is_told: false }))
}

/// What outlives the stack must not lie in what goes with it.
fn not_our_own(session: &Session, what: &str, address: &Address) -> Result<(), Error> {
    let stack = &session.stack;
    if stack.spec.bucket.is_some() && stack.aws.bucket() == address.bucket {
        let why = format!("{address} is in the stack's own bucket, which is deleted with the stack");
        return Err(Error::new(what, why, "use another bucket"));
    }
    Ok(())
}

async fn in_bucket(
    session: &Session,
    address: &Address,
    owner: &Owner,
    together: &Together,
    mut interrupts: Interrupts,
    printer: &Printer,
) -> Result<Lease, Error> {
    let aws = &session.stack.aws;
    let patience = together.wait_for_lease.unwrap_or_default();
    let waiting = |record: &Record| printer.talk(&format!("Waiting for {}.\n", who(record)));
    let failed = |why: String, help: String| Error::new("lease", format!("nothing was changed: {why}"), help);
    let stopped = interrupts.clone();
    let mut taking = pin!(Lease::hold(aws, address, owner.clone(), patience, waiting, async move {
        let mut stopped = stopped;
        stopped.next().await;
    }));
    let taken = tokio::select! {
        taken = &mut taking => taken,
        // The second time, whatever is under way.
        () = async { interrupts.next().await; interrupts.next().await } => Err(NoLease::Stopped),
    };
    taken.map_err(|why| match why {
        NoLease::Stopped => Error::plain(INTERRUPTED),
        NoLease::Held(record, left) => held_by(&record, &format!("its lease expires in {left} s")),
        NoLease::Aws(failure) if failure.code == "NoSuchBucket" => failed(
            format!("the bucket {} does not exist", address.bucket),
            "create it, or name another one in `lease` in the spec".into(),
        ),
        NoLease::Aws(failure) => failed(
            format!("cannot use {address}: {failure}"),
            format!("allow s3:GetObject and s3:PutObject on {address}/*"),
        ),
        NoLease::Unusable(why) => {
            failed(why, "choose another prefix, or remove the object if nobody needs it".into())
        }
    })
}

async fn in_file(
    session: &Session,
    file: &Path,
    is_told: bool,
    owner: &Owner,
    together: &Together,
    printer: &Printer,
) -> Result<Which, Error> {
    let clock = &session.stack.aws.clock;
    let (began, patience) = (clock.now_ms(), together.wait_for_lease.unwrap_or_default());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut told = false;
    loop {
        // Only the folders of our own are made.
        let made = match folder.filter(|_| !is_told) {
            Some(folder) => fs::create_dir_all(folder),
            None => Ok(()),
        };
        let now = super::time(clock.now_ms());
        let taken = |last: Option<&Record>| {
            Record::taken(&session.stack.aws.place, owner, last, &now, "when its process ends")
        };
        let holder = match made.and_then(|()| Lock::take(file, taken)) {
            Ok(Attempt::Done(lock)) => return Ok(Which::File { lock, is_told }),
            Ok(Attempt::Held(holder)) => holder,
            Err(error) if is_told => {
                let why = format!("nothing was changed: cannot use {}: {error}", file.display());
                return Err(Error::new("lease", why, "choose another file"));
            }
            // Where nobody asked for one, its absence is no obstacle.
            Err(error) => {
                printer.say(&format!(
                    "warning: no lease, because {} cannot be used ({error}): other runs on this machine are not kept out\n",
                    file.display()
                ));
                return Ok(Which::None);
            }
        };
        let waited = Duration::from_millis(clock.now_ms().saturating_sub(began));
        if waited >= patience {
            return Err(match holder {
                Some(record) => held_by(&record, "the lock ends when its process does"),
                None => Error::new(
                    "lease",
                    format!("nothing was changed: another process holds {}", file.display()),
                    "wait for it: --wait-for-lease 10m",
                )
                .with(Exit::Held),
            });
        }
        if let (Some(record), false) = (&holder, told) {
            printer.talk(&format!("Waiting for {}.\n", who(record)));
            told = true;
        }
        clock.sleep(WAIT_POLL.min(patience.saturating_sub(waited))).await;
    }
}

/// `apply by ci@runner, process 7, since 2026-11-22T06:00:00Z`
fn who(record: &Record) -> String {
    let Record { owner, command, since, stack, .. } = record;
    plain::line(&format!("{command} of {stack} by {owner}, since {since}"))
}

fn held_by(record: &Record, ends: &str) -> Error {
    let why = format!("nothing was changed: another run is active: {}", who(record));
    let help = format!("wait for it with --wait-for-lease 10m; if that run is dead, {ends}");
    Error::new("lease", why, help).with(Exit::Held)
}

impl Held {
    /// Whether it is known that no earlier run has left anything on its way. A file that nobody named says nothing of runs
    /// on other machines.
    fn is_quiet(&self) -> bool {
        match &self.lease {
            Which::None => false,
            Which::Bucket(lease) => lease.was_clean(),
            Which::File { lock, is_told } => *is_told && lock.was_clean(),
        }
    }

    /// Begins to write down what is changed, if that was asked for.
    ///
    /// # Errors
    /// When it cannot be written: nothing was changed then.
    pub async fn write_down(
        &mut self,
        session: &Session,
        together: &Together,
        plan_sha256: Option<String>,
    ) -> Result<(), Error> {
        if let Some(text) = &session.stack.spec.audit
            && let Ok(address) = Address::parse(text)
        {
            not_our_own(session, "audit", &address)?;
        }
        self.has_begun.store(true, Ordering::Relaxed);
        self.audit = Some(audit::begin(session, together.audit.as_deref(), &self.owner, plan_sha256).await?);
        Ok(())
    }

    /// Completes when somebody ends a run by Ctrl-C that has not begun: what it holds in a bucket is to be given back.
    pub fn interrupted(&self) -> impl Future<Output = ()> + Send + use<> {
        let has_begun = self.has_begun.clone();
        let interrupts = self.interrupts.clone();
        async move {
            let Some(mut interrupts) = interrupts else { return std::future::pending().await };
            loop {
                interrupts.next().await;
                if !has_begun.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    }

    /// Listens for whoever ends a run that has begun, from before it began.
    pub fn interrupts(&self) -> Interrupts {
        self.interrupts.clone().unwrap_or_else(Interrupts::listen)
    }

    /// Completes when the lease is lost; never otherwise.
    pub fn lost(&self) -> impl Future<Output = ()> + Send + use<> {
        let lost = match &self.lease {
            Which::Bucket(lease) => Some(lease.lost()),
            Which::None | Which::File { .. } => None,
        };
        async move {
            match lost {
                Some(lost) => drop(lost.await),
                None => std::future::pending().await,
            }
        }
    }

    /// Ends a run with this result: gives the lease back, and says if it was lost.
    pub async fn end(
        self,
        session: &Session,
        result: Result<Exit, Error>,
        printer: &Printer,
    ) -> Result<Exit, Error> {
        if let Some(audit) = self.audit {
            audit::end(audit, printer).await;
        }
        let clean = (session.stack.aws.changes_sent() > 0).then_some(matches!(result, Ok(Exit::Done)));
        let now = super::time(self.clock.now_ms());
        let lost = match &self.lease {
            Which::Bucket(lease) => lease.is_lost(),
            Which::None | Which::File { .. } => None,
        };
        let released = match self.lease {
            Which::None => Ok(()),
            Which::Bucket(lease) => lease.release(clean).await.map_err(|failure| failure.to_string()),
            Which::File { lock, .. } => lock.release(&now, clean).map_err(|error| error.to_string()),
        };
        if let Err(why) = released {
            printer.say(&format!(
                "warning: could not give the lease back; it expires by itself: {}\n",
                plain::line(&why)
            ));
        }
        match (result, lost) {
            (Err(mut error), Some(why)) => {
                let help = "wait for the other run, then run the same command again";
                let trouble = Trouble { object: Some("lease".into()), why, help: Some(help.into()) };
                error.troubles.push(trouble);
                Err(Error { exit: if clean.is_some() { Exit::Incomplete } else { error.exit }, ..error })
            }
            (result, _) => result,
        }
    }
}

/// Who runs this, for people who have to find him.
fn owner(session: &Session, command: &str) -> Owner {
    let name = super::host::who();
    let name: String = name.chars().take(NAME_MAX).collect();
    let place = &session.stack.aws.place;
    let told = format!(
        "{name}\0{}\0{}\0{}",
        session.stack.aws.clock.now_ms(),
        place.stack,
        session.stack.aws.caller
    );
    let run = format!("{}{}", short_hash(told.as_bytes()), short_hash(format!("{told}\0").as_bytes()));
    Owner { name, run, command: command.into() }
}

/// The folder in which programs keep what outlasts them (XDG Base Directory Specification; on Windows AppData).
fn state_folder() -> Option<PathBuf> {
    let folder = |name: &str| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let home = || folder("HOME").map(|home| home.join(".local").join("state"));
    folder("XDG_STATE_HOME")
        .or_else(|| folder("LOCALAPPDATA"))
        .or_else(home)
        .map(|state| state.join("auroraml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_lease_may_be() {
        let parsed = |text: &str| text.parse::<LeaseAt>();
        assert_eq!(parsed("none"), Ok(LeaseAt::Nowhere));
        assert!(matches!(parsed("s3://operations/auroraml"), Ok(LeaseAt::Bucket(_))));
        assert_eq!(parsed("./none"), Ok(LeaseAt::File("./none".into())));
        for wrong in ["s3://X", "s3:/x", "https://x", ""] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_time("10m"), Ok(Duration::from_secs(600)));
        for wrong in ["10", "m", "-1s", "1d", ""] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }
}
