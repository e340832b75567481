//! `policy`: the least that IAM must allow, and who may take the role on.

use super::args::Global;
use super::exit::{Error, Exit};
use super::printer::Printer;
use super::session::{Session, block_on};
use super::{files, session};
use auroraml::run::known::known;
use auroraml_core::base::names::Place;
use auroraml_core::policy::{
    DOCUMENT_MAX, Host, Known, Names, Purpose, Statement, Trusted, document, needed, size, split, trust,
};
use auroraml_core::spec::{Aurora, Spec};
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Print the minimal IAM policy for a spec, or the trust policy of a pipeline's role.
///
/// The policy covers only the stack's own names and tags. Asks AWS who the caller is and which objects exist, unless you
/// give --account.
#[derive(Debug, Args)]
pub struct Policy {
    /// The spec; `-` reads stdin.
    pub spec: PathBuf,
    /// What the role may do. Can be repeated.
    #[arg(long = "for", value_enum, value_delimiter = ',', default_value = "apply", value_name = "PURPOSE")]
    pub purposes: Vec<PurposeArgument>,
    /// Print several documents as a JSON array, because AWS allows 6,144 characters in one managed policy.
    #[arg(long)]
    pub split: bool,
    /// Write each managed policy to DIR instead: policy-1.json, …
    #[arg(long, value_name = "DIR", conflicts_with = "split")]
    pub out: Option<PathBuf>,
    /// Account of the stack. With it, AWS is not asked.
    #[arg(long, value_name = "ID", value_parser = account, help_heading = "Scope")]
    pub account: Option<String>,
    /// VPC of the stack, once it exists, so that destroy can delete network interfaces that RDS and SageMaker leave in it.
    #[arg(long, value_name = "ID", requires = "account", help_heading = "Scope")]
    pub vpc: Option<String>,
    /// Member of an existing cluster; may contain `*` [default: CLUSTER*]. Can be repeated.
    #[arg(long, value_name = "NAME", requires = "account", help_heading = "Scope")]
    pub member: Vec<String>,
    /// Custom parameter group of an existing cluster. Can be repeated.
    #[arg(long, value_name = "NAME", requires = "account", help_heading = "Scope")]
    pub group: Vec<String>,
    /// Print a trust policy instead, for pipelines with tokens of this host.
    #[arg(long, value_enum, value_name = "HOST", requires = "repository", help_heading = "Trust")]
    pub trust: Option<HostArgument>,
    /// Repository or project of the pipeline.
    #[arg(long, value_name = "OWNER/NAME", requires = "trust", help_heading = "Trust")]
    pub repository: Option<String>,
    /// GitHub environment that may use the role.
    #[arg(long, value_name = "NAME", requires = "trust", help_heading = "Trust")]
    pub environment: Option<String>,
    /// Branch that may use the role.
    #[arg(long, value_name = "NAME", requires = "trust", help_heading = "Trust")]
    pub branch: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PurposeArgument {
    /// plan, status and verify: read only.
    Plan,
    /// apply and resume, and all that plan needs.
    Apply,
    /// destroy, and all that plan needs.
    Destroy,
    /// destroy --sweep: deletes what others created, with any name.
    Sweep,
    /// pause, and all that plan needs.
    Pause,
    /// verify --deep, verify --query and data: queries the database.
    Query,
    /// adopt --release: tags what the spec takes over, updates and deletes the CloudFormation stack.
    Release,
}

impl From<PurposeArgument> for Purpose {
    fn from(argument: PurposeArgument) -> Purpose {
        match argument {
            PurposeArgument::Plan => Purpose::Plan,
            PurposeArgument::Apply => Purpose::Apply,
            PurposeArgument::Destroy => Purpose::Destroy,
            PurposeArgument::Sweep => Purpose::Sweep,
            PurposeArgument::Pause => Purpose::Pause,
            PurposeArgument::Query => Purpose::Query,
            PurposeArgument::Release => Purpose::Release,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HostArgument {
    Github,
    Gitlab,
}

fn account(text: &str) -> Result<String, String> {
    match text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(text.to_string()),
        false => Err("an account id has 12 digits".into()),
    }
}

pub fn policy(args: &Policy, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let Some(account) = &args.account else {
        return block_on(global, asked(args, global, printer));
    };
    let source = files::read_spec(&args.spec)?;
    let spec = session::parse(&source, global, printer)?;
    let known = Known {
        vpc: args.vpc.clone(),
        members: args.member.clone(),
        groups: args.group.clone(),
        ..Known::default()
    };
    let place = Place::new(spec.stack.clone(), spec.region.clone(), account.clone())
        .with(auroraml_core::model::names(&spec));
    print(args, &spec, &place, &known, printer)
}

async fn asked(args: &Policy, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let session = Session::open(&args.spec, global, printer).await?;
    let (spec, place) = (&session.stack.spec, &session.stack.aws.place);
    let found = match args.trust {
        Some(_) => Ok(Known::default()),
        None => known(&session.stack).await,
    };
    let known = found.unwrap_or_else(|failure| {
        printer.say(&format!("warning: the policy is limited by names only: {failure}\n"));
        Known::default()
    });
    let result = print(args, spec, place, &known, printer);
    session.close(result)
}

fn print(args: &Policy, spec: &Spec, place: &Place, known: &Known, printer: &Printer) -> Result<Exit, Error> {
    let purposes: Vec<Purpose> = args.purposes.iter().map(|purpose| (*purpose).into()).collect();
    if let (Some(host), Some(repository)) = (args.trust, &args.repository) {
        let host = match host {
            HostArgument::Github => Host::GitHub,
            HostArgument::Gitlab => Host::GitLab,
        };
        let trusted = Trusted {
            repository: repository.clone(),
            environment: args.environment.clone(),
            branch: args.branch.clone(),
            only_looks: purposes == [Purpose::Plan],
        };
        let found = trust(host, place.partition(), &place.account, &trusted);
        let found = found.map_err(|error| Error::new("--trust", error.why, error.hint))?;
        printer.data(&text(&found))?;
        return Ok(Exit::Done);
    }
    let statements = needed(spec, &Names::of(spec, place, known), &purposes);
    warn(spec, known, &purposes, printer);
    match &args.out {
        Some(folder) => write(folder, split(statements), printer)?,
        None if args.split => {
            let all = split(statements).iter().map(|statements| document(statements)).collect();
            printer.data(&text(&Value::Array(all)))?;
        }
        None => {
            let document = document(&statements);
            let (size, parts) = (size(&document), split(statements).len());
            if size > DOCUMENT_MAX {
                printer.say(&format!(
                    "warning: {size} characters are too many for one managed policy: --split divides it into {parts}, --out DIR writes them to files\n"
                ));
            }
            printer.data(&text(&document))?;
        }
    }
    Ok(Exit::Done)
}

/// What whoever attaches it should know.
fn warn(spec: &Spec, known: &Known, purposes: &[Purpose], printer: &Printer) {
    let changes = purposes.iter().any(|purpose| matches!(purpose, Purpose::Apply | Purpose::Destroy));
    if changes && spec.permissions_boundary.is_none() && purposes.contains(&Purpose::Apply) {
        printer.say(
            "warning: this policy allows creating roles with any permissions: limit them with permissions_boundary in the spec\n",
        );
    }
    if let Some(Aurora::Existing(existing)) = &spec.aurora
        && changes
    {
        let cluster = &existing.existing;
        if known.members.is_empty() {
            printer.say(&format!(
                "note: assuming that the members of {cluster} are named {cluster}*; set other names with --member\n"
            ));
        }
        if known.groups.is_empty() {
            printer.say(&format!(
                "note: if {cluster} has a custom parameter group, name it with --group; otherwise the policy cannot change it\n"
            ));
        }
    }
}

fn write(folder: &Path, documents: Vec<Vec<Statement>>, printer: &Printer) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Error::new(
            folder.display().to_string(),
            format!("cannot create it: {error}"),
            "choose another folder",
        )
    })?;
    for (n, statements) in documents.iter().enumerate() {
        let path = folder.join(format!("policy-{}.json", n + 1));
        files::write(&path, &text(&document(statements)))?;
        printer.talk(&format!("wrote {}\n", path.display()));
    }
    Ok(())
}

fn text(value: &Value) -> String {
    let pretty = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
    format!("{pretty}\n")
}

/// The most that is read of a file with policies.
const FILE_MAX: u64 = 1 << 20;

/// The documents in these files: one, or an array of several.
///
/// # Errors
/// When a file cannot be read, or is no policy.
pub fn enforced(paths: &[PathBuf]) -> Result<Vec<Value>, Error> {
    let mut all = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let help = "print one with: auroraml policy SPEC";
        let bytes = files::read(path, FILE_MAX)
            .map_err(|error| Error::new(&name, format!("cannot be read: {error}"), help))?;
        match serde_json::from_slice(&bytes) {
            Ok(Value::Array(documents)) => all.extend(documents),
            Ok(document) => all.push(document),
            Err(error) => return Err(Error::new(name, format!("not valid JSON: {error}"), help)),
        }
    }
    Ok(all)
}
