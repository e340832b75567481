//! What the roles of a stack allow: enough, and no more than the spec needs.

use crate::{graph_of, spec_named};
use auroraml_core::base::names::Place;
use auroraml_core::base::{Id, Observed};
use auroraml_core::kinds;
use auroraml_core::model;
use auroraml_core::plan::plan;
use auroraml_core::spec::{Endpoint, EndpointManager, Spec};
use serde_json::{Value, json};

/// Statements of a role's policy.
fn statements(spec: &Spec, role: &str) -> Vec<Value> {
    let graph = graph_of(spec);
    graph.resources[&Id::new("role", role)].props["policy"]["Statement"].as_array().unwrap().clone()
}

/// The resources on which a role allows an action, sorted.
fn on(statements: &[Value], action: &str) -> Vec<String> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(String::from)).collect()
    };
    let matching = statements.iter().filter(|one| texts(&one["Action"]).contains(&action.to_string()));
    let mut found: Vec<String> = matching.flat_map(|one| texts(&one["Resource"])).collect();
    found.sort();
    found
}

const NOTEBOOK: &str = "arn:aws:sagemaker:us-east-1:111122223333";

/// What the SageMaker SDK asks for in `get_execution_role()` and `fit()`.
#[test]
fn the_notebook_can_train() {
    let role = statements(&spec_named("churn.yaml"), "notebook");
    assert_eq!(
        on(&role, "sagemaker:DescribeNotebookInstance"),
        [format!("{NOTEBOOK}:notebook-instance/churn-notebook")]
    );
    let logs = "arn:aws:logs:us-east-1:111122223333:log-group:/aws/sagemaker/TrainingJobs";
    assert_eq!(on(&role, "logs:GetLogEvents"), [logs.to_string(), format!("{logs}:*")]);
    assert!(on(&role, "sagemaker:CreateTrainingJob").contains(&format!("{NOTEBOOK}:training-job/*")));
}

/// Only an endpoint that the spec leaves to the notebook can be made, changed and deleted by it.
#[test]
fn the_notebook_manages_what_is_left_to_it() {
    let mut spec = spec_named("churn.yaml");
    spec.endpoints
        .insert("theirs".into(), Endpoint { managed_by: EndpointManager::Notebook, ..Endpoint::default() });
    let role = statements(&spec, "notebook");
    let (stack, notebook) = (format!("{NOTEBOOK}:endpoint/churn"), format!("{NOTEBOOK}:endpoint/theirs"));
    assert_eq!(on(&role, "sagemaker:InvokeEndpoint"), [stack.clone(), notebook.clone()]);
    assert_eq!(on(&role, "sagemaker:DeleteEndpoint"), std::slice::from_ref(&notebook));
    for action in ["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"] {
        assert_eq!(on(&role, action), [format!("{NOTEBOOK}:endpoint-config/*"), notebook.clone()]);
    }
    let role = statements(&spec_named("churn.yaml"), "notebook");
    for action in ["CreateEndpoint", "UpdateEndpoint", "DeleteEndpoint"] {
        assert_eq!(on(&role, &format!("sagemaker:{action}")), Vec::<String>::new(), "{action}");
    }
}

/// What belongs to another stack is neither deleted, stopped nor tagged.
#[test]
fn the_notebook_leaves_neighbours_alone() {
    let role = statements(&spec_named("churn.yaml"), "notebook");
    for action in ["DeleteModel", "DeleteEndpointConfig", "StopTrainingJob", "AddTags"] {
        let resources = on(&role, &format!("sagemaker:{action}"));
        assert!(!resources.is_empty(), "{action}");
        for resource in resources {
            assert!(resource.contains("/churn-notebook-"), "{action} on {resource}");
        }
    }
    let part_2 = std::fs::read_to_string(crate::repository("specs/notebooks/part_2.ipynb")).unwrap();
    assert!(part_2.contains("{values.STACK}-notebook"), "its jobs have other names");
}

/// `churn.yaml` with a model that is there already.
fn hosting() -> Spec {
    let mut spec = spec_named("churn.yaml");
    let model = json!({"image": "xgboost:1.7-1", "artifact": "s3://sagemaker-sample-files/models/churn/model.tar.gz"});
    spec.endpoints.get_mut("churn").unwrap().model = Some(serde_json::from_value(model).unwrap());
    spec
}

/// The images, artifacts and logs of the spec's endpoints, and no others.
#[test]
fn the_model_reads_what_the_spec_names() {
    let role = statements(&hosting(), "model");
    assert_eq!(
        on(&role, "ecr:BatchGetImage"),
        ["arn:aws:ecr:us-east-1:683313688378:repository/sagemaker-xgboost"]
    );
    assert_eq!(on(&role, "s3:GetObject"), ["arn:aws:s3:::sagemaker-sample-files/models/churn/model.tar.gz"]);
    let logs = "arn:aws:logs:us-east-1:111122223333:log-group:/aws/sagemaker/Endpoints/churn";
    assert_eq!(on(&role, "logs:PutLogEvents"), [logs.to_string(), format!("{logs}:*")]);
}

/// Actions of Aurora's roles: those that AWS's guide asks for (fact book, section 2.5), which are also those that
/// `verify` asks for.
#[test]
fn aurora_may_do_what_the_guide_asks_for() {
    let mut spec = spec_named("churn.yaml");
    spec.machine_learning.bedrock =
        Some(serde_json::from_value(json!({"models": ["amazon.titan-text-lite-v1"]})).unwrap());
    let place = Place::new("churn", "us-east-1", "111122223333");
    let guide = [
        ("bedrock", &["bedrock:InvokeModel"][..]),
        ("comprehend", &["comprehend:DetectSentiment", "comprehend:BatchDetectSentiment"]),
        (
            "s3",
            &[
                "s3:ListBucket",
                "s3:GetObject",
                "s3:GetObjectVersion",
                "s3:PutObject",
                "s3:DeleteObject",
                "s3:AbortMultipartUpload",
                "s3:ListMultipartUploadParts",
            ],
        ),
        ("sagemaker", &["sagemaker:InvokeEndpoint"]),
    ];
    let abilities = model::abilities(&spec, &place);
    for (ability, (name, wanted)) in abilities.iter().zip(guide) {
        let actions: Vec<&str> = ability
            .statements
            .iter()
            .flat_map(|one| one["Action"].as_array().unwrap())
            .map(|action| action.as_str().unwrap())
            .collect();
        assert_eq!((ability.name, actions.as_slice()), (name, wanted));
    }
    assert_eq!(abilities.len(), guide.len());
}

/// Whatever may hold a secret is in a plan as a hash, which tells one value from another.
#[test]
fn a_plan_shows_hashes_of_secrets() {
    let planned = |token: &str| {
        let mut spec = spec_named("churn.yaml");
        let model = spec.endpoints.get_mut("churn").unwrap().model.as_mut().unwrap();
        model.environment = [("TOKEN".to_string(), token.to_string())].into();
        let plan = plan(&graph_of(&spec), &Observed::new(), &kinds::catalog());
        let step = plan.steps.into_iter().find(|step| step.id.kind == "model").unwrap();
        let change = step.changes.into_iter().find(|change| change.path == "environment.TOKEN").unwrap();
        serde_json::to_value(&change.to).unwrap()["value"].as_str().unwrap().to_string()
    };
    let (one, other) = (planned("hunter2"), planned("hunter3"));
    assert!(one.starts_with("(sensitive, hash ") && !one.contains("hunter2"), "{one}");
    assert_ne!(one, other);
    assert_eq!(one, planned("hunter2"));
}

/// Published images for the first start of the article's stack: a model without an artifact.
#[test]
fn a_model_without_an_artifact_is_planned_with_a_note() {
    let mut spec = hosting();
    spec.endpoints.get_mut("churn").unwrap().model.as_mut().unwrap().artifact = None;
    let graph = graph_of(&spec);
    assert!(
        graph.notes.iter().any(|note| note.contains("endpoint churn has no artifact")),
        "{:?}",
        graph.notes
    );
    let published = graph_of(&spec_named("churn-as-published.yaml"));
    let notebook = &published.resources[&Id::new("notebook", "main")];
    assert_eq!(notebook.props["instance"], "ml.m4.xlarge");
    assert_eq!(notebook.props["metadata_version"], "2");
}
