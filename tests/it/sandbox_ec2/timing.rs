//! What is not there yet, what is made twice, and what comes too fast.

use super::*;
use auroraml_sandbox::World;

#[tokio::test(start_paused = true)]
async fn a_new_id_is_unknown_to_every_call_for_a_moment() {
    let aws = calm();
    let made =
        aws.create_vpc().cidr_block("10.0.0.0/16").tag_specifications(tagged(ResourceType::Vpc, "a", "1"));
    let vpc = made.send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    assert_eq!(code(aws.describe_vpcs().vpc_ids(&vpc).send().await), "InvalidVpcID.NotFound");
    let by_tag = aws.describe_vpcs().filters(filter("tag:a", "1")).send().await.unwrap();
    assert!(by_tag.vpcs().is_empty(), "a listing can miss it as well");
    let subnet = aws.create_subnet().vpc_id(&vpc).cidr_block("10.0.1.0/24").send().await;
    assert_eq!(code(subnet), "InvalidVpcID.NotFound");
    aws.wait(1).await;
    assert_eq!(aws.describe_vpcs().vpc_ids(&vpc).send().await.unwrap().vpcs().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn each_kind_has_its_own_code_for_an_id_that_is_not_visible_yet() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let seen = aws.subnet(&vpc, "10.0.0.0/24", "us-east-1a").await;

    let made = aws.create_subnet().vpc_id(&vpc).cidr_block("10.0.1.0/24").send().await.unwrap();
    let subnet = made.subnet().unwrap().subnet_id().unwrap();
    assert_eq!(aws.state(|ec2| ec2.subnet_zone(subnet)), None, "other services do not know it either");
    assert_eq!(code(aws.delete_subnet().subnet_id(subnet).send().await), "InvalidSubnetID.NotFound");

    let made =
        aws.create_security_group().vpc_id(&vpc).group_name("g").description("g").send().await.unwrap();
    let group = made.group_id().unwrap();
    assert!(!aws.state(|ec2| ec2.security_group_exists(group)));
    assert_eq!(code(aws.delete_security_group().group_id(group).send().await), "InvalidGroup.NotFound");
    aws.wait(2).await;
    aws.describe_vpcs().send().await.unwrap();
    assert!(aws.state(|ec2| ec2.security_group_exists(group)));

    let made = aws.create_internet_gateway().send().await.unwrap();
    let gateway = made.internet_gateway().unwrap().internet_gateway_id().unwrap();
    let attach = aws.attach_internet_gateway().internet_gateway_id(gateway).vpc_id(&vpc).send().await;
    assert_eq!(code(attach), "InvalidInternetGatewayID.NotFound");

    let made = aws.create_route_table().vpc_id(&vpc).send().await.unwrap();
    let table = made.route_table().unwrap().route_table_id().unwrap();
    let associate = aws.associate_route_table().route_table_id(table).subnet_id(&seen).send().await;
    assert_eq!(code(associate), "InvalidRouteTableID.NotFound");

    let made = aws.allocate_address().send().await.unwrap();
    let address = made.allocation_id().unwrap();
    let nat = aws.create_nat_gateway().subnet_id(&seen).allocation_id(address).send().await;
    assert_eq!(code(nat), "InvalidAllocationID.NotFound");
}

#[tokio::test(start_paused = true)]
async fn time_passes_for_ec2_when_only_other_services_are_asked() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let made = aws.create_subnet().vpc_id(&vpc).cidr_block("10.0.1.0/24").send().await.unwrap();
    let subnet = made.subnet().unwrap().subnet_id().unwrap();
    assert_eq!(aws.state(|ec2| ec2.subnet_zone(subnet)), None);
    aws.wait(2).await;
    let sts = aws_sdk_sts::Client::new(&support::config(&aws.sandbox));
    sts.get_caller_identity().send().await.unwrap();
    assert!(aws.state(|ec2| ec2.subnet_zone(subnet)).is_some());
}

#[tokio::test(start_paused = true)]
async fn in_a_real_mood_some_ids_are_late_by_seconds_and_few_by_much_more() {
    let (mut at_once, mut late, mut very_late) = (0, 0, 0);
    let aws = with(11, Mood::Real);
    for _ in 0..400 {
        let made = aws.allocate_address().send().await.unwrap();
        let id = made.allocation_id().unwrap();
        let start = aws.now();
        while aws.describe_addresses().allocation_ids(id).send().await.is_err() {
            aws.sandbox.clock().sleep(Duration::from_millis(200)).await;
        }
        match aws.now() - start {
            0..1_000 => at_once += 1,
            1_000..10_000 => late += 1,
            _ => very_late += 1,
        }
        aws.release_address().allocation_id(id).send().await.unwrap();
        aws.wait(1).await;
    }
    assert!(at_once > 150, "{at_once}");
    assert!(late > 80, "{late}");
    assert!((1..20).contains(&very_late), "{very_late}");
}

#[tokio::test(start_paused = true)]
async fn what_takes_no_token_is_made_twice() {
    let aws = calm();
    for _ in 0..2 {
        aws.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap();
        aws.create_internet_gateway().send().await.unwrap();
        aws.allocate_address().send().await.unwrap();
    }
    aws.wait(2).await;
    assert_eq!(aws.describe_vpcs().send().await.unwrap().vpcs().len(), 2);
    assert_eq!(aws.describe_internet_gateways().send().await.unwrap().internet_gateways().len(), 2);
    assert_eq!(aws.describe_addresses().send().await.unwrap().addresses().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_makes_one_object_and_holds_for_one_request() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let other = aws.vpc("10.1.0.0/16").await;
    let create = |vpc: &str| aws.create_route_table().vpc_id(vpc).client_token("t1").send();
    let first = create(&vpc).await.unwrap().route_table.unwrap().route_table_id.unwrap();
    let second = create(&vpc).await.unwrap();
    assert_eq!(second.route_table().unwrap().route_table_id(), Some(first.as_str()));
    assert_eq!(second.client_token(), Some("t1"));
    assert_eq!(code(create(&other).await), "IdempotentParameterMismatch");
    let long = aws.create_route_table().vpc_id(&vpc).client_token("t".repeat(65)).send().await;
    assert_eq!(code(long), "InvalidParameterValue");
    // The same token is another one for another operation.
    let endpoint = aws.create_vpc_endpoint().vpc_id(&vpc).service_name("com.amazonaws.us-east-1.s3");
    endpoint.client_token("t1").send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_token_whose_object_is_gone_still_gives_the_old_object() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let subnet = aws.subnet(&vpc, "10.0.1.0/24", "us-east-1a").await;
    aws.gateway(&vpc).await;
    let address = aws.address().await;
    let create = || {
        let create = aws.create_nat_gateway().subnet_id(&subnet).allocation_id(&address);
        create.client_token("nat").send()
    };
    let nat = create().await.unwrap().nat_gateway.unwrap().nat_gateway_id.unwrap();
    aws.wait(120).await;
    aws.delete_nat_gateway().nat_gateway_id(&nat).send().await.unwrap();
    aws.wait(70).await;
    let again = create().await.unwrap().nat_gateway.unwrap();
    assert_eq!(again.nat_gateway_id(), Some(nat.as_str()));
    assert_eq!(again.state().unwrap().as_str(), "deleted");
    aws.wait(4000).await;
    let again = create().await.unwrap().nat_gateway.unwrap();
    assert_eq!(again.nat_gateway_id(), Some(nat.as_str()), "even when it is listed no longer");

    let endpoint = || {
        let create = aws.create_vpc_endpoint().vpc_id(&vpc).service_name("com.amazonaws.us-east-1.s3");
        create.client_token("s3").send()
    };
    let old = endpoint().await.unwrap().vpc_endpoint.unwrap().vpc_endpoint_id.unwrap();
    aws.wait(2).await;
    aws.delete_vpc_endpoints().vpc_endpoint_ids(&old).send().await.unwrap();
    aws.wait(5).await;
    let new = endpoint().await.unwrap().vpc_endpoint.unwrap().vpc_endpoint_id.unwrap();
    assert_eq!(old, new);
    assert!(aws.describe_vpc_endpoints().send().await.unwrap().vpc_endpoints().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_burst_empties_the_bucket_of_endpoints_in_a_real_mood() {
    let aws = with(3, Mood::Real);
    let made = aws.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap();
    let vpc = made.vpc().unwrap().vpc_id().unwrap();
    aws.wait(70).await;
    let create = || aws.create_vpc_endpoint().vpc_id(vpc).service_name("com.amazonaws.us-east-1.s3").send();
    let mut refused = false;
    for _ in 0..6 {
        refused |= create().await.is_err_and(|error| error.code() == Some("RequestLimitExceeded"));
    }
    assert!(refused);
    aws.wait(4).await;
    create().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_world_is_the_same_after_it_was_saved_and_loaded() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let subnet = aws.subnet(&vpc, "10.0.1.0/24", "us-east-1a").await;
    aws.gateway(&vpc).await;
    let address = aws.address().await;
    let made = aws.create_nat_gateway().subnet_id(&subnet).allocation_id(&address).send().await.unwrap();
    let nat = made.nat_gateway.unwrap().nat_gateway_id.unwrap();
    aws.wait(60).await;

    let saved = serde_json::to_string(&aws.sandbox.world()).unwrap();
    let world: World = serde_json::from_str(&saved).unwrap();
    let sandbox = Sandbox::new(world, 1.0);
    let client = Client::new(&support::config(&sandbox));
    let loaded = Aws { sandbox, client };
    assert_eq!(loaded.nat_state(&nat).await.state().unwrap().as_str(), "pending");
    loaded.wait(60).await;
    assert_eq!(loaded.nat_state(&nat).await.state().unwrap().as_str(), "available");
}
