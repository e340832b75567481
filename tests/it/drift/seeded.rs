//! One change after the other, made by somebody else with AWS's own SDK; each is found, with who did it.

use super::{applied, look};
use crate::harness::Account;
use auroraml::aws::simulated_config_as;
use auroraml_clock::Clock;
use auroraml_core::drift::{Finding, Sort};
use auroraml_sandbox::ACCOUNT;
use auroraml_sandbox::random::Mood;
use aws_sdk_ec2::types::{AttributeBooleanValue, IpPermission, IpRange, Tag};
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::time::Duration;

/// Somebody else in the account, by hand.
#[derive(Clone)]
struct Ann {
    ec2: aws_sdk_ec2::Client,
    iam: aws_sdk_iam::Client,
    rds: aws_sdk_rds::Client,
    s3: aws_sdk_s3::Client,
    sagemaker: aws_sdk_sagemaker::Client,
    secrets: aws_sdk_secretsmanager::Client,
    /// AWS's id of each of the stack's objects, else its name.
    ids: BTreeMap<String, String>,
    bucket: String,
    clock: Clock,
}

impl Ann {
    fn id(&self, id: &str) -> &str {
        self.ids.get(id).unwrap_or_else(|| panic!("{id} is not among {:?}", self.ids.keys()))
    }
}

struct Case {
    what: &'static str,
    /// The object, sort and path of the finding.
    expected: (&'static str, Sort, &'static str),
    change: fn(Ann) -> BoxFuture<'static, ()>,
}

macro_rules! cases {
    ($($what:literal => $id:literal, $sort:ident, $path:literal, |$ann:ident| $change:expr;)*) => {
        vec![$(Case {
            what: $what,
            expected: ($id, Sort::$sort, $path),
            change: |$ann| Box::pin(async move { $change; }),
        }),*]
    };
}

fn rule(port: i32) -> IpPermission {
    let range = IpRange::builder().cidr_ip("0.0.0.0/0").build();
    IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port).ip_ranges(range).build()
}

fn tag() -> Tag {
    Tag::builder().key("team").value("ann").build()
}

fn flag(on: bool) -> AttributeBooleanValue {
    AttributeBooleanValue::builder().value(on).build()
}

const TRUST: &str = r#"{"Version": "2012-10-17", "Statement":
    [{"Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"#;
const DOCUMENT: &str = r#"{"Version": "2012-10-17", "Statement":
    [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"#;
const ENDPOINT_POLICY: &str =
    r#"{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}"#;

macro_rules! done {
    ($request:expr) => {
        $request.send().await.unwrap()
    };
}

fn cases() -> Vec<Case> {
    cases! {
        "a tag of the VPC" => "vpc.main", Foreign, "tags.team",
            |ann| done!(ann.ec2.create_tags().resources(ann.id("vpc.main")).tags(tag()));
        "DNS support" => "vpc.main", Changed, "dns_support",
            |ann| done!(ann.ec2.modify_vpc_attribute().vpc_id(ann.id("vpc.main")).enable_dns_support(flag(false)));
        "DNS host names" => "vpc.main", Changed, "dns_hostnames",
            |ann| done!(ann.ec2.modify_vpc_attribute().vpc_id(ann.id("vpc.main")).enable_dns_hostnames(flag(false)));
        "public addresses in a subnet" => "subnet.private-1", Changed, "public",
            |ann| done!(ann.ec2.modify_subnet_attribute().subnet_id(ann.id("subnet.private-1")).map_public_ip_on_launch(flag(true)));
        "a rule more" => "security_group.aurora", Foreign, "ingress",
            |ann| done!(ann.ec2.authorize_security_group_ingress().group_id(ann.id("security_group.aurora")).ip_permissions(rule(22)));
        "a way out more" => "security_group.aurora", Foreign, "egress",
            |ann| done!(ann.ec2.authorize_security_group_egress().group_id(ann.id("security_group.aurora")).ip_permissions(rule(25)));
        "a route more" => "route_table.public", Foreign, "routes.10.9.0.0/16",
            |ann| done!(ann.ec2.create_route().route_table_id(ann.id("route_table.public")).destination_cidr_block("10.9.0.0/16").gateway_id(ann.id("internet_gateway.main")));
        "a route less" => "route_table.public", Changed, "routes.0.0.0.0/0",
            |ann| done!(ann.ec2.delete_route().route_table_id(ann.id("route_table.public")).destination_cidr_block("0.0.0.0/0"));
        "a subnet of others" => "vpc.main", Foreign, "",
            |ann| done!(ann.ec2.create_subnet().vpc_id(ann.id("vpc.main")).cidr_block("10.192.99.0/24"));
        "a security group of others" => "vpc.main", Foreign, "",
            |ann| done!(ann.ec2.create_security_group().vpc_id(ann.id("vpc.main")).group_name("ann").description("ann"));
        "a route table of others" => "vpc.main", Foreign, "",
            |ann| done!(ann.ec2.create_route_table().vpc_id(ann.id("vpc.main")));
        "the policy of an endpoint" => "vpc_endpoint.s3", Changed, "policy",
            |ann| done!(ann.ec2.modify_vpc_endpoint().vpc_endpoint_id(ann.id("vpc_endpoint.s3")).policy_document(ENDPOINT_POLICY));
        "a NAT gateway deleted" => "nat_gateway.nat-1", Missing, "",
            |ann| done!(ann.ec2.delete_nat_gateway().nat_gateway_id(ann.id("nat_gateway.nat-1")));
        "a parameter more" => "parameter_group.main", Foreign, "parameters.binlog_format",
            |ann| done!(ann.rds.modify_db_cluster_parameter_group().db_cluster_parameter_group_name("everything").parameters(parameter("binlog_format", "ROW")));
        "a parameter changed" => "parameter_group.main", Changed, "parameters.character_set_database",
            |ann| done!(ann.rds.modify_db_cluster_parameter_group().db_cluster_parameter_group_name("everything").parameters(parameter("character_set_database", "latin1")));
        "backups" => "cluster.main", Changed, "backup_retention_days",
            |ann| done!(ann.rds.modify_db_cluster().db_cluster_identifier("everything").backup_retention_period(9).apply_immediately(true));
        "deletion protection" => "cluster.main", Changed, "deletion_protection",
            |ann| done!(ann.rds.modify_db_cluster().db_cluster_identifier("everything").deletion_protection(true));
        "tags of snapshots" => "cluster.main", Changed, "copy_tags_to_snapshot",
            |ann| done!(ann.rds.modify_db_cluster().db_cluster_identifier("everything").copy_tags_to_snapshot(false));
        "IAM authentication" => "cluster.main", Changed, "iam_authentication",
            |ann| done!(ann.rds.modify_db_cluster().db_cluster_identifier("everything").enable_iam_database_authentication(true).apply_immediately(true));
        "a member of others" => "cluster.main", Foreign, "",
            |ann| done!(ann.rds.create_db_instance().db_instance_identifier("ann-s").db_cluster_identifier("everything").engine("aurora-mysql").db_instance_class("db.r6g.large"));
        "the tier of a member" => "instance.1", Changed, "promotion_tier",
            |ann| done!(ann.rds.modify_db_instance().db_instance_identifier("everything-1").promotion_tier(9).apply_immediately(true));
        "a member deleted" => "instance.2", Missing, "",
            |ann| done!(ann.rds.delete_db_instance().db_instance_identifier("everything-2").skip_final_snapshot(true));
        "an association removed" => "cluster_role.comprehend", Missing, "",
            |ann| done!(ann.rds.remove_role_from_db_cluster().db_cluster_identifier("everything").role_arn(ann.id("role.comprehend")));
        "a role of others on the cluster" => "cluster.main", Foreign, "", |ann| {
            done!(ann.iam.create_role().role_name("ann").assume_role_policy_document(TRUST));
            ann.clock.sleep(Duration::from_secs(120)).await;
            done!(ann.rds.add_role_to_db_cluster().db_cluster_identifier("everything").role_arn(format!("arn:aws:iam::{ACCOUNT}:role/ann")))
        };
        "what a role may" => "role.comprehend", Changed, "policy.Statement",
            |ann| done!(ann.iam.put_role_policy().role_name("everything-us-east-1-comprehend").policy_name("access").policy_document(DOCUMENT));
        "an inline policy more" => "role.comprehend", Foreign, "",
            |ann| done!(ann.iam.put_role_policy().role_name("everything-us-east-1-comprehend").policy_name("more").policy_document(DOCUMENT));
        "a managed policy more" => "role.comprehend", Foreign, "",
            |ann| done!(ann.iam.attach_role_policy().role_name("everything-us-east-1-comprehend").policy_arn("arn:aws:iam::aws:policy/AmazonS3FullAccess"));
        "who may be a role" => "role.comprehend", Changed, "trust.Statement",
            |ann| done!(ann.iam.update_assume_role_policy().role_name("everything-us-east-1-comprehend").policy_document(TRUST));
        "the boundary" => "role.comprehend", Changed, "boundary",
            |ann| done!(ann.iam.delete_role_permissions_boundary().role_name("everything-us-east-1-comprehend"));
        "versions in the bucket" => "bucket.main", Changed, "versioning",
            |ann| done!(ann.s3.put_bucket_versioning().bucket(&ann.bucket).versioning_configuration(versioning()));
        "a bucket that can be public" => "bucket.main", Changed, "public_access_blocked",
            |ann| done!(ann.s3.delete_public_access_block().bucket(&ann.bucket));
        "the bucket's policy" => "bucket.main", Changed, "policy",
            |ann| done!(ann.s3.delete_bucket_policy().bucket(&ann.bucket));
        "the bucket's key" => "bucket.main", Changed, "encryption",
            |ann| done!(ann.s3.put_bucket_encryption().bucket(&ann.bucket).server_side_encryption_configuration(encryption()));
        "whose objects are" => "bucket.main", Changed, "object_ownership",
            |ann| done!(ann.s3.put_bucket_ownership_controls().bucket(&ann.bucket).ownership_controls(ownership()));
        "a file in the bucket" => "bucket_object.part_1.ipynb", Missing, "",
            |ann| done!(ann.s3.delete_object().bucket(&ann.bucket).key(ann.id("bucket_object.part_1.ipynb")));
        "a tag of the secret" => "secret.master", Foreign, "tags.team",
            |ann| done!(ann.secrets.tag_resource().secret_id(ann.id("secret.master")).tags(aws_sdk_secretsmanager::types::Tag::builder().key("team").value("ann").build()));
        "the notebook stopped" => "notebook.main", Changed, "running",
            |ann| done!(ann.sagemaker.stop_notebook_instance().notebook_instance_name("everything-notebook"));
        "instances of an endpoint" => "endpoint.churn", Changed, "instances_beyond_configuration",
            |ann| done!(ann.sagemaker.update_endpoint_weights_and_capacities().endpoint_name("churn").desired_weights_and_capacities(capacity(Some(2), None)));
        "the weight of a variant" => "endpoint.churn", Changed, "weights",
            |ann| done!(ann.sagemaker.update_endpoint_weights_and_capacities().endpoint_name("churn").desired_weights_and_capacities(capacity(None, Some(3.0))));
        "an endpoint deleted" => "endpoint.small", Missing, "",
            |ann| done!(ann.sagemaker.delete_endpoint().endpoint_name("small"));
        "another model under the same name" => "model.churn", Changed, "image", |ann| {
            let name = ann.id("model.churn");
            let old = done!(ann.sagemaker.describe_model().model_name(name));
            done!(ann.sagemaker.delete_model().model_name(name));
            let image = old.primary_container().unwrap().image().unwrap().replace("1.7-1", "1.5-1");
            let container = aws_sdk_sagemaker::types::ContainerDefinition::builder().image(image);
            let container = container.set_model_data_url(old.primary_container().unwrap().model_data_url.clone()).build();
            done!(ann.sagemaker.create_model().model_name(name).primary_container(container).set_execution_role_arn(old.execution_role_arn))
        };
        "another configuration under the same name" => "endpoint_config.churn", Changed, "instance", |ann| {
            let name = ann.id("endpoint_config.churn");
            let old = done!(ann.sagemaker.describe_endpoint_config().endpoint_config_name(name));
            done!(ann.sagemaker.delete_endpoint_config().endpoint_config_name(name));
            let mut variant = old.production_variants()[0].clone();
            variant.instance_type = Some("ml.m5.xlarge".into());
            done!(ann.sagemaker.create_endpoint_config().endpoint_config_name(name).production_variants(variant))
        };
    }
}

fn parameter(name: &str, value: &str) -> aws_sdk_rds::types::Parameter {
    let parameter = aws_sdk_rds::types::Parameter::builder().parameter_name(name).parameter_value(value);
    parameter.apply_method(aws_sdk_rds::types::ApplyMethod::PendingReboot).build()
}

fn versioning() -> aws_sdk_s3::types::VersioningConfiguration {
    use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
    VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build()
}

fn encryption() -> aws_sdk_s3::types::ServerSideEncryptionConfiguration {
    use aws_sdk_s3::types::{
        ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
        ServerSideEncryptionRule,
    };
    let default =
        ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::AwsKms).build().unwrap();
    let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default).build();
    ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap()
}

fn ownership() -> aws_sdk_s3::types::OwnershipControls {
    use aws_sdk_s3::types::{ObjectOwnership, OwnershipControls, OwnershipControlsRule};
    let rule =
        OwnershipControlsRule::builder().object_ownership(ObjectOwnership::ObjectWriter).build().unwrap();
    OwnershipControls::builder().rules(rule).build().unwrap()
}

fn capacity(count: Option<i32>, weight: Option<f32>) -> aws_sdk_sagemaker::types::DesiredWeightAndCapacity {
    aws_sdk_sagemaker::types::DesiredWeightAndCapacity::builder()
        .variant_name("AllTraffic")
        .set_desired_instance_count(count)
        .set_desired_weight(weight)
        .build()
}

/// Whether it is what was done; objects with hashes in their names are known by what comes before.
fn fits(finding: &Finding, (id, sort, path): (&str, Sort, &str)) -> bool {
    let found = finding.id.to_string();
    let same = found == id || found.rsplit_once('-').is_some_and(|(name, _)| name == id);
    same && finding.sort == sort && finding.path.as_deref().unwrap_or_default().starts_with(path)
}

#[tokio::test(start_paused = true)]
async fn every_change_by_hand_is_found() {
    let text = std::fs::read_to_string("tests/data/everything.yaml").unwrap();
    let (account, spec) = applied("everything", &text, 5, Mood::Calm).await;
    let stack = account.connect(&spec).await;
    let prepared = account.prepare(&spec, auroraml_core::model::Intent::Apply).await.unwrap();
    let mut ids = BTreeMap::new();
    for (id, live) in &prepared.observed {
        let physical = ["id", "arn", "name"].iter().find_map(|output| live.output(output));
        let short = id.to_string();
        let hashed = matches!(id.kind, "model" | "endpoint_config");
        let key = short.rsplit_once('-').filter(|_| hashed).map_or(short.as_str(), |(name, _)| name);
        let physical = match id.kind {
            "bucket_object" => live.props["key"].as_str(),
            _ if hashed => live.output("name"),
            _ => physical,
        };
        ids.insert(key.to_string(), physical.unwrap_or_default().to_string());
    }
    let (world, cases) = (account.sandbox.world(), cases());
    let (mut wrong, mut named) = (Vec::new(), 0);
    for case in &cases {
        let account = Account::over(world.clone());
        let (http, clock) = (account.sandbox.http_client(), account.sandbox.clock());
        let config = simulated_config_as("AKIDANN", &spec.region, http, &clock);
        let ann = Ann {
            ec2: aws_sdk_ec2::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            rds: aws_sdk_rds::Client::new(&config),
            s3: aws_sdk_s3::Client::new(&config),
            sagemaker: aws_sdk_sagemaker::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            ids: ids.clone(),
            bucket: stack.aws.bucket(),
            clock: clock.clone(),
        };
        if let Err(error) = tokio::spawn((case.change)(ann)).await {
            wrong.push(format!("{}: {error}", case.what));
            continue;
        }
        // Until AWS has made it, and CloudTrail tells of it.
        clock.sleep(Duration::from_secs(1800)).await;
        let found = look(&account, &spec).await;
        let Some(finding) = found.findings.iter().find(|one| fits(one, case.expected)) else {
            wrong.push(format!("{}: {:#?} {:?}", case.what, found.findings, found.unread));
            continue;
        };
        named += usize::from(finding.by.is_some());
        if let Some(by) = &finding.by {
            assert_eq!(by.who, format!("arn:aws:iam::{ACCOUNT}:user/sandbox"), "{}", case.what);
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("{} changes by hand, each found; {named} with who did it", cases.len());
    assert!(named * 3 > cases.len() * 2, "{named} of {}", cases.len());
}
