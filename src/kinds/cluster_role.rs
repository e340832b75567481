//! How AWS is asked for associations of roles with the cluster.

use super::kind::{Calls, Deletion, Seen, Update, already_ok};
use super::rds;
use super::rds::cluster;
use super::stack::filled;
use crate::aws::{Aws, Class, During, Failure, Look};
use auroraml_core::base::{Input, Outputs, State};
use auroraml_core::kinds::cluster_role::{ClusterRole, MARK, Props, mark, name_of_others};
use auroraml_core::spec::is_reference;
use std::collections::BTreeSet;

/// ARNs of the roles of others that the spec names, with the names of their associations. One that a template makes has its
/// ARN once it is there, and its association the name of the reference.
async fn named(aws: &Aws) -> Result<Vec<(String, String)>, Failure> {
    let mut named = Vec::new();
    for used in aws.place.names.roles.values() {
        let arn = match is_reference(used) {
            true => filled(aws, used).await?,
            false => Some(used.clone()),
        };
        named.extend(arn.map(|arn| (arn, name_of_others(used))));
    }
    Ok(named)
}

impl Calls for ClusterRole {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let (place, cluster) = (&look.aws.place, cluster(look).await?);
        let Some(cluster) = cluster.as_ref() else { return Ok(Vec::new()) };
        let (prefix, tags) = (place.role_arn_prefix(), rds::tags_of(cluster.tag_list()));
        let named = named(look.aws).await?;
        let seen = cluster.associated_roles().iter().filter_map(|role| {
            let arn = role.role_arn()?;
            let is_marked = tags.contains_key(&mark(arn));
            let own_name = named.iter().find(|(used, _)| used == arn).map(|(_, name)| name.clone());
            let (name, marked) = match arn.strip_prefix(&prefix) {
                Some(name) => (name.to_string(), None),
                None if is_marked || own_name.is_some() => {
                    (own_name.unwrap_or_else(|| name_of_others(arn)), Some(is_marked))
                }
                // Other roles of others on the same cluster are none of our business.
                None => return None,
            };
            let state = match role.status() {
                Some("ACTIVE") => State::Ready,
                Some("INVALID") => State::Broken(
                    "INVALID: the cluster could not assume the role, so calls through it fail".into(),
                ),
                other => State::Busy(other.unwrap_or("PENDING").to_lowercase()),
            };
            Some(Seen {
                name,
                props: Props {
                    cluster: cluster.db_cluster_identifier().unwrap_or_default().into(),
                    role: arn.into(),
                    feature: role.feature_name().filter(|name| !name.is_empty()).map(String::from),
                    marked,
                },
                outputs: Outputs::new(),
                state,
                owned: true,
            })
        });
        let mut seen: Vec<Seen<Props>> = seen.collect();
        // A mark without its association: of one that has just gone, or, if the spec names the role, that is to come.
        let names = named.iter().map(|(arn, _)| name_of_others(arn));
        let there = seen.iter().map(|one| match &one.props.role {
            Input::Known(arn) => name_of_others(arn),
            _ => one.name.clone(),
        });
        let known: BTreeSet<String> = there.chain(names).collect();
        let marks = tags.keys().filter_map(|key| Some(format!("other-{}", key.strip_prefix(MARK)?)));
        let left = marks.filter(|name| !known.contains(name)).map(|name| Seen {
            name,
            props: Props {
                cluster: cluster.db_cluster_identifier().unwrap_or_default().into(),
                role: "".into(),
                feature: None,
                marked: Some(true),
            },
            outputs: Outputs::new(),
            state: State::Ready,
            owned: true,
        });
        seen.extend(left);
        Ok(seen)
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        // First, so that whoever comes after a run that was killed knows whose it is.
        set_mark(aws, want).await?;
        let request = aws
            .rds
            .add_role_to_db_cluster()
            .db_cluster_identifier(want.cluster.get())
            .role_arn(want.role.get())
            .set_feature_name(want.feature.clone());
        already_ok(request.send().await.during("AddRoleToDBCluster"), Class::Exists)
    }

    /// Of an association nothing can change but that it is taken over.
    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        set_mark(aws, &update.want).await
    }

    /// Of a role of others the mark goes last: the executor looks again and comes back for it.
    async fn delete(&self, aws: &Aws, name: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        if deletion.live.role.get().is_empty() {
            let arn = aws.place.cluster_arn(deletion.live.cluster.get());
            let key = name.replacen("other-", MARK, 1);
            let request = aws.rds.remove_tags_from_resource().resource_name(arn).tag_keys(key);
            return already_ok(request.send().await.during("RemoveTagsFromResource"), Class::NotFound);
        }
        let request = aws
            .rds
            .remove_role_from_db_cluster()
            .db_cluster_identifier(deletion.live.cluster.get())
            .role_arn(deletion.live.role.get())
            .set_feature_name(deletion.live.feature.clone());
        already_ok(request.send().await.during("RemoveRoleFromDBCluster"), Class::NotFound)
    }

    async fn reported(&self, aws: &Aws, since: u64) -> Vec<String> {
        rds::reported(aws, since).await
    }
}

/// Writes on the cluster that the stack uses this role of others.
async fn set_mark(aws: &Aws, want: &Props) -> Result<(), Failure> {
    if want.marked.is_none() {
        return Ok(());
    }
    let tags = [(mark(want.role.get()), "used".to_string())].into();
    let arn = aws.place.cluster_arn(want.cluster.get());
    let request = aws.rds.add_tags_to_resource().resource_name(arn).set_tags(rds::tags(&tags));
    request.send().await.during("AddTagsToResource").map(|_| ())
}
