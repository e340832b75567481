//! Asks AWS and the machine for the facts that the model needs.

use crate::aws::{Aws, Class, During, Failure, Look};
use crate::kinds::{self, absent_ok};
use crate::model::facts::{ExistingFacts, Facts};
use crate::model::graph::{Id, Observed};
use crate::model::names::ORIGINAL_GROUP_TAG;
use crate::model::{self, Intent};
use crate::spec::{Aurora, Spec};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What a plan is made from beside the spec and the live resources.
///
/// # Errors
/// When AWS cannot be asked, or a file that the spec names cannot be read.
pub(super) async fn gather(look: Look<'_>, spec: &Spec, _: Intent) -> Result<Facts, Failure> {
    let aws = look.aws;
    let (zones, engine) = tokio::join!(zones(look, spec), engine(look, spec));
    let (engine_versions, live_engine_version, existing) = engine?;
    let mut files = BTreeMap::new();
    for path in spec.notebook.iter().flat_map(|notebook| &notebook.files) {
        let content = (aws.files)(path).map_err(|error| Failure {
            class: Class::Refused,
            operation: "read",
            code: "auroraml".into(),
            message: format!("cannot read the notebook file {path}: {error}"),
        })?;
        files
            .insert(path.clone(), Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect());
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

/// What only the live resources tell.
///
/// # Errors
/// When AWS cannot be asked.
pub(super) async fn complete(
    _: &Aws,
    facts: &mut Facts,
    observed: &Observed,
    _: Intent,
) -> Result<(), Failure> {
    if let Some(existing) = &mut facts.existing {
        existing.original_group = observed
            .get(&Id::new("parameter_group", "main"))
            .and_then(|group| group.props["tags"][ORIGINAL_GROUP_TAG].as_str())
            .map(String::from);
    }
    Ok(())
}

/// The zone of each pair of subnets: that of the live ones, which cannot move, and of the region's list for
/// those that are still to be made. AWS is asked for the list only when there are such.
async fn zones(look: Look<'_>, spec: &Spec) -> Result<Vec<String>, Failure> {
    let Some(network) = &spec.network else { return Ok(Vec::new()) };
    let subnets = kinds::get("subnet").observe(look).await?;
    let live = |side: &str, n: usize| {
        let name = format!("{side}-{}", n + 1);
        let subnet = subnets.iter().find(|subnet| subnet.id.name == name)?;
        subnet.props["zone"].as_str().map(String::from)
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

type EngineFacts = (Vec<model::engine::Offered>, Option<String>, Option<ExistingFacts>);

async fn engine(look: Look<'_>, spec: &Spec) -> Result<EngineFacts, Failure> {
    let Some(aurora) = &spec.aurora else { return Ok((Vec::new(), None, None)) };
    let (cluster, roles) = (kinds::cluster_facts(look).await?, look.aws.place.role_arn(""));
    let live = cluster.as_ref().map(|cluster| cluster.engine_version.clone());
    let maker = cluster.as_ref().and_then(|cluster| cluster.cloudformation_stack.clone());
    let cloudformation = match (aurora, maker) {
        (Aurora::Existing(_), Some(stack)) => Some(stack_status(look.aws, stack).await?),
        _ => None,
    };
    let existing = match aurora {
        Aurora::Existing(_) => cluster.map(|cluster| ExistingFacts {
            cloudformation,
            parameter_group: cluster.parameter_group,
            original_group: None,
            members: cluster.members,
            foreign_roles: cluster.roles.iter().filter(|arn| !arn.starts_with(&roles)).count(),
        }),
        Aurora::Owned(_) => None,
    };
    let versions = match aurora {
        // A live version that fits the spec is kept whatever else is on offer.
        Aurora::Owned(cluster)
            if !live.as_ref().is_some_and(|l| model::engine::matches(&cluster.engine_version, l)) =>
        {
            engine_versions(look.aws).await?
        }
        _ => Vec::new(),
    };
    Ok((versions, live, existing))
}

/// Name and status of a CloudFormation stack; one that is gone left its tags behind.
async fn stack_status(aws: &Aws, stack: String) -> Result<(String, String), Failure> {
    let answer =
        aws.cloudformation.describe_stacks().stack_name(&stack).send().await.during("DescribeStacks");
    let found = absent_ok(answer)?;
    let status = found.as_ref().and_then(|found| found.stacks().first()).and_then(|s| s.stack_status());
    Ok((stack, status.map_or("DELETED", |status| status.as_str()).to_string()))
}

async fn engine_versions(aws: &Aws) -> Result<Vec<model::engine::Offered>, Failure> {
    let pages = aws.rds.describe_db_engine_versions().engine("aurora-mysql").into_paginator().items().send();
    let found = absent_ok(pages.collect::<Result<Vec<_>, _>>().await.during("DescribeDBEngineVersions"))?;
    Ok(found
        .unwrap_or_default()
        .into_iter()
        .filter_map(|v| {
            Some(model::engine::Offered { version: v.engine_version?, family: v.db_parameter_group_family? })
        })
        .collect())
}
