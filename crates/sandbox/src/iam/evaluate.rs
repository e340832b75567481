//! Whether policies allow a request: the evaluation logic of IAM for one account, without organisations and sessions'
//! own policies.
//!
//! Facts: IAM User Guide, "Policy evaluation logic" (an explicit deny wins; a permissions boundary only takes away),
//! "IAM JSON policy elements: Condition operators" (what a missing key means to each), "Resource" (wildcards stay within
//! a segment of an ARN, but for the last).

use super::documents::{matches, statements, strings};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Condition keys in lower case, because their names ignore case, with their values.
pub(crate) type Context = BTreeMap<String, Vec<String>>;

/// What a set of policies says of one action on one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Allowed,
    /// A statement denies it.
    Denied,
    /// No statement allows it.
    Unsaid,
}

/// What the documents say of an action.
pub(crate) fn decide<'d>(
    documents: impl Iterator<Item = &'d str>,
    action: &str,
    resource: &str,
    context: &Context,
) -> Decision {
    let parsed: Vec<Value> = documents.filter_map(|document| serde_json::from_str(document).ok()).collect();
    decide_among(&parsed, action, resource, context)
}

/// The same of documents that have been read.
pub(crate) fn decide_among(documents: &[Value], action: &str, resource: &str, context: &Context) -> Decision {
    let mut decision = Decision::Unsaid;
    for document in documents {
        for statement in statements(document) {
            let is_deny = statement.get("Effect").and_then(Value::as_str) == Some("Deny");
            if !names(statement, action, resource) || !conditions_hold(statement, context) {
                continue;
            }
            if is_deny {
                return Decision::Denied;
            }
            decision = Decision::Allowed;
        }
    }
    decision
}

/// The keys of the conditions under which documents say something of an action on a resource.
pub(super) fn wanted_keys<'d>(
    documents: impl Iterator<Item = &'d str>,
    action: &str,
    resource: &str,
) -> BTreeSet<String> {
    let mut wanted = BTreeSet::new();
    for document in documents {
        let Ok(document) = serde_json::from_str::<Value>(document) else { continue };
        for statement in statements(&document).into_iter().filter(|one| names(one, action, resource)) {
            let operators = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
            // What such a key says is said by its being missing.
            let operators = operators.filter(|(operator, _)| *operator != "Null");
            let keys = operators.filter_map(|(_, keys)| keys.as_object());
            wanted.extend(keys.flat_map(|keys| keys.keys().cloned()));
        }
    }
    wanted
}

fn names(statement: &Map<String, Value>, action: &str, resource: &str) -> bool {
    let is_action = |pattern: &&str| matches(pattern, action, false);
    let is_resource = |pattern: &&str| arn_matches(pattern, resource);
    let named = match statement.get("Action") {
        Some(actions) => strings(Some(actions)).iter().any(is_action),
        None => !strings(statement.get("NotAction")).iter().any(is_action),
    };
    named
        && match statement.get("Resource") {
            Some(resources) => strings(Some(resources)).iter().any(is_resource),
            None => !strings(statement.get("NotResource")).iter().any(is_resource),
        }
}

/// Segment by segment; `*` alone is everything.
fn arn_matches(pattern: &str, arn: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let (mut patterns, mut parts) = (pattern.splitn(6, ':'), arn.splitn(6, ':'));
    loop {
        match (patterns.next(), parts.next()) {
            (Some(pattern), Some(part)) if matches(pattern, part, true) => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// Whether all conditions of a statement hold.
pub(super) fn conditions_hold(statement: &Map<String, Value>, context: &Context) -> bool {
    let Some(operators) = statement.get("Condition").and_then(Value::as_object) else { return true };
    operators.iter().all(|(operator, keys)| {
        keys.as_object().is_some_and(|keys| {
            keys.iter().all(|(key, values)| {
                let values: Vec<String> = match values {
                    Value::Array(many) => many.iter().map(text).collect(),
                    one => vec![text(one)],
                };
                holds(operator, context.get(&key.to_lowercase()), &values)
            })
        })
    })
}

/// A value of a condition: `"true"` and `true` mean the same.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}

fn holds(operator: &str, present: Option<&Vec<String>>, values: &[String]) -> bool {
    let (quantifier, operator) = match operator.split_once(':') {
        Some((quantifier, operator)) => (quantifier, operator),
        None => ("", operator),
    };
    if operator == "Null" {
        return values.iter().any(|value| (value == "true") == present.is_none());
    }
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    let (operator, negated) = match operator {
        "StringNotEquals" => ("StringEquals", true),
        "StringNotEqualsIgnoreCase" => ("StringEqualsIgnoreCase", true),
        "StringNotLike" => ("StringLike", true),
        "ArnNotEquals" | "ArnNotLike" => ("ArnLike", true),
        other => (other, false),
    };
    let one = |asked: &String| {
        let is = |value: &String| match operator {
            "StringEquals" => value == asked,
            "StringEqualsIgnoreCase" | "Bool" => value.eq_ignore_ascii_case(asked),
            "StringLike" => matches(value, asked, true),
            "ArnEquals" | "ArnLike" => arn_matches(value, asked),
            // An operator that is not here lets nothing pass.
            _ => false,
        };
        values.iter().any(is) != negated
    };
    match (quantifier, present) {
        // Of nothing, all are anything; and none is.
        ("ForAllValues", asked) => asked.is_none_or(|asked| asked.iter().all(one)),
        ("ForAnyValue", asked) => asked.is_some_and(|asked| asked.iter().any(one)),
        (_, None) => if_exists || negated,
        (_, Some(asked)) => asked.iter().all(one),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn context(pairs: &[(&str, &str)]) -> Context {
        let mut context = Context::new();
        for (key, value) in pairs {
            context.entry(key.to_string()).or_default().push(value.to_string());
        }
        context
    }

    fn says(condition: Value, context: &Context) -> bool {
        let document = json!({"Statement": {
            "Effect": "Allow", "Action": "ec2:Create*", "Resource": "arn:aws:ec2:*:1:vpc/*", "Condition": condition,
        }})
        .to_string();
        let resource = "arn:aws:ec2:us-east-1:1:vpc/vpc-1";
        decide([document.as_str()].into_iter(), "ec2:CreateVpc", resource, context) == Decision::Allowed
    }

    #[test]
    fn a_missing_key_means_what_its_operator_says() {
        let (none, ours) = (context(&[]), context(&[("aws:requesttag/a", "x")]));
        for (condition, without, with) in [
            (json!({"StringEquals": {"aws:RequestTag/a": "x"}}), false, true),
            (json!({"StringEquals": {"AWS:requesttag/a": ["y", "x"]}}), false, true),
            (json!({"StringEquals": {"aws:RequestTag/a": "X"}}), false, false),
            (json!({"StringEqualsIfExists": {"aws:RequestTag/a": "y"}}), true, false),
            (json!({"StringNotEquals": {"aws:RequestTag/a": "x"}}), true, false),
            (json!({"StringLike": {"aws:RequestTag/a": "?"}}), false, true),
            (json!({"Null": {"aws:RequestTag/a": "true"}}), true, false),
            (json!({"Null": {"aws:RequestTag/a": false}}), false, true),
            (json!({"ForAllValues:StringEquals": {"aws:RequestTag/a": "y"}}), true, false),
            (json!({"ForAnyValue:StringEquals": {"aws:RequestTag/a": "x"}}), false, true),
            (json!({"NumericLessThan": {"aws:RequestTag/a": "3"}}), false, false),
        ] {
            assert_eq!(says(condition.clone(), &none), without, "{condition} without");
            assert_eq!(says(condition.clone(), &ours), with, "{condition} with");
        }
        let keys = context(&[("aws:tagkeys", "a"), ("aws:tagkeys", "b")]);
        assert!(!says(json!({"ForAllValues:StringNotEquals": {"aws:TagKeys": ["b"]}}), &keys));
        assert!(says(json!({"ForAllValues:StringNotEquals": {"aws:TagKeys": ["c"]}}), &keys));
    }

    #[test]
    fn wildcards_stay_in_their_segment() {
        for (pattern, matched) in [
            ("arn:aws:rds:*:1:cluster:churn", true),
            ("arn:aws:rds:*:1:*:churn", true),
            ("arn:aws:rds:*:churn", false),
            ("arn:aws:rds:us-east-1:1:cluster:churn-*", false),
            ("*", true),
        ] {
            assert_eq!(arn_matches(pattern, "arn:aws:rds:us-east-1:1:cluster:churn"), matched, "{pattern}");
        }
    }

    #[test]
    fn a_deny_wins_whatever_is_allowed() {
        let all = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let but =
            r#"{"Statement":{"Effect":"Deny","NotAction":"iam:Get*","Resource":"arn:aws:iam::1:role/*"}}"#;
        let say = |documents: &[&str], action: &str| {
            decide(documents.iter().copied(), action, "arn:aws:iam::1:role/x", &Context::new())
        };
        assert_eq!(say(&[but, all], "iam:GetRole"), Decision::Allowed);
        assert_eq!(say(&[all, but], "iam:DeleteRole"), Decision::Denied);
        assert_eq!(say(&[but], "iam:GetRole"), Decision::Unsaid);
    }
}
