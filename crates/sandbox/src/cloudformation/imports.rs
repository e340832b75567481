//! Taking in objects that are there: an import looks at them, and changes nothing.

use super::kinds;
use super::work::{Outcome, Query, Step, Work, text};
use crate::wire::Fault;
use serde_json::json;
use std::collections::BTreeMap;

/// Looks whether the object that the identifiers name is there.
pub(super) fn adopt(work: &mut Work<'_>, identifiers: &BTreeMap<String, String>) -> Outcome {
    let kind = work.resource.kind.clone();
    let names = kinds::find(&kind).map(|kind| kind.identified_by).unwrap_or_default();
    let get = |name: &str| identifiers.get(name).cloned().unwrap_or_default();
    let id = names.first().map(|name| get(name)).unwrap_or_default();
    let query =
        |operation: &'static str, parameter: &str| ("ec2", operation, Query::new(&[(parameter, &id)]));
    let (service, operation, request) = match kind.as_str() {
        "AWS::EC2::VPC" => query("DescribeVpcs", "VpcId.1"),
        "AWS::EC2::Subnet" => query("DescribeSubnets", "SubnetId.1"),
        "AWS::EC2::InternetGateway" => query("DescribeInternetGateways", "InternetGatewayId.1"),
        "AWS::EC2::EIP" => query("DescribeAddresses", "AllocationId.1"),
        "AWS::EC2::NatGateway" => query("DescribeNatGateways", "NatGatewayId.1"),
        "AWS::EC2::RouteTable" => query("DescribeRouteTables", "RouteTableId.1"),
        "AWS::EC2::SecurityGroup" => query("DescribeSecurityGroups", "GroupId.1"),
        "AWS::EC2::VPCEndpoint" => query("DescribeVpcEndpoints", "VpcEndpointId.1"),
        "AWS::RDS::DBCluster" => ("rds", "DescribeDBClusters", Query::new(&[("DBClusterIdentifier", &id)])),
        "AWS::RDS::DBInstance" => {
            ("rds", "DescribeDBInstances", Query::new(&[("DBInstanceIdentifier", &id)]))
        }
        "AWS::RDS::DBSubnetGroup" => {
            ("rds", "DescribeDBSubnetGroups", Query::new(&[("DBSubnetGroupName", &id)]))
        }
        "AWS::RDS::DBClusterParameterGroup" => {
            ("rds", "DescribeDBClusterParameterGroups", Query::new(&[("DBClusterParameterGroupName", &id)]))
        }
        "AWS::IAM::Role" => ("iam", "GetRole", Query::new(&[("RoleName", &id)])),
        "AWS::IAM::ManagedPolicy" => ("iam", "GetPolicy", Query::new(&[("PolicyArn", &id)])),
        _ => return adopt_other(work, &kind, &id),
    };
    let found = work.query(service, operation, request.0)?;
    work.resource.physical.clone_from(&id);
    for name in names {
        work.set(name, get(name));
    }
    match kind.as_str() {
        "AWS::EC2::EIP" => {
            let public = found.text("addressesSet/item/publicIp");
            work.set("PublicIp", public.clone());
            work.resource.physical = public;
        }
        "AWS::EC2::Subnet" => {
            for (name, path) in
                [("AvailabilityZone", "availabilityZone"), ("VpcId", "vpcId"), ("CidrBlock", "cidrBlock")]
            {
                work.set(name, found.text(&format!("subnetSet/item/{path}")));
            }
        }
        "AWS::EC2::SecurityGroup" => {
            work.set("GroupId", id);
            work.set("VpcId", found.text("securityGroupInfo/item/vpcId"));
        }
        "AWS::RDS::DBCluster" => {
            for (name, path) in [
                ("Endpoint.Address", "Endpoint"),
                ("Endpoint.Port", "Port"),
                ("ReadEndpoint.Address", "ReaderEndpoint"),
                ("DBClusterArn", "DBClusterArn"),
                ("DBClusterResourceId", "DbClusterResourceId"),
            ] {
                work.set(name, found.text(&format!("DBClusters/DBCluster/{path}")));
            }
        }
        "AWS::RDS::DBInstance" => {
            for (name, path) in [
                ("Endpoint.Address", "Endpoint/Address"),
                ("Endpoint.Port", "Endpoint/Port"),
                ("DBInstanceArn", "DBInstanceArn"),
                ("DbiResourceId", "DbiResourceId"),
            ] {
                work.set(name, found.text(&format!("DBInstances/DBInstance/{path}")));
            }
        }
        "AWS::IAM::Role" => {
            work.set("Arn", found.text("Role/Arn"));
            work.set("RoleId", found.text("Role/RoleId"));
        }
        _ => {}
    }
    Ok(Step::Done)
}

fn adopt_other(work: &mut Work<'_>, kind: &str, id: &str) -> Outcome {
    let last = id.rsplit('/').next().unwrap_or(id).to_string();
    match kind {
        "AWS::S3::Bucket" => {
            work.s3(("HEAD", id, ""), &[], String::new())?;
            work.set("Arn", format!("arn:aws:s3:::{id}"));
            work.set("DomainName", format!("{id}.s3.amazonaws.com"));
            let regional = format!("{id}.s3.{}.amazonaws.com", work.region);
            work.set("RegionalDomainName", regional);
        }
        "AWS::KMS::Key" => {
            let answer = work.json("kms", "DescribeKey", &json!({"KeyId": id}))?;
            work.set("KeyId", id);
            work.set("Arn", text(&answer["KeyMetadata"]["Arn"]).unwrap_or_default());
        }
        "AWS::SecretsManager::Secret" => {
            work.json("secretsmanager", "DescribeSecret", &json!({"SecretId": id}))?;
            work.set("Id", id);
        }
        "AWS::SageMaker::NotebookInstance" => {
            work.json("sagemaker", "DescribeNotebookInstance", &json!({"NotebookInstanceName": last}))?;
            work.set("NotebookInstanceName", last);
        }
        "AWS::SageMaker::Model" => {
            work.json("sagemaker", "DescribeModel", &json!({"ModelName": last}))?;
            work.set("ModelName", last);
        }
        "AWS::SageMaker::EndpointConfig" => {
            work.json("sagemaker", "DescribeEndpointConfig", &json!({"EndpointConfigName": last}))?;
            work.set("EndpointConfigName", last);
        }
        "AWS::Logs::LogGroup" => {
            work.set(
                "Arn",
                format!("arn:aws:logs:{}:{}:log-group:{id}:*", work.region, crate::account::ACCOUNT),
            );
        }
        other => {
            let text = format!("The sandbox does not model the import of {other}.");
            return Err(Fault::bad("ValidationError", text));
        }
    }
    work.resource.physical = id.to_string();
    Ok(Step::Done)
}
