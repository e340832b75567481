//! The commands. Arguments in, one exit code out; everything between is the library's.
//!
//! **Invariants.** The only module that reads arguments, the environment and files that the user names, and
//! the only one that prints. No runtime is started before a command needs one.

mod adopt;
pub mod args;
mod audit;
mod bills;
mod carry_out;
mod change_sets;
mod confirm;
mod cost;
mod data;
#[cfg(test)]
mod documents;
mod drift;
mod exit;
mod explain;
mod export;
mod files;
mod fleet;
mod graph;
mod hint;
mod host;
mod lease;
mod live;
mod local;
mod lock;
mod on_hold;
mod page;
mod pause;
mod planning;
mod policy;
mod printer;
mod profiles;
mod reap;
#[cfg(test)]
mod reference;
mod review;
mod sandbox;
mod session;
mod signals;
mod status;
mod terminal;
mod typed;
mod unreachable;
mod verify;

pub use exit::Exit;

use args::{Arguments, Command};
use clap::CommandFactory;
use exit::Error;
use printer::Printer;
use std::process::ExitCode;

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let arguments = match typed::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(error) => {
            // A help or version text that nobody reads to its end is no failure.
            let _ = error.print();
            // Clap's own code for mistakes is 2, which here means "there are changes".
            return if error.use_stderr() { Exit::Error.into() } else { Exit::Done.into() };
        }
    };
    arguments.global.color.apply();
    let printer = Printer::new(arguments.global.quiet);
    match run(arguments, &printer) {
        Ok(exit) => exit.into(),
        Err(error) => {
            printer.error(&error);
            error.exit.into()
        }
    }
}

/// The command line, for its help texts and completions.
pub fn command() -> clap::Command {
    Arguments::command()
}

fn run(arguments: Arguments, printer: &Printer) -> Result<Exit, Error> {
    let global = &arguments.global;
    match &arguments.command {
        Command::Init(args) => local::init(args, global, printer),
        Command::Validate(args) => local::validate(args, global, printer),
        Command::Schema(args) => local::schema(args, printer),
        Command::Completions(args) => local::completions(args, printer),
        Command::Plan(args) => session::block_on(global, planning::plan(args, global, printer)),
        Command::Apply(args) => session::block_on(global, carry_out::apply(args, global, printer)),
        Command::Destroy(args) => session::block_on(global, carry_out::destroy(args, global, printer)),
        Command::Adopt(args) => session::block_on(global, adopt::adopt(args, global, printer)),
        Command::Pause(args) => session::block_on(global, pause::pause(args, global, printer)),
        Command::Resume(args) => session::block_on(global, pause::resume(args, global, printer)),
        Command::Reap(args) => session::block_on(global, reap::reap(args, global, printer)),
        Command::Cost(args) => session::block_on(global, cost::cost(args, global, printer)),
        Command::Status(args) => session::block_on(global, status::status(args, global, printer)),
        Command::Verify(args) => session::block_on(global, verify::verify(args, global, printer)),
        Command::Policy(args) => policy::policy(args, global, printer),
        Command::Drift(args) => session::block_on(global, drift::drift(args, global, printer)),
        Command::Graph(args) => graph::graph(args, global, printer),
        Command::Export(args) => export::export(args, global, printer),
        Command::Explain(args) => explain::explain(args, printer),
        Command::Data(args) => session::block_on(global, data::data(args, global, printer)),
        Command::Sandbox(args) => session::run(false, sandbox::sandbox(args, global, printer)),
    }
}

/// A variable of the environment, unless it is empty.
#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
fn variable(name: &str) -> Option<String> {
    let text = std::env::var(name).ok()?;
    Some(text.trim().to_string()).filter(|text| !text.is_empty())
}

/// RFC 3339 for milliseconds since the Unix epoch.
fn time(at: u64) -> String {
    let at = i64::try_from(at).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    at.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}
