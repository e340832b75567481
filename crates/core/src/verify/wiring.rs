//! Parameter, role, trust, policy and association of each ability. Pure.

use super::checks::Judge;
use super::facts::{Facts, Member, Parameter, Role};
use super::permissions::{Caller, Verdict, trusts, verdict};
use crate::base::policy;
use crate::engine::Wiring;
use crate::model::Ability;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const SERVICE: &str = "rds.amazonaws.com";

pub(super) fn wiring(judge: &mut Judge<'_>) {
    let facts = judge.facts;
    group(judge);
    for ability in &facts.abilities {
        let role = match ability.wiring {
            Wiring::Parameter(name) => parameter(judge, ability, name),
            Wiring::Feature(name) => by_feature(judge, ability, name),
        };
        if let Some(role) = role {
            role_of(judge, ability, &role);
            association(judge, ability, &role);
        }
    }
    unused(judge);
}

/// A group that others use too.
fn group(judge: &mut Judge<'_>) {
    let facts = judge.facts;
    let object = group_object(facts);
    match &facts.sharing {
        Err(why) => judge.unknown("group", object, format!("could not check whether others use it: {why}")),
        Ok(others) if !others.is_empty() => {
            let found = format!("also used by {}: they get the same values", others.join(", "));
            judge.note("group", object, found);
        }
        Ok(_) => {}
    }
}

fn group_object(facts: &Facts) -> String {
    format!("parameter group {}", facts.cluster.parameter_group)
}

/// The ability's parameter in the attached group; the role that it names.
fn parameter(judge: &mut Judge<'_>, ability: &Ability, name: &str) -> Option<String> {
    let facts = judge.facts;
    let (check, object) = (format!("{} parameter", ability.name), group_object(facts));
    let parameters = match &facts.parameters {
        Ok(parameters) => parameters,
        Err(why) => {
            judge.unknown(check, object, why);
            return None;
        }
    };
    match parameters.get(name) {
        None => {
            let found = format!("its family has no parameter {name}");
            judge.failed(check, object, found, "upgrade the engine to a version that has it");
            None
        }
        Some(parameter) if parameter.value.is_empty() => {
            let found = format!("{name} is not set{}", only_one(facts, parameters));
            judge.failed(check, object, found, set(facts, name, parameter));
            None
        }
        Some(Parameter { value, apply_type }) if value.contains(":role/") => {
            judge.ok(check, object, format!("{name} is {value} ({apply_type})"));
            Some(value.clone())
        }
        Some(parameter) => {
            let found = format!("{name} is {:?}, which is not a role ARN", parameter.value);
            judge.failed(check, object, found, set(facts, name, parameter));
            None
        }
    }
}

/// The role that is associated under the ability's feature name.
fn by_feature(judge: &mut Judge<'_>, ability: &Ability, feature: &str) -> Option<String> {
    let cluster = &judge.facts.cluster;
    let (check, object) = (format!("{} role", ability.name), format!("cluster {}", cluster.id));
    let found = cluster.associations.iter().find(|association| association.feature == feature);
    let Some(association) = found else {
        let found = format!("no role is associated for the feature {feature}");
        judge.failed(check, object, found, "auroraml apply");
        return None;
    };
    Some(association.role.clone())
}

/// What a published script does that gives each parameter an option of its own (fact book, section 1.3; issue
/// 3).
fn only_one(facts: &Facts, parameters: &BTreeMap<String, Parameter>) -> String {
    let names = || facts.abilities.iter().filter_map(|ability| ability.wiring.parameter());
    let wanted = || names().filter_map(|name| Some((name, parameters.get(name)?)));
    let set: Vec<&str> =
        wanted().filter(|(_, found)| !found.value.is_empty()).map(|(name, _)| name).collect();
    match set.as_slice() {
        [only] if wanted().count() > 1 => {
            format!(" (only {only} is: of several --parameters options the AWS CLI uses the last one)")
        }
        _ => String::new(),
    }
}

fn set(facts: &Facts, name: &str, parameter: &Parameter) -> String {
    let group = &facts.cluster.parameter_group;
    if group.starts_with("default.") {
        return format!(
            "auroraml apply gives the cluster its own group, because a default group cannot be changed{}",
            restarts(facts, ", and restarts")
        );
    }
    let spare = spare(facts);
    let role = match spare.as_slice() {
        [one] => one.as_str(),
        _ => "ROLE_ARN",
    };
    // `immediate` is refused for a static parameter.
    let (method, then) = match parameter.apply_type.as_str() {
        "dynamic" => ("immediate", String::new()),
        _ => ("pending-reboot", restarts(facts, ", which restarts")),
    };
    let region = &facts.place.region;
    format!(
        "auroraml apply{then}; or aws rds modify-db-cluster-parameter-group --db-cluster-parameter-group-name {group} --parameters ParameterName={name},ParameterValue={role},ApplyMethod={method} --region {region}"
    )
}

/// Whom apply interrupts so that members use other values, or that it leaves that to people.
fn restarts(facts: &Facts, restarts: &str) -> String {
    let name = |member: &Member| format!("{} {}", member.role(), member.name);
    let (left, restarted): (Vec<&Member>, Vec<&Member>) =
        facts.cluster.members.iter().partition(|member| facts.leaves_pending(member).is_some());
    let names =
        |members: &[&Member]| members.iter().map(|member| name(member)).collect::<Vec<_>>().join(", ");
    let mut text = String::new();
    if !restarted.is_empty() {
        text.push_str(&format!("{restarts} {}", names(&restarted)));
    }
    if let Some(strategy) = left.first().and_then(|member| facts.leaves_pending(member)) {
        text.push_str(&format!(
            " (but `restart: {strategy}` in the spec leaves the restart of {} to you)",
            names(&left)
        ));
    }
    text
}

/// Associated roles that no parameter names.
fn spare(facts: &Facts) -> Vec<String> {
    let Ok(parameters) = &facts.parameters else { return Vec::new() };
    let named: BTreeSet<&str> = parameters.values().map(|parameter| parameter.value.as_str()).collect();
    let roles = facts.cluster.associations.iter().map(|association| association.role.clone());
    roles.filter(|role| !named.contains(role.as_str())).collect()
}

fn unused(judge: &mut Judge<'_>) {
    let cluster = &judge.facts.cluster.id;
    for role in spare(judge.facts) {
        let found = format!(
            "{role} is associated with cluster {cluster}, but no role parameter of its group uses it"
        );
        judge.note("association", format!("role {}", short(&role)), found);
    }
}

/// Existence, trust and permissions of the role.
fn role_of(judge: &mut Judge<'_>, ability: &Ability, arn: &str) {
    let facts = judge.facts;
    let (check, object) = (format!("{} role", ability.name), format!("role {}", short(arn)));
    if arn.split(':').nth(4) != Some(facts.place.account.as_str()) {
        let why = format!("{arn} is in another account, not {}", facts.place.account);
        return judge.unknown(check, object, why);
    }
    let role = match facts.roles.get(arn) {
        Some(Ok(Some(role))) => role,
        Some(Ok(None)) => {
            let fix = "auroraml apply creates a role in its place; or create it again with this ARN";
            return judge.failed(check, object, format!("{arn} does not exist"), fix);
        }
        Some(Err(why)) => return judge.unknown(check, object, why),
        None => return judge.unknown(check, object, "not checked"),
    };
    let (cluster, account) = (facts.cluster.arn.as_str(), facts.place.account.as_str());
    match trusts(&role.trust, Caller { service: SERVICE, source_arn: cluster, source_account: account }) {
        Ok(remarks) => {
            let found = format!("exists and trusts {SERVICE} for this cluster{}", remark(&remarks));
            judge.ok(check, object.clone(), found);
        }
        Err(why) => {
            // Added, not put in its place: the role may serve others as well.
            let statement = &policy::trust(SERVICE, account, Some(cluster))["Statement"][0];
            let by_hand = format!(
                "add this statement to its trust policy (aws iam update-assume-role-policy --role-name {}): {statement}",
                role.name
            );
            judge.failed(check, object.clone(), why, ours(facts, ability, arn, by_hand));
        }
    }
    permissions(judge, ability, arn, object, role);
}

/// A role that auroraml makes is put right by it.
fn ours(facts: &Facts, ability: &Ability, arn: &str, by_hand: String) -> String {
    match facts.place.own_role_arn(ability.name) == arn {
        true => format!("auroraml apply; or {by_hand}"),
        false => by_hand,
    }
}

fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn remark(remarks: &[String]) -> String {
    remarks.iter().map(|remark| format!("; {remark}")).collect()
}

/// What the ability needs: action and resource.
fn needs(facts: &Facts, ability: &Ability) -> Vec<(String, String)> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(String::from)).collect()
    };
    let mut needs = Vec::new();
    for statement in &ability.statements {
        for action in texts(&statement["Action"]) {
            for resource in texts(&statement["Resource"]) {
                needs.push((action.clone(), live_arn(facts, resource)));
            }
        }
    }
    needs
}

/// Which case the name has in an endpoint's ARN is SageMaker's choice: where it tells the ARN, that counts.
fn live_arn(facts: &Facts, arn: String) -> String {
    let mut live = facts.endpoints.values().filter_map(|answer| answer.as_ref().ok()?.as_ref());
    live.find(|endpoint| endpoint.arn.eq_ignore_ascii_case(&arn)).map_or(arn, |endpoint| endpoint.arn.clone())
}

fn permissions(judge: &mut Judge<'_>, ability: &Ability, arn: &str, object: String, role: &Role) {
    let (check, needs) = (format!("{} policy", ability.name), needs(judge.facts, ability));
    let policies = match &role.policies {
        Ok(policies) => policies,
        Err(why) => return judge.unknown(check, object, why),
    };
    let (mut remarks, mut lacks) = (BTreeSet::new(), Vec::new());
    let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (action, resource) in &needs {
        match verdict(policies, action, resource) {
            Verdict::Allowed(found) => remarks.extend(found),
            Verdict::Narrower(patterns) => {
                remarks.insert(format!("{action} only on {}", patterns.join(", ")));
            }
            Verdict::Denied(by) => lacks.push(format!("policy {by} denies {action} on {resource}")),
            Verdict::Missing(others) => {
                missing.entry(resource).or_default().push(action);
                if !others.is_empty() {
                    remarks.insert(format!("{action} is allowed on {}", others.join(", ")));
                }
            }
        }
    }
    if let Some(boundary) = &role.boundary {
        remarks.insert(format!("its permissions boundary {boundary} was not checked"));
    }
    let remarks = remark(&remarks.into_iter().collect::<Vec<_>>());
    for (resource, actions) in &missing {
        lacks.push(format!("it does not allow {} on {resource}", actions.join(", ")));
    }
    if lacks.is_empty() {
        let actions: BTreeSet<&str> = needs.iter().map(|(action, _)| action.as_str()).collect();
        let resources: BTreeSet<&str> = needs.iter().map(|(_, resource)| resource.as_str()).collect();
        let actions = match actions.len() {
            0..=2 => actions.into_iter().collect::<Vec<_>>().join(", "),
            many => format!("all {many} actions"),
        };
        let resources = resources.into_iter().collect::<Vec<_>>().join(", ");
        return judge.ok(check, object, format!("allows {actions} on {resources}{remarks}"));
    }
    let statements: Vec<Value> = missing
        .iter()
        .map(|(resource, actions)| json!({"Effect": "Allow", "Action": actions, "Resource": resource}))
        .collect();
    let by_hand = match statements.is_empty() {
        true => format!("remove the Deny from the policy, or exempt what {} needs", ability.name),
        false => format!(
            "aws iam put-role-policy --role-name {} --policy-name auroraml-{} --policy-document '{}'",
            role.name,
            ability.name,
            policy::document(statements)
        ),
    };
    let fix = ours(judge.facts, ability, arn, by_hand);
    judge.failed(check, object, format!("{}{remarks}", lacks.join("; ")), fix);
}

/// The association of the role with the cluster (fact book, section 1.8).
fn association(judge: &mut Judge<'_>, ability: &Ability, arn: &str) {
    let cluster = &judge.facts.cluster;
    let (check, object) = (format!("{} association", ability.name), format!("role {}", short(arn)));
    let region = &judge.facts.place.region;
    let call = |what: &str| {
        format!("aws rds {what} --db-cluster-identifier {} --role-arn {arn} --region {region}", cluster.id)
    };
    let add = call("add-role-to-db-cluster");
    match cluster
        .associations
        .iter()
        .find(|association| association.role == arn)
        .map(|one| one.status.as_str())
    {
        Some("ACTIVE") => judge.ok(check, object, format!("ACTIVE on cluster {}", cluster.id)),
        None => {
            let found = format!("set as parameter, but not associated with cluster {}", cluster.id);
            judge.failed(check, object, found, format!("auroraml apply; or {add}"));
        }
        Some("PENDING") => {
            let found = format!("PENDING on cluster {}: RDS is still adding or removing it", cluster.id);
            judge.failed(check, object, found, "wait two minutes, then verify again");
        }
        Some("INVALID") => judge.failed(
            check,
            object,
            format!("INVALID: cluster {} cannot assume the role", cluster.id),
            ours(
                judge.facts,
                ability,
                arn,
                format!(
                    "fix the role and its trust policy, then associate it again: {} && {add}",
                    call("remove-role-from-db-cluster")
                ),
            ),
        ),
        Some(other) => {
            let found = format!("{other} on cluster {}, not ACTIVE", cluster.id);
            judge.failed(check, object, found, format!("auroraml apply; or {add}"));
        }
    }
}
