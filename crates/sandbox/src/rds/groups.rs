//! DB cluster parameter groups, and the DB parameter groups of single instances (fact book, sections 1.2 to 1.4).
//! The operations come in pairs that differ in names only; what is in a group is in [`super::values`].

use super::context::{Context, page};
use super::refusals::{check_name, combination, invalid};
use super::state::{Group, Instance, Rds, Sync};
use super::versions;
use crate::wire::{Fault, Reply, Xml};
use std::collections::BTreeMap;

/// What a parameter group belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Cluster,
    Instance,
}

impl Level {
    /// What the API calls a group.
    fn element(self) -> &'static str {
        match self {
            Level::Cluster => "DBClusterParameterGroup",
            Level::Instance => "DBParameterGroup",
        }
    }

    /// The request parameter with a group's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Level::Cluster => "DBClusterParameterGroupName",
            Level::Instance => "DBParameterGroupName",
        }
    }

    /// The resource type in ARNs.
    fn arn(self) -> &'static str {
        match self {
            Level::Cluster => "cluster-pg",
            Level::Instance => "pg",
        }
    }
}

impl Rds {
    pub(super) fn groups(&self, level: Level) -> &BTreeMap<String, Group> {
        match level {
            Level::Cluster => &self.groups,
            Level::Instance => &self.instance_groups,
        }
    }

    pub(super) fn groups_mut(&mut self, level: Level) -> &mut BTreeMap<String, Group> {
        match level {
            Level::Cluster => &mut self.groups,
            Level::Instance => &mut self.instance_groups,
        }
    }

    /// The values that an instance gets from its groups when it starts now: what is set in its own group wins
    /// (fact book, section 1.2).
    pub(super) fn values_for(&self, instance: &Instance) -> BTreeMap<String, String> {
        let cluster =
            self.clusters.get(&instance.cluster).and_then(|cluster| self.groups.get(&cluster.group));
        let own = self.instance_groups.get(&instance.group);
        let set = cluster.into_iter().chain(own).flat_map(|group| &group.values);
        set.map(|(name, value)| (name.clone(), value.value.clone())).collect()
    }

    /// The values set by somebody that an instance really runs with, by what requests have settled so far: those
    /// of its last start, and what was applied since. AWS tells that by SQL alone.
    pub fn running_with(&self, instance: &str) -> BTreeMap<String, String> {
        self.instances.get(instance).map(|found| found.loaded.clone()).unwrap_or_default()
    }
}

impl Instance {
    pub(super) fn sync(&mut self, level: Level) -> &mut Sync {
        match level {
            Level::Cluster => &mut self.cluster_sync,
            Level::Instance => &mut self.instance_sync,
        }
    }
}

pub(super) fn no_group(level: Level, name: &str) -> Fault {
    // Group operations of both levels have the same code (fact book, section 1.2).
    Fault::new(404, "DBParameterGroupNotFound", format!("{} not found: {name}", level.element()))
}

pub(super) fn wrong_state(message: String) -> Fault {
    Fault::bad("InvalidDBParameterGroupState", message)
}

pub(super) fn default_family(name: &str) -> Option<&'static str> {
    let family = name.strip_prefix("default.")?;
    versions::FAMILIES.into_iter().find(|known| *known == family)
}

/// Whether a cluster or an instance of `family` may use the group. Cluster operations have a code of their own
/// for a group that does not exist (fact book, section 1.2).
pub(super) fn check_attachable(c: &Context<'_>, level: Level, name: &str, family: &str) -> Result<(), Fault> {
    let own =
        c.rds.groups(level).get(name).map(|group| group.family.as_str()).or_else(|| default_family(name));
    match own {
        Some(own) if own == family => Ok(()),
        Some(own) => Err(combination(format!(
            "The Parameter Group {name} with DBParameterGroupFamily {own} cannot be used for this instance. \
             Please use a Parameter Group with DBParameterGroupFamily {family}"
        ))),
        None => Err(Fault::new(
            404,
            if level == Level::Cluster {
                "DBClusterParameterGroupNotFound"
            } else {
                "DBParameterGroupNotFound"
            },
            format!("{} not found: {name}", level.element()),
        )),
    }
}

fn insert(c: &mut Context<'_>, level: Level, name: &str, group: Group) -> Reply {
    check_name(level.name(), name, 255)?;
    if c.rds.groups(level).contains_key(name) {
        return Err(Fault::bad(
            "DBParameterGroupAlreadyExists",
            format!("Parameter group {name} already exists"),
        ));
    }
    if c.rds.groups(level).len() >= c.rds.quotas.parameter_groups {
        return Err(Fault::bad(
            "DBParameterGroupQuotaExceeded",
            format!("Cannot create more than {} parameter groups.", c.rds.quotas.parameter_groups),
        ));
    }
    let mut xml = Xml::new();
    xml.element(level.element(), |x| show(c, x, level, name, &group.family, &group.description));
    c.rds.groups_mut(level).insert(name.to_string(), group);
    Ok(xml.into())
}

fn show(c: &Context<'_>, x: &mut Xml, level: Level, name: &str, family: &str, description: &str) {
    x.text(level.name(), name);
    x.text("DBParameterGroupFamily", family);
    x.text("Description", description);
    x.text(&format!("{}Arn", level.element()), c.arn(level.arn(), name));
}

pub(super) fn create(c: &mut Context<'_>, level: Level) -> Reply {
    let p = c.params();
    let name = c.required_name(level.name())?;
    let family = p.required("DBParameterGroupFamily")?.to_ascii_lowercase();
    let description = p.required("Description")?.to_string();
    if !versions::FAMILIES.contains(&family.as_str()) {
        return Err(invalid(format!("ParameterGroupFamily {family} is not a valid parameter group family")));
    }
    let tags = c.given_tags(level.arn())?;
    insert(c, level, &name, Group { family, description, values: BTreeMap::new(), tags, applying_until: 0 })
}

pub(super) fn copy(c: &mut Context<'_>, level: Level) -> Reply {
    let source = c.required_name(&format!("Source{}Identifier", level.element()))?;
    let target = c.required_name(&format!("Target{}Identifier", level.element()))?;
    let description = format!("Target{}Description", level.element());
    let description = c.params().required(&description)?.to_string();
    let tags = c.given_tags(level.arn())?;
    let (family, values) = match c.rds.groups(level).get(&source) {
        Some(group) => (group.family.clone(), group.values.clone()),
        None => {
            (default_family(&source).ok_or_else(|| no_group(level, &source))?.to_string(), BTreeMap::new())
        }
    };
    insert(c, level, &target, Group { family, description, values, tags, applying_until: 0 })
}

pub(super) fn describe(c: &mut Context<'_>, level: Level) -> Reply {
    let wanted = c.name(level.name());
    let mut all: BTreeMap<String, (String, String)> = versions::FAMILIES
        .into_iter()
        .map(|family| {
            let description = match level {
                Level::Cluster => format!("Default cluster parameter group for {family}"),
                Level::Instance => format!("Default parameter group for {family}"),
            };
            (format!("default.{family}"), (family.to_string(), description))
        })
        .collect();
    for (name, group) in c.rds.groups(level) {
        all.insert(name.clone(), (group.family.clone(), group.description.clone()));
    }
    if let Some(name) = &wanted {
        all.retain(|known, _| known == name);
        if all.is_empty() {
            return Err(no_group(level, name));
        }
    }
    let all = all.into_iter().map(|(name, rest)| (name.clone(), (name, rest))).collect();
    let (groups, marker) = page(c.params(), all)?;
    let mut xml = Xml::new();
    let (list, item) = (format!("{}s", level.element()), level.element());
    xml.list(&list, item, groups, |x, (name, (family, description))| {
        show(c, x, level, &name, &family, &description);
    });
    xml.optional("Marker", marker);
    Ok(xml.into())
}

pub(super) fn delete(c: &mut Context<'_>, level: Level) -> Reply {
    let name = c.required_name(level.name())?;
    if name.starts_with("default.") {
        return Err(invalid(format!("Default parameter groups cannot be deleted: {name}")));
    }
    if !c.rds.groups(level).contains_key(&name) {
        return Err(no_group(level, &name));
    }
    let (used, users) = match level {
        Level::Cluster => (c.rds.clusters.values().any(|cluster| cluster.group == name), "clusters"),
        Level::Instance => (c.rds.instances.values().any(|instance| instance.group == name), "instances"),
    };
    if used {
        return Err(wrong_state(format!(
            "One or more database {users} are still members of this parameter group {name}, so the group cannot be deleted"
        )));
    }
    c.rds.groups_mut(level).remove(&name);
    Ok(Xml::new().into())
}
