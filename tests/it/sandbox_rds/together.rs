//! RDS together with the services that it uses: EC2, IAM, Secrets Manager and KMS.

use super::*;
use aws_sdk_ec2::types::Filter as Ec2Filter;

fn only(name: &str, value: &str) -> Ec2Filter {
    Ec2Filter::builder().name(name).values(value).build()
}

/// A VPC with a subnet in each of two zones.
struct Network {
    ec2: aws_sdk_ec2::Client,
    vpc: String,
    subnets: [String; 2],
}

impl Network {
    async fn new(f: &Fixture, block: u8) -> Network {
        // What was just made can be invisible for a minute when the mood is real.
        let seen = 90;
        let ec2 = aws_sdk_ec2::Client::new(&config(&f.sandbox));
        let made = ec2.create_vpc().cidr_block(format!("10.{block}.0.0/16")).send().await.unwrap();
        let vpc = made.vpc().unwrap().vpc_id().unwrap().to_string();
        f.wait(seen).await;
        let subnet = async |number: u8, zone: &str| {
            let make = ec2.create_subnet().vpc_id(&vpc).cidr_block(format!("10.{block}.{number}.0/24"));
            let made = make.availability_zone(zone).send().await.unwrap();
            made.subnet().unwrap().subnet_id().unwrap().to_string()
        };
        let subnets = [subnet(0, "us-east-1a").await, subnet(1, "us-east-1b").await];
        f.wait(seen).await;
        Network { ec2, vpc, subnets }
    }

    async fn group(&self, f: &Fixture, name: &str) -> String {
        let make = self.ec2.create_security_group().vpc_id(&self.vpc).group_name(name).description("test");
        let made = make.send().await.unwrap().group_id().unwrap().to_string();
        f.wait(2).await;
        made
    }

    async fn default_group(&self) -> String {
        let find = self.ec2.describe_security_groups().filters(only("vpc-id", &self.vpc));
        let found = find.filters(only("group-name", "default")).send().await.unwrap();
        found.security_groups()[0].group_id().unwrap().to_string()
    }

    async fn interfaces(&self) -> Vec<aws_sdk_ec2::types::NetworkInterface> {
        let find = self.ec2.describe_network_interfaces().filters(only("vpc-id", &self.vpc));
        find.send().await.unwrap().network_interfaces().to_vec()
    }

    /// `Ok`, or the code of the refusal.
    async fn delete_subnet(&self, number: usize) -> Result<(), String> {
        let answer = self.ec2.delete_subnet().subnet_id(&self.subnets[number]).send().await;
        answer.map(|_| ()).map_err(|error| error.code().unwrap_or_default().to_string())
    }
}

impl Fixture {
    async fn subnet_group(&self, network: &Network) {
        let make = self.rds.create_db_subnet_group().db_subnet_group_name("s");
        let make = make.db_subnet_group_description("test").set_subnet_ids(Some(network.subnets.to_vec()));
        let made = make.send().await.unwrap();
        assert_eq!(made.db_subnet_group().unwrap().vpc_id(), Some(network.vpc.as_str()));
    }
}

fn groups(cluster: &DbCluster) -> Vec<&str> {
    cluster.vpc_security_groups().iter().filter_map(|group| group.vpc_security_group_id()).collect()
}

#[tokio::test(start_paused = true)]
async fn interfaces_hold_the_network_until_they_are_released() {
    let f = strict(1, Mood::Calm);
    let network = Network::new(&f, 1).await;
    f.subnet_group(&network).await;
    f.new_cluster("c").db_subnet_group_name("s").send().await.unwrap();
    let default = network.default_group().await;
    assert_eq!(groups(&f.describe().await), [default.as_str()], "the VPC's default group");
    f.new_instance("c", "c-0").availability_zone("us-east-1b").send().await.unwrap();
    f.wait(500).await;

    let interfaces = network.interfaces().await;
    assert_eq!(interfaces.len(), 1);
    assert_eq!(interfaces[0].description(), Some("RDSNetworkInterface"));
    assert_eq!(interfaces[0].requester_managed(), Some(true));
    assert_eq!(interfaces[0].subnet_id(), Some(network.subnets[1].as_str()));
    assert_eq!(interfaces[0].groups()[0].group_id(), Some(default.as_str()));
    assert_eq!(network.delete_subnet(1).await, Err("DependencyViolation".into()));

    let own = network.group(&f, "own").await;
    let modify = f.rds.modify_db_cluster().db_cluster_identifier("c").vpc_security_group_ids(&own);
    modify.send().await.unwrap();
    f.wait(60).await;
    let moved = network.interfaces().await;
    assert_eq!(moved[0].groups()[0].group_id(), Some(own.as_str()));
    assert_eq!(moved[0].private_ip_address(), interfaces[0].private_ip_address(), "the same interface");
    let used = network.ec2.delete_security_group().group_id(&own).send().await;
    assert_eq!(code(used), "DependencyViolation");

    f.rds.delete_db_instance().db_instance_identifier("c-0").send().await.unwrap();
    f.rds.delete_db_cluster().db_cluster_identifier("c").skip_final_snapshot(true).send().await.unwrap();
    f.wait(405).await;
    let gone = f.rds.describe_db_instances().db_instance_identifier("c-0").send().await;
    assert_eq!(code(gone), "DBInstanceNotFound");
    assert_eq!(network.delete_subnet(1).await, Err("DependencyViolation".into()), "it outlives the instance");
    f.wait(55).await;
    assert_eq!(network.delete_subnet(1).await, Err("DependencyViolation".into()), "by a minute at least");
    f.wait(130).await;
    assert_eq!(network.delete_subnet(1).await, Ok(()));
    network.ec2.delete_security_group().group_id(&own).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn interfaces_stay_one_to_forty_minutes() {
    for seed in 1..=20 {
        let f = strict(seed, Mood::Real);
        let network = Network::new(&f, 1).await;
        f.subnet_group(&network).await;
        f.new_cluster("c").db_subnet_group_name("s").send().await.unwrap();
        f.new_instance("c", "c-0").send().await.unwrap();
        while f.instance_status("c-0").await != "available" {
            f.wait(20).await;
        }
        f.rds.delete_db_instance().db_instance_identifier("c-0").send().await.unwrap();
        while f.rds.describe_db_instances().db_instance_identifier("c-0").send().await.is_ok() {
            f.wait(5).await;
        }
        let mut seconds = 0;
        while !network.interfaces().await.is_empty() {
            f.wait(5).await;
            seconds += 5;
        }
        assert!((55..=2_400).contains(&seconds), "seed {seed}: {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn everything_is_in_one_vpc() {
    let f = strict(1, Mood::Calm);
    let (here, there) = (Network::new(&f, 1).await, Network::new(&f, 2).await);
    let mixed = f.rds.create_db_subnet_group().db_subnet_group_name("m").db_subnet_group_description("d");
    let mixed = mixed.subnet_ids(&here.subnets[0]).subnet_ids(&there.subnets[1]).send().await;
    assert_eq!(code(mixed), "InvalidSubnet");
    f.subnet_group(&here).await;
    let found = f.rds.describe_db_subnet_groups().db_subnet_group_name("s").send().await.unwrap();
    assert_eq!(found.db_subnet_groups()[0].vpc_id(), Some(here.vpc.as_str()));
    let moved = f.rds.modify_db_subnet_group().db_subnet_group_name("s");
    let moved = moved.set_subnet_ids(Some(there.subnets.to_vec())).send().await;
    assert_eq!(code(moved), "InvalidParameterValue");

    let (own, foreign) = (here.group(&f, "own").await, there.group(&f, "foreign").await);
    let make = |group: &str| f.new_cluster("c").db_subnet_group_name("s").vpc_security_group_ids(group);
    assert_eq!(code(make("sg-nowhere").send().await), "InvalidParameterValue");
    assert_eq!(code(make(&foreign).send().await), "InvalidParameterCombination");
    make(&own).send().await.unwrap();
    f.wait(50).await;
    assert_eq!(groups(&f.describe().await), [own.as_str()]);
    let modify = f.rds.modify_db_cluster().db_cluster_identifier("c").vpc_security_group_ids(&foreign);
    assert_eq!(code(modify.send().await), "InvalidParameterCombination");
}

#[tokio::test(start_paused = true)]
async fn a_role_is_refused_then_pending_then_active_then_invalid() {
    let f = strict(1, Mood::Calm);
    let network = Network::new(&f, 1).await;
    f.subnet_group(&network).await;
    f.new_cluster("c").db_subnet_group_name("s").send().await.unwrap();
    f.wait(50).await;
    let iam = aws_sdk_iam::Client::new(&config(&f.sandbox));
    let create = async |name: &str, service: &str| {
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{service}"}},"Action":"sts:AssumeRole"}}]}}"#
        );
        let make = iam.create_role().role_name(name).assume_role_policy_document(trust);
        make.send().await.unwrap().role().unwrap().arn().to_string()
    };
    let add = |arn: &str| f.rds.add_role_to_db_cluster().db_cluster_identifier("c").role_arn(arn).send();
    let status = async || f.describe().await.associated_roles()[0].status().unwrap().to_string();

    let arn = create("aurora", "rds.amazonaws.com").await;
    let other = create("notebook", "sagemaker.amazonaws.com").await;
    assert_eq!(code(add(&arn).await), "InvalidParameterValue", "RDS does not see the new role");
    let mut seconds = 0;
    while add(&arn).await.is_err() {
        f.wait(1).await;
        seconds += 1;
    }
    assert!((5..=40).contains(&seconds), "usable after {seconds} s");
    assert_eq!(code(add(&other).await), "InvalidParameterValue", "it trusts another service");
    assert_eq!(code(add(&arn).await), "DBClusterRoleAlreadyExists");
    assert_eq!(status().await, "PENDING");
    f.wait(35).await;
    assert_eq!(status().await, "ACTIVE");
    iam.delete_role().role_name("aurora").send().await.unwrap();
    assert_eq!(status().await, "INVALID");
    f.rds.remove_role_from_db_cluster().db_cluster_identifier("c").role_arn(&arn).send().await.unwrap();
    f.wait(15).await;
    assert!(f.describe().await.associated_roles().is_empty());
}

/// Asks for a secret's text; the code of the refusal if there is none.
async fn secret(f: &Fixture, arn: &str, stage: &str) -> Result<String, String> {
    let secrets = aws_sdk_secretsmanager::Client::new(&config(&f.sandbox));
    let answer = secrets.get_secret_value().secret_id(arn).version_stage(stage).send().await;
    let text = answer.map(|answer| answer.secret_string().unwrap_or_default().to_string());
    text.map_err(|error| error.code().unwrap_or_default().to_string())
}

async fn managed(f: &Fixture) -> (String, String) {
    let cluster = f.describe().await;
    let secret = cluster.master_user_secret().unwrap();
    (secret.secret_arn().unwrap().to_string(), secret.secret_status().unwrap().to_string())
}

#[tokio::test(start_paused = true)]
async fn the_managed_password_is_a_secret_of_rds() {
    let f = lenient(1, Mood::Calm);
    let make = f.rds.create_db_cluster().db_cluster_identifier("c").engine("aurora-mysql");
    let make = make.master_username("chief").manage_master_user_password(true);
    let bad = make.clone().master_user_secret_kms_key_id("alias/nowhere").send().await;
    assert_eq!(code(bad), "KMSKeyNotAccessibleFault");
    make.send().await.unwrap();
    f.wait(100).await;
    let (arn, status) = managed(&f).await;
    assert_eq!(status, "active");
    let first = secret(&f, &arn, "AWSCURRENT").await.unwrap();
    let value: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!(value["username"], "chief");
    assert!(value["password"].as_str().unwrap().len() >= 20);
    let secrets = aws_sdk_secretsmanager::Client::new(&config(&f.sandbox));
    let own = secrets.put_secret_value().secret_id(&arn).secret_string("{}").send().await;
    assert_eq!(code(own), "InvalidRequestException", "RDS alone may change it");

    let rotate = || f.rds.modify_db_cluster().db_cluster_identifier("c").rotate_master_user_password(true);
    assert_eq!(code(rotate().send().await), "InvalidParameterCombination", "only at once");
    rotate().apply_immediately(true).send().await.unwrap();
    assert_eq!(managed(&f).await, (arn.clone(), "rotating".into()));
    let second = secret(&f, &arn, "AWSCURRENT").await.unwrap();
    assert_ne!(second, first);
    assert_eq!(secret(&f, &arn, "AWSPREVIOUS").await.unwrap(), first);
    f.wait(100).await;
    assert_eq!(managed(&f).await.1, "active");
    f.wait(7 * 24 * 3_600).await;
    // Nobody asks RDS in between.
    let third = secret(&f, &arn, "AWSCURRENT").await.unwrap();
    assert_ne!(third, second, "rotated every seven days");
    f.wait(100).await;

    f.rds.delete_db_cluster().db_cluster_identifier("c").skip_final_snapshot(true).send().await.unwrap();
    assert_eq!(secret(&f, &arn, "AWSCURRENT").await.as_ref(), Ok(&third), "as long as the cluster is there");
    f.wait(95).await;
    assert_eq!(secret(&f, &arn, "AWSCURRENT").await, Err("ResourceNotFoundException".into()));
}

#[tokio::test(start_paused = true)]
async fn a_password_is_handed_over_to_rds_and_taken_back() {
    let f = lenient(1, Mood::Calm);
    f.new_cluster("c").send().await.unwrap();
    f.wait(50).await;
    assert!(f.describe().await.master_user_secret().is_none());
    let modify = || f.rds.modify_db_cluster().db_cluster_identifier("c").apply_immediately(true);
    let listed = async || {
        let secrets = aws_sdk_secretsmanager::Client::new(&config(&f.sandbox));
        secrets.list_secrets().send().await.unwrap().secret_list().len()
    };
    let failing = modify().manage_master_user_password(true).backup_retention_period(99).send().await;
    assert_eq!(code(failing), "InvalidParameterValue");
    assert_eq!(listed().await, 0, "a refused request leaves nothing behind");
    modify().manage_master_user_password(true).send().await.unwrap();
    let (arn, status) = managed(&f).await;
    assert_eq!(status, "creating");
    assert!(secret(&f, &arn, "AWSCURRENT").await.unwrap().contains("admin"));
    f.wait(100).await;
    assert_eq!(managed(&f).await.1, "active");
    let back = modify().manage_master_user_password(false);
    assert_eq!(code(back.clone().send().await), "InvalidParameterCombination", "needs a password");
    back.master_user_password("battery staple").send().await.unwrap();
    assert!(f.describe().await.master_user_secret().is_none());
    assert_eq!(listed().await, 0);
    f.wait(100).await;
    modify().manage_master_user_password(true).send().await.unwrap();
    assert_ne!(managed(&f).await.0, arn, "ARNs never come back");
    f.wait(8 * 24 * 3_600).await;
    assert_eq!(listed().await, 1, "the first secret's rotation is forgotten");
}

#[tokio::test(start_paused = true)]
async fn an_instance_can_be_asked_for_before_its_cluster_is_there() {
    for (seed, mood) in (1..=10).map(|seed| (seed, Mood::Real)).chain([(1, Mood::Calm)]) {
        let f = lenient(seed, mood);
        f.new_cluster("c").send().await.unwrap();
        f.new_instance("c", "c-0").send().await.unwrap();
        assert_eq!(f.status().await, "creating");
        assert_eq!(f.instance_status("c-0").await, "creating");
        let mut cluster_first = false;
        while f.instance_status("c-0").await != "available" {
            cluster_first |= f.status().await != "creating";
            f.wait(5).await;
        }
        assert!(cluster_first, "seed {seed}: the instance waits for the cluster");
        assert!(f.members().await[0].starts_with("c-0* "));
    }
    let f = lenient(1, Mood::Calm);
    f.cluster(1).await;
    f.rds.stop_db_cluster().db_cluster_identifier("c").send().await.unwrap();
    f.wait(10).await;
    let late = f.new_instance("c", "c-1").send().await;
    assert_eq!(code(late), "InvalidDBClusterStateFault", "in no other state");
}
