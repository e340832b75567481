//! How AWS is asked for DB instances, the members of the cluster.

use super::kind::{Calls, Deletion, Seen, Update, already_ok};
use super::rds::{instances, reported, rests, start, tags, tags_of, update_tags};
use crate::aws::{Aws, Class, During, Failure, Look, owns};
use auroraml_core::kinds::instance::{Instance, Props};

impl Calls for Instance {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let place = &look.aws.place;
        let found = instances(look).await?;
        let seen = found.iter().filter_map(|instance| {
            let identifier = instance.db_instance_identifier()?;
            let tags = tags_of(instance.tag_list());
            // Members that others added (an autoscaled reader, a person's) are not ours to delete; one that has our
            // name is told of, since it may have lost its tags.
            let owned = owns(place, &tags);
            let is_told = owned || look.aws.scope.existing_cluster.is_none();
            let name = identifier.strip_prefix(&format!("{}-", place.stack)).filter(|_| is_told)?;
            Some(Seen {
                name: name.to_string(),
                outputs: [
                    ("id".into(), identifier.into()),
                    ("arn".into(), instance.db_instance_arn().unwrap_or_default().into()),
                    ("status".into(), instance.db_instance_status().unwrap_or_default().into()),
                ]
                .into(),
                state: rests(instance.db_instance_status().unwrap_or_default()),
                owned,
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
            .engine(aws.scope.engine.name)
            .db_instance_class(&want.class)
            .promotion_tier(want.promotion_tier)
            .set_auto_minor_version_upgrade(want.auto_minor_version_upgrade)
            .publicly_accessible(false)
            .set_tags(tags(&want.tags));
        already_ok(request.send().await.during("CreateDBInstance"), Class::Exists)
    }

    async fn update(&self, aws: &Aws, name: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let (want, identifier) = (&update.want, aws.place.name(name));
        update_tags(aws, &aws.place.instance_arn(&identifier), &want.tags, &update.live.tags).await?;
        if !["class", "promotion_tier", "auto_minor_version_upgrade"].iter().any(|path| update.changed(path))
        {
            return Ok(());
        }
        // Last, because another class restarts the instance.
        let request = aws
            .rds
            .modify_db_instance()
            .db_instance_identifier(&identifier)
            .db_instance_class(&want.class)
            .promotion_tier(want.promotion_tier)
            .set_auto_minor_version_upgrade(want.auto_minor_version_upgrade)
            .apply_immediately(true);
        request.send().await.during("ModifyDBInstance").map(|_| ())
    }

    async fn delete(&self, aws: &Aws, name: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let identifier = aws.place.name(name);
        if deletion.outputs.get("status").is_some_and(|status| status == "stopped") {
            return Err(start(aws, deletion.live.cluster.get(), "DeleteDBInstance").await);
        }
        // Aurora keeps its data in the cluster: an instance takes no snapshot of its own.
        let request =
            aws.rds.delete_db_instance().db_instance_identifier(&identifier).skip_final_snapshot(true);
        match already_ok(request.send().await.during("DeleteDBInstance"), Class::NotFound) {
            Err(failure) if failure.is(Class::Exists) => Ok(()),
            result => result,
        }
    }

    async fn reported(&self, aws: &Aws, since: u64) -> Vec<String> {
        reported(aws, since).await
    }
}
