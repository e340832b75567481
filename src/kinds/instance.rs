//! How AWS is asked for DB instances, the members of the cluster.

use super::kind::{Calls, Deletion, Seen, Update, already_ok};
use super::rds::{instances, reported, rests, start, tags, tags_of, update_tags};
use crate::aws::{Aws, Class, During, Failure, Look, owns};
use auroraml_core::base::names::{Place, RESOURCE_TAG};
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::instance::{Instance, Props};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The name within the stack of a member that has an identifier of the stack's or of the spec's choice, or that the
/// stack's tags tell of; none of any other. `there`: the identifiers of all members.
fn name_of(
    place: &Place,
    identifier: &str,
    tags: &BTreeMap<String, String>,
    owned: bool,
    there: &BTreeSet<&str>,
) -> Option<String> {
    if let Some((name, _)) = place.names.instances.iter().find(|(_, chosen)| *chosen == identifier) {
        return Some(name.clone());
    }
    let by_stack = identifier.strip_prefix(&format!("{}-", place.stack));
    let by_tag = || {
        let id = tags.get(RESOURCE_TAG).filter(|_| owned)?;
        id.strip_prefix(Instance::NAME)?.strip_prefix('.')
    };
    let name = by_stack.or_else(by_tag)?;
    // Another one is meant by this name, and is there: this one's name is its own.
    let meant = place.instance(name);
    if meant == identifier || !there.contains(meant.as_str()) {
        return Some(name.to_string());
    }
    // Of a spec that names no members, what has others' names is others'.
    (!place.names.instances.is_empty()).then(|| identifier.to_string())
}

impl Calls for Instance {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let place = &look.aws.place;
        let found = instances(look).await?;
        let there: BTreeSet<&str> = found.iter().filter_map(|one| one.db_instance_identifier()).collect();
        let seen = found.iter().filter_map(|instance| {
            let identifier = instance.db_instance_identifier()?;
            let tags = tags_of(instance.tag_list());
            // Members that others added (an autoscaled reader, a person's) are not ours to delete; one that has our
            // name is told of, since it may have lost its tags.
            let owned = owns(place, &tags);
            let is_told = owned || look.aws.scope.existing_cluster.is_none();
            let name = name_of(place, identifier, &tags, owned, &there).filter(|_| is_told)?;
            Some(Seen {
                name,
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
            .db_instance_identifier(aws.place.instance(name))
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
        let (want, identifier) = (&update.want, aws.place.instance(name));
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
        // It may have a name that an earlier spec chose.
        let known = deletion.outputs.get("id").and_then(Value::as_str).map(String::from);
        let identifier = known.unwrap_or_else(|| aws.place.instance(name));
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
