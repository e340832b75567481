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
        "DNS is off in the VPC: the names of endpoints and cluster do not resolve",
    ),
    setting(
        "vpc_endpoint",
        "policy",
        "\"full access\"",
        Severity::Wiring,
        "the endpoint has its own policy, which may deny calls",
    ),
    setting("cluster", "storage_encrypted", "true", Severity::Security, "the storage is not encrypted"),
    setting("cluster", "copy_tags_to_snapshot", "true", Severity::Settings, "snapshots are not tagged"),
    setting(
        "cluster",
        "iam_authentication",
        "false",
        Severity::Security,
        "IAM identities can log in to the database",
    ),
    setting("cluster", "log_exports", "[]", Severity::Cost, "logs are sent to CloudWatch, which costs money"),
    setting(
        "cluster",
        "extended_support",
        "\"open-source-rds-extended-support-disabled\"",
        Severity::Cost,
        "a version is kept after standard support ends, which costs money per vCPU and hour",
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
        "the member has its own parameter group, which overrides the cluster's",
    ),
    setting(
        "instance",
        "performance_insights",
        "false",
        Severity::Cost,
        "Performance Insights is on, which may cost money",
    ),
    setting(
        "instance",
        "monitoring_interval",
        "0",
        Severity::Cost,
        "Enhanced Monitoring is on and writes to CloudWatch Logs, which costs money",
    ),
    setting("secret", "rotation", "false", Severity::Security, "someone else rotates the password"),
    setting("secret", "kms_key", "null", Severity::Security, "the secret has a different key"),
    setting(
        "bucket",
        "encryption",
        "\"AES256\"",
        Severity::Security,
        "new objects are encrypted with a different key, which readers must be allowed to use",
    ),
    setting(
        "bucket",
        "object_ownership",
        "\"BucketOwnerEnforced\"",
        Severity::Security,
        "access lists of objects are in force again",
    ),
    setting("bucket", "lifecycle_rules", "0", Severity::Settings, "rules move or delete objects"),
    setting("bucket", "notifications", "0", Severity::Settings, "events in the bucket are sent elsewhere"),
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
        "the notebook checks out code from a repository",
    ),
    setting(
        "endpoint",
        "weights",
        "{\"AllTraffic\":1.0}",
        Severity::Wiring,
        "traffic is distributed differently over the variants",
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
        "the configuration has variants that auroraml did not create",
    ),
    setting(
        "endpoint_config",
        "data_capture",
        "false",
        Severity::Security,
        "requests and responses are written to S3",
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
