//! Asks AWS and the machine for the facts that the model needs.

use super::renamed::renamed;
use crate::aws::{Aws, During, Failure, Look};
use crate::kinds::{absent_ok, filled, rds, sql};
use auroraml_core::base::names::ORIGINAL_GROUP_TAG;
use auroraml_core::base::{Id, Live, Observed};
use auroraml_core::engine::Offered;
use auroraml_core::model::facts::{ExistingFacts, Facts, NetworkFacts, Offer, Reached, Standing, Zonal};
use auroraml_core::model::{Intent, engine_version, questions};
use auroraml_core::spec::{Aurora, Network, Spec, is_reference};
use aws_sdk_ec2::types::{Filter, ServiceType, ServiceTypeDetail};
use futures_util::future::join_all;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// IAM roles that a cluster can have unless the quota L-E094F43D was raised (fact book, section 1.8).
const ROLES_PER_CLUSTER: usize = 5;

/// What a plan is made from beside the spec and the live resources.
///
/// # Errors
/// When AWS cannot be asked.
pub(super) async fn gather(look: Look<'_>, spec: &Spec) -> Result<Facts, Failure> {
    let aws = look.aws;
    // On the heap: the SDK's futures are large, and this one is part of all that follow.
    let (engine, sql, network) =
        tokio::join!(Box::pin(engine(look, spec)), Box::pin(sql::facts(look)), Box::pin(network(aws, spec)));
    let (engine_versions, live_engine_version, existing) = engine?;
    let is_missing = existing.is_none() && matches!(spec.aurora, Some(Aurora::Existing(_)));
    let clusters = if is_missing { Box::pin(rds::clusters(look)).await } else { Vec::new() };
    let mut files = BTreeMap::new();
    for path in spec.files() {
        let hash = |content| Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        files.insert(path.to_string(), (aws.files)(path).map(hash).map_err(|error| error.to_string()));
    }
    let mut templates = BTreeMap::new();
    for path in spec.templates() {
        let text = (aws.files)(path).map_err(|error| error.to_string());
        let text = text.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "not UTF-8 text".into()));
        templates.insert(path.to_string(), text);
    }
    let now = jiff::Timestamp::from_millisecond(i64::try_from(aws.clock.now_ms()).unwrap_or(i64::MAX))
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_zoned(jiff::tz::TimeZone::UTC);
    Ok(Facts {
        engine_versions,
        live_engine_version,
        existing,
        clusters,
        sql: sql?,
        network: network?,
        files,
        templates,
        today: now.strftime("%Y-%m-%d").to_string(),
        timestamp: now.strftime("%Y%m%d-%H%M%S").to_string(),
        ..Facts::default()
    })
}

/// The VPC of others that the spec names, and its subnets. By filters: what is not there is no error then.
async fn network(aws: &Aws, spec: &Spec) -> Result<Option<NetworkFacts>, Failure> {
    let Some(Network::Existing(of)) = &spec.network else { return Ok(None) };
    let filter =
        |name: &str, values: Vec<String>| Filter::builder().name(name).set_values(Some(values)).build();
    // A VPC that a template makes may not be there yet, and then has nothing to ask for.
    let Some(vpc) = filled(aws, &of.existing).await? else { return Ok(None) };
    let ids = of.private_subnets.iter().chain(&of.public_subnets);
    let ids: Vec<String> = ids.filter(|id| !is_reference(id)).cloned().collect();
    let vpcs = aws.ec2.describe_vpcs().filters(filter("vpc-id", vec![vpc])).send();
    let subnets = async {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let pages = aws.ec2.describe_subnets().filters(filter("subnet-id", ids)).into_paginator();
        pages.items().send().collect::<Result<Vec<_>, _>>().await.during("DescribeSubnets")
    };
    let (vpcs, subnets) = tokio::join!(vpcs, subnets);
    let vpcs = vpcs.during("DescribeVpcs")?;
    let associated = vpcs.vpcs().iter().flat_map(|vpc| vpc.cidr_block_association_set());
    let mut ranges: Vec<String> = associated.filter_map(|one| one.cidr_block().map(String::from)).collect();
    ranges.extend(vpcs.vpcs().iter().filter_map(|vpc| vpc.cidr_block().map(String::from)));
    ranges.sort();
    ranges.dedup();
    let subnets = subnets?.into_iter().filter_map(|subnet| {
        Some((subnet.subnet_id?, (subnet.vpc_id?, subnet.availability_zone.unwrap_or_default())))
    });
    Ok(Some(NetworkFacts { ranges, subnets: subnets.collect() }))
}

/// What depends on the live resources: the group that an existing cluster had before ours, and whether it can
/// have it back; the zones of what is still to be made.
///
/// # Errors
/// When AWS cannot be asked.
pub(super) async fn complete(
    aws: &Aws,
    spec: &Spec,
    facts: &mut Facts,
    observed: &Observed,
    intent: Intent,
) -> Result<(), Failure> {
    let subnets = observed.values().filter(|live| live.id.kind == "subnet");
    let zone = |live: &Live| Some((live.id.name.clone(), live.props["zone"].as_str()?.to_string()));
    facts.live_zones = subnets.filter_map(zone).collect();
    facts.renamed = Box::pin(renamed(aws, spec, observed)).await?;
    if matches!(intent, Intent::Pause { .. }) {
        facts.standing = Standing::of(observed);
        // What an existing cluster was and is made of is a destroy's concern, and an apply's.
        return Ok(());
    }
    if intent == Intent::Apply {
        Box::pin(zones(aws, spec, facts, observed)).await?;
    }
    let Some(existing) = &mut facts.existing else { return Ok(()) };
    existing.original_group = observed
        .get(&Id::new("parameter_group", "main"))
        .and_then(|group| group.props["tags"][ORIGINAL_GROUP_TAG].as_str())
        .map(String::from);
    let this = aws.place.cluster_arn(&aws.cluster());
    let own = aws.place.cluster_arn(&aws.place.cluster());
    let roles = observed.values().filter(|live| live.id.kind == "role" && live.owned);
    let wired = roles.filter_map(|live| cluster_in(&live.props["trust"]));
    existing.wired_before = wired.filter(|arn| **arn != *this && **arn != *own).map(String::from).next();
    let gives_back = intent != Intent::Apply || aws.scope.parameters.is_empty();
    if gives_back
        && existing.parameter_group == aws.place.parameter_group()
        && let Some(original) = &existing.original_group
    {
        existing.original_group_gone = !Box::pin(rds::group_exists(aws, original)).await?;
    }
    Ok(())
}

/// The cluster that a trust policy names, if it names one.
fn cluster_in(trust: &Value) -> Option<&str> {
    match trust {
        Value::String(text) => (text.starts_with("arn:") && text.contains(":cluster:")).then_some(text),
        Value::Array(items) => items.iter().find_map(cluster_in),
        Value::Object(map) => map.values().find_map(cluster_in),
        _ => None,
    }
}

/// The zones of the region for new subnets, and in which of them AWS offers what is to stand
/// there. An offer that may not be asked for is left out, with a note.
async fn zones(aws: &Aws, spec: &Spec, facts: &mut Facts, observed: &Observed) -> Result<(), Failure> {
    let questions = questions(spec, observed);
    let (mut services, mut classes) = (Vec::new(), Vec::new());
    for what in questions.offers {
        match what {
            Zonal::Endpoint(service) => services.push(service),
            Zonal::Class(class) => classes.push(class),
        }
    }
    let version = match &spec.aurora {
        Some(Aurora::Owned(cluster)) => engine_version(cluster, aws.scope.engine, facts),
        _ => None,
    };
    let all = async {
        match questions.zones {
            true => region_zones(aws).await,
            false => Ok(Vec::new()),
        }
    };
    // A version that is not on offer is a problem of its own.
    let classes = classes.into_iter().filter_map(|class| Some((class, version.clone()?)));
    let classes = classes.map(async |(class, version)| {
        let zones = class_zones(aws, &class, &version).await;
        (
            format!("the availability of {class}"),
            zones.map(|zones| vec![Offer { what: Zonal::Class(class), zones }]),
        )
    });
    let (all, services, mut answers) = tokio::join!(all, endpoint_zones(aws, &services), join_all(classes));
    facts.zones = all?;
    answers.push(("the availability of interface endpoints".into(), services));
    for (what, answer) in answers {
        match answer {
            Ok(offers) => facts.offers.extend(offers),
            Err(failure) => facts.notes.push(format!("{what} could not be checked: {failure}")),
        }
    }
    Ok(())
}

/// The zones in which these services have interface endpoints; none of one that the region does not have.
async fn endpoint_zones(aws: &Aws, services: &[String]) -> Result<Vec<Offer>, Failure> {
    let mut offers: BTreeMap<&String, BTreeSet<String>> =
        services.iter().map(|service| (service, BTreeSet::new())).collect();
    if services.is_empty() {
        return Ok(Vec::new());
    }
    // By a filter: a name that the region lacks is refused where it is asked for by name.
    let filter = Filter::builder().name("service-name").set_values(Some(services.to_vec())).build();
    let answer = aws.ec2.describe_vpc_endpoint_services().filters(filter).send().await;
    for detail in answer.during("DescribeVpcEndpointServices")?.service_details() {
        // S3 has a gateway of the same name.
        let interface = |kind: &ServiceTypeDetail| kind.service_type() == Some(&ServiceType::Interface);
        let Some(zones) = detail.service_name().and_then(|name| offers.get_mut(&name.to_string())) else {
            continue;
        };
        if detail.service_type().iter().any(interface) {
            zones.extend(detail.availability_zones().iter().cloned());
        }
    }
    let offer = |(service, zones): (&String, _)| Offer { what: Zonal::Endpoint(service.clone()), zones };
    Ok(offers.into_iter().map(offer).collect())
}

/// The zones in which a class can be had with this version.
async fn class_zones(aws: &Aws, class: &str, version: &str) -> Result<BTreeSet<String>, Failure> {
    let request = aws
        .rds
        .describe_orderable_db_instance_options()
        .engine(aws.scope.engine.name)
        .engine_version(version)
        .db_instance_class(class)
        .vpc(true);
    let options = request.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let options = options.during("DescribeOrderableDBInstanceOptions")?;
    let zones = options.iter().flat_map(|option| option.availability_zones());
    Ok(zones.filter_map(|zone| zone.name().map(String::from)).collect())
}

async fn region_zones(aws: &Aws) -> Result<Vec<String>, Failure> {
    let filter = Filter::builder().name("zone-type").values("availability-zone").build();
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
        Aurora::Owned(_) => Ok((engine_versions(look).await?, live, None)),
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
    let (cloudformation, group, role_quota, private) =
        tokio::join!(stack, rds::group_facts(look), role_quota(aws, &cluster.roles), rds::is_private(look));
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
        wired_before: None,
        cloudformation: cloudformation?,
        reached: Reached { private: private?, ..cluster.reached },
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

async fn engine_versions(look: Look<'_>) -> Result<Vec<Offered>, Failure> {
    let all = look.for_all("DescribeDBEngineVersions", offered_versions(look.aws)).await?;
    match all {
        Some(all) => Ok(all.to_vec()),
        None => offered_versions(look.aws).await,
    }
}

async fn offered_versions(aws: &Aws) -> Result<Vec<Offered>, Failure> {
    let pages =
        aws.rds.describe_db_engine_versions().engine(aws.scope.engine.name).into_paginator().items().send();
    let found = absent_ok(pages.collect::<Result<Vec<_>, _>>().await.during("DescribeDBEngineVersions"))?;
    Ok(found
        .unwrap_or_default()
        .into_iter()
        .filter_map(|v| Some(Offered { version: v.engine_version?, family: v.db_parameter_group_family? }))
        .collect())
}
