//! Asks AWS and the machine for the facts that the model needs.

use crate::aws::{Aws, During, Failure, Look};
use crate::kinds::{Calls, absent_ok, rds};
use auroraml_core::base::names::ORIGINAL_GROUP_TAG;
use auroraml_core::base::{Id, Observed};
use auroraml_core::engine::Offered;
use auroraml_core::kinds::subnet::Subnet;
use auroraml_core::model::Intent;
use auroraml_core::model::facts::{ExistingFacts, Facts};
use auroraml_core::spec::{Aurora, Spec};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// IAM roles that a cluster can have unless the quota L-E094F43D was raised (fact book, section 1.8).
const ROLES_PER_CLUSTER: usize = 5;

/// What a plan is made from beside the spec and the live resources.
///
/// # Errors
/// When AWS cannot be asked.
pub(super) async fn gather(look: Look<'_>, spec: &Spec) -> Result<Facts, Failure> {
    let aws = look.aws;
    // On the heap: the SDK's futures are large, and this one is part of all that follow.
    let (zones, engine) = tokio::join!(Box::pin(zones(look, spec)), Box::pin(engine(look, spec)));
    let (engine_versions, live_engine_version, existing) = engine?;
    let mut files = BTreeMap::new();
    for path in spec.notebook.iter().flat_map(|notebook| &notebook.files) {
        let hash = |content| Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        files.insert(path.clone(), (aws.files)(path).map(hash).map_err(|error| error.to_string()));
    }
    let now = jiff::Timestamp::from_millisecond(i64::try_from(aws.clock.now_ms()).unwrap_or(i64::MAX))
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_zoned(jiff::tz::TimeZone::UTC);
    Ok(Facts {
        zones: zones?,
        engine_versions,
        live_engine_version,
        existing,
        files,
        today: now.strftime("%Y-%m-%d").to_string(),
        timestamp: now.strftime("%Y%m%d-%H%M%S").to_string(),
    })
}

/// What only the live resources tell: the group that an existing cluster had before ours, and whether it can
/// have it back.
///
/// # Errors
/// When AWS cannot be asked.
pub(super) async fn complete(
    aws: &Aws,
    facts: &mut Facts,
    observed: &Observed,
    intent: Intent,
) -> Result<(), Failure> {
    let Some(existing) = &mut facts.existing else { return Ok(()) };
    existing.original_group = observed
        .get(&Id::new("parameter_group", "main"))
        .and_then(|group| group.props["tags"][ORIGINAL_GROUP_TAG].as_str())
        .map(String::from);
    let gives_back = intent != Intent::Apply || aws.scope.parameters.is_empty();
    if gives_back
        && existing.parameter_group == aws.place.cluster()
        && let Some(original) = &existing.original_group
    {
        existing.original_group_gone = !Box::pin(rds::group_exists(aws, original)).await?;
    }
    Ok(())
}

/// The zone of each pair of subnets: that of the live ones, which cannot move, and of the region's list for
/// those that are still to be made. AWS is asked for the list only when there are such.
async fn zones(look: Look<'_>, spec: &Spec) -> Result<Vec<String>, Failure> {
    let Some(network) = &spec.network else { return Ok(Vec::new()) };
    let subnets = Subnet.observe(look).await?;
    let live = |side: &str, n: usize| {
        let name = format!("{side}-{}", n + 1);
        let subnet = subnets.iter().find(|subnet| subnet.name == name)?;
        Some(subnet.props.zone.clone())
    };
    let is_live = |side: &str, count: usize| (0..count).all(|n| live(side, n).is_some());
    let (public, private) = (network.public_subnets.len(), network.private_subnets.len());
    let mut zones = if is_live("public", public) && is_live("private", private) {
        vec![String::new(); public.max(private)]
    } else {
        region_zones(look.aws).await?
    };
    for (n, zone) in zones.iter_mut().enumerate() {
        if let Some(live) = live("private", n).or_else(|| live("public", n)) {
            *zone = live;
        }
    }
    Ok(zones)
}

async fn region_zones(aws: &Aws) -> Result<Vec<String>, Failure> {
    let filter = aws_sdk_ec2::types::Filter::builder().name("zone-type").values("availability-zone").build();
    let answer = aws.ec2.describe_availability_zones().filters(filter).send().await;
    let mut zones: Vec<String> = answer
        .during("DescribeAvailabilityZones")?
        .availability_zones()
        .iter()
        .filter(|zone| zone.state().is_none_or(|state| state.as_str() == "available"))
        .filter_map(|zone| zone.zone_name().map(String::from))
        .collect();
    zones.sort();
    Ok(zones)
}

type EngineFacts = (Vec<Offered>, Option<String>, Option<ExistingFacts>);

async fn engine(look: Look<'_>, spec: &Spec) -> Result<EngineFacts, Failure> {
    let Some(aurora) = &spec.aurora else { return Ok((Vec::new(), None, None)) };
    let cluster = rds::cluster_facts(look).await?;
    let live = cluster.as_ref().map(|cluster| cluster.engine_version.clone());
    match aurora {
        Aurora::Existing(_) => {
            let existing = match cluster {
                Some(cluster) => Some(existing(look, cluster).await?),
                None => None,
            };
            Ok((Vec::new(), live, existing))
        }
        // A live version that fits the spec is kept whatever else is on offer.
        Aurora::Owned(cluster)
            if live.as_ref().is_some_and(|l| look.aws.scope.engine.matches(&cluster.engine_version, l)) =>
        {
            Ok((Vec::new(), live, None))
        }
        Aurora::Owned(_) => Ok((engine_versions(look.aws).await?, live, None)),
    }
}

async fn existing(look: Look<'_>, cluster: rds::ClusterFacts) -> Result<ExistingFacts, Failure> {
    let aws = look.aws;
    let stack = async {
        match cluster.cloudformation_stack.clone() {
            Some(stack) => stack_status(aws, stack).await.map(Some),
            None => Ok(None),
        }
    };
    let (cloudformation, group, role_quota) =
        tokio::join!(stack, rds::group_facts(look), role_quota(aws, &cluster.roles));
    let group = group?;
    let (role_parameters, apply_types, sharers) =
        group.map_or_else(Default::default, |group| (group.roles, group.apply_types, group.other_users));
    Ok(ExistingFacts {
        engine: cluster.engine,
        status: cluster.status,
        parameter_group: cluster.parameter_group,
        original_group: None,
        original_group_gone: false,
        role_parameters,
        apply_types,
        sharers,
        roles: cluster.roles,
        role_quota,
        global_cluster: cluster.global_cluster,
        cloudformation: cloudformation?,
    })
}

/// IAM roles that a cluster can have. The default is asked about only when it would not do, and kept where
/// the answer is refused.
async fn role_quota(aws: &Aws, roles: &[String]) -> usize {
    let prefix = aws.place.role_arn_prefix();
    let others = roles.iter().filter(|role| !role.starts_with(&prefix)).count();
    // Of an existing cluster the spec names no parameters but those of the roles.
    if others + aws.scope.parameters.len() <= ROLES_PER_CLUSTER {
        return ROLES_PER_CLUSTER;
    }
    let request = aws.servicequotas.get_service_quota().service_code("rds").quota_code("L-E094F43D");
    let quota = request.send().await.ok().and_then(|answer| answer.quota().and_then(|quota| quota.value()));
    quota.map_or(ROLES_PER_CLUSTER, |quota| quota as usize)
}

/// Name and status of a CloudFormation stack; one that is gone left its tags behind.
async fn stack_status(aws: &Aws, stack: String) -> Result<(String, String), Failure> {
    let answer =
        aws.cloudformation.describe_stacks().stack_name(&stack).send().await.during("DescribeStacks");
    let found = absent_ok(answer)?;
    let status = found.as_ref().and_then(|found| found.stacks().first()).and_then(|s| s.stack_status());
    Ok((stack, status.map_or("DELETED", |status| status.as_str()).to_string()))
}

async fn engine_versions(aws: &Aws) -> Result<Vec<Offered>, Failure> {
    let pages =
        aws.rds.describe_db_engine_versions().engine(aws.scope.engine.name).into_paginator().items().send();
    let found = absent_ok(pages.collect::<Result<Vec<_>, _>>().await.during("DescribeDBEngineVersions"))?;
    Ok(found
        .unwrap_or_default()
        .into_iter()
        .filter_map(|v| Some(Offered { version: v.engine_version?, family: v.db_parameter_group_family? }))
        .collect())
}
