//! Specs: the good ones parse, each mistake is explained, and nothing makes the parser panic or hang.

use crate::{files, repository};
use auroraml_core::spec::{self, Aurora, Problems, S3Access};
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn refused(source: &[u8]) -> Problems {
    let problems = spec::parse(source).expect_err("refused");
    assert!(!problems.0.is_empty(), "refused without a reason");
    problems
}

#[test]
fn every_spec_of_ours_is_good() {
    let paths = files("specs", "yaml");
    assert!(paths.len() >= 6, "{paths:?}");
    for path in paths {
        let source = std::fs::read(&path).unwrap();
        let file = path.display().to_string();
        match spec::parse(&source) {
            Ok(spec) => {
                for file in spec.notebook.iter().flat_map(|notebook| &notebook.files) {
                    let text = std::fs::read_to_string(path.with_file_name("").join(file)).unwrap();
                    if !file.ends_with(".ipynb") {
                        continue;
                    }
                    let notebook: serde_json::Value = serde_json::from_str(&text).unwrap();
                    assert_eq!(notebook["nbformat"], 4, "{file}");
                }
            }
            Err(problems) => panic!("{}", problems.render(&file, &String::from_utf8_lossy(&source))),
        }
    }
}

#[test]
fn the_starter_is_good_and_short() {
    let spec = spec::parse(spec::STARTER.as_bytes())
        .unwrap_or_else(|problems| panic!("{}", problems.render("starter.yaml", spec::STARTER)));
    assert!(spec.machine_learning.comprehend && spec.machine_learning.s3 == S3Access::Own(true));
    assert!(spec::STARTER.lines().count() <= 45);
}

#[test]
fn each_mistake_is_explained() {
    let paths = files("tests/data/invalid", "yaml");
    assert!(paths.len() >= 30, "{} cases", paths.len());
    for path in paths {
        let source = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let problems = match spec::parse(source.as_bytes()) {
            Err(problems) => problems,
            Ok(_) => panic!("{name} is accepted"),
        };
        let text = problems.render(&name, &source);
        let heads = text.lines().filter(|line| line.starts_with(&format!("{name}:"))).count();
        assert_eq!(heads, problems.0.len());
        crate::golden(&path.with_extension("txt").to_string_lossy(), &text);
    }
}

/// What AWS may accept is told and refuses nothing.
#[test]
fn each_warning_is_explained() {
    let paths = files("tests/data/warnings", "yaml");
    assert!(paths.len() >= 3, "{} cases", paths.len());
    for path in paths {
        let source = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (spec, warnings) = spec::parse_with_warnings(source.as_bytes())
            .unwrap_or_else(|problems| panic!("{}", problems.render(&name, &source)));
        assert!(!warnings.0.is_empty() && warnings.is_good(), "{name}");
        let in_code = spec.check().unwrap_or_else(|problems| panic!("{name}: {problems}"));
        assert_eq!(in_code.0.len(), warnings.0.len(), "{name}");
        crate::golden(&path.with_extension("txt").to_string_lossy(), &warnings.render(&name, &source));
    }
}

#[test]
fn our_specs_have_no_warnings() {
    for path in files("specs", "yaml") {
        let (_, warnings) = spec::parse_with_warnings(&std::fs::read(&path).unwrap()).unwrap();
        assert!(warnings.0.is_empty(), "{}: {warnings}", path.display());
    }
}

#[test]
fn no_expected_text_without_its_case() {
    for path in ["invalid", "warnings"].iter().flat_map(|dir| files(&format!("tests/data/{dir}"), "txt")) {
        assert!(path.with_extension("yaml").exists(), "{}", path.display());
    }
}

#[test]
fn the_committed_schema_is_fresh() {
    crate::golden("schema/spec.schema.json", &spec::json_schema());
}

/// Every key of the schema is described in docs/spec.md, and accepted by the reader.
#[test]
fn every_key_is_documented_and_read() {
    let schema: serde_json::Value = serde_json::from_str(&spec::json_schema()).unwrap();
    let documented = std::fs::read_to_string(repository("docs/spec.md")).unwrap();
    let mut keys: Vec<String> = Vec::new();
    let structs = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    for properties in structs.filter_map(|part| part["properties"].as_object()) {
        keys.extend(properties.keys().cloned());
    }
    assert!(keys.len() > 40, "{keys:?}");
    for key in keys {
        assert!(documented.contains(&format!("`{key}`")), "docs/spec.md lacks `{key}`");
    }
}

/// Writing a spec as JSON, which is YAML, and reading it gives the same spec: no key is lost on the way.
#[test]
fn what_is_read_can_be_written() {
    for path in files("specs", "yaml") {
        let spec = spec::parse(&std::fs::read(&path).unwrap()).unwrap();
        let mut value = serde_json::to_value(&spec).unwrap();
        strip(&mut value);
        // Keys that go only with other values than the defaults that are written here.
        if let Some(secret) = value.pointer_mut("/aurora/secret").and_then(|secret| secret.as_object_mut())
            && secret["managed_by"] == "rds"
        {
            secret.remove("recovery_window_days");
        }
        for (_, endpoint) in value["endpoints"].as_object_mut().unwrap() {
            let endpoint = endpoint.as_object_mut().unwrap();
            if endpoint["managed_by"] == "notebook" || endpoint.contains_key("serverless") {
                endpoint.remove("count");
            }
            if let Some(model) = endpoint.get_mut("model").and_then(|model| model.as_object_mut())
                && model.contains_key("autopilot")
            {
                model.remove("environment");
            }
        }
        for (_, function) in value["functions"].as_object_mut().unwrap() {
            if function.get("bedrock").is_none() {
                let function = function.as_object_mut().unwrap();
                function.retain(|key, _| key != "content_type" && key != "accept");
            }
        }
        let text = serde_json::to_string_pretty(&value).unwrap();
        let again =
            spec::parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{}", problems.render("x", &text)));
        assert_eq!(again, spec, "{}", path.display());
    }
}

/// Removes the keys without a value.
fn strip(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(strip);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

#[test]
fn unquoted_versions_and_values_keep_their_text() {
    let source = include_str!("../../../../specs/minimal.yaml").replace(
        "aurora:\n",
        "aurora:\n  engine_version: 3.10\n  parameters: { server_audit_logging: 1, long_query_time: 0.50, general_log: ON }\n",
    );
    let Some(Aurora::Owned(cluster)) = spec::parse(source.as_bytes()).unwrap().aurora else { panic!() };
    assert_eq!(cluster.engine_version, "3.10");
    assert_eq!(cluster.parameters["server_audit_logging"], "1");
    assert_eq!(cluster.parameters["long_query_time"], "0.50");
    assert_eq!(cluster.parameters["general_log"], "ON");
    assert_eq!(spec::family(&cluster.engine_version), Some("aurora-mysql8.0"));
}

#[test]
fn anchors_and_merge_keys_work() {
    let source = include_str!("../../../../specs/production.yaml").replace(
        "    - { class: db.r6g.xlarge, promotion_tier: 0 }   # the writer\n    - { class: db.r6g.xlarge, promotion_tier: 0 }",
        "    - &large { class: db.r6g.xlarge, promotion_tier: 0 }\n    - { <<: *large, promotion_tier: 1 }",
    );
    let Some(Aurora::Owned(cluster)) = spec::parse(source.as_bytes()).unwrap().aurora else { panic!() };
    assert_eq!(cluster.instances[1].class, "db.r6g.xlarge");
    assert_eq!((cluster.instances[0].promotion_tier, cluster.instances[1].promotion_tier), (0, 1));
}

/// What is hostile or no text at all is refused at once and says why.
#[test]
fn hostile_files_are_refused_quickly() {
    let mut bomb = String::from("a: &a [x,x,x,x,x,x,x,x,x]\n");
    for n in b'b'..=b'z' {
        let (this, before) = (char::from(n), char::from(n - 1));
        bomb += &format!("{this}: &{this} [{}]\n", vec![format!("*{before}"); 9].join(","));
    }
    let mut indented = String::new();
    for depth in 0..1400 {
        indented += &format!("{}a:\n", " ".repeat(depth));
    }
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("bomb", bomb.into_bytes(), "aliases expand to more than"),
        ("deep list", "[".repeat(10_000).into_bytes(), "nested deeper"),
        ("deep map", format!("a: {}", "{a: ".repeat(10_000)).into_bytes(), "nested deeper"),
        ("deep block list", "- ".repeat(10_000).into_bytes(), "nested deeper"),
        ("deep block map", indented.into_bytes(), "nested deeper"),
        ("100 MB", vec![b'a'; 100 << 20], "the file is too large: a spec has at most 1 MiB (1048576 bytes)"),
        ("many values", format!("a: [{}]", "1,".repeat(400_000)).into_bytes(), "more than 20000 values"),
        ("many keys", "a: 1\n".repeat(100_000).into_bytes(), "more than 20000 values"),
        ("not UTF-8", b"stack: a\nregion: \xff\xfe".to_vec(), "not UTF-8"),
        ("UTF-16", "stack: a".encode_utf16().flat_map(u16::to_le_bytes).collect(), "NUL byte"),
        ("NUL", b"stack: a\0b".to_vec(), "NUL byte"),
        ("binary", (0..=255).collect(), "not UTF-8"),
        ("empty", Vec::new(), "the file is empty"),
        ("only a comment", b"# nothing\n".to_vec(), "the file is empty"),
        ("two documents", b"stack: a\n---\nstack: b\n".to_vec(), "more than one YAML document"),
        ("itself", b"stack: &a [*a]\n".to_vec(), "this anchor contains itself"),
    ];
    for (name, source, expected) in cases {
        let start = now();
        let problems = refused(&source);
        let elapsed = start.elapsed();
        assert!(elapsed < Duration::from_secs(5), "{name} took {elapsed:?}");
        assert!(problems.to_string().contains(expected), "{name}: {problems}");
    }
}

/// A bomb must not explode: the one thing here that real time shows.
#[expect(clippy::disallowed_methods, reason = "a limit on real work")]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn the_place_of_what_is_not_text_is_given() {
    let problems = refused(
        "stack: é\nregion: ü".as_bytes().iter().chain(b"\xff").copied().collect::<Vec<u8>>().as_slice(),
    );
    assert_eq!((problems.0[0].line, problems.0[0].column), (2, 10));
}

/// Where a password might stand in the file, the line is not repeated.
#[test]
fn a_password_in_the_file_is_not_shown() {
    let aurora = "stack: a\nregion: us-east-1\naurora: { existing: x, password: hunter2 }\n";
    let variable = "stack: a\nregion: us-east-1\naurora:\n  port: 1\n  \
                    secret: { managed_by: stack, password_environment_variable: hunter2!, recovery_window_days: 3 }\n";
    let no_space = "stack: a\nregion: us-east-1\naurora:\n  password:hunter2 # of the cluster\n  port: 1\n";
    for source in [aurora, variable, no_space] {
        let text = refused(source.as_bytes()).render("f", source);
        assert!(text.contains("f:") && !text.contains("hunter2"), "{text}");
    }
}

/// Nor are the variables of a container, whatever is wrong beside them.
#[test]
fn variables_of_a_container_are_not_shown() {
    let head = "stack: a\nregion: us-east-1\nendpoints:\n  e:\n    instance: ml.m5.large\n";
    let model = "    model:\n      image: \"xgboost:1.7-1\"\n      artifact: s3://models/a\n";
    for wrong in [
        "      environment: { a-b: hunter2 }\n",
        "      environment: { A: hunter2, A: hunter2 }\n",
        "      environment: { A: [hunter2] }\n",
        "      environment: {\n  A: hunter2, a-b: hunter2\n      }\n",
        "      \"environment\":\n        a-b: hunter2\n",
        "      environment: # of the container\n        A: \"hunter2\n",
        "      environment:\n\n        A: b\n        \tB: hunter2\n",
        "      environment: |\n        A=hunter2\n",
        "      environment:\n        - A=hunter2\n",
        "      environment:\n        A:hunter2\n        B: c\n",
        "      environment:\n        A: b\n        B:hunter2 # c\n",
    ] {
        let source = format!("{head}{model}{wrong}");
        let text = refused(source.as_bytes()).render("f", &source);
        assert!(text.starts_with("f:") && !text.contains("hunter2"), "{text}");
    }
    // What stands after it is shown again, and a tag of that name hides nothing.
    let after = format!("{head}{model}      environment:\n        A: b\n    count: many\n");
    let text = refused(after.as_bytes()).render("f", &after);
    assert!(text.contains("    count: many"), "{text}");
    let tag = "stack: a\nregion: us-east-1\ntags: { environment: production, a: [1] }\n";
    assert!(refused(tag.as_bytes()).render("f", tag).contains("environment: production"));
}

/// A long line is cut around the problem, so that the underline stays on the screen.
#[test]
fn long_lines_are_cut() {
    let source = format!("stack: a\nregion: us-east-1\ntags: {{ a: \"{}\", b: [1] }}\n", "x".repeat(200));
    let text = refused(source.as_bytes()).render("f", &source);
    assert!(text.lines().all(|line| line.chars().count() < 140), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    let underline =
        lines.iter().position(|line| line.trim_start().starts_with("| ^") || line.contains(" ^")).unwrap();
    let at = lines[underline].find('^').unwrap();
    assert!(lines[underline - 1].chars().skip(at).collect::<String>().starts_with('b'), "{text}");
}

/// Pieces that specs are made of, to break good specs with.
const PIECES: [&str; 24] = [
    "",
    " ",
    "\n",
    "  ",
    "\t",
    ":",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "<<: *a",
    "null",
    "true",
    "-1",
    "1e999",
    "\"",
    "'",
    "|",
    "# ",
    "!!int ",
    "é\u{1F511}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn bytes_never_panic(source in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Err(problems) = spec::parse(&source) {
            prop_assert!(!problems.0.is_empty());
            let _ = problems.render("f", &String::from_utf8_lossy(&source));
        }
    }

    #[test]
    fn text_never_panics(source in "[a-z:\\[\\]{}&*!|>'\"%@`#,?\\- \n\t\r0-9é\u{85}\u{2028}]{0,200}") {
        if let Err(problems) = spec::parse(source.as_bytes()) {
            prop_assert!(!problems.0.is_empty());
            let _ = problems.render("f", &source);
        }
    }

    /// A good spec with a few changes is read or refused with places that are in it.
    #[test]
    fn broken_specs_never_panic(
        which in 0..5_usize,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..12_usize, 0..PIECES.len()), 1..5),
    ) {
        let specs = [
            include_str!("../../../../specs/churn.yaml"),
            include_str!("../../../../specs/lean.yaml"),
            include_str!("../../../../specs/production.yaml"),
            include_str!("../../../../specs/existing-cluster.yaml"),
            spec::STARTER,
        ];
        let mut characters: Vec<char> = specs[which].chars().collect();
        for (at, gone, piece) in edits {
            let at = at.index(characters.len() + 1);
            let end = (at + gone).min(characters.len());
            characters.splice(at..end, PIECES[piece].chars());
        }
        let source: String = characters.into_iter().collect();
        if let Err(problems) = spec::parse(source.as_bytes()) {
            let lines = source.split('\n').count() + source.matches(['\r', '\u{85}', '\u{2028}']).count();
            prop_assert!(!problems.0.is_empty());
            for problem in &problems.0 {
                prop_assert!(problem.line >= 1 && problem.line <= lines + 1 && problem.column >= 1, "{problem:?}");
            }
            let _ = problems.render("f", &source);
        }
    }
}
