//! What the model must know of a live cluster and of its parameter group, beside the resources of the stack.

use super::super::kind::absent_ok;
use super::{cluster, instances, other_users, parameters};
use crate::aws::{Aws, During, Failure, Look};
use auroraml_core::model::facts::Reached;
use aws_sdk_rds::types::{DbCluster, DbInstance};
use std::collections::BTreeMap;

/// What the model must know of the live cluster, the stack's own or an existing one.
pub struct ClusterFacts {
    /// `aurora-mysql`
    pub engine: String,
    pub engine_version: String,
    pub status: String,
    pub parameter_group: String,
    /// ARNs of all associated roles.
    pub roles: Vec<String>,
    /// Identifier of the global database that the cluster is a member of.
    pub global_cluster: Option<String>,
    /// Name of the CloudFormation stack that made the cluster.
    pub cloudformation_stack: Option<String>,
    pub reached: Reached,
}

/// # Errors
/// Those of the describe; a missing cluster is `None`.
pub async fn cluster_facts(look: Look<'_>) -> Result<Option<ClusterFacts>, Failure> {
    let found = cluster(look).await?;
    Ok(found.as_ref().as_ref().map(|cluster| ClusterFacts {
        reached: reached(cluster),
        engine: cluster.engine().unwrap_or_default().into(),
        engine_version: cluster.engine_version().unwrap_or_default().into(),
        status: cluster.status().unwrap_or_default().into(),
        parameter_group: cluster.db_cluster_parameter_group().unwrap_or_default().into(),
        global_cluster: cluster.global_cluster_identifier().filter(|id| !id.is_empty()).map(String::from),
        cloudformation_stack: cluster
            .tag_list()
            .iter()
            .find(|tag| tag.key() == Some("aws:cloudformation:stack-name"))
            .and_then(|tag| tag.value().map(String::from)),
        roles: cluster.associated_roles().iter().filter_map(|r| r.role_arn().map(String::from)).collect(),
    }))
}

/// How clients reach it, as the same answer tells.
fn reached(cluster: &DbCluster) -> Reached {
    let text = |value: Option<&str>| value.unwrap_or_default().to_string();
    let groups = cluster.vpc_security_groups().iter().filter_map(|group| group.vpc_security_group_id());
    Reached {
        arn: text(cluster.db_cluster_arn()),
        host: text(cluster.endpoint()),
        reader_host: text(cluster.reader_endpoint()),
        port: cluster.port().unwrap_or_default(),
        user: text(cluster.master_username()),
        database: cluster.database_name().map(String::from),
        secret: cluster.master_user_secret().and_then(|secret| secret.secret_arn()).map(String::from),
        data_api: cluster.http_endpoint_enabled().unwrap_or_default(),
        security_groups: groups.map(String::from).collect(),
        private: None,
    }
}

/// Whether none of the cluster's members has a public address: it is the members who have one (RDS API reference,
/// DBInstance, PubliclyAccessible). `None` without members.
///
/// # Errors
/// Those of the describe.
pub async fn is_private(look: Look<'_>) -> Result<Option<bool>, Failure> {
    let members = instances(look).await?;
    let public = |member: &DbInstance| member.publicly_accessible() == Some(true);
    Ok((!members.is_empty()).then(|| !members.iter().any(public)))
}

/// What the model must know of the custom parameter group that others made for the existing cluster.
pub struct GroupFacts {
    /// Roles that are set, by parameter.
    pub roles: BTreeMap<String, String>,
    /// `static` or `dynamic`, by parameter.
    pub apply_types: BTreeMap<String, String>,
    /// The other clusters that use the group, sorted.
    pub other_users: Vec<String>,
}

/// # Errors
/// Those of the describes; a default group and the stack's own are `None`, and nothing is asked of them.
pub async fn group_facts(look: Look<'_>) -> Result<Option<GroupFacts>, Failure> {
    let found = parameters::attached(look).await?;
    let Some(attached) = found.as_ref() else { return Ok(None) };
    Ok(Some(GroupFacts {
        roles: attached.roles(),
        apply_types: parameters::apply_types(&attached.parameters),
        other_users: other_users(look, &attached.group).await?,
    }))
}

/// Whether there is a DB cluster parameter group of this name.
///
/// # Errors
/// Those of the describe.
pub async fn group_exists(aws: &Aws, group: &str) -> Result<bool, Failure> {
    let request = aws.rds.describe_db_cluster_parameter_groups().db_cluster_parameter_group_name(group);
    Ok(absent_ok(request.send().await.during("DescribeDBClusterParameterGroups"))?.is_some())
}
