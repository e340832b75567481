//! One stack is a value: several in one process, in several regions, each with its own fate; a run can be dropped
//! anywhere and taken up by another process.

use crate::harness::{Account, Recorder, spec};
use auroraml::aws::{Aws, Failure, Look};
use auroraml::kinds::{Calls, Deletion, Seen, Update};
use auroraml::run::reconcile::{Outcome, PrepareError, prepare, reconcile};
use auroraml::stack::Stack;
use auroraml_core::events::Silent;
use auroraml_core::kinds::{Kind, subnet_group};
use auroraml_core::members::Impact;
use auroraml_core::model::Intent;
use auroraml_core::resource::Rules;
use auroraml_sandbox::random::Mood;
use std::sync::Arc;
use std::time::Duration;

const SPEC: &str = "
stack: NAME
region: REGION
network: { cidr: 10.0.0.0/16, private_subnets: [10.0.1.0/24, 10.0.2.0/24], endpoints: [comprehend] }
aurora: { instances: [{ class: db.r6g.large }], on_destroy: delete }
machine_learning: { comprehend: true }
";

fn text(name: &str, region: &str) -> String {
    SPEC.replace("NAME", name).replace("REGION", region)
}

async fn apply(stack: &Stack, listener: Arc<Recorder>) -> Outcome {
    let prepared = prepare(stack, Intent::Apply).await.unwrap();
    let (_keep, stop) = tokio::sync::watch::channel(false);
    reconcile(stack, Intent::Apply, prepared, stop, listener).await.unwrap()
}

/// A kind with a bug in it.
struct Broken;

impl Kind for Broken {
    const NAME: &'static str = subnet_group::SubnetGroup::NAME;
    const RULES: Rules = subnet_group::SubnetGroup::RULES;
    type Props = subnet_group::Props;
}

impl Calls for Broken {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<subnet_group::Props>>, Failure> {
        subnet_group::SubnetGroup.observe(look).await
    }
    async fn create(&self, _: &Aws, _: &str, want: &subnet_group::Props) -> Result<(), Failure> {
        panic!("{} subnets are too many for me", want.subnets.len())
    }
    async fn update(&self, _: &Aws, _: &str, _: Update<'_, subnet_group::Props>) -> Result<(), Failure> {
        Ok(())
    }
    async fn delete(&self, _: &Aws, _: &str, _: Deletion<'_, subnet_group::Props>) -> Result<(), Failure> {
        Ok(())
    }
}

/// Two stacks in two regions of one account, in one process and at the same time: one has a bug, the other does not
/// notice.
#[tokio::test(start_paused = true)]
async fn one_fails_and_the_other_does_not_notice() {
    let account = Account::new(3, Mood::Real);
    let (good, bad) = (spec(&text("shop", "us-east-1")), spec(&text("shop", "eu-west-1")));
    let mut broken = account.connect(&bad).await;
    broken.kinds = broken.kinds.with(&Broken);
    let whole = account.connect(&good).await;
    let (fine, failed) = (Arc::new(Recorder::default()), Arc::new(Recorder::default()));
    let (done, outcome) =
        tokio::join!(Box::pin(apply(&whole, fine.clone())), Box::pin(apply(&broken, failed.clone())));
    assert!(done.is_complete(), "{:#?}", done.reports);
    account.assert_settled(&good, Intent::Apply).await;
    assert!(!outcome.is_complete());
    let report = outcome.reports.last().unwrap();
    let (id, why) = &report.failed[0];
    assert_eq!(id.to_string(), "subnet_group.main");
    assert_eq!(why.to_string(), "a bug in auroraml: 2 subnets are too many for me");
    assert_eq!(report.failed.len(), 1, "{:?}", report.failed);
    // What does not need it was done, and what does was not begun.
    assert!(report.done.iter().any(|id| id.kind == "subnet"));
    assert!(report.not_started.iter().any(|id| id.kind == "cluster"));
    // Mended, it goes on; and each is destroyed without the other.
    account.apply(&bad).await;
    account.destroy(&bad).await;
    account.assert_settled(&good, Intent::Apply).await;
    account.destroy(&good).await;
    assert!(account.traces(&good).is_empty(), "{:?}", account.traces(&good));
}

/// Dropped wherever it is, without a word, a run is taken up by another.
#[tokio::test(start_paused = true)]
async fn a_run_is_dropped_and_taken_up() {
    // Seconds after which the first, second, … run is dropped: while looking, creating, waiting, restarting.
    for seconds in [vec![0], vec![1, 2, 3], vec![7, 40, 111], vec![200, 9, 300], vec![420, 30, 60]] {
        let account = Account::new(5, Mood::Real);
        let spec = spec(&text("shop", "eu-west-1"));
        for seconds in seconds {
            let run = async {
                let stack = account.connect(&spec).await;
                let prepared = prepare(&stack, Intent::Apply).await?;
                let (_keep, stop) = tokio::sync::watch::channel(false);
                reconcile(&stack, Intent::Apply, prepared, stop, Arc::new(Silent)).await
            };
            // Milliseconds that no request ends at.
            let time = Duration::from_millis(seconds * 1000 + 137);
            drop(tokio::time::timeout(time, Box::pin(run)).await);
        }
        account.apply(&spec).await;
        account.assert_settled(&spec, Intent::Apply).await;
        account.assert_single(&spec);
        account.destroy(&spec).await;
        assert!(account.traces(&spec).is_empty(), "{:?}", account.traces(&spec));
    }
}

/// A create that is killed leaves a member pending-reboot. Nobody uses the cluster, so the same command finishes it
/// without leave to interrupt anybody; a day later somebody may, and is asked.
#[tokio::test(start_paused = true)]
async fn what_was_never_finished_is_finished_without_leave() {
    for (hours, needs_leave) in [(0, false), (2, false), (30, true)] {
        let account = Account::new(5, Mood::Calm);
        let spec = spec(&text("shop", "eu-west-1"));
        account.sandbox.with(|world| {
            world.regions.entry("eu-west-1".into()).or_default().rds.joins_pending = true;
        });
        let run = async {
            let stack = account.connect(&spec).await;
            let prepared = prepare(&stack, Intent::Apply).await?;
            let (_keep, stop) = tokio::sync::watch::channel(false);
            reconcile(&stack, Intent::Apply, prepared, stop, Arc::new(Silent)).await
        };
        drop(tokio::time::timeout(Duration::from_millis(300_137), Box::pin(run)).await);
        account.sandbox.clock().sleep(Duration::from_secs(hours * 3600)).await;
        let plan = account.plan(&spec).await;
        let beyond = plan.beyond(Impact::Readers).count();
        assert_eq!(
            beyond,
            usize::from(needs_leave),
            "{hours} hours later: {:?}",
            plan.interruptions().collect::<Vec<_>>()
        );
        account.apply(&spec).await;
        let made = account.interruptions(&spec).len();
        assert_eq!(made, 1, "{hours} hours later");
        let world = serde_json::to_string(&account.sandbox.world().regions).unwrap();
        assert!(!world.contains("auroraml:unfinished"), "the mark is taken away");
    }
}

/// A spec that was made in code and never checked brings a bug of the planner to light: an error of that stack, and
/// the process goes on.
#[tokio::test(start_paused = true)]
async fn a_bug_of_the_planner_is_an_error() {
    let account = Account::new(6, Mood::Calm);
    let mut odd = spec(&text("shop", "us-east-1"));
    let churn = spec(&crate::harness::spec_file("churn.yaml"));
    (odd.notebook, odd.bucket) = (churn.notebook, churn.bucket);
    // Validation refuses two files of one name.
    odd.notebook.as_mut().unwrap().files =
        ["notebooks/part_1.ipynb", "./notebooks/part_1.ipynb"].map(String::from).into();
    let stack = account.connect(&odd).await;
    let Err(PrepareError::Bug(why)) = prepare(&stack, Intent::Apply).await else { panic!("planned") };
    assert_eq!(why, "two resources are called bucket_object.part_1.ipynb");
    assert_eq!(account.mutations(), 0);
}
