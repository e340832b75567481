//! What AWS's error codes mean for the reconciler: one table.

use super::Class;

/// Code on the wire, not shape name: they differ for many RDS faults (fact book, section 1.17).
pub(super) fn classify(code: &str, message: &str) -> Class {
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
        | "InvalidResourceStateFault" => Class::Busy,
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
        "ChangeSetNotFound" => Class::NotFound,
        "AlreadyExistsException" => Class::Exists,
        // "Stack:arn:… is in UPDATE_IN_PROGRESS state and can not be updated."
        "ValidationError" if says("_IN_PROGRESS state") => Class::Busy,
        "OperationInProgressException" => Class::Busy,
        // IAM
        "NoSuchEntity" => Class::NotFound,
        "EntityAlreadyExists" => Class::Exists,
        "DeleteConflict" => Class::InUse,
        "ConcurrentModification" | "EntityTemporarilyUnmodifiable" => Class::Busy,
        // S3 says it of a bucket's policy with a code of its own.
        "MalformedPolicyDocument" | "MalformedPolicy" if says("invalid principal") => Class::Propagating,
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
        "NatGatewayNotFound" => Class::NotFound,
        // The Data API (botocore's model of rds-data): the writer is not there now, or is waking up.
        "DatabaseResumingException" | "DatabaseUnavailableException" | "InvalidResourceStateException" => {
            Class::Busy
        }
        "StatementTimeoutException" => Class::Ambiguous,
        "ForbiddenException" => Class::Denied,
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
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "ProvisionedThroughputExceededException"
        | "TransactionInProgressException"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "RequestThrottled"
        | "SlowDown"
        | "PriorRequestNotComplete"
        | "EC2ThrottledException" => Class::Throttled,
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

/// What SageMaker says of a role that it cannot use, or not yet. A role made seconds ago is told in any of these ways,
/// the model's data and image among them, which it reads as that role. Terraform's provider repeats every
/// `ValidationException` of CreateModel for two minutes (fact book, appendix F).
const ROLE_TROUBLE: &[&str] = &[
    "could not assume role",
    "assume the role",
    // "The execution role ARN … is invalid. Please ensure that the role exists and that its trust relationship policy
    // allows …", "Could not access model data at s3://…. Please ensure that the role …".
    "ensure that the role",
    "could not access model data",
];

fn sagemaker(message: &str) -> Class {
    let says = |part: &str| message.to_ascii_lowercase().contains(&part.to_ascii_lowercase());
    if says("already existing") || says("already exists") {
        Class::Exists
    } else if says("could not find model data") {
        Class::Propagating
    } else if says("RecordNotFound")
        || says("could not find")
        || says("requested resource not found")
        || says("does not exist")
    {
        Class::NotFound
    } else if ROLE_TROUBLE.iter().any(|part| says(part)) {
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
mod tests;
