//! Drift: every change by somebody else is found, and what nobody touched is never reported.

mod seeded;

use crate::harness::{Account, spec, spec_file};
use crate::lifecycle::{make_foreign_cluster, spec_files};
use auroraml::aws::simulated_config_as;
use auroraml::run::drift::{Drift, beyond, drift};
use auroraml::run::reconcile::survey;
use auroraml_core::base::{Observed, State};
use auroraml_core::drift::{Beyond, Finding, Severity, Sort, judge, settings::SETTINGS};
use auroraml_core::model::{Intent, Order};
use auroraml_core::plan::plan;
use auroraml_core::spec::{Aurora, Spec};
use auroraml_sandbox::ACCOUNT;
use auroraml_sandbox::random::Mood;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// Looks at clean stacks in the ordinary suite; `AURORAML_TEST_LOOKS` asks for more.
const LOOKS: usize = 300;

async fn look(account: &Account, spec: &Spec) -> Drift {
    drift(&account.connect(spec).await, true).await.unwrap()
}

/// The world of an example that was applied, and some time after it.
async fn applied(name: &str, text: &str, seed: u64, mood: Mood) -> (Account, Spec) {
    let spec = spec(text);
    let account = Account::new(seed, mood);
    if let Some(Aurora::Existing(existing)) = &spec.aurora {
        make_foreign_cluster(&account, &spec.region, &existing.existing, 2).await;
    }
    account.apply(&spec).await;
    println!("{name}: applied");
    account.sandbox.clock().sleep(Duration::from_secs(1200)).await;
    (account, spec)
}

/// All examples, in worlds of several seeds and moods, looked at again and again while time goes by.
#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "a longer measurement is asked for by hand")]
async fn what_nobody_touched_is_no_drift() {
    let looks = std::env::var("AURORAML_TEST_LOOKS").ok().and_then(|text| text.parse().ok()).unwrap_or(LOOKS);
    let mut worlds = Vec::new();
    for name in spec_files() {
        for (seed, mood) in [(1, Mood::Calm), (2, Mood::Real)] {
            let (account, spec) = applied(&name, &spec_file(&name), seed, mood).await;
            worlds.push((name.clone(), spec, account.sandbox.world()));
        }
    }
    let (mut taken, mut calls, mut round) = (0, 0, 0_u64);
    while taken < looks {
        for (name, spec, world) in &worlds {
            // Another future of the same world each time: what AWS does by itself comes at other times.
            let mut world = world.clone();
            let mood = if round % 2 == 0 { Mood::Real } else { Mood::Calm };
            world.global.random = auroraml_sandbox::random::Random::new(1000 + round, mood);
            let account = Account::over(world);
            account.sandbox.clock().sleep(Duration::from_secs(round * 3_677 % 400_000)).await;
            for _ in 0..5 {
                let before = account.sandbox.with(|world| world.log.len());
                let found = look(&account, spec).await;
                calls += account.sandbox.with(|world| world.log.len()) - before;
                assert_eq!(found.findings, [], "{name}, round {round}");
                assert_eq!((found.unread, found.who), (Vec::new(), None), "{name}, round {round}");
                taken += 1;
                account.sandbox.clock().sleep(Duration::from_secs(97)).await;
            }
        }
        round += 1;
    }
    println!("{taken} looks, 0 false reports, {} calls each", calls / taken);
}

/// What the plan accepts or never wants, by kind and property: whoever changes it changes nothing that the spec says.
const ACCEPTED: &[(&str, &str, &str)] = &[
    ("cluster", "engine", "never a wish: another engine is another cluster"),
    ("cluster", "engine_version", "any version with the spec's prefix; others are found"),
    ("cluster", "engine_prefix", "never a live property"),
    ("cluster", "secret", "never a live property"),
    ("cluster", "running", "told by the state"),
    ("cluster", "serverless", "without such members a range means nothing"),
    ("parameter_group", "apply_types", "AWS says it of each parameter"),
    ("parameter_group", "parameters", "of a copy, the values that came with it"),
    ("parameter_sync", "topology", "what the cluster looks like"),
    ("parameter_sync", "writer", "only where the spec names one"),
    ("group_parameters", "apply_types", "AWS says it of each parameter"),
    ("role", "boundary", "as it is, where the spec names none"),
    ("subnet", "zone", "chosen once, and kept"),
    ("notebook", "platform", "a newer one"),
    ("notebook", "metadata_version", "a newer one"),
    ("nat_gateway", "address", "whichever it was made with"),
    ("instance", "auto_minor_version_upgrade", "as it is, where the spec says nothing"),
    ("sql_grant", "", "what the spec does not grant is left to whoever granted it"),
    ("sql_table", "declared", "a table that is there keeps its columns"),
    ("sql_function", "timeout_ms", "as a parameter says, where the spec says nothing"),
    ("sql_function", "content_type", "as Aurora has it, where the spec says nothing"),
    ("sql_function", "accept", "the same"),
    ("sql_function", "max_batch_size", "the same"),
    ("sql_function", "sql", "the same"),
    ("parameter_sync", "strategy", "a wish"),
    ("model", "", "read as a whole: a plan knows it by its name"),
    ("endpoint_config", "", "the same"),
    ("bucket_object", "path", "where it came from"),
];

/// All that a look has of each object, and of what a plan does not ask for: one value changed at a time.
#[tokio::test(start_paused = true)]
async fn every_property_that_changes_is_found() {
    let (mut found, mut excused, mut missed) = (0, BTreeSet::new(), BTreeSet::new());
    let everything = std::fs::read_to_string("tests/data/everything.yaml").unwrap();
    let texts = spec_files().into_iter().map(|name| (name.clone(), spec_file(&name)));
    for (name, text) in texts.chain([("everything.yaml".to_string(), everything)]) {
        let (account, spec) = applied(&name, &text, 3, Mood::Calm).await;
        let stack = account.connect(&spec).await;
        let began = stack.aws.clock.now_ms();
        let order = Order { wake: false, ..Intent::Apply.into() };
        let survey = survey(&stack, order).await.unwrap();
        let (graph, _, _) = survey.planned.unwrap();
        let (catalog, beyond) = (stack.kinds.catalog(), beyond(&stack, began, &survey.observed).await);
        let judged = |observed: &Observed, beyond: &Beyond| -> Vec<Finding> {
            judge(&graph, observed, &plan(&graph, observed, &catalog), &catalog, beyond)
        };
        assert_eq!(judged(&survey.observed, &beyond), [], "{name}");
        for (id, live) in &survey.observed {
            // Records of tasks have ended; what others made is named by whoever made it.
            if !graph.resources.contains_key(id) || id.kind.ends_with("_job") || id.kind.starts_with("data_")
            {
                continue;
            }
            for (path, props) in variants(&live.props) {
                let mut observed = survey.observed.clone();
                observed.get_mut(id).unwrap().props = props;
                let told = judged(&observed, &beyond).iter().any(|finding| finding.id == *id);
                match told {
                    true => found += 1,
                    false => {
                        let known = ACCEPTED
                            .iter()
                            .find(|(kind, accepted, _)| *kind == id.kind && path.starts_with(accepted));
                        let Some(known) = known else {
                            missed.insert(format!("{name}: {id}: {path}"));
                            continue;
                        };
                        excused.insert((known.0, known.1));
                    }
                }
            }
            let mut gone = survey.observed.clone();
            gone.remove(id);
            let told = judged(&gone, &beyond);
            assert!(
                told.iter().any(|one| {
                    one.id == *id && one.sort == Sort::Missing && one.severity != Severity::Security
                }),
                "{name}: {id} gone: {told:?}"
            );
            let mut failed = survey.observed.clone();
            failed.get_mut(id).unwrap().state = State::Failed("it has failed".into());
            assert!(judged(&failed, &beyond).iter().any(|one| one.id == *id), "{name}: {id} failed");
            found += 2;
        }
        for (id, props) in &beyond.whole {
            for (path, props) in variants(props) {
                let mut beyond = beyond.clone();
                beyond.whole.insert(id.clone(), props);
                let told = judged(&survey.observed, &beyond);
                assert!(told.iter().any(|finding| finding.id == *id), "{name}: {id}: {path}");
                found += 1;
            }
        }
        for (id, settings) in &beyond.settings {
            for (path, value) in settings {
                let mut beyond = beyond.clone();
                let other = match value {
                    Value::Null => json!("x"),
                    value => variants(&json!({ "it": value })).remove(0).1["it"].take(),
                };
                beyond.settings.get_mut(id).unwrap().insert(path, other);
                let told = judged(&survey.observed, &beyond);
                let one =
                    told.iter().find(|finding| finding.id == *id && finding.path.as_deref() == Some(path));
                assert!(one.is_some(), "{name}: {id}: {path}: {told:?}");
                found += 1;
                excused.insert((
                    "setting",
                    SETTINGS.iter().find(|one| one.kind == id.kind && one.path == *path).unwrap().path,
                ));
            }
        }
    }
    assert!(missed.is_empty(), "changed, and nobody said so: {missed:#?}");
    println!("{found} changed values, each found; accepted: {excused:?}");
    assert!(found > 1000, "{found}");
    // Each setting of the table was read somewhere.
    for setting in SETTINGS {
        assert!(
            excused.contains(&("setting", setting.path)),
            "{}.{} is never read",
            setting.kind,
            setting.path
        );
    }
}

/// The same properties with one value otherwise, each with the value's path.
fn variants(props: &Value) -> Vec<(String, Value)> {
    let mut paths = Vec::new();
    leaves(props, "", &mut paths);
    let changed = paths.into_iter().map(|pointer| {
        let mut props = props.clone();
        let value = props.pointer_mut(&pointer).unwrap();
        *value = match value.take() {
            Value::Bool(on) => json!(!on),
            Value::Number(number) => json!(number.as_f64().unwrap() + 1.0),
            Value::String(text) => json!(format!("{text}x")),
            Value::Null => json!("x"),
            Value::Array(mut items) => {
                items.push(json!("x"));
                json!(items)
            }
            Value::Object(mut map) => {
                map.insert("x".into(), json!("x"));
                json!(map)
            }
        };
        let path = pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/");
        (path, props)
    });
    changed.collect()
}

/// Pointers to all values that are no objects, and to objects that may have more keys.
fn leaves(value: &Value, pointer: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                // What maps names to values can get one more.
                if value.is_object()
                    && matches!(key.as_str(), "tags" | "parameters" | "routes" | "environment")
                {
                    out.push(pointer.clone());
                }
                leaves(value, &pointer, out);
            }
        }
        // What AWS does not tell of such an object, or a wish that is no live property.
        Value::Null => {}
        _ => out.push(pointer.to_string()),
    }
}

/// Who may not read something hears so, and all else is compared; with nothing else wrong that is no success.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_said() {
    let (account, spec) = applied("churn", &crate::harness::hosting(), 4, Mood::Calm).await;
    let config =
        simulated_config_as("AKIDANN", &spec.region, account.sandbox.http_client(), &account.sandbox.clock());
    let (iam, sts) = (aws_sdk_iam::Client::new(&config), aws_sdk_sts::Client::new(&config));
    let trust = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": {{"AWS": "arn:aws:iam::{ACCOUNT}:root"}}, "Action": "sts:AssumeRole"}}]}}"#
    );
    iam.create_role().role_name("looker").assume_role_policy_document(trust).send().await.unwrap();
    for (denied, what) in [
        ("iam:ListAttachedRolePolicies", "ListAttachedRolePolicies"),
        ("s3:GetEncryptionConfiguration", "GetBucketEncryption"),
        ("sagemaker:DescribeModel", "DescribeModel"),
        ("cloudtrail:LookupEvents", ""),
    ] {
        let document = format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "*", "Resource": "*"}}, {{"Effect": "Deny", "Action": "{denied}", "Resource": "*"}}]}}"#
        );
        iam.put_role_policy()
            .role_name("looker")
            .policy_name("all")
            .policy_document(document)
            .send()
            .await
            .unwrap();
        account.sandbox.clock().sleep(Duration::from_secs(300)).await;
        let role = format!("arn:aws:iam::{ACCOUNT}:role/looker");
        let session = sts.assume_role().role_arn(role).role_session_name("look").send().await.unwrap();
        let caller = session.credentials().unwrap().access_key_id().to_string();
        let looker = Account { sandbox: account.sandbox.clone(), caller };
        let found = look(&looker, &spec).await;
        assert_eq!(found.findings, [], "{denied}");
        if !what.is_empty() {
            assert!(found.unread.iter().any(|one| one.why.contains(what)), "{denied}: {:?}", found.unread);
            continue;
        }
        // Only where something differs is anybody asked who did it.
        assert_eq!((found.unread, found.who), (Vec::new(), None));
        let policy = iam.put_role_policy().role_name("churn-us-east-1-sagemaker").policy_name("more");
        policy.policy_document(r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}"#).send().await.unwrap();
        let found = look(&looker, &spec).await;
        assert_eq!(found.findings.len(), 1, "{:?}", found.findings);
        assert_eq!(
            found.who.as_deref(),
            Some("cannot tell who did it: cloudtrail:LookupEvents is not allowed")
        );
    }
}

/// Severities are sorted as they are declared, and each has a word.
#[test]
fn the_worst_comes_first() {
    let mut sorted = Severity::ALL;
    sorted.sort();
    assert_eq!(sorted, Severity::ALL);
    assert_eq!(Severity::ALL.map(Severity::word).iter().collect::<BTreeSet<_>>().len(), 5);
}
