//! Names of one's own in AWS, and what others own: roles and a KMS key.

use super::name;
use crate::spec::reader::{Reader, join};
use crate::spec::{Aurora, Cluster, EndpointManager, Notebook, S3Access, Spec, is_reference};

/// Identifiers of the members, in lower case as AWS keeps them.
pub fn members(stack: &str, cluster: &Cluster) -> Vec<String> {
    let named = |n: usize| cluster.instances.get(n).and_then(|instance| instance.identifier.as_deref());
    (0..cluster.instances.len().max(1))
        .map(|n| named(n).map_or_else(|| format!("{stack}-{}", n + 1), str::to_ascii_lowercase))
        .collect()
}

pub fn cluster(spec: &Spec, cluster: &Cluster, reader: &mut Reader) {
    if let Some(identifier) = cluster.identifier.as_deref().filter(|text| !name::cluster(text)) {
        let message = format!("invalid cluster identifier `{identifier}`");
        reader.report(
            "aurora.identifier",
            message,
            "use 1 to 63 letters, digits and single hyphens; begin with a letter",
        );
    }
    if let Some(group) = cluster.subnet_group.as_deref().filter(|text| !name::subnet_group(text)) {
        let message = format!("invalid DB subnet group name `{group}`");
        let hint = "use 1 to 255 letters, digits, spaces and . _ -; begin with a letter; not `default`";
        reader.report("aurora.subnet_group", message, hint);
    }
    if let Some(group) = cluster.parameter_group.as_deref().filter(|text| !name::parameter_group(text)) {
        let message = format!("invalid DB cluster parameter group name `{group}`");
        let hint = "use 1 to 255 letters, digits and single hyphens; begin with a letter; a `default.…` group cannot be changed";
        reader.report("aurora.parameter_group", message, hint);
    }
    let all = members(&spec.stack, cluster);
    for (n, instance) in cluster.instances.iter().enumerate() {
        let Some(identifier) = &instance.identifier else { continue };
        let path = format!("aurora.instances[{n}].identifier");
        if !name::cluster(identifier) {
            let message = format!("invalid DB instance identifier `{identifier}`");
            reader.report(
                &path,
                message,
                "use 1 to 63 letters, digits and single hyphens; begin with a letter",
            );
        } else if let Some(other) = (0..all.len()).find(|other| *other != n && all[*other] == all[n]) {
            // Of two that are written, the second is wrong.
            let written = cluster.instances[other].identifier.is_some();
            if !written || other < n {
                let message = format!(
                    "duplicate identifier `{identifier}`: member {} has it too (case makes no difference)",
                    other + 1
                );
                reader.report(&path, message, "give each member its own identifier");
            }
        }
    }
}

pub fn notebook(notebook: &Notebook, reader: &mut Reader) {
    let names = [
        ("name", &notebook.name, "a notebook instance"),
        ("lifecycle_configuration", &notebook.lifecycle_configuration, "a lifecycle configuration"),
    ];
    for (key, given, what) in names {
        if let Some(text) = given.as_deref().filter(|text| !name::sagemaker(text)) {
            let message = format!("invalid name `{text}` of {what}");
            let hint = "use 1 to 63 letters, digits and hyphens; do not begin or end with a hyphen";
            reader.report(&join("notebook", key), message, hint);
        }
    }
}

/// Existing roles: each must be used by something, and be of the same account.
pub fn roles(spec: &Spec, reader: &mut Reader) {
    let wiring = &spec.machine_learning;
    let hosted = || spec.endpoints.values().filter(|endpoint| endpoint.managed_by == EndpointManager::Stack);
    let models = || hosted().filter_map(|endpoint| endpoint.model.as_ref());
    let used = |name: &str| match name {
        "sagemaker" => (wiring.sagemaker.is_some(), "machine_learning.sagemaker"),
        "comprehend" => (wiring.comprehend, "machine_learning.comprehend"),
        "s3" => (wiring.s3 != S3Access::Own(false), "machine_learning.s3"),
        "bedrock" => (wiring.bedrock.is_some(), "machine_learning.bedrock"),
        "notebook" => (spec.notebook.is_some(), "notebook"),
        "model" => (hosted().next().is_some(), "endpoints"),
        _ => (models().any(|model| model.training.is_some() || model.autopilot.is_some()), "endpoints"),
    };
    let mut first: Option<(&str, &str)> = None;
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for (name, arn) in spec.roles.given() {
        let path = join("roles", name);
        let is_reference = is_reference(arn);
        let account = match is_reference {
            true => None,
            false => match account_of(spec, arn, &path, reader) {
                Some(account) => Some(account),
                None => continue,
            },
        };
        let (is_used, by) = used(name);
        if !is_used && reader.sound(by) {
            let message = format!("this role is not used: the spec has no {}", needed(name));
            reader.report(&path, message, "remove it, or add what uses it");
        }
        match (first, account) {
            (Some((other, of)), Some(account)) if of != account => {
                let message = format!("this role is in account {account}, and `roles.{other}` in {of}");
                reader.report(&path, message, "use roles of the stack's account");
            }
            (None, Some(account)) => first = Some((name, account)),
            _ => {}
        }
        if matches!(spec.aurora, Some(Aurora::Existing(_))) && is_auroras(name) {
            let message = "an existing role cannot be combined with `aurora.existing`";
            reader.report(&path, message, "remove it: the stack creates a role for the cluster");
        }
        // A cluster has one association for each role (fact book, section 1.8).
        match seen.iter().find(|(other, of)| is_auroras(name) && is_auroras(other) && *of == arn) {
            Some((other, _)) => {
                let message =
                    format!("`roles.{other}` is the same role, and a cluster takes each role only once");
                reader.report(
                    &path,
                    message,
                    "use a different role for each, or remove this one to have the stack create it",
                );
            }
            None => seen.push((name, arn)),
        }
    }
}

/// Whether it is one with which the cluster calls others.
fn is_auroras(name: &str) -> bool {
    matches!(name, "sagemaker" | "comprehend" | "s3" | "bedrock")
}

fn needed(name: &str) -> &'static str {
    match name {
        "sagemaker" => "`machine_learning.sagemaker`",
        "comprehend" => "`machine_learning.comprehend`",
        "s3" => "`machine_learning.s3`",
        "bedrock" => "`machine_learning.bedrock`",
        "notebook" => "`notebook`",
        "model" => "endpoint that the stack manages",
        _ => "`training` or `autopilot` of a model",
    }
}

/// The account of a role's ARN, if it is one: `arn:aws:iam::111122223333:role/PATH/NAME`.
fn account_of<'a>(spec: &Spec, arn: &'a str, path: &str, reader: &mut Reader) -> Option<&'a str> {
    let hint = "write `arn:aws:iam::111122223333:role/NAME`";
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let role = match parts.as_slice() {
        ["arn", of, "iam", "", account, resource] if is_partition(of) && is_account(account) => {
            resource.strip_prefix("role/").map(|role| (*of, *account, role))
        }
        _ => None,
    };
    // A path is at most 512 characters and a name 64 (botocore's model, CreateRole).
    let allowed = |c: char| c.is_ascii_graphic();
    let possible = |role: &str| {
        let name = role.rsplit('/').next().unwrap_or(role);
        (1..=64).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c))
            && role.len() <= 576
            && role.chars().all(allowed)
    };
    let Some((of, account, role)) = role.filter(|(_, _, role)| possible(role)) else {
        reader.report(path, format!("`{arn}` is not an IAM role ARN"), hint);
        return None;
    };
    wrong_partition(spec, of, path, reader);
    if role.starts_with(&format!("auroraml/{}/{}/", spec.stack, spec.region)) {
        let message = "this role has the path of the stack's own roles, and would be deleted with them";
        reader.report(path, message, "remove it to use the stack's own role, or name another one");
    }
    Some(account)
}

/// The key: `arn:aws:kms:us-east-1:111122223333:key/…`.
pub fn key(spec: &Spec, reader: &mut Reader) {
    // What a template makes has its ARN when it is there.
    let Some(arn) = spec.kms_key.as_ref().filter(|arn| !is_reference(arn)) else { return };
    let path = "kms_key";
    let hint =
        format!("write `arn:aws:kms:{}:111122223333:key/12345678-1234-1234-1234-123456789012`", spec.region);
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let found = match parts.as_slice() {
        ["arn", of, "kms", region, account, resource] if is_partition(of) && is_account(account) => {
            Some((*of, *region, *resource))
        }
        _ => None,
    };
    match found {
        Some((_, _, alias)) if alias.starts_with("alias/") => {
            let message = format!("`{arn}` is an alias, which may later point to another key");
            reader.report(path, message, hint);
        }
        Some((of, region, key)) if key.strip_prefix("key/").is_some_and(is_key_id) => {
            wrong_partition(spec, of, path, reader);
            if region != spec.region && reader.sound("region") {
                let message = format!("this key is in {region}, and the stack in {}", spec.region);
                reader.report(path, message, "use a key in the stack's region");
            }
        }
        _ => reader.report(path, format!("`{arn}` is not a KMS key ARN"), hint),
    }
    let encrypted =
        spec.bucket.is_some() || spec.notebook.is_some() || matches!(spec.aurora, Some(Aurora::Owned(_)));
    if !encrypted && ["bucket", "notebook", "aurora"].iter().all(|part| reader.sound(part)) {
        let message = "this key is not used: the spec has no bucket, notebook or cluster of its own";
        reader.report(path, message, "remove it, or add what it should encrypt");
    }
}

fn is_partition(text: &str) -> bool {
    matches!(text, "aws" | "aws-cn" | "aws-us-gov")
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `12345678-1234-1234-1234-123456789012`, or `mrk-` and 32 digits of a key of several regions.
fn is_key_id(id: &str) -> bool {
    let hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let groups: Vec<&str> = id.split('-').collect();
    match groups.as_slice() {
        ["mrk", digits] => digits.len() == 32 && hexadecimal(digits),
        [a, b, c, d, e] => {
            [a.len(), b.len(), c.len(), d.len(), e.len()] == [8, 4, 4, 4, 12]
                && groups.iter().all(|group| hexadecimal(group))
        }
        _ => false,
    }
}

fn wrong_partition(spec: &Spec, of: &str, path: &str, reader: &mut Reader) {
    let own = name::partition(&spec.region);
    if of != own && reader.sound("region") {
        let message = format!("this ARN is in the partition `{of}`, and {} in `{own}`", spec.region);
        reader.report(path, message, format!("write `arn:{own}:…`"));
    }
}
