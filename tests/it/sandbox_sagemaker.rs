//! The simulated SageMaker against the real SDK: fact book, sections 4.1 to 4.6.

mod endpoints;
mod notebooks;

use crate::support::{config, sandbox};
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::{Sandbox, World};
use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sagemaker::operation::describe_endpoint::DescribeEndpointOutput;
use aws_sdk_sagemaker::operation::describe_notebook_instance::DescribeNotebookInstanceOutput;
use aws_sdk_sagemaker::types::{
    ContainerDefinition, DesiredWeightAndCapacity, EndpointStatus, InstanceType,
    NotebookInstanceLifecycleHook, NotebookInstanceStatus, OrderKey, ProductionVariant,
    ProductionVariantInstanceType, ProductionVariantServerlessConfig, Tag, VpcConfig,
};
use std::fmt::Debug;
use std::time::Duration;

const IMAGE: &str = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1";
const NOTEBOOK: &str = "churn-notebook";

/// Code and message of a call that must fail.
fn refused<T: Debug, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>) -> (String, String) {
    let error = result.expect_err("this call must be refused");
    (error.code().unwrap_or("none").to_string(), error.message().unwrap_or("none").to_string())
}

/// Asserts that a call fails with a `ValidationException` whose message contains `text`.
#[track_caller]
fn invalid<T: Debug, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>, text: &str) {
    let (code, message) = refused(result);
    assert_eq!(code, "ValidationException", "{message}");
    assert!(message.contains(text), "{message}");
}

/// An account with one role that SageMaker can assume.
struct Stage {
    sandbox: Sandbox,
    sagemaker: Client,
    role: String,
}

impl Stage {
    async fn new(mood: Mood) -> Stage {
        let sandbox = sandbox(11, mood);
        let sagemaker = Client::new(&config(&sandbox));
        let stage = Stage { sandbox, sagemaker, role: String::new() };
        let role = stage.make_role("churn-sagemaker", "sagemaker.amazonaws.com").await;
        stage.wait(300).await;
        Stage { role, ..stage }
    }

    async fn wait(&self, seconds: u64) {
        self.sandbox.clock().sleep(Duration::from_secs(seconds)).await;
    }

    async fn make_role(&self, name: &str, service: &str) -> String {
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",
            "Principal":{{"Service":"{service}"}},"Action":"sts:AssumeRole"}}]}}"#
        );
        let iam = aws_sdk_iam::Client::new(&config(&self.sandbox));
        let made = iam.create_role().role_name(name).assume_role_policy_document(trust).send().await.unwrap();
        made.role().unwrap().arn().to_string()
    }

    /// A VPC with subnets in two zones and a security group: the subnets' ids and the group's.
    async fn network(&self) -> (Vec<String>, String) {
        let ec2 = aws_sdk_ec2::Client::new(&config(&self.sandbox));
        let vpc = ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap();
        let vpc = vpc.vpc().unwrap().vpc_id().unwrap().to_string();
        self.wait(120).await;
        let mut subnets = Vec::new();
        for (cidr, zone) in [("10.0.0.0/24", "us-east-1a"), ("10.0.1.0/24", "us-east-1b")] {
            let made = ec2.create_subnet().vpc_id(&vpc).cidr_block(cidr).availability_zone(zone).send();
            subnets.push(made.await.unwrap().subnet().unwrap().subnet_id().unwrap().to_string());
        }
        let group = ec2.create_security_group().vpc_id(&vpc).group_name("sm").description("sm").send();
        let group = group.await.unwrap().group_id().unwrap().to_string();
        self.wait(120).await;
        (subnets, group)
    }

    async fn make_notebook(&self) {
        let new = self.sagemaker.create_notebook_instance().notebook_instance_name(NOTEBOOK);
        new.instance_type(InstanceType::MlT3Medium).role_arn(&self.role).send().await.unwrap();
    }

    async fn notebook(&self) -> DescribeNotebookInstanceOutput {
        let asked = self.sagemaker.describe_notebook_instance().notebook_instance_name(NOTEBOOK);
        asked.send().await.unwrap()
    }

    async fn notebook_status(&self) -> NotebookInstanceStatus {
        self.notebook().await.notebook_instance_status().unwrap().clone()
    }

    /// A notebook that exists and is stopped.
    async fn stopped_notebook(&self) {
        self.make_notebook().await;
        self.wait(600).await;
        self.sagemaker.stop_notebook_instance().notebook_instance_name(NOTEBOOK).send().await.unwrap();
        self.wait(400).await;
        assert_eq!(self.notebook_status().await, NotebookInstanceStatus::Stopped);
    }

    async fn make_lifecycle_config(&self, name: &str) {
        self.sagemaker
            .create_notebook_instance_lifecycle_config()
            .notebook_instance_lifecycle_config_name(name)
            .on_start(hook("ZWNobyBoaQ=="))
            .send()
            .await
            .unwrap();
    }

    async fn make_model(&self, name: &str, artifact: Option<&str>) {
        let container =
            ContainerDefinition::builder().image(IMAGE).set_model_data_url(artifact.map(str::to_string));
        let new = self.sagemaker.create_model().model_name(name).execution_role_arn(&self.role);
        new.primary_container(container.build()).send().await.unwrap();
    }

    async fn make_config(&self, name: &str, variants: Vec<ProductionVariant>) {
        let new = self.sagemaker.create_endpoint_config().endpoint_config_name(name);
        new.set_production_variants(Some(variants)).send().await.unwrap();
        self.wait(10).await;
    }

    /// The endpoint `churn`, in service with the configuration `one` of the model `m`.
    async fn endpoint_in_service(&self) {
        self.make_model("m", None).await;
        self.make_config("one", vec![real_time("all", "m", 1)]).await;
        self.create_endpoint("one").await.unwrap();
        self.wait(900).await;
        assert_eq!(self.endpoint_status().await, EndpointStatus::InService);
    }

    async fn create_endpoint(
        &self,
        config: &str,
    ) -> Result<
        aws_sdk_sagemaker::operation::create_endpoint::CreateEndpointOutput,
        SdkError<aws_sdk_sagemaker::operation::create_endpoint::CreateEndpointError>,
    > {
        self.sagemaker.create_endpoint().endpoint_name("churn").endpoint_config_name(config).send().await
    }

    async fn update_endpoint(
        &self,
        config: &str,
    ) -> Result<
        aws_sdk_sagemaker::operation::update_endpoint::UpdateEndpointOutput,
        SdkError<aws_sdk_sagemaker::operation::update_endpoint::UpdateEndpointError>,
    > {
        self.sagemaker.update_endpoint().endpoint_name("churn").endpoint_config_name(config).send().await
    }

    async fn endpoint(&self) -> DescribeEndpointOutput {
        self.sagemaker.describe_endpoint().endpoint_name("churn").send().await.unwrap()
    }

    async fn endpoint_status(&self) -> EndpointStatus {
        self.endpoint().await.endpoint_status().unwrap().clone()
    }

    /// How many network interfaces there are in the account.
    async fn interfaces(&self) -> usize {
        let ec2 = aws_sdk_ec2::Client::new(&config(&self.sandbox));
        ec2.describe_network_interfaces().send().await.unwrap().network_interfaces().len()
    }
}

fn hook(content: &str) -> NotebookInstanceLifecycleHook {
    NotebookInstanceLifecycleHook::builder().content(content).build()
}

fn real_time(name: &str, model: &str, count: i32) -> ProductionVariant {
    ProductionVariant::builder()
        .variant_name(name)
        .model_name(model)
        .instance_type(ProductionVariantInstanceType::MlM5Large)
        .initial_instance_count(count)
        .build()
}

fn serverless(model: &str, memory: i32, concurrency: i32) -> ProductionVariant {
    let set =
        ProductionVariantServerlessConfig::builder().memory_size_in_mb(memory).max_concurrency(concurrency);
    ProductionVariant::builder().variant_name("all").model_name(model).serverless_config(set.build()).build()
}

#[tokio::test(start_paused = true)]
async fn lists_have_pages_of_ten_filters_and_an_order() {
    let stage = Stage::new(Mood::Calm).await;
    for n in 0..12 {
        stage.make_model(&format!("{}-{n:02}", if n % 2 == 0 { "even" } else { "odd" }), None).await;
    }
    let names = |models: &[aws_sdk_sagemaker::types::ModelSummary]| -> Vec<String> {
        models.iter().map(|model| model.model_name().unwrap().to_string()).collect()
    };
    let first = stage.sagemaker.list_models().send().await.unwrap();
    assert_eq!(first.models().len(), 10);
    assert_eq!(names(first.models())[0], "odd-11", "newest first");
    let second = stage.sagemaker.list_models().next_token(first.next_token().unwrap()).send().await.unwrap();
    assert_eq!(names(second.models()), ["odd-01", "even-00"]);
    assert_eq!(second.next_token(), None);

    let odd = stage
        .sagemaker
        .list_models()
        .name_contains("ODD")
        .sort_by("Name".into())
        .sort_order(OrderKey::Ascending)
        .max_results(2)
        .send()
        .await
        .unwrap();
    assert_eq!(names(odd.models()), ["odd-01", "odd-03"]);
    invalid(stage.sagemaker.list_models().max_results(101).send().await, "less than or equal to 100");
    invalid(stage.sagemaker.list_models().next_token("%").send().await, "NextToken");

    stage.make_notebook().await;
    let pending =
        |status: &str| stage.sagemaker.list_notebook_instances().status_equals(status.into()).send();
    assert_eq!(pending("Pending").await.unwrap().notebook_instances().len(), 1);
    assert_eq!(pending("InService").await.unwrap().notebook_instances().len(), 0);
    stage.make_lifecycle_config("scripts").await;
    let configs = stage.sagemaker.list_notebook_instance_lifecycle_configs().send().await.unwrap();
    assert_eq!(configs.notebook_instance_lifecycle_configs().len(), 1);
    assert_eq!(stage.sagemaker.list_training_jobs().send().await.unwrap().training_job_summaries().len(), 0);
    assert_eq!(stage.sagemaker.list_auto_ml_jobs().send().await.unwrap().auto_ml_job_summaries().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn not_found_is_a_validation_exception_with_aws_texts() {
    let sandbox = sandbox(1, Mood::Calm);
    let sagemaker = Client::new(&config(&sandbox));
    let arn = "arn:aws:sagemaker:us-east-1:111122223333";
    invalid(
        sagemaker.describe_notebook_instance().notebook_instance_name("X").send().await,
        "RecordNotFound",
    );
    invalid(sagemaker.delete_notebook_instance().notebook_instance_name("X").send().await, "RecordNotFound");
    let text = format!("Could not find model \"{arn}:model/x\".");
    invalid(sagemaker.describe_model().model_name("X").send().await, &text);
    invalid(sagemaker.delete_model().model_name("X").send().await, &text);
    let text = format!("Could not find endpoint configuration \"{arn}:endpoint-config/x\".");
    invalid(sagemaker.describe_endpoint_config().endpoint_config_name("X").send().await, &text);
    invalid(sagemaker.delete_endpoint_config().endpoint_config_name("X").send().await, &text);
    let text = format!("Could not find endpoint \"{arn}:endpoint/x\".");
    invalid(sagemaker.describe_endpoint().endpoint_name("X").send().await, &text);
    invalid(sagemaker.delete_endpoint().endpoint_name("X").send().await, &text);
    invalid(sagemaker.update_endpoint().endpoint_name("X").endpoint_config_name("c").send().await, &text);
}

#[tokio::test(start_paused = true)]
async fn tags_come_with_the_resource_and_go_with_it() {
    let stage = Stage::new(Mood::Calm).await;
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    let create = || {
        let container = ContainerDefinition::builder().image(IMAGE).build();
        let new = stage.sagemaker.create_model().model_name("Churn").execution_role_arn(&stage.role);
        new.primary_container(container)
    };
    invalid(create().tags(tag("aws:x", "y")).send().await, "reserved");
    let made = create().tags(tag("auroraml:stack", "churn")).send().await.unwrap();
    let arn = made.model_arn().unwrap();
    let list = || stage.sagemaker.list_tags().resource_arn(arn).send();
    assert_eq!(list().await.unwrap().tags(), [tag("auroraml:stack", "churn")]);
    let add = stage.sagemaker.add_tags().resource_arn(arn);
    let all = add.tags(tag("a", "1")).tags(tag("auroraml:stack", "other")).send().await.unwrap();
    assert_eq!(all.tags(), [tag("a", "1"), tag("auroraml:stack", "other")]);
    stage.sagemaker.delete_tags().resource_arn(arn).tag_keys("a").send().await.unwrap();
    assert_eq!(list().await.unwrap().tags(), [tag("auroraml:stack", "other")]);

    stage.sagemaker.delete_model().model_name("Churn").send().await.unwrap();
    // Undocumented, and as AWS was seen to do it: a code for everything, and no word of what is missing.
    let refused = list().await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Some("ValidationException"), Some("")));
    let elsewhere = arn.replace(":model/", ":endpoint-config/");
    let list = || stage.sagemaker.list_tags().resource_arn(&elsewhere).send();
    invalid(list().await, "Resource does not exist.");
    let list = || stage.sagemaker.list_tags().resource_arn(arn).send();
    create().send().await.unwrap();
    assert_eq!(list().await.unwrap().tags().len(), 0, "the old tags are gone");
}

#[tokio::test(start_paused = true)]
async fn everything_survives_saving_the_world() {
    let stage = Stage::new(Mood::Calm).await;
    stage.endpoint_in_service().await;
    stage.make_notebook().await;
    stage.make_lifecycle_config("scripts").await;
    stage.make_config("two", vec![serverless("m", 1024, 1)]).await;
    let saved = serde_json::to_string(&stage.sandbox.world()).unwrap();
    let world: World = serde_json::from_str(&saved).unwrap();
    let restored = Sandbox::new(world, 1.0);
    let sagemaker = Client::new(&config(&restored));
    restored.clock().sleep(Duration::from_secs(300)).await;
    let notebook =
        sagemaker.describe_notebook_instance().notebook_instance_name(NOTEBOOK).send().await.unwrap();
    assert_eq!(notebook.notebook_instance_status(), Some(&NotebookInstanceStatus::InService));
    let endpoint = sagemaker.describe_endpoint().endpoint_name("churn").send().await.unwrap();
    assert_eq!(endpoint.production_variants()[0].current_instance_count(), Some(1));
}
