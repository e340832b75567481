//! What `verify` judges: the live wiring as plain values.

use crate::base::names::Place;
use crate::model::Ability;
use crate::spec::Strategy;
use serde_json::Value;
use std::collections::BTreeMap;

/// What AWS answered, or why there is no answer.
pub type Answer<T> = Result<T, String>;

/// Everything that was looked at.
#[derive(Clone, Debug)]
pub struct Facts {
    pub place: Place,
    /// Whether others own the cluster and its network.
    pub existing: bool,
    /// Who restarts, as the spec says.
    pub strategy: Strategy,
    /// What the spec lets SQL call.
    pub abilities: Vec<Ability>,
    pub cluster: Cluster,
    pub instances: Answer<Vec<Instance>>,
    /// Identifiers of the other clusters that have the same DB cluster parameter group.
    pub sharing: Answer<Vec<String>>,
    /// Role parameters of the attached DB cluster parameter group, by name.
    pub parameters: Answer<BTreeMap<String, Parameter>>,
    /// The roles that the parameters name, by ARN; nothing where there is no such role.
    pub roles: BTreeMap<String, Answer<Option<Role>>>,
    /// The spec's SageMaker endpoints, by name; nothing where there is no such endpoint.
    pub endpoints: BTreeMap<String, Answer<Option<Endpoint>>>,
    pub network: Answer<Network>,
    /// What the database itself says, if it was to be asked.
    pub database: Option<Database>,
}

impl Facts {
    /// Whether the stack's own cluster is stopped: nothing of it can be broken, for nothing of it runs.
    pub fn is_paused(&self) -> bool {
        !self.existing && self.cluster.status == "stopped"
    }

    /// The strategy of the spec, if it leaves this member waiting for a restart.
    pub(super) fn leaves_pending(&self, member: &Member) -> Option<&'static str> {
        match self.strategy {
            Strategy::Never => Some("never"),
            Strategy::WriterOnly if !member.writer => Some("writer_only"),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Cluster {
    pub id: String,
    pub arn: String,
    /// `aurora-mysql`, …
    pub engine: String,
    pub version: String,
    pub status: String,
    pub parameter_group: String,
    pub subnet_group: String,
    /// Ids of its security groups.
    pub security_groups: Vec<String>,
    pub associations: Vec<Association>,
    pub members: Vec<Member>,
    /// Whether SQL can be sent through the RDS Data API.
    pub data_api: bool,
    /// ARN of the secret with the master password, where RDS manages it.
    pub secret: Option<String>,
}

/// A role that is associated with the cluster.
#[derive(Clone, Debug)]
pub struct Association {
    pub role: String,
    /// What it is for; empty where the engine does not want to know.
    pub feature: String,
    /// `ACTIVE`, `PENDING` or `INVALID`.
    pub status: String,
}

#[derive(Clone, Debug)]
pub struct Member {
    pub name: String,
    pub writer: bool,
    /// Its state towards the DB cluster parameter group: `in-sync`, `pending-reboot`, …
    pub parameter_status: String,
}

impl Member {
    pub(super) fn role(&self) -> &'static str {
        if self.writer { "writer" } else { "reader" }
    }
}

/// A member as an instance.
#[derive(Clone, Debug)]
pub struct Instance {
    pub name: String,
    pub status: String,
    pub publicly_accessible: bool,
    /// Its own DB parameter groups, with its state towards each.
    pub parameter_groups: Vec<(String, String)>,
}

/// A parameter of the attached group.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Empty where it is not set.
    pub value: String,
    /// `static` or `dynamic`.
    pub apply_type: String,
}

#[derive(Clone, Debug)]
pub struct Role {
    pub name: String,
    pub trust: Value,
    /// Inline and attached policies: name and document.
    pub policies: Answer<Vec<(String, Value)>>,
    /// ARN of its permissions boundary.
    pub boundary: Option<String>,
}

/// A SageMaker endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub arn: String,
    pub status: String,
    pub failure_reason: Option<String>,
}

/// The cluster's VPC.
#[derive(Clone, Debug, Default)]
pub struct Network {
    pub vpc: String,
    /// Subnets in which members can stand: those of the DB subnet group.
    pub subnets: Vec<String>,
    /// IPv4 ranges of all subnets of the VPC, by id.
    pub ranges: BTreeMap<String, String>,
    pub route_tables: Vec<RouteTable>,
    pub nat_gateways: Vec<NatGateway>,
    pub endpoints: Vec<VpcEndpoint>,
    /// Security groups of the VPC, by id.
    pub security_groups: BTreeMap<String, SecurityGroup>,
}

#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    pub id: String,
    /// Whether it serves the subnets that have no association of their own.
    pub main: bool,
    pub subnets: Vec<String>,
    pub routes: Vec<Route>,
}

#[derive(Clone, Debug)]
pub struct Route {
    /// An IPv4 range or the id of a prefix list.
    pub destination: String,
    /// Id of the gateway, endpoint, interface or connection that it leads to.
    pub target: String,
    /// Whether the target is still there.
    pub active: bool,
}

#[derive(Clone, Debug)]
pub struct NatGateway {
    pub id: String,
    pub state: String,
    pub subnet: String,
    /// Whether it leads to the internet, and not only to other networks.
    pub public: bool,
}

#[derive(Clone, Debug, Default)]
pub struct VpcEndpoint {
    pub id: String,
    /// `com.amazonaws.us-east-1.sagemaker.runtime`
    pub service: String,
    pub state: String,
    /// A gateway endpoint; otherwise an interface endpoint.
    pub gateway: bool,
    pub private_dns: bool,
    pub route_tables: Vec<String>,
    pub subnets: Vec<String>,
    pub security_groups: Vec<String>,
    /// Whether its policy lets everything through.
    pub open: bool,
}

#[derive(Clone, Debug, Default)]
pub struct SecurityGroup {
    pub ingress: Vec<Rule>,
    pub egress: Vec<Rule>,
}

/// One permission of a security group.
#[derive(Clone, Debug)]
pub struct Rule {
    /// `tcp`, `-1` for all, …
    pub protocol: String,
    pub from_port: Option<i32>,
    pub to_port: Option<i32>,
    /// IPv4 ranges, and ids of security groups and prefix lists.
    pub peers: Vec<String>,
}

/// What the database was asked.
#[derive(Clone, Debug)]
pub enum Database {
    /// Values of `aws_default_…` in the writer, by name.
    Values(BTreeMap<String, String>),
    /// Why it could not be asked, and what lets it be asked.
    Silent { why: String, fix: String },
}
