//! VPCs, subnets and zones.

use super::*;
use aws_sdk_ec2::types::{AttributeBooleanValue, SubnetState, VpcAttributeName, VpcState};

fn yes() -> AttributeBooleanValue {
    AttributeBooleanValue::builder().value(true).build()
}

#[tokio::test(start_paused = true)]
async fn zones_have_names_and_ids_of_the_region() {
    let aws = calm();
    let zones = aws.describe_availability_zones().filters(filter("state", "available")).send().await.unwrap();
    let zones = zones.availability_zones();
    assert!((3..=6).contains(&zones.len()));
    assert_eq!(zones[0].zone_name(), Some("us-east-1a"));
    assert!(zones.iter().all(|zone| zone.zone_id().unwrap().starts_with("use1-az")));
    let unknown = aws.describe_availability_zones().zone_names("us-east-1z").send().await;
    assert_eq!(code(unknown), "InvalidParameterValue");
}

#[tokio::test(start_paused = true)]
async fn a_vpc_comes_and_goes_with_its_main_table_default_group_and_access_list() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let found = aws.describe_vpcs().vpc_ids(&vpc).send().await.unwrap();
    let found = &found.vpcs()[0];
    assert_eq!((found.cidr_block(), found.state()), (Some("10.0.0.0/16"), Some(&VpcState::Available)));
    assert_eq!(found.is_default(), Some(false));

    let main = aws.main_table(&vpc).await;
    assert_eq!(main.associations()[0].main(), Some(true));
    assert_eq!(main.routes()[0].gateway_id(), Some("local"));
    let group = aws.default_group(&vpc).await;
    let lists = aws.describe_network_acls().filters(filter("vpc-id", &vpc)).send().await.unwrap();
    assert_eq!(lists.network_acls()[0].is_default(), Some(true));
    assert_eq!(lists.network_acls()[0].entries().len(), 4);

    aws.delete_vpc().vpc_id(&vpc).send().await.unwrap();
    assert_eq!(code(aws.describe_vpcs().vpc_ids(&vpc).send().await), "InvalidVpcID.NotFound");
    assert_eq!(code(aws.describe_security_groups().group_ids(group).send().await), "InvalidGroup.NotFound");
    let tables = aws.describe_route_tables().send().await.unwrap();
    let lists = aws.describe_network_acls().send().await.unwrap();
    assert!(tables.route_tables().is_empty() && lists.network_acls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_vpc_has_between_16_and_28_bits_and_a_canonical_block() {
    let aws = calm();
    for bad in ["10.0.0.0/8", "10.0.0.0/29"] {
        assert_eq!(code(aws.create_vpc().cidr_block(bad).send().await), "InvalidVpc.Range");
    }
    assert_eq!(code(aws.create_vpc().cidr_block("10.0.0.0").send().await), "InvalidParameterValue");
    let made = aws.create_vpc().cidr_block("10.1.2.3/16").send().await.unwrap();
    assert_eq!(made.vpc().unwrap().cidr_block(), Some("10.1.0.0/16"));
}

#[tokio::test(start_paused = true)]
async fn five_vpcs_and_no_more() {
    let aws = calm();
    for _ in 0..5 {
        // No token and no natural guard: the same call makes another VPC each time.
        aws.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap();
    }
    assert_eq!(code(aws.create_vpc().cidr_block("10.0.0.0/16").send().await), "VpcLimitExceeded");
    aws.state(|ec2| ec2.quotas.vpcs = 6);
    aws.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn vpc_attributes_change_one_at_a_time() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let both = aws.modify_vpc_attribute().vpc_id(&vpc).enable_dns_support(yes()).enable_dns_hostnames(yes());
    assert_eq!(code(both.send().await), "InvalidParameterCombination");
    let hostnames =
        || aws.describe_vpc_attribute().vpc_id(&vpc).attribute(VpcAttributeName::EnableDnsHostnames).send();
    assert_eq!(hostnames().await.unwrap().enable_dns_hostnames().unwrap().value(), Some(false));
    aws.modify_vpc_attribute().vpc_id(&vpc).enable_dns_hostnames(yes()).send().await.unwrap();
    assert_eq!(hostnames().await.unwrap().enable_dns_hostnames().unwrap().value(), Some(true));
    let support = aws.describe_vpc_attribute().vpc_id(&vpc).attribute(VpcAttributeName::EnableDnsSupport);
    assert_eq!(support.send().await.unwrap().enable_dns_support().unwrap().value(), Some(true));
}

#[tokio::test(start_paused = true)]
async fn subnets_lie_inside_the_vpc_and_do_not_overlap() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let id = aws.subnet(&vpc, "10.0.1.0/24", "us-east-1b").await;
    let create = |cidr: &str| aws.create_subnet().vpc_id(&vpc).cidr_block(cidr).send();
    assert_eq!(code(create("10.0.1.0/24").await), "InvalidSubnet.Conflict");
    assert_eq!(code(create("10.0.0.0/20").await), "InvalidSubnet.Conflict");
    assert_eq!(code(create("10.1.0.0/24").await), "InvalidSubnet.Range");
    assert_eq!(code(create("10.0.9.0/29").await), "InvalidSubnet.Range");
    let nowhere = aws.create_subnet().vpc_id(&vpc).cidr_block("10.0.2.0/24").availability_zone("us-east-1z");
    assert_eq!(code(nowhere.send().await), "InvalidParameterValue");

    let found = aws.describe_subnets().subnet_ids(&id).send().await.unwrap();
    let found = &found.subnets()[0];
    assert_eq!(found.state(), Some(&SubnetState::Available));
    assert_eq!(found.availability_zone(), Some("us-east-1b"));
    assert_eq!(found.available_ip_address_count(), Some(251));
    assert_eq!(aws.state(|ec2| ec2.subnet_zone(&id)).as_deref(), Some("us-east-1b"));
    assert_eq!(aws.state(|ec2| ec2.subnet_vpc(&id)), Some(vpc));
}

#[tokio::test(start_paused = true)]
async fn a_subnet_maps_public_addresses_when_told() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let id = aws.subnet(&vpc, "10.0.1.0/24", "us-east-1a").await;
    let two = aws.modify_subnet_attribute().subnet_id(&id).map_public_ip_on_launch(yes()).enable_dns64(yes());
    assert_eq!(code(two.send().await), "InvalidParameterCombination");
    aws.modify_subnet_attribute().subnet_id(&id).map_public_ip_on_launch(yes()).send().await.unwrap();
    let mapping = aws.describe_subnets().filters(filter("map-public-ip-on-launch", "true"));
    assert_eq!(mapping.send().await.unwrap().subnets()[0].subnet_id(), Some(id.as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_vpc_stays_while_anything_of_ones_own_is_in_it() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let delete = || async { code(aws.delete_vpc().vpc_id(&vpc).send().await) };

    let subnet = aws.subnet(&vpc, "10.0.1.0/24", "us-east-1a").await;
    assert_eq!(delete().await, "DependencyViolation");
    aws.delete_subnet().subnet_id(subnet).send().await.unwrap();

    let group = aws.group(&vpc, "mine").await;
    assert_eq!(delete().await, "DependencyViolation");
    aws.delete_security_group().group_id(group).send().await.unwrap();

    let table = aws.table(&vpc).await;
    assert_eq!(delete().await, "DependencyViolation");
    aws.delete_route_table().route_table_id(table).send().await.unwrap();

    let gateway = aws.gateway(&vpc).await;
    assert_eq!(delete().await, "DependencyViolation");
    aws.detach_internet_gateway().internet_gateway_id(gateway).vpc_id(&vpc).send().await.unwrap();

    aws.delete_vpc().vpc_id(&vpc).send().await.unwrap();
}
