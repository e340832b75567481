//! `apply` and `destroy`: show the plan, ask, carry it out, say how it went.

mod many;
#[cfg(test)]
mod tests;

use super::args::{AllowArgument, Apply, Destroy, Global, Terms};
use super::change_sets::{self, Wanted};
use super::confirm::confirm;
use super::exit::{Error, Exit, Trouble};
use super::files::{self, SavedPlan, sha256};
use super::lease::{self, Held, Together};
use super::live::Live;
use super::on_hold::pending;
use super::page::{PageFile, Sheet};
use super::printer::Printer;
use super::session::{Session, no_plan};
use super::status::stack;
use super::{bills, fleet, hint, pause, reap, review, terminal};
use auroraml::run::execute::Report;
use auroraml::run::reconcile::{Outcome, PrepareError, Prepared, reconcile};
use auroraml_core::base::{Id, Observed, State};
use auroraml_core::events::Event;
use auroraml_core::members::{Impact, Interruption};
use auroraml_core::model::facts::Reached;
use auroraml_core::model::{Intent, Order};
use auroraml_core::plan::Plan;
use auroraml_core::render::{self, Subject, json, progress::Progress};
use auroraml_core::resource::Action;
use std::path::Path;
use std::time::Duration;
use tokio::sync::watch;

/// What a run was asked to do.
pub(super) struct Request<'a> {
    pub intent: Intent,
    pub spec: &'a Path,
    pub terms: &'a Terms,
    pub yes: bool,
    pub events: Option<&'a Path>,
    /// File with a plan that must still be the same.
    pub plan: Option<&'a Path>,
    /// Whether what others made and hangs on the stack goes with it.
    pub sweep: bool,
    /// Whether CloudFormation is asked for change sets.
    pub sets: Wanted,
    /// How it was typed, and with which flags.
    pub typed: Vec<String>,
    pub global: &'a Global,
    pub together: &'a Together,
    pub page: Option<&'a PageFile>,
}

impl Request<'_> {
    fn destroys(&self) -> bool {
        self.intent.destroys()
    }

    /// With a saved plan nothing is done but what was reviewed.
    fn order(&self, reviewed: bool) -> Order {
        Order { reviewed, ..self.terms.order(self.intent) }
    }
}

pub async fn apply(args: &Apply, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    if let Some(paths) = fleet::sources(&args.spec, &args.several)? {
        return many::apply(paths, args, global, printer).await;
    }
    let Apply { spec, several: _, yes, plan, events, sets, terms, together, page } = args;
    let (plan, events) = (plan.as_deref(), events.as_deref());
    let (intent, typed) = (Intent::Apply, args.words());
    let sweep = false;
    let (sets, yes, page) = (*sets, *yes, Some(page));
    let request =
        Request { intent, spec, terms, yes, events, plan, sweep, sets, typed, global, together, page };
    begin(request, printer).await
}

pub async fn destroy(args: &Destroy, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    if let Some(stack) = &args.without.all_tagged {
        return reap::destroy(args, stack, global, printer).await;
    }
    let Destroy { spec, yes, unprotect, plan, events, terms, together, page, .. } = args;
    let (plan, events) = (plan.as_deref(), events.as_deref());
    let (intent, typed) = (Intent::Destroy { unprotect: *unprotect }, args.words());
    let sweep = args.without.sweep;
    let (sets, yes, page) = (Wanted::default(), *yes, Some(page));
    let request =
        Request { intent, spec, terms, yes, events, plan, sweep, sets, typed, global, together, page };
    begin(request, printer).await
}

pub(super) async fn begin(request: Request<'_>, printer: &Printer) -> Result<Exit, Error> {
    with(request, printer, async |_: &Session| Ok(())).await
}

/// Carries out what was asked for; `then` looks at what came of it, if it is done.
pub(super) async fn with(
    request: Request<'_>,
    printer: &Printer,
    then: impl AsyncFnOnce(&Session) -> Result<(), Error>,
) -> Result<Exit, Error> {
    let saved = read_plan(request.plan, request.destroys())?;
    let mut session = Session::open(request.spec, request.global, printer).await?;
    session.let_go(request.terms);
    if request.sweep {
        session.stack.sweep();
    }
    session.stack.final_snapshot = saved.as_ref().and_then(|saved| json::final_snapshot(&saved.plan));
    let result = under_lease(&mut session, request, saved, printer, then).await;
    session.close(result)
}

/// Carries out what was asked for while no other run on the stack does.
pub(super) async fn under_lease(
    session: &mut Session,
    request: Request<'_>,
    saved: Option<SavedPlan>,
    printer: &Printer,
    then: impl AsyncFnOnce(&Session) -> Result<(), Error>,
) -> Result<Exit, Error> {
    change_sets::ask(session, request.sets);
    change_sets::reviewed(session, saved.as_ref());
    let (command, together) = (request.typed.first().cloned().unwrap_or_default(), request.together);
    let sheet = PageFile::of(request.page, &format!("Run of {command}"), session)?;
    let mut held = lease::hold(session, request.global, together, &command, printer).await?;
    let interrupted = held.interrupted();
    let result = tokio::select! {
        result = Box::pin(carry_out(session, request, saved, &mut held, &sheet, printer)) => result,
        () = interrupted => Err(Error::plain(lease::INTERRUPTED)),
    };
    sheet.end(&result);
    sheet.write_at_the_end(printer);
    let result = change_sets::cleared(session, result).await;
    let result = match result {
        Ok(exit) => then(session).await.map(|()| exit),
        Err(error) => Err(error),
    };
    held.end(session, result, printer).await
}

/// The saved plan, if one was named: what was reviewed as a destroy is carried out by `destroy`, and nothing else is.
fn read_plan(path: Option<&Path>, destroys: bool) -> Result<Option<SavedPlan>, Error> {
    let Some(path) = path else { return Ok(None) };
    let saved = files::read_plan(path)?;
    if saved.plan["destroy"].as_bool().unwrap_or_default() == destroys {
        return Ok(Some(saved));
    }
    let (it, command) = match destroys {
        true => ("it is not a plan to destroy", "apply"),
        false => ("it is a plan to destroy", "destroy"),
    };
    let help = format!("carry it out with: auroraml {command} SPEC --plan {}", path.display());
    Err(Error::new(path.display().to_string(), it, help))
}

async fn carry_out(
    session: &Session,
    request: Request<'_>,
    saved: Option<SavedPlan>,
    held: &mut Held,
    sheet: &Sheet,
    printer: &Printer,
) -> Result<Exit, Error> {
    let destroying = request.destroys();
    let order = request.order(saved.is_some());
    let pausing = matches!(request.intent, Intent::Pause { .. });
    let mut subject = session.subject(destroying, request.terms);
    if pausing {
        // To stop everybody is what was asked for.
        subject.allow = Impact::Restart;
    }
    let (prepared, document) = review::prepared(session, &subject, order, saved.as_ref()).await?;
    sheet.plan(session, &subject, &prepared, request.intent);
    if !prepared.plan.blocked.is_empty() {
        return Err(blocked(&prepared.plan));
    }
    // Nobody can say yes to what they have not seen.
    let seen = if request.yes { printer.clone() } else { Printer::new(false) };
    let form = terminal::talk_form(request.global.verbose);
    let asks = !request.yes && terminal::can_ask() && request.spec != Path::new("-");
    let text = match pausing {
        true => render::text::pause(form, &subject, &prepared.plan),
        false if asks => render::text::plan_asked(form, &subject, &prepared.plan),
        false => render::text::plan_in(form, &subject, &prepared.plan),
    };
    seen.talk(&format!("\n{text}"));
    if prepared.plan.is_empty() {
        let reached = prepared.facts.existing.as_ref().map(|existing| &existing.reached);
        sheet.seen(session, &request, (&prepared.observed, reached), &prepared.plan);
        leave_behind(session, &request, &prepared.plan, (&prepared.observed, reached), printer)?;
        if destroying {
            bills::tell(session, printer).await?;
        }
        left_alone(destroying, &prepared.plan)?;
        return pending(&prepared.plan, order);
    }
    let refused = refused(&subject, &prepared.plan, &request);
    // At a terminal a person can allow what they have just read, unless the spec has the last word.
    match refused {
        Some(error) if request.yes || subject.allow_is_final || !terminal::can_ask() => return Err(error),
        refused if !request.yes => {
            let worst = refused.and_then(|_| prepared.plan.beyond(subject.allow).map(|i| i.impact).max());
            confirm(destroying, &subject.stack, &request, worst).await?;
        }
        _ => {}
    }
    let digest = saved.map_or_else(|| sha256(document.to_text().as_bytes()), |saved| saved.sha256);
    held.write_down(session, request.together, Some(digest)).await?;
    let plan = prepared.plan.clone();
    sheet.begin()?;
    let verbose = request.global.verbose;
    let live = Live::start(printer.clone(), session.speed, request.events)?;
    let clock = &session.stack.aws.clock;
    let began = clock.now_ms();
    let (ended, stopped) = run(session, order, prepared, (&live, sheet), held).await;
    // The last look is part of it, and nothing is told of it.
    let seconds = clock.now_ms().saturating_sub(began) / 1000;
    let shown = live.end()?;
    if let Some(error) = &shown.events_error {
        printer.say(&format!("warning: events are missing from the file: {error}\n"));
    }
    let outcome = match ended {
        Ok(outcome) => outcome,
        Err(error) => {
            let mut told = shown.progress.finish("Stopped", seconds, "", verbose);
            told.push_str(&shown.progress.interruptions());
            printer.say(&format!("\n{told}"));
            sheet.fill(|page| page.tell_end(&told));
            return Err(blind(&shown.progress, error));
        }
    };
    let interrupted =
        render::interrupted(terminal::talk_form(verbose), &outcome.permit, outcome.is_complete());
    if !outcome.is_complete() {
        let told = shown.progress.finish("Stopped", seconds, "", verbose);
        printer.say(&format!("\n{told}{interrupted}"));
        sheet.outcome(session, &request, &told, &outcome);
        return Err(incomplete(&outcome, stopped, printer));
    }
    let (what, remark) = match (destroying, outcome.remaining.held().next().is_some()) {
        (_, true) => ("Done", "; some steps are on hold"),
        (true, false) => ("Destroyed", ""),
        (false, false) => ("Done", ""),
    };
    let finish = shown.progress.finish(what, seconds, remark, verbose);
    printer.talk(&format!("\n{finish}{interrupted}"));
    sheet.outcome(session, &request, &finish, &outcome);
    leave_behind(session, &request, &plan, (&outcome.observed, outcome.reached.as_ref()), printer)?;
    if destroying {
        bills::tell(session, printer).await?;
    }
    left_alone(destroying, &outcome.remaining)?;
    pending(&outcome.remaining, order)
}

/// Of a run whose end nobody could look at: what steps met comes first; that nobody can say what is left comes last.
fn blind(progress: &Progress, error: PrepareError) -> Error {
    let failures = progress.failures().map(|(id, why)| Trouble {
        object: Some(id.to_string()),
        why: why.into(),
        help: None,
    });
    Error { exit: Exit::Incomplete, troubles: failures.chain(no_plan(error).troubles).collect() }
}

/// What a finished command leaves behind: of a destroy what AWS keeps, otherwise what a program needs.
fn leave_behind(
    session: &Session,
    request: &Request<'_>,
    plan: &Plan,
    (observed, reached): (&Observed, Option<&Reached>),
    printer: &Printer,
) -> Result<(), Error> {
    if matches!(request.intent, Intent::Pause { .. }) {
        printer.talk(&pause::ended(session, observed, request));
    } else if request.destroys() {
        printer.text(&lingering(plan, session.stack.aws.clock.now_ms()))?;
    } else {
        let stack = stack(session, observed, reached, request.spec, request.global);
        printer.text(&stack.use_text(terminal::form(request.global.verbose)))?;
    }
    Ok(())
}

/// What a destroy has left under the stack's name or tags is not nothing.
fn left_alone(destroying: bool, plan: &Plan) -> Result<(), Error> {
    if !destroying || plan.left_alone.is_empty() {
        return Ok(());
    }
    let troubles = plan.left_alone.iter().map(|left| Trouble {
        object: Some(left.id.to_string()),
        why: format!("not deleted: {}", left.why),
        help: Some(left.hint.clone()),
    });
    Err(Error { exit: Exit::Incomplete, troubles: troubles.collect() })
}

/// Runs the plan, and listens for signals meanwhile.
async fn run(
    session: &Session,
    order: Order,
    prepared: Prepared,
    (live, sheet): (&Live, &Sheet),
    held: &Held,
) -> (Result<Outcome, PrepareError>, bool) {
    let (stop, stopped) = watch::channel(false);
    let listener = sheet.listener(live.listener());
    let mut interrupts = held.interrupts();
    let signals = tokio::spawn({
        let (clock, listener, lost) = (session.stack.aws.clock.clone(), listener.clone(), held.lost());
        let sheet = sheet.clone();
        async move {
            tokio::select! {
                () = interrupts.next() => {}
                // Nothing can be changed any more: what waits need not wait.
                () = lost => {}
            }
            listener.tell(clock.now_ms(), &Event::Stopping);
            // If nobody receives it the run is over.
            let _ = stop.send(true);
            interrupts.next().await;
            sheet.cut_off();
            std::process::exit(Exit::Incomplete as i32);
        }
    });
    let ended = reconcile(&session.stack, order, prepared, stopped.clone(), listener).await;
    let was_stopped = *stopped.borrow();
    signals.abort();
    (ended, was_stopped)
}

/// Why the plan goes further than may be, if it does.
fn refused(subject: &Subject, plan: &Plan, request: &Request<'_>) -> Option<Error> {
    let why = render::refusal(subject, plan)?;
    let beyond: Vec<&Interruption> = plan.beyond(subject.allow).collect();
    let what: Vec<&str> = beyond.iter().map(|interruption| interruption.what.as_str()).collect();
    let worst = beyond.iter().map(|interruption| interruption.impact).max();
    let help = match worst.and_then(AllowArgument::for_impact) {
        Some(allow) if !subject.allow_is_final => {
            let command = hint::command(hint::allowing(request.typed.clone(), allow), request.global);
            let ways = render::ways_out(subject, plan).map(|ways| format!("{ways}. ")).unwrap_or_default();
            let ways = ways.trim_start_matches("or ");
            format!("{}To allow it now: {command}", capital(ways))
        }
        _ => match render::ways_out(subject, plan) {
            Some(ways) => format!("change `allow` under `restart` in the spec, {ways}"),
            None => "change `allow` under `restart` in the spec, or wait until less is needed".into(),
        },
    };
    let why = format!("refused, nothing was changed: the plan would {}; {why}", what.join(", "));
    Some(Error::new(&subject.stack, why, help).with(Exit::Refused))
}

fn blocked(plan: &Plan) -> Error {
    let troubles = plan.blocked.iter().map(|blocked| Trouble {
        object: Some(blocked.id.to_string()),
        why: blocked.why.clone(),
        help: Some(blocked.hint.clone()),
    });
    let mut troubles: Vec<Trouble> = troubles.collect();
    troubles.push(Trouble {
        object: None,
        why: "the plan is blocked: nothing was changed".into(),
        help: None,
    });
    Error { exit: Exit::Refused, troubles }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Every failure once, then what is left.
fn incomplete(outcome: &Outcome, stopped: bool, printer: &Printer) -> Error {
    let failed = outcome.reports.iter().flat_map(|report| &report.failed);
    let mut troubles: Vec<Trouble> = failed
        .map(|(id, failure)| Trouble {
            object: Some(match now(&outcome.observed, id) {
                // A job that has failed: why it has is said once.
                state if failure.to_string().contains(&state) => id.to_string(),
                state => format!("{id} ({state})"),
            }),
            why: failure.to_string(),
            help: Some(failure.hint().into()),
        })
        .collect();
    troubles.extend(outcome.remaining.blocked.iter().map(|blocked| Trouble {
        object: Some(blocked.id.to_string()),
        why: blocked.why.clone(),
        help: Some(blocked.hint.clone()),
    }));
    let mut text = String::from("Left to do:\n");
    let left: Vec<_> = outcome.remaining.work().collect();
    for step in &left {
        let state = now(&outcome.observed, &step.id);
        let line = format!("  {} {} ({state})", render::sign(step.action), step.id);
        text.push_str(&format!("{}\n", render::plain::line(&line)));
    }
    let held: Vec<_> = outcome.remaining.held().collect();
    for step in &held {
        let line = format!("  {} (on hold: {})", step.id, step.held.as_deref().unwrap_or_default());
        text.push_str(&format!("{}\n", render::plain::line(&line)));
    }
    match left.is_empty() && held.is_empty() {
        true => printer.say("Nothing is left to do.\n"),
        false => printer.say(&text),
    }
    if troubles.is_empty() {
        let interrupts = outcome.remaining.interruptions().next().is_some();
        let (why, help) = match (stopped, outcome.reports.iter().all(Report::is_complete)) {
            _ if !outcome.unreviewed.is_empty() => (
                "the rest was not in the reviewed plan and was left alone",
                "save a new plan, review it and apply it",
            ),
            (true, _) => ("the run was stopped", "run the same command again to continue"),
            (false, true) if interrupts => (
                "unplanned: what is left would interrupt members, which is not in the plan",
                "run the same command again to see the new plan and allow it",
            ),
            (false, true) => (
                "it still differs from the spec after several rounds",
                "run the same command again to continue",
            ),
            (false, false) => ("not everything was done", "run the same command again to continue"),
        };
        troubles.push(Trouble { object: None, why: why.into(), help: Some(help.into()) });
    }
    Error { exit: Exit::Incomplete, troubles }
}

/// What was last seen of a resource.
fn now(observed: &Observed, id: &Id) -> String {
    match observed.get(id).map(|live| &live.state) {
        None => "does not exist".into(),
        Some(State::Ready) => "exists".into(),
        Some(State::Busy(why) | State::Failed(why) | State::Broken(why)) => why.clone(),
    }
}

/// What a destroy leaves on AWS's side.
fn lingering(plan: &Plan, now: u64) -> String {
    let kept = plan.kept.iter().map(|id| {
        let said = format!("{id} is kept, ");
        let note = plan.notes.iter().find(|note| note.starts_with(&said));
        note.cloned().unwrap_or_else(|| format!("{said}as the spec says"))
    });
    let mut lines: Vec<String> = kept.collect();
    for step in plan.work().filter(|step| step.action == Action::Delete) {
        if let Some(name) = step.options.get("final_snapshot") {
            lines.push(format!("the final snapshot {name} is kept until you delete it"));
        }
        let days = step.options.get("recovery_window_days").and_then(|days| days.parse::<u64>().ok());
        if let Some(days) = days.filter(|days| *days > 0) {
            let until = now + u64::try_from(Duration::from_secs(days * 86_400).as_millis()).unwrap_or(0);
            let until = super::time(until);
            let date = until.split('T').next().unwrap_or_default();
            lines.push(format!("{} can be restored until {date}; until then its name is taken", step.id));
        }
    }
    match lines.is_empty() {
        true => String::new(),
        false => {
            let lines = lines.iter().map(|line| format!("  {}\n", render::plain::line(line)));
            format!("\nStill there:\n{}", lines.collect::<String>())
        }
    }
}
