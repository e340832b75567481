//! Filters, pages and tags, which all Describes share.

use super::*;

#[tokio::test(start_paused = true)]
async fn everything_can_be_tagged_in_its_create_and_found_by_tag() {
    let aws = calm();
    let spec = |kind| tagged(kind, "stack", "churn");
    let vpc = aws.create_vpc().cidr_block("10.0.0.0/16").tag_specifications(spec(ResourceType::Vpc));
    let vpc = vpc.send().await.unwrap().vpc.unwrap();
    assert_eq!(vpc.tags(), [tag("stack", "churn")], "the answer shows them");
    let vpc = vpc.vpc_id().unwrap();
    aws.wait(2).await;
    let subnet = aws.create_subnet().vpc_id(vpc).cidr_block("10.0.1.0/24");
    let subnet = subnet.tag_specifications(spec(ResourceType::Subnet)).send().await.unwrap();
    let subnet = subnet.subnet().unwrap().subnet_id().unwrap();
    aws.create_internet_gateway()
        .tag_specifications(spec(ResourceType::InternetGateway))
        .send()
        .await
        .unwrap();
    let address =
        aws.allocate_address().tag_specifications(spec(ResourceType::ElasticIp)).send().await.unwrap();
    let address = address.allocation_id().unwrap();
    let table = aws.create_route_table().vpc_id(vpc).tag_specifications(spec(ResourceType::RouteTable));
    table.send().await.unwrap();
    let group = aws.create_security_group().vpc_id(vpc).group_name("db").description("db");
    group.tag_specifications(spec(ResourceType::SecurityGroup)).send().await.unwrap();
    let endpoint = aws.create_vpc_endpoint().vpc_id(vpc).service_name("com.amazonaws.us-east-1.s3");
    endpoint.tag_specifications(spec(ResourceType::VpcEndpoint)).send().await.unwrap();
    aws.wait(2).await;
    let nat = aws.create_nat_gateway().subnet_id(subnet).allocation_id(address);
    nat.tag_specifications(spec(ResourceType::Natgateway)).send().await.unwrap();
    aws.wait(2).await;

    let by = || filter("tag:stack", "churn");
    assert_eq!(aws.describe_vpcs().filters(by()).send().await.unwrap().vpcs().len(), 1);
    assert_eq!(aws.describe_subnets().filters(by()).send().await.unwrap().subnets().len(), 1);
    let gateways = aws.describe_internet_gateways().filters(by()).send().await.unwrap();
    assert_eq!(gateways.internet_gateways().len(), 1);
    assert_eq!(aws.describe_addresses().filters(by()).send().await.unwrap().addresses().len(), 1);
    assert_eq!(aws.describe_nat_gateways().filter(by()).send().await.unwrap().nat_gateways().len(), 1);
    assert_eq!(aws.describe_route_tables().filters(by()).send().await.unwrap().route_tables().len(), 1);
    assert_eq!(aws.describe_security_groups().filters(by()).send().await.unwrap().security_groups().len(), 1);
    assert_eq!(aws.describe_vpc_endpoints().filters(by()).send().await.unwrap().vpc_endpoints().len(), 1);
    let tags = aws.describe_tags().filters(filter("key", "stack")).send().await.unwrap();
    assert_eq!(tags.tags().len(), 8);
    let wrong = aws.create_vpc().cidr_block("10.0.0.0/16").tag_specifications(spec(ResourceType::Subnet));
    assert_eq!(code(wrong.send().await), "InvalidParameterValue");
}

#[tokio::test(start_paused = true)]
async fn tags_come_and_go() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let group = aws.default_group(&vpc).await;
    let create = || aws.create_tags().resources(&vpc).resources(&group);
    create().tags(tag("a", "1")).tags(tag("b", "2")).send().await.unwrap();
    create().tags(tag("a", "3")).send().await.unwrap();
    let found =
        aws.describe_vpcs().filters(filter("tag-key", "b")).filters(filter("tag:a", "3")).send().await;
    assert_eq!(found.unwrap().vpcs()[0].vpc_id(), Some(vpc.as_str()));

    let delete = |tag: Tag| aws.delete_tags().resources(&vpc).tags(tag).send();
    delete(tag("a", "1")).await.unwrap();
    delete(Tag::builder().key("b").build()).await.unwrap();
    delete(tag("never", "was")).await.unwrap();
    let of = |id: &str| aws.describe_tags().filters(filter("resource-id", id)).send();
    let left = of(&vpc).await.unwrap();
    let [left] = left.tags() else { panic!("a value that differs is not deleted: {left:?}") };
    assert_eq!((left.key(), left.value()), (Some("a"), Some("3")));
    assert_eq!(of(&group).await.unwrap().tags().len(), 2);
    aws.delete_tags().resources(&group).send().await.unwrap();
    assert!(of(&group).await.unwrap().tags().is_empty());

    let reserved = create().tags(tag("aws:mine", "1")).send().await;
    assert_eq!(code(reserved), "InvalidParameterValue");
    let many: Vec<Tag> = (0..50).map(|n| tag(&format!("k{n}"), "v")).collect();
    assert_eq!(code(create().set_tags(Some(many)).send().await), "TagLimitExceeded");
    let unknown = aws.create_tags().resources("subnet-0").tags(tag("a", "1")).send().await;
    assert_eq!(code(unknown), "InvalidSubnetID.NotFound");
    let nonsense = aws.create_tags().resources("x-0").tags(tag("a", "1")).send().await;
    assert_eq!(code(nonsense), "InvalidID");
}

#[tokio::test(start_paused = true)]
async fn all_filters_must_match_and_one_value_of_each() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    for (cidr, zone) in
        [("10.0.1.0/24", "us-east-1a"), ("10.0.2.0/24", "us-east-1b"), ("10.0.3.0/24", "us-east-1b")]
    {
        aws.subnet(&vpc, cidr, zone).await;
    }
    let count = async |filters: Vec<Filter>| {
        let found = aws.describe_subnets().set_filters(Some(filters)).send().await.unwrap();
        found.subnets().len()
    };
    assert_eq!(count(vec![filter("availability-zone", "us-east-1b")]).await, 2);
    let one = Filter::builder().name("cidr-block").values("10.0.1.0/24").values("10.0.2.0/24").build();
    assert_eq!(count(vec![one.clone()]).await, 2);
    assert_eq!(count(vec![one, filter("availability-zone", "us-east-1b")]).await, 1);
    assert_eq!(count(vec![filter("cidr-block", "10.0.?.0/24")]).await, 3);
    assert_eq!(count(vec![filter("vpc-id", "vpc-0")]).await, 0);
    let unknown = aws.describe_subnets().filters(filter("colour", "red")).send().await;
    assert_eq!(code(unknown), "InvalidParameterValue");
}

#[tokio::test(start_paused = true)]
async fn pages_follow_each_other_without_loss() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    for n in 0..12 {
        aws.create_security_group()
            .vpc_id(&vpc)
            .group_name(format!("g{n}"))
            .description("g")
            .send()
            .await
            .unwrap();
    }
    aws.wait(2).await;
    let mut pages = aws.describe_security_groups().max_results(5).into_paginator().send();
    let (mut sizes, mut names) = (Vec::new(), std::collections::BTreeSet::new());
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        sizes.push(page.security_groups().len());
        names.extend(page.security_groups().iter().map(|group| group.group_name().unwrap().to_string()));
    }
    assert_eq!(sizes, [5, 5, 3]);
    assert_eq!(names.len(), 13, "twelve and the default group");
    let small = aws.describe_security_groups().max_results(2).send().await;
    assert_eq!(code(small), "InvalidParameterValue");
    let nonsense = aws.describe_security_groups().next_token("%%").send().await;
    assert_eq!(code(nonsense), "InvalidNextToken");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_changes_nothing() {
    let aws = calm();
    let dry = aws.create_vpc().cidr_block("10.0.0.0/16").dry_run(true).send().await;
    assert_eq!(code(dry), "DryRunOperation");
    aws.wait(2).await;
    assert!(aws.describe_vpcs().send().await.unwrap().vpcs().is_empty());
}
