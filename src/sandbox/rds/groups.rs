//! DB cluster parameter groups (fact book, sections 1.2 to 1.4).

use super::parameters::{self, Parameter};
use super::state::{Group, Value};
use super::{Context, check_name, combination, invalid, page, pause, versions};
use crate::sandbox::wire::{Fault, Params, Reply, Xml};
use std::collections::{BTreeMap, BTreeSet};

/// DB cluster parameter groups per region (fact book, section 1.2).
const GROUPS_MAX: usize = 50;
/// Parameters per Modify or Reset call (fact book, section 1.2).
const PARAMETERS_MAX: usize = 20;

fn no_group(name: &str) -> Fault {
    Fault::new(404, "DBParameterGroupNotFound", format!("DBClusterParameterGroup not found: {name}"))
}

fn wrong_state(message: String) -> Fault {
    Fault::bad("InvalidDBParameterGroupState", message)
}

fn default_family(name: &str) -> Option<&'static str> {
    let family = name.strip_prefix("default.")?;
    versions::FAMILIES.into_iter().find(|known| *known == family)
}

/// Whether a cluster of `family` may use the group. Not found is told otherwise by cluster operations than
/// by group operations.
pub(super) fn check_attachable(c: &Context<'_>, name: &str, family: &str) -> Result<(), Fault> {
    let own = c.rds.groups.get(name).map(|group| group.family.as_str()).or_else(|| default_family(name));
    match own {
        Some(own) if own == family => Ok(()),
        Some(own) => Err(combination(format!(
            "The Parameter Group {name} with DBParameterGroupFamily {own} cannot be used for this instance. \
             Please use a Parameter Group with DBParameterGroupFamily {family}"
        ))),
        None => Err(Fault::new(
            404,
            "DBClusterParameterGroupNotFound",
            format!("DBClusterParameterGroup not found: {name}"),
        )),
    }
}

fn insert(c: &mut Context<'_>, name: &str, group: Group) -> Reply {
    check_name("DBClusterParameterGroupName", name, 255)?;
    if c.rds.groups.contains_key(name) {
        return Err(Fault::bad(
            "DBParameterGroupAlreadyExists",
            format!("Parameter group {name} already exists"),
        ));
    }
    if c.rds.groups.len() >= GROUPS_MAX {
        return Err(Fault::bad(
            "DBParameterGroupQuotaExceeded",
            format!("Cannot create more than {GROUPS_MAX} DB cluster parameter groups."),
        ));
    }
    let mut xml = Xml::new();
    xml.element("DBClusterParameterGroup", |x| show(c, x, name, &group.family, &group.description));
    c.rds.groups.insert(name.to_string(), group);
    Ok(xml.into())
}

fn show(c: &Context<'_>, x: &mut Xml, name: &str, family: &str, description: &str) {
    x.text("DBClusterParameterGroupName", name);
    x.text("DBParameterGroupFamily", family);
    x.text("Description", description);
    x.text("DBClusterParameterGroupArn", c.arn("cluster-pg", name));
}

pub(super) fn create(c: &mut Context<'_>) -> Reply {
    let p = c.params();
    let name = c.required_name("DBClusterParameterGroupName")?;
    let family = p.required("DBParameterGroupFamily")?.to_ascii_lowercase();
    let description = p.required("Description")?.to_string();
    if !versions::FAMILIES.contains(&family.as_str()) {
        return Err(invalid(format!("ParameterGroupFamily {family} is not a valid parameter group family")));
    }
    let tags = c.given_tags("cluster-pg")?;
    insert(c, &name, Group { family, description, values: BTreeMap::new(), tags, applying_until: 0 })
}

pub(super) fn copy(c: &mut Context<'_>) -> Reply {
    let source = c.required_name("SourceDBClusterParameterGroupIdentifier")?;
    let target = c.required_name("TargetDBClusterParameterGroupIdentifier")?;
    let description = c.params().required("TargetDBClusterParameterGroupDescription")?.to_string();
    let tags = c.given_tags("cluster-pg")?;
    let (family, values) = match c.rds.groups.get(&source) {
        Some(group) => (group.family.clone(), group.values.clone()),
        None => (default_family(&source).ok_or_else(|| no_group(&source))?.to_string(), BTreeMap::new()),
    };
    insert(c, &target, Group { family, description, values, tags, applying_until: 0 })
}

pub(super) fn describe(c: &mut Context<'_>) -> Reply {
    let wanted = c.name("DBClusterParameterGroupName");
    let mut all: BTreeMap<String, (String, String)> = versions::FAMILIES
        .into_iter()
        .map(|family| {
            let description = format!("Default cluster parameter group for {family}");
            (format!("default.{family}"), (family.to_string(), description))
        })
        .collect();
    for (name, group) in &c.rds.groups {
        all.insert(name.clone(), (group.family.clone(), group.description.clone()));
    }
    if let Some(name) = &wanted {
        all.retain(|known, _| known == name);
        if all.is_empty() {
            return Err(no_group(name));
        }
    }
    let all = all.into_iter().map(|(name, rest)| (name.clone(), (name, rest))).collect();
    let (groups, marker) = page(c.params(), all)?;
    let mut xml = Xml::new();
    xml.list(
        "DBClusterParameterGroups",
        "DBClusterParameterGroup",
        groups,
        |x, (name, (family, description))| show(c, x, &name, &family, &description),
    );
    xml.optional("Marker", marker);
    Ok(xml.into())
}

/// DescribeDBParameterGroups: the sandbox has the default ones only.
pub(super) fn describe_instance_groups(c: &mut Context<'_>) -> Reply {
    let wanted = c.name("DBParameterGroupName");
    let families: Vec<&str> = versions::FAMILIES
        .into_iter()
        .filter(|family| wanted.as_ref().is_none_or(|name| *name == format!("default.{family}")))
        .collect();
    if let (true, Some(name)) = (families.is_empty(), wanted) {
        let text = format!("DBParameterGroup not found: {name}");
        return Err(Fault::new(404, "DBParameterGroupNotFound", text));
    }
    let mut xml = Xml::new();
    xml.list("DBParameterGroups", "DBParameterGroup", families, |x, family| {
        let name = format!("default.{family}");
        x.text("DBParameterGroupName", &name);
        x.text("DBParameterGroupFamily", family);
        x.text("Description", format!("Default parameter group for {family}"));
        x.text("DBParameterGroupArn", c.arn("pg", &name));
    });
    Ok(xml.into())
}

pub(super) fn delete(c: &mut Context<'_>) -> Reply {
    let name = c.required_name("DBClusterParameterGroupName")?;
    if name.starts_with("default.") {
        return Err(invalid(format!("Default parameter groups cannot be deleted: {name}")));
    }
    if !c.rds.groups.contains_key(&name) {
        return Err(no_group(&name));
    }
    if c.rds.clusters.values().any(|cluster| cluster.group == name) {
        return Err(wrong_state(format!(
            "One or more database clusters are still members of this parameter group {name}, so the group cannot be deleted"
        )));
    }
    c.rds.groups.remove(&name);
    Ok(Xml::new().into())
}

/// One entry of a Modify or Reset call, checked against the family's table.
struct Asked {
    parameter: &'static Parameter,
    value: Option<String>,
    immediate: bool,
}

fn asked(family: &str, entries: &[Params], with_value: bool) -> Result<Vec<Asked>, Fault> {
    let entry = |entry: &Params| {
        let name = entry.required("ParameterName")?;
        let method = entry.get("ApplyMethod").unwrap_or("pending-reboot");
        let parameter = parameters::find(family, name)
            .ok_or_else(|| invalid(format!("Could not find parameter with name: {name}")))?;
        if !parameter.modifiable {
            return Err(invalid(format!("The parameter {name} cannot be modified.")));
        }
        let immediate = match method {
            "immediate" => true,
            "pending-reboot" => false,
            other => return Err(invalid(format!("Invalid apply method: {other}"))),
        };
        if immediate && parameter.is_static {
            return Err(combination(format!(
                "cannot use immediate apply method for static parameter: {name}"
            )));
        }
        let value = entry.get("ParameterValue");
        if with_value {
            let value = value.ok_or_else(|| {
                combination(format!("You must specify a parameter value for parameter {name}"))
            })?;
            if !parameter.allows(value) {
                return Err(invalid(format!(
                    "Invalid parameter value: {value} for: {name} allowed values are: {}",
                    parameter.allowed
                )));
            }
        }
        Ok(Asked { parameter, value: value.map(str::to_string), immediate })
    };
    let asked = entries.iter().map(entry).collect::<Result<Vec<_>, Fault>>()?;
    let names: BTreeSet<&str> = asked.iter().map(|asked| asked.parameter.name).collect();
    if names.len() < asked.len() {
        return Err(combination("The same parameter was given more than once."));
    }
    Ok(asked)
}

/// The request's group, if it can be changed now.
fn changeable(c: &mut Context<'_>) -> Result<(String, String), Fault> {
    let name = c.required_name("DBClusterParameterGroupName")?;
    let unlucky = c.random.chance(0.3);
    if default_family(&name).is_some() {
        return Err(invalid(format!("Default parameter groups cannot be modified: {name}")));
    }
    let group = c.rds.groups.get(&name).ok_or_else(|| no_group(&name))?;
    if unlucky && c.now < group.applying_until {
        return Err(wrong_state(format!("Parameter group {name} has pending changes.")));
    }
    Ok((name, group.family.clone()))
}

pub(super) fn modify(c: &mut Context<'_>) -> Reply {
    let (name, family) = changeable(c)?;
    let entries = c.params().items("Parameters");
    if entries.is_empty() || entries.len() > PARAMETERS_MAX {
        return Err(invalid(format!(
            "Between 1 and {PARAMETERS_MAX} parameters can be modified in one request."
        )));
    }
    let mut changes = Changes::default();
    for Asked { parameter, value, immediate } in asked(&family, &entries, true)? {
        let value = value.unwrap_or_default();
        let other_source = c.random.chance(0.1);
        let Some(group) = c.rds.groups.get_mut(&name) else { return Err(no_group(&name)) };
        let before = group.values.get(parameter.name).map_or(parameter.default, |set| &set.value);
        changes.note(before != value, immediate);
        // Not every set value is listed with Source=user (fact book, section 1.2).
        let source = if value == parameter.default {
            parameter.source
        } else if other_source {
            "system"
        } else {
            "user"
        };
        group.values.insert(parameter.name.to_string(), Value { value, source: source.to_string() });
    }
    changes.apply(c, &name);
    Ok(name_only(&name))
}

pub(super) fn reset(c: &mut Context<'_>) -> Reply {
    let (name, family) = changeable(c)?;
    let entries = c.params().items("Parameters");
    let all = c.params().flag("ResetAllParameters").unwrap_or(false);
    if all != entries.is_empty() {
        return Err(combination("Give either ResetAllParameters or a list of parameters, not both."));
    }
    if entries.len() > PARAMETERS_MAX {
        return Err(invalid(format!("At most {PARAMETERS_MAX} parameters can be reset in one request.")));
    }
    let mut changes = Changes::default();
    let Some(group) = c.rds.groups.get_mut(&name) else { return Err(no_group(&name)) };
    if all {
        for (set, value) in std::mem::take(&mut group.values) {
            if let Some(parameter) = parameters::find(&family, &set) {
                changes.note(value.value != parameter.default, !parameter.is_static);
            }
        }
    } else {
        for Asked { parameter, immediate, .. } in asked(&family, &entries, false)? {
            let removed = group.values.remove(parameter.name);
            changes.note(removed.is_some_and(|value| value.value != parameter.default), immediate);
        }
    }
    changes.apply(c, &name);
    Ok(name_only(&name))
}

fn name_only(name: &str) -> crate::sandbox::wire::Body {
    let mut xml = Xml::new();
    xml.text("DBClusterParameterGroupName", name);
    xml.into()
}

/// What changed in a group, by when it takes effect.
#[derive(Default)]
struct Changes {
    now: bool,
    at_restart: bool,
}

impl Changes {
    fn note(&mut self, changed: bool, immediate: bool) {
        self.now |= changed && immediate;
        self.at_restart |= changed && !immediate;
    }

    /// Lets the members of every cluster that uses the group notice.
    fn apply(&self, c: &mut Context<'_>, name: &str) {
        let now = c.now;
        let applied = now + c.random.duration(1.0, 3.0, 10.0).clamp(1_000, 10_000);
        if let Some(group) = c.rds.groups.get_mut(name)
            && (self.now || self.at_restart)
        {
            group.applying_until = applied;
        }
        let users: Vec<String> = c
            .rds
            .clusters
            .values()
            .filter(|cluster| cluster.group == name)
            .map(|cluster| cluster.id.clone())
            .collect();
        for user in users {
            if self.now || self.at_restart {
                pause::resume(c, now, &user);
            }
            for member in c.rds.members_mut(&user).filter(|member| member.up && !member.deleting) {
                let stopped = member.timeline.status(now) == "stopped";
                if self.now && !stopped {
                    member.applying_until = applied;
                }
                if self.at_restart || self.now && stopped {
                    member.pending_since = Some(now);
                }
            }
        }
    }
}

fn show_parameter(x: &mut Xml, parameter: &Parameter, set: Option<&Value>) {
    x.text("ParameterName", parameter.name);
    let value = set.map_or(parameter.default, |set| &set.value);
    if set.is_some() || !value.is_empty() {
        x.text("ParameterValue", value);
    }
    x.text("Description", parameter.description);
    x.text("Source", set.map_or(parameter.source, |set| &set.source));
    x.text("ApplyType", if parameter.is_static { "static" } else { "dynamic" });
    x.text("DataType", parameter.data_type);
    x.optional("AllowedValues", Some(parameter.allowed).filter(|allowed| !allowed.is_empty()));
    x.text("IsModifiable", parameter.modifiable);
    // Whatever was sent (fact book, section 1.2).
    x.text("ApplyMethod", "pending-reboot");
    x.texts("SupportedEngineModes", "member", ["provisioned"]);
}

pub(super) fn describe_parameters(c: &mut Context<'_>) -> Reply {
    let p = c.params();
    let name = c.required_name("DBClusterParameterGroupName")?;
    let group = c.rds.groups.get(&name);
    let family = group.map(|group| group.family.as_str()).or_else(|| default_family(&name));
    let family = family.ok_or_else(|| no_group(&name))?;
    let source = p.get("Source").filter(|source| !source.is_empty());
    if let Some(source) = source
        && !["user", "system", "engine-default"].contains(&source)
    {
        return Err(invalid(format!("Invalid source: {source}")));
    }
    let names = c.filters(&["parameter-name"])?.remove("parameter-name");
    let all = parameters::of(family)
        .map(|parameter| (parameter, group.and_then(|group| group.values.get(parameter.name))))
        .filter(|(parameter, set)| {
            let own = set.map_or(parameter.source, |set| &set.source);
            source.is_none_or(|source| source == own)
                && names.as_ref().is_none_or(|names| names.iter().any(|name| name == parameter.name))
        })
        .map(|found| (found.0.name.to_string(), found))
        .collect();
    let (found, marker) = page(p, all)?;
    let mut xml = Xml::new();
    xml.list("Parameters", "Parameter", found, |x, (parameter, set)| show_parameter(x, parameter, set));
    xml.optional("Marker", marker);
    Ok(xml.into())
}

/// DescribeEngineDefaultClusterParameters: lacks the instance-level names that the groups do have
/// (fact book, section 1.2).
pub(super) fn describe_defaults(c: &mut Context<'_>) -> Reply {
    let p = c.params();
    let family = p.required("DBParameterGroupFamily")?;
    if !versions::FAMILIES.contains(&family) {
        return Err(invalid(format!("ParameterGroupFamily {family} is not a valid parameter group family")));
    }
    let all = parameters::of(family)
        .filter(|parameter| parameter.cluster_level)
        .map(|parameter| (parameter.name.to_string(), parameter))
        .collect();
    let (found, marker) = page(p, all)?;
    let mut xml = Xml::new();
    xml.element("EngineDefaults", |x| {
        x.text("DBParameterGroupFamily", family);
        x.optional("Marker", marker);
        x.list("Parameters", "Parameter", found, |x, parameter| show_parameter(x, parameter, None));
    });
    Ok(xml.into())
}
