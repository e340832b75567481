//! Every entry of the table, with where it is known from. An entry without a row here fails the first test, a row
//! without its entry the second.

use super::classify;
use crate::aws::Class;

/// A class, where that is known from, and answers that have it: code and message.
type Known = (Class, &'static str, &'static [(&'static str, &'static str)]);

/// `botocore` stands for the service's model there: `error.code` where it differs from the shape's name.
const KNOWN: &[Known] = &[
    (
        Class::Busy,
        "botocore rds-data: the writer is not there now, or wakes up",
        &[
            ("DatabaseResumingException", ""),
            ("DatabaseUnavailableException", ""),
            ("InvalidResourceStateException", ""),
        ],
    ),
    (Class::Ambiguous, "botocore rds-data: the statement may go on", &[("StatementTimeoutException", "")]),
    (Class::Denied, "botocore rds-data", &[("ForbiddenException", "")]),
    (
        Class::NotFound,
        "botocore rds; fact book, section 1.17",
        &[
            ("DBClusterNotFoundFault", ""),
            ("DBInstanceNotFound", ""),
            ("DBParameterGroupNotFound", ""),
            ("DBClusterParameterGroupNotFound", ""),
            ("DBSubnetGroupNotFoundFault", ""),
            ("DBClusterRoleNotFound", ""),
            ("DBClusterSnapshotNotFoundFault", ""),
        ],
    ),
    (
        Class::Exists,
        "botocore rds; fact book, sections 1.8 and 1.17",
        &[
            ("DBClusterAlreadyExistsFault", ""),
            ("DBInstanceAlreadyExists", ""),
            ("DBParameterGroupAlreadyExists", ""),
            ("DBSubnetGroupAlreadyExists", ""),
            ("DBClusterRoleAlreadyExists", ""),
            ("InvalidDBInstanceState", "Instance db-1 is already being deleted."),
        ],
    ),
    (
        Class::Busy,
        "fact book, sections 1.6 to 1.9 and traps 15 to 18: repeated by CloudFormation's and Terraform's handlers",
        &[
            ("InvalidDBClusterStateFault", ""),
            (
                "InvalidDBInstanceState",
                "Instance cannot currently reboot due to an in-progress management operation",
            ),
            ("InvalidDBParameterGroupState", ""),
            ("InvalidDBSubnetGroupStateFault", ""),
            ("InvalidResourceStateFault", ""),
        ],
    ),
    (
        Class::Propagating,
        "fact book, sections 1.9 and 3: a role, a subnet or a principal that was made seconds ago",
        &[
            (
                "InvalidParameterValue",
                "IAM role ARN value is invalid or does not include the required permissions",
            ),
            ("InvalidSubnet", ""),
            ("MalformedPolicyDocument", "Invalid principal in policy: \"AWS\":\"arn:…\""),
            ("MalformedPolicy", "Invalid principal in policy"),
        ],
    ),
    (
        Class::Propagating,
        "CreateModel as met by others (philschmid/llm-sagemaker-sample #2 and READMEs of AWS's samples); Terraform's \
         provider repeats each of them for two minutes; fact book, appendix F",
        &[
            ("ValidationException", "Could not assume role arn:…. Please ensure …"),
            ("ValidationException", "SageMaker is unable to assume the role"),
            (
                "ValidationException",
                "The execution role ARN \"arn:…\" is invalid. Please ensure that the role exists and that its trust \
                 relationship policy allows the action \"sts:AssumeRole\" for the service principal …",
            ),
            ("ValidationException", "Could not access model data at s3://b/k. Please ensure …"),
            ("ValidationException", "Could not find model data at s3://b/k"),
        ],
    ),
    (
        Class::Refused,
        "constraints of botocore's sagemaker model, which AWS checks again: nothing that passes",
        &[
            ("ValidationException", "1 validation error detected: Value 'x' at 'estate' failed to satisfy …"),
            ("ValidationException", "Only one of PrimaryContainer and Containers can be specified"),
            ("ValidationError", "1 validation error detected"),
            ("InvalidParameterValue", "Invalid DB engine"),
            ("MalformedPolicyDocument", "Syntax errors in policy."),
            ("MalformedPolicy", "Policy has invalid resource"),
            ("InvalidRequestException", "You can't …"),
            ("InvalidParameter", "The IP address type is invalid"),
        ],
    ),
    (
        Class::Refused,
        "terraform-provider-aws #5725, fact book, appendix F: a zone that is not offered, a subnet group without two \
         zones; it does not pass",
        &[("InvalidVPCNetworkStateFault", "DB instance and EC2 security group are in different VPCs.")],
    ),
    (
        Class::Quota,
        "botocore rds; fact book, section 1.17",
        &[
            ("DBClusterQuotaExceededFault", ""),
            ("InstanceQuotaExceeded", ""),
            ("DBParameterGroupQuotaExceeded", ""),
            ("DBClusterRoleQuotaExceeded", ""),
            ("SnapshotQuotaExceeded", ""),
            ("InsufficientDBInstanceCapacity", ""),
            ("InsufficientStorageClusterCapacity", ""),
            ("StorageQuotaExceeded", ""),
        ],
    ),
    (
        Class::NotFound,
        "fact book, section 6.3: CloudFormation; section 3: IAM",
        &[("ValidationError", "Stack with id x does not exist"), ("NoSuchEntity", "")],
    ),
    (
        Class::NotFound,
        "botocore cloudformation: ChangeSetNotFoundException has this code",
        &[("ChangeSetNotFound", "")],
    ),
    (
        Class::Busy,
        "botocore cloudformation; fact book, section 6.3: a stack that is at work takes no update",
        &[
            ("OperationInProgressException", ""),
            ("ValidationError", "Stack:arn:… is in UPDATE_IN_PROGRESS state and can not be updated."),
        ],
    ),
    (
        Class::Exists,
        "botocore iam, cloudformation",
        &[("EntityAlreadyExists", ""), ("AlreadyExistsException", "")],
    ),
    (
        Class::InUse,
        "botocore iam, s3; fact book, sections 3 and 6.1",
        &[("DeleteConflict", ""), ("BucketNotEmpty", "")],
    ),
    (
        Class::Busy,
        "fact book, section 3: repeated",
        &[("ConcurrentModification", ""), ("EntityTemporarilyUnmodifiable", "")],
    ),
    (
        Class::Quota,
        "botocore iam, secretsmanager, kms; fact book, trap 67",
        &[("LimitExceeded", ""), ("LimitExceededException", "")],
    ),
    (
        Class::Exists,
        "EC2's list of error codes (User Guide of the API, errors-overview)",
        &[
            ("RouteAlreadyExists", ""),
            ("InvalidPermission.Duplicate", ""),
            ("InvalidGroup.Duplicate", ""),
            ("Resource.AlreadyAssociated", ""),
        ],
    ),
    (
        Class::InUse,
        "EC2's list of error codes; fact book, sections 5.4 and 5.5",
        &[
            ("DependencyViolation", ""),
            ("InvalidGroup.InUse", ""),
            ("InvalidIPAddress.InUse", ""),
            ("InvalidNetworkInterface.InUse", ""),
        ],
    ),
    (
        Class::Busy,
        "EC2's list of error codes; Terraform's provider repeats on a conflicting DNS domain",
        &[
            ("IncorrectState", ""),
            ("ConcurrentTagAccess", ""),
            (
                "InvalidParameter",
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain",
            ),
        ],
    ),
    (
        Class::NotFound,
        "EC2's list of error codes",
        &[
            ("Gateway.NotAttached", ""),
            ("InvalidVpcID.NotFound", ""),
            ("InvalidSubnetID.NotFound", ""),
            ("NatGatewayNotFound", ""),
            ("InvalidPermission.NotFound", ""),
            ("InvalidRoute.NotFound", ""),
        ],
    ),
    (
        Class::Quota,
        "EC2's list of error codes; fact book, section 5.4",
        &[
            ("VpcLimitExceeded", ""),
            ("AddressLimitExceeded", ""),
            ("InternetGatewayLimitExceeded", ""),
            ("NatGatewayLimitExceeded", ""),
            ("SubnetLimitExceeded", ""),
            ("RouteTableLimitExceeded", ""),
            ("RouteLimitExceeded", ""),
            ("SecurityGroupLimitExceeded", ""),
            ("RulesPerSecurityGroupLimitExceeded", ""),
            ("VpcEndpointLimitExceeded", ""),
            ("TagLimitExceeded", ""),
            ("InsufficientFreeAddressesInSubnet", ""),
        ],
    ),
    (
        Class::NotFound,
        "botocore secretsmanager, sagemaker, s3, kms; S3's API reference, ErrorResponses",
        &[
            ("ResourceNotFoundException", ""),
            ("ResourceNotFound", ""),
            ("NoSuchBucket", ""),
            ("NoSuchKey", ""),
            ("NoSuchUpload", ""),
            ("NoSuchVersion", ""),
            ("NotFound", ""),
            ("NoSuchTagSet", ""),
            ("NoSuchBucketPolicy", ""),
            ("NoSuchPublicAccessBlockConfiguration", ""),
            ("ServerSideEncryptionConfigurationNotFoundError", ""),
            ("NotFoundException", ""),
        ],
    ),
    (
        Class::Exists,
        "botocore secretsmanager, s3",
        &[("ResourceExistsException", ""), ("BucketAlreadyOwnedByYou", ""), ("ResourceInUseException", "")],
    ),
    (
        Class::Busy,
        "fact book, section 6.1; botocore sagemaker",
        &[("OperationAborted", ""), ("ResourceInUse", "")],
    ),
    (
        Class::Busy,
        "fact book, section 6.2: Terraform's provider repeats on these texts",
        &[
            (
                "InvalidRequestException",
                "You can't create this secret because … is already scheduled for deletion.",
            ),
            ("InvalidRequestException", "… because it was marked for deletion."),
            ("InvalidRequestException", "… a secret with this name is currently being deleted."),
        ],
    ),
    (
        Class::Quota,
        "botocore sagemaker, servicequotas; fact book, section 4.6",
        &[("ResourceLimitExceeded", ""), ("ServiceQuotaExceededException", "")],
    ),
    (
        Class::Throttled,
        "the SDK's own list, aws-runtime 1.10.2, retries/classifiers.rs; fact book, section 7.2",
        &[
            ("Throttling", "Rate exceeded"),
            ("ThrottlingException", "Rate exceeded"),
            ("ThrottledException", ""),
            ("RequestThrottledException", ""),
            ("TooManyRequestsException", ""),
            ("ProvisionedThroughputExceededException", ""),
            ("TransactionInProgressException", ""),
            ("RequestLimitExceeded", ""),
            ("BandwidthLimitExceeded", ""),
            ("RequestThrottled", ""),
            ("SlowDown", ""),
            ("PriorRequestNotComplete", ""),
            ("EC2ThrottledException", ""),
        ],
    ),
    (
        Class::Ambiguous,
        "the services' lists of common errors: the server failed, perhaps after the effect",
        &[
            ("InternalFailure", ""),
            ("InternalError", ""),
            ("InternalServerError", ""),
            ("ServiceUnavailable", ""),
            ("Unavailable", ""),
            ("RequestTimeout", ""),
            ("RequestTimeoutException", ""),
        ],
    ),
    (
        Class::Denied,
        "the services' lists of common errors; EC2's list of error codes",
        &[
            ("AccessDenied", ""),
            ("AccessDeniedException", ""),
            ("UnauthorizedOperation", ""),
            ("AuthFailure", ""),
            ("ExpiredToken", ""),
            ("ExpiredTokenException", ""),
            ("InvalidClientTokenId", ""),
            ("UnrecognizedClientException", ""),
            ("SignatureDoesNotMatch", ""),
            ("OptInRequired", ""),
        ],
    ),
    (
        Class::Exists,
        "fact book, section 4.6: SageMaker has one code for everything",
        &[
            ("ValidationException", "Cannot create already existing model \"arn:…\"."),
            ("ValidationException", "Notebook Instance already exists"),
        ],
    ),
    (
        Class::NotFound,
        "fact book, section 4.6",
        &[
            ("ValidationException", "Could not find endpoint \"x\"."),
            ("ValidationException", "RecordNotFound"),
            ("ValidationException", "Resource does not exist."),
            ("ValidationException", "Requested resource not found."),
        ],
    ),
    (
        Class::Busy,
        "fact book, section 4.6",
        &[
            ("ValidationException", "Status (Pending) not in ([Stopped])."),
            ("ValidationException", "Unable to transition to …"),
            ("ValidationException", "The lifecycle configuration is in use"),
            ("ValidationException", "Cannot update in-progress endpoint \"x\"."),
            ("ValidationException", "The endpoint is undergoing maintenance"),
        ],
    ),
    (Class::Refused, "nobody has met it", &[("NeverHeardOf", "")]),
];

/// The texts between double quotes in the table's source.
fn quoted(source: &str) -> Vec<String> {
    let code = source.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    let code: Vec<&str> = code.collect();
    code.join("\n").split('"').skip(1).step_by(2).map(str::to_ascii_lowercase).collect()
}

#[test]
fn every_entry_has_a_row() {
    let entries = quoted(include_str!("../codes.rs"));
    assert!(entries.len() > 130, "{} entries", entries.len());
    let rows: Vec<(String, String)> = KNOWN
        .iter()
        .flat_map(|(_, _, answers)| *answers)
        .map(|(code, message)| (code.to_ascii_lowercase(), message.to_ascii_lowercase()))
        .collect();
    for entry in entries {
        let is_known = rows.iter().any(|(code, message)| *code == entry || message.contains(&entry));
        // Beginning and end of what EC2 says is not there.
        let is_part = entry == "invalid" || entry == ".notfound";
        assert!(is_known || is_part, "no row says what {entry:?} is");
    }
}

#[test]
fn every_row_is_so() {
    for (class, source, answers) in KNOWN {
        for (code, message) in *answers {
            assert_eq!(classify(code, message), *class, "{code}: {message} ({source})");
        }
    }
}
