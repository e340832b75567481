//! Keeps what goes over the wire, for `tests/clients/models.py`, which holds it against AWS's own models.
//!
//! Nothing is kept unless `AURORAML_TEST_RECORD` names a folder. All of it is the sandbox's: no real secret passes
//! here.

use crate::harness::{Account, OURS, spec, spec_file};
use crate::lifecycle::make_foreign_cluster;
use crate::support::skipped;
use auroraml_core::policy::Statement;
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::{Exchange, Sandbox};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};

/// Exchanges kept that look alike: the same operation, members and words, in request and answer.
const ALIKE_MAX: u32 = 2;

/// Whose requests they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The tool's: none may break AWS's model.
    Tool,
    /// A test's, which may ask for what AWS refuses, to see it refused; or a stranger's at the listener.
    Other,
}

struct Records {
    file: File,
    seen: HashMap<u64, u32>,
    /// What policies grant, and what of it was needed: for `tests/clients/policies.py`.
    actions: File,
    known: BTreeSet<String>,
}

static RECORDS: LazyLock<Option<Mutex<Records>>> = LazyLock::new(|| {
    let folder = std::env::var_os("AURORAML_TEST_RECORD")?;
    std::fs::create_dir_all(&folder).unwrap();
    let name = format!("{}.jsonl", std::process::id());
    let file = File::create(std::path::Path::new(&folder).join(name)).unwrap();
    let actions = format!("{}.actions", std::process::id());
    let actions = File::create(std::path::Path::new(&folder).join(actions)).unwrap();
    Some(Mutex::new(Records { file, seen: HashMap::new(), actions, known: BTreeSet::new() }))
});

/// The same sandbox, whose exchanges are kept.
pub fn recorded(sandbox: Sandbox, who: Who) -> Sandbox {
    if RECORDS.is_some() {
        sandbox.set_witness(move |exchange| keep(who, exchange));
    }
    sandbox
}

/// Notes the actions that a policy grants which somebody is held to.
pub fn granted(statements: &[Statement]) {
    let Some(records) = &*RECORDS else { return };
    let mut records = records.lock().unwrap();
    for action in statements.iter().flat_map(|statement| &statement.actions) {
        records.note("granted", action);
    }
}

impl Records {
    fn note(&mut self, what: &str, action: &str) {
        let line = format!("{what} {action}\n");
        if !self.known.contains(&line) {
            self.actions.write_all(line.as_bytes()).unwrap();
            self.known.insert(line);
        }
    }
}

fn keep(who: Who, exchange: &Exchange<'_>) {
    let (Some(records), call) = (&*RECORDS, exchange.call) else { return };
    let mut records = records.lock().unwrap();
    if call.caller.starts_with(OURS) {
        exchange.allowed.iter().for_each(|action| records.note("used", action));
    }
    let mut hasher = DefaultHasher::new();
    (who == Who::Tool, &call.service, &call.operation, exchange.response.status).hash(&mut hasher);
    for text in [call.request.query.as_bytes(), &call.request.body, &exchange.response.body] {
        words(&String::from_utf8_lossy(text)).hash(&mut hasher);
    }
    let alike = records.seen.entry(hasher.finish()).or_default();
    *alike += 1;
    if *alike > ALIKE_MAX {
        return;
    }
    writeln!(records.file, "{}", line(who, exchange)).unwrap();
}

/// An exchange as `tests/clients/wire.py` reads it.
fn line(who: Who, exchange: &Exchange<'_>) -> serde_json::Value {
    let call = exchange.call;
    let headers: HashMap<&str, &str> =
        exchange.response.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    json!({
        "who": if who == Who::Tool { "tool" } else { "other" },
        "service": call.service,
        "region": call.region,
        "operation": call.operation,
        "at": call.now,
        "method": call.request.method,
        "path": call.request.path,
        "query": call.request.query,
        "headers": call.request.headers,
        "body": STANDARD.encode(&call.request.body),
        "status": exchange.response.status,
        "answer_headers": headers,
        "answer": STANDARD.encode(&exchange.response.body),
    })
}

/// The words of a body in any of the protocols: names of members, and the values that are words too (a status, an
/// engine). Identifiers and numbers differ from test to test and say nothing new.
fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| "<>&=\"{}[],:".contains(c))
        .filter(|word| word.len() < 48 && !word.contains(|c: char| c.is_ascii_digit() || c.is_whitespace()))
        .collect()
}

/// What was recorded at AWS by tests/aws/run.sh, against the same life in the sandbox.
#[tokio::test(start_paused = true)]
async fn recordings_of_aws_are_like_the_sandbox() {
    let Some(python) = python_with("botocore") else { return };
    let account = Account::new(11, Mood::Real);
    let lines: Arc<Mutex<String>> = Arc::default();
    let kept = Arc::clone(&lines);
    account.sandbox.set_witness(move |exchange| {
        writeln!(kept.lock().unwrap(), "{}", line(Who::Tool, exchange)).unwrap();
    });
    let own = spec(&spec_file("minimal.yaml"));
    let wiring = spec(&spec_file("existing-cluster.yaml"));
    make_foreign_cluster(&account, &wiring.region, "database-aurora-ml", 1).await;
    for spec in [&own, &wiring] {
        account.apply(spec).await;
        account.destroy(spec).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let sandbox = folder.path().join("sandbox.jsonl");
    std::fs::write(&sandbox, &*lines.lock().unwrap()).unwrap();
    let compare = |recordings: &[PathBuf]| {
        let output = Command::new(&python)
            .arg("tests/aws/compare.py")
            .args(recordings)
            .arg("--")
            .arg(&sandbox)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).to_string();
        assert!(output.status.success(), "{text}");
        text
    };
    // The comparison works: a recording is like itself.
    let itself = compare(std::slice::from_ref(&sandbox));
    assert!(itself.contains("operations compared with the sandbox, 0 differences"), "{itself}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws/recordings");
    let files = std::fs::read_dir(folder).into_iter().flatten().map(|file| file.unwrap().path());
    let recordings: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|ending| ending == "jsonl")).collect();
    match recordings.is_empty() {
        true => skipped("there are no recordings of AWS (tests/aws/run.sh makes them)"),
        false => print!("{}", compare(&recordings)),
    }
}

/// A python with a package: `AURORAML_TEST_PYTHON`, or the one on the path. CI must have it; elsewhere its absence is
/// told.
pub fn python_with(package: &str) -> Option<std::ffi::OsString> {
    let python = std::env::var_os("AURORAML_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let found = Command::new(&python).args(["-c", &format!("import {package}")]).output();
    let found = found.is_ok_and(|output| output.status.success());
    assert!(found || std::env::var_os("CI").is_none(), "CI must have a python with {package}");
    if !found {
        skipped(&format!("there is no python with {package} (tests/clients/requirements.txt)"));
    }
    found.then_some(python)
}
