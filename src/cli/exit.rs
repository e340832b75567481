//! How a command ends.

use std::process::ExitCode;

/// The process's exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Nothing to do, or done.
    Done = 0,
    /// An error: of usage, of the spec, of AWS before anything was changed.
    Error = 1,
    /// `plan --detailed-exitcode`: there are changes.
    Changes = 2,
    /// The saved plan is stale: nothing was changed.
    Stale = 3,
    /// Another run holds the lease: nothing was changed.
    Held = 4,
    /// A preflight check failed: nothing was changed.
    Preflight = 5,
    /// Refused: the change replaces or deletes something and was not allowed. Nothing was changed.
    Refused = 6,
    /// Stopped half way, or a destroy has left what it may not delete: what is done and what is left is printed; running it again goes on from there.
    Incomplete = 7,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command failed: printed once, at the end.
#[derive(Debug)]
pub struct Error {
    pub exit: Exit,
    pub troubles: Vec<Trouble>,
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// What it is about: a resource, a file, a part of the spec.
    pub object: Option<String>,
    pub why: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Error {
    /// An error of exit code 1.
    pub fn new(object: impl Into<String>, why: impl Into<String>, help: impl Into<String>) -> Error {
        let trouble = Trouble { object: Some(object.into()), why: why.into(), help: Some(help.into()) };
        Error { exit: Exit::Error, troubles: vec![trouble] }
    }

    /// An error that explains itself.
    pub fn plain(why: impl Into<String>) -> Error {
        Error { exit: Exit::Error, troubles: vec![Trouble { object: None, why: why.into(), help: None }] }
    }

    /// Only the exit code: what is wrong has been printed.
    pub fn said(exit: Exit) -> Error {
        Error { exit, troubles: Vec::new() }
    }

    pub fn with(self, exit: Exit) -> Error {
        Error { exit, ..self }
    }
}
