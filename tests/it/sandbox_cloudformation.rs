//! Simulated CloudFormation as the real SDK sees it: the second article's stack, and what goes wrong with stacks.

use crate::support;
use auroraml_sandbox::Sandbox;
use auroraml_sandbox::random::Mood;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::types::{
    Capability, ChangeAction, ChangeSetStatus, ChangeSetType, Parameter, Replacement, ResourceStatus,
    ResourceToImport, StackEvent, StackStatus, Tag, TemplateStage,
};
use std::time::Duration;

const ARTICLE: &str = include_str!("../data/cloudformation/customer-insights.yaml");
const LOG: &str = "
Parameters:
  Days: { Type: Number, Default: 7 }
Resources:
  Log:
    Type: AWS::Logs::LogGroup
    Properties: { LogGroupName: !Sub '/${AWS::StackName}/a', RetentionInDays: !Ref Days }
Outputs:
  Arn: { Value: !GetAtt Log.Arn, Export: { Name: log-arn } }
";

struct Account {
    sandbox: Sandbox,
    client: Client,
}

fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata>(result: Result<T, E>) -> String {
    match result {
        Ok(answer) => panic!("must be refused, got {answer:?}"),
        Err(error) => {
            format!("{}: {}", error.code().unwrap_or_default(), error.message().unwrap_or_default())
        }
    }
}

impl Account {
    fn new() -> Account {
        let sandbox = support::sandbox(1, Mood::Calm);
        let client = Client::new(&support::config(&sandbox));
        Account { sandbox, client }
    }

    async fn create(&self, name: &str, template: &str) -> String {
        let request = self.client.create_stack().stack_name(name).template_body(template);
        let request = request.capabilities(Capability::CapabilityIam).client_request_token("first");
        request.send().await.unwrap().stack_id().unwrap().to_string()
    }

    /// The status once nothing is under way, as a waiter would see it.
    async fn rest(&self, stack: &str) -> StackStatus {
        for _ in 0..1_000 {
            let answer = self.client.describe_stacks().stack_name(stack).send().await.unwrap();
            let status = answer.stacks()[0].stack_status().unwrap().clone();
            if !status.as_str().ends_with("_IN_PROGRESS") {
                return status;
            }
            self.sandbox.clock().sleep(Duration::from_secs(30)).await;
        }
        panic!("{stack} never comes to rest");
    }

    /// All events, oldest first, over all pages.
    async fn events(&self, stack: &str) -> Vec<StackEvent> {
        let (mut all, mut token) = (Vec::new(), None);
        loop {
            let page = self.client.describe_stack_events().stack_name(stack).set_next_token(token);
            let page = page.send().await.unwrap();
            all.extend_from_slice(page.stack_events());
            token = page.next_token().map(str::to_string);
            if token.is_none() {
                all.reverse();
                return all;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_articles_stack_is_created_updated_rolled_back_and_deleted() {
    let account = Account::new();
    let client = &account.client;
    let summary = client.get_template_summary().template_body(ARTICLE).send().await.unwrap();
    assert_eq!(summary.capabilities(), [Capability::CapabilityIam]);
    assert_eq!(summary.parameters().len(), 5);
    let unsaid = client.create_stack().stack_name("insights").template_body(ARTICLE).send().await;
    assert!(refusal(unsaid).starts_with("InsufficientCapabilitiesException"));
    let retired = Parameter::builder()
        .parameter_key("EngineVersion")
        .parameter_value("5.7.mysql_aurora.2.07.1")
        .build();
    let old = client.create_stack().stack_name("old").template_body(ARTICLE).parameters(retired);
    old.capabilities(Capability::CapabilityIam).send().await.unwrap();
    assert_eq!(account.rest("old").await, StackStatus::RollbackComplete, "the original's engine is retired");
    let events = account.events("old").await;
    let first =
        events.iter().find(|event| event.resource_status() == Some(&ResourceStatus::CreateFailed)).unwrap();
    assert_eq!(first.logical_resource_id(), Some("AuroraDatabaseCluster"));
    assert!(first.resource_status_reason().unwrap().contains("Cannot find version"));
    client.delete_stack().stack_name("old").send().await.unwrap();

    let id = account.create("insights", ARTICLE).await;
    assert_eq!(account.create("insights", ARTICLE).await, id, "the same token is the same request");
    assert_eq!(account.rest("insights").await, StackStatus::CreateComplete);
    let body = client.get_template().stack_name("insights").template_stage(TemplateStage::Original);
    assert_eq!(body.send().await.unwrap().template_body(), Some(ARTICLE));
    let resources = client.list_stack_resources().stack_name("insights").send().await.unwrap();
    assert_eq!(resources.stack_resource_summaries().len(), 38);
    let stack = client.describe_stacks().stack_name("insights").send().await.unwrap().stacks()[0].clone();
    assert_eq!(stack.outputs().len(), 4);

    // Another instance type of the notebook: in place, with a restart.
    let parameter = |key: &str, value: Option<&str>| {
        let built = Parameter::builder().parameter_key(key).set_parameter_value(value.map(str::to_string));
        built.set_use_previous_value(value.is_none().then_some(true)).build()
    };
    let update = |value: &str| {
        let request = client.update_stack().stack_name("insights").use_previous_template(true);
        let request = request.parameters(parameter("SageMakerInstanceType", Some(value)));
        request
            .parameters(parameter("AuroraDatabaseAdministratorUsername", None))
            .capabilities(Capability::CapabilityIam)
    };
    assert!(refusal(update("ml.m4.xlarge").send().await).contains("No updates are to be performed."));
    assert!(refusal(update("ml.z9.huge").send().await).contains("AllowedValues"));
    update("ml.t2.medium").send().await.unwrap();
    assert_eq!(account.rest("insights").await, StackStatus::UpdateComplete);
    // One that the platform of notebooks does not take any more: taken back.
    update("ml.p2.xlarge").send().await.unwrap();
    assert_eq!(account.rest("insights").await, StackStatus::UpdateRollbackComplete);

    client.delete_stack().stack_name("insights").send().await.unwrap();
    assert_eq!(account.rest(&id).await, StackStatus::DeleteComplete);
    let skipped = account.events(&id).await;
    let skipped =
        skipped.iter().filter(|event| event.resource_status() == Some(&ResourceStatus::DeleteSkipped));
    assert_eq!(skipped.map(|event| event.logical_resource_id().unwrap()).collect::<Vec<_>>(), ["S3Bucket"]);
    let gone = client.describe_stacks().stack_name("insights").send().await;
    assert_eq!(refusal(gone), "ValidationError: Stack with id insights does not exist");
}

#[tokio::test(start_paused = true)]
async fn change_sets_are_looked_at_and_executed() {
    let account = Account::new();
    let client = &account.client;
    let make = |name: &str, kind: ChangeSetType, template: &str| {
        let request =
            client.create_change_set().stack_name("log").change_set_name(name).change_set_type(kind);
        request.template_body(template).tags(Tag::builder().key("a").value("b").build())
    };
    let set = make("first", ChangeSetType::Create, LOG).send().await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(60)).await;
    let shown = client.describe_change_set().change_set_name(set.id().unwrap()).send().await.unwrap();
    assert_eq!(shown.status(), Some(&ChangeSetStatus::CreateComplete));
    let change = shown.changes()[0].resource_change().unwrap();
    assert_eq!(change.action(), Some(&ChangeAction::Add));
    assert_eq!(
        account.client.list_change_sets().stack_name("log").send().await.unwrap().summaries().len(),
        1
    );
    client.execute_change_set().change_set_name(set.id().unwrap()).send().await.unwrap();
    assert_eq!(account.rest("log").await, StackStatus::CreateComplete);
    make("second", ChangeSetType::Update, &LOG.replace("/a'", "/b'")).send().await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(60)).await;
    let shown =
        client.describe_change_set().stack_name("log").change_set_name("second").send().await.unwrap();
    assert_eq!(shown.changes()[0].resource_change().unwrap().replacement(), Some(&Replacement::True));
    client.delete_change_set().stack_name("log").change_set_name("second").send().await.unwrap();
    let gone = client.describe_change_set().stack_name("log").change_set_name("second").send().await;
    assert!(refusal(gone).starts_with("ChangeSetNotFound"));
    make("same", ChangeSetType::Update, LOG).send().await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(60)).await;
    let same = client.describe_change_set().stack_name("log").change_set_name("same").send().await.unwrap();
    assert_eq!(same.status(), Some(&ChangeSetStatus::Failed));
    assert!(same.status_reason().unwrap().contains("didn't contain changes"));
    let refused = client.execute_change_set().stack_name("log").change_set_name("same").send().await;
    assert!(refusal(refused).starts_with("InvalidChangeSetStatus"));
    let exports = client.list_exports().send().await.unwrap();
    assert_eq!(exports.exports()[0].name(), Some("log-arn"));
    let all = client.list_stacks().stack_status_filter(StackStatus::CreateComplete).send().await.unwrap();
    assert_eq!(all.stack_summaries().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_there_comes_into_a_stack() {
    let account = Account::new();
    let client = &account.client;
    let ec2 = aws_sdk_ec2::Client::new(&support::config(&account.sandbox));
    let vpc = ec2.create_vpc().cidr_block("10.9.0.0/16").send().await.unwrap();
    let vpc = vpc.vpc().unwrap().vpc_id().unwrap().to_string();
    let template = "Resources: { Vpc: { Type: 'AWS::EC2::VPC', DeletionPolicy: Retain, Properties: { CidrBlock: 10.9.0.0/16 } } }";
    let wanted = ResourceToImport::builder()
        .logical_resource_id("Vpc")
        .resource_type("AWS::EC2::VPC")
        .resource_identifier("VpcId", &vpc)
        .build();
    let request =
        client.create_change_set().stack_name("taken").change_set_name("in").template_body(template);
    request.change_set_type(ChangeSetType::Import).resources_to_import(wanted).send().await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(60)).await;
    let shown = client.describe_change_set().stack_name("taken").change_set_name("in").send().await.unwrap();
    assert_eq!(shown.changes()[0].resource_change().unwrap().action(), Some(&ChangeAction::Import));
    client.execute_change_set().stack_name("taken").change_set_name("in").send().await.unwrap();
    assert_eq!(account.rest("taken").await, StackStatus::ImportComplete);
    let found = client.describe_stack_resources().physical_resource_id(&vpc).send().await.unwrap();
    assert_eq!(found.stack_resources()[0].logical_resource_id(), Some("Vpc"));
    client
        .update_termination_protection()
        .stack_name("taken")
        .enable_termination_protection(true)
        .send()
        .await
        .unwrap();
    let refused = client.delete_stack().stack_name("taken").send().await;
    assert!(refusal(refused).contains("TerminationProtection is enabled"));
}
