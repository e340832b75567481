//! SageMaker notebook instance.

use super::sagemaker::{list_tags, not_yet, tags, update_tags};
use super::{Deletion, Kind, Seen, Update, absent_ok, already_ok};
use crate::aws::{Aws, Class, During, Failure, Look, owns};
use crate::model::graph::{Input, State};
use crate::plan::{Change, PLAIN, Rules, To};
use aws_sdk_sagemaker::types::{DirectInternetAccess, NotebookInstanceStatus};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub struct Notebook;

const NO_SHRINKING: &str = "a volume can grow, never shrink";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// `ml.t3.medium`
    pub instance: String,
    /// GiB
    pub volume: i32,
    /// Id of the subnet.
    pub subnet: Input,
    /// Ids of security groups, sorted.
    pub security_groups: Vec<Input>,
    pub direct_internet_access: bool,
    /// ARN of the execution role.
    pub role: Input,
    /// Name of the lifecycle configuration.
    pub lifecycle_config: Input,
    /// `notebook-al2023-v1`
    pub platform: String,
    /// Whether it is started.
    pub running: Option<bool>,
    pub tags: BTreeMap<String, String>,
}

impl Kind for Notebook {
    const NAME: &'static str = "notebook";
    const RULES: Rules = Rules {
        after: &[
            "notebook_config",
            "role",
            "bucket",
            "subnet",
            "security_group",
            "route_table",
            "vpc_endpoint",
            "nat_gateway",
        ],
        immutable: &[
            ("subnet", "AWS does not move a notebook instance to another subnet"),
            ("security_groups", "the security groups of a notebook instance are chosen when it is created"),
            (
                "direct_internet_access",
                "the internet access of a notebook instance is chosen when it is created",
            ),
        ],
        blocked: |change: &Change| {
            let shrinks = match &change.to {
                To::Value(to) => change.path == "volume" && to.as_i64() < change.from.as_i64(),
                To::KnownAfterApply(_) => false,
            };
            shrinks.then_some(NO_SHRINKING)
        },
        holds_data: true,
        accept,
        poll_seconds: 10,
        limit_minutes: 60,
        // A start that has no effect is repeated after this time (fact book, trap 57).
        effect_lag_seconds: 30,
        typical_seconds: 210,
        ..PLAIN
    };
    type Props = Props;

    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let aws = look.aws;
        let (name, arn) = (aws.place.name("notebook"), aws.place.notebook_arn());
        let request = aws.sagemaker.describe_notebook_instance().notebook_instance_name(&name);
        let answer = request.send().await.during("DescribeNotebookInstance");
        let Some(found) = absent_ok(answer)? else { return Ok(Vec::new()) };
        // Most stacks have none: one request is enough to know.
        let Some(tags) = list_tags(aws, &arn).await? else { return Ok(Vec::new()) };
        let status = found.notebook_instance_status().map_or("", NotebookInstanceStatus::as_str);
        let text = |value: Option<&str>| value.unwrap_or_default().to_string();
        let mut security_groups: Vec<Input> =
            found.security_groups().iter().map(|group| group.as_str().into()).collect();
        security_groups.sort();
        Ok(vec![Seen {
            name: "main".into(),
            owned: owns(&aws.place, &tags),
            props: Props {
                instance: text(found.instance_type().map(|kind| kind.as_str())),
                volume: found.volume_size_in_gb().unwrap_or_default(),
                subnet: text(found.subnet_id()).into(),
                security_groups,
                direct_internet_access: found
                    .direct_internet_access()
                    .is_none_or(|access| *access == DirectInternetAccess::Enabled),
                role: text(found.role_arn()).into(),
                lifecycle_config: text(found.notebook_instance_lifecycle_config_name()).into(),
                platform: text(found.platform_identifier()),
                // Only a stopped one is to be started: what has failed or is on its way is told by its state.
                running: Some(status != "Stopped"),
                tags,
            },
            outputs: [
                ("name".into(), name.clone()),
                ("arn".into(), arn),
                ("status".into(), status.to_string()),
            ]
            .into(),
            state: state(status, found.failure_reason().unwrap_or("AWS gives no reason"), &name),
        }])
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        let request = aws
            .sagemaker
            .create_notebook_instance()
            .notebook_instance_name(aws.place.name("notebook"))
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
            .set_tags(tags(&want.tags));
        already_ok(not_yet(request.send().await.during("CreateNotebookInstance")), Class::Exists)
    }

    /// One step at a time: everything but tags needs a stopped instance (fact book, section 4.1), so it is
    /// stopped, changed and started again in as many looks.
    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let (want, live, name) = (&update.want, &update.live, aws.place.name("notebook"));
        update_tags(aws, &aws.place.notebook_arn(), &want.tags, &live.tags).await?;
        let settings = ["instance", "volume", "role", "lifecycle_config", "platform"];
        let is_running = live.running == Some(true);
        if settings.iter().any(|path| update.changed(path)) {
            if want.volume < live.volume {
                return Err(Failure::refused("UpdateNotebookInstance", NO_SHRINKING));
            }
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
        let request =
            aws.sagemaker.delete_notebook_instance().notebook_instance_name(aws.place.name("notebook"));
        already_ok(request.send().await.during("DeleteNotebookInstance"), Class::NotFound)
    }
}

async fn stop(aws: &Aws) -> Result<(), Failure> {
    let request = aws.sagemaker.stop_notebook_instance().notebook_instance_name(aws.place.name("notebook"));
    request.send().await.during("StopNotebookInstance").map(|_| ())
}

/// Changes a stopped instance. Only what differs is sent: a platform that AWS no longer starts may be kept
/// but not asked for.
async fn change(aws: &Aws, update: &Update<'_, Props>) -> Result<(), Failure> {
    let want = &update.want;
    let mut request =
        aws.sagemaker.update_notebook_instance().notebook_instance_name(aws.place.name("notebook"));
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

/// AWS moves old platforms on by itself, and nothing can be moved back (fact book, trap 55).
fn accept(want: &mut Value, live: &Value) {
    let (Some(wanted), Some(present)) = (want["platform"].as_str(), live["platform"].as_str()) else {
        return;
    };
    if age(present) > age(wanted) {
        want["platform"] = live["platform"].clone();
    }
}

/// The numbers in `notebook-al2023-v1`, by which platforms follow each other.
fn age(platform: &str) -> Vec<u32> {
    platform
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.parse().unwrap_or(u32::MAX))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_newer_platform_is_accepted_and_an_older_one_is_not() {
        let platform = |wanted: &str, present: &str| {
            let mut want = json!({ "platform": wanted });
            accept(&mut want, &json!({ "platform": present }));
            want["platform"].as_str().map(String::from)
        };
        assert_eq!(platform("notebook-al2-v2", "notebook-al2023-v1").as_deref(), Some("notebook-al2023-v1"));
        assert_eq!(platform("notebook-al2-v2", "notebook-al2-v3").as_deref(), Some("notebook-al2-v3"));
        assert_eq!(platform("notebook-al2023-v1", "notebook-al2-v3").as_deref(), Some("notebook-al2023-v1"));
    }

    #[test]
    fn shrinking_is_blocked_and_growing_is_not() {
        let volume = |from: i32, to: i32| Change {
            path: "volume".into(),
            from: from.into(),
            to: To::Value(to.into()),
        };
        assert_eq!((Notebook::RULES.blocked)(&volume(20, 10)), Some(NO_SHRINKING));
        assert_eq!((Notebook::RULES.blocked)(&volume(10, 20)), None);
    }
}
