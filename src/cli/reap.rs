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

/// Destroy the stacks that are past their `expires_after`. No spec is needed: they are found by their tags.
///
/// A stack's age counts from the oldest of its objects. What is protected is named and stays.
#[derive(Debug, Args)]
pub struct Reap {
    /// Only the stacks of these specs, or of the specs in a folder. Their names and regions are read; all else comes from
    /// the tags.
    #[arg(value_name = "SPEC")]
    pub specs: Vec<PathBuf>,
    /// Where to look. May be given more than once.
    #[arg(long, required_unless_present = "specs", conflicts_with = "specs", value_name = "REGION")]
    pub region: Vec<String>,
    /// Only this stack. May be given more than once.
    #[arg(long, conflicts_with = "specs", value_name = "NAME")]
    pub stack: Vec<String>,
    /// List what is past its date, and exit with 2 if anything is.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub together: Together,
}

/// How a destroy does without the spec, and what else it takes along.
#[derive(Debug, Default, Args)]
pub struct Without {
    /// Destroy this stack without its spec: everything that is found by its tags, IAM path and names.
    #[arg(long, value_name = "STACK", conflicts_with_all = ["spec", "plan", "html"], requires = "region")]
    pub all_tagged: Option<String>,
    /// Where that stack is.
    #[arg(long, value_name = "REGION", requires = "all_tagged")]
    pub region: Option<String>,
    /// Delete what others made and hangs on the stack, too: models with its roles, what serves them, its log groups, and
    /// what GuardDuty put into its VPC.
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
        text.push_str("There is no stack of auroraml here.\n");
    }
    printer.data(&text)?;
    if past.is_empty() {
        printer.talk("Nothing is past its date.\n");
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
        _ if ages.is_empty() => "no date: its spec has no `expires_after`".into(),
        (Some(at), Some(made)) if at <= now => {
            format!("past its date since {}: made {}, expires after {age}", time(at), time(made))
        }
        (Some(at), _) => format!("goes on {}, {age} after it was made", time(at)),
        (None, Some(_)) => format!("no date: {age} is no age such as 8h"),
        (None, None) => {
            format!(
                "expires after {age}, and AWS does not tell when anything of it was made: destroy --all-tagged takes it down"
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
            (found(&["8h"], Some(0), Some(50)), "past its date since 1970-01-01T00:00:00.05Z"),
            (found(&["8h"], Some(0), Some(101)), "goes on 1970-01-01T00:00:00.101Z, 8h after"),
            (found(&["x"], Some(0), None), "x is no age"),
            (found(&["8h"], None, None), "does not tell when"),
        ] {
            let line = line(&found, "us-east-1", 100);
            assert!(line.starts_with("shop in us-east-1: ") && line.contains(part), "{line}");
        }
    }
}
