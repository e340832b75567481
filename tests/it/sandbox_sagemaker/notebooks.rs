//! SageMaker's notebook instances, as they live in the sandbox.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_notebook_walks_through_its_states() {
    let stage = Stage::new(Mood::Calm).await;
    let sagemaker = &stage.sagemaker;
    stage.make_notebook().await;
    let made = stage.notebook().await;
    assert_eq!(made.notebook_instance_status(), Some(&NotebookInstanceStatus::Pending));
    assert_eq!(made.platform_identifier(), Some("notebook-al2023-v1"));
    assert_eq!(made.volume_size_in_gb(), Some(5));
    assert_eq!(made.url(), Some("churn-notebook.notebook.us-east-1.sagemaker.aws"));
    let url = || sagemaker.create_presigned_notebook_instance_url().notebook_instance_name(NOTEBOOK).send();
    invalid(url().await, "Pending");
    stage.wait(200).await;
    assert_eq!(stage.notebook_status().await, NotebookInstanceStatus::Pending, "210 s");
    stage.wait(10).await;
    assert_eq!(stage.notebook_status().await, NotebookInstanceStatus::InService);
    let url = url().await.unwrap().authorized_url.unwrap();
    assert!(url.starts_with("https://churn-notebook.notebook.us-east-1.sagemaker.aws?authToken="), "{url}");

    sagemaker.stop_notebook_instance().notebook_instance_name(NOTEBOOK).send().await.unwrap();
    assert_eq!(stage.notebook_status().await, NotebookInstanceStatus::Stopping);
    stage.wait(110).await;
    assert_eq!(stage.notebook_status().await, NotebookInstanceStatus::Stopped);
    sagemaker.start_notebook_instance().notebook_instance_name(NOTEBOOK).send().await.unwrap();
    assert_eq!(stage.notebook_status().await, NotebookInstanceStatus::Pending);
    stage.wait(210).await;
    assert_eq!(stage.notebook_status().await, NotebookInstanceStatus::InService);

    sagemaker.stop_notebook_instance().notebook_instance_name(NOTEBOOK).send().await.unwrap();
    stage.wait(110).await;
    sagemaker.delete_notebook_instance().notebook_instance_name(NOTEBOOK).send().await.unwrap();
    assert_eq!(stage.notebook_status().await, NotebookInstanceStatus::Deleting);
    stage.wait(60).await;
    let gone = sagemaker.describe_notebook_instance().notebook_instance_name(NOTEBOOK).send().await;
    assert_eq!(refused(gone), ("ValidationException".into(), "RecordNotFound".into()));
}

#[tokio::test(start_paused = true)]
async fn a_notebook_in_the_wrong_state_is_left_alone() {
    let stage = Stage::new(Mood::Calm).await;
    let sagemaker = &stage.sagemaker;
    stage.make_notebook().await;
    let stop = || sagemaker.stop_notebook_instance().notebook_instance_name(NOTEBOOK).send();
    let start = || sagemaker.start_notebook_instance().notebook_instance_name(NOTEBOOK).send();
    let delete = || sagemaker.delete_notebook_instance().notebook_instance_name(NOTEBOOK).send();
    let update =
        || sagemaker.update_notebook_instance().notebook_instance_name(NOTEBOOK).volume_size_in_gb(10).send();
    invalid(stop().await, "Status (Pending) not in ([InService])");
    invalid(
        delete().await,
        "Status (Pending) not in ([Stopped, Failed]). Unable to transition to (Deleting)",
    );
    stage.wait(300).await;
    invalid(delete().await, "Status (InService)");
    invalid(update().await, "Status (InService) not in ([Stopped])");
    invalid(start().await, "Status (InService)");
    stop().await.unwrap();
    stage.wait(200).await;
    invalid(stop().await, "Status (Stopped)");
    update().await.unwrap();
    assert_eq!(stage.notebook_status().await, NotebookInstanceStatus::Updating);
    invalid(delete().await, "Status (Updating)");
    stage.wait(60).await;
    assert_eq!(stage.notebook_status().await, NotebookInstanceStatus::Stopped);
    assert_eq!(stage.notebook().await.volume_size_in_gb(), Some(10));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_notebook_can_change_but_its_volume_never_shrinks() {
    let stage = Stage::new(Mood::Calm).await;
    stage.make_lifecycle_config("scripts").await;
    stage.stopped_notebook().await;
    let update = || stage.sagemaker.update_notebook_instance().notebook_instance_name(NOTEBOOK);
    update()
        .volume_size_in_gb(20)
        .instance_type(InstanceType::MlT3Large)
        .lifecycle_config_name("scripts")
        .send()
        .await
        .unwrap();
    stage.wait(60).await;
    let notebook = stage.notebook().await;
    assert_eq!(notebook.volume_size_in_gb(), Some(20));
    assert_eq!(notebook.instance_type(), Some(&InstanceType::MlT3Large));
    assert_eq!(notebook.notebook_instance_lifecycle_config_name(), Some("scripts"));

    invalid(update().volume_size_in_gb(10).send().await, "cannot be decreased");
    invalid(update().volume_size_in_gb(4).send().await, "greater than or equal to 5");
    invalid(update().platform_identifier("notebook-al2-v2").send().await, "end of support");
    invalid(update().lifecycle_config_name("other").send().await, "does not exist");
    invalid(update().role_arn("arn:aws:iam::111122223333:role/none").send().await, "Could not assume role");
    update().disassociate_lifecycle_config(true).send().await.unwrap();
    stage.wait(60).await;
    assert_eq!(stage.notebook().await.notebook_instance_lifecycle_config_name(), None);
}

#[tokio::test(start_paused = true)]
async fn what_a_new_notebook_needs_must_exist() {
    let stage = Stage::new(Mood::Calm).await;
    let create = || {
        let new = stage.sagemaker.create_notebook_instance().notebook_instance_name(NOTEBOOK);
        new.instance_type(InstanceType::MlT3Medium).role_arn(&stage.role)
    };
    for platform in ["notebook-al1-v1", "notebook-al2-v1", "notebook-al2-v2", "notebook-al2-v3"] {
        invalid(create().platform_identifier(platform).send().await, "end of support");
    }
    invalid(create().platform_identifier("notebook-al9").send().await, "enum value set");
    invalid(create().instance_type(InstanceType::MlP32Xlarge).send().await, "not supported on platform");
    invalid(create().notebook_instance_name("churn_notebook").send().await, "regular expression");
    invalid(create().volume_size_in_gb(4).send().await, "greater than or equal to 5");
    invalid(create().lifecycle_config_name("none").send().await, "does not exist");
    invalid(create().subnet_id("subnet-0").send().await, "does not exist");
    invalid(create().security_group_ids("sg-0").send().await, "SubnetId");
    invalid(create().direct_internet_access("Disabled".into()).send().await, "SubnetId");
    let (subnets, _) = stage.network().await;
    invalid(create().subnet_id(&subnets[0]).security_group_ids("sg-0").send().await, "does not exist");
    let trusted_by_rds = stage.make_role("other", "rds.amazonaws.com").await;
    let fresh = stage.make_role("fresh", "sagemaker.amazonaws.com").await;
    invalid(create().role_arn(&fresh).send().await, "Could not assume role");
    stage.wait(120).await;
    invalid(create().role_arn(&trusted_by_rds).send().await, "Could not assume role");
    create().role_arn(&fresh).send().await.unwrap();
    invalid(create().send().await, "Cannot create already existing");
    invalid(create().notebook_instance_name("CHURN-notebook").send().await, "Cannot create already existing");
}

#[tokio::test(start_paused = true)]
async fn a_start_is_sometimes_ignored() {
    let stage = Stage::new(Mood::Real).await;
    stage.stopped_notebook().await;
    let mut ignored = 0;
    for _ in 0..200 {
        let start = stage.sagemaker.start_notebook_instance().notebook_instance_name(NOTEBOOK);
        start.send().await.unwrap();
        if stage.notebook_status().await == NotebookInstanceStatus::Stopped {
            ignored += 1;
            continue;
        }
        stage.wait(1200).await;
        stage.sagemaker.stop_notebook_instance().notebook_instance_name(NOTEBOOK).send().await.unwrap();
        stage.wait(1200).await;
    }
    assert!((1..15).contains(&ignored), "{ignored} of 200, p = 0.02");
}

#[tokio::test(start_paused = true)]
async fn lifecycle_scripts_are_checked_and_kept_while_in_use() {
    let stage = Stage::new(Mood::Calm).await;
    let sagemaker = &stage.sagemaker;
    let create = |name: &str, content: &str| {
        sagemaker
            .create_notebook_instance_lifecycle_config()
            .notebook_instance_lifecycle_config_name(name)
            .on_create(hook(content))
            .send()
    };
    create("fits", &"A".repeat(16_384)).await.unwrap();
    invalid(create("long", &"A".repeat(16_388)).await, "16384");
    invalid(create("plain", "#!/bin/bash").await, "base64");
    invalid(create("fits", "QQ==").await, "Cannot create already existing");

    let describe = || {
        sagemaker
            .describe_notebook_instance_lifecycle_config()
            .notebook_instance_lifecycle_config_name("fits")
            .send()
    };
    sagemaker
        .update_notebook_instance_lifecycle_config()
        .notebook_instance_lifecycle_config_name("fits")
        .on_start(hook("QQ=="))
        .send()
        .await
        .unwrap();
    let config = describe().await.unwrap();
    assert_eq!(config.on_start()[0].content(), Some("QQ=="));
    assert_eq!(config.on_create()[0].content().unwrap().len(), 16_384);

    let notebook = sagemaker.create_notebook_instance().notebook_instance_name(NOTEBOOK);
    let notebook = notebook.instance_type(InstanceType::MlT3Medium).role_arn(&stage.role);
    notebook.lifecycle_config_name("fits").send().await.unwrap();
    let delete = || {
        sagemaker
            .delete_notebook_instance_lifecycle_config()
            .notebook_instance_lifecycle_config_name("fits")
            .send()
    };
    invalid(delete().await, "in use");
    stage.wait(300).await;
    sagemaker.stop_notebook_instance().notebook_instance_name(NOTEBOOK).send().await.unwrap();
    stage.wait(200).await;
    let update = sagemaker.update_notebook_instance().notebook_instance_name(NOTEBOOK);
    update.disassociate_lifecycle_config(true).send().await.unwrap();
    delete().await.unwrap();
    invalid(describe().await, "Notebook Instance Lifecycle Config does not exist");
}

#[tokio::test(start_paused = true)]
async fn a_script_that_takes_too_long_fails_the_notebook() {
    let stage = Stage::new(Mood::Calm).await;
    stage.make_lifecycle_config("slow").await;
    stage.sandbox.with(|world| {
        let region = world.regions.get_mut("us-east-1").unwrap();
        region.sagemaker.failing_lifecycle_configs.insert("slow".into());
    });
    let notebook = stage.sagemaker.create_notebook_instance().notebook_instance_name(NOTEBOOK);
    let notebook = notebook.instance_type(InstanceType::MlT3Medium).role_arn(&stage.role);
    notebook.lifecycle_config_name("slow").send().await.unwrap();
    assert_eq!(stage.notebook_status().await, NotebookInstanceStatus::Pending);
    stage.wait(300).await;
    let failed = stage.notebook().await;
    assert_eq!(failed.notebook_instance_status(), Some(&NotebookInstanceStatus::Failed));
    assert!(failed.failure_reason().unwrap().contains("took longer than 5 minutes"));
    let start = stage.sagemaker.start_notebook_instance().notebook_instance_name(NOTEBOOK).send().await;
    invalid(start, "Status (Failed)");
    stage.sagemaker.delete_notebook_instance().notebook_instance_name(NOTEBOOK).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_notebooks_network_interface_outlives_it() {
    let stage = Stage::new(Mood::Calm).await;
    let (subnets, group) = stage.network().await;
    let notebook = stage.sagemaker.create_notebook_instance().notebook_instance_name(NOTEBOOK);
    let notebook = notebook.instance_type(InstanceType::MlT3Medium).role_arn(&stage.role);
    notebook.subnet_id(&subnets[0]).security_group_ids(group).send().await.unwrap();
    assert_eq!(stage.interfaces().await, 1);
    assert!(stage.notebook().await.network_interface_id().unwrap().starts_with("eni-"));
    stage.wait(300).await;
    stage.sagemaker.stop_notebook_instance().notebook_instance_name(NOTEBOOK).send().await.unwrap();
    stage.wait(200).await;
    stage.sagemaker.delete_notebook_instance().notebook_instance_name(NOTEBOOK).send().await.unwrap();
    stage.wait(300).await;
    let gone = stage.sagemaker.describe_notebook_instance().notebook_instance_name(NOTEBOOK).send().await;
    invalid(gone, "RecordNotFound");
    let ec2 = aws_sdk_ec2::Client::new(&config(&stage.sandbox));
    let blocked = ec2.delete_subnet().subnet_id(&subnets[0]).send().await.unwrap_err();
    assert_eq!(blocked.code(), Some("DependencyViolation"));
    stage.wait(600).await;
    assert_eq!(stage.interfaces().await, 0);
    ec2.delete_subnet().subnet_id(&subnets[0]).send().await.unwrap();
}
