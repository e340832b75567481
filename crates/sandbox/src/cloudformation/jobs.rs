//! One resource's part in what a stack does: which requests are due, what a refusal means, and what is noted.

use super::around::{Around, is_tagged, known, with_scope};
use super::kinds::STACK;
use super::plan::{self, Change};
use super::refusals::{is_gone, patience, told};
use super::state::{Above, Action, Job, Operation, Phase, Progress, Resource, Stack};
use super::types;
use super::work::{Family, Outcome, Step, Work};
use crate::random::Mood;
use serde_json::Value;
use std::collections::BTreeMap;

/// How often CloudFormation looks. The RDS handlers look every 30 s (fact book on the original stacks, A3); for others
/// nobody says.
const POLL_MS: u64 = 10_000;
/// How long what is new may not be seen.
const UNSEEN_MS: u64 = 120_000;
/// Steps of one resource in a row.
const STEPS_MAX: usize = 1_000;
/// Stands for the end of all steps, some seconds before CloudFormation says so.
const SETTLING: u32 = u32::MAX;

/// How an operation's jobs came to their end.
pub(super) enum Ended {
    Well,
    Badly { failed: Vec<String>, timed_out: bool },
}

/// Begins with a job, unless what it needs cannot be said. Gives whether others may begin after it.
pub(super) fn begin(
    stack: &mut Stack,
    operation: &mut Operation,
    index: usize,
    at: u64,
    around: &mut Around<'_>,
) -> bool {
    match operation.phase {
        Phase::Apply => apply(stack, operation, index, at, around),
        _ => {
            let job = &mut operation.jobs[index];
            if job.action == Action::Delete {
                begin_deletion(stack, operation, index, at, around);
            } else {
                job.progress = Progress::Running { stage: 0, since: at, next: at };
                let (logical, resource) = (job.logical.clone(), job.resource.clone());
                stack.resource_is(at, &logical, &resource, "UPDATE_IN_PROGRESS", None);
                run(stack, operation, index, at, around);
            }
            true
        }
    }
}

fn apply(
    stack: &mut Stack,
    operation: &mut Operation,
    index: usize,
    at: u64,
    around: &mut Around<'_>,
) -> bool {
    let logical = operation.jobs[index].logical.clone();
    let resources = &stack.resources;
    let find = |name: &str, attribute: Option<&str>| known(resources, name, attribute);
    let wanted = with_scope(stack, &operation.target, around, &find, |template, scope| {
        plan::resource(template, scope, &logical)
    });
    let job = &mut operation.jobs[index];
    let mut wanted = match wanted {
        Ok(wanted) => wanted,
        Err(fault) => {
            job.progress = Progress::Failed;
            fail(
                stack,
                &logical,
                Resource { kind: job.resource.kind.clone(), ..Resource::default() },
                at,
                fault.message,
            );
            return false;
        }
    };
    let existing = stack.resources.get(&logical).cloned();
    let retagged = operation.target.tags != stack.source.tags && is_tagged(&wanted.kind);
    let change = existing.as_ref().map(|existing| plan::change(existing, &wanted));
    let status = match (job.action, &existing, &change) {
        (Action::Import, ..) => {
            wanted.physical = String::new();
            "IMPORT_IN_PROGRESS"
        }
        (_, None, _) => {
            job.action = Action::Create;
            "CREATE_IN_PROGRESS"
        }
        // What a stack within would change, only that one can tell.
        (_, Some(existing), Some(Change::Nothing)) if !retagged && wanted.kind != STACK => {
            // Policies and metadata are kept without asking any service (ministack #1646).
            let kept = Resource {
                deletion_policy: wanted.deletion_policy,
                update_replace_policy: wanted.update_replace_policy,
                metadata: wanted.metadata,
                needs: wanted.needs,
                ..existing.clone()
            };
            stack.resources.insert(logical, kept);
            job.progress = Progress::Done;
            return true;
        }
        (_, Some(existing), Some(Change::Replace(_))) => {
            if let Some(why) = plan::cannot_be_replaced(existing, &wanted, &logical) {
                job.progress = Progress::Failed;
                fail(stack, &logical, Resource { status: "UPDATE".into(), ..existing.clone() }, at, why);
                return false;
            }
            job.action = Action::Replace;
            "UPDATE_IN_PROGRESS"
        }
        (_, Some(existing), _) => {
            job.action = Action::Update;
            job.from = existing.properties.clone();
            wanted.physical.clone_from(&existing.physical);
            wanted.attributes.clone_from(&existing.attributes);
            "UPDATE_IN_PROGRESS"
        }
    };
    job.resource = wanted;
    job.progress = Progress::Running { stage: 0, since: at, next: at };
    let replaced = job.action == Action::Replace;
    let mut shown = job.resource.clone();
    if let (true, Some(existing)) = (replaced, &existing) {
        shown.physical.clone_from(&existing.physical);
    }
    if !replaced {
        let mut kept = job.resource.clone();
        if let Some(existing) = existing {
            // Until the change is through, it is what it was.
            kept.properties = existing.properties;
        }
        stack.resources.insert(logical.clone(), kept);
    }
    let why = replaced.then(|| {
        "Requested update requires the creation of a new physical resource; hence creating one.".to_string()
    });
    stack.resource_is(at, &logical, &shown, status, why);
    run(stack, operation, index, at, around);
    true
}

fn begin_deletion(
    stack: &mut Stack,
    operation: &mut Operation,
    index: usize,
    at: u64,
    around: &mut Around<'_>,
) {
    let phase = operation.phase;
    let job = &mut operation.jobs[index];
    let (logical, resource) = (job.logical.clone(), job.resource.clone());
    let replaced = stack.resources.get(&logical).is_some_and(|kept| kept.physical != resource.physical);
    let policy = match (phase, replaced) {
        // What a failed update made is no data of anybody's.
        (Phase::UndoCleanup, _) => Some("Delete"),
        (Phase::Cleanup, true) => resource.update_replace_policy.as_deref(),
        (Phase::Rollback, _) if stack.undoes_all => Some("Delete"),
        (Phase::Rollback, _) => resource.deletion_policy.as_deref().filter(|policy| *policy == "Retain"),
        _ => resource.deletion_policy.as_deref(),
    };
    let is_retained = matches!(policy, Some("Retain" | "RetainExceptOnCreate"))
        || phase == Phase::Delete && operation.retained.contains(&logical);
    if is_retained {
        job.progress = Progress::Done;
        stack.resource_is(at, &logical, &resource, "DELETE_SKIPPED", None);
        return;
    }
    if resource.physical.is_empty() {
        job.progress = Progress::Done;
        stack.resource_is(at, &logical, &resource, "DELETE_COMPLETE", None);
        return;
    }
    job.progress = Progress::Running { stage: 0, since: at, next: at };
    stack.resource_is(at, &logical, &resource, "DELETE_IN_PROGRESS", None);
    run(stack, operation, index, at, around);
}

fn fail(stack: &mut Stack, logical: &str, resource: Resource, at: u64, why: String) {
    let status = match stack.resources.get(logical) {
        Some(kept) if !kept.physical.is_empty() && !kept.status.starts_with("CREATE") => "UPDATE_FAILED",
        _ => "CREATE_FAILED",
    };
    stack.resources.entry(logical.to_string()).or_insert_with(|| resource.clone());
    stack.resource_is(at, logical, &resource, status, Some(why));
}

/// The words in which statuses speak of a job.
fn word(job: &Job) -> &'static str {
    match job.action {
        Action::Create => "CREATE",
        Action::Import => "IMPORT",
        Action::Delete => "DELETE",
        _ => "UPDATE",
    }
}

/// Does what is due in a running job.
pub(super) fn run(
    stack: &mut Stack,
    operation: &mut Operation,
    index: usize,
    at: u64,
    around: &mut Around<'_>,
) {
    let Progress::Running { mut stage, since, .. } = operation.jobs[index].progress else { return };
    for _ in 0..STEPS_MAX {
        if stage == SETTLING {
            complete(stack, operation, index, at);
            return;
        }
        let had = operation.jobs[index].resource.physical.clone();
        let outcome = step(stack, operation, index, at, stage, around);
        let job = &mut operation.jobs[index];
        job.touched = true;
        if had.is_empty() && !job.resource.physical.is_empty() {
            made(stack, job, at, around);
        }
        let job = &mut operation.jobs[index];
        let next = match outcome {
            Ok(Step::Next) => {
                stage += 1;
                continue;
            }
            Ok(Step::Pause) => {
                stage += 1;
                at + pause(around)
            }
            Ok(Step::Later) => at + POLL_MS,
            Ok(Step::Done) => {
                stage = SETTLING;
                let settle = match job.action {
                    Action::Delete => around.services.random().duration(0.5, 1.0, 3.0),
                    _ => around.services.random().duration(2.0, 4.0, 10.0),
                };
                if settle == 0 {
                    continue;
                }
                at + settle
            }
            // What was just made may not be seen yet, and would be left behind (EC2 Developer Guide,
            // "Eventual consistency").
            Err(fault) if is_unseen(job, stage, &fault, at) => at + POLL_MS,
            Err(fault) if job.action == Action::Delete && is_gone(&fault) => {
                stage = SETTLING;
                continue;
            }
            Err(fault) if at < since + patience(job, &fault) => at + POLL_MS,
            Err(fault) => {
                job.progress = Progress::Failed;
                let (logical, resource) = (job.logical.clone(), job.resource.clone());
                let status = format!("{}_FAILED", word(job));
                let why = told(&fault, &resource.kind, stack);
                stack.resource_is(at, &logical, &resource, &status, Some(why));
                return;
            }
        };
        job.progress = Progress::Running { stage, since, next };
        return;
    }
}

/// Whether a deletion finds nothing where something was made or changed a moment ago.
fn is_unseen(job: &Job, stage: u32, fault: &crate::wire::Fault, at: u64) -> bool {
    let is_new = at < job.resource.changed + UNSEEN_MS;
    job.action == Action::Delete && stage == 0 && is_new && is_gone(fault)
}

fn pause(around: &mut Around<'_>) -> u64 {
    if around.services.random().mood == Mood::Instant { 0 } else { POLL_MS }
}

/// The object is there: it is known by its id from now on, and has the tags that nobody else can set.
fn made(stack: &mut Stack, job: &Job, at: u64, around: &mut Around<'_>) {
    let (logical, resource) = (&job.logical, &job.resource);
    if job.action == Action::Replace {
        stack.resources.insert(logical.clone(), resource.clone());
    } else if let Some(kept) = stack.resources.get_mut(logical) {
        kept.physical.clone_from(&resource.physical);
        kept.attributes.clone_from(&resource.attributes);
    }
    let tags = system_tags(stack, logical);
    if let Some((service, id)) = marked(resource) {
        around.services.mark(around.region, service, &id, &tags);
    }
    if job.action != Action::Import {
        let status = format!("{}_IN_PROGRESS", word(job));
        stack.resource_is(at, logical, resource, &status, Some("Resource creation Initiated".into()));
    }
}

/// "Resource tags" of the CloudFormation User Guide.
fn system_tags(stack: &Stack, logical: &str) -> Vec<(String, String)> {
    vec![
        ("aws:cloudformation:logical-id".into(), logical.to_string()),
        ("aws:cloudformation:stack-id".into(), stack.id.clone()),
        ("aws:cloudformation:stack-name".into(), stack.name.clone()),
    ]
}

/// The service and the id by which an object can be given tags.
fn marked(resource: &Resource) -> Option<(&'static str, String)> {
    let id = resource.physical.clone();
    if !is_tagged(&resource.kind) {
        return None;
    }
    let service = resource.kind.split("::").nth(1)?;
    Some(match (service, resource.kind.as_str()) {
        (_, "AWS::EC2::EIP") => ("ec2", resource.attributes.get("AllocationId").cloned().unwrap_or_default()),
        ("EC2", _) => ("ec2", id),
        ("S3", _) => ("s3", id),
        ("KMS", _) => ("kms", id),
        ("SecretsManager", _) => ("secretsmanager", id),
        ("IAM", _) => ("iam", id),
        ("SageMaker", _) => ("sagemaker", id),
        ("CloudWatch", _) => ("monitoring", id),
        (_, kind) => {
            let sort = match kind {
                "AWS::RDS::DBSubnetGroup" => "subgrp",
                "AWS::RDS::DBClusterParameterGroup" => "cluster-pg",
                "AWS::RDS::DBParameterGroup" => "pg",
                "AWS::RDS::DBCluster" => "cluster",
                "AWS::RDS::DBInstance" => "db",
                _ => return None,
            };
            ("rds", format!("{sort}:{}", id.to_lowercase()))
        }
    })
}

/// Sends what the handler sends at this stage.
fn step(
    stack: &Stack,
    operation: &mut Operation,
    index: usize,
    at: u64,
    stage: u32,
    around: &mut Around<'_>,
) -> Outcome {
    let (phase, imported) = (operation.phase, operation.imported.clone());
    let tags = match phase {
        Phase::Apply => operation.target.tags.clone(),
        _ => stack.source.tags.clone(),
    };
    let (rolls_back, nested) = (operation.rolls_back, operation.nested.clone());
    let capabilities = match phase {
        Phase::Apply => operation.target.capabilities.clone(),
        _ => stack.source.capabilities.clone(),
    };
    let job = &mut operation.jobs[index];
    let action = job.action;
    let from = match action {
        Action::Create | Action::Replace => Value::Null,
        _ => job.from.clone(),
    };
    let asked = job.resource.properties.clone();
    let (region, logical) = (around.region, job.logical.clone());
    let system = system_tags(stack, &logical);
    let replaced = stack.resources.get(&logical).is_some_and(|kept| kept.physical != job.resource.physical);
    let policy = match (phase, replaced) {
        (Phase::Cleanup, true) => job.resource.update_replace_policy.clone(),
        (Phase::Rollback | Phase::UndoCleanup, _) => Some("Delete".into()),
        _ => job.resource.deletion_policy.clone(),
    };
    // "For AWS::RDS::DBCluster the default policy is Snapshot" (DeletionPolicy attribute).
    let takes_snapshot = action == Action::Delete
        && job.resource.kind == "AWS::RDS::DBCluster"
        && policy.is_none_or(|policy| policy == "Snapshot");
    let letters = around.services.random().clone().letters(12);
    let mut work = Work {
        services: &mut *around.services,
        region,
        now: at,
        stage,
        wanted: &asked,
        before: &from,
        resource: &mut job.resource,
        name: physical_name(&stack.name, &logical, &letters),
        stack_tags: &tags,
        system_tags: &system,
        snapshot: takes_snapshot.then(|| {
            format!("{}-snapshot-{}-{}", short(&stack.name, 24), short(&logical, 24), letters).to_lowercase()
        }),
        family: Family {
            parent: Above {
                parent: stack.id.clone(),
                root: stack.parent.as_ref().map_or(&stack.id, |above| &above.root).clone(),
            },
            capabilities,
            rolls_back: rolls_back && stack.on_failure != "DO_NOTHING",
            change_set: nested.get(&logical).filter(|_| phase == Phase::Apply).cloned(),
        },
    };
    if stage == 0 && matches!(action, Action::Create | Action::Replace) {
        // Drawn, so that the next one is another.
        work.draw(12);
    }
    match action {
        Action::Delete => types::delete(&mut work),
        Action::Import => {
            super::imports::adopt(&mut work, imported.get(&logical).unwrap_or(&BTreeMap::new()))
        }
        _ => {
            let resolved = super::resolve::resolve(&mut work, &asked)?;
            let before = match action {
                Action::Update => super::resolve::resolve(&mut work, &from)?,
                _ => Value::Null,
            };
            let mut work = Work { wanted: &resolved, before: &before, ..work };
            match action {
                Action::Update => types::update(&mut work),
                _ => types::create(&mut work),
            }
        }
    }
}

fn short(text: &str, length: usize) -> &str {
    text.get(..length).unwrap_or(text).trim_end_matches('-')
}

/// "stack-logicalid-random" (CloudFormation User Guide, "Name type"), as long as any service takes.
pub(super) fn physical_name(stack: &str, logical: &str, letters: &str) -> String {
    format!("{}-{}-{letters}", short(stack, 24), short(logical, 24))
}

fn complete(stack: &mut Stack, operation: &mut Operation, index: usize, at: u64) {
    let phase = operation.phase;
    let job = &mut operation.jobs[index];
    job.progress = Progress::Done;
    let (logical, resource) = (job.logical.clone(), job.resource.clone());
    let status = format!("{}_COMPLETE", word(job));
    if job.action == Action::Delete {
        let is_it = stack.resources.get(&logical).is_some_and(|kept| kept.physical == resource.physical);
        stack.resource_is(at, &logical, &resource, &status, None);
        // What was replaced, or is in no template any more, has no line of its own.
        if is_it && matches!(phase, Phase::UndoCleanup) {
            stack.resources.remove(&logical);
        }
        return;
    }
    if job.action == Action::Replace
        && let Some(old) = stack.resources.get(&logical).filter(|kept| kept.physical == resource.physical)
    {
        let old_one =
            operation.before_resources.get(&logical).filter(|before| before.physical != old.physical);
        operation.leftovers.extend(old_one.map(|old| (logical.clone(), old.clone())));
    }
    stack.resources.insert(logical.clone(), resource.clone());
    stack.resource_is(at, &logical, &resource, &status, None);
}

/// What is under way when something else has failed: it is not waited for.
pub(super) fn cancel(stack: &mut Stack, operation: &mut Operation, at: u64) {
    for job in &mut operation.jobs {
        if matches!(job.progress, Progress::Running { .. }) {
            job.progress = Progress::Failed;
            let status = format!("{}_FAILED", word(job));
            let what = if job.action == Action::Update { "update" } else { "creation" };
            let (logical, resource) = (job.logical.clone(), job.resource.clone());
            stack.resource_is(at, &logical, &resource, &status, Some(format!("Resource {what} cancelled")));
        }
    }
}
