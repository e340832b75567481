//! VPC endpoints, what AWS offers for them, and GuardDuty's own.

use super::*;
use aws_sdk_ec2::types::{AttributeBooleanValue, VpcEndpoint, VpcEndpointType};

const S3: &str = "com.amazonaws.us-east-1.s3";
const SECRETS: &str = "com.amazonaws.us-east-1.secretsmanager";

impl Aws {
    async fn endpoint_state(&self, id: &str) -> VpcEndpoint {
        let found = self.describe_vpc_endpoints().vpc_endpoint_ids(id).send().await.unwrap();
        found.vpc_endpoints.unwrap().remove(0)
    }

    async fn with_dns(&self) -> String {
        let vpc = self.vpc("10.0.0.0/16").await;
        let yes = AttributeBooleanValue::builder().value(true).build();
        self.modify_vpc_attribute().vpc_id(&vpc).enable_dns_hostnames(yes).send().await.unwrap();
        vpc
    }

    fn interface_endpoint(
        &self,
        vpc: &str,
        service: &str,
    ) -> aws_sdk_ec2::operation::create_vpc_endpoint::builders::CreateVpcEndpointFluentBuilder {
        let create = self.create_vpc_endpoint().vpc_id(vpc).service_name(service);
        create.vpc_endpoint_type(VpcEndpointType::Interface)
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_endpoint_is_a_route_in_its_tables() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let (one, other) = (aws.table(&vpc).await, aws.table(&vpc).await);
    let create = || aws.create_vpc_endpoint().vpc_id(&vpc).service_name(S3).route_table_ids(&one).send();
    let made = create().await.unwrap().vpc_endpoint.unwrap();
    let id = made.vpc_endpoint_id().unwrap();
    assert_eq!(made.vpc_endpoint_type(), Some(&VpcEndpointType::Gateway));
    assert_eq!(made.state().unwrap().as_str(), "available", "in lower case, whatever the enum says");

    let lists = aws.describe_prefix_lists().filters(filter("prefix-list-name", S3)).send().await.unwrap();
    let list = lists.prefix_lists()[0].prefix_list_id().unwrap();
    let route = |table: &RouteTable| {
        table.routes().iter().find(|route| route.destination_prefix_list_id() == Some(list)).cloned()
    };
    assert_eq!(route(&aws.table_state(&one).await).unwrap().gateway_id(), Some(id));
    assert_eq!(code(create().await), "RouteAlreadyExists");
    let delete = aws.delete_route().route_table_id(&one).destination_prefix_list_id(list).send().await;
    assert_eq!(code(delete).as_str(), "InvalidParameterValue", "it is the endpoint's");

    aws.wait(2).await;
    let modify = aws.modify_vpc_endpoint().vpc_endpoint_id(id);
    modify.add_route_table_ids(&other).remove_route_table_ids(&one).send().await.unwrap();
    assert_eq!(route(&aws.table_state(&one).await), None);
    assert!(route(&aws.table_state(&other).await).is_some());
    assert_eq!(aws.endpoint_state(id).await.route_table_ids(), std::slice::from_ref(&other));

    aws.delete_vpc_endpoints().vpc_endpoint_ids(id).send().await.unwrap();
    aws.wait(5).await;
    assert_eq!(route(&aws.table_state(&other).await), None);
    let gone = aws.describe_vpc_endpoints().vpc_endpoint_ids(id).send().await;
    assert_eq!(code(gone), "InvalidVpcEndpointId.NotFound");
    let again = aws.delete_vpc_endpoints().vpc_endpoint_ids(id).send().await.unwrap();
    let error = again.unsuccessful()[0].error().unwrap();
    assert_eq!(error.code(), Some("InvalidVpcEndpoint.NotFound"));
}

#[tokio::test(start_paused = true)]
async fn an_interface_endpoint_blocks_its_subnets_until_it_is_gone() {
    let aws = calm();
    let vpc = aws.with_dns().await;
    let a = aws.subnet(&vpc, "10.0.1.0/24", "us-east-1a").await;
    let b = aws.subnet(&vpc, "10.0.2.0/24", "us-east-1b").await;
    let group = aws.group(&vpc, "endpoint").await;
    let create = aws.interface_endpoint(&vpc, SECRETS).subnet_ids(&a).subnet_ids(&b);
    let made = create.security_group_ids(&group).send().await.unwrap().vpc_endpoint.unwrap();
    let id = made.vpc_endpoint_id().unwrap();
    assert_eq!(made.state().unwrap().as_str(), "pending");
    assert_eq!(made.private_dns_enabled(), Some(true));
    assert_eq!(made.network_interface_ids().len(), 2);
    aws.wait(100).await;
    assert_eq!(aws.endpoint_state(id).await.state().unwrap().as_str(), "available");
    let found = aws.describe_network_interfaces().filters(filter("group-id", &group)).send().await.unwrap();
    assert_eq!(found.network_interfaces().len(), 2);
    assert!(found.network_interfaces().iter().all(|interface| {
        interface.description() == Some(&format!("VPC Endpoint Interface {id}"))
            && interface.interface_type().unwrap().as_str() == "vpc_endpoint"
            && interface.requester_managed() == Some(true)
    }));

    aws.delete_vpc_endpoints().vpc_endpoint_ids(id).send().await.unwrap();
    aws.wait(100).await;
    assert_eq!(aws.endpoint_state(id).await.state().unwrap().as_str(), "deleting");
    assert_eq!(code(aws.delete_subnet().subnet_id(&a).send().await), "DependencyViolation");
    assert_eq!(code(aws.delete_security_group().group_id(&group).send().await), "DependencyViolation");
    assert_eq!(code(aws.delete_vpc().vpc_id(&vpc).send().await), "DependencyViolation");
    aws.wait(60).await;
    let gone = aws.describe_vpc_endpoints().vpc_endpoint_ids(id).send().await;
    assert_eq!(code(gone), "InvalidVpcEndpointId.NotFound");
    aws.delete_subnet().subnet_id(&a).send().await.unwrap();
    aws.delete_subnet().subnet_id(&b).send().await.unwrap();
    aws.delete_security_group().group_id(&group).send().await.unwrap();
    aws.delete_vpc().vpc_id(&vpc).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_must_fit_its_service_and_its_network() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let a = aws.subnet(&vpc, "10.0.1.0/24", "us-east-1a").await;
    let b = aws.subnet(&vpc, "10.0.2.0/24", "us-east-1a").await;
    let gateway = |service: &str| aws.create_vpc_endpoint().vpc_id(&vpc).service_name(service).send();
    assert_eq!(code(gateway("com.amazonaws.us-east-1.nothing").await), "InvalidServiceName");
    assert_eq!(code(gateway(SECRETS).await), "InvalidParameter", "it has no gateway");
    let without_dns = aws.interface_endpoint(&vpc, SECRETS).subnet_ids(&a).send().await;
    assert_eq!(code(without_dns), "InvalidParameter", "private DNS needs DNS host names");
    let two = aws.interface_endpoint(&vpc, SECRETS).private_dns_enabled(false).subnet_ids(&a).subnet_ids(&b);
    assert_eq!(code(two.send().await), "DuplicateSubnetsInSameZone");
    // Not every zone has every service.
    let c = aws.subnet(&vpc, "10.0.3.0/24", "us-east-1b").await;
    let elsewhere = |service: &str| {
        aws.interface_endpoint(&vpc, service).private_dns_enabled(false).subnet_ids(&c).send()
    };
    assert_eq!(code(elsewhere("com.amazonaws.us-east-1.sagemaker.runtime").await), "InvalidParameter");
    elsewhere(SECRETS).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_private_name_is_taken_even_by_an_endpoint_that_is_being_deleted() {
    let aws = calm();
    let vpc = aws.with_dns().await;
    let create = || aws.interface_endpoint(&vpc, SECRETS).send();
    let made = create().await.unwrap();
    assert_eq!(code(create().await), "InvalidParameter");
    aws.wait(100).await;
    let id = made.vpc_endpoint().unwrap().vpc_endpoint_id().unwrap();
    let group = aws.default_group(&vpc).await;
    assert_eq!(aws.endpoint_state(id).await.groups()[0].group_id(), Some(group.as_str()));
    aws.delete_vpc_endpoints().vpc_endpoint_ids(id).send().await.unwrap();
    assert_eq!(code(create().await), "InvalidParameter");
    aws.wait(160).await;
    create().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_interface_endpoint_changes_subnets_groups_and_policy() {
    let aws = calm();
    let vpc = aws.with_dns().await;
    let a = aws.subnet(&vpc, "10.0.1.0/24", "us-east-1a").await;
    let b = aws.subnet(&vpc, "10.0.2.0/24", "us-east-1b").await;
    let (one, other) = (aws.group(&vpc, "one").await, aws.group(&vpc, "other").await);
    let made = aws.interface_endpoint(&vpc, SECRETS).subnet_ids(&a).security_group_ids(&one).send();
    let id = made.await.unwrap().vpc_endpoint.unwrap().vpc_endpoint_id.unwrap();
    aws.wait(5).await;
    let modify = || aws.modify_vpc_endpoint().vpc_endpoint_id(&id);
    assert_eq!(code(modify().add_subnet_ids(&b).send().await), "IncorrectState", "it is pending");
    aws.wait(100).await;
    let tables = modify().add_route_table_ids("rtb-0").send().await;
    assert_eq!(code(tables), "InvalidParameter");
    let change = modify().add_subnet_ids(&b).remove_subnet_ids(&a).add_security_group_ids(&other);
    change.remove_security_group_ids(&one).policy_document("{}").send().await.unwrap();
    let found = aws.endpoint_state(&id).await;
    assert_eq!(found.subnet_ids(), [b]);
    assert_eq!(found.groups()[0].group_id(), Some(other.as_str()));
    assert_eq!(found.policy_document(), Some("{}"));
    assert_eq!(code(aws.delete_subnet().subnet_id(&a).send().await), "DependencyViolation");
    aws.wait(160).await;
    aws.delete_subnet().subnet_id(&a).send().await.unwrap();
    aws.delete_security_group().group_id(&one).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn services_and_prefix_lists_are_offered() {
    let aws = calm();
    let found = aws.describe_vpc_endpoint_services().service_names(S3).send().await.unwrap();
    let kinds: Vec<&str> = found
        .service_details()
        .iter()
        .map(|service| service.service_type()[0].service_type().unwrap().as_str())
        .collect();
    assert_eq!(kinds, ["Gateway", "Interface"]);
    assert_eq!(found.service_names(), [S3]);
    let unknown = aws.describe_vpc_endpoint_services().service_names("nothing").send().await;
    assert_eq!(code(unknown), "InvalidServiceName");
    let lists =
        aws.describe_managed_prefix_lists().filters(filter("prefix-list-name", S3)).send().await.unwrap();
    assert_eq!(lists.prefix_lists()[0].prefix_list_id(), Some("pl-63a5400a"));
}

#[tokio::test(start_paused = true)]
async fn guardduty_puts_an_endpoint_and_a_group_into_a_new_vpc() {
    let aws = calm();
    aws.state(|ec2| ec2.guardduty = true);
    let vpc = aws.vpc("10.0.0.0/16").await;
    let subnet = aws.subnet(&vpc, "10.0.1.0/24", "us-east-1a").await;
    assert_eq!(code(aws.delete_subnet().subnet_id(&subnet).send().await), "DependencyViolation");
    let found = aws.describe_vpc_endpoints().filters(filter("tag:GuardDutyManaged", "true")).send().await;
    let found = found.unwrap().vpc_endpoints.unwrap().remove(0);
    assert_eq!(found.service_name(), Some("com.amazonaws.us-east-1.guardduty-data"));
    assert_eq!(found.subnet_ids(), std::slice::from_ref(&subnet));
    let name = format!("GuardDutyManagedSecurityGroup-{vpc}");
    let groups = aws.describe_security_groups().filters(filter("group-name", &name)).send().await.unwrap();
    let group = groups.security_groups()[0].group_id().unwrap();

    let id = found.vpc_endpoint_id().unwrap();
    aws.delete_vpc_endpoints().vpc_endpoint_ids(id).send().await.unwrap();
    aws.wait(160).await;
    aws.delete_subnet().subnet_id(&subnet).send().await.unwrap();
    assert_eq!(code(aws.delete_vpc().vpc_id(&vpc).send().await), "DependencyViolation");
    aws.delete_security_group().group_id(group).send().await.unwrap();
    aws.delete_vpc().vpc_id(&vpc).send().await.unwrap();
}
