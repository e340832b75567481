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
use auroraml_core::base::counted;
use auroraml_core::model::{Intent, Order};
use auroraml_core::render::plain;
use auroraml_core::takeover::{self as core, Written};
use clap::Args;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Take a stack over from CloudFormation.
///
/// First, `--from-stack` reads the stack and writes a spec that describes it, without changing anything. Then `--release`
/// hands over: it marks every resource Retain, tags the objects, and deletes the CloudFormation stack but none of its
/// resources. An interrupted release continues when you run it again.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("step").required(true).args(["from_stack", "release"])))]
pub struct Adopt {
    /// Write a spec for what this CloudFormation stack created.
    #[arg(long, value_name = "NAME", requires_all = ["out", "region"])]
    pub from_stack: Option<String>,
    /// File to write the spec to. An existing file is not overwritten.
    #[arg(long, value_name = "SPEC", conflicts_with = "release")]
    pub out: Option<PathBuf>,
    /// Region of the CloudFormation stack.
    #[arg(long, value_name = "REGION", conflicts_with = "release")]
    pub region: Option<String>,
    /// Name of the stack in the spec [default: the CloudFormation stack's name, adapted if necessary].
    #[arg(long, value_name = "STACK", conflicts_with = "release")]
    pub stack: Option<String>,
    /// Overwrite an existing file.
    #[arg(long, conflicts_with = "release")]
    pub force: bool,
    /// Hand this CloudFormation stack's resources over to the spec.
    #[arg(long, value_name = "NAME", requires = "spec")]
    pub release: Option<String>,
    /// The spec that takes the resources over.
    #[arg(long, value_name = "SPEC")]
    pub spec: Option<PathBuf>,
    /// Keep this resource, and so the stack, in CloudFormation. Can be repeated.
    #[arg(long, value_name = "LOGICAL-ID", requires = "release")]
    pub leave: Vec<String>,
    /// Keep this resource in AWS, managed by nobody. Can be repeated.
    #[arg(long, value_name = "LOGICAL-ID", requires = "release")]
    pub unowned: Vec<String>,
    /// Bucket in the stack's region for a template of more than 51,200 bytes, if the spec takes no bucket over.
    #[arg(long, value_name = "BUCKET", requires = "release")]
    pub template_bucket: Option<String>,
    /// Do not ask for confirmation. Needed without a terminal, as in a pipeline.
    #[arg(long, requires = "release")]
    pub yes: bool,
    /// Write events to FILE, one JSON object per line.
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
        words.extend(self.template_bucket.iter().flat_map(|name| ["--template-bucket".into(), name.clone()]));
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
            "say what to do: --from-stack or --release",
            "auroraml adopt --from-stack NAME --region REGION --out SPEC",
        ));
    };
    if out.exists() && !args.force {
        let help = "choose another name";
        return Err(Error::new(out.display().to_string(), "already exists", help));
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
        "wrote {}: takes over {} of {name}; nothing was changed\nnext: {next}\n",
        out.display(),
        counted(draft.objects.len(), "object")
    ));
    Ok(Exit::Done)
}

/// Why there is no spec.
fn no_spec(name: &str, why: NoSpec) -> Error {
    match why {
        NoSpec::Prepare(error) => no_plan(error),
        NoSpec::Busy(status) => {
            let why = format!("CloudFormation is still working on it ({status})");
            Error::new(name, why, "wait until it has finished, then run the command again")
        }
        NoSpec::Refused(problems) => {
            let troubles =
                problems.into_iter().map(|why| Trouble { object: Some(name.into()), why, help: None });
            Error { exit: Exit::Refused, troubles: troubles.collect() }
        }
        NoSpec::Bug(problems) => {
            let why = format!("the spec it wrote is invalid (a bug):\n{problems}");
            Error::new("auroraml", why, "please report it; you can correct the spec by hand")
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
            let help = "choose another name";
            Error::new(path.display().to_string(), "already exists", help)
        }
        _ => Error::new(
            path.display().to_string(),
            format!("cannot be written: {error}"),
            "choose another folder",
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
        let help = "create one: auroraml adopt --from-stack NAME --region REGION --out SPEC";
        let error = Error::new(
            spec.display().to_string(),
            "the spec has no `taken_over`, so there is nothing to take over",
            help,
        );
        return session.close(Err(error));
    };
    if taken.stack_name() != name && taken.from_stack != name {
        let why = format!("the spec takes over from {}, not from {name}", taken.stack_name());
        let error = Error::new(spec.display().to_string(), why, "use the name in the spec");
        return session.close(Err(error));
    }
    let order = core::Order {
        leave: args.leave.iter().cloned().collect(),
        unowned: args.unowned.iter().cloned().collect(),
        bucket: args.template_bucket.clone(),
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
        let why = format!("CloudFormation deleted {} instead of keeping it", deleted.join(", "));
        let help = hint::command(["plan".to_string(), spec.display().to_string()], global);
        return Err(Error::new(arn, why, format!("see what is left: {help}")).with(Exit::Incomplete));
    }
    let mut stack = Stack { kinds: auroraml::kinds::Kinds::default(), ..session.stack.clone() };
    stack.origin = Origin::Heeded;
    let order = Order { wake: false, ..Order::from(Intent::Apply) };
    let prepared = prepare(&stack, order).await.map_err(no_plan)?;
    let next = hint::command(["plan".to_string(), spec.display().to_string()], global);
    match prepared.plan.is_empty() {
        true => printer.talk("CloudFormation handed over, and the next plan is empty\n"),
        false => {
            printer.talk(&format!("CloudFormation handed over; there are more changes to make: {next}\n"))
        }
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
