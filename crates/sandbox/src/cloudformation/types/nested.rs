//! Stacks within stacks (`AWS::CloudFormation::Stack`): made, changed and deleted by the requests that a user would send.
//!
//! CloudFormation User Guide, "Embed stacks within other stacks using nested stacks". What its events say of a failure:
//! "Embedded stack ARN was not successfully created: The following resource(s) failed to create: [ID]."
//!
//! **Harsher than AWS.** There a stack within keeps what an update replaced until the outermost stack is through, and
//! gets it back when that one fails. Here it cleans up by itself, and gets another one.

use crate::cloudformation::state::{CloudFormation, Stack};
use crate::cloudformation::work::{Outcome, Services, Step, Work, text};
use crate::random::Mood;
use crate::wire::{Fault, Params};
use serde_json::Value;

/// Code of a refusal whose text the events tell as it is.
pub(in crate::cloudformation) const EMBEDDED: &str = "EmbeddedStack";

fn embedded(text: String) -> Fault {
    Fault::bad(EMBEDDED, text)
}

/// The parameters of a request for the stack within.
pub(in crate::cloudformation) fn parameters(properties: &Value) -> Result<Vec<(String, String)>, Fault> {
    let mut all = Vec::new();
    let mut list = |name: &str, values: &Value, member: &str| {
        for (at, one) in values.as_array().into_iter().flatten().enumerate() {
            all.push((format!("{name}.member.{}{member}", at + 1), text(one).unwrap_or_default()));
        }
    };
    list("NotificationARNs", &properties["NotificationARNs"], "");
    for (at, (key, value)) in properties["Parameters"].as_object().into_iter().flatten().enumerate() {
        let value = text(value).ok_or_else(|| {
            let why =
                "Value of property Parameters must be an object with String (or simple type) properties";
            Fault::bad("ValidationError", why)
        })?;
        all.push((format!("Parameters.member.{}.ParameterKey", at + 1), key.clone()));
        all.push((format!("Parameters.member.{}.ParameterValue", at + 1), value));
    }
    all.extend(text(&properties["TemplateURL"]).map(|url| ("TemplateURL".to_string(), url)));
    Ok(all)
}

impl Work<'_> {
    /// Something is done with all stacks but the one that this one is in.
    fn stacks<T>(&mut self, with: impl FnOnce(&mut CloudFormation, &mut dyn Services) -> T) -> T {
        let mut own = std::mem::take(self.services.stacks());
        let result = with(&mut own, self.services);
        *self.services.stacks() = own;
        result
    }

    /// A request about the stack within.
    fn ask(&mut self, operation: &str, parameters: Vec<(String, String)>) -> Result<(), Fault> {
        let mut call = self.call("cloudformation", operation);
        call.params = Params::of(parameters);
        self.stacks(|own, services| crate::cloudformation::handle(&call, own, services).map(|_| ()))
    }

    /// In an instant world everything is done when the answer is there.
    fn hurry(&mut self) {
        let (region, now) = (self.region.to_string(), self.now);
        self.stacks(|own, services| {
            if services.random().mood == Mood::Instant {
                own.pass(&region, now, services);
            }
        });
    }

    /// The stack within, if there is one.
    fn within(&mut self) -> Option<Stack> {
        let id = self.resource.physical.clone();
        self.stacks(|own, _| own.made.get(&id).cloned())
    }

    /// What a request says of template, parameters, tags and capabilities.
    fn wishes(&self) -> Result<Vec<(String, String)>, Fault> {
        let mut all = parameters(self.wanted)?;
        for (at, (key, value)) in self.tags().into_iter().enumerate() {
            all.push((format!("Tags.member.{}.Key", at + 1), key));
            all.push((format!("Tags.member.{}.Value", at + 1), value));
        }
        for (at, capability) in self.family.capabilities.iter().enumerate() {
            all.push((format!("Capabilities.member.{}", at + 1), capability.clone()));
        }
        Ok(all)
    }

    /// Carries out the change set that the stack within was shown with, with the values that are known by now.
    fn execute(&mut self, set: &str) -> Result<String, Fault> {
        let mut call = self.call("cloudformation", "CreateChangeSet");
        call.params = Params::of(self.wishes()?);
        let set = set.to_string();
        self.stacks(|own, services| own.execute_within(&call, &set, services))
    }

    /// Outputs become attributes.
    fn take_outputs(&mut self, stack: &Stack) {
        self.resource.attributes.retain(|name, _| !name.starts_with("Outputs."));
        for output in &stack.outputs {
            self.set(&format!("Outputs.{}", output.key), output.value.clone());
        }
    }
}

fn id(work: &Work<'_>) -> String {
    work.resource.physical.clone()
}

/// Why it failed, as the stack within says it.
fn failed(stack: &Stack, what: &str) -> Fault {
    let own = stack.events.iter().rev().filter(|event| event.physical == stack.id);
    let why = own.filter_map(|event| event.reason.as_deref()).find(|why| why.contains("following resource"));
    let why = why.or(stack.reason.as_deref()).unwrap_or_default().replace(" Rollback requested by user.", "");
    embedded(format!("Embedded stack {} was not successfully {what}: {}", stack.id, why.trim()))
}

pub(super) fn create(work: &mut Work<'_>) -> Outcome {
    if work.stage > 0 {
        return settled(work, "created");
    }
    let stack = match work.family.change_set.clone() {
        Some(set) => work.execute(&set)?,
        None => {
            let name = work.name.clone();
            let mut wishes = work.wishes()?;
            wishes.push(("StackName".into(), name.clone()));
            wishes.extend(work.property("TimeoutInMinutes").map(|time| ("TimeoutInMinutes".into(), time)));
            if !work.family.rolls_back {
                wishes.push(("DisableRollback".into(), "true".into()));
            }
            work.ask("CreateStack", wishes)?;
            work.stacks(|own, _| own.find(&name))?
        }
    };
    let above = work.family.parent.clone();
    work.stacks(|own, _| {
        if let Some(made) = own.made.get_mut(&stack) {
            made.parent = Some(above);
        }
    });
    work.resource.physical = stack;
    work.hurry();
    Ok(Step::Next)
}

/// Waits for the stack within to come to rest.
fn settled(work: &mut Work<'_>, what: &str) -> Outcome {
    let Some(stack) = work.within() else {
        return Err(embedded(format!("Embedded stack {} does not exist", id(work))));
    };
    match stack.status.as_str() {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" => {
            work.take_outputs(&stack);
            Ok(Step::Done)
        }
        status if status.ends_with("_IN_PROGRESS") => Ok(Step::Later),
        _ => Err(failed(&stack, what)),
    }
}

pub(super) fn update(work: &mut Work<'_>) -> Outcome {
    if work.stage > 0 {
        return settled(work, "updated");
    }
    match work.within() {
        Some(stack) if stack.is_busy() => return Ok(Step::Later),
        // An undone update left it as it was.
        Some(_) => {}
        None => return Err(embedded(format!("Embedded stack {} does not exist", id(work)))),
    }
    if let Some(set) = work.family.change_set.clone() {
        work.execute(&set)?;
        work.hurry();
        return Ok(Step::Next);
    }
    let mut wishes = work.wishes()?;
    wishes.push(("StackName".into(), id(work)));
    match work.ask("UpdateStack", wishes) {
        Err(fault) if fault.message.contains("No updates are to be performed") => {
            if let Some(stack) = work.within() {
                work.take_outputs(&stack);
            }
            Ok(Step::Done)
        }
        other => {
            other?;
            work.hurry();
            Ok(Step::Next)
        }
    }
}

pub(super) fn delete(work: &mut Work<'_>) -> Outcome {
    let Some(stack) = work.within().filter(|stack| stack.deleted.is_none()) else { return Ok(Step::Done) };
    match (work.stage, stack.status.as_str()) {
        (0, status) if stack.is_busy() && !status.starts_with("CREATE") => Ok(Step::Later),
        (0, _) => {
            work.ask("DeleteStack", vec![("StackName".into(), stack.id)])?;
            work.hurry();
            Ok(Step::Next)
        }
        (_, "DELETE_FAILED") => Err(failed(&stack, "deleted")),
        _ => Ok(Step::Later),
    }
}
