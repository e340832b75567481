//! Many small permissions as few statements that allow the same, and no more.

use super::beside::NEEDS;
use super::names::{Name, Names};
use super::statement::{Conditions, Statement, conditions};
use crate::kinds::catalog;
use crate::resource::permission::Permission;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// What the names of operations that only look begin with.
const LOOKS: [&str; 3] = ["Describe", "Get", "List"];

type Actions = BTreeSet<&'static str>;
type Resources = BTreeSet<Name>;
/// What each action may be done to, by conditions.
pub(super) type Expanded = BTreeMap<Conditions, BTreeMap<&'static str, Resources>>;

pub(super) fn expanded<'p>(permissions: impl Iterator<Item = &'p Permission>, names: &Names) -> Expanded {
    let mut all = Expanded::new();
    for permission in permissions {
        if !permission.when.iter().all(|when| names.can(*when)) {
            continue;
        }
        let of_these = all.entry(conditions(permission.when, names)).or_default();
        for (action, pattern) in
            permission.actions.iter().flat_map(|action| permission.on.iter().map(move |on| (*action, *on)))
        {
            // A line may name several actions and the resources of each.
            if judges(action, pattern) {
                let arns = names.arns(pattern);
                if !arns.is_empty() {
                    of_these.entry(action).or_default().extend(arns);
                }
            }
        }
    }
    all
}

/// The statements of these permissions.
pub(super) fn statements<'p>(
    permissions: impl Iterator<Item = &'p Permission>,
    names: &Names,
) -> Vec<Statement> {
    compacted(expanded(permissions, names))
}

/// The statements of these permissions that others do not have already.
pub(super) fn without<'p>(
    permissions: impl Iterator<Item = &'p Permission>,
    names: &Names,
    others: &Expanded,
) -> Vec<Statement> {
    let mut all = expanded(permissions, names);
    for (conditions, actions) in &mut all {
        let has = |action: &str, resource: &Name| {
            let unconditional = others.get(&Conditions::new()).into_iter();
            let same = others.get(conditions).into_iter().chain(unconditional);
            same.filter_map(|actions| actions.get(action))
                .any(|resources| resources.iter().any(|other| covers(other, resource)))
        };
        for (action, resources) in actions.iter_mut() {
            resources.retain(|resource| !has(action, resource));
        }
        actions.retain(|_, resources| !resources.is_empty());
    }
    compacted(all)
}

fn compacted(all: Expanded) -> Vec<Statement> {
    let judged = judged();
    let mut found: Vec<Statement> = Vec::new();
    for (conditions, actions) in all {
        // What may be done to the same things stands together.
        let mut by_resources: BTreeMap<(&str, bool, Resources), Actions> = BTreeMap::new();
        for (action, resources) in actions {
            let (service, operation) = action.split_once(':').unwrap_or_default();
            let looks = LOOKS.iter().any(|verb| operation.starts_with(verb));
            by_resources.entry((service, looks, least(resources))).or_default().insert(action);
        }
        let mut statements: Vec<Statement> = Vec::new();
        for ((_, _, resources), actions) in by_resources {
            let next = Statement { sid: String::new(), actions, resources, conditions: conditions.clone() };
            match statements.iter_mut().find(|one| can_be_one(one, &next, &judged)) {
                Some(one) => {
                    one.actions.extend(next.actions);
                    one.resources.extend(next.resources);
                }
                None => statements.push(next),
            }
        }
        found.extend(statements);
    }
    let mut found = joined(found);
    found.sort_by_key(|one| (one.service(), one.conditions.clone(), one.resources.clone()));
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    for statement in &mut found {
        let name = sid(statement);
        let count = used.entry(name.clone()).or_default();
        *count += 1;
        statement.sid = if *count == 1 { name } else { format!("{name}{count}") };
    }
    found
}

/// Keys of which a request has one value that follows from what it does: statements that differ in nothing else say together
/// what they say apart.
const EACH_ITS_OWN: [&str; 3] = ["ec2:CreateAction", "sagemaker:TaggingAction", "iam:PassedToService"];

/// Statements of the same actions that differ only in the values of one such key, as one.
fn joined(statements: Vec<Statement>) -> Vec<Statement> {
    let mut found: BTreeMap<(Actions, Conditions), Statement> = BTreeMap::new();
    for (n, statement) in statements.into_iter().enumerate() {
        let mut rest = statement.conditions.clone();
        let own = |(_, key): &(&'static str, String)| EACH_ITS_OWN.contains(&key.as_str());
        rest.retain(|key, _| !own(key));
        // What has no such key stays by itself.
        if rest.len() == statement.conditions.len() {
            rest.insert(("", n.to_string()), Vec::new());
        }
        match found.entry((statement.actions.clone(), rest)) {
            Entry::Vacant(vacant) => drop(vacant.insert(statement)),
            Entry::Occupied(mut one) => {
                let one = one.get_mut();
                one.resources.extend(statement.resources);
                for (key, values) in statement.conditions.into_iter().filter(|(key, _)| own(key)) {
                    let all = one.conditions.entry(key).or_default();
                    all.extend(values);
                    all.sort();
                    all.dedup();
                }
            }
        }
    }
    found.into_values().map(|one| Statement { resources: least(one.resources), ..one }).collect()
}

/// Without what another of them covers.
fn least(resources: Resources) -> Resources {
    let covered = |one: &Name| resources.iter().any(|other| other != one && covers(other, one));
    resources.iter().filter(|one| !covered(one)).cloned().collect()
}

/// Whether the first pattern, where it is given at all, stands for all that the second does.
fn covers(pattern: &Name, other: &Name) -> bool {
    (pattern.given.is_none() || pattern.given == other.given) && glob(&pattern.text, &other.text)
}

/// Whether a text with `*` in it stands for another: only where what follows the `*` ends both.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        // `*` alone is another thing than all ARNs of a type: an action that has it takes no resource.
        Some(("", "")) => text == "*",
        Some((before, after)) if !after.contains('*') => {
            text.len() >= before.len() + after.len() && text.starts_with(before) && text.ends_with(after)
        }
        Some(_) => pattern == text,
    }
}

/// Two statements on the same conditions become one where neither action is judged by a resource of the other: then
/// nothing is allowed that was not.
fn can_be_one(one: &Statement, other: &Statement, judged: &BTreeMap<&str, BTreeSet<String>>) -> bool {
    let harmless = |actions: &Actions, own: &Resources, others: &Resources| {
        let new: BTreeSet<String> = others.difference(own).map(|name| of_arn(&name.text)).collect();
        actions.iter().all(|action| judged[action].is_disjoint(&new))
    };
    // For whoever reads it: what looks stands apart from what changes.
    let looks = |actions: &Actions| {
        let is_look = |operation: &str| LOOKS.iter().any(|verb| operation.starts_with(verb));
        actions.iter().all(|action| action.split_once(':').is_some_and(|(_, operation)| is_look(operation)))
    };
    let is_everything = |resources: &Resources| resources.iter().any(|name| name.text == "*");
    // A parameter of a template stands for a list by itself.
    let is_list = |resources: &Resources| resources.iter().any(Name::is_reference);
    one.service() == other.service()
        && looks(&one.actions) == looks(&other.actions)
        && !is_everything(&one.resources)
        && !is_everything(&other.resources)
        && !is_list(&one.resources)
        && !is_list(&other.resources)
        && harmless(&one.actions, &one.resources, &other.resources)
        && harmless(&other.actions, &other.resources, &one.resources)
}

/// Types of resources that each action is judged by, of the whole table.
fn judged() -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut judged: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    let catalog = catalog();
    let of_kinds = catalog.iter().flat_map(|(_, rules)| rules.permissions);
    for permission in of_kinds.chain(NEEDS.iter().flat_map(|need| need.permissions)) {
        for (action, pattern) in
            permission.actions.iter().flat_map(|action| permission.on.iter().map(move |on| (*action, *on)))
        {
            let types = judged.entry(action).or_default();
            if judges(action, pattern) {
                types.insert(of_pattern(pattern));
            }
        }
    }
    judged
}

/// Whether an action has something to do with resources of this type: lines about reading name several at once.
fn judges(action: &str, pattern: &str) -> bool {
    let kind = of_pattern(pattern);
    match action {
        "rds:DescribeDBClusters" => kind == "rds:cluster",
        "rds:DescribeDBInstances" => kind == "rds:db",
        "rds:DescribeDBClusterParameters" => kind == "rds:cluster-pg",
        _ => true,
    }
}

/// Service and type of a pattern.
fn of_pattern(pattern: &str) -> String {
    match pattern.strip_prefix("arn:{partition}:") {
        Some(rest) => {
            of_parts(rest.split(':').next().unwrap_or_default(), rest.rsplit(':').next().unwrap_or_default())
        }
        None => match pattern.split_once(':') {
            Some((service, rest)) => of_parts(service, rest),
            None => pattern.to_string(),
        },
    }
}

/// Service and type of an ARN.
fn of_arn(arn: &str) -> String {
    // Placeholders of templates have colons of their own.
    let mut parts = arn.replace("${AWS::", "${AWS..").splitn(6, ':').map(String::from).collect::<Vec<_>>();
    match (parts.len(), parts.pop()) {
        (6, Some(resource)) => of_parts(&parts[2], &resource),
        _ => arn.to_string(),
    }
}

/// Names that stand for objects in S3, and not for buckets.
const OBJECTS: [&str; 5] = ["{artifact}", "{loaded}", "{unloaded}", "{lease}", "{audit}"];

fn of_parts(service: &str, resource: &str) -> String {
    let is_object = resource.contains('/') || OBJECTS.iter().any(|name| resource.contains(name));
    let kind = match service {
        "s3" if is_object => "object",
        "s3" => "bucket",
        _ => resource.split(['/', ':']).next().unwrap_or(resource),
    };
    format!("{service}:{kind}")
}

/// A name for a statement: the service, and the sort of condition.
fn sid(statement: &Statement) -> String {
    let service = statement.service().replace('-', "");
    let has = |part: &str| statement.conditions.keys().any(|(_, key)| key.contains(part));
    let is_null = statement.conditions.keys().any(|(operator, _)| *operator == "Null");
    let what = match () {
        () if statement.resources.iter().all(|name| name.text == "*") => "Lists",
        () if has("CreateAction") || has("TaggingAction") || is_null => "TagNew",
        () if has("TagKeys") => "UntagOwn",
        () if has("RequestTag") && has("ResourceTag") => "TagOwn",
        () if has("PassedToService") => "PassRole",
        () if has("PermissionsBoundary") => "Bounded",
        () if has("primaryDBClusterArn") => "OfCluster",
        () if has("Vpc") => "InVpc",
        () if has("RequestTag") => "Make",
        () if has("ResourceTag") => "Own",
        () => "Named",
    };
    let mut letters = service.chars();
    let head: String = letters.next().map(|c| c.to_ascii_uppercase()).into_iter().collect();
    format!("{head}{}{what}", letters.as_str())
}
