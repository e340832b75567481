//! What each example spec comes to: the graph, in a form in which a person can review a change of it.

use crate::{VERSION, facts_for, files, golden, place_of, repository};
use auroraml_core::base::names::RESOURCE_TAG;
use auroraml_core::base::{Id, Live, Observed, Outputs, State};
use auroraml_core::model::facts::{ExistingFacts, Facts, Zonal};
use auroraml_core::model::{self, Intent, Preflight};
use auroraml_core::resource::{Deletion, Graph};
use auroraml_core::spec::{self, Aurora, Spec};
use serde_json::{Value, json};
use std::fmt::Write;

/// A value that is no longer than this stands in one line.
const WIDTH: usize = 100;

/// A value in one line: references as `subnet.private-1 → id`, text bare.
fn flat(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(flat).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => match (map.get("$ref"), map.get("output")) {
            (Some(id), Some(output)) => format!("{} → {}", flat(id), flat(output)),
            _ => {
                let pairs: Vec<String> =
                    map.iter().map(|(key, value)| format!("{key}: {}", flat(value))).collect();
                format!("{{{}}}", pairs.join(", "))
            }
        },
        other => other.to_string(),
    }
}

fn write(out: &mut String, indent: usize, key: &str, value: &Value) {
    let (space, line) = (" ".repeat(indent), flat(value));
    match value {
        Value::String(text) if text.contains('\n') => {
            writeln!(out, "{space}{key} |").unwrap();
            for line in text.lines() {
                writeln!(out, "{space}    {line}").unwrap();
            }
        }
        Value::Array(items) if line.len() > WIDTH => {
            writeln!(out, "{space}{key}").unwrap();
            items.iter().for_each(|item| write(out, indent + 4, "-", item));
        }
        Value::Object(map) if line.len() > WIDTH => {
            writeln!(out, "{space}{key}").unwrap();
            map.iter().for_each(|(key, value)| write(out, indent + 4, key, value));
        }
        _ => writeln!(out, "{space}{key} {line}").unwrap(),
    }
}

/// Everything that a graph says.
pub fn described(graph: &Graph, with_properties: bool) -> String {
    let mut out = format!("tags {}\n", flat(&json!(graph.tags)));
    for id in graph.order() {
        let resource = &graph.resources[&id];
        writeln!(out, "{id}").unwrap();
        for (output, value) in &resource.predicted {
            writeln!(out, "    → {output} {value}").unwrap();
        }
        for (how, ids) in [("after", &resource.after), ("recheck after", &resource.recheck_after)] {
            let ids: Vec<String> = ids.iter().map(Id::to_string).collect();
            if !ids.is_empty() {
                writeln!(out, "    {how} {}", ids.join(", ")).unwrap();
            }
        }
        let mut properties = resource.props.clone();
        if let Some(tags) = properties.get_mut("tags").and_then(Value::as_object_mut) {
            // Those by which everything of the stack is found again are said once.
            assert_eq!(tags.remove(RESOURCE_TAG), Some(id.to_string().into()));
            for (key, value) in &graph.tags {
                assert_eq!(tags.remove(key), Some(value.as_str().into()), "{id}: {key}");
            }
        }
        let properties = properties.as_object().into_iter().flatten();
        properties.filter(|_| with_properties).for_each(|(key, value)| write(&mut out, 4, key, value));
    }
    for (id, deletion) in &graph.deletions {
        let how = match deletion {
            Deletion::Keep => "is kept".to_string(),
            Deletion::Offer => "is kept unless a person lets it go".to_string(),
            Deletion::Delete(options) => format!("goes {}", flat(&json!(options))),
        };
        writeln!(out, "{id} {how}").unwrap();
    }
    if let Some(restarts) = &graph.restarts {
        writeln!(out, "restarts by {}: {:?}", restarts.by, restarts.policy).unwrap();
    }
    graph.notes.iter().for_each(|note| writeln!(out, "note: {note}").unwrap());
    out
}

pub fn problems(problems: &[Preflight]) -> String {
    problems.iter().map(|one| format!("{}: {}\n    {}\n", one.what, one.why, one.hint)).collect()
}

/// A custom group that no other cluster uses, on a cluster that is as it should be.
pub fn existing() -> ExistingFacts {
    ExistingFacts {
        engine: "aurora-mysql".into(),
        status: "available".into(),
        parameter_group: "theirs".into(),
        role_quota: 5,
        ..ExistingFacts::default()
    }
}

fn read(path: &std::path::Path) -> Spec {
    spec::parse(&std::fs::read(path).unwrap()).unwrap()
}

/// The specs of the repository that are good, each with its name.
pub fn examples() -> Vec<(String, Spec)> {
    let mut paths = files("specs", "yaml");
    paths.extend(
        ["everything", "hosting", "named", "referring", "sql", "stacked", "trained", "unloaded"]
            .map(|name| repository(&format!("tests/data/{name}.yaml"))),
    );
    let named =
        |path: &std::path::PathBuf| (path.file_stem().unwrap().to_string_lossy().into_owned(), read(path));
    paths.iter().map(named).collect()
}

/// The spec with every field.
fn everything() -> Spec {
    read(&repository("tests/data/everything.yaml"))
}

/// What is known where nothing of the stack is there yet.
pub fn fresh(spec: &Spec) -> Facts {
    let files = spec.notebook.iter().flat_map(|notebook| &notebook.files);
    Facts {
        existing: Some(existing()),
        live_engine_version: matches!(spec.aurora, Some(Aurora::Existing(_))).then(|| VERSION.into()),
        files: files.map(|path| (path.clone(), Ok("0123456789abcdef".into()))).collect(),
        ..facts_for(spec)
    }
}

pub fn built(spec: &Spec, facts: &Facts, intent: Intent) -> Result<Graph, Vec<Preflight>> {
    model::build(spec, &place_of(spec), facts, intent)
}

#[test]
fn examples_come_to_what_was_reviewed() {
    for (name, spec) in examples() {
        let facts = fresh(&spec);
        let graph = built(&spec, &facts, Intent::Apply).unwrap();
        let scope = model::scope(&spec);
        let mut out = format!("# What the spec {name} comes to, and how it goes.\n\n");
        writeln!(
            out,
            "looked for: existing cluster {:?}, parameters {:?}, endpoints {:?}, of notebooks {:?}, bucket {:?}",
            scope.existing_cluster,
            scope.parameters,
            scope.endpoints,
            scope.notebook_endpoints,
            scope.bucket
        )
        .unwrap();
        let questions = model::questions(&spec, &Observed::new());
        writeln!(out, "asked: zones {}, offers {:?}\n", questions.zones, questions.offers).unwrap();
        out += &described(&graph, true);
        for unprotect in [false, true] {
            let destroyed = built(&spec, &facts, Intent::Destroy { unprotect }).unwrap();
            assert!(destroyed.destroys && destroyed.resources.is_empty());
            writeln!(out, "\n# destroy{}", if unprotect { " --unprotect" } else { "" }).unwrap();
            out += &described(&destroyed, true);
        }
        golden(&format!("tests/data/graphs/{name}.txt"), &out);
    }
}

/// What is to be asked of AWS follows from what is missing.
#[test]
fn zones_are_asked_for_where_something_is_missing() {
    let spec = everything();
    let graph = built(&spec, &fresh(&spec), Intent::Apply).unwrap();
    let asked = |missing: &[&str]| {
        let there = graph.resources.keys().filter(|id| !missing.contains(&id.to_string().as_str()));
        let live = |id: &Id| Live {
            id: id.clone(),
            props: Value::Null,
            outputs: Outputs::new(),
            state: State::Ready,
            owned: true,
        };
        let observed: Observed = there.map(|id| (id.clone(), live(id))).collect();
        let questions = model::questions(&spec, &observed);
        let offers = questions.offers.into_iter().map(|what| match what {
            Zonal::Endpoint(name) | Zonal::Class(name) => name,
        });
        (questions.zones, offers.collect::<Vec<_>>())
    };
    let endpoint = "com.amazonaws.us-east-1.comprehend".to_string();
    let (first, second) = ("db.r6g.large".to_string(), "db.serverless".to_string());
    assert_eq!(asked(&[]), (false, vec![]));
    assert_eq!(asked(&["subnet.public-2"]), (true, vec![]));
    assert_eq!(asked(&["subnet.private-1"]), (true, vec![endpoint.clone(), first, second.clone()]));
    assert_eq!(asked(&["vpc_endpoint.comprehend"]), (false, vec![endpoint]));
    assert_eq!(asked(&["vpc_endpoint.s3"]), (false, vec![]), "a gateway endpoint stands in no zone");
    assert_eq!(asked(&["instance.2"]), (false, vec![second]));
}

/// What makes a spec impossible here is said with what to do about it.
#[test]
fn what_is_impossible_here_is_said() {
    let refused = |change: &dyn Fn(&mut Spec, &mut Facts)| {
        let mut spec = everything();
        let mut facts = fresh(&spec);
        change(&mut spec, &mut facts);
        problems(&built(&spec, &facts, Intent::Apply).err().unwrap_or_default())
    };
    assert_eq!(refused(&|_, _| {}), "");
    let unknown = refused(&|spec, facts| {
        spec.region = "mars-east-1".into();
        facts.zones = vec!["a".into(), "b".into()];
    });
    assert!(unknown.starts_with("endpoints.churn.model.image: the account of the image"), "{unknown}");
    assert!(unknown.contains("xgboost:1.7-1 in mars-east-1"), "{unknown}");
    let version = refused(&|_, facts| facts.engine_versions.clear());
    assert!(version.starts_with("aurora.engine_version: no Aurora MySQL version on offer"), "{version}");
    let missing = refused(&|_, facts| {
        facts.files.insert("notebooks/part_1.ipynb".into(), Err("not found".into()));
    });
    assert!(missing.starts_with("notebook.files: cannot read notebooks/part_1.ipynb"), "{missing}");
}

/// A live version that the spec allows stays, and one that it does not allow is left for one that is offered.
#[test]
fn a_live_version_stays_where_the_spec_allows_it() {
    let spec = everything();
    let version = |live: &str| {
        let facts = Facts { live_engine_version: Some(live.into()), ..fresh(&spec) };
        let graph = built(&spec, &facts, Intent::Apply).unwrap();
        graph.resources[&Id::new("cluster", "main")].props["engine_version"].as_str().unwrap().to_string()
    };
    assert_eq!(version("8.0.mysql_aurora.3.10.1"), "8.0.mysql_aurora.3.10.1");
    assert_eq!(version("8.0.mysql_aurora.3.09.1"), VERSION);
}

/// AWS takes 16,384 characters of a script as it is sent: base64, four for three bytes.
#[test]
fn a_script_is_as_long_as_aws_takes_and_no_longer() {
    let mut spec = everything();
    // The name of a file stands three times in the script, so each character more is four characters sent.
    let mut sent = |length: usize| {
        let files: Vec<String> = (0..40).map(|n| format!("{n:a>40}")).chain(["x".repeat(length)]).collect();
        spec.notebook.as_mut().unwrap().files = files;
        match built(&spec, &fresh(&spec), Intent::Apply) {
            Ok(graph) => {
                let config = &graph.resources[&Id::new("notebook_config", "main")].props;
                Ok(config["on_create"].as_str().unwrap().len().div_ceil(3) * 4)
            }
            Err(said) => Err(problems(&said)),
        }
    };
    let short = sent(1).unwrap();
    let fits = 1 + (16_384 - short) / 4;
    assert_eq!(sent(fits), Ok(16_384));
    let long = sent(fits + 1).unwrap_err();
    assert!(long.contains("would have 16388 characters, and AWS allows 16384"), "{long}");
    assert!(long.starts_with("notebook.files: the script for the first start"), "{long}");
}

/// What no example has: members that are alike, another port, a secret of RDS's beside a notebook, no private subnet.
#[test]
fn what_no_example_has_is_built_as_well() {
    let text = std::fs::read_to_string(repository("tests/data/everything.yaml")).unwrap();
    let graph = |old: &str, new: &str| {
        assert!(text.contains(old), "{old}");
        let spec = spec::parse(text.replace(old, new).as_bytes()).unwrap();
        described(&built(&spec, &fresh(&spec), Intent::Apply).unwrap(), true)
    };
    assert!(
        graph("port: 3306", "port: 3306").contains("after instance.1\n"),
        "the first is to be the writer"
    );
    assert!(!graph("class: db.r6g.large", "class: db.serverless").contains("after instance.1\n"));
    let port = graph("port: 3306", "port: 3307");
    assert_eq!((port.matches("from_port: 3307").count(), port.matches("3306").count()), (3, 0));
    let secret = graph("managed_by: stack, recovery_window_days: 7", "managed_by: rds");
    assert!(secret.contains("SECRET=$(aws rds describe-db-clusters --region us-east-1"), "{secret}");
    assert!(secret.contains("Action [rds:DescribeDBClusters]"), "{secret}");
    let mut spec = Spec::new("open", "us-east-1");
    spec.network = read(&repository("tests/data/everything.yaml")).network;
    let Some(auroraml_core::spec::Network::Owned(network)) = &mut spec.network else { panic!() };
    network.private_subnets.clear();
    network.endpoints.clear();
    let open = built(&spec, &fresh(&spec), Intent::Apply).unwrap();
    assert!(!open.resources.contains_key(&Id::new("route_table", "private")));
}
