//! IAM policy documents: how auroraml writes them, and when two of them are the same. Pure.

use serde_json::{Map, Value, json};

/// A document of these statements.
pub fn document(statements: Vec<Value>) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// Lets one AWS service assume a role, for this account's sake only.
///
/// The conditions keep another account from making the service use the role for it ("confused deputy";
/// fact book, section 3).
pub fn trust(service: &str, account: &str, source_arn: Option<&str>) -> Value {
    let mut condition = json!({"StringEquals": {"aws:SourceAccount": account}});
    if let Some(arn) = source_arn {
        condition["ArnLike"] = json!({"aws:SourceArn": arn});
    }
    document(vec![json!({
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": condition,
    })])
}

/// The same policy in one form: lists where IAM also takes a single value, lists sorted, action names and
/// effects in one case, booleans and numbers as text. Two documents whose normal forms are equal mean the
/// same (fact book, section 3, "policy equality rules"); wildcards are not expanded.
pub fn normal(document: &Value) -> Value {
    let Some(map) = document.as_object() else { return document.clone() };
    let mut out = Map::new();
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort();
    for key in keys {
        let value = &map[key];
        let value = match key.as_str() {
            "Statement" => {
                let mut statements: Vec<Value> = as_list(value).iter().map(statement).collect();
                statements.sort_by_key(Value::to_string);
                Value::Array(statements)
            }
            _ => value.clone(),
        };
        out.insert(key.clone(), value);
    }
    Value::Object(out)
}

fn statement(value: &Value) -> Value {
    let Some(map) = value.as_object() else { return value.clone() };
    let mut out = Map::new();
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort();
    for key in keys {
        let value = &map[key];
        let value = match key.as_str() {
            "Action" | "NotAction" => texts(value, str::to_ascii_lowercase),
            "Resource" | "NotResource" => texts(value, str::to_string),
            "Effect" => match value.as_str() {
                Some(effect) if effect.eq_ignore_ascii_case("allow") => "Allow".into(),
                Some(effect) if effect.eq_ignore_ascii_case("deny") => "Deny".into(),
                _ => value.clone(),
            },
            "Principal" | "NotPrincipal" => each(value, |v| texts(v, str::to_string)),
            "Condition" => each(value, |operator| each(operator, |v| texts(v, str::to_string))),
            _ => value.clone(),
        };
        out.insert(key.clone(), value);
    }
    Value::Object(out)
}

fn as_list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        other => vec![other.clone()],
    }
}

/// Every value of an object changed, its keys sorted; other values as they are.
fn each(value: &Value, change: impl Fn(&Value) -> Value) -> Value {
    let Some(map) = value.as_object() else { return value.clone() };
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort();
    Value::Object(keys.into_iter().map(|key| (key.clone(), change(&map[key]))).collect())
}

/// A sorted list of texts without repetition. References to outputs stay what they are.
fn texts(value: &Value, change: impl Fn(&str) -> String) -> Value {
    let mut items: Vec<Value> = as_list(value)
        .into_iter()
        .map(|item| match &item {
            Value::String(text) => Value::String(change(text)),
            Value::Bool(_) | Value::Number(_) => Value::String(item.to_string()),
            _ => item,
        })
        .collect();
    items.sort_by_key(Value::to_string);
    items.dedup();
    Value::Array(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_does_not_matter() {
        let a = json!({"Version": "2012-10-17", "Statement": {"Effect": "allow", "Action": "S3:GetObject",
            "Resource": ["b", "a"], "Condition": {"Bool": {"aws:SecureTransport": true}}}});
        let b = json!({"Statement": [{"Condition": {"Bool": {"aws:SecureTransport": ["true"]}}, "Resource": ["a", "b"],
            "Action": ["s3:getobject"], "Effect": "Allow"}], "Version": "2012-10-17"});
        assert_eq!(normal(&a), normal(&b));
        assert_eq!(normal(&a).to_string(), normal(&b).to_string());
    }

    #[test]
    fn meaning_does() {
        let of = |principal: Value| json!({"Statement": [{"Effect": "Allow", "Principal": principal}]});
        assert_ne!(normal(&of(json!("*"))), normal(&of(json!({"AWS": "*"}))));
        let deny = json!({"Statement": [{"Effect": "Deny"}]});
        assert_ne!(normal(&deny), normal(&json!({"Statement": [{"Effect": "Allow"}]})));
    }

    #[test]
    fn normal_is_a_fixed_point() {
        let once = normal(&trust("rds.amazonaws.com", "111122223333", Some("arn:x")));
        assert_eq!(normal(&once).to_string(), once.to_string());
    }
}
