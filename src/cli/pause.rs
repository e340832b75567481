//! `pause` and `resume`: what bills by the hour stops, and comes back.

use super::args::{Global, Terms};
use super::carry_out::{Request, begin, with};
use super::change_sets::Wanted;
use super::exit::{Error, Exit};
use super::hint;
use super::lease::Together;
use super::page::PageFile;
use super::printer::Printer;
use super::session::Session;
use auroraml::verify;
use auroraml_core::base::{Id, Observed};
use auroraml_core::model::Intent;
use auroraml_core::render;
use auroraml_core::spec::Aurora;
use clap::Args;
use std::path::PathBuf;

/// Stop what costs money by the hour, until resume: stops cluster and notebook, deletes endpoints.
///
/// Models, configurations, rows and files are kept. AWS starts a stopped cluster after 7 days: run this on a schedule to
/// stop it again.
#[derive(Debug, Args)]
pub struct Pause {
    /// The spec; `-` reads stdin.
    pub spec: PathBuf,
    /// Also delete NAT gateways and their addresses; resume creates new ones with other addresses.
    #[arg(long)]
    pub nat: bool,
    /// Do not ask for confirmation. Needed without a terminal, as in a pipeline.
    #[arg(long)]
    pub yes: bool,
    /// Also delete this endpoint, which others created. Can be repeated.
    #[arg(long, value_name = "KIND.NAME")]
    pub delete: Vec<String>,
    /// Write events to FILE, one JSON object per line.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    #[command(flatten)]
    pub together: Together,
    #[command(flatten)]
    pub page: PageFile,
}

/// Start a paused stack, and check that the database responds.
///
/// Does what apply does: other differences from the spec are changed too, and the plan shows them.
#[derive(Debug, Args)]
pub struct Resume {
    /// The spec; `-` reads stdin.
    pub spec: PathBuf,
    /// Do not ask for confirmation. Needed without a terminal, as in a pipeline.
    #[arg(long)]
    pub yes: bool,
    /// Write events to FILE, one JSON object per line.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    #[command(flatten)]
    pub terms: Terms,
    #[command(flatten)]
    pub together: Together,
    #[command(flatten)]
    pub page: PageFile,
}

impl Pause {
    /// The words with which it was typed.
    fn words(&self) -> Vec<String> {
        let Pause { spec, nat, yes, delete, events, together, page } = self;
        let mut words = vec!["pause".into(), spec.display().to_string()];
        words.extend(nat.then(|| "--nat".into()));
        words.extend(delete.iter().flat_map(|id| ["--delete".into(), id.clone()]));
        words.extend(hint::path("--events", events.as_deref()));
        words.extend(together.words());
        words.extend(page.words());
        words.extend(yes.then(|| "--yes".into()));
        words
    }
}

impl Resume {
    /// The words with which it was typed.
    fn words(&self) -> Vec<String> {
        let Resume { spec, yes, events, terms, together, page } = self;
        let mut words = vec!["resume".into(), spec.display().to_string()];
        words.extend(hint::path("--events", events.as_deref()));
        words.extend(hint::terms(terms));
        words.extend(together.words());
        words.extend(page.words());
        words.extend(yes.then(|| "--yes".into()));
        words
    }
}

pub async fn pause(args: &Pause, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let Pause { spec, nat, yes, delete, events, together, page } = args;
    // Whoever pauses means now, and knows that everybody is interrupted.
    let terms = &Terms { now: true, delete: delete.clone(), ..Terms::default() };
    let (intent, typed, events) = (Intent::Pause { nat: *nat }, args.words(), events.as_deref());
    let sweep = false;
    begin(
        Request {
            intent,
            spec,
            terms,
            yes: *yes,
            events,
            plan: None,
            sweep,
            sets: Wanted::default(),
            typed,
            global,
            together,
            page: Some(page),
        },
        printer,
    )
    .await
}

pub async fn resume(args: &Resume, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let Resume { spec, yes, events, terms, together, page } = args;
    let (intent, typed, events) = (Intent::Apply, args.words(), events.as_deref());
    let sweep = false;
    let request = Request {
        intent,
        spec,
        terms,
        yes: *yes,
        events,
        plan: None,
        sweep,
        sets: Wanted::default(),
        typed,
        global,
        together,
        page: Some(page),
    };
    with(request, printer, async |session: &Session| answers(session, printer).await).await
}

/// Whether the database answers again, where it can be asked. Whether its wiring works is another question, which
/// `verify` answers.
async fn answers(session: &Session, printer: &Printer) -> Result<(), Error> {
    let stack = &session.stack;
    match &stack.spec.aurora {
        Some(Aurora::Owned(cluster)) if cluster.data_api => {}
        _ => return Ok(()),
    }
    if let Err(failure) = verify::answers(stack).await {
        let why = format!("everything is started, but the database does not respond: {failure}");
        return Err(Error::new(&stack.spec.stack, why, failure.hint()).with(Exit::Incomplete));
    }
    printer.talk("Resumed: the database responds.\n");
    Ok(())
}

/// What a pause ends with: until when it lasts, and what ends it.
pub fn ended(session: &Session, observed: &Observed, request: &Request<'_>) -> String {
    let resume = hint::command(["resume".into(), hint::spec(request.spec)], request.global);
    let cluster = observed.get(&Id::new("cluster", "main"));
    let starts =
        cluster.filter(|live| live.props["running"] == false).and_then(|live| live.output("starts_at"));
    let starts = starts.map(|at| {
        format!("AWS starts the cluster by itself at {}: run pause again then.\n", render::plain::line(at))
    });
    format!("Paused: {}. Resume with: {resume}\n{}", session.stack.spec.stack, starts.unwrap_or_default())
}
