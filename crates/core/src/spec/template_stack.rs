//! CloudFormation templates that are run as a part of the stack.

use super::fields::fields;
use super::form::{Form, choices, mismatch, scalar};
use super::node::{Node, Value};
use super::reader::Reader;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

fields! {
    /// A CloudFormation stack, made of a template and owned by this stack.
    pub struct TemplateStack in "stacks" (hint: "write `stacks: { NAME: { template: FILE } }`") {
        /// Local file with the template, as YAML or JSON, relative to the spec.
        template: String {
            required: "write `template: FILE`, a CloudFormation template beside the spec",
            changed: "updates the CloudFormation stack",
            meaning: "local file, YAML or JSON; above 51,200 bytes it is uploaded to the stack's `bucket`",
        }
        /// Values of the template's parameters; `{ environment_variable: NAME }` for secrets.
        parameters: BTreeMap<String, ParameterValue> {
            type: "mapping of values",
            default_is: "the template's",
            changed: "updates it; `NoEcho` values are not compared",
            meaning: "values can contain `${stacks.NAME.OUTPUT}` and `${cluster.arn}` ([references](cloudformation.md#run-a-template)); use `{ environment_variable: NAME }` for secrets",
        }
        /// Tags of the CloudFormation stack, in addition to those of the spec; CloudFormation copies them to its
        /// resources.
        tags: BTreeMap<String, String> {
            changed: "update",
            meaning: "in addition to the spec's `tags`; CloudFormation copies them to the stack's resources",
        }
        /// What the template is allowed: IAM resources must be acknowledged.
        capabilities: Vec<Capability> {
            default_is: "none",
            changed: "with the next update",
            meaning: "`CAPABILITY_IAM`, `CAPABILITY_NAMED_IAM`, `CAPABILITY_AUTO_EXPAND`, if the template needs them",
        }
        /// Whether CloudFormation refuses to delete the stack.
        termination_protection: bool {
            changed: "in place",
            meaning: "whether CloudFormation refuses to delete the stack; `destroy --unprotect` turns it off",
        }
        /// Name of the CloudFormation stack.
        name: Option<String> {
            default_is: "`<stack>-<NAME>`",
            changed: "blocked",
            meaning: "name of the CloudFormation stack",
        }
    }
}

choices!(Capability);

/// What CloudFormation wants to be told explicitly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Capability {
    CapabilityIam,
    CapabilityNamedIam,
    CapabilityAutoExpand,
}

impl Capability {
    pub fn name(self) -> &'static str {
        match self {
            Capability::CapabilityIam => "CAPABILITY_IAM",
            Capability::CapabilityNamedIam => "CAPABILITY_NAMED_IAM",
            Capability::CapabilityAutoExpand => "CAPABILITY_AUTO_EXPAND",
        }
    }
}

/// The value of a template's parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ParameterValue {
    Text(String),
    Environment(FromEnvironment),
}

fields! {
    pub struct FromEnvironment in "stacks.parameters" (hint: HINT) {
        /// Environment variable of the run that holds the value.
        environment_variable: String {
            required: "write `{ environment_variable: NAME }`",
            meaning: "environment variable of the run that holds the value",
        }
    }
}

const HINT: &str = "write the value, or `{ environment_variable: NAME }` for what is secret";

impl Form for ParameterValue {
    fn read(node: &Node, path: &str, reader: &mut Reader) -> Option<ParameterValue> {
        match &node.value {
            Value::Map(_) => FromEnvironment::read(node, path, reader).map(ParameterValue::Environment),
            Value::List(items) => {
                // To CloudFormation a list is a text with commas.
                let texts: Option<Vec<String>> = items.iter().map(scalar).collect();
                match texts {
                    Some(texts) => Some(ParameterValue::Text(texts.join(","))),
                    None => mismatch(node, path, reader, "a list of texts", HINT),
                }
            }
            _ => match scalar(node) {
                Some(text) => Some(ParameterValue::Text(text)),
                None => mismatch(node, path, reader, "a value", HINT),
            },
        }
    }
    fn in_words() -> String {
        "value".to_owned()
    }
    fn many_in_words() -> String {
        "values".to_owned()
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let environment = generator.subschema_for::<FromEnvironment>();
        schemars::json_schema!({
            "anyOf": [{ "type": ["string", "number", "boolean", "array"] }, environment]
        })
    }
    fn given(&self, path: &str, found: &mut Vec<String>) {
        if let ParameterValue::Environment(from) = self {
            from.given(path, found);
        }
    }
}

impl ParameterValue {
    /// The value where it is written.
    pub fn text(&self) -> Option<&str> {
        match self {
            ParameterValue::Text(text) => Some(text),
            ParameterValue::Environment(_) => None,
        }
    }
}
