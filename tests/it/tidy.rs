//! Rules about the tree itself: a rule that matters is a test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Lines above which a file is asking to be two rooms.
const LINES_MAX: usize = 500;

pub fn files(folder: &str, ending: &str) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                let text = std::fs::read_to_string(&path).unwrap();
                found.insert(path, text);
            }
        }
    }
    found
}

/// The code of a file without comments and tests.
pub fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split("#[cfg(test)]")
        .next()
        .unwrap_or_default()
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"))
}

/// Modules of this crate from the top floor down: none mentions one that stands above it. What the pure half may use
/// is kept by its crate, and by a test of its own.
const FLOORS: &[&[&str]] = &[&["cli"], &["run"], &["verify"], &["stack"], &["kinds"], &["aws"]];

#[test]
fn nothing_looks_upward() {
    let mut wrong = Vec::new();
    for (floor, modules) in FLOORS.iter().enumerate() {
        for module in *modules {
            let above = FLOORS[..floor].iter().chain([modules]).flat_map(|floor| *floor);
            let above: Vec<String> =
                above.filter(|other| *other != module).map(|other| format!("crate::{other}")).collect();
            let folder = format!("src/{module}");
            let mut found = if Path::new(&folder).is_dir() { files(&folder, "rs") } else { BTreeMap::new() };
            if let Ok(text) = std::fs::read_to_string(format!("src/{module}.rs")) {
                found.insert(PathBuf::from(format!("src/{module}.rs")), text);
            }
            assert!(!found.is_empty(), "there is no module {module}");
            for (path, text) in found {
                for line in code(&text) {
                    if let Some(word) = above.iter().find(|word| line.contains(*word)) {
                        wrong.push(format!("{}: `{line}` mentions {word}", path.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The library can be had without the command line and the simulated AWS: neither is mentioned in it.
#[test]
fn the_library_carries_no_simulator() {
    let library = files("src", "rs").into_iter();
    let library = library.filter(|(path, _)| !path.starts_with("src/cli") && !path.ends_with("main.rs"));
    let words = ["auroraml_sandbox", "clap", "anstream"];
    let wrong: Vec<String> = library
        .flat_map(|(path, text)| {
            let hits = code(&text).filter(|line| words.iter().any(|word| line.contains(word)));
            hits.map(|line| format!("{}: {line}", path.display())).collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Changing anything in AWS goes through `kinds`, and `kinds` are called by `run` alone.
#[test]
fn there_is_one_executor() {
    let mut wrong = Vec::new();
    for (path, text) in files("src", "rs") {
        let allowed = ["src/kinds", "src/run", "src/aws", "src/verify"].iter().any(|f| path.starts_with(f));
        let carries_out = path.starts_with("src/kinds") || path.ends_with("run/step.rs");
        for line in code(&text) {
            let calls = [".create(&", ".update(&", ".delete(&"].iter().any(|c| line.contains(c));
            if !carries_out && calls && line.contains("kind") {
                wrong.push(format!("{}: {line}", path.display()));
            }
            if !allowed && line.contains("aws_sdk_") {
                wrong.push(format!(
                    "{}: only kinds, run, verify and aws speak to the SDK: {line}",
                    path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = ["src", "crates"]
        .iter()
        .flat_map(|folder| files(folder, "rs"))
        .filter(|(path, _)| !path.components().any(|part| part.as_os_str() == "tests"))
        .filter(|(_, text)| text.lines().count() > LINES_MAX)
        .map(|(path, text)| format!("{} has {} lines", path.display(), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "more than {LINES_MAX} lines:\n{}", long.join("\n"));
}

#[test]
fn nothing_is_left_for_later_or_silenced() {
    let words = ["todo!", "unimplemented!", "dbg!", "#[allow", "#![allow", "#[ignore"];
    let mut found = Vec::new();
    for folder in ["src", "crates", "tests"] {
        for (path, text) in files(folder, "rs") {
            if path == Path::new("tests/it/tidy.rs") {
                continue;
            }
            for line in text.lines().filter(|line| words.iter().any(|word| line.contains(word))) {
                found.push(format!("{}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Every kind of the list has its file of calls; core's own test looks after the files of properties.
#[test]
fn kinds_and_files_agree() {
    let shared = ["mod", "kind", "registry", "beyond", "rds", "ec2", "sagemaker", "sql"];
    let in_files: BTreeSet<String> = files("src/kinds", "rs")
        .into_keys()
        .filter(|path| path.parent() == Some(Path::new("src/kinds")))
        .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .filter(|stem| !shared.contains(&stem.as_str()))
        .collect();
    let listed = auroraml_core::kinds::catalog().iter().map(|(name, _)| name.to_string()).collect();
    let differ: Vec<&String> = in_files.symmetric_difference(&listed).collect();
    assert!(differ.is_empty(), "in src/kinds or in `every_kind!`, and not in both: {differ:?}");
}

/// Kinds refer to kinds that exist, and deletion can always find an order.
#[test]
fn rules_name_kinds_that_exist() {
    let catalog = auroraml_core::kinds::catalog();
    let names: BTreeSet<&str> = catalog.iter().map(|(name, _)| name).collect();
    for (name, rules) in catalog.iter() {
        for other in rules.after.iter().chain(rules.dies_with.iter()) {
            assert!(names.contains(other), "{name} refers to a kind {other} that does not exist");
            assert!(!catalog[*other].after.contains(&name), "{name} and {other} wait for each other");
        }
        assert!(rules.poll_seconds > 0 && rules.limit_minutes > 0, "{name} waits for ever");
    }
}

/// The templates are YAML, and the CloudFormation one names only parameters that it has.
#[test]
fn templates_can_be_read() {
    for name in ["github-actions.yaml", "pipeline-role.yaml"] {
        let text = std::fs::read_to_string(Path::new("templates").join(name)).unwrap();
        let value: serde_yaml::Value = serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(value.is_mapping(), "{name}");
        for reference in text.split("${").skip(1).filter_map(|rest| rest.split('}').next()) {
            let known = reference.starts_with("AWS::")
                || reference.starts_with('{')
                || !value["Parameters"][reference].is_null();
            assert!(known, "{name} refers to {reference}, which it does not have");
        }
    }
}

/// Things that the program counts.
const COUNTED: &[&str] = &[
    "actions",
    "addresses",
    "characters",
    "checks",
    "columns",
    "days",
    "endpoints",
    "entries",
    "errors",
    "fields",
    "files",
    "hours",
    "instances",
    "interruptions",
    "items",
    "jobs",
    "lines",
    "members",
    "minutes",
    "models",
    "objects",
    "prices",
    "problems",
    "ranges",
    "records",
    "requests",
    "resources",
    "roles",
    "rows",
    "rules",
    "seconds",
    "stacks",
    "steps",
    "subnets",
    "tables",
    "tags",
    "times",
    "versions",
    "warnings",
    "zones",
];

/// Numbers that are never one, with the reason where it does not show.
const NEVER_ONE: &[&str] = &[
    // The limit is above it.
    "characters are too many",
    "ranges are too many",
    "tags are too many",
    "objects are too many",
    "instances are too many",
    "resources are too many",
    "characters, and IAM allows",
    "characters, and AWS allows",
    "subnets of one kind are more than",
    "entries; CloudFormation allows",
    // A constant.
    "hours; it continues",
    // One has a branch of its own above it.
    "interruptions, each marked",
    "resources, all ready",
    "resources are not ready",
    "members at once",
    "stop all {count} members",
    "{} actions\", many",
    "all {many} actions",
    "lines, {} bytes",
    "times as fast as real time",
];

/// "1 files": a number that may be one goes through `counted`.
#[test]
fn one_thing_is_not_named_as_many() {
    let mut wrong = Vec::new();
    let mut excused = BTreeSet::new();
    for (path, text) in files("src", "rs").into_iter().chain(files("crates/core/src", "rs")) {
        if path.ends_with("tests.rs") {
            continue;
        }
        for line in code(&text) {
            for (at, _) in line.match_indices("} ") {
                let after = line[at + 2..].trim_start_matches("more ").trim_start_matches("free ");
                let word = after.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
                let inside = line[..at].rsplit('{').next().unwrap_or_default();
                // Only what stands in a text; a limit is written in capitals.
                let is_text = line[..at].matches('"').count() % 2 == 1 || !line.contains('"');
                if !is_text || !COUNTED.contains(&word) || inside.chars().any(char::is_uppercase) {
                    continue;
                }
                match NEVER_ONE.iter().find(|excuse| line.contains(*excuse)) {
                    Some(excuse) => _ = excused.insert(*excuse),
                    None => wrong.push(format!("{}: {line}", path.display())),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "say it with `counted`:\n{}", wrong.join("\n"));
    let unused: Vec<&&str> = NEVER_ONE.iter().filter(|excuse| !excused.contains(*excuse)).collect();
    assert!(unused.is_empty(), "nothing says this any more: {unused:?}");
}

/// No text that the program is recorded to have printed, and no page of ours, says "1 files".
#[test]
fn nothing_printed_names_one_thing_as_many() {
    // Words in s that are no plurals.
    let singular = ["is", "was", "has", "does", "needs", "lasts", "this", "as", "its", "vs", "us"];
    let mut wrong = Vec::new();
    let mut read = 0;
    for (folder, ending) in
        [("tests", "txt"), ("tests", "md"), ("crates", "txt"), ("crates", "md"), ("docs", "md")]
    {
        for (path, text) in files(folder, ending) {
            read += 1;
            for line in text.lines() {
                let words: Vec<&str> = line.split_whitespace().collect();
                for pair in words.windows(2) {
                    let word = pair[1].trim_end_matches(|c: char| c.is_ascii_punctuation());
                    let is_plural = word.len() > 2 && word.ends_with('s') && !word.ends_with("ss");
                    let is_word = word.chars().all(|c| c.is_ascii_lowercase());
                    let is_one = pair[0].trim_start_matches(['(', '"', '`']) == "1";
                    if is_one && is_word && is_plural && !singular.contains(&word) {
                        wrong.push(format!("{}: {line}", path.display()));
                    }
                }
            }
        }
    }
    assert!(read > 100, "{read}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
