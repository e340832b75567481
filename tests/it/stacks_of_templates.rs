//! Templates of CloudFormation as parts of a stack: made, changed, refused, undone, executed as shown, destroyed, and
//! killed on the way.
//!
//! What users of other tools ask for when a template is run, and where it is held:
//!
//! | hard case | test |
//! |---|---|
//! | the plan shows the resources inside, and replacements; apply executes that very change set | `change_sets_are_shown_and_executed`, `stacks_said::a_life_by_command_line` |
//! | a plan that is not applied leaves nothing | `change_sets_are_shown_and_executed`, `stacks_and_the_rest::what_is_replaced_in_a_stack_within_counts_as_loss` |
//! | outputs become "known after apply" when what they are of changes | `crates/core/tests/it/stacks.rs` with its golden file; `what_is_in_a_template_is_never_ours` for those that stay |
//! | no perpetual difference; an empty change is success | `an_empty_update_is_success`, `kinds::stack::flat` of the core |
//! | `NoEcho` comes back as `****` | `secrets_are_given_and_never_shown` |
//! | ROLLBACK_COMPLETE is said, and offered for deletion | `a_failed_creation_is_told_and_made_anew` |
//! | every other status | `stacks_in_trouble` |
//! | IMPORT_COMPLETE is success | `stacks_in_trouble::an_import_by_others_is_a_success` |
//! | nested stacks shown | `stacks_and_the_rest::what_is_replaced_in_a_stack_within_counts_as_loss` |
//! | live tree of resources, first cause of a failure first | `what_is_in_a_template_is_never_ours`, `stacks_and_the_rest::the_cause_of_a_failure_is_found_in_the_stack_within` |
//! | earlier values of parameters are kept | `secrets_are_given_and_never_shown` |
//! | termination protection; what to do on failure | `what_is_in_a_template_is_never_ours`, `a_failed_creation_is_told_and_made_anew` |
//! | drift inside | none: auroraml compares template and parameters, and leaves what is inside to CloudFormation |

use crate::bench::{KillPoint, KillPoints, kill_points};
use crate::harness::{Account, CANARY, Recorder, beside, spec};
use auroraml::kinds::change_set::ChangeSets;
use auroraml::run::change_sets::clear;
use auroraml::run::reconcile::{Outcome, PrepareError, Prepared, prepare, reconcile};
use auroraml::stack::Stack;
use auroraml_core::members::Impact;
use auroraml_core::model::Intent;
use auroraml_core::plan::Plan;
use auroraml_core::policy::Purpose;
use auroraml_core::resource::Action;
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::{Snapshot, World};
use std::collections::BTreeMap;
use std::sync::Arc;

pub const DESTROY: Intent = Intent::Destroy { unprotect: true };

/// A network and, with what that gives, a secret; nothing of ours but the bucket.
pub const SMALL: &str = "stack: small
region: us-east-1
bucket: { on_destroy: empty }
stacks:
  network:
    template: stacked/network.yaml
    parameters: { Range: 10.50.0.0/16 }
  report:
    template: stacked/report.yaml
    capabilities: [CAPABILITY_IAM]
    parameters:
      Cluster: ${stacks.network.VpcId}
      Place: ${bucket.name}
      Subnets: a,b
      Token: { environment_variable: REPORT_TOKEN }
";

/// The files beside a spec.
#[derive(Clone)]
pub struct Files(pub BTreeMap<String, String>);

impl Files {
    pub fn of(spec: &Spec) -> Files {
        let read = |path: &str| String::from_utf8(beside(path).unwrap()).unwrap();
        Files(spec.templates().into_iter().map(|path| (path.to_owned(), read(path))).collect())
    }

    /// The same with another text of a template.
    pub fn with(&self, path: &str, from: &str, to: &str) -> Files {
        let mut files = self.clone();
        let text = files.0.get_mut(path).unwrap();
        assert!(text.contains(from), "{path} has no {from}");
        *text = text.replace(from, to);
        files
    }

    pub async fn connect(&self, account: &Account, spec: &Spec, purpose: Purpose) -> Stack {
        let mut stack = account.connect_for(spec, &[purpose]).await.unwrap();
        let files = self.0.clone();
        let aws = Arc::get_mut(&mut stack.aws).expect("nobody else has it yet");
        aws.files = Arc::new(move |path| {
            let found = files.get(path).map(|text| text.clone().into_bytes());
            found.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))
        });
        stack
    }

    pub async fn look(
        &self,
        account: &Account,
        spec: &Spec,
        intent: Intent,
    ) -> Result<Prepared, PrepareError> {
        prepare(&self.connect(account, spec, Purpose::Plan).await, intent).await
    }

    pub async fn plan(&self, account: &Account, spec: &Spec) -> Plan {
        self.look(account, spec, Intent::Apply).await.unwrap().plan
    }

    pub async fn run(
        &self,
        account: &Account,
        spec: &Spec,
        intent: Intent,
        let_go: &[&str],
    ) -> (Outcome, String) {
        let purpose = if intent.destroys() { Purpose::Destroy } else { Purpose::Apply };
        let mut stack = self.connect(account, spec, purpose).await;
        stack.let_go = let_go.iter().map(ToString::to_string).collect();
        carried_out(&stack, intent).await
    }

    /// Carries out, and checks that nothing is left to do and that looking changes nothing.
    pub async fn settle(&self, account: &Account, spec: &Spec, intent: Intent) -> String {
        let (outcome, told) = self.run(account, spec, intent, &[]).await;
        assert!(outcome.is_complete(), "{:#?}\n{told}", outcome.reports);
        self.assert_settled(account, spec, intent).await;
        told
    }

    pub async fn assert_settled(&self, account: &Account, spec: &Spec, intent: Intent) {
        let before = account.mutations();
        let prepared = self.look(account, spec, intent).await.unwrap();
        let work: Vec<_> = prepared.plan.work().collect();
        assert!(
            prepared.plan.is_empty(),
            "the next plan is not empty: {work:#?} {:?}",
            prepared.plan.blocked
        );
        assert_eq!(account.mutations(), before, "looking changed something");
    }

    /// Why a run does not end well.
    pub async fn fails(&self, account: &Account, spec: &Spec, intent: Intent, let_go: &[&str]) -> String {
        let (outcome, _) = self.run(account, spec, intent, let_go).await;
        let failed = outcome.reports.iter().flat_map(|report| &report.failed);
        let told: Vec<String> = failed.map(|(id, failure)| format!("{id}: {failure}")).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        told.concat()
    }
}

pub async fn carried_out(stack: &Stack, intent: Intent) -> (Outcome, String) {
    let prepared = prepare(stack, intent).await.unwrap();
    assert!(prepared.plan.blocked.is_empty(), "blocked: {:?}", prepared.plan.blocked);
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let listener = Arc::new(Recorder::default());
    let outcome = reconcile(stack, intent, prepared, stop, listener.clone()).await.unwrap();
    (outcome, listener.text())
}

pub fn blocked(plan: &Plan) -> Vec<String> {
    plan.blocked.iter().map(|blocked| format!("{}: {}; {}", blocked.id, blocked.why, blocked.hint)).collect()
}

/// Names and statuses of the CloudFormation stacks that are there.
pub async fn stacks(account: &Account, spec: &Spec) -> BTreeMap<String, String> {
    let aws = account.administrator(spec).await.aws;
    let answer = aws.cloudformation.describe_stacks().send().await.unwrap();
    let pair = |stack: &aws_sdk_cloudformation::types::Stack| {
        (stack.stack_name().unwrap().to_owned(), stack.stack_status().unwrap().as_str().to_owned())
    };
    answer.stacks().iter().map(pair).collect()
}

/// Nothing is there any more, of ours or of the templates.
pub async fn assert_nothing_left(account: &Account, spec: &Spec) {
    assert_eq!(account.traces(spec), [""; 0]);
    assert_eq!(stacks(account, spec).await, BTreeMap::new());
    let aws = account.administrator(spec).await.aws;
    let vpcs = aws.ec2.describe_vpcs().send().await.unwrap();
    let left: Vec<_> = vpcs.vpcs().iter().filter(|vpc| vpc.is_default() != Some(true)).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A VPC of CloudFormation's beside the stack's own: what is in a template is never taken for the stack's.
#[tokio::test(start_paused = true)]
async fn what_is_in_a_template_is_never_ours() {
    let network = "tags: { team: data }\nnetwork: { cidr: 10.192.0.0/16, private_subnets: [10.192.20.0/24, 10.192.21.0/24] }\nstacks:";
    let protected = "Range: 10.50.0.0/16 }\n    termination_protection: true\n    tags: { purpose: network }";
    let spec = spec(&SMALL.replace("stacks:", network).replace("Range: 10.50.0.0/16 }", protected));
    let (account, files) = (Account::new(3, Mood::Calm), Files::of(&spec));
    let told = files.settle(&account, &spec, Intent::Apply).await;
    assert!(
        told.contains("creating, 1/3 done; running: PrivateSubnet1, PrivateSubnet2"),
        "progress of what is inside is told:\n{told}"
    );
    let there = stacks(&account, &spec).await;
    assert_eq!(there["small-network"], "CREATE_COMPLETE");
    // CloudFormation copies a stack's tags to its VPC: none of them makes it ours.
    let aws = account.administrator(&spec).await.aws;
    let vpcs = aws.ec2.describe_vpcs().send().await.unwrap();
    let tags = |vpc: &aws_sdk_ec2::types::Vpc| -> Vec<String> {
        vpc.tags().iter().filter_map(|tag| tag.key().map(String::from)).collect()
    };
    let inside = vpcs.vpcs().iter().map(tags).find(|tags| tags.contains(&"auroraml:template".to_owned()));
    let inside = inside.expect("the VPC of the template has the tags of its stack");
    assert!(inside.contains(&"team".to_owned()) && inside.contains(&"purpose".to_owned()), "{inside:?}");
    assert!(!inside.contains(&"auroraml:stack".to_owned()), "{inside:?}");

    // A tag of the VPC reaches nobody else.
    let tagged = files.with("stacked/network.yaml", "Value: !Ref \"AWS::StackName\"", "Value: net");
    let plan = tagged.plan(&account, &spec).await;
    let steps: Vec<String> = plan.work().map(|step| format!("{:?} {}", step.action, step.id)).collect();
    assert_eq!(steps, ["Update stack.network"]);
    assert!(plan.notes.iter().any(|note| note.contains("--change-sets")), "{:?}", plan.notes);
    tagged.settle(&account, &spec, Intent::Apply).await;

    let kept = tagged.look(&account, &spec, Intent::Destroy { unprotect: false }).await.unwrap();
    assert!(blocked(&kept.plan).iter().any(|why| why.contains("termination protection")));
    tagged.settle(&account, &spec, DESTROY).await;
    assert_nothing_left(&account, &spec).await;
}

/// A VPC made by CloudFormation carries the cluster: made before it, and gone after it.
#[tokio::test(start_paused = true)]
async fn a_template_carries_the_cluster() {
    let spec = spec(&std::fs::read_to_string("tests/data/stacked.yaml").unwrap());
    let (account, files) = (Account::new(3, Mood::Calm), Files::of(&spec));
    files.settle(&account, &spec, Intent::Apply).await;
    let there = stacks(&account, &spec).await;
    assert_eq!(there["stacked-network"], "CREATE_COMPLETE");
    assert_eq!(there["stacked-monthly-report"], "CREATE_COMPLETE");
    files.settle(&account, &spec, DESTROY).await;
    assert_nothing_left(&account, &spec).await;
}

/// Killed before and after each request that changes something: of a create, of an update, of a destroy.
#[tokio::test(start_paused = true)]
async fn killed_anywhere_it_goes_on() {
    let spec = spec(SMALL);
    let files = Files::of(&spec);
    let world = World::new(7, Mood::Real);
    let (made, world) = swept("create", world, &spec, &files, Intent::Apply).await;
    let changed = files.with("stacked/network.yaml", "Value: !Ref \"AWS::StackName\"", "Value: net");
    let (updated, world) = swept("update", world, &spec, &changed, Intent::Apply).await;
    let (destroyed, _) = swept("destroy", world, &spec, &changed, DESTROY).await;
    assert!(made >= 8 && updated >= 2 && destroyed >= 6, "{made}, {updated} and {destroyed} kill points");
}

async fn swept(what: &str, world: World, spec: &Spec, files: &Files, intent: Intent) -> (usize, World) {
    let account = Account::over(world);
    account.sandbox.record();
    files.settle(&account, spec, intent).await;
    let (snapshots, end): (Vec<Snapshot>, World) = (account.sandbox.recorded(), account.sandbox.world());
    let KillPoints { count, kept } = kill_points(snapshots);
    for KillPoint { what: killed, mut world } in kept {
        world.now += 1_000;
        println!("{what}: {killed}");
        let account = Account::over(world);
        files.settle(&account, spec, intent).await;
        account.assert_single(spec);
        match intent.destroys() {
            true => assert_nothing_left(&account, spec).await,
            false => assert_eq!(stacks(&account, spec).await.len(), 2, "{what}: {killed}"),
        }
    }
    (count, end)
}

/// A creation that fails is undone and told with its first cause; the next apply deletes what is left and makes it anew.
#[tokio::test(start_paused = true)]
async fn a_failed_creation_is_told_and_made_anew() {
    let spec = spec(SMALL);
    let (account, files) = (Account::new(5, Mood::Calm), Files::of(&spec));
    let wrong = files.with(
        "stacked/network.yaml",
        "CidrBlock: !Select [1, !Ref Subnets]",
        "CidrBlock: 192.168.0.0/24",
    );
    // Both at once: the first is not seen yet when it is to be deleted again.
    let why = wrong.fails(&account, &spec, Intent::Apply, &[]).await;
    assert!(why.starts_with("stack.network: it failed: ROLLBACK_COMPLETE"), "{why}");
    assert!(why.contains("PrivateSubnet2 (AWS::EC2::Subnet) CREATE_FAILED"), "{why}");
    assert!(!why.contains("cancelled"), "{why}");
    let plan = files.plan(&account, &spec).await;
    let step = plan.work().find(|step| step.id.to_string() == "stack.network").unwrap();
    assert_eq!((step.action, step.impact), (Action::Recreate, Impact::None));
    assert!(step.reason.as_deref().unwrap().contains("PrivateSubnet2"), "{:?}", step.reason);
    files.settle(&account, &spec, Intent::Apply).await;
    files.settle(&account, &spec, DESTROY).await;
    assert_nothing_left(&account, &spec).await;
}

/// An update that CloudFormation undoes is told with its cause, and asked for once.
#[tokio::test(start_paused = true)]
async fn an_update_that_is_undone_is_told() {
    let spec = spec(SMALL);
    let (account, files) = (Account::new(6, Mood::Calm), Files::of(&spec));
    files.settle(&account, &spec, Intent::Apply).await;
    let wrong = files.with(
        "stacked/network.yaml",
        "CidrBlock: !Select [1, !Ref Subnets]",
        "CidrBlock: 192.168.0.0/24",
    );
    let why = wrong.fails(&account, &spec, Intent::Apply, &[]).await;
    assert!(why.contains("stack.network: the update was undone: PrivateSubnet2 (AWS::EC2::Subnet)"), "{why}");
    assert_eq!(stacks(&account, &spec).await["small-network"], "UPDATE_ROLLBACK_COMPLETE");
    // What is there is what it was.
    files.assert_settled(&account, &spec, Intent::Apply).await;
}

/// What differs and means nothing to CloudFormation is done when it says so.
#[tokio::test(start_paused = true)]
async fn an_empty_update_is_success() {
    let spec = spec(SMALL);
    let (account, files) = (Account::new(6, Mood::Calm), Files::of(&spec));
    files.settle(&account, &spec, Intent::Apply).await;
    let more = files.with(
        "stacked/network.yaml",
        "Resources:\n  Vpc",
        "Mappings:\n  Nobody: { uses: { this: one } }\nResources:\n  Vpc",
    );
    let (outcome, told) = more.run(&account, &spec, Intent::Apply, &[]).await;
    assert!(outcome.is_complete(), "{:#?}\n{told}", outcome.reports);
}

/// A secret is given once, from the environment; it is in no plan, and CloudFormation keeps it through an update.
#[tokio::test(start_paused = true)]
async fn secrets_are_given_and_never_shown() {
    let spec = spec(SMALL);
    let (account, files) = (Account::new(8, Mood::Calm), Files::of(&spec));
    let plan = files.plan(&account, &spec).await;
    assert!(!serde_json::to_string(&plan).unwrap().contains(CANARY));
    let told = files.settle(&account, &spec, Intent::Apply).await;
    assert!(!told.contains(CANARY));
    let held = async || {
        let aws = account.administrator(&spec).await.aws;
        let found = aws.cloudformation.describe_stack_resource().stack_name("small-report");
        let found = found.logical_resource_id("Secret").send().await.unwrap();
        let id = found.stack_resource_detail().unwrap().physical_resource_id().unwrap().to_owned();
        aws.secretsmanager.get_secret_value().secret_id(id).send().await.unwrap().secret_string.unwrap()
    };
    assert_eq!(held().await, CANARY);
    let role = files.with("stacked/report.yaml", "PolicyName: read", "PolicyName: see");
    role.settle(&account, &spec, Intent::Apply).await;
    assert_eq!(stacks(&account, &spec).await["small-report"], "UPDATE_COMPLETE");
    assert_eq!(held().await, CANARY, "it has kept its value");
}

/// What holds data goes when a person says so: out of the template, or with its stack.
#[tokio::test(start_paused = true)]
async fn data_goes_only_when_a_person_names_the_stack() {
    let spec = spec(SMALL);
    let (account, files) = (Account::new(9, Mood::Calm), Files::of(&spec));
    files.settle(&account, &spec, Intent::Apply).await;
    let plan =
        files.with("stacked/report.yaml", "For ${Cluster}", "Of ${Cluster}").plan(&account, &spec).await;
    assert_eq!(
        blocked(&plan),
        [
            "stack.report: Secret (AWS::SecretsManager::Secret) may be replaced and lose its data: check with --change-sets; keep it in the template as it is; to delete it with its data, add --delete stack.report"
        ]
    );
    let without = crate::harness::spec(&SMALL[..SMALL.find("  report:").unwrap()]);
    let plan = files.plan(&account, &without).await;
    assert_eq!(
        blocked(&plan),
        [
            "stack.report: the spec no longer has it, but deleting it would lose data; restore it in the spec, or add --delete stack.report to delete it with its data"
        ]
    );
    let (outcome, told) = files.run(&account, &without, Intent::Apply, &["stack.report"]).await;
    assert!(outcome.is_complete(), "{:#?}\n{told}", outcome.reports);
    assert_eq!(stacks(&account, &without).await.keys().collect::<Vec<_>>(), ["small-network"]);
    // The last one: `stacks: {}` still looks for it, and a VPC holds no data.
    let none =
        crate::harness::spec("stack: small\nregion: us-east-1\nbucket: { on_destroy: empty }\nstacks: {}\n");
    files.settle(&account, &none, Intent::Apply).await;
    assert_eq!(stacks(&account, &none).await, BTreeMap::new());
}

/// A plan with change sets says what CloudFormation says, and leaves nothing; an apply executes what it has shown.
#[tokio::test(start_paused = true)]
async fn change_sets_are_shown_and_executed() {
    let spec = spec(SMALL);
    let (account, files) = (Account::new(10, Mood::Calm), Files::of(&spec));
    let asking = async |files: &Files| {
        let mut stack = files.connect(&account, &spec, Purpose::Apply).await;
        stack.change_sets = Some(Arc::new(ChangeSets::default()));
        stack
    };
    // Of what is not there yet.
    let stack = asking(&files).await;
    let prepared = prepare(&stack, Intent::Apply).await.unwrap();
    let notes = prepared.plan.notes.join("\n");
    assert!(
        notes.contains("stack.network, says its change set, adds PrivateSubnet1 (AWS::EC2::Subnet)"),
        "{notes}"
    );
    assert!(notes.contains("stack.report: no change set yet"), "{notes}");
    assert_eq!(stacks(&account, &spec).await["small-network"], "REVIEW_IN_PROGRESS");
    clear(&stack).await.unwrap();
    stack.aws.clock.sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(stacks(&account, &spec).await, BTreeMap::new());
    let stack = asking(&files).await;
    let (outcome, told) = carried_out(&stack, Intent::Apply).await;
    assert!(outcome.is_complete(), "{:#?}\n{told}", outcome.reports);
    clear(&stack).await.unwrap();
    files.assert_settled(&account, &spec, Intent::Apply).await;

    // What might be replaced, and is not.
    let other = files.with("stacked/report.yaml", "For ${Cluster}", "Of ${Cluster}");
    assert!(!other.plan(&account, &spec).await.blocked.is_empty());
    let stack = asking(&other).await;
    let prepared = prepare(&stack, Intent::Apply).await.unwrap();
    assert_eq!(blocked(&prepared.plan), [""; 0]);
    let notes = prepared.plan.notes.join("\n");
    assert!(
        notes.contains("stack.report, says its change set, changes Secret (AWS::SecretsManager::Secret)"),
        "{notes}"
    );
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let outcome =
        reconcile(&stack, Intent::Apply, prepared, stop, Arc::new(Recorder::default())).await.unwrap();
    assert!(outcome.is_complete(), "{:#?}", outcome.reports);
    let updates = account
        .sandbox
        .with(|world| world.mutations().filter(|entry| entry.operation == "UpdateStack").count());
    assert_eq!(updates, 0, "what was shown is executed");
    clear(&stack).await.unwrap();
    other.assert_settled(&account, &spec, Intent::Apply).await;

    // What is replaced, by a name that cannot change.
    let named = other.with(
        "stacked/report.yaml",
        "    Properties:\n      Description",
        "    Properties:\n      Name: other\n      Description",
    );
    let stack = asking(&named).await;
    let prepared = prepare(&stack, Intent::Apply).await.unwrap();
    assert_eq!(
        blocked(&prepared.plan),
        [
            "stack.report: Secret (AWS::SecretsManager::Secret) is replaced and loses its data; keep it in the template as it is; to delete it with its data, add --delete stack.report"
        ]
    );
    clear(&stack).await.unwrap();
    let aws = account.administrator(&spec).await.aws;
    let left = aws.cloudformation.list_change_sets().stack_name("small-report").send().await.unwrap();
    assert!(left.summaries().is_empty(), "{left:?}");
}

/// A large template goes through the bucket.
#[tokio::test(start_paused = true)]
async fn a_large_template_goes_through_the_bucket() {
    let spec = spec(SMALL);
    let (account, files) = (Account::new(11, Mood::Calm), Files::of(&spec));
    let long = "#".repeat(60_000);
    let large =
        files.with("stacked/network.yaml", "Resources:\n  Vpc", &format!("{long}\nResources:\n  Vpc"));
    large.settle(&account, &spec, Intent::Apply).await;
    large.settle(&account, &spec, DESTROY).await;
    assert_nothing_left(&account, &spec).await;
}

/// A stack of that name that others made is not touched.
#[tokio::test(start_paused = true)]
async fn a_stack_of_others_stays() {
    let spec = spec(SMALL);
    let (account, files) = (Account::new(12, Mood::Calm), Files::of(&spec));
    let aws = account.administrator(&spec).await.aws;
    let request = aws.cloudformation.create_stack().stack_name("small-network");
    request.template_body(&files.0["stacked/network.yaml"]).send().await.unwrap();
    aws.clock.sleep(std::time::Duration::from_secs(600)).await;
    let plan = files.plan(&account, &spec).await;
    assert_eq!(
        blocked(&plan),
        [
            "stack.network: a CloudFormation stack with this name exists, but was not created for this entry; use another name under `stacks`, or adopt the stack (docs/cloudformation.md)"
        ]
    );
}

/// The article's template, 38 resources of all sorts with its defects: run, updated and destroyed as a part of a stack.
#[tokio::test(start_paused = true)]
async fn the_articles_template_is_a_part_of_a_stack() {
    let text = "stack: lab
region: us-east-1
stacks:
  insights:
    template: cloudformation/customer-insights.yaml
    capabilities: [CAPABILITY_IAM]
    parameters: { SageMakerInstanceType: ml.m4.xlarge }
";
    let first = spec(text);
    let (account, files) = (Account::new(11, Mood::Real), Files::of(&first));
    files.settle(&account, &first, Intent::Apply).await;
    let aws = account.administrator(&first).await.aws;
    let all = aws.cloudformation.list_stack_resources().stack_name("lab-insights").send().await.unwrap();
    assert_eq!(all.stack_resource_summaries().len(), 38);
    let larger = spec(&text.replace("ml.m4.xlarge", "ml.m4.2xlarge"));
    let (outcome, told) = files.run(&account, &larger, Intent::Apply, &["stack.insights"]).await;
    assert!(outcome.is_complete(), "{:#?}\n{told}", outcome.reports);
    files.assert_settled(&account, &larger, Intent::Apply).await;
    assert_eq!(stacks(&account, &larger).await["lab-insights"], "UPDATE_COMPLETE");
    files.settle(&account, &larger, DESTROY).await;
    assert_nothing_left(&account, &larger).await;
    // Its bucket is kept, as it says.
    let left = aws.s3.list_buckets().send().await.unwrap();
    assert_eq!(left.buckets().len(), 1, "{left:?}");
}
