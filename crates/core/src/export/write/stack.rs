//! A template of the user's, as a stack within the stack.

use super::super::context::{Context, Written};
use super::super::node::Node;
use super::super::{secret_parameter, template_parameter};
use super::props;
use crate::kinds::stack::{HIDDEN, Props};
use crate::resource::Resource;

pub fn write(context: &Context<'_>, resource: &Resource) -> Vec<Written> {
    let logical = context.logical(&resource.id);
    // CloudFormation names what is nested, and protects it with the stack around it: both are told.
    let Props { name: _, template: _, parameters, termination_protection: _, stack_tags, request } =
        props(resource);
    let environment = request.unwrap_or_default().environment;
    let parameters = parameters.iter().filter_map(|(name, value)| {
        let node = match value {
            _ if environment.contains_key(name) => Node::reference(&secret_parameter(&logical, name)),
            // The template's own default.
            value if *value == HIDDEN.into() => return None,
            value => context.input(value),
        };
        Some((name.clone(), node))
    });
    let parameters = Node::Map(parameters.collect());
    let stack = context
        .written(resource, "AWS::CloudFormation::Stack")
        .skip("CKV_AWS_124", "who is told of its events says whoever creates the stack around it")
        .with([
            ("TemplateURL", Some(Node::reference(&template_parameter(&logical)))),
            ("Parameters", Some(parameters).filter(|parameters| !parameters.is_empty())),
            ("Tags", context.tags(&stack_tags)),
        ]);
    vec![stack]
}
