//! The command line.

use super::data::Data;
use super::fleet::Several;
use super::lease::Together;
use auroraml_core::members::Impact;
use auroraml_core::model::{Intent, Order};
use auroraml_core::spec::Allow;
use clap::builder::{ArgPredicate, OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::{path::PathBuf, str::FromStr};

/// Where `--sandbox` without a file keeps its world.
pub const SANDBOX_FILE: &str = ".auroraml/sandbox.json";
/// Speed of a sandbox's clock when none is given: a stack that takes nine minutes at AWS is watched for
/// less than half a minute.
const SPEED: f64 = 25.0;
/// The SDK's time-outs run on the sandbox's clock: faster than this, the computer would be too slow for them.
const SPEED_MAX: f64 = 100.0;

/// Sets up Aurora machine learning in your AWS account from one YAML file.
#[derive(Debug, Parser)]
#[command(name = "auroraml", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done or nothing to do, 1 error, 2 changes (plan --detailed-exitcode), \
3 stale plan, 4 another run is active, 5 preflight failed, 6 refused, 7 incomplete or on hold (run it again)."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub global: Global,
}

#[derive(Debug, Args)]
pub struct Global {
    /// Use a simulated AWS account instead of a real one, saved in FILE [default: .auroraml/sandbox.json] or served at
    /// http://ADDRESS:PORT by `auroraml sandbox --listen`. The next word is taken as FILE only if it ends in .json: write
    /// --sandbox=FILE for other names.
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
    /// Speed of the sandbox's clock: 0.1 to 100 times real time, or `max` to skip all waiting [default: 25].
    #[arg(long, global = true, value_name = "N|max", help_heading = "Where")]
    pub sandbox_speed: Option<Speed>,
    /// Random seed of a new sandbox [default: 1].
    #[arg(long, global = true, value_name = "N", help_heading = "Where")]
    pub sandbox_seed: Option<u64>,
    /// Check every request to the sandbox against the IAM policy in FILE. Can be repeated.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Where")]
    pub enforce_policy: Vec<PathBuf>,
    /// AWS profile to use.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Where")]
    pub profile: Option<String>,
    /// Allow unencrypted http:// requests to HOST. This machine is always allowed.
    #[arg(long, global = true, value_name = "HOST", help_heading = "Where")]
    pub plain_http: Option<String>,
    /// Set one of the spec's `variables`, such as stage=prod. Can be repeated.
    #[arg(long, global = true, value_name = "NAME=VALUE", value_parser = name_and_value, help_heading = "Spec")]
    pub set: Vec<(String, String)>,
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = "Output")]
    pub color: Color,
    /// Print only results and errors.
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
    /// Show every property, tag and policy statement in plans, and how long each step took.
    #[arg(short, long, global = true, help_heading = "Output")]
    pub verbose: bool,
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
            return Err(format!("write http://ADDRESS:PORT, not {scheme}://"));
        }
        let host = rest.strip_suffix('/').unwrap_or(rest);
        let address = listen_address(host)?;
        match address.ip().is_loopback() {
            true => Ok(SandboxAt::Listener(address)),
            // What is asked there would be answered by whoever sits on the way.
            false => Err(format!(
                "{} is not an address of this machine: a sandbox is served only at addresses such as 127.0.0.1",
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

/// The port that is listened on, unless another is given.
const LISTEN_PORT: u16 = 4599;

/// An address to listen on: `localhost`, `localhost:4599`, `127.0.0.1`, `:4599` or the port alone.
fn own_address(text: &str) -> Result<SocketAddr, String> {
    let (host, port) = match (text, text.parse::<IpAddr>(), text.parse::<u16>()) {
        ("localhost", ..) => ("127.0.0.1".to_string(), LISTEN_PORT.to_string()),
        (_, _, Ok(port)) => ("127.0.0.1".to_string(), port.to_string()),
        (_, Ok(IpAddr::V6(address)), _) => (format!("[{address}]"), LISTEN_PORT.to_string()),
        (_, Ok(address), _) => (address.to_string(), LISTEN_PORT.to_string()),
        _ => match text.strip_prefix(':') {
            Some(port) => ("127.0.0.1".to_string(), port.to_string()),
            None => return listen_address(text),
        },
    };
    listen_address(&format!("{host}:{port}"))
}

/// An address and a port, where `localhost` is 127.0.0.1.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let number = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_string(),
    };
    number.parse().map_err(|_| "write an address and a port, such as localhost:4599".into())
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
    /// File to write. An existing file is never overwritten.
    #[arg(default_value = "auroraml.yaml")]
    pub file: PathBuf,
}

/// Check specs without AWS.
///
/// Prints every problem as FILE:LINE:COL: MESSAGE, and exits with 1 if there are any. Warnings do not count.
#[derive(Debug, Args)]
pub struct Validate {
    /// Specs to check, or folders of specs; `-` reads stdin.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// Show what apply or destroy would do. Changes nothing.
#[derive(Debug, Args)]
pub struct Plan {
    /// The spec, or a folder of specs; `-` reads stdin.
    pub spec: PathBuf,
    #[command(flatten)]
    pub several: Several,
    /// Exit with 2 if there are changes.
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    pub format: PlanFormat,
    /// Also save the plan in FILE, for `apply --plan` or `destroy --plan`. With several stacks FILE is a folder.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Plan the deletion of the stack.
    #[arg(long)]
    pub destroy: bool,
    /// Wake a paused cluster to look into its database.
    #[arg(long)]
    pub wake: bool,
    /// Also turn deletion protection off.
    #[arg(long, requires = "destroy")]
    pub unprotect: bool,
    #[command(flatten)]
    pub sets: super::change_sets::Wanted,
    #[command(flatten)]
    pub terms: Terms,
    #[command(flatten)]
    pub page: super::page::PageFile,
}

/// How far the database may be interrupted, and when.
#[derive(Clone, Debug, Default, Args)]
pub struct Terms {
    /// Worst interruption of the database that is allowed [default: `allow` of the spec's `restart`, else readers].
    #[arg(long, value_enum, value_name = "IMPACT", help_heading = "Interruptions")]
    pub allow: Option<AllowArgument>,
    /// Interrupt now, without waiting for the spec's window.
    #[arg(long, help_heading = "Interruptions")]
    pub now: bool,
    /// Exit 0 even if members stay pending-reboot, because of the spec's `restart` or window. `destroy` then also deletes what
    /// these members still use: the roles and the parameter group.
    #[arg(long, help_heading = "Interruptions")]
    pub accept_pending: bool,
    /// Also delete this resource, such as notebook.main, which holds data or was created by others. Can be repeated.
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
    /// No interruption.
    None,
    /// Readers, one at a time.
    Readers,
    /// The writer, by failing over to a reader.
    Failover,
    /// The writer, by restarting it (in some versions all members at once).
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

/// Create or change the stack to match the spec.
#[derive(Debug, Args)]
pub struct Apply {
    /// The spec, or a folder of specs; `-` reads stdin.
    pub spec: PathBuf,
    #[command(flatten)]
    pub several: Several,
    /// Do not ask for confirmation. Needed without a terminal, as in a pipeline.
    #[arg(long)]
    pub yes: bool,
    /// Carry out the plan saved in FILE, or nothing if anything has changed since.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Write events to FILE, one JSON object per line.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    #[command(flatten)]
    pub sets: super::change_sets::Wanted,
    #[command(flatten)]
    pub terms: Terms,
    #[command(flatten)]
    pub together: Together,
    #[command(flatten)]
    pub page: super::page::PageFile,
}

/// Delete the stack, as the spec's on_destroy settings say.
#[derive(Debug, Args)]
pub struct Destroy {
    /// The spec; `-` reads stdin.
    #[arg(
        required = false,
        required_unless_present = "all_tagged",
        default_value_if("all_tagged", ArgPredicate::IsPresent, "-")
    )]
    pub spec: PathBuf,
    #[command(flatten)]
    pub without: super::reap::Without,
    /// Do not ask for confirmation. Needed without a terminal, as in a pipeline.
    #[arg(long)]
    pub yes: bool,
    /// Turn deletion protection off first.
    #[arg(long)]
    pub unprotect: bool,
    /// Carry out the plan saved in FILE, or nothing if anything has changed since.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Write events to FILE, one JSON object per line.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    #[command(flatten)]
    pub terms: Terms,
    #[command(flatten)]
    pub together: Together,
    #[command(flatten)]
    pub page: super::page::PageFile,
}

/// Show what exists of the stack. Changes nothing.
#[derive(Debug, Args)]
pub struct Status {
    /// The spec; `-` reads stdin.
    pub spec: PathBuf,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    pub format: StatusFormat,
    #[command(flatten)]
    pub page: super::page::PageFile,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum StatusFormat {
    #[default]
    Text,
    Json,
    Yaml,
}

/// Check the machine learning wiring, link by link. Changes nothing.
///
/// Checks what exists in AWS, however it was made: engine, parameter, role, trust, policy, association, members,
/// endpoints, network. Prints one line per check, and how to fix what failed. Exits with 1 if a check failed.
#[derive(Debug, Args)]
pub struct Verify {
    /// The spec; `-` reads stdin.
    pub spec: PathBuf,
    /// Also ask the database, through the RDS Data API. Wakes a paused cluster.
    #[arg(long)]
    pub deep: bool,
    /// Also run a query: SQL, or by default the sentiment of a sentence and a prediction for one row.
    #[arg(long, value_name = "SQL", num_args = 0..=1, default_missing_value = "")]
    pub query: Option<String>,
    /// Output format.
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

/// Serve the simulated AWS to any AWS client, or reset it.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Sandbox {
    /// Address to serve it at until Ctrl-C, such as localhost:4599. The default port is 4599; 0 picks a free one.
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = own_address)]
    pub listen: Option<SocketAddr>,
    /// Delete everything in it.
    #[arg(long)]
    pub reset: bool,
    /// Start without what every AWS account has, such as a default VPC in each region.
    #[arg(long, requires = "listen")]
    pub bare: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_to_listen_on_may_be_short() {
        for (text, address) in [
            ("localhost", "127.0.0.1:4599"),
            ("localhost:0", "127.0.0.1:0"),
            ("127.0.0.1", "127.0.0.1:4599"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("4566", "127.0.0.1:4566"),
            (":4566", "127.0.0.1:4566"),
            ("::1", "[::1]:4599"),
            ("[::1]:5000", "[::1]:5000"),
        ] {
            let read = own_address(text).map(|address| address.to_string());
            assert_eq!(read.as_deref(), Ok(address), "{text}");
        }
        for text in ["", "localhost:", "localhost:99999", "http://localhost", "here:1", "99999"] {
            assert!(own_address(text).is_err(), "{text}");
        }
    }
}
