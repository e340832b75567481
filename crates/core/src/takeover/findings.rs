//! The objects of a CloudFormation stack, as their own services show them. Plain values, gathered by `run`.

use super::origin::Origin;
use std::collections::BTreeMap;

/// The stack's objects as their own services show them. The template is not asked: people upgrade engines, and
/// notebooks move endpoints.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    pub region: String,
    pub origin: Origin,
    /// Tags that all objects have which can have tags.
    pub tags: BTreeMap<String, String>,
    /// Id and range.
    pub vpcs: Vec<(String, String)>,
    pub subnets: Vec<Subnet>,
    pub gateways: Vec<String>,
    /// Allocation id and address.
    pub addresses: Vec<(String, String)>,
    pub nat_gateways: Vec<NatGateway>,
    pub tables: Vec<Table>,
    pub groups: Vec<Group>,
    pub vpc_endpoints: Vec<VpcEndpoint>,
    pub buckets: Vec<Bucket>,
    pub clusters: Vec<Cluster>,
    /// Name and family of a parameter group, and what is set in it.
    pub parameter_groups: Vec<(String, BTreeMap<String, String>)>,
    pub notebooks: Vec<Notebook>,
    /// Endpoint, and the configuration that it serves.
    pub endpoints: Vec<(String, String)>,
}

#[derive(Clone, Debug, Default)]
pub struct Subnet {
    pub id: String,
    pub cidr: String,
    pub zone: String,
}

#[derive(Clone, Debug, Default)]
pub struct NatGateway {
    pub id: String,
    pub subnet: String,
    /// Allocation id.
    pub address: String,
}

#[derive(Clone, Debug, Default)]
pub struct Table {
    pub id: String,
    pub subnets: Vec<String>,
    /// Where everything goes that has no other route.
    pub default: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Group {
    pub id: String,
    /// Ranges and groups that may connect, with the port; none where the rule is not of one TCP port.
    pub ingress: Vec<(String, Option<i32>)>,
    /// Whether everything may leave, to anywhere.
    pub all_egress: bool,
}

#[derive(Clone, Debug, Default)]
pub struct VpcEndpoint {
    pub id: String,
    /// `com.amazonaws.us-east-1.s3`
    pub service: String,
    /// Gateway endpoint (routes) or interface endpoint (network interfaces).
    pub gateway: bool,
    /// Of an interface endpoint.
    pub security_groups: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Bucket {
    pub name: String,
    pub versioning: bool,
    /// ARN or id of the key of others by which it is encrypted.
    pub key: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Cluster {
    pub id: String,
    pub engine: String,
    pub version: String,
    pub database: Option<String>,
    pub username: String,
    pub managed_secret: bool,
    pub parameter_group: String,
    pub subnet_group: String,
    pub security_groups: Vec<String>,
    pub port: i32,
    pub backup_days: i32,
    pub protected: bool,
    pub data_api: bool,
    pub io_optimized: bool,
    pub encrypted: bool,
    pub serverless: Option<(f64, f64)>,
    /// ARNs.
    pub roles: Vec<String>,
    /// Identifier, class, promotion tier, and whether it writes.
    pub members: Vec<(String, String, i32, bool)>,
}

#[derive(Clone, Debug, Default)]
pub struct Notebook {
    pub name: String,
    pub instance: String,
    pub volume: i32,
    pub subnet: String,
    pub security_groups: Vec<String>,
    pub role: String,
    pub config: Option<String>,
    pub platform: String,
}
