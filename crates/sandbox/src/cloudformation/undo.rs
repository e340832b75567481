//! The jobs that delete, and those that take back.

use super::state::{Action, Job, Operation, Progress, Resource, Stack};
use serde_json::Value;

/// Deletions, each after those of what needs the object.
pub(super) fn deletions(of: Vec<(String, Resource)>) -> Vec<Job> {
    let users = |name: &String| -> Vec<String> {
        let users = of.iter().filter(|(other, resource)| other != name && resource.needs.contains(name));
        users.map(|(other, _)| other.clone()).collect()
    };
    let job = |(logical, resource): &(String, Resource)| Job {
        logical: logical.clone(),
        action: Action::Delete,
        progress: match resource.status.as_str() {
            "DELETE_COMPLETE" | "DELETE_SKIPPED" => Progress::Done,
            _ => Progress::Waiting,
        },
        after: users(logical),
        resource: resource.clone(),
        from: Value::Null,
        touched: false,
    };
    of.iter().map(job).collect()
}

/// What takes an update back: changes are changed back, what is new is left over, what was replaced is itself again.
pub(super) fn undo(stack: &mut Stack, operation: &mut Operation) {
    let jobs = std::mem::take(&mut operation.jobs);
    operation.leftovers.clear();
    let mut back = Vec::new();
    for job in jobs.iter().filter(|job| job.touched || job.progress == Progress::Failed) {
        let now = stack.resources.get(&job.logical).cloned();
        match (operation.before_resources.get(&job.logical).cloned(), now) {
            (None, Some(new)) => {
                stack.resources.remove(&job.logical);
                // An object that was taken in is given back.
                if job.action != Action::Import && !new.physical.is_empty() {
                    operation.leftovers.push((job.logical.clone(), new));
                }
            }
            (Some(old), Some(new)) if new.physical != old.physical => {
                stack.resources.insert(job.logical.clone(), old);
                operation.leftovers.push((job.logical.clone(), new));
            }
            (Some(old), Some(_)) if job.action == Action::Update && job.touched => {
                let resource = Resource { attributes: job.resource.attributes.clone(), ..old };
                back.push(Job {
                    logical: job.logical.clone(),
                    action: Action::Update,
                    progress: Progress::Waiting,
                    after: resource.needs.clone(),
                    from: job.resource.properties.clone(),
                    resource,
                    touched: false,
                });
            }
            _ => {}
        }
    }
    // What only got other policies has its old ones again.
    for (logical, old) in &operation.before_resources {
        if !back.iter().any(|job| job.logical == *logical) {
            stack.resources.insert(logical.clone(), old.clone());
        }
    }
    let names: Vec<String> = back.iter().map(|job| job.logical.clone()).collect();
    for job in &mut back {
        job.after.retain(|name| names.contains(name));
    }
    operation.jobs = back;
}
