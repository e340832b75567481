//! What is in a stack: how far its resources are, and what failed first.

use crate::aws::{Aws, During, Failure};
use crate::kinds::absent_ok;
use auroraml_core::kinds::stack::{StackEvent, first_cause, last_cause};

/// Pages of events or resources that are read: 100 of each to a page.
const PAGES_MAX: usize = 5;
/// Stacks within stacks that are followed to the cause of a failure.
const DEPTH_MAX: usize = 4;
/// Resources at work that are named.
const NAMED_MAX: usize = 3;

/// What failed first in the last operation, as a sentence's part.
pub(super) async fn cause(aws: &Aws, id: &str) -> Result<Option<String>, Failure> {
    let mut id = id.to_owned();
    let mut told = Vec::new();
    for depth in 0..DEPTH_MAX {
        let is_within = depth > 0;
        let events = events(aws, &id, is_within).await?;
        // A stack within it may be deleted by now, because of the very failure that is looked for.
        let first = if is_within { last_cause(&events) } else { first_cause(&events) };
        let Some(first) = first else { break };
        told.push(first.words());
        // A stack within it failed: why is told there.
        if first.is_stack || first.kind != "AWS::CloudFormation::Stack" || first.physical_id.is_empty() {
            break;
        }
        id.clone_from(&first.physical_id);
    }
    Ok((!told.is_empty()).then(|| told.join(", because ")))
}

/// The events of the last operation, or of all, the newest first.
async fn events(aws: &Aws, id: &str, of_all: bool) -> Result<Vec<StackEvent>, Failure> {
    let mut pages = aws.cloudformation.describe_stack_events().stack_name(id).into_paginator().send();
    let mut found = Vec::new();
    for _ in 0..PAGES_MAX {
        let Some(page) = pages.next().await else { break };
        let Some(page) = absent_ok(page.during("DescribeStackEvents"))? else { break };
        for event in page.stack_events() {
            let physical_id = event.physical_resource_id().unwrap_or_default().to_owned();
            found.push(StackEvent {
                logical_id: event.logical_resource_id().unwrap_or_default().to_owned(),
                kind: event.resource_type().unwrap_or_default().to_owned(),
                is_stack: Some(physical_id.as_str()) == event.stack_id(),
                physical_id,
                status: event.resource_status().map(|s| s.as_str().to_owned()).unwrap_or_default(),
                reason: event.resource_status_reason().unwrap_or_default().to_owned(),
            });
        }
        let is_begin = |event: &StackEvent| event.is_stack && event.reason == "User Initiated";
        if !of_all && found.iter().any(is_begin) {
            break;
        }
    }
    Ok(found)
}

/// How far CloudFormation is: `12/38 done; running: Cluster, Gateway`.
pub(super) async fn progress(aws: &Aws, id: &str) -> Result<Option<String>, Failure> {
    let mut pages = aws.cloudformation.list_stack_resources().stack_name(id).into_paginator().send();
    let (mut all, mut done, mut at_work) = (0_usize, 0_usize, Vec::new());
    for _ in 0..PAGES_MAX {
        let Some(page) = pages.next().await else { break };
        let Some(page) = absent_ok(page.during("ListStackResources"))? else { return Ok(None) };
        for resource in page.stack_resource_summaries() {
            let status = resource.resource_status().map(|status| status.as_str()).unwrap_or_default();
            all += 1;
            done += usize::from(status.ends_with("_COMPLETE"));
            if status.ends_with("_IN_PROGRESS") {
                at_work.push(resource.logical_resource_id().unwrap_or_default().to_owned());
            }
        }
    }
    if all == 0 {
        return Ok(None);
    }
    at_work.sort();
    let more = at_work.len().saturating_sub(NAMED_MAX);
    at_work.truncate(NAMED_MAX);
    let mut told = format!("{done}/{all} done");
    if !at_work.is_empty() {
        told.push_str(&format!("; running: {}", at_work.join(", ")));
    }
    if more > 0 {
        told.push_str(&format!(" and {more} more"));
    }
    Ok(Some(told))
}
