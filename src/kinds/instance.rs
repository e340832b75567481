//! Aurora DB instance: a member of the cluster.

use super::rds::{instances, state, tags, tags_of, update_tags};
use super::{Deletion, Kind, Seen, Update, already_ok};
use crate::aws::{Aws, Class, During, Failure, Look, owns};
use crate::model::graph::Input;
use crate::plan::{Impact, PLAIN, Rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub struct Instance;

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
        impact: |changes| match changes.iter().any(|c| c.path == "class") {
            true => Impact::Restart,
            false => Impact::None,
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
            aws.rds
                .modify_db_instance()
                .db_instance_identifier(&identifier)
                .db_instance_class(&want.class)
                .promotion_tier(want.promotion_tier)
                .set_auto_minor_version_upgrade(want.auto_minor_version_upgrade)
                .apply_immediately(true)
                .send()
                .await
                .during("ModifyDBInstance")?;
        }
        update_tags(aws, &aws.place.instance_arn(&identifier), &want.tags, &update.live.tags).await
    }

    async fn delete(&self, aws: &Aws, name: &str, _: Deletion<'_, Props>) -> Result<(), Failure> {
        // Aurora keeps its data in the cluster: an instance takes no snapshot of its own.
        let request = aws.rds.delete_db_instance().db_instance_identifier(aws.place.name(name));
        let result = request.skip_final_snapshot(true).send().await.during("DeleteDBInstance");
        match already_ok(result, Class::NotFound) {
            Err(failure) if failure.is(Class::Exists) => Ok(()),
            result => result,
        }
    }
}
