//! The objects of a CloudFormation stack, by their own services: the template does not say what they have become.

use crate::aws::{Aws, During, Failure, tag_map};
use crate::kinds::absent_ok;
use crate::kinds::handover::stack;
use auroraml_core::engine::AURORA_MYSQL;
use auroraml_core::takeover::{
    Bucket, Cluster, Findings, Group, NatGateway, Notebook, Origin, Subnet, Table, VpcEndpoint,
};
use aws_sdk_ec2::types::{Filter, IpPermission, VpcEndpointType};
use aws_sdk_rds::types::Filter as RdsFilter;
use std::collections::BTreeMap;

type Tags = BTreeMap<String, String>;

/// What the objects of this stack are now.
///
/// # Errors
/// When AWS cannot be asked.
pub async fn findings(aws: &Aws, origin: Origin) -> Result<Findings, Failure> {
    let mut found = Findings { region: aws.place.region.clone(), origin, ..Findings::default() };
    let mut tags = Vec::new();
    Box::pin(network(aws, &mut found, &mut tags)).await?;
    Box::pin(bucket(aws, &mut found)).await?;
    Box::pin(database(aws, &mut found, &mut tags)).await?;
    Box::pin(sagemaker(aws, &mut found)).await?;
    found.tags = common(&tags);
    Ok(found)
}

/// AWS's names of the stack's resources of this type.
fn objects(found: &Findings, kind: &str) -> Vec<String> {
    let parts = found.origin.resources.iter().filter(|part| part.kind == kind && !part.object.is_empty());
    parts.map(|part| part.object.clone()).collect()
}

/// Tags that all of them have: those of the whole stack.
fn common(all: &[Tags]) -> Tags {
    let Some(first) = all.first() else { return Tags::new() };
    let is_own = |key: &str| key == "Name" || key.starts_with("auroraml:") || key.starts_with("aws:");
    let everywhere = |key: &String, value: &String| all.iter().all(|tags| tags.get(key) == Some(value));
    first
        .iter()
        .filter(|(key, value)| !is_own(key) && everywhere(key, value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn ec2_tags(tags: &[aws_sdk_ec2::types::Tag]) -> Tags {
    tag_map(tags.iter().map(|tag| (tag.key(), tag.value())))
}

fn by(name: &str, values: Vec<String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values)).build()
}

/// Items of a listing by these ids; none of no ids, for EC2 would list everything.
macro_rules! listed {
    ($aws:ident, $found:ident, $kind:literal, $request:ident, $filter:ident, $by:literal, $operation:literal) => {{
        let ids = objects($found, $kind);
        match ids.is_empty() {
            true => Vec::new(),
            false => {
                let pages = $aws.ec2.$request().$filter(by($by, ids)).into_paginator().items().send();
                pages.collect::<Result<Vec<_>, _>>().await.during($operation)?
            }
        }
    }};
}

async fn network(aws: &Aws, found: &mut Findings, tags: &mut Vec<Tags>) -> Result<(), Failure> {
    let text = |value: Option<&str>| value.unwrap_or_default().to_string();
    let vpcs = listed!(aws, found, "AWS::EC2::VPC", describe_vpcs, filters, "vpc-id", "DescribeVpcs");
    for vpc in vpcs {
        tags.push(ec2_tags(vpc.tags()));
        found.vpcs.push((text(vpc.vpc_id()), text(vpc.cidr_block())));
    }
    let subnets =
        listed!(aws, found, "AWS::EC2::Subnet", describe_subnets, filters, "subnet-id", "DescribeSubnets");
    for subnet in subnets {
        tags.push(ec2_tags(subnet.tags()));
        found.subnets.push(Subnet {
            id: text(subnet.subnet_id()),
            cidr: text(subnet.cidr_block()),
            zone: text(subnet.availability_zone()),
        });
    }
    found.gateways = objects(found, "AWS::EC2::InternetGateway");
    let nats = listed!(
        aws,
        found,
        "AWS::EC2::NatGateway",
        describe_nat_gateways,
        filter,
        "nat-gateway-id",
        "DescribeNatGateways"
    );
    for nat in nats.iter().filter(|nat| nat.delete_time().is_none()) {
        let address = nat.nat_gateway_addresses().first().and_then(|address| address.allocation_id());
        found.nat_gateways.push(NatGateway {
            id: text(nat.nat_gateway_id()),
            subnet: text(nat.subnet_id()),
            address: text(address),
        });
    }
    let addresses = found.origin.resources.iter().filter(|part| part.kind == "AWS::EC2::EIP");
    found.addresses = addresses.map(|part| (part.object.clone(), part.physical.clone())).collect();
    let tables = listed!(
        aws,
        found,
        "AWS::EC2::RouteTable",
        describe_route_tables,
        filters,
        "route-table-id",
        "DescribeRouteTables"
    );
    for table in tables {
        let default = table.routes().iter().find(|route| route.destination_cidr_block() == Some("0.0.0.0/0"));
        let default = default.and_then(|route| route.gateway_id().or(route.nat_gateway_id()));
        found.tables.push(Table {
            id: text(table.route_table_id()),
            subnets: table
                .associations()
                .iter()
                .filter_map(|one| one.subnet_id())
                .map(String::from)
                .collect(),
            default: default.map(String::from),
        });
    }
    let groups = listed!(
        aws,
        found,
        "AWS::EC2::SecurityGroup",
        describe_security_groups,
        filters,
        "group-id",
        "DescribeSecurityGroups"
    );
    for group in groups {
        found.groups.push(Group {
            id: text(group.group_id()),
            ingress: group.ip_permissions().iter().flat_map(peers).collect(),
            all_egress: is_everything(group.ip_permissions_egress()),
        });
    }
    let endpoints = listed!(
        aws,
        found,
        "AWS::EC2::VPCEndpoint",
        describe_vpc_endpoints,
        filters,
        "vpc-endpoint-id",
        "DescribeVpcEndpoints"
    );
    for endpoint in endpoints {
        found.vpc_endpoints.push(VpcEndpoint {
            id: text(endpoint.vpc_endpoint_id()),
            service: text(endpoint.service_name()),
            gateway: endpoint.vpc_endpoint_type() == Some(&VpcEndpointType::Gateway),
            security_groups: endpoint.groups().iter().map(|group| text(group.group_id())).collect(),
        });
    }
    Ok(())
}

/// Who a rule lets in, and to which TCP port.
fn peers(rule: &IpPermission) -> Vec<(String, Option<i32>)> {
    let port =
        rule.from_port().filter(|from| rule.ip_protocol() == Some("tcp") && rule.to_port() == Some(*from));
    let ranges = rule.ip_ranges().iter().filter_map(|range| range.cidr_ip());
    let groups = rule.user_id_group_pairs().iter().filter_map(|pair| pair.group_id());
    ranges.chain(groups).map(|peer| (peer.to_string(), port)).collect()
}

/// Whether the rules are the one that AWS makes: everything, to anywhere.
fn is_everything(rules: &[IpPermission]) -> bool {
    matches!(rules, [rule] if rule.ip_protocol() == Some("-1")
        && matches!(rule.ip_ranges(), [range] if range.cidr_ip() == Some("0.0.0.0/0"))
        && rule.user_id_group_pairs().is_empty())
}

async fn bucket(aws: &Aws, found: &mut Findings) -> Result<(), Failure> {
    for name in objects(found, "AWS::S3::Bucket") {
        let versioning =
            aws.s3.get_bucket_versioning().bucket(&name).send().await.during("GetBucketVersioning");
        let Some(versioning) = absent_ok(versioning)? else { continue };
        let encryption =
            aws.s3.get_bucket_encryption().bucket(&name).send().await.during("GetBucketEncryption");
        let encryption =
            absent_ok(encryption)?.and_then(|answer| answer.server_side_encryption_configuration);
        let rules = encryption.iter().flat_map(|set| set.rules());
        let mut keys =
            rules.filter_map(|rule| rule.apply_server_side_encryption_by_default()?.kms_master_key_id());
        let key = keys.next().map(|key| match key.starts_with("arn:") {
            true => key.to_string(),
            false => {
                let (place, key) = (&aws.place, key.trim_start_matches("key/"));
                format!("arn:{}:kms:{}:{}:key/{key}", place.partition(), place.region, place.account)
            }
        });
        let versioning = versioning.status().is_some_and(|status| status.as_str() == "Enabled");
        found.buckets.push(Bucket { name, versioning, key });
    }
    Ok(())
}

async fn database(aws: &Aws, found: &mut Findings, tags: &mut Vec<Tags>) -> Result<(), Failure> {
    let text = |value: Option<&str>| value.unwrap_or_default().to_string();
    for id in objects(found, "AWS::RDS::DBCluster") {
        let answer = aws.rds.describe_db_clusters().db_cluster_identifier(&id).send().await;
        let Some(answer) = absent_ok(answer.during("DescribeDBClusters"))? else { continue };
        let Some(cluster) = answer.db_clusters().first() else { continue };
        tags.push(tag_map(cluster.tag_list().iter().map(|tag| (tag.key(), tag.value()))));
        let filter = RdsFilter::builder().name("db-cluster-id").values(text(cluster.db_cluster_identifier()));
        let members = aws.rds.describe_db_instances().filters(filter.build()).into_paginator().items().send();
        let members = members.collect::<Result<Vec<_>, _>>().await.during("DescribeDBInstances")?;
        let own = objects(found, "AWS::RDS::DBInstance");
        let writes = |id: &str| {
            let mut all = cluster.db_cluster_members().iter();
            all.any(|one| {
                one.db_instance_identifier() == Some(id) && one.is_cluster_writer().unwrap_or_default()
            })
        };
        let members = members.iter().filter_map(|member| {
            let id = member.db_instance_identifier()?;
            // One that others added is not the stack's.
            own.iter().any(|one| one.eq_ignore_ascii_case(id)).then(|| {
                (
                    id.to_string(),
                    text(member.db_instance_class()),
                    member.promotion_tier().unwrap_or(1),
                    writes(id),
                )
            })
        });
        let range = cluster.serverless_v2_scaling_configuration();
        found.clusters.push(Cluster {
            id: text(cluster.db_cluster_identifier()),
            engine: text(cluster.engine()),
            version: text(cluster.engine_version()),
            database: cluster.database_name().filter(|name| !name.is_empty()).map(String::from),
            username: text(cluster.master_username()),
            managed_secret: cluster.master_user_secret().is_some(),
            parameter_group: text(cluster.db_cluster_parameter_group()),
            subnet_group: text(cluster.db_subnet_group()),
            security_groups: cluster
                .vpc_security_groups()
                .iter()
                .filter_map(|group| group.vpc_security_group_id())
                .map(String::from)
                .collect(),
            port: cluster.port().unwrap_or(3306),
            backup_days: cluster.backup_retention_period().unwrap_or(1),
            protected: cluster.deletion_protection().unwrap_or_default(),
            data_api: cluster.http_endpoint_enabled().unwrap_or_default(),
            io_optimized: cluster.storage_type() == Some("aurora-iopt1"),
            encrypted: cluster.storage_encrypted().unwrap_or_default(),
            serverless: range.and_then(|range| Some((range.min_capacity()?, range.max_capacity()?))),
            roles: cluster
                .associated_roles()
                .iter()
                .filter_map(|one| one.role_arn())
                .map(String::from)
                .collect(),
            members: members.collect(),
        });
    }
    let groups = objects(found, "AWS::RDS::DBClusterParameterGroup");
    let names = if groups.is_empty() { Vec::new() } else { parameter_names(aws, found).await? };
    for group in groups {
        let set = absent_ok(parameters(aws, &group, &names).await)?.unwrap_or_default();
        found.parameter_groups.push((group, set));
    }
    Ok(())
}

/// What is set in a group. AWS lists some of it as its own defaults (fact book, trap 12), so the parameters of roles, and
/// those that the template sets, are asked for by name.
async fn parameters(aws: &Aws, group: &str, names: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pages =
        aws.rds.describe_db_cluster_parameters().db_cluster_parameter_group_name(group).source("user");
    let pages = pages.into_paginator().items().send();
    let mut all = pages.collect::<Result<Vec<_>, _>>().await.during("DescribeDBClusterParameters")?;
    // A filter takes 100 values.
    for chunk in names.chunks(100) {
        let filter = RdsFilter::builder().name("parameter-name").set_values(Some(chunk.to_vec())).build();
        let pages = aws.rds.describe_db_cluster_parameters().db_cluster_parameter_group_name(group);
        let pages = pages.filters(filter).into_paginator().items().send();
        all.extend(pages.collect::<Result<Vec<_>, _>>().await.during("DescribeDBClusterParameters")?);
    }
    let value = |one: &aws_sdk_rds::types::Parameter| {
        Some((one.parameter_name()?.to_string(), one.parameter_value()?.to_string()))
    };
    Ok(all.iter().filter_map(value).filter(|(_, value)| !value.is_empty()).collect())
}

/// Names of parameters that may be set without AWS saying so.
async fn parameter_names(aws: &Aws, found: &Findings) -> Result<Vec<String>, Failure> {
    let mut names: Vec<String> = AURORA_MYSQL.role_parameters().into_iter().map(String::from).collect();
    let template = stack::template(aws, &found.origin.arn).await?;
    let groups =
        template.resources().into_iter().filter(|one| one.kind == "AWS::RDS::DBClusterParameterGroup");
    for set in groups.filter_map(|one| one.properties["Parameters"].as_object().cloned()) {
        names.extend(set.keys().cloned());
    }
    names.sort();
    names.dedup();
    Ok(names)
}

async fn sagemaker(aws: &Aws, found: &mut Findings) -> Result<(), Failure> {
    let text = |value: Option<&str>| value.unwrap_or_default().to_string();
    for name in objects(found, "AWS::SageMaker::NotebookInstance") {
        let answer = aws.sagemaker.describe_notebook_instance().notebook_instance_name(&name).send().await;
        let Some(answer) = absent_ok(answer.during("DescribeNotebookInstance"))? else { continue };
        found.notebooks.push(Notebook {
            instance: text(answer.instance_type().map(|kind| kind.as_str())),
            volume: answer.volume_size_in_gb().unwrap_or(5),
            subnet: text(answer.subnet_id()),
            security_groups: answer.security_groups().to_vec(),
            role: text(answer.role_arn()),
            config: answer
                .notebook_instance_lifecycle_config_name()
                .filter(|one| !one.is_empty())
                .map(String::from),
            platform: text(answer.platform_identifier()),
            name,
        });
    }
    for name in objects(found, "AWS::SageMaker::Endpoint") {
        let answer = aws.sagemaker.describe_endpoint().endpoint_name(&name).send().await;
        let config = absent_ok(answer.during("DescribeEndpoint"))?;
        let config = config.and_then(|answer| answer.endpoint_config_name).unwrap_or_default();
        found.endpoints.push((name, config));
    }
    Ok(())
}
