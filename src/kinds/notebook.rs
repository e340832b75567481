//! How AWS is asked for the notebook instance.

use super::kind::{Calls, Deletion, Seen, Update, absent_ok, already_ok, just_made};
use super::sagemaker::{list_tags, or_gone, tags, update_tags};
use crate::aws::{Aws, Class, During, Failure, Look, key_of, owns_or};
use auroraml_core::base::{Input, State};
use auroraml_core::kinds::notebook::{Notebook, Props};
use aws_sdk_sagemaker::operation::describe_notebook_instance::DescribeNotebookInstanceOutput;
use aws_sdk_sagemaker::types::{
    DirectInternetAccess, InstanceMetadataServiceConfiguration, NotebookInstanceStatus,
};

impl Calls for Notebook {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let aws = look.aws;
        let (name, arn) = (aws.place.notebook(), aws.place.notebook_arn());
        // Most stacks have none: one request is enough to know.
        let found = look.shared("DescribeNotebookInstance", describe(aws, &name)).await?;
        let Some(found) = found.as_ref() else { return Ok(Vec::new()) };
        let still = async { Ok(describe(aws, &name).await?.is_some()) };
        let Some(tags) = or_gone(list_tags(aws, &arn).await, still).await? else { return Ok(Vec::new()) };
        let status = found.notebook_instance_status().map_or("", NotebookInstanceStatus::as_str);
        let text = |value: Option<&str>| value.unwrap_or_default().to_string();
        let role = text(found.role_arn());
        let mut security_groups: Vec<Input> =
            found.security_groups().iter().map(|group| group.as_str().into()).collect();
        security_groups.sort();
        Ok(vec![Seen {
            name: "main".into(),
            // Its role is in the path that nobody else uses.
            owned: owns_or(&aws.place, &tags, role.starts_with(&aws.place.role_arn_prefix())),
            props: Props {
                instance: text(found.instance_type().map(|kind| kind.as_str())),
                volume: found.volume_size_in_gb().unwrap_or_default(),
                subnet: text(found.subnet_id()).into(),
                security_groups,
                direct_internet_access: found
                    .direct_internet_access()
                    .is_none_or(|access| *access == DirectInternetAccess::Enabled),
                role: role.into(),
                lifecycle_config: text(found.notebook_instance_lifecycle_config_name()).into(),
                platform: text(found.platform_identifier()),
                metadata_version: found
                    .instance_metadata_service_configuration()
                    .and_then(|set| set.minimum_instance_metadata_service_version().map(String::from)),
                kms_key: key_of(aws, &tags, found.kms_key_id()),
                // Only a stopped one is to be started: what has failed or is on its way is told by its state.
                running: Some(status != "Stopped"),
                tags,
            },
            outputs: [
                ("name".into(), name.clone().into()),
                ("arn".into(), arn.into()),
                ("status".into(), status.into()),
                // AWS gives the host alone. It is where the console's "Open JupyterLab" leads.
                ("url".into(), found.url().map(|host| format!("https://{host}")).unwrap_or_default().into()),
            ]
            .into(),
            state: state(status, found.failure_reason().unwrap_or("AWS gives no reason"), &name),
        }])
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        let request = aws
            .sagemaker
            .create_notebook_instance()
            .notebook_instance_name(aws.place.notebook())
            .instance_type(want.instance.as_str().into())
            .volume_size_in_gb(want.volume)
            .subnet_id(want.subnet.get())
            .set_security_group_ids(Some(want.security_groups.iter().map(|g| g.get().into()).collect()))
            .direct_internet_access(match want.direct_internet_access {
                true => DirectInternetAccess::Enabled,
                false => DirectInternetAccess::Disabled,
            })
            .role_arn(want.role.get())
            .lifecycle_config_name(want.lifecycle_config.get())
            .platform_identifier(&want.platform)
            .set_kms_key_id(want.kms_key.clone())
            .set_instance_metadata_service_configuration(metadata(want))
            .set_tags(tags(&want.tags));
        already_ok(just_made(request.send().await.during("CreateNotebookInstance")), Class::Exists)
    }

    /// One step at a time: everything but tags needs a stopped instance (fact book, section 4.1), so it is
    /// stopped, changed and started again in as many looks.
    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let (want, live, name) = (&update.want, &update.live, aws.place.notebook());
        update_tags(aws, &aws.place.notebook_arn(), &want.tags, &live.tags).await?;
        let settings = ["instance", "volume", "role", "lifecycle_config", "platform", "metadata_version"];
        let is_running = live.running == Some(true);
        if settings.iter().any(|path| update.changed(path)) {
            return if is_running { stop(aws).await } else { change(aws, &update).await };
        }
        match (update.changed("running"), is_running) {
            (false, _) => Ok(()),
            (true, true) => stop(aws).await,
            (true, false) => {
                let request = aws.sagemaker.start_notebook_instance().notebook_instance_name(name);
                request.send().await.during("StartNotebookInstance").map(|_| ())
            }
        }
    }

    /// Stops it first if it runs; the executor looks again and comes back.
    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        if deletion.outputs.get("status").is_some_and(|status| status == "InService") {
            return already_ok(stop(aws).await, Class::NotFound);
        }
        let request = aws.sagemaker.delete_notebook_instance().notebook_instance_name(aws.place.notebook());
        already_ok(request.send().await.during("DeleteNotebookInstance"), Class::NotFound)
    }
}

async fn describe(aws: &Aws, name: &str) -> Result<Option<DescribeNotebookInstanceOutput>, Failure> {
    let request = aws.sagemaker.describe_notebook_instance().notebook_instance_name(name);
    absent_ok(request.send().await.during("DescribeNotebookInstance"))
}

/// Without it AWS answers version 1 as well (botocore's model of CreateNotebookInstance).
fn metadata(want: &Props) -> Option<InstanceMetadataServiceConfiguration> {
    let version = want.metadata_version.as_ref()?;
    let set = InstanceMetadataServiceConfiguration::builder();
    Some(set.minimum_instance_metadata_service_version(version).build())
}

async fn stop(aws: &Aws) -> Result<(), Failure> {
    let request = aws.sagemaker.stop_notebook_instance().notebook_instance_name(aws.place.notebook());
    request.send().await.during("StopNotebookInstance").map(|_| ())
}

/// Changes a stopped instance. Only what differs is sent: a platform that AWS no longer starts may be kept
/// but not asked for.
async fn change(aws: &Aws, update: &Update<'_, Props>) -> Result<(), Failure> {
    let want = &update.want;
    let mut request = aws.sagemaker.update_notebook_instance().notebook_instance_name(aws.place.notebook());
    if update.changed("instance") {
        request = request.instance_type(want.instance.as_str().into());
    }
    if update.changed("volume") {
        request = request.volume_size_in_gb(want.volume);
    }
    if update.changed("role") {
        request = request.role_arn(want.role.get());
    }
    if update.changed("lifecycle_config") {
        request = request.lifecycle_config_name(want.lifecycle_config.get());
    }
    if update.changed("platform") {
        request = request.platform_identifier(&want.platform);
    }
    if update.changed("metadata_version") {
        request = request.set_instance_metadata_service_configuration(metadata(want));
    }
    request.send().await.during("UpdateNotebookInstance").map(|_| ())
}

/// Statuses by what they mean for us (fact book, section 4.1).
fn state(status: &str, reason: &str, name: &str) -> State {
    match status {
        "InService" | "Stopped" => State::Ready,
        // Replacing it would lose what people keep on its volume: that is theirs to decide.
        "Failed" => State::Failed(format!(
            "{reason} (what its scripts wrote is in the CloudWatch log group /aws/sagemaker/NotebookInstances, streams {name}/LifecycleConfigOnCreate and {name}/LifecycleConfigOnStart); correct the cause, delete the instance and with it its volume (aws sagemaker delete-notebook-instance --notebook-instance-name {name}), then run again"
        )),
        other => State::Busy(other.into()),
    }
}
