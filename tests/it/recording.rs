//! Keeps what goes over the wire, for `tests/clients/models.py`, which holds it against AWS's own models.
//!
//! Nothing is kept unless `AURORAML_TEST_RECORD` names a folder. All of it is the sandbox's: no real secret passes
//! here.

use auroraml_sandbox::{Exchange, Sandbox};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::sync::{LazyLock, Mutex};

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
}

static RECORDS: LazyLock<Option<Mutex<Records>>> = LazyLock::new(|| {
    let folder = std::env::var_os("AURORAML_TEST_RECORD")?;
    std::fs::create_dir_all(&folder).unwrap();
    let name = format!("{}.jsonl", std::process::id());
    let file = File::create(std::path::Path::new(&folder).join(name)).unwrap();
    Some(Mutex::new(Records { file, seen: HashMap::new() }))
});

/// The same sandbox, whose exchanges are kept.
pub fn recorded(sandbox: Sandbox, who: Who) -> Sandbox {
    if RECORDS.is_some() {
        sandbox.set_witness(move |exchange| keep(who, exchange));
    }
    sandbox
}

fn keep(who: Who, exchange: &Exchange<'_>) {
    let (Some(records), call) = (&*RECORDS, exchange.call) else { return };
    let mut records = records.lock().unwrap();
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
    let headers: HashMap<&str, &str> =
        exchange.response.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let line = json!({
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
    });
    writeln!(records.file, "{line}").unwrap();
}

/// The words of a body in any of the protocols: names of members, and the values that are words too (a status, an
/// engine). Identifiers and numbers differ from test to test and say nothing new.
fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| "<>&=\"{}[],:".contains(c))
        .filter(|word| word.len() < 48 && !word.contains(|c: char| c.is_ascii_digit() || c.is_whitespace()))
        .collect()
}
