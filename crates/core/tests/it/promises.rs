//! What README and docs say of examples, numbers and words is so.

use crate::{files, graph_of, repository, spec_named};
use auroraml_core::base::Observed;
use auroraml_core::kinds::catalog;
use auroraml_core::plan::plan;
use auroraml_core::spec::{self, Aurora, Spec};
use std::collections::BTreeSet;
use std::fs;

fn read(name: &str) -> String {
    fs::read_to_string(repository(name)).unwrap()
}

fn count(spec: &Spec, kind: &str) -> usize {
    graph_of(spec).resources.keys().filter(|id| id.kind == kind).count()
}

fn cluster(spec: &Spec) -> &spec::Cluster {
    match &spec.aurora {
        Some(Aurora::Owned(cluster)) => cluster,
        _ => panic!("{} has no cluster of its own", spec.stack),
    }
}

/// `sed -i.bak 's/OLD/NEW/' FILE` changes the file, into a spec that is as good.
#[test]
fn the_tutorial_s_edit_changes_something() {
    let page = read("docs/tutorial.md");
    let edits: Vec<&str> = page.lines().filter(|line| line.starts_with("sed -i.bak 's/")).collect();
    assert_eq!(edits.len(), 1, "{edits:?}");
    let mut parts = edits[0].split('/');
    let (old, new) = (parts.nth(1).unwrap(), parts.next().unwrap());
    let file = edits[0].split_whitespace().last().unwrap();
    let text = read(&format!("specs/{file}"));
    let changed = text.lines().map(|line| line.replacen(old, new, 1)).collect::<Vec<_>>().join("\n");
    let (before, after) = (spec::parse(text.as_bytes()).unwrap(), spec::parse(changed.as_bytes()).unwrap());
    assert_ne!(before, after);
}

#[test]
fn the_readme_knows_which_rust() {
    let (readme, manifest) = (read("README.md"), read("Cargo.toml"));
    let wanted = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")).unwrap();
    let wanted = wanted.trim_end_matches('"');
    assert!(readme.contains(&format!("({wanted} or newer)")), "Cargo.toml wants {wanted}");
}

/// The README's words on each example, and those that stand at its top.
#[test]
fn examples_are_what_is_said_of_them() {
    let lean = spec_named("lean.yaml");
    let costly = ["nat_gateway", "elastic_ip", "notebook"];
    assert!(costly.iter().all(|kind| count(&lean, kind) == 0), "what costs while nobody uses it");
    assert!(lean.endpoints.values().all(|endpoint| endpoint.serverless.is_some()));
    let range = cluster(&lean).serverless.as_ref().unwrap();
    assert!(
        range.min == 0.0 && cluster(&lean).instances.iter().all(|member| member.class == "db.serverless")
    );
    assert_eq!(count(&lean, "instance"), 1);
    // "What remains: storage, and the hours of one interface endpoint (the S3 gateway endpoint is free)."
    assert_eq!(count(&lean, "vpc_endpoint"), 2);

    let production = spec_named("production.yaml");
    assert_eq!(count(&production, "instance"), 3, "a writer and two readers");
    let graph = graph_of(&production);
    let private = graph.resources.iter().filter(|(id, _)| id.name.starts_with("private"));
    let zones: BTreeSet<_> = private.filter_map(|(_, subnet)| subnet.props["zone"].as_str()).collect();
    assert_eq!(
        (zones.len(), count(&production, "nat_gateway")),
        (3, 3),
        "three zones, each with its gateway"
    );
    let props = &graph.resources.iter().find(|(id, _)| id.kind == "cluster").unwrap().1.props;
    assert_eq!((&props["deletion_protection"], &props["backup_retention_days"]), (&true.into(), &14.into()));
    assert_eq!(cluster(&production).on_destroy, spec::ClusterOnDestroy::Protect);

    let minimal = spec_named("minimal.yaml");
    let size = graph_of(&minimal).resources.len();
    for path in files("specs", "yaml") {
        let other = spec_named(path.file_name().unwrap().to_str().unwrap());
        // What templates make is counted elsewhere.
        let is_owned = matches!(other.aurora, Some(Aurora::Owned(_))) && other.stacks.is_none();
        assert!(!is_owned || graph_of(&other).resources.len() >= size, "{} is smaller", other.stack);
    }
    let existing = spec_named("existing-cluster.yaml");
    assert!(matches!(existing.aurora, Some(Aurora::Existing(_))));
}

/// "Creating a cluster [interrupts] nobody": no plan of a new stack lists an interruption.
#[test]
fn what_is_new_interrupts_nobody() {
    for name in ["churn.yaml", "churn-as-published.yaml", "lean.yaml", "minimal.yaml", "production.yaml"] {
        let plan = plan(&graph_of(&spec_named(name)), &Observed::new(), &catalog());
        assert!(plan.work().count() > 0 && plan.interruptions().next().is_none(), "{name}");
        assert!(plan.blocked.is_empty() && plan.held().next().is_none(), "{name}");
    }
}

/// docs/verify.md lists each check by its name, and none that there is not.
#[test]
fn every_check_is_in_the_table() {
    let page = read("docs/verify.md");
    let rows = page.lines().skip_while(|line| !line.starts_with("| check |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with("| "));
    let listed: Vec<&str> = rows.filter_map(|line| line.split('`').nth(1)).collect();
    assert!(listed.len() >= 13, "{listed:?}");
    let is = |row: &str, check: &str| match row.strip_prefix("… ") {
        Some(what) => check.split_once(' ').is_some_and(|(_, rest)| rest == what),
        None => check == row,
    };
    let mut seen = BTreeSet::new();
    for path in files("tests/data/verify", "txt") {
        for line in fs::read_to_string(path).unwrap().lines() {
            let outcome =
                ["ok ", "FAILED ", "not checked ", "note "].iter().find(|word| line.starts_with(**word));
            let Some(rest) = outcome.and_then(|word| line.strip_prefix(word)) else { continue };
            let check = rest.trim_start().split("  ").next().unwrap();
            assert!(listed.iter().any(|row| is(row, check)), "docs/verify.md does not list {check}");
            seen.insert(check.to_string());
        }
    }
    // What is rare stands in no page of the tests, but in the code.
    let sources = files("crates/core/src/verify", "rs");
    let sources: String = sources.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for row in listed {
        let is_named = sources.contains(&format!("\"{row}\""));
        assert!(is_named || seen.iter().any(|check| is(row, check)), "no check is called {row}");
    }
}

/// Numbers that people read, and the lines of the code that they are taken from.
#[test]
fn numbers_are_those_of_the_code() {
    for (page, words, source, line) in [
        (
            "CONTRIBUTING.md",
            "| 12,000 in each `cargo test`",
            "crates/core/tests/it/restarts.rs",
            "const CASES: u64 = 12_000;",
        ),
        ("README.md", "25 times as fast as on AWS", "src/cli/args.rs", "const SPEED: f64 = 25.0;"),
        (
            "docs/restarts.md",
            "90 s are given to that",
            "crates/core/src/kinds/parameter_sync.rs",
            "const RESUMES_SECONDS: u64 = 90;",
        ),
        (
            "docs/restarts.md",
            "waits a minute for what may be on its way",
            "crates/core/src/kinds/parameter_sync.rs",
            "const BEGINS_SECONDS: u64 = 60;",
        ),
        (
            "docs/restarts.md",
            "tries it three times",
            "crates/core/src/members/interruption.rs",
            "const SAME_MAX: usize = 3;",
        ),
        (
            "docs/restarts.md",
            "in the last minute | waits",
            "src/kinds/rds.rs",
            "const ROLES_LATE_SECONDS: u64 = 60;",
        ),
        (
            "docs/restarts.md",
            "never finished, for a day",
            "src/kinds/parameter_sync.rs",
            "const UNFINISHED_MS: u64 = 24 * 3_600_000;",
        ),
        (
            "docs/verify.md",
            "at most 120 seconds",
            "src/aws/sql.rs",
            "const RESUME_LIMIT: Duration = Duration::from_secs(120);",
        ),
    ] {
        let told = read(page).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(words), "{page} does not say: {words}");
        assert!(read(source).contains(line), "{page} says `{words}`, and {source} has no `{line}`");
    }
}

/// What `auroraml init` writes is "a commented spec to start from".
#[test]
fn the_starter_is_commented() {
    let comments = spec::STARTER.lines().filter(|line| line.contains('#')).count();
    assert!(comments * 3 > spec::STARTER.lines().count(), "{comments}");
}

/// docs/troubleshooting.md has messages as its headings: each is still in the source, or in what a test has seen.
#[test]
fn every_message_with_a_remedy_is_still_there() {
    let page = read("docs/troubleshooting.md");
    let headings = page.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
    let headings: Vec<&str> = headings.collect();
    assert!(headings.len() >= 20, "{headings:?}");
    let mut sources = Vec::new();
    for folder in ["src", "crates/core/src", "crates/sandbox/src"] {
        gather(&repository(folder), &mut sources);
    }
    // A text that goes on in the next line.
    let sources: Vec<String> = sources.iter().map(|text| joined(text)).collect();
    for heading in headings {
        let parts: Vec<&str> = heading.split('…').map(str::trim).filter(|part| !part.is_empty()).collect();
        let is_there = sources.iter().any(|text| is_said(text, &parts));
        assert!(is_there, "no message is like the heading `{heading}` of docs/troubleshooting.md");
    }
}

fn gather(folder: &std::path::Path, sources: &mut Vec<String>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => gather(&path, sources),
            false if path.extension().is_some_and(|extension| extension == "rs") => {
                sources.push(fs::read_to_string(path).unwrap());
            }
            false => {}
        }
    }
}

fn joined(text: &str) -> String {
    let mut lines = text.split("\\\n");
    let first = lines.next().unwrap_or_default().to_string();
    lines.fold(first, |text, line| text + line.trim_start())
}

/// Whether the parts follow one another within a message.
fn is_said(text: &str, parts: &[&str]) -> bool {
    let (first, rest) = parts.split_first().unwrap();
    text.match_indices(first).any(|(at, _)| {
        let message: String = text[at + first.len()..].chars().take(400).collect();
        let mut after = message.as_str();
        rest.iter().all(|part| after.split_once(part).map(|(_, then)| after = then).is_some())
    })
}
