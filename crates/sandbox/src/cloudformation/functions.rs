//! Intrinsic functions: what a value of a template comes to (CloudFormation User Guide, "Intrinsic function reference").

use super::template::{Template, holes, refused};
use crate::account::ACCOUNT;
use crate::wire::Fault;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Stands for a value that is known only after something else was made. No template can hold it.
const UNKNOWN: &str = "\u{0}known after apply";

/// Where the names in a template lead.
pub(super) struct Scope<'a> {
    pub template: &'a Template,
    pub parameters: &'a BTreeMap<String, Value>,
    pub region: &'a str,
    pub stack_id: &'a str,
    pub stack_name: &'a str,
    pub notifications: &'a [String],
    pub zones: &'a [String],
    pub exports: &'a BTreeMap<String, String>,
    /// What Ref gives of a resource, and each attribute; nothing for what does not exist yet.
    pub resources: &'a dyn Fn(&str, Option<&str>) -> Option<Value>,
    /// The resources whose condition does not hold.
    pub absent: BTreeSet<String>,
}

fn broken(text: impl std::fmt::Display) -> Fault {
    refused(format!("Template error: {text}"))
}

/// Whether a condition of the template holds.
pub(super) fn is_true(scope: &Scope<'_>, name: &str) -> Result<bool, Fault> {
    condition_named(scope, name, 0)
}

fn condition_named(scope: &Scope<'_>, name: &str, depth: usize) -> Result<bool, Fault> {
    let condition = scope.template.section("Conditions").get(name);
    let condition = condition.ok_or_else(|| {
        refused(format!(
            "Template format error: Unresolved condition dependency {name} in the Conditions block"
        ))
    })?;
    condition_of(scope, condition, depth)
}

fn condition_of(scope: &Scope<'_>, value: &Value, depth: usize) -> Result<bool, Fault> {
    if depth > 32 {
        return Err(refused("Template format error: Circular dependencies in the Conditions block"));
    }
    let wrong = || refused("Template format error: Every Conditions member must be a condition function.");
    let (name, inner) = value.as_object().and_then(sole).ok_or_else(wrong)?;
    let all = inner.as_array().map(Vec::as_slice).unwrap_or_default();
    let each = || all.iter().map(|one| condition_of(scope, one, depth + 1)).collect::<Result<Vec<_>, _>>();
    match (name, all) {
        ("Condition", _) => condition_named(scope, inner.as_str().unwrap_or_default(), depth + 1),
        ("Fn::Equals", [left, right]) => {
            let text = |value: &Value| Ok::<_, Fault>(plain(&scope.value(value)?.unwrap_or_default()));
            Ok(text(left)? == text(right)?)
        }
        ("Fn::Not", [one]) => Ok(!condition_of(scope, one, depth + 1)?),
        ("Fn::And", [_, _, ..]) => Ok(each()?.into_iter().all(|one| one)),
        ("Fn::Or", [_, _, ..]) => Ok(each()?.into_iter().any(|one| one)),
        _ => Err(wrong()),
    }
}

fn sole(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, inner) = map.iter().next().filter(|_| map.len() == 1)?;
    Some((name.as_str(), inner))
}

/// A scalar as text, the way CloudFormation hands it on.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Whether a value, or a part of it, is only known later.
pub(super) fn is_unknown(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(UNKNOWN),
        Value::Array(all) => all.iter().any(is_unknown),
        Value::Object(map) => map.values().any(is_unknown),
        _ => false,
    }
}

impl Scope<'_> {
    /// What a value comes to; nothing for `AWS::NoValue`.
    pub(super) fn value(&self, value: &Value) -> Result<Option<Value>, Fault> {
        match value {
            Value::Array(all) => {
                let mut result = Vec::new();
                for one in all {
                    result.extend(self.value(one)?);
                }
                Ok(Some(Value::Array(result)))
            }
            Value::Object(map) => match sole(map) {
                Some(("Ref", Value::String(name))) => self.reference(name),
                Some((name, inner)) if name.starts_with("Fn::") => self.function(name, inner),
                _ => {
                    let mut result = Map::new();
                    for (name, one) in map {
                        if let Some(one) = self.value(one)? {
                            result.insert(name.clone(), one);
                        }
                    }
                    Ok(Some(Value::Object(result)))
                }
            },
            scalar => Ok(Some(scalar.clone())),
        }
    }

    fn needed(&self, value: &Value) -> Result<Value, Fault> {
        Ok(self.value(value)?.unwrap_or_default())
    }

    fn text(&self, value: &Value) -> Result<String, Fault> {
        match self.needed(value)? {
            Value::Array(_) | Value::Object(_) => {
                Err(broken("a function was given a list or a map for a text"))
            }
            scalar => Ok(plain(&scalar)),
        }
    }

    fn reference(&self, name: &str) -> Result<Option<Value>, Fault> {
        Ok(Some(match name {
            "AWS::AccountId" => json!(ACCOUNT),
            "AWS::NoValue" => return Ok(None),
            "AWS::NotificationARNs" => json!(self.notifications),
            "AWS::Partition" => json!("aws"),
            "AWS::Region" => json!(self.region),
            "AWS::StackId" => json!(self.stack_id),
            "AWS::StackName" => json!(self.stack_name),
            "AWS::URLSuffix" => json!("amazonaws.com"),
            name => match self.parameters.get(name) {
                Some(value) => value.clone(),
                None => self.attribute(name, None)?,
            },
        }))
    }

    fn attribute(&self, name: &str, attribute: Option<&str>) -> Result<Value, Fault> {
        if self.absent.contains(name) {
            return Err(refused(format!(
                "Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template"
            )));
        }
        Ok((self.resources)(name, attribute).unwrap_or_else(|| json!(UNKNOWN)))
    }

    fn function(&self, name: &str, inner: &Value) -> Result<Option<Value>, Fault> {
        let wrong = || broken(format!("the arguments of {name} are not as they have to be"));
        let given = inner.as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(Some(match (name, given) {
            ("Fn::GetAtt", [resource, attribute]) => {
                let resource = resource.as_str().ok_or_else(wrong)?;
                self.attribute(resource, Some(&self.text(attribute)?))?
            }
            ("Fn::Sub", [text, own]) => json!(self.substitute(text.as_str().ok_or_else(wrong)?, own)?),
            ("Fn::Sub", []) => json!(self.substitute(inner.as_str().ok_or_else(wrong)?, &Value::Null)?),
            ("Fn::Join", [between, list]) => {
                let list = self.list(list, name)?;
                json!(list.iter().map(plain).collect::<Vec<_>>().join(&self.text(between)?))
            }
            ("Fn::Split", [between, text]) => {
                let (between, text) = (self.text(between)?, self.text(text)?);
                match text.contains(UNKNOWN) {
                    true => json!([UNKNOWN]),
                    false => json!(text.split(&between).collect::<Vec<_>>()),
                }
            }
            ("Fn::Select", [index, list]) => {
                let list = self.list(list, name)?;
                if list.iter().any(|one| one == UNKNOWN) && list.len() == 1 {
                    return Ok(Some(json!(UNKNOWN)));
                }
                let index = self.text(index)?.parse::<usize>().map_err(|_| wrong())?;
                let found = list.get(index).cloned();
                found.ok_or_else(|| {
                    broken(format!("Fn::Select cannot select nonexistent value at index {index}"))
                })?
            }
            ("Fn::FindInMap", [map, top, second]) => {
                let (map, top, second) = (self.text(map)?, self.text(top)?, self.text(second)?);
                let found =
                    self.template.section("Mappings").get(&map).and_then(|map| map.get(&top)?.get(&second));
                found
                    .cloned()
                    .ok_or_else(|| broken(format!("Unable to get mapping for {map}::{top}::{second}")))?
            }
            ("Fn::GetAZs", _) => {
                let region = self.text(inner)?;
                if !region.is_empty() && region != self.region {
                    return Err(broken(format!(
                        "The sandbox does not model Fn::GetAZs of another region ({region})"
                    )));
                }
                json!(self.zones)
            }
            ("Fn::Base64", _) => {
                let text = self.text(inner)?;
                match text.contains(UNKNOWN) {
                    true => json!(UNKNOWN),
                    false => json!(STANDARD.encode(text)),
                }
            }
            ("Fn::If", [condition, yes, no]) => {
                let holds = is_true(self, condition.as_str().ok_or_else(wrong)?)?;
                return self.value(if holds { yes } else { no });
            }
            ("Fn::ImportValue", _) => {
                let name = self.text(inner)?;
                let found = self.exports.get(&name);
                json!(found.ok_or_else(|| refused(format!("No export named {name} found.")))?)
            }
            ("Fn::Cidr" | "Fn::ForEach" | "Fn::Length" | "Fn::ToJsonString" | "Fn::Transform", _) => {
                return Err(refused(format!("The sandbox does not model {name}.")));
            }
            _ => return Err(wrong()),
        }))
    }

    fn list(&self, value: &Value, name: &str) -> Result<Vec<Value>, Fault> {
        match self.needed(value)? {
            Value::Array(all) => Ok(all),
            Value::String(text) if text == UNKNOWN => Ok(vec![json!(UNKNOWN)]),
            _ => Err(broken(format!("every {name} object requires a list of values"))),
        }
    }

    fn substitute(&self, text: &str, own: &Value) -> Result<String, Fault> {
        let mut result = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            result.push_str(&rest[..start]);
            let after = &rest[start + 2..];
            let Some(end) = after.find('}') else { break };
            let hole = &after[..end];
            match hole.strip_prefix('!') {
                Some(literal) => result.push_str(&format!("${{{literal}}}")),
                None => result.push_str(&self.hole(hole.trim(), own)?),
            }
            rest = &after[end + 1..];
        }
        if holes(rest).is_empty() {
            result.push_str(rest);
        }
        Ok(result)
    }

    fn hole(&self, name: &str, own: &Value) -> Result<String, Fault> {
        if let Some(value) = own.get(name) {
            return self.text(value);
        }
        let value = match name.split_once('.') {
            Some((resource, attribute)) => Some(self.attribute(resource, Some(attribute))?),
            None => self.reference(name)?,
        };
        match value.unwrap_or_default() {
            Value::Array(_) | Value::Object(_) => {
                Err(broken(format!("{name} is a list, which Fn::Sub cannot put into a text")))
            }
            scalar => Ok(plain(&scalar)),
        }
    }
}

/// The names of exports that a template asks for, where they are written out.
pub(super) fn imports(scope: &Scope<'_>, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| imports(scope, one, found)),
        Value::Object(map) => {
            if let Some(("Fn::ImportValue", inner)) = sole(map)
                && let Ok(name) = scope.text(inner)
            {
                found.insert(name);
            }
            map.values().for_each(|one| imports(scope, one, found));
        }
        _ => {}
    }
}
