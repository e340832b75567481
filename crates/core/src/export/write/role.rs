//! Roles. Their names are CloudFormation's to choose: what refers to one refers to the resource.

use super::super::context::{Context, Written};
use super::super::node::Node;
use super::props;
use crate::kinds::role::Props;
use crate::resource::Resource;

/// The policy of a role, as auroraml calls it too.
const POLICY: &str = "access";

pub fn write(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let Props { trust, policy, boundary, tags } = props(resource);
    let is_selfish = context.selfish.contains(&resource.id);
    let document = (!policy.is_null()).then(|| context.data(&policy));
    let policies = document.clone().filter(|_| !is_selfish).map(|document| {
        Node::List(vec![Node::map([
            ("PolicyName", Some(Node::text(POLICY))),
            ("PolicyDocument", Some(document)),
        ])])
    });
    let role = context.written(resource, "AWS::IAM::Role").with([
        ("AssumeRolePolicyDocument", Some(context.data(&trust))),
        ("Policies", policies),
        ("PermissionsBoundary", boundary.map(|arn| context.text(&arn))),
        ("Tags", context.tags(&tags)),
    ]);
    if !is_selfish {
        return vec![role];
    }
    // It names its own role, which a role cannot do within itself.
    let own = Written { id: format!("{}Policy", role.id), kind: "AWS::IAM::Policy", ..Written::default() };
    let own = own.with([
        ("PolicyName", Some(Node::text(POLICY))),
        ("Roles", Some(Node::List(vec![Node::reference(&role.id)]))),
        ("PolicyDocument", document),
    ]);
    vec![role, own]
}
