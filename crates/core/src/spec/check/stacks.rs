//! CloudFormation templates, as far as the spec says something of them; what is in a template, the model reads.

use super::super::problem::meant;
use super::super::references::{OWN, Own, Reference, references};
use super::{Aurora, Network, Reader, SECRET_VARIABLES_HINT, Spec, join};
use crate::spec::{ParameterValue, S3Access, TemplateStack};

/// Characters of a stack's name (botocore's model of CloudFormation, StackName).
const NAME_MAX: usize = 128;

pub fn stacks(spec: &Spec, reader: &mut Reader) {
    for (name, stack) in spec.stacks.iter().flatten() {
        let path = join("stacks", name);
        names(spec, name, stack, &path, reader);
        for (key, value) in &stack.parameters {
            let path = join(&join(&path, "parameters"), key);
            match value {
                ParameterValue::Text(text) => {
                    for reference in references(text) {
                        known(spec, &reference, &path, reader);
                    }
                }
                ParameterValue::Environment(from) => {
                    let possible = !from.environment_variable.is_empty()
                        && from.environment_variable.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                    if !possible {
                        let path = join(&path, "environment_variable");
                        let message = format!("invalid variable name `{}`", from.environment_variable);
                        reader.report(&path, message, SECRET_VARIABLES_HINT);
                    }
                }
            }
        }
        super::tag_map(&stack.tags, &join(&path, "tags"), reader);
    }
    for (path, text) in values(spec) {
        for reference in references(text) {
            known(spec, &reference, &path, reader);
        }
    }
}

/// The values outside of `stacks` that may be outputs, with their paths.
pub fn values(spec: &Spec) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    if let Some(Aurora::Owned(cluster)) = &spec.aurora {
        let peers = cluster.allow_from.iter().enumerate();
        found.extend(peers.map(|(n, peer)| (format!("aurora.allow_from[{n}]"), peer.as_str())));
        let parameters = cluster.parameters.iter();
        found.extend(parameters.map(|(name, value)| (join("aurora.parameters", name), value.as_str())));
    }
    found.extend(spec.kms_key.as_deref().map(|key| ("kms_key".to_owned(), key)));
    found.extend(spec.roles.given().map(|(name, arn)| (join("roles", name), arn)));
    if let S3Access::Buckets(named) = &spec.machine_learning.s3 {
        let buckets = named.buckets.iter().enumerate();
        found.extend(buckets.map(|(n, name)| (format!("machine_learning.s3.buckets[{n}]"), name.as_str())));
    }
    if let Some(Network::Existing(network)) = &spec.network {
        found.push(("network.existing".to_owned(), network.existing.as_str()));
        for (path, ids) in
            [("private_subnets", &network.private_subnets), ("public_subnets", &network.public_subnets)]
        {
            let ids = ids.iter().enumerate();
            found.extend(ids.map(|(n, id)| (format!("network.{path}[{n}]"), id.as_str())));
        }
    }
    found
}

fn names(spec: &Spec, name: &str, stack: &TemplateStack, path: &str, reader: &mut Reader) {
    let is_possible = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if !is_possible(name) {
        let hint = "use letters, digits and hyphens; begin with a letter";
        reader.report_key(path, format!("invalid stack name `{name}`"), hint);
    }
    let physical = stack.name.clone().unwrap_or_else(|| format!("{}-{name}", spec.stack));
    if !is_possible(&physical) && stack.name.is_some() || physical.len() > NAME_MAX {
        let hint = format!("use at most {NAME_MAX} letters, digits and hyphens; begin with a letter");
        let path = if stack.name.is_some() { join(path, "name") } else { path.to_owned() };
        reader.report(&path, format!("invalid CloudFormation stack name `{physical}`"), hint);
    }
    let others = spec.stacks.iter().flatten().take_while(|(other, _)| *other != name);
    let mut others = others.map(|(other, stack)| {
        (other, stack.name.clone().unwrap_or_else(|| format!("{}-{other}", spec.stack)))
    });
    if let Some((other, _)) = others.find(|(_, other)| *other == physical) {
        let message = format!("duplicate name `{physical}`: `{other}` has it too");
        reader.report(&join(path, "name"), message, "give each CloudFormation stack its own name");
    }
}

/// Reports a reference to what the spec does not have.
fn known(spec: &Spec, reference: &Reference, path: &str, reader: &mut Reader) {
    match reference {
        Reference::Output { stack, .. } => {
            let names: Vec<&str> = spec.stacks.iter().flatten().map(|(name, _)| name.as_str()).collect();
            if !names.contains(&stack.as_str()) {
                let hint = match names.is_empty() {
                    true => "add it under `stacks`".to_owned(),
                    false => meant(stack, "stacks", &names),
                };
                reader.report(path, format!("there is no `{stack}` under `stacks`"), hint);
            }
        }
        Reference::Own(own) => {
            if let Some(what) = missing(spec, own) {
                let names: Vec<&str> = OWN.iter().map(|(name, _)| *name).collect();
                let hint = format!("you can refer to {}", names.join(", "));
                reader.report(path, format!("the spec has no {what}"), hint);
            }
        }
    }
}

/// What the spec would need for it, and does not have.
fn missing(spec: &Spec, own: &Own) -> Option<String> {
    let network = spec.network.is_some();
    let owned = matches!(spec.aurora, Some(Aurora::Owned(_)));
    let (is_there, what) = match own {
        Own::ClusterArn | Own::ClusterIdentifier => (spec.aurora.is_some(), "cluster"),
        Own::ClusterEndpoint | Own::ClusterPort | Own::SecretArn => (owned, "cluster of its own"),
        Own::AuroraGroup => (owned && network, "cluster in a network of its own"),
        Own::VpcId | Own::PrivateSubnets | Own::PublicSubnets => (network, "network"),
        Own::NotebookGroup => (network && spec.notebook.is_some(), "notebook"),
        Own::NotebookName => (spec.notebook.is_some(), "notebook"),
        Own::BucketName | Own::BucketArn => (spec.bucket.is_some(), "bucket"),
        Own::EndpointName(name) | Own::EndpointArn(name) => {
            return (!spec.endpoints.contains_key(name)).then(|| format!("endpoint `{name}`"));
        }
    };
    (!is_there).then(|| what.to_owned())
}
