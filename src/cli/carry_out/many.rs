//! `apply` of several stacks: all plans are shown, one yes is for all of them, and each is held to what was shown.

use super::{Request, read_plan, under_lease};
use crate::cli::args::{Apply, Global};
use crate::cli::confirm::nobody_to_ask;
use crate::cli::exit::{Error, Exit};
use crate::cli::files::{self, SavedPlan, sha256};
use crate::cli::fleet::{Fleet, Group, Shape, Told, plan_file};
use crate::cli::printer::Printer;
use crate::cli::session::{Session, no_plan};
use crate::cli::{change_sets, hint, terminal};
use auroraml::run::reconcile::prepare;
use auroraml_core::base::counted;
use auroraml_core::model::Intent;
use auroraml_core::render::{self, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::path::PathBuf;

/// Plans that were shown, by stack and region.
type Shown = RefCell<BTreeMap<(String, String), SavedPlan>>;

pub(super) async fn apply(
    paths: Vec<PathBuf>,
    args: &Apply,
    global: &Global,
    printer: &Printer,
) -> Result<Exit, Error> {
    if let Some(folder) = &args.events {
        files::make_folder(folder)?;
    }
    let fleet = Fleet { paths, parallel: args.several.parallel, shape: Shape::Prose };
    let group = Group::open(fleet, global, printer).await?;
    let result = run(&group, args, global, printer).await;
    group.close(result)
}

async fn run(group: &Group, args: &Apply, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let shown = Shown::default();
    if !args.yes {
        let typed = args.words();
        if !terminal::can_ask() || typed.iter().any(|word| word == hint::STDIN) {
            return Err(nobody_to_ask("apply", &typed, global));
        }
        // Nobody can say yes to what they have not seen.
        let seen = Printer::new(false);
        group
            .each(&seen, async |session, printer| show(session, args, global, printer, &shown).await)
            .await?;
        confirm(shown.borrow().len())?;
    }
    group.each(printer, async |session, printer| one(session, args, global, printer, &shown).await).await
}

fn key(session: &Session) -> (String, String) {
    let place = &session.stack.aws.place;
    (place.stack.clone(), place.region.clone())
}

/// The saved plan of a stack, where a folder of them was named.
fn saved(session: &mut Session, args: &Apply) -> Result<Option<SavedPlan>, Error> {
    let file = args.plan.as_deref().map(|folder| plan_file(folder, session));
    let saved = read_plan(file.as_deref(), false)?;
    session.stack.final_snapshot = saved.as_ref().and_then(|saved| json::final_snapshot(&saved.plan));
    session.let_go(&args.terms);
    Ok(saved)
}

/// Shows the plan of one stack, and remembers it.
async fn show(
    session: &mut Session,
    args: &Apply,
    global: &Global,
    printer: &Printer,
    shown: &Shown,
) -> Result<Told, Error> {
    let reviewed = saved(session, args)?;
    change_sets::ask(session, args.sets);
    change_sets::reviewed(session, reviewed.as_ref());
    let shown = shown_once(session, args, global, printer, shown).await;
    change_sets::cleared(session, shown).await
}

async fn shown_once(
    session: &Session,
    args: &Apply,
    global: &Global,
    printer: &Printer,
    shown: &Shown,
) -> Result<Told, Error> {
    let prepared = prepare(&session.stack, args.terms.order(Intent::Apply)).await.map_err(no_plan)?;
    session.check_let_go(&prepared)?;
    let subject = session.subject(false, &args.terms);
    printer.text(&render::text::plan_in(terminal::form(global.verbose), &subject, &prepared.plan))?;
    if !prepared.plan.blocked.is_empty() {
        return Ok(Told { exit: Exit::Refused, result: "blocked: nothing was changed".into() });
    }
    let document = session.document(&subject, &prepared);
    let seen = SavedPlan { plan: document.to_value(), sha256: sha256(document.to_text().as_bytes()) };
    shown.borrow_mut().insert(key(session), seen);
    Ok(Told { exit: Exit::Done, result: render::summary(&prepared.plan) })
}

fn confirm(stacks: usize) -> Result<(), Error> {
    Printer::new(false)
        .say(&format!("\nApply these plans to {}? Type yes to continue: ", counted(stacks, "stack")));
    let mut answer = String::new();
    match io::stdin().lock().read_line(&mut answer) {
        Ok(_) if answer.trim().eq_ignore_ascii_case("yes") => Ok(()),
        Ok(_) => Err(Error::plain("nothing was changed: the answer was not yes")),
        Err(error) => Err(Error::plain(format!("nothing was changed: cannot read the answer: {error}"))),
    }
}

/// Carries out the plan of one stack: the saved one, or the one that was shown, or whatever it is.
async fn one(
    session: &mut Session,
    args: &Apply,
    global: &Global,
    printer: &Printer,
    shown: &Shown,
) -> Result<Told, Error> {
    let saved = saved(session, args)?;
    let agreed = shown.borrow().get(&key(session)).cloned();
    if !args.yes && agreed.is_none() {
        return Ok(Told {
            exit: Exit::Refused,
            result: "its plan could not be shown: nothing was changed".into(),
        });
    }
    let events = args.events.as_deref().map(|folder| plan_file(folder, session).with_extension("jsonl"));
    let request = Request {
        intent: Intent::Apply,
        spec: &args.spec,
        terms: &args.terms,
        yes: true,
        events: events.as_deref(),
        plan: args.plan.as_deref(),
        sweep: false,
        sets: args.sets,
        typed: args.words(),
        global,
        together: &args.together,
        page: Some(&args.page),
    };
    let exit = under_lease(session, request, saved.or(agreed), printer, async |_: &Session| Ok(())).await?;
    Ok(Told { exit, result: "done".into() })
}
