//! Templates of CloudFormation as parts of a stack, when something has gone wrong or somebody else is at work: each status
//! that a stack can be left in, live, with its message and what comes next.

use crate::harness::{Account, spec};
use crate::stacks_of_templates::{DESTROY, Files, assert_nothing_left, blocked, stacks};
use crate::support::golden_at;
use auroraml_core::kinds::stack::Status;
use auroraml_core::model::Intent;
use auroraml_core::resource::Action;
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use aws_sdk_cloudformation::types::{ChangeSetType, OnFailure};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

const ONE: &str = "stack: small
region: us-east-1
stacks:
  logs: { template: logs.yaml }
";
const LOGS: &str = "Resources:
  First: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: first, RetentionInDays: 7 } }
  Second:
    Type: AWS::Logs::LogGroup
    DependsOn: First
    Properties: { LogGroupName: second, RetentionInDays: 7 }
";
/// Two that change one after the other, the second into what cannot be.
const HALF: [(&str, &str); 2] = [
    ("first, RetentionInDays: 7", "first, RetentionInDays: 14"),
    ("second, RetentionInDays: 7", "second, RetentionInDays: 8"),
];

/// What is in the stack may go: a log group counts as data.
const LET_GO: &[&str] = &["stack.logs"];

fn with_logs() -> (Spec, Files) {
    (spec(ONE), Files(BTreeMap::from([("logs.yaml".to_owned(), LOGS.to_owned())])))
}

/// A stack of the spec's name and tag in this status, made by the requests of somebody else.
async fn tagged(account: &Account, spec: &Spec, template: &str, on_failure: OnFailure) {
    let aws = account.administrator(spec).await.aws;
    let tag =
        aws_sdk_cloudformation::types::Tag::builder().key("auroraml:template").value("small/logs").build();
    let request =
        aws.cloudformation.create_stack().stack_name("small-logs").template_body(template).tags(tag);
    request.on_failure(on_failure).send().await.unwrap();
}

async fn rest(account: &Account, spec: &Spec) -> String {
    let aws = account.administrator(spec).await.aws;
    for _ in 0..400 {
        let status = stacks(account, spec).await.get("small-logs").cloned().unwrap_or_default();
        if !status.ends_with("_IN_PROGRESS") {
            return status;
        }
        aws.clock.sleep(Duration::from_secs(30)).await;
    }
    panic!("it never comes to rest");
}

fn logs(account: &Account, change: impl FnOnce(&mut BTreeMap<String, auroraml_sandbox::logs::Group>)) {
    account.sandbox.with(|world| change(&mut world.regions.get_mut("us-east-1").unwrap().logs.groups));
}

/// CREATE_FAILED, as `--on-failure DO_NOTHING` leaves it: told with its cause, and made anew once a person lets go what is in it.
#[tokio::test(start_paused = true)]
async fn a_creation_that_was_not_undone_is_made_anew() {
    let (spec, files) = with_logs();
    let account = Account::new(1, Mood::Calm);
    let wrong = LOGS.replace("second, RetentionInDays: 7", "second, RetentionInDays: 8");
    tagged(&account, &spec, &wrong, OnFailure::DoNothing).await;
    assert_eq!(rest(&account, &spec).await, "CREATE_FAILED");
    // What is in it may hold data: a person says that it may go.
    let told = blocked(&files.plan(&account, &spec).await).concat();
    assert!(
        told.contains("CREATE_FAILED: its creation failed and was not undone; it can only be deleted and made again: Second (AWS::Logs::LogGroup) CREATE_FAILED"),
        "{told}"
    );
    assert!(told.contains("replacing it would lose data") && told.contains("--delete stack.logs"), "{told}");
    let (outcome, told) = files.run(&account, &spec, Intent::Apply, LET_GO).await;
    assert!(outcome.is_complete(), "{:#?}\n{told}", outcome.reports);
    files.settle(&account, &spec, Intent::Apply).await;
    files.settle(&account, &spec, DESTROY).await;
    assert_nothing_left(&account, &spec).await;
}

/// ROLLBACK_FAILED: what was made cannot be deleted, here a bucket into which somebody has put something.
#[tokio::test(start_paused = true)]
async fn a_creation_that_cannot_be_undone_is_told() {
    let (spec, files) = with_logs();
    let account = Account::new(2, Mood::Calm);
    let bucket = "Resources:
  Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: in-the-way } }
  Vpc: { Type: 'AWS::EC2::VPC', DependsOn: Bucket, Properties: { CidrBlock: 10.0.0.0/16 } }
  Wrong:
    Type: AWS::EC2::Subnet
    Properties: { VpcId: !Ref Vpc, CidrBlock: 192.168.0.0/24 }
";
    tagged(&account, &spec, bucket, OnFailure::Rollback).await;
    let aws = account.administrator(&spec).await.aws;
    for _ in 0..100 {
        aws.clock.sleep(Duration::from_millis(500)).await;
        let there = stacks(&account, &spec).await;
        assert_eq!(there["small-logs"], "CREATE_IN_PROGRESS", "too late");
        let put = aws.s3.put_object().bucket("in-the-way").key("x").body(b"x".to_vec().into());
        if put.send().await.is_ok() {
            break;
        }
    }
    assert_eq!(rest(&account, &spec).await, "ROLLBACK_FAILED");
    let plan = files.plan(&account, &spec).await;
    let step = plan.work().find(|step| step.id.to_string() == "stack.logs").unwrap();
    let why = step.reason.clone().unwrap_or_default();
    assert_eq!(step.action, Action::Recreate);
    assert!(
        why.contains("ROLLBACK_FAILED: its creation failed, and so did the rollback; apply deletes it"),
        "{why}"
    );
    assert!(why.contains("Wrong (AWS::EC2::Subnet) CREATE_FAILED"), "the first cause: {why}");
    // It still cannot be deleted, and then it can.
    let why = files.fails(&account, &spec, Intent::Apply, &[]).await;
    assert!(
        why.contains("DELETE_FAILED") && why.contains("Bucket (AWS::S3::Bucket) DELETE_FAILED"),
        "what is in the way now: {why}"
    );
    assert!(
        why.contains("aws cloudformation delete-stack --stack-name small-logs --retain-resources LOGICAL-ID"),
        "{why}"
    );
    assert_eq!(stacks(&account, &spec).await["small-logs"], "DELETE_FAILED");
    aws.s3.delete_object().bucket("in-the-way").key("x").send().await.unwrap();
    let (outcome, told) = files.run(&account, &spec, Intent::Apply, &["stack.logs"]).await;
    assert!(outcome.is_complete(), "{:#?}\n{told}", outcome.reports);
    files.settle(&account, &spec, DESTROY).await;
    assert_nothing_left(&account, &spec).await;
}

/// UPDATE_ROLLBACK_FAILED: the one command that goes on is told, with the first cause; auroraml does not run it.
#[tokio::test(start_paused = true)]
async fn an_update_that_cannot_be_undone_is_told() {
    let (spec, files) = with_logs();
    let account = Account::new(3, Mood::Calm);
    files.settle(&account, &spec, Intent::Apply).await;
    let wrong = files.with("logs.yaml", HALF[0].0, HALF[0].1).with("logs.yaml", HALF[1].0, HALF[1].1);
    let somebody = async {
        let aws = account.administrator(&spec).await.aws;
        for _ in 0..1_000 {
            aws.clock.sleep(Duration::from_millis(500)).await;
            let mut is_done = false;
            logs(&account, |groups| {
                if groups.get("first").is_some_and(|group| group.retention_days == Some(14)) {
                    groups.remove("first");
                    is_done = true;
                }
            });
            if is_done {
                return;
            }
        }
    };
    let (why, ()) = tokio::join!(wrong.fails(&account, &spec, Intent::Apply, LET_GO), somebody);
    assert_eq!(stacks(&account, &spec).await["small-logs"], "UPDATE_ROLLBACK_FAILED");
    assert!(why.contains("UPDATE_ROLLBACK_FAILED: an update failed, and so did the rollback: Second (AWS::Logs::LogGroup) UPDATE_FAILED"), "{why}");
    let next = "aws cloudformation continue-update-rollback --stack-name small-logs (with --resources-to-skip LOGICAL-ID for what cannot be undone), and run again";
    assert!(why.contains(next), "{why}");
    // The next run says the same, and sends nothing.
    let before = account.mutations();
    let again = wrong.fails(&account, &spec, Intent::Apply, LET_GO).await;
    assert!(again.contains(next), "{again}");
    assert_eq!(account.mutations(), before);
    let aws = account.administrator(&spec).await.aws;
    let request = aws.cloudformation.continue_update_rollback().stack_name("small-logs");
    request.resources_to_skip("First").send().await.unwrap();
    assert_eq!(rest(&account, &spec).await, "UPDATE_ROLLBACK_COMPLETE");
    files.settle(&account, &spec, DESTROY).await;
    assert_nothing_left(&account, &spec).await;
}

/// DELETE_FAILED: a destroy says what is in the way, and goes on once it is gone.
#[tokio::test(start_paused = true)]
async fn a_deletion_that_fails_says_what_is_in_the_way() {
    let (spec, files) = with_logs();
    let account = Account::new(4, Mood::Calm);
    let files = files.with(
        "logs.yaml",
        "Resources:\n",
        "Resources:\n  Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: in-the-way } }\n",
    );
    files.settle(&account, &spec, Intent::Apply).await;
    let aws = account.administrator(&spec).await.aws;
    let put = aws.s3.put_object().bucket("in-the-way").key("x").body(b"x".to_vec().into());
    put.send().await.unwrap();
    let why = files.fails(&account, &spec, DESTROY, &[]).await;
    assert!(
        why.contains(
            "DELETE_FAILED: CloudFormation could not delete all of it: Bucket (AWS::S3::Bucket) DELETE_FAILED"
        ),
        "{why}"
    );
    assert!(why.contains("remove what is in the way and run again"), "{why}");
    assert_eq!(stacks(&account, &spec).await["small-logs"], "DELETE_FAILED");
    aws.s3.delete_object().bucket("in-the-way").key("x").send().await.unwrap();
    files.settle(&account, &spec, DESTROY).await;
    assert_nothing_left(&account, &spec).await;
}

/// REVIEW_IN_PROGRESS: a change set that nobody executed has left the name; an apply makes the stack in its place, and a
/// destroy takes it away.
#[tokio::test(start_paused = true)]
async fn a_stack_that_waits_for_review_is_made_in_its_place() {
    let (spec, files) = with_logs();
    for intent in [Intent::Apply, DESTROY] {
        let account = Account::new(5, Mood::Calm);
        let aws = account.administrator(&spec).await.aws;
        let request =
            aws.cloudformation.create_change_set().stack_name("small-logs").change_set_name("somebody");
        let request = request.change_set_type(ChangeSetType::Create).template_body(LOGS);
        request.send().await.unwrap();
        aws.clock.sleep(Duration::from_secs(60)).await;
        assert_eq!(stacks(&account, &spec).await["small-logs"], "REVIEW_IN_PROGRESS");
        files.settle(&account, &spec, intent).await;
        if !intent.destroys() {
            assert_eq!(stacks(&account, &spec).await["small-logs"], "CREATE_COMPLETE");
            files.settle(&account, &spec, DESTROY).await;
        }
        assert_nothing_left(&account, &spec).await;
    }
}

/// *_IN_PROGRESS by others: a run waits for them, and then does what is left.
#[tokio::test(start_paused = true)]
async fn what_others_have_under_way_is_waited_for() {
    let (spec, files) = with_logs();
    let account = Account::new(6, Mood::Calm);
    // A creation that somebody began with the same tag, an update that they began, and a deletion.
    tagged(&account, &spec, LOGS, OnFailure::Rollback).await;
    files.settle(&account, &spec, Intent::Apply).await;
    let aws = account.administrator(&spec).await.aws;
    let other = LOGS.replace("first, RetentionInDays: 7", "first, RetentionInDays: 14");
    let request = aws.cloudformation.update_stack().stack_name("small-logs").template_body(other);
    request.send().await.unwrap();
    let (outcome, told) = files.run(&account, &spec, Intent::Apply, LET_GO).await;
    assert!(outcome.is_complete(), "{:#?}\n{told}", outcome.reports);
    files.assert_settled(&account, &spec, Intent::Apply).await;
    logs(&account, |groups| assert_eq!(groups["first"].retention_days, Some(7)));
    aws.cloudformation.delete_stack().stack_name("small-logs").send().await.unwrap();
    files.settle(&account, &spec, Intent::Apply).await;
    assert_eq!(stacks(&account, &spec).await["small-logs"], "CREATE_COMPLETE");
    files.settle(&account, &spec, DESTROY).await;
    assert_nothing_left(&account, &spec).await;
}

/// UPDATE_FAILED, as an update without rollback leaves it: told with its cause and the command that goes on.
#[tokio::test(start_paused = true)]
async fn an_update_that_was_not_undone_is_told() {
    let (spec, files) = with_logs();
    let account = Account::new(7, Mood::Calm);
    files.settle(&account, &spec, Intent::Apply).await;
    let aws = account.administrator(&spec).await.aws;
    let wrong = LOGS.replace(HALF[1].0, HALF[1].1);
    let request = aws.cloudformation.update_stack().stack_name("small-logs").template_body(wrong);
    request.disable_rollback(true).send().await.unwrap();
    assert_eq!(rest(&account, &spec).await, "UPDATE_FAILED");
    let why = files.fails(&account, &spec, Intent::Apply, &[]).await;
    assert!(
        why.contains(
            "UPDATE_FAILED: an update failed and was not undone: Second (AWS::Logs::LogGroup) UPDATE_FAILED"
        ),
        "{why}"
    );
    assert!(
        why.contains("aws cloudformation rollback-stack --stack-name small-logs, then run again"),
        "{why}"
    );
    files.settle(&account, &spec, DESTROY).await;
    assert_nothing_left(&account, &spec).await;
}

/// A stack under another name that carries the tag is not deleted, unless a person names it.
#[tokio::test(start_paused = true)]
async fn a_tag_alone_is_no_proof() {
    let (spec, files) = with_logs();
    let account = Account::new(8, Mood::Calm);
    let aws = account.administrator(&spec).await.aws;
    let tag =
        aws_sdk_cloudformation::types::Tag::builder().key("auroraml:template").value("small/logs").build();
    let request = aws.cloudformation.create_stack().stack_name("small-copied").template_body(LOGS).tags(tag);
    request.send().await.unwrap();
    aws.clock.sleep(Duration::from_secs(300)).await;
    let plan = files.plan(&account, &spec).await;
    assert!(plan.work().all(|step| step.action != Action::Delete), "{:?}", blocked(&plan));
    assert!(
        plan.left_alone.iter().any(|left| left.id.to_string() == "stack.logs#small-copied"),
        "{:?}",
        plan.left_alone
    );
}

/// IMPORT_COMPLETE is a success like any other: what somebody imported into the stack is in it.
#[tokio::test(start_paused = true)]
async fn an_import_by_others_is_a_success() {
    let (spec, files) = with_logs();
    let account = Account::new(9, Mood::Calm);
    files.settle(&account, &spec, Intent::Apply).await;
    logs(&account, |groups| {
        groups.insert("third".into(), Default::default());
    });
    let third = "  Third: { Type: 'AWS::Logs::LogGroup', DeletionPolicy: Delete, Properties: { LogGroupName: third } }\n";
    let more = format!("{LOGS}{third}");
    let aws = account.administrator(&spec).await.aws;
    let import = aws_sdk_cloudformation::types::ResourceToImport::builder()
        .logical_resource_id("Third")
        .resource_type("AWS::Logs::LogGroup")
        .resource_identifier("LogGroupName", "third")
        .build();
    let request = aws.cloudformation.create_change_set().stack_name("small-logs").change_set_name("import");
    let request =
        request.change_set_type(ChangeSetType::Import).template_body(&more).resources_to_import(import);
    request.send().await.unwrap();
    aws.clock.sleep(Duration::from_secs(60)).await;
    let request = aws.cloudformation.execute_change_set().stack_name("small-logs").change_set_name("import");
    request.send().await.unwrap();
    assert_eq!(rest(&account, &spec).await, "IMPORT_COMPLETE");
    let imported = Files(BTreeMap::from([("logs.yaml".to_owned(), more)]));
    imported.assert_settled(&account, &spec, Intent::Apply).await;
    imported.settle(&account, &spec, DESTROY).await;
    assert_nothing_left(&account, &spec).await;
}

/// What a plan says of each status in which a stack can be at rest: those too into which the sandbox brings none.
#[tokio::test(start_paused = true)]
async fn every_status_at_rest_is_said() {
    let (spec, files) = with_logs();
    let account = Account::new(3, Mood::Calm);
    files.settle(&account, &spec, Intent::Apply).await;
    let world = serde_json::to_value(account.sandbox.world()).unwrap();
    let mut said = String::new();
    for status in Status::ALL.iter().filter(|status| !status.is_busy() && **status != Status::DeleteComplete)
    {
        let mut world = world.clone();
        let made = world["regions"]["us-east-1"]["cloudformation"]["made"].as_object_mut().unwrap();
        made.values_mut().for_each(|stack| stack["status"] = status.word().into());
        let plan = files.plan(&Account::over(serde_json::from_value(world).unwrap()), &spec).await;
        writeln!(said, "## {}", status.word()).unwrap();
        for step in plan.work() {
            let why = step.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            writeln!(said, "{:?} {}{why}", step.action, step.id).unwrap();
        }
        blocked(&plan).iter().for_each(|why| writeln!(said, "blocked {why}").unwrap());
        if plan.is_empty() {
            writeln!(said, "nothing to do").unwrap();
        }
        writeln!(said).unwrap();
    }
    golden_at("tests/data/stacks/statuses.txt", &said);
}
