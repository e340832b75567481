//! The EC2 kinds through the real executor: made, changed, drifted, killed, duplicated and removed.

use crate::crash::{DESTROY, sweep};
use crate::harness::{Account, Recorder, spec};
use auroraml::aws::Aws;
use auroraml::run::execute::{Report, execute};
use auroraml::stack::Stack;
use auroraml_core::base::{Id, Input, State};
use auroraml_core::events::{Event, Silent};
use auroraml_core::model::Intent;
use auroraml_core::plan::Plan;
use auroraml_core::resource::Action;
use auroraml_core::resource::Graph;
use auroraml_core::spec::Spec;
use auroraml_sandbox::ec2::Ec2;
use auroraml_sandbox::faults::Faults;
use auroraml_sandbox::random::Mood;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, Filter, IpPermission, IpRange, NatGatewayState, ResourceType, Tag,
    TagSpecification,
};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const SMALL: &str = "
stack: net
region: us-east-1
network:
  cidr: 10.0.0.0/16
  public_subnets: [10.0.0.0/24]
  private_subnets: [10.0.16.0/20]
  nat: single
  endpoints: [s3, sts]
";

const LARGE: &str = "
stack: net
region: us-east-1
tags: { project: churn }
network:
  cidr: 10.0.0.0/16
  public_subnets: [10.0.0.0/24, 10.0.1.0/24]
  private_subnets: [10.0.16.0/20, 10.0.32.0/20]
  nat: per_zone
  endpoints: [s3, sts, kms]
";

impl Account {
    fn ec2<T>(&self, change: impl FnOnce(&mut Ec2) -> T) -> T {
        self.sandbox.with(|world| change(&mut world.regions.entry("us-east-1".into()).or_default().ec2))
    }
    async fn wait(&self, seconds: u64) {
        self.sandbox.clock().sleep(Duration::from_secs(seconds)).await;
    }
    /// Applies after something was changed by hand; the plan must say that it changes `ids` and no other.
    async fn mend(&self, spec: &Spec, ids: &[&str]) {
        self.wait(90).await;
        // Futures of a whole run are large, and the stacks of test threads are not.
        assert_eq!(work(&Box::pin(self.plan(spec)).await), ids);
        Box::pin(self.apply(spec)).await;
    }
}

fn work(plan: &Plan) -> Vec<String> {
    plan.work().map(|step| format!("{:?} {}", step.action, step.id)).collect()
}

async fn applied(text: &str, seed: u64, mood: Mood) -> (Account, Spec, Arc<Aws>) {
    let (account, spec) = (Account::new(seed, mood), spec(text));
    Box::pin(account.apply(&spec)).await;
    let aws = account.administrator(&spec).await.aws;
    (account, spec, aws)
}

/// The physical id of a resource.
async fn id(account: &Account, spec: &Spec, kind: &'static str, name: &str) -> String {
    let observed = Box::pin(account.prepare(spec, Intent::Apply)).await.unwrap().observed;
    observed[&Id::new(kind, name)].output("id").unwrap().to_string()
}

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

fn tagged(kind: ResourceType, name: &str) -> TagSpecification {
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    TagSpecification::builder()
        .resource_type(kind)
        .tags(tag("auroraml:stack", "net"))
        .tags(tag("auroraml:resource", name))
        .build()
}

fn assert_nothing_left(account: &Account, spec: &Spec) {
    let left: Vec<String> =
        account.traces(spec).into_iter().filter(|path| !path.contains("/nat_gateways/")).collect();
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_network_grows_shrinks_and_goes() {
    for (seed, mood) in [(1, Mood::Calm), (2, Mood::Real), (3, Mood::Real), (4, Mood::Real)] {
        let account = Account::new(seed, mood);
        let (small, large) = (spec(SMALL), spec(LARGE));
        account.apply(&small).await;
        let network = id(&account, &small, "vpc", "main").await;
        let plan = account.plan(&large).await;
        assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
        account.apply(&large).await;
        account.apply(&small).await;
        assert_eq!(id(&account, &small, "vpc", "main").await, network, "the VPC was replaced");
        account.destroy(&small).await;
        assert_nothing_left(&account, &small);
    }
}

/// Listings by tag, shared by all kinds, and the details of the one VPC.
#[tokio::test(start_paused = true)]
async fn a_look_costs_ten_requests_at_most() {
    let (account, spec, _) = applied(LARGE, 1, Mood::Calm).await;
    let reads = || account.sandbox.with(|world| world.log.iter().filter(|e| e.service == "ec2").count());
    let before = reads();
    assert!(account.plan(&spec).await.is_empty());
    // One more for the zones, which the model may ask for.
    assert!(reads() - before <= 11, "{} requests", reads() - before);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_change_is_blocked_with_its_reason() {
    let (account, _, _) = applied(SMALL, 1, Mood::Calm).await;
    for (from, to, path) in [
        ("cidr: 10.0.0.0/16", "cidr: 10.0.0.0/17", "vpc.main: cidr"),
        ("[10.0.0.0/24]", "[10.0.1.0/24]", "subnet.public-1: cidr"),
        ("[10.0.16.0/20]", "[10.0.32.0/20]", "subnet.private-1: cidr"),
    ] {
        let changed = SMALL.replace(from, to);
        assert_ne!(changed, SMALL);
        let plan = account.plan(&spec(&changed)).await;
        let blocked: Vec<String> = plan.blocked.iter().map(|b| format!("{}: {}", b.id, b.why)).collect();
        assert!(blocked.len() == 1 && blocked[0].starts_with(path), "{to}: {blocked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn drifted_attributes_and_tags_are_mended() {
    let (account, spec, aws) = applied(SMALL, 5, Mood::Real).await;
    let ec2 = &aws.ec2;
    let of = |kind, name| id(&account, &spec, kind, name);
    let no = AttributeBooleanValue::builder().value(false).build();

    let vpc = of("vpc", "main").await;
    ec2.modify_vpc_attribute().vpc_id(&vpc).enable_dns_hostnames(no.clone()).send().await.unwrap();
    account.mend(&spec, &["Update vpc.main"]).await;

    let public = of("subnet", "public-1").await;
    ec2.modify_subnet_attribute().subnet_id(&public).map_public_ip_on_launch(no).send().await.unwrap();
    account.mend(&spec, &["Update subnet.public-1"]).await;

    for (kind, name) in [
        ("vpc", "main"),
        ("internet_gateway", "main"),
        ("subnet", "private-1"),
        ("elastic_ip", "nat-1"),
        ("nat_gateway", "nat-1"),
        ("route_table", "private"),
        ("security_group", "endpoints"),
        ("vpc_endpoint", "s3"),
    ] {
        let object = of(kind, name).await;
        let tag = |key: &str, value| Tag::builder().key(key).set_value(value).build();
        let added = tag("stray", Some("x".into()));
        ec2.create_tags().resources(&object).tags(added).send().await.unwrap();
        ec2.delete_tags().resources(&object).tags(tag("Name", None)).send().await.unwrap();
        let plan = account.plan(&spec).await;
        assert_eq!(work(&plan), [format!("Update {kind}.{name}")]);
        assert_eq!(plan.work().next().unwrap().changes.len(), 2, "{kind}.{name}");
        account.apply(&spec).await;
    }
}

#[tokio::test(start_paused = true)]
async fn drifted_routes_are_mended() {
    let (account, spec, aws) = applied(SMALL, 5, Mood::Real).await;
    let ec2 = &aws.ec2;
    let of = |kind, name| id(&account, &spec, kind, name);
    let table = of("route_table", "private").await;
    let everywhere = "0.0.0.0/0";
    ec2.delete_route().route_table_id(&table).destination_cidr_block(everywhere).send().await.unwrap();
    account.mend(&spec, &["Update route_table.private"]).await;
    let gateway = of("internet_gateway", "main").await;
    ec2.replace_route()
        .route_table_id(&table)
        .destination_cidr_block(everywhere)
        .gateway_id(&gateway)
        .send()
        .await
        .unwrap();
    account.mend(&spec, &["Update route_table.private"]).await;
    ec2.create_route()
        .route_table_id(&table)
        .destination_cidr_block("192.0.2.0/24")
        .gateway_id(&gateway)
        .send()
        .await
        .unwrap();
    account.mend(&spec, &["Update route_table.private"]).await;

    let tables = ec2.describe_route_tables().route_table_ids(&table).send().await.unwrap();
    let association = tables.route_tables()[0].associations()[0].route_table_association_id().unwrap();
    ec2.disassociate_route_table().association_id(association).send().await.unwrap();
    account.mend(&spec, &["Update route_table.private"]).await;
}

#[tokio::test(start_paused = true)]
async fn drifted_rules_and_endpoints_are_mended() {
    let (account, spec, aws) = applied(SMALL, 5, Mood::Real).await;
    let ec2 = &aws.ec2;
    let of = |kind, name| id(&account, &spec, kind, name);
    let table = of("route_table", "private").await;
    let group = of("security_group", "endpoints").await;
    let rule = |range: &str| {
        let range = IpRange::builder().cidr_ip(range).build();
        IpPermission::builder().ip_protocol("tcp").from_port(443).to_port(443).ip_ranges(range).build()
    };
    let (stray, ours) = (rule("198.51.100.0/24"), rule("10.0.0.0/16"));
    ec2.authorize_security_group_ingress().group_id(&group).ip_permissions(stray).send().await.unwrap();
    ec2.revoke_security_group_ingress().group_id(&group).ip_permissions(ours).send().await.unwrap();
    let anything = IpRange::builder().cidr_ip("0.0.0.0/0").build();
    let anything = IpPermission::builder().ip_protocol("-1").ip_ranges(anything).build();
    ec2.authorize_security_group_egress().group_id(&group).ip_permissions(anything).send().await.unwrap();
    account.mend(&spec, &["Update security_group.endpoints"]).await;

    let endpoint = of("vpc_endpoint", "sts").await;
    ec2.modify_vpc_endpoint().vpc_endpoint_id(&endpoint).private_dns_enabled(false).send().await.unwrap();
    account.mend(&spec, &["Update vpc_endpoint.sts"]).await;
    let endpoint = of("vpc_endpoint", "s3").await;
    ec2.modify_vpc_endpoint().vpc_endpoint_id(&endpoint).remove_route_table_ids(&table).send().await.unwrap();
    account.mend(&spec, &["Update vpc_endpoint.s3"]).await;
}

/// Fact book, traps 41 and 42: what a person deleted is made again, and routes to what is gone are missing.
#[tokio::test(start_paused = true)]
async fn a_nat_gateway_deleted_by_hand_is_made_again() {
    let (account, spec, aws) = applied(SMALL, 6, Mood::Real).await;
    let first = id(&account, &spec, "nat_gateway", "nat-1").await;
    aws.ec2.delete_nat_gateway().nat_gateway_id(&first).send().await.unwrap();
    // While it is `deleting`, and when it is `deleted` and still listed.
    assert_eq!(account.plan(&spec).await.steps.iter().filter(|s| s.action == Action::Create).count(), 1);
    account.apply(&spec).await;
    let second = id(&account, &spec, "nat_gateway", "nat-1").await;
    assert_ne!(first, second);
    aws.ec2.delete_nat_gateway().nat_gateway_id(&second).send().await.unwrap();
    account.wait(600).await;
    account.apply(&spec).await;
    let third = id(&account, &spec, "nat_gateway", "nat-1").await;
    assert!(third != first && third != second);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_deleted_by_hand_is_made_again() {
    for wait in [0, 1, 130, 1000] {
        let (account, spec, aws) = applied(SMALL, 7, Mood::Real).await;
        for name in ["s3", "sts"] {
            let endpoint = id(&account, &spec, "vpc_endpoint", name).await;
            aws.ec2.delete_vpc_endpoints().vpc_endpoint_ids(endpoint).send().await.unwrap();
        }
        account.wait(wait).await;
        account.apply(&spec).await;
    }
}

/// A gateway that failed stays in the way until it is deleted, and is made again.
#[tokio::test(start_paused = true)]
async fn a_failed_nat_gateway_is_replaced() {
    let (account, spec, aws) = applied(&SMALL.replace("nat: single", "nat: none"), 8, Mood::Calm).await;
    let internet = id(&account, &spec, "internet_gateway", "main").await;
    let (vpc, subnet) =
        (id(&account, &spec, "vpc", "main").await, id(&account, &spec, "subnet", "public-1").await);
    let address =
        aws.ec2.allocate_address().tag_specifications(tagged(ResourceType::ElasticIp, "elastic_ip.nat-1"));
    let address = address.send().await.unwrap().allocation_id.unwrap();
    let detach = aws.ec2.detach_internet_gateway().internet_gateway_id(&internet).vpc_id(&vpc);
    detach.send().await.unwrap();
    account.wait(90).await;
    let nat = aws.ec2.create_nat_gateway().subnet_id(&subnet).allocation_id(&address);
    let nat = nat.tag_specifications(tagged(ResourceType::Natgateway, "nat_gateway.nat-1"));
    nat.send().await.unwrap();
    account.wait(90).await;
    let wanted = crate::harness::spec(SMALL);
    let prepared = account.prepare(&wanted, Intent::Apply).await.unwrap();
    let broken = &prepared.observed[&Id::new("nat_gateway", "nat-1")].state;
    assert!(matches!(broken, State::Broken(why) if why.starts_with("Gateway.NotAttached")), "{broken:?}");
    let step = prepared.plan.work().find(|step| step.id.kind == "nat_gateway").unwrap();
    assert_eq!(step.action, Action::Recreate);
    account.apply(&wanted).await;
    // The failed one is still listed, and no longer of any interest.
    let listed = aws.ec2.describe_nat_gateways().send().await.unwrap();
    let states: Vec<_> = listed.nat_gateways().iter().filter_map(|nat| nat.state()).collect();
    assert_eq!(states.len(), 2);
    assert!(states.contains(&&NatGatewayState::Available), "{states:?}");
}

/// What a killed run made turns up late: the plan keeps the one in use and deletes the other.
#[tokio::test(start_paused = true)]
async fn second_objects_of_one_name_are_deleted() {
    for seed in 1..=4 {
        let (account, spec, aws) = applied(SMALL, seed, Mood::Real).await;
        let before = account.prepare(&spec, Intent::Apply).await.unwrap().observed;
        let ec2 = &aws.ec2;
        let vpc = ec2.create_vpc().cidr_block("10.0.0.0/16");
        let vpc = vpc.tag_specifications(tagged(ResourceType::Vpc, "vpc.main")).send().await.unwrap();
        let vpc = vpc.vpc().and_then(|vpc| vpc.vpc_id()).unwrap().to_string();
        account.wait(90).await;
        let subnet = ec2.create_subnet().vpc_id(&vpc).cidr_block("10.0.0.0/24");
        subnet.tag_specifications(tagged(ResourceType::Subnet, "subnet.public-1")).send().await.unwrap();
        let table = ec2.create_route_table().vpc_id(&vpc);
        let table = table.tag_specifications(tagged(ResourceType::RouteTable, "route_table.private"));
        table.send().await.unwrap();
        let inside = before[&Id::new("vpc", "main")].output("id").unwrap().to_string();
        let table = ec2.create_route_table().vpc_id(inside);
        let table = table.tag_specifications(tagged(ResourceType::RouteTable, "route_table.private"));
        table.send().await.unwrap();
        let group = ec2.create_security_group().vpc_id(&vpc).group_name("net-endpoints").description("x");
        let group = group.tag_specifications(tagged(ResourceType::SecurityGroup, "security_group.endpoints"));
        group.send().await.unwrap();
        let gateway = tagged(ResourceType::InternetGateway, "internet_gateway.main");
        ec2.create_internet_gateway().tag_specifications(gateway).send().await.unwrap();
        let address = tagged(ResourceType::ElasticIp, "elastic_ip.nat-1");
        ec2.allocate_address().tag_specifications(address).send().await.unwrap();
        account.wait(90).await;

        let plan = account.plan(&spec).await;
        assert_eq!(plan.count(Action::Delete), 7, "{:?}", work(&plan));
        assert_eq!(plan.work().count(), 7, "{:?}", work(&plan));
        assert!(plan.work().all(|step| step.id.name.contains('#')), "{:?}", work(&plan));
        account.apply(&spec).await;
        let after = account.prepare(&spec, Intent::Apply).await.unwrap().observed;
        assert_eq!(before, after, "something in use was touched");
        account.destroy(&spec).await;
        assert_nothing_left(&account, &spec);
    }
}

/// Lost answers and errors: the creates that take no token are not sent twice blindly.
#[tokio::test(start_paused = true)]
async fn lost_answers_leave_nothing_double() {
    for seed in 1..=12 {
        let (account, spec) = (Account::new(seed, Mood::Real), spec(SMALL));
        let mut rough = Faults::seeded(seed);
        (rough.reset_after, rough.throttle, rough.server_error) = (0.25, 0.05, 0.05);
        account.sandbox.set_faults(rough.clone());
        let listener = Arc::new(Recorder::default());
        let outcome = account.run(&spec, Intent::Apply, listener.clone()).await;
        assert!(outcome.reports.iter().all(|report| report.failed.is_empty()), "{}", listener.text());
        account.sandbox.set_faults(Faults::default());
        account.wait(90).await;
        account.apply(&spec).await;
        let vpcs = account.sandbox.with(|world| {
            let made =
                |entry: &&auroraml_sandbox::Entry| entry.operation == "CreateVpc" && entry.code.is_none();
            world.log.iter().filter(made).count()
        });
        assert_eq!(vpcs, 1, "seed {seed}");
        account.sandbox.set_faults(rough);
        let outcome = account.run(&spec, DESTROY, Arc::new(Recorder::default())).await;
        assert!(outcome.reports.iter().all(|report| report.failed.is_empty()), "seed {seed}");
        account.sandbox.set_faults(Faults::default());
        account.destroy(&spec).await;
        assert_nothing_left(&account, &spec);
    }
}

#[tokio::test(start_paused = true)]
async fn killed_anywhere_while_it_is_made_or_goes() {
    let spec = spec(SMALL);
    let account = Account::new(21, Mood::Real);
    let (made, world) = sweep("network", account.sandbox.world(), &spec, Intent::Apply).await;
    let (removed, _) = sweep("network goes", world, &spec, DESTROY).await;
    assert!(made >= 40 && removed >= 30, "{made} and {removed} kill points");
}

#[tokio::test(start_paused = true)]
async fn killed_anywhere_while_it_changes() {
    let (small, large) = (spec(SMALL), spec(LARGE));
    let account = Account::new(22, Mood::Real);
    account.apply(&small).await;
    let (grown, world) = sweep("network grows", account.sandbox.world(), &large, Intent::Apply).await;
    let (shrunk, _) = sweep("network shrinks", world, &small, Intent::Apply).await;
    assert!(grown >= 40 && shrunk >= 40, "{grown} and {shrunk} kill points");
}

/// Killed again and again, a few requests further each time; returns how often.
async fn stagger(account: &Account, spec: &Spec, intent: Intent, seed: usize) -> usize {
    for kills in 0..100 {
        account
            .sandbox
            .set_faults(Faults::crashing((seed + 3 * kills) % 5, !(seed + kills).is_multiple_of(3)));
        let outcome = tokio::select! {
            outcome = account.run(spec, intent, Arc::new(Recorder::default())) => outcome,
            () = account.sandbox.crashed() => continue,
        };
        account.sandbox.set_faults(Faults::default());
        assert!(outcome.is_complete(), "seed {seed}: {:#?}", outcome.reports);
        account.assert_settled(spec, intent).await;
        return kills;
    }
    panic!("seed {seed}: it does not come to an end");
}

#[tokio::test(start_paused = true)]
async fn killed_again_and_again() {
    let spec = spec(SMALL);
    for seed in 1..=10 {
        let account = Account::new(seed as u64, Mood::Real);
        let kills = stagger(&account, &spec, Intent::Apply, seed).await;
        assert!(kills >= 4, "seed {seed}: killed {kills} times only");
        stagger(&account, &spec, DESTROY, seed).await;
        assert_nothing_left(&account, &spec);
    }
}

/// What other services leave in a subnet and a group: waited for, named, and deleted once abandoned.
#[tokio::test(start_paused = true)]
async fn lingering_interfaces_are_named_and_removed() {
    let (account, spec, _) = applied(SMALL, 9, Mood::Calm).await;
    let subnet = id(&account, &spec, "subnet", "private-1").await;
    let group = id(&account, &spec, "security_group", "endpoints").await;
    let now = account.sandbox.clock().now_ms();
    account.ec2(|ec2| {
        let groups = [group.clone()];
        ec2.add_interface("eni-left", &subnet, &groups, "RDSNetworkInterface", "amazon-rds");
        ec2.abandon_interface("eni-left", now);
        ec2.add_interface(
            "eni-busy",
            &subnet,
            &groups,
            "[Do not delete] ENI managed by SageMaker",
            "amazon-sagemaker",
        );
        ec2.release_interface("eni-busy", now + 2_400_000);
    });
    let told = account.destroy(&spec).await.text();
    assert!(
        told.contains(
            "eni-left (RDSNetworkInterface, created by amazon-rds, available): left behind, now deleted"
        ),
        "{told}"
    );
    assert!(told.contains("network interface eni-busy ([Do not delete] ENI managed by SageMaker, created by amazon-sagemaker, in-use)"), "{told}");
    assert!(!told.contains("eni-busy could not"), "{told}");
    assert_nothing_left(&account, &spec);
}

/// A person's own interface is never deleted, and an hour is enough.
#[tokio::test(start_paused = true)]
async fn a_foreign_interface_is_left_alone_and_told() {
    let (account, spec, _) = applied(SMALL, 9, Mood::Calm).await;
    let subnet = id(&account, &spec, "subnet", "private-1").await;
    let now = account.sandbox.clock().now_ms();
    account.ec2(|ec2| {
        ec2.add_interface("eni-own", &subnet, &[], "my appliance", "");
        ec2.abandon_interface("eni-own", now);
    });
    let outcome = account.run(&spec, DESTROY, Arc::new(Recorder::default())).await;
    let failed = &outcome.reports[0].failed;
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].0, Id::new("subnet", "private-1"));
    assert!(failed[0].1.to_string().contains("eni-own (my appliance, available)"), "{}", failed[0].1);
    let minutes = (account.sandbox.clock().now_ms() - now) / 60_000;
    assert!((60..=75).contains(&minutes), "{minutes} minutes");
    account.ec2(|ec2| ec2.release_interface("eni-own", now));
    account.destroy(&spec).await;
    assert_nothing_left(&account, &spec);
}

/// Fact book, trap 45: GuardDuty's endpoint and group are explained, not deleted.
#[tokio::test(start_paused = true)]
async fn guardduty_is_explained() {
    let (account, spec) = (Account::new(10, Mood::Calm), spec(&SMALL.replace("nat: single", "nat: none")));
    account.ec2(|ec2| ec2.guardduty = true);
    account.apply(&spec).await;
    let aws = account.administrator(&spec).await.aws;
    let endpoints = aws.ec2.describe_vpc_endpoints();
    let endpoints = endpoints.filters(filter("tag:GuardDutyManaged", "true")).send().await.unwrap();
    let theirs = endpoints.vpc_endpoints()[0].vpc_endpoint_id().unwrap().to_string();
    let groups = aws.ec2.describe_security_groups();
    let groups = groups.filters(filter("tag:GuardDutyManaged", "true")).send().await.unwrap();
    let group = groups.security_groups()[0].group_id().unwrap().to_string();

    let listener = Arc::new(Recorder::default());
    let destroy = account.run(&spec, DESTROY, listener.clone());
    let person = async {
        account.wait(1200).await;
        aws.ec2.delete_vpc_endpoints().vpc_endpoint_ids(&theirs).send().await.unwrap();
        account.wait(1200).await;
        aws.ec2.delete_security_group().group_id(&group).send().await.unwrap();
    };
    let (outcome, ()) = tokio::join!(destroy, person);
    let told = listener.text();
    assert!(outcome.is_complete(), "{told}");
    assert!(told.contains(&format!("aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {theirs}")), "{told}");
    assert!(told.contains(&format!("aws ec2 delete-security-group --group-id {group}")), "{told}");
    assert_nothing_left(&account, &spec);
}

/// The stack's VPC.
async fn make_vpc(ec2: &aws_sdk_ec2::Client) -> String {
    let make = ec2.create_vpc().cidr_block("10.0.0.0/16");
    let made = make.tag_specifications(tagged(ResourceType::Vpc, "vpc.main")).send().await.unwrap();
    made.vpc.unwrap().vpc_id.unwrap()
}

/// A stack of two groups whose rules refer to each other.
fn two_groups(vpc: &str, port: i32) -> Graph {
    let mut graph = Graph::default();
    let tags =
        |name: &str| json!({"auroraml:stack": "net", "auroraml:resource": format!("security_group.{name}")});
    let main = json!({"auroraml:stack": "net", "auroraml:resource": "vpc.main"});
    let props = json!({"cidr": "10.0.0.0/16", "dns_hostnames": false, "tags": main});
    graph.add(Id::new("vpc", "main"), props);
    let rule = |peer: Input| json!({"protocol": "tcp", "from_port": port, "to_port": port, "peer": peer});
    let (a, b) = (Id::new("security_group", "a"), Id::new("security_group", "b"));
    let all = json!([{"protocol": "-1", "from_port": null, "to_port": null, "peer": "0.0.0.0/0"}]);
    graph.add(
        a.clone(),
        json!({"vpc": vpc, "description": "a", "ingress": [], "egress": all, "tags": tags("a")}),
    );
    let ingress = json!([rule(Input::of(&a, "id"))]);
    graph
        .add(b, json!({"vpc": vpc, "description": "b", "ingress": ingress, "egress": [], "tags": tags("b")}));
    graph
}

/// Plans once and carries it out.
async fn once(stack: &Stack, graph: Graph) -> (Plan, Report) {
    let look = auroraml::aws::Look {
        aws: &stack.aws,
        as_of: stack.aws.clock.now_ms(),
        only: None,
        inside: Default::default(),
    };
    let observed = stack.kinds.observe_all(look).await.unwrap();
    let plan = auroraml_core::plan::plan(&graph, &observed, &stack.kinds.catalog());
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let report = execute(stack, graph, &plan, observed, stop, Arc::new(Silent), Arc::default()).await;
    (plan, report)
}

async fn carry_out(stack: &Stack, graph: Graph) -> Plan {
    let (plan, report) = once(stack, graph).await;
    assert!(report.is_complete(), "{report:?}");
    plan
}

#[tokio::test(start_paused = true)]
async fn groups_that_refer_to_each_other_change_and_go() {
    let (account, spec) = (Account::new(11, Mood::Real), spec(SMALL));
    let stack = account.connect(&spec).await;
    let aws = &stack.aws;
    let vpc = make_vpc(&aws.ec2).await;
    account.wait(90).await;
    assert_eq!(carry_out(&stack, two_groups(&vpc, 3306)).await.count(Action::Create), 2);
    assert!(carry_out(&stack, two_groups(&vpc, 3306)).await.is_empty());
    let before = account.mutations();
    let plan = carry_out(&stack, two_groups(&vpc, 3307)).await;
    assert_eq!(work(&plan), ["Update security_group.b"]);
    assert_eq!(account.mutations() - before, 2, "one rule more and one less, no other call");
    let groups =
        aws.ec2.describe_security_groups().filters(filter("group-name", "net-?")).send().await.unwrap();
    let find = |name: &str| groups.security_groups().iter().find(|g| g.group_name() == Some(name)).unwrap();
    let (a, b) = (find("net-a"), find("net-b"));
    assert_eq!(a.ip_permissions_egress()[0].ip_protocol(), Some("-1"));
    assert!(b.ip_permissions_egress().is_empty(), "AWS's own rule is still there");
    // By hand, the other direction as well: each now blocks the other.
    let peer = aws_sdk_ec2::types::UserIdGroupPair::builder().group_id(b.group_id().unwrap()).build();
    let rule = IpPermission::builder().ip_protocol("-1").user_id_group_pairs(peer).build();
    let request = aws.ec2.authorize_security_group_ingress().group_id(a.group_id().unwrap());
    request.ip_permissions(rule).send().await.unwrap();
    assert_eq!(carry_out(&stack, Graph::default()).await.count(Action::Delete), 3);
    let groups =
        aws.ec2.describe_security_groups().filters(filter("group-name", "net-?")).send().await.unwrap();
    assert!(groups.security_groups().is_empty());
}

/// A group of another owner with the name, and a rule of another owner's group, are told with their ids.
#[tokio::test(start_paused = true)]
async fn objects_of_others_are_named() {
    let (account, spec) = (Account::new(12, Mood::Calm), spec(SMALL));
    let stack = account.connect(&spec).await;
    let aws = &stack.aws;
    let vpc = make_vpc(&aws.ec2).await;
    account.wait(90).await;
    let person = account.administrator(&spec).await.aws;
    let theirs = person.ec2.create_security_group().vpc_id(&vpc).group_name("net-b").description("theirs");
    let theirs = theirs.send().await.unwrap().group_id.unwrap();
    account.wait(90).await;
    let (_, report) = once(&stack, two_groups(&vpc, 3306)).await;
    assert_eq!(report.failed.len(), 1);
    assert!(report.failed[0].1.to_string().contains(&theirs), "{}", report.failed[0].1);
}

/// Deletion order: fact book, section 5.5.
#[tokio::test(start_paused = true)]
async fn a_network_is_deleted_in_an_order_that_aws_accepts() {
    let (account, spec, _) = applied(LARGE, 13, Mood::Real).await;
    let listener = account.destroy(&spec).await;
    let events = listener.0.lock().unwrap().clone();
    let at = |wanted: &dyn Fn(&Event) -> bool| events.iter().position(|(_, event)| wanted(event)).unwrap();
    let begun = |kind: &'static str| at(&|event| matches!(event, Event::Acted { id, .. } if id.kind == kind));
    let over = |kind: &'static str| {
        let last =
            events.iter().rposition(|(_, e)| matches!(e, Event::Finished { id, .. } if id.kind == kind));
        last.unwrap()
    };
    for (first, then) in [
        ("vpc_endpoint", "route_table"),
        ("vpc_endpoint", "security_group"),
        ("vpc_endpoint", "subnet"),
        ("route_table", "nat_gateway"),
        ("nat_gateway", "elastic_ip"),
        ("nat_gateway", "subnet"),
        ("elastic_ip", "internet_gateway"),
        ("subnet", "vpc"),
        ("security_group", "vpc"),
        ("internet_gateway", "vpc"),
    ] {
        assert!(over(first) < begun(then), "{then} was begun before {first} was gone\n{}", listener.text());
    }
}
