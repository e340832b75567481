//! What the RDS kinds share: one describe per cluster, statuses, tags.

mod facts;
pub(super) mod parameters;

pub use facts::{ClusterFacts, GroupFacts, cluster_facts, group_exists, group_facts, is_private};

use super::kind::absent_ok;
use crate::aws::{Aws, Class, During, Failure, Inside, Look, tag_changes, tag_map};
use auroraml_core::base::State;
use auroraml_core::members::restart::needs_person;
use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types::{DbCluster, DbClusterParameterGroup, DbInstance, DbSubnetGroup, Tag};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The stack's cluster, or none.
pub(super) async fn cluster(look: Look<'_>) -> Result<Arc<Option<DbCluster>>, Failure> {
    look.shared("DescribeDBClusters", async {
        if let Some(all) = look.for_all("DescribeDBClusters", every_cluster(look.aws)).await? {
            let name = look.aws.cluster();
            return Ok(all.iter().find(|one| one.db_cluster_identifier() == Some(name.as_str())).cloned());
        }
        let answer =
            look.aws.rds.describe_db_clusters().db_cluster_identifier(look.aws.cluster()).send().await;
        let found = absent_ok(answer.during("DescribeDBClusters"))?;
        Ok(found.and_then(|found| found.db_clusters.unwrap_or_default().into_iter().next()))
    })
    .await
}

/// All clusters of the account in the region.
async fn every_cluster(aws: &Aws) -> Result<Vec<DbCluster>, Failure> {
    let pages = aws.rds.describe_db_clusters().into_paginator().items().send();
    pages.collect::<Result<Vec<_>, _>>().await.during("DescribeDBClusters")
}

/// Identifiers of the region's clusters of this engine, for whoever misspelt one. Whoever may not list them does without.
pub async fn clusters(look: Look<'_>) -> Vec<String> {
    let all = match look.for_all("DescribeDBClusters", every_cluster(look.aws)).await {
        Ok(Some(all)) => Ok(all),
        Ok(None) => every_cluster(look.aws).await.map(Arc::new),
        Err(failure) => Err(failure),
    };
    let all = all.unwrap_or_default();
    let ours = all.iter().filter(|cluster| cluster.engine() == Some(look.aws.scope.engine.name));
    ours.filter_map(|cluster| cluster.db_cluster_identifier().map(String::from)).collect()
}

/// Identifiers of the other clusters that use a parameter group, sorted: AWS has no filter for it.
pub(super) async fn other_users(look: Look<'_>, group: &str) -> Result<Vec<String>, Failure> {
    let aws = look.aws;
    let all = match look.for_all("DescribeDBClusters", every_cluster(aws)).await? {
        Some(all) => all,
        None => Arc::new(every_cluster(aws).await?),
    };
    let mut users: Vec<String> = all
        .iter()
        .filter(|cluster| cluster.db_cluster_parameter_group() == Some(group))
        .filter_map(|cluster| cluster.db_cluster_identifier().map(String::from))
        .filter(|identifier| *identifier != aws.cluster())
        .collect();
    users.sort();
    Ok(users)
}

/// The instances of the stack's cluster.
pub(super) async fn instances(look: Look<'_>) -> Result<Arc<Vec<DbInstance>>, Failure> {
    look.shared("DescribeDBInstances", async {
        let every = async {
            let items = look.aws.rds.describe_db_instances().into_paginator().items().send();
            items.collect::<Result<Vec<_>, _>>().await.during("DescribeDBInstances")
        };
        if let Some(all) = look.for_all("DescribeDBInstances", every).await? {
            let cluster = look.aws.cluster();
            let ours = |one: &&DbInstance| one.db_cluster_identifier() == Some(cluster.as_str());
            return Ok(all.iter().filter(ours).cloned().collect());
        }
        let filter =
            aws_sdk_rds::types::Filter::builder().name("db-cluster-id").values(look.aws.cluster()).build();
        let items = look.aws.rds.describe_db_instances().filters(filter).into_paginator().items().send();
        // A filter for a cluster that does not exist is answered with its absence, not with an empty list.
        let found = absent_ok(items.collect::<Result<Vec<_>, _>>().await.during("DescribeDBInstances"))?;
        Ok(found.unwrap_or_default())
    })
    .await
}

/// Statuses of clusters and instances by what they mean for us (fact book, section 1.5).
pub(super) fn state(status: &str) -> State {
    match status {
        // AWS enters backing-up and the like by itself; nothing of the stack waits for them, and a request
        // that is refused meanwhile is repeated.
        "available" | "backing-up" | "storage-optimization" | "storage-config-upgrade" => State::Ready,
        "stopped" => State::Failed(
            "it is stopped; start it (aws rds start-db-cluster --db-cluster-identifier …), then run again"
                .into(),
        ),
        status if needs_person(status) => {
            State::Failed(format!("AWS reports the status {status}, which you have to repair"))
        }
        other => State::Busy(other.into()),
    }
}

/// The stack's DB cluster parameter group.
pub(super) async fn parameter_group(look: Look<'_>) -> Result<Option<DbClusterParameterGroup>, Failure> {
    const OPERATION: &str = "DescribeDBClusterParameterGroups";
    let (aws, name) = (look.aws, look.aws.place.parameter_group());
    let every = async {
        let pages = aws.rds.describe_db_cluster_parameter_groups().into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.during(OPERATION)
    };
    if let Some(all) = look.for_all(OPERATION, every).await? {
        return Ok(all
            .iter()
            .find(|one| one.db_cluster_parameter_group_name() == Some(name.as_str()))
            .cloned());
    }
    let request = aws.rds.describe_db_cluster_parameter_groups().db_cluster_parameter_group_name(&name);
    let found = absent_ok(request.send().await.during(OPERATION))?;
    Ok(found.and_then(|found| found.db_cluster_parameter_groups?.into_iter().next()))
}

/// The stack's DB subnet group.
pub(super) async fn subnet_group(look: Look<'_>) -> Result<Option<DbSubnetGroup>, Failure> {
    const OPERATION: &str = "DescribeDBSubnetGroups";
    let (aws, name) = (look.aws, look.aws.place.subnet_group());
    let every = async {
        let pages = aws.rds.describe_db_subnet_groups().into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.during(OPERATION)
    };
    if let Some(all) = look.for_all(OPERATION, every).await? {
        return Ok(all.iter().find(|one| one.db_subnet_group_name() == Some(name.as_str())).cloned());
    }
    let request = aws.rds.describe_db_subnet_groups().db_subnet_group_name(&name);
    let found = absent_ok(request.send().await.during(OPERATION))?;
    Ok(found.and_then(|found| found.db_subnet_groups?.into_iter().next()))
}

/// As [`state`], of what is the stack's own: stopped is one of the ways it can be.
pub(super) fn rests(status: &str) -> State {
    match status {
        "stopped" => State::Ready,
        status => state(status),
    }
}

/// Starts a cluster because AWS deletes nothing of a stopped one (fact book, section 1.13). What was asked for is to be
/// tried again: that is the failure. Of several members that go at once each asks, and one is first.
pub(super) async fn start(aws: &Aws, cluster: &str, operation: &'static str) -> Failure {
    let answer = aws.rds.start_db_cluster().db_cluster_identifier(cluster).send().await;
    match answer.during("StartDBCluster") {
        Err(failure) if !failure.is(Class::Busy) => failure,
        _ => Failure::busy(operation, "starting the stopped cluster, so that it can be deleted"),
    }
}

pub fn tags_of(tags: &[Tag]) -> BTreeMap<String, String> {
    tag_map(tags.iter().map(|tag| (tag.key(), tag.value())))
}

pub(super) fn tags(tags: &BTreeMap<String, String>) -> Option<Vec<Tag>> {
    Some(tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect())
}

/// Tags of an object whose describe does not tell them.
pub async fn list_tags(aws: &Aws, arn: &str) -> Result<BTreeMap<String, String>, Failure> {
    let answer = aws.rds.list_tags_for_resource().resource_name(arn).send().await;
    Ok(tags_of(answer.during("ListTagsForResource")?.tag_list()))
}

/// Makes the tags of an object what they should be.
pub(super) async fn update_tags(
    aws: &Aws,
    arn: &str,
    want: &BTreeMap<String, String>,
    live: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let (set, remove) = tag_changes(want, live);
    if !set.is_empty() {
        let request = aws.rds.add_tags_to_resource().resource_name(arn).set_tags(tags(&set));
        request.send().await.during("AddTagsToResource")?;
    }
    if !remove.is_empty() {
        let request = aws.rds.remove_tags_from_resource().resource_name(arn).set_tag_keys(Some(remove));
        request.send().await.during("RemoveTagsFromResource")?;
    }
    Ok(())
}

/// Seconds after a failover during which DescribeDBClusters may still call the old writer the writer (fact book,
/// table 8.2: up to 40 s).
const ROLES_LATE_SECONDS: u64 = 60;

/// The latest failover that AWS reports of the cluster.
pub(super) struct Failover {
    /// Milliseconds since the Unix epoch.
    pub at: u64,
    /// The new writer, when it is completed.
    pub to: Option<String>,
}

/// What AWS reports of failovers lately, if anything. Whoever may not read events does without them.
pub(super) async fn latest_failover(aws: &Aws) -> Option<Failover> {
    let since = (aws.clock.now_ms() / 1000).saturating_sub(ROLES_LATE_SECONDS);
    let request = aws
        .rds
        .describe_events()
        .source_type(aws_sdk_rds::types::SourceType::DbCluster)
        .source_identifier(aws.cluster())
        .event_categories("failover")
        .start_time(DateTime::from_secs(i64::try_from(since).unwrap_or(i64::MAX)));
    let events = request.send().await.ok().and_then(|answer| answer.events).unwrap_or_default();
    let told = events.iter().filter_map(|event| {
        let at = u64::try_from(event.date()?.to_millis().ok()?).ok()?;
        Some(Failover { at, to: completed(event.message()?) })
    });
    told.max_by_key(|failover| (failover.at, failover.to.is_some()))
}

/// The new writer in the message of RDS-EVENT-0071 (Aurora User Guide, "Amazon RDS event categories and event
/// messages": `Completed failover to DB instance: name`).
fn completed(message: &str) -> Option<String> {
    let name = message.strip_prefix("Completed failover to DB instance:")?;
    Some(name.trim().trim_end_matches('.').to_ascii_lowercase())
}

/// Events that an error quotes at most.
const QUOTED_MAX: usize = 3;

/// What RDS reported about the stack's cluster and its members since then (milliseconds since the Unix epoch):
/// what goes wrong after a request was accepted is told nowhere else (fact book, section 1.6). Latest last.
pub(super) async fn reported(aws: &Aws, since: u64) -> Vec<String> {
    use aws_sdk_rds::types::SourceType;
    let start = DateTime::from_millis(i64::try_from(since).unwrap_or(i64::MAX));
    let look = Look { aws, as_of: since, only: None, inside: Inside::default() };
    let members = instances(look).await.unwrap_or_default();
    let is_member = |id: &str| members.iter().any(|member| member.db_instance_identifier() == Some(id));
    let of_cluster = aws
        .rds
        .describe_events()
        .source_type(SourceType::DbCluster)
        .source_identifier(aws.cluster())
        .start_time(start)
        .send();
    let of_members = aws.rds.describe_events().source_type(SourceType::DbInstance).start_time(start).send();
    // Whoever may not read events does without them.
    let (of_cluster, of_members) = tokio::join!(of_cluster, of_members);
    let of_cluster = of_cluster.ok().and_then(|answer| answer.events).unwrap_or_default();
    let of_members = of_members.ok().and_then(|answer| answer.events).unwrap_or_default();
    let of_members = of_members.into_iter().filter(|event| event.source_identifier().is_some_and(is_member));
    let mut events: Vec<(i64, String)> = of_cluster
        .into_iter()
        .chain(of_members)
        .filter_map(|event| {
            let at = event.date()?.secs();
            Some((at, format!("{}: {}", event.source_identifier()?, event.message()?)))
        })
        .collect();
    events.sort();
    let first = events.len().saturating_sub(QUOTED_MAX);
    events.drain(first..).map(|(_, text)| text).collect()
}
