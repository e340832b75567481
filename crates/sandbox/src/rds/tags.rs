//! Tags of everything that has an ARN.

use super::context::Context;
use super::refusals::{check_tags, invalid, no_cluster, no_instance};
use super::state::Rds;
use crate::wire::{Fault, Reply, Xml};
use std::collections::BTreeMap;

impl Rds {
    /// Kind, name and tags of everything that has an ARN.
    pub(crate) fn tagged(&self) -> Vec<(&'static str, String, BTreeMap<String, String>)> {
        fn of<'a, T>(
            kind: &'static str,
            all: &'a BTreeMap<String, T>,
            tags: impl Fn(&T) -> &BTreeMap<String, String> + 'a,
        ) -> impl Iterator<Item = (&'static str, String, BTreeMap<String, String>)> + 'a {
            all.iter().map(move |(name, object)| (kind, name.clone(), tags(object).clone()))
        }
        let all = of("cluster", &self.clusters, |found| &found.tags)
            .chain(of("db", &self.instances, |found| &found.tags))
            .chain(of("cluster-pg", &self.groups, |found| &found.tags))
            .chain(of("pg", &self.instance_groups, |found| &found.tags))
            .chain(of("subgrp", &self.subnet_groups, |found| &found.tags))
            .chain(of("cluster-snapshot", &self.snapshots, |found| &found.tags));
        all.collect()
    }

    /// Tags that nobody but AWS can set, on a `kind:name`.
    pub(crate) fn mark(&mut self, what: &str, tags: &[(String, String)]) {
        let (kind, name) = what.split_once(':').unwrap_or_default();
        let kept = match kind {
            "cluster" => self.clusters.get_mut(name).map(|found| &mut found.tags),
            "db" => self.instances.get_mut(name).map(|found| &mut found.tags),
            "cluster-pg" => self.groups.get_mut(name).map(|found| &mut found.tags),
            "pg" => self.instance_groups.get_mut(name).map(|found| &mut found.tags),
            "subgrp" => self.subnet_groups.get_mut(name).map(|found| &mut found.tags),
            _ => None,
        };
        if let Some(kept) = kept {
            kept.extend(tags.iter().cloned());
        }
    }

    /// The tags of a resource, if there is one of this kind and name.
    pub(crate) fn tags_of(&self, kind: &str, name: &str) -> Option<BTreeMap<String, String>> {
        let tags = match kind {
            "cluster" => &self.clusters.get(name)?.tags,
            "db" => &self.instances.get(name)?.tags,
            "cluster-pg" => &self.groups.get(name)?.tags,
            "pg" => &self.instance_groups.get(name)?.tags,
            "subgrp" => &self.subnet_groups.get(name)?.tags,
            "cluster-snapshot" => &self.snapshots.get(name)?.tags,
            _ => return None,
        };
        Some(tags.clone())
    }
}

/// The tags of the resource whose ARN the request gives.
fn tags<'c>(c: &'c mut Context<'_>) -> Result<&'c mut BTreeMap<String, String>, Fault> {
    let arn = c.params().required("ResourceName")?.to_ascii_lowercase();
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    let (kind, name) = match parts.as_slice() {
        ["arn", _, "rds", region, _, kind, name] if *region == c.call.region => (*kind, *name),
        _ => {
            return Err(invalid(format!(
                "The specified resource name does not match an RDS resource in this region: {arn}"
            )));
        }
    };
    let rds = &mut *c.rds;
    let group_not_found =
        || Fault::new(404, "DBParameterGroupNotFound", format!("Parameter group not found: {name}"));
    match kind {
        "cluster" => rds.clusters.get_mut(name).map(|found| &mut found.tags).ok_or_else(|| no_cluster(name)),
        "db" => rds.instances.get_mut(name).map(|found| &mut found.tags).ok_or_else(|| no_instance(name)),
        "cluster-pg" => rds.groups.get_mut(name).map(|found| &mut found.tags).ok_or_else(group_not_found),
        "pg" => rds.instance_groups.get_mut(name).map(|found| &mut found.tags).ok_or_else(group_not_found),
        "subgrp" => rds.subnet_groups.get_mut(name).map(|found| &mut found.tags).ok_or_else(|| {
            Fault::new(404, "DBSubnetGroupNotFoundFault", format!("DB subnet group '{name}' does not exist."))
        }),
        "cluster-snapshot" => rds.snapshots.get_mut(name).map(|found| &mut found.tags).ok_or_else(|| {
            Fault::new(404, "DBClusterSnapshotNotFoundFault", format!("DBClusterSnapshot {name} not found."))
        }),
        _ => Err(invalid(format!("Invalid resource type in {arn}."))),
    }
}

pub(super) fn add(c: &mut Context<'_>) -> Reply {
    let given = c.params().tags("Tags");
    let kept = tags(c)?;
    check_tags(&given)?;
    let mut all = kept.clone();
    all.extend(given);
    // Those of the system do not count (RDS User Guide, "Tagging Amazon RDS resources").
    check_tags(
        &all.iter()
            .filter(|(key, _)| !key.starts_with("aws:"))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect(),
    )?;
    *kept = all;
    Ok(Xml::new().into())
}

pub(super) fn remove(c: &mut Context<'_>) -> Reply {
    let keys = c.params().list("TagKeys");
    tags(c)?.retain(|key, _| !keys.contains(key) || key.starts_with("aws:"));
    Ok(Xml::new().into())
}

pub(super) fn list(c: &mut Context<'_>) -> Reply {
    let mut xml = Xml::new();
    show(&mut xml, tags(c)?);
    Ok(xml.into())
}

/// `<TagList>`.
pub(super) fn show(x: &mut Xml, tags: &BTreeMap<String, String>) {
    x.list("TagList", "Tag", tags, |x, (key, value)| {
        x.text("Key", key).text("Value", value);
    });
}
