//! How AWS is asked for the parameter group of an existing cluster.

use super::kind::{Calls, Deletion, Seen, Update};
use super::rds;
use super::rds::cluster;
use crate::aws::{Aws, During, Failure, Look};
use auroraml_core::base::Outputs;
use auroraml_core::base::names::ORIGINAL_GROUP_TAG;
use auroraml_core::kinds::group_attachment::{GroupAttachment, Props};

impl Calls for GroupAttachment {
    /// Attached or not: a cluster that uses another group has no attachment of ours.
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let aws = look.aws;
        if aws.scope.existing_cluster.is_none() {
            return Ok(Vec::new());
        }
        let found = cluster(look).await?;
        let Some(cluster) = found.as_ref() else { return Ok(Vec::new()) };
        let group = cluster.db_cluster_parameter_group().unwrap_or_default();
        if group != aws.place.parameter_group() {
            return Ok(Vec::new());
        }
        Ok(vec![Seen {
            name: "main".into(),
            props: Props { cluster: aws.cluster().into(), parameter_group: group.into() },
            outputs: Outputs::new(),
            state: rds::state(cluster.status().unwrap_or_default()),
            owned: true,
        }])
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        attach(aws, want.cluster.get(), want.parameter_group.get()).await
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        attach(aws, update.want.cluster.get(), update.want.parameter_group.get()).await
    }

    /// Gives the cluster back the group that it had, as the tag on ours says.
    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let tags = rds::list_tags(aws, &aws.place.parameter_group_arn()).await?;
        match tags.get(ORIGINAL_GROUP_TAG) {
            Some(original) => attach(aws, deletion.live.cluster.get(), original).await,
            None => Err(Failure::refused(
                "ModifyDBCluster",
                format!(
                    "the parameter group {} has lost its tag {ORIGINAL_GROUP_TAG}, which names the group to give back; set the tag, then run again",
                    aws.place.parameter_group()
                ),
            )),
        }
    }

    async fn reported(&self, aws: &Aws, since: u64) -> Vec<String> {
        rds::reported(aws, since).await
    }
}

async fn attach(aws: &Aws, cluster: &str, group: &str) -> Result<(), Failure> {
    let request = aws
        .rds
        .modify_db_cluster()
        .db_cluster_identifier(cluster)
        .db_cluster_parameter_group_name(group)
        .apply_immediately(true);
    request.send().await.during("ModifyDBCluster").map(|_| ())
}
