//! The database roles by which Aurora lets a user call other services (fact book, section 2.3).

/// A role, and the part of `machine_learning` without which it lets nobody do anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// As a spec names it: `load_s3`.
    pub key: &'static str,
    /// As Aurora names it.
    pub name: &'static str,
    /// `s3`
    pub ability: &'static str,
}

pub const ROLES: [Role; 5] = [
    Role { key: "sagemaker", name: "AWS_SAGEMAKER_ACCESS", ability: "sagemaker" },
    Role { key: "comprehend", name: "AWS_COMPREHEND_ACCESS", ability: "comprehend" },
    Role { key: "load_s3", name: "AWS_LOAD_S3_ACCESS", ability: "s3" },
    Role { key: "select_s3", name: "AWS_SELECT_S3_ACCESS", ability: "s3" },
    Role { key: "bedrock", name: "AWS_BEDROCK_ACCESS", ability: "bedrock" },
];

/// The role that a spec names so.
pub fn named(key: &str) -> Option<Role> {
    ROLES.into_iter().find(|role| role.key == key)
}
