//! Stacks within stacks.

use super::{Account, element};
use crate::call::Call;
use crate::random::Mood;
use crate::wire::{Params, Request};

const INNER: &str = "
Parameters:
  Days: { Type: Number }
Resources:
  Log: { Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays: !Ref Days } }
  Bucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: inner-data } }
Outputs:
  Log: { Value: !Ref Log }
";
const OUTER: &str = "
Parameters:
  Days: { Type: Number, Default: 7 }
Resources:
  First: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: first } }
  Inner:
    Type: AWS::CloudFormation::Stack
    DependsOn: First
    Properties:
      TemplateURL: https://templates.s3.us-east-1.amazonaws.com/inner.yaml
      Parameters: { Days: !Ref Days }
Outputs:
  Log: { Value: !GetAtt Inner.Outputs.Log }
";

impl Account {
    fn put(&mut self, method: &str, path: &str, body: &str) {
        let put = Call {
            service: "s3".into(),
            operation: if path.matches('/').count() > 1 { "PutObject".into() } else { "CreateBucket".into() },
            region: "us-east-1".into(),
            caller: String::new(),
            now: self.world.now,
            params: Params::default(),
            json: Default::default(),
            request: Request {
                method: method.into(),
                path: path.into(),
                body: body.as_bytes().to_vec(),
                ..Request::default()
            },
        };
        assert_eq!(self.world.answer(&put).status, 200);
    }

    fn with_templates(mood: Mood) -> Account {
        let mut account = Account::new(mood);
        account.put("PUT", "/templates", "");
        account.put("PUT", "/templates/inner.yaml", INNER);
        account
    }

    fn change_set(&mut self, kind: &str, name: &str, template: &str) -> (String, String) {
        let asked = [
            ("StackName", "outer"),
            ("ChangeSetName", name),
            ("ChangeSetType", kind),
            ("TemplateBody", template),
            ("IncludeNestedStacks", "true"),
        ];
        self.ask("CreateChangeSet", &asked).unwrap();
        self.wait(60_000);
        let text = self.ask("DescribeChangeSet", &[("StackName", "outer"), ("ChangeSetName", name)]).unwrap();
        // The first is its own.
        let nested = text.split("<ChangeSetId>").nth(2).and_then(|part| part.split('<').next());
        let nested = nested.unwrap_or_default().to_string();
        (text, nested)
    }
}

#[test]
fn a_stack_within_is_made_changed_and_deleted() {
    for mood in [Mood::Calm, Mood::Real, Mood::Instant] {
        let mut account = Account::with_templates(mood);
        account.create("outer", OUTER).unwrap();
        assert_eq!(account.rest("outer"), "CREATE_COMPLETE", "{}", account.events("outer"));
        let inner = account.physical("outer", "Inner");
        let log = account.physical(&inner, "Log");
        let outer = account.ask("DescribeStacks", &[("StackName", "outer")]).unwrap();
        assert_eq!(element(&outer, "OutputValue"), log);
        let shown = account.ask("DescribeStacks", &[("StackName", &inner)]).unwrap();
        assert_eq!(element(&shown, "ParentId"), element(&outer, "StackId"));
        assert_eq!(element(&shown, "RootId"), element(&outer, "StackId"));
        account.update("outer", &OUTER.replace("Default: 7", "Default: 14")).unwrap();
        assert_eq!(account.rest("outer"), "UPDATE_COMPLETE", "{}", account.events("outer"));
        let days = account.world.regions["us-east-1"].logs.groups[&log].retention_days;
        assert_eq!(days, Some(14));
        // The template changes where it is, and nobody is told: only the stack within can tell.
        account.put(
            "PUT",
            "/templates/inner.yaml",
            &INNER.replace("Value: !Ref Log", "Value: !GetAtt Log.Arn"),
        );
        account.update("outer", &OUTER.replace("Default: 7", "Default: 14")).unwrap();
        assert_eq!(account.rest("outer"), "UPDATE_COMPLETE", "{}", account.events("outer"));
        let outer = account.ask("DescribeStacks", &[("StackName", "outer")]).unwrap();
        assert!(element(&outer, "OutputValue").starts_with("arn:"), "{outer}");
        let id = element(&outer, "StackId");
        account.ask("DeleteStack", &[("StackName", "outer")]).unwrap();
        assert_eq!(account.rest(&id), "DELETE_COMPLETE", "{}", account.events(&id));
        assert_eq!(account.rest(&inner), "DELETE_COMPLETE");
        assert!(account.world.regions["us-east-1"].logs.groups.is_empty());
    }
}

#[test]
fn a_failure_within_is_told_and_taken_back() {
    let mut account = Account::with_templates(Mood::Calm);
    account.put("PUT", "/templates/inner.yaml", &INNER.replace("!Ref Days", "11"));
    account.create("outer", OUTER).unwrap();
    assert_eq!(account.rest("outer"), "ROLLBACK_COMPLETE", "{}", account.events("outer"));
    let events = account.events("outer");
    assert!(
        events.contains("Inner CREATE_FAILED Embedded stack arn:aws:cloudformation:us-east-1:"),
        "{events}"
    );
    assert!(
        events.contains("was not successfully created: The following resource(s) failed to create: [Log"),
        "{events}"
    );
    assert!(account.world.regions["us-east-1"].logs.groups.is_empty());
    assert!(!account.world.global.s3.buckets.contains_key("inner-data"));
    // An update of one that is undone: the stack within is what it was.
    let mut account = Account::with_templates(Mood::Calm);
    account.create("outer", OUTER).unwrap();
    assert_eq!(account.rest("outer"), "CREATE_COMPLETE", "{}", account.events("outer"));
    account.update("outer", &OUTER.replace("Default: 7", "Default: 11")).unwrap();
    assert_eq!(account.rest("outer"), "UPDATE_ROLLBACK_COMPLETE", "{}", account.events("outer"));
    let inner = account.physical("outer", "Inner");
    assert_eq!(account.rest(&inner), "UPDATE_ROLLBACK_COMPLETE");
    let log = account.physical(&inner, "Log");
    assert_eq!(account.world.regions["us-east-1"].logs.groups[&log].retention_days, Some(7));
}

#[test]
fn change_sets_reach_into_stacks_within() {
    let mut account = Account::with_templates(Mood::Calm);
    // For a new one: both stacks are there for review, and go with the change set.
    let (text, nested) = account.change_set("CREATE", "new", OUTER);
    assert_eq!(element(&text, "Status"), "CREATE_COMPLETE", "{text}");
    let inner = account.ask("DescribeChangeSet", &[("ChangeSetName", &nested)]).unwrap();
    assert!(inner.contains("<LogicalResourceId>Bucket</LogicalResourceId>"), "{inner}");
    assert!(inner.contains("<ParentChangeSetId>") && inner.contains("<RootChangeSetId>"), "{inner}");
    let within = element(&inner, "StackId");
    assert_eq!(account.status(&within), "REVIEW_IN_PROGRESS");
    let alone = account.ask("ExecuteChangeSet", &[("ChangeSetName", &nested)]).unwrap_err();
    assert!(alone.contains("root change set"), "{alone}");
    account.ask("DeleteChangeSet", &[("StackName", "outer"), ("ChangeSetName", "new")]).unwrap();
    assert_eq!(account.status(&within), "DELETE_COMPLETE");
    // Executed: the one that was shown.
    let (text, nested) = account.change_set("CREATE", "again", OUTER);
    let inner = account.ask("DescribeChangeSet", &[("ChangeSetName", &nested)]).unwrap();
    account.ask("ExecuteChangeSet", &[("ChangeSetName", &element(&text, "ChangeSetId"))]).unwrap();
    assert_eq!(account.rest("outer"), "CREATE_COMPLETE", "{}", account.events("outer"));
    assert_eq!(account.physical("outer", "Inner"), element(&inner, "StackId"));
    // Nothing changes in any of them.
    let (text, nested) = account.change_set("UPDATE", "same", OUTER);
    assert_eq!((element(&text, "Status"), nested), ("FAILED".into(), String::new()), "{text}");
    assert!(text.contains("contain changes"), "{text}");
    // A replacement in the inner one is told by its own, and carried out.
    account.put("PUT", "/templates/inner.yaml", &INNER.replace("inner-data", "other-data"));
    let (text, nested) = account.change_set("UPDATE", "other", OUTER);
    assert!(text.contains("<LogicalResourceId>Inner</LogicalResourceId>"), "{text}");
    let inner = account.ask("DescribeChangeSet", &[("ChangeSetName", &nested)]).unwrap();
    assert!(inner.contains("<Replacement>True</Replacement>"), "{inner}");
    account.ask("ExecuteChangeSet", &[("ChangeSetName", &element(&text, "ChangeSetId"))]).unwrap();
    assert_eq!(account.rest("outer"), "UPDATE_COMPLETE", "{}", account.events("outer"));
    let buckets = &account.world.global.s3.buckets;
    assert!(buckets.contains_key("other-data") && !buckets.contains_key("inner-data"));
    // One that cannot be made says so.
    account.put("PUT", "/templates/inner.yaml", "Resources: {}");
    let (text, _) = account.change_set("UPDATE", "bad", OUTER);
    assert!(text.contains("Nested change set of Inner was not successfully created"), "{text}");
}
