//! Stacks that CloudFormation made and that are taken over: the spec of what there is, tags, the hand-over, and a life
//! as ours. At no point has an object two owners that act, or none.
//!
//! The hard cases that the fact book collects (cloudformation.md, "Taking over a stack"), each with its test:
//!
//! | hard case | test |
//! |---|---|
//! | names that AWS cannot change stand in the spec; the rest is taken by tag | `a_life_begun_by_cloudformation` |
//! | a subnet group stays the cluster's | `a_life_begun_by_cloudformation` (the plan has tags only) |
//! | letter case of the cluster's name | `a_life_begun_by_cloudformation`, core `takeover::the_articles_stack_is_written` |
//! | five roles on one cluster | `refused::the_articles_stack` (sixth-role.txt) |
//! | other roles: the old ones go after in-sync only | `names::a_role_takes_anothers_place` |
//! | a customer-managed key that dies with the stack | `what_is_left_stays_with_cloudformation`, `names::everything_with_a_key_of_ones_own` |
//! | the secret is the one that the cluster has | `a_life_begun_by_cloudformation` |
//! | description of security groups, all egress | core `takeover::what_would_change_is_kept_as_it_was_found` |
//! | two private route tables | core `takeover::the_articles_stack_is_written` |
//! | an engine that was upgraded, an endpoint that was moved | `refused::the_articles_stack` (retired-engine.txt), `refused::an_endpoint_that_was_moved_stays_where_it_is` |
//! | properties that no spec says | core `takeover::the_articles_stack_is_written` (comments), `…what_would_change_is_kept…` |
//! | resources that are no objects | `a_life_begun_by_cloudformation` (38 resources, 20 objects) |
//! | VPC endpoints | `owners::vpc_endpoints_are_taken_over`, `owners::an_endpoint_that_no_spec_can_say_is_named` |
//! | Retain on all, read back, DELETE_SKIPPED for each | `a_life_begun_by_cloudformation`, `owners::what_was_deleted_instead_of_skipped_is_said` |
//! | the update may do more: SSM parameters, macros | `refused::what_an_update_would_read_again` |
//! | nested stacks | `refused::stacks_within_stacks` |
//! | termination protection, stack policy | `what_stands_in_the_way_is_said_first` |
//! | exports that others import | `refused::what_other_stacks_import` |
//! | in progress, rolled back, never created, deletion failed | `refused::a_stack_that_is_not_at_rest`, `…that_never_was`, `refused::a_deletion_that_failed`, `refused::an_update_that_was_rolled_back_is_no_obstacle` |
//! | a template that is too large | `refused::a_large_template_wants_a_bucket`, `refused::a_large_template_goes_through_the_bucket` |
//! | a part of the stack only | `what_is_left_stays_with_cloudformation`, `refused::what_is_named_wrongly` |
//! | killed half way | `a_handover_that_is_killed_goes_on`, `killed_while_tagging_and_at_the_end` |
//! | two owners | `owners::two_owners_are_said` |
//! | tags of CloudFormation's stay, and say nothing | `owners::two_owners_are_said` |

mod owners;
mod refused;

use crate::bench::{KillPoint, KillPoints, kill_points};
use crate::crash::{DESTROY, sweep};
use crate::harness::{Account, Recorder, spec};
use auroraml::run::reconcile::{Outcome, PrepareError, prepare, reconcile};
use auroraml::run::takeover::{self, NoSpec};
use auroraml::stack::Stack;
use auroraml_core::model::Intent;
use auroraml_core::policy::Purpose;
use auroraml_core::resource::Action;
use auroraml_core::spec::Spec;
use auroraml_core::takeover::{Order, Written};
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::{Snapshot, World};
use aws_sdk_cloudformation::Client as CloudFormation;
use aws_sdk_cloudformation::types::{Capability, Parameter};
use std::sync::Arc;
use std::time::Duration;

const NAME: &str = "Insights";
const REGION: &str = "us-east-1";

/// An account with a stack of the article's shape, and the means to act as its owners.
struct Theirs {
    account: Account,
    cloudformation: CloudFormation,
}

impl Theirs {
    fn over(account: Account) -> Theirs {
        let (http, clock) = (account.sandbox.http_client(), account.sandbox.clock());
        let config = auroraml::aws::simulated_config_as("AKIDTHEIRS", REGION, http, &clock);
        Theirs { account, cloudformation: CloudFormation::new(&config) }
    }

    async fn new(seed: u64) -> Theirs {
        let theirs = Theirs::over(Account::new(seed, Mood::Real));
        theirs.create(&template()).await;
        theirs
    }

    /// A stack of another shape, which is quickly made.
    async fn of(seed: u64, template: &str) -> Theirs {
        let theirs = Theirs::over(Account::new(seed, Mood::Calm));
        let request = theirs.cloudformation.create_stack().stack_name(NAME).template_body(template);
        request.send().await.unwrap_or_else(|error| panic!("{error:?}"));
        theirs.made().await;
        theirs
    }

    async fn create(&self, template: &str) {
        let instance = Parameter::builder()
            .parameter_key("SageMakerInstanceType")
            .parameter_value("ml.t2.medium")
            .build();
        let request = self.cloudformation.create_stack().stack_name(NAME).template_body(template);
        let request = request.capabilities(Capability::CapabilityIam).parameters(instance);
        request.send().await.unwrap_or_else(|error| panic!("{error:?}"));
        self.made().await;
    }

    async fn made(&self) {
        self.rest().await;
        assert_eq!(self.status().await.as_deref(), Some("CREATE_COMPLETE"), "{:#?}", self.failures().await);
    }

    /// A person who may do anything, with clients for all services.
    async fn person(&self) -> Stack {
        self.account.administrator(&spec("stack: nothing\nregion: us-east-1\n")).await
    }

    async fn arn(&self) -> String {
        let answer = self.cloudformation.describe_stacks().stack_name(NAME).send().await.unwrap();
        answer.stacks()[0].stack_id().unwrap().to_string()
    }

    /// AWS's name of a resource of the stack.
    async fn physical(&self, logical: &str) -> String {
        let all = self.cloudformation.list_stack_resources().stack_name(NAME).send().await.unwrap();
        let mut all = all.stack_resource_summaries().iter();
        let found = all.find(|one| one.logical_resource_id() == Some(logical)).unwrap();
        found.physical_resource_id().unwrap().to_string()
    }

    async fn status(&self) -> Option<String> {
        let answer = self.cloudformation.describe_stacks().stack_name(NAME).send().await.ok()?;
        Some(answer.stacks().first()?.stack_status()?.as_str().to_string())
    }

    async fn failures(&self) -> Vec<String> {
        let answer = self.cloudformation.describe_stack_events().stack_name(NAME).send().await.unwrap();
        let events = answer.stack_events().iter();
        let failed =
            events.filter(|one| one.resource_status().is_some_and(|is| is.as_str().contains("FAILED")));
        failed
            .map(|one| format!("{:?}: {:?}", one.logical_resource_id(), one.resource_status_reason()))
            .collect()
    }

    /// Waits until CloudFormation has finished.
    async fn rest(&self) {
        for _ in 0..2_000 {
            match self.status().await {
                Some(status) if status.ends_with("_IN_PROGRESS") => {
                    self.account.sandbox.clock().sleep(Duration::from_secs(15)).await;
                }
                _ => return,
            }
        }
        panic!("CloudFormation never rests");
    }

    /// The spec of what is there.
    async fn write(&self) -> Result<Written, NoSpec> {
        let nothing = spec("stack: nothing\nregion: us-east-1\n");
        let base = self.account.administrator(&nothing).await;
        let files = Arc::new(|_: &str| Err(std::io::ErrorKind::NotFound.into()));
        takeover::spec_of(&base.aws, NAME, "insights", files).await.map(|(_, written)| written)
    }

    async fn spec(&self) -> Spec {
        self.write().await.unwrap_or_else(|why| panic!("{why:#?}")).spec
    }

    /// Whether the objects that the spec takes over are all there, by AWS's ids.
    fn assert_all_there(&self, spec: &Spec) {
        let world = serde_json::to_string(&self.account.sandbox.world().without_contents()).unwrap();
        for (name, object) in &spec.taken_over.as_ref().unwrap().objects {
            assert!(world.to_lowercase().contains(&object.to_lowercase()), "{name} ({object}) has gone");
        }
    }
}

fn template() -> String {
    std::fs::read_to_string("tests/data/cloudformation/customer-insights.yaml").unwrap()
}

/// The alias belongs to nobody afterwards, and whoever releases says so.
fn order() -> Order {
    Order { unowned: ["KMSKeyAlias".to_string()].into(), ..Order::default() }
}

/// One run of `adopt --release`.
async fn release(account: &Account, spec: &Spec, order: Order) -> Result<Outcome, PrepareError> {
    let mut stack: Stack = account.connect_for(spec, &[Purpose::Release]).await.unwrap();
    stack.release(order);
    let prepared = prepare(&stack, Intent::Apply).await?;
    assert!(prepared.plan.blocked.is_empty(), "{:?}", prepared.plan.blocked);
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let listener = Arc::new(Recorder::default());
    reconcile(&stack, Intent::Apply, prepared, stop, listener).await
}

fn refusals(result: Result<Outcome, PrepareError>) -> String {
    match result {
        Err(PrepareError::Preflight(problems)) => {
            let lines = problems
                .iter()
                .map(|one| format!("{} [{}]: {}\n  help: {}\n", one.what, one.code, one.why, one.hint));
            lines.collect()
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_life_begun_by_cloudformation() {
    let theirs = Theirs::new(7).await;
    let account = &theirs.account;
    let before = account.mutations();
    let Written { spec, text } = theirs.write().await.unwrap_or_else(|why| panic!("{why:#?}"));
    println!("{text}");
    assert_eq!(account.mutations(), before, "writing the spec changed something");

    // Tags, and nothing else.
    let plan = account.plan(&spec).await;
    assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
    for step in plan.work() {
        assert_eq!(step.action, Action::Update, "{}", step.id);
        assert!(step.changes.iter().all(|change| change.concerns("tags")), "{:#?}", step.changes);
    }
    assert!(plan.work().count() >= 18, "{}", plan.work().count());
    account.apply(&spec).await;
    assert_eq!(theirs.status().await.as_deref(), Some("CREATE_COMPLETE"));
    // Nothing else is done as long as it is CloudFormation's.
    let destroy = account.prepare(&spec, Intent::Destroy { unprotect: true }).await;
    assert!(matches!(destroy, Err(PrepareError::Preflight(_))), "a destroy of what is CloudFormation's");

    let outcome = release(account, &spec, order()).await.unwrap();
    assert!(outcome.is_complete(), "{:#?}", outcome.reports);
    assert_eq!(theirs.status().await, None, "the stack is still there");
    theirs.assert_all_there(&spec);
    account.assert_settled(&spec, Intent::Apply).await;
    account.assert_single(&spec);

    // A life as ours: it can be changed, and it can go.
    let endpoint = spec.endpoints.keys().next().unwrap().clone();
    let mut stack = account.connect_for(&spec, &[Purpose::Destroy]).await.unwrap();
    stack.let_go = [format!("endpoint.{endpoint}")].into();
    let intent = Intent::Destroy { unprotect: true };
    let prepared = prepare(&stack, intent).await.unwrap();
    assert!(prepared.plan.blocked.is_empty(), "{:?}", prepared.plan.blocked);
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let listener = Arc::new(Recorder::default());
    let outcome = reconcile(&stack, intent, prepared, stop, listener.clone()).await.unwrap();
    assert!(outcome.is_complete(), "{:#?}\n{}", outcome.reports, listener.text());
    let left: Vec<String> = account
        .traces(&spec)
        .into_iter()
        .filter(|path| !path.contains("/snapshots/") && !path.contains("/buckets/"))
        .filter(|path| !path.contains("/secrets/") && !path.contains("/nat_gateways/"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

/// Killed before and after every request that changes something, the hand-over goes on where it was.
#[tokio::test(start_paused = true)]
async fn a_handover_that_is_killed_goes_on() {
    let theirs = Theirs::new(11).await;
    let spec = theirs.spec().await;
    theirs.account.sandbox.record();
    let outcome = release(&theirs.account, &spec, order()).await.unwrap();
    assert!(outcome.is_complete(), "{:#?}", outcome.reports);
    let snapshots: Vec<Snapshot> = theirs.account.sandbox.recorded();
    let KillPoints { count, kept } = kill_points(snapshots);
    for KillPoint { what, mut world } in kept {
        println!("{what}");
        world.now += 1_000;
        taken_up(world, &spec, &what).await;
    }
    println!("{count} kill points");
    assert!(count >= 40, "{count}");
}

async fn taken_up(world: World, spec: &Spec, what: &str) {
    let theirs = Theirs::over(Account::over(world));
    // An owner at any time: CloudFormation, or we by our tags.
    let stands = theirs.status().await.is_some();
    let tagged = theirs.account.traces(spec).len();
    assert!(stands || tagged >= 18, "{what}: nobody's");
    let outcome = release(&theirs.account, spec, order()).await;
    let outcome = outcome.unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert!(outcome.is_complete(), "{what}: {:#?}", outcome.reports);
    assert_eq!(theirs.status().await, None, "{what}");
    theirs.assert_all_there(spec);
    theirs.account.assert_settled(spec, Intent::Apply).await;
}

/// Killed anywhere while the objects get their tags, and while everything goes.
#[tokio::test(start_paused = true)]
async fn killed_while_tagging_and_at_the_end() {
    let theirs = Theirs::new(17).await;
    let spec = theirs.spec().await;
    let (tags, world) = sweep("adopted, tags", theirs.account.sandbox.world(), &spec, Intent::Apply).await;
    let theirs = Theirs::over(Account::over(world));
    let outcome = release(&theirs.account, &spec, order()).await.unwrap();
    assert!(outcome.is_complete(), "{:#?}", outcome.reports);
    let (gone, _) = sweep("adopted, destroy", theirs.account.sandbox.world(), &spec, DESTROY).await;
    assert!(tags >= 18 && gone >= 30, "{tags} and {gone} kill points");
}

/// What stands in the way is said before anything is called.
#[tokio::test(start_paused = true)]
async fn what_stands_in_the_way_is_said_first() {
    let theirs = Theirs::new(13).await;
    let (account, spec) = (&theirs.account, theirs.spec().await);
    let before = account.mutations();
    let said = refusals(release(account, &spec, Order::default()).await);
    assert!(
        said.starts_with(
            "KMSKeyAlias (AWS::KMS::Alias) [release-refused]: the spec does not contain alias/blog"
        ),
        "{said}"
    );
    assert_eq!(account.mutations(), before, "a refusal changed something");
    let protect = theirs.cloudformation.update_termination_protection().stack_name(NAME);
    protect.enable_termination_protection(true).send().await.unwrap();
    let said = refusals(release(account, &spec, order()).await);
    assert!(said.starts_with("Insights [release-refused]: the stack has termination protection"), "{said}");
    let protect = theirs.cloudformation.update_termination_protection().stack_name(NAME);
    protect.enable_termination_protection(false).send().await.unwrap();
    let deny = r#"{"Statement":[{"Effect":"Deny","Action":"Update:*","Principal":"*","Resource":"*"}]}"#;
    theirs.cloudformation.set_stack_policy().stack_name(NAME).stack_policy_body(deny).send().await.unwrap();
    let said = refusals(release(account, &spec, order()).await);
    assert!(
        said.starts_with("Insights [release-refused]: it has a stack policy that denies updates"),
        "{said}"
    );
}

/// What stays with CloudFormation stays whole, and the stack with it.
#[tokio::test(start_paused = true)]
async fn what_is_left_stays_with_cloudformation() {
    let theirs = Theirs::new(17).await;
    let (account, spec) = (&theirs.account, theirs.spec().await);
    let leave = Order { leave: ["KMSKey", "KMSKeyAlias"].map(String::from).into(), ..Order::default() };
    let outcome = release(account, &spec, leave.clone()).await.unwrap();
    assert!(outcome.is_complete(), "{:#?}", outcome.reports);
    assert_eq!(theirs.status().await.as_deref(), Some("UPDATE_COMPLETE"));
    theirs.assert_all_there(&spec);
    account.assert_settled(&spec, Intent::Apply).await;
    let before = account.mutations();
    assert!(release(account, &spec, leave).await.unwrap().is_complete());
    assert_eq!(account.mutations(), before, "what is done is done once more");
}
