//! Change sets: what CloudFormation says that it would do.

use super::{described, request};
use crate::aws::{Aws, During, Failure};
use crate::kinds::absent_ok;
use auroraml_core::kinds::stack::{ChangeSet, Props, Replaced, Status, at_stake, is_data};
use aws_sdk_cloudformation::types::{
    ChangeAction, ChangeSetStatus, ExecutionStatus, PolicyAction, Replacement, ResourceChange as Changed,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Pages of a change set that are read.
const PAGES_MAX: usize = 20;
/// Stacks within stacks whose change sets are read.
const NESTED_MAX: usize = 20;

/// A change set that was asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    pub arn: String,
    /// Name of its CloudFormation stack.
    pub stack: String,
    /// Whether the stack was made for it: without it nothing is in it.
    pub is_new: bool,
}

/// The change sets of a run: those that it has asked for, and those that were reviewed with a saved plan.
#[derive(Debug, Default)]
pub struct ChangeSets {
    asked: Mutex<Vec<Asked>>,
    /// ARNs by the ids of their resources, of those that can be executed.
    ready: Mutex<BTreeMap<String, String>>,
    /// The same of a saved plan: then no others are made.
    reviewed: Option<BTreeMap<String, String>>,
}

impl ChangeSets {
    /// Those of a saved plan, and no others.
    pub fn of_review(reviewed: BTreeMap<String, String>) -> ChangeSets {
        ChangeSets { reviewed: Some(reviewed), ..ChangeSets::default() }
    }

    pub fn reviewed(&self) -> Option<&BTreeMap<String, String>> {
        self.reviewed.as_ref()
    }

    pub fn add(&self, asked: Asked) {
        held(&self.asked).push(asked);
    }

    /// One can be executed. That of a stack which is still to be made holds its name, and nothing that could be lost:
    /// nobody keeps it.
    pub fn is_ready(&self, id: &str, asked: &Asked) {
        if !asked.is_new {
            held(&self.ready).insert(id.to_owned(), asked.arn.clone());
        }
    }

    /// Those that a saved plan can be carried out with.
    pub fn ready(&self) -> BTreeMap<String, String> {
        held(&self.ready).clone()
    }

    /// Leaves these to whoever carries out the saved plan.
    pub fn keep(&self, kept: &BTreeMap<String, String>) {
        held(&self.asked).retain(|asked| !kept.values().any(|arn| *arn == asked.arn));
    }

    /// All of them; none is left.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut held(&self.asked))
    }
}

fn held<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a change set can no longer be executed, if so.
///
/// # Errors
/// When CloudFormation cannot be asked.
pub async fn stale(aws: &Aws, arn: &str) -> Result<Option<String>, Failure> {
    let request = aws.cloudformation.describe_change_set().change_set_name(arn);
    let found = absent_ok(request.send().await.during("DescribeChangeSet"))?;
    let status = found.as_ref().and_then(|found| found.execution_status());
    Ok(match status {
        Some(ExecutionStatus::Available) => None,
        Some(other) => Some(format!("is {}", other.as_str())),
        None => Some("is gone".to_owned()),
    })
}

/// What has become of a change set.
pub enum Answer {
    Pending,
    /// CloudFormation found nothing to change.
    Empty,
    Failed(String),
    /// The set, and what it does in words.
    Ready(ChangeSet, String),
}

/// Asks for a change set.
///
/// # Errors
/// When CloudFormation does not take it.
pub async fn ask(aws: &Aws, name: &str, want: &Props, live: Option<&Props>) -> Result<Asked, Failure> {
    let arn = request::ask(aws, name, want, live).await?;
    Ok(Asked { arn, stack: want.name.clone(), is_new: live.is_none() })
}

/// What CloudFormation says of it by now.
///
/// # Errors
/// When it cannot be asked.
pub async fn answer(aws: &Aws, asked: &Asked, want: &Props, live: Option<&Props>) -> Result<Answer, Failure> {
    let (mut changes, mut seen) = (Vec::new(), 0);
    let mut left = vec![(asked.arn.clone(), String::new())];
    while let Some((arn, within)) = left.pop() {
        let mut pages =
            aws.cloudformation.describe_change_set().change_set_name(&arn).into_paginator().send();
        for _ in 0..PAGES_MAX {
            let Some(page) = pages.next().await else { break };
            let page = page.during("DescribeChangeSet")?;
            match page.status() {
                Some(ChangeSetStatus::CreateComplete) => {}
                Some(ChangeSetStatus::Failed) if within.is_empty() => {
                    let why = page.status_reason().unwrap_or("CloudFormation does not say why");
                    return Ok(match request::is_empty(why) {
                        true => Answer::Empty,
                        false => Answer::Failed(why.to_owned()),
                    });
                }
                // Of a stack within it that nothing changes.
                Some(ChangeSetStatus::Failed) => break,
                _ => return Ok(Answer::Pending),
            }
            for change in page.changes().iter().filter_map(|change| change.resource_change()) {
                let id = change.logical_resource_id().unwrap_or_default();
                let path = if within.is_empty() { id.to_owned() } else { format!("{within}/{id}") };
                if let Some(nested) = change.change_set_id().filter(|_| seen < NESTED_MAX) {
                    seen += 1;
                    left.push((nested.to_owned(), path.clone()));
                }
                changes.push((path, change.clone()));
            }
        }
    }
    Ok(Answer::Ready(judged(&asked.arn, &changes, want, live), words(&changes)))
}

/// Removes the change set, and the stack that was made for it and is still empty.
///
/// # Errors
/// When CloudFormation cannot be asked.
pub async fn remove(aws: &Aws, asked: &Asked) -> Result<(), Failure> {
    // By its stack, too: of a set that is gone nobody knows whose it was.
    let request = aws.cloudformation.delete_change_set().change_set_name(&asked.arn).stack_name(&asked.stack);
    absent_ok(request.send().await.during("DeleteChangeSet"))?;
    if !asked.is_new {
        return Ok(());
    }
    let Some(stack) = described(aws, &asked.stack).await? else { return Ok(()) };
    let is_empty = stack.stack_status().is_some_and(|s| s.as_str() == Status::ReviewInProgress.word());
    match stack.stack_id().filter(|_| is_empty) {
        Some(id) => request::delete(aws, id).await,
        None => Ok(()),
    }
}

fn kind(change: &Changed) -> &str {
    change.resource_type().unwrap_or_default()
}

/// Whether something else takes the place of a resource, or may.
fn replaced(change: &Changed) -> Option<Replaced> {
    match change.replacement() {
        Some(Replacement::True) => Some(Replaced::Yes),
        Some(Replacement::Conditional) => Some(Replaced::Maybe),
        _ => None,
    }
}

/// What is lost by it, and which resources it touches.
fn judged(arn: &str, changes: &[(String, Changed)], want: &Props, live: Option<&Props>) -> ChangeSet {
    let (mut losses, mut touched) = (Vec::new(), BTreeSet::new());
    let templates = live.into_iter().chain([want]).map(|props| &props.template);
    let templates: Vec<&BTreeMap<String, String>> = templates.collect();
    for (path, change) in changes {
        touched.insert(path.split('/').next().unwrap_or(path).to_owned());
        // What is in a stack within it is told by that stack's own changes.
        let is_stack = kind(change) == "AWS::CloudFormation::Stack" && change.change_set_id().is_some();
        let has_data = !is_stack && templates.iter().any(|template| is_data(template, path, kind(change)));
        let stays =
            matches!(change.policy_action(), Some(PolicyAction::Retain | PolicyAction::ReplaceAndRetain));
        if !has_data || stays {
            continue;
        }
        match (change.action(), replaced(change)) {
            (Some(ChangeAction::Remove), _) => losses.push(at_stake(path, kind(change), None)),
            (Some(ChangeAction::Modify), Some(how)) => losses.push(at_stake(path, kind(change), Some(how))),
            _ => {}
        }
    }
    ChangeSet { arn: arn.to_owned(), losses, touched }
}

/// What it does, the worst first.
fn words(changes: &[(String, Changed)]) -> String {
    let mut by: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (path, change) in changes {
        let rank = match (change.action(), replaced(change)) {
            (Some(ChangeAction::Remove), _) => 0,
            (Some(ChangeAction::Modify), Some(Replaced::Yes)) => 1,
            (Some(ChangeAction::Modify), Some(Replaced::Maybe)) => 2,
            (Some(ChangeAction::Modify), None) => 3,
            (Some(ChangeAction::Add), _) => 4,
            _ => 5,
        };
        by.entry(rank).or_default().push(format!("{path} ({})", kind(change)));
    }
    let verbs = ["removes", "replaces", "may replace", "changes", "adds", "looks at"];
    let told = by.into_iter().map(|(rank, mut what)| {
        what.sort();
        format!("{} {}", verbs[rank], what.join(", "))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { "changes only outputs or tags".into() } else { told.join("; ") }
}
