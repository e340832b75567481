//! Stacks that are found without their specs: from tags, IAM paths and what AWS says of when things were made.

use crate::aws::{Aws, During, Failure};
use auroraml_core::base::names::{EXPIRES_TAG, Names, Place, RESOURCE_TAG, STACK_TAG};
use auroraml_core::model::{self, Scope, expires_at, spec_from_tags};
use auroraml_core::spec::Spec;
use aws_sdk_ec2::types::Filter as Ec2Filter;
use aws_sdk_iam::types::Role;
use aws_sdk_resourcegroupstagging::types::TagFilter;
use std::collections::{BTreeMap, BTreeSet};

/// Pages of 100 resources that are read at most: more than any account's quotas allow a tool to have made.
const PAGES_MAX: usize = 1_000;

/// The path of every role that auroraml makes.
const PATH: &str = "/auroraml/";

type Tags = BTreeMap<String, String>;

/// A resource as the Resource Groups Tagging API lists it. It lists late: what is gone may still show, and what is new
/// may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    pub arn: String,
    pub tags: Tags,
}

/// A stack of which something is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub stack: String,
    /// When the oldest of its objects was made, of those for which AWS tells; milliseconds since the Unix epoch.
    pub created: Option<u64>,
    /// The ages in its tags.
    pub ages: BTreeSet<String>,
    /// When it is past its date, if it has one and its age is known; milliseconds since the Unix epoch.
    pub expires: Option<u64>,
}

/// Everything in the region that carries a stack's tag: of one stack, or of all.
///
/// # Errors
/// When AWS cannot be asked.
pub async fn tagged(aws: &Aws, stack: Option<&str>) -> Result<Vec<Tagged>, Failure> {
    let filter = TagFilter::builder().key(STACK_TAG).set_values(stack.map(|stack| vec![stack.to_string()]));
    let pages = aws.tagging.get_resources().tag_filters(filter.build()).resources_per_page(100);
    let mut pages = pages.into_paginator().send();
    let mut all = Vec::new();
    for _ in 0..PAGES_MAX {
        let Some(page) = pages.next().await else { break };
        for found in page.during("GetResources")?.resource_tag_mapping_list() {
            let tags = found.tags().iter().map(|tag| (tag.key().to_string(), tag.value().to_string()));
            all.push(Tagged { arn: found.resource_arn().unwrap_or_default().into(), tags: tags.collect() });
        }
    }
    Ok(all)
}

/// The stacks of the region: all, or those that are named.
///
/// # Errors
/// When AWS cannot be asked.
pub async fn stacks(aws: &Aws, named: &[String]) -> Result<Vec<Found>, Failure> {
    let region = &aws.place.region;
    let (tagged, roles, created) =
        tokio::join!(Box::pin(tagged(aws, None)), Box::pin(roles(aws, PATH)), Box::pin(created(aws)));
    let (tagged, roles, mut created) = (tagged?, roles?, created?);
    let mut tags: BTreeMap<String, Vec<Tags>> = BTreeMap::new();
    for found in tagged {
        if let Some(stack) = found.tags.get(STACK_TAG).cloned() {
            tags.entry(stack).or_default().push(found.tags);
        }
    }
    for role in &roles {
        let Some(stack) = stack_of(role.path(), region) else { continue };
        created.push((stack.to_string(), millis(role.create_date())));
        if !tags.contains_key(stack) {
            // The Tagging API knows no roles, and the list of roles no tags.
            let answer = aws.iam.list_role_tags().role_name(role.role_name()).send().await;
            let own = answer.during("ListRoleTags")?;
            let own = own.tags().iter().map(|tag| (tag.key().to_string(), tag.value().to_string()));
            tags.insert(stack.to_string(), vec![own.collect()]);
        }
    }
    let wanted = |stack: &String| named.is_empty() || named.contains(stack);
    let found = tags.into_iter().filter(|(stack, _)| wanted(stack)).map(|(stack, tags)| {
        let created = created.iter().filter(|(of, _)| *of == stack).map(|(_, at)| *at).min();
        Found {
            created,
            ages: tags.iter().filter_map(|tags| tags.get(EXPIRES_TAG).cloned()).collect(),
            expires: created.and_then(|created| expires_at(created, &tags)),
            stack,
        }
    });
    Ok(found.collect())
}

fn millis(at: &aws_sdk_iam::primitives::DateTime) -> u64 {
    at.to_millis().ok().and_then(|at| u64::try_from(at).ok()).unwrap_or_default()
}

/// The roles under a path.
async fn roles(aws: &Aws, path: &str) -> Result<Vec<Role>, Failure> {
    let pages = aws.iam.list_roles().path_prefix(path).into_paginator().items().send();
    pages.collect::<Result<Vec<_>, _>>().await.during("ListRoles")
}

/// The stack whose role has this path: `/auroraml/STACK/REGION/`.
fn stack_of<'p>(path: &'p str, region: &str) -> Option<&'p str> {
    let mut parts = path.strip_prefix(PATH)?.split('/');
    let stack = parts.next()?;
    (parts.next()? == region).then_some(stack)
}

/// Which stack's object was made when: clusters and NAT gateways, beside the roles, which nearly every stack has. Of a
/// VPC or an address alone AWS does not tell.
async fn created(aws: &Aws) -> Result<Vec<(String, u64)>, Failure> {
    let clusters = async {
        let pages = aws.rds.describe_db_clusters().into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.during("DescribeDBClusters")
    };
    let gateways = async {
        let filter = Ec2Filter::builder().name("tag-key").values(STACK_TAG).build();
        let pages = aws.ec2.describe_nat_gateways().filter(filter).into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.during("DescribeNatGateways")
    };
    let (clusters, gateways) = tokio::join!(clusters, gateways);
    let mut found = Vec::new();
    for cluster in clusters? {
        let stack = cluster.tag_list().iter().find(|tag| tag.key() == Some(STACK_TAG));
        if let (Some(stack), Some(at)) = (stack.and_then(|tag| tag.value()), cluster.cluster_create_time()) {
            found.push((stack.to_string(), millis(at)));
        }
    }
    for gateway in gateways? {
        let gone = gateway.delete_time().is_some();
        let stack = gateway.tags().iter().find(|tag| tag.key() == Some(STACK_TAG) && !gone);
        if let (Some(stack), Some(at)) = (stack.and_then(|tag| tag.value()), gateway.create_time()) {
            found.push((stack.to_string(), millis(at)));
        }
    }
    Ok(found)
}

/// The spec of a stack of which nobody has the file, as far as live objects tell, and what a look must know.
///
/// # Errors
/// When AWS cannot be asked, or has names that no spec can have.
pub async fn spec_of(aws: &Aws, stack: &str) -> Result<(Spec, Scope), Failure> {
    let region = &aws.place.region;
    let path = format!("{PATH}{stack}/{region}/");
    let (roles, tagged) = tokio::join!(Box::pin(roles(aws, &path)), Box::pin(tagged(aws, Some(stack))));
    let (roles, tagged) = (roles?, tagged?);
    let names = chosen(aws, stack, &roles, &tagged).await?;
    let own = names.cluster.as_deref().unwrap_or(stack);
    let existing = roles.iter().find_map(|role| {
        let trust = role.assume_role_policy_document().unwrap_or_default();
        let trust = percent_encoding::percent_decode_str(trust).decode_utf8_lossy().into_owned();
        trusted_cluster(&trust).filter(|cluster| *cluster != own).map(String::from)
    });
    let is_bucket = |tagged: &&Tagged| tagged.tags.get(RESOURCE_TAG).is_some_and(|id| id == "bucket.main");
    let place = Place::new(stack, region, &aws.place.account);
    let buckets = tagged.iter().filter(is_bucket).filter_map(|tagged| tagged.arn.strip_prefix("arn:"));
    let mut buckets = buckets.filter_map(|arn| arn.split_once(":s3:::")).map(|(_, name)| name);
    // Under the name that auroraml chooses it is found without being named.
    let bucket = buckets.find(|name| *name != place.bucket());
    let spec = spec_from_tags(stack, region, existing.as_deref(), bucket);
    let spec = spec.map_err(|why| Failure::refused("spec from tags", why))?;
    // Whether there are jobs nobody says: AWS is asked.
    let scope = Scope { jobs: true, names, ..model::scope(&spec) };
    Ok((spec, scope))
}

/// The names that the stack's spec chose, as the tags of its roles tell: others do not make roles in its path. Asked for
/// only where a tag of something else speaks of such a name.
async fn chosen(aws: &Aws, stack: &str, roles: &[Role], tagged: &[Tagged]) -> Result<Names, Failure> {
    let place = Place::new(stack, &aws.place.region, &aws.place.account);
    let speaks = tagged.iter().any(|one| Names::told(&one.tags) != Names::default());
    let (true, Some(role)) = (speaks, roles.first()) else { return Ok(Names::default()) };
    let answer = aws.iam.list_role_tags().role_name(role.role_name()).send().await.during("ListRoleTags")?;
    let tags = answer.tags().iter().map(|tag| (tag.key().to_string(), tag.value().to_string()));
    let mut names = Names::told(&tags.collect());
    // A member is one by its cluster; its own tag tells which.
    let members = tagged.iter().filter_map(|one| {
        let name = one.tags.get(RESOURCE_TAG)?.strip_prefix("instance.")?;
        let (_, identifier) = one.arn.split_once(":db:")?;
        (identifier != place.name(name)).then(|| (name.to_string(), identifier.to_string()))
    });
    names.instances = members.collect();
    Ok(names)
}

/// The cluster whose ARN stands in a trust policy.
fn trusted_cluster(trust: &str) -> Option<&str> {
    let (_, rest) = trust.split_once(":cluster:")?;
    rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_trust() {
        assert_eq!(stack_of("/auroraml/shop/us-east-1/", "us-east-1"), Some("shop"));
        assert_eq!(stack_of("/auroraml/shop/us-west-2/", "us-east-1"), None);
        assert_eq!(stack_of("/other/shop/us-east-1/", "us-east-1"), None);
        let trust = r#"{"aws:SourceArn":"arn:aws:rds:us-east-1:1:cluster:orders-1"}"#;
        assert_eq!(trusted_cluster(trust), Some("orders-1"));
        assert_eq!(trusted_cluster("{}"), None);
    }
}
