//! What still bills after a stack is gone: asked of AWS once more, beside all that the run believes.

use super::found::tagged;
use crate::aws::{Aws, Class, During, Failure};
use crate::kinds::absent_ok;
use aws_sdk_ec2::types::{NatGatewayState, State as EndpointState, VpcEndpointType};
use aws_sdk_rds::types::DbClusterSnapshot;

/// Objects that are looked at one by one at most: of a stack that is gone there are a handful.
const LOOKED_AT_MAX: usize = 200;

/// One thing that is there and costs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// What it is and what it is called.
    pub what: String,
    /// The command that deletes it.
    pub command: String,
    /// What its price goes by, as the price table calls it, and how many GiB of it where it is a volume.
    pub kind: &'static str,
    pub gib: Option<u32>,
}

/// Everything with the stack's tags that costs, and snapshots of its cluster. The list of tags is late (what is gone may
/// still be in it), so each is asked for.
///
/// # Errors
/// When AWS cannot be asked.
pub async fn left(aws: &Aws) -> Result<Vec<Left>, Failure> {
    let (tagged, snapshots) =
        tokio::join!(Box::pin(tagged(aws, Some(&aws.place.stack))), Box::pin(snapshots(aws)));
    let mut all: Vec<Left> = snapshots?.iter().map(|found| snapshot(aws, found)).collect();
    for found in tagged?.iter().take(LOOKED_AT_MAX) {
        all.extend(Box::pin(billing(aws, &found.arn)).await?);
    }
    all.sort();
    all.dedup();
    Ok(all)
}

/// The manual snapshots of the stack's own cluster: its final ones, and others that somebody took.
async fn snapshots(aws: &Aws) -> Result<Vec<DbClusterSnapshot>, Failure> {
    if aws.scope.existing_cluster.is_some() {
        return Ok(Vec::new());
    }
    let request = aws.rds.describe_db_cluster_snapshots().db_cluster_identifier(aws.place.cluster());
    let pages = request.snapshot_type("manual").into_paginator().items().send();
    let found = pages.collect::<Result<Vec<_>, _>>().await.during("DescribeDBClusterSnapshots");
    Ok(absent_ok(found)?.unwrap_or_default())
}

fn snapshot(aws: &Aws, found: &DbClusterSnapshot) -> Left {
    let name = found.db_cluster_snapshot_identifier().unwrap_or_default();
    Left {
        what: format!("cluster snapshot {name}"),
        command: command(
            aws,
            &format!("rds delete-db-cluster-snapshot --db-cluster-snapshot-identifier {name}"),
        ),
        kind: "snapshot",
        gib: found.allocated_storage().and_then(|gib| u32::try_from(gib).ok()),
    }
}

fn command(aws: &Aws, words: &str) -> String {
    format!("aws {words} --region {}", aws.place.region)
}

/// What it is, if it is there and costs.
async fn billing(aws: &Aws, arn: &str) -> Result<Option<Left>, Failure> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, service, _, _, resource] = parts.as_slice() else { return Ok(None) };
    let (kind, name) = resource.split_once([':', '/']).unwrap_or(("", resource));
    let one = |what: &str, kind: &'static str, words: String| {
        Some(Left { what: format!("{what} {name}"), command: command(aws, &words), kind, gib: None })
    };
    Ok(match (*service, kind) {
        ("rds", "cluster") => {
            let answer = aws.rds.describe_db_clusters().db_cluster_identifier(name).send().await;
            let found = absent_ok(answer.during("DescribeDBClusters"))?;
            let words = format!("rds delete-db-cluster --db-cluster-identifier {name} --skip-final-snapshot");
            found.and_then(|_| one("cluster", "cluster", words))
        }
        ("rds", "db") => {
            let answer = aws.rds.describe_db_instances().db_instance_identifier(name).send().await;
            let found = absent_ok(answer.during("DescribeDBInstances"))?;
            let words = format!("rds delete-db-instance --db-instance-identifier {name}");
            found.and_then(|_| one("instance", "instance", words))
        }
        ("ec2", "natgateway") => {
            let answer = aws.ec2.describe_nat_gateways().nat_gateway_ids(name).send().await;
            let found = absent_ok(answer.during("DescribeNatGateways"))?;
            let gone = [Some(&NatGatewayState::Deleted), Some(&NatGatewayState::Failed)];
            let there =
                found.iter().flat_map(|found| found.nat_gateways()).any(|it| !gone.contains(&it.state()));
            let words = format!("ec2 delete-nat-gateway --nat-gateway-id {name}");
            there.then(|| one("NAT gateway", "nat_gateway", words)).flatten()
        }
        ("ec2", "elastic-ip") => {
            let answer = aws.ec2.describe_addresses().allocation_ids(name).send().await;
            let found = absent_ok(answer.during("DescribeAddresses"))?;
            let words = format!("ec2 release-address --allocation-id {name}");
            found.and_then(|_| one("public address", "elastic_ip", words))
        }
        ("ec2", "vpc-endpoint") => {
            let answer = aws.ec2.describe_vpc_endpoints().vpc_endpoint_ids(name).send().await;
            let found = absent_ok(answer.during("DescribeVpcEndpoints"))?;
            let there = found.iter().flat_map(|found| found.vpc_endpoints()).any(|it| {
                it.state() != Some(&EndpointState::Deleted)
                    && it.vpc_endpoint_type() == Some(&VpcEndpointType::Interface)
            });
            let words = format!("ec2 delete-vpc-endpoints --vpc-endpoint-ids {name}");
            there.then(|| one("interface endpoint", "vpc_endpoint", words)).flatten()
        }
        ("sagemaker", "endpoint") => {
            let answer = aws.sagemaker.describe_endpoint().endpoint_name(name).send().await;
            let found = absent_ok(answer.during("DescribeEndpoint"))?;
            let words = format!("sagemaker delete-endpoint --endpoint-name {name}");
            found.and_then(|_| one("SageMaker endpoint", "endpoint", words))
        }
        ("sagemaker", "notebook-instance") => {
            let answer = aws.sagemaker.describe_notebook_instance().notebook_instance_name(name).send().await;
            let found = absent_ok(answer.during("DescribeNotebookInstance"))?;
            let words = format!("sagemaker delete-notebook-instance --notebook-instance-name {name}");
            found.and_then(|_| one("notebook instance", "notebook", words))
        }
        ("secretsmanager", "secret") => {
            let answer = aws.secretsmanager.describe_secret().secret_id(arn).send().await;
            let found = absent_ok(answer.during("DescribeSecret"))?;
            // One that waits for the end of its recovery window costs nothing (Secrets Manager's pricing page).
            let found = found.filter(|found| found.deleted_date().is_none());
            found.and_then(|_| {
                one("secret", "secret", format!("secretsmanager delete-secret --secret-id {arn}"))
            })
        }
        ("s3", _) => match aws.s3.head_bucket().bucket(name).send().await.during("HeadBucket") {
            Ok(_) => one("bucket", "bucket", format!("s3 rb s3://{name} --force")),
            Err(failure) if failure.is(Class::NotFound) => None,
            Err(failure) => return Err(failure),
        },
        _ => None,
    })
}
