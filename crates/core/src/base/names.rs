//! The names that a stack's objects have in AWS, and the ARNs that follow from them. Pure.
//!
//! Names are deterministic, so that auroraml finds its objects again without a state file, and so that an
//! ARN is known before the object exists.

use sha2::{Digest, Sha256};

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
/// Tag on a parameter group made for an existing cluster: the group that the cluster had before.
pub const ORIGINAL_GROUP_TAG: &str = "auroraml:original-group";

/// Characters in the name of a SageMaker object (fact book, section 4.1).
pub const SAGEMAKER_NAME_MAX: usize = 63;

/// Characters in the name of a tuning or Autopilot job (botocore's model).
pub const SHORT_JOB_NAME_MAX: usize = 32;
/// Characters that the number of an attempt may take, its hyphen included.
const ATTEMPT_MAX: usize = 3;

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
}

impl Place {
    /// Any account and any region: see [`unknown`].
    pub fn anywhere(stack: &str) -> Place {
        Place { stack: stack.into(), region: unknown::REGION.into(), account: unknown::ACCOUNT.into() }
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

    /// The stack's cluster, parameter group and subnet group all carry the stack's own name.
    pub fn cluster(&self) -> String {
        self.stack.clone()
    }
    pub fn cluster_arn(&self, cluster: &str) -> String {
        self.arn("rds", &format!("cluster:{}", cluster.to_ascii_lowercase()))
    }
    pub fn parameter_group_arn(&self) -> String {
        self.arn("rds", &format!("cluster-pg:{}", self.cluster()))
    }
    pub fn subnet_group_arn(&self) -> String {
        self.arn("rds", &format!("subgrp:{}", self.cluster()))
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
        self.role_arn("")
    }
    pub fn role_arn(&self, name: &str) -> String {
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
        format!("auroraml/{}/master", self.stack)
    }
    /// With the wildcard that stands for the random suffix which Secrets Manager adds.
    pub fn secret_arn_pattern(&self) -> String {
        self.arn("secretsmanager", &format!("secret:{}-??????", self.secret()))
    }

    /// SageMaker ARNs hold names in lower case (fact book, section 2.5).
    pub fn endpoint_arn(&self, endpoint: &str) -> String {
        self.arn("sagemaker", &format!("endpoint/{}", endpoint.to_ascii_lowercase()))
    }
    pub fn notebook_arn(&self) -> String {
        self.arn("sagemaker", &format!("notebook-instance/{}", self.name("notebook")))
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
        let place =
            Place { stack: "a".repeat(24), region: "ap-southeast-1".into(), account: "111122223333".into() };
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
        let place =
            Place { stack: "a".repeat(24), region: "ap-southeast-1".into(), account: "111122223333".into() };
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
        let place = Place { stack: "s".into(), region: "cn-north-1".into(), account: "1".into() };
        assert_eq!(place.role_arn("x"), "arn:aws-cn:iam::1:role/auroraml/s/cn-north-1/s-cn-north-1-x");
        assert_eq!(place.endpoint_arn("Churn"), "arn:aws-cn:sagemaker:cn-north-1:1:endpoint/churn");
        assert_eq!(short_hash(b"").len(), 8);
    }
}
