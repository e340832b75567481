//! `plan`, and what it shares with `apply`.

use super::args::{Global, Plan, PlanFormat};
use super::exit::{Error, Exit};
use super::printer::Printer;
use super::session::{Session, no_plan};
use super::{files, hint};
use auroraml::run::reconcile::prepare;
use auroraml_core::model::{Intent, Order};
use auroraml_core::render;

pub async fn plan(args: &Plan, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let mut session = Session::open(&args.spec, global, printer).await?;
    session.let_go(&args.terms);
    let result = show(&session, args, global, printer).await;
    session.close(result)
}

async fn show(session: &Session, args: &Plan, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let intent = match args.destroy {
        true => Intent::Destroy { unprotect: args.unprotect },
        false => Intent::Apply,
    };
    // A plan wakes nobody unless it is told to.
    let order = Order { wake: args.wake, ..args.terms.order(intent) };
    let prepared = prepare(&session.stack, order).await.map_err(no_plan)?;
    session.check_let_go(&prepared)?;
    let (subject, plan) = (session.subject(args.destroy, &args.terms), &prepared.plan);
    let document = session.document(&subject, &prepared);
    printer.data(&match args.format {
        PlanFormat::Text => render::text::plan(&subject, plan),
        PlanFormat::Json => document.to_text(),
        PlanFormat::Yaml => document.to_yaml(),
        PlanFormat::Markdown => render::markdown::plan(&subject, plan),
    })?;
    if !plan.blocked.is_empty() {
        if args.out.is_some() {
            let why = "the plan is blocked and was not saved";
            let help = "see the plan for what is in the way";
            return Err(Error::new(&subject.stack, why, help).with(Exit::Refused));
        }
        return Ok(Exit::Refused);
    }
    if let Some(path) = &args.out {
        files::write(path, &document.to_text())?;
        let next = hint::command(args.carry_out(path), global);
        printer.talk(&format!("saved in {}; carry it out with: {next}\n", path.display()));
    }
    let differs = !plan.is_empty() || plan.held().next().is_some() && !args.terms.accept_pending;
    Ok(match args.detailed_exitcode && differs {
        true => Exit::Changes,
        false => Exit::Done,
    })
}
