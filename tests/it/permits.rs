//! No kind is asked to interrupt anybody before the run's permit is: not even one that knows nothing of permits.

use crate::harness::{Account, spec};
use auroraml::aws::{Aws, Failure, Look};
use auroraml::kinds::{Calls, Deletion, Seen, Update};
use auroraml::run::execute::execute;
use auroraml::run::reconcile::prepare;
use auroraml_core::events::Silent;
use auroraml_core::kinds::{Kind, cluster_role};
use auroraml_core::members::{Effect, Impact, Seconds};
use auroraml_core::model::Intent;
use auroraml_core::resource::{Action, Rules};
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

const SPEC: &str = "
stack: shop
region: us-east-1
network: { cidr: 10.0.0.0/16, private_subnets: [10.0.1.0/24, 10.0.2.0/24], endpoints: [comprehend] }
aurora: { instances: [{ class: db.r6g.large }, { class: db.r6g.large }], on_destroy: delete }
machine_learning: { comprehend: true }
";

thread_local! {
    /// How often this test has asked for an association: each has a thread of its own.
    static CREATED: Cell<usize> = const { Cell::new(0) };
}

/// An association in a world in which it restarts every member, by somebody who forgot all about that but to say it.
struct Rude;

impl Kind for Rude {
    const NAME: &'static str = cluster_role::ClusterRole::NAME;
    const RULES: Rules = Rules {
        effect: |action, _, _| match action {
            Action::Create => Effect::RestartsAll(Seconds { usually: 60, at_worst: 120 }),
            _ => Effect::None,
        },
        ..cluster_role::ClusterRole::RULES
    };
    type Props = cluster_role::Props;
}

impl Calls for Rude {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<cluster_role::Props>>, Failure> {
        cluster_role::ClusterRole.observe(look).await
    }
    async fn create(&self, aws: &Aws, name: &str, want: &cluster_role::Props) -> Result<(), Failure> {
        CREATED.set(CREATED.get() + 1);
        Calls::create(&cluster_role::ClusterRole, aws, name, want).await
    }
    async fn update(&self, _: &Aws, _: &str, _: Update<'_, cluster_role::Props>) -> Result<(), Failure> {
        Ok(())
    }
    async fn delete(&self, _: &Aws, _: &str, _: Deletion<'_, cluster_role::Props>) -> Result<(), Failure> {
        Ok(())
    }
}

/// A stack of which somebody has taken the association away.
async fn without_association(spec: &Spec) -> Account {
    let account = Account::new(1, Mood::Calm);
    account.apply(spec).await;
    let stack = account.connect(spec).await;
    let role = stack.aws.place.role_arn("comprehend");
    let rds = &stack.aws.rds;
    rds.remove_role_from_db_cluster().db_cluster_identifier("shop").role_arn(role).send().await.unwrap();
    stack.aws.clock.sleep(Duration::from_secs(120)).await;
    account
}

#[tokio::test(start_paused = true)]
async fn a_kind_cannot_forget_to_ask() {
    let account = without_association(&spec(SPEC)).await;
    let mut stack = account.connect(&spec(SPEC)).await;
    stack.kinds = stack.kinds.with(&Rude);

    let prepared = prepare(&stack, Intent::Apply).await.unwrap();
    let announced: Vec<_> = prepared.plan.interruptions().collect();
    assert_eq!(announced.len(), 1, "{announced:?}");
    assert_eq!((announced[0].impact, announced[0].members.len()), (Impact::Restart, 2));
    let permit = Arc::new(prepared.plan.permit(&prepared.graph, &stack.kinds.catalog(), None));

    // A run that was permitted nothing: the request is not made.
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let run = |permit| {
        let (graph, observed) = (prepared.graph.clone(), prepared.observed.clone());
        execute(&stack, graph, &prepared.plan, observed, stop.clone(), Arc::new(Silent), permit)
    };
    let refused = run(Arc::default()).await;
    let why = refused.failed[0].1.to_string();
    assert!(why.contains("a restart of shop-1 is not in the plan"), "{why}");
    assert_eq!(CREATED.get(), 0);
    // And one that was.
    let done = run(permit.clone()).await;
    assert!(done.is_complete(), "{done:?}");
    assert_eq!(CREATED.get(), 1);
    assert_eq!(permit.made().len(), 1);
}

/// Whoever stops a run while it still looks at whom it would interrupt interrupts nobody.
#[tokio::test(start_paused = true)]
async fn nobody_is_interrupted_after_the_order_to_stop() {
    let spec = spec(SPEC);
    let world = without_association(&spec).await.sandbox.world();
    let (mut in_time, mut too_late) = (0, 0);
    for after in (0..1_000).step_by(20) {
        let account = Account::over(world.clone());
        let mut stack = account.connect(&spec).await;
        stack.kinds = stack.kinds.with(&Rude);
        let prepared = prepare(&stack, Intent::Apply).await.unwrap();
        let permit = Arc::new(prepared.plan.permit(&prepared.graph, &stack.kinds.catalog(), None));
        let (order, stop) = tokio::sync::watch::channel(false);
        let before = CREATED.get();
        let clock = account.sandbox.clock();
        let person = async {
            clock.sleep(Duration::from_millis(after)).await;
            order.send(true).unwrap();
            CREATED.get()
        };
        let (graph, observed) = (prepared.graph.clone(), prepared.observed.clone());
        let run = execute(&stack, graph, &prepared.plan, observed, stop, Arc::new(Silent), permit);
        let (_, asked) = tokio::join!(run, person);
        assert_eq!(CREATED.get(), asked, "asked for after the order, which came after {after} ms");
        match asked == before {
            true => in_time += 1,
            false => too_late += 1,
        }
    }
    assert!(in_time > 0 && too_late > 0, "{in_time} in time, {too_late} too late");
}
