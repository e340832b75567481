//! Names of one's own, roles of others, a key, a network of others: what was there before, in a spec.

mod others;

use crate::crash::{DESTROY, sweep};
use crate::from_tags;
use crate::harness::{Account, Recorder, spec};
use auroraml::run::reconcile::{PrepareError, prepare};
use auroraml_core::model::{Code, Intent};
use auroraml_core::spec::Spec;
use auroraml_sandbox::World;
use auroraml_sandbox::random::Mood;
use serde_json::Value;
use std::sync::Arc;

/// A stack whose objects were made by others before: `X-AuroraDatabaseCluster` is what CloudFormation calls a cluster.
const ORDERS: &str = r#"
stack: shop
region: us-east-1
tags: { team: orders }
network:
  cidr: 10.0.0.0/16
  private_subnets: [10.0.1.0/24, 10.0.2.0/24]
  endpoints: [s3, sagemaker_api, comprehend]
bucket: { on_destroy: empty }
aurora:
  identifier: Orders-AuroraDatabaseCluster
  subnet_group: Orders Subnets
  parameter_group: Orders-Parameters
  instances:
    - { class: db.r6g.large, identifier: Orders-Writer }
    - { class: db.r6g.large }
    - { class: db.r6g.large, identifier: Orders-Reports, promotion_tier: 15 }
  restart: { strategy: rolling, allow: failover, writer: Orders-Writer }
  database: orders
  secret: { managed_by: stack, name: orders/master, recovery_window_days: 0 }
  on_destroy: delete
machine_learning: { comprehend: true, s3: true }
notebook:
  instance: ml.t3.medium
  name: Orders-SageMakerNotebookInstance
  lifecycle_configuration: Orders-LifecycleConfig
  statements:
    - { Sid: ReadReports, Effect: Allow, Action: s3:GetObject, Resource: "arn:aws:s3:::reports/*" }
  on_create: |
    echo "made for $${USER}" > /home/ec2-user/made
  on_start: |
    echo started
"#;

/// The same with the names that auroraml chooses.
fn unnamed() -> String {
    let names = ["identifier", "subnet_group", "parameter_group", "name", "lifecycle_configuration"];
    let line = |line: &&str| !names.iter().any(|name| line.trim_start().starts_with(&format!("{name}: ")));
    let mut text: String = ORDERS.lines().filter(line).map(|line| format!("{line}\n")).collect();
    for chosen in [", identifier: Orders-Writer", ", identifier: Orders-Reports", " name: orders/master,"] {
        assert!(text.contains(chosen), "{chosen}");
        text = text.replace(chosen, "");
    }
    text.replace("writer: Orders-Writer", "writer: shop-1")
}

fn region(account: &Account) -> Value {
    let world = account.sandbox.world().without_contents();
    serde_json::to_value(world.regions.get("us-east-1")).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

/// The problems of a plan, with what they are of.
async fn problems(account: &Account, spec: &Spec, intent: Intent) -> Vec<(Code, String, String)> {
    let before = account.mutations();
    let prepared = account.prepare(spec, intent).await;
    assert_eq!(account.mutations(), before);
    match prepared {
        Err(PrepareError::Preflight(problems)) => {
            problems.into_iter().map(|one| (one.code, one.what, one.hint)).collect()
        }
        other => panic!("{:?}", other.map(|prepared| prepared.plan)),
    }
}

#[tokio::test(start_paused = true)]
async fn a_stack_under_names_of_ones_own() {
    for mood in [Mood::Calm, Mood::Real] {
        let (account, named) = (Account::new(3, mood), spec(ORDERS));
        account.apply(&named).await;
        let region = region(&account);
        let (rds, sagemaker) = (&region["rds"], &region["sagemaker"]);
        assert_eq!(keys(&rds["clusters"]), ["orders-auroradatabasecluster"]);
        assert_eq!(keys(&rds["instances"]), ["orders-reports", "orders-writer", "shop-2"]);
        let groups: Vec<&str> =
            keys(&rds["groups"]).into_iter().filter(|name| !name.starts_with("default.")).collect();
        assert_eq!(groups, ["orders-parameters"]);
        assert_eq!(keys(&rds["subnet_groups"]), ["orders subnets"], "{rds}");
        let text = sagemaker.to_string();
        assert!(text.contains("Orders-SageMakerNotebookInstance"), "{text}");
        assert!(text.contains("Orders-LifecycleConfig") && !text.contains("shop-notebook\""), "{text}");
        assert!(region["secretsmanager"].to_string().contains("orders/master"));
        let stack = account.connect(&named).await;
        let checks = auroraml::verify::verify(&stack, false).await.unwrap();
        assert!(!auroraml_core::verify::failed(&checks), "{checks:#?}");
        // Something of everything changes.
        let changed = ORDERS
            .replace("promotion_tier: 15", "promotion_tier: 14")
            .replace("team: orders", "team: sales")
            .replace("echo started", "echo started again")
            .replace("- { class: db.r6g.large }\n", "- { class: db.r6g.xlarge }\n");
        let changed = spec(&changed);
        account.apply(&changed).await;
        // Members come and go: one without a name of its own is called after its place.
        let fewer = ORDERS
            .replace("    - { class: db.r6g.large, identifier: Orders-Reports, promotion_tier: 15 }\n", "");
        let fewer = spec(&fewer);
        account.apply(&fewer).await;
        let region = self::region(&account);
        assert_eq!(keys(&region["rds"]["instances"]), ["orders-writer", "shop-2"]);
        account.apply(&named).await;
        account.destroy(&named).await;
        assert_eq!(account.traces(&named), Vec::<String>::new());
    }
}

/// What AWS has under another name is neither made twice nor left behind.
#[tokio::test(start_paused = true)]
async fn another_name_is_no_other_object() {
    let (named, unnamed) = (spec(ORDERS), spec(&unnamed()));
    let of = [
        "instance.1",
        "instance.3",
        "cluster.main",
        "subnet_group.main",
        "parameter_group.main",
        "secret.master",
        "notebook.main",
        "notebook_config.main",
    ];
    for (first, second, field) in
        [(&named, &unnamed, "orders-auroradatabasecluster"), (&unnamed, &named, "aurora.identifier: shop")]
    {
        let account = Account::new(3, Mood::Calm);
        account.apply(first).await;
        for intent in [Intent::Apply, DESTROY] {
            let found = problems(&account, second, intent).await;
            assert!(found.iter().all(|(code, ..)| *code == Code::NameChanged), "{found:?}");
            let mut what: Vec<&str> = found.iter().map(|(_, what, _)| what.as_str()).collect();
            // Members are seen with their cluster, which is not seen either.
            what.retain(|what| !what.starts_with("instance."));
            assert_eq!(what, of[2..], "{intent:?}");
            assert!(found.iter().any(|(.., hint)| hint.contains(field)), "{found:?}");
        }
        account.assert_settled(first, Intent::Apply).await;
        account.destroy(first).await;
    }
    // One at a time, so that members are seen.
    let account = Account::new(3, Mood::Calm);
    account.apply(&named).await;
    let other = spec(&ORDERS.replace("identifier: Orders-Reports, ", ""));
    let found = problems(&account, &other, Intent::Apply).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0, found[0].1.as_str()), (Code::NameChanged, "instance.3"));
    assert!(found[0].2.contains("aurora.instances[2].identifier: orders-reports"), "{found:?}");
    // In another case it is the same.
    let upper = ORDERS
        .replace("Orders-AuroraDatabaseCluster", "ORDERS-AURORADATABASECLUSTER")
        .replace("Orders-Parameters", "orders-parameters")
        .replace("identifier: Orders-Writer", "identifier: ORDERS-WRITER");
    account.assert_settled(&spec(&upper), Intent::Apply).await;
}

/// A name that a spec gives may be somebody else's.
#[tokio::test(start_paused = true)]
async fn what_others_call_so_is_theirs() {
    let account = Account::new(3, Mood::Calm);
    let stack = account.administrator(&spec(ORDERS)).await;
    let aws = &stack.aws;
    let script =
        aws_sdk_sagemaker::types::NotebookInstanceLifecycleHook::builder().content("ZWNobw==").build();
    let request = aws.sagemaker.create_notebook_instance_lifecycle_config();
    let request = request.notebook_instance_lifecycle_config_name("Orders-LifecycleConfig").on_start(script);
    request.send().await.unwrap();
    let request = aws.secretsmanager.create_secret().name("orders/master").secret_string("{}");
    request.send().await.unwrap();
    let plan = account.plan(&spec(ORDERS)).await;
    let mut blocked: Vec<String> = plan.blocked.iter().map(|one| one.id.to_string()).collect();
    blocked.sort();
    assert_eq!(blocked, ["notebook_config.main", "secret.master"], "{:?}", plan.blocked);
    // A destroy leaves them alone.
    let stack = account.connect(&spec(ORDERS)).await;
    let plan = prepare(&stack, DESTROY).await.unwrap().plan;
    assert_eq!(plan.work().count(), 0, "{plan:#?}");
}

#[tokio::test(start_paused = true)]
async fn names_are_found_from_tags_alone() {
    let (account, named) = (Account::new(5, Mood::Real), spec(ORDERS));
    account.apply(&named).await;
    let plan = from_tags::destroy(&account, &named).await;
    assert!(plan.work().any(|step| step.id.to_string() == "cluster.main"), "{plan:#?}");
    // The secret can be restored for seven days.
    let left: Vec<String> =
        account.traces(&named).into_iter().filter(|path| !path.contains("secretsmanager")).collect();
    assert_eq!(left, Vec::<String>::new());
    let region = region(&account);
    assert_eq!(keys(&region["rds"]["clusters"]), [""; 0]);
    assert!(!region["sagemaker"].to_string().contains("Orders-"), "{}", region["sagemaker"]);
}

#[tokio::test(start_paused = true)]
async fn killed_while_making_what_has_names() {
    let named =
        spec(&ORDERS.replace(", restart: { strategy: rolling, allow: failover, writer: Orders-Writer }", ""));
    let (made, world) = sweep("names, apply", World::new(1, Mood::Calm), &named, Intent::Apply).await;
    let (gone, _) = sweep("names, destroy", world, &named, DESTROY).await;
    println!("{made} and {gone} kill points");
    assert!(made > 40 && gone > 20, "{made} {gone}");
}

const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/orders-comprehend";

/// A stack with a role of its own, and with one of others in its place.
fn wired(roles: &str) -> Spec {
    let text = unnamed();
    let head = &text[..text.find("notebook:\n").unwrap()];
    spec(&format!("{head}{roles}\n"))
}

/// A role that others made for Aurora, with what it needs to call Comprehend.
async fn others_role(account: &Account, of: &Spec, name: &str) {
    let stack = account.administrator(of).await;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rds.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["comprehend:DetectSentiment","comprehend:BatchDetectSentiment"],"Resource":"*"}]}"#;
    let make = stack.aws.iam.create_role().role_name(name).path("/service-role/");
    make.assume_role_policy_document(trust).send().await.unwrap();
    let put = stack.aws.iam.put_role_policy().role_name(name).policy_name("calls");
    put.policy_document(allow).send().await.unwrap();
    account.sandbox.clock().sleep(std::time::Duration::from_secs(120)).await;
}

/// ARNs of the roles that the cluster has, the value of the parameter, and all names of roles.
fn wiring(account: &Account) -> (Vec<String>, String, Vec<String>) {
    let region = region(account);
    let cluster = &region["rds"]["clusters"]["shop"];
    let roles = cluster["roles"].as_array().unwrap().iter().map(|role| role["arn"].as_str().unwrap());
    let roles = roles.map(|arn| arn.rsplit('/').next().unwrap().to_string()).collect();
    let group = region["rds"]["groups"]["shop"].to_string();
    let value = group.split("aws_default_comprehend_role").nth(1).unwrap_or_default();
    let value = value.split('"').find(|part| part.starts_with("arn:")).unwrap_or_default();
    let world = serde_json::to_value(account.sandbox.world().without_contents()).unwrap();
    let all = keys(&world["global"]["iam"]["roles"]).into_iter();
    let all = all.filter(|name| name.contains("comprehend")).map(String::from).collect();
    (roles, value.rsplit('/').next().unwrap_or_default().to_string(), all)
}

#[tokio::test(start_paused = true)]
async fn a_role_of_others_is_used_and_stays_theirs() {
    let (own, others) = ("shop-us-east-1-comprehend", "orders-comprehend");
    let (plain, used) = (wired(""), wired(&format!("roles: {{ comprehend: {ROLE} }}")));
    let account = Account::new(7, Mood::Real);
    others_role(&account, &plain, others).await;
    account.apply(&used).await;
    let (roles, value, all) = wiring(&account);
    assert!(roles.contains(&others.to_string()) && !roles.iter().any(|role| role == own), "{roles:?}");
    assert_eq!((value.as_str(), all), (others, vec![others.to_string()]));
    let stack = account.connect(&used).await;
    let checks = auroraml::verify::verify(&stack, false).await.unwrap();
    assert!(!auroraml_core::verify::failed(&checks), "{checks:#?}");
    // Back to the stack's own, and to the other again.
    account.apply(&plain).await;
    let (roles, value, all) = wiring(&account);
    assert!(roles.contains(&own.to_string()) && !roles.iter().any(|role| role == others), "{roles:?}");
    assert_eq!((value.as_str(), all), (own, vec![others.to_string(), own.to_string()]));
    account.apply(&used).await;
    assert_eq!(wiring(&account).2, [others], "the stack's own is gone");
    account.destroy(&used).await;
    assert_eq!(account.traces(&used), Vec::<String>::new());
    let world = serde_json::to_value(account.sandbox.world().without_contents()).unwrap();
    assert!(keys(&world["global"]["iam"]["roles"]).contains(&others), "it is theirs");
}

/// The new association is there and the members run the new value before the old one goes; whoever is killed on the way
/// leaves nothing behind.
#[tokio::test(start_paused = true)]
async fn a_role_takes_anothers_place() {
    let (plain, used) = (wired(""), wired(&format!("roles: {{ comprehend: {ROLE} }}")));
    let account = Account::new(7, Mood::Calm);
    others_role(&account, &plain, "orders-comprehend").await;
    account.apply(&plain).await;
    let (there, world) = sweep("a role of others", account.sandbox.world(), &used, Intent::Apply).await;
    let (back, world) = sweep("its own again", world, &plain, Intent::Apply).await;
    println!("{there} and {back} kill points");
    assert!(there >= 10 && back >= 10, "{there} {back}");
    let account = Account::over(world);
    let listener = Arc::new(Recorder::default());
    let outcome = account.run(&plain, Intent::Apply, listener).await;
    assert!(outcome.is_complete());
    let log: Vec<String> = account.sandbox.with(|world| {
        world
            .mutations()
            .map(|entry| entry.operation.clone())
            .filter(|name| {
                name.contains("RoleToDB")
                    || name.contains("RoleFromDB")
                    || name == "RebootDBInstance"
                    || name == "FailoverDBCluster"
            })
            .collect()
    });
    let last = |name: &str| log.iter().rposition(|one| one == name);
    assert!(
        last("RemoveRoleFromDBCluster") > last("FailoverDBCluster").max(last("RebootDBInstance")),
        "{log:?}"
    );
}

const KEY: &str = "12345678-1234-1234-1234-123456789012";

/// The same stack with a file for the notebook, and everything encrypted with a key.
fn encrypted(key: bool) -> Spec {
    let text =
        unnamed().replace("instance: ml.t3.medium\n", "instance: ml.t3.medium\n  files: [churn.yaml]\n");
    assert!(text.contains("files:"));
    let arn = format!("kms_key: arn:aws:kms:us-east-1:111122223333:key/{KEY}\n");
    spec(&format!("{text}{}", if key { arn } else { String::new() }))
}

fn with_key(seed: u64, mood: Mood) -> Account {
    let account = Account::new(seed, mood);
    account.sandbox.with(|world| {
        let now = world.now;
        world.regions.entry("us-east-1".into()).or_default().kms.add_key(KEY, "us-east-1", now);
    });
    account
}

#[tokio::test(start_paused = true)]
async fn everything_with_a_key_of_ones_own() {
    for mood in [Mood::Calm, Mood::Real] {
        let (account, spec) = (with_key(11, mood), encrypted(true));
        account.apply(&spec).await;
        let arn = spec.kms_key.clone().unwrap();
        let region = region(&account);
        assert_eq!(region["rds"]["clusters"]["shop"]["kms_key"], arn.as_str());
        assert!(region["sagemaker"].to_string().contains(&format!("\"kms_key\":\"{arn}\"")));
        assert!(region["secretsmanager"].to_string().contains(&format!("\"kms_key_id\":\"{arn}\"")));
        let world = serde_json::to_value(account.sandbox.world().without_contents()).unwrap();
        let bucket = world["global"]["s3"]["buckets"].as_object().unwrap().values().next().unwrap().clone();
        assert_eq!(bucket["encryption"]["kms_key"], arn.as_str());
        assert_eq!(bucket["encryption"]["bucket_key"], true);
        // What reads and writes it may use the key; what does neither may not.
        let roles = world["global"]["iam"]["roles"].as_object().unwrap();
        for (name, may) in [("s3", true), ("notebook", true), ("comprehend", false)] {
            let role = roles[&format!("shop-us-east-1-{name}")].to_string();
            assert_eq!(role.contains("kms:GenerateDataKey") && role.contains(&arn), may, "{name}: {role}");
        }
        let stack = account.connect(&spec).await;
        let checks = auroraml::verify::verify(&stack, false).await.unwrap();
        assert!(!auroraml_core::verify::failed(&checks), "{checks:#?}");
        // Whoever is held to the policy of the same spec without a key may not write into that bucket.
        let other =
            account.connect_for(&encrypted(false), &[auroraml_core::policy::Purpose::Apply]).await.unwrap();
        let put = |stack: &auroraml::stack::Stack| {
            stack.aws.s3.put_object().bucket(stack.aws.bucket()).key("auroraml/12345678/x").send()
        };
        let refused = put(&other).await.unwrap_err();
        assert!(format!("{refused:?}").contains("kms:GenerateDataKey"), "{refused:?}");
        put(&stack).await.unwrap();
        // What a person takes away comes back.
        let administrator = account.administrator(&spec).await;
        let request = administrator.aws.s3.delete_bucket_encryption().bucket(stack.aws.bucket());
        request.send().await.unwrap();
        let request = administrator.aws.secretsmanager.update_secret().secret_id(stack.aws.place.secret());
        request.kms_key_id("alias/aws/secretsmanager").send().await.unwrap();
        let plan = account.plan(&spec).await;
        let mut changed: Vec<String> = plan.work().map(|step| step.id.to_string()).collect();
        changed.retain(|id| id != "secret_attachment.master" && !id.starts_with("bucket_object"));
        changed.sort();
        assert_eq!(changed, ["bucket.main", "secret.master"], "{plan:#?}");
        account.apply(&spec).await;
        account.destroy(&spec).await;
        assert_eq!(account.traces(&spec), Vec::<String>::new());
    }
}

/// AWS changes the key of hardly anything.
#[tokio::test(start_paused = true)]
async fn a_key_is_for_life() {
    let blocked = async |account: &Account, spec: &Spec| -> Vec<String> {
        let plan = account.plan(spec).await;
        let mut blocked: Vec<String> =
            plan.blocked.iter().map(|one| format!("{}: {}", one.id, one.why)).collect();
        blocked.sort();
        blocked.iter().map(|one| one.split(" from ").next().unwrap().to_string()).collect()
    };
    let account = with_key(11, Mood::Calm);
    account.apply(&encrypted(false)).await;
    let set = blocked(&account, &encrypted(true)).await;
    assert_eq!(set, ["cluster.main: kms_key cannot change", "notebook.main: kms_key cannot change"]);
    let account = with_key(11, Mood::Calm);
    account.apply(&encrypted(true)).await;
    let taken_out = blocked(&account, &encrypted(false)).await;
    let all =
        ["bucket.main", "cluster.main", "notebook.main"].map(|id| format!("{id}: kms_key cannot change"));
    assert_eq!(taken_out, all);
    // A bucket alone gets one in place, and keeps it.
    let text = "stack: alone\nregion: us-east-1\nbucket: { on_destroy: empty }\n";
    let keyed = spec(&format!("{text}kms_key: arn:aws:kms:us-east-1:111122223333:key/{KEY}\n"));
    let (account, plain) = (with_key(11, Mood::Calm), spec(text));
    account.apply(&plain).await;
    account.apply(&keyed).await;
    assert_eq!(blocked(&account, &plain).await, ["bucket.main: kms_key cannot change"]);
    account.destroy(&keyed).await;
    // RDS makes the secret with it as well.
    let managed = unnamed().replace("secret: { managed_by: stack, recovery_window_days: 0 }", "secret: {}");
    assert!(managed.contains("secret: {}"), "{managed}");
    let managed = spec(&format!("{managed}kms_key: arn:aws:kms:us-east-1:111122223333:key/{KEY}\n"));
    let account = with_key(11, Mood::Calm);
    account.apply(&managed).await;
    assert_eq!(
        region(&account)["rds"]["clusters"]["shop"]["secret"]["kms_key"],
        managed.kms_key.clone().unwrap()
    );
    account.destroy(&managed).await;
}

/// A VPC that another stack made, with two private subnets and a public one.
async fn ground(account: &Account) -> (Spec, String, Vec<String>, String) {
    let ground = spec(
        "stack: ground\nregion: us-east-1\nnetwork:\n  cidr: 10.7.0.0/16\n  public_subnets: [10.7.0.0/24]\n  private_subnets: [10.7.1.0/24, 10.7.2.0/24]\n  nat: single\n",
    );
    account.apply(&ground).await;
    let ec2 = region(account)["ec2"].take();
    let of = |kind: &str, name: &str| -> String {
        let all = ec2[kind].as_object().unwrap().iter();
        let mut found = all.filter(|(_, one)| one["record"]["tags"]["auroraml:resource"] == name);
        found.next().unwrap_or_else(|| panic!("no {name} in {}", ec2[kind])).0.clone()
    };
    let private = ["subnet.private-1", "subnet.private-2"].map(|name| of("subnets", name)).to_vec();
    (ground, of("vpcs", "vpc.main"), private, of("subnets", "subnet.public-1"))
}

#[tokio::test(start_paused = true)]
async fn a_network_of_others() {
    for mood in [Mood::Calm, Mood::Real] {
        let account = Account::new(13, mood);
        let (ground, vpc, private, public) = ground(&account).await;
        let text = |egress: &str, vpc: &str| {
            format!(
                "stack: shop\nregion: us-east-1\nnetwork:\n  existing: {vpc}\n  private_subnets: [{}]\n  public_subnets: [{public}]\n{egress}bucket: {{ on_destroy: empty }}\naurora: {{ instances: [{{ class: db.r6g.large }}], on_destroy: delete }}\nmachine_learning: {{ comprehend: true }}\nnotebook: {{ instance: ml.t3.medium }}\n",
                private.join(", ")
            )
        };
        let shop = spec(&text("", &vpc));
        account.apply(&shop).await;
        let groups = |account: &Account| -> Vec<Value> {
            let ec2 = region(account)["ec2"].take();
            let all = ec2["security_groups"].as_object().unwrap().values().cloned();
            all.filter(|one| one["record"]["tags"]["auroraml:stack"] == "shop").collect()
        };
        assert_eq!(groups(&account).len(), 2);
        // The notebook may go to the cluster in the range of that VPC.
        assert!(groups(&account).iter().any(|group| group.to_string().contains("10.7.0.0/16")));
        let stack = account.connect(&shop).await;
        let checks = auroraml::verify::verify(&stack, false).await.unwrap();
        assert!(!auroraml_core::verify::failed(&checks), "{checks:#?}");
        // All egress, as CloudFormation makes groups, and back.
        let open = spec(&text("  egress: [0.0.0.0/0]\n", &vpc));
        account.apply(&open).await;
        assert!(groups(&account).iter().all(|group| !group.to_string().contains("10.7.0.0/16")));
        account.apply(&shop).await;
        // Another VPC would be another place.
        let elsewhere = spec(&text("", "vpc-0123456789abcdef0"));
        let found = problems(&account, &elsewhere, Intent::Apply).await;
        assert!(found.iter().all(|(code, ..)| *code == Code::NetworkMissing), "{found:?}");
        account.destroy(&shop).await;
        assert_eq!(account.traces(&shop), Vec::<String>::new());
        account.assert_settled(&ground, Intent::Apply).await;
        account.destroy(&ground).await;
    }
}

/// The roles of notebook and models are swapped in place: the notebook is stopped and started, the endpoint moves.
#[tokio::test(start_paused = true)]
async fn roles_of_others_for_sagemaker() {
    let text = format!(
        "{}endpoints:\n  churn:\n    model: {{ image: \"xgboost:1.7-1\", artifact: \"s3://sagemaker-sample-files/models/churn/model.tar.gz\" }}\n    instance: ml.m5.large\n",
        unnamed()
    );
    let roles = ["notebook", "model"].map(|name| format!("{name}: arn:aws:iam::111122223333:role/{name}"));
    let (plain, used) = (spec(&text), spec(&format!("{text}roles: {{ {} }}\n", roles.join(", "))));
    let account = Account::new(9, Mood::Calm);
    let stack = account.administrator(&plain).await;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    for name in ["notebook", "model"] {
        let make = stack.aws.iam.create_role().role_name(name).assume_role_policy_document(trust);
        make.send().await.unwrap();
        let put = stack.aws.iam.put_role_policy().role_name(name).policy_name("all").policy_document(allow);
        put.send().await.unwrap();
    }
    account.sandbox.clock().sleep(std::time::Duration::from_secs(120)).await;
    let own = |account: &Account| -> Vec<String> {
        let world = serde_json::to_value(account.sandbox.world().without_contents()).unwrap();
        let all = keys(&world["global"]["iam"]["roles"]).into_iter();
        all.filter(|name| name.ends_with("-notebook") || name.ends_with("-model")).map(String::from).collect()
    };
    account.apply(&used).await;
    assert_eq!(own(&account), Vec::<String>::new());
    account.apply(&plain).await;
    assert_eq!(own(&account), ["shop-us-east-1-model", "shop-us-east-1-notebook"]);
    account.apply(&used).await;
    assert_eq!(own(&account), Vec::<String>::new());
    account.destroy(&used).await;
    assert_eq!(account.traces(&used), Vec::<String>::new());
}
