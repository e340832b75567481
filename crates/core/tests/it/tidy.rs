//! The floors of the pure half: nothing looks upward, and nothing reaches for what is not pure.

use crate::repository;
use auroraml_core::kinds;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Modules from the ground floor up; those of one line know each other not.
const FLOORS: &[&[&str]] = &[
    &["base", "engine", "sql", "template"],
    &["spec", "lease"],
    &["members"],
    &["resource"],
    &["cost"],
    &["kinds", "plan", "events"],
    &["takeover"],
    &["model"],
    &["verify", "policy", "drift", "export"],
    &["render"],
];

/// Ways out of the crate that a dependency cannot forbid.
const NOT_PURE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::process",
    "std::time",
    "async fn",
    "tokio",
];

/// The files of a module, with their code without comments and tests.
fn module(name: &str) -> Vec<(PathBuf, Vec<String>)> {
    let source = repository("crates/core/src");
    let mut found = vec![source.join(format!("{name}.rs"))];
    let mut folders = vec![source.join(name)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.retain(|path| path.is_file() && path.extension().is_some_and(|ending| ending == "rs"));
    assert!(!found.is_empty(), "there is no module {name}");
    let read = found.into_iter().map(|path| {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default().lines().map(str::trim);
        let code = code.filter(|line| !line.starts_with("//")).map(String::from).collect();
        (path, code)
    });
    read.collect()
}

#[test]
fn nothing_looks_upward() {
    let mut wrong = Vec::new();
    for (floor, modules) in FLOORS.iter().enumerate() {
        for name in *modules {
            let others = FLOORS[floor..].iter().flat_map(|floor| *floor).filter(|other| *other != name);
            let above: Vec<String> = others.map(|other| format!("crate::{other}")).collect();
            for (path, code) in module(name) {
                for line in code {
                    // `crate::resource` does not stand for `crate::resources`.
                    let hit = above.iter().find(|word| {
                        line.match_indices(word.as_str()).any(|(at, _)| {
                            !line[at + word.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
                        })
                    });
                    if let Some(word) = hit {
                        wrong.push(format!("{}: `{line}` mentions {word}", path.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_has_its_floor_and_is_pure() {
    let source = std::fs::read_to_string(repository("crates/core/src/lib.rs")).unwrap();
    let mut declared: Vec<&str> =
        source.lines().filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut placed: Vec<&str> = FLOORS.iter().flat_map(|floor| *floor).copied().collect();
    declared.sort_unstable();
    placed.sort_unstable();
    assert_eq!(declared, placed);
    let mut wrong = Vec::new();
    for name in placed {
        for (path, code) in module(name) {
            for line in code {
                if let Some(word) = NOT_PURE.iter().find(|word| line.contains(*word)) {
                    wrong.push(format!("{}: `{line}` mentions {word}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A kind whose file nobody listed would be no kind.
#[test]
fn every_kind_is_listed() {
    let shared = ["mod", "parameters", "unseen"];
    let stems = crate::files("crates/core/src/kinds", "rs").into_iter();
    let in_files: BTreeSet<String> = stems
        .map(|path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned())
        .filter(|stem| !shared.contains(&stem.as_str()))
        .collect();
    let listed = kinds::catalog().iter().map(|(name, _)| name.to_string()).collect();
    let differ: Vec<&String> = in_files.symmetric_difference(&listed).collect();
    assert!(differ.is_empty(), "in crates/core/src/kinds or in `every_kind!`, and not in both: {differ:?}");
}

/// A title that is misspelt would part a section in two.
#[test]
fn the_kinds_of_a_section_stand_together() {
    let mut titles: Vec<&str> = kinds::SECTIONS.iter().map(|(_, title)| *title).collect();
    titles.dedup();
    let different: BTreeSet<&str> = titles.iter().copied().collect();
    assert_eq!(titles.len(), different.len(), "{titles:?}");
}
