//! Who may do what: the policies of every role of a stack, no wider than its spec.

use super::Builder;
use super::jobs::Needs;
use crate::base::policy::{document, trust};
use crate::base::{Id, Input};
use crate::kinds::role;
use crate::spec::{Aurora, EndpointManager, S3Access};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) const AURORA: &str = "rds.amazonaws.com";
pub(super) const SAGEMAKER: &str = "sagemaker.amazonaws.com";

/// What pulls an image.
const PULL: [&str; 3] =
    ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
const WRITE_LOGS: [&str; 4] =
    ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"];
const RUN_SQL: [&str; 5] = [
    "rds-data:BatchExecuteStatement",
    "rds-data:BeginTransaction",
    "rds-data:CommitTransaction",
    "rds-data:ExecuteStatement",
    "rds-data:RollbackTransaction",
];

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
    ) -> Input {
        // One of others is used as it is.
        if let Some(arn) = self.place.names.roles.get(name) {
            return self.input(arn);
        }
        let id = Id::new("role", name);
        let props = role::Props {
            trust: trust(service, &self.place.account, source),
            policy: document(statements),
            boundary: self.spec.permissions_boundary.clone(),
            tags: self.tags(&id).into_iter().chain(self.place.names.tags()).collect(),
        };
        Input::of(&self.graph.add(id, props).predict("arn", self.place.role_arn(name)).id(), "arn")
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
                let list = ["s3:ListBucket"];
                let objects = [
                    "s3:GetObject",
                    "s3:GetObjectVersion",
                    "s3:PutObject",
                    "s3:DeleteObject",
                    "s3:AbortMultipartUpload",
                    "s3:ListMultipartUploadParts",
                ];
                (!buckets.is_empty()).then(|| {
                    let mut all =
                        vec![allow(&list, arns()), allow(&objects, arns().map(|arn| format!("{arn}/*")))];
                    all.extend(self.with_key());
                    all
                })
            }
            "bedrock" => {
                let models = &wish.bedrock.as_ref()?.models;
                let arns = models.iter().map(|model| self.place.bedrock_model_arn(model));
                Some(vec![allow(&["bedrock:InvokeModel"], arns)])
            }
            _ => None,
        }
    }

    /// What reads and writes what is encrypted with the key that the spec names: S3 and Secrets Manager ask for the key in
    /// the role's name (Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys"; Secrets Manager User Guide,
    /// "Secret encryption and decryption").
    fn with_key(&self) -> Option<Value> {
        let key = self.spec.kms_key.clone()?;
        Some(allow(&["kms:Decrypt", "kms:GenerateDataKey"], [key]))
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
    pub(super) fn model_role(&mut self, endpoints: &[&str], needs: &Needs) -> Input {
        let logs = endpoints.iter().flat_map(|name| self.logs(&format!("Endpoints/{name}")));
        let mut statements = vec![
            allow(&["ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"], everything()),
            allow(&WRITE_LOGS, logs),
        ];
        let mut repositories: BTreeSet<String> =
            needs.images.iter().filter_map(|uri| self.repository(uri)).collect();
        if needs.any_image {
            repositories.insert(self.any_repository());
        }
        if !repositories.is_empty() {
            statements.push(allow(&PULL, repositories));
        }
        if !needs.objects.is_empty() {
            let paths: BTreeSet<&str> = needs.objects.iter().map(String::as_str).collect();
            let objects = paths.iter().map(|path| self.place.bucket_arn(path));
            statements.push(allow(&["s3:GetObject"], objects));
            statements.push(allow(&["s3:ListBucket"], self.buckets(paths.iter().copied())));
            statements.extend(self.with_key());
        }
        self.role("model", SAGEMAKER, None, statements)
    }

    /// Execution role of training and Autopilot jobs: reads the rows, writes the models. `inputs` and `outputs` are
    /// patterns of objects, with their buckets.
    ///
    /// An Autopilot job runs processing, training, tuning and transform jobs and makes models, all with this role and
    /// under names that begin with its own (developer guide, "Autopilot" and `AmazonSageMakerFullAccess`, which it
    /// suggests; which of that policy's actions are needed is believed).
    pub(super) fn training_role(
        &mut self,
        images: &[String],
        inputs: &BTreeSet<String>,
        outputs: &BTreeSet<String>,
        autopilot: bool,
    ) -> Input {
        let place = self.place;
        let arns = |paths: &BTreeSet<String>| -> Vec<String> {
            paths.iter().map(|path| place.bucket_arn(path)).collect()
        };
        let groups: &[&str] = match autopilot {
            true => &["TrainingJobs", "ProcessingJobs", "TransformJobs"],
            false => &["TrainingJobs"],
        };
        let read: BTreeSet<String> = inputs.iter().chain(outputs).cloned().collect();
        let mut repositories: BTreeSet<String> =
            images.iter().filter_map(|uri| self.repository(uri)).collect();
        if autopilot {
            repositories.insert(self.any_repository());
        }
        let mut statements = vec![
            allow(&["ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"], everything()),
            allow(&WRITE_LOGS, groups.iter().flat_map(|group| self.logs(group))),
            allow(&PULL, repositories),
            allow(&["s3:GetObject"], arns(&read)),
            allow(&["s3:PutObject", "s3:AbortMultipartUpload"], arns(outputs)),
            allow(&["s3:ListBucket", "s3:GetBucketLocation"], self.buckets(read.iter().map(String::as_str))),
        ];
        if autopilot {
            let own = |kind: &str| place.sagemaker_arn(kind, &place.name("*"));
            let kinds =
                ["processing-job", "training-job", "hyper-parameter-tuning-job", "transform-job", "model"];
            statements.push(allow(
                &[
                    "sagemaker:CreateProcessingJob",
                    "sagemaker:DescribeProcessingJob",
                    "sagemaker:StopProcessingJob",
                    "sagemaker:CreateTrainingJob",
                    "sagemaker:DescribeTrainingJob",
                    "sagemaker:StopTrainingJob",
                    "sagemaker:CreateHyperParameterTuningJob",
                    "sagemaker:DescribeHyperParameterTuningJob",
                    "sagemaker:StopHyperParameterTuningJob",
                    "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
                    "sagemaker:CreateTransformJob",
                    "sagemaker:DescribeTransformJob",
                    "sagemaker:StopTransformJob",
                    "sagemaker:CreateModel",
                    "sagemaker:DescribeModel",
                    "sagemaker:DeleteModel",
                    "sagemaker:AddTags",
                ],
                kinds.map(own),
            ));
            statements.push(json!({
                "Effect": "Allow", "Action": ["iam:PassRole"], "Resource": [place.role_arn("training")],
                "Condition": {"StringEquals": {"iam:PassedToService": SAGEMAKER}},
            }));
        }
        statements.extend(self.with_key());
        self.role("training", SAGEMAKER, None, statements)
    }

    /// The buckets of these objects.
    fn buckets<'p>(&self, paths: impl Iterator<Item = &'p str>) -> Vec<String> {
        let buckets: BTreeSet<&str> = paths.filter_map(|path| path.split('/').next()).collect();
        buckets.into_iter().map(|bucket| self.place.bucket_arn(bucket)).collect()
    }

    /// Built-in images are in AWS's accounts, one for each algorithm (fact book, section 4.5).
    fn any_repository(&self) -> String {
        format!("arn:{}:ecr:{}:*:repository/*", self.place.partition(), self.place.region)
    }

    /// Execution role of the notebook, which trains models, deploys them where the spec leaves that to it, and asks
    /// the database. What it makes may have any name, for the SageMaker SDK makes names up; what it stops, tags and
    /// deletes is what it has named after the stack.
    pub(super) fn notebook_role(&mut self, secret: Option<&Id>) -> Input {
        let place = self.place;
        let any = |what: &str| place.sagemaker_arn(what, "*");
        let own = |what: &str| place.sagemaker_arn(what, &format!("{}-*", place.name("notebook")));
        let kinds = ["training-job", "hyper-parameter-tuning-job", "model", "endpoint-config"];
        let mut statements = vec![
            // Without it the SageMaker SDK takes the role's ARN without its path (aws/sagemaker-python-sdk, issue 2089).
            allow(&["sagemaker:DescribeNotebookInstance"], [place.notebook_arn()]),
            allow(
                &[
                    "sagemaker:CreateTrainingJob",
                    "sagemaker:DescribeTrainingJob",
                    "sagemaker:CreateHyperParameterTuningJob",
                    "sagemaker:DescribeHyperParameterTuningJob",
                    "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
                    "sagemaker:CreateModel",
                    "sagemaker:DescribeModel",
                    "sagemaker:CreateEndpointConfig",
                    "sagemaker:DescribeEndpointConfig",
                    "sagemaker:ListTags",
                ],
                kinds.map(any),
            ),
            allow(
                &[
                    "sagemaker:StopTrainingJob",
                    "sagemaker:StopHyperParameterTuningJob",
                    "sagemaker:DeleteModel",
                    "sagemaker:DeleteEndpointConfig",
                    "sagemaker:AddTags",
                ],
                kinds.map(own),
            ),
            allow(&["ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"], everything()),
            // Built-in images are in AWS's accounts, one for each algorithm (fact book, section 4.5).
            allow(&PULL, [format!("arn:{}:ecr:{}:*:repository/*", place.partition(), place.region)]),
            allow(&WRITE_LOGS, ["NotebookInstances", "TrainingJobs"].into_iter().flat_map(|g| self.logs(g))),
            // `fit()` shows what the job says (fact book, appendix F).
            allow(&["logs:GetLogEvents"], self.logs("TrainingJobs")),
            json!({
                "Effect": "Allow", "Action": ["iam:PassRole"], "Resource": [place.role_arn("notebook")],
                "Condition": {"StringEquals": {"iam:PassedToService": SAGEMAKER}},
            }),
        ];
        let endpoints = |by: EndpointManager| {
            self.spec.endpoints.iter().filter(move |(_, spec)| spec.managed_by == by).map(|(name, _)| name)
        };
        let arns = |by| -> Vec<String> { endpoints(by).map(|name| place.endpoint_arn(name)).collect() };
        let (stack, notebook) = (arns(EndpointManager::Stack), arns(EndpointManager::Notebook));
        let all: Vec<String> = stack.iter().chain(&notebook).cloned().collect();
        if !all.is_empty() {
            statements.push(allow(&["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"], all));
        }
        if !notebook.is_empty() {
            statements.push(allow(&["sagemaker:DeleteEndpoint"], notebook.iter().cloned()));
            // The SDK gives the configuration of an endpoint its name, and to later ones the time as well.
            let configs = endpoints(EndpointManager::Notebook).flat_map(|name| {
                [name.clone(), format!("{name}-20??-??-??-*")]
                    .map(|name| place.sagemaker_arn("endpoint-config", &name))
            });
            statements.push(allow(&["sagemaker:DeleteEndpointConfig"], configs));
            let logs =
                endpoints(EndpointManager::Notebook).flat_map(|name| self.logs(&format!("Endpoints/{name}")));
            statements.push(allow(&WRITE_LOGS, logs));
            statements.push(allow(
                &["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"],
                notebook.into_iter().chain([any("endpoint-config")]),
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
        // SQL through the Data API, which reads the secret in the caller's name.
        let cluster = match &self.spec.aurora {
            Some(Aurora::Owned(owned)) if owned.data_api => Some(place.cluster()),
            Some(Aurora::Existing(existing)) => Some(existing.existing.clone()),
            _ => None,
        };
        statements.extend(cluster.map(|cluster| allow(&RUN_SQL, [place.cluster_arn(&cluster)])));
        match (secret, &self.spec.aurora) {
            (Some(_), _) => statements.push(allow(
                &["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
                [place.secret_arn_pattern()],
            )),
            // RDS chooses the name of a secret that it manages, so the notebook asks which one it is.
            (None, Some(Aurora::Owned(_))) => {
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
        statements.extend(self.with_key());
        let given = self.spec.notebook.iter().flat_map(|notebook| &notebook.statements);
        statements.extend(given.map(|statement| Value::Object(statement.0.clone())));
        self.role("notebook", SAGEMAKER, None, statements)
    }

    /// A log group of SageMaker, and its streams.
    fn logs(&self, group: &str) -> [String; 2] {
        let place = self.place;
        let (partition, region, account) = (place.partition(), &place.region, &place.account);
        ["", ":*"].map(|end| {
            format!("arn:{partition}:logs:{region}:{account}:log-group:/aws/sagemaker/{group}{end}")
        })
    }

    /// The ARN of an image's repository; of an image that is elsewhere there is none.
    fn repository(&self, uri: &str) -> Option<String> {
        let (host, path) = uri.split_once('/')?;
        let (account, rest) = host.split_once(".dkr.ecr.")?;
        let (region, _) = rest.split_once('.')?;
        let name = path.split(['@', ':']).next()?;
        Some(format!("arn:{}:ecr:{region}:{account}:repository/{name}", self.place.partition()))
    }
}
