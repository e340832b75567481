//! "The existing cluster uses our parameter group": for a cluster that others own, of which nothing else is
//! changed.

use super::Kind;
use crate::base::Input;
use crate::members::Effect;
use crate::resource::permission::{EVERYTHING, Permission, When};
use crate::resource::{Action, PLAIN, Rules, Verdict};
use serde::{Deserialize, Serialize};

pub struct GroupAttachment;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Identifier of the cluster.
    pub cluster: Input,
    /// Name of the parameter group.
    pub parameter_group: Input,
}

impl Kind for GroupAttachment {
    const NAME: &'static str = "group_attachment";
    const RULES: Rules = Rules {
        after: &["parameter_group"],
        dies_with: Some("cluster"),
        // Whichever group is attached, every member runs its values only after a restart (fact book, section 1.4).
        effect: |action, _, _| match action {
            Action::Create | Action::Update | Action::Recreate | Action::Delete => Effect::Pending,
            _ => Effect::None,
        },
        judge: |sight| {
            // The cluster has the group at once, and begins to be `modifying` later (fact book, section 1.6).
            let acted = sight.past.acted.as_ref();
            let unseen =
                acted.is_some_and(|(at, _)| sight.past.busy_at <= *at && sight.since(*at) < sight.lag);
            match (sight.unsettled(unseen), sight.changes.is_empty()) {
                (Some(verdict), _) => verdict,
                (None, true) => Verdict::Done,
                (None, false) => Verdict::Act(None),
            }
        },
        poll_seconds: 5,
        // Over after up to a minute and a half (fact book, table 8.2).
        limit_minutes: 30,
        effect_lag_seconds: 30,
        stable_looks: 2,
        permissions: &[
            Permission::look(&["rds:DescribeDBClusters"], &["rds:cluster:*"]),
            Permission::look(&["rds:DescribeEvents"], EVERYTHING),
            Permission::create(
                &["rds:ModifyDBCluster"],
                &["rds:cluster:{existing}", "rds:cluster-pg:{group}", "rds:cluster-pg:{default_group}"],
            ),
            Permission::create(&["rds:ModifyDBCluster"], &["rds:cluster-pg:{copy}"]).when(&[When::OwnTag]),
            Permission::change(
                &["rds:ModifyDBCluster"],
                &["rds:cluster:{existing}", "rds:cluster-pg:{group}", "rds:cluster-pg:{default_group}"],
            ),
            Permission::change(&["rds:ModifyDBCluster"], &["rds:cluster-pg:{copy}"]).when(&[When::OwnTag]),
            Permission::delete(
                &["rds:ModifyDBCluster"],
                &["rds:cluster:{existing}", "rds:cluster-pg:{group}", "rds:cluster-pg:{default_group}"],
            ),
            Permission::delete(&["rds:ModifyDBCluster"], &["rds:cluster-pg:{copy}"]).when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}
