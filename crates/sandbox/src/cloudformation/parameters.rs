//! Parameters of a template: types, defaults, limits (CloudFormation User Guide, "Parameters section").

use super::functions::{is_unknown, plain};
use super::pattern;
use super::template::{Template, refused};
use crate::wire::Fault;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// "CloudFormation quotas": parameters of a template, and characters of a value.
const PARAMETERS_MAX: usize = 200;
const VALUE_MAX: usize = 4_096;

/// The value of every parameter, from what was given and the defaults.
pub(super) fn settle(
    template: &Template,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Fault> {
    let declared = template.section("Parameters");
    if declared.len() > PARAMETERS_MAX {
        return Err(refused(format!("A template can have at most {PARAMETERS_MAX} parameters.")));
    }
    let unknown: Vec<&str> =
        given.keys().filter(|name| !declared.contains_key(*name)).map(String::as_str).collect();
    if !unknown.is_empty() {
        return Err(refused(format!("Parameters: [{}] do not exist in the template", unknown.join(", "))));
    }
    let mut settled = BTreeMap::new();
    let mut missing = Vec::new();
    for (name, about) in declared {
        let value = given.get(name).cloned().or_else(|| about.get("Default").map(plain));
        let Some(value) = value else {
            missing.push(name.as_str());
            continue;
        };
        // What a stack within another is given may be known only once that one is carried out.
        if !is_unknown(&json!(value)) {
            check(name, about, &value)?;
        }
        settled.insert(name.clone(), value);
    }
    if !missing.is_empty() {
        return Err(refused(format!("Parameters: [{}] must have values", missing.join(", "))));
    }
    Ok(settled)
}

pub(super) fn is_hidden(template: &Template, name: &str) -> bool {
    let about = template.section("Parameters").get(name);
    about.is_some_and(|about| plain(&about["NoEcho"]).eq_ignore_ascii_case("true"))
}

fn number(value: &Value) -> Option<f64> {
    plain(value).parse().ok()
}

fn check(name: &str, about: &Value, value: &str) -> Result<(), Fault> {
    let kind = about["Type"].as_str().unwrap_or_default();
    match kind {
        "String" | "Number" | "List<Number>" | "CommaDelimitedList" => {}
        kind if kind.contains("AWS::SSM::") => {
            return Err(refused(format!("The sandbox does not model parameters of type {kind} ({name}).")));
        }
        kind if kind.starts_with("AWS::EC2::") || kind.starts_with("List<AWS::EC2::") => {}
        "" => {
            return Err(refused(
                "Template format error: Every Parameters object must contain a Type member.",
            ));
        }
        kind => {
            return Err(refused(format!("Template format error: Unrecognized parameter type: {kind}")));
        }
    }
    let said = about["ConstraintDescription"].as_str();
    let wrong = |why: String| {
        refused(match said {
            Some(said) => format!("Parameter '{name}' {said}"),
            None => why,
        })
    };
    if value.chars().count() > VALUE_MAX {
        return Err(refused(format!("Parameter '{name}' must be at most {VALUE_MAX} characters long")));
    }
    let parts: Vec<&str> = match kind.starts_with("List<") || kind == "CommaDelimitedList" {
        true => value.split(',').map(str::trim).collect(),
        false => vec![value],
    };
    for part in &parts {
        if kind.contains("Number") && part.parse::<f64>().is_err() {
            return Err(wrong(format!("Parameter '{name}' must be a number.")));
        }
        if let Some(allowed) = about["AllowedValues"].as_array()
            && !allowed.iter().any(|one| plain(one) == *part)
        {
            return Err(wrong(format!("Parameter '{name}' must be one of AllowedValues")));
        }
        if let Some(pattern) = about["AllowedPattern"].as_str() {
            match pattern::matches(pattern, part) {
                Some(true) => {}
                Some(false) => {
                    return Err(wrong(format!(
                        "Parameter {name} failed to satisfy constraint: must match pattern {pattern}"
                    )));
                }
                None => {
                    return Err(refused(format!(
                        "The sandbox cannot read the AllowedPattern of {name}: {pattern}"
                    )));
                }
            }
        }
        if let (Some(least), Ok(part)) = (number(&about["MinValue"]), part.parse::<f64>())
            && part < least
        {
            return Err(wrong(format!("Parameter '{name}' must be a number not less than {least}")));
        }
        if let (Some(most), Ok(part)) = (number(&about["MaxValue"]), part.parse::<f64>())
            && part > most
        {
            return Err(wrong(format!("Parameter '{name}' must be a number not greater than {most}")));
        }
    }
    let length = value.chars().count() as f64;
    if number(&about["MinLength"]).is_some_and(|least| length < least) {
        return Err(wrong(format!(
            "Parameter '{name}' must contain at least {} characters",
            plain(&about["MinLength"])
        )));
    }
    if number(&about["MaxLength"]).is_some_and(|most| length > most) {
        return Err(wrong(format!(
            "Parameter '{name}' must contain at most {} characters",
            plain(&about["MaxLength"])
        )));
    }
    Ok(())
}

/// What Ref gives of each parameter.
pub(super) fn values(template: &Template, settled: &BTreeMap<String, String>) -> BTreeMap<String, Value> {
    let value = |(name, text): (&String, &String)| {
        let kind = template.section("Parameters").get(name).and_then(|about| about["Type"].as_str());
        let is_list = kind.is_some_and(|kind| kind.starts_with("List<") || kind == "CommaDelimitedList");
        let value = match is_list {
            true if text.is_empty() => json!([]),
            true => json!(text.split(',').map(str::trim).collect::<Vec<_>>()),
            false => json!(text),
        };
        (name.clone(), value)
    };
    settled.iter().map(value).collect()
}
