//! The stable names of everything that preflight finds. docs/preflight.md has a section for each.

use std::fmt;

macro_rules! codes {
    ($($variant:ident = $text:literal,)*) => {
        /// What kind of reason it is that a plan cannot be carried out here. People and scripts know it by its text, so a
        /// text never changes its meaning, and is not used again when its check is gone.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($variant,)*
        }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$variant,)*];

            pub fn text(self) -> &'static str {
                match self {
                    $(Code::$variant => $text,)*
                }
            }
        }
    };
}

codes! {
    // Quotas.
    VpcQuota = "vpc-quota",
    AddressQuota = "address-quota",
    InternetGatewayQuota = "internet-gateway-quota",
    NatGatewayQuota = "nat-gateway-quota",
    GatewayEndpointQuota = "gateway-endpoint-quota",
    RuleQuota = "security-group-rule-quota",
    ClusterQuota = "cluster-quota",
    InstanceQuota = "instance-quota",
    ParameterGroupQuota = "parameter-group-quota",
    SubnetGroupQuota = "subnet-group-quota",
    SnapshotQuota = "snapshot-quota",
    ClusterRoleQuota = "cluster-role-quota",
    RoleMissing = "role-missing",
    RoleQuota = "role-quota",
    RolePolicySize = "role-policy-size",
    EndpointInstanceQuota = "endpoint-instance-quota",
    EndpointTotalQuota = "endpoint-total-quota",
    NotebookInstanceQuota = "notebook-instance-quota",
    NotebookTotalQuota = "notebook-total-quota",
    TrainingInstanceQuota = "training-instance-quota",
    SpotInstanceQuota = "spot-instance-quota",
    // Names that are taken.
    InstanceNameTaken = "instance-name-taken",
    RoleNameTaken = "role-name-taken",
    NameChanged = "name-changed",
    SnapshotNameTaken = "snapshot-name-taken",
    // The network.
    NetworkMissing = "network-missing",
    ZonesTooFew = "zones-too-few",
    EndpointServiceRegion = "endpoint-service-region",
    EndpointServiceZone = "endpoint-service-zone",
    SubnetRangeTaken = "subnet-range-taken",
    SubnetFull = "subnet-full",
    VpcDnsOff = "vpc-dns-off",
    EndpointNameTaken = "endpoint-name-taken",
    PeerGroupMissing = "peer-group-missing",
    PeerGroupElsewhere = "peer-group-elsewhere",
    // The database.
    EngineVersionUnavailable = "engine-version-unavailable",
    ClassRegion = "class-region",
    ClassZone = "class-zone",
    ParameterUnknown = "parameter-unknown",
    ParameterFixed = "parameter-fixed",
    ParameterValue = "parameter-value",
    DataApiVersion = "data-api-version",
    DataApiOff = "data-api-off",
    DatabaseSecretMissing = "database-secret-missing",
    GlobalDatabase = "global-database",
    ClusterUnproven = "cluster-unproven",
    // An existing cluster.
    ClusterMissing = "cluster-missing",
    ClusterStopped = "cluster-stopped",
    ClusterUnusable = "cluster-unusable",
    ClusterEngine = "cluster-engine",
    ClusterVersion = "cluster-version",
    ClusterChanged = "cluster-changed",
    CloudformationBusy = "cloudformation-busy",
    GroupRoles = "group-roles",
    GroupOutdated = "group-outdated",
    GroupUntagged = "group-untagged",
    OriginalGroupMissing = "original-group-missing",
    // What CloudFormation made.
    OwnedByCloudformation = "owned-by-cloudformation",
    ReleaseRefused = "release-refused",
    TakenOver = "taken-over",
    // Models, rows, files.
    ArtifactMissing = "artifact-missing",
    ArtifactRegion = "artifact-region",
    ArtifactDenied = "artifact-denied",
    RowsMissing = "rows-missing",
    RowsRegion = "rows-region",
    ImageRegion = "image-region",
    FileUnreadable = "file-unreadable",
    NotebookScriptSize = "notebook-script-size",
    // Who may.
    BoundaryMissing = "boundary-missing",
    PermissionDenied = "permission-denied",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::Code;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_words_and_each_is_one_thing() {
        let texts: BTreeSet<&str> = Code::ALL.iter().map(|code| code.text()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        assert!(texts.iter().all(|text| text.split('-').all(is_word)), "{texts:?}");
        assert!(texts.len() >= 30);
    }
}
