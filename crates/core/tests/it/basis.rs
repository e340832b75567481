//! What a saved plan rests on: whatever of it moves is named, and what changes by itself is no reason to refuse.

use crate::graphs::{built, examples, fresh};
use auroraml_core::base::{Id, Live, Observed, Outputs, State, resolve};
use auroraml_core::kinds::catalog;
use auroraml_core::members::Impact;
use auroraml_core::model::Intent;
use auroraml_core::model::facts::Facts;
use auroraml_core::plan::Plan;
use auroraml_core::render::Subject;
use auroraml_core::render::basis::{Basis, spec_fields};
use auroraml_core::render::json::{Document, difference};
use auroraml_core::spec::written;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn document(observed: &Observed, facts: &Facts) -> Value {
    let subject = Subject {
        stack: "churn".into(),
        account: "111122223333".into(),
        region: "us-east-1".into(),
        destroy: false,
        allow: Impact::Readers,
        allow_is_final: false,
        has_window: false,
    };
    // The same plan, whatever was seen: what has moved is found by itself.
    let basis = Basis::default().resting_on(observed, facts, &catalog());
    Document::new(&subject, &basis, &Plan::default()).to_value()
}

/// A stack as it is when everything is as the example says.
fn settled(name: &str) -> (Observed, Facts) {
    let (_, spec) = examples().into_iter().find(|(example, _)| example == name).unwrap();
    let facts = fresh(&spec);
    let graph = built(&spec, &facts, Intent::Apply).unwrap();
    let outputs = |id: &Id| -> Outputs {
        let mut outputs: Outputs = [("id".to_string(), format!("{id}-1").into())].into();
        let predicted = &graph.resources[id].predicted;
        outputs.extend(predicted.iter().map(|(name, text)| (name.clone(), text.as_str().into())));
        outputs
    };
    let known: BTreeMap<Id, Outputs> = graph.resources.keys().map(|id| (id.clone(), outputs(id))).collect();
    let seen = |id: &Id| {
        let props = resolve(&graph.resources[id].props, &known);
        Live { id: id.clone(), props, outputs: outputs(id), state: State::Ready, owned: true }
    };
    (graph.resources.keys().map(|id| (id.clone(), seen(id))).collect(), facts)
}

/// The paths of all values in it, lists and empty things as one.
fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
            map.iter().for_each(|(key, value)| paths(value, &format!("{path}/{}", escape(key)), found));
        }
        _ => found.push(path.to_string()),
    }
}

fn another(value: &Value) -> Value {
    match value {
        Value::Null => json!("now there"),
        Value::Bool(value) => json!(!value),
        Value::Number(number) => json!(number.as_f64().unwrap() + 1.0),
        Value::String(text) => json!(format!("{text}x")),
        Value::Array(items) => json!([items.as_slice(), &[json!("one more")]].concat()),
        Value::Object(_) => json!({ "one": "more" }),
    }
}

/// Every field of every object of every example, one at a time.
#[test]
fn whatever_moves_is_named() {
    let (mut tried, mut passed) = (0, 0);
    for (name, _) in examples() {
        let (observed, facts) = settled(&name);
        let all = document(&observed, &facts);
        assert_eq!(difference(&all, &document(&observed, &facts)), None);
        for (id, live) in &observed {
            // By itself: that all of them are in it is seen below.
            let alone = |live: Live| document(&[(id.clone(), live)].into(), &facts);
            let saved = alone(live.clone());
            let refused = |change: &dyn Fn(&mut Live)| {
                let mut now = live.clone();
                change(&mut now);
                difference(&saved, &alone(now))
            };
            let passing = catalog()[id.kind].passing;
            for part in ["props", "outputs"] {
                let of = |live: &Live| match part {
                    "props" => live.props.clone(),
                    _ => json!(live.outputs),
                };
                let mut found = Vec::new();
                paths(&of(live), "", &mut found);
                for path in found {
                    let moved = refused(&|live: &mut Live| {
                        let mut value = of(live);
                        let field = value.pointer_mut(&path).unwrap();
                        *field = another(field);
                        match part {
                            "props" => live.props = value,
                            _ => live.outputs = serde_json::from_value(value).unwrap(),
                        }
                    });
                    let mut field = path[1..].replace('/', ".").replace("~1", "/").replace("~0", "~");
                    if part == "outputs" {
                        field = format!("outputs.{field}");
                    }
                    let covered = |one: &&str| {
                        field.strip_prefix(*one).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                    };
                    if passing.iter().any(covered) {
                        assert_eq!(moved, None, "{name}: {id} {field}");
                        passed += 1;
                        continue;
                    }
                    let expected = format!("`{field}");
                    let moved =
                        moved.unwrap_or_else(|| panic!("{name}: {field} of {id} moved, and nobody saw it"));
                    assert!(
                        moved.starts_with(&expected) && moved.contains(&format!(" of {id}")),
                        "{expected}: {moved}"
                    );
                    tried += 1;
                }
            }
            let state = refused(&|live| live.state = State::Busy("modifying".into()));
            assert_eq!(state, Some(format!("`state` of {id} changed since the plan was saved")));
            let owned = refused(&|live| live.owned = false);
            assert_eq!(owned, Some(format!("`owned` of {id} changed since the plan was saved")));
            let mut now = observed.clone();
            now.remove(id);
            let now = document(&now, &facts);
            let gone = difference(&all, &now).unwrap();
            assert_eq!(gone, format!("{id}, which is gone, changed since the plan was saved"));
            let back = difference(&now, &all).unwrap();
            assert_eq!(back, format!("{id}, which was not there, changed since the plan was saved"));
        }
    }
    println!("{tried} fields moved and named, {passed} passed by");
    assert!(tried > 2_000 && passed > 0, "{tried} {passed}");
}

/// Of an existing cluster, what AWS tells beside the stack's own objects; and local files.
#[test]
fn what_others_have_is_rested_on() {
    let (observed, facts) = settled("existing-cluster");
    let saved = document(&observed, &facts);
    let with = |change: fn(&mut Facts)| {
        let mut facts = facts.clone();
        change(&mut facts);
        difference(&saved, &document(&observed, &facts))
    };
    let moved = with(|facts| facts.existing.as_mut().unwrap().sharers.push("another".into()));
    assert_eq!(moved.unwrap(), "`sharers` of aurora.existing changed since the plan was saved");
    let moved = with(|facts| facts.live_engine_version = Some("8.0.mysql_aurora.3.99.0".into()));
    assert_eq!(moved.unwrap(), "`engine_version` of aurora.existing changed since the plan was saved");
    let moved = with(|facts| drop(facts.files.insert("a.ipynb".into(), Ok("0".into()))));
    assert_eq!(moved.unwrap(), "files, which was not there, changed since the plan was saved");
    assert_eq!(with(|facts| facts.existing.as_mut().unwrap().status = "backing-up".into()), None);
}

/// Lists are sets, what is empty is not there, and the order in which AWS tells is nothing.
#[test]
fn the_same_in_another_form_is_the_same() {
    let live = |props: Value| -> Observed {
        let id = Id::new("subnet_group", "main");
        let live = Live { id: id.clone(), props, outputs: Outputs::new(), state: State::Ready, owned: true };
        [(id, live)].into()
    };
    let facts = Facts::default();
    let saved = document(&live(json!({"subnets": ["a", "b"], "tags": {}})), &facts);
    for props in [json!({"subnets": ["b", "a"]}), json!({"subnets": ["a", "b"], "tags": null, "more": []})] {
        assert_eq!(difference(&saved, &document(&live(props), &facts)), None);
    }
}

/// A plan does not wake a database to look into it, and the apply that carries it out does.
#[test]
fn what_nobody_looked_at_is_not_rested_on() {
    let object = |kind: &'static str, name: &str, props: Value| {
        let id = Id::new(kind, name);
        (id.clone(), Live { id, props, outputs: Outputs::new(), state: State::Ready, owned: true })
    };
    let facts = Facts::default();
    let unseen: Observed = [object("sql_table", "calls", json!({"unseen": "it pauses"}))].into();
    let seen: Observed = [
        object("sql_table", "calls", json!({"columns": {"a": "int"}})),
        object("sql_function", "left", json!({})),
    ]
    .into();
    assert_eq!(difference(&document(&unseen, &facts), &document(&seen, &facts)), None);
    let more: Observed = seen.into_iter().chain([object("role", "s3", json!({}))]).collect();
    let moved = difference(&document(&unseen, &facts), &document(&more, &facts)).unwrap();
    assert_eq!(moved, "role.s3, which was not there, changed since the plan was saved");
}

/// Each field of each example spec, as it is written.
#[test]
fn whatever_moves_in_a_spec_is_named() {
    let mut tried = 0;
    for (name, _) in examples() {
        let Ok(text) = std::fs::read(crate::repository(&format!("specs/{name}.yaml"))) else { continue };
        let fields = written(&text);
        let basis = |fields: &BTreeMap<String, String>, sha: &str| Basis {
            spec_sha256: sha.into(),
            spec: spec_fields(fields),
            ..Basis::default()
        };
        let made = |basis: &Basis| {
            let subject = Subject {
                stack: "a".into(),
                account: "b".into(),
                region: "c".into(),
                destroy: false,
                allow: Impact::Readers,
                allow_is_final: false,
                has_window: false,
            };
            Document::new(&subject, basis, &Plan::default()).to_value()
        };
        let saved = made(&basis(&fields, "1"));
        for path in fields.keys() {
            let mut changed = fields.clone();
            changed.get_mut(path).unwrap().push('x');
            let moved = difference(&saved, &made(&basis(&changed, "2"))).unwrap();
            assert_eq!(moved, format!("`{path}` in the spec changed since the plan was saved"));
            changed.remove(path);
            let moved = difference(&saved, &made(&basis(&changed, "2"))).unwrap();
            assert_eq!(moved, format!("`{path}` in the spec changed since the plan was saved"));
            tried += 1;
        }
    }
    assert!(tried > 150, "{tried}");
}
