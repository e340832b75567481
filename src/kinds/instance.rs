//! Aurora DB instance: a member of the cluster.

use super::parameter_sync::{interrupting, topology};
use super::rds::{instances, reported, state, tags, tags_of, update_tags};
use super::{Deletion, Kind, Seen, Update, already_ok};
use crate::aws::{Aws, Class, During, Failure, Look, owns};
use crate::model::graph::Input;
use crate::plan::{Action, Effect, PLAIN, Rules, Seconds};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct Instance;

/// An estimate: the fact book has no figure for a change of class.
const CLASS_CHANGE: Seconds = Seconds { usually: 300, at_worst: 600 };

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Identifier of the cluster.
    pub cluster: Input,
    /// `db.r6g.large`, `db.serverless`, …
    pub class: String,
    pub promotion_tier: i32,
    pub auto_minor_version_upgrade: Option<bool>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for Instance {
    const NAME: &'static str = "instance";
    const RULES: Rules = Rules {
        after: &["cluster"],
        immutable: &[("cluster", "an instance belongs to one cluster for life")],
        is_member: true,
        effect: |action, changes, _| match action == Action::Update
            && changes.iter().any(|c| c.path == "class")
        {
            true => Effect::RestartsMember(CLASS_CHANGE),
            false => Effect::None,
        },
        poll_seconds: 10,
        limit_minutes: 60,
        effect_lag_seconds: 90,
        stable_looks: 2,
        typical_seconds: 420,
        ..PLAIN
    };
    type Props = Props;

    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let place = &look.aws.place;
        let found = instances(look).await?;
        let seen = found.iter().filter_map(|instance| {
            let identifier = instance.db_instance_identifier()?;
            let tags = tags_of(instance.tag_list());
            // Members that others added (an autoscaled reader, a person's) are not ours to delete.
            let name =
                identifier.strip_prefix(&format!("{}-", place.stack)).filter(|_| owns(place, &tags))?;
            Some(Seen {
                name: name.to_string(),
                outputs: [
                    ("id".into(), identifier.to_string()),
                    ("arn".into(), instance.db_instance_arn().unwrap_or_default().to_string()),
                ]
                .into(),
                state: state(instance.db_instance_status().unwrap_or_default()),
                owned: true,
                props: Props {
                    cluster: instance.db_cluster_identifier().unwrap_or_default().into(),
                    class: instance.db_instance_class().unwrap_or_default().into(),
                    promotion_tier: instance.promotion_tier().unwrap_or(1),
                    auto_minor_version_upgrade: instance.auto_minor_version_upgrade(),
                    tags,
                },
            })
        });
        Ok(seen.collect())
    }

    async fn create(&self, aws: &Aws, name: &str, want: &Props) -> Result<(), Failure> {
        let request = aws
            .rds
            .create_db_instance()
            .db_instance_identifier(aws.place.name(name))
            .db_cluster_identifier(want.cluster.get())
            .engine("aurora-mysql")
            .db_instance_class(&want.class)
            .promotion_tier(want.promotion_tier)
            .set_auto_minor_version_upgrade(want.auto_minor_version_upgrade)
            .publicly_accessible(false)
            .set_tags(tags(&want.tags));
        already_ok(request.send().await.during("CreateDBInstance"), Class::Exists)
    }

    async fn update(&self, aws: &Aws, name: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let (want, identifier) = (&update.want, aws.place.name(name));
        if ["class", "promotion_tier", "auto_minor_version_upgrade"].iter().any(|path| update.changed(path)) {
            let request = aws
                .rds
                .modify_db_instance()
                .db_instance_identifier(&identifier)
                .db_instance_class(&want.class)
                .promotion_tier(want.promotion_tier)
                .set_auto_minor_version_upgrade(want.auto_minor_version_upgrade)
                .apply_immediately(true);
            let look = Look { aws, as_of: aws.clock.now_ms(), only: None };
            let topology = if update.changed("class") { topology(look).await? } else { None };
            let interruption = topology.and_then(|t| t.one(&identifier, "class changes", CLASS_CHANGE));
            let request = async { request.send().await.during("ModifyDBInstance").map(|_| ()) };
            interrupting(aws, Self::NAME, name, update.permit, interruption, request).await?;
        }
        update_tags(aws, &aws.place.instance_arn(&identifier), &want.tags, &update.live.tags).await
    }

    async fn delete(&self, aws: &Aws, name: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let identifier = aws.place.name(name);
        let look = Look { aws, as_of: aws.clock.now_ms(), only: None };
        // With the whole cluster goes whoever used it.
        let topology = if deletion.permit.is_whole() { None } else { topology(look).await? };
        let interruption = topology.and_then(|topology| topology.without(&identifier));
        // Aurora keeps its data in the cluster: an instance takes no snapshot of its own.
        let request =
            aws.rds.delete_db_instance().db_instance_identifier(&identifier).skip_final_snapshot(true);
        let request = async { request.send().await.during("DeleteDBInstance").map(|_| ()) };
        let result = interrupting(aws, Self::NAME, name, deletion.permit, interruption, request).await;
        match already_ok(result, Class::NotFound) {
            Err(failure) if failure.is(Class::Exists) => Ok(()),
            result => result,
        }
    }

    async fn reported(&self, aws: &Aws, since: u64) -> Vec<String> {
        reported(aws, since).await
    }
}
