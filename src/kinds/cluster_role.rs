//! How AWS is asked for associations of roles with the cluster.

use super::kind::{Calls, Deletion, Seen, Update, already_ok};
use super::rds;
use super::rds::cluster;
use crate::aws::{Aws, Class, During, Failure, Look};
use auroraml_core::base::{Outputs, State};
use auroraml_core::kinds::cluster_role::{ClusterRole, Props};

impl Calls for ClusterRole {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let (place, cluster) = (&look.aws.place, cluster(look).await?);
        let Some(cluster) = cluster.as_ref() else { return Ok(Vec::new()) };
        let prefix = place.role_arn_prefix();
        let seen = cluster.associated_roles().iter().filter_map(|role| {
            let arn = role.role_arn()?;
            // Roles of others on the same cluster are none of our business.
            let name = arn.strip_prefix(&prefix)?.to_string();
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
                },
                outputs: Outputs::new(),
                state,
                owned: true,
            })
        });
        Ok(seen.collect())
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        let request = aws
            .rds
            .add_role_to_db_cluster()
            .db_cluster_identifier(want.cluster.get())
            .role_arn(want.role.get())
            .set_feature_name(want.feature.clone());
        already_ok(request.send().await.during("AddRoleToDBCluster"), Class::Exists)
    }

    async fn update(&self, _: &Aws, name: &str, _: Update<'_, Props>) -> Result<(), Failure> {
        Err(Failure::refused(
            "AddRoleToDBCluster",
            format!("the association {name} has nothing that can change"),
        ))
    }

    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
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
