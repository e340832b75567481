//! Policies: as small as the table allows, within AWS's limits, and for nothing that the spec does not have.

use crate::{files, golden, graph_of, place_of, repository, spec_named};
use auroraml_core::model::{self, Intent};
use auroraml_core::policy::{self, DOCUMENT_MAX, Known, Names, Purpose, Statement, document, size, split};
use auroraml_core::spec::{self, Aurora, Spec};
use std::collections::BTreeSet;

fn all_specs() -> Vec<(String, Spec)> {
    let names = files("specs", "yaml").into_iter();
    let others = ["everything", "hosting", "referring", "sql", "stacked", "trained", "unloaded"];
    let others = others.map(|name| repository(&format!("tests/data/{name}.yaml")));
    let read = names.chain(others).map(|path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let source = std::fs::read(&path).unwrap();
        let spec = spec::parse(&source).unwrap_or_else(|problems| {
            panic!("{}", problems.render(&name, &String::from_utf8_lossy(&source)))
        });
        (name, spec)
    });
    read.collect()
}

fn needed(spec: &Spec, purpose: Purpose) -> Vec<Statement> {
    policy::needed(spec, &Names::of(spec, &place_of(spec), &Known::default()), &[purpose])
}

/// Actions that AWS judges on no resource: Service Authorization Reference, the page of each service, where their column
/// "Resource types" is empty. `tests/clients/policies.py` holds the policies against the whole of that reference.
const UNSCOPED: &[&str] = &[
    "cloudformation:ListImports",
    "cloudformation:ListStacks",
    "cloudtrail:LookupEvents",
    "ec2:DescribeAddresses",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeNatGateways",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpointServices",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcs",
    "iam:GetAccountSummary",
    "iam:ListRoles",
    "logs:DescribeLogGroups",
    "rds:DescribeAccountAttributes",
    "sagemaker:ListNotebookInstances",
    "rds:DescribeDBEngineVersions",
    "rds:DescribeEngineDefaultClusterParameters",
    "rds:DescribeEngineDefaultParameters",
    "rds:DescribeEvents",
    "rds:DescribeOrderableDBInstanceOptions",
    "sagemaker:ListAutoMLJobs",
    "sagemaker:ListCandidatesForAutoMLJob",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListEndpoints",
    "sagemaker:ListHyperParameterTuningJobs",
    "sagemaker:ListModels",
    "sagemaker:ListTrainingJobs",
    "secretsmanager:GetRandomPassword",
    "tag:GetResources",
];

#[test]
fn only_what_aws_cannot_scope_is_allowed_everywhere() {
    let mut everywhere = BTreeSet::new();
    for (name, spec) in all_specs() {
        for statement in Purpose::ALL.into_iter().flat_map(|purpose| needed(&spec, purpose)) {
            assert!(statement.actions.iter().all(|action| !action.contains('*')), "{name}: {statement:?}");
            assert!(!statement.resources.is_empty(), "{name}: {statement:?}");
            for resource in &statement.resources {
                match resource.text.as_str() {
                    "*" => everywhere.extend(statement.actions.iter().copied()),
                    arn => assert!(arn.split(':').count() >= 6, "{name}: {arn}"),
                }
            }
        }
    }
    assert_eq!(everywhere, UNSCOPED.iter().copied().collect());
}

#[test]
fn every_document_fits_into_a_managed_policy() {
    for (name, spec) in all_specs() {
        for purpose in Purpose::ALL {
            let documents = split(needed(&spec, purpose));
            for statements in &documents {
                let document = document(statements);
                assert!(size(&document) <= DOCUMENT_MAX, "{name} {purpose:?}: {}", size(&document));
                let mut seen = BTreeSet::new();
                for statement in statements {
                    assert!(
                        seen.insert(&statement.sid),
                        "{name}: two statements are called {}",
                        statement.sid
                    );
                    assert!(statement.sid.chars().all(|c| c.is_ascii_alphanumeric()), "{}", statement.sid);
                }
            }
            // Ten policies can be attached to a role.
            assert!(documents.len() <= 5, "{name} {purpose:?}: {} documents", documents.len());
        }
    }
}

/// What is wanted of a spec is what the model makes of it.
#[test]
fn kinds_are_those_of_the_graph() {
    for (name, spec) in all_specs() {
        // Of an existing cluster the model makes something only where there is one.
        if matches!(spec.aurora, Some(Aurora::Existing(_))) {
            continue;
        }
        let graph = graph_of(&spec);
        let made: BTreeSet<&str> = graph.resources.keys().map(|id| id.kind).collect();
        let kinds = auroraml_core::kinds::catalog();
        let wanted: BTreeSet<&str> =
            kinds.iter().map(|(kind, _)| kind).filter(|kind| policy::wants(&spec, kind)).collect();
        let missing: Vec<&&str> = made.difference(&wanted).collect();
        assert!(missing.is_empty(), "{name}: made, and not wanted: {missing:?}");
        let with_sql = ["sql_database", "sql_table", "data_load", "data_unload", "sql_function", "sql_grant"];
        let idle: Vec<&&str> =
            wanted.difference(&made).filter(|kind| !with_sql.contains(kind) && **kind != "role").collect();
        // A template goes through the bucket if it is large, which no spec says.
        let idle: Vec<&&str> = idle
            .into_iter()
            .filter(|kind| **kind != "bucket_object" || spec.templates().is_empty())
            .collect();
        assert!(idle.is_empty(), "{name}: wanted, and not made: {idle:?}");
    }
}

/// Of what a spec does not have, it may delete what an earlier one left; and make nothing.
#[test]
fn nothing_is_made_that_the_spec_does_not_have() {
    let spec = spec_named("minimal.yaml");
    assert!(spec.notebook.is_none());
    let actions: BTreeSet<&str> =
        needed(&spec, Purpose::Apply).iter().flat_map(|statement| statement.actions.clone()).collect();
    assert!(actions.contains("sagemaker:DeleteNotebookInstance"));
    for action in
        ["CreateNotebookInstance", "UpdateNotebookInstance", "CreateTrainingJob", "ListTrainingJobs"]
    {
        assert!(!actions.contains(format!("sagemaker:{action}").as_str()), "{action}");
    }
    let looks: BTreeSet<&str> =
        needed(&spec, Purpose::Plan).iter().flat_map(|statement| statement.actions.clone()).collect();
    let reads = ["Describe", "List", "Lookup", "Get", "Simulate"];
    for action in looks {
        let (_, operation) = action.split_once(':').unwrap();
        assert!(reads.iter().any(|read| operation.starts_with(read)), "{action} is no look");
        assert!(!["GetSecretValue", "GetRandomPassword"].contains(&operation), "{action}");
    }
}

/// What the steps of a plan will ask for is what the policy allows.
#[test]
fn a_plan_asks_for_what_the_policy_has() {
    for name in ["churn.yaml", "production.yaml", "lean.yaml"] {
        let spec = spec_named(name);
        let place = place_of(&spec);
        let graph = model::build(&spec, &place, &crate::facts_for(&spec), Intent::Apply).unwrap();
        let plan = auroraml_core::plan::plan(&graph, &Default::default(), &auroraml_core::kinds::catalog());
        let names = Names::of(&spec, &place, &Known::default());
        let asked = policy::of_plan(&plan, &names);
        let allowed: BTreeSet<&str> =
            needed(&spec, Purpose::Apply).iter().flat_map(|statement| statement.actions.clone()).collect();
        let wanted: BTreeSet<&str> = asked.iter().flat_map(|asked| asked.actions.clone()).collect();
        assert!(wanted.contains("rds:CreateDBCluster") && !wanted.contains("rds:DeleteDBCluster"));
        assert!(wanted.is_subset(&allowed), "{:?}", wanted.difference(&allowed));
        let pass = asked
            .iter()
            .find(|asked| asked.actions.contains("iam:PassRole") && asked.kinds.contains("cluster_role"));
        assert_eq!(pass.unwrap().context["iam:PassedToService"], ["rds.amazonaws.com"]);
    }
}

#[test]
fn policies_of_examples() {
    let print = |statements: Vec<Statement>| {
        let documents: Vec<String> = split(statements)
            .iter()
            .map(|statements| serde_json::to_string_pretty(&document(statements)).unwrap() + "\n")
            .collect();
        documents.concat()
    };
    for (name, purpose, word) in [
        ("churn", Purpose::Plan, "plan"),
        ("churn", Purpose::Apply, "apply"),
        ("production", Purpose::Destroy, "destroy"),
        ("churn", Purpose::Sweep, "sweep"),
        ("production", Purpose::Pause, "pause"),
        ("existing-cluster", Purpose::Apply, "apply"),
        ("lean", Purpose::Query, "query"),
    ] {
        let spec = spec_named(&format!("{name}.yaml"));
        golden(&format!("tests/data/policies/{name}-{word}.json"), &print(needed(&spec, purpose)));
    }
    let text = std::fs::read(crate::repository("tests/data/named.yaml")).unwrap();
    let spec = auroraml_core::spec::parse(&text).unwrap();
    golden("tests/data/policies/named-apply.json", &print(needed(&spec, Purpose::Apply)));
}
