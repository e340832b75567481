//! Whether AWS takes the parameters that the plan sets.

use super::{Check, Findings, PAGES_MAX};
use crate::aws::{Aws, During, Failure};
use auroraml_core::base::To;
use auroraml_core::model::Code;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Whether AWS has the parameters that the plan sets, where auroraml does not know them: new ones come with minor
/// versions.
pub(super) async fn parameters(of: Check<'_>) -> Findings {
    let (aws, graph) = (of.aws, of.graph);
    let mut findings = Findings::default();
    for step in of.plan.work().filter(|step| step.id.kind == "parameter_group") {
        let Some(family) = graph.resources.get(&step.id).and_then(|r| r.props["family"].as_str()) else {
            continue;
        };
        let known: BTreeSet<&str> = aws.scope.engine.parameters.of(family).collect();
        let set = step.changes.iter().filter(|change| change.to != To::Value(Value::Null));
        let unknown: Vec<&str> = set
            .filter_map(|change| change.path.strip_prefix("parameters."))
            .filter(|name| !known.contains(name) && !aws.scope.engine.role_parameters().contains(name))
            .collect();
        if unknown.is_empty() {
            continue;
        }
        let Some(offered) = findings.take("the names of parameters", offered(aws, family).await) else {
            continue;
        };
        for name in unknown {
            let wanted = graph.resources.get(&step.id).and_then(|r| r.props["parameters"][name].as_str());
            let (code, why) = match offered.get(name) {
                Some(Offered { modifiable: false, .. }) => {
                    (Code::ParameterFixed, format!("it cannot be changed in {family}"))
                }
                Some(Offered { allowed: Some(allowed), .. })
                    if wanted.is_some_and(|wanted| !allows(allowed, wanted)) =>
                {
                    let wanted = wanted.unwrap_or_default();
                    let why = format!("invalid value {wanted}: {family} allows {allowed}");
                    findings.problem(
                        Code::ParameterValue,
                        format!("aurora.parameters.{name}"),
                        why,
                        "use one of these",
                    );
                    continue;
                }
                Some(_) => continue,
                None => (Code::ParameterUnknown, format!("{family} has no such parameter")),
            };
            let hint = "correct its name, or remove the line; `auroraml validate` suggests similar names";
            findings.problem(code, format!("aurora.parameters.{name}"), why, hint);
        }
    }
    findings
}

/// What AWS says of a parameter.
struct Offered {
    modifiable: bool,
    /// `0,1` or `0-16384`
    allowed: Option<String>,
}

/// Whether a value is among those that AWS lists, in so far as that is certain: of formulas, of several ranges and of
/// whatever else has another form it is AWS's to say.
fn allows(allowed: &str, value: &str) -> bool {
    let value = value.trim();
    if value.is_empty() || value.contains(['{', ',']) || allowed.contains(['{', ' ']) {
        return true;
    }
    if let Some((from, to)) = allowed.split_once('-')
        && let (Ok(from), Ok(to)) = (from.parse::<u128>(), to.parse::<u128>())
    {
        return value
            .parse::<u128>()
            .map_or(value.parse::<i128>().is_err(), |value| (from..=to).contains(&value));
    }
    let values: Vec<&str> = allowed.split(',').collect();
    let is_plain = |value: &&str| !value.is_empty() && !value.contains('-');
    // One name alone may be the name of a set.
    if values.len() < 2 || !values.iter().all(is_plain) {
        return true;
    }
    let as_number = |text: &str| match text.to_ascii_lowercase().as_str() {
        "on" | "true" => "1".to_string(),
        "off" | "false" => "0".to_string(),
        other => other.to_string(),
    };
    values.iter().any(|known| as_number(known) == as_number(value))
}

/// The parameters that a cluster group of this family has, and what each may be. AWS lists the
/// cluster-level ones; the instance-level ones, which such a group has as well, it lists elsewhere (fact book,
/// section 1.2).
async fn offered(aws: &Aws, family: &str) -> Result<BTreeMap<String, Offered>, Failure> {
    let mut all = BTreeMap::new();
    for operation in ["DescribeEngineDefaultParameters", "DescribeEngineDefaultClusterParameters"] {
        let mut marker: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let defaults = if operation.contains("Cluster") {
                let request = aws.rds.describe_engine_default_cluster_parameters();
                let request = request.db_parameter_group_family(family).set_marker(marker);
                request.send().await.during(operation)?.engine_defaults
            } else {
                let request = aws.rds.describe_engine_default_parameters();
                let request = request.db_parameter_group_family(family).set_marker(marker);
                request.send().await.during(operation)?.engine_defaults
            };
            let Some(defaults) = defaults else { break };
            let listed = defaults.parameters.unwrap_or_default().into_iter();
            all.extend(listed.filter_map(|p| {
                let offered =
                    Offered { modifiable: p.is_modifiable.unwrap_or(true), allowed: p.allowed_values };
                Some((p.parameter_name?, offered))
            }));
            marker = defaults.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                break;
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::allows;

    #[test]
    fn a_value_is_refused_only_where_that_is_certain() {
        for (allowed, good, bad) in [
            (
                "0-16384",
                &["0", "100", "16384", "{DBInstanceClassMemory/12582880}", "many"][..],
                &["16385", "-1"][..],
            ),
            ("0,1", &["0", "1", "ON", "off"], &["2", "yes"]),
            ("OFF,ON", &["on", "OFF", "1"], &["maybe", "2"]),
            ("ROW,MIXED,STATEMENT", &["row", "MIXED"], &["COLUMN"]),
            ("-1-100", &["1000"], &[]),
            ("utf8", &["latin1"], &[]),
            ("0-1,5", &["9"], &[]),
            ("1-4294967295", &["4294967295"], &["0"]),
        ] {
            for value in good {
                assert!(allows(allowed, value), "{value} in {allowed}");
            }
            for value in bad {
                assert!(!allows(allowed, value), "{value} in {allowed}");
            }
        }
    }
}
