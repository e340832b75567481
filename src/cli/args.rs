//! The command line.

use super::data::Data;
use super::fleet::Several;
use super::lease::Together;
use super::page::PageFile;
use auroraml_core::members::Impact;
use auroraml_core::model::{Intent, Order};
use auroraml_core::spec::Allow;
use clap::builder::{ArgPredicate, OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::{path::PathBuf, str::FromStr};

/// Where `--sandbox` without a file keeps its world.
pub const SANDBOX_FILE: &str = ".auroraml/sandbox.json";
/// Speed of a sandbox's clock when none is given: a stack that takes nine minutes at AWS is watched for
/// less than half a minute.
const SPEED: f64 = 25.0;
/// The SDK's time-outs run on the sandbox's clock: faster than this, the computer would be too slow for them.
const SPEED_MAX: f64 = 100.0;

/// Brings an AWS account to what a YAML file says about Aurora machine learning.
#[derive(Debug, Parser)]
#[command(name = "auroraml", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 done or nothing to do, 1 error, 2 changes (plan --detailed-exitcode), \
3 stale plan, 4 another run is at work, 5 preflight failed, 6 refused, 7 stopped half way or held (run it again)."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub global: Global,
}

#[derive(Debug, Args)]
pub struct Global {
    /// Use a simulated AWS account instead of a real one: kept in FILE, or served at http://ADDRESS:PORT by
    /// `auroraml sandbox --listen`.
    #[arg(
        long,
        global = true,
        value_name = "FILE|URL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = SANDBOX_FILE,
        value_parser = OsStringValueParser::new().try_map(SandboxAt::parse),
        help_heading = "Where"
    )]
    pub sandbox: Option<SandboxAt>,
    /// How fast the sandbox's clock runs: 0.1 to 100 times as fast as ours, or `max` for no waiting at all
    /// [default: 25].
    #[arg(long, global = true, value_name = "N|max", help_heading = "Where")]
    pub sandbox_speed: Option<Speed>,
    /// Seed of what is random in a new sandbox [default: 1].
    #[arg(long, global = true, value_name = "N", help_heading = "Where")]
    pub sandbox_seed: Option<u64>,
    /// Hold every request to the sandbox against the IAM policy in FILE. May be given more than once.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Where")]
    pub enforce_policy: Vec<PathBuf>,
    /// Profile of the AWS configuration to use.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Where")]
    pub profile: Option<String>,
    /// Send requests to HOST unencrypted, as an http:// endpoint asks for (this machine always may).
    #[arg(long, global = true, value_name = "HOST", help_heading = "Where")]
    pub plain_http: Option<String>,
    /// Value of one of the spec's `variables`, such as stage=prod. May be given more than once.
    #[arg(long, global = true, value_name = "NAME=VALUE", value_parser = name_and_value, help_heading = "Spec")]
    pub set: Vec<(String, String)>,
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = "Output")]
    pub color: Color,
    /// Print only what was asked for, and errors.
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
}

impl Global {
    pub fn speed(&self) -> Speed {
        self.sandbox_speed.unwrap_or(Speed::Times(SPEED))
    }
}

/// Where a sandbox is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SandboxAt {
    File(PathBuf),
    /// Another process serves it, on its own clock.
    Listener(SocketAddr),
}

impl SandboxAt {
    fn parse(text: OsString) -> Result<SandboxAt, String> {
        let Some((scheme, rest)) = text.to_str().and_then(|text| text.split_once("://")) else {
            return Ok(SandboxAt::File(text.into()));
        };
        if scheme != "http" {
            return Err(format!("a sandbox is served by http, not by {scheme}"));
        }
        let host = rest.strip_suffix('/').unwrap_or(rest);
        let address = listen_address(host)?;
        match address.ip().is_loopback() {
            true => Ok(SandboxAt::Listener(address)),
            // What is asked there would be answered by whoever sits on the way.
            false => Err(format!(
                "a sandbox is served on loopback addresses only, such as 127.0.0.1, and {} is none",
                address.ip()
            )),
        }
    }
}

impl fmt::Display for SandboxAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SandboxAt::File(path) => write!(f, "{}", path.display()),
            SandboxAt::Listener(address) => write!(f, "http://{address}"),
        }
    }
}

/// `stage=prod`
fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.trim().to_string(), value.to_string()))
}

/// An address and a port, where `localhost` is 127.0.0.1.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let number = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_string(),
    };
    number.parse().map_err(|_| "it is no address and port, such as 127.0.0.1:4599".into())
}

/// Speed of a sandbox's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    Times(f64),
    /// Time jumps to whatever happens next.
    Max,
}

impl FromStr for Speed {
    type Err = String;
    fn from_str(text: &str) -> Result<Speed, String> {
        if text == "max" {
            return Ok(Speed::Max);
        }
        match text.parse::<f64>() {
            Ok(times) if (0.1..=SPEED_MAX).contains(&times) => Ok(Speed::Times(times)),
            _ => Err(format!("a number from 0.1 to {SPEED_MAX}, or `max`")),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    Always,
    Never,
}

impl Color {
    /// Makes it so for the whole process.
    pub fn apply(self) {
        match self {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::AlwaysAnsi,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Init(Init),
    Validate(Validate),
    Plan(Plan),
    Apply(Apply),
    Destroy(Destroy),
    Adopt(super::adopt::Adopt),
    Pause(super::pause::Pause),
    Resume(super::pause::Resume),
    Reap(super::reap::Reap),
    Status(Status),
    Cost(super::cost::Cost),
    Verify(Verify),
    Policy(super::policy::Policy),
    Drift(super::drift::Drift),
    Data(Data),
    Graph(super::graph::Graph),
    Export(super::export::Export),
    Explain(super::explain::Explain),
    Schema(Schema),
    Sandbox(Sandbox),
    Completions(super::local::Completions),
}

/// Write a commented spec to start from.
#[derive(Debug, Args)]
pub struct Init {
    /// File to write; one that exists is left as it is.
    #[arg(default_value = "auroraml.yaml")]
    pub file: PathBuf,
}

/// Check specs without asking AWS.
///
/// Prints every problem as FILE:LINE:COL: MESSAGE and exits with 1 if there is any.
#[derive(Debug, Args)]
pub struct Validate {
    /// Specs to check; `-` is stdin.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// Show what apply or destroy would do. Changes nothing.
#[derive(Debug, Args)]
pub struct Plan {
    /// The spec, or a folder of specs; `-` is stdin.
    pub spec: PathBuf,
    #[command(flatten)]
    pub several: Several,
    /// Exit with 2 when there are changes.
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Form of the plan on stdout.
    #[arg(long, value_enum, default_value_t)]
    pub format: PlanFormat,
    /// Also save the plan in FILE, for `apply --plan` or `destroy --plan`; of several stacks in the folder FILE, one file
    /// each.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Plan to take the stack down.
    #[arg(long)]
    pub destroy: bool,
    /// Wake a cluster that pauses, to look at what is in its database.
    #[arg(long)]
    pub wake: bool,
    /// Plan to switch deletion protection off where it is on.
    #[arg(long, requires = "destroy")]
    pub unprotect: bool,
    #[command(flatten)]
    pub sets: super::change_sets::Wanted,
    #[command(flatten)]
    pub terms: Terms,
    #[command(flatten)]
    pub page: PageFile,
}

/// How far the database may be interrupted, and when.
#[derive(Clone, Debug, Default, Args)]
pub struct Terms {
    /// The worst interruption of the database that may be made [default: `allow` of the spec's `restart`,
    /// else readers].
    #[arg(long, value_enum, value_name = "IMPACT", help_heading = "Interruptions")]
    pub allow: Option<AllowArgument>,
    /// Interrupt now, whatever window the spec names.
    #[arg(long, help_heading = "Interruptions")]
    pub now: bool,
    /// Take it for success when members stay pending-reboot, because the spec says so or its window is closed.
    #[arg(long, help_heading = "Interruptions")]
    pub accept_pending: bool,
    /// Delete this too, such as notebook.main: it holds data, or others made it. May be given more than once.
    #[arg(long, value_name = "KIND.NAME", help_heading = "Deletions")]
    pub delete: Vec<String>,
}

impl Terms {
    pub fn order(&self, intent: Intent) -> Order {
        Order { intent, now: self.now, accept_pending: self.accept_pending, reviewed: false, wake: true }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AllowArgument {
    /// Nothing.
    None,
    /// Readers, one at a time.
    Readers,
    /// The writer, by moving its role to a reader.
    Failover,
    /// The writer, by restarting it; where AWS does so, all members at once.
    Restart,
}

impl AllowArgument {
    /// The least that allows an impact; nothing allows the loss of data.
    pub fn for_impact(impact: Impact) -> Option<AllowArgument> {
        match impact {
            Impact::None => Some(AllowArgument::None),
            Impact::Readers => Some(AllowArgument::Readers),
            Impact::Failover => Some(AllowArgument::Failover),
            Impact::Restart => Some(AllowArgument::Restart),
            Impact::DataLoss => None,
        }
    }
}

impl From<AllowArgument> for Allow {
    fn from(argument: AllowArgument) -> Allow {
        match argument {
            AllowArgument::None => Allow::None,
            AllowArgument::Readers => Allow::Readers,
            AllowArgument::Failover => Allow::Failover,
            AllowArgument::Restart => Allow::Restart,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    #[default]
    Text,
    Json,
    Yaml,
    /// For a comment on a pull request.
    Markdown,
}

/// Make everything as the spec says.
#[derive(Debug, Args)]
pub struct Apply {
    /// The spec, or a folder of specs; `-` is stdin.
    pub spec: PathBuf,
    #[command(flatten)]
    pub several: Several,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// Do what the plan saved in FILE says, or nothing if that is no longer the same.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Write what happens to FILE, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    #[command(flatten)]
    pub sets: super::change_sets::Wanted,
    #[command(flatten)]
    pub terms: Terms,
    #[command(flatten)]
    pub together: Together,
    #[command(flatten)]
    pub page: PageFile,
}

/// Take the stack down, as the spec's on_destroy settings say.
#[derive(Debug, Args)]
pub struct Destroy {
    /// The spec; `-` is stdin.
    #[arg(
        required = false,
        required_unless_present = "all_tagged",
        default_value_if("all_tagged", ArgPredicate::IsPresent, "-")
    )]
    pub spec: PathBuf,
    #[command(flatten)]
    pub without: super::reap::Without,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// Switch deletion protection off where it is on.
    #[arg(long)]
    pub unprotect: bool,
    /// Do what the plan saved in FILE says, or nothing if that is no longer the same.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Write what happens to FILE, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    #[command(flatten)]
    pub terms: Terms,
    #[command(flatten)]
    pub together: Together,
    #[command(flatten)]
    pub page: PageFile,
}

/// Show what exists of the stack. Changes nothing.
#[derive(Debug, Args)]
pub struct Status {
    /// The spec; `-` is stdin.
    pub spec: PathBuf,
    /// Form of the answer on stdout.
    #[arg(long, value_enum, default_value_t)]
    pub format: StatusFormat,
    #[command(flatten)]
    pub page: PageFile,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum StatusFormat {
    #[default]
    Text,
    Json,
    Yaml,
}

/// Prove that the machine learning wiring works, link by link. Changes nothing.
///
/// Follows the live chain from the cluster, whoever made it: engine, parameter, role, trust, policy,
/// association, members, endpoints, network. One line for each check, the fix under what failed; exits with 1
/// if any failed.
#[derive(Debug, Args)]
pub struct Verify {
    /// The spec; `-` is stdin.
    pub spec: PathBuf,
    /// Ask the database as well, through the RDS Data API. Wakes a paused cluster.
    #[arg(long)]
    pub deep: bool,
    /// Send queries, too: the sentiment of a sentence, a prediction for one row, both in one; or the one that is given.
    #[arg(long, value_name = "SQL", num_args = 0..=1, default_missing_value = "")]
    pub query: Option<String>,
    /// Form of the answer on stdout.
    #[arg(long, value_enum, default_value_t)]
    pub format: StatusFormat,
}

/// Print the JSON Schema of specs, or of saved plans.
#[derive(Debug, Args)]
pub struct Schema {
    #[arg(value_enum, default_value_t)]
    pub of: SchemaOf,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    #[default]
    Spec,
    Plan,
    Drift,
}

/// Serve the sandbox to any AWS client, or start it anew.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Sandbox {
    /// Serve it on this loopback address until Ctrl-C; port 0 takes any free port.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = listen_address)]
    pub listen: Option<SocketAddr>,
    /// Forget everything in it.
    #[arg(long)]
    pub reset: bool,
    /// Without what AWS puts into every account, such as a default VPC in each region.
    #[arg(long, requires = "listen")]
    pub bare: bool,
}
