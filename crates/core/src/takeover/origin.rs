//! The CloudFormation stack from which objects are taken over, and what becomes of each of its resources.

use crate::base::{Live, Observed};
use crate::spec::{EndpointManager, Spec};

/// A CloudFormation stack as it is now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    pub name: String,
    pub arn: String,
    /// CloudFormation's own word, such as `UPDATE_COMPLETE`; empty where it knows of no such stack.
    pub status: String,
    /// What CloudFormation gives as the reason of the status.
    pub reason: Option<String>,
    pub resources: Vec<Part>,
    /// What follows is asked for by a release only.
    pub termination_protection: bool,
    /// The stack in which it is nested.
    pub parent: Option<String>,
    /// Whether a stack policy forbids some updates.
    pub policy_denies: bool,
    /// What it exports to other stacks.
    pub exports: Vec<Export>,
    /// Parameters that CloudFormation reads anew at every update.
    pub read_anew: Vec<String>,
    /// Macros that rewrite the template.
    pub macros: Vec<String>,
    /// Resources that a person wants to leave, and that refer to what goes: which, and to what.
    pub torn: Vec<(String, String)>,
    /// Whether what CloudFormation is at work on was asked for by a run of ours.
    pub ours: bool,
    /// Whether every resource has both policies `Retain`.
    pub retained: bool,
    /// Bytes of the template with these policies.
    pub bytes: usize,
    /// Roles of the cluster that the spec takes over, by ARN.
    pub cluster_roles: Vec<String>,
    /// Name, engine and version of a cluster of the stack, as they are now.
    pub engine: Option<(String, String, String)>,
}

/// A value that a stack exports, and who imports it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Export {
    pub name: String,
    pub importers: Vec<String>,
}

/// One resource of the stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub logical: String,
    /// `AWS::EC2::VPC`
    pub kind: String,
    /// CloudFormation's physical id.
    pub physical: String,
    /// AWS's own name or id, as the spec has it: the same, but for those that CloudFormation knows by an ARN or an address.
    pub object: String,
    pub status: String,
}

impl Origin {
    /// Whether there is such a stack: its tags stay on what it made, for ever, and say nothing.
    pub fn stands(&self) -> bool {
        !matches!(self.status.as_str(), "" | "DELETE_COMPLETE")
    }

    /// Whether CloudFormation is at work on it.
    pub fn is_busy(&self) -> bool {
        self.status.ends_with("_IN_PROGRESS")
    }
}

/// Whether the stack still has something that the spec takes over.
pub fn owns(spec: &Spec, origin: &Origin) -> bool {
    let has = |part: &Part| {
        !matches!(part.status.as_str(), "DELETE_COMPLETE" | "DELETE_SKIPPED")
            && matches!(fate(spec, part), Fate::Taken(_))
    };
    origin.stands() && origin.resources.iter().any(has)
}

/// A CloudFormation stack that still has what is this stack's by its tags, although the spec takes nothing over from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SecondOwner {
    pub name: String,
    pub arn: String,
    pub status: String,
    /// What both own, by the name within the stack.
    pub resources: Vec<String>,
}

/// What is this stack's and also one of CloudFormation's that stands.
pub fn second_owner(origin: &Origin, observed: &Observed) -> Option<SecondOwner> {
    let has = |live: &Live| {
        origin.resources.iter().any(|part| {
            let is_same = |name: &str| name.eq_ignore_ascii_case(&part.object);
            !matches!(part.status.as_str(), "DELETE_COMPLETE" | "DELETE_SKIPPED")
                && kind_of(&part.kind) == Some(live.id.kind)
                && ["id", "name"].into_iter().filter_map(|output| live.output(output)).any(is_same)
        })
    };
    let both = observed.values().filter(|live| live.owned && has(live));
    let resources: Vec<String> = both.map(|live| live.id.to_string()).collect();
    (origin.stands() && !resources.is_empty()).then(|| SecondOwner {
        name: origin.name.clone(),
        arn: origin.arn.clone(),
        status: origin.status.clone(),
        resources,
    })
}

/// AWS's own name of a resource that CloudFormation knows by this physical id: for some kinds that is an ARN
/// (AWS CloudFormation User Guide, "Ref" of each resource type).
pub fn object_name(kind: &str, physical: &str) -> String {
    let last = |separator: char| physical.rsplit(separator).next().unwrap_or(physical).to_string();
    match kind {
        // arn:…:secret:NAME-ABCDEF
        "AWS::SecretsManager::Secret" => match physical.split_once(":secret:") {
            Some((_, name)) => {
                let cut = name.len().checked_sub(7).filter(|at| name[*at..].starts_with('-'));
                cut.map_or(name, |at| &name[..at]).to_string()
            }
            None => physical.to_string(),
        },
        kind if kind.starts_with("AWS::SageMaker::") && physical.starts_with("arn:") => last('/'),
        "AWS::KMS::Key" => last('/'),
        _ => physical.to_string(),
    }
}

/// What becomes of a resource when the stack hands over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The spec takes it over, under this name.
    Taken(String),
    /// It is no object of its own: it deleted with its parent.
    Part,
    /// The spec names it and uses it: it stays, and afterwards is nobody's. Where.
    Used(&'static str),
    /// The spec does not contain it.
    Unknown,
}

/// Resources that are no objects: what they say is a property of something else.
const PARTS: [&str; 8] = [
    "AWS::CloudFormation::WaitConditionHandle",
    "AWS::EC2::Route",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::S3::BucketPolicy",
    "AWS::SecretsManager::SecretTargetAttachment",
];

/// What becomes of this resource when the stack hands over to this spec.
pub fn fate(spec: &Spec, part: &Part) -> Fate {
    let taken = spec.taken_over.iter().flat_map(|taken| &taken.objects);
    let mut taken = taken.filter(|(_, object)| object.eq_ignore_ascii_case(&part.object));
    // Cluster, parameter group and subnet group may have one name.
    if let Some((resource, _)) = taken.find(|(resource, _)| kind_of(&part.kind) == resource.split('.').next())
    {
        return Fate::Taken(resource.clone());
    }
    if is_part(part) {
        return Fate::Part;
    }
    let by_notebook =
        || spec.endpoints.iter().filter(|(_, endpoint)| endpoint.managed_by == EndpointManager::Notebook);
    match part.kind.as_str() {
        "AWS::IAM::Role" if roles(spec).iter().any(|arn| ends_in(arn, &part.object)) => Fate::Used("roles"),
        "AWS::KMS::Key" if spec.kms_key.as_deref().is_some_and(|arn| ends_in(arn, &part.object)) => {
            Fate::Used("kms_key")
        }
        "AWS::SageMaker::Endpoint"
            if by_notebook().any(|(name, _)| name.eq_ignore_ascii_case(&part.object)) =>
        {
            Fate::Used("endpoints")
        }
        // What such an endpoint serves, or served first.
        "AWS::SageMaker::EndpointConfig" | "AWS::SageMaker::Model" if by_notebook().next().is_some() => {
            Fate::Used("endpoints")
        }
        _ => Fate::Unknown,
    }
}

/// Whether it is no object of its own.
pub(super) fn is_part(part: &Part) -> bool {
    PARTS.contains(&part.kind.as_str())
}

fn ends_in(arn: &str, name: &str) -> bool {
    arn.rsplit('/').next() == Some(name)
}

/// The kind of ours that a type of CloudFormation's is.
pub(super) fn kind_of(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::EC2::EIP" => "elastic_ip",
        "AWS::EC2::InternetGateway" => "internet_gateway",
        "AWS::EC2::NatGateway" => "nat_gateway",
        "AWS::EC2::RouteTable" => "route_table",
        "AWS::EC2::SecurityGroup" => "security_group",
        "AWS::EC2::Subnet" => "subnet",
        "AWS::EC2::VPC" => "vpc",
        "AWS::EC2::VPCEndpoint" => "vpc_endpoint",
        "AWS::RDS::DBCluster" => "cluster",
        "AWS::RDS::DBClusterParameterGroup" => "parameter_group",
        "AWS::RDS::DBInstance" => "instance",
        "AWS::RDS::DBSubnetGroup" => "subnet_group",
        "AWS::S3::Bucket" => "bucket",
        "AWS::SageMaker::NotebookInstance" => "notebook",
        "AWS::SageMaker::NotebookInstanceLifecycleConfig" => "notebook_config",
        "AWS::SecretsManager::Secret" => "secret",
        _ => return None,
    })
}

/// ARNs of the roles that the spec names.
pub(super) fn roles(spec: &Spec) -> Vec<&str> {
    spec.roles.given().map(|(_, arn)| arn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_aws_has_them() {
        for (kind, physical, name) in [
            ("AWS::EC2::VPC", "vpc-1", "vpc-1"),
            (
                "AWS::SecretsManager::Secret",
                "arn:aws:secretsmanager:us-east-1:111122223333:secret:Master-0a1b2c3d-AbCdEf",
                "Master-0a1b2c3d",
            ),
            (
                "AWS::SageMaker::NotebookInstance",
                "arn:aws:sagemaker:us-east-1:111122223333:notebook-instance/insights-notebook",
                "insights-notebook",
            ),
            ("AWS::SageMaker::Model", "Insights-Model", "Insights-Model"),
            ("AWS::KMS::Key", "1234-abcd", "1234-abcd"),
        ] {
            assert_eq!(object_name(kind, physical), name);
        }
    }

    #[test]
    fn a_stack_that_is_gone_does_not_count() {
        let with = |status: &str| Origin { status: status.into(), ..Origin::default() };
        assert!(!with("").stands() && !with("DELETE_COMPLETE").stands());
        assert!(with("DELETE_FAILED").stands() && with("DELETE_IN_PROGRESS").is_busy());
        assert!(!with("UPDATE_COMPLETE").is_busy());
    }
}
