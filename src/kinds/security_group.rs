//! How AWS is asked for security groups.

use super::ec2::{self, Candidate, Held};
use super::kind::{Calls, Deletion, Seen, Update, already_ok, just_made};
use crate::aws::{Aws, Class, During, Failure, Look, owns};
use auroraml_core::base::State;
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::security_group::{Props, Rule, SecurityGroup};
use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, PrefixListId, ResourceType, UserIdGroupPair};

impl Calls for SecurityGroup {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let (groups, territory) = tokio::try_join!(ec2::security_groups(look), ec2::territory(look))?;
        let territory = territory.knowing(look, groups.iter().filter_map(|one| one.vpc_id())).await?;
        let all = groups.iter().map(|group| Candidate {
            object: group,
            id: group.group_id(),
            tags: group.tags(),
            ground: territory.ground(group.vpc_id()),
            rank: 0,
        });
        let seen = ec2::named(look, Self::NAME, all).into_iter().map(|group| Seen {
            owned: group.is_owned(),
            outputs: group.outputs(),
            props: Props {
                vpc: group.object.vpc_id().unwrap_or_default().into(),
                description: group.object.description().unwrap_or_default().into(),
                ingress: rules(group.object.ip_permissions()),
                egress: rules(group.object.ip_permissions_egress()),
                tags: group.tags,
            },
            name: group.name,
            state: State::Ready,
        });
        Ok(seen.collect())
    }

    async fn create(&self, aws: &Aws, name: &str, want: &Props) -> Result<(), Failure> {
        let request = aws
            .ec2
            .create_security_group()
            .group_name(aws.place.name(name))
            .description(&want.description)
            .vpc_id(want.vpc.get())
            .tag_specifications(ec2::tagged(ResourceType::SecurityGroup, &want.tags));
        // The rules follow when it is visible: the next look finds AWS's own instead of ours.
        match just_made(request.send().await.during("CreateSecurityGroup")) {
            Err(failure) if failure.is(Class::Exists) => is_ours(aws, name, want).await,
            other => other.map(|_| ()),
        }
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let (want, live, id) = (&update.want, &update.live, ec2::id(update.outputs));
        // What is allowed before and after stays allowed in between.
        for (egress, want, live) in
            [(false, &want.ingress, &live.ingress), (true, &want.egress, &live.egress)]
        {
            authorize(aws, id, egress, &missing(want, live)).await?;
            revoke(aws, id, egress, &missing(live, want)).await?;
        }
        ec2::update_tags(aws, id, &want.tags, &live.tags).await
    }

    /// Its rules go first, so that groups which refer to each other do not wait for each other for ever.
    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let id = ec2::id(deletion.outputs);
        already_ok(revoke(aws, id, false, &deletion.live.ingress).await, Class::NotFound)?;
        already_ok(revoke(aws, id, true, &deletion.live.egress).await, Class::NotFound)?;
        let answer = aws.ec2.delete_security_group().group_id(id).send().await;
        let answer = answer.during("DeleteSecurityGroup");
        already_ok(ec2::explained(aws, answer, Held::SecurityGroup(id)).await, Class::NotFound)
    }
}

/// The name is taken: by the group itself, made by an earlier run or request and seen soon, or by another.
async fn is_ours(aws: &Aws, name: &str, want: &Props) -> Result<(), Failure> {
    let group_name = aws.place.name(name);
    let request = aws
        .ec2
        .describe_security_groups()
        .filters(ec2::filter("group-name", &group_name))
        .filters(ec2::filter("vpc-id", want.vpc.get()));
    let found = request.send().await.during("DescribeSecurityGroups")?;
    match found.security_groups().iter().find(|group| !owns(&aws.place, &ec2::tags_of(group.tags()))) {
        Some(other) => Err(Failure::refused(
            "CreateSecurityGroup",
            format!(
                "the security group {} is called {group_name} and is not tagged as this stack's; rename or \
                 delete it, or choose another stack name",
                other.group_id().unwrap_or_default()
            ),
        )),
        None => Ok(()),
    }
}

/// The rules of `of` that are not in `from`.
fn missing(of: &[Rule], from: &[Rule]) -> Vec<Rule> {
    of.iter().filter(|rule| !from.contains(rule)).cloned().collect()
}

/// One rule for each peer.
fn rules(permissions: &[IpPermission]) -> Vec<Rule> {
    let mut rules = Vec::new();
    for permission in permissions {
        let protocol = permission.ip_protocol().unwrap_or_default();
        let ports = match protocol {
            "-1" => (None, None),
            _ => (permission.from_port(), permission.to_port()),
        };
        let peers = permission
            .ip_ranges()
            .iter()
            .map(|range| range.cidr_ip())
            .chain(permission.ipv6_ranges().iter().map(|range| range.cidr_ipv6()))
            .chain(permission.prefix_list_ids().iter().map(|list| list.prefix_list_id()))
            .chain(permission.user_id_group_pairs().iter().map(|pair| pair.group_id()));
        rules.extend(peers.flatten().map(|peer| Rule {
            protocol: protocol.into(),
            from_port: ports.0,
            to_port: ports.1,
            peer: peer.into(),
        }));
    }
    rules.sort();
    rules
}

fn permission(rule: &Rule) -> IpPermission {
    let ports = (rule.protocol != "-1").then_some((rule.from_port, rule.to_port));
    let (from, to) = ports.unwrap_or_default();
    let permission = IpPermission::builder().ip_protocol(&rule.protocol).set_from_port(from).set_to_port(to);
    match rule.peer.get() {
        peer if peer.starts_with("sg-") => {
            permission.user_id_group_pairs(UserIdGroupPair::builder().group_id(peer).build())
        }
        peer if peer.starts_with("pl-") => {
            permission.prefix_list_ids(PrefixListId::builder().prefix_list_id(peer).build())
        }
        peer if peer.contains(':') => permission.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(peer).build()),
        peer => permission.ip_ranges(IpRange::builder().cidr_ip(peer).build()),
    }
    .build()
}

/// A rule at a time: AWS refuses a whole batch when one of it is there already.
async fn authorize(aws: &Aws, group: &str, egress: bool, rules: &[Rule]) -> Result<(), Failure> {
    for rule in rules {
        let answer = if egress {
            let request = aws.ec2.authorize_security_group_egress().group_id(group);
            let request = request.ip_permissions(permission(rule));
            request.send().await.during("AuthorizeSecurityGroupEgress").map(|_| ())
        } else {
            let request = aws.ec2.authorize_security_group_ingress().group_id(group);
            let request = request.ip_permissions(permission(rule));
            request.send().await.during("AuthorizeSecurityGroupIngress").map(|_| ())
        };
        already_ok(just_made(answer), Class::Exists)?;
    }
    Ok(())
}

async fn revoke(aws: &Aws, group: &str, egress: bool, rules: &[Rule]) -> Result<(), Failure> {
    for rule in rules {
        let answer = if egress {
            let request = aws.ec2.revoke_security_group_egress().group_id(group);
            let request = request.ip_permissions(permission(rule));
            request.send().await.during("RevokeSecurityGroupEgress").map(|_| ())
        } else {
            let request = aws.ec2.revoke_security_group_ingress().group_id(group);
            let request = request.ip_permissions(permission(rule));
            request.send().await.during("RevokeSecurityGroupIngress").map(|_| ())
        };
        // The rule is gone, or the group is: the next look tells.
        already_ok(answer, Class::NotFound)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_what_its_permission_says() {
        let all = Rule { protocol: "-1".into(), from_port: None, to_port: None, peer: "0.0.0.0/0".into() };
        let tcp = |peer: &str| Rule {
            protocol: "tcp".into(),
            from_port: Some(443),
            to_port: Some(443),
            peer: peer.into(),
        };
        for rule in [all.clone(), tcp("10.0.0.0/8"), tcp("2001:db8::/32"), tcp("pl-1"), tcp("sg-1")] {
            assert_eq!(rules(&[permission(&rule)]), [rule]);
        }
        // Ports that a caller gives for all protocols are not sent.
        let odd = Rule { from_port: Some(0), to_port: Some(65535), ..all.clone() };
        assert_eq!(rules(&[permission(&odd)]), [all]);
    }
}
