//! Templates: YAML or JSON, brought to one form, and checked as far as CloudFormation checks them before it begins.
//!
//! Sections, attributes and messages: CloudFormation User Guide, "Template anatomy" and "Resource attribute reference".

use super::functions::{Scope, is_true};
use super::kinds;
use crate::wire::Fault;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// "CloudFormation quotas": resources of one template, and its bytes in a request and from S3.
pub(super) const RESOURCES_MAX: usize = 500;
pub(super) const INLINE_MAX: usize = 51_200;
pub(super) const BYTES_MAX: usize = 1_048_576;
/// Deeper than any template is.
const DEPTH_MAX: usize = 64;

const SECTIONS: &[&str] = &[
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
];
const ATTRIBUTES: &[&str] =
    &["Condition", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdateReplacePolicy"];
pub(super) const PSEUDO: &[&str] = &[
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::NotificationARNs",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

pub(super) fn refused(text: impl Into<String>) -> Fault {
    Fault::bad("ValidationError", text)
}

fn malformed(text: impl std::fmt::Display) -> Fault {
    refused(format!("Template format error: {text}"))
}

/// A template whose parts fit together.
#[derive(Clone, Debug)]
pub(super) struct Template {
    whole: Value,
}

/// One resource as the template has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Declared<'a> {
    pub kind: &'a str,
    whole: &'a Value,
}

impl<'a> Declared<'a> {
    pub(super) fn properties(self) -> &'a Value {
        &self.whole["Properties"]
    }
    pub(super) fn metadata(self) -> &'a Value {
        &self.whole["Metadata"]
    }
    pub(super) fn deletion_policy(self) -> Option<&'a str> {
        self.whole["DeletionPolicy"].as_str()
    }
    pub(super) fn update_replace_policy(self) -> Option<&'a str> {
        self.whole["UpdateReplacePolicy"].as_str()
    }
    pub(super) fn condition(self) -> Option<&'a str> {
        self.whole["Condition"].as_str()
    }
    fn depends_on(self) -> Vec<&'a str> {
        match &self.whole["DependsOn"] {
            Value::String(one) => vec![one],
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

fn empty() -> &'static Map<String, Value> {
    static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    &EMPTY
}

impl Template {
    /// Reads a body and checks it.
    pub(super) fn parse(body: &str) -> Result<Template, Fault> {
        if body.trim().is_empty() {
            return Err(refused(
                "1 validation error detected: Value '' at 'templateBody' failed to satisfy constraint: Member must have length greater than or equal to 1",
            ));
        }
        let whole = read(body)?;
        let Some(sections) = whole.as_object() else {
            return Err(malformed("unsupported structure."));
        };
        if let Some(transform) = sections.get("Transform") {
            return Err(refused(format!("The sandbox does not model the transform {transform}.")));
        }
        if let Some(other) = sections.keys().find(|name| !SECTIONS.contains(&name.as_str())) {
            return Err(refused(match other.as_str() {
                "Rules" | "Hooks" => format!("The sandbox does not model the section {other}."),
                _ => format!("Invalid template property or properties [{other}]"),
            }));
        }
        let template = Template { whole };
        if template.section("Resources").is_empty() {
            return Err(malformed("At least one Resources member must be defined."));
        }
        let count = template.section("Resources").len();
        if count > RESOURCES_MAX {
            return Err(malformed(format!(
                "Number of resources, {count}, is greater than maximum allowed, {RESOURCES_MAX}"
            )));
        }
        template.check()?;
        Ok(template)
    }

    pub(super) fn section(&self, name: &str) -> &Map<String, Value> {
        self.whole[name].as_object().unwrap_or_else(|| empty())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.whole[name].as_str()
    }

    pub(super) fn metadata(&self) -> &Value {
        &self.whole["Metadata"]
    }

    pub(super) fn resource(&self, name: &str) -> Option<Declared<'_>> {
        let whole = self.section("Resources").get(name)?;
        Some(Declared { kind: whole["Type"].as_str().unwrap_or_default(), whole })
    }

    pub(super) fn resources(&self) -> impl Iterator<Item = (&String, Declared<'_>)> {
        self.section("Resources")
            .iter()
            .map(|(name, whole)| (name, Declared { kind: whole["Type"].as_str().unwrap_or_default(), whole }))
    }

    fn check(&self) -> Result<(), Fault> {
        for (name, resource) in self.resources() {
            let Some(attributes) = resource.whole.as_object() else {
                return Err(malformed(format!("[/Resources/{name}] resource definition is malformed")));
            };
            if !name.chars().all(|c| c.is_ascii_alphanumeric()) || name.is_empty() {
                return Err(malformed(format!("Resource name {name} is non alphanumeric.")));
            }
            if resource.kind.is_empty() {
                return Err(malformed(format!(
                    "[/Resources/{name}] Every Resources object must contain a Type member."
                )));
            }
            if let Some(other) = attributes.keys().find(|key| !ATTRIBUTES.contains(&key.as_str())) {
                return Err(refused(match other.as_str() {
                    "CreationPolicy" | "UpdatePolicy" => {
                        format!("The sandbox does not model {other} (resource {name}).")
                    }
                    _ => format!("Template format error: Encountered unsupported property {other}"),
                }));
            }
            let Some(kind) = kinds::find(resource.kind) else {
                let known = resource.kind.starts_with("AWS::") && resource.kind.matches("::").count() == 2;
                return Err(match known {
                    true => refused(format!(
                        "The sandbox does not model the resource type {} (resource {name}).",
                        resource.kind
                    )),
                    false => malformed(format!("Unrecognized resource types: [{}]", resource.kind)),
                });
            };
            for (policy, given) in [
                ("DeletionPolicy", attributes.get("DeletionPolicy")),
                ("UpdateReplacePolicy", attributes.get("UpdateReplacePolicy")),
            ] {
                let Some(given) = given else { continue };
                let allowed: &[&str] = match policy {
                    "DeletionPolicy" => &["Delete", "Retain", "RetainExceptOnCreate", "Snapshot"],
                    _ => &["Delete", "Retain", "Snapshot"],
                };
                if !given.as_str().is_some_and(|text| allowed.contains(&text)) {
                    return Err(malformed(format!("Unrecognized {policy} {given} for resource {name}")));
                }
                if given == "Snapshot" && !kind.has_snapshots() {
                    return Err(malformed(format!("{} does not support Snapshot", resource.kind)));
                }
            }
            if let Some(properties) = resource.properties().as_object() {
                for property in properties.keys() {
                    if !kind.has(property) && !property.starts_with("Fn::") {
                        return Err(refused(format!(
                            "The sandbox does not model the property {property} of {} (resource {name}).",
                            resource.kind
                        )));
                    }
                }
            }
            if let Some(condition) = resource.condition()
                && !self.section("Conditions").contains_key(condition)
            {
                return Err(malformed(format!(
                    "Unresolved condition dependency [{condition}] in the Resources block of the template"
                )));
            }
        }
        self.check_references()?;
        self.check_circle()
    }

    /// Every reference leads somewhere.
    fn check_references(&self) -> Result<(), Fault> {
        let unresolved = |name: &str| {
            !self.section("Parameters").contains_key(name)
                && !self.section("Resources").contains_key(name)
                && !PSEUDO.contains(&name)
        };
        for (block, section) in
            [("Resources", "Resources"), ("Outputs", "Outputs"), ("Conditions", "Conditions")]
        {
            let mut missing = BTreeSet::new();
            for value in self.section(section).values() {
                for reference in references(value) {
                    let name = reference.split('.').next().unwrap_or_default();
                    if unresolved(name) {
                        missing.insert(name.to_string());
                    }
                }
            }
            if block == "Resources" {
                for (_, resource) in self.resources() {
                    let absent = resource.depends_on();
                    let absent =
                        absent.into_iter().filter(|name| !self.section("Resources").contains_key(*name));
                    missing.extend(absent.map(str::to_string));
                }
            }
            if !missing.is_empty() {
                let missing: Vec<String> = missing.into_iter().collect();
                return Err(malformed(format!(
                    "Unresolved resource dependencies [{}] in the {block} block of the template",
                    missing.join(", ")
                )));
            }
        }
        for (_, resource) in self.resources() {
            for reference in references(resource.properties()) {
                self.check_attribute(&reference)?;
            }
        }
        for output in self.section("Outputs").values() {
            for reference in references(output) {
                self.check_attribute(&reference)?;
            }
        }
        Ok(())
    }

    fn check_attribute(&self, reference: &str) -> Result<(), Fault> {
        let Some((name, attribute)) = reference.split_once('.') else { return Ok(()) };
        let Some(resource) = self.resource(name) else { return Ok(()) };
        match kinds::find(resource.kind) {
            Some(kind) if !kind.gives(attribute) => Err(malformed(format!(
                "resource {name} does not support attribute type {attribute} in Fn::GetAtt"
            ))),
            _ => Ok(()),
        }
    }

    /// The resources that a resource waits for.
    pub(super) fn waits_for(&self, name: &str) -> BTreeSet<String> {
        let Some(resource) = self.resource(name) else { return BTreeSet::new() };
        let referred = references(resource.properties());
        let referred = referred.iter().map(|reference| reference.split('.').next().unwrap_or_default());
        let all = referred.chain(resource.depends_on());
        all.filter(|name| self.section("Resources").contains_key(*name)).map(str::to_string).collect()
    }

    fn check_circle(&self) -> Result<(), Fault> {
        let mut left: BTreeMap<&String, BTreeSet<String>> =
            self.resources().map(|(name, _)| (name, self.waits_for(name))).collect();
        loop {
            let free: Vec<&String> = left
                .iter()
                .filter(|(_, waits)| !waits.iter().any(|other| left.contains_key(other)))
                .map(|(name, _)| *name)
                .collect();
            if free.is_empty() {
                break;
            }
            left.retain(|name, _| !free.contains(name));
        }
        if left.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = left.keys().map(|name| name.as_str()).collect();
        Err(refused(format!("Circular dependency between resources: [{}]", names.join(", "))))
    }

    /// The names of the resources whose condition holds.
    pub(super) fn wanted(&self, scope: &Scope<'_>) -> Result<Vec<String>, Fault> {
        let mut wanted = Vec::new();
        for (name, resource) in self.resources() {
            if resource.condition().map_or(Ok(true), |condition| is_true(scope, condition))? {
                wanted.push(name.clone());
            }
        }
        Ok(wanted)
    }

    /// What the template needs to be told that it may, and why (CreateStack, `Capabilities`).
    pub(super) fn capabilities(&self) -> Option<(&'static str, Vec<String>)> {
        let names = |resource: &Declared<'_>| {
            ["RoleName", "ManagedPolicyName"].iter().any(|name| resource.properties().get(name).is_some())
        };
        let iam: Vec<Declared<'_>> = self
            .resources()
            .map(|(_, resource)| resource)
            .filter(|r| r.kind.starts_with("AWS::IAM::"))
            .collect();
        let named = iam.iter().any(names);
        let kinds: BTreeSet<String> = iam.iter().map(|resource| resource.kind.to_string()).collect();
        match (iam.is_empty(), named) {
            (true, _) => None,
            (false, true) => Some(("CAPABILITY_NAMED_IAM", kinds.into_iter().collect())),
            (false, false) => Some(("CAPABILITY_IAM", kinds.into_iter().collect())),
        }
    }
}

/// `Name` for each Ref, and `Name.Attribute` for each GetAtt, also within Sub.
pub(super) fn references(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| collect(one, found)),
        Value::Object(map) => {
            if let (1, Some((name, inner))) = (map.len(), map.iter().next()) {
                match (name.as_str(), inner) {
                    ("Ref", Value::String(to)) => {
                        found.insert(to.clone());
                        return;
                    }
                    ("Fn::GetAtt", Value::Array(parts)) => {
                        let parts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
                        found.insert(parts.join("."));
                        return;
                    }
                    ("Fn::Sub", Value::String(text)) => {
                        found.extend(holes(text).into_iter().map(|hole| hole.trim().to_string()));
                        return;
                    }
                    ("Fn::Sub", Value::Array(parts)) => {
                        let own = parts.get(1).and_then(Value::as_object).unwrap_or_else(|| empty());
                        let text = parts.first().and_then(Value::as_str).unwrap_or_default();
                        let free = holes(text).into_iter().filter(|hole| !own.contains_key(hole.trim()));
                        found.extend(free.map(|hole| hole.trim().to_string()));
                        own.values().for_each(|one| collect(one, found));
                        return;
                    }
                    _ => {}
                }
            }
            map.values().for_each(|one| collect(one, found));
        }
        _ => {}
    }
}

/// The `${…}` of a text for Sub, without those that are written `${!…}`.
pub(super) fn holes(text: &str) -> Vec<&str> {
    let mut rest = text;
    let mut found = Vec::new();
    while let Some(start) = rest.find("${") {
        let after = &rest[start + 2..];
        let Some(end) = after.find('}') else { break };
        if !after.starts_with('!') {
            found.push(&after[..end]);
        }
        rest = &after[end + 1..];
    }
    found
}

/// YAML or JSON as one value, short forms as long ones. JSON is YAML.
fn read(body: &str) -> Result<Value, Fault> {
    if body.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str::<Value>(body)
    {
        return Ok(value);
    }
    let value: serde_yaml::Value =
        serde_yaml::from_str(body).map_err(|error| malformed(format!("YAML not well-formed. ({error})")))?;
    long(value, 0)
}

fn long(value: serde_yaml::Value, depth: usize) -> Result<Value, Fault> {
    if depth > DEPTH_MAX {
        return Err(malformed("the template is nested too deeply."));
    }
    Ok(match value {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(flag) => json!(flag),
        serde_yaml::Value::Number(number) => {
            serde_json::to_value(number).map_err(|error| malformed(error.to_string()))?
        }
        serde_yaml::Value::String(text) => Value::String(text),
        serde_yaml::Value::Sequence(all) => {
            Value::Array(all.into_iter().map(|one| long(one, depth + 1)).collect::<Result<_, _>>()?)
        }
        serde_yaml::Value::Mapping(map) => {
            let mut object = Map::new();
            for (key, value) in map {
                let key = match key {
                    serde_yaml::Value::String(text) => text,
                    serde_yaml::Value::Number(number) => number.to_string(),
                    serde_yaml::Value::Bool(flag) => flag.to_string(),
                    other => return Err(malformed(format!("a key is no text: {other:?}"))),
                };
                object.insert(key, long(value, depth + 1)?);
            }
            Value::Object(object)
        }
        serde_yaml::Value::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = tag.trim_start_matches('!');
            let inner = long(tagged.value, depth + 1)?;
            match (name, inner) {
                ("Ref" | "Condition", inner) => json!({ name: inner }),
                ("GetAtt", Value::String(text)) => {
                    let (resource, attribute) = text.split_once('.').unwrap_or((&text, ""));
                    json!({"Fn::GetAtt": [resource, attribute]})
                }
                (
                    "And" | "Base64" | "Cidr" | "Equals" | "FindInMap" | "GetAtt" | "GetAZs" | "If"
                    | "ImportValue" | "Join" | "Not" | "Or" | "Select" | "Split" | "Sub",
                    inner,
                ) => json!({ format!("Fn::{name}"): inner }),
                (other, _) => return Err(malformed(format!("Unresolved tag: !{other}"))),
            }
        }
    })
}
