//! `status`: what is there.

use super::args::{Global, Status, StatusFormat, Terms};
use super::exit::{Error, Exit};
use super::printer::Printer;
use super::session::{Session, no_plan};
use crate::aws::Look;
use crate::kinds::{self, parameter_sync};
use crate::run::reconcile::PrepareError;
use auroraml_core::base::Observed;
use auroraml_core::members::restart::Topology;
use auroraml_core::render::status::Stack;

pub async fn status(args: &Status, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let session = Session::open(&args.spec, global, printer).await?;
    let result = show(&session, args, printer).await;
    session.close(result)
}

async fn show(session: &Session, args: &Status, printer: &Printer) -> Result<Exit, Error> {
    let aws = &session.aws;
    let look = Look { aws, as_of: aws.clock.now_ms(), only: None };
    let (observed, topology) = tokio::join!(kinds::observe_all(look), parameter_sync::topology(look));
    let failed = |failure| no_plan(PrepareError::Aws(failure));
    let (observed, topology) = (observed.map_err(failed)?, topology.map_err(failed)?);
    let stack = stack(session, &observed, topology.as_ref());
    printer.data(&match args.format {
        StatusFormat::Text => stack.to_text(),
        StatusFormat::Json => stack.to_json(),
        StatusFormat::Yaml => stack.to_yaml(),
    })?;
    Ok(Exit::Done)
}

/// What is there, for showing it.
pub fn stack(session: &Session, observed: &Observed, topology: Option<&Topology>) -> Stack {
    let strategy = session.spec.restart().map(|restart| restart.strategy).unwrap_or_default();
    Stack::new(&session.subject(false, &Terms::default()), observed, topology, strategy)
}
