//! "The existing cluster uses our parameter group": for a cluster that others own, of which nothing else is
//! changed.

use super::Kind;
use crate::base::Input;
use crate::members::Effect;
use crate::resource::{Action, PLAIN, Rules};
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
        poll_seconds: 5,
        limit_minutes: 30,
        effect_lag_seconds: 30,
        stable_looks: 2,
        typical_seconds: 40,
        ..PLAIN
    };
    type Props = Props;
}
