//! How AWS is asked for subnets.

use super::ec2::{self, Candidate, Held};
use super::kind::{Calls, Deletion, Seen, Update, already_ok, just_made};
use crate::aws::{Aws, Class, During, Failure, Inside, Look};
use auroraml_core::base::State;
use auroraml_core::base::names::RESOURCE_TAG;
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::subnet::{Props, Subnet};
use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, SubnetState};
use ipnet::Ipv4Net;

impl Calls for Subnet {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let (subnets, territory) = tokio::try_join!(ec2::subnets(look), ec2::territory(look))?;
        let territory = territory.knowing(look, subnets.iter().filter_map(|one| one.vpc_id())).await?;
        // A run that was killed may have made one with the range of an earlier spec, which showed only later.
        let wanted = |subnet: &aws_sdk_ec2::types::Subnet| {
            let range = look.aws.scope.subnets.get(&ec2::name_of(
                look,
                Self::NAME,
                subnet.subnet_id(),
                subnet.tags(),
            )?)?;
            Some(subnet.cidr_block() == Some(range))
        };
        let all = subnets.iter().map(|subnet| Candidate {
            object: subnet,
            id: subnet.subnet_id(),
            tags: subnet.tags(),
            ground: territory.ground(subnet.vpc_id()),
            rank: usize::from(wanted(subnet) == Some(false)),
        });
        let seen = ec2::named(look, Self::NAME, all).into_iter().map(|subnet| {
            let (object, owned) = (subnet.object, subnet.is_owned());
            Seen {
                outputs: subnet.outputs(),
                state: match object.state() {
                    Some(SubnetState::Available) | None => State::Ready,
                    Some(SubnetState::Pending) => State::Busy("pending".into()),
                    Some(other) => State::Failed(format!("AWS reports the status {}", other.as_str())),
                },
                props: Props {
                    vpc: object.vpc_id().unwrap_or_default().into(),
                    cidr: object.cidr_block().unwrap_or_default().into(),
                    zone: object.availability_zone().unwrap_or_default().into(),
                    public: object.map_public_ip_on_launch().unwrap_or_default(),
                    tags: subnet.tags,
                },
                name: subnet.name,
                owned,
            }
        });
        Ok(seen.collect())
    }

    async fn create(&self, aws: &Aws, name: &str, want: &Props) -> Result<(), Failure> {
        let request = aws
            .ec2
            .create_subnet()
            .vpc_id(want.vpc.get())
            .cidr_block(&want.cidr)
            .availability_zone(&want.zone)
            .tag_specifications(ec2::tagged(ResourceType::Subnet, &want.tags));
        match just_made(request.send().await.during("CreateSubnet")) {
            Err(failure) if failure.code == "InvalidSubnet.Conflict" => {
                conflict(aws, name, want, failure).await
            }
            other => other.map(|_| ()),
        }
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let (want, id) = (&update.want, ec2::id(update.outputs));
        if update.changed("public") {
            let value = AttributeBooleanValue::builder().value(want.public).build();
            let request = aws.ec2.modify_subnet_attribute().subnet_id(id).map_public_ip_on_launch(value);
            just_made(request.send().await.during("ModifySubnetAttribute"))?;
        }
        ec2::update_tags(aws, id, &want.tags, &update.live.tags).await
    }

    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let (id, vpc) = (ec2::id(deletion.outputs), deletion.live.vpc.get());
        let answer = aws.ec2.delete_subnet().subnet_id(id).send().await.during("DeleteSubnet");
        already_ok(ec2::explained(aws, answer, Held::Subnet { id, vpc }).await, Class::NotFound)
    }
}

/// The range is taken: by the subnet itself, made by an earlier run or request and seen soon, or by
/// another.
async fn conflict(aws: &Aws, name: &str, want: &Props, failure: Failure) -> Result<(), Failure> {
    let request = aws.ec2.describe_subnets().filters(ec2::filter("vpc-id", want.vpc.get()));
    let items = request.into_paginator().items().send();
    let found = items.collect::<Result<Vec<_>, _>>().await.during("DescribeSubnets")?;
    let look = Look { aws, as_of: 0, only: None, inside: Inside::default() };
    let range = want.cidr.parse::<Ipv4Net>().ok();
    let overlaps = |cidr: Option<&str>| {
        let other = cidr.and_then(|cidr| cidr.parse::<Ipv4Net>().ok());
        range.zip(other).is_some_and(|(a, b)| a.contains(&b) || b.contains(&a))
    };
    let Some(other) = found.iter().find(|subnet| overlaps(subnet.cidr_block())) else {
        return Err(Failure { class: Class::Busy, ..failure });
    };
    if ec2::name_of(look, Subnet::NAME, other.subnet_id(), other.tags()).as_deref() == Some(name) {
        return Ok(());
    }
    let tags = ec2::tags_of(other.tags());
    let whose = tags.get(RESOURCE_TAG).map(|name| format!(", tagged as {name}")).unwrap_or_default();
    let (id, cidr) = (other.subnet_id().unwrap_or_default(), other.cidr_block().unwrap_or_default());
    let message = format!(
        "the range {} overlaps with the subnet {id} ({cidr}{whose}); choose another range, or delete that \
         subnet first",
        want.cidr
    );
    Err(Failure { message, ..failure })
}
