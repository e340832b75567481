//! What the EC2 kinds share: listings by tag, which of several objects of one name is meant, tags, tokens.
//!
//! The creates of VPC, subnet, internet gateway, address and security group take no client token, and what
//! a killed run made may become visible only after the next run has looked (fact book, sections 5.2, 5.3).
//! So they are never sent twice blindly ([`once`]), and where two objects of one name turn up all the same,
//! every look chooses the same one: the other is seen as `<name>#<physical id>`, which no spec wants, so
//! that the next plan deletes it.

mod blockers;
mod ground;

pub(super) use blockers::{Held, explained};
pub(super) use ground::{Ground, Territory, territory};

use super::kind::{absent_ok, just_made};
use crate::aws::{Aws, During, Failure, Look, owns, tag_changes, tag_map};
use auroraml_core::base::Outputs;
use auroraml_core::base::names::{RESOURCE_TAG, STACK_TAG};
use aws_sdk_ec2::types::{
    Address, Filter, InternetGateway, NatGateway, NatGatewayState, ResourceType, RouteTable, SecurityGroup,
    Subnet, Tag, TagSpecification, Vpc, VpcEndpoint,
};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a create is the same create, in milliseconds: longer than an object stays invisible (fact book,
/// section 5.3), and short, because AWS answers an old token with the old object even when that is gone.
const TOKEN_PERIOD_MS: u64 = 120_000;

macro_rules! listing {
    ($name:ident, $request:ident, $filter:ident, $operation:literal, $item:ty, $kind:literal, $by:literal, $id:ident) => {
        /// The stack's objects of this kind, in whatever state.
        pub(super) async fn $name(look: Look<'_>) -> Result<Arc<Vec<$item>>, Failure> {
            let listed = async |which: Filter| {
                let items = look.aws.ec2.$request().$filter(which).into_paginator().items().send();
                items.collect::<Result<Vec<$item>, _>>().await.during($operation)
            };
            look.shared($operation, async {
                let mut found: Vec<$item> = match look.for_all($operation, listed(everyones())).await? {
                    Some(all) => all.iter().filter(|item| is_ours(look.aws, item.tags())).cloned().collect(),
                    None => listed(ours(look.aws)).await?,
                };
                let seen = found.iter().filter_map(|item| item.$id());
                if let Some(untagged) = untagged(look.aws, $kind, $by, seen) {
                    found.extend(listed(untagged).await?);
                }
                Ok(found)
            })
            .await
        }
    };
}
listing!(vpcs, describe_vpcs, filters, "DescribeVpcs", Vpc, "vpc", "vpc-id", vpc_id);
listing!(subnets, describe_subnets, filters, "DescribeSubnets", Subnet, "subnet", "subnet-id", subnet_id);
listing!(
    gateways,
    describe_internet_gateways,
    filters,
    "DescribeInternetGateways",
    InternetGateway,
    "internet_gateway",
    "internet-gateway-id",
    internet_gateway_id
);
listing!(
    nat_gateways,
    describe_nat_gateways,
    filter,
    "DescribeNatGateways",
    NatGateway,
    "nat_gateway",
    "nat-gateway-id",
    nat_gateway_id
);
listing!(
    route_tables,
    describe_route_tables,
    filters,
    "DescribeRouteTables",
    RouteTable,
    "route_table",
    "route-table-id",
    route_table_id
);
listing!(
    security_groups,
    describe_security_groups,
    filters,
    "DescribeSecurityGroups",
    SecurityGroup,
    "security_group",
    "group-id",
    group_id
);
listing!(
    endpoints,
    describe_vpc_endpoints,
    filters,
    "DescribeVpcEndpoints",
    VpcEndpoint,
    "vpc_endpoint",
    "vpc-endpoint-id",
    vpc_endpoint_id
);

/// The stack's addresses. EC2 lists them in one answer.
pub(super) async fn addresses(look: Look<'_>) -> Result<Arc<Vec<Address>>, Failure> {
    let listed = async |which: Filter| {
        let answer = look.aws.ec2.describe_addresses().filters(which).send().await;
        let found: Vec<Address> = answer.during("DescribeAddresses")?.addresses.unwrap_or_default();
        Ok(found)
    };
    look.shared("DescribeAddresses", async {
        let mut found: Vec<Address> = match look.for_all("DescribeAddresses", listed(everyones())).await? {
            Some(all) => all.iter().filter(|item| is_ours(look.aws, item.tags())).cloned().collect(),
            None => listed(ours(look.aws)).await?,
        };
        let seen = found.iter().filter_map(|item| item.allocation_id());
        if let Some(untagged) = untagged(look.aws, "elastic_ip", "allocation-id", seen) {
            found.extend(listed(untagged).await?);
        }
        Ok(found)
    })
    .await
}

/// What finds the objects that the spec takes over and that no listing by tag shows yet; none where there are none.
fn untagged<'s>(aws: &Aws, kind: &str, by: &str, seen: impl Iterator<Item = &'s str>) -> Option<Filter> {
    let taken = aws.scope.taken_over.as_ref()?;
    let seen: Vec<&str> = seen.collect();
    let of_kind = |name: &str| name.strip_prefix(kind).is_some_and(|rest| rest.starts_with('.'));
    let missing: Vec<String> = taken
        .objects
        .iter()
        .filter(|(name, id)| of_kind(name) && !seen.contains(&id.as_str()))
        .map(|(_, id)| id.clone())
        .collect();
    (!missing.is_empty()).then(|| Filter::builder().name(by).set_values(Some(missing)).build())
}

/// What any stack has.
fn everyones() -> Filter {
    filter("tag-key", STACK_TAG)
}

fn is_ours(aws: &Aws, tags: &[Tag]) -> bool {
    tags.iter().any(|tag| tag.key() == Some(STACK_TAG) && tag.value() == Some(aws.place.stack.as_str()))
}

fn ours(aws: &Aws) -> Filter {
    filter(&format!("tag:{STACK_TAG}"), &aws.place.stack)
}

pub(super) fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// How many of the stack's objects each VPC holds.
pub(super) async fn held(look: Look<'_>) -> Result<BTreeMap<String, usize>, Failure> {
    let (subnets, gateways, nats, tables, groups, endpoints) = tokio::try_join!(
        subnets(look),
        gateways(look),
        nat_gateways(look),
        route_tables(look),
        security_groups(look),
        endpoints(look)
    )?;
    let alive = |nat: &&NatGateway| {
        matches!(nat.state(), Some(NatGatewayState::Pending | NatGatewayState::Available))
    };
    let inside = subnets
        .iter()
        .map(|subnet| subnet.vpc_id())
        .chain(gateways.iter().flat_map(|gateway| gateway.attachments()).map(|at| at.vpc_id()))
        .chain(nats.iter().filter(alive).map(|nat| nat.vpc_id()))
        .chain(tables.iter().map(|table| table.vpc_id()))
        .chain(groups.iter().map(|group| group.vpc_id()))
        // AWS lists one that was deleted for a while, when its VPC may be gone already.
        .chain(endpoints.iter().filter(|endpoint| !is_dead(endpoint)).map(|endpoint| endpoint.vpc_id()));
    let mut held = BTreeMap::new();
    for vpc in inside.flatten() {
        *held.entry(vpc.to_string()).or_insert(0) += 1;
    }
    Ok(held)
}

/// Whether an endpoint is on its way out, or never came to be.
pub(super) fn is_dead(endpoint: &VpcEndpoint) -> bool {
    let state = endpoint.state().map(|state| state.as_str().to_ascii_lowercase()).unwrap_or_default();
    matches!(state.as_str(), "deleting" | "deleted" | "failed" | "rejected" | "expired")
}

/// A listed object that may be the one that is meant by its name.
pub(super) struct Candidate<'a, T> {
    pub object: &'a T,
    pub id: Option<&'a str>,
    pub tags: &'a [Tag],
    pub ground: Ground,
    /// The lowest of one name is meant.
    pub rank: usize,
}

/// A listed object and the name under which it is seen.
pub(super) struct Named<'a, T> {
    pub object: &'a T,
    pub id: &'a str,
    pub tags: BTreeMap<String, String>,
    /// Name within the stack, with `#` and the id when another object has the name or it is elsewhere.
    pub name: String,
    pub extra: bool,
    ground: Ground,
}

impl<T> Named<'_, T> {
    pub fn outputs(&self) -> Outputs {
        let mut outputs = Outputs::from([("id".into(), self.id.into())]);
        outputs.extend(self.ground.told());
        outputs
    }

    pub fn is_owned(&self) -> bool {
        self.ground.is_owned()
    }
}

/// Names those candidates whose details the look wants.
pub(super) fn named<'a, T>(
    look: Look<'_>,
    kind: &str,
    candidates: impl IntoIterator<Item = Candidate<'a, T>>,
) -> Vec<Named<'a, T>> {
    let mut by_name: BTreeMap<String, Vec<(Candidate<'a, T>, &'a str)>> = BTreeMap::new();
    for candidate in candidates {
        let Some(name) = name_of(look, kind, candidate.id, candidate.tags) else { continue };
        let wanted = look.only.is_none_or(|only| only.split('#').next() == Some(name.as_str()));
        if let Some(id) = candidate.id.filter(|_| wanted) {
            by_name.entry(name).or_default().push((candidate, id));
        }
    }
    let mut all = Vec::new();
    for (name, mut candidates) in by_name {
        candidates.sort_by_key(|(candidate, id)| (candidate.ground.is_elsewhere(), candidate.rank, *id));
        for (n, (candidate, id)) in candidates.into_iter().enumerate() {
            let extra = n > 0 || candidate.ground.is_elsewhere();
            let name = if extra { format!("{name}#{id}") } else { name.clone() };
            let Candidate { object, tags, ground, .. } = candidate;
            all.push(Named { object, id, tags: tags_of(tags), name, extra, ground });
        }
    }
    all
}

/// Name within the stack of an object that carries the stack's tags, or that the spec takes over by its id.
pub(super) fn name_of(look: Look<'_>, kind: &str, id: Option<&str>, tags: &[Tag]) -> Option<String> {
    let tags = tags_of(tags);
    if let (Some(taken), Some(id), false) = (&look.aws.scope.taken_over, id, tags.contains_key(STACK_TAG)) {
        let mut named = taken.objects.iter().filter(|(_, object)| *object == id);
        return named.find_map(|(name, _)| name.strip_prefix(kind)?.strip_prefix('.').map(String::from));
    }
    let name = tags.get(RESOURCE_TAG)?.strip_prefix(kind)?.strip_prefix('.')?;
    owns(&look.aws.place, &tags).then(|| name.to_string())
}

pub(super) fn tags_of(tags: &[Tag]) -> BTreeMap<String, String> {
    tag_map(tags.iter().map(|tag| (tag.key(), tag.value())))
}

/// Tags for a create call: with them in the call itself, no crash leaves an object that nobody finds.
pub(super) fn tagged(resource_type: ResourceType, tags: &BTreeMap<String, String>) -> TagSpecification {
    TagSpecification::builder().resource_type(resource_type).set_tags(Some(sdk_tags(tags))).build()
}

fn sdk_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Makes the tags of an object what they should be.
pub(super) async fn update_tags(
    aws: &Aws,
    id: &str,
    want: &BTreeMap<String, String>,
    live: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let (set, remove) = tag_changes(want, live);
    if !set.is_empty() {
        let request = aws.ec2.create_tags().resources(id).set_tags(Some(sdk_tags(&set)));
        just_made(request.send().await.during("CreateTags"))?;
    }
    if !remove.is_empty() {
        let keys = remove.into_iter().map(|key| Tag::builder().key(key).build()).collect();
        let request = aws.ec2.delete_tags().resources(id).set_tags(Some(keys));
        absent_ok(request.send().await.during("DeleteTags"))?;
    }
    Ok(())
}

/// Client token of a create: the same for the same wish, another after `dead` predecessors of its name.
pub(super) fn token(aws: &Aws, kind: &str, name: &str, want: &impl Serialize, dead: usize) -> String {
    let period = aws.clock.now_ms() / TOKEN_PERIOD_MS;
    let wish = serde_json::json!([aws.place.stack, kind, name, want, dead, period]).to_string();
    // AWS takes 64 characters.
    Sha256::digest(wish).iter().take(24).map(|byte| format!("{byte:02x}")).collect()
}

/// The physical id of a live object.
pub(super) fn id(outputs: &Outputs) -> &str {
    outputs.get("id").and_then(Value::as_str).unwrap_or_default()
}
