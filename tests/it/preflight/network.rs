//! The network: zones, and what is in the way in a VPC that stands.

use super::fixtures::{Situation, pair};
use super::quotas::SHOP;
use crate::harness::{hosting, spec_file};
use auroraml_core::model::Code;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{AttributeBooleanValue, Filter, VpcEndpointType};

#[tokio::test(start_paused = true)]
async fn zones() {
    let subnets = |count: usize| {
        let ranges: Vec<String> = (0..count).map(|n| format!("10.192.{}.0/24", 100 + n)).collect();
        let old = "private_subnets: [10.192.20.0/24, 10.192.21.0/24]";
        let churn = hosting();
        assert!(churn.contains(old));
        Situation::new(&churn.replace(old, &format!("private_subnets: [{}]", ranges.join(", "))))
    };
    pair(Code::ZonesTooFew, subnets(7), subnets(6)).await;
    let six = |count: usize| {
        let ranges: Vec<String> = (0..count).map(|n| format!("10.0.{n}.0/24")).collect();
        let text = spec_file("minimal.yaml").replace("cidr: 10.0.0.0/24", "cidr: 10.0.0.0/16");
        let old = "private_subnets: [10.0.0.0/26, 10.0.0.64/26]";
        assert!(text.contains(old));
        Situation::new(&text.replace(old, &format!("private_subnets: [{}]", ranges.join(", "))))
    };
    pair(Code::EndpointServiceZone, six(6), six(5)).await;
}

/// A VPC of others that is there, and one that is not.
#[tokio::test(start_paused = true)]
async fn a_network_of_others() {
    let own = "network: { cidr: 10.0.0.0/16, private_subnets: [10.0.1.0/24, 10.0.2.0/24] }";
    assert!(SHOP.contains(own));
    let in_vpc = |vpc: &str, subnets: &str| {
        SHOP.replace(own, &format!("network: {{ existing: {vpc}, private_subnets: [{subnets}] }}"))
    };
    let nowhere = in_vpc("vpc-0123456789abcdef0", "subnet-0123456789abcdef0, subnet-0123456789abcdef1");
    let there = Situation::new(&nowhere);
    let ec2 = Client::new(&there.config());
    let made = ec2.create_vpc().cidr_block("10.9.0.0/16").send().await.unwrap();
    let vpc = made.vpc().unwrap().vpc_id().unwrap().to_string();
    there.wait(60).await;
    let mut subnets = Vec::new();
    for (n, zone) in ["us-east-1a", "us-east-1b"].into_iter().enumerate() {
        let make = ec2.create_subnet().vpc_id(&vpc).cidr_block(format!("10.9.{n}.0/24"));
        let made = make.availability_zone(zone).send().await.unwrap();
        subnets.push(made.subnet().unwrap().subnet_id().unwrap().to_string());
    }
    there.wait(60).await;
    let there = there.planning(&in_vpc(&vpc, &subnets.join(", ")));
    pair(Code::NetworkMissing, Situation::new(&nowhere), there).await;
}

/// Id of the stack's VPC.
async fn vpc(ec2: &Client) -> String {
    let ours = Filter::builder().name("tag:auroraml:stack").values("shop").build();
    let vpcs = ec2.describe_vpcs().filters(ours).send().await.unwrap();
    vpcs.vpcs()[0].vpc_id().unwrap().to_string()
}

/// The stack stands, and somebody else has been in its VPC.
async fn standing(text: &str) -> (Situation, Client, String) {
    let situation = Situation::applied(text).await;
    let ec2 = Client::new(&situation.config());
    let vpc = vpc(&ec2).await;
    (situation, ec2, vpc)
}

#[tokio::test(start_paused = true)]
async fn others_in_the_vpc() {
    let third = SHOP.replace("10.0.2.0/24]", "10.0.2.0/24, 10.0.3.0/24]");
    let with_subnet = async |range: &str| {
        let (situation, ec2, vpc) = standing(SHOP).await;
        ec2.create_subnet().vpc_id(vpc).cidr_block(range).send().await.unwrap();
        situation.wait(120).await;
        situation.planning(&third)
    };
    let (taken, free) = (with_subnet("10.0.3.128/25").await, with_subnet("10.0.4.0/24").await);
    pair(Code::SubnetRangeTaken, taken, free).await;

    let with_endpoint = SHOP.replace("10.0.2.0/24] }", "10.0.2.0/24], endpoints: [sts] }");
    let resolving = async |resolves: bool| {
        let (situation, ec2, vpc) = standing(SHOP).await;
        let value = AttributeBooleanValue::builder().value(resolves).build();
        ec2.modify_vpc_attribute().vpc_id(vpc).enable_dns_support(value).send().await.unwrap();
        situation.planning(&with_endpoint)
    };
    pair(Code::VpcDnsOff, resolving(false).await, resolving(true).await).await;

    let named = async |service: &str| {
        let (situation, ec2, vpc) = standing(SHOP).await;
        let make = ec2.create_vpc_endpoint().vpc_id(vpc).vpc_endpoint_type(VpcEndpointType::Interface);
        let make = make.service_name(format!("com.amazonaws.us-east-1.{service}")).private_dns_enabled(true);
        make.send().await.unwrap();
        situation.wait(300).await;
        situation.planning(&with_endpoint)
    };
    pair(Code::EndpointNameTaken, named("sts").await, named("logs").await).await;
}

/// A subnet of 16 addresses, of which AWS keeps five for itself.
#[tokio::test(start_paused = true)]
async fn a_small_subnet() {
    let small = SHOP.replace("[10.0.1.0/24, 10.0.2.0/24]", "[10.0.1.0/28, 10.0.2.0/28]");
    let more = small.replace("10.0.2.0/28] }", "10.0.2.0/28], endpoints: [secretsmanager, logs, sts, kms] }");
    let with = async |services: &[&str]| {
        let (situation, ec2, vpc) = standing(&small).await;
        let in_vpc = Filter::builder().name("vpc-id").values(&vpc).build();
        let subnets = ec2.describe_subnets().filters(in_vpc).send().await.unwrap();
        let ids: Vec<String> =
            subnets.subnets().iter().map(|subnet| subnet.subnet_id().unwrap().to_string()).collect();
        for service in services {
            let make = ec2.create_vpc_endpoint().vpc_id(&vpc).vpc_endpoint_type(VpcEndpointType::Interface);
            let make = make.service_name(format!("com.amazonaws.us-east-1.{service}"));
            make.set_subnet_ids(Some(ids.clone())).private_dns_enabled(false).send().await.unwrap();
        }
        situation.wait(300).await;
        situation.planning(&more)
    };
    let eight = ["ec2", "ecr.api", "ecr.dkr", "ssm", "lambda", "monitoring", "ssmmessages", "servicequotas"];
    let failing = with(&eight).await;
    let found = failing.problems().await.unwrap_err();
    // The other one may be full as well.
    assert!(found.iter().all(|problem| problem.code == Code::SubnetFull), "{found:?}");
    super::fixtures::judged(
        Code::SubnetFull,
        Err(found[..1].to_vec()),
        with(&eight[..2]).await.problems().await,
    );
}

#[tokio::test(start_paused = true)]
async fn security_groups_that_rules_name() {
    let from = |peer: &str| {
        SHOP.replace("on_destroy: snapshot", &format!("on_destroy: snapshot, allow_from: [{peer}]"))
    };
    let missing = Situation::new(&from("sg-0123456789abcdef0"));
    let own = async || {
        let (situation, ec2, vpc) = standing(SHOP).await;
        let make = ec2.create_security_group().vpc_id(vpc).group_name("theirs").description("theirs");
        let group = make.send().await.unwrap().group_id.unwrap();
        situation.wait(120).await;
        situation.planning(&from(&group))
    };
    pair(Code::PeerGroupMissing, missing, own().await).await;
    let elsewhere = Situation::new(SHOP);
    let ec2 = Client::new(&elsewhere.config());
    let default = ec2.describe_security_groups().send().await.unwrap();
    let group = default.security_groups()[0].group_id().unwrap().to_string();
    pair(Code::PeerGroupElsewhere, elsewhere.planning(&from(&group)), own().await).await;
}
