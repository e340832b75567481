//! How AWS is asked for Elastic IP addresses.

use super::ec2::{self, Candidate, Ground, Held};
use super::kind::{Calls, Deletion, Seen, Update, already_ok};
use super::nat_gateway;
use crate::aws::{Aws, Class, During, Failure, Look};
use auroraml_core::base::State;
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::elastic_ip::{ElasticIp, Props};
use aws_sdk_ec2::types::{Address, DomainType, ResourceType};
use std::collections::BTreeSet;

impl Calls for ElasticIp {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let addresses = ec2::addresses(look).await?;
        let in_use = in_use(look, &addresses).await?;
        let all = addresses.iter().map(|address| Candidate {
            object: address,
            id: address.allocation_id(),
            tags: address.tags(),
            ground: match (address.allocation_id(), address.association_id()) {
                (Some(id), _) if in_use.contains(id) => Ground::Own,
                (_, None) => Ground::Nowhere,
                _ => Ground::Used,
            },
            rank: match address.allocation_id() {
                Some(id) if in_use.contains(id) => 0,
                _ if address.association_id().is_some() => 1,
                _ => 2,
            },
        });
        let seen = ec2::named(look, Self::NAME, all).into_iter().map(|address| {
            let (mut outputs, owned) = (address.outputs(), address.is_owned());
            outputs.insert("ip".into(), address.object.public_ip().unwrap_or_default().into());
            let props = Props { tags: address.tags };
            Seen { name: address.name, props, outputs, state: State::Ready, owned }
        });
        Ok(seen.collect())
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        let request = aws
            .ec2
            .allocate_address()
            .domain(DomainType::Vpc)
            .tag_specifications(ec2::tagged(ResourceType::ElasticIp, &want.tags));
        request.send().await.during("AllocateAddress").map(|_| ())
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        ec2::update_tags(aws, ec2::id(update.outputs), &update.want.tags, &update.live.tags).await
    }

    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let id = ec2::id(deletion.outputs);
        let answer = aws.ec2.release_address().allocation_id(id).send().await.during("ReleaseAddress");
        already_ok(ec2::explained(aws, answer, Held::Address(id)).await, Class::NotFound)
    }
}

/// Allocation ids that the stack's NAT gateways have; asked for only when an address is in use, or there is a choice to
/// make.
async fn in_use(look: Look<'_>, addresses: &[Address]) -> Result<BTreeSet<String>, Failure> {
    let ours = addresses.iter().filter_map(|address| {
        Some((
            ec2::name_of(look, ElasticIp::NAME, address.allocation_id(), address.tags())?,
            address.association_id(),
        ))
    });
    let ours: Vec<(String, Option<&str>)> = ours.collect();
    let distinct: BTreeSet<&String> = ours.iter().map(|(name, _)| name).collect();
    if distinct.len() == ours.len() && ours.iter().all(|(_, association)| association.is_none()) {
        return Ok(BTreeSet::new());
    }
    nat_gateway::addresses(look).await
}
