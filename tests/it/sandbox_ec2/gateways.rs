//! Internet gateways, addresses, NAT gateways.

use super::*;
use aws_sdk_ec2::types::NatGatewayState;

#[tokio::test(start_paused = true)]
async fn an_internet_gateway_is_attached_once() {
    let aws = calm();
    let (one, other) = (aws.vpc("10.0.0.0/16").await, aws.vpc("10.1.0.0/16").await);
    let id = aws.gateway(&one).await;
    let attach =
        |id: &str, vpc: &str| aws.attach_internet_gateway().internet_gateway_id(id).vpc_id(vpc).send();
    assert_eq!(code(attach(&id, &one).await), "Resource.AlreadyAssociated");
    assert_eq!(code(attach(&id, &other).await), "Resource.AlreadyAssociated");
    let second = aws.create_internet_gateway().send().await.unwrap().internet_gateway.unwrap();
    aws.wait(2).await;
    let second = second.internet_gateway_id().unwrap();
    assert_eq!(code(attach(second, &one).await), "InvalidParameterValue", "one gateway for each VPC");

    let found =
        aws.describe_internet_gateways().filters(filter("attachment.vpc-id", &one)).send().await.unwrap();
    let [found] = found.internet_gateways() else { panic!("one gateway is attached: {found:?}") };
    assert_eq!(found.internet_gateway_id(), Some(id.as_str()));
    assert_eq!(found.attachments()[0].state().unwrap().as_str(), "available");
}

#[tokio::test(start_paused = true)]
async fn an_internet_gateway_is_detached_before_it_is_deleted() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let id = aws.gateway(&vpc).await;
    let delete = || aws.delete_internet_gateway().internet_gateway_id(&id).send();
    let detach = || aws.detach_internet_gateway().internet_gateway_id(&id).vpc_id(&vpc).send();
    assert_eq!(code(delete().await), "DependencyViolation");
    detach().await.unwrap();
    assert_eq!(code(detach().await), "Gateway.NotAttached");
    delete().await.unwrap();
    assert_eq!(code(delete().await), "InvalidInternetGatewayID.NotFound");
}

#[tokio::test(start_paused = true)]
async fn five_gateways_and_five_addresses_and_no_more() {
    let aws = calm();
    for _ in 0..5 {
        aws.create_internet_gateway().send().await.unwrap();
        aws.allocate_address().send().await.unwrap();
    }
    assert_eq!(code(aws.create_internet_gateway().send().await), "InternetGatewayLimitExceeded");
    assert_eq!(code(aws.allocate_address().send().await), "AddressLimitExceeded");
}

/// A VPC with an internet gateway, a public subnet and an address.
async fn public() -> (Aws, String, String, String) {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let subnet = aws.subnet(&vpc, "10.0.1.0/24", "us-east-1a").await;
    let address = aws.address().await;
    (aws, vpc, subnet, address)
}

#[tokio::test(start_paused = true)]
async fn a_nat_gateway_is_pending_for_minutes_and_takes_its_address() {
    let (aws, vpc, subnet, address) = public().await;
    aws.gateway(&vpc).await;
    let made = aws.create_nat_gateway().subnet_id(&subnet).allocation_id(&address).send().await.unwrap();
    let id = made.nat_gateway.unwrap().nat_gateway_id.unwrap();
    aws.wait(90).await;
    let pending = aws.nat_state(&id).await;
    assert_eq!(pending.state(), Some(&NatGatewayState::Pending));
    assert_eq!(pending.nat_gateway_addresses()[0].public_ip(), None);
    aws.wait(20).await;
    let available = aws.nat_state(&id).await;
    assert_eq!(available.state(), Some(&NatGatewayState::Available));

    let found = aws.describe_addresses().allocation_ids(&address).send().await.unwrap();
    let found = &found.addresses()[0];
    let shown = &available.nat_gateway_addresses()[0];
    assert_eq!(shown.public_ip(), found.public_ip());
    assert_eq!(shown.association_id(), found.association_id());
    assert_eq!(shown.network_interface_id(), found.network_interface_id());
    assert!(found.association_id().is_some());
    assert_eq!(found.private_ip_address(), Some("10.0.1.4"));
}

#[tokio::test(start_paused = true)]
async fn a_nat_gateway_without_an_internet_gateway_fails_and_leaves_the_address_free() {
    let (aws, _, subnet, address) = public().await;
    let id = aws.nat(&subnet, &address).await;
    let failed = aws.nat_state(&id).await;
    assert_eq!(failed.state(), Some(&NatGatewayState::Failed));
    assert_eq!(failed.failure_code(), Some("Gateway.NotAttached"));
    assert!(failed.failure_message().unwrap().contains("no Internet gateway attached"));
    aws.delete_subnet().subnet_id(subnet).send().await.unwrap();
    aws.release_address().allocation_id(address).send().await.unwrap();
    aws.wait(3400).await;
    aws.nat_state(&id).await;
    aws.wait(200).await;
    assert_eq!(code(aws.describe_nat_gateways().nat_gateway_ids(&id).send().await), "NatGatewayNotFound");
}

#[tokio::test(start_paused = true)]
async fn an_address_in_use_makes_a_second_gateway_fail_and_cannot_be_released() {
    let (aws, vpc, subnet, address) = public().await;
    aws.gateway(&vpc).await;
    aws.nat(&subnet, &address).await;
    let second = aws.nat(&subnet, &address).await;
    let failed = aws.nat_state(&second).await;
    assert_eq!(failed.failure_code(), Some("Resource.AlreadyAssociated"));
    let release = aws.release_address().allocation_id(&address).send().await;
    assert_eq!(code(release), "InvalidIPAddress.InUse");
    let found = aws.describe_addresses().allocation_ids(&address).send().await.unwrap();
    let association = found.addresses()[0].association_id().unwrap().to_string();
    let free = aws.disassociate_address().association_id(association).send().await;
    assert_eq!(code(free), "AuthFailure", "only the gateway can let go of it");
    let unknown = aws.disassociate_address().association_id("eipassoc-0").send().await;
    assert_eq!(code(unknown), "InvalidAssociationID.NotFound");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_nat_gateway_blocks_until_deleted_stays_listed_and_leaves_its_address() {
    let (aws, vpc, subnet, address) = public().await;
    let gateway = aws.gateway(&vpc).await;
    let id = aws.nat(&subnet, &address).await;
    aws.delete_nat_gateway().nat_gateway_id(&id).send().await.unwrap();

    assert_eq!(aws.nat_state(&id).await.state(), Some(&NatGatewayState::Deleting));
    assert_eq!(code(aws.delete_subnet().subnet_id(&subnet).send().await), "DependencyViolation");
    let detach = || aws.detach_internet_gateway().internet_gateway_id(&gateway).vpc_id(&vpc).send();
    assert_eq!(code(detach().await), "DependencyViolation", "the address is still mapped");
    assert_eq!(code(aws.release_address().allocation_id(&address).send().await), "InvalidIPAddress.InUse");

    aws.wait(60).await;
    let deleted = aws.nat_state(&id).await;
    assert_eq!(deleted.state(), Some(&NatGatewayState::Deleted));
    assert!(deleted.delete_time().is_some());
    assert_eq!(code(aws.delete_nat_gateway().nat_gateway_id(&id).send().await), "NatGatewayNotFound");
    let found = aws.describe_addresses().allocation_ids(&address).send().await.unwrap();
    assert_eq!(found.addresses()[0].association_id(), None, "free, but still there");
    detach().await.unwrap();
    aws.delete_subnet().subnet_id(&subnet).send().await.unwrap();
    aws.release_address().allocation_id(&address).send().await.unwrap();
    let again = aws.release_address().allocation_id(&address).send().await;
    assert_eq!(code(again), "InvalidAllocationID.NotFound");

    let live = aws
        .describe_nat_gateways()
        .filter(Filter::builder().name("state").values("pending").values("available").build());
    assert!(live.send().await.unwrap().nat_gateways().is_empty());
    aws.wait(3600).await;
    assert_eq!(code(aws.describe_nat_gateways().nat_gateway_ids(&id).send().await), "NatGatewayNotFound");
}

#[tokio::test(start_paused = true)]
async fn a_release_by_public_ip_has_a_code_of_its_own() {
    let aws = calm();
    let made = aws.allocate_address().send().await.unwrap();
    aws.wait(2).await;
    let release = || aws.release_address().public_ip(made.public_ip().unwrap()).send();
    release().await.unwrap();
    assert_eq!(code(release().await), "AuthFailure");
}

#[tokio::test(start_paused = true)]
async fn a_private_nat_gateway_needs_neither_address_nor_internet_gateway() {
    let (aws, _, subnet, _) = public().await;
    let missing = aws.create_nat_gateway().subnet_id(&subnet).send().await;
    assert_eq!(code(missing), "MissingParameter");
    let made = aws
        .create_nat_gateway()
        .subnet_id(&subnet)
        .connectivity_type(aws_sdk_ec2::types::ConnectivityType::Private)
        .send()
        .await
        .unwrap();
    aws.wait(120).await;
    let id = made.nat_gateway().unwrap().nat_gateway_id().unwrap();
    let found = aws.nat_state(id).await;
    assert_eq!(found.state(), Some(&NatGatewayState::Available));
    assert_eq!(found.nat_gateway_addresses()[0].public_ip(), None);
}
