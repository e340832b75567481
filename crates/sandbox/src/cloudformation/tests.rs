//! Stacks from a template to nothing, in a world whose time the tests set.

mod hard;
mod nested;

use crate::call::Call;
use crate::random::Mood;
use crate::wire::{Params, Request, Response};
use crate::world::World;

const ARTICLE: &str = include_str!("../../../../tests/data/cloudformation/customer-insights.yaml");
const MINUTE: u64 = 60_000;

struct Account {
    world: World,
}

impl Account {
    fn new(mood: Mood) -> Account {
        Account { world: World::new(7, mood) }
    }

    fn send(&mut self, service: &str, operation: &str, parameters: &[(&str, &str)]) -> Response {
        let pairs = parameters.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string()));
        let call = Call {
            service: service.into(),
            operation: operation.into(),
            region: "us-east-1".into(),
            caller: String::new(),
            now: self.world.now,
            params: Params::of(pairs),
            json: Default::default(),
            request: Request { method: "POST".into(), path: "/".into(), ..Request::default() },
        };
        self.world.answer(&call)
    }

    fn ask(&mut self, operation: &str, parameters: &[(&str, &str)]) -> Result<String, String> {
        let response = self.send("cloudformation", operation, parameters);
        let text = String::from_utf8(response.body).unwrap();
        if response.status < 300 { Ok(text) } else { Err(text) }
    }

    /// Lets time pass; everything looks as if somebody had looked every ten seconds.
    fn wait(&mut self, ms: u64) {
        self.world.now += ms;
    }

    fn status(&mut self, stack: &str) -> String {
        let text = self.ask("DescribeStacks", &[("StackName", stack)]).unwrap();
        element(&text, "StackStatus")
    }

    /// Waits until nothing is under way.
    fn rest(&mut self, stack: &str) -> String {
        for _ in 0..600 {
            let status = self.status(stack);
            if !status.ends_with("_IN_PROGRESS") {
                return status;
            }
            self.wait(MINUTE / 2);
        }
        panic!("{stack} never ends: {}", self.events(stack));
    }

    fn events(&mut self, stack: &str) -> String {
        let text = self.ask("DescribeStackEvents", &[("StackName", stack)]).unwrap();
        let each = text.split("<member>").skip(1).map(|event| {
            let get = |name: &str| element(event, name);
            format!("{} {} {}", get("LogicalResourceId"), get("ResourceStatus"), get("ResourceStatusReason"))
        });
        let mut lines: Vec<String> = each.collect();
        lines.reverse();
        lines.join("\n")
    }

    fn create(&mut self, stack: &str, template: &str) -> Result<String, String> {
        self.ask(
            "CreateStack",
            &[
                ("StackName", stack),
                ("TemplateBody", template),
                ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
            ],
        )
    }

    fn update(&mut self, stack: &str, template: &str) -> Result<String, String> {
        self.ask(
            "UpdateStack",
            &[
                ("StackName", stack),
                ("TemplateBody", template),
                ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
            ],
        )
    }

    fn physical(&mut self, stack: &str, logical: &str) -> String {
        let asked = [("StackName", stack), ("LogicalResourceId", logical)];
        let text = self.ask("DescribeStackResources", &asked).unwrap();
        element(&text, "PhysicalResourceId")
    }
}

fn element(text: &str, name: &str) -> String {
    let start = format!("<{name}>");
    let Some((_, rest)) = text.split_once(&start) else { return String::new() };
    let inner = rest.split(&format!("</{name}>")).next().unwrap_or_default();
    quick_xml::escape::unescape(inner).unwrap().into_owned()
}

const GROUP: &str = "
Parameters:
  Days: { Type: Number, Default: 7 }
  Password: { Type: String, NoEcho: true, Default: secret99 }
Resources:
  Log:
    Type: AWS::Logs::LogGroup
    Properties: { LogGroupName: !Sub '/${AWS::StackName}/a', RetentionInDays: !Ref Days }
Outputs:
  Name: { Value: !Ref Log, Export: { Name: !Sub '${AWS::StackName}-log' } }
  Arn: { Value: !GetAtt Log.Arn }
";

#[test]
fn the_articles_stack_from_beginning_to_end() {
    for mood in [Mood::Calm, Mood::Instant] {
        let mut account = Account::new(mood);
        account.create("insights", ARTICLE).unwrap();
        let status = account.rest("insights");
        assert_eq!(status, "CREATE_COMPLETE", "{}", account.events("insights"));
        let resources = account.ask("ListStackResources", &[("StackName", "insights")]).unwrap();
        assert_eq!(resources.matches("CREATE_COMPLETE").count(), 38);
        let described = account.ask("DescribeStacks", &[("StackName", "insights")]).unwrap();
        assert!(described.contains("insights-SageMaker-Endpoint"), "{described}");
        let body = account.ask("GetTemplate", &[("StackName", "insights")]).unwrap();
        assert_eq!(element(&body, "TemplateBody"), ARTICLE, "byte for byte");
        // What CloudFormation made has its tags.
        let region = &account.world.regions["us-east-1"];
        let cluster = region.rds.tags_of("cluster", "insights-auroradatabasecluster").unwrap();
        assert_eq!(cluster["aws:cloudformation:stack-name"], "insights");
        assert_eq!(cluster["aws:cloudformation:logical-id"], "AuroraDatabaseCluster");
        assert_eq!(cluster["StackName"], "insights");
        account.ask("DeleteStack", &[("StackName", "insights")]).unwrap();
        let id = element(&described, "StackId");
        // Mood::Real may meet an interface that stays; calm, ten minutes pass.
        let status = account.rest(&id);
        let events = account.events(&id);
        assert_eq!(status, "DELETE_COMPLETE", "{events}");
        assert!(events.contains("S3Bucket DELETE_SKIPPED"), "{events}");
        assert!(
            account
                .ask("DescribeStacks", &[("StackName", "insights")])
                .unwrap_err()
                .contains("does not exist")
        );
        let left =
            crate::tagging::there("us-east-1", &account.world.regions["us-east-1"], &account.world.global);
        // A gateway that is deleted stays listed for an hour.
        let left: Vec<&String> = left.keys().filter(|arn| !arn.contains(":natgateway/")).collect();
        assert_eq!(left.len(), 1, "the bucket: {left:?}");
    }
}

#[test]
fn a_small_stack_is_created_updated_and_deleted() {
    let mut account = Account::new(Mood::Calm);
    account.create("small", GROUP).unwrap();
    assert_eq!(account.status("small"), "CREATE_IN_PROGRESS");
    assert_eq!(account.rest("small"), "CREATE_COMPLETE");
    let described = account.ask("DescribeStacks", &[("StackName", "small")]).unwrap();
    assert!(described.contains("<ParameterValue>****</ParameterValue>") && !described.contains("secret99"));
    assert!(described.contains("<ExportName>small-log</ExportName>"));
    assert!(account.update("small", GROUP).unwrap_err().contains("No updates are to be performed."));
    assert!(account.create("small", GROUP).unwrap_err().contains("already exists"));
    // In place.
    let asked = [
        ("StackName", "small"),
        ("UsePreviousTemplate", "true"),
        ("Parameters.member.1.ParameterKey", "Days"),
        ("Parameters.member.1.ParameterValue", "30"),
        ("Parameters.member.2.ParameterKey", "Password"),
        ("Parameters.member.2.UsePreviousValue", "true"),
    ];
    account.ask("UpdateStack", &asked).unwrap();
    assert_eq!(account.rest("small"), "UPDATE_COMPLETE");
    assert_eq!(account.world.regions["us-east-1"].logs.groups["/small/a"].retention_days, Some(30));
    // A replacement, the old one going after.
    let renamed = GROUP.replace("/a'", "/b'").replace("Default: 7", "Default: 30");
    account.update("small", &renamed).unwrap();
    assert_eq!(account.rest("small"), "UPDATE_COMPLETE");
    let groups: Vec<&String> = account.world.regions["us-east-1"].logs.groups.keys().collect();
    assert_eq!(groups, ["/small/b"]);
    // Protected, it stays.
    let protect = [("StackName", "small"), ("EnableTerminationProtection", "true")];
    account.ask("UpdateTerminationProtection", &protect).unwrap();
    assert!(
        account.ask("DeleteStack", &[("StackName", "small")]).unwrap_err().contains("TerminationProtection")
    );
    let release = [("StackName", "small"), ("EnableTerminationProtection", "false")];
    account.ask("UpdateTerminationProtection", &release).unwrap();
    let id = element(&account.ask("DescribeStacks", &[("StackName", "small")]).unwrap(), "StackId");
    account.ask("DeleteStack", &[("StackName", "small")]).unwrap();
    assert_eq!(account.rest(&id), "DELETE_COMPLETE");
    assert!(account.world.regions["us-east-1"].logs.groups.is_empty());
}

#[test]
fn a_policy_alone_is_honoured_and_what_is_retained_is_skipped() {
    let mut account = Account::new(Mood::Calm);
    account.create("kept", GROUP).unwrap();
    account.rest("kept");
    let retained = GROUP.replace(
        "    Type: AWS::Logs::LogGroup\n",
        "    Type: AWS::Logs::LogGroup\n    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n",
    );
    account.update("kept", &retained).unwrap();
    assert_eq!(account.rest("kept"), "UPDATE_COMPLETE");
    let id = element(&account.ask("DescribeStacks", &[("StackName", "kept")]).unwrap(), "StackId");
    account.ask("DeleteStack", &[("StackName", "kept")]).unwrap();
    assert_eq!(account.rest(&id), "DELETE_COMPLETE");
    assert!(account.events(&id).contains("Log DELETE_SKIPPED"));
    assert_eq!(account.world.regions["us-east-1"].logs.groups.len(), 1);
}

#[test]
fn what_fails_is_taken_back_with_its_first_cause() {
    let mut account = Account::new(Mood::Calm);
    let two = "
Resources:
  First: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: one } }
  Second: { Type: 'AWS::Logs::LogGroup', DependsOn: First, Properties: { LogGroupName: one } }
";
    account.create("twice", two).unwrap();
    assert_eq!(account.rest("twice"), "ROLLBACK_COMPLETE");
    let events = account.events("twice");
    assert!(events.contains("Second CREATE_FAILED Resource handler returned message"), "{events}");
    assert!(events.contains("twice ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Second]. Rollback requested by user."), "{events}");
    assert!(events.contains("First DELETE_COMPLETE"), "{events}");
    assert!(
        account
            .update("twice", GROUP)
            .unwrap_err()
            .contains("ROLLBACK_COMPLETE state and can not be updated")
    );
    // An update that fails.
    account.create("small", GROUP).unwrap();
    account.rest("small");
    let wrong = GROUP.replace("RetentionInDays: !Ref Days", "RetentionInDays: 8");
    account.update("small", &wrong).unwrap();
    assert_eq!(account.rest("small"), "UPDATE_ROLLBACK_COMPLETE", "{}", account.events("small"));
    assert_eq!(account.world.regions["us-east-1"].logs.groups["/small/a"].retention_days, Some(7));
    let body = account.ask("GetTemplate", &[("StackName", "small")]).unwrap();
    assert_eq!(element(&body, "TemplateBody"), GROUP, "the template is the old one again");
}

#[test]
fn exports_in_use_keep_their_stack() {
    let mut account = Account::new(Mood::Calm);
    account.create("base", GROUP).unwrap();
    account.rest("base");
    let user = "
Resources:
  Log:
    Type: AWS::Logs::LogGroup
    Properties: { LogGroupName: !Join ['', [!ImportValue base-log, '-more']] }
";
    account.create("user", user).unwrap();
    assert_eq!(account.rest("user"), "CREATE_COMPLETE");
    assert_eq!(account.physical("user", "Log"), "/base/a-more");
    account.ask("DeleteStack", &[("StackName", "base")]).unwrap();
    assert_eq!(account.rest("base"), "DELETE_FAILED");
    assert!(account.events("base").contains("Export base-log cannot be deleted as it is in use by user"));
    assert!(
        account
            .create("other", &user.replace("base-log", "none"))
            .unwrap_err()
            .contains("No export named none found")
    );
}

#[test]
fn change_sets_say_what_they_would_do() {
    let mut account = Account::new(Mood::Calm);
    let asked = [
        ("StackName", "new"),
        ("ChangeSetName", "one"),
        ("ChangeSetType", "CREATE"),
        ("TemplateBody", GROUP),
    ];
    account.ask("CreateChangeSet", &asked).unwrap();
    assert_eq!(account.status("new"), "REVIEW_IN_PROGRESS");
    // As boto3 and the CLI send lists without members.
    let asked = [
        ("StackName", "empty-lists"),
        ("ChangeSetName", "one"),
        ("ChangeSetType", "CREATE"),
        ("TemplateBody", GROUP),
        ("Capabilities", ""),
        ("Parameters", ""),
        ("Tags", ""),
        ("NotificationARNs", ""),
    ];
    account.ask("CreateChangeSet", &asked).unwrap();
    let name = [("StackName", "new"), ("ChangeSetName", "one")];
    assert_eq!(element(&account.ask("DescribeChangeSet", &name).unwrap(), "Status"), "CREATE_IN_PROGRESS");
    account.wait(MINUTE);
    let described = account.ask("DescribeChangeSet", &name).unwrap();
    assert!(described.contains("<Action>Add</Action>"), "{described}");
    account.ask("ExecuteChangeSet", &name).unwrap();
    assert_eq!(account.rest("new"), "CREATE_COMPLETE");
    // Nothing to do, for two reasons.
    for (set, template, reason) in [
        ("same", GROUP.to_string(), "The submitted information didn't contain changes"),
        ("empty", format!("Description: words\n{GROUP}"), "No updates are to be performed"),
    ] {
        let asked = [("StackName", "new"), ("ChangeSetName", set), ("TemplateBody", template.as_str())];
        account.ask("CreateChangeSet", &asked).unwrap();
        account.wait(MINUTE);
        let described =
            account.ask("DescribeChangeSet", &[("StackName", "new"), ("ChangeSetName", set)]).unwrap();
        assert_eq!(element(&described, "Status"), "FAILED");
        assert!(element(&described, "StatusReason").contains(reason), "{described}");
        account.ask("DeleteChangeSet", &[("StackName", "new"), ("ChangeSetName", set)]).unwrap();
    }
    // Two that exclude each other.
    let renamed = GROUP.replace("/a'", "/b'");
    let days = GROUP.replace("Default: 7", "Default: 14");
    for (set, template) in [("rename", &renamed), ("days", &days)] {
        let asked = [("StackName", "new"), ("ChangeSetName", set), ("TemplateBody", template.as_str())];
        account.ask("CreateChangeSet", &asked).unwrap();
    }
    account.wait(MINUTE);
    let rename =
        account.ask("DescribeChangeSet", &[("StackName", "new"), ("ChangeSetName", "rename")]).unwrap();
    assert!(rename.contains("<Replacement>True</Replacement>"), "{rename}");
    let days = account.ask("DescribeChangeSet", &[("StackName", "new"), ("ChangeSetName", "days")]).unwrap();
    assert!(
        days.contains("<Replacement>False</Replacement>") && days.contains("ParameterReference"),
        "{days}"
    );
    account.ask("ExecuteChangeSet", &[("StackName", "new"), ("ChangeSetName", "days")]).unwrap();
    assert_eq!(account.rest("new"), "UPDATE_COMPLETE");
    let refused = account.ask("ExecuteChangeSet", &[("StackName", "new"), ("ChangeSetName", "rename")]);
    assert!(refused.unwrap_err().contains("InvalidChangeSetStatus"), "obsolete");
}

#[test]
fn what_is_there_is_imported() {
    let mut account = Account::new(Mood::Calm);
    let network = "
Resources:
  Vpc: { Type: 'AWS::EC2::VPC', DeletionPolicy: Retain, Properties: { CidrBlock: 10.1.0.0/16 } }
";
    let made = account.send("ec2", "CreateVpc", &[("CidrBlock", "10.1.0.0/16")]);
    let vpc = element(&String::from_utf8(made.body).unwrap(), "vpcId");
    let asked = [
        ("StackName", "taken"),
        ("ChangeSetName", "in"),
        ("ChangeSetType", "IMPORT"),
        ("TemplateBody", network),
        ("ResourcesToImport.member.1.LogicalResourceId", "Vpc"),
        ("ResourcesToImport.member.1.ResourceType", "AWS::EC2::VPC"),
        ("ResourcesToImport.member.1.ResourceIdentifier.entry.1.key", "VpcId"),
        ("ResourcesToImport.member.1.ResourceIdentifier.entry.1.value", &vpc),
    ];
    account.ask("CreateChangeSet", &asked).unwrap();
    account.wait(MINUTE);
    account.ask("ExecuteChangeSet", &[("StackName", "taken"), ("ChangeSetName", "in")]).unwrap();
    assert_eq!(account.rest("taken"), "IMPORT_COMPLETE", "{}", account.events("taken"));
    assert_eq!(account.physical("taken", "Vpc"), vpc);
}

#[test]
fn what_is_not_modelled_is_refused_by_name() {
    let mut account = Account::new(Mood::Calm);
    for (template, says) in [
        (
            "Resources: { A: { Type: 'AWS::Lambda::Function' } }",
            "does not model the resource type AWS::Lambda::Function",
        ),
        (
            "Resources: { A: { Type: 'AWS::EC2::VPC', Properties: { Ipv4IpamPoolId: x } } }",
            "does not model the property Ipv4IpamPoolId",
        ),
        ("Transform: AWS::Serverless-2016-10-31\nResources: {}", "does not model the transform"),
        (
            "Resources: { A: { Type: 'AWS::EC2::EIP', DependsOn: B } }",
            "Unresolved resource dependencies [B] in the Resources block",
        ),
        (
            "Resources: { A: { Type: 'AWS::EC2::EIP', DependsOn: B }, B: { Type: 'AWS::EC2::EIP', DependsOn: A } }",
            "Circular dependency between resources: [A, B]",
        ),
        (
            "Parameters: { P: { Type: 'AWS::SSM::Parameter::Value<String>', Default: x } }\nResources: { A: { Type: 'AWS::EC2::EIP' } }",
            "does not model parameters of type",
        ),
        (
            "Parameters: { P: { Type: String } }\nResources: { A: { Type: 'AWS::EC2::EIP' } }",
            "Parameters: [P] must have values",
        ),
    ] {
        let refused = account.create("bad", template).unwrap_err();
        assert!(refused.contains("ValidationError") && refused.contains(says), "{refused}");
    }
    let refused = account.ask("CreateStack", &[("StackName", "a"), ("TemplateBody", ARTICLE)]).unwrap_err();
    assert!(refused.contains("Requires capabilities : [CAPABILITY_IAM]"), "{refused}");
}
