//! A plan that was reviewed is carried out, and nothing else.

use crate::cli::{Place, in_sandbox};
use crate::harness::{Account, Recorder, copy_files, spec, spec_file};
use auroraml::aws::simulated_config_as;
use auroraml_core::base::{Id, Live, Observed};
use auroraml_core::kinds::catalog;
use auroraml_core::members::Impact;
use auroraml_core::model::{Intent, Order};
use auroraml_core::render::Subject;
use auroraml_core::render::basis::Basis;
use auroraml_core::render::json::{Document, difference};
use auroraml_sandbox::World;
use auroraml_sandbox::file::FileSandbox;
use auroraml_sandbox::random::Mood;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// While a notebook changes, somebody takes a policy away that the plan does not touch.
#[tokio::test(start_paused = true)]
async fn later_rounds_do_only_what_was_reviewed() {
    let text = spec_file("churn.yaml");
    let changed = spec(&text.replace("ml.t3.medium", "ml.t3.large"));
    for reviewed in [true, false] {
        let account = Account::new(1, Mood::Calm);
        account.apply(&spec(&text)).await;
        let (http, clock) = (account.sandbox.http_client(), account.sandbox.clock());
        let config = simulated_config_as("AKIDSOMEBODYELSE", &changed.region, http, &clock);
        let iam = aws_sdk_iam::Client::new(&config);
        let somebody = async {
            clock.sleep(Duration::from_secs(60)).await;
            let found = iam.list_roles().path_prefix("/auroraml/").send().await.unwrap();
            let role = found.roles().iter().find(|role| role.role_name().ends_with("comprehend")).unwrap();
            let name = role.role_name();
            let policies = iam.list_role_policies().role_name(name).send().await.unwrap();
            for policy in policies.policy_names() {
                iam.delete_role_policy().role_name(name).policy_name(policy).send().await.unwrap();
            }
        };
        let order = Order { reviewed, ..Intent::Apply.into() };
        let recorder = Arc::new(Recorder::default());
        let run = Box::pin(account.run(&changed, order, recorder.clone()));
        let (outcome, ()) = tokio::join!(run, somebody);
        let left: Vec<String> = outcome.remaining.work().map(|step| step.id.to_string()).collect();
        let unreviewed: Vec<String> = outcome.unreviewed.iter().map(ToString::to_string).collect();
        if reviewed {
            assert!(!outcome.is_complete() && outcome.reports.len() == 1, "{}", recorder.text());
            assert_eq!((left, unreviewed), (vec!["role.comprehend".into()], vec!["role.comprehend".into()]));
        } else {
            assert!(outcome.is_complete() && outcome.reports.len() == 2, "{}", recorder.text());
            let told = recorder.text().matches("not converged yet: planning again").count();
            assert_eq!(told, 1, "of the round that is to come\n{}", recorder.text());
        }
        // The next plan has it.
        account.apply(&changed).await;
    }
}

/// What a plan of this spec rests on, as it is saved, with what was seen.
async fn document(account: &Account, text: &str) -> Result<(Value, Observed), String> {
    let spec = spec(text);
    let prepared = account.prepare(&spec, Intent::Apply).await.map_err(|error| format!("{error:?}"))?;
    let subject = Subject {
        stack: spec.stack.clone(),
        account: "111122223333".into(),
        region: spec.region.clone(),
        destroy: false,
        allow: Impact::Readers,
        allow_is_final: false,
        has_window: false,
    };
    let basis = Basis::default().resting_on(&prepared.observed, &prepared.facts, &catalog());
    Ok((Document::new(&subject, &basis, &prepared.plan).to_value(), prepared.observed))
}

/// Weeks in which nobody changes anything: a backup every night, a maintenance window, a pause and a resumption. A saved plan
/// stays true, of each example.
#[tokio::test(start_paused = true)]
async fn time_alone_makes_no_plan_stale() {
    for name in ["churn.yaml", "production.yaml", "minimal.yaml", "lean.yaml"] {
        let text = spec_file(name);
        for seed in 1..=2 {
            let account = Account::new(seed, Mood::Real);
            account.apply(&spec(&text)).await;
            let (saved, _) = document(&account, &text).await.unwrap();
            for hours in [1, 5, 18, 24, 120, 700] {
                account.sandbox.clock().sleep(Duration::from_secs(hours * 3600)).await;
                let (now, _) = document(&account, &text).await.unwrap();
                assert_eq!(
                    difference(&saved, &now),
                    None,
                    "{name} with seed {seed} after {hours} more hours"
                );
            }
        }
    }
}

/// Paths of all scalars in it.
fn scalars(value: &Value, path: &str, found: &mut Vec<String>) {
    let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| scalars(value, &format!("{path}/{}", escape(key)), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, value)| scalars(value, &format!("{path}/{n}"), found));
        }
        Value::Null => {}
        _ => found.push(path.to_string()),
    }
}

fn another(value: &Value) -> Value {
    match value {
        Value::Bool(value) => json!(!value),
        Value::Number(number) if number.is_u64() => json!(number.as_u64().unwrap() + 1),
        Value::Number(number) => json!(number.as_f64().unwrap() + 1.0),
        Value::String(text) => json!(format!("{text}x")),
        other => other.clone(),
    }
}

/// Each value that the simulated AWS keeps of a stack, changed by itself behind auroraml's back. Whatever of it a look
/// sees makes the plan stale, and the message names the object; whatever a look does not see does not. Then, for each kind
/// of field, the binary: exit code 3, and not one request that changes something.
#[tokio::test(start_paused = true)]
async fn whatever_moves_in_aws_makes_a_plan_stale() {
    let text = std::fs::read_to_string("tests/data/everything.yaml").unwrap();
    let account = Account::new(1, Mood::Calm);
    account.apply(&spec(&text)).await;
    let world = account.sandbox.world();
    let (saved, seen) = document(&account, &text).await.unwrap();
    let place = Place::new();
    copy_files(&spec(&text), &place.path(""));
    // A plan that has something to do.
    let larger = text.replace("instance: ml.t3.medium", "instance: ml.t3.large");
    place.write("stack.yaml", &larger);
    let place = &place;
    let keep = async |world: &World| {
        let _ = std::fs::remove_file(place.path("world.json"));
        let file = FileSandbox::open(&place.path("world.json"), 1.0, 1, Mood::Calm).unwrap();
        // The file's clock goes on from there.
        let clock = file.sandbox().clock();
        clock.sleep(Duration::from_millis(world.now.saturating_sub(clock.now_ms()))).await;
        file.sandbox().with(|kept| *kept = world.clone());
        file.close().unwrap();
    };
    keep(&world).await;
    let plan = place.run(&in_sandbox(&["plan", "stack.yaml", "--out", "plan.json"]));
    assert_eq!(plan.code, 0, "{plan:?}");
    let kept = serde_json::to_value(&world).unwrap();
    let mut paths = Vec::new();
    for part in ["ec2", "rds", "sagemaker", "secretsmanager"] {
        let path = format!("/regions/us-east-1/{part}");
        scalars(&kept["regions"]["us-east-1"][part], &path, &mut paths);
    }
    scalars(&kept["global"]["iam"]["roles"], "/global/iam/roles", &mut paths);
    scalars(&kept["global"]["s3"]["buckets"], "/global/s3/buckets", &mut paths);
    let (mut moved, mut unseen, mut refused, mut tried) = (0, 0, 0, BTreeSet::new());
    for path in &paths {
        let mut changed = kept.clone();
        let field = changed.pointer_mut(path).unwrap();
        *field = another(field);
        // Not every value of a type is one of the sandbox's.
        let Ok(changed) = serde_json::from_value::<World>(changed) else { continue };
        // Not recorded: some of the values are none that AWS has.
        let account = Account::of(auroraml_sandbox::Sandbox::new(changed.clone(), 1.0));
        let Some((now, observed)) = survived(document(&account, &text)).await else {
            // AWS, or the spec with it, does not allow a plan at all.
            refused += 1;
            continue;
        };
        let difference = difference(&saved, &now);
        let same = |id: &Id| {
            let without = |live: Option<&Live>| {
                live.map(|live| {
                    let mut live = live.clone();
                    catalog()[id.kind].passing.iter().for_each(|path| forget(&mut live, path));
                    live
                })
            };
            without(seen.get(id)) == without(observed.get(id))
        };
        let ids: Vec<&Id> = seen.keys().chain(observed.keys()).filter(|id| !same(id)).collect();
        match (&difference, ids.first()) {
            (Some(said), Some(_)) => {
                moved += 1;
                assert!(ids.iter().any(|id| said.contains(&id.to_string())), "{path}: {ids:?}: {said}");
                let field = said.split('`').nth(1).unwrap_or(said);
                if !tried.insert((ids[0].kind, field.split('.').next().unwrap().to_string())) {
                    continue;
                }
                keep(&changed).await;
                let before = changed.mutations().count();
                let stale = place.run(&in_sandbox(&["apply", "stack.yaml", "--plan", "plan.json", "--yes"]));
                assert_eq!(stale.code, 3, "{path}: {stale:?}");
                assert!(stale.err.contains("changed since the plan was saved"), "{path}: {stale:?}");
                let file = FileSandbox::open(&place.path("world.json"), 1.0, 1, Mood::Calm).unwrap();
                assert_eq!(file.sandbox().with(|world| world.mutations().count()), before, "{path}");
            }
            (None, None) => unseen += 1,
            // What only the plan's own steps tell.
            (Some(_), None) => moved += 1,
            (None, Some(id)) => panic!("{path}: {id} was seen to differ, and the plan is said to be true"),
        }
    }
    println!(
        "{} values: {moved} made the plan stale ({} kinds of fields by the binary), {unseen} no look sees, {refused} leave no plan",
        paths.len(),
        tried.len()
    );
    assert!(moved > 300 && tried.len() > 60, "{moved} {}", tried.len());
    // Nothing changed: exactly what was announced.
    keep(&world).await;
    let done = place.run(&in_sandbox(&["apply", "stack.yaml", "--plan", "plan.json", "--yes"]));
    assert_eq!(done.code, 0, "{done:?}");
}

/// What a look came to; none of one that failed, or that met a world in which the sandbox itself is lost.
async fn survived<T>(look: impl Future<Output = Result<T, String>>) -> Option<T> {
    let mut look = Box::pin(look);
    let polled = |cx: &mut Context<'_>| {
        let poll = catch_unwind(AssertUnwindSafe(|| look.as_mut().poll(cx)));
        poll.unwrap_or_else(|_| Poll::Ready(Err("a panic".into())))
    };
    std::future::poll_fn(polled).await.ok()
}

/// Takes a property or an output out.
fn forget(live: &mut Live, path: &str) {
    if let Some(output) = path.strip_prefix("outputs.") {
        live.outputs.remove(output);
        return;
    }
    let (parent, key) = path.rsplit_once('.').unwrap_or(("", path));
    let parent = if parent.is_empty() { String::new() } else { format!("/{}", parent.replace('.', "/")) };
    if let Some(map) = live.props.pointer_mut(&parent).and_then(Value::as_object_mut) {
        map.remove(key);
    }
}

/// Each field of the spec, changed after the plan was saved: exit code 3, its name, and no request that changes something.
#[tokio::test(start_paused = true)]
async fn whatever_moves_in_the_spec_makes_a_plan_stale() {
    let text = std::fs::read_to_string("tests/data/everything.yaml").unwrap();
    let place = Place::new();
    copy_files(&spec(&text), &place.path(""));
    place.write("stack.yaml", &text);
    let plan = place.run(&in_sandbox(&["plan", "stack.yaml", "--out", "plan.json"]));
    assert_eq!(plan.code, 0, "{plan:?}");
    let mut tried = 0;
    for (what, old, new, _) in crate::changes::CHANGES {
        let changed = text.replacen(old, new, 1);
        if auroraml_core::spec::parse(changed.as_bytes()).is_err() {
            continue;
        }
        place.write("stack.yaml", &changed);
        let stale = place.run(&in_sandbox(&["apply", "stack.yaml", "--plan", "plan.json", "--yes"]));
        assert_eq!(stale.code, 3, "{what}: {stale:?}");
        assert!(stale.err.contains("in the spec changed since the plan was saved"), "{what}: {stale:?}");
        tried += 1;
    }
    let file = FileSandbox::open(&place.path("world.json"), 1.0, 1, Mood::Calm).unwrap();
    assert_eq!(file.sandbox().with(|world| world.mutations().count()), 0);
    assert!(tried > 40, "{tried}");
}

/// Where nothing has changed, a plan that was saved comes to the same requests, one by one, as one that was not.
#[tokio::test(start_paused = true)]
async fn what_was_reviewed_is_exactly_what_is_done() {
    let asked = |saved: bool| {
        let place = Place::new();
        let text = spec_file("churn.yaml");
        place.write("churn.yaml", &text);
        copy_files(&spec(&text), &place.path(""));
        let run = |args: &[&str]| {
            let ran = place.run(&in_sandbox(args));
            assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        };
        // Both look as often.
        run(&["plan", "churn.yaml", "--out", "apply.json"]);
        run(&[&["apply", "churn.yaml", "--yes"][..], if saved { &["--plan", "apply.json"] } else { &[] }]
            .concat());
        run(&["plan", "churn.yaml", "--destroy", "--out", "destroy.json"]);
        run(&[
            &["destroy", "churn.yaml", "--yes"][..],
            if saved { &["--plan", "destroy.json"] } else { &[] },
        ]
        .concat());
        let file = FileSandbox::open(&place.path("world.json"), 1.0, 1, Mood::Calm).unwrap();
        file.sandbox().with(|world| {
            let mut all: Vec<String> =
                world.mutations().map(|entry| format!("{}:{}", entry.service, entry.operation)).collect();
            all.sort();
            all
        })
    };
    let (reviewed, direct) = (asked(true), asked(false));
    assert_eq!(reviewed, direct);
    assert!(reviewed.len() > 80, "{}", reviewed.len());
}
