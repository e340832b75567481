//! Every object has one owner at any time, and who that is is said.

use super::*;

const SMALL: &str = "
Resources:
  Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: 10.0.0.0/16, EnableDnsHostnames: true } }
  Subnet1: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24, AvailabilityZone: us-east-1a } }
  Subnet2: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: !Ref Vpc, CidrBlock: 10.0.2.0/24, AvailabilityZone: us-east-1b } }
  Table: { Type: 'AWS::EC2::RouteTable', Properties: { VpcId: !Ref Vpc } }
  Association1: { Type: 'AWS::EC2::SubnetRouteTableAssociation', Properties: { RouteTableId: !Ref Table, SubnetId: !Ref Subnet1 } }
  Association2: { Type: 'AWS::EC2::SubnetRouteTableAssociation', Properties: { RouteTableId: !Ref Table, SubnetId: !Ref Subnet2 } }
";

const ENDPOINTS: &str = "
  EndpointGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Endpoints
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{ IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/16 }]
  S3Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties: { VpcId: !Ref Vpc, ServiceName: !Sub 'com.amazonaws.${AWS::Region}.s3', RouteTableIds: [!Ref Table] }
  SecretsEndpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      ServiceName: !Sub 'com.amazonaws.${AWS::Region}.secretsmanager'
      VpcEndpointType: Interface
      PrivateDnsEnabled: true
      SubnetIds: [!Ref Subnet1, !Ref Subnet2]
      SecurityGroupIds: [!Ref EndpointGroup]
";

/// The same spec without the section that says what is taken over.
fn without_section(written: &Written) -> Spec {
    let (text, _) = written.text.split_once("\ntaken_over:").unwrap();
    spec(text)
}

/// Whoever takes the section out while the stack stands is told that there are two owners, for whatever is to be done.
#[tokio::test(start_paused = true)]
async fn two_owners_are_said() {
    let theirs = Theirs::of(3, SMALL).await;
    let written = theirs.write().await.unwrap();
    theirs.account.apply(&written.spec).await;
    let bare = without_section(&written);
    let stack = theirs.account.administrator(&bare).await;
    let before = theirs.account.mutations();
    for intent in [Intent::Apply, Intent::Destroy { unprotect: true }] {
        let said = match prepare(&stack, intent).await {
            Err(PrepareError::Preflight(problems)) => problems
                .iter()
                .map(|one| format!("{} [{}]: {}\n", one.what, one.code, one.why))
                .collect::<String>(),
            other => panic!("not refused: {}", other.is_ok()),
        };
        assert_eq!(
            said,
            "taken_over [owned-by-cloudformation]: the CloudFormation stack Insights (CREATE_COMPLETE) also owns route_table.private, subnet.private-1, subnet.private-2 and 1 more: with two owners, each changes and deletes what the other has\n"
        );
    }
    assert_eq!(theirs.account.mutations(), before);
    // Who may not ask CloudFormation is told so.
    let held = theirs.account.plan(&bare).await;
    assert!(held.notes.iter().any(|note| note.contains("cannot find out whether")), "{:#?}", held.notes);
    // The stack is gone, and its tags are still there: they say nothing.
    assert!(release(&theirs.account, &written.spec, Order::default()).await.unwrap().is_complete());
    let prepared = prepare(&theirs.account.administrator(&bare).await, Intent::Apply).await.unwrap();
    assert!(prepared.plan.is_empty(), "{:#?}", prepared.plan.work().collect::<Vec<_>>());
    theirs.account.destroy(&written.spec).await;
    assert_eq!(theirs.account.traces(&written.spec), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn vpc_endpoints_are_taken_over() {
    let theirs = Theirs::of(3, &format!("{SMALL}{ENDPOINTS}")).await;
    let Written { spec, text } = theirs.write().await.unwrap();
    assert!(text.contains("endpoints: [s3, secretsmanager]"), "{text}");
    let taken = &spec.taken_over.as_ref().unwrap().objects;
    for resource in ["vpc_endpoint.s3", "vpc_endpoint.secretsmanager", "security_group.endpoints"] {
        assert!(taken.contains_key(resource), "{resource}: {taken:?}");
    }
    let plan = theirs.account.plan(&spec).await;
    let more: Vec<_> =
        plan.work().flat_map(|step| &step.changes).filter(|one| !one.concerns("tags")).collect();
    assert!(more.is_empty(), "{more:#?}");
    assert!(release(&theirs.account, &spec, Order::default()).await.unwrap().is_complete());
    assert_eq!(theirs.status().await, None);
    theirs.assert_all_there(&spec);
    theirs.account.assert_settled(&spec, Intent::Apply).await;
    theirs.account.destroy(&spec).await;
    assert_eq!(theirs.account.traces(&spec), Vec::<String>::new());
}

/// Endpoints that share a group with something else stay as they are, and are named.
#[tokio::test(start_paused = true)]
async fn an_endpoint_that_no_spec_can_say_is_named() {
    let own = "  Other: { Type: 'AWS::EC2::SecurityGroup', Properties: { GroupDescription: Other, VpcId: !Ref Vpc } }\n";
    let two = ENDPOINTS.replace("[!Ref EndpointGroup]", "[!Ref EndpointGroup, !Ref Other]");
    let theirs = Theirs::of(3, &format!("{SMALL}{two}{own}")).await;
    let Written { spec, text } = theirs.write().await.unwrap();
    assert!(text.contains("endpoints: [s3]"), "{text}");
    assert!(text.contains("(com.amazonaws.us-east-1.secretsmanager) is not taken over"), "{text}");
    let said = refusals(release(&theirs.account, &spec, Order::default()).await);
    for logical in ["EndpointGroup", "Other", "SecretsEndpoint"] {
        assert!(said.contains(&format!("{logical} (AWS::EC2::")), "{logical}: {said}");
    }
}

/// With `--leave` the stack stands on, and what it let go of must be skipped and not deleted.
#[tokio::test(start_paused = true)]
async fn what_was_deleted_instead_of_skipped_is_said() {
    let log = "  Log: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: /insights/a } }\n";
    let more = "  Spare: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: /insights/b } }\n";
    let theirs = Theirs::of(3, &format!("{SMALL}{log}{more}")).await;
    let spec = theirs.spec().await;
    let order = Order {
        leave: ["Log".to_string()].into(),
        unowned: ["Spare".to_string()].into(),
        ..Order::default()
    };
    let skipped = Theirs::over(Account::over(theirs.account.sandbox.world()));
    assert!(release(&skipped.account, &spec, order.clone()).await.unwrap().is_complete());
    assert_eq!(skipped.status().await.as_deref(), Some("UPDATE_COMPLETE"));
    let arn = skipped.arn().await;
    let asked = skipped.account.connect_for(&spec, &[Purpose::Release]).await.unwrap();
    assert_eq!(takeover::deleted(&asked.aws, &arn).await.unwrap(), Vec::<String>::new());
    // An update in our name, as if CloudFormation had not honoured the policies.
    let update =
        theirs.cloudformation.update_stack().stack_name(NAME).client_request_token("auroraml-release-1");
    update.template_body(format!("{SMALL}{log}")).send().await.unwrap();
    theirs.rest().await;
    let mut stack = theirs.account.connect_for(&spec, &[Purpose::Release]).await.unwrap();
    assert_eq!(takeover::deleted(&stack.aws, &arn).await.unwrap(), ["Spare"]);
    stack.release(Order { leave: ["Log".to_string()].into(), ..Order::default() });
    let plan = prepare(&stack, Intent::Apply).await.unwrap().plan;
    let blocked: Vec<String> = plan.blocked.iter().map(|one| format!("{}: {}", one.id, one.why)).collect();
    assert!(
        blocked.iter().any(|why| why.contains("CloudFormation deleted what it should have kept")),
        "{blocked:?}"
    );
}
