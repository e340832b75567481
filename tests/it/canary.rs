//! A password that auroraml knows appears nowhere: in no output, plan, event or log, whatever goes wrong.

use crate::harness::copy_files;
use auroraml_sandbox::file::FileSandbox;
use auroraml_sandbox::random::Mood;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const CANARY: &str = "C4naryPassw0rdNobodyMaySee";

/// Runs the binary in `folder` with the password in its environment; keeps everything it says.
fn run(folder: &Path, args: &[&str], heard: &mut Vec<u8>) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_auroraml"))
        .args(args)
        .args(["--sandbox", "--sandbox-speed", "max"])
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("RUST_BACKTRACE", "full")
        .env("DB_PASSWORD", CANARY)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    heard.extend_from_slice(&output.stdout);
    heard.extend_from_slice(&output.stderr);
    output
}

/// The churn stack, with its password from the environment, in a folder of its own.
fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let spec = std::fs::read_to_string("specs/churn.yaml").unwrap();
    let own = "secret: { managed_by: stack, recovery_window_days: 0 }";
    assert!(spec.contains(own));
    let model = "    model:\n";
    assert!(spec.contains(model));
    let spec = spec.replace(model, &format!("{model}      environment: {{ TOKEN: {CANARY} }}\n"));
    let with_password =
        "secret: { managed_by: stack, recovery_window_days: 0, password_environment_variable: DB_PASSWORD }";
    let changed = spec.replace(own, with_password).replace("expires_after: 8h", "expires_after: 1m");
    assert!(changed.contains("expires_after: 1m"));
    copy_files(&crate::harness::spec(&changed), folder.path());
    std::fs::write(folder.path().join("churn.yaml"), changed).unwrap();
    folder
}

#[test]
fn a_password_is_said_nowhere() {
    let folder = place();
    let (at, mut heard) = (folder.path(), Vec::new());
    for format in ["text", "json", "markdown"] {
        let output = run(at, &["plan", "churn.yaml", "--format", format], &mut heard);
        assert!(output.status.success(), "{output:?}");
    }
    run(at, &["plan", "churn.yaml", "--out", "plan.json", "--html", "plan.html"], &mut heard);
    let applied = run(
        at,
        &[
            "apply",
            "churn.yaml",
            "--yes",
            "--events",
            "events.jsonl",
            "--audit",
            "audit.jsonl",
            "--lease",
            "lease.json",
            "--html",
            "run.html",
        ],
        &mut heard,
    );
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    // It did get to where it belongs: the simulated Secrets Manager keeps it in the sandbox's own file.
    let world = std::fs::read_to_string(at.join(".auroraml/sandbox.json")).unwrap();
    assert!(world.contains(CANARY), "the password was not used at all");
    let value: serde_json::Value = serde_json::from_str(&world).unwrap();
    for log in find(&value, "log").into_iter().chain(find(&value, "unknown")).chain(find(&value, "rds")) {
        assert!(!log.to_string().contains(CANARY), "the sandbox's log has it");
    }
    for format in ["text", "json"] {
        run(at, &["status", "churn.yaml", "--format", format, "--html", "status.html"], &mut heard);
    }
    for format in ["mermaid", "svg"] {
        assert!(run(at, &["graph", "churn.yaml", "--format", format], &mut heard).status.success());
    }
    let everywhere = ["--region", "us-east-1"];
    for words in [
        &["pause", "churn.yaml", "--nat", "--yes", "--events", "pause.jsonl"][..],
        &["status", "churn.yaml"],
        &["verify", "churn.yaml"],
        &["resume", "churn.yaml", "--yes", "--events", "resume.jsonl"],
        &["reap", "--dry-run", everywhere[0], everywhere[1]],
        &["reap", everywhere[0], everywhere[1]],
        &["destroy", "--all-tagged", "churn", "--sweep", everywhere[0], everywhere[1]],
    ] {
        let output = run(at, words, &mut heard);
        let code = output.status.code().unwrap();
        assert!([0, 1, 2, 7].contains(&code), "{words:?}: {output:?}");
    }
    for format in ["text", "json", "markdown"] {
        let args = ["cost", "churn.yaml", "--live", "--usage", "storage_gib=5", "--format", format];
        assert!(run(at, &[&args[..], &["--html", "cost.html"]].concat(), &mut heard).status.success());
    }
    // A variable of the container changes, and somebody has put a token into the notebook's script by hand.
    let changed = std::fs::read_to_string(at.join("churn.yaml"))
        .unwrap()
        .replace(&format!("TOKEN: {CANARY} "), &format!("TOKEN: {CANARY}, MORE: {CANARY}2 "));
    std::fs::write(at.join("changed.yaml"), changed).unwrap();
    let file = FileSandbox::open(&at.join(".auroraml/sandbox.json"), 1.0, 1, Mood::Real).unwrap();
    file.sandbox().with(|world| {
        let sagemaker = &mut world.regions.get_mut("us-east-1").unwrap().sagemaker;
        let script = sagemaker.lifecycle_configs.values_mut().next().unwrap();
        script.on_start = Some(STANDARD.encode(format!("#!/bin/bash\npip install --token {CANARY}\n")));
    });
    file.close().unwrap();
    for format in ["text", "json", "markdown", "yaml"] {
        let mut said = Vec::new();
        let args = ["plan", "changed.yaml", "--verbose", "--format", format, "--html", "changed.html"];
        let output = run(at, &args, &mut said);
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8_lossy(&said).into_owned();
        for field in ["environment.TOKEN", "environment.MORE", "on_start"] {
            assert!(text.contains(field), "{format} does not show {field}: {text}");
            let page = std::fs::read_to_string(at.join("changed.html")).unwrap();
            assert!(page.contains(field) && page.contains("(sensitive, hash "), "{field}: {page}");
        }
        assert!(text.contains("(sensitive, hash "), "{format}: {text}");
        heard.extend(said);
    }
    // Somebody has changed the model by hand, and drift shows it; so does a report of several.
    for format in ["text", "json", "markdown"] {
        let mut said = Vec::new();
        let output = run(at, &["drift", "changed.yaml", "--format", format], &mut said);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let text = String::from_utf8_lossy(&said).into_owned();
        assert!(text.contains("(sensitive, hash "), "{format}: {text}");
        heard.extend(said);
    }
    std::fs::create_dir(at.join("stacks")).unwrap();
    std::fs::copy(at.join("changed.yaml"), at.join("stacks/changed.yaml")).unwrap();
    copy_files(
        &crate::harness::spec(&std::fs::read_to_string(at.join("churn.yaml")).unwrap()),
        &at.join("stacks"),
    );
    for args in [
        ["plan", "stacks", "--out", "plans"],
        ["plan", "stacks", "--format", "markdown"],
        ["drift", "stacks", "--format", "json"],
    ] {
        run(at, &args, &mut heard);
    }
    // A variable of the environment that may be a secret is not read into a spec.
    std::fs::write(
        at.join("variable.yaml"),
        "stack: churn\nregion: us-east-1\nbucket: {}\ntags: { note: \"${env:DB_PASSWORD}\" }\n",
    )
    .unwrap();
    assert_eq!(run(at, &["validate", "variable.yaml"], &mut heard).status.code(), Some(1));
    assert_eq!(run(at, &["plan", "variable.yaml"], &mut heard).status.code(), Some(1));
    // What a spec or a pipeline can get wrong, in all ways that print something.
    std::fs::write(at.join("wrong.yaml"), format!("stack: churn\npassword: {CANARY}\n")).unwrap();
    run(at, &["validate", "wrong.yaml"], &mut heard);
    let broken =
        std::fs::read_to_string(at.join("churn.yaml")).unwrap().replace("username: admin", "username: chief");
    std::fs::write(at.join("broken.yaml"), broken).unwrap();
    assert_eq!(run(at, &["apply", "broken.yaml", "--yes"], &mut heard).status.code(), Some(6));
    let destroyed = run(at, &["destroy", "churn.yaml", "--yes", "--events", "more.jsonl"], &mut heard);
    assert!(destroyed.status.success(), "{}", String::from_utf8_lossy(&destroyed.stderr));
    run(at, &["apply", "churn.yaml", "--yes"], &mut heard);
    let reaped = run(at, &["reap", "--region", "us-east-1", "--yes"], &mut heard);
    assert!(reaped.status.success(), "{}", String::from_utf8_lossy(&reaped.stderr));
    assert!(String::from_utf8_lossy(&reaped.stdout).contains("expired since"), "{reaped:?}");
    for name in [
        "plan.json",
        "events.jsonl",
        "more.jsonl",
        "pause.jsonl",
        "resume.jsonl",
        "audit.jsonl",
        "lease.json",
        "plans/churn.us-east-1.json",
        "plan.html",
        "run.html",
        "changed.html",
        "status.html",
        "cost.html",
    ] {
        heard.extend(std::fs::read(at.join(name)).unwrap());
    }
    assert!(heard.len() > 30_000, "{} bytes heard", heard.len());
    assert!(!String::from_utf8_lossy(&heard).contains(CANARY));
}

/// All values under a key of this name, at any depth.
fn find<'v>(value: &'v serde_json::Value, name: &str) -> Vec<&'v serde_json::Value> {
    match value {
        serde_json::Value::Object(map) => {
            map.iter().flat_map(|(k, v)| if k == name { vec![v] } else { find(v, name) }).collect()
        }
        serde_json::Value::Array(items) => items.iter().flat_map(|v| find(v, name)).collect(),
        _ => Vec::new(),
    }
}

/// A panic prints what it finds; none of the types that it could find shows a secret.
#[test]
fn the_world_does_not_show_its_secrets() {
    let mut world = auroraml_sandbox::World::new(1, auroraml_sandbox::random::Mood::Calm);
    let region = world.regions.entry("us-east-1".into()).or_default();
    let mut random = auroraml_sandbox::random::Random::new(1, auroraml_sandbox::random::Mood::Calm);
    region.secretsmanager.put_managed("rds", "rds!x", CANARY.into(), "us-east-1", &mut random, 0);
    assert!(serde_json::to_string(&world).unwrap().contains(CANARY));
    assert!(!format!("{world:?}").contains(CANARY));
}
