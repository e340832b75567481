//! What a kind asks of AWS, as IAM sees it: the words of which each kind's `RULES.permissions` is made. Pure.
//!
//! # Adding to the table
//!
//! A kind that calls AWS says so beside its rules, in `kinds/KIND.rs`:
//!
//! ```ignore
//! permissions: &[
//!     Permission::look(&["rds:DescribeDBClusters"], &["rds:cluster:*"]),
//!     Permission::create(&["rds:CreateDBCluster"], &["rds:cluster:{stack}"]).when(&[When::RequestTag]),
//!     Permission::change(&["rds:ModifyDBCluster"], &["rds:cluster:{stack}"]).when(&[When::OwnTag]),
//!     Permission::delete(&["rds:DeleteDBCluster"], &["rds:cluster:{stack}"]).when(&[When::OwnTag]),
//! ],
//! ```
//!
//! What is asked beside kinds (preflight, verify, drift, lease, …) has its line in `policy/beside.rs`, with the purposes
//! for which it is needed.
//!
//! An action is written as the Service Authorization Reference has it (`docs.aws.amazon.com/service-authorization`), which
//! often is not the operation's name: `HeadObject` needs `s3:GetObject`. One action stands in several lines where AWS
//! judges it on several resources: what it makes, what that is made in, what it hands on. A resource is the service and
//! the last part of an ARN, `rds:cluster:{stack}`; account and region are added. `*` is for actions that AWS judges on no
//! resource, and those alone: `tests/it/policies.rs` holds them against the reference. In braces stand names, of
//! [`crate::policy::Names`]; a pattern whose name the spec does not have stands for no resource.

/// What something is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// To see what is there.
    Look,
    Create,
    Change,
    /// To delete it, or to stop it; also where the spec names it no more.
    Delete,
}

/// Some actions on some resources, on some conditions.
#[derive(Clone, Copy, Debug)]
pub struct Permission {
    pub verb: Verb,
    pub actions: &'static [&'static str],
    /// Patterns of resources.
    pub on: &'static [&'static str],
    pub when: &'static [When],
}

/// A condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// The request sets the stack's tag.
    RequestTag,
    /// If the request sets the tag at all, it sets the stack's.
    RequestTagIfAny,
    /// The resource has the stack's tag.
    OwnTag,
    /// The resource is no stack's yet: it is being made, or has lost its tag.
    NoTag,
    /// The tags by which the stack's objects are found again stay.
    KeepsTags,
    /// The role is handed to this service.
    PassedTo(&'static str),
    /// The role has the boundary that the spec names, if it names one.
    Bounded,
    /// A service-linked role of one of these services.
    ServiceLinked(&'static [&'static str]),
    /// EC2 is asked to tag what one of these makes.
    Ec2Makes(&'static [&'static str]),
    /// SageMaker is asked to tag what one of these makes.
    SageMakerMakes(&'static [&'static str]),
    /// The secret is that of the stack's cluster, which RDS manages.
    SecretOfCluster,
    /// The network interface is in the stack's VPC.
    InVpc,
    /// GuardDuty made it (GuardDuty User Guide, "Runtime Monitoring": the tag `GuardDutyManaged`).
    GuardDutyMade,
}

/// For actions that AWS judges on no resource.
pub const EVERYTHING: &[&str] = &["*"];

impl Permission {
    const fn new(verb: Verb, actions: &'static [&'static str], on: &'static [&'static str]) -> Permission {
        Permission { verb, actions, on, when: &[] }
    }
    pub const fn look(actions: &'static [&'static str], on: &'static [&'static str]) -> Permission {
        Permission::new(Verb::Look, actions, on)
    }
    pub const fn create(actions: &'static [&'static str], on: &'static [&'static str]) -> Permission {
        Permission::new(Verb::Create, actions, on)
    }
    pub const fn change(actions: &'static [&'static str], on: &'static [&'static str]) -> Permission {
        Permission::new(Verb::Change, actions, on)
    }
    pub const fn delete(actions: &'static [&'static str], on: &'static [&'static str]) -> Permission {
        Permission::new(Verb::Delete, actions, on)
    }
    #[must_use]
    pub const fn when(self, when: &'static [When]) -> Permission {
        Permission { when, ..self }
    }
}
