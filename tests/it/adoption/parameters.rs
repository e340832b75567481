//! Parameters that somebody else's group has, or gets.

use super::*;

/// A dynamic parameter set at once in the attached group needs no restart of anybody.
#[tokio::test(start_paused = true)]
async fn nothing_restarts_for_a_dynamic_parameter_in_place() {
    let theirs = Theirs::new(2, Mood::Real, Group::Exclusive, 2).await;
    theirs.apply().await;
    theirs.destroy().await;
    assert_eq!(theirs.restarts(), 0);
}

/// A static one is set to wait for a restart, and every member gets it.
#[tokio::test(start_paused = true)]
async fn every_member_restarts_for_a_static_parameter_in_place() {
    let theirs = Theirs::new(2, Mood::Real, Group::Exclusive, 2).await;
    theirs.apply_types("static");
    let plan = theirs.account.prepare(&theirs.spec, Intent::Apply).await.unwrap();
    let props = &plan.graph.resources[&Id::new("group_parameters", "main")].props;
    assert_eq!(props["apply_types"]["aws_default_sagemaker_role"], "static");
    theirs.apply().await;
    let observed = theirs.account.prepare(&theirs.spec, Intent::Apply).await.unwrap().observed;
    let live = &observed[&Id::new("group_parameters", "main")].props;
    assert_eq!(live["apply_types"]["aws_default_sagemaker_role"], "static");
    assert_eq!(live["parameters"]["aws_default_sagemaker_role"], role_arn("sagemaker").as_str());
    assert!(theirs.restarts() >= 1, "{} restarts", theirs.restarts());
    assert_eq!(theirs.statuses(CLUSTER).await, ["in-sync", "in-sync"]);
}

#[tokio::test(start_paused = true)]
async fn in_place_stays_in_place() {
    let theirs = Theirs::new(3, Mood::Calm, Group::Exclusive, 1).await;
    theirs.apply().await;
    theirs.lenient(true);
    theirs.make_cluster("orders-db", Group::Shared, 1).await;
    theirs.lenient(false);
    let plan = theirs.plan().await;
    assert!(plan.is_empty(), "{:#?}", plan.work().collect::<Vec<_>>());
    says(&plan, &["production", "now also used by orders-db"]);
    let destroy = theirs.account.prepare(&theirs.spec, DESTROY).await.unwrap().plan;
    says(&destroy, &["production", "orders-db"]);
    theirs.destroy().await;
    assert_eq!(theirs.value(GROUP, "aws_default_sagemaker_role").await, None);
}

#[tokio::test(start_paused = true)]
async fn a_copy_stays_attached() {
    let theirs = Theirs::new(4, Mood::Calm, Group::Shared, 1).await;
    theirs.apply().await;
    for name in ["billing-db", "orders-db"] {
        theirs.attach(name, "default.aurora-mysql8.0").await;
    }
    let plan = theirs.plan().await;
    assert!(plan.is_empty(), "{:#?}", plan.work().collect::<Vec<_>>());
    // What AWS says of each parameter that is set or wanted is among the live properties.
    let prepared = theirs.account.prepare(&theirs.spec, Intent::Apply).await.unwrap();
    let types = &prepared.observed[&Id::new("parameter_group", "main")].props["apply_types"];
    assert_eq!(types["aws_default_sagemaker_role"], "dynamic");
    assert_eq!(types["binlog_format"], "static");
    // Somebody attached a third group: whose values the copy is to have is for a person to say.
    theirs.attach(CLUSTER, "default.aurora-mysql8.0").await;
    let problem = theirs.problem(Intent::Apply).await;
    let expected = format!("it was copied from {GROUP}, but the cluster {CLUSTER} now uses default.");
    assert!(problem.contains(&expected), "{problem}");
}

/// Somebody takes over a parameter while another of ours is set in the same group.
#[tokio::test(start_paused = true)]
async fn a_parameter_taken_over_is_a_problem_and_not_overwritten() {
    let mut theirs = Theirs::new(8, Mood::Calm, Group::Exclusive, 1).await;
    theirs.spec = wanting("sagemaker: { endpoints: [churn-autopilot] }, comprehend: true");
    theirs.apply().await;
    theirs.set(GROUP, "aws_default_comprehend_role", OTHER).await;
    let problem = theirs.problem(Intent::Apply).await;
    assert!(problem.contains("parameter group production"), "{problem}");
    assert!(problem.contains(&format!("aws_default_comprehend_role is {OTHER}, set by others")), "{problem}");
    theirs.destroy().await;
    assert_eq!(theirs.value(GROUP, "aws_default_comprehend_role").await.as_deref(), Some(OTHER));
    assert_eq!(theirs.value(GROUP, "aws_default_sagemaker_role").await, None);
    theirs.apply().await;
    assert_eq!(theirs.cluster(CLUSTER).await.db_cluster_parameter_group(), Some(OURS));
}

/// Somebody is quicker than the apply: what they set between plan and write is not overwritten.
#[tokio::test(start_paused = true)]
async fn a_parameter_set_after_the_plan_is_not_overwritten() {
    let theirs = Theirs::new(20, Mood::Calm, Group::Exclusive, 1).await;
    let stack = theirs.account.connect(&theirs.spec).await;
    let prepared = prepare(&stack, Intent::Apply).await.unwrap();
    theirs.set(GROUP, "aws_default_sagemaker_role", OTHER).await;
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let listener = Arc::new(Recorder::default());
    let outcome = reconcile(&stack, Intent::Apply, prepared, stop, listener).await.unwrap();
    let (id, failure) = &outcome.reports[0].failed[0];
    assert_eq!(id.to_string(), "group_parameters.main");
    assert!(failure.to_string().contains("of the parameter group production is now"), "{failure}");
    assert_eq!(theirs.value(GROUP, "aws_default_sagemaker_role").await.as_deref(), Some(OTHER));
    theirs.apply().await;
    assert_eq!(theirs.cluster(CLUSTER).await.db_cluster_parameter_group(), Some(OURS));
}
