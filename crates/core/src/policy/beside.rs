//! What is asked of AWS beside kinds: one line for each thing that asks, with those who need it.
//!
//! `sts:GetCallerIdentity` is not here: it needs no permission (its page of the API reference).

use super::Purpose;
use crate::kinds::sql_database::{FIND_SECRET, READ_MANAGED_SECRET, READ_SECRET, SEND};
use crate::resource::permission::{EVERYTHING, Permission, When};

/// What asks, and who needs it.
pub struct Need {
    /// In whose name it is asked, for whoever reads the table.
    pub by: &'static str,
    pub purposes: &'static [Purpose],
    pub permissions: &'static [Permission],
}

/// Whoever makes a plan.
const PLANS: &[Purpose] =
    &[Purpose::Plan, Purpose::Apply, Purpose::Destroy, Purpose::Sweep, Purpose::Pause, Purpose::Release];

pub const NEEDS: &[Need] = &[
    Need {
        by: "facts that the model wants",
        purposes: PLANS,
        permissions: &[
            Permission::look(
                &["ec2:DescribeAvailabilityZones", "ec2:DescribeVpcEndpointServices"],
                EVERYTHING,
            ),
            Permission::look(
                &["rds:DescribeDBEngineVersions", "rds:DescribeOrderableDBInstanceOptions"],
                EVERYTHING,
            ),
            // Who else uses a parameter group.
            Permission::look(&["rds:DescribeDBClusters"], &["rds:cluster:*"]),
            // Of an existing cluster: its group, and the stack of CloudFormation that it belongs to.
            Permission::look(
                &["rds:DescribeDBClusterParameterGroups"],
                &["rds:cluster-pg:{any_of_existing}"],
            ),
            Permission::look(
                &["cloudformation:DescribeStacks"],
                &["cloudformation:stack/{any_of_existing}/*"],
            ),
        ],
    },
    Need {
        by: "preflight",
        purposes: PLANS,
        permissions: &[
            Permission::look(
                &["servicequotas:GetServiceQuota"],
                &[
                    "servicequotas:ec2/*",
                    "servicequotas:rds/*",
                    "servicequotas:sagemaker/*",
                    "servicequotas:vpc/*",
                ],
            ),
            Permission::look(
                &["rds:DescribeEngineDefaultParameters", "rds:DescribeEngineDefaultClusterParameters"],
                EVERYTHING,
            ),
            // Whether artifacts and rows are there, and for whom. Without ListBucket what is missing looks forbidden.
            Permission::look(&["s3:GetObject"], &["s3:{artifact}"]),
            Permission::look(&["s3:ListBucket", "s3:GetBucketPolicy"], &["s3:{read_bucket}"]),
            // What there is already in the account, and in the stack's VPC.
            Permission::look(
                &[
                    "ec2:DescribeAddresses",
                    "ec2:DescribeInternetGateways",
                    "ec2:DescribeNatGateways",
                    "ec2:DescribeSecurityGroups",
                    "ec2:DescribeSubnets",
                    "ec2:DescribeVpcEndpoints",
                    "ec2:DescribeVpcs",
                ],
                EVERYTHING,
            ),
            Permission::look(&["ec2:DescribeVpcAttribute"], &["ec2:vpc/*"]),
            Permission::look(&["rds:DescribeAccountAttributes"], EVERYTHING),
            Permission::look(&["rds:DescribeDBInstances"], &["rds:db:{own_member}"]),
            Permission::look(&["rds:DescribeDBClusterSnapshots"], &["rds:cluster-snapshot:{snapshot}"]),
            Permission::look(&["iam:GetAccountSummary", "iam:ListRoles"], EVERYTHING),
            Permission::look(&["iam:GetPolicy"], &["iam:policy/*", "arn:{partition}:iam::aws:policy/*"]),
            Permission::look(&["iam:GetRole"], &["iam:role/{used_role}"]),
            Permission::look(&["sagemaker:ListNotebookInstances"], EVERYTHING),
            // Whether the caller may do what the plan has. Who that is no spec says.
            Permission::look(&["iam:SimulatePrincipalPolicy"], &["iam:role/*", "iam:user/*"]),
        ],
    },
    Need {
        by: "verify",
        purposes: &[Purpose::Plan, Purpose::Apply, Purpose::Query],
        permissions: &[
            Permission::look(
                &["rds:DescribeDBClusters", "rds:DescribeDBInstances", "rds:DescribeDBClusterParameters"],
                &["rds:cluster:*", "rds:db:*", "rds:cluster-pg:*"],
            ),
            Permission::look(&["rds:DescribeDBSubnetGroups"], &["rds:subgrp:*"]),
            Permission::look(
                &[
                    "ec2:DescribeNatGateways",
                    "ec2:DescribeRouteTables",
                    "ec2:DescribeSecurityGroups",
                    "ec2:DescribeSubnets",
                    "ec2:DescribeVpcEndpoints",
                ],
                EVERYTHING,
            ),
            // The roles that the cluster uses: its own, and those that an existing one has of others.
            Permission::look(
                &["iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"],
                &[
                    "iam:role/auroraml/{stack}/{region}/*",
                    // One that is not there has no path: IAM is asked by name.
                    "iam:role/{stack}-{region}-*",
                    "iam:role/{other_role}",
                ],
            ),
            // What is attached to a role counts as well, whoever wrote it.
            Permission::look(
                &["iam:GetPolicy", "iam:GetPolicyVersion"],
                &["iam:policy/*", "arn:{partition}:iam::aws:policy/*"],
            ),
            Permission::look(&["sagemaker:DescribeEndpoint"], &["sagemaker:endpoint/*"]),
            Permission::look(
                &["secretsmanager:DescribeSecret"],
                &["secretsmanager:secret:{own_secret}", "secretsmanager:secret:{given_secret}"],
            ),
        ],
    },
    Need {
        by: "drift, beside what a plan looks at",
        purposes: &[Purpose::Plan],
        permissions: &[
            Permission::look(
                &[
                    "s3:GetBucketNotification",
                    "s3:GetBucketOwnershipControls",
                    "s3:GetEncryptionConfiguration",
                    "s3:GetLifecycleConfiguration",
                    "s3:GetReplicationConfiguration",
                ],
                &["s3:{bucket}"],
            ),
            // Who did it.
            Permission::look(&["cloudtrail:LookupEvents"], EVERYTHING),
        ],
    },
    Need {
        by: "pause, of what does not go",
        purposes: &[Purpose::Pause],
        permissions: &[
            Permission::change(&["rds:StopDBCluster"], &["rds:cluster:{own_cluster}"]).when(&[When::OwnTag]),
            Permission::change(
                &["sagemaker:StopNotebookInstance"],
                &["sagemaker:notebook-instance/{notebook}"],
            )
            .when(&[When::OwnTag]),
            Permission::change(&["ec2:DeleteRoute"], &["ec2:route-table/*"]).when(&[When::OwnTag]),
        ],
    },
    Need {
        by: "the last look of a destroy, reap and destroy --all-tagged",
        purposes: &[Purpose::Destroy, Purpose::Sweep],
        permissions: &[
            Permission::look(&["tag:GetResources"], EVERYTHING),
            Permission::look(
                &["rds:DescribeDBClusterSnapshots"],
                &["rds:cluster:{own_cluster}", "rds:cluster-snapshot:*"],
            ),
            Permission::look(&["iam:ListRoleTags"], &["iam:role/auroraml/{stack}/{region}/*"]),
        ],
    },
    Need {
        by: "destroy --sweep: what others made has names and tags that nobody knows before",
        purposes: &[Purpose::Sweep],
        permissions: &[
            Permission::look(
                &["sagemaker:ListModels", "sagemaker:ListEndpointConfigs", "sagemaker:ListEndpoints"],
                EVERYTHING,
            ),
            Permission::look(&["sagemaker:DescribeModel"], &["sagemaker:model/*"]),
            Permission::look(&["sagemaker:DescribeEndpointConfig"], &["sagemaker:endpoint-config/*"]),
            Permission::look(&["sagemaker:DescribeEndpoint"], &["sagemaker:endpoint/*"]),
            Permission::delete(&["sagemaker:DeleteModel"], &["sagemaker:model/*"]),
            Permission::delete(&["sagemaker:DeleteEndpointConfig"], &["sagemaker:endpoint-config/*"]),
            Permission::delete(&["sagemaker:DeleteEndpoint"], &["sagemaker:endpoint/*"]),
            Permission::look(&["logs:DescribeLogGroups"], EVERYTHING),
            // The end of the pattern also stands for the `:*` behind a name (CloudWatch Logs User Guide, "CloudWatch Logs
            // resources and operations").
            Permission::delete(
                &["logs:DeleteLogGroup"],
                &[
                    "logs:log-group:/aws/sagemaker/Endpoints/*",
                    "logs:log-group:/aws/rds/cluster/{own_cluster}/*",
                ],
            ),
            Permission::delete(&["ec2:DeleteVpcEndpoints"], &["ec2:vpc-endpoint/*"])
                .when(&[When::GuardDutyMade]),
            Permission::delete(&["ec2:DeleteSecurityGroup"], &["ec2:security-group/*"])
                .when(&[When::GuardDutyMade]),
        ],
    },
    Need {
        by: "lease and audit",
        purposes: &[
            Purpose::Apply,
            Purpose::Destroy,
            Purpose::Sweep,
            Purpose::Pause,
            Purpose::Query,
            Purpose::Release,
        ],
        permissions: &[
            Permission::change(&["s3:GetObject", "s3:PutObject"], &["s3:{lease}"]),
            Permission::change(&["s3:PutObject"], &["s3:{audit}"]),
        ],
    },
    Need {
        by: "whether CloudFormation still owns what the spec takes over",
        purposes: PLANS,
        permissions: &[Permission::look(
            &["cloudformation:DescribeStacks", "cloudformation:ListStackResources"],
            &["cloudformation:stack/{origin}"],
        )],
    },
    Need {
        by: "tags on what the spec takes over, which has none of the stack's yet",
        purposes: &[Purpose::Apply, Purpose::Release],
        permissions: &[
            Permission::change(&["ec2:CreateTags"], &["ec2:{taken_ec2}"]).when(&[When::RequestTag]),
            Permission::change(&["rds:AddTagsToResource"], &["rds:{taken_rds}"])
                .when(&[When::RequestTag, When::NoTag]),
            Permission::change(&["sagemaker:AddTags"], &["sagemaker:{taken_sagemaker}"])
                .when(&[When::RequestTag]),
            Permission::change(&["secretsmanager:TagResource"], &["secretsmanager:secret:{taken_secret}"]),
            Permission::change(&["s3:PutBucketTagging"], &["s3:{taken_bucket}"]),
        ],
    },
    Need {
        by: "adopt --release",
        purposes: &[Purpose::Release],
        permissions: &[
            Permission::look(
                &[
                    "cloudformation:DescribeStackEvents",
                    "cloudformation:GetStackPolicy",
                    "cloudformation:GetTemplate",
                ],
                &["cloudformation:stack/{origin}"],
            ),
            Permission::look(&["cloudformation:ListImports"], EVERYTHING),
            Permission::change(&["cloudformation:UpdateStack"], &["cloudformation:stack/{origin}"]),
            // A template that is too large for a request goes through the bucket, where CloudFormation reads it for us.
            Permission::change(
                &["s3:PutObject", "s3:GetObject", "s3:DeleteObject"],
                &["s3:{taken_bucket}/auroraml/*"],
            ),
            Permission::change(
                &["kms:Decrypt", "kms:GenerateDataKey"],
                &["arn:{partition}:kms:{region}:{key_account}:{key}"],
            ),
            Permission::delete(&["cloudformation:DeleteStack"], &["cloudformation:stack/{origin}"]),
        ],
    },
    Need {
        by: "verify --deep, verify --query, data",
        purposes: &[Purpose::Query],
        permissions: &[
            FIND_SECRET,
            SEND,
            READ_SECRET,
            READ_MANAGED_SECRET,
            Permission::look(&["kms:Decrypt"], &["arn:{partition}:kms:{region}:{key_account}:{key}"]),
            // What was moved is counted on both sides.
            Permission::look(&["s3:ListBucket"], &["s3:{data_bucket}"]),
            Permission::look(&["s3:GetObject"], &["s3:{data_bucket}/*"]),
        ],
    },
];
