//! SageMaker's models, configurations and endpoints, as they live in the sandbox.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_model_is_read_back_as_it_was_made() {
    let stage = Stage::new(Mood::Calm).await;
    let create = || stage.sagemaker.create_model().model_name("Churn").execution_role_arn(&stage.role);
    let container = || ContainerDefinition::builder().image(IMAGE).environment("A", "b");
    invalid(create().send().await, "Either PrimaryContainer or Containers");
    let both = create().primary_container(container().build()).containers(container().build());
    invalid(both.send().await, "Only one of");
    let foreign = ContainerDefinition::builder().image("xgboost:1.7").build();
    invalid(create().primary_container(foreign).send().await, "non-ECR image");
    let no_role = create().execution_role_arn("arn:aws:iam::111122223333:role/none");
    invalid(no_role.primary_container(container().build()).send().await, "Could not assume role");

    let artifact = "s3://elsewhere/model.tar.gz";
    let made = create().primary_container(container().model_data_url(artifact).build()).send().await.unwrap();
    assert_eq!(made.model_arn(), Some("arn:aws:sagemaker:us-east-1:111122223333:model/churn"), "lower case");
    let model = stage.sagemaker.describe_model().model_name("Churn").send().await.unwrap();
    assert_eq!(model.model_name(), Some("Churn"));
    let container = model.primary_container().unwrap();
    assert_eq!(container.model_data_url(), Some(artifact));
    assert_eq!(container.environment().unwrap()["A"], "b");
    assert_eq!(model.execution_role_arn(), Some(stage.role.as_str()));
    let again = create().primary_container(ContainerDefinition::builder().image(IMAGE).build()).send().await;
    invalid(again, "Cannot create already existing model");
}

#[tokio::test(start_paused = true)]
async fn endpoint_configurations_are_checked() {
    let stage = Stage::new(Mood::Calm).await;
    stage.make_model("m", None).await;
    let create = |variants: Vec<ProductionVariant>| {
        let new = stage.sagemaker.create_endpoint_config().endpoint_config_name("c");
        new.set_production_variants(Some(variants)).send()
    };
    invalid(create(vec![]).await, "length between 1 and 10");
    invalid(create(vec![real_time("all", "none", 1)]).await, "Could not find model");
    invalid(create(vec![real_time("all", "m", 0)]).await, "greater than or equal to 1");
    invalid(create(vec![real_time("all", "m", 1), real_time("all", "m", 1)]).await, "Duplicate variant");
    invalid(create(vec![serverless("m", 1500, 5)]).await, "multiple of 1024");
    invalid(create(vec![serverless("m", 7168, 5)]).await, "less than or equal to 6144");
    invalid(create(vec![serverless("m", 2048, 201)]).await, "less than or equal to 200");
    let two = vec![serverless("m", 2048, 5), real_time("other", "m", 1)];
    invalid(create(two).await, "only one production variant");

    create(vec![real_time("all", "m", 2)]).await.unwrap();
    invalid(create(vec![real_time("all", "m", 2)]).await, "Cannot create already existing endpoint config");
    let config = stage.sagemaker.describe_endpoint_config().endpoint_config_name("c").send().await.unwrap();
    let variant = &config.production_variants()[0];
    assert_eq!(variant.initial_instance_count(), Some(2));
    assert_eq!(variant.initial_variant_weight(), Some(1.0));
    assert_eq!(variant.instance_type(), Some(&ProductionVariantInstanceType::MlM5Large));
}

#[tokio::test(start_paused = true)]
async fn a_new_configuration_is_not_at_once_visible() {
    let stage = Stage::new(Mood::Calm).await;
    stage.make_model("m", None).await;
    let new = stage.sagemaker.create_endpoint_config().endpoint_config_name("c");
    new.production_variants(real_time("all", "m", 1)).send().await.unwrap();
    stage.sagemaker.describe_endpoint_config().endpoint_config_name("c").send().await.unwrap();
    invalid(stage.create_endpoint("c").await, "Could not find endpoint configuration");
    stage.wait(3).await;
    stage.create_endpoint("c").await.unwrap();
    invalid(stage.create_endpoint("c").await, "Cannot create already existing endpoint");
}

#[tokio::test(start_paused = true)]
async fn endpoints_take_their_time() {
    let stage = Stage::new(Mood::Calm).await;
    stage.make_model("m", None).await;
    stage.make_config("r", vec![real_time("all", "m", 2)]).await;
    stage.make_config("s", vec![serverless("m", 2048, 5)]).await;
    stage.create_endpoint("r").await.unwrap();
    let status = async |seconds| {
        stage.wait(seconds).await;
        stage.endpoint_status().await
    };
    assert_eq!(status(290).await, EndpointStatus::Creating);
    assert_eq!(stage.endpoint().await.production_variants()[0].current_instance_count(), Some(0));
    invalid(stage.update_endpoint("s").await, "Cannot update in-progress endpoint");
    let early = stage.sagemaker.delete_endpoint().endpoint_name("churn").send().await;
    invalid(early, "Cannot update in-progress endpoint");
    assert_eq!(status(10).await, EndpointStatus::InService);
    let variant = stage.endpoint().await.production_variants()[0].clone();
    assert_eq!(variant.current_instance_count(), Some(2));
    assert_eq!(variant.deployed_images()[0].specified_image(), Some(IMAGE));

    stage.sagemaker.delete_endpoint().endpoint_name("churn").send().await.unwrap();
    assert_eq!(stage.endpoint_status().await, EndpointStatus::Deleting);
    stage.wait(20).await;
    let gone = stage.sagemaker.describe_endpoint().endpoint_name("churn").send().await;
    invalid(gone, "Could not find endpoint \"");
    stage.sagemaker.describe_endpoint_config().endpoint_config_name("r").send().await.unwrap();

    stage.create_endpoint("s").await.unwrap();
    assert_eq!(status(140).await, EndpointStatus::Creating);
    assert_eq!(status(10).await, EndpointStatus::InService);
    let variant = stage.endpoint().await.production_variants()[0].clone();
    assert_eq!(variant.current_serverless_config().unwrap().memory_size_in_mb(), Some(2048));
}

#[tokio::test(start_paused = true)]
async fn an_update_changes_the_configuration_at_its_end() {
    let stage = Stage::new(Mood::Calm).await;
    stage.endpoint_in_service().await;
    stage.make_config("two", vec![real_time("all", "m", 3)]).await;
    stage.update_endpoint("two").await.unwrap();
    let under_way = stage.endpoint().await;
    assert_eq!(under_way.endpoint_status(), Some(&EndpointStatus::Updating));
    assert_eq!(under_way.endpoint_config_name(), Some("one"));
    assert_eq!(under_way.production_variants()[0].current_instance_count(), Some(1), "the old fleet serves");
    let pending = under_way.pending_deployment_summary().unwrap();
    assert_eq!(pending.endpoint_config_name(), Some("two"));
    assert_eq!(pending.production_variants()[0].desired_instance_count(), Some(3));
    invalid(stage.update_endpoint("one").await, "in-progress");
    stage.wait(420).await;
    let done = stage.endpoint().await;
    assert_eq!(done.endpoint_status(), Some(&EndpointStatus::InService));
    assert_eq!(done.endpoint_config_name(), Some("two"));
    assert_eq!(done.production_variants()[0].current_instance_count(), Some(3));
    assert_eq!(done.failure_reason(), None);
    assert!(done.pending_deployment_summary().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_failed_update_is_in_service_with_the_old_configuration() {
    let stage = Stage::new(Mood::Calm).await;
    stage.endpoint_in_service().await;
    stage.make_config("two", vec![real_time("all", "m", 2)]).await;
    let fail = |fails: bool| {
        stage.sandbox.with(|world| {
            let images = &mut world.regions.get_mut("us-east-1").unwrap().sagemaker.failing_images;
            if fails { images.insert(IMAGE.to_string()) } else { images.remove(IMAGE) }
        });
    };
    fail(true);
    stage.update_endpoint("two").await.unwrap();
    assert_eq!(stage.endpoint_status().await, EndpointStatus::Updating);
    stage.wait(430).await;
    assert_eq!(stage.endpoint_status().await, EndpointStatus::RollingBack);
    stage.wait(60).await;
    let back = stage.endpoint().await;
    assert_eq!(back.endpoint_status(), Some(&EndpointStatus::InService));
    assert_eq!(back.endpoint_config_name(), Some("one"));
    assert!(back.failure_reason().unwrap().contains("did not pass the ping health check"));
    assert_eq!(back.production_variants()[0].current_instance_count(), Some(1));

    fail(false);
    stage.update_endpoint("two").await.unwrap();
    stage.wait(430).await;
    let done = stage.endpoint().await;
    assert_eq!((done.endpoint_config_name(), done.failure_reason()), (Some("two"), None));
}

#[tokio::test(start_paused = true)]
async fn without_its_artifact_an_endpoint_fails_and_can_only_be_deleted() {
    let stage = Stage::new(Mood::Calm).await;
    let s3 = aws_sdk_s3::Client::new(&config(&stage.sandbox));
    s3.create_bucket().bucket("churn-sagemaker").send().await.unwrap();
    let key = ("churn-sagemaker", "m/model.tar.gz");
    let put = || {
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"x");
        s3.put_object().bucket(key.0).key(key.1).body(body).send()
    };
    let model = stage.sagemaker.create_model().model_name("m").execution_role_arn(&stage.role);
    let url = "s3://churn-sagemaker/m/model.tar.gz";
    let container = ContainerDefinition::builder().image(IMAGE).model_data_url(url).build();
    let early = model.primary_container(container).send().await;
    invalid(early, "Could not find model data at s3://churn-sagemaker/m/model.tar.gz");
    put().await.unwrap();
    stage.make_model("m", Some(url)).await;
    s3.delete_object().bucket(key.0).key(key.1).send().await.unwrap();
    stage.make_model("elsewhere", Some("s3://bucket-of-others/model.tar.gz")).await;
    stage.make_config("one", vec![real_time("all", "m", 1)]).await;
    stage.make_config("other", vec![real_time("all", "elsewhere", 1)]).await;
    stage.create_endpoint("one").await.unwrap();
    stage.wait(300).await;
    let failed = stage.endpoint().await;
    assert_eq!(failed.endpoint_status(), Some(&EndpointStatus::Failed));
    assert!(failed.failure_reason().unwrap().contains("s3://churn-sagemaker/m/model.tar.gz"));
    invalid(stage.update_endpoint("other").await, "DeleteEndpoint is the only operation");

    stage.sagemaker.delete_endpoint().endpoint_name("churn").send().await.unwrap();
    stage.wait(30).await;
    put().await.unwrap();
    stage.create_endpoint("one").await.unwrap();
    stage.wait(300).await;
    assert_eq!(stage.endpoint_status().await, EndpointStatus::InService);
    stage.update_endpoint("other").await.unwrap();
    stage.wait(420).await;
    assert_eq!(stage.endpoint().await.endpoint_config_name(), Some("other"), "of others nothing is known");
}

#[tokio::test(start_paused = true)]
async fn a_configuration_in_use_may_go_and_so_may_a_model() {
    let stage = Stage::new(Mood::Calm).await;
    stage.endpoint_in_service().await;
    stage.make_config("two", vec![real_time("all", "m", 2)]).await;
    let delete = |name: &str| stage.sagemaker.delete_endpoint_config().endpoint_config_name(name).send();
    stage.update_endpoint("two").await.unwrap();
    delete("one").await.unwrap();
    delete("two").await.unwrap();
    invalid(delete("two").await, "Could not find endpoint configuration");
    stage.wait(420).await;
    assert_eq!(stage.endpoint().await.endpoint_config_name(), Some("two"), "it is still told");
    stage.make_config("three", vec![real_time("all", "m", 1)]).await;
    stage.sagemaker.delete_model().model_name("m").send().await.unwrap();
    assert_eq!(stage.endpoint_status().await, EndpointStatus::InService);
    invalid(stage.update_endpoint("three").await, "Could not find model");
}

#[tokio::test(start_paused = true)]
async fn serverless_may_become_real_time_and_not_the_reverse() {
    let stage = Stage::new(Mood::Calm).await;
    stage.make_model("m", None).await;
    stage.make_config("r", vec![real_time("all", "m", 1)]).await;
    stage.make_config("s", vec![serverless("m", 2048, 5)]).await;
    stage.create_endpoint("s").await.unwrap();
    stage.wait(200).await;
    stage.update_endpoint("r").await.unwrap();
    stage.wait(500).await;
    assert_eq!(stage.endpoint().await.endpoint_config_name(), Some("r"));
    invalid(stage.update_endpoint("s").await, "real-time to a serverless");
}

#[tokio::test(start_paused = true)]
async fn weights_and_counts_change_and_are_reset_unless_retained() {
    let stage = Stage::new(Mood::Calm).await;
    stage.endpoint_in_service().await;
    let scale = |variant: &str| {
        let wish = DesiredWeightAndCapacity::builder().variant_name(variant).desired_instance_count(4);
        stage
            .sagemaker
            .update_endpoint_weights_and_capacities()
            .endpoint_name("churn")
            .desired_weights_and_capacities(wish.desired_weight(0.5).build())
            .send()
    };
    invalid(scale("other").await, "not present within endpoint configuration");
    scale("all").await.unwrap();
    let under_way = stage.endpoint().await;
    assert_eq!(under_way.endpoint_status(), Some(&EndpointStatus::Updating));
    let variant = &under_way.production_variants()[0];
    assert_eq!((variant.current_instance_count(), variant.desired_instance_count()), (Some(1), Some(4)));
    stage.wait(120).await;
    let variant = stage.endpoint().await.production_variants()[0].clone();
    assert_eq!((variant.current_instance_count(), variant.current_weight()), (Some(4), Some(0.5)));

    stage.make_config("two", vec![real_time("all", "m", 1)]).await;
    let update = stage.sagemaker.update_endpoint().endpoint_name("churn").endpoint_config_name("two");
    update.retain_all_variant_properties(true).send().await.unwrap();
    stage.wait(420).await;
    assert_eq!(stage.endpoint().await.production_variants()[0].current_instance_count(), Some(4));
    stage.make_config("three", vec![real_time("all", "m", 1)]).await;
    stage.update_endpoint("three").await.unwrap();
    stage.wait(420).await;
    assert_eq!(stage.endpoint().await.production_variants()[0].current_instance_count(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn instance_quotas_are_kept() {
    let stage = Stage::new(Mood::Calm).await;
    let limit = |quota: &str, limit| {
        stage.sandbox.with(|world| {
            let limits = &mut world.regions.entry("us-east-1".into()).or_default().sagemaker.instance_limits;
            limits.insert(quota.to_string(), limit);
        });
    };
    limit("ml.m5.large for endpoint usage", 1);
    stage.endpoint_in_service().await;
    stage.make_config("two", vec![real_time("all", "m", 1)]).await;
    let (code, message) = refused(stage.update_endpoint("two").await);
    assert_eq!(code, "ResourceLimitExceeded");
    assert!(message.contains("'ml.m5.large for endpoint usage' is 1 Instances"), "{message}");
    limit("ml.m5.large for endpoint usage", 2);
    stage.update_endpoint("two").await.unwrap();

    limit("ml.t3.medium for notebook instance usage", 0);
    let notebook = stage.sagemaker.create_notebook_instance().notebook_instance_name(NOTEBOOK);
    let notebook = notebook.instance_type(InstanceType::MlT3Medium).role_arn(&stage.role).send().await;
    assert_eq!(refused(notebook).0, "ResourceLimitExceeded");
}

#[tokio::test(start_paused = true)]
async fn maintenance_is_rare_and_keeps_everyone_out() {
    let stage = Stage::new(Mood::Calm).await;
    stage.endpoint_in_service().await;
    stage.make_config("two", vec![real_time("all", "m", 1)]).await;
    let now = stage.sandbox.clock().now_ms();
    stage.sandbox.with(|world| {
        let endpoints = &mut world.regions.get_mut("us-east-1").unwrap().sagemaker.endpoints;
        endpoints.get_mut("churn").unwrap().maintenance = Some((now, now + 60_000));
    });
    assert_eq!(stage.endpoint_status().await, EndpointStatus::SystemUpdating);
    invalid(stage.update_endpoint("two").await, "maintenance");
    let delete = || stage.sagemaker.delete_endpoint().endpoint_name("churn").send();
    invalid(delete().await, "maintenance");
    stage.wait(60).await;
    assert_eq!(stage.endpoint_status().await, EndpointStatus::InService);
    delete().await.unwrap();

    let lively = Stage::new(Mood::Real).await;
    lively.make_model("m", None).await;
    lively.make_config("one", vec![real_time("all", "m", 1)]).await;
    for n in 0..200 {
        let new = lively.sagemaker.create_endpoint().endpoint_name(format!("e{n}"));
        new.endpoint_config_name("one").send().await.unwrap();
    }
    let planned = lively.sandbox.with(|world| {
        let endpoints = &world.regions["us-east-1"].sagemaker.endpoints;
        endpoints.values().filter(|endpoint| endpoint.maintenance.is_some()).count()
    });
    assert!((1..15).contains(&planned), "{planned} of 200, p = 0.02");
}

#[tokio::test(start_paused = true)]
async fn a_model_in_a_vpc_leaves_interfaces_behind() {
    let stage = Stage::new(Mood::Calm).await;
    let (subnets, group) = stage.network().await;
    let create = |name: &str, subnets: &[String]| {
        let vpc = VpcConfig::builder().security_group_ids(&group).set_subnets(Some(subnets.to_vec())).build();
        let container = ContainerDefinition::builder().image(IMAGE).build();
        let new = stage.sagemaker.create_model().model_name(name).execution_role_arn(&stage.role);
        new.primary_container(container).vpc_config(vpc).send()
    };
    invalid(create("none", &["subnet-0".to_string()]).await, "does not exist");
    create("narrow", &subnets[..1]).await.unwrap();
    create("wide", &subnets).await.unwrap();
    stage.make_config("narrow", vec![real_time("all", "narrow", 1)]).await;
    stage.make_config("wide", vec![real_time("all", "wide", 1)]).await;
    invalid(stage.create_endpoint("narrow").await, "two different Availability Zones");
    assert_eq!(stage.interfaces().await, 0, "what is refused leaves nothing");
    stage.create_endpoint("wide").await.unwrap();
    assert_eq!(stage.interfaces().await, 2);
    stage.wait(300).await;
    stage.sagemaker.delete_endpoint().endpoint_name("churn").send().await.unwrap();
    stage.wait(120).await;
    let gone = stage.sagemaker.describe_endpoint().endpoint_name("churn").send().await;
    invalid(gone, "Could not find endpoint \"");
    assert_eq!(stage.interfaces().await, 2, "they linger");
    stage.wait(600).await;
    assert_eq!(stage.interfaces().await, 0);
    let serverless = stage.sagemaker.create_endpoint_config().endpoint_config_name("s");
    let serverless = serverless.production_variants(serverless_variant("wide")).send().await;
    invalid(serverless, "VpcConfig");
}

fn serverless_variant(model: &str) -> ProductionVariant {
    serverless(model, 2048, 5)
}
