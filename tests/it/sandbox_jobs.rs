//! The sandbox's jobs and endpoints as AWS has them, asked with plain SDK calls.

use crate::harness::Account;
use crate::support::{config, sandbox};
use crate::training::{customers, invoke, numbers, put};
use auroraml_sandbox::Sandbox;
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::wire::Request;
use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use aws_sdk_sagemaker::operation::create_training_job::builders::CreateTrainingJobFluentBuilder;
use aws_sdk_sagemaker::types::*;
use std::collections::BTreeMap;
use std::time::Duration;

const ROLE: &str = "arn:aws:iam::111122223333:role/jobs";
const IMAGE: &str = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1";
const ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"*"}]}"#;
const NO_WRITE: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"*"}]}"#;

struct Lab {
    sandbox: Sandbox,
    client: Client,
}

impl Lab {
    /// With rows in `s3://rows/`, a bucket for models, and a role with this policy.
    async fn new(policy: &str) -> Lab {
        let sandbox = sandbox(1, Mood::Calm);
        let config = config(&sandbox);
        let account = Account::of(sandbox.clone());
        put(&account, "s3://rows/train/part-0.csv", &numbers(&customers(300))).await;
        put(&account, "s3://models/README", "x").await;
        let iam = aws_sdk_iam::Client::new(&config);
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        iam.create_role().role_name("jobs").assume_role_policy_document(trust).send().await.unwrap();
        iam.put_role_policy()
            .role_name("jobs")
            .policy_name("p")
            .policy_document(policy)
            .send()
            .await
            .unwrap();
        sandbox.clock().sleep(Duration::from_secs(60)).await;
        Lab { client: Client::new(&config), sandbox }
    }

    fn training(&self, name: &str) -> CreateTrainingJobFluentBuilder {
        let source =
            S3DataSource::builder().s3_data_type(S3DataType::S3Prefix).s3_uri("s3://rows/train/").build();
        let channel = Channel::builder()
            .channel_name("train")
            .data_source(DataSource::builder().s3_data_source(source).build())
            .content_type("text/csv")
            .build();
        self.client
            .create_training_job()
            .training_job_name(name)
            .algorithm_specification(
                AlgorithmSpecification::builder()
                    .training_image(IMAGE)
                    .training_input_mode(TrainingInputMode::File)
                    .build(),
            )
            .role_arn(ROLE)
            .hyper_parameters("num_round", "20")
            .hyper_parameters("objective", "binary:logistic")
            .hyper_parameters("eval_metric", "auc")
            .input_data_config(channel)
            .output_data_config(OutputDataConfig::builder().s3_output_path("s3://models/out").build())
            .resource_config(
                ResourceConfig::builder()
                    .instance_type("ml.m5.large".into())
                    .instance_count(1)
                    .volume_size_in_gb(5)
                    .build(),
            )
            .stopping_condition(StoppingCondition::builder().max_runtime_in_seconds(3600).build())
    }

    async fn job(
        &self,
        name: &str,
    ) -> aws_sdk_sagemaker::operation::describe_training_job::DescribeTrainingJobOutput {
        self.client.describe_training_job().training_job_name(name).send().await.unwrap()
    }

    async fn wait(&self, seconds: u64) {
        self.sandbox.clock().sleep(Duration::from_secs(seconds)).await;
    }
}

/// Code and text of a refusal.
fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    answer: Result<T, aws_sdk_sagemaker::error::SdkError<E>>,
) -> String {
    let error = answer.unwrap_err();
    let error = error.as_service_error().unwrap();
    format!("{}: {}", error.code().unwrap_or_default(), error.message().unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn a_job_takes_its_time_and_leaves_its_model() {
    let lab = Lab::new(ALL).await;
    lab.training("First").send().await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..60 {
        let job = lab.job("First").await;
        let status = job.secondary_status.unwrap().as_str().to_string();
        if seen.last() != Some(&status) {
            seen.push(status);
        }
        lab.wait(5).await;
    }
    assert_eq!(seen, ["Starting", "Downloading", "Training", "Uploading", "Completed"]);
    let job = lab.job("First").await;
    let metrics: Vec<&str> =
        job.final_metric_data_list().iter().filter_map(|metric| metric.metric_name()).collect();
    assert_eq!(metrics, ["train:auc"]);
    assert!(job.final_metric_data_list()[0].value().unwrap() > 0.8);
    assert_eq!(job.training_time_in_seconds, job.billable_time_in_seconds);
    let uri = job.model_artifacts.unwrap().s3_model_artifacts.unwrap();
    assert_eq!(uri, "s3://models/out/First/output/model.tar.gz");
    let s3 = aws_sdk_s3::Client::new(&config(&lab.sandbox));
    let object = s3.get_object().bucket("models").key("out/First/output/model.tar.gz").send().await.unwrap();
    let bytes = object.body.collect().await.unwrap().into_bytes();
    assert_eq!(bytes[..2], [0x1f, 0x8b], "a gzip file");
    // Names are taken for ever, in whatever case.
    let again = refusal(lab.training("FIRST").send().await);
    assert!(again.starts_with("ResourceInUse: Training job names must be unique"), "{again}");
    let over = refusal(lab.client.stop_training_job().training_job_name("First").send().await);
    assert_eq!(
        over,
        "ValidationException: The request was rejected because the training job is in status Completed."
    );
    let none = refusal(lab.client.describe_training_job().training_job_name("Second").send().await);
    assert_eq!(none, "ValidationException: Requested resource not found.");
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_at_once() {
    let lab = Lab::new(ALL).await;
    let spot = StoppingCondition::builder().max_runtime_in_seconds(600).build();
    let short = StoppingCondition::builder().max_runtime_in_seconds(600).max_wait_time_in_seconds(60).build();
    let other = IMAGE.replace("us-east-1", "eu-west-1");
    let elsewhere = AlgorithmSpecification::builder()
        .training_image(other)
        .training_input_mode(TrainingInputMode::File)
        .build();
    for (request, part) in [
        (lab.training("a_b"), "Value 'a_b' at 'trainingJobName' failed to satisfy constraint"),
        (lab.training("a").role_arn("arn:aws:iam::111122223333:role/nobody"), "Could not assume role"),
        (
            lab.training("a").enable_managed_spot_training(true).stopping_condition(spot),
            "Invalid MaxWaitTimeInSeconds",
        ),
        (
            lab.training("a").enable_managed_spot_training(true).stopping_condition(short.clone()),
            "It must be greater than or equal to MaxRuntimeInSeconds",
        ),
        (lab.training("a").stopping_condition(short), "MaxWaitTimeInSeconds can only be specified with"),
        (lab.training("a").algorithm_specification(elsewhere), "Cannot find repository"),
    ] {
        let text = refusal(request.send().await);
        assert!(text.starts_with("ValidationException: ") && text.contains(part), "{text}");
    }
    lab.sandbox.with(|world| {
        let region = world.regions.get_mut("us-east-1").unwrap();
        region.sagemaker.instance_limits.insert("ml.m5.large for training job usage".into(), 1);
    });
    lab.training("a").send().await.unwrap();
    let text = refusal(lab.training("b").send().await);
    assert!(
        text.starts_with(
            "ResourceLimitExceeded: The account-level service limit 'ml.m5.large for training job usage' is 1"
        ),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn jobs_end_in_every_way() {
    let lab = Lab::new(ALL).await;
    let limit = StoppingCondition::builder().max_runtime_in_seconds(30).build();
    let spot =
        StoppingCondition::builder().max_runtime_in_seconds(3600).max_wait_time_in_seconds(3600).build();
    lab.training("slow").stopping_condition(limit).send().await.unwrap();
    lab.training("spot").enable_managed_spot_training(true).stopping_condition(spot).send().await.unwrap();
    lab.training("stopped").send().await.unwrap();
    lab.wait(30).await;
    lab.client.stop_training_job().training_job_name("stopped").send().await.unwrap();
    assert_eq!(lab.job("stopped").await.training_job_status, Some(TrainingJobStatus::Stopping));
    lab.wait(600).await;
    for (name, status, secondary) in [
        ("slow", "Stopped", "MaxRuntimeExceeded"),
        ("spot", "Completed", "Completed"),
        ("stopped", "Stopped", "Stopped"),
    ] {
        let job = lab.job(name).await;
        assert_eq!(job.training_job_status.unwrap().as_str(), status, "{name}");
        assert_eq!(job.secondary_status.unwrap().as_str(), secondary, "{name}");
    }
    let spot = lab.job("spot").await;
    assert!(spot.billable_time_in_seconds.unwrap() < spot.training_time_in_seconds.unwrap() / 2);
    // A role that may not write is met at the end.
    let poor = Lab::new(NO_WRITE).await;
    poor.training("poor").send().await.unwrap();
    poor.wait(600).await;
    let why = poor.job("poor").await.failure_reason.unwrap();
    assert!(why.starts_with("ClientError: Artifact upload failed:") && why.contains("s3:PutObject"), "{why}");
    let listed =
        lab.client.list_training_jobs().status_equals(TrainingJobStatus::Stopped).send().await.unwrap();
    assert_eq!(listed.training_job_summaries().len(), 2);
}

/// An endpoint answers whoever is allowed to ask, as InvokeEndpoint does.
#[tokio::test(start_paused = true)]
async fn endpoints_answer_whom_they_may() {
    let lab = Lab::new(ALL).await;
    lab.training("t").send().await.unwrap();
    lab.wait(600).await;
    let uri = "s3://models/out/t/output/model.tar.gz";
    let container = ContainerDefinition::builder().image(IMAGE).model_data_url(uri).build();
    let model =
        lab.client.create_model().model_name("m").primary_container(container).execution_role_arn(ROLE);
    model.send().await.unwrap();
    let variant = ProductionVariant::builder()
        .variant_name("AllTraffic")
        .model_name("m")
        .instance_type("ml.m5.large".into())
        .initial_instance_count(1)
        .build();
    lab.client
        .create_endpoint_config()
        .endpoint_config_name("c")
        .production_variants(variant)
        .send()
        .await
        .unwrap();
    lab.wait(60).await;
    lab.client.create_endpoint().endpoint_name("e").endpoint_config_name("c").send().await.unwrap();
    let account = Account::of(lab.sandbox.clone());
    let (status, body) = invoke(&account, "e", "100,9\n").await;
    assert_eq!(
        (status, body.contains("Endpoint e of account 111122223333 not found.")),
        (400, true),
        "{body}"
    );
    lab.wait(900).await;
    let (status, body) = invoke(&account, "e", "100,9\n100,1\n").await;
    let answers: Vec<f64> = body.lines().map(|line| line.parse().unwrap()).collect();
    assert!(status == 200 && answers[0] > answers[1], "{status} {body}");
    // Whoever deletes the archive does not stop what runs.
    let s3 = aws_sdk_s3::Client::new(&config(&lab.sandbox));
    s3.delete_object().bucket("models").key("out/t/output/model.tar.gz").send().await.unwrap();
    assert_eq!(invoke(&account, "e", "100,9\n").await.0, 200);
    for (csv, part) in [
        ("100\n", "expected: 2, got 1"),
        ("KS,9\n", "could not convert string to float: 'KS'"),
        ("", "no rows"),
    ] {
        let (status, body) = invoke(&account, "e", csv).await;
        assert!(
            status == 424 && body.contains(part) && body.contains("client error (400)"),
            "{status} {body}"
        );
    }
    // A role's session needs sagemaker:InvokeEndpoint on the endpoint.
    let ask = |caller: &str, kind: &str| {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential={caller}/20260101/us-east-1/sagemaker/aws4_request, Signature=0"
        );
        let headers = BTreeMap::from([
            ("authorization".to_string(), scope),
            ("content-type".to_string(), kind.to_string()),
        ]);
        let (method, path) = ("POST".to_string(), "/endpoints/e/invocations".to_string());
        let request = Request { method, path, headers, body: b"100,9".to_vec(), ..Request::default() };
        let sandbox = lab.sandbox.clone();
        async move {
            let answer = sandbox.serve(request).await.unwrap();
            let kind = answer.headers.iter().find(|(name, _)| name == "x-amzn-ErrorType");
            (answer.status, kind.map(|(_, kind)| kind.clone()).unwrap_or_default())
        }
    };
    assert_eq!(ask("AKIDSANDBOX", "application/json").await, (424, "ModelError".into()));
    let iam = aws_sdk_iam::Client::new(&config(&lab.sandbox));
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/x"},"Action":"sts:AssumeRoleWithWebIdentity"}]}"#;
    iam.create_role().role_name("asker").assume_role_policy_document(trust).send().await.unwrap();
    lab.wait(60).await;
    let key = lab.sandbox.with(|world| {
        let role = "arn:aws:iam::111122223333:role/asker";
        world
            .global
            .iam
            .assume_with_web_identity(role, "arn:aws:iam::111122223333:oidc-provider/x", &[])
            .unwrap()
    });
    assert_eq!(ask(&key, "text/csv").await, (403, "AccessDeniedException".into()));
    let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sagemaker:InvokeEndpoint","Resource":"arn:aws:sagemaker:us-east-1:111122223333:endpoint/e"}]}"#;
    iam.put_role_policy().role_name("asker").policy_name("p").policy_document(allow).send().await.unwrap();
    assert_eq!(ask(&key, "text/csv").await, (200, String::new()));
}
