//! What an IAM document allows, as far as that can be said without the request. Pure.
//!
//! The rules: fact book, sections 2.5 and 3. An explicit Deny wins; names of actions ignore case; `*` and `?`
//! are wildcards. Conditions of permissions are not evaluated but reported; of those of a trust policy, the
//! two that RDS fills in are.

use serde_json::Value;

/// What policies say about one action on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// With what was not checked.
    Allowed(Vec<String>),
    /// Not on all of the resource: only on these patterns.
    Narrower(Vec<String>),
    /// By this policy.
    Denied(String),
    /// The action is allowed on these resources only, which are others.
    Missing(Vec<String>),
}

/// Whether `policies` (name and document) allow `action` on `resource`, which may itself have wildcards: then
/// all that it matches is meant.
pub fn verdict(policies: &[(String, Value)], action: &str, resource: &str) -> Verdict {
    let (mut allowed, mut unless) = (None::<Vec<String>>, Vec::new());
    let (mut narrower, mut others) = (Vec::new(), Vec::new());
    for (name, document) in policies {
        for statement in list(&document["Statement"]) {
            if !named(statement, "Action", &|pattern| {
                like(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
            }) {
                continue;
            }
            let applies = named(statement, "Resource", &|pattern| like(pattern, resource));
            let conditions = conditions(statement).join(", ");
            let patterns = texts(&statement["Resource"]);
            let part = || patterns.iter().filter(|pattern| like(resource, pattern)).cloned();
            match (is(statement, "Deny"), applies) {
                (true, true) if conditions.is_empty() => return Verdict::Denied(name.clone()),
                (true, true) => {
                    unless.push(format!("policy {name} denies it under {conditions}, which was not checked"));
                }
                (true, false) => {
                    let denied: Vec<String> = part().collect();
                    if !denied.is_empty() {
                        unless.push(format!("policy {name} denies it on {}", denied.join(", ")));
                    }
                }
                // Whatever else is allowed, one statement without conditions is enough.
                (false, true) if conditions.is_empty() => allowed = Some(Vec::new()),
                (false, true) => {
                    let text = format!("policy {name} allows it under {conditions}, which was not checked");
                    allowed = allowed.filter(|remarks| remarks.is_empty()).or(Some(vec![text]));
                }
                (false, false) => {
                    narrower.extend(part());
                    others.extend(patterns);
                }
            }
        }
    }
    match allowed {
        Some(mut remarks) => {
            remarks.extend(unless);
            Verdict::Allowed(remarks)
        }
        None if !narrower.is_empty() => Verdict::Narrower(narrower),
        None => Verdict::Missing(others),
    }
}

/// For whom a service assumes a role.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// `rds.amazonaws.com`
    pub service: &'a str,
    /// `aws:SourceArn` of its requests.
    pub source_arn: &'a str,
    /// `aws:SourceAccount` of its requests.
    pub source_account: &'a str,
}

/// Whether a trust policy lets the caller in; if so, with what was not checked.
///
/// # Errors
/// Why it does not.
pub fn trusts(document: &Value, caller: Caller<'_>) -> Result<Vec<String>, String> {
    let (mut allowed, mut unless, mut reasons) = (None::<Vec<String>>, Vec::new(), Vec::new());
    let mut trusted = Vec::new();
    for statement in list(&document["Statement"]) {
        let services = texts(&statement["Principal"]["Service"]);
        let everybody =
            statement["Principal"] == "*" || texts(&statement["Principal"]["AWS"]).contains(&"*".into());
        let assumes =
            named(statement, "Action", &|pattern| like(&pattern.to_ascii_lowercase(), "sts:assumerole"));
        if !assumes || !(everybody || services.iter().any(|service| service == caller.service)) {
            trusted.extend(services);
            continue;
        }
        let deny = is(statement, "Deny");
        match (deny, holds(statement, caller)) {
            (true, Ok(open)) if open.is_empty() => {
                return Err(format!("a Deny statement forbids {} to assume it", caller.service));
            }
            (true, Ok(open)) => {
                unless.push(format!("a Deny under {}, which was not checked", open.join(", ")))
            }
            (true, Err(_)) => {}
            (false, Ok(open)) if open.is_empty() => allowed = Some(Vec::new()),
            (false, Ok(open)) => {
                let text = format!("it is under {}, which was not checked", open.join(", "));
                allowed = allowed.filter(|remarks| remarks.is_empty()).or(Some(vec![text]));
            }
            (false, Err(why)) => reasons.push(why),
        }
    }
    if let Some(mut remarks) = allowed {
        remarks.extend(unless);
        return Ok(remarks);
    }
    if !reasons.is_empty() {
        return Err(format!("it trusts {} only where {}", caller.service, reasons.join(" or ")));
    }
    trusted.sort();
    trusted.dedup();
    Err(match trusted.is_empty() {
        true => format!("it does not trust {}", caller.service),
        false => format!("it trusts {1}, not {0}", caller.service, trusted.join(", ")),
    })
}

/// Conditions that hold, as far as they were evaluated: those that were not.
///
/// # Errors
/// The conditions that do not hold, with what the caller has instead.
fn holds(statement: &Value, caller: Caller<'_>) -> Result<Vec<String>, String> {
    let (mut open, mut wrong) = (Vec::new(), Vec::new());
    for (operator, keys) in statement["Condition"].as_object().into_iter().flatten() {
        for (key, wanted) in keys.as_object().into_iter().flatten() {
            let actual = match key.to_ascii_lowercase().as_str() {
                "aws:sourcearn" => Some(caller.source_arn),
                "aws:sourceaccount" => Some(caller.source_account),
                _ => None,
            };
            let wanted = texts(wanted);
            match actual.and_then(|actual| compare(operator, &wanted, actual)) {
                None => open.push(format!("{operator} {key}")),
                Some(true) => {}
                Some(false) => {
                    let (wanted, actual) = (wanted.join(" or "), actual.unwrap_or_default());
                    wrong.push(format!("{key} must be {wanted} ({operator}), but is {actual}"));
                }
            }
        }
    }
    if wrong.is_empty() { Ok(open) } else { Err(wrong.join(" and ")) }
}

/// One comparison; nothing for an operator that is not known.
fn compare(operator: &str, wanted: &[String], actual: &str) -> Option<bool> {
    // The key is there, so `IfExists` makes no difference.
    let operator = operator.strip_suffix("IfExists").unwrap_or(operator);
    let any = |test: &dyn Fn(&str) -> bool| wanted.iter().any(|wanted| test(wanted));
    Some(match operator {
        "StringEquals" => any(&|wanted| wanted == actual),
        "StringNotEquals" => !any(&|wanted| wanted == actual),
        "StringEqualsIgnoreCase" => any(&|wanted| wanted.eq_ignore_ascii_case(actual)),
        // For ARNs, equal means like as well.
        "StringLike" | "ArnLike" | "ArnEquals" => any(&|wanted| like(wanted, actual)),
        "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => !any(&|wanted| like(wanted, actual)),
        _ => return None,
    })
}

/// Whether `Action` (or `Resource`) names it, or `NotAction` (`NotResource`) does not.
fn named(statement: &Value, key: &str, matches: &dyn Fn(&str) -> bool) -> bool {
    let any = |value: &Value| texts(value).iter().any(|pattern| matches(pattern));
    match statement.get(key) {
        Some(value) => any(value),
        None => statement.get(format!("Not{key}")).is_some_and(|value| !any(value)),
    }
}

fn conditions(statement: &Value) -> Vec<String> {
    let all = statement["Condition"].as_object().into_iter().flatten();
    let keys = all.flat_map(|(operator, keys)| {
        keys.as_object().into_iter().flatten().map(move |(key, _)| format!("{operator} {key}"))
    });
    keys.collect()
}

fn is(statement: &Value, effect: &str) -> bool {
    statement["Effect"].as_str() == Some(effect)
}

/// A list where IAM also takes a single value.
fn list(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().filter_map(|item| item.as_str().map(String::from)).collect()
}

/// Whether a pattern matches: `*` is any text, `?` any one character.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // On a mismatch the last star swallows one character more.
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|one| *one == '?' || *one == text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((at, swallowed)) = star {
            star = Some((at, swallowed + 1));
            (p, t) = (at + 1, swallowed + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|one| *one == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CLUSTER: &str = "arn:aws:rds:us-east-1:111122223333:cluster:orders";

    fn of(statements: Value) -> Vec<(String, Value)> {
        vec![("access".into(), json!({"Version": "2012-10-17", "Statement": statements}))]
    }

    fn on(statements: Value, action: &str, resource: &str) -> Verdict {
        verdict(&of(statements), action, resource)
    }

    #[test]
    fn wildcards_and_single_values() {
        let yes = Verdict::Allowed(Vec::new());
        for statement in [
            json!({"Effect": "Allow", "Action": "*", "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "S3:Get*", "Resource": "arn:aws:s3:::b/*"}),
            json!([{"Effect": "Allow", "Action": ["s3:Get?bject"], "Resource": ["x", "arn:aws:s3:::*"]}]),
            json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::c/*"}),
        ] {
            assert_eq!(on(statement.clone(), "s3:GetObject", "arn:aws:s3:::b/*"), yes, "{statement}");
        }
        for statement in [
            json!({"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}),
            json!({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::b/*"}),
            json!([]),
            Value::Null,
        ] {
            assert_eq!(
                on(statement.clone(), "s3:GetObject", "arn:aws:s3:::b/*"),
                Verdict::Missing(Vec::new()),
                "{statement}"
            );
        }
    }

    #[test]
    fn what_is_allowed_elsewhere_is_named() {
        let statement =
            json!({"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": "…/other"});
        assert_eq!(
            on(statement, "sagemaker:InvokeEndpoint", "…/churn"),
            Verdict::Missing(vec!["…/other".into()])
        );
        let part = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/in/*"});
        assert_eq!(
            on(part, "s3:GetObject", "arn:aws:s3:::b/*"),
            Verdict::Narrower(vec!["arn:aws:s3:::b/in/*".into()])
        );
    }

    #[test]
    fn deny_wins_wherever_it_stands() {
        let allow = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let deny = json!({"Effect": "Deny", "Action": "comprehend:*", "Resource": "*"});
        for both in [json!([allow, deny]), json!([deny, allow])] {
            assert_eq!(on(both, "comprehend:DetectSentiment", "*"), Verdict::Denied("access".into()));
        }
        let part = json!({"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b/secret/*"});
        let Verdict::Allowed(remarks) = on(json!([allow, part]), "s3:GetObject", "arn:aws:s3:::b/*") else {
            panic!("a part that is denied denies all");
        };
        assert_eq!(remarks, ["policy access denies it on arn:aws:s3:::b/secret/*"]);
    }

    #[test]
    fn conditions_are_reported_and_not_evaluated() {
        let when = json!({"StringEquals": {"aws:RequestedRegion": "us-east-1"}});
        let allow = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": when});
        let plain = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let text = "policy access allows it under StringEquals aws:RequestedRegion, which was not checked";
        assert_eq!(on(json!([allow]), "a:B", "*"), Verdict::Allowed(vec![text.into()]));
        for both in [json!([allow, plain]), json!([plain, allow])] {
            assert_eq!(
                on(both, "a:B", "*"),
                Verdict::Allowed(Vec::new()),
                "one without conditions is enough"
            );
        }
        let deny = json!({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": when});
        let Verdict::Allowed(remarks) = on(json!([plain, deny]), "a:B", "*") else { panic!("denied") };
        assert!(remarks[0].contains("denies it under StringEquals aws:RequestedRegion"), "{remarks:?}");
    }

    fn trust(principal: Value, condition: Value) -> Result<Vec<String>, String> {
        let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
        if !condition.is_null() {
            statement["Condition"] = condition;
        }
        trusts(
            &json!({"Statement": [statement]}),
            Caller { service: "rds.amazonaws.com", source_arn: CLUSTER, source_account: "111122223333" },
        )
    }

    #[test]
    fn trust_of_the_service_for_this_cluster() {
        let rds = || json!({"Service": ["sagemaker.amazonaws.com", "rds.amazonaws.com"]});
        for condition in [
            Value::Null,
            json!({"StringEquals": {"aws:SourceAccount": "111122223333"}, "ArnLike": {"aws:SourceArn": CLUSTER}}),
            json!({"StringLike": {"AWS:SourceArn": ["x", "arn:aws:rds:*:111122223333:cluster:*"]}}),
            json!({"ArnEqualsIfExists": {"aws:SourceArn": "arn:aws:rds:us-east-1:*:cluster:orders"}}),
        ] {
            assert_eq!(trust(rds(), condition.clone()), Ok(Vec::new()), "{condition}");
        }
        let other = CLUSTER.replace("orders", "billing");
        let wrong = trust(rds(), json!({"ArnLike": {"aws:SourceArn": other}})).unwrap_err();
        assert!(wrong.contains("cluster:billing") && wrong.contains("cluster:orders"), "{wrong}");
        let wrong = trust(rds(), json!({"StringEquals": {"aws:SourceAccount": "999988887777"}})).unwrap_err();
        assert!(wrong.contains("aws:SourceAccount must be 999988887777"), "{wrong}");
        let open = trust(rds(), json!({"Bool": {"aws:ViaAWSService": "true"}})).unwrap();
        assert_eq!(open, ["it is under Bool aws:ViaAWSService, which was not checked"]);
    }

    #[test]
    fn trust_of_others() {
        let wrong = trust(json!({"Service": "sagemaker.amazonaws.com"}), Value::Null).unwrap_err();
        assert_eq!(wrong, "it trusts sagemaker.amazonaws.com, not rds.amazonaws.com");
        let denied = json!({"Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "sts:*"},
            {"Effect": "Deny", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ]});
        let caller = Caller { service: "rds.amazonaws.com", source_arn: CLUSTER, source_account: "1" };
        assert!(trusts(&denied, caller).unwrap_err().contains("a Deny statement"));
        assert!(trusts(&Value::Null, caller).is_err(), "no document at all");
    }
}
