//! Quotas: one less than is needed, and just enough.

use super::fixtures::{Situation, pair};
use crate::harness::{hosting, spec_file};
use auroraml_core::model::Code;
use aws_sdk_ec2::types::Filter;

/// A stack of its own cluster, and nothing else.
pub const SHOP: &str = "
stack: shop
region: us-east-1
network: { cidr: 10.0.0.0/16, private_subnets: [10.0.1.0/24, 10.0.2.0/24] }
aurora: { instances: [{ class: db.r6g.large }], on_destroy: snapshot }
";

fn quota(text: &str, quota: &str, value: f64) -> Situation {
    Situation::new(text).region(|region| {
        region.servicequotas.overrides.insert(quota.into(), value);
    })
}

#[tokio::test(start_paused = true)]
async fn of_the_network() {
    let churn = hosting();
    // The default VPC and its gateway are there already.
    let vpcs = |value| quota(&churn, "vpc/L-F678F1CE", value);
    pair(Code::VpcQuota, vpcs(1.0), vpcs(2.0)).await;
    let addresses = |value| quota(&churn, "ec2/L-0263D0A3", value);
    pair(Code::AddressQuota, addresses(0.0), addresses(1.0)).await;
    let gateways = |value| quota(&churn, "vpc/L-A4707A72", value);
    pair(Code::InternetGatewayQuota, gateways(1.0), gateways(2.0)).await;
    let endpoints = |value| quota(&churn, "vpc/L-1B52E74A", value);
    pair(Code::GatewayEndpointQuota, endpoints(0.0), endpoints(1.0)).await;
    let ranges = |count: usize| {
        let ranges: Vec<String> = (0..count).map(|n| format!("10.{}.{}.0/24", n / 200, n % 200)).collect();
        let user = "  username: admin\n";
        churn.replace(user, &format!("{user}  allow_from: [{}]\n", ranges.join(", ")))
    };
    // The notebook's own rule comes on top.
    pair(Code::RuleQuota, Situation::new(&ranges(60)), Situation::new(&ranges(59))).await;
}

/// The quota is one of each zone: what stands in another does not count.
#[tokio::test(start_paused = true)]
async fn of_nat_gateways_in_a_zone() {
    let with_one_in = async |zone: &str| {
        let situation = quota(&hosting(), "vpc/L-FE5A380F", 1.0);
        let ec2 = aws_sdk_ec2::Client::new(&situation.config());
        let in_zone = Filter::builder().name("availability-zone").values(zone).build();
        let subnets = ec2.describe_subnets().filters(in_zone).send().await.unwrap();
        let subnet = subnets.subnets()[0].subnet_id().unwrap().to_string();
        let address = ec2.allocate_address().send().await.unwrap();
        situation.wait(120).await;
        let nat = ec2.create_nat_gateway().subnet_id(subnet);
        nat.set_allocation_id(address.allocation_id).send().await.unwrap();
        situation.wait(300).await;
        situation
    };
    pair(Code::NatGatewayQuota, with_one_in("us-east-1a").await, with_one_in("us-east-1b").await).await;
}

#[tokio::test(start_paused = true)]
async fn of_rds() {
    let shop = |clusters, instances, parameter_groups, subnet_groups| {
        Situation::new(SHOP).region(|region| {
            let quotas = &mut region.rds.quotas;
            (quotas.clusters, quotas.instances) = (clusters, instances);
            (quotas.parameter_groups, quotas.subnet_groups) = (parameter_groups, subnet_groups);
        })
    };
    pair(Code::ClusterQuota, shop(0, 9, 9, 9), shop(1, 9, 9, 9)).await;
    pair(Code::InstanceQuota, shop(9, 0, 9, 9), shop(9, 1, 9, 9)).await;
    pair(Code::ParameterGroupQuota, shop(9, 9, 0, 9), shop(9, 9, 1, 9)).await;
    pair(Code::SubnetGroupQuota, shop(9, 9, 9, 0), shop(9, 9, 9, 1)).await;
    let standing = async |snapshots| {
        let situation = Situation::applied(SHOP).await.destroying();
        situation.region(|region| region.rds.quotas.cluster_snapshots = snapshots)
    };
    pair(Code::SnapshotQuota, standing(0).await, standing(1).await).await;
}

#[tokio::test(start_paused = true)]
async fn of_instances_for_machine_learning() {
    let churn = hosting();
    let endpoint = |value| quota(&churn, "sagemaker/ml.m5.large for endpoint usage", value);
    pair(Code::EndpointInstanceQuota, endpoint(0.0), endpoint(1.0)).await;
    let all = |value| quota(&churn, "sagemaker/Number of instances across active endpoints", value);
    pair(Code::EndpointTotalQuota, all(0.0), all(1.0)).await;
    let notebook = |value| quota(&churn, "sagemaker/ml.t3.medium for notebook instance usage", value);
    pair(Code::NotebookInstanceQuota, notebook(0.0), notebook(1.0)).await;
    let all = |value| quota(&churn, "sagemaker/Total number of notebook instances", value);
    pair(Code::NotebookTotalQuota, all(0.0), all(1.0)).await;
    let trained = spec_file("churn.yaml");
    let training = |value| quota(&trained, "sagemaker/ml.m5.large for training job usage", value);
    pair(Code::TrainingInstanceQuota, training(0.0), training(1.0)).await;
    let spot = trained.replace("        data: training\n", "        data: training\n        spot: true\n");
    assert_ne!(spot, trained);
    let spot = |value| quota(&spot, "sagemaker/ml.m5.large for spot training job usage", value);
    pair(Code::SpotInstanceQuota, spot(0.0), spot(1.0)).await;
}

/// An endpoint that moves runs both fleets at once.
#[tokio::test(start_paused = true)]
async fn of_both_fleets_of_an_endpoint() {
    let churn = hosting();
    let other = churn.replace("xgboost:1.7-1", "xgboost:1.5-1");
    let moving = async |value| {
        let situation = Situation::applied(&churn).await.planning(&other);
        situation.region(|region| {
            region.servicequotas.overrides.insert("sagemaker/ml.m5.large for endpoint usage".into(), value);
        })
    };
    let failing = moving(1.0).await.problems().await.unwrap_err();
    assert_eq!(failing.len(), 1, "{failing:?}");
    assert_eq!(failing[0].code, Code::EndpointInstanceQuota);
    assert_eq!(failing[0].why, "it is 1 in us-east-1, and this stack needs 2");
    assert!(moving(2.0).await.problems().await.is_ok());
}
