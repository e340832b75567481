//! What a template has: resources, parameters, outputs, and what must be acknowledged.

use super::{Template, types};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// One entry of `Resources`.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// The logical id.
    pub id: &'a str,
    /// `AWS::S3::Bucket`.
    pub kind: &'a str,
    /// What stands under `Properties`; null where nothing does.
    pub properties: &'a Value,
    /// Everything that is said of it.
    pub all: &'a Value,
}

impl<'a> Resource<'a> {
    /// The ids that `DependsOn` names, one or many.
    pub fn depends_on(&self) -> Vec<&'a str> {
        match self.all.get("DependsOn") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    pub fn condition(&self) -> Option<&'a str> {
        self.all.get("Condition")?.as_str()
    }

    pub fn deletion_policy(&self) -> Option<&'a str> {
        self.all.get("DeletionPolicy")?.as_str()
    }

    pub fn update_replace_policy(&self) -> Option<&'a str> {
        self.all.get("UpdateReplacePolicy")?.as_str()
    }

    /// Whether data is lost with it, which cannot be made again from the template. Where nothing is known of the
    /// type's insides, as of a nested stack or a custom resource, it may be.
    pub fn bears_data(&self) -> bool {
        types::bears_data(self.kind, self.properties)
    }
}

/// One entry of `Parameters`.
#[derive(Clone, Copy, Debug)]
pub struct Parameter<'a> {
    pub name: &'a str,
    /// `String`, `Number`, `List<…>`, `AWS::SSM::Parameter::Value<…>`.
    pub kind: &'a str,
    /// What it is where nothing is given. Text, number or truth value.
    pub default: Option<&'a Value>,
    /// Whether CloudFormation answers `****` for it.
    pub no_echo: bool,
    pub description: Option<&'a str>,
    pub allowed_pattern: Option<&'a str>,
    allowed_values: Option<&'a Value>,
}

impl Parameter<'_> {
    /// The only values that it may have; empty where any will do.
    pub fn allowed_values(&self) -> Vec<String> {
        let values = self.allowed_values.and_then(Value::as_array);
        values.into_iter().flatten().filter_map(super::compare::text).collect()
    }

    /// The default as text, which it is to CloudFormation.
    pub fn default_text(&self) -> Option<String> {
        self.default.and_then(super::compare::text)
    }
}

/// One entry of `Outputs`.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    pub name: &'a str,
    pub value: &'a Value,
    pub description: Option<&'a str>,
    /// The name under which other stacks may import it, as it is written.
    pub export: Option<&'a Value>,
    pub condition: Option<&'a str>,
}

/// What CloudFormation wants to be told explicitly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    Iam,
    NamedIam,
    AutoExpand,
}

impl Capability {
    pub fn name(self) -> &'static str {
        match self {
            Capability::Iam => "CAPABILITY_IAM",
            Capability::NamedIam => "CAPABILITY_NAMED_IAM",
            Capability::AutoExpand => "CAPABILITY_AUTO_EXPAND",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const NOTHING: &Value = &Value::Null;

impl Template {
    /// All resources, by id. The loops of `Fn::ForEach` are none: what they come to, only CloudFormation knows.
    pub fn resources(&self) -> Vec<Resource<'_>> {
        let entries = self.section("Resources").filter(|(id, _)| !id.starts_with("Fn::"));
        let resources = entries.map(|(id, all)| Resource {
            id,
            kind: all.get("Type").and_then(Value::as_str).unwrap_or_default(),
            properties: all.get("Properties").unwrap_or(NOTHING),
            all,
        });
        resources.collect()
    }

    pub fn resource(&self, id: &str) -> Option<Resource<'_>> {
        self.resources().into_iter().find(|resource| resource.id == id)
    }

    pub fn parameters(&self) -> Vec<Parameter<'_>> {
        let entries = self.section("Parameters");
        let parameters = entries.map(|(name, all)| Parameter {
            name,
            kind: all.get("Type").and_then(Value::as_str).unwrap_or_default(),
            default: all.get("Default"),
            no_echo: all.get("NoEcho").is_some_and(is_true),
            description: all.get("Description").and_then(Value::as_str),
            allowed_pattern: all.get("AllowedPattern").and_then(Value::as_str),
            allowed_values: all.get("AllowedValues"),
        });
        parameters.collect()
    }

    pub fn outputs(&self) -> Vec<Output<'_>> {
        let entries = self.section("Outputs").filter(|(name, _)| !name.starts_with("Fn::"));
        let outputs = entries.map(|(name, all)| Output {
            name,
            value: all.get("Value").unwrap_or(NOTHING),
            description: all.get("Description").and_then(Value::as_str),
            export: all.get("Export").and_then(|export| export.get("Name")),
            condition: all.get("Condition").and_then(Value::as_str),
        });
        outputs.collect()
    }

    /// What must be acknowledged for CloudFormation to create this: the least that will do. What nested stacks need
    /// is theirs to say ([`Template::has_nested_stacks`]).
    pub fn capabilities(&self) -> Vec<Capability> {
        let mut needed = BTreeSet::new();
        for is_named in self.resources().iter().filter_map(types::iam) {
            // Whoever acknowledges names acknowledges the rest too.
            needed.insert(if is_named { Capability::NamedIam } else { Capability::Iam });
        }
        // All macros count, CloudFormation's own too (API reference, CreateStack, Capabilities). The serverless one
        // makes roles.
        let transforms = self.transforms();
        if transforms.iter().any(|name| name.starts_with("AWS::Serverless")) {
            needed.insert(Capability::Iam);
        }
        if !transforms.is_empty() {
            needed.insert(Capability::AutoExpand);
        }
        if needed.contains(&Capability::NamedIam) {
            needed.remove(&Capability::Iam);
        }
        needed.into_iter().collect()
    }

    /// Macros that rewrite the template: of the whole, and in its parts.
    pub fn transforms(&self) -> Vec<&str> {
        let mut found: Vec<&str> = match self.value.get("Transform") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().map(macro_name).collect(),
            Some(_) => vec!["?"],
            None => Vec::new(),
        };
        transforms_within(&self.value, &mut found);
        found
    }

    pub fn has_nested_stacks(&self) -> bool {
        self.resources().iter().any(|resource| resource.kind == "AWS::CloudFormation::Stack")
    }
}

/// `true` and `"true"` alike.
fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true")))
}

/// Macros in parts of a template. They stand beside what they process, or alone (template reference, "`Fn::Transform`").
fn transforms_within<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                match (name.as_str(), value) {
                    ("Fn::Transform", Value::Array(many)) => found.extend(many.iter().map(macro_name)),
                    ("Fn::Transform", one) => found.push(macro_name(one)),
                    _ => {}
                }
                transforms_within(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| transforms_within(item, found)),
        _ => {}
    }
}

/// A macro is named by its name alone, or as `{Name: …, Parameters: …}`.
fn macro_name(value: &Value) -> &str {
    value.as_str().or_else(|| value.get("Name")?.as_str()).unwrap_or("?")
}
