//! `drift`: what is not as the spec says, and who did it.

use super::args::{Global, Terms};
use super::exit::{Error, Exit};
use super::fleet::{self, Fleet, Several, Shape, Told};
use super::printer::Printer;
use super::session::{Session, no_plan};
use auroraml::run::drift::drift as look;
use auroraml_core::render::drift::Document;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Show what differs from the spec, and what others attached to the stack. Changes nothing.
///
/// Checks more than a plan does; see docs/drift.md. Exits with 2 if there is drift, with 0 if there is none, and with 1 if
/// none was found but something could not be read.
#[derive(Debug, Args)]
pub struct Drift {
    /// The spec, or a folder of specs; `-` reads stdin.
    pub spec: PathBuf,
    #[command(flatten)]
    pub several: Several,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Do not ask CloudTrail who made the change.
    #[arg(long)]
    pub no_who: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
    /// For an issue, or a comment on a pull request.
    Markdown,
}

pub async fn drift(args: &Drift, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    if let Some(paths) = fleet::sources(&args.spec, &args.several)? {
        let shape = match args.format {
            Format::Text => Shape::Prose,
            Format::Json => Shape::Json,
            Format::Markdown => Shape::Markdown,
        };
        let fleet = Fleet { paths, parallel: args.several.parallel, shape };
        return fleet
            .each(global, printer, async |session, printer| show(session, args, printer).await)
            .await;
    }
    let session = Session::open(&args.spec, global, printer).await?;
    let shown = show(&session, args, printer).await;
    session.close(shown.map(|told| told.exit))
}

async fn show(session: &Session, args: &Drift, printer: &Printer) -> Result<Told, Error> {
    let found = look(&session.stack, !args.no_who).await.map_err(no_plan)?;
    let subject = session.subject(false, &Terms::default());
    let document = Document::new(&subject, found.findings, found.unread, found.who);
    printer.data(&match args.format {
        Format::Text => document.to_text(),
        Format::Json => document.to_json(),
        Format::Markdown => document.to_markdown(),
    })?;
    let exit = match (document.in_sync, document.unread.is_empty()) {
        (false, _) => Exit::Changes,
        // Nothing is known of what could not be read.
        (true, false) => Exit::Error,
        (true, true) => Exit::Done,
    };
    Ok(Told { exit, result: document.summary() })
}
