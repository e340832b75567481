//! `data load` and `data unload`: what is moved between the database and S3 because a person says so now.

use super::args::Global;
use super::exit::{Error, Exit};
use super::lease::{self, Together};
use super::printer::Printer;
use super::session::Session;
use auroraml::aws::Failure;
use auroraml::run::data::{self, Moved};
use auroraml_core::base::counted;
use auroraml_core::kinds::data_load;
use auroraml_core::model::unload_of;
use auroraml_core::sql::statements::address;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// Move rows between the database and S3, now.
///
/// `apply` moves what the spec lists under `tables` and `unloads`, once.
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
    /// The spec; `-` reads stdin.
    pub spec: PathBuf,
    /// The table in the stack's database.
    pub table: String,
    /// The file.
    #[arg(long, value_name = "s3://BUCKET/KEY")]
    pub from: String,
    /// Skip the first line, which names the columns.
    #[arg(long)]
    pub header: bool,
    /// Separator between values.
    #[arg(long, value_name = "TEXT", default_value = ",")]
    pub separator: String,
    /// Quote around values; empty for none.
    #[arg(long, value_name = "CHARACTER", default_value = "\"")]
    pub quote: String,
    /// Windows line ends (CR LF).
    #[arg(long)]
    pub crlf: bool,
    /// Load a file even if Aurora has already loaded it.
    #[arg(long)]
    pub again: bool,
    #[command(flatten)]
    pub together: Together,
}

/// Write rows to S3 as CSV (SELECT INTO OUTFILE S3), and compare the counts.
#[derive(Debug, Args)]
pub struct DataUnload {
    /// The spec; `-` reads stdin.
    pub spec: PathBuf,
    /// One of `unloads` in the spec.
    #[arg(required_unless_present = "query", conflicts_with = "query")]
    pub name: Option<String>,
    /// The query that selects the rows.
    #[arg(long, value_name = "SQL")]
    pub query: Option<String>,
    /// Prefix of the file names: PREFIX.part_00000, …
    #[arg(long, value_name = "s3://BUCKET/PREFIX")]
    pub to: String,
    /// Write the column names in the first line of each file.
    #[arg(long)]
    pub header: bool,
    /// Overwrite existing files.
    #[arg(long)]
    pub overwrite: bool,
    #[command(flatten)]
    pub together: Together,
}

pub async fn data(args: &Data, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    match &args.what {
        DataCommand::Load(args) => {
            let to = (args.spec.as_path(), &args.together, "data load");
            under_lease(to, global, printer, async |session: &Session| load(session, args, printer).await)
                .await
        }
        DataCommand::Unload(args) => {
            let to = (args.spec.as_path(), &args.together, "data unload");
            under_lease(to, global, printer, async |session: &Session| unload(session, args, printer).await)
                .await
        }
    }
}

/// Moves data while no other run on the stack does anything. Ctrl-C ends the wait, and gives the lease back; the database
/// goes on with its statement.
async fn under_lease(
    (spec, together, command): (&Path, &Together, &str),
    global: &Global,
    printer: &Printer,
    work: impl AsyncFnOnce(&Session) -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    let mut session = Session::open(spec, global, printer).await?;
    let held = match lease::begin(&mut session, global, together, command, printer).await {
        Ok(held) => held,
        Err(error) => return session.close(Err(error)),
    };
    let mut interrupts = held.interrupts();
    let result = tokio::select! {
        result = work(&session) => result,
        () = interrupts.next() => {
            let why = "interrupted: if the statement was sent, the database may still be running it";
            let help = "to see whether it is, run SHOW FULL PROCESSLIST in the database";
            Err(Error::new(command, why, help).with(Exit::Incomplete))
        }
    };
    let result = held.end(&session, result, printer).await;
    session.close(result)
}

/// The stack's database.
fn database(session: &Session) -> Result<&str, Error> {
    session
        .stack
        .spec
        .database()
        .ok_or_else(|| Error::new("aurora", "the spec has no database", "add `database: NAME` to `aurora`"))
}

fn refused(object: &str, failure: &Failure) -> Error {
    Error::new(object, failure.to_string(), failure.hint())
}

async fn load(session: &Session, args: &DataLoad, printer: &Printer) -> Result<Exit, Error> {
    let database = database(session)?;
    if address(&args.from).is_none() {
        let why = format!("invalid S3 address `{}`", args.from);
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
                    true => "the spec has none: write --query 'SELECT …'".to_string(),
                    false => format!("there are {}", known.join(", ")),
                };
                return Err(Error::new(name, "the spec has no unload with this name", help));
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
    let count = rows.map_or_else(|| "all rows".to_string(), |rows| counted(rows, "row"));
    let both = match (moved.rows, moved.records, &moved.uncounted) {
        (Some(rows), Some(records), _) if rows == records => {
            "; the counts in database and S3 match".to_string()
        }
        (_, _, Some(why)) => format!("; could not compare the counts in S3 and database: {why}"),
        _ => String::new(),
    };
    let files = match done {
        "written" => format!(" in {}", counted(moved.files, "file")),
        _ => String::new(),
    };
    printer.data(&format!("{object}: {count} {done}{files}{both}\n"))?;
    moved.checked().map_err(|failure| refused(object, &failure))?;
    Ok(Exit::Done)
}
