//! The VPC: the stack's own, or one of others.

use super::INDENTED;
use super::fields::{Part, fields};
use super::form::{Form, choices};
use super::node::Node;
use super::reader::Reader;
use ipnet::Ipv4Net;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// The VPC: an existing one, or one that the stack owns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Network {
    Existing(ExistingNetwork),
    Owned(OwnNetwork),
}

impl Network {
    /// The VPC that the stack makes, if it makes one.
    pub fn owned(&self) -> Option<&OwnNetwork> {
        match self {
            Network::Owned(own) => Some(own),
            Network::Existing(_) => None,
        }
    }

    /// How many private and public subnets it names.
    pub fn subnets(&self) -> (usize, usize) {
        match self {
            Network::Owned(own) => (own.private_subnets.len(), own.public_subnets.len()),
            Network::Existing(of) => (of.private_subnets.len(), of.public_subnets.len()),
        }
    }

    /// The ranges to which the security groups of cluster and notebook allow everything; none of the default rules
    /// then.
    pub fn egress(&self) -> &[Ipv4Net] {
        match self {
            Network::Owned(own) => &own.egress,
            Network::Existing(of) => &of.egress,
        }
    }
}

impl From<OwnNetwork> for Network {
    fn from(own: OwnNetwork) -> Network {
        Network::Owned(own)
    }
}

impl Form for Network {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<Network> {
        if reader.given(&format!("{path}.existing")) {
            return ExistingNetwork::read(node, path, reader).map(Network::Existing);
        }
        OwnNetwork::read(node, path, reader).map(Network::Owned)
    }
    fn in_words() -> String {
        "mapping".to_owned()
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Network>()
    }
    fn given(&self, path: &str, found: &mut Vec<String>) {
        match self {
            Network::Existing(network) => network.given(path, found),
            Network::Owned(network) => network.given(path, found),
        }
    }
}

fields! {
    /// A VPC that you manage elsewhere: the stack only adds its own security groups.
    pub struct ExistingNetwork in "network.existing" (hint: INDENTED, unknown: of_an_own_one) {
        /// ID of the VPC, such as `vpc-0123456789abcdef0`.
        existing: String {
            required: "write `existing: VPC-ID`",
            changed: "blocked",
            meaning: "ID of a VPC that you manage elsewhere; the stack only adds its security groups",
        }
        /// IDs of subnets of the VPC; a cluster needs at least two zones.
        private_subnets: Vec<String> {
            type: "list of subnet ids",
            changed: "in place for a cluster; blocked for a notebook",
            meaning: "for the cluster, in at least two zones; a private notebook uses the first",
        }
        /// IDs of subnets of the VPC with a route to an internet gateway.
        public_subnets: Vec<String> {
            type: "list of subnet ids",
            changed: "blocked for a notebook",
            meaning: "for a public notebook, which uses the first",
        }
        /// IPv4 ranges to which the security groups of cluster and notebook allow everything, in place of what they
        /// allow
        /// by default.
        egress: Vec<Ipv4Net> {
            default_is: "as for a new VPC",
            changed: "in place",
            meaning: "as for a new VPC",
        }
    }
}

/// Keys that only a network has that the stack owns.
fn of_an_own_one(key: &str) -> Option<(String, String)> {
    OwnNetwork::fields().iter().any(|field| field.key == key).then(|| {
        (
            format!("`{key}` cannot be combined with `existing`: that VPC is not changed"),
            format!("remove `{key}`, or remove `existing` to create a new VPC"),
        )
    })
}

fields! {
    /// A VPC that the stack creates.
    pub struct OwnNetwork in "network" (hint: INDENTED) {
        /// Address range of the VPC, /16 to /28.
        cidr: Ipv4Net {
            required: "write `cidr: 10.0.0.0/16`",
            changed: "blocked",
            meaning: "range of the VPC, /16 to /28, without host bits",
        }
        /// Subnets with a route to the internet gateway; the n-th is in the zone of the n-th private one.
        public_subnets: Vec<Ipv4Net> {
            changed: "added in place; removed or changed: blocked while in use",
            meaning: "subnets with a route to the internet gateway; the n-th is in the zone of the n-th private one",
        }
        /// Subnets without such a route, each in its own zone.
        private_subnets: Vec<Ipv4Net> {
            changed: "as above",
            meaning: "subnets without such a route; a cluster needs at least two. Each is in its own zone, where AWS offers the `endpoints` and the cluster's classes",
        }
        /// How the private subnets reach the internet.
        nat: Nat {
            changed: "in place",
            meaning: "how private subnets reach the internet; `single` needs a public subnet, `per_zone` one for each private subnet",
        }
        /// Services reached without NAT: `s3` is a gateway endpoint, the others are interface endpoints.
        endpoints: Vec<ServiceEndpoint> {
            changed: "in place",
            meaning: "services reached without NAT: `s3` (gateway endpoint), `sagemaker_runtime`, `sagemaker_api`, `comprehend`, `bedrock_runtime`, `secretsmanager`, `rds_data`, `kms`, `logs`, `sts` (interface endpoints)",
        }
        /// IPv4 ranges to which the security groups of cluster and notebook allow everything, in place of what they
        /// allow
        /// by default.
        egress: Vec<Ipv4Net> {
            default_is: "what they need",
            changed: "in place",
            meaning: "IPv4 ranges that cluster and notebook may connect to, on all ports; the default is only HTTPS (for a notebook also HTTP and the cluster's port)",
        }
    }
}

choices!(Nat, ServiceEndpoint);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nat {
    /// Not at all.
    #[default]
    None,
    /// One NAT gateway, in the first public subnet.
    Single,
    /// One in each public subnet; each private subnet uses the one in its zone.
    PerZone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceEndpoint {
    S3,
    SagemakerRuntime,
    SagemakerApi,
    Comprehend,
    BedrockRuntime,
    Secretsmanager,
    RdsData,
    Kms,
    Logs,
    Sts,
}
