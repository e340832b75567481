//! One cluster's database: its data, the transactions that are open, and the statements that go on after their caller
//! was told that they take too long.
//!
//! A transaction works on data of its own. When it commits and nobody else has changed anything, its data take the place
//! of the others; else its statements are carried out again on what is there now. Locks, and so deadlocks and waits for
//! locks, are not modelled.
//!
//! Facts: Aurora User Guide, "Calling RDS Data API": a transaction ends by itself when no call uses it for three minutes
//! and after 24 hours; definitions commit implicitly; a call ends after 45 seconds.

use super::catalog::{Catalog, account, parts};
use super::engine::{Control, Data, Outcome, Run, only_looks, run};
use super::errors::SqlError;
use super::rows::Rows;
use super::session::{Outside, Parameters, Session};
use crate::s3::Content;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

const IDLE_MS: u64 = 3 * 60_000;
const LIFE_MS: u64 = 24 * 3_600_000;
const STATEMENT_SECONDS_MAX: f64 = 45.0;
/// Statements of a transaction that are kept, to be carried out again.
const JOURNAL_MAX: usize = 10_000;
const TRANSACTIONS_MAX: usize = 100;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Server {
    /// Nothing until somebody changes something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<Data>,
    /// Counts the changes.
    #[serde(default)]
    version: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    transactions: BTreeMap<String, Transaction>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    running: Vec<Running>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Transaction {
    work: Work,
    /// Milliseconds since the Unix epoch.
    began: u64,
    used: u64,
}

/// Statements on data of their own.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Work {
    data: Data,
    session: Session,
    /// The version of the server that the data began as.
    base: u64,
    journal: Vec<Done>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Done {
    sql: String,
    parameters: Parameters,
    at: u64,
    seed: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Running {
    began: u64,
    until: u64,
    work: Work,
}

/// Who comes, and to which server.
pub(crate) struct Entry<'a> {
    pub user: &'a str,
    /// Of the account that lets the user in.
    pub host: String,
    pub master: &'a str,
    /// The database that the cluster was made with.
    pub initial: Option<&'a str>,
    pub variables: Arc<BTreeMap<String, String>>,
}

/// A statement and how it is asked for.
pub(crate) struct Asked<'a> {
    pub sql: &'a str,
    pub parameters: &'a Parameters,
    pub database: Option<&'a str>,
    pub transaction: Option<&'a str>,
    pub continues: bool,
    pub now: u64,
    pub seed: u64,
}

pub(crate) enum Answer {
    Done(Outcome),
    /// It takes longer than a call may.
    TooLong,
    /// There is no such transaction.
    NoTransaction,
    Failed(SqlError),
}

impl Server {
    /// Whether anything was ever changed.
    pub fn is_new(&self) -> bool {
        self.data.is_none() && self.transactions.is_empty() && self.running.is_empty()
    }

    /// The rows' images, for whoever keeps large contents elsewhere.
    pub(crate) fn images_mut(&mut self) -> impl Iterator<Item = &mut Content> {
        let open = self.transactions.values_mut().map(|transaction| &mut transaction.work.data);
        let running = self.running.iter_mut().map(|running| &mut running.work.data);
        self.data.iter_mut().chain(open).chain(running).filter_map(|data| data.rows.image_mut())
    }

    fn data(&self, entry: &Entry<'_>) -> Data {
        self.data.clone().unwrap_or_else(|| Data {
            catalog: Arc::new(Catalog::new(entry.master, entry.initial)),
            rows: Rows::default(),
        })
    }

    /// The host of the account that lets the user in. `known` is the master user's password, hashed, where it is known.
    pub(crate) fn login(
        &self,
        master: &str,
        user: &str,
        password: &str,
        known: Option<&str>,
    ) -> Option<String> {
        let given = super::hashed(password);
        let found = match &self.data {
            Some(data) => data.catalog.accounts.clone(),
            None => Catalog::new(master, None).accounts,
        };
        found.iter().find_map(|(key, account)| {
            let (name, host) = parts(key);
            // The Data API's own machines connect; `localhost` is none of them.
            if name != user || account.is_role || !host.contains('%') {
                return None;
            }
            let expected = account.password.as_deref().or(if user == master { known } else { Some("") });
            expected.is_none_or(|expected| expected == given).then(|| host.to_string())
        })
    }

    /// RDS has set the master user's password: what SQL said of it counts no longer.
    pub(crate) fn reset_master(&mut self, master: &str) {
        if let Some(data) = &mut self.data
            && let Some(account) = Arc::make_mut(&mut data.catalog).accounts.get_mut(&account(master, "%"))
        {
            account.password = None;
        }
    }

    /// The server went down at that time: what was open then is rolled back.
    pub(crate) fn interrupted(&mut self, at: u64) {
        self.transactions.retain(|_, one| one.began >= at);
        self.running.retain(|one| one.began >= at || one.until <= at);
    }

    /// Ends what has timed out, and takes over what has come to its end.
    pub(crate) fn settle(&mut self, now: u64, outside: &mut dyn Outside) {
        self.transactions.retain(|_, one| now < one.used + IDLE_MS && now < one.began + LIFE_MS);
        let (over, running) = std::mem::take(&mut self.running).into_iter().partition(|one| one.until <= now);
        self.running = running;
        let over: Vec<Running> = over;
        for one in over {
            // What can no longer be carried out is rolled back, and nobody is there to be told.
            let _ = self.commit_work(one.work, outside);
        }
    }

    /// Begins a transaction; its session.
    ///
    /// # Errors
    /// 1040 when there are too many.
    pub(crate) fn begin(
        &mut self,
        entry: &Entry<'_>,
        id: String,
        database: Option<&str>,
        now: u64,
    ) -> Result<(), SqlError> {
        if self.transactions.len() >= TRANSACTIONS_MAX {
            return Err(SqlError::new(1040, "Too many connections"));
        }
        let data = self.data(entry);
        let mut session = Session::login(&data.catalog, entry.user, &entry.host, Arc::default());
        session.variables = Arc::clone(&entry.variables);
        session.roles =
            Session::login(&data.catalog, entry.user, &entry.host, Arc::clone(&entry.variables)).roles;
        session.database = database.map(String::from);
        let work = Work { data, session, base: self.version, journal: Vec::new() };
        self.transactions.insert(id, Transaction { work, began: now, used: now });
        Ok(())
    }

    /// Ends a transaction; `None` where there is none.
    pub(crate) fn end(
        &mut self,
        id: &str,
        commit: bool,
        outside: &mut dyn Outside,
    ) -> Option<Result<(), SqlError>> {
        let found = self.transactions.remove(id)?;
        Some(if commit { self.commit_work(found.work, outside) } else { Ok(()) })
    }

    fn commit_work(&mut self, work: Work, outside: &mut dyn Outside) -> Result<(), SqlError> {
        if work.journal.is_empty() {
            return Ok(());
        }
        if work.base == self.version {
            self.data = Some(work.data);
            self.version += 1;
            return Ok(());
        }
        let Some(mut data) = self.data.clone() else { return Ok(()) };
        let mut session = work.session;
        for done in &work.journal {
            (session.now, session.seed) = (done.at, done.seed);
            run(Run {
                data: &mut data,
                session: &mut session,
                parameters: &done.parameters,
                outside: &mut *outside,
                sql: &done.sql,
            })
            .map_err(|_| {
                SqlError::new(1213, "Deadlock found when trying to get lock; try restarting transaction")
            })?;
        }
        self.data = Some(data);
        self.version += 1;
        Ok(())
    }

    /// Carries a statement out, in its transaction or on its own.
    pub(crate) fn execute(
        &mut self,
        entry: &Entry<'_>,
        asked: &Asked<'_>,
        outside: &mut dyn Outside,
    ) -> Answer {
        match asked.transaction {
            Some(id) => self.within(id, entry, asked, outside),
            None => self.alone(entry, asked, outside),
        }
    }

    fn alone(&mut self, entry: &Entry<'_>, asked: &Asked<'_>, outside: &mut dyn Outside) -> Answer {
        let looks = only_looks(asked.sql);
        let data = self.data(entry);
        let mut session =
            Session::login(&data.catalog, entry.user, &entry.host, Arc::clone(&entry.variables));
        session.database = asked.database.map(String::from);
        (session.now, session.seed) = (asked.now, asked.seed);
        let statement = |one: &Running| Some((one.began, one.work.journal.first()?.sql.clone()));
        session.processes = Arc::new(self.running.iter().filter_map(statement).collect());
        let begun = session.clone();
        // Short statements change the rows where they are; one that may take long can be taken back.
        let short = !looks && is_short(asked.sql);
        let base = self.version;
        let mut data = data;
        let known = self.data.is_some();
        if short {
            self.data = None;
        }
        let catalog = Arc::clone(&data.catalog);
        let found = run(Run {
            data: &mut data,
            session: &mut session,
            parameters: asked.parameters,
            outside,
            sql: asked.sql,
        });
        match found {
            Err(error) => {
                if short && known {
                    // Its rows are as they were: a statement changes all or nothing.
                    data.catalog = catalog;
                    self.data = Some(data);
                }
                Answer::Failed(error)
            }
            Ok(outcome) if outcome.seconds > STATEMENT_SECONDS_MAX && !short => {
                if asked.continues && !looks {
                    let done = done(asked);
                    let work = Work { data, session: begun, base, journal: vec![done] };
                    let until = asked.now + (outcome.seconds * 1_000.0) as u64;
                    self.running.push(Running { began: asked.now, until, work });
                }
                Answer::TooLong
            }
            Ok(outcome) => {
                let counted = !Arc::ptr_eq(&catalog, &data.catalog);
                if !looks || counted {
                    self.data = Some(data);
                    self.version += u64::from(!looks);
                }
                Answer::Done(outcome)
            }
        }
    }

    fn within(
        &mut self,
        id: &str,
        entry: &Entry<'_>,
        asked: &Asked<'_>,
        outside: &mut dyn Outside,
    ) -> Answer {
        let Some(mut found) = self.transactions.remove(id) else { return Answer::NoTransaction };
        // Who began it goes on with it.
        if found.work.session.user != entry.user {
            self.transactions.insert(id.into(), found);
            return Answer::NoTransaction;
        }
        found.used = asked.now;
        let work = &mut found.work;
        (work.session.now, work.session.seed) = (asked.now, asked.seed);
        work.session.variables = Arc::clone(&entry.variables);
        if let Some(database) = asked.database {
            work.session.database = Some(database.into());
        }
        let mut data = work.data.clone();
        let result = run(Run {
            data: &mut data,
            session: &mut work.session,
            parameters: asked.parameters,
            outside: &mut *outside,
            sql: asked.sql,
        });
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(error) => {
                self.transactions.insert(id.into(), found);
                return Answer::Failed(error);
            }
        };
        if outcome.seconds > STATEMENT_SECONDS_MAX && !asked.continues {
            // Believed: the statement is rolled back, and its transaction with it.
            return Answer::TooLong;
        }
        found.used = asked.now + (outcome.seconds * 1_000.0) as u64;
        work.data = data;
        work.journal.push(done(asked));
        if work.journal.len() > JOURNAL_MAX {
            return Answer::Failed(SqlError::new(
                1197,
                "Multi-statement transaction required more than the sandbox keeps",
            ));
        }
        let too_long = outcome.seconds > STATEMENT_SECONDS_MAX;
        match outcome.control {
            Control::None => {}
            Control::Rollback => {
                let data = self.data(entry);
                found.work = Work { data, base: self.version, journal: Vec::new(), ..found.work };
            }
            Control::Commit | Control::Implicit => {
                let session = found.work.session.clone();
                if let Err(error) = self.commit_work(found.work, outside) {
                    return Answer::Failed(error);
                }
                let data = self.data(entry);
                found.work = Work { data, session, base: self.version, journal: Vec::new() };
            }
        }
        self.transactions.insert(id.into(), found);
        if too_long { Answer::TooLong } else { Answer::Done(outcome) }
    }
}

fn done(asked: &Asked<'_>) -> Done {
    Done { sql: asked.sql.into(), parameters: asked.parameters.clone(), at: asked.now, seed: asked.seed }
}

/// Whether a statement cannot take long, however much is in the tables.
fn is_short(sql: &str) -> bool {
    let start: String = sql.trim_start().chars().take(8).collect::<String>().to_ascii_uppercase();
    let writes = ["UPDATE", "DELETE", "LOAD"].iter().any(|word| start.starts_with(word));
    !writes && !sql.to_ascii_uppercase().contains("SELECT")
}
