//! Roles of others that the stack uses in place of its own.

use super::fields::fields;

fields! {
    /// Existing IAM roles to use instead of the stack's own. They are never changed or deleted.
    pub struct Roles in "roles" (hint: "write `roles: { sagemaker: ROLE-ARN }`") {
        /// The role that lets the cluster call SageMaker.
        sagemaker: Option<String> {
            type: "ARN of a role",
            default_is: "the stack's own",
            meaning: "the cluster calls SageMaker with it",
        }
        /// The role that lets the cluster call Comprehend.
        comprehend: Option<String> {
            type: "ARN of a role",
            default_is: "the stack's own",
            meaning: "the cluster calls Comprehend with it",
        }
        /// The role that lets the cluster read and write S3.
        s3: Option<String> {
            type: "ARN of a role",
            default_is: "the stack's own",
            meaning: "the cluster reads and writes S3 with it",
        }
        /// The role that lets the cluster call Bedrock.
        bedrock: Option<String> {
            type: "ARN of a role",
            default_is: "the stack's own",
            meaning: "the cluster calls Bedrock with it",
        }
        /// The role of the notebook.
        notebook: Option<String> {
            type: "ARN of a role",
            default_is: "the stack's own",
            meaning: "used by the notebook, and by the jobs and models that it creates",
        }
        /// The execution role of the models that the stack hosts.
        model: Option<String> {
            type: "ARN of a role",
            default_is: "the stack's own",
            meaning: "used by the models that the stack hosts",
        }
        /// The execution role of training and Autopilot jobs.
        training: Option<String> {
            type: "ARN of a role",
            default_is: "the stack's own",
            meaning: "used by training and Autopilot jobs",
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
