//! Settings that no field of a spec is about, and what auroraml leaves them at: AWS's default, or what its own creates
//! ask for. Someone who changes one by hand changes the stack all the same.

use super::Severity;
use serde_json::Value;

/// One setting of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub kind: &'static str,
    pub path: &'static str,
    /// What it is in a stack that nobody has touched, as JSON.
    want: &'static str,
    pub severity: Severity,
    /// What it means that it is otherwise.
    pub why: &'static str,
}

impl Setting {
    pub fn want(&self) -> Value {
        serde_json::from_str(self.want).unwrap_or_default()
    }
}

const fn setting(
    kind: &'static str,
    path: &'static str,
    want: &'static str,
    severity: Severity,
    why: &'static str,
) -> Setting {
    Setting { kind, path, want, severity, why }
}

pub const SETTINGS: &[Setting] = &[
    setting(
        "vpc",
        "dns_support",
        "true",
        Severity::Wiring,
        "DNS is switched off in the VPC: names of endpoints and of the cluster lead nowhere",
    ),
    setting(
        "vpc_endpoint",
        "policy",
        "\"full access\"",
        Severity::Wiring,
        "the endpoint has a policy of its own: it may refuse calls",
    ),
    setting("cluster", "storage_encrypted", "true", Severity::Security, "the storage is not encrypted"),
    setting("cluster", "copy_tags_to_snapshot", "true", Severity::Settings, "snapshots do not get the tags"),
    setting(
        "cluster",
        "iam_authentication",
        "false",
        Severity::Security,
        "IAM identities may log in to the database",
    ),
    setting(
        "cluster",
        "log_exports",
        "[]",
        Severity::Cost,
        "logs are sent to CloudWatch, which stores and bills them",
    ),
    setting(
        "cluster",
        "extended_support",
        "\"open-source-rds-extended-support-disabled\"",
        Severity::Cost,
        "a version that leaves standard support is kept, and billed per vCPU and hour",
    ),
    setting(
        "instance",
        "publicly_accessible",
        "false",
        Severity::Security,
        "the member has a public address",
    ),
    setting(
        "instance",
        "own_parameter_group",
        "null",
        Severity::Settings,
        "the member has a parameter group of its own, which overrides the cluster's",
    ),
    setting(
        "instance",
        "performance_insights",
        "false",
        Severity::Cost,
        "Performance Insights is on, and may be billed",
    ),
    setting(
        "instance",
        "monitoring_interval",
        "0",
        Severity::Cost,
        "Enhanced Monitoring is on, and writes to CloudWatch Logs, which bills it",
    ),
    setting("secret", "rotation", "false", Severity::Security, "the password is rotated by somebody else"),
    setting("secret", "kms_key", "null", Severity::Security, "the secret has another key"),
    setting(
        "bucket",
        "encryption",
        "\"AES256\"",
        Severity::Security,
        "new objects are encrypted with another key, which readers must be allowed to use",
    ),
    setting(
        "bucket",
        "object_ownership",
        "\"BucketOwnerEnforced\"",
        Severity::Security,
        "access lists of objects count again",
    ),
    setting("bucket", "lifecycle_rules", "0", Severity::Settings, "rules move or delete objects"),
    setting(
        "bucket",
        "notifications",
        "0",
        Severity::Settings,
        "what happens in the bucket is sent elsewhere",
    ),
    setting("bucket", "replication_rules", "0", Severity::Security, "objects are copied to another bucket"),
    setting(
        "notebook",
        "root_access",
        "\"Enabled\"",
        Severity::Settings,
        "users of the notebook are not root",
    ),
    setting(
        "notebook",
        "repositories",
        "[]",
        Severity::Security,
        "code from a repository is put on the notebook",
    ),
    setting(
        "endpoint",
        "weights",
        "{\"AllTraffic\":1.0}",
        Severity::Wiring,
        "traffic is spread over variants in another way",
    ),
    setting(
        "endpoint",
        "instances_beyond_configuration",
        "0",
        Severity::Cost,
        "it runs on more or fewer instances than its configuration says",
    ),
    setting(
        "endpoint_config",
        "other_variants",
        "[]",
        Severity::Wiring,
        "the configuration has variants that auroraml did not make",
    ),
    setting(
        "endpoint_config",
        "data_capture",
        "false",
        Severity::Security,
        "requests and answers are written to S3",
    ),
    setting(
        "model",
        "network_isolation",
        "false",
        Severity::Settings,
        "the container cannot reach the network",
    ),
    setting("model", "vpc", "[]", Severity::Settings, "the container runs in a VPC"),
];
