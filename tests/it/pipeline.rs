//! The two roles of templates/pipeline-role.yaml: a whole life under the policies that they have, enforced, and what
//! they refuse.

mod granted;
mod limits;

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
