//! A notebook instance and its seven states: fact book, section 4.1.

use super::answers::{arn, invalid};
use crate::call::Call;
use crate::wire::Fault;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notebook {
    pub name: String,
    pub status: Status,
    pub failure: Option<String>,
    pub instance_type: String,
    pub role: String,
    pub subnet: Option<String>,
    pub security_groups: Vec<String>,
    /// The interface that SageMaker keeps in the customer's subnet as long as the notebook exists.
    pub network_interface: Option<String>,
    pub kms_key: Option<String>,
    pub lifecycle_config: Option<String>,
    pub direct_internet_access: String,
    pub volume_gb: u64,
    pub default_repository: Option<String>,
    pub additional_repositories: Vec<String>,
    pub root_access: String,
    pub platform: String,
    pub ip_address_type: String,
    pub metadata_version: String,
    /// Milliseconds since the Unix epoch.
    pub created: u64,
    /// Milliseconds since the Unix epoch.
    pub modified: u64,
}

/// Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Ends in `InService`, or in `Failed` if there is a reason to fail.
    Pending {
        until: u64,
        failure: Option<String>,
    },
    InService,
    Stopping {
        until: u64,
    },
    Stopped,
    Failed,
    Deleting {
        until: u64,
    },
    Updating {
        until: u64,
    },
}

impl Status {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Status::Pending { .. } => "Pending",
            Status::InService => "InService",
            Status::Stopping { .. } => "Stopping",
            Status::Stopped => "Stopped",
            Status::Failed => "Failed",
            Status::Deleting { .. } => "Deleting",
            Status::Updating { .. } => "Updating",
        }
    }
}

impl Notebook {
    /// Brings the status to the time `now`; false when the notebook is gone.
    pub(super) fn settle(&mut self, now: u64) -> bool {
        let (until, next) = match &mut self.status {
            Status::Pending { until, failure } => (
                *until,
                match failure.take() {
                    Some(reason) if now >= *until => {
                        self.failure = Some(reason);
                        Status::Failed
                    }
                    reason => {
                        *failure = reason;
                        Status::InService
                    }
                },
            ),
            Status::Stopping { until } | Status::Updating { until } => (*until, Status::Stopped),
            Status::Deleting { until } => return now < *until,
            Status::InService | Status::Stopped | Status::Failed => return true,
        };
        if now >= until {
            self.status = next;
            self.modified = until;
        }
        true
    }

    /// Refuses a change of state from a state that does not allow it.
    pub(super) fn check(&self, call: &Call, from: &[&str], to: &str) -> Result<(), Fault> {
        let status = self.status.name();
        if from.contains(&status) {
            return Ok(());
        }
        Err(invalid(format!(
            "Status ({status}) not in ([{}]). Unable to transition to ({to}) for Notebook Instance ({})",
            from.join(", "),
            arn(call, "notebook-instance", &self.name)
        )))
    }

    pub(super) fn uses_instance(&self) -> bool {
        matches!(self.status, Status::Pending { .. } | Status::InService | Status::Stopping { .. })
    }

    pub(super) fn url(&self, region: &str) -> String {
        format!("{}.notebook.{region}.sagemaker.aws", self.name.to_ascii_lowercase())
    }
}
