//! A template as paths and texts: what two of them say is compared by path, and shown that way. Pure.

use crate::base::names::short_hash;
use crate::template::Template;
use serde_json::Value;
use std::collections::BTreeMap;

/// What CloudFormation shows in the place of a value that is `NoEcho`.
pub const HIDDEN: &str = "****";

/// What a template says that CloudFormation acts on. Descriptions, metadata of the whole and what limits a parameter's
/// values change nothing that is there: CloudFormation finds an update of those alone empty.
const SECTIONS: [&str; 6] = ["Conditions", "Mappings", "Outputs", "Resources", "Rules", "Transform"];

/// Properties whose literal value is a secret: a plan has a hash of it.
const SECRETS: [&str; 6] = ["PASSWORD", "SECRETSTRING", "TOKEN", "PRIVATEKEY", "APIKEY", "ACCESSKEY"];

/// The template by path: `Resources.Bucket.Properties.BucketName` to the text of the value. A number or a truth value is
/// its text, as it is to CloudFormation.
pub fn flat(template: &Template) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for section in SECTIONS {
        if let Some(value) = template.value().get(section) {
            walk(value, section.to_owned(), &mut out);
        }
    }
    for parameter in template.parameters() {
        out.insert(format!("Parameters.{}.Type", key(parameter.name)), parameter.kind.to_owned());
    }
    let is_remark = |path: &String| path.starts_with("Outputs.") && path.ends_with(".Description");
    out.retain(|path, _| !is_remark(path));
    out
}

fn walk(value: &Value, path: String, out: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) => {
            if let Some(text) = reference(map) {
                out.insert(path, text);
                return;
            }
            if map.is_empty() {
                out.insert(path.clone(), "{}".into());
            }
            for (name, value) in map {
                walk(value, format!("{path}.{}", key(name)), out);
            }
        }
        Value::Array(items) => {
            if items.is_empty() {
                out.insert(path.clone(), "[]".into());
            }
            for (n, item) in items.iter().enumerate() {
                walk(item, format!("{path}[{n}]"), out);
            }
        }
        Value::String(text) => {
            let shown = match text.as_str() {
                // Not to be taken for a reference, an empty map or an empty list.
                text if text.starts_with(['!', '"']) || matches!(text, "{}" | "[]") => format!("{text:?}"),
                text if is_secret(&path, text) => {
                    format!("(sensitive, hash {})", short_hash(format!("{path}\0{text}").as_bytes()))
                }
                text => text.to_owned(),
            };
            out.insert(path, shown);
        }
        other => {
            out.insert(path, other.to_string());
        }
    }
}

/// A name among the parts of a path.
fn key(name: &str) -> String {
    if name.contains(['.', '[']) { format!("{name:?}") } else { name.to_owned() }
}

/// `!Ref Name` or `!GetAtt Name.Attribute`, if it is one of these.
fn reference(map: &serde_json::Map<String, Value>) -> Option<String> {
    let (name, argument) = map.iter().next().filter(|_| map.len() == 1)?;
    match (name.as_str(), argument) {
        ("Ref", Value::String(name)) => Some(format!("!Ref {name}")),
        ("Fn::GetAtt", Value::Array(parts)) => {
            let parts: Option<Vec<&str>> = parts.iter().map(Value::as_str).collect();
            Some(format!("!GetAtt {}", parts?.join(".")))
        }
        _ => None,
    }
}

fn is_secret(path: &str, text: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or_default().to_ascii_uppercase();
    let is_fetched = text.starts_with("{{resolve:");
    let is_flag = matches!(text, "true" | "false");
    path.starts_with("Resources.")
        && !is_fetched
        && !is_flag
        && SECRETS.iter().any(|part| name.ends_with(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flattened(text: &str) -> BTreeMap<String, String> {
        flat(&Template::parse(text).unwrap_or_else(|problems| panic!("{problems:?}")))
    }

    #[test]
    fn what_says_the_same_is_the_same() {
        let yaml = "Resources:\n  Db:\n    Type: AWS::RDS::DBInstance\n    Properties:\n      Port: 3306\n      DBSubnetGroupName: !Ref Group\n  Group:\n    Type: AWS::RDS::DBSubnetGroup\n";
        let json = r#"{"Description": "x", "Resources": {"Group": {"Type": "AWS::RDS::DBSubnetGroup"},
            "Db": {"Properties": {"DBSubnetGroupName": {"Ref": "Group"}, "Port": "3306"}, "Type": "AWS::RDS::DBInstance"}}}"#;
        assert_eq!(flattened(yaml), flattened(json));
        assert_eq!(flattened(yaml)["Resources.Db.Properties.DBSubnetGroupName"], "!Ref Group");
    }

    #[test]
    fn order_in_a_list_counts_and_a_text_is_no_reference() {
        let list = |items: &str| {
            flattened(&format!(
                "Resources:\n  T:\n    Type: AWS::SNS::Topic\n    Properties:\n      Names: {items}\n"
            ))
        };
        assert_ne!(list("[a, b]"), list("[b, a]"));
        assert_ne!(list("['!Ref T']"), list("[!Ref T]"));
        assert_ne!(list("[]"), list("['[]']"));
    }

    #[test]
    fn what_may_be_a_secret_is_a_hash() {
        let of = |value: &str| {
            let text = format!(
                "Resources:\n  D:\n    Type: AWS::RDS::DBInstance\n    Properties:\n      MasterUserPassword: {value}\n      ManageMasterUserPassword: true\n"
            );
            flattened(&text)["Resources.D.Properties.MasterUserPassword"].clone()
        };
        assert!(of("hunter2").starts_with("(sensitive, hash "), "{}", of("hunter2"));
        assert_ne!(of("hunter2"), of("hunter3"));
        let fetched = "'{{resolve:secretsmanager:x}}'";
        assert_eq!(of(fetched), "{{resolve:secretsmanager:x}}");
    }
}
