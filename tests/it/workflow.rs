//! templates/github-actions.yaml, gitlab-ci.yaml and codebuild-buildspec.yaml: what they trust, and their steps run as
//! shell, one after the other, in a simulated account. The hosts are tests/clients/hosts.py.

use crate::support::skipped;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

fn read(file: &str) -> Value {
    let value: serde_yaml::Value = serde_yaml::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    serde_json::to_value(value).unwrap()
}

fn workflow() -> Value {
    read("templates/github-actions.yaml")
}

fn steps(job: &Value) -> &Vec<Value> {
    job["steps"].as_array().unwrap()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap())
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
    let (github, gitlab) = (workflow(), read("templates/gitlab-ci.yaml"));
    let codebuild = read("templates/codebuild-buildspec.yaml");
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    let versions = [&github["env"], &gitlab["variables"], &codebuild["env"]["variables"]];
    for version in versions.map(|variables| variables["AURORAML_VERSION"].as_str().unwrap()) {
        assert!(manifest.contains(&format!("[workspace.package]\nversion = \"{version}\"")), "{version}");
    }
    let jobs = github["jobs"].as_object().unwrap();
    let mut installs: Vec<&str> = Vec::new();
    for job in jobs.values() {
        installs.extend(steps(job).iter().filter_map(|step| step["run"].as_str()));
    }
    installs.extend(texts(&gitlab[".auroraml"]["before_script"]));
    installs.extend(texts(&codebuild["phases"]["install"]["commands"]));
    installs.retain(|command| command.contains("cargo install"));
    assert_eq!(installs.len(), jobs.len() + 2);
    for install in installs {
        assert!(
            install.contains("--locked") && install.contains("--tag \"v$AURORAML_VERSION\""),
            "{install}"
        );
    }
}

/// Each job has its own role, and no more rights at GitHub than it uses.
#[test]
fn each_job_has_its_own_role() {
    let (workflow, template) = (workflow(), fs::read_to_string("templates/pipeline-role.yaml").unwrap());
    let template: serde_yaml::Value = serde_yaml::from_str(&template).unwrap();
    assert_eq!(workflow["permissions"], json!({}));
    let jobs = &workflow["jobs"];
    assert!(jobs["plan"]["if"].as_str().unwrap().contains("== 'pull_request'"));
    assert!(jobs["plan"]["environment"].is_null() && jobs["drift"]["environment"].is_null());
    assert_eq!(jobs["apply"]["if"], "github.event_name == 'push'");
    assert_eq!(
        jobs["apply"]["environment"].as_str(),
        template["Parameters"]["Environment"]["Default"].as_str()
    );
    let written = [("plan", "pull-requests"), ("apply", ""), ("drift", "issues"), ("reap", "")];
    for (job, may_write) in written {
        let granted = jobs[job]["permissions"].as_object().unwrap();
        for (what, right) in granted {
            let wanted = if what == "id-token" || what == may_write { "write" } else { "read" };
            assert_eq!(right, wanted, "{job}: {what}");
        }
    }
    let assumed =
        |job: &str| steps(&jobs[job]).iter().find_map(|step| step["with"]["role-to-assume"].as_str());
    for (job, role) in [("plan", "PlanRole"), ("drift", "PlanRole"), ("apply", "ApplyRole")] {
        let description = template["Outputs"][role]["Description"].as_str().unwrap();
        let variable = description.rsplit(' ').next().unwrap();
        assert_eq!(assumed(job), Some(format!("${{{{ vars.{variable} }}}}").as_str()));
    }
    assert_eq!(assumed("reap"), Some("${{ vars.AURORAML_REAP_ROLE }}"));
    let seconds =
        steps(&jobs["apply"]).iter().find_map(|step| step["with"]["role-duration-seconds"].as_u64());
    assert_eq!(seconds, template["Resources"]["ApplyRole"]["Properties"]["MaxSessionDuration"].as_u64());
}

/// A job of a pipeline that plans the merge request, applies what was merged, looks for drift or reaps.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Job {
    Plan,
    Apply,
    Drift,
    Reap,
}
use Job::{Apply, Drift, Plan, Reap};

impl Job {
    fn name(self) -> &'static str {
        match self {
            Plan => "plan",
            Apply => "apply",
            Drift => "drift",
            Reap => "reap",
        }
    }
}

/// A repository with a spec, on a machine that has auroraml and talks to the hosts.
struct Runner {
    folder: TempDir,
    hosts: TempDir,
}

const CLIENTS: &[&str] = &["gh", "curl", "aws", "git"];

impl Runner {
    /// `None` where this machine cannot run what the scripts need.
    fn new() -> Option<Runner> {
        let has = |program: &str| {
            let ran =
                Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            ran.is_ok_and(|status| status.success())
        };
        if !has("jq") || !has("python3") {
            skipped("jq or python3 is missing: no pipeline was run");
            return None;
        }
        let runner = Runner { folder: tempfile::tempdir().unwrap(), hosts: tempfile::tempdir().unwrap() };
        let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/hosts.py");
        for name in CLIENTS {
            runner.program(name, &format!("exec python3 {} {name} \"$@\"", clients.display()));
        }
        let auroraml = env!("CARGO_BIN_EXE_auroraml");
        runner.program("auroraml", &format!("exec {auroraml} \"$@\" --sandbox --sandbox-speed max"));
        runner.spec("");
        Some(runner)
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    #[cfg(unix)]
    fn program(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.hosts.path().join("bin").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/bash\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The spec of the repository, with these lines.
    fn spec(&self, more: &str) {
        let minimal = fs::read_to_string("specs/minimal.yaml").unwrap();
        fs::write(self.at("stack.yaml"), format!("{minimal}expires_after: 1m\n{more}")).unwrap();
    }

    /// What the hosts keep, by the name of a file.
    fn kept(&self, name: &str) -> String {
        fs::read_to_string(self.hosts.path().join(name)).unwrap_or_default()
    }

    /// Runs commands as the host's own shell does, and gives the exit code with what was said.
    fn bash(&self, flags: &str, script: &str, variables: &[(&str, &str)]) -> (i32, String) {
        let path = format!("{}/bin:/usr/local/bin:/usr/bin:/bin", self.hosts.path().display());
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", flags, "-c", script]).current_dir(self.folder.path());
        bash.env_clear().env("PATH", path).env("HOME", self.folder.path()).stdin(Stdio::null());
        bash.env("AURORAML_TEST_HOSTS", self.hosts.path()).envs(variables.iter().copied());
        let output = bash.output().unwrap();
        let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code().unwrap(), format!("{said}{told}"))
    }

    fn comments(&self) -> Vec<String> {
        let kept = self.kept("comments.json");
        let all: Vec<Value> = if kept.is_empty() { Vec::new() } else { serde_json::from_str(&kept).unwrap() };
        all.iter().map(|comment| comment["body"].as_str().unwrap().to_string()).collect()
    }
}

/// How a host runs one job.
type Host = fn(&Runner, Job) -> (i32, String);

fn github(runner: &Runner, job: Job) -> (i32, String) {
    let workflow = workflow();
    let (number, summary) = ("7".to_string(), runner.at("summary.md"));
    let mut said = String::new();
    for step in steps(&workflow["jobs"][job.name()]) {
        let Some(command) = step["run"].as_str().filter(|run| !run.starts_with("cargo ")) else { continue };
        // What GitHub puts in before a shell sees it.
        let command = command.replace("${{ vars.AURORAML_STACK }}", "minimal");
        let command = command.replace("${{ vars.AURORAML_REGION }}", "us-east-1");
        assert!(!command.contains("${{"), "{command}");
        let variables = [
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_SHA", "merged"),
            ("GH_TOKEN", "token"),
            ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
            ("PULL_REQUEST", &number),
        ];
        // GitHub's own: `bash -e {0}` without a `shell`.
        let (code, text) = runner.bash("-e", &command, &variables);
        said.push_str(&text);
        if code != 0 {
            return (code, said);
        }
    }
    if job == Plan {
        fs::copy(runner.at("plan.json"), runner.hosts.path().join("plan.json")).unwrap();
    }
    (0, said)
}

fn gitlab(runner: &Runner, job: Job) -> (i32, String) {
    let file = read("templates/gitlab-ci.yaml");
    let before = texts(&file[".auroraml"]["before_script"]);
    let before = before.filter(|line| !line.starts_with("apt-get") && !line.starts_with("cargo"));
    let script: Vec<&str> = before.chain(texts(&file[job.name()]["script"])).collect();
    let project = runner.at("");
    let variables = [
        ("CI_PROJECT_DIR", project.to_str().unwrap().trim_end_matches('/')),
        ("CI_JOB_ID", "1"),
        ("CI_API_V4_URL", "https://gitlab.example/api/v4"),
        ("CI_PROJECT_ID", "3"),
        ("CI_MERGE_REQUEST_IID", "7"),
        ("CI_COMMIT_SHA", "merged"),
        ("AURORAML_ID_TOKEN", "token"),
        ("AURORAML_API_TOKEN", "token"),
        ("AURORAML_STACK", "minimal"),
        ("AURORAML_REGION", "us-east-1"),
        ("ROLE", "arn:aws:iam::111122223333:role/unused-by-the-sandbox"),
    ];
    let ran = runner.bash("-e", &format!("set -o pipefail\n{}", script.join("\n")), &variables);
    if job == Plan && ran.0 == 0 {
        fs::copy(runner.at("plan.json"), runner.hosts.path().join("plan.json")).unwrap();
    }
    ran
}

fn codebuild(runner: &Runner, job: Job) -> (i32, String) {
    let file = read("templates/codebuild-buildspec.yaml");
    let script: Vec<&str> = texts(&file["phases"]["build"]["commands"]).collect();
    let task = match job {
        Plan => ("CODEBUILD_WEBHOOK_EVENT", "PULL_REQUEST_UPDATED"),
        Apply => ("CODEBUILD_WEBHOOK_EVENT", "PULL_REQUEST_MERGED"),
        Drift | Reap => ("AURORAML_TASK", job.name()),
    };
    let variables = [
        task,
        ("CODEBUILD_WEBHOOK_TRIGGER", "pr/7"),
        ("CODEBUILD_WEBHOOK_BASE_REF", "refs/heads/main"),
        ("AURORAML_GITHUB", "acme/shop"),
        ("AURORAML_GITHUB_SECRET", "auroraml/github"),
        ("AURORAML_PLANS", "plans"),
        ("AURORAML_STACK", "minimal"),
        ("AURORAML_REGION", "us-east-1"),
    ];
    runner.bash("-e", &script.join("\n"), &variables)
}

/// The life of a stack in a pipeline: a merge request and its comment, the merge, a second plan, drift and its end, the
/// reaper. `drift` is the exit code of the job that finds some.
fn lives(host: Host, drift: i32) {
    let Some(runner) = Runner::new() else { return };
    let ran = |job: Job, wanted: i32| {
        let (code, said) = host(&runner, job);
        assert_eq!(code, wanted, "{job:?}: {said}");
        said
    };
    // A spec with a mistake has no plan; the comment says why.
    runner.spec("bucket: { on_destroy: emtpy }\n");
    ran(Plan, 1);
    let comments = runner.comments();
    assert!(comments.len() == 2 && comments[1].contains("emtpy"), "{comments:?}");
    // The next push mends it, and writes the same comment anew.
    runner.spec("");
    ran(Plan, 0);
    let comments = runner.comments();
    assert!(comments.len() == 2 && comments[0] == "Looks good", "{comments:?}");
    assert!(comments[1].contains("to create") && !comments[1].contains("emtpy"), "{comments:?}");
    ran(Apply, 0);
    assert!(fs::read_to_string(runner.at("audit.jsonl")).unwrap().contains("CreateDBCluster"));
    // The same plan once more is stale: it would now be another.
    ran(Apply, 3);
    ran(Drift, 0);
    runner.spec("tags: { team: shop }\n");
    ran(Drift, drift);
    runner.spec("");
    ran(Drift, 0);
    ran(Reap, 0);
    let (code, status) = runner.bash("-e", "auroraml status stack.yaml --format json", &[]);
    assert!(code == 0 && !status.contains("\"cluster.main\""), "{status}");
}

#[cfg(unix)]
#[test]
fn a_life_on_github() {
    lives(github, 0);
}

#[cfg(unix)]
#[test]
fn a_life_on_gitlab() {
    lives(gitlab, 2);
}

#[cfg(unix)]
#[test]
fn a_life_on_codebuild() {
    lives(codebuild, 2);
}

/// Drift opens one issue, keeps it up to date, and closes it.
#[cfg(unix)]
#[test]
fn drift_is_an_issue_on_github() {
    let Some(runner) = Runner::new() else { return };
    assert_eq!(github(&runner, Plan).0, 0);
    assert_eq!(github(&runner, Apply).0, 0);
    assert_eq!((github(&runner, Drift).0, runner.kept("issue.md").as_str()), (0, ""));
    for team in ["shop", "shoes"] {
        runner.spec(&format!("tags: {{ team: {team} }}\n"));
        assert_eq!(github(&runner, Drift).0, 0);
        assert!(runner.kept("issue.md").contains(team), "{}", runner.kept("issue.md"));
    }
    runner.spec("");
    assert_eq!((github(&runner, Drift).0, runner.kept("issue.md").as_str()), (0, ""));
    let asked = runner.kept("requests.txt");
    let count = |what: &str| asked.lines().filter(|line| line.contains(what)).count();
    assert_eq!((count("issue create"), count("issue edit"), count("issue close")), (1, 1, 1));
}
