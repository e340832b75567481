//! The resource types that the sandbox's CloudFormation can carry: their properties and what an update of each needs,
//! and their attributes. From "Update requires" and "Return values" of each type's page in the CloudFormation User Guide.
//! A property that is in neither list is refused: what is accepted is carried out.

/// One resource type.
#[derive(Debug)]
pub(super) struct Kind {
    pub name: &'static str,
    /// Properties without which nothing is made.
    pub required: &'static [&'static str],
    /// "Update requires: Replacement".
    pub replace: &'static [&'static str],
    /// "Update requires: No interruption" or "Some interruptions".
    pub update: &'static [&'static str],
    /// What GetAtt gives.
    pub attributes: &'static [&'static str],
    /// The property with which a template gives the object a name of its own.
    pub named_by: Option<&'static str>,
    /// The identifiers by which an import finds the object.
    pub identified_by: &'static [&'static str],
}

impl Kind {
    pub(super) fn has(&self, property: &str) -> bool {
        self.replace.contains(&property) || self.update.contains(&property)
    }

    /// "DeletionPolicy attribute": which types take snapshots, of those that are here.
    pub(super) fn has_snapshots(&self) -> bool {
        matches!(self.name, "AWS::RDS::DBCluster" | "AWS::RDS::DBInstance")
    }

    pub(super) fn is_tagged(&self) -> bool {
        self.update.contains(&"Tags")
    }
}

pub(super) fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

const KINDS: &[Kind] = &[
    Kind {
        name: "AWS::CloudFormation::WaitConditionHandle",
        required: &[],
        replace: &[],
        update: &[],
        attributes: &[],
        named_by: None,
        identified_by: &[],
    },
    Kind {
        name: "AWS::EC2::VPC",
        required: &["CidrBlock"],
        replace: &["CidrBlock"],
        update: &["EnableDnsHostnames", "EnableDnsSupport", "InstanceTenancy", "Tags"],
        attributes: &["CidrBlock", "DefaultNetworkAcl", "DefaultSecurityGroup", "VpcId"],
        named_by: None,
        identified_by: &["VpcId"],
    },
    Kind {
        name: "AWS::EC2::Subnet",
        required: &["VpcId"],
        replace: &["AvailabilityZone", "CidrBlock", "VpcId"],
        update: &["MapPublicIpOnLaunch", "Tags"],
        attributes: &["AvailabilityZone", "CidrBlock", "SubnetId", "VpcId"],
        named_by: None,
        identified_by: &["SubnetId"],
    },
    Kind {
        name: "AWS::EC2::InternetGateway",
        required: &[],
        replace: &[],
        update: &["Tags"],
        attributes: &["InternetGatewayId"],
        named_by: None,
        identified_by: &["InternetGatewayId"],
    },
    Kind {
        name: "AWS::EC2::VPCGatewayAttachment",
        required: &["InternetGatewayId", "VpcId"],
        replace: &["VpcId"],
        update: &["InternetGatewayId"],
        attributes: &["AttachmentType"],
        named_by: None,
        identified_by: &["AttachmentType", "VpcId"],
    },
    Kind {
        name: "AWS::EC2::EIP",
        required: &[],
        replace: &[],
        update: &["Domain", "Tags"],
        attributes: &["AllocationId", "PublicIp"],
        named_by: None,
        identified_by: &["AllocationId", "PublicIp"],
    },
    Kind {
        name: "AWS::EC2::NatGateway",
        required: &["SubnetId"],
        replace: &["AllocationId", "ConnectivityType", "SubnetId"],
        update: &["Tags"],
        attributes: &["NatGatewayId"],
        named_by: None,
        identified_by: &["NatGatewayId"],
    },
    Kind {
        name: "AWS::EC2::RouteTable",
        required: &["VpcId"],
        replace: &["VpcId"],
        update: &["Tags"],
        attributes: &["RouteTableId"],
        named_by: None,
        identified_by: &["RouteTableId"],
    },
    Kind {
        name: "AWS::EC2::Route",
        required: &["RouteTableId"],
        replace: &["DestinationCidrBlock", "RouteTableId"],
        update: &["GatewayId", "NatGatewayId"],
        attributes: &["CidrBlock"],
        named_by: None,
        identified_by: &["CidrBlock", "RouteTableId"],
    },
    Kind {
        name: "AWS::EC2::SubnetRouteTableAssociation",
        required: &["RouteTableId", "SubnetId"],
        replace: &["RouteTableId", "SubnetId"],
        update: &[],
        attributes: &["Id"],
        named_by: None,
        identified_by: &["Id"],
    },
    Kind {
        name: "AWS::EC2::SecurityGroup",
        required: &["GroupDescription"],
        replace: &["GroupDescription", "GroupName", "VpcId"],
        update: &["SecurityGroupEgress", "SecurityGroupIngress", "Tags"],
        attributes: &["GroupId", "Id", "VpcId"],
        named_by: Some("GroupName"),
        identified_by: &["Id"],
    },
    Kind {
        name: "AWS::EC2::SecurityGroupIngress",
        required: &["IpProtocol"],
        replace: &[
            "CidrIp",
            "FromPort",
            "GroupId",
            "IpProtocol",
            "SourcePrefixListId",
            "SourceSecurityGroupId",
            "ToPort",
        ],
        update: &["Description"],
        attributes: &["Id"],
        named_by: None,
        identified_by: &["Id"],
    },
    Kind {
        name: "AWS::EC2::SecurityGroupEgress",
        required: &["GroupId", "IpProtocol"],
        replace: &[
            "CidrIp",
            "DestinationPrefixListId",
            "DestinationSecurityGroupId",
            "FromPort",
            "GroupId",
            "IpProtocol",
            "ToPort",
        ],
        update: &["Description"],
        attributes: &["Id"],
        named_by: None,
        identified_by: &["Id"],
    },
    Kind {
        name: "AWS::EC2::VPCEndpoint",
        required: &["ServiceName", "VpcId"],
        replace: &["ServiceName", "VpcEndpointType", "VpcId"],
        update: &[
            "PolicyDocument",
            "PrivateDnsEnabled",
            "RouteTableIds",
            "SecurityGroupIds",
            "SubnetIds",
            "Tags",
        ],
        attributes: &["Id"],
        named_by: None,
        identified_by: &["Id"],
    },
    Kind {
        name: "AWS::S3::Bucket",
        required: &[],
        replace: &["BucketName"],
        update: &[
            "AccessControl",
            "BucketEncryption",
            "OwnershipControls",
            "PublicAccessBlockConfiguration",
            "Tags",
            "VersioningConfiguration",
        ],
        attributes: &["Arn", "DomainName", "RegionalDomainName"],
        named_by: Some("BucketName"),
        identified_by: &["BucketName"],
    },
    Kind {
        name: "AWS::S3::BucketPolicy",
        required: &["Bucket", "PolicyDocument"],
        replace: &["Bucket"],
        update: &["PolicyDocument"],
        attributes: &[],
        named_by: None,
        identified_by: &["Bucket"],
    },
    Kind {
        name: "AWS::KMS::Key",
        required: &[],
        replace: &["KeySpec", "KeyUsage", "MultiRegion"],
        update: &["Description", "EnableKeyRotation", "Enabled", "KeyPolicy", "PendingWindowInDays", "Tags"],
        attributes: &["Arn", "KeyId"],
        named_by: None,
        identified_by: &["KeyId"],
    },
    Kind {
        name: "AWS::KMS::Alias",
        required: &["AliasName", "TargetKeyId"],
        replace: &["AliasName"],
        update: &["TargetKeyId"],
        attributes: &[],
        named_by: Some("AliasName"),
        identified_by: &["AliasName"],
    },
    Kind {
        name: "AWS::SecretsManager::Secret",
        required: &[],
        replace: &["Name"],
        update: &["Description", "GenerateSecretString", "KmsKeyId", "SecretString", "Tags"],
        attributes: &["Id"],
        named_by: Some("Name"),
        identified_by: &["Id"],
    },
    Kind {
        name: "AWS::SecretsManager::SecretTargetAttachment",
        required: &["SecretId", "TargetId", "TargetType"],
        replace: &[],
        update: &["SecretId", "TargetId", "TargetType"],
        attributes: &["Id"],
        named_by: None,
        identified_by: &["Id"],
    },
    Kind {
        name: "AWS::IAM::Role",
        required: &["AssumeRolePolicyDocument"],
        replace: &["Path", "RoleName"],
        update: &[
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "PermissionsBoundary",
            "Policies",
            "Tags",
        ],
        attributes: &["Arn", "RoleId"],
        named_by: Some("RoleName"),
        identified_by: &["RoleName"],
    },
    Kind {
        name: "AWS::IAM::ManagedPolicy",
        required: &["PolicyDocument"],
        replace: &["Description", "ManagedPolicyName", "Path"],
        update: &["PolicyDocument", "Roles"],
        attributes: &["PolicyArn"],
        named_by: Some("ManagedPolicyName"),
        identified_by: &["PolicyArn"],
    },
    Kind {
        name: "AWS::RDS::DBSubnetGroup",
        required: &["DBSubnetGroupDescription", "SubnetIds"],
        replace: &["DBSubnetGroupName"],
        update: &["DBSubnetGroupDescription", "SubnetIds", "Tags"],
        attributes: &[],
        named_by: Some("DBSubnetGroupName"),
        identified_by: &["DBSubnetGroupName"],
    },
    Kind {
        name: "AWS::RDS::DBClusterParameterGroup",
        required: &["Description", "Family", "Parameters"],
        replace: &["DBClusterParameterGroupName", "Description", "Family"],
        update: &["Parameters", "Tags"],
        attributes: &[],
        named_by: Some("DBClusterParameterGroupName"),
        identified_by: &["DBClusterParameterGroupName"],
    },
    Kind {
        name: "AWS::RDS::DBParameterGroup",
        required: &["Description", "Family"],
        replace: &["DBParameterGroupName", "Description", "Family"],
        update: &["Parameters", "Tags"],
        attributes: &["DBParameterGroupName"],
        named_by: Some("DBParameterGroupName"),
        identified_by: &["DBParameterGroupName"],
    },
    Kind {
        name: "AWS::RDS::DBCluster",
        required: &["Engine"],
        replace: &[
            "DBClusterIdentifier",
            "DBSubnetGroupName",
            "DatabaseName",
            "EngineMode",
            "KmsKeyId",
            "MasterUsername",
            "StorageEncrypted",
        ],
        update: &[
            "AssociatedRoles",
            "AutoMinorVersionUpgrade",
            "BackupRetentionPeriod",
            "CopyTagsToSnapshot",
            "DBClusterParameterGroupName",
            "DatabaseInsightsMode",
            "DeletionProtection",
            "EnableCloudwatchLogsExports",
            "EnableHttpEndpoint",
            "EnableIAMDatabaseAuthentication",
            "EnableLocalWriteForwarding",
            "Engine",
            "EngineLifecycleSupport",
            "EngineVersion",
            "ManageMasterUserPassword",
            "MasterUserPassword",
            "MasterUserSecret",
            "MonitoringInterval",
            "MonitoringRoleArn",
            "PerformanceInsightsEnabled",
            "PerformanceInsightsKmsKeyId",
            "PerformanceInsightsRetentionPeriod",
            "Port",
            "PreferredBackupWindow",
            "PreferredMaintenanceWindow",
            "ServerlessV2ScalingConfiguration",
            "StorageType",
            "Tags",
            "VpcSecurityGroupIds",
        ],
        attributes: &[
            "DBClusterArn",
            "DBClusterResourceId",
            "Endpoint.Address",
            "Endpoint.Port",
            "MasterUserSecret.SecretArn",
            "ReadEndpoint.Address",
        ],
        named_by: Some("DBClusterIdentifier"),
        identified_by: &["DBClusterIdentifier"],
    },
    Kind {
        name: "AWS::RDS::DBInstance",
        required: &[],
        replace: &["AvailabilityZone", "DBClusterIdentifier", "DBInstanceIdentifier", "DBSubnetGroupName"],
        update: &[
            "AutoMinorVersionUpgrade",
            "CACertificateIdentifier",
            "CopyTagsToSnapshot",
            "DBInstanceClass",
            "DBParameterGroupName",
            "EnablePerformanceInsights",
            "Engine",
            "EngineVersion",
            "MonitoringInterval",
            "MonitoringRoleArn",
            "PerformanceInsightsKMSKeyId",
            "PerformanceInsightsRetentionPeriod",
            "PreferredMaintenanceWindow",
            "PromotionTier",
            "PubliclyAccessible",
            "Tags",
        ],
        attributes: &["DBInstanceArn", "DbiResourceId", "Endpoint.Address", "Endpoint.Port"],
        named_by: Some("DBInstanceIdentifier"),
        identified_by: &["DBInstanceIdentifier"],
    },
    Kind {
        name: "AWS::SageMaker::NotebookInstance",
        required: &["InstanceType", "RoleArn"],
        replace: &[
            "DirectInternetAccess",
            "KmsKeyId",
            "NotebookInstanceName",
            "SecurityGroupIds",
            "SubnetId",
        ],
        update: &[
            "AdditionalCodeRepositories",
            "DefaultCodeRepository",
            "InstanceMetadataServiceConfiguration",
            "InstanceType",
            "LifecycleConfigName",
            "PlatformIdentifier",
            "RoleArn",
            "RootAccess",
            "Tags",
            "VolumeSizeInGB",
        ],
        attributes: &["NotebookInstanceName"],
        named_by: Some("NotebookInstanceName"),
        identified_by: &["Id"],
    },
    Kind {
        name: "AWS::SageMaker::NotebookInstanceLifecycleConfig",
        required: &[],
        replace: &["NotebookInstanceLifecycleConfigName"],
        update: &["OnCreate", "OnStart", "Tags"],
        attributes: &["NotebookInstanceLifecycleConfigName"],
        named_by: Some("NotebookInstanceLifecycleConfigName"),
        identified_by: &["Id"],
    },
    Kind {
        name: "AWS::SageMaker::Model",
        required: &[],
        replace: &[
            "Containers",
            "EnableNetworkIsolation",
            "ExecutionRoleArn",
            "InferenceExecutionConfig",
            "ModelName",
            "PrimaryContainer",
            "VpcConfig",
        ],
        update: &["Tags"],
        attributes: &["ModelName"],
        named_by: Some("ModelName"),
        identified_by: &["Id"],
    },
    Kind {
        name: "AWS::SageMaker::EndpointConfig",
        required: &["ProductionVariants"],
        replace: &["DataCaptureConfig", "EndpointConfigName", "KmsKeyId", "ProductionVariants"],
        update: &["Tags"],
        attributes: &["EndpointConfigName"],
        named_by: Some("EndpointConfigName"),
        identified_by: &["Id"],
    },
    Kind {
        name: "AWS::SageMaker::Endpoint",
        required: &["EndpointConfigName"],
        replace: &["EndpointName"],
        update: &[
            "DeploymentConfig",
            "EndpointConfigName",
            "ExcludeRetainedVariantProperties",
            "RetainAllVariantProperties",
            "RetainDeploymentConfig",
            "Tags",
        ],
        attributes: &["EndpointName"],
        named_by: Some("EndpointName"),
        identified_by: &["EndpointName"],
    },
    Kind {
        name: "AWS::Logs::LogGroup",
        required: &[],
        replace: &["LogGroupName"],
        update: &["RetentionInDays"],
        attributes: &["Arn"],
        named_by: Some("LogGroupName"),
        identified_by: &["LogGroupName"],
    },
];

#[cfg(test)]
mod tests {
    use super::KINDS;

    #[test]
    fn every_type_is_there_once_and_needs_what_it_has() {
        for (at, kind) in KINDS.iter().enumerate() {
            assert!(KINDS[..at].iter().all(|other| other.name != kind.name), "{} twice", kind.name);
            for property in kind.required.iter().chain(&kind.named_by) {
                assert!(kind.has(property), "{} {property}", kind.name);
            }
            assert!(kind.replace.iter().all(|name| !kind.update.contains(name)), "{}", kind.name);
        }
    }
}
