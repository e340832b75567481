//! The two roles of templates/pipeline-role.yaml: a whole life under the policies that they have, enforced, and what
//! they refuse.

mod granted;

use crate::harness::{Account, hosting, spec, spec_file};
use crate::lifecycle::make_foreign_cluster;
use auroraml::aws::{simulated_config, simulated_config_as};
use auroraml::verify::verify;
use auroraml_core::model::Intent;
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use aws_config::SdkConfig;
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_iam::types::Tag;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Debug;

const PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
const BOUNDARY: &str = "arn:aws:iam::111122223333:policy/Boundary";
const REPOSITORY: &str = "acme/shop";
const ENVIRONMENT: &str = "repo:acme/shop:environment:production";
/// Where the specs have their artifacts.
const OTHERS: &str = "arn:aws:s3:::sagemaker-sample-files,arn:aws:s3:::sagemaker-sample-files/*,arn:aws:s3:::sagemaker-sample-files-eu-central-1,arn:aws:s3:::sagemaker-sample-files-eu-central-1/*";
/// What the templates of the specs create.
const THEIRS: &str = r#"{ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": ["ec2:*", "cloudwatch:*", "kms:*", "s3:*", "iam:*"], "Resource": "*" }] }"#;
const TEMPLATE_POLICY: (&str, &str) = ("TemplatePolicy", "arn:aws:iam::111122223333:policy/Theirs");
const PULL_REQUEST: &str = "repo:acme/shop:pull_request";

/// What CloudFormation makes of the template with these parameters: its resources' properties.
struct Template {
    parameters: BTreeMap<String, Value>,
    conditions: Value,
    resources: Value,
}

impl Template {
    fn new(given: &[(&str, &str)], region: &str) -> Template {
        let text = std::fs::read_to_string("templates/pipeline-role.yaml").unwrap();
        let template = plain(serde_yaml::from_str(&text).unwrap());
        let mut parameters = BTreeMap::from([
            ("AWS::Partition".to_string(), json!("aws")),
            ("AWS::Region".into(), json!(region)),
            ("AWS::AccountId".into(), json!("111122223333")),
            ("GitHubProvider".into(), json!(PROVIDER)),
            ("Repository".into(), json!(REPOSITORY)),
        ]);
        for (name, parameter) in template["Parameters"].as_object().unwrap() {
            let value = given.iter().find(|(given, _)| given == name).map(|(_, value)| json!(value));
            let value =
                value.or_else(|| parameters.get(name).cloned()).unwrap_or(parameter["Default"].clone());
            assert!(value.is_string(), "{name} has no value");
            let is_list = parameter["Type"] == "CommaDelimitedList";
            let list = || value.as_str().unwrap().split(',').map(Value::from).collect();
            parameters.insert(name.clone(), if is_list { Value::Array(list()) } else { value });
        }
        assert!(given.iter().all(|(name, _)| parameters.contains_key(*name)), "{given:?}");
        let (conditions, resources) = (template["Conditions"].clone(), template["Resources"].clone());
        Template { parameters, conditions, resources }
    }

    fn is_policy(&self, name: &str) -> bool {
        self.resources[name]["Type"] == "AWS::IAM::ManagedPolicy"
    }

    fn resource(&self, name: &str) -> Value {
        self.resolve(&self.resources[name]["Properties"]).unwrap()
    }

    /// `None` for AWS::NoValue.
    fn resolve(&self, value: &Value) -> Option<Value> {
        let Value::Object(map) = value else {
            return Some(match value {
                Value::Array(items) => items.iter().filter_map(|item| self.resolve(item)).collect(),
                other => other.clone(),
            });
        };
        let Some((function, argument)) = map.iter().next().filter(|(key, _)| key.starts_with('!')) else {
            let members = map.iter().filter_map(|(key, value)| Some((key.clone(), self.resolve(value)?)));
            return Some(Value::Object(members.collect()));
        };
        Some(match function.as_str() {
            "!Ref" if argument == "AWS::NoValue" => return None,
            "!Ref" => match argument.as_str().unwrap() {
                name if self.is_policy(name) => json!(format!("arn:aws:iam::111122223333:policy/{name}")),
                name => self.parameters.get(name).unwrap_or_else(|| panic!("no parameter {name}")).clone(),
            },
            "!Sub" => {
                let mut text = argument.as_str().unwrap().to_string();
                for (name, value) in &self.parameters {
                    if let Some(value) = value.as_str() {
                        text = text.replace(&format!("${{{name}}}"), value);
                    }
                }
                assert!(!text.contains("${"), "{text}");
                json!(text)
            }
            "!If" => {
                let holds = self.resolve(&self.conditions[argument[0].as_str().unwrap()]).unwrap() == true;
                return self.resolve(&argument[if holds { 1 } else { 2 }]);
            }
            "!And" => {
                json!(argument.as_array().unwrap().iter().all(|one| self.resolve(one).unwrap() == true))
            }
            "!Condition" => return self.resolve(&self.conditions[argument.as_str().unwrap()]),
            "!Not" => json!(self.resolve(&argument[0]).unwrap() != true),
            "!Equals" => json!(self.resolve(&argument[0]) == self.resolve(&argument[1])),
            "!Join" => {
                let all = self.resolve(&argument[1]).unwrap();
                let all: Vec<&str> =
                    all.as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
                json!(all.join(argument[0].as_str().unwrap()))
            }
            other => panic!("{other} is not known"),
        })
    }
}

/// YAML with CloudFormation's tags as `{"!Tag": …}`.
fn plain(value: serde_yaml::Value) -> Value {
    match value {
        serde_yaml::Value::Tagged(tagged) => {
            Value::Object(Map::from_iter([(tagged.tag.to_string(), plain(tagged.value))]))
        }
        serde_yaml::Value::Mapping(map) => {
            let text = |key: serde_yaml::Value| key.as_str().unwrap().to_string();
            Value::Object(map.into_iter().map(|(key, value)| (text(key), plain(value))).collect())
        }
        serde_yaml::Value::Sequence(items) => items.into_iter().map(plain).collect(),
        other => serde_json::to_value(other).unwrap(),
    }
}

/// Who runs auroraml.
#[derive(Clone, Copy)]
enum Who {
    Plan,
    Apply,
}

/// An account in which the template was created.
struct Deployed {
    account: Account,
}

impl Deployed {
    async fn new(account: Account, spec: &Spec, given: &[(&str, &str)]) -> Deployed {
        let template = Template::new(&[given, &[("Stack", spec.stack.as_str())]].concat(), &spec.region);
        let iam = aws_sdk_iam::Client::new(&admin(&account, &spec.region));
        let all = template.resources.as_object().unwrap().keys();
        for policy in all.filter(|name| template.is_policy(name)) {
            let document = template.resource(policy)["PolicyDocument"].to_string();
            iam.create_policy().policy_name(policy).policy_document(document).send().await.unwrap();
        }
        if given.iter().any(|(name, _)| *name == "TemplatePolicy") {
            let policy = iam.create_policy().policy_name("Theirs").policy_document(THEIRS);
            policy.send().await.unwrap();
        }
        for name in ["PlanRole", "ApplyRole"] {
            let role = template.resource(name);
            let trust = role["AssumeRolePolicyDocument"].to_string();
            iam.create_role().role_name(name).assume_role_policy_document(trust).send().await.unwrap();
            for arn in role["ManagedPolicyArns"].as_array().unwrap() {
                let attach = iam.attach_role_policy().role_name(name).policy_arn(arn.as_str().unwrap());
                attach.send().await.unwrap();
            }
            assert!(role.get("Policies").is_none(), "managed policies alone are made here");
        }
        Deployed { account }
    }

    /// The account as the role sees it, with a token of GitHub's that says this.
    fn session(&self, who: Who, subject: &str) -> Option<Account> {
        let role = match who {
            Who::Plan => "PlanRole",
            Who::Apply => "ApplyRole",
        };
        let claims = [
            ("token.actions.githubusercontent.com:aud", "sts.amazonaws.com"),
            ("token.actions.githubusercontent.com:sub", subject),
        ];
        let caller = self.account.sandbox.with(|world| {
            let arn = format!("arn:aws:iam::111122223333:role/{role}");
            world.global.iam.assume_with_web_identity(&arn, PROVIDER, &claims)
        })?;
        Some(Account { caller, ..self.account.clone() })
    }

    fn planning(&self) -> Account {
        self.session(Who::Plan, PULL_REQUEST).unwrap()
    }

    fn applying(&self) -> Account {
        self.session(Who::Apply, ENVIRONMENT).unwrap()
    }
}

fn admin(account: &Account, region: &str) -> SdkConfig {
    simulated_config(region, account.sandbox.http_client(), &account.sandbox.clock())
}

fn caller(account: &Account, region: &str) -> SdkConfig {
    let config =
        simulated_config_as(&account.caller, region, account.sandbox.http_client(), &account.sandbox.clock());
    config.into_builder().retry_config(aws_config::retry::RetryConfig::disabled()).build()
}

/// The spec with the boundary in it.
fn bounded(text: &str) -> Spec {
    let text = text.replace("permissions_boundary: arn:aws:iam::aws:policy/AdministratorAccess\n", "");
    spec(&format!("{text}\npermissions_boundary: {BOUNDARY}\n"))
}

/// Everything that was refused for want of permission, in the order in which it was asked for.
fn denied(account: &Account) -> Vec<String> {
    let is_denial = |code: &str| code.starts_with("AccessDenied") || code == "UnauthorizedOperation";
    account.sandbox.with(|world| {
        let refused = world.log.iter().filter(|entry| entry.code.as_deref().is_some_and(is_denial));
        // The policy of another account's bucket is shown to its owner only, whatever a role may.
        let refused = refused.filter(|entry| entry.operation != "GetBucketPolicy");
        refused.map(|entry| format!("{}:{}", entry.service, entry.operation)).collect()
    })
}

/// Creates, looks, changes and destroys, and was not refused anything.
async fn lives(text: &str, changes: &[(&str, &str)], given: &[(&str, &str)], mood: Mood) -> Account {
    lives_in(Account::new(11, mood), text, changes, given).await
}

async fn lives_in(account: Account, text: &str, changes: &[(&str, &str)], given: &[(&str, &str)]) -> Account {
    let spec = bounded(text);
    if let Some(auroraml_core::spec::Aurora::Existing(existing)) = &spec.aurora {
        make_foreign_cluster(&account, &spec.region, &existing.existing, 2).await;
    }
    let deployed = Deployed::new(account, &spec, given).await;
    let (planning, applying) = (deployed.planning(), deployed.applying());
    assert!(!planning.plan(&spec).await.is_empty());
    applying.apply(&spec).await;
    every_role_is_bounded(&deployed, &spec).await;
    verify(&planning.connect(&spec).await, false).await.unwrap();
    planning.assert_settled(&spec, Intent::Apply).await;
    if !changes.is_empty() {
        let mut other = text.to_string();
        for (old, new) in changes {
            assert!(other.contains(old), "{old}");
            other = other.replace(old, new);
        }
        let other = bounded(&other);
        assert!(!planning.plan(&other).await.is_empty());
        applying.apply(&other).await;
    }
    applying.destroy(&spec).await;
    assert_eq!(denied(&deployed.account), Vec::<String>::new(), "{}", spec.stack);
    applying
}

/// Each role that was made has the boundary, and nothing in its policy lies outside of it.
async fn every_role_is_bounded(deployed: &Deployed, spec: &Spec) {
    let made: Vec<String> = deployed.account.sandbox.with(|world| {
        let path = format!("role/auroraml/{}/{}/", spec.stack, spec.region);
        let all = world.global.iam.boundaries().filter(|(arn, _)| arn.contains(&path));
        all.inspect(|(arn, boundary)| assert_eq!(*boundary, Some(BOUNDARY), "{arn}"))
            .map(|(arn, _)| arn)
            .collect()
    });
    assert!(!made.is_empty() || spec.notebook.is_none());
    let iam = aws_sdk_iam::Client::new(&admin(&deployed.account, &spec.region));
    for role in made {
        let name = role.rsplit('/').next().unwrap();
        let policy = iam.get_role_policy().role_name(name).policy_name("access").send().await.unwrap();
        let document = percent_encoding::percent_decode_str(policy.policy_document())
            .decode_utf8()
            .unwrap()
            .into_owned();
        let document: Value = serde_json::from_str(&document).unwrap();
        let texts = |value: &Value| -> Vec<String> {
            match value {
                Value::Array(many) => many.iter().map(|one| one.as_str().unwrap().to_string()).collect(),
                one => vec![one.as_str().unwrap().to_string()],
            }
        };
        for statement in document["Statement"].as_array().unwrap() {
            let ask = iam.simulate_principal_policy().policy_source_arn(&role);
            let ask = ask.set_action_names(Some(texts(&statement["Action"])));
            let answer = ask.set_resource_arns(Some(texts(&statement["Resource"]))).send().await.unwrap();
            for result in answer.evaluation_results() {
                let what =
                    format!("{name}: {} on {:?}", result.eval_action_name(), result.eval_resource_name());
                assert_eq!(result.eval_decision().as_str(), "allowed", "{what} lies outside of the boundary");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn churn_lives_under_the_enforced_roles() {
    let change = ("instance: ml.t3.medium", "instance: ml.t3.large");
    lives(&hosting(), &[change], &[("OtherBuckets", OTHERS)], Mood::Real).await;
}

/// What can be changed in place is, all at once; and what a destroy leaves to be restored is taken up again.
#[tokio::test(start_paused = true)]
async fn every_field_lives_under_the_enforced_roles() {
    let text = std::fs::read_to_string("tests/data/everything.yaml").unwrap();
    let changes = [
        ("project: churn", "team: data"),
        ("10.192.21.0/24]", "10.192.21.0/24, 10.192.22.0/24]"),
        ("10.192.11.0/24]", "10.192.11.0/24, 10.192.12.0/24]"),
        ("nat: single", "nat: per_zone"),
        ("[s3, comprehend]", "[s3, comprehend, sts]"),
        ("versioning: false", "versioning: true"),
        ("engine_version: \"3.10\"", "engine_version: \"3.12\""),
        ("class: db.r6g.large", "class: db.r6g.xlarge"),
        ("data_api: true", "data_api: false"),
        ("allow_from: [10.192.0.0/16]", "allow_from: [10.192.20.0/24, 10.9.0.0/16]"),
        ("{ character_set_database: utf8mb4 }", "{ binlog_format: ROW }"),
        ("sagemaker: { endpoints: [churn] }", "sagemaker: { endpoints: [churn, small] }"),
        ("comprehend: true", "comprehend: false"),
        ("instance: ml.t3.medium", "instance: ml.t3.large"),
        ("[notebooks/part_1.ipynb]", "[notebooks/part_2.ipynb]"),
        ("LEVEL: info", "LEVEL: debug"),
        ("instance: ml.m5.large", "instance: ml.m5.xlarge"),
    ];
    let applying = lives(&text, &changes, &[("OtherBuckets", OTHERS)], Mood::Calm).await;
    let spec = bounded(&text);
    applying.apply(&spec).await;
    applying.destroy(&spec).await;
    assert_eq!(denied(&applying), Vec::<String>::new());
    let asked = |operation: &str| {
        applying.sandbox.with(|world| world.log.iter().any(|entry| entry.operation == operation))
    };
    for operation in ["UpdateEndpoint", "ModifyDBInstance", "DisableHttpEndpoint", "RestoreSecret"] {
        assert!(asked(operation), "{operation} was not needed");
    }
}

/// Templates of the user's: a network below the cluster, alarms above it.
#[tokio::test(start_paused = true)]
async fn templates_live_under_the_enforced_roles() {
    let text = spec_file("with-cloudformation.yaml");
    let given = [TEMPLATE_POLICY, ("ExistingVpc", "*"), ("OtherBuckets", OTHERS)];
    lives(&text, &[], &given, Mood::Calm).await;
}

/// Key and roles that are not the stack's own, here those of a template.
#[tokio::test(start_paused = true)]
async fn a_key_and_roles_of_others_live_under_the_enforced_roles() {
    let text = std::fs::read_to_string("tests/data/referring.yaml").unwrap();
    let roles = ("Roles", "arn:aws:iam::111122223333:role/referring-base-*");
    let buckets = format!("arn:aws:s3:::referring-base-*,{OTHERS}");
    lives(&text, &[], &[TEMPLATE_POLICY, ("Key", "*"), roles, ("OtherBuckets", &buckets)], Mood::Calm).await;
}

/// Jobs of every sort, and another one; what still runs is stopped.
#[tokio::test(start_paused = true)]
async fn trained_models_live_under_the_enforced_roles() {
    let text = std::fs::read_to_string("tests/data/trained.yaml").unwrap();
    let others = ["sagemaker-sample-files", "churn-data", "churn-models"];
    let others: Vec<String> =
        others.iter().map(|name| format!("arn:aws:s3:::{name},arn:aws:s3:::{name}/*")).collect();
    let account = crate::training::with_rows(1, Mood::Calm).await;
    let given = [("OtherBuckets", others.join(","))];
    let given: Vec<(&str, &str)> = given.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let applying = lives_in(account, &text, &[("num_round: 50", "num_round: 20")], &given).await;
    let spec = bounded(&text.replace("num_round: 50", "num_round: 10"));
    let killed = tokio::time::timeout(std::time::Duration::from_secs(90), applying.apply(&spec)).await;
    assert!(killed.is_err());
    applying.destroy(&spec).await;
    assert_eq!(denied(&applying), Vec::<String>::new());
    let asked = |operation: &str| {
        applying.sandbox.with(|world| world.log.iter().any(|entry| entry.operation == operation))
    };
    for operation in ["CreateAutoMLJobV2", "StopTrainingJob", "StopHyperParameterTuningJob"] {
        assert!(asked(operation), "{operation} was not needed");
    }
}

/// What is in the database is made by the applying role, and is not looked at by the planning one.
#[tokio::test(start_paused = true)]
async fn sql_lives_under_the_enforced_roles() {
    let account = crate::sql::account(11, Mood::Calm).await;
    let text = crate::sql::without_grants();
    let spec = bounded(&text);
    let others = "arn:aws:s3:::sagemaker-sample-files,arn:aws:s3:::sagemaker-sample-files/*,arn:aws:s3:::churn-data-of-others,arn:aws:s3:::churn-data-of-others/*";
    let deployed = Deployed::new(account, &spec, &[("OtherBuckets", others)]).await;
    let (planning, applying) = (deployed.planning(), deployed.applying());
    applying.apply(&spec).await;
    every_role_is_bounded(&deployed, &spec).await;
    let asleep = crate::sql::asleep(Intent::Apply);
    let plan = planning.prepare(&spec, asleep).await.unwrap().plan;
    assert!(plan.is_empty(), "{plan:#?}");
    let note = "the database telecom was not checked: this principal is not allowed to run SQL (rds-data:ExecuteStatement, secretsmanager:GetSecretValue)";
    assert!(plan.notes.iter().any(|found| found == note), "{:?}", plan.notes);
    let other = bounded(&text.replace("returns: float", "returns: double"));
    applying.apply(&other).await;
    applying.destroy(&other).await;
    let refused = denied(&deployed.account);
    assert!(
        !refused.is_empty() && refused.iter().all(|what| what.contains("ExecuteStatement")),
        "{refused:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn other_stacks_live_under_the_enforced_roles() {
    for name in ["minimal.yaml", "lean.yaml", "production.yaml"] {
        let text = spec_file(name);
        lives(&text, &[], &[("OtherBuckets", OTHERS)], Mood::Calm).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_existing_cluster_is_wired_under_the_enforced_roles() {
    let given = [
        ("ExistingCluster", "database-aurora-ml"),
        ("ExistingMembers", "database-aurora-ml-*"),
        ("OtherBuckets", "arn:aws:s3:::aws-sagemaker-aurora-bucket-*,arn:aws:s3:::sagemaker-sample-files*"),
    ];
    lives(&spec_file("existing-cluster.yaml"), &[], &given, Mood::Calm).await;
}

/// Also where others wired the cluster with a role of their own: the template names such roles.
#[tokio::test(start_paused = true)]
async fn the_planning_role_verifies_what_others_wired() {
    let (spec, name) = (spec(&spec_file("existing-cluster.yaml")), "database-aurora-ml");
    let account = Account::new(3, Mood::Calm);
    make_foreign_cluster(&account, &spec.region, name, 1).await;
    let at = admin(&account, &spec.region);
    let (iam, rds) = (aws_sdk_iam::Client::new(&at), aws_sdk_rds::Client::new(&at));
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rds.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let made = iam.create_role().role_name("aurora-s3").assume_role_policy_document(trust).send().await;
    let role = made.unwrap().role.unwrap().arn;
    let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let made = iam.create_policy().policy_name("all").policy_document(all).send().await.unwrap();
    let policy = made.policy().unwrap().arn().unwrap().to_string();
    iam.attach_role_policy().role_name("aurora-s3").policy_arn(policy).send().await.unwrap();
    let make = rds.create_db_cluster_parameter_group().db_cluster_parameter_group_name("theirs");
    make.db_parameter_group_family("aurora-mysql8.0").description("by hand").send().await.unwrap();
    let parameter =
        aws_sdk_rds::types::Parameter::builder().parameter_name("aws_default_s3_role").parameter_value(&role);
    let modify = rds.modify_db_cluster_parameter_group().db_cluster_parameter_group_name("theirs");
    let parameter = parameter.apply_method("pending-reboot".into()).build();
    modify.parameters(parameter).send().await.unwrap();
    let give = rds.modify_db_cluster().db_cluster_identifier(name).db_cluster_parameter_group_name("theirs");
    give.send().await.unwrap();
    account.sandbox.clock().sleep(std::time::Duration::from_secs(600)).await;
    let world = account.sandbox.world();
    for (given, expected) in [(&[("OtherRoles", role.as_str())][..], &[][..]), (&[], &["iam:GetRole"])] {
        let deployed = Deployed::new(Account::over(world.clone()), &spec, given).await;
        verify(&deployed.planning().connect(&spec).await, false).await.unwrap();
        let denied = denied(&deployed.account);
        assert!(expected.iter().all(|action| denied.iter().any(|it| it == action)), "{denied:?}");
        assert_eq!(denied.is_empty(), expected.is_empty(), "{denied:?}");
        let reads = deployed.account.sandbox.with(|world| {
            world.log.iter().any(|entry| entry.operation == "GetPolicyVersion" && entry.code.is_none())
        });
        assert_eq!(reads, expected.is_empty(), "an attached policy counts as well");
    }
}

/// A pull request can say what it would change, and change nothing.
#[tokio::test(start_paused = true)]
async fn the_planning_role_changes_nothing() {
    let spec = bounded(&spec_file("churn.yaml"));
    let deployed = Deployed::new(Account::new(3, Mood::Calm), &spec, &[]).await;
    let before = deployed.account.mutations();
    let planning = deployed.planning();
    let outcome =
        planning.run(&spec, Intent::Apply, std::sync::Arc::new(auroraml_core::events::Silent)).await;
    assert!(!outcome.is_complete());
    let done = deployed.account.sandbox.with(|world| {
        world
            .mutations()
            .skip(before)
            .filter(|entry| entry.code.is_none())
            .map(|entry| entry.operation.clone())
            .collect::<Vec<_>>()
    });
    assert_eq!(done, Vec::<String>::new());
    let failures: Vec<String> =
        outcome.reports.iter().flat_map(|report| &report.failed).map(|(_, why)| why.to_string()).collect();
    assert!(
        failures.iter().any(|why| why.contains("is not authorized to perform: s3:CreateBucket")),
        "{failures:?}"
    );
    // Nor does it see a password.
    deployed.applying().apply(&spec).await;
    let secrets = aws_sdk_secretsmanager::Client::new(&caller(&planning, &spec.region));
    let read = secrets.get_secret_value().secret_id("auroraml/churn/master").send().await;
    assert_eq!(code(read), "AccessDeniedException");
}

#[tokio::test(start_paused = true)]
async fn who_may_be_which_role() {
    let spec = bounded(&spec_file("minimal.yaml"));
    let deployed = Deployed::new(Account::new(3, Mood::Calm), &spec, &[]).await;
    for (subject, plans, applies) in [
        (PULL_REQUEST, true, false),
        (ENVIRONMENT, false, true),
        ("repo:acme/shop:ref:refs/heads/main", false, false),
        ("repo:acme/shop:ref:refs/heads/feature", false, false),
        ("repo:acme/shop:environment:staging", false, false),
        ("repo:acme/shop-two:environment:production", false, false),
        ("repo:evil/shop:pull_request", false, false),
        ("repo:acme/shop:environment:production:pull_request", false, false),
    ] {
        assert_eq!(deployed.session(Who::Plan, subject).is_some(), plans, "{subject} plans");
        assert_eq!(deployed.session(Who::Apply, subject).is_some(), applies, "{subject} applies");
    }
}

fn code<T: Debug, E: ProvideErrorMetadata + Debug, R: Debug>(
    result: Result<T, aws_sdk_iam::error::SdkError<E, R>>,
) -> String {
    let error = result.expect_err("must be refused");
    match error.as_service_error() {
        Some(service) => service.code().unwrap_or("none").to_string(),
        None => panic!("{error:?}"),
    }
}

/// All that lies beside the stack: of another stack whose name begins like this one's, of the account, and what would
/// give the role more than it has.
#[tokio::test(start_paused = true)]
async fn neighbours_are_out_of_reach() {
    let text = spec_file("churn.yaml");
    let mine = bounded(&text);
    let mut theirs = mine.clone();
    theirs.stack = "churn-two".into();
    theirs.permissions_boundary = None;
    let endpoints = std::mem::take(&mut theirs.endpoints);
    theirs.endpoints =
        endpoints.into_iter().map(|(name, endpoint)| (format!("{name}-two"), endpoint)).collect();
    for endpoint in theirs.machine_learning.sagemaker.iter_mut().flat_map(|access| &mut access.endpoints) {
        endpoint.push_str("-two");
    }
    let account = Account::new(5, Mood::Calm);
    account.apply(&theirs).await;
    let deployed = Deployed::new(account, &mine, &[("OtherBuckets", OTHERS)]).await;
    let me = deployed.applying();
    me.apply(&mine).await;
    assert_eq!(denied(&me), Vec::<String>::new());
    let before = serde_json::to_value(me.sandbox.world()).unwrap();
    let at = caller(&me, &mine.region);

    let ec2 = aws_sdk_ec2::Client::new(&at);
    let vpcs = ec2.describe_vpcs().send().await.unwrap();
    let vpc_of = |stack: &str| {
        let is = |vpc: &&aws_sdk_ec2::types::Vpc| {
            vpc.tags().iter().any(|tag| tag.key() == Some("auroraml:stack") && tag.value() == Some(stack))
        };
        vpcs.vpcs().iter().find(is).and_then(|vpc| vpc.vpc_id()).unwrap().to_string()
    };
    let (own, other) = (vpc_of("churn"), vpc_of("churn-two"));
    let tag = |key: &str, value: &str| aws_sdk_ec2::types::Tag::builder().key(key).value(value).build();
    let tagged = |kind: aws_sdk_ec2::types::ResourceType| {
        let tag = tag("auroraml:stack", "churn");
        aws_sdk_ec2::types::TagSpecification::builder().resource_type(kind).tags(tag).build()
    };
    let mut codes = vec![
        code(ec2.delete_vpc().vpc_id(&other).send().await),
        // With our tag in the request, but in their VPC.
        code(
            ec2.create_subnet()
                .vpc_id(&other)
                .cidr_block("10.0.9.0/24")
                .tag_specifications(tagged(aws_sdk_ec2::types::ResourceType::Subnet))
                .send()
                .await,
        ),
        // Theirs made ours, ours made theirs, ours made nobody's.
        code(ec2.create_tags().resources(&other).tags(tag("auroraml:stack", "churn")).send().await),
        code(ec2.create_tags().resources(&own).tags(tag("auroraml:stack", "churn-two")).send().await),
        code(ec2.delete_tags().resources(&own).tags(tag("auroraml:stack", "churn")).send().await),
        // Without a tag.
        code(ec2.create_vpc().cidr_block("10.7.0.0/16").send().await),
    ];
    assert!(codes.iter().all(|code| code == "UnauthorizedOperation"), "{codes:?}");

    let rds = aws_sdk_rds::Client::new(&at);
    let instances = rds.describe_db_instances().send().await.unwrap();
    let instance = instances
        .db_instances()
        .iter()
        .find_map(|instance| instance.db_instance_identifier().filter(|name| name.starts_with("churn-two-")));
    let instance = instance.unwrap();
    let db = format!("arn:aws:rds:{}:111122223333:db:{instance}", mine.region);
    let rds_tag = aws_sdk_rds::types::Tag::builder().key("auroraml:stack").value("churn").build();
    codes = vec![
        code(
            rds.delete_db_instance().db_instance_identifier(instance).skip_final_snapshot(true).send().await,
        ),
        code(rds.reboot_db_instance().db_instance_identifier(instance).send().await),
        code(rds.add_tags_to_resource().resource_name(&db).tags(rds_tag).send().await),
        code(
            rds.modify_db_cluster()
                .db_cluster_identifier("churn-two")
                .backup_retention_period(2)
                .send()
                .await,
        ),
        code(
            rds.add_role_to_db_cluster()
                .db_cluster_identifier("churn")
                .role_arn("arn:aws:iam::111122223333:role/ApplyRole")
                .send()
                .await,
        ),
    ];

    let iam = aws_sdk_iam::Client::new(&at);
    let path = format!("/auroraml/churn/{}/", mine.region);
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rds.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let role = || iam.create_role().role_name("churn-x").assume_role_policy_document(trust);
    let own_tag = || Tag::builder().key("auroraml:stack").value("churn").build().unwrap();
    let own_role = format!("churn-{}-sagemaker", mine.region);
    let their_role = format!("churn-two-{}-sagemaker", mine.region);
    let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    codes.extend([
        code(role().path("/").permissions_boundary(BOUNDARY).tags(own_tag()).send().await),
        code(role().path("/auroraml/churn-two/us-east-1/").permissions_boundary(BOUNDARY).send().await),
        // In our path, with no boundary or a wider one.
        code(role().path(&path).tags(own_tag()).send().await),
        code(
            role()
                .path(&path)
                .permissions_boundary("arn:aws:iam::aws:policy/AdministratorAccess")
                .send()
                .await,
        ),
        code(iam.delete_role_permissions_boundary().role_name(&own_role).send().await),
        code(
            iam.put_role_permissions_boundary()
                .role_name(&own_role)
                .permissions_boundary("arn:aws:iam::aws:policy/AdministratorAccess")
                .send()
                .await,
        ),
        code(
            iam.attach_role_policy()
                .role_name(&own_role)
                .policy_arn("arn:aws:iam::aws:policy/AdministratorAccess")
                .send()
                .await,
        ),
        code(
            iam.create_policy_version()
                .policy_arn(BOUNDARY)
                .policy_document(all)
                .set_as_default(true)
                .send()
                .await,
        ),
        code(iam.put_role_policy().role_name("ApplyRole").policy_name("x").policy_document(all).send().await),
        code(iam.put_role_policy().role_name(&their_role).policy_name("x").policy_document(all).send().await),
        code(iam.delete_role().role_name(&their_role).send().await),
        code(iam.update_assume_role_policy().role_name(&their_role).policy_document(trust).send().await),
    ]);
    let s3 = aws_sdk_s3::Client::new(&at);
    let bucket = format!("churn-two-sagemaker-111122223333-{}", mine.region);
    codes.extend([
        code(s3.delete_bucket().bucket(&bucket).send().await),
        code(s3.put_object().bucket(&bucket).key("x").send().await),
        code(s3.list_objects_v2().bucket(&bucket).send().await),
        code(s3.create_bucket().bucket("churn-elsewhere").send().await),
    ]);
    assert!(codes.iter().all(|code| code == "AccessDenied"), "{codes:?}");

    let sagemaker = aws_sdk_sagemaker::Client::new(&at);
    let endpoint = theirs.endpoints.keys().next();
    let notebook = "churn-two-notebook";
    let arn = format!("arn:aws:sagemaker:{}:111122223333:notebook-instance/{notebook}", mine.region);
    let sagemaker_tag = aws_sdk_sagemaker::types::Tag::builder().key("auroraml:stack").value("churn").build();
    codes = vec![
        code(sagemaker.stop_notebook_instance().notebook_instance_name(notebook).send().await),
        code(sagemaker.delete_notebook_instance().notebook_instance_name(notebook).send().await),
        code(sagemaker.add_tags().resource_arn(&arn).tags(sagemaker_tag).send().await),
        code(
            sagemaker
                .create_presigned_notebook_instance_url()
                .notebook_instance_name("churn-notebook")
                .send()
                .await,
        ),
        code(
            sagemaker
                .create_model()
                .model_name("churn-x")
                .execution_role_arn("arn:aws:iam::111122223333:role/ApplyRole")
                .send()
                .await,
        ),
    ];
    if let Some(endpoint) = endpoint {
        codes.push(code(sagemaker.delete_endpoint().endpoint_name(endpoint).send().await));
    }
    let secrets = aws_sdk_secretsmanager::Client::new(&at);
    let managed = format!("arn:aws:secretsmanager:{}:111122223333:secret:rds!cluster-0-abcdef", mine.region);
    for secret in ["auroraml/churn-two/master", managed.as_str(), "other"] {
        codes.push(code(secrets.get_secret_value().secret_id(secret).send().await));
        codes.push(code(secrets.delete_secret().secret_id(secret).send().await));
    }
    assert!(codes.iter().all(|code| code == "AccessDeniedException"), "{codes:?}");

    // Nothing came of any of it.
    let after = serde_json::to_value(me.sandbox.world()).unwrap();
    for part in ["iam", "s3"] {
        assert_eq!(before["global"][part], after["global"][part], "{part}");
    }
    for part in ["ec2", "rds", "sagemaker", "secretsmanager"] {
        for (kind, objects) in before["regions"][&mine.region][part].as_object().unwrap() {
            if kind != "now" && !objects.is_number() {
                assert_eq!(*objects, after["regions"][&mine.region][part][kind], "{part} {kind}");
            }
        }
    }
    me.destroy(&mine).await;
}
