//! Interfaces that other services leave in a customer's subnets.

use super::*;
use aws_sdk_ec2::types::NetworkInterfaceStatus;

/// A subnet and a group with an interface of RDS in them.
async fn occupied() -> (Aws, String, String, String) {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let subnet = aws.subnet(&vpc, "10.0.1.0/24", "us-east-1a").await;
    let group = aws.group(&vpc, "db").await;
    let groups = [group.clone()];
    aws.state(|ec2| ec2.add_interface("eni-0a", &subnet, &groups, "RDSNetworkInterface", "amazon-rds"));
    (aws, vpc, subnet, group)
}

#[tokio::test(start_paused = true)]
async fn an_interface_tells_whose_it_is() {
    let (aws, vpc, subnet, group) = occupied().await;
    for (name, value) in [
        ("vpc-id", vpc.as_str()),
        ("subnet-id", &subnet),
        ("group-id", &group),
        ("status", "in-use"),
        ("requester-managed", "true"),
        ("description", "RDS*"),
        ("interface-type", "interface"),
    ] {
        let found = aws.describe_network_interfaces().filters(filter(name, value)).send().await.unwrap();
        let [found] = found.network_interfaces() else { panic!("{name}: {found:?}") };
        assert_eq!(found.network_interface_id(), Some("eni-0a"));
        assert_eq!(found.requester_id(), Some("amazon-rds"));
        assert_eq!(found.status(), Some(&NetworkInterfaceStatus::InUse));
        assert_eq!(found.vpc_id(), Some(vpc.as_str()));
        assert_eq!(found.groups()[0].group_name(), Some("db"));
        assert_eq!(found.private_ip_address(), Some("10.0.1.4"));
        assert_eq!(found.attachment().unwrap().instance_owner_id(), Some("amazon-rds"));
    }
    let other = aws.describe_network_interfaces().filters(filter("vpc-id", "vpc-0")).send().await.unwrap();
    assert!(other.network_interfaces().is_empty());
    let subnets = aws.describe_subnets().subnet_ids(subnet).send().await.unwrap();
    assert_eq!(subnets.subnets()[0].available_ip_address_count(), Some(250));
}

#[tokio::test(start_paused = true)]
async fn an_interface_blocks_the_teardown_until_its_service_releases_it() {
    let (aws, vpc, subnet, group) = occupied().await;
    let delete = aws.delete_network_interface().network_interface_id("eni-0a").send().await;
    assert_eq!(code(delete), "InvalidParameterValue", "it is in use");
    let at = aws.now() + 600_000;
    aws.state(|ec2| ec2.release_interface("eni-0a", at));
    aws.wait(500).await;
    assert_eq!(code(aws.delete_subnet().subnet_id(&subnet).send().await), "DependencyViolation");
    assert_eq!(code(aws.delete_security_group().group_id(&group).send().await), "DependencyViolation");
    assert_eq!(code(aws.delete_vpc().vpc_id(&vpc).send().await), "DependencyViolation");
    aws.wait(100).await;
    aws.delete_subnet().subnet_id(&subnet).send().await.unwrap();
    aws.delete_security_group().group_id(&group).send().await.unwrap();
    aws.delete_vpc().vpc_id(&vpc).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_interface_stays_until_the_customer_deletes_it() {
    let (aws, _, subnet, _) = occupied().await;
    let at = aws.now() + 60_000;
    aws.state(|ec2| ec2.abandon_interface("eni-0a", at));
    aws.wait(7200).await;
    let found = aws.describe_network_interfaces().network_interface_ids("eni-0a").send().await.unwrap();
    assert_eq!(found.network_interfaces()[0].status(), Some(&NetworkInterfaceStatus::Available));
    assert!(found.network_interfaces()[0].attachment().is_none());
    assert_eq!(code(aws.delete_subnet().subnet_id(&subnet).send().await), "DependencyViolation");
    let delete = || aws.delete_network_interface().network_interface_id("eni-0a").send();
    delete().await.unwrap();
    assert_eq!(code(delete().await), "InvalidNetworkInterfaceID.NotFound");
    aws.delete_subnet().subnet_id(&subnet).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_nat_gateways_interface_is_its_own() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let subnet = aws.subnet(&vpc, "10.0.1.0/24", "us-east-1a").await;
    aws.gateway(&vpc).await;
    let address = aws.address().await;
    let nat = aws.nat(&subnet, &address).await;
    let found = aws.describe_network_interfaces().filters(filter("interface-type", "nat_gateway"));
    let found = found.send().await.unwrap().network_interfaces.unwrap().remove(0);
    assert_eq!(found.description(), Some(format!("Interface for NAT Gateway {nat}").as_str()));
    assert_eq!(found.association().unwrap().allocation_id(), Some(address.as_str()));
}
