//! The simulated EC2 as the real SDK sees it: one test for each behaviour that makes AWS awkward.

mod endpoints;
mod gateways;
mod groups;
mod interfaces;
mod listing;
mod networks;
mod routes;
mod timing;

use crate::support;
use auroraml_sandbox::Sandbox;
use auroraml_sandbox::ec2::Ec2;
use auroraml_sandbox::random::Mood;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::{Filter, NatGateway, ResourceType, RouteTable, Tag, TagSpecification};
use std::fmt::Debug;
use std::ops::Deref;
use std::time::Duration;

/// A sandbox and a client of its EC2.
struct Aws {
    sandbox: Sandbox,
    client: Client,
}

impl Deref for Aws {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.client
    }
}

fn calm() -> Aws {
    with(1, Mood::Calm)
}

fn with(seed: u64, mood: Mood) -> Aws {
    let sandbox = support::sandbox(seed, mood);
    let client = Client::new(&support::config(&sandbox));
    Aws { sandbox, client }
}

/// The wire code of a refusal.
#[track_caller]
fn code<T: Debug, E: ProvideErrorMetadata + Debug>(result: Result<T, SdkError<E>>) -> String {
    let error = result.expect_err("AWS refuses this");
    ProvideErrorMetadata::code(&error).unwrap_or_default().to_string()
}

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

fn tagged(resource_type: ResourceType, key: &str, value: &str) -> TagSpecification {
    TagSpecification::builder().resource_type(resource_type).tags(tag(key, value)).build()
}

/// Creates and waits until what was created is visible.
impl Aws {
    async fn wait(&self, seconds: u64) {
        self.sandbox.clock().sleep(Duration::from_secs(seconds)).await;
    }

    /// What the EC2 of the tests' region is, for what only other services do to it.
    fn state<T>(&self, change: impl FnOnce(&mut Ec2) -> T) -> T {
        self.sandbox.with(|world| change(&mut world.regions.entry("us-east-1".into()).or_default().ec2))
    }

    fn now(&self) -> u64 {
        self.sandbox.clock().now_ms()
    }

    async fn vpc(&self, cidr: &str) -> String {
        let made = self.create_vpc().cidr_block(cidr).send().await.unwrap();
        self.wait(2).await;
        made.vpc.unwrap().vpc_id.unwrap()
    }

    async fn subnet(&self, vpc: &str, cidr: &str, zone: &str) -> String {
        let made = self.create_subnet().vpc_id(vpc).cidr_block(cidr).availability_zone(zone);
        let made = made.send().await.unwrap();
        self.wait(2).await;
        made.subnet.unwrap().subnet_id.unwrap()
    }

    /// An internet gateway, attached.
    async fn gateway(&self, vpc: &str) -> String {
        let made = self.create_internet_gateway().send().await.unwrap();
        let id = made.internet_gateway.unwrap().internet_gateway_id.unwrap();
        self.wait(2).await;
        self.attach_internet_gateway().internet_gateway_id(&id).vpc_id(vpc).send().await.unwrap();
        id
    }

    async fn address(&self) -> String {
        let made = self.allocate_address().send().await.unwrap();
        self.wait(2).await;
        made.allocation_id.unwrap()
    }

    /// A NAT gateway, available.
    async fn nat(&self, subnet: &str, address: &str) -> String {
        let made = self.create_nat_gateway().subnet_id(subnet).allocation_id(address).send().await.unwrap();
        self.wait(120).await;
        made.nat_gateway.unwrap().nat_gateway_id.unwrap()
    }

    async fn nat_state(&self, id: &str) -> NatGateway {
        let found = self.describe_nat_gateways().nat_gateway_ids(id).send().await.unwrap();
        found.nat_gateways.unwrap().remove(0)
    }

    async fn group(&self, vpc: &str, name: &str) -> String {
        let made = self.create_security_group().vpc_id(vpc).group_name(name).description(name);
        let made = made.send().await.unwrap();
        self.wait(2).await;
        made.group_id.unwrap()
    }

    async fn default_group(&self, vpc: &str) -> String {
        let found = self.describe_security_groups().filters(filter("vpc-id", vpc));
        let found = found.filters(filter("group-name", "default")).send().await.unwrap();
        found.security_groups()[0].group_id().unwrap().to_string()
    }

    async fn table(&self, vpc: &str) -> String {
        let made = self.create_route_table().vpc_id(vpc).send().await.unwrap();
        self.wait(2).await;
        made.route_table.unwrap().route_table_id.unwrap()
    }

    async fn table_state(&self, id: &str) -> RouteTable {
        let found = self.describe_route_tables().route_table_ids(id).send().await.unwrap();
        found.route_tables.unwrap().remove(0)
    }

    async fn main_table(&self, vpc: &str) -> RouteTable {
        let found = self.describe_route_tables().filters(filter("vpc-id", vpc));
        let found = found.filters(filter("association.main", "true")).send().await.unwrap();
        found.route_tables.unwrap().remove(0)
    }
}
