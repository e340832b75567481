//! Rules about the tree itself: a rule that matters is a test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Lines above which a file is asking to be two rooms.
const LINES_MAX: usize = 500;

fn files(folder: &str, ending: &str) -> BTreeMap<PathBuf, String> {
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
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split("#[cfg(test)]")
        .next()
        .unwrap_or_default()
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"))
}

/// What each module must not mention, and why.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    (
        "src/spec",
        &["aws_sdk", "aws_smithy", "aws_config", "tokio", "crate::", "std::env", "std::fs", "std::time"],
        "spec is pure and knows no other module",
    ),
    (
        "src/model",
        &[
            "aws_sdk",
            "aws_smithy",
            "aws_config",
            "tokio",
            "crate::run",
            "crate::sandbox",
            "crate::cli",
            "std::env",
            "std::fs",
            "std::time",
        ],
        "model is pure",
    ),
    (
        "src/plan",
        &[
            "aws_sdk",
            "aws_smithy",
            "aws_config",
            "tokio",
            "crate::kinds",
            "crate::run",
            "crate::sandbox",
            "crate::aws",
            "std::env",
            "std::fs",
            "std::time",
        ],
        "plan is pure",
    ),
    (
        "src/render",
        &[
            "aws_sdk",
            "aws_smithy",
            "aws_config",
            "tokio",
            "crate::kinds",
            "crate::sandbox",
            "crate::aws",
            "crate::cli",
            "std::env",
            "std::fs",
        ],
        "render is pure",
    ),
    (
        "src/aws",
        &["crate::kinds", "crate::run", "crate::sandbox", "crate::cli", "crate::render"],
        "aws is below the kinds",
    ),
    (
        "src/kinds",
        &["crate::run", "crate::sandbox", "crate::cli", "crate::render", "crate::spec"],
        "kinds are below run",
    ),
    ("src/run", &["crate::sandbox", "crate::cli", "crate::render"], "run is below cli"),
    (
        "src/sandbox",
        &[
            "aws_sdk_",
            "crate::kinds",
            "crate::model",
            "crate::plan",
            "crate::aws",
            "crate::run",
            "crate::spec",
        ],
        "the sandbox is a second opinion, not a mirror",
    ),
];

#[test]
fn modules_use_only_what_they_may() {
    let mut wrong = Vec::new();
    for (folder, forbidden, why) in FORBIDDEN {
        for (path, text) in files(folder, "rs") {
            for line in code(&text) {
                for word in *forbidden {
                    let own = format!("crate::{}", folder.trim_start_matches("src/"));
                    let hit = line.contains(word) && !line.contains(&own);
                    if hit {
                        wrong.push(format!("{}: `{line}` mentions {word}: {why}", path.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Changing anything in AWS goes through `kinds`, and `kinds` are called by `run` alone.
#[test]
fn there_is_one_executor() {
    let mut wrong = Vec::new();
    for (path, text) in files("src", "rs") {
        let allowed = ["src/kinds", "src/run", "src/sandbox", "src/aws"].iter().any(|f| path.starts_with(f));
        for line in code(&text) {
            let calls = [".create(&", ".update(&", ".delete(&"].iter().any(|c| line.contains(c));
            if !allowed && (calls && line.contains("kind")) {
                wrong.push(format!("{}: {line}", path.display()));
            }
            if !allowed && line.contains("aws_sdk_") {
                wrong.push(format!("{}: only kinds, run and aws speak to the SDK: {line}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = files("src", "rs")
        .into_iter()
        .filter(|(_, text)| text.lines().count() > LINES_MAX)
        .map(|(path, text)| format!("{} has {} lines", path.display(), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "more than {LINES_MAX} lines:\n{}", long.join("\n"));
}

#[test]
fn nothing_is_left_for_later_or_silenced() {
    let words = ["todo!", "unimplemented!", "dbg!", "#[allow", "#![allow", "#[ignore"];
    let mut found = Vec::new();
    for folder in ["src", "tests"] {
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

/// Every kind is registered, and every registered kind has its file.
#[test]
fn kinds_and_files_agree() {
    let shared = ["mod", "rds", "ec2", "sagemaker", "s3"];
    let mut in_files: Vec<String> = files("src/kinds", "rs")
        .into_keys()
        .filter(|path| path.parent() == Some(Path::new("src/kinds")))
        .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .filter(|stem| !shared.contains(&stem.as_str()))
        .collect();
    let mut registered: Vec<String> =
        auroraml::kinds::KINDS.iter().map(|kind| kind.name().to_string()).collect();
    in_files.sort();
    registered.sort();
    assert_eq!(in_files, registered);
}

/// Kinds refer to kinds that exist, and deletion can always find an order.
#[test]
fn rules_name_kinds_that_exist() {
    let catalog = auroraml::kinds::catalog();
    for (name, rules) in &catalog {
        for other in rules.after.iter().chain(rules.dies_with.iter()) {
            assert!(catalog.contains_key(other), "{name} refers to a kind {other} that does not exist");
            assert!(!catalog[other].after.contains(name), "{name} and {other} wait for each other");
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
