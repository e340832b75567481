//! `status`: what is there.

use super::args::{Global, Status, StatusFormat, Terms};
use super::exit::{Error, Exit};
use super::page::PageFile;
use super::printer::Printer;
use super::session::{Session, no_plan};
use auroraml::run::reconcile::survey;
use auroraml_core::base::Observed;
use auroraml_core::members::Topology;
use auroraml_core::model::{Intent, Order};
use auroraml_core::render::{self, status::Stack};

pub async fn status(args: &Status, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let session = Session::open(&args.spec, global, printer).await?;
    let result = show(&session, args, printer).await;
    session.close(result)
}

async fn show(session: &Session, args: &Status, printer: &Printer) -> Result<Exit, Error> {
    let survey =
        survey(&session.stack, Order { wake: false, ..Intent::Apply.into() }).await.map_err(no_plan)?;
    let mut stack = stack(session, &survey.observed);
    let mut cost = None;
    let sheet = PageFile::of(Some(&args.page), "Status", session)?;
    match &survey.planned {
        Ok((graph, plan, _)) => {
            stack.compare(plan);
            sheet.status(session, graph, &survey.observed, plan);
            cost = plan.cost.as_ref().and_then(render::cost::now);
        }
        Err(problems) => {
            for problem in problems {
                let text = format!(
                    "warning: what is missing or differs cannot be told: {}: {}",
                    problem.what, problem.why
                );
                printer.say(&format!("{text}\n"));
            }
        }
    }
    sheet.fill(|page| page.tell_status(stack.clone()));
    sheet.write()?;
    printer.data(&match args.format {
        StatusFormat::Text => match cost {
            Some(cost) => format!("{}\n{cost}", stack.to_text()),
            None => stack.to_text(),
        },
        StatusFormat::Json => stack.to_json(),
        StatusFormat::Yaml => stack.to_yaml(),
    })?;
    Ok(Exit::Done)
}

/// What is there, for showing it.
pub fn stack(session: &Session, observed: &Observed) -> Stack {
    let strategy = session.stack.spec.restart().map(|restart| restart.strategy).unwrap_or_default();
    let topology = observed.values().find_map(Topology::told_by);
    Stack::new(&session.subject(false, &Terms::default()), observed, topology.as_ref(), strategy)
}
