//! A wiring that is killed anywhere comes to the same end.

use super::*;

/// Killed at any request, in place: the next run comes to the same end.
async fn survives_in_place(members: usize, apply_type: &str) {
    let theirs = Theirs::new(14, Mood::Real, Group::Exclusive, members).await;
    theirs.apply_types(apply_type);
    let (before, values) = (theirs.described(CLUSTER).await, theirs.parameters(GROUP).await);
    let spec = wanting("sagemaker: { endpoints: [churn-autopilot] }, comprehend: true");
    let (created, world) = sweep("in place", theirs.account.sandbox.world(), &spec, Intent::Apply).await;
    let (destroyed, world) = sweep("in place, destroy", world, &spec, DESTROY).await;
    assert!(created >= 8 && destroyed >= 8, "{created} and {destroyed} kill points");
    let end = Theirs::over(Account::over(world), spec);
    assert_eq!((end.described(CLUSTER).await, end.parameters(GROUP).await), (before, values));
}

#[tokio::test(start_paused = true)]
async fn a_dynamic_parameter_in_place_survives_being_killed() {
    Box::pin(survives_in_place(1, "dynamic")).await;
}

#[tokio::test(start_paused = true)]
async fn a_static_parameter_in_place_survives_being_killed() {
    Box::pin(survives_in_place(2, "static")).await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_survives_being_killed() {
    let theirs = Theirs::new(15, Mood::Real, Group::Shared, 1).await;
    let (before, values) = (theirs.described(CLUSTER).await, theirs.parameters(GROUP).await);
    let spec = theirs.spec.clone();
    let (created, world) = sweep("copy", theirs.account.sandbox.world(), &spec, Intent::Apply).await;
    let (destroyed, world) = sweep("copy, destroy", world, &spec, DESTROY).await;
    assert!(created >= 10 && destroyed >= 10, "{created} and {destroyed} kill points");
    let end = Theirs::over(Account::over(world), spec);
    assert_eq!((end.described(CLUSTER).await, end.parameters(GROUP).await), (before, values));
}
