//! IAM roles associated with a cluster (fact book, section 1.8).

use super::context::Context;
use super::refusals::{cluster_state, invalid, no_cluster};
use super::state::{Effect, Role};
use crate::wire::{Fault, Reply, Xml};

/// Roles per cluster: quota L-E094F43D (fact book, section 1.8).
const ROLES_MAX: usize = 5;

/// The request's cluster, role ARN and feature name; the cluster must be available.
fn asked(c: &Context<'_>) -> Result<(String, String, String), Fault> {
    let id = c.required_name("DBClusterIdentifier")?;
    let arn = c.params().required("RoleArn")?.to_string();
    let feature = c.params().get("FeatureName").unwrap_or_default().trim().to_string();
    let cluster = c.rds.clusters.get(&id).ok_or_else(|| no_cluster(&id))?;
    let status = cluster.timeline.status(c.now);
    if status != "available" {
        return Err(cluster_state(format!("DB cluster {id} is not in a valid state: it is {status}.")));
    }
    Ok((id, arn, feature))
}

pub(super) fn add(c: &mut Context<'_>) -> Reply {
    let now = c.now;
    let (id, arn, feature) = asked(c)?;
    if !feature.is_empty() {
        return Err(invalid(format!("The feature-name {feature} isn't valid for the engine aurora-mysql.")));
    }
    let roles = c.rds.clusters.get(&id).map(|cluster| cluster.roles.as_slice()).unwrap_or_default();
    if roles.iter().any(|role| role.arn == arn && role.feature == feature) {
        return Err(Fault::bad(
            "DBClusterRoleAlreadyExists",
            format!(
                "Role ARN {arn} already exists for DB cluster: {id}. Verify your role ARN and try again."
            ),
        ));
    }
    if roles.len() >= ROLES_MAX {
        return Err(Fault::bad(
            "DBClusterRoleQuotaExceeded",
            format!("The number of IAM roles of DB cluster {id} has reached its quota of {ROLES_MAX}."),
        ));
    }
    let is_role = arn.starts_with("arn:aws:iam::") && arn.contains(":role/");
    if !is_role || !c.rds.lenient && !c.iam.assumable(&arn, "rds.amazonaws.com", now) {
        return Err(invalid(
            "IAM role ARN value is invalid or does not include the required permissions for: RDS",
        ));
    }
    let active_at = now + c.random.duration(10.0, 30.0, 90.0);
    let Some(cluster) = c.rds.clusters.get_mut(&id) else { return Err(no_cluster(&id)) };
    cluster.roles.push(Role { arn: arn.clone(), feature, active_at, invalid: false, gone_at: None });
    let resource = cluster.resource.clone();
    c.at(active_at, &resource, Effect::RoleTried(arn));
    Ok(Xml::new().into())
}

pub(super) fn remove(c: &mut Context<'_>) -> Reply {
    let (id, arn, feature) = asked(c)?;
    let gone = c.now + c.random.duration(3.0, 10.0, 40.0);
    let Some(cluster) = c.rds.clusters.get_mut(&id) else { return Err(no_cluster(&id)) };
    let role = cluster.roles.iter_mut().find(|role| role.arn == arn && role.feature == feature);
    match role {
        Some(role) if role.gone_at.is_none() => {
            role.gone_at = Some(gone);
            Ok(Xml::new().into())
        }
        _ => Err(Fault::new(
            404,
            "DBClusterRoleNotFound",
            format!(
                "Role ARN {arn} cannot be found for DB cluster: {id}. Verify your role ARN and try again."
            ),
        )),
    }
}

/// What Describe says of an association.
pub(super) fn status(c: &Context<'_>, role: &Role) -> &'static str {
    let exists = c.rds.lenient || c.iam.role_exists(&role.arn);
    if role.gone_at.is_some() || c.now < role.active_at {
        "PENDING"
    } else if role.invalid || !exists {
        "INVALID"
    } else {
        "ACTIVE"
    }
}
