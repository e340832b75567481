//! `plan`, and what it shares with `apply`.

use super::args::{Global, Plan, PlanFormat};
use super::exit::{Error, Exit};
use super::fleet::{self, Fleet, Shape, Told, plan_file};
use super::page::PageFile;
use super::printer::Printer;
use super::session::{Session, no_plan};
use super::{change_sets, files, hint, terminal};
use auroraml::run::reconcile::prepare;
use auroraml_core::model::{Intent, Order};
use auroraml_core::render;
use std::path::{Path, PathBuf};

pub async fn plan(args: &Plan, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    if let Some(paths) = fleet::sources(&args.spec, &args.several)? {
        return plan_several(paths, args, global, printer).await;
    }
    let mut session = Session::open(&args.spec, global, printer).await?;
    session.let_go(&args.terms);
    change_sets::ask(&mut session, args.sets);
    let shown = show(&session, args, args.out.as_deref(), global, printer).await;
    let shown = change_sets::cleared(&session, shown).await;
    session.close(shown.map(|told| told.exit))
}

async fn plan_several(
    paths: Vec<PathBuf>,
    args: &Plan,
    global: &Global,
    printer: &Printer,
) -> Result<Exit, Error> {
    if let Some(folder) = &args.out {
        files::make_folder(folder)?;
    }
    let fleet = Fleet { paths, parallel: args.several.parallel, shape: shape(args.format) };
    let shown = fleet.each(global, printer, async |session, printer| {
        session.let_go(&args.terms);
        let out = args.out.as_deref().map(|folder| plan_file(folder, session));
        change_sets::ask(session, args.sets);
        let shown = show(session, args, out.as_deref(), global, printer).await;
        change_sets::cleared(session, shown).await
    });
    shown.await
}

fn shape(format: PlanFormat) -> Shape {
    match format {
        PlanFormat::Text => Shape::Prose,
        PlanFormat::Markdown => Shape::Markdown,
        PlanFormat::Json => Shape::Json,
        PlanFormat::Yaml => Shape::Yaml,
    }
}

async fn show(
    session: &Session,
    args: &Plan,
    out: Option<&Path>,
    global: &Global,
    printer: &Printer,
) -> Result<Told, Error> {
    let intent = match args.destroy {
        true => Intent::Destroy { unprotect: args.unprotect },
        false => Intent::Apply,
    };
    // A plan wakes nobody unless it is told to.
    let order = Order { wake: args.wake, ..args.terms.order(intent) };
    let prepared = Box::pin(prepare(&session.stack, order)).await.map_err(no_plan)?;
    session.check_let_go(&prepared)?;
    let (subject, plan) = (session.subject(args.destroy, &args.terms), &prepared.plan);
    let mut document = session.document(&subject, &prepared);
    let sets = session.stack.change_sets.as_ref().filter(|_| out.is_some() && plan.blocked.is_empty());
    document.change_sets = sets.map(|sets| sets.ready()).unwrap_or_default();
    let what = if args.destroy { "Plan to destroy" } else { "Plan" };
    let sheet = PageFile::of(Some(&args.page), what, session)?;
    sheet.plan(session, &subject, &prepared, intent);
    sheet.write()?;
    match args.format {
        PlanFormat::Text => {
            let form = terminal::form(global.verbose);
            printer.text(&render::text::plan_in(form, &subject, plan))?;
        }
        PlanFormat::Json => printer.data(&document.to_text())?,
        PlanFormat::Yaml => printer.data(&document.to_yaml())?,
        PlanFormat::Markdown => printer.data(&render::markdown::plan(&subject, plan))?,
    }
    if !plan.blocked.is_empty() {
        if out.is_some() {
            let why = "the plan is blocked and was not saved";
            let help = "see the plan for what is in the way";
            return Err(Error::new(&subject.stack, why, help).with(Exit::Refused));
        }
        return Ok(Told { exit: Exit::Refused, result: "blocked: nothing can be changed".into() });
    }
    if let Some(path) = out {
        files::write(path, &document.to_text())?;
        if let Some(sets) = sets {
            sets.keep(&document.change_sets);
        }
        let next = hint::command(args.carry_out(path), global);
        printer.talk(&format!("Saved in {}. Carry it out with: {next}\n", path.display()));
    }
    let differs = !plan.is_empty() || plan.held().next().is_some() && !args.terms.accept_pending;
    let exit = match args.detailed_exitcode && differs {
        true => Exit::Changes,
        false => Exit::Done,
    };
    let result = match plan.is_empty() && plan.held().next().is_none() {
        true => "nothing to do".to_string(),
        false => render::summary(plan).trim_start_matches("Plan: ").trim_end_matches('.').to_string(),
    };
    Ok(Told { exit, result })
}
