//! The simulated RDS, asked by the real SDK: one test per behaviour of AWS that bites.

mod changes;
mod creation;
mod data;
mod deletion;
mod global;
mod hooks;
mod instance_groups;
mod interruptions;
mod listings;
mod parameters;
mod pause;
mod restarts;
mod roles;
mod together;

use crate::support::{config, sandbox};
use auroraml_sandbox::Sandbox;
use auroraml_sandbox::random::Mood;
use aws_sdk_rds::Client;
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_rds::types::{
    ApplyMethod, DbCluster, DbInstance, Filter, Parameter, ServerlessV2ScalingConfiguration, SourceType, Tag,
};
use std::fmt::Debug;
use std::time::Duration;

const ROLE: &str = "arn:aws:iam::111122223333:role/aurora";

struct Fixture {
    sandbox: Sandbox,
    rds: Client,
}

/// A fixture that does not ask EC2 and IAM.
fn lenient(seed: u64, mood: Mood) -> Fixture {
    let fixture = strict(seed, mood);
    fixture.sandbox.with(|world| {
        world.regions.entry("us-east-1".into()).or_default().rds.lenient = true;
    });
    fixture
}

fn strict(seed: u64, mood: Mood) -> Fixture {
    let sandbox = sandbox(seed, mood);
    let rds = Client::new(&config(&sandbox));
    Fixture { sandbox, rds }
}

/// The wire code of an answer that must be an error.
fn code<T: Debug, E: ProvideErrorMetadata>(answer: Result<T, SdkError<E>>) -> String {
    let error = answer.map(|_| ()).expect_err("refused");
    error.code().expect("a wire code").to_string()
}

fn parameter(name: &str, value: &str, method: ApplyMethod) -> Parameter {
    Parameter::builder().parameter_name(name).parameter_value(value).apply_method(method).build()
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

impl Fixture {
    async fn wait(&self, seconds: u64) {
        self.sandbox.clock().sleep(Duration::from_secs(seconds)).await;
    }

    async fn group(&self, name: &str) {
        let make = self.rds.create_db_cluster_parameter_group().db_cluster_parameter_group_name(name);
        make.db_parameter_group_family("aurora-mysql8.0").description("test").send().await.unwrap();
    }

    async fn set(&self, group: &str, name: &str, value: &str, method: ApplyMethod) {
        let modify = self.rds.modify_db_cluster_parameter_group().db_cluster_parameter_group_name(group);
        modify.parameters(parameter(name, value, method)).send().await.unwrap();
    }

    fn new_cluster(
        &self,
        id: &str,
    ) -> aws_sdk_rds::operation::create_db_cluster::builders::CreateDBClusterFluentBuilder {
        let make = self.rds.create_db_cluster().db_cluster_identifier(id).engine("aurora-mysql");
        make.master_username("admin").master_user_password("correct horse")
    }

    fn new_instance(
        &self,
        cluster: &str,
        id: &str,
    ) -> aws_sdk_rds::operation::create_db_instance::builders::CreateDBInstanceFluentBuilder {
        let make = self.rds.create_db_instance().db_instance_identifier(id).engine("aurora-mysql");
        make.db_cluster_identifier(cluster).db_instance_class("db.r6g.large")
    }

    /// Cluster `c` with group `g` and the members `c-0`, `c-1`, …; the first one is the writer.
    async fn cluster(&self, members: usize) {
        self.group("g").await;
        self.new_cluster("c").db_cluster_parameter_group_name("g").send().await.unwrap();
        self.wait(100).await;
        for member in 0..members {
            self.new_instance("c", &format!("c-{member}")).send().await.unwrap();
            self.wait(1).await;
        }
        self.wait(1_000).await;
    }

    async fn describe(&self) -> DbCluster {
        let answer = self.rds.describe_db_clusters().db_cluster_identifier("c").send().await.unwrap();
        answer.db_clusters()[0].clone()
    }

    async fn instance(&self, id: &str) -> DbInstance {
        let answer = self.rds.describe_db_instances().db_instance_identifier(id).send().await.unwrap();
        answer.db_instances()[0].clone()
    }

    async fn instance_status(&self, id: &str) -> String {
        self.instance(id).await.db_instance_status().unwrap().to_string()
    }

    async fn status(&self) -> String {
        self.describe().await.status().unwrap().to_string()
    }

    /// `member status` for each member of `c`, and a star at the writer.
    async fn members(&self) -> Vec<String> {
        let cluster = self.describe().await;
        let line = |m: &aws_sdk_rds::types::DbClusterMember| {
            let star = if m.is_cluster_writer() == Some(true) { "*" } else { "" };
            let status = m.db_cluster_parameter_group_status().unwrap();
            format!("{}{star} {status}", m.db_instance_identifier().unwrap())
        };
        cluster.db_cluster_members().iter().map(line).collect()
    }

    /// Polls every five seconds until the cluster says `status`; seconds that it took.
    async fn until(&self, status: &str) -> u64 {
        for seconds in (0..3_600).step_by(5) {
            if self.status().await == status {
                return seconds;
            }
            self.wait(5).await;
        }
        panic!("never {status}");
    }

    async fn read(&self, group: &str, name: &str) -> Parameter {
        let filter = Filter::builder().name("parameter-name").values(name).build();
        let ask = self.rds.describe_db_cluster_parameters().db_cluster_parameter_group_name(group);
        ask.filters(filter).send().await.unwrap().parameters()[0].clone()
    }
}
