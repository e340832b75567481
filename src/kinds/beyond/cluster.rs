//! Settings of the stack's own cluster and of its members, and what others added to it: all of it stands in the listings
//! that a plan is made from.

use super::{Add, Part};
use crate::aws::Look;
use crate::kinds::rds;
use auroraml_core::base::names::Place;
use auroraml_core::base::{Id, Observed};
use auroraml_core::drift::{Beyond, Foreign, Severity};
use auroraml_core::kinds::cluster_role::mark;
use aws_sdk_rds::types::{DbCluster, DbInstance};
use serde_json::Value;

pub(super) async fn gather(look: Look<'_>, observed: &Observed) -> Vec<Part> {
    let id = Id::new("cluster", "main");
    // Of a cluster that others own, what else is on it is their business.
    if !observed.get(&id).is_some_and(|live| live.owned) {
        return Vec::new();
    }
    let (cluster, instances) = tokio::join!(rds::cluster(look), rds::instances(look));
    let cluster = cluster.map(|cluster| {
        cluster.as_ref().as_ref().map(|cluster| settings(&id, cluster, &look.aws.place)).unwrap_or_default()
    });
    let members = instances.map(|instances| {
        let mut beyond = Beyond::default();
        for instance in instances.iter() {
            member(&mut beyond, &id, instance, observed);
        }
        beyond
    });
    vec![Part::new("the cluster", cluster), Part::new("members of the cluster", members)]
}

fn settings(id: &Id, cluster: &DbCluster, place: &Place) -> Beyond {
    let mut beyond = Beyond::default();
    // What AWS does not tell is not known.
    let flags = [
        ("storage_encrypted", cluster.storage_encrypted()),
        ("copy_tags_to_snapshot", cluster.copy_tags_to_snapshot()),
        ("iam_authentication", cluster.iam_database_authentication_enabled()),
    ];
    for (path, flag) in flags {
        if let Some(flag) = flag {
            beyond.set(id, path, flag);
        }
    }
    if let Some(support) = cluster.engine_lifecycle_support() {
        beyond.set(id, "extended_support", support);
    }
    let mut exports = cluster.enabled_cloudwatch_logs_exports().to_vec();
    exports.sort();
    beyond.set(id, "log_exports", exports);
    let roles = cluster.associated_roles().iter().filter_map(|role| role.role_arn());
    let prefix = place.role_arn_prefix();
    let tags = rds::tags_of(cluster.tag_list());
    let foreign = |arn: &&str| {
        let is_named = place.names.roles.values().any(|used| used == arn);
        !arn.starts_with(&prefix) && !is_named && !tags.contains_key(&mark(arn))
    };
    beyond.foreign.extend(roles.filter(foreign).map(|arn| Foreign {
        on: id.clone(),
        what: format!("role {arn}"),
        severity: Severity::Security,
        why: "it is associated with the cluster, so SQL can use its permissions".into(),
    }));
    beyond
}

fn member(beyond: &mut Beyond, cluster: &Id, instance: &DbInstance, observed: &Observed) {
    let Some(identifier) = instance.db_instance_identifier() else { return };
    let ours =
        observed.values().find(|live| live.id.kind == "instance" && live.output("id") == Some(identifier));
    let Some(live) = ours else {
        beyond.foreign.push(Foreign {
            on: cluster.clone(),
            what: format!("member {identifier}"),
            severity: Severity::Cost,
            why: format!(
                "a {} that others added to the cluster",
                instance.db_instance_class().unwrap_or("member")
            ),
        });
        return;
    };
    let id = &live.id;
    if let Some(public) = instance.publicly_accessible() {
        beyond.set(id, "publicly_accessible", public);
    }
    if let Some(insights) = instance.performance_insights_enabled() {
        beyond.set(id, "performance_insights", insights);
    }
    beyond.set(id, "monitoring_interval", instance.monitoring_interval().unwrap_or_default());
    let groups = instance.db_parameter_groups().iter().filter_map(|group| group.db_parameter_group_name());
    let own = groups.filter(|group| !group.starts_with("default.")).map(Value::from).next();
    beyond.set(id, "own_parameter_group", own.unwrap_or(Value::Null));
}
