//! Route tables and routes.

use super::*;
use aws_sdk_ec2::types::RouteState;

const ALL: &str = "0.0.0.0/0";

#[tokio::test(start_paused = true)]
async fn a_route_is_made_once_replaced_and_deleted() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let gateway = aws.gateway(&vpc).await;
    let table = aws.table(&vpc).await;
    let create =
        || aws.create_route().route_table_id(&table).destination_cidr_block(ALL).gateway_id(&gateway).send();
    let replace =
        || aws.replace_route().route_table_id(&table).destination_cidr_block(ALL).gateway_id(&gateway).send();
    let delete = |cidr: &str| aws.delete_route().route_table_id(&table).destination_cidr_block(cidr).send();
    assert_eq!(code(replace().await), "InvalidParameterValue", "there is nothing to replace");
    create().await.unwrap();
    assert_eq!(code(create().await), "RouteAlreadyExists");
    replace().await.unwrap();
    let found = aws.table_state(&table).await;
    assert_eq!(found.routes()[1].gateway_id(), Some(gateway.as_str()));
    assert_eq!(found.routes()[1].state(), Some(&RouteState::Active));
    delete(ALL).await.unwrap();
    assert_eq!(code(delete(ALL).await), "InvalidRoute.NotFound");
    assert_eq!(code(delete("10.0.0.0/16").await), "InvalidParameterValue", "the local route stays");
}

#[tokio::test(start_paused = true)]
async fn a_route_needs_a_target_of_the_same_network() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let table = aws.table(&vpc).await;
    let create = || aws.create_route().route_table_id(&table).destination_cidr_block(ALL);
    assert_eq!(code(create().send().await), "MissingParameter");
    assert_eq!(code(create().gateway_id("igw-0").send().await), "InvalidGatewayID.NotFound");
    assert_eq!(code(create().nat_gateway_id("nat-0").send().await), "InvalidNatGatewayID.NotFound");
    let other = aws.vpc("10.1.0.0/16").await;
    let foreign = aws.gateway(&other).await;
    assert_eq!(code(create().gateway_id(foreign).send().await), "InvalidParameterValue");
    assert_eq!(code(create().transit_gateway_id("tgw-0").send().await), "UnsupportedOperation");
}

#[tokio::test(start_paused = true)]
async fn a_route_to_a_deleted_nat_gateway_is_a_black_hole_until_replaced() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let subnet = aws.subnet(&vpc, "10.0.1.0/24", "us-east-1a").await;
    let gateway = aws.gateway(&vpc).await;
    let address = aws.address().await;
    let table = aws.table(&vpc).await;
    let made = aws.create_nat_gateway().subnet_id(&subnet).allocation_id(&address).send().await.unwrap();
    let nat = made.nat_gateway.unwrap().nat_gateway_id.unwrap();
    aws.wait(5).await;
    let create =
        || aws.create_route().route_table_id(&table).destination_cidr_block(ALL).nat_gateway_id(&nat).send();
    assert_eq!(code(create().await), "InvalidNatGatewayID.NotFound", "it is pending");
    aws.wait(110).await;
    create().await.unwrap();
    assert_eq!(aws.table_state(&table).await.routes()[1].state(), Some(&RouteState::Active));

    aws.delete_nat_gateway().nat_gateway_id(&nat).send().await.unwrap();
    aws.wait(70).await;
    let found = aws.table_state(&table).await;
    assert_eq!(found.routes()[1].state(), Some(&RouteState::Blackhole));
    let around = aws.create_route().route_table_id(&table).destination_cidr_block(ALL).gateway_id(&gateway);
    assert_eq!(code(around.send().await), "RouteAlreadyExists", "a black hole is in the way as well");
    let holes = aws.describe_route_tables().filters(filter("route.state", "blackhole")).send().await.unwrap();
    assert_eq!(holes.route_tables()[0].route_table_id(), Some(table.as_str()));
    let replace = aws.replace_route().route_table_id(&table).destination_cidr_block(ALL).gateway_id(gateway);
    replace.send().await.unwrap();
    assert_eq!(aws.table_state(&table).await.routes()[1].state(), Some(&RouteState::Active));
}

#[tokio::test(start_paused = true)]
async fn a_route_to_a_detached_internet_gateway_is_a_black_hole() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let gateway = aws.gateway(&vpc).await;
    let table = aws.table(&vpc).await;
    let create = aws.create_route().route_table_id(&table).destination_cidr_block(ALL).gateway_id(&gateway);
    create.send().await.unwrap();
    aws.detach_internet_gateway().internet_gateway_id(gateway).vpc_id(&vpc).send().await.unwrap();
    assert_eq!(aws.table_state(&table).await.routes()[1].state(), Some(&RouteState::Blackhole));
}

#[tokio::test(start_paused = true)]
async fn a_subnet_has_one_table_and_the_table_stays_while_it_has_subnets() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let subnet = aws.subnet(&vpc, "10.0.1.0/24", "us-east-1a").await;
    let (one, other) = (aws.table(&vpc).await, aws.table(&vpc).await);
    let associate = |table: &str| aws.associate_route_table().route_table_id(table).subnet_id(&subnet).send();
    let first = associate(&one).await.unwrap().association_id.unwrap();
    assert_eq!(associate(&one).await.unwrap().association_id(), Some(first.as_str()), "it is the same");
    assert_eq!(code(associate(&other).await), "Resource.AlreadyAssociated");
    assert_eq!(code(aws.delete_route_table().route_table_id(&one).send().await), "DependencyViolation");

    let replace = aws.replace_route_table_association().association_id(&first).route_table_id(&other);
    let second = replace.send().await.unwrap().new_association_id.unwrap();
    assert_ne!(first, second);
    aws.delete_route_table().route_table_id(&one).send().await.unwrap();
    let found = aws.describe_route_tables().filters(filter("association.subnet-id", &subnet)).send().await;
    assert_eq!(found.unwrap().route_tables()[0].route_table_id(), Some(other.as_str()));

    let free = |id: &str| aws.disassociate_route_table().association_id(id).send();
    free(&second).await.unwrap();
    assert_eq!(code(free(&second).await), "InvalidAssociationID.NotFound");
    aws.delete_route_table().route_table_id(&other).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_main_table_stays_until_another_takes_its_place() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let main = aws.main_table(&vpc).await;
    let (id, association) = (main.route_table_id().unwrap(), &main.associations()[0]);
    let association = association.route_table_association_id().unwrap();
    assert_eq!(code(aws.delete_route_table().route_table_id(id).send().await), "DependencyViolation");
    let free = aws.disassociate_route_table().association_id(association).send().await;
    assert_eq!(code(free), "InvalidParameterValue");
    let other = aws.table(&vpc).await;
    let replace = aws.replace_route_table_association().association_id(association).route_table_id(&other);
    replace.send().await.unwrap();
    assert_eq!(aws.main_table(&vpc).await.route_table_id(), Some(other.as_str()));
    aws.delete_route_table().route_table_id(id).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_deleted_subnet_takes_its_association_along() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let subnet = aws.subnet(&vpc, "10.0.1.0/24", "us-east-1a").await;
    let table = aws.table(&vpc).await;
    aws.associate_route_table().route_table_id(&table).subnet_id(&subnet).send().await.unwrap();
    aws.delete_subnet().subnet_id(&subnet).send().await.unwrap();
    assert!(aws.table_state(&table).await.associations().is_empty());
    aws.delete_route_table().route_table_id(&table).send().await.unwrap();
}
