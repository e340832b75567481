//! Roles of others and of ours on a cluster that is there already.

use super::*;

#[tokio::test(start_paused = true)]
async fn abilities_come_and_go_in_place() {
    let mut theirs = Theirs::new(5, Mood::Real, Group::Exclusive, 2).await;
    let before = theirs.parameters(GROUP).await;
    theirs.apply().await;
    theirs.spec = wanting("sagemaker: { endpoints: [churn-autopilot] }, comprehend: true");
    theirs.apply().await;
    assert_eq!(theirs.value(GROUP, "aws_default_comprehend_role").await, Some(role_arn("comprehend")));
    theirs.spec = wanting("comprehend: true");
    theirs.apply().await;
    assert_eq!(theirs.value(GROUP, "aws_default_sagemaker_role").await, None);
    theirs.spec = wanting("comprehend: false");
    theirs.apply().await;
    assert_eq!(theirs.parameters(GROUP).await, before);
    assert_eq!(theirs.cluster(CLUSTER).await.associated_roles().len(), 0);
}

/// With nothing wanted any more the cluster has its own group back, also without a destroy.
#[tokio::test(start_paused = true)]
async fn abilities_come_and_go_in_a_copy() {
    let mut theirs = Theirs::new(6, Mood::Real, Group::Shared, 2).await;
    let before = theirs.described(CLUSTER).await;
    theirs.spec = wanting("sagemaker: { endpoints: [churn-autopilot] }, comprehend: true");
    theirs.apply().await;
    theirs.spec = wanting("comprehend: true");
    theirs.apply().await;
    assert_eq!(theirs.value(OURS, "aws_default_sagemaker_role").await, None);
    assert_eq!(theirs.value(OURS, "aws_default_lambda_role").await.as_deref(), Some(LAMBDA));
    theirs.spec = wanting("comprehend: false");
    theirs.apply().await;
    assert_eq!(theirs.described(CLUSTER).await, before);
}

/// A role that others set stays theirs; in the copy that the cluster gets, ours takes its place.
#[tokio::test(start_paused = true)]
async fn a_role_of_others_is_left_as_it_is() {
    let theirs = Theirs::new(7, Mood::Real, Group::Exclusive, 2).await;
    theirs.set(GROUP, "aws_default_sagemaker_role", OTHER).await;
    theirs.set(GROUP, "aws_default_s3_role", OTHER).await;
    theirs.lenient(true);
    theirs.associate(OTHER).await;
    theirs.associate(LAMBDA).await;
    let before = (theirs.described(CLUSTER).await, theirs.parameters(GROUP).await);
    let plan = theirs.plan().await;
    says(
        &plan,
        &["production, which is not modified", "its aws_default_sagemaker_role is", OTHER, "set by others"],
    );
    theirs.apply().await;
    assert_eq!(theirs.value(OURS, "aws_default_sagemaker_role").await, Some(role_arn("sagemaker")));
    assert_eq!(theirs.value(OURS, "aws_default_s3_role").await.as_deref(), Some(OTHER));
    assert_eq!(theirs.value(OURS, "aws_default_lambda_role").await.as_deref(), Some(LAMBDA));
    assert_eq!(theirs.cluster(CLUSTER).await.associated_roles().len(), 3);
    theirs.destroy().await;
    let after = theirs.described(CLUSTER).await;
    assert_eq!(after.associated_roles(), before.0.associated_roles());
    assert_eq!(after.db_cluster_parameter_group(), before.0.db_cluster_parameter_group());
    assert_eq!(theirs.parameters(GROUP).await, before.1);
}

/// The published mistakes, as far as a plan can name them.
#[tokio::test(start_paused = true)]
async fn half_a_wiring_of_others_is_named() {
    let theirs = Theirs::new(9, Mood::Calm, Group::Exclusive, 1).await;
    // A role set as a parameter and never associated.
    theirs.set(GROUP, "aws_default_comprehend_role", OTHER).await;
    // A script whose three `--parameters` options send the last only: roles associated, and no parameter.
    theirs.lenient(true);
    theirs.associate("arn:aws:iam::111122223333:role/forgotten").await;
    let plan = theirs.plan().await;
    says(
        &plan,
        &["aws_default_comprehend_role in production is", OTHER, "did not associate with database-aurora-ml"],
    );
    says(&plan, &["others associated", "role/forgotten", "no role parameter of production is set to it"]);
    says(&plan, &["aws_default_lambda_role in production is", LAMBDA, "did not associate"]);
}

/// Our role was deleted by hand: the association is INVALID, and the plan says so and makes both anew.
#[tokio::test(start_paused = true)]
async fn an_invalid_association_is_named_and_made_anew() {
    let theirs = Theirs::new(10, Mood::Real, Group::Exclusive, 1).await;
    theirs.apply().await;
    let sandbox = &theirs.account.sandbox;
    let config = auroraml::aws::simulated_config("us-west-2", sandbox.http_client(), &sandbox.clock());
    let iam = aws_sdk_iam::Client::new(&config);
    let role = "aurora-ml-us-west-2-sagemaker";
    for policy in iam.list_role_policies().role_name(role).send().await.unwrap().policy_names() {
        iam.delete_role_policy().role_name(role).policy_name(policy).send().await.unwrap();
    }
    iam.delete_role().role_name(role).send().await.unwrap();
    theirs.wait(120).await;
    let plan = theirs.plan().await;
    let step = plan.steps.iter().find(|step| step.id.kind == "cluster_role").unwrap();
    assert_eq!(step.action, Action::Recreate);
    assert!(step.reason.as_ref().unwrap().contains("INVALID"), "{step:?}");
    theirs.apply().await;
    assert_eq!(theirs.cluster(CLUSTER).await.associated_roles()[0].status(), Some("ACTIVE"));
}

#[tokio::test(start_paused = true)]
async fn roles_are_counted_before_anything_is_called() {
    let mut theirs = Theirs::new(11, Mood::Calm, Group::Exclusive, 1).await;
    theirs.lenient(true);
    for n in 1..=3 {
        theirs.associate(&format!("arn:aws:iam::111122223333:role/other-{n}")).await;
    }
    theirs.lenient(false);
    theirs.spec = wanting(
        "sagemaker: { endpoints: [churn-autopilot] }, comprehend: true, s3: { buckets: [orders-exports] }",
    );
    let problem = theirs.problem(Intent::Apply).await;
    assert!(
        problem.contains("it has 3 IAM roles (3 from others), needs 3 more, and AWS allows 5"),
        "{problem}"
    );
    // Whoever had the quota raised is not held up.
    let quota = |value: Option<f64>| {
        theirs.account.sandbox.with(|world| {
            let overrides = &mut world.regions.get_mut("us-west-2").unwrap().servicequotas.overrides;
            overrides.clear();
            overrides.extend(value.map(|value| ("rds/L-E094F43D".to_string(), value)));
        });
    };
    quota(Some(6.0));
    assert!(theirs.plan().await.blocked.is_empty());
    quota(None);
    theirs.spec = wanting("sagemaker: { endpoints: [churn-autopilot] }, comprehend: true");
    theirs.apply().await;
    // Those of ours that are associated do not count as new.
    assert!(theirs.plan().await.is_empty());
    theirs.spec = wanting("sagemaker: { endpoints: [churn-autopilot] }, s3: { buckets: [orders-exports] }");
    let problem = theirs.problem(Intent::Apply).await;
    assert!(problem.contains("first apply without the new entries"), "{problem}");
}

/// Five of others and one of ours are more than AWS allows of itself: the quota is asked for, and is enough.
#[tokio::test(start_paused = true)]
async fn one_role_beside_all_that_others_may_have() {
    let mut theirs = Theirs::new(11, Mood::Calm, Group::Exclusive, 1).await;
    theirs.lenient(true);
    for n in 1..=5 {
        theirs.associate(&format!("arn:aws:iam::111122223333:role/other-{n}")).await;
    }
    theirs.account.sandbox.with(|world| {
        let overrides = &mut world.regions.get_mut("us-west-2").unwrap().servicequotas.overrides;
        overrides.insert("rds/L-E094F43D".to_string(), 6.0);
    });
    theirs.spec = wanting("sagemaker: { endpoints: [churn-autopilot] }");
    assert!(theirs.plan().await.blocked.is_empty());
}

/// Another stack on the same cluster: whoever loses the role is named before anything is done.
#[tokio::test(start_paused = true)]
async fn the_stack_that_loses_the_role_is_named() {
    for group in [Group::Default, Group::Exclusive] {
        let first = Theirs::new(20, Mood::Calm, group, 2).await;
        first.apply().await;
        let text = spec_file("existing-cluster.yaml").replace("stack: aurora-ml", "stack: other-ml");
        let second = Theirs::over(first.account.clone(), spec(&text));
        let lost = "the stack aurora-ml loses aws_default_sagemaker_role on database-aurora-ml";
        says(&second.plan().await, &[lost, "SQL then calls SageMaker with this stack's"]);
        // The other ability is nobody's yet.
        let plan = second.plan().await;
        assert!(
            !plan.notes.iter().any(|note| note.contains("loses aws_default_s3_role")),
            "{:?}",
            plan.notes
        );
        assert!(!first.plan().await.notes.iter().any(|note| note.contains("loses")));
    }
}
