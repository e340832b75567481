//! docs/commands.md is what the program says of itself. `UPDATE=1 cargo test --bin auroraml` writes it anew.

use clap::{Arg, Command};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const BEGINS: &str = "<!-- commands -->\n";
const ENDS: &str = "<!-- end -->\n";

#[test]
fn the_reference_of_commands_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGINS).unwrap();
    let (_, after) = rest.split_once(ENDS).unwrap();
    let fresh = format!("{before}{BEGINS}{}{ENDS}{after}", reference());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &fresh).unwrap();
    }
    let is_fresh = page == fresh || std::env::var_os("UPDATE").is_some();
    assert!(is_fresh, "docs/commands.md is not fresh: run with UPDATE=1");
}

fn reference() -> String {
    let mut program = super::command();
    program.build();
    let mut text = String::new();
    for command in program.get_subcommands().filter(|command| !command.is_hide_set()) {
        describe(command, "auroraml", 2, &mut text);
    }
    text += "\n## Options of every command\n\n";
    table(program.get_arguments().filter(|arg| arg.get_long().is_some()), &mut text);
    text
}

/// A command and the commands in it, each with the arguments that are its own.
fn describe(command: &Command, before: &str, level: usize, text: &mut String) {
    let name = format!("{before} {}", command.get_name());
    let about = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string);
    write!(text, "\n{} {name}\n\n{}\n", "#".repeat(level), sentence(&about.unwrap_or_default())).unwrap();
    let own = |arg: &&Arg| !arg.is_global_set() && !arg.is_hide_set() && arg.get_id() != "help";
    let mut inner = command.get_subcommands().filter(|command| command.get_name() != "help").peekable();
    if inner.peek().is_none() {
        let mut usage = name.clone();
        let options = command.get_arguments().filter(own).any(|arg| !arg.is_positional());
        usage += if options { " [OPTIONS]" } else { "" };
        for arg in command.get_positionals() {
            let many =
                if arg.get_num_args().is_some_and(|range| range.max_values() > 1) { "…" } else { "" };
            let (open, close) = if arg.is_required_set() { ("", "") } else { ("[", "]") };
            write!(usage, " {open}{}{close}{many}", value(arg)).unwrap();
        }
        // No code: it is not to be typed as it stands.
        write!(text, "\n**Usage:** {usage}\n").unwrap();
    }
    let mut own = command.get_arguments().filter(own).peekable();
    if own.peek().is_some() {
        text.push('\n');
        table(own, text);
    }
    for command in inner {
        describe(command, &name, level + 1, text);
    }
}

fn table<'a>(args: impl Iterator<Item = &'a Arg>, text: &mut String) {
    *text += "| argument or option | meaning |\n|---|---|\n";
    for arg in args {
        let mut names = Vec::new();
        if arg.is_positional() {
            names.push(value(arg));
        }
        names.extend(arg.get_short().map(|short| format!("-{short}")));
        if let Some(long) = arg.get_long() {
            let takes = arg.get_action().takes_values();
            let is_optional = arg.get_num_args().is_some_and(|range| range.min_values() == 0);
            names.push(match (takes, is_optional) {
                (false, _) => format!("--{long}"),
                (true, false) => format!("--{long} {}", value(arg)),
                (true, true) => format!("--{long}`, `--{long}={}", value(arg)),
            });
        }
        let help =
            arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
        let mut meaning = outside_of_code(&sentence(&help));
        let possible = arg.get_possible_values();
        let takes = arg.get_action().takes_values();
        let choices = possible.iter().filter(|value| takes && !value.is_hide_set());
        let choices: Vec<String> = choices
            .map(|value| match value.get_help() {
                Some(help) => format!("`{}`: {help}", value.get_name()),
                None => format!("`{}`", value.get_name()),
            })
            .collect();
        if !choices.is_empty() {
            write!(meaning, "<br>{}", choices.join("<br>")).unwrap();
        }
        let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        if takes && !defaults.is_empty() {
            write!(meaning, "<br>Default: `{}`", defaults.join(" ")).unwrap();
        }
        let cell = |text: &str| text.replace('\n', " ").replace('|', "\\|");
        writeln!(text, "| `{}` | {} |", cell(&names.join("`, `")), cell(&meaning)).unwrap();
    }
}

fn value(arg: &Arg) -> String {
    arg.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Asterisks as they are, and not the beginning of something in italics.
fn outside_of_code(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(n, part)| if n % 2 == 0 { part.replace('*', "\\*") } else { part.to_string() });
    parts.collect::<Vec<_>>().join("`")
}

/// With the full stop that clap takes away.
fn sentence(text: &str) -> String {
    let text = text.trim();
    match text.ends_with(['.', '!', '?', ']', ')']) || text.is_empty() {
        true => text.to_string(),
        false => format!("{text}."),
    }
}
