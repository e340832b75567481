//! `data load` and `data unload`: what is moved between the database and S3 because a person says so now.

use super::args::{Data, DataCommand, DataLoad, DataUnload, Global};
use super::exit::{Error, Exit};
use super::lease;
use super::printer::Printer;
use super::session::Session;
use auroraml::aws::Failure;
use auroraml::run::data::{self, Moved};
use auroraml_core::kinds::data_load;
use auroraml_core::model::unload_of;
use auroraml_core::sql::statements::address;

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
