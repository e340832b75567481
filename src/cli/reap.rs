//! `reap`, and a destroy without the spec: stacks that are found by their tags.

use super::args::{Destroy, Global, Terms};
use super::carry_out::{Request, under_lease};
use super::change_sets::Wanted;
use super::exit::{Error, Exit, Trouble};
use super::fleet::{self, Several};
use super::lease::Together;
use super::printer::Printer;
use super::session::{Host, Session, no_plan};
use super::time;
use super::{files, hint, session};
use auroraml::run::found::{self, Found};
use auroraml::run::reconcile::PrepareError;
use auroraml_core::model::Intent;
use auroraml_core::render::plain;
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Destroy the stacks that have expired (`expires_after`). Finds them by their tags, without specs.
///
/// A stack's age is that of its oldest object. Protected objects are listed and kept.
#[derive(Debug, Args)]
pub struct Reap {
    /// Only the stacks of these specs, or of the specs in a folder. Only name and region are read from them.
    #[arg(value_name = "SPEC")]
    pub specs: Vec<PathBuf>,
    /// Region to look in. Can be repeated.
    #[arg(long, required_unless_present = "specs", conflicts_with = "specs", value_name = "REGION")]
    pub region: Vec<String>,
    /// Only this stack. Can be repeated.
    #[arg(long, conflicts_with = "specs", value_name = "NAME")]
    pub stack: Vec<String>,
    /// Only list expired stacks, and exit with 2 if there are any.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask for confirmation. Needed without a terminal, as in a pipeline.
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub together: Together,
}

/// How a destroy does without the spec, and what else it takes along.
#[derive(Debug, Default, Args)]
pub struct Without {
    /// Destroy this stack without its spec: everything found by its tags, IAM path and names.
    #[arg(long, value_name = "STACK", conflicts_with_all = ["spec", "plan", "html"], requires = "region")]
    pub all_tagged: Option<String>,
    /// Region of that stack.
    #[arg(long, value_name = "REGION", requires = "all_tagged")]
    pub region: Option<String>,
    /// Also delete what others attached to the stack: models with its roles and their endpoints, its log groups, and what
    /// GuardDuty created in its VPC.
    #[arg(long)]
    pub sweep: bool,
}

impl Without {
    /// The words with which it was typed.
    pub fn words(&self) -> Vec<String> {
        let Without { all_tagged, region, sweep } = self;
        let mut words = Vec::new();
        words.extend(all_tagged.iter().flat_map(|stack| ["--all-tagged".into(), stack.clone()]));
        words.extend(region.iter().flat_map(|region| ["--region".into(), region.clone()]));
        words.extend(sweep.then(|| "--sweep".into()));
        words
    }
}

/// A destroy of one stack whose spec nobody has.
pub async fn destroy(args: &Destroy, stack: &str, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let region = args.without.region.as_deref().unwrap_or_default();
    let host = Host::open(global, printer).await?;
    let words = args.words();
    let sweep = args.without.sweep;
    let wish = Wish {
        unprotect: args.unprotect,
        sweep,
        yes: args.yes,
        terms: &args.terms,
        words,
        global,
        together: &args.together,
    };
    let result = one(&host, region, stack, wish, args.events.as_deref(), printer).await;
    host.close(result)
}

/// Stacks by their region.
type Regions = BTreeMap<String, Vec<String>>;

/// On which terms a stack goes.
struct Wish<'a> {
    unprotect: bool,
    sweep: bool,
    yes: bool,
    terms: &'a Terms,
    words: Vec<String>,
    global: &'a Global,
    together: &'a Together,
}

async fn one(
    host: &Host,
    region: &str,
    stack: &str,
    wish: Wish<'_>,
    events: Option<&Path>,
    printer: &Printer,
) -> Result<Exit, Error> {
    let mut session: Session = host.tagged(region, stack).await?;
    session.let_go(wish.terms);
    let Wish { unprotect, sweep, yes, terms, words: typed, global, together } = wish;
    if sweep {
        session.stack.sweep();
    }
    let intent = Intent::Destroy { unprotect };
    let request = Request {
        intent,
        spec: Path::new(""),
        terms,
        yes,
        events,
        plan: None,
        sweep,
        sets: Wanted::default(),
        typed,
        global,
        together,
        page: None,
    };
    under_lease(&mut session, request, None, printer, async |_: &Session| Ok(())).await
}

pub async fn reap(args: &Reap, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let host = Host::open(global, printer).await?;
    let result = all(&host, args, global, printer).await;
    host.close(result)
}

/// The stacks that are meant, by region; all of a region where none is named. And what became of specs that are none: most
/// of it has been said.
fn meant(args: &Reap, global: &Global, printer: &Printer) -> Result<(Regions, Option<Error>), Error> {
    let Some((first, more)) = args.specs.split_first() else {
        return Ok((args.region.iter().map(|region| (region.clone(), args.stack.clone())).collect(), None));
    };
    let several = Several { more: more.to_vec(), ..Several::default() };
    let paths = fleet::sources(first, &several)?.unwrap_or_else(|| vec![first.clone()]);
    let (mut regions, mut unread) = (Regions::new(), None::<Error>);
    for path in paths {
        match files::read_spec(&path).and_then(|source| session::parse(&source, global, printer)) {
            Ok(spec) => regions.entry(spec.region).or_default().push(spec.stack),
            Err(error) => match &mut unread {
                Some(all) => all.troubles.extend(error.troubles),
                None => unread = Some(error),
            },
        }
    }
    Ok((regions, unread))
}

async fn all(host: &Host, args: &Reap, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    // A spec that cannot be read does not keep the other stacks.
    let (regions, unread) = meant(args, global, printer)?;
    let mut past = Vec::new();
    let mut text = String::new();
    for (region, stacks) in &regions {
        let aws = host.shared(region).await?;
        let found = found::stacks(&aws, stacks).await;
        let now = aws.clock.now_ms();
        for found in found.map_err(|failure| no_plan(PrepareError::Aws(failure)))? {
            text.push_str(&format!("{}\n", plain::line(&line(&found, region, now))));
            if found.expires.is_some_and(|at| at <= now) {
                past.push((region, found.stack));
            }
        }
    }
    if text.is_empty() {
        text.push_str("There are no auroraml stacks here.\n");
    }
    printer.data(&text)?;
    if past.is_empty() {
        printer.talk("No stack has expired.\n");
    }
    let mut exit = Exit::Done;
    if args.dry_run {
        exit = if past.is_empty() { Exit::Done } else { Exit::Changes };
        past.clear();
    }
    let mut troubles = Vec::new();
    for (region, stack) in past {
        let words = ["reap", "--region", region, "--stack", &stack].map(String::from).to_vec();
        let terms = &Terms::default();
        let together = &args.together;
        let words = words.into_iter().chain(together.words()).collect();
        let wish = Wish { unprotect: false, sweep: false, yes: args.yes, terms, words, global, together };
        if let Err(error) = one(host, region, &stack, wish, None, printer).await {
            let destroy = ["destroy", "--all-tagged", &stack, "--region", region].map(String::from);
            let help = hint::command(destroy, global);
            troubles.extend(error.troubles.into_iter().map(|trouble| Trouble {
                object: Some(match trouble.object {
                    Some(object) => format!("{stack}: {object}"),
                    None => stack.clone(),
                }),
                help: trouble.help.or_else(|| Some(help.clone())),
                ..trouble
            }));
        }
    }
    match (troubles.is_empty(), unread) {
        (true, None) => Ok(exit),
        (true, Some(unread)) => Err(unread),
        // What is left costs.
        (false, unread) => {
            let said = unread.into_iter().flat_map(|error| error.troubles);
            Err(Error { exit: Exit::Incomplete, troubles: said.chain(troubles).collect() })
        }
    }
}

/// One stack, and what becomes of it.
fn line(found: &Found, region: &str, now: u64) -> String {
    let ages: Vec<&str> = found.ages.iter().map(String::as_str).collect();
    let age = ages.join(" or ");
    let what = match (found.expires, found.created) {
        _ if ages.is_empty() => "never expires: its spec has no `expires_after`".into(),
        (Some(at), Some(made)) if at <= now => {
            format!("expired since {}: created {}, expires after {age}", time(at), time(made))
        }
        (Some(at), _) => format!("expires {}, {age} after it was created", time(at)),
        (None, Some(_)) => format!("no expiry: invalid age {age}"),
        (None, None) => {
            format!(
                "expires after {age}, but AWS does not say when it was created: destroy it with --all-tagged"
            )
        }
    };
    format!("{} in {region}: {what}", found.stack)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_of_a_stack() {
        let found = |ages: &[&str], created, expires| Found {
            stack: "shop".into(),
            created,
            ages: ages.iter().map(|age| age.to_string()).collect(),
            expires,
        };
        for (found, part) in [
            (found(&[], Some(1), None), "has no `expires_after`"),
            (found(&["8h"], Some(0), Some(50)), "expired since 1970-01-01T00:00:00.05Z"),
            (found(&["8h"], Some(0), Some(101)), "expires 1970-01-01T00:00:00.101Z, 8h after"),
            (found(&["x"], Some(0), None), "invalid age x"),
            (found(&["8h"], None, None), "does not say when"),
        ] {
            let line = line(&found, "us-east-1", 100);
            assert!(line.starts_with("shop in us-east-1: ") && line.contains(part), "{line}");
        }
    }
}
