//! `${name}` and `${env:NAME}`: what they become, and what is wrong with them, where it stands.

use auroraml_core::spec::{self, Aurora, Given, Problem, Spec};

const SHOP: &str = r#"
variables:
  stage: dev
  class: db.r6g.large
  days: 7
  protect: false
  version: "3.10"
stack: shop-${stage}
region: us-east-1
tags: { stage: "${stage}", who: "${env:TEAM}" }
network: { cidr: 10.0.0.0/16, private_subnets: [10.0.1.0/24, 10.0.2.0/24], endpoints: [comprehend] }
aurora:
  engine_version: ${version}
  instances: [{ class: "${class}" }]
  backup_retention_days: ${days}
  deletion_protection: ${protect}
machine_learning: { comprehend: true }
endpoints:
  churn:
    model: { image: "xgboost:1.7-1", artifact: "s3://models/churn/model.tar.gz", environment: { NOTE: "costs $${stage} and $$${stage}" } }
    serverless: {}
"#;

fn environment(name: &str) -> Option<String> {
    match name {
        "TEAM" => Some("data".into()),
        "DAYS" => Some("9".into()),
        "DB_PASSWORD" | "GITHUB_TOKEN" | "AWS_SECRET_ACCESS_KEY" => Some("C4nary".into()),
        _ => None,
    }
}

fn read(text: &str, set: &[(&str, &str)]) -> Result<Spec, Vec<Problem>> {
    let set = set.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let given = Given { set, environment: Some(&environment) };
    spec::parse_given(text.as_bytes(), &given).map_err(|problems| problems.0)
}

fn note(spec: &Spec) -> &str {
    &spec.endpoints["churn"].model.as_ref().unwrap().environment["NOTE"]
}

#[test]
fn one_file_is_several_stages() {
    let of = |set: &[(&str, &str)]| {
        let spec = read(SHOP, set).unwrap();
        let Some(Aurora::Owned(cluster)) = spec.aurora.clone() else { panic!() };
        (spec, cluster)
    };
    let (spec, cluster) = of(&[]);
    assert_eq!(spec.stack, "shop-dev");
    assert_eq!(note(&spec), "costs ${stage} and $${stage}");
    assert_eq!(spec.tags["who"], "data");
    assert_eq!((cluster.instances[0].class.as_str(), cluster.backup_retention_days), ("db.r6g.large", 7));
    assert_eq!((cluster.deletion_protection, cluster.engine_version.as_str()), (Some(false), "3.10"));
    let given = [
        ("stage", "prod"),
        ("class", "db.r6g.xlarge"),
        ("days", "30"),
        ("protect", "true"),
        ("version", "3.11"),
    ];
    let (spec, cluster) = of(&given);
    assert_eq!((spec.stack.as_str(), spec.tags["stage"].as_str()), ("shop-prod", "prod"));
    assert_eq!((cluster.instances[0].class.as_str(), cluster.backup_retention_days), ("db.r6g.xlarge", 30));
    assert_eq!((cluster.deletion_protection, cluster.engine_version.as_str()), (Some(true), "3.11"));
    // What is in force is known, for the digest of a saved plan.
    assert_eq!(spec.variables["stage"].0.as_deref(), Some("prod"));
    assert_eq!(spec.variables["env:TEAM"].0.as_deref(), Some("data"));
}

/// A spec that says what a file with variables comes to is the same spec.
#[test]
fn a_variable_is_what_stands_in_its_place() {
    let plain = SHOP[SHOP.find("stack:").unwrap()..]
        .replace("$${stage} and $$${stage}", "KEPT")
        .replace("${stage}", "dev")
        .replace("${version}", "\"3.10\"")
        .replace("${class}", "db.r6g.large")
        .replace("${days}", "7")
        .replace("${protect}", "false")
        .replace("${env:TEAM}", "data")
        .replace("KEPT", "$${stage} and $$${stage}");
    let mut with = read(SHOP, &[]).unwrap();
    with.variables.clear();
    assert_eq!(with, read(&plain, &[]).unwrap());
}

#[test]
fn what_is_wrong_is_told_where_it_stands() {
    let wrong = |from: &str, to: &str, set: &[(&str, &str)], mark: &str, message: &str| {
        let text = SHOP.replacen(from, to, 1);
        assert_ne!(text, SHOP, "{from}");
        let problems = read(&text, set).expect_err(to);
        let found = problems.iter().find(|problem| problem.message.contains(message));
        let found = found.unwrap_or_else(|| panic!("{to}: {problems:#?}"));
        let at = text.find(mark).unwrap_or_else(|| panic!("{mark}"));
        let line = text[..at].matches('\n').count() + 1;
        let column = at - text[..at].rfind('\n').unwrap();
        assert_eq!((found.line, found.column), (line, column), "{to}: {found:?}");
        assert!(problems.iter().all(|problem| !format!("{problem:?}").contains("C4nary")), "{problems:?}");
        found.hint.clone().unwrap()
    };
    let hint = wrong("${class}", "${clas}", &[], "\"${clas}\"", "there is no variable `clas`");
    assert!(hint.starts_with("did you mean `class`?"), "{hint}");
    wrong("stage: dev", "stage:", &[], "stage:", "the variable `stage` has no value");
    wrong("days: 7", "days: x", &[], "${days}", "must be a whole number");
    wrong("days: 7", "days: [7]", &[], "days: [7]", "must be one value");
    wrong("days: 7", "days: ${class}", &[], "${class}", "a default cannot use another variable");
    wrong("days: 7", "9days: 7", &[], "9days", "invalid variable name `9days`");
    let hint =
        wrong("days: 7", "days: 8", &[("stgae", "prod")], "variables", "the spec has no variable `stgae`");
    assert_eq!(hint, "did you mean `stage`?");
    wrong(
        "${env:TEAM}",
        "${env:NOBODY}",
        &[],
        "\"${env:NOBODY",
        "the environment variable NOBODY is not set",
    );
    wrong("${env:TEAM}", "${ TEAM }", &[], "\"${ TEAM", "is not a variable");
    wrong("${env:TEAM}", "a ${", &[], "\"a ${", "is not a variable");
    wrong("who: ", "\"${stage}\": ", &[], "\"${stage}\": ", "variables cannot be used in keys");
    for name in ["DB_PASSWORD", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY"] {
        wrong("${env:TEAM}", &format!("${{env:{name}}}"), &[], "\"${env:", "it may be a secret");
    }
}

/// The environment is never put where a password or a container's variable stands, however it is called.
#[test]
fn secrets_are_no_variables() {
    let text = "stack: shop\nregion: us-east-1\nendpoints:\n  churn:\n    model:\n      image: xgboost:1.7-1\n      artifact: s3://models/churn/model.tar.gz\n      environment: { LEVEL: \"${env:TEAM}\" }\n    serverless: {}\n";
    let problems = read(text, &[]).expect_err("refused");
    assert!(problems.iter().any(|problem| problem.message.contains("may be a secret") && problem.line == 8));
    // A tag may be called so.
    let text = "stack: shop\nregion: us-east-1\nbucket: {}\ntags: { environment: \"${env:TEAM}\" }\n";
    assert_eq!(read(text, &[]).unwrap().tags["environment"], "data");
}

/// The environment is read for what a file names, and only then.
#[test]
fn nothing_is_read_that_is_not_named() {
    let asked = std::cell::RefCell::new(Vec::new());
    let environment = |name: &str| {
        asked.borrow_mut().push(name.to_string());
        Some("9".to_string())
    };
    let given = Given { environment: Some(&environment), ..Given::default() };
    let text = "variables: { days: \"${env:DAYS}\" }\nstack: shop\nregion: us-east-1\nbucket: {}\ntags: { days: \"${days}\" }\n";
    let spec = spec::parse_given(text.as_bytes(), &given).unwrap();
    assert_eq!(spec.tags["days"], "9");
    assert_eq!(*asked.borrow(), ["DAYS"]);
}

/// However often a long value is used, a spec does not outgrow its limits.
#[test]
fn values_cannot_fill_the_memory() {
    let uses = "${x}".repeat(3000);
    let tags: String = (0..40).map(|n| format!("  t{n}: {uses}\n")).collect();
    let text = format!("variables: {{ x: a }}\nstack: shop\nregion: us-east-1\nbucket: {{}}\ntags:\n{tags}");
    let long = "y".repeat(4000);
    let problems = read(&text, &[("x", &long)]).expect_err("refused");
    assert!(problems.iter().any(|problem| problem.message.contains("too long with all variables")));
    let problems = read(&text, &[("x", &"y".repeat(5000))]).expect_err("refused");
    assert!(problems.iter().any(|problem| problem.message.contains("more than 4096 characters")));
}
