//! What a template comes to, and how that differs from what a stack has.

use super::around::{Around, known, with_scope};
use super::functions::{Scope, imports, is_unknown, plain};
use super::kinds::{self, Kind};
use super::state::{Output, Resource, Source, Stack};
use super::template::{Template, references, refused};
use crate::wire::Fault;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How a resource differs from what is wanted, with the properties that do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    Nothing,
    InPlace(Vec<String>),
    Replace(Vec<String>),
}

/// A resource as the template wants it.
pub(super) fn resource(template: &Template, scope: &Scope<'_>, logical: &str) -> Result<Resource, Fault> {
    let Some(declared) = template.resource(logical) else {
        return Err(refused(format!("There is no resource {logical} in the template")));
    };
    let mut properties = Map::new();
    for (name, value) in declared.properties().as_object().into_iter().flatten() {
        if let Some(value) = scope.value(value)? {
            properties.insert(name.clone(), value);
        }
    }
    for required in kinds::find(declared.kind).map(|kind| kind.required).unwrap_or_default() {
        if !properties.contains_key(*required) {
            return Err(refused(format!(
                "Properties validation failed for resource {logical} with message: [#: required key [{required}] not found]"
            )));
        }
    }
    let metadata = scope.value(declared.metadata())?.unwrap_or_default();
    let wanted = template.waits_for(logical).into_iter();
    Ok(Resource {
        kind: declared.kind.to_string(),
        properties: Value::Object(properties),
        metadata,
        deletion_policy: declared.deletion_policy().map(str::to_string),
        update_replace_policy: declared.update_replace_policy().map(str::to_string),
        needs: wanted.filter(|name| !scope.absent.contains(name)).collect(),
        ..Resource::default()
    })
}

/// Properties that differ. Numbers and flags are what they are as texts, too.
pub(super) fn differing(old: &Value, new: &Value) -> Vec<String> {
    let (empty, nothing) = (Map::new(), Value::Null);
    let (old, new) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let get = |map: &Map<String, Value>, name: &String| map.get(name).unwrap_or(&nothing).clone();
    names.into_iter().filter(|name| !same(&get(old, name), &get(new, name))).cloned().collect()
}

fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| same(value, other)))
        }
        (Value::Array(_) | Value::Object(_) | Value::Null, _)
        | (_, Value::Array(_) | Value::Object(_) | Value::Null) => left == right,
        (left, right) => plain(left) == plain(right),
    }
}

pub(super) fn change(existing: &Resource, wanted: &Resource) -> Change {
    if existing.kind != wanted.kind {
        return Change::Replace(vec!["Type".into()]);
    }
    let names = differing(&existing.properties, &wanted.properties);
    let kind = kinds::find(&wanted.kind);
    let replaces = |name: &String| {
        let is_fixed = kind.is_some_and(|kind| kind.replace.contains(&name.as_str()));
        // An identifier of RDS is the same in any case of its letters.
        let is_lower = wanted.kind.starts_with("AWS::RDS::")
            && plain(&existing.properties[name]).eq_ignore_ascii_case(&plain(&wanted.properties[name]));
        is_fixed && !is_lower
    };
    match (names.is_empty(), names.iter().any(replaces)) {
        (true, _) => Change::Nothing,
        (false, false) => Change::InPlace(names),
        (false, true) => Change::Replace(names),
    }
}

/// Why an object with a name of its own cannot make room for its successor.
pub(super) fn cannot_be_replaced(existing: &Resource, wanted: &Resource, logical: &str) -> Option<String> {
    let name = kinds::find(&wanted.kind)?.named_by?;
    let (old, new) = (&existing.properties[name], &wanted.properties[name]);
    (existing.kind == wanted.kind && !new.is_null() && old == new).then(|| {
        format!(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {} and update the stack again. ({logical})",
            plain(new)
        )
    })
}

/// The outputs that a template comes to, and the exports of others that it uses.
pub(super) fn outputs(template: &Template, scope: &Scope<'_>) -> Result<(Vec<Output>, Vec<String>), Fault> {
    let mut all = Vec::new();
    for (key, about) in template.section("Outputs") {
        if let Some(condition) = about["Condition"].as_str()
            && !super::functions::is_true(scope, condition)?
        {
            continue;
        }
        let value = scope.value(&about["Value"])?.unwrap_or_default();
        if value.is_array() || value.is_object() {
            return Err(refused(format!(
                "Template format error: Output {key} is malformed. The Value field must be a string"
            )));
        }
        let export = match about["Export"].get("Name") {
            Some(name) => scope.value(name)?.map(|name| plain(&name)),
            None => None,
        };
        all.push(Output {
            key: key.clone(),
            value: plain(&value),
            description: about["Description"].as_str().map(str::to_string),
            export,
        });
    }
    let mut used = BTreeSet::new();
    for (name, _) in template.resources().filter(|(name, _)| !scope.absent.contains(*name)) {
        if let Some(declared) = template.resource(name) {
            imports(scope, declared.properties(), &mut used);
        }
    }
    Ok((all, used.into_iter().collect()))
}

/// How a stack differs from what it is to be.
pub(super) struct Compared {
    pub changes: Vec<Value>,
    /// The resources that are wanted, as far as they are known.
    pub wanted: BTreeMap<String, Resource>,
}

/// What is known before anything is done: what is there and stays as it is.
pub(super) fn compare(
    stack: &Stack,
    source: &Source,
    imported: &BTreeMap<String, BTreeMap<String, String>>,
    around: &Around<'_>,
) -> Result<Compared, Fault> {
    // What is new or replaced gives no values yet. One pass in the order of need is enough.
    let template = Template::parse(&source.template)?;
    let mut settled: BTreeMap<String, Resource> = BTreeMap::new();
    let nothing = |_: &str, _: Option<&str>| None;
    let wanted = with_scope(stack, source, around, &nothing, |template, scope| template.wanted(scope))?;
    let mut left: Vec<String> = wanted.clone();
    let (mut changes, mut resources) = (Vec::new(), BTreeMap::new());
    while !left.is_empty() {
        let ready: Vec<String> = left
            .iter()
            .filter(|name| !template.waits_for(name).iter().any(|other| left.contains(other)))
            .cloned()
            .collect();
        if ready.is_empty() {
            break;
        }
        for name in &ready {
            let find = |name: &str, attribute: Option<&str>| known(&settled, name, attribute);
            let new =
                with_scope(stack, source, around, &find, |template, scope| resource(template, scope, name))?;
            let old = stack.resources.get(name).filter(|old| !old.physical.is_empty());
            let (entry, stays) =
                described(stack, source, &template, name, old, &new, imported.contains_key(name));
            changes.extend(entry);
            resources.insert(name.clone(), new.clone());
            if let Some(old) = old.filter(|_| stays) {
                settled.insert(name.clone(), old.clone());
            }
        }
        left.retain(|name| !ready.contains(name));
    }
    for (name, old) in &stack.resources {
        if !wanted.contains(name) && !old.status.starts_with("DELETE_") {
            let mut entry = line("Remove", name, &old.kind, Some(&old.physical));
            let policy = match old.deletion_policy.as_deref() {
                Some("Retain" | "RetainExceptOnCreate") => "Retain",
                Some("Snapshot") => "Snapshot",
                _ => "Delete",
            };
            entry["PolicyAction"] = json!(policy);
            changes.push(entry);
        }
    }
    changes.sort_by_key(|change| plain(&change["LogicalResourceId"]));
    Ok(Compared { changes, wanted: resources })
}

pub(super) fn line(action: &str, logical: &str, kind: &str, physical: Option<&str>) -> Value {
    let mut entry = json!({"Action": action, "LogicalResourceId": logical, "ResourceType": kind, "Scope": [], "Details": []});
    if let Some(physical) = physical.filter(|physical| !physical.is_empty()) {
        entry["PhysicalResourceId"] = json!(physical);
    }
    entry
}

/// One resource's entry, if it has one, and whether it gives the values that it gave.
fn described(
    stack: &Stack,
    source: &Source,
    template: &Template,
    name: &str,
    old: Option<&Resource>,
    new: &Resource,
    is_import: bool,
) -> (Option<Value>, bool) {
    let Some(old) = old else {
        let action = if is_import { "Import" } else { "Add" };
        return (Some(line(action, name, &new.kind, None)), false);
    };
    let change = change(old, new);
    let kind = kinds::find(&new.kind);
    let mut scope = BTreeSet::new();
    let mut details = Vec::new();
    let names = match &change {
        Change::Nothing => Vec::new(),
        Change::InPlace(names) | Change::Replace(names) => names.clone(),
    };
    let mut replacement = "False";
    for property in &names {
        let is_tags = property == "Tags";
        scope.insert(if is_tags { "Tags" } else { "Properties" });
        let fixed = kind.is_some_and(|kind: &Kind| kind.replace.contains(&property.as_str()));
        let dynamic = is_unknown(&new.properties[property]);
        let recreation = match (fixed, dynamic) {
            (true, true) => "Conditionally",
            (true, false) => "Always",
            (false, _) => "Never",
        };
        replacement = match (replacement, recreation) {
            ("True", _) | (_, "Always") => "True",
            ("Conditional", _) | (_, "Conditionally") => "Conditional",
            _ => "False",
        };
        let mut target = json!({"Attribute": if is_tags { "Tags" } else { "Properties" }, "RequiresRecreation": recreation});
        if !is_tags {
            target["Name"] = json!(property);
        }
        let evaluation = if dynamic { "Dynamic" } else { "Static" };
        let mut detail =
            json!({"Target": target, "Evaluation": evaluation, "ChangeSource": "DirectModification"});
        let declared = template.resource(name).map(|declared| &declared.properties()[property]);
        let cause =
            declared.into_iter().flat_map(references).find(|reference| !reference.starts_with("AWS::"));
        if let Some(cause) = cause {
            let parameter = template.section("Parameters").contains_key(&cause);
            let origin = match (parameter, cause.contains('.')) {
                (true, _) => "ParameterReference",
                (false, true) => "ResourceAttribute",
                (false, false) => "ResourceReference",
            };
            detail["ChangeSource"] = json!(origin);
            detail["CausingEntity"] = json!(cause);
        }
        details.push(detail);
    }
    if source.tags != stack.source.tags && kind.is_some_and(Kind::is_tagged) && !scope.contains("Tags") {
        scope.insert("Tags");
        details.push(json!({
            "Target": {"Attribute": "Tags", "RequiresRecreation": "Never"},
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        }));
    }
    let mut plainly = |attribute: &'static str| {
        scope.insert(attribute);
        details.push(json!({
            "Target": {"Attribute": attribute, "RequiresRecreation": "Never"},
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        }));
    };
    if old.metadata != new.metadata {
        plainly("Metadata");
    }
    if old.deletion_policy != new.deletion_policy {
        plainly("DeletionPolicy");
    }
    if old.update_replace_policy != new.update_replace_policy {
        plainly("UpdateReplacePolicy");
    }
    if scope.is_empty() {
        return (None, true);
    }
    let mut entry = line("Modify", name, &new.kind, Some(&old.physical));
    entry["Replacement"] = json!(replacement);
    entry["Scope"] = json!(scope);
    entry["Details"] = json!(details);
    if replacement != "False" {
        let keeps = old.update_replace_policy.as_deref().or(new.update_replace_policy.as_deref());
        entry["PolicyAction"] = json!(match keeps {
            Some("Retain") => "ReplaceAndRetain",
            Some("Snapshot") => "ReplaceAndSnapshot",
            _ => "ReplaceAndDelete",
        });
    }
    // What is only changed in place keeps its id; its attributes are taken to stay.
    (Some(entry), replacement == "False")
}

/// Whether an update would do anything: resources, outputs or tags differ.
pub(super) fn is_empty(stack: &Stack, source: &Source, changes: &[Value], around: &Around<'_>) -> bool {
    let find = |name: &str, attribute: Option<&str>| known(&stack.resources, name, attribute);
    let same_outputs = with_scope(stack, source, around, &find, outputs).is_ok_and(|(new, _)| {
        let key = |output: &Output| {
            (output.key.clone(), output.value.clone(), output.export.clone(), output.description.clone())
        };
        let (mut old, mut new): (Vec<_>, Vec<_>) =
            (stack.outputs.iter().map(key).collect(), new.iter().map(key).collect());
        old.sort();
        new.sort();
        old == new
    });
    changes.is_empty() && same_outputs && stack.source.tags == source.tags
}
