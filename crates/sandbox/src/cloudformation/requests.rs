//! Requests that change stacks: create, update, delete, and what goes with them.

use super::around::{Around, with_scope};
use super::engine;
use super::kinds::STACK;
use super::plan;
use super::source::source;
use super::state::{Action, CloudFormation, Goal, Operation, Phase, Progress, Source, Stack};
use super::template::refused;
use super::work::Services;
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::wire::{Body, Fault, Reply, Xml};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// "CloudFormation quotas": stacks of a region.
const STACKS_MAX: usize = 2_000;

pub(super) fn check_name(name: &str) -> Result<(), Fault> {
    let legal = name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    match legal {
        true => Ok(()),
        false => Err(refused(format!(
            "1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        ))),
    }
}

pub(super) fn no_stack(name: &str) -> Fault {
    // Code and text: fact book, section 6.3.
    refused(format!("Stack with id {name} does not exist"))
}

impl CloudFormation {
    /// The id of a live stack by name, or of any stack by id.
    pub(super) fn find(&self, name: &str) -> Result<String, Fault> {
        if self.made.contains_key(name) {
            return Ok(name.to_string());
        }
        let found = self.made.values().find(|stack| stack.name == name && stack.deleted.is_none());
        found.map(|stack| stack.id.clone()).ok_or_else(|| no_stack(name))
    }

    /// Id and tags of a live stack by name, or of any by id.
    pub(crate) fn known(&self, name: &str) -> Option<(String, BTreeMap<String, String>)> {
        let stack = self.made.get(&self.find(name).ok()?)?;
        Some((stack.id.clone(), stack.source.tags.iter().cloned().collect()))
    }

    /// The id of the stack that a change set belongs to.
    pub(crate) fn of_change_set(&self, id: &str) -> Option<String> {
        let has = |stack: &&Stack| stack.change_sets.values().any(|set| set.id == id);
        self.made.values().find(has).map(|stack| stack.id.clone())
    }

    pub(super) fn named(&self, call: &Call) -> Result<&Stack, Fault> {
        let name = call.params.required("StackName").map_err(|_| refused("StackName must be specified"))?;
        let id = self.find(name)?;
        self.made.get(&id).ok_or_else(|| no_stack(name))
    }

    pub(super) fn named_mut(&mut self, call: &Call) -> Result<&mut Stack, Fault> {
        let id = self.named(call)?.id.clone();
        self.made.get_mut(&id).ok_or_else(|| no_stack(&id))
    }

    pub(super) fn new_stack(
        &mut self,
        call: &Call,
        name: &str,
        source: Source,
        services: &mut dyn Services,
    ) -> Result<Stack, Fault> {
        check_name(name)?;
        if self.made.values().filter(|stack| stack.deleted.is_none()).count() >= STACKS_MAX {
            return Err(Fault::bad(
                "LimitExceededException",
                format!("Limit for stack has been exceeded: {STACKS_MAX}"),
            ));
        }
        let random = services.random();
        let uuid = [8, 4, 4, 4, 12].map(|length| random.hex(length)).join("-");
        Ok(Stack {
            id: format!("arn:aws:cloudformation:{}:{ACCOUNT}:stack/{name}/{uuid}", call.region),
            name: name.to_string(),
            created: call.now,
            updated: None,
            deleted: None,
            status: String::new(),
            reason: None,
            source,
            on_failure: "ROLLBACK".into(),
            undoes_all: false,
            timeout_minutes: None,
            protected: call.params.flag("EnableTerminationProtection") == Some(true),
            resources: BTreeMap::new(),
            outputs: Vec::new(),
            imports: Vec::new(),
            events: Vec::new(),
            operation: None,
            token: call.params.get("ClientRequestToken").map(str::to_string),
            change_sets: BTreeMap::new(),
            parent: None,
            policy: None,
        })
    }

    pub(super) fn create(&mut self, call: &Call, services: &mut dyn Services) -> Reply {
        let name = call.params.required("StackName").map_err(|_| refused("StackName must be specified"))?;
        check_name(name)?;
        let token = call.params.get("ClientRequestToken");
        if let Ok(id) = self.find(name)
            && let Some(stack) = self.made.get(&id)
        {
            // The same request again is no other one (CreateStack, ClientRequestToken).
            if token.is_some() && stack.token.as_deref() == token && stack.updated.is_none() {
                call.params.texts();
                return Ok(answer(&stack.id));
            }
            return Err(Fault::bad("AlreadyExistsException", format!("Stack [{name}] already exists")));
        }
        if self.stacks.contains_key(name) {
            return Err(Fault::bad("AlreadyExistsException", format!("Stack [{name}] already exists")));
        }
        let source = source(call, None, services)?;
        let mut stack = self.new_stack(call, name, source.clone(), services)?;
        stack.undoes_all = call.params.flag("RetainExceptOnCreate") == Some(true);
        let (on_failure, disable) = (call.params.get("OnFailure"), call.params.flag("DisableRollback"));
        stack.on_failure = match (on_failure, disable) {
            (Some(_), Some(_)) => {
                return Err(refused("You can specify either DisableRollback or OnFailure, but not both."));
            }
            (Some(one @ ("ROLLBACK" | "DO_NOTHING" | "DELETE")), None) => one.to_string(),
            (Some(other), None) => return Err(refused(format!("OnFailure cannot be {other}"))),
            (None, Some(true)) => "DO_NOTHING".into(),
            _ => "ROLLBACK".into(),
        };
        if let Some(minutes) = call.params.get("TimeoutInMinutes") {
            let minutes = minutes.parse::<u64>().ok().filter(|minutes| *minutes > 0);
            stack.timeout_minutes =
                Some(minutes.ok_or_else(|| refused("TimeoutInMinutes must be a positive number"))?);
        }
        let around = self.around(&call.region, &stack.id, services);
        begin(&mut stack, source, Goal::Create, BTreeMap::new(), &around, call.now)?;
        stack.become_(call.now, "CREATE_IN_PROGRESS", Some("User Initiated".into()));
        let body = answer(&stack.id);
        self.made.insert(stack.id.clone(), stack);
        Ok(body)
    }

    pub(super) fn update(&mut self, call: &Call, services: &mut dyn Services) -> Reply {
        let token = call.params.get("ClientRequestToken").map(str::to_string);
        let stack = self.named(call)?.clone();
        if token.is_some() && stack.token == token {
            call.params.texts();
            return Ok(answer(&stack.id));
        }
        check_updatable(&stack)?;
        let source = source(call, Some(&stack.source), services)?;
        let rolls_back = call.params.flag("DisableRollback") != Some(true);
        let around = self.around(&call.region, &stack.id, services);
        let compared = plan::compare(&stack, &source, &BTreeMap::new(), &around)?;
        // What changes in a stack within, only that one can tell: nobody compares its template here.
        let has_stacks = compared.wanted.values().any(|resource| resource.kind == STACK);
        if !has_stacks && plan::is_empty(&stack, &source, &compared.changes, &around) {
            return Err(refused("No updates are to be performed."));
        }
        let mut stack = stack;
        stack.token = token;
        begin(&mut stack, source, Goal::Update, BTreeMap::new(), &around, call.now)?;
        if let Some(operation) = &mut stack.operation {
            operation.rolls_back = rolls_back;
        }
        stack.updated = Some(call.now);
        stack.become_(call.now, "UPDATE_IN_PROGRESS", Some("User Initiated".into()));
        make_obsolete(&mut stack);
        let body = answer(&stack.id);
        self.made.insert(stack.id.clone(), stack);
        Ok(body)
    }

    pub(super) fn delete(&mut self, call: &Call) -> Reply {
        let name = call
            .params
            .required("StackName")
            .map_err(|_| refused("StackName must be specified"))?
            .to_string();
        let retained = call.params.list("RetainResources");
        let forced = call.params.get("DeletionMode") == Some("FORCE_DELETE_STACK");
        let (token, role) = (call.params.get("ClientRequestToken"), call.params.get("RoleARN"));
        // Deleting what is not there is no error.
        let Ok(id) = self.find(&name) else { return Ok(Xml::new().into()) };
        let exports: BTreeMap<String, String> = self
            .made
            .values()
            .filter(|other| other.id != id && other.deleted.is_none())
            .flat_map(|other| other.imports.iter().map(|export| (export.clone(), other.name.clone())))
            .collect();
        let Some(stack) = self.made.get_mut(&id) else { return Ok(Xml::new().into()) };
        if stack.deleted.is_some() || stack.status == "DELETE_IN_PROGRESS" {
            return Ok(Xml::new().into());
        }
        if stack.protected {
            return Err(refused(format!(
                "Stack [{}] cannot be deleted while TerminationProtection is enabled",
                stack.name
            )));
        }
        if (!retained.is_empty() || forced) && stack.status != "DELETE_FAILED" {
            return Err(refused(format!(
                "Invalid operation on stack [{}]. {} can only be specified when the stack is in the DELETE_FAILED state.",
                stack.id,
                if forced { "DeletionMode FORCE_DELETE_STACK" } else { "RetainResources" }
            )));
        }
        if let Some(other) = retained
            .iter()
            .find(|name| stack.resources.get(*name).is_none_or(|resource| resource.status != "DELETE_FAILED"))
        {
            return Err(refused(format!(
                "The specified resources to retain must be in a valid state. Do not use '{other}' in RetainResources."
            )));
        }
        if stack.is_busy() && !stack.status.starts_with("CREATE") {
            return Err(refused(format!(
                "Stack [{}] cannot be deleted while in status {}",
                stack.id, stack.status
            )));
        }
        if let Some(role) = role {
            stack.source.role = Some(role.to_string());
        }
        stack.token = token.map(str::to_string);
        stack.operation = None;
        let sets: Vec<String> =
            stack.change_sets.values().flat_map(|set| set.nested.values().cloned()).collect();
        stack.become_(call.now, "DELETE_IN_PROGRESS", Some("User Initiated".into()));
        let in_use = stack.outputs.iter().find_map(|output| {
            let export = output.export.as_ref()?;
            Some((export.clone(), exports.get(export)?.clone()))
        });
        if let Some((export, user)) = in_use {
            let why = format!("Export {export} cannot be deleted as it is in use by {user}");
            stack.become_(call.now, "DELETE_FAILED", Some(why));
            return Ok(Xml::new().into());
        }
        let jobs = super::undo::deletions(stack.resources.clone().into_iter().collect());
        let failed = stack.resources.iter().filter(|(_, resource)| resource.status == "DELETE_FAILED");
        let retained = if forced { failed.map(|(name, _)| name.clone()).collect() } else { retained };
        stack.operation = Some(Operation {
            goal: Goal::Delete,
            phase: Phase::Delete,
            jobs,
            started: call.now,
            wake: call.now,
            target: stack.source.clone(),
            before: Source::default(),
            before_resources: BTreeMap::new(),
            leftovers: Vec::new(),
            retained,
            imported: BTreeMap::new(),
            rolls_back: true,
            nested: BTreeMap::new(),
        });
        self.forget_sets(sets, call.now);
        Ok(Xml::new().into())
    }

    /// ContinueUpdateRollback: what failed is tried again, or left as it is.
    pub(super) fn continue_rollback(&mut self, call: &Call) -> Reply {
        let skipped = call.params.list("ResourcesToSkip");
        call.params.get("RoleARN");
        let token = call.params.get("ClientRequestToken").map(str::to_string);
        let stack = self.named_mut(call)?;
        if stack.status != "UPDATE_ROLLBACK_FAILED" {
            return Err(refused(format!(
                "Stack:{} is in {} state and can not continue rolling back.",
                stack.id, stack.status
            )));
        }
        let Some(mut operation) = stack.operation.take() else { return Err(no_stack(&stack.id)) };
        let failed = |name: &String| {
            operation.jobs.iter().any(|job| job.logical == *name && job.progress == Progress::Failed)
        };
        if let Some(other) = skipped.iter().find(|name| !failed(name)) {
            let text = format!("The resources [{other}] to skip must be in the UPDATE_FAILED state");
            stack.operation = Some(operation);
            return Err(refused(text));
        }
        for job in &mut operation.jobs {
            if job.progress == Progress::Failed {
                let is_skipped = skipped.contains(&job.logical);
                job.progress = if is_skipped { Progress::Done } else { Progress::Waiting };
                if is_skipped {
                    // The stack believes that it is what it was.
                    stack.resources.insert(job.logical.clone(), job.resource.clone());
                    let (logical, resource) = (job.logical.clone(), job.resource.clone());
                    stack.resource_is(
                        call.now,
                        &logical,
                        &resource,
                        "UPDATE_COMPLETE",
                        Some("Resource skipped".into()),
                    );
                }
            }
        }
        operation.wake = call.now;
        stack.token = token;
        stack.operation = Some(operation);
        stack.become_(call.now, "UPDATE_ROLLBACK_IN_PROGRESS", Some("User Initiated".into()));
        Ok(Xml::new().into())
    }

    /// CancelUpdateStack: what is under way is not waited for, and everything is taken back.
    pub(super) fn cancel_update(&mut self, call: &Call) -> Reply {
        call.params.get("ClientRequestToken");
        let stack = self.named_mut(call)?;
        let Some(mut operation) = stack.operation.take_if(|_| stack.status == "UPDATE_IN_PROGRESS") else {
            return Err(refused(format!(
                "CancelUpdateStack cannot be called from current stack status {}",
                stack.status
            )));
        };
        super::jobs::cancel(stack, &mut operation, call.now);
        operation.rolls_back = true;
        stack.operation = Some(operation);
        engine::failed_apply(stack, call.now, "User Initiated".into());
        Ok(Xml::new().into())
    }

    pub(super) fn protect(&mut self, call: &Call) -> Reply {
        let protected = call.params.flag("EnableTerminationProtection");
        let protected = protected.ok_or_else(|| refused("EnableTerminationProtection must be specified"))?;
        let stack = self.named_mut(call)?;
        if stack.deleted.is_some() {
            return Err(no_stack(&stack.id));
        }
        stack.protected = protected;
        let mut xml = Xml::new();
        xml.text("StackId", &stack.id);
        Ok(xml.into())
    }
}

fn answer(id: &str) -> Body {
    let mut xml = Xml::new();
    xml.text("StackId", id);
    xml.into()
}

/// Another way of a stack makes the change sets for what it was useless.
pub(super) fn make_obsolete(stack: &mut Stack) {
    for set in stack.change_sets.values_mut() {
        if set.execution == "AVAILABLE" {
            set.execution = "OBSOLETE".into();
        }
    }
}

/// The statuses from which a stack takes an update ("Stack status codes").
pub(super) fn check_updatable(stack: &Stack) -> Result<(), Fault> {
    const GOOD: &[&str] = &[
        "CREATE_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_FAILED",
        "UPDATE_ROLLBACK_COMPLETE",
    ];
    match GOOD.contains(&stack.status.as_str()) {
        true => Ok(()),
        false => {
            Err(refused(format!("Stack:{} is in {} state and can not be updated.", stack.id, stack.status)))
        }
    }
}

/// Puts an operation into the stack; what can be refused at once is.
pub(super) fn begin(
    stack: &mut Stack,
    source: Source,
    goal: Goal,
    imported: BTreeMap<String, BTreeMap<String, String>>,
    around: &Around<'_>,
    now: u64,
) -> Result<(), Fault> {
    let nothing = |_: &str, _: Option<&str>| -> Option<Value> { None };
    let names: BTreeSet<String> = imported.keys().cloned().collect();
    let jobs = with_scope(stack, &source, around, &nothing, |template, scope| {
        let wanted = template.wanted(scope)?;
        // All functions can be carried out, whatever they come to.
        for name in &wanted {
            plan::resource(template, scope, name)?;
        }
        plan::outputs(template, scope)?;
        Ok(engine::applications(template, &wanted, &names))
    })?;
    debug_assert!(jobs.iter().all(|job| matches!(job.action, Action::Apply | Action::Import)));
    stack.operation = Some(Operation {
        goal,
        phase: Phase::Apply,
        jobs,
        started: now,
        wake: now,
        target: source,
        before: stack.source.clone(),
        before_resources: stack.resources.clone(),
        leftovers: Vec::new(),
        retained: Vec::new(),
        imported,
        rolls_back: true,
        nested: BTreeMap::new(),
    });
    Ok(())
}
