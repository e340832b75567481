//! Security groups.

use super::listing::Listing;
use super::record::{Record, invalid, missing, new_id, write_tags};
use super::rules::{Asked, check_text, rule_record, write_permissions};
use super::state::{Ec2, Peer, Permission, Rule, SecurityGroup, Vpc};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Fault, Params, Reply, Xml};
use ipnet::Ipv4Net;

impl SecurityGroup {
    /// The group that comes and goes with its VPC: nobody else can have this name.
    pub(super) fn is_default(&self) -> bool {
        self.name == "default"
    }

    pub(super) fn add(&mut self, random: &mut Random, record: Record, asked: Asked) {
        let Asked { permission, description } = asked;
        let rule =
            Rule { id: new_id("sgr", random), record, group: self.id.clone(), permission, description };
        self.rules.push(rule);
    }

    /// The egress rule that every group is born with (fact book, section 5.1).
    pub(super) fn add_default_egress(&mut self, random: &mut Random) {
        let peer = Peer::Ipv4(Ipv4Net::default());
        let permission = Permission { egress: true, protocol: "-1".to_string(), ports: None, peer };
        self.add(random, Record::default(), Asked { permission, description: None });
    }

    fn arn(&self, region: &str) -> String {
        format!("arn:aws:ec2:{region}:{ACCOUNT}:security-group/{}", self.id)
    }

    fn refers_to(&self, group: &str) -> bool {
        self.rules.iter().any(|rule| matches!(&rule.permission.peer, Peer::Group(id) if id == group))
    }

    fn rules(&self, egress: bool) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| rule.permission.egress == egress)
    }
}

const LISTING: Listing = Listing {
    ids: "GroupId",
    set: "securityGroupInfo",
    filters: &[
        "description",
        "egress.ip-permission.cidr",
        "egress.ip-permission.group-id",
        "egress.ip-permission.ipv6-cidr",
        "egress.ip-permission.prefix-list-id",
        "egress.ip-permission.protocol",
        "group-id",
        "group-name",
        "ip-permission.cidr",
        "ip-permission.group-id",
        "ip-permission.ipv6-cidr",
        "ip-permission.prefix-list-id",
        "ip-permission.protocol",
        "owner-id",
        "vpc-id",
    ],
    pages: 5..=1000,
};

const RULES: Listing = Listing {
    ids: "SecurityGroupRuleId",
    set: "securityGroupRuleSet",
    filters: &["group-id", "security-group-rule-id"],
    pages: 5..=1000,
};

impl Ec2 {
    pub(super) fn put_default_security_group(&mut self, vpc: &Vpc, random: &mut Random) {
        let mut group = SecurityGroup {
            id: new_id("sg", random),
            record: Record::alongside(&vpc.record),
            vpc: vpc.id.clone(),
            name: "default".to_string(),
            description: "default VPC security group".to_string(),
            rules: Vec::new(),
        };
        let peer = Peer::Group(group.id.clone());
        let permission = Permission { egress: false, protocol: "-1".to_string(), ports: None, peer };
        group.add(random, Record::default(), Asked { permission, description: None });
        group.add_default_egress(random);
        self.security_groups.insert(group.id.clone(), group);
    }

    pub(super) fn create_security_group(&mut self, call: &Call, random: &mut Random) -> Reply {
        let record = Record::of(call, random, "security-group")?;
        let name = call.params.required("GroupName")?;
        let description = call.params.required("GroupDescription")?;
        let default = self.default_vpc();
        let vpc = call
            .params
            .get("VpcId")
            .or(default.as_deref())
            .ok_or_else(|| Fault::bad("VPCIdNotSpecified", "No default VPC for this user"))?;
        if name == "default" {
            let text = "Cannot use reserved security group name: default";
            return Err(Fault::bad("InvalidGroup.Reserved", text));
        }
        if name.starts_with("sg-") {
            let text = format!(
                "Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*"
            );
            return Err(invalid(text));
        }
        check_text(name, "security group name")?;
        check_text(description, "security group description")?;
        self.find(&self.vpcs, vpc)?;
        if self.security_groups.values().any(|group| group.vpc == vpc && group.name == name) {
            let text = format!("The security group '{name}' already exists for VPC '{vpc}'");
            return Err(Fault::bad("InvalidGroup.Duplicate", text));
        }
        let mut group = SecurityGroup {
            id: new_id("sg", random),
            record,
            vpc: vpc.to_string(),
            name: name.to_string(),
            description: description.to_string(),
            rules: Vec::new(),
        };
        group.add_default_egress(random);
        let mut x = Xml::new();
        x.text("groupId", &group.id).text("securityGroupArn", group.arn(&call.region));
        write_tags(&mut x, &group.record.tags);
        self.security_groups.insert(group.id.clone(), group);
        Ok(x.into())
    }

    pub(super) fn describe_security_groups(&self, call: &Call) -> Reply {
        let facts = |group: &SecurityGroup| {
            let mut facts = vec![
                ("description", group.description.clone()),
                ("group-id", group.id.clone()),
                ("group-name", group.name.clone()),
                ("owner-id", ACCOUNT.to_string()),
                ("vpc-id", group.vpc.clone()),
            ];
            for rule in &group.rules {
                let egress = rule.permission.egress;
                let name = |ingress, outward| if egress { outward } else { ingress };
                let peer = rule.permission.peer.to_string();
                facts.push((
                    name("ip-permission.protocol", "egress.ip-permission.protocol"),
                    rule.permission.protocol.clone(),
                ));
                facts.push(match rule.permission.peer {
                    Peer::Ipv4(_) => (name("ip-permission.cidr", "egress.ip-permission.cidr"), peer),
                    Peer::Ipv6(_) => {
                        (name("ip-permission.ipv6-cidr", "egress.ip-permission.ipv6-cidr"), peer)
                    }
                    Peer::Group(_) => (name("ip-permission.group-id", "egress.ip-permission.group-id"), peer),
                    Peer::PrefixList(_) => {
                        (name("ip-permission.prefix-list-id", "egress.ip-permission.prefix-list-id"), peer)
                    }
                });
            }
            facts
        };
        let names = call.params.list("GroupName");
        let all: Vec<&SecurityGroup> = self
            .security_groups
            .values()
            .filter(|group| names.is_empty() || names.contains(&group.name))
            .collect();
        if let Some(unknown) = names.iter().find(|name| !all.iter().any(|group| group.name == **name)) {
            let text = format!("The security group '{unknown}' does not exist");
            return Err(Fault::bad("InvalidGroup.NotFound", text));
        }
        self.list(call, &LISTING, all, facts, |x, group| {
            x.text("groupId", &group.id).text("groupName", &group.name).text("vpcId", &group.vpc);
            x.text("groupDescription", &group.description).text("ownerId", ACCOUNT);
            x.text("securityGroupArn", group.arn(&call.region));
            write_permissions(x, "ipPermissions", group.rules(false));
            write_permissions(x, "ipPermissionsEgress", group.rules(true));
            write_tags(x, &group.record.tags);
        })
    }

    pub(super) fn describe_security_group_rules(&self, call: &Call) -> Reply {
        let facts =
            |rule: &Rule| vec![("group-id", rule.group.clone()), ("security-group-rule-id", rule.id.clone())];
        let groups = self.security_groups.values().filter(|group| group.record.visible_at <= self.now);
        let all = groups.flat_map(|group| &group.rules);
        self.list(call, &RULES, all, facts, |x, rule| rule.write(x, &call.region))
    }

    pub(super) fn authorize(&mut self, call: &Call, random: &mut Random, egress: bool) -> Reply {
        let group = self.named_group(&call.params)?;
        let id = group.id.clone();
        let record = rule_record(call)?;
        let asked = self.asked(call, &group.vpc, egress)?;
        for new in &asked {
            if group.rules.iter().any(|rule| rule.permission == new.permission) {
                let text = format!("the specified rule \"{}\" already exists", new.permission);
                return Err(Fault::bad("InvalidPermission.Duplicate", text));
            }
        }
        if group.rules(egress).count() + asked.len() > self.quotas.rules_per_direction {
            let text = "The maximum number of rules per security group has been reached.";
            return Err(Fault::bad("RulesPerSecurityGroupLimitExceeded", text));
        }
        let mut x = Xml::new();
        x.text("return", true);
        if let Some(group) = self.security_groups.get_mut(&id) {
            let first = group.rules.len();
            for new in asked {
                group.add(random, record.clone(), new);
            }
            x.list("securityGroupRuleSet", "item", &group.rules[first..], |x, rule| {
                rule.write(x, &call.region);
            });
        }
        Ok(x.into())
    }

    /// By rule id or by permission; all or nothing.
    pub(super) fn revoke(&mut self, call: &Call, egress: bool) -> Reply {
        let group = self.named_group(&call.params)?;
        let id = group.id.clone();
        let ids = call.params.list("SecurityGroupRuleId");
        let mut gone = Vec::new();
        if ids.is_empty() {
            for old in self.asked(call, &group.vpc, egress)? {
                let found = group.rules.iter().find(|rule| rule.permission == old.permission);
                let found = found.ok_or_else(|| {
                    let text = "The specified rule does not exist in this security group.";
                    Fault::bad("InvalidPermission.NotFound", text)
                })?;
                gone.push(found.clone());
            }
        }
        for rule in &ids {
            let found = group.rules(egress).find(|known| known.id == *rule);
            gone.push(found.ok_or_else(|| missing::<Rule>(rule))?.clone());
        }
        if let Some(group) = self.security_groups.get_mut(&id) {
            group.rules.retain(|rule| !gone.iter().any(|gone| gone.id == rule.id));
        }
        let mut x = Xml::new();
        x.text("return", true);
        x.list("revokedSecurityGroupRuleSet", "item", gone, |x, rule| rule.write_revoked(x));
        Ok(x.into())
    }

    /// Fact book, section 5.5: the default group stays, and nothing may refer to the group or use it.
    pub(super) fn delete_security_group(&mut self, call: &Call) -> Reply {
        let group = self.named_group(&call.params)?;
        let id = group.id.clone();
        if group.is_default() {
            let text = format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user");
            return Err(Fault::bad("CannotDelete", text));
        }
        let used = self.interfaces.values().any(|interface| interface.groups.contains(&id))
            || self.security_groups.values().any(|other| other.id != id && other.refers_to(&id));
        if used {
            return Err(Fault::bad("DependencyViolation", format!("resource {id} has a dependent object")));
        }
        self.security_groups.remove(&id);
        let mut x = Xml::new();
        x.text("return", true).text("groupId", id);
        Ok(x.into())
    }

    /// Without a default VPC, groups are named by id only.
    fn named_group(&self, params: &Params) -> Result<&SecurityGroup, Fault> {
        match (params.get("GroupId"), params.get("GroupName")) {
            (Some(id), _) => self.find(&self.security_groups, id),
            (None, Some(name)) => Err(Fault::bad(
                "InvalidGroup.NotFound",
                format!("The security group '{name}' does not exist in default VPC"),
            )),
            (None, None) => Err(Fault::bad(
                "MissingParameter",
                "The request must contain the parameter groupName or groupId",
            )),
        }
    }
}
