//! The chain of links between a database and the services that it asks, one after the other: parameter, association,
//! role, network, permission. Fact book, sections 1.3, 1.8, 1.15 and 2.5.
//!
//! Texts: `Missing Credentials: Cannot instantiate S3 Client` is what users meet where the parameter or the association
//! is missing (public threads, error 63985 in version 3, 1871 in version 2); `Network Connection` and `Unable to
//! initialize S3Stream`: Aurora User Guide, "Enabling network communication …". For the other services those of S3 are
//! taken over: **believed**.

use crate::database::{SqlError, machine_learning, s3_error, s3_stream};
use crate::iam::Iam;

/// A service of AWS that a database asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    S3,
    SageMaker,
    Comprehend,
    Bedrock,
}

/// The principal that the roles trust.
const PRINCIPAL: &str = "rds.amazonaws.com";

impl Service {
    /// The parameter with the role's ARN.
    pub fn parameter(self) -> &'static str {
        match self {
            Service::S3 => "aws_default_s3_role",
            Service::SageMaker => "aws_default_sagemaker_role",
            Service::Comprehend => "aws_default_comprehend_role",
            Service::Bedrock => "aws_default_bedrock_role",
        }
    }

    /// As VPC endpoints name it.
    pub fn network(self) -> &'static str {
        match self {
            Service::S3 => "s3",
            Service::SageMaker => "sagemaker.runtime",
            Service::Comprehend => "comprehend",
            Service::Bedrock => "bedrock-runtime",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Service::S3 => "S3",
            Service::SageMaker => "SageMaker",
            Service::Comprehend => "Comprehend",
            Service::Bedrock => "Bedrock",
        }
    }

    /// What the service's client says.
    pub fn failed(self, text: impl std::fmt::Display) -> SqlError {
        if self == Service::S3 { s3_error(text) } else { machine_learning(self.name(), text) }
    }

    fn no_credentials(self) -> SqlError {
        self.failed(format!("Missing Credentials: Cannot instantiate {} Client", self.name()))
    }
}

/// What is known of the links.
pub(super) struct Links<'a> {
    /// The parameter's value that the member runs with.
    pub role: Option<&'a str>,
    /// `ACTIVE` where the role is associated.
    pub association: &'a str,
    pub iam: &'a Iam,
    pub now: u64,
    pub reaches: bool,
}

/// The role that a request is made with, if all links before the permission hold.
pub(super) fn role(service: Service, links: &Links<'_>) -> Result<String, SqlError> {
    let role = links.role.filter(|role| !role.is_empty()).ok_or_else(|| service.no_credentials())?;
    if links.association != "ACTIVE" {
        return Err(service.no_credentials());
    }
    if !links.iam.assumable(role, PRINCIPAL, links.now) {
        return Err(service.no_credentials());
    }
    if !links.reaches {
        return Err(service.failed("Network Connection"));
    }
    Ok(role.to_string())
}

/// Whether the role may.
pub(super) fn permitted(
    service: Service,
    iam: &Iam,
    role: &str,
    action: &str,
    resource: &str,
) -> Result<(), SqlError> {
    if iam.allows(role, action, resource) {
        return Ok(());
    }
    if service == Service::S3 {
        return Err(if action == "s3:GetObject" || action == "s3:ListBucket" {
            s3_stream()
        } else {
            service.failed("Access Denied: Access Denied")
        });
    }
    let name = role.rsplit('/').next().unwrap_or(role);
    let session = format!("arn:aws:sts::{}:assumed-role/{name}/aurora", crate::account::ACCOUNT);
    Err(service.failed(format!(
        "AccessDeniedException: User: {session} is not authorized to perform: {action} on resource: {resource} because \
         no identity-based policy allows the {action} action"
    )))
}
