//! The rules of security groups, as requests write them.

use super::endpoint_services;
use super::record::{Record, done, invalid, missing, network, tag_specification, write_tags};
use super::state::{Ec2, Peer, Permission, Rule};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::wire::{Fault, Params, Reply, Xml};
use ipnet::Ipv6Net;
use std::fmt;

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Ipv4(cidr) => cidr.fmt(f),
            Peer::Ipv6(cidr) => cidr.fmt(f),
            Peer::PrefixList(id) | Peer::Group(id) => id.fmt(f),
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "peer: {}, ", self.peer)?;
        match (self.protocol.as_str(), self.ports) {
            ("-1", _) => write!(f, "ALL")?,
            (protocol, Some((from, to))) => {
                write!(f, "{}, from port: {from}, to port: {to}", protocol.to_uppercase())?;
            }
            (protocol, None) => write!(f, "{}", protocol.to_uppercase())?,
        }
        write!(f, ", ALLOW")
    }
}

impl Rule {
    pub(super) fn arn(&self, region: &str) -> String {
        format!("arn:aws:ec2:{region}:{ACCOUNT}:security-group-rule/{}", self.id)
    }

    /// The form of DescribeSecurityGroupRules; there, no ports are -1.
    pub(super) fn write(&self, x: &mut Xml, region: &str) {
        self.write_common(x);
        x.text("groupOwnerId", ACCOUNT).text("securityGroupRuleArn", self.arn(region));
        if let Peer::Group(id) = &self.permission.peer {
            x.element("referencedGroupInfo", |x| {
                x.text("groupId", id).text("userId", ACCOUNT);
            });
        }
        write_tags(x, &self.record.tags);
    }

    /// The form of the Revoke operations.
    pub(super) fn write_revoked(&self, x: &mut Xml) {
        self.write_common(x);
        if let Peer::Group(id) = &self.permission.peer {
            x.text("referencedGroupId", id);
        }
    }

    fn write_common(&self, x: &mut Xml) {
        let (from, to) = self.permission.ports.unwrap_or((-1, -1));
        x.text("securityGroupRuleId", &self.id).text("groupId", &self.group);
        x.text("isEgress", self.permission.egress).text("ipProtocol", &self.permission.protocol);
        x.text("fromPort", from).text("toPort", to).optional("description", self.description.as_ref());
        match &self.permission.peer {
            Peer::Ipv4(cidr) => x.text("cidrIpv4", cidr),
            Peer::Ipv6(cidr) => x.text("cidrIpv6", cidr),
            Peer::PrefixList(id) => x.text("prefixListId", id),
            Peer::Group(_) => x,
        };
    }
}

/// `IpPermission` elements for the rules of one direction: one for each protocol and ports.
pub(super) fn write_permissions<'a>(x: &mut Xml, name: &str, rules: impl Iterator<Item = &'a Rule>) {
    let mut sets: Vec<Vec<&Rule>> = Vec::new();
    for rule in rules {
        let key = |rule: &Rule| (rule.permission.protocol.clone(), rule.permission.ports);
        match sets.iter_mut().find(|set| key(set[0]) == key(rule)) {
            Some(set) => set.push(rule),
            None => sets.push(vec![rule]),
        }
    }
    x.list(name, "item", sets, |x, set| {
        x.text("ipProtocol", &set[0].permission.protocol);
        if let Some((from, to)) = set[0].permission.ports {
            x.text("fromPort", from).text("toPort", to);
        }
        let mut peers = |list: &str, write: fn(&mut Xml, &Peer) -> bool| {
            x.element(list, |x| {
                for rule in &set {
                    let mut item = Xml::new();
                    if write(&mut item, &rule.permission.peer) {
                        item.optional("description", rule.description.as_ref());
                        x.element("item", |x| x.0.push_str(&item.0));
                    }
                }
            });
        };
        peers("groups", |x, peer| match peer {
            Peer::Group(id) => !x.text("userId", ACCOUNT).text("groupId", id).0.is_empty(),
            _ => false,
        });
        peers("ipRanges", |x, peer| match peer {
            Peer::Ipv4(cidr) => !x.text("cidrIp", cidr).0.is_empty(),
            _ => false,
        });
        peers("ipv6Ranges", |x, peer| match peer {
            Peer::Ipv6(cidr) => !x.text("cidrIpv6", cidr).0.is_empty(),
            _ => false,
        });
        peers("prefixListIds", |x, peer| match peer {
            Peer::PrefixList(id) => !x.text("prefixListId", id).0.is_empty(),
            _ => false,
        });
    });
}

/// A rule as a request asks for it.
pub(super) struct Asked {
    pub permission: Permission,
    pub description: Option<String>,
}

impl Ec2 {
    /// The permissions of an Authorize or Revoke request, one for each peer.
    pub(super) fn asked(&self, call: &Call, vpc: &str, egress: bool) -> Result<Vec<Asked>, Fault> {
        let mut asked = Vec::new();
        let mut items = call.params.items("IpPermissions");
        if call.params.get("IpProtocol").is_some() {
            // The older form: one permission, its fields at the top.
            items.push(call.params.clone().without("IpPermissions.").renamed("CidrIp", "IpRanges.1.CidrIp"));
        }
        for item in &items {
            let protocol = protocol(item.required("IpProtocol")?);
            let ports = ports(item, &protocol)?;
            let before = asked.len();
            let mut add = |peer: Peer, of: &Params| -> Result<(), Fault> {
                let description = of.get("Description").map(str::to_string);
                if let Some(text) = &description {
                    check_text(text, "rule description")?;
                }
                let permission = Permission { egress, protocol: protocol.clone(), ports, peer };
                asked.push(Asked { permission, description });
                Ok(())
            };
            for range in item.items("IpRanges") {
                add(Peer::Ipv4(network(range.required("CidrIp")?, "cidrIp")?), &range)?;
            }
            for range in item.items("Ipv6Ranges") {
                let text = range.required("CidrIpv6")?;
                let cidr = text.parse::<Ipv6Net>();
                let cidr = cidr.map_err(|_| invalid(format!("CIDR block {text} is malformed")))?;
                add(Peer::Ipv6(cidr.trunc()), &range)?;
            }
            for list in item.items("PrefixListIds") {
                let id = list.required("PrefixListId")?;
                if !endpoint_services::prefix_lists(&call.region).iter().any(|known| known.id == id) {
                    let text = format!("The prefix list ID '{id}' does not exist");
                    return Err(Fault::bad("InvalidPrefixListID.NotFound", text));
                }
                add(Peer::PrefixList(id.to_string()), &list)?;
            }
            for group in item.items("Groups") {
                add(Peer::Group(self.peer_group(&group, vpc)?), &group)?;
            }
            if asked.len() == before {
                let text = "Missing source specification: include source security group or CIDR information";
                return Err(Fault::bad("MissingParameter", text));
            }
        }
        if asked.is_empty() {
            let text = "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.";
            return Err(Fault::bad("MissingParameter", text));
        }
        let repeated = |(index, one): (usize, &Asked)| {
            asked[..index].iter().any(|other| other.permission == one.permission)
        };
        if asked.iter().enumerate().any(repeated) {
            return Err(invalid("The same permission must not appear multiple times"));
        }
        Ok(asked)
    }

    /// ModifySecurityGroupRules: each rule becomes what is given for it; all or nothing.
    pub(super) fn modify_rules(&mut self, call: &Call) -> Reply {
        let group = self.find(&self.security_groups, call.params.required("GroupId")?)?;
        let (id, vpc) = (group.id.clone(), group.vpc.clone());
        let mut rules = group.rules.clone();
        let updates = call.params.items("SecurityGroupRule");
        if updates.is_empty() {
            let text = "The request must contain the parameter SecurityGroupRules";
            return Err(Fault::bad("MissingParameter", text));
        }
        for update in updates {
            let rule = update.required("SecurityGroupRuleId")?;
            let (one, group) = (update.nested("SecurityGroupRule"), &rules);
            let at = group.iter().position(|known| known.id == rule).ok_or_else(|| missing::<Rule>(rule))?;
            let protocol = protocol(one.required("IpProtocol")?);
            let ports = ports(&one, &protocol)?;
            let peer = self.sole_peer(call, &one, &vpc)?;
            let description = one.get("Description").map(str::to_string);
            if let Some(text) = &description {
                check_text(text, "rule description")?;
            }
            let permission = Permission { egress: rules[at].permission.egress, protocol, ports, peer };
            if rules.iter().any(|other| other.id != rule && other.permission == permission) {
                let text = format!("the specified rule \"{permission}\" already exists");
                return Err(Fault::bad("InvalidPermission.Duplicate", text));
            }
            (rules[at].permission, rules[at].description) = (permission, description);
        }
        if let Some(group) = self.security_groups.get_mut(&id) {
            group.rules = rules;
        }
        done()
    }

    /// The one peer of a rule in the newer form, which has a member for each kind.
    fn sole_peer(&self, call: &Call, rule: &Params, vpc: &str) -> Result<Peer, Fault> {
        let lists = endpoint_services::prefix_lists(&call.region);
        match (
            rule.get("CidrIpv4"),
            rule.get("CidrIpv6"),
            rule.get("PrefixListId"),
            rule.get("ReferencedGroupId"),
        ) {
            (Some(cidr), None, None, None) => Ok(Peer::Ipv4(network(cidr, "cidrIpv4")?)),
            (None, Some(text), None, None) => match text.parse::<Ipv6Net>() {
                Ok(cidr) => Ok(Peer::Ipv6(cidr.trunc())),
                Err(_) => Err(invalid(format!("CIDR block {text} is malformed"))),
            },
            (None, None, Some(id), None) if lists.iter().any(|known| known.id == id) => {
                Ok(Peer::PrefixList(id.to_string()))
            }
            (None, None, Some(id), None) => {
                let text = format!("The prefix list ID '{id}' does not exist");
                Err(Fault::bad("InvalidPrefixListID.NotFound", text))
            }
            (None, None, None, Some(group)) => {
                let found = self.find(&self.security_groups, group)?;
                match found.vpc == vpc {
                    true => Ok(Peer::Group(found.id.clone())),
                    false => Err(Fault::bad(
                        "InvalidGroup.NotFound",
                        "You have specified two resources that belong to different networks.",
                    )),
                }
            }
            _ => Err(Fault::bad("MissingParameter", "Exactly one source must be specified for each rule")),
        }
    }

    /// The id of the group that a rule refers to, which must be of the same VPC.
    fn peer_group(&self, peer: &Params, vpc: &str) -> Result<String, Fault> {
        let found = match peer.get("GroupId") {
            Some(id) => self.find(&self.security_groups, id)?,
            None => {
                let name = peer.required("GroupName")?;
                let mut groups = self.security_groups.values();
                let found = groups.find(|group| group.vpc == vpc && group.name == name);
                found.filter(|group| group.record.visible_at <= self.now).ok_or_else(|| {
                    let text = format!("The security group '{name}' does not exist");
                    Fault::bad("InvalidGroup.NotFound", text)
                })?
            }
        };
        if found.vpc != vpc {
            let text = "You have specified two resources that belong to different networks.";
            return Err(Fault::bad("InvalidGroup.NotFound", text));
        }
        Ok(found.id.clone())
    }
}

/// Tags for the rules that a request makes.
pub(super) fn rule_record(call: &Call) -> Result<Record, Fault> {
    // A rule is seen with its group: no lag of its own is known.
    Ok(Record { visible_at: call.now, tags: tag_specification(&call.params, "security-group-rule")? })
}

fn protocol(given: &str) -> String {
    match given.to_ascii_lowercase().as_str() {
        "6" | "tcp" => "tcp",
        "17" | "udp" => "udp",
        "1" | "icmp" => "icmp",
        "58" | "icmpv6" => "icmpv6",
        "-1" | "all" => "-1",
        other => return other.to_string(),
    }
    .to_string()
}

/// Protocol -1 is stored without ports, whatever was given (fact book, section 5.1).
fn ports(item: &Params, protocol: &str) -> Result<Option<(i32, i32)>, Fault> {
    let number = |name: &str| -> Result<Option<i32>, Fault> {
        let Some(text) = item.get(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|port| (-1..=65535).contains(port));
        number.map(Some).ok_or_else(|| invalid(format!("Invalid value '{text}' for {name}.")))
    };
    let given = (number("FromPort")?, number("ToPort")?);
    match (protocol, given) {
        ("tcp" | "udp", (Some(from), Some(to))) if 0 <= from && from <= to => Ok(Some((from, to))),
        ("tcp" | "udp", (Some(from), Some(to))) => {
            Err(invalid(format!("Invalid TCP/UDP port range ({from}:{to})")))
        }
        ("tcp" | "udp", _) => {
            Err(invalid("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange."))
        }
        ("icmp" | "icmpv6", (from, to)) => Ok(Some((from.unwrap_or(-1), to.unwrap_or(-1)))),
        _ => Ok(None),
    }
}

/// Names and descriptions take fewer characters than one thinks.
pub(super) fn check_text(text: &str, what: &str) -> Result<(), Fault> {
    let good = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    if text.len() > 255 || !text.chars().all(good) {
        return Err(invalid(format!(
            "Invalid {what}. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*"
        )));
    }
    Ok(())
}
