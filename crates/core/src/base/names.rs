//! The names that a stack's objects have in AWS, and the ARNs that follow from them. Pure.
//!
//! Names are deterministic, so that auroraml finds its objects again without a state file, and so that an
//! ARN is known before the object exists.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Tag that holds the stack's name, on every object that can have tags.
pub const STACK_TAG: &str = "auroraml:stack";
/// Tag that holds the resource's identity within the stack (`subnet.private-1`).
pub const RESOURCE_TAG: &str = "auroraml:resource";
/// Tag that holds the spec's `expires_after`.
pub const EXPIRES_TAG: &str = "auroraml:expires-after";
/// Tag on a cluster or a bucket: its `on_destroy`, where that is not the default, for whoever destroys without the spec.
pub const ON_DESTROY_TAG: &str = "auroraml:on-destroy";
/// Tag on a cluster that is being made: it goes when all members run the parameters for the first time.
pub const UNFINISHED_TAG: &str = "auroraml:unfinished";
/// Tags on the stack's roles and on the security groups of cluster and notebook: each name that the spec chose. Tags of
/// roles in the stack's path are the stack's own doing (docs/decisions/0020).
pub const CLUSTER_TAG: &str = "auroraml:cluster";
pub const SUBNET_GROUP_TAG: &str = "auroraml:subnet-group";
pub const PARAMETER_GROUP_TAG: &str = "auroraml:parameter-group";
pub const SECRET_TAG: &str = "auroraml:secret";
pub const NOTEBOOK_TAG: &str = "auroraml:notebook";
pub const NOTEBOOK_CONFIG_TAG: &str = "auroraml:lifecycle-configuration";
pub const NAME_TAGS: [&str; 6] =
    [CLUSTER_TAG, SUBNET_GROUP_TAG, PARAMETER_GROUP_TAG, SECRET_TAG, NOTEBOOK_TAG, NOTEBOOK_CONFIG_TAG];
/// Tag on what is encrypted with a key that the spec names: the key's ARN, for whoever has a spec that names none.
pub const KEY_TAG: &str = "auroraml:kms-key";
/// Tag on a parameter group made for an existing cluster: the group that the cluster had before.
pub const ORIGINAL_GROUP_TAG: &str = "auroraml:original-group";

/// Characters in the name of a SageMaker object (fact book, section 4.1).
pub const SAGEMAKER_NAME_MAX: usize = 63;

/// Characters in the name of a tuning or Autopilot job (botocore's model).
pub const SHORT_JOB_NAME_MAX: usize = 32;
/// Characters that the number of an attempt may take, its hyphen included.
const ATTEMPT_MAX: usize = 3;

/// Names that a spec gives where the stack's own would be others: what AWS cannot rename was there before. What AWS
/// stores in lower case is so here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub cluster: Option<String>,
    pub subnet_group: Option<String>,
    pub parameter_group: Option<String>,
    /// By name within the stack: `1`.
    pub instances: BTreeMap<String, String>,
    pub secret: Option<String>,
    pub notebook: Option<String>,
    pub notebook_config: Option<String>,
    /// ARNs of roles of others that are used in place of the stack's own, by the names of these: `sagemaker`.
    pub roles: BTreeMap<String, String>,
}

impl Names {
    /// The tags that tell them, for whoever looks without the spec or with another one. Members have tags of their own.
    pub fn tags(&self) -> BTreeMap<String, String> {
        let all = [
            (CLUSTER_TAG, &self.cluster),
            (SUBNET_GROUP_TAG, &self.subnet_group),
            (PARAMETER_GROUP_TAG, &self.parameter_group),
            (SECRET_TAG, &self.secret),
            (NOTEBOOK_TAG, &self.notebook),
            (NOTEBOOK_CONFIG_TAG, &self.notebook_config),
        ];
        all.into_iter().filter_map(|(tag, name)| Some((tag.to_string(), name.clone()?))).collect()
    }

    /// The names that these tags tell.
    pub fn told(tags: &BTreeMap<String, String>) -> Names {
        let told = |tag: &str| tags.get(tag).filter(|name| !name.is_empty()).cloned();
        Names {
            cluster: told(CLUSTER_TAG),
            subnet_group: told(SUBNET_GROUP_TAG),
            parameter_group: told(PARAMETER_GROUP_TAG),
            secret: told(SECRET_TAG),
            notebook: told(NOTEBOOK_TAG),
            notebook_config: told(NOTEBOOK_CONFIG_TAG),
            ..Names::default()
        }
    }
}

/// What stands in names and ARNs for what only CloudFormation knows, in a graph that becomes a template. Private
/// characters of Unicode, which no spec has.
pub mod unknown {
    pub const ACCOUNT: &str = "\u{E000}";
    pub const REGION: &str = "\u{E001}";
    pub const PARTITION: &str = "\u{E002}";
    /// The account that holds SageMaker's built-in images in the region.
    pub const REGISTRY: &str = "\u{E003}";
    /// `amazonaws.com`
    pub const SUFFIX: &str = "\u{E004}";
    /// The range of a VPC of others.
    pub const VPC_RANGE: &str = "\u{E005}";
    /// Stands before, between and after what a template's output is called by: the stack, and the output.
    pub const OUTPUT: char = '\u{E006}';
    /// The first of the region's zones; the others follow it.
    pub const ZONE: char = '\u{E010}';
    pub const ZONES: usize = 16;
}

/// Where a stack lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub stack: String,
    pub region: String,
    pub account: String,
    /// Those that the spec gives.
    pub names: Names,
}

impl Place {
    /// Of a stack whose objects all have the names that auroraml chooses.
    pub fn new(stack: impl Into<String>, region: impl Into<String>, account: impl Into<String>) -> Place {
        let (stack, region, account) = (stack.into(), region.into(), account.into());
        Place { stack, region, account, names: Names::default() }
    }

    /// With the names that a spec gives.
    pub fn with(self, names: Names) -> Place {
        Place { names, ..self }
    }

    /// Any account and any region: see [`unknown`].
    pub fn anywhere(stack: &str) -> Place {
        Place::new(stack, unknown::REGION, unknown::ACCOUNT)
    }

    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub fn partition(&self) -> &'static str {
        match self.region.as_str() {
            unknown::REGION => unknown::PARTITION,
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region, self.account)
    }

    /// `churn-writer-1` for `writer-1`. RDS stores identifiers in lower case; stack names are lower case.
    pub fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.stack)
    }

    /// The stack's cluster, parameter group and subnet group all carry the stack's own name, if the spec gives no other.
    pub fn cluster(&self) -> String {
        self.names.cluster.clone().unwrap_or_else(|| self.stack.clone())
    }
    pub fn cluster_arn(&self, cluster: &str) -> String {
        self.arn("rds", &format!("cluster:{}", cluster.to_ascii_lowercase()))
    }
    pub fn parameter_group(&self) -> String {
        self.names.parameter_group.clone().unwrap_or_else(|| self.stack.clone())
    }
    pub fn parameter_group_arn(&self) -> String {
        self.arn("rds", &format!("cluster-pg:{}", self.parameter_group()))
    }
    pub fn subnet_group(&self) -> String {
        self.names.subnet_group.clone().unwrap_or_else(|| self.stack.clone())
    }
    pub fn subnet_group_arn(&self) -> String {
        self.arn("rds", &format!("subgrp:{}", self.subnet_group()))
    }
    /// The member of this name within the stack: `1`.
    pub fn instance(&self, name: &str) -> String {
        self.names.instances.get(name).cloned().unwrap_or_else(|| self.name(name))
    }
    /// Of an object of RDS by what its ARN calls the kind: `subgrp`.
    pub fn rds_arn(&self, kind: &str, name: &str) -> String {
        self.arn("rds", &format!("{kind}:{name}"))
    }
    pub fn instance_arn(&self, instance: &str) -> String {
        self.arn("rds", &format!("db:{instance}"))
    }

    /// IAM is global, so the role's path and name carry the region.
    pub fn role_path(&self) -> String {
        format!("/auroraml/{}/{}/", self.stack, self.region)
    }
    pub fn role(&self, name: &str) -> String {
        format!("{}-{}-{name}", self.stack, self.region)
    }
    /// What the ARN of every role of this stack begins with.
    pub fn role_arn_prefix(&self) -> String {
        self.own_role_arn("")
    }
    /// The role that is used: one of others, or else the stack's own.
    pub fn role_arn(&self, name: &str) -> String {
        self.names.roles.get(name).cloned().unwrap_or_else(|| self.own_role_arn(name))
    }
    /// The stack's own role, used or not.
    pub fn own_role_arn(&self, name: &str) -> String {
        format!("arn:{}:iam::{}:role{}{}", self.partition(), self.account, self.role_path(), self.role(name))
    }

    /// Names of buckets are global; "sagemaker" in it is what SageMaker's managed policy looks for.
    pub fn bucket(&self) -> String {
        format!("{}-sagemaker-{}-{}", self.stack, self.account, self.region)
    }
    pub fn bucket_arn(&self, bucket: &str) -> String {
        format!("arn:{}:s3:::{bucket}", self.partition())
    }

    pub fn secret(&self) -> String {
        self.names.secret.clone().unwrap_or_else(|| format!("auroraml/{}/master", self.stack))
    }
    /// With the wildcard that stands for the random suffix which Secrets Manager adds.
    pub fn secret_arn_pattern(&self) -> String {
        self.arn("secretsmanager", &format!("secret:{}-??????", self.secret()))
    }

    /// SageMaker ARNs hold names in lower case (fact book, section 2.5).
    pub fn endpoint_arn(&self, endpoint: &str) -> String {
        self.arn("sagemaker", &format!("endpoint/{}", endpoint.to_ascii_lowercase()))
    }
    pub fn notebook(&self) -> String {
        self.names.notebook.clone().unwrap_or_else(|| self.name("notebook"))
    }
    pub fn notebook_config(&self) -> String {
        self.names.notebook_config.clone().unwrap_or_else(|| self.name("notebook"))
    }
    pub fn notebook_arn(&self) -> String {
        self.sagemaker_arn("notebook-instance", &self.notebook())
    }
    pub fn sagemaker_arn(&self, kind: &str, name: &str) -> String {
        self.arn("sagemaker", &format!("{kind}/{}", name.to_ascii_lowercase()))
    }
    /// Name of a model or endpoint configuration, whose name within the stack ends in a hash of all that it is.
    /// SageMaker allows 63 characters: what is too much is cut out before the hash.
    pub fn hashed_name(&self, name: &str) -> String {
        let full = self.name(name);
        let excess = full.chars().count().saturating_sub(SAGEMAKER_NAME_MAX);
        match full.rsplit_once('-') {
            Some((head, hash)) if excess > 0 => {
                let kept = head.chars().count().saturating_sub(excess);
                format!("{}-{hash}", head.chars().take(kept).collect::<String>())
            }
            _ => full,
        }
    }
    /// Name of a job's attempt, counted from 1: that of a model, with the number of a later attempt behind it. `max`:
    /// characters that AWS takes. Names of jobs stay taken for ever.
    pub fn job_name(&self, name: &str, attempt: u64, max: usize) -> String {
        let full = self.name(name);
        let excess = full.chars().count().saturating_sub(max - ATTEMPT_MAX);
        let base = match full.rsplit_once('-') {
            Some((head, hash)) if excess > 0 => {
                let kept = head.chars().count().saturating_sub(excess);
                let head: String = head.chars().take(kept).collect();
                format!("{}-{hash}", head.trim_end_matches('-'))
            }
            _ => full,
        };
        if attempt > 1 { format!("{base}-{attempt}") } else { base }
    }
    pub fn bedrock_model_arn(&self, model: &str) -> String {
        format!("arn:{}:bedrock:{}::foundation-model/{model}", self.partition(), self.region)
    }
}

/// The first eight hexadecimal digits of the SHA-256 of `content`: the suffix of names of things that
/// cannot change.
pub fn short_hash(content: &[u8]) -> String {
    Sha256::digest(content).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_names_fit() {
        let place = Place::new("a".repeat(24), "ap-southeast-1", "111122223333");
        assert!(place.role("endpoint-model").len() <= 64);
        assert!(place.bucket().len() <= 63);
        assert!(place.name("notebook").len() <= 63);
        let name = format!("{}-01234567", "e".repeat(63));
        assert_eq!(place.hashed_name(&name).len(), SAGEMAKER_NAME_MAX);
        assert!(place.hashed_name(&name).ends_with("e-01234567"));
        assert_eq!(place.hashed_name("churn-01234567"), place.name("churn-01234567"));
    }

    #[test]
    fn names_of_jobs_have_room_for_the_attempt() {
        let place = Place::new("a".repeat(24), "ap-southeast-1", "111122223333");
        let name = format!("{}-01234567", "e".repeat(63));
        for max in [SAGEMAKER_NAME_MAX, SHORT_JOB_NAME_MAX] {
            let first = place.job_name(&name, 1, max);
            assert!(first.ends_with("-01234567") && first.len() <= max - 3, "{first}");
            assert_eq!(place.job_name(&name, 12, max), format!("{first}-12"));
        }
        let churn = Place { stack: "churn".into(), ..place };
        assert_eq!(churn.job_name("x-01234567", 1, SHORT_JOB_NAME_MAX), "churn-x-01234567");
    }

    #[test]
    fn arns() {
        let place = Place::new("s", "cn-north-1", "1");
        assert_eq!(place.role_arn("x"), "arn:aws-cn:iam::1:role/auroraml/s/cn-north-1/s-cn-north-1-x");
        assert_eq!(place.endpoint_arn("Churn"), "arn:aws-cn:sagemaker:cn-north-1:1:endpoint/churn");
        assert_eq!(short_hash(b"").len(), 8);
    }
}
