//! What CloudFormation made and a spec takes over.

use super::fixtures::{Situation, judged, pair};
use crate::harness::spec;
use auroraml::run::reconcile::{PrepareError, prepare};
use auroraml_core::model::{Code, Preflight};
use auroraml_core::policy::Purpose;
use auroraml_core::takeover::Order;
use aws_sdk_cloudformation::Client;
use std::time::Duration;

const TEMPLATE: &str = "Resources:\n  Vpc: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.0.0.0/16, EnableDnsHostnames: true } }\n  Group: { Type: AWS::EC2::SecurityGroup, Properties: { GroupDescription: others, VpcId: !Ref Vpc } }\nOutputs:\n  Id: { Value: !Ref Vpc, Export: { Name: platform-vpc } }\n";

/// A stack of CloudFormation's, and the spec that takes its VPC over.
async fn made(more: &str) -> (Situation, Client) {
    let situation = Situation::new("stack: shop\nregion: us-east-1\n");
    let client = Client::new(&situation.config());
    client.create_stack().stack_name("Platform").template_body(TEMPLATE).send().await.unwrap();
    let mut told = None;
    for _ in 0..200 {
        situation.wait(5).await;
        let answer = client.describe_stacks().stack_name("Platform").send().await.unwrap();
        let stack = answer.stacks()[0].clone();
        told = stack.stack_id().map(String::from);
        if stack.stack_status().is_some_and(|status| status.as_str() == "CREATE_COMPLETE") {
            break;
        }
    }
    let arn = told.unwrap();
    let resources = client.list_stack_resources().stack_name("Platform").send().await.unwrap();
    let vpc =
        resources.stack_resource_summaries().iter().find(|one| one.logical_resource_id() == Some("Vpc"));
    let vpc = vpc.unwrap().physical_resource_id().unwrap();
    let text = format!(
        "stack: shop\nregion: us-east-1\nnetwork: {{ cidr: 10.0.0.0/16 }}\ntaken_over:\n  from_stack: {arn}\n  objects: {{ vpc.main: {vpc} }}\n{more}"
    );
    (situation.planning(&text), client)
}

#[tokio::test(start_paused = true)]
async fn what_cloudformation_owns() {
    let (owned, _) = made("").await;
    let (gone, client) = made("").await;
    client.delete_stack().stack_name("Platform").send().await.unwrap();
    gone.account.sandbox.clock().sleep(Duration::from_secs(1_800)).await;
    pair(Code::OwnedByCloudformation, owned.destroying(), gone.destroying()).await;
    let subnet = |as_found: &str| {
        let text = "stack: shop\nregion: us-east-1\nnetwork: { cidr: 10.0.0.0/16, private_subnets: [10.0.1.0/24] }\ntaken_over:\n  from_stack: arn:aws:cloudformation:us-east-1:111122223333:stack/Platform/0a1b2c3d\n";
        Situation::new(&format!("{text}  as_found: {{ vpc.main: [\"{as_found}\"] }}\n"))
    };
    pair(Code::TakenOver, subnet("*"), subnet("dns_hostnames")).await;
}

async fn released(unowned: &[&str]) -> Result<(), Vec<Preflight>> {
    let (situation, _) = made("").await;
    let mut stack = situation.account.connect_for(&situation.spec, &[Purpose::Release]).await.unwrap();
    let unowned = unowned.iter().map(ToString::to_string).collect();
    stack.release(Order { unowned, ..Order::default() });
    match prepare(&stack, situation.intent).await {
        Ok(_) => Ok(()),
        Err(PrepareError::Preflight(problems)) => Err(problems),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_release_must_know() {
    judged(Code::ReleaseRefused, released(&[]).await, released(&["Group"]).await);
}

/// A network alone: the spec is as good as its neighbours.
#[test]
fn the_section_can_stand_alone() {
    let text = "stack: shop\nregion: us-east-1\ntaken_over: { from_stack: \"arn:aws:cloudformation:us-east-1:111122223333:stack/Platform/0a1b2c3d\" }\n";
    assert_eq!(spec(text).taken_over.unwrap().stack_name(), "Platform");
}
