//! Asks AWS about the cluster and its wiring. Independent questions go out together.

use super::answers::{said, text};
use super::{database, endpoints, network};
use crate::aws::{Aws, During, Failure};
use crate::kinds::absent_ok;
use crate::stack::Stack;
use auroraml_core::model;
use auroraml_core::spec::{Spec, Strategy};
use auroraml_core::verify::facts::{Association, Cluster, Facts, Instance, Member, Parameter, Role};
use aws_sdk_rds::types::{DbCluster, Filter};
use futures_util::future::join_all;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that `verify` judges; nothing when there is no such cluster.
///
/// # Errors
/// When the cluster itself cannot be described.
pub(super) async fn gather(stack: &Stack, deep: bool) -> Result<Option<Facts>, Failure> {
    let (aws, spec): (&Aws, &Spec) = (&stack.aws, &stack.spec);
    let names: BTreeSet<&String> = spec
        .endpoints
        .keys()
        .chain(spec.machine_learning.sagemaker.iter().flat_map(|access| &access.endpoints))
        .collect();
    let (cluster, instances, all, endpoints) =
        tokio::join!(cluster(aws), instances(aws), clusters(aws), endpoints::endpoints(aws, names));
    let Some(cluster) = cluster? else { return Ok(None) };
    let abilities = model::abilities(spec, &aws.place);
    let wiring = async {
        let parameters = said(parameters(aws, &cluster.parameter_group).await);
        let named = parameters.iter().flat_map(|found| {
            let wanted = abilities.iter().filter_map(|ability| found.get(ability.wiring.parameter()?));
            wanted.map(|parameter| parameter.value.clone()).filter(|value| value.contains(":role/"))
        });
        let named: BTreeSet<String> = named.collect();
        let roles = join_all(named.into_iter().map(async |arn| {
            let role = said(role(aws, &arn).await);
            (arn, role)
        }));
        let roles = roles.await.into_iter().collect();
        (parameters, roles)
    };
    let asked = async {
        match deep {
            true => Some(database::ask(aws, spec, &cluster).await),
            false => None,
        }
    };
    let ((parameters, roles), network, database) =
        tokio::join!(wiring, network::network(aws, &cluster.subnet_group), asked);
    let sharing = said(all).map(|all| {
        let others =
            all.into_iter().filter(|(id, group)| *id != cluster.id && *group == cluster.parameter_group);
        others.map(|(id, _)| id).collect()
    });
    Ok(Some(Facts {
        place: aws.place.clone(),
        existing: aws.scope.existing_cluster.is_some(),
        strategy: strategy(spec),
        abilities,
        instances: said(instances),
        sharing,
        parameters,
        roles,
        endpoints,
        network: said(network),
        database,
        cluster,
    }))
}

/// What the wiring leads to, whether it is made or not: the endpoints that others make, and the network of a cluster
/// that others own. Nothing else is asked.
///
/// # Errors
/// When the cluster itself cannot be described.
pub(super) async fn surroundings(stack: &Stack) -> Result<Facts, Failure> {
    let (aws, spec): (&Aws, &Spec) = (&stack.aws, &stack.spec);
    let existing = aws.scope.existing_cluster.is_some();
    let others = |name: &&String| !aws.scope.endpoints.contains(name);
    let named = spec.machine_learning.sagemaker.iter().flat_map(|access| &access.endpoints);
    let endpoints = endpoints::endpoints(aws, named.filter(others).collect());
    let network = async {
        if !existing {
            return Ok(None);
        }
        let (cluster, instances) = tokio::join!(cluster(aws), instances(aws));
        let Some(cluster) = cluster? else { return Ok(None) };
        let network = said(network::network(aws, &cluster.subnet_group).await);
        Ok::<_, Failure>(Some((cluster, instances, network)))
    };
    let (endpoints, network) = tokio::join!(endpoints, network);
    let not_asked = || "not checked".to_string();
    let (cluster, instances, network) =
        network?.unwrap_or_else(|| (Cluster::default(), Ok(Vec::new()), Err(not_asked())));
    Ok(Facts {
        place: aws.place.clone(),
        existing,
        strategy: strategy(spec),
        abilities: model::abilities(spec, &aws.place),
        instances: said(instances),
        sharing: Err(not_asked()),
        parameters: Err(not_asked()),
        roles: BTreeMap::new(),
        endpoints,
        network,
        database: None,
        cluster,
    })
}

fn strategy(spec: &Spec) -> Strategy {
    spec.restart().map(|restart| restart.strategy).unwrap_or_default()
}

async fn cluster(aws: &Aws) -> Result<Option<Cluster>, Failure> {
    let request = aws.rds.describe_db_clusters().db_cluster_identifier(aws.cluster());
    let found = absent_ok(request.send().await.during("DescribeDBClusters"))?;
    Ok(found.and_then(|found| found.db_clusters().first().map(plain)))
}

fn plain(cluster: &DbCluster) -> Cluster {
    Cluster {
        id: text(cluster.db_cluster_identifier()),
        arn: text(cluster.db_cluster_arn()),
        engine: text(cluster.engine()),
        version: text(cluster.engine_version()),
        status: text(cluster.status()),
        parameter_group: text(cluster.db_cluster_parameter_group()),
        subnet_group: text(cluster.db_subnet_group()),
        security_groups: cluster
            .vpc_security_groups()
            .iter()
            .filter_map(|group| group.vpc_security_group_id().map(String::from))
            .collect(),
        associations: cluster
            .associated_roles()
            .iter()
            .map(|role| Association {
                role: text(role.role_arn()),
                feature: text(role.feature_name()),
                status: text(role.status()),
            })
            .collect(),
        members: cluster
            .db_cluster_members()
            .iter()
            .map(|member| Member {
                name: text(member.db_instance_identifier()),
                writer: member.is_cluster_writer() == Some(true),
                parameter_status: text(member.db_cluster_parameter_group_status()),
            })
            .collect(),
        data_api: cluster.http_endpoint_enabled() == Some(true),
        secret: cluster.master_user_secret().and_then(|secret| secret.secret_arn()).map(String::from),
    }
}

/// All clusters of the region with their parameter groups. RDS has no filter by parameter group.
async fn clusters(aws: &Aws) -> Result<Vec<(String, String)>, Failure> {
    let pages = aws.rds.describe_db_clusters().into_paginator().items().send();
    let all = pages.collect::<Result<Vec<_>, _>>().await.during("DescribeDBClusters")?;
    let plain = all
        .iter()
        .map(|cluster| (text(cluster.db_cluster_identifier()), text(cluster.db_cluster_parameter_group())));
    Ok(plain.collect())
}

async fn instances(aws: &Aws) -> Result<Vec<Instance>, Failure> {
    let filter = Filter::builder().name("db-cluster-id").values(aws.cluster()).build();
    let pages = aws.rds.describe_db_instances().filters(filter).into_paginator().items().send();
    // A filter for a cluster that does not exist is answered with its absence, not with an empty list.
    let found = absent_ok(pages.collect::<Result<Vec<_>, _>>().await.during("DescribeDBInstances"))?;
    let plain = found.iter().flatten().map(|instance| Instance {
        name: text(instance.db_instance_identifier()),
        status: text(instance.db_instance_status()),
        publicly_accessible: instance.publicly_accessible() == Some(true),
        parameter_groups: instance
            .db_parameter_groups()
            .iter()
            .map(|group| (text(group.db_parameter_group_name()), text(group.parameter_apply_status())))
            .collect(),
    });
    Ok(plain.collect())
}

async fn parameters(aws: &Aws, group: &str) -> Result<BTreeMap<String, Parameter>, Failure> {
    let names = aws.scope.engine.role_parameters().into_iter().map(String::from).collect();
    let filter = Filter::builder().name("parameter-name").set_values(Some(names)).build();
    let request = aws.rds.describe_db_cluster_parameters().db_cluster_parameter_group_name(group);
    let pages = request.filters(filter).into_paginator().items().send();
    let found = pages.collect::<Result<Vec<_>, _>>().await.during("DescribeDBClusterParameters")?;
    let named = found.iter().map(|parameter| {
        let value = text(parameter.parameter_value()).trim().to_string();
        let parameter_of = Parameter { value, apply_type: text(parameter.apply_type()) };
        (text(parameter.parameter_name()), parameter_of)
    });
    Ok(named.collect())
}

async fn role(aws: &Aws, arn: &str) -> Result<Option<Role>, Failure> {
    // IAM is asked by name, which is unique whatever the path is.
    let name = arn.rsplit('/').next().unwrap_or(arn);
    let get = async { aws.iam.get_role().role_name(name).send().await.during("GetRole") };
    let (found, inline, attached) = tokio::join!(get, inline(aws, name), attached(aws, name));
    let Some(found) = absent_ok(found)?.and_then(|found| found.role) else { return Ok(None) };
    if found.arn() != arn {
        // Another role of that name under another path: to RDS it is not the one that the parameter means.
        return Ok(None);
    }
    let policies = inline.and_then(|mut all| {
        all.extend(attached?);
        Ok(all)
    });
    Ok(Some(Role {
        name: name.to_string(),
        trust: document(found.assume_role_policy_document().unwrap_or_default()),
        policies: said(policies),
        boundary: found
            .permissions_boundary()
            .and_then(|boundary| boundary.permissions_boundary_arn())
            .map(String::from),
    }))
}

async fn inline(aws: &Aws, role: &str) -> Result<Vec<(String, Value)>, Failure> {
    let names = aws.iam.list_role_policies().role_name(role).into_paginator().items().send();
    let names = names.collect::<Result<Vec<_>, _>>().await.during("ListRolePolicies")?;
    let all = names.into_iter().map(async |name| {
        let request = aws.iam.get_role_policy().role_name(role).policy_name(&name);
        let found = request.send().await.during("GetRolePolicy")?;
        Ok((name, document(found.policy_document())))
    });
    join_all(all).await.into_iter().collect()
}

async fn attached(aws: &Aws, role: &str) -> Result<Vec<(String, Value)>, Failure> {
    let listed = aws.iam.list_attached_role_policies().role_name(role).into_paginator().items().send();
    let listed = listed.collect::<Result<Vec<_>, _>>().await.during("ListAttachedRolePolicies")?;
    let all = listed.into_iter().map(async |policy| {
        let arn = policy.policy_arn().unwrap_or_default();
        let found = aws.iam.get_policy().policy_arn(arn).send().await.during("GetPolicy")?;
        let version = found.policy().and_then(|policy| policy.default_version_id()).unwrap_or_default();
        let request = aws.iam.get_policy_version().policy_arn(arn).version_id(version);
        let found = request.send().await.during("GetPolicyVersion")?;
        let written = found.policy_version().and_then(|version| version.document()).unwrap_or_default();
        Ok((text(policy.policy_name()), document(written)))
    });
    join_all(all).await.into_iter().collect()
}

/// A policy document as IAM returns it: percent-encoded. One that is no JSON allows nothing.
fn document(encoded: &str) -> Value {
    let text = percent_encoding::percent_decode_str(encoded).decode_utf8_lossy();
    serde_json::from_str(&text).unwrap_or(Value::Null)
}
