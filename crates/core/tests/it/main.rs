//! Tests of the pure half, through its public face.

mod in_code;
mod judging;
mod render;
mod restarts;
mod spec_docs;
mod spec_engine;
mod spec_value;
mod tidy;
mod validate;

use std::path::{Path, PathBuf};

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
