//! What goes wrong with stacks, and how one gets out of it.

use super::{ARTICLE, Account, MINUTE, element};
use crate::call::Call;
use crate::random::Mood;
use crate::wire::{Params, Request};
use crate::world::World;

const TWO_LOGS: &str = "
Parameters:
  Days: { Type: Number, Default: 7 }
  Other: { Type: Number, Default: 7 }
Resources:
  First: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: one, RetentionInDays: !Ref Days } }
  Second: { Type: 'AWS::Logs::LogGroup', DependsOn: First, Properties: { LogGroupName: two, RetentionInDays: !Ref Other } }
";

#[test]
fn a_rollback_that_fails_goes_on_when_it_is_told_what_to_skip() {
    let mut account = Account::new(Mood::Calm);
    account.create("two", TWO_LOGS).unwrap();
    account.rest("two");
    let wrong = TWO_LOGS.replace("Days: { Type: Number, Default: 7", "Days: { Type: Number, Default: 14");
    let wrong = wrong.replace("Other: { Type: Number, Default: 7", "Other: { Type: Number, Default: 8");
    account.update("two", &wrong).unwrap();
    // Somebody deletes the first group in the middle of it.
    for _ in 0..100 {
        account.wait(500);
        account.status("two");
        let groups = &mut account.world.regions.get_mut("us-east-1").unwrap().logs.groups;
        if groups["one"].retention_days == Some(14) {
            groups.remove("one");
            break;
        }
    }
    assert_eq!(account.rest("two"), "UPDATE_ROLLBACK_FAILED", "{}", account.events("two"));
    assert!(account.update("two", TWO_LOGS).unwrap_err().contains("UPDATE_ROLLBACK_FAILED state"));
    let skip = [("StackName", "two"), ("ResourcesToSkip.member.1", "Second")];
    assert!(account.ask("ContinueUpdateRollback", &skip).unwrap_err().contains("to skip"));
    account.ask("ContinueUpdateRollback", &[("StackName", "two")]).unwrap();
    assert_eq!(account.rest("two"), "UPDATE_ROLLBACK_FAILED", "nothing has changed");
    let skip = [("StackName", "two"), ("ResourcesToSkip.member.1", "First")];
    account.ask("ContinueUpdateRollback", &skip).unwrap();
    assert_eq!(account.rest("two"), "UPDATE_ROLLBACK_COMPLETE", "{}", account.events("two"));
}

#[test]
fn a_deletion_that_fails_can_leave_behind_what_it_cannot_delete() {
    let mut account = Account::new(Mood::Calm);
    let template = "
Resources:
  Bucket: { Type: 'AWS::S3::Bucket' }
  Log: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: !Ref Bucket } }
";
    account.create("full", template).unwrap();
    assert_eq!(account.rest("full"), "CREATE_COMPLETE", "{}", account.events("full"));
    let bucket = account.physical("full", "Bucket");
    assert!(bucket.starts_with("full-bucket-"), "{bucket}");
    let retain = [("StackName", "full"), ("RetainResources.member.1", "Bucket")];
    assert!(account.ask("DeleteStack", &retain).unwrap_err().contains("DELETE_FAILED state"));
    let put = Call {
        service: "s3".into(),
        operation: "PutObject".into(),
        region: "us-east-1".into(),
        caller: String::new(),
        now: account.world.now,
        params: Params::default(),
        json: Default::default(),
        request: Request { method: "PUT".into(), path: format!("/{bucket}/key"), ..Request::default() },
    };
    assert_eq!(account.world.answer(&put).status, 200);
    let id = element(&account.ask("DescribeStacks", &[("StackName", "full")]).unwrap(), "StackId");
    account.ask("DeleteStack", &[("StackName", "full")]).unwrap();
    assert_eq!(account.rest("full"), "DELETE_FAILED");
    assert!(account.events("full").contains("Bucket DELETE_FAILED"), "{}", account.events("full"));
    account.ask("DeleteStack", &retain).unwrap();
    assert_eq!(account.rest(&id), "DELETE_COMPLETE");
    assert!(account.world.global.s3.buckets.contains_key(&bucket));
}

/// What an update of the instances does with members that wait for a restart.
#[test]
fn an_update_restarts_all_pending_members_at_once() {
    let mut account = Account::new(Mood::Calm);
    let second = "  AnotherInstance:
    Type: AWS::RDS::DBInstance
    Properties:
      DBInstanceIdentifier: !Sub '${AWS::StackName}-second'
      DBClusterIdentifier: !Ref AuroraDatabaseCluster
      DBInstanceClass: db.r5.large
      Engine: aurora-mysql

Outputs:
";
    let two = ARTICLE.replace("Outputs:\n", second);
    account.create("ml", &two).unwrap();
    assert_eq!(account.rest("ml"), "CREATE_COMPLETE", "{}", account.events("ml"));
    let parameter = "character_set_database: utf32\n        binlog_format: ROW";
    let changed = two.replace("character_set_database: utf32", parameter);
    account.update("ml", &changed).unwrap();
    assert_eq!(account.rest("ml"), "UPDATE_COMPLETE", "{}", account.events("ml"));
    let pending = |account: &mut Account| {
        let clusters = account.send("rds", "DescribeDBClusters", &[]);
        String::from_utf8(clusters.body).unwrap().matches("pending-reboot").count()
    };
    assert_eq!(pending(&mut account), 2, "a change of parameters alone restarts nothing");
    account
        .ask(
            "UpdateStack",
            &[
                ("StackName", "ml"),
                ("UsePreviousTemplate", "true"),
                ("Capabilities.member.1", "CAPABILITY_IAM"),
                ("Tags.member.1.Key", "owner"),
                ("Tags.member.1.Value", "me"),
            ],
        )
        .unwrap();
    assert_eq!(account.rest("ml"), "UPDATE_COMPLETE", "{}", account.events("ml"));
    assert_eq!(pending(&mut account), 0);
}

#[test]
fn a_restless_world_ends_in_a_known_state() {
    for seed in 1..4 {
        let mut account = Account { world: World::new(seed, Mood::Real) };
        account.create("insights", ARTICLE).unwrap();
        let status = account.rest("insights");
        let events = account.events("insights");
        assert!(
            matches!(status.as_str(), "CREATE_COMPLETE" | "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED"),
            "{seed}: {status}\n{events}"
        );
        assert_eq!(status, "CREATE_COMPLETE", "{seed}: {events}");
        let id = element(&account.ask("DescribeStacks", &[("StackName", "insights")]).unwrap(), "StackId");
        account.ask("DeleteStack", &[("StackName", "insights")]).unwrap();
        let mut status = account.rest(&id);
        // An interface that stays longer than CloudFormation waits: asked again, it goes on.
        for _ in 0..4 {
            if status == "DELETE_FAILED" {
                assert!(account.events(&id).contains("DELETE_FAILED Resource handler returned message"));
                account.wait(20 * MINUTE);
                account.ask("DeleteStack", &[("StackName", &id)]).unwrap();
                status = account.rest(&id);
            }
        }
        assert_eq!(status, "DELETE_COMPLETE", "{seed}: {}", account.events(&id));
    }
}

/// The templates that specs are exported to have no type and no property that the sandbox does not know.
#[test]
fn exported_templates_are_understood() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/export");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        seen += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        super::super::template::Template::parse(&text)
            .unwrap_or_else(|fault| panic!("{}: {fault:?}", path.display()));
    }
    assert!(seen > 5, "{folder}");
}

/// What was made in the same moment as something else failed is not seen yet, and goes all the same.
#[test]
fn a_rollback_leaves_nothing_that_was_just_made() {
    let template = "
Resources:
  Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: 10.0.0.0/16, EnableDnsSupport: true, EnableDnsHostnames: true } }
  One:
    Type: AWS::EC2::Subnet
    Properties: { VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24, AvailabilityZone: us-east-1a }
  Other:
    Type: AWS::EC2::Subnet
    Properties: { VpcId: !Ref Vpc, CidrBlock: 192.168.0.0/24, AvailabilityZone: us-east-1b }
";
    let endpoint =
        "  Group: { Type: 'AWS::EC2::SecurityGroup', Properties: { GroupDescription: x, VpcId: !Ref Vpc } }
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      VpcEndpointType: Interface
      ServiceName: com.amazonaws.us-east-1.sts
      SubnetIds: [!Ref One]
      SecurityGroupIds: [!Ref Group]
  Wrong:
    Type: AWS::EC2::Subnet
    DependsOn: [One, Group]
    Properties: { VpcId: !Ref Vpc, CidrBlock: 192.168.1.0/24, AvailabilityZone: us-east-1b }
";
    let with_endpoint = template.replace("192.168.0.0/24", "10.0.1.0/24") + endpoint;
    for text in [template, &with_endpoint] {
        for (seed, mood) in
            [(5, Mood::Calm), (6, Mood::Calm), (1, Mood::Real), (2, Mood::Real), (3, Mood::Real)]
        {
            let mut account = Account { world: World::new(seed, mood) };
            account.create("net", text).unwrap();
            let status = account.rest("net");
            let mut left = String::new();
            for operation in ["DescribeSubnets", "DescribeVpcEndpoints", "DescribeNetworkInterfaces"] {
                let there = account.send("ec2", operation, &[]).body;
                left.push_str(&String::from_utf8(there).unwrap());
            }
            assert_eq!(status, "ROLLBACK_COMPLETE", "{seed}: {left}\n{}", account.events("net"));
            assert!(!left.contains("10.0.0.0/24"), "{seed}: {left}\n{}", account.events("net"));
        }
    }
}

/// Alarms: made from texts and numbers, changed in place, renamed by another one, deleted.
#[test]
fn an_alarm_follows_what_it_watches() {
    let template = "
Parameters:
  Endpoint: { Type: String, Default: churn }
  Limit: { Type: Number, Default: 0.5 }
Resources:
  Slow:
    Type: AWS::CloudWatch::Alarm
    Properties:
      MetricName: ModelLatency
      Namespace: AWS/SageMaker
      Statistic: Average
      Dimensions: [{ Name: EndpointName, Value: !Ref Endpoint }]
      Period: '60'
      EvaluationPeriods: 3
      Threshold: !Ref Limit
      ComparisonOperator: GreaterThanThreshold
      TreatMissingData: notBreaching
Outputs:
  Name: { Value: !Ref Slow }
  Arn: { Value: !GetAtt Slow.Arn }
";
    let mut account = Account::new(Mood::Calm);
    account.create("watch", template).unwrap();
    assert_eq!(account.rest("watch"), "CREATE_COMPLETE", "{}", account.events("watch"));
    let name = account.physical("watch", "Slow");
    assert!(name.starts_with("watch-Slow-"), "{name}");
    let alarm = |account: &Account| account.world.regions["us-east-1"].cloudwatch.alarms[&name].clone();
    assert_eq!(alarm(&account).settings["Threshold"], 0.5);
    assert!(alarm(&account).tags.iter().any(|(key, _)| key == "aws:cloudformation:stack-name"));
    account.update("watch", &template.replace("Default: churn", "Default: other")).unwrap();
    assert_eq!(account.rest("watch"), "UPDATE_COMPLETE", "{}", account.events("watch"));
    assert_eq!(alarm(&account).settings["Dimensions"][0]["Value"], "other");
    account.ask("DeleteStack", &[("StackName", "watch")]).unwrap();
    account.wait(MINUTE);
    account.ask("ListStacks", &[]).unwrap();
    assert!(account.world.regions["us-east-1"].cloudwatch.alarms.is_empty());
}
