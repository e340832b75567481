//! YAML's short forms of functions, such as `!Ref`, and the long forms that they stand for.

use serde_json::{Map, Value, json};

/// What a tag says of the value behind it.
pub enum Tag {
    /// One of YAML's own that says what is seen anyway.
    Core,
    /// `!!str`.
    Text,
    /// A function, by its long name.
    Function(String),
    Unknown,
}

/// Functions whose short form is their name without `Fn::` (CloudFormation's template reference, "Intrinsic function
/// reference", and "Rule-specific intrinsic functions"). `Fn::ForEach` has none.
const FUNCTIONS: &[&str] = &[
    "And",
    "Base64",
    "Cidr",
    "Contains",
    "EachMemberEquals",
    "EachMemberIn",
    "Equals",
    "FindInMap",
    "GetAZs",
    "GetAtt",
    "GetStackOutput",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "RefAll",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
    "Transform",
    "ValueOf",
    "ValueOfAll",
];

const CORE: &str = "tag:yaml.org,2002:";

pub fn meaning(tag: &str) -> Tag {
    let core = tag.strip_prefix(CORE).or_else(|| tag.strip_prefix("!!"));
    if let Some(core) = core {
        return match core {
            "str" => Tag::Text,
            "int" | "float" | "bool" | "map" | "seq" => Tag::Core,
            // `binary`, `omap`, `pairs`, `set` and `timestamp` are not taken (user guide, "CloudFormation template
            // formats").
            _ => Tag::Unknown,
        };
    }
    match tag.strip_prefix('!') {
        Some(name @ ("Ref" | "Condition")) => Tag::Function(name.to_owned()),
        Some(name) if FUNCTIONS.contains(&name) => Tag::Function(format!("Fn::{name}")),
        _ => Tag::Unknown,
    }
}

/// `!GetAtt a.b` as `{"Fn::GetAtt": ["a", "b"]}`.
pub fn long(function: &str, argument: Value) -> Value {
    normal(Value::Object(Map::from_iter([(function.to_owned(), argument)])))
}

/// `Fn::GetAtt: a.b`, which YAML may say, as JSON must say it. The attribute may have dots: `Nested.Outputs.Name`.
pub fn normal(value: Value) -> Value {
    let Value::Object(map) = &value else { return value };
    let argument = map.get("Fn::GetAtt").and_then(Value::as_str).filter(|_| map.len() == 1);
    match argument.and_then(|text| text.split_once('.')) {
        Some((resource, attribute)) => json!({ "Fn::GetAtt": [resource, attribute] }),
        None => value,
    }
}
