//! The spec looks down to the engine and to SQL only, and its checks know no engine by name. How a number is told with its
//! noun is one for all.

use crate::files;

#[test]
fn spec_uses_nothing_of_the_crate_but_engine_and_sql() {
    let mut seen = 0;
    let folders = ["crates/core/src/spec", "crates/core/src/spec/check", "crates/core/src/spec/check/sql"];
    for path in folders.iter().flat_map(|dir| files(dir, "rs")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for part in text.split("crate::").skip(1) {
            seen += 1;
            let floor = part.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap();
            let is_wording = part.starts_with("base::counted");
            assert!(
                is_wording || ["engine", "spec", "sql"].contains(&floor),
                "{} uses crate::{floor}",
                path.display()
            );
        }
    }
    assert!(seen > 20, "{seen} uses were seen");
}

#[test]
fn the_engine_does_not_know_the_spec() {
    let dirs = ["crates/core/src/engine", "crates/core/src/engine/aurora_mysql"];
    let paths: Vec<_> = dirs.iter().flat_map(|dir| files(dir, "rs")).collect();
    assert!(paths.len() > 3, "{paths:?}");
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("crate::spec"), "{}", path.display());
    }
}

/// What differs between engines is a field of `Engine`. Unit tests may take the engine that there is.
#[test]
fn checks_name_no_engine() {
    let mut paths = files("crates/core/src/spec/check", "rs");
    paths.extend(files("crates/core/src/spec/check/sql", "rs"));
    paths.extend(files("crates/core/src/spec", "rs").into_iter().filter(|path| path.ends_with("check.rs")));
    assert!(paths.len() >= 6, "{paths:?}");
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap().to_lowercase();
        for name in ["mysql", "postgres"] {
            assert!(!code.contains(name), "{} names {name}", path.display());
        }
    }
}
