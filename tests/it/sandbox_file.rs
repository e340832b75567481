//! The sandbox in a file: what is in it after a clean end, after a kill, and when something is wrong with it.

use crate::harness::{Account, spec, spec_file};
use crate::support::{config, stopwatch};
use auroraml_sandbox::file::{FileError, FileSandbox};
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::{Sandbox, World};
use aws_sdk_s3::primitives::ByteStream;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.json");
    (folder, path)
}

fn open(path: &Path) -> FileSandbox {
    FileSandbox::open(path, 1.0, 7, Mood::Real).unwrap()
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

async fn create_role(sandbox: &Sandbox, name: &str) {
    let client = aws_sdk_iam::Client::new(&config(sandbox));
    let trust = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"rds.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    client.create_role().role_name(name).assume_role_policy_document(trust).send().await.unwrap();
}

fn has_role(sandbox: &Sandbox, name: &str) -> bool {
    let arn = format!("arn:aws:iam::{}:role/{name}", auroraml_sandbox::ACCOUNT);
    sandbox.with(|world| world.global.iam.role_exists(&arn))
}

fn s3(sandbox: &Sandbox) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(&config(sandbox)).force_path_style(true).build();
    aws_sdk_s3::Client::from_conf(config)
}

async fn put(s3: &aws_sdk_s3::Client, key: &str, bytes: Vec<u8>) {
    s3.put_object().bucket("kept").key(key).body(ByteStream::from(bytes)).send().await.unwrap();
}

async fn with_bucket(path: &Path) -> (FileSandbox, aws_sdk_s3::Client) {
    let file = open(path);
    let s3 = s3(file.sandbox());
    s3.create_bucket().bucket("kept").send().await.unwrap();
    (file, s3)
}

/// `length` bytes that differ from those of other seeds: random ones take their time in a debug build.
fn bytes(seed: u8, length: usize) -> Vec<u8> {
    vec![seed; length]
}

#[tokio::test(start_paused = true)]
async fn a_file_keeps_the_world_and_its_clock() {
    let (folder, path) = place();
    let first = open(&path);
    create_role(first.sandbox(), "kept").await;
    first.sandbox().clock().sleep(Duration::from_secs(3600)).await;
    let before = first.sandbox().clock().now_ms();
    assert!(matches!(FileSandbox::open(&path, 1.0, 7, Mood::Real), Err(FileError::InUse(_))));
    first.close().unwrap();
    assert!(fs::read_to_string(&path).unwrap().contains("kept"));

    let second = FileSandbox::open(&path, 1.0, 8, Mood::Calm).unwrap();
    assert!(has_role(second.sandbox(), "kept"));
    assert_eq!(second.sandbox().clock().now_ms(), before);
    assert_eq!(second.sandbox().world().global.random.mood, Mood::Real);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "the sandbox's secrets are in it");
    }
    assert_eq!(names(&folder), ["sandbox.json", "sandbox.json.lock"]);
}

/// What is told is on the disk before, an answer that only tells too: with the clock of the last change the cluster
/// would be `creating` again.
#[tokio::test(start_paused = true)]
async fn what_was_told_outlives_a_kill() {
    let (_folder, path) = place();
    let file = open(&path);
    file.sandbox().with(|world| world.regions.entry("us-east-1".into()).or_default().rds.lenient = true);
    // That no network is asked for is part of the world, not of a request.
    file.close().unwrap();
    let file = open(&path);
    let rds = aws_sdk_rds::Client::new(&config(file.sandbox()));
    let make = rds.create_db_cluster().db_cluster_identifier("orders").engine("aurora-mysql");
    make.master_username("admin").master_user_password("correct horse").send().await.unwrap();
    let status = async |file: &FileSandbox| {
        let rds = aws_sdk_rds::Client::new(&config(file.sandbox()));
        let told = rds.describe_db_clusters().send().await.unwrap();
        told.db_clusters()[0].status().unwrap().to_string()
    };
    let mut told = status(&file).await;
    assert_eq!(told, "creating");
    for _ in 0..100 {
        file.sandbox().clock().sleep(Duration::from_secs(10)).await;
        told = status(&file).await;
        if told == "available" {
            break;
        }
    }
    assert_eq!(told, "available");
    let before = file.sandbox().clock().now_ms();
    // Not closed: as after a kill.
    drop(file);
    let file = open(&path);
    assert!(file.sandbox().clock().now_ms() + 1_000 > before, "the clock stands where it stood");
    assert_eq!(status(&file).await, "available");
}

fn as_json(world: &World) -> serde_json::Value {
    let mut value = serde_json::to_value(world).unwrap();
    value["now"] = serde_json::Value::Null;
    value
}

/// A whole life, with a kill in the middle of it that the sandbox does not notice: the world is the same, to the last
/// digit of its randomness.
#[tokio::test(start_paused = true)]
async fn a_killed_world_is_the_same_world() {
    let (folder, path) = place();
    let spec = spec(&spec_file("churn.yaml"));
    let file = open(&path);
    let account = Account::of(file.sandbox().clone());
    account.apply(&spec).await;
    let before = as_json(&file.sandbox().world());
    drop((file, account));
    assert!(names(&folder).contains(&"sandbox.json.journal".to_string()), "{:?}", names(&folder));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.path().join("sandbox.json.journal")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "requests with passwords are in it");
    }
    let started = stopwatch();
    let file = open(&path);
    println!("opened after {} requests in {:?}", before["log"].as_array().unwrap().len(), started.elapsed());
    let after = as_json(&file.sandbox().world());
    // Policies that are enforced are of the process that enforces them, as `--enforce-policy` is.
    for (part, value) in before.as_object().unwrap().iter().filter(|(part, _)| *part != "enforced") {
        assert_eq!(&after[part], value, "{part}");
    }
    let account = Account::of(file.sandbox().clone());
    account.assert_settled(&spec, auroraml_core::model::Intent::Apply).await;
    account.destroy(&spec).await;
    drop(account);
    file.close().unwrap();
    assert_eq!(names(&folder), ["sandbox.json", "sandbox.json.lock"], "no bodies without objects");
}

/// More than the 256 MiB that a file once could have and be read again: bodies lie beside it.
#[tokio::test(start_paused = true)]
async fn what_was_accepted_can_be_read_again() {
    let (folder, path) = place();
    let (file, s3) = with_bucket(&path).await;
    let large: Vec<Vec<u8>> = (0..4).map(|seed| bytes(seed, 56 << 20)).collect();
    for (n, bytes) in large.iter().enumerate() {
        put(&s3, &format!("large/{n}"), bytes.clone()).await;
    }
    drop((file, s3));
    for end in ["killed", "closed"] {
        let file = open(&path);
        for (n, bytes) in large.iter().enumerate() {
            let same =
                file.sandbox().with(|w| w.global.s3.object("kept", &format!("large/{n}")) == Some(bytes));
            assert!(same, "large/{n}, {end}");
        }
        file.close().unwrap();
    }
    let size = fs::metadata(&path).unwrap().len();
    assert!(size < 100_000, "the world without its bodies has {size} bytes");
    let bodies = folder.path().join("sandbox.json.objects");
    let count = || fs::read_dir(&bodies).map_or(0, |entries| entries.count());
    assert_eq!(count(), 4);
    let file = open(&path);
    let s3 = crate::sandbox_file::s3(file.sandbox());
    for n in 0..3 {
        s3.delete_object().bucket("kept").key(format!("large/{n}")).send().await.unwrap();
    }
    file.close().unwrap();
    assert_eq!(count(), 1, "what is deleted goes");
}

/// The figures: what a small write costs in a large world. It was 0.5 s at 8 MB, when every write wrote everything.
#[tokio::test(start_paused = true)]
async fn a_write_costs_what_it_writes() {
    for (what, size, length) in [
        ("8 MB of objects", 8 << 20, 1 << 20),
        ("80 MB of objects", 80 << 20, 8 << 20),
        ("8 MB without objects", 0, 0),
    ] {
        let (_folder, path) = place();
        let (file, s3) = with_bucket(&path).await;
        for n in 0..size / length.max(1) {
            put(&s3, &format!("large/{n}"), bytes(n as u8, length)).await;
        }
        if size == 0 {
            file.sandbox().with(|world| {
                let bucket = world.global.s3.buckets.get_mut("kept").unwrap();
                bucket.policy = Some("x".repeat(8 << 20));
            });
        }
        const WRITES: u32 = 40;
        let started = stopwatch();
        for n in 0..WRITES {
            put(&s3, &format!("small/{n}"), b"small".to_vec()).await;
        }
        let each = started.elapsed() / WRITES;
        println!("{what}: {each:?} for a small write");
        // The SDK's share is 2 ms of it in a debug build.
        assert!(each < Duration::from_millis(60), "{what}: {each:?}");
        file.close().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn bad_files_are_refused_with_their_path() {
    let (folder, path) = place();
    let refused = |content: &str| {
        fs::write(&path, content).unwrap();
        let error = FileSandbox::open(&path, 1.0, 1, Mood::Calm).unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content, "left as it was");
        error
    };
    assert!(matches!(refused("{\"version\":3,\"world\":0}"), FileError::Newer { found: 3, .. }));
    assert!(matches!(refused("{\"version\":1}"), FileError::Malformed { .. }));
    assert!(matches!(refused("hello"), FileError::Malformed { .. }));
    fs::File::create(&path).unwrap().set_len((512 << 20) + 1).unwrap();
    let large = FileSandbox::open(&path, 1.0, 1, Mood::Calm).unwrap_err();
    assert!(matches!(large, FileError::TooLarge { .. }));
    let nowhere = FileSandbox::open(&folder.path().join("none/s.json"), 1.0, 1, Mood::Calm).unwrap_err();
    assert!(matches!(nowhere, FileError::Io { .. }));
}

/// Version 1 had its bodies in it, as base64.
#[tokio::test(start_paused = true)]
async fn files_of_the_first_version_are_read() {
    let (_folder, path) = place();
    let (file, s3) = with_bucket(&path).await;
    put(&s3, "k", bytes(1, 9_000)).await;
    let world = serde_json::to_value(file.sandbox().world()).unwrap();
    file.close().unwrap();
    fs::write(&path, serde_json::json!({"version": 1, "world": world}).to_string()).unwrap();
    for _ in 0..2 {
        let file = open(&path);
        let kept = file.sandbox().with(|w| w.global.s3.object("kept", "k").map(<[u8]>::to_vec));
        assert_eq!(kept, Some(bytes(1, 9_000)));
        file.close().unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap().starts_with("{\"version\":2,"));
}

#[tokio::test(start_paused = true)]
async fn a_journal_with_half_a_line_and_one_of_another_world() {
    let (folder, path) = place();
    let journal = folder.path().join("sandbox.json.journal");
    let file = open(&path);
    create_role(file.sandbox(), "first").await;
    create_role(file.sandbox(), "second").await;
    drop(file);
    // Killed while it wrote: nobody was answered.
    let whole = fs::read(&journal).unwrap();
    fs::write(&journal, &whole[..whole.len() - 10]).unwrap();
    let file = open(&path);
    assert!(has_role(file.sandbox(), "first") && !has_role(file.sandbox(), "second"));
    create_role(file.sandbox(), "third").await;
    drop(file);
    let file = open(&path);
    assert!(
        has_role(file.sandbox(), "first") && has_role(file.sandbox(), "third"),
        "what came after is there"
    );
    file.close().unwrap();
    // Killed after the world was saved and before its journal was gone.
    fs::write(&journal, &whole).unwrap();
    let file = open(&path);
    assert!(
        has_role(file.sandbox(), "third") && !has_role(file.sandbox(), "second"),
        "nothing happens twice"
    );
    create_role(file.sandbox(), "fourth").await;
    drop(file);
    let file = open(&path);
    assert!(has_role(file.sandbox(), "fourth"));
    // Damaged in the middle, which no kill does.
    drop(file);
    let whole = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, whole.replacen("\"at\":", "\"at:", 1)).unwrap();
    let error = FileSandbox::open(&path, 1.0, 1, Mood::Calm).unwrap_err();
    assert!(error.to_string().contains(journal.to_str().unwrap()), "{error}");
    // The world was removed by hand: what is beside it says nothing of a new one.
    fs::remove_file(&path).unwrap();
    assert!(!has_role(open(&path).sandbox(), "fourth"));
}

#[tokio::test(start_paused = true)]
async fn whatever_is_damaged_can_be_reset() {
    let (folder, path) = place();
    assert!(!FileSandbox::reset(&path).unwrap(), "there is none");
    let (file, s3) = with_bucket(&path).await;
    put(&s3, "k", bytes(1, 9_000)).await;
    assert!(matches!(FileSandbox::reset(&path), Err(FileError::InUse(_))));
    file.close().unwrap();
    let whole = fs::read(&path).unwrap();
    for damaged in [&whole[..whole.len() / 2], &[0; 100][..], b""] {
        fs::write(&path, damaged).unwrap();
        assert!(matches!(FileSandbox::open(&path, 1.0, 1, Mood::Calm), Err(FileError::Malformed { .. })));
        assert!(FileSandbox::reset(&path).unwrap());
        assert_eq!(names(&folder), ["sandbox.json.lock"]);
    }
    let mine = folder.path().join("mine.json");
    fs::write(&mine, "{}").unwrap();
    assert!(matches!(FileSandbox::open(&mine, 1.0, 1, Mood::Calm), Err(FileError::Malformed { .. })));
    assert!(matches!(FileSandbox::reset(&mine), Err(FileError::Malformed { .. })));
    assert_eq!(fs::read_to_string(&mine).unwrap(), "{}", "somebody else's");
}
