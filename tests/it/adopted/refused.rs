//! What a hand-over comes up against, in stacks that CloudFormation really got into that state. Each is said before
//! anything is called.

use super::*;
use crate::support::golden_at;
use aws_sdk_cloudformation::types::ChangeSetType;
use serde_json::Value;
use std::fmt::Write as _;

const VPC: &str = "
Resources:
  Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: 10.0.0.0/16, EnableDnsHostnames: true } }
";

/// A VPC, a bucket, and a log group that no update makes if it is told to keep logs for eight days.
const LOGGED: &str = "
Parameters:
  Days: { Type: Number, Default: 7 }
  Versioning: { Type: String, Default: Suspended }
Resources:
  Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: 10.0.0.0/16, EnableDnsHostnames: true } }
  Bucket:
    Type: AWS::S3::Bucket
    Properties: { VersioningConfiguration: { Status: !Ref Versioning } }
  Log:
    Type: AWS::Logs::LogGroup
    DependsOn: Bucket
    Properties: { LogGroupName: /insights/a, RetentionInDays: !Ref Days }
";

impl Theirs {
    /// The spec of a stack that never came to have anything, as somebody may write it.
    async fn spec_by_hand(&self) -> Spec {
        let from = self.arn().await;
        spec(&format!(
            "stack: insights\nregion: us-east-1\nnetwork: {{ cidr: 10.0.0.0/16 }}\ntaken_over:\n  from_stack: {from}\n  objects: {{ vpc.main: vpc-0123456789abcdef0 }}\n"
        ))
    }

    /// What a release says that changes nothing.
    async fn refusal(&self, spec: &Spec, order: Order) -> String {
        let before = self.account.mutations();
        let said = refusals(release(&self.account, spec, order).await);
        assert_eq!(self.account.mutations(), before, "a refusal changed something: {said}");
        said
    }

    async fn update(&self, parameters: &[(&str, &str)]) {
        let request = self.cloudformation.update_stack().stack_name(NAME).use_previous_template(true);
        let parameters = parameters
            .iter()
            .map(|(key, value)| Parameter::builder().parameter_key(*key).parameter_value(*value).build());
        let request = request.set_parameters(Some(parameters.collect()));
        request.capabilities(Capability::CapabilityIam).send().await.unwrap();
    }

    /// The same world with one text in it changed wherever it stands.
    fn with(&self, from: &str, to: &str) -> Theirs {
        let text = serde_json::to_string(&self.account.sandbox.world()).unwrap();
        assert!(text.contains(from), "nothing has {from}");
        Theirs::over(Account::over(serde_json::from_str(&text.replace(from, to)).unwrap()))
    }
}

/// What one test found, for the golden file of all.
fn told(name: &str, said: &str) {
    let mut text = String::new();
    for line in said.lines() {
        // Ids are drawn.
        let words = line.split(' ').map(|word| {
            let plain = word.trim_end_matches([',', ':', ';']);
            let drawn = ["vpc-", "arn:aws:cloudformation:"].iter().any(|start| plain.starts_with(start));
            if drawn { word.replace(plain, "ID") } else { word.to_string() }
        });
        writeln!(text, "{}", words.collect::<Vec<_>>().join(" ")).unwrap();
    }
    golden_at(&format!("tests/data/takeover/refused/{name}.txt"), &text);
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_never_was() {
    // Rolled back: a bucket of that name is somebody's.
    let theirs = Theirs::over(Account::new(3, Mood::Calm));
    let person = theirs.person().await;
    person.aws.s3.create_bucket().bucket("taken-by-others").send().await.unwrap();
    let template = format!(
        "{VPC}  Bucket: {{ Type: 'AWS::S3::Bucket', Properties: {{ BucketName: taken-by-others }} }}\n"
    );
    theirs.cloudformation.create_stack().stack_name(NAME).template_body(template).send().await.unwrap();
    theirs.rest().await;
    assert_eq!(theirs.status().await.as_deref(), Some("ROLLBACK_COMPLETE"));
    told("rolled-back", &theirs.refusal(&theirs.spec_by_hand().await, Order::default()).await);
    // A change set that nobody executed.
    let theirs = Theirs::over(Account::new(3, Mood::Calm));
    let set = theirs.cloudformation.create_change_set().stack_name(NAME).change_set_name("first");
    set.change_set_type(ChangeSetType::Create).template_body(VPC).send().await.unwrap();
    theirs.account.sandbox.clock().sleep(Duration::from_secs(60)).await;
    assert_eq!(theirs.status().await.as_deref(), Some("REVIEW_IN_PROGRESS"));
    told("in-review", &theirs.refusal(&theirs.spec_by_hand().await, Order::default()).await);
}

#[tokio::test(start_paused = true)]
async fn a_stack_that_is_not_at_rest() {
    let theirs = Theirs::of(3, LOGGED).await;
    let spec = theirs.spec().await;
    let log = Order { unowned: ["Log".to_string()].into(), ..Order::default() };
    theirs.update(&[("Days", "14"), ("Versioning", "Enabled")]).await;
    told("at-work", &theirs.refusal(&spec, log.clone()).await);
    theirs.rest().await;
    // Eight days are none of those that CloudWatch Logs knows; meanwhile somebody deletes the bucket.
    let person = theirs.person().await;
    let bucket = theirs.physical("Bucket").await;
    theirs.update(&[("Days", "8"), ("Versioning", "Suspended")]).await;
    let mut gone = false;
    for _ in 0..400 {
        theirs.account.sandbox.clock().sleep(Duration::from_millis(500)).await;
        let versioning = person.aws.s3.get_bucket_versioning().bucket(&bucket).send().await.unwrap();
        if versioning.status().is_some_and(|status| status.as_str() == "Suspended") {
            person.aws.s3.delete_bucket().bucket(&bucket).send().await.unwrap();
            gone = true;
            break;
        }
    }
    assert!(gone, "the bucket is as it was");
    theirs.rest().await;
    assert_eq!(theirs.status().await.as_deref(), Some("UPDATE_ROLLBACK_FAILED"));
    told("rollback-failed", &theirs.refusal(&spec, log.clone()).await);
}

/// An update that was rolled back leaves a stack that can hand over.
#[tokio::test(start_paused = true)]
async fn an_update_that_was_rolled_back_is_no_obstacle() {
    let theirs = Theirs::of(3, LOGGED).await;
    let spec = theirs.spec().await;
    theirs.update(&[("Days", "8")]).await;
    theirs.rest().await;
    assert_eq!(theirs.status().await.as_deref(), Some("UPDATE_ROLLBACK_COMPLETE"));
    let log = Order { unowned: ["Log".to_string()].into(), ..Order::default() };
    let outcome = release(&theirs.account, &spec, log).await.unwrap();
    assert!(outcome.is_complete(), "{:#?}", outcome.reports);
    theirs.assert_all_there(&spec);
    theirs.account.assert_settled(&spec, Intent::Apply).await;
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_failed() {
    let theirs = Theirs::of(3, LOGGED).await;
    let (spec, person) = (theirs.spec().await, theirs.person().await);
    let bucket = theirs.physical("Bucket").await;
    let put = person.aws.s3.put_object().bucket(&bucket).key("rows.csv").body(b"1".to_vec().into());
    put.send().await.unwrap();
    theirs.cloudformation.delete_stack().stack_name(NAME).send().await.unwrap();
    theirs.rest().await;
    assert_eq!(theirs.status().await.as_deref(), Some("DELETE_FAILED"));
    told("deletion-failed", &theirs.refusal(&spec, Order::default()).await);
}

#[tokio::test(start_paused = true)]
async fn what_other_stacks_import() {
    let export = format!("{VPC}Outputs:\n  Id: {{ Value: !Ref Vpc, Export: {{ Name: platform-vpc }} }}\n");
    let theirs = Theirs::of(3, &export).await;
    let spec = theirs.spec().await;
    let import = "Resources:\n  Group: { Type: 'AWS::EC2::SecurityGroup', Properties: { GroupDescription: shop, VpcId: !ImportValue platform-vpc } }\n";
    theirs.cloudformation.create_stack().stack_name("Shop").template_body(import).send().await.unwrap();
    theirs.account.sandbox.clock().sleep(Duration::from_secs(120)).await;
    told("imported", &theirs.refusal(&spec, Order::default()).await);
    // Without the importer nothing is in the way.
    theirs.cloudformation.delete_stack().stack_name("Shop").send().await.unwrap();
    theirs.account.sandbox.clock().sleep(Duration::from_secs(600)).await;
    assert!(release(&theirs.account, &spec, Order::default()).await.unwrap().is_complete());
}

/// What the update of the hand-over would read or rewrite once more. The sandbox makes no stack of a macro's or with a
/// parameter of Systems Manager's: the template is changed where it lies.
#[tokio::test(start_paused = true)]
async fn what_an_update_would_read_again() {
    let theirs = Theirs::of(3, VPC).await;
    let spec = theirs.spec().await;
    let image = "Parameters: { Image: { Type: 'AWS::SSM::Parameter::Value<String>', Default: /shop/image } }";
    let read = theirs.with("Resources:\\n  Vpc", &format!("{image}\\nResources:\\n  Vpc"));
    told("systems-manager", &read.refusal(&spec, Order::default()).await);
    let rewritten = theirs.with("Resources:\\n  Vpc", "Transform: Company::Standards\\nResources:\\n  Vpc");
    told("macro", &rewritten.refusal(&spec, Order::default()).await);
}

/// A stack within another one, and the one around it.
#[tokio::test(start_paused = true)]
async fn stacks_within_stacks() {
    let theirs = Theirs::over(Account::new(3, Mood::Calm));
    let person = theirs.person().await;
    person.aws.s3.create_bucket().bucket("templates").send().await.unwrap();
    let put =
        person.aws.s3.put_object().bucket("templates").key("vpc.yaml").body(VPC.as_bytes().to_vec().into());
    put.send().await.unwrap();
    let around = "
Resources:
  Data: { Type: 'AWS::S3::Bucket' }
  Platform:
    Type: AWS::CloudFormation::Stack
    Properties: { TemplateURL: 'https://templates.s3.us-east-1.amazonaws.com/vpc.yaml' }
";
    theirs.cloudformation.create_stack().stack_name(NAME).template_body(around).send().await.unwrap();
    theirs.made().await;
    told("with-stacks-within", &theirs.refusal(&theirs.spec().await, Order::default()).await);
    let within = theirs.physical("Platform").await;
    let nothing = Arc::new(|_: &str| Err(std::io::ErrorKind::NotFound.into()));
    let (_, written) = takeover::spec_of(&person.aws, &within, "platform", nothing).await.unwrap();
    let said = theirs.refusal(&written.spec, Order::default()).await;
    let name = within.split('/').nth(1).unwrap();
    told("within-a-stack", &said.replace(name, "Insights-Platform-DRAWN"));
}

#[tokio::test(start_paused = true)]
async fn what_is_named_wrongly() {
    let theirs = Theirs::of(3, &format!("{VPC}  Subnet: {{ Type: 'AWS::EC2::Subnet', Properties: {{ VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24 }} }}\n  Queue: {{ Type: 'AWS::Logs::LogGroup', Properties: {{ LogGroupName: !Ref Vpc }} }}\n")).await;
    let spec = theirs.spec().await;
    let ids = |ids: &[&str]| ids.iter().map(ToString::to_string).collect();
    told("unknown", &theirs.refusal(&spec, Order::default()).await);
    // It is the spec's; it refers to what goes; there is no such resource.
    let order = Order { leave: ids(&["Vpc", "Queue"]), unowned: ids(&["Alias"]), ..Order::default() };
    told("named-wrongly", &theirs.refusal(&spec, order).await);
    let order = Order { leave: ids(&["Queue"]), ..Order::default() };
    told("torn", &theirs.refusal(&spec, order).await);
}

/// What is in the way in a stack of the article's shape.
#[tokio::test(start_paused = true)]
async fn the_articles_stack() {
    let theirs = Theirs::new(13).await;
    let written = theirs.write().await.unwrap();
    // Roles of its own beside the three that CloudFormation made: six.
    let lines: Vec<&str> = written.text.lines().collect();
    let roles = lines.iter().position(|line| *line == "roles:").unwrap();
    let end = lines[roles + 1..].iter().position(|line| !line.starts_with(' ')).unwrap();
    let own = [&lines[..roles], &lines[roles + 1 + end..]].concat().join("\n");
    told("sixth-role", &theirs.refusal(&spec(&own), order()).await);
    // The spec manages the endpoint itself, which a notebook may have moved.
    let moved = lines.iter().map(|line| match line.contains("managed_by: notebook") {
        true => {
            let name = line.split(": {").next().unwrap();
            format!(
                "{name}: {{ model: {{ image: \"xgboost:1.7-1\", artifact: \"s3://models/churn.tar.gz\" }}, instance: ml.m5.large }}"
            )
        }
        false => line.to_string(),
    });
    let managed = moved.collect::<Vec<_>>().join("\n");
    told("endpoint", &theirs.refusal(&spec(&managed), order()).await);
    // AWS keeps running what it lets nobody create any more.
    let old = theirs.with("8.0.mysql_aurora.3.10.3", "5.7.mysql_aurora.2.07.1");
    told("retired-engine", &old.refusal(&written.spec, order()).await);
    let Err(NoSpec::Refused(why)) = old.write().await else { panic!("a spec of a retired engine") };
    told("no-spec-of-a-retired-engine", &(why.join("\n") + "\n"));
}

/// A notebook has moved the endpoint: it stays where it is, whatever the template says.
#[tokio::test(start_paused = true)]
async fn an_endpoint_that_was_moved_stays_where_it_is() {
    let theirs = Theirs::new(13).await;
    let (spec, person) = (theirs.spec().await, theirs.person().await);
    let sagemaker = &person.aws.sagemaker;
    let name = "Insights-SageMaker-Endpoint";
    let before = sagemaker.describe_endpoint().endpoint_name(name).send().await.unwrap();
    let config = sagemaker.describe_endpoint_config();
    let config = config.endpoint_config_name(before.endpoint_config_name().unwrap()).send().await.unwrap();
    let create = sagemaker.create_endpoint_config().endpoint_config_name("tuned");
    create.set_production_variants(config.production_variants).send().await.unwrap();
    theirs.account.sandbox.clock().sleep(Duration::from_secs(60)).await;
    sagemaker.update_endpoint().endpoint_name(name).endpoint_config_name("tuned").send().await.unwrap();
    theirs.account.sandbox.clock().sleep(Duration::from_secs(3_600)).await;
    let outcome = release(&theirs.account, &spec, order()).await.unwrap();
    assert!(outcome.is_complete(), "{:#?}", outcome.reports);
    let after = sagemaker.describe_endpoint().endpoint_name(name).send().await.unwrap();
    assert_eq!(after.endpoint_config_name(), Some("tuned"));
    theirs.account.assert_settled(&spec, Intent::Apply).await;
}

/// A template with so much in its metadata.
fn large(bytes: usize, more: &str) -> String {
    format!("Metadata: {{ Note: '{}' }}{VPC}{more}", "x".repeat(bytes))
}

impl Theirs {
    /// A stack of a template that is too large for a request.
    async fn of_large(template: String) -> Theirs {
        let theirs = Theirs::over(Account::new(5, Mood::Calm));
        let person = theirs.person().await;
        person.aws.s3.create_bucket().bucket("templates-of-theirs").send().await.unwrap();
        let put = person.aws.s3.put_object().bucket("templates-of-theirs").key("insights.yaml");
        put.body(template.into_bytes().into()).send().await.unwrap();
        let request = theirs.cloudformation.create_stack().stack_name(NAME);
        let url = "https://templates-of-theirs.s3.us-east-1.amazonaws.com/insights.yaml";
        request.template_url(url).send().await.unwrap();
        theirs.made().await;
        theirs
    }

    fn objects(&self, bucket: &str) -> Vec<String> {
        let world: Value = serde_json::to_value(self.account.sandbox.world()).unwrap();
        let objects = &world["global"]["s3"]["buckets"][bucket]["objects"];
        objects.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_template_wants_a_bucket() {
    let theirs = Theirs::of_large(large(60_000, "")).await;
    let spec = theirs.spec().await;
    told("large", &theirs.refusal(&spec, Order::default()).await);
    // A bucket that somebody names.
    let order = Order { bucket: Some("templates-of-theirs".into()), ..Order::default() };
    let mut stack = theirs.account.administrator(&spec).await;
    stack.release(order);
    let prepared = prepare(&stack, Intent::Apply).await.unwrap();
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let outcome = reconcile(&stack, Intent::Apply, prepared, stop, Arc::new(Recorder::default())).await;
    assert!(outcome.unwrap().is_complete());
    assert_eq!(theirs.status().await, None);
    assert_eq!(theirs.objects("templates-of-theirs"), ["insights.yaml"], "the copy has gone");
    let theirs = Theirs::of_large(large(1_048_400, "")).await;
    told("too-large", &theirs.refusal(&theirs.spec().await, Order::default()).await);
}

/// The stack's own bucket is taken over, and serves for the template. Killed anywhere, nothing of it is left in the end.
#[tokio::test(start_paused = true)]
async fn a_large_template_goes_through_the_bucket() {
    let theirs = Theirs::of_large(large(60_000, "  Bucket: { Type: 'AWS::S3::Bucket' }\n")).await;
    let (spec, bucket) = (theirs.spec().await, theirs.physical("Bucket").await);
    theirs.account.sandbox.record();
    let outcome = release(&theirs.account, &spec, Order::default()).await.unwrap();
    assert!(outcome.is_complete(), "{:#?}", outcome.reports);
    assert_eq!(theirs.objects(&bucket), Vec::<String>::new());
    let KillPoints { count, kept } = kill_points(theirs.account.sandbox.recorded());
    for KillPoint { what, mut world } in kept {
        world.now += 1_000;
        let theirs = Theirs::over(Account::over(world));
        let outcome = release(&theirs.account, &spec, Order::default()).await;
        assert!(outcome.unwrap_or_else(|error| panic!("{what}: {error:?}")).is_complete(), "{what}");
        assert_eq!(theirs.objects(&bucket), Vec::<String>::new(), "{what}");
        theirs.assert_all_there(&spec);
        theirs.account.assert_settled(&spec, Intent::Apply).await;
    }
    assert!(count >= 10, "{count}");
}
