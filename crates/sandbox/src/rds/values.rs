//! What is in a parameter group: reading, changing and resetting values, and when a change reaches the instances
//! that use the group (fact book, sections 1.2 to 1.4).

use super::context::{Context, page};
use super::groups::{Level, default_family, no_group, wrong_state};
use super::parameters::{self, Parameter};
use super::refusals::{combination, invalid};
use super::state::{Effect, Instance, Rds, Value};
use super::{pause, versions};
use crate::wire::{Fault, Params, Reply, Xml};
use std::collections::{BTreeMap, BTreeSet};

/// Parameters per Modify or Reset call (fact book, section 1.2).
const PARAMETERS_MAX: usize = 20;

impl Level {
    /// Groups of clusters have the parameters of instances as well, and not the other way round (fact book,
    /// section 1.2).
    fn has(self, parameter: &Parameter) -> bool {
        self == Level::Cluster || !parameter.cluster_level
    }

    /// Whether another value is one for the instances, too. What is not set in an instance's group comes from its
    /// cluster's, so that a value set to the default is not the same as none.
    fn differs(self, parameter: &Parameter, before: Option<&str>, after: Option<&str>) -> bool {
        match self {
            Level::Cluster => before.unwrap_or(parameter.default) != after.unwrap_or(parameter.default),
            Level::Instance => before != after,
        }
    }
}

impl Rds {
    /// Whether only a restart picks the parameter up.
    fn is_static(&self, parameter: &Parameter) -> bool {
        self.apply_types.get(parameter.name).map_or(parameter.is_static, |kind| kind == "static")
    }
}

fn method(immediate: bool) -> &'static str {
    if immediate { "immediate" } else { "pending-reboot" }
}

/// One entry of a Modify or Reset call, checked against the family's table.
struct Asked {
    parameter: &'static Parameter,
    value: Option<String>,
    immediate: bool,
}

fn asked(
    c: &Context<'_>,
    level: Level,
    family: &str,
    entries: &[Params],
    with_value: bool,
) -> Result<Vec<Asked>, Fault> {
    let entry = |entry: &Params| {
        let name = entry.required("ParameterName")?;
        let method = entry.get("ApplyMethod").unwrap_or("pending-reboot");
        let parameter = parameters::find(family, name)
            .filter(|parameter| level.has(parameter))
            .ok_or_else(|| invalid(format!("Could not find parameter with name: {name}")))?;
        if !parameter.modifiable {
            return Err(invalid(format!("The parameter {name} cannot be modified.")));
        }
        let immediate = match method {
            "immediate" => true,
            "pending-reboot" => false,
            other => return Err(invalid(format!("Invalid apply method: {other}"))),
        };
        if immediate && c.rds.is_static(parameter) {
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
fn changeable(c: &mut Context<'_>, level: Level) -> Result<(String, String), Fault> {
    let name = c.required_name(level.name())?;
    let unlucky = c.random.chance(0.3);
    if default_family(&name).is_some() {
        return Err(invalid(format!("Default parameter groups cannot be modified: {name}")));
    }
    let group = c.rds.groups(level).get(&name).ok_or_else(|| no_group(level, &name))?;
    if unlucky && c.now < group.applying_until {
        return Err(wrong_state(format!("Parameter group {name} has pending changes.")));
    }
    Ok((name, group.family.clone()))
}

pub(super) fn modify(c: &mut Context<'_>, level: Level) -> Reply {
    let (name, family) = changeable(c, level)?;
    let entries = c.params().items("Parameters");
    if entries.is_empty() || entries.len() > PARAMETERS_MAX {
        return Err(invalid(format!(
            "Between 1 and {PARAMETERS_MAX} parameters can be modified in one request."
        )));
    }
    let mut changes = Changes::default();
    for Asked { parameter, value, immediate } in asked(c, level, &family, &entries, true)? {
        let value = value.unwrap_or_default();
        let other_source = c.random.chance(0.1);
        let Some(group) = c.rds.groups_mut(level).get_mut(&name) else { return Err(no_group(level, &name)) };
        let before = group.values.get(parameter.name).map(|set| set.value.as_str());
        if level.differs(parameter, before, Some(&value)) {
            changes.note(parameter.name, Some(&value), immediate);
        }
        // Not every set value is listed with Source=user (fact book, section 1.2).
        let source = if value == parameter.default {
            parameter.source
        } else if other_source {
            "system"
        } else {
            "user"
        };
        group.values.insert(
            parameter.name.to_string(),
            Value { value, source: source.to_string(), method: method(immediate).to_string() },
        );
    }
    changes.apply(c, level, &name);
    Ok(name_only(level, &name))
}

pub(super) fn reset(c: &mut Context<'_>, level: Level) -> Reply {
    let (name, family) = changeable(c, level)?;
    let entries = c.params().items("Parameters");
    let all = c.params().flag("ResetAllParameters").unwrap_or(false);
    if all != entries.is_empty() {
        return Err(combination("Give either ResetAllParameters or a list of parameters, not both."));
    }
    if entries.len() > PARAMETERS_MAX {
        return Err(invalid(format!("At most {PARAMETERS_MAX} parameters can be reset in one request.")));
    }
    let asked = asked(c, level, &family, &entries, false)?;
    let Some(group) = c.rds.groups_mut(level).get_mut(&name) else { return Err(no_group(level, &name)) };
    let removed: Vec<(&Parameter, Value, Option<bool>)> = if all {
        let values = std::mem::take(&mut group.values).into_iter();
        values.filter_map(|(set, value)| Some((parameters::find(&family, &set)?, value, None))).collect()
    } else {
        let removed = asked.into_iter().filter_map(|asked| {
            Some((asked.parameter, group.values.remove(asked.parameter.name)?, Some(asked.immediate)))
        });
        removed.collect()
    };
    let mut changes = Changes::default();
    for (parameter, value, immediate) in removed {
        if level.differs(parameter, Some(&value.value), None) {
            let immediate = immediate.unwrap_or(!c.rds.is_static(parameter));
            changes.note(parameter.name, None, immediate);
        }
    }
    changes.apply(c, level, &name);
    Ok(name_only(level, &name))
}

fn name_only(level: Level, name: &str) -> crate::wire::Body {
    let mut xml = Xml::new();
    xml.text(level.name(), name);
    xml.into()
}

/// What changed in a group, by when it takes effect.
#[derive(Default)]
struct Changes {
    /// The new value of each parameter that changes at once; `None` where it was reset.
    now: BTreeMap<String, Option<String>>,
    at_restart: bool,
}

impl Changes {
    fn note(&mut self, parameter: &str, value: Option<&str>, immediate: bool) {
        if immediate {
            self.now.insert(parameter.to_string(), value.map(str::to_string));
        } else {
            self.at_restart = true;
        }
    }

    /// Lets the instances that use the group notice.
    fn apply(self, c: &mut Context<'_>, level: Level, name: &str) {
        let now = c.now;
        let applied = now + c.random.duration_within(1.0, 3.0, 10.0, (1.0, 10.0));
        if self.now.is_empty() && !self.at_restart {
            return;
        }
        if let Some(group) = c.rds.groups_mut(level).get_mut(name) {
            group.applying_until = applied;
        }
        let uses = |instance: &&Instance| match level {
            Level::Cluster => c.rds.clusters.get(&instance.cluster).is_some_and(|found| found.group == name),
            Level::Instance => instance.group == name,
        };
        let users: Vec<&Instance> = c.rds.instances.values().filter(uses).collect();
        let clusters: BTreeSet<String> = users.iter().map(|user| user.cluster.clone()).collect();
        let running = users.iter().filter(|user| user.up && !user.deleting);
        let running: Vec<String> = running.map(|user| user.id.clone()).collect();
        for cluster in clusters {
            pause::resume(c, now, &cluster);
        }
        for user in running {
            let values = self.values_for(c, level, &user);
            let late = c.rds.late_ms;
            let Some(instance) = c.rds.instances.get_mut(&user) else { continue };
            let (resource, stopped) = (instance.resource.clone(), instance.timeline.status(now) == "stopped");
            if !self.now.is_empty() && !stopped {
                instance.sync(level).apply(now, applied, late);
                c.at(applied, &resource, Effect::Applied(values));
            }
            let Some(instance) = c.rds.instances.get_mut(&user) else { continue };
            if self.at_restart || !self.now.is_empty() && stopped {
                instance.sync(level).wait_for_restart(now, late);
            }
        }
    }

    /// What of the changes at once reaches an instance: a value in its own group hides one in the cluster's, and
    /// without it that one shows again.
    fn values_for(&self, c: &Context<'_>, level: Level, instance: &str) -> BTreeMap<String, Option<String>> {
        let Some(instance) = c.rds.instances.get(instance) else { return BTreeMap::new() };
        let all = c.rds.values_for(instance);
        let own = c.rds.groups(Level::Instance).get(&instance.group);
        let hidden = |name: &String| {
            level == Level::Cluster && own.is_some_and(|group| group.values.contains_key(name))
        };
        let visible = self.now.keys().filter(|name| !hidden(name));
        visible.map(|name| (name.clone(), all.get(name).cloned())).collect()
    }
}

fn show_parameter(c: &Context<'_>, x: &mut Xml, parameter: &Parameter, set: Option<&Value>) {
    x.text("ParameterName", parameter.name);
    let value = set.map_or(parameter.default, |set| &set.value);
    if set.is_some() || !value.is_empty() {
        x.text("ParameterValue", value);
    }
    x.text("Description", parameter.description);
    x.text("Source", set.map_or(parameter.source, |set| &set.source));
    x.text("ApplyType", if c.rds.is_static(parameter) { "static" } else { "dynamic" });
    x.text("DataType", parameter.data_type);
    x.optional("AllowedValues", Some(parameter.allowed).filter(|allowed| !allowed.is_empty()));
    x.text("IsModifiable", parameter.modifiable);
    // As it was set (fact book, appendix F, item 1).
    x.text("ApplyMethod", set.map_or(method(false), |set| &set.method));
    x.texts("SupportedEngineModes", "member", ["provisioned"]);
}

pub(super) fn describe_parameters(c: &mut Context<'_>, level: Level) -> Reply {
    let p = c.params();
    let name = c.required_name(level.name())?;
    let group = c.rds.groups(level).get(&name);
    let family = group.map(|group| group.family.as_str()).or_else(|| default_family(&name));
    let family = family.ok_or_else(|| no_group(level, &name))?;
    let source = p.get("Source").filter(|source| !source.is_empty());
    if let Some(source) = source
        && !["user", "system", "engine-default"].contains(&source)
    {
        return Err(invalid(format!("Invalid source: {source}")));
    }
    let names = c.filters(&["parameter-name"])?.remove("parameter-name");
    let all = parameters::of(family)
        .filter(|parameter| level.has(parameter))
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
    xml.list("Parameters", "Parameter", found, |x, (parameter, set)| show_parameter(c, x, parameter, set));
    xml.optional("Marker", marker);
    Ok(xml.into())
}

/// DescribeEngineDefaultClusterParameters lacks the instance-level names that the cluster groups do have (fact book,
/// section 1.2); DescribeEngineDefaultParameters has them.
pub(super) fn describe_defaults(c: &mut Context<'_>, level: Level) -> Reply {
    let p = c.params();
    let family = p.required("DBParameterGroupFamily")?;
    if !versions::FAMILIES.contains(&family) {
        return Err(invalid(format!("ParameterGroupFamily {family} is not a valid parameter group family")));
    }
    let all = parameters::of(family)
        .filter(|parameter| parameter.cluster_level == (level == Level::Cluster))
        .map(|parameter| (parameter.name.to_string(), parameter))
        .collect();
    let (found, marker) = page(p, all)?;
    let mut xml = Xml::new();
    xml.element("EngineDefaults", |x| {
        x.text("DBParameterGroupFamily", family);
        x.optional("Marker", marker);
        x.list("Parameters", "Parameter", found, |x, parameter| show_parameter(c, x, parameter, None));
    });
    Ok(xml.into())
}
