//! `data load` and `data unload`: what is moved between the database and S3 because a person says so now.

use super::args::Global;
use super::exit::{Error, Exit};
use super::lease::{self, Together};
use super::printer::Printer;
use super::session::Session;
use auroraml::aws::Failure;
use auroraml::run::data::{self, Moved};
use auroraml_core::kinds::data_load;
use auroraml_core::model::unload_of;
use auroraml_core::sql::statements::address;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Move rows between the database and S3, at once and as often as it is said.
///
/// What a spec says under `tables` and `unloads` is moved once, by `apply`.
#[derive(Debug, Args)]
pub struct Data {
    #[command(subcommand)]
    pub what: DataCommand,
}

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    Load(DataLoad),
    Unload(DataUnload),
}

/// Load a file in S3 into a table (LOAD DATA FROM S3), and compare the counts.
#[derive(Debug, Args)]
pub struct DataLoad {
    /// The spec; `-` is stdin.
    pub spec: PathBuf,
    /// The table, in the stack's database.
    pub table: String,
    /// The file.
    #[arg(long, value_name = "s3://BUCKET/KEY")]
    pub from: String,
    /// The first line names the columns, and is left out.
    #[arg(long)]
    pub header: bool,
    /// What stands between two values.
    #[arg(long, value_name = "TEXT", default_value = ",")]
    pub separator: String,
    /// What may stand around a value; empty for nothing.
    #[arg(long, value_name = "CHARACTER", default_value = "\"")]
    pub quote: String,
    /// Lines end in carriage return and line feed.
    #[arg(long)]
    pub crlf: bool,
    /// Load a file that Aurora has loaded before.
    #[arg(long)]
    pub again: bool,
    #[command(flatten)]
    pub together: Together,
}

/// Write rows to S3 as CSV (SELECT INTO OUTFILE S3), and compare the counts.
#[derive(Debug, Args)]
pub struct DataUnload {
    /// The spec; `-` is stdin.
    pub spec: PathBuf,
    /// One of `unloads` in the spec.
    #[arg(required_unless_present = "query", conflicts_with = "query")]
    pub name: Option<String>,
    /// The query whose rows are written.
    #[arg(long, value_name = "SQL")]
    pub query: Option<String>,
    /// What the names of the files begin with: PREFIX.part_00000, …
    #[arg(long, value_name = "s3://BUCKET/PREFIX")]
    pub to: String,
    /// The first line of each file names the columns.
    #[arg(long)]
    pub header: bool,
    /// Write over files that are there.
    #[arg(long)]
    pub overwrite: bool,
    #[command(flatten)]
    pub together: Together,
}

pub async fn data(args: &Data, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    match &args.what {
        DataCommand::Load(args) => {
            let mut session = Session::open(&args.spec, global, printer).await?;
            let command = "data load";
            let held = lease::begin(&mut session, global, &args.together, command, printer).await;
            let held = match held {
                Ok(held) => held,
                Err(error) => return session.close(Err(error)),
            };
            let result = load(&session, args, printer).await;
            let result = held.end(&session, result, printer).await;
            session.close(result)
        }
        DataCommand::Unload(args) => {
            let mut session = Session::open(&args.spec, global, printer).await?;
            let command = "data unload";
            let held = lease::begin(&mut session, global, &args.together, command, printer).await;
            let held = match held {
                Ok(held) => held,
                Err(error) => return session.close(Err(error)),
            };
            let result = unload(&session, args, printer).await;
            let result = held.end(&session, result, printer).await;
            session.close(result)
        }
    }
}

/// The stack's database.
fn database(session: &Session) -> Result<&str, Error> {
    session
        .stack
        .spec
        .database()
        .ok_or_else(|| Error::new("aurora", "the spec names no database", "add `database: NAME` to `aurora`"))
}

fn refused(object: &str, failure: &Failure) -> Error {
    Error::new(object, failure.to_string(), failure.hint())
}

async fn load(session: &Session, args: &DataLoad, printer: &Printer) -> Result<Exit, Error> {
    let database = database(session)?;
    if address(&args.from).is_none() {
        let why = format!("`{}` is not an address in S3", args.from);
        return Err(Error::new("--from", why, "write s3://BUCKET/KEY"));
    }
    let table = session.stack.spec.tables.get(&args.table);
    let props = data_load::Props {
        database: database.into(),
        table: args.table.clone(),
        from: args.from.clone(),
        header: args.header,
        separator: args.separator.replace("\\t", "\t"),
        quote: args.quote.clone(),
        line_end: if args.crlf { "\r\n" } else { "\n" }.into(),
        append: true,
        columns: table.map(|table| table.columns.names().map(String::from).collect()).unwrap_or_default(),
    };
    let talk = |text: String| printer.talk(&format!("{text}\n"));
    let moved = data::load(&session.stack, &props, args.again, &talk).await;
    told(&format!("{database}.{}", args.table), "loaded", moved, printer)
}

async fn unload(session: &Session, args: &DataUnload, printer: &Printer) -> Result<Exit, Error> {
    database(session)?;
    let (query, header) = match (&args.query, &args.name) {
        (Some(query), _) => (query.clone(), args.header),
        (None, name) => {
            let name = name.as_deref().unwrap_or_default();
            let Some(props) = unload_of(&session.stack.spec, name) else {
                let known: Vec<&str> = session.stack.spec.unloads.keys().map(String::as_str).collect();
                let help = match known.is_empty() {
                    true => "the spec has none: give the query, --query 'SELECT …'".to_string(),
                    false => format!("there are {}", known.join(", ")),
                };
                return Err(Error::new(name, "the spec has no such entry under `unloads`", help));
            };
            (props.query, args.header || props.header)
        }
    };
    let talk = |text: String| printer.talk(&format!("{text}\n"));
    let moved = data::unload(&session.stack, &query, &args.to, header, args.overwrite, &talk).await;
    told(&args.to, "written", moved, printer)
}

/// What a move came to, on stdout.
fn told(object: &str, done: &str, moved: Result<Moved, Failure>, printer: &Printer) -> Result<Exit, Error> {
    let moved = moved.map_err(|failure| refused(object, &failure))?;
    let rows = moved.rows.or(moved.records);
    let count = rows.map_or_else(|| "all rows".to_string(), |rows| format!("{rows} rows"));
    let both = match (moved.rows, moved.records, &moved.uncounted) {
        (Some(rows), Some(records), _) if rows == records => "; database and S3 agree".to_string(),
        (_, _, Some(why)) => format!("; S3 and database could not be compared: {why}"),
        _ => String::new(),
    };
    let files = if done == "written" { format!(" in {} files", moved.files) } else { String::new() };
    printer.data(&format!("{object}: {count} {done}{files}{both}\n"))?;
    moved.checked().map_err(|failure| refused(object, &failure))?;
    Ok(Exit::Done)
}
