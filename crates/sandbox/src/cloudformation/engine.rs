//! What stacks do by themselves as time passes.
//!
//! A stack with something under way has a time at which it does the next thing. Whenever a request comes in, everything
//! whose time has come is done, in order of time, each with the requests of its own time. So the result depends on the
//! world and the time alone.

use super::around::{Around, known, with_scope};
use super::jobs::{self, Ended};
use super::plan;
use super::state::{
    Action, CloudFormation, Event, Goal, Job, Operation, Output, Phase, Progress, Resource, Stack,
};
use super::template::Template;
use super::undo;
use super::work::Services;
use crate::wire::Fault;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// More than the longest operation ever does between two requests.
const ROUNDS_MAX: usize = 200_000;
/// Resources that are worked on at a time. CloudFormation says no number.
const AT_ONCE: usize = 40;

impl CloudFormation {
    /// Whether anything happens by itself.
    pub(crate) fn is_busy(&self) -> bool {
        self.made
            .values()
            .any(|stack| stack.operation.as_ref().is_some_and(|operation| !operation.is_stuck()))
    }

    /// Lets all stacks do what they do until `now`.
    pub(crate) fn pass(&mut self, region: &str, now: u64, services: &mut dyn Services) {
        for _ in 0..ROUNDS_MAX {
            let next = self.made.values().filter_map(|stack| {
                let operation = stack.operation.as_ref().filter(|operation| !operation.is_stuck())?;
                Some((operation.wake, stack.id.clone()))
            });
            let Some((at, id)) = next.min().filter(|(at, _)| *at <= now) else { return };
            let Some(mut stack) = self.made.remove(&id) else { return };
            let mut around = self.around(region, &id, services);
            // A stack can have others within it: they are where its requests find them.
            std::mem::swap(self, around.services.stacks());
            advance(&mut stack, at, &mut around);
            std::mem::swap(self, around.services.stacks());
            let unused = stack.unused_sets();
            self.made.insert(id, stack);
            self.forget_sets(unused, at);
        }
    }

    pub(super) fn exports(&self) -> BTreeMap<String, String> {
        let live = self.made.values().filter(|stack| stack.deleted.is_none());
        let outputs = live.flat_map(|stack| &stack.outputs);
        outputs.filter_map(|output| Some((output.export.clone()?, output.value.clone()))).collect()
    }

    pub(super) fn around<'a>(
        &self,
        region: &'a str,
        own: &str,
        services: &'a mut dyn Services,
    ) -> Around<'a> {
        let others = self.made.values().filter(|stack| stack.id != own && stack.deleted.is_none());
        let used =
            others.flat_map(|stack| stack.imports.iter().map(|name| (name.clone(), stack.name.clone())));
        let zones = crate::ec2::zones::zones(region).into_iter().map(|zone| zone.name).collect();
        Around { used: used.collect(), exports: self.exports(), services, region, zones }
    }
}

impl Operation {
    /// Waits for somebody to say how it goes on.
    pub(super) fn is_stuck(&self) -> bool {
        self.wake == u64::MAX
    }
}

impl Stack {
    /// A line in the events.
    pub(super) fn note(
        &mut self,
        at: u64,
        logical: &str,
        resource: Option<&Resource>,
        status: &str,
        reason: Option<String>,
    ) {
        let number = self.events.len();
        let (physical, kind, properties) = match resource {
            Some(resource) => {
                let shown = (!resource.properties.is_null()).then(|| resource.properties.to_string());
                (resource.physical.clone(), resource.kind.clone(), shown)
            }
            None => (self.id.clone(), "AWS::CloudFormation::Stack".to_string(), None),
        };
        let id = match resource {
            Some(_) => format!("{logical}-{status}-{number:06}"),
            None => format!("{}-{number:06}", self.id.rsplit('/').next().unwrap_or_default()),
        };
        let token = self.token.clone();
        self.events.push(Event {
            id,
            at,
            logical: logical.to_string(),
            physical,
            kind,
            status: status.to_string(),
            reason,
            properties,
            token,
        });
    }

    pub(super) fn become_(&mut self, at: u64, status: &str, reason: Option<String>) {
        self.status = status.to_string();
        self.reason.clone_from(&reason);
        let name = self.name.clone();
        self.note(at, &name, None, status, reason);
    }

    /// A resource of the stack in a new status.
    pub(super) fn resource_is(
        &mut self,
        at: u64,
        logical: &str,
        resource: &Resource,
        status: &str,
        reason: Option<String>,
    ) {
        self.note(at, logical, Some(resource), status, reason.clone());
        // The end of an object that was replaced is not that of its successor.
        let is_it = |kept: &&mut Resource| {
            kept.kind == resource.kind
                && (kept.physical == resource.physical || !status.starts_with("DELETE"))
        };
        if let Some(kept) = self.resources.get_mut(logical).filter(is_it) {
            kept.status = status.to_string();
            kept.reason = reason;
            kept.changed = at;
        }
    }
}

fn advance(stack: &mut Stack, at: u64, around: &mut Around<'_>) {
    let Some(mut operation) = stack.operation.take() else { return };
    let phase = operation.phase;
    for index in 0..operation.jobs.len() {
        let is_due = matches!(operation.jobs[index].progress, Progress::Running { next, .. } if next <= at);
        if is_due {
            jobs::run(stack, &mut operation, index, at, around);
        }
    }
    let failed = operation.jobs.iter().any(|job| job.progress == Progress::Failed);
    // Nothing new begins once something failed, except where one deletes what one can.
    if !failed || matches!(phase, Phase::Cleanup | Phase::Rollback | Phase::UndoCleanup | Phase::Delete) {
        start(stack, &mut operation, at, around);
    }
    let failed = operation.jobs.iter().any(|job| job.progress == Progress::Failed);
    if failed && phase == Phase::Apply {
        jobs::cancel(stack, &mut operation, at);
    }
    let next = operation.jobs.iter().filter_map(|job| match job.progress {
        Progress::Running { next, .. } => Some(next),
        _ => None,
    });
    let deadline = stack.timeout_minutes.map(|minutes| stack.created + minutes * 60_000);
    let deadline = deadline.filter(|_| operation.goal == Goal::Create && phase == Phase::Apply);
    match (next.min(), deadline) {
        (Some(_), Some(deadline)) if deadline <= at => {
            jobs::cancel(stack, &mut operation, at);
            stack.operation = Some(operation);
            end(stack, at, around, true);
        }
        (Some(next), deadline) => {
            operation.wake = deadline.map_or(next, |deadline| next.min(deadline));
            stack.operation = Some(operation);
        }
        (None, _) => {
            stack.operation = Some(operation);
            end(stack, at, around, false);
        }
    }
}

fn start(stack: &mut Stack, operation: &mut Operation, at: u64, around: &mut Around<'_>) {
    // One start can make room for another at the same time: what changes nothing is done at once.
    loop {
        let running =
            operation.jobs.iter().filter(|job| matches!(job.progress, Progress::Running { .. })).count();
        let is_done = |name: &String| {
            let mut jobs = operation.jobs.iter().filter(|job| job.logical == *name);
            jobs.all(|job| job.progress == Progress::Done)
        };
        let ready: Vec<usize> = (0..operation.jobs.len())
            .filter(|index| operation.jobs[*index].progress == Progress::Waiting)
            .filter(|index| operation.jobs[*index].after.iter().all(is_done))
            .take(AT_ONCE.saturating_sub(running))
            .collect();
        if ready.is_empty() {
            return;
        }
        for index in ready {
            if !jobs::begin(stack, operation, index, at, around) {
                return;
            }
        }
    }
}

/// Nothing runs any more, and nothing can begin.
fn end(stack: &mut Stack, at: u64, around: &mut Around<'_>, timed_out: bool) {
    let Some(operation) = stack.operation.take() else { return };
    let failed: Vec<String> = operation
        .jobs
        .iter()
        .filter(|job| job.progress == Progress::Failed)
        .map(|job| job.logical.clone())
        .collect();
    let ended =
        if failed.is_empty() && !timed_out { Ended::Well } else { Ended::Badly { failed, timed_out } };
    stack.operation = Some(operation);
    match ended {
        Ended::Well => well(stack, at, around),
        Ended::Badly { failed, timed_out } => badly(stack, at, around, &failed, timed_out),
    }
}

fn well(stack: &mut Stack, at: u64, around: &mut Around<'_>) {
    let Some(mut operation) = stack.operation.take() else { return };
    let (goal, phase) = (operation.goal, operation.phase);
    match (goal, phase) {
        (_, Phase::Apply) => {
            let target = operation.target.clone();
            match outputs(stack, &target, around) {
                Err(fault) => {
                    stack.operation = Some(operation);
                    failed_apply(stack, at, fault.message);
                }
                Ok((outputs, imports)) => {
                    stack.source = target;
                    stack.outputs = outputs;
                    stack.imports = imports;
                    let gone: Vec<String> = stack
                        .resources
                        .keys()
                        .filter(|name| !operation.jobs.iter().any(|job| job.logical == **name))
                        .cloned()
                        .collect();
                    for name in gone {
                        if let Some(resource) = stack.resources.remove(&name) {
                            operation.leftovers.push((name, resource));
                        }
                    }
                    if goal == Goal::Update {
                        operation.phase = Phase::Cleanup;
                        operation.jobs = undo::deletions(std::mem::take(&mut operation.leftovers));
                        operation.wake = at;
                        stack.operation = Some(operation);
                        stack.become_(at, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None);
                    } else {
                        let status = if goal == Goal::Import { "IMPORT_COMPLETE" } else { "CREATE_COMPLETE" };
                        stack.become_(at, status, None);
                    }
                }
            }
        }
        (_, Phase::Undo) => {
            stack.source.clone_from(&operation.before);
            operation.phase = Phase::UndoCleanup;
            operation.jobs = undo::deletions(std::mem::take(&mut operation.leftovers));
            operation.wake = at;
            let name = if goal == Goal::Import { "IMPORT" } else { "UPDATE" };
            stack.operation = Some(operation);
            match name {
                "UPDATE" => stack.become_(at, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", None),
                _ => well(stack, at, around),
            }
        }
        (_, Phase::Cleanup | Phase::UndoCleanup | Phase::Rollback) => {
            let status = match (phase, goal) {
                (Phase::Cleanup, _) => "UPDATE_COMPLETE",
                (Phase::UndoCleanup, Goal::Import) => "IMPORT_ROLLBACK_COMPLETE",
                (Phase::UndoCleanup, _) => "UPDATE_ROLLBACK_COMPLETE",
                _ => "ROLLBACK_COMPLETE",
            };
            stack.become_(at, status, None);
        }
        (_, Phase::Delete) => {
            stack.deleted = Some(at);
            stack.outputs.clear();
            stack.imports.clear();
            stack.become_(at, "DELETE_COMPLETE", None);
        }
    }
}

fn badly(stack: &mut Stack, at: u64, around: &mut Around<'_>, failed: &[String], timed_out: bool) {
    let Some(phase) = stack.operation.as_ref().map(|operation| operation.phase) else { return };
    let names = failed.join(", ");
    match phase {
        Phase::Apply => {
            let goal = stack.operation.as_ref().map(|operation| operation.goal);
            let word = match goal {
                Some(Goal::Create) => "create",
                Some(Goal::Import) => "import",
                _ => "update",
            };
            let why = match timed_out {
                true => "Stack creation time exceeded the specified timeout".to_string(),
                false => format!("The following resource(s) failed to {word}: [{names}]."),
            };
            failed_apply(stack, at, why);
        }
        // Deletions that failed in a cleanup are noted with the resource; the stack goes on (CloudFormation User Guide,
        // "Stack status codes": UPDATE_COMPLETE_CLEANUP_IN_PROGRESS).
        Phase::Cleanup | Phase::UndoCleanup => well(stack, at, around),
        Phase::Rollback => {
            stack.become_(
                at,
                "ROLLBACK_FAILED",
                Some(format!("The following resource(s) failed to delete: [{names}]. ")),
            );
            stack.operation = None;
        }
        Phase::Undo => {
            let why = format!("The following resource(s) failed to update: [{names}]. ");
            stack.become_(at, "UPDATE_ROLLBACK_FAILED", Some(why));
            if let Some(operation) = &mut stack.operation {
                operation.wake = u64::MAX;
            }
        }
        Phase::Delete => {
            let why = format!("The following resource(s) failed to delete: [{names}]. ");
            stack.become_(at, "DELETE_FAILED", Some(why));
            stack.operation = None;
        }
    }
}

/// A creation or an update came to its end without success.
pub(super) fn failed_apply(stack: &mut Stack, at: u64, why: String) {
    let Some(mut operation) = stack.operation.take() else { return };
    let rolled = format!("{why} Rollback requested by user.");
    match operation.goal {
        Goal::Create if stack.on_failure == "DO_NOTHING" || !operation.rolls_back => {
            stack.become_(at, "CREATE_FAILED", Some(why));
        }
        Goal::Create | Goal::Delete => {
            operation.phase = if stack.on_failure == "DELETE" { Phase::Delete } else { Phase::Rollback };
            operation.jobs = undo::deletions(stack.resources.clone().into_iter().collect());
            operation.wake = at;
            let (status, why) = match operation.phase {
                Phase::Delete => ("DELETE_IN_PROGRESS", why),
                _ => ("ROLLBACK_IN_PROGRESS", rolled),
            };
            stack.operation = Some(operation);
            stack.become_(at, status, Some(why));
        }
        Goal::Update if !operation.rolls_back => {
            stack.become_(at, "UPDATE_FAILED", Some(why));
        }
        Goal::Update | Goal::Import => {
            let status = match operation.goal {
                Goal::Import => "IMPORT_ROLLBACK_IN_PROGRESS",
                _ => "UPDATE_ROLLBACK_IN_PROGRESS",
            };
            let why = if operation.goal == Goal::Import {
                why
            } else {
                why.replace(" Rollback requested by user.", "")
            };
            operation.phase = Phase::Undo;
            undo::undo(stack, &mut operation);
            operation.wake = at;
            stack.operation = Some(operation);
            stack.become_(at, status, Some(why));
        }
    }
}

type Outputs = (Vec<Output>, Vec<String>);

/// The outputs of the template, and the exports that it uses.
fn outputs(stack: &Stack, target: &super::state::Source, around: &Around<'_>) -> Result<Outputs, Fault> {
    let resources = &stack.resources;
    let find = |name: &str, attribute: Option<&str>| known(resources, name, attribute);
    let (outputs, imports) = with_scope(stack, target, around, &find, plan::outputs)?;
    for output in &outputs {
        let Some(export) = &output.export else { continue };
        let taken = around.exports.contains_key(export)
            && !stack.outputs.iter().any(|own| own.export.as_ref() == Some(export));
        if taken {
            return Err(super::template::refused(format!(
                "Export with name {export} is already exported by another stack."
            )));
        }
    }
    for old in &stack.outputs {
        let Some(export) = &old.export else { continue };
        let Some(user) = around.used.get(export) else { continue };
        let same = outputs.iter().find(|output| output.export.as_ref() == Some(export));
        match same {
            None => {
                return Err(super::template::refused(format!(
                    "Export {export} cannot be deleted as it is in use by {user}"
                )));
            }
            Some(new) if new.value != old.value => {
                return Err(super::template::refused(format!(
                    "Export {export} cannot be updated as it is in use by {user}"
                )));
            }
            Some(_) => {}
        }
    }
    Ok((outputs, imports))
}

/// The jobs of a template: one for each resource that it wants, after those that it needs.
pub(super) fn applications(template: &Template, wanted: &[String], imported: &BTreeSet<String>) -> Vec<Job> {
    let job = |name: &String| {
        let after: Vec<String> =
            template.waits_for(name).into_iter().filter(|other| wanted.contains(other)).collect();
        let kind = template.resource(name).map(|resource| resource.kind.to_string()).unwrap_or_default();
        let action = if imported.contains(name) { Action::Import } else { Action::Apply };
        Job {
            logical: name.clone(),
            action,
            progress: Progress::Waiting,
            after,
            resource: Resource { kind, ..Resource::default() },
            from: Value::Null,
            touched: false,
        }
    };
    wanted.iter().map(job).collect()
}
