//! What an account has before its owner does anything (fact book, appendix F, item 10), and that a stack leaves it so.

use crate::harness::{Account, spec, spec_file};
use crate::support::config;
use auroraml::run::reconcile::PrepareError;
use auroraml_core::model::Intent;
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::{Sandbox, World};
use aws_sdk_ec2::types::Filter;
use std::collections::BTreeSet;

/// Everything in the account that has a name, but for what AWS itself removes later or keeps.
pub fn inventory(world: &World) -> BTreeSet<String> {
    let all = serde_json::to_value(world).unwrap();
    let own = [&all["global"], &all["regions"]["us-east-1"]];
    let services = own.iter().flat_map(|own| own.as_object().unwrap());
    let kinds = services.filter(|(service, _)| *service != "kms").flat_map(|(service, kinds)| {
        let maps = kinds.as_object().into_iter().flatten();
        maps.filter_map(move |(kind, all)| Some((format!("{service}/{kind}"), all.as_object()?.clone())))
    });
    let lingers = [
        "ec2/buckets",
        "ec2/interfaces",
        "ec2/nat_gateways",
        "ec2/tokens",
        "s3/settling",
        "secretsmanager/leaving",
    ];
    let kinds = kinds.filter(|(kind, _)| !lingers.contains(&kind.as_str()));
    kinds.flat_map(|(kind, all)| all.into_iter().map(move |(name, _)| format!("{kind}/{name}"))).collect()
}

#[tokio::test(start_paused = true)]
async fn every_region_has_a_default_network() {
    let sandbox = Sandbox::new(World::new(1, Mood::Real), 1.0);
    let ec2 = aws_sdk_ec2::Client::new(&config(&sandbox));
    let vpcs = ec2.describe_vpcs().send().await.unwrap();
    let vpc = &vpcs.vpcs()[0];
    assert_eq!(
        (vpcs.vpcs().len(), vpc.is_default(), vpc.cidr_block()),
        (1, Some(true), Some("172.31.0.0/16"))
    );
    let inside = || Filter::builder().name("vpc-id").values(vpc.vpc_id().unwrap()).build();
    let subnets = ec2.describe_subnets().filters(inside()).send().await.unwrap();
    let zones: BTreeSet<_> = subnets.subnets().iter().filter_map(|one| one.availability_zone()).collect();
    assert_eq!((subnets.subnets().len(), zones.len()), (6, 6));
    assert!(subnets.subnets().iter().all(|one| one.default_for_az() == Some(true)
        && one.cidr_block().unwrap().ends_with(".0/20")
        && one.map_public_ip_on_launch() == Some(true)));
    let tables = ec2.describe_route_tables().filters(inside()).send().await.unwrap();
    let gateway = tables.route_tables()[0].routes()[1].gateway_id().unwrap();
    assert!(gateway.starts_with("igw-"), "{gateway}");
    let gateways = ec2.describe_internet_gateways().internet_gateway_ids(gateway).send().await.unwrap();
    assert_eq!(gateways.internet_gateways()[0].attachments()[0].vpc_id(), vpc.vpc_id());

    let bare = Sandbox::new(World::new(1, Mood::Real).bare(), 1.0);
    let ec2 = aws_sdk_ec2::Client::new(&config(&bare));
    assert!(ec2.describe_vpcs().send().await.unwrap().vpcs().is_empty());
    assert!(ec2.describe_subnets().send().await.unwrap().subnets().is_empty());
}

/// A cluster for which nobody names subnets lands in the default VPC; RDS makes its role in the account.
#[tokio::test(start_paused = true)]
async fn the_default_network_is_where_clusters_go() {
    let sandbox = Sandbox::new(World::new(1, Mood::Calm), 1.0);
    let (rds, iam) =
        (aws_sdk_rds::Client::new(&config(&sandbox)), aws_sdk_iam::Client::new(&config(&sandbox)));
    let role = "AWSServiceRoleForRDS";
    assert!(iam.get_role().role_name(role).send().await.is_err(), "nobody has used RDS");
    let new = rds.create_db_cluster().db_cluster_identifier("c").engine("aurora-mysql");
    let made = new.master_username("admin").manage_master_user_password(true).send().await.unwrap();
    assert_eq!(made.db_cluster().unwrap().db_subnet_group(), Some("default"));
    assert_eq!(made.db_cluster().unwrap().vpc_security_groups().len(), 1);
    let group = rds.describe_db_subnet_groups().db_subnet_group_name("default").send().await.unwrap();
    assert_eq!(group.db_subnet_groups()[0].subnets().len(), 6);
    let found = iam.get_role().role_name(role).send().await.unwrap();
    assert_eq!(found.role().unwrap().path(), "/aws-service-role/rds.amazonaws.com/");
}

/// Five VPCs, and the default one is one of them.
#[tokio::test(start_paused = true)]
async fn the_default_network_counts_against_the_quota() {
    let spec = spec(&spec_file("churn.yaml"));
    let account = Account::new(1, Mood::Calm);
    let ec2 = aws_sdk_ec2::Client::new(&config(&account.sandbox));
    for n in 1..=4 {
        let refused = account.prepare(&spec, Intent::Apply).await;
        assert!(refused.is_ok(), "with {n} of five there is room");
        ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap();
    }
    account.sandbox.clock().sleep(std::time::Duration::from_secs(120)).await;
    let Err(PrepareError::Preflight(problems)) = account.prepare(&spec, Intent::Apply).await else {
        panic!("the quota is reached");
    };
    assert!(problems.iter().any(|problem| problem.why.contains("5 in use in us-east-1")), "{problems:?}");
}

/// What was there before is there afterwards, and nothing else: untagged or not.
#[tokio::test(start_paused = true)]
async fn a_stack_leaves_the_account_as_it_was() {
    let spec = spec(&spec_file("churn.yaml"));
    let account = Account::new(3, Mood::Real);
    let ec2 = aws_sdk_ec2::Client::new(&config(&account.sandbox));
    ec2.describe_vpcs().send().await.unwrap();
    let before = inventory(&account.sandbox.world());
    assert!(before.iter().any(|path| path.starts_with("ec2/vpcs/")), "the default VPC: {before:?}");
    account.apply(&spec).await;
    account.destroy(&spec).await;
    let after = inventory(&account.sandbox.world());
    assert_eq!(before.difference(&after).count(), 0, "{before:?} {after:?}");
    // AWS keeps the records of jobs for ever.
    let left = after.difference(&before).filter(|path| !path.to_lowercase().contains("training"));
    let left: Vec<&String> = left.collect();
    // SageMaker and RDS make these on first use; log groups stay until somebody deletes them (`destroy --sweep`).
    let made = [
        "iam/roles/awsserviceroleforrds",
        "logs/groups//aws/sagemaker/Endpoints/churn",
        "logs/groups//aws/sagemaker/NotebookInstances",
    ];
    assert_eq!(left, made, "AWS makes these");
}

/// A member that the sandbox does not know is refused by name, and what was done until then is taken back.
#[tokio::test(start_paused = true)]
async fn what_nobody_reads_is_refused_and_nothing_is_made() {
    let sandbox = Sandbox::new(World::new(1, Mood::Calm), 1.0);
    let (rds, ec2) =
        (aws_sdk_rds::Client::new(&config(&sandbox)), aws_sdk_ec2::Client::new(&config(&sandbox)));
    let sagemaker = aws_sdk_sagemaker::Client::new(&config(&sandbox));
    ec2.describe_vpcs().send().await.unwrap();
    let before = inventory(&sandbox.world());
    let refused = |error: String, member: &str| assert!(error.contains(member), "{member}: {error}");

    let new =
        rds.create_db_cluster().db_cluster_identifier("c").engine("aurora-mysql").master_username("admin");
    let new = new.manage_master_user_password(true).backtrack_window(3600);
    refused(format!("{:?}", new.send().await.unwrap_err()), "BacktrackWindow");
    let new = ec2.create_vpc().cidr_block("10.0.0.0/16").ipv4_netmask_length(24);
    refused(format!("{:?}", new.send().await.unwrap_err()), "Ipv4NetmaskLength");
    let new = ec2.create_vpc().cidr_block("10.0.0.0/16").ipv4_netmask_length(24).dry_run(true);
    refused(format!("{:?}", new.send().await.unwrap_err()), "Ipv4NetmaskLength");
    let training = sagemaker.list_training_jobs().warm_pool_status_equals("Available".into());
    refused(format!("{:?}", training.send().await.unwrap_err()), "WarmPoolStatusEquals");

    assert_eq!(inventory(&sandbox.world()), before);
}
