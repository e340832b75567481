//! Tests of the pure half, through its public face.

mod basis;
mod cost;
mod deleting;
mod drift;
mod existing;
mod export;
mod facts;
mod graphs;
mod in_code;
mod judging;
mod kinds;
mod limits;
mod members;
mod next_restart;
mod pages;
mod pictures;
mod pipeline_role;
mod planning;
mod policies;
mod promises;
mod render;
mod restarts;
mod roles;
mod screen;
mod screens;
mod spec_docs;
mod spec_engine;
mod spec_value;
mod sql_text;
mod stacks;
mod sync;
mod takeover;
mod template;
mod tidy;
mod validate;
mod variables;

use auroraml_core::base::names::Place;
use auroraml_core::engine::{AURORA_MYSQL, Offered};
use auroraml_core::model::facts::Facts;
use auroraml_core::model::{self, Intent};
use auroraml_core::resource::Graph;
use auroraml_core::spec::{self, Spec};
use std::path::{Path, PathBuf};

/// The version of Aurora MySQL that is on offer.
const VERSION: &str = "8.0.mysql_aurora.3.10.2";

fn place_of(spec: &Spec) -> Place {
    Place::new(spec.stack.clone(), spec.region.clone(), "111122223333")
        .with(auroraml_core::model::names(spec))
}

/// What is known of an account in which nothing is there yet.
fn facts_for(spec: &Spec) -> Facts {
    Facts {
        zones: ["a", "b", "c"].map(|letter| format!("{}{letter}", spec.region)).into(),
        engine_versions: vec![Offered { version: VERSION.into(), family: (AURORA_MYSQL.family)(VERSION) }],
        today: "2026-11-20".into(),
        timestamp: "20261120-000000".into(),
        templates: spec.templates().into_iter().map(template).collect(),
        ..Facts::default()
    }
}

/// The text of a template that a spec of ours names: one in specs/, or one of the tests'.
fn template(path: &str) -> (String, Result<String, String>) {
    let read = |folder: &str| std::fs::read_to_string(repository(folder).join(path));
    let text = read("specs").or_else(|_| read("tests/data"));
    (path.to_owned(), text.map_err(|error| error.to_string()))
}

/// The graph of a spec in an account in which nothing is there yet.
fn graph_of(spec: &Spec) -> Graph {
    model::build(spec, &place_of(spec), &facts_for(spec), Intent::Apply)
        .unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn spec_named(name: &str) -> Spec {
    let source = std::fs::read_to_string(repository("specs").join(name)).unwrap();
    spec::parse(source.as_bytes()).unwrap_or_else(|problems| panic!("{}", problems.render(name, &source)))
}

/// A file or folder of the repository.
fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// The files of a folder of the repository with this extension, in order.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository(folder)).unwrap();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    paths.sort();
    paths
}

/// Compares with a file of the repository, which `UPDATE=1` writes anew.
fn golden(name: &str, text: &str) {
    let path = repository(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{name} is not fresh: run with UPDATE=1 and read the diff");
}
