//! Security groups and their rules.

use super::*;
use aws_sdk_ec2::types::{IpPermission, IpRange, UserIdGroupPair};

fn all_egress() -> IpPermission {
    let range = IpRange::builder().cidr_ip("0.0.0.0/0").build();
    IpPermission::builder().ip_protocol("-1").ip_ranges(range).build()
}

fn mysql(range: IpRange) -> IpPermission {
    IpPermission::builder().ip_protocol("tcp").from_port(3306).to_port(3306).ip_ranges(range).build()
}

fn mysql_from(cidr: &str) -> IpPermission {
    mysql(IpRange::builder().cidr_ip(cidr).build())
}

fn mysql_from_group(group: &str) -> IpPermission {
    let pair = UserIdGroupPair::builder().group_id(group).build();
    let permission = IpPermission::builder().ip_protocol("tcp").from_port(3306).to_port(3306);
    permission.user_id_group_pairs(pair).build()
}

#[tokio::test(start_paused = true)]
async fn a_new_group_allows_all_egress_and_refuses_the_same_again() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let group = aws.group(&vpc, "db").await;
    let found = aws.describe_security_groups().group_ids(&group).send().await.unwrap();
    let [egress] = found.security_groups()[0].ip_permissions_egress() else { panic!("one rule: {found:?}") };
    assert_eq!((egress.ip_protocol(), egress.from_port(), egress.to_port()), (Some("-1"), None, None));
    assert_eq!(egress.ip_ranges()[0].cidr_ip(), Some("0.0.0.0/0"));
    let again = aws.authorize_security_group_egress().group_id(&group).ip_permissions(all_egress());
    assert_eq!(code(again.send().await), "InvalidPermission.Duplicate");
    aws.revoke_security_group_egress().group_id(&group).ip_permissions(all_egress()).send().await.unwrap();
    let again = aws.revoke_security_group_egress().group_id(&group).ip_permissions(all_egress());
    assert_eq!(code(again.send().await), "InvalidPermission.NotFound");
    let made = aws.authorize_security_group_egress().group_id(&group).ip_permissions(all_egress());
    let made = made.send().await.unwrap();
    assert_eq!(made.security_group_rules()[0].is_egress(), Some(true));
}

#[tokio::test(start_paused = true)]
async fn a_name_is_used_once_in_each_vpc() {
    let aws = calm();
    let (one, other) = (aws.vpc("10.0.0.0/16").await, aws.vpc("10.1.0.0/16").await);
    aws.group(&one, "db").await;
    let create = |name: &str, text: &str| {
        aws.create_security_group().vpc_id(&one).group_name(name).description(text).send()
    };
    assert_eq!(code(create("db", "another").await), "InvalidGroup.Duplicate");
    aws.group(&other, "db").await;
    assert_eq!(code(create("default", "mine").await), "InvalidGroup.Reserved");
    assert_eq!(code(create("sg-mine", "mine").await), "InvalidParameterValue");
    assert_eq!(code(create("mine", "the cluster's").await), "InvalidParameterValue", "no apostrophe");
}

#[tokio::test(start_paused = true)]
async fn rules_are_told_apart_by_what_they_allow_and_not_by_description() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let group = aws.group(&vpc, "db").await;
    let allow =
        |permission| aws.authorize_security_group_ingress().group_id(&group).ip_permissions(permission);
    let made = allow(mysql_from("10.0.0.7/16")).send().await.unwrap();
    let rule = &made.security_group_rules()[0];
    assert_eq!(rule.cidr_ipv4(), Some("10.0.0.0/16"), "in canonical form");
    assert_eq!((rule.is_egress(), rule.from_port()), (Some(false), Some(3306)));
    let described = IpRange::builder().cidr_ip("10.0.0.0/16").description("again").build();
    assert_eq!(code(allow(mysql(described)).send().await), "InvalidPermission.Duplicate");

    // All or nothing: the new half of a request with an old half is not added.
    let half = allow(mysql_from("10.1.0.0/16")).ip_permissions(mysql_from("10.0.0.0/16"));
    assert_eq!(code(half.send().await), "InvalidPermission.Duplicate");
    let twice = allow(mysql_from("10.2.0.0/16")).ip_permissions(mysql_from("10.2.0.0/16"));
    assert_eq!(code(twice.send().await), "InvalidParameterValue");
    let found = aws.describe_security_groups().group_ids(&group).send().await.unwrap();
    let [permission] = found.security_groups()[0].ip_permissions() else { panic!("one: {found:?}") };
    assert_eq!(permission.ip_ranges().len(), 1);

    let without_ports = IpPermission::builder().ip_protocol("tcp");
    let without_ports = without_ports.ip_ranges(IpRange::builder().cidr_ip("10.0.0.0/8").build()).build();
    assert_eq!(code(allow(without_ports).send().await), "InvalidParameterValue");
    let unknown = allow(mysql_from_group("sg-0")).send().await;
    assert_eq!(code(unknown), "InvalidGroup.NotFound");
}

#[tokio::test(start_paused = true)]
async fn rules_go_by_id_too() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let group = aws.group(&vpc, "db").await;
    let tags = tagged(ResourceType::SecurityGroupRule, "why", "test");
    let allow =
        aws.authorize_security_group_ingress().group_id(&group).ip_permissions(mysql_from("10.0.0.0/16"));
    let made = allow.tag_specifications(tags).send().await.unwrap();
    let rule = made.security_group_rules()[0].security_group_rule_id().unwrap();
    let found = aws.describe_security_group_rules().filters(filter("group-id", &group)).send().await.unwrap();
    assert_eq!(found.security_group_rules().len(), 2);
    let egress = found.security_group_rules().iter().find(|rule| rule.is_egress() == Some(true)).unwrap();
    assert_eq!((egress.ip_protocol(), egress.from_port()), (Some("-1"), Some(-1)));
    let found = aws.describe_security_group_rules().filters(filter("tag:why", "test")).send().await.unwrap();
    assert_eq!(found.security_group_rules()[0].security_group_rule_id(), Some(rule));

    let wrong =
        aws.revoke_security_group_egress().group_id(&group).security_group_rule_ids(rule).send().await;
    assert_eq!(code(wrong), "InvalidSecurityGroupRuleId.NotFound", "it is an ingress rule");
    let revoke = || aws.revoke_security_group_ingress().group_id(&group).security_group_rule_ids(rule).send();
    let gone = revoke().await.unwrap();
    assert_eq!(gone.revoked_security_group_rules()[0].cidr_ipv4(), Some("10.0.0.0/16"));
    assert_eq!(code(revoke().await), "InvalidSecurityGroupRuleId.NotFound");
}

#[tokio::test(start_paused = true)]
async fn the_default_group_cannot_be_deleted() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let group = aws.default_group(&vpc).await;
    let found = aws.describe_security_groups().group_ids(&group).send().await.unwrap();
    let ingress = &found.security_groups()[0].ip_permissions()[0];
    assert_eq!(ingress.user_id_group_pairs()[0].group_id(), Some(group.as_str()));
    assert_eq!(code(aws.delete_security_group().group_id(group).send().await), "CannotDelete");
}

#[tokio::test(start_paused = true)]
async fn groups_that_refer_to_each_other_hold_each_other() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let (one, other) = (aws.group(&vpc, "one").await, aws.group(&vpc, "other").await);
    for (group, peer) in [(&one, &other), (&other, &one), (&one, &one)] {
        let allow = aws.authorize_security_group_ingress().group_id(group);
        allow.ip_permissions(mysql_from_group(peer)).send().await.unwrap();
    }
    let delete = |group: &str| aws.delete_security_group().group_id(group).send();
    assert_eq!(code(delete(&one).await), "DependencyViolation");
    assert_eq!(code(delete(&other).await), "DependencyViolation");
    let revoke = aws.revoke_security_group_ingress().group_id(&other);
    revoke.ip_permissions(mysql_from_group(&one)).send().await.unwrap();
    delete(&one).await.unwrap();
    delete(&other).await.unwrap();
    assert_eq!(code(delete(&one).await), "InvalidGroup.NotFound");
}

#[tokio::test(start_paused = true)]
async fn a_rule_cannot_refer_to_another_network() {
    let aws = calm();
    let (one, other) = (aws.vpc("10.0.0.0/16").await, aws.vpc("10.1.0.0/16").await);
    let (here, there) = (aws.group(&one, "here").await, aws.group(&other, "there").await);
    let allow =
        aws.authorize_security_group_ingress().group_id(here).ip_permissions(mysql_from_group(&there));
    assert_eq!(code(allow.send().await), "InvalidGroup.NotFound");
}

#[tokio::test(start_paused = true)]
async fn sixty_rules_in_a_direction_and_no_more() {
    let aws = calm();
    let vpc = aws.vpc("10.0.0.0/16").await;
    let group = aws.group(&vpc, "db").await;
    let many = (0..60).map(|n| mysql_from(&format!("10.0.{n}.0/24"))).collect();
    let allow = aws.authorize_security_group_ingress().group_id(&group);
    allow.set_ip_permissions(Some(many)).send().await.unwrap();
    let one =
        aws.authorize_security_group_ingress().group_id(&group).ip_permissions(mysql_from("10.9.0.0/16"));
    assert_eq!(code(one.send().await), "RulesPerSecurityGroupLimitExceeded");
}
