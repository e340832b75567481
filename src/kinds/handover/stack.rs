//! How CloudFormation is asked for a stack.

use crate::aws::{Aws, During, Failure};
use crate::kinds::absent_ok;
use auroraml_core::takeover::{Part, object_name};
use auroraml_core::template::Template;
use aws_sdk_cloudformation::types::{Capability, Parameter, Stack, StackEvent, TemplateStage};
use std::collections::BTreeSet;

/// Pages of resources that are read: a stack has at most 500 (CloudFormation quotas), 100 on a page.
const PAGES_MAX: usize = 10;

/// Pages of events that are read: two updates and a cleanup of 500 resources, three events of each, 100 on a page.
const EVENT_PAGES_MAX: usize = 45;

/// What the tokens of our requests begin with; CloudFormation shows them in a stack's events.
pub const TOKEN: &str = "auroraml-release-";

/// A stack, as DescribeStacks tells of it.
#[derive(Clone, Debug)]
pub struct Described {
    pub name: String,
    pub arn: String,
    pub status: String,
    pub reason: Option<String>,
    pub termination_protection: bool,
    pub parent: Option<String>,
    /// Names of its parameters. What they are is not asked: some are secrets.
    pub parameters: Vec<String>,
    pub capabilities: Vec<String>,
    /// Names under which it exports values.
    pub exports: Vec<String>,
}

impl Described {
    /// A deleted stack shows for 90 days to whoever asks for it by its ARN (fact book, section 6.3).
    pub fn is_gone(&self) -> bool {
        self.status == "DELETE_COMPLETE"
    }
}

/// The stack of this name or ARN; none where CloudFormation knows of none.
///
/// # Errors
/// When CloudFormation cannot be asked.
pub async fn describe(aws: &Aws, stack: &str) -> Result<Option<Described>, Failure> {
    let request = aws.cloudformation.describe_stacks().stack_name(stack);
    let answer = absent_ok(request.send().await.during("DescribeStacks"))?;
    Ok(answer.and_then(|answer| answer.stacks?.into_iter().next()).map(described))
}

fn described(stack: Stack) -> Described {
    let text = |value: Option<&str>| value.unwrap_or_default().to_string();
    Described {
        name: text(stack.stack_name()),
        arn: text(stack.stack_id()),
        status: text(stack.stack_status().map(|status| status.as_str())),
        reason: stack.stack_status_reason().filter(|reason| !reason.is_empty()).map(String::from),
        termination_protection: stack.enable_termination_protection().unwrap_or_default(),
        parent: stack.parent_id().filter(|id| !id.is_empty()).map(String::from),
        parameters: stack
            .parameters()
            .iter()
            .filter_map(|one| one.parameter_key())
            .map(String::from)
            .collect(),
        capabilities: stack.capabilities().iter().map(|one| one.as_str().to_string()).collect(),
        exports: stack.outputs().iter().filter_map(|one| one.export_name()).map(String::from).collect(),
    }
}

/// Whether the last thing that was asked of the stack was asked by a run of ours.
///
/// # Errors
/// When CloudFormation cannot be asked.
pub async fn is_ours(aws: &Aws, stack: &str) -> Result<bool, Failure> {
    // The newest come first (API reference, DescribeStackEvents): one page is enough.
    let request = aws.cloudformation.describe_stack_events().stack_name(stack);
    let answer = absent_ok(request.send().await.during("DescribeStackEvents"))?;
    let events = answer.iter().flat_map(|answer| answer.stack_events());
    let newest = events.max_by_key(|event| event.timestamp().and_then(|at| at.to_millis().ok()));
    let token = newest.and_then(|event| event.client_request_token());
    Ok(token.is_some_and(|token| token.starts_with(TOKEN)))
}

/// What a run of ours had CloudFormation let go of and CloudFormation deleted, of a stack that still stands: its
/// resources are listed no more, and only the events tell `DELETE_SKIPPED` from `DELETE_COMPLETE`. Logical ids.
///
/// # Errors
/// When CloudFormation cannot be asked.
pub async fn deleted_by_us(aws: &Aws, stack: &str) -> Result<Vec<String>, Failure> {
    let is_ours =
        |event: &StackEvent| event.client_request_token().is_some_and(|token| token.starts_with(TOKEN));
    let mut pages = aws.cloudformation.describe_stack_events().stack_name(stack).into_paginator().send();
    let mut deleted = BTreeSet::new();
    for _ in 0..EVENT_PAGES_MAX {
        let Some(page) = pages.next().await else { break };
        let Some(page) = absent_ok(page.during("DescribeStackEvents"))? else { break };
        // The newest come first: before ours there is nothing of ours.
        if !page.stack_events().iter().any(is_ours) {
            break;
        }
        let gone = page.stack_events().iter().filter(|event| {
            is_ours(event)
                && event.resource_status().is_some_and(|status| status.as_str() == "DELETE_COMPLETE")
                && event.physical_resource_id() != event.stack_id()
        });
        deleted.extend(gone.filter_map(|event| event.logical_resource_id()).map(String::from));
    }
    Ok(deleted.into_iter().collect())
}

/// All resources that CloudFormation lists, those of a deleted stack included where it is named by its ARN.
///
/// # Errors
/// When CloudFormation cannot be asked.
pub async fn resources(aws: &Aws, stack: &str) -> Result<Vec<Part>, Failure> {
    let mut pages = aws.cloudformation.list_stack_resources().stack_name(stack).into_paginator().send();
    let mut all = Vec::new();
    for _ in 0..PAGES_MAX {
        let Some(page) = pages.next().await else { break };
        let Some(page) = absent_ok(page.during("ListStackResources"))? else { break };
        for one in page.stack_resource_summaries() {
            let text = |value: Option<&str>| value.unwrap_or_default().to_string();
            let (kind, physical) = (text(one.resource_type()), text(one.physical_resource_id()));
            all.push(Part {
                logical: text(one.logical_resource_id()),
                object: object_name(&kind, &physical),
                kind,
                physical,
                status: text(one.resource_status().map(|status| status.as_str())),
            });
        }
    }
    Ok(all)
}

/// The template as it was written, not as macros made it.
///
/// # Errors
/// When CloudFormation cannot be asked, or the template cannot be read.
pub async fn template(aws: &Aws, stack: &str) -> Result<Template, Failure> {
    let request = aws.cloudformation.get_template().stack_name(stack).template_stage(TemplateStage::Original);
    let answer = request.send().await.during("GetTemplate")?;
    let text = answer.template_body().unwrap_or_default();
    Template::parse(text).map_err(|problems| {
        let first = problems.iter().next().map(ToString::to_string).unwrap_or_default();
        Failure::refused("GetTemplate", format!("the template of {stack} cannot be read: {first}"))
    })
}

/// Every parameter as it is: some are secrets, which nobody is told.
pub fn previous(found: &Described) -> Vec<Parameter> {
    let all = found.parameters.iter();
    all.map(|name| Parameter::builder().parameter_key(name).use_previous_value(true).build()).collect()
}

/// What was acknowledged when the stack was made, and what its template needs.
pub fn capabilities(found: &Described, template: &Template) -> Vec<Capability> {
    let needed = template.capabilities().into_iter().map(|one| one.name().to_string());
    let mut all: Vec<String> = found.capabilities.iter().cloned().chain(needed).collect();
    all.sort();
    all.dedup();
    all.iter().map(|name| Capability::from(name.as_str())).collect()
}
