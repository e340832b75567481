//! Many stacks in one process: what they ask of AWS grows with pages and not with stacks, as far as AWS has listings.

use crate::harness::{Account, CANARY, spec};
use auroraml::aws::{Aws, Connection, Pace, SecretText, simulated_config_as};
use auroraml::run::reconcile::prepare;
use auroraml::stack::Stack;
use auroraml_core::model::{self, Intent};
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::{Entry, World};
use futures_util::stream::{self, StreamExt};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A stack of each kind that most have, small enough to be made many times.
const SPEC: &str = r#"
stack: aaaa
region: us-east-1
network: { cidr: 10.0.0.0/16, private_subnets: [10.0.1.0/24, 10.0.2.0/24], endpoints: [s3, comprehend, sagemaker_runtime] }
bucket: {}
aurora: { instances: [{ class: db.r6g.large }], on_destroy: delete, parameters: { binlog_format: ROW } }
machine_learning: { comprehend: true, sagemaker: { endpoints: [aaaa] } }
endpoints:
  aaaa:
    model: { image: "xgboost:1.7-1", artifact: "s3://sagemaker-sample-files/models/churn/model.tar.gz" }
    serverless: { memory: 2048 }
"#;

/// Calls that AWS answers for one object at a time: for the others one call serves all stacks, page by page.
const PER_STACK: &[(&str, usize, &str)] = &[
    ("ec2:DescribeVpcAttribute", 1, "host names of the VPC are in no listing"),
    (
        "rds:DescribeDBClusterParameters",
        2,
        "values of one group; those that AWS lists as its own are asked by name",
    ),
    ("rds:ListTagsForResource", 2, "tags of parameter and subnet groups are in no listing"),
    ("s3:GetBucketTagging", 1, "S3 tells of one bucket at a time"),
    ("s3:GetBucketPolicy", 1, "the same"),
    ("s3:GetBucketVersioning", 1, "the same"),
    ("s3:GetPublicAccessBlock", 1, "the same"),
    ("s3:ListObjectsV2", 1, "the same"),
    ("sagemaker:DescribeEndpoint", 1, "which configuration it serves is in no listing"),
    ("sagemaker:DescribeNotebookInstance", 1, "its subnet and role are in no listing"),
    ("sagemaker:DescribeNotebookInstanceLifecycleConfig", 1, "its scripts are in no listing"),
    ("sagemaker:ListTags", 3, "tags of models, configurations and endpoints are in no listing"),
    ("secretsmanager:DescribeSecret", 1, "ListSecrets lags by up to five minutes"),
];

/// Names within the stack that end in a hash of what it is, as the plan of a new stack has them.
async fn hashes(spec: &Spec) -> Vec<String> {
    let plan = Account::new(1, Mood::Calm).plan(spec).await;
    let hashed = plan.work().filter(|step| matches!(step.id.kind, "model" | "endpoint_config"));
    hashed.map(|step| step.id.name.rsplit('-').next().unwrap().to_string()).collect()
}

/// The world of one stack, again and again under other names of the same length.
async fn cloned(world: &World, specs: &[Spec]) -> World {
    let one = serde_json::to_string(world).unwrap();
    let mut all: Value = serde_json::from_str(&one).unwrap();
    let before = hashes(&spec(SPEC)).await;
    for (n, spec) in specs.iter().enumerate() {
        let mut text = one.replace("aaaa", &spec.stack);
        for (old, new) in before.iter().zip(hashes(spec).await) {
            text = text.replace(old.as_str(), &new);
        }
        // Ids of AWS's own have to differ as well; those of the account's default VPC and of AWS's roles do not matter.
        let copy: Value = serde_json::from_str(&renumbered(&text, n)).unwrap();
        for part in ["/regions/us-east-1", "/global/iam", "/global/s3"] {
            merge(all.pointer_mut(part).unwrap(), copy.pointer(part).unwrap());
        }
    }
    serde_json::from_value(all).unwrap()
}

fn name(n: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
    format!("{}{}{}z", letter(n / 676), letter(n / 26), letter(n))
}

/// Ids such as `vpc-0123456789abcdef0` with other last digits.
fn renumbered(text: &str, n: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("-0") {
        let id = &rest[at + 1..];
        let end = id.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(id.len());
        out.push_str(&rest[..=at]);
        if end == 17 {
            out.push_str(&id[..13]);
            out.push_str(&format!("{n:04x}"));
        } else {
            out.push_str(&id[..end]);
        }
        rest = &id[end..];
    }
    out.push_str(rest);
    out
}

/// Adds the entries of maps that are not there yet.
fn merge(into: &mut Value, from: &Value) {
    let (Some(into), Some(from)) = (into.as_object_mut(), from.as_object()) else { return };
    for (key, value) in from {
        match into.get_mut(key) {
            Some(known) => merge(known, value),
            None => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

async fn base(account: &Account, region: &str) -> Aws {
    let clock = account.sandbox.clock();
    let pace = Pace::published(&clock);
    let connection = Connection {
        config: simulated_config_as("AKIDSANDBOX", region, account.sandbox.http_client(), &clock),
        plain_http: None,
        clock,
        files: Arc::new(|path| std::fs::read(Path::new("specs").join(path))),
        passwords: Arc::new(|_| Some(SecretText::new(CANARY.into()))),
    };
    Aws::connect_many(connection, pace).await.unwrap()
}

/// Plans all of them, four at a time as the command does, and gives the requests of it.
async fn plan_all(world: &World, specs: &[Spec]) -> (Vec<Entry>, u64) {
    let account = Account::over(world.clone());
    let before = account.sandbox.with(|world| world.log.len());
    let began = account.sandbox.clock().now_ms();
    let base = base(&account, "us-east-1").await;
    let plans = stream::iter(specs).map(async |spec| {
        let stack = Stack::over(
            spec.clone(),
            base.of_another(
                &spec.stack,
                model::scope(spec),
                Arc::new(|_| Err(std::io::ErrorKind::NotFound.into())),
            ),
        );
        let prepared = Box::pin(prepare(&stack, Intent::Apply)).await.unwrap();
        assert!(prepared.plan.is_empty(), "{}: {:#?}", spec.stack, prepared.plan.work().collect::<Vec<_>>());
    });
    plans.buffered(4).collect::<Vec<()>>().await;
    let log = account.sandbox.with(|world| world.log[before..].to_vec());
    (log, account.sandbox.clock().now_ms() - began)
}

fn counted(log: &[Entry]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for entry in log {
        *counts.entry(format!("{}:{}", entry.service, entry.operation)).or_insert(0) += 1;
    }
    counts
}

/// The most that a token bucket of EC2 would have been asked for: it never runs dry (fact book, section 7.1).
fn lowest(log: &[Entry], service: &str, size: f64, per_second: f64) -> f64 {
    let (mut tokens, mut at, mut lowest) = (size, 0, size);
    for entry in log.iter().filter(|entry| entry.service == service) {
        tokens = f64::min(size, tokens + entry.at.saturating_sub(at) as f64 / 1000.0 * per_second) - 1.0;
        (at, lowest) = (entry.at, f64::min(lowest, tokens));
    }
    lowest
}

/// Peak of the memory that this process has held, in MiB.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}

#[tokio::test(start_paused = true)]
async fn a_hundred_stacks_share_what_aws_lists() {
    let account = Account::new(1, Mood::Calm);
    account.apply(&spec(SPEC)).await;
    account.sandbox.clock().sleep(std::time::Duration::from_secs(600)).await;
    let mut world = account.sandbox.world();
    world.log.clear();
    let mut counts = Vec::new();
    for stacks in [10, 100] {
        let specs: Vec<Spec> = (0..stacks).map(|n| spec(&SPEC.replace("aaaa", &name(n)))).collect();
        let (log, took) = plan_all(&cloned(&world, &specs).await, &specs).await;
        let count = counted(&log);
        println!("plan of {stacks} stacks: {} calls in {:.1} s", log.len(), took as f64 / 1000.0);
        for (operation, count) in &count {
            println!("  {count:4} {operation}");
        }
        // What AWS publishes, and what we keep to where it publishes nothing.
        assert!(lowest(&log, "ec2", 100.0, 20.0) >= 0.0);
        for service in ["rds", "sagemaker", "iam"] {
            let left = lowest(&log, service, 50.0, 5.0);
            assert!(left >= -1.0, "{service}: {left}");
        }
        counts.push((stacks, count));
    }
    let [(few, of_few), (many, of_many)] = counts.as_slice() else { unreachable!() };
    let mut wrong = Vec::new();
    for (operation, count) in of_many {
        match PER_STACK.iter().find(|(name, ..)| name == operation) {
            Some((_, each, _)) => {
                (*count > each * many).then(|| wrong.push(format!("{operation}: {count} for {many} stacks")))
            }
            None => {
                let before = of_few.get(operation).copied().unwrap_or_default();
                // Asked again each minute, page by page.
                let grows = *count > before + 12;
                grows.then(|| {
                    wrong.push(format!("{operation}: {before} for {few} stacks, {count} for {many}"))
                })
            }
        };
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    if let Some(peak) = peak_memory() {
        // A figure to read where this test runs alone: the other tests of the process count as well.
        println!("peak memory of the test with a sandbox of {many} stacks in it: {peak} MiB");
    }
}

/// A folder of its own, and the binary in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        std::fs::create_dir(folder.0.path().join("stacks")).unwrap();
        folder
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    /// Exit code, stdout and stderr.
    fn run(&self, args: &[&str]) -> (i32, String, String) {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_auroraml"))
            .args(args)
            .args(["--sandbox", "--sandbox-speed", "max"])
            .current_dir(self.0.path())
            .env_clear()
            .env("HOME", self.0.path())
            .env("TEAM", "data")
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

/// A stack that is quickly made, under a name.
fn small(name: &str) -> String {
    format!("stack: {name}\nregion: us-east-1\nbucket: {{ on_destroy: empty }}\n")
}

/// All commands that take several: each stack's part is whole and in order, and one that fails stops no other.
#[test]
fn a_folder_is_worked_on_as_a_whole() {
    let folder = Folder::new();
    for name in ["a", "b", "c"] {
        folder.write(&format!("stacks/{name}.yaml"), &small(&format!("shop-{name}")));
    }
    folder.write("stacks/broken.yml", "stack: Broken\n");
    folder.write("stacks/README.md", "no spec");
    std::fs::create_dir(folder.0.path().join("stacks/inner")).unwrap();
    folder.write("stacks/inner/d.yaml", &small("shop-d"));
    let (code, out, _) = folder.run(&["plan", "stacks", "--parallel", "3"]);
    assert_eq!(code, 1, "{out}");
    let heads: Vec<&str> = out.lines().filter(|line| line.starts_with("==> ")).collect();
    assert_eq!(
        heads,
        [
            "==> shop-a (us-east-1)",
            "==> shop-b (us-east-1)",
            "==> stacks/broken.yml (-)",
            "==> shop-c (us-east-1)"
        ]
    );
    // What stands between two headings is of one stack.
    for part in out.split("==> ").skip(1).take(3) {
        let name = part.split(' ').next().unwrap();
        let others = ["shop-a", "shop-b", "shop-c"].into_iter().filter(|other| *other != name);
        assert!(others.into_iter().all(|other| !part.contains(other)), "{name}: {part}");
    }
    let table = out.rsplit("\n\n").next().unwrap();
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(table.contains("shop-c             us-east-1     0  1 to create"), "{table}");
    std::fs::remove_file(folder.0.path().join("stacks/broken.yml")).unwrap();

    // Documents for programs: one after the other, and nothing else on stdout.
    let (code, out, _) = folder.run(&["plan", "stacks", "--format", "json", "--detailed-exitcode"]);
    assert_eq!(code, 2);
    let documents = serde_json::Deserializer::from_str(&out).into_iter::<Value>();
    let stacks: Vec<Value> = documents.map(|document| document.unwrap()["stack"].clone()).collect();
    assert_eq!(stacks, ["shop-a", "shop-b", "shop-c"]);

    // Reviewed plans, and who was not asked changes nothing.
    let (code, _, err) = folder.run(&["plan", "stacks", "--out", "plans", "-q"]);
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = folder.run(&["apply", "stacks", "--plan", "plans"]);
    assert_eq!(code, 1, "{err}");
    assert!(
        err.contains("cannot ask for confirmation: there is no terminal") && !err.contains("--yes"),
        "{err}"
    );
    let (code, out, err) = folder.run(&["apply", "stacks", "--plan", "plans", "--events", "events", "--yes"]);
    assert_eq!(code, 0, "{out}{err}");
    let mut files: Vec<String> = std::fs::read_dir(folder.0.path().join("events"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["shop-a.us-east-1.jsonl", "shop-b.us-east-1.jsonl", "shop-c.us-east-1.jsonl"]);
    let (code, out, _) = folder.run(&["plan", "stacks", "--detailed-exitcode"]);
    assert_eq!(code, 0, "{out}");
    let (code, out, err) = folder.run(&["drift", "stacks"]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(out.matches("No drift.").count(), 3, "{out}");

    // The worst of them counts, and a stale plan stops nobody else.
    folder.write("stacks/b.yaml", &small("shop-b").replace("bucket: {", "bucket: { versioning: true,"));
    let (code, out, _) = folder.run(&["drift", "stacks", "--format", "markdown"]);
    assert_eq!(code, 2, "{out}");
    assert!(out.starts_with("| stack | region | exit | result |"), "{out}");
    folder.write("stacks/d.yaml", &small("shop-d"));
    let (code, out, err) = folder.run(&["apply", "stacks", "--plan", "plans", "--yes"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(err.contains("plans/shop-d.us-east-1.json: there is no such file"), "{err}");
    assert!(out.contains("shop-b  us-east-1     3  the plan is stale"), "{out}");

    // One stack twice is refused before anything is asked.
    folder.write("twice.yaml", &small("shop-a"));
    let (code, _, err) = folder.run(&["apply", "stacks", "twice.yaml", "--yes"]);
    assert_eq!(code, 1);
    assert!(err.contains("it is the stack shop-a in us-east-1, like stacks/a.yaml"), "{err}");
    // So is a name that is nobody's: the others are not touched.
    folder.write("new.yaml", &small("shop-e"));
    let (code, out, err) = folder.run(&["apply", "new.yaml", "nowhere.yaml", "--yes"]);
    assert!(code == 1 && out.is_empty() && err.contains("nowhere.yaml: there is no such file"), "{out}{err}");
    let (_, out, _) = folder.run(&["status", "new.yaml"]);
    assert!(out.contains("Nothing of this stack exists."), "{out}");
}

/// One file for several stages: the values are part of what was reviewed.
#[test]
fn a_saved_plan_holds_for_its_values() {
    let folder = Folder::new();
    let text = "variables: { stage: dev, versioning: false }\nstack: shop-${stage}\nregion: us-east-1\n\
                tags: { team: \"${env:TEAM}\" }\nbucket: { versioning: \"${versioning}\", on_destroy: empty }\n";
    folder.write("shop.yaml", text);
    let (code, out, err) = folder.run(&["plan", "shop.yaml", "--out", "plan.json", "--format", "json", "-q"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("shop-dev") && out.contains("\"value\": \"data\""), "{out}");
    let (code, _, err) =
        folder.run(&["apply", "shop.yaml", "--plan", "plan.json", "--yes", "--set", "versioning=true"]);
    assert_eq!(code, 3, "{err}");
    let (code, _, err) = folder.run(&["apply", "shop.yaml", "--plan", "plan.json", "--yes"]);
    assert_eq!(code, 0, "{err}");
    let (code, out, _) = folder.run(&["plan", "shop.yaml", "--set", "stage=prod"]);
    assert!(code == 0 && out.contains("shop-prod"), "{out}");
    let (code, out, _) = folder.run(&["validate", "shop.yaml", "--set", "stgae=prod"]);
    assert!(code == 1 && out.contains("shop.yaml:1:1: `--set stgae=…`: the spec has no variable"), "{out}");
    let (code, _, err) = folder.run(&["validate", "shop.yaml", "--set", "stage=a", "--set", "stage=b"]);
    assert!(code == 1 && err.contains("it has two values"), "{err}");
}
