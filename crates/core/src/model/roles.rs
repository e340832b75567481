//! Who may do what: the policies of every role of a stack, no wider than its spec.

use super::Builder;
use crate::base::policy::{document, trust};
use crate::base::{Id, Input};
use crate::kinds::role;
use crate::spec::S3Access;
use serde_json::{Value, json};

pub(super) const AURORA: &str = "rds.amazonaws.com";
pub(super) const SAGEMAKER: &str = "sagemaker.amazonaws.com";

fn allow(actions: &[&str], resources: impl IntoIterator<Item = String>) -> Value {
    let resources: Vec<String> = resources.into_iter().collect();
    json!({"Effect": "Allow", "Action": actions, "Resource": resources})
}

fn everything() -> [String; 1] {
    ["*".to_string()]
}

impl Builder<'_> {
    pub(super) fn role(
        &mut self,
        name: &str,
        service: &str,
        source: Option<&str>,
        statements: Vec<Value>,
    ) -> Id {
        let id = Id::new("role", name);
        let props = role::Props {
            trust: trust(service, &self.place.account, source),
            policy: document(statements),
            boundary: self.spec.permissions_boundary.clone(),
            tags: self.tags(&id),
        };
        self.graph.add(id, props).predict("arn", self.place.role_arn(name)).id()
    }

    /// What Aurora may do in each role; actions: fact book, section 2.5.
    pub(super) fn aurora_statements(&self, name: &str) -> Option<Vec<Value>> {
        let wish = &self.spec.machine_learning;
        match name {
            "sagemaker" => {
                let endpoints = &wish.sagemaker.as_ref()?.endpoints;
                let arns = endpoints.iter().map(|endpoint| self.place.endpoint_arn(endpoint));
                Some(vec![allow(&["sagemaker:InvokeEndpoint"], arns)])
            }
            "comprehend" => wish.comprehend.then(|| {
                vec![allow(&["comprehend:DetectSentiment", "comprehend:BatchDetectSentiment"], everything())]
            }),
            "s3" => {
                let buckets = self.s3_buckets();
                let arns = || buckets.iter().map(|bucket| self.place.bucket_arn(bucket));
                let list = ["s3:ListBucket", "s3:GetBucketLocation"];
                let objects = [
                    "s3:GetObject",
                    "s3:GetObjectVersion",
                    "s3:PutObject",
                    "s3:DeleteObject",
                    "s3:AbortMultipartUpload",
                    "s3:ListMultipartUploadParts",
                ];
                (!buckets.is_empty()).then(|| {
                    vec![allow(&list, arns()), allow(&objects, arns().map(|arn| format!("{arn}/*")))]
                })
            }
            "bedrock" => {
                let models = &wish.bedrock.as_ref()?.models;
                let arns = models.iter().map(|model| self.place.bedrock_model_arn(model));
                Some(vec![allow(&["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"], arns)])
            }
            _ => None,
        }
    }

    fn s3_buckets(&self) -> Vec<String> {
        let own = self.spec.bucket.as_ref().map(|_| self.bucket_name());
        match &self.spec.machine_learning.s3 {
            S3Access::Own(true) => own.into_iter().collect(),
            S3Access::Own(false) => Vec::new(),
            S3Access::Buckets(named) => own.into_iter().chain(named.buckets.iter().cloned()).collect(),
        }
    }

    /// Execution role of the models that the stack hosts: reads artifacts and images, writes logs and metrics.
    pub(super) fn model_role(&mut self, artifacts: &[String]) -> Id {
        let mut statements = vec![
            allow(&["ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"], everything()),
            allow(
                &["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                [format!("arn:{}:ecr:*:*:repository/*", self.place.partition())],
            ),
            self.logs("/aws/sagemaker/*"),
        ];
        if !artifacts.is_empty() {
            let path = |uri: &String| uri.trim_start_matches("s3://").to_string();
            let objects = artifacts.iter().map(|uri| self.place.bucket_arn(&path(uri)));
            statements.push(allow(&["s3:GetObject"], objects));
            let buckets = artifacts
                .iter()
                .map(|uri| self.place.bucket_arn(path(uri).split('/').next().unwrap_or_default()));
            statements.push(allow(&["s3:ListBucket"], buckets));
        }
        self.role("model", SAGEMAKER, None, statements)
    }

    /// Execution role of the notebook, which trains models, deploys them and asks the database.
    pub(super) fn notebook_role(&mut self, secret: Option<&Id>) -> Id {
        let place = self.place;
        let own = place.role_arn("notebook");
        let sagemaker = |what: &str| place.sagemaker_arn(what, "*");
        let mut statements = vec![
            allow(
                &[
                    "sagemaker:CreateTrainingJob",
                    "sagemaker:DescribeTrainingJob",
                    "sagemaker:StopTrainingJob",
                    "sagemaker:CreateHyperParameterTuningJob",
                    "sagemaker:DescribeHyperParameterTuningJob",
                    "sagemaker:StopHyperParameterTuningJob",
                    "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
                    "sagemaker:CreateModel",
                    "sagemaker:DescribeModel",
                    "sagemaker:DeleteModel",
                    "sagemaker:CreateEndpointConfig",
                    "sagemaker:DescribeEndpointConfig",
                    "sagemaker:DeleteEndpointConfig",
                    "sagemaker:AddTags",
                    "sagemaker:ListTags",
                ],
                ["training-job", "hyper-parameter-tuning-job", "model", "endpoint-config"].map(sagemaker),
            ),
            allow(&["ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"], everything()),
            allow(
                &["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                [format!("arn:{}:ecr:*:*:repository/*", place.partition())],
            ),
            self.logs("/aws/sagemaker/*"),
            json!({
                "Effect": "Allow", "Action": ["iam:PassRole"], "Resource": [own],
                "Condition": {"StringEquals": {"iam:PassedToService": SAGEMAKER}},
            }),
        ];
        if !self.spec.endpoints.is_empty() {
            statements.push(allow(
                &[
                    "sagemaker:CreateEndpoint",
                    "sagemaker:DescribeEndpoint",
                    "sagemaker:UpdateEndpoint",
                    "sagemaker:InvokeEndpoint",
                ],
                self.spec
                    .endpoints
                    .keys()
                    .flat_map(|name| [place.endpoint_arn(name), place.sagemaker_arn("endpoint-config", "*")]),
            ));
        }
        if self.spec.bucket.is_some() {
            let bucket = place.bucket_arn(&self.bucket_name());
            statements.push(allow(&["s3:ListBucket", "s3:GetBucketLocation"], [bucket.clone()]));
            statements.push(allow(
                &["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
                [format!("{bucket}/*")],
            ));
        }
        match (secret, &self.spec.aurora) {
            (Some(_), _) => statements.push(allow(
                &["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
                [place.secret_arn_pattern()],
            )),
            // RDS chooses the name of a secret that it manages, so the notebook asks which one it is.
            (None, Some(crate::spec::Aurora::Owned(_))) => {
                statements.push(allow(&["rds:DescribeDBClusters"], [place.cluster_arn(&place.cluster())]));
                statements.push(json!({
                    "Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"],
                    "Resource": [format!("arn:{}:secretsmanager:{}:{}:secret:rds!cluster-*", place.partition(), place.region, place.account)],
                    "Condition": {"StringEquals": {
                        "aws:ResourceTag/aws:rds:primaryDBClusterArn": place.cluster_arn(&place.cluster()),
                    }},
                }));
            }
            _ => {}
        }
        self.role("notebook", SAGEMAKER, None, statements)
    }

    fn logs(&self, group: &str) -> Value {
        let place = self.place;
        allow(
            &["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [format!("arn:{}:logs:{}:{}:log-group:{group}", place.partition(), place.region, place.account)],
        )
    }
}

/// A reference to the ARN of a role.
pub(super) fn arn(role: &Id) -> Input {
    Input::of(role, "arn")
}
