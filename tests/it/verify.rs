//! `verify` over live wiring: what auroraml made, what others made right, and the mistakes that are
//! published.

mod by_hand;
mod deep;
mod refused;

use crate::harness::{Account, spec, spec_file};
use crate::support::golden_at;
use auroraml::verify::{Check, Outcome, verify};
use auroraml_core::plan::Plan;
use auroraml_core::render::{self, Subject};
use auroraml_core::spec::{EndpointManager, Spec};
use auroraml_sandbox::random::Mood;
use aws_sdk_rds::types::ApplyMethod;
use by_hand::{ACCOUNT, ByHand, Network, allow, trust};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const SPEC: &str = "\
stack: shop
region: us-west-2
aurora: { existing: orders }
machine_learning: { sagemaker: { endpoints: [churn] }, comprehend: true, s3: { buckets: [orders-data] } }
endpoints: { churn: { managed_by: notebook } }
";
const PARAMETERS: [&str; 3] =
    ["aws_default_comprehend_role", "aws_default_s3_role", "aws_default_sagemaker_role"];
/// Milliseconds that one read takes in a calm sandbox.
const READ_MS: u64 = 80;
const ENDPOINT: &str = "arn:aws:sagemaker:us-west-2:111122223333:endpoint/churn";

async fn checks(account: &Account, spec: &Spec) -> Vec<Check> {
    look(account, spec, false).await
}

async fn look(account: &Account, spec: &Spec, deep: bool) -> Vec<Check> {
    let stack = account.connect(spec).await;
    let (before, asked) = (account.mutations(), account.sandbox.with(|world| world.log.len()));
    let checks = verify(&stack, deep).await.unwrap();
    assert_eq!(account.mutations(), before, "verify changed something");
    let asked: BTreeSet<String> = account
        .sandbox
        .with(|world| world.log[asked..].iter().map(|entry| entry.operation.clone()).collect());
    assert_permitted(&asked, deep);
    checks
}

/// docs/verify.md says which permissions that takes.
fn assert_permitted(asked: &BTreeSet<String>, deep: bool) {
    let (_, permissions) = include_str!("../../docs/verify.md").split_once("## Permissions").unwrap();
    let (always, only_deep) = permissions.split_once("with `--deep`").unwrap();
    let listed = |operation: &str| {
        let action = format!(":{operation}`");
        always.contains(&action) || deep && only_deep.contains(&action)
    };
    let unlisted: Vec<&String> = asked.iter().filter(|operation| !listed(operation)).collect();
    assert!(unlisted.is_empty(), "not in docs/verify.md: {unlisted:?}");
}

fn text(spec: &Spec, checks: &[Check]) -> String {
    let subject = Subject {
        stack: spec.stack.clone(),
        account: ACCOUNT.into(),
        region: spec.region.clone(),
        destroy: false,
        allow: auroraml_core::members::Impact::Readers,
        allow_is_final: false,
        has_window: false,
    };
    anstream::adapter::strip_str(&render::verify::text(&subject, checks)).to_string()
}

/// Ids that AWS draws, numbered in the order in which they appear.
fn numbered(text: &str) -> String {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("-0") {
        let start = rest[..at].rfind(|c: char| !c.is_ascii_lowercase()).map_or(0, |before| before + 1);
        let (kind, id) = (&rest[start..at], rest.get(start..at + 18).unwrap_or_default());
        let drawn = rest.get(at + 2..at + 18).unwrap_or_default();
        if drawn.len() == 16 && drawn.chars().all(|c| c.is_ascii_hexdigit()) {
            let named = seen.entry(id.to_string()).or_insert_with(|| {
                let number = numbers.entry(kind.to_string()).or_insert(0);
                *number += 1;
                format!("{kind}-{number}")
            });
            out.push_str(&rest[..start]);
            out.push_str(named);
            rest = &rest[at + 18..];
        } else {
            out.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
        }
    }
    out + rest
}

fn golden(name: &str, text: &str) {
    golden_at(&format!("tests/data/verify/{name}"), &numbered(text));
}

fn assert_all_right(checks: &[Check]) {
    let wrong: Vec<&Check> = checks.iter().filter(|check| check.outcome != Outcome::Ok).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Wiring that others made, and that works: one role for everything, trusted without conditions, its policy
/// attached, a group of the cluster's own, two members.
struct Wired {
    hand: ByHand,
    network: Network,
    spec: Spec,
    role: String,
}

impl Wired {
    async fn new() -> Wired {
        let wired = Wired::unset().await;
        for parameter in PARAMETERS {
            wired.set(parameter, ApplyMethod::Immediate).await;
        }
        wired.hand.wait(120).await;
        wired
    }

    /// All but the parameters.
    async fn unset() -> Wired {
        let hand = ByHand::new(Account::new(1, Mood::Calm), "us-west-2");
        let network = hand.network().await;
        let statements = json!([
            allow("sagemaker:InvokeEndpoint", ENDPOINT),
            allow("comprehend:*", "*"),
            allow("s3:*", "*"),
        ]);
        let role = hand.role("orders-ml", &trust("rds.amazonaws.com"), &statements).await;
        hand.group("orders").await;
        hand.cluster("orders", "orders", 2).await;
        hand.associate("orders", &role).await;
        hand.endpoint("churn").await;
        Wired { hand, network, spec: spec(SPEC), role }
    }

    async fn set(&self, parameter: &str, method: ApplyMethod) {
        self.hand.set("orders", parameter, &self.role, method).await;
    }

    async fn checks(&self) -> Vec<Check> {
        checks(&self.hand.account, &self.spec).await
    }

    /// What is not all right, as text.
    async fn complaints(&self) -> String {
        let mut checks = self.checks().await;
        checks.retain(|check| check.outcome != Outcome::Ok);
        text(&self.spec, &checks)
    }

    /// Those complaints, which must be the ones of the golden file.
    async fn golden(&self, name: &str) -> String {
        let text = self.complaints().await;
        golden(name, &text);
        text
    }
}

#[tokio::test(start_paused = true)]
async fn what_apply_made_is_all_right() {
    let spec = spec(&spec_file("churn.yaml"));
    let account = Account::new(3, Mood::Real);
    account.apply(&spec).await;
    let checks = checks(&account, &spec).await;
    assert_all_right(&checks);
    golden("churn.txt", &text(&spec, &checks));
    // With the stack's own secret.
    let deep = look(&account, &spec, true).await;
    assert_all_right(&deep);
    assert_eq!(deep.len(), checks.len() + 3);
}

#[tokio::test(start_paused = true)]
async fn so_is_every_other_example() {
    for name in ["churn-as-published.yaml", "minimal.yaml", "production.yaml"] {
        let spec = spec(&spec_file(name));
        let account = Account::new(6, Mood::Calm);
        account.apply(&spec).await;
        let mut checks = checks(&account, &spec).await;
        // What a notebook deploys is not there yet, and that is said.
        for (name, endpoint) in &spec.endpoints {
            if endpoint.managed_by == EndpointManager::Notebook {
                let object = format!("endpoint {name}");
                let at = checks.iter().position(|check| check.object == object).unwrap();
                assert_eq!(checks.remove(at).outcome, Outcome::Failed);
            }
        }
        assert_all_right(&checks);
        assert!(checks.len() >= 8, "{name}: {checks:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn so_is_what_it_wired_up_for_others() {
    let spec = spec(&spec_file("existing-cluster.yaml"));
    let hand = ByHand::new(Account::new(4, Mood::Real), &spec.region);
    hand.network().await;
    hand.cluster("database-aurora-ml", "default.aurora-mysql8.0", 2).await;
    let before = checks(&hand.account, &spec).await;
    let failed: Vec<&str> =
        before.iter().filter(|c| c.outcome == Outcome::Failed).map(|c| c.check.as_str()).collect();
    assert_eq!(failed, ["s3 parameter", "sagemaker parameter", "endpoint"]);
    assert!(
        before
            .iter()
            .any(|check| check.fix.iter().any(|fix| fix.contains("a default group cannot be changed")))
    );
    hand.endpoint("churn-autopilot").await;
    hand.account.apply(&spec).await;
    let checks = checks(&hand.account, &spec).await;
    assert_all_right(&checks);
    golden("existing-cluster.txt", &text(&spec, &checks));
}

#[tokio::test(start_paused = true)]
async fn and_what_others_wired_up_themselves() {
    let wired = Wired::new().await;
    let (sandbox, log) = (&wired.hand.account.sandbox, || wired.hand.account.sandbox.world().log);
    let (asked, began) = (log().len(), sandbox.clock().now_ms());
    let checks = wired.checks().await;
    assert_all_right(&checks);
    golden("by-hand.txt", &text(&wired.spec, &checks));
    // Independent questions go out together: the caller, the cluster, its group and its role, the policies.
    let (calls, rounds) = (log().len() - asked, (sandbox.clock().now_ms() - began).div_ceil(READ_MS));
    println!("verify of three abilities with one role: {calls} API calls, {rounds} sequential round trips");
    assert!(calls <= 16 && rounds <= 5, "{calls} API calls in {rounds} rounds");
    let json: serde_json::Value = serde_json::from_str(&render::verify::to_json(&checks)).unwrap();
    assert_eq!(json[0]["check"], "region");
    assert_eq!(json[0]["outcome"], "ok");
    assert!(json[0]["fix"].is_null() && json.as_array().unwrap().len() == checks.len());
}

/// A published script gives each parameter an option `--parameters` of its own; the CLI sends the last one.
#[tokio::test(start_paused = true)]
async fn only_the_last_of_three_options_is_sent() {
    let wired = Wired::unset().await;
    wired.set("aws_default_s3_role", ApplyMethod::Immediate).await;
    wired.hand.wait(120).await;
    let text = wired.golden("last-option.txt").await;
    for parameter in ["aws_default_comprehend_role", "aws_default_sagemaker_role"] {
        assert!(text.contains(&format!("{parameter} is not set (only aws_default_s3_role is: ")), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_group_is_shared() {
    let wired = Wired::new().await;
    wired.hand.cluster("billing", "orders", 1).await;
    let text = wired.golden("shared-group.txt").await;
    assert!(text.contains("note         group  parameter group orders: also used by billing"), "{text}");
    assert!(text.contains("0 failed"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_role_is_set_and_not_associated() {
    let wired = Wired::new().await;
    let remove = wired.hand.rds.remove_role_from_db_cluster().db_cluster_identifier("orders");
    remove.role_arn(&wired.role).send().await.unwrap();
    let text = wired.complaints().await;
    assert!(text.contains("PENDING on cluster orders"), "{text}");
    wired.hand.wait(120).await;
    let text = wired.golden("not-associated.txt").await;
    assert!(text.contains("set as parameter, but not associated with cluster orders"), "{text}");
    assert!(text.contains("add-role-to-db-cluster --db-cluster-identifier orders"), "{text}");
}

/// And the reverse: two roles, of which no parameter knows one.
#[tokio::test(start_paused = true)]
async fn the_role_is_associated_and_not_set() {
    let wired = Wired::new().await;
    let spare = wired.hand.role("spare", &trust("rds.amazonaws.com"), &allow("s3:*", "*")).await;
    wired.hand.wait(300).await;
    wired.hand.associate("orders", &spare).await;
    wired.hand.wait(120).await;
    let text = wired.complaints().await;
    assert!(text.contains("role/spare is associated with cluster orders, but no role parameter"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_association_is_invalid() {
    let wired = Wired::new().await;
    wired.hand.iam.delete_role_policy().role_name("orders-ml").policy_name("access").send().await.unwrap();
    wired.hand.iam.delete_role().role_name("orders-ml").send().await.unwrap();
    let text = wired.golden("invalid-association.txt").await;
    assert!(text.contains("INVALID: cluster orders cannot assume the role"), "{text}");
    assert!(text.contains("orders-ml does not exist"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_group_is_attached_and_nobody_rebooted() {
    let wired = Wired::unset().await;
    wired.hand.group("fresh").await;
    for parameter in PARAMETERS {
        wired.hand.set("fresh", parameter, &wired.role, ApplyMethod::PendingReboot).await;
    }
    let modify = wired.hand.rds.modify_db_cluster().db_cluster_identifier("orders");
    modify.db_cluster_parameter_group_name("fresh").send().await.unwrap();
    wired.hand.wait(300).await;
    let text = wired.golden("never-rebooted.txt").await;
    for member in ["writer orders-1", "reader orders-2"] {
        assert!(text.contains(&format!("{member}: pending-reboot")), "{text}");
    }
    assert!(text.contains("aws rds reboot-db-instance --db-instance-identifier orders-2"), "{text}");
}

/// Two things that the cluster's own group does not tell.
#[tokio::test(start_paused = true)]
async fn a_member_is_behind_its_own_group_or_failed_to_apply() {
    let wired = Wired::new().await;
    let rds = &wired.hand.rds;
    let make = rds.create_db_parameter_group().db_parameter_group_name("reporting");
    make.db_parameter_group_family("aurora-mysql8.0").description("by hand").send().await.unwrap();
    let modify = rds.modify_db_instance().db_instance_identifier("orders-2");
    modify.db_parameter_group_name("reporting").apply_immediately(true).send().await.unwrap();
    wired.hand.wait(300).await;
    let text = wired.complaints().await;
    assert!(
        text.contains("reader orders-2: pending-reboot with its own DB parameter group reporting"),
        "{text}"
    );
    assert!(text.contains("1 failed"), "{text}");
    rds.reboot_db_instance().db_instance_identifier("orders-2").send().await.unwrap();
    wired.hand.wait(300).await;
    assert_all_right(&wired.checks().await);
    wired.hand.account.sandbox.with(|world| {
        world.regions.get_mut("us-west-2").unwrap().rds.fail_to_apply("orders-1");
    });
    let text = wired.complaints().await;
    assert!(text.contains("writer orders-1: failed-to-apply: the engine rejected"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_role_trusts_somebody_else() {
    let wired = Wired::new().await;
    let change = async |document: serde_json::Value| {
        let update = wired.hand.iam.update_assume_role_policy().role_name("orders-ml");
        update.policy_document(document.to_string()).send().await.unwrap();
    };
    change(trust("sagemaker.amazonaws.com")).await;
    let text = wired.golden("trust.txt").await;
    assert!(text.contains("it trusts sagemaker.amazonaws.com, not rds.amazonaws.com"), "{text}");
    let mut other = trust("rds.amazonaws.com");
    other["Statement"][0]["Condition"] =
        json!({"ArnLike": {"aws:SourceArn": "arn:aws:rds:us-west-2:111122223333:cluster:billing"}});
    change(other).await;
    let text = wired.complaints().await;
    assert!(text.contains("cluster:billing (ArnLike), but is"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_policy_names_another_endpoint() {
    let wired = Wired::new().await;
    let other = ENDPOINT.replace("churn", "churn-2");
    let statements = json!([
        allow("sagemaker:InvokeEndpoint", &other),
        allow("comprehend:Detect*", "*"),
        allow("s3:Get*", "arn:aws:s3:::orders-data/*"),
        allow("s3:List*", "*"),
    ]);
    wired.hand.allow("orders-ml", &statements).await;
    let text = wired.golden("policy.txt").await;
    assert!(text.contains(&format!("it does not allow sagemaker:InvokeEndpoint on {ENDPOINT}")), "{text}");
    assert!(text.contains(&format!("is allowed on {other}")), "{text}");
    assert!(text.contains("comprehend:BatchDetectSentiment"), "{text}");
    assert!(text.contains("s3:PutObject"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_endpoint_is_missing_or_failed() {
    let wired = Wired::new().await;
    wired.hand.sagemaker.delete_endpoint().endpoint_name("churn").send().await.unwrap();
    wired.hand.wait(1200).await;
    let text = wired.complaints().await;
    assert!(text.contains("endpoint churn: it does not exist in us-west-2"), "{text}");
    wired.hand.fail_endpoints();
    let make = wired.hand.sagemaker.create_endpoint().endpoint_name("churn").endpoint_config_name("churn");
    make.send().await.unwrap();
    assert!(wired.complaints().await.contains("endpoint churn: Creating"));
    wired.hand.wait(3600).await;
    let text = wired.golden("failed-endpoint.txt").await;
    assert!(text.contains("endpoint churn: Failed: \"The primary container"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn there_is_no_way_out() {
    let wired = Wired::new().await;
    let Network { nat_gateway, table, subnets, vpc, .. } = &wired.network;
    wired.hand.ec2.delete_nat_gateway().nat_gateway_id(nat_gateway).send().await.unwrap();
    let text = wired.complaints().await;
    assert!(text.contains(&format!("{nat_gateway} is deleting")), "{text}");
    wired.hand.wait(7200).await;
    let text = wired.golden("no-nat-gateway.txt").await;
    assert!(text.contains("blackhole") && text.contains(subnets[1].as_str()), "{text}");
    // S3 has a gateway endpoint; one of the two subnets does not have it in its route table.
    let disassociate = async {
        let tables = wired.hand.ec2.describe_route_tables().route_table_ids(table).send().await.unwrap();
        let mut associations = tables.route_tables()[0].associations().iter();
        let own = associations.find(|a| a.subnet_id() == Some(subnets[1].as_str())).unwrap();
        let id = own.route_table_association_id().unwrap();
        wired.hand.ec2.disassociate_route_table().association_id(id).send().await.unwrap();
    };
    disassociate.await;
    let make = wired.hand.ec2.create_vpc_endpoint().vpc_id(vpc).route_table_ids(table);
    make.service_name("com.amazonaws.us-west-2.s3").send().await.unwrap();
    wired.hand.wait(300).await;
    let checks = wired.checks().await;
    let s3 = checks.iter().find(|check| check.check == "s3 network").unwrap();
    assert_eq!(s3.outcome, Outcome::Failed);
    assert!(!s3.found.contains(subnets[0].as_str()) && s3.found.contains(subnets[1].as_str()), "{s3:?}");
    assert!(
        s3.found.contains("have no public address"),
        "the main table leads to the internet gateway: {s3:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_gets_out_of_the_security_group() {
    let wired = Wired::new().await;
    wired.hand.close_egress(&wired.network.group).await;
    let text = wired.golden("egress.txt").await;
    let why = format!("{} does not allow port 443 to sagemaker.runtime", wired.network.group);
    assert!(text.contains(&why), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_cluster_is_stopped_or_not_there() {
    let wired = Wired::new().await;
    wired.hand.rds.stop_db_cluster().db_cluster_identifier("orders").send().await.unwrap();
    wired.hand.wait(1800).await;
    let text = wired.complaints().await;
    assert!(text.contains("cluster orders: it is stopped"), "{text}");
    assert!(text.contains("aws rds start-db-cluster --db-cluster-identifier orders"), "{text}");
    let elsewhere = spec(&SPEC.replace("existing: orders", "existing: order"));
    let checks = checks(&wired.hand.account, &elsewhere).await;
    assert_eq!(checks.len(), 1);
    assert!(checks[0].found.contains("it does not exist in us-west-2"), "{checks:?}");
}

/// Wiring that cannot work is said in the plan, before anybody fails over for it; and the note goes with its cause.
#[tokio::test(start_paused = true)]
async fn a_plan_says_what_the_wiring_leads_to() {
    let spec = spec(&spec_file("existing-cluster.yaml"));
    let hand = ByHand::new(Account::new(4, Mood::Calm), &spec.region);
    let network = hand.network().await;
    hand.cluster("database-aurora-ml", "default.aurora-mysql8.0", 2).await;
    let said = async || {
        let plan = hand.account.plan(&spec).await;
        assert!(plan.interruptions().next().is_some(), "nobody would restart for it");
        plan.notes.into_iter().filter(|note| note.contains("cannot use the wiring yet")).collect::<Vec<_>>()
    };
    let notes = said().await;
    assert_eq!(
        notes,
        ["SQL cannot use the wiring yet: endpoint churn-autopilot: it does not exist in us-west-2"]
    );
    hand.endpoint("churn-autopilot").await;
    assert_eq!(said().await, Vec::<String>::new());
    hand.ec2.delete_nat_gateway().nat_gateway_id(&network.nat_gateway).send().await.unwrap();
    hand.wait(7200).await;
    let notes = said().await;
    assert_eq!(notes.len(), 2, "{notes:#?}");
    for (note, service) in notes.iter().zip(["s3", "sagemaker.runtime"]) {
        let text = format!("cannot reach {service} from ");
        assert!(note.contains(&text) && note.contains("a NAT gateway"), "{note}");
    }
    // It is no reason not to wire it up; and once that is done, `verify` is who tells.
    hand.account.apply(&spec).await;
    let told = |plan: &Plan| plan.notes.iter().any(|note| note.contains("cannot use the wiring yet"));
    let plan = hand.account.plan(&spec).await;
    assert!(!told(&plan), "{:?}", plan.notes);
    // A change that is none of the wiring says nothing of it either.
    let mut tagged = spec.clone();
    tagged.tags.insert("team".into(), "data".into());
    let plan = hand.account.plan(&tagged).await;
    assert!(!plan.is_empty() && !told(&plan), "{:?}", plan.notes);
}
