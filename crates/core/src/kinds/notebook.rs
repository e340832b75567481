//! SageMaker notebook instance.

use super::Kind;
use crate::base::{Input, To};
use crate::resource::permission::{Permission, When};
use crate::resource::{Asked, PLAIN, Refusal, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub struct Notebook;

pub const NO_SHRINKING: &str = "a volume can grow, never shrink";

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
    /// Oldest version of the instance metadata service that it answers: `2` keeps the role's keys from whoever gets a
    /// program in it to fetch an address. None where AWS does not tell.
    pub metadata_version: Option<String>,
    /// ARN of the key that encrypts its volume, where the spec or a tag tells of one: of AWS's own nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// Whether it is started.
    pub running: Option<bool>,
    pub tags: BTreeMap<String, String>,
}

/// AWS moves old platforms on by itself, and nothing can be moved back (fact book, trap 55).
fn accept(want: &mut Value, live: &Value) {
    if live.is_object() && live["metadata_version"].is_null() {
        want["metadata_version"] = Value::Null;
    }
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

impl Kind for Notebook {
    const NAME: &'static str = "notebook";
    const RULES: Rules = Rules {
        passing: &["outputs.status", "outputs.url"],
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
            ("kms_key", "AWS cannot change the key of a notebook instance's volume"),
            ("subnet", "AWS cannot move a notebook instance to another subnet"),
            ("security_groups", "the security groups of a notebook instance are chosen when it is created"),
            (
                "direct_internet_access",
                "the internet access of a notebook instance is chosen when it is created",
            ),
        ],
        refuses: |asked| {
            let Asked::Change { change, .. } = asked else { return None };
            let shrinks = match &change.to {
                To::Value(to) => change.path == "volume" && to.as_i64() < change.from.as_i64(),
                To::KnownAfterApply(_) => false,
            };
            shrinks.then(|| Refusal::because(NO_SHRINKING))
        },
        holds_data: true,
        accept,
        // A start has no effect at times (fact book, trap 57).
        may_be_ignored: &["running"],
        poll_seconds: 10,
        // Six minutes at most, four to stop (fact book, table 8.2); a start may be asked for more than once.
        limit_minutes: 60,
        // It is repeated after this time.
        effect_lag_seconds: 30,
        permissions: &[
            Permission::look(
                &["sagemaker:DescribeNotebookInstance"],
                &["sagemaker:notebook-instance/{notebook}"],
            ),
            Permission::create(
                &["sagemaker:CreateNotebookInstance"],
                &["sagemaker:notebook-instance/{notebook}"],
            )
            .when(&[When::RequestTag]),
            Permission::look(&["sagemaker:ListTags"], &["sagemaker:notebook-instance/{notebook}"]),
            Permission::create(&["sagemaker:AddTags"], &["sagemaker:notebook-instance/{notebook}"])
                .when(&[When::RequestTag, When::SageMakerMakes(&["CreateNotebookInstance"])]),
            Permission::change(&["sagemaker:AddTags"], &["sagemaker:notebook-instance/{notebook}"])
                .when(&[When::OwnTag, When::RequestTagIfAny]),
            Permission::change(&["sagemaker:DeleteTags"], &["sagemaker:notebook-instance/{notebook}"])
                .when(&[When::OwnTag, When::KeepsTags]),
            // A volume with a key of one's own (botocore's model, CreateNotebookInstance; SageMaker Developer Guide, "SageMaker
            // API permissions").
            Permission::create(
                &["kms:CreateGrant", "kms:DescribeKey"],
                &["arn:{partition}:kms:{region}:{key_account}:{key}"],
            ),
            Permission::create(&["iam:PassRole"], &["iam:role/auroraml/{stack}/{region}/*"])
                .when(&[When::PassedTo("sagemaker.amazonaws.com")]),
            Permission::create(&["iam:PassRole"], &["iam:role/{used_by_notebook}"])
                .when(&[When::PassedTo("sagemaker.amazonaws.com")]),
            Permission::change(
                &[
                    "sagemaker:StartNotebookInstance",
                    "sagemaker:StopNotebookInstance",
                    "sagemaker:UpdateNotebookInstance",
                ],
                &["sagemaker:notebook-instance/{notebook}"],
            )
            .when(&[When::OwnTag]),
            Permission::delete(
                &["sagemaker:StopNotebookInstance", "sagemaker:DeleteNotebookInstance"],
                &["sagemaker:notebook-instance/{notebook}"],
            )
            .when(&[When::OwnTag]),
        ],
        ..PLAIN
    };
    type Props = Props;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Change;
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
        let refused = |change| Notebook::RULES.forbids(&change, &Value::Null);
        assert_eq!(refused(volume(20, 10)), Some(NO_SHRINKING));
        assert_eq!(refused(volume(10, 20)), None);
    }
}
