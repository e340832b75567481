//! What requests to RDS come to.

use super::{Demand, arn, request_tags};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::iam::Iam;
use crate::rds::Rds;

const RDS: &str = "rds.amazonaws.com";

/// Service Authorization Reference, "Actions defined by Amazon RDS": required resource types and dependent actions.
/// `None` for what is not here.
pub(super) fn demands(call: &Call, rds: &Rds, iam: &Iam) -> Option<Vec<Demand>> {
    let params = &call.params;
    let action = format!("rds:{}", call.operation);
    let get = |name: &str| params.get(name).unwrap_or_default().to_ascii_lowercase();
    let new = |kind: &str, name: &str| {
        let resource = arn(call, "rds", &format!("{kind}:{}", get(name)));
        let mut demands = vec![Demand::new(&action, &resource)];
        // RDS User Guide, "Grant permission to tag Amazon RDS resources during creation".
        if !request_tags(call).is_empty() {
            demands.push(Demand::new("rds:AddTagsToResource", resource));
        }
        demands
    };
    let is = |kind: &str, name: &str| {
        let tags = rds.tags_of(kind, name);
        Demand::new(&action, arn(call, "rds", &format!("{kind}:{name}"))).tagged(tags)
    };
    // The groups that are meant when none is named: RDS User Guide, "Identity-based policy examples", has them in
    // the policy for CreateDBInstance.
    let options = || Demand::new(&action, arn(call, "rds", "og:default:aurora-mysql-8-0"));
    let given = |name: &str, default: &str| if get(name).is_empty() { default.into() } else { get(name) };
    let mut demands = Vec::new();
    match call.operation.as_str() {
        "CreateDBCluster" => {
            demands.extend(new("cluster", "DBClusterIdentifier"));
            let group = given("DBClusterParameterGroupName", "default.aurora-mysql8.0");
            demands.extend([is("cluster-pg", &group), options()]);
            demands.push(is("subgrp", &given("DBSubnetGroupName", "default")));
            // RDS User Guide, "Using service-linked roles": RDS makes its role with the first cluster, in the caller's name.
            if !iam.is_linked(RDS) {
                let role = format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/{RDS}/AWSServiceRoleForRDS");
                demands
                    .push(Demand::new("iam:CreateServiceLinkedRole", role).with("iam:awsservicename", RDS));
            }
        }
        "ModifyDBCluster" => {
            demands.push(is("cluster", &get("DBClusterIdentifier")));
            if params.get("DBClusterParameterGroupName").is_some() {
                demands.push(is("cluster-pg", &get("DBClusterParameterGroupName")));
            }
        }
        "DeleteDBCluster" => {
            demands.push(is("cluster", &get("DBClusterIdentifier")));
            if params.get("FinalDBSnapshotIdentifier").is_some() {
                let snapshot =
                    arn(call, "rds", &format!("cluster-snapshot:{}", get("FinalDBSnapshotIdentifier")));
                let cluster = is("cluster", &get("DBClusterIdentifier"));
                demands.push(Demand { action: "rds:CreateDBClusterSnapshot".into(), ..cluster });
                demands.push(Demand::new("rds:CreateDBClusterSnapshot", &snapshot));
                demands.push(Demand::new(&action, snapshot));
            }
        }
        "StartDBCluster" | "StopDBCluster" | "FailoverDBCluster" => {
            demands.push(is("cluster", &get("DBClusterIdentifier")));
        }
        "AddRoleToDBCluster" | "RemoveRoleFromDBCluster" => {
            demands.push(is("cluster", &get("DBClusterIdentifier")));
            demands.push(Demand::pass_role(params.get("RoleArn").unwrap_or_default(), RDS));
        }
        "EnableHttpEndpoint" | "DisableHttpEndpoint" => {
            demands.push(is("cluster", name_in(&get("ResourceArn"))));
        }
        "CreateDBInstance" => {
            demands.extend(new("db", "DBInstanceIdentifier"));
            if params.get("DBClusterIdentifier").is_some() {
                demands.push(is("cluster", &get("DBClusterIdentifier")));
            }
            let group = given("DBParameterGroupName", "default.aurora-mysql8.0");
            demands.extend([is("pg", &group), options()]);
        }
        "ModifyDBInstance" | "RebootDBInstance" | "DeleteDBInstance" => {
            demands.push(is("db", &get("DBInstanceIdentifier")));
        }
        "CreateDBClusterParameterGroup" => demands.extend(new("cluster-pg", "DBClusterParameterGroupName")),
        "CopyDBClusterParameterGroup" => {
            demands.extend(new("cluster-pg", "TargetDBClusterParameterGroupIdentifier"));
            let source = get("SourceDBClusterParameterGroupIdentifier");
            demands.push(is("cluster-pg", name_in(&source)));
        }
        "ModifyDBClusterParameterGroup"
        | "ResetDBClusterParameterGroup"
        | "DeleteDBClusterParameterGroup" => {
            demands.push(is("cluster-pg", &get("DBClusterParameterGroupName")));
        }
        "CreateDBSubnetGroup" => demands.extend(new("subgrp", "DBSubnetGroupName")),
        "ModifyDBSubnetGroup" | "DeleteDBSubnetGroup" => {
            demands.push(is("subgrp", &get("DBSubnetGroupName")))
        }
        "AddTagsToResource" | "RemoveTagsFromResource" => {
            let resource = get("ResourceName");
            let kind = resource.split(':').nth(5).unwrap_or_default();
            demands.push(is(kind, name_in(&resource)));
        }
        _ => return None,
    }
    // RDS User Guide, "Password management with Amazon RDS and AWS Secrets Manager", permissions required.
    if params.flag("ManageMasterUserPassword") == Some(true) {
        let secret = arn(call, "secretsmanager", "secret:rds!cluster-00000000-000000");
        demands.push(Demand::new("secretsmanager:CreateSecret", &secret));
        demands.push(Demand::new("secretsmanager:TagResource", secret));
        demands.push(Demand::new("kms:DescribeKey", format!("arn:aws:kms:{}:{ACCOUNT}:key/0", call.region)));
    }
    Some(demands)
}

/// What looks: the same reference. Where nothing is named, all of the type are meant.
pub(super) fn looks(call: &Call) -> Option<Vec<Demand>> {
    let (kind, name) = match call.operation.as_str() {
        "DescribeDBClusters" => ("cluster", "DBClusterIdentifier"),
        "DescribeDBInstances" => ("db", "DBInstanceIdentifier"),
        "DescribeDBClusterParameters" | "DescribeDBClusterParameterGroups" => {
            ("cluster-pg", "DBClusterParameterGroupName")
        }
        "DescribeDBSubnetGroups" => ("subgrp", "DBSubnetGroupName"),
        "DescribeDBClusterSnapshots" => ("cluster-snapshot", "DBClusterSnapshotIdentifier"),
        "ListTagsForResource" => {
            let resource = call.params.get("ResourceName")?;
            return Some(vec![Demand::new("rds:ListTagsForResource", resource)]);
        }
        _ => return None,
    };
    let name = call.params.get(name).map_or_else(|| "*".into(), str::to_ascii_lowercase);
    let resource = arn(call, "rds", &format!("{kind}:{name}"));
    Some(vec![Demand::new(format!("rds:{}", call.operation), resource)])
}

/// The name at the end of an ARN, or the name itself.
fn name_in(arn: &str) -> &str {
    arn.splitn(7, ':').nth(6).unwrap_or(arn)
}
