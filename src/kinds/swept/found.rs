//! Where leftovers are looked for.

use super::{Props, What, seen};
use crate::aws::{Aws, During, Failure, Look};
use crate::kinds::absent_ok;
use crate::kinds::ec2::{filter, territory};
use crate::kinds::endpoint::of_configs;
use crate::kinds::kind::Seen;
use crate::kinds::sagemaker::{config_exists, is_hashed, model_exists};
use auroraml_core::base::State;
use aws_sdk_ec2::types::{State as EndpointState, VpcEndpoint};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::{BTreeMap, BTreeSet};

/// Models, configurations and endpoints of the account that are described at most: more cannot be told apart in an
/// acceptable time.
const DESCRIBED_MAX: usize = 2_000;
/// Described at once.
const AT_ONCE: usize = 4;
/// What the log groups of endpoints are called before the endpoint's name.
const ENDPOINT_GROUPS: &str = "/aws/sagemaker/Endpoints/";
/// Pages of log groups.
const PAGES_MAX: usize = 100;

pub(super) async fn all(look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
    let (mut found, guardduty) = tokio::try_join!(Box::pin(sagemaker(look)), Box::pin(guardduty(look)))?;
    let endpoints: BTreeSet<String> = found
        .iter()
        .filter(|seen| seen.props.what == What::Endpoint)
        .map(|seen| seen.props.name.clone())
        .collect();
    found.extend(Box::pin(log_groups(look, endpoints)).await?);
    found.extend(guardduty);
    Ok(found)
}

/// One of them, by its own name.
pub(super) async fn one(aws: &Aws, name: &str) -> Result<Option<Seen<Props>>, Failure> {
    let Some((word, id)) = name.split_once('/') else { return Ok(None) };
    let Some(what) = What::ALL.into_iter().find(|what| what.word() == word) else { return Ok(None) };
    let state = match what {
        What::Endpoint => {
            let answer = aws.sagemaker.describe_endpoint().endpoint_name(id).send().await;
            let found = absent_ok(answer.during("DescribeEndpoint"))?;
            found
                .map(|found| serving(found.endpoint_status.map_or(String::new(), |s| s.to_string()).as_str()))
        }
        What::EndpointConfig => config_exists(aws, id).await?.then_some(State::Ready),
        What::Model => model_exists(aws, id).await?.then_some(State::Ready),
        What::LogGroup => groups(aws, id).await?.iter().any(|group| group == id).then_some(State::Ready),
        What::GuardDutyEndpoint => {
            let answer = aws.ec2.describe_vpc_endpoints().vpc_endpoint_ids(id).send().await;
            let found = absent_ok(answer.during("DescribeVpcEndpoints"))?;
            found.as_ref().and_then(|found| found.vpc_endpoints().first()).and_then(standing)
        }
        What::GuardDutyGroup => {
            let answer = aws.ec2.describe_security_groups().group_ids(id).send().await;
            absent_ok(answer.during("DescribeSecurityGroups"))?.map(|_| State::Ready)
        }
    };
    Ok(state.map(|state| seen(what, id, "", state)))
}

/// The endpoint that still uses a leftover.
pub(super) async fn user(aws: &Aws, what: What, name: &str) -> Result<Option<String>, Failure> {
    match (what, name.strip_prefix(ENDPOINT_GROUPS)) {
        (What::EndpointConfig, _) => {
            let config = BTreeMap::from([(name.to_string(), BTreeSet::new())]);
            Ok(endpoints(aws, &config).await?.into_keys().next())
        }
        (What::LogGroup, Some(endpoint)) => {
            let answer = aws.sagemaker.describe_endpoint().endpoint_name(endpoint).send().await;
            Ok(absent_ok(answer.during("DescribeEndpoint"))?.map(|_| endpoint.to_string()))
        }
        _ => Ok(None),
    }
}

/// The state of an endpoint of SageMaker, as far as it can go.
fn serving(status: &str) -> State {
    match status {
        "InService" | "Failed" | "OutOfService" | "UpdateRollbackFailed" => State::Ready,
        status => State::Busy(status.into()),
    }
}

/// The state of an endpoint in a VPC; none of one that is gone.
fn standing(endpoint: &VpcEndpoint) -> Option<State> {
    match endpoint.state() {
        Some(EndpointState::Deleted) => None,
        Some(EndpointState::Deleting) => Some(State::Busy("deleting".into())),
        _ => Some(State::Ready),
    }
}

/// Models with a role of the stack, configurations of such models, endpoints with such a configuration.
async fn sagemaker(look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
    let aws = look.aws;
    let prefix = aws.place.role_arn_prefix();
    let mut found = Vec::new();
    let pages = aws.sagemaker.list_models().max_results(100).into_paginator().items().send();
    let listed = pages.collect::<Result<Vec<_>, _>>().await.during("ListModels")?;
    let names = listed.into_iter().filter_map(|model| model.model_name);
    let names: Vec<String> = names.filter(|name| !is_hashed(&aws.place, name)).take(DESCRIBED_MAX).collect();
    let mut models = BTreeSet::new();
    let described = stream::iter(names.into_iter().map(|name| async move {
        let answer = aws.sagemaker.describe_model().model_name(&name).send().await;
        Ok::<_, Failure>((name, absent_ok(answer.during("DescribeModel"))?))
    }));
    let described: Vec<_> = described.buffered(AT_ONCE).try_collect().await?;
    for (name, model) in described {
        let role = model.as_ref().and_then(|model| model.execution_role_arn()).unwrap_or_default();
        if role.starts_with(&prefix) {
            models.insert(name);
        }
    }
    let configs = configs(aws, &models).await?;
    let endpoints = endpoints(aws, &configs).await?;
    for name in &models {
        found.push(seen(What::Model, name, "its role belongs to the stack", State::Ready));
    }
    for (name, of) in &configs {
        let of: Vec<&str> = of.iter().map(String::as_str).collect();
        found.push(seen(
            What::EndpointConfig,
            name,
            format!("it belongs to the model {}", of.join(", ")),
            State::Ready,
        ));
    }
    for (name, (config, status)) in &endpoints {
        // Those that the spec names are known as endpoints.
        if aws.scope.endpoints.contains(name) || aws.scope.notebook_endpoints.contains(name) {
            continue;
        }
        found.push(seen(What::Endpoint, name, format!("it serves {config}"), serving(status)));
    }
    Ok(found)
}

/// The configurations of these models, with those of them that each has.
async fn configs(
    aws: &Aws,
    models: &BTreeSet<String>,
) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
    if models.is_empty() {
        return Ok(BTreeMap::new());
    }
    let pages = aws.sagemaker.list_endpoint_configs().max_results(100).into_paginator().items().send();
    let listed = pages.collect::<Result<Vec<_>, _>>().await.during("ListEndpointConfigs")?;
    let names = listed.into_iter().filter_map(|config| config.endpoint_config_name);
    let names: Vec<String> = names.filter(|name| !is_hashed(&aws.place, name)).take(DESCRIBED_MAX).collect();
    let described = stream::iter(names.into_iter().map(|name| async move {
        let answer = aws.sagemaker.describe_endpoint_config().endpoint_config_name(&name).send().await;
        let config = absent_ok(answer.during("DescribeEndpointConfig"))?;
        let of = config.iter().flat_map(|config| config.production_variants());
        let of: BTreeSet<String> = of.filter_map(|variant| variant.model_name().map(String::from)).collect();
        Ok::<_, Failure>((name, of.intersection(models).cloned().collect::<BTreeSet<_>>()))
    }));
    let described: Vec<(String, BTreeSet<String>)> = described.buffered(AT_ONCE).try_collect().await?;
    Ok(described.into_iter().filter(|(_, of)| !of.is_empty()).collect())
}

/// The endpoints that serve one of these, with which and in what state.
async fn endpoints(
    aws: &Aws,
    configs: &BTreeMap<String, BTreeSet<String>>,
) -> Result<BTreeMap<String, (String, String)>, Failure> {
    if configs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let pages = aws.sagemaker.list_endpoints().max_results(100).into_paginator().items().send();
    let listed = pages.collect::<Result<Vec<_>, _>>().await.during("ListEndpoints")?;
    let names = listed.into_iter().filter_map(|endpoint| endpoint.endpoint_name).take(DESCRIBED_MAX);
    let described = stream::iter(names.map(|name| async move {
        let answer = aws.sagemaker.describe_endpoint().endpoint_name(&name).send().await;
        let found = absent_ok(answer.during("DescribeEndpoint"))?;
        let config = found.as_ref().and_then(|found| found.endpoint_config_name()).map(String::from);
        let status = found.and_then(|found| found.endpoint_status);
        let status = status.map(|status| status.as_str().to_string()).unwrap_or_default();
        Ok::<_, Failure>((name, config.unwrap_or_default(), status))
    }));
    let described: Vec<(String, String, String)> = described.buffered(AT_ONCE).try_collect().await?;
    let ours = described.into_iter().filter(|(_, config, _)| configs.contains_key(config));
    Ok(ours.map(|(name, config, status)| (name, (config, status))).collect())
}

/// The log groups of the stack's endpoints and of its own cluster. Those that SageMaker shares among all notebooks and
/// jobs are nobody's to delete.
async fn log_groups(look: Look<'_>, swept: BTreeSet<String>) -> Result<Vec<Seen<Props>>, Failure> {
    let aws = look.aws;
    let mut endpoints = swept;
    endpoints.extend(aws.scope.endpoints.iter().chain(&aws.scope.notebook_endpoints).cloned());
    endpoints.extend(of_configs(look).await?);
    let mut found = Vec::new();
    for endpoint in endpoints {
        let group = format!("{ENDPOINT_GROUPS}{endpoint}");
        if groups(aws, &group).await?.contains(&group) {
            let why = format!("it belongs to the endpoint {endpoint}");
            found.push(seen(What::LogGroup, &group, why, State::Ready));
        }
    }
    if aws.scope.existing_cluster.is_none() {
        let cluster = aws.place.cluster();
        for group in groups(aws, &format!("/aws/rds/cluster/{cluster}/")).await? {
            let why = format!("it belongs to the cluster {cluster}");
            found.push(seen(What::LogGroup, &group, why, State::Ready));
        }
    }
    Ok(found)
}

async fn groups(aws: &Aws, prefix: &str) -> Result<Vec<String>, Failure> {
    let mut pages = aws.logs.describe_log_groups().log_group_name_prefix(prefix).into_paginator().send();
    let mut all = Vec::new();
    for _ in 0..PAGES_MAX {
        let Some(page) = pages.next().await else { break };
        let page = page.during("DescribeLogGroups")?;
        all.extend(page.log_groups().iter().filter_map(|group| group.log_group_name().map(String::from)));
    }
    Ok(all)
}

/// What GuardDuty put into the stack's own VPC, and takes back when it likes (fact book, section 5.5): it keeps subnets
/// and VPC from going. Both must say that they are GuardDuty's: by tag, and by service or name.
async fn guardduty(look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
    let aws = look.aws;
    let Some(vpc) = territory(look).await?.own.clone() else { return Ok(Vec::new()) };
    let tagged = filter("tag:GuardDutyManaged", "true");
    let request = aws.ec2.describe_vpc_endpoints().filters(tagged.clone()).filters(filter("vpc-id", &vpc));
    let endpoints = request.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let request = aws.ec2.describe_security_groups().filters(tagged).filters(filter("vpc-id", &vpc));
    let groups = request.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let mut found = Vec::new();
    for endpoint in endpoints.during("DescribeVpcEndpoints")? {
        let service = endpoint.service_name().unwrap_or_default();
        if let (Some(id), true, Some(state)) =
            (endpoint.vpc_endpoint_id(), service.ends_with(".guardduty-data"), standing(&endpoint))
        {
            let why = format!("GuardDuty created it in {vpc}, which cannot be deleted before it");
            found.push(seen(What::GuardDutyEndpoint, id, why, state));
        }
    }
    for group in groups.during("DescribeSecurityGroups")? {
        let ours =
            group.group_name().is_some_and(|name| name == format!("GuardDutyManagedSecurityGroup-{vpc}"));
        if let (Some(id), true) = (group.group_id(), ours) {
            let why = format!("GuardDuty created it in {vpc}, which cannot be deleted before it");
            found.push(seen(What::GuardDutyGroup, id, why, State::Ready));
        }
    }
    Ok(found)
}
