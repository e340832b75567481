//! `adopt`: takes a stack over from CloudFormation, in two steps. The first writes the spec of what there is and changes
//! nothing; the second has CloudFormation hand over.

use super::args::{Global, Terms};
use super::carry_out::{Request, under_lease};
use super::change_sets::Wanted;
use super::exit::{Error, Exit, Trouble};
use super::lease::Together;
use super::page::PageFile;
use super::printer::Printer;
use super::session::{Host, Session, no_plan};
use super::{files, hint};
use auroraml::aws::Failure;
use auroraml::run::reconcile::{PrepareError, prepare};
use auroraml::run::takeover::{self, NoSpec};
use auroraml::stack::{Origin, Stack};
use auroraml_core::model::{Intent, Order};
use auroraml_core::render::plain;
use auroraml_core::takeover::{self as core, Written};
use clap::Args;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Take a stack over from CloudFormation.
///
/// First `--from-stack` reads the stack and its objects and writes the spec that describes them; nothing is changed. Then
/// `--release` hands over: every resource is marked Retain, the objects are tagged, and the CloudFormation stack goes.
/// Nothing is deleted, and a run that was killed is taken up by the next.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("step").required(true).args(["from_stack", "release"])))]
pub struct Adopt {
    /// Write the spec of what this CloudFormation stack made.
    #[arg(long, value_name = "NAME", requires_all = ["out", "region"])]
    pub from_stack: Option<String>,
    /// File for the spec; one that exists is left as it is.
    #[arg(long, value_name = "SPEC", conflicts_with = "release")]
    pub out: Option<PathBuf>,
    /// Where the CloudFormation stack is.
    #[arg(long, value_name = "REGION", conflicts_with = "release")]
    pub region: Option<String>,
    /// Name of the stack in the spec [default: that of the CloudFormation stack, as far as it may be one].
    #[arg(long, value_name = "STACK", conflicts_with = "release")]
    pub stack: Option<String>,
    /// Write over FILE if it exists.
    #[arg(long, conflicts_with = "release")]
    pub force: bool,
    /// Have this CloudFormation stack hand over to the spec.
    #[arg(long, value_name = "NAME", requires = "spec")]
    pub release: Option<String>,
    /// The spec that takes over.
    #[arg(long, value_name = "SPEC")]
    pub spec: Option<PathBuf>,
    /// Keep this resource in the CloudFormation stack, which then stays with it. May be given more than once.
    #[arg(long, value_name = "LOGICAL-ID", requires = "release")]
    pub leave: Vec<String>,
    /// Keep this resource at AWS although it is nobody's afterwards. May be given more than once.
    #[arg(long, value_name = "LOGICAL-ID", requires = "release")]
    pub unowned: Vec<String>,
    /// Do not ask.
    #[arg(long, requires = "release")]
    pub yes: bool,
    /// Write what happens to FILE, one JSON object a line.
    #[arg(long, value_name = "FILE", requires = "release")]
    pub events: Option<PathBuf>,
    #[command(flatten)]
    pub together: Together,
    #[command(flatten)]
    pub page: PageFile,
}

impl Adopt {
    /// The words with which a release was typed.
    fn words(&self, name: &str, spec: &Path) -> Vec<String> {
        let mut words: Vec<String> = vec!["adopt".into(), "--release".into(), name.into()];
        words.extend(hint::path("--spec", Some(spec)));
        words.extend(self.leave.iter().flat_map(|id| ["--leave".into(), id.clone()]));
        words.extend(self.unowned.iter().flat_map(|id| ["--unowned".into(), id.clone()]));
        words.extend(hint::path("--events", self.events.as_deref()));
        words.extend(self.together.words());
        words.extend(self.page.words());
        words.extend(self.yes.then(|| "--yes".into()));
        words
    }
}

pub async fn adopt(args: &Adopt, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    if let (Some(name), Some(spec)) = (&args.release, &args.spec) {
        return release(args, name, spec, global, printer).await;
    }
    let (Some(name), Some(out), Some(region)) = (&args.from_stack, &args.out, &args.region) else {
        return Err(Error::new(
            "usage",
            "nothing says what to do",
            "auroraml adopt --from-stack NAME --region REGION --out SPEC",
        ));
    };
    if out.exists() && !args.force {
        let help = "give another name, or add --force to write over it";
        return Err(Error::new(out.display().to_string(), "it exists and is left as it is", help));
    }
    let host = Host::open(global, printer).await?;
    let result = from_stack(&host, args, name, out, region, global, printer).await;
    host.close(result)
}

async fn from_stack(
    host: &Host,
    args: &Adopt,
    name: &str,
    out: &Path,
    region: &str,
    global: &Global,
    printer: &Printer,
) -> Result<Exit, Error> {
    let base = host.shared(region).await?;
    let stack = args.stack.clone().unwrap_or_else(|| stack_name(name));
    let (draft, Written { text, .. }) = takeover::spec_of(&base, name, &stack, files::beside(Path::new("")))
        .await
        .map_err(|why| no_spec(name, why))?;
    save(out, &text, args.force)?;
    for note in &draft.notes {
        printer.talk(&format!("note: {}\n", plain::line(note)));
    }
    let next = hint::command(["plan".to_string(), out.display().to_string()], global);
    printer.talk(&format!(
        "wrote {}: takes over {} objects of {name}; nothing was changed\nnext: {next}\n",
        out.display(),
        draft.objects.len()
    ));
    Ok(Exit::Done)
}

/// Why there is no spec.
fn no_spec(name: &str, why: NoSpec) -> Error {
    match why {
        NoSpec::Prepare(error) => no_plan(error),
        NoSpec::Busy(status) => {
            let why = format!("CloudFormation is at work on it: it is {status}");
            Error::new(name, why, "wait until CloudFormation has finished, then run again")
        }
        NoSpec::Refused(problems) => {
            let troubles =
                problems.into_iter().map(|why| Trouble { object: Some(name.into()), why, help: None });
            Error { exit: Exit::Refused, troubles: troubles.collect() }
        }
        NoSpec::Bug(problems) => {
            let why = format!("the spec that was written is not good (a bug):\n{problems}");
            Error::new("auroraml", why, "please report it; what it says can be written by hand")
        }
    }
}

fn save(path: &Path, text: &str, force: bool) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true);
    match force {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let help = "give another name, or add --force to write over it";
            Error::new(path.display().to_string(), "it exists and is left as it is", help)
        }
        _ => Error::new(
            path.display().to_string(),
            format!("cannot be written: {error}"),
            "choose another place",
        ),
    })
}

/// A name that a stack of ours may have, as near to CloudFormation's as possible.
fn stack_name(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let mut short = String::new();
    for c in lower.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-') {
        let follows = !(c == '-' && short.ends_with('-'));
        let begins = !short.is_empty() || c.is_ascii_lowercase();
        if follows && begins && short.len() < 24 {
            short.push(c);
        }
    }
    let short = short.trim_end_matches('-');
    if short.is_empty() { "adopted".into() } else { short.into() }
}

async fn release(
    args: &Adopt,
    name: &str,
    spec: &Path,
    global: &Global,
    printer: &Printer,
) -> Result<Exit, Error> {
    let mut session = Session::open(spec, global, printer).await?;
    let Some(taken) = session.stack.spec.taken_over.clone() else {
        let help = "write one that does: auroraml adopt --from-stack NAME --region REGION --out SPEC";
        let error = Error::new(
            spec.display().to_string(),
            "the spec takes nothing over: it has no `taken_over`",
            help,
        );
        return session.close(Err(error));
    };
    if taken.stack_name() != name && taken.from_stack != name {
        let why = format!("the spec takes over from {}, not from {name}", taken.stack_name());
        let error = Error::new(spec.display().to_string(), why, "name the stack that the spec names");
        return session.close(Err(error));
    }
    let order = core::Order {
        leave: args.leave.iter().cloned().collect(),
        unowned: args.unowned.iter().cloned().collect(),
    };
    session.stack.release(order);
    let terms = Terms::default();
    let request = Request {
        intent: Intent::Apply,
        spec,
        terms: &terms,
        yes: args.yes,
        events: args.events.as_deref(),
        plan: None,
        sweep: false,
        sets: Wanted::default(),
        typed: args.words(name, spec),
        global,
        together: &args.together,
        page: Some(&args.page),
    };
    let then = async |session: &Session| look_again(session, &taken.from_stack, spec, global, printer).await;
    let result = Box::pin(under_lease(&mut session, request, None, printer, then)).await;
    session.close(result)
}

/// What is left to do, now that the stack has handed over; and whether it kept its word.
async fn look_again(
    session: &Session,
    arn: &str,
    spec: &Path,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let asked = |failure: Failure| no_plan(PrepareError::Aws(failure));
    let deleted = takeover::deleted(&session.stack.aws, arn).await.map_err(asked)?;
    if !deleted.is_empty() {
        let why = format!("CloudFormation has deleted {} instead of keeping it", deleted.join(", "));
        let help = hint::command(["plan".to_string(), spec.display().to_string()], global);
        return Err(Error::new(arn, why, format!("see what is left: {help}")).with(Exit::Incomplete));
    }
    let mut stack = Stack { kinds: auroraml::kinds::Kinds::default(), ..session.stack.clone() };
    stack.origin = Origin::Heeded;
    let order = Order { wake: false, ..Order::from(Intent::Apply) };
    let prepared = prepare(&stack, order).await.map_err(no_plan)?;
    let next = hint::command(["plan".to_string(), spec.display().to_string()], global);
    match prepared.plan.is_empty() {
        true => printer.talk("CloudFormation has handed over; the next plan is empty\n"),
        false => printer.talk(&format!("CloudFormation has handed over; the spec wants more: {next}\n")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_stack_may_have() {
        for (name, expected) in [
            ("Insights", "insights"),
            ("Gain-Customer--Insights-2020-production", "gain-customer-insights-2"),
            ("2020-Insights", "insights"),
            ("Gain-Customer-Insights-X-y", "gain-customer-insights-x"),
            ("1", "adopted"),
        ] {
            let found = stack_name(name);
            assert_eq!(found, expected);
            let spec = format!("stack: {found}\nregion: us-east-1\n");
            assert!(auroraml_core::spec::parse(spec.as_bytes()).is_ok(), "{found}");
        }
    }
}
