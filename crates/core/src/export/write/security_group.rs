//! Security groups with their rules.

use super::super::context::{Context, Written};
use super::super::node::Node;
use super::props;
use crate::base::Input;
use crate::kinds::security_group::{Props, Rule};
use crate::resource::Resource;

pub fn write(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let Props { vpc, description, ingress, egress, tags } = props(resource);
    let rules = |rules: &[Rule], end: &'static str| {
        Node::List(rules.iter().map(|one| rule(context, one, end)).collect())
    };
    // A group without any rule outwards is given one that allows everything, unless the template has one: this one
    // leads nowhere (template reference, AWS::EC2::SecurityGroup, "Remove all outbound rules").
    let egress = match egress.is_empty() {
        true => Node::List(vec![Node::map([
            ("IpProtocol", Some(Node::text("-1"))),
            ("CidrIp", Some(Node::text("127.0.0.1/32"))),
            ("Description", Some(Node::text("No outbound traffic"))),
        ])]),
        false => rules(&egress, "Destination"),
    };
    let group = context.written(resource, "AWS::EC2::SecurityGroup").with([
        ("VpcId", Some(context.input(&vpc))),
        ("GroupDescription", Some(Node::text(description))),
        ("SecurityGroupIngress", (!ingress.is_empty()).then(|| rules(&ingress, "Source"))),
        ("SecurityGroupEgress", Some(egress)),
        ("Tags", context.tags(&tags)),
    ]);
    vec![group]
}

/// `end`: `Source` of what comes in, `Destination` of what goes out.
fn rule(context: &Context<'_>, rule: &Rule, end: &str) -> Node {
    let Rule { protocol, from_port, to_port, peer } = rule;
    let is_group = match peer {
        Input::Output { id, output } => context.is_group(id, output),
        Input::Joined { .. } => false,
        Input::Known(text) => text.starts_with("sg-"),
    };
    let number = |port: &Option<i32>| port.map(Node::number);
    let group = format!("{end}SecurityGroupId");
    Node::map([
        ("IpProtocol", Some(Node::text(protocol))),
        ("FromPort", number(from_port)),
        ("ToPort", number(to_port)),
        (if is_group { &group } else { "CidrIp" }, Some(context.input(peer))),
        ("Description", Some(Node::text(what(*from_port, *to_port)))),
    ])
}

/// What goes through these ports.
fn what(from: Option<i32>, to: Option<i32>) -> &'static str {
    match (from, to) {
        (Some(80), Some(80)) => "HTTP",
        (Some(443), Some(443)) => "HTTPS to AWS",
        (Some(from), Some(to)) if from == to => "The database",
        _ => "Everything",
    }
}
