//! Roles of others that the stack uses in place of its own.

use super::fields::fields;

fields! {
    /// Existing IAM roles that are used in place of the stack's own: they are never changed or deleted.
    pub struct Roles in "roles" (hint: "write `roles: { sagemaker: ROLE-ARN }`") {
        /// The role with which the cluster calls SageMaker.
        sagemaker: Option<String> {
            type: "ARN of a role",
            default_is: "the stack's own",
            meaning: "with which the cluster calls SageMaker",
        }
        /// The role with which the cluster calls Comprehend.
        comprehend: Option<String> {
            type: "ARN of a role",
            default_is: "the stack's own",
            meaning: "with which the cluster calls Comprehend",
        }
        /// The role with which the cluster reads and writes S3.
        s3: Option<String> {
            type: "ARN of a role",
            default_is: "the stack's own",
            meaning: "with which the cluster reads and writes S3",
        }
        /// The role with which the cluster calls Bedrock.
        bedrock: Option<String> {
            type: "ARN of a role",
            default_is: "the stack's own",
            meaning: "with which the cluster calls Bedrock",
        }
        /// The role of the notebook.
        notebook: Option<String> {
            type: "ARN of a role",
            default_is: "the stack's own",
            meaning: "of the notebook, and of the jobs and models that it makes",
        }
        /// The execution role of the models that the stack hosts.
        model: Option<String> {
            type: "ARN of a role",
            default_is: "the stack's own",
            meaning: "of the models that the stack hosts",
        }
        /// The execution role of training and Autopilot jobs.
        training: Option<String> {
            type: "ARN of a role",
            default_is: "the stack's own",
            meaning: "of training and Autopilot jobs",
        }
    }
}

impl Roles {
    /// Those that are given, by the name that the stack's own role has within the stack.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("sagemaker", &self.sagemaker),
            ("comprehend", &self.comprehend),
            ("s3", &self.s3),
            ("bedrock", &self.bedrock),
            ("notebook", &self.notebook),
            ("model", &self.model),
            ("training", &self.training),
        ];
        all.into_iter().filter_map(|(name, arn)| Some((name, arn.as_deref()?)))
    }
}
