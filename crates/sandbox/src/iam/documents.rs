//! Policy documents: what IAM accepts, what a trust policy lets in, what a policy allows.

use crate::account::ACCOUNT;
use crate::wire::Fault;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Who may assume a role.
    Trust,
    /// What an identity may do.
    Identity,
}

/// RFC 3986: everything but the unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// IAM returns documents URL-encoded (fact book, section 3).
pub(super) fn encode(document: &str) -> String {
    utf8_percent_encode(document, RESERVED).to_string()
}

/// The length that counts against a quota: white space is free.
pub(super) fn size(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}

pub(super) fn malformed(message: impl Into<String>) -> Fault {
    Fault::bad("MalformedPolicyDocument", message)
}

/// A string, or the strings of an array; one string and an array of one mean the same.
pub(super) fn strings(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// An object, or the objects of an array.
pub(super) fn statements(document: &Value) -> Vec<&Map<String, Value>> {
    match document.get("Statement") {
        Some(Value::Object(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_object).collect(),
        _ => Vec::new(),
    }
}

/// Checks a document as IAM does before it stores it.
pub(super) fn validate(document: &str, kind: Kind) -> Result<Value, Fault> {
    let parsed: Value = match serde_json::from_str(document) {
        Ok(value @ Value::Object(_)) => value,
        Ok(_) => return Err(malformed("Syntax errors in policy.")),
        Err(_) if kind == Kind::Trust => {
            return Err(malformed("This policy contains invalid Json"));
        }
        Err(_) => return Err(malformed("Syntax errors in policy.")),
    };
    let known = |key: &String| matches!(key.as_str(), "Version" | "Id" | "Statement");
    if !parsed.as_object().is_some_and(|top| top.keys().all(known)) {
        return Err(malformed("Syntax errors in policy."));
    }
    if let Some(version) = parsed.get("Version")
        && !matches!(version.as_str(), Some("2012-10-17" | "2008-10-17"))
    {
        return Err(malformed("The policy failed legacy parsing"));
    }
    let found = statements(&parsed);
    let written = match parsed.get("Statement") {
        Some(Value::Array(many)) => many.len(),
        Some(_) => 1,
        None => 0,
    };
    if written == 0 || found.len() != written {
        return Err(malformed("Syntax errors in policy."));
    }
    let mut sids = BTreeSet::new();
    for statement in found {
        if let Some(sid) = statement.get("Sid") {
            let sid = sid.as_str().ok_or_else(|| malformed("Syntax errors in policy."))?;
            if !sid.chars().all(|c| c.is_ascii_alphanumeric()) {
                return Err(malformed(
                    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
                ));
            }
            if !sid.is_empty() && !sids.insert(sid) {
                return Err(malformed("Statement IDs (SID) in a single policy must be unique."));
            }
        }
        validate_statement(statement, kind)?;
    }
    Ok(parsed)
}

/// Whether IAM would take the document for an identity's policy.
pub(crate) fn valid_policy(document: &Value) -> Result<(), String> {
    validate(&document.to_string(), Kind::Identity).map(|_| ()).map_err(|fault| fault.message)
}

fn validate_statement(statement: &Map<String, Value>, kind: Kind) -> Result<(), Fault> {
    let known = [
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    ];
    if !statement.keys().all(|key| known.contains(&key.as_str())) {
        return Err(malformed("Syntax errors in policy."));
    }
    if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        return Err(malformed("Syntax errors in policy."));
    }
    if statement.contains_key("Action") == statement.contains_key("NotAction") {
        return Err(malformed(match kind {
            Kind::Trust => "Missing required field Action",
            Kind::Identity => "Policy statement must contain actions.",
        }));
    }
    let mut actions = strings(statement.get("Action"));
    actions.extend(strings(statement.get("NotAction")));
    if actions.is_empty() {
        return Err(malformed("Policy statement must contain actions."));
    }
    if actions.iter().any(|action| *action != "*" && !action.contains(':')) {
        return Err(malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."));
    }
    if !matches!(statement.get("Condition"), None | Some(Value::Object(_))) {
        return Err(malformed("Syntax errors in policy."));
    }
    match kind {
        Kind::Trust => validate_trust(statement, &actions),
        Kind::Identity => validate_identity(statement),
    }
}

fn validate_trust(statement: &Map<String, Value>, actions: &[&str]) -> Result<(), Fault> {
    if statement.contains_key("Resource") || statement.contains_key("NotResource") {
        return Err(malformed("Has prohibited field Resource"));
    }
    if !actions.iter().all(|action| action.to_lowercase().starts_with("sts:")) {
        return Err(malformed("AssumeRole policy may only specify STS AssumeRole actions."));
    }
    let principal = match statement.get("Principal").or(statement.get("NotPrincipal")) {
        None => return Err(malformed("Missing required field Principal")),
        Some(Value::String(everyone)) if everyone == "*" => return Ok(()),
        Some(Value::Object(principal)) if !principal.is_empty() => principal,
        Some(_) => return Err(malformed("Invalid principal in policy.")),
    };
    for (kind, value) in principal {
        let names = strings(Some(value));
        let valid = |name: &&str| match kind.as_str() {
            "Service" => {
                let name = name.strip_suffix(".cn").unwrap_or(name);
                name.strip_suffix(".amazonaws.com").is_some_and(|service| !service.is_empty())
            }
            "AWS" => {
                *name == "*"
                    || name.starts_with("arn:aws")
                    || name.len() == 12 && name.bytes().all(|b| b.is_ascii_digit())
                    || name.starts_with("AROA")
                    || name.starts_with("AIDA")
            }
            "Federated" | "CanonicalUser" => !name.is_empty(),
            _ => false,
        };
        if names.is_empty() {
            return Err(malformed("Invalid principal in policy."));
        }
        if let Some(wrong) = names.iter().find(|name| !valid(name)) {
            let kind = kind.to_uppercase();
            return Err(malformed(format!("Invalid principal in policy: \"{kind}\":\"{wrong}\"")));
        }
    }
    Ok(())
}

fn validate_identity(statement: &Map<String, Value>) -> Result<(), Fault> {
    if statement.contains_key("Principal") || statement.contains_key("NotPrincipal") {
        return Err(malformed("Policy document should not specify a principal."));
    }
    if statement.contains_key("Resource") == statement.contains_key("NotResource") {
        return Err(malformed("Policy statement must contain resources."));
    }
    let mut resources = strings(statement.get("Resource"));
    resources.extend(strings(statement.get("NotResource")));
    if resources.is_empty() {
        return Err(malformed("Policy statement must contain resources."));
    }
    let valid = |resource: &&&str| {
        **resource == "*" || resource.starts_with("arn:") && resource.splitn(6, ':').count() == 6
    };
    match resources.iter().find(|resource| !valid(resource)) {
        Some(wrong) => Err(malformed(format!("Resource {wrong} must be in ARN format or \"*\"."))),
        None => Ok(()),
    }
}

/// The `AWS` principals of a trust policy.
pub(super) fn aws_principals(document: &Value) -> Vec<String> {
    statements(document)
        .into_iter()
        .filter_map(|statement| statement.get("Principal"))
        .flat_map(|principal| strings(principal.get("AWS")))
        .map(str::to_string)
        .collect()
}

/// Whether a trust policy lets the service assume the role on behalf of this account.
pub(super) fn trusts(document: &str, service: &str) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(document) else { return false };
    let mut allowed = false;
    for statement in statements(&document) {
        let principal = statement.get("Principal");
        let named = principal.and_then(Value::as_str) == Some("*")
            || principal.is_some_and(|p| strings(p.get("Service")).contains(&service));
        let action = match statement.get("Action") {
            Some(_) => strings(statement.get("Action")).iter().any(|a| matches(a, "sts:AssumeRole", false)),
            None => !strings(statement.get("NotAction")).iter().any(|a| matches(a, "sts:AssumeRole", false)),
        };
        if named && action && conditions_hold(statement) {
            if statement.get("Effect").and_then(Value::as_str) == Some("Deny") {
                return false;
            }
            allowed = true;
        }
    }
    allowed
}

/// Whether a trust policy lets a user of this account assume the role: by name, or because it trusts the account.
/// The sandbox's user may ask for every role.
pub(super) fn trusts_user(document: &str, user: &str, external: Option<&str>) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(document) else { return false };
    let own =
        [user.to_string(), ACCOUNT.to_string(), format!("arn:aws:iam::{ACCOUNT}:root"), "*".to_string()];
    let mut allowed = false;
    for statement in statements(&document) {
        let principal = statement.get("Principal");
        let named = principal.and_then(Value::as_str) == Some("*")
            || principal.is_some_and(|p| strings(p.get("AWS")).iter().any(|p| own.iter().any(|o| o == p)));
        let action = strings(statement.get("Action")).iter().any(|a| matches(a, "sts:AssumeRole", false));
        // The one condition that a person's trust policy commonly has; others are not known to hold.
        let expected = &statement.get("Condition").and_then(|c| c.get("StringEquals"));
        let expected = expected.and_then(|c| c.get("sts:ExternalId")).and_then(Value::as_str);
        let holds = match statement.get("Condition") {
            None => true,
            Some(_) => expected.is_some() && expected == external,
        };
        if named && action && holds {
            if statement.get("Effect").and_then(Value::as_str) == Some("Deny") {
                return false;
            }
            allowed = true;
        }
    }
    allowed
}

/// What is known when a service assumes a role: the account of the resource it acts for, and that its ARN
/// is in that account. A condition on anything else does not hold, because services send nothing else.
fn conditions_hold(statement: &Map<String, Value>) -> bool {
    let Some(operators) = statement.get("Condition").and_then(Value::as_object) else { return true };
    operators.iter().all(|(operator, keys)| {
        let optional = operator.ends_with("IfExists");
        let operator = operator.trim_end_matches("IfExists");
        let known = matches!(
            operator,
            "StringEquals" | "StringLike" | "StringEqualsIgnoreCase" | "ArnEquals" | "ArnLike"
        );
        keys.as_object().is_some_and(|keys| {
            keys.iter().all(|(key, values)| match key.to_lowercase().as_str() {
                "aws:sourceaccount" => {
                    known && strings(Some(values)).iter().any(|v| matches(v, ACCOUNT, true))
                }
                "aws:sourcearn" => {
                    let account = |arn: &&str| {
                        let account = arn.split(':').nth(4).unwrap_or(if **arn == *"*" { "*" } else { "" });
                        // S3 ARNs have no account.
                        matches(account, ACCOUNT, true) || account.is_empty() && arn.starts_with("arn:")
                    };
                    known && strings(Some(values)).iter().any(account)
                }
                _ => optional,
            })
        })
    })
}

/// What a policy says about an action on a resource: allowed, denied, or nothing.
pub(super) fn verdict(document: &str, action: &str, resource: &str) -> Option<bool> {
    let document = serde_json::from_str::<Value>(document).ok()?;
    let mut verdict = None;
    for statement in statements(&document) {
        let named = |key: &str, not: &str, text: &str, case: bool| match statement.get(key) {
            Some(_) => strings(statement.get(key)).iter().any(|pattern| matches(pattern, text, case)),
            None => !strings(statement.get(not)).iter().any(|pattern| matches(pattern, text, case)),
        };
        if named("Action", "NotAction", action, false) && named("Resource", "NotResource", resource, true) {
            if statement.get("Effect").and_then(Value::as_str) == Some("Deny") {
                return Some(false);
            }
            verdict = Some(true);
        }
    }
    verdict
}

/// Matches `*` and `?` wildcards; actions ignore case.
pub(super) fn matches(pattern: &str, text: &str, case: bool) -> bool {
    // Every request is held against every statement of a policy: most of them differ before the first wildcard.
    let same = |a: &str, b: &str| if case { a == b } else { a.eq_ignore_ascii_case(b) };
    let wildcard = [pattern.find('*'), pattern.find('?')].into_iter().flatten().min();
    match wildcard {
        None => return same(pattern, text),
        Some(at) if !text.get(..at).is_some_and(|start| same(&pattern[..at], start)) => return false,
        Some(_) => {}
    }
    let fold = |s: &str| -> Vec<char> {
        if case { s.chars().collect() } else { s.to_lowercase().chars().collect() }
    };
    let (pattern, text) = (fold(pattern), fold(text));
    // The position after the last star, and the text position it has swallowed up to.
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((after, swallowed)) => {
                    (p, t) = (after, swallowed + 1);
                    star = Some((after, swallowed + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("s3:Get*", "s3:getobject", true),
            ("s3:Get?", "s3:GetObject", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("rds:Describe", "RDS:describe", true),
            ("rds:Describe", "rds:DescribeDBClusters", false),
            ("rds:Describe*", "rds:Desc", false),
            ("é*", "e", false),
            ("e?", "é", false),
            ("?", "é", true),
        ] {
            assert_eq!(matches(pattern, text, false), expected, "{pattern} {text}");
        }
        assert!(!matches("arn:aws:s3:::A", "arn:aws:s3:::a", true));
    }

    #[test]
    fn a_deny_wins() {
        let document = r#"{"Statement":[
            {"Effect":"Allow","Action":"sagemaker:*","Resource":"*"},
            {"Effect":"Deny","Action":"sagemaker:Delete*","Resource":"*"}]}"#;
        assert_eq!(verdict(document, "sagemaker:InvokeEndpoint", "arn:x"), Some(true));
        assert_eq!(verdict(document, "sagemaker:DeleteEndpoint", "arn:x"), Some(false));
        assert_eq!(verdict(document, "s3:GetObject", "arn:x"), None);
    }

    #[test]
    fn source_conditions_must_be_of_this_account() {
        let trust = |condition: &str| {
            format!(
                r#"{{"Statement":{{"Effect":"Allow","Principal":{{"Service":["rds.amazonaws.com"]}},"Action":"sts:AssumeRole","Condition":{condition}}}}}"#
            )
        };
        let ours = r#"{"StringEquals":{"aws:SourceAccount":"111122223333"},"ArnLike":{"aws:SourceArn":"arn:aws:rds:us-east-1:111122223333:cluster:*"}}"#;
        assert!(trusts(&trust(ours), "rds.amazonaws.com"));
        assert!(!trusts(&trust(ours), "sagemaker.amazonaws.com"));
        assert!(!trusts(&trust(&ours.replace("111122223333", "999988887777")), "rds.amazonaws.com"));
        assert!(!trusts(&trust(r#"{"StringEquals":{"sts:ExternalId":"x"}}"#), "rds.amazonaws.com"));
    }
}
