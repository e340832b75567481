//! One line for each request that changes something, in a file and in the bucket; the sandbox's own log is the judge.

use crate::cli::{Place, SPEC, in_sandbox, with_orders};
use crate::harness::{Account, spec};
use crate::support::config;
use auroraml::aws::Call;
use auroraml_sandbox::World;
use auroraml_sandbox::faults::Faults;
use auroraml_sandbox::file::FileSandbox;
use auroraml_sandbox::random::Mood;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex};

fn world<T>(place: &Place, look: impl FnOnce(&mut World) -> T) -> T {
    let file = FileSandbox::open(&place.path("world.json"), 1.0, 1, Mood::Calm).unwrap();
    let told = file.sandbox().with(look);
    file.close().unwrap();
    told
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}")))
        .collect()
}

/// Operations that changed something, with the code of their error, in order of their names.
fn changes(world: &World, from: usize) -> Vec<(String, Option<String>)> {
    let of_the_stack =
        world.log.iter().skip(from).filter(|entry| entry.mutating && entry.caller == "AKIDSANDBOX");
    let mut changes: Vec<_> =
        of_the_stack.map(|entry| (entry.operation.clone(), entry.code.clone())).collect();
    changes.sort();
    changes
}

fn told(lines: &[Value]) -> Vec<(String, Option<String>)> {
    let text = |line: &Value, key: &str| line[key].as_str().map(String::from);
    let mut told: Vec<_> =
        lines.iter().map(|line| (text(line, "operation").unwrap(), text(line, "code"))).collect();
    told.sort();
    told
}

#[tokio::test(start_paused = true)]
async fn every_change_is_written_down() {
    let place = with_orders(2).await;
    place.write("shop.yaml", &format!("{SPEC}audit: s3://operations-of-ours/audit\n"));
    let run = |args: &[&str]| place.run(&in_sandbox(args));
    let apply = ["apply", "shop.yaml", "--yes", "--allow", "failover", "--audit", "audit.jsonl"];
    // A run that is to be audited and cannot be has not begun.
    let from = world(&place, |world| world.log.len());
    let missing = run(&apply);
    assert!(missing.code == 1 && missing.err.contains("audit: nothing was changed"), "{missing:?}");
    assert!(changes(&world(&place, |world| world.clone()), from).iter().all(|(name, _)| name == "PutObject"));
    world(&place, |world| {
        let operations = world.global.s3.buckets.get("operations-of-ours");
        assert!(operations.is_none());
    });
    let file = FileSandbox::open(&place.path("world.json"), 1.0, 1, Mood::Calm).unwrap();
    let s3 = aws_sdk_s3::Client::new(&config(file.sandbox()));
    s3.create_bucket().bucket("operations-of-ours").send().await.unwrap();
    file.close().unwrap();

    let saved = run(&["plan", "shop.yaml", "--out", "plan.json"]);
    assert_eq!(saved.code, 0, "{saved:?}");
    let from = world(&place, |world| world.log.len());
    let done = run(&[&apply[..], &["--plan", "plan.json"]].concat());
    assert_eq!(done.code, 0, "{done:?}");
    let written = lines(&place.read("audit.jsonl"));
    let after = world(&place, |world| world.clone());
    // Its own objects are no change of the stack.
    let made: Vec<_> = changes(&after, from).into_iter().filter(|(name, _)| name != "PutObject").collect();
    assert_eq!(told(&written), made);
    assert!(written.len() > 5, "{written:?}");
    let digest: String =
        Sha256::digest(place.read("plan.json")).iter().map(|byte| format!("{byte:02x}")).collect();
    for line in &written {
        assert_eq!(line["plan_sha256"], digest, "as sha256sum says of the file");
        assert!(line["caller"].as_str().unwrap().starts_with("arn:aws:"), "{line}");
        assert_eq!((&line["stack"], &line["account"]), (&"shop".into(), &"111122223333".into()));
        assert!(line["request_id"].as_str().unwrap().ends_with("-sandbox"), "{line}");
        assert!(line["time"].as_str().unwrap().starts_with("20"), "{line}");
        assert_eq!(line["attempt"], 1);
        assert!(line["resource"].is_string(), "{line}");
        assert_eq!(line["result"], if line["code"].is_null() { "done" } else { "refused" });
    }
    // The same in the bucket, under a name of the run's own.
    let kept = |world: &World| -> Vec<(String, String)> {
        let objects = &world.global.s3.buckets["operations-of-ours"].objects;
        let text = |key: &String| {
            let bytes = world.global.s3.object("operations-of-ours", key).unwrap();
            String::from_utf8(bytes.to_vec()).unwrap()
        };
        objects.keys().map(|key| (key.clone(), text(key))).collect()
    };
    let [(key, text)] = <[_; 1]>::try_from(kept(&after)).unwrap();
    assert_eq!(text, place.read("audit.jsonl"));
    assert!(key.starts_with("audit/111122223333/us-east-1/shop/20") && key.contains("-apply-"), "{key}");
    // Another run appends to the file, and leaves an object of its own; one with nothing to do leaves none.
    assert_eq!(run(&apply).code, 0);
    let destroyed = run(&["destroy", "shop.yaml", "--yes", "--allow", "failover", "--audit", "audit.jsonl"]);
    assert_eq!(destroyed.code, 0, "{destroyed:?}");
    let both = lines(&place.read("audit.jsonl"));
    assert!(both.len() > written.len() && both[..written.len()] == written);
    assert!(both[written.len()..].iter().all(|line| line["command"] == "destroy"));
    assert_eq!(kept(&world(&place, |world| world.clone())).len(), 2);
}

/// What was throttled, refused or never answered is in it, each attempt by itself.
#[tokio::test(start_paused = true)]
async fn what_failed_is_written_down_as_well() {
    let spec = spec("stack: net\nregion: us-east-1\nnetwork: { cidr: 10.0.0.0/16 }\n");
    let account = Account::new(3, Mood::Calm);
    let mut faults = Faults::seeded(3);
    faults.throttle = 0.4;
    account.sandbox.set_faults(faults);
    let stack = account.connect(&spec).await;
    let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
    let heard = calls.clone();
    stack.aws.write_changes_to(Arc::new(move |call| heard.lock().unwrap().push(call)));
    for n in 0..20 {
        // Each is refused: there is no such VPC.
        let refused = stack.aws.ec2.delete_vpc().vpc_id(format!("vpc-{n}")).send().await;
        assert!(refused.is_err());
    }
    let calls = calls.lock().unwrap().clone();
    assert_eq!(u64::try_from(calls.len()).unwrap(), stack.aws.changes_sent());
    let codes: Vec<&str> = calls.iter().filter_map(|call| call.code.as_deref()).collect();
    assert!(codes.contains(&"InvalidVpcID.NotFound") && codes.contains(&"RequestLimitExceeded"), "{codes:?}");
    assert!(calls.iter().any(|call| call.attempt > 1), "{calls:?}");
    assert!(
        calls.iter().all(|call| call.resource.as_deref().is_some_and(|what| what.starts_with("VpcId=vpc-")))
    );
}
