//! What requests are told of stacks: the element names are those of the API model.

use super::parameters::is_hidden;
use super::requests::no_stack;
use super::source::template_text;
use super::state::{CloudFormation, Event, Resource, Source, Stack};
use super::template::{Template, refused};
use super::work::Services;
use crate::call::Call;
use crate::iam::date;
use crate::wire::{Fault, Reply, Xml};
use serde_json::Value;
use std::collections::BTreeMap;

/// Lines of a page (assumed to be as in "DescribeStackEvents", which has pages of a hundred).
const PAGE: usize = 100;

/// One page of what there is, and the token of the next.
pub(super) fn page<'a, T>(call: &Call, all: &'a [T]) -> Result<(&'a [T], Option<String>), Fault> {
    let start = match call.params.get("NextToken").filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => token
            .strip_prefix("page-")
            .and_then(|token| token.parse::<usize>().ok())
            .filter(|start| *start <= all.len())
            .ok_or_else(|| refused("The specified NextToken is not valid"))?,
    };
    let end = (start + PAGE).min(all.len());
    let next = (end < all.len()).then(|| format!("page-{end}"));
    Ok((&all[start..end], next))
}

/// Times have milliseconds in answers of CloudFormation.
pub(super) fn time(at: u64) -> String {
    let whole = date(at);
    format!("{}.{:03}Z", whole.trim_end_matches('Z'), at % 1000)
}

fn parameters(x: &mut Xml, source: &Source) {
    let template = Template::parse(&source.template).ok();
    x.list("Parameters", "member", &source.parameters, |x, (name, value)| {
        let hidden = template.as_ref().is_some_and(|template| is_hidden(template, name));
        x.text("ParameterKey", name).text("ParameterValue", if hidden { "****" } else { value });
    });
}

pub(super) fn pairs(x: &mut Xml, tags: &[(String, String)]) {
    x.list("Tags", "member", tags, |x, (key, value)| {
        x.text("Key", key).text("Value", value);
    });
}

/// What change sets and stacks say alike.
pub(super) fn source(x: &mut Xml, source: &Source) {
    parameters(x, source);
    x.texts("Capabilities", "member", &source.capabilities);
    x.texts("NotificationARNs", "member", &source.notifications);
    pairs(x, &source.tags);
}

fn stack(x: &mut Xml, stack: &Stack) {
    x.text("StackId", &stack.id).text("StackName", &stack.name);
    let template = Template::parse(&stack.source.template).ok();
    x.optional("Description", template.as_ref().and_then(|template| template.text("Description")));
    source(x, &stack.source);
    x.text("CreationTime", time(stack.created));
    x.optional("LastUpdatedTime", stack.updated.map(time));
    x.optional("DeletionTime", stack.deleted.map(time));
    above(x, stack);
    x.text("StackStatus", &stack.status);
    x.optional("StackStatusReason", stack.reason.as_ref());
    x.text("DisableRollback", stack.on_failure == "DO_NOTHING");
    x.optional("TimeoutInMinutes", stack.timeout_minutes);
    x.optional("RoleARN", stack.source.role.as_ref());
    x.text("EnableTerminationProtection", stack.protected);
    x.element("RollbackConfiguration", |_| {});
    x.element("DriftInformation", |x| {
        x.text("StackDriftStatus", "NOT_CHECKED");
    });
    if !stack.outputs.is_empty() {
        x.list("Outputs", "member", &stack.outputs, |x, output| {
            x.text("OutputKey", &output.key).text("OutputValue", &output.value);
            x.optional("Description", output.description.as_ref());
            x.optional("ExportName", output.export.as_ref());
        });
    }
}

/// The stack that it is in, and the outermost one.
fn above(x: &mut Xml, stack: &Stack) {
    if let Some(above) = &stack.parent {
        x.text("ParentId", &above.parent).text("RootId", &above.root);
    }
}

fn drift(x: &mut Xml) {
    x.element("DriftInformation", |x| {
        x.text("StackResourceDriftStatus", "NOT_CHECKED");
    });
}

fn resource(x: &mut Xml, name: &str, resource: &Resource, time_name: &str) {
    x.text("LogicalResourceId", name);
    x.optional("PhysicalResourceId", Some(&resource.physical).filter(|id| !id.is_empty()));
    x.text("ResourceType", &resource.kind);
    x.text(time_name, time(resource.changed));
    x.text("ResourceStatus", &resource.status);
    x.optional("ResourceStatusReason", resource.reason.as_ref());
    drift(x);
}

fn event(x: &mut Xml, stack: &Stack, event: &Event) {
    x.text("StackId", &stack.id).text("EventId", &event.id).text("StackName", &stack.name);
    x.text("LogicalResourceId", &event.logical).text("PhysicalResourceId", &event.physical);
    x.text("ResourceType", &event.kind).text("Timestamp", time(event.at));
    x.text("ResourceStatus", &event.status);
    x.optional("ResourceStatusReason", event.reason.as_ref());
    x.optional("ResourceProperties", event.properties.as_ref());
    x.optional("ClientRequestToken", event.token.as_ref());
}

impl CloudFormation {
    pub(super) fn describe_stacks(&self, call: &Call) -> Reply {
        let wanted = call.params.get("StackName").filter(|name| !name.is_empty());
        let mut xml = Xml::new();
        if let Some(name) = wanted {
            match (self.find(name).ok().and_then(|id| self.made.get(&id)), self.stacks.get(name)) {
                (Some(found), _) => xml.list("Stacks", "member", [found], stack),
                (None, Some(status)) => xml.list("Stacks", "member", [(name, status)], set_by_tests),
                (None, None) => return Err(no_stack(name)),
            };
            return Ok(xml.into());
        }
        // Newest first, and none that is gone.
        let mut live: Vec<&Stack> = self.made.values().filter(|stack| stack.deleted.is_none()).collect();
        live.sort_by_key(|stack| (std::cmp::Reverse(stack.created), stack.name.clone()));
        let (some, next) = page(call, &live)?;
        xml.element("Stacks", |x| {
            for one in some {
                x.element("member", |x| stack(x, one));
            }
            for one in self.stacks.iter().filter(|_| next.is_none()) {
                x.element("member", |x| set_by_tests(x, (one.0, one.1)));
            }
        });
        xml.optional("NextToken", next);
        Ok(xml.into())
    }

    pub(super) fn list_stacks(&self, call: &Call) -> Reply {
        let statuses = call.params.list("StackStatusFilter");
        let mut all: Vec<&Stack> = self.made.values().collect();
        all.retain(|stack| statuses.is_empty() || statuses.contains(&stack.status));
        all.sort_by_key(|stack| (std::cmp::Reverse(stack.created), stack.name.clone()));
        let (some, next) = page(call, &all)?;
        let mut xml = Xml::new();
        xml.list("StackSummaries", "member", some, |x, stack| {
            x.text("StackId", &stack.id).text("StackName", &stack.name);
            let template = Template::parse(&stack.source.template).ok();
            x.optional(
                "TemplateDescription",
                template.as_ref().and_then(|template| template.text("Description")),
            );
            x.text("CreationTime", time(stack.created));
            x.optional("LastUpdatedTime", stack.updated.map(time));
            x.optional("DeletionTime", stack.deleted.map(time));
            above(x, stack);
            x.text("StackStatus", &stack.status);
            x.optional("StackStatusReason", stack.reason.as_ref());
            x.element("DriftInformation", |x| {
                x.text("StackDriftStatus", "NOT_CHECKED");
            });
        });
        xml.optional("NextToken", next);
        Ok(xml.into())
    }

    pub(super) fn describe_events(&self, call: &Call) -> Reply {
        let stack = self.named(call)?;
        let newest: Vec<&Event> = stack.events.iter().rev().collect();
        let (some, next) = page(call, &newest)?;
        let mut xml = Xml::new();
        xml.list("StackEvents", "member", some, |x, one| event(x, stack, one));
        xml.optional("NextToken", next);
        Ok(xml.into())
    }

    pub(super) fn describe_resources(&self, call: &Call) -> Reply {
        let physical = call.params.get("PhysicalResourceId");
        let found = match physical {
            Some(id) => self
                .made
                .values()
                .find(|stack| stack.resources.values().any(|one| one.physical == id))
                .ok_or_else(|| refused(format!("Stack for {id} does not exist")))?,
            None => self.named(call)?,
        };
        let logical = call.params.get("LogicalResourceId");
        let all = found.resources.iter().filter(|(name, one)| {
            logical.is_none_or(|logical| logical == *name)
                && physical.is_none_or(|physical| physical == one.physical)
        });
        let mut xml = Xml::new();
        // "Only the first 100 resources" (DescribeStackResources).
        xml.list("StackResources", "member", all.take(PAGE), |x, (name, one)| {
            x.text("StackName", &found.name).text("StackId", &found.id);
            resource(x, name, one, "Timestamp");
        });
        Ok(xml.into())
    }

    pub(super) fn describe_resource(&self, call: &Call) -> Reply {
        let stack = self.named(call)?;
        let name = call.params.get("LogicalResourceId").unwrap_or_default();
        let Some(one) = stack.resources.get(name) else {
            return Err(refused(format!("Resource {name} does not exist for stack {}", stack.name)));
        };
        let mut xml = Xml::new();
        xml.element("StackResourceDetail", |x| {
            x.text("StackName", &stack.name).text("StackId", &stack.id);
            resource(x, name, one, "LastUpdatedTimestamp");
            x.optional("Metadata", Some(&one.metadata).filter(|metadata| !metadata.is_null()));
        });
        Ok(xml.into())
    }

    pub(super) fn list_resources(&self, call: &Call) -> Reply {
        let stack = self.named(call)?;
        let all: Vec<(&String, &Resource)> = stack.resources.iter().collect();
        let (some, next) = page(call, &all)?;
        let mut xml = Xml::new();
        xml.list("StackResourceSummaries", "member", some, |x, (name, one)| {
            resource(x, name, one, "LastUpdatedTimestamp");
        });
        xml.optional("NextToken", next);
        Ok(xml.into())
    }

    /// The template as it came, in both stages: nothing transforms it here.
    pub(super) fn get_template(&self, call: &Call) -> Reply {
        call.params.get("TemplateStage");
        let text = match call.params.get("ChangeSetName") {
            Some(name) => &self.change_set(call, name)?.1.source.template,
            None => &self.named(call)?.source.template,
        };
        let mut xml = Xml::new();
        xml.text("TemplateBody", text);
        xml.texts("StagesAvailable", "member", ["Original", "Processed"]);
        Ok(xml.into())
    }

    pub(super) fn list_exports(&self, call: &Call) -> Reply {
        let mut all: BTreeMap<&String, (&Stack, &String)> = BTreeMap::new();
        for stack in self.made.values().filter(|stack| stack.deleted.is_none()) {
            for output in &stack.outputs {
                all.extend(output.export.as_ref().map(|name| (name, (stack, &output.value))));
            }
        }
        let all: Vec<_> = all.into_iter().collect();
        let (some, next) = page(call, &all)?;
        let mut xml = Xml::new();
        xml.list("Exports", "member", some, |x, (name, (stack, value))| {
            x.text("ExportingStackId", &stack.id).text("Name", name).text("Value", value);
        });
        xml.optional("NextToken", next);
        Ok(xml.into())
    }

    pub(super) fn list_imports(&self, call: &Call) -> Reply {
        let name = call.params.get("ExportName").unwrap_or_default();
        let users = self.made.values().filter(|stack| stack.deleted.is_none());
        let users: Vec<&String> = users
            .filter(|stack| stack.imports.iter().any(|import| import == name))
            .map(|stack| &stack.name)
            .collect();
        if users.is_empty() {
            return Err(refused(format!("Export '{name}' is not imported by any stack.")));
        }
        let (some, next) = page(call, &users)?;
        let mut xml = Xml::new();
        xml.texts("Imports", "member", some);
        xml.optional("NextToken", next);
        Ok(xml.into())
    }

    pub(super) fn template_summary(&self, call: &Call, services: &mut dyn Services) -> Reply {
        let text = match (template_text(call, services)?, call.params.get("StackName")) {
            (Some(text), _) => text,
            (None, Some(_)) => self.named(call)?.source.template.clone(),
            (None, None) => {
                return Err(refused("Either StackName, TemplateBody or TemplateURL must be specified."));
            }
        };
        let template = Template::parse(&text)?;
        let mut xml = Xml::new();
        xml.list("Parameters", "member", template.section("Parameters"), |x, (name, about)| {
            declared(x, name, about, true);
        });
        xml.optional("Description", template.text("Description"));
        capabilities(&mut xml, &template);
        let mut kinds: BTreeMap<String, Vec<&String>> = BTreeMap::new();
        for (name, resource) in template.resources() {
            kinds.entry(resource.kind.to_string()).or_default().push(name);
        }
        xml.texts("ResourceTypes", "member", kinds.keys());
        xml.optional("Version", template.text("AWSTemplateFormatVersion"));
        xml.optional("Metadata", Some(template.metadata()).filter(|metadata| !metadata.is_null()));
        xml.list("ResourceIdentifierSummaries", "member", kinds, |x, (kind, names)| {
            let identified = super::kinds::find(&kind).map(|kind| kind.identified_by).unwrap_or_default();
            x.text("ResourceType", &kind);
            x.texts("LogicalResourceIds", "member", names);
            if !identified.is_empty() {
                x.texts("ResourceIdentifiers", "member", identified);
            }
        });
        Ok(xml.into())
    }

    pub(super) fn validate_template(call: &Call, services: &mut dyn Services) -> Reply {
        let text = template_text(call, services)?;
        let text = text.ok_or_else(|| refused("Either Template URL or Template Body must be specified."))?;
        let template = Template::parse(&text)?;
        let mut xml = Xml::new();
        xml.list("Parameters", "member", template.section("Parameters"), |x, (name, about)| {
            declared(x, name, about, false);
        });
        xml.optional("Description", template.text("Description"));
        capabilities(&mut xml, &template);
        Ok(xml.into())
    }
}

fn capabilities(x: &mut Xml, template: &Template) {
    if let Some((needed, kinds)) = template.capabilities() {
        x.texts("Capabilities", "member", [needed]);
        x.text(
            "CapabilitiesReason",
            format!("The following resource(s) require capabilities: [{}]", kinds.join(", ")),
        );
    }
}

fn declared(x: &mut Xml, name: &str, about: &Value, is_summary: bool) {
    let text = |member: &str| about.get(member).map(super::functions::plain);
    x.text("ParameterKey", name);
    x.optional("DefaultValue", text("Default"));
    if is_summary {
        x.optional("ParameterType", text("Type"));
    }
    x.text("NoEcho", text("NoEcho").is_some_and(|hidden| hidden.eq_ignore_ascii_case("true")));
    x.optional("Description", text("Description"));
    if let (true, Some(allowed)) = (is_summary, about["AllowedValues"].as_array()) {
        x.element("ParameterConstraints", |x| {
            x.texts("AllowedValues", "member", allowed.iter().map(super::functions::plain));
        });
    }
}

fn set_by_tests<N: std::fmt::Display, S: std::fmt::Display>(x: &mut Xml, (name, status): (N, S)) {
    x.text("StackName", name);
    x.text("StackStatus", status);
    x.text("CreationTime", "2026-01-01T00:00:00Z");
}
