//! A spec as a value: made in code, written and read with serde, and checked without a file.

use crate::files;
use auroraml_core::spec::{
    self, Allow, Aurora, Bucket, Cluster, Endpoint, EndpointManager, ExistingCluster, Instance,
    MachineLearning, Model, Notebook, OwnNetwork, Problem, S3Access, SagemakerAccess, Secret, SecretManager,
    Serverless, ServerlessEndpoint, Spec, Strategy,
};
use std::collections::BTreeSet;

/// A stack with everything, made without YAML.
fn good() -> Spec {
    let churn = Endpoint {
        model: Some(Model {
            artifact: Some("s3://models/churn.tar.gz".into()),
            image: Some("xgboost:1.7-1".into()),
            ..Model::default()
        }),
        instance: Some("ml.m5.large".into()),
        ..Endpoint::default()
    };
    Spec {
        network: Some(
            OwnNetwork {
                public_subnets: vec!["10.0.0.0/24".parse().unwrap()],
                private_subnets: vec!["10.0.1.0/24".parse().unwrap(), "10.0.2.0/24".parse().unwrap()],
                nat: spec::Nat::Single,
                ..OwnNetwork::new("10.0.0.0/16".parse::<ipnet::Ipv4Net>().unwrap())
            }
            .into(),
        ),
        bucket: Some(Bucket::default()),
        aurora: Some(Aurora::Owned(Box::new(Cluster {
            instances: vec![Instance::new("db.r6g.large"), Instance::new("db.serverless")],
            serverless: Some(Serverless::new(0.5, 4)),
            data_api: true,
            ..Cluster::default()
        }))),
        machine_learning: MachineLearning {
            sagemaker: Some(SagemakerAccess::new(["churn".to_owned()])),
            comprehend: true,
            s3: S3Access::Own(true),
            ..MachineLearning::default()
        },
        notebook: Some(Notebook::new("ml.t3.medium")),
        endpoints: [("churn".to_owned(), churn)].into(),
        ..Spec::new("churn", "us-east-1")
    }
}

fn cluster(spec: &mut Spec) -> &mut Cluster {
    match &mut spec.aurora {
        Some(Aurora::Owned(cluster)) => cluster,
        other => panic!("no cluster of its own: {other:?}"),
    }
}

fn endpoint(spec: &mut Spec) -> &mut Endpoint {
    spec.endpoints.get_mut("churn").unwrap()
}

/// Paths and messages.
fn problems(spec: &Spec) -> Vec<(String, String)> {
    let found = spec.check().err().unwrap_or_default().0;
    assert!(found.iter().all(|problem| (problem.line, problem.column, problem.width) == (0, 0, 0)));
    found.into_iter().map(|problem| (problem.path, problem.message)).collect()
}

#[test]
fn a_spec_made_in_code_is_good() {
    assert_eq!(problems(&good()), []);
    assert_eq!(problems(&Spec::new("churn", "us-east-1")), []);
}

#[test]
fn defaults_are_those_of_a_file() {
    let source = "stack: a\nregion: us-east-1\nnetwork: { cidr: 10.0.0.0/16, private_subnets: [10.0.0.0/24, 10.0.1.0/24], nat: none }\n\
                  aurora: { instances: [{ class: db.r6g.large }] }\nbucket: {}\n";
    let read = spec::parse(source.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
    let mut made = Spec::new("a", "us-east-1");
    made.bucket = Some(Bucket::default());
    made.network = Some(
        OwnNetwork {
            private_subnets: vec!["10.0.0.0/24".parse().unwrap(), "10.0.1.0/24".parse().unwrap()],
            ..OwnNetwork::new("10.0.0.0/16".parse::<ipnet::Ipv4Net>().unwrap())
        }
        .into(),
    );
    let instances = vec![Instance::new("db.r6g.large")];
    made.aurora = Some(Aurora::Owned(Box::new(Cluster { instances, ..Cluster::default() })));
    assert_eq!(read, made);
    let cluster = cluster(&mut made);
    assert_eq!(
        (cluster.port, cluster.username.as_str(), cluster.engine_version.as_str()),
        (3306, "admin", "8.0")
    );
    assert_eq!((cluster.instances[0].promotion_tier, cluster.secret.recovery_window_days), (1, 7));
}

#[test]
fn each_mistake_of_a_value_is_found() {
    type Break = fn(&mut Spec);
    let cases: &[(Break, &str, &str)] = &[
        (|s| s.stack = "Churn".into(), "stack", "invalid stack name `Churn`"),
        (|s| s.region = "us-east".into(), "region", "`us-east` is not an AWS region"),
        (
            |s| s.bucket = None,
            "machine_learning.s3",
            "`s3: true` uses the stack's own bucket, but the stack has none",
        ),
        (|s| s.aurora = None, "machine_learning", "`machine_learning` needs a cluster"),
        (
            |s| {
                s.network = None;
                s.notebook = None;
            },
            "aurora",
            "the cluster needs a network, and the spec has none",
        ),
        (
            |s| s.endpoints.clear(),
            "machine_learning.sagemaker.endpoints[0]",
            "`churn` is not declared in `endpoints`",
        ),
        (|s| cluster(s).port = 80, "aurora.port", "invalid port 80"),
        (
            |s| cluster(s).instances[1].promotion_tier = 16,
            "aurora.instances[1].promotion_tier",
            "invalid promotion tier 16",
        ),
        (
            |s| cluster(s).engine_version = "3.06".into(),
            "aurora.data_api",
            "the Data API needs Aurora MySQL 3.07 or newer",
        ),
        (
            |s| cluster(s).serverless = Some(Serverless::new(f64::NAN, 4)),
            "aurora.serverless.min",
            "invalid minimum capacity NaN",
        ),
        (
            |s| cluster(s).restart.window = Some("sometimes".into()),
            "aurora.restart.window",
            "invalid window: the `-` between start and end is missing",
        ),
        (
            |s| {
                cluster(s).restart.strategy = Strategy::WriterOnly;
                cluster(s).restart.allow = Some(Allow::Readers);
            },
            "aurora.restart.allow",
            "`writer_only` restarts the writer, which `allow` forbids",
        ),
        (
            |s| s.aurora = Some(Aurora::Existing(ExistingCluster::new("a--b"))),
            "aurora.existing",
            "invalid cluster identifier `a--b`",
        ),
        // What counts as given is what differs from its default.
        (
            |s| cluster(s).secret.recovery_window_days = 14,
            "aurora.secret.recovery_window_days",
            "`recovery_window_days` cannot be combined with a secret that RDS manages",
        ),
        (
            |s| {
                endpoint(s).instance = None;
                endpoint(s).serverless = Some(ServerlessEndpoint::default());
                endpoint(s).count = 2;
            },
            "endpoints.churn.count",
            "`count` cannot be combined with `serverless`",
        ),
        (
            |s| {
                s.endpoints = [(
                    "churn".to_owned(),
                    Endpoint { managed_by: EndpointManager::Notebook, count: 3, ..Endpoint::default() },
                )]
                .into()
            },
            "endpoints.churn.count",
            "`count` cannot be combined with `managed_by: notebook`",
        ),
        (|s| endpoint(s).model = None, "endpoints.churn", "the endpoint has no model"),
    ];
    for (n, (breaks, path, message)) in cases.iter().enumerate() {
        let mut spec = good();
        breaks(&mut spec);
        assert_eq!(problems(&spec), [((*path).to_owned(), (*message).to_owned())], "case {n}");
    }
}

#[test]
fn a_default_is_not_given() {
    let mut spec = good();
    cluster(&mut spec).secret = Secret { managed_by: SecretManager::Rds, ..Secret::default() };
    spec.endpoints
        .insert("other".into(), Endpoint { managed_by: EndpointManager::Notebook, ..Endpoint::default() });
    let paid = endpoint(&mut spec);
    (paid.instance, paid.serverless) = (None, Some(ServerlessEndpoint::default()));
    assert_eq!(problems(&spec), []);
}

#[test]
fn all_problems_are_told_at_once_each_with_a_hint() {
    let mut spec = good();
    spec.stack = "-".into();
    cluster(&mut spec).backup_retention_days = 0;
    let found = spec.check().expect_err("refused");
    let text = found.to_string();
    assert_eq!(
        text,
        "stack: invalid stack name `-`\naurora.backup_retention_days: invalid backup retention of 0 days\n"
    );
    assert!(found.0.iter().all(|problem| problem.hint.is_some()), "{found:?}");
    assert!(
        found.render("spec", "").starts_with("spec:stack: invalid stack name"),
        "{}",
        found.render("spec", "")
    );
}

#[test]
fn every_spec_of_ours_is_good_as_a_value_and_survives_json() {
    let paths = files("specs", "yaml");
    assert!(paths.len() >= 6, "{paths:?}");
    for path in paths {
        let name = path.display();
        let read =
            spec::parse(&std::fs::read(&path).unwrap()).unwrap_or_else(|found| panic!("{name}: {found}"));
        assert_eq!(problems(&read), [], "{name}");
        let again: Spec = serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
        assert_eq!(again, read, "{name}");
        assert_eq!(problems(&again), [], "{name}");
    }
}

#[test]
fn a_spec_made_in_code_survives_json() {
    let spec = good();
    let again: Spec = serde_json::from_value(serde_json::to_value(&spec).unwrap()).unwrap();
    assert_eq!(again, spec);
}

/// Serde refuses what the reader refuses: unknown keys, missing ones, and other types.
#[test]
fn serde_is_strict_too() {
    let read = |text: &str| serde_json::from_str::<Spec>(text).expect_err("refused").to_string();
    assert_eq!(read(r#"{ "stack": "a" }"#), "missing field `region`");
    assert_eq!(read(r#"{ "stack": "a", "region": "b", "regoin": "c" }"#), "unknown field `regoin`");
    let inner = read(r#"{ "stack": "a", "region": "b", "bucket": { "versioning": 1 } }"#);
    assert!(inner.starts_with("`bucket`: `versioning`: invalid type: integer `1`"), "{inner}");
    let cluster = read(r#"{ "stack": "a", "region": "b", "aurora": { "existing": "c", "port": 1 } }"#);
    assert!(cluster.contains("Aurora"), "{cluster}");
}

/// What only a file can have: a key that is there twice, and a default that is written down.
const ONLY_IN_A_FILE: [&str; 3] = ["duplicate_key", "duplicate_number_key", "secret_of_rds"];

/// Of each wrong file that serde can read, the value has the problems that the file has.
#[test]
fn a_value_has_the_problems_of_its_file() {
    let told = |found: Vec<Problem>| -> BTreeSet<(String, String, Option<String>)> {
        found.into_iter().map(|problem| (problem.path, problem.message, problem.hint)).collect()
    };
    let (mut compared, mut fewer) = (0, Vec::new());
    for path in files("tests/data/invalid", "yaml") {
        let source = std::fs::read_to_string(&path).unwrap();
        let Ok(value) = serde_yaml::from_str::<serde_json::Value>(&source) else { continue };
        let Ok(spec) = serde_json::from_value::<Spec>(value) else { continue };
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let file = told(spec::parse(source.as_bytes()).expect_err("refused").0);
        let value = told(spec.check().err().unwrap_or_default().0);
        assert!(value.is_subset(&file), "{name}: {value:?}");
        if value != file {
            fewer.push(name);
        }
        compared += 1;
    }
    assert_eq!(fewer, ONLY_IN_A_FILE);
    assert!(compared > 20, "{compared} compared");
}
