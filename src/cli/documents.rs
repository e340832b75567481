//! What README and docs tell people to type can be typed, and means what the program says of itself.

use super::exit::Exit;
use super::typed;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// Each document's name and text.
fn documents() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    paths.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    assert!(paths.len() >= 5, "{paths:?}");
    paths.iter().map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap())).collect()
}

/// What stands in code: whole lines of blocks, and between backticks.
fn codes(text: &str) -> Vec<(bool, String)> {
    let mut found = Vec::new();
    for (n, part) in text.split("```").enumerate() {
        if n % 2 == 1 {
            // A line that goes on is one with the next.
            let part = part.replace("\\\n", " ");
            found.extend(part.lines().map(|line| (true, line.trim().to_string())));
        } else {
            found.extend(part.split('`').skip(1).step_by(2).map(|code| (false, code.replace('\n', " "))));
        }
    }
    found
}

/// The words of a command of ours, without its comment and the file that its output goes to; `None` for any other.
fn words(code: &str) -> Option<Vec<String>> {
    let code = code.split(" #").next().unwrap_or_default().split(" > ").next().unwrap_or_default();
    let code = code.strip_prefix("$ ").unwrap_or(code);
    let rest = ["auroraml ", "cargo run -- "].iter().find_map(|start| code.strip_prefix(start))?;
    // What stands for something else; a file may be called SPEC.
    let word = |word: String| if word == "SEED" { "7".into() } else { word };
    let rest = shell_words(rest).into_iter().map(word);
    Some(std::iter::once("auroraml".to_string()).chain(rest).collect())
}

/// Words as a shell splits them, as far as the documents need it: double quotes hold one together.
fn shell_words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for letter in text.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_command_of_the_documents_can_be_typed() {
    let mut count = 0;
    let none = ContextValue::String(String::new());
    for (name, text) in documents() {
        for (is_line, code) in codes(&text) {
            let Some(words) = words(&code) else { continue };
            count += 1;
            match typed::parse(words.iter().map(OsString::from)) {
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::DisplayVersion | ErrorKind::DisplayHelp) => {}
                // A flag is named without its value.
                Err(error) if !is_line && error.get(ContextKind::InvalidValue) == Some(&none) => {}
                Err(error) if !is_line && error.kind() == ErrorKind::MissingRequiredArgument => {}
                Err(error) => panic!("{name}: {code}: {error}"),
            }
        }
    }
    assert!(count > 25, "{count}: are they still found?");
}

/// Flags are also named alone, or after the name of a command.
#[test]
fn every_flag_of_the_documents_is_there() {
    let mut command = super::command();
    command.build();
    let mut flags = BTreeSet::new();
    // A command's commands as well, such as those of `data`.
    let all = command
        .get_subcommands()
        .flat_map(|command| std::iter::once(command).chain(command.get_subcommands()));
    for command in std::iter::once(&command).chain(all) {
        flags
            .extend(command.get_arguments().filter_map(|arg| arg.get_long()).map(|long| format!("--{long}")));
    }
    let ours: Vec<&str> = command.get_subcommands().map(|command| command.get_name()).collect();
    let mut count = 0;
    for (name, text) in documents() {
        for (_, code) in codes(&text) {
            let first = code.split_whitespace().next().unwrap_or_default();
            if !(first == "auroraml" || ours.contains(&first) || first.starts_with("--")) {
                continue;
            }
            for word in code.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2) {
                let flag = word.split('=').next().unwrap_or_default();
                assert!(flags.contains(flag), "{name}: {code}: there is no {flag}");
                count += 1;
            }
        }
    }
    assert!(count > 25, "{count}: are they still found?");
}

/// docs/commands.md and `--help` list the exit codes that there are.
#[test]
fn exit_codes_are_listed_as_they_are() {
    use Exit::{Changes, Done, Error, Held, Incomplete, Preflight, Refused, Stale};
    // The compiler misses a code that is not here.
    let next = |exit: Option<Exit>| match exit {
        None => Some(Done),
        Some(Done) => Some(Error),
        Some(Error) => Some(Changes),
        Some(Changes) => Some(Stale),
        Some(Stale) => Some(Held),
        Some(Held) => Some(Preflight),
        Some(Preflight) => Some(Refused),
        Some(Refused) => Some(Incomplete),
        Some(Incomplete) => None,
    };
    let all: Vec<u8> =
        std::iter::successors(next(None), |exit| next(Some(*exit))).map(|exit| exit as u8).collect();
    let page = documents().into_iter().find(|(name, _)| name.ends_with("docs/commands.md")).unwrap().1;
    let rows = page.lines().skip_while(|line| !line.starts_with("| exit code |")).skip(2);
    let rows = rows.map_while(|line| line.strip_prefix("| ")?.split(' ').next()?.parse::<u8>().ok());
    assert_eq!(rows.collect::<Vec<_>>(), all);
    let help = super::command().get_after_help().unwrap().to_string();
    let listed = help.strip_prefix("Exit codes: ").unwrap().split(", ");
    let listed = listed.filter_map(|code| code.split(' ').next()?.parse::<u8>().ok());
    assert_eq!(listed.collect::<Vec<_>>(), all);
}
