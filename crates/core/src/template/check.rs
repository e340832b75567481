//! What can be wrong with a template that is well formed.

use super::Template;
use super::problem::Problem;
use super::references::{Reference, references};
use serde_json::Value;
use std::collections::BTreeSet;

/// Top-level sections (user guide, "CloudFormation template sections").
const SECTIONS: &[&str] = &[
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Hooks",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
];

/// What may be said of a resource (template reference, "Resource attribute reference").
const ATTRIBUTES: &[&str] = &[
    "Condition",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

/// The most entries of a section (quotas).
const MOST: &[(&str, usize)] =
    &[("Mappings", 200), ("Outputs", 200), ("Parameters", 200), ("Resources", 500)];

pub fn problems(template: &Template) -> Vec<Problem> {
    let mut found = Findings { template, problems: Vec::new() };
    found.frame();
    if found.problems.is_empty() {
        found.parameters();
        found.resources();
        found.outputs();
        found.references();
    }
    let mut problems = found.problems;
    problems.sort_by(|a, b| (a.line, &a.path).cmp(&(b.line, &b.path)));
    problems
}

struct Findings<'a> {
    template: &'a Template,
    problems: Vec<Problem>,
}

impl Findings<'_> {
    fn add(&mut self, path: &str, message: impl Into<String>) {
        // Of what is missing, the line of what it is missing in.
        let mut at = path;
        let line = loop {
            if at.is_empty() {
                break 0;
            }
            if let Some(line) = self.template.line(at) {
                break line;
            }
            match at.rfind(['.', '[']) {
                Some(end) => at = &at[..end],
                None => break 0,
            }
        };
        self.problems.push(Problem { line, path: path.to_owned(), message: message.into() });
    }

    fn frame(&mut self) {
        let Some(map) = self.template.value.as_object() else {
            return self.add("", "a template must be a map with `Resources`");
        };
        for (name, value) in map {
            if !SECTIONS.contains(&name.as_str()) {
                self.add(name, format!("`{name}` is not a section of a template"));
            }
            let is_map = !matches!(name.as_str(), "AWSTemplateFormatVersion" | "Description" | "Transform");
            if is_map && !value.is_object() {
                self.add(name, "must be a map");
            }
        }
        match map.get("Resources") {
            None => self.add("", "`Resources` is missing"),
            Some(Value::Object(resources)) if resources.is_empty() => {
                self.add("Resources", "add at least one resource");
            }
            Some(_) => {}
        }
        for (section, most) in MOST {
            let count = map.get(*section).and_then(Value::as_object).map_or(0, serde_json::Map::len);
            if count > *most {
                self.add(section, format!("{count} entries; CloudFormation allows {most}"));
            }
        }
    }

    fn parameters(&mut self) {
        let template = self.template;
        for (name, value) in template.section("Parameters") {
            let path = format!("Parameters.{name}");
            if value.get("Type").and_then(Value::as_str).is_none() {
                self.add(&format!("{path}.Type"), "a parameter needs a type, such as `String`");
            }
            let default = value.get("Default");
            if default.is_some_and(|value| value.is_object() || value.is_array()) {
                self.add(&format!("{path}.Default"), "must be plain text");
            }
        }
    }

    fn resources(&mut self) {
        let template = self.template;
        let ids: BTreeSet<&str> = template.section("Resources").map(|(id, _)| id).collect();
        for (id, value) in template.section("Resources") {
            let path = format!("Resources.{id}");
            if id.starts_with("Fn::") {
                continue;
            }
            if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric()) {
                self.add(&path, "a logical id can have only letters and digits");
            }
            let Some(map) = value.as_object() else {
                self.add(&path, "a resource must be a map with `Type`");
                continue;
            };
            // A macro may stand beside what it processes.
            let is_known = |name: &str| ATTRIBUTES.contains(&name) || name == "Fn::Transform";
            for name in map.keys().filter(|name| !is_known(name)) {
                let hint = if map.contains_key("Properties") { "" } else { "; `Properties` is missing" };
                self.add(&format!("{path}.{name}"), format!("`{name}` is not allowed in a resource{hint}"));
            }
            if map.get("Type").and_then(Value::as_str).is_none_or(str::is_empty) {
                self.add(&format!("{path}.Type"), "a resource needs a type, such as `AWS::S3::Bucket`");
            }
            if map.get("Properties").is_some_and(|properties| !properties.is_object()) {
                self.add(&format!("{path}.Properties"), "must be a map");
            }
            let depends = map.get("DependsOn");
            let named: Vec<&str> = match depends {
                None => Vec::new(),
                Some(Value::String(one)) => vec![one],
                Some(Value::Array(many)) if many.iter().all(Value::is_string) => {
                    many.iter().filter_map(Value::as_str).collect()
                }
                Some(_) => {
                    self.add(&format!("{path}.DependsOn"), "must be the id of a resource, or a list of ids");
                    Vec::new()
                }
            };
            // What a loop or a macro makes is not known here.
            let is_all = ids.iter().all(|id| !id.starts_with("Fn::")) && template.transforms().is_empty();
            for name in named.into_iter().filter(|name| is_all && !ids.contains(name)) {
                self.add(&format!("{path}.DependsOn"), format!("there is no resource `{name}`"));
            }
        }
    }

    fn outputs(&mut self) {
        let template = self.template;
        for (name, value) in template.section("Outputs").filter(|(name, _)| !name.starts_with("Fn::")) {
            if value.get("Value").is_none() {
                self.add(&format!("Outputs.{name}.Value"), "an output needs a value");
            }
        }
    }

    /// Whether what is referred to is there; not where macros may still add to it.
    fn references(&mut self) {
        let template = self.template;
        let has_loops = ["Resources", "Conditions", "Outputs"]
            .iter()
            .any(|s| template.section(s).any(|(k, _)| k.starts_with("Fn::")));
        if has_loops || !template.transforms().is_empty() {
            return;
        }
        let names =
            |section: &str| template.section(section).map(|(name, _)| name).collect::<BTreeSet<&str>>();
        let (resources, parameters) = (names("Resources"), names("Parameters"));
        let (conditions, maps) = (names("Conditions"), names("Mappings"));
        for section in ["Conditions", "Resources", "Outputs"] {
            for (entry, value) in template.section(section) {
                let path = format!("{section}.{entry}");
                let condition =
                    value.get("Condition").and_then(Value::as_str).filter(|_| section != "Conditions");
                let own = condition.map(|name| Reference::Condition(name.to_owned()));
                for reference in references(value).into_iter().chain(own) {
                    let missing = match &reference {
                        Reference::Name(name) if name.starts_with("AWS::") => continue,
                        Reference::Name(name) if parameters.contains(name.as_str()) => continue,
                        Reference::Name(name)
                            if resources.contains(name.as_str()) && section != "Conditions" =>
                        {
                            continue;
                        }
                        Reference::Name(name) => format!("there is no parameter or resource `{name}`"),
                        Reference::Attribute { id, .. } if resources.contains(id.as_str()) => continue,
                        Reference::Attribute { id, .. } => format!("there is no resource `{id}`"),
                        Reference::Condition(name) if conditions.contains(name.as_str()) => continue,
                        Reference::Condition(name) => format!("there is no condition `{name}`"),
                        Reference::Map(name) if maps.contains(name.as_str()) => continue,
                        Reference::Map(name) => format!("there is no mapping `{name}`"),
                        Reference::Import(_) => continue,
                    };
                    self.add(&path, missing);
                }
            }
        }
    }
}
