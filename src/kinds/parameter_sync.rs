//! How AWS is asked for what the members run, and to restart them.
//!
//! The live state is the members' statuses; the update is the next reboot or failover, which the executor has judged due
//! by the same look.

use super::kind::{Calls, Deletion, Seen, Update};
use super::rds;
use super::rds::{cluster, instances, state};
use crate::aws::{Aws, During, Failure, Look};
use auroraml_core::base::State;
use auroraml_core::base::names::UNFINISHED_TAG;
use auroraml_core::kinds::parameter_sync::{ParameterSync, Props};
use auroraml_core::members::restart::{Act, FailedOver, Member, Next, Policy, Topology, next};
use aws_sdk_rds::types::{DbCluster, DbInstance};

impl Calls for ParameterSync {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let Some(topology) = topology(look).await? else { return Ok(Vec::new()) };
        // What a stopped cluster of the stack's own will run nobody can say before its start, which restarts every member.
        let sleeps = topology.status == "stopped" && look.aws.scope.existing_cluster.is_none();
        let finished = !cluster(look).await?.as_ref().as_ref().is_some_and(is_marked);
        let pending = topology.members.iter().filter(|member| !sleeps && !member.is_in_sync());
        let pending = pending.map(|member| member.name.clone()).collect();
        let writer = topology.writer().map(|writer| writer.name.clone());
        Ok(vec![Seen {
            name: "main".into(),
            outputs: [("members".into(), topology.members.len().to_string().into())].into(),
            state: if sleeps { State::Ready } else { sync_state(&topology) },
            owned: true,
            props: Props {
                cluster: look.aws.cluster().into(),
                strategy: None,
                writer,
                pending,
                finished,
                topology: Some(topology),
            },
        }])
    }

    /// Members exist as soon as their instances do; there is nothing to make.
    async fn create(&self, _: &Aws, _: &str, _: &Props) -> Result<(), Failure> {
        Ok(())
    }

    /// The next restart of the members as they were seen just now: the executor has judged by the same look, and
    /// was permitted to make it.
    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let policy = Policy {
            strategy: update.want.strategy.unwrap_or_default(),
            writer: update.want.writer.clone(),
            ..Policy::default()
        };
        let act = update.live.topology.as_ref().map(|topology| next(topology, &policy));
        let Some(Next::Act(act, _)) = act else {
            return if update.changed("finished") { finish(aws).await } else { Ok(()) };
        };
        // To restart a reader that has just become the writer would be the very interruption that nobody announced.
        let writer = update.live.topology.as_ref().and_then(|topology| topology.writer());
        if let Some(failover) = rds::latest_failover(aws).await
            && failover.to.as_ref() != writer.map(|writer| &writer.name)
        {
            let seconds = aws.clock.now_ms().saturating_sub(failover.at) / 1000;
            let why = format!("the cluster failed over {seconds} s ago, and AWS may not show the writer yet");
            return Err(Failure::busy("RebootDBInstance", why));
        }
        match act {
            Act::Reboot(member) => {
                let request = aws.rds.reboot_db_instance().db_instance_identifier(member);
                request.send().await.during("RebootDBInstance").map(|_| ())
            }
            Act::Failover(to) => {
                let request = aws
                    .rds
                    .failover_db_cluster()
                    .db_cluster_identifier(aws.cluster())
                    .target_db_instance_identifier(to);
                request.send().await.during("FailoverDBCluster").map(|_| ())
            }
        }
    }

    async fn delete(&self, _: &Aws, _: &str, _: Deletion<'_, Props>) -> Result<(), Failure> {
        Ok(())
    }

    async fn reported(&self, aws: &Aws, since: u64) -> Vec<String> {
        rds::reported(aws, since).await
    }
}

/// How long the mark of a cluster that was never finished is believed, in milliseconds: after that somebody may use
/// it all the same.
const UNFINISHED_MS: u64 = 24 * 3_600_000;

fn is_marked(cluster: &DbCluster) -> bool {
    cluster.tag_list().iter().any(|tag| tag.key() == Some(UNFINISHED_TAG))
}

/// From now on the cluster is one that may be used.
async fn finish(aws: &Aws) -> Result<(), Failure> {
    let arn = aws.place.cluster_arn(&aws.cluster());
    let request = aws.rds.remove_tags_from_resource().resource_name(arn).tag_keys(UNFINISHED_TAG);
    request.send().await.during("RemoveTagsFromResource").map(|_| ())
}

fn sync_state(topology: &Topology) -> State {
    let pending = topology.members.iter().any(|member| !member.is_in_sync());
    match next(topology, &Policy::default()) {
        Next::Stuck(why) => return State::Failed(why),
        Next::Wait(why) if pending => return State::Busy(why),
        _ => {}
    }
    // A backup, say, goes on beside members that are in-sync: nobody waits for it.
    let statuses =
        std::iter::once(topology.status.as_str()).chain(topology.members.iter().map(|m| m.status.as_str()));
    statuses.map(state).find(|state| *state != State::Ready).unwrap_or(State::Ready)
}

/// The cluster's members as the restart planner wants them; `None` without a cluster.
async fn topology(look: Look<'_>) -> Result<Option<Topology>, Failure> {
    let (cluster, instances) = tokio::try_join!(cluster(look), instances(look))?;
    let Some(cluster) = cluster.as_ref() else { return Ok(None) };
    let members = cluster.db_cluster_members().iter().map(|member| {
        let name = member.db_instance_identifier().unwrap_or_default();
        let instance = instances.iter().find(|i| i.db_instance_identifier() == Some(name));
        Member {
            name: name.into(),
            writer: member.is_cluster_writer() == Some(true),
            // A member without an instance is on its way out or in: not steady.
            status: instance.and_then(|i| i.db_instance_status()).unwrap_or("not yet visible").into(),
            // Unknown words count as "not in sync" (fact book, section 1.5).
            parameter_status: member.db_cluster_parameter_group_status().unwrap_or("unknown").into(),
            own_parameter_status: instance.map_or("unknown", own_status).into(),
            promotion_tier: member.promotion_tier().unwrap_or(1),
            class: instance.and_then(|i| i.db_instance_class()).unwrap_or_default().into(),
            zone: instance.and_then(|i| i.availability_zone()).unwrap_or_default().into(),
        }
    });
    let range = cluster.serverless_v2_scaling_configuration();
    // A plan is made from what is, not from how it came to be.
    let failed_over = match look.only {
        Some(_) => rds::latest_failover(look.aws).await,
        None => None,
    };
    let created = cluster.cluster_create_time().and_then(|at| u64::try_from(at.to_millis().ok()?).ok());
    let is_young = created.is_some_and(|at| look.aws.clock.now_ms().saturating_sub(at) < UNFINISHED_MS);
    let failed_over = failed_over.and_then(|failover| Some(FailedOver { to: failover.to?, at: failover.at }));
    Ok(Some(Topology {
        status: cluster.status().unwrap_or_default().into(),
        engine: cluster.engine().unwrap_or_default().into(),
        engine_version: cluster.engine_version().unwrap_or_default().into(),
        global_cluster: cluster.global_cluster_identifier().filter(|name| !name.is_empty()).map(String::from),
        failed_over,
        unfinished: is_young && is_marked(cluster),
        pauses: range.and_then(|range| range.min_capacity()).is_some_and(|min| min == 0.0),
        members: members.collect(),
    }))
}

/// Whether the instance runs the values of its own DB parameter group; no group is nothing to wait for.
fn own_status(instance: &DbInstance) -> &str {
    let mut statuses =
        instance.db_parameter_groups().iter().filter_map(|group| group.parameter_apply_status());
    statuses.find(|status| *status != "in-sync").unwrap_or("in-sync")
}
