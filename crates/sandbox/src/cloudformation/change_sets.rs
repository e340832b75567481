//! Change sets: what an update would do, and doing exactly that.

use super::kinds::STACK;
use super::nested_sets::{Family, Within};
use super::plan;
use super::requests::{begin, check_updatable, make_obsolete, no_stack};
use super::show::{page, source as show_source, time};
use super::source::source;
use super::state::{Above, ChangeSet, CloudFormation, Goal, Stack};
use super::template::{Template, refused};
use super::work::Services;
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::wire::{Fault, Reply, Xml};
use serde_json::Value;
use std::collections::BTreeMap;

type Imported = BTreeMap<String, BTreeMap<String, String>>;

fn not_found(name: &str) -> Fault {
    Fault::new(404, "ChangeSetNotFound", format!("ChangeSet [{name}] does not exist"))
}

impl CloudFormation {
    /// The stack and the change set of a name, or of an ARN, which needs no stack.
    pub(super) fn change_set(&self, call: &Call, name: &str) -> Result<(&Stack, &ChangeSet), Fault> {
        if name.starts_with("arn:") {
            call.params.get("StackName");
            let all =
                self.made.values().flat_map(|stack| stack.change_sets.values().map(move |set| (stack, set)));
            return { all }.find(|(_, set)| set.id == name).ok_or_else(|| not_found(name));
        }
        let stack = self.named(call)?;
        let set = stack.change_sets.get(name).ok_or_else(|| not_found(name))?;
        Ok((stack, set))
    }

    pub(super) fn create_change_set(&mut self, call: &Call, services: &mut dyn Services) -> Reply {
        self.make_change_set(call, None, services)
    }

    /// `family`: what is above it, where it is that of a stack within another.
    pub(super) fn make_change_set(
        &mut self,
        call: &Call,
        family: Option<Family>,
        services: &mut dyn Services,
    ) -> Reply {
        let stack_name =
            call.params.required("StackName").map_err(|_| refused("StackName must be specified"))?;
        let name =
            call.params.required("ChangeSetName").map_err(|_| refused("ChangeSetName must be specified"))?;
        super::requests::check_name(name)?;
        call.params.get("ClientToken");
        let includes_nested = call.params.flag("IncludeNestedStacks") == Some(true);
        let kind = call.params.get("ChangeSetType").unwrap_or("UPDATE").to_string();
        if call.params.flag("ImportExistingResources") == Some(true) {
            return Err(refused("The sandbox does not model ImportExistingResources."));
        }
        let there = self
            .find(stack_name)
            .ok()
            .and_then(|id| self.made.get(&id))
            .filter(|stack| stack.deleted.is_none());
        let there = there.cloned();
        let source = match (kind.as_str(), &there) {
            ("CREATE" | "IMPORT", None) => source(call, None, services)?,
            ("CREATE", Some(stack)) if stack.status == "REVIEW_IN_PROGRESS" => source(call, None, services)?,
            ("CREATE", Some(_)) => {
                return Err(refused(format!(
                    "Stack [{stack_name}] already exists and cannot be created again with the changeSet [{name}]."
                )));
            }
            ("UPDATE" | "IMPORT", Some(stack)) => {
                if stack.status == "REVIEW_IN_PROGRESS" && kind == "UPDATE" {
                    return Err(refused(format!(
                        "Stack:{} is in REVIEW_IN_PROGRESS state and can not be updated.",
                        stack.id
                    )));
                }
                if stack.status != "REVIEW_IN_PROGRESS" {
                    check_updatable(stack)?;
                }
                source(call, Some(&stack.source), services)?
            }
            ("UPDATE", None) => return Err(refused(format!("Stack [{stack_name}] does not exist"))),
            (other, _) => return Err(refused(format!("ChangeSetType cannot be {other}"))),
        };
        let mut stack = match there {
            Some(stack) => stack,
            None => {
                let mut stack = self.new_stack(call, stack_name, source.clone(), services)?;
                stack.token = None;
                stack.parent = family.as_ref().map(|family| family.stack.clone());
                stack.become_(call.now, "REVIEW_IN_PROGRESS", Some("User Initiated".into()));
                stack
            }
        };
        if stack.change_sets.contains_key(name) {
            return Err(Fault::bad(
                "AlreadyExistsException",
                format!(
                    "ChangeSet {name} cannot be created due to a mismatch with existing attribute ChangeSetName"
                ),
            ));
        }
        let imported =
            if kind == "IMPORT" { imports(call, &source.template, &stack)? } else { Imported::new() };
        let uuid = [8, 4, 4, 4, 12].map(|length| services.random().hex(length)).join("-");
        let id = format!("arn:aws:cloudformation:{}:{ACCOUNT}:changeSet/{name}/{uuid}", call.region);
        let around = self.around(&call.region, &stack.id, services);
        let mut compared = plan::compare(&stack, &source, &imported, &around);
        let mut within = Within { ready: call.now, ..Within::default() };
        let mut has_stacks = false;
        if let Ok(compared) = &mut compared {
            has_stacks = compared.wanted.values().any(|resource| resource.kind == STACK);
            if includes_nested && has_stacks {
                let root = family.as_ref().map_or(&id, |family| &family.set.root).clone();
                let above = Above { parent: id.clone(), root };
                within = self.sets_within(
                    call,
                    &above,
                    &stack,
                    &compared.wanted,
                    &mut compared.changes,
                    services,
                )?;
            }
        }
        let around = self.around(&call.region, &stack.id, services);
        // What changes in a stack within is not known without a change set of its own.
        let is_known = includes_nested || !has_stacks;
        let (changes, failure) = match compared.map(|compared| compared.changes) {
            Ok(_) if within.failure.is_some() => (Vec::new(), within.failure.take()),
            // "…didn't contain changes…" where the same template came again, and the other text where an update finds
            // nothing to do (fact book, section 6.3).
            Ok(changes)
                if is_known && kind == "UPDATE" && plan::is_empty(&stack, &source, &changes, &around) =>
            {
                let same =
                    stack.source.template == source.template && stack.source.parameters == source.parameters;
                let why = match same {
                    true => {
                        "The submitted information didn't contain changes. Submit different information to create a change set."
                    }
                    false => "No updates are to be performed.",
                };
                (Vec::new(), Some(why.to_string()))
            }
            Ok(changes) => {
                let others = changes.iter().any(|change| change["Action"] != "Import");
                match kind == "IMPORT" && others {
                    true => {
                        return Err(refused(
                            "As part of the import operation, you cannot modify or add [Resources, Outputs]",
                        ));
                    }
                    false => (changes, None),
                }
            }
            Err(fault) => (Vec::new(), Some(fault.message)),
        };
        // Some seconds pass before a change set can be looked at.
        let ready = call.now + around.services.random().duration(2.0, 5.0, 15.0);
        let ready = ready.max(within.ready);
        let set = ChangeSet {
            id,
            name: name.to_string(),
            created: call.now,
            ready,
            kind,
            description: call.params.get("Description").map(str::to_string),
            source,
            execution: if failure.is_some() { "UNAVAILABLE".into() } else { "AVAILABLE".into() },
            failure,
            changes,
            imported,
            on_failure: call.params.get("OnStackFailure").map(str::to_string),
            includes_nested,
            nested: within.sets,
            parent: family.map(|family| family.set),
        };
        let mut xml = Xml::new();
        xml.text("Id", &set.id).text("StackId", &stack.id);
        stack.change_sets.insert(name.to_string(), set);
        self.made.insert(stack.id.clone(), stack);
        Ok(xml.into())
    }

    pub(super) fn describe_change_set(&self, call: &Call) -> Reply {
        call.params.get("IncludePropertyValues");
        let name =
            call.params.required("ChangeSetName").map_err(|_| refused("ChangeSetName must be specified"))?;
        let (stack, set) = self.change_set(call, name)?;
        let status = set.status(call.now);
        let mut xml = Xml::new();
        xml.text("ChangeSetName", &set.name).text("ChangeSetId", &set.id);
        xml.text("StackId", &stack.id).text("StackName", &stack.name);
        xml.optional("Description", set.description.as_ref());
        show_source(&mut xml, &set.source);
        xml.text("CreationTime", time(set.created));
        xml.text("ExecutionStatus", if call.now < set.ready { "UNAVAILABLE" } else { &set.execution });
        xml.text("Status", status);
        xml.optional("StatusReason", set.failure.as_ref().filter(|_| status == "FAILED"));
        xml.element("RollbackConfiguration", |_| {});
        xml.optional("OnStackFailure", set.on_failure.as_ref());
        let changes: &[Value] = if call.now < set.ready { &[] } else { &set.changes };
        let (some, next) = page(call, changes)?;
        xml.list("Changes", "member", some, change);
        xml.optional("NextToken", next);
        above(&mut xml, set);
        Ok(xml.into())
    }

    pub(super) fn list_change_sets(&self, call: &Call) -> Reply {
        let stack = self.named(call)?;
        let all: Vec<&ChangeSet> = stack.change_sets.values().collect();
        let (some, next) = page(call, &all)?;
        let mut xml = Xml::new();
        xml.list("Summaries", "member", some, |x, set| {
            let status = set.status(call.now);
            x.text("StackId", &stack.id).text("StackName", &stack.name);
            x.text("ChangeSetId", &set.id).text("ChangeSetName", &set.name);
            x.text("ExecutionStatus", if call.now < set.ready { "UNAVAILABLE" } else { &set.execution });
            x.text("Status", status);
            x.optional("StatusReason", set.failure.as_ref().filter(|_| status == "FAILED"));
            x.text("CreationTime", time(set.created));
            x.optional("Description", set.description.as_ref());
            above(x, set);
        });
        xml.optional("NextToken", next);
        Ok(xml.into())
    }

    pub(super) fn delete_change_set(&mut self, call: &Call) -> Reply {
        let name =
            call.params.required("ChangeSetName").map_err(|_| refused("ChangeSetName must be specified"))?;
        let (stack, name) = match self.change_set(call, name) {
            Ok((stack, set)) => (stack.id.clone(), set.name.clone()),
            // One that is not there is deleted already.
            Err(fault) if fault.code == "ChangeSetNotFound" => return Ok(Xml::new().into()),
            Err(fault) => return Err(fault),
        };
        let stack = self.made.get_mut(&stack).ok_or_else(|| no_stack(&name))?;
        if stack.change_sets.get(&name).is_some_and(|set| set.execution == "EXECUTE_IN_PROGRESS") {
            return Err(Fault::bad(
                "InvalidChangeSetStatus",
                format!("ChangeSet [{name}] is in EXECUTE_IN_PROGRESS and cannot be deleted"),
            ));
        }
        let set = stack.change_sets.remove(&name);
        let nested = set.into_iter().flat_map(|set| set.nested.into_values());
        self.forget_sets(nested.collect::<Vec<_>>(), call.now);
        Ok(Xml::new().into())
    }

    pub(super) fn execute_change_set(&mut self, call: &Call, services: &mut dyn Services) -> Reply {
        let name =
            call.params.required("ChangeSetName").map_err(|_| refused("ChangeSetName must be specified"))?;
        let token = call.params.get("ClientRequestToken").map(str::to_string);
        let disable = call.params.flag("DisableRollback") == Some(true);
        let (stack, set) = self.change_set(call, name)?;
        if let Some(above) = &set.parent {
            return Err(refused(format!(
                "ChangeSet [{}] is of a nested stack and cannot be executed by itself: execute the root change set {}",
                set.id, above.root
            )));
        }
        let (stack, name) = (stack.id.clone(), set.name.clone());
        self.execute(call, (&stack, &name), token, disable, services)?;
        Ok(Xml::new().into())
    }

    /// Begins with what a change set says.
    pub(super) fn execute(
        &mut self,
        call: &Call,
        (stack, name): (&str, &str),
        token: Option<String>,
        disable: bool,
        services: &mut dyn Services,
    ) -> Result<(), Fault> {
        let stack = self.made.get(stack).ok_or_else(|| no_stack(stack))?;
        let set = stack.change_sets.get(name).ok_or_else(|| not_found(name))?;
        let (mut stack, set) = (stack.clone(), set.clone());
        if set.status(call.now) != "CREATE_COMPLETE" || set.execution != "AVAILABLE" {
            return Err(Fault::bad(
                "InvalidChangeSetStatus",
                format!(
                    "ChangeSet [{}] cannot be executed in its current execution status of [{}]",
                    set.id,
                    if call.now < set.ready { "UNAVAILABLE" } else { &set.execution }
                ),
            ));
        }
        let goal = match set.kind.as_str() {
            "CREATE" => Goal::Create,
            "IMPORT" => Goal::Import,
            _ => Goal::Update,
        };
        if goal == Goal::Update {
            check_updatable(&stack)?;
        }
        let around = self.around(&call.region, &stack.id, services);
        begin(&mut stack, set.source.clone(), goal, set.imported.clone(), &around, call.now)?;
        if let Some(operation) = &mut stack.operation {
            operation.rolls_back = !disable;
            operation.nested = set.nested.clone();
        }
        stack.token = token;
        if goal != Goal::Create {
            stack.updated = Some(call.now);
        }
        if goal == Goal::Create {
            stack.source = set.source.clone();
            stack.on_failure = match (&set.on_failure, disable) {
                (Some(one), _) => one.clone(),
                (None, true) => "DO_NOTHING".into(),
                (None, false) => "ROLLBACK".into(),
            };
        }
        let status = match goal {
            Goal::Create => "CREATE_IN_PROGRESS",
            Goal::Import => "IMPORT_IN_PROGRESS",
            _ => "UPDATE_IN_PROGRESS",
        };
        stack.become_(call.now, status, Some("User Initiated".into()));
        // What was executed goes, and the others are for a stack that is no more (ExecuteChangeSet: "CloudFormation
        // deletes all change sets associated with the stack because they aren't valid for the updated stack").
        stack.change_sets.remove(&set.name);
        make_obsolete(&mut stack);
        self.made.insert(stack.id.clone(), stack);
        Ok(())
    }
}

/// The objects that an import names, with the resources that they are to be.
fn imports(call: &Call, template: &str, stack: &Stack) -> Result<Imported, Fault> {
    let template = Template::parse(template)?;
    let mut imported = Imported::new();
    for one in call.params.items("ResourcesToImport") {
        let (logical, kind) =
            (one.required("LogicalResourceId")?.to_string(), one.required("ResourceType")?.to_string());
        let Some(declared) = template.resource(&logical).filter(|declared| declared.kind == kind) else {
            return Err(refused(format!("Resource {logical} of type {kind} is not in the template")));
        };
        if declared.deletion_policy().is_none() {
            return Err(refused(format!(
                "Resources [{logical}] is missing DeletionPolicy attribute or uses an invalid one for import"
            )));
        }
        if stack.resources.contains_key(&logical) {
            return Err(refused(format!("Resource {logical} already exists in the stack")));
        }
        // A map: entries with a key and a value.
        let entries = one.items("ResourceIdentifier.entry");
        let entries = if entries.is_empty() { one.items("ResourceIdentifier") } else { entries };
        let entry = |entry: crate::wire::Params| {
            Some((entry.get("key")?.to_string(), entry.get("value")?.to_string()))
        };
        let given: BTreeMap<String, String> = entries.into_iter().filter_map(entry).collect();
        let needed = super::kinds::find(&kind).map(|kind| kind.identified_by).unwrap_or_default();
        if !needed.iter().all(|name| given.contains_key(*name)) {
            return Err(refused(format!(
                "Identifiers [{}] are needed to import {logical}",
                needed.join(", ")
            )));
        }
        imported.insert(logical, given);
    }
    if imported.is_empty() {
        return Err(refused("You must specify ResourcesToImport for the change set type IMPORT"));
    }
    Ok(imported)
}

fn above(x: &mut Xml, set: &ChangeSet) {
    x.text("IncludeNestedStacks", set.includes_nested);
    if let Some(above) = &set.parent {
        x.text("ParentChangeSetId", &above.parent).text("RootChangeSetId", &above.root);
    }
}

fn change(x: &mut Xml, change: &Value) {
    let text = |value: &Value| value.as_str().map(str::to_string);
    x.text("Type", "Resource");
    x.element("ResourceChange", |x| {
        for name in [
            "PolicyAction",
            "Action",
            "LogicalResourceId",
            "PhysicalResourceId",
            "ResourceType",
            "Replacement",
            "ChangeSetId",
        ] {
            x.optional(name, text(&change[name]));
        }
        x.texts(
            "Scope",
            "member",
            change["Scope"].as_array().into_iter().flatten().filter_map(Value::as_str),
        );
        x.list("Details", "member", change["Details"].as_array().into_iter().flatten(), |x, detail| {
            x.element("Target", |x| {
                for name in ["Attribute", "Name", "RequiresRecreation"] {
                    x.optional(name, text(&detail["Target"][name]));
                }
            });
            for name in ["Evaluation", "ChangeSource", "CausingEntity"] {
                x.optional(name, text(&detail[name]));
            }
        });
    });
}
