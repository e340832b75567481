//! How AWS is asked for NAT gateways.

use super::ec2::{self, Candidate, Named, Territory};
use super::kind::{Calls, Deletion, Seen, Update, already_ok, just_made};
use crate::aws::{Aws, Class, During, Failure, Inside, Look};
use auroraml_core::base::State;
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::nat_gateway::{NatGateway, Props};
use aws_sdk_ec2::types::{ConnectivityType, NatGatewayState, ResourceType};
use std::collections::BTreeSet;

impl Calls for NatGateway {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let (gateways, territory) = tokio::try_join!(ec2::nat_gateways(look), ec2::territory(look))?;
        let territory = territory.knowing(look, gateways.iter().filter_map(|one| one.vpc_id())).await?;
        let seen = live(look, &gateways, &territory).into_iter().map(|gateway| {
            let object = gateway.object;
            Seen {
                owned: gateway.is_owned(),
                outputs: gateway.outputs(),
                state: match object.state() {
                    Some(NatGatewayState::Available) => State::Ready,
                    Some(NatGatewayState::Failed) => State::Broken(format!(
                        "{}: {}",
                        object.failure_code().unwrap_or("failed"),
                        object.failure_message().unwrap_or("AWS gives no reason")
                    )),
                    other => State::Busy(other.map_or("pending", NatGatewayState::as_str).into()),
                },
                props: Props {
                    subnet: object.subnet_id().unwrap_or_default().into(),
                    address: address(object).unwrap_or_default().into(),
                    tags: gateway.tags,
                },
                name: gateway.name,
            }
        });
        Ok(seen.collect())
    }

    async fn create(&self, aws: &Aws, name: &str, want: &Props) -> Result<(), Failure> {
        let look = Look { aws, as_of: aws.clock.now_ms(), only: None, inside: Inside::default() };
        let listed = ec2::nat_gateways(look).await?;
        // Dead ones stay listed for an hour: a create with their token would be answered with them.
        let dead = listed
            .iter()
            .filter(|gateway| {
                ec2::name_of(look, Self::NAME, gateway.nat_gateway_id(), gateway.tags()).as_deref()
                    == Some(name)
            })
            .filter(|gateway| rank(gateway) > 1)
            .count();
        let request = aws
            .ec2
            .create_nat_gateway()
            .connectivity_type(ConnectivityType::Public)
            .subnet_id(want.subnet.get())
            .allocation_id(want.address.get())
            .client_token(ec2::token(aws, Self::NAME, name, want, dead))
            .tag_specifications(ec2::tagged(ResourceType::Natgateway, &want.tags));
        just_made(request.send().await.during("CreateNatGateway")).map(|_| ())
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        ec2::update_tags(aws, ec2::id(update.outputs), &update.want.tags, &update.live.tags).await
    }

    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let request = aws.ec2.delete_nat_gateway().nat_gateway_id(ec2::id(deletion.outputs));
        already_ok(request.send().await.during("DeleteNatGateway"), Class::NotFound)
    }
}

/// Allocation ids of the gateways that are meant by their names.
pub(super) async fn addresses(look: Look<'_>) -> Result<BTreeSet<String>, Failure> {
    let look = Look { only: None, ..look };
    let (gateways, territory) = tokio::try_join!(ec2::nat_gateways(look), ec2::territory(look))?;
    let meant = live(look, &gateways, &territory).into_iter().filter(|gateway| !gateway.extra);
    Ok(meant.filter_map(|gateway| address(gateway.object).map(String::from)).collect())
}

/// Those that exist. `deleted` and `failed` ones stay listed for an hour (fact book, trap 41): a failed one
/// counts while it is the only one of its name.
fn live<'a>(
    look: Look<'_>,
    gateways: &'a [aws_sdk_ec2::types::NatGateway],
    territory: &Territory,
) -> Vec<Named<'a, aws_sdk_ec2::types::NatGateway>> {
    let all = gateways.iter().filter(|gateway| gateway.state() != Some(&NatGatewayState::Deleted));
    let all = all.map(|gateway| Candidate {
        object: gateway,
        id: gateway.nat_gateway_id(),
        tags: gateway.tags(),
        ground: territory.ground(gateway.vpc_id()),
        rank: rank(gateway),
    });
    let mut live = ec2::named(look, NatGateway::NAME, all);
    live.retain(|gateway| !gateway.extra || gateway.object.state() != Some(&NatGatewayState::Failed));
    live
}

fn rank(gateway: &aws_sdk_ec2::types::NatGateway) -> usize {
    match gateway.state() {
        Some(NatGatewayState::Available) => 0,
        Some(NatGatewayState::Deleting) => 2,
        Some(NatGatewayState::Failed) => 3,
        Some(NatGatewayState::Deleted) => 4,
        _ => 1,
    }
}

fn address(gateway: &aws_sdk_ec2::types::NatGateway) -> Option<&str> {
    let addresses = gateway.nat_gateway_addresses();
    let primary = addresses.iter().find(|address| address.is_primary() == Some(true));
    primary.or(addresses.first()).and_then(|address| address.allocation_id())
}
