//! What a run writes down of its changes, to a file and to the bucket that the spec names.

use super::exit::Error;
use super::files;
use super::printer::Printer;
use super::session::Session;
use auroraml::run::audit::{Audit, Heading, Sink};
use auroraml_core::lease::Owner;
use auroraml_core::render::plain;
use auroraml_core::spec::Address;
use std::io::Write;
use std::path::Path;

/// # Errors
/// When the file or the bucket cannot be written: a run that is to be audited and is not has not begun.
pub async fn begin(
    session: &Session,
    file: Option<&Path>,
    owner: &Owner,
    plan_sha256: Option<String>,
) -> Result<Audit, Error> {
    let sink = file.map(|file| appending(file)).transpose()?;
    let heading = Heading { run: owner.run.clone(), command: owner.command.clone(), plan_sha256 };
    let address = session.stack.spec.audit.as_deref().and_then(|text| Address::parse(text).ok());
    let aws = &session.stack.aws;
    Audit::begin(aws, heading, sink, address.as_ref()).await.map_err(|failure| {
        let address = address.map(|address| address.to_string()).unwrap_or_default();
        let why = format!("nothing was changed: cannot write {address}: {failure}");
        let help = format!("allow s3:PutObject on {address}/*, or remove `audit` from the spec");
        Error::new("audit", why, help)
    })
}

/// Appends to a file, line by line. What cannot be written is told once.
fn appending(path: &Path) -> Result<Sink, Error> {
    let name = path.display().to_string();
    let file = files::private().append(true).create(true).open(path);
    let mut file = file.map_err(|error| {
        let why = format!("nothing was changed: cannot write it: {error}");
        Error::new(&name, why, "choose another file for --audit")
    })?;
    let mut failed = false;
    Ok(Box::new(move |line: &str| {
        // One write, so that two runs that share the file do not mix their lines.
        if let Err(error) = file.write_all(line.as_bytes())
            && !std::mem::replace(&mut failed, true)
        {
            Printer::new(false).say(&format!("warning: some lines are missing from {name}: {error}\n"));
        }
    }))
}

/// Writes the last of it; what is missing is told.
pub async fn end(audit: Audit, printer: &Printer) {
    let place = audit.place().unwrap_or_default();
    if let Err(failure) = audit.end().await {
        let why = plain::line(&failure.to_string());
        printer.say(&format!("warning: some lines are missing from {place}: {why}\n"));
    }
}
