//! How AWS is asked for the VPC.

use super::ec2::{self, Candidate, Ground, Held, Named};
use super::kind::{Calls, Deletion, Seen, Update, absent_ok, already_ok, just_made};
use crate::aws::{Aws, Class, During, Failure, Look};
use auroraml_core::base::{Outputs, State};
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::vpc::{Props, Vpc};
use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, VpcAttributeName, VpcState};
use futures_util::future::join_all;
use std::collections::BTreeMap;

impl Calls for Vpc {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        // Fresh, and with it the choice between them.
        let vpcs = ec2::vpcs(look).await?;
        let territory = ec2::territory(look).await?;
        let territory = territory.knowing(look, vpcs.iter().filter_map(|vpc| vpc.vpc_id())).await?;
        let held = match look.only {
            Some(_) => None,
            None => Some(ec2::held(look).await?),
        };
        // An empty one may be anybody's, whatever its tags say.
        let is_empty = |id: &str| held.as_ref().is_some_and(|held| !held.contains_key(id));
        let all = vpcs.iter().map(|vpc| Candidate {
            object: vpc,
            id: vpc.vpc_id(),
            tags: vpc.tags(),
            ground: match territory.ground(vpc.vpc_id()) {
                Ground::Own if vpc.vpc_id().is_some_and(is_empty) => Ground::Nowhere,
                ground => ground,
            },
            rank: 0,
        });
        let details =
            join_all(ec2::named(look, Self::NAME, all).into_iter().map(|vpc| detail(look.aws, vpc))).await;
        let seen = details.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten();
        let lost = held.filter(|_| territory.own.is_none()).and_then(|held| lost(&held));
        Ok(seen.chain(lost).collect())
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        let request = aws
            .ec2
            .create_vpc()
            .cidr_block(&want.cidr)
            .tag_specifications(ec2::tagged(ResourceType::Vpc, &want.tags));
        // The attributes follow when it is visible: the next look finds them different.
        request.send().await.during("CreateVpc").map(|_| ())
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let (want, id) = (&update.want, ec2::id(update.outputs));
        let value = |value| AttributeBooleanValue::builder().value(value).build();
        if update.changed("dns_hostnames") {
            let request =
                aws.ec2.modify_vpc_attribute().vpc_id(id).enable_dns_hostnames(value(want.dns_hostnames));
            just_made(request.send().await.during("ModifyVpcAttribute"))?;
        }
        ec2::update_tags(aws, id, &want.tags, &update.live.tags).await
    }

    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let id = ec2::id(deletion.outputs);
        let answer = aws.ec2.delete_vpc().vpc_id(id).send().await.during("DeleteVpc");
        already_ok(ec2::explained(aws, answer, Held::Vpc(id)).await, Class::NotFound)
    }
}

/// The VPC that holds what is tagged as the stack's, where none is tagged as its VPC: either it has lost its tags, or
/// somebody has tagged what is not the stack's. A person knows which.
fn lost(held: &BTreeMap<String, usize>) -> Option<Seen<Props>> {
    let id = held.iter().max_by_key(|(_, count)| **count).map(|(id, _)| id.as_str())?;
    let props = Props { cidr: String::new(), dns_hostnames: false, tags: BTreeMap::new() };
    let outputs = Outputs::from([("id".into(), id.into())]);
    Some(Seen { name: "main".into(), props, outputs, state: State::Ready, owned: false })
}

async fn detail(aws: &Aws, vpc: Named<'_, aws_sdk_ec2::types::Vpc>) -> Result<Option<Seen<Props>>, Failure> {
    // What is not wanted has no details worth asking for.
    let dns_hostnames = if vpc.extra {
        false
    } else {
        let request =
            aws.ec2.describe_vpc_attribute().vpc_id(vpc.id).attribute(VpcAttributeName::EnableDnsHostnames);
        match absent_ok(request.send().await.during("DescribeVpcAttribute"))? {
            Some(found) => found.enable_dns_hostnames().and_then(|it| it.value()).unwrap_or_default(),
            None => return Ok(None),
        }
    };
    let state = match vpc.object.state() {
        Some(VpcState::Available) | None => State::Ready,
        Some(other) => State::Busy(other.as_str().to_string()),
    };
    let (outputs, owned) = (vpc.outputs(), vpc.is_owned());
    let cidr = vpc.object.cidr_block().unwrap_or_default().to_string();
    let props = Props { cidr, dns_hostnames, tags: vpc.tags };
    Ok(Some(Seen { name: vpc.name, props, outputs, state, owned }))
}
