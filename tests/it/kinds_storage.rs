//! Bucket, files in it, the stack's own secret and the connection fields in it.

use crate::bench::{Bench, Files, STACK, VARIABLE, nothing, sweep, tags, with};
use crate::harness::CANARY;
use auroraml_core::base::names::{Place, short_hash};
use auroraml_core::base::policy::document;
use auroraml_core::base::{Id, Input};
use auroraml_core::kinds::{bucket, bucket_object, secret, secret_attachment};
use auroraml_core::model::Scope;
use auroraml_core::resource::Action;
use auroraml_core::resource::Graph;
use auroraml_sandbox::World;
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::s3::{self, Versioning};
use serde_json::{Value, json};

const REGION: &str = "us-east-1";
const SECRET: &str = "auroraml/churn/master";
const EMPTY: &[(&str, &str)] = &[("empty", "true")];

fn place(region: &str) -> Place {
    Place::new(STACK, region, "111122223333")
}

fn main_bucket() -> Id {
    Id::new("bucket", "main")
}

fn add_bucket(graph: &mut Graph, region: &str) -> Id {
    let name = place(region).bucket();
    let arn = place(region).bucket_arn(&name);
    let props = bucket::Props {
        name: name.clone(),
        versioning: false,
        public_access_blocked: true,
        policy: document(vec![json!({
            "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [arn.clone(), format!("{arn}/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        })]),
        kms_key: None,
        tags: tags(&main_bucket()),
    };
    graph.add(main_bucket(), props).predict("name", name).predict("arn", arn).id()
}

fn with_bucket(region: &str) -> Graph {
    let mut graph = Graph::default();
    add_bucket(&mut graph, region);
    graph
}

/// Adds a file as the model does, with its present content in its key.
fn add_file(graph: &mut Graph, files: &Files, path: &str) -> Id {
    let name = path.rsplit('/').next().unwrap();
    let hash = short_hash(&files.lock().unwrap()[path]);
    let props = bucket_object::Props {
        bucket: Input::of(&main_bucket(), "name"),
        key: format!("auroraml/{hash}/{name}"),
        path: Some(path.into()),
    };
    graph.add(Id::new("bucket_object", name), props).id()
}

fn with_files(files: &Files) -> Graph {
    let mut graph = with_bucket(REGION);
    let paths: Vec<String> = files.lock().unwrap().keys().cloned().collect();
    for path in paths {
        add_file(&mut graph, files, &path);
    }
    graph
}

fn write(files: &Files, path: &str, content: &str) {
    files.lock().unwrap().insert(path.into(), content.into());
}

fn in_bucket<T>(bench: &Bench, look: impl FnOnce(&mut s3::Bucket) -> T) -> T {
    let name = bench.aws.bucket();
    bench.account.sandbox.with(|world| look(world.global.s3.buckets.get_mut(&name).unwrap()))
}

fn has_buckets(bench: &Bench) -> bool {
    bench.account.sandbox.with(|world| !world.global.s3.buckets.is_empty())
}

#[tokio::test(start_paused = true)]
async fn a_bucket_in_every_kind_of_region() {
    for region in ["us-east-1", "eu-central-1"] {
        let bench = Bench::new(1, Mood::Calm, region, Scope::default()).await;
        let graph = with_bucket(region);
        assert_eq!(bench.apply(&graph).await, 1, "{}", bench.recorder.text());
        in_bucket(&bench, |bucket| {
            assert_eq!(bucket.region, region);
            assert!(bucket.policy.as_ref().is_some_and(|policy| policy.contains("SecureTransport")));
        });
        assert_eq!(bench.count("CreateBucket"), 1);
        bench.apply(&nothing(&[("bucket", "main", &[])])).await;
        assert!(!has_buckets(&bench));
    }
}

#[tokio::test(start_paused = true)]
async fn everything_about_a_bucket_changes_in_place() {
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    let graph = with_bucket(REGION);
    bench.apply(&graph).await;
    let id = main_bucket();
    for (path, value) in [
        ("versioning", json!(true)),
        ("public_access_blocked", json!(false)),
        ("policy.Statement", json!([])),
        (
            "tags",
            json!(
                tags(&Id::new("bucket", "main"))
                    .into_iter()
                    .skip(1)
                    .collect::<std::collections::BTreeMap<_, _>>()
            ),
        ),
    ] {
        let changed = with(&graph, &id, path, value);
        let plan = bench.plan(&changed).await;
        let step = plan.work().next().unwrap_or_else(|| panic!("{path} makes no difference"));
        assert_eq!((step.action, plan.work().count()), (Action::Update, 1));
        assert!(step.changes.iter().all(|change| change.path.starts_with(path)), "{:?}", step.changes);
        if path != "tags" {
            assert_eq!(bench.apply(&changed).await, 1, "{path}");
        }
        bench.apply(&graph).await;
    }
    in_bucket(&bench, |bucket| assert_eq!(bucket.versioning, Versioning::Suspended));
}

#[tokio::test(start_paused = true)]
async fn drift_of_a_bucket_is_seen_and_mended() {
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    let graph = with_bucket(REGION);
    bench.apply(&graph).await;
    type Drift = (&'static str, fn(&mut s3::Bucket));
    let drifts: [Drift; 5] = [
        ("versioning", |bucket| bucket.versioning = Versioning::Enabled),
        ("public_access_blocked", |bucket| bucket.public_access = None),
        ("policy", |bucket| bucket.policy = None),
        ("policy", |bucket| {
            bucket.policy = bucket.policy.take().map(|text| text.replace("s3:*", "s3:GetObject"))
        }),
        ("tags", |bucket| {
            bucket.tags.insert("other".into(), "one".into());
        }),
    ];
    for (path, drift) in drifts {
        in_bucket(&bench, drift);
        let plan = bench.plan(&graph).await;
        let changes = &plan.work().next().unwrap_or_else(|| panic!("drift of {path} is not seen")).changes;
        assert!(changes.iter().all(|change| change.path.starts_with(path)), "{changes:?}");
        assert_eq!(bench.apply(&graph).await, 1);
    }
    // The same policy in another form is no drift.
    in_bucket(&bench, |bucket| {
        let policy: Value = serde_json::from_str(bucket.policy.as_ref().unwrap()).unwrap();
        let mut statement = policy["Statement"][0].clone();
        statement["Action"] = json!(["S3:*"]);
        statement["Condition"]["Bool"]["aws:SecureTransport"] = json!(["false"]);
        bucket.policy = Some(json!({"Statement": statement, "Version": "2012-10-17"}).to_string());
    });
    assert!(bench.plan(&graph).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_bucket_of_others_is_blocked_and_never_touched() {
    for readable in [false, true] {
        let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
        let foreign = s3::Foreign { region: REGION.into(), readable, keys: Default::default() };
        let name = bench.aws.bucket();
        bench.account.sandbox.with(|world| world.global.s3.foreign.insert(name, foreign));
        write(&bench.files, "a.ipynb", "{}");
        let blocked = bench.blocked(&with_files(&bench.files)).await;
        assert!(blocked.starts_with("bucket.main: an object with this name exists"), "{blocked}");
        assert!(bench.plan(&nothing(&[("bucket", "main", EMPTY)])).await.is_empty());
    }
    // The account's own, but another stack's: neither the bucket nor what is in it.
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    write(&bench.files, "a.ipynb", "{}");
    bench.apply(&with_files(&bench.files)).await;
    in_bucket(&bench, |bucket| bucket.tags.insert("auroraml:stack".into(), "other".into()));
    let blocked = bench.blocked(&with_files(&bench.files)).await;
    assert!(
        blocked.starts_with("bucket.main: an object with this name exists and belongs to the stack other"),
        "{blocked}"
    );
    assert!(bench.plan(&nothing(&[("bucket", "main", EMPTY)])).await.is_empty());
    // In another region.
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    bench.apply(&with_bucket(REGION)).await;
    in_bucket(&bench, |bucket| bucket.region = "eu-west-1".into());
    let blocked = bench.blocked(&with_bucket(REGION)).await;
    assert!(blocked.starts_with("bucket.main: an object with this name exists"), "{blocked}");
}

/// A bucket without tags: what an S3 that does not take tags in CreateBucket makes, and what is left where a run is killed
/// before they are set, or where somebody takes them off.
#[tokio::test(start_paused = true)]
async fn a_bucket_that_lost_its_tags_is_known_by_its_name() {
    let bench = Bench::new(1, Mood::Real, REGION, Scope::default()).await;
    bench.aws.s3.create_bucket().bucket(bench.aws.bucket()).send().await.unwrap();
    write(&bench.files, "a.ipynb", "{}");
    let graph = with_files(&bench.files);
    let plan = bench.plan(&graph).await;
    let step = plan.steps.iter().find(|step| step.id == main_bucket()).unwrap();
    assert_eq!((step.action, plan.blocked.len()), (Action::Update, 0));
    assert_eq!(step.reason.as_deref(), Some("it lost its tags, but belongs to this stack"));
    bench.apply(&graph).await;
    assert_eq!(in_bucket(&bench, |bucket| bucket.tags["auroraml:stack"].clone()), STACK);
    in_bucket(&bench, |bucket| bucket.tags.clear());
    bench.apply(&nothing(&[("bucket", "main", EMPTY)])).await;
    assert!(bench.account.sandbox.with(|world| world.global.s3.buckets.is_empty()));
}

/// A name that the spec gives may be anybody's.
#[tokio::test(start_paused = true)]
async fn a_name_that_the_spec_gives_proves_nothing() {
    let scope = Scope { bucket: Some("reports".into()), ..Scope::default() };
    let bench = Bench::new(1, Mood::Calm, REGION, scope.clone()).await;
    let graph = with(&with_bucket(REGION), &main_bucket(), "name", "reports");
    bench.aws.s3.create_bucket().bucket("reports").send().await.unwrap();
    let blocked = bench.blocked(&graph).await;
    let remedy =
        "tag reports with auroraml:stack = churn and auroraml:resource = bucket.main, then run again";
    assert!(blocked.starts_with("bucket.main: ") && blocked.contains(remedy), "{blocked}");
    let destroy = Graph { destroys: true, ..nothing(&[("bucket", "main", EMPTY)]) };
    let plan = bench.plan(&destroy).await;
    assert!(plan.is_empty() && plan.left_alone[0].id == main_bucket(), "{plan:?}");
}

#[tokio::test(start_paused = true)]
async fn a_bucket_is_emptied_only_when_asked() {
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    let versioned = with(&with_bucket(REGION), &main_bucket(), "versioning", true);
    bench.apply(&versioned).await;
    let (name, s3) = (bench.aws.bucket(), &bench.aws.s3);
    let put = |key: &str| s3.put_object().bucket(&name).key(key).body(b"x".to_vec().into()).send();
    for key in ["one", "two", "two"] {
        put(key).await.unwrap();
    }
    s3.delete_object().bucket(&name).key("one").send().await.unwrap();
    s3.create_multipart_upload().bucket(&name).key("large").send().await.unwrap();
    let blocked = bench.blocked(&Graph::default()).await;
    assert!(blocked.contains("deleting it would lose data"), "{blocked}");
    let why = bench.failure(&nothing(&[("bucket", "main", &[])])).await;
    assert!(why.contains("contains 4 object versions and is kept"), "{why}");
    // More than one page of versions.
    in_bucket(&bench, |bucket| {
        let version = bucket.objects["two"][0].clone();
        for n in 0..2_500 {
            let version = s3::Version { id: format!("v{n}"), ..version.clone() };
            bucket.objects.entry(format!("many/{}", n % 700)).or_default().push(version);
        }
    });
    let why = bench.failure(&nothing(&[("bucket", "main", &[])])).await;
    assert!(why.contains("contains more than 1000 object versions"), "{why}");
    assert_eq!(bench.count("DeleteObjects"), 0);
    bench.apply(&nothing(&[("bucket", "main", EMPTY)])).await;
    assert!(!has_buckets(&bench));
    assert_eq!(bench.count("DeleteObjects"), 3);
}

#[tokio::test(start_paused = true)]
async fn files_follow_their_content() {
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    let keys = || in_bucket(&bench, |bucket| bucket.objects.keys().cloned().collect::<Vec<_>>());
    let files = &bench.files;
    write(files, "notebooks/a.ipynb", "one");
    write(files, "notebooks/b.ipynb", "two");
    assert_eq!(bench.apply(&with_files(files)).await, 1);
    let first = keys();
    assert_eq!(first.len(), 2);
    // A user's own data under other keys is nobody's business.
    let put = bench.aws.s3.put_object().bucket(bench.aws.bucket()).key("churn/data.csv");
    put.body(b"x".to_vec().into()).send().await.unwrap();
    write(files, "notebooks/a.ipynb", "three");
    let plan = bench.plan(&with_files(files)).await;
    assert_eq!((plan.work().count(), plan.count(Action::Update)), (1, 1));
    assert_eq!(bench.apply(&with_files(files)).await, 1);
    let second = keys();
    assert_eq!(second.len(), 3);
    assert!(second.contains(&format!("auroraml/{}/a.ipynb", short_hash(b"three"))), "{second:?}");
    assert!(second.contains(&first[1]) || second.contains(&first[0]));
    // What a killed run left of an older content goes.
    bench.wait(5).await;
    let left = format!("auroraml/{}/a.ipynb", short_hash(b"older"));
    in_bucket(&bench, |bucket| {
        let mut version = bucket.objects.values().next().unwrap()[0].clone();
        version.modified = 0;
        bucket.objects.insert(left.clone(), vec![version]);
    });
    assert_eq!(bench.plan(&with_files(files)).await.count(Action::Delete), 1);
    bench.apply(&with_files(files)).await;
    assert_eq!(keys(), second);
    // A file that the spec no longer has.
    files.lock().unwrap().remove("notebooks/b.ipynb");
    bench.apply(&with_files(files)).await;
    assert_eq!(keys().len(), 2);
    // With the bucket, without a request for each.
    let deletes = bench.count("DeleteObject");
    bench.apply(&nothing(&[("bucket", "main", EMPTY)])).await;
    assert!(!has_buckets(&bench));
    assert_eq!(bench.count("DeleteObject"), deletes);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changed_after_the_plan_is_refused() {
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    write(&bench.files, "a.ipynb", "one");
    let graph = with_files(&bench.files);
    write(&bench.files, "a.ipynb", "two");
    let why = bench.failure(&graph).await;
    assert!(why.contains("a.ipynb was changed after the plan was made"), "{why}");
    bench.files.lock().unwrap().clear();
    let why = bench.failure(&graph).await;
    assert!(why.starts_with("cannot read a.ipynb: "), "{why}");
    in_bucket(&bench, |bucket| assert!(bucket.objects.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn storage_killed_anywhere() {
    let bench = Bench::new(1, Mood::Real, REGION, Scope::default()).await;
    let count = |expected: usize| {
        move |bench: &Bench| in_bucket(bench, |bucket| assert_eq!(bucket.objects.len(), expected))
    };
    write(&bench.files, "a.ipynb", "one");
    write(&bench.files, "b.ipynb", "two");
    let scope = Scope::default();
    let (made, clean) = sweep(&bench, &scope, &with_files(&bench.files), count(2)).await;
    write(&clean.files, "a.ipynb", "three");
    let graph = with(&with_files(&clean.files), &main_bucket(), "public_access_blocked", false);
    let (changed, clean) = sweep(&clean, &scope, &graph, count(2)).await;
    let destroy = nothing(&[("bucket", "main", EMPTY)]);
    let (gone, _) = sweep(&clean, &scope, &destroy, |bench| assert!(!has_buckets(bench))).await;
    assert!(made >= 8 && changed >= 6 && gone >= 4, "{made}, {changed}, {gone} kill points");
}

fn master() -> Id {
    Id::new("secret", "master")
}

fn attachment() -> Id {
    Id::new("secret_attachment", "master")
}

fn with_secret(username: &str, variable: Option<&str>, host: &str) -> Graph {
    let mut graph = Graph::default();
    let props = secret::Props {
        name: SECRET.into(),
        username: Some(username.into()),
        password_variable: variable.map(String::from),
        kms_key: None,
        tags: tags(&master()),
    };
    let secret = graph.add(master(), props).id();
    let fields =
        [("engine", "mysql"), ("host", host), ("port", "3306"), ("dbname", ""), ("username", username)];
    let props = secret_attachment::Props {
        secret: Input::of(&secret, "arn"),
        fields: fields.map(|(name, value)| (name.to_string(), value.into())).into(),
        hash: None,
    };
    graph.add(attachment(), props);
    graph
}

fn destroy_secret(days: &'static str) -> Graph {
    nothing(&[("secret", "master", &[("recovery_window_days", days)])])
}

/// What the secret holds now.
fn value(bench: &Bench) -> Value {
    let text = bench.region(|region| region.secretsmanager.current_text(SECRET).map(String::from));
    text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
}

fn password(bench: &Bench) -> String {
    value(bench)["password"].as_str().unwrap_or_default().to_string()
}

/// No password is in any event or plan.
async fn assert_silent(bench: &Bench, graph: &Graph) {
    let (plan, observed) = bench.look(graph).await;
    let said = format!("{}{plan:?}{observed:?}{}", bench.recorder.text(), json!(plan));
    assert!(!said.contains(&password(bench)) && !said.contains(CANARY), "a password was told");
}

#[tokio::test(start_paused = true)]
async fn a_random_password_is_one_that_aurora_takes_and_nobody_sees() {
    for seed in 0..20 {
        let bench = Bench::new(seed, Mood::Calm, REGION, Scope::default()).await;
        let graph = with_secret("admin", None, "host-1");
        assert_eq!(bench.apply(&graph).await, 1);
        let made = password(&bench);
        assert_eq!(made.len(), 32);
        assert!(!made.contains(['/', '"', '@', '\\', '\'', '`', ' ']), "{made}");
        let expected =
            json!({"username": "admin", "password": made, "engine": "mysql", "host": "host-1", "port": 3306});
        assert_eq!(value(&bench), expected);
        assert_silent(&bench, &graph).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_given_password_comes_from_the_environment() {
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    let why = bench.failure(&with_secret("admin", Some("MISSING"), "host-1")).await;
    assert!(why.starts_with("MISSING is not set"), "{why}");
    let graph = with_secret("admin", Some(VARIABLE), "host-1");
    bench.apply(&graph).await;
    assert_eq!(password(&bench), CANARY);
    assert_silent(&bench, &graph).await;
    // Neither another variable nor another user name changes a secret that is there.
    let other = with(&graph, &master(), "password_variable", "MISSING");
    assert!(bench.plan(&with(&other, &master(), "username", "chief")).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn fields_and_tags_change_without_each_other() {
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    let graph = with_secret("admin", None, "host-1");
    bench.apply(&graph).await;
    let (made, puts) = (password(&bench), bench.count("PutSecretValue"));
    assert_eq!(bench.apply(&with(&graph, &master(), "tags.team", "data")).await, 1);
    assert_eq!(bench.apply(&graph).await, 1);
    assert_eq!(bench.count("PutSecretValue"), puts, "tags need no new version");
    for host in ["host-2", &"h".repeat(300)] {
        let moved = with_secret("admin", None, host);
        let plan = bench.plan(&moved).await;
        assert_eq!(plan.work().map(|step| &step.id).collect::<Vec<_>>(), [&attachment()]);
        assert_eq!(bench.apply(&moved).await, 1);
        assert_eq!((value(&bench)["host"].as_str(), password(&bench)), (Some(host), made.clone()));
    }
    assert_eq!(bench.count("PutSecretValue"), puts + 2);
    // Somebody removed the tag: written again, though no value differs.
    let untag = bench.aws.secretsmanager.untag_resource().secret_id(SECRET).tag_keys("auroraml:fields");
    untag.send().await.unwrap();
    bench.apply(&with_secret("admin", None, &"h".repeat(300))).await;
    assert_eq!(bench.count("PutSecretValue"), puts + 2);
    // The fields alone are taken out again.
    let mut without = graph.clone();
    without.resources.remove(&attachment());
    bench.apply(&without).await;
    assert_eq!(value(&bench), json!({"username": "admin", "password": made}));
}

#[tokio::test(start_paused = true)]
async fn a_secret_in_its_recovery_window_is_restored_with_its_password() {
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    let graph = with_secret("admin", None, "host-1");
    bench.apply(&graph).await;
    let made = password(&bench);
    bench.apply(&destroy_secret("7")).await;
    assert_eq!(value(&bench), Value::Null);
    // With another user name, other tags and another host.
    let renamed = with(&with_secret("chief", Some(VARIABLE), "host-2"), &master(), "tags.team", "data");
    assert_eq!(bench.plan(&renamed).await.count(Action::Create), 2);
    bench.apply(&renamed).await;
    let now = value(&bench);
    assert_eq!((&now["username"], &now["host"], password(&bench)), (&json!("chief"), &json!("host-2"), made));
    assert_silent(&bench, &renamed).await;
    // Deleted for good, it is a new one.
    bench.apply(&destroy_secret("0")).await;
    bench.apply(&renamed).await;
    assert_eq!(password(&bench), CANARY);
}

#[tokio::test(start_paused = true)]
async fn the_secret_of_others_is_left_alone() {
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    let secrets = &bench.aws.secretsmanager;
    let tag = aws_sdk_secretsmanager::types::Tag::builder().key("auroraml:stack").value("other").build();
    secrets.create_secret().name(SECRET).secret_string("not JSON").tags(tag).send().await.unwrap();
    let graph = with_secret("admin", None, "host-1");
    let blocked = bench.blocked(&graph).await;
    assert!(blocked.starts_with("secret.master: an object with this name exists"), "{blocked}");
    assert!(bench.plan(&destroy_secret("0")).await.is_empty());
    secrets.delete_secret().secret_id(SECRET).send().await.unwrap();
    let why = bench.failure(&graph).await;
    assert!(why.contains("is scheduled for deletion and is tagged as another stack's"), "{why}");
    assert_eq!(bench.count("RestoreSecret"), 0);
}

/// What others have written over it is neither lost nor told.
#[tokio::test(start_paused = true)]
async fn a_secret_that_others_have_written_over() {
    let bench = Bench::new(1, Mood::Calm, REGION, Scope::default()).await;
    bench.apply(&with_secret("admin", None, "host-1")).await;
    let secrets = &bench.aws.secretsmanager;
    secrets.put_secret_value().secret_id(SECRET).secret_string("hunter2").send().await.unwrap();
    let why = bench.failure(&with_secret("admin", None, "host-2")).await;
    assert!(why.contains("is not a JSON object; others have changed it"), "{why}");
    assert!(!why.contains("hunter2") && !bench.recorder.text().contains("hunter2"), "{why}");
    let now = bench.region(|region| region.secretsmanager.current_text(SECRET).map(String::from));
    assert_eq!(now.as_deref(), Some("hunter2"));
}

#[tokio::test(start_paused = true)]
async fn a_secret_killed_anywhere() {
    let world = World::new(1, Mood::Real);
    let bench = Bench::over(world, REGION, Scope::default(), Files::default()).await;
    let scope = Scope::default();
    let host = |host: &'static str| {
        move |bench: &Bench| {
            assert_eq!(value(bench)["host"], host);
            assert_eq!(value(bench)["username"], "admin");
            assert!(password(bench).len() >= 8);
        }
    };
    let gone = |bench: &Bench| assert_eq!(value(bench), Value::Null);
    let (made, clean) = sweep(&bench, &scope, &with_secret("admin", None, "host-1"), host("host-1")).await;
    let before = password(&clean);
    let (changed, clean) = sweep(&clean, &scope, &with_secret("admin", None, "host-2"), host("host-2")).await;
    let (deleted, clean) = sweep(&clean, &scope, &destroy_secret("7"), gone).await;
    let kept = |bench: &Bench| assert_eq!(password(bench), before);
    let (restored, clean) = sweep(&clean, &scope, &with_secret("chief", None, "host-3"), kept).await;
    assert_eq!(value(&clean)["username"], "chief");
    let (forced, _) = sweep(&clean, &scope, &destroy_secret("0"), gone).await;
    let counts = (made, changed, deleted, restored, forced);
    assert!(made >= 6 && changed >= 4 && deleted >= 2 && restored >= 6 && forced >= 2, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn storage_and_secrets_under_forty_seeds() {
    for seed in 0..40 {
        let bench = Bench::new(seed, Mood::Real, REGION, Scope::default()).await;
        write(&bench.files, "a.ipynb", "one");
        let mut graph = with_files(&bench.files);
        graph.resources.extend(with_secret("admin", None, "host-1").resources);
        bench.apply(&graph).await;
        let empty: &[(&str, &str)] = EMPTY;
        let window: &[(&str, &str)] = &[("recovery_window_days", "0")];
        let destroy = nothing(&[("bucket", "main", empty), ("secret", "master", window)]);
        bench.apply(&destroy).await;
        // At once again, while names may still be taken.
        bench.apply(&graph).await;
        bench.apply(&destroy).await;
        assert!(!has_buckets(&bench));
        assert_eq!(value(&bench), Value::Null);
    }
}
