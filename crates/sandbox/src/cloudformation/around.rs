//! What surrounds a stack: services, exports of other stacks, zones; and where names lead.

use super::functions::Scope;
use super::kinds;
use super::parameters;
use super::state::{Resource, Source, Stack};
use super::template::Template;
use super::work::Services;
use crate::wire::Fault;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a stack sees of the world around it.
pub(super) struct Around<'a> {
    pub services: &'a mut dyn Services,
    pub region: &'a str,
    pub exports: BTreeMap<String, String>,
    /// Names of exports that other stacks use, with one user each.
    pub used: BTreeMap<String, String>,
    pub zones: Vec<String>,
}

/// Where names lead in the template that a stack is to have.
pub(super) fn with_scope<T>(
    stack: &Stack,
    source: &Source,
    around: &Around<'_>,
    known: &dyn Fn(&str, Option<&str>) -> Option<Value>,
    use_scope: impl FnOnce(&Template, &Scope<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let template = Template::parse(&source.template)?;
    let values = parameters::values(&template, &source.parameters);
    let mut scope = Scope {
        template: &template,
        parameters: &values,
        region: around.region,
        stack_id: &stack.id,
        stack_name: &stack.name,
        notifications: &source.notifications,
        zones: &around.zones,
        exports: &around.exports,
        resources: known,
        absent: BTreeSet::new(),
    };
    let wanted = template.wanted(&scope)?;
    scope.absent =
        template.section("Resources").keys().filter(|name| !wanted.contains(name)).cloned().collect();
    use_scope(&template, &scope)
}

/// What Ref or an attribute gives of a resource that is there.
pub(super) fn known(
    resources: &BTreeMap<String, Resource>,
    name: &str,
    attribute: Option<&str>,
) -> Option<Value> {
    let resource = resources.get(name).filter(|resource| !resource.physical.is_empty())?;
    match attribute {
        None => Some(Value::String(resource.physical.clone())),
        Some(attribute) => resource.attributes.get(attribute).map(|value| Value::String(value.clone())),
    }
}

/// Whether the kind of a resource is known and carries tags.
pub(super) fn is_tagged(kind: &str) -> bool {
    kinds::find(kind).is_some_and(kinds::Kind::is_tagged)
}
