//! "Every member runs the current parameters": not an AWS object, but the purpose of the whole.
//!
//! Its live state is the members' statuses; its update is the next reboot or failover, chosen by
//! [`crate::plan::restart`] from a fresh look.

use super::rds::{cluster, instances, state};
use super::{Deletion, Kind, Seen, Update};
use crate::aws::{Aws, During, Failure, Look};
use crate::model::graph::{Input, State};
use crate::plan::restart::{Member, Next, Strategy, Topology, next};
use crate::plan::{Impact, PLAIN, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub struct ParameterSync;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Identifier of the cluster.
    pub cluster: Input,
    /// `rolling`, `failover`, `writer_only` or `never`; a wish, not a live property.
    pub strategy: Option<String>,
    pub writer: Option<String>,
    /// Members that do not run the current parameters, with what they report.
    pub pending: Vec<String>,
}

impl Kind for ParameterSync {
    const NAME: &'static str = "parameter_sync";
    const RULES: Rules = Rules {
        after: &["cluster", "parameter_group", "cluster_role", "instance", "group_attachment"],
        is_condition: true,
        consequence: Some(
            "members that then report pending-reboot are restarted as `restart` says, and connections to them drop",
        ),
        accept: |want, live| {
            let strategy = Strategy::named(want["strategy"].as_str().unwrap_or_default());
            want["strategy"] = Value::Null;
            let tolerated = match strategy {
                Strategy::Never => live["pending"].clone(),
                Strategy::WriterOnly => live["pending"]
                    .as_array()
                    .map(|all| all.iter().filter(|m| **m != live["writer"]).cloned().collect())
                    .unwrap_or_default(),
                Strategy::Rolling | Strategy::Failover => return,
            };
            want["pending"] = tolerated;
        },
        impact: |changes| match changes.is_empty() {
            true => Impact::None,
            false => Impact::Failover,
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
        if topology.members.is_empty() {
            return Ok(Vec::new());
        }
        let pending = topology
            .members
            .iter()
            .filter(|m| m.parameter_status != "in-sync")
            .map(|m| m.name.clone())
            .collect();
        let writer = topology.members.iter().find(|m| m.writer).map(|m| m.name.clone());
        Ok(vec![Seen {
            name: "main".into(),
            outputs: [("members".into(), topology.members.len().to_string())].into(),
            state: sync_state(&topology),
            owned: true,
            props: Props { cluster: look.aws.cluster().into(), strategy: None, writer, pending },
        }])
    }

    /// Members exist as soon as their instances do; there is nothing to make.
    async fn create(&self, _: &Aws, _: &str, _: &Props) -> Result<(), Failure> {
        Ok(())
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let strategy = Strategy::named(update.want.strategy.as_deref().unwrap_or_default());
        // Looked at afresh: who is the writer may have changed since the plan (fact book, trap 70).
        let look = Look { aws, as_of: aws.clock.now_ms(), only: None };
        let Some(topology) = topology(look).await? else { return Ok(()) };
        match next(&topology, strategy) {
            Next::Done => Ok(()),
            Next::Wait(why) => Err(Failure::busy("RebootDBInstance", why)),
            Next::Stuck(why) => Err(Failure::refused("RebootDBInstance", why)),
            Next::Reboot { member, .. } => {
                let request = aws.rds.reboot_db_instance().db_instance_identifier(member);
                request.send().await.during("RebootDBInstance").map(|_| ())
            }
            Next::Failover { to, .. } => {
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
}

fn sync_state(topology: &Topology) -> State {
    if let Next::Stuck(why) = next(topology, Strategy::Rolling) {
        return State::Failed(why);
    }
    let moving = |m: &&Member| !matches!(m.parameter_status.as_str(), "in-sync" | "pending-reboot");
    let statuses =
        std::iter::once(topology.status.as_str()).chain(topology.members.iter().map(|m| m.status.as_str()));
    for status in statuses {
        match state(status) {
            State::Ready => {}
            other => return other,
        }
    }
    match topology.members.iter().find(moving) {
        Some(member) => State::Busy(format!("{} is {}", member.name, member.parameter_status)),
        None => State::Ready,
    }
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
            promotion_tier: member.promotion_tier().unwrap_or(1),
        }
    });
    Ok(Some(Topology { status: cluster.status().unwrap_or_default().into(), members: members.collect() }))
}
