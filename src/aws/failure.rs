//! What AWS's errors mean for the reconciler: one table.

use super::unencrypted::Unencrypted;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The object is not there.
    NotFound,
    /// The object is there already.
    Exists,
    /// The object is busy; AWS will accept the request later.
    Busy,
    /// Something just created has not reached the service that was asked.
    Propagating,
    /// Something that still exists refers to the object.
    InUse,
    /// Too many requests, also after the SDK's own retries.
    Throttled,
    /// Nobody knows whether the request took effect.
    Ambiguous,
    Denied,
    /// A quota or a capacity is exhausted.
    Quota,
    /// AWS will not do this, now or later.
    Refused,
}

impl Class {
    /// For how long repeating the request makes sense; zero means never. Budgets: fact book, sections 1.5,
    /// 1.8, 3, 5.5.
    pub fn patience(self) -> Duration {
        let minutes = match self {
            Class::Busy => 60,
            Class::Propagating => 4,
            // Network interfaces of SageMaker and RDS can outlive their owner by 45 minutes.
            Class::InUse => 60,
            Class::Throttled | Class::Ambiguous => 10,
            _ => 0,
        };
        Duration::from_secs(minutes * 60)
    }
}

/// An error of one AWS request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub class: Class,
    /// The API operation, such as `CreateDBCluster`.
    pub operation: &'static str,
    /// AWS's code, or a word of ours when there was no answer.
    pub code: String,
    pub message: String,
}

impl Failure {
    /// What AWS says about one object of a request that it answers as a whole.
    pub fn answered(operation: &'static str, code: String, message: String) -> Failure {
        Failure { class: classify(&code, &message), operation, code, message }
    }
    /// An error that auroraml itself found.
    pub fn refused(operation: &'static str, message: impl Into<String>) -> Failure {
        Failure { class: Class::Refused, operation, code: "auroraml".into(), message: message.into() }
    }
    /// Not now: the loop waits and looks again.
    pub fn busy(operation: &'static str, message: impl Into<String>) -> Failure {
        Failure { class: Class::Busy, ..Failure::refused(operation, message) }
    }
    pub fn is(&self, class: Class) -> bool {
        self.class == class
    }
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self.class {
            Class::Denied => "grant the action to the principal that runs auroraml, then run it again",
            Class::Quota => "raise the quota in Service Quotas, or choose another size or region",
            Class::Busy | Class::InUse | Class::Propagating | Class::Throttled | Class::Ambiguous => {
                "run the same command again: it goes on from here"
            }
            _ => "correct the cause, then run the same command again: it goes on from here",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.code == "auroraml" {
            return write!(f, "{}", self.message);
        }
        write!(f, "{} was answered with {}", self.operation, self.code)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}
impl Error for Failure {}

/// Names the operation in an SDK error and classifies it.
pub trait During<T> {
    /// # Errors
    /// The SDK's error as a [`Failure`].
    fn during(self, operation: &'static str) -> Result<T, Failure>;
}

impl<T, E> During<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    fn during(self, operation: &'static str) -> Result<T, Failure> {
        self.map_err(|error| {
            not_sent(&error, operation).unwrap_or_else(|| match &error {
                SdkError::ServiceError(service) => {
                    let message = service.err().message().unwrap_or_default().to_string();
                    match service.err().code() {
                        Some(code) => {
                            Failure { class: classify(code, &message), operation, code: code.into(), message }
                        }
                        None => {
                            let status = service.raw().status().as_u16();
                            Failure {
                                class: by_status(status),
                                operation,
                                code: format!("HTTP {status}"),
                                message,
                            }
                        }
                    }
                }
                SdkError::ConstructionFailure(_) => Failure {
                    class: Class::Refused,
                    operation,
                    code: "NotSent".into(),
                    message: chain(&error),
                },
                SdkError::DispatchFailure(failure) if failure.is_user() || failure.is_other() => Failure {
                    class: Class::Refused,
                    operation,
                    code: "NotSent".into(),
                    message: chain(&error),
                },
                _ => Failure {
                    class: Class::Ambiguous,
                    operation,
                    code: "NoAnswer".into(),
                    message: chain(&error),
                },
            })
        })
    }
}

/// The failure of a request that was held back for want of encryption.
fn not_sent(error: &(dyn Error + 'static), operation: &'static str) -> Option<Failure> {
    cause::<Unencrypted>(error).map(|why| Failure::refused(operation, why.to_string()))
}

/// The error of this type among the causes of another.
fn cause<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    error.downcast_ref().or_else(|| cause(error.source()?))
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

/// An answer without a code: to a HEAD request (fact book, section 6.1), or from something on the way to AWS.
fn by_status(status: u16) -> Class {
    match status {
        404 => Class::NotFound,
        401 | 403 => Class::Denied,
        429 => Class::Throttled,
        500..=599 => Class::Ambiguous,
        _ => Class::Refused,
    }
}

/// Code on the wire, not shape name: they differ for many RDS faults (fact book, section 1.17).
fn classify(code: &str, message: &str) -> Class {
    let says = |part: &str| message.to_ascii_lowercase().contains(&part.to_ascii_lowercase());
    match code {
        // RDS
        "DBClusterNotFoundFault"
        | "DBInstanceNotFound"
        | "DBParameterGroupNotFound"
        | "DBClusterParameterGroupNotFound"
        | "DBSubnetGroupNotFoundFault"
        | "DBClusterRoleNotFound"
        | "DBClusterSnapshotNotFoundFault" => Class::NotFound,
        "DBClusterAlreadyExistsFault"
        | "DBInstanceAlreadyExists"
        | "DBParameterGroupAlreadyExists"
        | "DBSubnetGroupAlreadyExists"
        | "DBClusterRoleAlreadyExists" => Class::Exists,
        "InvalidDBInstanceState" if says("already being deleted") => Class::Exists,
        "InvalidDBClusterStateFault"
        | "InvalidDBInstanceState"
        | "InvalidDBParameterGroupState"
        | "InvalidDBSubnetGroupStateFault"
        | "InvalidResourceStateFault"
        | "InvalidVPCNetworkStateFault" => Class::Busy,
        "InvalidParameterValue" if says("IAM role ARN value is invalid") => Class::Propagating,
        // A subnet or group made moments ago (fact book, section 1.9).
        "InvalidSubnet" => Class::Propagating,
        "DBClusterQuotaExceededFault"
        | "InstanceQuotaExceeded"
        | "DBParameterGroupQuotaExceeded"
        | "DBClusterRoleQuotaExceeded"
        | "SnapshotQuotaExceeded"
        | "InsufficientDBInstanceCapacity"
        | "InsufficientStorageClusterCapacity"
        | "StorageQuotaExceeded" => Class::Quota,
        // CloudFormation has no code of its own for a stack that is not there (fact book, section 6.3).
        "ValidationError" if says("does not exist") => Class::NotFound,
        // IAM
        "NoSuchEntity" => Class::NotFound,
        "EntityAlreadyExists" => Class::Exists,
        "DeleteConflict" => Class::InUse,
        "ConcurrentModification" | "EntityTemporarilyUnmodifiable" => Class::Busy,
        "MalformedPolicyDocument" if says("invalid principal") => Class::Propagating,
        "LimitExceeded" | "LimitExceededException" => Class::Quota,
        // EC2
        "RouteAlreadyExists"
        | "InvalidPermission.Duplicate"
        | "InvalidGroup.Duplicate"
        | "Resource.AlreadyAssociated" => Class::Exists,
        "DependencyViolation"
        | "InvalidGroup.InUse"
        | "InvalidIPAddress.InUse"
        | "InvalidNetworkInterface.InUse" => Class::InUse,
        // An endpoint that is being made or changed; two people who tag at once.
        "IncorrectState" | "ConcurrentTagAccess" => Class::Busy,
        // The endpoint before this one still has the service's host name until it is `deleted`.
        "InvalidParameter" if says("conflicting DNS domain") => Class::Busy,
        // The answer to a detach when there is nothing to detach.
        "Gateway.NotAttached" => Class::NotFound,
        "VpcLimitExceeded"
        | "AddressLimitExceeded"
        | "InternetGatewayLimitExceeded"
        | "NatGatewayLimitExceeded"
        | "SubnetLimitExceeded"
        | "RouteTableLimitExceeded"
        | "RouteLimitExceeded"
        | "SecurityGroupLimitExceeded"
        | "RulesPerSecurityGroupLimitExceeded"
        | "VpcEndpointLimitExceeded"
        | "TagLimitExceeded"
        | "InsufficientFreeAddressesInSubnet" => Class::Quota,
        code if code.starts_with("Invalid") && code.ends_with(".NotFound") => Class::NotFound,
        "NatGatewayNotFound" | "InvalidPermission.NotFound" | "InvalidRoute.NotFound" => Class::NotFound,
        // Secrets Manager, SageMaker, S3, KMS
        "ResourceNotFoundException"
        | "ResourceNotFound"
        | "NoSuchBucket"
        | "NoSuchKey"
        | "NoSuchUpload"
        | "NoSuchVersion"
        | "NotFound"
        | "NoSuchTagSet"
        | "NoSuchBucketPolicy"
        | "NoSuchPublicAccessBlockConfiguration"
        | "ServerSideEncryptionConfigurationNotFoundError"
        | "NotFoundException" => Class::NotFound,
        "ResourceExistsException" | "BucketAlreadyOwnedByYou" | "ResourceInUseException" => Class::Exists,
        "BucketNotEmpty" => Class::InUse,
        "OperationAborted" => Class::Busy,
        // A secret that was force-deleted moments ago still blocks its name (fact book, section 6.2).
        "InvalidRequestException"
            if says("scheduled for deletion")
                || says("marked for deletion")
                || says("currently being deleted") =>
        {
            Class::Busy
        }
        "ResourceLimitExceeded" | "ServiceQuotaExceededException" => Class::Quota,
        "ResourceInUse" => Class::Busy,
        // SageMaker has no code of its own for "not found" (fact book, section 4.6).
        "ValidationException" => sagemaker(message),
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "SlowDown"
        | "TooManyRequestsException"
        | "RequestThrottled"
        | "PriorRequestNotComplete" => Class::Throttled,
        "InternalFailure"
        | "InternalError"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "Unavailable"
        | "RequestTimeout"
        | "RequestTimeoutException" => Class::Ambiguous,
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "AuthFailure"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "OptInRequired" => Class::Denied,
        _ => Class::Refused,
    }
}

fn sagemaker(message: &str) -> Class {
    let says = |part: &str| message.to_ascii_lowercase().contains(&part.to_ascii_lowercase());
    if says("already existing") || says("already exists") {
        Class::Exists
    } else if says("RecordNotFound") || says("could not find") || says("does not exist") {
        Class::NotFound
    } else if says("could not assume role") || says("assume the role") {
        Class::Propagating
    } else if ["status (", "unable to transition", "in use", "in-progress", "undergoing maintenance"]
        .iter()
        .any(|part| says(part))
    {
        Class::Busy
    } else {
        Class::Refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_without_a_code() {
        assert_eq!(by_status(404), Class::NotFound);
        assert_eq!(by_status(403), Class::Denied);
        assert_eq!(by_status(503), Class::Ambiguous);
        assert_eq!(by_status(301), Class::Refused);
    }

    #[test]
    fn names_that_are_not_what_one_expects() {
        for (code, message, class) in [
            ("DBParameterGroupNotFound", "", Class::NotFound),
            ("ValidationException", "Could not find endpoint \"x\".", Class::NotFound),
            ("ValidationException", "RecordNotFound", Class::NotFound),
            ("ValidationException", "Cannot update in-progress endpoint \"x\".", Class::Busy),
            ("ValidationException", "1 validation error detected at 'estate'", Class::Refused),
            ("ValidationException", "Status (Pending) not in ([Stopped]). Unable to …", Class::Busy),
            ("ValidationException", "Cannot update in-progress endpoint", Class::Busy),
            ("InvalidVpcID.NotFound", "", Class::NotFound),
            (
                "InvalidParameterValue",
                "IAM role ARN value is invalid or does not include …",
                Class::Propagating,
            ),
            ("InvalidParameterValue", "Invalid DB engine", Class::Refused),
            ("InvalidRequestException", "… already scheduled for deletion.", Class::Busy),
            ("LimitExceededException", "", Class::Quota),
        ] {
            assert_eq!(classify(code, message), class, "{code}: {message}");
        }
    }
}
