//! Templates of CloudFormation beside what is the stack's own: alarms on our endpoints, roles, keys and buckets of theirs in
//! our properties, stacks within stacks, change sets that were reviewed.

use crate::harness::{Account, spec, spec_file};
use crate::stacks_of_templates::{DESTROY, Files, assert_nothing_left, blocked, carried_out, stacks};
use auroraml::kinds::change_set::ChangeSets;
use auroraml::run::change_sets::clear;
use auroraml::run::reconcile::{Prepared, prepare};
use auroraml_core::model::Intent;
use auroraml_core::policy::Purpose;
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use std::collections::BTreeMap;
use std::sync::Arc;

fn files(all: &[(&str, &str)]) -> Files {
    Files(all.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
}

const WATCHED: &str = "stack: watched
region: us-east-1
bucket: { on_destroy: empty }
endpoints:
  churn:
    model: { image: \"xgboost:1.7-1\", artifact: \"s3://sagemaker-sample-files/models/churn/model.tar.gz\" }
    instance: ml.m5.large
stacks:
  alarms:
    template: alarms.yaml
    parameters: { Endpoint: \"${endpoints.churn.name}\" }
";
const ALARMS: &str = "Parameters:
  Endpoint: { Type: String }
Resources:
  Slow:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: !Sub 'Answers of ${Endpoint} take half a second'
      Namespace: AWS/SageMaker
      MetricName: ModelLatency
      Dimensions:
        - { Name: EndpointName, Value: !Ref Endpoint }
        - { Name: VariantName, Value: AllTraffic }
      Statistic: Average
      Period: 60
      EvaluationPeriods: 3
      Threshold: 500000
      ComparisonOperator: GreaterThanThreshold
Outputs:
  Alarm: { Value: !GetAtt Slow.Arn }
";

/// An alarm of a template's watches our endpoint; when another one takes its place, the alarm follows.
#[tokio::test(start_paused = true)]
async fn an_alarm_watches_our_endpoint() {
    let first = spec(WATCHED);
    let (account, files) = (Account::new(1, Mood::Calm), files(&[("alarms.yaml", ALARMS)]));
    files.settle(&account, &first, Intent::Apply).await;
    let watched = || {
        account.sandbox.with(|world| {
            let alarms = &world.regions["us-east-1"].cloudwatch.alarms;
            assert_eq!(alarms.len(), 1);
            let alarm = alarms.values().next().unwrap();
            alarm.settings["Dimensions"][0]["Value"].as_str().unwrap().to_owned()
        })
    };
    assert_eq!(watched(), "churn");
    let second =
        spec(&WATCHED.replace("churn:\n", "churn-b:\n").replace("endpoints.churn.", "endpoints.churn-b."));
    files.settle(&account, &second, Intent::Apply).await;
    assert_eq!(watched(), "churn-b");
    files.settle(&account, &second, DESTROY).await;
    assert_nothing_left(&account, &second).await;
    account.sandbox.with(|world| assert!(world.regions["us-east-1"].cloudwatch.alarms.is_empty()));
}

/// A network below the cluster, and alarms above it and the endpoint.
#[tokio::test(start_paused = true)]
async fn the_example_lives() {
    let spec = spec(&spec_file("with-cloudformation.yaml"));
    let (account, files) = (Account::new(5, Mood::Real), Files::of(&spec));
    files.settle(&account, &spec, Intent::Apply).await;
    account.sandbox.with(|world| assert_eq!(world.regions["us-east-1"].cloudwatch.alarms.len(), 2));
    files.settle(&account, &spec, DESTROY).await;
    assert_nothing_left(&account, &spec).await;
}

/// Key, roles and bucket of a template's in our properties: made after it, found again, gone before it.
#[tokio::test(start_paused = true)]
async fn names_and_arns_of_a_template_are_taken() {
    let spec = spec(&std::fs::read_to_string("tests/data/referring.yaml").unwrap());
    let (account, files) = (Account::new(2, Mood::Calm), Files::of(&spec));
    files.settle(&account, &spec, Intent::Apply).await;
    account.sandbox.with(|world| {
        let all = serde_json::to_string(&world.clone().without_contents()).unwrap();
        assert!(!all.contains("${stacks."), "nothing was sent that is not known");
    });
    let aws = account.administrator(&spec).await.aws;
    let found = aws.rds.describe_db_clusters().send().await.unwrap();
    let cluster = &found.db_clusters()[0];
    let roles: Vec<&str> = cluster.associated_roles().iter().filter_map(|role| role.role_arn()).collect();
    assert!(roles.iter().any(|arn| arn.contains(":role/referring-base-Caller-")), "{roles:?}");
    assert!(cluster.kms_key_id().is_some_and(|key| key.contains(":key/")), "{:?}", cluster.kms_key_id());
    let again = files.with("referring/base.yaml", "PolicyName: call", "PolicyName: calls");
    let (outcome, told) = again.run(&account, &spec, Intent::Apply, &["stack.base"]).await;
    assert!(outcome.is_complete(), "{:#?}\n{told}", outcome.reports);
    again.assert_settled(&account, &spec, Intent::Apply).await;
    again.settle(&account, &spec, DESTROY).await;
    assert_nothing_left(&account, &spec).await;
}

const NESTED: &str = "stack: nest
region: us-east-1
stacks:
  outer: { template: outer.yaml, parameters: { Version: \"1\" } }
";
const OUTER: &str = "Parameters:
  Version: { Type: String }
Resources:
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties: { TemplateURL: !Sub 'https://templates.s3.us-east-1.amazonaws.com/inner-${Version}.yaml' }
Outputs:
  Data: { Value: !GetAtt Inner.Outputs.Data }
";
const INNER: &str = "Resources:
  Data: { Type: 'AWS::S3::Bucket', Properties: { BucketName: nest-data-1 } }
Outputs:
  Data: { Value: !Ref Data }
";

async fn put(account: &Account, spec: &Spec, key: &str, text: &str) {
    let aws = account.administrator(spec).await.aws;
    let _ = aws.s3.create_bucket().bucket("templates").send().await;
    let put = aws.s3.put_object().bucket("templates").key(key).body(text.as_bytes().to_vec().into());
    put.send().await.unwrap();
}

async fn asking(files: &Files, account: &Account, spec: &Spec) -> (auroraml::stack::Stack, Prepared) {
    let mut stack = files.connect(account, spec, Purpose::Apply).await;
    stack.change_sets = Some(Arc::new(ChangeSets::default()));
    let prepared = prepare(&stack, Intent::Apply).await.unwrap();
    (stack, prepared)
}

/// Change sets reach into stacks within: what they replace there is lost, and said.
#[tokio::test(start_paused = true)]
async fn what_is_replaced_in_a_stack_within_counts_as_loss() {
    let one = spec(NESTED);
    let (account, files) = (Account::new(3, Mood::Calm), files(&[("outer.yaml", OUTER)]));
    put(&account, &one, "inner-1.yaml", INNER).await;
    put(&account, &one, "inner-2.yaml", &INNER.replace("nest-data-1", "nest-data-2")).await;
    put(&account, &one, "inner-3.yaml", &INNER.replace("Outputs:\n", "Outputs:\n  Same: { Value: x }\n"))
        .await;
    let (stack, prepared) = asking(&files, &account, &one).await;
    let notes = prepared.plan.notes.join("\n");
    assert!(notes.contains("Inner/Data (AWS::S3::Bucket)"), "{notes}");
    clear(&stack).await.unwrap();
    stack.aws.clock.sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(stacks(&account, &one).await, BTreeMap::new(), "neither of the two is left");
    files.settle(&account, &one, Intent::Apply).await;
    // The bucket in it would be another one.
    let two = spec(&NESTED.replace("\"1\"", "\"2\""));
    let (stack, prepared) = asking(&files, &account, &two).await;
    assert_eq!(
        blocked(&prepared.plan),
        [
            "stack.outer: Inner/Data (AWS::S3::Bucket) is replaced and loses its data; keep it in the template as it is; to delete it with its data, add --delete stack.outer"
        ]
    );
    clear(&stack).await.unwrap();
    // Another output loses nothing; without a change set that cannot be told.
    let three = spec(&NESTED.replace("\"1\"", "\"3\""));
    let told = blocked(&files.plan(&account, &three).await);
    assert!(told.concat().contains("Inner (AWS::CloudFormation::Stack) may be replaced"), "{told:?}");
    let (stack, prepared) = asking(&files, &account, &three).await;
    assert_eq!(blocked(&prepared.plan), [""; 0]);
    drop(prepared);
    clear(&stack).await.unwrap();
    let mut stack = files.connect(&account, &three, Purpose::Apply).await;
    stack.change_sets = Some(Arc::new(ChangeSets::default()));
    let (outcome, told) = carried_out(&stack, Intent::Apply).await;
    assert!(outcome.is_complete(), "{:#?}\n{told}", outcome.reports);
    clear(&stack).await.unwrap();
    files.assert_settled(&account, &three, Intent::Apply).await;
    files.settle(&account, &three, DESTROY).await;
    assert_nothing_left(&account, &three).await;
}

/// A stack within that fails is told with what failed in it.
#[tokio::test(start_paused = true)]
async fn the_cause_of_a_failure_is_found_in_the_stack_within() {
    let one = spec(NESTED);
    let (account, files) = (Account::new(4, Mood::Calm), files(&[("outer.yaml", OUTER)]));
    let wrong = "Resources:\n  Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: 10.0.0.0/33 } }\nOutputs:\n  Data: { Value: !Ref Vpc }\n";
    put(&account, &one, "inner-1.yaml", wrong).await;
    let why = files.fails(&account, &one, Intent::Apply, &[]).await;
    assert!(why.contains("ROLLBACK_COMPLETE"), "{why}");
    assert!(why.contains("Inner (AWS::CloudFormation::Stack) CREATE_FAILED: Embedded stack"), "{why}");
    assert!(why.contains("because Vpc (AWS::EC2::VPC) CREATE_FAILED"), "{why}");
    put(&account, &one, "inner-1.yaml", INNER).await;
    files.settle(&account, &one, Intent::Apply).await;
    files.settle(&account, &one, DESTROY).await;
    assert_nothing_left(&account, &one).await;
}
