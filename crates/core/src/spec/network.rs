//! The VPC.

use super::INDENTED;
use super::fields::fields;
use super::form::choices;
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fields! {
    pub struct Network in "network" (hint: INDENTED) {
        /// Address range of the VPC, /16 to /28.
        cidr: Ipv4Net {
            required: "write `cidr: 10.0.0.0/16`",
            changed: "blocked",
            meaning: "the VPC, /16 to /28, without host bits",
        }
        /// Subnets with a route to the internet gateway; the n-th lies in the zone of the n-th private one.
        public_subnets: Vec<Ipv4Net> {
            changed: "added in place; removed or changed: blocked while in use",
            meaning: "with a route to the internet gateway; the n-th lies in the zone of the n-th private one",
        }
        /// Subnets without, each in a zone of its own.
        private_subnets: Vec<Ipv4Net> {
            changed: "as above",
            meaning: "without; a cluster needs at least two. Each lies in a zone of its own, chosen from those in which AWS offers the `endpoints` and the classes of the cluster",
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
