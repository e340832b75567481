//! templates/github-actions.yaml: what it trusts, and whether its commands work one after the other.

use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};

fn text() -> String {
    fs::read_to_string("templates/github-actions.yaml").unwrap()
}

fn workflow() -> Value {
    let value: serde_yaml::Value = serde_yaml::from_str(&text()).unwrap();
    serde_json::to_value(value).unwrap()
}

fn steps(job: &Value) -> &Vec<Value> {
    job["steps"].as_array().unwrap()
}

/// A tag can be moved; a commit cannot.
#[test]
fn actions_are_pinned_by_commit() {
    for file in ["templates/github-actions.yaml", ".github/workflows/ci.yml"] {
        let text = fs::read_to_string(file).unwrap();
        let used: Vec<&str> =
            text.lines().filter_map(|line| line.trim_start().strip_prefix("- uses: ")).collect();
        assert!(!used.is_empty());
        for line in used {
            let (pin, release) =
                line.split_once(" # ").unwrap_or_else(|| panic!("{file}: which release is {line}?"));
            let commit = pin.split_once('@').unwrap().1;
            assert!(commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()), "{file}: {pin}");
            assert!(release.starts_with('v') && release.split('.').count() == 3, "{file}: {release}");
        }
    }
}

#[test]
fn a_release_is_installed() {
    let (workflow, manifest) = (workflow(), fs::read_to_string("Cargo.toml").unwrap());
    let version = workflow["env"]["AURORAML_VERSION"].as_str().unwrap();
    assert!(manifest.contains(&format!("[workspace.package]\nversion = \"{version}\"")), "{version}");
    for job in ["plan", "apply"] {
        let is_install = |run: &&str| run.contains("cargo install");
        let install =
            steps(&workflow["jobs"][job]).iter().filter_map(|step| step["run"].as_str()).find(is_install);
        assert!(
            install.unwrap().contains("--locked")
                && install.unwrap().contains("--tag \"v$AURORAML_VERSION\"")
        );
    }
}

/// Each job has its own role, and no more rights at GitHub than it uses.
#[test]
fn each_job_has_its_own_role() {
    let workflow = workflow();
    let template: serde_yaml::Value =
        serde_yaml::from_str(&fs::read_to_string("templates/pipeline-role.yaml").unwrap()).unwrap();
    assert_eq!(workflow["permissions"], serde_json::json!({}));
    let (plan, apply) = (&workflow["jobs"]["plan"], &workflow["jobs"]["apply"]);
    assert!(plan["if"].as_str().unwrap().contains("== 'pull_request'") && plan["environment"].is_null());
    assert_eq!(apply["if"], "github.event_name == 'push'");
    assert_eq!(apply["environment"].as_str(), template["Parameters"]["Environment"]["Default"].as_str());
    for (job, role) in [(plan, "PlanRole"), (apply, "ApplyRole")] {
        let description = template["Outputs"][role]["Description"].as_str().unwrap();
        let variable = description.rsplit(' ').next().unwrap();
        let assumed = steps(job).iter().find_map(|step| step["with"]["role-to-assume"].as_str());
        assert_eq!(assumed, Some(format!("${{{{ vars.{variable} }}}}").as_str()));
        let granted = job["permissions"].as_object().unwrap();
        assert!(granted.iter().all(|(what, right)| right == "read" || what == "id-token"), "{granted:?}");
    }
    let seconds = steps(apply).iter().find_map(|step| step["with"]["role-duration-seconds"].as_u64());
    assert_eq!(seconds, template["Resources"]["ApplyRole"]["Properties"]["MaxSessionDuration"].as_u64());
}

/// The commands of both jobs, as they stand there, in a simulated account: what the first keeps is what the second
/// applies.
#[cfg(unix)]
#[test]
fn the_plan_that_was_reviewed_is_applied() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::copy("specs/minimal.yaml", at.join("stack.yaml")).unwrap();
    let auroraml =
        format!("#!/bin/sh\nexec {} \"$@\" --sandbox --sandbox-speed max\n", env!("CARGO_BIN_EXE_auroraml"));
    fs::write(at.join("auroraml"), auroraml).unwrap();
    fs::set_permissions(at.join("auroraml"), fs::Permissions::from_mode(0o755)).unwrap();
    let workflow = workflow();
    let run = |job: &str| {
        let mut count = 0;
        let commands = steps(&workflow["jobs"][job]).iter().filter_map(|step| step["run"].as_str());
        for command in commands.filter(|run| run.starts_with("auroraml ")) {
            let mut bash = Command::new("bash");
            bash.args(["-euo", "pipefail", "-c", command]).current_dir(at).env_clear().stdin(Stdio::null());
            bash.env("PATH", format!("{}:/usr/bin:/bin", at.display())).env("HOME", at);
            let output = bash.env("GITHUB_STEP_SUMMARY", at.join("summary.md")).output().unwrap();
            assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
            count += 1;
        }
        count
    };
    assert_eq!(run("plan"), 2);
    let summary = fs::read_to_string(at.join("summary.md")).unwrap();
    assert!(summary.contains("### Plan for stack") && summary.contains("to create"), "{summary}");
    let saved = fs::read_to_string(at.join("plan.json")).unwrap();
    assert_eq!(run("apply"), 1);
    assert!(fs::read_to_string(at.join("events.jsonl")).unwrap().contains("\"finished\""));
    // The same plan once more is stale: it would now be another.
    let again = Command::new(at.join("auroraml"))
        .args(["apply", "stack.yaml", "--plan", "plan.json", "--yes"])
        .current_dir(at)
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(3), "{saved}");
}
