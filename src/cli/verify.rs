//! `verify`: whether what is there works together.

use super::args::{Global, StatusFormat, Terms, Verify};
use super::exit::{Error, Exit};
use super::printer::Printer;
use super::session::{Session, no_plan};
use auroraml::run::reconcile::PrepareError;
use auroraml::verify;
use auroraml_core::render;
use auroraml_core::sql::reading::may_change;

pub async fn verify(args: &Verify, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    args.query.as_deref().map_or(Ok(()), only_reads)?;
    let session = Session::open(&args.spec, global, printer).await?;
    let result = show(&session, args, printer).await;
    session.close(result)
}

/// Help and docs promise that nothing is changed.
fn only_reads(sql: &str) -> Result<(), Error> {
    let Some(what) = may_change(sql) else { return Ok(()) };
    let why = format!("refused, nothing was sent: {what} may change something");
    let help =
        "`verify` runs statements that only read: SELECT, WITH, SHOW, DESCRIBE, EXPLAIN, TABLE and VALUES";
    Err(Error::new("--query", why, help))
}

async fn show(session: &Session, args: &Verify, printer: &Printer) -> Result<Exit, Error> {
    if session.stack.spec.aurora.is_none() {
        let why = "the spec has no cluster to verify";
        return Err(Error::new("aurora", why, "add `aurora` to the spec"));
    }
    if args.deep || args.query.is_some() {
        let cluster = session.stack.aws.cluster();
        let flag = if args.query.is_some() { "query" } else { "deep" };
        printer.talk(&format!(
            "note: --{flag} runs SQL on {cluster} through the Data API, which wakes a paused cluster and then costs money\n"
        ));
    }
    let checks = match &args.query {
        Some(given) => verify::query(&session.stack, Some(given.trim()).filter(|sql| !sql.is_empty())).await,
        None => verify::verify(&session.stack, args.deep).await,
    };
    let checks = checks.map_err(|failure| no_plan(PrepareError::Aws(failure)))?;
    printer.data(&match args.format {
        StatusFormat::Text => render::verify::text(&session.subject(false, &Terms::default()), &checks),
        StatusFormat::Json => render::verify::to_json(&checks),
        StatusFormat::Yaml => render::verify::to_yaml(&checks),
    })?;
    Ok(match verify::failed(&checks) {
        true => Exit::Error,
        false => Exit::Done,
    })
}
