//! Dynamic references: values that CloudFormation looks up when it makes or changes a resource
//! (CloudFormation User Guide, "Get values stored in other services using dynamic references").

use super::work::Work;
use crate::wire::Fault;
use serde_json::{Map, Value, json};

const OPEN: &str = "{{resolve:";

/// The properties with all dynamic references followed.
pub(super) fn resolve(work: &mut Work<'_>, value: &Value) -> Result<Value, Fault> {
    Ok(match value {
        Value::String(text) if text.contains(OPEN) => json!(replaced(work, text)?),
        Value::Array(all) => {
            Value::Array(all.iter().map(|one| resolve(work, one)).collect::<Result<_, _>>()?)
        }
        Value::Object(map) => {
            let mut resolved = Map::new();
            for (name, one) in map {
                resolved.insert(name.clone(), resolve(work, one)?);
            }
            Value::Object(resolved)
        }
        other => other.clone(),
    })
}

fn replaced(work: &mut Work<'_>, text: &str) -> Result<String, Fault> {
    let (mut result, mut rest) = (String::new(), text);
    while let Some(start) = rest.find(OPEN) {
        result.push_str(&rest[..start]);
        let after = &rest[start + OPEN.len()..];
        let Some(end) = after.find("}}") else { break };
        result.push_str(&looked_up(work, &after[..end])?);
        rest = &after[end + 2..];
    }
    result.push_str(rest);
    Ok(result)
}

fn looked_up(work: &mut Work<'_>, reference: &str) -> Result<String, Fault> {
    let Some(rest) = reference.strip_prefix("secretsmanager:") else {
        let text = format!("The sandbox does not model the dynamic reference {reference}.");
        return Err(Fault::bad("ValidationError", text));
    };
    // The id may be an ARN, with colons of its own.
    let (id, more) = rest.split_once(":SecretString").unwrap_or((rest, ""));
    let parts: Vec<&str> = more.trim_start_matches(':').split(':').collect();
    let part = |at: usize| parts.get(at).copied().filter(|part| !part.is_empty());
    let mut request = json!({"SecretId": id});
    if let Some(stage) = part(1) {
        request["VersionStage"] = json!(stage);
    }
    if let Some(version) = part(2) {
        request["VersionId"] = json!(version);
    }
    let answer = work.json("secretsmanager", "GetSecretValue", &request)?;
    let secret = answer["SecretString"].as_str().unwrap_or_default();
    let Some(key) = part(0) else { return Ok(secret.to_string()) };
    let found = serde_json::from_str::<Value>(secret).ok().and_then(|secret| super::work::text(&secret[key]));
    found.ok_or_else(|| {
        Fault::bad(
            "ValidationError",
            format!("Could not find a value associated with JSONKey in SecretString ({key})"),
        )
    })
}
