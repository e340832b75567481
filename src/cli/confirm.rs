//! The question before anything is changed.

use super::args::Global;
use super::carry_out::Request;
use super::exit::Error;
use super::printer::Printer;
use super::{hint, terminal};
use auroraml_core::members::Impact;
use auroraml_core::model::Intent;
use auroraml_core::render;
use std::io::{self, BufRead};
use std::path::Path;

/// Asks. Only the whole word counts as yes.
pub(super) async fn confirm(
    destroying: bool,
    stack: &str,
    request: &Request<'_>,
    allows: Option<Impact>,
) -> Result<(), Error> {
    // Where the spec came from nobody can answer.
    if !terminal::can_ask() || request.spec == Path::new(hint::STDIN) {
        return Err(nobody_to_ask(stack, &request.typed, request.global));
    }
    // The question must be seen whatever else is quiet.
    let text = match request.intent {
        Intent::Pause { .. } => format!("Pause stack {stack}? Type yes to continue: "),
        _ if request.typed.first().is_some_and(|command| command == "adopt") => {
            format!("Have CloudFormation hand over to stack {stack}? Type yes to continue: ")
        }
        _ => question(destroying, stack, allows),
    };
    Printer::new(false).say(&format!("\n{text}"));
    // Elsewhere: a lease is renewed while somebody thinks.
    let reading = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    match reading.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(answer) if answer.trim().eq_ignore_ascii_case("yes") => Ok(()),
        Ok(_) => Err(Error::plain("nothing was changed: the answer was not yes")),
        Err(error) => Err(Error::plain(format!("nothing was changed: cannot read the answer: {error}"))),
    }
}

/// Where nobody can answer. The way that is named looks before it changes. How a command goes without asking is said where its
/// flags are explained, and is no line to copy: whoever forgot that it asks has agreed to nothing yet.
pub(super) fn nobody_to_ask(object: &str, typed: &[String], global: &Global) -> Error {
    let command = typed.first().map_or("apply", String::as_str);
    if typed.iter().any(|word| word == hint::STDIN) {
        let of_a_file =
            typed.iter().map(|word| if word == hint::STDIN { "FILE".into() } else { word.clone() });
        let help = format!(
            "give the spec in a file: `{}`; `auroraml help {command}` describes how to run without a terminal",
            hint::command(of_a_file, global)
        );
        let why = "cannot ask for confirmation: the spec came from stdin; nothing was changed";
        return Error::new(object, why, help);
    }
    let help = match hint::reviewed(typed) {
        Some([plan, carry_out]) => format!(
            "review it first: `{}`, then, in a terminal, `{}`; `auroraml help {command}` describes how to run without a terminal",
            hint::command(plan, global),
            hint::command(carry_out, global)
        ),
        None => format!("run it in a terminal; `auroraml help {command}` describes how to run without one"),
    };
    Error::new(object, "cannot ask for confirmation: there is no terminal; nothing was changed", help)
}

/// What is asked. Where the plan goes beyond what is allowed, the question says that a yes allows it.
pub(super) fn question(destroying: bool, stack: &str, allows: Option<Impact>) -> String {
    let what = if destroying { "Destroy stack" } else { "Apply this plan to stack" };
    let allows = allows.and_then(render::consequence);
    let allows = allows.map(|what| format!(" It {what}; yes allows that once.")).unwrap_or_default();
    format!("{what} {stack}?{allows} Type yes to continue: ")
}
