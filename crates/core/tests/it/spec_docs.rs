//! What is written from the fields of the spec: the tables of docs/spec.md and the JSON Schema.

use crate::{files, golden, repository};
use auroraml_core::spec;
use serde_json::Value;
use std::collections::BTreeSet;

const BEGIN: &str = "<!-- fields: ";
const END: &str = "<!-- end -->";

/// The page with each table between `<!-- fields: NAME -->` and `<!-- end -->` written anew, and the tables' names.
fn page(text: &str) -> (String, Vec<String>) {
    let tables = spec::tables();
    let (mut out, mut names) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some((before, marked)) = rest.split_once(BEGIN) {
        let (name, after) = marked.split_once(" -->\n").expect("a marker is a line of its own");
        let (_, after) = after.split_once(END).unwrap_or_else(|| panic!("no {END} after {name}"));
        let table = tables.iter().find(|table| table.name == name);
        let table =
            table.unwrap_or_else(|| panic!("docs/spec.md has a table {name} that the spec does not have"));
        out += &format!("{before}{BEGIN}{name} -->\n{}{END}", table.text);
        names.push(name.to_owned());
        rest = after;
    }
    (out + rest, names)
}

#[test]
fn the_tables_are_fresh() {
    let text = std::fs::read_to_string(repository("docs/spec.md")).unwrap();
    let (fresh, names) = page(&text);
    let all: Vec<&str> = spec::tables().iter().map(|table| table.name).collect();
    assert_eq!(names, all, "docs/spec.md shows each table once, in the order of the spec");
    golden("docs/spec.md", &fresh);
}

#[test]
fn only_what_is_between_the_markers_is_written() {
    let (fresh, _) = page("before\n\n<!-- fields: bucket -->\n| old |\n<!-- end -->\n\nafter\n");
    assert!(fresh.starts_with("before\n\n<!-- fields: bucket -->\n| key | type |"), "{fresh}");
    assert!(fresh.ends_with(" |\n<!-- end -->\n\nafter\n") && !fresh.contains("| old |"), "{fresh}");
}

#[test]
fn a_row_says_type_default_and_change() {
    let tables = spec::tables();
    let bucket = tables.iter().find(|table| table.name == "bucket").unwrap();
    let row = "| `on_destroy` | `keep`, `empty` | `keep` | in place | `empty` deletes all objects and versions, then the bucket |";
    assert!(bucket.text.contains(row), "{}", bucket.text);
}

#[test]
fn the_schema_is_fresh() {
    golden("schema/spec.schema.json", &spec::json_schema());
}

/// A mapping that nobody added to the list of tables would stay undocumented.
#[test]
fn every_mapping_with_several_keys_has_a_table() {
    let schema: Value = serde_json::from_str(&spec::json_schema()).unwrap();
    let tables: Vec<BTreeSet<String>> = spec::tables().iter().map(|table| keys(&table.text)).collect();
    let mut mappings = 0;
    for (name, part) in schema["$defs"].as_object().unwrap().iter().chain([(&"Spec".to_owned(), &schema)]) {
        let Some(properties) = part["properties"].as_object().filter(|found| found.len() > 1) else {
            continue;
        };
        mappings += 1;
        let wanted: BTreeSet<String> = properties.keys().cloned().collect();
        assert!(tables.contains(&wanted), "add {name} to `tables` and to docs/spec.md");
    }
    assert_eq!(mappings, tables.len(), "each table is of one mapping");
}

/// Where one row says what a change of the field does, all do.
#[test]
fn every_row_is_complete() {
    for table in spec::tables() {
        for row in table.text.lines().skip(2) {
            // The last column may be empty: then the others say it all.
            let cells: Vec<&str> = row.split(" | ").collect();
            assert!(cells.iter().all(|cell| !cell.trim().is_empty()), "{}: {row}", table.name);
        }
    }
}

/// The first column of a table.
fn keys(table: &str) -> BTreeSet<String> {
    table.lines().skip(2).filter_map(|row| row.split('`').nth(1)).map(str::to_owned).collect()
}

/// What people read first: its specs are good ones, and the table has every example.
#[test]
fn the_readme_s_specs_are_good() {
    let text = std::fs::read_to_string(repository("README.md")).unwrap();
    let specs: Vec<&str> =
        text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!specs.is_empty());
    for source in specs {
        spec::parse(source.as_bytes())
            .unwrap_or_else(|problems| panic!("{}", problems.render("README", source)));
    }
    let listed: BTreeSet<&str> = text
        .match_indices("](specs/")
        .map(|(at, start)| text[at + start.len()..].split(')').next().unwrap())
        .collect();
    let files = files("specs", "yaml");
    let there: BTreeSet<&str> =
        files.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(listed, there);
}

/// Links within the repository lead somewhere, to a heading as well.
#[test]
fn links_lead_somewhere() {
    let mut pages = files("", "md");
    pages.extend(["docs", "docs/decisions"].iter().flat_map(|folder| files(folder, "md")));
    let mut count = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link}", page.display());
            if !heading.is_empty() {
                let text = std::fs::read_to_string(&target).unwrap();
                // As GitHub makes them: without punctuation.
                let slug = |line: &str| {
                    let kept = line.trim_start_matches(['#', ' ']).to_lowercase().replace(' ', "-");
                    kept.replace(|c: char| !c.is_alphanumeric() && c != '-' && c != '_', "")
                };
                let found =
                    text.lines().filter(|line| line.starts_with('#')).any(|line| slug(line) == heading);
                assert!(found, "{}: {link}", page.display());
            }
            count += 1;
        }
    }
    assert!(count > 20, "{count}: are they still found?");
}
