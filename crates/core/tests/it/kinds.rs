//! The rules of the kinds: one table of what they are, and what each of their functions answers.

use crate::golden;
use crate::graphs::{built, examples, fresh};
use auroraml_core::base::{Change, Id, Live, Outputs, State, To, policy};
use auroraml_core::kinds::catalog;
use auroraml_core::members::{Effect, Seconds};
use auroraml_core::model::Intent;
use auroraml_core::resource::{Action, Asked, Past, Rules, Sight, Verdict};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

fn rules(kind: &str) -> Rules {
    catalog()[kind]
}

fn change(path: &str, from: impl Into<Value>, to: impl Into<Value>) -> Change {
    Change { path: path.into(), from: from.into(), to: To::Value(to.into()) }
}

/// What is wanted after the kind has accepted what is live.
fn accepted(kind: &str, mut want: Value, live: Value) -> Value {
    (rules(kind).accept)(&mut want, &live);
    want
}

#[test]
fn rules_are_those_that_were_reviewed() {
    let mut out = String::from("# What planner and executor know of each kind.\n");
    for (kind, rules) in catalog().iter() {
        writeln!(
            out,
            "\n{kind}: {:?}, looks every {} s, gives up after {} min, shows a change within {} s, believes {} look(s)",
            rules.nature,
            rules.poll_seconds,
            rules.limit_minutes,
            rules.effect_lag_seconds,
            rules.stable_looks
        )
        .unwrap();
        for (what, names) in [
            ("refers to", rules.after),
            ("may hold a secret in", rules.sensitive),
            ("may be ignored:", rules.may_be_ignored),
        ] {
            if !names.is_empty() {
                writeln!(out, "    {what} {}", names.join(", ")).unwrap();
            }
        }
        for (is_so, what) in [(rules.holds_data, "holds data"), (rules.appears_late, "appears late")] {
            if is_so {
                writeln!(out, "    {what}").unwrap();
            }
        }
        rules.dies_with.iter().for_each(|parent| writeln!(out, "    dies with {parent}").unwrap());
        rules.takes_along.iter().for_each(|what| writeln!(out, "    goes {what}").unwrap());
        rules
            .immutable
            .iter()
            .for_each(|(path, why)| writeln!(out, "    cannot change {path}: {why}").unwrap());
    }
    golden("tests/data/kinds.txt", &out);
}

/// What refers to something goes before it, so `after` has every reference that a graph holds. What it has beside
/// them stands here with the reason why no property says it.
#[test]
fn what_refers_to_something_goes_first() {
    let mut unsaid: BTreeSet<(&str, &str)> = [
        // Detached only when no address is mapped, and made before what needs it.
        ("elastic_ip", "internet_gateway"),
        // AWS cleans up with the role after the endpoint has gone (fact book, section 4.3).
        ("endpoint", "role"),
        ("endpoint", "model"),
        // An artifact may lie in the stack's bucket, and a script copies files from there.
        ("model", "bucket"),
        ("notebook", "bucket"),
        // Its way out is the route table's.
        ("notebook", "nat_gateway"),
        // The associations go after the members run without the roles.
        ("parameter_sync", "cluster_role"),
    ]
    .into();
    let mut said = BTreeSet::new();
    for (_, spec) in examples() {
        for group in ["theirs", "default.aurora-mysql8.0"] {
            let mut facts = fresh(&spec);
            facts.existing.as_mut().unwrap().parameter_group = group.into();
            let graph = built(&spec, &facts, Intent::Apply).unwrap();
            for id in graph.resources.keys() {
                said.extend(graph.needs(id).into_iter().map(|needed| (id.kind, needed.kind)));
            }
        }
    }
    // The secret outlives the cluster, and the attachment goes with the secret.
    said.remove(&("secret_attachment", "cluster"));
    // What stands on a template's stack, and what one is given, the graph says: the order is each stack's own.
    said.retain(|(kind, needed)| kind != needed && *kind != "stack" && *needed != "stack");
    let ruled: BTreeSet<(&str, &str)> = catalog()
        .iter()
        .flat_map(|(kind, rules)| rules.after.iter().map(move |after| (kind, *after)).collect::<Vec<_>>())
        .collect();
    let missing: Vec<_> = said.difference(&ruled).collect();
    assert!(missing.is_empty(), "referred to, and may be deleted first: {missing:?}");
    unsaid.extend(&said);
    let unexplained: Vec<_> = ruled.difference(&unsaid).collect();
    assert!(unexplained.is_empty(), "nothing refers so: {unexplained:?}");
}

/// What a kind wants and AWS shows in another form.
#[test]
fn what_says_the_same_is_accepted() {
    let document = json!({"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}});
    let normal = policy::normal(&document);
    assert_ne!(normal, document);
    assert_eq!(accepted("bucket", json!({"policy": document}), Value::Null)["policy"], normal);
    let role = accepted("role", json!({"trust": document, "policy": document}), Value::Null);
    assert_eq!(role, json!({"trust": normal, "policy": normal}));
    // What is looked at when something is made only.
    assert_eq!(accepted("bucket_object", json!({"path": "a"}), Value::Null)["path"], Value::Null);
    let secret = accepted("secret", json!({"username": "a", "password_variable": "B"}), Value::Null);
    assert_eq!(secret, json!({"username": null, "password_variable": null}));
    let hash = accepted("secret_attachment", json!({"fields": {}, "hash": "a"}), Value::Null);
    assert_eq!(hash, json!({"fields": {}, "hash": null}));
    let types = json!({"apply_types": {"a": "static"}});
    assert_eq!(accepted("group_parameters", types, Value::Null)["apply_types"], Value::Null);
    // Not told while it is being made.
    for (live, wanted) in [("", Value::Null), ("eipalloc-2", json!("eipalloc-1"))] {
        let want = json!({"address": "eipalloc-1"});
        assert_eq!(accepted("nat_gateway", want, json!({"address": live}))["address"], wanted);
    }
    for (script, wanted) in [("", ""), ("a", "a\n"), ("a\n", "a\n"), ("a\r\n\n", "a\n"), ("\n", "")] {
        let scripts =
            accepted("notebook_config", json!({"on_create": script, "on_start": null}), Value::Null);
        assert_eq!(scripts, json!({"on_create": wanted, "on_start": null}), "{script:?}");
    }
}

/// What stands in the name of an object was compared when it was found by that name.
#[test]
fn what_is_in_the_name_is_as_wanted() {
    for (kind, properties) in [
        ("model", &["endpoint", "image", "artifact", "environment", "role"][..]),
        ("endpoint_config", &["endpoint", "model", "instance", "count", "memory", "max_concurrency"]),
    ] {
        let all = |text: &str| -> Value {
            properties.iter().chain([&"tags"]).map(|name| (name.to_string(), json!(text))).collect()
        };
        let mut wanted = all("live");
        wanted["tags"] = json!("wanted");
        assert_eq!(accepted(kind, all("wanted"), all("live")), wanted, "{kind}");
    }
}

#[test]
fn a_notebook_that_aws_moved_on_is_as_wanted() {
    let platform = |present: &str| {
        accepted("notebook", json!({"platform": "notebook-al2-v2"}), json!({"platform": present}))["platform"]
            .clone()
    };
    assert_eq!(platform("notebook-al2023-v1"), "notebook-al2023-v1");
    assert_eq!(platform("notebook-al1-v3"), "notebook-al2-v2");
    assert_eq!(platform("another-al2-v2"), "notebook-al2-v2", "no newer one");
    let metadata = |live: Value| accepted("notebook", json!({"metadata_version": "2"}), live);
    assert_eq!(metadata(json!({"metadata_version": null}))["metadata_version"], Value::Null);
    assert_eq!(metadata(json!({"metadata_version": "1"}))["metadata_version"], "2");
    assert_eq!(metadata(Value::Null)["metadata_version"], "2", "it is made so");
}

#[test]
fn what_aws_fills_in_of_a_cluster_is_accepted() {
    let pause = |serverless: Value| {
        let live = json!({"serverless": {"min": 0.0, "seconds_until_auto_pause": 300}});
        accepted("cluster", json!({"serverless": serverless}), live)["serverless"].clone()
    };
    assert_eq!(pause(json!({"seconds_until_auto_pause": null}))["seconds_until_auto_pause"], 300);
    assert_eq!(pause(json!({"seconds_until_auto_pause": 600}))["seconds_until_auto_pause"], 600);
    assert_eq!(pause(Value::Null), Value::Null);
    let version = |prefix: &str, engine: &str| {
        let want =
            json!({"engine_version": "8.0.mysql_aurora.3.13.0", "engine_prefix": prefix, "secret": "s"});
        let live = json!({"engine": engine, "engine_version": "8.0.mysql_aurora.3.10.2"});
        let wanted = accepted("cluster", want, live);
        assert_eq!((&wanted["engine_prefix"], &wanted["secret"]), (&Value::Null, &Value::Null));
        wanted["engine_version"].as_str().unwrap().rsplit_once("aurora.").unwrap().1.to_string()
    };
    assert_eq!(version("8.0", "aurora-mysql"), "3.10.2");
    assert_eq!(version("3.13", "aurora-mysql"), "3.13.0");
    assert_eq!(version("", "aurora-mysql"), "3.13.0");
    assert_eq!(version("8.0", "aurora-postgresql"), "3.13.0");
}

/// Values that came with a copy stay, those of our roles that the spec no longer names do not.
#[test]
fn the_values_of_a_copied_group_are_accepted() {
    let ours = "arn:aws:iam::111122223333:role/auroraml/shop/us-east-1/shop-us-east-1-s3";
    let theirs = "arn:aws:iam::111122223333:role/auroraml/till/us-east-1/till-us-east-1-s3";
    let live = json!({"parameters": {"a": "2", "b": "3", "mine": ours, "yours": theirs}});
    let wanted = |copy_of: Value| {
        let want = json!({"copy_of": copy_of, "parameters": {"a": "1"}, "tags": {"auroraml:stack": "shop"}});
        let wanted = accepted("parameter_group", want, live.clone());
        assert_eq!(wanted["copy_of"], Value::Null);
        wanted["parameters"].clone()
    };
    assert_eq!(wanted("theirs".into()), json!({"a": "1", "b": "3", "yours": theirs}));
    assert_eq!(wanted(Value::Null), json!({"a": "1"}));
}

const ACTIONS: [Action; 9] = [
    Action::NoOp,
    Action::Recheck,
    Action::Update,
    Action::Create,
    Action::Recreate,
    Action::Run,
    Action::Delete,
    Action::Vanish,
    Action::Stop,
];

/// What each change does to the members, which the plan announces and the executor asks leave for.
#[test]
fn what_changes_do_to_the_members() {
    use Action::{Create, Delete, Recreate, Update};
    let effect = |kind: &str, action, paths: &[&str], live: Value| {
        let changes: Vec<Change> = paths.iter().map(|path| change(path, 1, 2)).collect();
        (rules(kind).effect)(action, &changes, &live)
    };
    let restart = Effect::RestartsAll(Seconds { usually: 180, at_worst: 600 });
    for (paths, wanted) in [
        (&["port"][..], restart),
        (&["tags.a", "engine_version"], restart),
        (&["parameter_group"], Effect::Pending),
        (&["serverless.min"], Effect::ServerlessPending),
        (&["parameter_group", "port"], restart),
        (&["tags.a", "data_api"], Effect::None),
    ] {
        for action in ACTIONS {
            let wanted = if action == Update { wanted } else { Effect::None };
            assert_eq!(effect("cluster", action, paths, Value::Null), wanted, "{action:?} {paths:?}");
        }
    }
    for action in ACTIONS {
        let class = Effect::RestartsMember(Seconds { usually: 300, at_worst: 600 });
        let (of_class, of_tags) = match action {
            Create | Recreate => (Effect::MemberComes, Effect::MemberComes),
            Delete => (Effect::MemberGoes, Effect::MemberGoes),
            Update => (class, Effect::None),
            _ => (Effect::None, Effect::None),
        };
        assert_eq!(effect("instance", action, &["class"], Value::Null), of_class, "{action:?}");
        assert_eq!(effect("instance", action, &["tags.a"], Value::Null), of_tags, "{action:?}");
        let attached = matches!(action, Create | Update | Recreate | Delete);
        let attached = if attached { Effect::Pending } else { Effect::None };
        assert_eq!(effect("group_attachment", action, &[], Value::Null), attached, "{action:?}");
        // A static parameter, one that is not known, a dynamic one, and none.
        let live =
            |how: &str| json!({"apply_types": {"a": how, "b": "dynamic"}, "parameters": {"a": 1, "b": 1}});
        for (how, paths, waits) in [
            ("static", &["parameters.a", "parameters.b"][..], true),
            ("static", &["parameters.c"], true),
            ("dynamic", &["parameters.a", "parameters.b"], false),
            ("static", &["tags.a"], false),
        ] {
            let case = format!("{action:?} {how} {paths:?}");
            let pending = |is_so| if is_so { Effect::Pending } else { Effect::None };
            let group = effect("parameter_group", action, paths, live(how));
            assert_eq!(group, pending(action == Update && waits), "{case}");
            let wanted = match action {
                Create | Update | Recreate => waits,
                // All of them go.
                Delete => how == "static",
                _ => false,
            };
            assert_eq!(effect("group_parameters", action, paths, live(how)), pending(wanted), "{case}");
        }
    }
    // Before the first value is set, what is desired says of which type it is; AWS's own word counts for more.
    let first = [change("parameters.a", 1, 2), change("apply_types.a", Value::Null, "dynamic")];
    let effect = rules("group_parameters").effect;
    assert_eq!(effect(Create, &first, &Value::Null), Effect::None);
    assert_eq!(effect(Create, &first, &json!({"apply_types": {"a": "static"}})), Effect::Pending);
    let other = [change("parameters.a", 1, 2), change("apply_types.b", Value::Null, "dynamic")];
    assert_eq!(effect(Create, &other, &Value::Null), Effect::Pending);
}

/// What is said of a kind is what a plan hears.
#[test]
fn what_cannot_change_forbids_a_change() {
    let mut count = 0;
    for (kind, rules) in catalog().iter() {
        for (path, why) in rules.immutable {
            assert_eq!(rules.forbids(&change(path, "a", "b"), &Value::Null), Some(*why), "{kind}.{path}");
            count += 1;
        }
        assert_eq!(rules.forbids(&change("tags.team", "a", "b"), &Value::Null), None, "{kind}");
    }
    assert!(count >= 20, "{count}");
    let live = json!({"engine": "aurora-mysql"});
    for (kind, change) in [
        ("cluster", change("engine_version", "8.0.mysql_aurora.3.10.2", "8.0.mysql_aurora.3.09.1")),
        ("endpoint", change("serverless", false, true)),
        ("notebook", change("volume", 20, 10)),
    ] {
        assert!(rules(kind).forbids(&change, &live).is_some(), "{kind}.{}", change.path);
    }
}

#[test]
fn refusals_depend_on_the_direction() {
    let refused = |kind: &str, change: Change| {
        let live = json!({"engine": "aurora-mysql"});
        (rules(kind).refuses)(Asked::Change { change: &change, live: &live }).map(|refusal| refusal.why)
    };
    let version = |from: &str, to: &str| {
        refused("cluster", change("engine_version", from, to)).unwrap_or("it is made").to_string()
    };
    let (old, new) = ("8.0.mysql_aurora.3.09.1", "8.0.mysql_aurora.3.10.2");
    assert_eq!(version(old, new), "it is made");
    assert!(version(new, old).contains("cannot downgrade a cluster"), "{}", version(new, old));
    let major = version(new, "8.4.mysql_aurora.8.4.7");
    assert!(major.contains("does not do major upgrades"), "{major}");
    assert_eq!(refused("cluster", change("database", new, old)), None);
    for (path, from, to, is_refused) in [
        ("serverless", false, true, true),
        ("serverless", true, false, false),
        ("elsewhere", false, true, false),
    ] {
        assert_eq!(refused("endpoint", change(path, from, to)).is_some(), is_refused, "{path} {to}");
    }
    for (path, from, to, is_refused) in [
        ("volume", 20, 10, true),
        ("volume", 10, 20, false),
        ("volume", 10, 10, false),
        ("other", 20, 10, false),
    ] {
        assert_eq!(refused("notebook", change(path, from, to)).is_some(), is_refused, "{path} {from} {to}");
    }
    for (protected, option, is_refused) in [
        (true, "other", true),
        (true, "unprotect", false),
        (false, "other", false),
        (false, "unprotect", false),
    ] {
        let live = json!({"deletion_protection": protected});
        let options = BTreeMap::from([(option.to_string(), "true".to_string())]);
        let refusal = (rules("cluster").refuses)(Asked::Delete { live: &live, options: &options });
        assert_eq!(refusal.is_some(), is_refused, "{protected} {option}");
    }
    let live = json!({"deletion_protection": false});
    for (option, hint) in [("allowed_by", "delete the whole stack"), ("protect", "--unprotect")] {
        let options = BTreeMap::from([(option.to_string(), "true".to_string())]);
        let refusal = (rules("cluster").refuses)(Asked::Delete { live: &live, options: &options }).unwrap();
        assert!(refusal.hint.unwrap().contains(hint), "{refusal:?}");
    }
}

/// The cluster has another group at once, and begins to be `modifying` later (fact book, section 1.6).
#[test]
fn an_attachment_is_believed_after_aws_has_been_at_work() {
    const NOW: u64 = 1_000_000_000;
    let judged = |ago: u64, busy_at: u64, differs: bool, state: State| {
        let live = Live {
            id: Id::new("group_attachment", "main"),
            props: Value::Null,
            outputs: Outputs::new(),
            state,
            owned: true,
        };
        let changes: Vec<Change> = differs.then(|| change("parameter_group", "a", "b")).into_iter().collect();
        let past = Past { acted: Some((NOW - ago, None)), acts: 1, busy_at, ..Past::default() };
        let want = Value::Null;
        let sight = Sight { lag: 30_000, want: &want, live: &live, changes: &changes, past: &past, now: NOW };
        (rules("group_attachment").judge)(&sight)
    };
    let begins = Verdict::Wait("waiting for AWS to begin".into());
    assert_eq!(judged(29_999, 0, false, State::Ready), begins);
    assert_eq!(judged(10_000, NOW - 10_000, false, State::Ready), begins, "that was before");
    assert_eq!(judged(10_000, NOW - 9_999, false, State::Ready), Verdict::Done);
    assert_eq!(judged(30_000, 0, false, State::Ready), Verdict::Done);
    assert_eq!(judged(30_000, 0, true, State::Ready), Verdict::Act(None));
    let busy = judged(30_000, 0, true, State::Busy("modifying".into()));
    assert_eq!(busy, Verdict::Wait("modifying".into()));
}
