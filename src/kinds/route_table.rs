//! How AWS is asked for route tables.

use super::ec2::{self, Candidate};
use super::kind::{Calls, Deletion, Seen, Update, absent_ok, already_ok, just_made};
use crate::aws::{Aws, Class, During, Failure, Look};
use auroraml_core::base::{Input, State};
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::route_table::{Props, RouteTable};
use aws_sdk_ec2::types::{
    ResourceType, Route, RouteOrigin, RouteState, RouteTableAssociation, RouteTableAssociationStateCode,
};

impl Calls for RouteTable {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let (tables, territory) = tokio::try_join!(ec2::route_tables(look), ec2::territory(look))?;
        let territory = territory.knowing(look, tables.iter().filter_map(|one| one.vpc_id())).await?;
        let all = tables.iter().map(|table| Candidate {
            object: table,
            id: table.route_table_id(),
            tags: table.tags(),
            ground: territory.ground(table.vpc_id()),
            // The one in use.
            rank: usize::MAX - table.associations().len(),
        });
        let seen = ec2::named(look, Self::NAME, all).into_iter().map(|table| {
            let mut subnets: Vec<Input> =
                associations(table.object).filter_map(|one| one.subnet_id()).map(Input::from).collect();
            subnets.sort();
            Seen {
                owned: table.is_owned(),
                outputs: table.outputs(),
                props: Props {
                    vpc: table.object.vpc_id().unwrap_or_default().into(),
                    routes: table.object.routes().iter().filter_map(route).collect(),
                    subnets,
                    tags: table.tags,
                },
                name: table.name,
                state: State::Ready,
            }
        });
        Ok(seen.collect())
    }

    async fn create(&self, aws: &Aws, name: &str, want: &Props) -> Result<(), Failure> {
        let request = aws
            .ec2
            .create_route_table()
            .vpc_id(want.vpc.get())
            .client_token(ec2::token(aws, Self::NAME, name, want, 0))
            .tag_specifications(ec2::tagged(ResourceType::RouteTable, &want.tags));
        // Routes and associations follow when it is visible: the next look finds them missing.
        just_made(request.send().await.during("CreateRouteTable")).map(|_| ())
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let (want, live, id) = (&update.want, &update.live, ec2::id(update.outputs));
        for (destination, gateway) in &want.routes {
            match live.routes.get(destination) {
                Some(there) if there == gateway => {}
                Some(_) => replace_route(aws, id, destination, gateway.get()).await?,
                None => create_route(aws, id, destination, gateway.get()).await?,
            }
        }
        for destination in live.routes.keys().filter(|there| !want.routes.contains_key(*there)) {
            let request = aws.ec2.delete_route().route_table_id(id);
            let request = match destination.contains(':') {
                true => request.destination_ipv6_cidr_block(destination),
                false => request.destination_cidr_block(destination),
            };
            already_ok(request.send().await.during("DeleteRoute"), Class::NotFound)?;
        }
        for subnet in want.subnets.iter().filter(|subnet| !live.subnets.contains(subnet)) {
            associate(aws, id, subnet.get()).await?;
        }
        if live.subnets.iter().any(|subnet| !want.subnets.contains(subnet)) {
            disassociate(aws, id, |subnet| !want.subnets.iter().any(|wanted| wanted.get() == subnet)).await?;
        }
        ec2::update_tags(aws, id, &want.tags, &live.tags).await
    }

    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let id = ec2::id(deletion.outputs);
        disassociate(aws, id, |_| true).await?;
        let request = aws.ec2.delete_route_table().route_table_id(id);
        already_ok(request.send().await.during("DeleteRouteTable"), Class::NotFound)
    }
}

/// Destination and target of a route that somebody made and that leads somewhere.
fn route(route: &Route) -> Option<(String, Input)> {
    let made_by_aws = matches!(
        route.origin(),
        Some(RouteOrigin::CreateRouteTable | RouteOrigin::EnableVgwRoutePropagation)
    );
    if made_by_aws || route.gateway_id() == Some("local") || route.state() == Some(&RouteState::Blackhole) {
        return None;
    }
    // Routes of gateway endpoints lead to prefix lists, and come and go with the endpoint.
    let destination = route.destination_cidr_block().or(route.destination_ipv6_cidr_block())?;
    let target = route
        .gateway_id()
        .or(route.nat_gateway_id())
        .or(route.transit_gateway_id())
        .or(route.vpc_peering_connection_id())
        .or(route.network_interface_id())
        .or(route.egress_only_internet_gateway_id())
        .or(route.local_gateway_id())
        .or(route.carrier_gateway_id())
        .or(route.core_network_arn())
        .unwrap_or("another target");
    Some((destination.to_string(), target.into()))
}

async fn create_route(aws: &Aws, table: &str, destination: &str, gateway: &str) -> Result<(), Failure> {
    let request = aws.ec2.create_route().route_table_id(table).destination_cidr_block(destination);
    let request = match gateway.starts_with("nat-") {
        true => request.nat_gateway_id(gateway),
        false => request.gateway_id(gateway),
    };
    match just_made(request.send().await.during("CreateRoute")) {
        // A blackhole is there, and must be replaced (fact book, trap 42).
        Err(failure) if failure.is(Class::Exists) => replace_route(aws, table, destination, gateway).await,
        other => other.map(|_| ()),
    }
}

async fn replace_route(aws: &Aws, table: &str, destination: &str, gateway: &str) -> Result<(), Failure> {
    let request = aws.ec2.replace_route().route_table_id(table).destination_cidr_block(destination);
    let request = match gateway.starts_with("nat-") {
        true => request.nat_gateway_id(gateway),
        false => request.gateway_id(gateway),
    };
    just_made(request.send().await.during("ReplaceRoute")).map(|_| ())
}

/// Makes the subnet use the table, whichever it uses now.
async fn associate(aws: &Aws, table: &str, subnet: &str) -> Result<(), Failure> {
    let request = aws.ec2.associate_route_table().route_table_id(table).subnet_id(subnet);
    match just_made(request.send().await.during("AssociateRouteTable")) {
        Err(failure) if failure.is(Class::Exists) => {}
        other => return other.map(|_| ()),
    }
    let found = aws.ec2.describe_route_tables().filters(ec2::filter("association.subnet-id", subnet));
    let found = found.send().await.during("DescribeRouteTables")?;
    let existing = found
        .route_tables()
        .iter()
        .flat_map(associations)
        .find(|one| one.subnet_id() == Some(subnet) && one.route_table_id() != Some(table));
    let Some(existing) = existing.and_then(|one| one.route_table_association_id()) else { return Ok(()) };
    let request = aws.ec2.replace_route_table_association().association_id(existing).route_table_id(table);
    just_made(request.send().await.during("ReplaceRouteTableAssociation")).map(|_| ())
}

/// Lets go of the subnets that the condition names; those go back to the VPC's main table.
async fn disassociate(aws: &Aws, table: &str, goes: impl Fn(&str) -> bool) -> Result<(), Failure> {
    let request = aws.ec2.describe_route_tables().route_table_ids(table);
    let Some(found) = absent_ok(request.send().await.during("DescribeRouteTables"))? else { return Ok(()) };
    for association in found.route_tables().iter().flat_map(associations) {
        if association.main() != Some(true) && association.subnet_id().is_some_and(&goes) {
            let id = association.route_table_association_id().unwrap_or_default();
            let request = aws.ec2.disassociate_route_table().association_id(id);
            already_ok(request.send().await.during("DisassociateRouteTable"), Class::NotFound)?;
        }
    }
    Ok(())
}

/// The associations that hold.
fn associations(table: &aws_sdk_ec2::types::RouteTable) -> impl Iterator<Item = &RouteTableAssociation> {
    table.associations().iter().filter(|association| {
        let state = association.association_state().and_then(|state| state.state());
        !matches!(
            state,
            Some(
                RouteTableAssociationStateCode::Disassociating
                    | RouteTableAssociationStateCode::Disassociated
                    | RouteTableAssociationStateCode::Failed
            )
        )
    })
}
