//! What the pipelines' roles may not do.

use super::*;

/// Also where others wired the cluster with a role of their own: the template names such roles.
#[tokio::test(start_paused = true)]
async fn the_planning_role_verifies_what_others_wired() {
    let (spec, name) = (spec(&spec_file("existing-cluster.yaml")), "database-aurora-ml");
    let account = Account::new(3, Mood::Calm);
    make_foreign_cluster(&account, &spec.region, name, 1).await;
    let at = admin(&account, &spec.region);
    let (iam, rds) = (aws_sdk_iam::Client::new(&at), aws_sdk_rds::Client::new(&at));
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rds.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let made = iam.create_role().role_name("aurora-s3").assume_role_policy_document(trust).send().await;
    let role = made.unwrap().role.unwrap().arn;
    let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let made = iam.create_policy().policy_name("all").policy_document(all).send().await.unwrap();
    let policy = made.policy().unwrap().arn().unwrap().to_string();
    iam.attach_role_policy().role_name("aurora-s3").policy_arn(policy).send().await.unwrap();
    let make = rds.create_db_cluster_parameter_group().db_cluster_parameter_group_name("theirs");
    make.db_parameter_group_family("aurora-mysql8.0").description("by hand").send().await.unwrap();
    let parameter =
        aws_sdk_rds::types::Parameter::builder().parameter_name("aws_default_s3_role").parameter_value(&role);
    let modify = rds.modify_db_cluster_parameter_group().db_cluster_parameter_group_name("theirs");
    let parameter = parameter.apply_method("pending-reboot".into()).build();
    modify.parameters(parameter).send().await.unwrap();
    let give = rds.modify_db_cluster().db_cluster_identifier(name).db_cluster_parameter_group_name("theirs");
    give.send().await.unwrap();
    account.sandbox.clock().sleep(std::time::Duration::from_secs(600)).await;
    let world = account.sandbox.world();
    for (given, expected) in [(&[("OtherRoles", role.as_str())][..], &[][..]), (&[], &["iam:GetRole"])] {
        let deployed = Deployed::new(Account::over(world.clone()), &spec, given).await;
        verify(&deployed.planning().connect(&spec).await, false).await.unwrap();
        let denied = denied(&deployed.account);
        assert!(expected.iter().all(|action| denied.iter().any(|it| it == action)), "{denied:?}");
        assert_eq!(denied.is_empty(), expected.is_empty(), "{denied:?}");
        let reads = deployed.account.sandbox.with(|world| {
            world.log.iter().any(|entry| entry.operation == "GetPolicyVersion" && entry.code.is_none())
        });
        assert_eq!(reads, expected.is_empty(), "an attached policy counts as well");
    }
}

/// A pull request can say what it would change, and change nothing.
#[tokio::test(start_paused = true)]
async fn the_planning_role_changes_nothing() {
    let spec = bounded(&spec_file("churn.yaml"));
    let deployed = Deployed::new(Account::new(3, Mood::Calm), &spec, &[]).await;
    let before = deployed.account.mutations();
    let planning = deployed.planning();
    let outcome =
        planning.run(&spec, Intent::Apply, std::sync::Arc::new(auroraml_core::events::Silent)).await;
    assert!(!outcome.is_complete());
    let done = deployed.account.sandbox.with(|world| {
        world
            .mutations()
            .skip(before)
            .filter(|entry| entry.code.is_none())
            .map(|entry| entry.operation.clone())
            .collect::<Vec<_>>()
    });
    assert_eq!(done, Vec::<String>::new());
    let failures: Vec<String> =
        outcome.reports.iter().flat_map(|report| &report.failed).map(|(_, why)| why.to_string()).collect();
    assert!(
        failures.iter().any(|why| why.contains("is not authorized to perform: s3:CreateBucket")),
        "{failures:?}"
    );
    // Nor does it see a password.
    deployed.applying().apply(&spec).await;
    let secrets = aws_sdk_secretsmanager::Client::new(&caller(&planning, &spec.region));
    let read = secrets.get_secret_value().secret_id("auroraml/churn/master").send().await;
    assert_eq!(code(read), "AccessDeniedException");
}

#[tokio::test(start_paused = true)]
async fn who_may_be_which_role() {
    let spec = bounded(&spec_file("minimal.yaml"));
    let deployed = Deployed::new(Account::new(3, Mood::Calm), &spec, &[]).await;
    for (subject, plans, applies) in [
        (PULL_REQUEST, true, false),
        (ENVIRONMENT, false, true),
        ("repo:acme/shop:ref:refs/heads/main", false, false),
        ("repo:acme/shop:ref:refs/heads/feature", false, false),
        ("repo:acme/shop:environment:staging", false, false),
        ("repo:acme/shop-two:environment:production", false, false),
        ("repo:evil/shop:pull_request", false, false),
        ("repo:acme/shop:environment:production:pull_request", false, false),
    ] {
        assert_eq!(deployed.session(Who::Plan, subject).is_some(), plans, "{subject} plans");
        assert_eq!(deployed.session(Who::Apply, subject).is_some(), applies, "{subject} applies");
    }
}

fn code<T: Debug, E: ProvideErrorMetadata + Debug, R: Debug>(
    result: Result<T, aws_sdk_iam::error::SdkError<E, R>>,
) -> String {
    let error = result.expect_err("must be refused");
    match error.as_service_error() {
        Some(service) => service.code().unwrap_or("none").to_string(),
        None => panic!("{error:?}"),
    }
}

/// All that lies beside the stack: of another stack whose name begins like this one's, of the account, and what would
/// give the role more than it has.
#[tokio::test(start_paused = true)]
async fn neighbours_are_out_of_reach() {
    let text = spec_file("churn.yaml");
    let mine = bounded(&text);
    let mut theirs = mine.clone();
    theirs.stack = "churn-two".into();
    theirs.permissions_boundary = None;
    let endpoints = std::mem::take(&mut theirs.endpoints);
    theirs.endpoints =
        endpoints.into_iter().map(|(name, endpoint)| (format!("{name}-two"), endpoint)).collect();
    for endpoint in theirs.machine_learning.sagemaker.iter_mut().flat_map(|access| &mut access.endpoints) {
        endpoint.push_str("-two");
    }
    let account = Account::new(5, Mood::Calm);
    account.apply(&theirs).await;
    let deployed = Deployed::new(account, &mine, &[("OtherBuckets", OTHERS)]).await;
    let me = deployed.applying();
    me.apply(&mine).await;
    assert_eq!(denied(&me), Vec::<String>::new());
    let before = serde_json::to_value(me.sandbox.world()).unwrap();
    let at = caller(&me, &mine.region);

    let ec2 = aws_sdk_ec2::Client::new(&at);
    let vpcs = ec2.describe_vpcs().send().await.unwrap();
    let vpc_of = |stack: &str| {
        let is = |vpc: &&aws_sdk_ec2::types::Vpc| {
            vpc.tags().iter().any(|tag| tag.key() == Some("auroraml:stack") && tag.value() == Some(stack))
        };
        vpcs.vpcs().iter().find(is).and_then(|vpc| vpc.vpc_id()).unwrap().to_string()
    };
    let (own, other) = (vpc_of("churn"), vpc_of("churn-two"));
    let tag = |key: &str, value: &str| aws_sdk_ec2::types::Tag::builder().key(key).value(value).build();
    let tagged = |kind: aws_sdk_ec2::types::ResourceType| {
        let tag = tag("auroraml:stack", "churn");
        aws_sdk_ec2::types::TagSpecification::builder().resource_type(kind).tags(tag).build()
    };
    let mut codes = vec![
        code(ec2.delete_vpc().vpc_id(&other).send().await),
        // With our tag in the request, but in their VPC.
        code(
            ec2.create_subnet()
                .vpc_id(&other)
                .cidr_block("10.0.9.0/24")
                .tag_specifications(tagged(aws_sdk_ec2::types::ResourceType::Subnet))
                .send()
                .await,
        ),
        // Theirs made ours, ours made theirs, ours made nobody's.
        code(ec2.create_tags().resources(&other).tags(tag("auroraml:stack", "churn")).send().await),
        code(ec2.create_tags().resources(&own).tags(tag("auroraml:stack", "churn-two")).send().await),
        code(ec2.delete_tags().resources(&own).tags(tag("auroraml:stack", "churn")).send().await),
        // Without a tag.
        code(ec2.create_vpc().cidr_block("10.7.0.0/16").send().await),
    ];
    assert!(codes.iter().all(|code| code == "UnauthorizedOperation"), "{codes:?}");

    let rds = aws_sdk_rds::Client::new(&at);
    let instances = rds.describe_db_instances().send().await.unwrap();
    let instance = instances
        .db_instances()
        .iter()
        .find_map(|instance| instance.db_instance_identifier().filter(|name| name.starts_with("churn-two-")));
    let instance = instance.unwrap();
    let db = format!("arn:aws:rds:{}:111122223333:db:{instance}", mine.region);
    let rds_tag = aws_sdk_rds::types::Tag::builder().key("auroraml:stack").value("churn").build();
    codes = vec![
        code(
            rds.delete_db_instance().db_instance_identifier(instance).skip_final_snapshot(true).send().await,
        ),
        code(rds.reboot_db_instance().db_instance_identifier(instance).send().await),
        code(rds.add_tags_to_resource().resource_name(&db).tags(rds_tag).send().await),
        code(
            rds.modify_db_cluster()
                .db_cluster_identifier("churn-two")
                .backup_retention_period(2)
                .send()
                .await,
        ),
        code(
            rds.add_role_to_db_cluster()
                .db_cluster_identifier("churn")
                .role_arn("arn:aws:iam::111122223333:role/ApplyRole")
                .send()
                .await,
        ),
    ];

    let iam = aws_sdk_iam::Client::new(&at);
    let path = format!("/auroraml/churn/{}/", mine.region);
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rds.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let role = || iam.create_role().role_name("churn-x").assume_role_policy_document(trust);
    let own_tag = || Tag::builder().key("auroraml:stack").value("churn").build().unwrap();
    let own_role = format!("churn-{}-sagemaker", mine.region);
    let their_role = format!("churn-two-{}-sagemaker", mine.region);
    let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    codes.extend([
        code(role().path("/").permissions_boundary(BOUNDARY).tags(own_tag()).send().await),
        code(role().path("/auroraml/churn-two/us-east-1/").permissions_boundary(BOUNDARY).send().await),
        // In our path, with no boundary or a wider one.
        code(role().path(&path).tags(own_tag()).send().await),
        code(
            role()
                .path(&path)
                .permissions_boundary("arn:aws:iam::aws:policy/AdministratorAccess")
                .send()
                .await,
        ),
        code(iam.delete_role_permissions_boundary().role_name(&own_role).send().await),
        code(
            iam.put_role_permissions_boundary()
                .role_name(&own_role)
                .permissions_boundary("arn:aws:iam::aws:policy/AdministratorAccess")
                .send()
                .await,
        ),
        code(
            iam.attach_role_policy()
                .role_name(&own_role)
                .policy_arn("arn:aws:iam::aws:policy/AdministratorAccess")
                .send()
                .await,
        ),
        code(
            iam.create_policy_version()
                .policy_arn(BOUNDARY)
                .policy_document(all)
                .set_as_default(true)
                .send()
                .await,
        ),
        code(iam.put_role_policy().role_name("ApplyRole").policy_name("x").policy_document(all).send().await),
        code(iam.put_role_policy().role_name(&their_role).policy_name("x").policy_document(all).send().await),
        code(iam.delete_role().role_name(&their_role).send().await),
        code(iam.update_assume_role_policy().role_name(&their_role).policy_document(trust).send().await),
    ]);
    let s3 = aws_sdk_s3::Client::new(&at);
    let bucket = format!("churn-two-sagemaker-111122223333-{}", mine.region);
    codes.extend([
        code(s3.delete_bucket().bucket(&bucket).send().await),
        code(s3.put_object().bucket(&bucket).key("x").send().await),
        code(s3.list_objects_v2().bucket(&bucket).send().await),
        code(s3.create_bucket().bucket("churn-elsewhere").send().await),
    ]);
    assert!(codes.iter().all(|code| code == "AccessDenied"), "{codes:?}");

    let sagemaker = aws_sdk_sagemaker::Client::new(&at);
    let endpoint = theirs.endpoints.keys().next();
    let notebook = "churn-two-notebook";
    let arn = format!("arn:aws:sagemaker:{}:111122223333:notebook-instance/{notebook}", mine.region);
    let sagemaker_tag = aws_sdk_sagemaker::types::Tag::builder().key("auroraml:stack").value("churn").build();
    codes = vec![
        code(sagemaker.stop_notebook_instance().notebook_instance_name(notebook).send().await),
        code(sagemaker.delete_notebook_instance().notebook_instance_name(notebook).send().await),
        code(sagemaker.add_tags().resource_arn(&arn).tags(sagemaker_tag).send().await),
        code(
            sagemaker
                .create_presigned_notebook_instance_url()
                .notebook_instance_name("churn-notebook")
                .send()
                .await,
        ),
        code(
            sagemaker
                .create_model()
                .model_name("churn-x")
                .execution_role_arn("arn:aws:iam::111122223333:role/ApplyRole")
                .send()
                .await,
        ),
    ];
    if let Some(endpoint) = endpoint {
        codes.push(code(sagemaker.delete_endpoint().endpoint_name(endpoint).send().await));
    }
    let secrets = aws_sdk_secretsmanager::Client::new(&at);
    let managed = format!("arn:aws:secretsmanager:{}:111122223333:secret:rds!cluster-0-abcdef", mine.region);
    for secret in ["auroraml/churn-two/master", managed.as_str(), "other"] {
        codes.push(code(secrets.get_secret_value().secret_id(secret).send().await));
        codes.push(code(secrets.delete_secret().secret_id(secret).send().await));
    }
    assert!(codes.iter().all(|code| code == "AccessDeniedException"), "{codes:?}");

    // Nothing came of any of it.
    let after = serde_json::to_value(me.sandbox.world()).unwrap();
    for part in ["iam", "s3"] {
        assert_eq!(before["global"][part], after["global"][part], "{part}");
    }
    for part in ["ec2", "rds", "sagemaker", "secretsmanager"] {
        for (kind, objects) in before["regions"][&mine.region][part].as_object().unwrap() {
            if kind != "now" && !objects.is_number() {
                assert_eq!(*objects, after["regions"][&mine.region][part][kind], "{part} {kind}");
            }
        }
    }
    me.destroy(&mine).await;
}
