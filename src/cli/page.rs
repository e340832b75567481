//! `--html`: a page of what a command found or did, beside what it prints.

use super::carry_out::Request;
use super::exit::{Error, Exit};
use super::fleet::plan_file;
use super::printer::Printer;
use super::session::Session;
use super::{cost, files, hint, status};
use auroraml::run::reconcile::{Outcome, Prepared, Survey};
use auroraml_clock::Clock;
use auroraml_core::base::Observed;
use auroraml_core::events::{Event, Listener};
use auroraml_core::model::facts::Reached;
use auroraml_core::model::{self, Intent};
use auroraml_core::plan::Plan;
use auroraml_core::render::Subject;
use auroraml_core::render::graph::Picture;
use auroraml_core::render::html::timeline::Timeline;
use auroraml_core::render::html::{Page, Tone, Trouble};
use auroraml_core::resource::Graph;
use clap::Args;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Clone, Debug, Default, Args)]
pub struct PageFile {
    /// Also write a self-contained HTML page to FILE. With several stacks, FILE is a folder with one page for each.
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
}

impl PageFile {
    /// The flag, if it was given.
    pub fn words(&self) -> Vec<String> {
        hint::path("--html", self.html.as_deref())
    }

    /// A page about a session's stack, if somebody wants one.
    ///
    /// # Errors
    /// When the folder for the pages of several stacks cannot be made.
    pub fn of(wanted: Option<&PageFile>, what: &str, session: &Session) -> Result<Sheet, Error> {
        let place = &session.stack.aws.place;
        let page = Page {
            what: what.into(),
            stack: place.stack.clone(),
            account: Some(place.account.clone()),
            region: place.region.clone(),
            ..Page::default()
        };
        let file = wanted.and_then(|wanted| wanted.html.as_ref());
        let file = match (file, session.is_one_of_many()) {
            (Some(folder), true) => {
                files::make_folder(folder)?;
                Some(plan_file(folder, session).with_extension("html"))
            }
            (file, _) => file.cloned(),
        };
        Ok(Sheet::new(file, page, session.stack.aws.clock.clone()))
    }

    /// A page about a stack that nobody looked at.
    pub fn offline(&self, what: &str, stack: &str, region: &str) -> Sheet {
        let (what, stack, region) = (what.into(), stack.into(), region.into());
        let page = Page { what, stack, region, ..Page::default() };
        Sheet::new(self.html.clone(), page, Clock::real())
    }
}

/// A page that a command fills in, if somebody wants one.
#[derive(Clone)]
pub struct Sheet {
    file: Option<PathBuf>,
    page: Arc<Mutex<Page>>,
    clock: Clock,
}

impl Sheet {
    fn new(file: Option<PathBuf>, page: Page, clock: Clock) -> Sheet {
        let page = Page { version: env!("CARGO_PKG_VERSION").into(), ..page };
        Sheet { file, page: Arc::new(Mutex::new(page)), clock }
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fills something in; where nobody wants a page, nothing is computed.
    pub fn fill(&self, what: impl FnOnce(&mut Page)) {
        if self.file.is_some() {
            what(&mut self.page());
        }
    }

    /// A plan, its picture, and what it does to the bill.
    pub fn plan(&self, session: &Session, subject: &Subject, prepared: &Prepared, intent: Intent) {
        let Prepared { graph, observed, plan, variants, .. } = prepared;
        self.fill(|page| {
            let whole = whole(session, prepared, intent);
            let whole = whole.as_ref().unwrap_or(graph);
            let place = &session.stack.aws.place;
            page.tell_plan(subject, plan);
            let stays = intent == Intent::Apply;
            page.picture = Some(Picture::of_plan(&place.stack, &place.region, whole, plan, !stays));
            if plan.blocked.is_empty() {
                page.cost = Some(cost::of_plan(session, (whole, graph), observed, plan, variants));
            }
        });
    }

    /// Whatever listens, with a timeline of the same events on the page.
    pub fn listener(&self, listener: Arc<dyn Listener>) -> Arc<dyn Listener> {
        match self.file {
            Some(_) => Arc::new(Both { sheet: self.clone(), listener }),
            None => listener,
        }
    }

    /// What is there, and what is left to do, after a run. `told`: what is said of its end.
    pub(super) fn outcome(&self, session: &Session, request: &Request<'_>, told: &str, outcome: &Outcome) {
        self.fill(|page| {
            page.tell_end(told);
            let place = &session.stack.aws.place;
            let remaining = &outcome.remaining;
            if remaining.work().chain(remaining.held()).next().is_some() {
                // What needs what is on the other picture.
                let left = Picture::of_plan(&place.stack, &place.region, &Graph::default(), remaining, true);
                page.left = Some(left);
            }
        });
        self.seen(session, request, (&outcome.observed, outcome.reached.as_ref()), &outcome.remaining);
    }

    /// What is there, unless it was to go. `reached`: how clients reach the cluster of others that the spec names.
    pub(super) fn seen(
        &self,
        session: &Session,
        request: &Request<'_>,
        (observed, reached): (&Observed, Option<&Reached>),
        plan: &Plan,
    ) {
        if request.intent.destroys() {
            return;
        }
        self.fill(|page| {
            let mut stack = status::stack(session, observed, reached, request.spec, request.global);
            stack.compare(plan);
            page.status = Some(stack);
        });
    }

    /// Says that something goes on, and tries whether the page can be written: better now than when all is over.
    ///
    /// # Errors
    /// When it cannot.
    pub fn begin(&self) -> Result<(), Error> {
        self.fill(|page| {
            page.timeline = Some(Timeline::default());
            page.tone = Tone::Attention;
            page.headline = "The run has started. This page is updated when it ends.".into();
        });
        self.write()
    }

    /// Writes it while the run still goes on, because it is about to be cut off.
    pub fn cut_off(&self) {
        self.fill(|page| {
            page.tone = Tone::Bad;
            page.headline = "The run was interrupted. Run the same command again to continue.".into();
            if let Some(timeline) = &mut page.timeline {
                timeline.reach(self.clock.now_ms());
            }
        });
        // Nobody is left to tell.
        let _ = self.write();
    }

    /// What is there, against what the spec wants.
    pub fn status(&self, session: &Session, survey: &Survey) {
        let Ok((graph, plan, _)) = &survey.planned else { return };
        let (observed, variants) = (&survey.observed, &survey.variants);
        self.fill(|page| {
            let place = &session.stack.aws.place;
            page.picture = Some(Picture::of_plan(&place.stack, &place.region, graph, plan, false));
            page.cost = Some(cost::of_plan(session, (graph, graph), observed, plan, variants));
        });
    }

    /// Says how it ended.
    pub fn end(&self, result: &Result<Exit, Error>) {
        self.fill(|page| {
            let now = self.clock.now_ms();
            let ran = page.timeline.is_some();
            if let Some(timeline) = &mut page.timeline {
                timeline.reach(now);
            }
            match result {
                Ok(_) => page.tone = Tone::Good,
                Err(error) => {
                    page.tone = if ran { Tone::Bad } else { Tone::Attention };
                    let troubles = error.troubles.iter();
                    page.troubles = troubles
                        .map(|one| Trouble {
                            object: one.object.clone(),
                            why: one.why.clone(),
                            help: one.help.clone(),
                        })
                        .collect();
                    if !ran {
                        page.headline = "Nothing was changed.".into();
                    }
                }
            }
        });
    }

    /// Writes the page, readable by its owner only, as it is now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self) -> Result<(), Error> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut page = self.page();
        page.made = super::time(self.clock.now_ms());
        files::write(file, &page.to_html())
    }

    /// Writes it as the last thing of a run, which it does not make a failure.
    pub fn write_at_the_end(&self, printer: &Printer) {
        if let Err(error) = self.write() {
            for trouble in &error.troubles {
                let object = trouble.object.clone().unwrap_or_default();
                printer.say(&format!("warning: {object}: the page {}\n", trouble.why));
            }
        }
    }
}

/// What the spec wants when it is applied, where the plan is of something else: it says what needs what.
fn whole(session: &Session, prepared: &Prepared, intent: Intent) -> Option<Graph> {
    let (spec, place) = (&session.stack.spec, &session.stack.aws.place);
    match intent {
        Intent::Apply => None,
        _ => model::build(spec, place, &prepared.facts, Intent::Apply).ok(),
    }
}

struct Both {
    sheet: Sheet,
    listener: Arc<dyn Listener>,
}

impl Listener for Both {
    fn tell(&self, at: u64, event: &Event) {
        self.listener.tell(at, event);
        self.sheet.fill(|page| page.timeline.get_or_insert_default().tell(at, event));
    }
}
