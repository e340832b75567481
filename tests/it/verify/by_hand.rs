//! A cluster, its network and its wiring, made by others with plain SDK calls.

use crate::harness::Account;
use aws_sdk_ec2::types::{Filter, IpPermission, IpRange};
use aws_sdk_rds::types::{ApplyMethod, Parameter};
use aws_sdk_sagemaker::types::{ContainerDefinition, ProductionVariant, ProductionVariantInstanceType};
use serde_json::{Value, json};
use std::time::Duration;

pub const ACCOUNT: &str = "111122223333";
const IMAGE: &str = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1";

/// Somebody with an AWS account and time on their hands.
pub struct ByHand {
    pub account: Account,
    pub region: String,
    pub rds: aws_sdk_rds::Client,
    pub iam: aws_sdk_iam::Client,
    pub ec2: aws_sdk_ec2::Client,
    pub sagemaker: aws_sdk_sagemaker::Client,
}

/// What a network consists of.
pub struct Network {
    pub vpc: String,
    /// Two private subnets.
    pub subnets: Vec<String>,
    pub nat_gateway: String,
    /// The private subnets' route table.
    pub table: String,
    /// The VPC's default security group, which the cluster has.
    pub group: String,
}

impl ByHand {
    pub fn new(account: Account, region: &str) -> ByHand {
        let (http, clock) = (account.sandbox.http_client(), account.sandbox.clock());
        let config = auroraml::aws::simulated_config(region, http, &clock);
        ByHand {
            region: region.into(),
            rds: aws_sdk_rds::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            ec2: aws_sdk_ec2::Client::new(&config),
            sagemaker: aws_sdk_sagemaker::Client::new(&config),
            account,
        }
    }

    pub async fn wait(&self, seconds: u64) {
        self.account.sandbox.clock().sleep(Duration::from_secs(seconds)).await;
    }

    /// A VPC with a NAT gateway, and the DB subnet group `private`.
    pub async fn network(&self) -> Network {
        let made = self.ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap();
        let vpc = made.vpc().unwrap().vpc_id().unwrap().to_string();
        self.wait(90).await;
        let mut subnets = Vec::new();
        for (range, zone) in [("10.0.0.0/24", "a"), ("10.0.1.0/24", "b"), ("10.0.9.0/24", "a")] {
            let make = self.ec2.create_subnet().vpc_id(&vpc).cidr_block(range);
            let made = make.availability_zone(format!("{}{zone}", self.region)).send().await.unwrap();
            subnets.push(made.subnet().unwrap().subnet_id().unwrap().to_string());
        }
        let public = subnets.pop().unwrap();
        let made = self.ec2.create_internet_gateway().send().await.unwrap();
        let internet = made.internet_gateway().unwrap().internet_gateway_id().unwrap().to_string();
        let address = self.ec2.allocate_address().send().await.unwrap();
        self.wait(90).await;
        let attach = self.ec2.attach_internet_gateway().internet_gateway_id(&internet);
        attach.vpc_id(&vpc).send().await.unwrap();
        // The public subnet has no association of its own: the main table is its table.
        let in_vpc = Filter::builder().name("vpc-id").values(&vpc).build();
        let tables = self.ec2.describe_route_tables().filters(in_vpc.clone()).send().await.unwrap();
        let main = tables.route_tables()[0].route_table_id().unwrap().to_string();
        self.route(&main).gateway_id(&internet).send().await.unwrap();
        let make = self.ec2.create_nat_gateway().subnet_id(&public);
        let made = make.allocation_id(address.allocation_id().unwrap()).send().await.unwrap();
        let nat_gateway = made.nat_gateway().unwrap().nat_gateway_id().unwrap().to_string();
        let made = self.ec2.create_route_table().vpc_id(&vpc).send().await.unwrap();
        let table = made.route_table().unwrap().route_table_id().unwrap().to_string();
        self.wait(600).await;
        self.route(&table).nat_gateway_id(&nat_gateway).send().await.unwrap();
        for subnet in &subnets {
            let associate = self.ec2.associate_route_table().route_table_id(&table).subnet_id(subnet);
            associate.send().await.unwrap();
        }
        let groups = self.ec2.describe_security_groups().filters(in_vpc).send().await.unwrap();
        let group = groups.security_groups()[0].group_id().unwrap().to_string();
        let make = self.rds.create_db_subnet_group().db_subnet_group_name("private");
        let make = make.db_subnet_group_description("private").set_subnet_ids(Some(subnets.clone()));
        make.send().await.unwrap();
        Network { vpc, subnets, nat_gateway, table, group }
    }

    fn route(&self, table: &str) -> aws_sdk_ec2::operation::create_route::builders::CreateRouteFluentBuilder {
        self.ec2.create_route().route_table_id(table).destination_cidr_block("0.0.0.0/0")
    }

    /// A cluster in the subnet group `private`, with this DB cluster parameter group.
    pub async fn cluster(&self, name: &str, group: &str, members: usize) {
        self.rds
            .create_db_cluster()
            .db_cluster_identifier(name)
            .engine("aurora-mysql")
            .master_username("admin")
            .manage_master_user_password(true)
            .db_subnet_group_name("private")
            .db_cluster_parameter_group_name(group)
            .enable_http_endpoint(true)
            .send()
            .await
            .unwrap();
        self.wait(600).await;
        for member in 1..=members {
            let make = self.rds.create_db_instance().db_instance_identifier(format!("{name}-{member}"));
            let make = make.db_cluster_identifier(name).engine("aurora-mysql");
            make.db_instance_class("db.r6g.large").send().await.unwrap();
            self.wait(1800).await;
        }
    }

    pub async fn group(&self, name: &str) {
        let make = self.rds.create_db_cluster_parameter_group().db_cluster_parameter_group_name(name);
        make.db_parameter_group_family("aurora-mysql8.0").description("by hand").send().await.unwrap();
    }

    /// One call for one parameter.
    pub async fn set(&self, group: &str, name: &str, value: &str, method: ApplyMethod) {
        let parameter = Parameter::builder().parameter_name(name).parameter_value(value).apply_method(method);
        let modify = self.rds.modify_db_cluster_parameter_group().db_cluster_parameter_group_name(group);
        modify.parameters(parameter.build()).send().await.unwrap();
    }

    pub async fn role(&self, name: &str, trust: &Value, statement: &Value) -> String {
        let make = self.iam.create_role().role_name(name).assume_role_policy_document(trust.to_string());
        let made = make.send().await.unwrap();
        // IAM may not find at once what it has just made (fact book, section 3).
        self.wait(60).await;
        self.allow(name, statement).await;
        made.role().unwrap().arn().to_string()
    }

    pub async fn allow(&self, role: &str, statement: &Value) {
        let document = json!({"Version": "2012-10-17", "Statement": statement});
        let put = self.iam.put_role_policy().role_name(role).policy_name("access");
        put.policy_document(document.to_string()).send().await.unwrap();
    }

    pub async fn associate(&self, cluster: &str, role: &str) {
        let add = self.rds.add_role_to_db_cluster().db_cluster_identifier(cluster);
        add.role_arn(role).send().await.unwrap();
    }

    /// Makes the endpoint; whether it comes up is another question.
    pub async fn endpoint(&self, name: &str) {
        let role = self.role("hosting", &trust("sagemaker.amazonaws.com"), &allow("s3:GetObject", "*")).await;
        self.wait(300).await;
        let container = ContainerDefinition::builder().image(IMAGE).build();
        let model = self.sagemaker.create_model().model_name(name).execution_role_arn(role);
        model.primary_container(container).send().await.unwrap();
        let variant = ProductionVariant::builder().variant_name("all").model_name(name);
        let variant = variant.instance_type(ProductionVariantInstanceType::MlM5Large);
        let config = self.sagemaker.create_endpoint_config().endpoint_config_name(name);
        let variant = variant.initial_instance_count(1).build();
        config.production_variants(variant).send().await.unwrap();
        self.wait(60).await;
        let make = self.sagemaker.create_endpoint().endpoint_name(name).endpoint_config_name(name);
        make.send().await.unwrap();
        self.wait(3600).await;
    }

    /// Makes the next endpoints fail their health check.
    pub fn fail_endpoints(&self) {
        self.account.sandbox.with(|world| {
            let region = world.regions.entry(self.region.clone()).or_default();
            region.sagemaker.failing_images.insert(IMAGE.into());
        });
    }

    /// Takes away what lets every group call the world.
    pub async fn close_egress(&self, group: &str) {
        let all = IpRange::builder().cidr_ip("0.0.0.0/0").build();
        let permission = IpPermission::builder().ip_protocol("-1").ip_ranges(all).build();
        let revoke = self.ec2.revoke_security_group_egress().group_id(group);
        revoke.ip_permissions(permission).send().await.unwrap();
    }
}

/// A trust policy without conditions, as most are.
pub fn trust(service: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole",
    }]})
}

pub fn allow(action: &str, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}
