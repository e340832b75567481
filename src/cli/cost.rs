//! `cost`: what stacks cost, now and as their specs want them.

use super::args::Global;
use super::exit::{Error, Exit};
use super::files;
use super::fleet::{self, Fleet, Several, Shape, Told};
use super::page::PageFile;
use super::printer::Printer;
use super::session::{Session, no_plan, parse};
use super::terminal;
use auroraml::run::prices::ask;
use auroraml::run::reconcile::{PrepareError, survey};
use auroraml_core::base::Observed;
use auroraml_core::base::names::Place;
use auroraml_core::cost::{
    Decimal, Estimate, PriceTable, TABLE_MAX, Terms, Usage, Variants, When, live, wanted,
};
use auroraml_core::engine::{AURORA_MYSQL, Offered};
use auroraml_core::model::facts::{ExistingFacts, Facts};
use auroraml_core::model::{self, Intent, Order};
use auroraml_core::plan::Plan;
use auroraml_core::render::cost::{Chart, Report};
use auroraml_core::resource::{Deletions, Graph};
use auroraml_core::spec::Spec;
use clap::{Args, ValueEnum};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Bytes of a file with guesses.
const USAGE_MAX: usize = 64 << 10;

/// Show what a stack costs per hour and month, now and after apply. Changes nothing.
///
/// Prices are built in for some regions, with their date. Costs that depend on use are included only if you estimate it with
/// --usage, per month: hours_a_day, acu, storage_gib, io_million, backup_gib, data_api_requests, nat_gb, endpoint_gb,
/// bucket_gb, secret_calls, predictions, prediction_ms, sentiment_units.
#[derive(Debug, Args)]
pub struct Cost {
    /// The spec, or a folder of specs; `-` reads stdin.
    pub spec: PathBuf,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    pub format: CostFormat,
    /// Use the prices in FILE (YAML or JSON) before the built-in ones.
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
    /// Use AWS's current price list before the built-in prices.
    #[arg(long)]
    pub live: bool,
    /// Estimated use per month: NAME=NUMBER, or a YAML file with several. Can be repeated.
    #[arg(long, value_name = "FILE|NAME=NUMBER")]
    pub usage: Vec<String>,
    /// Show only what the spec would cost, without AWS.
    #[arg(long, conflicts_with = "live")]
    pub offline: bool,
    #[command(flatten)]
    pub several: Several,
    #[command(flatten)]
    pub page: PageFile,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CostFormat {
    #[default]
    Text,
    Json,
    /// For a comment on a pull request.
    Markdown,
}

/// What the arguments say of prices and use.
struct Given {
    prices: Option<(PriceTable, String)>,
    usage: Usage,
}

impl Given {
    fn read(args: &Cost) -> Result<Given, Error> {
        let mut usage = Usage::default();
        for given in &args.usage {
            let read = match given.split_once('=') {
                Some((name, number)) => usage.set(name, number),
                None => usage.read(&files::read_text(Path::new(given), USAGE_MAX)?),
            };
            read.map_err(|why| Error::new(format!("--usage {given}"), why, "see: auroraml cost --help"))?;
        }
        let prices = match &args.prices {
            None => None,
            Some(path) => {
                let name = path.display().to_string();
                let table = PriceTable::parse(&files::read_text(path, TABLE_MAX)?);
                let help = "see docs/costs.md for its format";
                Some((table.map_err(|why| Error::new(&name, why, help))?, name))
            }
        };
        Ok(Given { prices, usage })
    }

    /// The prices of a region, with those of the file over them.
    fn terms(&self, region: &str, deletions: Deletions, notes: &mut Vec<String>) -> Terms {
        let mut terms = Terms { usage: self.usage.clone(), deletions, ..Terms::built_in(region) };
        match &self.prices {
            Some((table, name)) if table.region.is_empty() || table.region == region => {
                terms.prices.lay_over(table, name);
            }
            Some((table, name)) => {
                notes.push(format!("the prices in {name} are for {}, and were not used", table.region));
            }
            None => {}
        }
        terms
    }
}

pub async fn cost(args: &Cost, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let given = Given::read(args)?;
    if args.offline {
        return offline(args, &given, global, printer);
    }
    let Some(paths) = fleet::sources(&args.spec, &args.several)? else {
        let session = Session::open(&args.spec, global, printer).await?;
        let told = told(&session, args, &given, printer).await;
        return session.close(told.map(|_| Exit::Done));
    };
    let shape = match args.format {
        CostFormat::Text => Shape::Prose,
        CostFormat::Json => Shape::Json,
        CostFormat::Markdown => Shape::Markdown,
    };
    let sum = RefCell::new((Decimal::ZERO, Decimal::ZERO));
    let fleet = Fleet { paths, parallel: args.several.parallel, shape };
    let done = fleet.each(global, printer, async |session, printer| {
        let report = told(session, args, &given, printer).await?;
        let total = report.after.total(When::Running);
        let mut sum = sum.borrow_mut();
        *sum = (sum.0 + total.monthly, sum.1 + total.monthly_up_to);
        Ok(Told { exit: Exit::Done, result: report.result() })
    });
    let done = done.await?;
    all(*sum.borrow(), args.format, printer)?;
    Ok(done)
}

/// What all stacks cost together.
fn all((least, most): (Decimal, Decimal), format: CostFormat, printer: &Printer) -> Result<(), Error> {
    let month = match least == most {
        true => least.rounded(2),
        false => format!("{} to {}", least.rounded(2), most.rounded(2)),
    };
    let text = format!("Total: {month} USD per month\n");
    match format {
        CostFormat::Text => printer.data(&text),
        CostFormat::Markdown => printer.data(&format!("\n**{}**\n", text.trim_end())),
        CostFormat::Json => {
            printer.talk(&text);
            Ok(())
        }
    }
}

/// Looks at a stack and prints what it costs.
async fn told(session: &Session, args: &Cost, given: &Given, printer: &Printer) -> Result<Report, Error> {
    let stack = &session.stack;
    let (aws, spec) = (&stack.aws, &stack.spec);
    // Nobody is woken for a bill.
    let order = Order { wake: false, ..Intent::Apply.into() };
    let survey = survey(stack, order).await.map_err(no_plan)?;
    let (graph, plan, _) = survey.planned.map_err(|problems| no_plan(PrepareError::Preflight(problems)))?;
    let (variants, mut notes) = (survey.variants, survey.unread);
    let deletions = deletions(spec, &aws.place, &survey.facts);
    let terms = given.terms(&aws.place.region, deletions, &mut notes);
    let mut terms = Terms { variants, ..terms };
    let (observed, leaving) = (&survey.observed, plan.leaving());
    if args.live {
        let before = live(observed, Some(&graph), &terms).prices;
        let keys: BTreeSet<String> =
            wanted(&graph, observed, &leaving, &terms).prices.into_iter().chain(before).collect();
        let asked = Box::pin(ask(aws, &keys)).await;
        if !asked.table.is_empty() {
            terms.prices.lay_over(&asked.table, "AWS's current price list");
        }
        notes.extend(asked.notes);
        // What a person wrote into a file is what they pay.
        if let Some((table, name)) = &given.prices
            && (table.region.is_empty() || table.region == aws.place.region)
        {
            terms.prices.overrides.retain(|over| !over.ends_with(&format!("from {name}")));
            terms.prices.lay_over(table, name);
        }
    }
    let before = live(observed, Some(&graph), &terms);
    let after = wanted(&graph, observed, &leaving, &terms);
    let report = report(&aws.place, Some(before), after, terms, notes);
    let sheet = PageFile::of(Some(&args.page), "Cost", session)?;
    sheet.fill(|page| page.tell_cost(report.clone()));
    sheet.write()?;
    show(&report, args, printer)?;
    Ok(report)
}

fn report(
    place: &Place,
    before: Option<Estimate>,
    after: Estimate,
    terms: Terms,
    notes: Vec<String>,
) -> Report {
    let Terms { prices, usage, .. } = terms;
    let (stack, region) = (place.stack.clone(), place.region.clone());
    Report { stack, region, before, after, prices, usage, notes }
}

fn show(report: &Report, args: &Cost, printer: &Printer) -> Result<(), Error> {
    printer.data(&match args.format {
        CostFormat::Text => report.to_text(chart()),
        CostFormat::Json => report.to_json(),
        CostFormat::Markdown => report.to_markdown(),
    })
}

/// A chart is for a person at a terminal.
fn chart() -> Option<Chart> {
    let width = || terminal::form(false).width.unwrap_or_else(|| terminal::size().0);
    terminal::is_shown().then(|| Chart { width: width(), unicode: terminal::is_unicode() })
}

/// How the things of the stack go when it is destroyed; nothing where that cannot be said.
fn deletions(spec: &Spec, place: &Place, facts: &Facts) -> Deletions {
    let intent = Intent::Destroy { unprotect: true };
    model::build(spec, place, facts, intent).map(|graph| graph.deletions).unwrap_or_default()
}

/// What specs come to, without AWS.
fn offline(args: &Cost, given: &Given, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let several = fleet::sources(&args.spec, &args.several)?;
    let paths = several.clone().unwrap_or_else(|| vec![args.spec.clone()]);
    let (mut sum, mut worst) = ((Decimal::ZERO, Decimal::ZERO), Exit::Done);
    for (n, path) in paths.iter().enumerate() {
        if n > 0 && args.format != CostFormat::Json {
            printer.data("\n")?;
        }
        match imagined_cost(path, given, global, printer) {
            Ok(report) => {
                page_of_many(args, several.is_some(), &report)?;
                let total = report.after.total(When::Running);
                sum = (sum.0 + total.monthly, sum.1 + total.monthly_up_to);
                show(&report, args, printer)?;
            }
            // One that is not good does not stop the others.
            Err(error) if several.is_some() => {
                printer.error(&error);
                worst = Exit::Error;
            }
            Err(error) => return Err(error),
        }
    }
    if several.is_some() {
        printer.talk("\n");
        all(sum, args.format, printer)?;
    }
    Ok(worst)
}

/// Writes the page of a stack that nobody looked at.
fn page_of_many(args: &Cost, is_one_of_many: bool, report: &Report) -> Result<(), Error> {
    let mut page = args.page.clone();
    if let (Some(folder), true) = (&mut page.html, is_one_of_many) {
        files::make_folder(folder)?;
        folder.push(format!("{}.{}.html", report.stack, report.region));
    }
    let sheet = page.offline("Cost", &report.stack, &report.region);
    sheet.fill(|page| page.tell_cost(report.clone()));
    sheet.write()
}

/// What a plan does to the bill, thing by thing, by the built-in prices. `whole` is what the spec wants when it is
/// applied, `variants` what is behind live endpoints.
pub fn of_plan(
    session: &Session,
    (whole, graph): (&Graph, &Graph),
    observed: &Observed,
    plan: &Plan,
    variants: &Variants,
) -> Report {
    let place = &session.stack.aws.place;
    let (deletions, variants) = (graph.deletions.clone(), variants.clone());
    let terms = Terms { deletions, variants, ..Terms::built_in(&place.region) };
    let before = live(observed, Some(whole), &terms);
    let after = wanted(graph, observed, &plan.leaving(), &terms);
    report(place, Some(before), after, terms, Vec::new())
}

/// What a spec comes to in an account in which nothing is there yet, as far as that can be said without asking.
pub struct Imagined {
    pub spec: Spec,
    pub place: Place,
    pub facts: Facts,
    pub graph: Graph,
}

/// # Errors
/// When the spec is not good, or could not be carried out anywhere.
pub fn imagined(path: &Path, global: &Global, printer: &Printer) -> Result<Imagined, Error> {
    let source = files::read_spec(path)?;
    let spec = parse(&source, global, printer)?;
    // No price depends on the account.
    let place = Place::new(spec.stack.clone(), spec.region.clone(), "000000000000").with(model::names(&spec));
    let facts = imagined_facts(&spec, &source.folder);
    let graph: Graph = model::build(&spec, &place, &facts, Intent::Apply)
        .map_err(|problems| no_plan(PrepareError::Preflight(problems)))?;
    Ok(Imagined { spec, place, facts, graph })
}

fn imagined_cost(path: &Path, given: &Given, global: &Global, printer: &Printer) -> Result<Report, Error> {
    let Imagined { spec, place, facts, graph } = imagined(path, global, printer)?;
    let mut notes = vec!["offline: what exists now is unknown".to_string()];
    let terms = given.terms(&place.region, deletions(&spec, &place, &facts), &mut notes);
    let after = wanted(&graph, &Observed::new(), &BTreeSet::new(), &terms);
    Ok(report(&place, None, after, terms, notes))
}

/// What the model must know of an account in which nothing is there yet: zones and versions as the spec needs them, on
/// none of which a price depends.
fn imagined_facts(spec: &Spec, folder: &Path) -> Facts {
    let files = files::beside(folder);
    let hash = |content: Vec<u8>| Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    let read = spec
        .files()
        .into_iter()
        .map(|path| (path.to_string(), files(path).map(hash).map_err(|error| error.to_string())));
    // It has all that SQL may call.
    let able = "8.0.mysql_aurora.3.10.2".to_string();
    let wanted = match &spec.aurora {
        Some(auroraml_core::spec::Aurora::Owned(cluster)) => Some(cluster.engine_version.clone()),
        _ => None,
    };
    let theirs = wanted.is_none().then(|| able.clone());
    let wanted = wanted.unwrap_or_default();
    let versions = [
        able,
        wanted.clone(),
        format!("{wanted}.0"),
        format!("8.0.mysql_aurora.{wanted}"),
        format!("8.0.mysql_aurora.{wanted}.0"),
    ];
    let offered = versions.map(|version| Offered { family: (AURORA_MYSQL.family)(&version), version });
    Facts {
        zones: ["a", "b", "c", "d", "e", "f"].map(|letter| format!("{}{letter}", spec.region)).into(),
        engine_versions: offered.into(),
        live_engine_version: theirs,
        existing: Some(ExistingFacts {
            engine: "aurora-mysql".into(),
            status: "available".into(),
            parameter_group: "theirs".into(),
            role_quota: 5,
            ..ExistingFacts::default()
        }),
        files: read.collect(),
        ..Facts::default()
    }
}
