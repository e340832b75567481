//! Parameters of DB cluster parameter groups, for the kinds that set them (fact book, section 1.2).

use super::cluster;
use crate::aws::{Aws, During, Failure, Look};
use auroraml_core::base::Input;
use aws_sdk_rds::types::{ApplyMethod, Filter, Parameter};
use std::collections::BTreeMap;

/// Parameters in one Modify or Reset call (fact book, section 1.2).
const PER_CALL: usize = 20;

/// The custom parameter group that others made for the existing cluster, and its role parameters.
pub(in crate::kinds) struct Attached {
    pub group: String,
    pub parameters: Vec<Parameter>,
}

impl Attached {
    /// The roles that are set, by parameter. An empty value is none (fact book, section 1.3).
    pub fn roles(&self) -> BTreeMap<String, String> {
        let mut roles = values(&self.parameters);
        roles.retain(|_, role| !role.is_empty());
        roles
    }
}

/// `None` where there is no existing cluster, or where it uses a default group or the stack's own.
pub(in crate::kinds) async fn attached(look: Look<'_>) -> Result<std::sync::Arc<Option<Attached>>, Failure> {
    look.shared("DescribeDBClusterParameters of the attached group", async {
        let aws = look.aws;
        if aws.scope.existing_cluster.is_none() {
            return Ok(None);
        }
        let found = cluster(look).await?;
        let group = found.as_ref().as_ref().and_then(|cluster| cluster.db_cluster_parameter_group());
        let Some(group) = group.filter(|group| !is_default(group) && *group != aws.place.parameter_group())
        else {
            return Ok(None);
        };
        // A name that a family lacks is not listed.
        let names: Vec<String> = aws.scope.engine.role_parameters().into_iter().map(String::from).collect();
        Ok(Some(Attached { group: group.into(), parameters: named(aws, group, &names).await? }))
    })
    .await
}

/// AWS's own groups, which nobody can change or copy.
pub(in crate::kinds) fn is_default(group: &str) -> bool {
    group.starts_with("default.")
}

/// The parameters that AWS lists as set by a user: not all that are (fact book, section 1.2).
pub(in crate::kinds) async fn set_by_user(aws: &Aws, group: &str) -> Result<Vec<Parameter>, Failure> {
    aws.rds
        .describe_db_cluster_parameters()
        .db_cluster_parameter_group_name(group)
        .source("user")
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .during("DescribeDBClusterParameters")
}

/// The parameters with these names, set or not; asks nothing for no names.
pub(in crate::kinds) async fn named(
    aws: &Aws,
    group: &str,
    names: &[String],
) -> Result<Vec<Parameter>, Failure> {
    let mut found = Vec::new();
    // A filter takes 100 values.
    for chunk in names.chunks(100) {
        let filter = Filter::builder().name("parameter-name").set_values(Some(chunk.to_vec())).build();
        found.extend(
            aws.rds
                .describe_db_cluster_parameters()
                .db_cluster_parameter_group_name(group)
                .filters(filter)
                .into_paginator()
                .items()
                .send()
                .collect::<Result<Vec<_>, _>>()
                .await
                .during("DescribeDBClusterParameters")?,
        );
    }
    Ok(found)
}

/// Values by name, of those that have one.
pub(in crate::kinds) fn values(parameters: &[Parameter]) -> BTreeMap<String, String> {
    parameters
        .iter()
        .filter_map(|p| Some((p.parameter_name()?.to_string(), p.parameter_value()?.trim().to_string())))
        .collect()
}

/// `static` or `dynamic` by name, as AWS says: it differs by version and is not to be guessed.
pub(in crate::kinds) fn apply_types(parameters: &[Parameter]) -> BTreeMap<String, String> {
    parameters
        .iter()
        .filter_map(|p| Some((p.parameter_name()?.to_string(), p.apply_type()?.to_string())))
        .collect()
}

/// `immediate` is refused for a static parameter (fact book, trap 10).
fn method(apply_types: &BTreeMap<String, String>, name: &str) -> ApplyMethod {
    match apply_types.get(name).map(String::as_str) {
        Some("dynamic") => ApplyMethod::Immediate,
        _ => ApplyMethod::PendingReboot,
    }
}

/// Sets parameters, at most twenty in a call; sorted by name, so that those which depend on each other
/// (`character_set_…`, `collation_…`) travel together whenever they fit.
pub(in crate::kinds) async fn set(
    aws: &Aws,
    group: &str,
    parameters: &BTreeMap<String, Input>,
    apply_types: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let entries: Vec<Parameter> = parameters
        .iter()
        .map(|(name, value)| {
            Parameter::builder()
                .parameter_name(name)
                .parameter_value(value.get())
                .apply_method(method(apply_types, name))
                .build()
        })
        .collect();
    for chunk in entries.chunks(PER_CALL) {
        aws.rds
            .modify_db_cluster_parameter_group()
            .db_cluster_parameter_group_name(group)
            .set_parameters(Some(chunk.to_vec()))
            .send()
            .await
            .during("ModifyDBClusterParameterGroup")?;
    }
    Ok(())
}

/// Takes the values of these parameters away, at most twenty in a call.
pub(in crate::kinds) async fn reset(
    aws: &Aws,
    group: &str,
    names: &[String],
    apply_types: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    for chunk in names.chunks(PER_CALL) {
        let entry = |name: &String| {
            Parameter::builder().parameter_name(name).apply_method(method(apply_types, name)).build()
        };
        aws.rds
            .reset_db_cluster_parameter_group()
            .db_cluster_parameter_group_name(group)
            .set_parameters(Some(chunk.iter().map(entry).collect()))
            .send()
            .await
            .during("ResetDBClusterParameterGroup")?;
    }
    Ok(())
}
