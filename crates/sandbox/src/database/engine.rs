//! Carries statements out.

use super::catalog::Catalog;
use super::errors::{SqlError, no_database, unsupported};
use super::reader::Reader;
use super::rows::Rows;
use super::session::{Outside, Parameters, Session};
use super::translate::{Output, Query, Translator};
use super::types::as_text;
use super::{accounts, grants, load, routines, schema, show, system, unload, write};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde::{Deserialize, Serialize};
use sqlparser::tokenizer::Token;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of a result, and of one of its rows (Aurora User Guide, "Data API limitations").
const RESULT_MAX: usize = 1 << 20;
const ROW_MAX: usize = 64 << 10;
/// What a statement takes, in seconds, beside its rows.
const STATEMENT_SECONDS: f64 = 0.005;
/// Rows that are read, written, or sent to a service in a second. Estimates.
const READ_PER_SECOND: f64 = 200_000.0;

/// All that a server keeps: clones share it until one of them changes something.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Data {
    #[serde(with = "super::cells::shared")]
    pub catalog: Arc<Catalog>,
    pub rows: Rows,
}

/// What a statement does to the transaction that it is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Control {
    #[default]
    None,
    /// Definitions commit what was before them, and themselves.
    Implicit,
    Commit,
    Rollback,
}

/// Why a result cannot be handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oversize {
    Row,
    Result,
}

#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Empty for statements without a result.
    pub columns: Vec<Output>,
    pub rows: Vec<Vec<Value>>,
    pub updated: u64,
    /// Numbers that a column gave to new rows: the first.
    pub generated: Option<i64>,
    /// How long it takes.
    pub seconds: f64,
    pub control: Control,
    pub oversize: Option<Oversize>,
}

impl Outcome {
    pub fn done(updated: u64) -> Outcome {
        Outcome { updated, seconds: STATEMENT_SECONDS, ..Outcome::default() }
    }

    pub fn defined() -> Outcome {
        Outcome { control: Control::Implicit, ..Outcome::done(0) }
    }

    pub fn table(columns: Vec<Output>, rows: Vec<Vec<Value>>) -> Outcome {
        Outcome { columns, rows, ..Outcome::done(0) }
    }
}

/// A statement and all that it needs.
pub(crate) struct Run<'a> {
    pub data: &'a mut Data,
    pub session: &'a mut Session,
    pub parameters: &'a Parameters,
    pub outside: &'a mut dyn Outside,
    pub sql: &'a str,
}

/// Whether a statement only looks.
pub(crate) fn only_looks(sql: &str) -> bool {
    let Ok(mut reader) = Reader::new(sql) else { return true };
    while reader.token(&Token::LParen) {}
    let looks = ["SHOW", "DESCRIBE", "DESC", "EXPLAIN", "USE", "SET", "VALUES", "TABLE"];
    if looks.iter().any(|word| reader.is_word(word)) {
        return true;
    }
    (reader.is_word("SELECT") || reader.is_word("WITH"))
        && unload::clause(sql).is_ok_and(|found| found.is_none())
}

/// Carries one statement out: all of it, or nothing.
///
/// # Errors
/// MySQL's and Aurora's.
pub(crate) fn run(mut run: Run<'_>) -> Result<Outcome, SqlError> {
    let mut outcome = dispatch(&mut run)?;
    outcome.seconds *= run.outside.slowness();
    Ok(outcome)
}

fn dispatch(run: &mut Run<'_>) -> Result<Outcome, SqlError> {
    let mut reader = Reader::new(run.sql)?;
    if reader.at_end() {
        return Err(SqlError::new(1065, "Query was empty"));
    }
    if let Some(database) = &run.session.database
        && !run.data.catalog.databases.contains_key(database)
        && !super::translate::is_system(database)
    {
        return Err(no_database(database));
    }
    let r = run;
    let word = match reader.peek() {
        Token::Word(word) if word.quote_style.is_none() => word.value.to_ascii_uppercase(),
        Token::LParen => "SELECT".into(),
        _ => return Err(reader.wrong()),
    };
    match word.as_str() {
        "SELECT" | "WITH" | "VALUES" | "TABLE" => match unload::clause(r.sql)? {
            Some(clause) => unload::run(r, clause),
            None => select(r, reader),
        },
        "INSERT" | "REPLACE" => write::insert(r, reader),
        "UPDATE" => write::update(r, reader),
        "DELETE" => write::delete(r, reader),
        "TRUNCATE" => write::truncate(r, reader),
        "LOAD" => load::run(r, reader),
        "CREATE" => {
            reader.next();
            create(r, reader)
        }
        "DROP" => {
            reader.next();
            drop(r, reader)
        }
        "ALTER" => {
            reader.next();
            if reader.word("USER") { accounts::alter_user(r, reader) } else { Err(unsupported(r.sql)) }
        }
        "SHOW" => show::show(r, reader),
        "DESCRIBE" | "DESC" => show::describe(r, reader),
        "GRANT" => grants::grant(r, reader),
        "REVOKE" => grants::revoke(r, reader),
        "SET" => accounts::set(r, reader),
        "USE" => {
            reader.next();
            let name = reader.identifier()?;
            reader.end()?;
            if !r.data.catalog.databases.contains_key(&name) && !super::translate::is_system(&name) {
                return Err(no_database(&name));
            }
            r.session.database = Some(name);
            Ok(Outcome::done(0))
        }
        "START" | "BEGIN" => Ok(Outcome::defined()),
        "COMMIT" => Ok(Outcome { control: Control::Commit, ..Outcome::done(0) }),
        "ROLLBACK" => Ok(Outcome { control: Control::Rollback, ..Outcome::done(0) }),
        "FLUSH" => {
            if r.sql.to_ascii_lowercase().contains("status") {
                Arc::make_mut(&mut r.data.catalog).requests = 0;
            }
            Ok(Outcome::defined())
        }
        _ => {
            // A statement that sqlparser knows is one that is not here; any other is none.
            reader.statement()?;
            Err(unsupported(word))
        }
    }
}

fn create(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    if reader.word("DATABASE") || reader.word("SCHEMA") {
        return schema::create_database(r, reader);
    }
    if reader.word("USER") {
        return accounts::create(r, reader, false);
    }
    if reader.word("ROLE") {
        return accounts::create(r, reader, true);
    }
    if reader.is_word("TABLE") {
        return schema::create_table(r);
    }
    routines::create(r, reader)
}

fn drop(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    if reader.word("DATABASE") || reader.word("SCHEMA") {
        return schema::drop_database(r, reader);
    }
    if reader.word("TABLE") {
        return schema::drop_table(r, reader);
    }
    if reader.word("FUNCTION") {
        return routines::drop(r, reader);
    }
    if reader.is_word("USER") || reader.is_word("ROLE") {
        let role = reader.word("ROLE");
        if !role {
            reader.next();
        }
        return accounts::drop(r, reader, role);
    }
    Err(unsupported(r.sql))
}

fn select(r: &mut Run<'_>, mut reader: Reader<'_>) -> Result<Outcome, SqlError> {
    let query = reader.query()?;
    reader.end()?;
    let catalog = Arc::clone(&r.data.catalog);
    let mut translator = Translator::new(&catalog, r.session, r.parameters);
    let query = translator.query(&query)?;
    let mut outcome = Outcome { columns: query.columns.clone(), ..Outcome::default() };
    let (mut size, mut seen) = (0, 0_u64);
    let asked = each(r, &translator, &query, |row| {
        seen += 1;
        let bytes: usize = row.iter().map(|value| as_text(value).len() + 16).sum();
        size += bytes;
        if bytes > ROW_MAX {
            outcome.oversize = Some(Oversize::Row);
        } else if size > RESULT_MAX {
            outcome.oversize = Some(Oversize::Result);
        } else {
            outcome.rows.push(row);
        }
        Ok(outcome.oversize.is_none())
    })?;
    outcome.seconds = STATEMENT_SECONDS + seen as f64 / READ_PER_SECOND + asked;
    Ok(outcome)
}

/// Hands each row of a query to `take`, as long as that wants more; the seconds that services took.
pub(super) fn each(
    r: &mut Run<'_>,
    translator: &Translator<'_>,
    query: &Query,
    mut take: impl FnMut(Vec<Value>) -> Result<bool, SqlError>,
) -> Result<f64, SqlError> {
    let asks = prepare_asks(r, translator)?;
    let filled = system::tables(r, translator)?;
    let width = query.columns.len();
    r.data.rows.read(|connection| {
        asks.register(connection)?;
        filled.fill(connection)?;
        let mut run = || {
            let mut statement = connection.prepare(&query.sql)?;
            let mut rows = statement.query(params_from_iter(&translator.binds))?;
            while let Some(row) = rows.next()? {
                let values: Result<Vec<Value>, rusqlite::Error> = (0..width).map(|at| row.get(at)).collect();
                if !take(values?)? {
                    break;
                }
            }
            Ok::<(), SqlError>(())
        };
        let done = run();
        filled.drop(connection)?;
        done
    })?;
    Ok(asks.taken(r))
}

/// The functions that ask services, ready for SQLite.
pub(super) struct Asks {
    models: Vec<super::session::Model>,
    calls: Arc<AtomicU64>,
}

/// Finds out whom a statement asks, and whether it can be asked: what cannot fails when it is called, not before.
pub(super) fn prepare_asks(r: &Run<'_>, translator: &Translator<'_>) -> Result<Asks, SqlError> {
    let models = translator.asks.iter().map(|ask| match r.outside.model(ask) {
        Ok(model) => model,
        Err(error) => {
            let failing: super::session::Model = Arc::new(move |_: &[Value]| Err(error.clone()));
            failing
        }
    });
    Ok(Asks { models: models.collect(), calls: Arc::default() })
}

impl Asks {
    pub fn register(&self, connection: &Connection) -> Result<(), SqlError> {
        for (at, model) in self.models.iter().enumerate() {
            let (model, calls) = (Arc::clone(model), Arc::clone(&self.calls));
            let call = move |context: &rusqlite::functions::Context<'_>| {
                calls.fetch_add(1, Ordering::Relaxed);
                let given =
                    (0..context.len()).map(|at| context.get(at)).collect::<Result<Vec<Value>, _>>()?;
                model(&given).map_err(|error| rusqlite::Error::UserFunctionError(error.carried().into()))
            };
            let call = std::panic::AssertUnwindSafe(call);
            connection.create_scalar_function(
                format!("ask_{at}").as_str(),
                -1,
                FunctionFlags::SQLITE_UTF8,
                move |context| (*call)(context),
            )?;
        }
        Ok(())
    }

    /// Counts the calls; the seconds they took: half a hundredth for each batch of a hundred.
    pub fn taken(&self, r: &mut Run<'_>) -> f64 {
        let calls = self.calls.load(Ordering::Relaxed);
        if calls > 0 {
            Arc::make_mut(&mut r.data.catalog).requests += calls;
        }
        calls.div_ceil(100) as f64 * 0.05
    }
}
