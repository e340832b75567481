//! "Every member runs the current parameters": not an AWS object, but the purpose of the whole.
//!
//! Its live state is the members' statuses; its update is the next reboot or failover, chosen by
//! [`crate::plan::restart`] from a fresh look.

use super::rds::{cluster, instances, state};
use super::{Deletion, Kind, Seen, Update, rds};
use crate::aws::{Aws, Class, During, Failure, Look};
use crate::model::graph::{Id, Input, State};
use crate::plan::restart::{Act, Member, Next, Policy, Strategy, Topology, next};
use crate::plan::{Interruption, PLAIN, Permit, Rules};
use aws_sdk_rds::types::DbInstance;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub struct ParameterSync;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Identifier of the cluster.
    pub cluster: Input,
    /// A wish, not a live property.
    pub strategy: Option<Strategy>,
    pub writer: Option<String>,
    /// Members that do not run the current parameters.
    pub pending: Vec<String>,
    /// What the cluster looks like: a live property, never a wish.
    pub topology: Option<Topology>,
}

/// Seconds after a change of parameters within which a paused member has resumed and runs them (fact book,
/// section 1.10: a resumption takes 15 s, 30 s and more after a day; table 8.2: up to 45 s until it shows).
const RESUMES_SECONDS: u64 = 90;

/// Seconds within which a restart that was asked for shows, and within which its end does (fact book, table 8.2:
/// up to 20 and 45 s): a run that was killed may have asked for one just before this run began.
const BEGINS_SECONDS: u64 = 60;

impl Kind for ParameterSync {
    const NAME: &'static str = "parameter_sync";
    const RULES: Rules = Rules {
        after: &[
            "cluster",
            "parameter_group",
            "group_parameters",
            "cluster_role",
            "instance",
            "group_attachment",
        ],
        is_condition: true,
        restarts_members: true,
        accept: |want, live| {
            let strategy = std::mem::take(&mut want["strategy"]);
            // What `writer_only` leaves pending is no reason to go on.
            if strategy == "writer_only" {
                let readers = live["pending"].as_array().into_iter().flatten();
                want["pending"] = readers.filter(|member| **member != live["writer"]).cloned().collect();
            }
            // Only a member can become the writer; and of one that is gone nothing can be said.
            let topology: Option<Topology> = serde_json::from_value(live["topology"].clone()).ok();
            let known =
                topology.is_some_and(|t| t.members.iter().any(|member| want["writer"] == *member.name));
            if !known {
                want["writer"] = Value::Null;
            }
        },
        // AWS notices late that a member runs with new parameters (fact book, table 8.2): asking again at once would
        // restart it again.
        still_shows: |live, members| {
            let topology: Option<Topology> = serde_json::from_value(live["topology"].clone()).ok();
            let known = topology.into_iter().flat_map(|topology| topology.members);
            known.filter(|member| member.is_pending()).any(|member| members.contains(&member.name))
        },
        patience_seconds: |live| match serde_json::from_value::<Topology>(live["topology"].clone()) {
            // A paused member that a change of parameters wakes runs them without a restart.
            Ok(topology) if topology.pauses => {
                let mut pending = topology.members.iter().filter(|member| member.is_pending());
                if pending.any(|member| member.class == "db.serverless") {
                    RESUMES_SECONDS
                } else {
                    BEGINS_SECONDS
                }
            }
            _ => BEGINS_SECONDS,
        },
        poll_seconds: 10,
        limit_minutes: 120,
        effect_lag_seconds: 90,
        stable_looks: 3,
        typical_seconds: 10,
        ..PLAIN
    };
    type Props = Props;

    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let Some(topology) = topology(look).await? else { return Ok(Vec::new()) };
        let pending = topology.members.iter().filter(|m| !m.is_in_sync()).map(|m| m.name.clone()).collect();
        let writer = topology.writer().map(|writer| writer.name.clone());
        Ok(vec![Seen {
            name: "main".into(),
            outputs: [("members".into(), topology.members.len().to_string())].into(),
            state: sync_state(&topology),
            owned: true,
            props: Props {
                cluster: look.aws.cluster().into(),
                strategy: None,
                writer,
                pending,
                topology: Some(topology),
            },
        }])
    }

    /// Members exist as soon as their instances do; there is nothing to make.
    async fn create(&self, _: &Aws, _: &str, _: &Props) -> Result<(), Failure> {
        Ok(())
    }

    async fn update(&self, aws: &Aws, name: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let policy = Policy {
            strategy: update.want.strategy.unwrap_or_default(),
            writer: update.want.writer.clone(),
            ..Policy::default()
        };
        // Looked at afresh: who is the writer may have changed since the plan (fact book, trap 70).
        let look = Look { aws, as_of: aws.clock.now_ms(), only: None };
        let Some(topology) = topology(look).await? else { return Ok(()) };
        let (act, interruption) = match next(&topology, &policy) {
            Next::Done => return Ok(()),
            Next::Wait(why) => return Err(Failure::busy("RebootDBInstance", why)),
            Next::Stuck(why) => return Err(Failure::refused("RebootDBInstance", why)),
            Next::Act(act, interruption) => (act, interruption),
        };
        // To restart a reader that has just become the writer would be the very interruption that nobody announced.
        if let Some(seconds) = rds::recent_failover(aws).await {
            let why = format!("the cluster failed over {seconds} s ago, and AWS may not show the writer yet");
            return Err(Failure::busy("RebootDBInstance", why));
        }
        let request = async {
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
        };
        interrupting(aws, Self::NAME, name, update.permit, Some(interruption), request).await
    }

    async fn delete(&self, _: &Aws, _: &str, _: Deletion<'_, Props>) -> Result<(), Failure> {
        Ok(())
    }

    async fn reported(&self, aws: &Aws, since: u64) -> Vec<String> {
        rds::reported(aws, since).await
    }
}

/// Makes a request that interrupts members, if the plan announced it.
pub(super) async fn interrupting(
    aws: &Aws,
    kind: &'static str,
    name: &str,
    permit: &Permit,
    interruption: Option<Interruption>,
    request: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let Some(interruption) = interruption else { return request.await };
    permit.check(aws.clock.now_ms(), &interruption).map_err(|why| Failure::refused("auroraml", why))?;
    let result = request.await;
    // Of an answer that was lost nobody knows whether it was made.
    if result.as_ref().is_ok() || result.as_ref().is_err_and(|failure| failure.is(Class::Ambiguous)) {
        permit.made_one(&Id::new(kind, name), interruption);
    }
    result
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
pub async fn topology(look: Look<'_>) -> Result<Option<Topology>, Failure> {
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
    Ok(Some(Topology {
        status: cluster.status().unwrap_or_default().into(),
        engine_version: cluster.engine_version().unwrap_or_default().into(),
        global_cluster: cluster.global_cluster_identifier().filter(|name| !name.is_empty()).map(String::from),
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
