//! What SQL may call.

use super::INDENTED;
use super::fields::fields;
use super::form::{Form, mismatch};
use super::node::{Node, Value};
use super::reader::Reader;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

fields! {
    /// Each entry is an IAM role, its association with the cluster, and the cluster parameter, as one unit.
    pub struct MachineLearning in "machine_learning" (hint: INDENTED) {
        /// Calls of SageMaker endpoints.
        sagemaker: Option<SagemakerAccess> {
            type: "`{ endpoints: [NAME] }`",
            default_is: "off",
            meaning: "SQL can call these of the `endpoints` (`aws_default_sagemaker_role`)",
        }
        /// Calls of Amazon Comprehend: sentiment of text.
        comprehend: bool {
            meaning: "SQL can detect the sentiment of text (`aws_default_comprehend_role`)",
        }
        /// LOAD DATA FROM S3 and SELECT INTO OUTFILE S3: `true` means the stack's own bucket.
        s3: S3Access {
            meaning: "`LOAD DATA FROM S3` and `SELECT INTO OUTFILE S3` (`aws_default_s3_role`) with the stack's own bucket; `buckets` adds existing ones",
        }
        /// Calls of foundation models in Amazon Bedrock; Aurora MySQL 3.06 or newer.
        bedrock: Option<BedrockAccess> {
            type: "`{ models: [ID] }`",
            default_is: "off",
            meaning: "SQL can call these foundation `models` (`aws_default_bedrock_role`); Aurora MySQL 3.06 or newer",
        }
    }
}

fields! {
    pub struct SagemakerAccess in "machine_learning.sagemaker" (
        hint: "write `sagemaker: { endpoints: [NAME] }` with names from `endpoints`"
    ) {
        /// Names of endpoints in `endpoints` that SQL may call.
        endpoints: Vec<String> {
            required: "write `sagemaker: { endpoints: [NAME] }` with names from `endpoints`",
            meaning: "SQL may call these of `endpoints`",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum S3Access {
    Own(bool),
    Buckets(S3Buckets),
}

impl Default for S3Access {
    fn default() -> S3Access {
        S3Access::Own(false)
    }
}

impl Form for S3Access {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<S3Access> {
        match &node.value {
            Value::Bool(own) => Some(S3Access::Own(*own)),
            Value::Map(_) => S3Buckets::read(node, path, reader).map(S3Access::Buckets),
            _ => {
                let hint = "write `s3: true` for the stack's own bucket, or `s3: { buckets: [NAME] }`";
                mismatch(node, path, reader, "a boolean or a mapping", hint)
            }
        }
    }
    fn in_words() -> String {
        "`true` or `{ buckets: [NAME] }`".to_owned()
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<S3Access>()
    }
    fn given(&self, path: &str, found: &mut Vec<String>) {
        if let S3Access::Buckets(buckets) = self {
            buckets.given(path, found);
        }
    }
}

fields! {
    pub struct S3Buckets in "machine_learning.s3" (
        hint: "write `s3: true` for the stack's own bucket, or `s3: { buckets: [NAME] }`"
    ) {
        /// Names of existing buckets, in addition to the stack's own.
        buckets: Vec<String> {
            required: "write `s3: true` for the stack's own bucket, or `s3: { buckets: [NAME] }`",
            meaning: "existing buckets, in addition to the stack's own",
        }
    }
}

fields! {
    pub struct BedrockAccess in "machine_learning.bedrock" (hint: "write `bedrock: { models: [MODEL-ID] }`") {
        /// Foundation model ids, such as `amazon.titan-text-lite-v1`.
        models: Vec<String> {
            required: "write `bedrock: { models: [MODEL-ID] }`",
            meaning: "foundation models",
        }
    }
}
